"""Classes of cooling and electrical equipment: cost, life, maintenance, density limit, embodied carbon."""

from __future__ import annotations

from functools import cache

from twinloop.catalogue import tables
from twinloop.catalogue.names import find, index
from twinloop.catalogue.nouns import CoolingKit, Fact


@cache
def cooling_kits() -> tuple[CoolingKit, ...]:
    """Return every class of equipment.

    ``air_crah`` is a *whole* air plant (chillers, pumps and piping inside) for rule-of-thumb checks; the
    others are single elements to be added up. ``pipework`` is pumps, pipes and valves of a loop.
    Electrical kits (transformer, ups, generator) are per watt of electrical rating.
    """
    return tuple(_kit(name, row) for name, row in tables.rows("cooling_kits").items())


def cooling_kit(name: str) -> CoolingKit:
    """Return the class called ``name``.

    Raises:
        InputError: unknown; names close ones.
    """
    return find("cooling_kits", name, _index(), (known.name for known in cooling_kits()))


@cache
def _index() -> dict[str, CoolingKit]:
    table = tables.rows("cooling_kits")
    return index((known, (known.name, *tables.aliases(table[known.name]))) for known in cooling_kits())


def _kit(name: str, row: dict[str, Fact]) -> CoolingKit:
    return CoolingKit(
        name=name,
        capex_usd_per_w=tables.number(row, "capex_usd_per_w"),
        life_years=tables.number(row, "life_years"),
        maintenance_per_year=tables.number(row, "maintenance_per_year"),
        rack_limit_w=tables.number_or_none(row, "rack_limit_w"),
        embodied_kg_per_w=tables.number_or_none(row, "embodied_kg_per_w"),
        lowest_confidence=tables.lowest_confidence(row),
        smallest_w=tables.number_or_none(row, "smallest_w") or 0.0,
    )
