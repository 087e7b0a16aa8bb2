"""Free cooling: outdoor air into the hall (direct, indirect, evaporative), tower water past the chiller.

Air streams mix by mass and enthalpy per kg of dry air, so that humidity and heat are both conserved.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.cooling.exchangers import exchange
from twinloop.fluids.psychrometrics import (
    CP_DRY_AIR,
    dew_point_c,
    dry_bulb_from_enthalpy_c,
    enthalpy_j_kg,
    humidity_ratio_from_wet_bulb,
)

LATENT_J_KG = 2.45e6
"""Evaporation at about 20 °C."""


@dataclass(frozen=True)
class AirLimits:
    """When outdoor air may enter. Defaults: EnergyPlus two-zone data-centre example (-20..23 °C, dew point
    to 13.5 °C); lowest dew point of the ASHRAE recommended envelope (-9 °C, 2021)."""

    dry_bulb_low_c: float = -20.0
    dry_bulb_high_c: float = 23.0
    dew_point_low_c: float = -9.0
    dew_point_high_c: float = 13.5
    minimum_fraction: float = 0.0
    """Outdoor share kept whatever the weather, for people."""


@dataclass(frozen=True)
class MixedAir:
    """Air after the mixing box, before coils."""

    outdoor_fraction: Array
    """Of dry-air mass flow."""
    supply_c: Array
    humidity_ratio: Array
    enthalpy_j_kg: Array
    permitted: Array
    """Whether the limits let outdoor air in."""
    heat_removed_w: Array
    """Enthalpy that leaves with relief air, net of what outdoor air brings (latent included)."""


def mix_outdoor_air(
    air_flow_kg_s: Array,
    return_c: Array,
    return_humidity: Array,
    outdoor_c: Array,
    outdoor_humidity: Array,
    setpoint_c: Array,
    pressure_pa: Array,
    limits: AirLimits | None = None,
) -> MixedAir:
    """Mix outdoor air into the return towards ``setpoint_c``, where the limits permit.

    ``x = (T_return − T_set)/(T_return − T_out)`` held to [minimum, 1]; none where outdoor air is warmer
    than the return. ``h = (1 − x) h_return + x h_out``, humidity alike. Mixing by enthalpy differs from the
    temperature rule above by less than 0.1 K. Humidity in kg per kg of dry air.

    >>> mixed = mix_outdoor_air(10.0, 35.0, 0.008, 10.0, 0.006, 22.0, 101325.0)
    >>> round(float(mixed.outdoor_fraction), 2), round(float(mixed.supply_c), 1)
    (0.52, 22.0)
    """
    xp = namespace(return_c, outdoor_c, setpoint_c, outdoor_humidity)
    limits = limits or AirLimits()
    dew_c = dew_point_c(outdoor_humidity, pressure_pa)
    permitted = (
        (outdoor_c >= limits.dry_bulb_low_c)
        & (outdoor_c <= limits.dry_bulb_high_c)
        & (dew_c >= limits.dew_point_low_c)
        & (dew_c <= limits.dew_point_high_c)
        & (outdoor_c < return_c)
    )
    span_k = xp.where(permitted, return_c - outdoor_c, 1.0)
    wanted = xp.clip((return_c - setpoint_c) / span_k, limits.minimum_fraction, 1.0)
    fraction = xp.where(permitted, wanted, limits.minimum_fraction)
    inside, outside = enthalpy_j_kg(return_c, return_humidity), enthalpy_j_kg(outdoor_c, outdoor_humidity)
    enthalpy = inside + fraction * (outside - inside)
    humidity = return_humidity + fraction * (outdoor_humidity - return_humidity)
    return MixedAir(
        outdoor_fraction=fraction, supply_c=dry_bulb_from_enthalpy_c(enthalpy, humidity),
        humidity_ratio=humidity, enthalpy_j_kg=enthalpy, permitted=permitted,
        heat_removed_w=air_flow_kg_s * fraction * (inside - outside),
    )  # fmt: skip


@dataclass(frozen=True)
class EvaporatedAir:
    """Air behind an evaporative stage."""

    out_c: Array
    humidity_ratio: Array
    heat_w: Array
    """Sensible heat taken from the air, dry-air heat capacity."""
    evaporation_kg_s: Array


def direct_evaporative(
    air_flow_kg_s: Array, dry_bulb_c: Array, wet_bulb_c: Array, pressure_pa: Array, effectiveness: Array = 0.7
) -> EvaporatedAir:
    """Wet the supply air: ``T = T_db − e (T_db − T_wb)`` at constant wet bulb.

    ``e`` 0.7 in the EnergyPlus data-centre example, 0.7-0.95 by media depth; 0 is off.

    >>> air = direct_evaporative(10.0, 30.0, 18.0, 101325.0)
    >>> round(float(air.out_c), 1), round(float(air.evaporation_kg_s), 4)
    (21.6, 0.0348)
    """
    xp = namespace(dry_bulb_c, wet_bulb_c, effectiveness)
    out_c = dry_bulb_c - effectiveness * xp.maximum(dry_bulb_c - wet_bulb_c, 0.0)
    before = humidity_ratio_from_wet_bulb(dry_bulb_c, wet_bulb_c, pressure_pa)
    after = xp.maximum(humidity_ratio_from_wet_bulb(out_c, wet_bulb_c, pressure_pa), before)
    heat_w = air_flow_kg_s * CP_DRY_AIR * (dry_bulb_c - out_c)
    return EvaporatedAir(out_c, after, heat_w, air_flow_kg_s * (after - before))


def indirect_evaporative(
    air_flow_kg_s: Array,
    air_in_c: Array,
    humidity_ratio: Array,
    outdoor_c: Array,
    outdoor_wet_bulb_c: Array,
    wet: Array,
    wet_effectiveness: float = 0.7,
    dry_effectiveness: float = 0.72,
) -> EvaporatedAir:
    """Cool hall air through a wall against outdoor air: wetted (``wet``) or dry.

    Wet: ``T = T_in − e (T_in − T_wb,out)``; dry: ``T = T_in − e_d (T_in − T_db,out)``; the better of the two
    where ``wet``. Humidity of the hall's air is untouched. Effectiveness of the EnergyPlus data-centre
    example: 0.7 wet, 0.72 dry. Evaporation: all heat as latent, an upper bound.

    >>> air = indirect_evaporative(10.0, 36.0, 0.009, 30.0, 20.0, True)
    >>> round(float(air.out_c), 1), round(float(air.evaporation_kg_s), 4)
    (24.8, 0.046)
    """
    xp = namespace(air_in_c, outdoor_c, outdoor_wet_bulb_c, wet)
    dry_k = dry_effectiveness * xp.maximum(air_in_c - outdoor_c, 0.0)
    wet_k = wet_effectiveness * xp.maximum(air_in_c - outdoor_wet_bulb_c, 0.0)
    helps = xp.asarray(wet, dtype=bool) & (wet_k > dry_k)
    drop_k = xp.where(helps, wet_k, dry_k)
    heat_w = air_flow_kg_s * CP_DRY_AIR * drop_k
    evaporation = xp.where(helps, heat_w / LATENT_J_KG, 0.0)
    return EvaporatedAir(air_in_c - drop_k, humidity_ratio + 0.0 * drop_k, heat_w, evaporation)


@dataclass(frozen=True)
class WaterSide:
    """A plate exchanger in series before the evaporator. Mode: 2 free, 1 partial, 0 mechanical."""

    free_w: Array
    chiller_w: Array
    """Load left for the chiller."""
    evaporator_in_c: Array
    tower_return_c: Array
    mode: Array


def water_side(
    load_w: Array,
    supply_c: Array,
    loop_w_k: Array,
    tower_water_c: Array,
    tower_w_k: Array,
    ua_w_k: Array,
) -> WaterSide:
    """Precool the return of a chilled-water loop by tower water, then let the chiller do the rest.

    ``T_return = T_supply + load / C``. Free: the plate carries all of it (its valve throttles to the load);
    partial: some; mechanical: tower water is no colder than the return. Approach 1.5-3 K in practice.

    >>> point = water_side(500e3, 18.0, 80e3, 15.0, 80e3, 160e3)
    >>> round(float(point.free_w) / 1e3), round(float(point.chiller_w) / 1e3), int(point.mode)
    (493, 7, 1)
    """
    xp = namespace(load_w, supply_c, loop_w_k, tower_water_c)
    asked_w = xp.maximum(load_w, 0.0)
    return_c = supply_c + asked_w / loop_w_k
    able_w = exchange(return_c, tower_water_c, loop_w_k, tower_w_k, ua_w_k).heat_w
    free_w = xp.clip(able_w, 0.0, asked_w)
    rest_w = asked_w - free_w
    mode = xp.where(free_w >= asked_w, 2, xp.where(free_w > 0.0, 1, 0))
    return WaterSide(free_w, rest_w, return_c - free_w / loop_w_k, tower_water_c + free_w / tower_w_k, mode)
