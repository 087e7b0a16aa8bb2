"""The search for a training job on given machines."""

from __future__ import annotations

from twinloop.errors import Fault, InputError
from twinloop.model.network import Network
from twinloop.workload.constants import software
from twinloop.workload.host import Host
from twinloop.workload.machine import training_machine
from twinloop.workload.power import BATH_R_FACTOR
from twinloop.workload.search import Problem, Searched, search
from twinloop.workload.train_estimate import TrainingJob, era_of, states_of
from twinloop.workload.transformer import TRANSFORMERS, shape_of


def searched(network: Network, on: Host, job: TrainingJob, top: int = 10) -> Searched:
    """Return the best layouts of ``job`` on ``on``, every one evaluated.

    Raises:
        InputError: the network is no transformer, or ``top`` is below 1.
    """
    if network.kind not in TRANSFORMERS or not network.layers:
        raise InputError(Fault("command line", None, "--search", network.kind, "a transformer or mixture"))
    if top < 1:
        raise InputError(Fault("command line", None, "--top", str(top), "at least 1"))
    chosen = software(on.device, sharded=(job.zero or 0) >= 2, name=job.software)
    resistance = on.device.r_plate_k_w if on.cooling == "cold_plate" else on.device.r_air_k_w
    problem = Problem(
        shape=shape_of(era_of(network, chosen.name), job.sequence),
        machine=training_machine(on.device, on.network_b_s, on.domain, job.precision), device=on.device,
        calibration=chosen.calibration, devices=on.devices, batch=job.batch,
        states=states_of(job, network, float(chosen.calibration.gradient_b)), coolant_c=on.coolant_c,
        resistance_k_w=resistance * (BATH_R_FACTOR if on.cooling == "bath" else 1.0),
        expert=min(network.experts, on.domain) if network.experts else 1,
    )  # fmt: skip
    return search(problem, top)
