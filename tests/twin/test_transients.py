"""The hall second by second: comes to rest at the hourly plant, balances at every step, warms as it must."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from twinloop.fluids.liquids import liquid
from twinloop.planner.designs import KITS
from twinloop.twin.design import PlantConstants
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.plant import solve_plant
from twinloop.twin.transient_account import account
from twinloop.twin.transient_nouns import Bank, Fleet, TransientConstants
from twinloop.twin.transient_run import constant_series, guess, run, settle, steady_inputs

COOLERS = ("dry_cooler", "adiabatic_cooler", "tower")
PLANTS = ("air_cooled_chiller", "water_cooled_chiller")


def rest(p, group, dry_c, wet_c, level=1.0):
    """Return (steady plant, state at rest, what flows) at one weather point."""
    outdoor = OutdoorAir(np.array([dry_c]), np.array([wet_c]), np.array([wet_c - 2.0]), 101325.0)
    steady = solve_plant(p.plant, (replace(group, activity=np.array([level])),), outdoor, p.k)
    inputs = steady_inputs(p, 1, np.array([level]), dry_c, wet_c, wet_c - 2.0)
    trace = run(p, settle(p, inputs), constant_series(inputs, 3), 5.0)
    return (
        steady,
        type(trace.states)(*[v[-1] for v in trace.states]),
        type(trace.outputs)(*[v[-1] for v in trace.outputs]),
    )


def assert_same(steady, state, out, busy=True):
    """Temperatures within 0.1 K, heats and powers within 0.1 % of IT power."""
    one_permille_w = 1e-3 * float(steady.it_w[0])
    pairs_c = [
        (state.intake_c, steady.air.intake_c), (state.supply_air_c, steady.air.supply_c),
        (state.exhaust_c, steady.air.exhaust_c), (state.cold_supply_c, steady.cold.supply_c),
    ]  # fmt: skip
    pairs_w = [
        (out.it_w, steady.it_w), (out.air_heat_w, steady.it[0].air_heat_w), (out.coil_w, steady.air.coil_heat_w),
        (out.door_w, steady.air.door_heat_w), (out.crah_fan_w, steady.air.fan_w),
        (out.chiller_load_w, steady.cold.chiller_load_w), (out.free_cold_w, steady.cold.free_w),
    ]  # fmt: skip
    if busy:  # the hourly plant states the junction of a busy chip whatever the level, and stages no chillers off
        pairs_w += [(out.compressor_w, steady.cold.chiller_w)]
        pairs_c += [(state.die_c[0, 0, 0], steady.it[0].junction_c),
                    (state.die_c[1, 0, 0], steady.it[0].worst_junction_c)]  # fmt: skip
    if steady.warm is not None:
        pairs_c += [(state.warm_supply_c, steady.warm.supply_c), (state.warm_return_c, steady.warm.return_c),
                    (state.coolant_c[0], steady.warm.coolant_supply_c)]  # fmt: skip
        pairs_w += [
            (out.loop_heat_w.sum(), steady.it[0].warm_heat_w), (out.cdu_heat_w.sum(), steady.warm.cdu_heat_w),
            (out.free_w, steady.warm.free.heat_w), (out.trim_w, steady.warm.trim_w),
            (out.cdu_pump_w + out.warm_pump_w + out.tower_pump_w,
             steady.warm.cdu_pump_w + steady.warm.pump_w + steady.warm.free.pump_w),
        ]  # fmt: skip
    for ours, theirs in pairs_c:
        assert float(np.ravel(ours)[0]) == pytest.approx(float(np.ravel(theirs)[0]), abs=0.1)
    for ours, theirs in pairs_w:
        assert float(np.ravel(ours)[0]) == pytest.approx(float(np.ravel(theirs)[0]), abs=one_permille_w)


@pytest.mark.parametrize(("cooler", "plant"), [("dry_cooler", PLANTS[0]), ("tower", PLANTS[1])])
@pytest.mark.parametrize("kit", list(KITS))
def test_at_rest_it_is_the_hourly_plant_on_the_design_day(make_hall, make_group, kit, cooler, plant):
    assert_same(*rest(make_hall(kit, cooler, plant), make_group(), 34.0, 22.0))


@pytest.mark.slow
@pytest.mark.parametrize(("dry_c", "wet_c"), [(34.0, 22.0), (24.0, 14.0), (-5.0, -6.0)])
@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("cooler", COOLERS)
@pytest.mark.parametrize("kit", list(KITS))
def test_at_rest_it_is_the_hourly_plant_everywhere(make_hall, make_group, kit, cooler, plant, dry_c, wet_c):
    assert_same(*rest(make_hall(kit, cooler, plant), make_group(), dry_c, wet_c))


def test_at_rest_without_load_and_without_leakage_at_half_load(make_hall, make_group):
    """Between idle and busy the hourly plant keeps a share of time, this one a level of power: leakage apart, equal."""
    assert_same(*rest(make_hall("plates + air"), make_group(), 20.0, 12.0, level=0.0), busy=False)
    p = make_hall("plates + air")
    bare = replace(p, k=replace(p.k, leakage_per_k=0.0))
    steady, _, out = rest(bare, make_group(), 20.0, 12.0, level=0.5)
    assert float(out.it_w[0]) == pytest.approx(float(steady.it_w[0]), rel=1e-3)
    assert float(out.coil_w[0]) == pytest.approx(float(steady.air.coil_heat_w[0]), rel=1e-3)


def test_throttled_at_rest_holds_the_limit_as_the_hourly_plant_does(make_hall, make_group):
    hot = make_group(r_air_k_w=0.11)
    steady, state, out = rest(make_hall("air", it=hot), hot, 34.0, 22.0)
    assert float(steady.it[0].throttled[0]) > 0.0
    assert_same(steady, state, out)
    assert float(state.die_c[1].max()) == pytest.approx(87.0, abs=1e-6)


@pytest.mark.parametrize("step_s", [1.0, 5.0, 15.0])
@pytest.mark.parametrize("kit", ["rear doors", "plates + air", "immersion"])
def test_balances_hold_at_every_step_from_a_start_far_from_rest(make_hall, kit, step_s):
    p = make_hall(kit, "tower", "water_cooled_chiller")
    inputs = steady_inputs(p, 1, np.array([1.0]), 30.0, 20.0, 15.0)
    swing = np.where((np.arange(120) // 7) % 2, 0.2, 1.0)[:, None, None]
    used = account(p, run(p, guess(p, inputs), constant_series(inputs, 120)._replace(activity=swing), step_s))
    assert np.max(used.balance_error) < 1e-6
    assert used.facility_w == pytest.approx(
        used.it_w + used.crah_fans_w + used.pumps_w + used.chillers_w + used.heat_rejection_w + used.ups_loss_w
        + used.distribution_loss_w + used.lighting_w
    )  # fmt: skip


def test_a_balance_would_notice_heat_that_goes_missing(make_hall):
    p = make_hall("plates + air")
    inputs = steady_inputs(p, 1, np.array([1.0]), 30.0, 20.0, 15.0)
    trace = run(p, guess(p, inputs), constant_series(inputs, 5), 5.0)
    lost = replace(trace, outputs=trace.outputs._replace(coil_w=0.999 * trace.outputs.coil_w))
    assert np.max(account(p, lost).balance_error) > 1e-5


def _stopped_rack(make_hall, make_group, c, coasting=False):
    """Return (times, coolant in the racks) after the pump stopped: 33.6 L a 227 kW rack, chips that never throttle."""
    k = PlantConstants(leakage_per_k=0.0)
    p = make_hall("plates + air", fleet=Fleet(), it=make_group(throttle_c=1000.0), k=k, c=c)
    inputs = steady_inputs(p, 1, np.array([1.0]), 25.0, 18.0, 15.0)
    start = settle(p, inputs, 3600.0)
    series = constant_series(inputs, 60)._replace(cdu_ok=np.zeros((60, 1, 1)))
    if not coasting:
        start = start._replace(cdu_pump=0.0 * start.cdu_pump)
    return np.arange(61.0), run(p, start, series, 1.0).states.rack_c[:, 0, 0]


def _seconds_to(times, values, rise_k):
    return float(np.interp(values[0] + rise_k, values, times))


def test_fourteen_kelvin_in_eight_seconds_in_the_fluid_alone():
    """227 kW in 33.6 L of 25 % glycol, no flow, adiabatic: published 8.2 s ± 5 %."""
    glycol = liquid("PG25")
    joules_k = 33.6e-3 * glycol.density_kg_m3(40.0) * glycol.heat_capacity_j_kg_k(40.0)
    assert 14.0 * joules_k / 227e3 == pytest.approx(8.2, rel=0.05)
    assert TransientConstants().coolant_j_m3_k * 33.6e-3 == pytest.approx(joules_k, rel=1e-3)


def test_a_stopped_loop_warms_at_that_rate_without_metal_and_slower_with_it(make_hall, make_group):
    no_metal = TransientConstants(plate_j_k=1e-3, die_s=1e-4)
    fluid_s = _seconds_to(*_stopped_rack(make_hall, make_group, no_metal), 14.0)
    assert fluid_s == pytest.approx(8.2, rel=0.05)
    metal_s = _seconds_to(*_stopped_rack(make_hall, make_group, TransientConstants()), 14.0)
    coasting_s = _seconds_to(*_stopped_rack(make_hall, make_group, TransientConstants(), coasting=True), 14.0)
    sys.stdout.write(
        f"\n+14 K: fluid {fluid_s:.1f} s, with plates and dies {metal_s:.1f} s, and pump run-down {coasting_s:.1f} s\n"
    )
    assert fluid_s + 1.0 < metal_s < coasting_s < 40.0


def test_loss_of_all_cooling_warms_the_hall_by_power_over_its_heat_capacity(make_hall, make_group):
    """Slope = P/(C_air + C_metal) once metal follows; C of sinks and dies is part of the servers' metal.

    Chips that never throttle, others switch themselves off before the metal follows; without leakage power stays.
    """
    p = make_hall("air", it=make_group(throttle_c=400.0), k=PlantConstants(leakage_per_k=0.0))
    inputs = steady_inputs(p, 1, np.array([0.3]), 25.0, 18.0, 15.0)
    start = settle(p, inputs)
    steps = 3600
    dead = constant_series(inputs, steps)._replace(handler_ok=np.zeros((steps, 3, 1)))
    trace = run(p, start, dead, 1.0)
    room_c = trace.states.room_c[:, 0]
    power_w = float(trace.outputs.it_w[-1, 0] + trace.outputs.room_w[-1, 0])
    chips_j_k = float((p.chips.busy_w * p.chips.caught[:, :, 0] * (p.chips.sink_s + p.chips.die_s)[:, :, 0]).sum())
    slope = (room_c[-1] - room_c[-301]) / 300.0
    assert slope == pytest.approx(power_w / (p.air_j_k + p.metal_j_k + chips_j_k), rel=0.02)
    # Air warms first and metal follows by its time constant.
    behind_k = room_c - trace.states.metal_c[:, 0]
    assert behind_k[-1] == pytest.approx(slope * p.c.metal_s, rel=0.02)
    assert np.diff(room_c)[30] > 5.0 * np.diff(trace.states.metal_c[:, 0])[30]
    assert np.max(account(p, trace).balance_error) < 1e-6


def test_an_air_sink_answers_with_the_two_measured_constants(make_hall):
    """A step of power: half of the rise within 2 s (fast, 0.5 s), 63 % of the rest after 40 s."""
    p = make_hall("air")
    idle = steady_inputs(p, 1, np.array([0.0]), 20.0, 12.0, 10.0)
    start = settle(p, idle)
    busy = constant_series(idle, 300)._replace(activity=np.ones((300, 1, 1)))
    die_c = run(p, start, busy, 1.0).states.die_c[:, 0, 0, 0, 0]
    rise_k = die_c - die_c[0]
    assert 0.4 < rise_k[3] / rise_k[-1] < 0.62
    slow = (rise_k[43] - rise_k[3]) / (rise_k[-1] - rise_k[3])
    assert 0.5 < slow < 0.75


def test_units_and_cases_do_not_change_the_physics(make_hall):
    """One unit or four, one case or three: the same hall."""
    one = make_hall("plates + air", fleet=Fleet())
    many = make_hall("plates + air", fleet=Fleet(*[Bank(4, 1)] * 6))
    inputs = [steady_inputs(p, cases, np.array([1.0]), 30.0, 20.0, 15.0) for p, cases in ((one, 1), (many, 3))]
    a, b = (run(p, settle(p, i, 1800.0), constant_series(i, 50), 5.0) for p, i in zip((one, many), inputs, strict=True))
    assert b.outputs.it_w == pytest.approx(np.repeat(a.outputs.it_w, 3, axis=1), rel=1e-9)
    assert b.states.intake_c == pytest.approx(np.repeat(a.states.intake_c, 3, axis=1), abs=1e-6)
    assert b.states.coolant_c[:, 2] == pytest.approx(np.repeat(a.states.coolant_c[:, 0], 3, axis=1), abs=1e-6)


def test_coolant_beyond_the_need_cools_chips_by_the_plates_own_law(make_hall, make_group):
    """At half load pumps told to keep 0.9 of design flow move more than the heat asks for.

    Of the junction's K above coolant, the film's 0.4 falls with flow^-0.6, and the coolant's own rise (5 K of it at
    design) with 1/flow. Pumps take the cube.
    """
    p = make_hall("plates + air", k=replace(PlantConstants(), leakage_per_k=0.0))
    more = replace(p, k=replace(p.k, minimum_flow_ratio=0.9))
    inputs = steady_inputs(p, 1, np.array([0.5]), 20.0, 12.0, 8.0)
    rested = [settle(each, inputs) for each in (p, more)]
    rise_k = [float(state.die_c[0, 0, 0, 0] - state.coolant_c[0, 0]) for state in rested]
    flow = 0.9 / float(rested[0].cdu_pump[0, 0])
    full_k, fast = float(p.chips.device_k[0, 0, 0, 0]), p.c.fast_share
    slow_k = full_k * (1.0 - fast)
    body_k = slow_k - 0.5 * p.k.coolant_rise_k
    expected = full_k * fast + body_k * (0.6 + 0.4 * flow**-0.6) + 0.5 * p.k.coolant_rise_k / flow
    assert flow > 1.4
    assert rise_k[1] / rise_k[0] == pytest.approx(expected / full_k, rel=1e-3)
    assert rested[1].cdu_pump[0, 0] == pytest.approx(0.9, rel=1e-3)


def test_servers_speed_up_at_rest_as_the_hourly_plant_says(make_hall, make_group):
    """Supply air of 32 °C: fans, flow and chips of both halls agree above the recommended intake too."""
    p = make_hall("air", air_supply_c=32.0, cold_supply_c=26.0)
    steady, state, out = rest(p, make_group(), 34.0, 22.0)
    assert_same(steady, state, out)
    assert float(out.fans_w.sum()) > 1.5 * make_group().fan_design_w
