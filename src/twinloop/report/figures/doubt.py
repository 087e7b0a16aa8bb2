"""How sure the answer is: the frontier of undominated plans, and the tornado."""

from __future__ import annotations

import math

from twinloop.model.doubt import Swing, Uncertainty
from twinloop.model.plan import FrontierPoint
from twinloop.report import numbers
from twinloop.report.figures import svg
from twinloop.report.parts import Absent, Figure, Table, columns

SIZE, BOX = (960.0, 330.0), (70.0, 44.0, 900.0, 280.0)
PHONE, PHONE_BOX = (svg.PHONE, 300.0), (50.0, 34.0, 340.0, 250.0)
LINE = 14.0
"""Height of a label."""


def frontier(ident: str, points: tuple[FrontierPoint, ...], recommended_usd: float | None = None) -> Figure | Absent:
    """Draw cost against carbon of the undominated plans, numbered from the cheapest; recommendation and knee named.

    The line joins those that no other plan beats in both; what is undominated by its energy or water stands apart.
    """
    title = "Cost against carbon"
    if len(points) < 2:
        why = "one plan is best in cost, energy, carbon and water at once" if points else "no frontier was computed"
        return Absent(ident, title, f"{why}.")
    desc = _said(points)
    note = (
        "Every point is checked by the twin over the whole year."
        if all(point.checked for point in points)
        else "Screened figures: the twin's check of the recommendation differs by the screening error."
    )
    names = _names(points, recommended_usd)
    drawn = []
    for name, size, box, about in ((ident, SIZE, BOX, (6, 5)), (f"{ident}-phone", PHONE, PHONE_BOX, (3, 5))):
        p = svg.plot(box, *_spans(points), about)
        drawn.append((("", svg.drawing(name, title, desc, size, _points(points, names, p))),))
    return Figure(ident, title, desc, drawn[0], _table(points, names), note, phone=drawn[1])


def _spans(points: tuple[FrontierPoint, ...]) -> tuple[svg.Point, svg.Point]:
    """Return the spans of million USD and t CO2e, with room around, so that a tie is not blown up."""
    xs = [point.cost_usd / 1e6 for point in points]
    ys = [point.carbon_t_per_year for point in points]
    pad_x, pad_y = max(xs) * 0.002 + (max(xs) - min(xs)) * 0.1, max(ys) * 0.01 + (max(ys) - min(ys)) * 0.1
    return (min(xs) - pad_x, max(xs) + pad_x), (min(ys) - pad_y, max(ys) + pad_y)


def on_the_line(points: tuple[FrontierPoint, ...]) -> list[int]:
    """Return the places in ``points`` of those that none beats in cost and carbon both, the cheapest first."""
    found: list[int] = []
    for i in sorted(range(len(points)), key=lambda i: (points[i].cost_usd, points[i].carbon_t_per_year)):
        if not found or points[i].carbon_t_per_year < points[found[-1]].carbon_t_per_year:
            found.append(i)
    return found


def _said(points: tuple[FrontierPoint, ...]) -> str:
    knee = next((i + 1 for i, point in enumerate(points) if point.knee), None)
    said = f"{len(points)} undominated plans from the cheapest to the dearest"
    said += f"; number {knee}, the diamond, is the knee: nearest to cheapest and cleanest at once." if knee else "."
    apart = [f"{i + 1}" for i in range(len(points)) if i not in on_the_line(points)]
    if apart:
        said += f" Off the line: {', '.join(apart)}, undominated by what is not drawn, energy or water."
    return said


def _names(points: tuple[FrontierPoint, ...], recommended_usd: float | None) -> list[str]:
    """Return what each point is called: its number, and whether it is the recommendation or the knee."""
    names = []
    for i, point in enumerate(points):
        ours = recommended_usd is not None and math.isclose(point.cost_usd, recommended_usd, rel_tol=1e-9)
        names.append(" ".join([f"{i + 1}", *(["recommended"] if ours else []), *(["knee"] if point.knee else [])]))
    return names


def _table(points: tuple[FrontierPoint, ...], names: list[str]) -> Table:
    rows = []
    for name, point in zip(names, points, strict=True):
        number, *roles = name.split()
        rows.append((
            " ".join([f"{number}.", point.name, *(f"({role})" for role in roles)]),
            numbers.number(point.cost_usd / 1e6, 4),
            numbers.number(point.energy_mwh_per_year), numbers.number(point.carbon_t_per_year),
            numbers.number(point.water_m3_per_year),
        ))  # fmt: skip
    by = "the twin" if all(point.checked for point in points) else "screened coefficients"
    head = columns("~Plan", "#Million USD", "#MWh a year", "#t CO2e a year", "#m³ a year")
    return Table(f"Undominated plans, by {by}", head, tuple(rows))


def _points(points: tuple[FrontierPoint, ...], names: list[str], p: svg.Plot) -> str:
    places = [(p.x(point.cost_usd / 1e6), p.y(point.carbon_t_per_year)) for point in points]
    line = on_the_line(points)
    told: list[tuple[float, float, float]] = []
    body = svg.axes(p, "present cost, million USD", "t CO2e a year")
    body += svg.polyline([places[i] for i in line], "k-grey curve-line")
    for i, (point, name, at) in enumerate(zip(points, names, places, strict=True)):
        # The knee has a form of its own: colour alone would not reach everybody.
        colour = "f-liquid" if i in line else "f-grey"
        body += svg.polygon(_diamond(at), "f-heat", point.name) if point.knee else svg.element(
            "circle", svg.tip(point.name), cx=at[0], cy=at[1], r=6.0, class_=colour)  # fmt: skip
        x, y = _free(at, svg.advance(name), told)
        told.append((x, y, svg.advance(name)))
        body += svg.text(x, y, name, "label halo")
    return body


