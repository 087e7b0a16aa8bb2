"""Monthly normals -> an hourly year, for any place without a weather file.

Daily means follow the curve whose monthly means are the normals, plus a red-noise anomaly; hours follow
a fixed diurnal shape whose range varies from day to day; the dew point has an anomaly of its own,
correlated with that of the dry bulb, and stays below saturation. At last the tails (top and bottom 1 %)
are moved to meet the design columns: exceeded 0.4 % and undercut 1 % of the year.

The same normals and seed give the same year. Use it for a year's energy; size from the result's
``design``, which comes from the design columns and not from these hours. Measured errors:
``twinloop validate climate``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.catalogue.nouns import ClimateNormals
from twinloop.climate.design import DesignColumns, daily_mean_sigma_k, month_days, sizing, with_humid_dry_bulb
from twinloop.climate.tails import meet_design_columns
from twinloop.fluids import psychrometrics as ps
from twinloop.model.weather import WeatherYear

DAYS = 365
LEAST_WET_GAP_K = 1.5
"""A month's mean dew point is at least this far below the 0.4 % wet bulb: least of the catalogue's places
with hourly data is 2.6 K (Singapore)."""
ERRORS = (
    "hourly year generated from monthly normals; against real years hours below a temperature are right "
    "within about 1 to 2 points of the year on average (`twinloop validate climate`)"
)

# Mean departure of each hour (00-01 first) from the day's mean, over the range of that mean day: the mean
# of the four TMY3 and TMY2 files used for calibration (Tucson, Denver, Baltimore, New York; NREL, public
# domain), June to August and December to February. A long day is broad at the top, a short one narrow.
SUMMER_DAY = (
    -0.33, -0.38, -0.43, -0.47, -0.50, -0.44, -0.27, -0.09, 0.07, 0.21, 0.33, 0.42,
    0.47, 0.49, 0.47, 0.43, 0.35, 0.26, 0.13, 0.00, -0.08, -0.15, -0.22, -0.28,
)  # fmt: skip
WINTER_DAY = (
    -0.29, -0.32, -0.35, -0.38, -0.40, -0.42, -0.43, -0.35, -0.12, 0.11, 0.29, 0.43,
    0.52, 0.57, 0.56, 0.51, 0.37, 0.22, 0.11, 0.02, -0.07, -0.14, -0.20, -0.24,
)  # fmt: skip


@dataclass(frozen=True)
class Noise:
    """Constants of the generator, the same everywhere.

    Orders of magnitude from the four files named above, settled with all nine sites of the validation in
    view; ``muggy_share`` rests on one site (Tampa).

    ``depression`` below is the month's mean of dry bulb minus dew point, K: small where it is humid.
    """

    persistence: float = 0.65
    """Day-to-day correlation of the anomaly of the daily mean."""
    range_variation: float = 0.3
    """Standard deviation of the daily range over its mean."""
    winter_share: float = 0.45
    """Sigma in the coldest month over the year's mean, minus 1, where seasons are 15 K or more apart."""
    dew_sigma_ratio: float = 1.3
    """Sigma of the daily dew point over that of the daily mean dry bulb."""
    cold_correlation: float = 0.92
    """Of the anomalies of dew point and dry bulb, in humid months at 0 degC and below."""
    warm_fall: float = 0.012
    """Fall of that correlation per kelvin of the month's mean above 0 degC."""
    dry_fall: float = 0.10
    """Fall of that correlation per kelvin of depression above 6 K; it ends at -0.4."""
    muggy_share: float = 0.1
    """Added to ``winter_share`` per kelvin by which the wettest month's dew point is above 19 degC."""
    humid_dew_rise: float = 0.2
    """Dew point's departure over dry bulb's, within a day, up to a depression of 6 K."""
    dew_rise_fall: float = 0.035
    """Fall of that ratio per kelvin of depression above 6 K; it ends at -0.15."""


NOISE = Noise()


