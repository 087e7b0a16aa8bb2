"""Totals of a site and of a whole plan; over sites amounts add and ratios are ratios of sums."""

from __future__ import annotations

import math

from twinloop.economics.capital import capex_usd
from twinloop.economics.cashflow import tco_usd
from twinloop.economics.heat_reuse import energy_reuse_effectiveness, energy_reuse_factor
from twinloop.model.model import Model
from twinloop.model.plan import CashYear, Totals
from twinloop.model.simulation import SiteYear
from twinloop.model.site import OnPremise
from twinloop.planner.money import Ledger, cash_of, present_cost_usd
from twinloop.planner.placements import YEAR_S, Placement
from twinloop.planner.stored import StoredLoad

MWH_J = 3.6e9


def hall_totals(model: Model, site: OnPremise, year: SiteYear, ledger: Ledger) -> Totals:
    """Return the totals of one hall from its twin year."""
    energy, it_j = year.energy, year.energy.it_j
    facility_j = energy.facility_j
    water_m3 = year.water.total_m3
    source_m3 = facility_j * site.grid.source_water_m3_per_j
    cash = cash_of(ledger, model)
    erf = energy_reuse_factor(year.heat_sold_j, facility_j)
    return Totals(
        capex_usd=capex_usd(ledger.capital), opex_usd_per_year=opex_usd(ledger), tco_usd=tco_usd(cash),
        it_energy_mwh_per_year=it_j / MWH_J, facility_energy_mwh_per_year=facility_j / MWH_J,
        pue=facility_j / it_j, tue=facility_j / year.it_split.compute_j,
        wue_site_l_per_kwh=water_m3 * 1e3 / (it_j / 3.6e6),
        wue_source_l_per_kwh=(water_m3 + source_m3) * 1e3 / (it_j / 3.6e6),
        cue_kg_per_kwh=ledger.operational_kg_per_year / (it_j / 3.6e6),
        erf=erf, ere=energy_reuse_effectiveness(facility_j / it_j, erf),
        heat_sold_mwh_per_year=year.heat_sold_j / MWH_J,
        carbon_t_per_year=_tonnes(ledger), water_m3_per_year=water_m3, peak_power_w=year.peak_power_w,
        peak_junction_c=year.peak_junction_c, throttled_hours=year.throttled_device_hours, unit_costs={},
    )  # fmt: skip


def placement_totals(
    model: Model, placements: tuple[Placement, ...], ledger: Ledger, stored: StoredLoad | None = None
) -> Totals:
    """Return the totals of a cloud or edge site by its catalogue figures, ``stored`` datasets with them."""
    beside = stored or StoredLoad()
    it_j = beside.it_j + math.fsum(p.it_j for p in placements)
    facility_j = beside.facility_j + math.fsum(p.facility_j for p in placements)
    water_m3 = beside.water_m3 + math.fsum(p.water_m3 for p in placements)
    source_m3 = beside.source_water_m3 + math.fsum(p.source_water_m3 for p in placements)
    it_kwh = it_j / 3.6e6
    return Totals(
        capex_usd=capex_usd(ledger.capital), opex_usd_per_year=opex_usd(ledger),
        tco_usd=tco_usd(cash_of(ledger, model)), it_energy_mwh_per_year=it_j / MWH_J,
        facility_energy_mwh_per_year=facility_j / MWH_J, pue=facility_j / it_j, tue=None,
        wue_site_l_per_kwh=water_m3 * 1e3 / it_kwh, wue_source_l_per_kwh=(water_m3 + source_m3) * 1e3 / it_kwh,
        cue_kg_per_kwh=ledger.operational_kg_per_year / it_kwh, erf=None, carbon_t_per_year=_tonnes(ledger),
        water_m3_per_year=water_m3, peak_power_w=beside.peak_w + math.fsum(p.facility_peak_w for p in placements),
        peak_junction_c=None, throttled_hours=None, unit_costs={},
    )  # fmt: skip


