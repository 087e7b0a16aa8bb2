"""Equipment sizes from a design, the hall's load and its design conditions.

Every exchanger is sized for the design hour with all groups at full power at once, plus the sizing margin;
spares come on top and do not help normal running.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from twinloop.cooling.altitude import pressure_ratio
from twinloop.cooling.boiling import FK_649, BoilingBath
from twinloop.cooling.cdus import Cdu
from twinloop.cooling.chillers import Chiller, chiller, with_curves
from twinloop.cooling.crahs import Crah
from twinloop.cooling.dry_coolers import DryCooler
from twinloop.cooling.exchangers import ua_for_duty_w_k
from twinloop.cooling.racks import Aisle
from twinloop.cooling.rear_doors import RearDoor
from twinloop.cooling.thermosyphons import Thermosyphon
from twinloop.cooling.towers import Tower, tower_heat_w
from twinloop.model.site import HeatOfftake
from twinloop.model.weather import DesignConditions
from twinloop.twin.cold_loop import ColdLoop
from twinloop.twin.design import FreeCooler, HybridDesign, PlantConstants, aisle_of
from twinloop.twin.electrical import Electrics, room_loss_w, size_electrics
from twinloop.twin.free_coolers import OutdoorAir, TowerSet, free_cool
from twinloop.twin.groups import Coolants, ItGroup, it_state
from twinloop.twin.heat_reuse import HeatReuse, size_reuse
from twinloop.twin.outdoor_air import HALL_AIR_KG_M3
from twinloop.twin.warm_loop import WarmLoop

OUTDOOR_AIR_KG_M3 = 1.25
"""Air at 10 °C, sea level."""


@dataclass(frozen=True)
class Plant:
    """All equipment of a hall, each kind as one lumped unit, with the loads it was sized for."""

    design: HybridDesign
    handler: Crah
    aisle: Aisle
    door: RearDoor | None
    warm: WarmLoop | None
    cold: ColdLoop
    electrics: Electrics
    it_w: float
    air_heat_w: float
    warm_heat_w: float
    door_heat_w: float
    handler_heat_w: float
    lighting_w: float


@dataclass(frozen=True)
class _Load:
    it_w: float
    air_w: float
    warm_w: float
    air_kg_s: float


def size_plant(
    design: HybridDesign,
    groups: tuple[ItGroup, ...],
    conditions: DesignConditions,
    pressure_pa: float,
    floor_m2: float,
    k: PlantConstants,
    offtake: HeatOfftake | None = None,
) -> Plant:
    """Return the plant that carries ``groups`` at ``conditions`` under ``design``.

    A design with heat reuse is connected to the buyer ``offtake``; nothing else is smaller for it.
    """
    sigma = float(pressure_ratio(pressure_pa))
    load = _design_load(design, groups, k, sigma)
    electrics = size_electrics(load.it_w, design.redundancy, k, design.power_chain)
    lighting_w = floor_m2 * k.lighting_w_per_m2
    room_w = float(room_loss_w(electrics, load.it_w)) + lighting_w
    outdoor = OutdoorAir(
        np.array([conditions.dry_bulb_c + k.recirculation_outdoor_k]),
        np.array([conditions.coincident_wet_bulb_c]), np.array([k.dew_point_high_c]), pressure_pa,
    )  # fmt: skip
    humid = replace(outdoor, wet_bulb_c=np.array([conditions.wet_bulb_c]))
    aisle = aisle_of(design, k)
    door, door_w = _size_door(design, load, room_w, aisle, k)
    handler, handler_w = _size_handler(design, load, load.air_w - door_w + room_w, aisle, sigma, k)
    # Wet bulb peaks in other hours than dry bulb: towers are sized for the most humid air, coils for the hottest.
    devices = sum(group.device_count for group in groups)
    hardest = humid if design.warm_cooler in ("tower", "thermosyphon") else outdoor
    if design.warm_cooler == "adiabatic_cooler":
        dry_c, wet_c = pads_hour_c(conditions, k)
        hardest = replace(outdoor, dry_bulb_c=np.array([dry_c]), wet_bulb_c=np.array([wet_c]))
    warm = _size_warm(design, load.warm_w, hardest, k, devices) if design.has_warm_loop and load.warm_w > 0.0 else None
    if warm is not None and design.heat_reuse and offtake is not None:
        warm = replace(warm, reuse=_reuse(warm, design, offtake, k))
    cold_w = handler_w + door_w + (warm.trim_w if warm else 0.0)
    cold = _size_cold(design, cold_w, conditions, pressure_pa, k)
    return Plant(
        design, handler, aisle, door, warm, cold, electrics, load.it_w, load.air_w, load.warm_w, door_w, handler_w,
        lighting_w,
    )  # fmt: skip


def _design_load(design: HybridDesign, groups: tuple[ItGroup, ...], k: PlantConstants, sigma: float) -> _Load:
    plate_c = FK_649.boiling_c if design.boils else design.warm_supply_c + k.cdu_approach_k
    coolants = Coolants(np.array([design.air_supply_c]), np.array([plate_c]), np.array([plate_c]))
    states = [it_state(replace(group, activity=np.ones(1)), design, coolants, k, sigma) for group in groups]
    return _Load(
        sum(float(state.it_w[0]) for state in states),
        sum(float(state.air_heat_w[0]) for state in states),
        sum(float(state.warm_heat_w[0]) for state in states),
        max(sum(float(state.air_flow_kg_s[0]) for state in states), 0.01),
    )


def _size_door(
    design: HybridDesign, load: _Load, room_w: float, aisle: Aisle, k: PlantConstants
) -> tuple[RearDoor | None, float]:
    """Size doors to hand air back at supply temperature (room-neutral).

    Servers breathe the room, so what the room's own heat warms that air by is the doors' to carry too: by their
    surface, for the pipes bring water for either doors or handlers to take it. A room far warmer than its few
    servers (the lights of a vast floor) is left to the handlers: doors reach an effectiveness of 0.95.
    """
    if not design.has_door:
        return None, 0.0
    air_w_k = load.air_kg_s * k.air_heat_capacity_j_kg_k
    duty_w = load.air_w + room_w
    water_kg_s = load.air_w / (k.water_heat_capacity_j_kg_k * k.chilled_water_rise_k)
    exhaust_c = design.air_supply_c + duty_w / air_w_k / (1.0 - aisle.recirculation)
    heat_w = air_w_k * (exhaust_c - design.air_supply_c)
    water_w_k = water_kg_s * k.water_heat_capacity_j_kg_k
    reach_w = 0.95 * min(air_w_k, water_w_k) * (exhaust_c - design.cold_supply_c)
    duty_w = min(heat_w, duty_w * 0.999, reach_w)
    ua = ua_for_duty_w_k(duty_w, exhaust_c, design.cold_supply_c, air_w_k, water_w_k, "crossflow")
    return RearDoor(float(ua), load.air_kg_s, water_kg_s, 0.0), load.air_w


def _size_handler(
    design: HybridDesign, load: _Load, room_w: float, aisle: Aisle, sigma: float, k: PlantConstants
) -> tuple[Crah, float]:
    """Size for the servers' air and the bypass; beside baths and doors for the rest of the room at the servers' rise.

    Servers without fans move next to no air: the room's heat then asks for more, see ``crah_most_rise_k``.
    """
    fan_w_s_kg = k.crah_static_pa / (HALL_AIR_KG_M3 * sigma * k.crah_fan_efficiency)
    air_kg_s = room_w / (k.air_heat_capacity_j_kg_k * k.server_air_rise_k - fan_w_s_kg)
    if design.handlers_follow_servers:
        asked_kg_s = room_w / (k.air_heat_capacity_j_kg_k * k.crah_most_rise_k)
        air_kg_s = max(load.air_kg_s * (1.0 + aisle.leak), asked_kg_s)
    fan_w = air_kg_s * fan_w_s_kg
    heat_w = room_w + fan_w
    air_w_k = air_kg_s * k.air_heat_capacity_j_kg_k
    water_kg_s = heat_w * (1.0 + k.sizing_margin) / (k.water_heat_capacity_j_kg_k * k.chilled_water_rise_k)
    return_c = design.air_supply_c + heat_w / air_w_k
    ua = ua_for_duty_w_k(
        heat_w, return_c, design.cold_supply_c, air_w_k, water_kg_s * k.water_heat_capacity_j_kg_k, "counterflow"
    )
    return Crah(float(ua) * (1.0 + k.sizing_margin), air_kg_s, water_kg_s, fan_w, air_held_kg_s=air_kg_s), heat_w


def _size_warm(design: HybridDesign, heat_w: float, outdoor: OutdoorAir, k: PlantConstants, devices: int) -> WarmLoop:
    cp = k.water_heat_capacity_j_kg_k
    flow = heat_w / (cp * k.coolant_rise_k)
    cdu_pump_w = 0.0 if design.boils else flow / k.water_density_kg_m3 * k.cdu_pump_pa / k.cdu_pump_efficiency
    pump_w = flow / k.water_density_kg_m3 * k.facility_pump_pa / k.facility_pump_efficiency
    unit_w = heat_w + cdu_pump_w
    supply_c = design.warm_supply_c
    unit_return_c = supply_c + k.cdu_approach_k + unit_w / (flow * cp)
    ua = float(ua_for_duty_w_k(unit_w, unit_return_c, supply_c, flow * cp, flow * cp, "counterflow"))
    cdu = Cdu(ua, flow, flow, cdu_pump_w)
    total_w = unit_w + pump_w
    cooler = _size_cooler(design.warm_cooler, total_w, flow, supply_c, outdoor, k)
    entering = np.array([supply_c + total_w / (flow * cp)])
    reached_c = free_cool(cooler, entering, np.array([flow]), supply_c - 50.0, outdoor, k).water_out_c[0]
    trim_w = max(float(flow * cp * (reached_c - supply_c)), 0.0) if design.trim else 0.0
    boiling = _size_boiling(heat_w, flow, supply_c, devices, k) if design.boils else None
    return WarmLoop(cdu, total_w, flow, pump_w, cooler, trim_w, boiling=boiling)


def _size_boiling(heat_w: float, flow_kg_s: float, supply_c: float, devices: int, k: PlantConstants) -> BoilingBath:
    """Size condensers to hold the boiling point with the margin, as far as an effectiveness of 0.95 reaches."""
    water_w_k = flow_kg_s * k.water_heat_capacity_j_kg_k
    passed_w_k = heat_w * (1.0 + k.sizing_margin) / max(FK_649.boiling_c - supply_c, 1.0)
    ua_w_k = -math.log(1.0 - min(passed_w_k / water_w_k, 0.95)) * water_w_k
    return BoilingBath(ua_w_k, flow_kg_s, devices * k.boiling_area_m2)


def _reuse(loop: WarmLoop, design: HybridDesign, offtake: HeatOfftake, k: PlantConstants) -> HeatReuse:
    return_c = design.warm_supply_c + loop.heat_w / (loop.flow_kg_s * k.water_heat_capacity_j_kg_k)
    return size_reuse(offtake, loop.heat_w, design.warm_supply_c, return_c, k)


def _size_cooler(
    kind: FreeCooler, heat_w: float, flow_kg_s: float, supply_c: float, outdoor: OutdoorAir, k: PlantConstants
) -> DryCooler | TowerSet | None:
    """Size for the design hour; in a place too hot for that, for the approach the cooler can keep."""
    if kind == "none":
        return None
    if kind in ("tower", "thermosyphon"):
        wet = _size_tower_set(heat_w, flow_kg_s, supply_c, outdoor, k)
        if kind == "tower":
            return wet
        sigma = float(pressure_ratio(outdoor.pressure_pa))
        return replace(wet, syphon=_size_syphon(heat_w, flow_kg_s, supply_c, sigma, k))
    pads = k.pad_effectiveness if kind == "adiabatic_cooler" else 0.0
    air_in_c = cooler_air_c(kind, float(outdoor.dry_bulb_c[0]), float(outdoor.wet_bulb_c[0]), supply_c, k)
    return dry_cooler_for(heat_w * (1.0 + k.sizing_margin), flow_kg_s, supply_c, air_in_c, outdoor, pads, k)


def pads_hour_c(conditions: DesignConditions, k: PlantConstants) -> tuple[float, float]:
    """Return dry bulb at the intake and wet bulb of the design hour that is warmer behind pads: hottest or most humid.

    >>> pads_hour_c(DesignConditions(36.5, 21.2, 25.0, -15.0, "", humid_dry_bulb_c=31.0), PlantConstants())
    (32.0, 25.0)
    """
    hot_c, humid_c = conditions.dry_bulb_c, conditions.humid_dry_bulb_c
    hours = [(hot_c + k.recirculation_outdoor_k, conditions.coincident_wet_bulb_c)]
    if humid_c is not None:
        hours.append((humid_c + k.recirculation_outdoor_k, conditions.wet_bulb_c))
    return max(hours, key=lambda hour: hour[0] - k.pad_effectiveness * (hour[0] - hour[1]))


def cooler_air_c(kind: FreeCooler, dry_c: float, wet_c: float, supply_c: float, k: PlantConstants) -> float:
    """Return the air that a dry or adiabatic cooler is sized in, °C: behind its pads, at most an approach below supply.

    Args:
        kind: of cooler.
        dry_c: of the air drawn in, recirculation included.
        wet_c: coincident.
        supply_c: water that it should make.
        k: for pads and approach.

    >>> cooler_air_c("adiabatic_cooler", 37.5, 21.2, 40.0, PlantConstants())
    26.09
    """
    pads = k.pad_effectiveness if kind == "adiabatic_cooler" else 0.0
    return min(dry_c - pads * (dry_c - wet_c), supply_c - k.dry_cooler_approach_k)


def dry_cooler_for(
    heat_w: float,
    flow_kg_s: float,
    leaving_c: float,
    air_in_c: float,
    outdoor: OutdoorAir,
    pad_effectiveness: float,
    k: PlantConstants,
) -> DryCooler:
    """Return the dry cooler that takes ``heat_w`` from water leaving at ``leaving_c`` in air of ``air_in_c``.

    Air flow: the air warms by 70 % of the initial temperature difference, a common coil selection
    (low confidence); fan power from its pressure drop at the site's air density.
    """
    water_w_k = flow_kg_s * k.water_heat_capacity_j_kg_k
    entering_c = leaving_c + heat_w / water_w_k
    air_w_k = heat_w / (0.7 * (entering_c - air_in_c))
    air_kg_s = air_w_k / k.air_heat_capacity_j_kg_k
    density = outdoor.pressure_pa / (287.05 * (air_in_c + 273.15))
    fan_w = air_kg_s / density * k.dry_cooler_static_pa / k.dry_cooler_fan_efficiency
    ua = float(ua_for_duty_w_k(heat_w, entering_c, air_in_c, water_w_k, air_w_k, "crossflow"))
    return DryCooler(ua, air_kg_s, fan_w, pad_effectiveness)


def _size_tower_set(
    heat_w: float, flow_kg_s: float, supply_c: float, outdoor: OutdoorAir, k: PlantConstants
) -> TowerSet:
    cp = k.water_heat_capacity_j_kg_k
    wet_c = float(outdoor.wet_bulb_c[0])
    basin_c = max(min(supply_c - k.plate_exchanger_approach_k, supply_c - 0.5), wet_c + k.tower_approach_k)
    pump_w = flow_kg_s / k.water_density_kg_m3 * k.facility_pump_pa / k.facility_pump_efficiency
    duty_w = heat_w * (1.0 + k.sizing_margin)
    approach_k = max(supply_c - basin_c, k.plate_exchanger_approach_k)
    ua = float(
        ua_for_duty_w_k(
            heat_w, supply_c + heat_w / (flow_kg_s * cp), supply_c - approach_k, flow_kg_s * cp, flow_kg_s * cp,
            "counterflow",
        )
    )  # fmt: skip
    cells = tower_for(duty_w + pump_w, flow_kg_s, max(basin_c, wet_c + k.tower_approach_k), outdoor, k)
    return TowerSet(cells, ua, flow_kg_s, pump_w)


def _size_syphon(heat_w: float, flow_kg_s: float, supply_c: float, sigma: float, k: PlantConstants) -> Thermosyphon:
    """Size for the whole heat in air of ``thermosyphon_air_c``, colder for loops that are cold themselves.

    Half of the temperature difference lies on each side; the air warms by 40 % of it, so that both sides have an
    effectiveness that exchangers reach (low confidence).
    """
    water_w_k = flow_kg_s * k.water_heat_capacity_j_kg_k
    entering_c = supply_c + heat_w / water_w_k
    span_k = max(entering_c - k.thermosyphon_air_c, 2.5 * heat_w / water_w_k)
    side_w_k, air_w_k = 2.0 * heat_w / span_k, 2.5 * heat_w / span_k
    air_kg_s = air_w_k / k.air_heat_capacity_j_kg_k
    fan_w = air_kg_s / (OUTDOOR_AIR_KG_M3 * sigma) * k.dry_cooler_static_pa / k.dry_cooler_fan_efficiency
    wet_w_k, dry_w_k = (-math.log(1.0 - side_w_k / each) * each for each in (water_w_k, air_w_k))
    return Thermosyphon(wet_w_k, dry_w_k, flow_kg_s, air_kg_s, fan_w)


def tower_for(heat_w: float, water_kg_s: float, basin_c: float, outdoor: OutdoorAir, k: PlantConstants) -> Tower:
    """Return the tower that cools ``water_kg_s`` to ``basin_c`` under ``heat_w`` at the design wet bulb.

    Air flow equals water flow in mass (L/G = 1); the Merkel UA is found by halving, since heat grows
    with UA. Fans move that mass against the same static pressure, in thin air as more volume: power goes with ``1/σ``.
    """
    hot_c = basin_c + heat_w / (water_kg_s * k.water_heat_capacity_j_kg_k)
    fan_w = heat_w * k.tower_fan_w_per_w / float(pressure_ratio(outdoor.pressure_pa))
    low, high = 1.0, heat_w * 100.0
    for _ in range(50):
        middle = (low * high) ** 0.5
        cells = Tower(middle, water_kg_s, water_kg_s, fan_w, k.tower_drift)
        given_w = tower_heat_w(cells, 1.0, hot_c, water_kg_s, float(outdoor.wet_bulb_c[0]), outdoor.pressure_pa)
        low, high = (middle, high) if float(given_w) < heat_w else (low, middle)
    return Tower(high, water_kg_s, water_kg_s, fan_w, k.tower_drift)


def _size_cold(
    design: HybridDesign, load_w: float, conditions: DesignConditions, pressure_pa: float, k: PlantConstants
) -> ColdLoop:
    cp = k.water_heat_capacity_j_kg_k
    flow = load_w / (cp * k.chilled_water_rise_k)
    pump_w = flow / k.water_density_kg_m3 * k.facility_pump_pa / k.facility_pump_efficiency
    heat_w = load_w + pump_w
    duty_w = heat_w * (1.0 + k.sizing_margin)
    wet = OutdoorAir(
        np.array([conditions.dry_bulb_c]), np.array([conditions.wet_bulb_c]), np.array([k.dew_point_high_c]),
        pressure_pa,
    )  # fmt: skip
    if design.cold_plant == "air_cooled_chiller":
        machine = _chiller_for(
            duty_w, design.cold_supply_c, conditions.dry_bulb_c + k.recirculation_outdoor_k, "air", k
        )
        air_in_c = design.cold_supply_c - k.dry_cooler_approach_k
        coil = dry_cooler_for(heat_w, flow, design.cold_supply_c, air_in_c, wet, 0.0, k)
        return ColdLoop(machine, heat_w, flow, pump_w, coil, None, 0.0, 0.0, 0.0)
    basin_c = conditions.wet_bulb_c + k.tower_approach_k
    machine = _chiller_for(duty_w, design.cold_supply_c, basin_c, "water", k)
    power_w = float(chiller(machine, duty_w, design.cold_supply_c, basin_c).power_w)
    condenser_kg_s = (duty_w + power_w) / (cp * k.tower_range_k)
    condenser_pump_w = condenser_kg_s / k.water_density_kg_m3 * k.facility_pump_pa / k.facility_pump_efficiency
    cells = tower_for(duty_w + power_w + condenser_pump_w, condenser_kg_s, basin_c, wet, k)
    # The plate has the chiller's margin: else a load a little above design leaves a share no machine starts for.
    return_c = design.cold_supply_c + duty_w / (flow * cp)
    ua = ua_for_duty_w_k(
        duty_w, return_c, design.cold_supply_c - k.plate_exchanger_approach_k, flow * cp, condenser_kg_s * cp,
        "counterflow",
    )  # fmt: skip
    return ColdLoop(machine, heat_w, flow, pump_w, None, cells, condenser_kg_s, condenser_pump_w, float(ua))


def _chiller_for(
    load_w: float, leaving_c: float, condenser_c: float, kind: Literal["air", "water"], k: PlantConstants
) -> Chiller:
    """Return the chiller whose capacity at the design hour is ``load_w``: capacity scales with its rating."""
    rated_c, cop = (35.0, k.chiller_cop_air) if kind == "air" else (29.44, k.chiller_cop_water)
    probe = Chiller(load_w, cop, 6.67, rated_c, kind)
    available_w = float(chiller(probe, load_w, leaving_c, condenser_c).available_w)
    return replace(with_curves(probe), capacity_w=load_w * load_w / available_w)
