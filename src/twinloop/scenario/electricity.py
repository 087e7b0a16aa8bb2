"""Grid and tariff of a place: what the person wrote, and the market of its climate where nothing was."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial

from twinloop import catalogue
from twinloop.catalogue.nouns import Grid
from twinloop.climate.lookup import place_normals
from twinloop.climate.stations import nearest
from twinloop.errors import Fault, InputError
from twinloop.model.site import Tariff
from twinloop.scenario import schema
from twinloop.scenario.given import number
from twinloop.scenario.provenance import Sources
from twinloop.scenario.sense import band_hours
from twinloop.units import show


def markets_of(climate: str | None) -> tuple[str, ...]:
    """Return the names under which a climate place's grid and tariff may be listed, the nearest first."""
    if climate is None or climate.lower().endswith(".epw"):
        return ()
    try:
        place = place_normals(climate)
    except InputError:
        return ()
    if place.country != "USA":
        return (place.country,)
    # Prices and carbon differ by state; the nearest weather station knows its own.
    return (f"US-{nearest(place.latitude_deg, place.longitude_deg).state}", place.country)


def listed(look_up: Callable[[str], object], names: tuple[str, ...]) -> str | None:
    """Return the first of ``names`` that the catalogue has."""
    for name in names:
        try:
            look_up(name)
        except InputError:
            continue
        return name
    return None


def _missing(path: str, what: str, names: tuple[str, ...]) -> InputError:
    why = "no country follows from the climate"
    if names:
        why = f"the catalogue has none for {' or '.join(names)} (`twinloop catalogue {what}s` lists those it has)"
    expected = f"the key {what!r} such as `{what}: {_EXAMPLES[what]}`: {why}"
    return InputError(Fault("", None, path, f"no {what}", expected))


_EXAMPLES = {"grid": "{carbon: 400 g/kWh, basis: my supplier}", "tariff": "{energy: 0.10 USD/kWh}"}


def must_have_power(spec: schema.OnPremiseSpec | schema.EdgeSpec, path: str) -> None:
    """Refuse a place without grid and tariff, both at once."""
    faults: list[Fault | str] = []
    grid = partial(grid_of, spec.grid, spec.climate, path, Sources())
    tariff = partial(tariff_of, spec.tariff, spec, path, Sources())
    for look in (grid, tariff):
        try:
            look()
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(tuple(faults))


def grid_of(spec: schema.Grid | None, climate: str | None, path: str, sources: Sources) -> Grid:
    """Return the grid given or named, else that of the climate's market; noted under ``path``."""
    if isinstance(spec, schema.GridSpec):
        water = spec.water
        if water is None:
            # The world's median of the table: a contract for carbon seldom says its water.
            water = statistics.median(grid.source_water_m3_per_j for grid in catalogue.grids())
            sources.choice(
                f"{path}.grid.water", show(water, "water intensity"), "median of the catalogue's grids", "low"
            )
        return Grid("given", spec.carbon, spec.basis, water, "high")
    name = spec
    if name is None:
        markets = markets_of(climate)
        name = listed(catalogue.grid, markets)
        if name is None:
            raise _missing(f"{path}.grid", "grid", markets)
        sources.choice(f"{path}.grid", name, f"place of the climate {climate}", "medium")
    grid = catalogue.grid(name)
    origin = f"catalogue grids, {grid.name}: {grid.carbon_basis}"
    sources.choice(
        f"{path}.grid.carbon", show(grid.carbon_kg_per_j, "carbon intensity"), origin, grid.lowest_confidence
    )
    water_shown = show(grid.source_water_m3_per_j, "water intensity")
    sources.choice(f"{path}.grid.water", water_shown, f"catalogue grids, {grid.name}", grid.lowest_confidence)
    return grid


def tariff_of(
    spec: schema.Tariff | None, site: schema.OnPremiseSpec | schema.EdgeSpec, path: str, sources: Sources
) -> Tariff:
    """Return the tariff given or named, else that of the grid's market; noted under ``path``."""
    where = f"{path}.tariff"
    if isinstance(spec, schema.TariffSpec):
        demand = _demand(site, where, sources) if spec.demand is None else spec.demand
        escalation = number(spec.escalation, f"{where}.escalation", "tariff_escalation", sources)
        return Tariff(_hourly(spec), demand, escalation, "scenario")
    name = spec
    if name is None:
        markets = _tariff_markets(site)
        name = listed(catalogue.tariff, markets)
        if name is None:
            raise _missing(where, "tariff", markets)
        sources.choice(where, name, "place of the grid", "medium")
    row = catalogue.tariff(name)
    origin = f"catalogue tariffs: {row.name}"
    sources.choice(f"{where}.energy", show(row.energy_usd_per_j, "energy price"), origin, row.lowest_confidence)
    shown = show(row.demand_usd_per_w_month, "demand price")
    sources.choice(f"{where}.demand", shown, origin, row.lowest_confidence)
    escalation = sources.fact(
        f"{where}.escalation",
        catalogue.constant("economics", "default", "electricity_escalation_per_year"),
        "yearly share",
    )
    return Tariff((row.energy_usd_per_j,) * 24, row.demand_usd_per_w_month, escalation, origin)


def _tariff_markets(site: schema.OnPremiseSpec | schema.EdgeSpec) -> tuple[str, ...]:
    return (site.grid,) if isinstance(site.grid, str) else markets_of(site.climate)


def _demand(site: schema.OnPremiseSpec | schema.EdgeSpec, where: str, sources: Sources) -> float:
    """Return the demand charge where only an energy price is given: the market's own, else the usual one."""
    name = listed(catalogue.tariff, _tariff_markets(site))
    if name is None:
        fact = catalogue.constant("economics", "default", "demand_charge_usd_per_w_month")
        return sources.fact(f"{where}.demand", fact, "demand price")
    row = catalogue.tariff(name)
    shown = show(row.demand_usd_per_w_month, "demand price")
    sources.choice(f"{where}.demand", shown, f"catalogue tariffs: {row.name}, as the scenario gives none",
                   row.lowest_confidence)  # fmt: skip
    return row.demand_usd_per_w_month


def _hourly(spec: schema.TariffSpec) -> tuple[float, ...]:
    """Return the price of each hour of the day, USD/J; the bands cover it, as checked on loading."""
    if not isinstance(spec.energy, list):
        return (spec.energy,) * 24
    prices = {hour: band.price for band in spec.energy for hour in band_hours(band)}
    return tuple(prices[hour] for hour in range(24))
