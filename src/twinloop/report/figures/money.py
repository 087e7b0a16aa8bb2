"""Money: what the cost is made of, and what has been spent by when, beside the plainer designs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from twinloop.model.plan import Baseline, CashYear, Plan
from twinloop.report import numbers
from twinloop.report.figures import svg
from twinloop.report.numbers import money, words
from twinloop.report.parts import Absent, Figure, Table, columns

WIDTH, LEFT, ROW = 960.0, 190.0, 28.0
PHONE_ROW = 42.0
"""On a narrow screen name and amount stand above their bar."""
ROOM = 150.0
"""Width of a label; where less is left, it stands before its bar."""
SIZE, PHONE = (960.0, 350.0), (svg.PHONE, 300.0)
COOLING = "cooling plant"
CENT = 0.005
"""Sums of millions leave dust; a cent is paid back."""
FAR = 2.5
"""A baseline that costs this many times the plan is named, not drawn: it would flatten the rest."""
ORDER = ("servers", "network", "storage", "building and power", COOLING, "maintenance", "staff", "operations staff",
         "electricity", "demand charge", "water", "water price", "carbon price", "cloud rental", "cloud storage",
         "egress", "failures", "downtime", "heat sale")  # fmt: skip
"""Purposes in the order of a building's life; others follow."""
LOOKS = (("k-amber dashed", "f-amber"), ("k-grey dashed", "f-grey"), ("k-green dashed", "f-green"))


def present_values(plan: Plan) -> dict[str, float]:
    """Return the present cost by purpose, USD; the machines of the cooling plant together; the sum is the TCO."""
    machines = {line.type for site in plan.sites for line in site.equipment}
    found: dict[str, float] = {}
    for year in plan.cashflow:
        spent = sum(year.amounts_usd.values())
        factor = year.discounted_usd / spent if spent else 1.0
        for name, amount in year.amounts_usd.items():
            key = COOLING if name in machines else name
            found[key] = found.get(key, 0.0) + amount * factor
    found = {name: usd for name, usd in found.items() if usd}
    rank = {name: i for i, name in enumerate(ORDER)}
    return dict(sorted(found.items(), key=lambda item: (item[1] < 0.0, rank.get(item[0], len(rank)))))


def waterfall(ident: str, plan: Plan) -> Figure | Absent:
    """Draw the present cost by purpose, each bar starting where the last one ended."""
    title, parts = "What the cost is made of", present_values(plan)
    if not parts:
        return Absent(ident, title, "the plan carries no cash flow.")
    total = sum(parts.values())
    body, height = _steps(parts, total)
    picture = svg.drawing(ident, title, _made_of(parts, total), (WIDTH, height), body)
    body, height = _phone_steps(parts, total)
    phone = svg.drawing(f"{ident}-phone", title, _made_of(parts, total), (svg.PHONE, height), body)
    rows = tuple((words(n), money(v), numbers.percent(v / total)) for n, v in parts.items())
    table = Table("Present cost by purpose", columns("Purpose", "#Present value", "#Share"), rows)
    return Figure(ident, title, _made_of(parts, total), (("", picture),), table, phone=(("", phone),))


def _made_of(parts: dict[str, float], total: float) -> str:
    largest = max(parts, key=lambda name: parts[name])
    share = numbers.percent(parts.get(COOLING, 0.0) / total)
    return (
        f"The largest part of {money(total)}, present value, is {words(largest)}; the cooling plant is {share} of it."
    )


def _reach(parts: dict[str, float], total: float) -> float:
    return max(total, sum(v for v in parts.values() if v > 0.0))


def _steps(parts: dict[str, float], total: float) -> tuple[str, float]:
    scale = svg.linear((0.0, _reach(parts, total)), (LEFT, WIDTH - 30.0))
    body, at = "", 0.0
    for i, (name, value) in enumerate(parts.items()):
        body += _step(8.0 + i * ROW, name, (scale(at), scale(at + value)), value, total)
        at += value
    y = 8.0 + len(parts) * ROW
    body += svg.text(LEFT - 10.0, y + 14.0, "total", "label strong", "end")
    body += svg.rect(LEFT, y, scale(total) - LEFT, 20.0, "f-ink")
    return body + svg.text(scale(total) - 8.0, y + 14.0, money(total), "onbar", "end"), y + 28.0


