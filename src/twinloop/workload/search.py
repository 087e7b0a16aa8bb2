"""Every layout of a training step evaluated as arrays: no point is sampled, none is skipped.

Axes: split over devices (tensor, pipeline, context; data follows) × micro-batch × schedule with its chunks ×
recomputation × sequence parallelism × ZeRO stage × bytes of a reduced gradient × power cap. Each term of the
step is computed once on the axes it depends on; only sums reach the full size.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twinloop.arrays import FloatArray
from twinloop.catalogue.nouns import Device
from twinloop.errors import Fault, InputError
from twinloop.power.operating_point import CLOCK_EXPONENT, LEAST_POWER_SHARE
from twinloop.workload.calibration import Calibration
from twinloop.workload.layouts import RECOMPUTE, SCHEDULES, Layouts, divisors, experts_overlapped
from twinloop.workload.memory import States, capacity_b, training_memory
from twinloop.workload.power import LEAKAGE_PER_K, REFERENCE_C, phase_power_w
from twinloop.workload.training import Machine, parts_s, step_times
from twinloop.workload.transformer import Shape

CAPS = tuple(round(1.0 - 0.01 * k, 2) for k in range(41))
"""Power caps as shares of the limit: 1.00 to 0.60."""
SCHEDULE_CHUNKS = (
    (0, 1),
    (1, 1),
    (3, 1),
    (2, 2),
    (2, 3),
    (2, 4),
    (2, 6),
    (2, 8),
    (2, 12),
    (2, 16),
    (2, 24),
    (2, 48),
)
"""(schedule, chunks a stage)."""
GRADIENT_BYTES = (2.0, 4.0)
LARGEST_CONTEXT = 16
"""Context-parallel devices considered."""


@dataclass(frozen=True)
class Problem:
    """What is searched."""

    shape: Shape
    machine: Machine
    device: Device
    calibration: Calibration
    devices: int
    batch: int
    states: States
    coolant_c: float
    resistance_k_w: float
    expert: int = 1
    backward: float = 2.0
    """Products of a backward pass over those of a forward pass: 1 for adapters."""
    software: str = ""
    """Whose recipes say where experts' exchanges overlap."""


@dataclass(frozen=True)
class Point:
    """One layout found."""

    tensor: int
    pipeline: int
    data: int
    context: int
    expert: int
    micro_batch: int
    schedule: str
    interleave: int
    recompute: str
    sequence_parallel: bool
    zero: int
    gradient_bytes: int
    power_cap: float
    step_time_s: float
    memory_gb: float
    device_w: float
    energy_per_step_j: float


@dataclass(frozen=True)
class Searched:
    """Outcome of a search."""

    configurations_evaluated: int
    feasible: int
    search_time_s: float
    best: tuple[Point, ...]


@dataclass(frozen=True)
class Space:
    """All points but the caps, on five broadcast dimensions.

    The first holds every legal (split, micro-batch, schedule); then recomputation, sequence parallelism,
    ZeRO stage, bytes of a gradient.
    """

    at: Layouts
    gradient_b: FloatArray
    legal: npt.NDArray[np.bool_]
    """True where the point is distinct."""


