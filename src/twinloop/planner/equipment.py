"""The equipment schedule of a sized plant: units, spares, rated points, prices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from twinloop.catalogue import cooling_kit
from twinloop.catalogue.nouns import CoolingKit
from twinloop.cooling.chillers import chiller
from twinloop.cooling.storage import capacity_j
from twinloop.economics.capital import CapitalItem
from twinloop.model.plan import Equipment, Machines, RackType
from twinloop.model.site import OnPremise, Redundancy
from twinloop.power.chains import chain
from twinloop.twin.cold_store import tank_of
from twinloop.twin.design import PlantConstants
from twinloop.twin.free_coolers import TowerSet
from twinloop.twin.sizing import Plant, cooler_air_c, pads_hour_c
from twinloop.twin.unit_counts import Units, units

YEAR_S = 8760 * 3600.0

UNIT_W = {
    "crah": 150e3, "cdu": 1000e3, "rear_door": 35e3, "dry_cooler": 500e3, "adiabatic_cooler": 800e3,
    "tower": 1500e3, "thermosyphon": 500e3, "air_cooled_chiller": 1000e3, "water_cooled_chiller": 1500e3,
    "immersion": 100e3,
}  # fmt: skip
"""Common unit sizes by heat: catalogues of the trade, low confidence; they only round counts."""


PRICED_ELSEWHERE = ("cdu",)
"""Distribution units that run are inside the price of cold plates and tanks (whole secondary side per watt); spare
ones are not."""


IN_RACKS = {"rear_door": "rear_door_passive", "bath": "immersion_1p"}
"""Carrier -> equipment of which every rack that has it needs one."""


POWER_TAGS = {
    "transformer": "TR", "ups": "UPS", "rectifier": "RE", "rectifier_shelf": "RS", "generator": "GE",
    "rack_converter": "RC",
}  # fmt: skip
"""Machines of the power chain."""


IN_SHELVES = ("rectifier_shelf", "rack_converter")
"""Those that stand in racks, with a spare inside each shelf."""


def rack_units(racks: tuple[RackType, ...]) -> dict[str, int]:
    """Return how many rear doors and baths ``racks`` need: one for each rack that uses one."""
    return {
        kit: sum(rack.count for rack in racks if carrier in rack.carriers.values())
        for carrier, kit in IN_RACKS.items()
    }  # fmt: skip


def fullest(racks: tuple[RackType, ...], k: PlantConstants) -> dict[str, float]:
    """Return the heat of the door or bath in the fullest rack over the mean of all, by kind of equipment."""
    found = {}
    for carrier, kit in IN_RACKS.items():
        heats = [(rack.count, _carried_w(rack, carrier, k)) for rack in racks if carrier in rack.carriers.values()]
        total_w = sum(count * heat_w for count, heat_w in heats)
        if total_w > 0.0:
            found[kit] = max(heat_w for _, heat_w in heats) * sum(count for count, _ in heats) / total_w
    return found


def _carried_w(rack: RackType, carrier: str, k: PlantConstants) -> float:
    """Return what a bath takes of its parts, or a door of all that plates leave to the rack's air."""
    if carrier == "bath":
        return sum(rack.component_w.get(part, 0.0) for part, path in rack.carriers.items() if path == carrier)
    plated_w = sum(rack.component_w.get(part, 0.0) for part, path in rack.carriers.items() if path == "cold_plate")
    return rack.power_w - k.plate_capture * plated_w


def schedule(
    plant: Plant, site: OnPremise, k: PlantConstants, in_racks: dict[str, int] | None = None,
    peaks: dict[str, float] | None = None,
) -> tuple[Equipment, ...]:  # fmt: skip
    """Return the equipment of ``plant``, cooling first, then the power chain.

    ``in_racks``: how many doors and baths the racks need; without it they are counted by common unit size.
    ``peaks``: what the fullest rack puts into one of them over the mean; all are rated for it.
    """
    lines = (
        _pipework(plant, site.redundancy, k),
        *_hall_lines(plant, site.redundancy, k),
        *_outdoor_air_lines(plant, site, k),
        *_warm_lines(plant, site, k),
        *_cold_lines(plant, site, k),
        *_power_lines(plant),
    )
    needed = {kit: number for kit, number in (in_racks or {}).items() if number}
    return tuple(_in_racks(each, needed.get(each.type), (peaks or {}).get(each.type, 1.0)) for each in lines)


