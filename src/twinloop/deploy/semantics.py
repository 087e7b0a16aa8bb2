"""Rules that schemas miss: each is one small function from all documents to faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from twinloop.deploy.words import SECRET, rank_fault

Document = dict[str, Any]
Documents = list[tuple[str, Document]]
Fault = tuple[str, str, str]
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_QUANTITY = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]+)?")
_SECRET_NAME = re.compile(r"(?i)(password|passwd|secret|token|api_?key|credential)")


def semantic_faults(documents: Documents) -> list[Fault]:
    """Return (file, object, message) for every broken rule."""
    return [fault for rule in RULES for fault in rule(documents)]


def _of(documents: Documents, *kinds: str) -> Iterator[tuple[str, str, Document]]:
    for file, document in documents:
        if document.get("kind") in kinds:
            yield file, f"{document['kind']}/{(document.get('metadata') or {}).get('name')}", document


def _at(document: Any, *path: str) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def pod_templates(document: Document) -> list[Document]:
    """Return every pod template inside an object, wherever its kind keeps them."""
    found: list[Document] = []
    if document.get("kind") == "InferenceService":
        # KServe's predictor is the pod's spec itself, among other fields.
        predictor = _at(document, "spec", "predictor")
        return [{"metadata": {"labels": _at(predictor, "labels")}, "spec": predictor}] if predictor else []
    _collect(document.get("spec"), found)
    return found


def _collect(node: Any, found: list[Document]) -> None:
    if isinstance(node, list):
        for item in node:
            _collect(item, found)
    elif isinstance(node, dict):
        if isinstance(_at(node, "spec", "containers"), list):
            found.append(node)
        else:
            for item in node.values():
                _collect(item, found)


def pod_template(document: Document) -> Document | None:
    """Return the first pod template inside a controller, ``None`` for other kinds."""
    found = pod_templates(document)
    return found[0] if found else None


def _pods(documents: Documents) -> Iterator[tuple[str, str, Document, Document]]:
    for file, document in documents:
        for template in pod_templates(document):
            yield file, f"{document['kind']}/{_at(document, 'metadata', 'name')}", document, template


def _containers(template: Document) -> list[Document]:
    found = _at(template, "spec", "containers")
    return [c for c in found if isinstance(c, dict)] if isinstance(found, list) else []


def names(documents: Documents) -> Iterator[Fault]:
    """Names are DNS names, and no object is written twice."""
    seen: set[tuple[str, ...]] = set()
    for file, document in documents:
        meta = document.get("metadata") or {}
        name = str(meta.get("name"))
        identity = (str(document.get("apiVersion")), str(document.get("kind")), str(meta.get("namespace")), name,
                    file.split("/")[1] if "/" in file else "")  # fmt: skip
        longest = 52 if document.get("kind") == "CronJob" else 253
        if not _NAME.fullmatch(name) or len(name) > longest:
            yield file, f"{document.get('kind')}/{name}", f"metadata.name: expected a DNS name of at most {longest}"
        if identity in seen:
            yield file, f"{document.get('kind')}/{name}", "the object is written twice"
        seen.add(identity)


def selectors(documents: Documents) -> Iterator[Fault]:
    """A Deployment's selector matches its template; services and budgets select some template."""
    templates = [_at(template, "metadata", "labels") or {} for *_, template in _pods(documents)]
    for file, name, document in _of(documents, "Deployment", "DaemonSet", "Service", "PodDisruptionBudget"):
        path = ("spec", "selector") if document["kind"] == "Service" else ("spec", "selector", "matchLabels")
        wanted = dict(_at(document, *path) or {})
        wanted.pop("batch.kubernetes.io/job-completion-index", None)
        candidates = [_at(document, "spec", "template", "metadata", "labels") or {}]
        if document["kind"] not in ("Deployment", "DaemonSet"):
            candidates = templates
        if not wanted or not any(wanted.items() <= labels.items() for labels in candidates):
            yield file, name, f"selector {wanted} matches no pod template"


