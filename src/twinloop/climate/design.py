"""What cooling is sized for: design columns, and the sizing conditions drawn from them.

*Columns* are the yearly percentiles a handbook prints (dry bulb exceeded 0.4 % of the year, the wet
bulb that goes with it, ...). *Sizing conditions* are the columns made safe: the 20-year extreme where
it is known, else the 0.4 % column plus a margin. The basis is always said in words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.fluids import psychrometrics
from twinloop.model.weather import DesignConditions

HOT_SHARE = 0.996
"""The 0.4 % column is the value that 99.6 % of the hours stay below."""
COLD_SHARE = 0.01
"""The heating column is undercut 1 % of the year."""

# 20-year extreme minus the 0.4 % (cold: 1 %) column, per kelvin of sigma of the daily mean: median over
# the eight TMY3 files with ASHRAE 2009 columns that validation/tables/climate_sites.csv names;
# the least margin keeps tropical sites, where sigma is 1 K, from having none.
DRY_MARGIN_PER_SIGMA = 1.4
WET_MARGIN_PER_SIGMA = 0.95
COLD_MARGIN_PER_SIGMA = 3.3
LEAST_MARGIN_K = 1.5


@dataclass(frozen=True)
class DesignColumns:
    """A handbook's design columns of one place; an extreme that is not known is ``None``."""

    dry_bulb_c: float
    """Exceeded 0.4 % of the year."""
    coincident_wet_bulb_c: float
    """Mean wet bulb at that dry bulb."""
    wet_bulb_c: float
    """Exceeded 0.4 % of the year."""
    cold_dry_bulb_c: float
    """Undercut 1 % of the year."""
    source: str
    extreme_dry_bulb_c: float | None = None
    """20-year return period."""
    extreme_wet_bulb_c: float | None = None
    """Highest on record."""
    extreme_cold_c: float | None = None
    """20-year return period."""


def columns_from_hours(dry_bulb_c: FloatArray, wet_bulb_c: FloatArray, source: str) -> DesignColumns:
    """Return the percentiles of one year of hours: a single year knows no 20-year extreme.

    >>> hours = np.linspace(0.0, 30.0, 8760)
    >>> columns_from_hours(hours, hours - 5.0, "example").dry_bulb_c
    29.88
    """
    hot = float(np.quantile(dry_bulb_c, HOT_SHARE))
    near = dry_bulb_c >= np.quantile(dry_bulb_c, 0.99)
    near &= dry_bulb_c <= hot + (hot - float(np.quantile(dry_bulb_c, 0.99))) + 0.1
    return DesignColumns(
        dry_bulb_c=round(hot, 2),
        coincident_wet_bulb_c=round(float(wet_bulb_c[near].mean()), 2),
        wet_bulb_c=round(float(np.quantile(wet_bulb_c, HOT_SHARE)), 2),
        cold_dry_bulb_c=round(float(np.quantile(dry_bulb_c, COLD_SHARE)), 2),
        source=source,
    )


def sizing(columns: DesignColumns, daily_mean_sigma_k: float, pressure_pa: float) -> DesignConditions:
    """Return what equipment is sized for: 20-year extremes where known, else columns plus a margin.

    The wet bulb that goes with the sizing dry bulb keeps the humidity ratio of the handbook's pair: a
    heat wave is hotter air, not wetter air.
    """
    dry, dry_words = _with_margin(
        columns.dry_bulb_c, columns.extreme_dry_bulb_c, DRY_MARGIN_PER_SIGMA * daily_mean_sigma_k, "dry bulb"
    )
    wet, wet_words = _with_margin(
        columns.wet_bulb_c, columns.extreme_wet_bulb_c, WET_MARGIN_PER_SIGMA * daily_mean_sigma_k, "wet bulb"
    )
    cold = columns.extreme_cold_c
    if cold is None:
        cold = columns.cold_dry_bulb_c - max(COLD_MARGIN_PER_SIGMA * daily_mean_sigma_k, LEAST_MARGIN_K)
    dry = max(dry, wet)
    return DesignConditions(
        dry_bulb_c=round(dry, 2),
        coincident_wet_bulb_c=round(min(_coincident(columns, dry, pressure_pa), wet), 2),
        wet_bulb_c=round(wet, 2),
        coldest_dry_bulb_c=round(cold, 2),
        basis=f"{dry_words}; {wet_words}; {columns.source}",
    )


def with_humid_dry_bulb(design: DesignConditions, dry_bulb_c: FloatArray, wet_bulb_c: FloatArray) -> DesignConditions:
    """Return ``design`` with the dry bulb of its most humid hour: pads are hardest pressed in air hot *and* wet."""
    humid = int(np.argmax(wet_bulb_c))
    depression_k = max(float(dry_bulb_c[humid] - wet_bulb_c[humid]), 0.0)
    return replace(design, humid_dry_bulb_c=min(design.wet_bulb_c + depression_k, design.dry_bulb_c))


def _with_margin(column_c: float, extreme_c: float | None, margin_k: float, what: str) -> tuple[float, str]:
    if extreme_c is not None and extreme_c >= column_c:
        period = "20-year extreme" if what == "dry bulb" else "highest recorded"
        return extreme_c, f"{period} {what} {extreme_c:.1f} °C"
    margin_k = max(margin_k, LEAST_MARGIN_K)
    return column_c + margin_k, f"0.4 % {what} {column_c:.1f} °C plus {margin_k:.1f} K"


def _coincident(columns: DesignColumns, dry_bulb_c: float, pressure_pa: float) -> float:
    ratio = psychrometrics.humidity_ratio_from_wet_bulb(
        columns.dry_bulb_c, min(columns.coincident_wet_bulb_c, columns.dry_bulb_c), pressure_pa
    )
    return float(psychrometrics.wet_bulb_c(dry_bulb_c, ratio, pressure_pa))


def daily_mean_sigma_k(dry_bulb_c: FloatArray) -> float:
    """Return the standard deviation of daily means within a month, averaged over the months, K."""
    days = dry_bulb_c.reshape(365, 24).mean(axis=1)
    return float(np.mean([days[days_of].std() for days_of in month_days()]))


def month_days() -> list[slice]:
    """Return, per month, the slice of the days (0..364) that it holds."""
    ends = np.cumsum((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)).tolist()
    return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
