"""Ways out of limits that clash, the cheapest first: in money where a relaxation has a price, else by share.

More power, rack positions and water can be bought; a budget or a cap that is raised costs what the plan then costs,
which is counted with it. Lateness, another jurisdiction or denser racks have no price that we know: they are weighed
by multiples of the limit. Every way says all that is known of it: the share, its own price, and the plan's cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from twinloop.catalogue import constant
from twinloop.model.model import Model
from twinloop.planner.explain import span_words, usd_words
from twinloop.planner.limits import CAPEX_ROW, CARBON_ROW, COST_ROW, WATER_ROW
from twinloop.planner.money import Ledger, present_cost_usd
from twinloop.planner.selection import Choice, Limit, Problem, solve
from twinloop.planner.sharing import Positions
from twinloop.units import show

LEAST_USD = 1e-3
"""Price of exceeding a limit by its own size where that costs nothing: the least that is needed is still preferred."""


@dataclass(frozen=True)
class Way:
    """One relaxation and the choice that it allows."""

    problem: Problem
    choice: Choice
    needs: dict[str, float]
    """Limit that is exceeded -> what the choice takes of it."""
    share: float
    """Sum of the excesses, each over its limit; giving up a rule counts as one."""
    price_usd: float | None
    """What the relaxation itself costs, present value; ``None``: some part of it has no price."""
    cost_usd: float
    """What the plan then costs."""
    horizon: str

    @property
    def rank(self) -> tuple[bool, float]:
        """Priced ones first, by all that is then paid; the others by share."""
        return (self.price_usd is None, self.share if self.price_usd is None else self.price_usd + self.cost_usd)


def prices_usd(model: Model, problem: Problem) -> dict[str, float]:
    """Return the present price of one unit more of each limit that can be bought, by the limit's name."""
    grid, rack, water = (
        float(constant("economics", "default", name).value)
        for name in ("grid_connection_usd_per_w", "rack_position_usd", "extra_water_usd_per_m3")
    )
    yearly = present_cost_usd(Ledger((), {"a unit": 1.0}, {}, {}), model)
    prices = {CAPEX_ROW: 0.0, COST_ROW: 0.0, WATER_ROW: 0.0, CARBON_ROW: _carbon_usd_per_kg(model) * yearly}
    for site in model.on_premise:
        prices[f"utility power of {site.name}"] = grid
        prices[f"rack positions of {site.name}"] = rack
        prices[f"water of {site.name}"] = max(water - site.water.price_usd_per_m3, 0.0) * yearly
    for edge in model.edges:
        place = f"power of one place of {edge.name}"
        alone = {row.name for row in problem.limits if row.name.startswith(f"{place} for ")}
        prices |= {place: grid * edge.count, **dict.fromkeys(alone, grid)}
    return {row.name: prices[row.name] for row in problem.rows if row.name in prices}


def _carbon_usd_per_kg(model: Model) -> float:
    """Return the price of a kilogram above a cap; nothing where the plan's own cost has it already."""
    if model.objective.name == "cost" and model.objective.weights.get("carbon", 0.0) > 0.0:
        return 0.0
    return float(constant("economics", "default", "carbon_price_usd_per_kg").value)


def in_money(model: Model, problem: Problem) -> Choice | None:
    """Return the choice with the least sum of its own cost and of the price of the limits that it exceeds.

    Limits without a price hold; ``None``: then nothing does.
    """
    priced = prices_usd(model, problem)
    scales = {row.name: scale_of(row) for row in problem.rows}
    elastic = {name: max(usd * scales[name], LEAST_USD) for name, usd in priced.items()}
    return solve(replace(problem, costs=tuple(p.cost_usd for p in problem.placements)), elastic=elastic)


def scale_of(row: Limit | Positions) -> float:
    """Return the multiple of ``row`` in which the selection counts what exceeds it."""
    if isinstance(row, Positions):
        return max(row.bound, 1.0)
    return max(row.bound, 1e-6 * max(row.use.values(), default=0.0), 1e-9)


def by_share(model: Model, problem: Problem, smallest: Choice, core: Iterable[str]) -> list[Way]:
    """Return the relaxation of the smallest share, then what each limit of ``core`` alone would have to be."""
    alone = (solve(problem, elastic={name: 1.0}) for name in core)
    return [way_of(model, problem, choice) for choice in (smallest, *alone) if choice is not None]


def way_of(model: Model, problem: Problem, choice: Choice) -> Way:
    """Return ``choice`` with what it exceeds and what that costs."""
    needs, prices = exceeded_by(problem, choice), prices_usd(model, problem)
    over = {name: need - limit_of(problem, name).bound for name, need in needs.items()}
    share = math.fsum(
        more / scale_of(limit_of(problem, name)) if limit_of(problem, name).unit else 1.0 for name, more in over.items()
    )
    priced = all(name in prices for name in over)
    price = math.fsum(prices[name] * more for name, more in over.items()) if priced else None
    return Way(problem, choice, needs, share, price, cost_usd(problem, choice), span_words(model.horizon_s))


def ranked(ways: Iterable[Way]) -> list[Way]:
    """Return ``ways`` with the cheapest first: those that can be paid for by money, the others by share.

    Of those that exceed the same limits the first stays.
    """
    best: dict[frozenset[str], Way] = {}
    for way in sorted(ways, key=lambda way: way.rank):
        best.setdefault(frozenset(way.needs), way)
    return list(best.values())


def words_of(way: Way) -> str:
    """Return ``way`` in words, its share and its money."""
    moves = " and ".join(_move(way.problem, name, need) for name, need in way.needs.items())
    hard = [name for name in way.needs if limit_of(way.problem, name).unit]
    share = f"{way.share:.0%} beyond the limit{'s' if len(hard) > 1 else ''}; " if hard else ""
    price = "no price is known for that" if way.price_usd is None else f"{usd_words(way.price_usd)} for that"
    if way.price_usd == 0.0:
        price = "nothing is bought for that"
    return f"{moves} ({share}{price}, then about {usd_words(way.cost_usd)} over {way.horizon})"


def exceeded_by(problem: Problem, choice: Choice) -> dict[str, float]:
    """Return what the choice takes of each limit that it exceeds."""
    found: dict[str, float] = {}
    for row in problem.rows:
        taken = problem.taken(row, choice.picked)
        if taken > row.bound * (1.0 + 1e-6):
            found[row.name] = max(taken, found.get(row.name, 0.0))
    return found


def cost_usd(problem: Problem, choice: Choice) -> float:
    """Return the present cost of the chosen placements."""
    return math.fsum(problem.placements[i].cost_usd for i in choice.picked)


def limit_of(problem: Problem, name: str) -> Limit | Positions:
    """Return the row called ``name``."""
    return next(each for each in problem.rows if each.name == name)


def limit_words(problem: Problem, name: str) -> str:
    """Return the limit called ``name`` with its figure."""
    limit = limit_of(problem, name)
    return name if not limit.unit else f"{name}: {_shown(limit.bound, limit.unit)}"


def _move(problem: Problem, name: str, need: float) -> str:
    limit = limit_of(problem, name)
    if not limit.unit:
        return f"give up {name}"
    return f"raise {name} from {_shown(limit.bound, limit.unit)} to {_shown(need, limit.unit)}"


def _shown(value: float, unit: str) -> str:
    kinds = {"W": "power", "s": "duration", "kg": "mass"}
    if unit == "USD":
        return usd_words(value)
    return show(value, kinds[unit]) if unit in kinds else f"{value:,.4g} {unit}"
