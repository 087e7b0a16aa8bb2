"""Whole training runs: interruptions counted and time that was useful, against what their authors report."""

from __future__ import annotations

import csv
from importlib import resources
from typing import cast

from twinloop.reliability.goodput import Goodput, goodput
from twinloop.validation.result import Kind, Result
from twinloop.workload.train_options import STATE_B

DAY_S = 86400.0


def goodput_results() -> list[Result]:
    """Return a row for each published count of interruptions and share of useful time."""
    text = (resources.files("twinloop.validation") / "tables" / "training_goodput.csv").read_text(encoding="utf-8")
    return [_result(row) for row in csv.DictReader(text.splitlines())]


def _result(row: dict[str, str]) -> Result:
    days = float(row["days"])
    use = goodput(
        days * DAY_S, int(row["devices"]), int(row["servers"]), STATE_B * 1e9 * float(row["parameters_b"]),
        row["device_kind"],
    )  # fmt: skip
    counted = row["quantity"] == "interruptions"
    return Result(
        case=f"training run: {row['case']}", quantity=row["quantity"], unit="" if counted else "1",
        expected=float(row["expected"]), got=_interruptions(use, days) if counted else use.share,
        tolerance=float(row["tolerance"]), source=row["source"], kind=cast("Kind", row["kind"]),
    )  # fmt: skip


def _interruptions(use: Goodput, days: float) -> float:
    """Return how many are expected in ``days`` of wall time, as authors count them."""
    return days * DAY_S / use.between_s
