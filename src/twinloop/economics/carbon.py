"""Greenhouse gases: what is burnt or leaks (scope 1), bought power (2), making of the assets (3).

Scopes after the GHG Protocol Corporate Standard (2004). All results in kg CO2-equivalent.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from twinloop.catalogue.nouns import Grid
from twinloop.economics.periods import HOUR_S, years

GWP100 = MappingProxyType(
    {
        "R134a": 1530.0,
        "R32": 771.0,
        "R410A": 2255.0,  # 50 % R32, 50 % R125
        "R513A": 673.0,  # 44 % R134a, 56 % R1234yf
        "R454B": 531.0,  # 69 % R32, 31 % R1234yf
        "R1234ze": 1.37,
        "R1234yf": 0.5,
        "R744": 1.0,
        "R717": 0.0,
    }
)
"""Global warming potential over 100 years, kg CO2e per kg. Source: IPCC AR6 WG1 (2021) table 7.SM.7 as
tabulated in ATMOsphere, Refrigerants fact sheet 2; R1234ze and R1234yf, there "< 1", from memory (low
confidence, without weight)."""


@dataclass(frozen=True)
class Leakage:
    """Assumptions on the refrigerant of a chiller plant."""

    charge_kg_per_w: float = 0.3e-3
    """Charge per watt of cooling: 0.3 kg/kW, practice 0.2-0.5. From memory, low confidence."""
    leak_per_year: float = 0.02
    """Share of the charge lost a year: IPCC 2006 guidelines, volume 3, chapter 7, give 2-15 % for
    chillers; new sealed machines at the low end. From memory, low confidence."""


@dataclass(frozen=True)
class GeneratorTests:
    """Assumptions on the test running of stand-by diesel generators. All from memory, low confidence."""

    hours_per_year: float = 6.0
    """NFPA 110 practice: 30 minutes a month."""
    load: float = 0.3
    """Share of rating: NFPA 110 asks for at least 30 %."""
    fuel_l_per_kwh: float = 0.33
    """Diesel per kWh at that load; about 0.27 at full load."""
    fuel_kg_per_l: float = 2.70
    """US EPA emission-factor hub: 10.21 kg CO2 per US gallon of diesel."""


def scope2_kg(energy_j: float, grid: Grid) -> float:
    """Return the emissions of bought electricity; the boundary is the grid's ``carbon_basis``.

    >>> grid = Grid("DE", 0.332 / 3.6e6, "life-cycle, location-based", 0.0, "high")
    >>> round(scope2_kg(3.6e9, grid), 6)   # 1 MWh
    332.0
    """
    return energy_j * grid.carbon_kg_per_j


def refrigerant_kg_per_year(cooling_w: float, refrigerant: str, leakage: Leakage | None = None) -> float:
    """Return the yearly emissions of leaking refrigerant: ``rating x charge x leak rate x GWP``.

    Args:
        cooling_w: rated cooling of all machines, spares included: they hold charge too.
        refrigerant: a key of :data:`GWP100`.
        leakage: charge and leak rate; ``None``: the defaults.

    Raises:
        ValueError: a refrigerant without a known GWP.

    >>> round(refrigerant_kg_per_year(1e6, "R134a"))   # 300 kg, 2 % a year
    9180
    """
    if refrigerant not in GWP100:
        raise ValueError(f"no GWP known of {refrigerant!r}; known: {', '.join(GWP100)}")
    assumed = leakage or Leakage()
    return cooling_w * assumed.charge_kg_per_w * assumed.leak_per_year * GWP100[refrigerant]


def generator_tests_kg_per_year(rating_w: float, tests: GeneratorTests | None = None) -> float:
    """Return the yearly emissions of testing stand-by generators of ``rating_w`` in all.

    >>> round(generator_tests_kg_per_year(1e6))   # 1 MW x 30 % x 6 h x 0.33 L/kWh x 2.7 kg/L
    1604
    """
    assumed = tests or GeneratorTests()
    energy_kwh = rating_w * assumed.load * assumed.hours_per_year * HOUR_S / 3.6e6
    return energy_kwh * assumed.fuel_l_per_kwh * assumed.fuel_kg_per_l


def scope1_kg_per_year(cooling_w: float, refrigerant: str, generator_w: float) -> float:
    """Return the yearly direct emissions of a hall, defaults throughout: leaks and generator tests.

    >>> round(scope1_kg_per_year(1e6, "R134a", 1e6))
    10784
    """
    return refrigerant_kg_per_year(cooling_w, refrigerant) + generator_tests_kg_per_year(generator_w)


def embodied_kg_per_year(embodied_kg: float, life_s: float) -> float:
    """Return scope 3 of an asset: what making it emitted, spread evenly over its life.

    Raises:
        ValueError: a life that is not positive.

    >>> from twinloop.economics.periods import YEAR_S
    >>> embodied_kg_per_year(10300.0, 5 * YEAR_S)
    2060.0
    """
    if not life_s > 0.0:
        raise ValueError(f"a life of {life_s} s spreads nothing")
    return embodied_kg / years(life_s)


def carbon_cost_usd(carbon_kg: float, price_usd_per_t: float) -> float:
    """Return the price of ``carbon_kg`` at ``price_usd_per_t``.

    >>> carbon_cost_usd(2500.0, 80.0)
    200.0
    """
    return carbon_kg / 1000.0 * price_usd_per_t
