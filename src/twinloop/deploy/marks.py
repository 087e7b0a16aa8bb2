"""What live operation may write on a cluster: pure functions from what is there and what the plant foresees.

Nothing here talks to a cluster. Each function returns JSON-patch operations (RFC 6902) whose first ones test what
was read, so that a write on a changed object fails with 409 or 422 and is thought over, never blindly repeated.
Every mark carries an end; whoever finds it past that end clears it. What others set is read and left.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from twinloop.deploy.apply import CAP_NOTE
from twinloop.deploy.cluster import Document
from twinloop.deploy.names import key
from twinloop.deploy.quarantine import in_other_hands

Level = Literal["none", "avoid", "keep_off", "drain"]
LEVELS: tuple[Level, ...] = ("none", "avoid", "keep_off", "drain")
EFFECT: dict[Level, str] = {"avoid": "PreferNoSchedule", "keep_off": "NoSchedule", "drain": "NoExecute"}
TAINT = key("derated")
UNTIL, HEADROOM, FORECAST = key("marked-until"), key("thermal-headroom-c"), key("forecast-peak-c")
SINCE, WORSE = key("marked-since"), key("marked-worse")
"""When our mark was last moved, and last moved for the worse."""
CONDITION = "ThermalHeadroomLow"


@dataclass(frozen=True)
class Thresholds:
    """Degrees of headroom at which marks are set, and how much more is needed before they are lifted."""

    avoid_c: float = 8.0
    keep_off_c: float = 4.0
    drain_c: float = 1.0
    hysteresis_c: float = 2.0
    dwell_s: float = 300.0
    """Least time between two steps down; up is never delayed."""
    stale_s: float = 60.0
    """Readings older than this move nothing."""


@dataclass(frozen=True)
class Reading:
    """What is foreseen for one node."""

    node: str
    loop: str
    flavor: str
    headroom_c: float
    forecast_peak_c: float
    age_s: float


def next_level(now: Level, headroom_c: float, since_s: float, limits: Thresholds) -> Level:
    """Return the level that follows: worse at once, better one step at a time, late and with hysteresis.

    >>> t = Thresholds()
    >>> next_level("none", 3.0, 0.0, t), next_level("keep_off", 5.0, 999.0, t), next_level("keep_off", 7.0, 999.0, t)
    ('keep_off', 'keep_off', 'avoid')
    """
    bounds = {"avoid": limits.avoid_c, "keep_off": limits.keep_off_c, "drain": limits.drain_c}
    if not math.isfinite(headroom_c):
        return now
    asked: Level = "none"
    for level in LEVELS[1:]:
        if headroom_c < bounds[level]:
            asked = level
    if LEVELS.index(asked) >= LEVELS.index(now):
        return asked
    if since_s < limits.dwell_s or headroom_c < bounds[now] + limits.hysteresis_c:
        return now
    return LEVELS[LEVELS.index(now) - 1]


def level_of(node: Document) -> Level:
    """Return our mark on ``node``."""
    for taint in (node.get("spec") or {}).get("taints") or []:
        if taint.get("key") == TAINT:
            return next((level for level, effect in EFFECT.items() if effect == taint.get("effect")), "none")
    return "none"


def taint_patch(node: Document, level: Level, until: datetime) -> list[Document]:
    """Return the operations that bring our taint and its end to ``level``; none where all is so already.

    The whole list of taints is tested first: it is atomic, so one that others changed meanwhile makes the patch fail.
    """
    taints = (node.get("spec") or {}).get("taints")
    ours = [] if level == "none" else [{"key": TAINT, "value": "thermal", "effect": EFFECT[level]}]
    others = [each for each in taints or [] if each.get("key") != TAINT]
    now = [{k: each.get(k) for k in ("key", "value", "effect")} for each in taints or [] if each.get("key") == TAINT]
    notes = annotation_patch(node, {UNTIL: None if level == "none" else stamp(until)})
    if now == ours:
        return notes if level != "none" or notes else []
    guard = _guard(node)
    if taints:
        return [*guard, {"op": "test", "path": "/spec/taints", "value": taints},
                {"op": "replace", "path": "/spec/taints", "value": [*others, *ours]}, *_unguarded(notes)]  # fmt: skip
    spec = [] if "spec" in node else [{"op": "add", "path": "/spec", "value": {}}]
    return [*guard, *spec, {"op": "add", "path": "/spec/taints", "value": ours}, *_unguarded(notes)]


def mark_patch(node: Document, level: Level, reading: Reading, until: datetime, now: datetime) -> list[Document]:
    """Return the operations that bring a node's taint to ``level`` and note reading, end and moment, in one write."""
    was = level_of(node)
    notes = {**headroom_notes(reading), UNTIL: stamp(until)}
    if level != was:
        notes[SINCE] = stamp(now)
        if LEVELS.index(level) > LEVELS.index(was):
            notes[WORSE] = stamp(now)
    taint = [each for each in taint_patch(node, level, until) if not each["path"].endswith(_escaped(UNTIL))]
    moved = any(each["path"].startswith("/spec") for each in taint)
    return _joined(taint if moved else [], annotation_patch(node, notes))


