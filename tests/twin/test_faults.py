"""Faults: read strictly, balanced to the last joule, and with the consequences that engineers expect."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from twinloop.errors import InputError
from twinloop.planner.failures import _with_capacity
from twinloop.twin.fault_words import EXAMPLES, read_faults
from twinloop.twin.faults import Happening, with_faults
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.happenings import NOT_ASKED, _turns, events_of, standby_words
from twinloop.twin.plant import solve_plant
from twinloop.twin.transient_account import account
from twinloop.twin.transient_nouns import Bank, Fleet, Inputs
from twinloop.twin.transient_run import constant_series, guess, run, settle, steady_inputs
from twinloop.twin.transient_wetted import back_c
from twinloop.twin.windows import Window

WINDOW = Window("test", 200 * 86400.0 + 13.0 * 3600.0, 200 * 86400.0 + 17.0 * 3600.0)
STEP_S = 5.0


def faulted(p, texts, minutes=60, level=1.0, dry_c=34.0, wet_c=22.0, ride_s=60.0, step_s=STEP_S):
    """Return (trace, account) of a window from 13:55; case 0 in order, case 1 with ``texts``."""
    window = Window("test", 200 * 86400.0 + 13.9166666667 * 3600.0, 200 * 86400.0 + 24 * 3600.0)
    faults = read_faults(tuple(texts), p, window, step_s)
    inputs = steady_inputs(p, 2, np.full(len(p.chips.names), level), dry_c, wet_c, wet_c - 4.0)
    series = with_faults(p, constant_series(inputs, round(minutes * 60 / step_s)), faults, 1, step_s, ride_s)
    trace = run(p, settle(p, inputs), Inputs(*series), step_s)
    return trace, account(p, trace)


def throttles_s(trace, after_s=300.0):
    lost = trace.states.ceiling[1:, 1, ..., 1].min(axis=(1, 2)) < 1.0 - 1e-6
    hit = np.flatnonzero(lost & (np.arange(trace.steps) * trace.step_s >= after_s))
    return float(hit[0] * trace.step_s - after_s) if hit.size else np.inf


def all_examples(p, kinds=EXAMPLES):
    """Return the examples this hall can have."""
    good = []
    for text in kinds:
        try:
            read_faults((text.replace("training", "train"),), p, WINDOW, STEP_S)
        except InputError:
            continue
        good.append(text.replace("training", "train"))
    return good


@pytest.mark.parametrize("kit", ["plates + rear doors", "air", "immersion"])
def test_every_fault_balances_at_every_step(make_hall, fleets, kit):
    """The whole matrix in one run: a case a fault."""
    cooler, plant = ("tower", "water_cooled_chiller") if kit != "air" else ("dry_cooler", "air_cooled_chiller")
    p = make_hall(kit, cooler, plant, fleets["bare"])
    texts = all_examples(p)
    inputs = steady_inputs(p, len(texts), np.array([1.0]), 34.0, 22.0, 18.0)
    steps = 720
    start = settle(p, inputs, 3600.0)
    series = constant_series(inputs, steps)
    for case, text in enumerate(texts):
        fault = read_faults((text,), p, WINDOW, STEP_S)[0]
        early = replace(fault, start_s=300.0, end_s=300.0 + min(fault.end_s - fault.start_s, 1800.0))
        series = with_faults(p, series, (early,), case, STEP_S, 60.0)
    used = account(p, run(p, start, series, STEP_S))
    assert len(texts) >= 10
    for case, text in enumerate(texts):
        for name, mismatch in used.mismatches_w.items():
            relative = np.abs(mismatch[:, case]) / np.maximum(used.it_w[:, case], 0.05 * p.plant.it_w)
            assert np.max(relative) < 1e-6, (text, name)
    assert np.all(np.isfinite(used.facility_w))


def test_liquid_throttles_in_seconds_air_in_minutes(make_hall, fleets):
    loop, _ = faulted(make_hall("plates + air", fleet=fleets["bare"]), ["cdu-1 pump stops at 14:00"], 20)
    bath, _ = faulted(make_hall("immersion", fleet=fleets["bare"]), ["cdu-1 pump stops at 14:00"], 40)
    wall, _ = faulted(make_hall("air", fleet=fleets["bare"]), ["fan wall stops at 14:00"], 20)
    machines = ["chiller-1 trips at 14:00", "chiller-2 trips at 14:00"]
    water, _ = faulted(make_hall("air", fleet=fleets["bare"]), machines, 40)
    times = [throttles_s(trace) for trace in (loop, wall, water, bath)]
    sys.stdout.write("until throttling, s: plates {}, fan wall {}, chillers {}, bath {}\n".format(*times))
    assert 2.0 <= times[0] <= 40.0
    assert 10.0 <= times[1] <= 600.0
    assert times[0] < times[1] < times[2]
    assert times[2] >= 120.0
    assert times[3] > 60.0


@pytest.mark.parametrize("left", [(1, 2), (2, 3)])
@pytest.mark.parametrize("kit", ["air", "rear doors", "plates + air", "immersion"])
def test_the_plans_lost_air_handler_is_where_the_hall_comes_to_rest(make_hall, make_group, kit, left):
    """Those left blow 1.1 of their speed; what servers draw beyond that is the room's air."""
    running, of = left
    p = make_hall(kit, "tower", fleet=Fleet(*[Bank(of, 0)] * 5, Bank(1, 0)))
    inputs = steady_inputs(p, 1, np.ones(1), 34.0, 22.0, 14.0)
    handlers = np.array(inputs.handler_ok)
    handlers[running:] = 0.0
    # Beside baths little air carries little heat: metal then follows with a constant of an hour.
    state = settle(p, inputs._replace(handler_ok=handlers), 21600.0 if kit == "immersion" else 5400.0)
    outdoor = OutdoorAir(np.array([34.0]), np.array([22.0]), np.array([14.0]), 101325.0)
    plan = solve_plant(_with_capacity(p.plant, "AH", running / of), (make_group(),), outdoor, p.k)
    for rest, planned in (
        (state.supply_air_c, plan.air.supply_c), (state.intake_c, plan.air.intake_c),
        (state.exhaust_c, plan.air.exhaust_c), (state.die_c.max(), plan.it[0].worst_junction_c),
        (back_c(p, state), plan.air.return_c),
    ):  # fmt: skip
        assert float(np.max(rest)) == pytest.approx(float(planned[0]), abs=0.1)
    assert np.max(plan.balance_error) < 1e-6
    if kit == "immersion":  # no servers draw air: the room alone warms, by less air
        assert float(plan.air.return_c[0] - plan.air.supply_c[0]) > 15.0
        return
    short_k = float(plan.air.intake_c[0] - plan.air.supply_c[0])
    assert short_k > (0.8 if kit == "rear doors" else 1.5)  # of the room's air; 0.3 to 0.8 K with all of them


