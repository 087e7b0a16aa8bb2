"""When a stage is busy: its hours of the year."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.estimate import StageOption
from twinloop.model.model import Stage

HOURS = 8760
HOUR_S = 3600.0
QUARTERS = 4
"""Parts of an hour: meters bill means of 15 minutes."""
START_HOUR = {"preprocess": 0.0, "train": 2.0}
"""Recurrent runs start here, local time, where nothing says when what they read is ready."""


SHARPEST_DAY = 20.0
"""Largest hour over the mean that a day of 24 hours is given."""


def start_s(stage: Stage, stages: Sequence[Stage]) -> float:
    """Return the time of day at which a recurrent run may start: when the recurrent ones before it are due.

    >>> from twinloop.model.model import Stage
    >>> features = Stage("features", "preprocess", (), (), None, every_s=86400.0, deadline_s=3 * 3600.0)
    >>> train = Stage("train", "train", ("features",), (), "net", every_s=86400.0)
    >>> start_s(train, (features, train)) / 3600.0
    3.0
    """
    by_name = {each.name: each for each in stages}
    before = [by_name[name] for name in stage.after if name in by_name and by_name[name].every_s is not None]
    return max((start_s(each, stages) + (each.deadline_s or each.every_s or 0.0) for each in before), default=0.0)


def hourly_activity(option: StageOption, stage: Stage, start_s: float | None = None) -> FloatArray:
    """Return the busy share of each hour, shape (8760,); its mean is ``option.busy_fraction``.

    Recurrent runs fill whole hours from their start, the last one in part. A run that happens once in the horizon
    fills its share of the year from the start. Continuous stages have a smooth day whose busiest hour begins at 14 h:
    mean as given, peak ``peak_to_mean`` times it, never above 1.

    Args:
        option: how the stage runs.
        stage: what runs.
        start_s: time of day of a recurrent run (see :func:`start_s`); ``None``: by the kind of stage.
    """
    if option.duration_s is None:
        return _diurnal(option.busy_fraction, stage.peak_to_mean)
    if stage.every_s is None:
        return _recurrent(option.busy_fraction * HOURS * HOUR_S, HOURS * HOUR_S, 0.0)
    start = START_HOUR.get(stage.kind, 0.0) if start_s is None else start_s / HOUR_S
    return _recurrent(option.duration_s, stage.every_s, start)


def stage_activity(option: StageOption, stages: Sequence[Stage]) -> FloatArray:
    """Return :func:`hourly_activity` of ``option`` as one of ``stages``: a run waits for those that it reads from.

    Args:
        option: how the stage called ``option.stage`` runs.
        stages: all of the scenario's.
    """
    stage = next(each for each in stages if each.name == option.stage)
    waits = bool(stage.after) and option.duration_s is not None
    return hourly_activity(option, stage, start_s(stage, stages) if waits else None)


def stage_quarters(option: StageOption, stages: Sequence[Stage]) -> FloatArray | None:
    """Return the busy share of each quarter of an hour, shape (8760, 4), whose mean is :func:`stage_activity`.

    ``None``: even within the hour. A run that ends within an hour is at full power for a part of it, which is what
    breakers, coolers and meters of 15-minute means see.
    """
    stage = next(each for each in stages if each.name == option.stage)
    if option.duration_s is None or stage.every_s is None:
        return None
    start = start_s(stage, stages) / HOUR_S if stage.after else START_HOUR.get(stage.kind, 0.0)
    return _recurrent(option.duration_s, stage.every_s, start, QUARTERS).reshape(HOURS, QUARTERS)


def _recurrent(duration_s: float, every_s: float, start_hour: float, parts: int = 1) -> FloatArray:
    edges = np.arange(HOURS * parts + 1) * (HOUR_S / parts)
    busy = min(duration_s, every_s)
    shifted = edges - start_hour * HOUR_S
    # Busy seconds since the first start, at every hour's edge; runs of earlier years fill the start.
    whole = np.floor(shifted / every_s)
    done = whole * busy + np.minimum(shifted - whole * every_s, busy)
    activity = np.clip(np.diff(done) / (HOUR_S / parts), 0.0, 1.0)
    # The year need not hold a whole number of periods: its idle or its busy hours give way to the exact mean.
    mean, held = busy / every_s, float(np.mean(activity))
    if held > mean:
        return np.asarray(activity * (mean / held))
    return np.asarray(1.0 - (1.0 - activity) * ((1.0 - mean) / (1.0 - held)) if held < 1.0 else activity)


def _diurnal(mean: float, peak_to_mean: float) -> FloatArray:
    """Return ``exp(κ cos)`` of the hour (a von Mises day), κ such that the busiest hour is ``peak_to_mean`` times the
    mean, or always busy where that is less."""
    turn = np.cos((np.arange(24) + 0.5 - 14.5) / 24.0 * 2.0 * np.pi)
    wanted = min(peak_to_mean, 1.0 / mean if mean > 0.0 else 1.0, SHARPEST_DAY)
    low, high = 0.0, 400.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if 1.0 / float(np.mean(np.exp(middle * (turn - 1.0)))) > wanted else (middle, high)
    day = np.exp(low * (turn - 1.0))
    return np.tile(mean * day / float(np.mean(day)), HOURS // 24)
