"""Every way to put one stage somewhere, with the coefficients that the selection adds up."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from twinloop.catalogue import device, server_cooling
from twinloop.catalogue.nouns import CloudOffer, Server
from twinloop.economics.capital import capex_usd
from twinloop.economics.cloud import held_share, preemption_overhead
from twinloop.model.estimate import StageOption
from twinloop.model.model import Model, Stage
from twinloop.model.site import Cloud, Edge, OnPremise
from twinloop.planner.money import (
    Ledger,
    cloud_ledger,
    cloud_price,
    edge_ledger,
    flat_bill,
    hall_ledger,
    heat_sale,
    present_cost_usd,
    risk_usd,
)
from twinloop.planner.racks import air_rack_w, kind_of, pack, server_of
from twinloop.planner.rates import Rates
from twinloop.planner.sharing import Load
from twinloop.planner.standing_lines import standing_it_w
from twinloop.planner.wiring import Wiring, rack_share, wiring
from twinloop.twin.design import HybridDesign

YEAR_S = 8760 * 3600.0
EU_MEMBERS = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "HR",
        "CY",
        "CZ",
        "DK",
        "EE",
        "FI",
        "FR",
        "DE",
        "GR",
        "HU",
        "IE",
        "IT",
        "LV",
        "LT",
        "LU",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SK",
        "SI",
        "ES",
        "SE",
    ]
)
"""Member states by ISO 3166 code: a site in one satisfies residency ``EU``."""


@dataclass(frozen=True)
class Placement:
    """One column of the selection: an option of a stage, at a site, under a cooling design."""

    stage: str
    site: str
    design: str | None
    """Name of the cooling design; ``None`` where the provider decides."""
    option: StageOption
    servers: int
    racks: int
    """Positions where no other stage shares them."""
    weight_kg: float
    it_w: float
    """IT meter at full load."""
    facility_peak_w: float
    it_j: float
    """A year."""
    facility_j: float
    cooling_capex_usd: float
    water_m3: float
    """Site water a year."""
    carbon_kg: float
    """Scopes 1 to 3 a year."""
    source_water_m3: float
    ledger: Ledger
    cost_usd: float
    """Present cost over the horizon."""
    offer: CloudOffer | None = None
    copies: int = 1
    """Edge: places over which it is spread, 1 where all of it runs in one; cloud and hall: 1."""
    capex_usd: float = 0.0
    """Purchases of year 0."""
    purchase: str = ""
    """Cloud: on_demand, reserved or spot."""
    anchors: bool = True
    """Whether its server really uses the design's plates or baths: a hall of plates needs one that does."""
    short: tuple[tuple[str, float, float, str], ...] = ()
    """Limits of a rack position that one server breaks: name, limit, need, unit. Only to explain infeasibility."""
    load: Load | None = None
    """Hall: its servers as they fill racks."""
    beside: float = 0.0
    """Hall: positions that its switches take in racks of their own, in parts of a rack."""

    @property
    def key(self) -> str:
        """A readable, unique column name."""
        o = self.option
        layout = f"d{o.parallelism.data}t{o.parallelism.tensor}p{o.parallelism.pipeline}b{o.parallelism.batch}"
        where = f"{self.site}[{self.design}]" if self.design else self.site
        if self.purchase not in ("", "on_demand"):
            where += f":{self.purchase}"
        return f"{self.stage}@{where}:{o.device_count}x{o.device}:{o.server}:{o.precision}:{o.compression}:{layout}"


def dc_energy_j(option: StageOption, held: float = 1.0) -> float:
    """Return the DC energy of ``option`` in a year: idle while ``held``, that share of it, plus busy above idle."""
    busy, idle = option.busy.total_w, option.idle.total_w
    return (held * idle + option.busy_fraction * (busy - idle)) * YEAR_S


