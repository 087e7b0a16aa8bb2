"""From a checked scenario to the model: names become facts, gaps become noted defaults."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from twinloop import catalogue
from twinloop.catalogue.nouns import Device, Server
from twinloop.errors import Fault, InputError
from twinloop.fluids.liquids import liquid
from twinloop.model.model import SCHEMA, Allow, Caps, Finance, Model, Objective
from twinloop.model.site import Cloud, Edge, OnPremise, Site
from twinloop.scenario import schema
from twinloop.scenario.given import number
from twinloop.scenario.load import Scenario
from twinloop.scenario.networks import network_of
from twinloop.scenario.provenance import Sources, given_rows
from twinloop.scenario.references import Steps, relocated
from twinloop.scenario.sites import cloud, edge, on_premise
from twinloop.scenario.stages import dataset, stage
from twinloop.units import YEAR_S, show

T = TypeVar("T")


def resolve(scenario: Scenario, base_dir: Path | None = None) -> Model:
    """Return the model of ``scenario`` in SI, with the source of every value.

    Args:
        scenario: from ``load``.
        base_dir: where relative paths start; the scenario's own folder if not given.

    Raises:
        InputError: every file that cannot be read or understood, at its line of the scenario.
        MissingExtraError: a graph is named and the package to read it is missing.
    """
    spec, base = scenario.spec, scenario.base_dir if base_dir is None else base_dir
    sources, faults = Sources(), list[Fault]()

    def attempt(steps: Steps, action: Callable[[], T]) -> T | None:
        try:
            return action()
        except InputError as error:
            faults.extend(relocated(each, scenario.root, str(scenario.file), steps) for each in error.faults)
            return None

    networks = [attempt(("models", i), partial(network_of, each, base, sources)) for i, each in enumerate(spec.models)]
    horizon_s = number(spec.horizon, "horizon", "horizon", sources)
    site = partial(_site, base_dir=base, sources=sources, horizon_s=horizon_s)
    sites = [attempt(("sites", i), partial(site, each)) for i, each in enumerate(spec.sites)]
    found = [each for each in sites if each is not None]
    if faults:
        raise InputError(tuple(faults))
    places = tuple(each.jurisdiction for each in found)
    devices = allowed_devices(spec.allow.devices)
    _beside_servers(sources)
    return Model(
        schema=SCHEMA,
        name=spec.name,
        horizon_s=horizon_s,
        objective=_objective(spec.objective, sources),
        datasets=tuple(dataset(each, places, sources) for each in spec.datasets),
        networks=tuple(network for network in networks if network is not None),
        stages=tuple(stage(each, sources) for each in spec.stages),
        on_premise=tuple(each for each in found if isinstance(each, OnPremise)),
        clouds=tuple(each for each in found if isinstance(each, Cloud)),
        edges=tuple(each for each in found if isinstance(each, Edge)),
        devices=devices,
        servers=_servers(devices),
        finance=_finance(spec.finance, sources),
        allow=_allow(spec.allow, devices, sources),
        provenance=(*given_rows(scenario.root, str(scenario.file)), *sources.rows),
        caps=_caps(spec.limits),
    )


def _caps(spec: schema.LimitsSpec) -> Caps:
    carbon = None if spec.carbon is None else spec.carbon * YEAR_S
    return Caps(spec.capex, spec.cost, carbon, spec.water)


def _site(spec: schema.AnySiteSpec, base_dir: Path, sources: Sources, horizon_s: float) -> Site:
    if isinstance(spec, schema.OnPremiseSpec):
        return on_premise(spec, base_dir, sources)
    if isinstance(spec, schema.CloudSpec):
        return cloud(spec, sources, horizon_s)
    return edge(spec, base_dir, sources)


def allowed_devices(names: list[str]) -> tuple[Device, ...]:
    """Return the named devices, or every real one: what-if rows only take part by name."""
    if not names:
        return tuple(device for device in catalogue.devices() if not device.what_if)
    wanted = {catalogue.device(name).name for name in names}
    return tuple(device for device in catalogue.devices() if device.name in wanted)


def _servers(devices: tuple[Device, ...]) -> tuple[Server, ...]:
    names = {device.name for device in devices}
    return tuple(server for server in catalogue.servers() if server.device in names)


def _objective(spec: schema.ObjectiveSpec, sources: Sources) -> Objective:
    """Return the goal; prices of carbon and water join the cost, in USD per kg and per m3."""
    goal = spec.minimise
    if isinstance(goal, schema.WeightsSpec):
        weights = {key: value for key, value in goal.model_dump().items() if value}
        return Objective("weighted", weights)
    weights = {goal: 1.0}
    for key, price in (("carbon", spec.carbon_price), ("water", spec.water_price)):
        if price is None:
            sources.choice(f"objective.{key}_price", "not priced", "no price given", "medium")
        elif goal == "cost":
            weights[key] = price
    return Objective(goal, weights)


def _finance(spec: schema.FinanceSpec, sources: Sources) -> Finance:
    discount, upkeep = spec.discount, spec.maintenance_it
    if discount is None:
        fact = catalogue.constant("economics", "default", "discount_per_year")
        discount = sources.fact("finance.discount", fact, "yearly share")
    if upkeep is None:
        fact = catalogue.constant("economics", "default", "it_maintenance_per_year")
        upkeep = sources.fact("finance.maintenance_it", fact, "yearly share")
    return Finance(
        currency=spec.currency or "USD",
        discount_per_year=discount,
        refresh_s=number(spec.refresh, "finance.refresh", "refresh", sources),
        staff_usd_per_year=spec.staff or 0.0,
        staff_usd_per_w_year=_hall_staff(sources) if spec.staff is None else 0.0,
        maintenance_it_per_year=upkeep,
        downtime_usd_per_s=number(spec.downtime, "finance.downtime", "downtime", sources),
        failures=spec.failures or "",
        repair_usd=number(spec.repair, "finance.repair", "repair", sources) if spec.failures else 0.0,
    )


def _beside_servers(sources: Sources) -> None:
    """Note what switches and shared storage take, which no key of a scenario states."""
    for path, name in (("network.fabric", "fabric-400g"), ("network.front_end", "front-end-100g")):
        kind = catalogue.switch_kind(name)
        shown = (
            f"{kind.ports} ports a switch, {show(kind.power_w, 'power')} and {kind.price_usd:,.0f} USD each; a link up "
            f"{show(kind.uplink_w, 'power')}"
        )
        sources.choice(path, shown, f"catalogue fabrics: {name}", kind.lowest_confidence)
    stored = catalogue.shared_storage()
    per_tb = [1e12 * each for each in (stored.power_w_per_b, stored.price_usd_per_b, stored.embodied_kg_per_b)]
    shown = "{:g} W, {:g} USD and {:g} kg of making a TB".format(*per_tb)
    sources.choice("storage", shown, "catalogue fabrics: shared-storage", stored.lowest_confidence)


def _hall_staff(sources: Sources) -> float:
    """Return the yearly cost of the people who run a hall, by the watt of IT."""
    people = catalogue.constant("economics", "default", "staff_per_w")
    wage = catalogue.constant("economics", "default", "staff_usd_per_year")
    per_mw, usd = float(people.value) * 1e6, float(wage.value)
    shown = f"{show(per_mw * usd, 'yearly cost')} per MW of IT in halls, none for rented and edge places"
    sources.choice(
        "finance.staff", shown, f"{per_mw:g} people a megawatt ({people.source}) at {usd:,.0f} USD/year ({wage.source})"
    )
    return float(people.value) * usd


def _allow(spec: schema.AllowSpec, devices: tuple[Device, ...], sources: Sources) -> Allow:
    for key in ("devices", "cooling", "compression", "refrigerants", "fluids"):
        if not getattr(spec, key):
            usual = {"devices": f"all {len(devices)} of the catalogue", "refrigerants": "all, chillers hold R134a"}
            shown = usual.get(key, "all")
            sources.choice(f"allow.{key}", shown, "no limit given", "medium")
    return Allow(
        tuple(device.name for device in devices) if spec.devices else (),
        tuple(spec.cooling),
        tuple(spec.compression),
        tuple(spec.refrigerants),
        tuple(liquid(name).name for name in spec.fluids),
    )
