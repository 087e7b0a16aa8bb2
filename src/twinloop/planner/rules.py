"""The rules of thumb of the field, read against a finished plan.

They do not decide anything, the junction margin apart (see :mod:`twinloop.planner.wishes`): the
twin's physics did. A plan that breaks a rule, or comes near to one, says so in its ``warnings``, with
the rule's source, so that an engineer knows where to look first. Halls only: cloud regions and edge
places are the provider's.

Read from :class:`PlannedCooling`'s ``setpoints``, where present: ``air_supply_c``,
``cold_supply_c`` and ``dew_point_c`` (of the hall).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from twinloop.catalogue import cooling_kit
from twinloop.cooling.heat_pumps import HeatPump, heat_pump
from twinloop.model.model import Model
from twinloop.model.plan import PlannedCooling, PlannedSite, RackType, RuleBreach
from twinloop.model.site import OnPremise
from twinloop.planner.designs import AIR_LIMIT_C, LIQUID_LIMIT_C, intake_limit_c
from twinloop.planner.dew import MARGIN_K, doors_supply_c, hall_dew_point_c
from twinloop.planner.racks import AIR_RACK_W, BATH_RACK_W, PLATE_RACK_W, door_rack_w
from twinloop.twin.air_class import RECOMMENDED_AIR_C

PLATE_SHIPPING_W = 132e3
"""Densest direct-to-chip rack that ships widely: Vertiv/NVIDIA GB200 NVL72 reference design, 2024."""
AIR_DEVICE_W = 1000.0
"""Plates are the default above this power of one device; vendor guides, 2025. Medium confidence."""
DRY_APPROACH_K = 7.0
"""Leaving water of a dry cooler above entering air at design, practice 6-8 K."""
PAD_EFFECTIVENESS = 0.7
"""Share of the wet-bulb depression that wetted pads take off; EnergyPlus direct evaporative example."""
TOWER_APPROACH_K = 4.0
"""Leaving water of an open tower above wet bulb at design, practice 3-4 K."""
EXCHANGER_APPROACH_K = 2.0
"""Plate exchanger between tower and facility water, practice 1.5-3 K."""
DISTRIBUTION_APPROACH_K = 4.0
"""Coolant above facility water in a coolant distribution unit, practice 3-6 K."""
CONTINUOUS_COOLING_W = 4e3
"""Rack power above which Uptime Institute advises continuous cooling."""
JUNCTION_MARGIN_K = 5.0
"""Room for sensor error, and for thermal paste whose resistance doubles in 2-3 years (0.02 K/W of a
part of 250 W and above). Low confidence."""
SUPPLY_DRIFT_K = 0.5
"""A supply this near its setpoint is held: the resolution of plant sensors."""
SHELF_BATTERY_S = 240.0
"""A new battery shelf at full load: Open Rack V3 (Delta and Advanced Energy at the OCP summit, 2023)."""
WATER_NEAR = 0.9
"""Share of the water supply from which a dry summer breaks it. Low confidence."""
LOOP_RISE_K = 10.0
"""Return of a warm loop above its supply: 1.2-1.5 L/min per kW."""

_ASHRAE = "ASHRAE TC 9.9, Thermal Guidelines for Data Processing Environments, 5th edition (2021)"
_WARM_PATHS = frozenset({"cold_plate", "bath"})


@dataclass(frozen=True)
class _Hall:
    planned: PlannedSite
    cooling: PlannedCooling
    site: OnPremise
    model: Model

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(self.cooling.components.values())

    @property
    def warm(self) -> bool:
        return bool(self.paths & _WARM_PATHS)

    def has(self, machine: str) -> bool:
        """Whether the hall has ``machine``, by its words in rejection and equipment."""
        words = (self.cooling.heat_rejection, *(line.type for line in self.planned.equipment))
        return any(machine in _plain(word) for word in words)

    @property
    def warm_machine(self) -> str:
        """The words of the heat rejection that speak of the warm loop; all, where none does."""
        words = _plain(self.cooling.heat_rejection)
        return next((part for part in words.split(",") if "warm loop" in part), words)

    def breach(self, rule: str, message: str, source: str) -> RuleBreach:
        return RuleBreach(rule, f"{self.planned.name}: {message}", source)


def rules(sites: tuple[PlannedSite, ...], model: Model) -> tuple[RuleBreach, ...]:
    """Return every rule that a hall of ``sites`` breaks or comes near to, hall by hall.

    A figure that the plan does not carry (``None``) breaks no rule, except that fault cases which
    were never looked at are named. Sites that are not halls of ``model`` are passed over.
    """
    halls = {site.name: site for site in model.on_premise}
    found: list[RuleBreach] = []
    for planned in sites:
        if planned.name in halls and planned.cooling is not None:
            hall = _Hall(planned, planned.cooling, halls[planned.name], model)
            found += [breach for rule in _RULES for breach in rule(hall)]
    return tuple(found)


def _plain(words: str) -> str:
    return words.lower().replace("_", " ").replace("-", " ")


def _kw(power_w: float) -> str:
    return f"{power_w / 1e3:.0f} kW"


def _rack_density(hall: _Hall) -> Iterator[RuleBreach]:
    for rack in hall.planned.rack_types:
        air_w, warm_w = _carried_w(rack, hall.cooling)
        if "rear_door" in hall.paths:
            yield from _too_dense(hall, rack, air_w, door_rack_w(), "through a rear door", _DOOR_SOURCE)
        else:
            yield from _too_dense(hall, rack, air_w, AIR_RACK_W, "into contained aisles", _AIR_SOURCE)
        if "bath" in hall.paths:
            yield from _too_dense(hall, rack, warm_w, BATH_RACK_W, "into a single-phase bath", _BATH_SOURCE)
        elif "cold_plate" in hall.paths and warm_w > PLATE_RACK_W:
            yield from _too_dense(hall, rack, warm_w, PLATE_RACK_W, "onto cold plates", _PLATE_SOURCE)
        elif "cold_plate" in hall.paths:
            yield from _too_dense(hall, rack, warm_w, PLATE_SHIPPING_W, "onto cold plates", _SHIPPING_SOURCE)


_AIR_SOURCE = "vendor guides 15-40 kW a rack with containment, 20 kW as in cooling-pue-ladder 1.0.0 (2026)"
_DOOR_SOURCE = (
    "doors without fans 14-35 kW, HPE Motivair QuickSpecs (2026); with fans 35-75 kW, which plans hold none of"
)
_BATH_SOURCE = "100 kW a tank, 50-200 (from memory, low confidence); two-phase tanks are rated to 252 kW"
_PLATE_SOURCE = "public code on the Vera Rubin NVL72 rack, 227 kW: the densest published direct-to-chip rack"
_SHIPPING_SOURCE = "Vertiv/NVIDIA GB200 NVL72 reference design (2024): 132 kW; beyond it only announced racks"


def _carried_w(rack: RackType, cooling: PlannedCooling) -> tuple[float, float]:
    """Return the rack's heat into air (fans and what no path names included) and into liquid, watt."""
    paths = _paths(rack, cooling)
    warm_w = sum(heat_w for name, heat_w in rack.component_w.items() if paths.get(name) in _WARM_PATHS)
    if "bath" in paths.values() and not {"air", "rear_door"} & set(paths.values()):
        return 0.0, rack.power_w
    return max(0.0, rack.power_w - warm_w), warm_w


