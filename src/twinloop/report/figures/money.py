"""Money: cumulative cost by year, the frontier, and the tornado."""

from __future__ import annotations

from twinloop.model.plan import CashYear, FrontierPoint, Uncertainty
from twinloop.report import numbers
from twinloop.report.figures import svg
from twinloop.report.parts import Figure, Table, columns

SIZE = (900.0, 300.0)
BOX = (70.0, 20.0, 810.0, 235.0)


def cumulative(ident: str, cash: tuple[CashYear, ...]) -> Figure | None:
    """Draw what has been spent, undiscounted, by the end of each year; residual value is left out."""
    if not cash:
        return None
    spent, total = [], 0.0
    for year in cash:
        total += sum(amount for name, amount in year.amounts_usd.items() if name != "residual")
        spent.append((float(year.year), total / 1e6))
    p = svg.plot(BOX, (0.0, max(float(cash[-1].year), 1.0)), (0.0, max(value for _, value in spent) * 1.05))
    points = [(p.x(x), p.y(y)) for x, y in spent]
    body = svg.axes(p, "year", "million USD") + svg.polyline(points, "k-liquid curve-line")
    body += "".join(svg.element("circle", cx=x, cy=y, r=4.0, class_="f-liquid") for x, y in points)
    rows = tuple((str(int(x)), numbers.number(y)) for x, y in spent)
    desc = f"Cumulative spending reaches {numbers.number(spent[-1][1])} million USD in year {cash[-1].year}."
    table = Table("Cumulative spending, undiscounted", columns("Year", "#Million USD"), rows)
    return _figure(ident, "Cumulative cost by year", desc, body, table)


def frontier(ident: str, points: tuple[FrontierPoint, ...]) -> Figure | None:
    """Draw cost against carbon of the undominated plans; the knee is marked."""
    if len(points) < 2:
        return None
    xs = [point.cost_usd / 1e6 for point in points]
    ys = [point.carbon_t_per_year for point in points]
    pad_x, pad_y = max(xs) * 0.002 + (max(xs) - min(xs)) * 0.1, max(ys) * 0.01 + (max(ys) - min(ys)) * 0.1
    p = svg.plot(BOX, (min(xs) - pad_x, max(xs) + pad_x), (min(ys) - pad_y, max(ys) + pad_y))
    body = svg.axes(p, "present cost, million USD", "t CO2e a year")
    body += svg.polyline([(p.x(x), p.y(y)) for x, y in zip(xs, ys, strict=True)], "k-grey curve-line")
    for point, x, y in zip(points, xs, ys, strict=True):
        colour = "f-heat" if point.knee else "f-liquid"
        body += svg.element("circle", svg.tip(point.name), cx=p.x(x), cy=p.y(y), r=6.0, class_=colour)
    rows = tuple(
        (
            point.name + (" (knee)" if point.knee else ""), numbers.number(point.cost_usd / 1e6),
            numbers.number(point.energy_mwh_per_year), numbers.number(point.carbon_t_per_year),
            numbers.number(point.water_m3_per_year),
        )
        for point in points
    )  # fmt: skip
    head = columns("~Plan", "#Million USD", "#MWh a year", "#t CO2e a year", "#m3 a year")
    table = Table("Undominated plans, by screened coefficients", head, rows)
    desc = f"{len(points)} undominated plans; the knee, in red, gives most carbon saved for its cost."
    return _figure(ident, "Cost against carbon", desc, body, table)


def tornado(ident: str, uncertainty: Uncertainty | None) -> Figure | None:
    """Draw what each price range does to the present cost."""
    if uncertainty is None or not uncertainty.tornado:
        return None
    bars = uncertainty.tornado
    low, high = min(bar.low_usd for bar in bars) / 1e6, max(bar.high_usd for bar in bars) / 1e6
    height = 34.0 * len(bars) + 50.0
    scale = svg.linear((low, high), (240.0, 860.0))
    body = ""
    for i, bar in enumerate(bars):
        y = 14.0 + 34.0 * i
        x0, x1 = scale(bar.low_usd / 1e6), scale(bar.high_usd / 1e6)
        words = f"{numbers.money(bar.low_usd)} to {numbers.money(bar.high_usd)}: {bar.source}"
        body += svg.text(226.0, y + 16.0, bar.name, "label", "end") + svg.rect(x0, y, x1 - x0, 22.0, "f-liquid", words)
    for value in svg.ticks(low, high):
        body += svg.line((scale(value), 8.0), (scale(value), height - 34.0), "grid")
        body += svg.text(scale(value), height - 18.0, svg.tick_label(value), "tick", "middle")
    body += svg.text(550.0, height - 2.0, "present cost, million USD", "axis-name", "middle")
    rows = tuple((bar.name, numbers.money(bar.low_usd), numbers.money(bar.high_usd), bar.source) for bar in bars)
    table = Table("Range of each driver", columns("Driver", "#Low", "#High", "~Source"), rows)
    desc = f"{bars[0].name} moves the cost most."
    picture = svg.drawing(ident, "What moves the cost", desc, (900.0, height), body)
    return Figure(ident, "What moves the cost", desc, (("", picture),), table)


def _figure(ident: str, title: str, desc: str, body: str, table: Table) -> Figure:
    return Figure(ident, title, desc, (("", svg.drawing(ident, title, desc, SIZE, body)),), table)
