"""A plant that stands already: what the person wrote, and the spares that redundancy makes of it."""

from __future__ import annotations

from twinloop.model.site import Containment, ExistingPlant, StandingUnits
from twinloop.scenario import schema
from twinloop.scenario.provenance import Sources


def existing_plant(spec: schema.DesignSpec, hall: Containment, path: str, sources: Sources) -> ExistingPlant:
    """Return the plant that ``spec`` describes, contained as its ``hall``; spares not named are none, noted."""
    units = []
    for index, unit in enumerate(spec.equipment):
        if unit.spare is None:
            sources.choice(f"{path}.design.equipment.{index}.spare", "0", "every unit runs unless given", "medium")
        units.append(StandingUnits(unit.type, unit.count, unit.spare or 0, unit.rated, unit.power, unit.efficiency))
    return ExistingPlant(
        kit=spec.cooling,
        heat_rejection=spec.heat_rejection or "none",
        cold_plant=spec.cold_plant,
        warm_supply_c=spec.warm_supply,
        cold_supply_c=spec.cold_supply,
        outdoor_air=bool(spec.outdoor_air),
        keep=bool(spec.keep),
        units=tuple(units),
        evaporative=spec.evaporative or "none",
        containment=spec.containment or hall,
        bath=spec.bath or "single_phase",
        cold_store_m3=spec.cold_store or 0.0,
        air_supply_c=spec.air_supply,
    )
