"""A hybrid cooling design as a parameter vector: what carries each component's heat, and to where.

A technology that a design lacks has zero load, so that every mix is one set of parameters of the
same plant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twinloop.catalogue.nouns import Component
from twinloop.cooling.racks import Aisle
from twinloop.cooling.servers import (
    FANLESS_RATIO,
    HYBRID_FAN_RATIO,
    LEAST_FAN_RATIO,
    MOST_FAN_RATIO,
    RAMP_PER_K,
    RAMP_START_C,
    SINK_CONVECTION,
)
from twinloop.model.site import Bath, Containment, Evaporative, PowerChain, Redundancy

CoolingPath = Literal["air", "rear_door", "cold_plate", "bath"]
FreeCooler = Literal["none", "dry_cooler", "adiabatic_cooler", "tower", "thermosyphon"]
"""``thermosyphon``: before a tower, which does the rest."""
ColdPlant = Literal["air_cooled_chiller", "water_cooled_chiller"]


@dataclass(frozen=True)
class HybridDesign:
    """One cooling design of one hall.

    ``paths`` names the carrier of each component's heat. Heat that a plate does not catch, fans and
    everything on ``air`` or ``rear_door`` goes into the rack's air; where any path is ``rear_door``,
    that air passes the door's coil before the room.
    """

    name: str
    paths: dict[Component, CoolingPath]
    warm_cooler: FreeCooler
    """Outdoor cooler of the warm loop (plates and baths)."""
    warm_supply_c: float
    """Facility water to the coolant distribution units."""
    trim: bool
    """Whether the cold loop's chiller may help the warm loop."""
    cold_plant: ColdPlant
    cold_supply_c: float
    """Facility water to air handlers and rear doors."""
    air_supply_c: float
    air_economiser: bool
    """Outdoor air straight into the hall when its temperature and dew point allow."""
    redundancy: Redundancy
    heat_reuse: bool = False
    """Whether the warm loop's return serves the site's heat buyer before it goes outdoors."""
    containment: Containment = "cold_aisle"
    evaporative: Evaporative = "none"
    """``direct``: the economiser's outdoor air passes pads; ``indirect``: it passes behind a wetted wall instead."""
    bath: Bath = "single_phase"
    """``two_phase``: the fluid boils on the chips and condenses on facility water."""

    cold_store_m3: float = 0.0
    """Chilled-water tank; 0: none."""
    power_chain: PowerChain = "ac_double_conversion"
    """The hall's: where conversion loses, and what of it heats the racks."""

    @property
    def has_door(self) -> bool:
        """Whether racks carry a rear-door exchanger."""
        return "rear_door" in self.paths.values()

    @property
    def has_warm_loop(self) -> bool:
        """Whether plates or baths exist."""
        return bool({"cold_plate", "bath"} & set(self.paths.values()))

    @property
    def immersed(self) -> bool:
        """Whether whole servers lie in baths, without fans."""
        return self.paths["accelerator"] == "bath"

    @property
    def handlers_follow_servers(self) -> bool:
        """Whether air handlers move the servers' air: not beside baths, nor where doors hand it back cool."""
        return not (self.immersed or self.has_door)

    @property
    def boils(self) -> bool:
        """Whether those baths are two-phase."""
        return self.immersed and self.bath == "two_phase"


