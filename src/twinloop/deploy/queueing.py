"""Kueue (v1beta2): a topology of the hall and its loops, flavors by accelerator and cooling, quotas by heat."""

from __future__ import annotations

from twinloop.deploy.cooling import LEVELS, Flavor
from twinloop.deploy.intent import Deployment
from twinloop.deploy.names import key, label
from twinloop.deploy.pods import Document, labels

API = "kueue.x-k8s.io/v1beta2"


def queue_documents(deployment: Deployment, site: str, made: tuple[Flavor, ...]) -> list[Document]:
    """Return topology, flavors, cluster queue and local queue of ``site``."""
    marks = labels(deployment, site)
    topology = label(f"{site}-cooling", 60)
    queue = label(f"{deployment.label}-{site}", 60)
    return [
        {
            "apiVersion": API, "kind": "Topology", "metadata": {"name": topology, "labels": marks},
            "spec": {"levels": [{"nodeLabel": level} for level in LEVELS]},
        },
        *(_flavor(flavor, marks, topology) for flavor in made),
        {
            "apiVersion": API, "kind": "ClusterQueue", "metadata": {"name": queue, "labels": marks},
            "spec": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": deployment.label}},
                "queueingStrategy": "BestEffortFIFO",
                "preemption": {"withinClusterQueue": "LowerPriority"},
                "resourceGroups": [_group(made)],
            },
        },
        {
            "apiVersion": API, "kind": "LocalQueue",
            "metadata": {"name": deployment.label, "namespace": deployment.label, "labels": marks},
            "spec": {"clusterQueue": queue},
        },
    ]  # fmt: skip


def _flavor(flavor: Flavor, marks: dict[str, str], topology: str) -> Document:
    notes = {key("watts-per-device"): f"{flavor.device_w:.0f}", key("limited-by"): flavor.limited_by,
             key("carried-devices"): str(flavor.quota), key("always-on-devices"): str(flavor.always_on)}  # fmt: skip
    for name, watts in (("thermal-capacity-w", flavor.thermal_w), ("power-capacity-w", flavor.power_w)):
        if watts is not None:
            notes[key(name)] = f"{watts:.0f}"
    spec: Document = {
        "nodeLabels": {key("accelerator"): flavor.hardware.label, key("cooling"): label(flavor.cooling)},
        "topologyName": topology,
    }
    if flavor.hardware.resource:
        spec["tolerations"] = [{"key": flavor.hardware.resource, "operator": "Exists", "effect": "NoSchedule"}]
    return {
        "apiVersion": API, "kind": "ResourceFlavor",
        "metadata": {"name": flavor.name, "labels": marks, "annotations": notes}, "spec": spec,
    }  # fmt: skip


def _group(made: tuple[Flavor, ...]) -> Document:
    """Return one group: a resource may be in one group only, so each flavor names all, with 0 where it has none."""
    devices = sorted({flavor.hardware.resource for flavor in made if flavor.hardware.resource})
    covered = ["cpu", "memory", *devices]
    return {
        "coveredResources": covered,
        "flavors": [
            {"name": flavor.name,
             "resources": [{"name": name, "nominalQuota": _quota(flavor, name)} for name in covered]}
            for flavor in made
        ],
    }  # fmt: skip


def _quota(flavor: Flavor, name: str) -> str:
    """Return what queued jobs may hold at once: what heat and power carry, less what runs without a queue."""
    hardware = flavor.hardware
    devices = max(flavor.quota - flavor.always_on, 0)
    if name == "cpu":
        return str(-(-hardware.cores * devices // hardware.per_node))
    if name == "memory":
        return f"{int(-(-hardware.memory_b * devices // hardware.per_node // 2**30))}Gi"
    return str(devices if name == hardware.resource else 0)
