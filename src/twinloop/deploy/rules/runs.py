"""Runs: ranks, meeting points, schedules, runtimes, Ray's clusters and applications, budgets of disruption."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from twinloop.deploy.names import key
from twinloop.deploy.rules.objects import Fault, name_of
from twinloop.deploy.walk import (
    REPLICATED,
    Document,
    Documents,
    at,
    containers_of,
    devices_of,
    held,
    of_kind,
    option,
    pod_templates,
    unique,
    words_of,
)  # fmt: skip

DIRECTIONS = ("data-parallel-size", *(f"{each}-model-parallel-size" for each in ("tensor", "pipeline")),
              "context-parallel-size")  # fmt: skip


def layout_of(document: Document) -> int | None:
    """Return the ranks of the layout that a training run's words carry, ``None`` for other objects."""
    words = words_of(document)
    if option(words, DIRECTIONS[0]) is None or any(word.endswith("serve.py") for word in words):
        return None
    return math.prod(option(words, name) or 1 for name in DIRECTIONS)


def layouts(documents: Documents) -> Iterator[Fault]:
    """Whatever counts the ranks of a run counts those of its layout: data × tensor × pipeline × context."""
    for file, document in documents:
        wanted = layout_of(document)
        words = words_of(document)
        if option(words, "node-rank") is not None and (option(words, "nnodes") or 1) > 1:
            yield file, name_of(document), "--node-rank: a number: each node would be the same one"
        for what, ranks in _counts(document, documents) if wanted is not None else ():
            if ranks != wanted:
                yield file, name_of(document), f"{what}: starts {ranks} ranks for a layout of {wanted}"


def _counts(document: Document, documents: Documents) -> Iterator[tuple[str, int]]:
    """Yield (what says so, ranks) of a run."""
    words, spec, kind = words_of(document), document.get("spec") or {}, document.get("kind")
    nodes, each, workers = (option(words, name) for name in ("nnodes", "nproc-per-node", "workers"))
    if nodes is not None and each is not None:
        yield "nnodes × nproc-per-node", nodes * each
    if workers is not None:
        yield "workers", workers
    for job in [spec, at(spec, "jobTemplate", "spec"), *(at(j, "template", "spec") for j in _replicated(spec))]:
        if each is not None and at(job, "completions") is not None:
            yield "completions × nproc-per-node", int(job["completions"]) * each
    if kind == "TrainJob" and at(spec, "trainer", "numProcPerNode") is not None:
        yield "numNodes × numProcPerNode", int(spec["trainer"]["numNodes"]) * int(spec["trainer"]["numProcPerNode"])
    pods = sum(count for template, count in held(document, documents) if _works(template))
    if kind in REPLICATED and (per := spec.get("nprocPerNode") or spec.get("slotsPerWorker")):
        yield "pods × processes", pods * int(per)
    if "-np" in words[:-1]:
        yield "mpirun -np", int(words[words.index("-np") + 1])
    if each is not None and pods:
        yield "pods × nproc-per-node", pods * each
    devices = sum(n * devices_of(t, documents) for t, n in held(document, documents) if _works(t))
    if devices:
        yield "devices of its pods", devices


def _replicated(spec: Document) -> list[Document]:
    found = spec.get("replicatedJobs")
    return found if isinstance(found, list) else []


def _works(template: Document) -> bool:
    """Whether a pod computes: a launcher, a head and a submitter do not."""
    names = {c.get("name") for c in containers_of(template)}
    return not names & {"launcher", "ray-head", "ray-job-submitter"}


def masters(documents: Documents) -> Iterator[Fault]:
    """The node at which a run meets has a name here: a Service's, or the run's own under its operator."""
    known = {at(d, "metadata", "name") for _, _, d in of_kind(documents, "Service", "JobSet", "MPIJob")}
    for file, document in documents:
        for word in words_of(document):
            found = re.fullmatch(r"(?:--master-addr|MASTER_ADDR)=([\w.-]+)", word)
            if not found or found[1] == "127.0.0.1":
                continue
            short = re.sub(r"\.svc(\.[\w.-]+)?$", "", found[1])  # after it the cluster's domain, cluster.local mostly
            host = short.removesuffix(f".{at(document, 'metadata', 'namespace')}")
            pod, _, service = host.rpartition(".")
            name = str(at(document, "metadata", "name"))
            if service not in known:
                yield file, name_of(document), f"{word}: no Service is called {service}"
            elif pod and not pod.startswith(f"{name}-"):
                yield file, name_of(document), f"{word}: {pod} is no pod of {name}"


