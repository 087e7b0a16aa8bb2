"""How sure the answer is: the frontier of undominated plans, and the tornado."""

from __future__ import annotations

from twinloop.model.doubt import Swing, Uncertainty
from twinloop.model.plan import FrontierPoint
from twinloop.report import numbers
from twinloop.report.figures import svg
from twinloop.report.parts import Absent, Figure, Table, columns

SIZE, BOX = (960.0, 330.0), (70.0, 44.0, 900.0, 280.0)
PHONE, PHONE_BOX = (svg.PHONE, 300.0), (50.0, 34.0, 340.0, 250.0)
LINE = 14.0
"""Height of a label."""


def frontier(ident: str, points: tuple[FrontierPoint, ...]) -> Figure | Absent:
    """Draw cost against carbon of the undominated plans, numbered from the cheapest; the knee is marked."""
    title = "Cost against carbon"
    if len(points) < 2:
        why = "one plan is best in cost, energy, carbon and water at once" if points else "no frontier was computed"
        return Absent(ident, title, f"{why}.")
    xs = [point.cost_usd / 1e6 for point in points]
    ys = [point.carbon_t_per_year for point in points]
    pad_x, pad_y = max(xs) * 0.002 + (max(xs) - min(xs)) * 0.1, max(ys) * 0.01 + (max(ys) - min(ys)) * 0.1
    x_span, y_span = (min(xs) - pad_x, max(xs) + pad_x), (min(ys) - pad_y, max(ys) + pad_y)
    plots = (svg.plot(BOX, x_span, y_span), svg.plot(PHONE_BOX, x_span, y_span, (3, 5)))
    rows = tuple(
        (
            f"{i + 1}. {point.name}{' (knee)' if point.knee else ''}", numbers.number(point.cost_usd / 1e6, 4),
            numbers.number(point.energy_mwh_per_year), numbers.number(point.carbon_t_per_year),
            numbers.number(point.water_m3_per_year),
        )
        for i, point in enumerate(points)
    )  # fmt: skip
    head = columns("~Plan", "#Million USD", "#MWh a year", "#t CO2e a year", "#m³ a year")
    checked = all(point.checked for point in points)
    by = "the twin" if checked else "screened coefficients"
    table = Table(f"Undominated plans, by {by}", head, rows)
    knee = next((i + 1 for i, point in enumerate(points) if point.knee), None)
    desc = f"{len(points)} undominated plans from cheapest to cleanest" + (
        f"; number {knee}, the diamond, is the knee: beyond it carbon gets dearer." if knee else "."
    )
    note = (
        "Every point is checked by the twin over the whole year."
        if checked
        else "Screened figures: the twin's check of the recommendation differs by the screening error."
    )
    picture = svg.drawing(ident, title, desc, SIZE, _points(points, plots[0]))
    phone = svg.drawing(f"{ident}-phone", title, desc, PHONE, _points(points, plots[1]))
    return Figure(ident, title, desc, (("", picture),), table, note, phone=(("", phone),))


def _points(points: tuple[FrontierPoint, ...], p: svg.Plot) -> str:
    places = [(p.x(point.cost_usd / 1e6), p.y(point.carbon_t_per_year)) for point in points]
    told: list[tuple[float, float, float]] = []
    body = svg.axes(p, "present cost, million USD", "t CO2e a year") + svg.polyline(places, "k-grey curve-line")
    for i, (point, at) in enumerate(zip(points, places, strict=True)):
        # The knee has a form of its own: colour alone would not reach everybody.
        body += svg.polygon(_diamond(at), "f-heat", point.name) if point.knee else svg.element(
            "circle", svg.tip(point.name), cx=at[0], cy=at[1], r=6.0, class_="f-liquid")  # fmt: skip
        words = f"{i + 1}{' knee' if point.knee else ''}"
        x, y = _free(at, svg.advance(words), told)
        told.append((x, y, svg.advance(words)))
        body += svg.text(x, y, words, "label halo")
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


def tornado(ident: str, uncertainty: Uncertainty | None, base_usd: float) -> Figure | Absent:
    """Draw what each price range does to the present cost ``base_usd``."""
    title = "What moves the cost"
    if uncertainty is None or not uncertainty.tornado:
        return Absent(ident, title, "uncertainty was not computed for this plan.")
    bars = sorted(uncertainty.tornado, key=lambda bar: bar.low_usd - bar.high_usd)
    rows = tuple((bar.name, numbers.money(bar.low_usd), numbers.money(bar.high_usd), bar.source) for bar in bars)
    table = Table("Range of each driver", columns("Driver", "#Low", "#High", "~Source"), rows)
    desc = (
        f"The widest swing is that of {bars[0].name}: {numbers.money(bars[0].low_usd)} to "
        f"{numbers.money(bars[0].high_usd)}. The recommendation stays the best of its twin-checked shortlist in "
        f"{numbers.percent(uncertainty.probability_best)} of {numbers.count(float(uncertainty.samples))} samples; "
        "what moves one plan moves all that share the fact."
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
