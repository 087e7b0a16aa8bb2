"""Serving of transformers on one replica, for any number of batches and splits at once.

Continuous batching in steady state: every step advances ``batch`` sequences by one token and, so that
finished ones are replaced, some prefill prompts beside them, ``batch · input/output`` tokens on average (chunked
prefill, Agrawal et al. 2024, arXiv:2403.02310). A step takes the longer of arithmetic and weight streaming (smoothly),
plus the cache, the collectives, and what the host needs for each step and each sequence.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from twinloop.arrays import Array, namespace
from twinloop.workload.collectives import Links, all_reduce_s, all_to_all_s
from twinloop.workload.transformer import (
    Shape,
    active_layer_weights,
    attended,
    attention_weights,
    decode_score_flops_per_token,
    dense_ffn_weights,
    expert_weights,
    kv_bytes_per_token,
    mixture_layers,
    score_flops_per_token,
    state_values,
)

STATE_B = 4.0
"""Bytes of a value of recurrent state: the hybrids' published configurations ask for 32 bits (Nemotron 3, Qwen3.5)."""
SMOOTH = 1.5
"""Exponent of the smooth maximum of arithmetic and streaming: they overlap, but not wholly. Of 1, 1.5, 2 and 4 the one
that predicts left-out models best, in TensorRT-LLM's pools and in vLLM's."""
CHUNK = 8192.0
"""Tokens of prompts that servers read in one step (default of vLLM and TensorRT-LLM)."""
MOST_PROMPTS = 24
SERVER = 8.0
"""Devices of the largest server: beyond, a scale-up domain joins several."""


@dataclass(frozen=True)
class ServeCalibration:
    """Physical constants of serving on one class of device. Shares of peaks, or seconds."""

    gemm: Array
    gemm_8: Array
    gemm_4: Array
    half: Array
    """Width of a product at which it is half as fast."""
    attention: Array
    """Prefill attention over 16-bit peak."""
    bandwidth: Array
    """Weights over peak memory bandwidth."""
    expert_bandwidth: Array
    """Same for experts: many narrow matrices, each read for a few rows."""
    cache_bandwidth: Array
    """Paged key and value cache over peak memory bandwidth."""
    step_s: Array
    """Host time of a step that the device waits for."""
    layer_s: Array
    """Launch gaps of one layer."""
    mixture_s: Array
    """What routing, permutation and the many small products of one layer's experts add to that."""
    sequence_s: Array
    """Host time a step spends on each sequence: scheduling, sampling, detokenising."""
    inner: Array
    inner_alpha_s: Array
    outer: Array
    outer_alpha_s: Array
    imbalance: Array
    """Busiest over mean expert, and routing: factor on expert work."""
    expert_8: Array
    """Factor on the time of 8-bit experts: scales by block, kernels tuned for few shapes."""


SERVE_BOUNDS: dict[str, tuple[float, float]] = {
    "gemm": (0.4, 0.9),
    "gemm_8": (0.25, 0.85),
    "gemm_4": (0.15, 0.8),
    "half": (5.0, 1200.0),
    "attention": (0.1, 0.75),
    "bandwidth": (0.4, 0.95),
    "expert_bandwidth": (0.15, 0.95),
    "cache_bandwidth": (0.15, 0.95),
    "step_s": (50e-6, 12e-3),
    "layer_s": (2e-6, 150e-6),
    "mixture_s": (1e-6, 400e-6),
    "sequence_s": (0.2e-6, 60e-6),
    "inner": (0.25, 0.95),
    "inner_alpha_s": (2e-6, 40e-6),
    "outer": (0.2, 0.95),
    "outer_alpha_s": (4e-6, 100e-6),
    "imbalance": (1.0, 3.0),
    "expert_8": (1.0, 4.0),
}
"""Ranges outside which a constant is no longer what its name says."""


@dataclass(frozen=True)
class ServeMachine:
    """Devices as a decoder sees them; fields broadcast."""

    peak_linear: Array
    linear_bytes: Array
    """Bytes of an activation in the products: selects the calibrated share."""
    peak_16: Array
    memory_b: Array
    memory_b_s: Array
    scale_up_b_s: Array
    scale_up_domain: Array
    network_b_s: Array


@dataclass(frozen=True)
class Serving:
    """What is served and how one replica is laid out; fields broadcast."""

    batch: Array
    """Sequences in flight on the replica."""
    input_tokens: Array
    """Prefilled, prefix hits taken off."""
    context_tokens: Array
    """Of the prompt, prefix hits included: what attention and cache see."""
    output_tokens: Array
    tensor: Array
    pipeline: Array
    expert: Array
    weight_b: Array
    """Bytes of a stored weight."""
    cache_b: Array
    """Bytes of a cached value."""
    gathered: Array = 0.0
    """1: a queue that is never empty, from which attention ranks take prompts together; 0: prompts come at random."""


