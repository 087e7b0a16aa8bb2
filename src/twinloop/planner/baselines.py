"""Plainer designs with the same load, redundancy, design basis and effort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twinloop.model.model import Model
from twinloop.model.plan import Baseline
from twinloop.planner.optimise import Optimised, optimise
from twinloop.planner.screen import Screened
from twinloop.twin.design import PlantConstants

LIQUID_KITS = ("all plates", "immersion")


@dataclass(frozen=True)
class Rival:
    """One baseline and the plan behind it; ``None`` when infeasible."""

    baseline: Baseline
    optimised: Optimised | None


def baselines(
    model: Model, screened: Screened, best: Optimised, k: PlantConstants, progress: Callable[[str], None]
) -> tuple[Rival, ...]:
    """Return *all air on-premise*, *all cloud* and *uniform liquid*, each optimised like the plan itself."""
    halls = {site.name for site in model.on_premise}
    clouds = {site.name for site in model.clouds}
    kit_of = screened.kit_of

    def kit(design: str | None) -> str | None:
        return kit_of.get(design) if design else None

    cases = (
        ("all air on-premise", lambda p: p.site in halls and kit(p.design) == "air"),
        ("all cloud", lambda p: p.site in clouds),
        ("uniform liquid", lambda p: p.site in halls and kit(p.design) in LIQUID_KITS),
    )
    found = []
    for name, keep in cases:
        progress(f"baseline: {name}")
        mine = tuple(p for p in screened.placements if keep(p))
        result = optimise(model, mine, screened.designs, k, rounds=2) if mine else None
        found.append(Rival(_baseline(name, result, best), result))
    return tuple(found)


def _baseline(name: str, result: Optimised | None, best: Optimised) -> Baseline:
    if result is None:
        return Baseline(name, False, None, None, "no such plan satisfies the limits, residency and latency")
    theirs, ours = result.checked.objective, best.checked.objective
    saving = (theirs - ours) / theirs if theirs else None
    note = "" if saving is None or saving >= 0.0 else "this baseline is better than the recommendation"
    designs = sorted({str(p.design) for p in result.checked.placements if p.design})
    return Baseline(name, True, result.checked.totals, saving, note or "; ".join(designs))
