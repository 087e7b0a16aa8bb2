"""What ``estimate serve`` answers: one layout, in full."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.network import Network
from twinloop.workload.decoding import (
    ServeMachine,
    attention_ranks,
    cache_b_per_sequence,
    drawing_s,
    replica_devices,
    replica_weight_b,
)
from twinloop.workload.disaggregated import best_split, disaggregated
from twinloop.workload.host import Host
from twinloop.workload.machine import STORED_B, serve_machine
from twinloop.workload.other import (
    LAGGING_DRAW,
    RESERVED_B,
    eager_share,
    forward_s,
    live_b,
    sample_of,
    served,
    shared_s,
    stack_of,
    trust,
)
from twinloop.workload.power import phase_power_w, serving_power_w
from twinloop.workload.queueing import batch_latency_p99_s, continuous_latency_p99_s, p99_wait_s
from twinloop.workload.serve_constants import LARGEST_BATCH, USABLE_SAMPLES, buffers_b, serve_software
from twinloop.workload.serve_job import SCENARIO_LIMITS, ServingJob, checked
from twinloop.workload.serve_search import queue_of, rates, room, searched, serving_of
from twinloop.workload.transformer import TRANSFORMERS, Shape, shape_of

DECODERS = (*TRANSFORMERS, "speech")
STACK_OF = {"trtllm": "compiled", "framework": "framework", "vllm": "framework"}
"""Name of serving software -> whose constants hold for models that are not decoders."""
SCORE_SERVED_B = 12.0
"""Traffic of one attention score where a framework serves an encoder at 16 bits: written, scaled and masked,
normalised, read. Counted."""
OTHER_BATCHES = np.array([2.0**k for k in range(18)])


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
    asked, job = job.software, checked(job, network, on)
    if network.kind in DECODERS and network.layers and job.output_tokens:
        return _decoder(network, on, job) if job.prefill_devices is None else _pools(network, on, job)
    return _plain(network, on, replace(job, software=asked))


def _decoder(network: Network, on: Host, job: ServingJob) -> ServingEstimate:
    prompt, output = float(job.input_tokens or 1), float(job.output_tokens or 1)
    best = searched(network, on, job, top=1, plain=True).best[0]
    shape = shape_of(network, prompt + output)
    machine = serve_machine(on.device, on.network_b_s, on.domain, job.precision)
    stated = (job.ttft_s, job.tpot_s, job.latency_s)
    limited = job.scenario in SCENARIO_LIMITS or any(each is not None for each in stated)
    chosen = serve_software(
        on.device, float(machine.linear_bytes), job.software, on.network_kind, shape=shape, limited=limited
    )
    job = replace(job, tensor=best.tensor, pipeline=best.pipeline, expert=best.expert, software=chosen.name)
    at = serving_of(job, np.array([float(best.batch)]))
    rate = rates(shape, at, machine, chosen, job.speculative)
    tpot, most = float(rate.step_s[0]), _most(shape, on, job, machine)
    full = float(rate.tokens_per_s[0]) / job.beams * best.data
    prefill = float(np.ravel(rate.prefill_s)[0]) * job.beams
    tokens = full if job.rate_per_s is None else min(full, job.rate_per_s * output)
    ttft = prefill + tpot + _wait_s(job, prefill + output * tpot, best.data, most)
    latency = ttft + output * tpot
    if job.rate_per_s is not None and job.beams == 1 and job.speculative <= 1.0:
        queued = continuous_latency_p99_s(queue_of(shape, at, machine, chosen, most), job.rate_per_s / best.data)
        latency = queued if np.isfinite(queued) else latency
    shared = replace(at, context_tokens=at.context_tokens / job.beams)
    held = replica_weight_b(shape, at) + at.batch * cache_b_per_sequence(shape, shared)
    group = float(np.ravel(replica_devices(at))[0])
    seconds = float(np.ravel(rate.cost.total_s)[0]) * group
    work = float(np.ravel(rate.cost.flops)[0]) / seconds / float(machine.peak_linear)
    busy = tokens / full
    active = float(np.ravel(serving_power_w(on.device, drawing_s(rate.cost), min(work, 1.0)))[0])
    constants = {"software": chosen.name, **{name: float(v) for name, v in asdict(chosen.calibration).items()}}
    layout = {
        "tensor": best.tensor, "pipeline": best.pipeline, "expert": best.expert, "data": best.data,
        "batch": best.batch, "input": int(prompt), "output": int(output), "precision": job.precision,
        "weights": job.weights,
    }  # fmt: skip
    return _answer(
        on, tokens, tokens / output, (ttft, tpot, latency), most,
        float(np.ravel(held)[0]) + buffers_b(on.device), (active, min(work * 1.5, 1.0), busy),
        (chosen.low, chosen.high), constants, layout, extrapolated=chosen.extrapolated,
    )  # fmt: skip


def _pools(network: Network, on: Host, job: ServingJob) -> ServingEstimate:
    """Return prefill and decode on devices of their own."""
    found = (
        disaggregated(network, on, job, job.prefill_devices) if job.prefill_devices else best_split(network, on, job)
    )
    machine = serve_machine(on.device, on.network_b_s, on.domain, job.precision)
    chosen = serve_software(on.device, float(machine.linear_bytes), job.software, on.network_kind)
    output, idle = float(job.output_tokens or 1), on.device.idle_w
    drawn = arithmetic = 0.0
    for pool in (found.prefill, found.decode):
        share = pool.devices / on.devices
        busy = min(found.requests_per_s / pool.requests_per_s, 1.0) if pool is found.prefill else 1.0
        seconds = float(pool.cost.total_s) * max(pool.tensor, pool.expert)
        work = min(float(pool.cost.flops) / seconds / float(machine.peak_linear), 1.0)
        drawn += share * busy * (float(serving_power_w(on.device, drawing_s(pool.cost), work)) - idle)
        arithmetic += share * busy * min(1.5 * work, 1.0)
    layout = {
        f"{name}_{key}": getattr(pool, key)
        for name, pool in (("prefill", found.prefill), ("decode", found.decode))
        for key in ("devices", "tensor", "pipeline", "expert", "replicas")
    } | {
        "batch": found.decode.batch, "input": job.input_tokens, "output": job.output_tokens,
        "precision": job.precision, "weights": job.weights, "transfer_s": found.transfer_s,
        "limited_by": found.limited_by,
    }  # fmt: skip
    fits = found.prefill.fits and found.decode.fits
    constants = {"software": chosen.name, **{name: float(v) for name, v in asdict(chosen.calibration).items()}}
    return _answer(
        on, found.requests_per_s * output, found.requests_per_s,
        (found.ttft_s, found.tpot_s, found.ttft_s + output * found.tpot_s), found.decode.most if fits else 0,
        max(found.prefill.memory_b, found.decode.memory_b), (idle + drawn, arithmetic, 1.0),
        (chosen.low, chosen.high), constants, layout, extrapolated=True,
    )  # fmt: skip


def _most(shape: Shape, on: Host, job: ServingJob, machine: ServeMachine) -> int:
    at = serving_of(job, np.ones(1))
    held = room(shape, on, job, at, machine)
    return int(min(max(float(held[0]), 0.0), LARGEST_BATCH * float(attention_ranks(at)[0])))


def _wait_s(job: ServingJob, service_s: float, replicas: int, most: int) -> float:
    if job.rate_per_s is None:
        return 0.0
    slots = float(max(most, 1) * replicas)
    load = job.rate_per_s * service_s / slots
    return float(p99_wait_s(service_s, min(load, 0.999), slots)) if load < 1.0 else service_s


def _plain(network: Network, on: Host, job: ServingJob) -> ServingEstimate:
    """Return one forward pass a sample: encoders, convnets, recommenders, trees, diffusion."""
    sharing = (job.tensor or 1) if network.kind == "diffusion" else 1  # devices that share the tokens of a sample
    replicas = on.devices // sharing
    eager = network.kind == "diffusion" and on.device.kind == "gpu"  # other parts run compiled graphs only
    stack = stack_of(on.device, job.precision, STACK_OF.get(job.software or ""), eager=eager)
    interval, extrapolated = trust(network, on.device, stack)
    if network.layers and not network.flops_per_sample:
        network = _as_sample(network, job, SCORE_SERVED_B if stack == "framework" else 0.0)
    scaled, live = served(network, job.work * job.size), job.size * live_b(network) / sharing
    sample = sample_of(scaled)
    # Embedding tables are spread over the devices, the rest is on each.
    placed = sample.weights - sample.sparse_weights * (1.0 - 1.0 / replicas)
    held = STORED_B[job.weights or job.precision] * placed + min(RESERVED_B, 0.1 * on.device.memory_b)
    most = int(max(min((on.device.memory_b * USABLE_SAMPLES - held) / max(live, 1.0), OTHER_BATCHES[-1]), 0.0))
    asked = job.batch if job.concurrency is None else -(-job.concurrency // replicas)
    batches = OTHER_BATCHES[max(most, 1) >= OTHER_BATCHES] if asked is None else np.array([float(asked)])
    run = forward_s(scaled, on.device, job.precision, batches, stack=stack)
    run = shared_s(run, network, sharing, batches, job.work, job.size)
    place = _place(job, batches, np.asarray(run.total_s))
    batch, one = float(batches[place]), float(np.asarray(run.total_s)[place])
    rate = batch / one * replicas
    if job.rate_per_s is not None:
        rate = min(rate, job.rate_per_s)
    arrivals = job.rate_per_s
    latency = (
        one
        if arrivals is None
        else float(batch_latency_p99_s(one, batch, min(arrivals, 0.999 * batch / one * replicas), float(replicas)))
    )
    full = batch / one
    parts = {name: float(getattr(run, f"{name}_s")[place]) for name in ("compute", "memory", "overhead")}
    active = _whole_w(network, on, stack, parts)
    layout = {"tensor": sharing, "pipeline": 1, "expert": 1, "data": replicas, "batch": int(batch)}
    return _answer(
        on, None, rate, (None, None, latency), most, held + batch * live,
        (active, parts["compute"] / one, rate / replicas / full), interval,
        {"software": f"{stack}, class of {network.kind}"}, layout, extrapolated=extrapolated,
    )  # fmt: skip


def _whole_w(network: Network, on: Host, stack: str, parts_s: dict[str, float]) -> float:
    """Return one device's power while it serves whole samples; kernels that lag draw less than their time says."""
    drawn = parts_s["compute"] * eager_share(network, on.device, stack) ** LAGGING_DRAW
    waiting = parts_s["overhead"] + parts_s["compute"] - drawn
    return float(phase_power_w(on.device, {**parts_s, "compute": drawn, "overhead": waiting}))


