"""Inverting a monotone element: which actuator position reaches a target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twinloop.arrays import Array, namespace


def invert(function: Callable[[Array], Array], target: Array, low: Array, high: Array, iterations: int = 40) -> Array:
    """Return ``x`` in [low, high] with ``function(x) = target``, for every entry of an array.

    ``function`` is monotone in each entry, rising or falling. Steps alternate between halving the
    bracket and regula falsi with the Illinois weights (Dowell and Jarratt, BIT 11, 1971), so that smooth
    functions converge in about ten steps and kinked ones at worst by halving. A closing secant step makes
    the result smooth in its inputs. Where the target lies outside what the bracket reaches, the nearer
    bound is returned.

    >>> import numpy as np
    >>> invert(lambda x: x**3, np.array([8.0, 100.0]), np.zeros(2), np.full(2, 4.0)).round(9)
    array([2., 4.])
    """
    xp = namespace(target, low, high)
    a, b = low + 0.0 * target, high + 0.0 * target
    at_a, at_b = function(a) - target, function(b) - target
    sign = xp.where(at_b >= at_a, 1.0, -1.0)
    weight_a, weight_b = 1.0 + 0.0 * a, 1.0 + 0.0 * b
    for step in range(iterations):
        guess = _between(a, b, at_a * weight_a, at_b * weight_b, xp) if step % 3 else 0.5 * (a + b)
        at = function(guess) - target
        below = sign * at < 0.0
        # Illinois: an end that stays twice has its value halved, so that it moves next time.
        weight_a = xp.where(below, 1.0, 0.5 * weight_a)
        weight_b = xp.where(below, 0.5 * weight_b, 1.0)
        a, at_a = xp.where(below, guess, a), xp.where(below, at, at_a)
        b, at_b = xp.where(below, b, guess), xp.where(below, at_b, at)
    return _between(a, b, at_a, at_b, xp)


def _between(a: Array, b: Array, at_a: Array, at_b: Array, xp: Any) -> Array:
    """Return the secant's root inside [a, b]; ``a`` where both ends are level."""
    slope = at_b - at_a
    flat = xp.abs(slope) == 0.0
    root = a - at_a * (b - a) / xp.where(flat, 1.0, slope)
    return xp.clip(xp.where(flat, a, root), a, b)
