"""Constants of the serving model from published rates: the fit of :mod:`fitting` on another model.

Rates and sizes whose bounds span decades (seconds, ``half``) move between them as logarithms. A row whose batch
is unknown (maximum throughput, offline) is judged at the best batch that fits, as ``estimate`` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.network import Network
from twinloop.validation.fitting import PRIOR, minimised
from twinloop.workload.decoding import (
    SERVE_BOUNDS,
    ServeCalibration,
    ServeMachine,
    Serving,
    attention_ranks,
    largest_batch,
    steady_tokens_per_s,
)
from twinloop.workload.host import Host
from twinloop.workload.machine import serve_machine
from twinloop.workload.serve_constants import LARGEST_BATCH, USABLE_MEMORY, buffers_b
from twinloop.workload.serve_job import ServingJob
from twinloop.workload.serve_search import serving_of
from twinloop.workload.transformer import Shape, shape_of

SPREAD = 0.10
"""Scatter of published serving rates: releases, data sets, tuning; as a logarithm."""
BATCHES = 12
_MIDDLE_OUTER = 0.6
"""Share of the network reached; no row here crosses servers, so it is not fitted."""


@dataclass(frozen=True)
class ServeCase:
    """One published rate of a language model."""

    name: str
    group: str
    pool: str
    """Software and class of device whose constants it shares."""
    model: str
    network: Network
    on: Host
    job: ServingJob
    """With the layout settled."""
    measured: float
    """Output tokens a second of all devices."""
    source: str


@dataclass(frozen=True)
class ServeStack:
    """Many cases as arrays: cases down, batches across."""

    shape: Shape
    at: Serving
    machine: ServeMachine
    copies: FloatArray
    measured: FloatArray

    def tokens_per_s(self, c: ServeCalibration) -> FloatArray:
        """Return every case's rate under ``c``."""
        rate = np.asarray(steady_tokens_per_s(self.shape, self.at, self.machine, c))
        return np.asarray(rate.max(axis=1) * self.copies)

    def take(self, chosen: FloatArray) -> ServeStack:
        """Return the cases where ``chosen`` holds."""

        def cut(value: object) -> dict[str, FloatArray]:
            return {f.name: getattr(value, f.name)[chosen] for f in fields(value)}  # type: ignore[arg-type]

        return ServeStack(
            Shape(**cut(self.shape)), Serving(**cut(self.at)), ServeMachine(**cut(self.machine)),
            self.copies[chosen], self.measured[chosen],
        )  # fmt: skip


