"""The best plan that does without each stage's choice: what it was weighed against."""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinloop.model.model import Model
from twinloop.planner.check import Checked, check
from twinloop.planner.optimise import Optimised, Seen, acceptable, adopted
from twinloop.planner.placements import Placement
from twinloop.planner.selection import Limit, Problem, objective_of, solve
from twinloop.planner.ties import ties
from twinloop.twin.design import HybridDesign, PlantConstants

MOST_SWAPS = 4
"""Times that a runner-up may take the plan's place: each is better by the twin, so it ends by itself."""


@dataclass(frozen=True)
class RunnerUp:
    """The best plan in which one stage runs on another device or elsewhere."""

    stage: str
    chosen: Placement
    rival: Placement
    """Where the stage lies in that plan."""
    screened_extra: float
    """Objective above the plan's, both by the selection's coefficients."""
    checked: Checked | None
    """By the twin; ``None``: it only lost in screening."""
    holds: bool
    """Whether the twin, too, finds it within the limits; true where it was not asked."""
    moved: tuple[str, ...] = ()
    """Other stages that run on another device or elsewhere in that plan."""
    device: RunnerUp | None = None
    """The best plan on another device, where the rival is the same device elsewhere."""
    note: str = ""
    """Wishes that the plan holds and this one does not."""

    def extra(self, best: Checked) -> float:
        """Return the objective above that of ``best``: by the twin where it was asked."""
        return self.screened_extra if self.checked is None else self.checked.objective - best.objective


def without(problem: Problem, drop: frozenset[int]) -> Problem:
    """Return ``problem`` with the placements ``drop`` made unaffordable by a zero-bound row."""
    row = Limit("left out", 0.5, "", dict.fromkeys(sorted(drop), 1.0))
    return replace(problem, limits=(*problem.limits, row))


def runners_up(
    model: Model, best: Optimised, designs: dict[tuple[str, str], HybridDesign], k: PlantConstants, seen: Seen
) -> dict[str, RunnerUp]:
    """Return the runner-up of each stage that has one.

    One that the selection's coefficients hold for better than the plan is put to the twin.
    """
    found = {}
    for position, stage in enumerate(best.problem.stages):
        chosen = best.problem.placements[best.choice.picked[position]]
        mine = [i for i, p in enumerate(best.problem.placements) if p.stage == stage]
        here = frozenset(
            i
            for i in mine
            if (best.problem.placements[i].site, best.problem.placements[i].option.device)
            == (chosen.site, chosen.option.device)
        )
        runner = _without(model, best, position, here, designs, k, seen)
        if runner is not None:
            found[stage] = runner
    return found


def _without(
    model: Model, best: Optimised, position: int, drop: frozenset[int], designs: dict[tuple[str, str], HybridDesign],
    k: PlantConstants, seen: Seen,
) -> RunnerUp | None:  # fmt: skip
    """Return the best plan without the placements ``drop`` of the stage at ``position``; ``None``: there is none."""
    choice = solve(without(best.problem, drop))
    if choice is None:
        return None
    ours = [best.problem.placements[i] for i in best.choice.picked]
    placed = tuple(best.problem.placements[i] for i in choice.picked)
    key = tuple(p.key for p in placed)
    extra = choice.objective - objective_of(best.problem, best.choice.picked)
    if extra <= 0.0 and key not in seen:
        seen[key] = check(model, placed, designs, k)
    checked = seen.get(key)
    holds = checked is None or acceptable(model, checked)
    moved = tuple(
        p.stage
        for i, (p, q) in enumerate(zip(placed, ours, strict=True))
        if i != position and (p.site, p.option.device) != (q.site, q.option.device)
    )
    return RunnerUp(ours[position].stage, ours[position], placed[position], extra, checked, holds, moved)


def settled(
    model: Model, best: Optimised, designs: dict[tuple[str, str], HybridDesign], k: PlantConstants, seen: Seen
) -> tuple[Optimised, dict[str, RunnerUp]]:
    """Return the plan that no twin-checked runner-up beats by more than a tie, and its runners-up."""
    found = runners_up(model, best, designs, k, seen)
    for _ in range(MOST_SWAPS):
        holding = [runner.checked for runner in found.values() if runner.checked is not None and runner.holds]
        better = [each for each in holding if each.objective < best.checked.objective and not ties(best.checked, each)]
        if not better:
            break
        best = adopted(min(better, key=lambda each: each.objective), best, best.rounds)
        found = runners_up(model, best, designs, k, seen)
    return best, found
