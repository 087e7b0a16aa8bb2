"""A few weighted real hours that stand for a year, for screening many designs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinloop.arrays import FloatArray


@dataclass(frozen=True)
class SampledHours:
    """Hours of the year, shape (n,), and how many hours each stands for (sums to 8760)."""

    index: FloatArray
    weight: FloatArray


def sample_hours(dry_bulb_c: FloatArray, wet_bulb_c: FloatArray, load: FloatArray, most: int = 200) -> SampledHours:
    """Choose at most ``most`` real hours by cells of (wet bulb, dry bulb, load).

    Each cell's hour is the one nearest to the cell's mean; its weight is the cell's count. The
    hottest, the most humid and the coldest hour are always among them with their own weight.

    Args:
        dry_bulb_c: shape (8760,).
        wet_bulb_c: shape (8760,).
        load: any measure of IT load, shape (8760,).
        most: upper bound on the number of hours.
    """
    features = np.stack([_scaled(wet_bulb_c), _scaled(dry_bulb_c), _scaled(load)], axis=1)
    extremes = np.unique([np.argmax(dry_bulb_c), np.argmax(wet_bulb_c), np.argmin(dry_bulb_c)])
    rest = np.setdiff1d(np.arange(dry_bulb_c.size), extremes)
    cells = most
    while True:
        index, weight = _cells(features, rest, max(round(cells ** (1 / 3)), 1))
        if index.size + extremes.size <= most:
            break
        cells = int(cells * 0.8)
    return SampledHours(np.concatenate([extremes, index]), np.concatenate([np.ones(extremes.size), weight]))


def _scaled(values: FloatArray) -> FloatArray:
    span = float(np.ptp(values))
    return (values - values.min()) / span if span > 0.0 else np.zeros_like(values)


def _cells(features: FloatArray, rest: FloatArray, side: int) -> tuple[FloatArray, FloatArray]:
    bins = np.array([side * 3, side, max(side // 2, 2)])  # wet bulb decides free cooling: finest
    cell = np.minimum((features[rest] * bins).astype(int), bins - 1)
    key = (cell[:, 0] * bins[1] + cell[:, 1]) * bins[2] + cell[:, 2]
    index, weight = [], []
    for value in np.unique(key):
        members = rest[key == value]
        mean = features[members].mean(axis=0)
        index.append(members[np.argmin(((features[members] - mean) ** 2).sum(axis=1))])
        weight.append(members.size)
    return np.array(index), np.array(weight, dtype=float)
