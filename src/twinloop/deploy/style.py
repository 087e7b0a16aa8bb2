"""Which operators' kinds carry the work: the choice, apart from the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twinloop.errors import InputError

Training = Literal["job", "jobset", "trainjob", "pytorchjob", "tfjob", "jaxjob", "mpijob", "rayjob"]
Framework = Literal["torch", "tensorflow", "jax"]
PROFILES: dict[str, Training] = {"v2": "trainjob", "v1": "pytorchjob", "mpi": "mpijob"}
"""Kubeflow's training kinds: Trainer 2.3, Training Operator 1.9, MPI Operator 0.8."""
FRAMEWORKS: dict[tuple[str, Framework], Training] = {
    ("v1", "tensorflow"): "tfjob", ("v1", "jax"): "jaxjob", ("v2", "jax"): "trainjob",
}  # fmt: skip
"""Where frameworks other than torch have a kind, by profile of Kubeflow."""
OLDEST = 30
"""Minor version of Kubernetes that takes the files where no other is asked for."""
DRA_FROM = 34
"""Minor version of Kubernetes from which resource.k8s.io/v1 is served."""


@dataclass(frozen=True)
class Style:
    """Kinds for training and serving, and who scales, queues and hands out devices."""

    training: Training = "job"
    serving: Literal["deployment", "kserve", "rayservice"] = "deployment"
    scaler: Literal["hpa", "keda"] = "hpa"
    devices: Literal["plugin", "dra"] = "plugin"
    queued: bool = False
    framework: Framework = "torch"
    """Of the training program."""
    kept: bool = False
    """Ray: the cluster of a training stage stays between its runs."""
    minor: int = OLDEST
    """Oldest minor version of Kubernetes that must take the files."""


PLAIN = Style()
"""Core kinds only."""


def style_of(
    target: str, *, queued: bool = False, profile: str = "v2", gang: bool = False, keda: bool = False,
    kept: bool = False,
    dra: bool = False, framework: Framework = "torch", minor: int = OLDEST,
) -> Style:  # fmt: skip
    """Return the style of a target.

    Raises:
        InputError: choices that exclude each other, or that the cluster's version lacks.
    """
    faults = []
    if dra and minor < DRA_FROM:
        faults.append(f"--devices dra: got Kubernetes 1.{minor}, expected 1.{DRA_FROM} or newer")
    if dra and queued:
        faults.append("--devices dra: got --queue kueue beside it, expected --queue none: quotas count plug-in devices")
    clusters = ("k8s", "kubeflow", "ray")
    for said, flag, known in (
        (queued, "--queue kueue", clusters), (dra, "--devices dra", clusters), (keda, "--keda", ("k8s", "kubeflow")),
        (kept, "--keep-cluster", ("ray",)),
        (profile != "v2", f"--profile {profile}", ("kubeflow",)), (minor != OLDEST, f"--kubernetes {minor}", clusters),
    ):  # fmt: skip
        if said and target not in known:
            faults.append(f"{flag}: got --target {target}, expected --target {' or '.join(known)}")
    if gang and target != "k8s":
        faults.append(f"--gang: got --target {target}, expected k8s: the others bring their own")
    if framework != "torch" and (target != "kubeflow" or (profile, framework) not in FRAMEWORKS):
        ways = " or ".join(f"--target kubeflow --profile {p}" for p, f in FRAMEWORKS if f == framework)
        faults.append(f"--framework {framework}: got --target {target} --profile {profile}, expected {ways}")
    if faults:
        raise InputError(tuple(faults))
    training: Training = "job"
    if target == "kubeflow":
        training = PROFILES[profile] if framework == "torch" else FRAMEWORKS[profile, framework]
    elif target == "ray":
        training = "rayjob"
    elif gang:
        training = "jobset"
    serving: Literal["deployment", "kserve", "rayservice"] = "deployment"
    if target == "kubeflow" and profile == "v2":
        serving = "kserve"
    elif target == "ray":
        serving = "rayservice"
    return Style(
        training, serving, "keda" if keda else "hpa", "dra" if dra else "plugin", queued, framework, kept, minor
    )
