"""Where the heat goes: ribbons from components to outdoor air, as wide as their yearly mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from twinloop.model.simulation import HeatFlow
from twinloop.report.figures import svg
from twinloop.report.numbers import percent, power, words
from twinloop.report.parts import Figure, Table, columns

WIDTH, TOP, BOTTOM, NODE = 960.0, 18.0, 14.0, 14.0
GAP = 6.0
LABEL = 22.0
"""Least height a node takes with its one-line label."""
TWO_LINES = 34.0
"""The same where the name and its power take a line each; a node of this height has them so anyway."""
TICK = 11.0 / 12.0
"""Size of a node's one-line label over that of other text."""
LEFT, RIGHT = 4.0, 96.0
PHONE_NODE, PHONE_LABEL = 16.0, 19.0
"""On a narrow screen a node is as wide as its number, and the names stand in a key below."""
PASSING = "\u2192"
"""Marks the place that a ribbon keeps free in a column it passes."""
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
    column = _columns(kept)
    layers = _ordered(_stepwise(kept, column), column)
    across = _across(layers)
    nodes = _placed(layers, 400.0, lambda node: LABEL if _on_one_line(node, across) else TWO_LINES)
    ends = list(dict.fromkeys(flow.target for flow in kept if not any(f.origin == flow.target for f in kept)))
    starts = {flow.origin for flow in kept if not any(f.target == flow.origin for f in kept)}
    heat_w = sum(flow.mean_w for flow in kept if flow.origin in starts)
    title = "Where the heat goes"
    desc = (
        f"Yearly mean heat flow at {place}: {power(heat_w)} enters from {len(starts)} sources and leaves "
        f"to {', '.join(ends) or 'nowhere drawn'}. Ribbon width is in proportion to power."
    )
    real = [node for node in nodes.values() if PASSING not in node.name]
    body = _ribbons(kept, nodes, across) + "".join(_node(node, across) for node in real)
    table = Table(
        "Heat flows, yearly mean",
        columns("From", "To", "#Mean power", "#Share of all heat"),
        tuple(
            (words(f.origin), words(f.target), power(f.mean_w), percent(f.mean_w / heat_w if heat_w else None))
            for f in kept
        ),
    )
    height = max(node.y + node.height for node in nodes.values()) + BOTTOM
    picture = svg.drawing(ident, title, desc, (WIDTH, max(height, 120.0)), body)
    phone, size = _phone(kept, layers)
    small = svg.drawing(f"{ident}-phone", title, desc, size, phone)
    return Figure(ident, title, desc, (("", picture),), table, phone=(("", small),))


def _phone(flows: tuple[HeatFlow, ...], layers: list[list[_Node]]) -> tuple[str, svg.Point]:
    """Return the picture with a number on every node and the names in a key below, and its size."""
    nodes = _placed(layers, 260.0, lambda _: PHONE_LABEL)
    last = len(layers) - 1
    across = [1.0 + (svg.PHONE - 2.0 - PHONE_NODE) * i / max(last, 1) for i in range(last + 1)]
    real = [node for node in nodes.values() if PASSING not in node.name]
    body = _ribbons(flows, nodes, across, PHONE_NODE)
    down = max(node.y + max(node.height, PHONE_LABEL) for node in real) + 20.0
    for i, node in enumerate(real):
        x, y = across[node.column], node.y + node.height / 2.0 + 4.0
        body += svg.rect(x, node.y, PHONE_NODE, node.height, f"f-{_colour(node.name)}", node.name)
        body += svg.text(x + PHONE_NODE / 2.0, y, f"{i + 1}", "tick halo", "middle")
        row = svg.wrapped(f"{i + 1} {words(node.name)}", 180.0, 1)[0]
        place = (4.0, down + i * 17.0)
        body += svg.rect(place[0], place[1] - 9.0, 10.0, 10.0, f"f-{_colour(node.name)}", rx=2)
        body += svg.text(place[0] + 16.0, place[1], row, "label")
        body += svg.text(svg.PHONE - 4.0, place[1], power(node.value_w), "tick", "end")
    return body, (svg.PHONE, down + len(real) * 17.0)


def _stepwise(flows: tuple[HeatFlow, ...], column: dict[str, int]) -> tuple[HeatFlow, ...]:
    """Return ``flows`` cut at every column they pass, and enter those places in ``column``.

    So a ribbon that spans columns keeps a lane of its own, and none runs across another's node.
    """
    found = []
    for flow in flows:
        origin = flow.origin
        for at in range(column[flow.origin] + 1, column[flow.target]):
            lane = _lane(flow, at)
            column[lane] = at
            found.append(replace(flow, origin=origin, target=lane))
            origin = lane
        found.append(replace(flow, origin=origin))
    return tuple(found)


def _lane(flow: HeatFlow, column: int) -> str:
    return f"{flow.origin} {PASSING} {flow.target} {column}"


