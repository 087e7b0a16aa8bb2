"""What ``estimate train`` answers: one layout, in full."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from twinloop.arrays import Array, FloatArray
from twinloop.model.network import Network
from twinloop.workload.calibration import Calibration
from twinloop.workload.collectives import Links
from twinloop.workload.constants import RECENT, over_network, software
from twinloop.workload.host import Host
from twinloop.workload.layouts import RECOMPUTE, SCHEDULES, Layouts, divisors, experts_overlapped
from twinloop.workload.machine import VALUE_B, required_peak, training_machine
from twinloop.workload.memory import FULL, SELECTIVE, Memory, States, capacity_b, training_memory
from twinloop.workload.other import RESERVED_B, sample_of, stack_of, trust
from twinloop.workload.other_step import OtherStep, repeated_share, train_step_s
from twinloop.workload.power import phase_power_w
from twinloop.workload.train_job import OPTIMIZER_B, TrainingJob, checked
from twinloop.workload.training import Machine, StepTimes, parts_s, step_times
from twinloop.workload.transformer import (
    TRANSFORMERS,
    counted,
    layer_flops_per_token,
    model_flops_per_token,
    parameter_count,
    shape_of,
)

LARGEST_MICRO_BATCH = 512
"""Of sequences, where it is left open."""
UNSPLIT_SEQUENCES = ("framework-2021", "megatron-2022")
"""Software before sequence parallelism came with tensor parallelism (Korthikanti et al. 2022)."""


@dataclass(frozen=True)
class TrainingEstimate:
    """The answer; field names are the keys of the JSON."""

    step_time_s: float
    samples_per_s: float
    tokens_per_s: float | None
    model_tflops_per_device: float
    hardware_tflops_per_device: float
    mfu: float
    hfu: float
    memory_per_device_gb: float
    memory_breakdown_gb: dict[str, float]
    fits: bool
    power_w: dict[str, float]
    energy_per_step_j: dict[str, float]
    junction_c: float
    clock: float
    time_breakdown_s: dict[str, float]
    parameters: float
    interval: dict[str, float]
    extrapolated: bool
    constants: dict[str, Any]
    layout: dict[str, Any]


def estimate_training(network: Network, on: Host, job: TrainingJob) -> TrainingEstimate:
    """Return time, memory, power and temperature of one training step.

    Raises:
        InputError: flags contradict each other or the model.
    """
    data = checked(job, network, on.devices)
    required_peak(on.device, job.precision)
    if network.kind in TRANSFORMERS and network.layers:
        return _transformer(network, on, job, data)
    return _other(network, on, job, data)


def trained_share(job: TrainingJob, network: Network) -> float:
    """Return the share of weights that are trained: all, or an adapter's ``2 r / h``."""
    return 1.0 if job.lora_rank is None else min(2.0 * job.lora_rank / max(network.hidden, 1), 1.0)


def states_of(job: TrainingJob, network: Network, machine: Machine, gradient_b: float) -> States:
    """Return the bytes of a weight and of an input kept; LoRA trains ``r (in + out)`` weights of every matrix."""
    weight_b = 4.0 if job.precision in ("fp32", "tf32", "fp64") else 2.0
    optimizer = OPTIMIZER_B[job.optimizer] - (4.0 if weight_b == 4.0 else 0.0)
    trained = trained_share(job, network)
    kept_b = float(np.clip(machine.linear_bytes, 1.0, 2.0))
    return States(weight_b, 4.0 if weight_b == 4.0 else gradient_b, optimizer, trained, kept_b)


def decodes(network: Network) -> bool:
    """Return whether ``network`` is a plain decoder, as Megatron trains."""
    return network.causal and not network.encoder_layers and not network.memory


def era_of(network: Network, generation: str) -> Network:
    """Return the network as the software of its day ran it: no fused attention before 2023."""
    old = generation in ("megatron-2022", "framework-2021") and network.attention in ("flash", "sliding")
    return replace(network, attention="full") if old else network