ENDING: dict[str, tuple[str | None, ...]] = {
    "Job": ("Never", "OnFailure"), "CronJob": ("Never", "OnFailure"), "JobSet": ("Never", "OnFailure"),
    "TrainingRuntime": ("Never", "OnFailure"),
    # The replica's own word counts, or the operator's.
    "PyTorchJob": (None,), "MPIJob": (None,), "RayJob": (None, "Never"),
}  # fmt: skip
"""What a pod template may say by its owner's kind; others run for ever."""
REPLICA_WORDS = ("Always", "OnFailure", "Never", "ExitCode")


def restart_policy(documents: Documents) -> Iterator[Fault]:
    """A job's pods end: Never or OnFailure."""
    for file, name, document, template in _pods(documents):
        policy = _at(template, "spec", "restartPolicy")
        allowed = ENDING.get(document["kind"], (None, "Always"))
        if policy not in allowed:
            yield file, name, f"restartPolicy: got {policy}, expected one of {allowed}"
    for file, name, document in _of(documents, "PyTorchJob", "MPIJob", "TFJob"):
        for part, replicas in (document.get("spec") or {}).items():
            for role, each in replicas.items() if part.endswith("ReplicaSpecs") else ():
                # The schemas leave this word open: a slip of the pen passes them.
                if each.get("restartPolicy") not in REPLICA_WORDS:
                    yield file, name, f"{role}.restartPolicy: got {each.get('restartPolicy')}, expected {REPLICA_WORDS}"


def autoscalers(documents: Documents) -> Iterator[Fault]:
    """Bounds in order, the target exists, and the target leaves replicas to the autoscaler."""
    known = {(d.get("kind"), _at(d, "metadata", "name")): d for _, d in documents}
    for file, name, document in _of(documents, "HorizontalPodAutoscaler", "ScaledObject"):
        spec = document.get("spec") or {}
        least, most = (
            spec.get("minReplicas", spec.get("minReplicaCount")),
            spec.get("maxReplicas", spec.get("maxReplicaCount")),
        )
        if (least or 1) > (most or 0):
            yield file, name, "minReplicas is above maxReplicas"
        target = known.get((_at(spec, "scaleTargetRef", "kind"), _at(spec, "scaleTargetRef", "name")))
        if target is None:
            yield file, name, "scaleTargetRef: no such object"
        elif "replicas" in (target.get("spec") or {}):
            yield file, name, "the target fixes replicas: every apply would undo the autoscaler"


def quantities(documents: Documents) -> Iterator[Fault]:
    """Amounts follow the grammar; requests do not pass limits; accelerators ask for exactly their limit."""
    for file, name, _, template in _pods(documents):
        for container in _containers(template):
            asked, limits = _at(container, "resources", "requests") or {}, _at(container, "resources", "limits") or {}
            bad = [f"{k}: {v}" for part in (asked, limits) for k, v in part.items() if not _QUANTITY.fullmatch(str(v))]
            if bad:
                yield file, name, f"resources: {', '.join(bad)}: not a quantity"
            for resource in {*asked, *limits}:
                if "/" in resource and asked.get(resource, limits.get(resource)) != limits.get(resource):
                    yield file, name, f"{resource}: requests and limits differ"


def ports(documents: Documents) -> Iterator[Fault]:
    """A service's or a probe's named port is a container's."""
    for file, name, _, template in _pods(documents):
        for container in _containers(template):
            known = {port.get("name") for port in container.get("ports") or []}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                port = _at(container, probe, "httpGet", "port")
                if isinstance(port, str) and port not in known:
                    yield file, name, f"{probe}: no port is named {port}"


def tolerations(documents: Documents) -> Iterator[Fault]:
    """Pods on accelerators tolerate the accelerator's taint."""
    for file, name, _, template in _pods(documents):
        kept = {each.get("key") for each in _at(template, "spec", "tolerations") or []}
        for container in _containers(template):
            devices = {r for r in _at(container, "resources", "limits") or {} if "/" in r}
            if _at(container, "resources", "claims") and not kept:
                yield file, name, "no toleration beside its device claims"
            for resource in sorted(devices - kept):
                yield file, name, f"no toleration of {resource}"


