"""The vocabulary of a scenario file, strict: an unknown key, a missing one or a silent coercion is a fault.

The field names are the file's keys. Numbers with a unit are SI after validation. What belongs to a
later version is listed in ``NOT_YET``, so that it is refused with that reason.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator
from pydantic_core import PydanticCustomError

from twinloop.scenario import quantities as q
from twinloop.scenario.schema_base import NOT_YET, Name, Part, Words, listed, shape_tag
from twinloop.scenario.schema_sites import (
    AnySiteSpec,
    AvailabilitySpec,
    CloudSpec,
    DesignSpec,
    EdgeSpec,
    EquipmentSpec,
    FloorSpec,
    Grid,
    GridSpec,
    HeatOfftakeSpec,
    OnPremiseSpec,
    PowerPhaseSpec,
    PriceBandSpec,
    RacksSpec,
    Tariff,
    TariffSpec,
    WaterSpec,
)
from twinloop.scenario.schema_work import (
    AnyStageSpec,
    ArchitectureSpec,
    ConfigSpec,
    CountsSpec,
    DatasetSpec,
    IngestSpec,
    LayersSpec,
    NetworkSpec,
    OnnxSpec,
    PreprocessSpec,
    ServeSpec,
    StageSpec,
    TrainSpec,
    TreesSpec,
)

__all__ = [
    "NOT_YET",
    "AllowSpec",
    "AnySiteSpec",
    "AnyStageSpec",
    "ArchitectureSpec",
    "AvailabilitySpec",
    "CloudSpec",
    "ConfigSpec",
    "CountsSpec",
    "DatasetSpec",
    "DesignSpec",
    "EdgeSpec",
    "EquipmentSpec",
    "FinanceSpec",
    "FloorSpec",
    "Grid",
    "GridSpec",
    "HeatOfftakeSpec",
    "IngestSpec",
    "LayersSpec",
    "LimitsSpec",
    "NetworkSpec",
    "ObjectiveSpec",
    "OnPremiseSpec",
    "OnnxSpec",
    "PowerPhaseSpec",
    "PreprocessSpec",
    "PriceBandSpec",
    "RacksSpec",
    "ScenarioSpec",
    "ServeSpec",
    "StageSpec",
    "Tariff",
    "TariffSpec",
    "TrainSpec",
    "TreesSpec",
    "WaterSpec",
    "WeightsSpec",
]


class WeightsSpec(Part):
    """USD per unit of each total."""

    cost: Annotated[float, Field(ge=0, le=1e6)] | None = None
    energy: q.EnergyPrice | None = None
    carbon: q.CarbonPrice | None = None
    water: q.WaterPrice | None = None
    time: q.HourlyMoney | None = None


Goal = Literal["cost", "energy", "carbon", "water", "time"]


class ObjectiveSpec(Part):
    """What to minimise; a mapping weighs several totals against each other."""

    minimise: Annotated[
        Annotated[Goal, Tag("<text>")] | Annotated[WeightsSpec, Tag("<mapping>")], Discriminator(shape_tag)
    ] = "cost"
    carbon_price: q.CarbonPrice | None = None
    water_price: q.WaterPrice | None = None


def _objective(value: Any) -> Any:
    return {"minimise": value} if isinstance(value, str) else value


class FinanceSpec(Part):
    """How money is counted."""

    discount: q.YearlyShare | None = None
    currency: Literal["USD"] | None = None
    refresh: q.Duration | None = None
    staff: q.YearlyMoney | None = None
    maintenance_it: q.YearlyShare | None = None
    downtime: q.HourlyMoney | None = None
    failures: Literal["linear", "arrhenius"] | None = None
    repair: q.Money | None = None


class LimitsSpec(Part):
    """What the whole plan may not exceed."""

    capex: q.Money | None = None
    cost: q.Money | None = None
    carbon: q.YearlyMass | None = None
    water: q.YearlyVolume | None = None


CoolingWord = Literal[
    "air",
    "rear_door",
    "cold_plate",
    "bath",
    "dry_cooler",
    "adiabatic_cooler",
    "tower",
    "thermosyphon",
    "air_cooled_chiller",
    "water_cooled_chiller",
]


def _underscored(value: Any) -> Any:
    words = listed(value)
    if not isinstance(words, list):
        return words
    return [word.replace("-", "_").replace(" ", "_") if isinstance(word, str) else word for word in words]


RefrigerantWord = Literal["R134a", "R32", "R410A", "R513A", "R454B", "R1234ze", "R1234yf", "R744", "R717"]
"""Those whose warming potential is known."""


def _refrigerants(value: Any) -> Any:
    """Take ``R-134a`` for ``R134a`` and ``R1234ze(E)`` for ``R1234ze``, in any case."""
    words = listed(value)
    if not isinstance(words, list):
        return words
    known = {name.casefold(): name for name in get_args(RefrigerantWord)}
    plain = (word.casefold().replace("-", "").removesuffix("(e)") if isinstance(word, str) else word for word in words)
    return [known.get(each, word) if isinstance(each, str) else word for each, word in zip(plain, words, strict=True)]


class AllowSpec(Part):
    """What may be chosen; what is not named is left open."""

    devices: Words = Field(default_factory=list)
    cooling: Annotated[list[CoolingWord], BeforeValidator(_underscored)] = Field(default_factory=list)
    compression: Words = Field(default_factory=list)
    refrigerants: Annotated[list[RefrigerantWord], BeforeValidator(_refrigerants), Field(max_length=200)] = Field(
        default_factory=list
    )
    fluids: Words = Field(default_factory=list)

    @field_validator("*")
    @classmethod
    def _named(cls, words: list[str]) -> list[str]:
        """Refuse an empty list: it reads as "nothing", a key left out as "everything"."""
        if not words:
            expected = "at least one name; leave the key out to allow everything"
            raise PydanticCustomError(
                "twinloop", "fault", {"got": "an empty list", "expected": expected, "suggestion": None}
            )
        return words


class ScenarioSpec(Part):
    """The whole file."""

    twinloop: Literal[1]
    name: Name
    horizon: q.Horizon | None = None
    objective: Annotated[ObjectiveSpec, BeforeValidator(_objective)] = ObjectiveSpec()
    datasets: Annotated[list[DatasetSpec], Field(max_length=1000)] = Field(default_factory=list)
    models: Annotated[list[NetworkSpec], Field(max_length=1000)] = Field(default_factory=list)
    stages: Annotated[list[AnyStageSpec], Field(min_length=1, max_length=1000)]
    sites: Annotated[list[AnySiteSpec], Field(min_length=1, max_length=1000)]
    finance: FinanceSpec = FinanceSpec()
    limits: LimitsSpec = LimitsSpec()
    allow: AllowSpec = AllowSpec()
