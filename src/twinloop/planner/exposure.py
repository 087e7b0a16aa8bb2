"""What a plan's totals rest on: each cost, energy, water and carbon with the range of the fact behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinloop.catalogue.nouns import Fact
from twinloop.catalogue.tables import constant, rows
from twinloop.economics.capital import CapitalItem
from twinloop.economics.cashflow import tco_usd
from twinloop.model.model import Model
from twinloop.model.site import Site
from twinloop.planner.check import Checked, CheckedSite
from twinloop.planner.money import Ledger, cash_of, plain_name


@dataclass(frozen=True)
class Range:
    """Low and high over the value used, of a fact; facts of one cause move together."""

    cause: str
    low: float
    high: float
    source: str


LOAD = Range("IT power", 0.93, 1.07, "node power of the model against measured nodes, aim 7 %")
PLANT = Range("cooling and power overhead", 0.85, 1.15, "end uses against EnergyPlus, aim 10 %; screening and weather")
EVAPORATION = Range("water of towers and pads", 0.85, 1.15, "water against EnergyPlus, aim 15 %")
LEAKS = Range("refrigerant and generators", 0.5, 5.0, "IPCC 2006 guidelines, 2-15 % a year around 2 %")
EMBODIED = Range("carbon of making", 0.6, 1.7, "life-cycle reports of servers, low confidence")
ELECTRICITY = Range("electricity price", 0.70, 1.50, "p95/mean of 2020-24 wholesale years")
CLOUD = Range("cloud prices", 0.65, 1.20, "negotiated discounts, and the share of reserved machines 0.4-0.7 around 0.6")
BUILDING = Range("building and power", 0.85, 1.20, "Data Centre Cost Index 2025-2026, city spread")
CARBON_PRICE = Range("carbon price", 0.50, 2.00, "range of scenario prices in use, low confidence")
WATER_PRICE = Range("water price", 0.40, 2.40, "US 1-6 USD/m3 around 2.5, low confidence")
STAFF = Range("staff", 0.80, 1.30, "low confidence")
HALL_STAFF = Range("staff", 0.33, 2.67, "0.5-4 people around 1.5 a megawatt, low confidence")
NETWORK = Range("cluster network", 0.55, 1.80, "catalogue economics, fabric, low confidence")
LINES = Range("lines", 0.30, 3.00, "catalogue economics, line, low confidence")
STORAGE = Range("storage", 0.40, 2.50, "catalogue economics, storage, low confidence")
HEAT_PRICE = Range("heat price", 0.50, 1.50, "low confidence")
OTHER_SERVERS = (0.80, 1.25, "street-price ranges of the catalogue")
OTHER_KITS = (0.65, 1.60, "catalogue cooling_kits, low/high over value")

PRICES = {
    "building and power": (BUILDING, ""),
    "electricity": (ELECTRICITY, "energy"),
    "demand charge": (ELECTRICITY, "energy"),
    "water": (WATER_PRICE, "water"),
    "water price": (WATER_PRICE, "water"),
    "carbon price": (CARBON_PRICE, "carbon"),
    "cloud rental": (CLOUD, ""),
    "egress": (CLOUD, ""),
    "lines": (LINES, ""),
    "cloud storage": (CLOUD, ""),
    "network": (NETWORK, ""),
    "storage": (STORAGE, ""),
    "staff": (STAFF, ""),
    "operations staff": (HALL_STAFF, ""),
    "heat sale": (HEAT_PRICE, "load"),
}
"""Purpose -> range of its price, and the amount that it is paid for; a purpose not named does not move."""

VENDORS = (
    ("AMD", ("MI", "EPYC", "Alveo", "Versal", "RX")),
    ("Ampere", ("Ampere",)),
    ("AWS", ("Graviton", "Inferentia", "Trainium")),
    ("Google", ("TPU", "Coral")),
    ("Huawei", ("Ascend",)),
    ("Intel", ("Max", "Xeon", "Gaudi", "Agilex", "Stratix", "Loihi", "Hala", "Arc")),
    ("Meta", ("MTIA",)),
    ("Microsoft", ("Maia",)),
    ("NVIDIA", (
        "A1", "A2", "A3", "A4", "A8", "B1", "B2", "B3", "DGX", "GB", "GH", "Grace", "H1", "H2", "H8", "Jetson", "L2",
        "L4", "P1", "RTX", "Rubin", "T4", "V1", "Vera",
    )),
    ("Qualcomm", ("Cloud-AI",)),
    ("SambaNova", ("SN40",)),
    ("Tenstorrent", ("Blackhole", "Wormhole")),
)  # fmt: skip
"""Maker -> beginnings of its devices' names: what one maker sells gets dearer together."""


@dataclass(frozen=True)
class Part:
    """One cost: present value, and what moves it."""

    present_usd: float
    upfront_usd: float
    """Of it, bought in year 0."""
    price: Range | None
    amount: str
    """energy, water, carbon or load where it follows that amount; empty where it does not."""


