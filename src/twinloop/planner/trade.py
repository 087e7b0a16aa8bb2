"""What one total costs in another: undominated plans over two or three totals of one's choice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.model import Model
from twinloop.planner.check import Checked
from twinloop.planner.openings import openings_of
from twinloop.planner.optimise import Optimised
from twinloop.planner.placements import YEAR_S, Placement
from twinloop.planner.selection import Problem, solve
from twinloop.twin.design import PlantConstants

AXES = ("cost", "energy", "carbon", "water", "time")
STEPS = {2: 8, 3: 4}
"""Steps of a weight from 0 to 1, by the number of axes."""
LEAST = 1e-4
"""Least weight, or the end of one axis would be any of the plans that are equal there."""


@dataclass(frozen=True)
class TradePoint:
    """One undominated plan."""

    designs: tuple[str, ...]
    """Cooling of each hall; the site's name where a provider cools."""
    devices: tuple[str, ...]
    """Of each stage, in their order."""
    amounts: dict[str, float]
    """Over the horizon: USD, J, kg, m3; of one pass: s."""
    knee: bool
    checked: bool = False
    """Whether the amounts are the twin's; else by screened coefficients."""


Rate = Callable[[tuple[Placement, ...]], Checked | None]
"""Gives a plan the twin's figures; ``None``: the twin refuses it."""


def trade(model: Model, best: Optimised, axes: tuple[str, ...], rate: Rate | None = None) -> tuple[TradePoint, ...]:
    """Return the undominated plans over ``axes``, by the first of them, the knee marked.

    Weighted sums of the totals, each over its range between the plans that are best in one, by Das and Dennis's
    grid of weights; so all points lie on the convex part of the frontier. The knee is nearest to the point that
    would be best in all (doi:10.1007/BF01197559). With ``rate`` the points have the twin's figures, and those that are
    dominated by them or refused are left out.
    """
    problem, amounts = best.problem, {axis: _amounts(model, best.problem, axis) for axis in AXES}
    lights = _lights(model, problem)
    found: dict[tuple[int, ...], tuple[float, ...]] = {}

    def add(weights: dict[str, float]) -> None:
        costs = sum((amounts[axis] * weight for axis, weight in weights.items()), np.zeros(len(problem.placements)))
        links = tuple(replace(link, cost=link.cost * weights.get("cost", 0.0)) for link in problem.links)
        lit = {site: sum(of[axis] * weight for axis, weight in weights.items()) for site, of in lights.items()}
        choice = solve(replace(problem, costs=tuple(float(each) for each in costs), links=links, openings=lit))
        if choice is not None:
            totals = _totals(problem, choice.picked, amounts, lights)
            found[choice.picked] = tuple(totals[axis] for axis in axes)

    scale = {axis: max(float(np.max(np.abs(amounts[axis]))), 1e-12) for axis in axes}
    for end in axes:
        add({axis: (1.0 if axis == end else LEAST) / scale[axis] for axis in axes})
    values = np.array(list(found.values()))
    span = {axis: max(float(np.ptp(values[:, i])), 1e-9 * scale[axis]) for i, axis in enumerate(axes)}
    for shares in _grid(len(axes)):
        add({axis: max(share, LEAST) / span[axis] for axis, share in zip(axes, shares, strict=True)})
    kept = {picked: _totals(problem, picked, amounts, lights) for picked in _undominated(found)}
    if rate is not None:
        rated = {picked: rate(tuple(problem.placements[i] for i in picked)) for picked in kept}
        kept = {picked: _by_twin(model, plan) for picked, plan in rated.items() if plan is not None}
        kept = {
            picked: kept[picked] for picked in _undominated({p: tuple(t[a] for a in axes) for p, t in kept.items()})
        }
    return _marked([_point(problem, picked, totals, rate is not None) for picked, totals in kept.items()], axes)


def _by_twin(model: Model, plan: Checked) -> dict[str, float]:
    """Return the totals of ``plan`` over the horizon, by axis."""
    years, t = model.horizon_s / YEAR_S, plan.totals
    return {
        "cost": t.tco_usd, "energy": t.facility_energy_mwh_per_year * 3.6e9 * years,
        "carbon": sum(t.carbon_t_per_year.values()) * 1e3 * years, "water": t.water_m3_per_year * years,
        "time": sum(p.option.duration_s or p.option.latency_p99_s or 0.0 for p in plan.placements),
    }  # fmt: skip


def _amounts(model: Model, problem: Problem, axis: str) -> FloatArray:
    years = model.horizon_s / YEAR_S
    of: dict[str, Callable[[Placement], float]] = {
        "cost": lambda p: p.cost_usd,
        "energy": lambda p: p.facility_j * years,
        "carbon": lambda p: p.carbon_kg * years,
        "water": lambda p: p.water_m3 * years,
        "time": lambda p: p.option.duration_s or p.option.latency_p99_s or 0.0,
    }
    return np.array([of[axis](p) for p in problem.placements])


def _lights(model: Model, problem: Problem) -> dict[str, dict[str, float]]:
    """Return what each hall takes as soon as it is used, by axis."""
    years = model.horizon_s / YEAR_S
    return {
        site: {
            "cost": opening.cost_usd, "energy": opening.energy_j * years, "carbon": opening.carbon_kg * years,
            "water": 0.0, "time": 0.0,
        }
        for site, opening in openings_of(model, PlantConstants()).items()
        if site in problem.openings
    }  # fmt: skip


def _totals(
    problem: Problem, picked: tuple[int, ...], amounts: dict[str, FloatArray], lights: dict[str, dict[str, float]]
) -> dict[str, float]:
    """Return the totals of a choice; moving data between its places is part of the cost, lights of its halls of all."""
    chosen, used = set(picked), problem.used(picked) & set(lights)
    moved_usd = sum(link.cost for link in problem.links if {link.first, link.second} <= chosen)
    return {
        axis: float(sum(values[i] for i in picked))
        + sum(lights[site][axis] for site in sorted(used))
        + (moved_usd if axis == "cost" else 0.0)
        for axis, values in amounts.items()
    }


def _grid(axes: int) -> list[tuple[float, ...]]:
    steps = STEPS[axes]
    return [
        tuple(each / steps for each in parts) for parts in product(range(steps + 1), repeat=axes) if sum(parts) == steps
    ]


def _undominated(found: dict[tuple[int, ...], tuple[float, ...]]) -> list[tuple[int, ...]]:
    def beaten(mine: tuple[float, ...]) -> bool:
        return any(all(a <= b for a, b in zip(other, mine, strict=True)) and other != mine for other in found.values())

    unique = {value: picked for picked, value in found.items()}
    return [picked for value, picked in sorted(unique.items()) if not beaten(value)]


def _point(problem: Problem, picked: tuple[int, ...], totals: dict[str, float], checked: bool) -> TradePoint:  # noqa: FBT001
    chosen = [problem.placements[i] for i in picked]
    return TradePoint(
        designs=tuple(sorted({p.design or p.site for p in chosen})),
        devices=tuple(f"{p.option.device_count} × {p.option.device}" for p in chosen),
        amounts=totals,
        knee=False,
        checked=checked,
    )


def _marked(points: list[TradePoint], axes: tuple[str, ...]) -> tuple[TradePoint, ...]:
    if len(points) < 3:
        return tuple(points)
    values = np.array([[point.amounts[axis] for axis in axes] for point in points])
    span = np.maximum(np.ptp(values, axis=0), 1e-12)
    knee = int(np.argmin(np.linalg.norm((values - values.min(axis=0)) / span, axis=1)))
    return tuple(replace(point, knee=i == knee) for i, point in enumerate(points))
