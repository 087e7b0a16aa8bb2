"""Prefill and decode on devices of their own: prompts are read in one pool and their cache sent to the other.

Each pool has its own layout and its own steps: no prompt delays a token. The pools work at one rate, that of the
slower or of the network between them (Zhong et al. 2024, DistServe, arXiv:2401.09670; Patel et al. 2024, Splitwise,
arXiv:2311.18677).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from twinloop.errors import Fault, InputError
from twinloop.model.network import Network
from twinloop.workload.decoding import (
    STATE_B,
    ServeMachine,
    Serving,
    StepCost,
    attention_ranks,
    cache_b_per_sequence,
    pass_cost,
    replica_devices,
    replica_weight_b,
    steady_rate,
)
from twinloop.workload.host import Host
from twinloop.workload.machine import serve_machine
from twinloop.workload.memory import capacity_b
from twinloop.workload.queueing import p99_wait_s
from twinloop.workload.serve_constants import LARGEST_BATCH, USABLE_MEMORY, ServeSoftware, buffers_b, serve_software
from twinloop.workload.serve_job import SCENARIO_LIMITS, ServingJob
from twinloop.workload.serve_search import POINTS, layouts, room, serving_of
from twinloop.workload.transformer import Shape, attended, kv_bytes_per_token, shape_of, state_values


@dataclass(frozen=True)
class Pool:
    """One pool's best layout: devices, replicas of it, and what it does at most."""

    devices: int
    tensor: int
    pipeline: int
    expert: int
    replicas: int
    requests_per_s: float
    """Of all replicas, at full load."""
    seconds: float
    """Of one prompt in the prefill pool; between two tokens of one sequence in the decode pool."""
    batch: int
    """Sequences in flight on one replica; 1 where prompts are read."""
    most: int
    """The same that fit."""
    memory_b: float
    fits: bool
    cost: StepCost
    """Of one pass of a replica."""


@dataclass(frozen=True)
class Disaggregated:
    """Both pools at the rate they share."""

    prefill: Pool
    decode: Pool
    transfer_s: float
    """Sending one prompt's cache."""
    requests_per_s: float
    ttft_s: float
    tpot_s: float
    limited_by: str
    """prefill, decode, network or arrivals."""


