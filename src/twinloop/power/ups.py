"""Uninterruptible power supplies: losses by load."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array


@dataclass(frozen=True)
class Ups:
    """Rating and loss coefficients over the rating: no load, linear, quadratic.

    Defaults: transformerless double conversion, 89 % at 10 %, 94 % at 20 %, 96 % at 50 % and full load;
    typical 94-97 % and 85-90 % at 10 %, vendors' ranges. Coefficients chosen here to pass through: low
    confidence.
    """

    rating_w: float
    no_load: float = 0.010
    linear: float = 0.012
    quadratic: float = 0.020


def eco_mode(rating_w: float) -> Ups:
    """Return the unit in eco mode (load on the line, inverter ready): 98.5-99 % efficient, low confidence.

    >>> round(efficiency(eco_mode(1e6), 0.5e6), 4)
    0.9877
    """
    return Ups(rating_w, 0.003, 0.004, 0.005)


def ups_loss_w(ups: Ups, load_w: Array) -> Array:
    """Return ``rating (k₀ + k₁ x + k₂ x²)``, ``x`` = load over rating, 0-1 (further on by the same curve).

    Form: IEC 62040-3 loss measurements at 25-100 % are well followed by a quadratic.

    >>> ups_loss_w(Ups(1e6), 0.5e6)
    21000.0
    """
    x = load_w / ups.rating_w
    return ups.rating_w * (ups.no_load + ups.linear * x + ups.quadratic * x * x)


def efficiency(ups: Ups, load_w: Array) -> Array:
    """Return output over input.

    >>> round(efficiency(Ups(1e6), 0.5e6), 4)
    0.9597
    """
    return load_w / (load_w + ups_loss_w(ups, load_w))
