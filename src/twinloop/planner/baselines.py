"""Plainer designs with the same load, redundancy, design basis and effort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twinloop.model.model import Model
from twinloop.model.plan import Baseline
from twinloop.planner.naming import plan_name
from twinloop.planner.optimise import Optimised, Seen, optimise
from twinloop.planner.placements import Placement
from twinloop.planner.screen import Screened
from twinloop.planner.wishes import rival_note
from twinloop.twin.design import PlantConstants

LIQUID_KITS = ("all plates", "immersion")


@dataclass(frozen=True)
class Plainer:
    """One restricted search; ``note`` says how it breaks the hall's positions, if it does."""

    name: str
    optimised: Optimised | None
    note: str
    stays: tuple[str, ...] = ()
    """Stages that a plan of liquid leaves on air: nothing that they run on is sold otherwise."""


@dataclass(frozen=True)
class Rival:
    """One baseline and the plan behind it; ``None`` when infeasible."""

    baseline: Baseline
    optimised: Optimised | None


def plainer(
    model: Model, screened: Screened, k: PlantConstants, seen: Seen, progress: Callable[[str], None],
    unbound: tuple[Model, Screened] | None = None,
) -> tuple[Plainer, ...]:  # fmt: skip
    """Return *all air on-premise*, *all cloud* and *uniform liquid*, each optimised like the plan itself.

    What cannot hold the margin or the growth that the plan holds is searched without (``unbound``), and says so.
    """
    halls = {site.name for site in model.on_premise}
    clouds = {site.name for site in model.clouds}
    kit_of = screened.kit_of
    every = (*screened.placements, *(unbound[1].placements if unbound else ()))
    wet = {(p.stage, p.site, p.design) for p in every if p.anchors}

    def kit(design: str | None) -> str | None:
        return kit_of.get(design) if design else None

    def liquid(p: Placement) -> bool:
        """In a hall of liquid, on it wherever something of the stage is sold for it."""
        here = p.site in halls and kit(p.design) in LIQUID_KITS
        return here and (p.anchors or (p.stage, p.site, p.design) not in wet)

    cases: tuple[tuple[str, Callable[[Placement], bool]], ...] = (
        ("all air on-premise", lambda p: p.site in halls and kit(p.design) == "air"),
        ("all cloud", lambda p: p.site in clouds),
        ("uniform liquid", liquid),
    )
    found = []
    for name, keep in cases:
        progress(f"baseline: {name}")
        mine = tuple(p for p in screened.placements if keep(p))
        result = optimise(model, mine, screened.designs, k, seen) if mine else None
        note, asked = "", model
        if result is None and unbound is not None:
            asked = unbound[0]
            mine = tuple(p for p in unbound[1].placements if keep(p))
            result = optimise(asked, mine, unbound[1].designs, k, seen) if mine else None
            note = rival_note(model, result.checked) if result else ""
        if result is None and mine:
            # No straw man: a plainer design that lacks positions gets as many as it needs, and we say so.
            rows = frozenset(f"rack positions of {site.name}" for site in model.on_premise)
            result = optimise(asked, mine, screened.designs, k, seen, relaxed=rows)
            note = _positions_note(model, result) if result else ""
        placed = result.checked.placements if result else ()
        if not (clouds if name == "all cloud" else halls):
            note = f"no {'cloud region' if name == 'all cloud' else 'hall of our own'} is declared in the scenario"
        found.append(Plainer(name, result, note, tuple(p.stage for p in placed if not p.anchors)))
    return tuple(found)


def rivals_of(plain: tuple[Plainer, ...], best: Optimised) -> tuple[Rival, ...]:
    """Return the baselines measured against ``best``."""
    return tuple(Rival(_baseline(each, best), each.optimised) for each in plain)


def _positions_note(model: Model, result: Optimised) -> str:
    needs = {site.planned.name: site.planned.racks for site in result.checked.sites}
    limits = {site.name: site.racks.positions for site in model.on_premise}
    return "; ".join(f"does not fit: needs {n} rack positions, {site} has {limits[site]}" for site, n in needs.items()
                     if site in limits and n > limits[site])  # fmt: skip


def _baseline(plain: Plainer, best: Optimised) -> Baseline:
    if plain.optimised is None:
        note = plain.note or "no such plan satisfies the limits, residency and latency"
        return Baseline(plain.name, False, None, None, note)
    checked = plain.optimised.checked
    theirs, ours = checked.objective, best.checked.objective
    saving = (theirs - ours) / theirs if theirs else None
    words = plan_name(checked.placements, best.checked.placements)
    stays = f"on air, for want of a liquid version: {', '.join(plain.stays)}" if plain.stays else ""
    told = [plain.note, words, stays]
    return Baseline(plain.name, not plain.note, checked.totals, saving, "; ".join(word for word in told if word),
                    checked.cash)  # fmt: skip