def _phone_steps(parts: dict[str, float], total: float) -> tuple[str, float]:
    scale = svg.linear((0.0, _reach(parts, total)), (4.0, svg.PHONE - 4.0))
    body, at, y = "", 0.0, 0.0
    for i, (name, value) in enumerate(parts.items()):
        y, (x0, x1) = 4.0 + i * PHONE_ROW, sorted((scale(at), scale(at + value)))
        body += svg.text(4.0, y + 12.0, words(name), "label")
        body += svg.text(svg.PHONE - 4.0, y + 12.0, f"{money(value)} · {numbers.percent(value / total)}", "tick", "end")
        body += svg.rect(x0, y + 18.0, max(x1 - x0, 1.0), 16.0, "f-green" if value < 0.0 else "f-liquid", money(value))
        at += value
    y += PHONE_ROW
    body += svg.text(4.0, y + 12.0, "total", "label strong")
    body += svg.text(svg.PHONE - 4.0, y + 12.0, money(total), "label strong", "end")
    return body + svg.rect(4.0, y + 18.0, scale(total) - 4.0, 16.0, "f-ink"), y + 40.0


def _step(y: float, name: str, span: svg.Point, value: float, total: float) -> str:
    x0, x1 = sorted(span)
    label, side = f"{money(value)} · {numbers.percent(value / total)}", (x1 + 8.0, "start")
    if x1 > WIDTH - ROOM:
        side = (x0 - 8.0, "end")
    body = svg.text(LEFT - 10.0, y + 14.0, words(name), "label", "end")
    body += svg.rect(x0, y, max(x1 - x0, 1.0), 20.0, "f-green" if value < 0.0 else "f-liquid", money(value))
    body += svg.text(side[0], y + 14.0, label, "tick", side[1])
    return body + svg.line((span[1], y + 20.0), (span[1], y + ROW), "axis")


@dataclass(frozen=True)
class _Line:
    name: str
    stroke: str
    fill: str
    spent_usd: list[float]
    """By the end of each year from 0, undiscounted."""


def payback(ours: tuple[CashYear, ...], theirs: tuple[CashYear, ...], name: str) -> str:
    """Return in words when the plan's dearer purchase is paid back by its cheaper running, or that it is not.

    By both cash flows year by year, undiscounted, the value left at the horizon apart, linear inside a year.
    """
    mine, other = spent(ours), spent(theirs)
    more, last = mine[0] - other[0], len(mine) - 1
    if _same(mine, other):
        return f"Against {name} nothing differs: the plan is that one."
    if all(a <= b + CENT for a, b in zip(mine, other, strict=True)):
        return f"Against {name} the plan has cost less in every year from purchase on."
    if more > CENT:
        paid = crossing(mine, other)
        if paid is None:
            return (
                f"Against {name} there is no payback within {last} years: the plan costs {money(more)} more to buy and "
                f"is {money(mine[-1] - other[-1])} dearer at their end."
            )
        return (
            f"Against {name} the plan costs {money(more)} more to buy, paid back after {numbers.number(paid, 2)} years."
        )
    eaten = crossing(other, mine)
    when = f"after {numbers.number(eaten, 2)} years" if eaten is not None else "now and then"
    return f"Against {name} the plan saves {money(-more)} at purchase; dearer running eats that up {when}."


def spent(cash: tuple[CashYear, ...]) -> list[float]:
    """Return what has been spent by the end of each year, the value left at the horizon apart."""
    years = (sum(usd for name, usd in year.amounts_usd.items() if name != "residual") for year in cash)
    return list(accumulate(years))


def _same(ours: list[float], theirs: list[float]) -> bool:
    return all(abs(a - b) <= CENT for a, b in zip(ours, theirs, strict=True))


def crossing(dear: list[float], cheap: list[float]) -> float | None:
    """Return the year from which ``dear`` has cost no more than ``cheap`` for good; ``None``: not in these years.

    >>> crossing([130.0, 140.0, 150.0], [100.0, 130.0, 160.0])
    1.5
    """
    extra = [a - b for a, b in zip(dear, cheap, strict=True)]
    behind = max((year for year, usd in enumerate(extra) if usd > CENT), default=-1)
    if behind + 1 == len(extra):
        return None
    return 0.0 if behind < 0 else behind + extra[behind] / (extra[behind] - extra[behind + 1])


