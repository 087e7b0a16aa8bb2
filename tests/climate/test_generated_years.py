"""Normals -> hours: what must hold exactly, and what within the noise."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop import catalogue
from twinloop.catalogue.nouns import ClimateNormals
from twinloop.climate.design import daily_mean_sigma_k, month_days
from twinloop.climate.lookup import weather
from twinloop.climate.normals import monthly_means, weather_from_normals
from twinloop.climate.tails import meet_lower, meet_upper
from twinloop.errors import InputError

STERLING = ClimateNormals(
    name="Sterling", country="USA", latitude_deg=38.98, longitude_deg=-77.47, elevation_m=82.0,
    utc_offset_h=-5.0, ashrae_zone="4A",
    dry_bulb_c=(0.6, 1.6, 7.7, 12.5, 18.2, 22.5, 24.5, 23.0, 20.1, 11.9, 7.8, 1.0),
    dew_point_c=(-6.9, -4.3, -0.8, 4.5, 12.0, 16.2, 19.2, 17.7, 15.4, 5.1, 2.6, -4.7),
    daily_range_k=11.8, daily_mean_sigma_k=4.0, design_dry_bulb_c=34.1, design_coincident_wet_bulb_c=23.9,
    design_wet_bulb_c=25.4, heating_design_c=-9.0,
    lowest_confidence="high",
)  # fmt: skip


def check_year(year, normals):
    assert np.isfinite(year.dry_bulb_c).all()
    assert (year.dew_point_c <= year.dry_bulb_c).all()
    assert (year.wet_bulb_c <= year.dry_bulb_c).all()
    assert (year.wet_bulb_c >= year.dew_point_c - 1e-6).all()
    np.testing.assert_allclose(monthly_means(year.dry_bulb_c), normals.dry_bulb_c, atol=0.05)
    assert np.quantile(year.dry_bulb_c, 0.996) == pytest.approx(normals.design_dry_bulb_c, abs=0.05)
    assert np.quantile(year.dry_bulb_c, 0.01) == pytest.approx(normals.heating_design_c, abs=0.05)
    assert np.quantile(year.wet_bulb_c, 0.996) == pytest.approx(normals.design_wet_bulb_c, abs=0.1)
    reach = max(0.7 * normals.daily_mean_sigma_k, 1.0)
    assert normals.design_dry_bulb_c < year.dry_bulb_c.max() < normals.design_dry_bulb_c + reach + 0.05


def test_the_year_gives_back_what_it_was_made_from():
    year = weather_from_normals(STERLING)
    check_year(year, STERLING)
    np.testing.assert_allclose(monthly_means(year.dew_point_c), STERLING.dew_point_c, atol=0.15)
    swing = np.ptp(year.dry_bulb_c.reshape(365, 24), axis=1)
    assert swing.mean() == pytest.approx(11.8, abs=0.4)
    assert daily_mean_sigma_k(year.dry_bulb_c) == pytest.approx(4.0, abs=0.25)
    hottest = year.dry_bulb_c >= np.quantile(year.dry_bulb_c, 0.99)
    assert year.wet_bulb_c[hottest].mean() == pytest.approx(23.9, abs=0.5)


def test_the_day_peaks_in_the_afternoon_and_the_weather_persists():
    year = weather_from_normals(STERLING)
    hours = year.dry_bulb_c.reshape(365, 24)
    assert hours.mean(axis=0).argmax() in (13, 14)
    assert hours.mean(axis=0).argmin() in (4, 5, 6)
    days = hours.mean(axis=1)
    anomaly = np.concatenate([days[month] - days[month].mean() for month in month_days()])
    assert 0.45 < np.corrcoef(anomaly[1:], anomaly[:-1])[0, 1] < 0.8


def daily_correlation(year, months):
    """Return the mean correlation, within a month, of the daily means of dry bulb and dew point."""
    dry, dew = (hours.reshape(365, 24).mean(axis=1) for hours in (year.dry_bulb_c, year.dew_point_c))
    return np.mean([np.corrcoef(dry[month_days()[m]], dew[month_days()[m]])[0, 1] for m in months])


def test_mild_days_are_damp_in_humid_winters_and_not_in_arid_summers():
    # the validation's files: 0.8 to 1.0 at Chicago and Sterling in winter, -0.7 to 0.1 at Denver in summer
    assert daily_correlation(weather_from_normals(STERLING), (11, 0, 1)) > 0.7
    arid = replace(STERLING, dew_point_c=tuple(dry - 16.0 for dry in STERLING.dry_bulb_c))
    assert daily_correlation(weather_from_normals(arid), (5, 6, 7)) < 0.2


def test_same_seed_same_year_other_seed_other_year():
    first, second = weather_from_normals(STERLING, 3), weather_from_normals(STERLING, 3)
    np.testing.assert_array_equal(first.dry_bulb_c, second.dry_bulb_c)
    np.testing.assert_array_equal(first.dew_point_c, second.dew_point_c)
    other = weather_from_normals(STERLING, 4)
    assert np.abs(other.dry_bulb_c - first.dry_bulb_c).max() > 1.0
    check_year(other, STERLING)


def test_the_south_is_warm_in_january():
    south = replace(
        STERLING,
        latitude_deg=-38.98,
        dry_bulb_c=STERLING.dry_bulb_c[6:] + STERLING.dry_bulb_c[:6],
        dew_point_c=STERLING.dew_point_c[6:] + STERLING.dew_point_c[:6],
    )
    year = weather_from_normals(south)
    assert year.dry_bulb_c[: 31 * 24].mean() == pytest.approx(24.5, abs=0.05)
    check_year(year, south)


def test_thin_air_at_altitude_lowers_pressure():
    high = weather_from_normals(replace(STERLING, elevation_m=2000.0))
    assert high.pressure_pa == pytest.approx(79_495.0, abs=30)


def test_impossible_dew_points_are_lowered_and_noted():
    damp = replace(STERLING, dew_point_c=tuple(dew + 9.0 for dew in STERLING.dew_point_c))
    year = weather_from_normals(damp)
    assert any("contradict" in note for note in year.notes)
    assert year.dew_point_c.min() > -40.0
    assert not any("contradict" in note for note in weather_from_normals(STERLING).notes)


@pytest.mark.parametrize("place", catalogue.climate_places(), ids=lambda place: place.name)
def test_every_place_of_the_catalogue_makes_a_year(place):
    year = weather_from_normals(place)
    check_year(year, place)
    assert year.design.dry_bulb_c >= place.design_dry_bulb_c
    assert year.design.wet_bulb_c >= place.design_wet_bulb_c
    assert year.design.wet_bulb_c <= year.design.dry_bulb_c
    assert year.design.coldest_dry_bulb_c <= place.heating_design_c


@settings(max_examples=15, deadline=None)
@given(
    st.floats(-10.0, 28.0),
    st.floats(0.0, 15.0),
    st.floats(3.0, 16.0),
    st.floats(0.8, 5.0),
    st.floats(1.0, 18.0),
)
def test_any_climate_makes_a_sound_year(mean, amplitude, daily_range, sigma, depression):
    season = -np.cos(2 * np.pi * np.arange(12) / 12)
    dry = mean + amplitude * season
    hot = float(dry.max()) + 0.5 * daily_range + 1.2 * sigma
    dew = dry - depression
    normals = replace(
        STERLING,
        dry_bulb_c=tuple(dry.tolist()),
        dew_point_c=tuple(dew.tolist()),
        daily_range_k=daily_range,
        daily_mean_sigma_k=sigma,
        design_dry_bulb_c=hot,
        design_wet_bulb_c=hot - 0.4 * (hot - float(dew.max())) - 0.5,
        design_coincident_wet_bulb_c=hot - 0.5 * (hot - float(dew.max())) - 0.8,
        heating_design_c=float(dry.min()) - 0.5 * daily_range - 1.8 * sigma,
    )
    year = weather_from_normals(normals)
    assert np.isfinite(year.wet_bulb_c).all()
    assert (year.dew_point_c <= year.dry_bulb_c).all()
    np.testing.assert_allclose(monthly_means(year.dry_bulb_c), dry, atol=0.3)
    assert np.quantile(year.dry_bulb_c, 0.996) == pytest.approx(hot, abs=0.1)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.floats(-5.0, 5.0), st.sampled_from([0.99, 0.996]))
def test_tails_move_in_order_and_alone(seed, move, share):
    values = np.random.default_rng(seed).normal(20.0, 5.0, 3000)
    reached = np.quantile(values, share)
    moved = meet_upper(values, share, reached + move)
    assert np.quantile(moved, share) == pytest.approx(reached + move, abs=0.02)
    assert (np.diff(moved[np.argsort(values)]) >= -1e-12).all()
    low = values < np.median(values)
    np.testing.assert_array_equal(moved[low], values[low])
    mirrored = meet_lower(-values, 1.0 - share, -(reached + move), 0.01)
    np.testing.assert_allclose(mirrored, -moved)


def test_constant_air_can_be_moved_too():
    assert meet_upper(np.full(100, 5.0), 0.996, 7.0).tolist() == [7.0] * 100


def test_lookup_by_city_and_by_file(make_epw):
    city = weather("Frankfurt", None)
    assert city.name == "Frankfurt"
    assert city.dry_bulb_c.mean() == pytest.approx(np.mean(catalogue.climate_place("Frankfurt").dry_bulb_c), abs=0.3)
    path = make_epw()
    assert weather(path.name, path.parent).name == "Testville"
    with pytest.raises(InputError, match=r"nowhere\.epw"):
        weather("nowhere.epw", path.parent)
    with pytest.raises(InputError, match="Frankfurt"):
        weather("Frankfort", path.parent)


def test_a_far_column_lengthens_the_tail_instead_of_tearing_it():
    values = np.sort(np.random.default_rng(5).normal(12.0, 8.0, 8760))
    foot, reached = np.quantile(values, (0.99, 0.996))
    move = 3.0 * float(reached - foot)
    moved = meet_upper(values, 0.996, float(reached) + move)
    assert float(np.quantile(moved, 0.996)) == pytest.approx(float(reached) + move, abs=0.01)
    kept, body = np.diff(values), values[:-1] < reached
    assert np.all(np.diff(moved)[body] <= 2.0 * kept[body] + 1e-9)
    assert np.array_equal(moved[values < np.quantile(values, 0.92)], values[values < np.quantile(values, 0.92)])


@pytest.mark.parametrize("place", ["Frankfurt", "Chicago", "Phoenix", "Singapore", "Stockholm"])
def test_warm_hours_thin_out_without_a_gap(place):
    dry = weather(place, None).dry_bulb_c
    at = np.quantile(dry, (0.95, 0.98, 0.99, 0.996))
    # Way from the warmest twentieth to the column that is gone in the warmest fiftieth: 0.33 to 0.58 at eight
    # stations' typical years.
    assert 0.33 < (at[1] - at[0]) / (at[3] - at[0]) < 0.58
