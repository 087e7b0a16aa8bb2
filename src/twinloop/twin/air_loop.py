"""The hall's air: servers, rear doors, air handlers and outdoor air."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.cooling.crahs import Crah, crah
from twinloop.cooling.racks import Aisle, intake_from_rise_c
from twinloop.cooling.rear_doors import RearDoor, rear_door
from twinloop.cooling.solve import flow_ratio
from twinloop.fluids.psychrometrics import CP_DRY_AIR
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.outdoor_air import economise

HANDLER_FLOOR = 0.2
"""Slowest air-handler fan over design. Low confidence."""

LEAST_VALVE = 1e-3
"""A door's valve never closes."""


VALVE_STEPS = 4
"""Of the root of a valve: heat within 1e-11."""
LEAST_COIL = 1e-4
"""Slowest water of coils in use."""


@dataclass(frozen=True)
class AirState:
    """The air loop at its operating point, shape (hours,)."""

    supply_c: Array
    intake_c: Array
    exhaust_c: Array
    door_out_c: Array
    return_c: Array
    door_heat_w: Array
    coil_heat_w: Array
    """By the water side."""
    coil_air_heat_w: Array
    """By the air side."""
    outdoor_heat_w: Array
    """Carried off by outdoor air."""
    fan_w: Array
    water_kg_s: Array
    """Through doors and coils."""
    residual_w: Array
    """Rack heat that reaches the room past the doors."""
    condensing: Array
    outdoor_fan_w: Array
    """Of fans that stand outdoors."""
    evaporation_kg_s: Array
    """Of pads and wetted walls."""


def air_loop(
    heat_w: Array,
    server_flow_kg_s: Array,
    room_w: Array,
    design: HybridDesign,
    door: RearDoor | None,
    handler: Crah,
    aisle: Aisle,
    cold_supply_c: Array,
    outdoor: OutdoorAir,
    k: PlantConstants,
) -> AirState:
    """Solve the hall's air.

    Args:
        heat_w: heat of all racks into air, W, shape (hours,).
        server_flow_kg_s: air through the servers.
        room_w: other heat in the hall (power conversion, lights).
        design: setpoints and what exists.
        door: all rear doors as one, or ``None``.
        handler: all air handlers as one.
        aisle: what crosses between cold and hot side.
        cold_supply_c: water entering doors and coils.
        outdoor: outdoor air.
        k: constants.

    What servers draw beyond the handlers' air is the room's. Where coils at full flow cannot hold the supply setpoint,
    supply floats up until they carry what the doors leave, which still aim at the setpoint.
    """
    xp = namespace(heat_w, cold_supply_c)
    server_w_k = xp.maximum(server_flow_kg_s * k.air_heat_capacity_j_kg_k, 1e-6)
    fan_ratio = _fan_ratio(heat_w + room_w, server_flow_kg_s, design, handler, aisle, k)
    handler_w_k = fan_ratio * handler.air_design_kg_s * k.air_heat_capacity_j_kg_k
    fan_w = crah(handler, fan_ratio, 30.0, cold_supply_c, handler.water_design_kg_s).fan_w
    rise_k = heat_w / server_w_k
    room_k_w = _room_k_w(server_w_k, handler_w_k, aisle)
    warmer_k = intake_from_rise_c(room_k_w * (heat_w + room_w), rise_k, aisle.recirculation) + rise_k

    supply_c = _supply_c(
        heat_w + room_w + fan_w, warmer_k, server_flow_kg_s, door,
        _floating_k_w(handler, fan_ratio, handler_w_k, cold_supply_c), room_k_w, cold_supply_c, design.air_supply_c,
    )  # fmt: skip
    door_heat_w, door_out_c, door_flow, wet = _door(
        door, supply_c + warmer_k, room_k_w, server_flow_kg_s, cold_supply_c, design.air_supply_c, outdoor, k
    )
    exhaust_c = supply_c + warmer_k - room_k_w * door_heat_w
    intake_c = exhaust_c - rise_k
    load_w = heat_w - door_heat_w + room_w + fan_w
    return_c = supply_c + load_w / handler_w_k
    outside = economise(design, handler, return_c, supply_c, handler_w_k, outdoor, k)
    coil_w = handler_w_k * (outside.coil_in_c - supply_c)
    needed = coil_w > 1e-6 * (load_w + 1.0)
    coil_heat_w, coil_kg_s = _coil(handler, fan_ratio, outside.coil_in_c, cold_supply_c, coil_w, needed)
    return AirState(
        supply_c=supply_c, intake_c=intake_c, exhaust_c=exhaust_c, door_out_c=door_out_c, return_c=return_c,
        door_heat_w=door_heat_w, coil_heat_w=coil_heat_w, coil_air_heat_w=coil_w, outdoor_heat_w=outside.heat_w,
        fan_w=fan_w, water_kg_s=coil_kg_s + door_flow,
        residual_w=heat_w - door_heat_w, condensing=wet, outdoor_fan_w=outside.fan_w,
        evaporation_kg_s=outside.evaporation_kg_s,
    )  # fmt: skip


