"""The intake that a hall's class allows, at the hall's height."""

from __future__ import annotations

from typing import get_args

from twinloop.cooling.altitude import AirClass, intake_limit_c
from twinloop.model.site import OnPremise

ALLOWABLE_AIR_C = {"A1": (15.0, 32.0), "A2": (10.0, 35.0), "A3": (5.0, 40.0), "A4": (5.0, 45.0), "H1": (15.0, 25.0)}
"""Allowable intake by class, ASHRAE TC 9.9, 5th edition (2021)."""
RECOMMENDED_AIR_C = {
    "A1": (18.0, 27.0), "A2": (18.0, 27.0), "A3": (18.0, 27.0), "A4": (18.0, 27.0), "H1": (18.0, 22.0),
}  # fmt: skip
"""Recommended intake by class, same source."""


def allowable_intake_c(site: OnPremise) -> tuple[float, float]:
    """Return the coldest and the warmest intake that ``site``'s class allows; the warmest falls with height."""
    return class_intake_c(site.air_class, site.weather.elevation_m)


def class_intake_c(air_class: str, elevation_m: float) -> tuple[float, float]:
    """Return the coldest and the warmest intake of ``air_class`` at a height.

    >>> class_intake_c("A2", 0.0), class_intake_c("A2", 1650.0)
    ((10.0, 35.0), (10.0, 32.5))
    """
    low_c, high_c = ALLOWABLE_AIR_C[air_class]
    known = next(each for each in get_args(AirClass) if each == air_class)
    return low_c, float(intake_limit_c(high_c, known, elevation_m))
