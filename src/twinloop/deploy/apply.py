"""Bring a site's documents into a cluster: look, rehearse, write, prune, wait.

Nothing is written before everything was rehearsed. Fields that others own are never forced; objects that others
made are left alone; what is removed was applied by us, bears our labels and is in no plan any more. Each step may
be cut off at any point: the next run starts from what is there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from twinloop.deploy.access import CLUSTER_WIDE, KEPT
from twinloop.deploy.bundle import Bundle, order
from twinloop.deploy.cluster import LIVE_MANAGER, Cluster, ClusterError, Document, Target, is_ours, others, target_of
from twinloop.deploy.names import key
from twinloop.deploy.readiness import readiness

Did = Literal["created", "changed", "unchanged", "pruned", "kept", "held", "foreign", "refused"]
KINDS_NOTE = key("kinds")
"""On the plan's ConfigMap: every kind we may have left objects of; pruning looks there."""
CAP_NOTE = key("capped-until")
"""On an object whose size live operation holds: until when. We leave it as it is until then."""
SCHEDULERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Job", "JobSet", "TrainJob", "RayJob", "RayCluster"), ("spec", "suspend")),
    **dict.fromkeys(("PyTorchJob", "TFJob", "JAXJob", "MPIJob"), ("spec", "runPolicy", "suspend")),
}
"""Fields that belong to a queue once the object exists: we send what is there."""
POLL_S = 2.0


@dataclass(frozen=True)
class Action:
    """What was done (or would be) with one object."""

    target: Target
    did: Did
    detail: str = ""
    state: str = ""
    """``ready``, ``waiting`` or ``failed`` after waiting; empty where nobody waited."""


@dataclass(frozen=True)
class Report:
    """All of it."""

    actions: tuple[Action, ...]
    dry_run: bool

    @property
    def failed(self) -> bool:
        """Whether anything was refused, belongs to others, or did not come up."""
        return any(a.did in ("refused", "foreign") or a.state in ("waiting", "failed") for a in self.actions)

    def counts(self) -> dict[str, int]:
        """Return how many objects met each fate."""
        made: dict[str, int] = {}
        for action in self.actions:
            made[action.did] = made.get(action.did, 0) + 1
        return made


def apply_bundle(
    bundle: Bundle, cluster: Cluster, *, dry_run: bool, now: datetime, wait_s: float = 0.0,
    access: bool = False, clock: Callable[[], float] = lambda: 0.0, sleep: Callable[[float], None] = lambda _: None,
) -> Report:  # fmt: skip
    """Apply ``bundle``; with ``dry_run`` say what would happen and write nothing.

    ``access``: the administrator's documents too. ``wait_s``: how long to wait for what has a state, 0 not at all.
    """
    documents = (*bundle.access, *bundle.documents) if access else bundle.documents
    live, reading = _survey(documents, cluster)
    wanted, early = _wanted(documents, live, now)
    known = _kinds(bundle.documents, live)
    rehearsed = [*early, *_rehearse(wanted, live, cluster, {str(t) for t in reading})]
    # The administrator's objects stay, whoever applies today.
    planned = {target_of(each) for each in (*bundle.access, *bundle.documents)}
    doomed, troubles = _doomed(bundle, known, planned, cluster)
    stop = [*reading.values(), *(a for a in rehearsed if a.did in ("refused", "foreign")), *troubles]
    if stop or dry_run:
        told = [a for a in rehearsed if a not in stop]
        removals = [Action(target_of(each), *_fate(each, now)) for each in doomed]
        return Report((*told, *stop, *removals), dry_run=True)
    actions = list(early)
    for document in _with_kinds(wanted, known):
        actions.append(_write(document, live.get(target_of(document)), cluster))
        if actions[-1].did == "refused":
            return Report(tuple(actions), dry_run=False)
    actions += [_prune(each, cluster, now) for each in doomed]
    if not any(action.did == "refused" for action in actions):
        # Only now is it safe to forget the kinds that are gone.
        _write_kinds(wanted, _pairs(bundle.documents, kept=doomed, now=now), cluster)
    return Report(tuple(_wait(actions, cluster, wait_s, clock, sleep)), dry_run=False)


