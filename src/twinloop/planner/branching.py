"""Best-first search over the designs of halls; the solver's own search ends each branch."""

from __future__ import annotations

import heapq
import itertools

import highspy
import numpy as np


def search(
    solver: highspy.Highs, halls: tuple[tuple[int, ...], ...], gap: float
) -> tuple[np.ndarray, float, float] | None:
    """Return values, objective and bound of the best solution, ``None`` where there is none.

    The relaxation is tight once every hall's design is fixed and loose before, so designs are branched
    on first, one child for each design of a hall, and the solver's own search ends each branch.

    Args:
        solver: holds the integer problem.
        halls: columns of each hall's designs, of which at most one may be 1.
        gap: relative distance to the bound at which the search may stop.
    """
    best: tuple[np.ndarray, float] | None = None
    count = itertools.count()
    open_nodes: list[tuple[float, int, tuple[int, ...]]] = [(-np.inf, next(count), ())]
    closed = np.inf
    while open_nodes:
        bound, _, fixed = heapq.heappop(open_nodes)
        if best is not None and bound >= best[1] - gap * abs(best[1]):
            closed = min(closed, bound)
            break
        if len(fixed) == len(halls):
            _fix(solver, halls, fixed)
            # What does not beat the best by the gap is of no use: the branch ends there.
            cutoff = np.inf if best is None else best[1] - gap * abs(best[1])
            ended = _run(solver, cutoff=cutoff)
            closed = min(closed, cutoff, np.inf if ended is None else ended[2])
            if ended is not None and (best is None or ended[1] < best[1]):
                best = ended[:2]
            continue
        for pick in range(len(halls[len(fixed)]) + 1):
            child = (*fixed, pick)
            _fix(solver, halls, child)
            relaxed = _run(solver)
            if relaxed is not None:
                heapq.heappush(open_nodes, (max(bound, relaxed[1]), next(count), child))
    return None if best is None else (*best, min(closed, best[1]))


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
