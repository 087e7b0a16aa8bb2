"""Cold plates against published rows; chips in time against the steady point and an independent integrator."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from twinloop.cooling import cold_plates as cp
from twinloop.cooling.chips import Chip, ChipState, chip_at_rest, chip_step
from twinloop.cooling.pumps import coasting_speed
from twinloop.fluids.liquids import liquid
from twinloop.power.operating_point import operating_point

PG25 = liquid("PG25")


def test_published_rack_flow_law():
    """Transcription: the law's own table."""
    for supply_c, flow in ((17.0, 125), (25.0, 149), (30.0, 171), (35.0, 201), (40.0, 246), (45.0, 324)):
        assert float(cp.rack_flow_l_min(supply_c)) == pytest.approx(flow, rel=0.005)


def test_two_points_of_the_flow_law_predict_the_others():
    """Proof: R(flow) with the turbulent exponent, fitted at 17 and 45 °C supply, gives the flow between within 5 %.

    The budget is the published return limit (65 °C) less supply less the coolant's own warming: the hottest chip
    sits at the outlet. Largest miss 3.7 %, at 35 °C.
    """
    rack = cp.VR_NVL72_MAX_P

    def warming_k(flow_l_min, supply_c):
        kg_s = flow_l_min / 6e4 * PG25.density_kg_m3(supply_c)
        return rack.power_w / (kg_s * PG25.heat_capacity_j_kg_k(supply_c))

    def resistance(supply_c):
        flow = cp.rack_flow_l_min(supply_c)
        return float(flow), float((rack.return_limit_c - supply_c - warming_k(flow, supply_c)) / rack.power_w)

    plate = cp.fit_plate(*resistance(17.0), *resistance(45.0), exponent=0.8)
    assert plate.convective > 0.0
    misses = []
    for supply_c in (20.0, 25.0, 30.0, 35.0, 40.0):
        predicted = brentq(
            lambda q, t=supply_c: (
                t + warming_k(q, t) + rack.power_w * cp.plate_r_k_w(plate, q) - rack.return_limit_c
            ),
            50.0,
            1000.0,
        )  # fmt: skip
        misses.append(predicted / cp.rack_flow_l_min(supply_c) - 1.0)
    assert max(abs(np.array(misses))) < 0.05
    # The law bends as R does, from the warm side outwards: no row lies where a constant resistance would put it.
    assert cp.plate_r_k_w(plate, 125.0) > 2.0 * cp.plate_r_k_w(plate, 324.0)


def test_published_rack_pressure_table():
    for flow, psi in ((149, 5), (171, 6), (201, 8), (246, 12), (324, 19)):
        assert cp.rack_dp_pa(flow) / cp.PA_PER_PSI == pytest.approx(psi, abs=0.5)


def test_boyd_worked_example():
    """500 W into 0.5 gpm of water at 20 °C: the vendor's chart says 4 K and 24 °C, the first law 3.8 K."""
    kg_s = 0.5 * 3.785411784e-3 / 60.0 * 998.2
    required_k_w = (55.0 - 24.0) / 500.0  # their surface limit over the outlet
    point = cp.cold_plate(cp.ColdPlate(0.02, 0.0008), 500.0, 20.0, kg_s, 4182.0)
    assert round(float(point.coolant_out_c)) == 24
    assert float(point.coolant_out_c) == pytest.approx(20.0 + 500.0 / (kg_s * 4182.0))
    assert float(point.case_c) < 55.0
    assert (float(point.case_c) - float(point.coolant_out_c)) / 500.0 < required_k_w


def test_fit_passes_through_its_points_and_falls_with_flow():
    plate = cp.fit_plate(0.01, 0.050, 0.04, 0.030)
    assert cp.plate_r_k_w(plate, 0.01) == pytest.approx(0.050)
    assert cp.plate_r_k_w(plate, 0.04) == pytest.approx(0.030)
    flows = np.linspace(0.005, 0.08, 40)
    assert (np.diff(cp.plate_r_k_w(plate, flows)) < 0.0).all()
    assert np.isfinite(cp.plate_r_k_w(plate, 0.0))


