"""The hall's air over one step: servers' fans, doors, air handlers, room air and metal.

Supply air, intake and exhaust hold next to no heat, so they follow the room at once; room air and the
metal of racks and containment are the two unknowns, solved together by backward Euler.

Racks with containment are a box: of the servers' air the share ``fresh`` comes from the supply, ``r`` is
their own exhaust, and the rest, if the handlers move too little, is room air. With all handlers running
this is the hourly plant's recirculation; with none, the racks breathe the room.
"""

from __future__ import annotations

from typing import NamedTuple

from twinloop.arrays import Array, namespace
from twinloop.cooling.exchangers import exchange, ua_at_flow_w_k
from twinloop.cooling.fans import fan_power_w
from twinloop.twin.electrical import room_loss_w
from twinloop.twin.transient_nouns import Inputs, State
from twinloop.twin.transient_parameters import Parameters
from twinloop.twin.transient_wetted import has_outdoor_side, outdoor_side


class AirStep(NamedTuple):
    """Temperatures after the step and the heat that left the air."""

    room_c: Array
    metal_c: Array
    supply_c: Array
    intake_c: Array
    exhaust_c: Array
    door_out_c: Array
    coil_in_c: Array
    coil_w: Array
    door_w: Array
    outdoor_w: Array
    fan_w: Array
    room_w: Array
    air_w_k: Array


def water_adequacy(p: Parameters, state: State) -> Array:
    """Return the share of the coils' and doors' water that the cold pump moves, at most 1."""
    xp = namespace(state.cold_pump)
    return xp.minimum(state.cold_pump * p.plant.cold.flow_kg_s / xp.maximum(water_asked_kg_s(p, state), 1e-9), 1.0)


def water_asked_kg_s(p: Parameters, state: State) -> Array:
    """Return the chilled water that the valves of coils, doors and trim ask for."""
    k, plant = p.k, p.plant
    asked = state.coil_valve * plant.handler.water_design_kg_s
    if plant.door is not None:
        asked = asked + state.door_valve * plant.door.water_design_kg_s
    return asked + state.trim_w / (k.water_heat_capacity_j_kg_k * k.chilled_water_rise_k)


def air_step(
    p: Parameters, state: State, inputs: Inputs, heat_w: Array, it_w: Array, server_kg_s: Array, dt_s: float
) -> AirStep:
    """Return the hall's air after ``dt_s`` under rack heat ``heat_w``, shape (cases,)."""
    xp, plant, k = namespace(heat_w), p.plant, p.k
    room_w = xp.where(it_w > 0.0, room_loss_w(plant.electrics, it_w), 0.0) + plant.lighting_w
    server_w_k = xp.maximum(server_kg_s * k.air_heat_capacity_j_kg_k, 1e-6)
    rise_k = heat_w / server_w_k
    adequacy = water_adequacy(p, state)
    air_w_k, coil_w_k, fan_w, fan_rise_k = _handlers(p, state, adequacy)
    door_w_k = _doors(p, state, server_kg_s, adequacy)
    r = inputs.recirculation
    fresh = xp.minimum(1.0 - r, air_w_k / server_w_k)
    stale = 1.0 - r - fresh
    # Each is constant + slope times the room's temperature after the step.
    passed = coil_w_k / air_w_k
    met, outdoor_c = 0.0, 0.0
    if has_outdoor_side(p):
        side = outdoor_side(p, inputs, state.wall_wet)
        met, outdoor_c = state.damper * side.pull, side.reference_c
    coil_in_0, coil_in_1 = (1.0 - met) * fan_rise_k + met * outdoor_c, 1.0 - met
    supply_0, supply_1 = coil_in_0 * (1.0 - passed) + passed * state.cold_supply_c, coil_in_1 * (1.0 - passed)
    intake_0 = (fresh * supply_0 + r * rise_k) / (1.0 - r)
    intake_1 = (fresh * supply_1 + stale) / (1.0 - r)
    exhaust_0 = intake_0 + rise_k
    bypass_w_k, racks_w_k = air_w_k - fresh * server_w_k, (1.0 - r) * server_w_k
    # room: C dT/dt = racks + bypass - handlers - racks' breath + room heat - door - metal
    air_j, metal_j = p.air_j_k / dt_s, p.metal_j_k / dt_s
    skin_w_k = p.metal_j_k / p.c.metal_s
    slope = (
        air_j + air_w_k + stale * server_w_k - racks_w_k * intake_1 - bypass_w_k * supply_1 + door_w_k * intake_1
        + skin_w_k * metal_j / (metal_j + skin_w_k)
    )  # fmt: skip
    rest = (
        air_j * state.room_c + racks_w_k * exhaust_0 + bypass_w_k * supply_0 + room_w
        - door_w_k * (exhaust_0 - state.cold_supply_c) + skin_w_k * metal_j * state.metal_c / (metal_j + skin_w_k)
    )  # fmt: skip
    room_c = rest / slope
    metal_c = (metal_j * state.metal_c + skin_w_k * room_c) / (metal_j + skin_w_k)
    coil_in_c = coil_in_0 + coil_in_1 * room_c
    exhaust_c = exhaust_0 + intake_1 * room_c
    door_w = door_w_k * (exhaust_c - state.cold_supply_c)
    return AirStep(
        room_c, metal_c, supply_0 + supply_1 * room_c, intake_0 + intake_1 * room_c, exhaust_c,
        exhaust_c - door_w / server_w_k, coil_in_c, coil_w_k * (coil_in_c - state.cold_supply_c), door_w,
        met * air_w_k * (room_c + fan_rise_k - outdoor_c), fan_w, room_w, air_w_k,
    )  # fmt: skip


def _handlers(p: Parameters, state: State, adequacy: Array) -> tuple[Array, Array, Array, Array]:
    """Return (air m·cp, coil heat per kelvin, fan power, rise across the fans) of all units, (cases,)."""
    xp, unit, k, n = namespace(adequacy), p.plant.handler, p.k, p.fleet.handlers.running
    ratio = state.handler_fan
    water = state.coil_valve * adequacy
    unit_w_k = ratio * (unit.air_design_kg_s * k.air_heat_capacity_j_kg_k / n)
    ua_w_k = ua_at_flow_w_k(unit.ua_w_k / n, ratio, water, unit.film_exponent)
    coil_w_k = exchange(
        1.0, 0.0, unit_w_k, water * (unit.water_design_kg_s * k.water_heat_capacity_j_kg_k / n), ua_w_k
    ).heat_w
    air_w_k = xp.maximum(unit_w_k.sum(axis=0), 1e-6)
    fan_w = fan_power_w(ratio, unit.fan_design_w / n, unit.fan_minimum_ratio, unit.fan_static_share).sum(axis=0)
    return air_w_k, xp.minimum(coil_w_k.sum(axis=0), air_w_k), fan_w, fan_w / air_w_k


def _doors(p: Parameters, state: State, server_kg_s: Array, adequacy: Array) -> Array:
    """Return the doors' heat per kelvin between exhaust and water, (cases,)."""
    door, k = p.plant.door, p.k
    if door is None:
        return 0.0 * adequacy
    water = state.door_valve * adequacy
    ua_w_k = ua_at_flow_w_k(door.ua_w_k, server_kg_s / door.air_design_kg_s, water, door.film_exponent)
    return exchange(
        1.0, 0.0, server_kg_s * k.air_heat_capacity_j_kg_k,
        water * (door.water_design_kg_s * k.water_heat_capacity_j_kg_k), ua_w_k, "crossflow",
    ).heat_w  # fmt: skip
