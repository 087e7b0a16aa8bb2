"""The named rows of the selection: what a hall may take, and what the whole plan may."""

from __future__ import annotations

from dataclasses import replace

from twinloop.economics.capital import capex_usd
from twinloop.model.model import Model
from twinloop.model.site import Edge
from twinloop.planner.commons import common_ledger
from twinloop.planner.growth import last_factor, last_load, power_that_lasts_w, water_that_lasts_m3
from twinloop.planner.links import egress_links, fetching_usd
from twinloop.planner.money import present_cost_usd
from twinloop.planner.openings import Opening
from twinloop.planner.placements import Placement
from twinloop.planner.selection import Limit
from twinloop.planner.sharing import Positions
from twinloop.planner.stored import stored_at, stored_opening, stored_opening_of_all, stored_rack_share

CAPEX_ROW = "capital budget"
COST_ROW = "cost budget"
CARBON_ROW = "carbon cap"
WATER_ROW = "water cap"


def site_limits(model: Model, placements: tuple[Placement, ...], openings: dict[str, Opening]) -> tuple[Limit, ...]:
    """Return power, floor load and water limits of every hall and the power of edge places, as named rows."""
    rows = []
    for site in model.on_premise:
        here = {i: p for i, p in enumerate(placements) if p.site == site.name}
        rows.append(
            Limit(f"utility power of {site.name}", power_that_lasts_w(model, site), "W",
                  {i: p.facility_peak_w for i, p in here.items()}, {site.name: openings[site.name].power_w},
                  fixed=stored_opening(model, site).power_w)
        )  # fmt: skip
        rows.append(
            Limit(f"floor load of {site.name}", site.floor.area_m2 * site.floor.load_pa / 9.80665, "kg",
                  {i: p.weight_kg for i, p in here.items()}, fixed=stored_at(model, site.name).weight_kg)
        )  # fmt: skip
        supply_m3 = water_that_lasts_m3(model, site)
        if supply_m3 is not None:
            rows.append(
                Limit(f"water of {site.name}", supply_m3, "m3/year",
                      {i: p.water_m3 for i, p in here.items()})
            )  # fmt: skip
    return (*rows, *(row for site in model.edges for row in edge_limits(site, placements)))


def edge_limits(site: Edge, placements: tuple[Placement, ...]) -> tuple[Limit, ...]:
    """Return the power of one place of ``site`` as rows: all stages in a place together have what it has.

    Stages that are spread are in every place. Each of those that run in one place gets a place of its own,
    beside the spread ones, where there are enough; with fewer places than such stages they all share one.
    """
    here = {i: p for i, p in enumerate(placements) if p.site == site.name}
    spread = {i: p.facility_peak_w / p.copies for i, p in here.items() if p.copies == site.count}
    alone: dict[str, dict[int, float]] = {}
    for i, p in here.items():
        if p.copies != site.count:
            alone.setdefault(p.stage, {})[i] = p.facility_peak_w
    name = f"power of one place of {site.name}"
    if len(alone) > site.count:
        return (Limit(name, site.power_w, "W", {**spread, **{i: w for use in alone.values() for i, w in use.items()}}),)
    beside = (Limit(f"{name} for {stage}, which cannot be spread", site.power_w, "W", {**spread, **use})
              for stage, use in alone.items())  # fmt: skip
    return (*((Limit(name, site.power_w, "W", spread),) if spread else ()), *beside)


def rack_positions(model: Model, placements: tuple[Placement, ...]) -> tuple[Positions, ...]:
    """Return the racks that the chosen servers fill in every hall, as named rows; grown ones where growth must fit.

    Switches and the storage of datasets at home there have racks of their own.
    """
    return tuple(
        Positions(f"rack positions of {site.name}", site.racks.positions,
                  {i: last_load(model, p.load) for i, p in enumerate(placements)
                   if p.site == site.name and p.load is not None},
                  beside={i: p.beside * last_factor(model) for i, p in enumerate(placements) if p.site == site.name},
                  fixed=stored_rack_share(model, site))
        for site in model.on_premise
    )  # fmt: skip


def plan_limits(model: Model, placements: tuple[Placement, ...], openings: dict[str, Opening]) -> tuple[Limit, ...]:
    """Return the scenario's own caps on the whole plan, as named rows.

    The budgets count what the plan's totals do: what every plan pays alike and data that leaves clouds are in them.
    """
    caps = model.caps
    rows = (
        (CAPEX_ROW, caps.capex_usd, "USD", "capex_usd"), (CARBON_ROW, caps.carbon_kg_per_year, "kg/year", "carbon_kg"),
        (WATER_ROW, caps.water_m3_per_year, "m3/year", "water_m3"),
    )  # fmt: skip
    stored = stored_opening_of_all(model)
    found = [
        replace(
            _cap(name, bound, unit, field, placements, openings),
            fixed={CAPEX_ROW: capex_usd(common_ledger(model).capital), CARBON_ROW: stored.carbon_kg}.get(name, 0.0),
        )
        for name, bound, unit, field in rows
        if bound is not None
    ]
    if caps.cost_usd is None:
        return tuple(found)
    budget = _cap(COST_ROW, caps.cost_usd, "USD", "cost_usd", placements, openings)
    read = {i: budget.use[i] + fetching_usd(model, p) for i, p in enumerate(placements)}
    pairs = {(link.first, link.second): link.cost for link in egress_links(model, placements)}
    return (*found, replace(budget, use=read, pairs=pairs, fixed=common_usd(model) + stored.cost_usd))


def common_usd(model: Model) -> float:
    """Return the present cost of what every plan pays alike: a given sum for staff, and stored datasets."""
    return present_cost_usd(common_ledger(model), model)


def _cap(
    name: str, bound: float, unit: str, field: str, placements: tuple[Placement, ...], openings: dict[str, Opening]
) -> Limit:
    use = {i: float(getattr(p, field)) for i, p in enumerate(placements)}
    return Limit(name, bound, unit, use, {site: getattr(each, field, 0.0) for site, each in openings.items()})
