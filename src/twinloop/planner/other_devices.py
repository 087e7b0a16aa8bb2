"""What each stage would do without its choice: planned anew, also with what the search had dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from twinloop.model.model import Model
from twinloop.planner.check import Checked, check
from twinloop.planner.optimise import Seen, acceptable, optimise
from twinloop.planner.placements import Placement
from twinloop.planner.recommend import Recommended
from twinloop.planner.runners_up import RunnerUp
from twinloop.planner.screen import Screened, undominated
from twinloop.planner.supplies import resupplied
from twinloop.planner.wishes import WORTH, rival_note
from twinloop.twin.design import PlantConstants

ROUNDS = 3
"""Times that the twin corrects the choice: the second mends the cooling, the third ends where nothing moves."""


def with_devices(found: Recommended, k: PlantConstants, seen: Seen) -> dict[str, RunnerUp]:
    """Return the runners-up of ``found``, planned anew without each stage's device at its place.

    Where that is the same device elsewhere, the nearest other device stands beside it. Every other stage may move for
    it and every hall be cooled otherwise: a device that the chosen one beats in all may want other cooling. A stage
    for which the twin refuses whatever was tried keeps the runner-up of the selection.
    """
    told = dict(found.runners)
    for chosen in found.best.checked.placements:
        runner = _anew(found, chosen, partial(_differs, chosen), k, seen)
        if runner is None:
            continue
        if runner.rival.option.device == chosen.option.device:
            other = _anew(found, chosen, partial(_other_device, chosen), k, seen)
            runner = replace(runner, device=other)
        told[chosen.stage] = runner
    return told


def _anew(
    found: Recommended, chosen: Placement, may: Callable[[Placement], bool], k: PlantConstants, seen: Seen
) -> RunnerUp | None:
    """Return the best plan with the stage of ``chosen`` as it ``may`` be, by the twin; ``None``: there is none.

    As the plan itself, it lets go of wishes that cost more than they are worth: of growth, then of all.
    """
    best, plan = found.best.checked, None
    for model, screened in _ever_fewer_wishes(found):
        fewer = _planned(found, chosen, may, model, screened, k, seen)
        if fewer is not None and (plan is None or plan.objective - fewer.objective > WORTH * abs(fewer.objective)):
            plan = fewer
        if plan is not None and plan.objective - best.objective <= WORTH * abs(best.objective):
            break
    if plan is None:
        return None
    ours, theirs = ({p.stage: p for p in each.placements} for each in (best, plan))
    moved = tuple(name for name, p in theirs.items() if name != chosen.stage and _where(p) != _where(ours[name]))
    rival, extra, note = theirs[chosen.stage], plan.objective - best.objective, rival_note(found.at.model, plan)
    return RunnerUp(chosen.stage, chosen, rival, extra, plan, True, moved, note=note)


def _ever_fewer_wishes(found: Recommended) -> Iterator[tuple[Model, Screened]]:
    """Yield the model with the plan's wishes, without that of growth, without any; each with its choices."""
    at = found.at
    yield at.model, found.screened
    if at.model.caps.growth_fits:
        yield replace(at.model, caps=replace(at.model.caps, growth_fits=False)), found.screened
    if at.model.caps.junction_margin_k > 0.0 or at.model.caps.dry_doors:
        yield at.plain, at.unbound[0]


def _planned(
    found: Recommended, chosen: Placement, may: Callable[[Placement], bool], model: Model, screened: Screened,
    k: PlantConstants, seen: Seen,
) -> Checked | None:  # fmt: skip
    """Return the best plan under one set of wishes; the other stages as they stand, where moving them was a mistake."""
    best = found.best.checked
    kept = best.placements if screened is found.screened else ()
    others = {p.key: p for p in (*kept, *screened.placements) if p.stage != chosen.stage}
    mine = undominated(p for p in screened.every if p.stage == chosen.stage and may(p))
    plan = optimise(model, (*others.values(), *mine), screened.designs, k, seen, ROUNDS) if mine else None
    if plan is None:
        return None
    end, at = resupplied(model, plan, screened, k, seen)
    theirs = {p.stage: p for p in end.checked.placements}
    still = tuple(theirs[p.stage] if p.stage == chosen.stage else p for p in best.placements)
    moved = {p.site: p.design for p in still}
    if still == end.checked.placements or any(moved[p.site] != p.design for p in still):
        return end.checked
    designs, key = {**found.screened.designs, **at.designs}, tuple(p.key for p in still)
    seen[key] = seen.get(key) or check(model, still, designs, k)
    better = acceptable(model, seen[key]) and seen[key].objective < end.checked.objective
    return seen[key] if better else end.checked


def _differs(chosen: Placement, p: Placement) -> bool:
    return _where(p) != _where(chosen)


def _other_device(chosen: Placement, p: Placement) -> bool:
    return p.option.device != chosen.option.device


def _where(p: Placement) -> tuple[str, str]:
    return p.site, p.option.device
