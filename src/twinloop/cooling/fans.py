"""Fans by the affinity laws: flow ~ n, pressure ~ n², power ~ n³."""

from __future__ import annotations

from twinloop.arrays import Array, namespace

EC_FAN = (0.0699, 1.395, -3.355, 2.892)
"""Power over design power by powers of the flow ratio: electronically commutated fans of a data-hall
air handler, EnergyPlus example 1ZoneDataCenterCRAC."""
VARIABLE_VOLUME_FAN = (0.35071223, 0.30850535, -0.54137364, 0.87198823)
"""Same form, EnergyPlus two-zone data-centre example; a generic variable-volume fan with inlet vanes."""


def fan_power_w(
    flow_ratio: Array, design_power_w: Array, minimum_ratio: float = 0.0, static_fraction: float = 0.0
) -> Array:
    """Return shaft-to-meter power at ``flow_ratio`` of design flow.

    ``P = P₀ (s x + (1 − s) x³)``; ``s`` (``static_fraction``) is the share of pressure that does not fall
    with flow (a kept static pressure). Below ``minimum_ratio``, the slowest speed of the drive, the fan
    runs part of the time: power is proportional to flow, continuous at the minimum. Range: x 0-1.2.
    Source: affinity laws, ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 21.

    >>> float(fan_power_w(0.5, 1000.0))
    125.0
    >>> round(float(fan_power_w(0.1, 1000.0, minimum_ratio=0.2)), 9)
    4.0
    """
    xp = namespace(flow_ratio, design_power_w)
    running = xp.maximum(flow_ratio, minimum_ratio)
    return design_power_w * flow_ratio * (static_fraction + (1.0 - static_fraction) * running**2)


def polynomial_fan_power_w(flow_ratio: Array, design_power_w: Array, coefficients: tuple[float, ...] = EC_FAN) -> Array:
    """Return ``P₀ Σ cᵢ xⁱ``: a measured fan's curve, as EnergyPlus writes it. Range: x 0.25-1.

    >>> round(polynomial_fan_power_w(0.6, 1000.0), 1)
    323.8
    """
    share: Array = 0.0
    for coefficient in reversed(coefficients):
        share = share * flow_ratio + coefficient
    return design_power_w * share
