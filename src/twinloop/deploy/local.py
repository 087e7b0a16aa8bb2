"""The plan's layout at a scale that one machine holds: really run, and compared with the formulas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twinloop.deploy.formulas import plain_shape, wire_of
from twinloop.deploy.intent import Work

PROCESSES = 4
"""Most ranks on one machine."""
LAYERS, HIDDEN, HEADS, VOCABULARY, SEQUENCE, MICRO_BATCHES = 4, 64, 4, 32, 32, 8
"""The small model's size; the layout is the plan's, the network is not."""
PACE_S = 0.1
"""Least time of a forward pass where stages wait for each other: far above what passes and messages take."""
FLOAT64_B = 8


@dataclass(frozen=True)
class Small:
    """A layout with the plan's directions of parallelism, and sizes that fit."""

    data: int
    tensor: int
    pipeline: int
    zero: int = 0

    @property
    def ranks(self) -> int:
        """Processes to start."""
        return self.data * self.tensor * self.pipeline


def small_layout(data: int, tensor: int, pipeline: int, most: int = PROCESSES, zero: int = 0) -> Small:
    """Return at most two of each direction that the plan uses, pipeline and tensor before data where ranks are short.

    >>> small_layout(64, 8, 16), small_layout(512, 1, 1, zero=3)
    (Small(data=1, tensor=2, pipeline=2, zero=0), Small(data=2, tensor=1, pipeline=1, zero=3))
    """
    p = min(pipeline, 2) if most >= 2 else 1
    t = min(tensor, 2) if most >= 2 * p else 1
    d = min(data, 2) if most >= 2 * p * t else 1
    return Small(d, t, p, zero if d > 1 else 0)


def arguments(layout: Small, *, steps: int, report: str) -> list[str]:
    """Return train.py's arguments for the small run, in float64 so that layouts agree to rounding."""
    return [
        "--synthetic", f"--steps={steps}", "--float64", f"--num-layers={LAYERS}", f"--hidden-size={HIDDEN}",
        f"--num-attention-heads={HEADS}", f"--vocab-size={VOCABULARY}", f"--seq-length={SEQUENCE}",
        f"--global-batch-size={MICRO_BATCHES * layout.data}", "--micro-batch-size=1",
        f"--data-parallel-size={layout.data}", f"--tensor-model-parallel-size={layout.tensor}",
        f"--pipeline-model-parallel-size={layout.pipeline}", f"--report={report}",
        f"--zero={layout.zero}", *([f"--pace-s={PACE_S:g}"] if layout.pipeline > 1 else []),
    ]  # fmt: skip


def small_run(work: Work) -> str:
    """Return a script that runs the small layout with torchrun on processor cores."""
    p = work.parallelism
    layout = small_layout(p.data, p.tensor, p.pipeline, zero=p.zero)
    words = " \\\n  ".join(arguments(layout, steps=3, report="$PWD/report.json"))
    return (
        "#!/bin/bash\n"
        f"# The plan's directions of parallelism (data {p.data}, tensor {p.tensor}, pipeline {p.pipeline})\n"
        f"# as data {layout.data}, tensor {layout.tensor}, pipeline {layout.pipeline} on this machine's cores.\n"
        f'set -euo pipefail\ncd "$(dirname "$0")/../images/{work.label}"\nexport OMP_NUM_THREADS=1\n'
        f"torchrun --standalone --nproc-per-node={layout.ranks} train.py \\\n  {words}\n"
    )


@dataclass(frozen=True)
class Expected:
    """What the formulas say of one step, bytes handed to collectives by one rank of the middle."""

    tensor_b: float
    """Four all-reduces a layer and micro-batch (two forward, two backward) of one micro-batch's activations."""
    data_b: float
    """All gradients of the rank, once, where nothing is sharded."""
    gather_b: float
    """Weights gathered: once under ZeRO-1 and 2, for both passes of every micro-batch under ZeRO-3."""
    scatter_b: float
    """Gradients scattered: once under ZeRO-1, after every micro-batch from ZeRO-2 on."""
    pipeline_b: float
    """Of the whole run: activations forward and gradients back over each boundary, each micro-batch."""


