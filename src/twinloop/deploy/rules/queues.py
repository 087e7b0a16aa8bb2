"""Quotas: what runs fits them, and they fit what heat and power carry."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from twinloop.deploy.cooling import LEVELS, ROUNDING
from twinloop.deploy.rules.objects import Fault, name_of
from twinloop.deploy.rules.pods import ENDING
from twinloop.deploy.services import DRIVERS
from twinloop.deploy.walk import (
    FLAVORS,
    Document,
    Documents,
    asked,
    at,
    claimed,
    devices_of,
    flavor_of,
    flavors_in,
    flavors_of,
    held,
    of_kind,
    pods_in,
    quantity,
    unique,
)  # fmt: skip

QUEUED = (*ENDING, "RayCluster")
"""Kinds that end, or stay in a queue until they may start; the others always run."""
PODSET = "kueue.x-k8s.io/podset"


def queue_quotas(documents: Documents) -> Iterator[Fault]:
    """A queue covers what its runs ask for, and each fits the quota of a flavor that its pods' selectors name."""
    flavors = [d for _, _, d in of_kind(documents, "ResourceFlavor")]
    made = {at(each, "metadata", "name"): at(each, "spec", "nodeLabels") or {} for each in flavors}
    quotas: dict[tuple[Any, Any], float] = {}
    for _, _, document in of_kind(documents, "ClusterQueue"):
        for group in at(document, "spec", "resourceGroups") or []:
            for flavor in group.get("flavors") or []:
                for row in flavor.get("resources") or []:
                    quotas[flavor.get("name"), row.get("name")] = quantity(row.get("nominalQuota")) or 0.0
    for file, document in documents if made else ():
        if document.get("kind") not in QUEUED:
            continue
        totals: dict[tuple[Any, str], float] = {}
        for template, pods in held(document, documents):
            wanted = at(template, "spec", "nodeSelector") or {}
            fitting = next((name for name, labels in made.items() if labels.items() <= wanted.items()), None)
            if fitting is None:
                yield file, name_of(document), "no ResourceFlavor matches its node selector"
                continue
            for resource, amount in asked(template).items():
                totals[fitting, resource] = totals.get((fitting, resource), 0.0) + pods * amount
        for (flavor, resource), total in totals.items():
            if (flavor, resource) not in quotas:
                yield file, name_of(document), f"no queue covers {resource} of {flavor}"
            elif total > quotas[flavor, resource] * (1.0 + ROUNDING):
                quota = f"{quotas[flavor, resource]:g}"
                yield file, name_of(document), f"{total:g} {resource} are more than the quota of {flavor}, {quota}"


def topologies(documents: Documents) -> Iterator[Fault]:
    """Levels of a topology are labels that nodes carry; what a run asks to stand near is a level."""
    levels: set[Any] = set()
    carried = {name for _, _, d in of_kind(documents, "Node") for name in at(d, "metadata", "labels") or {}}
    for file, name, document in of_kind(documents, "Topology"):
        found = [each.get("nodeLabel") for each in at(document, "spec", "levels") or []]
        levels |= set(found)
        for level in found:
            if carried and level not in carried and level != LEVELS[-1]:
                yield file, name, f"no node of nodes.csv has the label {level}"
    for file, name, _, template in pods_in(documents):
        for note, level in (at(template, "metadata", "annotations") or {}).items():
            if note.startswith(PODSET) and note.endswith("-topology") and level not in levels:
                yield file, name, f"{note}: no Topology has the level {level}"


def carried_by(flavor: Document) -> float:
    """Return the devices of a flavor that heat and power carry, infinity where the provider decides."""
    limits = [flavor[name] for name in ("thermal_capacity_w", "power_capacity_w") if flavor.get(name) is not None]
    if not limits or flavor["watts_per_device"] <= 0.0:
        return math.inf
    return float(math.floor(min(limits) / flavor["watts_per_device"] * (1.0 + ROUNDING)))