def _survey(documents: tuple[Document, ...], cluster: Cluster) -> tuple[dict[Target, Document], dict[Target, Action]]:
    """Return what is there, and what could not be looked at."""
    live: dict[Target, Document] = {}
    failed: dict[Target, Action] = {}
    for document in documents:
        target = target_of(document)
        try:
            found = cluster.get(target)
        except ClusterError as error:
            failed[target] = Action(target, "refused", str(error))
            continue
        if found is not None:
            live[target] = found
    return live, failed


def _wanted(
    documents: tuple[Document, ...], live: dict[Target, Document], now: datetime
) -> tuple[list[Document], list[Action]]:
    """Return the documents to send, and what is decided without sending."""
    send, done = [], []
    for document in documents:
        target = target_of(document)
        there = live.get(target)
        if there is not None and not is_ours(there):
            if target.kind == "Namespace":
                done.append(Action(target, "kept", f"belongs to {others(there)}: its labels are not ours to set"))
            else:
                done.append(Action(target, "foreign", f"belongs to {others(there)}: rename it or remove theirs"))
        elif there is not None and (until := held_until(there, now)):
            done.append(Action(target, "held", f"live operation holds its size until {until}"))
        else:
            send.append(_handed_over(document, there))
    return send, done


def held_until(live: Document, now: datetime) -> str | None:
    """Return until when live operation holds ``live``; ``None`` where it does not (any more)."""
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(CAP_NOTE)
    try:
        return text if text and datetime.fromisoformat(text) > now else None
    except (ValueError, TypeError):
        return None


def _handed_over(document: Document, live: Document | None) -> Document:
    *above, name = SCHEDULERS.get(document["kind"], ("",))
    made = copy.deepcopy(document)
    ours, theirs = made, live or {}
    for each in above:
        ours, theirs = ours.get(each) or {}, theirs.get(each) or {}
    if live is None or name not in ours:
        return document
    ours[name] = bool(theirs.get(name, False))
    return made


def _pairs(documents: tuple[Document, ...], kept: list[Document], now: datetime) -> set[str]:
    held = [each for each in kept if _fate(each, now)[0] != "pruned"]
    return {f"{each['apiVersion']} {each['kind']}" for each in (*documents, *held)}


def _kinds(documents: tuple[Document, ...], live: dict[Target, Document]) -> set[str]:
    """Return ``version kind`` of all that we apply or may have applied before."""
    found = {f"{each['apiVersion']} {each['kind']}" for each in documents}
    for document in documents:
        there = live.get(target_of(document)) if _is_plan(document) else None
        notes = ((there or {}).get("metadata") or {}).get("annotations") or {}
        found |= {line for line in str(notes.get(KINDS_NOTE, "")).split(", ") if line.count(" ") == 1}
    return found


def _is_plan(document: Document) -> bool:
    return document["kind"] == "ConfigMap" and "plan-hash" in (document.get("data") or {})


def _with_kinds(documents: list[Document], kinds: set[str]) -> Iterator[Document]:
    for document in documents:
        if not _is_plan(document):
            yield document
            continue
        made = copy.deepcopy(document)
        made["metadata"].setdefault("annotations", {})[KINDS_NOTE] = ", ".join(sorted(kinds))
        yield made


def _write_kinds(documents: list[Document], kinds: set[str], cluster: Cluster) -> None:
    for document in _with_kinds([each for each in documents if _is_plan(each)], kinds):
        cluster.apply(document, dry_run=False)


def _rehearse(
    documents: list[Document], live: dict[Target, Document], cluster: Cluster, unread: set[str]
) -> Iterator[Action]:
    new_spaces = {d["metadata"]["name"] for d in documents if d["kind"] == "Namespace" and target_of(d) not in live}
    for document in documents:
        target = target_of(document)
        if str(target) in unread:
            continue
        there = live.get(target)
        try:
            after = _sent(document, there, cluster, dry_run=True)
        except ClusterError as error:
            if error.status == 404 and target.namespace in new_spaces:
                yield Action(target, "created", "not rehearsed: its namespace is new")
            else:
                yield Action(target, "refused", _explained(error, target))
            continue
        if there is None:
            yield Action(target, "created")
        else:
            yield Action(target, "unchanged" if _content(after) == _content(there) else "changed")


