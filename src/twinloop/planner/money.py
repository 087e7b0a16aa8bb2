"""What a placement or a whole site costs and emits, as a ledger that adds up."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.catalogue import constant, cooling_kit
from twinloop.catalogue.nouns import CloudOffer, Server
from twinloop.economics.availability import SITE_AVAILABILITY, downtime_usd_per_year, failures_per_year
from twinloop.economics.capital import CapitalItem, hardware_item
from twinloop.economics.carbon import embodied_kg_per_year, scope1_kg_per_year, scope2_kg
from twinloop.economics.cashflow import cashflow, tco_usd
from twinloop.economics.cloud import rental_usd_per_year
from twinloop.economics.energy_cost import demand_charge_usd, energy_cost_usd
from twinloop.economics.heat_reuse import heat_sales_usd
from twinloop.economics.periods import years
from twinloop.model.estimate import StageOption
from twinloop.model.model import Model
from twinloop.model.plan import CashYear, Equipment
from twinloop.model.site import Cloud, Edge, OnPremise, PowerChain, Redundancy, Tariff
from twinloop.power.chains import chain
from twinloop.twin.design import PlantConstants
from twinloop.twin.electrical import size_electrics

YEAR_S = 8760 * 3600.0
REFRIGERANT = "R134a"
"""What chillers of this size commonly hold, where the scenario names none; newer ones hold R1234ze with far less
effect. Low confidence."""
CHARGED = ("air_cooled_chiller", "water_cooled_chiller", "heat_pump")
"""Kinds of equipment that hold refrigerant."""
BATH_CONVERSION = 0.03
"""Added to the price of a server sold for air when it goes into a bath: fans out, heat sinks and thermal paste
changed, firmware, warranty; 1-6 %. A chassis sold with plates costs 4-5 % more than its air twin (catalogue).
From memory, low confidence."""
NOT_GROWING = ("staff", "downtime", "storage", "cloud storage")
"""Amounts that do not follow the load; datasets have a growth of their own."""
ASSETS = ("servers", "network", "storage", "building and power")
"""Capital items by their own name; the others are cooling plant."""
BUILDING_LIFE_S = 25 * YEAR_S
"""Shell and electrical plant; practice, low confidence."""


@dataclass(frozen=True)
class Ledger:
    """Purchases, yearly amounts and yearly emissions; ledgers add up."""

    capital: tuple[CapitalItem, ...]
    yearly_usd: dict[str, float]
    escalation: dict[str, float]
    carbon_kg_per_year: dict[str, float]
    operational_kg_per_year: float = 0.0
    """Carbon of the facility's electricity, whichever scope books it: what CUE counts."""


@dataclass(frozen=True)
class Bill:
    """A year of electricity."""

    energy_usd: float
    demand_usd: float


def flat_bill(site: OnPremise | Edge, facility_j: float, peak_w: float) -> Bill:
    """Return the bill of a flat load: for screening, where no hourly profile exists."""
    price = float(np.mean(site.tariff.energy_usd_per_j))
    return Bill(facility_j * price, peak_w * site.tariff.demand_usd_per_w_month * 12.0)


def hourly_bill(facility_w: FloatArray, tariff: Tariff, peak_w: FloatArray | None = None) -> Bill:
    """Return the bill of an hourly profile, shape (8760,), W; ``peak_w``: of each hour's busiest quarter."""
    demand = demand_charge_usd(facility_w if peak_w is None else peak_w, tariff)
    return Bill(energy_cost_usd(facility_w, tariff), demand)


