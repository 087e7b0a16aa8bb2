"""Prices that may turn out otherwise, and what a twin-checked plan costs under another one.

The twin knows no money: energy, water and emissions of a plan stay what they are at any price, so its bill is
written anew without running it again, and its cost is a straight line over the price.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from twinloop.economics.cashflow import tco_usd
from twinloop.model.model import Model
from twinloop.model.site import Cloud, Edge, OnPremise, Tariff
from twinloop.planner.check import Checked, CheckedSite, objective
from twinloop.planner.commons import shared_ledger
from twinloop.planner.money import Ledger, add_ledgers, cash_of, plain_name, present_cost_usd
from twinloop.planner.placements import Placement
from twinloop.planner.totals import opex_usd, sum_totals

J_PER_KWH = 3.6e6
KG_PER_T = 1e3
WIDEST = 5.0
"""Times today's price of electricity and of rented machines, and share of it, up to which a change is looked for:
European wholesale years 2019-2022 differ sixfold, list prices of rented machines less."""
DEAREST_CARBON_USD_T = 1000.0
"""Above every price of carbon in use and most estimates of its damage."""


@dataclass(frozen=True)
class Lever:
    """One price, in the unit that people read."""

    name: str
    unit: str
    now: float
    least: float
    most: float
    model_at: Callable[[Model, float], Model]
    ledger_at: Callable[[Ledger, float, float], Ledger]
    """A bill at one price -> the same at another."""


def levers_of(model: Model) -> tuple[Lever, ...]:
    """Return the prices that the plans of ``model`` are paid at, the one that people ask for first."""
    found = []
    own: tuple[OnPremise | Edge, ...] = (*model.on_premise, *model.edges)
    if own and (price := J_PER_KWH * float(np.mean(own[0].tariff.energy_usd_per_j))) > 0.0:
        found.append(
            Lever("electricity", "USD/kWh", price, price / WIDEST, WIDEST * price,
                  lambda m, x: _with_electricity(m, x / price), partial(_scaled, "electricity"))
        )  # fmt: skip
    if model.clouds and own:
        found.append(
            Lever("rented machines", "times today's price", 1.0, 1.0 / WIDEST, WIDEST, _with_rent,
                  partial(_scaled, "cloud rental"))
        )  # fmt: skip
    carbon = KG_PER_T * model.objective.weights.get("carbon", 0.0)
    found.append(
        Lever("carbon", "USD/t", carbon, 0.0, max(DEAREST_CARBON_USD_T, WIDEST * carbon), _with_carbon, _carbon_priced)
    )
    return tuple(found)


def repriced(checked: Checked, lever: Lever, was: float, price: float, model: Model) -> Checked:
    """Return ``checked``, paid at ``was``, as :func:`twinloop.planner.check.check` gives it under ``model``, which has
    ``price``.
    """
    sites = tuple(_site(site, lever.ledger_at(site.ledger, was, price), model) for site in checked.sites)
    placements = tuple(_placement(p, lever.ledger_at(p.ledger, was, price), model) for p in checked.placements)
    ledger = add_ledgers((*(site.ledger for site in sites), shared_ledger(model, placements)))
    cash = cash_of(ledger, model)
    totals = sum_totals(model, tuple(site.planned.totals for site in sites), ledger, cash, placements)
    time_s = sum(p.option.duration_s or p.option.latency_p99_s or 0.0 for p in placements)
    return Checked(placements, sites, ledger, cash, totals, objective(model, totals, time_s))


def _placement(p: Placement, ledger: Ledger, model: Model) -> Placement:
    return replace(p, ledger=ledger, cost_usd=present_cost_usd(ledger, model))


def _site(site: CheckedSite, ledger: Ledger, model: Model) -> CheckedSite:
    totals = replace(site.planned.totals, opex_usd_per_year=opex_usd(ledger), tco_usd=tco_usd(cash_of(ledger, model)))
    return replace(site, ledger=ledger, planned=replace(site.planned, totals=totals))


def _scaled(name: str, ledger: Ledger, was: float, price: float) -> Ledger:
    times = price / was
    yearly = {key: usd * (times if plain_name(key) == name else 1.0) for key, usd in ledger.yearly_usd.items()}
    return replace(ledger, yearly_usd=yearly)


def _carbon_priced(ledger: Ledger, _: float, usd_t: float) -> Ledger:
    yearly = {key: usd for key, usd in ledger.yearly_usd.items() if plain_name(key) != "carbon price"}
    if usd_t > 0.0:
        yearly["carbon price"] = sum(ledger.carbon_kg_per_year.values()) * usd_t / KG_PER_T
    return replace(ledger, yearly_usd=yearly)


def _with_electricity(model: Model, times: float) -> Model:
    halls = tuple(replace(hall, tariff=_tariff(hall, times)) for hall in model.on_premise)
    edges = tuple(replace(edge, tariff=_tariff(edge, times)) for edge in model.edges)
    return replace(model, on_premise=halls, edges=edges)


def _tariff(site: OnPremise | Edge, times: float) -> Tariff:
    return replace(site.tariff, energy_usd_per_j=tuple(times * each for each in site.tariff.energy_usd_per_j))


def _with_rent(model: Model, times: float) -> Model:
    return replace(model, clouds=tuple(_rented(cloud, times) for cloud in model.clouds))


def _rented(cloud: Cloud, times: float) -> Cloud:
    offers = tuple(
        replace(
            each, price_usd_per_s=each.price_usd_per_s * times,
            spot_usd_per_s=None if each.spot_usd_per_s is None else each.spot_usd_per_s * times,
        )
        for each in cloud.offers
    )  # fmt: skip
    return replace(cloud, offers=offers)


def _with_carbon(model: Model, usd_t: float) -> Model:
    weights = {**model.objective.weights, "carbon": usd_t / KG_PER_T}
    return replace(model, objective=replace(model.objective, weights=weights))
