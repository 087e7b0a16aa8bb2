"""Every way to lay a language model out on given devices, each at its best batch: arrays, not a loop."""

from __future__ import annotations

import time
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from twinloop.arrays import FloatArray
from twinloop.model.network import Network
from twinloop.workload.decoding import (
    CHUNK,
    ServeMachine,
    ServeRate,
    Serving,
    attention_ranks,
    largest_batch,
    pass_cost,
    steady_rate,
)
from twinloop.workload.host import Host
from twinloop.workload.machine import STORED_B, serve_machine
from twinloop.workload.queueing import P99_NORMAL, Continuous, p99_wait_s
from twinloop.workload.serve_constants import LARGEST_BATCH, USABLE_MEMORY, ServeSoftware, buffers_b, serve_software
from twinloop.workload.serve_job import SCENARIO_LIMITS, ServingJob
from twinloop.workload.transformer import TRANSFORMERS, Shape, shape_of

POINTS = 96
"""Batches tried for each layout, spaced evenly in their logarithm."""


@dataclass(frozen=True)
class Split:
    """One layout at its best batch."""

    tensor: int
    pipeline: int
    expert: int
    data: int
    batch: int
    tokens_per_s: float
    """Of all devices."""
    tpot_s: float
    fits: bool


@dataclass(frozen=True)
class Splits:
    """What a search found, best first."""

    best: tuple[Split, ...]
    configurations_evaluated: int
    search_time_s: float


def serving_of(job: ServingJob, batches: FloatArray) -> Serving:
    """Return the job at each of ``batches`` sequences in flight on one replica."""
    prompt, output = float(job.input_tokens or 1), float(job.output_tokens or 1)
    one = np.ones_like(batches, dtype=np.float64)
    return Serving(
        batches * job.beams, max(prompt * (1.0 - job.prefix_hit), 1.0) / job.beams * one, prompt * one, output * one,
        (job.tensor or 1) * one, (job.pipeline or 1) * one, (job.expert or 1) * one,
        STORED_B[job.weights or job.precision] * one, _cache_b(job) * one, float(_gathers(job)) * one,
    )  # fmt: skip


def room(shape: Shape, on: Host, job: ServingJob, at: Serving, machine: ServeMachine) -> FloatArray:
    """Return the requests that fit on a replica laid out as ``at``; beams share the prompt's cache."""
    shared = replace(at, context_tokens=at.context_tokens / job.beams)
    most = largest_batch(shape, shared, machine, USABLE_MEMORY, buffers_b(on.device))
    return np.asarray(most / job.beams, dtype=np.float64)


def _gathers(job: ServingJob) -> bool:
    """Return whether attention ranks read prompts together: where a full queue lets TensorRT-LLM choose when."""
    stated = (job.batch, job.concurrency, job.rate_per_s)
    return job.software == "trtllm" and job.scenario == "offline" and all(value is None for value in stated)


def _cache_b(job: ServingJob) -> float:
    """Return the bytes of a cached value: 8 bits beside narrow arithmetic, but for vLLM, which defaults to 16."""
    narrow = job.precision not in ("bf16", "fp16", "fp32", "tf32", "int4") and job.software != "vllm"
    return STORED_B[job.cache or ("fp8" if narrow else "bf16")]


def rates(shape: Shape, at: Serving, machine: ServeMachine, chosen: ServeSoftware, speculative: float) -> ServeRate:
    """Return the steady state; speculation drafts ``n`` tokens and verifies ``n + 1`` to accept ``speculative``."""
    if speculative <= 1.0:
        return steady_rate(shape, at, machine, chosen.calibration)
    drafted = np.ceil(speculative) + 1.0
    wide = replace(at, batch=at.batch * drafted, input_tokens=at.input_tokens / drafted)
    rate = steady_rate(shape, wide, machine, chosen.calibration)
    faster = speculative / drafted
    return replace(rate, step_s=rate.step_s / speculative, tokens_per_s=rate.tokens_per_s * faster)