def restricted(documents: Documents) -> Iterator[Fault]:
    """Not root, no way to become it, nothing writable of the image, no token."""
    for file, name, _, template in _pods(documents):
        spec = template.get("spec") or {}
        if _at(spec, "securityContext", "runAsNonRoot") is not True or _at(spec, "securityContext", "runAsUser") == 0:
            yield file, name, "securityContext: expected runAsNonRoot: true"
        if spec.get("automountServiceAccountToken") is not False:
            yield file, name, "automountServiceAccountToken: expected false"
        for container in _containers(template):
            context = container.get("securityContext") or {}
            if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
                yield file, name, f"{container.get('name')}: may gain privileges"


def references(documents: Documents) -> Iterator[Fault]:
    """Claims, priority classes, accounts and queues that are named exist."""
    known = {(d.get("kind"), _at(d, "metadata", "name")) for _, d in documents}
    for file, name, _, template in _pods(documents):
        spec = template.get("spec") or {}
        wanted = [("PriorityClass", spec.get("priorityClassName")), ("ServiceAccount", spec.get("serviceAccountName"))]
        wanted += [
            ("PersistentVolumeClaim", _at(volume, "persistentVolumeClaim", "claimName"))
            for volume in spec.get("volumes") or []
            if "persistentVolumeClaim" in volume
        ]
        for kind, each in wanted:
            if each is not None and (kind, each) not in known:
                yield file, name, f"no {kind} is called {each}"
    for file, document in documents:
        queue = _at(document, "metadata", "labels", "kueue.x-k8s.io/queue-name")
        if queue is not None and ("LocalQueue", queue) not in known:
            yield (
                file,
                f"{document.get('kind')}/{_at(document, 'metadata', 'name')}",
                f"no LocalQueue is called {queue}",
            )


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
        name = f"{document.get('kind')}/{_at(document, 'metadata', 'name')}"
        if document.get("kind") == "Secret":
            yield file, name, "a Secret in a file"
        if any(SECRET.search(text) for text in texts(document)):
            yield file, name, "a text looks like a secret"
        for container in [each for template in pod_templates(document) for each in _containers(template)]:
            for env in container.get("env") or []:
                if env.get("value") and _SECRET_NAME.search(str(env.get("name"))):
                    yield file, name, f"env {env['name']}: a value in the file"


def roles(documents: Documents) -> Iterator[Fault]:
    """Roles name verbs and resources: no star, nobody is cluster-admin."""
    for file, name, document in _of(documents, "Role", "ClusterRole"):
        if any("*" in (rule.get(part) or []) for rule in document.get("rules") or [] for part in
               ("verbs", "resources", "apiGroups")):  # fmt: skip
            yield file, name, "a rule grants *"
    for file, name, document in _of(documents, "RoleBinding", "ClusterRoleBinding"):
        if _at(document, "roleRef", "name") in ("cluster-admin", "admin"):
            yield file, name, "binds an administrator"


def images(documents: Documents) -> Iterator[Fault]:
    """Images carry a digest or a tag other than latest."""
    for file, name, _, template in _pods(documents):
        for container in _containers(template):
            tail = str(container.get("image", "")).rsplit("/", 1)[-1]
            if "@sha256:" in tail and not re.search(r"@sha256:[0-9a-f]{64}$", tail):
                yield file, name, "the image's digest is no SHA-256"
            elif "@" not in tail and (":" not in tail or tail.endswith(":latest")):
                yield file, name, "the image has neither tag nor digest"


def _pods_of(document: Document) -> int | None:
    """Return the pods that a queued run holds at once; ``None`` where no queue admits the kind."""
    spec, kind = document.get("spec") or {}, document.get("kind")
    if kind == "CronJob":
        return int(_at(spec, "jobTemplate", "spec", "parallelism") or 1)
    if kind == "Job":
        return int(spec.get("parallelism") or 1)
    if kind == "JobSet":
        return sum(int(_at(each, "template", "spec", "parallelism") or 1) for each in spec["replicatedJobs"])
    if kind == "TrainingRuntime":
        return int(_at(spec, "mlPolicy", "numNodes") or 1)
    if kind in ("PyTorchJob", "MPIJob"):
        part = spec.get("pytorchReplicaSpecs") or spec.get("mpiReplicaSpecs") or {}
        return sum(int(each.get("replicas") or 1) for role, each in part.items() if role != "Launcher")
    if kind == "RayJob":
        return sum(int(each.get("replicas") or 1) for each in _at(spec, "rayClusterSpec", "workerGroupSpecs") or [])
    return None