def hall_placement(
    model: Model, site: OnPremise, design: HybridDesign, option: StageOption, rates: Rates, *, loose: bool = False
) -> Placement | None:
    """Return ``option`` in ``site``'s hall under ``design``, or ``None`` where no server fits a rack
    or none is sold for the bath.

    ``loose`` keeps what breaks the power, height or weight of a position, one server a rack, and notes it.
    """
    server = server_of(model, option.server)
    if not belongs(server, design):
        return None
    network = wiring(option, server)
    takes = _takes(option, network.power_w * server.psu_efficiency, rates)
    server_w = option.busy.total_w * rates.it_per_dc_peak / option.servers
    packing = pack(server, server_w, server_w * rates.air_share, site.racks, design)
    if packing.servers_per_rack < 1 and not (loose and packing.short):
        return None
    ledger = _screened_ledger(model, site, design, option, server, network, rates, takes)
    return Placement(
        stage=option.stage, site=site.name, design=design.name, option=option, servers=option.servers,
        racks=math.ceil(option.servers / max(packing.servers_per_rack, 1)),
        weight_kg=option.servers * server.weight_kg + network.weight_kg, it_w=takes.it_w,
        facility_peak_w=takes.facility_peak_w, it_j=takes.it_j, facility_j=takes.facility_j,
        cooling_capex_usd=sum(item.amount_usd for item in rates.cooling_items(takes.it_w)), water_m3=takes.water_m3,
        carbon_kg=sum(ledger.carbon_kg_per_year.values()),
        source_water_m3=takes.facility_j * site.grid.source_water_m3_per_j, ledger=ledger,
        cost_usd=present_cost_usd(ledger, model), capex_usd=capex_usd(ledger.capital), anchors=plated(server, design),
        short=packing.short, load=Load(kind_of(server, design), option.servers, packing.share),
        beside=rack_share(site.racks, air_rack_w(design), network.power_w, network.height_u, network.weight_kg),
    )  # fmt: skip


@dataclass(frozen=True)
class _Takes:
    """What an option takes in a hall, its switches with it; energy and water by the year."""

    it_w: float
    facility_peak_w: float
    it_j: float
    facility_j: float
    water_m3: float


def _takes(option: StageOption, switch_w: float, rates: Rates) -> _Takes:
    """Return what ``option`` takes under ``rates``; ``switch_w`` behind the losses of the servers' supplies."""
    it_w = (option.busy.total_w + switch_w) * rates.it_per_dc_peak
    it_j = (dc_energy_j(option) + switch_w * YEAR_S) * rates.it_per_dc
    return _Takes(
        it_w, it_w * rates.facility_per_it_peak, it_j, it_j * rates.facility_per_it, it_j * rates.water_m3_per_it_j
    )


def _screened_ledger(
    model: Model, site: OnPremise, design: HybridDesign, option: StageOption, server: Server, network: Wiring,
    rates: Rates, takes: _Takes,
) -> Ledger:  # fmt: skip
    """Return the ledger of what ``option`` ``takes``, its electricity by a flat bill."""
    return hall_ledger(
        model, site, ((server, option.servers),), takes.it_w, rates.cooling_items(takes.it_w), takes.facility_j,
        flat_bill(site, takes.facility_j, takes.facility_peak_w), takes.water_m3,
        takes.it_w * rates.chiller_w_per_it_w, bathed=design.immersed,
        risk_usd={
            **risk_usd(model, site, {rates.mean_junction_c: option.device_count}),
            **heat_sale(site, takes.it_j * rates.heat_sold_per_it),
        },
        # Stages share what stands: each gets the share of its power that stands of a hall that is used in full.
        standing_w=takes.it_w * min(standing_it_w(site) / site.utility_power_w, 1.0),
        network_usd=network.price_usd, beside_kg=network.embodied_kg,
    )  # fmt: skip


def plated(server: Server, design: HybridDesign) -> bool:
    """Whether ``server`` really gets the plates or baths of ``design``; one without plates stays on air."""
    return design.paths["accelerator"] in server_cooling(server.name)


