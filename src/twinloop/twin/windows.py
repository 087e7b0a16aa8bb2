"""Which part of the weather year a run covers, and what the air and the load are at each of its moments."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.errors import InputError
from twinloop.model.weather import WeatherYear
from twinloop.units import YEAR_S

DAY_S = 86400.0
LONGEST_S = 7.0 * DAY_S
_EPOCH = datetime.datetime(2023, 1, 1)
_MOMENT = re.compile(r"(?:\d{4}-)?(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_CLOCK = re.compile(r"(?:(\d{1,2})-(\d{1,2})\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?")


@dataclass(frozen=True)
class Window:
    """A stretch of the simulated year; ``design``: the sizing condition held instead of the weather."""

    name: str
    start_s: float
    """From 1 January 00:00, local standard time."""
    end_s: float
    design: bool = False

    @property
    def first_words(self) -> str:
        """The start as month-day and clock."""
        return words_at(self, 0.0)

    @property
    def last_words(self) -> str:
        """The end as month-day and clock."""
        return words_at(self, self.end_s - self.start_s)


def words_at(window: Window, after_s: float) -> str:
    """Return the moment ``after_s`` into the window, ``07-14 14:00:05``."""
    moment = _EPOCH + datetime.timedelta(seconds=window.start_s + after_s)
    return f"{moment:%m-%d %H:%M:%S}"


def read_window(text: str, weather: WeatherYear) -> Window:
    """Return the window that ``text`` names: ``hottest day``, ``most humid day``, ``coldest day``, ``design day``
    or ``START/END`` with month-day and clock (a year is allowed and ignored).

    Raises:
        InputError: not one of these, an end before its start, or more than seven days.
    """
    plain = " ".join(text.casefold().split())
    days = {
        "hottest day": lambda: int(np.argmax(weather.dry_bulb_c)),
        "coldest day": lambda: int(np.argmin(weather.dry_bulb_c)),
        "most humid day": lambda: int(np.argmax(weather.wet_bulb_c)),
        "design day": lambda: int(np.argmax(weather.dry_bulb_c)),
    }  # fmt: skip
    if plain in days:
        start_s = days[plain]() // 24 * DAY_S
        return Window(plain, start_s, start_s + DAY_S, plain == "design day")
    parts = text.strip().split("/")
    moments = [_moment_s(part) for part in parts] if len(parts) == 2 else [None]
    if None in moments:
        choices = ", ".join(repr(name) for name in days)
        raise InputError(f"--window: got {text!r:.80}, expected {choices} or START/END such as 07-14 12:00/07-14 18:00")
    start, end = (float(moment) for moment in moments if moment is not None)
    if not start < end <= start + LONGEST_S:
        raise InputError(f"--window: got {text!r:.80}, expected an end after the start and within seven days")
    return Window(text.strip(), start, end)


def _moment_s(text: str) -> float | None:
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return None
    month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    return _year_s(month, day, hour, minute, second)


def _year_s(month: int, day: int, hour: int, minute: int, second: int) -> float | None:
    try:
        moment = datetime.datetime(_EPOCH.year, month, day)
    except ValueError:
        return None
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and minute + second > 0):
        return None
    return (moment - _EPOCH).total_seconds() + hour * 3600.0 + minute * 60.0 + second


def clock_s(text: str, window: Window) -> float | None:
    """Return the seconds into ``window`` of ``HH:MM[:SS]`` (its first occurrence) or ``MM-DD HH:MM``; else ``None``."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    month, day, hour, minute, second = (int(part) if part else None for part in match.groups())
    at = (hour or 0, minute or 0, second or 0)
    if month is not None and day is not None:
        moment = _year_s(month, day, *at)
    else:
        clock = _year_s(1, 1, *at)
        midnight = window.start_s // DAY_S * DAY_S
        moment = None if clock is None else midnight + clock
        if moment is not None and moment < window.start_s:
            moment += DAY_S
    if moment is None or not window.start_s <= moment < window.end_s:
        return None
    return moment - window.start_s


def at_moments(hourly: FloatArray, window: Window, step_s: float) -> FloatArray:
    """Return an hourly mean at each step's middle: linear between the middles of hours, the year is a ring."""
    seconds = window.start_s + (np.arange(steps_of(window, step_s)) + 0.5) * step_s
    hours = (np.arange(8760) + 0.5) * 3600.0
    return np.asarray(np.interp(seconds % YEAR_S, hours, np.broadcast_to(hourly, (8760,)), period=YEAR_S))


def held(hourly: FloatArray, window: Window, step_s: float) -> FloatArray:
    """Return an hourly profile at each step, held over the hour: a job starts and ends, it does not fade."""
    seconds = window.start_s + np.arange(steps_of(window, step_s)) * step_s
    return np.asarray(np.broadcast_to(hourly, (8760,))[(seconds // 3600.0).astype(int) % 8760])


def steps_of(window: Window, step_s: float) -> int:
    """Return the number of steps in ``window``."""
    return max(round((window.end_s - window.start_s) / step_s), 1)
