"""Plan -> twin -> corrected coefficients -> plan, until the choice repeats."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from twinloop.model.model import Model
from twinloop.model.plan import Totals
from twinloop.planner.check import Checked, check
from twinloop.planner.dew import sweats_as_planned
from twinloop.planner.growth import power_that_lasts_w, water_that_lasts_m3
from twinloop.planner.limits import (
    CAPEX_ROW,
    CARBON_ROW,
    COST_ROW,
    WATER_ROW,
    common_usd,
    plan_limits,
    rack_positions,
    site_limits,
)
from twinloop.planner.links import cost_weight, data_links, fetching_usd, lines_usd
from twinloop.planner.openings import Opening, opening_of, openings_of
from twinloop.planner.placements import YEAR_S, Placement
from twinloop.planner.selection import Choice, Problem, objective_of, solve
from twinloop.planner.stored import stored_opening, stored_opening_of_all
from twinloop.planner.totals import MWH_J
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


@dataclass(frozen=True)
class Factors:
    """The twin's figures over the screened ones, of one (site, design)."""

    cost: float = 1.0
    energy: float = 1.0
    peak: float = 1.0
    water: float = 1.0
    carbon: float = 1.0
    capex: float = 1.0


Corrections = dict[tuple[str, str | None], Factors]
Seen = dict[tuple[str, ...], Checked]
"""Twin checks already made, by the keys of the placements."""


def problem_of(model: Model, placements: tuple[Placement, ...], corrections: Corrections, k: PlantConstants) -> Problem:
    """Return the selection problem, each (site, design)'s coefficients times what the twin found."""
    mended = tuple(corrected(p, corrections.get((p.site, p.design))) for p in placements)
    openings, weight = openings_of(model, k), cost_weight(model)
    return Problem(
        stages=tuple(stage.name for stage in model.stages), placements=placements,
        costs=tuple(coefficient(model, p) + weight * (fetching_usd(model, p) + lines_usd(model, p)) for p in mended),
        limits=(*site_limits(model, mended, openings), *plan_limits(model, mended, openings)),
        links=data_links(model, placements), anchors=frozenset(i for i, p in enumerate(placements) if p.anchors),
        positions=rack_positions(model, placements),
        openings={site: _opening_objective(model, opening) for site, opening in openings.items()},
    )  # fmt: skip


def _opening_objective(model: Model, opening: Opening) -> float:
    """Return what a hall's lights, or storage, add to the objective."""
    return weighed(model, opening.cost_usd, opening.energy_j, opening.carbon_kg, 0.0, 0.0)


def corrected(p: Placement, by: Factors | None) -> Placement:
    """Return ``p`` with its screened figures times ``by``; ``None``: as they are."""
    if by is None:
        return p
    return replace(
        p, cost_usd=p.cost_usd * by.cost, facility_j=p.facility_j * by.energy,
        facility_peak_w=p.facility_peak_w * by.peak, water_m3=p.water_m3 * by.water,
        carbon_kg=p.carbon_kg * by.carbon, capex_usd=p.capex_usd * by.capex,
    )  # fmt: skip


def coefficient(model: Model, p: Placement) -> float:
    """Return what choosing ``p`` adds to the objective."""
    time_s = p.option.duration_s or p.option.latency_p99_s or 0.0
    return weighed(model, p.cost_usd, p.facility_j, p.carbon_kg, p.water_m3, time_s)


def weighed(model: Model, cost_usd: float, energy_j: float, carbon_kg: float, water_m3: float, time_s: float) -> float:
    """Return the objective of a present cost, of yearly amounts and of a time."""
    if model.objective.name == "cost":
        return cost_usd
    years = model.horizon_s / YEAR_S
    amounts = {
        "cost": cost_usd, "energy": energy_j * years, "carbon": carbon_kg * years, "water": water_m3 * years,
        "time": time_s,
    }  # fmt: skip
    return sum(weight * amounts[name] for name, weight in model.objective.weights.items())


