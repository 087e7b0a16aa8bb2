"""The busiest quarter of each hour: what meters bill and breakers carry, where runs begin or end within the hour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from twinloop.arrays import FloatArray
from twinloop.twin.design import PlantConstants
from twinloop.twin.free_coolers import OutdoorAir, hours_of
from twinloop.twin.groups import ItGroup
from twinloop.twin.plant import PlantState, solve_plant
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


def peak_state(
    plant: Plant, groups: tuple[ItGroup, ...], outdoor: OutdoorAir, k: PlantConstants, store_w: FloatArray | None = None
) -> tuple[npt.NDArray[np.intp], PlantState | None]:
    """Return the hours whose busiest quarter takes more than their mean, and the plant in those quarters.

    Steady over the quarter: nothing that stores heat smooths it. ``None``: every hour is even.
    """
    hours = outdoor.dry_bulb_c.size
    if all(group.quarters is None for group in groups):
        return np.empty(0, dtype=np.intp), None
    busiest = busiest_quarters(groups, hours)
    uneven = np.zeros(hours, dtype=bool)
    for group, most in zip(groups, busiest, strict=True):
        uneven |= np.abs(most - group.activity) > 1e-9
    index = np.flatnonzero(uneven)
    if not index.size:
        return index, None
    at = tuple(replace(g, activity=most[index], quarters=None) for g, most in zip(groups, busiest, strict=True))
    return index, solve_plant(plant, at, hours_of(outdoor, index), k, 0.0 if store_w is None else store_w[index])
