"""A whole training run from one of its steps: interruptions, checkpoints, time and energy, and its deadline."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinloop.reliability.goodput import goodput
from twinloop.workload.host import Host
from twinloop.workload.train_estimate import TrainingEstimate
from twinloop.workload.train_options import RARE, STATE_B


@dataclass(frozen=True)
class Run:
    """What ``estimate train`` says of a run; field names are keys of the JSON. The seconds add up to ``wall_s``."""

    steps: int
    wall_s: float
    useful_share: float
    """Steps that count over wall time."""
    interruptions: float
    """Expected."""
    between_s: float
    """Mean time between two."""
    checkpoint_interval_s: float
    steps_s: float
    stragglers_s: float
    checkpoints_s: float
    rework_s: float
    restarts_s: float
    energy_accelerator_j: float
    energy_node_j: float
    low_s: float
    high_s: float
    """Wall time over the interval of the step."""
    room_s: float | None
    """Of the deadline, what one interruption more than expected would leave; below 0: it would be missed."""
    meets_deadline: bool | None


def run_of(answer: TrainingEstimate, on: Host, samples: float, trained: float, deadline_s: float | None) -> Run:
    """Return the run over ``samples`` at the rate of ``answer``.

    Devices draw their power in steps, those done twice too, and idle while a dump is copied and a job restarts.

    Args:
        answer: one step.
        on: the machines.
        samples: sequences or samples, all of them.
        trained: share of the weights that a checkpoint holds: 1, adapters about 0.01.
        deadline_s: from the start.
    """
    batch = float(answer.layout["batch"])
    steps = math.ceil(samples / batch)
    work_s = steps * answer.step_time_s
    use = goodput(work_s, on.devices, on.nodes, STATE_B * answer.parameters * trained, on.device.kind)
    busy_s = use.work_s + use.straggling_s + use.rework_s
    waiting_s = use.dumping_s + use.restart_s
    nodes = on.devices / on.used_per_node
    accelerator_w = answer.power_w["accelerator"] / on.used_per_node
    idle = on.node_w(on.device.idle_w)
    one_more_s = 0.0 if -math.expm1(-use.wall_s / use.between_s) < RARE else use.one_more_s
    room_s = None if deadline_s is None else deadline_s - use.wall_s - one_more_s
    return Run(
        steps=steps, wall_s=use.wall_s, useful_share=use.share, interruptions=use.wall_s / use.between_s,
        between_s=use.between_s, checkpoint_interval_s=use.interval_s, steps_s=use.work_s,
        stragglers_s=use.straggling_s, checkpoints_s=use.dumping_s, rework_s=use.rework_s, restarts_s=use.restart_s,
        energy_accelerator_j=on.devices * (accelerator_w * busy_s + on.device.idle_w * waiting_s),
        energy_node_j=nodes * (answer.power_w["node_ac"] * busy_s + idle["node_ac"] * waiting_s),
        low_s=use.wall_s * answer.interval["low"] / answer.step_time_s,
        high_s=use.wall_s * answer.interval["high"] / answer.step_time_s,
        room_s=room_s, meets_deadline=None if room_s is None else room_s >= 0.0,
    )  # fmt: skip
