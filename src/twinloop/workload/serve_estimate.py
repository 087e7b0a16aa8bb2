"""What ``estimate serve`` answers: one replica's layout, in full."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from twinloop.errors import Fault, InputError
from twinloop.model.network import Network
from twinloop.workload.decoding import (
    ServeMachine,
    ServeRate,
    Serving,
    cache_b_per_sequence,
    largest_batch,
    replica_weight_b,
    steady_rate,
)
from twinloop.workload.host import Host
from twinloop.workload.machine import STORED_B, required_peak, serve_machine
from twinloop.workload.other import INTERVAL as OTHER_INTERVAL
from twinloop.workload.other import forward_s, live_b, sample_of
from twinloop.workload.power import device_power_w
from twinloop.workload.queueing import batch_latency_p99_s, p99_wait_s
from twinloop.workload.serve_constants import (
    BUFFERS_B,
    LARGEST_BATCH,
    USABLE_MEMORY,
    ServeSoftware,
    serve_software,
)
from twinloop.workload.transformer import TRANSFORMERS, Shape, shape_of

SCENARIOS = ("offline", "server", "interactive", "single-stream")
SCENARIO_LIMITS = {"server": (2.0, 0.2), "interactive": (0.45, 0.04)}
"""(TTFT, TPOT) in seconds: MLPerf Inference 5.x, Llama-2-70B server and interactive (from memory)."""
OTHER_BATCHES = np.array([2.0**k for k in range(18)])


@dataclass(frozen=True)
class ServingJob:
    """What is served; ``None``: chosen or absent."""

    precision: str = "bf16"
    weights: str | None = None
    cache: str | None = None
    tensor: int = 1
    pipeline: int = 1
    expert: int = 1
    data: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    batch: int | None = None
    """Sequences in flight on one replica."""
    rate_per_s: float | None = None
    concurrency: int | None = None
    """Sequences in flight on all replicas."""
    scenario: str = "offline"
    ttft_s: float | None = None
    tpot_s: float | None = None
    latency_s: float | None = None
    prefix_hit: float = 0.0
    speculative: float = 1.0
    """Mean tokens accepted a step."""
    software: str | None = None
    work: float = 1.0
    """Of a sample, relative to the catalogue's: steps, image area, frames."""


@dataclass(frozen=True)
class ServingEstimate:
    """The answer; field names are the keys of the JSON."""

    throughput_tokens_per_s: float | None
    tokens_per_s_per_device: float | None
    samples_per_s: float
    ttft_s: float | None
    tpot_s: float | None
    latency_p99_s: float
    max_batch: int
    memory_per_device_gb: float
    fits: bool
    power_w: dict[str, float]
    energy_per_token_j: dict[str, float] | None
    energy_per_sample_j: dict[str, float]
    junction_c: float
    interval: dict[str, float]
    extrapolated: bool
    constants: dict[str, Any]
    layout: dict[str, Any]


def estimate_serving(network: Network, on: Host, job: ServingJob) -> ServingEstimate:
    """Return throughput, latency, memory and power of serving ``network``.

    Raises:
        InputError: flags contradict each other or the model.
    """
    replicas = _check(network, on, job)
    required_peak(on.device, job.precision)
    if network.kind in TRANSFORMERS and network.layers and job.output_tokens:
        return _decoder(network, on, job, replicas)
    return _plain(network, on, job, replicas)


