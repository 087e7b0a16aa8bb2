"""Parameters from telemetry: bounded nonlinear least squares with a covariance, on any model that is a function.

Levenberg-Marquardt with finite differences: the models here have fewer than 25 parameters and cost milliseconds.
Source: Nocedal and Wright, Numerical Optimization, 2nd ed. (2006), chapter 10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.errors import InputError

Predict = Callable[[FloatArray], FloatArray]
DIFFERENCE = 1e-5
"""Step of a finite difference over a parameter's scale."""
SETTLED, STILL = 1e-6, 1e-7
"""The search ends when the sum of squares falls by less than this share, or no parameter moves by more than this."""


@dataclass(frozen=True)
class Parameter:
    """One unknown: its name, where to start and its physical bounds."""

    name: str
    start: float
    low: float
    high: float


@dataclass(frozen=True)
class Fitted:
    """What the data say, and how surely."""

    names: tuple[str, ...]
    values: FloatArray
    covariance: FloatArray
    """Of the values; rows of parameters on a bound are nan: the data do not hold them there, the bound does."""
    rmse: float
    """Root mean square of the residuals, in the unit of the measurement."""
    points: int
    rounds: int
    on_bound: tuple[str, ...]

    @property
    def sigma(self) -> FloatArray:
        """Standard deviation of each value."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    def __getitem__(self, name: str) -> float:
        """Return the value called ``name``."""
        return float(self.values[self.names.index(name)])


def fit(
    predict: Predict,
    measured: FloatArray,
    unknowns: Sequence[Parameter],
    noise: float | FloatArray | None = None,
    most_rounds: int = 60,
    *,
    together: bool = False,
) -> Fitted:
    """Return the parameters whose prediction is nearest to ``measured`` in the mean square.

    ``min Σ ((y − f(p))/σ)²``; steps ``(JᵀJ + μ diag JᵀJ)⁻¹ Jᵀ r``, cut at the bounds. Covariance ``s² (JᵀJ)⁻¹`` with
    ``s`` the residuals' own scatter where ``noise`` is not given. It holds for independent errors: residuals that hang
    together in time make the truth less sure than it says.

    Args:
        predict: parameters to predictions, in the shape of ``measured``.
        measured: telemetry; nan is missing and left out.
        unknowns: what to find.
        noise: standard deviation of the measurement, one or one a point; ``None``: unknown and all alike.
        most_rounds: rounds before giving up on settling.
        together: ``predict`` takes many sets of parameters, (sets, parameters), and gives (sets, …): one call a round.

    Raises:
        InputError: fewer points than parameters, or a start outside its bounds.

    >>> t = np.arange(5.0)
    >>> line = fit(lambda p: p[0] + p[1] * t, 2.0 + 3.0 * t, [Parameter("a", 0, -9, 9), Parameter("b", 1, -9, 9)])
    >>> line.values.round(6).tolist()
    [2.0, 3.0]
    """
    low, high = (np.array([getattr(u, side) for u in unknowns]) for side in ("low", "high"))
    values = np.array([u.start for u in unknowns], dtype=float)
    known = np.isfinite(measured)
    if known.sum() < len(unknowns):
        raise InputError(f"calibration: got {int(known.sum())} measured points, expected at least {len(unknowns)}")
    if np.any((values < low) | (values > high)):
        raise InputError("calibration: got a start outside its bounds, expected one inside")
    spread = np.broadcast_to(1.0 if noise is None else np.asarray(noise, dtype=float), measured.shape)[known]

    def residuals(rows: FloatArray) -> FloatArray:
        found = predict(rows) if together else np.stack([predict(row) for row in rows])
        return np.asarray((measured[known] - found[:, known]) / spread)

    scale = np.maximum(np.abs(values), 1e-3 * np.where(np.isfinite(high - low), high - low, 1.0))
    damping, rounds = 1e-3, 0
    rest, slopes = _linearised(residuals, values, scale, high)
    for rounds in range(1, most_rounds + 1):  # noqa: B007  the number of rounds is reported
        tried = np.clip(values + _step(slopes, rest, damping), low, high)
        if np.all(np.abs(tried - values) < STILL * scale):
            break
        after = residuals(tried[None, :])[0]
        before_square, after_square = float(rest @ rest), float(after @ after)
        if not after_square < before_square:
            damping *= 4.0
            continue
        values, damping = tried, max(damping / 4.0, 1e-12)
        rest, slopes = _linearised(residuals, values, scale, high)
        if before_square - after_square < SETTLED * before_square:
            break
    return _fitted(unknowns, values, slopes, rest, spread, noise is None, rounds, (low, high), scale)


def _linearised(
    residuals: Predict, values: FloatArray, scale: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the residual and the derivative of the prediction over its noise, (points, parameters)."""
    change = np.where(values + DIFFERENCE * scale > high, -DIFFERENCE * scale, DIFFERENCE * scale)
    found = residuals(np.vstack([values, values + np.diag(change)]))
    return found[0], np.asarray((found[0] - found[1:]) / change[:, None]).T


def _step(slopes: FloatArray, rest: FloatArray, damping: float) -> FloatArray:
    normal = slopes.T @ slopes
    diagonal = np.diag(normal).copy()
    diagonal[diagonal <= 0.0] = 1.0
    return np.asarray(np.linalg.solve(normal + damping * np.diag(diagonal), slopes.T @ rest))


def _fitted(
    unknowns: Sequence[Parameter], values: FloatArray, slopes: FloatArray, rest: FloatArray, spread: FloatArray,
    unknown_noise: bool, rounds: int, bounds: tuple[FloatArray, FloatArray], scale: FloatArray,  # noqa: FBT001
) -> Fitted:  # fmt: skip
    points, count = slopes.shape
    near = 1e-6 * scale
    held = (values <= bounds[0] + near) | (values >= bounds[1] - near)
    covariance = np.full((count, count), np.nan)
    if not held.all():
        free = slopes[:, ~held]
        # A column scaled to one keeps the inverse well behaved whatever the units.
        size = np.sqrt(np.maximum((free * free).sum(axis=0), 1e-300))
        inverse = np.linalg.pinv((free / size).T @ (free / size), hermitian=True) / np.outer(size, size)
        variance = float(rest @ rest) / max(points - count, 1) if unknown_noise else 1.0
        covariance[np.ix_(~held, ~held)] = variance * inverse
    return Fitted(
        names=tuple(u.name for u in unknowns), values=values, covariance=covariance,
        rmse=float(np.sqrt(np.mean((rest * spread) ** 2))), points=points, rounds=rounds,
        on_bound=tuple(u.name for u, on in zip(unknowns, held, strict=True) if on),
    )  # fmt: skip
