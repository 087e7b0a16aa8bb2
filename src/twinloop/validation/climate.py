"""The hourly generator against real typical years.

For each site the generator is given what a row of the catalogue holds (monthly dry bulb and dew point,
daily range, sigma, the handbook's design columns) taken from the file, and its hours are compared with the
file's. Three years are generated and their statistics averaged. A plain generator's errors on
23 sites set the tolerances: no single site worse than its worst, the mean no worse than its mean.

The generator's constants were settled with these files in view (kind: calibration); its design columns come
from the handbook, not from the file's hours, and are met independently of them (kind: proof).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.catalogue.nouns import ClimateNormals
from twinloop.climate.design import columns_from_hours, daily_mean_sigma_k
from twinloop.climate.epw import read_design_columns, read_epw
from twinloop.climate.normals import monthly_means, weather_from_normals
from twinloop.climate.stations import SOURCE, listed_normals, nearest
from twinloop.errors import Fault, InputError
from twinloop.model.weather import WeatherYear
from twinloop.validation.result import Kind, Result

SEEDS = (0, 1, 2)
TABLE = "climate_sites.csv"
NAMED = ("San Francisco", "Golden", "Tampa", "Chicago", "Sterling")
"""The five sites on which the mean errors are judged."""


@dataclass(frozen=True)
class Quantity:
    """One statistic of a year, with the errors that a plain generator is known to make."""

    key: str
    """Its column in the table."""
    name: str
    unit: str
    mean_error: float
    """Mean absolute error over 23 sites."""
    worst_error: float
    kind: Kind


# Errors measured of a plain generator (12 monthly means, daily range, one sigma; no tails, no seasons in the
# noise) against 23 sites of EPW and ERA5 hours, three synthetic years each.
QUANTITIES = (
    Quantity("dry_below_18_percent", "hours dry bulb < 18 °C", "% of year", 1.3, 3.1, "calibration"),
    Quantity("dry_below_27_percent", "hours dry bulb < 27 °C", "% of year", 0.9, 2.5, "calibration"),
    Quantity("wet_below_15_percent", "hours wet bulb < 15 °C", "% of year", 2.1, 5.8, "calibration"),
    Quantity("wet_below_20_percent", "hours wet bulb < 20 °C", "% of year", 2.0, 7.3, "calibration"),
    Quantity("dry_996_c", "99.6 % dry bulb", "°C", 1.6, 5.0, "proof"),
    Quantity("wet_996_c", "99.6 % wet bulb", "°C", 1.2, 4.1, "proof"),
)
STATION_RMSE_K = 1.76
"""Error of monthly means rebuilt from degree days alone, root mean square over 23 sites."""
MONTHLY_TOLERANCE_K = 0.1
"""Monthly means are inputs: the generator must give them back."""


@dataclass(frozen=True)
class SiteCase:
    """One real year: what the generator is told, and what it is judged by."""

    normals: ClimateNormals
    actual: tuple[float, ...]
    """In the order of :data:`QUANTITIES`."""
    source: str


def statistics(weather: WeatherYear) -> FloatArray:
    """Return the year's values of :data:`QUANTITIES`."""
    dry, wet = weather.dry_bulb_c, weather.wet_bulb_c
    # Files give tenths: saturated air at a limit must not fall on either side by rounding.
    below = [100.0 * np.mean(t < limit - 1e-6) for t, limit in ((dry, 18.0), (dry, 27.0), (wet, 15.0), (wet, 20.0))]
    return np.array([*below, np.quantile(dry, 0.996), np.quantile(wet, 0.996)])


def case_from_epw(path: Path, name: str | None = None) -> SiteCase:
    """Return the case that a weather file makes.

    Raises:
        InputError: the file is broken.
    """
    weather = read_epw(path)
    columns = read_design_columns(path) or columns_from_hours(
        weather.dry_bulb_c, weather.wet_bulb_c, "percentiles of the file"
    )
    normals = ClimateNormals(
        name=name or weather.name,
        country="",
        latitude_deg=weather.latitude_deg,
        longitude_deg=weather.longitude_deg,
        elevation_m=weather.elevation_m,
        utc_offset_h=0.0,
        ashrae_zone="",
        dry_bulb_c=tuple(monthly_means(weather.dry_bulb_c).tolist()),
        dew_point_c=tuple(monthly_means(weather.dew_point_c).tolist()),
        daily_range_k=float(np.ptp(weather.dry_bulb_c.reshape(365, 24), axis=1).mean()),
        daily_mean_sigma_k=daily_mean_sigma_k(weather.dry_bulb_c),
        design_dry_bulb_c=columns.dry_bulb_c,
        design_coincident_wet_bulb_c=columns.coincident_wet_bulb_c,
        design_wet_bulb_c=columns.wet_bulb_c,
        heating_design_c=columns.cold_dry_bulb_c,
        lowest_confidence="high",
    )
    return SiteCase(normals, tuple(statistics(weather).tolist()), weather.source)


_NUMBERS = (
    *("latitude_deg", "longitude_deg", "elevation_m", "daily_range_k", "daily_mean_sigma_k"),
    *("design_dry_bulb_c", "design_coincident_wet_bulb_c", "design_wet_bulb_c", "heating_design_c"),
)
_MONTHS = range(1, 13)


