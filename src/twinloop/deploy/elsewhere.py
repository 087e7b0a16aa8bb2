"""Targets without Kubernetes' own syntax: Slurm, compose, SkyPilot tasks."""

from __future__ import annotations

from twinloop.deploy.intent import Deployment, Work
from twinloop.deploy.launch import PORT, torchrun, work_arguments
from twinloop.deploy.names import label
from twinloop.deploy.pods import Document


def sbatch(work: Work) -> str:
    """Return the batch script of ``work``: one task a node, the launcher inside."""
    lines = ["#!/bin/bash", f"#SBATCH --job-name={work.label}"]
    if work.kind == "serve" and work.hardware.resource:
        # Copies share a node's devices; each listens on a port of its own.
        lines += [f"#SBATCH --ntasks={work.pods}", f"#SBATCH --gpus-per-task={work.per_pod}"]
    else:
        lines += [f"#SBATCH --nodes={work.pods}", "#SBATCH --ntasks-per-node=1", "#SBATCH --exclusive"]
        lines += [f"#SBATCH --gpus-per-node={work.per_pod}"] if work.hardware.resource else []
    lines.append(f"#SBATCH --constraint={work.hardware.label}&{label(work.cooling)}")
    if work.deadline_s is not None and work.kind != "serve":
        lines.append(f"#SBATCH --time={int(-(-work.deadline_s // 60))}")
    lines += ["set -euo pipefail", f"cd images/{work.label}", 'export NODES="$SLURM_NNODES"']
    if work.kind == "train":
        lines.append('head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p)')
        command = " ".join(torchrun(work, "$head", "$SLURM_NODEID"))
        lines.append(f"srun bash -c 'head=$0; NODE_RANK=$SLURM_NODEID exec {command}' \"$head\"")
    else:
        words = [word.replace("--port=8080", "--port=$((8080 + SLURM_LOCALID))") for word in work_arguments(work)]
        lines.append(f"srun bash -c 'NODE_RANK=$SLURM_NODEID exec {' '.join(words)}'")
    return "\n".join(lines) + "\n"


def compose(deployment: Deployment) -> Document:
    """Return one machine's file: each stage once, one process; for trying the images, not for the planned speed."""
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
    return {"services": services, "volumes": {"data": {}, "artefacts": {}}}


def accelerator(device: str) -> str:
    """Return SkyPilot's name of a device: its model, with the memory where that tells two apart.

    >>> accelerator("H100-SXM-80GB"), accelerator("A100-SXM-80GB"), accelerator("MI300X")
    ('H100', 'A100-80GB', 'MI300X')
    """
    model = device.split("-")[0]
    return "A100-80GB" if model == "A100" and "80GB" in device else model


def sky_task(work: Work) -> Document:
    """Return a SkyPilot task; its node list and rank take the place of the planned hosts."""
    resources: Document = {"cpus": f"{work.hardware.cores}+"}
    if work.hardware.resource:
        resources["accelerators"] = f"{accelerator(work.hardware.device)}:{work.per_pod}"
    if work.kind == "serve":
        resources["ports"] = 8080
    command = work_arguments(work)
    head = ""
    if work.kind == "train":
        head = 'head=$(echo "$SKYPILOT_NODE_IPS" | sed -n 1p)\n'
        command = torchrun(work, '"$head"', '"$SKYPILOT_NODE_RANK"')
    ready = "python -m pip install --no-cache-dir numpy" + (" torch" if work.kind == "train" else "")
    return {
        "name": work.label, "workdir": f"images/{work.label}", "num_nodes": work.pods, "resources": resources,
        "envs": {"NODES": str(work.pods)}, "setup": f"set -e\n{ready}\n",
        "run": f"set -e\nexport NODE_RANK=\"$SKYPILOT_NODE_RANK\"\n{head}{' '.join(command)}\n",
    }  # fmt: skip
