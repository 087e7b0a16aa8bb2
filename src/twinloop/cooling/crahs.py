"""Air handlers: a dry chilled-water coil and its fans."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array
from twinloop.cooling.exchangers import exchange, ua_at_flow_w_k
from twinloop.cooling.fans import fan_power_w

AIR_J_KG_K = 1006.0
WATER_J_KG_K = 4181.0


@dataclass(frozen=True)
class Crah:
    """Design point of one handler, or of many alike as one."""

    ua_w_k: float
    air_design_kg_s: float
    water_design_kg_s: float
    fan_design_w: float


@dataclass(frozen=True)
class CrahPoint:
    """Operating point; ``heat_w`` by the water side, fan heat not included."""

    heat_w: Array
    air_out_c: Array
    water_out_c: Array
    fan_w: Array


def crah(unit: Crah, fan_ratio: Array, air_in_c: Array, water_in_c: Array, water_flow_kg_s: Array) -> CrahPoint:
    """Rate a handler: counterflow dry coil, UA by both flows (films 0.8), fans by the cube law.

    Dry only: data-hall air at a dew point below the water's temperature, which the plant's setpoints
    keep (14 °C and warmer). Source: ε-NTU as in :mod:`twinloop.cooling.exchangers`.
    """
    ua_w_k = ua_at_flow_w_k(unit.ua_w_k, fan_ratio, water_flow_kg_s / unit.water_design_kg_s)
    x = exchange(
        air_in_c, water_in_c, fan_ratio * unit.air_design_kg_s * AIR_J_KG_K, water_flow_kg_s * WATER_J_KG_K, ua_w_k
    )
    return CrahPoint(x.heat_w, x.hot_out_c, x.cold_out_c, fan_power_w(fan_ratio, unit.fan_design_w))
