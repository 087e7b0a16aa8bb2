"""The chosen plan through the twin: real mix, real sizes, the whole year, real bills."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinloop.catalogue.nouns import COMPONENTS
from twinloop.model.model import Model
from twinloop.model.plan import (
    CashYear,
    Electrical,
    PlannedCooling,
    PlannedSite,
    RackType,
    Totals,
)
from twinloop.model.simulation import SiteYear
from twinloop.model.site import OnPremise
from twinloop.planner.equipment import capital_items, cooling_words, less_standing, schedule, standing_it_w
from twinloop.planner.failures import design_day, failure_cases
from twinloop.planner.money import Ledger, add_ledgers, cash_of, hall_ledger, heat_sale, hourly_bill, risk_usd
from twinloop.planner.placements import Placement
from twinloop.planner.racks import server_of
from twinloop.planner.rates import group_of
from twinloop.planner.totals import hall_totals, placement_totals, sum_totals
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.groups import ItGroup, effective_path
from twinloop.twin.sizing import Plant, size_plant
from twinloop.twin.year import site_year
from twinloop.workload.profile import hourly_activity


@dataclass(frozen=True)
class CheckedSite:
    """One site after the twin, with the ledger behind its figures."""

    planned: PlannedSite
    ledger: Ledger
    year: SiteYear | None
    plant: Plant | None


@dataclass(frozen=True)
class Checked:
    """A whole plan after the twin."""

    placements: tuple[Placement, ...]
    sites: tuple[CheckedSite, ...]
    ledger: Ledger
    """Of all sites and staff."""
    cash: tuple[CashYear, ...]
    totals: Totals
    objective: float


def check(
    model: Model, placements: tuple[Placement, ...], designs: dict[tuple[str, str], HybridDesign], k: PlantConstants
) -> Checked:
    """Return the plan ``placements`` with the twin's figures in place of the screened ones."""
    sites = []
    for hall in model.on_premise:
        mine = tuple(p for p in placements if p.site == hall.name)
        if mine:
            design = designs[hall.name, str(mine[0].design)]
            sites.append(check_hall(model, hall, mine, design, k))
    providers = {**{c.name: "cloud" for c in model.clouds}, **{e.name: "edge" for e in model.edges}}
    for name, kind in providers.items():
        mine = tuple(p for p in placements if p.site == name)
        if mine:
            sites.append(_provider_site(model, kind, mine))
    ledger = add_ledgers(tuple(site.ledger for site in sites))
    staff = {"staff": model.finance.staff_usd_per_year} if model.finance.staff_usd_per_year else {}
    ledger = Ledger(ledger.capital, {**ledger.yearly_usd, **staff}, ledger.escalation, ledger.carbon_kg_per_year)
    cash = cash_of(ledger, model)
    totals = sum_totals(model, tuple(site.planned.totals for site in sites), ledger, cash, placements)
    time_s = sum(p.option.duration_s or p.option.latency_p99_s or 0.0 for p in placements)
    return Checked(placements, tuple(sites), ledger, cash, totals, objective(model, totals, time_s))


def objective(model: Model, totals: Totals, time_s: float) -> float:
    """Return the objective: the present cost, or the weighted sum over the horizon.

    ``time_s`` is what one pass through the stages takes, runs and answers one after the other.
    A scenario's carbon and water prices are part of the cost already.
    """
    years = model.horizon_s / (8760 * 3600.0)
    carbon_kg = sum(totals.carbon_t_per_year.values()) * 1e3 * years
    amounts = {
        "cost": totals.tco_usd,
        "energy": totals.facility_energy_mwh_per_year * 3.6e9 * years,
        "carbon": carbon_kg,
        "water": totals.water_m3_per_year * years,
        "time": time_s,
    }
    if model.objective.name == "cost":
        return totals.tco_usd
    return sum(weight * amounts[name] for name, weight in model.objective.weights.items())


def groups_at(model: Model, placements: tuple[Placement, ...]) -> tuple[ItGroup, ...]:
    """Return the twin's groups for the placements of one hall."""
    stages = {stage.name: stage for stage in model.stages}
    return tuple(
        group_of(
            p.option, model.device(p.option.device), server_of(model, p.option.server),
            hourly_activity(p.option, stages[p.stage]),
        )
        for p in placements
    )  # fmt: skip


