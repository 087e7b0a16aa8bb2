"""Coolant distribution units: a liquid-to-liquid exchanger and the pumps of the coolant side."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array
from twinloop.cooling.exchangers import exchange, ua_at_flow_w_k

WATER_J_KG_K = 4181.0


@dataclass(frozen=True)
class Cdu:
    """Design point of one unit, or of many alike as one; water on both sides."""

    ua_w_k: float
    primary_design_kg_s: float
    secondary_design_kg_s: float
    pump_design_w: float


@dataclass(frozen=True)
class CduPoint:
    """Operating point; pump heat is inside the secondary return that the caller passes in."""

    heat_w: Array
    secondary_supply_c: Array
    primary_return_c: Array
    pump_w: Array


def cdu(
    unit: Cdu,
    secondary_return_c: Array,
    secondary_flow_kg_s: Array,
    primary_supply_c: Array,
    primary_flow_kg_s: Array,
) -> CduPoint:
    """Rate a unit: counterflow, UA by both flows (films 0.8), pump power by the cube of flow.

    A unit of effectiveness 0.75-0.9 and 2-5 K approach is typical.
    """
    secondary = secondary_flow_kg_s / unit.secondary_design_kg_s
    ua_w_k = ua_at_flow_w_k(unit.ua_w_k, secondary, primary_flow_kg_s / unit.primary_design_kg_s)
    x = exchange(
        secondary_return_c,
        primary_supply_c,
        secondary_flow_kg_s * WATER_J_KG_K,
        primary_flow_kg_s * WATER_J_KG_K,
        ua_w_k,
    )
    return CduPoint(x.heat_w, x.hot_out_c, x.cold_out_c, unit.pump_design_w * secondary**3)
