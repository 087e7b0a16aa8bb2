"""Outdoor air for the hall over one step: through dampers, wetted first where that helps, or past it behind a wall.

Rules and elements are the hourly plant's (:mod:`twinloop.twin.outdoor_air`); here dampers take time and the wall's
water switches with a dead band.
"""

from __future__ import annotations

from typing import NamedTuple

from twinloop.arrays import Array, namespace
from twinloop.cooling.economisers import LATENT_J_KG
from twinloop.cooling.fans import fan_power_w
from twinloop.twin.free_coolers import FROST_C, OutdoorAir
from twinloop.twin.outdoor_air import WORTH_A_FAN_K, admitted, wall_fan_design_w
from twinloop.twin.transient_nouns import Inputs, State, clamp
from twinloop.twin.transient_parameters import Parameters


class Side(NamedTuple):
    """What the hall's return is cooled against: ``drop = pull (return − reference)`` at a full damper."""

    reference_c: Array
    pull: Array
    permitted: Array
    moisture: Array
    """Through pads: water taken up a kilogram of outdoor air."""


def has_outdoor_side(p: Parameters) -> bool:
    """Return whether outdoor air serves the hall at all."""
    return p.plant.design.air_economiser or p.plant.design.evaporative == "indirect"


def outdoor_side(p: Parameters, inputs: Inputs, wall_wet: Array) -> Side:
    """Return the outdoor side under ``inputs``; ``wall_wet`` is 1 where the wall's water is on. Shapes broadcast."""
    xp, k = namespace(inputs.dry_bulb_c), p.k
    if p.plant.design.evaporative == "indirect":
        wet = wall_wet > 0.0
        return Side(
            xp.where(wet, inputs.wet_bulb_c, inputs.dry_bulb_c),
            xp.where(wet, k.wall_wet_effectiveness, k.wall_dry_effectiveness) * inputs.walls_ok, True, 0.0,
        )  # fmt: skip
    outdoor = OutdoorAir(inputs.dry_bulb_c, inputs.wet_bulb_c, inputs.dew_point_c, p.pressure_pa)
    air = admitted(p.plant.design, inputs.air_setpoint_c, outdoor, k)
    return Side(air.entering_c, 1.0, air.permitted, air.moisture)


def back_c(p: Parameters, state: State) -> Array:
    """Return the hall's return air behind the handlers' fans, as the outdoor side meets it, shape (cases,)."""
    unit = p.plant.handler
    n = p.fleet.handlers.running
    fan_w = fan_power_w(state.handler_fan, unit.fan_design_w / n, unit.fan_minimum_ratio, unit.fan_static_share)
    air_kg_s = state.handler_fan.sum(axis=0) * unit.air_design_kg_s / n
    air_w_k = namespace(air_kg_s).maximum(air_kg_s * p.k.air_heat_capacity_j_kg_k, 1e-6)
    return state.room_c + fan_w.sum(axis=0) / air_w_k


def damper_target(p: Parameters, state: State, inputs: Inputs, back_c: Array) -> tuple[Array, Array]:
    """Return (share of the hall's air that is asked to meet outdoor air, whether the wall is wetted)."""
    xp, k = namespace(back_c), p.k
    wet = state.wall_wet
    if p.plant.design.evaporative == "indirect":
        dry_c = back_c - k.wall_dry_effectiveness * xp.maximum(back_c - inputs.dry_bulb_c, 0.0)
        over_k = dry_c - inputs.air_setpoint_c
        wet = xp.where(over_k > p.c.water_band_k, 1.0, xp.where(over_k < -p.c.water_band_k, 0.0, wet))
        better = k.wall_wet_effectiveness * (back_c - inputs.wet_bulb_c) > back_c - dry_c
        wet = xp.where((inputs.dry_bulb_c > FROST_C) & better, wet, 0.0)
    side = outdoor_side(p, inputs, wet)
    drop_k = side.pull * (back_c - side.reference_c)
    share = clamp((back_c - inputs.air_setpoint_c) / xp.maximum(drop_k, 1.0), 0.0, 1.0)
    least_k = WORTH_A_FAN_K if p.plant.design.evaporative == "indirect" else 0.0
    return xp.where(side.permitted & (drop_k > least_k), share, 0.0), wet


class OutdoorUse(NamedTuple):
    """What the outdoor side took and used: heat, water and fans outdoors."""

    heat_w: Array
    evaporation_kg_s: Array
    fan_w: Array


def outdoor_use(p: Parameters, after: State, inputs: Inputs, crah_fan_w: Array) -> OutdoorUse:
    """Return the use of all moments of a record at once, from temperatures and fans alone; units on axis 1."""
    k, handler = p.k, p.plant.handler
    none = 0.0 * after.damper
    if not has_outdoor_side(p):
        return OutdoorUse(none, none, none)
    side = outdoor_side(p, inputs, after.wall_wet)
    air_kg_s = after.handler_fan.sum(axis=1) * handler.air_design_kg_s / p.fleet.handlers.running
    air_w_k = namespace(air_kg_s).maximum(air_kg_s * k.air_heat_capacity_j_kg_k, 1e-6)
    back_c = after.room_c + crah_fan_w / air_w_k
    heat_w = after.damper * air_w_k * side.pull * (back_c - side.reference_c)
    if p.plant.design.evaporative != "indirect":
        return OutdoorUse(heat_w, after.damper * air_kg_s * side.moisture, none)
    flow = after.damper * air_kg_s / handler.air_design_kg_s
    fan_w = inputs.walls_ok * fan_power_w(flow, wall_fan_design_w(handler, p.pressure_pa, k))
    return OutdoorUse(heat_w, after.wall_wet * heat_w / LATENT_J_KG, fan_w)
