"""Money: what the cost is made of, and what has been spent by when, beside the plainer designs."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.model.plan import Baseline, CashYear, Plan, Totals
from twinloop.report import numbers
from twinloop.report.figures import svg
from twinloop.report.numbers import money, words
from twinloop.report.parts import Absent, Figure, Table, columns

WIDTH, LEFT, ROW = 960.0, 190.0, 28.0
ROOM = 150.0
"""Width of a label; where less is left, it stands before its bar."""
SIZE = (960.0, 350.0)
BOX = (70.0, 72.0, 940.0, 300.0)
COOLING = "cooling plant"
FAR = 2.5
"""A baseline that costs this many times the plan is named, not drawn: it would flatten the rest."""
ORDER = ("servers", "building and power", COOLING, "maintenance", "staff", "electricity", "demand charge", "water",
         "water price", "carbon price", "cloud rental", "egress")  # fmt: skip
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
    rank = {name: i for i, name in enumerate(ORDER)}
    return dict(sorted(found.items(), key=lambda item: (item[1] < 0.0, rank.get(item[0], len(rank)))))


def waterfall(ident: str, plan: Plan) -> Figure | Absent:
    """Draw the present cost by purpose, each bar starting where the last one ended."""
    title, parts = "What the cost is made of", present_values(plan)
    if not parts:
        return Absent(ident, title, "the plan carries no cash flow.")
    total = sum(parts.values())
    reach = max(total, sum(v for v in parts.values() if v > 0.0))
    scale = svg.linear((0.0, reach), (LEFT, WIDTH - 30.0))
    body, at = "", 0.0
    for i, (name, value) in enumerate(parts.items()):
        body += _step(8.0 + i * ROW, name, (scale(at), scale(at + value)), value, total)
        at += value
    y = 8.0 + len(parts) * ROW
    body += svg.text(LEFT - 10.0, y + 14.0, "total", "label strong", "end")
    body += svg.rect(LEFT, y, scale(total) - LEFT, 20.0, "f-ink")
    body += svg.text(scale(total) - 8.0, y + 14.0, money(total), "onbar", "end")
    largest = max(parts, key=lambda name: parts[name])
    share = numbers.percent(parts.get(COOLING, 0.0) / total)
    desc = (
        f"The largest part of {money(total)}, present value, is {words(largest)}; the cooling plant is {share} of it."
    )
    rows = tuple((words(n), money(v), numbers.percent(v / total)) for n, v in parts.items())
    table = Table("Present cost by purpose", columns("Purpose", "#Present value", "#Share"), rows)
    return Figure(ident, title, desc, (("", svg.drawing(ident, title, desc, (WIDTH, y + 28.0), body)),), table)


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
    totals: Totals


def payback(ours: Totals, theirs: Totals, name: str) -> str:
    """Return in words when the plan's dearer purchase is paid back by its cheaper running, or that it is not.

    First-year running cost, no discount.
    """
    more = ours.capex_usd - theirs.capex_usd
    less = theirs.opex_usd_per_year - ours.opex_usd_per_year
    if more <= 0.0 and less >= 0.0:
        return f"Against {name} the plan is cheaper to buy and to run."
    if more >= 0.0 and less <= 0.0:
        return (
            f"Against {name} there is no payback: the plan costs {money(more)} more to buy and {money(-less)} "
            "more a year."
        )
    years = numbers.number(more / less, 2)
    if more > 0.0:
        return f"Against {name} the plan costs {money(more)} more to buy, paid back after {years} years."
    return f"Against {name} the plan saves {money(-more)} at purchase; dearer running eats that up after {years} years."


def cumulative(ident: str, plan: Plan) -> Figure | Absent:
    """Draw purchase plus running cost by year, of the plan and of each baseline that is near enough.

    A second drawing shows what each baseline has cost more by then: the line crosses zero at payback.
    """
    title = "Cumulative cost by year"
    if not plan.cashflow:
        return Absent(ident, title, "the plan carries no cash flow.")
    years, ours = plan.cashflow[-1].year, plan.totals
    known = [b for b in plan.baselines if b.totals is not None]
    near = [b for b in known if b.totals and _after(b.totals, years) < FAR * _after(ours, years)]
    far = [f"{b.name} ({money(_after(b.totals, years))})" for b in known if b.totals and b not in near]
    rivals = [_Line(_name(b), *look, b.totals) for b, look in zip(near, LOOKS, strict=False) if b.totals]
    lines = [_Line("recommended", "k-liquid", "f-liquid", ours), *rivals]
    actual = _spent(plan.cashflow)
    said = [payback(ours, b.totals, _name(b)) for b in known if b.totals and b.name.startswith("all air")]
    said += [f"Above the frame: {', '.join(far)}."] if far else []
    desc = " ".join(said) or f"{money(actual[-1][1])} spent by the end of year {years}."
    rows = tuple((f"{y}", money(v), *(money(_after(b.totals, y)) for b in known if b.totals)) for y, v in actual)
    head = columns("Year", "#Recommended", *(f"#{_name(b)}" for b in known))
    note = (
        "Lines: purchase and the first year's running cost repeated; dots: the plan's cash flow with price rises "
        "and replacement, residual value left out."
    )
    drawings = [("Spent so far", svg.drawing(ident, title, desc, SIZE, _spending(lines, actual, years)))]
    if rivals:
        body = _differences(ours, rivals, years)
        name = "What each baseline has cost more so far; where a line crosses zero, one of the two has paid back"
        drawings.append((name, svg.drawing(f"{ident}-more", f"{title}, differences", desc, SIZE, body)))
    table = Table("Spent by the end of each year, undiscounted", head, rows)
    return Figure(ident, title, desc, tuple(drawings), table, note)


def _spending(lines: list[_Line], actual: list[tuple[int, float]], years: int) -> str:
    top = max(_after(line.totals, years) for line in lines) / 1e6
    p = svg.plot(BOX, (0.0, max(float(years), 1.0)), (0.0, top), (max(years, 1), 5))
    body = svg.axes(p, "year", "million USD, undiscounted")
    for line in reversed(lines):
        ends = [(p.x(float(y)), p.y(_after(line.totals, y) / 1e6)) for y in (0, years)]
        body += svg.polyline(ends, f"{line.stroke} curve-line")
    for year, value in actual:
        at = (p.x(float(year)), p.y(min(value / 1e6, p.y_ticks[-1])))
        hint = svg.tip(f"year {year}: {money(value)}")
        body += svg.element("circle", hint, cx=at[0], cy=at[1], r=4.0, class_="f-liquid")
    return body + svg.legend(BOX[0], 20.0, [(line.fill, line.name) for line in lines], 860.0)[0]


def _differences(ours: Totals, rivals: list[_Line], years: int) -> str:
    more = {line.name: [(_after(line.totals, y) - _after(ours, y)) / 1e3 for y in (0, years)] for line in rivals}
    values = [0.0, *(v for ends in more.values() for v in ends)]
    p = svg.plot(BOX, (0.0, max(float(years), 1.0)), (min(values), max(values)), (max(years, 1), 5))
    body = svg.axes(p, "year", "thousand USD, undiscounted")
    body += svg.line((p.left, p.y(0.0)), (p.right, p.y(0.0)), "bar thin")
    for line in rivals:
        ends = [(p.x(float(y)), p.y(v)) for y, v in zip((0, years), more[line.name], strict=True)]
        body += svg.polyline(ends, f"{line.stroke} curve-line")
    return body + svg.legend(BOX[0], 20.0, [(line.fill, line.name) for line in rivals], 860.0)[0]


def _name(baseline: Baseline) -> str:
    return baseline.name if baseline.feasible else f"{baseline.name} (does not fit)"


def _after(totals: Totals, years: int) -> float:
    return totals.capex_usd + totals.opex_usd_per_year * years


def _spent(cash: tuple[CashYear, ...]) -> list[tuple[int, float]]:
    spent, total = [], 0.0
    for year in cash:
        total += sum(amount for name, amount in year.amounts_usd.items() if name != "residual")
        spent.append((year.year, total))
    return spent
