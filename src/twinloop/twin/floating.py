"""Supply temperatures that float up in the hours that capacity is short of load."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from twinloop.arrays import Array, namespace
from twinloop.cooling.solve import invert
from twinloop.twin.free_coolers import ROUNDS

EVERY_HOUR = slice(None)


def floated_c(setpoint_c: Array, shortage_w: Callable[[Array, Array], Array], allowed_w: Array, most_k: float) -> Array:
    """Return the setpoint, or in short hours the supply temperature at which shortage meets what is allowed.

    Args:
        setpoint_c: shape (hours,).
        shortage_w: heat that capacity leaves over at a trial supply temperature, of the hours named by its
            second argument (an index or a slice); falls as the supply warms.
        allowed_w: shortage that is no shortage (another loop takes it), a number or shape (hours,).
        most_k: furthest that supply may float.

    Few hours of a year are short. NumPy solves just those; a compiled hall solves all hours, and only
    when any is short.
    """
    xp = namespace(setpoint_c)
    allowed = allowed_w + 0.0 * setpoint_c
    short = shortage_w(setpoint_c, EVERY_HOUR) > allowed

    def solved(at: Array) -> Array:
        low_c = setpoint_c[at]
        return invert(lambda t: shortage_w(t, at), allowed[at], low_c, low_c + most_k, iterations=ROUNDS)

    if xp is np:
        at = np.flatnonzero(short)
        result = np.array(setpoint_c)
        if at.size:
            result[at] = solved(at)
        return result
    return sys.modules["jax"].lax.cond(xp.any(short), lambda: solved(EVERY_HOUR), lambda: setpoint_c)
