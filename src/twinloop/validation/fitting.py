"""Constants of the training model from measured steps: bounded, with a weak prior, robust to odd rows.

Each constant is a logistic of a free number between the bounds that its name allows. Minimised is
``Σ rho(log(model / measured) / 0.05) + Σ (x / 1.5)²`` with the soft-L1 loss ``rho``: a constant that no row
speaks of stays in the middle of its bounds. The prior knows nothing of the rows, so that leaving a model out
leaves it out wholly. Damped Gauss-Newton with slopes by differences; deterministic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.validation.training_cases import Row, Stack, TrainingCase, stack
from twinloop.workload.calibration import BOUNDS, Calibration

SPREAD = 0.05
"""Scatter of repeated measurements, as a logarithm."""
PRIOR = 1.5
RATE_PRIOR = 0.08
"""Devices of one generation share their constants but for a factor on the shares of peak, within about 8 %."""
ROUNDS = 40
_STEP = 1e-4


@dataclass(frozen=True)
class Fit:
    """Constants of one generation and each device's factor on the shares of peak."""

    constants: Calibration
    rates: dict[str, float]
    on_bound: tuple[str, ...]
    """Constants within 1 % of an end of their range: each wants an explanation."""

    def step_s(self, rows: Stack) -> FloatArray:
        """Return the steps of ``rows``; a device that was never seen has factor 1."""
        return rows.step_s(self.constants, np.array([self.rates.get(name, 1.0) for name in rows.devices]))


def fit(rows: Stack) -> Fit:
    """Return the constants that explain ``rows`` best."""
    names = tuple(name for name in BOUNDS if name != "gradient_b")
    devices = tuple(sorted(set(rows.devices)))
    # One device alone cannot tell its factor from the shared constants.
    free = len(names) + (len(devices) if len(devices) > 1 else 0)
    belongs = np.array([devices.index(name) for name in rows.devices])
    measured = np.log(rows.measured_s)

    def misfit(x: FloatArray) -> FloatArray:
        rate = np.exp(x[len(names) :] * RATE_PRIOR)[belongs] if free > len(names) else np.ones(len(belongs))
        error = (np.log(rows.step_s(_constants(names, x), rate)) - measured) / SPREAD
        robust = np.sign(error) * np.sqrt(2.0 * (np.sqrt(1.0 + error**2) - 1.0))
        return np.asarray(np.concatenate([robust, x[: len(names)] / PRIOR, x[len(names) :]]))

    x = minimised(misfit, np.zeros(free))
    rates = dict(zip(devices, np.exp(x[len(names) :] * RATE_PRIOR).tolist(), strict=True)) if free > len(names) else {}
    share = 1.0 / (1.0 + np.exp(-x[: len(names)]))
    ends = tuple(name for name, at in zip(names, share, strict=True) if min(at, 1.0 - at) < 0.01)
    return Fit(_constants(names, x), rates, ends)


def _constants(names: Sequence[str], x: FloatArray) -> Calibration:
    values = {}
    for name, free in zip(names, x, strict=False):
        low, high = BOUNDS[name]
        values[name] = low + (high - low) / (1.0 + np.exp(-free))
    return Calibration(gradient_b=2.0, **values)


def minimised(call: Callable[[FloatArray], FloatArray], x: FloatArray) -> FloatArray:
    """Return where the sum of squares of ``call`` is least, from ``x``: damped Gauss-Newton."""
    error, damping = call(x), 1.0
    for _ in range(ROUNDS):
        slopes = np.column_stack([(call(x + move) - error) / _STEP for move in _STEP * np.eye(x.size)])
        normal = slopes.T @ slopes
        move = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-9), -slopes.T @ error)
        trial = x + np.clip(move, -2.0, 2.0)
        new = call(trial)
        better = new @ new < error @ error
        if better and error @ error - new @ new < 1e-5 * (error @ error):
            return np.asarray(trial)
        if better:
            x, error, damping = trial, new, damping * 0.3
        else:
            damping = min(damping * 6.0, 1e8)
    return np.asarray(x)


def left_out(cases: tuple[TrainingCase, ...], folds: int = 6) -> FloatArray:
    """Return each case's relative error under constants fitted without its model.

    Models are dealt to at most ``folds`` groups in order of size, so that each fold interpolates and extrapolates.
    """
    models = sorted({case.model for case in cases}, key=lambda model: (_size(model, cases), model))
    fold_of = {model: place % min(folds, len(models)) for place, model in enumerate(models)}
    errors = np.full(len(cases), np.nan)
    rows = stack(cases)
    for fold in range(min(folds, len(models))):
        out = np.array([fold_of[case.model] == fold for case in cases])
        kept = fit(subset(rows, ~out))
        errors[out] = kept.step_s(subset(rows, out)) / rows.measured_s[out] - 1.0
    return errors


def _size(model: str, cases: tuple[TrainingCase, ...]) -> float:
    network = next(case.network for case in cases if case.model == model)
    return float(network.layers) * network.hidden**2


def subset(rows: Stack, chosen: FloatArray) -> Stack:
    """Return the rows of ``rows`` where ``chosen`` holds."""

    def cut(value: Row) -> Row:
        return type(value)(**{name: part[chosen] for name, part in vars(value).items()})

    return replace(
        rows,
        shape=cut(rows.shape), layouts=cut(rows.layouts), machine=cut(rows.machine), shipped=cut(rows.shipped),
        backward=rows.backward[chosen], trained=rows.trained[chosen], recomputed=rows.recomputed[chosen],
        measured_s=rows.measured_s[chosen],
        devices=tuple(name for name, take in zip(rows.devices, chosen, strict=True) if take),
    )  # fmt: skip
