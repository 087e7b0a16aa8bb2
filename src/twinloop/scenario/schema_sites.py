"""The sites: halls, cloud regions, edge places, and what surrounds them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from twinloop.scenario import quantities as q
from twinloop.scenario.schema_base import Jurisdiction, Name, Part, Word, kind_tag, listed, shape_tag


class RacksSpec(Part):
    """What the rack positions may hold."""

    positions: Annotated[int, Field(ge=1, le=10**6)]
    power: q.Power
    weight: q.Mass | None = None
    height: q.RackHeight | None = None


class FloorSpec(Part):
    """The hall's floor."""

    area: q.Area
    load: q.Pressure | None = None


class WaterSpec(Part):
    """Water that the site may take."""

    supply: q.YearlyVolume | None = None
    peak: q.VolumeFlow | None = None
    cycles: q.Cycles | None = None
    source: Literal["potable", "reclaimed", "surface", "sea", "rain", "well"] | None = None
    price: q.WaterPrice | None = None


class AvailabilitySpec(Part):
    """What a failure may not take down."""

    redundancy: Literal["N", "N+1", "2N"] | None = None
    ride_through: q.DurationOrZero | None = None


class GridSpec(Part):
    """Electricity of one's own: a contract or a measured mix."""

    carbon: q.CarbonIntensity
    water: q.WaterIntensity | None = None
    basis: Word


def _hour(value: Any) -> Any:
    match = re.fullmatch(r"([0-9]{1,2}):00", value) if isinstance(value, str) else None
    hour = int(match.group(1)) if match else value
    if isinstance(hour, int) and not isinstance(hour, bool) and 0 <= hour <= 24:
        return hour
    raise q.fault_error(repr(value), "a full hour of the day, such as 7 or 07:00")


Hour = Annotated[int, BeforeValidator(_hour)]


class PriceBandSpec(Part):
    """One band of a time-of-use tariff; ``to`` may lie past midnight."""

    start: Hour = Field(alias="from")
    to: Hour
    price: q.EnergyPrice


def _price_tag(value: Any) -> str:
    return "<list>" if isinstance(value, list) else "<text>"


class TariffSpec(Part):
    """What electricity costs: flat, or bands that cover the day."""

    energy: Annotated[
        Annotated[q.EnergyPrice, Tag("<text>")]
        | Annotated[list[PriceBandSpec], Tag("<list>"), Field(min_length=1, max_length=24)],
        Discriminator(_price_tag),
    ]
    demand: q.DemandPrice | None = None
    escalation: q.YearlyShare | None = None


Tariff = Annotated[Annotated[Word, Tag("<text>")] | Annotated[TariffSpec, Tag("<mapping>")], Discriminator(shape_tag)]
Grid = Annotated[Annotated[Word, Tag("<text>")] | Annotated[GridSpec, Tag("<mapping>")], Discriminator(shape_tag)]


class HeatOfftakeSpec(Part):
    """Somebody buys warm water."""

    temperature: q.Temperature
    demand: q.Power
    price: q.EnergyPrice


class PowerPhaseSpec(Part):
    """Utility power from a date on, counted from the start of the horizon."""

    power: q.Power
    after: q.DurationOrZero | None = None


UtilityPower = Annotated[
    Annotated[q.Power, Tag("<text>")]
    | Annotated[list[PowerPhaseSpec], Tag("<list>"), Field(min_length=1, max_length=50)],
    Discriminator(_price_tag),
]


class EquipmentSpec(Part):
    """Machines alike that stand already; ``rated`` is heat (electricity for the power chain) of one."""

    type: Literal[
        "crah", "rear_door_passive", "cold_plate", "cdu", "immersion_1p", "dry_cooler", "adiabatic_cooler", "tower",
        "thermosyphon", "air_cooled_chiller", "water_cooled_chiller", "pipework", "ups", "rectifier",
        "rectifier_shelf", "transformer",
    ]  # fmt: skip
    count: Annotated[int, Field(ge=1, le=10_000)]
    rated: q.Power
    spare: Annotated[int, Field(ge=0, le=10_000)] | None = None
    power: q.Power | None = None
    efficiency: q.Share | None = None


