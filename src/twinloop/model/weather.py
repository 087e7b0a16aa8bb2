"""A year of outdoor air at one site."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinloop.arrays import FloatArray


@dataclass(frozen=True)
class DesignConditions:
    """What equipment is sized for, with the basis said in words."""

    dry_bulb_c: float
    coincident_wet_bulb_c: float
    wet_bulb_c: float
    coldest_dry_bulb_c: float
    basis: str
    humid_dry_bulb_c: float | None = None
    """Dry bulb with ``wet_bulb_c``: as far above it as in the year's most humid hour; ``None``: not known."""


@dataclass(frozen=True)
class WeatherYear:
    """Hourly outdoor air, shape (8760,), local standard time, hour 0 = 1 January 00-01."""

    name: str
    source: str
    latitude_deg: float
    longitude_deg: float
    elevation_m: float
    pressure_pa: float
    """Mean station pressure."""
    design: DesignConditions
    notes: tuple[str, ...] = ()
    """Stated errors, gaps filled, and what was assumed."""
    dry_bulb_c: FloatArray = field(repr=False, kw_only=True)
    wet_bulb_c: FloatArray = field(repr=False, kw_only=True)
    dew_point_c: FloatArray = field(repr=False, kw_only=True)
