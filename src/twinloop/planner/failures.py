"""The design day, and the design day with one unit of each kind lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinloop.cooling.dry_coolers import DryCooler
from twinloop.model.plan import DesignDay, Equipment, FailureCase
from twinloop.model.site import OnPremise
from twinloop.twin.design import PlantConstants
from twinloop.twin.free_coolers import OutdoorAir, TowerSet
from twinloop.twin.groups import ItGroup
from twinloop.twin.plant import PlantState, solve_plant
from twinloop.twin.sizing import Plant

HALL_HEIGHT_M = 3.5
"""Slab to ceiling, for the air that buffers a lost air handler. Low confidence."""
LOST = 0.02
"""Share of capacity left where the only unit is lost: leakage past a stopped unit keeps the solve defined."""


def design_day(plant: Plant, groups: tuple[ItGroup, ...], site: OnPremise, k: PlantConstants) -> DesignDay:
    """Return the hall at its sizing condition with every group busy."""
    state = _design_hour(plant, groups, site, k)
    supply = state.warm.supply_c if state.warm else state.cold.supply_c
    return DesignDay(
        dry_bulb_c=site.weather.design.dry_bulb_c, wet_bulb_c=site.weather.design.coincident_wet_bulb_c,
        basis=site.weather.design.basis, pue=float(state.facility_w[0] / state.it_w[0]),
        peak_junction_c=max(float(it.worst_junction_c[0]) for it in state.it),
        supply_c=float(np.ravel(supply)[0]), margin_k=_margin_k(state, groups),
    )  # fmt: skip


def failure_cases(
    plant: Plant, groups: tuple[ItGroup, ...], site: OnPremise, lines: tuple[Equipment, ...], k: PlantConstants
) -> tuple[FailureCase, ...]:
    """Return what losing one unit of each kind does on the design day, after spares have taken over."""
    cases = []
    for line in lines:
        if line.type in (
            "transformer",
            "ups",
            "generator",
            "cold_plate",
            "immersion_1p",
            "rear_door_passive",
            "pipework",
        ):
            continue
        left = 1.0 if line.spare else max((line.count - 1) / line.count, LOST)
        state = _design_hour(_with_capacity(plant, line.tag, left), groups, site, k)
        margin_k = _margin_k(state, groups)
        spare = "a spare takes over" if line.spare else f"{left:.0%} of capacity left"
        cases.append(
            FailureCase(
                f"one {line.type.replace('_', ' ')} ({line.tag}) lost: {spare}", margin_k,
                _time_to_throttle_s(plant, line.tag, site, k) if margin_k <= 0.05 else None,
            )
        )  # fmt: skip
    return tuple(cases)


def _design_hour(plant: Plant, groups: tuple[ItGroup, ...], site: OnPremise, k: PlantConstants) -> PlantState:
    conditions = site.weather.design
    outdoor = OutdoorAir(
        np.array([conditions.dry_bulb_c + k.recirculation_outdoor_k]), np.array([conditions.coincident_wet_bulb_c]),
        np.array([k.dew_point_high_c]), site.weather.pressure_pa,
    )  # fmt: skip
    busy = tuple(replace(group, activity=np.array([float(np.max(group.activity))])) for group in groups)
    return solve_plant(plant, busy, outdoor, k)


def _margin_k(state: PlantState, groups: tuple[ItGroup, ...]) -> float:
    return min(group.throttle_c - float(it.worst_junction_c[0]) for it, group in zip(state.it, groups, strict=True))


def _with_capacity(plant: Plant, tag: str, left: float) -> Plant:
    if tag == "AH":
        return replace(
            plant, handler=replace(plant.handler, ua_w_k=plant.handler.ua_w_k * left,
                                   water_design_kg_s=plant.handler.water_design_kg_s * left),
        )  # fmt: skip
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


def _time_to_throttle_s(plant: Plant, tag: str, site: OnPremise, k: PlantConstants) -> float:
    """Return how long the stored coolant (or hall air) takes to warm by the approach it lives on.

    Adiabatic and fluid only: metal adds to it, so this is the cautious side. Liquid loops: 33.6 L per
    227 kW rack warm by 14 K in about 8 s (published rack volume).
    """
    rise_k = 10.0
    if tag in ("CDU", "DC", "WT") and plant.warm is not None:
        stored = k.coolant_volume_m3_per_w * k.water_density_kg_m3 * k.water_heat_capacity_j_kg_k
        return stored * rise_k
    air_j_k = site.floor.area_m2 * HALL_HEIGHT_M * 1.17 * k.air_heat_capacity_j_kg_k
    return air_j_k * rise_k / max(plant.air_heat_w, 1.0)
