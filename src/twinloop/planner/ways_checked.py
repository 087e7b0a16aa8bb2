"""Ways out as a person would apply them: the limits raised, the scenario searched anew, the amounts put right.

A way that is chosen on screened figures can fail when it is applied: the twin finds a little more power than was
screened, or another mix of racks. So each is applied to the model, with amounts rounded up to what is printed, and
screened, chosen and checked again by the same search as any plan. What comes out is what the way costs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from twinloop.model.estimate import StageOption
from twinloop.model.model import Caps, Model
from twinloop.model.site import OnPremise
from twinloop.planner.check import Checked, check
from twinloop.planner.limits import CAPEX_ROW, CARBON_ROW, COST_ROW, WATER_ROW
from twinloop.planner.optimise import Optimised, Seen, optimise, throttled
from twinloop.planner.rates import Rates
from twinloop.planner.screen import Screened, place, screen
from twinloop.planner.standing_lines import standing_it_w
from twinloop.planner.ways_out import Way, limit_of, price_of, written
from twinloop.twin.design import HybridDesign, PlantConstants

GRAVITY_M_S2 = 9.80665
ROUNDS = (1.0, 1.02, 1.05)
"""Times the amounts of a way, in turn, until the search finds a plan within them."""
STEP = 0.015
"""Share of an amount within which it is the least that works."""
MOST_TRIED = 14
"""Searches for the least amount of one limit: halving from a thousandfold takes as many."""
WORTH_TELLING = 0.02
"""Share of the cost by which more than the least amount must be cheaper to be told."""
CAPS = {
    CAPEX_ROW: "capex_usd", COST_ROW: "cost_usd", CARBON_ROW: "carbon_kg_per_year", WATER_ROW: "water_m3_per_year",
}  # fmt: skip
"""Row of a cap on the whole plan -> its field."""


@dataclass(frozen=True)
class Applied:
    """A way out that a plan was found for, and the plan."""

    way: Way
    model: Model
    screened: Screened
    found: Optimised


def _silent(_: str) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Known:
    """What trying one amount after the other need not find twice: ratings, options and twin checks."""

    rates: dict[tuple[object, ...], Rates] = field(default_factory=dict)
    options: dict[tuple[object, ...], dict[str, tuple[StageOption, ...]]] = field(default_factory=dict)
    seen: dict[tuple[object, ...], Seen] = field(default_factory=dict)

    def screened(self, model: Model, k: PlantConstants, *, whole: bool) -> Screened:
        """Return what :func:`twinloop.planner.screen.screen` does."""
        stages = _stages(model)

        def remember(key: tuple[str, str, StageOption], find: Callable[[], Rates]) -> Rates:
            site, design, o = key
            mine = (stages, site, design, o.stage, o.server, o.device_count, o.precision, o.compression, o.parallelism)
            if mine not in self.rates:
                self.rates[mine] = find()
            return self.rates[mine]

        if (stages, whole) not in self.options:
            found = screen(model, k, _silent, remember, whole=whole)
            self.options[stages, whole] = found.options
            return found
        return place(model, self.options[stages, whole], k, _silent, remember=remember)

    def seen_of(self, model: Model) -> Seen:
        """Return the twin checks of models that differ in limits alone."""
        halls = tuple((hall.racks.power_w, hall.racks.height_u, hall.racks.weight_kg, standing_it_w(hall),
                       hall.utility_power_w if hall.plant else 0.0) for hall in model.on_premise)  # fmt: skip
        return self.seen.setdefault((_stages(model), halls), {})


def _stages(model: Model) -> tuple[object, ...]:
    """Return what of the stages' limits decides how they can run, and when."""
    return tuple((each.deadline_s, each.every_s, each.latency_p99_s, each.sites) for each in model.stages) + tuple(
        each.residency for each in model.datasets
    )


def applied(
    model: Model, way: Way, designs: dict[tuple[str, str], HybridDesign], k: PlantConstants,
    known: Known,
) -> Applied | None:  # fmt: skip
    """Return ``way`` with amounts under which the search finds a plan, and that plan; ``None``: it finds none."""
    checked = check(model, tuple(way.problem.placements[i] for i in way.choice.picked), designs, k)
    if throttled(model, checked):
        return None
    needs = _needs_by_twin(way, checked)
    for factor in ROUNDS:
        asked = {name: written(way.problem, name, need * factor) for name, need in needs.items()}
        found = _under(model, way, asked, k, known)
        if found is not None:
            return _least(model, found, k, known)
    return None


def _under(model: Model, way: Way, asked: dict[str, float], k: PlantConstants, known: Known) -> Applied | None:
    """Return the plan that the search finds with each limit of ``asked`` at its value; ``None``: it finds none."""
    looser = with_limits(model, asked)
    if looser is None:
        return None
    for whole in (False, True):
        screened = known.screened(looser, k, whole=whole)
        found = optimise(looser, screened.placements, screened.designs, k, known.seen_of(looser))
        if found is not None:
            told = replace(way, needs=asked, **price_of(model, way.problem, asked))
            return Applied(replace(told, cost_usd=found.checked.totals.tco_usd), looser, screened, found)
    return None


