"""A fault's timeline: chips, coolants and air, power, one above the other, with what happened when."""

from __future__ import annotations

import datetime

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.simulation import Incident
from twinloop.report.figures import svg
from twinloop.report.numbers import duration, fixed, power
from twinloop.report.parts import Figure, Table, columns

WIDTH, LEFT, PHONE_LEFT, RIGHT = 960.0, 64.0, 40.0, 16.0
"""Width of the drawing, of the room left of a panel (on a narrow screen) and right of it."""
TOP, HEIGHT, GAP = 28.0, 150.0, 44.0
BUCKETS = 400
"""Each is drawn by its lowest and highest value, so that no spike is lost."""
MOST_MARKS = 24
STEPS_S = (60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10800.0, 14400.0, 21600.0, 43200.0, 86400.0)
Curves = tuple[tuple[str, str, str], ...]
PANELS: tuple[tuple[str, str, float, Curves], ...] = (
    (
        "Chips, K left", "K", 1.0,
        (("worst_margin_k", "hottest chip below its throttle temperature", "heat"), ("margin_k", "average", "amber")),
    ),
    (
        "Air and water, °C", "°C", 1.0,
        (
            ("rack_coolant_c", "coolant in racks", "heat"), ("coolant_c", "coolant supply", "violet"),
            ("intake_c", "server intake", "air"), ("warm_supply_c", "warm water", "green"),
            ("cold_supply_c", "cold water", "liquid"),
        ),
    ),
    ("Power, kW", "kW", 1e-3, (("facility_w", "facility", "grey"), ("it_w", "IT", "liquid"))),
)  # fmt: skip
"""(axis, unit, scale, (column, name, colour))."""


def draw(ident: str, incident: Incident) -> Figure:
    """Return the timeline of ``incident``: solid with the faults, dashed without."""
    title, desc = f"Timeline of {incident.site}", _words(incident)
    body, height = _panels(incident, (LEFT, WIDTH - RIGHT))
    picture = svg.drawing(ident, title, desc, (WIDTH, height), body)
    body, height = _panels(incident, (PHONE_LEFT, svg.PHONE - RIGHT))
    phone = svg.drawing(f"{ident}-phone", title, desc, (svg.PHONE, height), body)
    table = _table(incident)
    return Figure(ident, title, desc, (("", picture),), table, phone=(("", phone),))


