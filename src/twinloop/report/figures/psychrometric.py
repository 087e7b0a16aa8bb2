"""The site's outdoor hours on a psychrometric chart, with the recommended intake envelope."""

from __future__ import annotations

import math

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.simulation import SiteYear
from twinloop.report.figures import svg
from twinloop.report.figures.calendar import is_year
from twinloop.report.figures.moist_air import humidity_ratio, humidity_ratio_from_wet_bulb
from twinloop.report.numbers import count, fixed, percent
from twinloop.report.parts import Figure, Table, columns

SIZE, BOX = (960.0, 480.0), (56.0, 56.0, 890.0, 430.0)
PHONE, PHONE_BOX = (svg.PHONE, 400.0), (30.0, 108.0, 344.0, 350.0)
CELL_K, CELL_G = 1.0, 0.5
NEAR = 14.0
"""Lines of text nearer than this would write into each other, px."""
RECOMMENDED_C = (18.0, 27.0)
RECOMMENDED_DEW_C = (-9.0, 15.0)
RECOMMENDED_RH = 0.60
"""Recommended envelope of classes A1 to A4 (low pollution): 18-27 °C, dew point -9 to 15 °C, at most
60 % RH; ASHRAE TC 9.9, Thermal Guidelines, 5th edition (2021)."""


RECOMMENDED_H1_C = (18.0, 22.0)
"""Dry bulb of class H1, same source; the twin's rules use the same."""
ALLOWABLE = {
    "A1": (15.0, 32.0, 17.0, 0.80), "A2": (10.0, 35.0, 21.0, 0.80), "A3": (5.0, 40.0, 24.0, 0.85),
    "A4": (5.0, 45.0, 24.0, 0.90), "H1": (15.0, 25.0, 17.0, 0.80),
}  # fmt: skip
"""Allowable envelope by class: dry bulb from and to, highest dew point, highest relative humidity; same source."""
ALLOWABLE_DRY = (-12.0, 0.08)
"""Dew point and relative humidity below which no class allows to go, whichever is moister; same source."""


def draw(ident: str, year: SiteYear, air_class: str | None = None) -> Figure | None:
    """Return the chart with the envelopes of ``air_class``, of the recommended one alone where that is not known;
    ``None`` where the year carries no outdoor air."""
    dry = year.hourly.get("dry_bulb_c")
    if dry is None or not is_year(dry):
        return None
    grams = _grams(year, dry)
    if grams is None:
        return None
    span_c = RECOMMENDED_H1_C if air_class == "H1" else RECOMMENDED_C
    inside = _inside(dry, grams, span_c)
    cooler = int(np.sum(dry <= span_c[1]))
    allowed = _allowable(air_class) if air_class in ALLOWABLE else []
    across = (min(0.0, float(dry.min())), max(ALLOWABLE.get(air_class or "", (0.0, 35.0))[1], 35.0, float(dry.max())))
    up = (0.0, max([16.0, float(grams.max()), *(g for _, g in allowed)]))
    title = "Outdoor air through the year"
    desc = (
        f"Hours of {year.site} by dry bulb and humidity ratio: {fixed(float(dry.min()), '°C')} to "
        f"{fixed(float(dry.max()), '°C')}; {count(cooler)} h at or below {span_c[1]:g} °C; "
        f"{count(int(inside.sum()))} h inside the recommended intake envelope"
        f"{f' of class {air_class}' if allowed else ''}. Darker squares hold more hours."
    )
    drawn = []
    for name, size, box, about in ((ident, SIZE, BOX, (9, 6)), (f"{ident}-phone", PHONE, PHONE_BOX, (5, 6))):
        p = svg.plot(box, across, up, about)
        body = svg.axes(p, "Dry bulb, °C", "g of water a kg of dry air") + _cells(dry, grams, p) + _curves(p)
        body += svg.polygon([(p.x(t), p.y(g)) for t, g in allowed], "allowable") if allowed else ""
        body += svg.polygon(_envelope(p, span_c), "envelope")
        at = (p.left + 12.0, p.top + 2.0) if size is SIZE else (4.0, 8.0)
        body += _key(at, "class H1" if air_class == "H1" else "A1–A4", air_class if allowed else None)
        drawn.append((("", svg.drawing(name, title, desc, size, body)),))
    note = "Drawn at sea-level pressure; the twin itself uses the station's."
    return Figure(ident, title, desc, drawn[0], _table(dry, grams, inside), note, phone=drawn[1])


def _grams(year: SiteYear, dry: FloatArray) -> FloatArray | None:
    ratio, wet = year.hourly.get("humidity_ratio"), year.hourly.get("wet_bulb_c")
    if ratio is not None and is_year(ratio):
        return ratio * 1e3
    if wet is not None and is_year(wet):
        return humidity_ratio_from_wet_bulb(dry, wet) * 1e3
    return None


def _inside(dry: FloatArray, grams: FloatArray, span_c: tuple[float, float]) -> np.ndarray:
    low, high = (humidity_ratio(dew, 1.0) * 1e3 for dew in RECOMMENDED_DEW_C)
    ceiling = np.array([humidity_ratio(float(t), RECOMMENDED_RH) * 1e3 for t in dry])
    in_range = (dry >= span_c[0]) & (dry <= span_c[1])
    result: np.ndarray = in_range & (grams >= low) & (grams <= np.minimum(high, ceiling))
    return result