@dataclass(frozen=True)
class StepCost:
    """Seconds of one pass over a replica, by cause, and what it moved."""

    linear_s: Array
    attention_s: Array
    cache_s: Array
    comm_s: Array
    host_s: Array
    flops: Array

    @property
    def total_s(self) -> Array:
        """Sum."""
        return self.linear_s + self.attention_s + self.cache_s + self.comm_s + self.host_s


FIELDS = fields(StepCost)


def drawing_s(cost: StepCost) -> dict[str, Array]:
    """Return the seconds of a pass by what draws power meanwhile: the keys of ``power.SERVING_DRAW``."""
    products = cost.linear_s + cost.attention_s
    return {"products": products, "cache": cost.cache_s, "links": cost.comm_s, "host": cost.host_s}


def weight_counts(shape: Shape) -> tuple[Array, Array]:
    """Return (always read, expert) weights of all layers, logits in the first."""
    always = shape.layers * attention_weights(shape) + shape.dense_layers * dense_ffn_weights(shape)
    shared = shape.shared_experts * expert_weights(shape) + shape.hidden * shape.experts
    always = always + mixture_layers(shape) * shared + shape.vocabulary * shape.hidden
    return always, mixture_layers(shape) * shape.experts * expert_weights(shape)


def touched_share(shape: Shape, tokens: Array) -> Array:
    """Return the share of experts that ``tokens`` tokens touch: ``1 − (1 − k/E)^tokens``."""
    xp = namespace(tokens, shape.experts)
    share = shape.top_k / xp.maximum(shape.experts, 1.0)
    return 1.0 - (1.0 - xp.minimum(share, 1.0 - 1e-9)) ** tokens


def pass_cost(
    shape: Shape, at: Serving, machine: ServeMachine, c: ServeCalibration, decoded: Array, prefilled: Array,
    waits: Array = 1.0,
) -> StepCost:  # fmt: skip
    """Return one pass that advances ``decoded`` sequences and prefills ``prefilled`` tokens.

    ``waits``: tokens that the busiest attention rank prefills over the mean of all ranks.

    One replica is ``max(tensor, expert)`` devices: one copy of the experts. Where ``expert`` exceeds ``tensor``
    attention runs data-parallel inside it, each rank with its own copy of everything but the experts.
    """
    xp = namespace(decoded, prefilled, at.tensor)
    tokens = decoded + prefilled
    group = replica_devices(at)
    narrow = xp.where(machine.linear_bytes < 1.0, c.gemm_4, c.gemm_8)
    share = xp.where(machine.linear_bytes >= 2.0, c.gemm, narrow)
    reach = machine.peak_linear * share * group
    always, experts = weight_counts(shape)
    mixture = shape.dense_layers < shape.layers
    expert_flops = 2.0 * tokens * mixture_layers(shape) * shape.top_k * expert_weights(shape)
    body = 2.0 * (always - shape.vocabulary * shape.hidden)
    logits_flops = 2.0 * decoded * shape.hidden * shape.vocabulary
    dense_flops = tokens * body + logits_flops
    # Products as narrow as a shard of the feed-forward width fall short of the best rate.
    slowest = (decoded + waits * prefilled) * body + logits_flops
    dense = slowest * _shortfall(c, shape.ffn / at.tensor, shape.hidden) / reach
    width = shape.expert_ffn / xp.where(at.expert > 1, xp.maximum(at.tensor / at.expert, 1.0), at.tensor)
    routed = expert_flops * c.imbalance * _shortfall(c, xp.maximum(width, 1.0), shape.hidden) / reach
    spread = machine.memory_b_s * c.expert_bandwidth * group
    touched = touched_share(shape, tokens)
    linear = _longer(dense, at.weight_b * always / (machine.memory_b_s * c.bandwidth * at.tensor))
    routed = _longer(routed, at.weight_b * experts * touched / spread)
    slowed = xp.where(machine.linear_bytes == 1.0, c.expert_8, 1.0)
    linear = linear + xp.where(mixture, routed * slowed, 0.0)
    length = at.context_tokens + 0.5 * at.output_tokens
    cached = decoded * attended(shape, length) * kv_bytes_per_token(shape, 1.0) * at.cache_b * _copies(shape, at)
    cached = cached + 2.0 * decoded * state_values(shape) * STATE_B
    cache = cached / (machine.memory_b_s * c.cache_bandwidth * group)
    score_decode = decoded * decode_score_flops_per_token(shape, length)
    cache = _longer(score_decode / (machine.peak_16 * c.attention * group), cache)
    score = prefilled * score_flops_per_token(shape, at.context_tokens, 1.0)
    attention = waits * score / (machine.peak_16 * c.attention * group)
    host = c.step_s + c.layer_s * shape.layers + c.mixture_s * mixture_layers(shape) + c.sequence_s * decoded
    return StepCost(
        linear, attention, cache, _exchange_s(shape, at, machine, c, tokens), host,
        expert_flops + dense_flops + score + score_decode,
    )  # fmt: skip


