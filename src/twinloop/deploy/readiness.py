"""Has an applied object become what it should? Pure functions of the live object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

Document = dict[str, Any]
State = Literal["ready", "waiting", "failed"]


def readiness(live: Document) -> tuple[State, str]:
    """Return the state of ``live`` and why; kinds without a notion of it are ready."""
    judge = JUDGES.get(live.get("kind", ""))
    meta, status = live.get("metadata") or {}, live.get("status") or {}
    if judge is None:
        return "ready", ""
    seen = status.get("observedGeneration")
    if seen is not None and seen < meta.get("generation", 0):
        return "waiting", "its controller has not seen it yet"
    return judge(live.get("spec") or {}, status)


def condition(status: Document, kind: str) -> Document | None:
    """Return the condition of ``kind``, ``None`` where it is not given."""
    return next((each for each in status.get("conditions") or [] if each.get("type") == kind), None)


def _said(status: Document, kind: str) -> str | None:
    """Return the message of the condition where it is true."""
    found = condition(status, kind)
    if found is None or found.get("status") != "True":
        return None
    return str(found.get("message") or found.get("reason") or kind)


def _deployment(spec: Document, status: Document) -> tuple[State, str]:
    wanted = spec.get("replicas", 1)
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    progress = condition(status, "Progressing")
    if progress is not None and progress.get("reason") == "ProgressDeadlineExceeded":
        return "failed", str(progress.get("message") or "it made no progress in time")
    if updated >= wanted and available >= wanted and status.get("replicas", 0) <= max(updated, wanted):
        return "ready", f"{available} of {wanted} available"
    return "waiting", f"{available} of {wanted} available"


def _daemons(_: Document, status: Document) -> tuple[State, str]:
    wanted, ready = status.get("desiredNumberScheduled"), status.get("numberReady", 0)
    if wanted is None:
        return "waiting", "its controller has not seen it yet"
    done = ready >= wanted and status.get("updatedNumberScheduled", 0) >= wanted
    return "ready" if done else "waiting", f"{ready} of {wanted} hosts ready"


def _job(spec: Document, status: Document) -> tuple[State, str]:
    failed = _said(status, "Failed")
    if failed is not None:
        return "failed", failed
    if _said(status, "Complete") is not None:
        return "ready", "complete"
    if spec.get("suspend"):
        return "ready", "queued"
    if status.get("active"):
        return "ready", f"{status['active']} running"
    return "waiting", "no pod yet"


def _conditions(good: tuple[str, ...], bad: tuple[str, ...]) -> Callable[[Document, Document], tuple[State, str]]:
    def judge(spec: Document, status: Document) -> tuple[State, str]:
        for kind in bad:
            said = _said(status, kind)
            if said is not None:
                return "failed", said
        for kind in good:
            if _said(status, kind) is not None:
                return "ready", kind
        return ("ready", "queued") if spec.get("suspend") else ("waiting", "no condition yet")

    return judge


def _claim(_: Document, status: Document) -> tuple[State, str]:
    # A class that binds at first use keeps a claim pending until its pod is there.
    phase = str(status.get("phase") or "Pending")
    return ("failed", "its volume is lost") if phase == "Lost" else ("ready", phase)


def _budget(_: Document, status: Document) -> tuple[State, str]:
    # Where Kubernetes cannot count the pods there should be, it blocks every eviction and says so here alone.
    found = condition(status, "DisruptionAllowed") or {}
    if found.get("reason") == "SyncFailed":
        return "waiting", str(found.get("message") or "its pods cannot be counted")
    return "ready", ""


def _ray_cluster(spec: Document, status: Document) -> tuple[State, str]:
    state = str(status.get("state") or "")
    if spec.get("suspend"):
        return "ready", "queued"
    return ("failed" if state == "failed" else "ready" if state == "ready" else "waiting"), state or "no state yet"


JUDGES: dict[str, Callable[[Document, Document], tuple[State, str]]] = {
    "Deployment": _deployment,
    "DaemonSet": _daemons,
    "Job": _job,
    "PersistentVolumeClaim": _claim,
    "PodDisruptionBudget": _budget,
    "LeaderWorkerSet": _conditions(("Available",), ()),
    "JobSet": _conditions(("Completed", "StartupPolicyCompleted", "Suspended"), ("Failed",)),
    "TrainJob": _conditions(("Complete", "Suspended"), ("Failed",)),
    "PyTorchJob": _conditions(("Running", "Succeeded", "Suspended"), ("Failed",)),
    "TFJob": _conditions(("Running", "Succeeded", "Suspended"), ("Failed",)),
    "JAXJob": _conditions(("Running", "Succeeded", "Suspended"), ("Failed",)),
    "MPIJob": _conditions(("Running", "Succeeded", "Suspended"), ("Failed",)),
    "InferenceService": _conditions(("Ready",), ()),
    "RayCluster": _ray_cluster,
    "RayService": _conditions(("Ready",), ()),
    "ScaledObject": _conditions(("Ready",), ()),
    "ClusterQueue": _conditions(("Active",), ()),
    "LocalQueue": _conditions(("Active",), ()),
}
"""Judges by kind, on the conditions their controllers set."""
