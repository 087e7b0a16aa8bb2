"""Targets without Kubernetes' own syntax: compose for trying the images, SkyPilot tasks and services."""

from __future__ import annotations

from twinloop.deploy.images import NUMPY, TORCH
from twinloop.deploy.intent import Deployment, Work
from twinloop.deploy.launch import PATIENCE, PORT, TRAIN_GRACE_S, layout_arguments, torchrun, work_arguments
from twinloop.deploy.names import label
from twinloop.deploy.pods import Document, cpu_and_memory
from twinloop.deploy.workloads import SERVE_PORT, bounds, target_per_replica

FIRST_PORT = 8080
"""Of the machine on which compose runs; the next served stage takes the next."""


def compose(deployment: Deployment) -> Document:
    """Return one machine's file: each stage once, one process; for trying the images, not for the planned speed."""
    served = [work.label for work in deployment.works if work.kind == "serve"]
    services: Document = {}
    for work in deployment.works:
        made: Document = {
            "build": {"context": f"images/{work.label}"}, "entrypoint": _one_process(work), "read_only": True,
            "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "tmpfs": ["/tmp"],  # noqa: S108
            "environment": {"HOME": "/tmp"}, "volumes": ["data:/data", "artefacts:/artefacts"],  # noqa: S108
            **_one_device(work),
        }  # fmt: skip
        before = {
            each.label: {"condition": "service_started" if each.kind == "ingest" else "service_completed_successfully"}
            for each in deployment.works if each.name in work.after and each.kind != "serve"
        }  # fmt: skip
        if before and work.kind != "serve":  # a server waits for its model by itself
            made["depends_on"] = before
        if work.kind == "train":
            made["stop_grace_period"] = f"{TRAIN_GRACE_S}s"
        if work.kind == "serve":
            made["ports"] = [f"127.0.0.1:{FIRST_PORT + served.index(work.label)}:{SERVE_PORT}"]
            ask = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{SERVE_PORT}/readyz')"
            made["healthcheck"] = {"test": ["CMD", "python", "-c", ask], "interval": "10s", "start_period": "60s"}
        services[work.label] = made
    return {"services": services, "volumes": {"data": {}, "artefacts": {}}}


def _one_process(work: Work) -> list[str]:
    """Return the stage's command for one process: the planned sizes, one data-parallel rank's share of the batch."""
    if work.kind != "train":
        return work_arguments(work)
    if work.own_trainer:
        return ["python", "train.py"]
    p = work.parallelism
    alone = ("tensor-model", "pipeline-model", "context", "expert-model", "data")
    batch = p.micro_batch * max(p.batch // (p.data * p.micro_batch), 1)
    other = {f"--{name}-parallel-size": 1 for name in alone} | {"--zero": 0, "--global-batch-size": batch}
    words = [f"{flag}={other.get(flag, value)}" for flag, _, value in (w.partition("=") for w in layout_arguments(work))
             if not flag.startswith("--num-virtual")]  # fmt: skip
    return ["torchrun", "--nproc-per-node=1", f"--master-port={PORT}", "train.py", *words,
            f"--backend={work.hardware.backend}", "--data=/data", "--checkpoint=/artefacts",
            f"--stage={work.label}"]  # fmt: skip


def _one_device(work: Work) -> Document:
    """Return what lets a container have one device of the stage's maker."""
    if work.kind not in ("train", "serve"):
        return {}
    if work.hardware.resource == "nvidia.com/gpu":
        return {"deploy": {"resources": {"reservations": {"devices": [
            {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]}}}}  # fmt: skip
    if work.hardware.resource == "amd.com/gpu":
        return {"devices": ["/dev/kfd", "/dev/dri"], "group_add": ["video"]}
    return {}


def accelerator(device: str) -> str:
    """Return SkyPilot's name of a device: its model, with the memory where that tells two apart.

    >>> accelerator("H100-SXM-80GB"), accelerator("A100-SXM-80GB"), accelerator("MI300X")
    ('H100', 'A100-80GB', 'MI300X')
    """
    model = device.split("-")[0]
    return "A100-80GB" if model == "A100" and "80GB" in device else model


def infra(deployment: Deployment, site: str) -> str:
    """Return where SkyPilot may place a stage: the planned region, or the cluster of a site that is one's own."""
    place = deployment.regions.get(site)
    return f"k8s/{label(site)}" if place is None else "/".join(place)


def sky_task(deployment: Deployment, work: Work) -> Document:
    """Return a SkyPilot task on the planned nodes, or a service of SkyServe with the planned replicas."""
    serving = work.kind == "serve"
    copies = serving and not work.everywhere
    devices = work.per_pod if work.hardware.resource or copies else work.hardware.per_node
    cpu, memory = cpu_and_memory(work.hardware, devices)
    resources: Document = {"infra": infra(deployment, work.site), "cpus": f"{cpu}+",
                           "memory": f"{memory.removesuffix('Gi')}+"}  # fmt: skip
    if work.hardware.resource:
        resources["accelerators"] = f"{accelerator(work.hardware.device)}:{work.per_pod}"
    task: Document = {"name": work.label, "workdir": f"images/{work.label}"}
    buckets = {} if serving else {"/data": {"source": "${DATA}", "mode": "MOUNT"}}
    buckets["/artefacts"] = {"source": "${ARTEFACTS}", "mode": "MOUNT" if serving else "MOUNT_CACHED"}
    envs: Document = {} if serving else {"DATA": None}
    if serving:
        least, most = bounds(work)
        resources["ports"] = SERVE_PORT
        task["service"] = {
            "readiness_probe": {"path": "/readyz"},
            "replica_policy": {"min_replicas": least, "max_replicas": most,
                               "target_qps_per_replica": float(f"{target_per_replica(work):.4g}")},
        }  # fmt: skip
    else:
        task["num_nodes"] = work.pods
        envs["NODES"] = str(work.pods)
    return task | {
        "resources": resources, "envs": envs | {"ARTEFACTS": None}, "file_mounts": buckets,
        "setup": f"set -e\n{_setup(work)}\n", "run": _run(work),
    }  # fmt: skip


def _setup(work: Work) -> str:
    if work.kind not in ("train", "serve"):
        return f"python -m pip install {NUMPY}"
    if work.hardware.resource in (None, "nvidia.com/gpu"):
        return f"python -m pip install {NUMPY} {TORCH}"
    return 'python -c "import numpy, torch"  # the wheels of the index are not for this device: bring an image_id'


def _run(work: Work) -> str:
    # The task starts in its workdir, which holds what an image has in /app.
    head, command = "", [word.replace("--artefacts=/app", "--artefacts=.") for word in work_arguments(work)]
    if work.kind == "train":
        head = f'export {PATIENCE}\nhead=$(echo "$SKYPILOT_NODE_IPS" | sed -n 1p)\n'
        command = torchrun(work, '"$head"', '"$SKYPILOT_NODE_RANK"')
    return f'set -e\nexport NODE_RANK="$SKYPILOT_NODE_RANK"\n{head}{" ".join(command)}\n'
