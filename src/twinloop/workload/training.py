"""One optimizer step of a transformer, for any number of layouts at once.

Time of a pipeline stage per micro-batch is the sum of matrix products, attention, memory streams and
exposed collectives, never below what the host needs to launch it. A step is

``(m + (p−1)/v) · stage + logits · m + exposed data communication + optimizer + fixed``

with m micro-batches, p stages, v chunks a stage (Narayanan et al. 2021, doi:10.1145/3458817.3476209;
zero-bubble: Qi et al. 2023, arXiv:2401.10241). Every term is kept apart for the breakdown.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.workload.calibration import Calibration
from twinloop.workload.collectives import (
    Links,
    all_reduce_s,
    dispatch_s,
    point_to_point_s,
)
from twinloop.workload.gemm import gemm_s
from twinloop.workload.layouts import DUALPIPE, ZERO_BUBBLE, Layouts
from twinloop.workload.memory import FULL, SELECTIVE, weights_per_device
from twinloop.workload.transformer import Shape, attention_weights, mixture_layers

FLASH_BACKWARD_FLOPS, FLASH_BACKWARD_RATE = 2.5, 0.8
"""Backward attention recomputes scores: 5 products against 2; about 0.8 of the forward rate (Dao 2023,
FlashAttention-2, arXiv:2307.08691, figures 4-6)."""
SCORE_BYTES_FORWARD, SCORE_BYTES_BACKWARD = 11.0, 13.0
"""Unfused attention, bytes a score: write, masked softmax, dropout and mask, read; and back. Counted."""
RELATIVE_BYTES_FORWARD, RELATIVE_BYTES_BACKWARD = 20.0, 16.0
"""Besides, where positions are relative (arXiv:1901.02860): a second product written, shifted by a copy and added; and
scaling and masking as kernels of their own. Counted from the published code."""
HOST_BACKWARD = 1.5
"""Kernels of a backward pass over those of a forward pass: two products for one, one stream for one. Counted."""
EXCHANGE_SHARE = 20.0 / 132.0
"""Of a device's multiprocessors that carry an exchange while others compute: 20 of 132 (DeepSeek-AI 2024,
arXiv:2412.19437, section 3.2.2); recipes of HybridEP take 16 to 32 of 148."""
ADAM_BYTES = 34.0
"""Read gradient, master, moments; write master, moments, weight; clear and norm of the gradient. Counted."""


@dataclass(frozen=True)
class Machine:
    """The devices as a training step sees them. Fields broadcast with layouts."""

    peak_16: Array
    peak_linear: Array
    """Peak of the precision of the linear layers."""
    linear_bytes: Array
    """Bytes of a value in them: 2, 1 or 0.5; selects the calibrated share of peak."""
    memory_b_s: Array
    scale_up_b_s: Array
    scale_up_domain: Array
    network_b_s: Array
    """Per device and direction."""

    def links(self, c: Calibration) -> Links:
        """Return the effective links."""
        return Links(
            self.scale_up_b_s * c.inner, self.network_b_s * c.outer, c.inner_alpha_s, c.outer_alpha_s,
            self.scale_up_domain,
        )  # fmt: skip


@dataclass(frozen=True)
class StepTimes:
    """Seconds of one step by cause; they add up."""

    compute_s: Array
    memory_s: Array
    tensor_comm_s: Array
    pipeline_comm_s: Array
    data_comm_s: Array
    expert_comm_s: Array
    bubble_s: Array
    optimizer_s: Array
    overhead_s: Array

    @property
    def total_s(self) -> Array:
        """Sum."""
        work = self.compute_s + self.memory_s + self.overhead_s + self.bubble_s + self.optimizer_s
        return work + self.tensor_comm_s + self.pipeline_comm_s + self.data_comm_s + self.expert_comm_s


def parts_s(times: StepTimes) -> dict[str, Array]:
    """Return the seconds of a step by the name of their cause, as estimates print them."""
    return {name.removesuffix("_s"): value for name, value in vars(times).items()}


@dataclass(frozen=True)
class LayerTimes:
    """Seconds of one mean layer and one micro-batch, forward plus backward plus recomputation."""

    compute_s: Array
    memory_s: Array
    tensor_s: Array
    expert_s: Array
    host_s: Array

    @property
    def total_s(self) -> Array:
        """Sum."""
        return self.compute_s + self.memory_s + self.tensor_s + self.expert_s + self.host_s


def _linear_share(machine: Machine, c: Calibration) -> Array:
    xp = namespace(machine.linear_bytes)
    narrow = xp.where(machine.linear_bytes < 1.0, c.gemm_4, c.gemm_8)
    return xp.where(machine.linear_bytes >= 2.0, c.gemm, narrow)


def _products_s(shape: Shape, at: Layouts, machine: Machine, c: Calibration) -> Array:
    """Return the matrix products of one layer, one forward pass."""
    xp = namespace(at.tensor, at.micro_batch)
    tokens = at.micro_batch * shape.context / at.context
    h, t, d = shape.hidden, at.tensor, shape.head_dim
    share = _linear_share(machine, c)

    def product(m: Array, n: Array, k: Array) -> Array:
        return gemm_s(m, n, k, machine.peak_linear, share, c.half)

    wide = (shape.heads + 2.0 * shape.kv_heads) * d / t
    # Queries, keys and values of a memory are projected with those of the segment.
    projected = tokens * (1.0 + shape.memory / shape.context)
    attention = product(projected, wide, h) + product(tokens, h, shape.heads * d / t)
    # Latent attention: low-rank pairs instead of one wide product; the time scales with the weights.
    plain_weights = h * d * (2.0 * shape.heads + 2.0 * shape.kv_heads)
    attention = attention * (1.0 - shape.latent + shape.latent * attention_weights(shape) / plain_weights)
    dense = product(tokens, (1.0 + shape.gated) * shape.ffn / t, h) + product(tokens, h, shape.ffn / t)
    inner = shape.expert_ffn / at.expert_tensor
    rows = xp.maximum(tokens * shape.top_k * at.expert / xp.maximum(shape.experts, 1.0), 1.0)
    local = xp.maximum(shape.experts / at.expert, 1.0)
    routed = local * (product(rows, (1.0 + shape.gated) * inner, h) + product(rows, h, inner))
    always = shape.shared_experts * shape.expert_ffn / t
    shared = product(tokens, (1.0 + shape.gated) * xp.maximum(always, 1.0), h) + product(
        tokens, h, xp.maximum(always, 1.0)
    )
    mixture = routed * c.imbalance + xp.where(shape.shared_experts > 0, shared, 0.0)
    dense_share = shape.dense_layers / shape.layers
    return attention + dense_share * dense + xp.where(dense_share < 1.0, (1.0 - dense_share) * mixture, 0.0)


def _scores_s(shape: Shape, at: Layouts, machine: Machine, c: Calibration) -> tuple[Array, Array, Array, Array]:
    """Return attention's (compute forward, backward, memory forward, backward) of one layer."""
    xp = namespace(at.tensor, at.micro_batch)
    tokens = at.micro_batch * shape.context / at.context
    seen = shape.context + shape.memory
    span = xp.minimum(seen, shape.window)
    relative = xp.where(shape.memory > 0, 1.0, 0.0)
    full = 4.0 * tokens * span * shape.heads * (shape.head_dim + 32.0 * shape.latent) / at.tensor
    fused = full * (1.0 - 0.5 * shape.causal) / (machine.peak_16 * c.flash)
    # Unfused scores are products with an inner dimension of one head: short, hence slow.
    plain = gemm_s(shape.context, seen, shape.head_dim, machine.peak_16, c.gemm, c.half)
    plain = (2.0 + relative) * plain * at.micro_batch * shape.heads / at.tensor / at.context
    forward = shape.flash * fused + (1.0 - shape.flash) * plain
    backward = shape.flash * fused * FLASH_BACKWARD_FLOPS / FLASH_BACKWARD_RATE + (1.0 - shape.flash) * 2.0 * plain
    moved = (1.0 - shape.flash) * tokens * seen * shape.heads / at.tensor / (machine.memory_b_s * c.bandwidth)
    written = SCORE_BYTES_FORWARD + relative * RELATIVE_BYTES_FORWARD
    return forward, backward, written * moved, (SCORE_BYTES_BACKWARD + relative * RELATIVE_BYTES_BACKWARD) * moved


