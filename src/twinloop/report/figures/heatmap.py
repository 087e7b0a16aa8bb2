"""A year at a glance: hour of the day against day of the year."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from twinloop.arrays import FloatArray
from twinloop.model.simulation import SiteYear
from twinloop.report.figures import svg
from twinloop.report.figures.calendar import (
    DAYS,
    HOURS,
    MONTH_STARTS,
    MONTHS,
    by_month,
    is_year,
    png,
    ramp_rgb,
    settled,
)
from twinloop.report.numbers import fixed, number, percent, power, quantity
from twinloop.report.parts import Figure, Table, columns

SIZE = (400.0, 228.0)
LEFT, TOP, WIDE, HIGH = 28.0, 12.0, 364.0, 150.0
RAMP_WIDE = 105.0
ALMOST = 0.01
"""Below this share the chiller stands, above one minus it nothing else works (as in the twin's count)."""
FULL_RGB, PARTIAL_RGB, NONE_RGB = (0, 158, 115), (240, 228, 66), (213, 94, 0)
"""Bluish green, yellow and vermilion of Okabe and Ito (2008)."""


@dataclass(frozen=True)
class _Kind:
    column: str
    title: str
    show: Callable[[float], str]


KINDS = (
    _Kind("pue", "PUE", lambda v: number(v, 4)),
    _Kind("facility_w", "Facility power", power),
    _Kind("it_w", "IT power", power),
    _Kind("water_kg_s", "Make-up water", lambda v: quantity(v * 3.6, "m³/h")),
    _Kind("warm_supply_c", "Warm-loop supply", lambda v: fixed(v, "°C")),
    _Kind("cold_supply_c", "Cold-loop supply", lambda v: fixed(v, "°C")),
    _Kind("junction_c", "Mean junction", lambda v: fixed(v, "°C")),
    _Kind("chillers_w", "Chiller power", power),
)
"""Columns that are drawn when present, in this order."""


def draw_all(ident: str, year: SiteYear) -> tuple[Figure, ...]:
    """Return one map for each known hourly column that moves, and one for the cooling mode."""
    found = []
    for kind in KINDS:
        values = year.hourly.get(kind.column)
        if values is not None and is_year(values) and _moves(kind, values := settled(values)):
            found.append(_map(f"{ident}-{kind.column}", kind, values, _whole(kind, year)))
    share = year.hourly.get("chiller_share")
    if share is not None and is_year(share):
        found.insert(min(1, len(found)), _mode_map(f"{ident}-mode", share))
    return tuple(found)


def _moves(kind: _Kind, values: FloatArray) -> bool:
    """Whether its lowest and highest value are told apart where they are written."""
    return kind.show(float(np.min(values))) != kind.show(float(np.max(values)))


def _whole(kind: _Kind, year: SiteYear) -> str:
    """Return the year's own PUE, which weighs every hour by its energy, beside the mean of the hours."""
    if kind.column != "pue":
        return ""
    return f" The year's own, energy over energy, is {kind.show(year.energy.facility_j / year.energy.it_j)}."


def _map(ident: str, kind: _Kind, values: FloatArray, more: str) -> Figure:
    low, high = float(np.min(values)), float(np.max(values))
    # A single wild hour would flatten the colours of all others.
    bottom, top = (float(v) for v in np.percentile(values, [0.5, 99.5]))
    top = top if top > bottom else bottom + 1.0
    desc = (
        f"{kind.title} by hour of the day (up) and day of the year (right): lowest {kind.show(low)}, "
        f"mean {kind.show(float(np.mean(values)))}, highest {kind.show(high)}.{more} Lighter is higher."
    )
    grid = ramp_rgb((_grid(values) - bottom) / (top - bottom))
    body = _frame(grid, kind.title) + _scale(*_ends(kind, (low, bottom), (top, high)))
    rows = tuple(
        (name, *(kind.show(float(f(month))) for f in (np.min, np.mean, np.max)))
        for name, month in zip(MONTHS, by_month(values), strict=True)
    )
    table = Table(f"{kind.title} by month", columns("Month", "#Lowest", "#Mean", "#Highest"), rows)
    return _figure(ident, kind.title, desc, body, table)


def _ends(kind: _Kind, lowest: tuple[float, float], highest: tuple[float, float]) -> tuple[str, str]:
    """Return what the ends of the colours are called: those that stand for values beyond them say so."""
    (low, bottom), (top, high) = (tuple(kind.show(v) for v in each) for each in (lowest, highest))
    return bottom if low == bottom else f"≤ {bottom}", top if high == top else f"≥ {top}"


def _mode_map(ident: str, share: FloatArray) -> Figure:
    full, none = share < ALMOST, share > 1.0 - ALMOST
    desc = (
        f"Free cooling by hour: full in {int(full.sum())} h, partial in {int((~full & ~none).sum())} h, "
        f"none in {int(none.sum())} h of the year."
    )
    rgb = np.where(_grid(full)[..., None], FULL_RGB, np.where(_grid(none)[..., None], NONE_RGB, PARTIAL_RGB))
    keys, _ = svg.legend(LEFT, 214, (("f-green", "free"), ("f-yellow", "partial"), ("f-heat", "chiller only")), 360)
    rows = []
    for name, f, n in zip(MONTHS, by_month(full.astype(float)), by_month(none.astype(float)), strict=True):
        parts = (float(f.mean()), float(1.0 - f.mean() - n.mean()), float(n.mean()))
        rows.append((name, *(percent(abs(part), 0) for part in parts)))
    table = Table("Free cooling by month", columns("Month", "#Free", "#Partial", "#Chiller only"), tuple(rows))
    return _figure(ident, "Free cooling", desc, _frame(rgb.astype(np.uint8), "Free cooling") + keys, table)


def _figure(ident: str, title: str, desc: str, body: str, table: Table) -> Figure:
    picture: Markup = svg.drawing(ident, title, desc, SIZE, body)
    return Figure(ident, title, desc, (("", picture),), table, wide=False)


def _grid(values: np.ndarray) -> np.ndarray:
    """Return hour 23 on top, day 1 at the left."""
    return values.reshape(DAYS, HOURS).T[::-1]


def _frame(rgb: np.ndarray, title: str) -> str:
    body = svg.element(
        "image", svg.tip(title), href=png(np.ascontiguousarray(rgb)), x=LEFT, y=TOP, width=WIDE, height=HIGH,
        preserveAspectRatio="none", class_="pixels",
    )  # fmt: skip
    for hour in (0, 6, 12, 18, 24):
        body += svg.text(LEFT - 6, TOP + HIGH * (1 - hour / HOURS) + 4, f"{hour}", "tick", "end")
    for start, name in zip(MONTH_STARTS[::1], MONTHS, strict=True):
        x = LEFT + WIDE * start / DAYS
        body += svg.line((x, TOP + HIGH), (x, TOP + HIGH + 4), "axis")
        body += svg.text(x + WIDE / 24, TOP + HIGH + 17, name, "tick", "middle")
    return body


def _scale(low: str, high: str) -> str:
    body = svg.text(LEFT, 214, low, "tick")
    start = LEFT + 14 + len(low) * svg.TEXT_PX
    ramp = png(ramp_rgb(np.linspace(0.0, 1.0, int(RAMP_WIDE)))[None])
    body += svg.element(
        "image", svg.tip("from low to high"), href=ramp, x=start, y=205.0, width=RAMP_WIDE, height=10.0,
        preserveAspectRatio="none",
    )  # fmt: skip
    return body + svg.text(start + RAMP_WIDE + 10, 214, high, "tick")
