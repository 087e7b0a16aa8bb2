"""Which published cooling figures are scored, which calibrated constants, which are unused, and why."""

from __future__ import annotations

from itertools import groupby
from typing import Literal

from twinloop.validation.serving_cases import table

Use = Literal["score", "transcription", "calibration", "input", "unused"]
USES: dict[Use, str] = {
    "score": "compared with the model, constants chosen without them",
    "transcription": "the formula itself is in the program",
    "calibration": "constants were taken from them",
    "input": "set the compared case up",
    "unused": "not compared",
}


def cases_of(use: Use) -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """Return (case, its figures, the reason) of one use; figures of one case and reason stand together."""
    rows = [row for row in table("cooling_case_map") if row["use"] == use]
    grouped = groupby(rows, key=lambda row: (row["case"], row["reason"]))
    return tuple((case, tuple(row["metric"] for row in group), reason) for (case, reason), group in grouped)


def case_lines() -> tuple[str, ...]:
    """Return the list as lines for people, by use."""
    lines = ["Published cooling figures and their use"]
    for use, words in USES.items():
        lines.append(f"{use}: {words}")
        lines += [
            f"  {case}: {', '.join(metrics)}: {reason}" if any(metrics) else f"  {case}: {reason}"
            for case, metrics, reason in cases_of(use)
        ]
    return tuple(lines)
