"""Published training steps as inputs of the workload model, and stacked for fitting many at once."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import TypeVar

import numpy as np

from twinloop import catalogue
from twinloop.arrays import FloatArray
from twinloop.model.network import Network
from twinloop.workload.calibration import Calibration
from twinloop.workload.constants import family, generation_of, rate_of, software
from twinloop.workload.host import Host, host
from twinloop.workload.layouts import RECOMPUTE, SCHEDULES, Layouts
from twinloop.workload.machine import training_machine
from twinloop.workload.memory import FULL, SELECTIVE
from twinloop.workload.named_model import network_named
from twinloop.workload.train_estimate import TrainingEstimate, decodes, era_of, estimate_training
from twinloop.workload.train_job import TrainingJob
from twinloop.workload.training import Machine, step_times
from twinloop.workload.transformer import Shape, shape_of

Row = TypeVar("Row", Shape, Layouts, Machine, Calibration)
LORA_RANK = 16


@dataclass(frozen=True)
class TrainingCase:
    """One measured step: what ran on what, and how long it took."""

    name: str
    group: str
    generation: str
    network: Network
    on: Host
    job: TrainingJob
    measured_s: float
    source: str

    @property
    def device(self) -> str:
        """Family of the device: ``A100``."""
        return family(self.on.device)

    @property
    def model(self) -> str:
        """What is left out together: one architecture, at any sequence length or layout."""
        n = self.network
        return f"{n.kind} {n.layers}x{n.hidden}x{n.experts}"


@cache
def training_cases() -> tuple[TrainingCase, ...]:
    """Return the measured steps of the package's table."""
    return _cases("training_steps.csv")


@cache
def elsewhere_cases() -> tuple[TrainingCase, ...]:
    """Return measured steps of other publications, as a person would put them; no constant is fitted on them.

    ``group`` ends in ``, seen`` where an error of the row led to a change of the model.
    """
    return _cases("training_elsewhere.csv")


def _cases(table: str) -> tuple[TrainingCase, ...]:
    text = (resources.files("twinloop.validation") / "tables" / table).read_text(encoding="utf-8")
    return tuple(_case(row) for row in csv.DictReader(text.splitlines()))


def _case(row: dict[str, str]) -> TrainingCase:
    def size(key: str) -> int | None:
        return int(row[key]) if row.get(key) else None

    device, network = catalogue.device(row["device"]), network_named(row["model"])
    network_b_s = float(row["network_gb_s"]) * 1e9 if row["network_gb_s"] else None
    limit_w = float(row["power_limit_w"]) if row.get("power_limit_w") else None
    sharded = (size("zero") or 0) >= 2
    name = generation_of(row["software"], device, sharded=sharded, decoder=decodes(network))
    generation = software(device, sharded=sharded, name=name, decoder=decodes(network)).name
    job = TrainingJob(
        batch=int(row["batch"]), tensor=size("tensor") or 1, pipeline=size("pipeline") or 1, data=size("data"),
        context=size("context") or 1, expert=size("expert") or 1, micro_batch=size("micro_batch"),
        interleave=size("interleave") or 1, recompute=row["recompute"] or None, zero=size("zero"),
        schedule=row.get("schedule") or None,
        sequence_parallel=row["sequence_parallel"] == "1" if row["sequence_parallel"] else None,
        precision=row["precision"], sequence=size("sequence"), software=generation,
        overlap_experts=row["overlap_experts"] == "1" if row["overlap_experts"] else None,
        lora_rank=LORA_RANK if row["task"].startswith("lora") else None,
    )  # fmt: skip
    return TrainingCase(
        name=row["case"], group=row["group"], generation=generation, network=network, job=job,
        on=host(
            device, int(row["devices"]), size("devices_per_node"), size("devices_per_node"), network_b_s, "ib", None,
            None, limit_w,
        ),
        measured_s=float(row["measured_s"]), source=row["source"],
    )  # fmt: skip