def test_a_coil_valve_holds_while_fans_stand_still(make_hall, fleets):
    """Without air a valve has no say in the supply temperature: it must not swing, nor the event come and go."""
    trace, _ = faulted(make_hall("plates + air", fleet=fleets["bare"]), ["fan wall stops at 14:00 for 10 min"], 30)
    valve = trace.states.coil_valve[61:180, 1]
    turns = np.count_nonzero(np.diff(np.sign(np.round(np.diff(valve), 4))))
    assert turns <= 2
    over = trace.states.supply_air_c[61:, 1] > 28.0
    assert np.count_nonzero(np.diff(over.astype(int))) <= 4
    assert trace.states.supply_air_c[-1, 1] == pytest.approx(26.0, abs=0.5)


def test_one_chiller_away_floats_the_supply_throttles_and_returns(make_hall, make_group, fleets):
    hot = make_group(r_air_k_w=0.0715)  # machines in warmer water give more: it takes a hotter chip to throttle
    p = make_hall("air", fleet=fleets["bare"], it=hot)
    trace, used = faulted(p, ["chiller-1 trips at 14:00 for 1 h"], 180)
    supply_c = trace.states.supply_air_c[1:, 1]
    assert supply_c[:59] == pytest.approx(26.0, abs=0.1)
    assert supply_c[60:780].max() > 30.0
    assert np.isfinite(throttles_s(trace))
    assert trace.states.ceiling[..., 1].min() < 0.8
    assert trace.states.ceiling[..., 0].min() == pytest.approx(1.0)
    chips_w = used.it_w[:, 1] - used.server_fans_w[:, 1] / 0.95  # the fans speed up meanwhile
    assert chips_w.min() < 0.9995 * chips_w[0]  # the worst chips' loss beats the hotter ones' leakage
    assert used.server_fans_w[:, 1].max() > 1.3 * used.server_fans_w[0, 1]
    assert supply_c[-1] == pytest.approx(26.0, abs=0.1)
    assert trace.states.ceiling[-1, ..., 1].min() == pytest.approx(1.0)
    assert used.it_w[-1, 1] == pytest.approx(used.it_w[-1, 0], rel=1e-3)