SPANS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
"""Least and greatest of a cron schedule's fields: minute, hour, day, month, day of the week."""


MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10,
          "nov": 11, "dec": 12}  # fmt: skip
DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
WHOLE = re.compile(r"@(yearly|annually|monthly|weekly|daily|midnight|hourly)|@every \d\S*")
"""Schedules of one word, as Kubernetes and Slurm know them; the last Kubernetes alone."""


def cron_fault(text: str) -> str | None:
    """Return what is wrong with a cron schedule: five fields of numbers or names, or one word for all.

    >>> cron_fault("0 2-23/6 1,15 * MON-FRI"), cron_fault("0 25 * * *"), cron_fault("0 2 * *"), cron_fault("@daily")
    (None, '25: expected 0-23', 'got 4 fields, expected 5', None)
    """
    if WHOLE.fullmatch(text):
        return None
    fields = text.split()
    if len(fields) != len(SPANS):
        return f"got {len(fields)} fields, expected 5"
    for field, (least, most), names in zip(fields, SPANS, ({}, {}, {}, MONTHS, DAYS), strict=True):
        for said in field.split(","):
            part = re.sub(r"[a-z]+", lambda word, known=names: str(known.get(word[0], word[0])), said.lower())  # type: ignore[misc]
            found = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/([1-9]\d*))?", part)
            numbers = [int(n) for n in found.groups()[:2] if n is not None] if found else []
            if not found or numbers != sorted(numbers) or any(not least <= n <= most for n in numbers):
                return f"{said}: expected {least}-{most}"
    return None


def schedules(documents: Documents) -> Iterator[Fault]:
    """Schedules are cron's."""
    for file, document in documents:
        noted = at(document, "metadata", "annotations", key("schedule"))
        said = at(document, "spec", "schedule") if document.get("kind") == "CronJob" else noted
        fault = cron_fault(str(said)) if said is not None else None
        if fault:
            yield file, name_of(document), f"schedule {said!r}: {fault}"


def runtimes(documents: Documents) -> Iterator[Fault]:
    """A job and its runtime mean the same number of nodes, a service and its runtime the same format."""
    known = {at(d, "metadata", "name"): d for _, _, d in of_kind(documents, "TrainingRuntime", "ServingRuntime")}
    for file, name, document in of_kind(documents, "TrainJob"):
        runtime = known.get(at(document, "spec", "runtimeRef", "name"))
        if runtime and at(runtime, "spec", "mlPolicy", "numNodes") != at(document, "spec", "trainer", "numNodes"):
            yield file, name, "numNodes differs from its runtime's"
    for file, name, document in of_kind(documents, "InferenceService"):
        model = at(document, "spec", "predictor", "model") or {}
        runtime = known.get(model.get("runtime"))
        formats = {each.get("name") for each in at(runtime, "spec", "supportedModelFormats") or []}
        if runtime and at(model, "modelFormat", "name") not in formats:
            yield file, name, f"its runtime takes {sorted(map(str, formats))}, the model is {at(model, 'modelFormat')}"


def clusters(documents: Documents) -> Iterator[Fault]:
    """Ray's clusters ask for a token, bounds of their groups are in order, a job finds pods for its workers."""
    for file, name, document in of_kind(documents, "RayJob", "RayCluster", "RayService"):
        spec = document.get("spec") or {}
        cluster = spec.get("rayClusterSpec") or spec.get("rayClusterConfig") or spec
        for group in cluster.get("workerGroupSpecs") or []:
            sizes = [int(group.get(each) or 0) for each in ("minReplicas", "replicas", "maxReplicas")]
            if sizes != sorted(sizes):
                yield (
                    file,
                    name,
                    f"{group.get('groupName')}: replicas: got {sizes[1]}, expected {sizes[0]} to {sizes[2]}",
                )
        mode = at(cluster, "authOptions", "mode")
        if "headGroupSpec" in cluster and mode != "token":
            yield (
                file,
                name,
                f"authOptions.mode: got {mode}, expected token: else whoever reaches the head runs programs",
            )
    known = {at(d, "metadata", "name"): d for _, _, d in of_kind(documents, "RayCluster")}
    for file, name, document in of_kind(documents, "RayJob"):
        chosen = known.get(at(document, "spec", "clusterSelector", "ray.io/cluster"))
        workers = option(words_of(document), "workers")
        if chosen is None or workers is None:
            continue
        devices = sum(n * devices_of(t, documents) for t, n in held(chosen, documents))
        if workers > devices > 0:
            yield file, name, f"{workers} workers are more than the {devices} devices of {name_of(chosen)}"


