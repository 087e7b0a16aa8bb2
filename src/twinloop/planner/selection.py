"""The exact choice: which option of each stage, at which site, under which cooling design."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import highspy
import numpy as np

from twinloop.planner.branching import Tree, search
from twinloop.planner.placements import Placement
from twinloop.planner.programme import Programme
from twinloop.planner.rack_rows import RackRow
from twinloop.planner.sharing import Positions, whole_racks

MOST_CUTS = 40
"""Rounds of racks that the rows underrate, before each stage's racks count as its own."""


@dataclass(frozen=True)
class Limit:
    """One named row: what chosen placements (``use``) and the halls they use (``halls``) take is at most ``bound``."""

    name: str
    bound: float
    unit: str
    use: dict[int, float] = field(repr=False)
    """Placement index -> what it takes."""
    halls: dict[str, float] = field(default_factory=dict)
    """Site -> what a hall takes as soon as anything runs in it."""
    pairs: dict[tuple[int, int], float] = field(default_factory=dict)
    """Two placements -> what they take together beyond what each takes."""
    fixed: float = 0.0
    """What every plan takes, whatever is chosen."""


@dataclass(frozen=True)
class Link:
    """Data moved between two placements: an objective cost when both are chosen."""

    first: int
    second: int
    cost: float


@dataclass(frozen=True)
class Problem:
    """The selection problem in numbers."""

    stages: tuple[str, ...]
    placements: tuple[Placement, ...]
    costs: tuple[float, ...]
    """Objective coefficient of each placement."""
    limits: tuple[Limit, ...]
    links: tuple[Link, ...] = ()
    anchors: frozenset[int] | None = None
    """Placements that really use their design's plates or baths: a design is built for at least one of them.
    ``None``: all do."""
    positions: tuple[Positions, ...] = ()
    """Racks of each hall."""
    openings: dict[str, float] = field(default_factory=dict)
    """Site -> objective of a hall as soon as anything runs in it, whatever it is."""

    @property
    def rows(self) -> tuple[Limit | Positions, ...]:
        """Every named row."""
        return (*self.limits, *self.positions)

    def taken(self, row: Limit | Positions, picked: Iterable[int]) -> float:
        """Return what ``picked`` take of ``row``, by plain addition and by filling racks."""
        chosen = tuple(picked)
        if isinstance(row, Positions):
            return row.taken(chosen)
        halls = sum(row.halls.get(site, 0.0) for site in self.used(chosen))
        pairs = sum(amount for pair, amount in row.pairs.items() if set(pair) <= set(chosen))
        return row.fixed + sum(row.use.get(i, 0.0) for i in chosen) + halls + pairs

    def used(self, picked: Iterable[int]) -> set[str]:
        """Return the halls that ``picked`` run in."""
        return {self.placements[i].site for i in picked if self.placements[i].design is not None}


@dataclass(frozen=True)
class Choice:
    """Placement indices, one a stage, in the order of the stages."""

    picked: tuple[int, ...]
    objective: float
    bound: float


def solve(
    problem: Problem,
    relaxed: frozenset[str] = frozenset(),
    banned: tuple[tuple[int, ...], ...] = (),
    elastic: dict[str, float] | None = None,
    gap: float = 1e-9,
) -> Choice | None:
    """Return the cheapest choice, or ``None`` when none satisfies the limits.

    Args:
        problem: placements, costs, limits, links.
        relaxed: names of limits to leave out.
        banned: choices already seen, excluded by a no-good row each.
        elastic: names of limits that may be exceeded, at this price per multiple of the limit.
        gap: relative distance to the bound at which the search may stop.
    """
    posed = _posed(problem, relaxed, banned, elastic or {}, gap)
    if posed is None:
        return None
    solver, racks, bound = posed.solver, posed.racks, -np.inf
    for attempt in range(MOST_CUTS + 2):
        found = search(solver, posed.tree, gap)
        if found is None:
            return None
        values, objective, proven = found
        # Own racks for every stage are a restriction: the bound is that of the rows before it.
        bound = proven if attempt <= MOST_CUTS else bound
        chosen = {problem.placements[i].stage: int(i) for i in np.flatnonzero(values[: len(problem.placements)] > 0.5)}
        picked = tuple(chosen[stage] for stage in problem.stages)
        cuts = [row.cut(solver, picked, values) for row in racks]
        if not any(cuts):
            return Choice(picked, objective, bound)
        if attempt == MOST_CUTS:
            for row in racks:
                row.part(solver)
    return None


def shadow_prices(problem: Problem) -> dict[str, float] | None:
    """Return limit name -> how far the objective falls for one unit more of it, in the LP relaxation.

    Duals of the relaxed problem, in which placements may be chosen in part: the slope of its optimum at the
    limit. The integer choice follows in steps, so one unit alone may change nothing. 0: the limit does not bind
    there. ``None`` where the relaxation has no optimum.
    """
    posed = _posed(problem, frozenset(), (), {}, 0.0)
    if posed is None:
        return None
    solver = posed.solver
    solver.setOptionValue("solve_relaxation", True)
    solver.minimize()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    duals = solver.getSolution().row_dual
    # A limit that nothing takes part of has no row, and no worth.
    found = {name: max(-float(duals[index]) / scale, 0.0) for name, (index, scale) in posed.rows.items()}
    return {row.name: found.get(row.name, 0.0) for row in problem.rows}


