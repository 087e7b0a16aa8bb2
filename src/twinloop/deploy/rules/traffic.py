"""Traffic: every pod is behind a policy, its ports can be reached, names can be looked up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinloop.deploy.rules.objects import Fault
from twinloop.deploy.rules.runs import marks
from twinloop.deploy.walk import Document, Documents, at, containers_of, of_kind, pods_in

DNS = (53, 5353)
"""Ports of the pods that look names up: CoreDNS' own, and OpenShift's: policies see the port behind a service."""


def policies(documents: Documents) -> Iterator[Fault]:
    """A policy that names a port names one that a pod behind it opens; its selector takes some pod."""
    templates = [template for *_, template in pods_in(documents)]
    for file, name, document in of_kind(documents, "NetworkPolicy"):
        behind = [t for t in templates if _selects(document, t)]
        if templates and not behind:
            yield file, name, "podSelector: matches no pod"
        opened = {port for template in behind for port in _open(template).values()}
        for port in sorted({p for _, p in _ports(document, "ingress") if p is not None} - opened, key=str):
            yield file, name, f"no pod behind it opens port {port}"


def reached(documents: Documents) -> Iterator[Fault]:
    """Every pod is behind a policy for both directions; what a service or a container offers, a policy lets in."""
    for file, name, _, template in pods_in(documents):
        own = [d for _, _, d in of_kind(documents, "NetworkPolicy") if _selects(d, template)]
        for direction in ("Ingress", "Egress"):
            if not any(direction in (at(d, "spec", "policyTypes") or []) for d in own):
                yield file, name, f"no NetworkPolicy is before it: {direction} is open to everybody"
        let_in = {port for d in own for _, port in _ports(d, "ingress")}
        for port in sorted(set(_open(template).values()) - let_in) if None not in let_in else ():
            yield file, name, f"no NetworkPolicy lets anybody to port {port}"
        looked_up = {each for d in own for each in _ports(d, "egress")}
        for protocol in ("TCP", "UDP") if (None, None) not in looked_up else ():
            if not looked_up & {(protocol, port) for port in DNS}:
                yield file, name, f"no NetworkPolicy lets it look up names: {protocol} {DNS[0]}"
    for file, name, document in of_kind(documents, "Service"):
        chosen = [t for *_, t in pods_in(documents) if _chosen(document, t)]
        for port in at(document, "spec", "ports") or []:
            target = port.get("targetPort", port.get("port"))
            if isinstance(target, str) and not any(target in _open(t) for t in chosen):
                yield file, name, f"targetPort: no port of its pods is named {target}"


def _chosen(service: Document, template: Document) -> bool:
    wanted = dict(at(service, "spec", "selector") or {})
    wanted.pop("batch.kubernetes.io/job-completion-index", None)
    return wanted.items() <= marks(template).items()


def _selects(policy: Document, template: Document) -> bool:
    return (at(policy, "spec", "podSelector", "matchLabels") or {}).items() <= marks(template).items()


def _open(template: Document) -> dict[Any, int]:
    """Return the ports of a pod by name."""
    ports = [p for c in containers_of(template) for p in c.get("ports") or []]
    return {p.get("name", p.get("containerPort")): p.get("containerPort") for p in ports}


def _ports(policy: Document, direction: str) -> set[tuple[Any, Any]]:
    """Return (protocol, port) of what a policy lets through, (None, None) where a rule names no port."""
    found: set[tuple[Any, Any]] = set()
    for rule in at(policy, "spec", direction) or []:
        found |= {(p.get("protocol", "TCP"), p.get("port")) for p in rule.get("ports") or []} or {(None, None)}
    return found
