"""Sites: halls, cloud regions and edge places, with their defaults."""

from __future__ import annotations

from pathlib import Path

from twinloop import catalogue
from twinloop.catalogue.nouns import Grid
from twinloop.climate.lookup import weather
from twinloop.errors import Fault, InputError
from twinloop.model.site import Cloud, Edge, Floor, HeatOfftake, OnPremise, RackLimits, Tariff, Water
from twinloop.scenario import schema
from twinloop.scenario.trail import Trail
from twinloop.units import YEAR_S, show

BUILD_USD_PER_W = 11.6
"""Frankfurt, Turner & Townsend Data Centre Cost Index 2025-2026 (11.6-15.2 over the cities listed there)."""
COOLING_SHARE = 0.15
"""Share of a build price that is cooling plant, which the plan prices itself. Practice 15-20 %, low confidence."""
WATER_USD_PER_M3 = 2.5
"""US with sewer, range 1-6; low confidence."""
CLOUD_EMBODIED_KG_PER_DEVICE_S = 575.0 / (5 * YEAR_S)
"""An H100 with its share of the chassis over five years: 575 kg (Boavizta 2.5.0), 164 kg by the maker."""


def hall(part: schema.OnPremise, i: int, base: Path, trail: Trail) -> OnPremise:
    """Return the hall that ``part`` describes; ``i`` is its place in the file's list."""
    where = f"sites.{i}"
    year = weather(part.climate, base)
    trail.default(f"{where}.climate", part.climate, year.source, "medium")
    grid = _grid(part.grid, f"{where}.grid", trail)
    trail.unless_given(
        f"{where}.racks.weight", "1500 kg", "enterprise rack rating, practice 1200-1700 kg", "low", 1200, 1700
    )
    trail.unless_given(f"{where}.racks.height", "48 U", "common tall rack", "low", 42, 52)
    trail.unless_given(f"{where}.floor.load", "12 kPa", "raised and slab floors 10-15 kPa", "low", 10e3, 15e3)
    trail.unless_given(f"{where}.water.cycles", "4", "EnergyPlus tower example; practice 3-5", "medium", 3, 5)
    trail.unless_given(f"{where}.hall_class", "A2", "common IT class, ASHRAE TC 9.9 (2021)", "medium")
    trail.unless_given(f"{where}.availability.redundancy", "N+1", "concurrently maintainable practice", "medium")
    trail.unless_given(
        f"{where}.build_price", f"{BUILD_USD_PER_W} USD/W less {COOLING_SHARE:.0%} cooling",
        "Turner & Townsend Data Centre Cost Index 2025-2026, Frankfurt", "medium", 9.0, 15.2,
    )  # fmt: skip
    trail.unless_given(f"{where}.water.price", "2.5 USD/m3", "US incl. sewer, 1-6", "low", 1.0, 6.0)
    build = part.build_price if part.build_price is not None else BUILD_USD_PER_W * (1.0 - COOLING_SHARE)
    water = part.water
    return OnPremise(
        name=part.name, jurisdiction=part.jurisdiction, weather=year, utility_power_w=part.utility_power,
        racks=RackLimits(part.racks.positions, part.racks.power, part.racks.weight, part.racks.height),
        floor=Floor(part.floor.area, part.floor.load),
        water=Water(
            water.supply, water.peak, water.cycles, water.source,
            water.price if water.price is not None else WATER_USD_PER_M3,
        ),
        air_class=part.hall_class, liquid_class=part.liquid_class, redundancy=part.availability.redundancy,
        ride_through_s=part.availability.ride_through, grid=grid, tariff=_tariff(part.tariff, f"{where}.tariff", trail),
        heat_offtake=None if part.heat_offtake is None else HeatOfftake(
            part.heat_offtake.temperature, part.heat_offtake.demand, part.heat_offtake.price
        ),
        growth_per_year=part.growth, build_usd_per_w=build,
    )  # fmt: skip


