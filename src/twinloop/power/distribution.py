"""Transformers and switchgear."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array


@dataclass(frozen=True)
class Transformer:
    """Rating, no-load and full-load (I²R) loss over the rating: a dry-type unit of 1-3 MVA.

    Regulation (EU) 548/2014 tier 2 allows about 0.1 % no-load and 0.6 % load loss at this size.
    """

    rating_w: float
    no_load: float = 0.001
    full_load: float = 0.006


def transformer_loss_w(transformer: Transformer, load_w: Array) -> Array:
    """Return ``rating (k₀ + k₁ x²)``.

    >>> round(transformer_loss_w(Transformer(1e6), 0.5e6))
    2500
    """
    x = load_w / transformer.rating_w
    return transformer.rating_w * (transformer.no_load + transformer.full_load * x * x)


def switchgear_loss_w(load_w: Array, share: Array) -> Array:
    """Return the loss of switchgear and cables, W: a fixed ``share`` of what passes.

    >>> switchgear_loss_w(1e6, 0.005)
    5000.0
    """
    return share * load_w
