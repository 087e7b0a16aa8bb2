"""The intake that a hall's class allows, at the hall's height."""

from __future__ import annotations

from typing import get_args

from twinloop.cooling.altitude import AirClass, intake_limit_c
from twinloop.model.site import OnPremise

ALLOWABLE_AIR_C = {"A1": (15.0, 32.0), "A2": (10.0, 35.0), "A3": (5.0, 40.0), "A4": (5.0, 45.0), "H1": (15.0, 25.0)}
"""Allowable intake by class, ASHRAE TC 9.9, 5th edition (2021)."""


def allowable_intake_c(site: OnPremise) -> tuple[float, float]:
    """Return the coldest and the warmest intake that ``site``'s class allows; the warmest falls with height."""
    low_c, high_c = ALLOWABLE_AIR_C[site.air_class]
    air_class = next(each for each in get_args(AirClass) if each == site.air_class)
    return low_c, float(intake_limit_c(high_c, air_class, site.weather.elevation_m))
