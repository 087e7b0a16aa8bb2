"""What live operation does to a cluster: marks on nodes, caps on sizes, suspended jobs; each with an end.

Nothing is remembered here: what was done and when stands on the objects themselves, so that a run that was cut off
is taken up by the next one. Every write tests what was read; where it fails, the object is looked at again and
thought over. Each write, and each that was let be, is told as an event for the audit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from twinloop.deploy import marks
from twinloop.deploy.cluster import Cluster, ClusterError, Document, Target, target_of
from twinloop.deploy.marks import LEVELS, Budget, Level, Reading, Thresholds
from twinloop.deploy.names import key
from twinloop.deploy.quarantine import in_other_hands
from twinloop.deploy.workloads import QUEUE_LABEL

TRIES = 3
LOOK_AGAIN = (0, 409, 422, 429, 500, 502, 503, 504)
"""Answers after which the object is read and judged anew."""
CAPPED = (
    ("autoscaling/v2", "HorizontalPodAutoscaler", True), ("keda.sh/v1alpha1", "ScaledObject", True),
    ("kueue.x-k8s.io/v1beta2", "ClusterQueue", False),
)  # fmt: skip
"""Kinds whose size may be capped: version, kind, whether in a namespace."""
DONE = ("written", "so already")
WORKLOADS = ("kueue.x-k8s.io/v1beta2", "Workload")


@dataclass(frozen=True)
class Event:
    """One line of the audit."""

    target: Target
    did: str
    before: str
    after: str
    why: str


Judge = Callable[[Document], list[Document]]


def mark(
    cluster: Cluster, readings: Iterable[Reading], *, now: datetime, limits: Thresholds, budget: Budget,
    lifetime_s: float, dry_run: bool,
) -> tuple[Event, ...]:  # fmt: skip
    """Bring taints, annotations and conditions of nodes to what ``readings`` foresee, within ``budget``."""
    nodes = {str(each["metadata"]["name"]): each for each in cluster.find("v1", "Node", None, {})}
    told: list[Event] = []
    wishes = []
    for reading in readings:
        node = nodes.get(reading.node)
        if node is None:
            told.append(Event(_node(reading.node), "refused", "", "", "the cluster has no such node"))
            continue
        placed = replace(reading, flavor=flavor_of(node), loop=_labels(node).get(key("cooling-loop"), ""))
        wishes.append((placed, marks.level_of(node), marks.wished(node, placed, _since_s(node, now), limits)))
    recent = sum(1 for each in nodes.values() if marks.worsened_within(each, now, budget.window_s))
    granted = marks.within_budget(wishes, recent, _free(nodes.values()), budget)
    allowed = {reading.node for reading, _ in granted}
    told += [
        Event(_node(r.node), "waits", was, wish, "the budget of marks is spent")
        for r, was, wish in wishes if r.node not in allowed
    ]  # fmt: skip
    for reading, level in granted:
        told += _bring(cluster, reading, level, now, limits, lifetime_s, dry_run)
    return tuple(told)


def _bring(
    cluster: Cluster, reading: Reading, level: Level, now: datetime, limits: Thresholds, lifetime_s: float,
    dry_run: bool,  # noqa: FBT001 - handed on
) -> list[Event]:  # fmt: skip
    """Return the events of one node: its taint with its notes, then its condition."""
    target, until = _node(reading.node), marks.end_of(now, lifetime_s)
    was: list[Level] = []

    def judged(node: Document) -> Level:
        """Return the level granted, unless others took the node in hand or moved our mark since."""
        there = marks.level_of(node)
        was.append(there)
        return level if marks.wished(node, reading, _since_s(node, now), limits) == level else there

    def taint(node: Document) -> list[Document]:
        if reading.age_s > limits.stale_s or in_other_hands(node) is not None:
            judged(node)
            return []
        return marks.mark_patch(node, judged(node), reading, until, now)

    why = f"headroom {reading.headroom_c:.1f} K, forecast {reading.forecast_peak_c:.1f} °C"
    done = _written(cluster, target, taint, dry_run=dry_run)
    before = was[0] if was else "none"
    if done not in DONE:
        return [Event(target, "refused", before, level, done)]
    step = LEVELS.index(level) - LEVELS.index(before)
    did = "marked" if step > 0 else "eased" if step < 0 else "noted"
    events = [Event(target, did, before, level, why)] if done == "written" else []

    def condition(node: Document) -> list[Document]:
        """Follow the taint that stands there: a run that was cut off between the two is mended by the next."""
        low = marks.level_of(node) != "none"
        if step == 0 and marks.low_condition(node) == low:
            return []
        return marks.condition_patch(node, low=low, message=f"{marks.level_of(node)}: {why}", now=now)

    if dry_run or (step == 0 and not events and in_other_hands(cluster.get(target) or {})):
        return events
    done = _written(cluster, target, condition, subresource="status", dry_run=dry_run)
    return events if done in DONE else [*events, Event(target, "refused", "", "condition", done)]


def label(cluster: Cluster, wanted: dict[str, dict[str, str]], *, dry_run: bool) -> tuple[Event, ...]:
    """Say on each node where it stands: hall, cooling loop, rack, accelerator, cooling; ``wanted``: node -> labels."""
    told = []
    for name, labels in wanted.items():
        judge: Judge = lambda live, labels=labels: marks.label_patch(live, labels)  # type: ignore[misc]  # noqa: E731
        after = ", ".join(f"{k.partition('/')[2]}={v}" for k, v in sorted(labels.items()))
        told.append(_told(cluster, _node(name), judge, "labelled", after, dry_run=dry_run))
    return tuple(told)


def cap(cluster: Cluster, target: Target, most: int, until: datetime, *, dry_run: bool) -> Event:
    """Cap an autoscaler at ``most`` replicas until then."""
    return _told(cluster, target, lambda live: marks.cap_patch(live, most, until), "capped", str(most), dry_run=dry_run)


def cap_quota(
    cluster: Cluster, target: Target, flavor: str, resource: str, most: int, until: datetime, *, dry_run: bool
) -> Event:
    """Cap one quota of a ClusterQueue at ``most`` until then."""
    judge: Judge = lambda live: marks.quota_patch(live, flavor, resource, most, until)  # noqa: E731
    return _told(cluster, target, judge, "capped", f"{flavor}/{resource} {most}", dry_run=dry_run)


def suspend(cluster: Cluster, target: Target, *, suspended: bool, dry_run: bool) -> tuple[Event, ...]:
    """Suspend or resume a job; one that a queue admitted by its Workload, since the queue owns ``suspend``."""
    live = cluster.get(target)
    targets = [target]
    if live is not None and QUEUE_LABEL in _labels(live):
        owned = (each for each in cluster.find(*WORKLOADS, target.namespace, {}) if _owns(live, each))
        targets = [target_of(each) for each in owned] or targets
    did = "suspended" if suspended else "resumed"
    judge: Judge = lambda each: marks.suspend_patch(each, suspended=suspended)  # noqa: E731
    return tuple(_told(cluster, each, judge, did, str(suspended).lower(), dry_run=dry_run) for each in targets)


def clear(
    cluster: Cluster, namespace: str, labels: dict[str, str], *, now: datetime, everything: bool, dry_run: bool
) -> tuple[Event, ...]:
    """Take away marks and caps that are past their end; with ``everything`` all of ours, as at a stop."""
    told = []
    for node in cluster.find("v1", "Node", None, {}):
        if not (marks.expired(node, now) or (everything and marks.UNTIL in marks.notes_of(node))):
            continue
        target = target_of(node)
        told.append(_told(cluster, target, lambda live: marks.unmark_patch(live, now), "cleared", "none",
                          dry_run=dry_run))  # fmt: skip
        _written(cluster, target, lambda live: marks.condition_patch(live, low=False, message="no mark", now=now),
                 subresource="status", dry_run=dry_run)  # fmt: skip
    for version, kind, inside in CAPPED:
        for live in cluster.find(version, kind, namespace if inside else None, labels):
            if marks.expired(live, now) or (everything and marks.FULL_NOTE in marks.notes_of(live)):
                put_back = marks.unquota_patch if kind == "ClusterQueue" else marks.uncap_patch
                told.append(_told(cluster, target_of(live), put_back, "uncapped", "", dry_run=dry_run))
    return tuple(told)


def access(name: str) -> list[Document]:
    """Return the role that all of this needs, for an administrator to apply and bind."""
    rows = (
        ("", ["nodes"], ["get", "list", "patch"]), ("", ["nodes/status"], ["patch"]),
        ("autoscaling", ["horizontalpodautoscalers"], ["get", "list", "patch"]),
        ("keda.sh", ["scaledobjects"], ["get", "list", "patch"]),
        ("kueue.x-k8s.io", ["clusterqueues", "workloads"], ["get", "list", "patch"]),
        ("batch", ["jobs"], ["get", "patch"]),
        ("resource.k8s.io", ["devicetaintrules"], ["create", "delete", "get", "list", "patch"]),
    )  # fmt: skip
    rules = [{"apiGroups": [group], "resources": resources, "verbs": verbs} for group, resources, verbs in rows]
    meta = {"name": name, "labels": {"app.kubernetes.io/managed-by": "twinloop"}}
    return [{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules}]


def flavor_of(node: Document) -> str:
    """Return the flavor of a node by its labels: its accelerator on its cooling."""
    found = _labels(node)
    return f"{found.get(key('accelerator'), '')}-{found.get(key('cooling'), '')}"


def _free(nodes: Iterable[Document]) -> dict[str, tuple[int, int]]:
    """Return flavor -> (all nodes, those that take work)."""
    made: dict[str, tuple[int, int]] = {}
    for node in nodes:
        all_, free = made.get(flavor_of(node), (0, 0))
        takes = marks.level_of(node) in ("none", "avoid") and in_other_hands(node) is None
        made[flavor_of(node)] = (all_ + 1, free + takes)
    return made


def _since_s(node: Document, now: datetime) -> float:
    at = marks.moment(marks.notes_of(node).get(marks.SINCE))
    return float("inf") if at is None else (now - at).total_seconds()


def _told(cluster: Cluster, target: Target, judge: Judge, did: str, after: str, *, dry_run: bool) -> Event:
    done = _written(cluster, target, judge, dry_run=dry_run)
    if done == "written":
        return Event(target, did, "", after, "")
    return Event(target, "unchanged" if done == "so already" else "refused", "", after, done)


def _written(cluster: Cluster, target: Target, judge: Judge, *, subresource: str = "", dry_run: bool) -> str:
    """Return ``written``, ``so already``, or why not. After an unclear answer the object is judged anew."""
    said = ""
    for _ in range(TRIES):
        try:
            live = cluster.get(target)
            if live is None:
                return "it is gone"
            operations = judge(live)
            if not operations:
                return "so already" if not said else "written"
            cluster.patch(target, operations, subresource=subresource, dry_run=dry_run)
        except ClusterError as error:
            said = error.message
            if error.status not in LOOK_AGAIN:
                break
        else:
            return "written"
    return said


def _owns(job: Document, workload: Document) -> bool:
    uid = job["metadata"].get("uid")
    return any(each.get("uid") == uid for each in workload["metadata"].get("ownerReferences") or [])


def _labels(live: Document) -> dict[str, str]:
    return (live.get("metadata") or {}).get("labels") or {}


def _node(name: str) -> Target:
    return Target("v1", "Node", name)
