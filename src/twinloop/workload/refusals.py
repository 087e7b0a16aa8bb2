"""Why a layout cannot run: every reason, in words and with the number that would do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinloop.workload.layouts import SCHEDULES, Layouts
from twinloop.workload.memory import Memory, capacity_b, training_memory
from twinloop.workload.search import Problem, space

GPIPE, INTERLEAVED = SCHEDULES.index("gpipe"), SCHEDULES.index("interleaved")


def why_refused(problem: Problem, at: Layouts) -> tuple[str, ...]:
    """Return what forbids one layout, empty where it runs. Fields of ``at`` are numbers, not arrays."""
    return (*_shape_faults(problem, at), *_batch_faults(problem, at), *_memory_faults(problem, at))


def _shape_faults(problem: Problem, at: Layouts) -> list[str]:
    heads, layers = int(problem.shape.heads), int(problem.shape.layers)
    t, p, v = int(at.tensor), int(at.pipeline), int(at.interleave)
    reasons = []
    if int(at.devices) != problem.devices:
        reasons.append(f"takes {int(at.devices)} devices, not {problem.devices}")
    if heads % t:
        reasons.append(f"tensor {t} does not divide {heads} heads")
    if p * v > layers:
        reasons.append(f"{p} stages of {v} chunks need {p * v} layers, the model has {layers}")
    if v > 1 and p == 1:
        reasons.append(f"{v} chunks need a pipeline")
    if (v > 1) != (int(at.schedule) == INTERLEAVED) and p > 1:
        reasons.append(f"the {SCHEDULES[int(at.schedule)]} schedule does not run {v} chunks a stage")
    if at.sequence_parallel and t == 1:
        reasons.append("sequence parallelism needs tensor parallelism")
    if at.zero and at.data * at.context == 1:
        reasons.append("ZeRO needs more than one copy")
    return reasons


def _batch_faults(problem: Problem, at: Layouts) -> list[str]:
    d, m, p = int(at.data), int(at.micro_batch), int(at.pipeline)
    if problem.batch % d:
        return [f"{d} copies do not share a batch of {problem.batch} evenly"]
    if (problem.batch // d) % m:
        return [f"micro-batch {m} does not divide the {problem.batch // d} samples of one copy"]
    steps = problem.batch // (d * m)
    if at.interleave > 1 and steps % p:
        return [f"{steps} micro-batches are no whole rounds of {p} stages, as interleaving needs"]
    return []


def _memory_faults(problem: Problem, at: Layouts) -> list[str]:
    held: Memory = training_memory(problem.shape, at, problem.states)
    needed, room = float(held.total_b), capacity_b(problem.device)
    if needed <= room:
        return []
    parts = {name.removesuffix("_b"): float(value) for name, value in vars(held).items()}
    most = max(parts, key=lambda name: parts[name])
    return [f"needs {needed / 1e9:.1f} GB of {room / 1e9:.1f} GB, most for {most} ({parts[most] / 1e9:.1f} GB)"]


def refused(problem: Problem) -> dict[str, int]:
    """Return how many legal layouts (caps apart) memory refuses, by what fills it most, and how many run."""
    points = space(problem)
    states = replace(problem.states, gradient_b=points.gradient_b)
    held = training_memory(problem.shape, points.at, states)
    total = np.asarray(held.total_b)
    legal = np.broadcast_to(points.legal, total.shape)
    too_much = legal & (total > capacity_b(problem.device))
    names = [name for name in vars(held) if name != "reserved_b"]
    parts = np.stack([np.broadcast_to(getattr(held, name), total.shape)[too_much] for name in names])
    largest = parts.argmax(axis=0) if parts.size else np.array([], dtype=np.intp)
    counts = {f"memory: {name.removesuffix('_b')}": int(np.sum(largest == i)) for i, name in enumerate(names)}
    return {"runs": int(np.sum(legal & ~too_much)), **{name: n for name, n in counts.items() if n}}
