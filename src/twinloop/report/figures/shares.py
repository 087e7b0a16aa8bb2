"""What an estimate is made of: time, memory and power, each as one bar of its parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twinloop.report.figures import svg
from twinloop.report.figures.breakdown import CAUSES
from twinloop.report.figures.layout import HOLDS
from twinloop.report.numbers import duration, memory, percent, power, words
from twinloop.report.parts import Figure, Table, columns

WIDTH, LEFT, AFTER = 960.0, 16.0, 100.0
DRAWS = {
    "accelerator": "liquid", "cpu": "air", "memory": "green", "network": "amber", "storage": "violet",
    "fans": "heat", "psu_loss": "grey",
}  # fmt: skip
"""What draws power in a server -> colour."""
KINDS: tuple[tuple[str, str, str, dict[str, str], Callable[[float], str]], ...] = (
    ("time", "Where the time goes", "time_breakdown_s", CAUSES, duration),
    ("memory", "What memory holds", "memory_breakdown_gb", HOLDS, memory),
    ("power", "What a server draws", "power_w", DRAWS, power),
)
"""(name, title, key of the answer, part -> colour, how a value is written)."""


def draw_all(answer: dict[str, Any]) -> dict[str, Figure]:
    """Return name -> figure of what ``answer`` holds, an ``estimate`` as its JSON."""
    found = {}
    for name, title, key, colours, show in KINDS:
        held = answer.get(key) or {}
        parts = {part: float(held[part]) for part in colours if held.get(part)}
        if parts:
            found[name] = _draw(name, title, parts, colours, show)
    return found


def _draw(
    name: str, title: str, parts: dict[str, float], colours: dict[str, str], show: Callable[[float], str]
) -> Figure:
    total = sum(parts.values())
    entries = [(f"f-{colours[part]}", f"{words(part)} {show(value)}") for part, value in parts.items()]
    body, down = svg.legend(LEFT, 20.0, entries, WIDTH - LEFT - 20.0)
    x, y = LEFT, down + 14.0
    for part, value in parts.items():
        size = (WIDTH - LEFT - AFTER) * value / total
        hint = f"{words(part)}: {show(value)}, {percent(value / total)}"
        body += svg.rect(x, y, size, 26.0, f"f-{colours[part]} edge", hint)
        x += size
    body += svg.text(x + 8.0, y + 17.0, show(total), "label")
    largest = max(parts, key=lambda part: parts[part])
    desc = f"{show(total)}, of which {words(largest)} takes {percent(parts[largest] / total)}."
    rows = tuple((words(part), show(value), percent(value / total)) for part, value in parts.items())
    table = Table(title, columns("Part", "#Amount", "#Share"), rows)
    return Figure(name, title, desc, (("", svg.drawing(name, title, desc, (WIDTH, y + 40.0), body)),), table)
