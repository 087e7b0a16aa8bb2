"""When and where jobs run: first come first served with EASY backfill, nodes packed or spread by heat."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twinloop.arrays import FloatArray

IntArray = NDArray[np.int64]
PlacementRule = Literal["packed", "cool"]


@dataclass(frozen=True)
class Jobs:
    """A batch of jobs, one entry each, in any order."""

    submit_s: FloatArray
    nodes: IntArray
    run_s: FloatArray
    """How long it really takes."""
    asked_s: FloatArray
    """How long its owner says it takes; never below ``run_s`` here: batch systems stop jobs there."""
    cpu: FloatArray
    """Utilisation of processors while it runs, 0-1."""
    accelerator: FloatArray

    def __len__(self) -> int:
        return len(self.submit_s)

    def before(self, end_s: float) -> Jobs:
        """Return those handed in before ``end_s``; later ones change nothing of what runs until then."""
        early = self.submit_s < end_s
        return Jobs(*(getattr(self, field.name)[early] for field in fields(self)))


@dataclass(frozen=True)
class Placed:
    """A schedule: start (infinite where a job never fits) and the nodes that each job got."""

    start_s: FloatArray
    nodes_of: tuple[IntArray, ...]

    def waits_s(self, jobs: Jobs) -> FloatArray:
        """Return the waiting times of the jobs that started."""
        started = np.isfinite(self.start_s)
        return np.asarray((self.start_s - jobs.submit_s)[started])


@dataclass
class _Floor:
    """Free nodes and each group's load: the mutable part of one pass."""

    free: NDArray[np.bool_]
    group_of: IntArray
    load: FloatArray

    def take(self, count: int, weight: float, rule: PlacementRule) -> IntArray:
        """Take ``count`` free nodes; ``cool``: level the groups' load, one node at a time in effect."""
        idle = np.flatnonzero(self.free)
        if rule == "cool":
            groups = self.group_of[idle]
            first = np.searchsorted(groups, groups, side="left")
            level = self.load[groups] + (np.arange(idle.size) - first) * weight
            idle = idle[np.argsort(level, kind="stable")]
        chosen = np.sort(idle[:count])
        self.free[chosen] = False
        np.add.at(self.load, self.group_of[chosen], weight)
        return chosen

    def give(self, nodes: IntArray, weight: float) -> None:
        """Return ``nodes``."""
        self.free[nodes] = True
        np.subtract.at(self.load, self.group_of[nodes], weight)


def schedule(jobs: Jobs, group_of: IntArray, rule: PlacementRule = "packed") -> Placed:
    """Return the schedule of ``jobs`` on ``len(group_of)`` nodes, first come first served with EASY backfill.

    The head of the queue gets a reservation: the earliest time at which running jobs, by their asked times, leave
    enough nodes. A later job may overtake it if it ends before that time or uses nodes that the head will not need.
    ``group_of``: cooling group of each node, ascending. ``packed`` takes the lowest free nodes; ``cool`` levels
    the groups' expected power. A job larger than the machine never starts. Lifka 1995, doi:10.1007/3-540-60153-8_35.

    >>> one = np.ones(3)
    >>> jobs = Jobs(0.0 * one, np.array([6, 8, 2]), np.array([10.0, 5.0, 4.0]), np.array([10.0, 5.0, 4.0]), one, one)
    >>> schedule(jobs, np.zeros(10, dtype=int)).start_s.tolist()   # the third fits beside the first, before the second
    [0.0, 10.0, 0.0]
    """
    total = len(group_of)
    floor = _Floor(np.ones(total, dtype=bool), np.asarray(group_of), np.zeros(int(group_of[-1]) + 1))
    start_s = np.full(len(jobs), np.inf)
    nodes_of: list[IntArray] = [np.empty(0, dtype=np.int64)] * len(jobs)
    arrivals = [job for job in np.argsort(jobs.submit_s, kind="stable").tolist() if jobs.nodes[job] <= total]
    arrivals.reverse()
    ends: list[tuple[float, int]] = []
    queue: list[int] = []
    free = total

    def begin(job: int, now_s: float) -> None:
        nonlocal free
        start_s[job] = now_s
        nodes_of[job] = floor.take(int(jobs.nodes[job]), _weight(jobs, job), rule)
        heapq.heappush(ends, (now_s + float(jobs.run_s[job]), job))
        free -= int(jobs.nodes[job])

    while arrivals or ends:
        now_s = min(float(jobs.submit_s[arrivals[-1]]) if arrivals else np.inf, ends[0][0] if ends else np.inf)
        while ends and ends[0][0] <= now_s:
            _, done = heapq.heappop(ends)
            floor.give(nodes_of[done], _weight(jobs, done))
            free += int(jobs.nodes[done])
        while arrivals and jobs.submit_s[arrivals[-1]] <= now_s:
            queue.append(arrivals.pop())
        while queue and jobs.nodes[queue[0]] <= free:
            begin(queue.pop(0), now_s)
        if len(queue) > 1 and free > 0:
            running = [job for _, job in ends]
            for job in _backfill(jobs, queue, running, start_s, free, now_s):
                queue.remove(job)
                begin(job, now_s)
    return Placed(start_s, tuple(nodes_of))


def _weight(jobs: Jobs, job: int) -> float:
    return 0.1 + float(jobs.accelerator[job])


def _backfill(
    jobs: Jobs, queue: list[int], running: list[int], start_s: FloatArray, free: int, now_s: float
) -> list[int]:
    """Return the jobs behind the head of ``queue`` that may start now without delaying it."""
    wanted = int(jobs.nodes[queue[0]])
    expected = sorted((max(float(start_s[job] + jobs.asked_s[job]), now_s), int(jobs.nodes[job])) for job in running)
    available, shadow_s = free, np.inf
    for end_s, nodes in expected:
        available += nodes
        if available >= wanted:
            shadow_s = end_s
            break
    spare, chosen = available - wanted, []
    behind = np.array(queue[1:])
    room = behind[jobs.nodes[behind] <= free]
    short = now_s + jobs.asked_s[room] <= shadow_s
    possible = short | (jobs.nodes[room] <= spare)
    for job, ends_before in zip(room[possible].tolist(), short[possible].tolist(), strict=True):
        need = int(jobs.nodes[job])
        if need <= free and (ends_before or need <= spare):
            chosen.append(job)
            free -= need
            spare -= 0 if ends_before else need
    return chosen
