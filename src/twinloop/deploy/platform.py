"""What surrounds the stages: namespace, identity, priorities, network policy, quota, storage, the plan itself."""

from __future__ import annotations

import json

from twinloop.deploy.cooling import Flavor
from twinloop.deploy.intent import Deployment, Work
from twinloop.deploy.names import key, label
from twinloop.deploy.pods import Document, claims_of, labels, resources, selector
from twinloop.deploy.rays import DASHBOARD, METRICS, OPERATOR
from twinloop.deploy.services import driver_of
from twinloop.deploy.style import PLAIN, Style
from twinloop.deploy.workloads import SERVE_PORT

MONITORING = "monitoring"
"""Namespace of the Prometheus that scrapes; edit to yours."""
PRIORITY = {"serve": 100_000, "ingest": 50_000, "train": 10_000, "preprocess": 5_000}
"""Who waits when heat or power run short: payments are answered before models are trained."""
ARTEFACTS = "1Ti"
"""Volume for checkpoints and models; edit to your retention."""


def _meta(deployment: Deployment, site: str, name: str, *, cluster: bool = False) -> Document:
    meta: Document = {"name": name}
    if not cluster:
        meta["namespace"] = deployment.label
    return meta | {"labels": labels(deployment, site)}


def namespace(deployment: Deployment, site: str) -> Document:
    """Return the namespace, under the restricted pod-security standard."""
    meta = _meta(deployment, site, deployment.label, cluster=True)
    meta["labels"] |= {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def site_documents(deployment: Deployment, site: str, made: tuple[Flavor, ...], style: Style = PLAIN) -> list[Document]:
    """Return everything at ``site`` but the namespace, the stages and the queues."""
    works = deployment.at(site)
    account = {
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta(deployment, site, deployment.label),
        "automountServiceAccountToken": False,
    }  # fmt: skip
    return [
        account,
        *(_priority(deployment, site, kind) for kind in sorted({work.kind for work in works})),
        _plan_map(deployment, site, made),
        *_claims(deployment, site),
        _quota(deployment, site, made, style),
        *_network(deployment, site, style),
    ]


def _priority(deployment: Deployment, site: str, kind: str) -> Document:
    return {
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
        "metadata": _meta(deployment, site, f"{deployment.label}-{kind}", cluster=True),
        "value": PRIORITY[kind], "globalDefault": False,
        "preemptionPolicy": "PreemptLowerPriority" if kind == "serve" else "Never",
    }  # fmt: skip


def _plan_map(deployment: Deployment, site: str, made: tuple[Flavor, ...]) -> Document:
    """Return the plan's stages and flavors: one host of each, and what heat and power carry of it."""
    rows = [
        {"stage": work.name, "device": work.hardware.device, "devices": work.device_count, "cooling": work.cooling,
         "precision": work.precision, "compression": work.compression, "watts_per_device": round(work.device_w, 1)}
        for work in deployment.at(site)
    ]  # fmt: skip
    carried = [
        {"name": flavor.name, "accelerator": flavor.hardware.label, "cooling": label(flavor.cooling),
         "cpu": flavor.hardware.cores, "memory_b": flavor.hardware.memory_b, "resource": flavor.hardware.resource,
         "devices": flavor.hardware.per_node, "watts_per_device": flavor.device_w,
         "thermal_capacity_w": flavor.thermal_w, "power_capacity_w": flavor.power_w,
         "carried_devices": flavor.quota, "always_on_devices": flavor.always_on}
        for flavor in made
    ]  # fmt: skip
    texts = {f"{name}.json": json.dumps(each, indent=1) + "\n" for name, each in
             (("stages", rows), ("flavors", carried))}  # fmt: skip
    return {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta(deployment, site, f"{deployment.label}-plan"),
        "data": {"plan-hash": deployment.plan_hash, **texts},
    }  # fmt: skip


def _claims(deployment: Deployment, site: str) -> list[Document]:
    """Return one claim a data set read here, one for scratch where nothing is read, one for artefacts."""
    sizes: dict[str, tuple[str, dict[str, str]]] = {
        claim: (ARTEFACTS, {}) for work in deployment.at(site) for claim in claims_of(deployment, work).values()
    }
    models = {f"artefacts-{site}": _model_notes(deployment, site)}
    sizes |= {label(name, 50): (ARTEFACTS, notes) for name, notes in models.items() if label(name, 50) in sizes}
    for data in deployment.datasets_at(site):
        notes = {key("dataset-home"): data.home, key("residency"): ",".join(data.residency) or "anywhere"}
        sizes[label(f"data-{data.name}", 50)] = (f"{max(int(-(-data.size_b // 2**30)), 1)}Gi", notes)
    return [
        {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {**_meta(deployment, site, name), **({"annotations": notes} if notes else {})},
            "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": size}}},
        }
        for name, (size, notes) in sorted(sizes.items())
    ]  # fmt: skip


