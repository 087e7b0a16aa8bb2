"""Server air: how much a heat load needs at a rise, and what the fans take."""

from __future__ import annotations

from twinloop.arrays import Array
from twinloop.cooling.fans import fan_power_w

AIR_HEAT_CAPACITY_J_KG_K = 1006.0
"""Dry air at 300 K, ASHRAE Handbook - Fundamentals (2017)."""


def server_air_flow_kg_s(heat_w: Array, rise_k: Array) -> Array:
    """Return ``Q / (cp ΔT)``.

    >>> round(server_air_flow_kg_s(1000.0, 11.0), 4)   # 1 kW at 11 K
    0.0904
    """
    return heat_w / (AIR_HEAT_CAPACITY_J_KG_K * rise_k)


def server_fan_power_w(flow_ratio: Array, design_fan_w: Array) -> Array:
    """Return fan power at ``flow_ratio`` of the all-air design flow, by the cube law.

    >>> server_fan_power_w(0.5, 800.0)
    100.0
    """
    return fan_power_w(flow_ratio, design_fan_w)
