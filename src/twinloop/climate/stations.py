"""Weather stations of the world by name or position: 17,186 rows of degree days and two percentiles.

Facts of the TMYx files of climate.onebuilding.org (their latest period, mostly 2011-2025), as listed by the
station index of idfkit 1.1.1 (MIT), April 2026: heating degree days base 18.3 °C, cooling degree days base
10 °C, 99 % heating and 1 % cooling dry bulb. Left out: Antarctica, and rows whose clock and longitude disagree.
Added: Golden, Colorado, counted from its typical year (USA_CO_Golden-NREL.724666_TMY3 of the same site).
No humidity: it is estimated, so confidence is low.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from twinloop.catalogue import climate_places
from twinloop.catalogue.names import close
from twinloop.catalogue.nouns import ClimateNormals
from twinloop.climate.degree_days import Station, normals_from_degree_days
from twinloop.errors import Fault, InputError
from twinloop.spelling import folded, slips

SOURCE = "climate.onebuilding.org TMYx statistics (station index of idfkit 1.1.1, 2026)"
_EARTH_RADIUS_KM = 6371.0
# Stations of one name closer than this serve one town; farther apart the name says too little.
_ONE_TOWN_KM = 120.0
# A position farther from every station than this has no climate to borrow.
_FARTHEST_KM = 250.0
_EXPECTED = (
    "a city of the catalogue, a weather station, a position such as '48.1, 11.6', or an hourly weather file beside the "
    "scenario such as my-site.epw (free ones: https://climate.onebuilding.org)"
)
_SHORTEST = 5
"""Letters of a town's name from which one slip may be guessed at: the list has thousands of short names."""
_FEW = 3
_OTHER_NAMES = {
    "athens": "Athinai",
    "bangalore": "Bengaluru",
    "cologne": "Koln",
    "florence": "Firenze",
    "hanover": "Hannover",
    "ho chi minh city": "Ho Chi Minh",
    "lisbon": "Lisboa",
    "mexico city": "Cuidad Mexico",
    "kobenhavn": "Copenhagen",
    "munchen": "Munich",
    "nuremberg": "Nurnberg",
    "prague": "Praha",
    "saint petersburg": "St Petersburg",
    "saigon": "Ho Chi Minh",
    "the hague": "Rotterdam The Hague",
    "turin": "Torino",
    "vienna": "Wien",
}
"""Usual English names of towns that the list has in another spelling."""


@dataclass(frozen=True)
class ListedStation:
    """A row of the list: the station, its state or province, its ASHRAE climate zone and its clock."""

    station: Station
    state: str
    ashrae_zone: str
    utc_offset_h: float

    @property
    def title(self) -> str:
        """Name, state and country, as a scenario may write it."""
        place = ", ".join(part for part in (self.state, self.station.country) if part)
        return f"{self.station.name}, {place}"


@cache
def stations() -> tuple[ListedStation, ...]:
    """Return every station of the list."""
    text = (resources.files("twinloop.climate") / "tables" / "stations.csv").read_text(encoding="utf-8")
    return tuple(_listed(row) for row in csv.DictReader(text.splitlines()))


def _listed(row: dict[str, str]) -> ListedStation:
    zone = row["zone"]
    station = Station(
        name=row["name"],
        country=row["country"],
        latitude_deg=float(row["latitude_deg"]),
        longitude_deg=float(row["longitude_deg"]),
        elevation_m=float(row["elevation_m"]),
        hdd18_k_d=float(row["hdd18_k_d"]),
        cdd10_k_d=float(row["cdd10_k_d"]),
        heating_99_c=float(row["heating_99_c"]),
        cooling_1_c=float(row["cooling_1_c"]),
        moisture=zone[-1] if zone[-1:] in ("A", "B", "C") else "",
    )
    return ListedStation(station, row["state"], zone, float(row["utc_offset_h"]))


def listed_normals(found: ListedStation) -> ClimateNormals:
    """Return monthly normals of a listed station; confidence low, as humidity is estimated."""
    normals = normals_from_degree_days(found.station)
    return replace(normals, name=found.title, utc_offset_h=found.utc_offset_h, ashrae_zone=found.ashrae_zone)


