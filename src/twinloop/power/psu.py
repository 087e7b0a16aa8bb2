"""Server power supplies by their 80 PLUS label: losses by load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twinloop.arrays import Array, namespace

Label = Literal["bronze", "silver", "gold", "platinum", "titanium"]

EFFICIENCY: dict[Label, tuple[tuple[float, float], ...]] = {
    "bronze": ((0.2, 0.81), (0.5, 0.85), (1.0, 0.81)),
    "silver": ((0.2, 0.85), (0.5, 0.89), (1.0, 0.85)),
    "gold": ((0.2, 0.88), (0.5, 0.92), (1.0, 0.88)),
    "platinum": ((0.2, 0.90), (0.5, 0.94), (1.0, 0.91)),
    "titanium": ((0.1, 0.90), (0.2, 0.94), (0.5, 0.96), (1.0, 0.91)),
}
"""(load, least efficiency) of the 80 PLUS labels, 230 V internal redundant. From memory: low confidence."""


@dataclass(frozen=True)
class Psu:
    """One supply, or several sharing the load evenly as one. Rated by DC output."""

    rating_w: float
    label: Label = "titanium"


def psu_loss_w(psu: Psu, output_w: Array) -> Array:
    """Return the loss at DC output ``output_w``: straight lines through the label's points.

    Loss (not efficiency) is interpolated, ``x (1/η − 1)`` at each labelled load, on to no load and past
    full load along the nearest line; it never falls with load and never below 0.2 % of rating at none.

    >>> round(float(psu_loss_w(Psu(3000.0), 1500.0)), 1)
    62.5
    """
    xp = namespace(output_w)
    points = EFFICIENCY[psu.label]
    loads = [load for load, _ in points]
    losses = [load * (1.0 / efficiency - 1.0) for load, efficiency in points]
    x = output_w / psu.rating_w
    share: Array = losses[0] + _slope(loads, losses, 0) * (x - loads[0])
    for index in range(1, len(loads) - 1):
        bend = _slope(loads, losses, index) - _slope(loads, losses, index - 1)
        share = share + bend * xp.maximum(x - loads[index], 0.0)
    return psu.rating_w * xp.maximum(share, 0.002)


def psu_input_w(psu: Psu, output_w: Array) -> Array:
    """Return AC input, output plus loss.

    >>> round(1500.0 / float(psu_input_w(Psu(3000.0), 1500.0)), 3)
    0.96
    """
    return output_w + psu_loss_w(psu, output_w)


def _slope(loads: list[float], losses: list[float], index: int) -> float:
    return (losses[index + 1] - losses[index]) / (loads[index + 1] - loads[index])