def hall_ledger(
    model: Model,
    site: OnPremise,
    servers: tuple[tuple[Server, int], ...],
    it_w: float,
    cooling: tuple[CapitalItem, ...],
    facility_j: float,
    bill: Bill,
    water_m3: float,
    chiller_w: float,
    bathed: bool = False,  # noqa: FBT001 - named by its callers
    risk_usd: dict[str, float] | None = None,
    standing_w: float = 0.0,
    network_usd: float = 0.0,
    beside_kg: float = 0.0,
) -> Ledger:
    """Return the ledger of servers in a hall of ours.

    ``chiller_w`` is rated, for refrigerant leaks; ``risk_usd`` is the yearly money of failures, downtime and heat sold;
    shell and power for ``standing_w`` of IT stand already; ``network_usd`` is of the switches behind the servers,
    ``beside_kg`` of making them and what else stands beside servers.
    """
    finance = model.finance
    capital = (
        *(_bought(server, count * (1.0 + BATH_CONVERSION * bathed), model) for server, count in servers),
        *((hardware_item("network", network_usd, finance),) if network_usd > 0.0 else ()),
        _shell(site, it_w, standing_w),
        *cooling,
    )
    embodied = sum(embodied_kg_per_year(server.embodied_kg * count, finance.refresh_s) for server, count in servers)
    embodied += embodied_kg_per_year(beside_kg, finance.refresh_s)
    yearly = {
        "electricity": bill.energy_usd,
        "demand charge": bill.demand_usd,
        "water": water_m3 * site.water.price_usd_per_m3,
        **({"operations staff": it_w * finance.staff_usd_per_w_year} if finance.staff_usd_per_w_year else {}),
        **(risk_usd or {}),
    }
    refrigerant = next(iter(model.allow.refrigerants), REFRIGERANT)
    carbon = {
        "scope1": scope1_kg_per_year(chiller_w, refrigerant, generators_w(it_w, site.redundancy)),
        "scope2": scope2_kg(facility_j, site.grid),
        "scope3": embodied,
    }
    escalation = {"electricity": site.tariff.escalation_per_year, "demand charge": site.tariff.escalation_per_year}
    return priced(Ledger(capital, yearly, escalation, carbon, carbon["scope2"]), model, water_m3)


def _shell(site: OnPremise, it_w: float, standing_w: float) -> CapitalItem:
    """Return building and power chain for what of ``it_w`` does not stand yet."""
    usd_per_w = site.build_usd_per_w * (1.0 + power_chain_share(it_w, site.redundancy, site.power_chain))
    return CapitalItem("building and power", max(it_w - standing_w, 0.0) * usd_per_w, BUILDING_LIFE_S, 0.0)


def _bought(server: Server, count: float, model: Model) -> CapitalItem:
    finance = model.finance
    return CapitalItem(
        "servers", server.price_usd * count, finance.refresh_s, finance.maintenance_it_per_year, of=server.name
    )


def power_chain_share(it_w: float, redundancy: Redundancy, name: PowerChain = "ac_double_conversion") -> float:
    """Return what spares, and rectifiers in the place of a UPS, add to the price of building and power, as a share.

    That price is read as of a UPS without spares. Each kind of machine has its share of it (catalogue), and
    what is installed beyond such a chain costs as much by the watt, smaller machines than usual more. 2N has two
    paths, so switchgear twice. Rectifiers cost what the catalogue's prices say over a UPS; converters in racks are
    in the price of servers, whose power supplies they replace.

    >>> power_chain_share(4e6, "N"), round(power_chain_share(4e6, "2N"), 9)
    (0.0, 0.248)
    """
    if it_w <= 0.0:
        return 0.0
    bare, whole = size_electrics(it_w, "N", PlantConstants()), size_electrics(it_w, redundancy, PlantConstants(), name)
    dearer = {kind: whole.units[kind].premium * whole.installed_w[kind] / w for kind, w in bare.installed_w.items()}
    dearer["ups"] *= cooling_kit(chain(name).backup).capex_usd_per_w / cooling_kit("ups").capex_usd_per_w
    dearer["switchgear"] = 2.0 if redundancy == "2N" else 1.0
    return math.fsum(_price_share(kind) * (each - 1.0) for kind, each in dearer.items())


def _price_share(kind: str) -> float:
    return float(constant("economics", "default", f"{kind}_share_of_building").value)


