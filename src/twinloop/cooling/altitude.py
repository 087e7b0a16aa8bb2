"""What thin air does to equipment rated at sea level: fans move volume, heat rides on mass.

``σ`` is the density of air over that at which the equipment is rated (1.2 kg/m3: 20 °C, 101.325 kPa).
"""

from __future__ import annotations

from typing import Literal

from twinloop.arrays import Array, namespace
from twinloop.fluids.psychrometrics import pressure_at_altitude_pa

STANDARD_PA = 101_325.0
STANDARD_C = 20.0
AirClass = Literal["A1", "A2", "A3", "A4", "H1"]
DERATING_FROM_M = 900.0
METRES_PER_K: dict[AirClass, float] = {"A1": 300.0, "A2": 300.0, "A3": 175.0, "A4": 125.0, "H1": 500.0}
"""Metres of height above 900 m that take one kelvin off the highest allowable dry bulb. ASHRAE TC 9.9, Thermal
Guidelines, 5th edition (2021), from memory except A3: low confidence."""


def density_ratio(elevation_m: Array, dry_bulb_c: Array = STANDARD_C) -> Array:
    """Return ``σ = (p/101325) (293.15/(T + 273.15))``, standard atmosphere. Range: -500..5000 m, -40..60 °C.

    >>> round(float(density_ratio(1650.0)), 3)   # Denver
    0.819
    """
    return pressure_at_altitude_pa(elevation_m) / STANDARD_PA * (STANDARD_C + 273.15) / (dry_bulb_c + 273.15)


def pressure_ratio(pressure_pa: Array) -> Array:
    """Return ``σ = p/101325``: density over that at sea level, at the same temperature.

    >>> round(pressure_ratio(83_000.0), 3)   # Denver
    0.819
    """
    return pressure_pa / STANDARD_PA


def fan_mass_flow_kg_s(rated_kg_s: Array, sigma: Array) -> Array:
    """Return the dry-air mass that a fan rated at sea level moves at the same speed: ``m₀ σ``.

    >>> round(fan_mass_flow_kg_s(60.0, 0.819), 1)
    49.1
    """
    return rated_kg_s * sigma


def fan_power_at_altitude_w(rated_w: Array, sigma: Array) -> Array:
    """Return a fan's power at the same speed in thin air: pressure falls with density, ``P₀ σ``.

    Fan laws, ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 21.

    >>> round(fan_power_at_altitude_w(10e3, 0.819))
    8190
    """
    return rated_w * sigma


def air_side_ua_w_k(rated_w_k: Array, sigma: Array, air_share: float = 0.5, exponent: float = 0.8) -> Array:
    """Return a coil's UA in thin air at the same face velocity: ``UA₀/(s σ^−n + 1 − s)``, ``s`` the air film's share.

    The film falls with mass flux, as in :func:`twinloop.cooling.exchangers.ua_at_flow_w_k`.

    >>> round(air_side_ua_w_k(60e3, 0.819))
    55218
    """
    return rated_w_k / (air_share * sigma**-exponent + 1.0 - air_share)


def intake_limit_c(limit_c: Array, air_class: AirClass, elevation_m: Array) -> Array:
    """Return the highest allowable intake at height: one kelvin less for every ``METRES_PER_K`` above 900 m.

    >>> float(intake_limit_c(35.0, "A2", 1650.0))
    32.5
    """
    above_m = namespace(elevation_m).maximum(elevation_m - DERATING_FROM_M, 0.0)
    return limit_c - above_m / METRES_PER_K[air_class]
