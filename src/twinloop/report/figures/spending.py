"""What has been spent by when, beside each plainer design, and when the one has paid back against the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, cycle

from markupsafe import Markup

from twinloop.economics.cashflow import payback_years
from twinloop.model.plan import Baseline, CashYear, Plan
from twinloop.report import numbers
from twinloop.report.figures import svg
from twinloop.report.numbers import money
from twinloop.report.parts import Absent, Figure, Table, columns

TITLE = "Cumulative cost by year"
SIZE, PHONE = (960.0, 350.0), (svg.PHONE, 300.0)
FINER = {SIZE: (960.0, 280.0), PHONE: (svg.PHONE, 270.0)}
"""Size of a drawing -> that of the differences."""
CENT = 0.005
"""Sums of millions leave dust; a cent is paid back."""
APART = 20.0
"""Differences more than this many times as large as the smallest get a drawing, and so an axis, of their own."""
LOOKS = ("k-amber dashed", "k-grey dashed", "k-green dashed")
MARK = 66.0
"""Width of the words at a mark; marks nearer than this stand at different heights."""


@dataclass(frozen=True)
class _Line:
    name: str
    stroke: str
    spent_usd: list[float]
    """By the end of each year from 0, undiscounted."""
    paid: float | None = None
    """The year from which one of plan and baseline has paid back against the other."""


def spent(cash: tuple[CashYear, ...]) -> list[float]:
    """Return what has been spent by the end of each year, the value left at the horizon apart."""
    years = (sum(usd for name, usd in year.amounts_usd.items() if name != "residual") for year in cash)
    return list(accumulate(years))


def payback(ours: tuple[CashYear, ...], theirs: tuple[CashYear, ...], name: str) -> str:
    """Return in words when the plan's dearer purchase is paid back by its cheaper running, or that it is not."""
    mine, other = spent(ours), spent(theirs)
    more, end, year = mine[0] - other[0], mine[-1] - other[-1], meeting(ours, theirs)
    if _same(mine, other):
        return f"Against {name} nothing differs: the plan is that one."
    if all(a <= b + CENT for a, b in zip(mine, other, strict=True)):
        return f"Against {name} the plan has cost less in every year from purchase on."
    if more <= CENT:
        when = f"after {numbers.number(year, 2)} years" if year is not None else "now and then"
        return f"Against {name} the plan saves {money(-more)} at purchase; dearer running eats that up {when}."
    if year is None:
        return (
            f"Against {name} there is no payback within {len(mine) - 1} years: the plan costs {money(more)} more to "
            f"buy and is {money(end)} dearer at their end."
        )
    return f"Against {name} the plan costs {money(more)} more to buy, paid back after {numbers.number(year, 2)} years."


def meeting(ours: tuple[CashYear, ...], theirs: tuple[CashYear, ...]) -> float | None:
    """Return the year from which the dearer to buy has cost no more for good; ``None``: not in these years."""
    dear, cheap = (ours, theirs) if spent(ours)[0] > spent(theirs)[0] + CENT else (theirs, ours)
    return payback_years(dear, cheap) or None


def _same(ours: list[float], theirs: list[float]) -> bool:
    return all(abs(a - b) <= CENT for a, b in zip(ours, theirs, strict=True))


def cumulative(ident: str, plan: Plan) -> Figure | Absent:
    """Draw the money spent by year, of the plan and of every baseline, paybacks marked.

    Further drawings show what each baseline has cost more by then, those of one size on one axis.
    """
    if not plan.cashflow:
        return Absent(ident, TITLE, "the plan carries no cash flow.")
    ours = spent(plan.cashflow)
    known = [b for b in plan.baselines if len(b.cashflow) == len(ours)]
    rivals = [
        _Line(_name(b), look, spent(b.cashflow), meeting(plan.cashflow, b.cashflow))
        for b, look in zip(known, cycle(LOOKS), strict=False)
    ]
    said = [payback(plan.cashflow, b.cashflow, _name(b)) for b in known]
    desc = " ".join(said) or f"{money(ours[-1])} spent by the end of year {len(ours) - 1}."
    note = "Each by its own cash flow, with price rises and replacement; value left at the horizon apart."
    wide, narrow = (
        _drawings(name, desc, ours, rivals, size) for name, size in ((ident, SIZE), (f"{ident}-phone", PHONE))
    )
    return Figure(ident, TITLE, desc, wide, _table(ours, known), note, phone=narrow)


def _table(ours: list[float], known: list[Baseline]) -> Table:
    theirs = [spent(b.cashflow) for b in known]
    rows = tuple((f"{y}", money(usd), *(money(each[y]) for each in theirs)) for y, usd in enumerate(ours))
    head = columns("Year", "#Recommended", *(f"#{_name(b)}" for b in known))
    return Table("Spent by the end of each year, undiscounted", head, rows)


