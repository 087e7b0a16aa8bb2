"""What a good plan keeps where it does not cost much: margin at the chips, dry doors, room for the load that grows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from twinloop.model.model import Model
from twinloop.planner.check import Checked
from twinloop.planner.dew import MARGIN_K
from twinloop.planner.explain import amount_words
from twinloop.planner.growth import outgrown
from twinloop.planner.money import load_growth_per_year
from twinloop.planner.optimise import Optimised, corrections_of, least_margin_k, wet_doors
from twinloop.planner.rules import JUNCTION_MARGIN_K
from twinloop.planner.screen import Screened
from twinloop.planner.ties import TIE
from twinloop.twin.design import PlantConstants

WORTH = 0.05
"""Share of the objective that wishes may cost. A judgement: several times the screening's error, far below what a
hall that throttles in its second summer or is full in its third year costs. Low confidence."""

Start = tuple[Screened, Optimised]


@dataclass(frozen=True)
class Granted:
    """The model with the wishes that are held as limits, and the search that begins under them."""

    model: Model
    screened: Screened
    free: Optimised
    plain: Model
    unbound: Start
    """The search without wishes: what they cost is told against it, and baselines that cannot hold them are of it."""
    dearer: Checked | None = None
    """Where a wish is not held: the cheapest plan that would hold all, too dear; ``None``: none does."""


def granted(
    model: Model, unbound: Start, k: PlantConstants, begin: Callable[[Model, dict[str, float]], Start | None]
) -> Granted:
    """Return the most wishes that some plan holds for :data:`WORTH` at most, growth before margin, margin before doors.

    Args:
        model: without wishes.
        unbound: what its search begins with.
        k: sizing and control assumptions.
        begin: searches under a model with wishes, given by site what to multiply screened peaks by.
    """
    best, peaks = unbound[1].checked.objective, _peaks(model, unbound[1], k)
    dearer: Checked | None = None
    for margin, doors, growth in _wishes(model):
        margin_k = JUNCTION_MARGIN_K if margin else 0.0
        caps = replace(model.caps, junction_margin_k=margin_k, dry_doors=doors, growth_fits=growth)
        wished = replace(model, caps=caps)
        found = begin(wished, peaks)
        if found is None:
            continue
        screened, free = found
        if free.checked.objective - best <= WORTH * abs(best):
            return Granted(wished, _joined(screened, unbound[0]), free, model, unbound, dearer)
        dearer = dearer or free.checked
    return Granted(model, *unbound, model, unbound, dearer)


def _peaks(model: Model, free: Optimised, k: PlantConstants) -> dict[str, float]:
    """Return the twin's peak over the screened one by hall.

    Screening adds up nominal powers, the meter sees what the load really draws, under any design nearly the same.
    Against colder water, or the load of years to come, the screened ones would refuse what the twin finds to fit.
    """
    return {site: found.peak for (site, _), found in corrections_of(model, free.checked, k).items()}


def _wishes(model: Model) -> list[tuple[bool, bool, bool]]:
    """Return which of margin, dry doors and growth to ask for, the most first."""
    if not model.on_premise:
        return []
    alone = [(True, True, False), (True, False, False)]
    if load_growth_per_year(model) <= 0.0:
        return alone
    return [(True, True, True), (True, False, True), (False, False, True), *alone]


def _joined(screened: Screened, other: Screened) -> Screened:
    """Return ``screened`` that knows the designs of ``other``, too: baselines may be of them."""
    return replace(screened, designs={**other.designs, **screened.designs}, kit_of={**other.kit_of, **screened.kit_of})


def wish_words(at: Granted, best: Checked) -> str:
    """Return what the wishes that ``best`` holds cost, or what those that it lacks would; empty where neither."""
    free = at.unbound[1].checked
    lacks = _lacks(at.plain, best)
    if lacks and at.dearer is not None:
        extra = at.dearer.objective - best.objective
        return f" A plan that also has {' and '.join(lacks)} would cost {_amount(at.plain, extra, best)} more."
    if lacks:
        return f" No plan was found with {' and '.join(lacks)}."
    kept, extra = _lacks(at.plain, free), best.objective - free.objective
    if not kept or extra <= TIE * abs(best.objective):
        return ""
    cheaper = "; ".join(sorted({str(p.design or p.site) for p in free.placements}))
    return f" {_capital(' and '.join(kept))} cost {_amount(at.plain, extra, best)} more than {cheaper} without."


def _lacks(model: Model, checked: Checked) -> list[str]:
    found = []
    if wet_doors(model, checked):
        found.append(f"rear doors {MARGIN_K:.0f} K above the hall's dew point")
    if least_margin_k(checked) < JUNCTION_MARGIN_K:
        found.append(f"{JUNCTION_MARGIN_K:.0f} K below the junction limit on the design day")
    if outgrown(model, checked):
        found.append("room for growth")
    return found


def _amount(model: Model, extra: float, best: Checked) -> str:
    share = extra / max(abs(best.objective), 1e-9)
    return f"{amount_words(model, extra)} ({share:.1%})"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def margin_words(checked: Checked) -> str:
    """Return a sentence on a margin smaller than wanted; empty where it is kept."""
    margin_k = least_margin_k(checked)
    if math.isinf(margin_k) or margin_k >= JUNCTION_MARGIN_K:
        return ""
    return (
        f" On the design day its hottest chip keeps {margin_k:.1f} K below its limit; "
        f"{JUNCTION_MARGIN_K:.0f} K are wanted."
    )


def rival_note(model: Model, checked: Checked) -> str:
    """Return what a rival that was searched without wishes lacks of them.

    Args:
        model: with the wishes that the plan holds.
        checked: the rival.
    """
    lacks = []
    if least_margin_k(checked) < model.caps.junction_margin_k:
        lacks.append(f"{least_margin_k(checked):.1f} K below the junction limit on the design day")
    if model.caps.dry_doors and wet_doors(model, checked):
        lacks.append(f"its rear doors lie less than {MARGIN_K:.0f} K above the hall's dew point")
    if model.caps.growth_fits and outgrown(model, checked):
        lacks.append("its growth has no room")
    return f"does not hold what the plan holds: {'; '.join(lacks)}" if lacks else ""