def _too_dense(
    hall: _Hall, rack: RackType, heat_w: float, limit_w: float, where: str, source: str
) -> Iterator[RuleBreach]:
    if heat_w > limit_w:
        message = f"racks {rack.name} give {_kw(heat_w)} each {where}; practice ends at {_kw(limit_w)}"
        yield hall.breach("rack density", message, source)


def _paths(rack: RackType, cooling: PlannedCooling) -> dict[str, str]:
    """Return the carriers that the rack's own servers have: those sold without plates stay on air."""
    return rack.carriers or cooling.components


def _servers(rack: RackType) -> tuple[str, ...]:
    return tuple(share.server for share in rack.contents) or (rack.server,)


def _device_carrier(hall: _Hall) -> Iterator[RuleBreach]:
    servers = {server.name: server.device for server in hall.model.servers}
    devices = {device.name: device for device in hall.model.devices}
    racks = {(servers.get(server), _paths(rack, hall.cooling).get("accelerator", "air")) for rack in
             hall.planned.rack_types for server in _servers(rack)}  # fmt: skip
    for name, path in sorted((str(name), path) for name, path in racks if name in devices):
        device = devices[name]
        if device.cooling and path not in device.cooling:
            sold = ", ".join(device.cooling)
            message = f"{device.name} is cooled by {path}, it is sold for {sold}"
            yield hall.breach("device cooling", message, "catalogue of devices: cooling a part is sold for")
        elif path in ("air", "rear_door") and device.power_limit_w > AIR_DEVICE_W:
            message = f"{device.name} gives {device.power_limit_w:.0f} W into air; above 1 kW plates are usual"
            yield hall.breach("device cooling", message, "vendor guides (2025): direct-to-chip above 1 000 W")


