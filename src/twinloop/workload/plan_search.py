"""The search for a training job on given machines."""

from __future__ import annotations

from collections.abc import Sequence

from twinloop.errors import Fault, InputError
from twinloop.model.network import Network
from twinloop.workload.constants import over_network, software
from twinloop.workload.front import Choice, front
from twinloop.workload.host import Host
from twinloop.workload.layouts import RECOMPUTE, SCHEDULES, Layouts
from twinloop.workload.machine import training_machine
from twinloop.workload.memory import FULL
from twinloop.workload.power import BATH_R_FACTOR
from twinloop.workload.refusals import refused, why_refused
from twinloop.workload.search import Problem, Searched, search
from twinloop.workload.train_estimate import era_of, states_of
from twinloop.workload.train_job import TrainingJob, check_trainable
from twinloop.workload.transformer import TRANSFORMERS, shape_of


def problem_of(network: Network, on: Host, job: TrainingJob) -> Problem:
    """Return what is searched for ``job`` on ``on``.

    Raises:
        InputError: the network is no transformer, or ``job`` does not suit it.
    """
    if network.kind not in TRANSFORMERS or not network.layers:
        raise InputError(Fault("command line", None, "--search", network.kind, "a transformer or mixture"))
    check_trainable(job, network)
    chosen = software(on.device, sharded=(job.zero or 0) >= 2, name=job.software)
    resistance = on.device.r_plate_k_w if on.cooling == "cold_plate" else on.device.r_air_k_w
    machine = training_machine(on.device, on.network_b_s, on.domain, job.precision)
    return Problem(
        shape=shape_of(era_of(network, chosen.name), job.sequence),
        machine=machine, device=on.device, backward=2.0 if job.lora_rank is None else 1.0,
        calibration=over_network(chosen.calibration, on.network_kind), devices=on.devices, batch=job.batch,
        states=states_of(job, network, machine, float(chosen.calibration.gradient_b)), coolant_c=on.coolant_c,
        resistance_k_w=resistance * (BATH_R_FACTOR if on.cooling == "bath" else 1.0),
        expert=min(network.experts, on.domain) if network.experts else 1, software=chosen.name,
    )  # fmt: skip


def searched(network: Network, on: Host, job: TrainingJob, top: int = 10) -> Searched:
    """Return the best layouts of ``job`` on ``on``, every one evaluated.

    Raises:
        InputError: the network is no transformer, or ``top`` is below 1.
    """
    if top < 1:
        raise InputError(Fault("command line", None, "--top", str(top), "at least 1"))
    return search(problem_of(network, on, job), top)


def undominated_layouts(
    network: Network, on: Host, job: TrainingJob, counts: Sequence[int], device_hour_usd: float
) -> tuple[Choice, ...]:  # fmt: skip
    """Return the Pareto set of ``job`` over time, devices, energy, memory and cost; see :func:`front.front`.

    Raises:
        InputError: the network is no transformer.
    """
    return front(problem_of(network, on, job), counts, device_hour_usd)


def refused_layouts(network: Network, on: Host, job: TrainingJob) -> dict[str, int]:
    """Return how many legal layouts of ``job`` run, and how many memory refuses, by what fills it.

    Raises:
        InputError: the network is no transformer.
    """
    return refused(problem_of(network, on, job))


OPEN = TrainingJob(batch=1)
LAYOUT = ("tensor", "pipeline", "data", "context", "micro_batch", "interleave", "schedule", "recompute", "zero")


def named_layout(job: TrainingJob) -> dict[str, int | str]:
    """Return what ``job`` says of its layout, without what it leaves open."""
    return {name: getattr(job, name) for name in LAYOUT if getattr(job, name) != getattr(OPEN, name)}


def refused_layout(network: Network, on: Host, job: TrainingJob) -> tuple[str, ...]:
    """Return why the layout that ``job`` names cannot run, empty where it can.

    What is left open is taken as frugal of memory as it gets: one sample, everything repeated, states sharded.

    Raises:
        InputError: the network is no transformer.
    """
    copies = job.data or max(on.devices // (job.tensor * job.pipeline * job.context), 1)
    schedule = job.schedule or ("interleaved" if job.interleave > 1 else "1f1b")
    level = job.recompute or RECOMPUTE[FULL]
    zero = job.zero if job.zero is not None else 3 if copies * job.context > 1 else 0
    apart = job.tensor > 1 if job.sequence_parallel is None else job.sequence_parallel
    at = Layouts(
        float(job.tensor), float(job.pipeline), float(copies), float(job.context), float(job.expert),
        float(job.micro_batch or 1), float(job.batch), float(job.interleave), float(RECOMPUTE.index(level)),
        float(zero), float(SCHEDULES.index(schedule)), float(apart), float(job.shard_group), float(job.expert_tensor),
    )  # fmt: skip
    return why_refused(problem_of(network, on, job), at)
