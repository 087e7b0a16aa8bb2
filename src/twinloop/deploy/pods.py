"""Pod templates: restricted, pinned to an accelerator on a cooling technology, with storage and shared memory."""

from __future__ import annotations

import math
from typing import Any

from twinloop.deploy.cooling import flavor_name
from twinloop.deploy.intent import Deployment, Hardware, Work
from twinloop.deploy.names import key, label
from twinloop.deploy.style import PLAIN, Style
from twinloop.errors import InputError

Document = dict[str, Any]

USER = 10001
"""Numeric user of our images: runAsNonRoot can only be proved for a number."""
HOST_SHARE = 0.9
"""Share of a node's cores and memory that pods may ask for; the rest is the system's and the plug-ins'."""
IMAGE_TAG = "0.1.0"


def labels(deployment: Deployment, site: str, work: Work | None = None) -> dict[str, str]:
    """Return the labels that everything of ours carries."""
    made = {
        "app.kubernetes.io/managed-by": "twinloop",
        "app.kubernetes.io/part-of": deployment.label,
        key("site"): label(site),
    }
    if work is not None:
        made |= {"app.kubernetes.io/name": work.label, "app.kubernetes.io/component": work.kind}
    return made


def selector(deployment: Deployment, work: Work) -> dict[str, str]:
    """Return the labels that select a stage's pods."""
    return {"app.kubernetes.io/part-of": deployment.label, "app.kubernetes.io/name": work.label}


def image(deployment: Deployment, work: Work) -> str:
    """Return the image as given, else the name that kustomize's ``images`` replaces by a registry and a digest."""
    return deployment.images.get(work.label) or f"{deployment.label}-{work.label}:{IMAGE_TAG}"


def cpu_and_memory(hardware: Hardware, devices: int) -> tuple[str, str]:
    """Return a pod's processors and memory: its devices' share of the node."""
    share = HOST_SHARE * devices / hardware.per_node
    cpu = max(math.floor(hardware.cores * share), 1)
    return str(cpu), f"{max(math.floor(hardware.memory_b * share / 2**30), 1)}Gi"


TWO_DIES = ("MI250",)
"""Name beginnings of devices whose dies are PCI devices of their own: AMD's plug-in counts those (its GetAMDGPUs,
2026), eight on a node of four packages (Pawsey, Setonix user guide, 2023)."""


def resources(work: Work) -> Document:
    """Return requests equal to limits: guaranteed class, and the only form accelerators allow.

    Raises:
        InputError: the plan's devices are not those that a plug-in counts.
    """
    shared = work.hardware.resource or work.kind == "train" or (work.kind == "serve" and not work.everywhere)
    devices = work.per_pod if shared else work.hardware.per_node
    if work.hardware.device.startswith(TWO_DIES):
        raise InputError(
            f"stage {work.name}: got {work.hardware.device}, expected a device that its driver shows as one: plug-in "
            "and programs see two of half the memory, the plan's layout counts one: plan with another device"
        )
    cpu, memory = cpu_and_memory(work.hardware, devices)
    amounts = {"cpu": cpu, "memory": memory}
    if work.hardware.resource:
        amounts[work.hardware.resource] = str(work.per_pod)
    return {"requests": dict(amounts), "limits": dict(amounts)}


def volume_name(deployment: Deployment, work: Work, deployment_site: str) -> str:
    """Return the claim that holds ``work``'s data: its first data set's, or the site's scratch."""
    from twinloop.deploy.intent import all_reads

    reads = all_reads(work, deployment.works)
    known = [data.name for data in deployment.data if data.name in reads]
    return label(f"data-{known[0]}", 50) if known else label(f"data-{deployment_site}", 50)


def claims_of(deployment: Deployment, work: Work) -> dict[str, str]:
    """Return volume -> claim: data for those that read it, artefacts for all but branches (their image has it)."""
    made = {}
    if work.kind != "serve":
        made["data"] = volume_name(deployment, work, work.site)
    if not work.everywhere:
        made["artefacts"] = label(f"artefacts-{work.site}", 50)
    return made


