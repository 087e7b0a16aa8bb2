"""Ways out of limits that clash, the cheapest first: in money where a relaxation has a price, else by share.

More power, rack positions and water can be bought; a budget or a cap that is raised costs what the plan then costs,
which is counted with it. Lateness, another jurisdiction or denser racks have no price that we know: they are weighed
by multiples of the limit. Every way says all that is known of it: the share, its own price, and the plan's cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypedDict

from twinloop.catalogue import constant
from twinloop.model.model import Model
from twinloop.planner.commons import shared_ledger
from twinloop.planner.explain import span_words, usd_words
from twinloop.planner.limits import CAPEX_ROW, CARBON_ROW, COST_ROW, WATER_ROW
from twinloop.planner.money import Ledger, present_cost_usd
from twinloop.planner.selection import Choice, Limit, Problem, solve
from twinloop.planner.sharing import Positions
from twinloop.units import parse, show

LEAST_USD = 1e-3
"""Price of exceeding a limit by its own size where that costs nothing: the least that is needed is still preferred."""

SMALL_MOVE = 0.25
"""A limit without a price, such as a latency, that moves by no more than this share is weighed by money alone: one
who asks for 25 s may live with 27 s, hardly with 50 s. A choice of this planner, not of the field."""
MOST_SHARE = 100.0
"""Multiples of the limits from which a share says nothing: of a limit of nothing, all is infinitely more."""
DIGITS = 3
"""Digits to which amounts are rounded up."""


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

    known_usd: float = 0.0
    """What those parts of the relaxation cost that have a price."""
    unpriced: float = 0.0
    """Sum of the excesses that have no price, each over its limit."""
    cheaper: Way | None = None
    """These limits moved farther than they must be, others perhaps too, where that is the cheaper plan."""

    @property
    def rank(self) -> tuple[bool, float]:
        """By all that is then paid; those that move far what has no price come last, by share."""
        far = self.unpriced > SMALL_MOVE
        return (far, self.share if far else self.known_usd + self.cost_usd)


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


def in_money(model: Model, problem: Problem, move: float = 0.0) -> Choice | None:
    """Return the choice with the least sum of its own cost and of the price of the limits that it exceeds.

    Limits without a price hold, to ``move`` of them; ``None``: then nothing does.
    """
    priced = prices_usd(model, problem)
    scales = {row.name: scale_of(row) for row in problem.rows}
    elastic = {name: max(usd * scales[name], LEAST_USD) for name, usd in priced.items()}
    moved = tuple(
        replace(row, bound=row.bound * (1.0 + move)) if row.unit and row.name not in priced else row
        for row in problem.limits
    )
    return solve(replace(problem, costs=tuple(p.cost_usd for p in problem.placements), limits=moved), elastic=elastic)


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
    needs = exceeded_by(problem, choice)
    money = price_of(model, problem, needs)
    return Way(
        problem, choice, needs, cost_usd=cost_usd(model, problem, choice), horizon=span_words(model.horizon_s), **money
    )


class Money(TypedDict):
    """What relaxations take: their share, and their price as a :class:`Way` has it."""

    share: float
    price_usd: float | None
    known_usd: float
    unpriced: float


def price_of(model: Model, problem: Problem, needs: dict[str, float]) -> Money:
    """Return what it takes to raise each limit to its value in ``needs``."""
    prices = prices_usd(model, problem)
    over = {name: need - limit_of(problem, name).bound for name, need in needs.items()}
    shares = {
        name: more / scale_of(limit_of(problem, name)) if limit_of(problem, name).unit else 1.0
        for name, more in over.items()
    }
    known = math.fsum(prices[name] * more for name, more in over.items() if name in prices)
    unpriced = math.fsum(share for name, share in shares.items() if name not in prices)
    price = known if all(name in prices for name in over) else None
    return Money(share=math.fsum(shares.values()), price_usd=price, known_usd=known, unpriced=unpriced)


def ranked(ways: Iterable[Way]) -> list[Way]:
    """Return ``ways`` with the cheapest first, by money; those that move far what has no price last, by share.

    Of those that exceed the same limits the first stays.
    """
    best: dict[frozenset[str], Way] = {}
    for way in sorted(ways, key=lambda way: way.rank):
        best.setdefault(frozenset(way.needs), way)
    return list(best.values())


def words_of(way: Way) -> str:
    """Return ``way`` in words, its money and, of a single limit, its share: shares of several mean nothing added up."""
    moves = " and ".join(_move(way.problem, name, need) for name, need in way.needs.items())
    hard = [name for name in way.needs if limit_of(way.problem, name).unit]
    told = len(hard) == 1 and way.share < MOST_SHARE
    share = f"{way.share:.0%} beyond the limit; " if told else ""
    price = "no price is known for that" if way.price_usd is None else f"{usd_words(way.price_usd)} for that"
    if way.price_usd is None and way.known_usd:
        price = f"{usd_words(way.known_usd)} for what has a price"
    if way.price_usd == 0.0:
        price = "nothing is bought for that"
    words = f"{moves} ({share}{price}, then about {usd_words(way.cost_usd)} over {way.horizon})"
    return words if way.cheaper is None else f"{words}; {_cheaper(way.cheaper)}"


def _cheaper(way: Way) -> str:
    moves = {
        name: f" at {_shown(need, unit)}" if (unit := limit_of(way.problem, name).unit) else " given up"
        for name, need in way.needs.items()
    }
    words = " and ".join(f"{name}{amount}" for name, amount in moves.items())
    if len(moves) == 1:
        words = next(iter(moves.values())).removeprefix(" at ")
    return f"with {words} about {usd_words(way.cost_usd)}"


def exceeded_by(problem: Problem, choice: Choice) -> dict[str, float]:
    """Return what the choice takes of each limit that it exceeds."""
    found: dict[str, float] = {}
    for row in problem.rows:
        taken = problem.taken(row, choice.picked)
        if taken > row.bound * (1.0 + 1e-6):
            found[row.name] = max(taken, found.get(row.name, 0.0))
    return found


def cost_usd(model: Model, problem: Problem, choice: Choice) -> float:
    """Return the present cost of the chosen placements, and of what no single site pays."""
    chosen = tuple(problem.placements[i] for i in choice.picked)
    return math.fsum(p.cost_usd for p in chosen) + present_cost_usd(shared_ledger(model, chosen), model)


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


KINDS = {"W": "power", "s": "duration", "kg": "mass"}
"""Unit of a limit -> the quantity that a scenario writes."""


def _shown(value: float, unit: str) -> str:
    if unit in KINDS:
        return show(value, KINDS[unit])
    return usd_words(value) if unit == "USD" else f"{value:,.4g} {unit}"


def written(problem: Problem, name: str, need: float) -> float:
    """Return ``need`` of the limit ``name`` as it is printed, rounded up: who types that has no less."""
    limit = limit_of(problem, name)
    return rounded_up(need, limit.unit) if limit.unit else need


def rounded_up(value: float, unit: str) -> float:
    """Return ``value`` with few digits in the unit that people read, never less.

    >>> rounded_up(944_612.0, "W"), rounded_up(41_112_345.0, "USD"), rounded_up(69.2, "racks")
    (945000.0, 41200000.0, 70.0)
    >>> rounded_up(12_650.0, "s") / 3600.0
    3.52
    """
    if unit == "racks":
        return float(math.ceil(value - 1e-9))
    factor = 1.0
    if unit in KINDS:
        number, name = show(value, KINDS[unit], 9).split(" ", 1)
        factor = parse(f"1 {name}", KINDS[unit])
        value = max(value / factor, float(number.replace(",", "")))
    if value <= 0.0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(value)) - DIGITS + 1)
    return float(f"{math.ceil(value / step - 1e-9) * step:.6g}") * factor