def _cells(dry: FloatArray, grams: FloatArray, p: svg.Plot) -> str:
    cells: dict[tuple[int, int], int] = {}
    for t, g in zip(np.floor(dry / CELL_K), np.floor(grams / CELL_G), strict=True):
        cells[int(t), int(g)] = cells.get((int(t), int(g)), 0) + 1
    most = max(cells.values())
    parts = []
    for (t, g), hours in sorted(cells.items()):
        x0, x1 = p.x(t * CELL_K), p.x((t + 1) * CELL_K)
        y0, y1 = p.y((g + 1) * CELL_G), p.y(g * CELL_G)
        shade = 1 + min(4, int(5.0 * math.sqrt(hours / most) * 0.999))
        parts.append(svg.rect(x0, y0, x1 - x0, y1 - y0, f"f-liquid shade{shade}", f"{hours} h"))
    return "".join(parts)


def _curves(p: svg.Plot) -> str:
    body = ""
    left, right, top = p.x_ticks[0], p.x_ticks[-1], p.y_ticks[-1]
    told: list[tuple[float, float, float]] = []
    for share in (1.0, 0.2, 0.6, 0.4, 0.8):
        points: list[svg.Point] = []
        for i in range(121):
            t = left + (right - left) * i / 120
            grams = humidity_ratio(t, share) * 1e3
            if grams > top:
                break
            points.append((p.x(t), p.y(grams)))
        body += svg.polyline(points, "axis" if share == 1.0 else "curve")
        x, y = points[-1]
        side = ("end", -6.0) if x > p.right - 40 else ("start", 4.0)
        words = f"{share * 100:.0f} %" + (" RH" if share == 1.0 else "")
        start = x + side[1] - (svg.advance(words) if side[0] == "end" else 0.0)
        # On a narrow chart the ends of two curves may lie too near for both to be named.
        if all(start > b + 4 or start + svg.advance(words) < a - 4 or abs(y - c) > NEAR for a, b, c in told):
            told.append((start, start + svg.advance(words), y))
            body += svg.text(x + side[1], y - 5, words, "tick", side[0])
    return body


def _allowable(air_class: str) -> list[svg.Point]:
    """Return the corners (°C, g/kg) of a class's allowable envelope."""
    cold, warm, dew_c, share = ALLOWABLE[air_class]
    ends = [cold + (warm - cold) * i / 30 for i in range(31)]
    ceiling = humidity_ratio(dew_c, 1.0)
    floor = humidity_ratio(ALLOWABLE_DRY[0], 1.0)
    upper = [(t, 1e3 * min(ceiling, humidity_ratio(t, share))) for t in ends]
    lower = [(t, 1e3 * max(floor, humidity_ratio(t, ALLOWABLE_DRY[1]))) for t in reversed(ends)]
    return [*upper, *lower]


def _envelope(p: svg.Plot, span_c: tuple[float, float]) -> list[svg.Point]:
    (cold, warm), (dry_dew, wet_dew) = span_c, RECOMMENDED_DEW_C
    floor, ceiling = humidity_ratio(dry_dew, 1.0) * 1e3, humidity_ratio(wet_dew, 1.0) * 1e3
    top = [cold + (warm - cold) * i / 18 for i in range(19)]
    upper = [(t, min(ceiling, humidity_ratio(t, RECOMMENDED_RH) * 1e3)) for t in top]
    corners = [*upper, (warm, floor), (cold, floor)]
    return [(p.x(t), p.y(g)) for t, g in corners]


def _key(at: svg.Point, recommended: str, allowable: str | None) -> str:
    """Return the key from ``at`` down, of the envelopes of these classes."""
    left, top = at
    body = svg.rect(left, top, 14, 10, "envelope")
    body += svg.text(left + 22, top + 9, f"ASHRAE recommended intake, {recommended} (2021)", "label")
    if allowable:
        body += svg.rect(left, top + 20, 14, 10, "allowable")
        body += svg.text(left + 22, top + 29, f"allowable in this hall, class {allowable}", "label")
    top += 40 if allowable else 20
    for shade in range(1, 6):
        body += svg.rect(left + (shade - 1) * 16, top, 16, 10, f"f-liquid shade{shade}")
    return body + svg.text(left + 88, top + 9, "few to many hours", "label")


def _table(dry: FloatArray, grams: FloatArray, inside: np.ndarray) -> Table:
    edges = np.arange(math.floor(dry.min() / 5.0) * 5.0, dry.max() + 5.0, 5.0)
    rows = []
    for low in edges:
        mask = (dry >= low) & (dry < low + 5.0)
        if mask.any():
            mean = fixed(float(grams[mask].mean()), "g/kg")
            share = percent(float(mask.mean()))
            span = f"{svg.tick_label(float(low))} to {svg.tick_label(float(low) + 5.0)} °C"
            rows.append((span, count(int(mask.sum())), share, mean, count(int(inside[mask].sum()))))
    names = columns("Dry bulb", "#Hours", "#Share", "#Mean humidity", "#Hours in envelope")
    return Table("Outdoor hours by dry bulb", names, tuple(rows))
