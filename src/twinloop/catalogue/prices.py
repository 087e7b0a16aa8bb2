"""Electricity prices of US states and countries: energy and demand."""

from __future__ import annotations

from functools import cache

from twinloop.catalogue import tables
from twinloop.catalogue.names import find, index
from twinloop.catalogue.nouns import Fact, TariffRow


@cache
def tariffs() -> tuple[TariffRow, ...]:
    """Return every tariff.

    Published averages contain the demand charge. The table carries them as ``all_in_usd_per_j`` and
    splits them, so that energy plus demand does not count it twice:
    energy = all-in - demand / (730 h * 0.7), 0.7 being the load factor of the averaged customers.
    """
    return tuple(_tariff(name, row) for name, row in tables.rows("tariffs").items())


def tariff(name: str) -> TariffRow:
    """Return the tariff of a place; names are those of the grids (``DE``, ``US-VA``, ``Virginia``).

    Raises:
        InputError: unknown; names close ones.
    """
    return find("tariffs", name, _index(), (known.name for known in tariffs()))


@cache
def _index() -> dict[str, TariffRow]:
    table = tables.rows("tariffs")
    return index((known, (known.name, *tables.aliases(table[known.name]))) for known in tariffs())


def _tariff(name: str, row: dict[str, Fact]) -> TariffRow:
    return TariffRow(
        name=name,
        energy_usd_per_j=tables.number(row, "energy_usd_per_j"),
        demand_usd_per_w_month=tables.number(row, "demand_usd_per_w_month"),
        lowest_confidence=tables.lowest_confidence(row),
    )
