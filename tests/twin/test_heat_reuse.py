"""Heat sold from the warm loop: amounts by hand, balances, and what the buyer's demand leaves for outdoors."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.catalogue.nouns import Grid
from twinloop.cooling.heat_pumps import HeatPump
from twinloop.model.site import Floor, HeatOfftake, OnPremise, RackLimits, Tariff, Water
from twinloop.model.weather import DesignConditions, WeatherYear
from twinloop.twin.heat_reuse import HeatReuse, reuse_heat
from twinloop.twin.metrics import simulation
from twinloop.twin.plant import mismatches_w, solve_plant
from twinloop.twin.sizing import size_plant
from twinloop.twin.year import outdoor_air, site_year

_spec = importlib.util.spec_from_file_location("halls", Path(__file__).with_name("test_plant_closure.py"))
assert _spec
assert _spec.loader
halls = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(halls)

CONDITIONS = DesignConditions(34.0, 22.0, 24.0, -12.0, "test")
WATER_J_KG_K = 4181.0


def hall(buyer, kit="plates + air", cooler="dry_cooler", it=None, **changes):
    chosen = halls.design(kit, cooler, heat_reuse=True, **changes)
    it = it or halls.group()
    return size_plant(chosen, (it,), CONDITIONS, 101325.0, 200.0, halls.K, buyer), it


@pytest.mark.parametrize("cold", ["air_cooled_chiller", "water_cooled_chiller"])
@pytest.mark.parametrize(
    ("kit", "cooler", "temperature_c"),
    [("plates + air", "dry_cooler", 65.0), ("all plates", "tower", 75.0), ("immersion", "adiabatic_cooler", 30.0)],
)
def test_heat_sold_is_a_term_of_every_balance(kit, cooler, temperature_c, cold):
    plant, it = hall(HeatOfftake(temperature_c, 150e3, 1e-8), kit, cooler, plant=cold)
    state = solve_plant(plant, (it,), halls.outdoor(), halls.K)
    for name, mismatch in mismatches_w(state, plant).items():
        assert np.max(np.abs(mismatch) / state.it_w) < 1e-6, name
    assert np.max(state.balance_error) < 1e-6
    assert np.max(state.heat_sold_w) == pytest.approx(150e3)
    end_uses = state.it_w + state.crah_fans_w + state.pumps_w + state.chillers_w + state.heat_rejection_w
    losses = state.electric.ups_loss_w + state.electric.distribution_loss_w + state.lighting_w
    assert state.facility_w == pytest.approx(end_uses + losses + state.heat_pump_w)
    assert (temperature_c == 30.0) == bool(np.all(state.heat_pump_w == 0.0))


def test_a_balance_would_notice_heat_sold_twice():
    plant, it = hall(HeatOfftake(65.0, 150e3, 1e-8))
    state = solve_plant(plant, (it,), halls.outdoor(), halls.K)
    wrong = replace(state, heat_sold_w=1.01 * state.heat_sold_w)
    assert np.max(np.abs(mismatches_w(wrong, plant)["heat sold"]) / state.it_w) > 1e-4


def test_the_heat_pump_gives_what_paper_and_pencil_give():
    """42 °C return, 50 kW/K, 400 kW at 65 °C by half of Carnot: one linear equation for the heat taken."""
    unit = HeatReuse(HeatPump(400e3), 65.0, 400e3, 0.0)
    point = reuse_heat(unit, 42.0, 50e3, 32.0, halls.K)
    condensing_k = 65.0 + 3.0 + 273.15
    # q = D (1 - (Tc - Te)/(0.5 Tc)) with Te = 42 - 3 - q/C
    constant = 1.0 - (condensing_k - (42.0 - 3.0 + 273.15)) / (0.5 * condensing_k)
    taken_w = 400e3 * constant / (1.0 + 400e3 / (50e3 * 0.5 * condensing_k))
    assert float(point.source_w) == pytest.approx(taken_w, rel=1e-6)
    assert float(point.power_w) == pytest.approx(400e3 - taken_w, rel=1e-5)
    assert float(point.water_out_c) == pytest.approx(42.0 - taken_w / 50e3)


def test_hot_return_heats_directly_down_to_what_the_buyer_sends_back():
    unit = HeatReuse(HeatPump(0.0), 45.0, 1e6, 0.0)
    assert float(reuse_heat(unit, 47.9, 50e3, 30.0, halls.K).sold_w) == 0.0  # not an approach above
    hot = reuse_heat(unit, 50.0, 50e3, 10.0, halls.K)
    # The buyer's water comes back at 45 - 30 = 15 °C; the loop cannot leave colder than 3 K above it.
    assert float(hot.sold_w) == pytest.approx(50e3 * (50.0 - 18.0) if 50e3 * 32.0 < 1e6 else 1e6)
    assert float(hot.water_out_c) == pytest.approx(max(18.0, 50.0 - 20.0))
    wide = reuse_heat(replace(unit, demand_w=1e7), 50.0, 50e3, 10.0, halls.K)
    assert float(wide.water_out_c) == pytest.approx(18.0)
    assert float(wide.power_w) == 0.0


@settings(max_examples=60, deadline=None)
@given(
    st.floats(20.0, 60.0), st.floats(0.5, 20.0), st.floats(1e3, 1e5), st.floats(25.0, 85.0), st.floats(0.0, 2e6),
)  # fmt: skip
def test_no_more_than_asked_and_no_colder_than_the_loop_wants(supply_c, rise_k, capacity_w_k, temperature_c, demand_w):
    unit = HeatReuse(HeatPump(demand_w), temperature_c, demand_w, 0.0)
    point = reuse_heat(unit, supply_c + rise_k, capacity_w_k, supply_c, halls.K)
    sold, source, power = (float(x) for x in (point.sold_w, point.source_w, point.power_w))
    assert -1e-6 <= sold <= demand_w * (1.0 + 1e-9)
    assert sold == pytest.approx(source + power)
    assert 0.0 <= power <= sold + 1e-9
    assert float(point.water_out_c) >= supply_c - 1e-9


def year_at(buyer, *, connected=True, kit="plates + air"):
    """Return (site, year, plant, group) of constant weather and load."""
    hours = np.full(8760, 1.0)
    weather = WeatherYear(
        "flat", "test", 50.0, 8.7, 100.0, 101325.0, CONDITIONS, dry_bulb_c=12.0 * hours, wet_bulb_c=8.0 * hours,
        dew_point_c=5.0 * hours,
    )  # fmt: skip
    site = OnPremise(
        "hall", "EU", weather, 3e6, RackLimits(60, 40e3, 1500.0, 48.0), Floor(200.0, 12e3),
        Water(4000.0, None, 4.0, "potable", 3.5), "A2", None, "N+1", 60.0,
        Grid("DE", 1e-7, "life-cycle", 5e-10, "high"), Tariff((3e-8,) * 24, 0.012, 0.02, "test"), buyer, 0.0, 11.6,
    )  # fmt: skip
    it = halls.group(activity=hours)
    chosen = halls.design(kit, "dry_cooler", heat_reuse=connected)
    plant = size_plant(chosen, (it,), CONDITIONS, 101325.0, 200.0, halls.K, buyer)
    return site, site_year(site, plant, (it,), halls.K), plant, it


def test_the_year_and_its_ratios_are_those_computed_by_hand():
    buyer = HeatOfftake(65.0, 120e3, 1e-8)
    site, year, plant, it = year_at(buyer)
    found = simulation("test", "", [(site, year)])
    state = solve_plant(plant, (it,), outdoor_air(site.weather, halls.K), halls.K)
    warm = state.warm
    assert warm is not None
    capacity_w_k = float(warm.flow_kg_s[0]) * WATER_J_KG_K
    condensing_k, return_k = 65.0 + 3.0 + 273.15, float(warm.return_c[0]) + 273.15
    constant = 1.0 - (condensing_k - (return_k - 3.0)) / (0.5 * condensing_k)
    taken_w = 120e3 * constant / (1.0 + 120e3 / (capacity_w_k * 0.5 * condensing_k))
    lift_w = 120e3 - taken_w
    mwh = 8760.0 / 1e6
    assert found.heat_sold_mwh == pytest.approx(120e3 * mwh, rel=1e-6)
    assert found.heat_pump_mwh == pytest.approx(lift_w * mwh, rel=1e-5)
    assert found.energy_mwh["other"] == pytest.approx((lift_w + plant.lighting_w) * mwh, rel=1e-5)
    assert sum(found.energy_mwh.values()) == pytest.approx(found.facility_energy_mwh)
    assert found.erf == pytest.approx(120e3 * mwh / found.facility_energy_mwh, rel=1e-6)
    assert found.ere == pytest.approx((1.0 - found.erf) * found.pue, rel=1e-9)
    assert year.hourly["heat_sold_w"][0] == pytest.approx(120e3)
    assert year.hourly["heat_pump_w"][0] == pytest.approx(lift_w, rel=1e-5)
    assert found.energy_balance_error < 1e-6
    assert found.events == ()
    leaving = {flow.origin: flow.mean_w for flow in year.heat_flows if flow.target == "heat buyer"}
    assert leaving == pytest.approx({"warm loop": taken_w, "heat pump": lift_w}, rel=1e-5)


def test_a_sale_spares_the_outdoor_cooler_and_adds_the_heat_pump():
    buyer = HeatOfftake(65.0, 120e3, 1e-8)
    _, sold, _, _ = year_at(buyer)
    _, kept, _, _ = year_at(buyer, connected=False)
    assert sold.energy.heat_rejection_j < 0.8 * kept.energy.heat_rejection_j
    assert sold.energy.other_j - kept.energy.other_j == pytest.approx(sold.heat_pump_j, rel=1e-9)
    assert sold.energy.it_j == pytest.approx(kept.energy.it_j)


def test_a_buyer_who_gets_nothing_is_told_why():
    buyer = HeatOfftake(65.0, 120e3, 1e-8)
    for kit, connected, word in (("air", True, "no warm loop"), ("plates + air", False, "without a connection")):
        site, year, _, _ = year_at(buyer, connected=connected, kit=kit)
        found = simulation("test", "", [(site, year)])
        assert found.erf == 0.0
        assert found.ere == found.pue
        assert word in found.events[0]
    site, year, _, _ = year_at(None)
    assert simulation("test", "", [(site, year)]).events == ()
    assert "heat_sold_w" not in year.hourly