def _sent(document: Document, there: Document | None, cluster: Cluster, *, dry_run: bool) -> Document:
    """Apply ``document``; fields that only our own live operation still holds, its cap being over, are taken back."""
    try:
        return cluster.apply(document, dry_run=dry_run)
    except ClusterError as error:
        ours = f'conflict with "{LIVE_MANAGER}"'
        if error.status != 409 or there is None or not error.causes or not all(ours in c for c in error.causes):
            raise
        exact = {**document["metadata"], "resourceVersion": there["metadata"]["resourceVersion"]}
        return cluster.apply({**document, "metadata": exact}, dry_run=dry_run, force=True)


def _explained(error: ClusterError, target: Target) -> str:
    if error.status == 404 and target.namespace and "namespaces" in error.message:
        return f"{error}\n  an administrator applies access.yaml first (or say --with-access)"
    if error.status == 409:
        return f"{error}\n  others own these fields: leave them out, or have their owner let go"
    return str(error)


def _content(document: Document) -> Document:
    """Return what a person means by the object: no bookkeeping, no status; our own note of kinds apart."""
    made = {name: value for name, value in document.items() if name not in ("status", "metadata")}
    meta = document.get("metadata") or {}
    notes = {k: v for k, v in (meta.get("annotations") or {}).items() if k != KINDS_NOTE}
    return made | {"labels": meta.get("labels") or {}, "annotations": notes}


def _write(document: Document, before: Document | None, cluster: Cluster) -> Action:
    target = target_of(document)
    try:
        after = _sent(document, before, cluster, dry_run=False)
    except ClusterError as error:
        if error.status != 409:
            return Action(target, "refused", _explained(error, target))
        try:
            # Somebody (a queue, an autoscaler) moved between looking and writing: look again, once.
            before = cluster.get(target)
            after = _sent(_handed_over(document, before), before, cluster, dry_run=False)
        except ClusterError as again:
            return Action(target, "refused", _explained(again, target))
    if before is None:
        return Action(target, "created")
    same = after["metadata"].get("resourceVersion") == before["metadata"].get("resourceVersion")
    return Action(target, "unchanged" if same or _content(after) == _content(before) else "changed")


def _doomed(
    bundle: Bundle, kinds: set[str], wanted: set[Target], cluster: Cluster
) -> tuple[list[Document], list[Action]]:
    """Return what is ours and in no plan any more, last applied first."""
    labels = {"app.kubernetes.io/part-of": bundle.part_of, key("site"): bundle.site}
    found, troubles = [], []
    for pair in sorted(kinds):
        version, kind = pair.split(" ")
        if kind in KEPT:
            continue
        space = None if kind in CLUSTER_WIDE else bundle.namespace
        try:
            candidates = cluster.find(version, kind, space, labels)
        except ClusterError as error:
            troubles.append(Action(Target(version, kind, "*", space), "refused", str(error)))
            continue
        found += [
            each for each in candidates
            if is_ours(each) and target_of(each) not in wanted and not each["metadata"].get("ownerReferences")
            and not each["metadata"].get("deletionTimestamp")
        ]  # fmt: skip
    return sorted(found, key=lambda each: (-order(each), str(target_of(each)))), troubles


def _fate(live: Document, now: datetime) -> tuple[Did, str]:
    until = held_until(live, now)
    return ("held", f"live operation holds its size until {until}") if until else ("pruned", "in no plan any more")


def _prune(live: Document, cluster: Cluster, now: datetime) -> Action:
    target, (did, detail) = target_of(live), _fate(live, now)
    if did == "pruned":
        meta = live["metadata"]
        try:
            cluster.delete(target, uid=meta["uid"], version=meta["resourceVersion"], dry_run=False)
        except ClusterError as error:
            if error.status == 409:
                return Action(target, "kept", "it changed meanwhile: run again")
            return Action(target, "refused", str(error))
    return Action(target, did, detail)


def _wait(
    actions: list[Action], cluster: Cluster, wait_s: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> list[Action]:
    """Return the actions with the state of each applied object, polled until all stand or time is up."""
    if wait_s <= 0.0:
        return actions
    end = clock() + wait_s
    done = list(actions)
    pending = [i for i, a in enumerate(done) if a.did in ("created", "changed", "unchanged")]
    while pending:
        left = []
        for i in pending:
            live = cluster.get(done[i].target)
            state, why = ("failed", "it is gone") if live is None else readiness(live)
            done[i] = replace(done[i], state=state, detail=why)
            left += [i] if state == "waiting" else []
        pending = left
        if pending and clock() >= end:
            break
        if pending:
            sleep(POLL_S)
    return done