@dataclass(frozen=True)
class _Posed:
    solver: highspy.Highs
    rows: dict[str, tuple[int, float]]
    """Name of a limit -> its row and the scale of it."""
    racks: list[RackRow]
    tree: Tree


def _posed(
    problem: Problem,
    relaxed: frozenset[str],
    banned: tuple[tuple[int, ...], ...],
    elastic: dict[str, float],
    gap: float,
) -> _Posed | None:
    """Return the solver with the problem in it; ``None``: a stage has no placement."""
    programme = Programme()
    # A banned choice may leave a dominated column as the next best, so nothing is dropped then.
    useless = frozenset() if banned else dominated(problem)
    for i, (placement, cost) in enumerate(zip(problem.placements, problem.costs, strict=True)):
        programme.column(placement.key, cost, 0.0 if i in useless else 1.0, whole=True)
    for stage in problem.stages:
        mine = [i for i, p in enumerate(problem.placements) if p.stage == stage]
        if not mine:
            return None
        programme.exactly(f"one place for {stage}", dict.fromkeys(mine, 1.0), 1.0)
    halls = _one_design_a_site(programme, problem)
    slack = {name: programme.column(f"more {name}", price) for name, price in elastic.items()}
    both = _pairs(programme, problem)
    rows: dict[str, tuple[int, float]] = {}
    for limit in problem.limits:
        if limit.name not in relaxed:
            rows |= _limit_row(programme, limit, halls, both, slack.get(limit.name))
    for number, choice in enumerate(banned):
        programme.at_most(f"not choice {number}", dict.fromkeys(choice, 1.0), len(choice) - 1.0)
    stages = [p.stage for p in problem.placements]
    racks = [
        RackRow(programme, stages, positions, slack.get(positions.name))
        for positions in problem.positions
        if positions.name not in relaxed and _may_bind(problem, positions)
    ]
    rows |= {row.positions.name: (row.index, 1.0) for row in racks}
    return _Posed(_ready(programme, gap), rows, racks, _tree(problem, programme, halls))


def _ready(programme: Programme, gap: float) -> highspy.Highs:
    solver = programme.solver()
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 7)
    solver.setOptionValue("mip_rel_gap", gap)
    # These programmes end at the root; starting over after it costs three times what it saves.
    solver.setOptionValue("mip_allow_restart", False)
    solver.setOptionValue("mip_feasibility_tolerance", 1e-9)
    solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
    return solver


def _tree(problem: Problem, programme: Programme, halls: dict[str, dict[str, int]]) -> Tree:
    """Return what is branched on: in each hall with a choice of designs, which of them is built."""
    chosen = {site: ys for site, ys in halls.items() if len(ys) > 1}
    numbers = {
        (site, design): (hall, number)
        for hall, (site, ys) in enumerate(chosen.items())
        for number, design in enumerate(ys)
    }
    at = [numbers.get((p.site, p.design or ""), (-1, 0)) for p in problem.placements]
    stages = {stage: i for i, stage in enumerate(problem.stages)}
    count = len(problem.placements)
    return Tree(
        tuple(tuple(ys.values()) for ys in chosen.values()), np.array([stages[p.stage] for p in problem.placements]),
        np.array([hall for hall, _ in at]), np.array([number for _, number in at]),
        np.where(np.array(programme.highs[:count]) > 0.0, programme.costs[:count], np.inf),
        np.array(programme.costs), np.array(programme.whole),
    )  # fmt: skip


def _pairs(programme: Programme, problem: Problem) -> dict[tuple[int, int], int]:
    """Add, for each two placements that cost or take something together, whether both are chosen."""
    costs = dict.fromkeys((pair for limit in problem.limits for pair in limit.pairs), 0.0)
    for link in problem.links:
        costs[link.first, link.second] = costs.get((link.first, link.second), 0.0) + link.cost
    both = {}
    for (first, second), cost in costs.items():
        name = f"{problem.placements[first].key} with {problem.placements[second].key}"
        both[first, second] = programme.column(name, cost, 1.0)
        programme.at_most(f"both: {name}", {first: 1.0, second: 1.0, both[first, second]: -1.0}, 1.0)
    return both


def _limit_row(
    programme: Programme, limit: Limit, halls: dict[str, dict[str, int]], both: dict[tuple[int, int], int],
    slack: int | None,
) -> dict[str, tuple[int, float]]:  # fmt: skip
    """Add the row of ``limit``; return its name -> (row, scale), nothing where nothing takes part of it."""
    scale = max(limit.bound, 1e-6 * max(limit.use.values(), default=0.0), 1e-9)
    # The solver refuses coefficients below 1e-9; what takes less of a limit cannot decide it.
    used = [(i, amount) for i, amount in limit.use.items() if amount > 1e-9 * scale]
    used += [
        (y, amount) for site, amount in limit.halls.items() if amount > 1e-9 * scale
        for y in halls.get(site, {}).values()
    ]  # fmt: skip
    used += [(both[pair], amount) for pair, amount in limit.pairs.items() if amount > 1e-9 * scale]
    if not used:
        return {}
    terms = {column: amount / scale for column, amount in used}
    terms |= {} if slack is None else {slack: -1.0}
    return {limit.name: (programme.at_most(limit.name, terms, (limit.bound - limit.fixed) / scale), scale)}


