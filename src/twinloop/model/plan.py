"""``plan.json``: the recommendation, with everything that defends it. Keys are a contract."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from twinloop.model.doubt import NearTie, Turn, Uncertainty
from twinloop.model.model import Provenance

SCHEMA = 1
Status = Literal["optimal", "feasible", "infeasible"]


@dataclass(frozen=True)
class ObjectiveValue:
    """The objective reached, and what the selection says no plan can beat."""

    name: str
    value: float
    """By the twin."""
    bound: float | None
    """Coefficient bound: below the objective of every plan under the selection's linear coefficients, corrected by
    the twin where it has checked. No proof on the twin's own objective; never above ``value``. ``None``: nothing
    is feasible."""
    gap: float | None
    """``(value - bound) / |value|``, 0 or more."""


@dataclass(frozen=True)
class PlannedParallelism:
    """Layout of one stage; names follow the field's words."""

    data: int
    tensor: int
    pipeline: int
    expert: int
    context: int
    micro_batch: int
    batch: int
    zero: int = 0
    """ZeRO stage: what the data-parallel devices share (0 nothing, 1 optimizer, 2 gradients too, 3 weights too)."""
    recompute: str = "none"
    interleave: int = 1


@dataclass(frozen=True)
class PlannedStage:
    """One stage as recommended."""

    name: str
    site: str
    device: str
    device_count: int
    server: str
    servers: int
    precision: str
    compression: str
    parallelism: PlannedParallelism
    throughput: float
    duration_s: float | None
    power_w: float
    """At the IT meter while busy."""
    mfu: float | None
    memory_per_device_gb: float
    latency_p99_s: float | None
    time_breakdown_s: dict[str, float]
    why: str
    """Runner-up and what would have to change for it to win."""
    memory_gb: dict[str, float] = field(default_factory=dict)
    """``memory_per_device_gb`` by what it holds: weights, gradients, optimizer, activations, KV cache …; empty where it
    is not known."""


@dataclass(frozen=True)
class RackShare:
    """The servers of one stage in one rack."""

    stage: str
    server: str
    servers: int


@dataclass(frozen=True)
class RackType:
    """Racks filled alike, by one stage or by several that are cooled alike."""

    name: str
    count: int
    server: str
    """Of several kinds: their names joined by " + "."""
    servers_per_rack: int
    """Of all stages together."""
    power_w: float
    """At full load."""
    weight_kg: float
    height_u: float
    component_w: dict[str, float]
    """Heat by component at full load, fans and power supplies included: sums to ``power_w``."""
    carriers: dict[str, str]
    """What really takes each component's heat in these racks: a server sold without plates stays on air."""
    contents: tuple[RackShare, ...] = ()


@dataclass(frozen=True)
class PlannedCooling:
    """How a site is cooled."""

    name: str
    components: dict[str, str]
    """accelerator|cpu|memory|network|storage|power_supply -> air|rear_door|cold_plate|bath."""
    rack: str
    heat_rejection: str
    supply_c: float
    """Facility water to the warm loop; of the cold loop where there is no warm one."""
    setpoints: dict[str, float]
    redundancy: str
    why: str


@dataclass(frozen=True)
class Equipment:
    """One line of the equipment schedule."""

    tag: str
    type: str
    count: int
    spare: int
    rated_w: float
    """Installed rating of one machine, margin included: heat; of the power chain electricity."""
    flow_m3_h: float | None
    dp_kpa: float | None
    t_in_c: float | None
    t_out_c: float | None
    power_w: float
    """Electrical, at design, of all running units."""
    design_condition: str
    margin: float
    """Installed over required, minus one, spares apart: the share of the rating on top of the duty."""
    capex_usd: float | None
    """``None``: no price of its own; it is part of another line's or of the building's, as the condition says.
    Of distribution units that of the spares alone."""


@dataclass(frozen=True)
class Machines:
    """Machines alike of the power chain, as the schedule has them."""

    count: int
    spare: int
    rated_w: float
    """Of one."""


@dataclass(frozen=True)
class Electrical:
    """The power chain: ratings that the load needs, in watt, and the machines that give them."""

    transformer_w: float
    ups_w: float
    """Of the UPS, or of the rectifiers that hold the battery in its place, as the schedule says."""
    generator_w: float
    transformer: Machines | None = None
    """``None``: a plan that was written before it named machines here."""
    ups: Machines | None = None
    generator: Machines | None = None


@dataclass(frozen=True)
class Totals:
    """The figures a plan is judged by. ``None``: unknown or not applicable, never zero."""

    capex_usd: float
    opex_usd_per_year: float
    tco_usd: float
    it_energy_mwh_per_year: float
    facility_energy_mwh_per_year: float
    pue: float | None
    tue: float | None
    wue_site_l_per_kwh: float | None
    wue_source_l_per_kwh: float | None
    cue_kg_per_kwh: float | None
    erf: float | None
    carbon_t_per_year: dict[str, float]
    """scope1, scope2, scope3."""
    water_m3_per_year: float
    peak_power_w: float
    peak_junction_c: float | None
    throttled_hours: float | None
    """Of the halls; what a provider's devices throttle is unknown."""
    unit_costs: dict[str, float]
    ere: float | None = None
    """Energy reuse effectiveness, (1 - ERF) PUE."""
    heat_sold_mwh_per_year: float | None = None


