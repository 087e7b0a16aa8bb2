"""A Dockerfile for each stage, with its entry point beside it."""

from __future__ import annotations

from importlib.resources import files

from twinloop.deploy.intent import Work
from twinloop.deploy.launch import PATIENCE
from twinloop.deploy.pods import USER
from twinloop.deploy.rays import RAY
from twinloop.deploy.style import Framework

MODEL = "model.pt"
PYTHON = "python:3.12-slim"
FRAMEWORK = {
    "nvidia.com/gpu": "pytorch/pytorch:2.13.0-cuda13.0-cudnn9-runtime",
    "amd.com/gpu": "rocm/pytorch:rocm7.14_ubuntu24.04_py3.12_pytorch_release_2.12.0",
}
"""Default bases with the framework in them; the build argument takes your own, by digest."""
NUMPY, TORCH = "numpy==2.4.6", "torch==2.13.0"
"""Packages where a base has them not."""


def dockerfile(work: Work, names: list[str], framework: Framework = "torch") -> str:
    """Return the Dockerfile of ``work``: base by argument, numeric user, no package manager at run time."""
    other = framework if work.kind == "train" and framework != "torch" else ""
    base = FRAMEWORK.get(work.hardware.resource or "", PYTHON) if work.kind in ("train", "serve") else PYTHON
    base = base if not other else OTHER_BASES.get((other, work.hardware.resource or ""), PYTHON)
    packages = [] if base != PYTHON else [NUMPY]
    if base == PYTHON and other:
        packages.append(WHEELS[other][0 if work.hardware.resource == "nvidia.com/gpu" else 1])
    elif base == PYTHON and work.kind in ("train", "serve"):
        packages.append(TORCH)
    extra = next((name.removeprefix("ray_") for name in names if name.startswith("ray_")), None)
    packages += [f"ray[{extra}]=={RAY}"] if extra is not None else []
    words = ", ".join(f'"{each}"' for each in ("python", "-m", "pip", "install", "--no-cache-dir", *packages))
    install = f"RUN [{words}]\n" if packages else ""
    sources = " ".join(f"{name}.py" for name in names)
    patience = f" {PATIENCE}" if work.kind == "train" and framework == "torch" else ""
    if work.everywhere:
        sources += f" {MODEL}*"  # a branch starts without the network; the star lets the image be built before a model
    return (
        f"ARG BASE_IMAGE={base}\n"
        "# The base is your choice: pass one by digest.\n"
        "# hadolint ignore=DL3006\n"
        "FROM ${BASE_IMAGE}\n"
        f'LABEL org.opencontainers.image.title="{work.label}" dev.twinloop.precision="{work.precision}"\n'
        "WORKDIR /app\n"
        f"{install}"
        f"COPY {sources} /app/\n"
        # A new volume takes over whose folder it covers.
        f'RUN ["install", "-d", "-o", "{USER}", "-g", "{USER}", "/data", "/artefacts"]\n'
        f"ENV PYTHONUNBUFFERED=1{patience}\n"
        f"USER {USER}:{USER}\n"
        f'ENTRYPOINT ["python", "/app/{work.kind}.py"]\n'
    )


OTHER_BASES = {
    ("tensorflow", "amd.com/gpu"): "rocm/tensorflow:rocm7.1.1-py3.12-tf2.20-dev",
    ("jax", "amd.com/gpu"): "rocm/jax:rocm7.1-jax0.7.1-py3.12",
}
"""Bases of the other frameworks where their wheels do not serve."""
WHEELS = {
    "tensorflow": ("tensorflow[and-cuda]==2.21.0", "tensorflow-cpu==2.21.0"),
    "jax": ("jax[cuda12]==0.10.2", "jax==0.10.2"),
}  # fmt: skip
"""Packages of the other frameworks, with and without NVIDIA's libraries."""


def submit_dockerfile() -> str:
    """Return the Dockerfile of the pipeline's task that starts jobs: Python and its standard library."""
    return (
        f"ARG BASE_IMAGE={PYTHON}\n"
        "# hadolint ignore=DL3006\n"
        "FROM ${BASE_IMAGE}\n"
        "WORKDIR /app\n"
        "COPY submit.py /app/\n"
        "ENV PYTHONUNBUFFERED=1\n"
        f"USER {USER}:{USER}\n"
        'ENTRYPOINT ["python", "/app/submit.py"]\n'
    )


def programs(work: Work, *, ray: bool = False, framework: Framework = "torch") -> list[str]:
    """Return the names of the programs in a stage's image, its entry point first."""
    if work.own_trainer:
        return ["train", *(["ray_train"] if ray else [])]
    beside = {
        "train": ["runs", "sharding", "export", *(["ray_train"] if ray else [])] if framework == "torch" else ["runs"],
        "serve": ["ray_serve"] if ray and not work.everywhere else [],
    }
    return [work.kind, *beside.get(work.kind, [])]


def program(name: str, framework: Framework = "torch", work: Work | None = None) -> str:
    """Return the text of one of our programs; ``train`` is another one for another framework or family of models."""
    if name == "train" and work is not None and work.own_trainer:
        name = "own"
    elif name == "train" and framework != "torch":
        name = f"train_{framework}"
    return (files("twinloop.deploy") / "files" / f"{name}.py.txt").read_text("utf-8")