def _fan_ratio(
    heat_w: Array, server_flow_kg_s: Array, design: HybridDesign, handler: Crah, aisle: Aisle, k: PlantConstants
) -> Array:
    """Return the handlers' speed over design.

    They move the servers' air plus bypass, or what keeps the return from warming by more than ``crah_most_rise_k``
    where servers move next to none. Beside baths, which draw none, and beside doors, which hand the servers' air back
    to the room at the setpoint, they hold the design flow of the room's own heat. Units that are left turn faster for
    those that are not, as far as they reach.
    """
    xp = namespace(heat_w, server_flow_kg_s)
    wanted_kg_s = handler.air_held_kg_s + 0.0 * heat_w
    if design.handlers_follow_servers:
        drawn_kg_s = server_flow_kg_s * (1.0 + aisle.leak)
        wanted_kg_s = xp.maximum(drawn_kg_s, heat_w / (k.air_heat_capacity_j_kg_k * k.crah_most_rise_k))
    return xp.clip(wanted_kg_s / handler.air_design_kg_s, HANDLER_FLOOR, k.crah_fan_most)


def _coil(
    handler: Crah, fan_ratio: Array, air_in_c: Array, water_in_c: Array, wanted_w: Array, needed: Array
) -> tuple[Array, Array]:
    """Return (heat by the water side, water flow) of coils that pass ``wanted_w``; shut where not ``needed``.

    Where they would pass more at their slowest water, it runs the share of the hour that the heat needs.
    """
    xp = namespace(air_in_c, wanted_w)

    def heat_w(ratio: Array) -> Array:
        return crah(handler, fan_ratio, air_in_c, water_in_c, ratio * handler.water_design_kg_s).heat_w

    passed_w = xp.where(needed, xp.minimum(wanted_w, heat_w(1.0)), 1.0)
    ratio = xp.where(needed, flow_ratio(heat_w, passed_w, LEAST_COIL, 1.0, VALVE_STEPS), 0.0)
    held_w = heat_w(xp.maximum(ratio, LEAST_COIL))
    slowest = ratio <= LEAST_COIL * 1.01
    running = xp.where(slowest, xp.clip(passed_w / xp.where(held_w == 0.0, 1.0, held_w), 0.0, 1.0), 1.0)
    running = xp.where(ratio > 0.0, running, 0.0)
    return running * held_w, running * ratio * handler.water_design_kg_s


def _room_k_w(server_w_k: Array, handler_w_k: Array, aisle: Aisle) -> Array:
    """Return by how much a watt left in the room warms intakes: 0 unless servers draw more than handlers supply.

    Servers then take the share ``s = 1 − r − m_h/m_s`` of their air from the room, which stands above the supply by
    its heat over the handlers' air: ``T_in = T_supply + (s (Q_room/C_h) + r ΔT)/(1 − r)``.
    """
    xp = namespace(server_w_k, handler_w_k)
    stale = xp.maximum(1.0 - aisle.recirculation - handler_w_k / server_w_k, 0.0)
    return stale / (1.0 - aisle.recirculation) / handler_w_k


def _door_ends_w_k(door: RearDoor | None, air_kg_s: Array, water_c: Array) -> tuple[Array, Array]:
    """Return the door's heat per kelvin of air above water at both ends of its valve."""
    off = 0.0 * (air_kg_s + water_c)
    if door is None:
        return off, off
    return _door_w_k(door, air_kg_s, off + LEAST_VALVE), _door_w_k(door, air_kg_s, off + 1.0)


