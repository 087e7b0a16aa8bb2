"""Plan -> twin -> corrected coefficients -> plan, until the choice repeats."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.model.model import Model
from twinloop.planner.check import Checked, check
from twinloop.planner.links import data_links
from twinloop.planner.placements import Placement
from twinloop.planner.selection import Choice, Problem, site_limits, solve
from twinloop.twin.design import HybridDesign, PlantConstants

MOST_ROUNDS = 5


@dataclass(frozen=True)
class Optimised:
    """The best plan that the twin confirmed, with the proof's distance."""

    checked: Checked
    problem: Problem
    choice: Choice
    bound: float
    gap: float
    rounds: int


def problem_of(
    model: Model, placements: tuple[Placement, ...], corrections: dict[tuple[str, str | None], float]
) -> Problem:
    """Return the selection problem with each (site, design)'s coefficients times its correction."""
    costs = tuple(coefficient(model, p) * corrections.get((p.site, p.design), 1.0) for p in placements)
    return Problem(
        stages=tuple(stage.name for stage in model.stages), placements=placements, costs=costs,
        limits=site_limits(model, placements), links=data_links(model, placements),
    )  # fmt: skip


def coefficient(model: Model, p: Placement) -> float:
    """Return what choosing ``p`` adds to the objective."""
    if model.objective.name == "cost":
        return p.cost_usd
    years = model.horizon_s / (8760 * 3600.0)
    amounts = {
        "cost": p.cost_usd, "energy": p.facility_j * years, "carbon": p.carbon_kg * years, "water": p.water_m3 * years,
    }  # fmt: skip
    return sum(weight * amounts.get(name, 0.0) for name, weight in model.objective.weights.items())


def optimise(
    model: Model,
    placements: tuple[Placement, ...],
    designs: dict[tuple[str, str], HybridDesign],
    k: PlantConstants,
    seen: dict[tuple[int, ...], Checked] | None = None,
    rounds: int = MOST_ROUNDS,
    relaxed: frozenset[str] = frozenset(),
) -> Optimised | None:
    """Return the best twin-checked plan over ``placements``, or ``None`` when none is feasible.

    ``relaxed`` names limits that do not hold; ``seen`` are checks already made, by choice.
    """
    corrections: dict[tuple[str, str | None], float] = {}
    tried: dict[tuple[int, ...], Checked] = {} if seen is None else seen
    best: tuple[Checked, Choice] | None = None
    last: Choice | None = None
    problem = problem_of(model, placements, corrections)
    visited: set[tuple[int, ...]] = set()
    count = 0
    for _ in range(rounds):
        problem = problem_of(model, placements, corrections)
        last = solve(problem, relaxed)
        if last is None or last.picked in visited:
            break
        visited.add(last.picked)
        count += 1
        chosen = tuple(placements[i] for i in last.picked)
        checked = tried.get(last.picked) or check(model, chosen, designs, k)
        tried[last.picked] = checked
        if acceptable(model, checked) and (best is None or checked.objective < best[0].objective):
            best = (checked, last)
        corrections |= _corrections(checked)
    if best is None:
        return None
    bound = min(last.bound, best[0].objective) if last is not None else best[0].objective
    gap = (best[0].objective - bound) / max(abs(best[0].objective), 1e-9)
    return Optimised(best[0], problem, best[1], bound, gap, count)


def acceptable(model: Model, checked: Checked) -> bool:
    """Whether the twin's figures, too, respect utility power and water, and nothing throttles."""
    halls = {site.name: site for site in model.on_premise}
    for site in checked.sites:
        hall = halls.get(site.planned.name)
        if hall is None:
            continue
        totals = site.planned.totals
        water = hall.water.supply_m3_per_year
        if totals.peak_power_w > hall.utility_power_w or totals.throttled_hours > 0.0:
            return False
        if water is not None and totals.water_m3_per_year > water:
            return False
    return True


def _corrections(checked: Checked) -> dict[tuple[str, str | None], float]:
    """Return the twin's cost over the screened cost, by (site, design)."""
    found: dict[tuple[str, str | None], float] = {}
    for site in checked.sites:
        if site.year is None:
            continue
        mine = [p for p in checked.placements if p.site == site.planned.name]
        screened = sum(p.cost_usd for p in mine)
        found[site.planned.name, mine[0].design] = site.planned.totals.tco_usd / screened
    return found