def _across(layers: list[list[_Node]]) -> list[float]:
    last = max(len(layers) - 1, 1)
    return [LEFT + (WIDTH - LEFT - RIGHT - NODE) * i / last for i in range(len(layers))]


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


def _placed(layers: list[list[_Node]], room: float, label: Callable[[_Node], float]) -> dict[str, _Node]:
    """Give every node its place, at least ``label`` high; columns are centred on the tallest one."""
    per_w = min(room / sum(n.value_w for n in layer) for layer in layers)
    per_w = max(per_w, 40.0 / max(n.value_w for layer in layers for n in layer))
    heights = [sum(_slot(n, per_w, label(n)) for n in layer) for layer in layers]
    placed = {}
    for layer, height in zip(layers, heights, strict=True):
        y = TOP + (max(heights) - height) / 2.0
        for node in layer:
            size = max(node.value_w * per_w, 1.5)
            slot = _slot(node, per_w, label(node))
            placed[node.name] = _Node(node.name, node.column, node.value_w, y + (slot - GAP - size) / 2.0, size)
            y += slot
    return placed


def _slot(node: _Node, per_w: float, label: float) -> float:
    """Return the height kept for ``node``: its own, at least that of its label where it has one."""
    least = 0.0 if PASSING in node.name else label - GAP
    return max(node.value_w * per_w, least) + GAP


def _ribbons(flows: tuple[HeatFlow, ...], nodes: dict[str, _Node], across: list[float], wide: float = NODE) -> str:
    lanes = {flow: [nodes[_lane(flow, at)] for at in range(nodes[flow.origin].column + 1, nodes[flow.target].column)]
             for flow in flows}  # fmt: skip
    stops: dict[HeatFlow, list[tuple[float, float, float]]] = {flow: [] for flow in flows}
    # Ribbons leave a node, and enter one, in the order of where they go to and come from: none cross there.
    filled = dict.fromkeys(nodes, 0.0)
    for flow in sorted(flows, key=lambda f: lanes[f][0].y if lanes[f] else nodes[f.target].y):
        node = nodes[flow.origin]
        thick = flow.mean_w / node.value_w * node.height
        stops[flow].append((across[node.column] + wide, node.y + filled[node.name], thick))
        filled[node.name] += thick
    for flow, passed in lanes.items():
        for lane in passed:
            x = across[lane.column]
            stops[flow] += [(x, lane.y, lane.height), (x + wide, lane.y, lane.height)]
    filled = dict.fromkeys(nodes, 0.0)
    for flow in sorted(flows, key=lambda f: lanes[f][-1].y if lanes[f] else nodes[f.origin].y):
        node = nodes[flow.target]
        thick = flow.mean_w / node.value_w * node.height
        stops[flow].append((across[node.column], node.y + filled[node.name], thick))
        filled[node.name] += thick
    return "".join(_ribbon(stops[flow], flow) for flow in flows)


def _ribbon(stops: list[tuple[float, float, float]], flow: HeatFlow) -> str:
    """Draw one ribbon through (x, top, thickness) of ``stops``."""
    c = svg.coordinate
    data = f"M{c(stops[0][0])},{c(stops[0][1])}"
    for (x0, y0, _), (x1, y1, _) in pairwise(stops):
        mid = c((x0 + x1) / 2.0)
        data += f"C{mid},{c(y0)} {mid},{c(y1)} {c(x1)},{c(y1)}"
    data += f"V{c(stops[-1][1] + stops[-1][2])}"
    for (x1, y1, t1), (x0, y0, t0) in pairwise(reversed(stops)):
        mid = c((x0 + x1) / 2.0)
        data += f"C{mid},{c(y1 + t1)} {mid},{c(y0 + t0)} {c(x0)},{c(y0 + t0)}"
    data += "Z"
    colour = _colour(flow.target)
    if colour in ("grey", "ink"):
        colour = _colour(flow.origin)
    return svg.path(data, f"f-{colour} ribbon", f"{flow.origin} to {flow.target}: {power(flow.mean_w)}")


def _on_one_line(node: _Node, across: list[float]) -> bool:
    """Return whether name and power reach no further than the next column."""
    line = f"{words(node.name)} · {power(node.value_w)}"
    return svg.advance(line) * TICK <= across[1] - across[0] - NODE - 8.0


def _node(node: _Node, across: list[float]) -> str:
    x, name = across[node.column], words(node.name)
    middle = node.y + node.height / 2.0 + 4.0
    box = svg.rect(x, node.y, NODE, node.height, f"f-{_colour(node.name)}", f"{node.name}: {power(node.value_w)}")
    if node.height < TWO_LINES and _on_one_line(node, across):
        return box + svg.text(x + NODE + 6, middle, f"{name} · {power(node.value_w)}", "tick halo")
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
