"""Core Kubernetes controllers of a stage: jobs on a schedule, deployments with autoscaling and budgets."""

from __future__ import annotations

import math

from twinloop.deploy.intent import Deployment, Work
from twinloop.deploy.launch import PORT, TRAIN_GRACE_S, torchrun, work_arguments
from twinloop.deploy.names import key, label
from twinloop.deploy.pods import Document, labels, pod_spec, remarks, selector
from twinloop.deploy.schedule import cron, start_s
from twinloop.deploy.style import Style

RETRIES = 3
"""Restarts of a run from its checkpoint before a person is needed."""
RUN_NAME = 24
"""Characters of a stage in the name of its run."""
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
KUEUE = "kueue.x-k8s.io/podset"
NODE_RANK = [
    {
        "name": "NODE_RANK",
        "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['batch.kubernetes.io/job-completion-index']"}},
    }
]
SERVE_PORT = 8080
BESIDE = {"mpijob": 1, "rayjob": 2}
"""Pods of a run beside its workers, by the style's kind: a launcher; a head and the pod that submits."""


def metadata(deployment: Deployment, work: Work, name: str = "") -> Document:
    """Return the metadata of a stage's object."""
    return {
        "name": name or work.label,
        "namespace": deployment.label,
        "labels": labels(deployment, work.site, work),
        "annotations": remarks(deployment, work),
    }


def run_name(deployment: Deployment, work: Work) -> str:
    """Return the name of this plan's run of ``work``.

    Short: pipelines add a moment to it and operators a role and a number, and a host's name ends at 63 characters.
    """
    return f"{label(work.label, RUN_NAME)}-{deployment.plan_hash[:8]}"


def run_metadata(deployment: Deployment, work: Work, style: Style) -> Document:
    """Return the metadata of one run: its schedule as a note, its queue as a label."""
    made = metadata(deployment, work, run_name(deployment, work))
    if work.every_s is not None:
        made["annotations"] = made["annotations"] | {
            key("schedule"): cron(work.every_s, start_s(work, deployment.works))
        }
    if style.queued:
        made["labels"] = made["labels"] | {QUEUE_LABEL: deployment.label}
    return made


def stage_documents(deployment: Deployment, work: Work, style: Style) -> list[Document]:
    """Return the objects that run ``work``, autoscaling and budget included."""
    from twinloop.deploy.operators import training_documents
    from twinloop.deploy.services import claim_template, compute_domain

    claims = [claim_template(deployment, work)] if style.devices == "dra" and work.hardware.resource else []
    if claims and work.spans_nvlink:
        claims.append(compute_domain(deployment, work))
    if work.kind == "serve":
        return [*claims, *serving(deployment, work, style)]
    if work.kind == "ingest":
        return [
            *claims, _deployment(deployment, work, work_arguments(work), work.pods, style),
            _budget(deployment, work, maxUnavailable=1),
        ]  # fmt: skip
    if work.kind == "train" and style.training != "job":
        whole = work.pods + BESIDE.get(style.training, 0)
        return [*claims, *training_documents(deployment, work, style), _budget(deployment, work, minAvailable=whole)]
    found = [*claims, recurrent(deployment, work, style)]
    if work.kind == "train" and work.pods > 1:
        found.insert(0, _headless(deployment, work))
    return [*found, _budget(deployment, work, minAvailable=work.pods)]


def job_spec(deployment: Deployment, work: Work, style: Style) -> Document:
    """Return an indexed job, one pod a node share; torchrun finds node 0 through the headless service."""
    name = work.label
    if work.kind == "train":
        master = f"{name}-0.{name}.{deployment.label}.svc" if work.pods > 1 else "127.0.0.1"
        command = torchrun(work, master)
    else:
        command = work_arguments(work)
    spec = pod_spec(deployment, work, command, [*NODE_RANK, {"name": "NODES", "value": str(work.pods)}], style)
    spec["restartPolicy"] = "Never"
    if work.kind == "train" and work.pods > 1:
        spec["subdomain"] = name
    spec["terminationGracePeriodSeconds"] = TRAIN_GRACE_S
    made: Document = {
        "parallelism": work.pods,
        "completions": work.pods,
        "completionMode": "Indexed",
        "backoffLimit": RETRIES * work.pods,
        "podFailurePolicy": {
            # A node drained or reclaimed is no fault of the program and costs no retry.
            "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
        },
    }
    if work.deadline_s is not None:
        made["activeDeadlineSeconds"] = math.ceil(work.deadline_s)
    if style.queued:
        made["suspend"] = True
    made["template"] = {
        "metadata": {"labels": labels(deployment, work.site, work), "annotations": attached(work, style)}, "spec": spec
    }  # fmt: skip
    return made