def queue_of(shape: Shape, at: Serving, machine: ServeMachine, chosen: ServeSoftware, slots: int) -> Continuous:
    """Return one replica laid out as ``at`` (one layout, any batch) as a queue of up to ``slots`` sequences.

    Its step without prompts is drawn straight between one sequence and ``slots`` of them.
    """
    batch = np.array([1.0, max(float(slots), 2.0)])
    alone = replace(at, batch=batch, input_tokens=0.0 * np.asarray(at.input_tokens))
    step = np.broadcast_to(steady_rate(shape, alone, machine, chosen.calibration).step_s, batch.shape)
    each = float((step[1] - step[0]) / (batch[1] - 1.0))
    prompt = steady_rate(shape, replace(at, batch=np.ones(1)), machine, chosen.calibration).prefill_s
    output = float(np.ravel(at.output_tokens)[0])
    return Continuous(
        max(float(step[0]) - each, 0.0), max(each, 0.0), float(np.ravel(prompt)[0]), output, max(slots, 1)
    )


def layouts(network: Network, on: Host, job: ServingJob) -> list[tuple[int, int, int]]:
    """Return every (tensor, pipeline, expert) that the devices, the model and the flags allow.

    TensorRT-LLM's ``tp`` of a mixture counts the devices of a copy: attention may be data-parallel on them, with the
    experts spread (``enable_attention_dp``, its guide's setting for the highest rate). Where ``--expert`` is left
    open that comes first, and the tensor split where it does not fit.
    """
    if network.kind not in TRANSFORMERS:
        return [(1, 1, 1)]
    if job.tensor is not None:
        named = (job.tensor, job.pipeline or 1, job.expert or 1)
        apart = job.software == "trtllm" and job.expert is None and job.tensor > 1
        spread = apart and network.experts > 0 and not network.experts % job.tensor
        return [(1, named[1], job.tensor), named] if spread else [named]
    found = []
    for tensor in (n for n in range(1, min(on.devices, on.domain) + 1) if not network.heads % n):
        pipelines = [job.pipeline] if job.pipeline else [n for n in (1, 2, 4, 8, 16, 32) if n <= network.layers]
        wide = [n for n in (2, 4, 8, 16, 32, 64) if n >= tensor and network.experts and not network.experts % n]
        for pipeline in pipelines:
            for expert in [job.expert] if job.expert else [1, *wide]:
                taken = max(tensor, expert) * pipeline
                copies = on.devices // taken
                if copies * taken == on.devices and job.data in (None, copies):
                    found.append((tensor, pipeline, expert))
    return found or [(1, 1, 1)]