def _table(incident: Incident) -> Table:
    """Return what happened when, with the curves' values at that moment."""
    have = [
        (key, f"{axis.partition(',')[0]}: {name}", unit, scale)
        for axis, unit, scale, curves in PANELS
        for key, name, _ in curves
        if key in incident.columns
    ]
    last = len(incident.columns["it_w"]) - 1
    rows = []
    for at, sentence in _events(incident):
        step = min(int(at // incident.step_s), last)
        values = ((float(incident.columns[key][step]) * scale, unit) for key, _, unit, scale in have)
        cells = (power(value * 1e3) if unit == "kW" else fixed(value, unit) for value, unit in values)
        rows.append((_clock(incident, at), sentence[15:], *cells))
    head = columns("Time", "~Event", *(f"#{name}" for _, name, _, _ in have))
    return Table("What happened, and the state then", head, tuple(rows))


def _panels(incident: Incident, span: svg.Point) -> tuple[str, float]:
    """Return the panels between the x of ``span``, each below its key, and their height."""
    shown, narrow = _stretch(incident), span[0] < LEFT
    body, top, first = "", TOP, 0.0
    for name, _, scale, curves in PANELS:
        have = tuple(curve for curve in curves if curve[0] in incident.columns)
        start = 4.0 if narrow else span[0] + 130.0
        entries = [(f"k-{colour}", words) for _, words, colour in have]
        keys, down = svg.legend(start, top + (18.0 if narrow else 0.0), entries, span[1] - start - 20.0)
        body += svg.text(4.0, top, name, "name") + keys
        top += down + (12.0 if narrow else -6.0) + (0.0 if first else 16.0)
        first = first or top
        body += _panel(incident, shown, (span[0], top, span[1], top + HEIGHT), name, scale, have)
        top += HEIGHT + GAP
    return _marks(incident, shown, span, (first, top - GAP)) + body, top - GAP + 30.0


CUT = 0.005
"""Less than this share of IT power is a fan's or a leak's doing, not a loss of work."""


def _words(incident: Incident) -> str:
    first, last = (int(at // incident.step_s) for at in _stretch(incident))
    shown = {name: values[first : max(last, first + 1)] for name, values in incident.columns.items()}
    margin_k = float(np.min(shown["worst_margin_k"]))
    faults = "; ".join(incident.faults) or "no fault"
    beside = " Dashed: the same hall without the faults." if incident.in_order else ""
    near = (
        f"comes within {fixed(margin_k, 'K')} of its throttle temperature"
        if margin_k > 0.0
        else f"passes its throttle temperature by {fixed(-margin_k, 'K')}"
    )
    when = incident.window[:1].upper() + incident.window[1:]
    return f"{when}: {faults}. In the stretch drawn the hottest chip {near}.{_lost(incident)}{beside}"


def _lost(incident: Incident) -> str:
    """Return what the faults cut from IT power, beside the same hall in order; empty without faults."""
    if not incident.in_order:
        return ""
    order_w = incident.in_order["it_w"]
    lost_w = order_w - incident.columns["it_w"]
    worst = int(np.argmax(lost_w))
    if lost_w[worst] < CUT * order_w[worst]:
        return " The faults cut no IT power."
    return f" At worst the faults cut {power(float(lost_w[worst]))} of {power(float(order_w[worst]))} of IT power."


def _stretch(incident: Incident) -> tuple[float, float]:
    """Return the part worth drawing: from a little before the first fault until well after the last event."""
    whole = len(incident.columns["it_w"]) * incident.step_s
    if not incident.fault_spans_s:
        return 0.0, whole
    first = min(span[0] for span in incident.fault_spans_s)
    last = max([span[1] for span in incident.fault_spans_s] + list(incident.event_times_s))
    room = max(0.25 * (last - first), 300.0)
    return max(first - room, 0.0), min(last + room, whole)


def _events(incident: Incident) -> list[tuple[float, str]]:
    return list(zip(incident.event_times_s, incident.events, strict=True))


def _clock(incident: Incident, after_s: float) -> str:
    moment = datetime.timedelta(seconds=(incident.first_moment_s + after_s) % 86400.0)
    return str(moment).rjust(8, "0")


def _marks(incident: Incident, shown: tuple[float, float], span: svg.Point, high: svg.Point) -> str:
    """Return shaded faults and numbered events across all panels, from and to the y of ``high``."""
    x = svg.linear(shown, span)
    top, bottom = high
    body = ""
    for (start, end), words in zip(incident.fault_spans_s, incident.faults, strict=True):
        left, right = x(max(start, shown[0])), x(min(end, shown[1]))
        body += svg.rect(left, top, max(right - left, 1.5), bottom - top, "f-amber soft", words)
    inside = [(n, at, words) for n, (at, words) in enumerate(_events(incident), 1) if shown[0] <= at <= shown[1]]
    last_x = -1e9
    for n, at, words in inside[:MOST_MARKS]:
        body += svg.line((x(at), top - 4), (x(at), bottom), "grid")
        if x(at) - last_x > 14:
            body += svg.element(
                "text", str(n) + svg.tip(words), x=x(at), y=top - 7, class_="tick", text_anchor="middle"
            )
            last_x = x(at)
    return body + svg.text(span[0] - 8, top - 9, "event", "tick faint", "end")


def _panel(
    incident: Incident, shown: tuple[float, float], box: tuple[float, float, float, float], name: str, scale: float,
    curves: Curves,
) -> str:  # fmt: skip
    """Return one plot with its curves."""
    limit = 0.0 if name.startswith("Chips") else None
    drawn = {key: _thin(incident.columns[key] * scale, incident.step_s, shown) for key, _, _ in curves}
    dashed = {
        key: _thin(incident.in_order[key] * scale, incident.step_s, shown) for key, _, _ in curves if incident.in_order
    }
    values = [y for points in (*drawn.values(), *dashed.values()) for _, y in points]
    values += [] if limit is None else [limit]
    p = svg.plot(box, shown, (min(values), max(values)), (6, 4))
    x = svg.linear(shown, (box[0], box[2]))
    body = svg.axes(p, y_name="", x_labels=False) + _hours(incident, shown, x, box[3], 9 if box[0] >= LEFT else 4)
    if limit is not None:
        body += svg.line((box[0], p.y(limit)), (box[2], p.y(limit)), "k-heat dashed")
        body += svg.text(box[2], p.y(limit) - 5, "throttles", "tick", "end")
    for key, _, colour in curves:
        if key in dashed:
            body += svg.polyline([(x(at), p.y(y)) for at, y in dashed[key]], f"k-{colour} dashed")
        body += svg.polyline([(x(at), p.y(y)) for at, y in drawn[key]], f"k-{colour} curve-line")
    return body


def _hours(incident: Incident, shown: tuple[float, float], x: svg.Scale, bottom: float, most: int) -> str:
    """Return clock labels at round times."""
    step = next((size for size in STEPS_S if (shown[1] - shown[0]) / size <= most), STEPS_S[-1])
    first = np.ceil((incident.first_moment_s + shown[0]) / step) * step - incident.first_moment_s
    ticks = np.arange(first, shown[1] + 1.0, step)
    return "".join(
        svg.line((x(at), bottom), (x(at), bottom + 5), "axis")
        + svg.text(x(at), bottom + 18, _clock(incident, float(at))[:5], "tick", "middle")
        for at in ticks.tolist()
    )


def _thin(values: FloatArray, step_s: float, shown: tuple[float, float]) -> list[tuple[float, float]]:
    """Return (time, value) points: all, or the lowest and highest of each bucket in their order."""
    first, last = int(shown[0] // step_s), min(int(np.ceil(shown[1] / step_s)), len(values))
    part = values[first:last]
    times = (np.arange(first, last) + 1.0) * step_s
    if part.size <= 2 * BUCKETS:
        return list(zip(times.tolist(), part.tolist(), strict=True))
    points = []
    for index in np.array_split(np.arange(part.size), BUCKETS):
        low, high = index[np.argmin(part[index])], index[np.argmax(part[index])]
        points += [(float(times[i]), float(part[i])) for i in sorted({int(low), int(high)})]
    return points


def how_long(seconds: float | None) -> str:
    """Return a time to throttling or shutdown in words."""
    return "never" if seconds is None else duration(seconds)
