"""Money: what the cost is made of."""

from __future__ import annotations

from collections.abc import Collection

from twinloop.model.plan import Plan
from twinloop.report import numbers
from twinloop.report.figures import svg
from twinloop.report.numbers import money, words
from twinloop.report.parts import Absent, Figure, Table, columns

WIDTH, LEFT, ROW = 960.0, 190.0, 28.0
PHONE_ROW = 42.0
"""On a narrow screen name and amount stand above their bar."""
ROOM = 150.0
"""Width of a label; where less is left, it stands before its bar, or on it."""
COOLING = "cooling plant"
ORDER = ("servers", "network", "storage", "building and power", COOLING, "maintenance", "staff", "operations staff",
         "electricity", "demand charge", "water", "water price", "carbon price", "cloud rental", "cloud storage",
         "egress", "failures", "downtime", "heat sale", "residual")  # fmt: skip
"""Purposes in the order of a building's life; others follow."""


def present_values(plan: Plan) -> dict[str, float]:
    """Return the present cost by purpose, USD; the machines of the cooling plant together; the sum is the TCO."""
    machines = [line.type for site in plan.sites for line in site.equipment]
    found: dict[str, float] = {}
    for year in plan.cashflow:
        spent = sum(year.amounts_usd.values())
        factor = year.discounted_usd / spent if spent else 1.0
        for name, amount in year.amounts_usd.items():
            key = COOLING if name in machines else name
            found[key] = found.get(key, 0.0) + amount * factor
    found = {name: usd for name, usd in found.items() if usd}
    return dict(sorted(found.items(), key=lambda item: (item[1] < 0.0, *place(item[0], machines))))


def place(name: str, machines: Collection[str]) -> tuple[int, int]:
    """Return where a purpose stands in the order of a building's life; ``machines`` are those of the cooling plant."""
    key = COOLING if name in machines else name
    return ORDER.index(key) if key in ORDER else len(ORDER), list(machines).index(name) if name in machines else 0


def purpose(name: str) -> str:
    """Return a purpose as a reader calls it.

    >>> purpose("residual"), purpose("cold_plate")
    ('value left at the end', 'cold plate')
    """
    return "value left at the end" if name == "residual" else words(name)


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
    rows = tuple((purpose(n), money(v), numbers.percent(v / total)) for n, v in parts.items())
    table = Table("Present cost by purpose", columns("Purpose", "#Present value", "#Share"), rows)
    return Figure(ident, title, _made_of(parts, total), (("", picture),), table, phone=(("", phone),))


def _made_of(parts: dict[str, float], total: float) -> str:
    largest = max(parts, key=lambda name: parts[name])
    plant = f"; the cooling plant is {numbers.percent(parts[COOLING] / total)} of it" if COOLING in parts else ""
    return f"The largest part of {money(total)}, present value, is {purpose(largest)}{plant}."


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
        body += svg.text(4.0, y + 12.0, purpose(name), "label")
        body += svg.text(svg.PHONE - 4.0, y + 12.0, f"{money(value)} · {numbers.percent(value / total)}", "tick", "end")
        body += svg.rect(x0, y + 18.0, max(x1 - x0, 1.0), 16.0, "f-green" if value < 0.0 else "f-liquid", money(value))
        at += value
    y += PHONE_ROW
    body += svg.text(4.0, y + 12.0, "total", "label strong")
    body += svg.text(svg.PHONE - 4.0, y + 12.0, money(total), "label strong", "end")
    return body + svg.rect(4.0, y + 18.0, scale(total) - 4.0, 16.0, "f-ink"), y + 40.0


def _step(y: float, name: str, span: svg.Point, value: float, total: float) -> str:
    x0, x1 = sorted(span)
    label = f"{money(value)} · {numbers.percent(value / total)}"
    body = svg.text(LEFT - 10.0, y + 14.0, purpose(name), "label", "end")
    body += svg.rect(x0, y, max(x1 - x0, 1.0), 20.0, "f-green" if value < 0.0 else "f-liquid", money(value))
    if x1 <= WIDTH - ROOM:
        body += svg.text(x1 + 8.0, y + 14.0, label, "tick")
    elif x0 >= LEFT + ROOM:
        body += svg.text(x0 - 8.0, y + 14.0, label, "tick", "end")
    else:
        body += svg.text(x1 - 8.0, y + 14.0, label, "onbar", "end")
    return body + svg.line((span[1], y + 20.0), (span[1], y + ROW), "axis")