def generators_w(it_w: float, redundancy: Redundancy) -> float:
    """Return the rating of all stand-by generators behind ``it_w``, spares included: they are tested too.

    >>> generators_w(2e6, "N"), generators_w(2e6, "N+1"), generators_w(2e6, "2N")
    (3000000.0, 4000000.0, 6000000.0)
    """
    return size_electrics(it_w, redundancy, PlantConstants()).installed_w["generator"]


def charged_w(lines: tuple[Equipment, ...]) -> float:
    """Return the rated cooling of all machines that hold refrigerant, spares included: theirs leaks too."""
    return math.fsum(line.rated_w * (line.count + line.spare) for line in lines if line.type in CHARGED)


def risk_usd(model: Model, site: OnPremise, devices: dict[float, int]) -> dict[str, float]:
    """Return the yearly cost of failures and of downtime, where the scenario prices them.

    Args:
        model: for the failure law, the price of a repair and of an hour's standstill.
        site: for its redundancy.
        devices: mean busy junction, °C -> how many devices.
    """
    finance, found = model.finance, {}
    if finance.failures:
        count = sum(failures_per_year(n, junction_c, finance.failures) for junction_c, n in devices.items())
        found["failures"] = count * finance.repair_usd
    if finance.downtime_usd_per_s > 0.0:
        hourly = finance.downtime_usd_per_s * 3600.0
        found["downtime"] = downtime_usd_per_year(SITE_AVAILABILITY[site.redundancy], hourly)
    return found


def heat_sale(site: OnPremise, sold_j: float) -> dict[str, float]:
    """Return what the heat buyer pays in a year, as a negative cost; empty where nothing is sold."""
    if site.heat_offtake is None or sold_j <= 0.0:
        return {}
    return {"heat sale": -heat_sales_usd(sold_j, site.heat_offtake)}


def cloud_price(site: Cloud, offer: CloudOffer, purchase: str) -> float | None:
    """Return the price per second of one machine bought on_demand, reserved or spot; ``None``: not sold so."""
    if purchase == "spot":
        return offer.spot_usd_per_s
    return offer.price_usd_per_s * (site.reserved_share if purchase == "reserved" else 1.0)


def cloud_ledger(
    model: Model, site: Cloud, price_usd_per_s: float, instances: int, option: StageOption, facility_j: float,
    held: float, network_kg: float = 0.0,
) -> Ledger:  # fmt: skip
    """Return the ledger of rented instances, ``held`` for that share of the year: rent and the making follow it.

    ``network_kg`` is of making the network behind them, over the life that our own servers have.

    Their electricity is bought by the provider: for us purchased services, scope 3 category 1.
    """
    yearly = {"cloud rental": rental_usd_per_year(price_usd_per_s, instances, held)}
    devices_s = option.device_count * held * YEAR_S
    operational = scope2_kg(facility_j, site.grid)
    carbon = {
        "scope1": 0.0,
        "scope2": 0.0,
        "scope3": operational
        + devices_s * site.embodied_kg_per_device_s
        + held * embodied_kg_per_year(network_kg, model.finance.refresh_s),
    }
    return priced(Ledger((), yearly, {}, carbon, operational), model, 0.0)


def edge_ledger(model: Model, site: Edge, server: Server, servers: int, facility_j: float, peak_w: float) -> Ledger:
    """Return the ledger of servers at many small places; the places' own buildings are sunk."""
    finance = model.finance
    bill = flat_bill(site, facility_j, peak_w)
    capital = (_bought(server, servers, model),)
    carbon = {
        "scope1": 0.0,
        "scope2": scope2_kg(facility_j, site.grid),
        "scope3": embodied_kg_per_year(server.embodied_kg * servers, finance.refresh_s),
    }
    yearly = {"electricity": bill.energy_usd, "demand charge": bill.demand_usd}
    escalation = {"electricity": site.tariff.escalation_per_year, "demand charge": site.tariff.escalation_per_year}
    return priced(Ledger(capital, yearly, escalation, carbon, carbon["scope2"]), model, 0.0)