def unmark_patch(node: Document, now: datetime) -> list[Document]:
    """Return the operations that take all our marks off a node; its last moment stays, for the budget."""
    gone: dict[str, str | None] = dict.fromkeys((UNTIL, HEADROOM, FORECAST))
    moved = {SINCE: stamp(now)} if level_of(node) != "none" else {}
    return _joined(taint_patch(node, "none", now), annotation_patch(node, {**gone, **moved}))


def _joined(first: list[Document], second: list[Document]) -> list[Document]:
    """Return two patches of one object as one: tested once, nothing added or removed twice."""
    made: list[Document] = []
    for each in (*first, *second):
        if each not in made:
            made.append(each)
    return made


def worsened_within(node: Document, now: datetime, window_s: float) -> bool:
    """Whether our mark on ``node`` was moved for the worse within the window."""
    at = moment(notes_of(node).get(WORSE))
    return at is not None and (now - at).total_seconds() < window_s


def notes_of(live: Document) -> dict[str, str]:
    """Return the annotations of ``live``."""
    return (live.get("metadata") or {}).get("annotations") or {}


def moment(text: str | None) -> datetime | None:
    """Return the moment of a stamp, ``None`` where it is none."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def annotation_patch(live: Document, wanted: dict[str, str | None]) -> list[Document]:
    """Return the operations that set annotations (``None`` removes); none where all is so already."""
    there = (live.get("metadata") or {}).get("annotations")
    made: list[Document] = []
    for name, value in sorted(wanted.items()):
        path = f"/metadata/annotations/{_escaped(name)}"
        if value is None and name in (there or {}):
            made.append({"op": "remove", "path": path})
        elif value is not None and (there or {}).get(name) != value:
            made.append({"op": "add", "path": path, "value": value})
    if not made:
        return []
    parent = [] if there is not None else [{"op": "add", "path": "/metadata/annotations", "value": {}}]
    return [*_guard(live), *parent, *made]


def label_patch(node: Document, wanted: dict[str, str]) -> list[Document]:
    """Return the operations that set labels of ours; none where all is so already. Others' labels stay."""
    there = (node.get("metadata") or {}).get("labels")
    made: list[Document] = [
        {"op": "add", "path": f"/metadata/labels/{_escaped(name)}", "value": value}
        for name, value in sorted(wanted.items()) if (there or {}).get(name) != value
    ]  # fmt: skip
    if not made:
        return []
    parent = [] if there is not None else [{"op": "add", "path": "/metadata/labels", "value": {}}]
    return [*_guard(node), *parent, *made]


def condition_patch(node: Document, *, low: bool, message: str, now: datetime) -> list[Document]:
    """Return the operations on the status door that set our condition; its time moves only when its status does."""
    status = "True" if low else "False"
    conditions = (node.get("status") or {}).get("conditions")
    made = {
        "type": CONDITION, "status": status, "reason": "PlantForecast", "message": message,
        "lastHeartbeatTime": stamp(now), "lastTransitionTime": stamp(now),
    }  # fmt: skip
    for index, each in enumerate(conditions or []):
        if each.get("type") == CONDITION:
            if each.get("status") == status:
                made["lastTransitionTime"] = each.get("lastTransitionTime", stamp(now))
            at = f"/status/conditions/{index}"
            return [{"op": "test", "path": f"{at}/type", "value": CONDITION},
                    {"op": "replace", "path": at, "value": made}]  # fmt: skip
    if conditions:
        return [*_guard(node), {"op": "add", "path": "/status/conditions/-", "value": made}]
    parent = [] if "status" in node else [{"op": "add", "path": "/status", "value": {}}]
    return [*_guard(node), *parent, {"op": "add", "path": "/status/conditions", "value": [made]}]