def sum_totals(
    model: Model,
    parts: tuple[Totals, ...],
    ledger: Ledger,
    cash: tuple[CashYear, ...],
    placements: tuple[Placement, ...],
) -> Totals:
    """Return the plan's totals: amounts add, PUE, TUE, WUE and CUE are ratios of the sums."""
    it = math.fsum(part.it_energy_mwh_per_year for part in parts)
    facility = math.fsum(part.facility_energy_mwh_per_year for part in parts)
    water = math.fsum(part.water_m3_per_year for part in parts)
    junctions = [part.peak_junction_c for part in parts if part.peak_junction_c is not None]
    hours = [part.throttled_hours for part in parts if part.throttled_hours is not None]
    compute = [part.facility_energy_mwh_per_year / part.tue if part.tue else None for part in parts]
    known = [value for value in compute if value is not None]
    sales = [part.heat_sold_mwh_per_year for part in parts if part.heat_sold_mwh_per_year is not None]
    sold = math.fsum(sales) if len(sales) == len(parts) else None  # what a provider sells is unknown
    erf = None if sold is None else energy_reuse_factor(sold, facility)
    return Totals(
        capex_usd=capex_usd(ledger.capital), opex_usd_per_year=opex_usd(ledger), tco_usd=tco_usd(cash),
        it_energy_mwh_per_year=it, facility_energy_mwh_per_year=facility, pue=facility / it,
        tue=facility / math.fsum(known) if len(known) == len(parts) else None,
        wue_site_l_per_kwh=water / it, wue_source_l_per_kwh=_weighted(parts, "wue_source_l_per_kwh", it),
        cue_kg_per_kwh=ledger.operational_kg_per_year / (it * 1e3), erf=erf,
        ere=None if erf is None else energy_reuse_effectiveness(facility / it, erf), heat_sold_mwh_per_year=sold,
        carbon_t_per_year=_tonnes(ledger), water_m3_per_year=water,
        peak_power_w=math.fsum(part.peak_power_w for part in parts),
        peak_junction_c=max(junctions) if junctions else None,
        throttled_hours=math.fsum(hours) if hours else None,
        unit_costs=unit_costs(model, placements, tco_usd(cash)),
    )  # fmt: skip


def opex_usd(ledger: Ledger) -> float:
    """Return the first year's running cost, maintenance included."""
    upkeep = math.fsum(item.amount_usd * item.maintenance_per_year for item in ledger.capital)
    return math.fsum(ledger.yearly_usd.values()) + upkeep


def unit_costs(model: Model, placements: tuple[Placement, ...], tco: float) -> dict[str, float]:
    """Return each stage's cost per its unit of work: present cost over present work, shared by present cost.

    Work of later years is discounted and grows like the money (levelised cost).

    Shared costs (staff, hourly bills) follow each placement's screened share.
    """
    whole = math.fsum(p.cost_usd for p in placements)
    per_year = tco / present_cost_usd(Ledger((), {"work": 1.0}, {}, {}), model)
    costs = {}
    for stage in model.stages:
        p = next(each for each in placements if each.stage == stage.name)
        mine = per_year * p.cost_usd / whole
        if stage.kind == "serve" and stage.requests_per_s:
            tokens = (stage.input_tokens or 0) + (stage.output_tokens or 0)
            if tokens:
                per_token = mine / (stage.requests_per_s * YEAR_S * tokens)
                costs[f"usd_per_million_tokens.{stage.name}"] = per_token * 1e6
            costs[f"usd_per_1000_requests.{stage.name}"] = mine / (stage.requests_per_s * YEAR_S) * 1e3
        elif stage.every_s:
            costs[f"usd_per_run.{stage.name}"] = mine / (YEAR_S / stage.every_s)
        elif stage.rate_b_s:
            costs[f"usd_per_tb.{stage.name}"] = mine / (stage.rate_b_s * YEAR_S) * 1e12
    return costs


def _tonnes(ledger: Ledger) -> dict[str, float]:
    return {scope: kg / 1e3 for scope, kg in ledger.carbon_kg_per_year.items()}


def _weighted(parts: tuple[Totals, ...], name: str, it_mwh: float) -> float | None:
    values = [(getattr(part, name), part.it_energy_mwh_per_year) for part in parts]
    if any(value is None for value, _ in values):
        return None
    return math.fsum(value * energy for value, energy in values) / it_mwh