def _least(model: Model, done: Applied, k: PlantConstants, known: Known) -> Applied:
    """Return ``done`` with each amount the least that a plan is found with, the others as they are told.

    A limit that need not move at all is left out. Where more than the least is the cheaper plan, the way says so.
    """
    best = done
    for name in sorted(done.way.needs):
        without = {other: need for other, need in best.way.needs.items() if other != name}
        free = _under(model, done.way, without, k, known) if without else None
        best = _least_of(model, best, name, k, known) if free is None else free
    before, after = (each.way.known_usd + each.way.cost_usd for each in (done, best))
    if before < after * (1.0 - WORTH_TELLING):
        return replace(best, way=replace(best.way, cheaper=done.way))
    return best


def _least_of(
    model: Model, done: Applied, name: str, k: PlantConstants, known: Known
) -> Applied:  # fmt: skip
    """Return ``done`` with the least amount of the limit ``name``, within :data:`STEP` of it or one whole rack."""
    row = limit_of(done.way.problem, name)
    if not row.unit:
        return done
    best, low = done, row.bound
    for tried in range(MOST_TRIED):
        high = best.way.needs[name]
        if high - low <= (1.0 if row.unit == "racks" else STEP * high) + 1e-9:
            break
        # Amounts are mostly near the least already, so the first look is just below.
        trial = high * (1.0 - STEP) if not tried else 0.5 * (low + high)
        amount = math.floor(trial) if row.unit == "racks" else written(done.way.problem, name, trial)
        if not low < amount < high:
            break
        found = _under(model, done.way, {**best.way.needs, name: float(amount)}, k, known)
        best, low = (best, float(amount)) if found is None else (found, low)
    return best


def _needs_by_twin(way: Way, checked: Checked) -> dict[str, float]:
    """Return what ``way`` takes, where the twin finds more than was screened the twin's; limits it alone breaks too."""
    taken = {
        f"utility power of {site.planned.name}": site.planned.totals.peak_power_w for site in checked.sites
    } | {f"water of {site.planned.name}": site.planned.totals.water_m3_per_year for site in checked.sites}  # fmt: skip
    taken |= {
        CAPEX_ROW: checked.totals.capex_usd, COST_ROW: checked.totals.tco_usd,
        CARBON_ROW: sum(checked.totals.carbon_t_per_year.values()) * 1e3, WATER_ROW: checked.totals.water_m3_per_year,
    }  # fmt: skip
    bounds = {row.name: row.bound for row in way.problem.rows}
    broken = {name: value for name, value in taken.items() if name in bounds and value > bounds[name] * (1.0 + 1e-9)}
    return {name: max(broken.get(name, 0.0), way.needs.get(name, 0.0)) for name in dict.fromkeys([*way.needs, *broken])}


def with_limits(model: Model, needs: dict[str, float]) -> Model | None:
    """Return ``model`` with each limit of ``needs`` at its value; ``None`` where one of them is no limit to raise."""
    for name, need in needs.items():
        changed = _with_limit(model, name, need)
        if changed is None:
            return None
        model = changed
    return model


def _with_limit(model: Model, name: str, need: float) -> Model | None:
    if name in CAPS:
        fields: dict[str, Any] = {CAPS[name]: need}
        return replace(model, caps=replace(model.caps or Caps(), **fields))
    what, _, of = name.partition(" of ")
    if what in ("deadline", "latency") or name.startswith(("sites named for ", "residency of ")):
        return _with_stage(model, name, need)
    if name.startswith("power of one place of "):
        place = name.removeprefix("power of one place of ").partition(" for ")[0]
        edges = tuple(replace(each, power_w=need) if each.name == place else each for each in model.edges)
        return replace(model, edges=edges)
    if of not in {hall.name for hall in model.on_premise}:
        return None
    halls = [(_with_hall(hall, what, need) if hall.name == of else hall) for hall in model.on_premise]
    known = tuple(hall for hall in halls if hall is not None)
    return replace(model, on_premise=known) if len(known) == len(halls) else None


def _with_hall(hall: OnPremise, what: str, need: float) -> OnPremise | None:
    racks, floor = hall.racks, hall.floor
    changed = {
        "utility power": lambda: replace(hall, utility_power_w=need),
        "floor load": lambda: replace(hall, floor=replace(floor, load_pa=need * GRAVITY_M_S2 / floor.area_m2)),
        "water": lambda: replace(hall, water=replace(hall.water, supply_m3_per_year=need)),
        "rack positions": lambda: replace(hall, racks=replace(racks, positions=math.ceil(need - 1e-9))),
        "rack power": lambda: replace(hall, racks=replace(racks, power_w=need)),
        "rack height": lambda: replace(hall, racks=replace(racks, height_u=need)),
        "rack weight": lambda: replace(hall, racks=replace(racks, weight_kg=need)),
    }.get(what)
    return None if changed is None else changed()


def _with_stage(model: Model, name: str, need: float) -> Model:
    """Return ``model`` with a later deadline (and no run more often than that), more latency, or a rule given up."""
    kind, _, stage_name = name.partition(" for " if name.startswith("sites named for ") else " of ")
    stage_name = stage_name.partition("'s data in ")[0]
    stage = next(each for each in model.stages if each.name == stage_name)
    if kind == "deadline":
        every = None if stage.every_s is None else max(stage.every_s, need)
        changed = replace(stage, deadline_s=need, every_s=every)
    elif kind == "latency":
        changed = replace(stage, latency_p99_s=need)
    elif kind == "sites named":
        changed = replace(stage, sites=())
    else:
        return replace(model, datasets=tuple(replace(each, residency=()) for each in model.datasets))
    return replace(model, stages=tuple(changed if each.name == stage_name else each for each in model.stages))