def replica_devices(at: Serving) -> Array:
    """Return the devices of one pipeline stage of a replica."""
    xp = namespace(at.tensor, at.expert)
    return xp.maximum(at.tensor, at.expert)


def waiting_ranks(at: Serving, prompts: Array) -> Array:
    """Return the prompts that the busiest attention rank reads in a step over the mean of all ranks.

    Ranks that share experts meet at every layer, so that all wait where one reads a prompt. ``prompts`` a step come to
    R ranks at random, λ to each: ``E max Poisson(λ) / λ``, R where prompts are rare and 1 where they are many. Summed
    over at most MOST_PROMPTS; beyond, they even out.
    """
    xp = namespace(prompts, at.tensor)
    ranks = attention_ranks(at)
    if not (ranks > 1.0).any():
        return xp.ones_like(ranks)
    mean = xp.clip(prompts / ranks, 1e-6, 0.5 * MOST_PROMPTS)
    chance, below, most = xp.exp(-mean), xp.exp(-mean), 0.0 * mean
    for count in range(1, MOST_PROMPTS + 1):
        most = most + 1.0 - below**ranks
        chance = chance * mean / count
        below = xp.minimum(below + chance, 1.0)
    return xp.where(ranks > 1.0, most / mean, 1.0)


def _shortfall(c: ServeCalibration, width: Array, hidden: Array) -> Array:
    return 1.0 + c.half * (1.0 / width + 1.0 / hidden)


def _longer(arithmetic: Array, stream: Array) -> Array:
    return (arithmetic**SMOOTH + stream**SMOOTH) ** (1.0 / SMOOTH)


def _copies(shape: Shape, at: Serving) -> Array:
    """Return how often a replica's tensor ranks hold the same cache: ranks beyond the key heads keep copies."""
    xp = namespace(at.tensor, shape.kv_heads)
    return xp.where(shape.latent > 0, at.tensor, xp.maximum(at.tensor / shape.kv_heads, 1.0))


def _exchange_s(shape: Shape, at: Serving, machine: ServeMachine, c: ServeCalibration, tokens: Array) -> Array:
    """Return a pass's collectives: all-reduce over tensor ranks, experts' exchange where attention is data-parallel."""
    xp = namespace(tokens, at.tensor)
    links = Links(
        machine.scale_up_b_s * c.inner, machine.network_b_s * c.outer, c.inner_alpha_s, c.outer_alpha_s,
        machine.scale_up_domain,
    )  # fmt: skip
    size = 2.0 * tokens * shape.hidden * at.tensor / replica_devices(at)
    reduce = 2.0 * shape.layers * all_reduce_s(size, at.tensor, 1.0, links)
    rows = 2.0 * tokens * shape.hidden * _ranks_reached(shape, at, machine) / replica_devices(at)
    spread = 2.0 * mixture_layers(shape) * all_to_all_s(rows, at.expert, 1.0, links)
    return reduce + xp.where(at.expert > at.tensor, spread, 0.0)


def _ranks_reached(shape: Shape, at: Serving, machine: ServeMachine) -> Array:
    """Return the ranks that a token's row goes to: all in one server, those that hold one of its experts beyond.

    Servers gather every rank's rows and scatter the sums (default of TensorRT-LLM and vLLM); dispatchers that send a
    token once to each rank it needs, ``R (1 − (1 − 1/R)^k)`` of R, are for domains wider than a server.
    """
    xp = namespace(at.expert, machine.scale_up_domain)
    ranks = xp.maximum(at.expert, 1.0)
    needed = ranks * (1.0 - (1.0 - 1.0 / ranks) ** shape.top_k)
    return xp.where(machine.scale_up_domain > SERVER, needed, ranks)


def replica_weight_b(shape: Shape, at: Serving) -> Array:
    """Return the bytes of weights on one device; embedding and, untied, logits count at 2 bytes."""
    always, experts = weight_counts(shape)
    ends = shape.vocabulary * shape.hidden * (2.0 - shape.tied)
    body = at.weight_b * (always - shape.vocabulary * shape.hidden) + 2.0 * ends
    return (body / at.tensor + at.weight_b * experts / replica_devices(at)) / at.pipeline