def _in_racks(line: Equipment, number: int | None, peak: float) -> Equipment:
    """Return ``line`` with one unit in each of ``number`` racks, rated for the fullest; too small ones say so."""
    if number is None:
        return line
    kit, duty_w = cooling_kit(line.type), line.rated_w * line.count / (1.0 + line.margin)
    rated_w = max(duty_w / number * peak, kit.smallest_w)
    words = line.design_condition
    if kit.rack_limit_w is not None and rated_w > kit.rack_limit_w * (1.0 + 1e-9):
        words += f"; warning: {rated_w / 1e3:.0f} kW each, more than the {kit.rack_limit_w / 1e3:.0f} kW one carries"
    return replace(
        line, count=number, rated_w=rated_w, design_condition=words, margin=rated_w * number / duty_w - 1.0,
        capex_usd=kit.capex_usd_per_w * rated_w * number,
    )  # fmt: skip


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


def _outdoor_air_lines(plant: Plant, site: OnPremise, k: PlantConstants) -> list[Equipment]:
    """Dampers of outdoor air, pads before them, or a wetted wall; what stands is not bought again."""
    design, standing = plant.design, site.plant
    through = design.air_economiser and not (standing is not None and standing.outdoor_air)
    wetted = design.evaporative if standing is None or standing.evaporative != design.evaporative else "none"
    kits = {
        "economiser": through,
        "direct_evaporative": wetted == "direct",
        "indirect_evaporative": wetted == "indirect",
    }
    tags = {"economiser": "EC", "direct_evaporative": "EP", "indirect_evaporative": "IE"}
    words = "all air of the hall"
    return [
        _line(tags[kit], kit, kit, plant.handler_heat_w, "N", 0.0, 0.0, None, None, design.air_supply_c, words, 0.0, k)
        for kit, there in kits.items()
        if there
    ]


def _cold_lines(plant: Plant, site: OnPremise, k: PlantConstants) -> list[Equipment]:
    """Chillers, their towers, and the outdoor coil before them."""
    cold, design, outdoor = plant.cold, plant.design, site.weather.design
    supply_c, margin = design.cold_supply_c, k.sizing_margin
    return_c = supply_c + cold.heat_w / (cold.flow_kg_s * k.water_heat_capacity_j_kg_k)
    dry = design.cold_plant == "air_cooled_chiller"
    condenser_c = outdoor.dry_bulb_c + k.recirculation_outdoor_k if dry else outdoor.wet_bulb_c + k.tower_approach_k
    power_w = float(chiller(cold.chiller, cold.heat_w, supply_c, condenser_c).power_w)
    words = _drawn_in(outdoor.dry_bulb_c, k) if dry else f"{condenser_c:.1f} °C condenser water"
    lines = [
        _line("CH", design.cold_plant, design.cold_plant, cold.heat_w, site.redundancy,
              power_w, cold.flow_kg_s, 50e3, return_c, supply_c, words, margin, k)
    ]  # fmt: skip
    if cold.tower is not None:
        heat_w = cold.heat_w + power_w
        lines.append(
            _line("CT", "tower", "tower", heat_w, site.redundancy, cold.tower.fan_design_w, cold.condenser_kg_s, 40e3,
                  None, None, f"{outdoor.wet_bulb_c:.1f} °C wet bulb", margin, k)
        )  # fmt: skip
    if design.cold_store_m3 > 0.0:
        tank = tank_of(design.cold_store_m3, cold, k)
        lines.append(
            _line("ST", "thermal_storage", "thermal_storage", capacity_j(tank) / 600.0, "N", 0.0, cold.flow_kg_s, None,
                  return_c, supply_c, f"{design.cold_store_m3:g} m³; rated for ten minutes", 0.0, k)
        )  # fmt: skip
    if cold.free_coil is not None:
        words = f"{supply_c - k.dry_cooler_approach_k:.0f} °C outside"
        lines.append(
            _line("FC", "dry_cooler", "dry_cooler", cold.heat_w, "N", cold.free_coil.fan_design_w, cold.flow_kg_s, 40e3,
                  None, supply_c, words, 0.0, k)
        )  # fmt: skip
    return lines


