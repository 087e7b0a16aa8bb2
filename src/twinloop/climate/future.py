"""A warmer year: the same hours with the temperature rise of a scenario.

Relative humidity is kept, which is what models and records show over land to first order; so the dew point
rises nearly as much as the dry bulb.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.catalogue.nouns import Confidence
from twinloop.errors import Fault, InputError
from twinloop.fluids import psychrometrics as ps
from twinloop.model.weather import DesignConditions, WeatherYear


@dataclass(frozen=True)
class Scenario:
    """One emission scenario: warming of the global mean over 1995-2014, K, by period."""

    name: str
    near_k: float
    """2021-2040."""
    middle_k: float
    """2041-2060."""
    late_k: float
    """2081-2100."""
    source: str
    confidence: Confidence


_SOURCE = (
    "IPCC AR6 WG1 (2021) summary for policymakers, table SPM.1, best estimates less 0.85 K of 1850-1900 to "
    "1995-2014; from memory; global mean, land warms about 1.4 times as much"
)
SCENARIOS: tuple[Scenario, ...] = (
    Scenario("ssp1-2.6", 0.65, 0.85, 0.95, _SOURCE, "low"),
    Scenario("ssp2-4.5", 0.65, 1.15, 1.85, _SOURCE, "low"),
    Scenario("ssp3-7.0", 0.65, 1.25, 2.75, _SOURCE, "low"),
    Scenario("ssp5-8.5", 0.75, 1.55, 3.55, _SOURCE, "low"),
)
LAND_FACTOR = 1.4
"""Land surface warming over global mean warming (IPCC AR6, chapter 4; from memory, low confidence)."""
BASE_YEAR = 2005.0
"""Middle of the base period: the age of most weather files."""


def warming_k(scenario: str, year: float) -> float:
    """Return the rise over land since the base period, by straight lines between the periods' middles.

    After 2090 the late value is held.

    >>> round(warming_k("SSP2-4.5", 2030), 2)
    0.89

    Raises:
        InputError: unknown scenario, or a year before 2005.
    """
    row = next((row for row in SCENARIOS if row.name == scenario.casefold()), None)
    if row is None:
        known = ", ".join(row.name for row in SCENARIOS)
        raise InputError(Fault("climate", None, "scenario", repr(scenario), f"one of {known}"))
    if not year >= BASE_YEAR:
        raise InputError(Fault("climate", None, "year", f"{year:g}", f"{BASE_YEAR:g} or later"))
    rise = np.interp(year, [BASE_YEAR, 2030.5, 2050.5, 2090.5], [0.0, row.near_k, row.middle_k, row.late_k])
    return float(LAND_FACTOR * rise)


def warmer(weather: WeatherYear, rise_k: float, why: str = "given by the user") -> WeatherYear:
    """Return ``weather`` with every hour and the design conditions ``rise_k`` warmer, same humidity in %.

    Raises:
        InputError: a rise outside -5..10 K, which no scenario has.
    """
    if not -5.0 <= rise_k <= 10.0:
        raise InputError(Fault("climate", None, "temperature rise", f"{rise_k:g} K", "-5 to 10 K"))
    p = weather.pressure_pa
    dry = weather.dry_bulb_c + rise_k
    humidity = ps.relative_humidity(weather.dry_bulb_c, ps.humidity_ratio_from_dew_point(weather.dew_point_c, p), p)
    ratio = ps.humidity_ratio_from_relative_humidity(dry, np.minimum(humidity, 1.0), p)
    design = weather.design
    return replace(
        weather,
        dry_bulb_c=dry,
        wet_bulb_c=np.asarray(ps.wet_bulb_c(dry, ratio, p)),
        dew_point_c=np.minimum(np.asarray(ps.dew_point_c(ratio, p)), dry),
        design=DesignConditions(
            dry_bulb_c=design.dry_bulb_c + rise_k,
            coincident_wet_bulb_c=_wetter(design.dry_bulb_c, design.coincident_wet_bulb_c, rise_k, p),
            # The wettest hours are near saturation: their air warms from the wet bulb itself.
            wet_bulb_c=design.wet_bulb_c + rise_k,
            humid_dry_bulb_c=None if design.humid_dry_bulb_c is None else design.humid_dry_bulb_c + rise_k,
            coldest_dry_bulb_c=design.coldest_dry_bulb_c + rise_k,
            basis=f"{design.basis}; {rise_k:+.1f} K, {why}",
        ),
        notes=(*weather.notes, f"{rise_k:+.1f} K on every hour at the same relative humidity, {why}"),
    )


def _wetter(dry_c: float, wet_c: float, rise_k: float, pressure: float) -> float:
    ratio = ps.humidity_ratio_from_wet_bulb(dry_c, min(wet_c, dry_c), pressure)
    humidity: FloatArray = ps.relative_humidity(dry_c, ratio, pressure)
    later = ps.humidity_ratio_from_relative_humidity(dry_c + rise_k, humidity, pressure)
    return float(ps.wet_bulb_c(dry_c + rise_k, later, pressure))


def in_year(weather: WeatherYear, scenario: str, year: float) -> WeatherYear:
    """Return ``weather`` as a scenario has it in ``year``; see :func:`warming_k`."""
    return warmer(weather, warming_k(scenario, year), f"{scenario} in {year:.0f} (low confidence)")
