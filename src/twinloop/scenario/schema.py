"""What a person may write: strict types with units; unknown keys are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from twinloop import units


def _quantity(kind: str) -> BeforeValidator:
    return BeforeValidator(lambda value: units.parse(value, kind))


Name = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$")]
Power = Annotated[float, _quantity("power"), Field(gt=0, le=1e11)]
Duration = Annotated[float, _quantity("duration"), Field(gt=0, le=100 * units.YEAR_S)]
Data = Annotated[float, _quantity("data"), Field(ge=0, le=1e21)]
DataRate = Annotated[float, _quantity("data rate"), Field(ge=0, le=1e15)]
Rate = Annotated[float, _quantity("rate"), Field(gt=0, le=1e12)]
Mass = Annotated[float, _quantity("mass"), Field(gt=0, le=1e5)]
Area = Annotated[float, _quantity("area"), Field(gt=0, le=1e7)]
Pressure = Annotated[float, _quantity("pressure"), Field(gt=0, le=1e7)]
Height = Annotated[float, _quantity("rack height"), Field(gt=0, le=100)]
Temperature = Annotated[float, _quantity("temperature"), Field(ge=-60, le=120)]
Flow = Annotated[float, _quantity("volume flow"), Field(ge=0, le=1e3)]
Share = Annotated[float, _quantity("share"), Field(ge=0, le=1)]
Growth = Annotated[float, _quantity("yearly share"), Field(gt=-1, le=10)]
EnergyPrice = Annotated[float, _quantity("energy price"), Field(ge=0, le=1e-5)]
DemandPrice = Annotated[float, _quantity("demand price"), Field(ge=0, le=1)]
MassPrice = Annotated[float, _quantity("carbon price"), Field(ge=0, le=1e3)]
VolumePrice = Annotated[float, _quantity("water price"), Field(ge=0, le=1e4)]
PowerPrice = Annotated[float, _quantity("price of power"), Field(gt=0, le=1e3)]
YearlyMoney = Annotated[float, _quantity("yearly money"), Field(ge=0, le=1e10)]
Count = Annotated[int, Field(ge=1, le=10**7, strict=True)]
Amount = Annotated[float, Field(gt=0, le=1e18, strict=True, allow_inf_nan=False)]


class Part(BaseModel):
    """Base of every part of the file: strict, frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Objective(Part):
    """What to minimise, and prices of what the market does not price."""

    minimise: Literal["cost", "energy", "carbon", "water", "time"] | dict[str, float] = "cost"
    carbon_price: MassPrice | None = None
    water_price: VolumePrice | None = None


class Dataset(Part):
    """Data at rest."""

    name: Name
    size: Data
    home: Name
    residency: list[Name] = []
    growth: DataRate = 0.0


class AiModel(Part):
    """An AI model: by layer fields, by a catalogue architecture, or by a file."""

    name: Name
    kind: Literal[
        "transformer", "mixture", "convnet", "recommender", "trees", "graph", "diffusion", "molecular", "generic"
    ] | None = None  # fmt: skip
    architecture: str | None = None
    config: str | None = None
    onnx: str | None = None
    layers: Count | None = None
    hidden: Count | None = None
    heads: Count | None = None
    kv_heads: Count | None = None
    head_dim: Count | None = None
    ffn: Count | None = None
    gated: bool | None = None
    tied: bool | None = None
    vocabulary: Count | None = None
    context: Count | None = None
    causal: bool | None = None
    experts: Count | None = None
    top_k: Count | None = None
    shared_experts: Count | None = None
    expert_ffn: Count | None = None
    parameters: Amount | None = None
    flops_per_sample: Amount | None = None
    bytes_per_sample: Amount | None = None
    trees: Count | None = None
    depth: Count | None = None