def _transformer(network: Network, on: Host, job: TrainingJob, data: int) -> TrainingEstimate:
    sharded = (job.zero or 0) >= 2
    chosen = software(on.device, sharded=sharded, name=job.software, decoder=decodes(network))
    c = over_network(chosen.calibration, on.network_kind)
    modern = chosen.name in RECENT
    ran = era_of(network, chosen.name)
    shape = shape_of(ran, job.sequence)
    machine = training_machine(on.device, on.network_b_s, on.domain, job.precision)
    if job.gradient_b is not None:
        c = replace(c, gradient_b=job.gradient_b)
    # Megatron of 2022 keeps gradients at 4 bytes and reduces them at 2 (Korthikanti et al.: 18 bytes a weight).
    states = states_of(job, network, machine, float(c.gradient_b) if sharded or modern or job.gradient_b else 4.0)
    backward = 2.0 if job.lora_rank is None else 1.0
    at = _choices(job, data, on.domain, chosen.name)
    parts, held, picked = _best(on, step_times(shape, at, machine, c, backward, states.trained),
                                training_memory(shape, at, states), at)  # fmt: skip
    tokens = float(job.batch) * float(shape.context)
    forward = tokens * float(model_flops_per_token(shape_of(network, job.sequence), masked=modern))
    recompute = int(picked["recompute"])
    repeated = picked["share"] if recompute == FULL else 0.0
    again = tokens * float(layer_flops_per_token(shape, masked=modern)) * repeated
    layout = {
        "tensor": job.tensor, "pipeline": job.pipeline, "data": data, "context": job.context, "expert": job.expert,
        "micro_batch": int(picked["micro_batch"]), "batch": job.batch, "interleave": job.interleave,
        "schedule": SCHEDULES[int(at.schedule)], "recompute": RECOMPUTE[recompute], "recomputed_share": repeated,
        "zero": int(at.zero),
        "sequence_parallel": bool(at.sequence_parallel), "overlap_experts": bool(at.overlap_experts),
        "attention": ran.attention,
    }  # fmt: skip
    flops = forward * (1.0 + backward)
    parameters = float(counted(shape)) if _counts(network) else parameter_count(network)
    return _answer(on, job, parts, held, flops, flops + again, tokens, parameters, (chosen.low, chosen.high),
                   {"software": chosen.name, **_plain(c)}, layout, extrapolated=chosen.extrapolated)  # fmt: skip


