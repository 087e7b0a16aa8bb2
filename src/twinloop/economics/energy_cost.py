"""What a year of electricity costs: energy by the hour of the day, demand by the month's peak."""

from __future__ import annotations

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.economics.periods import HOUR_S, HOURS_PER_YEAR
from twinloop.model.site import Tariff

HOURS_PER_DAY = 24
MONTH_HOURS = tuple(24 * days for days in (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31))
"""Hours of each month of the simulated year, which has no 29 February."""


def energy_cost_usd(facility_w: FloatArray, tariff: Tariff) -> float:
    """Return the year's energy charge, ``sum(P_h 3600 s price_{h mod 24})``.

    Args:
        facility_w: mean power of each hour at the meter, shape (8760,), hour 0 = 1 January 00-01,
            local standard time, watt.
        tariff: one price per hour of the day, USD per joule.

    Raises:
        ValueError: not 8760 hours, or not 24 prices.

    >>> flat = Tariff((0.10 / 3.6e6,) * 24, 0.0, 0.0, "example")
    >>> round(energy_cost_usd(np.full(8760, 1e6), flat))
    876000
    """
    by_hour = _year(facility_w).reshape(-1, HOURS_PER_DAY).sum(axis=0)
    prices = np.asarray(tariff.energy_usd_per_j, dtype=np.float64)
    if prices.shape != (HOURS_PER_DAY,):
        raise ValueError(f"a tariff has one price per hour of the day, got {prices.size}")
    return float(by_hour @ prices) * HOUR_S


def monthly_peaks_w(facility_w: FloatArray) -> FloatArray:
    """Return the highest hourly mean power of each month, shape (12,), watt.

    Meters bill 15 or 30 minute means, which lie above the hourly mean; a steady hall differs little.

    >>> monthly_peaks_w(np.arange(8760.0))[:2].tolist()
    [743.0, 1415.0]
    """
    starts = np.concatenate(([0], np.cumsum(MONTH_HOURS)[:-1]))
    return np.asarray(np.maximum.reduceat(_year(facility_w), starts), dtype=np.float64)


def demand_charge_usd(facility_w: FloatArray, tariff: Tariff) -> float:
    """Return the year's demand charge: the price per watt and month times each month's peak, summed.

    >>> tariff = Tariff((0.0,) * 24, 0.012, 0.0, "12 USD/kW/month")
    >>> round(demand_charge_usd(np.full(8760, 1e6), tariff))
    144000
    """
    return float(monthly_peaks_w(facility_w).sum()) * tariff.demand_usd_per_w_month


def _year(facility_w: FloatArray) -> FloatArray:
    power_w = np.asarray(facility_w, dtype=np.float64)
    if power_w.shape != (HOURS_PER_YEAR,):
        raise ValueError(f"a year has {HOURS_PER_YEAR} hourly values, got an array of shape {power_w.shape}")
    return power_w
