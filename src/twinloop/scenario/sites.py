"""Halls, cloud regions and edge places: what the person wrote, and facts where nothing was."""

from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path
from typing import get_args

from twinloop import catalogue
from twinloop.catalogue.nouns import CloudOffer
from twinloop.climate.lookup import place_normals, weather
from twinloop.errors import InputError
from twinloop.model.site import (
    Cloud,
    Containment,
    Edge,
    Floor,
    HeatOfftake,
    Intake,
    OnPremise,
    PowerChain,
    PowerPhase,
    RackLimits,
    Redundancy,
    Water,
)
from twinloop.model.weather import WeatherYear
from twinloop.scenario import schema
from twinloop.scenario.defaults import DEFAULTS, WORDS
from twinloop.scenario.electricity import grid_of, must_have_power, tariff_of
from twinloop.scenario.given import number, word
from twinloop.scenario.jurisdictions import within
from twinloop.scenario.plants import existing_plant
from twinloop.scenario.provenance import Sources
from twinloop.units import YEAR_S, show

LONG_TERM_S = 3 * YEAR_S
"""The longer of the two usual terms of reserved machines; the other is a year."""
SLACK = 0.01
"""A horizon this near a term is as long: years of 365 and 365.25 days."""


def on_premise(spec: schema.OnPremiseSpec, base_dir: Path, sources: Sources) -> OnPremise:
    """Return the hall that ``spec`` describes."""
    path = f"sites.{spec.name}"
    must_have_power(spec, path)
    year = _weather(spec.climate, base_dir, path, sources)
    availability = spec.availability or schema.AvailabilitySpec()
    offtake = spec.heat_offtake
    redundancy = word(availability.redundancy, f"{path}.availability.redundancy", "redundancy", sources)
    aisles = word(spec.containment, f"{path}.containment", "containment", sources)
    containment = next(each for each in get_args(Containment) if each == aisles)
    intake = word(spec.intake, f"{path}.intake", "intake", sources)
    feeds = word(spec.power_chain, f"{path}.power_chain", "power_chain", sources)
    if spec.liquid_class is None:
        sources.choice(f"{path}.liquid_class", *WORDS["liquid_class"], "medium")
    return OnPremise(
        name=spec.name,
        jurisdiction=spec.jurisdiction,
        weather=year,
        utility_power_w=_utility_w(spec, path, sources),
        power_phases=_power_phases(spec),
        plant=None if spec.design is None else existing_plant(spec.design, containment, path, sources),
        racks=RackLimits(
            spec.racks.positions,
            spec.racks.power,
            number(spec.racks.weight, f"{path}.racks.weight", "weight", sources),
            number(spec.racks.height, f"{path}.racks.height", "height", sources),
        ),
        floor=_floor(spec, path, sources),
        water=_water(spec, path, sources),
        air_class=word(spec.hall_class, f"{path}.hall_class", "hall_class", sources),
        containment=containment,
        intake=next(each for each in get_args(Intake) if each == intake),
        liquid_class=spec.liquid_class,
        redundancy=next(each for each in get_args(Redundancy) if each == redundancy),
        ride_through_s=number(availability.ride_through, f"{path}.availability.ride_through", "ride_through", sources),
        grid=grid_of(spec.grid, spec.climate, path, sources),
        tariff=tariff_of(spec.tariff, spec, path, sources),
        heat_offtake=None if offtake is None else HeatOfftake(offtake.temperature, offtake.demand, offtake.price),
        growth_per_year=number(spec.growth, f"{path}.growth", "growth", sources),
        build_usd_per_w=_build_usd_per_w(spec, path, sources),
        power_chain=next(each for each in get_args(PowerChain) if each == feeds),
    )


def _weather(climate: str, base_dir: Path, path: str, sources: Sources) -> WeatherYear:
    year = weather(climate, base_dir)
    design = year.design
    shown = f"{year.name}: {design.dry_bulb_c:.1f} °C dry, {design.wet_bulb_c:.1f} °C wet bulb at design"
    confidence = "medium" if climate.lower().endswith(".epw") else place_normals(climate).lowest_confidence
    sources.choice(f"{path}.weather", shown, f"{year.source}; {design.basis}", confidence)
    return year


