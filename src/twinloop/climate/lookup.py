"""A weather year for a place's name or a file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from twinloop import catalogue
from twinloop.catalogue.nouns import ClimateNormals
from twinloop.climate.epw import read_epw
from twinloop.climate.normals import weather_from_normals
from twinloop.climate.stations import find_station, listed_normals
from twinloop.errors import InputError
from twinloop.model.weather import WeatherYear


def weather(place_or_path: str, base_dir: Path) -> WeatherYear:
    """Return the year of an ``.epw`` file (relative to ``base_dir``) or of a place.

    A place is a city of the catalogue's normals, else a weather station of the world list
    (``"Nairobi, KEN"``) or a position (``"64.1, -21.9"``).

    Raises:
        InputError: unknown place, naming close ones, or a broken file with its line.
    """
    if place_or_path.lower().endswith(".epw"):
        return read_epw(base_dir / place_or_path)
    return _generated(place_or_path)


def place_normals(place: str) -> ClimateNormals:
    """Return the monthly normals of a city of the catalogue, else of the station meant.

    Raises:
        InputError: unknown in both, or a name of several places.
    """
    try:
        return catalogue.climate_place(place)
    except InputError:
        return listed_normals(find_station(place))


@cache
def _generated(place: str) -> WeatherYear:
    return weather_from_normals(place_normals(place))
