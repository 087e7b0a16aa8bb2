"""Where the heat goes: ribbons from components to outdoor air, as wide as their yearly mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from twinloop.model.simulation import HeatFlow
from twinloop.report.figures import svg
from twinloop.report.numbers import percent, power, words
from twinloop.report.parts import Figure, Table, columns

WIDTH, TOP, BOTTOM, NODE = 960.0, 18.0, 14.0, 14.0
GAP = 6.0
LABEL = 22.0
"""Least height a node takes with its one-line label."""
TICK = 11.0 / 12.0
"""Size of a node's one-line label over that of other text."""
LEFT, RIGHT = 4.0, 96.0
DEEPEST = 12
"""No plant has longer chains; a loop in the data ends here instead of running for ever."""


@dataclass(frozen=True)
class _Node:
    name: str
    column: int
    value_w: float
    y: float = 0.0
    height: float = 0.0


def draw(ident: str, flows: tuple[HeatFlow, ...], place: str) -> Figure | None:
    """Return the heat-flow picture of ``place``; ``None`` without flows."""
    kept = tuple(flow for flow in flows if flow.mean_w > 0.0 and flow.origin != flow.target)
    if not kept:
        return None
    nodes = _placed(_ordered(kept, _columns(kept)), 400.0)
    ends = [name for name in nodes if not any(flow.origin == name for flow in kept)]
    starts = [name for name in nodes if not any(flow.target == name for flow in kept)]
    heat_w = sum(flow.mean_w for flow in kept if flow.origin in starts)
    title = "Where the heat goes"
    desc = (
        f"Yearly mean heat flow at {place}: {power(heat_w)} enters from {len(starts)} sources and leaves "
        f"to {', '.join(ends) or 'nowhere drawn'}. Ribbon width is in proportion to power."
    )
    body = _ribbons(kept, nodes) + "".join(_node(node, kept) for node in nodes.values())
    table = Table(
        "Heat flows, yearly mean",
        columns("From", "To", "#Mean power", "#Share of all heat"),
        tuple((f.origin, f.target, power(f.mean_w), percent(f.mean_w / heat_w if heat_w else None)) for f in kept),
    )
    height = max(node.y + node.height for node in nodes.values()) + BOTTOM
    picture = svg.drawing(ident, title, desc, (WIDTH, max(height, 120.0)), body)
    return Figure(ident, title, desc, (("", picture),), table)


def _columns(flows: tuple[HeatFlow, ...]) -> dict[str, int]:
    """Place each node one right of its latest origin; a side source stands just left of its target."""
    names = list(dict.fromkeys(name for flow in flows for name in (flow.origin, flow.target)))
    column = dict.fromkeys(names, 0)
    for _ in range(DEEPEST):
        for flow in flows:
            column[flow.target] = min(max(column[flow.target], column[flow.origin] + 1), DEEPEST)
    fed = {flow.target for flow in flows}
    for name in names:
        if name not in fed:
            column[name] = max(0, min(column[flow.target] for flow in flows if flow.origin == name) - 1)
    sinks = [name for name in names if not any(flow.origin == name for flow in flows)]
    last = max(column.values())
    column.update(dict.fromkeys(sinks, last))
    used = {value: rank for rank, value in enumerate(sorted(set(column.values())))}
    return {name: used[value] for name, value in column.items()}


def _ordered(flows: tuple[HeatFlow, ...], column: dict[str, int]) -> list[list[_Node]]:
    """Return nodes by column, ordered by the mean height of what feeds them so that ribbons cross little."""
    value = {name: max(_sum(flows, "target", name), _sum(flows, "origin", name)) for name in column}
    layers: list[list[_Node]] = []
    rank: dict[str, float] = {}
    for at in range(max(column.values()) + 1):
        names = [name for name in column if column[name] == at]
        weight = {name: _feed(flows, name, rank) for name in names}
        names.sort(key=lambda name: (weight[name], -value[name], name))
        rank.update({name: (i + 0.5) / len(names) for i, name in enumerate(names)})
        layers.append([_Node(name, at, value[name]) for name in names])
    return layers


def _feed(flows: tuple[HeatFlow, ...], name: str, rank: dict[str, float]) -> float:
    feeding = [(rank[f.origin], f.mean_w) for f in flows if f.target == name and f.origin in rank]
    total = sum(weight for _, weight in feeding)
    if total > 0.0:
        return sum(place * weight for place, weight in feeding) / total
    return 0.0 if not rank else 1.5  # side sources below the stream they join


