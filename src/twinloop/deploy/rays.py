"""KubeRay: training as a RayJob (its RayCluster inside, or one that stays), serving as a RayService."""

from __future__ import annotations

import copy

from twinloop.deploy.intent import Deployment, Work
from twinloop.deploy.launch import work_arguments
from twinloop.deploy.operators import deadline, program, run_template
from twinloop.deploy.pods import Document, cpu_and_memory, labels, pod_spec
from twinloop.deploy.style import Style
from twinloop.deploy.workloads import QUEUE_LABEL, RETRIES, SERVE_PORT, bounds, metadata, run_metadata, scraped
from twinloop.deploy.yaml_text import dump

RAY = "2.60.0"
"""Version of Ray in the images and in ``rayVersion``: they must agree."""
METRICS = 8090
"""Port of Ray's own metrics: KubeRay's default is the port that serves."""
DASHBOARD = 8265
"""Port of the head by which KubeRay's operator asks for states and sets applications."""
HEAD_CPU, HEAD_GIB = 4, 16
"""Most that a head asks for: it schedules and computes nothing. Else half of what a full worker leaves of its node."""
OPERATOR = "kuberay-system"
"""Namespace of KubeRay's operator; edit to yours."""


def ray_job(deployment: Deployment, work: Work, style: Style) -> list[Document]:
    """Return a RayJob: the program under Ray Train on a cluster of its own, gone when it ends or, asked for, kept."""
    worker = run_template(deployment, work, style, [], "ray-worker")
    del worker["spec"]["containers"][0]["command"]  # KubeRay starts Ray itself
    head = _head(worker, work)
    submitter = copy.deepcopy(head)
    submitter["spec"]["containers"][0] |= {"name": "ray-job-submitter"}
    for template in (head, worker):
        del template["spec"]["restartPolicy"]
    devices = "CPU" if work.hardware.resource is None else "GPU"
    entry = ["python", "/app/ray_train.py", f"--workers={work.pods * work.per_pod}", f"--device={devices}", "--",
             *program(work)[1:]]  # fmt: skip
    run = {"entrypoint": " ".join(entry), **deadline(work), "submitterPodTemplate": submitter}
    cluster = _cluster(head, worker, work.pods)
    meta = run_metadata(deployment, work, style)
    if style.kept:
        # Queue and size are the cluster's; a job that chooses one is neither suspended nor tried again by itself.
        meta["labels"].pop(QUEUE_LABEL, None)
        spec = {**run, "clusterSelector": {"ray.io/cluster": work.label}}
        return [_kept(deployment, work, style, cluster), _run(meta, spec)]
    spec = {**run, "shutdownAfterJobFinishes": True, "ttlSecondsAfterFinished": 600, "backoffLimit": RETRIES,
            **({"suspend": True} if style.queued else {}), "rayClusterSpec": cluster}  # fmt: skip
    return [_run(meta, spec)]


def _run(meta: Document, spec: Document) -> Document:
    return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": meta, "spec": spec}