def _free(at: svg.Point, wide: float, told: list[tuple[float, float, float]]) -> svg.Point:
    """Return where a label of a mark starts: the first place round it that no earlier label takes."""
    x, y = at
    sides = ((x + 10.0, y - 8.0), (x - wide / 2.0, y + 24.0), (x - 10.0 - wide, y - 8.0), (x + 10.0, y + 16.0),
             (x - 10.0 - wide, y + 16.0), (x - wide / 2.0, y - 22.0))  # fmt: skip
    return next(
        (s for s in sides if all(s[0] > a + w + 4.0 or s[0] + wide < a - 4.0 or abs(s[1] - b) > LINE
                                 for a, b, w in told)), sides[0])  # fmt: skip


def _diamond(at: svg.Point) -> list[svg.Point]:
    x, y = at
    return [(x, y - 9.0), (x + 9.0, y), (x, y + 9.0), (x - 9.0, y)]


def stays_best(u: Uncertainty) -> str:
    """Return how often the recommendation is the best of what the twin has checked."""
    if u.plans == 1:
        return "no other plan was checked by the twin, so that none could be better at other prices"
    return (
        f"best of its twin-checked shortlist in {numbers.percent(u.probability_best)} of "
        f"{numbers.count(float(u.samples))} price samples, mean regret {numbers.money(u.regret_usd)}"
    )


def tornado(ident: str, uncertainty: Uncertainty | None, base_usd: float) -> Figure | Absent:
    """Draw what each price range does to the present cost ``base_usd``."""
    title = "What moves the cost"
    if uncertainty is None or not uncertainty.tornado:
        return Absent(ident, title, "uncertainty was not computed for this plan.")
    bars = sorted(uncertainty.tornado, key=lambda bar: bar.low_usd - bar.high_usd)
    rows = tuple(
        (bar.name, *(numbers.money(usd - base_usd, signed=True) for usd in (bar.low_usd, bar.high_usd)),
         numbers.money(bar.low_usd), numbers.money(bar.high_usd), bar.source)
        for bar in bars
    )  # fmt: skip
    head = columns("Driver", "#At its cheap end", "#At its dear end", "#Cost, cheap", "#Cost, dear", "~Source")
    table = Table(f"What each driver adds to {numbers.money(base_usd)}, and the cost then", head, rows)
    desc = (
        f"The widest swing is that of {bars[0].name}: {numbers.money(bars[0].low_usd)} to "
        f"{numbers.money(bars[0].high_usd)}. Robustness: {stays_best(uncertainty)}. "
        "Green: the cheap end of a range; orange: its dear end. "
        "What moves one plan moves all that share the fact."
    )
    body, height = _swings(bars, base_usd, (250.0, 900.0), narrow=False)
    picture = svg.drawing(ident, title, desc, (960.0, height), body)
    body, height = _swings(bars, base_usd, (16.0, svg.PHONE - 16.0), narrow=True)
    phone = svg.drawing(f"{ident}-phone", title, desc, (svg.PHONE, height), body)
    return Figure(ident, title, desc, (("", picture),), table, phone=(("", phone),))


def _swings(bars: list[Swing], base_usd: float, span: svg.Point, *, narrow: bool) -> tuple[str, float]:
    """Return the bars between the x of ``span``, and their height; their names stand before them, or above."""
    step, lift = (44.0, 18.0) if narrow else (30.0, 0.0)
    low, high = min(bar.low_usd for bar in bars) / 1e6, max(bar.high_usd for bar in bars) / 1e6
    steps = svg.ticks(low, high, 3 if narrow else 5)
    scale = svg.linear((steps[0], steps[-1]), span)
    bottom, middle = step * len(bars) + 30.0, scale(base_usd / 1e6)
    body = "".join(svg.line((scale(v), 26.0), (scale(v), bottom), "grid") for v in steps)
    body += "".join(svg.text(scale(v), bottom + 18.0, svg.tick_label(v), "tick", "middle") for v in steps)
    body += svg.line((middle, 22.0), (middle, bottom), "axis")
    for i, bar in enumerate(bars):
        y, x0, x1 = 30.0 + step * i + lift, scale(bar.low_usd / 1e6), scale(bar.high_usd / 1e6)
        hint = f"{numbers.money(bar.low_usd)} to {numbers.money(bar.high_usd)}: {bar.source}"
        at = (4.0, y - 5.0, "start") if narrow else (span[0] - 10.0, y + 15.0, "end")
        body += svg.text(at[0], at[1], bar.name, "label halo", at[2])
        body += svg.rect(x0, y, middle - x0, 20.0, "f-green", hint)
        body += svg.rect(middle, y, x1 - middle, 20.0, "f-heat", hint)
    side = "start" if middle < span[0] + 60.0 else "end" if middle > span[1] - 60.0 else "middle"
    body += svg.text(middle, 16.0, f"plan {numbers.money(base_usd)}", "tick", side)
    body += svg.text((span[0] + span[1]) / 2.0, bottom + 36.0, "present cost, million USD", "axis-name", "middle")
    return body, bottom + 44.0
