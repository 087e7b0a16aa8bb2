"""Inverting a monotone element: which actuator position reaches a target."""

from __future__ import annotations

from collections.abc import Callable

from twinloop.arrays import Array, namespace

_HALVINGS_DOUBLE = 26  # bracket 1.5e-8 of its first width: differences across it keep 8 digits in float64
_HALVINGS_SINGLE = 11  # 5e-4 of it: differences across it keep 3 digits in float32


def invert(
    function: Callable[[Array], Array], target: Array, low: Array, high: Array, iterations: int = 60
) -> Array:
    """Return ``x`` in [low, high] with ``function(x) = target``, for every entry of an array.

    ``function`` is monotone in each entry, rising or falling. Halving brackets the root; a closing
    secant step over the last bracket finishes it. That step also carries the implicit derivative
    ``dx/dθ = −(∂f/∂θ)/(∂f/∂x)``, which halving alone would lose; so halving stops, however many
    ``iterations`` are allowed, while differences across the bracket still mean something (26 in double
    precision, 11 in single). Where the target lies outside what the bracket reaches, the nearer bound
    is returned. A jump in ``function`` is located to 1.5e-8 of ``high − low``.

    >>> import numpy as np
    >>> invert(lambda x: x**3, np.array([8.0, 100.0]), np.zeros(2), np.full(2, 4.0)).round(9)
    array([2., 4.])
    """
    xp = namespace(target, low, high)
    a, b = low + 0.0 * target, high + 0.0 * target
    at_a, at_b = function(a) - target, function(b) - target
    sign = xp.where(at_b >= at_a, 1.0, -1.0)
    single = getattr(a + at_a, "dtype", None) == xp.float32
    for _ in range(min(iterations, _HALVINGS_SINGLE if single else _HALVINGS_DOUBLE)):
        middle = 0.5 * (a + b)
        at = function(middle) - target
        below = sign * at < 0.0
        a, at_a = xp.where(below, middle, a), xp.where(below, at, at_a)
        b, at_b = xp.where(below, b, middle), xp.where(below, at_b, at)
    slope = at_b - at_a
    flat = slope == 0.0
    root = xp.clip(a - at_a * (b - a) / xp.where(flat, 1.0, slope), a, b)
    return xp.where(flat, xp.where(sign * at_a < 0.0, b, a), root)