def searched(network: Network, on: Host, job: ServingJob, top: int = 10, *, plain: bool = False) -> Splits:
    """Return the fastest layouts of ``on`` for ``job``, those that fit first.

    ``plain`` puts a pipeline behind every layout without one: servers use it where a tensor split does not fit.
    """
    start = time.perf_counter()
    shape = shape_of(network, float((job.input_tokens or 1) + (job.output_tokens or 1)))
    machine = serve_machine(on.device, on.network_b_s, on.domain, job.precision)
    chosen = serve_software(on.device, float(machine.linear_bytes), job.software, on.network_kind)
    ways = layouts(network, on, replace(job, software=chosen.name))
    tensor, pipeline, expert = (np.array(column, dtype=np.float64)[:, None] for column in zip(*ways, strict=True))
    job = replace(job, software=chosen.name)
    one = serving_of(job, np.ones((len(ways), 1)))
    placed = replace(one, tensor=tensor, pipeline=pipeline, expert=expert)
    most = np.minimum(
        np.floor(room(shape, on, job, placed, machine)), LARGEST_BATCH * np.asarray(attention_ranks(placed))
    )
    most = np.maximum(most[:, 0], 0.0)
    batch = np.maximum(np.round(np.geomspace(1.0, np.maximum(most, 1.0), POINTS, axis=1)), 1.0)
    copies = on.devices / (np.maximum(tensor, expert) * pipeline)
    if job.batch is not None or job.concurrency is not None or job.scenario == "single-stream":
        batch = _asked(job, copies)
    at = Serving(**{f.name: np.broadcast_to(getattr(placed, f.name), batch.shape) for f in fields(Serving)})
    rate = rates(shape, replace(at, batch=batch * job.beams), machine, chosen, job.speculative)
    tokens = np.asarray(rate.tokens_per_s) / job.beams * copies
    prompt = _prompt_s(shape, placed, machine, chosen)
    place = _places(job, batch, rate, tokens, copies, prompt, most)
    rows = np.arange(len(ways))
    picked = tokens[rows, place]
    kept = most >= (batch[:, 0] if batch.shape[1] == 1 else 1.0)
    last = pipeline[:, 0] > 1 if plain and job.pipeline is None else np.zeros(len(ways), dtype=bool)
    if job.tensor is not None:
        last = np.arange(len(ways)) > 0
    order = np.lexsort((expert[:, 0], pipeline[:, 0], tensor[:, 0], -np.round(picked, 6), last, ~kept))
    if not kept.any():  # the nearest miss: the widest split
        order = np.argsort(copies[:, 0], kind="stable")
    best = tuple(
        Split(
            ways[i][0], ways[i][1], ways[i][2], int(copies[i, 0]), int(batch[i, place[i]]), float(picked[i]),
            float(np.broadcast_to(rate.step_s, batch.shape)[i, place[i]]), bool(kept[i]),
        )
        for i in order[:top]
    )  # fmt: skip
    return Splits(best, int(batch.size), time.perf_counter() - start)


def _asked(job: ServingJob, copies: FloatArray) -> FloatArray:
    if job.batch is not None:
        return np.full(copies.shape, float(job.batch))
    if job.concurrency is not None:
        return np.asarray(np.ceil(job.concurrency / copies))
    return np.ones(copies.shape)


def _prompt_s(shape: Shape, at: Serving, machine: ServeMachine, chosen: ServeSoftware) -> FloatArray:
    """Return what one prompt takes of a busy replica: its share of a chunk, which short prompts fill together."""
    chunk = np.maximum(at.input_tokens, CHUNK)
    cost = pass_cost(shape, at, machine, chosen.calibration, np.ones_like(chunk), chunk)
    return np.asarray(cost.total_s * at.input_tokens / chunk)


def _interrupted_s(
    rate_per_s: FloatArray, prompt_s: FloatArray, step_s: FloatArray, output: float
) -> FloatArray:  # fmt: skip
    """Return the mean time per token of a request, 99th percentile, with the prompts that come during its stay."""
    busy = np.clip(rate_per_s * prompt_s, 1e-6, 0.999)
    more = prompt_s * P99_NORMAL * np.sqrt(rate_per_s * output * step_s) / (1.0 - busy)
    return np.asarray(step_s + more / output)


def _first_token_s(
    rate_per_s: FloatArray, prompt_s: FloatArray, step_s: FloatArray, crowded_s: FloatArray
) -> FloatArray:  # fmt: skip
    """Return the time to the first token, 99th percentile, on one replica.

    A request waits for the end of the step it comes in, and is answered by the next one, which reads all prompts that
    came meanwhile: gated service. With ρ the share of time that prompts take, steps vary by ``V = λ p² S/(1 − ρ²)``
    and are met in proportion to their length, so that the mean is ``1.5 S + p + (½ + ρ) V/S`` (Takagi 1986, Analysis of
    Polling Systems, one queue). Beyond it: the rest of a step (uniform) and the crowd, whose 99th percentile lengthens
    a step to ``crowded_s``; and prompts, queueing as in M/D/1 and met within a step; joined as a root of squares.
    Within 15 % of simulated steps up to a load of 0.8, prompts of a quarter to 25 empty steps.

    Args:
        rate_per_s: λ, requests a second.
        prompt_s: p, what reading one prompt takes.
        step_s: S, mean step, prompts in it.
        crowded_s: step of the crowd that 1 % of the time exceeds.
    """
    busy = np.clip(rate_per_s * prompt_s, 1e-6, 0.999)
    varies = rate_per_s * prompt_s**2 * step_s / (1.0 - busy**2)
    mean = 1.5 * step_s + prompt_s + (0.5 + busy) * varies / step_s
    queued = np.asarray(p99_wait_s(prompt_s + 0.0 * busy, busy, np.ones(busy.shape), 0.0))
    prompts = queued + P99_NORMAL * prompt_s * np.sqrt(rate_per_s * step_s)
    steps = np.hypot(P99_NORMAL * step_s / np.sqrt(12.0), 1.5 * (crowded_s - step_s))
    return np.asarray(mean + np.hypot(steps, prompts))