def _may_bind(problem: Problem, positions: Positions) -> bool:
    """Whether the largest loads of all stages, none sharing racks, fill more positions than there are."""
    largest: dict[str, int] = {}
    beside: dict[str, float] = {}
    for i, load in positions.loads.items():
        stage = problem.placements[i].stage
        largest[stage] = max(load.racks, largest.get(stage, 0))
        beside[stage] = max(positions.beside.get(i, 0.0), beside.get(stage, 0.0))
    return sum(largest.values()) + whole_racks(positions.fixed + sum(beside.values())) > positions.bound


def dominated(problem: Problem) -> frozenset[int]:
    """Return placements that another of the same stage, site and design beats or equals in cost and every limit.

    Placements with links to others stay: their cost depends on those. Of equals the first stays.
    """
    linked = {i for link in problem.links for i in (link.first, link.second)}
    linked |= {i for limit in problem.limits for pair in limit.pairs for i in pair}
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, p in enumerate(problem.placements):
        anchor = problem.anchors is None or i in problem.anchors
        kinds = tuple(positions.loads[i].kind for positions in problem.positions if i in positions.loads)
        if i not in linked:
            groups.setdefault((p.stage, p.site, p.design, anchor, kinds), []).append(i)
    dropped: set[int] = set()
    for members in groups.values():
        figures = np.array([_figures(problem, i) for i in members])
        order = np.lexsort((np.arange(len(members)), *figures.T[::-1]))
        kept = np.empty((0, figures.shape[1]))
        for position in order:
            if kept.size and bool(np.any(np.all(kept <= figures[position], axis=1))):
                dropped.add(members[position])
            else:
                kept = np.vstack([kept, figures[position]])
    return frozenset(dropped)


def _figures(problem: Problem, i: int) -> list[float]:
    """Return cost, what ``i`` takes of every limit, and how its servers fill racks."""
    loads = [positions.loads[i] for positions in problem.positions if i in positions.loads]
    packing = [each for load in loads for each in (load.servers, *load.share)]
    beside = [positions.beside.get(i, 0.0) for positions in problem.positions]
    return [problem.costs[i], *(limit.use.get(i, 0.0) for limit in problem.limits), *packing, *beside]


def _one_design_a_site(programme: Programme, problem: Problem) -> dict[str, dict[str, int]]:
    """Add the choice of each hall's design; return, by site and design, the column that says it is built."""
    designs: dict[tuple[str, str], list[int]] = {}
    for i, placement in enumerate(problem.placements):
        if placement.design is not None:
            designs.setdefault((placement.site, placement.design), []).append(i)
    built: dict[str, dict[str, int]] = {}
    for (site, design), members in designs.items():
        name, opening = f"{design} at {site}", problem.openings.get(site, 0.0)
        y = built.setdefault(site, {})[design] = programme.column(name, opening, 1.0, whole=True)
        by_stage: dict[str, list[int]] = {}
        for i in members:
            by_stage.setdefault(problem.placements[i].stage, []).append(i)
        for stage, mine in sorted(by_stage.items()):
            programme.at_most(f"{stage} only under {name}", {**dict.fromkeys(mine, 1.0), y: -1.0}, 0.0)
        if problem.anchors is not None:
            anchors = dict.fromkeys((i for i in members if i in problem.anchors), -1.0)
            programme.at_most(f"{name} only for an anchor", {y: 1.0, **anchors}, 0.0)
    for site, ys in built.items():
        programme.at_most(f"one design at {site}", dict.fromkeys(ys.values(), 1.0), 1.0)
    return built


def objective_of(problem: Problem, picked: tuple[int, ...]) -> float:
    """Return the objective of ``picked`` by plain addition."""
    chosen = set(picked)
    links = sum(link.cost for link in problem.links if {link.first, link.second} <= chosen)
    halls = sum(problem.openings.get(site, 0.0) for site in problem.used(picked))
    return sum(problem.costs[i] for i in picked) + links + halls


def feasible(problem: Problem, picked: tuple[int, ...]) -> bool:
    """Whether ``picked`` satisfies every row, by plain addition."""
    designs: dict[str, set[str | None]] = {}
    for i in picked:
        placement = problem.placements[i]
        designs.setdefault(placement.site, set()).add(placement.design)
    if problem.anchors is not None:
        built = {(problem.placements[i].site, problem.placements[i].design) for i in picked} - {
            (problem.placements[i].site, problem.placements[i].design) for i in picked if i in problem.anchors
        }
        if any(design is not None for _, design in built):
            return False
    within = all(problem.taken(row, picked) <= row.bound * (1.0 + 1e-9) for row in problem.rows)
    return within and all(len(each) == 1 for each in designs.values())
