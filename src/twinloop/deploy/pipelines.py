"""Kubeflow Pipelines: a site's stages that end, as IR 2.1.0.

A task creates the stage's own job in the cluster and waits for it, under an account that may do just that: a task's
own pod would know neither several nodes nor claims, queues and the cooling of its node.
"""

from __future__ import annotations

import json

from twinloop.deploy.access import plural
from twinloop.deploy.intent import Deployment, Work
from twinloop.deploy.names import label
from twinloop.deploy.pods import IMAGE_TAG, Document, labels
from twinloop.deploy.style import Style
from twinloop.deploy.workloads import job_spec, run_metadata

SUBMIT = "submit"
"""Name of the tasks' image among those of the stages."""
SUBMITTED = "--manifest="
"""Beginning of the task's word that carries the job."""
RUNNER = ("kubeflow", "pipeline-runner")
"""Namespace and service account of pipelines' pods; under multi-user isolation a profile's and ``default-editor``."""


def pipeline(deployment: Deployment, site: str, style: Style) -> Document | None:
    """Return the pipeline of ``site``'s stages that end, ``None`` where there is none."""
    works = piped_works(deployment, site)
    if not works:
        return None
    known = {work.name: work for work in works}
    tasks = {
        work.label: {
            "taskInfo": {"name": work.label}, "componentRef": {"name": f"comp-{work.label}"}, "cachingOptions": {},
            **({"dependentTasks": [known[name].label for name in work.after if name in known]}
               if any(name in known for name in work.after) else {}),
        }
        for work in works
    }  # fmt: skip
    containers = {work.label: _submitted(deployment, work, style) for work in works}
    return {
        "pipelineInfo": {"name": label(f"{deployment.label}-{site}", 60)}, "schemaVersion": "2.1.0",
        "sdkVersion": "twinloop",
        "deploymentSpec": {"executors": {f"exec-{name}": {"container": each} for name, each in containers.items()}},
        "components": {f"comp-{name}": {"executorLabel": f"exec-{name}"} for name in containers},
        "root": {"dag": {"tasks": tasks}},
    }  # fmt: skip


def runner_role(deployment: Deployment, site: str, style: Style) -> list[Document]:
    """Return the rights of the pipeline's account: to create the jobs of its stages, and to look at them."""
    jobs = [run_of(deployment, work, style) for work in piped_works(deployment, site)]
    if not jobs:
        return []
    meta = {"name": f"{deployment.label}-pipeline", "namespace": deployment.label, "labels": labels(deployment, site)}
    kinds = sorted({(job["apiVersion"].rpartition("/")[0], plural(job["kind"])) for job in jobs})
    role, group = "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [g], "resources": [resource], "verbs": ["create", "get"]} for g, resource in kinds]
    account = {"kind": "ServiceAccount", "name": RUNNER[1], "namespace": RUNNER[0]}
    return [
        {"apiVersion": role, "kind": "Role", "metadata": meta, "rules": rules},
        {"apiVersion": role, "kind": "RoleBinding", "metadata": dict(meta), "subjects": [account],
         "roleRef": {"apiGroup": group, "kind": "Role", "name": meta["name"]}},
    ]  # fmt: skip


def piped_works(deployment: Deployment, site: str) -> list[Work]:
    """Return the stages that the pipeline starts: those that end."""
    return [work for work in deployment.at(site) if work.kind in ("preprocess", "train")]


def _submitted(deployment: Deployment, work: Work, style: Style) -> Document:
    job = run_of(deployment, work, style)
    words = [f"--resource={plural(job['kind'])}", f"{SUBMITTED}{json.dumps(job, separators=(',', ':'))}"]
    return {
        "image": submit_image(deployment), "command": ["python", "/app/submit.py"], "args": words,
        "resources": {"resourceCpuLimit": "1", "resourceMemoryLimit": "1Gi"},
    }  # fmt: skip


def submit_image(deployment: Deployment) -> str:
    """Return the image of the tasks."""
    return deployment.images.get(SUBMIT, f"{deployment.label}-{SUBMIT}:{IMAGE_TAG}")


def run_of(deployment: Deployment, work: Work, style: Style) -> Document:
    """Return the job that is one run of a stage, in the style's kind."""
    from twinloop.deploy.operators import training_documents

    if work.kind == "train" and style.training != "job":
        return training_documents(deployment, work, style)[-1]
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": run_metadata(deployment, work, style),
            "spec": job_spec(deployment, work, style)}  # fmt: skip
