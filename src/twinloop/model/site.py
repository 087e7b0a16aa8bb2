"""Where computing may happen: on-premise halls, cloud regions, edge places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twinloop.catalogue.nouns import CloudOffer, Grid
from twinloop.model.weather import WeatherYear

Redundancy = Literal["N", "N+1", "2N"]
Containment = Literal["none", "cold_aisle", "hot_aisle", "chimney"]
Intake = Literal["recommended", "allowable"]
Evaporative = Literal["none", "direct", "indirect"]
Bath = Literal["single_phase", "two_phase"]
PowerChain = Literal["ac_double_conversion", "ac_eco_mode", "dc_48v", "dc_380v", "dc_800v"]
"""What feeds the racks: a UPS (converting twice, or in eco mode), rectifiers in the racks, or rectifiers in the
building that feed them direct current of 380 or 800 V."""


@dataclass(frozen=True)
class RackLimits:
    """What one rack position may hold."""

    positions: int
    power_w: float
    weight_kg: float
    height_u: float


@dataclass(frozen=True)
class Floor:
    """The hall's floor."""

    area_m2: float
    load_pa: float


@dataclass(frozen=True)
class Water:
    """Water the site may take. ``None`` limit: unlimited."""

    supply_m3_per_year: float | None
    peak_m3_s: float | None
    cycles: float
    """Cycles of concentration of an open tower."""
    source: str
    price_usd_per_m3: float


@dataclass(frozen=True)
class Tariff:
    """What electricity costs. ``energy_usd_per_j`` has one value per hour of the day (24)."""

    energy_usd_per_j: tuple[float, ...]
    demand_usd_per_w_month: float
    escalation_per_year: float
    source: str


@dataclass(frozen=True)
class HeatOfftake:
    """Somebody buys warm water."""

    temperature_c: float
    demand_w: float
    price_usd_per_j: float


@dataclass(frozen=True)
class StandingUnits:
    """Machines alike that stand in the hall already."""

    type: str
    """As in the equipment schedule: crah, dry_cooler, air_cooled_chiller, ups …"""
    count: int
    spare: int
    """Of ``count``, those that stand by."""
    rated_w: float
    """Of one: heat; electricity for the power chain."""
    power_w: float | None = None
    """Electricity of one at its rated point: compressors, fans, pumps; ``None`` as new machines of its kind."""
    efficiency: float | None = None
    """Of the power chain at full load, 0-1; ``None`` as new machines."""

    @property
    def running_w(self) -> float:
        """Capacity without the spares."""
        return (self.count - self.spare) * self.rated_w


@dataclass(frozen=True)
class ExistingPlant:
    """The cooling design that stands in a hall, and its machines."""

    kit: str
    """Kind of cooling, as the planner names it."""
    heat_rejection: str
    """Outdoor cooler of the warm loop; ``none`` without one."""
    cold_plant: str
    warm_supply_c: float | None
    cold_supply_c: float
    outdoor_air: bool
    keep: bool
    """Whether a plan may only extend it; else it may build another beside what stands."""
    units: tuple[StandingUnits, ...]
    evaporative: Evaporative = "none"
    containment: Containment = "cold_aisle"
    bath: Bath = "single_phase"
    cold_store_m3: float = 0.0
    air_supply_c: float | None = None
    """``None``: as far above the chilled water as usual."""

    def standing_w(self, kind: str) -> float:
        """Return the running capacity of all machines of ``kind``."""
        return sum(unit.running_w for unit in self.units if unit.type == kind)


@dataclass(frozen=True)
class PowerPhase:
    """Utility power from a time on, counted from the start of the horizon."""

    start_s: float
    power_w: float


@dataclass(frozen=True)
class OnPremise:
    """A hall that we build or own."""

    name: str
    jurisdiction: str
    weather: WeatherYear
    utility_power_w: float
    """Limit at the meter."""
    racks: RackLimits
    floor: Floor
    water: Water
    air_class: str
    liquid_class: str | None
    redundancy: Redundancy
    ride_through_s: float
    grid: Grid
    tariff: Tariff
    heat_offtake: HeatOfftake | None
    growth_per_year: float
    build_usd_per_w: float
    """Shell, electrical and land, per watt of IT, cooling plant apart."""
    power_phases: tuple[PowerPhase, ...] = ()
    """Later steps of utility power, in order; empty: ``utility_power_w`` throughout."""
    plant: ExistingPlant | None = None
    containment: Containment = "cold_aisle"
    """What keeps exhaust out of the intakes of racks on air."""
    intake: Intake = "recommended"
    """Which range of the class the intakes of what is cooled by air keep to in normal running."""
    power_chain: PowerChain = "ac_double_conversion"


@dataclass(frozen=True)
class Cloud:
    """A region of a cloud provider; its facility figures are the provider's, marked as such."""

    name: str
    provider: str
    region: str
    jurisdiction: str
    offers: tuple[CloudOffer, ...]
    grid: Grid
    pue: float
    wue_l_per_kwh: float
    egress_usd_per_b: tuple[tuple[float, ...], ...]
    """Marginal tiers: (monthly bytes up to which, price per byte); the last tier's bound is 1e30."""
    embodied_kg_per_device_s: float
    purchase: tuple[str, ...] = ("on_demand",)
    """Ways to buy that are allowed: on_demand, reserved, spot."""
    reserved_share: float = 0.6
    """Price of reserved capacity over on-demand."""
    preemptions_per_s: float = 0.05 / 3600.0
    """How often one spot machine is taken away."""


@dataclass(frozen=True)
class Edge:
    """Many small places alike."""

    name: str
    jurisdiction: str
    count: int
    power_w: float
    """Limit of each place."""
    weather: WeatherYear
    grid: Grid
    tariff: Tariff
    pue: float
    line_usd_per_b_s_month: float = 0.0
    """Price of the line of a place, by its capacity."""


Site = OnPremise | Cloud | Edge