def _model_notes(deployment: Deployment, site: str) -> dict[str, str]:
    """Return what the claim of artefacts says where models are served: which files, and the sites that train them."""
    trainers = {work.trained_by for work in deployment.at(site) if work.kind == "serve"} - {None}
    made = [work for work in deployment.works if work.label in trainers]
    files, sites = ([f"{work.label}/model.pt" for work in made], sorted({label(work.site) for work in made}))
    return {key("model-files"): ",".join(files), key("model-sites"): ",".join(sites)} if made else {}


def _quota(deployment: Deployment, site: str, made: tuple[Flavor, ...], style: Style) -> Document:
    """Return the namespace's quota of accelerators: what heat and power carry, summed over flavors."""
    hard: dict[str, int] = {"pods": sum(2 * work.pods + 2 for work in deployment.at(site))}
    for flavor in made:
        if flavor.hardware.resource:
            name = f"requests.{flavor.hardware.resource}"
            if style.devices == "dra":
                name = f"{driver_of(flavor.hardware)}.deviceclass.resource.k8s.io/devices"
            hard[name] = hard.get(name, 0) + flavor.quota
    return {
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": _meta(deployment, site, deployment.label),
        "spec": {"hard": {name: str(value) for name, value in sorted(hard.items())}},
    }  # fmt: skip


def _network(deployment: Deployment, site: str, style: Style) -> list[Document]:
    """Return: nothing in or out but names; a training run among its own pods; clients and metrics to a service.

    Ray's pods talk among themselves, and its operator to their heads.
    """
    dns = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
           "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}  # fmt: skip
    base: Document = {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": _meta(deployment, site, "default-deny"),
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [dns]},
    }  # fmt: skip
    return [
        base,
        *(_policy(deployment, work, style) for work in deployment.at(site) if work.kind in ("train", "serve")),
    ]


def _policy(deployment: Deployment, work: Work, style: Style) -> Document:
    peers = [{"podSelector": {"matchLabels": selector(deployment, work)}}]
    spec: Document = {"podSelector": {"matchLabels": selector(deployment, work)}}
    if work.kind == "serve":
        clients = [{"namespaceSelector": {"matchLabels": {key("client"): "true"}}}]
        ray = style.serving == "rayservice" and not work.everywhere
        prometheus = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": MONITORING}}}]
        spec |= {"policyTypes": ["Ingress"], "ingress": [
            {"from": clients, "ports": [{"port": SERVE_PORT}]},
            {"from": prometheus, "ports": [{"port": METRICS if ray else SERVE_PORT}]},
        ]}  # fmt: skip
        if ray or work.replica_devices > work.hardware.per_node:
            spec |= {"policyTypes": ["Ingress", "Egress"], "egress": [{"to": peers}]}
            spec["ingress"].append({"from": peers})
    else:
        spec |= {"policyTypes": ["Ingress", "Egress"], "ingress": [{"from": peers}], "egress": [{"to": peers}]}
        ray = style.training == "rayjob"
    if ray:
        operator = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": OPERATOR}}}
        asked = [DASHBOARD, SERVE_PORT] if work.kind == "serve" else [DASHBOARD]  # there it asks the proxy's health too
        spec["ingress"].append({"from": [operator], "ports": [{"port": port} for port in asked]})
    meta = _meta(deployment, work.site, work.label)
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def amounts(work: Work) -> dict[str, str]:
    """Return what one pod of ``work`` asks for."""
    found: dict[str, str] = resources(work)["requests"]
    return found
