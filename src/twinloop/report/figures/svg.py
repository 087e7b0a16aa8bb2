"""Small strokes that every figure shares: elements, scales, axes, legends.

Colours are CSS classes (``f-NAME`` fills, ``k-NAME`` strokes, of the palette in ``report.css``), so a
figure follows the page's light or dark theme. All text passes through :func:`text`, which escapes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from twinloop.report.numbers import GROUP_FROM, MINUS, THIN, UNKNOWN

Scale = Callable[[float], float]
Point = tuple[float, float]
PHONE = 360.0
"""Width of a drawing for a narrow screen: its text is then as large as on a wide one."""
TEXT_PX = 7.0
"""Advance of a 12 px character in wide system fonts: decides where labels break."""
LINE_KEY = 24.0
"""Length of a line in a key: two dashes."""
NARROW, WIDE = frozenset("ijlftr.,:;'|()[] "), frozenset("mwMWQOGDNHU@%")


def coordinate(value: float) -> str:
    """Return ``value`` with at most one decimal: a tenth of a pixel is enough.

    >>> coordinate(12.34), coordinate(5.0), coordinate(-0.01)
    ('12.3', '5', '0')
    """
    short = f"{value:.1f}".rstrip("0").rstrip(".")
    return "0" if short == "-0" else short


def element(name: str, content: str = "", /, **attributes: str | float | None) -> str:
    """Return one element; ``class_`` is ``class``, other underscores are hyphens, ``None`` is left out.

    >>> element("rect", x=1.0, class_="f-air")
    '<rect x="1" class="f-air"/>'
    """
    parts = [name]
    for key, value in attributes.items():
        if value is not None:
            plain = coordinate(value) if isinstance(value, (int, float)) else str(escape(value))
            parts.append(f'{key.rstrip("_").replace("_", "-")}="{plain}"')
    head = " ".join(parts)
    return f"<{head}>{content}</{name}>" if content else f"<{head}/>"


def tip(words: str) -> str:
    """Return a hover text for the element it is put into."""
    return element("title", str(escape(words)))


def text(x: float, y: float, words: str, class_: str = "", anchor: str | None = None, turn: float = 0.0) -> str:
    """Return a line of text; an unknown value says so on hover."""
    content = str(escape(words)) + (tip("not known") if words == UNKNOWN else "")
    turned = f"rotate({coordinate(turn)} {coordinate(x)} {coordinate(y)})" if turn else None
    return element("text", content, x=x, y=y, class_=class_ or None, text_anchor=anchor, transform=turned)


def lines(
    x: float, y: float, rows: Sequence[str], class_: str = "", anchor: str | None = None, step: float = 14
) -> str:
    """Return lines of text under each other."""
    return "".join(text(x, y + i * step, row, class_, anchor) for i, row in enumerate(rows))


def wrapped(words: str, width_px: float, most: int = 3) -> list[str]:
    """Return ``words`` broken to about ``width_px``; what does not fit ``most`` lines ends in an ellipsis.

    >>> wrapped("power conversion and lights", 120.0)
    ['power conversion', 'and lights']
    """
    room = max(4, int(width_px / TEXT_PX))
    rows: list[str] = []
    for word in words.split():
        if rows and len(rows[-1]) + 1 + len(word) <= room:
            rows[-1] += f" {word}"
        else:
            rows.append(word)
    rows = [row if len(row) <= room else f"{row[: room - 1]}…" for row in rows]
    return rows if len(rows) <= most else [*rows[: most - 1], f"{rows[most - 1][: room - 1]}…"]


def rect(x: float, y: float, width: float, height: float, class_: str, hint: str = "", rx: float | None = None) -> str:
    """Return a rectangle, never of negative size."""
    content = tip(hint) if hint else ""
    return element("rect", content, x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), rx=rx, class_=class_)


def line(start: Point, end: Point, class_: str) -> str:
    """Return a straight line."""
    return element("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=class_)


def polyline(points: Sequence[Point], class_: str) -> str:
    """Return an open path through ``points``."""
    joined = " ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in points)
    return element("polyline", points=joined, class_=f"{class_} nofill")


def polygon(points: Sequence[Point], class_: str, hint: str = "") -> str:
    """Return a closed shape."""
    joined = " ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in points)
    return element("polygon", tip(hint) if hint else "", points=joined, class_=class_)


def path(data: str, class_: str, hint: str = "") -> str:
    """Return a path of SVG path data."""
    return element("path", tip(hint) if hint else "", d=data, class_=class_)


def drawing(ident: str, title: str, desc: str, size: Point, body: str) -> Markup:
    """Return the whole picture, named and described for those who cannot see it."""
    head = element("title", str(escape(title)), id=f"{ident}-title")
    head += element("desc", str(escape(desc)), id=f"{ident}-desc")
    width, height = size
    return Markup(
        f'<svg viewBox="0 0 {coordinate(width)} {coordinate(height)}" role="img" '
        f'aria-labelledby="{ident}-title {ident}-desc" style="--w:{coordinate(width)}">{head}{body}</svg>'
    )


def advance(words: str) -> float:
    """Return the width of ``words`` at 12 px in wide system fonts.

    >>> advance("ill") < advance("mow")
    True
    """
    return sum(4.8 if letter in NARROW else 11.0 if letter in WIDE else 7.6 for letter in words)


def linear(domain: Point, extent: Point) -> Scale:
    """Return the straight map of ``domain`` onto ``extent``; an empty domain maps to the middle.

    >>> linear((0.0, 10.0), (0.0, 100.0))(2.5)
    25.0
    """
    (low, high), (start, end) = domain, extent
    if high == low:
        return lambda _: (start + end) / 2.0
    return lambda value: start + (value - low) / (high - low) * (end - start)


def ticks(low: float, high: float, about: int = 5) -> tuple[float, ...]:
    """Return round values that cover ``low`` to ``high``.

    >>> ticks(0.0, 9.3)
    (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)
    """
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        high = low + 1.0
    raw = (high - low) / about
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if size * factor >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(i * step, 12) for i in range(first, last + 1))


def tick_label(value: float) -> str:
    """Return a tick's text without needless zeros.

    >>> tick_label(2.0), tick_label(0.25), tick_label(-5.0), tick_label(8760.0)
    ('2', '0.25', '−5', '8760')
    """
    grouped = f"{abs(value):,.6f}" if abs(value) >= GROUP_FROM else f"{abs(value):.6f}"
    plain = grouped.rstrip("0").rstrip(".").replace(",", THIN)
    return f"{MINUS}{plain}" if value < 0.0 and plain != "0" else plain


@dataclass(frozen=True)
class Plot:
    """The rectangle that data is drawn in, with its scales; built by :func:`plot`."""

    left: float
    top: float
    right: float
    bottom: float
    x: Scale
    y: Scale
    x_ticks: tuple[float, ...]
    y_ticks: tuple[float, ...]


def plot(box: tuple[float, float, float, float], x: Point, y: Point, about: tuple[int, int] = (6, 5)) -> Plot:
    """Return a plot in ``box`` (left, top, right, bottom) whose axes end at round values."""
    left, top, right, bottom = box
    x_ticks, y_ticks = ticks(*x, about[0]), ticks(*y, about[1])
    return Plot(
        left, top, right, bottom,
        linear((x_ticks[0], x_ticks[-1]), (left, right)), linear((y_ticks[0], y_ticks[-1]), (bottom, top)),
        x_ticks, y_ticks,
    )  # fmt: skip


def axes(p: Plot, x_name: str = "", y_name: str = "", *, x_labels: bool = True) -> str:
    """Return gridlines, tick labels and axis names of ``p``."""
    rows = [line((p.left, p.y(v)), (p.right, p.y(v)), "grid") for v in p.y_ticks]
    rows += [text(p.left - 8, p.y(v) + 4, tick_label(v), "tick", "end") for v in p.y_ticks]
    rows.append(line((p.left, p.bottom), (p.right, p.bottom), "axis"))
    if x_labels:
        rows += [text(p.x(v), p.bottom + 18, tick_label(v), "tick", "middle") for v in p.x_ticks]
    if x_name:
        rows.append(text((p.left + p.right) / 2, p.bottom + 38, x_name, "name", "middle"))
    if y_name:
        rows.append(text(4.0, p.top - 14, y_name, "name", "start"))
    return "".join(rows)


def legend(x: float, y: float, entries: Sequence[tuple[str, str]], width: float = 900.0) -> tuple[str, float]:
    """Return a row of (class, name) keys from ``x``, ``y``, and the height that it took.

    A fill class is keyed by a square, a stroke class by a piece of its line, dashed where the line is.
    """
    rows, at, down = [], x, 0.0
    for class_, name in entries:
        need = 36 + advance(name)
        if at > x and at + need > x + width:
            at, down = x, down + 20
        middle = y + down - 4
        drawn = class_.startswith("k-")
        mark = line((at, middle), (at + LINE_KEY, middle), f"{class_} curve-line") if drawn else (
            rect(at, y + down - 9, 12, 10, class_, rx=2))  # fmt: skip
        start = LINE_KEY if drawn else 12.0
        rows.append(mark + text(at + start + 6, y + down, name, "label"))
        at += need + start - 12.0
    return "".join(rows), down + 20
