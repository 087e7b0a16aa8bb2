"""A weather year for a place's name or a file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from twinloop import catalogue
from twinloop.climate.epw import read_epw
from twinloop.climate.normals import weather_from_normals
from twinloop.model.weather import WeatherYear


def weather(place_or_path: str, base_dir: Path) -> WeatherYear:
    """Return the year of an ``.epw`` file (relative to ``base_dir``) or of a city in the table of normals.

    Raises:
        InputError: unknown city, naming close ones, or a broken file with its line.
    """
    if place_or_path.lower().endswith(".epw"):
        return read_epw(base_dir / place_or_path)
    return _generated(place_or_path)


@cache
def _generated(place: str) -> WeatherYear:
    return weather_from_normals(catalogue.climate_place(place))
