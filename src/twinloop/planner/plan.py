"""A model in, a defended plan out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from twinloop.errors import InfeasibleError
from twinloop.model.codec import content_hash
from twinloop.model.estimate import StageOption
from twinloop.model.model import Model
from twinloop.model.plan import Plan
from twinloop.model.simulation import SiteYear
from twinloop.planner.assemble import assemble, unsatisfied
from twinloop.planner.baselines import Plainer, plainer, rivals_of
from twinloop.planner.check import check, stressed
from twinloop.planner.effort import Efforts, or_proposed
from twinloop.planner.infeasible import explain
from twinloop.planner.kept_supply import kept_supply_error
from twinloop.planner.optimise import Optimised, Seen, among, optimise
from twinloop.planner.rates import Rates
from twinloop.planner.runners_up import settled
from twinloop.planner.screen import Remember, Screened, fresh, place, screen
from twinloop.planner.sequential import Ordered, compute_first
from twinloop.planner.supplies import resupplied
from twinloop.planner.ties import simplest
from twinloop.planner.wishes import Granted, granted, wish_words
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


def _as_found(found: Optimised) -> Optimised:
    return found


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
    remember = _once(remember)
    first = _first(model, k, progress, remember, seen)
    if first is None:
        raise _infeasible(model, digest, k, progress)
    at = granted(model, first, k, partial(_under, first[0].options, k, progress, remember, seen))
    model, screened, free = at.model, at.screened, at.free
    searches = _searches(at, k, seen, progress)
    progress("the same effort for every search")
    efforts = Efforts(model, screened, k, seen)
    best = best_of(free, searches.by_kit, searches.ordered, searches.plain, efforts.refined)
    best, _ = settled(model, best, screened.designs, k, seen)
    best, screened = resupplied(model, best, screened, k, seen)
    best = or_proposed(model, best, screened.designs, k, seen)
    best, runners = settled(model, best, screened.designs, k, seen)
    ends = _finished(searches, efforts)
    progress("explaining")
    rivals = rivals_of(ends.plain, best)
    best = replace(best, checked=stressed(model, best.checked, k))
    return Planned(
        assemble(
            model,
            screened,
            best,
            runners,
            ends.by_kit,
            rivals,
            ends.ordered,
            digest,
            k,
            seen,
            wish_words(at, best.checked),
        ),
        tuple(site.year for site in best.checked.sites if site.year is not None),
        screened,
        best,
        model,
    )


def _first(
    model: Model, k: PlantConstants, progress: Callable[[str], None], remember: Remember, seen: Seen
) -> tuple[Screened, Optimised] | None:
    """Return what may be chosen from and the first search's plan; every option is looked at where the cheapest fit
    nowhere. ``None``: nothing satisfies the limits.
    """
    progress("workload options")
    for whole in (False, True):
        screened = screen(model, k, progress, remember, whole=whole)
        progress("choosing and checking with the twin")
        found = _begun(model, screened, k, seen)
        if found is not None:
            return found
        if not whole:
            progress("looking at every option: the cheapest fit nowhere")
    return None


def _begun(model: Model, screened: Screened, k: PlantConstants, seen: Seen) -> tuple[Screened, Optimised] | None:
    free = optimise(model, screened.placements, screened.designs, k, seen)
    return None if free is None else (screened, free)


def _under(
    options: dict[str, tuple[StageOption, ...]], k: PlantConstants, progress: Callable[[str], None],
    remember: Remember, seen: Seen, wished: Model, peaks: dict[str, float],
) -> tuple[Screened, Optimised] | None:  # fmt: skip
    """Return the first search under the wishes of ``wished``, screened peaks of each hall times its ``peaks``."""
    found = place(wished, options, k, progress, remember=remember)
    lower = tuple(replace(p, facility_peak_w=p.facility_peak_w * peaks.get(p.site, 1.0)) for p in found.placements)
    return _begun(wished, replace(found, placements=lower), k, seen)


def _once(remember: Remember) -> Remember:
    """Return ``remember`` that rates nothing twice in one run: the choice under wishes rates the same designs."""
    known: dict[tuple[str, str, int], tuple[StageOption, Rates]] = {}

    def rated(key: tuple[str, str, StageOption], find: Callable[[], Rates]) -> Rates:
        site, design, option = key
        found = known.get((site, design, id(option)))
        if found is None:
            found = known[site, design, id(option)] = (option, remember(key, find))
        return found[1]

    return rated


@dataclass(frozen=True)
class _Searches:
    """The restricted searches beside the plan's own."""

    by_kit: dict[str, Optimised]
    ordered: Ordered | None
    plain: tuple[Plainer, ...]


def _searches(at: Granted, k: PlantConstants, seen: Seen, progress: Callable[[str], None]) -> _Searches:
    model, screened = at.model, at.screened
    by_kit = _by_kit(model, screened, k, seen, progress)
    progress("compute first, cooling afterwards")
    ordered = compute_first(model, screened, k, seen)
    unbound = None if at.model is at.plain else (at.plain, at.unbound[0])
    return _Searches(by_kit, ordered, plainer(model, screened, k, seen, progress, unbound))


def _finished(found: _Searches, efforts: Efforts) -> _Searches:
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
    return _Searches({kit: efforts.finished(each) for kit, each in found.by_kit.items()}, ordered, plain)


def best_of(
    free: Optimised, by_kit: dict[str, Optimised], ordered: Ordered | None, plain: tuple[Plainer, ...],
    refine: Callable[[Optimised], Optimised] = _as_found,
) -> Optimised:  # fmt: skip
    """Return the best twin-checked plan of all searches: coefficients mislead by tenths of a percent.

    They are compared as ``refine`` leaves them. Of plans that come to the same it is the one with the fewest pieces
    of equipment. A baseline that does not fit the hall (it says so in its note) is none of them.
    """
    found = [free, *by_kit.values(), *((ordered.optimised,) if ordered and ordered.optimised else ())]
    found += [each.optimised for each in plain if each.optimised and not each.note]
    ends = [refine(each) for each in found]
    chosen = simplest([each.checked for each in ends])
    return among(next(each for each, end in zip(found, ends, strict=True) if end.checked is chosen), free)


def _by_kit(
    model: Model, screened: Screened, k: PlantConstants, seen: Seen, progress: Callable[[str], None]
) -> dict[str, Optimised]:
    """Return the best twin-checked plan of each cooling kit that keeps some stage in a hall."""
    found = {}
    for kit in sorted(set(screened.kit_of.values())):
        progress(f"checking {kit}")
        mine = tuple(p for p in screened.placements if p.design is None or screened.kit_of[p.design] == kit)
        result = optimise(model, mine, screened.designs, k, seen)
        if result is not None and any(p.design for p in result.checked.placements):
            found[kit] = result
    return found


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
