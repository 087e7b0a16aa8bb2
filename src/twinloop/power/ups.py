"""Uninterruptible power supplies: losses by load."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array


@dataclass(frozen=True)
class Ups:
    """Rating and loss coefficients over the rating: no load, linear, quadratic.

    Defaults: transformerless double conversion, 93 % at 20 %, 96 % at 50 %, 96 % at full load; typical
    94-97 %, medium confidence from vendors' ranges, coefficients fitted here (low).
    """

    rating_w: float
    no_load: float = 0.010
    linear: float = 0.012
    quadratic: float = 0.020


def eco_mode(rating_w: float) -> Ups:
    """Return the same unit in eco mode: 98.5-99 % efficient, low confidence."""
    return Ups(rating_w, 0.003, 0.004, 0.005)


def ups_loss_w(ups: Ups, load_w: Array) -> Array:
    """Return ``rating (k₀ + k₁ x + k₂ x²)``, ``x`` = load over rating, 0-1.

    >>> ups_loss_w(Ups(1e6), 0.5e6)
    21000.0
    """
    x = load_w / ups.rating_w
    return ups.rating_w * (ups.no_load + ups.linear * x + ups.quadratic * x * x)
