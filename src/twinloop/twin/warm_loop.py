"""The warm loop: cold plates and baths, coolant distribution units, outdoor cooler, trim."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.cooling.boiling import BoilingBath, boiling_bath
from twinloop.cooling.cdus import Cdu, cdu
from twinloop.cooling.dry_coolers import DryCooler
from twinloop.cooling.pumps import flow_power_share
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.floating import floated_c
from twinloop.twin.free_coolers import (
    FreePoint,
    OutdoorAir,
    TowerSet,
    best_leaving_c,
    free_cool,
    hours_of,
    reaches,
)
from twinloop.twin.heat_reuse import HeatReuse, ReusePoint, reuse_heat

MOST_FLOAT_K = 60.0
"""Furthest that warm water may float above its setpoint."""


@dataclass(frozen=True)
class WarmLoop:
    """Sizes of the warm loop, all units as one."""

    cdu: Cdu
    heat_w: float
    """Design heat, coolant pumps included."""
    flow_kg_s: float
    pump_w: float
    """Facility-side pumps at design flow."""
    cooler: DryCooler | TowerSet | None
    trim_w: float
    """Heat that the cold loop is sized to take."""
    reuse: HeatReuse | None = None
    boiling: BoilingBath | None = None
    """Two-phase baths in the place of distribution units."""


@dataclass(frozen=True)
class WarmState:
    """The warm loop at its operating point, shape (hours,)."""

    coolant_supply_c: Array
    coolant_return_c: Array
    supply_c: Array
    return_c: Array
    flow_kg_s: Array
    coolant_kg_s: Array
    cdu_pump_w: Array
    pump_w: Array
    cdu_heat_w: Array
    trim_w: Array
    free: FreePoint
    reuse: ReusePoint


def warm_loop(heat_w: Array, loop: WarmLoop, design: HybridDesign, outdoor: OutdoorAir, k: PlantConstants) -> WarmState:
    """Solve the warm loop for ``heat_w`` from plates and baths, shape (hours,).

    The return serves a heat buyer first, then the outdoor cooler. Supply holds its setpoint while buyer, cooler
    and trim can; else it floats to where they carry the heat. Pumps slow with load down to the minimum flow and
    their heat enters the loop.
    """
    xp = namespace(heat_w)
    ratio = xp.maximum(heat_w / loop.heat_w, k.minimum_flow_ratio)
    flow = ratio * loop.flow_kg_s
    capacity_w_k = flow * k.water_heat_capacity_j_kg_k
    cdu_pump_w = loop.cdu.pump_design_w * flow_power_share(ratio, loop.cdu.static_fraction)
    pump_w = loop.pump_w * flow_power_share(ratio, k.pump_static_share)
    total_w = heat_w + cdu_pump_w + pump_w

    supply_c = _supply_c(total_w, capacity_w_k, flow, loop, design, outdoor, k)
    return_c = supply_c + total_w / capacity_w_k
    reuse = reuse_heat(loop.reuse, return_c, capacity_w_k, supply_c, k)
    free = free_cool(loop.cooler, reuse.water_out_c, flow, supply_c, outdoor, k)
    trim_w = capacity_w_k * (free.water_out_c - supply_c)
    coolant_kg_s = ratio * loop.cdu.secondary_design_kg_s
    if loop.boiling is not None:
        tank = boiling_bath(loop.boiling, heat_w, supply_c, flow)
        coolant_supply_c = coolant_return_c = tank.saturation_c
        cdu_heat_w = capacity_w_k * (tank.water_out_c - supply_c)
    else:
        coolant_return_c = _coolant_return_c(heat_w + cdu_pump_w, loop.cdu, coolant_kg_s, supply_c, flow)
        unit = cdu(loop.cdu, coolant_return_c, coolant_kg_s, supply_c, flow)
        coolant_supply_c, cdu_heat_w = unit.secondary_supply_c, unit.heat_w
    return WarmState(
        coolant_supply_c=coolant_supply_c, coolant_return_c=coolant_return_c, supply_c=supply_c,
        return_c=return_c, flow_kg_s=flow, coolant_kg_s=coolant_kg_s, cdu_pump_w=cdu_pump_w, pump_w=pump_w,
        cdu_heat_w=cdu_heat_w, trim_w=trim_w, free=free, reuse=reuse,
    )  # fmt: skip


def _supply_c(
    total_w: Array,
    capacity_w_k: Array,
    flow: Array,
    loop: WarmLoop,
    design: HybridDesign,
    outdoor: OutdoorAir,
    k: PlantConstants,
) -> Array:
    """Return the setpoint, or in hours that cooler and trim cannot hold it, the temperature they balance at."""

    def shortage_w(supply_c: Array, at: Array) -> Array:
        return_c = supply_c + total_w[at] / capacity_w_k[at]
        entering_c = reuse_heat(loop.reuse, return_c, capacity_w_k[at], supply_c, k).water_out_c
        best_c = best_leaving_c(loop.cooler, entering_c, flow[at], hours_of(outdoor, at), k)
        return capacity_w_k[at] * (best_c - supply_c)

    setpoint_c = 0.0 * total_w + design.warm_supply_c
    return_c = setpoint_c + total_w / capacity_w_k
    entering_c = reuse_heat(loop.reuse, return_c, capacity_w_k, setpoint_c, k).water_out_c
    enough = reaches(loop.cooler, entering_c, flow, setpoint_c + loop.trim_w / capacity_w_k, outdoor, k)
    return floated_c(setpoint_c, shortage_w, loop.trim_w, MOST_FLOAT_K, enough)


def _coolant_return_c(heat_w: Array, unit: Cdu, coolant_kg_s: Array, supply_c: Array, flow: Array) -> Array:
    """Return the coolant temperature at which the unit passes ``heat_w``; its heat is linear in it."""
    xp = namespace(heat_w)
    probe_w = cdu(unit, supply_c + 10.0, coolant_kg_s, supply_c, flow).heat_w
    return supply_c + 10.0 * heat_w / xp.maximum(probe_w, 1e-9)
