"""The plan's totals with setpoints chosen anew every hour: the potential beside the control sequence's totals."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from twinloop.model.model import Model
from twinloop.model.plan import Totals
from twinloop.model.simulation import EnergySplit, ItSplit, SiteYear, WaterSplit
from twinloop.model.site import OnPremise
from twinloop.planner.check import Checked, CheckedSite, groups_at
from twinloop.planner.commons import shared_ledger
from twinloop.planner.money import Ledger, add_ledgers, cash_of, plain_name
from twinloop.planner.totals import hall_totals, sum_totals
from twinloop.twin.design import PlantConstants
from twinloop.twin.potential import Potential, potential

SAMPLED_HOURS = 96
"""Of the year, weighted: under a second a hall."""


def potential_totals(model: Model, checked: Checked, k: PlantConstants) -> Totals | None:
    """Return the totals of ``checked`` with hourly-optimal setpoints in its halls; ``None`` where it has none."""
    halls = {site.name: site for site in model.on_premise}
    parts, ledgers = [], []
    for site in checked.sites:
        if site.year is None or site.plant is None:
            parts.append(site.planned.totals)
            ledgers.append(site.ledger)
            continue
        hall = halls[site.planned.name]
        found = _of_hall(model, hall, checked, site, k)
        year = _scaled_year(site.year, found)
        ledger = _scaled_ledger(site.ledger, year.energy.facility_j / site.year.energy.facility_j, found)
        parts.append(hall_totals(model, hall, year, ledger))
        ledgers.append(ledger)
    if all(site.year is None for site in checked.sites):
        return None
    whole = add_ledgers((*ledgers, shared_ledger(model, checked.placements)))
    return sum_totals(model, tuple(parts), whole, cash_of(whole, model), checked.placements)


def _of_hall(model: Model, hall: OnPremise, checked: Checked, site: CheckedSite, k: PlantConstants) -> Potential:
    assert site.plant is not None  # noqa: S101  asked by the caller
    groups = groups_at(model, tuple(p for p in checked.placements if p.site == hall.name))
    usd_j = float(np.mean(hall.tariff.energy_usd_per_j))
    usd_kg = (hall.water.price_usd_per_m3 + model.objective.weights.get("water", 0.0)) / 998.2
    worth_j_kg = usd_kg / usd_j if usd_j > 0.0 else 0.0
    return potential(hall, site.plant, groups, k, SAMPLED_HOURS, worth_j_kg)


def _scaled_year(year: SiteYear, found: Potential) -> SiteYear:
    def scaled(part: EnergySplit | ItSplit, names: dict[str, str]) -> dict[str, float]:
        return {
            f.name: getattr(part, f.name) * found.ratio(names.get(f.name, f.name.removesuffix("_j")))
            for f in fields(part)
        }

    inside = {"fans_j": "it", "power_supply_loss_j": "it"}
    water = found.ratio("water")
    return replace(
        year,
        energy=EnergySplit(**scaled(year.energy, {})),
        it_split=ItSplit(**scaled(year.it_split, inside)),
        water=WaterSplit(**{f.name: getattr(year.water, f.name) * water for f in fields(WaterSplit)}),
        heat_sold_j=year.heat_sold_j * found.ratio("heat_sold"),
    )


def _scaled_ledger(ledger: Ledger, share: float, found: Potential) -> Ledger:
    """Return ``ledger`` with ``share`` of its electricity, and water and heat sold by their own ratios.

    A demand charge is taken to fall with the energy.
    """
    carbon = {scope: kg * (share if scope == "scope2" else 1.0) for scope, kg in ledger.carbon_kg_per_year.items()}
    ratios = {
        "electricity": share, "demand charge": share, "water": found.ratio("water"),
        "water price": found.ratio("water"), "heat sale": found.ratio("heat_sold"),
        "carbon price": sum(carbon.values()) / sum(ledger.carbon_kg_per_year.values()),
    }  # fmt: skip
    yearly = {name: usd * ratios.get(plain_name(name), 1.0) for name, usd in ledger.yearly_usd.items()}
    return Ledger(ledger.capital, yearly, ledger.escalation, carbon, ledger.operational_kg_per_year * share)
