"""Outdoor air for the hall: through it, wetted first where that helps, or past it behind a wall."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.cooling.altitude import pressure_ratio
from twinloop.cooling.crahs import Crah
from twinloop.cooling.economisers import EvaporatedAir, direct_evaporative, indirect_evaporative
from twinloop.cooling.fans import fan_power_w
from twinloop.fluids.psychrometrics import dew_point_c, humidity_ratio_from_dew_point
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.free_coolers import FROST_C, OutdoorAir

HALL_AIR_KG_M3 = 1.17
"""Air at 27 °C, sea level."""
WORTH_A_FAN_K = 1.0
"""Least that a wall must cool the return by for its own fans to start; below, they take more than they spare a
chiller. Low confidence."""


@dataclass(frozen=True)
class Economised:
    """What outdoor air did for the hall, shape (hours,)."""

    coil_in_c: Array
    """Air entering the coil."""
    heat_w: Array
    """Carried off by outdoor air."""
    evaporation_kg_s: Array
    fan_w: Array
    """Of fans outdoors, which move the air behind the wall."""


@dataclass(frozen=True)
class AdmittedAir:
    """Outdoor air at the hall's dampers, shape (hours,)."""

    entering_c: Array
    """Behind pads where they are on."""
    permitted: Array
    """Whether its dew point may enter."""
    moisture: Array
    """Water that a kilogram took up in the pads."""


def economise(
    design: HybridDesign,
    handler: Crah,
    return_c: Array,
    supply_c: Array,
    air_w_k: Array,
    outdoor: OutdoorAir,
    k: PlantConstants,
) -> Economised:
    """Cool the return towards ``supply_c`` by outdoor air; the coil does the rest.

    Through the hall: outdoor air of a permitted dew point is mixed in as far as needed, all of it as long as it is
    colder than the return (a differential dry-bulb limit, ASHRAE 90.1-2019 table 6.5.1.1.3); with pads it is wetted
    where it is warmer than the supply or too dry. Behind a wall: dry where that reaches, else wet; fans follow the
    share of the hall's air that passes. No wet mode in frost.
    """
    off = 0.0 * (return_c + outdoor.dry_bulb_c)
    if design.evaporative == "indirect":
        return _indirect(handler, return_c, supply_c, air_w_k, outdoor, k)
    if not design.air_economiser:
        return Economised(return_c + off, off, off, off)
    return _through(design, return_c, supply_c, air_w_k, outdoor, k)


def _through(
    design: HybridDesign, return_c: Array, supply_c: Array, air_w_k: Array, outdoor: OutdoorAir, k: PlantConstants
) -> Economised:
    xp = namespace(return_c, outdoor.dry_bulb_c)
    air = admitted(design, supply_c, outdoor, k)
    useful = air.permitted & (air.entering_c < return_c)
    share = (return_c - supply_c) / xp.maximum(return_c - air.entering_c, 1.0)
    share = xp.where(useful, xp.clip(share, 0.0, 1.0), 0.0)
    drop_k = return_c - air.entering_c
    wet_kg_s = share * air_w_k / k.air_heat_capacity_j_kg_k * air.moisture
    return Economised(return_c - share * drop_k, share * air_w_k * drop_k, wet_kg_s, 0.0 * drop_k)


def admitted(design: HybridDesign, supply_c: Array, outdoor: OutdoorAir, k: PlantConstants) -> AdmittedAir:
    """Return outdoor air as it may enter a hall that wants air of ``supply_c``: wetted where too warm or too dry."""
    xp = namespace(supply_c, outdoor.dry_bulb_c)
    entering_c, dew_c = outdoor.dry_bulb_c, outdoor.dew_point_c
    moisture = 0.0 * entering_c
    if design.evaporative == "direct":
        wet = _wetted(outdoor, k)
        wet_dew_c = dew_point_c(wet.humidity_ratio, outdoor.pressure_pa)
        asked = (entering_c > supply_c) | (dew_c < k.dew_point_low_c)
        on = asked & (outdoor.dry_bulb_c > FROST_C)
        entering_c, dew_c = xp.where(on, wet.out_c, entering_c), xp.where(on, wet_dew_c, dew_c)
        moisture = xp.where(on, wet.evaporation_kg_s, 0.0)
    permitted = (dew_c >= k.dew_point_low_c - 1e-6) & (dew_c <= k.dew_point_high_c + 1e-6)
    return AdmittedAir(entering_c, permitted, moisture)


def _wetted(outdoor: OutdoorAir, k: PlantConstants) -> EvaporatedAir:
    """Wet a kilogram a second of outdoor air, no further than the highest dew point that the hall takes."""
    xp = namespace(outdoor.dry_bulb_c)
    full = direct_evaporative(1.0, outdoor.dry_bulb_c, outdoor.wet_bulb_c, outdoor.pressure_pa, k.pad_effectiveness)
    most = humidity_ratio_from_dew_point(k.dew_point_high_c, outdoor.pressure_pa)
    before = full.humidity_ratio - full.evaporation_kg_s
    part = xp.clip((most - before) / xp.maximum(full.evaporation_kg_s, 1e-9), 0.0, 1.0)
    return direct_evaporative(
        1.0, outdoor.dry_bulb_c, outdoor.wet_bulb_c, outdoor.pressure_pa, part * k.pad_effectiveness
    )


def _indirect(
    handler: Crah, return_c: Array, supply_c: Array, air_w_k: Array, outdoor: OutdoorAir, k: PlantConstants
) -> Economised:
    xp = namespace(return_c, outdoor.dry_bulb_c)
    air_kg_s = air_w_k / k.air_heat_capacity_j_kg_k

    def behind(wet: Array) -> EvaporatedAir:
        return indirect_evaporative(
            air_kg_s, return_c, 0.0, outdoor.dry_bulb_c, outdoor.wet_bulb_c, wet, k.wall_wet_effectiveness,
            k.wall_dry_effectiveness,
        )  # fmt: skip

    wet = (behind(False).out_c > supply_c) & (outdoor.dry_bulb_c > FROST_C)
    air = behind(wet)
    drop_k = return_c - air.out_c
    useful = drop_k > WORTH_A_FAN_K
    share = xp.where(useful, xp.clip((return_c - supply_c) / xp.maximum(drop_k, 1.0), 0.0, 1.0), 0.0)
    flow = share * air_kg_s / handler.air_design_kg_s
    return Economised(
        return_c - share * drop_k, share * air_w_k * drop_k, share * air.evaporation_kg_s,
        fan_power_w(flow, wall_fan_design_w(handler, outdoor.pressure_pa, k)) + 0.0 * drop_k,
    )  # fmt: skip


def wall_fan_design_w(handler: Crah, pressure_pa: Array, k: PlantConstants) -> Array:
    """Return the power of the fans that move outdoor air behind the wall, as much of it as the hall's air in front."""
    density_kg_m3 = HALL_AIR_KG_M3 * pressure_ratio(pressure_pa)
    return handler.air_design_kg_s / density_kg_m3 * k.wall_static_pa / k.crah_fan_efficiency
