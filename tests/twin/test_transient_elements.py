"""Heat buyer, thermosyphon, wetted air, boiling baths and the chilled-water tank, second by second.

Each comes to rest at the hourly plant, balances at every step with its storage, and does what it must in a fault.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twinloop.cooling.storage import capacity_j
from twinloop.model.site import HeatOfftake
from twinloop.model.weather import DesignConditions
from twinloop.twin.cold_store import tank_of
from twinloop.twin.faults import Happening, with_faults
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.plant import solve_plant
from twinloop.twin.sizing import size_plant
from twinloop.twin.transient_account import account
from twinloop.twin.transient_compiled import CHUNK, run_compiled
from twinloop.twin.transient_parameters import transient_parameters
from twinloop.twin.transient_run import constant_series, guess, run, settle, steady_inputs

_spec = importlib.util.spec_from_file_location("rest", Path(__file__).with_name("test_transients.py"))
assert _spec
assert _spec.loader
rest = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(rest)

CONDITIONS = DesignConditions(34.0, 22.0, 24.0, -12.0, "test")
HOT, MILD, COLD = (34.0, 22.0), (20.0, 12.0), (-5.0, -6.0)
PARTLY = {"pads": (44.0, 20.0), "wall": (36.0, 26.0)}


def buyer(make_hall, temperature_c, demand_w=150e3, kit="plates + air", cooler="dry_cooler", **changes):
    """Return a hall that sells heat; ``make_hall`` itself knows no buyer."""
    p = make_hall(kit, cooler, heat_reuse=True, **changes)
    groups = (make_hall.__globals__["group"](),)
    offtake = HeatOfftake(temperature_c, demand_w, 1e-8)
    plant = size_plant(p.plant.design, groups, CONDITIONS, p.pressure_pa, 200.0, p.k, offtake)
    return transient_parameters(plant, groups, p.fleet, 200.0, p.pressure_pa, p.k)


def halls(make_hall):
    """Return one hall of each element."""
    return {
        "heat pump": buyer(make_hall, 65.0),
        "direct sale": buyer(make_hall, 30.0, kit="immersion", cooler="adiabatic_cooler"),
        "thermosyphon": make_hall("plates + air", "thermosyphon"),
        "pads": make_hall("air", air_economiser=True, evaporative="direct"),
        "wall": make_hall("air", evaporative="indirect"),
        "two-phase": make_hall("immersion", bath="two_phase"),
        "two-phase, tower": make_hall("immersion", "tower", "water_cooled_chiller", bath="two_phase"),
        "tank": make_hall("air", cold_store_m3=40.0),
    }


def at_rest(p, group, weather, level=1.0, store_w=0.0):
    """Return (steady plant, state, what flows, account) at one weather point."""
    dry_c, wet_c = weather
    it = replace(group, activity=np.array([level]))
    outdoor = OutdoorAir(np.array([dry_c]), np.array([wet_c]), np.array([wet_c - 2.0]), 101325.0)
    steady = solve_plant(p.plant, (it,), outdoor, p.k, np.array([store_w]))
    inputs = steady_inputs(p, 1, np.array([level]), dry_c, wet_c, wet_c - 2.0)
    inputs = inputs._replace(store_w=np.array([store_w]))
    start = guess(p, inputs)
    start = settle(p, inputs, start=start._replace(stored_j=0.5 * start.stored_j))
    trace = run(p, start, constant_series(inputs, 3), 5.0)
    last = [type(part)(*[values[-1] for values in part]) for part in (trace.states, trace.outputs)]
    return steady, *last, account(p, trace)


NAMES = ("heat pump", "direct sale", "thermosyphon", "pads", "wall", "two-phase", "two-phase, tower", "tank")


QUICK = ("wall", "tank")
"""In the fast set, with the balances of all."""
POINTS = [
    pytest.param(name, weather, marks=[] if weather == HOT and name in QUICK else [pytest.mark.slow])
    for name in NAMES
    for weather in (HOT, PARTLY.get(name, MILD), COLD)
]
"""Air of 20 °C carries such a hall alone: its chillers rest, and chilled water floats up to where they start."""


@pytest.mark.parametrize(("name", "weather"), POINTS)
def test_at_rest_each_element_is_the_hourly_plants(make_hall, make_group, name, weather):
    p = halls(make_hall)[name]
    store_w = {HOT: 40e3, MILD: -25e3}.get(weather, 0.0) if name == "tank" else 0.0
    steady, state, out, used = at_rest(p, make_group(), weather, store_w=store_w)
    whole = float(state.chillers_on[0]) in (0.0, p.fleet.chillers.running)  # the hourly plant stages no machine off
    rest.assert_same(steady, state, out, busy=whole)
    permille_w = 1e-3 * float(steady.it_w[0])
    for ours, theirs in (
        (used.heat_sold_w, steady.heat_sold_w), (used.heat_pump_w, steady.heat_pump_w),
        (out.outdoor_air_w, steady.air.outdoor_heat_w), (state.store_w, steady.store_w),
        (used.heat_rejection_w, steady.heat_rejection_w),
        (used.facility_w - used.chillers_w, steady.facility_w - steady.chillers_w),
    ):  # fmt: skip
        assert float(np.ravel(ours)[-1]) == pytest.approx(float(np.ravel(theirs)[0]), abs=permille_w)
    assert float(used.evaporation_kg_s[-1, 0]) == pytest.approx(float(steady.evaporation_kg_s[0]), abs=2e-3)
    assert np.max(used.balance_error) < 1e-6


@pytest.mark.parametrize(
    ("plant", "weather"), [("air_cooled_chiller", (20.4, 13.2)), ("water_cooled_chiller", (31.0, 19.6))]
)
def test_a_wall_rests_as_the_hour_does_where_its_water_starts_and_where_nothing_is_left_to_cool(
    make_hall, make_group, plant, weather
):
    """20.4 °C lies inside the water's dead band; at 31 °C the wall does all, and fans of towers could win nothing."""
    steady, state, _, used = at_rest(make_hall("air", plant=plant, evaporative="indirect"), make_group(), weather)
    assert float(state.wall_wet[0]) == 1.0
    permille_w = 1e-3 * float(steady.it_w[0])
    assert float(used.heat_rejection_w[-1, 0]) == pytest.approx(float(steady.heat_rejection_w[0]), abs=permille_w)
    assert float(used.facility_w[-1, 0]) == pytest.approx(float(steady.facility_w[0]), abs=permille_w)
    assert float(used.evaporation_kg_s[-1, 0]) == pytest.approx(float(steady.evaporation_kg_s[0]), rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_each_element_balances_at_every_step_from_a_start_far_from_rest(make_hall, name):
    p = halls(make_hall)[name]
    inputs = steady_inputs(p, 1, np.array([1.0]), 30.0, 20.0, 13.0)
    swing = np.where((np.arange(120) // 7) % 2, 0.2, 1.0)[:, None, None]
    series = constant_series(inputs, 120)._replace(activity=swing)
    for kind in ("syphon", "wall", "buyer", "cdu", "chiller", "power"):
        series = with_faults(p, series, (Happening("", kind, 200.0, 400.0, 1),), 0, 5.0, 60.0)
    used = account(p, run(p, guess(p, inputs), series, 5.0))
    assert np.max(used.balance_error) < 1e-6


def faulted(p, faults, weather=HOT, steps=720, stored=1.0):
    """Return (trace, account): case 0 in order, case 1 with ``faults``, 5 s steps, from rest."""
    dry_c, wet_c = weather
    inputs = steady_inputs(p, 2, np.array([1.0]), dry_c, wet_c, min(wet_c, 14.0) - 2.0)
    first = guess(p, inputs)
    start = settle(p, inputs, start=first._replace(stored_j=stored * first.stored_j))
    trace = run(p, start, with_faults(p, constant_series(inputs, steps), faults, 1, 5.0, 60.0), 5.0)
    used = account(p, trace)
    assert np.max(used.balance_error) < 1e-6
    return trace, used


@pytest.mark.slow
def test_a_tank_carries_the_hall_for_its_own_energy_after_the_chillers_trip(make_hall, fleets):
    """Both machines away: the supply is held for about capacity over load, then floats as without a tank."""
    trips = tuple(Happening("", "chiller", 300.0, np.inf, unit) for unit in (1, 2))
    runs = {}
    for volume_m3 in (0.0, 20.0):
        p = make_hall("air", cold_store_m3=volume_m3, fleet=fleets["bare"])
        runs[volume_m3] = p, *faulted(p, trips)
    p, trace, _ = runs[20.0]
    load_w = float(trace.outputs.chiller_load_w[0, 1])
    whole_j = capacity_j(tank_of(20.0, p.plant.cold, p.k))

    def floats_s(of):
        over = np.flatnonzero(of.states.cold_supply_c[1:, 1] > 23.0)
        return float(over[0] * 5.0 - 300.0)

    gained_s = floats_s(trace) - floats_s(runs[0.0][1])
    assert gained_s == pytest.approx(whole_j / load_w, rel=0.15)
    assert np.max(trace.states.cold_supply_c[: int((300.0 + 0.8 * gained_s) / 5.0), 1]) < 22.0
    assert trace.states.stored_j[-1, 1] == 0.0
    assert trace.states.stored_j[-1, 0] > 0.99 * whole_j  # in order, nothing is taken but what walls let in


@pytest.mark.slow
def test_a_buyer_who_stops_on_a_mild_day_leaves_his_heat_to_the_cooler(make_hall):
    p = buyer(make_hall, 65.0)
    trace, used = faulted(p, (Happening("", "buyer", 300.0, 1800.0),), MILD)
    sold = used.heat_sold_w[:, 1]
    assert sold[:59] == pytest.approx(150e3, rel=1e-3)
    assert np.all(sold[61:359] == 0.0)
    assert used.heat_pump_w[61, 1] == 0.0
    assert sold[-1] == pytest.approx(150e3, rel=1e-2)
    assert np.max(np.abs(trace.states.warm_supply_c[..., 1] - 32.0)) < 5.0
    source_w = trace.outputs.reuse_w[0, 1]
    assert trace.outputs.free_w[350, 1] - trace.outputs.free_w[0, 1] == pytest.approx(source_w, rel=0.02)


@pytest.mark.slow
def test_thermosyphons_that_stop_leave_all_heat_to_the_tower_and_its_water(make_hall):
    p = make_hall("plates + air", "thermosyphon")
    trace, used = faulted(p, (Happening("", "syphon", 300.0, np.inf, 1),), (5.0, 2.0))
    assert np.all(used.evaporation_kg_s[:59, 1] == 0.0)
    assert used.evaporation_kg_s[-1, 1] > 0.01
    assert trace.outputs.syphon_w[-1, 1] < 0.01 * trace.outputs.syphon_w[-1, 0]
    assert trace.states.warm_supply_c[-1, 1] == pytest.approx(32.0, abs=0.2)


@pytest.mark.slow
def test_a_wall_whose_fans_stop_leaves_the_coils_to_chillers(make_hall):
    p = make_hall("air", evaporative="indirect")
    _, used = faulted(p, (Happening("", "wall", 300.0, np.inf, 1),))
    assert used.evaporation_kg_s[-1, 1] == 0.0
    assert used.chillers_w[-1, 1] > 3.0 * used.chillers_w[-1, 0]
    assert used.heat_rejection_w[-1, 1] < used.heat_rejection_w[-1, 0]


def test_a_bath_without_water_warms_from_its_boiling_point_by_power_over_capacity(make_hall, make_group):
    """Chips that never throttle, condensers shut: C dT/dt is what the chips and supplies put into the bath."""
    p = make_hall("immersion", bath="two_phase", it=make_group(throttle_c=1000.0))
    faults = (Happening("", "warm pump", 300.0, np.inf),)
    trace, _ = faulted(p, faults, steps=120)
    bath_c, capacity = trace.states.rack_c[:, 0, 1], p.rack_j_k
    assert bath_c[:59] == pytest.approx(49.05, abs=1e-6)
    assert bath_c[-1] > 60.0
    net_w = trace.outputs.loop_heat_w[:, 0, 1] - trace.outputs.cdu_heat_w[:, 0, 1]
    assert np.diff(bath_c)[80:] == pytest.approx(5.0 * net_w[80:] / capacity, rel=1e-6)
    assert float(net_w[-1]) > 0.5 * float(trace.outputs.loop_heat_w[-1, 0, 1])


@pytest.mark.slow
def test_wetted_air_needs_less_chilling_than_dry_air_in_the_same_hour(make_hall):
    dry, wet = (
        faulted(make_hall("air", air_economiser=True, evaporative=kind), (), (34.0, 18.0), steps=20)[1]
        for kind in ("none", "direct")
    )
    assert wet.chillers_w[-1, 0] < 0.2 * dry.chillers_w[-1, 0]
    assert dry.evaporation_kg_s[-1, 0] == 0.0
    assert wet.evaporation_kg_s[-1, 0] > 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kit", "cooler", "plant"), [
        ("plates + rear doors", "thermosyphon", "water_cooled_chiller"),
        ("air", "dry_cooler", "air_cooled_chiller"),
    ],
)  # fmt: skip
def test_a_compiled_run_is_the_loop(make_hall, fleets, kit, cooler, plant):
    """Faults and swings, more steps than one compiled call, a length that is no multiple of it."""
    p = make_hall(kit, cooler, plant, fleets["bare"])
    inputs = steady_inputs(p, 2, np.array([1.0]), 30.0, 20.0, 13.0)
    start, steps = settle(p, inputs, 900.0), CHUNK + 100
    level = np.where((np.arange(steps) // 150) % 2, 0.4, 1.0)[:, None, None] * np.ones((1, 1, 2))
    series = constant_series(inputs, steps)._replace(activity=level)
    for kind in ("crah", "chiller", "syphon"):
        series = with_faults(p, series, (Happening("", kind, 900.0, 3000.0, 1),), 1, 5.0, 60.0)
    loop, compiled = run(p, start, series, 5.0), run_compiled(p, start, series, 5.0)
    for part in ("states", "outputs"):
        for name, ours in getattr(compiled, part)._asdict().items():
            theirs = np.asarray(getattr(getattr(loop, part), name), dtype=float)
            assert ours.dtype == np.float64, name
            assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-6 * max(1.0, float(np.max(np.abs(theirs))))), name
    assert np.max(account(p, compiled).balance_error) < 1e-6


def test_doors_hold_the_setpoint_through_a_load_step(make_hall):
    """They must not follow supply air that drifts: the hall would stay warm for minutes after the step."""
    p = make_hall("rear doors")
    idle = steady_inputs(p, 1, np.array([0.0]), 25.0, 15.0, 12.0)
    busy = constant_series(idle, 240)._replace(activity=np.ones((240, 1, 1)))
    trace = run(p, settle(p, idle), busy, 5.0)
    over_k = trace.states.supply_air_c[:, 0] - 26.0
    assert np.max(over_k[60:]) < 1.0  # 2.9 K after five minutes if doors follow the drift
    assert 5.0 * float(np.maximum(over_k, 0.0).sum()) < 1000.0  # K s; 1700 if they do


@pytest.mark.slow
def test_a_loop_that_was_isolated_for_good_warms_no_further_than_its_servers_stay_on(make_hall, fleets):
    """Chips switch themselves off some kelvin above the throttle temperature; processors and memory with them."""
    p = make_hall("all plates", fleet=fleets["bare"])
    trace, used = faulted(p, (Happening("", "cdu", 300.0, np.inf, 1),))
    assert np.max(trace.states.rack_c[:, 0, 1]) < 110.0
    assert used.it_w[-1, 1] == pytest.approx(0.5 * used.it_w[-1, 0], rel=0.02)