def layouts(documents: Documents) -> Iterator[Fault]:
    """The ranks that are started are the ranks of the layout: data × tensor × pipeline × context."""
    for file, name, document, template in _pods(documents):
        words = [str(w) for c in _containers(template) for w in (*(c.get("command") or []), *(c.get("args") or []))]
        words += str(_at(document, "spec", "entrypoint") or "").split()
        fault = rank_fault(words)
        if fault:
            yield file, name, fault


def runtimes(documents: Documents) -> Iterator[Fault]:
    """A TrainJob's runtime exists, and both mean the same number of nodes."""
    known = {_at(d, "metadata", "name"): d for _, _, d in _of(documents, "TrainingRuntime", "ClusterTrainingRuntime")}
    for file, name, document in _of(documents, "TrainJob"):
        runtime = known.get(_at(document, "spec", "runtimeRef", "name"))
        if runtime is None:
            yield file, name, f"no TrainingRuntime is called {_at(document, 'spec', 'runtimeRef', 'name')}"
        elif _at(runtime, "spec", "mlPolicy", "numNodes") != _at(document, "spec", "trainer", "numNodes"):
            yield file, name, "numNodes differs from its runtime's"


def claims(documents: Documents) -> Iterator[Fault]:
    """Device claims that pods name exist, and containers use what their pod claims."""
    known = {_at(d, "metadata", "name") for _, _, d in _of(documents, "ResourceClaimTemplate")}
    for file, name, _, template in _pods(documents):
        made = {each.get("name"): each.get("resourceClaimTemplateName") for each in
                _at(template, "spec", "resourceClaims") or []}  # fmt: skip
        for each in sorted(str(wanted) for wanted in made.values() if wanted not in known):
            yield file, name, f"no ResourceClaimTemplate is called {each}"
        used = {each.get("name") for c in _containers(template) for each in _at(c, "resources", "claims") or []}
        if used != set(made):
            yield file, name, f"containers use claims {sorted(map(str, used))}, the pod has {sorted(map(str, made))}"


def queue_quotas(documents: Documents) -> Iterator[Fault]:
    """Every queued job fits the quota of its flavor; topologies and flavors that are named exist."""
    made = {_at(d, "metadata", "name"): d for _, _, d in _of(documents, "ResourceFlavor")}
    topologies = {_at(d, "metadata", "name") for _, _, d in _of(documents, "Topology")}
    quotas = {}
    for file, name, document in _of(documents, "ClusterQueue"):
        for group in _at(document, "spec", "resourceGroups") or []:
            for flavor in group.get("flavors") or []:
                if flavor.get("name") not in made:
                    yield file, name, f"no ResourceFlavor is called {flavor.get('name')}"
                for row in flavor.get("resources") or []:
                    quotas[flavor.get("name"), row.get("name")] = int(str(row.get("nominalQuota")).rstrip("Gi") or 0)
    for file, name, document in _of(documents, "ResourceFlavor"):
        if _at(document, "spec", "topologyName") not in topologies:
            yield file, name, f"no Topology is called {_at(document, 'spec', 'topologyName')}"
    for file, name, document, template in _pods(documents):
        pods = _pods_of(document)
        if not made or pods is None:
            continue
        wanted = _at(template, "spec", "nodeSelector") or {}
        fitting = [f for f, d in made.items() if (_at(d, "spec", "nodeLabels") or {}).items() <= wanted.items()]
        if not fitting:
            yield file, name, "no ResourceFlavor matches its node selector"
        for resource, each in (_at(_containers(template)[0], "resources", "requests") or {}).items():
            total = int(each) * pods if str(each).isdigit() else 0
            if fitting and total > max(quotas.get((flavor, resource), 0) for flavor in fitting):
                yield file, name, f"{total} {resource} are more than the quota of {', '.join(map(str, fitting))}"


RULES: tuple[Callable[[Documents], Iterator[Fault]], ...] = (
    names, selectors, restart_policy, autoscalers, quantities, ports, tolerations, restricted, references, secrets,
    roles, images, queue_quotas, layouts, runtimes, claims,
)  # fmt: skip
"""All rules."""
