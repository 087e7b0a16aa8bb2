"""Whether stated intervals hold: the share of left-out rows whose measured value lies inside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.validation.result import Result

STATED = 80.0
"""Intervals go from about the 10th to the 90th percentile, %."""
TOLERANCE = 15.0
"""Wide enough for pools of a few dozen rows of fewer models, %."""

Interval = tuple[float, float]


def coverage(
    label: str, time_over_predicted: FloatArray, intervals: Sequence[Interval], source: str
) -> Result:  # fmt: skip
    """Return the share of rows whose measured time over the predicted one lies in the interval of the row."""
    low, high = np.array(intervals).T
    below, above = np.mean(time_over_predicted < low), np.mean(time_over_predicted > high)
    return Result(
        case=f"{label} (n={len(time_over_predicted)})",
        quantity=f"left-out rows in the stated interval; {100 * below:.0f} % are faster, {100 * above:.0f} % slower",
        unit="%", expected=STATED, got=float(100.0 * (1.0 - below - above)), tolerance=TOLERANCE, source=source,
        kind="calibration",
    )  # fmt: skip
