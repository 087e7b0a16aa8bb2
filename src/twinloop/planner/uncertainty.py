"""How sure the recommendation is: sampled price ranges over a fixed shortlist of plans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinloop.economics.cashflow import tco_usd
from twinloop.model.model import Model
from twinloop.model.plan import Spread, Swing, Uncertainty
from twinloop.planner.money import Ledger, cash_of, plain_name

SAMPLES = 2000


@dataclass(frozen=True)
class Driver:
    """One uncertain input: factors on the costs it moves, the same in every plan."""

    name: str
    categories: tuple[str, ...]
    """Names of capital items or yearly amounts; ``cooling`` stands for every other capital item."""
    low: float
    high: float
    source: str


DRIVERS = (
    Driver("server prices", ("servers",), 0.80, 1.25, "street-price ranges of the catalogue, DGX H100 270-400 kUSD"),
    Driver("cooling equipment prices", ("cooling",), 0.65, 1.60, "catalogue cooling_kits, low/high over value"),
    Driver("building and power", ("building and power",), 0.85, 1.20, "Data Centre Cost Index 2025-2026, city spread"),
    Driver("electricity price", ("electricity", "demand charge"), 0.70, 1.50, "p95/mean of 2020-24 wholesale years"),
    Driver("cloud rental", ("cloud rental",), 0.55, 1.10, "reserved and list prices around the on-demand row"),
    Driver("carbon price", ("carbon price",), 0.50, 2.00, "range of scenario prices in use, low confidence"),
    Driver("water price", ("water", "water price"), 0.40, 2.40, "US 1-6 USD/m3 around 2.5, low confidence"),
    Driver("staff", ("staff",), 0.80, 1.30, "low confidence"),
)


def category_costs(ledger: Ledger, model: Model) -> dict[str, float]:
    """Return the present cost by driver category, maintenance with its asset; the sum is the TCO."""
    known = {name for driver in DRIVERS for name in driver.categories}
    costs: dict[str, float] = {}
    for item in ledger.capital:
        cash = cash_of(Ledger((item,), {}, ledger.escalation, {}), model)
        name = item.name if item.name in known else "cooling"
        costs[name] = costs.get(name, 0.0) + tco_usd(cash)
    for name, amount in ledger.yearly_usd.items():
        cash = cash_of(Ledger((), {name: amount}, ledger.escalation, {}), model)
        costs[plain_name(name)] = costs.get(plain_name(name), 0.0) + tco_usd(cash)
    return costs


def uncertainty(ledgers: tuple[Ledger, ...], model: Model, seed: int = 7) -> Uncertainty:
    """Return spread, probability of staying best, regret and tornado; ``ledgers[0]`` is the recommendation.

    Each driver is triangular with mode 1 between its factors and moves all plans alike, so that only
    the differences between plans decide which is best.
    """
    plans = [category_costs(ledger, model) for ledger in ledgers]
    rng = np.random.default_rng(seed)
    factors = {driver.name: rng.triangular(driver.low, 1.0, driver.high, SAMPLES) for driver in DRIVERS}
    sampled = np.stack([_sampled(plan, factors) for plan in plans])
    best = sampled.min(axis=0)
    mine = sampled[0]
    p10, p50, p90 = (float(value) for value in np.percentile(mine, [10, 50, 90]))
    return Uncertainty(
        samples=SAMPLES, totals={"tco_usd": Spread(p10, p50, p90)},
        probability_best=float(np.mean(mine <= best * (1.0 + 1e-12))), regret_usd=float(np.mean(mine - best)),
        tornado=_tornado(plans[0]),
    )  # fmt: skip


def _sampled(plan: dict[str, float], factors: dict[str, np.ndarray]) -> np.ndarray:
    driver_of = {name: driver.name for driver in DRIVERS for name in driver.categories}
    total = np.zeros(SAMPLES)
    for name, cost in plan.items():
        total = total + cost * (factors[driver_of[name]] if name in driver_of else 1.0)
    return total


def _tornado(plan: dict[str, float]) -> tuple[Swing, ...]:
    whole = sum(plan.values())
    swings = []
    for driver in DRIVERS:
        part = sum(plan.get(name, 0.0) for name in driver.categories)
        if part > 0.0:
            low, high = whole + part * (driver.low - 1.0), whole + part * (driver.high - 1.0)
            swings.append(Swing(driver.name, low, high, driver.source))
    return tuple(sorted(swings, key=lambda s: s.low_usd - s.high_usd))
