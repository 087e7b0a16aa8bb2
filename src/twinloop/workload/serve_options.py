"""Ways to serve one stage: splits, formats and batches that hold the latency at the peak hour."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from twinloop.arrays import FloatArray
from twinloop.catalogue.nouns import Device, Server
from twinloop.model.estimate import Parallelism, StageOption
from twinloop.model.model import Stage
from twinloop.model.network import Network
from twinloop.workload.compression import Lever, allowed_levers
from twinloop.workload.decoding import (
    Serving,
    cache_b_per_sequence,
    drawing_s,
    pass_cost,
    replica_weight_b,
    steady_rate,
)
from twinloop.workload.machine import STORED_B, peak_flops, scale_up_domain, serve_machine
from twinloop.workload.memory import capacity_b
from twinloop.workload.other import INTERVAL as OTHER_INTERVAL
from twinloop.workload.other import RESERVED_B, forward_s, live_b, sample_of, served
from twinloop.workload.power import busy_power, idle_power, phase_power_w, serving_power_w
from twinloop.workload.queueing import Continuous, batch_latency_p99_s, continuous_latency_p99_s
from twinloop.workload.serve_constants import USABLE_MEMORY, USABLE_SAMPLES, buffers_b, serve_software
from twinloop.workload.serve_search import queue_of
from twinloop.workload.transformer import TRANSFORMERS, Shape, shape_of

LARGEST_COUNT = 8192
PEAK_LOAD = 0.8
"""Busy share of replicas in the peak hour: room for bursts inside it. Medium."""
BATCHES = np.array([1.0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
KEPT = 8


@dataclass(frozen=True)
class Runs:
    """One replica at each batch: seconds a batch, what limits it, and memory."""

    batch: FloatArray
    batch_s: FloatArray
    """Until all of a batch's requests are answered."""
    parts_s: dict[str, FloatArray]
    memory_b: FloatArray
    fits: npt.NDArray[np.bool_]
    compute_share: FloatArray
    """Arithmetic over peak while it runs."""
    device_w: FloatArray
    """Of one device while it runs."""
    queue: Callable[[int], Continuous] | None
    """The replica with so many slots, where sequences join and leave at every step and nothing waits for a batch."""
    low: float
    high: float
    notes: tuple[str, ...]
    memory_parts_b: dict[str, FloatArray] = field(default_factory=dict)
    """``memory_b`` by what it holds; empty where it is not known."""


def serving_options(
    stage: Stage, network: Network, device: Device, server: Server, allow: tuple[str, ...] = ()
) -> list[StageOption]:
    """Return for each format and split the batch that needs fewest devices within the latency."""
    options = []
    for lever in allowed_levers(device, stage.accuracy_drop, allow):
        for tensor in _tensors(network, device, server):
            option = _fewest(stage, network, device, server, lever, tensor)
            if option is not None:
                options.append(option)
    options.sort(key=lambda option: (option.device_count, option.busy.total_w))
    return options[:KEPT]


def least_latency(
    stage: Stage, network: Network, device: Device, server: Server, allow: tuple[str, ...] = ()
) -> tuple[float, str]:  # fmt: skip
    """Return the least 99th percentile of latency at the stage's rate that the options could hold, and its format.

    Infinite where the model does not fit, the device cannot run it, or the rate is beyond the largest count.
    """
    peak, best = (stage.requests_per_s or 0.0) * stage.peak_to_mean, (math.inf, "")
    for lever in allowed_levers(device, stage.accuracy_drop, allow):
        for tensor in _tensors(network, device, server):
            runs = replica_runs(stage, network, device, server, lever, tensor)
            if runs is None:
                continue
            for i in np.flatnonzero(runs.fits):
                replicas = _for_the_peak(runs, int(i), peak)
                if replicas * tensor <= LARGEST_COUNT:
                    best = min(best, (_enough(runs, int(i), peak, replicas, 0.0, tensor)[1], lever.precision))
    return best