def _door_w_k(door: RearDoor, air_kg_s: Array, ratio: Array) -> Array:
    """Return the door's heat per kelvin of air above water at a share of its water: it is a dry coil."""
    off = 0.0 * (air_kg_s + ratio)
    return rear_door(door, off + 1.0, air_kg_s, off, ratio * door.water_design_kg_s, off).heat_w


def _between(one_end: Array, wanted: Array, other_end: Array) -> Array:
    xp = namespace(one_end, wanted, other_end)
    return xp.clip(wanted, xp.minimum(one_end, other_end), xp.maximum(one_end, other_end))


def _door(
    door: RearDoor | None,
    exhaust_c: Array,
    room_k_w: Array,
    air_kg_s: Array,
    water_c: Array,
    target_c: float,
    outdoor: OutdoorAir,
    k: PlantConstants,
) -> tuple[Array, Array, Array, Array]:
    """Return (heat, leaving air, water flow, condensing); the valve aims at leaving air of ``target_c``.

    ``exhaust_c`` is that of a door which takes nothing; each watt that it takes cools the exhaust by ``room_k_w``.
    """
    xp = namespace(exhaust_c, water_c)
    off = 0.0 * (exhaust_c + water_c)
    if door is None:
        return off, exhaust_c + off, off, off > 1.0
    hall_dew_c = xp.minimum(outdoor.dew_point_c, k.dew_point_high_c)

    def passed_w(per_k: Array, reference_c: Array) -> Array:
        return per_k * (exhaust_c - reference_c) / (1.0 + room_k_w * per_k)

    def at(ratio: Array) -> Array:
        return passed_w(_door_w_k(door, air_kg_s, ratio), water_c)

    asked_w = passed_w(air_kg_s * CP_DRY_AIR, target_c)
    wanted_w = _between(at(LEAST_VALVE), asked_w, at(1.0))
    ratio = flow_ratio(at, wanted_w, LEAST_VALVE, 1.0, VALVE_STEPS)
    entering_c = exhaust_c - room_k_w * at(ratio)
    point = rear_door(door, entering_c, air_kg_s, water_c, ratio * door.water_design_kg_s, hall_dew_c)
    return point.heat_w, point.air_out_c, ratio * door.water_design_kg_s, point.condensing


def _floating_k_w(handler: Crah, fan_ratio: Array, handler_w_k: Array, water_c: Array) -> Array:
    """Return how far supply air stands above the water for each watt that coils at full flow carry.

    A dry coil's heat is proportional to (air in - water in), so one rating at 1 K gives the entering air.
    """
    xp = namespace(handler_w_k, water_c)
    conductance_w_k = crah(handler, fan_ratio, water_c + 1.0, water_c, handler.water_design_kg_s).heat_w
    return 1.0 / xp.maximum(conductance_w_k, 1e-6) - 1.0 / handler_w_k


def _supply_c(
    load_w: Array, warmer_k: Array, air_kg_s: Array, door: RearDoor | None, floating_k_w: Array, room_k_w: Array,
    water_c: Array, setpoint_c: float,
) -> Array:  # fmt: skip
    """Return the supply temperature: the setpoint, or where full-flow coils carry what the doors leave.

    Doors aim at the setpoint, between both ends of their valves. Each of the three laws is linear in the supply, and
    the coils' load falls with it, so the root of the one that holds is exact.

    Args:
        load_w: heat of racks, room and fans.
        warmer_k: racks' exhaust above supply where doors take nothing.
        air_kg_s: through the doors.
        door: all of them as one, or ``None``.
        floating_k_w: see :func:`_floating_k_w`.
        room_k_w: see :func:`_room_k_w`.
        water_c: entering coils and doors.
        setpoint_c: of supply air and of the doors' leaving air.
    """
    xp = namespace(load_w, water_c)

    def root_c(door_w_k: Array, reference_c: Array) -> Array:
        taken_w_k = door_w_k / (1.0 + room_k_w * door_w_k)
        alone_c = water_c + floating_k_w * (load_w - taken_w_k * (warmer_k - reference_c))
        return alone_c / (1.0 + floating_k_w * taken_w_k)

    least_w_k, most_w_k = _door_ends_w_k(door, air_kg_s, water_c)
    aimed_c = root_c(air_kg_s * CP_DRY_AIR, setpoint_c) if door is not None else water_c
    floated_c = xp.minimum(root_c(least_w_k, water_c), xp.maximum(aimed_c, root_c(most_w_k, water_c)))
    return xp.maximum(floated_c, setpoint_c)