def _pipework(plant: Plant, redundancy: Redundancy, k: PlantConstants) -> Equipment:
    """Pumps, pipes and valves of both loops, priced on the heat they carry; 2N has two paths of them."""
    paths: Redundancy = "2N" if redundancy == "2N" else "N"
    heat_w = plant.cold.heat_w + (plant.warm.heat_w if plant.warm else 0.0)
    power_w = plant.cold.pump_w + plant.cold.condenser_pump_w + (plant.warm.pump_w if plant.warm else 0.0)
    flow = plant.cold.flow_kg_s + (plant.warm.flow_kg_s if plant.warm else 0.0)
    return _line("PP", "pipework", "pipework", heat_w, paths, power_w, flow, k.facility_pump_pa, None, None,
                 "both loops at design flow", 0.0, k)  # fmt: skip


def _warm_lines(plant: Plant, site: OnPremise, k: PlantConstants) -> list[Equipment]:
    warm, design = plant.warm, plant.design
    if warm is None:
        return []
    supply, rise = design.warm_supply_c, k.coolant_rise_k
    lines = []
    if design.immersed:
        kit = "immersion_2p" if design.boils else "immersion_1p"
        lines.append(
            _line("IT", "immersion", kit, plant.warm_heat_w, "N", 0.0, warm.cdu.secondary_design_kg_s,
                  None, supply + k.cdu_approach_k, supply + k.cdu_approach_k + rise, "all racks busy", 0.0, k)
        )  # fmt: skip
    else:
        lines.append(
            _line("CP", "cold_plate", "cold_plate", plant.warm_heat_w, "N", 0.0, warm.cdu.secondary_design_kg_s,
                  k.cdu_pump_pa, supply + k.cdu_approach_k, supply + k.cdu_approach_k + rise, "all racks busy", 0.0, k)
        )  # fmt: skip
    lines.append(
        _line("CDU", "cdu", "cdu", warm.heat_w, site.redundancy, warm.cdu.pump_design_w, warm.flow_kg_s, k.cdu_pump_pa,
              supply + rise, supply, f"{k.cdu_approach_k:g} K approach, price in plates or tanks, spares here", 0.0, k)
    )  # fmt: skip
    if warm.reuse is not None and warm.reuse.source_w > 0.0:
        lift_w = warm.reuse.pump.heating_w - warm.reuse.source_w
        lines.append(
            _line("HP", "heat_pump", "heat_pump", warm.reuse.source_w, "N", lift_w, warm.flow_kg_s, None, supply + rise,
                  supply, f"{warm.reuse.temperature_c:g} °C to the buyer", 0.0, k)
        )  # fmt: skip
    cooler = warm.cooler
    kind = "tower" if isinstance(cooler, TowerSet) else design.warm_cooler
    if isinstance(cooler, TowerSet) and cooler.syphon is not None:
        lines.append(
            _line("TS", "thermosyphon", "thermosyphon", warm.heat_w, "N", cooler.syphon.fan_design_w, warm.flow_kg_s,
                  k.facility_pump_pa, supply + rise, supply, f"{k.thermosyphon_air_c:g} °C outside", 0.0, k)
        )  # fmt: skip
    fan_w = cooler.tower.fan_design_w if isinstance(cooler, TowerSet) else (cooler.fan_design_w if cooler else 0.0)
    lines.append(
        _line("DC" if kind != "tower" else "WT", kind, kind, warm.heat_w, site.redundancy, fan_w, warm.flow_kg_s,
              k.facility_pump_pa, supply + rise, supply, _cooler_words(plant, site, k), k.sizing_margin,
              k)
    )  # fmt: skip
    return lines


def _drawn_in(dry_c: float, k: PlantConstants) -> str:
    drawn_c = dry_c + k.recirculation_outdoor_k
    return f"{drawn_c:.1f} °C air: {dry_c:.1f} °C dry bulb + {k.recirculation_outdoor_k:g} K recirculation"


