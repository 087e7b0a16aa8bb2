"""Places that are in no table of normals: the list of weather stations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.climate.lookup import place_normals, weather
from twinloop.climate.stations import find_station, nearest, stations
from twinloop.errors import InputError


def test_the_list_holds_the_world_and_every_row_is_physical():
    rows = stations()
    assert len(rows) == 17_186
    assert len({row.station.country for row in rows}) > 200
    for row in rows:
        station = row.station
        assert -70 < station.heating_99_c < station.cooling_1_c < 55
        assert station.hdd18_k_d >= 0
        assert station.cdd10_k_d >= 0
        assert -12 <= row.utc_offset_h <= 14
        assert abs((row.utc_offset_h - station.longitude_deg / 15 + 12) % 24 - 12) < 4.5


@pytest.mark.parametrize(
    ("place", "country", "mean_c", "tolerance_k"),
    # Mean dry bulb of the national services' 1991-2020 normals, rounded.
    [
        ("Nairobi, KEN", "KEN", 19.0, 2.5),
        ("Reykjavik", "ISL", 5.1, 2.0),
        ("Oslo", "NOR", 6.0, 2.0),
        ("Jeddah", "SAU", 29.0, 2.0),
        ("Lyon, FRA", "FRA", 13.0, 2.0),
    ],
)
def test_a_town_gets_its_station_and_a_year_near_its_normal(place, country, mean_c, tolerance_k):
    found = find_station(place)
    assert found.station.country == country
    year = weather(place, None)
    assert np.mean(year.dry_bulb_c) == pytest.approx(mean_c, abs=tolerance_k)
    assert "low confidence" in year.source


def test_a_city_of_the_normals_keeps_its_better_row():
    assert place_normals("Frankfurt").lowest_confidence != "low" or len(place_normals("Frankfurt").ashrae_zone) > 0
    assert place_normals("Frankfurt").name == "Frankfurt"


def test_a_position_gets_the_nearest_station():
    assert find_station("64.13, -21.9").station.name.startswith("Reykjavik")


@given(st.sampled_from(range(17_186)))
@settings(max_examples=30, deadline=None)
def test_every_station_is_its_own_nearest(number):
    row = stations()[number]
    found = nearest(row.station.latitude_deg, row.station.longitude_deg).station
    assert (found.latitude_deg, found.longitude_deg) == (row.station.latitude_deg, row.station.longitude_deg)


def test_a_name_of_several_places_is_refused_with_the_choices():
    with pytest.raises(InputError, match=r"one place: Springfield, \w\w, USA or Springfield"):
        find_station("Springfield")
    assert find_station("Springfield, MO").state == "MO"


@pytest.mark.parametrize(
    "place", ["Frankfrut", "Atlantis", "", ", USA", "Paris, Mars", "95, 10", "10, 200", "-48, -123"]
)
def test_what_is_no_place_is_refused_in_words(place):
    with pytest.raises(InputError, match="expected"):
        place_normals(place)


def test_a_near_miss_of_a_city_is_offered():
    with pytest.raises(InputError, match="did you mean Frankfurt"):
        place_normals("Frankfrut")


def test_a_town_of_two_countries_is_named_with_its_state():
    with pytest.raises(InputError, match="one place: Golden, BC, CAN or Golden, CO, USA"):
        find_station("Golden")
    assert find_station("Golden, CO").station.elevation_m == 1829.0
    assert find_station("Golden, CO, USA").station.country == "USA"
    assert find_station("Golden, BC").station.country == "CAN"
    assert find_station("Knoxville, TN").state == "TN"


@pytest.mark.parametrize(
    ("place", "meant"),
    [("Golden CO", "Golden, CO, USA"), ("Golden, TX", "Golden, BC, CAN or Golden, CO, USA")],
)
def test_a_town_in_another_state_or_without_its_comma_is_offered(place, meant):
    with pytest.raises(InputError, match=f"did you mean {meant}"):
        find_station(place)
