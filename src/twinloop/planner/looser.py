"""What more time would save: a stage's deadline or latency limit relaxed, the rest of the plan as it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinloop.model.model import Model, Stage
from twinloop.planner.explain import amount_words, where_words
from twinloop.planner.optimise import Seen, optimise
from twinloop.planner.placements import Placement
from twinloop.planner.recommend import Recommended
from twinloop.planner.screen import Remember, place_beside
from twinloop.planner.shortlist import shortlist
from twinloop.planner.ties import TIE
from twinloop.twin.design import PlantConstants
from twinloop.units import show
from twinloop.workload.options import stage_options

LOOSER = (2.0, 1.25)
"""Times the limit, the loosest first: where that saves nothing, less saves nothing."""
ROUNDS = 2


@dataclass(frozen=True)
class Looser:
    """One stage under a looser limit."""

    limit_s: float
    saved: float
    """Of the objective, both plans by the twin; 0: nothing better was found."""
    placement: Placement
    """Of the stage."""


def looser(model: Model, found: Recommended, k: PlantConstants, remember: Remember, seen: Seen) -> dict[str, str]:
    """Return a sentence for each stage with a limit of time: what a looser one would save."""
    said = {}
    for stage in model.stages:
        limit_s = stage.latency_p99_s if stage.kind == "serve" else stage.deadline_s
        if limit_s is None:
            continue
        asked = []
        for times in LOOSER:
            asked.append(_under(found, _eased(stage, limit_s * times), k, remember, seen))
            if asked[0].saved <= TIE * abs(found.best.checked.objective):
                break
        said[stage.name] = _words(model, found, stage, asked)
    return said


def _eased(stage: Stage, limit_s: float) -> Stage:
    """Return ``stage`` with another limit; a run that repeats ends before the next."""
    if stage.kind == "serve":
        return replace(stage, latency_p99_s=limit_s)
    return replace(stage, deadline_s=limit_s if stage.every_s is None else min(limit_s, stage.every_s))


def _under(found: Recommended, stage: Stage, k: PlantConstants, remember: Remember, seen: Seen) -> Looser:
    """Choose anew for ``stage`` alone, confirmed by the twin."""
    best, now = found.best.checked, found.at.model
    model = replace(now, stages=tuple(stage if each.name == stage.name else each for each in now.stages))
    options = shortlist(model, stage, stage_options(model, stage))
    used = {p.site: p.design for p in best.placements if p.design is not None}
    others = tuple(p for p in best.placements if p.stage != stage.name)
    mine = place_beside(model, stage, options, found.screened, used, k, remember)
    chosen = optimise(model, (*others, *mine), found.screened.designs, k, seen, ROUNDS) if mine else None
    plan = best if chosen is None or chosen.checked.objective > best.objective else chosen.checked
    limit_s = stage.latency_p99_s if stage.kind == "serve" else stage.deadline_s
    here = next(p for p in plan.placements if p.stage == stage.name)
    return Looser(limit_s or 0.0, best.objective - plan.objective, here)


def _words(model: Model, found: Recommended, stage: Stage, asked: list[Looser]) -> str:
    best, noun = found.best.checked, "latency limit" if stage.kind == "serve" else "deadline"
    least = TIE * abs(best.objective)
    told, before = [], 0.0
    for each in sorted(asked, key=lambda each: each.limit_s):
        limit = show(each.limit_s, "duration", 3)
        if each.saved <= least:
            told.append(f"{limit} would save nothing")
        elif each.saved > before + least:
            much = f"{amount_words(model, each.saved)} ({each.saved / abs(best.objective):.1%})"
            told.append(f"{limit} would save {much} with {where_words(each.placement)}")
        else:
            told.append(f"{limit} no more")
        before = each.saved
    return f"A {noun} of {', one of '.join(told)}; the rest of the plan as it stands, by the twin"
