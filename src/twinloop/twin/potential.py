"""What setpoints chosen anew every hour could save: the potential beside the control sequence's figures.

Hours are independent (nothing is stored), so each is searched alone: a grid of at most 32 points over supply air
(chilled water follows at the coil's approach), warm water and the condenser tower's approach, then pattern steps
around the best. Fans, valves, pads and economisers settle inside the hall for each point. Real plants reach a part
of it: they forecast badly, and every change of setpoint costs wear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.cooling.towers import make_up
from twinloop.model.site import OnPremise
from twinloop.twin.design import PlantConstants
from twinloop.twin.free_coolers import OutdoorAir, hours_of
from twinloop.twin.groups import ItGroup
from twinloop.twin.plant import PlantState, solve_plant
from twinloop.twin.sample import SampledHours, sample_hours
from twinloop.twin.sizing import Plant
from twinloop.twin.year import outdoor_air

RECOMMENDED_INTAKE_C = (18.0, 27.0)
"""ASHRAE TC 9.9 (2021). Above it servers speed their own fans up, which would eat the saving."""
WARM_C = (18.0, 45.0)
"""Warm water searched: from 3 K above the highest dew point of the recommended envelope to class W45."""
APPROACH_K = (2.5, 8.0)
"""Condenser tower over wet bulb searched."""
GRID = {1: 12, 2: 5, 3: 3}
"""Points of the grid on each axis, by how many setpoints the hall has: 32 together at most."""
STEPS = (0.5, 0.25, 0.125, 0.06)
"""Pattern steps, as shares of the grid's spacing."""
SAME = 1e-6
"""Relative slack of limits that the control sequence itself touches."""

_Point = tuple[FloatArray, ...]
"""Supply air, warm water, tower approach, shape (hours,) each."""


@dataclass(frozen=True)
class Potential:
    """Weighted sums of the sampled hours, by control sequence and by the best setpoints, J and kg."""

    by_control: dict[str, float]
    by_optimum: dict[str, float]
    setpoints: dict[str, FloatArray]
    """Chosen, by sampled hour: air_supply_c, warm_supply_c, tower_approach_k."""
    index: FloatArray
    """Hours of the year that they belong to."""

    def ratio(self, name: str) -> float:
        """Return optimum over control of one of the sums; 1 where control has none."""
        return self.by_optimum[name] / self.by_control[name] if self.by_control[name] > 0.0 else 1.0


def potential(
    site: OnPremise, plant: Plant, groups: tuple[ItGroup, ...], k: PlantConstants, most_hours: int = 200,
    water_j_kg: float = 0.0,
) -> Potential:  # fmt: skip
    """Return what hourly-optimal setpoints would take in ``site``'s year, from weighted real hours.

    Least facility power plus ``water_j_kg`` (what make-up water is worth in electricity), within the recommended
    intake, the control sequence's own margins of the chips where those are throttled, and no less heat sold. The
    control sequence's setpoints are among the candidates: the sum is never worse than theirs.
    """
    sample = _sample(site, groups, most_hours)
    outdoor = hours_of(outdoor_air(site.weather, k), sample.index)
    hall = _Hall(plant, tuple(_at(group, sample.index) for group in groups), outdoor, k, site.water.cycles, water_j_kg)
    control = _setpoints(plant, k, sample.index.size)
    usual = hall.solve(control)
    found = _searched(hall, control, usual)
    names = ("air_supply_c", "warm_supply_c", "tower_approach_k")
    by_control, by_optimum = (
        {name: float(values @ sample.weight) * 3600.0 for name, values in hourly.items()}
        for hourly in (hall.hourly(usual), found.hourly)
    )
    return Potential(by_control, by_optimum, dict(zip(names, found.point, strict=True)), sample.index)


@dataclass(frozen=True)
class _Best:
    """The best so far, hour by hour."""

    point: _Point
    cost: FloatArray
    hourly: dict[str, FloatArray]


