"""The search for a training job on given machines."""

from __future__ import annotations

from collections.abc import Sequence

from twinloop.errors import Fault, InputError
from twinloop.model.network import Network
from twinloop.workload.constants import over_network, software
from twinloop.workload.front import Choice, front
from twinloop.workload.host import Host
from twinloop.workload.machine import training_machine
from twinloop.workload.power import BATH_R_FACTOR
from twinloop.workload.refusals import refused
from twinloop.workload.search import Problem, Searched, search
from twinloop.workload.train_estimate import TrainingJob, era_of, states_of
from twinloop.workload.transformer import TRANSFORMERS, shape_of


def problem_of(network: Network, on: Host, job: TrainingJob) -> Problem:
    """Return what is searched for ``job`` on ``on``.

    Raises:
        InputError: the network is no transformer.
    """
    if network.kind not in TRANSFORMERS or not network.layers:
        raise InputError(Fault("command line", None, "--search", network.kind, "a transformer or mixture"))
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