def most_per_s(stage: Stage, network: Network, device: Device, server: Server, allow: tuple[str, ...] = ()) -> float:
    """Return what the largest count serves a second when every batch is full, whatever the latency; 0: nothing."""
    best = 0.0
    for lever in allowed_levers(device, stage.accuracy_drop, allow):
        for tensor in _tensors(network, device, server):
            runs = replica_runs(stage, network, device, server, lever, tensor)
            if runs is not None:
                fits = runs.fits
                each = np.where(fits, runs.batch / runs.batch_s, 0.0).max()
                best = max(best, float(each) * (LARGEST_COUNT // tensor))
    return best * PEAK_LOAD / stage.peak_to_mean


def _for_the_peak(runs: Runs, i: int, peak: float) -> int:
    return max(math.ceil(peak * float(runs.batch_s[i]) / (float(runs.batch[i]) * PEAK_LOAD)), 1)


def _tensors(network: Network, device: Device, server: Server) -> list[int]:
    """Return the splits that the model's heads, the domain and the server allow."""
    widest = min(scale_up_domain(device, server), server.devices)
    return [n for n in (1, 2, 4, 8) if n <= widest and (n == 1 or (network.layers > 0 and network.heads % n == 0))]


def replica_runs(
    stage: Stage, network: Network, device: Device, server: Server, lever: Lever, tensor: int
) -> Runs | None:
    """Return one replica of ``tensor`` devices at every batch; ``None`` where the device cannot run it."""
    if peak_flops(device, lever.precision) is None:
        return None
    if network.kind in TRANSFORMERS and network.layers:
        return _transformer_runs(stage, network, device, server, lever, tensor)
    return _other_runs(network, device, lever)


def _transformer_runs(
    stage: Stage, network: Network, device: Device, server: Server, lever: Lever, tensor: int
) -> Runs:  # fmt: skip
    prompt = float(stage.input_tokens or network.context or 1)
    output = float(stage.output_tokens or 0)
    shape = _pruned(shape_of(network, prompt + output), lever.shrink)
    machine = serve_machine(device, server.network_b_s, scale_up_domain(device, server), lever.precision)
    chosen = serve_software(device, machine.linear_bytes, shape=shape)
    one = np.ones_like(BATCHES)
    at = Serving(
        BATCHES, prompt * one, prompt * one, max(output, 1.0) * one, float(tensor) * one, one, one,
        STORED_B[lever.weights] * one, min(STORED_B[lever.cache], 2.0) * one, 0.0 * one,
    )  # fmt: skip
    single = Serving(**{f.name: np.asarray(getattr(at, f.name))[:1] for f in fields(Serving)})
    c = chosen.calibration
    if output > 0.0:
        rate = steady_rate(shape, at, machine, c)
        cost, seconds = rate.cost, rate.prefill_s + output * rate.step_s
        steps = output
    else:
        cost = pass_cost(shape, at, machine, c, 0.0 * one, BATCHES * prompt)
        seconds, steps = np.asarray(cost.total_s), 1.0
    peak = machine.peak_linear * tensor * np.asarray(cost.total_s)
    # An encoder that answers in one pass looks back at nothing: its layers' keys die with the layer.
    keeps = float(output > 0.0 or network.causal)
    held = {
        "weights": replica_weight_b(shape, at) + 0.0 * one,
        "KV cache": BATCHES * cache_b_per_sequence(shape, at) * keeps,
        "reserved": buffers_b(device) * one,
    }
    busy = np.minimum(cost.flops / peak, 1.0)
    notes = [f"constants {chosen.name}"] + (
        ["no measured row for this device: class defaults"] if chosen.extrapolated else []
    )
    parts = {
        "compute": cost.linear_s + cost.attention_s,
        "memory": cost.cache_s,
        "tensor_comm": cost.comm_s,
        "overhead": cost.host_s,
    }
    return Runs(
        BATCHES, np.asarray(seconds), {name: np.asarray(value) * steps + 0.0 * one for name, value in parts.items()},
        np.asarray(held["weights"] + held["KV cache"] + held["reserved"]),
        np.asarray(held["weights"] + held["KV cache"] / USABLE_MEMORY + held["reserved"] <= capacity_b(device)), busy,
        np.asarray(serving_power_w(device, drawing_s(cost), busy) + 0.0 * one),
        partial(queue_of, shape, single, machine, chosen) if output > 0.0 else None,
        chosen.low, chosen.high, tuple(notes), {name: np.asarray(value) for name, value in held.items()},
    )  # fmt: skip


def _pruned(shape: Shape, share: float) -> Shape:
    """Return the shape with its feed-forward width cut so that about ``share`` of the weights is left."""
    return replace(shape, ffn=shape.ffn * share, expert_ffn=shape.expert_ffn * share) if share < 1.0 else shape


def _other_runs(network: Network, device: Device, lever: Lever) -> Runs:
    live, network = live_b(network), served(network)
    run = forward_s(network, device, lever.precision, BATCHES, stack="compiled")
    sample = sample_of(network)
    total = np.asarray(run.total_s)
    peak = float(peak_flops(device, lever.precision) or 1.0)
    stored = STORED_B[lever.weights] * sample.weights * lever.shrink
    parts = {name: np.asarray(getattr(run, f"{name}_s")) for name in ("compute", "memory", "overhead")}
    held = stored + BATCHES * live + min(RESERVED_B, 0.1 * device.memory_b)
    return Runs(
        BATCHES, total, parts, held, held <= USABLE_SAMPLES * device.memory_b,
        np.minimum(BATCHES * sample.flops / peak / total, 1.0), np.asarray(phase_power_w(device, parts)), None,
        *OTHER_INTERVAL,
        (f"class constants of {network.kind}, low confidence",),
    )  # fmt: skip


def _fewest(
    stage: Stage, network: Network, device: Device, server: Server, lever: Lever, tensor: int
) -> StageOption | None:
    runs = replica_runs(stage, network, device, server, lever, tensor)
    if runs is None:
        return None
    peak = (stage.requests_per_s or 0.0) * stage.peak_to_mean
    limit = stage.latency_p99_s or math.inf
    best: tuple[int, int, float] | None = None
    for i in range(len(runs.batch)):
        if not runs.fits[i] or (runs.queue is None and runs.batch_s[i] > limit):
            continue
        replicas = _for_the_peak(runs, i, peak)
        if best is not None and replicas >= best[1]:
            continue
        replicas, latency = _enough(runs, i, peak, replicas, limit, tensor)
        if latency <= limit and replicas * tensor <= LARGEST_COUNT and (best is None or replicas < best[1]):
            best = (i, replicas, latency)
    return None if best is None else _option(stage, device, server, lever, tensor, runs, *best)


def _enough(runs: Runs, i: int, peak: float, replicas: int, limit_s: float, tensor: int) -> tuple[int, float]:
    """Add replicas until the waiting fits the limit too, doubling at most."""
    latency_s = _latencies(runs, i, peak)
    latency = latency_s(replicas)
    most = min(2 * replicas + 2, LARGEST_COUNT // tensor)
    while latency > limit_s and replicas < most:
        replicas += max(replicas // 8, 1)
        latency = latency_s(replicas)
    return replicas, latency


def _latencies(runs: Runs, i: int, peak: float) -> Callable[[int], float]:
    """Return the 99th percentile of latency at the peak, by how many replicas there are."""
    seconds, batch = float(runs.batch_s[i]), float(runs.batch[i])
    if runs.queue is None:
        return lambda replicas: float(batch_latency_p99_s(seconds, batch, peak, float(replicas)))
    queue = runs.queue(int(batch))
    return lambda replicas: continuous_latency_p99_s(queue, peak / replicas)


def _option(
    stage: Stage, device: Device, server: Server, lever: Lever, tensor: int, runs: Runs, i: int,
    replicas: int, latency_s: float,
) -> StageOption:  # fmt: skip
    servers = math.ceil(replicas * tensor / server.devices)
    count = servers * server.devices
    copies = count // tensor
    batch_s, batch = float(runs.batch_s[i]), float(runs.batch[i])
    load = min((stage.requests_per_s or 0.0) * batch_s / (batch * copies), 1.0)
    device_w = float(runs.device_w[i])
    bound = max(runs.parts_s, key=lambda name: float(runs.parts_s[name][i]))
    low = [each.name for each in (device, server) if each.lowest_confidence == "low"]
    notes = (*runs.notes, f"bound by {bound.replace('_', ' ')}")
    notes += (f"catalogue rows of low confidence: {', '.join(low)}",) if low else ()
    return StageOption(
        stage=stage.name, device=device.name, device_count=count, server=server.name, servers=servers,
        precision=lever.precision, compression=lever.name,
        parallelism=Parallelism(data=copies, tensor=tensor, batch=int(batch)),
        throughput_per_s=batch / batch_s * copies,
        duration_s=None, busy_fraction=load, peak_utilisation=min(load * stage.peak_to_mean, 1.0),
        busy=busy_power(server, servers, device_w), idle=idle_power(device, server, servers), device_w=device_w,
        mfu=float(runs.compute_share[i]), memory_per_device_b=float(runs.memory_b[i]), latency_p99_s=latency_s,
        accuracy_drop=lever.accuracy_drop,
        time_breakdown_s={name: float(value[i]) for name, value in runs.parts_s.items()},
        low=runs.low, high=runs.high, notes=notes,
        memory_parts_b={name: float(value[i]) for name, value in runs.memory_parts_b.items()},
    )  # fmt: skip
