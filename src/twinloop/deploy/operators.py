"""Training under operators: JobSet, Kubeflow (Trainer 2, Training Operator 1, MPI); KubeRay's kinds are in `rays`.

Each is one run, named by its plan: operators make most of their fields immutable, so a new plan is a new object.
A stage with a period carries its schedule in an annotation, for the pipeline that starts the runs.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

from twinloop.deploy.intent import Deployment, Work
from twinloop.deploy.launch import PORT, TRAIN_GRACE_S, layout_arguments, torchrun
from twinloop.deploy.names import key
from twinloop.deploy.pods import Document, labels, pod_spec
from twinloop.deploy.style import Style
from twinloop.deploy.workloads import RETRIES, attached, metadata, run_metadata, run_name
from twinloop.errors import InputError


def training_documents(deployment: Deployment, work: Work, style: Style) -> list[Document]:
    """Return the objects that run one training stage under an operator."""
    from twinloop.deploy.rays import ray_job

    makers: dict[str, Callable[[Deployment, Work, Style], list[Document]]] = {
        "jobset": _jobset, "trainjob": _trainjob, "pytorchjob": _pytorchjob,
        "tfjob": _hostjob, "jaxjob": _hostjob, "mpijob": _mpijob, "rayjob": ray_job,
    }  # fmt: skip
    return makers[style.training](deployment, work, style)


def run_template(deployment: Deployment, work: Work, style: Style, command: list[str], name: str) -> Document:
    """Return the template of a run's pods; ``name`` is what the operator calls its container."""
    spec = pod_spec(deployment, work, command, style=style)
    spec["restartPolicy"] = "Never"
    spec["containers"][0]["name"] = name
    spec["terminationGracePeriodSeconds"] = TRAIN_GRACE_S
    notes = attached(work, style)
    return {"metadata": {"labels": labels(deployment, work.site, work), "annotations": notes}, "spec": spec}


def program(work: Work) -> list[str]:
    """Return train.py and its arguments, the rendezvous left to the operator's environment."""
    return [
        "train.py", *layout_arguments(work), f"--backend={work.hardware.backend}", "--data=/data",
        "--checkpoint=/artefacts", f"--stage={work.label}",
    ]  # fmt: skip


def deadline(work: Work) -> dict[str, int]:
    """Return the field that ends a run at its deadline, none where there is none."""
    return {} if work.deadline_s is None else {"activeDeadlineSeconds": math.ceil(work.deadline_s)}


def _jobset(deployment: Deployment, work: Work, style: Style) -> list[Document]:
    name = run_name(deployment, work)
    master = f"{name}-node-0-0.{name}" if work.pods > 1 else "127.0.0.1"
    template = run_template(deployment, work, style, torchrun(work, master), work.kind)
    rank = {"name": "NODE_RANK", "valueFrom": {"fieldRef": {
        "fieldPath": "metadata.annotations['batch.kubernetes.io/job-completion-index']"}}}  # fmt: skip
    template["spec"]["containers"][0]["env"].append(rank)
    job = {"parallelism": work.pods, "completions": work.pods, "completionMode": "Indexed", "backoffLimit": 0,
           **deadline(work), "template": template}  # fmt: skip
    spec: Document = {
        # All pods restart together, from the checkpoint: a synchronous run with one pod missing stands still.
        "failurePolicy": {"maxRestarts": RETRIES, "restartStrategy": "Recreate"},
        "network": {"enableDNSHostnames": True, "publishNotReadyAddresses": True},
        "replicatedJobs": [{"name": "node", "replicas": 1, "template": {"spec": job}}],
        **({"suspend": True} if style.queued else {}),
    }  # fmt: skip
    meta = run_metadata(deployment, work, style)
    return [{"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": meta, "spec": spec}]


