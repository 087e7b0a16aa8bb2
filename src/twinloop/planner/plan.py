"""A model in, a defended plan out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from twinloop.errors import InfeasibleError
from twinloop.model.codec import content_hash
from twinloop.model.model import Model
from twinloop.model.plan import Plan
from twinloop.model.simulation import SiteYear
from twinloop.planner.assemble import assemble, unsatisfied
from twinloop.planner.baselines import rivals_of
from twinloop.planner.check import check, stressed
from twinloop.planner.effort import Efforts
from twinloop.planner.infeasible import explain
from twinloop.planner.kept_supply import kept_supply_error
from twinloop.planner.looser import looser
from twinloop.planner.optimise import Optimised, Seen
from twinloop.planner.other_devices import with_devices
from twinloop.planner.recommend import Searches, once, recommended
from twinloop.planner.screen import Remember, Screened, fresh
from twinloop.planner.turning import turns
from twinloop.planner.wishes import wish_words
from twinloop.twin.design import PlantConstants


@dataclass(frozen=True)
class Planned:
    """A plan with the years behind its halls, which the report draws."""

    plan: Plan
    years: tuple[SiteYear, ...]
    screened: Screened | None = None
    """All that could have been chosen, for asking anew at other prices; ``None`` where no plan satisfies the limits."""
    best: Optimised | None = None
    asked: Model | None = None
    """The model with the wishes that the plan holds among its caps."""


def _silent(_: str) -> None:
    """Report nothing."""


def plan(
    model: Model,
    scenario_hash: str | None = None,
    progress: Callable[[str], None] = _silent,
    constants: PlantConstants | None = None,
    remember: Remember = fresh,
) -> Planned:
    """Choose hardware, placement and cooling together.

    Args:
        model: the resolved scenario.
        scenario_hash: hash of the person's file; the model's own where there is none.
        progress: called with each step's name.
        constants: sizing and control assumptions; ``None``: the documented defaults.
        remember: where ratings of cooling designs are kept for a later run of the same scenario.

    Raises:
        InfeasibleError: nothing satisfies the constraints; names the clash and the ways out. Its ``answer``
            is the ``Planned`` of the cheapest way out, marked infeasible, where there is one.
    """
    k = constants or PlantConstants()
    digest = scenario_hash or content_hash(model)
    seen: Seen = {}
    remember = once(remember)
    found = recommended(model, k, progress, remember, seen)
    if found is None:
        raise _infeasible(model, digest, k, progress)
    progress("at other prices")
    told = turns(model, found, k, remember, seen)
    eased = looser(model, found, k, remember, dict(seen))
    best, screened, model = found.best, found.screened, found.at.model
    others = with_devices(found, k, dict(seen))
    ends = _finished(found.searches, found.efforts)
    progress("explaining")
    rivals = rivals_of(ends.plain, best)
    best = replace(best, checked=stressed(model, best.checked, k))
    return Planned(
        assemble(
            model,
            screened,
            best,
            others,
            ends.by_kit,
            rivals,
            ends.ordered,
            digest,
            k,
            seen,
            wish_words(found.at, best.checked),
            told,
            eased,
        ),
        tuple(site.year for site in best.checked.sites if site.year is not None),
        screened,
        best,
        model,
    )


def _finished(found: Searches, efforts: Efforts) -> Searches:
    """Return ``found`` as good as each can get; a baseline that does not fit the hall is only refined."""
    ordered = found.ordered
    if ordered is not None and ordered.optimised is not None:
        ordered = replace(ordered, optimised=efforts.finished(ordered.optimised))
    plain = tuple(
        replace(each, optimised=efforts.refined(each.optimised) if each.note else efforts.finished(each.optimised))
        if each.optimised
        else each
        for each in found.plain
    )
    return Searches({kit: efforts.finished(each) for kit, each in found.by_kit.items()}, ordered, plain)


def _infeasible(model: Model, digest: str, k: PlantConstants, progress: Callable[[str], None]) -> InfeasibleError:
    """Return the error that names the clash and carries the plan of the cheapest way out."""
    try:
        way = explain(model, k, progress)
    except InfeasibleError as error:
        return kept_supply_error(model, k, progress) or error
    chosen = tuple(way.problem.placements[i] for i in way.choice.picked)
    checked = stressed(model, check(model, chosen, way.screened.designs, k), k)
    found = Optimised(checked, way.problem, way.choice, checked.objective, 0.0, 1)
    answer = Planned(
        unsatisfied(model, way, found, digest), tuple(site.year for site in checked.sites if site.year is not None)
    )
    return InfeasibleError(tuple(clash.words for clash in way.clashes), way.ways_out, answer)
