"""The plan's layout at a scale that one machine holds: really run, and compared with the formulas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twinloop.deploy.intent import Work

PROCESSES = 4
"""Most ranks on one machine."""
LAYERS, HIDDEN, SEQUENCE, MICRO_BATCHES = 4, 64, 32, 8
"""The small model's size; the layout is the plan's, the network is not."""
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
        f"--seq-length={SEQUENCE}", f"--global-batch-size={MICRO_BATCHES * layout.data}", "--micro-batch-size=1",
        f"--data-parallel-size={layout.data}", f"--tensor-model-parallel-size={layout.tensor}",
        f"--pipeline-model-parallel-size={layout.pipeline}", f"--report={report}",
        f"--zero={layout.zero}",
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
    bubble: float
    """Idle share of a pipeline of p stages with m micro-batches: (p − 1)/(m + p − 1).

    Source: Narayanan et al., "Efficient Large-Scale Language Model Training on GPU Clusters Using Megatron-LM", 2021
    (their (p − 1)/m is of the ideal time, this of the whole).
    """


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
        (layout.pipeline - 1) / (micro + layout.pipeline - 1),
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


def compare(layout: Small, found: dict[str, Any], dense: dict[str, Any]) -> tuple[Compared, ...]:
    """Return losses against the dense run's, and bytes of each collective against the formulas.

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
    return tuple(rows)


def bubble(found: dict[str, Any]) -> float:
    """Return the idle share that was measured: waiting for neighbours over the step, mean of all stages."""
    shares = [sum(rank["waited_s"]) / sum(rank["times_s"]) for rank in found["ranks"]]
    return float(sum(shares) / len(shares))