def _streams_s(shape: Shape, at: Layouts, machine: Machine, c: Calibration) -> Array:
    """Return norms, residuals, activation functions and routing of one forward pass, as memory traffic.

    Unfused count of bytes a token: two norms 8h, two residuals 14h, activation ``4f`` (gated ``6f``);
    a mixture gathers and scatters ``top_k`` copies, 12h each.
    """
    xp = namespace(at.tensor, at.sequence_parallel)
    tokens = at.micro_batch * shape.context / at.context
    apart = xp.where(at.sequence_parallel > 0, at.tensor, 1.0)
    between = 22.0 * shape.hidden / apart
    act = 4.0 + 2.0 * shape.gated
    dense_share = shape.dense_layers / shape.layers
    routed = shape.top_k * (act * shape.expert_ffn / at.expert_tensor + 12.0 * shape.hidden)
    heads = 4.0 * shape.heads * shape.head_dim
    inside = (heads + dense_share * act * shape.ffn) / at.tensor + (1.0 - dense_share) * routed
    return tokens * (between + inside) / (machine.memory_b_s * c.bandwidth)


def layer_times(shape: Shape, at: Layouts, machine: Machine, c: Calibration, backward: Array = 2.0) -> LayerTimes:
    """Return one mean layer's times; ``backward`` is its products over the forward ones (LoRA: 1)."""
    xp = namespace(at.tensor, at.recompute)
    links = machine.links(c)
    products = _products_s(shape, at, machine, c)
    score_f, score_b, moved_f, moved_b = _scores_s(shape, at, machine, c)
    streams = _streams_s(shape, at, machine, c)
    again = xp.where(at.recompute == FULL, 1.0, 0.0)
    scores_again = xp.where(at.recompute == SELECTIVE, 1.0 - shape.flash, again)
    compute = products * (1.0 + backward + again) + score_f * (1.0 + scores_again) + score_b
    # With fused attention the norms and activation functions are what is repeated: about half the streams.
    streamed_again = xp.where(at.recompute == SELECTIVE, 0.5 * shape.flash, again)
    cast_f, cast_b = _quantised_s(shape, at, machine, c)
    memory = streams * (2.5 + streamed_again) + moved_f * (1.0 + scores_again) + moved_b
    memory = memory + cast_f * (1.0 + again) + cast_b
    tokens = at.micro_batch * shape.context / at.context
    size = 2.0 * tokens * shape.hidden
    reduce = all_reduce_s(size, at.tensor, 1.0, links)
    tensor = reduce * (4.0 + 2.0 * again) * (1.0 - c.tensor_overlap)
    # Keys and values go round the context-parallel devices; one hop over the network slows the whole ring.
    hop_b_s = xp.where(at.tensor * at.context <= links.domain, links.inner_b_s, links.outer_b_s)
    ring = 4.0 * tokens * shape.kv_heads * shape.head_dim / at.tensor * (at.context - 1.0) / hop_b_s
    tensor = tensor + 3.0 * ring * (1.0 - c.tensor_overlap)
    # Dispatch and combine, forward and backward; expert groups lie next to each other.
    sent = dispatch_s(size, shape.top_k, at.expert, 1.0, links, shape.expert_groups, shape.group_top_k)
    exchanged = sent * (4.0 + 2.0 * again) * mixture_layers(shape) / shape.layers
    expert = _exposed(exchanged, compute + memory, at.overlap_experts)
    busy = compute + memory + tensor + expert
    mixed = mixture_layers(shape) / shape.layers
    host = c.host_layer_s * (1.0 - mixed) + c.host_mixture_s * mixed
    passes = 1.0 + HOST_BACKWARD + again
    gaps = c.kernel_layer_s * passes
    waited = xp.maximum(host * passes - busy - gaps, 0.0)
    return LayerTimes(compute, memory, tensor, expert, gaps + waited)


