"""What the planner's own model says of a small run: bytes on the wire and the pipeline's bubble.

The step formulas of ``workload.training`` are asked about a machine that counts: links of one byte a second without
latency, on which nothing is hidden, and free products and memory. Seconds are then bytes. Values have two bytes there;
``value_b`` scales them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinloop.model.network import Network
from twinloop.workload.calibration import Calibration
from twinloop.workload.layouts import Layouts
from twinloop.workload.training import Machine, layer_times, step_times
from twinloop.workload.transformer import Shape, shape_of

MODEL_VALUE_B = 2.0
WHOLE = Calibration(
    gemm=1.0, gemm_8=1.0, gemm_4=1.0, half=0.0, flash=1.0, bandwidth=1.0, host_layer_s=0.0, host_mixture_s=0.0,
    kernel_layer_s=0.0, inner=1.0, inner_alpha_s=0.0, outer=1.0, outer_alpha_s=0.0, tensor_overlap=0.0,
    data_overlap=0.0, pipeline_overlap=0.0, gradient_b=MODEL_VALUE_B, imbalance=1.0, step_s=0.0,
)  # fmt: skip
"""Nothing lost, nothing hidden."""
COUNTING = Machine(math.inf, math.inf, MODEL_VALUE_B, math.inf, 1.0, 1e9, 1.0)
"""Products and memory are free, a byte on a link takes a second."""
COMPUTING = Machine(1.0, 1.0, MODEL_VALUE_B, math.inf, math.inf, 1e9, math.inf)
"""Links are free, an operation takes a second."""


@dataclass(frozen=True)
class Wire:
    """Bytes that the busiest device puts on its link in one step, and the idle share of its pipeline."""

    tensor_b: float
    data_b: float
    pipeline_b: float
    bubble: float


def plain_shape(*, layers: int, hidden: int, heads: int, vocabulary: int, sequence: int) -> Shape:
    """Return the shape of the program's transformer: no gates, no grouped heads, tables apart."""
    return shape_of(
        Network("small", "transformer", layers=layers, hidden=hidden, heads=heads, vocabulary=vocabulary,
                context=sequence, tied=False)
    )  # fmt: skip


def wire_of(
    shape: Shape, *, data: int, tensor: int, pipeline: int, zero: int, micro_batches: int, value_b: float
) -> Wire:
    """Return the model's figures of one step: micro-batches of one sequence, 1F1B."""
    at = Layouts(
        tensor=float(tensor), pipeline=float(pipeline), data=float(data), context=1.0, expert=1.0, micro_batch=1.0,
        batch=float(data * micro_batches), interleave=1.0, recompute=0.0, zero=float(zero), schedule=1.0,
        sequence_parallel=0.0,
    )  # fmt: skip
    counted = step_times(shape, at, COUNTING, WHOLE)
    timed = step_times(shape, at, COMPUTING, WHOLE)
    busy = micro_batches * shape.layers / pipeline * layer_times(shape, at, COMPUTING, WHOLE).total_s
    scale = value_b / MODEL_VALUE_B
    return Wire(
        scale * float(counted.tensor_comm_s), scale * float(counted.data_comm_s),
        scale * float(counted.pipeline_comm_s), float(timed.bubble_s / (timed.bubble_s + busy)),
    )  # fmt: skip
