"""Rules that schemas miss: each is one small function from all documents of a site to faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twinloop.deploy.rules.objects import Fault, homes, images, names, references, roles, secrets
from twinloop.deploy.rules.pods import (
    claims,
    placed,
    ports,
    quantities,
    restart_policy,
    restricted,
    shared_claims,
    tolerations,
)  # fmt: skip
from twinloop.deploy.rules.queues import heat, namespace_quota, queue_quotas, topologies
from twinloop.deploy.rules.runs import applications, budgets, clusters, layouts, masters, runtimes, schedules
from twinloop.deploy.rules.scaling import autoscalers, selectors, triggers
from twinloop.deploy.rules.traffic import policies, reached
from twinloop.deploy.walk import Documents, at, site_of


def semantic_faults(documents: Documents) -> list[Fault]:
    """Return (file, object, message) for every broken rule."""
    faults = []
    for site in dict.fromkeys(site_of(file) for file, _ in documents):
        whole = joined([(file, document) for file, document in documents if site_of(file) == site])
        faults += [fault for rule in RULES for fault in rule(whole)]
    return faults


def joined(documents: Documents) -> Documents:
    """Return ``documents`` with the containers of its runtime in each InferenceService: what KServe will start."""
    known = {at(d, "metadata", "name"): d for _, d in documents if d.get("kind") == "ServingRuntime"}
    made = []
    for file, document in documents:
        model = at(document, "spec", "predictor", "model") if document.get("kind") == "InferenceService" else None
        runtime = at(known.get(at(model, "runtime"), {}), "spec") or {}
        if model is not None:
            own = {name: value for name, value in model.items() if name in ("resources", "image", "command", "env")}
            first, *rest = runtime.get("containers") or [{}]
            predictor = {**document["spec"]["predictor"], "containers": [{**first, **own}, *rest],
                         "volumes": runtime.get("volumes") or []}  # fmt: skip
            document = {**document, "spec": {**document["spec"], "predictor": predictor}}
        made.append((file, document))
    return made


RULES: tuple[Callable[[Documents], Iterator[Fault]], ...] = (
    names, homes, references, secrets, roles, images,
    restart_policy, quantities, ports, tolerations, restricted, placed, shared_claims, claims,
    layouts, masters, schedules, runtimes, clusters, applications, budgets,
    selectors, autoscalers, triggers, queue_quotas, topologies, heat, namespace_quota, policies, reached,
)  # fmt: skip
"""All rules."""