def weather_from_normals(normals: ClimateNormals, seed: int = 0, noise: Noise = NOISE) -> WeatherYear:
    """Return the hourly year of a place from its monthly normals and design columns."""
    pressure = float(ps.pressure_at_altitude_pa(normals.elevation_m))
    columns = columns_of(normals)
    normals, notes = _possible_dew_points(normals)
    sigma = normals.daily_mean_sigma_k
    random = np.random.default_rng(seed)
    dry = _dry_bulb(normals, random, noise)
    dew = _dew_point(normals, dry, random, noise)
    for _ in range(3):  # moving the tails moves the means a little, and the other way round
        dry, dew = meet_design_columns(dry, dew, columns, sigma, pressure)
        dry = dry + _hourly(np.asarray(normals.dry_bulb_c) - monthly_means(dry))
        dew = np.minimum(dew + _hourly(np.asarray(normals.dew_point_c) - monthly_means(dew)), dry)
    dry, dew = meet_design_columns(dry, dew, columns, sigma, pressure)
    ratio = ps.humidity_ratio_from_dew_point(dew, pressure)
    wet = np.asarray(ps.wet_bulb_c(dry, ratio, pressure))
    return WeatherYear(
        name=normals.name,
        source=f"monthly normals ({normals.lowest_confidence} confidence), generated with seed {seed}",
        latitude_deg=normals.latitude_deg,
        longitude_deg=normals.longitude_deg,
        elevation_m=normals.elevation_m,
        pressure_pa=pressure,
        design=with_humid_dry_bulb(sizing(columns, normals.daily_mean_sigma_k, pressure), dry, wet),
        notes=(ERRORS, *notes),
        dry_bulb_c=dry,
        wet_bulb_c=wet,
        dew_point_c=dew,
    )


def _possible_dew_points(normals: ClimateNormals) -> tuple[ClimateNormals, tuple[str, ...]]:
    """Return the normals with no month's dew point near or above the wet bulb exceeded 35 hours a year."""
    ceiling = normals.design_wet_bulb_c - LEAST_WET_GAP_K
    if max(normals.dew_point_c) <= ceiling:
        return normals, ()
    months = sum(dew > ceiling for dew in normals.dew_point_c)
    note = (
        f"{months} monthly dew points of {normals.name} lowered to {ceiling:.1f} °C: they contradict the "
        f"design wet bulb of {normals.design_wet_bulb_c:.1f} °C"
    )
    return replace(normals, dew_point_c=tuple(min(dew, ceiling) for dew in normals.dew_point_c)), (note,)


def columns_of(normals: ClimateNormals) -> DesignColumns:
    """Return the design columns that the normals carry; they know no extremes."""
    return DesignColumns(
        dry_bulb_c=normals.design_dry_bulb_c,
        coincident_wet_bulb_c=normals.design_coincident_wet_bulb_c,
        wet_bulb_c=normals.design_wet_bulb_c,
        cold_dry_bulb_c=normals.heating_design_c,
        source=f"design columns of {normals.name} ({normals.lowest_confidence} confidence)",
    )


def monthly_means(hours: FloatArray) -> FloatArray:
    """Return the 12 monthly means of 8760 hours.

    >>> monthly_means(np.ones(8760)).tolist() == [1.0] * 12
    True
    """
    days = hours.reshape(DAYS, 24).mean(axis=1)
    return np.array([days[month].mean() for month in month_days()])


def _mean_matrix() -> FloatArray:
    """Return A with ``A @ knots`` = monthly means of the line through mid-month knots, round the year."""
    return np.array([monthly_means(_through(knots)) for knots in np.eye(12)]).T


def _through(knots: FloatArray) -> FloatArray:
    middles = np.array([(month.start + month.stop) / 2 * 24 for month in month_days()])
    return np.asarray(np.interp(np.arange(DAYS * 24) + 0.5, middles, knots, period=DAYS * 24))


def _hourly(means: FloatArray) -> FloatArray:
    """Return the hourly curve, straight between mid-months, whose monthly means are ``means``."""
    return _through(np.asarray(np.linalg.solve(_mean_matrix(), means)))


def _red_noise(random: np.random.Generator, persistence: float) -> FloatArray:
    """Return 365 daily values, mean 0 and deviation 1 in each month: the sampling error is taken out."""
    shocks = random.standard_normal(2 * DAYS)
    values = np.zeros(2 * DAYS)
    for day in range(1, 2 * DAYS):
        values[day] = persistence * values[day - 1] + shocks[day]
    year = values[DAYS:]
    for month in month_days():
        year[month] = (year[month] - year[month].mean()) / year[month].std()
    return year


