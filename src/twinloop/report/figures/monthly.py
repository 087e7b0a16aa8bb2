"""Energy beyond IT, month by month and by end use."""

from __future__ import annotations

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.simulation import SiteYear
from twinloop.report.figures import svg
from twinloop.report.figures.calendar import MONTHS, ROUND_OFF, by_month, is_year, settled
from twinloop.report.numbers import energy
from twinloop.report.parts import Figure, Table, columns

SIZE, PHONE = (960.0, 360.0), (svg.PHONE, 320.0)
LEFT, BOTTOM = 64.0, 60.0
USES = (
    ("chillers_w", "chillers", "liquid"), ("heat_rejection_w", "heat rejection", "green"),
    ("crah_fans_w", "air-handler fans", "air"), ("pumps_w", "pumps", "violet"), ("ups_loss_w", "UPS loss", "amber"),
    ("distribution_loss_w", "distribution loss", "heat"), ("other_w", "other", "grey"),
)  # fmt: skip
"""Hourly column -> end use, colour."""
WH_PER_MWH = 1e6


def draw(ident: str, year: SiteYear) -> Figure | None:
    """Return the bars; ``None`` where the year carries no hourly power."""
    power_w = columns_of(year)
    if power_w is None:
        return None
    months = {name: [float(m.sum()) / WH_PER_MWH for m in by_month(values)] for name, values in power_w.items()}
    uses = [(key, name, colour) for key, name, colour in USES if key in months and max(months[key]) > 0.0]
    totals = [sum(max(months[key][m], 0.0) for key, _, _ in uses) for m in range(12)]
    title = "Energy beyond IT by month"
    desc = (
        f"Facility energy beyond the IT meter at {year.site}, by end use: from {energy(min(totals))} in "
        f"{MONTHS[totals.index(min(totals))]} to {energy(max(totals))} in {MONTHS[totals.index(max(totals))]}. "
        f"IT itself takes {energy(sum(months['it_w']))} a year and is left out of the bars."
    )
    drawn = tuple((("", svg.drawing(name, title, desc, size, _bars(uses, months, totals, size))),)
                  for name, size in ((ident, SIZE), (f"{ident}-phone", PHONE)))  # fmt: skip
    names = columns("Month", "#IT", *(f"#{name}" for _, name, _ in uses), "#Facility")
    rows = tuple(
        (
            month,
            energy(months["it_w"][m]),
            *(energy(months[key][m]) for key, _, _ in uses),
            energy(months["it_w"][m] + totals[m]),
        )
        for m, month in enumerate(MONTHS)
    )  # fmt: skip
    return Figure(ident, title, desc, drawn[0], Table("Energy by month and end use", names, rows), phone=drawn[1])


def columns_of(year: SiteYear) -> dict[str, FloatArray] | None:
    """Return the hourly power by end use, W, with ``other_w`` as what the named ones leave."""
    hourly = year.hourly
    if not (is_year(hourly.get("it_w")) and is_year(hourly.get("facility_w"))):
        return None
    named = {key: settled(hourly[key]) for key, _, _ in USES if key != "other_w" and is_year(hourly.get(key))}
    rest = hourly["facility_w"] - hourly["it_w"] - sum(named.values(), start=np.zeros(8760))
    # What is left of a difference of large numbers is theirs to judge, not its own.
    rest = np.where(np.abs(rest) <= ROUND_OFF * hourly["facility_w"], 0.0, rest)
    return {"it_w": hourly["it_w"], **named, "other_w": np.maximum(rest, 0.0)}


def _bars(
    uses: list[tuple[str, str, str]], months: dict[str, list[float]], totals: list[float], size: svg.Point
) -> str:
    narrow = size[0] <= svg.PHONE
    left, right, bottom = (40.0 if narrow else LEFT), size[0] - (8.0 if narrow else 20.0), size[1] - BOTTOM
    start = 4.0 if narrow else left
    keys, down = svg.legend(start, 20, [(f"f-{colour}", name) for _, name, colour in uses], right - start - 20.0)
    p = svg.plot((left, down + 46.0, right, bottom), (0.0, 12.0), (0.0, max(totals)))
    body = keys + svg.axes(p, y_name="MWh a month", x_labels=False)
    step = (right - left) / 12
    for m, name in enumerate(MONTHS):
        x, base = left + m * step + step * 0.2, 0.0
        for key, use, colour in uses:
            value = max(months[key][m], 0.0)
            y = p.y(base + value)
            body += svg.rect(x, y, step * 0.6, p.y(base) - y, f"f-{colour}", f"{name}, {use}: {energy(value)}")
            base += value
        body += svg.text(x + step * 0.3, bottom + 18, name[0] if narrow else name, "tick", "middle")
        if not narrow:
            body += svg.text(x + step * 0.3, bottom + 36, energy(months["it_w"][m]), "tick faint", "middle")
    return body if narrow else body + svg.text(left - 8, bottom + 36, "IT", "tick faint", "end")
