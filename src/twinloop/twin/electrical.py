"""The hall's power chain: UPS or rectifiers before the IT, a transformer before everything; losses are loads."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinloop.arrays import Array
from twinloop.model.site import PowerChain, Redundancy
from twinloop.power.chains import LossCurve, chain
from twinloop.power.distribution import Transformer, switchgear_loss_w, transformer_loss_w
from twinloop.power.ups import Ups, ups_loss_w
from twinloop.twin.design import PlantConstants
from twinloop.twin.unit_counts import Units, units

MODULE_W = {"transformer": 2.5e6, "ups": 1e6, "rectifier": 1e6, "generator": 2e6}
"""Common sizes of one machine; they only round counts. Low confidence."""
SMALLEST_W = {"transformer": 50e3, "ups": 10e3, "rectifier": 10e3, "generator": 20e3}
"""Smallest machines that a load is divided into for a spare; from memory, low confidence."""
SHELF_W = 33e3
"""Six rectifiers of 5.5 kW in a shelf: Open Rack V3, high power (Delta and Advanced Energy at the OCP summit, 2023)."""
SPARE_IN_SHELF = 6.0 / 5.0
"""N+1 inside a rack: of a shelf's six rectifiers one stands by (Advanced Energy data sheet: 15 of 18 kW)."""


@dataclass(frozen=True)
class Electrics:
    """Ratings of the chain: what the load needs, and all that is installed, on which losses depend.

    The slot ``ups`` holds whatever has the battery: a UPS, rectifiers in the building, or shelves in the racks,
    whose loss is the IT's own.
    """

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
    """Transformer, ups, generator; ``rack_converter`` where racks take high-voltage direct current."""
    feeder_share: float
    chain: PowerChain = "ac_double_conversion"

    @property
    def needed_w(self) -> dict[str, float]:
        """Rating that may be loaded, spares and the other half of a 2N pair apart, by the names of ``units``."""
        ups_w = self.ups.rating_w / self.units["ups"].installed
        found = {"transformer": self.transformer_w, "ups": ups_w, "generator": self.generator_w}
        return found | {"rack_converter": ups_w} if "rack_converter" in self.units else found

    @property
    def installed_w(self) -> dict[str, float]:
        """Rating of all machines, by the names of ``units``."""
        return {kind: rated_w * self.units[kind].installed for kind, rated_w in self.needed_w.items()}

    @property
    def carries_pumps(self) -> bool:
        """Whether the battery can carry pumps and fans: one inside the racks cannot."""
        return chain(self.chain).central is not None


@dataclass(frozen=True)
class ElectricState:
    """Losses by hour, W, shape (hours,)."""

    ups_loss_w: Array
    """Of UPS, or rectifiers in the building."""
    distribution_loss_w: Array
    """Switchgear in the hall plus transformer outdoors."""
    outdoor_loss_w: Array
    """The transformer's share: it stands outdoors."""


def size_electrics(
    it_w: float, redundancy: Redundancy, k: PlantConstants, name: PowerChain = "ac_double_conversion"
) -> Electrics:
    """Return the chain called ``name`` for ``it_w`` at full load. 2N: two UPS, each of which can carry it alone.

    Spares of UPS and transformers are in circuit and share the load, so that each is loaded less.
    """
    paired, made = redundancy == "2N", chain(name)
    ups_w = it_w / (k.ups_design_load if paired else k.ups_full_load)
    transformer_w, generator_w = it_w * k.transformer_per_it, it_w * k.generator_per_it
    needed_w = {"transformer": transformer_w, "ups": 0.5 * ups_w if paired else ups_w, "generator": generator_w}
    kinds = {"transformer": "transformer", "ups": made.backup, "generator": "generator"}
    counts = {
        slot: shelves(needed_w[slot], redundancy)
        if kind == "rectifier_shelf"
        else units(needed_w[slot], MODULE_W[kind], redundancy, SMALLEST_W[kind])
        for slot, kind in kinds.items()
    }
    if made.rack is not None and made.central is not None:
        counts["rack_converter"] = shelves(needed_w["ups"], redundancy)
    curve = made.central or LossCurve(0.0, 0.0, 0.0)
    installed_w = needed_w["ups"] * counts["ups"].installed
    return Electrics(
        Ups(installed_w, curve.no_load, curve.linear, curve.quadratic), ups_w,
        Transformer(transformer_w * counts["transformer"].installed), transformer_w, generator_w, counts,
        made.feeder_share, name,
    )  # fmt: skip


def shelves(rated_w: float, redundancy: Redundancy) -> Units:
    """Return how many shelves of converters carry ``rated_w``. N+1: one converter of each shelf stands by.

    >>> shelves(100e3, "N"), shelves(100e3, "2N"), shelves(100e3, "N+1").running
    (Units(running=4, spare=0, premium=1.0), Units(running=4, spare=4, premium=1.0), 4)
    """
    inside = SPARE_IN_SHELF if redundancy == "N+1" else 1.0
    running = max(math.ceil(rated_w * inside / SHELF_W - 1e-9), 1)
    return Units(running, running if redundancy == "2N" else 0, inside)


def rack_rating_w(load_w: float, redundancy: Redundancy, k: PlantConstants) -> float:
    """Return the installed rating of converters in racks for ``load_w`` at full load, spares in circuit.

    >>> [round(rack_rating_w(8e3, each, PlantConstants())) for each in ("N", "N+1", "2N")]
    [10000, 12000, 16000]
    """
    if redundancy == "2N":
        return load_w / k.ups_design_load
    return load_w / k.ups_full_load * (SPARE_IN_SHELF if redundancy == "N+1" else 1.0)


def room_loss_w(electrics: Electrics, it_w: Array) -> Array:
    """Return the heat that power conversion leaves in the hall, racks apart: UPS or rectifiers, and switchgear."""
    return ups_loss_w(electrics.ups, it_w) + switchgear_loss_w(it_w, electrics.feeder_share)


def electric_state(electrics: Electrics, it_w: Array, mechanical_w: Array) -> ElectricState:
    """Return the losses when the IT takes ``it_w`` behind the UPS and the plant ``mechanical_w`` beside it."""
    ups_w = ups_loss_w(electrics.ups, it_w)
    gear_w = switchgear_loss_w(it_w, electrics.feeder_share)
    outdoor_w = transformer_loss_w(electrics.transformer, it_w + ups_w + gear_w + mechanical_w)
    return ElectricState(ups_w, gear_w + outdoor_w, outdoor_w)
