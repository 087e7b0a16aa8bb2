"""Rear-door heat exchangers: an air-to-water coil in the rack's exhaust."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array
from twinloop.cooling.exchangers import exchange, ua_at_flow_w_k
from twinloop.cooling.fans import fan_power_w

AIR_J_KG_K = 1006.0
WATER_J_KG_K = 4181.0
DEW_POINT_GUARD_K = 2.0
"""Water stays this far above the hall's dew point (HPE Motivair QuickSpecs: dew point + 2 °C)."""


@dataclass(frozen=True)
class RearDoor:
    """Design point of one door, or of many alike as one. Passive doors have no fan power."""

    ua_w_k: float
    air_design_kg_s: float
    water_design_kg_s: float
    fan_design_w: float


@dataclass(frozen=True)
class DoorPoint:
    """Operating point; ``condensing`` says that the water breaks the dew-point guard."""

    heat_w: Array
    air_out_c: Array
    water_out_c: Array
    fan_w: Array
    condensing: Array


def rear_door(
    door: RearDoor,
    air_in_c: Array,
    air_flow_kg_s: Array,
    water_in_c: Array,
    water_flow_kg_s: Array,
    dew_point_c: Array,
) -> DoorPoint:
    """Rate a door: cross-flow, both unmixed, UA by both flows."""
    air_ratio = air_flow_kg_s / door.air_design_kg_s
    ua_w_k = ua_at_flow_w_k(door.ua_w_k, air_ratio, water_flow_kg_s / door.water_design_kg_s)
    x = exchange(air_in_c, water_in_c, air_flow_kg_s * AIR_J_KG_K, water_flow_kg_s * WATER_J_KG_K, ua_w_k, "crossflow")
    return DoorPoint(
        x.heat_w, x.hot_out_c, x.cold_out_c, fan_power_w(air_ratio, door.fan_design_w),
        water_in_c < dew_point_c + DEW_POINT_GUARD_K,
    )  # fmt: skip