def write_cases(cases: tuple[SiteCase, ...], path: Path) -> None:
    """Write ``cases`` as the table that the package ships, one row a site."""
    header = [
        "site",
        *_NUMBERS,
        *(f"dry_bulb_{m}_c" for m in _MONTHS),
        *(f"dew_point_{m}_c" for m in _MONTHS),
    ]
    header += [*(quantity.key for quantity in QUANTITIES), "source"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for case in cases:
            numbers = [getattr(case.normals, name) for name in _NUMBERS]
            numbers += [*case.normals.dry_bulb_c, *case.normals.dew_point_c, *case.actual]
            writer.writerow(
                [
                    case.normals.name,
                    *(f"{number:.4g}" if abs(number) >= 1000 else f"{number:.3f}" for number in numbers),
                    case.source,
                ]
            )


def shipped_cases() -> tuple[SiteCase, ...]:
    """Return the cases of the package's own table."""
    text = (resources.files("twinloop.validation") / "tables" / TABLE).read_text(encoding="utf-8")
    return tuple(_case_from_row(row) for row in csv.DictReader(text.splitlines()))


def _case_from_row(row: dict[str, str]) -> SiteCase:
    normals = ClimateNormals(
        name=row["site"],
        country="",
        utc_offset_h=0.0,
        ashrae_zone="",
        dry_bulb_c=tuple(float(row[f"dry_bulb_{month}_c"]) for month in _MONTHS),
        dew_point_c=tuple(float(row[f"dew_point_{month}_c"]) for month in _MONTHS),
        lowest_confidence="high",
        **{name: float(row[name]) for name in _NUMBERS},
    )
    actual = tuple(float(row[quantity.key]) for quantity in QUANTITIES)
    return SiteCase(normals, actual, row["source"])


def cases_from_folder(folder: Path) -> tuple[SiteCase, ...]:
    """Return a case per ``*.epw`` file under ``folder``.

    Raises:
        InputError: no weather file there, or a broken one.
    """
    files = sorted(folder.rglob("*.epw"))
    if not files:
        raise InputError(Fault(str(folder), None, "--cases", "no *.epw file", "a folder of EPW files"))
    return tuple(case_from_epw(file) for file in files)


def validate_climate(weather_dir: Path | None = None) -> tuple[Result, ...]:
    """Return generator against real hours, by site, then the mean absolute errors.

    Args:
        weather_dir: a folder with EPW files to compute the cases from; ``None``: the shipped statistics of
            nine public-domain files.
    """
    cases = shipped_cases() if weather_dir is None else cases_from_folder(weather_dir)
    results: list[Result] = []
    errors = []
    for case in cases:
        got, worst_month = _generated(case.normals)
        errors.append(np.abs(got - case.actual))
        results += [*_site_results(case, got, worst_month), _station_result(case)]
    judged = [
        error
        for case, error in zip(cases, errors, strict=True)
        if weather_dir is not None or case.normals.name in NAMED
    ]
    return (*results, *_mean_results(np.array(judged)))


def _generated(normals: ClimateNormals) -> tuple[FloatArray, float]:
    """Return the generated years' mean statistics and their worst monthly mean error, K."""
    years = [weather_from_normals(normals, seed) for seed in SEEDS]
    wanted = np.asarray(normals.dry_bulb_c)
    worst = max(float(np.abs(monthly_means(year.dry_bulb_c) - wanted).max()) for year in years)
    return np.mean([statistics(year) for year in years], axis=0), worst


def _site_results(case: SiteCase, got: FloatArray, worst_month_k: float) -> list[Result]:
    name = f"climate: {case.normals.name}"
    results = [
        Result(
            case=name,
            quantity=quantity.name,
            unit=quantity.unit,
            expected=expected,
            got=float(value),
            tolerance=quantity.worst_error,
            source=case.source,
            kind=quantity.kind,
        )
        for quantity, expected, value in zip(QUANTITIES, case.actual, got, strict=True)
    ]
    monthly = Result(
        case=name,
        quantity="largest error of a monthly mean",
        unit="K",
        expected=0.0,
        got=worst_month_k,
        tolerance=MONTHLY_TOLERANCE_K,
        source=case.source,
        kind="calibration",
    )
    return [*results, monthly]


def _station_result(case: SiteCase) -> Result:
    """Return what a place without normals would get: monthly means from its nearest station's degree days."""
    normals = listed_normals(nearest(case.normals.latitude_deg, case.normals.longitude_deg))
    misses = np.subtract(normals.dry_bulb_c, case.normals.dry_bulb_c)
    return Result(
        case=f"climate: {case.normals.name}",
        quantity="monthly means from station degree days (RMS)",
        unit="K",
        expected=0.0,
        got=float(np.sqrt(np.mean(misses**2))),
        tolerance=STATION_RMSE_K,
        source=f"{case.source}; {SOURCE}",
        # The station's years (2011-2025) are not the file's: the climate between them is part of the miss.
        kind="soft",
    )


def _mean_results(errors: FloatArray) -> list[Result]:
    return [
        Result(
            case=f"climate: mean of {len(errors)} sites",
            quantity=f"absolute error of {quantity.name}",
            unit="K" if quantity.unit == "°C" else quantity.unit,
            expected=0.0,
            got=float(error),
            tolerance=quantity.mean_error,
            source="mean error of a plain generator from normals, 23 sites",
            kind=quantity.kind,
        )
        for quantity, error in zip(QUANTITIES, errors.mean(axis=0), strict=True)
    ]