def _kept(deployment: Deployment, work: Work, style: Style, cluster: Document) -> Document:
    """Return the cluster that stays: the next run finds its workers, images and shared memory as they are."""
    meta = metadata(deployment, work)
    if style.queued:
        meta["labels"] = meta["labels"] | {QUEUE_LABEL: deployment.label}
    spec = {**cluster, **({"suspend": True} if style.queued else {})}
    return {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": meta, "spec": spec}


def ray_service(deployment: Deployment, work: Work, style: Style) -> Document:
    """Return a RayService: one replica a worker pod, as many as serve between the mean and the planned peak.

    A replica holds as many requests as were planned in flight on it: the load for which the p99 was computed. The
    workers of the peak stand: Ray's autoscaler of pods would need a token for the cluster beside the program that
    answers clients, and the heat of the peak is theirs anyway.
    """
    least, most = bounds(work)
    spec = pod_spec(deployment, work, [], style=style)
    container = spec["containers"][0]
    del container["command"]
    container["name"] = "ray-worker"
    container["env"].append({"name": "PYTHONPATH", "value": "/app"})
    worker = {"metadata": {"labels": labels(deployment, work.site, work), **scraped(METRICS)}, "spec": spec}
    head = _head(worker, work)
    cluster = _cluster(head, worker, most)
    # By a port of this name the operator finds Serve's proxies, on the head and on each worker.
    for template in (head, worker):
        template["spec"]["containers"][0]["ports"].append({"name": "serve", "containerPort": SERVE_PORT})
    # The operator's own probe would run wget, which slim images have not.
    container["readinessProbe"] = {"httpGet": {"path": "/-/healthz", "port": "serve"}, "periodSeconds": 5}
    return {
        "apiVersion": "ray.io/v1", "kind": "RayService", "metadata": metadata(deployment, work),
        "spec": {
            # Another cluster beside this one would need the devices of the peak twice.
            "upgradeStrategy": {"type": "None"}, "serveConfigV2": dump(_application(work, least, most)),
            "rayClusterConfig": cluster,
        },
    }  # fmt: skip


def _application(work: Work, least: int, most: int) -> Document:
    words = [word for word in work_arguments(work)[2:] if not word.startswith("--port=")]
    in_flight = max(work.parallelism.batch, 1)
    devices = {"num_gpus": work.per_pod} if work.hardware.resource else {}
    return {
        "http_options": {"host": "0.0.0.0", "port": SERVE_PORT},  # noqa: S104 - inside the pod; the policy guards it
        "applications": [{
            "name": work.label, "route_prefix": "/", "import_path": "ray_serve:build", "args": {"words": words},
            "deployments": [{
                "name": "Scorer", "max_ongoing_requests": 2 * in_flight,
                "ray_actor_options": {"num_cpus": 1, **devices},
                "autoscaling_config": {
                    "min_replicas": least, "max_replicas": most, "target_ongoing_requests": in_flight,
                    "upscale_delay_s": 5, "downscale_delay_s": 300,
                },
            }],
        }],
    }  # fmt: skip


def _head(worker: Document, work: Work) -> Document:
    """Return the head's template: the workers' without devices; it and the pod that submits stand beside a worker."""
    cpu, memory = cpu_and_memory(work.hardware, work.hardware.per_node)
    spare_mib = int(work.hardware.memory_b // 2**20) - 1024 * int(memory.removesuffix("Gi"))
    cpu = f"{min(500 * (work.hardware.cores - int(cpu)), 1000 * HEAD_CPU)}m"
    memory = f"{min(spare_mib // 2, 1024 * HEAD_GIB)}Mi"
    head = copy.deepcopy(worker)
    head["spec"]["containers"][0] |= {"name": "ray-head", "resources": {
        "requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu, "memory": memory}}}  # fmt: skip
    head["spec"].pop("resourceClaims", None)
    return head


def _cluster(head: Document, worker: Document, size: int) -> Document:
    metrics = {"metrics-export-port": str(METRICS)}
    opened = {"metrics": METRICS, "gcs-server": 6379, "dashboard": DASHBOARD, "client": 10001}
    for template, names in ((head, list(opened)), (worker, ["metrics"])):
        ports = [{"name": name, "containerPort": opened[name]} for name in names]
        template["spec"]["containers"][0]["ports"] = ports
    group = {"groupName": "node", "replicas": size, "minReplicas": size, "maxReplicas": size,
             "rayStartParams": metrics, "template": worker}  # fmt: skip
    return {
        "rayVersion": RAY, "authOptions": {"mode": "token"},  # the operator makes the secret; none stands here
        "headGroupSpec": {"rayStartParams": {"num-cpus": "0", **metrics}, "template": head},
        "workerGroupSpecs": [group],
    }  # fmt: skip