def test_a_fault_of_a_unit_that_stands_by_says_so(make_hall, fleets):
    p = make_hall("plates + air", fleet=fleets["two"])
    running, spare = p.fleet.cdus.running, p.fleet.cdus.spare
    assert spare == 1
    said = {
        unit: standby_words(p, read_faults((f"cdu-{unit} pump stops at 14:00",), p, WINDOW, STEP_S)[0])
        for unit in range(1, running + 2)
    }
    assert all(said[unit] == "" for unit in range(1, running + 1))
    assert f"cdu-{running + 1} stands by and carries nothing" in said[running + 1]
    assert f"cdu-1 to cdu-{running} work" in said[running + 1]
    trace, _ = faulted(p, [f"cdu-{running + 1} pump stops at 14:00"], 10)
    assert np.array_equal(trace.inputs.cdu_ok[:, :, 1], trace.inputs.cdu_ok[:, :, 0])  # it is true


def test_a_stand_in_takes_over(make_hall, fleets):
    p = make_hall("plates + air", fleet=fleets["two"])
    trace, _ = faulted(p, ["cdu-2 pump stops at 14:00 for 30 min"], 20)
    pump = trace.states.cdu_pump[1:, :, 1]
    assert pump[60:63, 1].min() < 0.6
    assert pump[80, 1] > 0.9
    assert trace.states.alive.min() == 1.0
    both, _ = faulted(p, ["cdu-1 fails at 14:00", "cdu-2 fails at 14:00"], 10)
    assert (both.inputs.cdu_ok[-1, :, 1] == [1.0, 0.0]).all()  # one spare: the first loop gets it


def test_a_power_cut_rides_on_battery_until_the_generator(make_hall, fleets):
    p = make_hall("plates + air", fleet=fleets["bare"])
    trace, used = faulted(p, ["power fails at 14:00 for 2 min"], 30)
    assert np.all(trace.inputs.it_power == 1.0)
    assert trace.inputs.warm_pump_ok[60, 1] == 0.0
    assert trace.inputs.warm_pump_ok[63, 1] == 1.0  # ten seconds to the generator
    assert np.all(trace.inputs.cdu_ok == 1.0)
    assert used.chillers_w[100, 1] == 0.0  # five minutes until the chillers are back
    assert used.chillers_w[-1, 1] > 0.0
    dark, dark_used = faulted(p, ["power fails at 14:00 for 10 min", "generator fails at 14:00 for 1 h"], 30)
    assert dark.inputs.it_power[60 + 11, 1] == 1.0
    assert dark.inputs.it_power[60 + 13, 1] == 0.0
    assert dark_used.it_w[100, 1] == 0.0
    assert dark_used.it_w[-1, 1] > 0.0


def test_a_wrong_reading_misleads_the_controller(make_hall, fleets):
    p = make_hall("air", fleet=fleets["two"])
    trace, _ = faulted(p, ["supply air sensor reads 3 K low at 14:00 for 30 min"], 70)
    supply_c = trace.states.supply_air_c[1:, 1]
    assert supply_c[60 + 350] == pytest.approx(29.0, abs=0.2)
    assert supply_c[-1] == pytest.approx(26.0, abs=0.2)


def test_swings_of_training_shake_power_and_barely_the_water(make_hall, fleets):
    p = make_hall("plates + air", fleet=fleets["two"])
    trace, used = faulted(p, ["train swings 60 % every 20 s at 14:00 for 20 min"], 30, step_s=2.0)
    window = slice(300, 700)
    assert np.ptp(used.it_w[window, 1]) > 0.3 * used.it_w[0, 1]
    assert np.ptp(trace.states.die_c[1:][window, 0, 0, 0, 1]) > 5.0
    assert np.ptp(trace.states.warm_return_c[1:][window, 1]) < 3.0


