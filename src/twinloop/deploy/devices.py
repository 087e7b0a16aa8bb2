"""One hot device instead of its whole node: DeviceTaintRules of the cluster's version, each of them ours alone.

A rule says what a node's taint says: no new claim below 4 K of headroom, claimants leave below 1 K; better late and
with hysteresis, an end on each, a budget. Kubernetes 1.33 serves them as v1alpha3, 1.36 as v1beta2, 1.37 as v1; the
feature is off by default before that. Rules that others wrote are left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from twinloop.deploy import marks
from twinloop.deploy.cluster import Cluster, ClusterError, Document, Target, is_ours, others, target_of
from twinloop.deploy.hooks import Event
from twinloop.deploy.marks import LEVELS, Budget, Level, Thresholds
from twinloop.deploy.names import label
from twinloop.deploy.services import DEVICE_TAINTS_FROM, device_taint_rule
from twinloop.errors import InputError

EFFECT: dict[Level, str] = {"keep_off": "NoSchedule", "drain": "NoExecute"}
"""Devices know no preference: a device to avoid is free."""
OURS = {"app.kubernetes.io/managed-by": "twinloop"}
VERSIONS = ("resource.k8s.io/v1", "resource.k8s.io/v1beta2", "resource.k8s.io/v1alpha3")
LONGEST = 63


@dataclass(frozen=True)
class DeviceReading:
    """What is foreseen for one device, named as its ResourceSlice names it."""

    driver: str
    pool: str
    device: str
    headroom_c: float
    age_s: float


def taint_devices(
    cluster: Cluster, readings: Iterable[DeviceReading], *, minor: int, now: datetime, limits: Thresholds,
    budget: Budget, lifetime_s: float, dry_run: bool,
) -> tuple[Event, ...]:  # fmt: skip
    """Bring the rules of the devices in ``readings`` to what they foresee; worse ones hottest first, within ``budget``.

    Raises:
        InputError: the cluster's version has no such rules.
    """
    if minor < DEVICE_TAINTS_FROM:
        raise InputError(f"device taints: got Kubernetes 1.{minor}, expected 1.{DEVICE_TAINTS_FROM} or newer")
    told: list[Event] = []
    wished = sorted(readings, key=lambda each: (each.headroom_c, each.pool, each.device))
    live = {each["metadata"]["name"]: each for each in _found(cluster)}
    recent = sum(marks.worsened_within(each, now, budget.window_s) for each in live.values())
    left = max(int(budget.share * len(wished)), 1) - recent
    for reading in wished:
        rule = _rule(reading, minor)
        there = cluster.get(target_of(rule))
        was, level = _levels(there, reading, now, limits)
        worse = LEVELS.index(level) - LEVELS.index(was)
        if there is not None and not is_ours(there):
            told.append(Event(target_of(rule), "refused", "", level, f"belongs to {others(there)}"))
        elif worse > 0 and left <= 0:
            told.append(Event(target_of(rule), "waits", was, level, "the budget of marks is spent"))
        else:
            left -= worse > 0
            told += _bring(cluster, rule, there, (was, level), reading, now, lifetime_s, dry_run=dry_run)
    return tuple(told)


def clear_devices(cluster: Cluster, *, now: datetime, everything: bool, dry_run: bool) -> tuple[Event, ...]:
    """Take away rules of ours that are past their end; with ``everything`` all of ours."""
    return tuple(
        _removed(cluster, each, "cleared", "past its end", dry_run=dry_run)
        for each in _found(cluster) if is_ours(each) and (everything or marks.expired(each, now))
    )  # fmt: skip


def _found(cluster: Cluster) -> list[Document]:
    """Return our rules, in whichever version the cluster serves."""
    return next((rules for version in VERSIONS if (rules := cluster.find(version, "DeviceTaintRule", None, OURS))), [])


def _rule(reading: DeviceReading, minor: int) -> Document:
    name = label(f"twinloop-{reading.pool}-{reading.device}", LONGEST)
    made = device_taint_rule(
        minor, name, reading.pool, reading.device, driver=reading.driver, effect=EFFECT["keep_off"]
    )
    made["metadata"]["labels"] = dict(OURS)
    return made


def _levels(there: Document | None, reading: DeviceReading, now: datetime, limits: Thresholds) -> tuple[Level, Level]:
    """Return (level now, level wished); stale readings move nothing."""
    effect = ((there or {}).get("spec") or {}).get("taint", {}).get("effect")
    was: Level = next((level for level, each in EFFECT.items() if each == effect), "none")
    since = marks.moment(marks.notes_of(there or {}).get(marks.SINCE))
    since_s = float("inf") if since is None else (now - since).total_seconds()
    if reading.age_s > limits.stale_s:
        return was, was
    level = marks.next_level(was, reading.headroom_c, since_s, limits)
    return was, level if level in EFFECT else "none"


def _bring(
    cluster: Cluster, rule: Document, there: Document | None, levels: tuple[Level, Level], reading: DeviceReading,
    now: datetime, lifetime_s: float, *, dry_run: bool,
) -> list[Event]:  # fmt: skip
    was, level = levels
    why = f"headroom {reading.headroom_c:.1f} K"
    if level == "none":
        return [] if there is None else [_removed(cluster, there, "eased", why, dry_run=dry_run)]
    notes = {name: value for name, value in marks.notes_of(there or {}).items() if name in (marks.SINCE, marks.WORSE)}
    if level != was:
        notes[marks.SINCE] = marks.stamp(now)
    if LEVELS.index(level) > LEVELS.index(was):
        notes[marks.WORSE] = marks.stamp(now)
    notes[marks.UNTIL] = marks.stamp(marks.end_of(now, lifetime_s))
    rule["spec"]["taint"]["effect"] = EFFECT[level]
    rule["metadata"]["annotations"] = notes
    if there is not None and level == was and marks.notes_of(there) == notes:
        return []
    try:
        cluster.apply(rule, dry_run=dry_run)
    except ClusterError as error:
        return [Event(target_of(rule), "refused", was, level, error.message)]
    did = "noted" if level == was else "marked" if LEVELS.index(level) > LEVELS.index(was) else "eased"
    return [Event(target_of(rule), did, was, level, why)]


def _removed(cluster: Cluster, live: Document, did: str, why: str, *, dry_run: bool) -> Event:
    meta, target = live["metadata"], target_of(live)
    target = Target(target.api_version, target.kind, target.name)
    try:
        cluster.delete(target, uid=meta["uid"], version=meta["resourceVersion"], dry_run=dry_run)
    except ClusterError as error:
        return Event(target, "refused", "", "none", error.message)
    return Event(target, did, "", "none", why)
