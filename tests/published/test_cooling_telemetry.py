"""Measured traces against the twin, as `twinloop validate cooling --cases` shows them."""

import os
from pathlib import Path

import pytest

from twinloop.validation.telemetry_cases import frontier_results, node_results, telemetry_results

DATA = (
    Path(os.environ.get("TWINLOOP_REFERENCE") or Path(__file__).resolve().parents[3] / "shared" / "reference") / "data"
)


def trace(name):
    found = sorted(DATA.rglob(name)) if DATA.is_dir() else []
    if not found:
        pytest.skip(f"no {name} below {DATA}: set TWINLOOP_REFERENCE")
    return found[0]


def test_frontiers_day_is_predicted_better_than_by_the_plainest_guess():
    results = frontier_results(trace("frontier_cdu_heat_2024-04-07_15s.csv.gz"))
    assert [result.quantity for result in results if not result.passed] == []
    units = next(result for result in results if "from the others" in result.quantity)
    assert units.got < 40.0


@pytest.mark.slow
def test_immersed_nodes_are_followed():
    results = node_results(trace("mlperf_immersion_h100_node_power_traces.csv"))
    assert len(results) == 6
    assert [result.quantity for result in results if not result.passed] == []
    assert {result.kind for result in results} == {"calibration", "proof"}


def test_without_files_nothing_is_claimed(tmp_path):
    assert telemetry_results(None) == ()
    assert telemetry_results(tmp_path) == ()