@dataclass(frozen=True)
class DesignDay:
    """The hall at its sizing condition."""

    dry_bulb_c: float
    wet_bulb_c: float
    basis: str
    pue: float
    peak_junction_c: float | None
    supply_c: float
    margin_k: float | None
    """Junction limit minus junction."""


@dataclass(frozen=True)
class FailureCase:
    """One unit lost on the design day."""

    case: str
    min_margin_k: float | None
    time_to_throttle_s: float | None


@dataclass(frozen=True)
class PlannedSite:
    """One site as recommended. Cloud and edge sites carry ``None`` where the provider decides."""

    name: str
    kind: str
    racks: int
    rack_types: tuple[RackType, ...]
    cooling: PlannedCooling | None
    equipment: tuple[Equipment, ...]
    electrical: Electrical | None
    design_day: DesignDay | None
    failure_cases: tuple[FailureCase, ...]
    totals: Totals
    marked: str
    """``twin`` for figures our physics gives, ``catalogue`` for a provider's."""
    air_class: str | None = None
    """Of the hall, ASHRAE A1 to A4 or H1; ``None`` where the provider decides."""


@dataclass(frozen=True)
class CashYear:
    """Money of one year, undiscounted, by purpose; year 0 is the purchase."""

    year: int
    amounts_usd: dict[str, float]
    discounted_usd: float


@dataclass(frozen=True)
class Baseline:
    """A plainer design given the same load, redundancy, design basis and effort."""

    name: str
    feasible: bool
    totals: Totals | None
    saving: float | None
    """Of the objective, as a share of the baseline's; negative: the baseline is better."""
    note: str
    cashflow: tuple[CashYear, ...] = ()
    """Its own money year by year; empty where there is no such plan."""


@dataclass(frozen=True)
class Sequential:
    """The plan that comes out when compute is chosen first and cooling afterwards, beside the joint one."""

    feasible: bool
    totals: Totals | None
    saving: float | None
    """Of the objective by choosing together, as a share of the sequential plan's; 0: nothing gained."""
    technology: str
    """The single cooling technology at whose figures compute was chosen."""
    cause: str


@dataclass(frozen=True)
class Clash:
    """One constraint of the smallest set that cannot hold together."""

    name: str
    bound: float | None
    needed: float | None
    """By the cheapest relaxation; ``None`` where that leaves it alone."""
    unit: str
    words: str


@dataclass(frozen=True)
class Economy:
    """One way of cooling the same load: what it costs to buy and in the long run."""

    name: str
    feasible: bool
    capex_usd: float | None
    cooling_capex_usd: float | None
    opex_usd_per_year: float | None
    tco_usd: float | None
    payback_years: float | None
    """Until the recommendation, dearer to buy, has cost no more than this; 0: never dearer; ``None``: never."""
    note: str


@dataclass(frozen=True)
class Alternative:
    """A neighbour of the recommendation."""

    name: str
    totals: Totals
    objective: float
    change: str
    """In words: what differs, and what would have to change for it to win."""


@dataclass(frozen=True)
class FrontierPoint:
    """One undominated plan."""

    name: str
    cost_usd: float
    energy_mwh_per_year: float
    carbon_t_per_year: float
    water_m3_per_year: float
    knee: bool
    checked: bool = False
    """Whether the figures are the twin's, of the whole year; else by screened coefficients."""


@dataclass(frozen=True)
class Constraint:
    """One limit and how close the plan is to it."""

    name: str
    slack: float
    unit: str
    shadow_price: float | None
    """How far the objective falls for one unit more of the limit, in the objective's unit: the dual of the LP
    relaxation, in which work may be placed in part; the choice itself follows in steps. ``None``: no such optimum."""
    note: str = ""
    """Of which year the limit is, where the load grows."""


@dataclass(frozen=True)
class RuleBreach:
    """A rule of the field that the plan breaks or comes near to."""

    rule: str
    message: str
    source: str


@dataclass(frozen=True)
class Plan:
    """The whole recommendation."""

    schema: int
    scenario: str
    scenario_hash: str
    status: Status
    summary: str
    """The recommendation in one sentence."""
    objective: ObjectiveValue
    stages: tuple[PlannedStage, ...]
    sites: tuple[PlannedSite, ...]
    phases: tuple[str, ...]
    cashflow: tuple[CashYear, ...]
    totals: Totals
    potential: Totals | None
    """With hourly-optimal setpoints in the halls; ``None`` where the plan has none."""
    baselines: tuple[Baseline, ...]
    alternatives: tuple[Alternative, ...]
    frontier: tuple[FrontierPoint, ...]
    uncertainty: Uncertainty | None
    constraints: tuple[Constraint, ...]
    warnings: tuple[RuleBreach, ...]
    provenance: tuple[Provenance, ...]
    sequential: Sequential | None = None
    economics: tuple[Economy, ...] = ()
    """The recommendation against air, liquid and immersion."""
    clashes: tuple[Clash, ...] = ()
    """``infeasible`` only: constraints that cannot hold together; the plan is then that of the first way out."""
    ways_out: tuple[str, ...] = ()
    near_ties: tuple[NearTie, ...] = ()
    turns: tuple[Turn, ...] = ()
    """How far prices may move before another kind of plan is recommended."""
