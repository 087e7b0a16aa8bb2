"""Launcher arguments that carry the planned layout, in the words of torchrun and Megatron."""

from __future__ import annotations

from twinloop.deploy.intent import Work
from twinloop.errors import InputError

PORT = 29500
"""Rendezvous port of torchrun."""
TRAIN_GRACE_S = 120
"""Time that a training program has for its checkpoint when it is told to stop."""
PATIENCE = f"TORCH_ELASTIC_SHUTDOWN_TIMEOUT={TRAIN_GRACE_S - 10}"
"""torchrun's time between SIGTERM and SIGKILL, from torch 2.12 (30 s before and by default)."""
MODEL_FLAGS = {
    "layers": "--num-layers",
    "hidden": "--hidden-size",
    "heads": "--num-attention-heads",
    "ffn": "--ffn-hidden-size",
    "vocabulary": "--vocab-size",
    "context": "--seq-length",
}
"""Layer fields of the plan and the flag that carries each."""


def layout_arguments(work: Work) -> list[str]:
    """Return the layout: tensor, pipeline, context and expert sizes, micro and global batch, precision."""
    p = work.parallelism
    arguments = [
        f"--tensor-model-parallel-size={p.tensor}",
        f"--pipeline-model-parallel-size={p.pipeline}",
        f"--context-parallel-size={p.context}",
        f"--expert-model-parallel-size={p.expert}",
        f"--data-parallel-size={p.data}",
        f"--micro-batch-size={p.micro_batch}",
        f"--global-batch-size={p.batch}",
        f"--precision={work.precision}",
        f"--zero={p.zero}",
        f"--recompute={p.recompute}",
    ]
    # Megatron's flag; a plan without chunks keeps to flags that every launcher knows.
    arguments += [f"--num-virtual-stages-per-pipeline-rank={p.interleave}"] if p.interleave > 1 else []
    return arguments + [f"{flag}={_whole(work, name)}" for name, flag in MODEL_FLAGS.items() if name in work.network]


def _whole(work: Work, field: str) -> str:
    """Return a size of the network in digits; a plan may say it with its noun, "4096 tokens".

    Raises:
        InputError: it is no whole number.
    """
    text = work.network[field]
    number, _, noun = text.partition(" ")
    if not number.isdecimal() or (noun and not noun.isalpha()):
        raise InputError(f"plan: models.{work.network['name']}.{field}: got {text!r}, expected a whole number")
    return number


def torchrun(work: Work, master: str, rank: str = "$(NODE_RANK)") -> list[str]:
    """Return the command of one node; ``master`` is the address of node 0, ``rank`` this node's number."""
    return [
        "torchrun",
        f"--nnodes={work.pods}",
        f"--nproc-per-node={work.per_pod}",
        f"--node-rank={rank}",
        f"--master-addr={master}",
        f"--master-port={PORT}",
        "train.py",
        *layout_arguments(work),
        f"--backend={work.hardware.backend}",
        "--data=/data",
        "--checkpoint=/artefacts",
        f"--stage={work.label}",
    ]


def artefacts(work: Work) -> str:
    """Return the folder in which a serving stage finds its model."""
    return "/app" if work.everywhere else f"/artefacts/{work.model_folder}"


def work_arguments(work: Work) -> list[str]:
    """Return the command of a stage that is no training: its own entry point and what it needs."""
    if work.kind == "serve":
        return [
            "python", "serve.py", "--port=8080", f"--max-batch={work.parallelism.batch}",
            f"--latency-ms={1e3 * (work.latency_s or 1.0):g}", *layout_arguments(work),
            f"--artefacts={artefacts(work)}",
        ]  # fmt: skip
    return ["python", f"{work.kind}.py", "--data=/data", f"--stage={work.name}", f"--workers={work.hardware.cores}"]
