"""Roots of flows and towers: few steps suffice over the range that halls ask for, and they solve the rated element."""

from __future__ import annotations

import numpy as np
import pytest

from twinloop.arrays import power
from twinloop.cooling.crahs import Crah, crah
from twinloop.cooling.dry_coolers import DryCooler, dry_cooler
from twinloop.cooling.solve import flow_ratio, invert
from twinloop.cooling.towers import WATER_J_KG_K, Tower, tower_heat_w, tower_spare_w
from twinloop.twin.air_loop import VALVE_STEPS
from twinloop.twin.free_coolers import FAN_STEPS

RANDOM = np.random.default_rng(3)
COUNT = 500
SHARE = np.exp(RANDOM.uniform(np.log(0.01), np.log(0.99), COUNT))


def coil_w(ratio, air_ratio, units):
    return crah(Crah(20e3, 12.0, 4.0, 6e3), air_ratio, 36.0, 20.0, ratio * 4.0 * units).heat_w


def fan_w(ratio, water_w_k):
    return dry_cooler(DryCooler(60e3, 60.0, 20e3), ratio, 40.0, water_w_k, 25.0, 15.0, 101325.0, False).heat_w


def test_a_valve_is_found_in_four_steps_where_heat_by_flow_is_not():
    air = RANDOM.uniform(0.4, 1.0, COUNT)
    wanted_w = coil_w(SHARE, air, 1.0)
    found = flow_ratio(lambda x: coil_w(x, air, 1.0), wanted_w, 1e-4, 1.0, VALVE_STEPS)
    assert coil_w(found, air, 1.0) == pytest.approx(wanted_w, rel=1e-6)
    zero = 0.0 * air
    plain = invert(lambda x: coil_w(x, air, 1.0), wanted_w, zero + 1e-4, zero + 1.0, VALVE_STEPS)
    assert np.max(np.abs(coil_w(plain, air, 1.0) / wanted_w - 1.0)) > 1e-4


def test_a_dry_coolers_fan_is_found_in_five_steps():
    water_w_k = RANDOM.uniform(20e3, 90e3, COUNT)
    wanted_w = fan_w(SHARE, water_w_k)
    found = flow_ratio(lambda x: fan_w(x, water_w_k), wanted_w, 1e-6, 1.0, FAN_STEPS)
    assert found == pytest.approx(SHARE, rel=1e-7)


def test_out_of_reach_the_nearer_end_comes_back():
    wanted_w = np.array([1e-3, 1e9])
    found = flow_ratio(lambda x: fan_w(x, 60e3), wanted_w, 1e-6, 0.7, FAN_STEPS)
    assert found == pytest.approx([1e-6, 0.7])


def test_a_tower_has_something_to_spare_exactly_where_it_passes_more_than_the_load():
    cells = Tower(60e3, 40.0, 40.0, 8e3)
    wet_c, fan = RANDOM.uniform(-8.0, 28.0, COUNT), RANDOM.uniform(0.1, 1.0, COUNT)
    entering_c = wet_c + RANDOM.uniform(1.5, 20.0, COUNT)
    passed_w = tower_heat_w(cells, fan, entering_c, 40.0, wet_c, 101325.0)
    for share in (0.9, 1.0, 1.1):
        load_w = share * passed_w
        basin_c = entering_c - load_w / (40.0 * WATER_J_KG_K)
        spare_w = tower_spare_w(cells, fan, basin_c, load_w, 40.0, wet_c, 101325.0)
        assert np.all(np.sign(np.round(spare_w / passed_w, 6)) == np.sign(np.round(1.0 - share, 6)))


def test_powers_are_those_of_the_library():
    base = np.exp(RANDOM.uniform(-20.0, 5.0, COUNT))
    for exponent in (-0.8, 0.4, 0.78):
        assert power(base, exponent) == pytest.approx(base**exponent, rel=1e-14)
    assert power(1.0, 0.8) == 1.0
