"""Choosing and ordering rows of a table by its columns, as the ``catalogue`` verb does.

A column is a quantity of the table, ``name`` included; ``memory`` finds ``memory_b``. Numbers are compared
in the unit of the column's first row, which is the unit shown.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from twinloop.catalogue.conversion import FACTORS, TEXT
from twinloop.catalogue.names import close
from twinloop.catalogue.nouns import Fact
from twinloop.catalogue.tables import source_facts
from twinloop.errors import Fault, InputError

Row = dict[str, Fact]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_CONDITION = re.compile(r"\s*([\w.+ -]+?)\s*(!=|>=|<=|==|=|>|<|~)\s*(.+?)\s*")
_UNIT_ENDING = re.compile(
    r"_(b_s|b|w|c|k_w|k_day|k|kg|usd|deg|m|h|u|years|per_year|per_k"
    r"|usd_per_\w+|kg_per_\w+|m3_per_\w+|b_per_\w+)$"
)


@dataclass(frozen=True)
class Condition:
    """``column compare wanted``: what a row must fulfil; ``~`` is "contains"."""

    column: str
    compare: str
    wanted: str


def shown_rows(table: str) -> dict[str, Row]:
    """Return ``table`` by name and quantity for people: one unit a column, shared facts filled in.

    Cloud prices carry their machine's facts, cloud regions their provider's.
    """
    units: dict[str, str] = {}
    rows: dict[str, Row] = {}
    for fact in source_facts(table):
        unit = units.setdefault(fact.quantity, fact.unit)
        rows.setdefault(fact.name, {})[fact.quantity] = _in_unit(fact, unit)
    mark = {"cloud_prices": "@", "cloud_regions": "/"}.get(table)
    if mark is None:
        return rows
    return {name: {**rows.get(name.split(mark)[0], {}), **row} for name, row in rows.items() if mark in name}


def _in_unit(fact: Fact, unit: str) -> Fact:
    if fact.unit == unit or isinstance(fact.value, str) or unit == TEXT:
        return fact
    factor = FACTORS[fact.unit][0] / FACTORS[unit][0]
    low = None if fact.low is None else fact.low * factor
    high = None if fact.high is None else fact.high * factor
    return replace(fact, value=fact.value * factor, low=low, high=high, unit=unit)


def columns(rows: dict[str, Row]) -> list[str]:
    """Return the quantities of ``rows`` in the order of their first appearance."""
    return list(dict.fromkeys(quantity for row in rows.values() for quantity in row))


def plain(quantity: str) -> str:
    """Return ``quantity`` without the unit at its end.

    >>> plain("memory_bandwidth_b_s"), plain("carbon_kg_per_j"), plain("bf16")
    ('memory_bandwidth', 'carbon', 'bf16')
    """
    return _UNIT_ENDING.sub("", quantity) or quantity


def column_of(table: str, rows: dict[str, Row], wanted: str) -> str:
    """Return the column that ``wanted`` means: its name, its name without unit, or a unique beginning.

    Raises:
        InputError: none or several; names close ones.
    """
    known = columns(rows)
    key = wanted.strip().lower().replace(" ", "_").replace("-", "_")
    if key == "name" or key in known:
        return key
    matches = [name for name in known if plain(name) == key] or [name for name in known if name.startswith(key)]
    if len(matches) == 1:
        return matches[0]
    near = matches or close(key, ["name", *known])
    path = f"columns of {table}"
    expected = "one of " + ", ".join(["name", *(plain(name) for name in known)][:40])
    raise InputError(Fault("catalogue", None, path, repr(wanted), expected, " or ".join(near[:3]) or None))


def condition(table: str, rows: dict[str, Row], text: str) -> Condition:
    """Parse ``text``, for example ``kind=gpu``, ``year>=2022`` or ``cooling~bath``.

    Raises:
        InputError: not a condition, or an unknown column.
    """
    parts = _CONDITION.fullmatch(text)
    if parts is None:
        expected = "COLUMN followed by =, !=, <, <=, >, >= or ~ (contains) and a value"
        raise InputError(Fault("catalogue", None, "--where", repr(text), expected, "kind=gpu or year>=2022"))
    column, compare, wanted = parts.groups()
    found = Condition(column_of(table, rows, column), "=" if compare == "==" else compare, wanted.strip("\"'"))
    _reject_words_for_numbers(table, rows, found)
    return found


def _reject_words_for_numbers(table: str, rows: dict[str, Row], asked: Condition) -> None:
    values = [row[asked.column].value for row in rows.values() if asked.column in row]
    numeric = bool(values) and not any(isinstance(value, str) for value in values)
    if asked.compare == "~" or not numeric or _number(asked.wanted) is not None:
        return
    path = f"--where on {table}.{asked.column}"
    raise InputError(Fault("catalogue", None, path, repr(asked.wanted), "a number in the unit shown"))


def select(rows: dict[str, Row], conditions: Sequence[Condition], order: str | None) -> dict[str, Row]:
    """Return the rows that fulfil every condition, sorted by ``order`` (``-column``: largest first).

    A row that lacks a column fulfils no condition on it and is sorted last.
    """
    kept = [(name, row) for name, row in rows.items() if all(_holds(name, row, each) for each in conditions)]
    if order is not None:
        column, falling = order.removeprefix("-"), order.startswith("-")
        has = [(name, row) for name, row in kept if _value(name, row, column) is not None]
        lacks = [(name, row) for name, row in kept if _value(name, row, column) is None]
        has.sort(key=lambda pair: _rank(_value(pair[0], pair[1], column)), reverse=falling)
        kept = [*has, *lacks]
    return dict(kept)


def _holds(name: str, row: Row, asked: Condition) -> bool:
    value = _value(name, row, asked.column)
    if value is None:
        return False
    if asked.compare == "~":
        return asked.wanted.lower() in str(value).lower()
    number = _number(asked.wanted)
    if isinstance(value, float) and number is not None:
        return _COMPARE[asked.compare](value, number)
    return _COMPARE[asked.compare](str(value).lower(), asked.wanted.lower())


def _value(name: str, row: Row, column: str) -> float | str | None:
    if column == "name":
        return name
    return row[column].value if column in row else None


def _rank(value: float | str | None) -> tuple[int, float, str]:
    return (0, value, "") if isinstance(value, float) else (1, 0.0, str(value).lower())


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