def _quantised_s(shape: Shape, at: Layouts, machine: Machine, c: Calibration) -> tuple[Array, Array]:
    """Return (forward, backward) memory traffic of casting products' operands to a narrow format, one layer.

    A value is read at 2 bytes and written twice, by rows and by columns: inputs on the way forward, gradients of
    outputs on the way back. Counted; nothing at 16 bits.
    """
    xp = namespace(at.tensor, machine.linear_bytes)
    tokens = at.micro_batch * shape.context / at.context
    heads = shape.heads * shape.head_dim / at.tensor
    wide = (shape.heads + 2.0 * shape.kv_heads) * shape.head_dim / at.tensor
    sides, dense_share = 1.0 + shape.gated, shape.dense_layers / shape.layers
    h, f, e = shape.hidden, shape.ffn / at.tensor, shape.expert_ffn / at.expert_tensor
    shared = shape.shared_experts * shape.expert_ffn / at.tensor
    routed = shape.top_k * (h + e) + xp.where(shape.shared_experts > 0, h + shared, 0.0)
    routed_back = shape.top_k * (sides * e + h) + xp.where(shape.shared_experts > 0, sides * shared + h, 0.0)
    inputs = h + heads + dense_share * (h + f) + (1.0 - dense_share) * routed
    gradients = wide + h + dense_share * (sides * f + h) + (1.0 - dense_share) * routed_back
    each = xp.where(machine.linear_bytes < 2.0, 2.0 + 2.0 * machine.linear_bytes, 0.0)
    moved = tokens * each / (machine.memory_b_s * c.bandwidth)
    return inputs * moved, gradients * moved


