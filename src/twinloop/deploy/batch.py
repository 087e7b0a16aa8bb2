"""Slurm: a batch script a stage, one that submits a round in its order, and the entries of Slurm's own cron."""

from __future__ import annotations

import shlex

from twinloop.deploy.intent import Deployment, Work
from twinloop.deploy.launch import TRAIN_GRACE_S, torchrun, work_arguments
from twinloop.deploy.names import label
from twinloop.deploy.pods import IMAGE_TAG, cpu_and_memory
from twinloop.deploy.schedule import cron, start_s
from twinloop.deploy.workloads import RETRIES

DEVICES = {"nvidia.com/gpu": " --nv", "amd.com/gpu": " --rocm"}
"""Apptainer's option that lets a maker's devices in."""


def batch_files(deployment: Deployment) -> dict[str, str]:
    """Return every file of the target below ``slurm/``."""
    made = {f"slurm/{work.label}.sbatch": sbatch(deployment, work) for work in deployment.works}
    ending = [work for work in deployment.works if work.kind in ("preprocess", "train")]
    if ending:
        made["slurm/submit.sh"] = _round(ending)
    if any(work.every_s is not None for work in ending):
        made["slurm/scrontab"] = _recurring(ending, deployment.works)
    return made


def sbatch(deployment: Deployment, work: Work) -> str:
    """Return the batch script of ``work``: by Apptainer the image on each node, in it the launcher."""
    lines = ["#!/bin/bash", f"#SBATCH --job-name={job_name(deployment, work)}",
             *(f"#SBATCH --{each}" for each in _options(work))]  # fmt: skip
    given = deployment.images.get(work.label)
    image = f"docker://{given}" if given else f"$PWD/images/{work.label}.sif"
    lines += [
        "set -euo pipefail", ': "${DATA:?the folder of the data}" "${ARTEFACTS:?the folder of models and checkpoints}"',
        f'image="${{IMAGE:-{image}}}"', 'export NODES="$SLURM_NNODES"',
    ]  # fmt: skip
    inside = f'apptainer exec{DEVICES.get(work.hardware.resource or "", "")} --pwd /app --bind "$DATA:/data" --bind '
    inside += '"$ARTEFACTS:/artefacts" "$image"'
    if work.kind == "train":
        lines.append('head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p)')
        command = " ".join(torchrun(work, "$head", "$SLURM_NODEID"))
        lines += [*TOLD, f"srun {inside} bash -c 'head=$0; exec {command}' \"$head\" &", *ENDED]
    else:
        words = [word.replace("--port=8080", "--port=$((8080 + SLURM_LOCALID))") for word in work_arguments(work)]
        lines.append(f"srun {inside} bash -c 'NODE_RANK=$SLURM_NODEID exec {' '.join(words)}'")
    return "\n".join(lines) + "\n"


def job_name(deployment: Deployment, work: Work) -> str:
    """Return the job's name: ``singleton`` counts a user's jobs by it, so that it is the plan's too."""
    return f"{deployment.label}-{work.label}"


TOLD = (
    "told=0",
    # Of a signal of its own, since whoever cancels the job sends TERM and wants no more of it. Slurm gives it to this
    # script alone: srun would end its tasks at once where it is told to stop.
    "trap 'told=1; scancel --signal=TERM \"$SLURM_JOB_ID\"' USR1",
)
"""Before its time is up the program is told to stop, and writes a checkpoint."""
ENDED = (
    'wait "$!" && code=0 || code=$?',
    'if [ "$told" = 1 ]; then wait "$!" && code=0 || code=$?; fi  # the first wait ended by the signal',
    '[ "$code" != 0 ] || exit 0',
    # Slurm requeues by itself what a node or another job ended, and nothing that ended at its limit or by a failure.
    f'[ "$told" = 1 ] || [ "${{SLURM_RESTART_COUNT:-0}}" -lt {RETRIES} ] || exit "$code"',
    'scontrol requeue "$SLURM_JOB_ID"  # the same job, and so the same run: it goes on from its checkpoint',
)
"""A run that is not done comes again, after a failure at most so often."""