Containment = Literal["none", "cold_aisle", "hot_aisle", "chimney"]


class DesignSpec(Part):
    """A plant that stands already, or is wished."""

    cooling: Literal["air", "rear doors", "plates + air", "plates + rear doors", "all plates", "immersion"]
    heat_rejection: Literal["dry_cooler", "adiabatic_cooler", "tower", "thermosyphon"] | None = None
    cold_plant: Literal["air_cooled_chiller", "water_cooled_chiller"]
    warm_supply: q.WarmTemperature | None = None
    cold_supply: q.WarmTemperature
    air_supply: q.WarmTemperature | None = None
    outdoor_air: bool | None = None
    evaporative: Literal["direct", "indirect"] | None = None
    """Pads in the outdoor air of ``outdoor_air``, or a wetted wall instead of it."""
    containment: Containment | None = None
    """Where it differs from the hall's."""
    bath: Literal["single_phase", "two_phase"] | None = None
    cold_store: q.Volume | None = None
    """Chilled-water tank, run by the tariff."""
    keep: bool | None = None
    equipment: Annotated[list[EquipmentSpec], Field(max_length=200)] = Field(default_factory=list)


class OnPremiseSpec(Part):
    """A hall that we build or own."""

    name: Name
    kind: Literal["on-premise"]
    climate: Word
    jurisdiction: Jurisdiction
    utility_power: UtilityPower | None = None
    it_power: q.Power | None = None
    racks: RacksSpec
    floor: FloorSpec | None = None
    water: WaterSpec | None = None
    hall_class: Literal["A1", "A2", "A3", "A4", "H1"] | None = None
    intake: Literal["recommended", "allowable"] | None = None
    containment: Containment | None = None
    liquid_class: Literal["W17", "W27", "W32", "W40", "W45", "W+", "S30", "S35", "S40", "S45", "S50"] | None = None
    availability: AvailabilitySpec | None = None
    power_chain: Literal["ac_double_conversion", "ac_eco_mode", "dc_48v", "dc_380v", "dc_800v"] | None = None
    grid: Grid | None = None
    tariff: Tariff | None = None
    heat_offtake: HeatOfftakeSpec | None = None
    growth: q.YearlyShare | None = None
    build_price: q.PowerPrice | None = None
    design: DesignSpec | None = None


Purchase = Literal["on_demand", "reserved", "spot"]


def _underscored(value: Any) -> Any:
    words = listed(value)
    if not isinstance(words, list):
        return words
    return [word.replace("-", "_").replace(" ", "_") if isinstance(word, str) else word for word in words]


class CloudSpec(Part):
    """A region of a cloud provider."""

    name: Name
    kind: Literal["cloud"]
    provider: Word
    region: Word
    jurisdiction: Jurisdiction | None = None
    pue: q.Pue | None = None
    wue: q.WaterPerEnergy | None = None
    grid: Grid | None = None
    purchase: Annotated[list[Purchase], BeforeValidator(_underscored), Field(min_length=1, max_length=3)] | None = None
    price_level: q.PriceLevel | None = None
    reserved_share: q.Share | None = None
    preemptions: q.PerTime | None = None


class EdgeSpec(Part):
    """Many small places alike."""

    name: Name
    kind: Literal["edge"]
    count: Annotated[int, Field(ge=1, le=10**7)]
    climate: Word
    jurisdiction: Jurisdiction
    power: q.Power
    pue: q.Pue | None = None
    line_price: q.LinePrice | None = None
    grid: Grid | None = None
    tariff: Tariff | None = None


AnySiteSpec = Annotated[
    Annotated[OnPremiseSpec, Tag("<on-premise>")]
    | Annotated[CloudSpec, Tag("<cloud>")]
    | Annotated[EdgeSpec, Tag("<edge>")],
    Discriminator(kind_tag),
]