def _exposed(exchanged_s: Array, worked_s: Array, overlap: Array) -> Array:
    """Return what experts' exchanges add to a layer.

    Alone, all of it. Beside the computation of another micro-batch they take ``EXCHANGE_SHARE`` of the device while
    they last: ``max(C + s A, A) − C`` with C the computation and A the exchange.
    """
    xp = namespace(exchanged_s, overlap)
    beside = xp.maximum(EXCHANGE_SHARE * exchanged_s, exchanged_s - worked_s)
    return xp.where(overlap > 0, beside, exchanged_s)


def _data_s(
    shape: Shape, at: Layouts, machine: Machine, c: Calibration, work_s: Array, trained: Array, backward: Array
) -> Array:  # fmt: skip
    """Return the exposed part of gradient reduction and of ZeRO's gathers, per step.

    Each message hides behind the pass it is sent in: gradients behind backward passes, weights that the next
    products need behind forward passes, of all micro-batches where it is sent for each, else of one. Of what
    could hide, the share ``data_overlap`` does.

    Args:
        work_s: forward, backward and recomputation of all micro-batches.
        trained: share of weights with gradients.
        backward: time of a backward pass over a forward pass, recomputation included.
    """
    xp = namespace(at.data, at.zero)
    fetch, reduce = _data_traffic_s(shape, at, machine, c, trained)
    sharded, m = at.zero >= 3, at.micro_steps
    reduced_each = at.zero >= 2
    forward = work_s / (1.0 + backward) * xp.where(sharded, 1.0, 1.0 / m)
    behind = work_s * backward / (1.0 + backward) * xp.where(reduced_each, 1.0, 1.0 / m)
    # ZeRO-3 lets go of a layer after its forward pass and fetches it again for the backward pass.
    returned = reduce + xp.where(sharded, fetch, 0.0)
    hidden = c.data_overlap * (xp.minimum(fetch, forward) + xp.minimum(returned, behind))
    return xp.where(at.data * at.context > 1, fetch + returned - hidden, 0.0)


