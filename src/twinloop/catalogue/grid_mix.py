"""Electricity of countries, US states and market zones: carbon and off-site water."""

from __future__ import annotations

from functools import cache

from twinloop.catalogue import tables
from twinloop.catalogue.names import find, index
from twinloop.catalogue.nouns import Fact, Grid


@cache
def grids() -> tuple[Grid, ...]:
    """Return every grid. Countries are two letters (``DE``), US states ``US-VA``, zones ``US-PJM``."""
    return tuple(_grid(name, row) for name, row in tables.rows("grids").items())


def grid(name: str) -> Grid:
    """Return the grid called ``name``: code, three-letter code or English name.

    >>> grid("Germany").name, grid("Virginia").name
    ('DE', 'US-VA')

    Raises:
        InputError: unknown; names close ones.
    """
    return find("grids", name, _index(), (known.name for known in grids()))


@cache
def _index() -> dict[str, Grid]:
    table = tables.rows("grids")
    return index((known, (known.name, *tables.aliases(table[known.name]))) for known in grids())


def _grid(name: str, row: dict[str, Fact]) -> Grid:
    return Grid(
        name=name,
        carbon_kg_per_j=tables.number(row, "carbon_kg_per_j"),
        carbon_basis=tables.word(row, "carbon_basis"),
        source_water_m3_per_j=tables.number(row, "source_water_m3_per_j"),
        lowest_confidence=tables.lowest_confidence(row),
    )