def _best(
    on: Host, times: StepTimes, memory: Memory, at: Layouts
) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Return (seconds, gigabytes, choices) of the fastest layout left open that fits, else of the smallest.

    Where recomputation is left open, only as many layers repeat their forward pass as memory asks for.
    """
    shape = np.broadcast_shapes(np.shape(at.micro_batch), np.shape(at.recompute))
    seconds = {name: np.broadcast_to(v, shape).astype(float) for name, v in parts_s(times).items()}
    held = {name.removesuffix("_b"): np.broadcast_to(v, shape) / 1e9 for name, v in vars(memory).items()}
    room = capacity_b(on.device) / 1e9
    share = np.ones(shape)
    if np.size(at.recompute) > 1:
        whole = np.sum(list(held.values()), axis=0)
        excess, saved = whole[:, SELECTIVE] - room, whole[:, SELECTIVE] - whole[:, FULL]
        share[:, FULL] = np.clip(excess / np.maximum(saved, 1e-9), 0.0, 1.0)
        seconds, held = ({name: _blended(v, share[:, FULL]) for name, v in each.items()} for each in (seconds, held))
    total, whole = np.sum(list(seconds.values()), axis=0), np.sum(list(held.values()), axis=0)
    fits = np.asarray(whole <= room * (1.0 + 1e-9))
    judged = np.where(fits, total, np.inf) if fits.any() else whole
    place = np.unravel_index(int(np.argmin(judged)), shape)

    def pick(values: dict[str, Any]) -> dict[str, float]:
        return {name: float(np.broadcast_to(value, shape)[place]) for name, value in values.items()}

    choices = {"micro_batch": at.micro_batch, "recompute": at.recompute, "share": share}
    return pick(seconds), pick(held), pick(choices)


def _blended(values: FloatArray, share: FloatArray) -> FloatArray:
    """Return ``values`` by recomputation level with the last one done for ``share`` of the layers only."""
    last = values[:, SELECTIVE] + share * (values[:, FULL] - values[:, SELECTIVE])
    return np.column_stack([values[:, :FULL], last])


def _counts(network: Network) -> bool:
    count = parameter_count(network)
    return network.parameters is None or count != network.parameters


def _plain(c: Calibration) -> dict[str, float]:
    return {name: float(value) for name, value in asdict(c).items()}


def _choices(job: TrainingJob, data: int, domain: int, generation: str) -> Layouts:
    """Return the layouts left open as arrays: micro-batch, then recomputation."""
    modern = generation in RECENT
    per_pipeline = job.batch // data
    micros = [m for m in divisors(per_pipeline) if m <= LARGEST_MICRO_BATCH]
    chosen = [job.micro_batch] if job.micro_batch is not None else micros
    levels = [job.recompute] if job.recompute is not None else list(RECOMPUTE)
    schedule = job.schedule or ("interleaved" if job.interleave > 1 else "1f1b")
    parallel = (
        job.sequence_parallel
        if job.sequence_parallel is not None
        else (job.tensor > 1 and generation not in UNSPLIT_SEQUENCES)
    )
    zero = job.zero if job.zero is not None else (1 if modern and data > 1 else 0)
    at = Layouts(
        float(job.tensor), float(job.pipeline), float(data), float(job.context), float(job.expert),
        np.array(chosen, dtype=np.float64)[:, None], float(job.batch), float(job.interleave),
        np.array([RECOMPUTE.index(level) for level in levels], dtype=np.float64)[None, :],
        float(zero), float(SCHEDULES.index(schedule)), float(parallel), float(job.shard_group),
        float(job.expert_tensor),
    )  # fmt: skip
    asked = job.overlap_experts
    overlap = experts_overlapped(generation, at, float(domain)) if asked is None else float(asked and job.expert > 1)
    return replace(at, overlap_experts=float(overlap))


def _micro_batches(job: TrainingJob, data: int) -> list[int]:
    """Return the micro-batches left open, largest first: what a device has of the batch, or even parts of it."""
    if job.micro_batch is not None:
        return [job.micro_batch]
    return divisors(job.batch // data)[::-1]


def _fitting(network: Network, on: Host, job: TrainingJob, data: int, links: Links) -> tuple[OtherStep, int]:
    """Return a step at every micro-batch left open and which to take: the fastest that fits, else the whole.

    Where recomputation is left open, none is done if anything fits without, else as much as memory asks for.
    """
    micro = np.array(_micro_batches(job, data), dtype=np.float64)
    sizes = np.float64(job.batch), np.float64(data), micro
    room, whole = capacity_b(on.device), float(job.recompute == "full")
    step = train_step_s(network, on.device, job.precision, *sizes, links, OPTIMIZER_B[job.optimizer], repeated=whole)
    if job.recompute is None and not (step.memory_b <= room).any():
        share = repeated_share(step, room)
        step = train_step_s(
            network, on.device, job.precision, *sizes, links, OPTIMIZER_B[job.optimizer], repeated=share
        )
    fits = np.broadcast_to(step.memory_b <= room * (1.0 + 1e-9), micro.shape)
    return step, int(np.argmin(np.where(fits, step.total_s, np.inf))) if fits.any() else 0


def _other(network: Network, on: Host, job: TrainingJob, data: int) -> TrainingEstimate:
    chosen = software(on.device, name=job.software)
    c = over_network(chosen.calibration, on.network_kind)
    links = training_machine(on.device, on.network_b_s, on.domain, job.precision).links(c)
    step, place = _fitting(network, on, job, data, links)

    def at(value: Array) -> float:
        return float(np.broadcast_to(value, np.shape(step.total_s))[place])

    sample, micro = sample_of(network), _micro_batches(job, data)[place]
    parts = {
        "compute": at(step.compute_s), "memory": at(step.memory_s), "tensor_comm": 0.0, "pipeline_comm": 0.0,
        "data_comm": at(step.data_comm_s), "expert_comm": 0.0, "bubble": 0.0,
        "optimizer": at(step.optimizer_s), "overhead": at(step.overhead_s),
    }  # fmt: skip
    held = {
        "states": at(step.states_b) / 1e9, "activations": at(step.activations_b) / 1e9, "reserved": RESERVED_B / 1e9
    }  # fmt: skip
    flops, repeated = 3.0 * sample.flops * job.batch, at(step.repeated)
    layout = {"data": data, "micro_batch": int(micro), "batch": job.batch, "recomputed_share": repeated}
    interval, extrapolated = trust(network, on.device, stack_of(on.device, job.precision), training=True)
    constants = {"software": f"class of {network.kind}", **_plain(c)}
    again = flops * (1.0 + repeated / 3.0)
    return _answer(on, job, parts, held, flops, again, None, sample.weights, interval, constants, layout,
                   extrapolated=extrapolated)  # fmt: skip


def _answer(
    on: Host, job: TrainingJob, parts: dict[str, float], held_gb: dict[str, float], model_flops: float,
    hardware_flops: float, tokens: float | None, parameters: float, interval: tuple[float, float],
    constants: dict[str, Any], layout: dict[str, Any], *, extrapolated: bool,
) -> TrainingEstimate:  # fmt: skip
    peak = required_peak(on.device, job.precision)
    free_s = sum(parts.values())
    wanted = float(phase_power_w(on.device, parts))
    settled = on.settle(wanted)
    throttle = (parts["compute"]) * (1.0 / settled.clock - 1.0)
    step = free_s + throttle
    node = on.node_w(settled.power_w)
    rate, worked = model_flops / step / on.devices, hardware_flops / step / on.devices
    memory = sum(held_gb.values())
    return TrainingEstimate(
        step_time_s=step, samples_per_s=job.batch / step, tokens_per_s=None if tokens is None else tokens / step,
        model_tflops_per_device=rate / 1e12, hardware_tflops_per_device=worked / 1e12,
        mfu=rate / peak, hfu=worked / peak,
        memory_per_device_gb=memory, memory_breakdown_gb=held_gb,
        fits=memory * 1e9 <= capacity_b(on.device) * (1.0 + 1e-9), power_w=node,
        energy_per_step_j={
            "accelerator": settled.power_w * on.devices * step,
            "node": node["node_ac"] * step * on.devices / on.used_per_node,
        },
        junction_c=settled.junction_c, clock=settled.clock, time_breakdown_s={**parts, "throttle": throttle},
        parameters=parameters, interval={"low": step * interval[0], "high": step * interval[1]},
        extrapolated=extrapolated, constants={**constants, "value_bytes": VALUE_B[job.precision]}, layout=layout,
    )  # fmt: skip
