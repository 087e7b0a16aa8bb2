"""Memory of one device in training, by what it holds, against published breakdowns and measured totals."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path

from twinloop.validation.result import Kind, Result
from twinloop.workload.layouts import RECOMPUTE, Layouts
from twinloop.workload.memory import Memory, States, training_memory
from twinloop.workload.named_model import network_named
from twinloop.workload.transformer import shape_of

LIMIT = 8.0
"""Largest error of a published part or total, %."""
UNIT_B = {"GiB": 2.0**30, "GB": 1e9}


def validate_memory(cases: Path | None = None) -> tuple[Result, ...]:  # noqa: ARG001  # one signature for all
    """Return each published figure beside the model's; a share is of the same run that keeps everything."""
    return tuple(_result(row) for row in _rows())


def _rows() -> list[dict[str, str]]:
    text = (resources.files("twinloop.validation") / "tables" / "training_memory.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _result(row: dict[str, str]) -> Result:
    kinds: dict[str, Kind] = {"proof": "proof", "soft": "soft"}
    expected = float(row["expected"])
    return Result(
        case=f"memory: {row['case']}", quantity=row["quantity"], unit=row["unit"], expected=expected,
        got=_got(row), tolerance=LIMIT / 100.0 * expected, source=row["source"], kind=kinds[row["kind"]],
    )  # fmt: skip


def _got(row: dict[str, str]) -> float:
    held = _memory(row, row["recompute"], float(row["sequence_parallel"]))
    if row["quantity"] == "activation share":
        return 100.0 * float(held.activations_b) / float(_memory(row, "none", 0.0).activations_b)
    states = held.weights_b + held.gradients_b + held.optimizer_b
    bytes_ = {"states": states, "activations": held.activations_b, "total": held.total_b}[row["quantity"]]
    return float(bytes_) / UNIT_B[row["unit"]]


def _memory(row: dict[str, str], recompute: str, sequence_parallel: float) -> Memory:
    def size(key: str) -> float:
        return float(row[key])

    at = Layouts(
        tensor=size("tensor"), pipeline=size("pipeline"), data=size("data"), context=size("context"), expert=1.0,
        micro_batch=size("micro_batch"), batch=size("batch"), interleave=size("interleave"),
        recompute=float(RECOMPUTE.index(recompute)), zero=size("zero"),
        schedule=2.0 if size("interleave") > 1 else 1.0, sequence_parallel=sequence_parallel,
    )  # fmt: skip
    shape = shape_of(network_named(row["model"]), float(row["sequence"]))
    return training_memory(shape, at, States(gradient_b=float(row["gradient_bytes"])))
