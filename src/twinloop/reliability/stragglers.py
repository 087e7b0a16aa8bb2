"""A synchronous step ends with its slowest device: the expected maximum of many."""

from __future__ import annotations

from statistics import NormalDist

STEP_VARIATION = 0.005
"""Standard deviation of one device's step over its mean, clocks and links of a healthy job. Range 0.002-0.02, low
confidence."""
MEASURED_ON = 64
"""Devices of a typical published step: what their slowest costs is in the fitted constants already."""


def expected_largest(count: float) -> float:
    """Return the expected largest of ``count`` standard normal values.

    Blom's form ``Φ⁻¹((n − 3/8)/(n + 1/4))`` (Blom 1958, Statistical Estimates and Transformed Beta-Variables):
    within 0.025 of the exact mean for every n ≥ 1.

    >>> round(expected_largest(100), 2)  # exact: 2.51
    2.5
    """
    if count <= 1.0:
        return 0.0
    return NormalDist().inv_cdf((count - 0.375) / (count + 0.25))


def slowdown(devices: float, variation: float = STEP_VARIATION, measured_on: float = MEASURED_ON) -> float:
    """Return a step on ``devices`` over the same step where its constants were measured, never below 1.

    >>> round(slowdown(4096) - 1.0, 3)
    0.006
    """
    return max((1.0 + variation * expected_largest(devices)) / (1.0 + variation * expected_largest(measured_on)), 1.0)
