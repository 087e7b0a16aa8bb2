"""The header of an EPW file: where the station is, and its design conditions if it gives them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from twinloop.climate.design import DesignColumns
from twinloop.errors import Fault, InputError

Lines = Sequence[tuple[int, list[str]]]
"""(line number, fields)."""

# Gumbel's factor for a 20-year return period, from yearly mean and standard deviation of the extreme
# (ASHRAE Handbook - Fundamentals 2009, ch. 14): -(sqrt 6 / pi) (0.5772 + ln ln (20 / 19)).
_GUMBEL_20 = -math.sqrt(6.0) / math.pi * (0.5772 + math.log(math.log(20.0 / 19.0)))


@dataclass(frozen=True)
class Location:
    """The LOCATION line."""

    name: str
    source: str
    latitude_deg: float
    longitude_deg: float
    elevation_m: float


def location(file: str, header: Lines) -> Location:
    """Return the station of the LOCATION line.

    Raises:
        InputError: the line is absent, short, or has numbers that no place on Earth has.
    """
    found = [(line, row) for line, row in header if row[0].upper() == "LOCATION"]
    if not found:
        raise InputError(Fault(file, 1, "header", "no LOCATION line", "an EPW file, whose first line is LOCATION,…"))
    line, row = found[0]
    if len(row) < 10:
        raise InputError(Fault(file, line, "LOCATION", f"{len(row)} columns", "10 columns"))
    faults: list[Fault] = []
    latitude, longitude, elevation = (
        _between(file, line, name, row[index], low, high, faults)
        for name, index, low, high in (
            ("latitude", 6, -90.0, 90.0),
            ("longitude", 7, -180.0, 180.0),
            ("elevation", 9, -500.0, 6000.0),
        )
    )
    if faults:
        raise InputError(tuple(faults))
    return Location(row[1] or "unnamed station", row[4] or "unknown source", latitude, longitude, elevation)


def _between(file: str, line: int, name: str, text: str, low: float, high: float, faults: list[Fault]) -> float:
    number = _number(text)
    if number is None or not low <= number <= high:
        faults.append(Fault(file, line, f"LOCATION {name}", repr(text), f"a number from {low:g} to {high:g}"))
        return 0.0
    return number


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def design_columns(header: Lines) -> DesignColumns | None:
    """Return the columns of the DESIGN CONDITIONS line, or ``None`` when it is absent or unreadable.

    Two layouts are known: ASHRAE 2005 and later (Heating, Cooling, Extremes) and ASHRAE 2001 (HEATING
    with the yearly extremes at its end, COOLING).
    """
    row = next((row for _, row in header if row[0].upper() == "DESIGN CONDITIONS"), [])
    words = [field.upper() for field in row]
    if "HEATING" not in words or "COOLING" not in words:
        return None
    heating, cooling = ([_number(field) for field in row[words.index(word) + 1 :]] for word in ("HEATING", "COOLING"))
    source = f"{row[2]} via the file's header" if row[2] else "design conditions of the file's header"
    if "EXTREMES" in words:
        extremes = [_number(field) for field in row[words.index("EXTREMES") + 1 :]]
        return _since_2005(heating, cooling, extremes, source)
    return _of_2001(heating, cooling, source)


def _since_2005(
    heating: list[float | None], cooling: list[float | None], extremes: list[float | None], source: str
) -> DesignColumns | None:
    # Heating: coldest month, 99.6 % and 99 % dry bulb. Cooling: hottest month, daily range, then dry bulb
    # and coincident wet bulb at 0.4, 1 and 2 %, then wet bulb (with its dry bulb). Extremes: three winds,
    # highest wet bulb, mean yearly min and max dry bulb, their deviations, min and max for 5, 10, 20 years.
    extremes = [*extremes, *[None] * 14]
    return _columns((cooling[2:4], cooling[8:9], heating[2:3]), (extremes[13], extremes[3], extremes[12]), source)


def _of_2001(heating: list[float | None], cooling: list[float | None], source: str) -> DesignColumns | None:
    # HEATING: 99.6 % and 99 % dry bulb, ..., mean yearly max and min dry bulb and their deviations (13th to
    # 16th). COOLING: dry bulb and coincident wet bulb at 0.4, 1 and 2 %, then wet bulb at 0.4 %.
    high, low, high_sigma, low_sigma = [*heating, *[None] * 17][13:17] if len(heating) > 16 else [None] * 4
    hot = None if high is None or high_sigma is None else high + _GUMBEL_20 * high_sigma
    cold = None if low is None or low_sigma is None else low - _GUMBEL_20 * low_sigma
    return _columns((cooling[0:2], cooling[6:7], heating[1:2]), (hot, None, cold), source)


def _columns(
    percentiles: tuple[list[float | None], ...],
    extremes: tuple[float | None, float | None, float | None],
    source: str,
) -> DesignColumns | None:
    numbers = [number for group in percentiles for number in group if number is not None]
    if len(numbers) != 4:
        return None
    dry, coincident, wet, cold = numbers
    if not cold < coincident <= dry or wet > dry:
        return None
    hot, wettest, coldest = extremes
    return DesignColumns(
        dry_bulb_c=dry,
        coincident_wet_bulb_c=coincident,
        wet_bulb_c=wet,
        cold_dry_bulb_c=cold,
        source=source,
        extreme_dry_bulb_c=hot,
        extreme_wet_bulb_c=wettest,
        extreme_cold_c=coldest,
    )
