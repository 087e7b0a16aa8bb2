"""The resolved scenario: everything a plan needs, in SI, with the source of each default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twinloop.catalogue.nouns import Device, Server
from twinloop.model.network import Network
from twinloop.model.site import Cloud, Edge, OnPremise

SCHEMA = 1
StageKind = Literal["ingest", "preprocess", "train", "serve"]


@dataclass(frozen=True)
class Dataset:
    """Data at rest."""

    name: str
    size_b: float
    home: str
    """Name of the site where it lies."""
    residency: tuple[str, ...]
    """Jurisdictions it may be in; empty: anywhere."""
    growth_b_s: float


@dataclass(frozen=True)
class Stage:
    """One step of the pipeline. Only the fields of its kind are set."""

    name: str
    kind: StageKind
    after: tuple[str, ...]
    reads: tuple[str, ...]
    """Datasets read."""
    network: str | None
    """Name of the AI model, for train and serve."""
    rate_b_s: float | None = None
    """ingest: bytes arriving."""
    rows: float | None = None
    """preprocess: rows a run."""
    row_b: float | None = None
    samples: float | None = None
    """train: samples (sequences) a run."""
    batch: int | None = None
    """train: global batch, samples; ``None``: the planner chooses."""
    every_s: float | None = None
    """Period of a recurrent run; ``None``: once."""
    deadline_s: float | None = None
    requests_per_s: float | None = None
    """serve: mean arrival rate."""
    request_b: float | None = None
    """serve: bytes that a request brings from where it is made; ``None``: too few to count."""
    peak_to_mean: float = 1.0
    latency_p99_s: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    accuracy_drop: float = 0.0
    """Largest relative loss of accuracy allowed."""
    sites: tuple[str, ...] = ()
    """Sites it may run on; empty: all."""


@dataclass(frozen=True)
class Objective:
    """What to minimise: weights of the totals, in USD per unit."""

    name: str
    """cost | energy | carbon | water | time, or ``weighted``."""
    weights: dict[str, float]
    """Per total: cost (1/USD), energy (USD/J), carbon (USD/kg), water (USD/m3), time (USD/s)."""


@dataclass(frozen=True)
class Caps:
    """What the whole plan may not exceed; ``None``: no cap."""

    capex_usd: float | None = None
    """Purchases of year 0."""
    cost_usd: float | None = None
    """Present cost over the horizon."""
    carbon_kg_per_year: float | None = None
    """Scopes 1 to 3."""
    water_m3_per_year: float | None = None
    """Of all sites, providers' included."""
    junction_margin_k: float = 0.0
    """What chips in halls keep below their limit on the design day, at least."""
    dry_doors: bool = False
    """Whether the water of rear doors must stay above the hall's dew point."""
    growth_fits: bool = False
    """Whether positions, power and water of each hall must carry the load of the horizon's every year."""


@dataclass(frozen=True)
class Finance:
    """How money is counted."""

    currency: str
    discount_per_year: float
    refresh_s: float
    """IT hardware is replaced after this long."""
    staff_usd_per_year: float
    """A given sum, the same for every plan."""
    maintenance_it_per_year: float
    """Share of IT capex a year."""
    downtime_usd_per_s: float = 0.0
    """What a second of standing still costs; 0: not counted."""
    failures: str = ""
    """How device failures grow with temperature: linear or arrhenius; empty: not counted."""
    repair_usd: float = 0.0
    """Parts and hands of one device failure."""
    staff_usd_per_w_year: float = 0.0
    """People who run a hall, per watt of its IT, where no sum is given; rented and edge places need none."""


@dataclass(frozen=True)
class Allow:
    """What may be chosen; an empty tuple means everything."""

    devices: tuple[str, ...] = ()
    cooling: tuple[str, ...] = ()
    compression: tuple[str, ...] = ()
    refrigerants: tuple[str, ...] = ()
    """Chillers hold the first; all alike in efficiency, they differ in what leaks do to the climate."""
    fluids: tuple[str, ...] = ()
    """Coolants that may touch plates (water, glycols) or servers (dielectrics), as ``fluids.liquids`` names them."""


@dataclass(frozen=True)
class Provenance:
    """Where one value of the model comes from."""

    path: str
    """For example ``sites.frankfurt.water.cycles``."""
    value: str
    """As text with its unit."""
    source: str
    """The file's line for what the person wrote, or the catalogue's source for a default."""
    confidence: str
    """``given`` for what the person wrote, else high | medium | low."""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Model:
    """Everything a plan needs. Built by ``scenario.resolve``; pure data from here on."""

    schema: int
    name: str
    horizon_s: float
    objective: Objective
    datasets: tuple[Dataset, ...]
    networks: tuple[Network, ...]
    stages: tuple[Stage, ...]
    on_premise: tuple[OnPremise, ...]
    clouds: tuple[Cloud, ...]
    edges: tuple[Edge, ...]
    devices: tuple[Device, ...]
    """Those allowed."""
    servers: tuple[Server, ...]
    """Those that hold an allowed device."""
    finance: Finance
    allow: Allow
    provenance: tuple[Provenance, ...]
    caps: Caps = Caps()

    def network(self, name: str) -> Network:
        """Return the AI model called ``name``."""
        return next(network for network in self.networks if network.name == name)

    def device(self, name: str) -> Device:
        """Return the device called ``name``."""
        return next(device for device in self.devices if device.name == name)
