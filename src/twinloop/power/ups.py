"""Uninterruptible power supplies, and rectifiers in their place: losses by load."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array


@dataclass(frozen=True)
class Ups:
    """Rating and loss coefficients over the rating: no load, linear, quadratic; see :mod:`twinloop.power.chains`."""

    rating_w: float
    no_load: float
    linear: float
    quadratic: float


def ups_loss_w(ups: Ups, load_w: Array) -> Array:
    """Return ``rating (k₀ + k₁ x + k₂ x²)``, ``x`` = load over rating, 0-1 (further on by the same curve).

    Form: IEC 62040-3 loss measurements at 25-100 % are well followed by a quadratic.

    >>> ups_loss_w(Ups(1e6, 0.010, 0.012, 0.020), 0.5e6)
    21000.0
    """
    x = load_w / ups.rating_w
    return ups.rating_w * (ups.no_load + ups.linear * x + ups.quadratic * x * x)


def efficiency(ups: Ups, load_w: Array) -> Array:
    """Return output over input.

    >>> round(efficiency(Ups(1e6, 0.010, 0.012, 0.020), 0.5e6), 4)
    0.9597
    """
    return load_w / (load_w + ups_loss_w(ups, load_w))
