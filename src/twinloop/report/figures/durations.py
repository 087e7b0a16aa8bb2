"""Load and weather sorted: for how many hours is it at least so much?"""

from __future__ import annotations

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.simulation import SiteYear
from twinloop.report.figures import svg
from twinloop.report.figures.calendar import is_year
from twinloop.report.numbers import count, fixed, power
from twinloop.report.parts import Figure, Table, columns

SIZE = (400.0, 300.0)
BOX = (50.0, 66.0, 382.0, 250.0)
HOURS = (0, 1, 35, 88, 438, 876, 2190, 4380, 6570, 8322, 8759)
"""Ranks in the table: the worst hour, 0.4 %, 1 %, 5 %, 10 %, quarters, the mildest hour."""
POINTS = 160


def draw_all(ident: str, year: SiteYear) -> tuple[Figure, ...]:
    """Return the load's and the weather's curve, where the year carries them."""
    load = [(k, n, c) for k, n, c in (("facility_w", "facility", "heat"), ("it_w", "IT", "liquid")) if _has(year, k)]
    air = [
        (k, n, c)
        for k, n, c in (("dry_bulb_c", "dry bulb", "heat"), ("wet_bulb_c", "wet bulb", "air"))
        if _has(year, k)
    ]
    found = []
    if load:
        top = max(float(year.hourly[key].max()) for key, _, _ in load)
        unit, per = ("MW", 1e6) if top >= 1e6 else ("kW", 1e3)
        found.append(_curves(f"{ident}-load", "Load duration", year, load, unit, per))
    if air:
        found.append(_curves(f"{ident}-weather", "Weather duration", year, air, "°C", 1.0))
    return tuple(found)


def _has(year: SiteYear, key: str) -> bool:
    return is_year(year.hourly.get(key))


def _curves(
    ident: str, title: str, year: SiteYear, series: list[tuple[str, str, str]], unit: str, per: float
) -> Figure:
    ordered = {key: np.sort(year.hourly[key])[::-1] for key, _, _ in series}
    values = [float(v) / per for curve in ordered.values() for v in (curve[0], curve[-1])]
    low = min(values) if unit == "°C" else 0.0
    p = svg.plot(BOX, (0.0, 8760.0), (low, max(values)), (4, 5))
    p = svg.Plot(
        **{
            **p.__dict__,
            "x": svg.linear((0.0, 8760.0), (p.left, p.right)),
            "x_ticks": (0.0, 2190.0, 4380.0, 6570.0, 8760.0),
        }
    )
    body = svg.axes(p, "hours a year at or above", unit)
    for key, _, colour in series:
        body += svg.polyline(_points(ordered[key] / per, p), f"k-{colour} curve-line")
    keys, _ = svg.legend(BOX[0], 20, [(f"k-{colour}", name) for _, name, colour in series], 300)
    show = (lambda v: fixed(v, "°C")) if unit == "°C" else power
    desc = "; ".join(
        f"{name}: highest {show(float(ordered[key][0]))}, median {show(float(np.median(ordered[key])))}, "
        f"lowest {show(float(ordered[key][-1]))}"
        for key, name, _ in series
    )
    rows = tuple((count(h), *(show(float(ordered[key][h])) for key, _, _ in series)) for h in HOURS)
    table = Table(title, columns("#Hours above", *(f"#{name}" for _, name, _ in series)), rows)
    picture = svg.drawing(ident, title, desc, SIZE, body + keys)
    return Figure(ident, title, f"{title} at {year.site}. {desc}.", (("", picture),), table, wide=False)


def _points(curve: FloatArray, p: svg.Plot) -> list[svg.Point]:
    ranks = np.unique(np.linspace(0, curve.size - 1, POINTS).astype(int))
    return [(p.x(float(rank) + 0.5), p.y(float(curve[rank]))) for rank in ranks]
