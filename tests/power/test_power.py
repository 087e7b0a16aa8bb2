"""Losses, capping and the steady chip against published rows, a root finder and their own balances."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from twinloop.power.capping import cap_device, share_budget_w
from twinloop.power.chains import chain
from twinloop.power.distribution import Transformer, switchgear_loss_w, transformer_loss_w
from twinloop.power.operating_point import operating_point
from twinloop.power.psu import EFFICIENCY, Psu, psu_input_w, psu_loss_w
from twinloop.power.rectifiers import FRONTIER_RECTIFIER, SIVOC, converter_input_w, modules_input_w
from twinloop.power.ups import Ups, efficiency, ups_loss_w

# Frontier as configured in ExaDigiT/RAPS (commit 6c142bfdbf): 74 racks of 8 chassis of 16 nodes, 25 cooling units.
IDLE_W = {"gpu": 4 * 88.0, "cpu": 90.0, "memory": 74.26, "nic": 4 * 20.0, "nvme": 30.0}
BUSY_W = {**IDLE_W, "gpu": 4 * 560.0, "cpu": 280.0}
PUBLISHED_MW = {0.0: 7.3065, 0.5: 17.7672, 1.0: 28.2279}


def twice(rating_w):
    return Ups(rating_w, *astuple(chain("ac_double_conversion").central))


def eco(rating_w):
    return Ups(rating_w, *astuple(chain("ac_eco_mode").central))


def frontier_mw(utilisation):
    node_w = sum(IDLE_W[key] + utilisation * (BUSY_W[key] - IDLE_W[key]) for key in IDLE_W)
    behind_w = converter_input_w(node_w, SIVOC.no_load_w, SIVOC.efficiency)
    chassis_w = modules_input_w(FRONTIER_RECTIFIER, 16 * behind_w + 4 * 250.0, 4)
    return (74 * 8 * chassis_w + 25 * 8473.47) / 1e6


@pytest.mark.parametrize("utilisation", PUBLISHED_MW)
def test_frontier_power_by_its_published_parameters(utilisation):
    """Transcription: 0.1 %. The source's own arithmetic gives these to the last digit."""
    assert frontier_mw(utilisation) == pytest.approx(PUBLISHED_MW[utilisation], rel=1e-3)


def test_frontier_conversion_efficiency():
    node_w, behind_w = 2704.26, converter_input_w(2704.26, 13.0, 0.98)
    chassis_w = modules_input_w(FRONTIER_RECTIFIER, 16 * behind_w + 1000.0, 4)
    assert 16 * node_w / chassis_w == pytest.approx(0.9143, abs=1e-4)


def test_staged_rectifiers_lose_less_at_low_load():
    loads = np.linspace(500.0, 48e3, 100)
    staged, all_on = (modules_input_w(FRONTIER_RECTIFIER, loads, 4, rating) for rating in (12.5e3, None))
    assert (staged <= all_on + 1e-9).all()
    assert staged[0] < all_on[0]
    assert staged[-1] == pytest.approx(all_on[-1])


@pytest.mark.parametrize("label", EFFICIENCY)
def test_supplies_meet_every_point_of_their_label(label):
    for load, least in EFFICIENCY[label]:
        assert load / (psu_input_w(Psu(1.0, label), load)) == pytest.approx(least, rel=1e-9)
    x = np.linspace(0.0, 1.1, 221)
    loss = psu_loss_w(Psu(1.0, label), x)
    assert (np.diff(loss) >= -1e-12).all()
    assert (loss > 0.0).all()


def test_better_labels_lose_less():
    order = ["bronze", "silver", "gold", "platinum", "titanium"]
    losses = [float(psu_loss_w(Psu(3000.0, label), 1500.0)) for label in order]
    assert losses == sorted(losses, reverse=True)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(0.0, 1.0))
def test_ups_in_its_published_bands(x):
    for make in (twice, eco):
        assert 1e6 * x + ups_loss_w(make(1e6), 1e6 * x) == pytest.approx(
            1e6 * x / efficiency(make(1e6), 1e6 * x) if x else ups_loss_w(make(1e6), 0.0)
        )
    if x >= 0.3:
        assert 0.94 <= efficiency(twice(1e6), 1e6 * x) <= 0.97
        assert 0.985 <= efficiency(eco(1e6), 1e6 * x) <= 0.993
    assert ups_loss_w(eco(1e6), 1e6 * x) < ups_loss_w(twice(1e6), 1e6 * x)