def cloud_site(part: schema.CloudPart, i: int, trail: Trail) -> Cloud:
    """Return the cloud region that ``part`` names."""
    where = f"sites.{i}"
    row = catalogue.cloud_region(part.provider, part.region)
    offers = catalogue.cloud_offers(part.provider, part.region)
    grid = _grid(row.grid, f"{where}.grid", trail)
    trail.default(f"{where}.pue", f"{row.pue:g}", "provider's fleet average", row.lowest_confidence)
    trail.default(f"{where}.wue", f"{row.wue_l_per_kwh:g} L/kWh", "provider's fleet average", row.lowest_confidence)
    trail.default(
        f"{where}.prices", f"{len(offers)} offers, list prices of {row.price_base} × {row.price_uplift:g}",
        offers[0].source if offers else "none", row.lowest_confidence,
    )  # fmt: skip
    return Cloud(
        name=part.name, provider=row.provider, region=row.region, jurisdiction=part.jurisdiction or row.jurisdiction,
        offers=offers, grid=grid, pue=row.pue, wue_l_per_kwh=row.wue_l_per_kwh,
        egress_usd_per_b=tuple(tuple(tier) for tier in row.egress_usd_per_b),
        embodied_kg_per_device_s=CLOUD_EMBODIED_KG_PER_DEVICE_S,
    )  # fmt: skip


def edge_site(part: schema.EdgePart, i: int, base: Path, trail: Trail) -> Edge:
    """Return the edge places that ``part`` describes."""
    where = f"sites.{i}"
    trail.unless_given(f"{where}.pue", "1.6", "small server rooms; Uptime survey mean 1.55-1.58", "low", 1.3, 2.0)
    return Edge(
        name=part.name, jurisdiction=part.jurisdiction, count=part.count, power_w=part.power,
        weather=weather(part.climate, base), grid=_grid(part.grid, f"{where}.grid", trail),
        tariff=_tariff(part.tariff, f"{where}.tariff", trail), pue=part.pue,
    )  # fmt: skip


def _grid(name: str, where: str, trail: Trail) -> Grid:
    grid = catalogue.grid(name)
    carbon = f"{grid.carbon_kg_per_j * 3.6e9:.0f} g/kWh ({grid.carbon_basis})"
    water = f"{grid.source_water_m3_per_j * 3.6e9:.2f} L/kWh"
    trail.default(f"{where}.carbon", carbon, f"catalogue grids: {grid.name}", grid.lowest_confidence)
    trail.default(f"{where}.source_water", water, f"catalogue grids: {grid.name}", grid.lowest_confidence)
    return grid


def _tariff(part: str | schema.TariffPart, where: str, trail: Trail) -> Tariff:
    if isinstance(part, str):
        row = catalogue.tariff(part)
        price = f"{show(row.energy_usd_per_j, 'energy price')} + {show(row.demand_usd_per_w_month, 'demand price')}"
        trail.default(f"{where}.price", price, f"catalogue tariffs: {row.name}", row.lowest_confidence)
        trail.default(f"{where}.escalation", "2.5 %/year", "practice 0-5 %/year", "low", 0.0, 0.05)
        return Tariff((row.energy_usd_per_j,) * 24, row.demand_usd_per_w_month, 0.025, f"catalogue: {row.name}")
    return Tariff(_hours(part), part.demand, part.escalation, "scenario")


def _hours(part: schema.TariffPart) -> tuple[float, ...]:
    """Return a price for each hour of the day; windows may pass midnight and must cover the day."""
    if not isinstance(part.energy, list):
        return (part.energy,) * 24
    prices: list[float | None] = [None] * 24
    for window in part.energy:
        hours = range(window.start, window.end if window.end > window.start else window.end + 24)
        for hour in hours:
            prices[hour % 24] = window.price
    if any(price is None for price in prices):
        missing = [hour for hour, price in enumerate(prices) if price is None]
        raise InputError(
            Fault("", None, "tariff.energy", f"no price for hours {missing}", "windows that cover the day")
        )
    return tuple(price for price in prices if price is not None)
