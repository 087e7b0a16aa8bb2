"""A plan to a folder of files: one function, the same bytes every time."""

from __future__ import annotations

from twinloop.deploy.access import access_documents
from twinloop.deploy.bundle import ACCESS
from twinloop.deploy.cooling import Flavor, flavors, hosts, node_labels
from twinloop.deploy.images import dockerfile, entry_point
from twinloop.deploy.intent import Deployment, Work
from twinloop.deploy.launch import PORT, torchrun, work_arguments
from twinloop.deploy.names import label
from twinloop.deploy.platform import namespace, site_documents
from twinloop.deploy.pods import Document
from twinloop.deploy.queueing import queue_documents
from twinloop.deploy.workloads import stage_documents
from twinloop.deploy.yaml_text import dump

TARGETS = ("k8s", "slurm", "compose")


def render(deployment: Deployment, target: str, *, queued: bool) -> dict[str, str]:
    """Return relative path -> text of every file for ``target``.

    Raises:
        InfeasibleError: a job does not fit the heat or power of its site.
    """
    made: dict[str, str] = {}
    for work in deployment.works:
        made[f"images/{work.label}/Dockerfile"] = dockerfile(work)
        made[f"images/{work.label}/{work.kind}.py"] = entry_point(work)
        made[f"images/{work.label}/.dockerignore"] = f"*\n!{work.kind}.py\n"
    if target == "slurm":
        made |= {f"slurm/{work.label}.sbatch": _sbatch(work) for work in deployment.works}
    elif target == "compose":
        made["compose.yaml"] = dump(_compose(deployment))
    else:
        for site in deployment.sites:
            found = flavors(deployment, site)
            made |= _site_files(deployment, site.name, found, queued=queued)
            rows = [f"{host.name},{','.join(f'{k}={v}' for k, v in node_labels(host))}" for host in
                    hosts(deployment, site)]  # fmt: skip
            made[f"sites/{label(site.name)}/nodes.csv"] = "\n".join(rows) + "\n"
    made["README.md"] = _readme(deployment, target, queued=queued)
    return dict(sorted(made.items()))


def _site_files(deployment: Deployment, site: str, found: tuple[Flavor, ...], *, queued: bool) -> dict[str, str]:
    folder = f"sites/{label(site)}"
    documents: dict[str, list[Document]] = {"platform.yaml": site_documents(deployment, site, found)}
    if queued:
        documents["queue.yaml"] = queue_documents(deployment, site, found)
    for work in deployment.at(site):
        documents[f"stage-{work.label}.yaml"] = stage_documents(deployment, work, queued=queued)
    whole = [each for some in documents.values() for each in some]
    documents = {ACCESS: access_documents(deployment, site, namespace(deployment, site), whole), **documents}
    layer = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": list(documents),
        "images": [{"name": f"{deployment.label}-{work.label}", "newName": f"{deployment.label}-{work.label}",
                    "newTag": "0.1.0"} for work in deployment.at(site)],
    }  # fmt: skip
    made = {f"{folder}/{name}": dump(*each) for name, each in documents.items()}
    return made | {f"{folder}/kustomization.yaml": dump(layer)}


def _sbatch(work: Work) -> str:
    lines = ["#!/bin/bash", f"#SBATCH --job-name={work.label}", f"#SBATCH --nodes={work.pods}",
             "#SBATCH --ntasks-per-node=1", "#SBATCH --exclusive"]  # fmt: skip
    if work.hardware.resource:
        lines.append(f"#SBATCH --gpus-per-node={work.per_pod}")
    lines.append(f"#SBATCH --constraint={work.hardware.label}&{label(work.cooling)}")
    if work.deadline_s is not None and work.kind != "serve":
        lines.append(f"#SBATCH --time={int(-(-work.deadline_s // 60))}")
    lines += ["set -euo pipefail", f"cd images/{work.label}", 'export NODES="$SLURM_NNODES"']
    if work.kind == "train":
        lines.append('head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)')
        command = " ".join(torchrun(work, '"$head"', "'\"$SLURM_NODEID\"'"))
        lines.append(f"srun bash -c 'head=$0; NODE_RANK=$SLURM_NODEID exec {_inner(command)}' \"$head\"")
    else:
        lines.append(f"srun bash -c 'NODE_RANK=$SLURM_NODEID exec {' '.join(work_arguments(work))}'")
    return "\n".join(lines) + "\n"


def _inner(command: str) -> str:
    return command.replace("'\"$SLURM_NODEID\"'", "$SLURM_NODEID")


def _compose(deployment: Deployment) -> Document:
    """One machine: each stage once, one process; for trying the images, not for the planned speed."""
    services: Document = {}
    for work in deployment.works:
        command = work_arguments(work)
        if work.kind == "train":
            command = ["torchrun", "--nproc-per-node=1", f"--master-port={PORT}", "train.py", "--data=/data",
                       "--checkpoint=/artefacts", f"--stage={work.name}"]  # fmt: skip
        services[work.label] = {
            "build": {"context": f"images/{work.label}"}, "entrypoint": command, "read_only": True,
            "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "tmpfs": ["/tmp"],  # noqa: S108
            "volumes": ["data:/data", "artefacts:/artefacts"],
            **({"ports": ["127.0.0.1:8080:8080"]} if work.kind == "serve" else {}),
        }  # fmt: skip
    return {"name": deployment.label, "services": services, "volumes": {"data": {}, "artefacts": {}}}


def _readme(deployment: Deployment, target: str, *, queued: bool) -> str:
    sites = "\n".join(
        f"kubectl apply -f sites/{label(site.name)}/access.yaml   # once, by an administrator\n"
        f"twinloop deploy apply . --site {label(site.name)} --dry-run   # then --yes"
        for site in deployment.sites
    )
    run = {
        "k8s": f"```\n{sites}\n```\n",
        "slurm": "```\nsbatch slurm/STAGE.sbatch\n```\n",
        "compose": "```\ndocker compose up --build\n```\n",
    }[target]
    kueue = "- Kueue 0.19 or newer with topology-aware scheduling must be installed.\n" if queued else ""
    return (
        f"# {deployment.name}\n\nWritten by twinloop from plan {deployment.plan_hash}. Same plan, same bytes.\n\n"
        f"{run}\n"
        "## What to change\n\n"
        "- Build `images/*` with your base (`--build-arg BASE_IMAGE=…@sha256:…`), push, and put registry and digest "
        "into `images:` of each kustomization.\n"
        "- `nodes.csv` names hosts as planned: label your real nodes so (hall, cooling loop, rack, accelerator, "
        "cooling).\n"
        "- Claims ask for ReadWriteMany of the default storage class.\n"
        "- The autoscaler reads the pods' metric `twinloop_requests_per_second`: install a metrics adapter.\n"
        '- Clients of a served model need the label `twinloop.dev/client: "true"` on their namespace.\n'
        f"{kueue}"
    )
