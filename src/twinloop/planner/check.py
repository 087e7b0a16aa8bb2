"""The chosen plan through the twin: real mix, real sizes, the whole year, real bills."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from twinloop.cooling.altitude import pressure_ratio
from twinloop.model.model import Model
from twinloop.model.plan import (
    CashYear,
    Electrical,
    Equipment,
    PlannedCooling,
    PlannedSite,
    RackType,
    Totals,
)
from twinloop.model.simulation import SiteYear
from twinloop.model.site import Cloud, OnPremise, Site
from twinloop.planner.beside import beside_lines, wirings
from twinloop.planner.commons import shared_ledger
from twinloop.planner.equipment import capital_items, cooling_words, fullest, machines, rack_units, schedule
from twinloop.planner.failures import design_day, design_hour, failure_cases
from twinloop.planner.money import (
    Ledger,
    add_ledgers,
    cash_of,
    charged_w,
    hall_ledger,
    heat_sale,
    hourly_bill,
    risk_usd,
)
from twinloop.planner.placements import Placement
from twinloop.planner.rack_types import hall_carriers, rack_types
from twinloop.planner.racks import server_of
from twinloop.planner.rates import group_of
from twinloop.planner.standing_lines import Standing, as_standing, less_standing, standing_it_w
from twinloop.planner.stored import everywhere, room_pue, stored_at, stored_group, stored_ledger, stored_load
from twinloop.planner.totals import hall_totals, placement_totals, sum_totals
from twinloop.power.chains import chain
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.groups import ItGroup
from twinloop.twin.sizing import Plant
from twinloop.twin.standing import hall_plant
from twinloop.twin.year import site_year
from twinloop.workload.profile import stage_activity, stage_quarters


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
    """Of all sites, of what every plan pays alike, and of data that leaves clouds."""
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
    used = {site.planned.name for site in sites}
    sites += [
        _catalogue_site(model, place, mine)
        for place in everywhere(model)
        if place.name not in used
        and ((mine := tuple(p for p in placements if p.site == place.name)) or stored_at(model, place.name).servers)
    ]
    ledger = add_ledgers((*(site.ledger for site in sites), shared_ledger(model, placements)))
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
    """Return the twin's groups for the placements of one hall, then that of its storage where it has any."""
    hall = next((site for site in model.on_premise if placements and site.name == placements[0].site), None)
    stored = None if hall is None else stored_group(model, hall)
    groups = tuple(
        group_of(
            p.option, model.device(p.option.device), server_of(model, p.option.server),
            stage_activity(p.option, model.stages), stage_quarters(p.option, model.stages),
        )
        for p in placements
    )  # fmt: skip
    return groups if stored is None else (*groups, stored)


def check_hall(
    model: Model, site: OnPremise, placements: tuple[Placement, ...], design: HybridDesign, k: PlantConstants
) -> CheckedSite:
    """Size and run one hall."""
    groups = groups_at(model, placements)
    weather = site.weather
    plant = hall_plant(site, design, groups, k)
    year = site_year(site, plant, groups, k)
    racks = rack_types(model, site, placements, groups, design, k, float(pressure_ratio(weather.pressure_pa)))
    standing = less_standing(schedule(plant, site, k, rack_units(racks), fullest(racks, k)), site.plant)
    standing = replace(standing, lines=as_standing(standing.lines, site.plant))
    ledger = _twin_ledger(model, site, placements, plant, year, standing)
    planned = PlannedSite(
        name=site.name, kind="on-premise", racks=sum(rack.count for rack in racks), rack_types=racks,
        cooling=_cooling(plant, racks),
        equipment=(*standing.lines, *beside_lines(wirings(model, placements), stored_at(model, site.name))),
        electrical=_electrical(plant, standing.lines),
        design_day=design_day(plant, groups, site, k), failure_cases=(),
        totals=hall_totals(model, site, year, ledger), marked="twin",
        air_class=site.air_class,
    )  # fmt: skip
    return CheckedSite(planned, ledger, year, plant)


def _twin_ledger(
    model: Model, site: OnPremise, placements: tuple[Placement, ...], plant: Plant, year: SiteYear, standing: Standing
) -> Ledger:
    """Return the ledger of one hall by its twin's year, real sizes and hourly bill."""
    networks = wirings(model, placements)
    return hall_ledger(
        model, site, tuple((server_of(model, p.option.server), p.servers) for p in placements), plant.it_w,
        capital_items(standing.lines), year.energy.facility_j,
        hourly_bill(year.hourly["facility_w"], site.tariff, year.hourly["peak_w"]), year.water.total_m3,
        charged_w(standing.lines), bathed=plant.design.immersed,
        risk_usd={
            **risk_usd(model, site, _junctions(placements, year)),
            **heat_sale(site, year.heat_sold_j),
            **({"upkeep of what stands": standing.upkeep_usd_per_year} if standing.upkeep_usd_per_year else {}),
        },
        standing_w=standing_it_w(site), network_usd=sum(each.price_usd for each in networks),
        beside_kg=stored_at(model, site.name).embodied_kg + sum(each.embodied_kg for each in networks),
    )  # fmt: skip