def expected(layout: Small, parameters: int) -> Expected:
    """Return the formulas' figures for one step; ``parameters``: those of the rank asked about."""
    block = SEQUENCE * HIDDEN * FLOAT64_B
    micro = MICRO_BATCHES
    weights = float(parameters * FLOAT64_B * (layout.data > 1))
    return Expected(
        4.0 * (LAYERS // layout.pipeline) * micro * block * (layout.tensor > 1),
        weights * (layout.zero == 0),
        weights * {0: 0, 1: 1, 2: 1, 3: 2 * micro}[layout.zero],
        weights * {0: 0, 1: 1, 2: micro, 3: micro}[layout.zero],
        2.0 * (layout.pipeline - 1) * layout.data * layout.tensor * micro * block,
    )


@dataclass(frozen=True)
class Compared:
    """One measured figure beside the formula's."""

    what: str
    measured: float
    formula: float
    tolerance: float
    """Relative to the formula, absolute where that is zero."""

    @property
    def agrees(self) -> bool:
        """Whether the two are within the tolerance."""
        return abs(self.measured - self.formula) <= self.tolerance * (abs(self.formula) or 1.0)


LOSS = 1e-10
"""Tolerance of losses in float64: sums in another order."""
WEIGHTS = 0.03
"""Tolerance of gradient and weight bytes against the planner's model: it counts biases, which the program has not, and
splits tables and norms over tensor ranks, which the program does not."""
BUBBLE = 0.25
"""Tolerance of the bubble: messages and the scheduler of a busy machine beside passes of ``PACE_S``. A pipeline that
overlaps nothing idles four times as much."""


def compare(layout: Small, found: dict[str, Any], dense: dict[str, Any]) -> tuple[Compared, ...]:
    """Return losses against the dense run's, bytes and bubble against the formulas.

    Bytes handed to each collective are counted exactly; what the busiest rank then puts on its link, by the ring that
    the planner assumes, is compared with the planner's own step model, as is the idle share of the pipeline.
    ``found`` and ``dense`` are train.py's reports of the layout and of one process on the same samples.
    """
    steps = found["steps"]
    last = [rank for rank in found["ranks"] if rank["place"][2] == layout.pipeline - 1]
    reference = dense["ranks"][0]["losses"]
    gap = max(abs(a - b) for rank in last for a, b in zip(rank["losses"], reference, strict=True))
    rows = [Compared("largest difference of losses", gap, 0.0, LOSS)]
    each = [(rank["sent"], expected(layout, rank["parameters"])) for rank in found["ranks"]]
    sums = {
        "tensor_all_reduce": sum(formula.tensor_b for _, formula in each) * steps,
        "data_all_reduce": sum(formula.data_b for _, formula in each) * steps,
        "data_gather": sum(formula.gather_b for _, formula in each) * steps,
        "data_scatter": sum(formula.scatter_b for _, formula in each) * steps,
        "pipeline_send": each[0][1].pipeline_b * steps,
    }
    rows += [Compared(f"bytes of {name}", sum(sent[name] for sent, _ in each), sums[name], 0.0) for name in sums]
    return (*rows, *_against_the_planner(layout, [sent for sent, _ in each], steps, found))


def _against_the_planner(
    layout: Small, sent: list[dict[str, float]], steps: int, found: dict[str, Any]
) -> list[Compared]:
    """Return one row a direction of the layout: the planner's model of a step beside what was run."""
    shape = plain_shape(layers=LAYERS, hidden=HIDDEN, heads=HEADS, vocabulary=VOCABULARY, sequence=SEQUENCE)
    model = wire_of(
        shape, data=layout.data, tensor=layout.tensor, pipeline=layout.pipeline, zero=layout.zero,
        micro_batches=MICRO_BATCHES, value_b=FLOAT64_B,
    )  # fmt: skip
    rows = []
    if layout.tensor > 1:
        wire = _ring(layout.tensor) * max(each["tensor_all_reduce"] for each in sent) / steps
        rows.append(Compared("planner: bytes of a step, tensor", wire, model.tensor_b, 0.0))
    if layout.data > 1:
        halves = 0.5 * max(2.0 * s["data_all_reduce"] + s["data_gather"] + s["data_scatter"] for s in sent)
        wire = _ring(layout.data) * halves / steps
        rows.append(Compared("planner: bytes of a step, data", wire, model.data_b, WEIGHTS))
    if layout.pipeline > 1:
        # Both directions of each boundary. The planner sends each activation once, cut over the tensor ranks; the
        # program sends it whole from each of them.
        links = (layout.pipeline - 1) * layout.data * layout.tensor
        wire = sum(each["pipeline_send"] for each in sent) / links / steps
        rows.append(Compared("planner: bytes of a step, pipeline", wire, model.pipeline_b * layout.tensor, 0.0))
        rows.append(Compared("planner: pipeline bubble", bubble(found), model.bubble, BUBBLE))
    return rows


def _ring(ranks: int) -> float:
    """Return the share of a buffer that each rank of a ring sends in an all-reduce."""
    return 2.0 * (ranks - 1.0) / ranks


def bubble(found: dict[str, Any]) -> float:
    """Return the idle share that was measured: of the time from the first pass to the last, in the calmest step.

    What else runs on the machine only ever adds to it.
    """
    ranks = found["ranks"]
    shares = []
    for step in range(len(ranks[0]["spans"])):
        began, ended = (pick(rank["spans"][step][end] for rank in ranks) for end, pick in enumerate((min, max)))
        busy = sum(rank["busy_s"][step] for rank in ranks)
        shares.append(1.0 - busy / (len(ranks) * (ended - began)))
    return float(min(shares))
