"""Power capping: what a device gives up under a limit, and how racks share a budget."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace

POWER_EXPONENT = 2.5
"""Dynamic power ~ clock^2.5 (f V², V nearly ~ f); the inverse of
:data:`twinloop.power.operating_point.CLOCK_EXPONENT`. Between 2 and 3: low confidence."""


@dataclass(frozen=True)
class CappedPoint:
    """A device under a limit."""

    power_w: Array
    clock_ratio: Array
    """Over the uncapped clock."""
    met: Array
    """Whether the limit is kept: idle power and the least clock cannot be capped away."""


def cap_device(wanted_w: Array, idle_w: Array, limit_w: Array, least_clock: float = 0.3) -> CappedPoint:
    """Return the clock at which a device that wants ``wanted_w`` keeps ``limit_w``.

    ``P = idle + (wanted − idle) f^2.5``, so ``f = ((limit − idle)/(wanted − idle))^0.4``, within [least, 1]. A cap of
    71 % of a busy device costs 14 % of its clock, memory-bound work less. Source: CMOS power f V².

    >>> point = cap_device(700.0, 80.0, 500.0)
    >>> round(float(point.power_w), 6), round(float(point.clock_ratio), 3), bool(point.met)
    (500.0, 0.856, True)
    """
    xp = namespace(wanted_w, idle_w, limit_w)
    dynamic_w = xp.maximum(wanted_w - idle_w, 1e-9)
    share = xp.clip((limit_w - idle_w) / dynamic_w, least_clock**POWER_EXPONENT, 1.0)
    power_w = idle_w + dynamic_w * share
    return CappedPoint(power_w, share ** (1.0 / POWER_EXPONENT), power_w <= limit_w * (1.0 + 1e-9))


def share_budget_w(wanted_w: Array, floor_w: Array, budget_w: Array, axis: int = -1) -> Array:
    """Return limits whose sum is the budget: everyone keeps a floor and the same share of what they want above it.

    ``limit_i = floor_i + s (wanted_i − floor_i)``, ``s = (budget − Σ floor)/(Σ wanted − Σ floor)`` in [0, 1]. With
    enough for all everyone gets what they want; below the floors' sum the floors remain and the breaker decides.

    >>> import numpy as np
    >>> share_budget_w(np.array([700.0, 400.0]), np.array([100.0, 100.0]), 650.0)
    array([400., 250.])
    """
    xp = namespace(wanted_w, floor_w, budget_w)
    above_w = xp.maximum(wanted_w - floor_w, 0.0)
    room_w = budget_w - xp.sum(floor_w + 0.0 * above_w, axis=axis)
    share = xp.clip(room_w / xp.maximum(xp.sum(above_w, axis=axis), 1e-9), 0.0, 1.0)
    return floor_w + xp.expand_dims(share, axis) * above_w
