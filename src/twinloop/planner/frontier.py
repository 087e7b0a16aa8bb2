"""Undominated plans over cost, energy, carbon and water: proposed by screened coefficients, rated by the twin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinloop.model.model import Model
from twinloop.model.plan import FrontierPoint
from twinloop.planner.check import Checked, check
from twinloop.planner.naming import plan_name
from twinloop.planner.optimise import Optimised, Seen, acceptable
from twinloop.planner.placements import YEAR_S
from twinloop.planner.selection import Choice, Problem, solve
from twinloop.twin.design import HybridDesign, PlantConstants

CARBON_PRICES_USD_T = (0.0, 100.0, 400.0, 1600.0, 6400.0)
WATER_PRICES_USD_M3 = (20.0, 250.0)


def frontier(
    model: Model, best: Optimised, designs: dict[tuple[str, str], HybridDesign], k: PlantConstants, seen: Seen
) -> tuple[FrontierPoint, ...]:
    """Return the undominated plans found by sweeping a price of carbon, then of water, all by the twin's figures.

    Every plan is an optimum of screened cost plus price times amount, so all lie near the convex part of the
    frontier; the recommendation is among them. What the twin refuses is left out. The knee is the point farthest
    from the line between the cheapest and the cleanest.
    """
    plans = proposed(model, best, designs, k, seen)
    mine = tuple(p.key for p in best.checked.placements)
    others = [plan for plan in plans if tuple(p.key for p in plan.placements) != mine]
    return _with_knee(_undominated([_point(plan, best.checked) for plan in (best.checked, *others)]))


def proposed(
    model: Model, best: Optimised, designs: dict[tuple[str, str], HybridDesign], k: PlantConstants, seen: Seen
) -> tuple[Checked, ...]:
    """Return the optima at each price of carbon and of water that the twin does not refuse, with its figures."""
    found = []
    for choice in _choices(model, best.problem):
        placed = tuple(best.problem.placements[i] for i in choice.picked)
        key = tuple(p.key for p in placed)
        seen[key] = seen.get(key) or check(model, placed, designs, k)
        if acceptable(model, seen[key]):
            found.append(seen[key])
    return tuple(found)


def _choices(model: Model, problem: Problem) -> tuple[Choice, ...]:
    years = model.horizon_s / YEAR_S
    found = {}
    for carbon, water in [(c, 0.0) for c in CARBON_PRICES_USD_T] + [(0.0, w) for w in WATER_PRICES_USD_M3]:
        costs = (p.cost_usd + years * (carbon * p.carbon_kg / 1e3 + water * p.water_m3) for p in problem.placements)
        choice = solve(replace(problem, costs=tuple(costs)))
        if choice is not None:
            found[choice.picked] = choice
    return tuple(found.values())


def _point(plan: Checked, best: Checked) -> FrontierPoint:
    totals = plan.totals
    return FrontierPoint(
        name=plan_name(plan.placements, best.placements), cost_usd=totals.tco_usd,
        energy_mwh_per_year=totals.facility_energy_mwh_per_year,
        carbon_t_per_year=sum(totals.carbon_t_per_year.values()),
        water_m3_per_year=totals.water_m3_per_year, knee=False, checked=True,
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
