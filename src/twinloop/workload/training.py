"""Training: time, memory and power of a layout, and the layouts that meet a deadline."""

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
    LAYER_OVERHEAD_S,
    NARROW_HIDDEN,
    NETWORK_SHARE,
    PROFILE_HIGH,
    PROFILE_LOW,
    RESERVED_MEMORY,
    SHARDED_BYTES,
    STATE_BYTES,
    TRAIN_OVERLAP,
)
from twinloop.workload.power import busy_power, device_power_w, idle_power
from twinloop.workload.transformer import TRANSFORMERS, activation_bytes, forward_flops_per_token, parameter_count

LARGEST_COUNT = 2048
DEADLINE_SHARE = 0.9
"""A tenth of the deadline is kept for checkpoints, restarts and stragglers."""
TOKENS_PER_BATCH = 0.5e6
"""Default global batch: half a million tokens, common for models below 10 billion weights. Low confidence."""


@dataclass(frozen=True)
class TrainStep:
    """One optimizer step of one layout."""

    seconds: float
    breakdown_s: dict[str, float]
    memory_b: float
    mfu: float


def train_step(network: Network, device: Device, server: Server, layout: Parallelism) -> TrainStep:
    """Return time and memory of a step.

    Compute: three forward passes' operations at ``best · h/(h + h_half)`` of peak, with the width that
    tensor parallelism leaves. Tensor: four all-reduces of activations a layer and micro-batch over the
    scale-up link, ring cost ``2 (t − 1)/t``. Pipeline: bubble ``(p − 1)/m`` of compute. Data: gradients
    once, ring, over the scale-up link inside a server and the network beyond, partly hidden.
    """
    replicas, t, p = layout.data, layout.tensor, layout.pipeline
    samples = layout.batch / replicas
    micro_steps = max(samples / layout.micro_batch, 1.0)
    peak = _peak(device)
    flops = 3.0 * _forward_flops(network) * samples / (t * p)
    width = (network.hidden or 4 * NARROW_HIDDEN) / t**0.5
    share = BEST_GEMM_SHARE * width / (width + NARROW_HIDDEN)
    compute = flops / (peak * share)
    weights = parameter_count(network) / (t * p)
    memory = micro_steps * 3.0 * 2.0 * weights / (device.memory_bandwidth_b_s * BANDWIDTH_SHARE)
    layers = max(network.layers, 1) / p
    tensor_bytes = 2.0 * layout.micro_batch * max(network.context, 1) * max(network.hidden, 1)
    link = max(device.scale_up_b_s, server.network_b_s) * NETWORK_SHARE
    tensor = micro_steps * layers * 4.0 * 2.0 * (t - 1) / t * tensor_bytes / link if t > 1 else 0.0
    overhead = micro_steps * layers * 3.0 * LAYER_OVERHEAD_S
    pace = max(compute, memory)
    bubble = (p - 1) / micro_steps * (pace + tensor) if p > 1 else 0.0
    data = _data_seconds(weights, replicas, t * p, device, server)
    exposed = max(data - TRAIN_OVERLAP * (pace + tensor), 0.1 * data)
    optimizer = weights * STATE_BYTES / (device.memory_bandwidth_b_s * BANDWIDTH_SHARE) / max(replicas, 1)
    seconds = pace + tensor + bubble + exposed + optimizer + overhead
    return TrainStep(
        seconds,
        {
            "compute": compute, "memory": max(memory - compute, 0.0), "tensor_comm": tensor, "bubble": bubble,
            "data_comm": exposed, "optimizer": optimizer, "overhead": overhead,
        },
        _memory(network, weights, layout), flops / peak / seconds,
    )  # fmt: skip


def _data_seconds(weights: float, replicas: int, per_replica: int, device: Device, server: Server) -> float:
    if replicas == 1:
        return 0.0
    inside = replicas * per_replica <= max(server.devices, 1)
    link = (max(device.scale_up_b_s, server.network_b_s) if inside else server.network_b_s) * NETWORK_SHARE
    return 2.0 * (replicas - 1) / replicas * 2.0 * weights / link