def test_paste_ages_to_double_its_share():
    assert cp.aged_resistance_k_w(0.06, 2.5, interface_share=1.0 / 3.0) == pytest.approx(0.08)
    assert cp.aged_resistance_k_w(0.06, 0.0) == 0.06


def test_standing_coolant_warms_14_k_in_8_seconds():
    """227 kW in 33.6 L, no flow, fluid only and adiabatic: 8.2 s, 5 %."""
    density, capacity = PG25.density_kg_m3(45.0), PG25.heat_capacity_j_kg_k(45.0)
    slope = cp.still_heating_k_s(227e3, cp.VR_NVL72_MAX_P.volume_m3, density, capacity)
    assert 14.0 / slope == pytest.approx(8.2, rel=0.05)


def test_metal_and_coasting_pumps_make_it_slower():
    """The slower truth: pumps run down (3 s) and 300 kg of copper and steel warm along."""
    density, capacity = PG25.density_kg_m3(45.0), PG25.heat_capacity_j_kg_k(45.0)
    fluid_j_k = cp.VR_NVL72_MAX_P.volume_m3 * density * capacity
    full_w_k = 227e3 / 10.6

    def until_14_k(metal_j_k, coasts):
        def rate(t, excess):
            through = full_w_k * float(coasting_speed(1.0, t)) if coasts else 0.0
            return (227e3 - through * (10.6 + excess)) / (fluid_j_k + metal_j_k)

        done = solve_ivp(rate, (0, 200), [0.0], events=lambda t, y: y[0] - 14.0, max_step=0.1)
        return done.t_events[0][0]

    assert until_14_k(0.0, coasts=False) == pytest.approx(8.2, rel=0.05)
    assert until_14_k(0.0, coasts=True) > 1.2 * until_14_k(0.0, coasts=False)
    assert until_14_k(300.0 * 420.0, coasts=False) == pytest.approx(8.2 * (1 + 300 * 420 / fluid_j_k), rel=0.05)


CHIP = Chip(idle_w=80.0, busy_w=700.0, r_die_k_w=0.02, die_j_k=25.0, case_j_k=250.0)


def settle(chip, coolant_c, r_k_w, activity=1.0, seconds=600, step_s=1.0, state=None):
    state = chip_at_rest(coolant_c) if state is None else state
    after = None
    for _ in range(int(seconds / step_s)):
        after = chip_step(chip, state, coolant_c, r_k_w, activity, step_s)
        state = after.state
    return after


@pytest.mark.parametrize(("coolant", "r_case", "activity"), [(25.0, 0.03, 1.0), (40.0, 0.01, 0.6), (35.0, 0.045, 0.3)])
def test_chip_rests_where_the_steady_point_says(coolant, r_case, activity):
    after = settle(CHIP, coolant, r_case, activity)
    steady = operating_point(
        700.0, coolant, r_case + 0.02, CHIP.leakage_per_k, CHIP.reference_c, 1e9, 200.0, activity, 80.0
    )
    assert float(after.power_w) == pytest.approx(float(steady.power_w), rel=1e-6)
    assert float(after.state.die_c) == pytest.approx(float(steady.junction_c), abs=1e-4)


def test_chip_energy_closes_every_step():
    state = chip_at_rest(30.0)
    random = np.random.default_rng(3)
    for _ in range(200):
        activity, coolant, dt = random.uniform(0, 1), random.uniform(20, 60), random.choice([0.05, 1.0, 15.0])
        after = chip_step(CHIP, state, coolant, 0.03, activity, dt)
        stored = CHIP.die_j_k * (after.state.die_c - state.die_c) + CHIP.case_j_k * (after.state.case_c - state.case_c)
        assert stored == pytest.approx((after.power_w - after.heat_w) * dt, rel=1e-9, abs=1e-6)
        assert after.heat_w == pytest.approx((after.state.case_c - coolant) / 0.03)
        state = after.state


