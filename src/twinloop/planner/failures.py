"""The design day, and the design day with one unit of each kind lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinloop.arrays import FloatArray
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
    """Return the hall with every group at full power, in the harder of the hottest and the most humid design hour."""
    outdoor = design_hours(site, k)
    state = _at_design(plant, groups, outdoor, k)
    hour = int(np.argmin(_margins_k(state, groups)))
    supply = np.broadcast_to(state.warm.supply_c if state.warm else state.cold.supply_c, (2,))
    return DesignDay(
        dry_bulb_c=float(outdoor.dry_bulb_c[hour]) - k.recirculation_outdoor_k,
        wet_bulb_c=float(outdoor.wet_bulb_c[hour]), basis=site.weather.design.basis,
        pue=float(state.facility_w[hour] / state.it_w[hour]),
        peak_junction_c=max(float(it.worst_junction_c[hour]) for it in state.it),
        supply_c=float(supply[hour]), margin_k=_margin_k(state, groups),
    )  # fmt: skip


def failure_cases(
    plant: Plant, groups: tuple[ItGroup, ...], site: OnPremise, lines: tuple[Equipment, ...], k: PlantConstants
) -> tuple[FailureCase, ...]:
    """Return what losing one unit of each kind does on the design day, after spares have taken over."""
    outdoor = design_hours(site, k)
    whole_k = _margin_k(_at_design(plant, groups, outdoor, k), groups)
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
        margin_k = whole_k
        if left < 1.0:
            margin_k = _margin_k(_at_design(_with_capacity(plant, line.tag, left), groups, outdoor, k), groups)
        spare = "a spare takes over" if line.spare else _left_words(line, left)
        cases.append(
            FailureCase(
                f"one {line.type.replace('_', ' ')} ({line.tag}) lost: {spare}", margin_k,
                _time_to_throttle_s(plant, line.tag, site, k) if margin_k <= 0.05 else None,
            )
        )  # fmt: skip
    return tuple(cases)


def _left_words(line: Equipment, left: float) -> str:
    return f"{left:.0%} of capacity left" if line.count > 1 else "the only one, nothing of its capacity is left"


def design_hours(site: OnPremise, k: PlantConstants) -> OutdoorAir:
    """Return the hottest and the most humid design hour: coils are hardest pressed in one, towers in the other.

    The humid hour's dry bulb stands above its wet bulb as far as in the year's most humid hour.
    """
    conditions, weather = site.weather.design, site.weather
    humid_c = conditions.humid_dry_bulb_c
    if humid_c is None:
        humid = int(np.argmax(weather.wet_bulb_c))
        humid_c = conditions.wet_bulb_c + max(float(weather.dry_bulb_c[humid] - weather.wet_bulb_c[humid]), 0.0)
    return OutdoorAir(
        np.array([conditions.dry_bulb_c, humid_c]) + k.recirculation_outdoor_k,
        np.array([conditions.coincident_wet_bulb_c, conditions.wet_bulb_c]), np.full(2, k.dew_point_high_c),
        weather.pressure_pa,
    )  # fmt: skip


def _at_design(plant: Plant, groups: tuple[ItGroup, ...], outdoor: OutdoorAir, k: PlantConstants) -> PlantState:
    return solve_plant(plant, tuple(replace(group, activity=np.ones(2)) for group in groups), outdoor, k)


def _margins_k(state: PlantState, groups: tuple[ItGroup, ...]) -> FloatArray:
    """Return what the worst chip keeps below its limit in each design hour, K."""
    margins = [group.throttle_c - it.worst_junction_c for it, group in zip(state.it, groups, strict=True)]
    return np.asarray(np.min(margins, axis=0))


def _margin_k(state: PlantState, groups: tuple[ItGroup, ...]) -> float:
    return float(np.min(_margins_k(state, groups)))


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