def _electrical(plant: Plant, lines: tuple[Equipment, ...]) -> Electrical:
    """Return the power chain: what the load needs, and the machines of the schedule."""
    kinds, needed_w = ("transformer", chain(plant.electrics.chain).backup, "generator"), plant.electrics.needed_w
    found = (machines(lines, kind) for kind in kinds)
    return Electrical(needed_w["transformer"], needed_w["ups"], needed_w["generator"], *found)


def stressed(model: Model, checked: Checked, k: PlantConstants) -> Checked:
    """Return ``checked`` with what losing one unit does to each hall on its design day, and the loops on that day.

    Apart from :func:`check` because it takes longer than the year, and only the plan that is written needs it.
    """
    halls = {hall.name: hall for hall in model.on_premise}

    def one(site: CheckedSite) -> CheckedSite:
        if site.plant is None:
            return site
        hall = halls[site.planned.name]
        groups = groups_at(model, tuple(p for p in checked.placements if p.site == hall.name))
        cases = failure_cases(site.plant, groups, hall, site.planned.equipment, k)
        hours = (design_hour(site.plant, groups, hall, k), site.year.hours[-1]) if site.year else ()
        year = replace(site.year, hours=hours) if site.year else None
        return replace(site, planned=replace(site.planned, failure_cases=cases), year=year)

    return replace(checked, sites=tuple(one(site) for site in checked.sites))


def _junctions(placements: tuple[Placement, ...], year: SiteYear) -> dict[float, int]:
    """Return the year's mean junction with all devices of the hall: the twin's column is of its hottest busy group."""
    return {float(np.mean(year.hourly["junction_c"])): sum(p.option.device_count for p in placements)}


def _at_work(racks: tuple[RackType, ...]) -> tuple[RackType, ...]:
    """Return the racks of servers: switches and storage beside them are on air in every hall."""
    working = (rack for rack in racks if rack.component_w.get("accelerator", 0.0) + rack.component_w.get("cpu", 0.0))
    return tuple(working) or racks


def _cooling(plant: Plant, racks: tuple[RackType, ...]) -> PlannedCooling:
    """Return how the hall is cooled, as its racks and plant really are; the name is that of the whole design."""
    design, warm = plant.design, plant.warm is not None
    outside = {"none": " + outdoor air", "direct": " + outdoor air, wetted", "indirect": ""}[design.evaporative]
    cold = design.cold_plant.replace("_", " ") + (outside if design.air_economiser else "")
    cold += " + indirect evaporative cooler" if design.evaporative == "indirect" else ""
    points = {"cold_supply_c": design.cold_supply_c, "air_supply_c": design.air_supply_c}
    return PlannedCooling(
        name=design.name, components=hall_carriers(design, racks),
        rack=cooling_words(path for rack in _at_work(racks) for path in rack.carriers.values()),
        heat_rejection=f"{design.warm_cooler.replace('_', ' ')} (warm loop), {cold} (cold loop)" if warm else cold,
        supply_c=design.warm_supply_c if warm else design.cold_supply_c,
        setpoints={"warm_supply_c": design.warm_supply_c, **points} if warm else points,
        redundancy=design.redundancy, why="",
    )  # fmt: skip


def _catalogue_site(model: Model, site: Site, placements: tuple[Placement, ...]) -> CheckedSite:
    """Return a cloud or edge site, or a hall where nothing runs, with the datasets that lie there."""
    stored = stored_load(model, site, room_pue() if isinstance(site, OnPremise) else site.pue)
    ledger = add_ledgers(
        (*(p.ledger for p in placements), *([stored_ledger(model, site, stored)] if stored.it_j else []))
    )
    kind = "on-premise" if isinstance(site, OnPremise) else "cloud" if isinstance(site, Cloud) else "edge"
    lines = beside_lines((), stored_at(model, site.name)) if kind != "cloud" else ()
    planned = PlannedSite(
        name=site.name, kind=kind, racks=0, rack_types=(), cooling=None, equipment=lines, electrical=None,
        design_day=None, failure_cases=(), totals=placement_totals(model, placements, ledger, stored),
        marked="catalogue",
    )  # fmt: skip
    return CheckedSite(planned, ledger, None, None)
