"""What is left of a training job's time: dumps, lost work, restarts, stragglers."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.reliability.checkpoints import best_interval_s, wall_time_s
from twinloop.reliability.failures import interruptions_per_s
from twinloop.reliability.stragglers import slowdown

COPY_B_S = 20e9
"""A device copies its state to the host's memory (a PCIe 4 x16 link, about 25 GB/s at most). Medium."""
BARRIER_S = 2.0
"""All devices agree on a step, and the allocator catches up. Range 1-10 s, low confidence."""
STORE_B_S = 1e9
"""A server writes to shared storage while work goes on: 2 TB/s for 16,384 GPUs in 2,048 servers (Llama Team 2024,
arXiv:2407.21783, section 3.3, from memory). Range 0.3-10 GB/s."""
RESTART_S = 600.0
"""Notice, drain, replace, load, and warm up. Range 180-1800 s, low confidence."""
SHORTEST_INTERVAL_S = 60.0


@dataclass(frozen=True)
class Goodput:
    """Expected use of one run's time; the parts of ``wall_s`` add up."""

    work_s: float
    """Steps that count, as fast as without stragglers."""
    straggling_s: float
    dumping_s: float
    rework_s: float
    """Steps done twice."""
    restart_s: float
    wall_s: float
    interval_s: float
    """Work between two dumps."""
    between_s: float
    """Mean time between interruptions."""
    one_more_s: float
    """What one interruption more than expected costs: a restart, and at most the work since the last dump."""

    @property
    def share(self) -> float:
        """Work over wall time."""
        return self.work_s / self.wall_s


def goodput(work_s: float, devices: int, servers: int, state_b: float, kind: str = "gpu") -> Goodput:
    """Return the expected use of a run's time with dumps at their best interval.

    Dumps are copied to the host while the job stands still, and stored while it works on; the copy before is lost
    with the host, so an interruption also costs the time that storing takes.

    Args:
        work_s: all steps, never interrupted.
        devices: at work on the job; any of them stops it.
        servers: that hold them.
        state_b: weights and optimizer states of the whole model, bytes.
        kind: of the devices.

    >>> llama3 = goodput(54 * 86400.0, 16384, 2048, 405e9 * 14.0)  # "over 90 % effective training time"
    >>> round(llama3.between_s / 3600.0, 1), 0.90 < llama3.share < 0.96
    (3.1, True)
    """
    work = work_s * slowdown(devices)
    between = 1.0 / float(interruptions_per_s(devices, servers, kind))
    dump, store = state_b / (devices * COPY_B_S) + BARRIER_S, state_b / (servers * STORE_B_S)
    interval = min(max(float(best_interval_s(dump, between)), store, SHORTEST_INTERVAL_S), max(work, 1.0))
    lost = RESTART_S + store
    wall = float(wall_time_s(work, interval, dump, lost, between))
    dumping = dump * work / interval
    restarts = (wall / between) * RESTART_S
    rework = max(wall - work - dumping - restarts, 0.0)
    return Goodput(
        work_s=work_s, straggling_s=work - work_s, dumping_s=dumping, rework_s=rework,
        restart_s=wall - work - dumping - rework, wall_s=wall, interval_s=interval, between_s=between,
        one_more_s=lost + interval,
    )  # fmt: skip
