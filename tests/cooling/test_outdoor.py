"""Dry, adiabatic and thermosyphon coolers, economisers: balances, PsychroLib, and a published water saving."""

from pathlib import Path

import numpy as np
import psychrolib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from twinloop.climate.lookup import weather
from twinloop.cooling.dry_coolers import DryCooler, dry_cooler
from twinloop.cooling.economisers import (
    AirLimits,
    direct_evaporative,
    indirect_evaporative,
    mix_outdoor_air,
    water_side,
)
from twinloop.cooling.solve import invert
from twinloop.cooling.thermosyphons import Thermosyphon, thermosyphon
from twinloop.cooling.towers import Tower, make_up, tower, tower_heat_w

psychrolib.SetUnitSystem(psychrolib.SI)
SEA_PA, CP = 101_325.0, 1006.0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(-15, 45), st.floats(0.5, 20), st.floats(1, 30), st.floats(0.05, 1.0), st.booleans())
def test_dry_cooler_closes_and_never_crosses(dry, depression, span, fan, pads):
    cooler = DryCooler(6e4, 60.0, 2e4, 0.7)
    wet = dry - min(depression, 0.3 * abs(dry) + 0.5)
    at = dry_cooler(cooler, fan, dry + span, 6e4, dry, wet, SEA_PA, np.array(pads))
    assert 6e4 * (dry + span - at.water_out_c) == pytest.approx(float(at.heat_w))
    assert at.air_flow_kg_s * (at.air_out_enthalpy_j_kg - at.air_in_enthalpy_j_kg) == pytest.approx(float(at.heat_w))
    assert at.air_in_c - 1e-9 <= at.water_out_c <= dry + span
    assert at.air_out_c <= dry + span + 1e-9
    faster = dry_cooler(cooler, fan * 1.02, dry + span, 6e4, dry, wet, SEA_PA, np.array(pads))
    assert faster.heat_w > at.heat_w


def test_pads_follow_psychrolib_along_constant_wet_bulb():
    at = dry_cooler(DryCooler(6e4, 60.0, 2e4, 0.8), 1.0, 45.0, 6e4, 36.0, 21.0, SEA_PA, np.array(True))
    assert at.air_in_c == pytest.approx(36.0 - 0.8 * 15.0)
    before = psychrolib.GetHumRatioFromTWetBulb(36.0, 21.0, SEA_PA)
    after = psychrolib.GetHumRatioFromTWetBulb(24.0, 21.0, SEA_PA)
    assert at.evaporation_kg_s == pytest.approx(60.0 * (after - before), rel=1e-9)
    zero = dry_cooler(DryCooler(6e4, 60.0, 2e4, 0.8), 1.0, 45.0, 6e4, 36.0, 21.0, SEA_PA, np.array(False))
    assert float(zero.evaporation_kg_s) == 0.0


SYPHON = Thermosyphon(120e3, 150e3, 25.0, 90.0, 20e3)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(-20, 40), st.floats(-10, 30), st.floats(0.05, 1.0), st.floats(0.3, 1.2))
def test_thermosyphon_closes_on_three_sides(air, span, fan, flow):
    at = thermosyphon(SYPHON, fan, air + span, 25.0 * flow, air)
    assert 25.0 * flow * 4181.0 * (air + span - at.water_out_c) == pytest.approx(float(at.heat_w), abs=1e-3)
    assert at.air_flow_kg_s * CP * (at.air_out_c - air) == pytest.approx(float(at.heat_w), abs=1e-3)
    assert at.heat_w >= 0.0
    if span <= SYPHON.start_k:
        assert float(at.heat_w) == 0.0
    else:
        # Refrigerant lies between what boils it and what condenses it.
        assert air <= at.air_out_c <= at.refrigerant_c + 1e-9
        assert at.refrigerant_c <= at.water_out_c + 1e-9
    if span >= 2.0 * SYPHON.start_k:
        ntu = SYPHON.condenser_ua_w_k * fan**0.8 / (at.air_flow_kg_s * CP)
        by_air = (1.0 - np.exp(-ntu)) * at.air_flow_kg_s * CP * (at.refrigerant_c - air)
        assert by_air == pytest.approx(float(at.heat_w), rel=1e-6)


