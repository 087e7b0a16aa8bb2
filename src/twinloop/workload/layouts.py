"""Layouts of a training step as arrays: every field broadcasts, so one expression evaluates all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from twinloop.arrays import Array, namespace

Recompute = Literal["none", "selective", "full"]
Schedule = Literal["gpipe", "1f1b", "interleaved", "zero-bubble", "dualpipe"]
RECOMPUTE: tuple[Recompute, ...] = ("none", "selective", "full")
SCHEDULES: tuple[Schedule, ...] = ("gpipe", "1f1b", "interleaved", "zero-bubble", "dualpipe")
GPIPE, ZERO_BUBBLE, DUALPIPE = 0, 3, 4


def divisors(n: int) -> list[int]:
    """Return what divides ``n``, ascending.

    >>> divisors(12)
    [1, 2, 3, 4, 6, 12]
    """
    low = [d for d in range(1, math.isqrt(n) + 1) if n % d == 0]
    return low + [n // d for d in reversed(low) if d * d != n]


@dataclass(frozen=True)
class Layouts:
    """Where one copy of the work goes and how it is scheduled.

    Devices = data · tensor · pipeline · context; experts share the data-parallel devices.
    """

    tensor: Array
    pipeline: Array
    data: Array
    context: Array
    expert: Array
    micro_batch: Array
    batch: Array
    """Global batch, sequences."""
    interleave: Array
    """Model chunks a pipeline stage holds."""
    recompute: Array
    """Index in RECOMPUTE."""
    zero: Array
    """0-3: nothing, optimizer, gradients, weights sharded over the data-parallel devices."""
    schedule: Array
    """Index in SCHEDULES."""
    sequence_parallel: Array
    """1: activations between blocks are split over the tensor-parallel devices."""
    shard_group: Array = 0.0
    """Devices that share one copy of sharded states; 0: all data-parallel ones."""
    expert_tensor: Array = 1.0
    """Tensor parallelism inside an expert."""
    overlap_experts: Array = 0.0
    """1: experts' exchanges run beside another micro-batch's computation."""

    @property
    def micro_steps(self) -> Array:
        """Micro-batches that one pipeline works through in a step."""
        return self.batch / (self.data * self.micro_batch)

    @property
    def devices(self) -> Array:
        """Devices taken."""
        return self.data * self.tensor * self.pipeline * self.context


def experts_overlapped(software: str, at: Layouts, domain: Array) -> Array:
    """Return 1 where the recipes of ``software`` hide experts' exchanges behind another micro-batch's computation.

    A stage needs a second chunk to work on, or no pipeline at all. Megatron-Bridge's recipes (its repository's
    ``scripts/performance/configs``, releases 25.11 to 26.06) do so until early 2026 where experts cross the fast
    fabric, and from 26.06 on wherever the schedule allows it. Schedules that part gradients of weights from those of
    inputs have the former to compute meanwhile; DualPipe is made for it (DeepSeek-AI 2024, arXiv:2412.19437, section
    3.2.1).
    """
    xp = namespace(at.expert, at.pipeline)
    chunks = at.interleave > 1
    if software == "megatron-2026":
        able = chunks | (at.pipeline == 1)
    else:
        able = chunks & (at.expert > domain) & (software == "megatron-2025")
    parted = (at.schedule == ZERO_BUBBLE) | (at.schedule == DUALPIPE)
    return xp.where((at.expert > 1) & (able | parted), 1.0, 0.0)
