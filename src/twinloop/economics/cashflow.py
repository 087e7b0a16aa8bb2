"""Money year by year, and its present value.

Conventions:

- Year 0 is the purchase, not discounted. Year ``k`` is paid at its end and discounted by
  ``(1 + r)^-k``. A horizon that ends inside a year has a last, shorter year: its yearly amounts are
  that share of a year's, its discounting reaches to the horizon.
- A yearly amount is given at today's price: year 1 costs that, year ``k`` costs ``(1 + e)^(k-1)``
  of it. Prices without an escalation do not move.
- An asset whose life ends before the horizon is bought again at the end of the year in which it
  ends, at ``(1 + e)^t`` of its price if an escalation goes by the asset's name. One whose life ends
  with the horizon is not.
- What an asset is still worth at the horizon (straight line) comes back as ``residual``, negative.
- Maintenance is a share of the first price, each year after the purchase.
- An asset may be bought later (``bought_year``), at the end of that year: growth is bought so.
"""

from __future__ import annotations

import math

from twinloop.economics.capital import CapitalItem, residual_usd
from twinloop.economics.periods import years
from twinloop.model.model import Finance
from twinloop.model.plan import CashYear

MAINTENANCE = "maintenance"
"""Purpose of upkeep in :class:`CashYear`; an escalation may go by this name."""
RESIDUAL = "residual"
"""Purpose of the value credited at the horizon."""


def cashflow(
    capital: tuple[CapitalItem, ...],
    yearly_usd: dict[str, float],
    escalation_per_year: dict[str, float],
    finance: Finance,
    horizon_s: float,
) -> tuple[CashYear, ...]:
    """Return the money of year 0 and of every year to the horizon, costs positive.

    Amounts stand under their purpose: the asset's name (purchases and replacements),
    ``maintenance``, the names of ``yearly_usd``, and ``residual``. Amounts under one name add up.
    Of ``finance`` only the discount rate is used: staff and hardware upkeep are the caller's, in
    ``yearly_usd`` and ``capital`` (:func:`twinloop.economics.capital.hardware_item`).

    Raises:
        ValueError: horizon not positive and finite, or a rate of -100 % or below.

    >>> finance = Finance("USD", 0.08, 5 * 365 * 86400.0, 0.0, 0.0)
    >>> plant = CapitalItem("chillers", 1000.0, 20 * 365 * 86400.0, 0.04)
    >>> cash = cashflow((plant,), {"energy": 100.0}, {"energy": 0.02}, finance, 2 * 365 * 86400.0)
    >>> cash[0].amounts_usd
    {'chillers': 1000.0}
    >>> {name: round(amount, 2) for name, amount in cash[2].amounts_usd.items()}
    {'maintenance': 40.0, 'energy': 102.0, 'residual': -900.0}
    >>> round(tco_usd(cash), 4)   # 1000 + 140/1.08 + (142 - 900)/1.08^2
    479.7668
    """
    if not (horizon_s > 0.0 and math.isfinite(horizon_s)):
        raise ValueError(f"a horizon of {horizon_s} s has no cash flow")
    _check_rates(finance.discount_per_year, escalation_per_year)
    horizon = years(horizon_s)
    count = math.ceil(horizon)
    amounts: list[dict[str, float]] = [{} for _ in range(count + 1)]
    for item in capital:
        _add(amounts[item.bought_year], item.name, _first_usd(item, escalation_per_year))
    for year in range(1, count + 1):
        share = min(1.0, horizon - (year - 1))
        _add_running(amounts[year], capital, yearly_usd, escalation_per_year, year, share)
    for item in capital:
        _add_renewals(amounts, item, escalation_per_year.get(item.name, 0.0), horizon)
    rate = finance.discount_per_year
    return tuple(
        CashYear(year, money, math.fsum(money.values()) * (1.0 + rate) ** -min(float(year), horizon))
        for year, money in enumerate(amounts)
    )


def tco_usd(cash: tuple[CashYear, ...]) -> float:
    """Return the total cost of ownership: the net present cost, the sum of the discounted years.

    >>> tco_usd((CashYear(0, {}, 100.0), CashYear(1, {}, 50.0)))
    150.0
    """
    return math.fsum(year.discounted_usd for year in cash)


