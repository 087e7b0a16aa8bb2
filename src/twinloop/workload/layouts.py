"""Layouts of a training step as arrays: every field broadcasts, so one expression evaluates all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twinloop.arrays import Array

Recompute = Literal["none", "selective", "full"]
Schedule = Literal["gpipe", "1f1b", "interleaved", "zero-bubble"]
RECOMPUTE: tuple[Recompute, ...] = ("none", "selective", "full")
SCHEDULES: tuple[Schedule, ...] = ("gpipe", "1f1b", "interleaved", "zero-bubble")


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

    @property
    def micro_steps(self) -> Array:
        """Micro-batches that one pipeline works through in a step."""
        return self.batch / (self.data * self.micro_batch)

    @property
    def devices(self) -> Array:
        """Devices taken."""
        return self.data * self.tensor * self.pipeline * self.context