def _data_traffic_s(shape: Shape, at: Layouts, machine: Machine, c: Calibration, trained: Array) -> tuple[Array, Array]:
    """Return a step's seconds of (weights gathered, gradients reduced), nothing hidden.

    ZeRO-1 scatters gradients and gathers new weights once, together one all-reduce; ZeRO-2 scatters for every
    micro-batch; ZeRO-3 gathers for every one too. A shard group smaller than the data-parallel devices reduces
    its shards once more between groups.
    """
    xp = namespace(at.data, at.zero)
    links = machine.links(c)
    ranks = at.data * at.context
    expert_ranks = xp.maximum(ranks * at.tensor / (at.expert * at.expert_tensor), 1.0)
    dense, experts = weights_per_device(shape, at)
    group = xp.where(at.shard_group > 0, xp.minimum(at.shard_group, ranks), ranks)
    gather = reduce = between = 0.0
    for size, devices, stride in ((dense, ranks, at.tensor), (experts, expert_ranks, at.expert)):
        inside = xp.minimum(group, devices)
        gather = gather + 0.5 * all_reduce_s(2.0 * size, inside, stride, links)
        reduce = reduce + all_reduce_s(c.gradient_b * trained * size, inside, stride, links)
        shard = c.gradient_b * trained * size / inside
        between = between + all_reduce_s(shard, xp.maximum(devices / inside, 1.0), stride * inside, links)
    times = xp.where(at.zero >= 3, at.micro_steps, xp.where(at.zero >= 1, trained, 0.0))
    # From ZeRO-2 on gradients travel as they are computed, at 2 bytes.
    each = 0.5 * (2.0 / c.gradient_b) * at.micro_steps
    reduced = xp.where(at.zero >= 2, each, xp.where(at.zero >= 1, 0.5, 1.0))
    return gather * times, reduce * reduced + between


def _idle_slots(at: Layouts) -> Array:
    """Return the stages' times that a pipeline stands idle in a step, by schedule."""
    xp = namespace(at.pipeline, at.interleave)
    p = at.pipeline
    slots = xp.where(at.interleave > 1, (p - 1.0) / at.interleave, p - 1.0)
    # Zero-bubble fills two thirds of the gap with weight gradients (ZB-H1).
    slots = xp.where(at.schedule == ZERO_BUBBLE, slots / 3.0, slots)
    # DualPipe feeds both ends: (p/2 − 1)(F&B + B − 3W), with F and W a third of a slot, B two thirds.
    return xp.where(at.schedule == DUALPIPE, xp.maximum(p / 2.0 - 1.0, 0.0) * 2.0 / 3.0, slots)


def step_times(
    shape: Shape, at: Layouts, machine: Machine, c: Calibration, backward: Array = 2.0, trained: Array = 1.0
) -> StepTimes:
    """Return the times of one step.

    Args:
        shape: the model at its training length.
        at: layouts.
        machine: the devices.
        c: calibrated constants.
        backward: products of the backward over the forward pass: 2, LoRA 1.
        trained: share of weights with gradients: 1, LoRA about 0.01.
    """
    xp = namespace(at.tensor, at.pipeline)
    layer = layer_times(shape, at, machine, c, backward)
    m, p = at.micro_steps, at.pipeline
    depth = shape.layers / p
    tokens = at.micro_batch * shape.context / at.context
    scored = tokens * shape.scored
    logits = 3.0 * gemm_s(scored, shape.vocabulary / at.tensor, shape.hidden, machine.peak_16, c.gemm, c.half)
    logit_streams = 14.0 * scored * shape.vocabulary / at.tensor / (machine.memory_b_s * c.bandwidth)
    links = machine.links(c)
    sent = point_to_point_s(2.0 * tokens * shape.hidden / at.tensor, at.tensor * at.context * at.data, links)
    # Sends hide behind the next chunk's work where there is one: plain 1F1B waits for each.
    shown = xp.where(at.interleave > 1, 1.0 - c.pipeline_overlap, 1.0)
    sends = xp.where(p > 1, 2.0 * at.interleave * sent * shown, 0.0)
    busy = m * depth * layer.total_s
    # Recomputation belongs to the backward pass.
    passes = backward + xp.where(at.recompute == FULL, 1.0, 0.0)
    dense, experts = weights_per_device(shape, at)
    split = xp.where(at.zero >= 1, at.data * at.context, 1.0)
    optimizer = ADAM_BYTES * trained * (dense + experts) / split / machine.memory_b_s
    return StepTimes(
        compute_s=m * (depth * layer.compute_s + logits),
        memory_s=m * (depth * layer.memory_s + logit_streams),
        tensor_comm_s=m * depth * layer.tensor_s,
        pipeline_comm_s=m * sends,
        data_comm_s=_data_s(shape, at, machine, c, busy, trained, passes),
        expert_comm_s=m * depth * layer.expert_s,
        bubble_s=_idle_slots(at) * (depth * layer.total_s + sends),
        optimizer_s=optimizer,
        overhead_s=m * depth * layer.host_s + c.step_s,
    )