def _drawings(
    name: str, desc: str, ours: list[float], rivals: list[_Line], size: svg.Point
) -> tuple[tuple[str, Markup], ...]:
    lines = [_Line("recommended", "k-liquid", ours), *rivals]
    label = "Spent so far" + ("; marked: from when one of the two has paid back" if any(r.paid for r in rivals) else "")
    pictures = [(label, svg.drawing(name, TITLE, desc, size, _spending(lines, size)))]
    for i, group in enumerate(alike(ours, rivals)):
        names = numbers.listed([each.name for each in group])
        label = f"What {names} {'have' if len(group) > 1 else 'has'} cost more so far"
        low = FINER[size]
        body = _differences(ours, group, low)
        pictures.append((label, svg.drawing(f"{name}-more{i}", f"{TITLE}, {label}", desc, low, body)))
    return tuple(pictures)


def alike(ours: list[float], rivals: Sequence[_Line]) -> list[list[_Line]]:
    """Return the baselines that differ from the plan, those whose differences can share an axis together."""
    reach = {line.name: max(abs(a - b) for a, b in zip(ours, line.spent_usd, strict=True)) for line in rivals}
    groups: list[list[_Line]] = []
    for line in sorted((each for each in rivals if reach[each.name] > CENT), key=lambda each: reach[each.name]):
        if groups and reach[line.name] <= APART * reach[groups[-1][0].name]:
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _plot(years: int, low: float, high: float, size: svg.Point, top: float) -> svg.Plot:
    narrow = size[0] <= svg.PHONE
    box = (50.0 if narrow else 70.0, top + 52.0, size[0] - (10.0 if narrow else 20.0), size[1] - 50.0)
    return svg.plot(box, (0.0, max(float(years), 1.0)), (low, high), (max(years, 1), 5))


def _key(lines: list[_Line], size: svg.Point) -> tuple[str, float]:
    start = 4.0 if size[0] <= svg.PHONE else 70.0
    return svg.legend(start, 20.0, [(line.stroke, line.name) for line in lines], size[0] - start - 30.0)


def _unit(values: list[float]) -> tuple[float, str]:
    """Return the divisor and the name of the unit that suits ``values``."""
    top = max(abs(value) for value in values)
    steps = ((2e6, 1e6, "million USD"), (2e3, 1e3, "thousand USD"))
    return next(((per, name) for least, per, name in steps if top >= least), (1.0, "USD"))


def _spending(lines: list[_Line], size: svg.Point) -> str:
    per, unit = _unit([usd for line in lines for usd in line.spent_usd])
    ours = lines[0].spent_usd
    keys, down = _key(lines, size)
    p = _plot(len(ours) - 1, 0.0, max(max(line.spent_usd) for line in lines) / per, size, down)
    body = keys + svg.axes(p, "year", f"{unit}, undiscounted")
    for line in reversed(lines):
        body += svg.polyline(_points(line.spent_usd, per, p), f"{line.stroke} curve-line")
    for year, at in enumerate(_points(ours, per, p)):
        body += svg.element(
            "circle", svg.tip(f"year {year}: {money(ours[year])}"), cx=at[0], cy=at[1], r=3.0, class_="f-liquid"
        )
    return body + _marks(lines, [usd / per for usd in ours], p)


def _differences(ours: list[float], rivals: list[_Line], size: svg.Point) -> str:
    more = {line.name: [b - a for a, b in zip(ours, line.spent_usd, strict=True)] for line in rivals}
    values = [0.0, *(usd for line in more.values() for usd in line)]
    per, unit = _unit(values)
    keys, down = _key(rivals, size)
    p = _plot(len(ours) - 1, min(values) / per, max(values) / per, size, down)
    body = keys + svg.axes(p, "year", f"{unit} more, undiscounted")
    body += svg.line((p.left, p.y(0.0)), (p.right, p.y(0.0)), "bar thin")
    for line in rivals:
        body += svg.polyline(_points(more[line.name], per, p), f"{line.stroke} curve-line")
    return body + _marks(rivals, [0.0] * len(ours), p)


def _marks(lines: list[_Line], values: list[float], p: svg.Plot) -> str:
    """Return a ring and the year at each payback, on the line through ``values``; near ones at different heights."""
    body, used = "", -MARK
    row = 0
    for line in sorted((each for each in lines if each.paid is not None), key=lambda each: each.paid or 0.0):
        year = line.paid or 0.0
        before = min(int(year), len(values) - 2)
        x, y = p.x(year), p.y(values[before] + (year - before) * (values[before + 1] - values[before]))
        row = row + 1 if x - used < MARK else 0
        used = x
        down = y + 22.0 + 14.0 * row
        anchor = "end" if x + MARK > p.right else "start"
        words = f"year {numbers.number(year, 2)}"
        hint = svg.tip(f"{line.name}: {words}")
        body += svg.element("circle", hint, cx=x, cy=y, r=6.0, class_=f"nofill curve-line {line.stroke.split()[0]}")
        body += svg.text(x, down if down < p.bottom - 6.0 else y - 12.0 - 14.0 * row, words, "label halo", anchor)
    return body


def _points(values: list[float], per: float, p: svg.Plot) -> list[svg.Point]:
    return [(p.x(float(year)), p.y(value / per)) for year, value in enumerate(values)]


def _name(baseline: Baseline) -> str:
    return baseline.name if baseline.feasible else f"{baseline.name} (does not fit)"
