"""How sure the recommendation is: the ranges of its facts sampled over a fixed shortlist of plans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.economics.cashflow import tco_usd
from twinloop.model.doubt import Spread, Swing, Uncertainty
from twinloop.model.model import Model
from twinloop.planner.exposure import EMBODIED, EVAPORATION, LEAKS, LOAD, Exposure, Part, Range, SiteExposure
from twinloop.planner.money import ASSETS, Ledger, cash_of, plain_name
from twinloop.planner.placements import YEAR_S

SAMPLES = 2000

Draw = Callable[[Range], FloatArray]
"""Factor of a fact in every sample."""


def category_costs(ledger: Ledger, model: Model) -> dict[str, float]:
    """Return the present cost by purpose, upkeep with its asset, the cooling plant together; the sum is the TCO."""
    costs: dict[str, float] = {}
    for item in ledger.capital:
        cash = cash_of(Ledger((item,), {}, ledger.escalation, {}), model)
        name = item.name if item.name in ASSETS else "cooling"
        costs[name] = costs.get(name, 0.0) + tco_usd(cash)
    for name, amount in ledger.yearly_usd.items():
        cash = cash_of(Ledger((), {name: amount}, ledger.escalation, {}), model)
        costs[plain_name(name)] = costs.get(plain_name(name), 0.0) + tco_usd(cash)
    return costs


def uncertainty(plans: tuple[Exposure, ...], model: Model, seed: int = 7) -> Uncertainty:
    """Return spread, probability of staying best, regret and tornado; ``plans[0]`` is the recommendation.

    Each fact is triangular between its low and high with its value as mode. Facts of one cause are drawn at one
    quantile, in every plan alike, so that only the differences between plans decide which is best; causes are
    independent of each other.
    """
    rng = np.random.default_rng(seed)
    causes = sorted({fact.cause for plan in plans for fact in _facts(plan)})
    quantiles = {cause: rng.random(SAMPLES) for cause in causes}

    def draw(fact: Range) -> FloatArray:
        return triangular(quantiles[fact.cause], fact.low, fact.high)

    sampled = [evaluate(plan, draw) for plan in plans]
    scores = np.stack([_objective(found, plan, model) for found, plan in zip(sampled, plans, strict=True)])
    best = scores.argmin(axis=0)
    mine = sampled[0]["tco_usd"]
    winners = np.stack([found["tco_usd"] for found in sampled])[best, np.arange(SAMPLES)]
    return Uncertainty(
        samples=SAMPLES, totals={name: _spread(values) for name, values in sampled[0].items()},
        probability_best=float(np.mean(scores[0] <= scores.min(axis=0) + 1e-12 * np.abs(scores[0]))),
        regret_usd=float(np.mean(mine - winners)), tornado=_tornado(plans[0], causes),
    )  # fmt: skip


def triangular(quantile: FloatArray, low: float, high: float) -> FloatArray:
    """Return the values at ``quantile`` of the triangular distribution from ``low`` by mode 1 to ``high``.

    >>> triangular(np.array([0.0, 0.25, 1.0]), 0.5, 2.5).round(6).tolist()   # F(1) = 0.5 / 2
    [0.5, 1.0, 2.5]
    """
    if high <= low:
        return np.full(quantile.shape, low)
    turn = (1.0 - low) / (high - low)
    rising = low + np.sqrt(quantile * (high - low) * (1.0 - low))
    falling = high - np.sqrt((1.0 - quantile) * (high - low) * (high - 1.0))
    return np.where(quantile < turn, rising, falling)


def evaluate(plan: Exposure, draw: Draw) -> dict[str, FloatArray]:
    """Return the totals of ``plan`` under drawn facts, by their names in ``plan.json``; ratios are of the sums."""
    sites = [_site(site, draw) for site in plan.sites]
    sums = {name: sum((site[name] for site in sites), start=np.zeros(1)) for name in _AMOUNTS}
    shared = [_cost(part, draw, {}) for part in plan.shared]
    capex = sums["capex"] + sum((bought for _, bought in shared), start=np.zeros(1))
    kwh = sums["it"] * 1e3
    return {
        "tco_usd": sums["cost"] + sum((cost for cost, _ in shared), start=np.zeros(1)),
        "capex_usd": capex,
        "it_energy_mwh_per_year": sums["it"],
        "facility_energy_mwh_per_year": sums["facility"],
        "pue": sums["facility"] / sums["it"],
        "wue_site_l_per_kwh": sums["water"] * 1e3 / kwh,
        "water_m3_per_year": sums["water"],
        "cue_kg_per_kwh": sums["operational"] * 1e3 / kwh,
        "carbon_t_per_year": sums["carbon"],
    }


_AMOUNTS = ("cost", "capex", "it", "facility", "water", "operational", "carbon")


def _site(site: SiteExposure, draw: Draw) -> dict[str, FloatArray]:
    load = draw(LOAD)
    it, beyond = site.it_mwh * load, site.overhead_mwh * load * draw(site.overhead)
    energy = (it + beyond) / (site.it_mwh + site.overhead_mwh)
    operational = site.operational_t * energy * draw(site.grid)
    carbon = site.scope1_t * draw(LEAKS) + operational + site.making_t * draw(EMBODIED)
    usual_t = site.scope1_t + site.operational_t + site.making_t
    water = load * draw(EVAPORATION)
    ratios = {
        "energy": energy,
        "load": load,
        "water": water,
        "carbon": carbon / usual_t if usual_t else 1.0 + 0.0 * load,
    }
    costs = [_cost(part, draw, ratios) for part in site.parts]
    return {
        "cost": sum((cost for cost, _ in costs), start=0.0 * load),
        "capex": sum((bought for _, bought in costs), start=0.0 * load),
        "it": it, "facility": it + beyond, "water": site.water_m3 * water, "operational": operational, "carbon": carbon,
    }  # fmt: skip


def _cost(part: Part, draw: Draw, ratios: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Return the present cost of ``part`` and what of it is bought at first."""
    factor = draw(part.price) if part.price else np.ones(1)
    if part.amount:
        factor = factor * ratios[part.amount]
    return part.present_usd * factor, part.upfront_usd * factor


