"""Which constraints clash, in words, and the cheapest way out.

Every limit becomes a named row: those of the halls and of the whole plan, and, for options that are looked up
anew without them, deadlines, latencies, residency, named sites and rack positions. The smallest set of rows
that cannot hold together is found by trying each alone, each pair, then by the deletion filter (Chinneck and
Dravnieks 1991, doi:10.1287/ijoc.3.2.157). Ways out are elastic programmes: rows may be exceeded at a price, in money
where there is one, else per multiple of the limit (see :mod:`twinloop.planner.ways_out`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import combinations

from twinloop.errors import InfeasibleError
from twinloop.model.estimate import StageOption
from twinloop.model.model import Model, Stage
from twinloop.model.plan import Clash
from twinloop.model.site import Site
from twinloop.planner.check import Checked, check
from twinloop.planner.explain import span_words, usd_words
from twinloop.planner.limits import plan_limits, rack_positions, site_limits
from twinloop.planner.openings import openings_of
from twinloop.planner.optimise import Corrections, Factors, corrected, corrections_of, exceeded_rows, throttled
from twinloop.planner.placements import Placement, may_run, residency
from twinloop.planner.screen import Screened, place
from twinloop.planner.selection import Choice, Limit, Problem, solve
from twinloop.planner.shortlist import shortlist
from twinloop.planner.ways_checked import Known, applied
from twinloop.planner.ways_out import (
    SMALL_MOVE,
    Way,
    by_share,
    cost_usd,
    exceeded_by,
    in_money,
    limit_of,
    limit_words,
    ranked,
    way_of,
    words_of,
)
from twinloop.twin.design import PlantConstants
from twinloop.workload.options import eased, rejected, stage_options

LOOSER = (1.0, 2.0, 6.0, 30.0)
"""Multiples of deadline and latency at which options are looked up."""
LOOSEST = (300.0, 3e3, 3e4, 3e5)
"""Where none of those finds an option: the first of these that does."""
DEADLINE_SHARE = 0.9
"""Recurrent runs keep a tenth of their deadline free (see the workload options)."""
MOST_WAYS = 4
"""Ways out that are tried: each is a search of its own."""
MOST_CORRECTIONS = 4
"""Times that the twin's figures may correct the screened ones until a limit is seen to break."""
TIE = 1e-6
"""Weight of the plan's relative cost beside relative relaxations: it only breaks ties."""


@dataclass(frozen=True)
class WayOut:
    """The choice under the cheapest relaxation, and the words that go with it."""

    screened: Screened
    problem: Problem
    choice: Choice
    clashes: tuple[Clash, ...]
    ways_out: tuple[str, ...]


def explain(model: Model, k: PlantConstants, progress: Callable[[str], None]) -> WayOut:
    """Return what clashes and the plan that the cheapest relaxation allows.

    Raises:
        InfeasibleError: some stage runs on nothing that is allowed, however the limits are relaxed.
    """
    progress("looking for the constraints that clash")
    options = {stage.name: _looser_options(model, stage) for stage in model.stages}
    _refuse_empty(model, {name: bool(found) for name, found in options.items()})
    screened = place(model, options, k, progress, loose=True)
    placed = {p.stage for p in screened.placements}
    _refuse_empty(model, {stage.name: stage.name in placed for stage in model.stages})
    problem, choice, checked = _eased(model, screened, k)
    exceeded = exceeded_by(problem, choice)
    if not exceeded:
        return _refused(model, screened, problem, choice, checked)
    cores = _smallest_clashes(problem)
    clashes = tuple(_clash(problem, name, exceeded.get(name), n) for n, core in enumerate(cores) for name in core)
    bought = [way for move in (0.0, SMALL_MOVE) for way in _in_money(model, screened, k, move)]
    ways = ranked([*bought, *by_share(model, problem, choice, cores[0])])
    progress("applying the ways out")
    known = Known()
    tried = [applied(model, way, screened.designs, k, known) for way in ways[:MOST_WAYS]]
    kept = [each for each in tried if each is not None]
    if not kept:
        words = tuple(f"{words_of(way)}; not confirmed: no plan was found with that" for way in ways)
        return WayOut(screened, ways[0].problem, ways[0].choice, clashes, words)
    ends = [_told_cheapest(way, [each.way for each in kept]) for way in ranked(each.way for each in kept)]
    first = next(each for each in kept if each.way.needs is ends[0].needs)
    placements = first.found.checked.placements
    chosen = Choice(tuple(range(len(placements))), first.found.checked.objective, first.found.checked.objective)
    return WayOut(first.screened, _problem(model, placements, k, {}), chosen, clashes, tuple(map(words_of, ends)))


def _told_cheapest(way: Way, others: list[Way]) -> Way:
    """Return ``way`` beside the cheapest of the plans that ``others`` found with more of the same limits."""
    more = [each.cheaper for each in others if each.cheaper is not None and set(each.needs) == set(way.needs)]
    return replace(way, cheaper=min(more, key=lambda each: each.rank)) if more else way