def test_open_containment_warms_the_intake(make_hall, fleets):
    trace, _ = faulted(make_hall("air", fleet=fleets["two"]), ["containment opens at 14:00"], 30)
    assert trace.states.intake_c[-1, 1] > trace.states.intake_c[-1, 0] + 2.0


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("cdu-9 pump stops at 14:00", "cdu-1 to cdu-3, of which the last 1 stand by"),
        ("cdu-2 pump stopps at 14:00", "did you mean 'cdu-2 pump stops'"),
        ("cdu-2 pump stops", "WHAT at HH:MM"),
        ("cdu-2 pump stops at 25:00", "a time between"),
        ("cdu-2 pump stops at 02:00", "a time between"),
        ("cdu-2 pump stops at 14:00 for 10", "a duration such as"),
        ("cdu-2 pump stops at 14:00 for 0 s", "above zero"),
        ("tower-1 fails at 14:00", "equipment of this hall"),
        ("condenser pump stops at 14:00", "air-cooled"),
        ("basin sensor sticks at 14:00", "no tower"),
        ("supply air sensor reads 3 kg high at 14:00", "a temperature difference"),
        ("trian swings 40 % every 20 s at 14:00", "did you mean 'train'"),
        ("train swings 40 % every 6 s at 14:00", "--step"),
        ("heat wave of 80 K at 14:00", "up to 25 K"),
        ("cdu-1 leaks 0 L/min at 14:00", "above zero"),
        ("", "WHAT at HH:MM"),
    ],
)
def test_a_wrong_fault_is_refused_with_what_was_expected(make_hall, text, part):
    with pytest.raises(InputError) as caught:
        read_faults((text,), make_hall("plates + air"), WINDOW, STEP_S)
    assert part in str(caught.value)


def test_all_wrong_faults_are_told_at_once_and_right_ones_are_read(make_hall):
    p = make_hall("plates + air")
    with pytest.raises(InputError) as caught:
        read_faults(("nonsense", "chiller-7 trips at 14:00"), p, WINDOW, STEP_S)
    assert len(caught.value.faults) == 2
    # no cold tower, so no condenser pump and no basin; no thermosyphon, evaporative cooler or heat buyer either
    assert len(all_examples(p)) == len(EXAMPLES) - 6
    found = read_faults(("CDU-2  pump stops at 14:00 for 10 min",), p, WINDOW, STEP_S)[0]
    assert (found.kind, found.unit, found.start_s, found.end_s) == ("cdu", 2, 3600.0, 4200.0)


def test_a_leak_isolates_its_loop_and_carries_heat_to_the_drain(make_hall, fleets):
    p = make_hall("plates + air", fleet=fleets["bare"])
    trace, _ = faulted(p, ["cdu-1 leaks 20 L/min at 14:00 for 10 min"], 12)
    assert trace.outputs.drain_w[60:70, 0, 1].max() > 1e3
    assert trace.inputs.cdu_ok[60 + 13, 0, 1] == 0.0
    assert trace.inputs.cdu_ok[:, 1, 1].min() == 1.0


def test_times_of_faults_do_not_depend_on_the_step(make_hall, fleets):
    p = make_hall("plates + air", fleet=fleets["bare"])
    coarse, fine = (throttles_s(faulted(p, ["cdu-1 pump stops at 14:00"], 8, step_s=s)[0]) for s in (5.0, 1.0))
    assert abs(coarse - fine) <= 10.0


def test_a_fault_that_never_ends_lasts_to_the_end(make_hall, fleets):
    fault = Happening("", "fan wall", 100.0, np.inf)
    p = make_hall("air", fleet=fleets["two"])
    inputs = steady_inputs(p, 1, np.array([1.0]), 20.0, 12.0, 10.0)
    series = with_faults(p, constant_series(inputs, 100), (fault,), 0, 5.0, 60.0)
    assert series.handler_ok[19].max() == 1.0
    assert series.handler_ok[20:].max() == 0.0


def test_a_generator_that_nobody_asks_is_said_so(make_hall):
    p = make_hall("air")
    inputs = steady_inputs(p, 1, np.array([1.0]), 25.0, 18.0, 15.0)
    trace = run(p, guess(p, inputs), constant_series(inputs, 4), 5.0)
    window = Window("test", 0.0, 20.0)
    generator = Happening("generator fails", "generator", 5.0, 15.0)

    def told(*faults):
        return [words for words in events_of(p, trace, faults, window)[1] if "generator is not asked" in words]

    assert told(generator) == ["01-01 00:00:05 " + NOT_ASKED]
    assert not told(generator, Happening("power fails", "power", 10.0, 20.0))
    assert told(generator, Happening("power fails", "power", 15.0, 20.0))


def test_what_comes_and_goes_is_told_once_with_how_often_and_how_long():
    flags = np.array([False] * 5 + [True, False, False, False] * 5)
    found = _turns(flags, "chillers rest", "chillers run", 10.0)
    assert found == [(50.0, "chillers rest; from here on this begins 5 times and lasts 25% of the time: "
                            "it stays at the edge")]  # fmt: skip
    assert len(_turns(flags[:12], "chillers rest", "chillers run", 10.0)) == 4