def _options(work: Work) -> list[str]:
    """Return sbatch's options: the planned nodes whole, or of served copies each its share of a node."""
    device = work.hardware.resource is not None
    if work.kind == "serve" and not work.everywhere:
        # Copies share a node; each listens on a port of its own.
        cpu, memory = cpu_and_memory(work.hardware, work.per_pod)
        options = [f"ntasks={work.pods if device else work.replicas}"]
        options += [f"gpus-per-task={work.per_pod}"] if device else []
        options += [f"cpus-per-task={cpu}", f"mem-per-cpu={int(memory.removesuffix('Gi')) * 1024 // int(cpu)}M"]
    else:
        options = [f"nodes={work.pods}", "ntasks-per-node=1", "exclusive", "mem=0"]
        options += [f"gpus-per-node={work.per_pod}"] if device else []
    options.append(f"constraint={work.hardware.label}&{label(work.cooling)}")
    if work.deadline_s is not None and work.kind != "serve":
        options.append(f"time={int(-(-work.deadline_s // 60))}")
    if work.kind == "train":
        options += [f"signal=B:USR1@{TRAIN_GRACE_S}", "requeue", "open-mode=append"]
    return options


def _round(ending: list[Work]) -> str:
    """Return the script that submits one run of each stage that ends, each after those before it."""
    lines = ["#!/bin/bash", "# One round: a stage starts when those before it have ended well.", "set -euo pipefail",
             'cd "$(dirname "$0")/.."', "declare -A job"]  # fmt: skip
    known = {work.name: work for work in ending}
    for work in _in_order(ending):
        before = [f"${{job[{known[name].label}]}}" for name in work.after if name in known]
        # What waits for a job that failed would wait for ever, and hold up all later rounds.
        waits = f'"afterok:{":".join(before)},singleton" --kill-on-invalid-dep=yes' if before else "singleton"
        lines.append(f"job[{work.label}]=$(sbatch --parsable --dependency={waits} slurm/{work.label}.sbatch)")
        lines.append(f'echo "{work.label}: ${{job[{work.label}]}}"')
    return "\n".join(lines) + "\n"


def _in_order(works: list[Work]) -> list[Work]:
    """Return ``works``, each after those that stand before it."""
    left, names, made = list(works), {work.name for work in works}, []
    while left:
        ready = [w for w in left if not any(name in names for name in w.after)] or left[:1]
        made += ready
        names -= {work.name for work in ready}
        left = [work for work in left if work not in ready]
    return made


def _recurring(ending: list[Work], works: tuple[Work, ...]) -> str:
    """Return entries for ``scrontab``: each submits its stage where the run before it has ended."""
    lines = ["# scrontab slurm/scrontab, after setting these; each entry submits a run of its stage.",
             "FOLDER=/path/of/this/folder", "DATA=/path/of/the/data", "ARTEFACTS=/path/of/the/artefacts"]  # fmt: skip
    for work in ending:
        if work.every_s is not None:
            submit = f"sbatch --dependency=singleton slurm/{work.label}.sbatch"
            lines += ["#SCRON --time=5", f"{cron(work.every_s, start_s(work, works))} cd \"$FOLDER\" && "
                      f"DATA=\"$DATA\" ARTEFACTS=\"$ARTEFACTS\" {submit}"]  # fmt: skip
    return "\n".join(lines) + "\n"


def image_lines(deployment: Deployment) -> str:
    """Return the shell lines that make the images that no registry holds."""
    return "".join(
        f"docker build -t {shlex.quote(f'{deployment.label}-{work.label}:{IMAGE_TAG}')} images/{work.label}\n"
        f"apptainer build images/{work.label}.sif docker-daemon:{deployment.label}-{work.label}:{IMAGE_TAG}\n"
        for work in deployment.works if work.label not in deployment.images
    )  # fmt: skip