def _splits(problem: Problem) -> list[tuple[int, ...]]:
    """Return every legal (tensor, pipeline, context, data, micro-batch, schedule, chunks)."""
    n, layers, heads = problem.devices, int(problem.shape.layers), int(problem.shape.heads)
    found: list[tuple[int, ...]] = []
    for t in (t for t in divisors(n) if heads % t == 0):
        for p in (p for p in divisors(n // t) if p <= layers):
            for c in (c for c in divisors(n // (t * p)) if c <= LARGEST_CONTEXT):
                d = n // (t * p * c)
                if problem.batch % d:
                    continue
                for m in divisors(problem.batch // d):
                    steps = problem.batch // (d * m)
                    found += [(t, p, c, d, m, *pair) for pair in SCHEDULE_CHUNKS if _runs(pair, p, layers, steps)]
    return found


def _runs(pair: tuple[int, int], p: int, layers: int, steps: int) -> bool:
    """One stage has one schedule; chunks need layers to hold and whole rounds of stages."""
    schedule, chunks = pair
    if p == 1:
        return schedule == 1
    return chunks == 1 or (chunks * p <= layers and steps % p == 0)


def space(problem: Problem) -> Space:
    """Return all points of ``problem`` but the caps.

    Raises:
        InputError: no copies of the model share these devices and this batch evenly.
    """
    table = np.array(_splits(problem), dtype=np.float64)
    if not table.size:
        told = f"a number that heads ({problem.shape.heads:g}), layers ({problem.shape.layers:g}) and evenly shared "
        told += f"parts of --batch {problem.batch} make up"
        raise InputError(Fault("command line", None, "--devices", str(problem.devices), told))
    t, p, c, d, micro, schedule, chunks = (column.reshape(-1, 1, 1, 1, 1) for column in table.T)
    recompute = np.arange(3.0).reshape(1, -1, 1, 1, 1)
    sequence = np.arange(2.0).reshape(1, 1, -1, 1, 1)
    zero = np.arange(4.0).reshape(1, 1, 1, -1, 1)
    gradient = np.array(GRADIENT_BYTES).reshape(1, 1, 1, 1, -1)
    expert = np.minimum(d * c * t, float(problem.expert))
    at = Layouts(t, p, d, c, expert, micro, float(problem.batch), chunks, recompute, zero, schedule, sequence)
    overlap = experts_overlapped(problem.software, at, problem.machine.scale_up_domain)
    at = replace(at, overlap_experts=overlap)
    return Space(at, gradient, ((t > 1) | (sequence == 0)) & ((d * c > 1) | (zero == 0)))


@dataclass(frozen=True)
class Evaluated:
    """Figures of every point."""

    space: Space
    step_s: FloatArray
    """Without a cap, five dimensions."""
    memory_b: FloatArray
    places: npt.NDArray[np.intp]
    """Flat indices of the points that fit."""
    time_s: npt.NDArray[np.float32]
    """(points that fit, caps)."""
    power_w: npt.NDArray[np.float32]
    """Of one device, same shape."""
    legal: int


def evaluate(problem: Problem) -> Evaluated:
    """Return time, memory and power of every point of ``problem``."""
    points = space(problem)
    calibration = replace(problem.calibration, gradient_b=points.gradient_b)
    trained = problem.states.trained
    times = step_times(problem.shape, points.at, problem.machine, calibration, problem.backward, trained)
    states = replace(problem.states, gradient_b=points.gradient_b)
    total = np.asarray(times.total_s)
    memory = np.broadcast_to(training_memory(problem.shape, points.at, states).total_b, total.shape)
    legal = np.broadcast_to(points.legal, total.shape)
    places = np.flatnonzero(legal & (memory <= capacity_b(problem.device)))
    busy = np.broadcast_to(times.compute_s, total.shape).ravel()[places]
    step = total.ravel()[places]
    drawn = np.broadcast_to(phase_power_w(problem.device, parts_s(times)), total.shape).ravel()[places]
    time_s, power = _settled(problem, step, busy, drawn.astype(np.float32))
    return Evaluated(points, total, memory, places, time_s, power, int(np.count_nonzero(legal)))


def _settled(
    problem: Problem, step_s: FloatArray, busy_s: FloatArray, drawn_w: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return (time, power) under every cap: :func:`operating_point` with the coolant fixed, without its masks.

    Below both limits the power is what leakage makes of ``drawn_w`` and the ratio under the root is 1 by itself.
    """
    device, coolant_c = problem.device, problem.coolant_c
    leak, resistance = np.float32(LEAKAGE_PER_K), np.float32(problem.resistance_k_w)
    cold = np.float32(max(1.0 + LEAKAGE_PER_K * (coolant_c - REFERENCE_C), LEAST_POWER_SHARE))
    free = drawn_w * cold / (np.float32(1.0) - leak * resistance * drawn_w)
    cooled = np.maximum(
        np.float32((device.throttle_c - coolant_c) / problem.resistance_k_w), LEAST_POWER_SHARE * drawn_w
    )
    caps = np.array(CAPS, dtype=np.float32) * np.float32(device.power_limit_w)
    power = np.minimum(np.minimum(free, cooled)[:, None], caps)
    full = drawn_w[:, None] * (cold + leak * resistance * power)
    slower = np.power(np.maximum(full / power, np.float32(1.0)), np.float32(CLOCK_EXPONENT)) - np.float32(1.0)
    step, busy = step_s.astype(np.float32)[:, None], busy_s.astype(np.float32)[:, None]
    return step + busy * slower, power


def search(problem: Problem, top: int = 10, objective: str = "time") -> Searched:
    """Return the ``top`` best layouts by ``objective`` (time, or energy), each at its best cap."""
    started = time.perf_counter()
    found = evaluate(problem)
    score = found.time_s if objective == "time" else found.time_s * found.power_w
    best = score.min(axis=1) if len(score) else np.array([], dtype=np.float32)
    count = min(top, len(best))
    rows = np.argpartition(best, count - 1)[:count] if count else np.array([], dtype=np.intp)
    rows = rows[np.lexsort((found.places[rows], best[rows]))]
    points = tuple(point(problem, found, int(row), int(np.argmin(score[row]))) for row in rows)
    counts = len(CAPS) * found.legal, len(CAPS) * len(found.places)
    return Searched(*counts, time.perf_counter() - started, points)


def point(problem: Problem, found: Evaluated, row: int, cap: int) -> Point:
    """Return the point in ``row`` of the points that fit, under cap number ``cap``."""
    shape = found.step_s.shape
    place = np.unravel_index(found.places[row], shape)
    at = found.space.at

    def value(array: FloatArray) -> float:
        return float(np.broadcast_to(array, shape)[place])

    time_s, watts = float(found.time_s[row, cap]), float(found.power_w[row, cap])
    return Point(
        tensor=int(value(at.tensor)), pipeline=int(value(at.pipeline)), data=int(value(at.data)),
        context=int(value(at.context)), expert=int(value(at.expert)),
        micro_batch=int(value(at.micro_batch)),
        schedule=SCHEDULES[int(value(at.schedule))], interleave=int(value(at.interleave)),
        recompute=RECOMPUTE[int(value(at.recompute))], sequence_parallel=bool(value(at.sequence_parallel)),
        zero=int(value(at.zero)), gradient_bytes=int(value(found.space.gradient_b)), power_cap=CAPS[cap],
        step_time_s=time_s, memory_gb=value(found.memory_b) / 1e9, device_w=watts,
        energy_per_step_j=watts * time_s * problem.devices,
    )  # fmt: skip
