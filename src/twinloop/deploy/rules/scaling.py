"""Selectors, autoscalers and their triggers."""

from __future__ import annotations

from collections.abc import Iterator

from twinloop.deploy.rules.objects import Fault
from twinloop.deploy.walk import Documents, at, of_kind, pods_in


def selectors(documents: Documents) -> Iterator[Fault]:
    """A Deployment's selector matches its template; services and budgets select some template."""
    templates = [at(template, "metadata", "labels") or {} for *_, template in pods_in(documents)]
    for file, name, document in of_kind(documents, "Deployment", "DaemonSet", "Service", "PodDisruptionBudget"):
        path = ("spec", "selector") if document["kind"] == "Service" else ("spec", "selector", "matchLabels")
        wanted = dict(at(document, *path) or {})
        wanted.pop("batch.kubernetes.io/job-completion-index", None)
        candidates = [at(document, "spec", "template", "metadata", "labels") or {}]
        if document["kind"] not in ("Deployment", "DaemonSet"):
            candidates = templates
        if not wanted or not any(wanted.items() <= labels.items() for labels in candidates):
            yield file, name, f"selector {wanted} matches no pod template"


def autoscalers(documents: Documents) -> Iterator[Fault]:
    """Bounds in order, the target exists, and the target leaves replicas to the autoscaler."""
    known = {(d.get("kind"), at(d, "metadata", "name")): d for _, d in documents}
    # In its standard mode KServe makes this deployment.
    predictors = [at(d, "metadata", "name") for _, _, d in of_kind(documents, "InferenceService")]
    known |= {("Deployment", f"{each}-predictor"): {} for each in predictors}
    for file, name, document in of_kind(documents, "HorizontalPodAutoscaler", "ScaledObject"):
        spec = document.get("spec") or {}
        least, most = (
            spec.get("minReplicas", spec.get("minReplicaCount")),
            spec.get("maxReplicas", spec.get("maxReplicaCount")),
        )
        if (least or 1) > (most or 0):
            yield file, name, "minReplicas is above maxReplicas"
        target = known.get((at(spec, "scaleTargetRef", "kind"), at(spec, "scaleTargetRef", "name")))
        if target is None:
            yield file, name, "scaleTargetRef: no such object"
        elif "replicas" in (target.get("spec") or {}):
            yield file, name, "the target fixes replicas: every apply would undo the autoscaler"


SCALERS: dict[str, tuple[str, ...]] = {
    "prometheus": ("serverAddress", "query", "threshold"), "cpu": ("value",), "memory": ("value",),
    "cron": ("timezone", "start", "end", "desiredReplicas"), "metrics-api": ("url", "valueLocation", "targetValue"),
    "external": ("scalerAddress",),
}  # fmt: skip
"""KEDA's scalers that serve here, and what each needs in its metadata, an open map to the schema."""
NUMBERS = ("threshold", "value", "desiredReplicas", "targetValue")


def triggers(documents: Documents) -> Iterator[Fault]:
    """KEDA's triggers are of known types, with all that they need, numbers where numbers belong."""
    for file, name, document in of_kind(documents, "ScaledObject", "ScaledJob"):
        for trigger in at(document, "spec", "triggers") or []:
            kind, given = str(trigger.get("type")), trigger.get("metadata") or {}
            if kind not in SCALERS:
                yield file, name, f"trigger: got type {kind}, expected one of {', '.join(SCALERS)}"
            for field in SCALERS.get(kind, ()):
                if not given.get(field):
                    yield file, name, f"trigger {kind}: no {field}"
                elif field in NUMBERS and not _positive(str(given[field])):
                    yield file, name, f"trigger {kind}: {field}: got {given[field]}, expected a number above zero"


def _positive(text: str) -> bool:
    try:
        return float(text) > 0.0
    except ValueError:
        return False
