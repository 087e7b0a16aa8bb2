"""What no other layout beats in everything: the Pareto set over time, devices, energy, memory and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twinloop.workload.search import CAPS, Point, Problem, evaluate, point

HOUR_S = 3600.0
FIRST_BLOCK, LARGEST_BLOCK = 1024, 1 << 18


@dataclass(frozen=True)
class Choice:
    """One member of the set."""

    devices: int
    point: Point
    cost_per_step_usd: float


def front(problem: Problem, counts: Sequence[int], device_hour_usd: float) -> tuple[Choice, ...]:
    """Return every layout that no other one, on any of ``counts`` devices, equals or betters in all five figures.

    Figures: seconds and joules a step, devices, memory of the fullest, and cost a step at ``device_hour_usd``.
    Where several are equal in all, one is returned. Sorted by devices, then time.

    Args:
        problem: what is searched; its ``devices`` is replaced by each of ``counts``.
        counts: device counts to consider.
        device_hour_usd: price of a device for an hour, ≥ 0.
    """
    found: list[Choice] = []
    for count in sorted(set(counts)):
        here = replace(problem, devices=count)
        evaluated = evaluate(here)
        if not len(evaluated.places):
            continue
        # On equal devices the cost goes with time; memory does not know the cap.
        energy = evaluated.time_s * evaluated.power_w * np.float32(count)
        memory = np.repeat(evaluated.memory_b.ravel()[evaluated.places].astype(np.float32), len(CAPS))
        figures = np.stack([evaluated.time_s.ravel(), energy.ravel(), memory])
        for flat in undominated_of_three(figures):
            one = point(here, evaluated, *(int(i) for i in divmod(int(flat), len(CAPS))))
            found.append(Choice(count, one, one.step_time_s * count * device_hour_usd / HOUR_S))
    return _across(found)


def _across(found: list[Choice]) -> tuple[Choice, ...]:
    """Drop what fewer devices beat."""
    if not found:
        return ()
    figures = np.array(
        [
            (c.point.step_time_s, c.point.energy_per_step_j, c.point.memory_gb, c.devices, c.cost_per_step_usd)
            for c in found
        ]
    ).T
    kept = [found[int(i)] for i in undominated(figures)]
    return tuple(sorted(kept, key=lambda c: (c.devices, c.point.step_time_s, c.point.energy_per_step_j)))


def undominated_of_three(figures: npt.NDArray[np.floating]) -> npt.NDArray[np.intp]:
    """Return the same as :func:`undominated` for three rows and millions of columns.

    Columns come by their first figure, block by block. A staircase, the least second figure up to each third one
    among those kept, drops most of a block at once; what survives is compared with each other.
    """
    order = np.argsort(figures[0], kind="stable")
    kept = np.array([], dtype=np.intp)
    third, least = np.array([-np.inf]), np.array([np.inf])
    start, size = 0, FIRST_BLOCK
    while start < order.size:
        block = order[start : start + size]
        stair = np.searchsorted(third, figures[2, block], side="right") - 1
        block = block[figures[1, block] < least[stair]]
        block = block[undominated(figures[:, block])] if block.size else block
        kept = np.concatenate([kept, block])
        by_third = kept[np.argsort(figures[2, kept], kind="stable")]
        third = np.concatenate([[-np.inf], figures[2, by_third]])
        least = np.concatenate([[np.inf], np.minimum.accumulate(figures[1, by_third])])
        start, size = start + size, min(2 * size, LARGEST_BLOCK)
    # Columns equal in the first figure may have come in any order.
    return np.sort(kept[undominated(figures[:, kept])]) if kept.size else kept


def undominated(figures: npt.NDArray[np.floating]) -> npt.NDArray[np.intp]:
    """Return the columns of ``figures`` (one row a figure, smaller is better) that no other column dominates.

    Of equal columns the first is kept. Each round takes the column with the least sum of scaled figures, which
    nothing left can dominate, and drops all that it dominates: as many rounds as the answer is long.

    >>> undominated(np.array([[1.0, 2.0, 3.0, 2.0], [3.0, 2.0, 1.0, 2.5]])).tolist()
    [0, 1, 2]
    """
    left = np.arange(figures.shape[1])
    low = figures.min(axis=1, keepdims=True)
    span = np.maximum(figures.max(axis=1, keepdims=True) - low, np.finfo(figures.dtype).tiny)
    scaled = ((figures - low) / span).sum(axis=0, dtype=np.float64)
    kept = []
    while left.size:
        # Rounding may make equal sums of a column and one it dominates: settle by the figures themselves.
        ties = left[scaled[left] == scaled[left].min()]
        best = ties[np.lexsort(figures[::-1][:, ties])[0]]
        kept.append(best)
        beaten = np.all(figures[:, left] >= figures[:, [best]], axis=0)
        left = left[~beaten]
    return np.array(sorted(kept), dtype=np.intp)
