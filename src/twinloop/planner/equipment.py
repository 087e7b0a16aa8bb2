"""The equipment schedule of a sized plant: units, spares, rated points, prices."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from twinloop.catalogue import cooling_kit
from twinloop.catalogue.nouns import CoolingKit
from twinloop.economics.capital import CapitalItem
from twinloop.model.plan import Equipment, RackType
from twinloop.model.site import ExistingPlant, OnPremise, Redundancy
from twinloop.twin.design import PlantConstants
from twinloop.twin.free_coolers import TowerSet
from twinloop.twin.sizing import Plant

YEAR_S = 8760 * 3600.0

UNIT_W = {
    "crah": 150e3, "cdu": 1000e3, "rear_door": 50e3, "dry_cooler": 500e3, "adiabatic_cooler": 800e3,
    "tower": 1500e3, "air_cooled_chiller": 1000e3, "water_cooled_chiller": 1500e3, "immersion": 100e3,
}  # fmt: skip
"""Common unit sizes by heat: catalogues of the trade, low confidence; they only round counts."""


PRICED_ELSEWHERE = ("cdu",)
"""Distribution units are inside the price of cold plates and tanks (whole secondary side per watt)."""


@dataclass(frozen=True)
class Units:
    """How many units run at design and how many stand by."""

    running: int
    spare: int


def units(rated_w: float, unit_w: float, redundancy: Redundancy) -> Units:
    """Return unit counts: at least two where one spare is asked, so that a spare stays a fraction.

    >>> units(900e3, 500e3, "N+1")
    Units(running=2, spare=1)
    """
    running = max(math.ceil(rated_w / unit_w - 1e-9), 1)
    return Units(running, {"N": 0, "N+1": 1, "2N": running}[redundancy])


IN_RACKS = {"rear_door": "rear_door_passive", "bath": "immersion_1p"}
"""Carrier -> equipment of which every rack that has it needs one."""


def rack_units(racks: tuple[RackType, ...]) -> dict[str, int]:
    """Return how many rear doors and baths ``racks`` need: one for each rack that uses one."""
    return {
        kit: sum(rack.count for rack in racks if carrier in rack.carriers.values())
        for carrier, kit in IN_RACKS.items()
    }  # fmt: skip


def schedule(
    plant: Plant, site: OnPremise, k: PlantConstants, in_racks: dict[str, int] | None = None
) -> tuple[Equipment, ...]:
    """Return the equipment of ``plant``, cooling first, then the power chain.

    ``in_racks``: how many doors and baths the racks need; without it they are counted by common unit size.
    """
    dry_c = site.weather.design.dry_bulb_c
    lines = (
        _pipework(plant, k),
        *_hall_lines(plant, site.redundancy, k),
        *_warm_lines(plant, site.redundancy, dry_c, k),
        *_cold_lines(plant, site, k),
        *_power_lines(plant),
    )
    needed = {kit: number for kit, number in (in_racks or {}).items() if number}
    return tuple(replace(line, count=needed.get(line.type, line.count)) for line in lines)


def _hall_lines(plant: Plant, redundancy: Redundancy, k: PlantConstants) -> list[Equipment]:
    """Rear doors and air handlers."""
    supply_c = plant.design.cold_supply_c
    return_c, busy, lines = supply_c + k.chilled_water_rise_k, "all racks busy", []
    if plant.door is not None:
        flow = plant.door.water_design_kg_s
        lines.append(
            _line("RD", "rear_door", "rear_door_passive", plant.door_heat_w, "N", 0.0, flow, 35e3, supply_c, return_c,
                  busy, 0.0, k)
        )  # fmt: skip
    handler = plant.handler
    lines.append(
        _line("AH", "crah", "crah", plant.handler_heat_w, redundancy, handler.fan_design_w, handler.water_design_kg_s,
              50e3, supply_c, return_c, busy, k.sizing_margin, k)
    )  # fmt: skip
    return lines


def _cold_lines(plant: Plant, site: OnPremise, k: PlantConstants) -> list[Equipment]:
    """Chillers, their towers, and the outdoor coil before them."""
    cold, design, outdoor = plant.cold, plant.design, site.weather.design
    supply_c, margin = design.cold_supply_c, k.sizing_margin
    return_c = supply_c + cold.heat_w / (cold.flow_kg_s * k.water_heat_capacity_j_kg_k)
    cop = k.chiller_cop_air if design.cold_plant == "air_cooled_chiller" else k.chiller_cop_water
    words = f"{outdoor.dry_bulb_c:.1f} °C dry bulb"
    lines = [
        _line("CH", design.cold_plant, design.cold_plant, cold.heat_w * (1.0 + margin), site.redundancy,
              cold.heat_w / cop, cold.flow_kg_s, 50e3, return_c, supply_c, words, margin, k)
    ]  # fmt: skip
    if cold.tower is not None:
        heat_w = cold.heat_w * (1.0 + margin) * (1.0 + 1.0 / cop)
        lines.append(
            _line("CT", "tower", "tower", heat_w, site.redundancy, cold.tower.fan_design_w, cold.condenser_kg_s, 40e3,
                  None, None, f"{outdoor.wet_bulb_c:.1f} °C wet bulb", margin, k)
        )  # fmt: skip
    if cold.free_coil is not None:
        words = f"{supply_c - k.dry_cooler_approach_k:.0f} °C outside"
        lines.append(
            _line("FC", "dry_cooler", "dry_cooler", cold.heat_w, "N", cold.free_coil.fan_design_w, cold.flow_kg_s, 40e3,
                  None, supply_c, words, 0.0, k)
        )  # fmt: skip
    return lines


def _pipework(plant: Plant, k: PlantConstants) -> Equipment:
    """Pumps, pipes and valves of both loops, priced on the heat they carry."""
    heat_w = plant.cold.heat_w + (plant.warm.heat_w if plant.warm else 0.0)
    power_w = plant.cold.pump_w + plant.cold.condenser_pump_w + (plant.warm.pump_w if plant.warm else 0.0)
    flow = plant.cold.flow_kg_s + (plant.warm.flow_kg_s if plant.warm else 0.0)
    return _line("PP", "pipework", "pipework", heat_w, "N", power_w, flow, k.facility_pump_pa, None, None,
                 "both loops at design flow", 0.0, k)  # fmt: skip


def _warm_lines(plant: Plant, redundancy: Redundancy, dry_c: float, k: PlantConstants) -> list[Equipment]:
    warm, design = plant.warm, plant.design
    if warm is None:
        return []
    supply, rise = design.warm_supply_c, k.coolant_rise_k
    lines = []
    if design.immersed:
        lines.append(
            _line("IT", "immersion", "immersion_1p", plant.warm_heat_w, "N", 0.0, warm.cdu.secondary_design_kg_s,
                  None, supply + k.cdu_approach_k, supply + k.cdu_approach_k + rise, "all racks busy", 0.0, k)
        )  # fmt: skip
    else:
        lines.append(
            _line("CP", "cold_plate", "cold_plate", plant.warm_heat_w, "N", 0.0, warm.cdu.secondary_design_kg_s,
                  k.cdu_pump_pa, supply + k.cdu_approach_k, supply + k.cdu_approach_k + rise, "all racks busy", 0.0, k)
        )  # fmt: skip
    lines.append(
        _line("CDU", "cdu", "cdu", warm.heat_w, redundancy, warm.cdu.pump_design_w, warm.flow_kg_s, k.cdu_pump_pa,
              supply + rise, supply, f"{k.cdu_approach_k:g} K approach, price in plates or tanks", 0.0, k)
    )  # fmt: skip
    if warm.reuse is not None and warm.reuse.source_w > 0.0:
        lift_w = warm.reuse.pump.heating_w - warm.reuse.source_w
        lines.append(
            _line("HP", "heat_pump", "heat_pump", warm.reuse.source_w, "N", lift_w, warm.flow_kg_s, None, supply + rise,
                  supply, f"{warm.reuse.temperature_c:g} °C to the buyer", 0.0, k)
        )  # fmt: skip
    kind = design.warm_cooler
    cooler = warm.cooler
    fan_w = cooler.tower.fan_design_w if isinstance(cooler, TowerSet) else (cooler.fan_design_w if cooler else 0.0)
    lines.append(
        _line("DC" if kind != "tower" else "WT", kind, kind, warm.heat_w - warm.trim_w, redundancy, fan_w,
              warm.flow_kg_s, k.facility_pump_pa, supply + rise, supply, f"{dry_c:.1f} °C dry bulb", k.sizing_margin, k)
    )  # fmt: skip
    return lines


def _line(
    tag: str, kind: str, kit: str, rated_w: float, redundancy: Redundancy, power_w: float, flow_kg_s: float,
    dp_pa: float | None, in_c: float | None, out_c: float | None, condition: str, margin: float, k: PlantConstants,
) -> Equipment:  # fmt: skip
    rated_w = max(rated_w, 1.0)
    count = units(rated_w, UNIT_W.get(kind, 1e12), redundancy)
    whole = (count.running + count.spare) / count.running
    return Equipment(
        tag=tag, type=kit, count=count.running, spare=count.spare, rated_w=rated_w,
        flow_m3_h=flow_kg_s / k.water_density_kg_m3 * 3600.0, dp_kpa=None if dp_pa is None else dp_pa / 1e3,
        t_in_c=in_c, t_out_c=out_c, power_w=power_w, design_condition=condition, margin=margin,
        capex_usd=None if kit in PRICED_ELSEWHERE else cooling_kit(kit).capex_usd_per_w * rated_w * whole,
    )  # fmt: skip


def _power_lines(plant: Plant) -> list[Equipment]:
    """List the power chain; its price is inside the building's USD per watt, so it has none of its own."""
    electrics = plant.electrics
    rows = (("TR", "transformer", electrics.transformer_w), ("UPS", "ups", electrics.ups_w))
    return [
        Equipment(tag, kind, 1, 0, rated, None, None, None, None, 0.0, "in the building's price", 0.0, None)
        for tag, kind, rated in rows
    ]


