"""When a stage is busy: its hours of the year."""

from __future__ import annotations

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.estimate import StageOption
from twinloop.model.model import Stage

HOURS = 8760
HOUR_S = 3600.0
START_HOUR = {"preprocess": 0.0, "train": 2.0}
"""Recurrent runs start here, local time: preprocessing at midnight, training when its data is ready."""


def hourly_activity(option: StageOption, stage: Stage) -> FloatArray:
    """Return the busy share of each hour, shape (8760,); its mean is ``option.busy_fraction``.

    Recurrent runs fill whole hours from their start, the last one in part. Continuous stages follow a
    cosine day with its peak at 14 h: mean as given, peak ``peak_to_mean`` times it, never above 1.
    """
    if option.duration_s is not None and stage.every_s:
        return _recurrent(option.duration_s, stage.every_s, START_HOUR.get(stage.kind, 0.0))
    return _diurnal(option.busy_fraction, stage.peak_to_mean)


def _recurrent(duration_s: float, every_s: float, start_hour: float) -> FloatArray:
    edges = np.arange(HOURS + 1) * HOUR_S
    period, busy = max(every_s, HOUR_S), min(duration_s, every_s)
    shifted = edges - start_hour * HOUR_S
    # Busy seconds since the first start, at every hour's edge; runs of earlier years fill the start.
    whole = np.floor(shifted / period)
    done = whole * busy + np.minimum(shifted - whole * period, busy)
    activity = np.diff(done) / HOUR_S
    # The year need not hold a whole number of periods: scale to the exact mean.
    mean = busy / period
    scaled: FloatArray = activity * (mean / float(np.mean(activity))) if float(np.mean(activity)) > 0.0 else activity
    return scaled


def _diurnal(mean: float, peak_to_mean: float) -> FloatArray:
    hour = np.arange(HOURS) % 24 + 0.5
    swing = min(peak_to_mean - 1.0, 1.0, (1.0 - mean) / mean if mean > 0.0 else 0.0)
    activity: FloatArray = mean * (1.0 + max(swing, 0.0) * np.cos((hour - 14.0) / 24.0 * 2.0 * np.pi))
    return activity
