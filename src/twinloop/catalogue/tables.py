"""The tables themselves: CSV rows to facts, as written and in SI."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import cast, get_args

from twinloop.catalogue.conversion import FACTORS, TEXT
from twinloop.catalogue.names import close, find, index, unknown
from twinloop.catalogue.nouns import Confidence, Fact
from twinloop.errors import Fault, InputError

FOLDER = Path(__file__).parent / "tables"

TABLES = (
    "devices",
    "servers",
    "cooling_kits",
    "grids",
    "tariffs",
    "climates",
    "cloud_prices",
    "cloud_regions",
    "architectures",
    "compression",
    "economics",
    "converters",
    "fabrics",
)
"""Every table of the catalogue."""

COLUMNS = ("name", "quantity", "value", "unit", "low", "high", "source", "year", "confidence", "note")
CONFIDENCES: tuple[Confidence, ...] = get_args(Confidence)
"""Highest first."""


def table_name(wanted: str, *, exact: bool = False) -> str:
    """Return the table that ``wanted`` means; ``-`` for ``_`` is forgiven unless ``exact``.

    Raises:
        InputError: there is no such table; names close ones.
    """
    name = wanted if exact else wanted.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in TABLES:
        expected = "one of " + ", ".join(TABLES)
        near = " or ".join(close(wanted, TABLES))
        raise InputError(Fault("catalogue", None, "table", repr(wanted), expected, near or None))
    return name


@cache
def source_facts(table: str) -> tuple[Fact, ...]:
    """Return ``table``'s facts with units as their sources write them, in file order.

    Raises:
        InputError: there is no such table; names close ones.
    """
    return tuple(_fact(table, row) for row in _lines(table))


def _lines(table: str) -> list[list[str]]:
    table_name(table, exact=True)
    with (FOLDER / f"{table}.csv").open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        if tuple(next(reader)) != COLUMNS:
            raise ValueError(f"{table}.csv: the header is not {','.join(COLUMNS)}")
        return list(reader)


def _fact(table: str, row: list[str], *, si: bool = False) -> Fact:
    name, quantity, value, unit, low, high, source, year, confidence, note = row
    # Converted while read: building each of some thousand facts twice is what a start would notice.
    factor, shown = FACTORS[unit] if si and unit != TEXT else (1.0, unit)
    return Fact(
        table,
        name,
        quantity,
        value if unit == TEXT else float(value) * factor,
        shown,
        float(low) * factor if low else None,
        float(high) * factor if high else None,
        source,
        int(year),
        cast(Confidence, confidence),
        note,
    )


def to_si(fact: Fact) -> Fact:
    """Return ``fact`` in SI: value, low, high and unit converted by ``conversion.FACTORS``.

    >>> to_si(Fact("t", "n", "q", 80.0, "GB", 80.0, 80.0, "s", 2024, "high")).value
    80000000000.0
    """
    factor, unit = FACTORS[fact.unit]
    if isinstance(fact.value, str) or (factor == 1.0 and unit == fact.unit):
        return fact
    return Fact(
        fact.table,
        fact.name,
        fact.quantity,
        fact.value * factor,
        unit,
        None if fact.low is None else fact.low * factor,
        None if fact.high is None else fact.high * factor,
        fact.source,
        fact.year,
        fact.confidence,
        fact.note,
    )


@cache
def facts(table: str) -> tuple[Fact, ...]:
    """Return ``table``'s facts in SI, in file order."""
    return tuple(_fact(table, row, si=True) for row in _lines(table))


@cache
def rows(table: str) -> dict[str, dict[str, Fact]]:
    """Return ``table`` by name and quantity, in SI. Shared: do not change it."""
    found: dict[str, dict[str, Fact]] = {}
    for fact in facts(table):
        found.setdefault(fact.name, {})[fact.quantity] = fact
    return found


@cache
def _names(table: str) -> dict[str, str]:
    """Every key of ``table``, aliases included -> canonical name."""
    return index((name, (name, *aliases(row))) for name, row in rows(table).items())


def row_of(table: str, name: str) -> dict[str, Fact]:
    """Return the facts of ``name`` in ``table`` by quantity, in SI.

    Raises:
        InputError: the table has no such name; names close ones.
    """
    found = rows(table)
    return found[name] if name in found else found[find(table, name, _names(table), found)]


def constant(table: str, name: str, quantity: str) -> Fact:
    """Return one fact, in SI, for example ``constant("economics", "default", "discount_per_year")``.

    Raises:
        InputError: no such table, name or quantity; names close ones.
    """
    row = row_of(table, name)
    if quantity not in row:
        raise unknown(f"{table}.{name}", quantity, row)
    return row[quantity]


def number(row: dict[str, Fact], quantity: str) -> float:
    """Return a number that the table must have; its absence is a fault of the table, not the user's."""
    value = row[quantity].value
    if isinstance(value, str):
        raise TypeError(f"{row[quantity].name}: {quantity} is {value!r}, not a number")
    return value


def number_or_none(row: dict[str, Fact], quantity: str) -> float | None:
    """Return a number, or ``None`` where no source gives one."""
    return number(row, quantity) if quantity in row else None


def word(row: dict[str, Fact], quantity: str) -> str:
    """Return a word that the table must have."""
    return str(row[quantity].value)


def aliases(row: dict[str, Fact]) -> tuple[str, ...]:
    """Return the other names of a row: its fact ``aliases``, separated by ``;``."""
    if "aliases" not in row:
        return ()
    return tuple(alias.strip() for alias in word(row, "aliases").split(";"))


def lowest_confidence(row: dict[str, Fact]) -> Confidence:
    """Return the lowest confidence of a row's facts."""
    return max((fact.confidence for fact in row.values()), key=CONFIDENCES.index)