def optimise(
    model: Model,
    placements: tuple[Placement, ...],
    designs: dict[tuple[str, str], HybridDesign],
    k: PlantConstants,
    seen: Seen | None = None,
    rounds: int = MOST_ROUNDS,
    relaxed: frozenset[str] = frozenset(),
) -> Optimised | None:
    """Return the best twin-checked plan over ``placements``, or ``None`` when none is feasible.

    ``relaxed`` names limits that do not hold; ``seen`` collects checks
    already made, so that searches over the same placements share them.
    """
    corrections: Corrections = {}
    tried: Seen = {} if seen is None else seen
    best: tuple[Checked, Choice] | None = None
    last: Choice | None = None
    problem = problem_of(model, placements, corrections, k)
    visited: set[tuple[int, ...]] = set()
    refused: list[tuple[int, ...]] = []
    for _ in range(rounds):
        problem = problem_of(model, placements, corrections, k)
        last = solve(problem, relaxed, tuple(refused))
        if last is None or last.picked in visited:
            break
        visited.add(last.picked)
        chosen = tuple(placements[i] for i in last.picked)
        key = tuple(p.key for p in chosen)
        checked = tried.get(key) or check(model, chosen, designs, k)
        tried[key] = checked
        if not acceptable(model, checked, relaxed):
            refused.append(last.picked)
        elif best is None or checked.objective < best[0].objective:
            best = (checked, last)
        corrections |= corrections_of(model, replace(checked, placements=chosen), k)
    if best is None:
        return None
    bound = min(last.bound + fixed(model), best[0].objective) if last is not None else best[0].objective
    gap = (best[0].objective - bound) / max(abs(best[0].objective), 1e-9)
    return Optimised(best[0], problem, best[1], bound, gap, len(visited))


def fixed(model: Model) -> float:
    """Return what every plan adds to the objective alike, whatever is chosen: staff, and storage with its power."""
    return cost_weight(model) * common_usd(model) + _opening_objective(model, stored_opening_of_all(model))


def among(found: Optimised, free: Optimised) -> Optimised:
    """Return ``found``, of a search over some placements, as a choice among those of the search over all.

    Reasons and limits are then told against everything that could have been chosen.
    """
    return found if found.problem is free.problem else adopted(found.checked, free, found.rounds)


def adopted(checked: Checked, free: Optimised, rounds: int) -> Optimised:
    """Return the twin-checked plan ``checked`` as a choice among all placements of ``free``'s problem."""
    index = {p.key: i for i, p in enumerate(free.problem.placements)}
    picked = tuple(index[p.key] for p in checked.placements)
    value = objective_of(free.problem, picked)
    bound = min(free.bound, checked.objective)
    gap = (checked.objective - bound) / max(abs(checked.objective), 1e-9)
    return Optimised(checked, free.problem, Choice(picked, value, free.choice.bound), bound, gap, rounds)


def acceptable(model: Model, checked: Checked, relaxed: frozenset[str] = frozenset()) -> bool:
    """Whether the twin's figures, too, respect power, water, caps and the margins asked for, and nothing throttles."""
    within = not throttled(model, checked) and not exceeded_rows(model, checked) - relaxed
    if model.caps.dry_doors and wet_doors(model, checked):
        return False
    return within and least_margin_k(checked) >= model.caps.junction_margin_k


def wet_doors(model: Model, checked: Checked) -> list[str]:
    """Return the halls whose rear doors may sweat."""
    halls = {site.name: site for site in model.on_premise}
    planned = (site.planned for site in checked.sites)
    return [each.name for each in planned if each.name in halls and sweats_as_planned(each, halls[each.name])]


def least_margin_k(checked: Checked) -> float:
    """Return what chips in the plan's halls keep below their limit on the design day; infinite without a hall."""
    days = (site.planned.design_day for site in checked.sites)
    return min((day.margin_k for day in days if day is not None and day.margin_k is not None), default=math.inf)