def test_ups_falls_off_at_a_tenth_of_its_load():
    assert 0.85 <= efficiency(twice(1e6), 1e5) <= 0.90


def test_transformer_and_switchgear():
    unit = Transformer(1e6)
    assert transformer_loss_w(unit, 1e6) == pytest.approx(7e3)
    # Best where copper equals iron: sqrt(k0/k1) of the rating.
    x = np.linspace(0.05, 1.0, 2000)
    best = x[np.argmin(transformer_loss_w(unit, x * 1e6) / x)]
    assert best == pytest.approx((unit.no_load / unit.full_load) ** 0.5, abs=0.002)
    assert switchgear_loss_w(2e6, 0.005) == pytest.approx(1e4)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.floats(100, 1200), st.floats(50, 200), st.floats(0.2, 1.2))
def test_a_cap_is_kept_or_says_so(wanted, idle, share):
    wanted = wanted + idle
    at = cap_device(wanted, idle, share * wanted)
    assert at.power_w == pytest.approx(idle + (wanted - idle) * at.clock_ratio**2.5)
    assert at.power_w <= wanted * (1 + 1e-12)
    assert bool(at.met) == (at.power_w <= share * wanted * (1 + 1e-9))
    if share >= 1.0:
        assert at.clock_ratio == pytest.approx(1.0)
        assert bool(at.met)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 2000), min_size=1, max_size=12), st.floats(0, 200), st.floats(0, 20e3))
def test_budgets_are_spent_and_never_more(wanted, floor, budget):
    wanted = np.array(wanted)
    limits = share_budget_w(wanted, np.full(wanted.size, floor), budget)
    asked = np.maximum(wanted, floor)
    assert (limits >= floor - 1e-9).all()
    assert (limits <= asked + 1e-9).all()
    expected = min(max(budget, floor * wanted.size), float(asked.sum()))
    assert limits.sum() == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_budgets_by_row():
    limits = share_budget_w(np.full((3, 4), 700.0), np.full((3, 4), 100.0), np.array([1000.0, 2000.0, 4000.0]))
    np.testing.assert_allclose(limits.sum(axis=1), [1000.0, 2000.0, 2800.0])


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.floats(15, 60), st.floats(0.01, 0.09), st.floats(0.0, 0.008), st.floats(0.1, 1.0))
def test_operating_point_is_the_root_of_both_laws(coolant, resistance, leakage, utilisation):
    at = operating_point(700.0, coolant, resistance, leakage, 65.0, 1e9, 1e9, utilisation, 80.0)
    wanted = 80.0 + utilisation * 620.0

    def gap(power):
        return wanted * (1.0 + leakage * (coolant + resistance * power - 65.0)) - power

    assert at.power_w == pytest.approx(brentq(gap, 0.0, 1e5), rel=1e-9)
    assert at.junction_c == pytest.approx(coolant + resistance * at.power_w)
    assert at.clock_ratio == 1.0


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.floats(15, 90), st.floats(0.01, 0.09), st.floats(300, 900))
def test_limits_hold_and_a_cooler_chip_is_never_slower(coolant, resistance, limit):
    at, cooler = (operating_point(700.0, t, resistance, 0.003, 65.0, limit, 87.0) for t in (coolant, coolant - 1.0))
    assert at.power_w <= limit * (1 + 1e-12)
    assert at.junction_c <= 87.0 + 1e-9 or at.power_w == pytest.approx(140.0)
    assert cooler.clock_ratio >= at.clock_ratio - 1e-12
    assert cooler.junction_c <= at.junction_c + 1e-9


def test_cooler_chips_only_finish_sooner_where_something_limits_them():
    free = operating_point(650.0, np.array([20.0, 30.0, 40.0]), 0.03, 0.003, 65.0, 700.0, 87.0)
    assert (free.clock_ratio == 1.0).all()
    assert (np.diff(free.power_w) > 0.0).all()
    capped = operating_point(720.0, np.array([20.0, 60.0]), 0.03, 0.003, 65.0, 700.0, 87.0)
    assert capped.clock_ratio[1] < capped.clock_ratio[0] <= 1.0
