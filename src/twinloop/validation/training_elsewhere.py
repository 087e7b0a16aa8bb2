"""Training steps of publications that no constant is fitted on, each as a person would put it to ``estimate``.

Rows ``seen`` are those whose errors led to a change of the model; the others were set aside before and only scored.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from twinloop.validation.coverage import coverage
from twinloop.validation.result import Kind, Result
from twinloop.validation.training_cases import TrainingCase, elsewhere_cases
from twinloop.workload.train_estimate import TrainingEstimate, estimate_training

SEEN = ", seen"
LIMIT = 20.0
"""Mean absolute error on the rows set aside that the project holds itself to, %."""
GROUP_LIMIT = 15.0


def elsewhere_results() -> list[Result]:
    """Return the mean error on rows set aside, on those seen, by group, and how often the interval holds."""
    cases = elsewhere_cases()
    found = {case.name: estimate_training(case.network, case.on, case.job) for case in cases}
    aside = [case for case in cases if not case.group.endswith(SEEN)]
    seen = [case for case in cases if case.group.endswith(SEEN)]
    results = [
        _mean("rows set aside", aside, found, LIMIT, "proof"),
        _mean("rows seen", seen, found, LIMIT, "calibration"),
    ]
    groups = dict.fromkeys(case.group for case in aside)
    results += [_mean(name, [c for c in aside if c.group == name], found, GROUP_LIMIT, "soft") for name in groups]
    ratios = np.array([case.measured_s / found[case.name].step_time_s for case in aside])
    intervals = [
        (answer.interval["low"] / answer.step_time_s, answer.interval["high"] / answer.step_time_s)
        for answer in (found[case.name] for case in aside)
    ]
    return [*results, coverage("training elsewhere: interval", ratios, intervals, "rows set aside")]


def _mean(
    name: str, rows: Sequence[TrainingCase], found: dict[str, TrainingEstimate], limit: float, kind: Kind
) -> Result:  # fmt: skip
    errors = np.array([found[case.name].step_time_s / case.measured_s - 1.0 for case in rows])
    worst = int(np.argmax(np.abs(errors)))
    return Result(
        case=f"training elsewhere: {name} (n={len(rows)})",
        quantity=f"mean absolute error; worst {rows[worst].name} {100.0 * errors[worst]:+.0f} %",
        unit="%", expected=0.0, got=float(100.0 * np.abs(errors).mean()), tolerance=limit, source=rows[0].source,
        kind=kind,
    )  # fmt: skip
