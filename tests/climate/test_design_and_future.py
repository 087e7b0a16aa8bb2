"""Sizing conditions, degree-day stations, warmer years."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from twinloop.climate.degree_days import Station, daily_sigma_k, degree_days, normals_from_degree_days
from twinloop.climate.design import DesignColumns, columns_from_hours, sizing
from twinloop.climate.epw import read_epw
from twinloop.climate.future import in_year, warmer, warming_k
from twinloop.climate.normals import weather_from_normals
from twinloop.errors import InputError
from twinloop.fluids import psychrometrics as ps

COLUMNS = DesignColumns(34.0, 23.0, 25.0, -9.0, "made")
LONDON = Station("London", "GBR", 51.48, -0.45, 25.0, 2304.0, 1256.0, -1.0, 26.8, "A")
SINGAPORE = Station("Singapore", "SGP", 1.37, 103.98, 7.0, 0.0, 6559.0, 23.7, 33.0, "A")
SYDNEY = Station("Sydney", "AUS", -33.95, 151.17, 6.0, 548.0, 3195.0, 7.8, 30.6, "A")


def test_sizing_adds_a_margin_when_no_extreme_is_known():
    design = sizing(COLUMNS, 4.0, 101_325.0)
    assert design.dry_bulb_c == pytest.approx(34.0 + 1.4 * 4.0)
    assert design.wet_bulb_c == pytest.approx(25.0 + 0.95 * 4.0)
    assert design.coldest_dry_bulb_c == pytest.approx(-9.0 - 3.3 * 4.0)
    ratio = ps.humidity_ratio_from_wet_bulb(34.0, 23.0, 101_325.0)
    assert design.coincident_wet_bulb_c == pytest.approx(ps.wet_bulb_c(39.6, ratio, 101_325.0), abs=0.01)
    assert design.basis == "0.4 % dry bulb 34.0 °C plus 5.6 K; 0.4 % wet bulb 25.0 °C plus 3.8 K; made"


def test_sizing_takes_extremes_and_keeps_a_least_margin():
    known = replace(COLUMNS, extreme_dry_bulb_c=40.0, extreme_wet_bulb_c=28.5, extreme_cold_c=-20.0)
    design = sizing(known, 4.0, 101_325.0)
    assert (design.dry_bulb_c, design.wet_bulb_c, design.coldest_dry_bulb_c) == (40.0, 28.5, -20.0)
    assert "20-year extreme dry bulb 40.0" in design.basis
    tropical = sizing(COLUMNS, 0.5, 101_325.0)
    assert tropical.dry_bulb_c == pytest.approx(35.5)
    assert tropical.coldest_dry_bulb_c == pytest.approx(-10.65)


def test_columns_from_hours():
    dry = np.linspace(-10.0, 30.0, 8760)
    columns = columns_from_hours(dry, dry - 4.0, "x")
    assert columns.dry_bulb_c == pytest.approx(29.84, abs=0.01)
    assert columns.wet_bulb_c == pytest.approx(25.84, abs=0.01)
    assert columns.cold_dry_bulb_c == pytest.approx(-9.6, abs=0.01)
    assert columns.coincident_wet_bulb_c == pytest.approx(25.8, abs=0.1)


def test_degree_days_equal_a_plain_sum_over_drawn_days():
    random = np.random.default_rng(1)
    mean = 10.0 - 9.0 * np.cos(2 * np.pi * np.arange(365) / 365)
    drawn = mean + 4.0 * random.standard_normal((2000, 365))
    heating = np.maximum(18.0 - drawn, 0.0).sum(axis=1).mean()
    cooling = np.maximum(drawn - 18.0, 0.0).sum(axis=1).mean()
    assert degree_days(mean, 4.0, 18.0) == (
        pytest.approx(heating, rel=0.005),
        pytest.approx(cooling, rel=0.01),
    )


@pytest.mark.parametrize("station", [LONDON, SINGAPORE, SYDNEY], ids=lambda station: station.name)
def test_a_station_row_makes_normals_that_give_its_degree_days_back(station):
    normals = normals_from_degree_days(station)
    month_curve = np.interp(np.arange(365), np.arange(12) * 30.4 + 15, normals.dry_bulb_c, period=365)
    heating, _ = degree_days(month_curve, daily_sigma_k(station.latitude_deg), 18.0)
    _, cooling = degree_days(month_curve, daily_sigma_k(station.latitude_deg), 10.0)
    assert heating == pytest.approx(station.hdd18_k_d, rel=0.1, abs=120)
    assert cooling == pytest.approx(station.cdd10_k_d, rel=0.08, abs=120)
    assert normals.lowest_confidence == "low"
    warmest = int(np.argmax(normals.dry_bulb_c))
    if np.ptp(normals.dry_bulb_c) > 1.0:  # Singapore has no seasons
        assert warmest in ((0, 1) if station.latitude_deg < 0 else (5, 6, 7))
    assert normals.design_coincident_wet_bulb_c <= normals.design_wet_bulb_c <= normals.design_dry_bulb_c
    year = weather_from_normals(normals)
    assert np.isfinite(year.wet_bulb_c).all()
    assert np.quantile(year.dry_bulb_c, 0.01) == pytest.approx(station.heating_99_c, abs=0.1)


def test_known_cities_come_out_right():
    assert np.mean(normals_from_degree_days(LONDON).dry_bulb_c) == pytest.approx(11.8, abs=0.6)
    singapore = normals_from_degree_days(SINGAPORE).dry_bulb_c
    assert np.mean(singapore) == pytest.approx(28.0, abs=0.5)
    assert np.ptp(singapore) < 5.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hdd18_k_d": -5.0}, "HDD18"),
        ({"cdd10_k_d": float("nan")}, "CDD10"),
        ({"latitude_deg": 91.0}, "latitude"),
        ({"heating_99_c": 40.0}, "percentiles"),
    ],
)
def test_impossible_stations_are_refused(change, said):
    with pytest.raises(InputError, match=said):
        normals_from_degree_days(replace(LONDON, **change))


def test_monthly_means_of_23_cities_within_the_published_error(reference):
    """Root mean square error of monthly means from station degree days: 1.76 K is the figure to beat."""
    with (reference / "data" / "climate_normals.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["prov_monthly"].startswith(("EPW", "Open"))]
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    squares, hot, wet = [], [], []
    for row in rows:
        numbers = [float(row[name]) for name in ("lat", "lon", "elev_m", "hdd18", "cdd10", "heat99_db", "cool1_db")]
        normals = normals_from_degree_days(Station(row["site"], row["country"], *numbers))
        squares.append(np.mean((np.array(normals.dry_bulb_c) - [float(row[f"db_{m}"]) for m in months]) ** 2))
        hot.append(normals.design_dry_bulb_c - float(row["db04"]))
        wet.append(normals.design_wet_bulb_c - float(row["wb04"]))
    assert len(rows) == 23
    assert np.mean(np.abs(hot)) < 1.2
    assert np.mean(np.abs(wet)) < 2.5
    assert np.sqrt(np.mean(squares)) <= 1.6


def test_warming_rises_with_time_and_scenario():
    assert warming_k("ssp5-8.5", 2050) > warming_k("ssp2-4.5", 2050) > warming_k("ssp2-4.5", 2030) > 0.5
    assert warming_k("SSP2-4.5", 2005) == 0.0
    assert warming_k("ssp2-4.5", 2200) == warming_k("ssp2-4.5", 2091)
    for scenario, year, said in (
        ("rcp", 2030, "ssp2-4.5"),
        ("ssp2-4.5", 1990, "2005"),
        ("ssp2-4.5", float("nan"), "year"),
    ):
        with pytest.raises(InputError, match=said):
            warming_k(scenario, year)


def test_a_warmer_year_keeps_relative_humidity(make_epw):
    now = read_epw(make_epw())
    later = warmer(now, 2.0)
    p = now.pressure_pa

    def humidity(year):
        return ps.relative_humidity(year.dry_bulb_c, ps.humidity_ratio_from_dew_point(year.dew_point_c, p), p)

    np.testing.assert_allclose(later.dry_bulb_c, now.dry_bulb_c + 2.0)
    np.testing.assert_allclose(humidity(later), humidity(now), rtol=1e-6)
    assert 1.2 < (later.dew_point_c - now.dew_point_c).mean() < 2.3
    assert 1.0 < (later.wet_bulb_c - now.wet_bulb_c).mean() < 2.1
    assert later.design.dry_bulb_c == now.design.dry_bulb_c + 2.0
    assert (
        now.design.coincident_wet_bulb_c < later.design.coincident_wet_bulb_c < now.design.coincident_wet_bulb_c + 2.5
    )
    assert any("+2.0 K" in note for note in later.notes)
    assert "+2.0 K" in later.design.basis
    same = warmer(now, 0.0)
    np.testing.assert_allclose(same.wet_bulb_c, now.wet_bulb_c, atol=1e-5)
    with pytest.raises(InputError, match="-5 to 10 K"):
        warmer(now, 40.0)
    assert in_year(now, "ssp2-4.5", 2040).dry_bulb_c.mean() > now.dry_bulb_c.mean() + 1.0