def belongs(server: Server, design: HybridDesign) -> bool:
    """Whether ``server`` is sold for what ``design`` gives it; one without plates may stay on air beside them."""
    offered = set(server_cooling(server.name))
    if design.immersed:
        return "bath" in offered
    path = design.paths["accelerator"]
    on_air = "rear_door" if design.has_door else "air"
    return bool(offered & ({"cold_plate", on_air} if path == "cold_plate" else {path}))


def cloud_placement(model: Model, site: Cloud, option: StageOption, purchase: str = "on_demand") -> Placement | None:
    """Return ``option`` on the cheapest offer of ``site`` that has its device, or ``None``.

    Money, energy, water and carbon are of the time for which the machines are held. Spot is for runs that can be
    repeated, which take longer by Young's rule; a run then late for its deadline is none.
    """
    server = server_of(model, option.server)
    fitting = [
        (offer, price)
        for offer in site.offers
        if _serves(offer, option, server) and (price := cloud_price(site, offer, purchase)) is not None
    ]
    if not fitting or (purchase == "spot" and option.duration_s is None):
        return None
    offer, price = min(fitting, key=lambda each: (_instances(each[0], option, server) * each[1], each[0].instance))
    count = _instances(offer, option, server)
    if purchase == "spot":
        longer = _interrupted(model, option, preemption_overhead(count, site.preemptions_per_s))
        if longer is None:
            return None
        option = longer
    fans_and_psu = 1.0 + server.fan_w_air / max(option.busy.total_w / option.servers, 1.0)
    network = wiring(option, server)
    it_w = option.busy.total_w * fans_and_psu / server.psu_efficiency + network.power_w
    held = held_share(option.duration_s, option.busy_fraction, purchase)
    it_j = dc_energy_j(option, held) * fans_and_psu / server.psu_efficiency + held * network.power_w * YEAR_S
    facility_j = it_j * site.pue
    ledger = cloud_ledger(model, site, price, count, option, facility_j, held, network.embodied_kg)
    return Placement(
        stage=option.stage, site=site.name, design=None, option=option, servers=count, racks=0, weight_kg=0.0,
        it_w=it_w, facility_peak_w=it_w * site.pue, it_j=it_j, facility_j=facility_j, cooling_capex_usd=0.0,
        water_m3=it_j / 3.6e6 * site.wue_l_per_kwh / 1e3, carbon_kg=sum(ledger.carbon_kg_per_year.values()),
        source_water_m3=facility_j * site.grid.source_water_m3_per_j, ledger=ledger,
        cost_usd=present_cost_usd(ledger, model), offer=offer, purchase=purchase,
    )  # fmt: skip


def _interrupted(model: Model, option: StageOption, overhead: float) -> StageOption | None:
    """Return ``option`` longer by ``overhead``; ``None`` past its deadline or period, or where it never ends."""
    stage = next(each for each in model.stages if each.name == option.stage)
    duration_s = (option.duration_s or 0.0) * (1.0 + overhead)
    limits = [limit for limit in (stage.deadline_s, stage.every_s) if limit is not None]
    if overhead > 1.0 or any(duration_s > limit for limit in limits):
        return None
    note = f"spot machines: {overhead:.0%} longer by checkpoints and restarts"
    return replace(
        option, duration_s=duration_s, busy_fraction=min(option.busy_fraction * (1.0 + overhead), 1.0),
        throughput_per_s=option.throughput_per_s / (1.0 + overhead), notes=(*option.notes, note),
    )  # fmt: skip


def _serves(offer: CloudOffer, option: StageOption, server: Server) -> bool:
    """Whether ``offer`` can run ``option``: the same device, or for processors any machine that is one."""
    if server.device_kind == "cpu":
        return device(offer.device).kind == "cpu"
    return offer.device == option.device and option.parallelism.tensor <= offer.devices


