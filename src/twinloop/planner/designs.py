"""The cooling designs that a site may choose from."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import get_args

from twinloop.catalogue.nouns import COMPONENTS, Component
from twinloop.fluids.dielectric import FLUIDS
from twinloop.model.model import Allow
from twinloop.model.site import Containment, Evaporative, Intake, OnPremise
from twinloop.twin.air_class import ALLOWABLE_AIR_C, RECOMMENDED_AIR_C, allowable_intake_c
from twinloop.twin.design import ColdPlant, CoolingPath, FreeCooler, HybridDesign, PlantConstants, aisle_of

KITS: dict[str, dict[Component, CoolingPath]] = {
    "air": dict.fromkeys(COMPONENTS, "air"),
    "rear doors": dict.fromkeys(COMPONENTS, "rear_door"),
    "plates + air": {**dict.fromkeys(COMPONENTS, "air"), "accelerator": "cold_plate", "cpu": "cold_plate"},
    "plates + rear doors": {
        **dict.fromkeys(COMPONENTS, "rear_door"), "accelerator": "cold_plate", "cpu": "cold_plate",
    },
    "all plates": dict.fromkeys(COMPONENTS, "cold_plate"),
    "immersion": dict.fromkeys(COMPONENTS, "bath"),
}  # fmt: skip
"""Kit -> carrier of each component's heat."""

WARM_SUPPLY_C = (25.0, 32.0, 40.0)
"""Facility water of ASHRAE classes up to W27, W32 and W40."""

COLD_SUPPLY_C = (14.0, 20.0)
"""Chilled water; supply air is one coil approach above, 20 °C (dense air, class H1) and 26 °C."""

SUPPLY_STEP_K = 0.5
"""Steps in which a supply between the two is offered: setpoints are not held closer."""

COIL_APPROACH_K = 6.0

BOILS_BELOW_C = 100.0
"""Dielectrics of a two-phase bath boil below this at 1 atm, at chips' temperature; those of others stay liquid."""

WARMER_COLD_SUPPLY_C = (23.0, 26.0)
"""Tried for the cheapest designs in place of theirs, where the hall's class admits the air above it."""

AISLES: dict[Containment, str] = {
    "none": "open aisles", "cold_aisle": "cold aisles contained", "hot_aisle": "hot aisles contained",
    "chimney": "chimneys",
}  # fmt: skip
"""Said of a standing plant that is contained otherwise than its hall."""

AIR_LIMIT_C = {name: high_c for name, (_, high_c) in ALLOWABLE_AIR_C.items()}
"""Highest allowable intake by ASHRAE class, TC 9.9 Thermal Guidelines, 5th edition (2021)."""

INTAKE_SPREAD_K = 1.0
"""Least that is left between supply air and the intake's limit; more where aisles leak more exhaust into intakes."""

LIQUID_LIMIT_C = {
    "W17": 17.0, "W27": 27.0, "W32": 32.0, "W40": 40.0, "W45": 45.0, "W+": 60.0,
    "S30": 26.0, "S35": 31.0, "S40": 36.0, "S45": 41.0, "S50": 46.0,
}  # fmt: skip
"""Highest facility water by class; S classes name the coolant, one distribution-unit approach (4 K) above."""


def candidate_designs(site: OnPremise, allow: Allow) -> tuple[HybridDesign, ...]:
    """Return every design that the site's classes, heat customers and the scenario's ``allow`` admit.

    The design that stands in the hall is among them, and the only one where the scenario keeps it; a heat buyer
    may be connected to either.
    """
    standing = existing_design(site)
    if standing is not None and site.plant is not None and site.plant.keep:
        connected = site.heat_offtake is not None and standing.has_warm_loop
        sold = replace(standing, name=f"{standing.name}, heat sold", heat_reuse=True)
        return (standing, sold) if connected else (standing,)
    designs = [design for kit in KITS for design in _of_kit(kit, site, allow)]
    if standing is not None and all(design.name != standing.name for design in designs):
        designs.insert(0, standing)
    return tuple(design for design in designs if _allowed(design, allow) and _in_class(design, site))


