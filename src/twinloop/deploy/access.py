"""Least rights: the roles of the applying account, from the same documents that it will apply."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.deploy.intent import Deployment
from twinloop.deploy.names import label
from twinloop.deploy.pods import Document, labels

KEPT = ("Namespace", "PersistentVolumeClaim")
"""Kinds that hold what cannot be made again: never pruned."""
CLUSTER_WIDE = {
    "Namespace", "PriorityClass", "Topology", "ResourceFlavor", "ClusterQueue", "Cohort", "WorkloadPriorityClass",
    "ClusterTrainingRuntime", "ClusterRole", "ClusterRoleBinding", "DeviceTaintRule", "DeviceClass",
}  # fmt: skip
"""Kinds without a namespace, among those written here."""
PLURAL = {
    "NetworkPolicy": "networkpolicies", "PriorityClass": "priorityclasses", "Topology": "topologies",
    "WorkloadPriorityClass": "workloadpriorityclasses", "DeviceClass": "deviceclasses",
}  # fmt: skip
"""Resource names that are not the kind with an s."""


@dataclass(frozen=True)
class Right:
    """Verbs on one resource."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    cluster_wide: bool


def plural(kind: str) -> str:
    """Return the resource name of ``kind``.

    >>> plural("Deployment"), plural("NetworkPolicy")
    ('deployments', 'networkpolicies')
    """
    return PLURAL.get(kind, kind.lower() + "s")


def rights(documents: list[Document]) -> tuple[Right, ...]:
    """Return what applying, pruning and waiting for ``documents`` needs, and no more.

    Applying on the server's side is a ``patch``, and a ``create`` where the object is new; it is looked at by
    ``get``; what has left the plan is found by ``list`` and removed by ``delete``.
    """
    found = {}
    for document in documents:
        group, _, _ = document["apiVersion"].rpartition("/")
        verbs = ("create", "get", "patch") if document["kind"] in KEPT else ("create", "delete", "get", "list", "patch")
        found[group, document["kind"]] = Right(group, plural(document["kind"]), verbs, document["kind"] in CLUSTER_WIDE)
    return tuple(found[name] for name in sorted(found))


def access_documents(
    deployment: Deployment, site: str, namespace: Document, documents: list[Document]
) -> list[Document]:
    """Return the administrator's file: namespace, applying account, its roles and their bindings."""
    name, marks = f"{deployment.label}-applier", labels(deployment, site)
    inside = {"name": name, "namespace": deployment.label, "labels": marks}
    # Cluster-wide names carry the site: two sites may share a cluster.
    outside = {"name": label(f"{name}-{site}", 60), "labels": marks}
    account = {"kind": "ServiceAccount", "name": name, "namespace": deployment.label}
    made = [
        namespace,
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": dict(inside),
         "automountServiceAccountToken": False},
    ]  # fmt: skip
    given = rights(documents)
    for wide, meta, role in ((False, inside, "Role"), (True, outside, "ClusterRole")):
        rules = [
            {"apiGroups": [right.group], "resources": [right.resource], "verbs": list(right.verbs)}
            for right in given
            if right.cluster_wide == wide
        ]
        if not rules:
            continue
        made.append({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": role, "metadata": dict(meta),
                     "rules": rules})  # fmt: skip
        made.append({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": f"{role}Binding", "metadata": dict(meta),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": meta["name"]},
            "subjects": [dict(account)],
        })  # fmt: skip
    return made
