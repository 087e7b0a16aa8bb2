"""Supply temperatures that float up in the hours that capacity is short of load."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from twinloop.arrays import Array, namespace
from twinloop.cooling.solve import invert

EVERY_HOUR = slice(None)
STEPS = 5
"""Of the root: supply is then within 1e-8 K of where more steps take it."""
CHUNK = 512
"""Hours that a compiled hall solves at once."""


def floated_c(
    setpoint_c: Array,
    shortage_w: Callable[[Array, Array], Array],
    allowed_w: Array,
    most_k: float,
    enough: Array,
) -> Array:
    """Return the setpoint, or in short hours the supply temperature at which shortage meets what is allowed.

    Args:
        setpoint_c: shape (hours,).
        shortage_w: heat that capacity leaves over at a trial supply temperature, of the hours named by its
            second argument (an index or a slice); falls as the supply warms.
        allowed_w: shortage that is no shortage (another loop takes it), a number or shape (hours,).
        most_k: furthest that supply may float.
        enough: hours that a cheap test says are not short, shape (hours,); only the others are looked at.

    Few hours of a year are short. NumPy solves just those; a compiled hall puts them first and solves chunks of
    hours as long as one is short.
    """
    xp = namespace(setpoint_c)
    allowed = allowed_w + 0.0 * setpoint_c

    def solved(at: Array) -> Array:
        low_c = setpoint_c[at]
        return invert(lambda t: shortage_w(t, at), allowed[at], low_c, low_c + most_k, iterations=STEPS)

    if xp is np:
        result = np.array(setpoint_c)
        at = np.flatnonzero(~enough)
        if at.size:
            at = at[shortage_w(result[at], at) > allowed[at]]
        if at.size:
            result[at] = solved(at)
        return result
    lax = sys.modules["jax"].lax

    def looked_at() -> Array:
        short = (shortage_w(setpoint_c, EVERY_HOUR) > allowed) & ~enough
        return lax.cond(xp.any(short), lambda: _in_chunks(setpoint_c, short, solved), lambda: setpoint_c)

    return lax.cond(xp.all(enough), lambda: setpoint_c, looked_at)


def _in_chunks(setpoint_c: Array, short: Array, solved: Callable[[Array], Array]) -> Array:
    """Return ``solved`` where ``short``, else the setpoint; a scan, so that it differentiates backwards."""
    lax, xp = sys.modules["jax"].lax, namespace(setpoint_c)
    hours, size = setpoint_c.size, min(CHUNK, setpoint_c.size)
    # Short hours first, by their number: plain integers sort five times faster than an index by a key.
    number = xp.arange(hours)
    order = xp.sort(xp.where(short, number, number + hours)) % hours
    chunks = xp.resize(order, (-(-hours // size), size))

    def chunk(_: None, at: Array) -> tuple[None, Array]:
        found = lax.cond(
            xp.any(short[at]),
            lambda: xp.where(short[at], solved(at), setpoint_c[at]),
            lambda: setpoint_c[at],
        )
        return None, found

    return setpoint_c.at[order].set(lax.scan(chunk, None, chunks)[1].reshape(-1)[:hours])