def _of_kit(kit: str, site: OnPremise, allow: Allow) -> list[HybridDesign]:
    """Return the designs of ``kit``; thermosyphons, dear and rare, only where the scenario names them."""
    paths = KITS[kit]
    warm = bool({"cold_plate", "bath"} & set(paths.values()))
    coolers: tuple[FreeCooler, ...] = ("dry_cooler", "adiabatic_cooler", "tower") if warm else ("none",)
    if warm and "thermosyphon" in _named(allow):
        coolers = (*coolers, "thermosyphon")
    plants: tuple[ColdPlant, ...] = ("air_cooled_chiller", "water_cooled_chiller")
    # Beside a warm loop only the warmest chilled water whose air intakes may have: a colder one cools little more.
    tried = {c: _design(site, kit, "none", 32.0, plants[0], c, outside=False) for c in COLD_SUPPLY_C}
    colds = [c for c, design in tried.items() if _air_in_class(design, site)]
    colds = colds[-1:] if warm else colds
    airs: tuple[tuple[bool, Evaporative], ...] = ((False, "none"),)
    if kit == "air":
        airs = (*airs, (True, "none"), (True, "direct"), (False, "indirect"))
    result = []
    sales = (False, True) if warm and site.heat_offtake is not None else (False,)
    for cooler, warm_c, plant, cold_c, (outside, wetted), sale in product(
        coolers, WARM_SUPPLY_C if warm else (32.0,), plants, colds, airs, sales
    ):
        result.append(_design(site, kit, cooler, warm_c, plant, cold_c, outside=outside, evaporative=wetted, sale=sale))
    return result


def _design(
    site: OnPremise,
    kit: str,
    cooler: FreeCooler,
    warm_c: float,
    plant: ColdPlant,
    cold_c: float,
    *,
    outside: bool,
    evaporative: Evaporative = "none",
    sale: bool = False,
) -> HybridDesign:
    paths = KITS[kit]
    warm = bool({"cold_plate", "bath"} & set(paths.values()))
    words = [kit]
    if warm:
        words.append(f"{cooler.replace('_', ' ')} {warm_c:g} °C")
    words.append(f"{plant.replace('_', ' ')} {cold_c:g} °C")
    if outside:
        words.append("outdoor air, wetted" if evaporative == "direct" else "outdoor air")
    if evaporative == "indirect":
        words.append("indirect evaporative")
    if sale:
        words.append("heat sold")
    return HybridDesign(
        name=", ".join(words), paths=paths, warm_cooler=cooler, warm_supply_c=warm_c, trim=warm,
        cold_plant=plant, cold_supply_c=cold_c, air_supply_c=cold_c + COIL_APPROACH_K,
        air_economiser=outside, redundancy=site.redundancy, heat_reuse=sale, evaporative=evaporative,
        containment=site.containment, power_chain=site.power_chain,
    )  # fmt: skip


def warmer_designs(design: HybridDesign, site: OnPremise) -> tuple[HybridDesign, ...]:
    """Return ``design`` with warmer water, and with it air, from its cold plant, within the hall's class.

    Air handlers and doors with warmer water wet less; the warm loop's supply stays the warmer of the two.
    """
    if existing_design(site) == design:
        return ()
    warmer = (
        at_supply(design, cold_c)
        for cold_c in WARMER_COLD_SUPPLY_C
        if design.cold_supply_c < cold_c and (not design.has_warm_loop or cold_c < design.warm_supply_c)
    )
    return tuple(each for each in warmer if _in_class(each, site))


def at_supply(design: HybridDesign, cold_c: float) -> HybridDesign:
    """Return ``design`` with water of ``cold_c`` from its cold plant, and air one coil approach above."""
    stem = design.cold_plant.replace("_", " ")
    return replace(
        design, cold_supply_c=cold_c, air_supply_c=cold_c + COIL_APPROACH_K,
        name=design.name.replace(f"{stem} {design.cold_supply_c:g} °C", f"{stem} {cold_c:g} °C"),
    )  # fmt: skip


def between_supplies(design: HybridDesign) -> tuple[HybridDesign, ...]:
    """Return ``design`` at every supply that may be offered between the two usual ones, where it has the colder."""
    coldest_c, usual_c = COLD_SUPPLY_C
    if design.cold_supply_c != coldest_c or design.air_supply_c != coldest_c + COIL_APPROACH_K:
        return ()
    steps = range(1, round((usual_c - coldest_c) / SUPPLY_STEP_K))
    return tuple(at_supply(design, coldest_c + step * SUPPLY_STEP_K) for step in steps)