def _between_days(daily: FloatArray) -> FloatArray:
    """Return hours from daily values: straight lines from noon to noon."""
    noons = np.arange(DAYS) * 24.0 + 12.0
    return np.asarray(np.interp(np.arange(DAYS * 24) + 0.5, noons, daily, period=DAYS * 24))


def _seasonal_sigma(normals: ClimateNormals, noise: Noise) -> FloatArray:
    """Return sigma of the daily mean per month, K: larger in winter where there is one."""
    monthly = np.asarray(normals.dry_bulb_c)
    swing = float(np.ptp(monthly))
    muggy = noise.muggy_share * max(max(normals.dew_point_c) - 19.0, 0.0)
    share = min(noise.winter_share + muggy, 0.8) * min(swing / 15.0, 1.0)
    cold = (0.5 * (monthly.max() + monthly.min()) - monthly) / max(0.5 * swing, 1e-9)
    factor = 1.0 + share * cold
    return np.asarray(normals.daily_mean_sigma_k * factor / factor.mean())


def _diurnal(latitude_deg: float) -> FloatArray:
    """Return the departure of 8760 hours from their day's mean, per kelvin of daily range.

    Between the summer and the winter day by a cosine of the date (21 June and 21 December the extremes),
    whole from the calibration's 35 degrees of latitude on, none at the equator.
    """
    date = np.cos(2.0 * np.pi * (np.arange(DAYS) - 171.0) / DAYS)
    summer = 0.5 + 0.5 * np.clip(latitude_deg / 35.0, -1.0, 1.0) * date
    shape = summer[:, None] * np.array(SUMMER_DAY) + (1.0 - summer[:, None]) * np.array(WINTER_DAY)
    return np.asarray((shape - shape.mean(axis=1, keepdims=True)).ravel())


def _daily(monthly: FloatArray) -> FloatArray:
    """Return 365 values on the lines through 12 mid-month values."""
    return np.asarray(_through(monthly).reshape(DAYS, 24).mean(axis=1))


def _dry_bulb(normals: ClimateNormals, random: np.random.Generator, noise: Noise) -> FloatArray:
    mean = _hourly(np.asarray(normals.dry_bulb_c))
    anomaly = _red_noise(random, noise.persistence) * _daily(_seasonal_sigma(normals, noise))
    spread = np.maximum(1.0 + noise.range_variation * random.standard_normal(DAYS), 0.1)
    swing = _between_days(spread / spread.mean()) * _diurnal(normals.latitude_deg)
    hourly_anomaly = _between_days(anomaly)
    scale = normals.daily_range_k
    for _ in range(6):  # the day's range holds part of the anomaly's drift: take it out of the swing
        dry = mean + hourly_anomaly + scale * swing
        scale *= normals.daily_range_k / float(np.ptp(dry.reshape(DAYS, 24), axis=1).mean())
        hourly_anomaly = hourly_anomaly * normals.daily_mean_sigma_k / max(daily_mean_sigma_k(dry), 1e-9)
    return mean + hourly_anomaly + scale * swing


def _dew_point(normals: ClimateNormals, dry: FloatArray, random: np.random.Generator, noise: Noise) -> FloatArray:
    wanted = np.asarray(normals.dew_point_c)
    warmth = np.asarray(normals.dry_bulb_c)
    dryness = np.maximum(warmth - wanted - 6.0, 0.0)
    correlation = noise.cold_correlation - noise.warm_fall * np.maximum(warmth, 0.0) - noise.dry_fall * dryness
    correlation = _daily(np.clip(correlation, -0.4, 1.0))
    rise = np.maximum(noise.humid_dew_rise - noise.dew_rise_fall * dryness, -0.15)
    daily = dry.reshape(DAYS, 24).mean(axis=1)
    anomaly = daily - _hourly(warmth).reshape(DAYS, 24).mean(axis=1)
    own = _red_noise(random, noise.persistence) * _daily(_seasonal_sigma(normals, noise))
    mixed = correlation * anomaly + np.sqrt(1.0 - correlation**2) * own
    within = dry - np.repeat(daily, 24)
    dew = _hourly(wanted) + noise.dew_sigma_ratio * _between_days(mixed) + _through(rise) * within
    dew = np.minimum(dew, dry)
    for _ in range(6):  # the cap at saturation lowers the mean: give it back
        dew = np.minimum(dew + _hourly(wanted - monthly_means(dew)), dry)
    return np.asarray(dew)
