"""Best-first search over the designs of halls; the solver's own search ends each branch."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass

import highspy
import numpy as np

WHOLE = 1e-9
"""From a whole number within which a column counts as one."""


@dataclass(frozen=True)
class Tree:
    """What is branched on, and what it takes to bound a branch without the solver."""

    halls: tuple[tuple[int, ...], ...]
    """Columns of each hall's designs, of which at most one may be 1."""
    stage: np.ndarray
    """Of each placement, shape (placements,), the number of its stage,"""
    hall: np.ndarray
    """the number of its hall among ``halls``, below 0 where it is in none,"""
    design: np.ndarray
    """the number of its design there,"""
    cost: np.ndarray
    """and its cost, infinite where it is not to be chosen."""
    costs: np.ndarray
    """Of all columns, those of placements first;"""
    whole: np.ndarray
    """and whether they are whole numbers."""

    def floor(self, fixed: tuple[int, ...]) -> float:
        """Return what no solution with the designs ``fixed`` beats: each stage at its cheapest, nothing binding."""
        allowed = self.cost.copy()
        for hall, pick in enumerate(fixed):
            allowed[(self.hall == hall) & (self.design != pick)] = np.inf
        least = np.full(int(self.stage.max(initial=-1)) + 1, np.inf)
        np.minimum.at(least, self.stage, allowed)
        rest = self.costs[self.stage.size :]
        built = [self.halls[hall][pick] for hall, pick in enumerate(fixed) if pick < len(self.halls[hall])]
        return float(least.sum() + np.maximum(self.costs[built], 0.0).sum() + np.minimum(rest, 0.0).sum())


def search(solver: highspy.Highs, tree: Tree, gap: float) -> tuple[np.ndarray, float, float] | None:
    """Return values, objective and bound of the best solution, ``None`` where there is none.

    The relaxation is tight once every hall's design is fixed and loose before, so designs are branched
    on first, one child for each design of a hall, and the solver's own search ends each branch. A branch is
    relaxed only when its turn comes: most have a floor above the best.

    Args:
        solver: holds the integer problem.
        tree: the designs of its halls.
        gap: relative distance to the bound at which the search may stop.
    """
    halls, count = tree.halls, itertools.count()
    best: tuple[np.ndarray, float] | None = None
    open_nodes: list[tuple[float, int, tuple[int, ...], np.ndarray | None]] = [
        (-np.inf, next(count), (), np.full(tree.whole.size, 0.5))
    ]
    closed = np.inf
    while open_nodes:
        bound, _, fixed, values = heapq.heappop(open_nodes)
        if best is not None and bound >= best[1] - gap * abs(best[1]):
            closed = min(closed, bound)
            break
        if values is None:
            _fix(solver, halls, fixed)
            found = _run(solver)
            if found is not None:
                heapq.heappush(open_nodes, (max(bound, found[1]), next(count), fixed, found[0]))
        elif len(fixed) == len(halls):
            # What does not beat the best by the gap is of no use: the branch ends there.
            cutoff = np.inf if best is None else best[1] - gap * abs(best[1])
            ended = _ended(solver, tree, fixed, values, bound, cutoff)
            closed = min(closed, cutoff, np.inf if ended is None else ended[2])
            if ended is not None and (best is None or ended[1] < best[1]):
                best = ended[:2]
        else:
            for pick in range(len(halls[len(fixed)]) + 1):
                child = (*fixed, pick)
                floor = max(bound, tree.floor(child))
                if np.isfinite(floor):
                    heapq.heappush(open_nodes, (floor, next(count), child, None))
    return None if best is None else (*best, min(closed, best[1]))


def _ended(
    solver: highspy.Highs, tree: Tree, fixed: tuple[int, ...], values: np.ndarray, bound: float, cutoff: float
) -> tuple[np.ndarray, float, float] | None:
    """Return the best solution of a whole branch below ``cutoff``: its relaxation, where that is one."""
    inside = values[tree.whole]
    if np.all(np.abs(inside - np.round(inside)) < WHOLE):
        return values, bound, bound
    _fix(solver, tree.halls, fixed)
    return _run(solver, cutoff=cutoff)


def _fix(solver: highspy.Highs, halls: tuple[tuple[int, ...], ...], fixed: tuple[int, ...]) -> None:
    """Build in each hall of ``fixed`` the numbered design, one past the last meaning none; leave the others free."""
    for hall, pick in itertools.zip_longest(halls, fixed):
        for number, column in enumerate(hall):
            low, high = (0.0, 1.0) if pick is None else (float(number == pick), float(number == pick))
            solver.changeColBounds(column, low, high)


def _run(solver: highspy.Highs, cutoff: float | None = None) -> tuple[np.ndarray, float, float] | None:
    """Return values, objective and bound of the relaxation, or, with a ``cutoff``, of an integer solution below it."""
    solver.setOptionValue("solve_relaxation", cutoff is None)
    solver.setOptionValue("objective_bound", highspy.kHighsInf if cutoff is None else cutoff)
    solver.minimize()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    info = solver.getInfo()
    value = float(info.objective_function_value)
    return np.array(solver.getSolution().col_value), value, value if cutoff is None else float(info.mip_dual_bound)