def _memory(network: Network, weights: float, layout: Parallelism) -> float:
    states = weights * (STATE_BYTES - SHARDED_BYTES + SHARDED_BYTES / layout.data)
    if network.kind in TRANSFORMERS:
        layers = network.layers / layout.pipeline
        in_flight = min(layout.pipeline, max(layout.batch / layout.data / layout.micro_batch, 1.0))
        kept = activation_bytes(network, layout.micro_batch, layout.tensor) * layers * in_flight
        logits = 4.0 * layout.micro_batch * network.context * network.vocabulary / layout.tensor
        return states + kept + logits
    return states + 2.0 * (network.bytes_per_sample or 0.0) * layout.micro_batch


def _forward_flops(network: Network) -> float:
    """Operations of one sample's forward pass."""
    if network.kind in TRANSFORMERS:
        return forward_flops_per_token(network, network.context) * network.context
    return network.flops_per_sample or 2.0 * parameter_count(network)


def _peak(device: Device) -> float:
    return device.flops.get("bf16") or device.flops.get("fp16") or device.flops.get("fp32") or 0.0


def training_options(stage: Stage, network: Network, device: Device, server: Server) -> list[StageOption]:
    """Return layouts on ``server`` that meet the deadline: for each model split the fewest replicas, and twice them."""
    if _peak(device) <= 0.0 or network.kind == "trees":
        return []
    batch = stage.batch or max(round(TOKENS_PER_BATCH / max(network.context, 1)), 64)
    period = stage.every_s or stage.deadline_s or 30 * 86400.0
    allowed = DEADLINE_SHARE * min(stage.deadline_s or period, period)
    usable = device.memory_b * (1.0 - RESERVED_MEMORY)
    options = []
    for tensor in (1, 2, 4, 8):
        if tensor > min(device.scale_up_domain, server.devices) or (network.heads and network.heads % tensor):
            continue
        for pipeline in (1, 2, 4, 8, 16):
            if pipeline > max(network.layers, 1):
                continue
            found = _fewest(stage, network, device, server, tensor, pipeline, batch, usable, allowed)
            for layout, step in found:
                options.append(_option(stage, device, server, layout, step, batch, period))
    return options


def _fewest(
    stage: Stage, network: Network, device: Device, server: Server, tensor: int, pipeline: int, batch: int,
    usable_b: float, allowed_s: float,
) -> list[tuple[Parallelism, TrainStep]]:  # fmt: skip
    steps = math.ceil((stage.samples or 0.0) / batch)
    found: list[tuple[Parallelism, TrainStep]] = []
    replicas = 1
    while replicas <= batch and replicas * tensor * pipeline <= LARGEST_COUNT and len(found) < 2:
        best = None
        for micro in (1, 2, 4, 8, 16, 32, 64, 128):
            if micro > batch / replicas:
                break
            layout = Parallelism(replicas, tensor, pipeline, 1, 1, micro, batch)
            step = train_step(network, device, server, layout)
            if step.memory_b <= usable_b and (best is None or step.seconds < best[1].seconds):
                best = (layout, step)
        if best is not None and best[1].seconds * steps <= allowed_s:
            found.append(best)
        replicas *= 2
    return found


def _option(
    stage: Stage, device: Device, server: Server, layout: Parallelism, step: TrainStep, batch: int, period: float
) -> StageOption:
    steps = math.ceil((stage.samples or 0.0) / batch)
    servers = math.ceil(layout.devices / server.devices)
    device_w = device_power_w(device, step.mfu)
    duration = steps * step.seconds
    return StageOption(
        stage=stage.name, device=device.name, device_count=servers * server.devices, server=server.name,
        servers=servers, precision="bf16", compression="none", parallelism=layout,
        throughput_per_s=batch / step.seconds,
        duration_s=duration, busy_fraction=min(duration / period, 1.0), peak_utilisation=1.0,
        busy=busy_power(server, servers, device_w), idle=idle_power(device, server, servers),
        device_w=device_w, mfu=step.mfu, memory_per_device_b=step.memory_b, latency_p99_s=None, accuracy_drop=0.0,
        time_breakdown_s={name: value * steps for name, value in step.breakdown_s.items()}, low=PROFILE_LOW,
        high=PROFILE_HIGH, notes=("closed form, not calibrated on this device",),
    )  # fmt: skip
