"""Every search of a plan, and the best that any of them found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from twinloop.model.estimate import StageOption
from twinloop.model.model import Model
from twinloop.planner.baselines import Plainer, plainer
from twinloop.planner.effort import Efforts, or_proposed
from twinloop.planner.optimise import Optimised, Seen, among, optimise
from twinloop.planner.rates import Rates
from twinloop.planner.runners_up import RunnerUp, settled
from twinloop.planner.screen import Progress, Remember, Screened, place, screen
from twinloop.planner.sequential import Ordered, compute_first
from twinloop.planner.supplies import resupplied
from twinloop.planner.ties import simplest
from twinloop.planner.wishes import Granted, granted
from twinloop.twin.design import PlantConstants

HOPE = 0.03
"""Share above the best at which a search's end is still refined: what refining gains is tenths of a percent."""

Options = dict[str, tuple[StageOption, ...]]


@dataclass(frozen=True)
class Searches:
    """The restricted searches beside the plan's own."""

    by_kit: dict[str, Optimised]
    ordered: Ordered | None
    plain: tuple[Plainer, ...]


@dataclass(frozen=True)
class Recommended:
    """What is recommended and what it was weighed against."""

    at: Granted
    """With the model that holds the wishes which the plan holds."""
    screened: Screened
    best: Optimised
    runners: dict[str, RunnerUp]
    searches: Searches
    efforts: Efforts


def _as_found(found: Optimised) -> Optimised:
    return found


def recommended(
    model: Model, k: PlantConstants, progress: Progress, remember: Remember, seen: Seen, options: Options | None = None
) -> Recommended | None:
    """Return the best plan of all searches; ``None``: nothing satisfies the limits.

    ``options`` are those of an earlier search of the same work; ``None``: they are looked for.
    """
    first = _first(model, k, progress, remember, seen, options)
    if first is None:
        return None
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
    return Recommended(at, screened, best, runners, searches, efforts)


def _first(
    model: Model, k: PlantConstants, progress: Progress, remember: Remember, seen: Seen, options: Options | None
) -> tuple[Screened, Optimised] | None:
    """Return what may be chosen from and the first search's plan; every option is looked at where the cheapest fit
    nowhere. ``None``: nothing satisfies the limits.
    """
    if options is not None:
        return _begun(model, place(model, options, k, progress, remember=remember), k, seen)
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
    options: Options, k: PlantConstants, progress: Progress,
    remember: Remember, seen: Seen, wished: Model, peaks: dict[str, float],
) -> tuple[Screened, Optimised] | None:  # fmt: skip
    """Return the first search under the wishes of ``wished``, screened peaks of each hall times its ``peaks``."""
    found = place(wished, options, k, progress, remember=remember)
    lower, every = (
        tuple(replace(p, facility_peak_w=p.facility_peak_w * peaks.get(p.site, 1.0)) for p in placed)
        for placed in (found.placements, found.every)
    )
    return _begun(wished, replace(found, placements=lower, every=every), k, seen)


def _searches(at: Granted, k: PlantConstants, seen: Seen, progress: Callable[[str], None]) -> Searches:
    model, screened = at.model, at.screened
    by_kit = _by_kit(model, screened, k, seen, progress)
    progress("compute first, cooling afterwards")
    ordered = compute_first(model, screened, k, seen)
    unbound = None if at.model is at.plain else (at.plain, at.unbound[0])
    return Searches(by_kit, ordered, plainer(model, screened, k, seen, progress, unbound))


def best_of(
    free: Optimised, by_kit: dict[str, Optimised], ordered: Ordered | None, plain: tuple[Plainer, ...],
    refine: Callable[[Optimised], Optimised] = _as_found,
) -> Optimised:  # fmt: skip
    """Return the best twin-checked plan of all searches: coefficients mislead by tenths of a percent.

    They are compared as ``refine`` leaves them, those that it might bring to the front. Of plans that come to the
    same it is the one with the fewest pieces of equipment. A baseline that does not fit the hall (it says so in its
    note) is none of them.
    """
    found = [free, *by_kit.values(), *((ordered.optimised,) if ordered and ordered.optimised else ())]
    found += [each.optimised for each in plain if each.optimised and not each.note]
    limit = min(each.checked.objective for each in found)
    found = [each for each in found if each.checked.objective <= limit + HOPE * abs(limit)]
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


def once(remember: Remember) -> Remember:
    """Return ``remember`` that rates nothing twice in one run: the choice under wishes rates the same designs."""
    known: dict[tuple[str, str, int], tuple[StageOption, Rates]] = {}

    def rated(key: tuple[str, str, StageOption], find: Callable[[], Rates]) -> Rates:
        site, design, option = key
        found = known.get((site, design, id(option)))
        if found is None:
            found = known[site, design, id(option)] = (option, remember(key, find))
        return found[1]

    return rated