def _sum(flows: tuple[HeatFlow, ...], side: str, name: str) -> float:
    return sum(flow.mean_w for flow in flows if getattr(flow, side) == name)


def _placed(layers: list[list[_Node]], room: float) -> dict[str, _Node]:
    """Give every node its place; columns are centred on the tallest one."""
    per_w = min(room / sum(n.value_w for n in layer) for layer in layers)
    per_w = max(per_w, 40.0 / max(n.value_w for layer in layers for n in layer))
    heights = [sum(_slot(n.value_w * per_w) for n in layer) for layer in layers]
    placed = {}
    for layer, height in zip(layers, heights, strict=True):
        y = TOP + (max(heights) - height) / 2.0
        for node in layer:
            size = max(node.value_w * per_w, 1.5)
            slot = _slot(size)
            placed[node.name] = _Node(node.name, node.column, node.value_w, y + (slot - GAP - size) / 2.0, size)
            y += slot
    return placed


def _slot(size: float) -> float:
    return max(size, LABEL - GAP) + GAP


def _x(column: int, last: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT - NODE) * column / max(last, 1)


def _ribbons(flows: tuple[HeatFlow, ...], nodes: dict[str, _Node]) -> str:
    last = max(node.column for node in nodes.values())
    out = dict.fromkeys(nodes, 0.0)
    into = dict.fromkeys(nodes, 0.0)
    parts = []
    for flow in sorted(flows, key=lambda f: (nodes[f.origin].y, nodes[f.target].y)):
        a, b = nodes[flow.origin], nodes[flow.target]
        thick_a, thick_b = (flow.mean_w / n.value_w * n.height for n in (a, b))
        y0, y1 = a.y + out[a.name], b.y + into[b.name]
        out[a.name] += thick_a
        into[b.name] += thick_b
        parts.append(_ribbon((_x(a.column, last) + NODE, y0, thick_a), (_x(b.column, last), y1, thick_b), flow))
    return "".join(parts)


def _ribbon(a: tuple[float, float, float], b: tuple[float, float, float], flow: HeatFlow) -> str:
    (x0, y0, t0), (x1, y1, t1), c = a, b, svg.coordinate
    mid = c((x0 + x1) / 2.0)
    data = (
        f"M{c(x0)},{c(y0)}C{mid},{c(y0)} {mid},{c(y1)} {c(x1)},{c(y1)}"
        f"V{c(y1 + t1)}C{mid},{c(y1 + t1)} {mid},{c(y0 + t0)} {c(x0)},{c(y0 + t0)}Z"
    )
    colour = _colour(flow.target)
    if colour in ("grey", "ink"):
        colour = _colour(flow.origin)
    return svg.path(data, f"f-{colour} ribbon", f"{flow.origin} to {flow.target}: {power(flow.mean_w)}")


def _node(node: _Node, flows: tuple[HeatFlow, ...]) -> str:
    last = max(_columns(flows).values())
    x = _x(node.column, last)
    name = words(node.name)
    middle = node.y + node.height / 2.0 + 4.0
    box = svg.rect(x, node.y, NODE, node.height, f"f-{_colour(node.name)}", f"{node.name}: {power(node.value_w)}")
    if node.height < 34.0:
        # A longer line would run into the next column; hover and table have the value.
        line = f"{name} · {power(node.value_w)}"
        line = line if svg.advance(line) * TICK <= _x(1, last) - _x(0, last) - NODE - 8.0 else name
        return box + svg.text(x + NODE + 6, middle, line, "tick halo")
    label = svg.text(x + NODE + 6, middle - 6.0, name, "label halo")
    return box + label + svg.text(x + NODE + 6, middle + 8.0, power(node.value_w), "tick halo")


def _colour(name: str) -> str:
    """Air is sky blue, liquid blue, chilled water green, auxiliary power violet, components amber."""
    kinds: Iterable[tuple[str, tuple[str, ...]]] = (
        ("violet", ("pump", "compressor", "fan", "power chain", "transformer")),
        ("grey", ("outdoor", "servers", "outside")),
        ("air", ("air", "door", "crah", "handler")),
        ("liquid", ("plate", "bath", "warm", "cdu", "coolant")),
        ("green", ("cold", "chill")),
        ("heat", ("reuse", "heat")),
    )
    return next((colour for colour, marks in kinds if any(mark in name for mark in marks)), "amber")
