"""What failures and stragglers leave of a run: parts that add up, limits, and a simulation of the slowest device."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.reliability.goodput import RESTART_S, goodput
from twinloop.reliability.stragglers import expected_largest, slowdown

HOUR = 3600.0


@settings(max_examples=60, deadline=None)
@given(st.floats(600.0, 1e7), st.integers(1, 20000), st.floats(1e8, 1e13))
def test_parts_add_up_and_none_is_negative(work, devices, state):
    use = goodput(work, devices, -(-devices // 8), state)
    parts = (use.work_s, use.straggling_s, use.dumping_s, use.rework_s, use.restart_s)
    assert min(parts) >= -1e-9 * use.wall_s
    assert sum(parts) == pytest.approx(use.wall_s, rel=1e-9)
    assert 0.0 < use.share <= 1.0
    assert use.one_more_s > RESTART_S


def test_more_devices_leave_a_smaller_share():
    shares = [goodput(1e6, n, n // 8, 1e12).share for n in (8, 256, 4096, 65536)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.99 > 0.9 > shares[-1]


def test_llama_3_keeps_more_than_nine_tenths():
    assert 0.90 < goodput(54 * 86400.0, 16384, 2048, 405e9 * 14.0).share < 0.96


def test_the_interval_is_never_shorter_than_storing_takes():
    huge = goodput(1e6, 1024, 128, 1e15)
    assert huge.interval_s >= 1e15 / 128e9


def test_an_interruption_also_costs_what_was_not_stored_yet():
    """Two jobs alike but for the size of their state: dumps stand still for equally long, storing does not."""
    light, heavy = (goodput(1e6, 1024, 128, state) for state in (1e9, 2e13))
    longer = heavy.one_more_s - heavy.interval_s - (light.one_more_s - light.interval_s)
    assert longer == pytest.approx((2e13 - 1e9) / 128e9, rel=1e-9)
    assert heavy.rework_s > light.rework_s + 0.9 * longer * heavy.wall_s / heavy.between_s


@pytest.mark.parametrize("count", [2, 8, 64, 1024])
def test_expected_largest_against_draws(count):
    drawn = np.random.default_rng(3).standard_normal((4000, count)).max(axis=1)
    assert expected_largest(count) == pytest.approx(drawn.mean(), abs=0.03)


def test_stragglers_cost_nothing_up_to_where_constants_were_measured():
    assert slowdown(1) == slowdown(64) == 1.0
    assert 1.0 < slowdown(1024) < slowdown(16384) < 1.02