def attached(work: Work, style: Style) -> dict[str, str]:
    """Return the annotations of a pod that must not be moved, and where a queue shall place it and its peers.

    All near one cooling loop where that can be; what exchanges tensors over several hosts of a rack, in one rack.
    """
    notes = {"karpenter.sh/do-not-disrupt": "true", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
    if not style.queued:
        return notes
    notes[f"{KUEUE}-preferred-topology"] = key("cooling-loop")
    slice_ = work.parallelism.tensor // work.per_pod
    if work.kind == "train" and slice_ > 1 and work.pods % slice_ == 0 and style.training in ("job", "jobset"):
        notes |= {f"{KUEUE}-slice-required-topology": key("rack"), f"{KUEUE}-slice-size": str(slice_)}
    return notes


def recurrent(deployment: Deployment, work: Work, style: Style) -> Document:
    """Return a CronJob for a stage with a period, else a Job named by its plan (a job's template cannot change)."""
    job = job_spec(deployment, work, style)
    if work.every_s is None:
        meta = run_metadata(deployment, work, style)
        if work.kind == "train" and work.pods > 1:
            command = job["template"]["spec"]["containers"][0]["command"]
            job["template"]["spec"]["containers"][0]["command"] = [
                part.replace(f"={work.label}-0.", f"={meta['name']}-0.") for part in command
            ]
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": job}
    meta = metadata(deployment, work)
    if style.queued:
        meta["labels"] = meta["labels"] | {QUEUE_LABEL: deployment.label}
    template = {"metadata": {"labels": dict(meta["labels"])}, "spec": job}
    if work.kind == "train" and work.pods > 1:
        # A CronJob names its jobs by the minute, so node 0 is found by a label-selected service instead.
        _lead_by_service(deployment, work, job)
    return {
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta,
        "spec": {
            "schedule": cron(work.every_s, start_s(work, deployment.works)),
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 600,
            "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 3,
            "jobTemplate": template,
        },
    }  # fmt: skip


def _lead_by_service(deployment: Deployment, work: Work, job: Document) -> None:
    container = job["template"]["spec"]["containers"][0]
    container["command"] = [
        f"--master-addr={work.label}.{deployment.label}.svc" if part.startswith("--master-addr=") else part
        for part in container["command"]
    ]


def _headless(deployment: Deployment, work: Work) -> Document:
    """Return the rendezvous service; for recurrent jobs it selects node 0 alone."""
    chosen = selector(deployment, work)
    if work.every_s is not None:
        chosen["batch.kubernetes.io/job-completion-index"] = "0"
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": metadata(deployment, work),
        "spec": {
            "clusterIP": "None", "publishNotReadyAddresses": True, "selector": chosen,
            "ports": [{"name": "rendezvous", "port": PORT, "targetPort": PORT}],
        },
    }  # fmt: skip


def _deployment(deployment: Deployment, work: Work, command: list[str], replicas: int | None, style: Style) -> Document:
    """Return a Deployment; ``replicas`` is left out where an autoscaler owns it."""
    spec = pod_spec(deployment, work, command, style=style)
    container = spec["containers"][0]
    spec["terminationGracePeriodSeconds"] = 60
    notes: Document = {}
    if work.kind == "serve":
        probe = {"port": "http", "scheme": "HTTP"}
        container["ports"] = [{"name": "http", "containerPort": SERVE_PORT, "protocol": "TCP"}]
        container["startupProbe"] = {"httpGet": {"path": "/healthz", **probe}, "periodSeconds": 5,
                                     "failureThreshold": 120}  # fmt: skip
        container["readinessProbe"] = {"httpGet": {"path": "/readyz", **probe}, "periodSeconds": 5}
        container["livenessProbe"] = {"httpGet": {"path": "/healthz", **probe}, "periodSeconds": 10}
        container["lifecycle"] = {"preStop": {"exec": {"command": ["sleep", "10"]}}}
        notes = scraped(SERVE_PORT)
    else:
        container["livenessProbe"] = {
            "exec": {"command": ["python", "-c", "import os,time;assert time.time()-os.stat('/tmp/alive')[8]<60"]},
            "periodSeconds": 30, "initialDelaySeconds": 60,
        }  # fmt: skip
    spec["topologySpreadConstraints"] = [
        {
            "maxSkew": 1, "topologyKey": key("cooling-loop"), "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector(deployment, work)},
        }
    ]  # fmt: skip
    made: Document = {"selector": {"matchLabels": selector(deployment, work)}}
    if replicas is not None:
        made = {"replicas": replicas, **made}
    away = spare_replicas(work) if work.kind == "serve" else 1
    made["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": away, "maxSurge": 0}}
    made["template"] = {"metadata": {"labels": labels(deployment, work.site, work), **notes}, "spec": spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(deployment, work), "spec": made}


def scraped(port: int) -> Document:
    """Return the annotations by which a Prometheus that discovers pods finds their metrics."""
    notes = {"scrape": "true", "port": str(port), "path": "/metrics"}
    return {"annotations": {f"prometheus.io/{name}": value for name, value in notes.items()}}