def stacked(cases: Sequence[ServeCase]) -> ServeStack:
    """Return ``cases`` as arrays, each with the batches that fit (or the one it states)."""
    shapes, servings, machines, copies = [], [], [], []
    for case in cases:
        job = case.job
        shape = shape_of(case.network, float((job.input_tokens or 1) + (job.output_tokens or 1)))
        machine = serve_machine(case.on.device, case.on.network_b_s, case.on.domain, job.precision)
        free = buffers_b(case.on.device)
        one = serving_of(job, np.ones(1))
        most = float(largest_batch(shape, one, machine, USABLE_MEMORY, free)[0])
        top = min(max(most, 1.0), LARGEST_BATCH * float(attention_ranks(one)[0]))
        batch = np.full(BATCHES, float(job.batch)) if job.batch else np.geomspace(1.0, top, BATCHES)
        shapes.append(shape)
        machines.append(machine)
        servings.append(serving_of(job, batch))
        stage = max(job.tensor or 1, job.expert or 1) * (job.pipeline or 1)
        copies.append(max(case.on.devices // stage, 1))
    return ServeStack(
        Shape(**{f.name: _column([getattr(s, f.name) for s in shapes]) for f in fields(Shape)}),
        Serving(**{f.name: np.array([np.asarray(getattr(s, f.name)) for s in servings]) for f in fields(Serving)}),
        ServeMachine(**{f.name: _column([getattr(m, f.name) for m in machines]) for f in fields(ServeMachine)}),
        np.array(copies, dtype=np.float64), np.array([case.measured for case in cases]),
    )  # fmt: skip


def _column(values: Sequence[float]) -> FloatArray:
    return np.array(values, dtype=np.float64)[:, None]


KERNELS: dict[str, dict[str, float]] = {
    "trtllm hopper": {"gemm": 0.82, "gemm_8": 0.685, "half": 800.0, "bandwidth": 0.81},
    "trtllm blackwell": {
        "gemm": 0.68, "gemm_8": 0.68, "gemm_4": 0.535, "half": 1130.0, "bandwidth": 0.67,
        "imbalance": 2.5, "expert_bandwidth": 0.865, "mixture_s": 22e-6,
    },
    "trtllm workstation": {"imbalance": 2.0, "expert_bandwidth": 0.9, "expert_8": 1.1},
    "vllm hopper": {"expert_bandwidth": 0.93, "expert_8": 1.5},
    "vllm blackwell": {"expert_bandwidth": 0.93, "expert_8": 2.5},
}  # fmt: skip
"""Pool -> where its prior lies instead of the middle of the bounds: what :mod:`kernels` makes of measured products and
:mod:`kernel_parts` of experts (aiconfigurator-core 0.12, gemm/trtllm/1.3.0rc20, moe/vllm/0.24.0 and on the workstation
part moe/trtllm, Apache-2.0; H100, H200, B200, GB200, RTX PRO 6000; means of devices and of plain and blocked 8 bits;
``half`` of the narrowest format). ``imbalance`` is the share of peak of products over that of experts whose tokens
follow a power law, ``expert_8`` the same of 8 bits over the others (plain 8 bits on the workstation part: 0.9 to 1.1).
Kernels know none of the rows. Only what predicts left-out models better is taken: not vLLM's and the workstation's
products, not TensorRT-LLM's experts on Hopper, of vLLM's experts not the imbalance and the fixed time, nowhere
attention and collectives."""
KERNEL_PRIOR = 1.0


def fit(rows: ServeStack, pool: str = "") -> tuple[ServeCalibration, tuple[str, ...]]:
    """Return the constants that explain ``rows`` best, and the names of those within 1 % of an end."""
    names = tuple(name for name in SERVE_BOUNDS if not name.startswith("outer"))
    measured = np.log(rows.measured)
    known = KERNELS.get(pool, {})
    centre = np.array([_free(name, known[name]) if name in known else 0.0 for name in names])
    width = np.array([KERNEL_PRIOR if name in known else PRIOR for name in names])

    def misfit(x: FloatArray) -> FloatArray:
        error = (np.log(rows.tokens_per_s(constants(names, x))) - measured) / SPREAD
        robust = np.sign(error) * np.sqrt(2.0 * (np.sqrt(1.0 + error**2) - 1.0))
        return np.asarray(np.concatenate([robust, (x - centre) / width]))

    x = minimised(misfit, centre.copy())
    share = 1.0 / (1.0 + np.exp(-x))
    return constants(names, x), tuple(n for n, at in zip(names, share, strict=True) if min(at, 1.0 - at) < 0.01)


def _free(name: str, value: float) -> float:
    """Return the free number at which a constant is ``value``."""
    low, high = SERVE_BOUNDS[name]
    if name.endswith("_s") or name == "half":
        share = np.log(value / low) / np.log(high / low)
    else:
        share = (value - low) / (high - low)
    return float(np.log(share / (1.0 - share)))


def constants(names: Sequence[str], x: FloatArray) -> ServeCalibration:
    """Return the constants at free numbers ``x``; 0 is the middle of the bounds."""
    values = {"outer": _MIDDLE_OUTER, "outer_alpha_s": 20e-6}
    for name, free in zip(names, x, strict=True):
        low, high = SERVE_BOUNDS[name]
        share = 1.0 / (1.0 + np.exp(-free))
        decades = name.endswith("_s") or name == "half"
        values[name] = low * (high / low) ** share if decades else low + (high - low) * share
    return ServeCalibration(**values)


def left_out(cases: Sequence[ServeCase]) -> FloatArray:
    """Return each case's relative error under constants fitted to its pool without its model."""
    errors = np.full(len(cases), np.nan)
    for pool in dict.fromkeys(case.pool for case in cases):
        chosen = [place for place, case in enumerate(cases) if case.pool == pool]
        rows = stacked([cases[place] for place in chosen])
        places, models = np.array(chosen), np.array([cases[place].model for place in chosen])
        for model in dict.fromkeys(models.tolist()):
            out = models == model
            if out.all():
                continue
            kept, _ = fit(rows.take(~out), pool)
            part = rows.take(out)
            errors[places[out]] = part.tokens_per_s(kept) / part.measured - 1.0
    return errors
