"""Power chains: what stands between the transformer and the boards, and what each part loses at its load."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from twinloop.arrays import Array
from twinloop.catalogue import constant
from twinloop.model.site import PowerChain

Backup = Literal["ups", "rectifier", "rectifier_shelf"]
"""Machines with the battery that carries the racks, by their name in the equipment schedule."""


@dataclass(frozen=True)
class LossCurve:
    """Loss over the rating at load ``x`` over the rating: ``k₀ + k₁ x + k₂ x²``. Rated by output."""

    no_load: Array
    linear: Array
    quadratic: Array


@dataclass(frozen=True)
class Chain:
    """One way from the transformer to the boards; the transformer is the same in all."""

    backup: Backup
    central: LossCurve | None
    """UPS or rectifier in the building; ``None``: the battery is in the rack."""
    feeder_share: float
    """Loss between it, or the main board, and the rack."""
    rack: LossCurve | None
    """From the rack's inlet to its 48 V busbar; ``None``: the servers' own power supplies."""
    board: LossCurve | None
    """From 48 V to the 12 V of all but accelerators."""


_PARTS: dict[PowerChain, tuple[Backup, str | None, str, str | None]] = {
    "ac_double_conversion": ("ups", "ups_double_conversion", "feeders_ac", None),
    "ac_eco_mode": ("ups", "ups_eco_mode", "feeders_ac", None),
    "dc_48v": ("rectifier_shelf", None, "feeders_ac", "shelf_48v"),
    "dc_380v": ("rectifier", "rectifier_380v", "feeders_380v", "rack_380v"),
    "dc_800v": ("rectifier", "rectifier_800v", "feeders_800v", "rack_800v"),
}


@cache
def chain(name: PowerChain) -> Chain:
    """Return the chain called ``name``, its losses by the catalogue's table of converters.

    >>> chain("dc_48v").central is None, chain("ac_eco_mode").rack is None
    (True, True)
    """
    backup, central, feeders, rack = _PARTS[name]
    return Chain(
        backup,
        None if central is None else _curve(central),
        float(constant("converters", feeders, "share").value),
        None if rack is None else _curve(rack),
        None if rack is None else _curve("board_12v"),
    )


def _curve(name: str) -> LossCurve:
    found = (float(constant("converters", name, part).value) for part in ("no_load", "linear", "quadratic"))
    return LossCurve(*found)


def loss_w(curve: LossCurve, rating_w: Array, output_w: Array) -> Array:
    """Return ``rating (k₀ + k₁ x + k₂ x²)``, ``x`` = output over rating (past full load by the same curve).

    Form: switching and control losses are constant, drops of semiconductors go with the current, resistances
    with its square; published curves of converters at 10-100 % follow it.

    >>> shelf = chain("dc_48v").rack
    >>> round(1500.0 / (1500.0 + loss_w(shelf, 3000.0, 1500.0)), 4)
    0.975
    """
    x = output_w / rating_w
    return rating_w * (curve.no_load + curve.linear * x + curve.quadratic * x * x)


@dataclass(frozen=True)
class RackSupply:
    """The converters of racks alike: those to 48 V together, and those to 12 V together; rated by output."""

    rack: LossCurve
    rack_w: Array
    board: LossCurve
    board_w: Array


def supply_loss_w(supply: RackSupply, output_w: Array, at_12v_w: Array) -> Array:
    """Return what the converters of a rack lose when its boards take ``output_w``, of which ``at_12v_w`` at 12 V.

    >>> curve = LossCurve(0.005, 0.0, 0.02)
    >>> round(supply_loss_w(RackSupply(curve, 10e3, curve, 2e3), 8e3, 1e3), 2)
    198.64
    """
    board_w = loss_w(supply.board, supply.board_w, at_12v_w)
    return board_w + loss_w(supply.rack, supply.rack_w, output_w + board_w)
