"""From the person's file to the model: units are SI already; names become facts, gaps become defaults."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from twinloop import catalogue, units
from twinloop.catalogue.nouns import Device, Server
from twinloop.errors import Fault, InputError
from twinloop.model.model import SCHEMA, Allow, Dataset, Finance, Model, Objective, Stage
from twinloop.model.network import Network
from twinloop.model.site import Cloud, Edge, OnPremise
from twinloop.scenario import schema
from twinloop.scenario.hugging_face import network_from_config
from twinloop.scenario.load import Scenario, as_list
from twinloop.scenario.onnx_graph import network_from_onnx
from twinloop.scenario.places import cloud_site, edge_site, hall
from twinloop.scenario.trail import Trail


@dataclass
class _Collector:
    """Faults found while names are looked up, so that all are reported at once."""

    scenario: Scenario
    faults: list[Fault] = field(default_factory=list)

    def attempt(self, path: tuple[str | int, ...], action: Any) -> Any:
        """Run ``action``; an input error becomes a fault at ``path``."""
        try:
            return action()
        except InputError as error:
            document = self.scenario.document
            where = ".".join(str(step) for step in path)
            for each in error.faults:
                if isinstance(each, Fault):
                    suggestion, got, expected = each.suggestion, each.got, each.expected
                    if each.file and each.file != document.file and each.line is not None:
                        self.faults.append(each)
                        continue
                else:
                    suggestion, got, expected = None, "a name that is not known", str(each)
                self.faults.append(Fault(document.file, document.line(path), where, got, expected, suggestion))
            return None


def resolve(scenario: Scenario) -> Model:
    """Return the model of ``scenario``, every value with its source.

    Raises:
        InputError: names that no table knows, unreadable model or weather files; all at once.
    """
    content, collect = scenario.content, _Collector(scenario)
    trail = Trail(scenario.document)
    base = scenario.file.parent
    networks = [
        collect.attempt(("models", i), lambda part=part: _network(part, base)) for i, part in enumerate(content.models)
    ]
    sites = [
        collect.attempt(("sites", i, "climate" if site.kind != "cloud" else "region"), lambda site=site, i=i: _site(site, i, base, trail))
        for i, site in enumerate(content.sites)
    ]
    devices = _devices(content.allow.devices, collect)
    if collect.faults:
        raise InputError(tuple(collect.faults))
    return Model(
        schema=SCHEMA, name=content.name, horizon_s=content.horizon, objective=_objective(content.objective, trail),
        datasets=tuple(
            Dataset(each.name, each.size, each.home, tuple(each.residency), each.growth) for each in content.datasets
        ),
        networks=tuple(networks), stages=tuple(_stage(each) for each in content.stages),
        on_premise=tuple(site for site in sites if isinstance(site, OnPremise)),
        clouds=tuple(site for site in sites if isinstance(site, Cloud)),
        edges=tuple(site for site in sites if isinstance(site, Edge)), devices=devices, servers=_servers(devices),
        finance=_finance(content.finance, trail), allow=Allow(**{
            each.name: tuple(getattr(content.allow, each.name)) for each in fields(Allow)
        }),
        provenance=trail.given() + trail.defaults(),
    )  # fmt: skip


def _site(site: Any, i: int, base: Any, trail: Trail) -> OnPremise | Cloud | Edge:
    if isinstance(site, schema.OnPremise):
        return hall(site, i, base, trail)
    if isinstance(site, schema.CloudPart):
        return cloud_site(site, i, trail)
    return edge_site(site, i, base, trail)


def _devices(allowed: list[str], collect: _Collector) -> tuple[Device, ...]:
    if not allowed:
        return tuple(device for device in catalogue.devices() if not device.what_if)
    found = [
        collect.attempt(("allow", "devices", i), lambda name=name: catalogue.device(name)) for i, name in enumerate(allowed)
    ]
    return tuple(device for device in dict.fromkeys(d.name for d in found if d) for device in [catalogue.device(device)])


def _servers(devices: tuple[Device, ...]) -> tuple[Server, ...]:
    names = {device.name for device in devices}
    return tuple(server for server in catalogue.servers() if server.device in names)


def _network(part: schema.AiModel, base: Any) -> Network:
    if part.config is not None:
        return network_from_config(part.name, base / part.config)
    if part.onnx is not None:
        return network_from_onnx(part.name, base / part.onnx)
    own = {each.name for each in fields(Network)}
    values: dict[str, Any] = {}
    if part.architecture is not None:
        values = dict(catalogue.architecture(part.architecture))
    given = part.model_dump(exclude_none=True, exclude={"architecture", "config", "onnx"})
    values = {key: value for key, value in {**values, **given}.items() if key in own}
    if "kind" not in values:
        raise InputError(Fault("", None, "kind", "nothing", "a kind, an architecture, a config or an onnx file"))
    return _completed(values)


def _completed(values: dict[str, Any]) -> Network:
    """Fill what layer fields imply: heads share keys by default, head size = hidden / heads, ffn = 4 hidden."""
    kind = values["kind"]
    if kind in ("transformer", "mixture"):
        for key in ("layers", "hidden", "heads", "vocabulary", "context"):
            if not values.get(key):
                raise InputError(Fault("", None, key, "nothing", f"this key: a {kind} needs it"))
        values.setdefault("kv_heads", values["heads"])
        values.setdefault("head_dim", values["hidden"] // values["heads"])
        values.setdefault("ffn", 4 * values["hidden"])
    elif kind == "trees":
        for key in ("trees", "depth"):
            if not values.get(key):
                raise InputError(Fault("", None, key, "nothing", "this key: a trees model needs it"))
    elif values.get("flops_per_sample") is None:
        raise InputError(Fault("", None, "flops_per_sample", "nothing", f"this key: a {kind} model needs it"))
    return Network(**values)


def _stage(part: schema.Stage) -> Stage:
    rate = part.rate
    return Stage(
        name=part.name, kind=part.kind, after=tuple(as_list(part.after)), reads=tuple(as_list(part.reads)),
        network=part.model, rate_b_s=units.parse(rate, "data rate") if rate and part.kind != "serve" else None,
        rows=part.rows, row_b=part.row_size, samples=part.samples, batch=part.batch, every_s=part.every,
        deadline_s=part.deadline, requests_per_s=units.parse(rate, "rate") if rate and part.kind == "serve" else None,
        peak_to_mean=part.peak_to_mean, latency_p99_s=part.latency_p99, input_tokens=part.input_tokens,
        output_tokens=part.output_tokens, accuracy_drop=part.accuracy_drop, sites=tuple(as_list(part.sites)),
    )  # fmt: skip


def _objective(part: schema.Objective, trail: Trail) -> Objective:
    """Cost is in USD; a carbon or water price adds its amount to cost, in USD per kg and per m3."""
    if isinstance(part.minimise, dict):
        return Objective("weighted", {name: float(value) for name, value in part.minimise.items()})
    weights = {part.minimise: 1.0}
    if part.minimise == "cost":
        weights["carbon"] = part.carbon_price or 0.0
        weights["water"] = part.water_price or 0.0
        if part.carbon_price is None:
            trail.default("objective.carbon_price", "0 USD/t", "no price asked for", "given")
    return Objective(part.minimise, weights)


def _finance(part: schema.FinancePart, trail: Trail) -> Finance:
    trail.unless_given("finance.discount", "8 %", "corporate practice 6-12 %", "low", 0.06, 0.12)
    trail.unless_given("finance.refresh", "5 years", "hardware refresh practice 4-6 years", "low", 4.0, 6.0)
    trail.unless_given("finance.maintenance_it", "8 %", "public TCO calculator: IT maintenance a year", "medium")
    return Finance(part.currency, part.discount, part.refresh, part.staff, part.maintenance_it)


