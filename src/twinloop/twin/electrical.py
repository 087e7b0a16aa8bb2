"""The hall's power chain: UPS and switchgear before the IT, a transformer before everything; losses are loads."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array
from twinloop.model.site import Redundancy
from twinloop.power.distribution import Transformer, switchgear_loss_w, transformer_loss_w
from twinloop.power.ups import Ups, ups_loss_w
from twinloop.twin.design import PlantConstants


@dataclass(frozen=True)
class Electrics:
    """Ratings of the chain."""

    ups: Ups
    ups_w: float
    transformer: Transformer
    transformer_w: float
    generator_w: float


@dataclass(frozen=True)
class ElectricState:
    """Losses by hour, W, shape (hours,)."""

    ups_loss_w: Array
    distribution_loss_w: Array
    """Switchgear in the hall plus transformer outdoors."""
    outdoor_loss_w: Array
    """The transformer's share: it stands outdoors."""


def size_electrics(it_w: float, redundancy: Redundancy, k: PlantConstants) -> Electrics:
    """Return the chain for ``it_w`` at full load. 2N: two UPS, each of which can carry it alone."""
    ups_w = it_w / (k.ups_design_load if redundancy == "2N" else k.ups_full_load)
    transformer_w, generator_w = it_w * k.transformer_per_it, it_w * k.generator_per_it
    return Electrics(Ups(ups_w), ups_w, Transformer(transformer_w), transformer_w, generator_w)


def room_loss_w(electrics: Electrics, it_w: Array) -> Array:
    """Return the heat that power conversion leaves in the hall: UPS and switchgear."""
    return ups_loss_w(electrics.ups, it_w) + switchgear_loss_w(it_w)


def electric_state(electrics: Electrics, it_w: Array, mechanical_w: Array) -> ElectricState:
    """Return the losses when the IT takes ``it_w`` behind the UPS and the plant ``mechanical_w`` beside it."""
    ups_w = ups_loss_w(electrics.ups, it_w)
    gear_w = switchgear_loss_w(it_w)
    outdoor_w = transformer_loss_w(electrics.transformer, it_w + ups_w + gear_w + mechanical_w)
    return ElectricState(ups_w, gear_w + outdoor_w, outdoor_w)