def find_station(place: str) -> ListedStation:
    """Return the station meant by ``place``: a town, ``town, COUNTRY``, ``town, STATE`` or ``lat, lon`` in degrees.

    A town served by several stations gets its airport's, else the one with the shortest name.

    >>> find_station("Nairobi, KEN").station.name
    'Nairobi-Wilson.AP'
    >>> find_station("64.1, -21.9").station.country
    'ISL'

    Raises:
        InputError: nothing of that name, a name in several places, or a position far from every station.
    """
    position = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*", place)
    if position:
        return nearest(float(position[1]), float(position[2]))
    town, _, within = (part.strip() for part in place.partition(","))
    wanted = _words(town)
    anywhere = [*_named(wanted), *_named(_words(_OTHER_NAMES.get(" ".join(wanted), "")))]
    named = [row for row in anywhere if _is_within(row, within)] if within else anywhere
    if not named:
        raise _fault(place, _EXPECTED, _meant(town, wanted, anywhere))
    best = min(named, key=_preference)
    apart = [row for row in named if _distance_km(best, row.station.latitude_deg, row.station.longitude_deg) > 0.0]
    elsewhere = [row for row in apart if not _same_town(best, row)]
    if elsewhere:
        choices = dict.fromkeys(_qualified(town, row) for row in (best, *elsewhere))
        near = close(town, (city.name for city in climate_places()))
        raise _fault(place, "one place: " + " or ".join(list(choices)[:4]), near[0] if near else None)
    return best


def nearest(latitude_deg: float, longitude_deg: float) -> ListedStation:
    """Return the station nearest to a position.

    Raises:
        InputError: no such position, or none within 250 km.
    """
    written = f"{latitude_deg:g}, {longitude_deg:g}"
    if abs(latitude_deg) > 90.0 or abs(longitude_deg) > 180.0:
        raise _fault(written, "latitude -90 to 90, longitude -180 to 180")
    found = min(stations(), key=lambda row: _distance_km(row, latitude_deg, longitude_deg))
    distance = _distance_km(found, latitude_deg, longitude_deg)
    if distance > _FARTHEST_KM:
        raise _fault(
            written, f"a place within {_FARTHEST_KM:.0f} km of a station", f"{found.title} ({distance:.0f} km)"
        )
    return found


def _named(wanted: list[str]) -> list[ListedStation]:
    return [row for row, words in _worded() if wanted and words[: len(wanted)] == wanted]


@cache
def _worded() -> tuple[tuple[ListedStation, list[str]], ...]:
    return tuple((row, _words(row.station.name)) for row in stations())


def _meant(town: str, wanted: list[str], anywhere: list[ListedStation]) -> str | None:
    """Return what may have been meant: the town elsewhere, the town with its last word for a state, a like name."""
    inside = [row for row in _named(wanted[:-1]) if _is_within(row, wanted[-1])] if len(wanted) > 1 else []
    name = town if anywhere else town.rsplit(maxsplit=1)[0] if inside else ""
    if name:
        return " or ".join(list(dict.fromkeys(_qualified(name, row) for row in anywhere or inside))[:4])
    cities = close(town, [*(city.name for city in climate_places()), *map(str.title, _OTHER_NAMES)])
    return " or ".join(cities or _one_slip_away(tuple(wanted))) or None


@cache
def _one_slip_away(wanted: tuple[str, ...]) -> list[str]:
    town, count = " ".join(wanted), len(wanted)
    if len(town) < _SHORTEST:
        return []
    found = [row for row, words in _worded() if slips(town, " ".join(words[:count]), 1) <= 1]
    names = (_qualified(" ".join(re.split(r"[.\-]", row.station.name)[:count]), row) for row in found)
    return list(dict.fromkeys(names))[:_FEW]


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", folded(name))


def _is_within(row: ListedStation, within: str) -> bool:
    return all(word in (row.state.lower(), row.station.country.lower()) for word in _words(within))


def _preference(row: ListedStation) -> tuple[bool, int, str]:
    words = _words(row.station.name)
    return ("ap" not in words, len(row.station.name), row.station.name)


def _same_town(best: ListedStation, row: ListedStation) -> bool:
    return _distance_km(best, row.station.latitude_deg, row.station.longitude_deg) <= _ONE_TOWN_KM


def _qualified(town: str, row: ListedStation) -> str:
    return f"{town}, {row.state}, {row.station.country}" if row.state else f"{town}, {row.station.country}"


def _distance_km(row: ListedStation, latitude_deg: float, longitude_deg: float) -> float:
    """Great circle, haversine."""
    here, there = math.radians(row.station.latitude_deg), math.radians(latitude_deg)
    apart = math.radians(longitude_deg - row.station.longitude_deg)
    chord = math.sin((there - here) / 2.0) ** 2 + math.cos(here) * math.cos(there) * math.sin(apart / 2.0) ** 2
    return 2.0 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(chord, 1.0)))


def _fault(place: str, expected: str, suggestion: str | None = None) -> InputError:
    return InputError(Fault("climate", None, "climate", repr(place), expected, suggestion))