def low_condition(node: Document) -> bool:
    """Whether our condition on ``node`` says that headroom is low."""
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(each.get("type") == CONDITION and each.get("status") == "True" for each in conditions)


SIZE_PATHS = {
    "HorizontalPodAutoscaler": ("spec", "maxReplicas"), "ScaledObject": ("spec", "maxReplicaCount"),
}  # fmt: skip
FULL_NOTE = key("uncapped")
"""What stood there before the first cap, to be put back."""


def cap_patch(live: Document, most: int, until: datetime) -> list[Document]:
    """Return the operations that cap an autoscaler at ``most``, never below its least, and note until when."""
    field = SIZE_PATHS[live["kind"]][1]
    spec = live["spec"]
    notes = (live.get("metadata") or {}).get("annotations") or {}
    full = int(notes.get(FULL_NOTE, spec[field]))
    least = int(spec.get("minReplicas", spec.get("minReplicaCount", 1)) or 1)
    capped = max(min(most, full), least)
    marks = annotation_patch(live, {FULL_NOTE: str(full), CAP_NOTE: stamp(until)})
    size = [] if spec[field] == capped else [
        {"op": "test", "path": f"/spec/{field}", "value": spec[field]},
        {"op": "replace", "path": f"/spec/{field}", "value": capped},
    ]  # fmt: skip
    return [*_guard(live), *size, *_unguarded(marks)] if size or marks else []


def uncap_patch(live: Document) -> list[Document]:
    """Return the operations that take our cap away; none where there is none."""
    notes = (live.get("metadata") or {}).get("annotations") or {}
    if FULL_NOTE not in notes:
        return []
    field = SIZE_PATHS[live["kind"]][1]
    marks = annotation_patch(live, {FULL_NOTE: None, CAP_NOTE: None})
    return [*_guard(live), {"op": "replace", "path": f"/spec/{field}", "value": int(notes[FULL_NOTE])},
            *_unguarded(marks)]  # fmt: skip


def quota_patch(queue: Document, flavor: str, resource: str, most: int, until: datetime) -> list[Document]:
    """Return the operations that cap one nominal quota of a ClusterQueue at ``most``, and note until when."""
    for name, path, row in _quotas(queue):
        if name != f"{flavor}/{resource}":
            continue
        full = _full_quotas(queue) | ({} if name in _full_quotas(queue) else {name: str(row["nominalQuota"])})
        marks = annotation_patch(queue, {FULL_NOTE: json.dumps(full, sort_keys=True), CAP_NOTE: stamp(until)})
        size = [] if str(row["nominalQuota"]) == str(most) else _quota_change(path, row, str(most))
        return [*_guard(queue), *size, *_unguarded(marks)] if size or marks else []
    return []


def unquota_patch(queue: Document) -> list[Document]:
    """Return the operations that put back every quota that we capped; none where we capped none."""
    full = _full_quotas(queue)
    if not full:
        return []
    size = [op for name, path, row in _quotas(queue) if name in full for op in _quota_change(path, row, full[name])]
    return [*_guard(queue), *size, *_unguarded(annotation_patch(queue, {FULL_NOTE: None, CAP_NOTE: None}))]


def _quotas(queue: Document) -> Iterator[tuple[str, str, Document]]:
    for g, group in enumerate(queue["spec"].get("resourceGroups") or []):
        for f, each in enumerate(group.get("flavors") or []):
            for r, row in enumerate(each.get("resources") or []):
                path = f"/spec/resourceGroups/{g}/flavors/{f}/resources/{r}"
                yield f"{each.get('name')}/{row.get('name')}", path, row


