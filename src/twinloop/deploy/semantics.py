"""Rules that schemas miss: each is one small function from all documents to faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from twinloop.deploy.walk import Document, Documents, at, containers_of, of_kind, pod_templates, pods_in
from twinloop.deploy.words import SECRET, rank_fault

Fault = tuple[str, str, str]
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_QUANTITY = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]+)?")
_SECRET_NAME = re.compile(r"(?i)(password|passwd|secret|token|api_?key|credential)")


def semantic_faults(documents: Documents) -> list[Fault]:
    """Return (file, object, message) for every broken rule."""
    whole = joined(documents)
    return [fault for rule in RULES for fault in rule(whole)]


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
            predictor = {**document["spec"]["predictor"], "containers": [{**first, **own}, *rest]}
            document = {**document, "spec": {**document["spec"], "predictor": predictor}}
        made.append((file, document))
    return made


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


ENDING: dict[str, tuple[str | None, ...]] = {
    "Job": ("Never", "OnFailure"), "CronJob": ("Never", "OnFailure"), "JobSet": ("Never", "OnFailure"),
    "TrainingRuntime": ("Never", "OnFailure"),
    # The replica's own word counts, or the operator's.
    "PyTorchJob": (None,), "MPIJob": (None,), "TFJob": (None,), "JAXJob": (None,), "RayJob": (None, "Never"),
}  # fmt: skip
"""What a pod template may say by its owner's kind; others run for ever."""
REPLICA_WORDS = ("Always", "OnFailure", "Never", "ExitCode")


def restart_policy(documents: Documents) -> Iterator[Fault]:
    """A job's pods end: Never or OnFailure."""
    for file, name, document, template in pods_in(documents):
        policy = at(template, "spec", "restartPolicy")
        allowed = ENDING.get(document["kind"], (None, "Always"))
        if policy not in allowed:
            yield file, name, f"restartPolicy: got {policy}, expected one of {allowed}"
    for file, name, document in of_kind(documents, "PyTorchJob", "MPIJob", "TFJob", "JAXJob"):
        for part, replicas in (document.get("spec") or {}).items():
            for role, each in replicas.items() if part.endswith("ReplicaSpecs") else ():
                # The schemas leave this word open: a slip of the pen passes them.
                if each.get("restartPolicy") not in REPLICA_WORDS:
                    yield file, name, f"{role}.restartPolicy: got {each.get('restartPolicy')}, expected {REPLICA_WORDS}"


def autoscalers(documents: Documents) -> Iterator[Fault]:
    """Bounds in order, the target exists, and the target leaves replicas to the autoscaler."""
    known = {(d.get("kind"), at(d, "metadata", "name")): d for _, d in documents}
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


def quantities(documents: Documents) -> Iterator[Fault]:
    """Amounts follow the grammar; requests do not pass limits; accelerators ask for exactly their limit."""
    for file, name, _, template in pods_in(documents):
        for container in containers_of(template):
            asked, limits = at(container, "resources", "requests") or {}, at(container, "resources", "limits") or {}
            bad = [f"{k}: {v}" for part in (asked, limits) for k, v in part.items() if not _QUANTITY.fullmatch(str(v))]
            if bad:
                yield file, name, f"resources: {', '.join(bad)}: not a quantity"
            for resource in {*asked, *limits}:
                if "/" in resource and asked.get(resource, limits.get(resource)) != limits.get(resource):
                    yield file, name, f"{resource}: requests and limits differ"


def ports(documents: Documents) -> Iterator[Fault]:
    """A service's or a probe's named port is a container's."""
    for file, name, _, template in pods_in(documents):
        for container in containers_of(template):
            known = {port.get("name") for port in container.get("ports") or []}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                port = at(container, probe, "httpGet", "port")
                if isinstance(port, str) and port not in known:
                    yield file, name, f"{probe}: no port is named {port}"


def tolerations(documents: Documents) -> Iterator[Fault]:
    """Pods on accelerators tolerate the accelerator's taint."""
    for file, name, _, template in pods_in(documents):
        kept = {each.get("key") for each in at(template, "spec", "tolerations") or []}
        for container in containers_of(template):
            devices = {r for r in at(container, "resources", "limits") or {} if "/" in r}
            if at(container, "resources", "claims") and not kept:
                yield file, name, "no toleration beside its device claims"
            for resource in sorted(devices - kept):
                yield file, name, f"no toleration of {resource}"


