"""At which prices another kind of plan is recommended: told only after planning anew on both sides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from twinloop.model.doubt import Turn
from twinloop.model.model import Model
from twinloop.planner.check import Checked
from twinloop.planner.designs import KITS
from twinloop.planner.levers import Lever, levers_of, repriced
from twinloop.planner.optimise import Seen, acceptable
from twinloop.planner.recommend import Recommended, recommended
from twinloop.planner.screen import Remember, Screened
from twinloop.planner.selection import feasible
from twinloop.planner.ties import TIE, pieces
from twinloop.twin.design import PlantConstants

EPS = 0.02
"""Share of a price by which it is passed on either side."""
MOST_ASKED, LEAST_ASKED = 14, 3
"""Times that one run plans anew: the first over its stages, which set how long one takes, but not below the second.
A few tenths of a second with one stage, two seconds with six; ratings and most twin checks are known."""
NARROW = 2.5 * EPS
"""Share of a price between two that were planned, below which their mean is told."""
STEPS = 400
"""Prices at which the lines of all plans are compared."""

Kind = frozenset[tuple[str, str]]
"""What is recommended, apart from devices and sizes: (hall, kit) of each hall used, (stage, site) of work elsewhere."""


@dataclass(frozen=True)
class _Line:
    """A twin-checked plan: its cost over the price."""

    kind: Kind
    at_zero: float
    slope: float
    pieces: tuple[int, int]


@dataclass
class _Asking:
    """One run's asking: what it knows, and how often it may still plan anew."""

    model: Model
    found: Recommended
    k: PlantConstants
    remember: Remember
    known: Seen
    """Twin checks, at today's prices."""
    left: int