def pod_spec(
    deployment: Deployment, work: Work, command: list[str], env: list[Document] | None = None, style: Style = PLAIN
) -> Document:
    """Return the pod's spec; the caller adds what its kind of controller needs."""
    kept = claims_of(deployment, work)
    memory_gib = cpu_and_memory(work.hardware, work.per_pod if work.hardware.resource else 1)[1]
    spec: Document = {
        "serviceAccountName": deployment.label,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": priority_class(deployment, work),
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": {"type": "RuntimeDefault"},
        },
        "nodeSelector": {key("accelerator"): work.hardware.label, key("cooling"): label(work.cooling)},
        "containers": [_container(deployment, work, command, env or [], list(kept))],
        "volumes": [
            *({"name": name, "persistentVolumeClaim": {"claimName": claim}} for name, claim in kept.items()),
            {"name": "tmp", "emptyDir": {"sizeLimit": "8Gi"}},
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": _shm(memory_gib)}},
        ],
    }  # fmt: skip
    if work.hardware.resource and style.devices == "dra":
        _claim_devices(spec, work)
    if work.hardware.resource:
        spec["tolerations"] = [{"key": work.hardware.resource, "operator": "Exists", "effect": "NoSchedule"}]
    return spec


def _container(
    deployment: Deployment, work: Work, command: list[str], env: list[Document], kept: list[str]
) -> Document:
    """Return the pod's one container; ``kept`` are the claims it mounts."""
    read_only = {"data": {"readOnly": True}} if work.kind == "train" else {}
    return {
        "name": work.kind,
        "image": image(deployment, work),
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "env": [{"name": "HOME", "value": "/tmp"}, *env],  # noqa: S108 - a path inside the container
        "resources": resources(work),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            *({"name": name, "mountPath": f"/{name}", **read_only.get(name, {})} for name in kept),
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a path inside the container
            {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108 - a path inside the container
        ],
    }


def nvlink_claim(work: Work) -> str:
    """Return the name of the claim of a channel between trays; its ComputeDomain's controller makes the template."""
    return f"{work.label}-nvlink"


def _claim_devices(spec: Document, work: Work) -> None:
    """Let the pod claim its devices instead of asking for the plug-in's resource."""
    resources_ = spec["containers"][0]["resources"]
    for amounts in resources_.values():
        del amounts[work.hardware.resource]
    wanted = {"devices": f"{work.label}-devices", **({"nvlink": nvlink_claim(work)} if work.spans_nvlink else {})}
    resources_["claims"] = [{"name": name} for name in wanted]
    spec["resourceClaims"] = [
        {"name": name, "resourceClaimTemplateName": template} for name, template in wanted.items()
    ]


def _shm(memory: str) -> str:
    """Return the shared-memory limit: a quarter of the pod's memory (it counts as memory), at least 1 GiB."""
    return f"{max(int(memory[:-2]) // 4, 1)}Gi"


def priority_class(deployment: Deployment, work: Work) -> str:
    """Return the priority class of the stage's kind."""
    return f"{deployment.label}-{work.kind}"


def remarks(deployment: Deployment, work: Work) -> dict[str, str]:
    """Return what a person or a controller may want to know of the stage."""
    made = {
        key("plan"): deployment.plan_hash,
        key("flavor"): flavor_name(work),
        key("watts-per-device"): f"{work.device_w:.0f}",
        key("parallelism"): _layout(work),
    }
    if work.latency_s is not None:
        made[key("latency-p99-ms")] = f"{1e3 * work.latency_s:g}"
    return made


def _layout(work: Work) -> str:
    p = work.parallelism
    return f"d{p.data}-t{p.tensor}-p{p.pipeline}-c{p.context}-e{p.expert}"