@dataclass(frozen=True)
class PlantConstants:
    """Assumptions of sizing and control that no scenario states, each with its source.

    Change one with ``dataclasses.replace``.
    """

    water_heat_capacity_j_kg_k: float = 4181.0
    """Water at 30 °C, IAPWS-95 (CoolProp)."""
    water_density_kg_m3: float = 995.6
    """Water at 30 °C, IAPWS-95."""
    air_heat_capacity_j_kg_k: float = 1006.0
    """Dry air at 300 K."""
    server_air_rise_k: float = 12.0
    """Design rise through a server; 11 K is a common rule, 10-15 practice. Low confidence."""
    server_fan_floor: float = LEAST_FAN_RATIO
    """Slowest server fans over design speed, 0.2-0.4."""
    hybrid_fan_floor: float = HYBRID_FAN_RATIO
    """The same in servers whose chips are on plates and whose other parts are on air, 0.3-0.67."""
    fanless_floor: float = FANLESS_RATIO
    """The same in servers all of whose parts are on plates."""
    server_fan_most: float = MOST_FAN_RATIO
    server_ramp_start_c: float = RAMP_START_C
    server_ramp_per_k: float = RAMP_PER_K
    sink_convection: float = SINK_CONVECTION
    recirculation: float = 0.05
    """Exhaust in the intake air, contained cold aisle; see :func:`aisle_of` for others. Low confidence."""
    bypass: float = 0.05
    """Handlers' air over the servers' beyond one, contained cold aisle. Low confidence."""
    plate_capture: float = 0.95
    """Heat of a plated component that its plate catches. 85-90 % of a whole drawer is published for
    Summit, whose memory and drives stay on air. Low confidence for the single component."""
    crah_approach_k: float = 6.0
    """Supply air above entering water at design. Practice 4-8 K, low confidence."""
    chilled_water_rise_k: float = 6.0
    """Chilled-water range at design; EnergyPlus example 6.67/12 °C class."""
    crah_static_pa: float = 400.0
    """EnergyPlus two-zone data-centre example: 300-490 Pa."""
    crah_fan_efficiency: float = 0.7
    """Same example."""
    crah_most_rise_k: float = 15.0
    """Most that hall air warms by before air handlers turn faster than the servers' air asks, 12-20. Low confidence."""
    crah_fan_most: float = 1.1
    """Air handlers' fastest speed over design, reached where units are lost. Low confidence."""
    coolant_rise_k: float = 10.0
    """Technology coolant, 1.43 L/min per kW; vendors' rule 1.2-1.5 L/min per kW."""
    cdu_approach_k: float = 4.0
    """Coolant supply above facility supply; 3-6 K from W to S classes, CDUs 2-5 K."""
    cdu_pump_pa: float = 300e3
    """Rack and exchanger: with the efficiency below it gives Frontier's 8.47 kW at 15.1 L/s a CDU."""
    cdu_pump_efficiency: float = 0.54
    """See ``cdu_pump_pa``."""
    facility_pump_pa: float = 180e3
    """EnergyPlus pump default 179 352 Pa."""
    facility_pump_efficiency: float = 0.7
    """Low confidence."""
    pump_static_share: float = 0.0
    """Of a loop's pressure, held at any flow by its setpoint: 0 where control follows the furthest valve, 0.3-0.5
    where it holds a constant difference. Low confidence."""
    minimum_flow_ratio: float = 0.4
    """Variable-speed pumps and plates keep at least this share of design flow. Low confidence."""
    dry_cooler_approach_k: float = 7.0
    """Leaving water above entering air at sizing: 6-8 K by the chiller-less rule of thumb."""
    dry_cooler_static_pa: float = 150.0
    """Coil and casing, with the efficiency below about 20 W of fan per kW of heat. Low confidence."""
    dry_cooler_fan_efficiency: float = 0.55
    """Low confidence."""
    recirculation_outdoor_k: float = 1.0
    """Warm exhaust drawn in by outdoor coolers on a still day; 2 K is a cautious rule."""
    pad_effectiveness: float = 0.7
    """EnergyPlus direct evaporative example 0.7; practice 0.7-0.9."""
    wall_wet_effectiveness: float = 0.7
    """Indirect evaporative cooler, EnergyPlus data-centre example."""
    wall_dry_effectiveness: float = 0.72
    """Same example, dry."""
    wall_static_pa: float = 200.0
    """Air behind the wall: as much as in front of it. Low confidence."""
    thermosyphon_air_c: float = 10.0
    """Outdoor air in which thermosyphons are sized to carry the whole warm loop. Low confidence."""
    tower_approach_k: float = 4.0
    """Leaving water above wet bulb at design: 3-4 K rule."""
    tower_range_k: float = 6.0
    """Condenser-water range at design."""
    tower_fan_w_per_w: float = 0.0105
    """EnergyPlus cooling-tower default: fan power 0.0105 of rejected heat."""
    tower_drift: float = 0.0002
    """Share of circulating water; EnergyPlus example 0.05 %, modern eliminators 0.005-0.02 %."""
    condenser_minimum_c: float = 18.0
    """Lowest entering condenser water: head-pressure limit of water-cooled chillers. Low confidence."""
    plate_exchanger_approach_k: float = 2.0
    """Economiser plate exchanger, 1.5-3 K."""
    chiller_cop_air: float = 3.0
    """At 6.67 °C leaving and 35 °C air, EnergyPlus Chiller:Electric example."""
    chiller_cop_water: float = 5.0
    """At 6.67 °C leaving and 29.44 °C condenser water, EnergyPlus example."""
    offtake_approach_k: float = 3.0
    """Loop return above the water handed to a heat buyer, plate exchanger; 1.5-3 K for the tightest. Low confidence."""
    offtake_spread_k: float = 30.0
    """Buyer's water between delivery and return: networks of the third generation 80/45 °C, of the fourth
    55/25 °C (Lund et al. 2014, doi:10.1016/j.energy.2014.02.089). Low confidence."""
    sizing_margin: float = 0.1
    """Capacity above the design load, practice 10 %."""
    spread_intake_k: float = 3.0
    """Worst rack's intake above the mean's. Low confidence."""
    spread_resistance: float = 0.15
    """Worst chip's thermal resistance above the mean's; 30-60 % spread of rise inside one chassis is
    published for air, which intake and resistance share. Low confidence."""
    leakage_per_k: float = 0.003
    """Relative power per kelvin of junction, 0.1-0.8 %/K. Low confidence."""
    leakage_reference_c: float = 65.0
    """Junction temperature at which the workload's device power is stated."""
    immersion_resistance_k_w: float = 0.055
    """Sensor to bath, single phase, 700 W class; 0.04-0.08. Low confidence."""
    boiling_area_m2: float = 0.011
    """Spreader on one accelerator, 105 mm square: what keeps 700 W under 60 % of the critical heat flux. Low."""
    boiling_case_k_w: float = 0.02
    """Die to spreader surface. Low confidence."""
    ups_design_load: float = 0.5
    """Full IT load over the rating of both UPS of a 2N pair: each can carry all of it."""
    ups_full_load: float = 0.8
    """Full IT load over the rating of a UPS (spares apart): 20 % reserve is common practice. Low confidence. The same
    for rectifiers and converters, in racks too."""
    transformer_per_it: float = 1.6
    """Transformer rating over full IT load: UPS loss, cooling and 20 % reserve. Low confidence."""
    generator_per_it: float = 1.5
    """Generator rating over full IT load: IT and cooling at a PUE up to 1.5 on the design day. Low confidence."""
    lighting_w_per_m2: float = 5.0
    """Hall lights and small power. Low confidence."""
    dew_point_low_c: float = -9.0
    """ASHRAE recommended envelope, lowest dew point (2021)."""
    dew_point_high_c: float = 15.0
    """ASHRAE recommended envelope, highest dew point (2021)."""
    coolant_volume_m3_per_w: float = 33.6e-3 / 227e3
    """Published for a 227 kW rack holding 33.6 L."""


def aisle_of(design: HybridDesign, k: PlantConstants) -> Aisle:
    """Return what crosses between cold and hot side: bypass over the servers' air (``leak``), and recirculation.

    Cold aisle: the constants. Open rooms: 0.1-0.2 of the intake is exhaust (EnergyPlus example 0.1), 0.2-0.4 of the
    supply misses the servers. Hot aisles keep the room at supply temperature, so that leaks draw no exhaust in;
    chimneys end at the rack: specifications ask for leaks below 3-5 %. Low confidence throughout.

    >>> aisle_of(HybridDesign("", {}, "none", 32, True, "air_cooled_chiller", 20, 26, False, "N"), PlantConstants())
    Aisle(leak=0.05, recirculation=0.05)
    """
    return {
        "none": Aisle(0.25, 0.15),
        "cold_aisle": Aisle(k.bypass, k.recirculation),
        "hot_aisle": Aisle(0.05, 0.03),
        "chimney": Aisle(0.03, 0.02),
    }[design.containment]
