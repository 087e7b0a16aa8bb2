"""Undominated plans over cost, energy, carbon and water, by screened coefficients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinloop.model.model import Model
from twinloop.model.plan import FrontierPoint
from twinloop.planner.optimise import Optimised
from twinloop.planner.placements import YEAR_S, Placement
from twinloop.planner.selection import solve

CARBON_PRICES_USD_T = (0.0, 100.0, 400.0, 1600.0, 6400.0)
WATER_PRICES_USD_M3 = (20.0, 250.0)


def frontier(model: Model, best: Optimised) -> tuple[FrontierPoint, ...]:
    """Return the undominated plans found by sweeping a price of carbon, then of water.

    Every point is an optimum of cost plus price times amount, so all lie on the convex part of the
    frontier. The knee is the point farthest from the line between the cheapest and the cleanest.
    """
    years = model.horizon_s / YEAR_S
    base = best.problem
    points: dict[tuple[int, ...], FrontierPoint] = {}
    prices = [(c, 0.0) for c in CARBON_PRICES_USD_T] + [(0.0, w) for w in WATER_PRICES_USD_M3]
    for carbon, water in prices:
        costs = tuple(p.cost_usd + years * (carbon * p.carbon_kg / 1e3 + water * p.water_m3) for p in base.placements)
        choice = solve(replace(base, costs=costs))
        if choice is not None:
            picked = [base.placements[i] for i in choice.picked]
            points[choice.picked] = _point(picked)
    return _with_knee(_undominated(list(points.values())))


def _point(picked: list[Placement]) -> FrontierPoint:
    designs = sorted({p.design or p.site for p in picked})
    return FrontierPoint(
        name="; ".join(designs), cost_usd=sum(p.cost_usd for p in picked),
        energy_mwh_per_year=sum(p.facility_j for p in picked) / 3.6e9,
        carbon_t_per_year=sum(p.carbon_kg for p in picked) / 1e3,
        water_m3_per_year=sum(p.water_m3 for p in picked), knee=False,
    )  # fmt: skip


def _values(point: FrontierPoint) -> tuple[float, float, float, float]:
    return (point.cost_usd, point.energy_mwh_per_year, point.carbon_t_per_year, point.water_m3_per_year)


def _undominated(points: list[FrontierPoint]) -> list[FrontierPoint]:
    def dominated(point: FrontierPoint) -> bool:
        mine = np.array(_values(point))
        return any(
            bool(np.all(np.array(_values(other)) <= mine) and np.any(np.array(_values(other)) < mine))
            for other in points
            if other is not point
        )

    return sorted((p for p in points if not dominated(p)), key=lambda p: p.cost_usd)


def _with_knee(points: list[FrontierPoint]) -> tuple[FrontierPoint, ...]:
    if len(points) < 3:
        return tuple(points)
    cost = np.array([p.cost_usd for p in points])
    carbon = np.array([p.carbon_t_per_year for p in points])
    x = (cost - cost.min()) / max(float(np.ptp(cost)), 1e-9)
    y = (carbon - carbon.min()) / max(float(np.ptp(carbon)), 1e-9)
    knee = int(np.argmin(x + y))
    return tuple(replace(p, knee=i == knee) for i, p in enumerate(points))
