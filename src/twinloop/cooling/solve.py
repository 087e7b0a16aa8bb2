"""Inverting a monotone element: which actuator position reaches a target."""

from __future__ import annotations

from collections.abc import Callable

from twinloop.arrays import Array, namespace


def invert(
    function: Callable[[Array], Array], target: Array, low: Array, high: Array, iterations: int = 60
) -> Array:
    """Return ``x`` in [low, high] with ``function(x) = target``, for every entry of an array.

    ``function`` is monotone in each entry, rising or falling. Halving brackets the root; a closing
    secant step over the last bracket makes the result smooth in its inputs. Where the target lies
    outside what the bracket reaches, the nearer bound is returned.

    >>> import numpy as np
    >>> invert(lambda x: x**3, np.array([8.0, 100.0]), np.zeros(2), np.full(2, 4.0)).round(9)
    array([2., 4.])
    """
    xp = namespace(target, low, high)
    a, b = low + 0.0 * target, high + 0.0 * target
    at_a, at_b = function(a) - target, function(b) - target
    sign = xp.where(at_b >= at_a, 1.0, -1.0)
    for _ in range(iterations):
        middle = 0.5 * (a + b)
        at = function(middle) - target
        below = sign * at < 0.0
        a, at_a = xp.where(below, middle, a), xp.where(below, at, at_a)
        b, at_b = xp.where(below, b, middle), xp.where(below, at_b, at)
    slope = at_b - at_a
    flat = xp.abs(slope) == 0.0
    root = a - at_a * (b - a) / xp.where(flat, 1.0, slope)
    return xp.clip(xp.where(flat, a, root), a, b)
