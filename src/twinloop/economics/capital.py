"""What is bought: its price, how long it lives and what its upkeep costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from twinloop.economics.periods import years
from twinloop.model.model import Finance


@dataclass(frozen=True)
class CapitalItem:
    """One asset, or many alike, bought at the end of ``bought_year`` and again whenever its life ends.

    ``life_s`` may be infinite (land). ``maintenance_per_year`` is a share of ``amount_usd``.
    """

    name: str
    amount_usd: float
    life_s: float
    maintenance_per_year: float
    bought_year: int = 0
    of: str = ""
    """Which one exactly, where ``name`` is a class: a server's catalogue name."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.amount_usd) and self.amount_usd >= 0.0):
            raise ValueError(f"{self.name}: an amount of {self.amount_usd} USD cannot be bought")
        if not self.life_s > 0.0:
            raise ValueError(f"{self.name}: a life of {self.life_s} s is none")
        if not (math.isfinite(self.maintenance_per_year) and self.maintenance_per_year >= 0.0):
            raise ValueError(f"{self.name}: maintenance of {self.maintenance_per_year} a year is no share")

    @property
    def life_years(self) -> float:
        """Life in years; see :func:`twinloop.economics.periods.years`."""
        return years(self.life_s)


def hardware_item(name: str, amount_usd: float, finance: Finance) -> CapitalItem:
    """Return computing hardware, refreshed and maintained as ``finance`` says.

    >>> finance = Finance("USD", 0.08, 5 * 365 * 86400.0, 0.0, 0.08)
    >>> hardware_item("servers", 1e6, finance).life_years
    5.0
    """
    return CapitalItem(name, amount_usd, finance.refresh_s, finance.maintenance_it_per_year)


def capex_usd(capital: tuple[CapitalItem, ...]) -> float:
    """Return the purchase of year 0: the sum of the amounts bought then.

    >>> capex_usd((CapitalItem("a", 2.0, 1.0, 0.0), CapitalItem("b", 3.0, 1.0, 0.0)))
    5.0
    """
    return math.fsum(item.amount_usd for item in capital if item.bought_year == 0)


def residual_usd(amount_usd: float, age_years: float, life_years: float) -> float:
    """Return the straight-line value left: ``amount (1 - age / life)``, never below zero.

    >>> residual_usd(1000.0, 5.0, 20.0)
    750.0
    """
    if math.isinf(life_years):
        return amount_usd
    return amount_usd * max(0.0, 1.0 - age_years / life_years)