def _as_sample(network: Network, job: ServingJob, score_b: float) -> Network:
    """Return an encoder as operations and bytes of one sequence; ``score_b`` of traffic for each of its scores."""
    from twinloop.workload.transformer import layer_flops_per_token, parameter_count

    length = float(job.input_tokens or network.context or 1)
    shape = shape_of(network, length)
    flops = length * float(layer_flops_per_token(shape))
    moved = length * network.layers * (40.0 * network.hidden + score_b * network.heads * length)
    return replace(
        network, flops_per_sample=flops, bytes_per_sample=moved, parameters=parameter_count(network), layers=0
    )


def _place(job: ServingJob, batches: FloatArray, seconds: FloatArray) -> int:
    """Return which batch to run: the fastest that the limit on latency allows.

    A request to a busy server waits for the batch before its own.
    """
    if job.scenario == "single-stream":
        return 0
    waits = 2.0 if job.scenario == "server" else 1.0
    good = np.flatnonzero(waits * seconds <= (job.latency_s or np.inf))
    return int(good[np.argmax((batches / seconds)[good])]) if good.size else 0


def _answer(
    on: Host, tokens: float | None, samples: float, latencies_s: tuple[float | None, float | None, float],
    most: int, held_b: float, activity: tuple[float, float, float], interval: tuple[float, float],
    constants: dict[str, Any], layout: dict[str, Any], *, extrapolated: bool,
) -> ServingEstimate:  # fmt: skip
    (ttft, tpot, latency), (active, arithmetic, busy) = latencies_s, activity
    settled = on.settle(on.device.idle_w + busy * (active - on.device.idle_w))
    # A slower clock slows arithmetic, not memory: charge the share of time that is arithmetic.
    slow = 1.0 + (1.0 / settled.clock - 1.0) * arithmetic
    samples, latency = samples / slow, latency * slow
    node = on.node_w(settled.power_w)
    chip, whole = settled.power_w * on.devices, node["node_ac"] * on.devices / on.used_per_node
    done = None if tokens is None else tokens / slow
    return ServingEstimate(
        throughput_tokens_per_s=done, tokens_per_s_per_device=None if done is None else done / on.devices,
        samples_per_s=samples, ttft_s=None if ttft is None else ttft * slow,
        tpot_s=None if tpot is None else tpot * slow, latency_p99_s=latency,
        max_batch=most, memory_per_device_gb=held_b / 1e9, fits=most >= max(layout["batch"], 1), power_w=node,
        energy_per_token_j=None if not done else {"accelerator": chip / done, "node": whole / done},
        energy_per_sample_j={"accelerator": chip / samples, "node": whole / samples}, junction_c=settled.junction_c,
        interval={"low": (done or samples) / interval[1], "high": (done or samples) / interval[0]},
        extrapolated=extrapolated, constants=constants, layout=layout,
    )  # fmt: skip
