"""Where computing may happen: on-premise halls, cloud regions, edge places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twinloop.catalogue.nouns import CloudOffer, Grid
from twinloop.model.weather import WeatherYear

Redundancy = Literal["N", "N+1", "2N"]


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


Site = OnPremise | Cloud | Edge
