"""Where each stage's time goes, and how much of its devices' memory it takes."""

from __future__ import annotations

from twinloop.model.plan import PlannedStage
from twinloop.report.figures import svg
from twinloop.report.numbers import duration, memory, percent, words
from twinloop.report.parts import Absent, Figure, Table, columns

WIDTH, LEFT, ROW, TOP = 960.0, 130.0, 34.0, 48.0
CAUSES = {
    "compute": "liquid", "memory": "air", "tensor_comm": "amber", "expert_comm": "yellow", "pipeline_comm": "violet",
    "data_comm": "heat", "bubble": "grey", "optimizer": "green", "overhead": "ink", "starved": "brown",
    "stragglers": "indigo", "checkpoint": "teal", "rework": "crimson", "restart": "olive",
}  # fmt: skip
"""Cause -> colour."""


def draw(ident: str, stages: tuple[PlannedStage, ...]) -> Figure | Absent:
    """Return bars of 100 %, one a stage with a model."""
    title = "Where the time goes"
    shown = [s for s in stages if s.mfu is not None and sum(s.time_breakdown_s.values()) > 0.0]
    if not shown:
        return Absent(ident, title, "no stage of this plan runs a model.")
    used = [cause for cause in CAUSES if any(s.time_breakdown_s.get(cause, 0.0) > 0.0 for s in shown)]
    others = sorted({c for s in shown for c, v in s.time_breakdown_s.items() if v > 0.0 and c not in CAUSES})
    body, _ = svg.legend(LEFT, 16.0, [(f"f-{CAUSES.get(c, 'ink')}", words(c)) for c in (*used, *others)], 800.0)
    for i, stage in enumerate(shown):
        body += _bar(stage, (*used, *others), TOP + i * ROW)
    worst = {s.name: max(s.time_breakdown_s, key=lambda c: s.time_breakdown_s[c]) for s in shown}
    desc = "; ".join(f"{name} is bound by {words(cause)}" for name, cause in worst.items()) + "."
    height = TOP + len(shown) * ROW + 4.0
    return Figure(ident, title, desc, (("", svg.drawing(ident, title, desc, (WIDTH, height), body)),), _table(shown))


def _bar(stage: PlannedStage, causes: tuple[str, ...], y: float) -> str:
    total, x, room = sum(stage.time_breakdown_s.values()), LEFT, WIDTH - LEFT - 110.0
    body = svg.text(LEFT - 10.0, y + 15.0, stage.name, "label", "end")
    for cause in causes:
        value = stage.time_breakdown_s.get(cause, 0.0)
        if value > 0.0:
            size = room * value / total
            hint = f"{stage.name}, {words(cause)}: {duration(value)}, {percent(value / total)}"
            body += svg.rect(x, y, size, 22.0, f"f-{CAUSES.get(cause, 'ink')} edge", hint)
            x += size
    per = "a run" if stage.duration_s is not None else "a batch"
    return body + svg.text(x + 8.0, y + 15.0, f"{duration(total)} {per}", "tick")


def _table(stages: list[PlannedStage]) -> Table:
    rows = tuple(
        (s.name, words(cause), duration(value), percent(value / sum(s.time_breakdown_s.values())),
         memory(s.memory_per_device_gb))
        for s in stages for cause, value in s.time_breakdown_s.items() if value > 0.0
    )  # fmt: skip
    return Table("Time by cause", columns("Stage", "Cause", "#Time", "#Share", "#Memory a device"), rows)
