"""The typed rows of the catalogue. All quantities are SI; names carry their unit.

A quantity that no source gives is ``None``, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Confidence = Literal["high", "medium", "low"]
DeviceKind = Literal["gpu", "cpu", "tpu", "fpga", "npu", "edge", "neuromorphic", "quantum"]
Component = Literal["accelerator", "cpu", "memory", "network", "storage", "power_supply"]
COMPONENTS: tuple[Component, ...] = ("accelerator", "cpu", "memory", "network", "storage", "power_supply")


@dataclass(frozen=True)
class Fact:
    """One number (or one word) with where it comes from: a row of a table."""

    table: str
    name: str
    quantity: str
    value: float | str
    unit: str
    low: float | None
    high: float | None
    source: str
    year: int
    confidence: Confidence
    note: str = ""


@dataclass(frozen=True)
class Device:
    """One accelerator or processor package. Rates are dense peaks per second; bandwidths one direction."""

    name: str
    kind: DeviceKind
    year: int
    power_limit_w: float
    idle_w: float
    memory_b: float
    memory_bandwidth_b_s: float
    flops: dict[str, float]
    """Peak dense operations per second by precision: fp64 fp32 tf32 bf16 fp8 fp4 int8."""
    scale_up_b_s: float
    """Per device and direction, inside the scale-up domain."""
    scale_up_domain: int
    cooling: tuple[str, ...]
    """Which of air, rear_door, cold_plate, bath the part is sold for."""
    throttle_c: float
    r_air_k_w: float
    """Sensor to server intake air, at the server's design airflow."""
    r_plate_k_w: float
    """Sensor to coolant, at the cold plate's design flow."""
    price_usd: float | None
    embodied_kg: float | None
    lowest_confidence: Confidence
    aliases: tuple[str, ...] = ()

    @property
    def what_if(self) -> bool:
        """Neuromorphic and quantum rows: excluded from plans unless the scenario allows them."""
        return self.kind in ("neuromorphic", "quantum")


@dataclass(frozen=True)
class Server:
    """A chassis (or rack-scale tray set) holding devices, and where its power goes at full load."""

    name: str
    device_kind: DeviceKind
    device: str
    devices: int
    cpu_w: float
    memory_w: float
    network_w: float
    storage_w: float
    fan_w_air: float
    """Fans at full load when every component is on air."""
    psu_efficiency: float
    height_u: float
    weight_kg: float
    price_usd: float
    """Whole server, devices inside."""
    embodied_kg: float
    """Whole server, devices inside."""
    network_b_s: float
    """Scale-out bandwidth per device and direction."""
    memory_b: float
    cores: int
    lowest_confidence: Confidence


@dataclass(frozen=True)
class CoolingKit:
    """A class of cooling equipment: what it costs, how long it lives, how dense it goes."""

    name: str
    capex_usd_per_w: float
    """Per watt of rated heat."""
    life_years: float
    maintenance_per_year: float
    """Share of capex a year."""
    rack_limit_w: float | None
    embodied_kg_per_w: float | None
    lowest_confidence: Confidence
    smallest_w: float = 0.0
    """Rated heat of the smallest machine that is sold; 0: any size is."""


@dataclass(frozen=True)
class SwitchKind:
    """A kind of switch, as fat trees are built of it. Links: optics or copper, and their cable."""

    name: str
    ports: int
    port_b_s: float
    """Per direction."""
    oversubscription: float
    """Rates of ports down over ports up at a leaf."""
    power_w: float
    """At the inlet, fans and supplies inside, links apart."""
    host_link_w: float
    """Of a link to a server: its end at the switch, the other is the server's."""
    uplink_w: float
    """Of a link between switches, both ends."""
    price_usd: float
    host_link_usd: float
    uplink_usd: float
    embodied_kg: float
    link_embodied_kg: float
    height_u: float
    weight_kg: float
    lowest_confidence: Confidence
    ports_per_server: float | None = None
    """Front end only."""


@dataclass(frozen=True)
class StorageKind:
    """Servers of shared storage, by usable capacity."""

    name: str
    usable_b: float
    """Of one server."""
    power_w_per_b: float
    """At the inlet."""
    fan_share: float
    """Of the power before the supplies."""
    psu_efficiency: float
    price_usd_per_b: float
    embodied_kg_per_b: float
    height_u: float
    weight_kg: float
    lowest_confidence: Confidence


@dataclass(frozen=True)
class Grid:
    """Electricity of a country, state or zone: carbon and off-site water per joule."""

    name: str
    carbon_kg_per_j: float
    carbon_basis: str
    """Which boundary: life-cycle or direct, location-based."""
    source_water_m3_per_j: float
    lowest_confidence: Confidence


@dataclass(frozen=True)
class TariffRow:
    """Electricity price of a place."""

    name: str
    energy_usd_per_j: float
    demand_usd_per_w_month: float
    lowest_confidence: Confidence


@dataclass(frozen=True)
class ClimateNormals:
    """Monthly normals and design columns of one place (arrays of 12, January first)."""

    name: str
    country: str
    latitude_deg: float
    longitude_deg: float
    elevation_m: float
    utc_offset_h: float
    ashrae_zone: str
    dry_bulb_c: tuple[float, ...]
    dew_point_c: tuple[float, ...]
    daily_range_k: float
    daily_mean_sigma_k: float
    design_dry_bulb_c: float
    """Exceeded 0.4 % of the year (35 h)."""
    design_coincident_wet_bulb_c: float
    design_wet_bulb_c: float
    heating_design_c: float
    """Coldest: undercut 1 % of the year."""
    lowest_confidence: Confidence


@dataclass(frozen=True)
class CloudOffer:
    """A rented machine by the hour."""

    provider: str
    instance: str
    region: str
    device: str
    devices: int
    cores: int
    memory_b: float
    price_usd_per_s: float
    spot_usd_per_s: float | None
    source: str
    year: int
    lowest_confidence: Confidence
