"""Power swings of synchronous training: all devices compute together, then wait for the network together."""

from __future__ import annotations

from twinloop.arrays import Array, namespace


def square_wave(time_s: Array, period_s: float, share_low: float = 0.5) -> Array:
    """Return 1 during the low part of each period (waiting), 0 while computing; the period starts computing.

    >>> import numpy as np
    >>> square_wave(np.array([0.0, 4.0, 5.0, 9.0, 10.0]), 10.0)
    array([0., 0., 1., 1., 0.])
    """
    xp = namespace(time_s)
    phase = (time_s % period_s) / period_s
    return xp.where(phase >= 1.0 - share_low, 1.0, 0.0)
