"""Pumps, distribution units, exchangers' limits and storage: closed forms, conservation, directions."""

import numpy as np
import pytest
from ht import effectiveness_from_NTU
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from twinloop.cooling.cdus import Cdu, cdu, pumped_cdu
from twinloop.cooling.exchangers import effectiveness_counterflow, effectiveness_crossflow, exchange
from twinloop.cooling.pumps import Pump, coasting_speed, pump
from twinloop.cooling.storage import Tank, capacity_j, step

MACHINE = Pump(400e3, 0.0151, 300e3, 0.535)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(0.2, 1.0), st.floats(5e4, 4e5), st.floats(0, 1e5), st.sampled_from([1.0, 0.5]))
def test_pump_sits_where_both_curves_meet(speed, system_pa, static_pa, running):
    at = pump(MACHINE, speed, system_pa, 0.0151, static_pa, running)

    def gap(flow):
        each = flow / (0.0151 * running)
        return speed**2 * 400e3 - 100e3 * each**2 - static_pa - system_pa * (flow / 0.0151) ** 2

    if speed**2 * 400e3 <= static_pa:
        assert at.flow_m3_s == 0.0
        assert at.power_w == 0.0
        return
    assert at.flow_m3_s == pytest.approx(brentq(gap, 0.0, 0.2), rel=1e-9)
    assert at.dp_pa == pytest.approx(static_pa + system_pa * (at.flow_m3_s / 0.0151) ** 2, rel=1e-9)
    assert at.power_w == pytest.approx(at.flow_m3_s * at.dp_pa / at.efficiency)


def test_affinity_without_static_head():
    full, half = (pump(MACHINE, n, 300e3, 0.0151) for n in (1.0, 0.5))
    assert half.flow_m3_s == pytest.approx(0.5 * full.flow_m3_s)
    assert half.dp_pa == pytest.approx(0.25 * full.dp_pa)
    assert half.power_w == pytest.approx(0.125 * full.power_w)


def test_frontier_unit_takes_its_published_power():
    """8,473 W a unit (ExaDigiT/RAPS configuration of Frontier), at 15.1 L/s and an assumed 300 kPa, 0.535."""
    assert pump(MACHINE, 1.0, 300e3, 0.0151).power_w == pytest.approx(8473.47, rel=0.001)


def test_losing_one_of_two_pumps_costs_less_than_half_the_flow():
    both, one = (pump(MACHINE, 1.0, 300e3, 0.0151, running=share) for share in (1.0, 0.5))
    assert 0.5 < one.flow_m3_s / both.flow_m3_s < 1.0
    load = float(one.flow_m3_s) / (0.5 * MACHINE.design_m3_s)
    assert load > 1.2  # the one that is left runs out on its curve, off its best point
    assert one.efficiency == pytest.approx(0.535 * (1.0 - (load - 1.0) ** 2))
    assert coasting_speed(1.0, 0.0) == 1.0
    assert coasting_speed(1.0, 3.0) == 0.5


UNIT = Cdu(300e3, 20.0, 20.0, 9e3, dp_design_pa=250e3)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(30, 60), st.floats(0.2, 1.3), st.floats(5, 29), st.floats(0.2, 1.3))
def test_cdu_closes_and_agrees_with_the_library(back, secondary, primary_c, primary):
    at = cdu(UNIT, back, 20 * secondary, primary_c, 20 * primary)
    hot, cold = 20 * secondary * 4181.0, 20 * primary * 4181.0
    assert hot * (back - at.secondary_supply_c) == pytest.approx(float(at.heat_w))
    assert cold * (at.primary_return_c - primary_c) == pytest.approx(float(at.heat_w))
    ua = 300e3 * 2.0 / (secondary**-0.8 + primary**-0.8)
    least, most = sorted((hot, cold))
    expected = effectiveness_from_NTU(ua / least, least / most, subtype="counterflow") * least * (back - primary_c)
    assert at.heat_w == pytest.approx(expected, rel=1e-6)
    assert primary_c <= at.secondary_supply_c
    assert at.primary_return_c <= back


def test_cdu_is_as_effective_as_practice_says():
    at = cdu(UNIT, 45.0, 20.0, 30.0, 20.0)
    assert 0.75 < at.heat_w / (20.0 * 4181.0 * 15.0) < 0.9
    assert 2.0 < at.secondary_supply_c - 30.0 < 5.0


def test_pumped_unit_follows_its_curve():
    machine = Pump(350e3, 20.0 / 1005.0, 250e3, 0.55)
    point, curve = pumped_cdu(UNIT, machine, 1.0, 45.0, 30.0, 20.0)
    assert curve.flow_m3_s * 1005.0 == pytest.approx(20.0)
    assert point.heat_w == pytest.approx(float(cdu(UNIT, 45.0, 20.0, 30.0, 20.0).heat_w))
    speeds = np.linspace(0.2, 1.0, 9)
    heats = pumped_cdu(UNIT, machine, speeds, 45.0, 30.0, 20.0)[0].heat_w
    assert (np.diff(heats) > 0).all()


def test_effectiveness_is_smooth_through_equal_capacities():
    ratios = 1.0 + np.linspace(-1e-5, 1e-5, 2001)
    values = effectiveness_counterflow(3.0, ratios)
    assert np.abs(np.diff(values, 2)).max() < 1e-12
    assert effectiveness_counterflow(3.0, 1.0) == pytest.approx(0.75)
    assert effectiveness_crossflow(3.0, 0.0) == pytest.approx(1.0 - np.exp(-3.0))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.floats(0.1, 10), st.floats(0.05, 1.0))
def test_crossflow_stays_by_the_exact_series(ntu, ratio):
    """Mason's series as summed by the library: within 2 points of effectiveness."""
    exact = effectiveness_from_NTU(ntu, ratio, subtype="crossflow")
    assert effectiveness_crossflow(ntu, ratio) == pytest.approx(exact, abs=0.021)


def test_standing_streams_pass_nothing_and_stay_finite():
    for hot, cold in ((0.0, 1e4), (1e4, 0.0), (0.0, 0.0)):
        at = exchange(60.0, 20.0, hot, cold, 1e3)
        assert np.isfinite([at.heat_w, at.hot_out_c, at.cold_out_c]).all()
        assert at.heat_w == pytest.approx(0.0, abs=1e-6)


TANK = Tank(100.0, 8.0, 1e6, loss_w_k=50.0)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.floats(0, 1), st.floats(-2e6, 2e6), st.floats(-10, 30), st.sampled_from([15.0, 900.0, 3600.0, 86400.0]))
def test_tank_conserves_and_keeps_its_limits(full, wanted, ambient, duration):
    before = full * capacity_j(TANK)
    at = step(TANK, before, wanted, ambient, duration)
    change = (at.charge_w - at.discharge_w - at.lost_w) * duration
    assert at.stored_j == pytest.approx(before + change, rel=1e-9, abs=1.0)
    assert -1e-3 <= at.stored_j <= capacity_j(TANK) * (1 + 1e-9)
    assert at.charge_w <= 1e6
    assert at.discharge_w <= 1e6
    assert at.charge_w == 0.0 or at.discharge_w == 0.0


def test_tank_rides_through_as_long_as_its_water_lasts():
    """100 m3 over 8 K, nine tenths usable: 834 kWh, 50 minutes at a megawatt."""
    stored, minutes = capacity_j(TANK), 0
    while minutes < 100:
        at = step(TANK, stored, -1e6, 0.0, 60.0)
        if at.discharge_w < 1e6 * (1 - 1e-9):
            break
        stored, minutes = at.stored_j, minutes + 1
    assert minutes == 50
