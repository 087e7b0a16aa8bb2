"""The exact choice: which option of each stage, at which site, under which cooling design."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field

import highspy
import numpy as np

from twinloop.planner.placements import Placement


@dataclass(frozen=True)
class Limit:
    """One named row: the sum of ``use[i]`` over chosen placements is at most ``bound``."""

    name: str
    bound: float
    unit: str
    use: dict[int, float] = field(repr=False)
    """Placement index -> what it takes."""


@dataclass(frozen=True)
class Link:
    """Data moved between two placements: an objective cost when both are chosen."""

    first: int
    second: int
    cost: float


@dataclass(frozen=True)
class Problem:
    """The selection problem in numbers."""

    stages: tuple[str, ...]
    placements: tuple[Placement, ...]
    costs: tuple[float, ...]
    """Objective coefficient of each placement."""
    limits: tuple[Limit, ...]
    links: tuple[Link, ...] = ()
    anchors: frozenset[int] | None = None
    """Placements that really use their design's plates or baths: a design is built for at least one of them.
    ``None``: all do."""


@dataclass(frozen=True)
class Choice:
    """Placement indices, one a stage, in the order of the stages."""

    picked: tuple[int, ...]
    objective: float
    bound: float


def solve(
    problem: Problem,
    relaxed: frozenset[str] = frozenset(),
    banned: tuple[tuple[int, ...], ...] = (),
    elastic: dict[str, float] | None = None,
    gap: float = 1e-9,
) -> Choice | None:
    """Return the cheapest choice, or ``None`` when none satisfies the limits.

    Args:
        problem: placements, costs, limits, links.
        relaxed: names of limits to leave out.
        banned: choices already seen, excluded by a no-good row each.
        elastic: names of limits that may be exceeded, at this price per multiple of the limit.
        gap: relative distance to the bound at which the search may stop.
    """
    posed = _posed(problem, relaxed, banned, elastic or {}, gap)
    if posed is None:
        return None
    solver, x, _ = posed
    solver.minimize()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    values = np.array(solver.getSolution().col_value)[: len(x)]
    chosen = {problem.placements[i].stage: int(i) for i in np.flatnonzero(values > 0.5)}
    info = solver.getInfo()
    return Choice(
        tuple(chosen[stage] for stage in problem.stages),
        float(info.objective_function_value),
        float(info.mip_dual_bound),
    )


def shadow_prices(problem: Problem) -> dict[str, float] | None:
    """Return limit name -> how far the objective falls for one unit more of it, in the LP relaxation.

    Duals of the relaxed problem, in which placements may be chosen in part: the slope of its optimum at the
    limit. The integer choice follows in steps, so one unit alone may change nothing. 0: the limit does not bind
    there. ``None`` where the relaxation has no optimum.
    """
    posed = _posed(problem, frozenset(), (), {}, 0.0)
    if posed is None:
        return None
    solver, _, rows = posed
    solver.setOptionValue("solve_relaxation", True)
    solver.minimize()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    duals = solver.getSolution().row_dual
    # A limit that nothing takes part of has no row, and no worth.
    found = {name: max(-float(duals[index]) / scale, 0.0) for name, (index, scale) in rows.items()}
    return {limit.name: found.get(limit.name, 0.0) for limit in problem.limits}


def _posed(
    problem: Problem,
    relaxed: frozenset[str],
    banned: tuple[tuple[int, ...], ...],
    elastic: dict[str, float],
    gap: float,
) -> tuple[highspy.Highs, list[highspy.highs_var], dict[str, tuple[int, float]]] | None:
    """Return the solver with the problem in it, its columns, and limit name -> (row, scale); ``None``: a stage has no
    placement."""
    solver = _solver()
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 7)
    solver.setOptionValue("mip_rel_gap", gap)
    solver.setOptionValue("mip_feasibility_tolerance", 1e-9)
    solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
    # A banned choice may leave a dominated column as the next best, so nothing is dropped then.
    useless = frozenset() if banned else dominated(problem)
    x = [
        solver.addVariable(0.0, 0.0 if i in useless else 1.0, obj=cost, type=highspy.HighsVarType.kInteger, name=p.key)
        for i, (p, cost) in enumerate(zip(problem.placements, problem.costs, strict=True))
    ]
    for stage in problem.stages:
        mine = [x[i] for i, p in enumerate(problem.placements) if p.stage == stage]
        if not mine:
            return None
        solver.addConstr(sum(mine) == 1, name=f"one place for {stage}")
    _one_design_a_site(solver, problem, x)
    slack = {
        name: solver.addVariable(0.0, highspy.kHighsInf, obj=price, name=f"more {name}")
        for name, price in elastic.items()
    }
    rows: dict[str, tuple[int, float]] = {}
    for limit in problem.limits:
        scale = max(limit.bound, 1e-6 * max(limit.use.values(), default=0.0), 1e-9)
        # The solver refuses coefficients below 1e-9; what takes less of a limit cannot decide it.
        used = [(x[i], amount) for i, amount in limit.use.items() if amount > 1e-9 * scale]
        if limit.name in relaxed or not used:
            continue
        taken = sum(amount / scale * column for column, amount in used)
        if limit.name in slack:
            taken = taken - slack[limit.name]
        rows[limit.name] = (solver.addConstr(taken <= limit.bound / scale, name=limit.name).index, scale)
    for link in problem.links:
        both = solver.addVariable(0.0, 1.0, obj=link.cost, name=f"link {link.first} {link.second}")
        solver.addConstr(both >= x[link.first] + x[link.second] - 1)
    for choice in banned:
        solver.addConstr(sum(x[i] for i in choice) <= len(choice) - 1)
    return solver, x, rows


def dominated(problem: Problem) -> frozenset[int]:
    """Return placements that another of the same stage, site and design beats or equals in cost and every limit.

    Placements with links to others stay: their cost depends on those. Of equals the first stays.
    """
    linked = {i for link in problem.links for i in (link.first, link.second)}
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, p in enumerate(problem.placements):
        anchor = problem.anchors is None or i in problem.anchors
        if i not in linked:
            groups.setdefault((p.stage, p.site, p.design, anchor), []).append(i)
    dropped: set[int] = set()
    for members in groups.values():
        figures = np.array([[problem.costs[i], *(limit.use.get(i, 0.0) for limit in problem.limits)] for i in members])
        order = np.lexsort((np.arange(len(members)), *figures.T[::-1]))
        kept = np.empty((0, figures.shape[1]))
        for position in order:
            if kept.size and bool(np.any(np.all(kept <= figures[position], axis=1))):
                dropped.add(members[position])
            else:
                kept = np.vstack([kept, figures[position]])
    return frozenset(dropped)


def _solver() -> highspy.Highs:
    """Return a silent solver; its banner goes straight to the process's standard output, which is the user's."""
    sys.stdout.flush()
    kept, sink = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 1)
        solver = highspy.Highs()  # type: ignore[no-untyped-call]  # the package ships no types for it
        solver.silent()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(sink)
    return solver


def _one_design_a_site(solver: highspy.Highs, problem: Problem, x: list[highspy.highs_var]) -> None:
    designs: dict[tuple[str, str], list[int]] = {}
    for i, placement in enumerate(problem.placements):
        if placement.design is not None:
            designs.setdefault((placement.site, placement.design), []).append(i)
    built: dict[str, list[highspy.highs_var]] = {}
    for (site, design), members in designs.items():
        y = solver.addBinary(name=f"build {design} at {site}")
        built.setdefault(site, []).append(y)
        stages = {problem.placements[i].stage for i in members}
        for stage in sorted(stages):
            solver.addConstr(sum((x[i] for i in members if problem.placements[i].stage == stage), start=0.0 * y) <= y)
        if problem.anchors is not None:
            using = [x[i] for i in members if i in problem.anchors]
            solver.addConstr(y <= sum(using, start=0.0 * y), name=f"{design} at {site} is used")
    for site, ys in built.items():
        solver.addConstr(sum(ys[1:], start=1.0 * ys[0]) <= 1, name=f"one cooling design at {site}")


def objective_of(problem: Problem, picked: tuple[int, ...]) -> float:
    """Return the objective of ``picked`` by plain addition."""
    chosen = set(picked)
    links = sum(link.cost for link in problem.links if {link.first, link.second} <= chosen)
    return sum(problem.costs[i] for i in picked) + links


def feasible(problem: Problem, picked: tuple[int, ...]) -> bool:
    """Whether ``picked`` satisfies every row, by plain addition."""
    designs: dict[str, set[str | None]] = {}
    for i in picked:
        placement = problem.placements[i]
        designs.setdefault(placement.site, set()).add(placement.design)
    if problem.anchors is not None:
        built = {(problem.placements[i].site, problem.placements[i].design) for i in picked} - {
            (problem.placements[i].site, problem.placements[i].design) for i in picked if i in problem.anchors
        }
        if any(design is not None for _, design in built):
            return False
    within = all(sum(limit.use.get(i, 0.0) for i in picked) <= limit.bound * (1.0 + 1e-9) for limit in problem.limits)
    return within and all(len(each) == 1 for each in designs.values())
