"""Pods: what they may do, what they ask for, where they fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinloop.deploy.rules.objects import Fault, claims_in
from twinloop.deploy.walk import (
    Document,
    Documents,
    accelerators,
    asked,
    at,
    containers_of,
    devices_of,
    fitting,
    flavor_of,
    held,
    of_kind,
    option,
    pods_in,
    quantity,
    unique,
)  # fmt: skip

ENDING: dict[str, tuple[str | None, ...]] = {
    "Job": ("Never", "OnFailure"), "CronJob": ("Never", "OnFailure"), "JobSet": ("Never", "OnFailure"),
    "TrainingRuntime": ("Never", "OnFailure"),
    # The replica's own word counts, or the operator's.
    "PyTorchJob": (None,), "MPIJob": (None,), "TFJob": (None,), "JAXJob": (None,), "RayJob": (None, "Never"),
}  # fmt: skip
"""What a pod template may say by its owner's kind; others run for ever."""
REPLICA_WORDS = ("Always", "OnFailure", "Never", "ExitCode")


def restart_policy(documents: Documents) -> Iterator[Fault]:
    """A job's pods end: Never or OnFailure."""
    for file, name, document, template in pods_in(documents):
        policy = at(template, "spec", "restartPolicy")
        allowed = ENDING.get(document["kind"], (None, "Always"))
        if policy not in allowed:
            yield file, name, f"restartPolicy: got {policy}, expected one of {allowed}"
    for file, name, document in of_kind(documents, "PyTorchJob", "MPIJob", "TFJob", "JAXJob"):
        for part, replicas in (document.get("spec") or {}).items():
            for role, each in replicas.items() if part.endswith("ReplicaSpecs") else ():
                # The schemas leave this word open: a slip of the pen passes them.
                if each.get("restartPolicy") not in REPLICA_WORDS:
                    yield file, name, f"{role}.restartPolicy: got {each.get('restartPolicy')}, expected {REPLICA_WORDS}"


def quantities(documents: Documents) -> Iterator[Fault]:
    """Amounts follow the grammar; processors and memory are bounded; accelerators ask for exactly their limit."""
    for file, name, _, template in pods_in(documents):
        for container in containers_of(template):
            wanted, limits = at(container, "resources", "requests") or {}, at(container, "resources", "limits") or {}
            bad = [f"{k}: {v}" for part in (wanted, limits) for k, v in part.items() if quantity(v) is None]
            if bad:
                yield file, name, f"resources: {', '.join(bad)}: not a quantity"
            for resource in ("cpu", "memory"):
                if resource not in limits:
                    yield file, name, f"resources: {container.get('name')} has no limit of {resource}"
            for resource in {*wanted, *limits}:
                if "/" in resource and wanted.get(resource, limits.get(resource)) != limits.get(resource):
                    yield file, name, f"{resource}: requests and limits differ"


def ports(documents: Documents) -> Iterator[Fault]:
    """A probe's named port is its container's; so is the port on which its program listens."""
    for file, name, _, template in pods_in(documents):
        for container in containers_of(template):
            known = {port.get("name") for port in container.get("ports") or []}
            said = option([str(word) for part in ("command", "args") for word in container.get(part) or []], "port")
            opened = {port.get("containerPort") for port in container.get("ports") or []}
            if said is not None and said not in opened:
                yield file, name, f"--port={said}: {container.get('name')} opens no such port"
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                port = at(container, probe, "httpGet", "port")
                if isinstance(port, str) and port not in known:
                    yield file, name, f"{probe}: no port is named {port}"


def tolerations(documents: Documents) -> Iterator[Fault]:
    """Pods on accelerators tolerate the accelerator's taint."""
    known = accelerators(documents)
    for file, name, _, template in pods_in(documents):
        kept = {each.get("key") for each in at(template, "spec", "tolerations") or []}
        for container in containers_of(template):
            devices = known & set(at(container, "resources", "limits") or {})
            if at(container, "resources", "claims") and not kept:
                yield file, name, "no toleration beside its device claims"
            for resource in sorted(devices - kept):
                yield file, name, f"no toleration of {resource}"


VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
"""Kinds of volumes that the restricted standard of pod security allows."""