def _smallest_clashes(problem: Problem) -> list[tuple[str, ...]]:
    """Return the smallest set of rows that cannot hold together, then the smallest of the rest, until the rest holds.

    The sets have no row in common: to raise the limits of the first alone would leave the others.
    """
    names, found = _names(problem), []
    while names and solve(problem, relaxed=frozenset(_names(problem)) - frozenset(names), gap=1.0) is None:
        core = _smallest_clash(problem, names)
        found.append(core)
        names = [name for name in names if name not in core]
    return found


def _in_money(model: Model, screened: Screened, k: PlantConstants, move: float) -> list[Way]:
    """Return the relaxation cheapest in money, by the twin's figures, if there is one.

    Limits that have a price may be exceeded, the others by ``move`` of them.

    The programme is solved anew while the twin finds a limit of its choice to be broken farther than screened.
    """
    corrections: Corrections = {}
    way: Way | None = None
    for _ in range(MOST_CORRECTIONS):
        problem = _problem(model, screened.placements, k, corrections)
        choice = in_money(model, problem, move)
        if choice is None:
            return []
        again, way = way is not None and choice.picked == way.choice.picked, way_of(model, problem, choice)
        if again:
            break
        checked = check(model, tuple(screened.placements[i] for i in choice.picked), screened.designs, k)
        if throttled(model, checked):
            return []
        corrections |= {key: _upwards(found) for key, found in corrections_of(model, checked, k).items()}
    return [] if way is None else [way]


def _names(problem: Problem) -> list[str]:
    return sorted({row.name for row in problem.rows})


def _eased(model: Model, screened: Screened, k: PlantConstants) -> tuple[Problem, Choice, Checked]:
    """Return the cheapest relaxation, after the twin's figures have corrected screened ones that hide a broken limit.

    Raises:
        InfeasibleError: none exists.
    """
    corrections: Corrections = {}
    attempt, before = 0, None
    while True:
        problem = _problem(model, screened.placements, k, corrections)
        names = _names(problem)
        choice = solve(problem, elastic=dict.fromkeys(names, 1.0))
        if choice is None:  # only the one-design rows are left, and every hall's best design takes what it can
            core = tuple(limit_words(problem, name) for name in _smallest_clash(problem, names))
            raise InfeasibleError(core, ("allow more kinds of cooling or sites",))
        checked = check(model, tuple(screened.placements[i] for i in choice.picked), screened.designs, k)
        if choice.picked == before or attempt == MOST_CORRECTIONS:
            return problem, choice, checked
        # Upwards only: a figure that screening holds for larger is what made the plan fail.
        corrections |= {key: _upwards(found) for key, found in corrections_of(model, checked, k).items()}
        attempt, before = attempt + 1, choice.picked


def _upwards(found: Factors) -> Factors:
    return Factors(**{name: max(1.0, value) for name, value in asdict(found).items()})


def _refused(model: Model, screened: Screened, problem: Problem, choice: Choice, checked: Checked) -> WayOut:
    """Return the way out where every limit holds as screened, and the twin refuses the plan."""
    hot = throttled(model, checked)
    broken = {
        f"full clock of the chips at {name}": f"{hours:,.0f} device-hours a year below it"
        for name, hours in hot.items()
    }
    broken |= dict.fromkeys(sorted(exceeded_rows(model, checked)), "the twin's figure is above it")
    moves = [f"allow colder water, other cooling or devices of less power at {name}" for name in hot]
    moves += [f"raise {name}" for name in sorted(exceeded_rows(model, checked))]
    clashes = tuple(Clash(name, None, None, "", f"{name}: {words}") for name, words in broken.items())
    way = " and ".join(moves) or "allow more devices or kinds of cooling"
    way += f" (then about {usd_words(cost_usd(model, problem, choice))} over {span_words(model.horizon_s)})"
    return WayOut(screened, problem, choice, clashes, (way,))


def _refuse_empty(model: Model, found: dict[str, bool]) -> None:
    missing = [stage for stage in model.stages if not found[stage.name]]
    if missing:
        clashes = tuple(f"{stage.name}: {reason}" for stage in missing for reason in rejected(model, stage)[:6])
        raise InfeasibleError(
            clashes or tuple(f"{stage.name}: no site can run it" for stage in missing),
            tuple(eased(model, stage) for stage in missing),
        )


def _looser_options(model: Model, stage: Stage) -> tuple[StageOption, ...]:
    """Return the options at the stage's own deadline and latency and at multiples of them."""
    found: dict[tuple[object, ...], StageOption] = {}
    timed = bool(stage.deadline_s or stage.latency_p99_s)
    for factor in (*LOOSER, *LOOSEST) if timed else LOOSER[:1]:
        if factor > LOOSER[-1] and found:
            break
        looser = _looser(stage, factor)
        for option in shortlist(model, stage, stage_options(model, looser)):
            period = stage.every_s
            if option.duration_s is not None and period is not None:
                option = replace(option, busy_fraction=min(option.duration_s / period, 1.0))
            key = (option.server, option.device_count, option.precision, option.compression, option.parallelism)
            found.setdefault(key, option)
    return tuple(found.values())