def check_hall(
    model: Model, site: OnPremise, placements: tuple[Placement, ...], design: HybridDesign, k: PlantConstants
) -> CheckedSite:
    """Size and run one hall."""
    groups = groups_at(model, placements)
    weather = site.weather
    plant = size_plant(design, groups, weather.design, weather.pressure_pa, site.floor.area_m2, k, site.heat_offtake)
    year = site_year(site, plant, groups, k)
    standing = less_standing(schedule(plant, site, k), site.plant)
    lines = standing.lines
    servers = tuple((server_of(model, p.option.server), p.servers) for p in placements)
    bill = hourly_bill(year.hourly["facility_w"], site.tariff)
    ledger = hall_ledger(
        model,
        site,
        servers,
        plant.it_w,
        capital_items(lines),
        year.energy.facility_j,
        bill,
        year.water.total_m3,
        plant.cold.heat_w * (1.0 + k.sizing_margin),
        bathed=design.immersed,
        risk_usd={
            **risk_usd(model, site, _junctions(placements, year)),
            **heat_sale(site, year.heat_sold_j),
            **({"upkeep of what stands": standing.upkeep_usd_per_year} if standing.upkeep_usd_per_year else {}),
        },
        standing_w=standing_it_w(site.plant),
    )
    day = design_day(plant, groups, site, k)
    electrics = plant.electrics
    rack_types = tuple(_rack_type(p, model, design, group) for p, group in zip(placements, groups, strict=True))
    planned = PlannedSite(
        name=site.name, kind="on-premise", racks=sum(p.racks for p in placements),
        rack_types=rack_types,
        cooling=PlannedCooling(
            name=design.name, components={str(part): str(path) for part, path in design.paths.items()},
            rack=cooling_words(path for racks in rack_types for path in racks.carriers.values()),
            heat_rejection=_rejection_words(design),
            supply_c=design.warm_supply_c if design.has_warm_loop else design.cold_supply_c,
            setpoints=_setpoints(design), redundancy=design.redundancy, why="",
        ),
        equipment=lines, electrical=Electrical(electrics.transformer_w, electrics.ups_w, electrics.generator_w),
        design_day=day, failure_cases=failure_cases(plant, groups, site, lines, k),
        totals=hall_totals(model, site, year, ledger), marked="twin",
    )  # fmt: skip
    return CheckedSite(planned, ledger, year, plant)


def _junctions(placements: tuple[Placement, ...], year: SiteYear) -> dict[float, int]:
    """Return the year's mean junction with all devices of the hall: the twin's column is of its hottest busy group."""
    return {float(np.mean(year.hourly["junction_c"])): sum(p.option.device_count for p in placements)}


def _setpoints(design: HybridDesign) -> dict[str, float]:
    points = {"cold_supply_c": design.cold_supply_c, "air_supply_c": design.air_supply_c}
    return {"warm_supply_c": design.warm_supply_c, **points} if design.has_warm_loop else points


def _rejection_words(design: HybridDesign) -> str:
    cold = design.cold_plant.replace("_", " ") + (" + outdoor air" if design.air_economiser else "")
    if not design.has_warm_loop:
        return cold
    return f"{design.warm_cooler.replace('_', ' ')} (warm loop), {cold} (cold loop)"


def _rack_type(p: Placement, model: Model, design: HybridDesign, group: ItGroup) -> RackType:
    server = server_of(model, p.option.server)
    per_rack = -(-p.servers // max(p.racks, 1))
    share = per_rack / p.servers
    loss_w = p.it_w * (1.0 - group.psu_efficiency)
    busy = p.option.busy
    component = {
        "accelerator": busy.accelerator_w, "cpu": busy.cpu_w, "memory": busy.memory_w, "network": busy.network_w,
        "storage": busy.storage_w, "power_supply": loss_w,
        "fans": max(p.it_w - loss_w - busy.total_w, 0.0),
    }  # fmt: skip
    return RackType(
        name=f"{p.stage} racks", count=p.racks, server=server.name, servers_per_rack=per_rack, power_w=p.it_w * share,
        weight_kg=per_rack * server.weight_kg, height_u=per_rack * server.height_u,
        component_w={name: power_w * share for name, power_w in component.items()},
        carriers={name: effective_path(group, name, design) for name in COMPONENTS},
    )  # fmt: skip


def _provider_site(model: Model, kind: str, placements: tuple[Placement, ...]) -> CheckedSite:
    ledger = add_ledgers(tuple(p.ledger for p in placements))
    planned = PlannedSite(
        name=placements[0].site, kind=kind, racks=0, rack_types=(), cooling=None, equipment=(), electrical=None,
        design_day=None, failure_cases=(), totals=placement_totals(model, placements, ledger), marked="catalogue",
    )  # fmt: skip
    return CheckedSite(planned, ledger, None, None)