def turns(model: Model, found: Recommended, k: PlantConstants, remember: Remember, seen: Seen) -> tuple[Turn, ...]:
    """Return, for each price and direction, where another kind is recommended, or how far none is.

    Each twin-checked plan is a straight line over a price. Where their lower envelope changes kind, the scenario is
    planned anew a little beyond and a little before: near the crossing both kinds choose other sizes and supplies.
    What is found joins the lines, until the kind changes between two prices that were both planned.

    Args:
        model: the scenario, without wishes: they are weighed anew at every price.
        found: what is recommended at today's prices.
        k: sizing and control assumptions.
        remember: ratings of the first search: no price changes them.
        seen: twin checks of the first search.
    """
    if model.objective.name != "cost":
        return ()
    asking = _Asking(model, found, k, remember, dict(seen), max(LEAST_ASKED, MOST_ASKED // len(model.stages)))
    ways = [(lever, end) for lever in levers_of(model) for end in (lever.most, lever.least) if end != lever.now]
    ours = kind_of(found.best.checked, found.screened)

    def crossed(way: tuple[Lever, float]) -> bool:
        lever, end = way
        return _crossing(_known_lines(asking, lever), ours, lever.now, end) is not None

    ways.sort(key=crossed, reverse=True)
    told = (_turn(asking, lever, end) for lever, end in ways)
    return tuple(turn for turn in told if turn is not None)


def _turn(asking: _Asking, lever: Lever, end: float) -> Turn | None:
    """Return where, from today's price towards ``end``, another kind is recommended; ``None``: nothing was
    found.
    """
    ours = kind_of(asking.found.best.checked, asking.found.screened)
    lines = _known_lines(asking, lever)
    kept, turned, then = lever.now, None, ours
    while asking.left > 0:
        if turned is not None and abs(turned - kept) <= NARROW * max(turned, kept):
            break
        price = _next(lines, ours, kept, turned, end)
        kind, more = _asked(asking, lever, price)
        lines += more
        if kind != ours:
            turned, then = price, kind
        else:
            kept = price
            if price == end:
                break
    if kept == lever.now:
        return None
    return Turn(lever.name, lever.unit, lever.now, kept, turned, "" if turned is None else instead(ours, then))


def _next(lines: list[_Line], ours: Kind, kept: float, turned: float | None, end: float) -> float:
    """Return the price to plan at next: on the side of the lines' crossing that is still open, else half way."""
    at = _crossing(lines, ours, kept, end if turned is None else turned)
    sign = 1.0 if end > kept else -1.0
    if turned is None:
        return end if at is None or sign * at * (1.0 + sign * EPS) >= sign * end else at * (1.0 + sign * EPS)
    before = None if at is None else at * (1.0 - sign * EPS)
    if before is not None and sign * kept < sign * before < sign * turned:
        return before
    beyond = None if at is None else at * (1.0 + sign * EPS)
    if beyond is not None and sign * kept < sign * beyond < sign * turned:
        return beyond
    return (kept + turned) / 2.0


def _crossing(lines: list[_Line], ours: Kind, start: float, end: float) -> float | None:
    """Return the first price from ``start`` to ``end`` at which a line of another kind is chosen; ``None``: at none."""
    zero, slope = (np.array([getattr(line, name) for line in lines]) for name in ("at_zero", "slope"))

    def chosen(price: float) -> Kind:
        values = zero + slope * price
        near = np.flatnonzero(values <= values.min() + TIE * abs(values.min()))
        return lines[min(near, key=lambda i: (*lines[i].pieces, values[i]))].kind

    prices = np.linspace(start, end, STEPS)[1:]
    first = next((i for i, price in enumerate(prices) if chosen(price) != ours), None)
    if first is None:
        return None
    inside, outside = float(prices[first - 1]) if first else start, float(prices[first])
    for _ in range(20):
        middle = (inside + outside) / 2.0
        inside, outside = (middle, outside) if chosen(middle) == ours else (inside, middle)
    return outside


def _asked(asking: _Asking, lever: Lever, price: float) -> tuple[Kind, list[_Line]]:
    """Plan anew at ``price``; return the kind recommended and the lines of the plans that it was weighed against."""
    asking.left -= 1
    model = lever.model_at(asking.model, price)
    seen = {key: repriced(checked, lever, lever.now, price, model) for key, checked in asking.known.items()}
    old = set(seen)
    there = recommended(model, asking.k, _silent, asking.remember, seen, asking.found.screened.options)
    asking.known.update(
        {key: repriced(seen[key], lever, price, lever.now, asking.model) for key in seen if key not in old}
    )
    if there is None:
        return NO_PLAN, []
    plans = [there.best.checked, *(each.checked for each in there.searches.by_kit.values())]
    return kind_of(plans[0], there.screened), _lines(asking, lever, price, plans, there.screened)


def _known_lines(asking: _Asking, lever: Lever) -> list[_Line]:
    """Return the lines of the recommendation and of all checked plans that could be chosen in its place."""
    found, model = asking.found, asking.found.at.model
    index = {p.key: i for i, p in enumerate(found.best.problem.placements)}
    plans = [found.best.checked]
    plans += [
        checked
        for key, checked in asking.known.items()
        if all(each in index for each in key)
        and feasible(found.best.problem, tuple(index[each] for each in key))
        and acceptable(model, checked)
    ]
    return _lines(asking, lever, lever.now, plans, found.screened)


def _lines(asking: _Asking, lever: Lever, was: float, plans: Iterable[Checked], screened: Screened) -> list[_Line]:
    low, high = lever.least, lever.most
    models = (lever.model_at(asking.model, low), lever.model_at(asking.model, high))
    found = []
    for plan in plans:
        below, above = (repriced(plan, lever, was, x, m).objective for x, m in zip((low, high), models, strict=True))
        slope = (above - below) / (high - low)
        found.append(_Line(kind_of(plan, screened), below - slope * low, slope, pieces(plan)))
    return found


def kind_of(checked: Checked, screened: Screened) -> Kind:
    """Return the kind of ``checked``: how each hall is cooled, and where the work lies that is in none."""
    return frozenset((p.site, screened.kit_of[p.design]) if p.design else (p.stage, p.site) for p in checked.placements)


NO_PLAN: Kind = frozenset({("", "")})


def instead(ours: Kind, theirs: Kind) -> str:
    """Return what ``theirs`` has in place of ``ours``.

    >>> instead(frozenset({("hall", "air")}), frozenset({("hall", "immersion"), ("train", "cloud")}))
    'immersion at hall, train at cloud'
    >>> instead(frozenset({("hall", "air"), ("train", "cloud")}), frozenset({("hall", "air")}))
    'train no longer at cloud'
    """
    if theirs == NO_PLAN:
        return "no plan within the limits"
    new = [f"{what} at {where}" if what in KITS else f"{where} at {what}" for where, what in sorted(theirs - ours)]
    gone = [f"{stage} no longer at {site}" for stage, site in sorted(ours - theirs) if site not in KITS]
    return ", ".join(new or gone)


def turn_words(told: tuple[Turn, ...]) -> str:
    """Return a sentence on ``told``; empty where nothing was asked."""
    said = [_words(turn) for turn in told if turn.turned is not None]
    same: dict[str, list[Turn]] = {}
    for turn in told:
        if turn.turned is None:
            same.setdefault(turn.price, []).append(turn)
    said += [f"no change found with {_far(each)}" for each in same.values()]
    return f" Planned anew at other prices: {'; '.join(said)}." if said else ""


def _far(mine: list[Turn]) -> str:
    """Return how far one price was followed without a change, in one direction or both."""
    ends = [f"{'up' if turn.kept > turn.now else 'down'} to {_amount(turn.kept)}" for turn in mine]
    return f"{mine[0].price} {' or '.join(ends)} {mine[0].unit}"


def _words(turn: Turn) -> str:
    turned = turn.now if turn.turned is None else turn.turned
    side = "above" if turned > turn.now else "below"
    if abs(turned - turn.kept) <= NARROW * max(turned, turn.kept):
        at = _amount((turned + turn.kept) / 2.0)
    else:
        at = f"a price between {_amount(min(turn.kept, turned))} and {_amount(max(turn.kept, turned))}"
    return f"{turn.instead} with {turn.price} {side} {at} {turn.unit} (now {_amount(turn.now)})"


def _amount(value: float) -> str:
    return f"{value:.3g}" if value < 100.0 else f"{value:,.0f}"


def _silent(_: str) -> None:
    """Report nothing."""
