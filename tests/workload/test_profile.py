"""A year's hours of each stage: work is neither lost nor made, starts follow what they wait for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.model.estimate import ComponentPower, Parallelism, StageOption
from twinloop.model.model import Stage
from twinloop.workload.profile import hourly_activity, stage_activity, start_s

HOUR, DAY = 3600.0, 86400.0
NOTHING = ComponentPower(0.0, 0.0, 0.0, 0.0, 0.0)


def option(busy, duration=None):
    return StageOption(
        "s", "d", 1, "server", 1, "bf16", "none", Parallelism(), 1.0, duration, busy, 1.0, NOTHING, NOTHING, 0.0, None,
        0.0, None, 0.0, {}, 1.0, 1.0,
    )  # fmt: skip


def stage(kind="train", **fields):
    return Stage("s", kind, fields.pop("after", ()), (), None, **fields)


@settings(max_examples=150, deadline=None)
@given(st.floats(300.0, 500 * DAY), st.floats(0.001, 1.0), st.floats(0.0, 3 * DAY))
def test_recurrent_runs_keep_their_mean_at_any_period(every, share, start):
    hours = hourly_activity(option(share, share * every), stage(every_s=every), start)
    assert hours.shape == (8760,)
    assert float(np.mean(hours)) == pytest.approx(share, rel=1e-9)
    assert -1e-12 <= float(np.min(hours)) <= float(np.max(hours)) <= 1.0 + 1e-12


@settings(max_examples=100, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(1.0, 15.0))
def test_a_continuous_day_keeps_its_mean_and_reaches_its_peak(mean, peak):
    hours = hourly_activity(option(mean), stage("serve", peak_to_mean=peak))
    assert float(np.mean(hours)) == pytest.approx(mean, rel=1e-9, abs=1e-12)
    assert float(np.max(hours)) == pytest.approx(min(mean * peak, 1.0), rel=1e-6, abs=1e-12)
    assert float(np.min(hours)) >= 0.0


def test_a_run_longer_than_its_period_never_stops():
    assert np.all(hourly_activity(option(1.0, 2 * DAY), stage(every_s=DAY)) == 1.0)


def test_nightly_training_waits_for_its_features_and_fills_whole_hours():
    features = Stage("features", "preprocess", ("ingest",), (), None, every_s=DAY, deadline_s=3 * HOUR)
    ingest = Stage("ingest", "ingest", (), (), None)
    train = Stage("train", "train", ("features",), (), "n", every_s=DAY, deadline_s=5 * HOUR)
    begin = start_s(train, (ingest, features, train))
    assert begin == 3 * HOUR
    day = hourly_activity(option(2.5 / 24.0, 2.5 * HOUR), train, begin)[24:48]
    assert np.flatnonzero(day).tolist() == [3, 4, 5]
    assert day[3:6].tolist() == pytest.approx([1.0, 1.0, 0.5])


def test_a_stage_among_its_others_starts_when_its_data_are_due():
    features = Stage("features", "preprocess", (), (), None, every_s=DAY, deadline_s=3 * HOUR)
    train = Stage("s", "train", ("features",), (), "n", every_s=DAY, deadline_s=5 * HOUR)
    run = option(2.5 / 24.0, 2.5 * HOUR)
    waiting = stage_activity(run, (features, train))
    assert np.flatnonzero(waiting[24:48]).tolist() == [3, 4, 5]
    alone = Stage("s", "train", (), (), "n", every_s=DAY)
    assert np.array_equal(stage_activity(run, (alone,)), hourly_activity(run, alone))
    served = Stage("s", "serve", ("train",), (), "n", peak_to_mean=2.0)
    assert np.array_equal(stage_activity(option(0.3), (features, served)), hourly_activity(option(0.3), served))


def test_a_run_that_happens_once_fills_its_share_of_the_year():
    hours = hourly_activity(option(0.1, 0.5 * 365 * DAY), stage())  # half a year out of five
    assert float(np.mean(hours)) == pytest.approx(0.1, rel=1e-9)
    assert np.all(hours[:876] == 1.0)
    assert np.all(hours[876:] == 0.0)


def test_the_busiest_hour_is_in_the_afternoon():
    day = hourly_activity(option(0.3), stage("serve", peak_to_mean=2.5))[:24]
    assert int(np.argmax(day)) == 14
    assert int(np.argmin(day)) == 2


def test_the_busiest_hour_of_a_continuous_day_is_14_to_15():
    day = hourly_activity(option(0.3), stage("serve", peak_to_mean=2.0))[:24]
    assert int(np.argmax(day)) == 14
    assert int(np.argmin(day)) == 2