def priced(ledger: Ledger, model: Model, water_m3: float) -> Ledger:
    """Add the scenario's own prices of carbon and water, where it names them, as yearly amounts."""
    weights = model.objective.weights
    extra = {}
    if model.objective.name == "cost":
        carbon_kg = sum(ledger.carbon_kg_per_year.values())
        if weights.get("carbon", 0.0) > 0.0:
            extra["carbon price"] = carbon_kg * weights["carbon"]
        if weights.get("water", 0.0) > 0.0 and water_m3 > 0.0:
            extra["water price"] = water_m3 * weights["water"]
    return replace(ledger, yearly_usd={**ledger.yearly_usd, **extra})


def add_ledgers(ledgers: tuple[Ledger, ...]) -> Ledger:
    """Return the sum: capital side by side, yearly amounts and carbon by name.

    An amount that rises at another rate than one of its name before it is kept apart, as ``name @ rate``.
    """
    capital = tuple(item for ledger in ledgers for item in ledger.capital)
    yearly: dict[str, float] = {}
    carbon: dict[str, float] = {"scope1": 0.0, "scope2": 0.0, "scope3": 0.0}
    escalation: dict[str, float] = {}
    for ledger in ledgers:
        for key, amount in ledger.yearly_usd.items():
            rate = ledger.escalation.get(key, 0.0)
            name = key if key not in yearly or escalation[key] == rate else f"{plain_name(key)} @ {rate!r}"
            yearly[name] = yearly.get(name, 0.0) + amount
            escalation[name] = rate
        for name, amount in ledger.carbon_kg_per_year.items():
            carbon[name] += amount
    operational = math.fsum(ledger.operational_kg_per_year for ledger in ledgers)
    return Ledger(capital, yearly, escalation, carbon, operational)


def plain_name(name: str) -> str:
    """Return the name of a yearly amount without the rate at which it rises.

    >>> plain_name("electricity @ 0.3")
    'electricity'
    """
    return name.split(" @ ")[0]


def cash_of(ledger: Ledger, model: Model) -> tuple[CashYear, ...]:
    """Return the cash flow of ``ledger`` over the horizon, the growth of the load in it.

    Year 1 carries today's load, every later year ``(1 + g)`` times the one before: assets for it are bought in
    proportion at the end of the year before, yearly amounts grow with it; ``NOT_GROWING`` does not.
    """
    return tuple(replace(row, amounts_usd=_by_plain_name(row.amounts_usd)) for row in _rows(ledger, model))


def _rows(ledger: Ledger, model: Model) -> tuple[CashYear, ...]:
    """Return the cash flow by purpose, amounts that rise at different rates apart."""
    growth = load_growth_per_year(model)
    escalation = {
        name: (1.0 + ledger.escalation.get(name, 0.0)) * (1.0 + (0.0 if name in NOT_GROWING else growth)) - 1.0
        for name in ledger.yearly_usd
    }
    growing = [item for item in ledger.capital if item.amount_usd > 0.0 and item.name not in NOT_GROWING]
    later = [
        CapitalItem(
            item.name, item.amount_usd * growth * (1.0 + growth) ** (year - 1), item.life_s, item.maintenance_per_year,
            year, item.of,
        )
        for year in range(1, math.ceil(years(model.horizon_s)) if growth > 0.0 else 1)
        for item in growing
    ]  # fmt: skip
    return cashflow((*ledger.capital, *later), ledger.yearly_usd, escalation, model.finance, model.horizon_s)


def _by_plain_name(amounts: dict[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, amount in amounts.items():
        found[plain_name(name)] = found.get(plain_name(name), 0.0) + amount
    return found


def load_growth_per_year(model: Model) -> float:
    """Return the yearly growth of the load: the largest that a hall expects, wherever the load then lies."""
    return max((site.growth_per_year for site in model.on_premise), default=0.0)


def present_cost_usd(ledger: Ledger, model: Model) -> float:
    """Return the present cost of ``ledger`` over the horizon."""
    return tco_usd(_rows(ledger, model))
