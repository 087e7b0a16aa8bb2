"""Transformers trained in plain frameworks, each predicted by constants fitted to the others.

Three constants of ``framework-2021`` are free: the share of peak of large products, the share of bandwidth and the
fixed time of a step. Their priors are what frameworks reach anywhere and know nothing of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from twinloop import catalogue
from twinloop.arrays import FloatArray
from twinloop.validation.fitting import minimised, subset
from twinloop.validation.training_cases import Stack, TrainingCase, stack
from twinloop.workload.calibration import Calibration
from twinloop.workload.constants import FRAMEWORK_2021
from twinloop.workload.host import host
from twinloop.workload.named_model import network_named
from twinloop.workload.train_job import TrainingJob

GENERATION = "framework-2021"
SPREAD = 0.08
"""Scatter between examples of one framework, as a logarithm."""
PRIORS = {"gemm": (0.70, 0.25), "bandwidth": (0.70, 0.35), "step_s": (0.02, 1.2)}
"""Constant -> (middle, spread of its logarithm): plain kernels, and 5 to 70 ms for an optimizer launched by weights."""


@dataclass(frozen=True)
class FrameworkFit:
    """Constants that explain the rows best."""

    constants: Calibration
    values: dict[str, float]


def framework_case(row: dict[str, str]) -> TrainingCase:
    """Return a row of the table of rates as a training case."""
    batch, length = int(row["batch"]), int(row["sequence"])
    per_step = batch * (length if row["unit"] == "tokens/s" else 1)
    return TrainingCase(
        name=row["case"], group="framework", generation=GENERATION, network=network_named(row["model"]),
        on=host(catalogue.device(row["device"]), int(row["devices"])),
        job=TrainingJob(batch=batch, precision=row["precision"], sequence=length, software=GENERATION),
        measured_s=per_step / float(row["measured"]), source=row["source"],
    )  # fmt: skip


def fit(rows: Stack) -> FrameworkFit:
    """Return the three constants fitted to ``rows``."""
    ones, measured = np.ones(len(rows.measured_s)), np.log(rows.measured_s)

    def at(x: FloatArray) -> dict[str, float]:
        return {
            name: middle * float(np.exp(wide * free))
            for (name, (middle, wide)), free in zip(PRIORS.items(), x, strict=True)
        }

    def misfit(x: FloatArray) -> FloatArray:
        error = (np.log(rows.step_s(replace(FRAMEWORK_2021, **at(x)), ones)) - measured) / SPREAD
        robust = np.sign(error) * np.sqrt(2.0 * (np.sqrt(1.0 + error**2) - 1.0))
        return np.asarray(np.concatenate([robust, x]))

    values = at(minimised(misfit, np.zeros(len(PRIORS))))
    return FrameworkFit(replace(FRAMEWORK_2021, **values), values)


def left_out(cases: Sequence[TrainingCase]) -> FloatArray:
    """Return the relative error of each case's rate under constants fitted without its model."""
    rows, errors = stack(tuple(cases)), np.full(len(cases), np.nan)
    models = np.array([case.model for case in cases])
    for model in dict.fromkeys(models.tolist()):
        out = models == model
        kept, part = fit(subset(rows, ~out)), subset(rows, out)
        errors[out] = part.measured_s / part.step_s(kept.constants, np.ones(int(out.sum()))) - 1.0
    return errors
