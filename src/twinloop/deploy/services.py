"""Serving under others' controllers: KServe, KEDA; devices by claims (DRA)."""

from __future__ import annotations

from twinloop.deploy.intent import Deployment, Hardware, Work
from twinloop.deploy.names import key
from twinloop.deploy.pods import Document, labels, nvlink_claim
from twinloop.deploy.workloads import bounds, metadata, target_per_replica
from twinloop.errors import InputError

PROMETHEUS = "http://prometheus-operated.monitoring.svc:9090"
"""Where KEDA asks for metrics; edit to yours."""


KSERVE = {"serving.kserve.io/deploymentMode": "Standard", "serving.kserve.io/autoscalerClass": "external"}
MODELS = "/mnt/models"
"""Where KServe puts a model."""
POD_FIELDS = (
    "serviceAccountName", "automountServiceAccountToken", "enableServiceLinks", "priorityClassName", "securityContext",
    "nodeSelector", "tolerations", "topologySpreadConstraints", "resourceClaims",
)  # fmt: skip
"""Fields of a pod that a predictor takes; volumes and containers are the runtime's."""


def inference_service(deployment: Deployment, work: Work, template: Document) -> list[Document]:
    """Return a ServingRuntime around our own server and the InferenceService that uses it.

    In KServe's standard mode, so that the pods stay as planned (Knative knows neither their shutdown hook nor most
    of their placement); KServe makes deployment and service, and leaves scaling to the scaler beside it.
    """
    least, most = bounds(work)
    pod = template["spec"]
    container = {**pod["containers"][0], "name": "kserve-container"}
    container["command"] = [w if not w.startswith("--artefacts=") else f"--artefacts={MODELS}" for w in
                            container["command"]]  # fmt: skip
    container["ports"] = [{"name": "http1", "containerPort": 8080, "protocol": "TCP"}]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        container[probe] = {**container[probe], "httpGet": {**container[probe]["httpGet"], "port": "http1"}}
    container["volumeMounts"] = [each for each in container["volumeMounts"] if each["name"] in ("tmp", "shm")]
    # The service's word on resources counts; the runtime only says how to serve.
    amounts = container.pop("resources")
    runtime = {
        "apiVersion": "serving.kserve.io/v1alpha1", "kind": "ServingRuntime", "metadata": metadata(deployment, work),
        "spec": {
            "supportedModelFormats": [{"name": "torchscript", "version": "1", "autoSelect": False}],
            "multiModel": False, "containers": [container],
            "volumes": [each for each in pod["volumes"] if each["name"] in ("tmp", "shm")],
        },
    }  # fmt: skip
    claim = next(v["persistentVolumeClaim"]["claimName"] for v in pod["volumes"] if v["name"] == "artefacts")
    predictor = {
        **{name: pod[name] for name in POD_FIELDS if name in pod},
        "minReplicas": least, "maxReplicas": most, "labels": labels(deployment, work.site, work),
        "annotations": template["metadata"]["annotations"],
        "model": {"modelFormat": {"name": "torchscript"}, "runtime": work.label,
                  "storageUri": f"pvc://{claim}/{work.model_folder}", "resources": amounts},
    }  # fmt: skip
    meta = metadata(deployment, work)
    meta["annotations"] = meta["annotations"] | KSERVE
    service = {
        "apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService",
        "metadata": meta, "spec": {"predictor": predictor},
    }  # fmt: skip
    return [runtime, service]


def scaled_object(deployment: Deployment, work: Work, target: Document) -> Document:
    """Return KEDA's ScaledObject on the servers' own metric, by the same bounds and target as an autoscaler's."""
    least, most = bounds(work)
    query = (
        f'sum(twinloop_requests_per_second{{namespace="{deployment.label}",'
        f'pod=~"{work.label}-.*"}})'
    )  # fmt: skip
    trigger = {"type": "prometheus", "metricType": "AverageValue", "metadata": {
        "serverAddress": PROMETHEUS, "query": query, "threshold": f"{target_per_replica(work):.6g}"}}  # fmt: skip
    return {
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": metadata(deployment, work),
        "spec": {
            "scaleTargetRef": dict(target), "minReplicaCount": least, "maxReplicaCount": most, "pollingInterval": 15,
            "cooldownPeriod": 300, "triggers": [trigger],
            # Without metrics the planned peak runs: latency first.
            "fallback": {"failureThreshold": 4, "replicas": most},
        },
    }  # fmt: skip


DRIVERS = {"nvidia.com/gpu": "gpu.nvidia.com", "amd.com/gpu": "gpu.amd.com"}
"""Device classes of the makers' DRA drivers, by the extended resource that they replace."""


def driver_of(hardware: Hardware) -> str:
    """Return the device class of ``hardware``.

    Raises:
        InputError: its maker's driver is not known here.
    """
    if hardware.resource not in DRIVERS:
        raise InputError(f"--devices dra: got {hardware.device}, expected devices of {', '.join(DRIVERS)}")
    return DRIVERS[hardware.resource]


def claim_template(deployment: Deployment, work: Work) -> Document:
    """Return the claim of one pod: exactly its devices, of the maker's class."""
    meta = metadata(deployment, work, f"{work.label}-devices")
    request = {"name": "devices", "exactly": {"deviceClassName": driver_of(work.hardware),
                                              "allocationMode": "ExactCount", "count": work.per_pod}}  # fmt: skip
    return {
        "apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaimTemplate", "metadata": meta,
        "spec": {"spec": {"devices": {"requests": [request]}}},
    }  # fmt: skip


def compute_domain(deployment: Deployment, work: Work) -> Document:
    """Return the ComputeDomain that opens NVLink memory between the trays on which the pods of ``work`` land.

    ``numNodes: 0``: daemons follow the pods, as its schema advises (NVIDIA's DRA driver 25.8, resource.nvidia.com).
    """
    return {
        "apiVersion": "resource.nvidia.com/v1beta1", "kind": "ComputeDomain",
        "metadata": metadata(deployment, work, nvlink_claim(work)),
        "spec": {"numNodes": 0, "channel": {"resourceClaimTemplate": {"name": nvlink_claim(work)}}},
    }  # fmt: skip


DEVICE_TAINTS_FROM = 33
"""Minor version of Kubernetes from which DeviceTaintRule exists, behind a feature gate."""


def device_taint_rule(minor: int, name: str, pool: str, device: str, *, driver: str, effect: str) -> Document:
    """Return the rule that keeps pods off one hot device, in the version that Kubernetes 1.``minor`` serves.

    v1alpha3 from 1.33, v1beta2 in 1.36, v1 from 1.37 (published schemas).

    >>> [device_taint_rule(m, "a", "n1", "gpu-0", driver="gpu.nvidia.com", effect="NoSchedule")["apiVersion"]
    ...  for m in (33, 36, 37)]
    ['resource.k8s.io/v1alpha3', 'resource.k8s.io/v1beta2', 'resource.k8s.io/v1']
    """
    version = "v1" if minor >= 37 else "v1beta2" if minor == 36 else "v1alpha3"
    return {
        "apiVersion": f"resource.k8s.io/{version}", "kind": "DeviceTaintRule", "metadata": {"name": name},
        "spec": {
            "deviceSelector": {"driver": driver, "pool": pool, "device": device},
            "taint": {"key": key("derated"), "value": "hot", "effect": effect},
        },
    }  # fmt: skip
