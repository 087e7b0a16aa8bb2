"""Which device holds which shard of a model: replicas across, pipeline stages down, tensor slices inside."""

from __future__ import annotations

from twinloop.model.plan import PlannedStage
from twinloop.report.figures import svg
from twinloop.report.figures.calendar import ramp_hex
from twinloop.report.numbers import count, memory, words
from twinloop.report.parts import Figure, Table, columns

WIDTH, LEFT, TOP = 960.0, 96.0, 34.0
MOST_REPLICAS, PHONE_REPLICAS, MOST_STAGES, MOST_SLICES = 64, 16, 16, 8
"""Shown at most; what is left out is alike and is said in words."""
WIDEST, TALLEST = 64.0, 34.0
HOLDS = {
    "weights": "liquid", "gradients": "air", "optimizer": "green", "activations": "amber", "working": "yellow",
    "logits": "violet", "KV cache": "heat", "reserved": "grey",
}  # fmt: skip
"""What memory holds -> colour."""
SHARED = {1: "optimizer states", 2: "optimizer states and gradients", 3: "optimizer states, gradients and weights"}
"""ZeRO stage -> what each copy holds a part of only."""


def draw(ident: str, stage: PlannedStage) -> Figure | None:
    """Return the layout of ``stage``; ``None`` for work without a model.

    Ranks count tensor slices first, then context, then replicas, then pipeline stages: the order of
    Megatron-LM, and of the launch files that ``twinloop deploy`` writes.
    """
    if stage.mfu is None:
        return None
    p = stage.parallelism
    slices = max(p.tensor, 1) * max(p.context, 1)
    used = p.data * slices * p.pipeline
    per_server = max(stage.device_count // max(stage.servers, 1), 1)
    title = f"Who holds what: {stage.name}"
    desc = _words(stage, slices, used)
    drawn = []
    for name, width, most in ((ident, WIDTH, MOST_REPLICAS), (f"{ident}-phone", svg.PHONE, PHONE_REPLICAS)):
        body, height = _grid(p.data, p.pipeline, slices, per_server, (width, most))
        if stage.memory_gb:
            bar, down = _memory(stage, height + 12.0, width)
            body, height = body + bar, height + 46.0 + down
        drawn.append((("", svg.drawing(name, title, desc, (width, height), body)),))
    table = _table(p.data, p.pipeline, slices, per_server, stage.name)
    return Figure(ident, title, desc, drawn[0], table, phone=drawn[1])


def _memory(stage: PlannedStage, y: float, width: float) -> tuple[str, float]:
    """Return the fullest device's memory as one bar, by what it holds, and the height of its key."""
    held = {name: gb for name, gb in stage.memory_gb.items() if gb > 0.0}
    room, total, x = width - LEFT - 80.0, sum(held.values()), LEFT
    entries = [(f"f-{HOLDS.get(name, 'ink')}", f"{words(name)} {memory(gb)}") for name, gb in held.items()]
    start = LEFT if width > svg.PHONE else 4.0
    body, down = svg.legend(start, y + 44.0, entries, width - start - 30.0)
    body += svg.text(LEFT - 10.0, y + 17.0, "memory", "label", "end")
    for name, gb in held.items():
        size = room * gb / total
        body += svg.rect(x, y + 2.0, size, 22.0, f"f-{HOLDS.get(name, 'ink')} edge", f"{words(name)}: {memory(gb)}")
        x += size
    return body + svg.text(x + 8.0, y + 17.0, memory(total), "tick"), down


def _words(stage: PlannedStage, slices: int, used: int) -> str:
    p = stage.parallelism
    parts = [f"{count(p.data)} {'copy' if p.data == 1 else 'copies'} of the model"]
    if p.pipeline > 1:
        parts.append(f"each cut into {p.pipeline} pipeline stages")
    if slices > 1:
        parts.append(f"each layer into {slices} slices")
    if p.expert > 1:
        parts.append(f"experts spread over {p.expert} copies")
    if p.zero:
        parts.append(f"{SHARED[p.zero]} shared out among the copies (ZeRO-{p.zero})")
    spare = stage.device_count - used
    rest = f" {count(spare)} devices of the last servers stand by." if spare > 0 else ""
    parts_of = ", ".join(f"{words(name)} {memory(gb)}" for name, gb in stage.memory_gb.items() if gb > 0.0)
    held = f" {memory(stage.memory_per_device_gb)} of memory on the fullest device" + (
        f": {parts_of}." if parts_of else ", not split by purpose for this kind of work."
    )
    return (
        f"{count(stage.device_count)} × {stage.device}: {', '.join(parts)}; batch {count(p.batch)}"
        + (f" in micro-batches of {p.micro_batch}" if p.pipeline > 1 else "")
        + f".{rest}{held}"
    )


def _row_height(stages: int) -> float:
    return min(TALLEST, 300.0 / min(stages, MOST_STAGES))


def _grid(replicas: int, stages: int, slices: int, per_server: int, frame: tuple[float, int]) -> tuple[str, float]:
    """Return the devices in a frame of (width, most copies shown), and their height."""
    across, down = min(replicas, frame[1]), min(stages, MOST_STAGES)
    wide, high = min(WIDEST, (frame[0] - LEFT - 12.0) / across), _row_height(stages)
    body = svg.text(LEFT, 14.0, f"copies 1 to {count(across)} of {count(replicas)}; a frame is a server", "tick")
    for row in range(down):
        y = TOP + row * high
        name = f"stage {row + 1}" if stages > 1 else "whole model"
        body += svg.text(LEFT - 10.0, y + high / 2.0 + 4.0, name, "label", "end")
        for start, end, server in _frames(row, replicas, across, slices, per_server):
            x, width = LEFT + start * wide, (end - start) * wide
            hint = f"server {server + 1}: stage {row + 1}, copies {start + 1} to {end}"
            body += _server(x, y, (width, high), (end - start) * min(slices, MOST_SLICES), (row + 0.5) / stages, hint)
    if stages > down:
        body += svg.text(LEFT, TOP + down * high + 20.0, f"and {stages - down} more stages alike", "tick")
    return body, TOP + down * high + (30.0 if stages > down else 6.0)


def _frames(row: int, replicas: int, across: int, slices: int, per_server: int) -> list[tuple[int, int, int]]:
    """Return (first copy, one past the last, server) of each server that works in pipeline stage ``row``.

    A copy whose slices span servers is drawn in the frame of its first one.

    >>> _frames(1, 4, 4, 1, 2)
    [(0, 2, 2), (2, 4, 3)]
    """
    found: list[tuple[int, int, int]] = []
    for copy in range(across):
        server = (row * replicas + copy) * slices // per_server
        if found and found[-1][2] == server:
            found[-1] = (found[-1][0], copy + 1, server)
        else:
            found.append((copy, copy + 1, server))
    return found


def _server(x: float, y: float, size: svg.Point, cells: int, shade: float, hint: str) -> str:
    width, height = size
    body = svg.rect(x + 0.5, y + 1.0, width - 1.0, height - 2.0, "zone", hint, rx=2)
    step = (width - 3.0) / cells
    for i in range(cells):
        body += svg.element(
            "rect", x=x + 1.5 + i * step + 0.25, y=y + 3.0, width=max(step - 0.5, 0.4), height=height - 6.0,
            fill=ramp_hex(0.2 + 0.65 * shade),
        )  # fmt: skip
    return body


def _table(replicas: int, stages: int, slices: int, per_server: int, name: str) -> Table:
    rows = []
    for row in range(stages):
        first, last = row * replicas * slices, (row + 1) * replicas * slices - 1
        holds = f"layers {row + 1}/{stages}" if stages > 1 else "all layers"
        part = f", 1/{slices} of each" if slices > 1 else ""
        rows.append((f"{row + 1}", _span(first, last), _span(first // per_server + 1, last // per_server + 1),
                     holds + part))  # fmt: skip
    return Table(f"Shards of {name}", columns("Pipeline stage", "Devices (rank)", "Servers", "Each holds"), tuple(rows))


def _span(first: int, last: int) -> str:
    return count(first) if first == last else f"{count(first)} to {count(last)}"