def payback_years(cash_a: tuple[CashYear, ...], cash_b: tuple[CashYear, ...]) -> float | None:
    """Return when plan ``a``, dearer to buy, has cost no more than plan ``b`` and stays so.

    Simple payback: undiscounted, the value left at the horizon not counted, linear inside a year.
    0.0 when ``a`` never costs more; ``None`` when it does not pay back within the horizon.

    Raises:
        ValueError: the plans have different horizons.

    >>> dear = (CashYear(0, {"plant": 130.0}, 0.0), *(CashYear(y, {"energy": 10.0}, 0.0) for y in (1, 2)))
    >>> poor = (CashYear(0, {"plant": 100.0}, 0.0), *(CashYear(y, {"energy": 30.0}, 0.0) for y in (1, 2)))
    >>> payback_years(dear, poor)
    1.5
    """
    if [year.year for year in cash_a] != [year.year for year in cash_b]:
        raise ValueError("only plans of one horizon have a payback between them")
    extra = [_spent_usd(a) - _spent_usd(b) for a, b in zip(cash_a, cash_b, strict=True)]
    cumulative = [math.fsum(extra[: year + 1]) for year in range(len(extra))]
    # Sums of millions leave dust of 1e-9 USD; a cent is paid back.
    behind = [year for year, amount in enumerate(cumulative) if amount > 0.005]
    if not behind:
        return 0.0
    last = behind[-1]
    if last + 1 == len(cumulative):
        return None
    return last + cumulative[last] / (cumulative[last] - cumulative[last + 1])


def _first_usd(item: CapitalItem, escalation_per_year: dict[str, float]) -> float:
    return item.amount_usd * (1.0 + escalation_per_year.get(item.name, 0.0)) ** item.bought_year


def _spent_usd(year: CashYear) -> float:
    return math.fsum(amount for name, amount in year.amounts_usd.items() if name != RESIDUAL)


def _check_rates(discount_per_year: float, escalation_per_year: dict[str, float]) -> None:
    for name, rate in {"discount": discount_per_year, **escalation_per_year}.items():
        if not (rate > -1.0 and math.isfinite(rate)):
            raise ValueError(f"a {name} rate of {rate} a year has no present value")


def _add(money: dict[str, float], name: str, amount_usd: float) -> None:
    money[name] = money.get(name, 0.0) + amount_usd


def _add_running(
    money: dict[str, float],
    capital: tuple[CapitalItem, ...],
    yearly_usd: dict[str, float],
    escalation: dict[str, float],
    year: int,
    share: float,
) -> None:
    standing = [item for item in capital if item.bought_year < year]
    upkeep = math.fsum(item.amount_usd * item.maintenance_per_year for item in standing)
    if upkeep > 0.0:
        _add(money, MAINTENANCE, upkeep * share * (1.0 + escalation.get(MAINTENANCE, 0.0)) ** (year - 1))
    for name, amount in yearly_usd.items():
        _add(money, name, amount * share * (1.0 + escalation.get(name, 0.0)) ** (year - 1))


def _add_renewals(amounts: list[dict[str, float]], item: CapitalItem, escalation: float, horizon: float) -> None:
    """Add the replacements of ``item`` before the horizon, and the value left at it."""
    life, start = item.life_years, item.bought_year
    span = horizon - start
    # A life that divides the horizon ends with it: the tolerance is that of the snapped years.
    renewals = 0 if math.isinf(life) else max(0, math.ceil(span / life - 1e-9) - 1)
    price_usd = item.amount_usd * (1.0 + escalation) ** start
    for renewal in range(1, renewals + 1):
        moment = start + renewal * life
        price_usd = item.amount_usd * (1.0 + escalation) ** moment
        _add(amounts[math.ceil(moment - 1e-9)], item.name, price_usd)
    left_usd = residual_usd(price_usd, span - renewals * life if renewals else span, life)
    if left_usd > 1e-9 * price_usd:
        _add(amounts[-1], RESIDUAL, -left_usd)
