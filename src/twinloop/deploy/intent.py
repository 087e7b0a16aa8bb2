"""What is to run where: the plan in the words of an orchestrator, before any target's syntax."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from twinloop import catalogue
from twinloop.catalogue.nouns import CloudOffer
from twinloop.deploy.names import label
from twinloop.errors import InfeasibleError, InputError
from twinloop.model.plan import Plan, PlannedParallelism, PlannedSite, PlannedStage
from twinloop.units import UnitError, parse

Kind = Literal["ingest", "preprocess", "train", "serve"]
DEFAULT_DATA_B = 1e12
"""Volume asked for where the plan does not say how large a data set is: one terabyte, to be edited."""


@dataclass(frozen=True)
class Hardware:
    """The device of a stage as its scheduler sees it."""

    device: str
    label: str
    kind: str
    resource: str | None
    """Extended resource that one device is; ``None``: plain processor cores."""
    per_node: int
    """Devices of one host: what one kubelet or one Slurm daemon sees."""
    hosts_per_server: int
    """Above one where a server is a whole rack of trays."""
    cores: int
    """Of one node."""
    memory_b: float
    """Of one node."""
    backend: str
    """Collectives of torch.distributed: nccl (RCCL under ROCm bears the same name), gloo."""


@dataclass(frozen=True)
class Data:
    """A data set and where it lies."""

    name: str
    home: str
    size_b: float
    residency: tuple[str, ...]


@dataclass(frozen=True)
class Work:
    """One stage to run."""

    name: str
    label: str
    kind: Kind
    site: str
    hardware: Hardware
    device_count: int
    """Bought: whole servers, so a layout may leave some over."""
    nodes: int
    parallelism: PlannedParallelism
    precision: str
    compression: str
    cooling: str
    """What takes the heat of its accelerators (its processors where it has none): air, cold_plate…"""
    device_w: float
    """At the IT meter, busy, server included, for one device."""
    throughput: float
    duration_s: float | None
    every_s: float | None
    deadline_s: float | None
    rate_per_s: float | None
    peak_to_mean: float
    latency_s: float | None
    """The limit on p99 where the plan carries it, else the planned p99."""
    after: tuple[str, ...]
    reads: tuple[str, ...]
    network: dict[str, str]
    """The model's layer fields, as the plan carries them."""
    everywhere: bool
    """A copy on every host: each branch of an edge site answers for itself."""
    trained_by: str | None = None
    """Label of the training stage whose model a serving stage answers with, ``None`` where the plan has none."""

    @property
    def model_folder(self) -> str:
        """Return the folder of the artefacts that holds what it serves: its trainer's, else one of its own."""
        return self.trained_by or self.label

    @property
    def ranks(self) -> int:
        """Devices that the layout takes."""
        p = self.parallelism
        return p.data * p.tensor * p.pipeline * p.context

    @property
    def own_trainer(self) -> str | None:
        """Family of a model for whose training no program of ours serves, ``None`` where one does."""
        family = self.network.get("kind", "transformer")
        return family if self.kind == "train" and family != "transformer" else None

    @property
    def replica_devices(self) -> int:
        """Devices of one copy of the model."""
        p = self.parallelism
        return p.tensor * p.pipeline * p.context

    @property
    def per_pod(self) -> int:
        """Devices in one pod: the most of a node that divides the work evenly."""
        whole = self.replica_devices if self.kind == "serve" else self.ranks
        return max(n for n in range(1, min(self.hardware.per_node, whole) + 1) if whole % n == 0)

    @property
    def pods(self) -> int:
        """Pods of the whole stage, one a node for processor work."""
        if self.everywhere or (self.hardware.resource is None and self.kind != "train"):
            return self.nodes
        return self.ranks // self.per_pod

    @property
    def spans_nvlink(self) -> bool:
        """Whether its pods talk over an NVLink that reaches beyond a host: the trays of a rack."""
        whole = self.kind == "train" or self.replica_devices > self.per_pod
        return self.hardware.hosts_per_server > 1 and whole and self.pods > 1

    @property
    def replicas(self) -> int:
        """Copies of a served model."""
        return self.nodes if self.everywhere else max(self.ranks // self.replica_devices, 1)


@dataclass(frozen=True)
class Deployment:
    """All of it."""

    name: str
    label: str
    plan_hash: str
    works: tuple[Work, ...]
    sites: tuple[PlannedSite, ...]
    data: tuple[Data, ...]
    jurisdictions: dict[str, str]
    regions: dict[str, tuple[str, str]]
    """Cloud site -> its provider and region."""
    images: dict[str, str]
    """Stage's label -> its image as it lies in a registry, where that was given."""

    def at(self, site: str) -> tuple[Work, ...]:
        """Return the stages that run at ``site``."""
        return tuple(work for work in self.works if work.site == site)

    def datasets_at(self, site: str) -> tuple[Data, ...]:
        """Return the data sets read at ``site``, through any stage before; serving reads the model alone."""
        readers = (work for work in self.at(site) if work.kind != "serve")
        names = {name for work in readers for name in all_reads(work, self.works)}
        return tuple(data for data in self.data if data.name in names)


def all_reads(work: Work, works: tuple[Work, ...]) -> tuple[str, ...]:
    """Return the data sets that ``work`` or any stage before it reads."""
    by_name = {each.name: each for each in works}
    seen: list[str] = []
    todo = [work.name]
    done: set[str] = set()
    while todo:
        name = todo.pop()
        if name in done or name not in by_name:
            continue
        done.add(name)
        seen += by_name[name].reads
        todo += by_name[name].after
    return tuple(dict.fromkeys(seen))


class _Facts:
    """What the plan's provenance says, by dotted path."""

    def __init__(self, plan: Plan) -> None:
        self.values = {row.path: row.value for row in plan.provenance}

    def text(self, path: str) -> str | None:
        return self.values.get(path)

    def number(self, path: str, quantity: str) -> float | None:
        text = self.values.get(path)
        if text is None:
            return None
        try:
            return parse(text, quantity)
        except UnitError as error:
            raise InputError(f"plan: provenance {path}: {error}") from error

    def names(self, path: str) -> tuple[str, ...]:
        text = self.values.get(path)
        return () if text in (None, "none", "") else tuple(part.strip() for part in str(text).split(","))

    def below(self, prefix: str) -> dict[str, str]:
        return {path[len(prefix) :]: value for path, value in self.values.items() if path.startswith(prefix)}


def deployment_of(plan: Plan, plan_hash: str, images: dict[str, str] | None = None) -> Deployment:
    """Return what ``plan`` asks an orchestrator to run.

    Raises:
        InfeasibleError: the plan has no solution, so there is nothing to deploy.
        InputError: a stage is missing or stands at no site, or its devices do not factor into its layout.
    """
    if plan.status == "infeasible":
        raise InfeasibleError((f"plan {plan.scenario}: it is infeasible, nothing to deploy",))
    facts = _Facts(plan)
    _expect_whole(plan, facts)
    sites = {site.name: site for site in plan.sites}
    works = tuple(_work(stage, sites, facts) for stage in plan.stages)
    for what, names in (("stages", [w.name for w in works]), ("sites", list(sites))):
        if len(set(map(label, names))) != len(names):
            raise InputError(f"plan: {what}: got {names}, expected names that differ")
    works = tuple(replace(work, trained_by=_trainer_of(work, works)) for work in works)
    used = {work.site for work in works}
    return Deployment(
        plan.scenario, label(plan.scenario), plan_hash, works,
        tuple(site for site in plan.sites if site.name in used), _data(facts, plan),
        {name: facts.text(f"sites.{name}.jurisdiction") or "" for name in sites},
        {name: place for name in sites if (place := _region(facts, name)) is not None}, images or {},
    )  # fmt: skip


def _expect_whole(plan: Plan, facts: _Facts) -> None:
    """Refuse a plan of whose stages some were taken out: its facts and racks still speak of them."""
    there = {stage.name for stage in plan.stages}
    said = dict.fromkeys(path.split(".")[1] for path in facts.values if path.startswith("stages."))
    placed = {share.stage: site.name for site in plan.sites for racks in site.rack_types for share in racks.contents}
    faults = [f"plan: stages: got none called {name!r}, expected it: the plan's provenance describes it"
              for name in said if name not in there]  # fmt: skip
    faults += [f"plan: stages: got none called {name!r}, expected it: racks of {site} hold its servers"
               for name, site in placed.items() if name not in there and name not in said]  # fmt: skip
    if faults:
        raise InputError(tuple(faults))


def _trainer_of(work: Work, works: tuple[Work, ...]) -> str | None:
    """Return the label of the nearest training stage before a serving one."""
    by_name = {each.name: each for each in works}
    todo, seen = list(work.after) if work.kind == "serve" else [], set()
    while todo:
        before = by_name.get(todo.pop(0))
        if before is None or before.name in seen:
            continue
        if before.kind == "train":
            return before.label
        seen.add(before.name)
        todo += before.after
    return None


def _region(facts: _Facts, site: str) -> tuple[str, str] | None:
    """Return provider and region of a cloud site, ``None`` where the site owns its servers."""
    provider, region = facts.text(f"sites.{site}.provider"), facts.text(f"sites.{site}.region")
    return None if provider is None or region is None else (provider, region)


def _work(stage: PlannedStage, sites: dict[str, PlannedSite], facts: _Facts) -> Work:
    if stage.site not in sites:
        raise InputError(f"plan: stages.{stage.name}.site: got {stage.site!r}, expected one of {', '.join(sites)}")
    at = f"stages.{stage.name}"
    kind = _kind(stage, facts.text(f"{at}.kind"))
    hardware = _hardware(stage, facts)
    if kind in ("train", "serve"):
        _expect_layout(stage, at)
    everywhere = kind == "serve" and sites[stage.site].kind == "edge"
    devices = stage.servers * hardware.per_node * hardware.hosts_per_server if everywhere else stage.device_count
    network = facts.text(f"{at}.model")
    peak = facts.number(f"{at}.peak_to_mean", "number") or 1.0
    return Work(
        name=stage.name, label=label(stage.name), kind=kind, site=stage.site, hardware=hardware,
        device_count=devices, nodes=math.ceil(devices / hardware.per_node), parallelism=stage.parallelism,
        precision=stage.precision, compression=stage.compression, cooling=_cooling(stage, sites[stage.site]),
        device_w=stage.power_w / devices, throughput=stage.throughput, duration_s=stage.duration_s,
        every_s=facts.number(f"{at}.every", "duration"), deadline_s=facts.number(f"{at}.deadline", "duration"),
        rate_per_s=facts.number(f"{at}.rate", "rate") if kind == "serve" else None, peak_to_mean=max(peak, 1.0),
        latency_s=facts.number(f"{at}.latency_p99", "duration") or stage.latency_p99_s,
        after=facts.names(f"{at}.after"), reads=facts.names(f"{at}.reads"),
        network={} if network is None else _network(network, facts),
        everywhere=everywhere,
    )  # fmt: skip


def _expect_layout(stage: PlannedStage, at: str) -> None:
    """Refuse a layout that its devices cannot hold, or that leaves a whole server over."""
    p = stage.parallelism
    ranks = p.data * p.tensor * p.pipeline * p.context
    spare = stage.device_count - ranks
    if spare < 0 or spare >= max(stage.device_count // max(stage.servers, 1), 1):
        raise InputError(
            f"plan: {at}.parallelism: got data {p.data} × tensor {p.tensor} × pipeline {p.pipeline} × context "
            f"{p.context}, expected a product of {stage.device_count} devices, or at most a server's fewer"
        )


def _network(name: str, facts: _Facts) -> dict[str, str]:
    """Return the model's fields as written, over those of the architecture that it names."""
    given = facts.below(f"models.{name}.")
    known: dict[str, str] = {}
    if "architecture" in given:
        known = {field: str(value) for field, value in catalogue.architecture(given["architecture"]).items()}
    said = (facts.text(f"models.{name}") or "").partition(",")[0]
    return {**({"kind": said} if said else {}), **known, "name": name, **given}


def _kind(stage: PlannedStage, said: str | None) -> Kind:
    for kind in ("ingest", "preprocess", "train", "serve"):
        if said == kind:
            return kind
    if stage.latency_p99_s is not None:
        return "serve"
    if stage.mfu is not None:
        return "train"
    return "ingest" if stage.duration_s is None else "preprocess"


def _hardware(stage: PlannedStage, facts: _Facts) -> Hardware:
    device = catalogue.device(stage.device)
    hosts = HOSTS.get(stage.server, 1)
    rented = _rented(stage, facts)
    if rented is None:
        server = catalogue.server(stage.server)
        per_node, cores, memory_b = server.devices // hosts, server.cores // hosts, server.memory_b / hosts
    else:
        per_node, cores, memory_b = rented.devices, rented.cores, rented.memory_b
    return Hardware(
        stage.device, label(stage.device), device.kind, resource_of(stage.device, device.kind), per_node, hosts,
        max(cores, 1), memory_b, "nccl" if device.kind == "gpu" else "gloo",
    )  # fmt: skip


def _rented(stage: PlannedStage, facts: _Facts) -> CloudOffer | None:
    """Return the provider's machine of a stage in a cloud, ``None`` where the site owns its servers."""
    place = _region(facts, stage.site)
    if place is None:
        return None
    provider, region = place
    offers = {offer.instance: offer for offer in catalogue.cloud_offers(provider, region)}
    if stage.server not in offers:
        raise InputError(
            f"plan: stages.{stage.name}.server: got {stage.server!r}, expected a machine of {provider} in {region}"
        )
    return offers[stage.server]


HOSTS = {"GB200-NVL72": 18, "GB300-NVL72": 18}
"""Hosts of a server that is a whole rack: 18 compute trays of four GPUs and two processors (NVIDIA DGX GB200 user
guide, 2025)."""
AMD, INTEL, NEURON = ("MI250", "MI300", "MI325", "MI350", "MI355"), ("Gaudi",), ("Trainium", "Inferentia")
"""Name beginnings of accelerators whose device plug-in is not NVIDIA's."""


def resource_of(device: str, kind: str) -> str | None:
    """Return the extended resource that the maker's device plug-in advertises; ``None`` for processors.

    >>> resource_of("MI300X", "gpu"), resource_of("EPYC-9654", "cpu")
    ('amd.com/gpu', None)
    """
    if kind == "cpu":
        return None
    if kind == "tpu":
        return "google.com/tpu"
    if device.startswith(AMD):
        return "amd.com/gpu"
    if device.startswith(INTEL):
        return "habana.ai/gaudi"
    if device.startswith(NEURON):
        return "aws.amazon.com/neuron"
    return "nvidia.com/gpu" if kind == "gpu" or device.startswith("Jetson") else f"{label(device)}.example.com/device"


def _cooling(stage: PlannedStage, site: PlannedSite) -> str:
    if site.cooling is None:
        return "provider"
    component = "accelerator"
    for racks in site.rack_types:
        if any(share.stage == stage.name for share in racks.contents):
            return racks.carriers.get(component, site.cooling.components.get(component, "air"))
    return site.cooling.components.get(component, "air")


def _data(facts: _Facts, plan: Plan) -> tuple[Data, ...]:
    names = dict.fromkeys(
        path.split(".")[1] for path in (row.path for row in plan.provenance) if path.startswith("datasets.")
    )
    return tuple(
        Data(
            name, facts.text(f"datasets.{name}.home") or plan.sites[0].name,
            facts.number(f"datasets.{name}.size", "data size") or DEFAULT_DATA_B,
            facts.names(f"datasets.{name}.residency"),
        )
        for name in names
    )  # fmt: skip