def existing_design(site: OnPremise) -> HybridDesign | None:
    """Return the design that stands in the hall, ``None`` where nothing stands."""
    if site.plant is None:
        return None
    standing = site.plant
    cooler = next(each for each in get_args(FreeCooler) if each == standing.heat_rejection)
    plant = next(each for each in get_args(ColdPlant) if each == standing.cold_plant)
    found = _design(
        site, standing.kit, cooler, standing.warm_supply_c or 32.0, plant, standing.cold_supply_c,
        outside=standing.outdoor_air, evaporative=standing.evaporative,
    )  # fmt: skip
    if standing.air_supply_c is not None:
        name = f"{found.name}, air {standing.air_supply_c:g} °C"
        found = replace(found, air_supply_c=standing.air_supply_c, name=name)
    if standing.cold_store_m3 > 0.0:
        name = f"{found.name}, {standing.cold_store_m3:g} m³ of chilled water"
        found = replace(found, cold_store_m3=standing.cold_store_m3, name=name)
    if found.immersed and standing.bath == "two_phase":
        found = replace(found, bath="two_phase", name=f"{found.name}, two-phase")
    if standing.containment == found.containment:
        return found
    return replace(found, containment=standing.containment, name=f"{found.name}, {AISLES[standing.containment]}")


def _allowed(design: HybridDesign, allow: Allow) -> bool:
    """``allow.cooling`` names carriers and outdoor equipment; every carrier used must be among them.

    ``allow.fluids`` names coolants: plates need one that is water or a glycol, baths one that does what they do.
    """
    if not _wetted_by(design, allow.fluids):
        return False
    if not allow.cooling:
        return True
    named = _named(allow)
    carriers = {"air", "rear_door", "cold_plate", "bath"}
    coolers = {"dry_cooler", "adiabatic_cooler", "tower", "thermosyphon", "air_cooled_chiller", "water_cooled_chiller"}
    used = set(design.paths.values())
    machines = {design.cold_plant} | ({design.warm_cooler} if design.has_warm_loop else set())
    carriers_ok = not (named & carriers) or used <= named
    machines_ok = not (named & coolers) or machines <= named
    return carriers_ok and machines_ok


def _wetted_by(design: HybridDesign, fluids: tuple[str, ...]) -> bool:
    """Whether ``fluids`` has a coolant for the design's plates or baths; no fluids: any."""
    if not fluids or not design.has_warm_loop:
        return True
    boils = {row.name: row.boiling_c is not None and row.boiling_c < BOILS_BELOW_C for row in FLUIDS}
    if design.immersed:
        return any(boils.get(name) == design.boils for name in fluids)
    return any(name not in boils for name in fluids)


def _named(allow: Allow) -> frozenset[str]:
    return frozenset(word.replace("-", "_").replace(" ", "_") for word in allow.cooling)


def intake_limit_c(site: OnPremise, intake: Intake) -> float:
    """Return the warmest intake of the range ``intake`` of the hall's class; the allowable one falls with height."""
    if intake == "recommended":
        return RECOMMENDED_AIR_C[site.air_class][1]
    return allowable_intake_c(site)[1]


def within_intake(design: HybridDesign, site: OnPremise, intake: Intake) -> bool:
    """Whether intakes under ``design`` keep to the range ``intake``: supply air, and the exhaust that aisles mix in.

    A share r of the intake that is exhaust, ``rise`` above it, warms it by ``r rise / (1 - r)``.
    """
    k = PlantConstants()
    mixed_in = aisle_of(design, k).recirculation
    warmer_k = max(INTAKE_SPREAD_K, mixed_in * k.server_air_rise_k / (1.0 - mixed_in))
    return design.air_supply_c + warmer_k <= intake_limit_c(site, intake)


def _air_in_class(design: HybridDesign, site: OnPremise) -> bool:
    free = design.immersed or design == existing_design(site)
    return within_intake(design, site, "allowable" if free else site.intake)


def _in_class(design: HybridDesign, site: OnPremise) -> bool:
    """Whether air and water suit the hall's classes; bathed servers have no intake, and what stands may run warmer."""
    air_ok = _air_in_class(design, site)
    limit_c = LIQUID_LIMIT_C.get(site.liquid_class or "W+", 60.0)
    return air_ok and (not design.has_warm_loop or design.warm_supply_c <= limit_c)
