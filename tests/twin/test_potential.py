"""Hourly-optimal setpoints: never worse than the control sequence, within its limits, and hard to beat."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from twinloop.model.site import HeatOfftake
from twinloop.twin.free_coolers import hours_of
from twinloop.twin.metrics import potential_figures, simulation
from twinloop.twin.plant import solve_plant
from twinloop.twin.potential import potential
from twinloop.twin.sizing import size_plant
from twinloop.twin.year import outdoor_air, site_year

_spec = importlib.util.spec_from_file_location("sale", Path(__file__).with_name("test_heat_reuse.py"))
assert _spec
assert _spec.loader
sale = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sale)
halls = sale.halls

HOUR = np.arange(8760)


def site_with(mean_c=10.0, swing_k=12.0, buyer=None):
    site = sale.year_at(buyer)[0]
    dry = mean_c + swing_k * np.sin(2 * np.pi * (HOUR - 2000) / 8760) + 6.0 * np.sin(2 * np.pi * HOUR / 24)
    wet = np.minimum(dry - 0.5, dry * 0.7 + 1.0)
    weather = replace(site.weather, dry_bulb_c=dry, wet_bulb_c=wet, dew_point_c=wet - 2.0)
    return replace(site, weather=weather)


def build(kit, cooler, cold, it, buyer=None, **changes):
    chosen = halls.design(kit, cooler, cold, heat_reuse=buyer is not None, **changes)
    return size_plant(chosen, (it,), sale.CONDITIONS, 101325.0, 200.0, halls.K, buyer)


DAYS = np.where(HOUR % 24 < 9, 1.0, 0.3)
MIXES = st.sampled_from(
    [
        ("air", "none", "air_cooled_chiller"),
        ("plates + air", "dry_cooler", "air_cooled_chiller"),
        ("all plates", "tower", "air_cooled_chiller"),
        ("plates + rear doors", "adiabatic_cooler", "water_cooled_chiller"),
        ("immersion", "dry_cooler", "air_cooled_chiller"),
    ]
)


@settings(max_examples=6, deadline=None)
@given(
    MIXES, st.floats(-5.0, 28.0), st.floats(2.0, 15.0), st.floats(20.0, 45.0), st.floats(20.0, 29.0), st.booleans()
)  # fmt: skip
@example(("air", "none", "air_cooled_chiller"), 21.0, 2.0, 20.0, 27.0, False)  # no setpoint has room
def test_it_is_never_worse_than_the_control_sequence(mix, mean_c, swing_k, warm_c, air_c, trim):
    it = halls.group(activity=DAYS)
    plant = build(*mix, it, warm_supply_c=warm_c, air_supply_c=air_c, cold_supply_c=air_c - 6.0, trim=trim)
    found = potential(site_with(mean_c, swing_k), plant, (it,), halls.K, 24)
    assert found.by_optimum["facility"] <= found.by_control["facility"]
    assert 0.5 < found.ratio("facility") <= 1.0


def test_no_other_setpoints_of_one_hour_do_better():
    """A dense scan of supply air and warm water, of which each hour keeps what the limits allow."""
    it = halls.group(activity=DAYS)
    plant = build("plates + air", "dry_cooler", "air_cooled_chiller", it)
    site = site_with()
    found = potential(site, plant, (it,), halls.K, 40)
    outdoor = hours_of(outdoor_air(site.weather, halls.K), found.index)
    here = replace(it, activity=DAYS[found.index])

    def rated(air_c, warm_c):
        chosen = replace(plant.design, air_supply_c=air_c, cold_supply_c=air_c - 6.0, warm_supply_c=warm_c)
        return solve_plant(replace(plant, design=chosen), (here,), outdoor, halls.K)

    best_w = rated(found.setpoints["air_supply_c"], found.setpoints["warm_supply_c"]).facility_w
    scanned_w = np.full(best_w.shape, np.inf)
    for air_c in np.linspace(18.0, 26.6, 6):
        for warm_c in np.linspace(18.0, 45.0, 10):
            state = rated(air_c, warm_c)
            fine = (state.air.intake_c <= 27.0) & (state.air.intake_c >= 18.0) & (state.it[0].throttled == 0.0)
            scanned_w = np.minimum(scanned_w, np.where(fine, state.facility_w, np.inf))
    assert np.max(best_w / scanned_w) < 1.005  # single hours at a kink: pads, trim
    assert np.mean(best_w) < 1.0003 * np.mean(scanned_w)


def test_limits_are_kept_and_heat_stays_sold():
    buyer = HeatOfftake(65.0, 120e3, 1e-8)
    it = halls.group(activity=DAYS, throttle_c=70.0)
    plant = build("plates + air", "dry_cooler", "air_cooled_chiller", it, buyer, warm_supply_c=40.0)
    site = site_with(buyer=buyer)
    found = potential(site, plant, (it,), halls.K, 40)
    air_c, warm_c = found.setpoints["air_supply_c"], found.setpoints["warm_supply_c"]
    assert np.min(warm_c) >= 18.0
    assert np.max(warm_c) <= 45.0
    assert np.max(air_c) <= 27.0
    assert 1.0 - 1e-5 <= found.ratio("heat_sold") < 1.0001  # no less; cooler chips throttle less and give a little more
    assert found.by_control["heat_sold"] > 0.0


def test_the_figures_are_the_years_scaled_by_the_sampled_hours():
    it = halls.group(activity=DAYS)
    plant = build("plates + air", "dry_cooler", "air_cooled_chiller", it)
    site = site_with()
    year = site_year(site, plant, (it,), halls.K)
    whole = simulation("test", "", [(site, year)])
    best = potential(site, plant, (it,), halls.K)
    figures = potential_figures(whole, [(year, best)])
    assert 0.0 < figures["saving"] < 0.1
    assert figures["facility_energy_mwh"] == pytest.approx(whole.facility_energy_mwh * (1.0 - figures["saving"]))
    assert figures["facility_energy_mwh"] == pytest.approx(whole.facility_energy_mwh * best.ratio("facility"), rel=0.01)
    assert figures["pue"] == pytest.approx(figures["facility_energy_mwh"] / figures["it_energy_mwh"])
    assert best.index.size <= 200
    # The sampled hours stand for the year: their control sums against the whole year's.
    assert best.by_control["facility"] == pytest.approx(year.energy.facility_j, rel=0.01)
