"""Reads EnergyPlus weather files (EPW): one year of real or typical hours.

Format: EnergyPlus "Auxiliary Programs", chapter "Weather Converter", data dictionary. Columns used,
counted from 0: 1-3 month, day, hour (1..24); 6 dry bulb, degC (missing 99.9); 7 dew point, degC (99.9);
8 relative humidity, % (999); 9 station pressure, Pa (999999).
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.climate.design import DesignColumns, columns_from_hours, daily_mean_sigma_k, sizing, with_humid_dry_bulb
from twinloop.climate.epw_header import design_columns, location
from twinloop.errors import Fault, InputError
from twinloop.fluids import psychrometrics as ps
from twinloop.model.weather import WeatherYear

HOURS = 8760
HEADER_LINES = 8
MISSING_LIMIT = 0.2
"""A file with more than this share of a quantity missing is refused, not interpolated."""
FAULTS_SHOWN = 20

_MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class _Column:
    name: str
    index: int
    missing_from: float
    """The format's missing-data code; values from here up are missing."""
    low: float
    high: float
    unit: str


# Limits: the format's own (dry bulb and dew point -70..70, relative humidity 0..110, pressure 31..120 kPa).
_DRY = _Column("dry bulb", 6, 99.9, -70.0, 70.0, "°C")
_DEW = _Column("dew point", 7, 99.9, -90.0, 70.0, "°C")
_HUMIDITY = _Column("relative humidity", 8, 999.0, 0.0, 110.0, "%")
_PRESSURE = _Column("station pressure", 9, 999_999.0, 31_000.0, 120_000.0, "Pa")
_COLUMNS = (_DRY, _DEW, _HUMIDITY, _PRESSURE)
_FEWEST_COLUMNS = 10


def read_epw(path: str | Path) -> WeatherYear:
    """Read an EPW file into a :class:`WeatherYear`.

    Missing values are interpolated between their neighbours (round the year's end too) and noted; a dew
    point that is missing where relative humidity is given is computed from it; 29 February is dropped.
    Wet bulbs are at the mean station pressure, which is the one that the result carries.

    Raises:
        InputError: no such file, or rows that cannot be right, each with its line.
    """
    path = Path(path)
    lines = _lines(path)
    first = next((i for i, (_, row) in enumerate(lines) if _is_data(row)), len(lines))
    header, data = lines[:first], lines[first:]
    place = location(str(path), header)
    data, notes = _without_leap_day(data)
    values = _values(str(path), data)
    pressure = _mean_pressure(values[_PRESSURE.name], place.elevation_m, notes)
    dry = _filled(str(path), values[_DRY.name], _DRY.name, notes)
    dew = _dew_point(str(path), dry, values, pressure, notes)
    wet = np.asarray(ps.wet_bulb_c(dry, ps.humidity_ratio_from_dew_point(dew, pressure), pressure))
    columns = design_columns(header)
    if columns is None:
        columns = columns_from_hours(dry, wet, "percentiles of this file, which gives no design conditions")
        notes.append("no design conditions in the header: percentiles of the file's own hours used")
    return WeatherYear(
        name=place.name,
        source=f"EPW file {path.name} ({place.source})",
        latitude_deg=place.latitude_deg,
        longitude_deg=place.longitude_deg,
        elevation_m=place.elevation_m,
        pressure_pa=pressure,
        design=with_humid_dry_bulb(sizing(columns, daily_mean_sigma_k(dry), pressure), dry, wet),
        notes=tuple(notes),
        dry_bulb_c=dry,
        wet_bulb_c=wet,
        dew_point_c=dew,
    )


def read_design_columns(path: str | Path) -> DesignColumns | None:
    """Return the handbook's design columns that an EPW file carries in its header, if it does.

    Raises:
        InputError: no such file.
    """
    return design_columns(_lines(Path(path))[:HEADER_LINES])


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return (line number, fields) of every line that is not blank."""
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(
            Fault(str(path), None, "weather file", error.strerror or str(error), "a readable EPW file")
        ) from error
    try:
        rows = list(csv.reader(text.splitlines()))
    except csv.Error as error:
        raise InputError(Fault(str(path), None, "weather file", str(error), "comma-separated text")) from error
    return [
        (number, [field.strip() for field in row])
        for number, row in enumerate(rows, start=1)
        if any(field.strip() for field in row)
    ]


def _is_data(row: list[str]) -> bool:
    return row[0].lstrip("-").isdigit()


def _without_leap_day(
    data: list[tuple[int, list[str]]],
) -> tuple[list[tuple[int, list[str]]], list[str]]:
    kept = [line for line in data if [_whole(field) for field in line[1][1:3]] != [2, 29]]
    notes = ["29 February dropped"] if len(kept) < len(data) else []
    return kept, notes


def _whole(text: str) -> int | None:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return None


def _values(file: str, data: list[tuple[int, list[str]]]) -> dict[str, FloatArray]:
    """Return each column's 8760 values, missing ones as nan, or raise every fault found."""
    faults = _shape_faults(file, data)
    if not faults:
        faults = _calendar_faults(file, data)
    values: dict[str, FloatArray] = {}
    if not faults:
        for column in _COLUMNS:
            numbers, found = _numbers(file, data, column)
            values[column.name] = numbers
            faults += found
    if faults:
        hidden = len(faults) - FAULTS_SHOWN
        tail: list[Fault | str] = [f"... and {hidden} more faults"] if hidden > 0 else []
        raise InputError((*faults[:FAULTS_SHOWN], *tail))
    return values


