"""The heat-flow picture: every node closes, and the whole is facility power."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twinloop.model.site import HeatOfftake
from twinloop.model.weather import DesignConditions
from twinloop.planner.designs import KITS
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.pictures import heat_flows
from twinloop.twin.plant import solve_plant
from twinloop.twin.sizing import size_plant

K = PlantConstants()
HOURS = 64
RNG = np.random.default_rng(3)
DRY_C = RNG.uniform(-15.0, 40.0, HOURS)
WET_C = DRY_C - RNG.uniform(0.5, 12.0, HOURS)
ACTIVITY = RNG.uniform(0.0, 1.0, HOURS)


def solved(make_group, kit, cooler="dry_cooler", plant="air_cooled_chiller", buyer=None, **changes):
    warm = "none" if kit in ("air", "rear doors") else cooler
    design = HybridDesign(kit, KITS[kit], warm, 30.0, True, plant, 20.0, 26.0, False, "N+1")
    group = make_group(activity=ACTIVITY)
    conditions = DesignConditions(34.0, 22.0, 24.0, -12.0, "test")
    sized = size_plant(replace(design, **changes), (group,), conditions, 101325.0, 200.0, K, buyer)
    return solve_plant(sized, (group,), OutdoorAir(DRY_C, WET_C, WET_C - 3.0, 101325.0), K)


def sides(flows):
    nodes = {name for flow in flows for name in (flow.origin, flow.target)}
    into = {name: sum(f.mean_w for f in flows if f.target == name) for name in nodes}
    out = {name: sum(f.mean_w for f in flows if f.origin == name) for name in nodes}
    return into, out


@pytest.mark.parametrize(
    ("kit", "changes"),
    [
        ("air", {}),
        ("air", {"air_economiser": True}),
        ("rear doors", {"plant": "water_cooled_chiller"}),
        ("plates + air", {"cooler": "tower", "plant": "water_cooled_chiller"}),
        ("plates + rear doors", {"warm_supply_c": 18.0}),
        ("all plates", {"cooler": "adiabatic_cooler"}),
        ("immersion", {"warm_supply_c": 20.0, "plant": "water_cooled_chiller"}),
        ("plates + air", {"buyer": HeatOfftake(65.0, 150e3, 0.0), "heat_reuse": True}),
        ("immersion", {"buyer": HeatOfftake(30.0, 80e3, 0.0), "heat_reuse": True}),
    ],
)
def test_every_node_closes_and_the_whole_is_facility_power(make_group, kit, changes):
    state = solved(make_group, kit, **changes)
    it_w, facility_w = float(np.mean(state.it_w)), float(np.mean(state.facility_w))
    flows = heat_flows(state)
    into, out = sides(flows)
    for node in into:
        if into[node] and out[node]:
            assert abs(into[node] - out[node]) <= 1e-6 * it_w, node
    ends = [node for node in into if not out[node]]
    starts = [node for node in into if not into[node]]
    assert set(ends) == ({"outdoor air", "heat sold"} if "buyer" in changes else {"outdoor air"})
    assert sum(into[node] for node in ends) == pytest.approx(facility_w, rel=1e-6)
    assert into.get("heat sold", 0.0) == pytest.approx(float(np.mean(state.heat_sold_w)), rel=1e-6)
    assert sum(out[node] for node in starts) == pytest.approx(facility_w, rel=1e-6)
    assert all(flow.mean_w > 0.0 for flow in flows)


def test_doors_that_cool_below_the_hall_draw_on_its_air(make_group):
    state = solved(make_group, "rear doors")
    assert float(np.min(state.air.residual_w)) < 0.0
    flows = {(f.origin, f.target): f.mean_w for f in heat_flows(state)}
    taken = np.maximum(-state.air.residual_w, 0.0)
    assert flows["hall air", "rear doors"] == pytest.approx(float(np.mean(taken)))
    assert flows["rear doors", "cold loop"] == pytest.approx(float(np.mean(state.air.door_heat_w)))


def test_heat_that_turns_is_a_flow_of_its_own(make_group):
    """Half of the hours a loop colder than the hall takes 50 kW from its air; nothing is netted away."""
    state = solved(make_group, "all plates")
    turned = np.where(np.arange(HOURS) < HOURS // 2, -50e3, 30e3)
    it = state.it[0]
    colder = replace(it, air_heat_w=turned, warm_heat_w=it.air_heat_w + it.warm_heat_w - turned)
    flows = {(f.origin, f.target): f.mean_w for f in heat_flows(replace(state, it=(colder,)))}
    assert flows["rack air", "servers"] == pytest.approx(25e3)
    assert flows["servers", "rack air"] == pytest.approx(15e3)
    into = sum(watt for (_, target), watt in flows.items() if target == "servers")
    assert into == pytest.approx(sum(watt for (origin, _), watt in flows.items() if origin == "servers"))
