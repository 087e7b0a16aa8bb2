"""Ways through manifests: by kind, by path, to every pod template; how much of each runs, and on what."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from twinloop.deploy.names import key

Document = dict[str, Any]
Documents = list[tuple[str, Document]]


def of_kind(documents: Documents, *kinds: str) -> Iterator[tuple[str, str, Document]]:
    """Yield (file, kind/name, document) of the documents of ``kinds``."""
    for file, document in documents:
        if document.get("kind") in kinds:
            yield file, f"{document['kind']}/{(document.get('metadata') or {}).get('name')}", document


def at(document: Any, *path: str) -> Any:
    """Return what stands at ``path``, ``None`` where it ends early."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def pod_templates(document: Document) -> list[Document]:
    """Return every pod template inside an object, wherever its kind keeps them."""
    found: list[Document] = []
    if document.get("kind") == "InferenceService":
        # KServe's predictor is the pod's spec itself, among other fields.
        predictor = at(document, "spec", "predictor")
        return [{"metadata": {"labels": at(predictor, "labels")}, "spec": predictor}] if predictor else []
    _collect(document.get("spec"), found)
    return found


def _collect(node: Any, found: list[Document]) -> None:
    if isinstance(node, list):
        for item in node:
            _collect(item, found)
    elif isinstance(node, dict):
        if isinstance(at(node, "spec", "containers"), list):
            found.append(node)
        else:
            for item in node.values():
                _collect(item, found)


def pod_template(document: Document) -> Document | None:
    """Return the first pod template inside a controller, ``None`` for other kinds."""
    found = pod_templates(document)
    return found[0] if found else None


def pods_in(documents: Documents) -> Iterator[tuple[str, str, Document, Document]]:
    """Yield (file, kind/name, document, template) of every pod template."""
    for file, document in documents:
        for template in pod_templates(document):
            yield file, f"{document['kind']}/{at(document, 'metadata', 'name')}", document, template


def containers_of(template: Document) -> list[Document]:
    """Return the containers of a template."""
    found = at(template, "spec", "containers")
    return [c for c in found if isinstance(c, dict)] if isinstance(found, list) else []


def site_of(file: str) -> str:
    """Return the site whose documents ``file`` holds.

    >>> site_of("sites/hall/platform.yaml"), site_of("pipelines/hall.yaml")
    ('hall', 'hall')
    """
    parts = file.split("/")
    return parts[1].removesuffix(".yaml") if len(parts) > 1 else ""


def words_of(document: Document) -> list[str]:
    """Return every word of an object's commands, wherever its kind keeps them."""
    found = [c for template in pod_templates(document) for c in containers_of(template)]
    trainer = at(document, "spec", "trainer")
    words = [w for c in [*found, *([trainer] if isinstance(trainer, dict) else [])] for part in ("command", "args")
             for w in c.get(part) or []]  # fmt: skip
    return [*map(str, words), *str(at(document, "spec", "entrypoint") or "").split()]


def option(words: list[str], name: str) -> int | None:
    """Return the whole number of ``--name=N`` among ``words``, ``None`` where there is none."""
    return next((int(word.split("=", 1)[1]) for word in words if re.fullmatch(rf"--{name}=\d+", word)), None)


def quantity(text: Any) -> float | None:
    """Return a Kubernetes quantity as a number, ``None`` where it is none.

    >>> quantity("500m"), quantity("2Gi"), quantity(3), quantity("0.5core")
    (0.5, 2147483648.0, 3.0, None)
    """
    found = _QUANTITY.fullmatch(str(text))
    return float(found[1]) * SUFFIXES[found[2] or ""] if found else None


_QUANTITY = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
SUFFIXES = {
    "": 1.0, "m": 1e-3, **{each: 1e3 ** (n + 1) for n, each in enumerate("kMGTPE")},
    **{f"{each}i": 1024.0 ** (n + 1) for n, each in enumerate("KMGTPE")},
}  # fmt: skip


def asked(template: Document) -> dict[str, float]:
    """Return what a pod asks for, over its containers; what is no quantity counts as nothing."""
    total: dict[str, float] = {}
    for container in containers_of(template):
        limits = at(container, "resources", "limits") or {}
        for resource, amount in {**limits, **(at(container, "resources", "requests") or {})}.items():
            total[resource] = total.get(resource, 0.0) + (quantity(amount) or 0.0)
    return total


def claimed(template: Document, documents: Documents) -> dict[str, int]:
    """Return the devices that a pod claims, by device class."""
    made = {at(d, "metadata", "name"): d for _, _, d in of_kind(documents, "ResourceClaimTemplate")}
    total: dict[str, int] = {}
    for each in at(template, "spec", "resourceClaims") or []:
        for request in at(made.get(each.get("resourceClaimTemplateName")), "spec", "spec", "devices", "requests") or []:
            name = str(at(request, "exactly", "deviceClassName"))
            total[name] = total.get(name, 0) + int(at(request, "exactly", "count") or 0)
    return total


ACCELERATORS = {"nvidia.com/gpu", "amd.com/gpu", "google.com/tpu", "habana.ai/gaudi", "aws.amazon.com/neuron"}
"""Extended resources that are devices of a layout; others (a network plug-in's, say) stand beside them."""