def _without_chiller(hall: _Hall) -> Iterator[RuleBreach]:
    """Design air, plus the approaches, must reach the warm supply where no chiller can help."""
    day, machine = hall.planned.design_day, hall.warm_machine
    if day is None or not hall.warm or hall.has("chiller"):
        return
    if "adiabatic" in machine:
        pads_c = day.dry_bulb_c - PAD_EFFECTIVENESS * (day.dry_bulb_c - day.wet_bulb_c)
        reach_c, how = pads_c + DRY_APPROACH_K, f"pads and an approach of {DRY_APPROACH_K:.0f} K"
    elif "tower" in machine:
        approach_k = TOWER_APPROACH_K + EXCHANGER_APPROACH_K
        reach_c, how = day.wet_bulb_c + approach_k, f"a tower and its exchanger, {approach_k:.0f} K,"
    elif "dry cooler" in machine:
        reach_c, how = day.dry_bulb_c + DRY_APPROACH_K, f"an approach of {DRY_APPROACH_K:.0f} K"
    else:
        return
    if reach_c > hall.cooling.supply_c:
        message = (
            f"without a chiller, {day.dry_bulb_c:.1f} °C dry and {day.wet_bulb_c:.1f} °C wet bulb with {how} "
            f"give {reach_c:.1f} °C water, above the supply of {hall.cooling.supply_c:.1f} °C"
        )
        yield hall.breach("chiller-less", message, _CHILLERLESS_SOURCE)


_CHILLERLESS_SOURCE = "approaches of practice: dry cooler 6-8 K, tower 3-4 K, plate exchanger 1.5-3 K"


def _supply_held(hall: _Hall) -> Iterator[RuleBreach]:
    """The plant, trim and all, holds its supply on the design day."""
    day = hall.planned.design_day
    if day is not None and day.supply_c > hall.cooling.supply_c + SUPPLY_DRIFT_K:
        message = f"{day.supply_c:.1f} °C supply on the design day, setpoint {hall.cooling.supply_c:.1f} °C"
        yield hall.breach("design day", message, "plant is sized to hold its setpoint at its design condition")


def _condensation(hall: _Hall) -> Iterator[RuleBreach]:
    """Doors and plates have no drip tray: their water stays above the hall's dew point."""
    dew_c = hall.cooling.setpoints.get("dew_point_c", hall_dew_point_c(hall.site))
    doors_c = doors_supply_c(hall.planned)
    surfaces = [("rear doors", doors_c)] if doors_c is not None else []
    if hall.warm:
        surfaces.append(("coolant", hall.cooling.supply_c + DISTRIBUTION_APPROACH_K))
    for surface, supply_c in surfaces:
        if supply_c < dew_c + MARGIN_K:
            far = abs(supply_c - dew_c)
            where = f"{far:.1f} K {'above' if supply_c >= dew_c else 'below'}" if far >= 0.05 else "at"
            message = (
                f"{surface} at {supply_c:.1f} °C lie {where} a dew point of {dew_c:.1f} °C, not "
                f"{MARGIN_K:.0f} K above it: keep the hall drier or the water warmer"
            )
            yield hall.breach("condensation", message, "supply >= room dew point + 2-3 K (practice, low confidence)")


def _ride_through(hall: _Hall) -> Iterator[RuleBreach]:
    dense = [rack.name for rack in hall.planned.rack_types if rack.power_w > CONTINUOUS_COOLING_W]
    source = "Uptime Institute: continuous cooling above 4 kW a rack"
    if dense and not hall.planned.failure_cases:
        yield hall.breach("ride-through", f"no fault case was looked at for racks {', '.join(dense)}", source)
    for case in hall.planned.failure_cases:
        wanted_s, time_s = hall.site.ride_through_s, case.time_to_throttle_s
        if time_s is not None and time_s < wanted_s:
            message = (
                f"{case.case}: may throttle after {time_s:.0f} s, {wanted_s:.0f} s of ride-through are wanted; counted "
                "with all stages busy and no more than the fluids store: metal and pumps that run down add to it "
                "(simulate the fault with --window 'design day')"
            )
            yield hall.breach("ride-through", message, source)


def _water(hall: _Hall) -> Iterator[RuleBreach]:
    limit_m3, used_m3 = hall.site.water.supply_m3_per_year, hall.planned.totals.water_m3_per_year
    if limit_m3 is None or used_m3 <= WATER_NEAR * limit_m3:
        return
    state = "more than" if used_m3 > limit_m3 else "close to"
    message = (
        f"{used_m3:.0f} m3 of water a year, {state} the supply of {limit_m3:.0f} m3: dry cooling, or wet "
        "only above a dry-bulb limit"
    )
    yield hall.breach("water scarcity", message, _WATER_SOURCE)


_WATER_SOURCE = "NREL ESIF: wet only when needed halved the water at equal PUE (1.16 Mgal in the first year)"