def cache_b_per_sequence(shape: Shape, at: Serving) -> Array:
    """Return the cache of one of a replica's full-length sequences, spread over its devices."""
    length = attended(shape, at.context_tokens + at.output_tokens)
    held = kv_bytes_per_token(shape, 1.0) * at.cache_b * length * _copies(shape, at)
    held = held + state_values(shape) * STATE_B
    return held / (replica_devices(at) * at.pipeline)


def largest_batch(shape: Shape, at: Serving, machine: ServeMachine, usable: float, buffers_b: float) -> Array:
    """Return how many sequences of full length fit beside the weights; below 1: the model does not fit.

    ``usable``: share of what weights and buffers leave that goes to the cache.
    """
    xp = namespace(at.batch)
    free = usable * (machine.memory_b - buffers_b - replica_weight_b(shape, at))
    # A network of state-space layers alone keeps no cache: whatever holds its weights holds any batch.
    held, ranks = free / xp.maximum(cache_b_per_sequence(shape, at), 1.0), attention_ranks(at)
    return xp.where(ranks > 1.0, xp.floor(held / ranks) * ranks, held)  # a sequence lies on one rank, whole


def attention_ranks(at: Serving) -> Array:
    """Return how many ranks of a replica schedule sequences of their own."""
    return replica_devices(at) / at.tensor


@dataclass(frozen=True)
class ServeRate:
    """Steady state of one replica under continuous batching."""

    step_s: Array
    """Between two tokens of one sequence."""
    tokens_per_s: Array
    """Output tokens of the replica."""
    cost: StepCost
    prefill_s: Array
    """Of one prompt alone."""


def steady_tokens_per_s(shape: Shape, at: Serving, machine: ServeMachine, c: ServeCalibration) -> Array:
    """Return only the output tokens per second of :func:`steady_rate`."""
    _, stage = _steady(shape, at, machine, c)
    return at.batch / at.pipeline / stage


def _steady(shape: Shape, at: Serving, machine: ServeMachine, c: ServeCalibration) -> tuple[StepCost, Array]:
    """Return the mean pass of one pipeline group, and the seconds of a stage.

    Prompts do not trickle: they come at random, ``batch/output`` a step, and are read whole, at most CHUNK tokens a
    step and attention rank. Steps without one read only what their own tokens touch; the mean is over both kinds.
    Ranks that gather prompts read one each in the same step, so that none waits for another.
    """
    xp = namespace(at.batch, at.pipeline)
    group = at.batch / at.pipeline
    prompts = group / at.output_tokens
    tokens, ranks = prompts * at.input_tokens, attention_ranks(at)
    at_once = xp.where(at.gathered > 0, ranks, 1.0)
    share = xp.clip(xp.maximum(1.0 - xp.exp(-prompts / at_once), tokens / (CHUNK * ranks)), 1e-9, 1.0)
    waits = xp.where(at.gathered > 0, 1.0, waiting_ranks(at, prompts))
    reading = pass_cost(shape, at, machine, c, group, tokens / share, waits)
    plain = pass_cost(shape, at, machine, c, group, 0.0 * tokens)
    parts = (getattr(plain, f.name) + share * (getattr(reading, f.name) - getattr(plain, f.name)) for f in FIELDS)
    cost = StepCost(*parts)
    held_up = (cost.total_s - c.step_s) * (_slowest_stage(shape, at) - 1.0)
    cost = replace(cost, host_s=cost.host_s + held_up)
    return cost, (cost.total_s - c.step_s) / at.pipeline + c.step_s


def _slowest_stage(shape: Shape, at: Serving) -> Array:
    """Return the slowest stage of a pipeline over the mean one: layers come whole, and the last one scores the words.

    Layers are dealt evenly, the first stages take what is left over; the output layer counts as its weights over those
    that a token meets in a mean layer.
    """
    xp = namespace(at.pipeline, shape.layers)
    words = shape.vocabulary * shape.hidden * shape.layers / active_layer_weights(shape)
    most = xp.maximum(xp.ceil(shape.layers / at.pipeline), xp.floor(shape.layers / at.pipeline) + words)
    return most * at.pipeline / (shape.layers + words)


def steady_rate(shape: Shape, at: Serving, machine: ServeMachine, c: ServeCalibration) -> ServeRate:
    """Return the steady state with ``at.batch`` sequences in flight.

    A pipeline of p stages carries p groups of ``batch/p``; each stage has 1/p of the layers.
    """
    xp = namespace(at.batch, at.pipeline)
    cost, stage = _steady(shape, at, machine, c)
    prompt = pass_cost(shape, at, machine, c, xp.asarray(1.0), at.input_tokens, replica_devices(at) / at.tensor)
    return ServeRate(
        step_s=stage * at.pipeline, tokens_per_s=at.batch / at.pipeline / stage, cost=cost, prefill_s=prompt.total_s
    )