@dataclass(frozen=True)
class Stack:
    """Many cases as arrays, each at the layout that the estimate chose."""

    shape: Shape
    layouts: Layouts
    machine: Machine
    backward: FloatArray
    trained: FloatArray
    recomputed: FloatArray
    """Share of layers that repeat their forward pass, where the layout's level is full."""
    devices: tuple[str, ...]
    measured_s: FloatArray
    shipped: Calibration

    def step_s(self, c: Calibration, rate: FloatArray) -> FloatArray:
        """Return every case's step under constants ``c`` with shares of peak times ``rate`` (one a case)."""
        held = {name: getattr(c, name) for name in ("gemm", "gemm_8", "gemm_4", "flash")}
        scaled = Calibration(
            **{f.name: held.get(f.name, getattr(c, f.name)) * (rate if f.name in held else 1.0) for f in fields(c)}
        )
        full = self.layouts.recompute == FULL
        partial = full & (self.recomputed < 1.0)
        whole = self._total(self.layouts.recompute, scaled)
        cheap = self._total(np.where(partial, SELECTIVE, self.layouts.recompute), scaled)
        return np.where(partial, cheap + self.recomputed * (whole - cheap), whole)

    def _total(self, recompute: FloatArray, c: Calibration) -> FloatArray:
        at = Layouts(
            **{f.name: getattr(self.layouts, f.name) for f in fields(Layouts) if f.name != "recompute"},
            recompute=recompute,
        )
        return np.asarray(step_times(self.shape, at, self.machine, c, self.backward, self.trained).total_s)


def stack(cases: tuple[TrainingCase, ...]) -> Stack:
    """Return ``cases`` stacked; layouts left open in the table are settled by the estimate itself."""
    chosen = [estimate_training(case.network, case.on, case.job) for case in cases]
    pairs = list(zip(cases, chosen, strict=True))
    return Stack(
        shape=_stacked([shape_of(era_of(case.network, case.generation), case.job.sequence) for case in cases]),
        layouts=_stacked([_layout(case, answer) for case, answer in pairs]),
        machine=_stacked([_machine(case) for case in cases]),
        backward=np.array([2.0 if case.job.lora_rank is None else 1.0 for case in cases]),
        trained=np.array([_trained(case) for case in cases]),
        recomputed=np.array([float(answer.layout["recomputed_share"]) for answer in chosen]),
        devices=tuple(case.device for case in cases),
        measured_s=np.array([case.measured_s for case in cases]),
        shipped=_stacked([_shipped(answer, case) for case, answer in pairs]),
    )


def _trained(case: TrainingCase) -> float:
    rank = case.job.lora_rank
    return 1.0 if rank is None else min(2.0 * rank / case.network.hidden, 1.0)


def _machine(case: TrainingCase) -> Machine:
    return training_machine(case.on.device, case.on.network_b_s, case.on.domain, case.job.precision)


def _layout(case: TrainingCase, answer: TrainingEstimate) -> Layouts:
    at, job = answer.layout, case.job
    return Layouts(
        float(job.tensor), float(job.pipeline), float(at["data"]), float(job.context), float(job.expert),
        float(at["micro_batch"]), float(job.batch), float(job.interleave), float(RECOMPUTE.index(at["recompute"])),
        float(at["zero"]), float(SCHEDULES.index(at["schedule"])), float(at["sequence_parallel"]),
        float(job.shard_group), float(job.expert_tensor), float(at["overlap_experts"]),
    )  # fmt: skip


def _shipped(answer: TrainingEstimate, case: TrainingCase) -> Calibration:
    """Return the constants the estimate used, its device's rate taken out."""
    rate = rate_of(case.generation, case.device)
    scaled = ("gemm", "gemm_8", "gemm_4", "flash")
    return Calibration(
        **{f.name: answer.constants[f.name] / (rate if f.name in scaled else 1.0) for f in fields(Calibration)}
    )


def _stacked(rows: list[Row]) -> Row:
    kind = type(rows[0])
    return kind(**{f.name: np.array([float(getattr(row, f.name)) for row in rows]) for f in fields(kind)})
