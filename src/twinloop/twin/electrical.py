"""The hall's power chain: UPS and switchgear before the IT, a transformer before everything; losses are loads."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array
from twinloop.model.site import Redundancy
from twinloop.power.distribution import Transformer, switchgear_loss_w, transformer_loss_w
from twinloop.power.ups import Ups, ups_loss_w
from twinloop.twin.design import PlantConstants
from twinloop.twin.unit_counts import Units, units

MODULE_W = {"transformer": 2.5e6, "ups": 1e6, "generator": 2e6}
"""Common sizes of one machine; they only round counts. Low confidence."""
SMALLEST_W = {"transformer": 50e3, "ups": 10e3, "generator": 20e3}
"""Smallest machines that a load is divided into for a spare; from memory, low confidence."""


@dataclass(frozen=True)
class Electrics:
    """Ratings of the chain: what the load needs, and all that is installed, on which losses depend."""

    ups: Ups
    """All modules together, spares too."""
    ups_w: float
    """Without a spare of N+1; of a 2N pair both."""
    transformer: Transformer
    """All together, spares too."""
    transformer_w: float
    """Spares apart, as for generators."""
    generator_w: float
    units: dict[str, Units]
    """By the names of ``MODULE_W``."""

    @property
    def needed_w(self) -> dict[str, float]:
        """Rating that may be loaded, spares and the other half of a 2N pair apart, by the names of ``MODULE_W``."""
        ups_w = self.ups.rating_w / self.units["ups"].installed
        return {"transformer": self.transformer_w, "ups": ups_w, "generator": self.generator_w}

    @property
    def installed_w(self) -> dict[str, float]:
        """Rating of all machines, by the names of ``MODULE_W``."""
        return {kind: rated_w * self.units[kind].installed for kind, rated_w in self.needed_w.items()}


@dataclass(frozen=True)
class ElectricState:
    """Losses by hour, W, shape (hours,)."""

    ups_loss_w: Array
    distribution_loss_w: Array
    """Switchgear in the hall plus transformer outdoors."""
    outdoor_loss_w: Array
    """The transformer's share: it stands outdoors."""


def size_electrics(it_w: float, redundancy: Redundancy, k: PlantConstants) -> Electrics:
    """Return the chain for ``it_w`` at full load. 2N: two UPS, each of which can carry it alone.

    Spares of UPS and transformers are in circuit and share the load, so that each is loaded less.
    """
    paired = redundancy == "2N"
    ups_w = it_w / (k.ups_design_load if paired else k.ups_full_load)
    transformer_w, generator_w = it_w * k.transformer_per_it, it_w * k.generator_per_it
    needed_w = {"transformer": transformer_w, "ups": 0.5 * ups_w if paired else ups_w, "generator": generator_w}
    counts = {kind: units(rated_w, MODULE_W[kind], redundancy, SMALLEST_W[kind]) for kind, rated_w in needed_w.items()}
    return Electrics(
        Ups(needed_w["ups"] * counts["ups"].installed), ups_w,
        Transformer(transformer_w * counts["transformer"].installed), transformer_w, generator_w, counts,
    )  # fmt: skip


def room_loss_w(electrics: Electrics, it_w: Array) -> Array:
    """Return the heat that power conversion leaves in the hall: UPS and switchgear."""
    return ups_loss_w(electrics.ups, it_w) + switchgear_loss_w(it_w)


def electric_state(electrics: Electrics, it_w: Array, mechanical_w: Array) -> ElectricState:
    """Return the losses when the IT takes ``it_w`` behind the UPS and the plant ``mechanical_w`` beside it."""
    ups_w = ups_loss_w(electrics.ups, it_w)
    gear_w = switchgear_loss_w(it_w)
    outdoor_w = transformer_loss_w(electrics.transformer, it_w + ups_w + gear_w + mechanical_w)
    return ElectricState(ups_w, gear_w + outdoor_w, outdoor_w)
