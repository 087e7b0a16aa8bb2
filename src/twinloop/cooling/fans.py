"""Fans by the affinity laws: flow ~ n, pressure ~ n², power ~ n³."""

from __future__ import annotations

from twinloop.arrays import Array


def fan_power_w(flow_ratio: Array, design_power_w: Array, static_fraction: float = 0.0) -> Array:
    """Return shaft-to-meter power at ``flow_ratio`` of design flow.

    ``P = P₀ (s x + (1 − s) x³)``; ``s`` is the share of pressure that does not fall with flow (a
    kept static pressure). Range: x 0-1.2. Source: affinity laws, ASHRAE Handbook - HVAC Systems and
    Equipment (2020), chapter 21.

    >>> fan_power_w(0.5, 1000.0)
    125.0
    """
    return design_power_w * (static_fraction * flow_ratio + (1.0 - static_fraction) * flow_ratio**3)