def split_search(network: Network, on: Host, job: ServingJob) -> tuple[Disaggregated, ...]:
    """Return both pools at every split of the devices into two, most requests first, those that fit before others.

    Splits go by single devices, by a thirty-second of more than 32.
    """
    step = max(on.devices // 32, 1)
    found = [disaggregated(network, on, job, count) for count in range(step, on.devices, step)]
    return tuple(sorted(found, key=lambda d: (not (d.prefill.fits and d.decode.fits), -d.requests_per_s)))


def best_split(network: Network, on: Host, job: ServingJob) -> Disaggregated:
    """Return the split that serves most requests among those that fit."""
    return split_search(network, on, job)[0]


def disaggregated(network: Network, on: Host, job: ServingJob, prefill_devices: int) -> Disaggregated:
    """Return the steady state with ``prefill_devices`` of ``on`` reading prompts and the others decoding.

    Args:
        network: a decoder.
        on: all devices.
        job: as :func:`serve_job.checked` returns it; its splits apply to both pools.
        prefill_devices: at least 1, fewer than all.
    """
    prompt, output = float(job.input_tokens or 1), float(job.output_tokens or 1)
    shape = shape_of(network, prompt + output)
    machine = serve_machine(on.device, on.network_b_s, on.domain, job.precision)
    chosen = serve_software(on.device, float(machine.linear_bytes), job.software, on.network_kind)
    job = replace(job, software=chosen.name)
    ttft, tpot = SCENARIO_LIMITS.get(job.scenario, (np.inf, np.inf))
    decoding = replace(on, devices=on.devices - prefill_devices)
    writers = _decode_pool(network, decoding, job, shape, machine, chosen, limit_s=job.tpot_s or tpot)
    reading, left = replace(on, devices=prefill_devices), (job.ttft_s or ttft) - writers.seconds
    readers = _prefill_pool(network, reading, job, shape, machine, chosen, limit_s=left)
    sent = _cache_b(shape, job, prompt)
    near = on.devices <= on.domain
    c = chosen.calibration
    link = float(machine.scale_up_b_s * c.inner) if near else float(machine.network_b_s * c.outer)
    alone = min(readers.tensor * readers.pipeline, writers.tensor * writers.pipeline) * link
    transfer = sent / alone + float(c.inner_alpha_s if near else c.outer_alpha_s)
    limits = {
        "prefill": readers.requests_per_s, "decode": writers.requests_per_s,
        "network": min(readers.devices, writers.devices) * link / max(sent, 1.0),
        "arrivals": job.rate_per_s or np.inf,
    }  # fmt: skip
    limited_by = min(limits, key=lambda name: limits[name])
    rate = float(limits[limited_by])
    writers = _decode_pool(network, decoding, job, shape, machine, chosen, limit_s=job.tpot_s or tpot, rate_per_s=rate)
    load = rate / readers.requests_per_s
    waits = job.rate_per_s is not None and load < 1.0
    wait = float(p99_wait_s(readers.seconds, min(load, 0.999), float(readers.replicas))) if waits else 0.0
    first = wait + readers.seconds + transfer + writers.seconds
    found = Disaggregated(readers, writers, transfer, rate, first, writers.seconds, limited_by)
    return found if first <= (job.ttft_s or ttft) else replace(found, prefill=replace(readers, fits=False))


def _cache_b(shape: Shape, job: ServingJob, prompt: float) -> float:
    """Return the bytes that one prompt leaves for the decoder."""
    at = serving_of(job, np.ones(1))
    held = kv_bytes_per_token(shape, 1.0) * at.cache_b * attended(shape, prompt) + state_values(shape) * STATE_B
    return float(np.ravel(held)[0])


def _ways(network: Network, on: Host, job: ServingJob) -> list[tuple[int, int, int]]:
    """Return the layouts of one pool; the flags' own where they name one.

    Raises:
        InputError: a pool has fewer devices than the layout that the flags name.
    """
    ways = layouts(network, on, replace(job, data=None))
    least = min(max(tensor, expert) * pipeline for tensor, pipeline, expert in ways)
    if least > on.devices:
        expected = f"at least {least} devices a pool: tensor, expert and pipeline as given"
        raise InputError(Fault("command line", None, "--disaggregated", str(on.devices), expected))
    return ways


def _placed(job: ServingJob, ways: list[tuple[int, int, int]]) -> Serving:
    """Return one request on every layout, a row each."""
    tensor, pipeline, expert = (np.array(column, dtype=np.float64)[:, None] for column in zip(*ways, strict=True))
    return replace(serving_of(job, np.ones((len(ways), 1))), tensor=tensor, pipeline=pipeline, expert=expert)


def _row(value: object, shape: tuple[int, ...], place: tuple[int, int]) -> float:
    return float(np.broadcast_to(np.asarray(value, dtype=np.float64), shape)[place])


def _cost_at(cost: StepCost, shape: tuple[int, ...], place: tuple[int, int]) -> StepCost:
    return StepCost(**{f.name: _row(getattr(cost, f.name), shape, place) for f in fields(StepCost)})


def _prefill_pool(
    network: Network, on: Host, job: ServingJob, shape: Shape, machine: ServeMachine, chosen: ServeSoftware,
    *, limit_s: float,
) -> Pool:  # fmt: skip
    """Return the layout that reads most prompts a second, one at a time on each replica, each within ``limit_s``."""
    c = chosen.calibration
    ways = _ways(network, on, job)
    at = _placed(job, ways)
    tokens = at.input_tokens * job.beams
    cost = pass_cost(shape, at, machine, c, np.ones_like(tokens), tokens)
    total = np.asarray(cost.total_s)
    stage = (total - c.step_s) / at.pipeline + c.step_s
    group = np.asarray(replica_devices(at) * at.pipeline)
    replicas = on.devices // group
    weights = np.asarray(replica_weight_b(shape, at))
    cached = _cache_b(shape, job, float(job.input_tokens or 1)) / group
    held = weights + cached
    fits = weights + cached / USABLE_MEMORY + buffers_b(on.device) <= capacity_b(on.device)
    quick = fits & (total <= limit_s)
    judged = np.where(quick if quick.any() else fits, replicas / stage, 0.0) if fits.any() else group
    i = int(np.argmax(judged[:, 0]))
    place = (i, 0)
    return Pool(
        on.devices, *ways[i], int(replicas[place]), float((replicas / stage)[place]), float(total[place]), 1, 1,
        float(held[place]) + buffers_b(on.device), bool(fits[place]), _cost_at(cost, total.shape, place),
    )  # fmt: skip


def _decode_pool(
    network: Network, on: Host, job: ServingJob, shape: Shape, machine: ServeMachine, chosen: ServeSoftware,
    *, limit_s: float, rate_per_s: float | None = None,
) -> Pool:  # fmt: skip
    """Return the layout that finishes most requests within ``limit_s`` a token; at ``rate_per_s`` its batch follows."""
    ways = _ways(network, on, job)
    one = _placed(job, ways)
    most = np.floor(room(shape, on, job, one, machine))
    most = np.clip(most, 0.0, LARGEST_BATCH * np.asarray(attention_ranks(one)))[:, 0]
    batch = np.maximum(np.round(np.geomspace(1.0, np.maximum(most, 1.0), POINTS, axis=1)), 1.0)
    if job.batch is not None:
        batch = np.full((len(ways), 1), float(job.batch))
    at = Serving(**{f.name: np.broadcast_to(getattr(one, f.name), batch.shape) for f in fields(Serving)})
    # Prompts come with their cache: nothing is prefilled here.
    alone = replace(at, batch=batch * job.beams, input_tokens=0.0 * at.input_tokens)
    rate = steady_rate(shape, alone, machine, chosen.calibration)
    step, output = np.broadcast_to(rate.step_s, batch.shape), float(job.output_tokens or 1)
    replicas = on.devices // np.asarray(replica_devices(one) * one.pipeline)
    finished = np.asarray(rate.tokens_per_s) / job.beams * replicas / output
    fits = (most[:, None] >= batch) & (most[:, None] >= 1.0)
    good = np.where(fits & (step <= limit_s), finished, 0.0)
    i, k = (int(v) for v in np.unravel_index(int(np.argmax(good)), good.shape))
    if rate_per_s is not None:
        enough = finished[i] >= rate_per_s * (1.0 - 1e-9)
        k = int(np.argmax(enough)) if enough.any() else k
    place = (i, k)
    shared = replace(at, context_tokens=at.context_tokens / job.beams)
    held = replica_weight_b(shape, at) + batch * job.beams * cache_b_per_sequence(shape, shared)
    return Pool(
        on.devices, *ways[i], int(replicas[i, 0]), float(finished[place]), float(step[place]), int(batch[place]),
        int(most[i]),
        _row(held, batch.shape, place) + buffers_b(on.device), bool(fits[place] and good.any()),
        _cost_at(rate.cost, batch.shape, place),
    )  # fmt: skip