def serving(deployment: Deployment, work: Work, style: Style) -> list[Document]:
    """Return deployment (leader-worker sets where a replica spans nodes), service, autoscaler, budget.

    Where each host serves for itself: a daemon set and a service that stays on the host.
    """
    from twinloop.deploy.rays import ray_service
    from twinloop.deploy.services import inference_service, scaled_object

    if work.everywhere:
        own = _service(deployment, work)
        own["spec"]["internalTrafficPolicy"] = "Local"
        return [daemon_set(deployment, work, style), own]
    target: Document = {"apiVersion": "apps/v1", "kind": "Deployment", "name": work.label}
    if work.replica_devices > work.hardware.per_node:
        first = leader_worker_set(deployment, work, style)
        target = {"apiVersion": first["apiVersion"], "kind": first["kind"], "name": work.label}
        made = [first, _service(deployment, work)]
    else:
        first = _deployment(deployment, work, work_arguments(work), None, style)
        made = [first, _service(deployment, work)]
        if style.serving == "rayservice":
            # Ready are the head and the workers that hold a replica: at the mean load the least; one of them may go.
            kept = bounds(work)[0]
            return [ray_service(deployment, work, style), _budget(deployment, work, minAvailable=kept)]
        if style.serving == "kserve":
            target["name"] = f"{work.label}-predictor"  # KServe makes the deployment and its service
            made = inference_service(deployment, work, first["spec"]["template"])
    scaler = scaled_object if style.scaler == "keda" else autoscaler
    budget = _budget(deployment, work, maxUnavailable=spare_replicas(work))
    return [*made, scaler(deployment, work, target), budget]


def _service(deployment: Deployment, work: Work) -> Document:
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": metadata(deployment, work),
        "spec": {
            "selector": selector(deployment, work),
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    }  # fmt: skip


def daemon_set(deployment: Deployment, work: Work, style: Style) -> Document:
    """Return a DaemonSet: one copy a host, a tenth of the hosts renewed at once."""
    made = _deployment(deployment, work, work_arguments(work), None, style)
    spec = made["spec"]
    del spec["strategy"], spec["template"]["spec"]["topologySpreadConstraints"]
    spec["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}}
    return {**made, "kind": "DaemonSet"}


def leader_worker_set(deployment: Deployment, work: Work, style: Style) -> Document:
    """Return a LeaderWorkerSet: one group of pods a replica."""
    plain = _deployment(deployment, work, work_arguments(work), None, style)["spec"]["template"]
    size = math.ceil(work.replica_devices / work.per_pod)
    return {
        "apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet", "metadata": metadata(deployment, work),
        "spec": {
            "leaderWorkerTemplate": {"size": size, "restartPolicy": "RecreateGroupOnPodRestart",
                                     "workerTemplate": plain},
            "rolloutStrategy": {"type": "RollingUpdate", "rollingUpdateConfiguration": {"maxUnavailable": 1}},
        },
    }  # fmt: skip


def bounds(work: Work) -> tuple[int, int]:
    """Return least and most replicas: the mean load of the year and the planned peak; two where there are two."""
    most = work.replicas
    least = math.ceil(most / work.peak_to_mean)
    return max(min(least, most), min(2, most)), most


def target_per_replica(work: Work) -> float:
    """Return requests per second and replica that the autoscaler holds.

    At the planned peak all planned replicas run, each at peak rate over replicas: the utilisation for which the
    planner computed the p99. Where the plan does not carry the rate, a replica's whole capacity.
    """
    if work.rate_per_s is None:
        return work.throughput / work.replicas
    return min(work.rate_per_s * work.peak_to_mean, work.throughput) / work.replicas


def autoscaler(deployment: Deployment, work: Work, target: Document) -> Document:
    """Return the HorizontalPodAutoscaler on requests per second."""
    least, most = bounds(work)
    milli = max(round(1e3 * target_per_replica(work)), 1)
    return {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata(deployment, work),
        "spec": {
            "scaleTargetRef": target, "minReplicas": least, "maxReplicas": most,
            "metrics": [
                {
                    "type": "Pods",
                    "pods": {
                        "metric": {"name": "twinloop_requests_per_second"},
                        "target": {"type": "AverageValue", "averageValue": f"{milli}m"},
                    },
                }
            ],
            "behavior": {
                # Up at once, for the latency; down slowly, for the loop's temperature.
                "scaleUp": {"stabilizationWindowSeconds": 0,
                            "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]},
                "scaleDown": {"stabilizationWindowSeconds": 300,
                              "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}]},
            },
        },
    }  # fmt: skip


def spare_replicas(work: Work) -> int:
    """Return how many replicas may be away at once: those the mean load does not need, at least one."""
    least, _ = bounds(work)
    return max(least // 10, 1)


def _budget(deployment: Deployment, work: Work, **bound: int) -> Document:
    """Return the disruption budget; a synchronous run tolerates none: suspend it, then drain.

    ``maxUnavailable`` is only for pods whose owner says how many it wants (Deployments, stateful sets); for pods of
    jobs and operators Kubernetes takes a number, ``minAvailable``, and blocks every eviction otherwise.
    """
    return {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata(deployment, work),
        "spec": {**bound, "selector": {"matchLabels": selector(deployment, work)}},
    }  # fmt: skip
