"""What more of each limit is worth: nothing where the limit keeps no better choice out."""

from __future__ import annotations

from dataclasses import replace

from twinloop.planner.selection import Problem, shadow_prices, solve
from twinloop.planner.sharing import Positions

SAME = 1e-9
"""Relative difference of two objectives that are the same."""


def worths(problem: Problem) -> dict[str, float | None]:
    """Return limit name -> how far the objective falls for one unit more of it; ``None``: unknown.

    A rack position comes whole: the problem is solved anew with one more. Of other limits it is the dual in the
    relaxation, and 0 where the choice stays what it is without the limit: it then keeps nothing better out, however
    much of it work in part would take.
    """
    prices, now = shadow_prices(problem), solve(problem)
    if prices is None or now is None:
        return {row.name: None for row in problem.rows}
    found: dict[str, float | None] = {}
    for row in problem.rows:
        price = prices[row.name]
        if price > 0.0:
            other = _one_more(problem, row) if isinstance(row, Positions) else _without(problem, row.name)
            saved = now.objective - other
            binding = saved > SAME * max(abs(now.objective), 1e-9)
            price = (saved if isinstance(row, Positions) else price) if binding else 0.0
        found[row.name] = price
    return found


def _one_more(problem: Problem, row: Positions) -> float:
    rows = tuple(replace(each, bound=each.bound + 1.0) if each is row else each for each in problem.positions)
    return _objective(replace(problem, positions=rows), frozenset())


def _without(problem: Problem, name: str) -> float:
    return _objective(problem, frozenset({name}))


def _objective(problem: Problem, relaxed: frozenset[str]) -> float:
    choice = solve(problem, relaxed)
    if choice is None:
        raise ValueError("a problem that has a choice has one with a wider limit")
    return choice.objective