def _objective(found: dict[str, FloatArray], plan: Exposure, model: Model) -> FloatArray:
    if model.objective.name == "cost":
        return found["tco_usd"]
    years = model.horizon_s / YEAR_S
    amounts = {
        "cost": found["tco_usd"], "energy": found["facility_energy_mwh_per_year"] * 3.6e9 * years,
        "carbon": found["carbon_t_per_year"] * 1e3 * years, "water": found["water_m3_per_year"] * years,
        "time": plan.time_s + 0.0 * found["tco_usd"],
    }  # fmt: skip
    return sum((weight * amounts[name] for name, weight in model.objective.weights.items()), start=np.zeros(1))


def _facts(plan: Exposure) -> Iterator[Range]:
    yield from (LOAD, EVAPORATION, LEAKS, EMBODIED)
    for site in plan.sites:
        yield from (site.overhead, site.grid)
    for part in (*plan.shared, *(part for site in plan.sites for part in site.parts)):
        if part.price:
            yield part.price


def _spread(values: FloatArray) -> Spread:
    p10, p50, p90 = (float(value) for value in np.percentile(values, [10, 50, 90]))
    return Spread(p10, p50, p90)


def _tornado(plan: Exposure, causes: Iterable[str]) -> tuple[Swing, ...]:
    """Return the TCO with all facts of one cause at their low, then high, end, by the samples' own arithmetic."""
    swings = []
    for cause in causes:
        ends = [float(evaluate(plan, _end(cause, at))["tco_usd"][0]) for at in ("low", "high")]
        if abs(ends[1] - ends[0]) > 0.5:
            source = next(fact.source for fact in _facts(plan) if fact.cause == cause)
            swings.append(Swing(cause, min(ends), max(ends), source))
    return tuple(sorted(swings, key=lambda s: (s.low_usd - s.high_usd, s.name)))


def _end(cause: str, at: str) -> Draw:
    return lambda fact: np.array([getattr(fact, at) if fact.cause == cause else 1.0])