def _quota_change(path: str, row: Document, value: str) -> list[Document]:
    return [{"op": "test", "path": path, "value": row},
            {"op": "replace", "path": f"{path}/nominalQuota", "value": value}]  # fmt: skip


def _full_quotas(queue: Document) -> dict[str, str]:
    text = ((queue.get("metadata") or {}).get("annotations") or {}).get(FULL_NOTE)
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def suspend_patch(job: Document, *, suspended: bool) -> list[Document]:
    """Return the operations that suspend or resume a job of any kind; size is never edited in place.

    A queue's Workload is suspended by being inactive: its queue then evicts the job and holds it.
    """
    if job.get("kind") == "Workload":
        if bool((job.get("spec") or {}).get("active", True)) == (not suspended):
            return []
        return [*_guard(job), {"op": "add", "path": "/spec/active", "value": not suspended}]
    now = (job.get("spec") or {}).get("suspend", False)
    if bool(now) == suspended:
        return []
    return [*_guard(job), {"op": "add", "path": "/spec/suspend", "value": suspended}]


@dataclass(frozen=True)
class Budget:
    """How much may be marked: a share of all nodes in a window, and never the last free node of a flavor."""

    share: float = 0.1
    window_s: float = 600.0


def within_budget(
    wishes: Iterable[tuple[Reading, Level, Level]], recent: int, nodes: dict[str, tuple[int, int]], budget: Budget
) -> list[tuple[Reading, Level]]:
    """Return the wishes (reading, level now, level wished) that may be granted, the hottest first.

    ``recent``: marks made worse within the window. ``nodes``: flavor -> (all nodes, those without a mark).
    Relief is always granted; of worsening only so many as the share leaves, at least one a window.
    """
    total = sum(count for count, _ in nodes.values())
    left = max(int(budget.share * total), 1) - recent
    free = {flavor: unmarked for flavor, (_, unmarked) in nodes.items()}
    granted = []
    for reading, now, wish in sorted(wishes, key=lambda each: (each[0].headroom_c, each[0].node)):
        if LEVELS.index(wish) <= LEVELS.index(now):
            granted.append((reading, wish))
            continue
        takes = now in ("none", "avoid") and wish in ("keep_off", "drain")
        if left <= 0 or (takes and free.get(reading.flavor, 0) <= 1):
            continue
        left -= 1
        free[reading.flavor] = free.get(reading.flavor, 0) - takes
        granted.append((reading, wish))
    return granted


def wished(node: Document, reading: Reading, since_s: float, limits: Thresholds) -> Level:
    """Return the level wished for ``node``: as it is while its readings are stale or others have it in hand."""
    now = level_of(node)
    if reading.age_s > limits.stale_s or in_other_hands(node) is not None:
        return now
    return next_level(now, reading.headroom_c, since_s, limits)


def expired(live: Document, now: datetime) -> bool:
    """Whether a mark or cap of ours on ``live`` has passed its end."""
    notes = (live.get("metadata") or {}).get("annotations") or {}
    for name in (UNTIL, CAP_NOTE):
        if name in notes:
            try:
                if datetime.fromisoformat(notes[name]) <= now:
                    return True
            except (ValueError, TypeError):
                return True
    return False


def end_of(now: datetime, lifetime_s: float) -> datetime:
    """Return when a mark made now ends, to the whole minute above: repeated marks do not write every second."""
    return (now + timedelta(seconds=lifetime_s + 59.0)).replace(second=0, microsecond=0)


def headroom_notes(reading: Reading) -> dict[str, str | None]:
    """Return the annotations of a reading, rounded to whole kelvins: small movements write nothing."""
    return {HEADROOM: f"{math.floor(reading.headroom_c)}", FORECAST: f"{math.ceil(reading.forecast_peak_c)}"}


def stamp(moment: datetime) -> str:
    """Return ``moment`` as annotations carry it."""
    return moment.isoformat(timespec="seconds")


def _guard(live: Document) -> list[Document]:
    version = (live.get("metadata") or {}).get("resourceVersion")
    return [] if version is None else [{"op": "test", "path": "/metadata/resourceVersion", "value": version}]


def _unguarded(operations: list[Document]) -> list[Document]:
    return [each for each in operations if each["path"] != "/metadata/resourceVersion"]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
