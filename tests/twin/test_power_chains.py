"""Power chains in the hall: where each watt of loss lands, what meters see, what a battery in the rack leaves out."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from twinloop.model.site import PowerChain
from twinloop.power.chains import chain
from twinloop.twin.electrical import electric_state, rack_rating_w, room_loss_w, size_electrics
from twinloop.twin.fault_words import read_faults
from twinloop.twin.faults import with_faults
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.plant import mismatches_w, solve_plant
from twinloop.twin.transient_account import account
from twinloop.twin.transient_run import constant_series, guess, run, settle, steady_inputs
from twinloop.twin.windows import Window

_spec = importlib.util.spec_from_file_location("halls", Path(__file__).with_name("test_plant_closure.py"))
assert _spec is not None
assert _spec.loader is not None
halls = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(halls)

K = halls.K
CHAINS: tuple[PowerChain, ...] = get_args(PowerChain)
DIRECT = tuple(name for name in CHAINS if name.startswith("dc_"))
WINDOW = Window("test", 13.9166666667 * 3600.0, 24 * 3600.0)


def state_of(name, kit="plates + rear doors", **changes):
    return halls.run(halls.design(kit, "tower", "water_cooled_chiller", power_chain=name, **changes))


@pytest.mark.parametrize("kit", ["air", "plates + rear doors", "all plates", "immersion"])
@pytest.mark.parametrize("name", CHAINS)
def test_every_watt_of_loss_lands_somewhere(name, kit):
    state, plant = state_of(name, kit)
    for element, mismatch in mismatches_w(state, plant).items():
        assert np.max(np.abs(mismatch) / state.it_w) < 1e-6, element
    it = state.it[0]
    assert it.it_w == pytest.approx(it.compute_w + it.fans_w + it.psu_loss_w)
    assert it.it_w == pytest.approx(it.air_heat_w + it.warm_heat_w)
    assert np.all(it.psu_loss_w > 0.0)
    assert np.all(state.electric.ups_loss_w >= 0.0)


def test_the_rack_loses_by_hand():
    """40 servers at full power: 260 kW and 36 kW of fans; N+1 shelves of 260 + 36 = 296 kW / 0.8 x 6/5 = 444 kW."""
    state, _ = state_of("dc_48v", "air")
    it = state.it[0]
    others_w = it.compute_w - it.by_component_w["accelerator"] + it.fans_w
    board_w = 110e3 * 0.0024 + 0.0214 * others_w**2 / 110e3  # (20 + 16 + 12 + 4 + 36) kW / 0.8
    through_w = it.compute_w + it.fans_w + board_w
    assert it.psu_loss_w == pytest.approx(board_w + 444e3 * 0.0061 + 0.0268 * through_w**2 / 444e3, rel=1e-9)
    assert it.by_component_w["power_supply"] == pytest.approx(it.psu_loss_w)


@pytest.mark.parametrize(
    ("name", "ups_w", "coefficients"),
    [
        ("ac_eco_mode", 6e6, (0.0025, 0.004, 0.004)),
        ("dc_380v", 6e6, (0.0078, 0.0, 0.0307)),
        ("dc_800v", 6e6, (0.004, 0.0, 0.0144)),
        ("dc_48v", 6e6, (0.0, 0.0, 0.0)),
    ],
)
def test_the_buildings_share_by_hand(name, ups_w, coefficients):
    """4 MW of IT, N+1: six modules of 1 MW; the feeder's share of what passes; the transformer before all of it."""
    chosen = size_electrics(4e6, "N+1", K, name)
    state = electric_state(chosen, np.array([3e6]), np.array([1e6]))
    none, linear, square = coefficients
    lost_w = ups_w * none + linear * 3e6 + square * 9e12 / ups_w
    gear_w = {"dc_380v": 0.006, "dc_800v": 0.003}.get(name, 0.005) * 3e6
    assert state.ups_loss_w == pytest.approx(lost_w, rel=1e-9)
    assert state.distribution_loss_w - state.outdoor_loss_w == pytest.approx(gear_w, rel=1e-9)
    assert room_loss_w(chosen, 3e6) == pytest.approx(lost_w + gear_w, rel=1e-9)
    through_w, rated_w = 4e6 + lost_w + gear_w, chosen.installed_w["transformer"]
    assert state.outdoor_loss_w == pytest.approx(0.001 * rated_w + 0.006 * through_w**2 / rated_w, rel=1e-9)


def test_two_paths_at_half_load_lose_by_their_curve():
    """2N: each side carries half. Double conversion gains nothing there; shelves near their best point do."""
    for name, load in (("ac_double_conversion", 3e6), ("dc_380v", 3e6)):
        single, paired = (size_electrics(4e6, each, K, name) for each in ("N", "2N"))
        curve = chain(name).central
        for chosen, x in ((single, 0.8 * 0.75), (paired, 0.5 * 0.75)):
            wanted = load / x * (curve.no_load + curve.linear * x + curve.quadratic * x * x)
            assert electric_state(chosen, load, 0.0).ups_loss_w == pytest.approx(wanted, rel=1e-9)
    assert [rack_rating_w(1e6, each, K) for each in ("N", "N+1", "2N")] == pytest.approx([1.25e6, 1.5e6, 2e6])
    losses = [state_of("dc_48v", redundancy=each)[0].it[0].psu_loss_w.max() for each in ("N", "2N")]
    assert losses[1] < losses[0]  # 80 % of one path is past the best point, 40 % of each of two is before it


