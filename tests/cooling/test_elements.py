"""Elements against an independent library, published rows, and their own balances."""

from __future__ import annotations

import numpy as np
import pytest
from ht import effectiveness_from_NTU
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.cooling.chillers import Chiller, chiller
from twinloop.cooling.cold_plates import rack_flow_l_min
from twinloop.cooling.dry_coolers import DryCooler, dry_cooler
from twinloop.cooling.exchangers import (
    effectiveness_counterflow,
    effectiveness_crossflow,
    exchange,
    ua_at_flow_w_k,
    ua_for_duty_w_k,
)
from twinloop.cooling.fans import fan_power_w
from twinloop.cooling.pumps import system_dp_pa
from twinloop.cooling.solve import invert
from twinloop.cooling.towers import Tower, make_up, tower, tower_heat_w
from twinloop.fluids.psychrometrics import saturated_enthalpy_j_kg
from twinloop.power.distribution import Transformer, transformer_loss_w
from twinloop.power.operating_point import operating_point
from twinloop.power.ups import Ups, ups_loss_w

RATIOS = st.floats(0.0, 1.0)
NTUS = st.floats(0.01, 8.0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(NTUS, RATIOS)
def test_counterflow_matches_the_library(ntu, ratio):
    assert float(effectiveness_counterflow(ntu, ratio)) == pytest.approx(
        effectiveness_from_NTU(ntu, ratio, subtype="counterflow"), abs=1e-6
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(NTUS, st.floats(0.05, 1.0))
def test_crossflow_matches_the_library(ntu, ratio):
    expected = effectiveness_from_NTU(ntu, ratio, subtype="crossflow approximate")
    assert float(effectiveness_crossflow(ntu, ratio)) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(20, 80), st.floats(0, 19), st.floats(10, 1e5), st.floats(10, 1e5), st.floats(1, 1e6))
def test_exchange_balances_and_never_crosses(hot, cold, hot_c, cold_c, ua):
    for kind in ("counterflow", "crossflow"):
        x = exchange(hot, cold, hot_c, cold_c, ua, kind)
        assert x.heat_w == pytest.approx(hot_c * (hot - x.hot_out_c), rel=1e-6, abs=1e-6 * hot_c)
        assert x.heat_w == pytest.approx(cold_c * (x.cold_out_c - cold), rel=1e-6, abs=1e-6 * cold_c)
        assert cold - 1e-9 <= x.hot_out_c <= hot
        assert cold <= x.cold_out_c <= hot + 1e-9


def test_sizing_inverts_rating():
    ua = ua_for_duty_w_k(1e5, 40.0, 30.0, 2e4, 3e4)
    assert exchange(40.0, 30.0, 2e4, 3e4, ua).heat_w == pytest.approx(1e5, rel=1e-9)
    with pytest.raises(ValueError, match="cannot pass"):
        ua_for_duty_w_k(1e6, 40.0, 30.0, 2e4, 3e4)


def test_half_flow_on_both_sides_keeps_0_574_of_ua():
    assert float(ua_at_flow_w_k(1000.0, 0.5, 0.5)) == pytest.approx(1000.0 * 0.5**0.8)


def test_affinity_laws():
    assert fan_power_w(0.8, 1000.0) == pytest.approx(512.0)
    assert system_dp_pa(0.8, 1000.0) == pytest.approx(640.0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.floats(-50, 50), st.sampled_from([-1.0, 1.0]), st.floats(0.2, 5))
def test_invert_finds_the_root_of_rising_and_falling_functions(target, sign, power):
    found = invert(lambda x: sign * (x + x**3 / power), np.array([target]), np.array([-60.0]), np.array([60.0]))
    assert sign * (found[0] + found[0] ** 3 / power) == pytest.approx(target, abs=1e-6)


def test_published_rack_flow_law():
    for supply_c, flow in ((17.0, 125), (25.0, 149), (30.0, 171), (35.0, 201), (40.0, 246), (45.0, 324)):
        assert float(rack_flow_l_min(supply_c)) == pytest.approx(flow, rel=0.01)


def test_chiller_rated_point_and_first_law():
    machine = Chiller(1e6, 5.0, 6.67, 29.44, "water")
    point = chiller(machine, 1e6, 6.67, 29.44)
    assert point.power_w == pytest.approx(200e3)
    assert point.heat_rejected_w == pytest.approx(1.2e6)
    assert not bool(point.extrapolated)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(5, 28), st.floats(15, 48), st.floats(0.02, 1.0), st.sampled_from(["air", "water"]))