@dataclass(frozen=True)
class _Hall:
    plant: Plant
    groups: tuple[ItGroup, ...]
    outdoor: OutdoorAir
    k: PlantConstants
    cycles: float
    water_j_kg: float

    def solve(self, point: _Point) -> PlantState:
        """Return the hall under ``point``: one setpoint for every hour of the sample, or several rows of them."""
        rows = point[0].size // self.outdoor.dry_bulb_c.size
        design = self.plant.design
        air_c, warm_c, approach_k = point
        setpoints: dict[str, Any] = {
            "air_supply_c": air_c, "warm_supply_c": warm_c,
            "cold_supply_c": air_c + (design.cold_supply_c - design.air_supply_c),
        }  # fmt: skip
        control: dict[str, Any] = {"tower_approach_k": approach_k}
        plant = replace(self.plant, design=replace(design, **setpoints))
        outdoor = hours_of(self.outdoor, np.tile(np.arange(self.outdoor.dry_bulb_c.size), rows))
        groups = tuple(replace(group, activity=np.tile(group.activity, rows)) for group in self.groups)
        return solve_plant(plant, groups, outdoor, replace(self.k, **control))

    def cost(self, state: PlantState) -> FloatArray:
        """Return what is made least, W."""
        water = make_up(state.evaporation_kg_s, state.drift_kg_s, self.cycles)[0]
        return np.asarray(state.facility_w + self.water_j_kg * water)

    def hourly(self, state: PlantState) -> dict[str, FloatArray]:
        """Return what is summed, W and kg/s."""
        electric = state.electric
        columns = {
            "it": state.it_w, "facility": state.facility_w, "crah_fans": state.crah_fans_w, "pumps": state.pumps_w,
            "chillers": state.chillers_w, "heat_rejection": state.heat_rejection_w, "ups_loss": electric.ups_loss_w,
            "distribution_loss": electric.distribution_loss_w, "other": state.lighting_w + state.heat_pump_w,
            "compute": sum(it.compute_w for it in state.it), "heat_sold": state.heat_sold_w,
            "water": make_up(state.evaporation_kg_s, state.drift_kg_s, self.cycles)[0],
        }  # fmt: skip
        return {name: np.broadcast_to(values, state.it_w.shape) for name, values in columns.items()}

    def allowed(self, state: PlantState, usual: PlantState) -> FloatArray:
        """Say where ``state`` keeps every limit that the control sequence keeps, and breaks none further."""

        def rows(values: FloatArray) -> FloatArray:
            return np.tile(values, state.it_w.size // values.size)

        low_c, high_c = RECOMMENDED_INTAKE_C
        intake, before = state.air.intake_c, rows(usual.air.intake_c)
        fine = (intake <= np.maximum(before, high_c) + SAME) & (intake >= np.minimum(before, low_c) - SAME)
        fine &= state.heat_sold_w >= rows(usual.heat_sold_w) * (1.0 - SAME)
        for now, then in zip(state.it, usual.it, strict=True):
            fine &= now.throttled <= rows(then.throttled)
            hottest = rows(then.worst_junction_c)
            fine &= ~(now.throttled > 0.0) | (now.worst_junction_c <= hottest + SAME)
        return np.asarray(fine)


def _at(group: ItGroup, index: FloatArray) -> ItGroup:
    return replace(group, activity=np.broadcast_to(group.activity, (8760,))[index])


def _sample(site: OnPremise, groups: tuple[ItGroup, ...], most: int) -> SampledHours:
    weather = site.weather
    load = sum(
        (np.broadcast_to(group.activity, weather.dry_bulb_c.shape) * group.busy.total_w for group in groups),
        start=0.0 * weather.dry_bulb_c,
    )
    return sample_hours(weather.dry_bulb_c, weather.wet_bulb_c, load, most)


def _setpoints(plant: Plant, k: PlantConstants, hours: int) -> _Point:
    design, whole = plant.design, np.ones(hours)
    return design.air_supply_c * whole, design.warm_supply_c * whole, k.tower_approach_k * whole


def _bounds(hall: _Hall) -> list[tuple[FloatArray, FloatArray]]:
    """Return (lowest, highest) of each setpoint by hour, the control sequence's own between them.

    Colder than the sequence's only as far as outdoor air cools without compressors: more never pays.
    """
    design, k, outdoor, zero = hall.plant.design, hall.k, hall.outdoor, 0.0 * hall.outdoor.dry_bulb_c
    wet_c = outdoor.wet_bulb_c + k.plate_exchanger_approach_k
    dry_c = outdoor.dry_bulb_c + k.dry_cooler_approach_k
    coil_k = design.air_supply_c - design.cold_supply_c
    free_air_c = (wet_c + APPROACH_K[0] if hall.plant.cold.tower is not None else dry_c) + coil_k
    free_air_c = np.minimum(free_air_c, outdoor.dry_bulb_c) if design.air_economiser else free_air_c
    free_warm_c = dry_c if design.warm_cooler == "dry_cooler" else wet_c + APPROACH_K[0]
    wide = hall.plant.cold.tower is not None
    warm = (
        (np.clip(free_warm_c, WARM_C[0], design.warm_supply_c), max(WARM_C[1], design.warm_supply_c) + zero)
        if hall.plant.warm is not None else (design.warm_supply_c + zero, design.warm_supply_c + zero)
    )  # fmt: skip
    return [
        (np.clip(free_air_c, min(RECOMMENDED_INTAKE_C[0], design.air_supply_c), design.air_supply_c),
         max(RECOMMENDED_INTAKE_C[1], design.air_supply_c) + zero),
        warm,
        (min(APPROACH_K[0], k.tower_approach_k) + zero if wide else k.tower_approach_k + zero,
         max(APPROACH_K[1], k.tower_approach_k) + zero if wide else k.tower_approach_k + zero),
    ]  # fmt: skip


def _searched(hall: _Hall, control: _Point, usual: PlantState) -> _Best:
    bounds = _bounds(hall)
    moving = [i for i, (low, high) in enumerate(bounds) if np.any(high > low)]
    best = _Best(control, hall.cost(usual), hall.hourly(usual))
    if not moving:
        return best
    shares = np.linspace(0.0, 1.0, GRID[len(moving)])
    axes = [
        [low + share * (high - low) for share in shares] if i in moving else [low]
        for i, (low, high) in enumerate(bounds)
    ]
    best = _better(hall, list(product(*axes)), usual, best)
    for step in STEPS:
        around = [_moved(best.point, i, sign * step * shares[1], bounds[i]) for i in moving for sign in (-1.0, 1.0)]
        best = _better(hall, around, usual, best)
    return best


def _moved(point: _Point, axis: int, share: float, bounds: tuple[FloatArray, FloatArray]) -> _Point:
    """Return ``point`` with one setpoint moved by ``share`` of its range, held to it."""
    low, high = bounds
    return tuple(np.clip(v + share * (high - low), low, high) if i == axis else v for i, v in enumerate(point))


def _better(hall: _Hall, candidates: Sequence[_Point], usual: PlantState, best: _Best) -> _Best:
    """Return the cheaper of ``best`` and ``candidates``, hour by hour, all rated in one call."""
    state = hall.solve(tuple(np.concatenate([point[i] for point in candidates]) for i in range(3)))
    cost = np.where(hall.allowed(state, usual), hall.cost(state), np.inf).reshape(len(candidates), -1)
    row, hour = np.argmin(cost, axis=0), np.arange(cost.shape[1])
    lower = cost[row, hour] < best.cost

    def chosen(new: FloatArray, old: FloatArray) -> FloatArray:
        return np.where(lower, new.reshape(len(candidates), -1)[row, hour], old)

    return _Best(
        tuple(chosen(np.stack([p[i] for p in candidates]), old) for i, old in enumerate(best.point)),
        np.where(lower, cost[row, hour], best.cost),
        {name: chosen(values, best.hourly[name]) for name, values in hall.hourly(state).items()},
    )  # fmt: skip