def test_no_ups_no_loss_between_transformer_and_rack_but_feeders():
    state, _ = state_of("dc_48v")
    assert np.all(state.electric.ups_loss_w == 0.0)
    gear_w = state.electric.distribution_loss_w - state.electric.outdoor_loss_w
    assert gear_w == pytest.approx(0.005 * state.it_w)


def test_eco_mode_changes_the_building_and_not_the_racks():
    twice, eco = (state_of(name)[0] for name in ("ac_double_conversion", "ac_eco_mode"))
    assert eco.it_w == pytest.approx(twice.it_w, rel=1e-6)
    assert np.all(eco.facility_w < twice.facility_w)
    # Less heat in the hall besides: what is saved is more than the UPS loses less.
    saved_w, ups_w = twice.facility_w - eco.facility_w, twice.electric.ups_loss_w - eco.electric.ups_loss_w
    assert np.all(saved_w[ups_w > 0.0] > ups_w[ups_w > 0.0] * 0.99)
    assert saved_w[-1] > 1.05 * ups_w[-1]  # the hottest hour: compressors carry it off


def test_what_moves_into_the_rack_leaves_pue_and_stays_in_tue():
    """PUE may fall by moving a loss behind the meter; facility over components may not."""
    states = {name: state_of(name)[0] for name in CHAINS}

    def ratio(name, above, below):
        return float(np.sum(above(states[name])) / np.sum(below(states[name])))

    pue = {name: ratio(name, lambda s: s.facility_w, lambda s: s.it_w) for name in CHAINS}
    itue = {name: ratio(name, lambda s: s.it_w, lambda s: s.it[0].compute_w) for name in CHAINS}
    tue = {name: ratio(name, lambda s: s.facility_w, lambda s: s.it[0].compute_w) for name in CHAINS}
    for name in CHAINS:
        assert tue[name] == pytest.approx(pue[name] * itue[name])
    assert pue["dc_48v"] < pue["dc_800v"] < pue["dc_380v"] < pue["ac_double_conversion"]
    assert min(tue, key=tue.get) == "dc_48v"
    assert max(tue, key=tue.get) == "ac_double_conversion"


@pytest.mark.parametrize("name", DIRECT)
@pytest.mark.parametrize("kit", ["air", "plates + rear doors", "immersion"])
def test_at_rest_second_by_second_it_is_the_hourly_hall(make_hall, make_group, name, kit):
    p = make_hall(kit, "tower", "water_cooled_chiller", power_chain=name)
    inputs = steady_inputs(p, 1, np.ones(1), 34.0, 22.0, 18.0)
    trace = run(p, settle(p, inputs), constant_series(inputs, 3), 5.0)
    used = account(p, trace)
    air = OutdoorAir(np.array([34.0]), np.array([22.0]), np.array([18.0]), 101325.0)
    steady = solve_plant(p.plant, (make_group(),), air, K)
    assert used.it_w[-1, 0] == pytest.approx(steady.it_w[0], rel=2e-3)
    assert used.psu_loss_w[-1, 0] == pytest.approx(steady.it[0].psu_loss_w[0], rel=2e-3)
    assert used.ups_loss_w[-1, 0] == pytest.approx(steady.electric.ups_loss_w[0], rel=2e-3, abs=1e-6)
    assert np.max(used.balance_error) < 1e-6


def cut(p, ride_s=60.0, texts=("power fails at 14:00 for 5 min",)):
    """Return (trace, account): case 1 loses the utility 5 min after the start."""
    faults = read_faults(texts, p, WINDOW, 5.0)
    inputs = steady_inputs(p, 2, np.ones(1), 34.0, 22.0, 18.0)
    series = with_faults(p, constant_series(inputs, 240), faults, 1, 5.0, ride_s)
    trace = run(p, settle(p, inputs), series, 5.0)
    return trace, account(p, trace)


def test_a_battery_in_the_rack_carries_no_pump(make_hall, fleets):
    halls_by = {name: make_hall("plates + air", fleet=fleets["two"], power_chain=name) for name in CHAINS}
    found = {name: cut(p) for name, p in halls_by.items()}
    dip = slice(60, 62)  # the generator takes 10 s: two steps without it
    for name, (trace, used) in found.items():
        assert np.all(used.it_w[dip, 1] > 0.9 * used.it_w[0, 1]), name  # the battery holds the racks
        assert np.max(used.balance_error) < 1e-6, name
        running = trace.inputs.cdu_ok[dip, :, 1]
        assert np.all(running == (0.0 if name == "dc_48v" else 1.0)), name
        assert np.all(trace.inputs.cdu_ok[70:80, :, 1] == 1.0), name
    hot, held = (found[name][0].states.die_c[:, 0, ..., 1].max() for name in ("dc_48v", "ac_double_conversion"))
    assert hot > held + 1.0


def test_a_battery_that_is_empty_drops_the_racks_and_their_converters(make_hall, fleets):
    p = make_hall("plates + air", fleet=fleets["two"], power_chain="dc_48v")
    trace, used = cut(p, 60.0, ("power fails at 14:00 for 5 min", "generator fails at 14:00 for 1 h"))
    assert np.all(used.it_w[62:70, 1] > 0.0)
    assert np.all(used.it_w[75:110, 1] == 0.0)
    assert np.all(used.psu_loss_w[75:110, 1] == 0.0)
    assert np.max(used.balance_error) < 1e-6
    del trace


def test_far_from_rest_it_balances_too(make_hall):
    p = make_hall("air", power_chain="dc_800v")
    inputs = steady_inputs(p, 1, np.array([0.3]), 10.0, 5.0, 2.0)
    out = run(p, guess(p, inputs), constant_series(inputs, 5), 5.0)
    assert np.max(account(p, out).balance_error) < 1e-6