def _trainjob(deployment: Deployment, work: Work, style: Style) -> list[Document]:
    """Return a runtime (pods as planned) and the job that uses it; Trainer gives torchrun its rendezvous."""
    torch = style.framework == "torch"
    expect_directions(work, style)
    command = ["torchrun" if torch else "python", *program(work)]
    template = run_template(deployment, work, style, command, "node")
    inside = {"template": template, "backoffLimit": 0, "parallelism": 1, "completions": 1}
    runtime_meta = metadata(deployment, work)
    runtime_meta["labels"] = runtime_meta["labels"] | {"trainer.kubeflow.org/framework": style.framework}
    step = {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}}
    runtime = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainingRuntime", "metadata": runtime_meta,
        "spec": {
            "mlPolicy": {"numNodes": work.pods, style.framework: {}},
            "template": {"spec": {
                "failurePolicy": {"maxRestarts": RETRIES},
                "replicatedJobs": [{"name": "node", "template": {"metadata": step, "spec": inside}}],
            }},
        },
    }  # fmt: skip
    container = template["spec"]["containers"][0]
    job = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob",
        "metadata": run_metadata(deployment, work, style),
        "spec": {
            "runtimeRef": {"apiGroup": "trainer.kubeflow.org", "kind": "TrainingRuntime", "name": work.label},
            "trainer": {
                "image": container["image"], "command": command[:1], "args": command[1:], "numNodes": work.pods,
                **({"numProcPerNode": work.per_pod} if torch else {}),
                "resourcesPerNode": copy.deepcopy(container["resources"]),
            },
            **deadline(work), **({"suspend": True} if style.queued else {}),
        },
    }  # fmt: skip
    return [runtime, job]


def _run_policy(work: Work, style: Style) -> Document:
    return {"cleanPodPolicy": "Running", "backoffLimit": RETRIES, **deadline(work),
            **({"suspend": True} if style.queued else {})}  # fmt: skip


def _pytorchjob(deployment: Deployment, work: Work, style: Style) -> list[Document]:
    """Return a PyTorchJob of workers alone, which find each other at the first.

    Beside a master the operator gives workers an init container without a security context, which a restricted
    namespace refuses. Least and most are the planned nodes: nothing here is elastic.
    """
    template = run_template(deployment, work, style, ["torchrun", *program(work)], "pytorch")
    del template["spec"]["restartPolicy"]  # the replica's word counts
    # A worker may start minutes before the first is there: images are pulled on each node.
    patience = [{"key": name, "value": str(PATIENCE_S)} for name in ("read_timeout", "join_timeout")]
    together = {"minReplicas": work.pods, "maxReplicas": work.pods, "maxRestarts": RETRIES, "rdzvBackend": "c10d",
                "rdzvPort": PORT, "rdzvConf": patience}  # fmt: skip
    replicas = {"Worker": {"replicas": work.pods, "restartPolicy": "OnFailure", "template": template}}
    return [{
        "apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": run_metadata(deployment, work, style),
        "spec": {"nprocPerNode": str(work.per_pod), "elasticPolicy": together,
                 "runPolicy": _run_policy(work, style), "pytorchReplicaSpecs": replicas},
    }]  # fmt: skip


PATIENCE_S = 900
"""Time for all workers of a run to come to its rendezvous."""


DIRECTIONS = {"torch": ("data", "tensor", "pipeline"), "jax": ("data", "tensor"), "tensorflow": ("data",)}
"""Directions of parallelism that the programs know."""


def expect_directions(work: Work, style: Style) -> None:
    """Refuse a layout that the framework's program does not know.

    Raises:
        InputError: it has a direction besides those.
    """
    known = DIRECTIONS[style.framework]
    asked = {name: getattr(work.parallelism, name) for name in ("data", "tensor", "pipeline", "context", "expert")}
    if style.framework != "torch" and any(size > 1 for name, size in asked.items() if name not in known):
        raise InputError(
            f"--framework {style.framework}: stage {work.name}: got {asked}, expected only {' × '.join(known)}: plan "
            "with another layout, or deploy with torch"
        )