class Stage(Part):
    """One step of the pipeline."""

    name: Name
    kind: Literal["ingest", "preprocess", "train", "serve"]
    after: Name | list[Name] = []
    reads: Name | list[Name] = []
    model: Name | None = None
    rate: str | None = None
    rows: Amount | None = None
    row_size: Data | None = None
    samples: Amount | None = None
    batch: Count | None = None
    every: Duration | None = None
    deadline: Duration | None = None
    peak_to_mean: Annotated[float, Field(ge=1, le=1000)] = 1.0
    latency_p99: Duration | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    accuracy_drop: Share = 0.0
    sites: Name | list[Name] = []


class Racks(Part):
    """What one rack position may hold."""

    positions: Count
    power: Power
    weight: Mass = 1500.0
    height: Height = 48.0


class FloorPart(Part):
    """The hall's floor."""

    area: Area
    load: Pressure = 12e3


class WaterPart(Part):
    """Water that the site may take."""

    supply: Flow | None = None
    peak: Flow | None = None
    cycles: Annotated[float, Field(gt=1, le=20)] = 4.0
    source: Literal["potable", "reclaimed", "surface", "none"] = "potable"
    price: VolumePrice | None = None


class PriceWindow(Part):
    """Hours of the day at a price."""

    start: Annotated[int, Field(ge=0, le=23, alias="from")]
    end: Annotated[int, Field(ge=1, le=24, alias="to")]
    price: EnergyPrice


class TariffPart(Part):
    """What electricity costs."""

    energy: EnergyPrice | list[PriceWindow]
    demand: DemandPrice = 0.0
    escalation: Growth = 0.0


class Availability(Part):
    """Redundancy of power and cooling."""

    redundancy: Literal["N", "N+1", "2N"] = "N+1"
    ride_through: Duration = 60.0


class Offtake(Part):
    """Somebody who buys warm water."""

    temperature: Temperature
    demand: Power
    price: EnergyPrice


class OnPremise(Part):
    """A hall of ours."""

    name: Name
    kind: Literal["on-premise"]
    climate: str
    jurisdiction: Name
    utility_power: Power
    racks: Racks
    floor: FloorPart
    grid: str
    tariff: str | TariffPart
    water: WaterPart = WaterPart()
    hall_class: Literal["A1", "A2", "A3", "A4", "H1"] = "A2"
    liquid_class: (
        Literal["W17", "W27", "W32", "W40", "W45", "W+", "S30", "S35", "S40", "S45", "S50"] | None
    ) = None
    availability: Availability = Availability()
    heat_offtake: Offtake | None = None
    growth: Growth = 0.0
    build_price: PowerPrice | None = None


class CloudPart(Part):
    """A region of a cloud provider."""

    name: Name
    kind: Literal["cloud"]
    provider: str
    region: str
    jurisdiction: Name | None = None


class EdgePart(Part):
    """Many small places alike."""

    name: Name
    kind: Literal["edge"]
    count: Count
    climate: str
    power: Power
    jurisdiction: Name
    grid: str
    tariff: str | TariffPart
    pue: Annotated[float, Field(ge=1, le=4)] = 1.6


SitePart = Annotated[OnPremise | CloudPart | EdgePart, Field(discriminator="kind")]


class FinancePart(Part):
    """How money is counted."""

    discount: Share = 0.08
    currency: Literal["USD"] = "USD"
    refresh: Duration = 5 * units.YEAR_S
    staff: YearlyMoney = 0.0
    maintenance_it: Share = 0.08


class AllowPart(Part):
    """What may be chosen; absent means everything."""

    devices: list[str] = []
    cooling: list[str] = []
    compression: list[str] = []
    refrigerants: list[str] = []
    fluids: list[str] = []


class ScenarioFile(Part):
    """The whole file."""

    twinloop: Literal[1]
    name: Name
    horizon: Duration
    objective: Objective = Objective()
    datasets: list[Dataset] = []
    models: list[AiModel] = []
    stages: Annotated[list[Stage], Field(min_length=1, max_length=40)]
    sites: Annotated[list[SitePart], Field(min_length=1, max_length=20)]
    finance: FinancePart = FinancePart()
    allow: AllowPart = AllowPart()