def _looser(stage: Stage, factor: float) -> Stage:
    deadline = None if stage.deadline_s is None else stage.deadline_s * factor
    every = stage.every_s
    if deadline is not None and every is not None:
        every = max(every, deadline)
    latency = None if stage.latency_p99_s is None else stage.latency_p99_s * factor
    return replace(stage, deadline_s=deadline, every_s=every, latency_p99_s=latency)


def _problem(model: Model, placements: tuple[Placement, ...], k: PlantConstants, corrections: Corrections) -> Problem:
    """Return the problem with every constraint a named row; costs only break ties."""
    placements = tuple(corrected(p, corrections.get((p.site, p.design))) for p in placements)
    dearest = max((p.cost_usd for p in placements), default=1.0) or 1.0
    openings = openings_of(model, k)
    rows = (*site_limits(model, placements, openings), *plan_limits(model, placements, openings),
            *_stage_rows(model, placements), *_rack_rows(placements))  # fmt: skip
    costs = tuple(TIE * p.cost_usd / dearest for p in placements)
    anchors = frozenset(i for i, p in enumerate(placements) if p.anchors)
    return Problem(
        tuple(stage.name for stage in model.stages), placements, costs, rows, anchors=anchors,
        positions=rack_positions(model, placements),
    )  # fmt: skip


def _needed_s(stage: Stage, p: Placement) -> float:
    """Return the shortest deadline under which the workload options offer ``p``."""
    duration_s = p.option.duration_s or 0.0
    return duration_s + p.option.deadline_room_s if stage.kind == "train" else duration_s / DEADLINE_SHARE


def _stage_rows(model: Model, placements: tuple[Placement, ...]) -> list[Limit]:
    everywhere: tuple[Site, ...] = (*model.on_premise, *model.clouds, *model.edges)
    sites = {site.name: site for site in everywhere}
    rows = []
    for stage in model.stages:
        mine = {i: p for i, p in enumerate(placements) if p.stage == stage.name}
        if stage.deadline_s is not None:
            need = {i: _needed_s(stage, p) for i, p in mine.items()}
            rows.append(Limit(f"deadline of {stage.name}", stage.deadline_s, "s", need))
        if stage.latency_p99_s is not None:
            need = {i: p.option.latency_p99_s or 0.0 for i, p in mine.items()}
            rows.append(Limit(f"latency of {stage.name}", stage.latency_p99_s, "s", need))
        bound = residency(model, stage)
        away = {i: 1.0 for i, p in mine.items() if not may_run(replace(stage, sites=()), sites[p.site], bound)}
        if away:
            where = ", ".join(sorted(bound))
            rows.append(Limit(f"residency of {stage.name}'s data in {where}", 0.5, "", away))
        if stage.sites:
            unnamed = {i: 1.0 for i, p in mine.items() if p.site not in stage.sites}
            if unnamed:
                rows.append(Limit(f"sites named for {stage.name}", 0.5, "", unnamed))
    return rows


def _rack_rows(placements: tuple[Placement, ...]) -> list[Limit]:
    """Return the limits of a rack position that some server breaks, a row for each stage under one name."""
    needs: dict[tuple[str, str], tuple[float, str, dict[int, float]]] = {}
    for i, p in enumerate(placements):
        for name, bound, need, unit in p.short:
            needs.setdefault((f"{name} of {p.site}", p.stage), (bound, unit, {}))[2][i] = need
    return [Limit(name, bound, unit, use) for (name, _), (bound, unit, use) in needs.items()]


def _smallest_clash(problem: Problem, names: list[str]) -> tuple[str, ...]:
    """Return the fewest rows of ``names`` that cannot hold together: one, two, or an irreducible set."""
    every = frozenset(_names(problem))

    def clash(kept: tuple[str, ...]) -> bool:
        return solve(problem, relaxed=every - frozenset(kept), gap=1.0) is None

    for size in (1, 2):
        for kept in combinations(names, size):
            if clash(kept):
                return kept
    kept = tuple(names)
    for name in names:
        trial = tuple(other for other in kept if other != name)
        if clash(trial):
            kept = trial
    return kept


def _clash(problem: Problem, name: str, need: float | None, before: int) -> Clash:
    """Return the row ``name`` as part of a clash, said so where it clashes even without those ``before`` it."""
    limit = limit_of(problem, name)
    soft = not limit.unit
    words = limit_words(problem, name) + (" (even without those above)" if before else "")
    return Clash(name, None if soft else limit.bound, None if soft else need, limit.unit, words)
