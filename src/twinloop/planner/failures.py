"""The design day, and the design day with one unit of each kind lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinloop.cooling.altitude import pressure_ratio
from twinloop.cooling.dry_coolers import DryCooler
from twinloop.model.plan import DesignDay, Equipment, FailureCase
from twinloop.model.simulation import OperatingHour
from twinloop.model.site import OnPremise
from twinloop.twin.design import PlantConstants
from twinloop.twin.design_hours import busy_state, design_hours, margins_k
from twinloop.twin.free_coolers import TowerSet
from twinloop.twin.groups import ItGroup
from twinloop.twin.pictures import operating_hour
from twinloop.twin.plant import PlantState
from twinloop.twin.sizing import Plant
from twinloop.twin.transient_nouns import TransientConstants

MOST_RISE_K = 10.0
"""Largest rise of a fluid that a time to throttling counts on. Low confidence."""
LOST = 0.02
"""Share of capacity left where the only unit is lost: leakage past a stopped unit keeps the solve defined."""


def design_day(plant: Plant, groups: tuple[ItGroup, ...], site: OnPremise, k: PlantConstants) -> DesignDay:
    """Return the hall with every group at full power, in the harder of the hottest and the most humid design hour."""
    outdoor = design_hours(site.weather, k)
    state = busy_state(plant, groups, outdoor, k)
    hour = int(np.argmin(margins_k(state, groups)))
    supply = np.broadcast_to(state.warm.supply_c if state.warm else state.cold.supply_c, (2,))
    return DesignDay(
        dry_bulb_c=float(outdoor.dry_bulb_c[hour]) - k.recirculation_outdoor_k,
        wet_bulb_c=float(outdoor.wet_bulb_c[hour]), basis=site.weather.design.basis,
        pue=float(state.facility_w[hour] / state.it_w[hour]),
        peak_junction_c=max(float(it.worst_junction_c[hour]) for it in state.it),
        supply_c=float(supply[hour]), margin_k=_margin_k(state, groups),
    )  # fmt: skip


def design_hour(plant: Plant, groups: tuple[ItGroup, ...], site: OnPremise, k: PlantConstants) -> OperatingHour:
    """Return the loops at the hour that :func:`design_day` tells of."""
    outdoor = design_hours(site.weather, k)
    state = busy_state(plant, groups, outdoor, k)
    air = replace(outdoor, dry_bulb_c=outdoor.dry_bulb_c - k.recirculation_outdoor_k)
    return operating_hour("design hour", int(np.argmin(margins_k(state, groups))), state, air)


def failure_cases(
    plant: Plant, groups: tuple[ItGroup, ...], site: OnPremise, lines: tuple[Equipment, ...], k: PlantConstants
) -> tuple[FailureCase, ...]:
    """Return what losing one unit of each kind does on the design day, after spares have taken over."""
    outdoor = design_hours(site.weather, k)
    whole_k = _margin_k(busy_state(plant, groups, outdoor, k), groups)
    cases = []
    for line in lines:
        if line.type in (
            "transformer",
            "ups",
            "rectifier",
            "rectifier_shelf",
            "rack_converter",
            "generator",
            "cold_plate",
            "immersion_1p",
            "rear_door_passive",
            "pipework",
            "front_end_switch",  # a switch or a disk lost stops work, it does not warm chips
            "fabric_switch",
            "shared_storage",
        ):
            continue
        left = 1.0 if line.spare else max((line.count - 1) / line.count, LOST)
        margin_k = whole_k
        if left < 1.0:
            margin_k = _margin_k(busy_state(_with_capacity(plant, line.tag, left), groups, outdoor, k), groups)
        spare = "a spare takes over" if line.spare else _left_words(line, left)
        cases.append(
            FailureCase(
                f"one {line.type.replace('_', ' ')} ({line.tag}) lost: {spare}", margin_k,
                _time_to_throttle_s(plant, line.tag, site, whole_k, k) if margin_k <= 0.05 else None,
            )
        )  # fmt: skip
    return tuple(cases)


def _left_words(line: Equipment, left: float) -> str:
    return f"{left:.0%} of capacity left" if line.count > 1 else "the only one, nothing of its capacity is left"


def _margin_k(state: PlantState, groups: tuple[ItGroup, ...]) -> float:
    return float(np.min(margins_k(state, groups)))


def _with_capacity(plant: Plant, tag: str, left: float) -> Plant:
    if tag == "AH":
        unit = plant.handler
        fewer = replace(
            unit, ua_w_k=unit.ua_w_k * left, water_design_kg_s=unit.water_design_kg_s * left,
            air_design_kg_s=unit.air_design_kg_s * left, fan_design_w=unit.fan_design_w * left,
        )  # fmt: skip
        return replace(plant, handler=fewer)
    if tag == "CH":
        return replace(
            plant,
            cold=replace(
                plant.cold, chiller=replace(plant.cold.chiller, capacity_w=plant.cold.chiller.capacity_w * left)
            ),
        )
    if tag == "CT" and plant.cold.tower is not None:
        tower = plant.cold.tower
        cells = replace(tower, ua_w_k=tower.ua_w_k * left, air_design_kg_s=tower.air_design_kg_s * left)
        return replace(plant, cold=replace(plant.cold, tower=cells))
    if tag == "FC" and plant.cold.free_coil is not None:
        return replace(plant, cold=replace(plant.cold, free_coil=_smaller(plant.cold.free_coil, left)))
    if plant.warm is not None and tag == "CDU":
        return replace(
            plant, warm=replace(plant.warm, cdu=replace(plant.warm.cdu, ua_w_k=plant.warm.cdu.ua_w_k * left))
        )
    if plant.warm is not None and tag in ("DC", "WT"):
        cooler = plant.warm.cooler
        if isinstance(cooler, DryCooler):
            return replace(plant, warm=replace(plant.warm, cooler=_smaller(cooler, left)))
        if isinstance(cooler, TowerSet):
            cells = replace(
                cooler.tower, ua_w_k=cooler.tower.ua_w_k * left, air_design_kg_s=cooler.tower.air_design_kg_s * left
            )
            return replace(plant, warm=replace(plant.warm, cooler=replace(cooler, tower=cells)))
    return plant


def _smaller(cooler: DryCooler, left: float) -> DryCooler:
    return replace(
        cooler, ua_w_k=cooler.ua_w_k * left, air_design_kg_s=cooler.air_design_kg_s * left,
        fan_design_w=cooler.fan_design_w * left,
    )  # fmt: skip


def _time_to_throttle_s(
    plant: Plant, tag: str, site: OnPremise, margin_k: float, k: PlantConstants, c: TransientConstants | None = None
) -> float:
    """Return how long the fluids that the lost unit cooled take to warm by what the worst chip has left.

    Nothing else takes heat and nothing is carried off any more: metal, units left and pumps that run down add to it,
    so this is the cautious side. At most 10 K: a stopped loop's plates lose more than its coolant warms. Liquid loops:
    33.6 L per 227 kW rack warm by 14 K in about 8 s (published rack volume).
    """
    c = c or TransientConstants()
    water_j_m3_k = k.water_density_kg_m3 * k.water_heat_capacity_j_kg_k
    rise_k = min(max(margin_k, 0.0), MOST_RISE_K)
    if tag in ("CDU", "DC", "WT") and plant.warm is not None:
        facility_m3_w = 0.0 if tag == "CDU" else c.warm_m3_w
        return (k.coolant_volume_m3_per_w + facility_m3_w) * water_j_m3_k * rise_k
    air_j_k = site.floor.area_m2 * c.hall_height_m * c.air_j_m3_k * float(pressure_ratio(site.weather.pressure_pa))
    if tag in ("CH", "CT", "FC"):
        return (air_j_k / max(plant.cold.heat_w, 1.0) + c.cold_m3_w * water_j_m3_k) * rise_k
    return air_j_k * rise_k / max(plant.air_heat_w, 1.0)
