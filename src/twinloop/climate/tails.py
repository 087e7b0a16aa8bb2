"""Moves the tails of an hourly year so that it meets a handbook's design columns."""

from __future__ import annotations

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.climate.design import COLD_SHARE, HOT_SHARE, DesignColumns
from twinloop.fluids import psychrometrics as ps

TAIL = 0.01
"""Share of the hours that are moved, at each end, unless the move is too large for them."""

LONGEST_TAIL = 0.08
MOST_STRETCH = 1.0
"""A tail is lengthened, up to its longest, until its temperatures are drawn apart by no more than this: a
handbook's column far above a normal year's air would else turn one afternoon's hour into a step of 7 K."""

LARGEST_DRYING_K = 12.0
"""No hour's dew point is lowered further: a coincident wet bulb that needs more contradicts the normals."""


# A year's hottest hour beyond the 0.4 % column (coldest: the 1 % column), per kelvin of sigma of the daily
# mean: median of the mean yearly extremes in the headers of the eight TMY3 files; wet bulb: half the margin
# of the highest on record.
HOTTEST_PER_SIGMA = 0.7
WETTEST_PER_SIGMA = 0.5
COLDEST_PER_SIGMA = 2.0
LEAST_REACH_K = 1.0


def meet_upper(
    values: FloatArray, share: float, target: float, tail: float = TAIL, reach: float = np.inf
) -> FloatArray:
    """Return ``values`` with the quantile ``share`` moved to ``target``, order kept, the rest untouched.

    Hours from the quantile ``1 - tail`` to ``share`` are stretched linearly, those beyond ``share`` are
    shifted, and drawn together where they would lie more than ``reach`` beyond the target. When the move
    would fold the tail over itself or tear it apart, a longer tail is taken.

    >>> moved = meet_upper(np.linspace(0.0, 100.0, 1001), 0.996, 99.8)
    >>> round(float(np.quantile(moved, 0.996)), 2), round(float(moved[900]), 2)
    (99.8, 90.0)
    """
    reached = float(np.quantile(values, share))
    move = target - reached
    while True:
        foot = float(np.quantile(values, 1.0 - tail))
        room = reached - foot
        folds = room <= 0.0 or move <= -0.7 * room
        steps = move > MOST_STRETCH * room and tail < LONGEST_TAIL
        if not (folds or steps) or tail >= 0.5:
            break
        tail *= 2.0
    if room <= 0.0:  # constant air: nothing to stretch
        return values + move
    move = max(move, -0.7 * room)
    moved = values + move * np.clip((values - foot) / room, 0.0, 1.0)
    beyond = np.maximum(values - reached, 0.0)
    return np.asarray(moved - beyond * max(0.0, 1.0 - reach / max(float(beyond.max()), 1e-9)))


def meet_lower(
    values: FloatArray, share: float, target: float, tail: float = 2 * TAIL, reach: float = np.inf
) -> FloatArray:
    """Return ``values`` with the low quantile ``share`` moved to ``target``; see :func:`meet_upper`.

    >>> moved = meet_lower(np.linspace(0.0, 100.0, 1001), 0.01, 0.5)
    >>> round(float(np.quantile(moved, 0.01)), 2)
    0.5
    """
    return -meet_upper(-values, 1.0 - share, -target, tail, reach)


def meet_design_columns(
    dry_bulb_c: FloatArray,
    dew_point_c: FloatArray,
    columns: DesignColumns,
    sigma_k: float,
    pressure_pa: float,
) -> tuple[FloatArray, FloatArray]:
    """Return dry bulb and dew point that meet ``columns``: hot, cold, coincident and highest wet bulb.

    ``sigma_k``, of the daily mean, says how far beyond the columns the year's extremes may lie.
    """
    hot, wettest, cold = (
        max(ratio * sigma_k, LEAST_REACH_K) for ratio in (HOTTEST_PER_SIGMA, WETTEST_PER_SIGMA, COLDEST_PER_SIGMA)
    )
    dry = meet_upper(dry_bulb_c, HOT_SHARE, columns.dry_bulb_c, reach=hot)
    dry = meet_lower(dry, COLD_SHARE, columns.cold_dry_bulb_c, reach=cold)
    wet = _wet_bulb(dry, np.minimum(dew_point_c, dry), pressure_pa)
    hottest = dry >= np.quantile(dry, 1.0 - TAIL)
    shift = columns.coincident_wet_bulb_c - float(wet[hottest].mean())
    wet_target = np.minimum(np.where(hottest, wet + shift, wet), dry)
    for _ in range(4):  # the cap at saturation takes back a little of each move
        wet_target = np.minimum(meet_upper(wet_target, HOT_SHARE, columns.wet_bulb_c, reach=wettest), dry)
    moved = np.abs(wet_target - wet) > 1e-9
    ratio = ps.humidity_ratio_from_wet_bulb(dry, wet_target, pressure_pa)
    dew = np.where(moved, ps.dew_point_c(ratio, pressure_pa), dew_point_c)
    dew = np.maximum(dew, dew_point_c - LARGEST_DRYING_K)
    return dry, np.minimum(dew, dry)


def _wet_bulb(dry: FloatArray, dew: FloatArray, pressure_pa: float) -> FloatArray:
    ratio = ps.humidity_ratio_from_dew_point(dew, pressure_pa)
    return np.asarray(ps.wet_bulb_c(dry, ratio, pressure_pa))