def rating(
    model: Model, designs: dict[tuple[str, str], HybridDesign], k: PlantConstants
) -> Callable[[tuple[Placement, ...]], Checked | None]:
    """Return what gives placements the twin's figures, ``None`` where the twin refuses them."""

    def rate(placements: tuple[Placement, ...]) -> Checked | None:
        checked = check(model, placements, designs, k)
        return checked if acceptable(model, checked) else None

    return rate


def throttled(model: Model, checked: Checked) -> dict[str, float]:
    """Return the halls whose chips lose clock, with the device-hours a year that do."""
    halls = {site.name for site in model.on_premise}
    hours = {site.planned.name: site.planned.totals.throttled_hours for site in checked.sites}
    return {name: value for name, value in hours.items() if name in halls and value}


def exceeded_rows(model: Model, checked: Checked) -> frozenset[str]:
    """Return the limits of power, water and the whole plan that the twin's figures exceed."""
    return frozenset(each.row for each in held_rows(model, checked) if each.exceeded)


@dataclass(frozen=True)
class Held:
    """A limit and the twin's figure beside it."""

    row: str
    """Its name in the selection."""
    place: str
    """The hall; empty: the whole plan."""
    value: float
    bound: float | None
    """In the unit of ``value``: W, m3, USD or kg; ``None``: no limit."""

    @property
    def exceeded(self) -> bool:
        """Whether the figure lies above the limit."""
        return self.bound is not None and self.value > self.bound * (1.0 + 1e-9)


def held_rows(model: Model, checked: Checked) -> Iterator[Held]:
    """Yield the limits of the whole plan, then power and water of every hall in use, with the twin's figures."""
    for name, value, bound in _plan_rows(model, checked.totals):
        yield Held(name, "", value, bound)
    halls = {site.name: site for site in model.on_premise}
    for site in checked.sites:
        hall = halls.get(site.planned.name)
        if hall is None:
            continue
        totals, lasting_w = site.planned.totals, power_that_lasts_w(model, hall)
        yield Held(f"utility power of {hall.name}", hall.name, totals.peak_power_w, lasting_w)
        yield Held(f"water of {hall.name}", hall.name, totals.water_m3_per_year, water_that_lasts_m3(model, hall))


def _plan_rows(model: Model, totals: Totals) -> Iterator[tuple[str, float, float | None]]:
    caps = model.caps
    yield CAPEX_ROW, totals.capex_usd, caps.capex_usd
    yield COST_ROW, totals.tco_usd, caps.cost_usd
    yield CARBON_ROW, _carbon_kg(totals), caps.carbon_kg_per_year
    yield WATER_ROW, totals.water_m3_per_year, caps.water_m3_per_year


def corrections_of(model: Model, checked: Checked, k: PlantConstants) -> Corrections:
    """Return the twin's figures, lights and storage apart, over the screened ones, by (site, design)."""
    found: Corrections = {}
    halls = {site.name: site for site in model.on_premise}
    for site in checked.sites:
        if site.year is None:
            continue
        mine = [p for p in checked.placements if p.site == site.planned.name]
        totals, hall = site.planned.totals, halls[site.planned.name]
        lights, stored = opening_of(model, hall, k), stored_opening(model, hall)

        def over(value: float, name: str, mine: list[Placement] = mine) -> float:
            screened = sum(getattr(p, name) for p in mine)
            return max(value, 0.0) / screened if screened > 0.0 else 1.0

        found[site.planned.name, mine[0].design] = Factors(
            cost=over(totals.tco_usd - lights.cost_usd - stored.cost_usd, "cost_usd"),
            energy=over(totals.facility_energy_mwh_per_year * MWH_J - lights.energy_j - stored.energy_j, "facility_j"),
            peak=over(totals.peak_power_w - lights.power_w - stored.power_w, "facility_peak_w"),
            water=over(totals.water_m3_per_year, "water_m3"),
            carbon=over(_carbon_kg(totals) - lights.carbon_kg - stored.carbon_kg, "carbon_kg"),
            capex=over(totals.capex_usd, "capex_usd"),
        )  # fmt: skip
    return found


def _carbon_kg(totals: Totals) -> float:
    return sum(totals.carbon_t_per_year.values()) * 1e3