def restricted(documents: Documents) -> Iterator[Fault]:
    """The restricted standard of pod security, and no token: nothing of the host, no way to become root."""
    for file, name, _, template in pods_in(documents):
        spec = template.get("spec") or {}
        context = spec.get("securityContext") or {}
        if context.get("runAsNonRoot") is not True or context.get("runAsUser") == 0:
            yield file, name, "securityContext: expected runAsNonRoot: true"
        if at(context, "seccompProfile", "type") not in ("RuntimeDefault", "Localhost"):
            yield file, name, "securityContext: expected seccompProfile RuntimeDefault"
        if spec.get("automountServiceAccountToken") is not False:
            yield file, name, "automountServiceAccountToken: expected false"
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(field):
                yield file, name, f"{field}: expected none, the host is not the pod's"
        for volume in spec.get("volumes") or []:
            for kind in sorted(set(volume) - {"name"} - VOLUMES):
                yield file, name, f"volume {volume.get('name')}: {kind} is of the host"
        for container in [*containers_of(template), *(spec.get("initContainers") or [])]:
            yield from ((file, name, f"{container.get('name')}: {why}") for why in _gains(container))


def _gains(container: Document) -> Iterator[str]:
    """Yield by what a container may gain privileges."""
    context: Any = container.get("securityContext") or {}
    if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
        yield "may gain privileges"
    if context.get("runAsUser") == 0 or context.get("runAsNonRoot") is False:
        yield "runs as root"
    if at(context, "capabilities", "drop") != ["ALL"]:
        yield "keeps capabilities, expected drop: [ALL]"
    added = set(at(context, "capabilities", "add") or []) - {"NET_BIND_SERVICE"}
    if added:
        yield f"adds capabilities {', '.join(sorted(added))}"
    if any(port.get("hostPort") for port in container.get("ports") or []):
        yield "takes a port of the host"


def placed(documents: Documents) -> Iterator[Fault]:
    """Some node of ``nodes.csv`` takes each pod, and one host of its flavor holds what it asks for."""
    nodes, known = any(True for _ in of_kind(documents, "Node")), accelerators(documents)
    for file, name, _, template in pods_in(documents):
        if nodes and not fitting(template, documents):
            yield file, name, f"no node of nodes.csv is {at(template, 'spec', 'nodeSelector')}"
        flavor = flavor_of(template, documents)
        if flavor is None:
            continue
        host = {"cpu": flavor["cpu"], "memory": flavor["memory_b"], str(flavor["resource"]): flavor["devices"]}
        wanted = asked(template)
        if claimed := devices_of(template, documents):
            wanted[str(flavor["resource"])] = claimed
        for resource, amount in wanted.items():
            if resource in ("cpu", "memory", str(flavor["resource"])) and amount > host[resource]:
                yield file, name, f"asks for {amount:g} {resource}, a host of {flavor['name']} has {host[resource]:g}"
            elif resource in known and resource not in host:
                yield file, name, f"asks for {resource}, a host of {flavor['name']} has none"


def shared_claims(documents: Documents) -> Iterator[Fault]:
    """A claim that more than one pod mounts may be mounted by many."""
    mounts: dict[str, int] = {}
    for _, document in unique(documents):
        for template, pods in held(document, documents):
            for claim in claims_in(template):
                mounts[claim] = mounts.get(claim, 0) + pods
        uri = str(at(document, "spec", "predictor", "model", "storageUri"))
        if uri.startswith("pvc://"):
            mounts[uri.split("/")[2]] = 2
    for file, name, document in of_kind(documents, "PersistentVolumeClaim"):
        pods = mounts.get(str(at(document, "metadata", "name")), 0)
        modes = at(document, "spec", "accessModes") or []
        if pods > 1 and "ReadWriteMany" not in modes:
            yield file, name, f"accessModes: got {', '.join(modes)} under {pods} pods, expected ReadWriteMany"


def claims(documents: Documents) -> Iterator[Fault]:
    """Device claims that pods name exist, and containers use what their pod claims."""
    known = {at(d, "metadata", "name") for _, _, d in of_kind(documents, "ResourceClaimTemplate")}
    # A domain's controller makes the template of its channel.
    known |= {
        at(d, "spec", "channel", "resourceClaimTemplate", "name") for _, _, d in of_kind(documents, "ComputeDomain")
    }
    for file, name, _, template in pods_in(documents):
        made = {each.get("name"): each.get("resourceClaimTemplateName") for each in
                at(template, "spec", "resourceClaims") or []}  # fmt: skip
        for each in sorted(str(wanted) for wanted in made.values() if wanted not in known):
            yield file, name, f"no ResourceClaimTemplate is called {each}"
        used = {each.get("name") for c in containers_of(template) for each in at(c, "resources", "claims") or []}
        if used != set(made):
            yield file, name, f"containers use claims {sorted(map(str, used))}, the pod has {sorted(map(str, made))}"