def test_chip_follows_an_independent_integrator():
    def rate(_, y):
        power = (80.0 + 620.0) * (1 + 0.003 * (y[0] - 65.0))
        inner = (y[0] - y[1]) / 0.02
        return [(power - inner) / 25.0, (inner - (y[1] - 30.0) / 0.03) / 250.0]

    exact = solve_ivp(rate, (0, 20), [30.0, 30.0], rtol=1e-9, dense_output=True)
    state = chip_at_rest(30.0)
    for step in range(2000):
        state = chip_step(CHIP, state, 30.0, 0.03, 1.0, 0.01).state
        if step in (49, 499, 1999):
            assert float(state.die_c) == pytest.approx(exact.sol((step + 1) * 0.01)[0], abs=0.1)


def test_two_time_constants_as_measured_on_air():
    """Fast part about 0.5 s, slow 30-55 s, with an air sink of 0.05 K/W and 700 J/K (10 Hz logs of H100 nodes)."""
    chip = Chip(80.0, 700.0, r_die_k_w=0.035, die_j_k=14.0, case_j_k=700.0, leakage_per_k=0.0)
    state, dies = chip_at_rest(25.0), []
    for _ in range(30_000):
        state = chip_step(chip, state, 25.0, 0.045, 1.0, 0.01).state
        dies.append(float(state.die_c))
    final = 25.0 + 700.0 * 0.08
    fast = 700.0 * 0.035
    assert dies[49] - 25.0 == pytest.approx(0.63 * fast, rel=0.1)
    late = np.log((final - dies[2000]) / (final - dies[6000])) / 40.0
    assert 30.0 < 1.0 / late < 55.0
    assert 0.4 < fast / (final - 25.0) < 0.6


def test_throttle_holds_the_limit_and_releases_below_it():
    hot = settle(CHIP, 75.0, 0.03, seconds=400)
    assert float(hot.state.die_c) < CHIP.throttle_c + 3.0
    assert float(hot.clock) < 0.95
    cool = settle(CHIP, 40.0, 0.03, seconds=200, state=hot.state)
    assert float(cool.clock) == pytest.approx(1.0)
    assert float(cool.state.held) == 0.0


def test_hysteresis_remembers_where_it_came_from():
    """Inside the band a held chip keeps its clock, a free one raises it: same temperatures, different futures."""
    margin_c = CHIP.throttle_c - 1.5
    for held, moves in ((1.0, False), (0.0, True)):
        state = ChipState(margin_c, margin_c - 6.0, 0.6, held)
        after = chip_step(CHIP, state, margin_c - 14.0, 0.03, 0.5, 0.05)
        assert CHIP.throttle_c - CHIP.release_k < after.state.die_c < CHIP.throttle_c
        assert (float(after.state.clock) > 0.6) == moves


def test_memory_throttles_too():
    tight = Chip(80.0, 700.0, memory_limit_c=55.0, throttle_c=200.0)
    after = settle(tight, 45.0, 0.03, seconds=300)
    assert float(after.clock) < 1.0


def test_power_limit_acts_at_once():
    limited = Chip(80.0, 700.0, power_limit_w=500.0)
    first = chip_step(limited, ChipState(65.0, 55.0, 1.0, 0.0), 40.0, 0.03, 1.0, 0.1)
    assert float(first.power_w) == pytest.approx(500.0, rel=0.01)
    assert float(first.clock) < 1.0


def test_chips_step_as_an_array():
    state = chip_at_rest(np.full(5, 30.0))
    after = chip_step(CHIP, state, np.full(5, 30.0), np.linspace(0.02, 0.06, 5), 1.0, 5.0)
    assert after.state.die_c.shape == (5,)
    assert (np.diff(after.state.die_c) > 0).all()