def _cooler_words(plant: Plant, site: OnPremise, k: PlantConstants) -> str:
    """Return the outdoor state in which the warm loop's cooler was sized."""
    outdoor, kind, supply_c = site.weather.design, plant.design.warm_cooler, plant.design.warm_supply_c
    if kind in ("tower", "thermosyphon"):
        return f"{outdoor.wet_bulb_c:.1f} °C wet bulb"
    drawn_c, wet_c = outdoor.dry_bulb_c + k.recirculation_outdoor_k, outdoor.coincident_wet_bulb_c
    if kind == "adiabatic_cooler":
        drawn_c, wet_c = pads_hour_c(outdoor, k)
    air_c = cooler_air_c(kind, drawn_c, wet_c, supply_c, k)
    if air_c == supply_c - k.dry_cooler_approach_k:
        return f"{air_c:.1f} °C air, {k.dry_cooler_approach_k:g} K below supply; air drawn in: {drawn_c:.1f} °C"
    if kind == "adiabatic_cooler":
        return f"{air_c:.1f} °C air behind pads: {drawn_c:.1f} °C dry, {wet_c:.1f} °C wet bulb"
    return _drawn_in(outdoor.dry_bulb_c, k)


def _line(
    tag: str, kind: str, kit: str, duty_w: float, redundancy: Redundancy, power_w: float, flow_kg_s: float,
    dp_pa: float | None, in_c: float | None, out_c: float | None, condition: str, margin: float, k: PlantConstants,
) -> Equipment:  # fmt: skip
    needed_w = max(duty_w, 1.0)
    least_w = cooling_kit(kit).smallest_w
    count = units(needed_w * (1.0 + margin), UNIT_W.get(kind, 1e12), redundancy, least_w)
    rated_w = needed_w * (1.0 + margin) / count.running
    if rated_w < least_w:
        rated_w, margin = least_w, least_w * count.running / needed_w - 1.0
    # Of what is priced elsewhere, only the spares are bought here, and what smaller units than usual cost besides.
    bought = (count.running + count.spare) * count.premium - (count.running if kit in PRICED_ELSEWHERE else 0)
    return Equipment(
        tag=tag, type=kit, count=count.running, spare=count.spare, rated_w=rated_w,
        flow_m3_h=flow_kg_s / k.water_density_kg_m3 * 3600.0, dp_kpa=None if dp_pa is None else dp_pa / 1e3,
        t_in_c=in_c, t_out_c=out_c, power_w=power_w, design_condition=condition, margin=margin,
        capex_usd=cooling_kit(kit).capex_usd_per_w * rated_w * bought if bought else None,
    )  # fmt: skip


def _power_lines(plant: Plant) -> list[Equipment]:
    """List the power chain; its price is inside the building's USD per watt, so it has none of its own."""
    needed_w, counts = plant.electrics.needed_w, plant.electrics.units
    kinds = {"transformer": "transformer", "ups": chain(plant.electrics.chain).backup, "generator": "generator",
             "rack_converter": "rack_converter"}  # fmt: skip
    return [
        Equipment(
            POWER_TAGS[kinds[slot]], kinds[slot], count.running, count.spare,
            needed_w[slot] * (count.premium if kinds[slot] in IN_SHELVES else 1.0) / count.running, None, None,
            None, None, 0.0, _power_words(kinds[slot], count), 0.0, None,
        )
        for slot, count in counts.items()
    ]  # fmt: skip


def machines(lines: tuple[Equipment, ...], kind: str) -> Machines | None:
    """Return the machines of ``kind`` among ``lines``; ``None``: there are none."""
    found = (Machines(line.count, line.spare, line.rated_w) for line in lines if line.type == kind)
    return next(found, None)


def _power_words(kind: str, count: Units) -> str:
    """Return where the price of a machine of the power chain is, and the spare inside a shelf."""
    spare = "; one of six in each shelf stands by" if kind in IN_SHELVES and count.premium > 1.0 else ""
    if kind == "rack_converter":
        return f"in the servers' price, for their power supplies{spare}"
    return f"in the building's price, spares added{spare}"


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
