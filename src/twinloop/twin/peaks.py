"""The busiest quarter of each hour: what meters bill and breakers carry, where runs begin or end within the hour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.twin.design import PlantConstants
from twinloop.twin.free_coolers import OutdoorAir, hours_of
from twinloop.twin.groups import ItGroup
from twinloop.twin.plant import solve_plant
from twinloop.twin.sizing import Plant


def busiest_quarters(groups: tuple[ItGroup, ...], hours: int) -> tuple[FloatArray, ...]:
    """Return each group's activity in the quarter of each hour in which all together take most, shape (hours,)."""
    parts = [
        np.broadcast_to(np.asarray(g.activity)[:, None], (hours, 4)) if g.quarters is None else g.quarters
        for g in groups
    ]
    swings = (g.busy.total_w - g.idle.total_w for g in groups)
    at = np.argmax(sum((swing * part for swing, part in zip(swings, parts, strict=True)), np.zeros((hours, 4))), axis=1)
    return tuple(np.take_along_axis(part, at[:, None], axis=1)[:, 0] for part in parts)


def peaks_w(
    plant: Plant, groups: tuple[ItGroup, ...], outdoor: OutdoorAir, k: PlantConstants, mean_w: FloatArray,
    store_w: FloatArray | None = None,
) -> FloatArray:  # fmt: skip
    """Return the facility's power in the busiest quarter of each hour, shape (hours,), never below its ``mean_w``.

    The plant is solved anew for hours that are uneven, steady over the quarter: nothing that stores heat smooths it.
    """
    found = np.array(mean_w, dtype=np.float64)
    if all(group.quarters is None for group in groups):
        return found
    busiest = busiest_quarters(groups, found.size)
    uneven = np.zeros(found.size, dtype=bool)
    for group, most in zip(groups, busiest, strict=True):
        uneven |= np.abs(most - group.activity) > 1e-9
    index = np.flatnonzero(uneven)
    if index.size:
        at = tuple(replace(g, activity=most[index], quarters=None) for g, most in zip(groups, busiest, strict=True))
        state = solve_plant(plant, at, hours_of(outdoor, index), k, 0.0 if store_w is None else store_w[index])
        found[index] = np.maximum(found[index], state.facility_w)
    return found
