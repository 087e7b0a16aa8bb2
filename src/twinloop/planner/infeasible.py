"""Which constraints clash, and the cheapest way out."""

from __future__ import annotations

from twinloop.errors import InfeasibleError
from twinloop.model.model import Model
from twinloop.planner.placements import residency
from twinloop.planner.selection import Problem, solve


def explain(model: Model, problem: Problem) -> InfeasibleError:
    """Return the error that names the smallest clash found and how far each single limit must move."""
    placed = {p.stage for p in problem.placements}
    missing = [stage for stage in model.stages if stage.name not in placed]
    if missing:
        return InfeasibleError(
            tuple(_nowhere(model, stage.name) for stage in missing),
            ("add a site, a cloud region or a wider residency",),
        )
    names = [limit.name for limit in problem.limits]
    core = _core(problem, names)
    clashes = tuple(_words(problem, name) for name in core)
    return InfeasibleError(clashes or ("the stages together",), _ways_out(problem, core))


def _nowhere(model: Model, name: str) -> str:
    stage = next(each for each in model.stages if each.name == name)
    bound = residency(model, stage)
    where = f" with its data bound to {', '.join(sorted(bound))}" if bound else ""
    return f"{name}: no site can run it{where}: none offers a device it fits, or no server fits a rack"


def _core(problem: Problem, names: list[str]) -> list[str]:
    """Drop rows one at a time while the rest still clash: what remains is irreducible."""
    kept = list(names)
    for name in names:
        trial = [other for other in kept if other != name]
        if solve(problem, relaxed=frozenset(set(names) - set(trial))) is None:
            kept = trial
    return kept


def _words(problem: Problem, name: str) -> str:
    limit = next(each for each in problem.limits if each.name == name)
    return f"{name}: {limit.bound:,.4g} {limit.unit} is not enough"


def _ways_out(problem: Problem, core: list[str]) -> tuple[str, ...]:
    ways = []
    for name in core:
        choice = solve(problem, relaxed=frozenset({name}))
        if choice is None:
            continue
        limit = next(each for each in problem.limits if each.name == name)
        need = sum(limit.use.get(i, 0.0) for i in choice.picked)
        ways.append((need / limit.bound, f"raise {name} from {limit.bound:,.4g} to {need:,.4g} {limit.unit}"))
    return tuple(text for _, text in sorted(ways)) or ("raise all of them together, or relax deadlines and latency",)