def restricted(documents: Documents) -> Iterator[Fault]:
    """Not root, no way to become it, nothing writable of the image, no token."""
    for file, name, _, template in pods_in(documents):
        spec = template.get("spec") or {}
        if at(spec, "securityContext", "runAsNonRoot") is not True or at(spec, "securityContext", "runAsUser") == 0:
            yield file, name, "securityContext: expected runAsNonRoot: true"
        if spec.get("automountServiceAccountToken") is not False:
            yield file, name, "automountServiceAccountToken: expected false"
        for container in containers_of(template):
            context = container.get("securityContext") or {}
            if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
                yield file, name, f"{container.get('name')}: may gain privileges"


def references(documents: Documents) -> Iterator[Fault]:
    """Claims, priority classes, accounts and queues that are named exist."""
    known = {(d.get("kind"), at(d, "metadata", "name")) for _, d in documents}
    for file, name, _, template in pods_in(documents):
        spec = template.get("spec") or {}
        wanted = [("PriorityClass", spec.get("priorityClassName")), ("ServiceAccount", spec.get("serviceAccountName"))]
        wanted += [
            ("PersistentVolumeClaim", at(volume, "persistentVolumeClaim", "claimName"))
            for volume in spec.get("volumes") or []
            if "persistentVolumeClaim" in volume
        ]
        for kind, each in wanted:
            if each is not None and (kind, each) not in known:
                yield file, name, f"no {kind} is called {each}"
    for file, document in documents:
        queue = at(document, "metadata", "labels", "kueue.x-k8s.io/queue-name")
        if queue is not None and ("LocalQueue", queue) not in known:
            yield (
                file,
                f"{document.get('kind')}/{at(document, 'metadata', 'name')}",
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
        name = f"{document.get('kind')}/{at(document, 'metadata', 'name')}"
        if document.get("kind") == "Secret":
            yield file, name, "a Secret in a file"
        if any(SECRET.search(text) for text in texts(document)):
            yield file, name, "a text looks like a secret"
        for container in [each for template in pod_templates(document) for each in containers_of(template)]:
            for env in container.get("env") or []:
                if env.get("value") and _SECRET_NAME.search(str(env.get("name"))):
                    yield file, name, f"env {env['name']}: a value in the file"


def roles(documents: Documents) -> Iterator[Fault]:
    """Roles name verbs and resources: no star, nobody is cluster-admin."""
    for file, name, document in of_kind(documents, "Role", "ClusterRole"):
        if any("*" in (rule.get(part) or []) for rule in document.get("rules") or [] for part in
               ("verbs", "resources", "apiGroups")):  # fmt: skip
            yield file, name, "a rule grants *"
    for file, name, document in of_kind(documents, "RoleBinding", "ClusterRoleBinding"):
        if at(document, "roleRef", "name") in ("cluster-admin", "admin"):
            yield file, name, "binds an administrator"


def images(documents: Documents) -> Iterator[Fault]:
    """Images carry a digest or a tag other than latest."""
    for file, name, _, template in pods_in(documents):
        for container in containers_of(template):
            tail = str(container.get("image", "")).rsplit("/", 1)[-1]
            if "@sha256:" in tail and not re.search(r"@sha256:[0-9a-f]{64}$", tail):
                yield file, name, "the image's digest is no SHA-256"
            elif "@" not in tail and (":" not in tail or tail.endswith(":latest")):
                yield file, name, "the image has neither tag nor digest"


def _pods_of(document: Document) -> int | None:
    """Return the pods that a queued run holds at once; ``None`` where no queue admits the kind."""
    spec, kind = document.get("spec") or {}, document.get("kind")
    if kind == "CronJob":
        return int(at(spec, "jobTemplate", "spec", "parallelism") or 1)
    if kind == "Job":
        return int(spec.get("parallelism") or 1)
    if kind == "JobSet":
        return sum(int(at(each, "template", "spec", "parallelism") or 1) for each in spec["replicatedJobs"])
    if kind == "TrainingRuntime":
        return int(at(spec, "mlPolicy", "numNodes") or 1)
    if kind in ("PyTorchJob", "MPIJob", "TFJob", "JAXJob"):
        part: Document = next((each for name, each in spec.items() if name.endswith("ReplicaSpecs")), {})
        return sum(int(each.get("replicas") or 1) for role, each in part.items() if role != "Launcher")
    if kind == "RayCluster":
        return sum(int(each.get("replicas") or 1) for each in spec.get("workerGroupSpecs") or [])
    if kind == "RayJob":
        return sum(int(each.get("replicas") or 1) for each in at(spec, "rayClusterSpec", "workerGroupSpecs") or [])
    return None


def layouts(documents: Documents) -> Iterator[Fault]:
    """The ranks that are started are the ranks of the layout: data × tensor × pipeline × context."""
    for file, name, document, template in pods_in(documents):
        words = [str(w) for c in containers_of(template) for w in (*(c.get("command") or []), *(c.get("args") or []))]
        words += str(at(document, "spec", "entrypoint") or "").split()
        fault = rank_fault(words)
        if fault:
            yield file, name, fault


def runtimes(documents: Documents) -> Iterator[Fault]:
    """A job's or a service's runtime exists, and both mean the same number of nodes or the same format."""
    known = {
        at(d, "metadata", "name"): d for _, _, d in of_kind(documents, "TrainingRuntime", "ClusterTrainingRuntime")
    }
    for file, name, document in of_kind(documents, "TrainJob"):
        runtime = known.get(at(document, "spec", "runtimeRef", "name"))
        if runtime is None:
            yield file, name, f"no TrainingRuntime is called {at(document, 'spec', 'runtimeRef', 'name')}"
        elif at(runtime, "spec", "mlPolicy", "numNodes") != at(document, "spec", "trainer", "numNodes"):
            yield file, name, "numNodes differs from its runtime's"
    served = {at(d, "metadata", "name"): d for _, _, d in of_kind(documents, "ServingRuntime")}
    for file, name, document in of_kind(documents, "InferenceService"):
        model = at(document, "spec", "predictor", "model") or {}
        found = served.get(model.get("runtime"))
        formats = {each.get("name") for each in at(found, "spec", "supportedModelFormats") or []}
        if "runtime" in model and found is None:
            yield file, name, f"no ServingRuntime is called {model['runtime']}"
        elif found is not None and at(model, "modelFormat", "name") not in formats:
            yield file, name, f"its runtime takes {sorted(map(str, formats))}, the model is {at(model, 'modelFormat')}"


def claims(documents: Documents) -> Iterator[Fault]:
    """Device claims that pods name exist, and containers use what their pod claims."""
    known = {at(d, "metadata", "name") for _, _, d in of_kind(documents, "ResourceClaimTemplate")}
    # A domain's controller makes the template of its channel.
    known |= {
        at(d, "spec", "channel", "resourceClaimTemplate", "name") for _, _, d in of_kind(documents, "ComputeDomain")
    }
    for file, name, _, template in pods_in(documents):
        made = {each.get("name"): each.get("resourceClaimTemplateName") for each in
                at(template, "spec", "resourceClaims") or []}  # fmt: skip
        for each in sorted(str(wanted) for wanted in made.values() if wanted not in known):
            yield file, name, f"no ResourceClaimTemplate is called {each}"
        used = {each.get("name") for c in containers_of(template) for each in at(c, "resources", "claims") or []}
        if used != set(made):
            yield file, name, f"containers use claims {sorted(map(str, used))}, the pod has {sorted(map(str, made))}"


def queue_quotas(documents: Documents) -> Iterator[Fault]:
    """Every queued job fits the quota of its flavor; topologies and flavors that are named exist."""
    made = {at(d, "metadata", "name"): d for _, _, d in of_kind(documents, "ResourceFlavor")}
    topologies = {at(d, "metadata", "name") for _, _, d in of_kind(documents, "Topology")}
    quotas = {}
    for file, name, document in of_kind(documents, "ClusterQueue"):
        for group in at(document, "spec", "resourceGroups") or []:
            for flavor in group.get("flavors") or []:
                if flavor.get("name") not in made:
                    yield file, name, f"no ResourceFlavor is called {flavor.get('name')}"
                for row in flavor.get("resources") or []:
                    quotas[flavor.get("name"), row.get("name")] = int(str(row.get("nominalQuota")).rstrip("Gi") or 0)
    for file, name, document in of_kind(documents, "ResourceFlavor"):
        if at(document, "spec", "topologyName") not in topologies:
            yield file, name, f"no Topology is called {at(document, 'spec', 'topologyName')}"
    for file, name, document, template in pods_in(documents):
        pods = _pods_of(document)
        if not made or pods is None:
            continue
        wanted = at(template, "spec", "nodeSelector") or {}
        fitting = [f for f, d in made.items() if (at(d, "spec", "nodeLabels") or {}).items() <= wanted.items()]
        if not fitting:
            yield file, name, "no ResourceFlavor matches its node selector"
        for resource, each in (at(containers_of(template)[0], "resources", "requests") or {}).items():
            total = int(each) * pods if str(each).isdigit() else 0
            if fitting and total > max(quotas.get((flavor, resource), 0) for flavor in fitting):
                yield file, name, f"{total} {resource} are more than the quota of {', '.join(map(str, fitting))}"


def applications(documents: Documents) -> Iterator[Fault]:
    """A Serve configuration, which is a text to the schema, fits the cluster around it: devices, replicas, ports."""
    for file, name, document in of_kind(documents, "RayService"):
        config = parsed(str(at(document, "spec", "serveConfigV2")))
        group = (at(document, "spec", "rayClusterConfig", "workerGroupSpecs") or [{}])[0]
        worker = (containers_of(group.get("template") or {}) or [{}])[0]
        limits = at(worker, "resources", "limits") or {}
        own = sum(int(amount) for resource, amount in limits.items() if "/" in resource)
        served = at(config, "http_options", "port") or 8000
        head = at(document, "spec", "rayClusterConfig", "headGroupSpec", "template") or {}
        if served not in {p.get("containerPort") for c in containers_of(head) for p in c.get("ports") or []}:
            yield file, name, f"serveConfigV2: the head opens no port {served}"
        for each in [d for app in at(config, "applications") or [] for d in app.get("deployments") or []]:
            wanted = at(each, "ray_actor_options", "num_gpus") or 0
            if wanted > own and at(worker, "resources", "claims") is None:
                yield file, name, f"serveConfigV2: {each.get('name')} asks for {wanted} devices, a worker has {own}"
            scale = at(each, "autoscaling_config") or {}
            bounds = (scale.get("min_replicas"), scale.get("max_replicas"))
            if bounds != (group.get("minReplicas"), group.get("maxReplicas")):
                yield file, name, f"serveConfigV2: {each.get('name')}: replicas differ from the workers'"


def clusters(documents: Documents) -> Iterator[Fault]:
    """A job that chooses a RayCluster finds it, with pods for its workers."""
    known = {at(d, "metadata", "name"): d for _, _, d in of_kind(documents, "RayCluster")}
    for file, name, document in of_kind(documents, "RayJob"):
        chosen = at(document, "spec", "clusterSelector", "ray.io/cluster")
        if chosen is None:
            continue
        if chosen not in known:
            yield file, name, f"no RayCluster is called {chosen}"
            continue
        groups = at(known[chosen], "spec", "workerGroupSpecs") or []
        devices = sum(int(g.get("maxReplicas") or 0) * _devices_of(g.get("template") or {}) for g in groups)
        found = re.search(r"--workers=(\d+)", str(at(document, "spec", "entrypoint")))
        if found and int(found[1]) > devices > 0:
            yield file, name, f"{found[1]} workers are more than the {devices} devices of {chosen}"


def _devices_of(template: Document) -> int:
    limits = [at(c, "resources", "limits") or {} for c in containers_of(template)]
    return sum(int(amount) for each in limits for resource, amount in each.items() if "/" in resource)


def parsed(text: str) -> Any:
    """Return YAML ``text`` read, ``None`` where it is none."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return None


RULES: tuple[Callable[[Documents], Iterator[Fault]], ...] = (
    names, selectors, restart_policy, autoscalers, quantities, ports, tolerations, restricted, references, secrets,
    roles, images, queue_quotas, layouts, runtimes, claims, applications, clusters,
)  # fmt: skip
"""All rules."""