def _crowded(batch: FloatArray, step_s: FloatArray, copies: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (requests in flight, their step) at the 99th percentile where ``batch`` is the mean of random arrivals.

    A request goes to the replica with the fewest, so that ``copies`` of them share the surplus evenly.

    Arrivals are random and each stays ``output`` steps that lengthen with the crowd. Near its mean the crowd is a
    birth and death process with drift ``-(1 - e)/stay``, e the elasticity of the step: variance ``batch / (1 - e)``
    (diffusion approximation of a state-dependent queue), of all replicas together. It changes no faster than requests
    come and go, so that a request meets one crowd all its stay. One number in flight alone (no first column to
    compare) has e = 0.

    >>> crowd, step = _crowded(np.array([[1.0, 100.0]]), np.array([[0.0101, 0.02]]), np.ones((1, 1)))
    >>> round(float(crowd[0, 1]), 1), round(float(step[0, 1]), 5)
    (132.9, 0.02329)
    """
    each = (step_s - step_s[:, :1]) / np.maximum(batch - batch[:, :1], 1.0)
    elastic = np.clip(each * batch / step_s, 0.0, 0.99)
    more = P99_NORMAL * np.sqrt(batch / (1.0 - elastic) / copies)
    more = np.where(batch > 1.0, more, 0.0)
    return batch + more, step_s + each * more


def _places(
    job: ServingJob, batch: FloatArray, rate: ServeRate, tokens: FloatArray, copies: FloatArray, prompt_s: FloatArray,
    most: FloatArray,
) -> npt.NDArray[np.intp]:  # fmt: skip
    """Return for each layout which batch to run: from the rate, or the fastest that the limits allow.

    ``prompt_s`` is what reading one prompt takes of a busy replica, ``most`` how many requests one holds.
    """
    output = float(job.output_tokens or 1)
    step = np.broadcast_to(rate.step_s, batch.shape)
    prefill = np.broadcast_to(rate.prefill_s, batch.shape)
    if job.rate_per_s is not None:
        # Little's law: in flight = rate x time in service, which itself grows with the batch.
        enough = batch >= job.rate_per_s / copies * (prefill + output * step)
        return np.asarray(np.where(enough.any(axis=1), enough.argmax(axis=1), batch.shape[1] - 1), dtype=np.intp)
    ttft, tpot = SCENARIO_LIMITS.get(job.scenario, (np.inf, np.inf))
    ttft, tpot = job.ttft_s or ttft, job.tpot_s or tpot
    first, gap, held = prefill + step, step, np.ones(batch.shape, dtype=bool)
    if job.scenario in SCENARIO_LIMITS:
        rate_per_s = tokens / copies / output
        crowd, slowed = _crowded(batch, step, copies)
        gap = step + np.hypot(_interrupted_s(rate_per_s, prompt_s, step, output) - step, slowed - step)
        first = np.maximum(_first_token_s(rate_per_s, prompt_s, step, slowed), first)
        # Who finds a full replica waits for another's last token, far beyond any limit on the first.
        held = crowd <= np.maximum(most, 1.0)[:, None]
    good = held & (gap <= tpot) & (first <= ttft)
    if job.latency_s is not None:
        good &= prefill + (1.0 + output) * step <= job.latency_s
    return np.asarray(np.argmax(np.where(good, tokens, 0.0), axis=1), dtype=np.intp)