def _shape_faults(file: str, data: list[tuple[int, list[str]]]) -> list[Fault]:
    if not data:
        return [Fault(file, None, "data", "no hourly rows", f"{HOURS} rows after the header")]
    usual = Counter(len(row) for _, row in data).most_common(1)[0][0]
    expected = max(usual, _FEWEST_COLUMNS)
    faults = [
        Fault(file, line, "row", f"{len(row)} columns", f"{expected} columns")
        for line, row in data
        if len(row) != expected
    ]
    if not faults and len(data) != HOURS:
        got = f"{len(data)} hourly rows (29 February apart)"
        faults.append(Fault(file, data[-1][0], "data", got, f"{HOURS} rows, one an hour"))
    return faults


def _calendar_faults(file: str, data: list[tuple[int, list[str]]]) -> list[Fault]:
    """Return the first row that is not the hour that its place in the file says it is."""
    calendar = (
        (month, day, hour)
        for month, length in enumerate(_MONTH_LENGTHS, start=1)
        for day in range(1, length + 1)
        for hour in range(1, 25)
    )
    for (line, row), expected in zip(data, calendar, strict=True):
        got = tuple(_whole(field) for field in row[1:4])
        if got != expected:
            said = "month {}, day {}, hour {}"
            return [Fault(file, line, "month, day, hour", ",".join(row[1:4]), said.format(*expected))]
    return []


def _numbers(file: str, data: list[tuple[int, list[str]]], column: _Column) -> tuple[FloatArray, list[Fault]]:
    numbers = np.full(len(data), np.nan)
    faults = []
    for position, (line, row) in enumerate(data):
        text = row[column.index]
        if not text:
            continue
        try:
            number = float(text)
        except ValueError:
            faults.append(Fault(file, line, column.name, repr(text), "a number"))
            continue
        if number >= column.missing_from:
            continue
        if column.low <= number <= column.high:
            numbers[position] = number
        else:
            faults.append(Fault(file, line, column.name, f"{text} {column.unit}", f"{column.low:g} to {column.high:g}"))
    return numbers, faults


def _filled(file: str, values: FloatArray, name: str, notes: list[str]) -> FloatArray:
    missing = np.isnan(values)
    count = int(missing.sum())
    if count == 0:
        return values
    if count > MISSING_LIMIT * values.size:
        raise InputError(Fault(file, None, name, f"{count} of {values.size} hours missing", "at most 20 % missing"))
    notes.append(f"{count} hours of {name} missing, interpolated")
    hours = np.arange(values.size)
    return np.interp(hours, hours[~missing], values[~missing], period=values.size)


def _mean_pressure(values: FloatArray, elevation_m: float, notes: list[str]) -> float:
    missing = int(np.isnan(values).sum())
    if missing > MISSING_LIMIT * values.size:
        notes.append(f"station pressure missing in {missing} hours: standard atmosphere at {elevation_m:g} m")
        return float(ps.pressure_at_altitude_pa(elevation_m))
    return float(np.nanmean(values))


def _dew_point(
    file: str, dry: FloatArray, values: dict[str, FloatArray], pressure: float, notes: list[str]
) -> FloatArray:
    dew, humidity = values[_DEW.name], values[_HUMIDITY.name]
    known = np.isnan(dew) & ~np.isnan(humidity) & (humidity > 0.0)
    if known.any():
        ratio = ps.humidity_ratio_from_relative_humidity(dry, np.clip(humidity, 1.0, 100.0) / 100.0, pressure)
        dew = np.where(known, ps.dew_point_c(ratio, pressure), dew)
        notes.append(f"{int(known.sum())} hours of dew point computed from relative humidity")
    dew = _filled(file, dew, _DEW.name, notes)
    above = dew > dry
    if above.any():
        notes.append(f"{int(above.sum())} hours of dew point above dry bulb, set to saturation")
    return np.minimum(dew, dry)
