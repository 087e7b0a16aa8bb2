"""Plainer designs with the same load, redundancy, design basis and effort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twinloop.model.model import Model
from twinloop.model.plan import Baseline
from twinloop.planner.optimise import Optimised, optimise
from twinloop.planner.placements import Placement
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

    cases: tuple[tuple[str, Callable[[Placement], bool]], ...] = (
        ("all air on-premise", lambda p: p.site in halls and kit(p.design) == "air"),
        ("all cloud", lambda p: p.site in clouds),
        ("uniform liquid", lambda p: p.site in halls and kit(p.design) in LIQUID_KITS),
    )
    found = []
    for name, keep in cases:
        progress(f"baseline: {name}")
        mine = tuple(p for p in screened.placements if keep(p))
        result = optimise(model, mine, screened.designs, k, rounds=2) if mine else None
        note = ""
        if result is None and mine:
            # No straw man: a plainer design that lacks positions gets as many as it needs, and we say so.
            rows = frozenset(f"rack positions of {site.name}" for site in model.on_premise)
            result = optimise(model, mine, screened.designs, k, rounds=2, relaxed=rows)
            note = _positions_note(model, result) if result else ""
        found.append(Rival(_baseline(name, result, best, note), result))
    return tuple(found)


def _positions_note(model: Model, result: Optimised) -> str:
    needs: dict[str, int] = {}
    for p in result.checked.placements:
        needs[p.site] = needs.get(p.site, 0) + p.racks
    limits = {site.name: site.racks.positions for site in model.on_premise}
    return "; ".join(f"does not fit: needs {n} rack positions, {site} has {limits[site]}" for site, n in needs.items())


def _baseline(name: str, result: Optimised | None, best: Optimised, note: str) -> Baseline:
    if result is None:
        return Baseline(name, False, None, None, "no such plan satisfies the limits, residency and latency")
    theirs, ours = result.checked.objective, best.checked.objective
    saving = (theirs - ours) / theirs if theirs else None
    designs = "; ".join(sorted({str(p.design) for p in result.checked.placements if p.design}))
    words = [
        note,
        designs,
        "better than the recommendation" if saving is not None and saving < 0.0 and not note else "",
    ]
    return Baseline(name, not note, result.checked.totals, saving, "; ".join(word for word in words if word))