@dataclass(frozen=True)
class SiteExposure:
    """One site's amounts a year and costs."""

    it_mwh: float
    overhead_mwh: float
    overhead: Range
    water_m3: float
    scope1_t: float
    operational_t: float
    grid: Range
    making_t: float
    """Embodied: scope 3 less what of it is operational."""
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Exposure:
    """A whole plan."""

    sites: tuple[SiteExposure, ...]
    shared: tuple[Part, ...]
    """Costs of no single site: staff, stored datasets, data between sites."""
    time_s: float


def vendor_of(device: str) -> str:
    """Return the maker of ``device``; its own name where it is not known.

    >>> vendor_of("H100-SXM-80GB"), vendor_of("MI300X"), vendor_of("Hailo-8")
    ('NVIDIA', 'AMD', 'Hailo-8')
    """
    return next((maker for maker, starts in VENDORS if device.startswith(starts)), device)


def exposure(checked: Checked, model: Model) -> Exposure:
    """Return what the totals of ``checked`` rest on."""
    local = {name for site in checked.sites for name in site.ledger.yearly_usd}
    rest = {name: usd for name, usd in checked.ledger.yearly_usd.items() if plain_name(name) not in local}
    stored = tuple(item for item in checked.ledger.capital if item.name == "storage")
    shared = replace(checked.ledger, capital=stored, yearly_usd=rest)
    time_s = sum(p.option.duration_s or p.option.latency_p99_s or 0.0 for p in checked.placements)
    return Exposure(tuple(_site(site, model) for site in checked.sites), _parts(shared, model), time_s)


def _site(site: CheckedSite, model: Model) -> SiteExposure:
    totals, scopes = site.planned.totals, site.planned.totals.carbon_t_per_year
    operational_t = site.ledger.operational_kg_per_year / 1e3
    making_t = sum(scopes.values()) - scopes["scope1"] - operational_t
    return SiteExposure(
        it_mwh=totals.it_energy_mwh_per_year,
        overhead_mwh=totals.facility_energy_mwh_per_year - totals.it_energy_mwh_per_year,
        overhead=_overhead(site, model), water_m3=totals.water_m3_per_year, scope1_t=scopes["scope1"],
        operational_t=operational_t, grid=_grid(site, model), making_t=making_t,
        parts=_parts(site.ledger, model),
    )  # fmt: skip


def _parts(ledger: Ledger, model: Model) -> tuple[Part, ...]:
    """Return every cost of ``ledger`` by its own present value, upkeep and renewal with the asset."""
    found = [
        Part(_present(replace(ledger, capital=(item,), yearly_usd={}), model), _upfront(item), _bought(item, model), "")
        for item in ledger.capital
    ]
    for name, usd in ledger.yearly_usd.items():
        price, amount = PRICES.get(plain_name(name), (None, ""))
        found.append(Part(_present(replace(ledger, capital=(), yearly_usd={name: usd}), model), 0.0, price, amount))
    return tuple(found)


def _present(ledger: Ledger, model: Model) -> float:
    return tco_usd(cash_of(ledger, model))


def _upfront(item: CapitalItem) -> float:
    return item.amount_usd if item.bought_year == 0 else 0.0


def _bought(item: CapitalItem, model: Model) -> Range | None:
    if item.name in PRICES:
        return PRICES[item.name][0]
    if item.name == "servers":
        device = next((server.device for server in model.servers if server.name == item.of), item.of)
        return _ranged(f"{vendor_of(device)} server prices", _fact("servers", item.of, "price_usd"), OTHER_SERVERS)
    return _ranged("cooling equipment prices", _fact("cooling_kits", item.name, "capex_usd_per_w"), OTHER_KITS)


def _overhead(site: CheckedSite, model: Model) -> Range:
    """Return the range of what is beyond IT: the twin's own error, or the spread of a provider's PUE."""
    if site.planned.kind == "on-premise":
        return PLANT
    provider = next((cloud.provider for cloud in model.clouds if cloud.name == site.planned.name), None)
    fact = constant("economics", "default", "pue_edge") if provider is None else _fact("cloud_regions", provider, "pue")
    if fact is None or fact.low is None or fact.high is None or float(fact.value) <= 1.0:
        return Range("PUE of providers and edge", 0.5, 2.0, "low confidence")
    beyond = float(fact.value) - 1.0
    return Range("PUE of providers and edge", (fact.low - 1.0) / beyond, (fact.high - 1.0) / beyond, fact.source)


def _grid(site: CheckedSite, model: Model) -> Range:
    sites: tuple[Site, ...] = (*model.on_premise, *model.clouds, *model.edges)
    name = next(each.grid.name for each in sites if each.name == site.planned.name)
    return _ranged("carbon of the grid", _fact("grids", name, "carbon_kg_per_j"), (0.90, 1.10, "low confidence"))


def _fact(table: str, name: str, quantity: str) -> Fact | None:
    return rows(table).get(name, {}).get(quantity)


def _ranged(cause: str, fact: Fact | None, usual: tuple[float, float, str]) -> Range:
    """Return the fact's own low and high over its value, ``usual`` where it has none."""
    if fact is None or fact.low is None or fact.high is None or isinstance(fact.value, str) or fact.value <= 0.0:
        return Range(cause, *usual)
    return Range(cause, min(fact.low / fact.value, 1.0), max(fact.high / fact.value, 1.0), fact.source)