def _utility_w(spec: schema.OnPremiseSpec, path: str, sources: Sources) -> float:
    if isinstance(spec.utility_power, list):
        return spec.utility_power[0].power
    if spec.utility_power is not None:
        return spec.utility_power
    ratio = number(None, f"{path}.peak_facility_per_it", "peak_facility_per_it", sources)
    utility_w = (spec.it_power or 0.0) * ratio
    sources.choice(f"{path}.utility_power", show(utility_w, "power"), "it_power times the ratio above", "low")
    return utility_w


def _power_phases(spec: schema.OnPremiseSpec) -> tuple[PowerPhase, ...]:
    if not isinstance(spec.utility_power, list):
        return ()
    return tuple(PowerPhase(each.after or 0.0, each.power) for each in spec.utility_power[1:])


def _floor(spec: schema.OnPremiseSpec, path: str, sources: Sources) -> Floor:
    if spec.floor is None:
        fact = catalogue.constant("economics", "default", "floor_m2_per_rack_air")
        area = sources.fact(f"{path}.floor.area", fact, "area", float(spec.racks.positions))
        return Floor(area, number(None, f"{path}.floor.load", "load", sources))
    return Floor(spec.floor.area, number(spec.floor.load, f"{path}.floor.load", "load", sources))


def _water(spec: schema.OnPremiseSpec, path: str, sources: Sources) -> Water:
    water = spec.water or schema.WaterSpec()
    for key, limit in (("supply", water.supply), ("peak", water.peak)):
        if limit is None:
            sources.choice(f"{path}.water.{key}", *WORDS["water_limit"], "low")
    price = water.price
    if price is None:
        row = next((f"water-{area}" for area in ("EU", "US", "SG") if within(spec.jurisdiction, area)), "default")
        fact = catalogue.constant("economics", row, "water_price_usd_per_m3")
        price = sources.fact(f"{path}.water.price", fact, "water price")
    return Water(
        water.supply,
        water.peak,
        number(water.cycles, f"{path}.water.cycles", "cycles", sources),
        word(water.source, f"{path}.water.source", "water_source", sources),
        price,
    )


def _build_usd_per_w(spec: schema.OnPremiseSpec, path: str, sources: Sources) -> float:
    """Return the price of shell, power and land: the city's index less the cooling plant, priced apart."""
    if spec.build_price is not None:
        return spec.build_price
    share = catalogue.constant("economics", "default", "cooling_share_of_build")
    cooling = float(share.value)
    try:
        fact = catalogue.constant("economics", spec.climate, "build_usd_per_w")
    except InputError:
        fact = catalogue.constant("economics", "default", "build_usd_per_w")
    why = f"less the {cooling:.0%} that is cooling plant, priced machine by machine ({share.source})"
    return sources.fact(f"{path}.build_price", fact, "price of power", 1.0 - cooling, why)


