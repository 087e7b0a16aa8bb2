"""Rear-door heat exchangers: an air-to-water coil in the rack's exhaust."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.cooling.exchangers import FILM_EXPONENT, exchange, ua_at_flow_w_k
from twinloop.cooling.fans import fan_power_w
from twinloop.fluids.psychrometrics import CP_DRY_AIR

WATER_J_KG_K = 4181.0
"""Water at 30 °C, IAPWS-95."""
AIR_KG_M3 = 1.15
"""Exhaust air at about 35 °C, sea level."""
DEW_POINT_GUARD_K = 2.0
"""Water stays this far above the hall's dew point (HPE Motivair QuickSpecs: dew point + 2 °C)."""


@dataclass(frozen=True)
class RearDoor:
    """Design point of one door, or of many alike as one. Passive doors have no fan power.

    Families on the market take 14-35 kW (passive), 35-55 and 55-75 kW (active) a rack.
    """

    ua_w_k: float
    air_design_kg_s: float
    water_design_kg_s: float
    fan_design_w: float
    water_j_kg_k: float = WATER_J_KG_K
    dp_design_pa: float = 25.0
    """Coil and frame at design air flow: 10-40 Pa. A passive door puts it on the servers' fans. Low."""
    film_exponent: float = FILM_EXPONENT


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
    """Rate a door: cross-flow, both unmixed, UA by both flows (films 0.8); dry coil.

    Air the servers push; an active door's fans only overcome its own drop. Source: ε-NTU as in
    :mod:`twinloop.cooling.exchangers`. Use :func:`guarded_water_c` to mix the water up to the guard.

    >>> door = RearDoor(6e3, 3.0, 1.2, 300.0)
    >>> point = rear_door(door, 38.0, 3.0, 18.0, 1.2, 12.0)
    >>> round(float(point.heat_w) / 1e3, 1), round(float(point.air_out_c), 1), bool(point.condensing)
    (42.9, 23.8, False)
    """
    air_ratio = air_flow_kg_s / door.air_design_kg_s
    ua_w_k = ua_at_flow_w_k(door.ua_w_k, air_ratio, water_flow_kg_s / door.water_design_kg_s, door.film_exponent)
    water_w_k = water_flow_kg_s * door.water_j_kg_k
    x = exchange(air_in_c, water_in_c, air_flow_kg_s * CP_DRY_AIR, water_w_k, ua_w_k, "crossflow")
    condensing = water_in_c < dew_point_c + DEW_POINT_GUARD_K + 0.0 * x.heat_w
    fan_w = fan_power_w(air_ratio, door.fan_design_w)
    return DoorPoint(x.heat_w, x.hot_out_c, x.cold_out_c, fan_w, condensing)


def guarded_water_c(water_in_c: Array, dew_point_c: Array) -> Array:
    """Return the water temperature that the dew-point guard lets into the door.

    >>> float(guarded_water_c(12.0, 15.0))
    17.0
    """
    xp = namespace(water_in_c, dew_point_c)
    return xp.maximum(water_in_c, dew_point_c + DEW_POINT_GUARD_K)


@dataclass(frozen=True)
class GuardedDoor:
    """A door behind its mixing valve: the point, the water that really enters it, and what the loop gives."""

    point: DoorPoint
    water_in_c: Array
    supply_kg_s: Array
    """From the loop; the rest of the door's water is its own return, mixed in above the dew point."""
    residual_w: Array
    """Heat of the rack that the door leaves to the room, above ``room_c``."""
    server_fan_w: Array
    """That a passive door's resistance costs the servers' fans; 0 for an active one, whose own fans carry it."""


def guarded_door(
    door: RearDoor,
    air_in_c: Array,
    air_flow_kg_s: Array,
    supply_c: Array,
    water_flow_kg_s: Array,
    dew_point_c: Array,
    room_c: Array,
    fan_efficiency: float = 0.3,
) -> GuardedDoor:
    """Rate a door whose valve mixes return into supply until the water is 2 K above the dew point.

    The door's own flow stays; ``supply share = (T_out − T_in)/(T_out − T_supply)``, 1 where the supply is warm
    enough, so the loop sees ``Q = m_supply cp (T_out − T_supply)``. Where the guard takes the water above the air
    the door is shut: no heat. Residual ``m cp (T_air,out − T_room)``. Passive doors cost ``V Δp/η`` of server fan
    (small server fans ``η`` 0.2-0.4, low confidence).

    >>> door = RearDoor(6e3, 3.0, 1.2, 0.0)
    >>> guarded = guarded_door(door, 38.0, 3.0, 14.0, 1.2, 15.0, 25.0)
    >>> round(float(guarded.water_in_c), 1), round(float(guarded.supply_kg_s), 2), bool(guarded.point.condensing)
    (17.0, 0.9, False)
    """
    xp = namespace(air_in_c, air_flow_kg_s, supply_c, water_flow_kg_s, dew_point_c)
    water_in_c = xp.minimum(guarded_water_c(supply_c, dew_point_c), xp.maximum(air_in_c, supply_c))
    point = rear_door(door, air_in_c, air_flow_kg_s, water_in_c, water_flow_kg_s, dew_point_c)
    span_k = point.water_out_c - supply_c
    rising = span_k > 1e-9
    share = xp.where(rising, (point.water_out_c - water_in_c) / xp.where(rising, span_k, 1.0), 1.0)
    passive = xp.where(door.fan_design_w > 0.0, 0.0, 1.0)
    ratio = air_flow_kg_s / door.air_design_kg_s
    own_w = passive * ratio**2 * door.dp_design_pa * air_flow_kg_s / AIR_KG_M3 / fan_efficiency
    return GuardedDoor(
        point,
        water_in_c,
        share * water_flow_kg_s,
        air_flow_kg_s * CP_DRY_AIR * (point.air_out_c - room_c),
        own_w + 0.0 * point.heat_w,
    )