def _instances(offer: CloudOffer, option: StageOption, server: Server) -> int:
    """Return how many rented machines carry ``option``; processors are matched core for core."""
    if server.device_kind == "cpu":
        return math.ceil(option.servers * server.cores / offer.cores)
    return math.ceil(option.device_count / offer.devices)


def edge_placement(model: Model, site: Edge, option: StageOption, *, loose: bool = False) -> Placement | None:
    """Return ``option`` at ``site``, or ``None`` where one place has too little power for its part of it.

    Serving and ingest are spread, at least one server in each place and every replica whole in one; runs
    that end, whose devices talk to each other, lie in a single place: places have no network between them.
    ``loose`` keeps what a place has too little power for.
    """
    server = server_of(model, option.server)
    places = 1 if option.duration_s is not None else site.count
    per_place = _servers_in_a_place(option, places)
    scale = per_place * places / option.servers
    overhead = (1.0 + server.fan_w_air / max(option.busy.total_w / option.servers, 1.0)) / server.psu_efficiency
    it_w = option.busy.total_w * overhead * scale
    if it_w * site.pue / places > site.power_w and not loose:
        return None
    idle_j = option.idle.total_w * (scale - 1.0) * YEAR_S
    it_j = (dc_energy_j(option) + idle_j) * overhead
    facility_j = it_j * site.pue
    ledger = edge_ledger(model, site, server, per_place * places, facility_j, it_w * site.pue)
    return Placement(
        stage=option.stage, site=site.name, design=None, option=option, servers=per_place * places, racks=0,
        weight_kg=0.0, it_w=it_w, facility_peak_w=it_w * site.pue, it_j=it_j, facility_j=facility_j,
        cooling_capex_usd=0.0, water_m3=0.0, carbon_kg=sum(ledger.carbon_kg_per_year.values()),
        source_water_m3=facility_j * site.grid.source_water_m3_per_j, ledger=ledger,
        cost_usd=present_cost_usd(ledger, model), copies=places,
        capex_usd=capex_usd(ledger.capital),
    )  # fmt: skip


def _servers_in_a_place(option: StageOption, places: int) -> int:
    """Return the servers of ``option`` in each of ``places``: whole replicas, where one takes several servers."""
    replicas = option.parallelism.data
    if option.servers <= replicas or places == 1:
        return math.ceil(option.servers / places)
    return math.ceil(replicas / places) * math.ceil(option.servers / replicas)


def standing(p: Placement) -> int:
    """Return the devices of ``p`` that stand there: spread work has a server in each place, needed for load or not."""
    if p.copies == 1 or p.offer is not None:
        return p.option.device_count
    return p.option.device_count // p.option.servers * p.servers


def may_run(stage: Stage, site: OnPremise | Cloud | Edge, jurisdictions: frozenset[str]) -> bool:
    """Whether ``stage`` may lie at ``site``: named sites and data residency are hard sets."""
    named = not stage.sites or site.name in stage.sites
    lies_in = {site.jurisdiction} | ({"EU"} if site.jurisdiction.removeprefix("EU-") in EU_MEMBERS else set())
    return named and (not jurisdictions or bool(lies_in & jurisdictions))


def residency(model: Model, stage: Stage) -> frozenset[str]:
    """Return the jurisdictions that ``stage`` is bound to; empty: none.

    Derived data inherits the residency of what it was derived from, so a stage is bound by every
    dataset that it or any stage before it reads.
    """
    stages = {each.name: each for each in model.stages}
    data = {each.name: each for each in model.datasets}
    bound: frozenset[str] | None = None
    todo, seen = [stage.name], set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        todo.extend(stages[name].after)
        for read in stages[name].reads:
            where = frozenset(data[read].residency)
            if where:
                bound = where if bound is None else bound & where
    return frozenset() if bound is None else (bound or frozenset({"nowhere"}))