def cloud(spec: schema.CloudSpec, sources: Sources, horizon_s: float) -> Cloud:
    """Return the cloud region that ``spec`` names, with the provider's own figures.

    Unless the scenario says how machines may be bought, they may be reserved where the horizon is as long as a term.
    """
    path = f"sites.{spec.name}"
    row = catalogue.cloud_region(spec.provider, spec.region)
    level = number(spec.price_level, f"{path}.price_level", "price_level", sources)
    offers = tuple(_at_level(offer, level) for offer in catalogue.cloud_offers(spec.provider, spec.region))
    origin, sure = f"catalogue cloud_regions: {row.provider}/{row.region}", row.lowest_confidence
    pue, wue = spec.pue, spec.wue
    if pue is None:
        pue = row.pue
        sources.choice(f"{path}.pue", f"{pue:g}", f"{origin}, fleet mean", sure)
    if wue is None:
        wue = row.wue_l_per_kwh
        sources.choice(f"{path}.wue", show(wue, "water per energy"), f"{origin}, fleet mean", sure)
    if spec.jurisdiction is None:
        sources.choice(f"{path}.jurisdiction", row.jurisdiction, origin, "high")
    prices = f"{len(offers)} offers at prices of {row.price_base}" + (
        f" times {row.price_uplift:.3g}" if row.price_uplift != 1.0 else ""
    )
    sources.choice(f"{path}.prices", prices, offers[0].source if offers else "none listed", sure)
    purchase = _purchase(spec, path, sources, horizon_s)
    term = "reserved_share" if horizon_s >= LONG_TERM_S * (1.0 - SLACK) else "reserved_share_one_year"
    first = row.egress_usd_per_b[0][1]
    sources.choice(f"{path}.egress", f"{show(first, 'data price')} first tier", origin, sure)
    return Cloud(
        name=spec.name,
        provider=row.provider,
        region=row.region,
        jurisdiction=spec.jurisdiction or row.jurisdiction,
        offers=offers,
        grid=grid_of(spec.grid or row.grid, None, path, sources),
        pue=pue,
        wue_l_per_kwh=wue,
        egress_usd_per_b=row.egress_usd_per_b,
        embodied_kg_per_device_s=_embodied_kg_s(path, sources),
        purchase=purchase,
        reserved_share=number(spec.reserved_share, f"{path}.reserved_share", term, sources)
        if "reserved" in purchase
        else DEFAULTS["reserved_share"].value,
        preemptions_per_s=number(spec.preemptions, f"{path}.preemptions", "preemptions", sources)
        if "spot" in purchase
        else DEFAULTS["preemptions"].value,
    )


def _at_level(offer: CloudOffer, level: float) -> CloudOffer:
    """Return ``offer`` at ``level`` times its list price, spot too."""
    spot = None if offer.spot_usd_per_s is None else offer.spot_usd_per_s * level
    return replace(offer, price_usd_per_s=offer.price_usd_per_s * level, spot_usd_per_s=spot)


def _purchase(spec: schema.CloudSpec, path: str, sources: Sources, horizon_s: float) -> tuple[str, ...]:
    """Return the ways to buy that are allowed: a steady load is reserved by everybody who rents it for years.

    Spot machines can be taken away: only who asks gets them.
    """
    if spec.purchase:
        return tuple(spec.purchase)
    long = horizon_s >= YEAR_S * (1.0 - SLACK)
    ways = ("on_demand", "reserved") if long else ("on_demand",)
    why = "steady loads are reserved, whichever is cheaper for a stage; spot is taken away, so only on request"
    sources.choice(f"{path}.purchase", ", ".join(ways), why if long else "the horizon is shorter than a year's term",
                   "medium")  # fmt: skip
    return ways


def _embodied_kg_s(path: str, sources: Sources) -> float:
    """Return the embodied carbon of a rented device by the second: the median server over its life."""
    shares = [row.embodied_kg / row.devices for row in catalogue.servers() if row.device_kind == "gpu"]
    life = catalogue.constant("economics", "life", "gpu_server_years")
    rate = statistics.median(shares) / (float(life.value) * YEAR_S)
    reason = f"median accelerator server of the catalogue over {float(life.value):g} years"
    sources.choice(f"{path}.embodied", f"{show(rate, 'embodied rate')} a device", reason, "low")
    return rate


def edge(spec: schema.EdgeSpec, base_dir: Path, sources: Sources) -> Edge:
    """Return the many small places that ``spec`` describes."""
    path = f"sites.{spec.name}"
    must_have_power(spec, path)
    pue = spec.pue
    if pue is None:
        pue = sources.fact(f"{path}.pue", catalogue.constant("economics", "default", "pue_edge"), "number")
    line_price = spec.line_price
    if line_price is None:
        fact = catalogue.constant("economics", "default", "line_usd_per_b_s_month")
        line_price = sources.fact(f"{path}.line_price", fact, "line price")
    return Edge(
        name=spec.name,
        jurisdiction=spec.jurisdiction,
        count=spec.count,
        power_w=spec.power,
        weather=_weather(spec.climate, base_dir, path, sources),
        grid=grid_of(spec.grid, spec.climate, path, sources),
        tariff=tariff_of(spec.tariff, spec, path, sources),
        pue=pue,
        line_usd_per_b_s_month=line_price,
    )