def cumulative(ident: str, plan: Plan) -> Figure | Absent:
    """Draw the money spent by year, of the plan and of each baseline that is near enough.

    A second drawing shows what each baseline has cost more by then: the line crosses zero at payback.
    """
    title = "Cumulative cost by year"
    if not plan.cashflow:
        return Absent(ident, title, "the plan carries no cash flow.")
    ours = spent(plan.cashflow)
    known = [(b, spent(b.cashflow)) for b in plan.baselines if len(b.cashflow) == len(ours)]
    near = [(b, usd) for b, usd in known if usd[-1] < FAR * ours[-1]]
    far = [f"{b.name} ({money(usd[-1])})" for b, usd in known if usd[-1] >= FAR * ours[-1]]
    rivals = [_Line(_name(b), *look, usd) for (b, usd), look in zip(near, LOOKS, strict=False)]
    said = [payback(plan.cashflow, b.cashflow, _name(b)) for b, _ in known]
    said += [f"Above the frame: {', '.join(far)}."] if far else []
    desc = " ".join(said) or f"{money(ours[-1])} spent by the end of year {len(ours) - 1}."
    rows = tuple((f"{y}", money(usd), *(money(theirs[y]) for _, theirs in known)) for y, usd in enumerate(ours))
    head = columns("Year", "#Recommended", *(f"#{_name(b)}" for b, _ in known))
    note = "Each by its own cash flow, with price rises and replacement; value left at the horizon apart."
    lines = [_Line("recommended", "k-liquid", "f-liquid", ours), *rivals]
    apart = [line for line in rivals if not _same(ours, line.spent_usd)]
    drawn = []
    for name, size in ((ident, SIZE), (f"{ident}-phone", PHONE)):
        pictures = [("Spent so far", svg.drawing(name, title, desc, size, _spending(lines, size)))]
        if apart:
            label = "What each baseline has cost more so far; where a line crosses zero, one of the two has paid back"
            body = _differences(ours, apart, size)
            pictures.append((label, svg.drawing(f"{name}-more", f"{title}, differences", desc, size, body)))
        drawn.append(tuple(pictures))
    table = Table("Spent by the end of each year, undiscounted", head, rows)
    return Figure(ident, title, desc, drawn[0], table, note, phone=drawn[1])


def _plot(years: int, low: float, high: float, size: svg.Point, top: float) -> svg.Plot:
    narrow = size[0] <= svg.PHONE
    box = (50.0 if narrow else 70.0, top + 52.0, size[0] - (10.0 if narrow else 20.0), size[1] - 50.0)
    return svg.plot(box, (0.0, max(float(years), 1.0)), (low, high), (max(years, 1), 5))


def _key(lines: list[_Line], size: svg.Point) -> tuple[str, float]:
    start = 4.0 if size[0] <= svg.PHONE else 70.0
    return svg.legend(start, 20.0, [(line.fill, line.name) for line in lines], size[0] - start - 30.0)


def _unit(values: list[float]) -> tuple[float, str]:
    """Return the divisor and the name of the unit that suits ``values``."""
    top = max(abs(value) for value in values)
    steps = ((2e6, 1e6, "million USD"), (2e3, 1e3, "thousand USD"))
    return next(((per, name) for least, per, name in steps if top >= least), (1.0, "USD"))


def _spending(lines: list[_Line], size: svg.Point) -> str:
    per, unit = _unit([usd for line in lines for usd in line.spent_usd])
    years = len(lines[0].spent_usd) - 1
    keys, down = _key(lines, size)
    p = _plot(years, 0.0, max(max(line.spent_usd) for line in lines) / per, size, down)
    body = keys + svg.axes(p, "year", f"{unit}, undiscounted")
    for line in reversed(lines):
        body += svg.polyline(_points(line.spent_usd, per, p), f"{line.stroke} curve-line")
    for year, at in enumerate(_points(lines[0].spent_usd, per, p)):
        hint = svg.tip(f"year {year}: {money(lines[0].spent_usd[year])}")
        body += svg.element("circle", hint, cx=at[0], cy=at[1], r=4.0, class_="f-liquid")
    return body


def _differences(ours: list[float], rivals: list[_Line], size: svg.Point) -> str:
    more = {line.name: [b - a for a, b in zip(ours, line.spent_usd, strict=True)] for line in rivals}
    values = [0.0, *(usd for line in more.values() for usd in line)]
    per, unit = _unit(values)
    keys, down = _key(rivals, size)
    p = _plot(len(ours) - 1, min(values) / per, max(values) / per, size, down)
    body = keys + svg.axes(p, "year", f"{unit}, undiscounted")
    body += svg.line((p.left, p.y(0.0)), (p.right, p.y(0.0)), "bar thin")
    for line in rivals:
        body += svg.polyline(_points(more[line.name], per, p), f"{line.stroke} curve-line")
    return body


def _points(values: list[float], per: float, p: svg.Plot) -> list[svg.Point]:
    return [(p.x(float(year)), p.y(value / per)) for year, value in enumerate(values)]


def _name(baseline: Baseline) -> str:
    return baseline.name if baseline.feasible else f"{baseline.name} (does not fit)"
