"""Objects: names, namespaces, references, rights, images, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from twinloop.deploy.access import CLUSTER_WIDE, rights
from twinloop.deploy.bundle import ACCESS
from twinloop.deploy.walk import Document, Documents, at, containers_of, of_kind, pod_templates, pods_in, site_of
from twinloop.deploy.words import SECRET

Fault = tuple[str, str, str]
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_SECRET_NAME = re.compile(r"(?i)(password|passwd|secret|token|api_?key|credential)")


def name_of(document: Document) -> str:
    """Return ``kind/name``."""
    return f"{document.get('kind')}/{at(document, 'metadata', 'name')}"


def names(documents: Documents) -> Iterator[Fault]:
    """Names are DNS names, and no object is written twice (a pipeline holds the runs of the files beside it)."""
    seen: set[tuple[str, ...]] = set()
    for file, document in documents:
        meta = document.get("metadata") or {}
        name = str(meta.get("name"))
        identity = (str(document.get("apiVersion")), str(document.get("kind")), str(meta.get("namespace")), name,
                    file.split("/")[0], site_of(file))  # fmt: skip
        longest = 52 if document.get("kind") == "CronJob" else 253
        if not _NAME.fullmatch(name) or len(name) > longest:
            yield file, name_of(document), f"metadata.name: expected a DNS name of at most {longest}"
        if identity in seen:
            yield file, name_of(document), "the object is written twice"
        seen.add(identity)


WIDE = CLUSTER_WIDE | {
    "Node", "PersistentVolume", "StorageClass", "CustomResourceDefinition", "RuntimeClass", "IngressClass",
}  # fmt: skip
"""Kinds without a namespace, those included that a person may add."""


def homes(documents: Documents) -> Iterator[Fault]:
    """The site's one namespace is a restricted one, and everything that has a namespace is in it."""
    spaces = {at(d, "metadata", "name") for _, _, d in of_kind(documents, "Namespace")}
    for file, name, document in of_kind(documents, "Namespace"):
        mode = at(document, "metadata", "labels", "pod-security.kubernetes.io/enforce")
        if mode != "restricted":
            yield file, name, f"pod-security.kubernetes.io/enforce: got {mode}, expected restricted"
    for file, document in documents:
        home = at(document, "metadata", "namespace")
        if document.get("kind") in WIDE:
            continue
        if spaces and home not in spaces:
            yield file, name_of(document), f"metadata.namespace: got {home}, expected {', '.join(map(str, spaces))}"


REFERENCES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("TrainJob", ("spec", "runtimeRef", "name"), "TrainingRuntime"),
    ("InferenceService", ("spec", "predictor", "model", "runtime"), "ServingRuntime"),
    ("RayJob", ("spec", "clusterSelector", "ray.io/cluster"), "RayCluster"),
    ("LocalQueue", ("spec", "clusterQueue"), "ClusterQueue"),
    ("ResourceFlavor", ("spec", "topologyName"), "Topology"),
)
"""Kind, where it names another object, and of which kind that is."""
POD_REFERENCES = (("priorityClassName", "PriorityClass"), ("serviceAccountName", "ServiceAccount"),
                  ("subdomain", "Service"))  # fmt: skip


EVERYWHERE = {("ClusterRole", each) for each in ("view", "edit", "admin", "cluster-admin")}
"""Roles for users that each cluster has of itself."""