@dataclass(frozen=True)
class Standing:
    """A schedule less what stands: lines that cost only what is new, and the yearly upkeep of the rest."""

    lines: tuple[Equipment, ...]
    upkeep_usd_per_year: float


def less_standing(lines: tuple[Equipment, ...], plant: ExistingPlant | None) -> Standing:
    """Take what stands off the purchase: capacity of a kind, spares included, is not bought again.

    >>> less_standing((), None)
    Standing(lines=(), upkeep_usd_per_year=0.0)
    """
    if plant is None:
        return Standing(lines, 0.0)
    left_w = {unit.type: sum(u.count * u.rated_w for u in plant.units if u.type == unit.type) for unit in plant.units}
    found, upkeep = [], 0.0
    for line in lines:
        need_w = line.rated_w * (line.count + line.spare) / line.count
        used_w = min(left_w.get(line.type, 0.0), need_w)
        left_w[line.type] = left_w.get(line.type, 0.0) - used_w
        free_usd = (line.capex_usd or 0.0) * used_w / need_w
        if free_usd > 0.0:
            upkeep += free_usd * cooling_kit(line.type).maintenance_per_year
        condition = f"{line.design_condition}; {used_w / need_w:.0%} stands" if used_w > 0.0 else line.design_condition
        new_usd = None if line.capex_usd is None else line.capex_usd - free_usd
        found.append(replace(line, capex_usd=new_usd, design_condition=condition))
    return Standing(tuple(found), upkeep)


def standing_it_w(plant: ExistingPlant | None) -> float:
    """Return the IT power for which shell and power chain stand: what the standing UPS carries."""
    return 0.0 if plant is None else plant.standing_w("ups")


def capital_items(lines: tuple[Equipment, ...]) -> tuple[CapitalItem, ...]:
    """Return the purchases behind the schedule, each with its kit's life and maintenance."""
    return tuple(_item(line.capex_usd, cooling_kit(line.type)) for line in lines if line.capex_usd)


def _item(amount_usd: float, kit: CoolingKit) -> CapitalItem:
    return CapitalItem(kit.name, amount_usd, kit.life_years * YEAR_S, kit.maintenance_per_year)


def cooling_words(carriers: Iterable[str]) -> str:
    """Return a hall's cooling in words, from the carriers that its racks' components really have.

    >>> cooling_words(["air", "cold_plate", "air"])
    'cold plates + air'
    """
    names = {"bath": "single-phase immersion", "cold_plate": "cold plates", "rear_door": "rear doors", "air": "air"}
    found = set(carriers)
    return " + ".join(words for name, words in names.items() if name in found)