def _hostjob(deployment: Deployment, work: Work, style: Style) -> list[Document]:
    """Return a TFJob or JAXJob: one process a host, which finds the others by what the operator writes beside it."""
    expect_directions(work, style)
    kind, part = {"tensorflow": ("TFJob", "tfReplicaSpecs"), "jax": ("JAXJob", "jaxReplicaSpecs")}[style.framework]
    template = run_template(deployment, work, style, ["python", *program(work)], style.framework)
    del template["spec"]["restartPolicy"]  # the replica's word counts
    if style.framework == "jax":
        template["spec"]["containers"][0]["ports"] = [{"name": "jaxjob-port", "containerPort": 6666}]
    replicas = {"Worker": {"replicas": work.pods, "restartPolicy": "OnFailure", "template": template}}
    return [{
        "apiVersion": "kubeflow.org/v1", "kind": kind, "metadata": run_metadata(deployment, work, style),
        "spec": {"runPolicy": _run_policy(work, style), part: replicas},
    }]  # fmt: skip


MPI_KEYS = "/etc/mpi-keys"
"""Where the operator mounts the keys of a run: a folder that no image and no home of a user has anything in."""
SSH_PORT = 2222
SSHD = [
    "/usr/sbin/sshd", "-De", "-f", "/dev/null", f"-oPort={SSH_PORT}", f"-oHostKey={MPI_KEYS}/id_rsa",
    f"-oAuthorizedKeysFile={MPI_KEYS}/authorized_keys", "-oStrictModes=no", "-oPidFile=none",
]  # fmt: skip
"""The daemon as a plain user; a mounted key belongs to root and may be read by all, which strict modes refuse."""
SSH = (
    f"-i {MPI_KEYS}/id_rsa -p {SSH_PORT} -o ConnectionAttempts=10 -o StrictHostKeyChecking=no "
    "-o UserKnownHostsFile=/dev/null"
)
"""How mpirun reaches it; the operator's own words for this (tried ten times) are replaced by those of the command."""
HOROVOD = "for images that have it: it does not build against today's torch (0.28.1 asks for C++14, torch 2.13 for 17)"


def _mpijob(deployment: Deployment, work: Work, style: Style) -> list[Document]:
    """Return an MPIJob: one rank a device by mpirun. The image needs Open MPI and sshd; for Horovod, your program.

    Rank 0 stands on the first worker, whose name the operator makes from the job's.
    """
    first = f"{run_name(deployment, work)}-worker-0.{run_name(deployment, work)}"
    command = ["mpirun", "-np", str(work.pods * work.per_pod), "--mca", "plm_rsh_args", SSH, "-x",
               f"MASTER_ADDR={first}", "-x", f"MASTER_PORT={PORT}", "python", *program(work)]  # fmt: skip
    launcher = run_template(deployment, work, style, command, "launcher")
    # The launcher only starts the others: no device, a processor.
    amounts = {"cpu": "1", "memory": "1Gi"}
    launcher["spec"]["containers"][0]["resources"] = {"requests": dict(amounts), "limits": dict(amounts)}
    launcher["spec"].pop("resourceClaims", None)
    worker = run_template(deployment, work, style, list(SSHD), "worker")
    # The operator's base images give sshd this capability in its file: without it in the pod the daemon cannot start.
    worker["spec"]["containers"][0]["securityContext"]["capabilities"]["add"] = ["NET_BIND_SERVICE"]
    for template in (launcher, worker):
        del template["spec"]["restartPolicy"]
    meta = run_metadata(deployment, work, style)
    meta["annotations"] = meta["annotations"] | {key("horovod"): HOROVOD}
    return [{
        "apiVersion": "kubeflow.org/v2beta1", "kind": "MPIJob", "metadata": meta,
        "spec": {
            "slotsPerWorker": work.per_pod, "mpiImplementation": "OpenMPI",
            # The default is root's home, and no pod here is root's.
            "sshAuthMountPath": MPI_KEYS, "runPolicy": _run_policy(work, style),
            "mpiReplicaSpecs": {
                "Launcher": {"replicas": 1, "restartPolicy": "OnFailure", "template": launcher},
                "Worker": {"replicas": work.pods, "restartPolicy": "Never", "template": worker},
            },
        },
    }]  # fmt: skip