def accelerators(documents: Documents) -> set[str]:
    """Return the extended resources that are accelerators: the makers' and those of the flavors."""
    return ACCELERATORS | {str(each["resource"]) for each in flavors_in(documents) if each["resource"]}


def devices_of(template: Document, documents: Documents) -> int:
    """Return the accelerators of one pod, by resource or by claim."""
    known = accelerators(documents)
    plugged = sum(amount for resource, amount in asked(template).items() if resource in known)
    return int(plugged) + sum(claimed(template, documents).values())


def unique(documents: Documents) -> Documents:
    """Return ``documents`` with each object once: a pipeline holds runs that also lie in a file."""
    seen = {(d.get("kind"), at(d, "metadata", "name")): (file, d) for file, d in reversed(documents)}
    return list(reversed(seen.values()))


def held(document: Document, documents: Documents) -> list[tuple[Document, int]]:
    """Return (template, pods) of what an object runs at once, at its most."""
    templates, spec, kind = pod_templates(document), document.get("spec") or {}, str(document.get("kind"))
    if not templates:
        return []
    if kind.startswith("Ray"):
        return _ray(spec)
    if kind in REPLICATED:
        roles: Document = next((each for name, each in spec.items() if name.endswith("ReplicaSpecs")), {})
        return [(each.get("template") or {}, int(each.get("replicas") or 1)) for each in roles.values()]
    if kind == "JobSet":
        jobs = [(each, at(each, "template", "spec") or {}) for each in spec.get("replicatedJobs") or []]
        return [(inner.get("template") or {}, int(each.get("replicas") or 1) * int(inner.get("parallelism") or 1))
                for each, inner in jobs]  # fmt: skip
    counts = {
        "Job": spec.get("parallelism"), "CronJob": at(spec, "jobTemplate", "spec", "parallelism"),
        "TrainingRuntime": at(spec, "mlPolicy", "numNodes"), "DaemonSet": len(fitting(templates[0], documents)),
        "InferenceService": at(spec, "predictor", "maxReplicas"),
    }  # fmt: skip
    count = counts[kind] if kind in counts else spec.get("replicas") or _most(document, documents)
    return [(templates[0], int(count or 1) * int(at(spec, "leaderWorkerTemplate", "size") or 1))]


REPLICATED = ("PyTorchJob", "MPIJob", "TFJob", "JAXJob")
"""Kinds that keep their pods by role."""


def _ray(spec: Document) -> list[tuple[Document, int]]:
    cluster = spec.get("rayClusterSpec") or spec.get("rayClusterConfig") or spec
    head, groups = at(cluster, "headGroupSpec", "template"), cluster.get("workerGroupSpecs") or []
    # KubeRay holds the wanted size between the bounds.
    sizes = [sorted(int(each.get(n) or 0) for n in ("minReplicas", "replicas", "maxReplicas"))[1] for each in groups]
    found = [(each.get("template") or {}, size) for each, size in zip(groups, sizes, strict=True)]
    return found + [(each, 1) for each in (head, spec.get("submitterPodTemplate")) if each]


def _most(document: Document, documents: Documents) -> int:
    name = (document.get("kind"), at(document, "metadata", "name"))
    for _, _, scaler in of_kind(documents, "HorizontalPodAutoscaler", "ScaledObject"):
        target = at(scaler, "spec", "scaleTargetRef") or {}
        if (target.get("kind"), target.get("name")) == name:
            return int(at(scaler, "spec", "maxReplicas") or at(scaler, "spec", "maxReplicaCount") or 1)
    return 1


def fitting(template: Document, documents: Documents) -> list[Document]:
    """Return the nodes that a pod's selector takes."""
    wanted = at(template, "spec", "nodeSelector") or {}
    nodes = [d for _, _, d in of_kind(documents, "Node")]
    return [each for each in nodes if wanted.items() <= (at(each, "metadata", "labels") or {}).items()]


def flavors_in(documents: Documents) -> list[Document]:
    """Return the plan's flavors as its ConfigMap has them: a host of each, and what heat and power carry."""
    texts = [at(d, "data", FLAVORS) for _, _, d in of_kind(documents, "ConfigMap")]
    return [each for text in texts if text is not None for each in flavors_of(str(text)) or []]


FLAVORS = "flavors.json"
"""Where the plan's ConfigMap has its flavors."""
NUMBERS = ("cpu", "memory_b", "devices", "watts_per_device", "carried_devices", "always_on_devices")


def flavors_of(text: str) -> list[Document] | None:
    """Return the flavors that ``text`` describes, ``None`` where it does not describe each in full."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    whole = isinstance(found, list) and all(
        isinstance(each, dict)
        and {"name", "accelerator", "cooling", "resource", "thermal_capacity_w", "power_capacity_w"} <= set(each)
        and all(isinstance(each.get(name), int | float) for name in NUMBERS)
        and each["devices"] > 0
        for each in found
    )
    return found if whole else None


def flavor_of(template: Document, documents: Documents) -> Document | None:
    """Return the flavor that a pod runs on, ``None`` where its selector names none."""
    wanted = at(template, "spec", "nodeSelector") or {}
    marks = (wanted.get(key("accelerator")), wanted.get(key("cooling")))
    return next((f for f in flavors_in(documents) if (f.get("accelerator"), f.get("cooling")) == marks), None)
