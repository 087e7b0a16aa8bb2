"""Inverting a monotone element: which actuator position reaches a target."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from twinloop.arrays import Array, namespace

EARLY = 6
"""Steps before the bracket is also halved."""
Bracket = tuple[Array, Array, Array, Array, Array, Array]
"""Both ends, the residuals there, and the weights of the residuals."""


def invert(function: Callable[[Array], Array], target: Array, low: Array, high: Array, iterations: int = 40) -> Array:
    """Return ``x`` in [low, high] with ``function(x) = target``, for every entry of an array.

    ``function`` is monotone in each entry, rising or falling, and each entry depends on its own ``x``
    alone. Steps are regula falsi with the weights of Anderson and Björck (BIT 13, 1973), and from the seventh on
    every other one halves the bracket: smooth functions converge in about seven steps, kinked ones at worst by
    halving. Where the target lies outside what the bracket reaches, the nearer bound is returned.

    Under JAX the root carries the implicit derivative ``dx = (dtarget - df) / f'(x)``, and at a bound
    that of the bound; derivatives through the steps themselves would be zero.

    >>> import numpy as np
    >>> invert(lambda x: x**3, np.array([8.0, 100.0]), np.zeros(2), np.full(2, 4.0)).round(9)
    array([2., 4.])
    """
    if namespace(target, low, high) is not np:
        return _invert_traced(function, target, low, high, iterations)
    a, b = low + 0.0 * target, high + 0.0 * target
    bracket = (a, b, function(a) - target, function(b) - target, np.ones_like(a), np.ones_like(a))
    for step in range(iterations):
        guess = _guess(bracket, _by_secant(step), np)
        bracket = _replaced(bracket, guess, function(guess) - target, np)
    return _between(bracket[0], bracket[1], bracket[2], bracket[3], np)


def flow_ratio(heat_w: Callable[[Array], Array], wanted_w: Array, least: Array, most: Array, iterations: int) -> Array:
    """Return the flow ratio in [least, most], both above 0, at which an exchanger passes ``wanted_w``.

    Heat grows in proportion to a small flow and levels off at a large one, so that ``1/heat`` is almost a straight
    line in ``1/flow``; :func:`invert` then needs about five steps where heat by flow would take it eight. ``wanted_w``
    has the sign of the heat; where it has not, either end may come back.

    >>> import numpy as np
    >>> flow_ratio(lambda x: x / (1.0 + x), np.array([0.2, 0.9]), 1e-3, 1.0, 2).round(9)
    array([0.25, 1.  ])
    """
    xp = namespace(wanted_w, least, most)

    def share(turned: Array) -> Array:
        passed_w = heat_w(1.0 / turned)
        return wanted_w / xp.where(passed_w == 0.0, 1.0, passed_w)

    one = 1.0 + 0.0 * wanted_w
    return 1.0 / invert(share, one, one / most, one / least, iterations)


def _invert_traced(
    function: Callable[[Array], Array], target: Array, low: Array, high: Array, iterations: int
) -> Array:
    jax = sys.modules["jax"]
    xp = jax.numpy
    a, b = low + 0.0 * target, high + 0.0 * target

    def step(number: Array, bracket: Bracket) -> Bracket:
        # Steps 0 and 1 rate the two ends, so that the function is traced once: these inversions nest.
        guess = xp.where(number == 0, a, xp.where(number == 1, b, _guess(bracket, _by_secant(number - 2), xp)))
        at = function(guess) - target
        later = _replaced(bracket, guess, at, xp)
        at_a, at_b = xp.where(number == 0, at, bracket[2]), xp.where(number == 1, at, bracket[3])
        first = (a, b, at_a, at_b, bracket[4], bracket[5])
        early = tuple(xp.where(number < 2, x, y) for x, y in zip(first, later, strict=True))
        return early[0], early[1], early[2], early[3], early[4], early[5]

    def root(_: Callable[[Array], Array], __: Array) -> Array:
        one = xp.ones_like(a)
        last = jax.lax.fori_loop(0, iterations + 2, step, (a, b, one, one, one, one))
        outside = xp.where(xp.abs(last[2]) <= xp.abs(last[3]), last[0], last[1])
        return xp.where(last[2] * last[3] < 0.0, _between(last[0], last[1], last[2], last[3], xp), outside)

    def residual(x: Array) -> Array:
        return xp.where(x <= a, x - a, xp.where(x >= b, x - b, function(x) - target))

    def tangent(linear: Callable[[Array], Array], y: Array) -> Array:
        slope = linear(xp.ones_like(y))
        return y / xp.where(slope == 0.0, 1.0, slope)

    return jax.lax.custom_root(residual, a, root, tangent)


def _by_secant(step: Array) -> Array:
    return (step < EARLY) | (step % 2 == 1)


def _guess(bracket: Bracket, secant: Array, xp: Any) -> Array:
    """Return the next point: by the weighted secant where ``secant``, else by halving."""
    a, b, at_a, at_b, weight_a, weight_b = bracket
    return xp.where(secant, _between(a, b, at_a * weight_a, at_b * weight_b, xp), 0.5 * (a + b))


def _replaced(bracket: Bracket, guess: Array, at: Array, xp: Any) -> Bracket:
    """Return the bracket with the end on the guess's side moved there.

    Anderson and Björck: the value of the end that stays is scaled by how much the other's fell, at least halved
    where that would turn it, so that it moves next time.
    """
    a, b, at_a, at_b, weight_a, weight_b = bracket
    below = xp.where(at_b >= at_a, at, -at) < 0.0
    left = xp.where(below, at_a, at_b)
    fell = 1.0 - at / xp.where(left == 0.0, 1.0, left)
    fell = xp.where((left == 0.0) | (fell <= 0.0), 0.5, fell)
    return (
        xp.where(below, guess, a), xp.where(below, b, guess), xp.where(below, at, at_a), xp.where(below, at_b, at),
        xp.where(below, 1.0, fell * weight_a), xp.where(below, fell * weight_b, 1.0),
    )  # fmt: skip


def _between(a: Array, b: Array, at_a: Array, at_b: Array, xp: Any) -> Array:
    """Return the secant's root inside [a, b]; ``a`` where both ends are level."""
    slope = at_b - at_a
    flat = xp.abs(slope) == 0.0
    root = a - at_a * (b - a) / xp.where(flat, 1.0, slope)
    return xp.clip(xp.where(flat, a, root), a, b)
