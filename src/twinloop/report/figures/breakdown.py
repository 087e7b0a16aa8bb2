"""Where each stage's time goes, and how much of its devices' memory it takes."""

from __future__ import annotations

from twinloop.model.plan import PlannedStage
from twinloop.report.figures import svg
from twinloop.report.numbers import duration, memory, percent, words
from twinloop.report.parts import Absent, Figure, Table, columns

WIDTH, LEFT, ROW = 960.0, 130.0, 34.0
PHONE_LEFT, AFTER = 76.0, 110.0
"""Room of the stages' names on a narrow screen, and of the time behind a bar."""
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
    worst = {s.name: max(s.time_breakdown_s, key=lambda c: s.time_breakdown_s[c]) for s in shown}
    desc = "; ".join(f"{name} is bound by {words(cause)}" for name, cause in worst.items()) + "."
    body, height = _bars(shown, (*used, *others), WIDTH, LEFT)
    picture = svg.drawing(ident, title, desc, (WIDTH, height), body)
    body, height = _bars(shown, (*used, *others), svg.PHONE, PHONE_LEFT)
    phone = svg.drawing(f"{ident}-phone", title, desc, (svg.PHONE, height), body)
    return Figure(ident, title, desc, (("", picture),), _table(shown), phone=(("", phone),))


def _bars(shown: list[PlannedStage], causes: tuple[str, ...], width: float, left: float) -> tuple[str, float]:
    """Return the key and the bars, and their height."""
    start = left if width > svg.PHONE else 4.0
    keys = [(f"f-{CAUSES.get(c, 'ink')}", words(c)) for c in causes]
    body, down = svg.legend(start, 16.0, keys, width - start - 30.0)
    top = down + 12.0
    for i, stage in enumerate(shown):
        body += _bar(stage, causes, top + i * ROW, (left, width - AFTER))
    return body, top + len(shown) * ROW + 4.0


def _bar(stage: PlannedStage, causes: tuple[str, ...], y: float, span: svg.Point) -> str:
    total, x, room = sum(stage.time_breakdown_s.values()), span[0], span[1] - span[0]
    name = svg.wrapped(stage.name, span[0] - 10.0, 1)[0]
    body = svg.text(span[0] - 10.0, y + 15.0, name, "label", "end")
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
