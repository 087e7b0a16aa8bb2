"""What ``estimate train`` is asked: a job and its layout, and what of it contradicts itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from twinloop.errors import Fault, InputError
from twinloop.model.network import Network
from twinloop.workload.layouts import DUALPIPE, SCHEDULES, ZERO_BUBBLE

OPTIMIZER_B = {
    "adam": 12.0,
    "adamw": 12.0,
    "adam8bit": 6.0,
    "adafactor": 4.1,
    "sgd": 4.0,
    "momentum": 8.0,
    "lion": 8.0,
    "muon": 8.0,
}
"""Bytes a weight of master copy and states. Counted: 4 for the copy, 4 for each state."""
PARTED = (SCHEDULES[ZERO_BUBBLE], SCHEDULES[DUALPIPE])
SERVED_FORMATS = ("int8", "int4")
"""Formats that weights are stored and served in: gradients have no range in them, no published run trains so."""
Told = tuple[str, str, str]
"""Flag, what it got, what is expected."""


@dataclass(frozen=True)
class TrainingJob:
    """What is trained and how it is laid out; ``None``: chosen."""

    batch: int
    tensor: int = 1
    pipeline: int = 1
    data: int | None = None
    context: int = 1
    expert: int = 1
    expert_tensor: int = 1
    overlap_experts: bool | None = None
    """Experts' exchanges beside another micro-batch's computation; ``None``: as the software's recipes do."""
    micro_batch: int | None = None
    interleave: int = 1
    schedule: str | None = None
    recompute: str | None = None
    zero: int | None = None
    shard_group: int = 0
    sequence_parallel: bool | None = None
    optimizer: str = "adamw"
    lora_rank: int | None = None
    precision: str = "bf16"
    sequence: int | None = None
    software: str | None = None
    """A generation of ``constants``."""
    gradient_b: float | None = None
    """Bytes of one gradient, held and reduced."""


def checked(job: TrainingJob, network: Network, devices: int) -> int:
    """Return the data-parallel size of ``job`` on ``devices``.

    Raises:
        InputError: flags contradict each other, the model or the devices; every contradiction is named.
    """
    _refuse(_below_one(job))
    _refuse((*_of_model(job, network), *_of_split(job, network), *_of_stages(job, network), *_of_experts(job, network)))
    data = job.data if job.data is not None else devices // (job.tensor * job.pipeline * job.context)
    _refuse(_of_devices(job, devices, data))
    return data


def check_trainable(job: TrainingJob, network: Network) -> None:
    """Refuse what no layout would mend.

    Raises:
        InputError: names what of ``job`` does not suit ``network``.
    """
    _refuse(_of_model(job, network))


def _refuse(told: Iterable[Told]) -> None:
    faults = tuple(Fault("command line", None, *each) for each in told)
    if faults:
        raise InputError(faults)


def _below_one(job: TrainingJob) -> Iterator[Told]:
    for name in ("tensor", "pipeline", "context", "expert", "expert_tensor", "interleave", "batch"):
        if getattr(job, name) < 1:
            yield f"--{name.replace('_', '-')}", str(getattr(job, name)), "at least 1"


def _of_model(job: TrainingJob, network: Network) -> Iterator[Told]:
    if job.optimizer not in OPTIMIZER_B:
        yield "--optimizer", job.optimizer, " | ".join(OPTIMIZER_B)
    if job.precision in SERVED_FORMATS:
        yield "--precision", job.precision, "a format to train in: fp32, tf32, fp16, bf16, fp8, mxfp8, nvfp4 or mxfp4"
    if job.lora_rank is not None and not network.layers:
        yield "--task", f"lora:{job.lora_rank}", f"pretrain or sft: {network.kind} has no layers for adapters"


def _of_split(job: TrainingJob, network: Network) -> Iterator[Told]:
    if network.layers and network.heads % job.tensor:
        yield "--tensor", str(job.tensor), f"a divisor of {network.heads} heads"
    if not network.layers and job.tensor * job.pipeline * job.context > 1:
        yield "--tensor", str(job.tensor), f"1: {network.kind} trains data-parallel"


def _of_stages(job: TrainingJob, network: Network) -> Iterator[Told]:
    # Embedding and head may fill a chunk each: 126 layers run as 16 stages of 8 chunks.
    if network.layers and job.pipeline * job.interleave > network.layers + 2:
        got, expected = f"{job.pipeline} x {job.interleave}", f"at most its {network.layers} layers, embedding and head"
        yield "--pipeline x --interleave", got, expected
    if job.interleave > 1 and job.pipeline == 1:
        yield "--interleave", str(job.interleave), "1 without --pipeline"
    if job.interleave > 1 and job.schedule not in (None, "interleaved"):
        yield "--schedule", str(job.schedule), "interleaved with --interleave > 1"
    if job.schedule == "interleaved" and job.interleave == 1 and job.pipeline > 1:
        yield "--interleave", "1", "at least 2 with --schedule interleaved"
    if job.schedule == SCHEDULES[DUALPIPE] and job.pipeline % 2:
        yield "--pipeline", str(job.pipeline), "an even number with dualpipe"
    if job.overlap_experts and job.pipeline > 1 and job.interleave == 1 and job.schedule not in PARTED:
        told = "--interleave above 1, or --schedule zero-bubble or dualpipe, with --pipeline: work to do meanwhile"
        yield "--overlap-experts", "one chunk a stage", told


def _of_experts(job: TrainingJob, network: Network) -> Iterator[Told]:
    if job.expert > 1 and (not network.experts or network.experts % job.expert):
        yield "--expert", str(job.expert), f"a divisor of {network.experts} experts"
    if job.expert_tensor > 1 and (not network.experts or network.expert_ffn % job.expert_tensor):
        yield "--expert-tensor", str(job.expert_tensor), f"a divisor of an expert's width, {network.expert_ffn}"


def _of_devices(job: TrainingJob, devices: int, data: int) -> Iterator[Told]:
    model = job.tensor * job.pipeline * job.context
    if data * model != devices or data < 1:
        sizes = f"tensor {job.tensor} x pipeline {job.pipeline} x context {job.context} x data {data}"
        yield "--devices", str(devices), f"the product {sizes} = {data * model}"
        return
    # Published batches are often rounded: a last micro-batch that is not full counts as its share.
    if job.batch < data:
        yield "--batch", str(job.batch), f"at least --data, {data}"
    elif job.micro_batch is not None and not 1 <= job.micro_batch <= job.batch / data:
        yield "--micro-batch", str(job.micro_batch), f"1 to batch/data = {job.batch / data:g}"
    spread, stage = job.expert * job.expert_tensor, devices // job.pipeline
    if spread > stage:
        yield "--expert x --expert-tensor", str(spread), f"at most the {stage} devices of a stage"