UPGRADES = (None, "None", "NewCluster", "NewClusterWithIncrementalUpgrade")
"""KubeRay's ways to a changed cluster of a service."""


def applications(documents: Documents) -> Iterator[Fault]:
    """A Serve configuration, which is a text to the schema, fits the cluster around it: devices, replicas, ports."""
    for file, name, document in of_kind(documents, "RayService"):
        way = at(document, "spec", "upgradeStrategy", "type")
        if way not in UPGRADES:  # the schema takes any word, and the operator refuses it later
            yield file, name, f"upgradeStrategy.type: got {way}, expected one of {', '.join(UPGRADES[1:])}"
        config = parsed(str(at(document, "spec", "serveConfigV2")))
        group = (at(document, "spec", "rayClusterConfig", "workerGroupSpecs") or [{}])[0]
        worker: Document = group.get("template") or {}
        own = devices_of(worker, documents)
        served = at(config, "http_options", "port") or 8000
        head = at(document, "spec", "rayClusterConfig", "headGroupSpec", "template") or {}
        for who, template in (("the head", head), ("a worker", worker)):
            opened = {
                p.get("name"): p.get("containerPort") for c in containers_of(template) for p in c.get("ports") or []
            }
            if opened.get("serve") != served:
                yield file, name, f"serveConfigV2: {who} opens no port serve {served}"
        for each in [d for app in at(config, "applications") or [] for d in app.get("deployments") or []]:
            wanted = at(each, "ray_actor_options", "num_gpus") or 0
            if wanted > own:
                yield file, name, f"serveConfigV2: {each.get('name')} asks for {wanted} devices, a worker has {own}"
            scale = at(each, "autoscaling_config") or {}
            least, most = int(scale.get("min_replicas") or 1), int(scale.get("max_replicas") or 1)
            if not least <= most == group.get("replicas"):
                yield (
                    file,
                    name,
                    f"serveConfigV2: {each.get('name')}: {least} to {most} replicas on "
                    + (f"{group.get('replicas')} workers"),
                )


def parsed(text: str) -> Any:
    """Return YAML ``text`` read, ``None`` where it is none."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return None


COUNTED = ("Deployment", "StatefulSet", "ReplicaSet", "LeaderWorkerSet", "InferenceService")
"""Kinds whose pods have an owner with a scale: only for those Kubernetes knows how many there should be."""


def budgets(documents: Documents) -> Iterator[Fault]:
    """A budget is of a form that its pods' owners allow; it lets nobody into a run, and somebody into a service."""
    whole = unique(documents)
    for file, name, document in of_kind(documents, "PodDisruptionBudget"):
        wanted = at(document, "spec", "selector", "matchLabels") or {}
        chosen = [d for _, d in whole if any(wanted.items() <= marks(t).items() for t in pod_templates(d))]
        kinds = sorted({str(d.get("kind")) for d in chosen} - set(COUNTED))
        kept = at(document, "spec", "minAvailable")
        if kinds and not isinstance(kept, int):
            yield file, name, f"pods of {', '.join(kinds)}: expected minAvailable, a whole number"
            continue
        pods = sum(count for d in chosen for _, count in held(d, documents))
        if isinstance(kept, int) and any(layout_of(d) is not None for d in chosen) and kept < pods:
            yield file, name, f"minAvailable: got {kept}, expected all {pods} pods: ranks of a run wait for each other"
        elif isinstance(kept, int) and kept >= pods and "RayService" in kinds:
            yield file, name, f"minAvailable: got {kept} of {pods} pods: no node could ever be drained"


def marks(template: Document) -> Document:
    """Return a pod's labels."""
    return at(template, "metadata", "labels") or {}