def _check(network: Network, on: Host, job: ServingJob) -> int:
    model = job.tensor * job.pipeline
    faults = []
    for name, value in (("--tensor", job.tensor), ("--pipeline", job.pipeline), ("--expert", job.expert)):
        if value < 1:
            faults.append(Fault("command line", None, name, str(value), "at least 1"))
    if faults:
        raise InputError(tuple(faults))
    data = job.data if job.data is not None else max(on.devices // model, 1)
    if data * model != on.devices:
        expected = f"the product tensor {job.tensor} x pipeline {job.pipeline} x data {data} = {data * model}"
        faults.append(Fault("command line", None, "--devices", str(on.devices), expected))
    if network.layers and network.heads % job.tensor:
        faults.append(Fault("command line", None, "--tensor", str(job.tensor), f"a divisor of {network.heads} heads"))
    if job.expert > 1 and (not network.experts or network.experts % job.expert):
        faults.append(
            Fault("command line", None, "--expert", str(job.expert), f"a divisor of {network.experts} experts")
        )
    if sum(value is not None for value in (job.batch, job.rate_per_s, job.concurrency)) > 1:
        faults.append(Fault("command line", None, "--batch, --rate, --concurrency", "more than one", "one of them"))
    if not 0.0 <= job.prefix_hit < 1.0:
        faults.append(Fault("command line", None, "--prefix-hit", f"{job.prefix_hit:g}", "0 to below 1"))
    if job.speculative < 1.0:
        faults.append(Fault("command line", None, "--speculative", f"{job.speculative:g}", "at least 1 token a step"))
    if faults:
        raise InputError(tuple(faults))
    return data


def _serving(job: ServingJob, batches: Any) -> Serving:
    prompt, output = float(job.input_tokens or 1), float(job.output_tokens or 1)
    one = np.ones_like(batches)
    weights = STORED_B[job.weights or job.precision]
    narrow = job.precision not in ("bf16", "fp16", "fp32", "tf32", "int4")
    cache = STORED_B[job.cache or ("fp8" if narrow else "bf16")]
    return Serving(
        batches, max(prompt * (1.0 - job.prefix_hit), 1.0) * one, prompt * one, output * one, job.tensor * one,
        job.pipeline * one, job.expert * one, weights * one, cache * one,
    )  # fmt: skip


def _rates(shape: Shape, at: Serving, machine: ServeMachine, chosen: ServeSoftware, speculative: float) -> ServeRate:
    """Return the steady state; speculation drafts ``n`` tokens and verifies ``n + 1`` to accept ``speculative``."""
    if speculative <= 1.0:
        return steady_rate(shape, at, machine, chosen.calibration)
    drafted = np.ceil(speculative) + 1.0
    wide = replace(at, batch=at.batch * drafted, input_tokens=at.input_tokens / drafted)
    rate = steady_rate(shape, wide, machine, chosen.calibration)
    faster = speculative / drafted
    return replace(rate, step_s=rate.step_s / speculative, tokens_per_s=rate.tokens_per_s * faster)


def _decoder(network: Network, on: Host, job: ServingJob, replicas: int) -> ServingEstimate:
    prompt, output = float(job.input_tokens or 1), float(job.output_tokens or 1)
    shape = shape_of(network, prompt + output)
    machine = serve_machine(on.device, on.network_b_s, on.domain, job.precision)
    chosen = serve_software(on.device, float(machine.linear_bytes), job.software)
    buffers = min(BUFFERS_B, 0.1 * on.device.memory_b)
    room = float(largest_batch(shape, _serving(job, np.ones(1)), machine, USABLE_MEMORY, buffers)[0])
    most = int(min(max(room, 0.0), LARGEST_BATCH))
    batches = np.unique(np.round(np.geomspace(1.0, max(most, 1), 160)))
    rates = _rates(shape, _serving(job, batches), machine, chosen, job.speculative)
    batch = _batch(job, batches, rates, most, replicas, output)
    at = _serving(job, np.array([batch]))
    rate = _rates(shape, at, machine, chosen, job.speculative)
    tpot, tokens = float(rate.step_s[0]), float(rate.tokens_per_s[0]) * replicas
    prefill = float(np.ravel(rate.prefill_s)[0])
    service = prefill + output * tpot
    if job.rate_per_s is not None:
        tokens = min(tokens, job.rate_per_s * output)
    wait = _wait_s(job, service, batch, replicas, most)
    ttft = prefill + tpot + wait
    held = float(np.ravel(replica_weight_b(shape, at) + batch * cache_b_per_sequence(shape, at))[0]) + buffers
    cost = rate.cost
    seconds = float(np.ravel(cost.total_s)[0])
    peak = float(machine.peak_linear) * job.tensor
    work = min(float(np.ravel(cost.flops)[0]) / seconds / peak, 1.0)
    moved = min(float(np.ravel(cost.bytes_moved)[0]) / seconds / (float(machine.memory_b_s) * job.tensor), 1.0)
    busy = 1.0 if job.rate_per_s is None else min(tokens / (float(rate.tokens_per_s[0]) * replicas), 1.0)
    constants = {
        "software": chosen.name,
        **{name: float(value) for name, value in asdict(chosen.calibration).items()},
    }
    layout = {
        "tensor": job.tensor,
        "pipeline": job.pipeline,
        "expert": job.expert,
        "data": replicas,
        "batch": int(batch),
    }
    return _answer(
        on, tokens, tokens / output, (ttft, tpot, ttft + output * tpot), most, held, (work * busy, moved * busy),
        (chosen.low, chosen.high), constants, layout, extrapolated=chosen.extrapolated,
    )  # fmt: skip


def _wait_s(job: ServingJob, service_s: float, batch: float, replicas: int, most: int) -> float:
    if job.rate_per_s is None:
        return 0.0
    slots = float(max(most, 1) * replicas)
    load = job.rate_per_s * service_s / slots
    wait = float(p99_wait_s(service_s, min(load, 0.999), slots)) if load < 1.0 else service_s
    return wait + batch * 0.0


def _batch(job: ServingJob, batches: Any, rates: ServeRate, most: int, replicas: int, output: float) -> float:
    """Return the sequences in flight on one replica: given, from the rate, or the most that limits allow."""
    if job.batch is not None or job.concurrency is not None:
        asked = job.batch if job.batch is not None else -(-(job.concurrency or 1) // replicas)
        return float(max(min(asked, max(most, 1)), 1))
    if job.scenario == "single-stream":
        return 1.0
    if job.rate_per_s is not None:
        # Little's law: in flight = rate x time in service, which itself grows with the batch.
        service = np.ravel(rates.prefill_s)[0] + output * rates.step_s
        enough = np.flatnonzero(batches >= job.rate_per_s / replicas * service)
        return float(batches[enough[0]] if enough.size else batches[-1])
    ttft, tpot = SCENARIO_LIMITS.get(job.scenario, (np.inf, np.inf))
    ttft, tpot = job.ttft_s or ttft, job.tpot_s or tpot
    first = np.ravel(rates.prefill_s)[0] + rates.step_s
    good = (rates.step_s <= tpot) & (first <= ttft)
    if job.latency_s is not None:
        good &= first + output * rates.step_s <= job.latency_s
    chosen = np.flatnonzero(good)
    if not chosen.size:
        return 1.0
    return float(batches[chosen[np.argmax(rates.tokens_per_s[chosen])]])


def _plain(network: Network, on: Host, job: ServingJob, replicas: int) -> ServingEstimate:
    """Return one forward pass a sample: encoders, convnets, recommenders, trees, diffusion."""
    if network.layers and not network.flops_per_sample:
        network = _as_sample(network, job)
    scaled = replace(
        network, flops_per_sample=(network.flops_per_sample or sample_of(network).flops) * job.work,
        bytes_per_sample=(sample_of(network).bytes_16) * job.work,
    )  # fmt: skip
    sample = sample_of(scaled)
    stored = STORED_B[job.weights or job.precision] * sample.weights / (job.tensor * job.pipeline)
    buffers = min(1.5e9, 0.1 * on.device.memory_b)
    room = (on.device.memory_b * USABLE_MEMORY - stored - buffers) / max(live_b(scaled), 1.0)
    most = int(max(min(room, OTHER_BATCHES[-1]), 0.0))
    batches = OTHER_BATCHES[max(most, 1) >= OTHER_BATCHES]
    run = forward_s(scaled, on.device, job.precision, batches)
    seconds = np.asarray(run.total_s)
    batch = _plain_batch(job, batches, seconds)
    one = float(np.interp(batch, batches, seconds))
    rate = batch / one * replicas
    if job.rate_per_s is not None:
        rate = min(rate, job.rate_per_s)
    arrivals = job.rate_per_s
    latency = (
        one
        if arrivals is None
        else float(batch_latency_p99_s(one, batch, min(arrivals, 0.999 * batch / one * replicas), float(replicas)))
    )
    peak = required_peak(on.device, job.precision)
    work = min(rate / replicas * sample.flops / peak, 1.0)
    moved = min(rate / replicas * sample.bytes_16 / on.device.memory_bandwidth_b_s, 1.0)
    layout = {
        "tensor": job.tensor,
        "pipeline": job.pipeline,
        "expert": 1,
        "data": replicas,
        "batch": int(batch),
    }
    held = stored + buffers + batch * live_b(scaled)
    return _answer(
        on, None, rate, (None, None, latency), most, held, (work, moved), OTHER_INTERVAL,
        {"software": f"class of {network.kind}"}, layout, extrapolated=True,
    )  # fmt: skip


def _as_sample(network: Network, job: ServingJob) -> Network:
    """Return an encoder as operations and bytes of one sequence."""
    from twinloop.workload.transformer import model_flops_per_token, parameter_count

    length = float(job.input_tokens or network.context or 1)
    shape = shape_of(network, length)
    flops = length * (float(model_flops_per_token(shape)) - 2.0 * network.hidden * network.vocabulary)
    moved = 40.0 * length * network.hidden * network.layers
    return replace(
        network, flops_per_sample=flops, bytes_per_sample=moved, parameters=parameter_count(network), layers=0
    )


def _plain_batch(job: ServingJob, batches: Any, seconds: Any) -> float:
    if job.batch is not None:
        return float(min(max(job.batch, 1), batches[-1]))
    if job.scenario == "single-stream":
        return 1.0
    limit = job.latency_s or np.inf
    good = np.flatnonzero(seconds <= limit)
    return float(batches[good[np.argmax((batches / seconds)[good])]]) if good.size else 1.0


def _answer(
    on: Host, tokens: float | None, samples: float, latencies_s: tuple[float | None, float | None, float],
    most: int, held_b: float, activity: tuple[float, float], interval: tuple[float, float],
    constants: dict[str, Any], layout: dict[str, Any], *, extrapolated: bool,
) -> ServingEstimate:  # fmt: skip
    (ttft, tpot, latency), (work, moved) = latencies_s, activity
    settled = on.settle(float(device_power_w(on.device, work, moved)))
    # A slower clock slows arithmetic, not memory: charge the share of time that is arithmetic.
    slow = 1.0 + (1.0 / settled.clock - 1.0) * min(work * 1.5, 1.0)
    samples, latency = samples / slow, latency * slow
    node = on.node_w(settled.power_w)
    chip, whole = settled.power_w * on.devices, node["node_ac"] * on.devices / on.used_per_node
    done = None if tokens is None else tokens / slow
    return ServingEstimate(
        throughput_tokens_per_s=done, tokens_per_s_per_device=None if done is None else done / on.devices,
        samples_per_s=samples, ttft_s=ttft, tpot_s=None if tpot is None else tpot * slow, latency_p99_s=latency,
        max_batch=most, memory_per_device_gb=held_b / 1e9, fits=most >= 1, power_w=node,
        energy_per_token_j=None if not done else {"accelerator": chip / done, "node": whole / done},
        energy_per_sample_j={"accelerator": chip / samples, "node": whole / samples}, junction_c=settled.junction_c,
        interval={"low": (done or samples) / interval[1], "high": (done or samples) / interval[0]},
        extrapolated=extrapolated, constants=constants, layout=layout,
    )  # fmt: skip
