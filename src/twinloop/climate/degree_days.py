"""A nearest station's degree days and design temperatures -> monthly normals, for a place in no table.

The daily mean is taken as a yearly sinusoid (coldest about 20 January in the north, 20 July in the south)
plus Gaussian noise; mean, amplitude and daily range are those that best give back the station's heating
and cooling degree days and its two percentiles. A station row is therefore enough:
latitude, longitude, elevation, HDD18, CDD10, 99 % heating and 1 % cooling dry bulb.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.catalogue.nouns import ClimateNormals
from twinloop.errors import Fault, InputError
from twinloop.fluids import psychrometrics as ps

_NORMAL = NormalDist()
# The days at which the year is sampled; error of a degree-day sum below 0.1 %.
_GRID: FloatArray = np.arange(0.5, 365.0, 5.0)
_COLDEST_DAY = 20.0
_MIDDLES: FloatArray = (np.arange(12, dtype=np.float64) + 0.5) * (365.0 / 12.0)
# How far each equation is trusted: degree days to 2 % plus 20 K d; percentiles to 1 K; the daily range lies
# about 9 K (mean and deviation over the places of the catalogue: 9.4 and 2.5 K).
_PERCENTILE_TRUST_K = 1.0
_RANGE_K, _RANGE_TRUST_K = 9.4, 2.5
# Of the catalogue's places, design column minus the 1 % column or the wettest month's dew point (medians).
_HOT_STEP_K = 1.3
_WET_STEP_K = 3.0
# Dew point below the day's coldest hour by ASHRAE moisture letter: humid, dry, marine (low confidence).
_DEW_BELOW_MINIMUM_K = {"A": 1.0, "B": 9.0, "C": 1.0, "": 2.0}


@dataclass(frozen=True)
class Station:
    """One row of a station list."""

    name: str
    country: str
    latitude_deg: float
    longitude_deg: float
    elevation_m: float
    hdd18_k_d: float
    """Heating degree days, base 18.3 or 18 degC, K day a year."""
    cdd10_k_d: float
    """Cooling degree days, base 10 degC."""
    heating_99_c: float
    """Dry bulb undercut 1 % of the year."""
    cooling_1_c: float
    """Dry bulb exceeded 1 % of the year."""
    moisture: str = ""
    """A (humid), B (dry), C (marine), or unknown."""


def daily_sigma_k(latitude_deg: float) -> float:
    """Return the usual sigma of the daily mean: ``0.6 + 0.085 |lat|``, within 1 and 4.8 K.

    A fit over 23 cities (hourly data 1990-2024), low confidence at any one place.

    >>> round(daily_sigma_k(-40.0), 2)
    4.0
    """
    return min(max(0.6 + 0.085 * abs(latitude_deg), 1.0), 4.8)


def degree_days(mean_c: FloatArray, sigma_k: float, base_c: float) -> tuple[float, float]:
    """Return yearly heating and cooling degree days of a normal daily mean, K day.

    ``E[max(b - T, 0)] = (b - m) Phi(z) + s phi(z)``, ``z = (b - m) / s``; ``mean_c`` samples the year.

    >>> heating, cooling = degree_days(np.full(365, 10.0), 0.01, 18.0)
    >>> round(heating), round(cooling)
    (2920, 0)
    """
    z = (base_c - mean_c) / sigma_k
    below = _cumulative(z)
    density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    heating = sigma_k * (z * below + density)
    cooling = heating - (base_c - mean_c)
    return float(heating.mean() * 365.0), float(cooling.mean() * 365.0)


def _cumulative(z: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1.0 + np.vectorize(math.erf, otypes=[float])(z / math.sqrt(2.0))))


def normals_from_degree_days(station: Station) -> ClimateNormals:
    """Return monthly normals of a station known only by degree days and two percentiles; low confidence.

    Raises:
        InputError: numbers that no climate has (negative degree days, percentiles the wrong way round).
    """
    _check(station)
    sigma = daily_sigma_k(station.latitude_deg)
    mean, amplitude, daily_range = _fit(station, sigma)
    dry = mean + amplitude * _season(_MIDDLES, station.latitude_deg)
    below = _DEW_BELOW_MINIMUM_K.get(station.moisture.upper(), _DEW_BELOW_MINIMUM_K[""])
    dew = dry - 0.5 * daily_range - below
    pressure = float(ps.pressure_at_altitude_pa(station.elevation_m))
    hot = station.cooling_1_c + _HOT_STEP_K
    coincident = _wet_bulb(hot, float(dew.max()), pressure)
    wet = min(_wet_bulb(hot - 2.0, float(dew.max()) + _WET_STEP_K, pressure), hot)
    return ClimateNormals(
        name=station.name,
        country=station.country,
        latitude_deg=station.latitude_deg,
        longitude_deg=station.longitude_deg,
        elevation_m=station.elevation_m,
        utc_offset_h=float(round(station.longitude_deg / 15.0)),
        ashrae_zone="",
        dry_bulb_c=tuple(np.round(dry, 2).tolist()),
        dew_point_c=tuple(np.round(dew, 2).tolist()),
        daily_range_k=round(daily_range, 2),
        daily_mean_sigma_k=round(sigma, 2),
        design_dry_bulb_c=round(hot, 2),
        design_coincident_wet_bulb_c=round(coincident, 2),
        design_wet_bulb_c=round(max(wet, coincident), 2),
        heating_design_c=station.heating_99_c,
        lowest_confidence="low",
    )


def _check(station: Station) -> None:
    faults = [
        Fault("station", None, f"{station.name} {name}", str(got), expected)
        for name, got, good, expected in (
            ("latitude", station.latitude_deg, abs(station.latitude_deg) <= 90.0, "-90 to 90"),
            ("longitude", station.longitude_deg, abs(station.longitude_deg) <= 180.0, "-180 to 180"),
            ("elevation", station.elevation_m, -500.0 <= station.elevation_m <= 6000.0, "-500 to 6000 m"),
            ("HDD18", station.hdd18_k_d, 0.0 <= station.hdd18_k_d <= 25_000.0, "0 to 25000 K day"),
            ("CDD10", station.cdd10_k_d, 0.0 <= station.cdd10_k_d <= 12_000.0, "0 to 12000 K day"),
            (
                "percentiles",
                f"{station.heating_99_c} and {station.cooling_1_c}",
                -70.0 < station.heating_99_c < station.cooling_1_c < 60.0,
                "heating below cooling, -70 to 60 °C",
            ),
        )
        if not good
    ]
    if faults:
        raise InputError(tuple(faults))


def _season(day: FloatArray, latitude_deg: float) -> FloatArray:
    cold = _COLDEST_DAY if latitude_deg >= 0.0 else _COLDEST_DAY + 182.5
    return -np.cos(2.0 * np.pi * (day - cold) / 365.0)


def _fit(station: Station, sigma_k: float) -> tuple[float, float, float]:
    """Return mean, amplitude and daily range by damped Gauss-Newton on the weighted equations."""
    guess = np.array([10.0 + (station.cdd10_k_d - station.hdd18_k_d + 2920.0) / 730.0, 8.0, _RANGE_K])
    guess[0] = np.clip(guess[0], -20.0, 32.0)
    step = np.diag([0.01, 0.01, 0.01])
    damping = 1.0
    misfit = _misfit(guess, station, sigma_k)
    for _ in range(40):
        slopes = np.array([(_misfit(guess + h, station, sigma_k) - misfit) / 0.01 for h in step]).T
        move = np.linalg.solve(slopes.T @ slopes + damping * np.eye(3) * 1e-2, -slopes.T @ misfit)
        trial = guess + np.clip(move, -5.0, 5.0)
        trial[1:] = np.maximum(trial[1:], [0.0, 2.0])
        new = _misfit(trial, station, sigma_k)
        if new @ new < misfit @ misfit:
            guess, misfit, damping = trial, new, damping * 0.3
        else:
            damping *= 5.0
    return float(guess[0]), float(guess[1]), float(guess[2])


def _misfit(unknowns: FloatArray, station: Station, sigma_k: float) -> FloatArray:
    mean, amplitude, daily_range = unknowns
    days = mean + amplitude * _season(_GRID, station.latitude_deg)
    heating, _ = degree_days(days, sigma_k, 18.0)
    _, cooling = degree_days(days, sigma_k, 10.0)
    cold, hot = _percentiles(days, sigma_k, daily_range)
    return np.array(
        [
            (heating - station.hdd18_k_d) / (20.0 + 0.02 * station.hdd18_k_d),
            (cooling - station.cdd10_k_d) / (20.0 + 0.02 * station.cdd10_k_d),
            (cold - station.heating_99_c) / _PERCENTILE_TRUST_K,
            (hot - station.cooling_1_c) / _PERCENTILE_TRUST_K,
            (daily_range - _RANGE_K) / _RANGE_TRUST_K,
        ]
    )


def _percentiles(days: FloatArray, sigma_k: float, daily_range: float) -> tuple[float, float]:
    """Return the 1 % and 99 % hourly dry bulb of the year: a mixture over days, hours and noise."""
    hours = 0.5 * daily_range * np.cos(2.0 * np.pi * (np.arange(12) + 0.5) / 12.0)
    noise = np.array([_NORMAL.inv_cdf((i + 0.5) / 40.0) for i in range(40)]) * sigma_k
    mixture = (days[:, None, None] + hours[None, :, None] + noise[None, None, :]).ravel()
    cold, hot = np.quantile(mixture, [0.01, 0.99])
    return float(cold), float(hot)


def _wet_bulb(dry_c: float, dew_c: float, pressure: float) -> float:
    return float(ps.wet_bulb_c(dry_c, ps.humidity_ratio_from_dew_point(min(dew_c, dry_c), pressure), pressure))