def references(documents: Documents) -> Iterator[Fault]:
    """Everything that is named exists."""
    known = EVERYWHERE | {(d.get("kind"), at(d, "metadata", "name")) for _, d in documents}
    wanted: list[tuple[str, str, str, Any]] = []
    for kind, path, target in REFERENCES:
        wanted += [(file, name, target, at(d, *path)) for file, name, d in of_kind(documents, kind)]
    for file, name, document in of_kind(documents, "RoleBinding", "ClusterRoleBinding"):
        wanted.append((file, name, str(at(document, "roleRef", "kind")), at(document, "roleRef", "name")))
    for file, name, _, template in pods_in(documents):
        spec = template.get("spec") or {}
        wanted += [(file, name, kind, spec.get(field)) for field, kind in POD_REFERENCES]
        wanted += [(file, name, "PersistentVolumeClaim", claim) for claim in claims_in(template)]
    for file, document in documents:
        queue = at(document, "metadata", "labels", "kueue.x-k8s.io/queue-name")
        wanted.append((file, name_of(document), "LocalQueue", queue))
        # KServe mounts the claim that it is told as an address.
        claim = re.match(r"pvc://([^/]+)", str(at(document, "spec", "predictor", "model", "storageUri")))
        wanted.append((file, name_of(document), "PersistentVolumeClaim", claim and claim[1]))
    for file, name, document in of_kind(documents, "ClusterQueue"):
        for group in at(document, "spec", "resourceGroups") or []:
            wanted += [(file, name, "ResourceFlavor", each.get("name")) for each in group.get("flavors") or []]
    for file, name, kind, each in wanted:
        if each is not None and (kind, each) not in known:
            yield file, name, f"no {kind} is called {each}"


def claims_in(template: Document) -> list[str]:
    """Return the claims that a pod mounts."""
    volumes = at(template, "spec", "volumes") or []
    return [str(at(v, "persistentVolumeClaim", "claimName")) for v in volumes if "persistentVolumeClaim" in v]


def secrets(documents: Documents) -> Iterator[Fault]:
    """No secret stands in a file."""

    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for item in value.values():
                yield from texts(item)
        elif isinstance(value, list):
            for item in value:
                yield from texts(item)
        elif isinstance(value, str):
            yield value

    for file, document in documents:
        if document.get("kind") == "Secret":
            yield file, name_of(document), "a Secret in a file"
        if any(SECRET.search(text) for text in texts(document)):
            yield file, name_of(document), "a text looks like a secret"
        for container in [each for template in pod_templates(document) for each in containers_of(template)]:
            for env in container.get("env") or []:
                if env.get("value") and _SECRET_NAME.search(str(env.get("name"))):
                    yield file, name_of(document), f"env {env['name']}: a value in the file"


def roles(documents: Documents) -> Iterator[Fault]:
    """A role grants what applying the site's documents needs, and nothing besides."""
    inside = [d for file, d in documents if not file.endswith(f"/{ACCESS}") and d.get("apiVersion")]
    needed = {(right.group, right.resource): set(right.verbs) for right in rights(inside)}
    needed["", "namespaces"] = {"get"}
    for file, name, document in of_kind(documents, "Role", "ClusterRole"):
        for rule in document.get("rules") or []:
            if any("*" in (rule.get(part) or []) for part in ("verbs", "resources", "apiGroups")):
                yield file, name, "a rule grants *"
                continue
            for group in rule.get("apiGroups") or [""]:
                for resource in rule.get("resources") or []:
                    spare = set(rule.get("verbs") or []) - needed.get((group, resource), set())
                    if spare:
                        yield file, name, f"grants {', '.join(sorted(spare))} on {resource}, which nothing here needs"
    for file, name, document in of_kind(documents, "RoleBinding", "ClusterRoleBinding"):
        if at(document, "roleRef", "name") in ("cluster-admin", "admin"):
            yield file, name, "binds an administrator"


def images(documents: Documents) -> Iterator[Fault]:
    """Images carry a digest or a tag other than latest."""
    for file, name, _, template in pods_in(documents):
        for container in containers_of(template):
            image = str(container.get("image", ""))
            tail = image.rsplit("/", 1)[-1]
            if "@sha256:" in tail and not re.search(r"@sha256:[0-9a-f]{64}$", tail):
                yield file, name, f"image {image}: the digest is no SHA-256"
            elif "@" not in tail and ":" not in tail:
                yield file, name, f"image {image}: neither tag nor digest"
            elif "@" not in tail and tail.endswith(":latest"):
                yield file, name, f"image {image}: latest is another image tomorrow"
