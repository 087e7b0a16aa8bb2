"""Checkpoint intervals against Daly's published figures, a scan, and a simulation event by event."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.reliability.checkpoints import best_interval_s, daly_interval_s, wall_time_s, young_interval_s

MINUTE, HOUR = 60.0, 3600.0


@pytest.mark.parametrize(("between_h", "minutes"), [(24.0, 117.0), (6.0, 57.0), (0.25, 9.1)])
def test_dalys_published_optima(between_h, minutes):
    """Figures 3 to 5 of Daly 2006: dumps of 5 min; with M of 15 min the first order is no use any more."""
    got = float(daly_interval_s(5 * MINUTE, between_h * HOUR)) / MINUTE
    assert got == pytest.approx(minutes, abs=0.5 if minutes > 10 else 0.05)


@given(st.floats(1.0, 3600.0), st.floats(600.0, 1e7))
def test_the_best_interval_is_no_worse_than_its_neighbours_and_dalys(dump, between):
    best = float(best_interval_s(dump, between))

    def wall(interval):
        return float(wall_time_s(1e6, interval, dump, 300.0, between))

    assert best > 0.0
    assert wall(best) <= min(wall(best * 0.99), wall(best * 1.01)) * (1.0 + 1e-12)
    assert wall(best) <= wall(float(daly_interval_s(dump, between))) * (1.0 + 1e-12)


@given(st.floats(1e-4, 0.5))
def test_dalys_interval_costs_less_than_a_percent_over_the_best(share):
    def wall(interval):
        return float(wall_time_s(1.0, interval, share, 0.0, 1.0))

    assert wall(float(daly_interval_s(share, 1.0))) <= 1.01 * wall(float(best_interval_s(share, 1.0)))


def test_all_three_agree_where_interruptions_are_rare():
    dump, between = 1.0, 1e8
    young = float(young_interval_s(dump, between))
    assert float(daly_interval_s(dump, between)) == pytest.approx(young, rel=1e-3)
    assert float(best_interval_s(dump, between)) == pytest.approx(young, rel=1e-3)


def test_intervals_take_arrays():
    between = np.array([900.0, 21600.0, 86400.0])
    alone = [float(best_interval_s(300.0, each)) for each in between]
    np.testing.assert_allclose(best_interval_s(np.full(3, 300.0), between), alone, rtol=1e-12)


def simulated_s(rng, segments, interval, dump, restart, between):
    """Return one run's wall time, event by event: an interruption can come during work, a dump or a restart."""
    clock, failure, done, restarting = 0.0, rng.exponential(between), 0, False
    while done < segments:
        need = (restart if restarting else 0.0) + interval + dump
        if clock + need <= failure:
            clock, done, restarting = clock + need, done + 1, False
        else:
            clock, restarting = failure, True
            failure = clock + rng.exponential(between)
    return clock


@pytest.mark.parametrize(
    ("interval", "dump", "restart", "between"),
    [(600.0, 20.0, 300.0, 20000.0), (1200.0, 60.0, 600.0, 3000.0), (300.0, 100.0, 900.0, 1000.0)],
)
def test_wall_time_is_what_a_simulation_takes(interval, dump, restart, between):
    rng = np.random.default_rng(7)
    runs = np.array([simulated_s(rng, 40, interval, dump, restart, between) for _ in range(1500)])
    expected = float(wall_time_s(40 * interval, interval, dump, restart, between))
    assert abs(runs.mean() - expected) < 4.0 * runs.std() / np.sqrt(runs.size)
    assert runs.std() / np.sqrt(runs.size) < 0.02 * expected
