"""Monthly normals and design columns of 63 data-centre markets."""

from __future__ import annotations

from functools import cache

from twinloop.catalogue import tables
from twinloop.catalogue.names import find, index
from twinloop.catalogue.nouns import ClimateNormals, Fact

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@cache
def climate_places() -> tuple[ClimateNormals, ...]:
    """Return every place."""
    return tuple(_place(name, row) for name, row in tables.rows("climates").items())


def climate_place(name: str) -> ClimateNormals:
    """Return the place called ``name``; a town of a double name is enough.

    >>> climate_place("frankfurt").country, climate_place("Ashburn").ashrae_zone
    ('DEU', '4A')

    Raises:
        InputError: unknown; names close ones.
    """
    return find("climates", name, _index(), (known.name for known in climate_places()))


@cache
def _index() -> dict[str, ClimateNormals]:
    table = tables.rows("climates")
    return index((known, (known.name, *tables.aliases(table[known.name]))) for known in climate_places())


def _place(name: str, row: dict[str, Fact]) -> ClimateNormals:
    return ClimateNormals(
        name=name,
        country=tables.word(row, "country"),
        latitude_deg=tables.number(row, "latitude_deg"),
        longitude_deg=tables.number(row, "longitude_deg"),
        elevation_m=tables.number(row, "elevation_m"),
        utc_offset_h=tables.number(row, "utc_offset_h"),
        ashrae_zone=tables.word(row, "ashrae_zone"),
        dry_bulb_c=tuple(tables.number(row, f"dry_bulb_{month}_c") for month in MONTHS),
        dew_point_c=tuple(tables.number(row, f"dew_point_{month}_c") for month in MONTHS),
        daily_range_k=tables.number(row, "daily_range_k"),
        daily_mean_sigma_k=tables.number(row, "daily_mean_sigma_k"),
        design_dry_bulb_c=tables.number(row, "design_dry_bulb_c"),
        design_coincident_wet_bulb_c=tables.number(row, "design_coincident_wet_bulb_c"),
        design_wet_bulb_c=tables.number(row, "design_wet_bulb_c"),
        heating_design_c=tables.number(row, "heating_design_c"),
        lowest_confidence=tables.lowest_confidence(row),
    )