def test_thermosyphon_before_the_tower_halves_the_water():
    """NREL's ESIF: water halved in the first year (1.16 of about 2.5 million gallons, news of 2018-08-23).

    One megawatt, water 34 to 24 °C, Denver's generated year. The unit's real size is not published here; one that
    takes the whole load in freezing air saves 63 %, one of half that 42 %; measured half, their model 56 %: the sign
    and the order, not a proof. The tower alone takes 1.5 L/kWh (published from memory: 1.42).
    """
    year = weather("Denver", Path())
    load_w, supply_c, return_c = 1e6, 24.0, 34.0
    flow = load_w / (4181.0 * (return_c - supply_c))
    cells = Tower(60e3 * flow / 40.0, flow, flow, 10.5e3)
    one = np.ones(8760)

    def unit(scale):
        return Thermosyphon(1.2 * scale, 1.5 * scale, flow, 90.0, 20e3)

    def make_up_m3(entering_c, heat_w):
        fans = invert(
            lambda x: tower_heat_w(cells, x, entering_c, flow, year.wet_bulb_c, year.pressure_pa),
            heat_w, 1e-3 * one, one, 25,
        )  # fmt: skip
        at = tower(cells, fans, entering_c, flow, year.dry_bulb_c, year.wet_bulb_c, year.pressure_pa)
        share = np.where(heat_w > 1e3, np.minimum(heat_w / at.heat_w, 1.0), 0.0)
        return float(np.sum(make_up(share * at.evaporation_kg_s, share * at.drift_kg_s, 4.0)[0])) * 3.6

    scale = brentq(lambda s: float(thermosyphon(unit(s), 1.0, return_c, flow, 0.0).heat_w) - load_w, 1e3, 1e6)
    alone = make_up_m3(return_c * one, load_w * one)
    assert 1.3 < alone * 1e3 / (load_w * 8.760) < 1.6
    savings = []
    for size in (scale, 0.5 * scale):
        fans = invert(
            lambda x, s=size: thermosyphon(unit(s), x, return_c, flow, year.dry_bulb_c).water_out_c,
            supply_c * one, 1e-3 * one, one, 25,
        )  # fmt: skip
        at = thermosyphon(unit(size), fans, return_c, flow, year.dry_bulb_c)
        savings.append(1.0 - make_up_m3(at.water_out_c, np.maximum(load_w - at.heat_w, 0.0)) / alone)
    assert 0.35 < savings[1] < 0.5 < savings[0] < 0.70


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(-25, 40), st.floats(0.05, 0.95), st.floats(25, 45), st.floats(15, 27))
def test_mixed_air_conserves_heat_and_moisture(outdoor, humidity, returned, setpoint):
    w_out = psychrolib.GetHumRatioFromRelHum(outdoor, humidity, SEA_PA)
    at = mix_outdoor_air(10.0, returned, 0.008, outdoor, w_out, setpoint, SEA_PA)
    assert at.humidity_ratio == pytest.approx(0.008 + at.outdoor_fraction * (w_out - 0.008))
    mixed = psychrolib.GetMoistAirEnthalpy(float(at.supply_c), float(at.humidity_ratio))
    removed = 10.0 * (psychrolib.GetMoistAirEnthalpy(returned, 0.008) - mixed)
    assert at.heat_removed_w == pytest.approx(removed, rel=1e-6, abs=1e-3)
    if bool(at.permitted) and setpoint < returned:
        assert at.supply_c >= min(setpoint, returned) - 0.15
    else:
        assert at.outdoor_fraction == 0.0 or setpoint >= returned


def test_outdoor_air_stays_out_of_its_limits():
    dry_out = [mix_outdoor_air(10.0, 35.0, 0.008, t, w, 22.0, SEA_PA).permitted for t, w in (
        (24.0, 0.006), (10.0, 0.006), (20.0, 0.014), (-25.0, 0.0003), (10.0, 0.0005))]  # fmt: skip
    assert [bool(x) for x in dry_out] == [False, True, False, False, False]
    always = mix_outdoor_air(10.0, 35.0, 0.008, 40.0, 0.01, 22.0, SEA_PA, AirLimits(minimum_fraction=0.05))
    assert float(always.outdoor_fraction) == 0.05


def test_direct_evaporation_keeps_the_wet_bulb():
    air = direct_evaporative(10.0, 30.0, 18.0, SEA_PA, 0.9)
    wet = psychrolib.GetTWetBulbFromHumRatio(float(air.out_c), float(air.humidity_ratio), SEA_PA)
    assert wet == pytest.approx(18.0, abs=2e-3)
    assert air.evaporation_kg_s * 2.45e6 == pytest.approx(float(air.heat_w), rel=0.05)
    off = direct_evaporative(10.0, 30.0, 18.0, SEA_PA, 0.0)
    assert (off.out_c, off.evaporation_kg_s) == (30.0, 0.0)


def test_indirect_evaporation_takes_the_better_side():
    wet = indirect_evaporative(10.0, 36.0, 0.009, 30.0, 20.0, True)
    dry = indirect_evaporative(10.0, 36.0, 0.009, 30.0, 20.0, False)
    assert wet.out_c == pytest.approx(36.0 - 0.7 * 16.0)
    assert dry.out_c == pytest.approx(36.0 - 0.72 * 6.0)
    assert wet.heat_w == pytest.approx(10.0 * CP * 0.7 * 16.0)
    assert float(dry.evaporation_kg_s) == 0.0
    assert float(wet.humidity_ratio) == 0.009
    damp = indirect_evaporative(10.0, 36.0, 0.009, 20.0, 20.0, True)
    assert damp.out_c == pytest.approx(36.0 - 0.72 * 16.0)
    assert float(damp.evaporation_kg_s) == 0.0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(1e4, 1e6), st.floats(6, 25), st.floats(-2, 30))
def test_water_economiser_shares_the_load(load, supply, tower_c):
    at = water_side(load, supply, 8e4, tower_c, 8e4, 1.6e5)
    assert at.free_w + at.chiller_w == pytest.approx(load)
    assert 8e4 * (at.evaporator_in_c - supply) == pytest.approx(float(at.chiller_w), rel=1e-6, abs=1e-3)
    assert 8e4 * (at.tower_return_c - tower_c) == pytest.approx(float(at.free_w), abs=1e-3)
    assert at.tower_return_c <= supply + load / 8e4 + 1e-9 or float(at.free_w) == 0.0
    assert int(at.mode) == (2 if at.chiller_w <= 0.0 else 1 if at.free_w > 0.0 else 0)