def heat(documents: Documents) -> Iterator[Fault]:
    """No flavor carries more devices than its heat and power allow; what always runs and any run beside it fit them."""
    whole = unique(documents)
    for file, name, document in of_kind(documents, "ConfigMap"):
        text = at(document, "data", FLAVORS)
        if text is not None and flavors_of(str(text)) is None:
            yield file, name, f"{FLAVORS}: expected a list of flavors as they were written"
        for flavor in flavors_in([(file, document)]):
            carried, most = flavor["carried_devices"], carried_by(flavor)
            if carried > most:
                yield file, name, f"{flavor['name']}: {carried} devices, heat and power carry {most}"
            always, runs = 0, {"": 0}
            for _, each in whole:
                count = sum(
                    n * devices_of(t, documents) for t, n in held(each, documents) if flavor_of(t, documents) == flavor
                )
                if each.get("kind") in QUEUED:
                    runs[name_of(each)] = count
                else:
                    always += count
            run, largest = max(runs.items(), key=lambda item: item[1])
            if always + largest > carried:
                yield (file, name, f"{flavor['name']}: {always} devices always run, {largest} in {run}: heat and "
                       f"power carry {carried}")  # fmt: skip
    yield from _queued_heat(documents)


def _queued_heat(documents: Documents) -> Iterator[Fault]:
    """Yield quotas of a queue above what heat and power carry beside what always runs."""
    known = {f["name"]: f for f in flavors_in(documents)}
    for file, name, document in of_kind(documents, "ClusterQueue"):
        for group in at(document, "spec", "resourceGroups") or []:
            for each in group.get("flavors") or []:
                flavor = known.get(each.get("name"))
                for row in each.get("resources") or []:
                    if flavor is None:
                        continue
                    most, given = _most(flavor, str(row.get("name"))), quantity(row.get("nominalQuota")) or 0.0
                    if given > most:
                        yield (file, name, f"{each['name']}: a quota of {given:g} {row.get('name')}, heat and power "
                               f"carry {most:g}")  # fmt: skip


def _most(flavor: Document, resource: str) -> float:
    free = max(flavor["carried_devices"] - flavor["always_on_devices"], 0)
    host: dict[str, float] = {"cpu": flavor["cpu"], "memory": flavor["memory_b"]}
    host[str(flavor["resource"])] = flavor["devices"]
    step = 2**30 if resource == "memory" else 1
    return float(step * math.ceil(host.get(resource, 0) * free / flavor["devices"] / step))


def namespace_quota(documents: Documents) -> Iterator[Fault]:
    """The namespace may hold what always runs and any run beside it, and no more devices than heat and power carry."""
    needed = _needed(documents)
    carried: dict[str, float] = {}
    for flavor in flavors_in(documents):
        for name in (f"requests.{flavor['resource']}", f"{DRIVERS.get(flavor['resource'])}.{CLASSES}"):
            carried[name] = carried.get(name, 0) + flavor["carried_devices"]
    for file, name, document in of_kind(documents, "ResourceQuota"):
        for resource, amount in (at(document, "spec", "hard") or {}).items():
            given = quantity(amount) or 0.0
            if given < needed.get(resource, 0.0):
                yield file, name, f"{resource}: got {given:g}, what runs at once is {needed[resource]:g}"
            if given > carried.get(resource, math.inf):
                yield file, name, f"{resource}: got {given:g}, heat and power carry {carried[resource]}"


CLASSES = "deviceclass.resource.k8s.io/devices"
"""End of the name under which a quota counts claimed devices of a class."""


def _needed(documents: Documents) -> dict[str, float]:
    """Return what always runs and, of each resource, the largest run, by the names of a quota."""
    always: dict[str, float] = {}
    runs: dict[str, float] = {}
    for _, document in unique(documents):
        own: dict[str, float] = {}
        for template, count in held(document, documents):
            amounts = {"pods": 1.0, **{f"requests.{r}": a for r, a in asked(template).items()}}
            amounts |= {f"{name}.{CLASSES}": float(n) for name, n in claimed(template, documents).items()}
            for resource, amount in amounts.items():
                own[resource] = own.get(resource, 0.0) + count * amount
        run = document.get("kind") in QUEUED
        for resource, amount in own.items():
            if run:
                runs[resource] = max(runs.get(resource, 0.0), amount)
            else:
                always[resource] = always.get(resource, 0.0) + amount
    return {name: always.get(name, 0.0) + runs.get(name, 0.0) for name in {*always, *runs}}
