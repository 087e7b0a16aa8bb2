"""Serving: batch time by roofline, queueing to the 99th percentile, devices for the peak."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinloop.catalogue.nouns import Device, Server
from twinloop.model.estimate import Parallelism, StageOption
from twinloop.model.model import Stage
from twinloop.model.network import Network
from twinloop.workload.constants import (
    BANDWIDTH_SHARE,
    BEST_GEMM_SHARE,
    BYTES,
    CPU_SHARE,
    FPGA_SHARE,
    LAYER_OVERHEAD_S,
    NARROW_HIDDEN,
    NETWORK_SHARE,
    PROFILE_HIGH,
    PROFILE_LOW,
    QUANTISATION_DROP,
    RESERVED_MEMORY,
)
from twinloop.workload.power import busy_power, device_power_w, idle_power
from twinloop.workload.transformer import (
    TRANSFORMERS,
    forward_flops_per_token,
    kv_bytes_per_token,
    parameter_count,
)

LARGEST_COUNT = 4096
PEAK_LOAD = 0.8
"""Busy share of replicas in the peak hour: room for bursts inside it."""
TREE_BYTES_PER_NODE = 16.0
"""A visited node of a tree: feature, threshold, child. Low confidence."""


@dataclass(frozen=True)
class Batch:
    """One batch on one replica."""

    seconds: float
    compute_s: float
    memory_s: float
    comm_s: float
    memory_b: float
    compute_share: float
    """Arithmetic rate over peak while it runs."""


def serving_options(stage: Stage, network: Network, device: Device, server: Server) -> list[StageOption]:
    """Return, for each precision and tensor split, the batch that needs fewest devices within the latency."""
    options = []
    for precision, drop in QUANTISATION_DROP.items():
        if drop > stage.accuracy_drop or not _rate(device, precision):
            continue
        for tensor in (1, 2, 4, 8):
            if tensor > min(device.scale_up_domain, server.devices) or (network.heads and network.heads % tensor):
                continue
            option = _best_batch(stage, network, device, server, precision, tensor)
            if option is not None:
                options.append(option)
    return options


def run_batch(network: Network, stage: Stage, device: Device, precision: str, tensor: int, batch: int) -> Batch:
    """Return the time of ``batch`` requests together on one replica.

    ``max(operations/(peak · share), bytes/(bandwidth · share)) + links + launches``. Generating models run
    one prefill and ``output_tokens`` steps that each read all weights and the growing cache.
    """
    width = BYTES[precision]
    weights = parameter_count(network) * width
    rate = _rate(device, precision) * _share(network, device, batch) * tensor
    bandwidth = device.memory_bandwidth_b_s * BANDWIDTH_SHARE * tensor
    tokens, flops, moved = _work(network, stage, width, weights)
    compute = batch * flops / rate
    memory = (moved(batch)) / bandwidth
    link = max(device.scale_up_b_s, 1e9) * NETWORK_SHARE
    comm = 0.0
    if tensor > 1:
        comm = network.layers * 2.0 * 2.0 * (tensor - 1) / tensor * batch * tokens * network.hidden * width / link
    passes = 1.0 + (stage.output_tokens or 0)
    launches = passes * max(network.layers, 1) * LAYER_OVERHEAD_S * (1.0 if device.kind != "cpu" else 0.1)
    seconds = max(compute, memory) + comm + launches
    cache = batch * (tokens + (stage.output_tokens or 0)) * _kv(network, width) if network.causal else 0.0
    return Batch(
        seconds, compute, memory, comm, (weights + cache) / tensor * 1.05,
        batch * flops / (_rate(device, precision) * tensor) / seconds,
    )  # fmt: skip


def _work(network: Network, stage: Stage, width: float, weights: float):  # type: ignore[no-untyped-def]
    """Return (tokens of a request, its operations, bytes moved by a batch as a function of its size)."""
    if network.kind in TRANSFORMERS:
        tokens = stage.input_tokens or network.context
        out = stage.output_tokens or 0
        flops = forward_flops_per_token(network, tokens) * (tokens + out)
        cache = _kv(network, width) * (tokens + out / 2.0)
        return tokens, flops, lambda batch: weights * (1.0 + out) + batch * cache * out
    if network.kind == "trees":
        visits = float(network.trees * network.depth)
        return 1, 2.0 * visits, lambda batch: batch * visits * TREE_BYTES_PER_NODE
    per_sample = network.bytes_per_sample or 0.0
    return 1, network.flops_per_sample or 2.0 * parameter_count(network), lambda batch: weights + batch * per_sample


def _kv(network: Network, width: float) -> float:
    return kv_bytes_per_token(network, width) if network.kind in TRANSFORMERS else 0.0


def _rate(device: Device, precision: str) -> float:
    if precision == "bf16":
        return device.flops.get("bf16") or device.flops.get("fp16") or device.flops.get("fp32") or 0.0
    return device.flops.get(precision) or 0.0


def _share(network: Network, device: Device, batch: int) -> float:
    if device.kind == "cpu":
        return CPU_SHARE
    if device.kind == "fpga":
        return FPGA_SHARE
    width = network.hidden or 4 * NARROW_HIDDEN
    rows = batch * max(network.context, 1)
    return BEST_GEMM_SHARE * width / (width + NARROW_HIDDEN) * rows / (rows + 256.0)


def p99_latency_s(seconds: float, batch: int, arrivals_per_s: float, replicas: int) -> float:
    """Return the 99th percentile: filling the batch, waiting for a replica, running.

    Filling takes at most ``batch / (arrivals per replica)``; waiting follows M/D/c in its exponential
    tail, ``W₉₉ = ln(100 P_wait) s/(2 c (1 − ρ))`` with ``P_wait ≈ ρ^√(2(c+1))`` (Sakasegawa's approximation,
    Annals of the Institute of Statistical Mathematics 29, 1977; halved for deterministic service).
    """
    load = arrivals_per_s * seconds / (batch * replicas)
    if load >= 1.0:
        return math.inf
    fill = (batch - 1) / (arrivals_per_s / replicas)
    waiting = load ** math.sqrt(2.0 * (replicas + 1.0))
    wait = math.log(max(100.0 * waiting, 1.0)) * seconds / (2.0 * replicas * (1.0 - load))
    return fill + wait + seconds


def _best_batch(
    stage: Stage, network: Network, device: Device, server: Server, precision: str, tensor: int
) -> StageOption | None:
    arrivals = stage.requests_per_s or 0.0
    peak = arrivals * stage.peak_to_mean
    limit = stage.latency_p99_s or math.inf
    usable = device.memory_b * (1.0 - RESERVED_MEMORY)
    best: tuple[int, int, Batch, float] | None = None
    for batch in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024):
        run = run_batch(network, stage, device, precision, tensor, batch)
        if run.memory_b > usable or run.seconds > limit:
            break
        replicas = max(math.ceil(peak * run.seconds / (batch * PEAK_LOAD)), 1)
        latency = p99_latency_s(run.seconds, batch, peak, replicas)
        if latency <= limit and replicas * tensor <= LARGEST_COUNT and (best is None or replicas < best[1]):
            best = (batch, replicas, run, latency)
    if best is None:
        return None
    return _option(stage, device, server, precision, tensor, best)


def _option(
    stage: Stage, device: Device, server: Server, precision: str, tensor: int, best: tuple[int, int, Batch, float]
) -> StageOption:
    batch, replicas, run, latency = best
    servers = math.ceil(replicas * tensor / server.devices)
    count = servers * server.devices
    mean_load = (stage.requests_per_s or 0.0) * run.seconds / (batch * count / tensor)
    device_w = device_power_w(device, run.compute_share)
    return StageOption(
        stage=stage.name, device=device.name, device_count=count, server=server.name, servers=servers,
        precision=precision, compression="none" if precision == "bf16" else f"{precision} weights and activations",
        parallelism=Parallelism(data=count // tensor, tensor=tensor, batch=batch),
        throughput_per_s=batch / run.seconds * (count / tensor), duration_s=None, busy_fraction=mean_load,
        peak_utilisation=min(mean_load * stage.peak_to_mean, 1.0),
        busy=busy_power(server, servers, device_w), idle=idle_power(device, server, servers),
        device_w=device_w, mfu=run.compute_share, memory_per_device_b=run.memory_b, latency_p99_s=latency,
        accuracy_drop=QUANTISATION_DROP[precision],
        time_breakdown_s={
            "compute": run.compute_s, "memory": run.memory_s, "tensor_comm": run.comm_s,
            "overhead": max(run.seconds - max(run.compute_s, run.memory_s) - run.comm_s, 0.0),
        },
        low=PROFILE_LOW, high=PROFILE_HIGH, notes=("closed form, not calibrated on this device",),
    )  # fmt: skip