def test_chiller_is_monotone(leaving, condenser, load, kind):
    machine = Chiller(1e6, 3.0, 6.67, 35.0, kind)
    power = float(chiller(machine, load * 5e5, leaving, condenser).power_w)
    assert float(chiller(machine, load * 5e5, leaving + 1.0, condenser).power_w) <= power * (1 + 1e-9)
    assert float(chiller(machine, load * 5e5, leaving, condenser - 1.0).power_w) <= power * (1 + 1e-9)
    assert float(chiller(machine, load * 5e5 * 1.02, leaving, condenser).power_w) >= power


def test_dry_cooler_balances_and_pads_help_by_their_depression():
    cooler = DryCooler(2e4, 20.0, 8e3, 0.7)
    dry = dry_cooler(cooler, 1.0, 45.0, 3e4, 35.0, 20.0, 101325.0, np.array(False))
    wet = dry_cooler(cooler, 1.0, 45.0, 3e4, 35.0, 20.0, 101325.0, np.array(True))
    assert dry.heat_w == pytest.approx(3e4 * (45.0 - dry.water_out_c))
    assert dry.heat_w == pytest.approx(20.0 * 1006.0 * (dry.air_out_c - dry.air_in_c))
    assert float(wet.air_in_c) == pytest.approx(35.0 - 0.7 * 15.0)
    assert wet.heat_w / dry.heat_w == pytest.approx((45.0 - 24.5) / (45.0 - 35.0))
    # Sensible cooling of the air equals the latent heat taken up, within the vapour's own heat.
    assert float(wet.evaporation_kg_s) * 2.45e6 == pytest.approx(20.0 * 1006.0 * 10.5, rel=0.05)
    assert float(dry.evaporation_kg_s) == 0.0


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.floats(2, 28), st.floats(1, 12), st.floats(2, 15), st.floats(0.1, 1.0))
def test_tower_both_sides_agree(wet, depression, span, fan):
    cells = Tower(5e4, 20.0, 20.0, 1e4)
    point = tower(cells, fan, wet + span, 20.0, wet + depression, wet, 101325.0)
    assert point.heat_w == pytest.approx(20.0 * 4181.0 * (wet + span - point.water_out_c))
    assert point.heat_w == pytest.approx(
        point.air_flow_kg_s * (point.air_out_enthalpy_j_kg - point.air_in_enthalpy_j_kg)
    )
    assert point.heat_w == pytest.approx(tower_heat_w(cells, fan, wet + span, 20.0, wet, 101325.0))
    assert wet < point.water_out_c < wet + span
    assert float(saturated_enthalpy_j_kg(point.air_out_c, 101325.0)) == pytest.approx(
        float(point.air_out_enthalpy_j_kg), rel=1e-3
    )
    assert 0.0 < float(point.evaporation_kg_s) < 0.02 * 20.0


def test_make_up_by_cycles():
    assert make_up(3.0, 0.0, 4.0) == (4.0, 1.0)
    assert float(make_up(3.0, 5.0, 4.0)[1]) == 0.0
    with pytest.raises(ValueError, match="above 1"):
        make_up(1.0, 0.0, 1.0)


def test_operating_point_leaks_caps_and_throttles():
    cool = operating_point(650.0, 25.0, 0.03, 0.003, 65.0, 700.0, 87.0)
    warm = operating_point(650.0, 45.0, 0.03, 0.003, 65.0, 700.0, 87.0)
    assert cool.power_w < warm.power_w < 700.0
    assert cool.clock_ratio == pytest.approx(1.0)
    assert warm.clock_ratio == pytest.approx(1.0)
    # P = 650 (1 + 0.003 (Tj - 65)) and Tj = 45 + 0.03 P, solved by hand.
    assert float(warm.power_w) == pytest.approx(650 * (1 - 0.003 * 20) / (1 - 0.003 * 0.03 * 650))
    hot = operating_point(700.0, 60.0, 0.065, 0.003, 65.0, 700.0, 87.0)
    assert bool(hot.throttled)
    assert float(hot.junction_c) == pytest.approx(87.0)
    assert float(hot.clock_ratio) < 1.0


def test_electrical_losses():
    assert ups_loss_w(Ups(1e6, 0.010, 0.012, 0.020), 1e6) == pytest.approx(42e3)
    assert transformer_loss_w(Transformer(1e6), 1e6) == pytest.approx(7e3)