def _air_class(hall: _Hall) -> Iterator[RuleBreach]:
    supply_c, name = hall.cooling.setpoints.get("air_supply_c"), hall.site.air_class
    if supply_c is None or name not in AIR_LIMIT_C or hall.paths <= {"bath"}:
        return
    limit_c = intake_limit_c(hall.site, "allowable")
    low_c, high_c = RECOMMENDED_AIR_C[name]
    if supply_c > limit_c:
        message = f"air at {supply_c:.1f} °C, class {name} allows {limit_c:.1f} °C at this altitude"
        yield hall.breach("air class", message, _ASHRAE)
    elif not low_c <= supply_c <= high_c:
        message = f"air at {supply_c:.1f} °C, outside the recommended {low_c:.0f}-{high_c:.0f} °C of class {name}"
        yield hall.breach("air class", message, _ASHRAE)


def _liquid_class(hall: _Hall) -> Iterator[RuleBreach]:
    name = hall.site.liquid_class
    if not hall.warm or name is None or name not in LIQUID_LIMIT_C:
        return
    if hall.cooling.supply_c > LIQUID_LIMIT_C[name]:
        limit_c = LIQUID_LIMIT_C[name]
        message = f"facility water at {hall.cooling.supply_c:.1f} °C, class {name} ends at {limit_c:.0f} °C"
        yield hall.breach("liquid class", message, f"{_ASHRAE}, S classes 2024")


def _junction_margin(hall: _Hall) -> Iterator[RuleBreach]:
    day = hall.planned.design_day
    source = "5 K for sensor error and ageing paste (thermal-mcp-server 0.3.0: paste doubles in 2-3 years)"
    if day is not None and day.margin_k is not None and day.margin_k < JUNCTION_MARGIN_K:
        message = (
            f"{day.margin_k:.1f} K below the junction limit on the design day, {JUNCTION_MARGIN_K:.0f} K are wanted"
        )
        yield hall.breach("junction margin", message, source)
    for case in hall.planned.failure_cases:
        if case.min_margin_k is not None and case.min_margin_k < 0.0:
            message = f"{case.case} on the design day: {-case.min_margin_k:.1f} K above the junction limit"
            yield hall.breach("junction margin", message, source)


def _heat_sale(hall: _Hall) -> Iterator[RuleBreach]:
    offtake = hall.site.heat_offtake
    if offtake is None or hall.has("heat pump") or hall.planned.totals.heat_sold_mwh_per_year:
        return
    source = "direct heating from 45 °C, networks 60-90 °C by heat pump"
    wanted = f"no heat is sold to the buyer of {offtake.temperature_c:.0f} °C"
    if not hall.warm:
        yield hall.breach("heat reuse", f"{wanted}: the cooling has no warm loop, chilled water is too cold", source)
        return
    return_c = hall.cooling.supply_c + LOOP_RISE_K
    if return_c < offtake.temperature_c:
        cop = float(heat_pump(HeatPump(1.0), 1.0, hall.cooling.supply_c, offtake.temperature_c).cop)
        kit, yearly_mwh = cooling_kit("heat_pump"), 8.76  # of one kilowatt all year
        machine = kit.capex_usd_per_w * 1e3 * (1.0 - 1.0 / cop) * (1.0 / kit.life_years + kit.maintenance_per_year)
        power = sum(hall.site.tariff.energy_usd_per_j) / len(hall.site.tariff.energy_usd_per_j) * 3.6e9 / cop
        message = (
            f"{wanted}: the loop returns about {return_c:.0f} °C, and a heat pump of COP {cop:.1f} costs about "
            f"{power:.0f} USD of electricity and {machine / yearly_mwh:.0f} USD of machine per MWh of heat; "
            f"he pays {offtake.price_usd_per_j * 3.6e9:.0f}"
        )
        yield hall.breach("heat reuse", message, source)


def _power_chain(hall: _Hall) -> Iterator[RuleBreach]:
    if hall.site.power_chain == "dc_800v":
        message = (
            "800 V reaches racks from 2026 on, servers in numbers from 2027: few makers, codes still being written"
        )
        yield hall.breach("power chain", message, "NVIDIA's announcement (2025), trade press (2026)")
    if hall.site.power_chain == "dc_48v" and hall.site.ride_through_s > SHELF_BATTERY_S:
        message = (
            f"ride-through of {hall.site.ride_through_s:.0f} s from batteries in the racks, "
            f"a new shelf holds full load for {SHELF_BATTERY_S:.0f} s"
        )
        yield hall.breach("power chain", message, "Open Rack V3, battery unit")


_RULES: tuple[Callable[[_Hall], Iterator[RuleBreach]], ...] = (
    _rack_density, _device_carrier, _without_chiller, _supply_held, _condensation, _ride_through, _water,
    _air_class, _liquid_class, _junction_margin, _heat_sale, _power_chain,
)  # fmt: skip
