"""The nearest other device of each stage, which the search had dropped where the chosen one is better in all."""

from __future__ import annotations

from dataclasses import replace

from twinloop.planner.optimise import Seen, optimise
from twinloop.planner.placements import Placement
from twinloop.planner.recommend import Recommended
from twinloop.planner.runners_up import RunnerUp
from twinloop.planner.screen import Remember, place_beside
from twinloop.twin.design import PlantConstants


def with_devices(found: Recommended, k: PlantConstants, remember: Remember, seen: Seen) -> dict[str, RunnerUp]:
    """Return the runners-up of ``found`` with the nearest other device.

    It takes the runner-up's place where it is nearer, and stands beside it where that is the same device elsewhere.
    Every stage may move for it, in halls cooled as the plan has them.
    """
    told, best, model = dict(found.runners), found.best.checked, found.at.model
    used = {p.site: p.design for p in best.placements if p.design is not None}
    pool = {
        stage.name: place_beside(model, stage, found.screened.options[stage.name], found.screened, used, k, remember)
        for stage in model.stages
    }
    for chosen in best.placements:
        other = _other(found, chosen, pool, k, seen)
        if other is None:
            continue
        runner = told.get(chosen.stage)
        if runner is None or not runner.holds or other.extra(best) < runner.extra(best):
            told[chosen.stage] = other
        elif runner.rival.option.device == chosen.option.device:
            told[chosen.stage] = replace(runner, device=other)
    return told


def _other(
    found: Recommended, chosen: Placement, pool: dict[str, tuple[Placement, ...]], k: PlantConstants, seen: Seen
) -> RunnerUp | None:
    """Return the best plan with the stage of ``chosen`` on another device, by the twin; ``None``: there is none."""
    best = found.best.checked
    free = {p.key: p for p in (*best.placements, *(p for mine in pool.values() for p in mine))}
    allowed = tuple(p for p in free.values() if p.stage != chosen.stage or p.option.device != chosen.option.device)
    if all(p.stage != chosen.stage for p in allowed):
        return None
    plan = optimise(found.at.model, allowed, found.screened.designs, k, seen, 1)
    if plan is None:
        return None
    ours, theirs = ({p.stage: p for p in each.placements} for each in (best, plan.checked))
    rival = theirs[chosen.stage]
    moved = tuple(name for name, p in theirs.items() if name != chosen.stage and _where(p) != _where(ours[name]))
    extra = plan.checked.objective - best.objective
    return RunnerUp(chosen.stage, chosen, rival, plan.choice, extra, plan.checked, True, moved)


def _where(p: Placement) -> tuple[str, str]:
    return p.site, p.option.device
