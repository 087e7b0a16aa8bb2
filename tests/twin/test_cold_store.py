"""A chilled-water tank over the year: conservation, balances with it as a term, and money by hand."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.cooling.storage import capacity_j
from twinloop.model.site import Tariff
from twinloop.twin.cold_store import store_year, tank_of
from twinloop.twin.free_coolers import hours_of
from twinloop.twin.plant import mismatches_w, solve_plant
from twinloop.twin.sizing import size_plant
from twinloop.twin.year import outdoor_air, site_year

_spec = importlib.util.spec_from_file_location("sale", Path(__file__).with_name("test_heat_reuse.py"))
assert _spec
assert _spec.loader
sale = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sale)
halls = sale.halls
NIGHT = 1e-8  # USD/J
DAY = 4e-8


def hot_site(prices):
    """Return a hall in constant air of 32 °C: no free cooling, and power changes with the tank alone."""
    site = sale.year_at(None)[0]
    hours = np.ones(8760)
    weather = replace(site.weather, dry_bulb_c=31.0 * hours, wet_bulb_c=22.0 * hours, dew_point_c=14.0 * hours)
    return replace(site, weather=weather, tariff=Tariff(tuple(prices), 0.0, 0.0, "test"))


TWO_PRICES = [NIGHT] * 6 + [DAY] * 18


def year_of(volume_m3, prices, cold="air_cooled_chiller"):
    it = halls.group(activity=np.full(8760, 0.5))  # half load: the machine has as much to spare
    chosen = halls.design("air", plant=cold, cold_store_m3=volume_m3)
    plant = size_plant(chosen, (it,), sale.CONDITIONS, 101325.0, 200.0, halls.K)
    site = hot_site(prices)
    return site_year(site, plant, (it,), halls.K), plant, it, site


def test_the_tank_is_filled_at_night_and_emptied_by_day():
    year, plant, _, _ = year_of(40.0, TWO_PRICES)
    into_w = year.hourly["store_w"]
    hour = np.arange(8760) % 24
    assert np.all(into_w[hour >= 6] >= 0.0)  # heat into the tank: cold comes out
    assert np.all(into_w[hour < 6] <= 0.0)
    room_j = capacity_j(tank_of(40.0, plant.cold, halls.K))
    daily_j = np.sum(np.maximum(into_w, 0.0)[24:8736].reshape(-1, 24), axis=1) * 3600.0
    assert np.mean(daily_j) == pytest.approx(room_j, rel=0.15)
    assert np.max(year.hourly["store_j"]) <= room_j * (1.0 + 1e-9)
    assert year.energy_balance_error < 1e-6


def test_what_it_saves_is_the_two_prices_times_the_cold_it_moves():
    with_tank, plant, _, site = year_of(40.0, TWO_PRICES)
    without, _, _, _ = year_of(0.0, TWO_PRICES)
    price = np.resize(np.array(site.tariff.energy_usd_per_j), 8760)

    def bill(year):
        return float(np.sum(year.hourly["facility_w"] * price)) * 3600.0

    out_j = float(np.sum(np.maximum(with_tank.hourly["store_w"], 0.0))) * 3600.0
    assert out_j > 0.0
    saved = bill(without) - bill(with_tank)
    # Electricity per cold, about that of the machine without a tank.
    it = halls.group(activity=np.full(1, 0.5))
    usual = solve_plant(plant, (it,), hours_of(outdoor_air(site.weather, halls.K), np.array([0])), halls.K)
    per_cold = float(usual.chillers_w[0] / usual.cold.chiller_load_w[0])
    assert saved == pytest.approx(out_j * per_cold * (DAY - NIGHT), rel=0.15)
    assert with_tank.energy.facility_j == pytest.approx(without.energy.facility_j, rel=0.02)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.floats(1e-9, 1e-7), min_size=24, max_size=24), st.floats(1.0, 200.0))
def test_cold_is_conserved_whatever_the_tariff(prices, volume_m3):
    it = halls.group(activity=np.where(np.arange(8760) % 24 < 9, 1.0, 0.3))
    plant = halls.build(halls.design("air"), it)
    hours = slice(0, 480)
    air = outdoor_air(hot_site(prices).weather, halls.K)
    part = replace(
        air, dry_bulb_c=air.dry_bulb_c[hours], wet_bulb_c=air.wet_bulb_c[hours], dew_point_c=air.dew_point_c[hours]
    )
    few = replace(it, activity=it.activity[hours])
    usual = solve_plant(plant, (few,), part, halls.K)
    tank = tank_of(volume_m3, plant.cold, halls.K)
    found = store_year(tank, plant.cold, usual.cold, part.dry_bulb_c, np.resize(prices, 480))
    change_j = np.diff(np.concatenate([[0.0], found.stored_j]))
    assert change_j == pytest.approx((found.charge_w - found.discharge_w - found.lost_w) * 3600.0, abs=1.0)
    assert np.all(found.stored_j >= -1e-6)
    assert np.all(found.stored_j <= capacity_j(tank) * (1.0 + 1e-9))
    assert np.all(found.discharge_w <= usual.cold.chiller_load_w + 1e-6)
    state = solve_plant(plant, (few,), part, halls.K, found.heat_w)
    for name, mismatch in mismatches_w(state, plant).items():
        assert np.max(np.abs(mismatch) / state.it_w) < 1e-6, name


def test_a_flat_tariff_in_constant_air_moves_nothing():
    year, _, _, _ = year_of(40.0, [2e-8] * 24)
    assert np.all(year.hourly["store_w"] == 0.0)
