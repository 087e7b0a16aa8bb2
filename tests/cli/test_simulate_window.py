"""``twinloop simulate --window … --fault …``, as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "fraud-detection.yaml"


def twinloop(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "twinloop", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planned")
    done = twinloop("plan", str(EXAMPLE), "--out", "out", "-q", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def run(planned, *arguments):
    return twinloop("simulate", str(EXAMPLE), "--plan", "out/plan.json", *arguments, cwd=planned)


@pytest.mark.slow
def test_a_fault_run_writes_what_it_says(planned):
    window = ("--window", "07-14 13:30/07-14 15:30", "--out", "sim", "--json")
    faults = ("--fault", "cdu-1 pump stops at 14:00 for 10 min", "--fault", "cdu-2 pump stops at 14:00 for 10 min")
    done = run(planned, *window, *faults)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["energy_balance_error"] < 1e-6
    assert found["facility_energy_mwh"] == pytest.approx(sum(found["energy_mwh"].values()), rel=1e-12)
    assert found["energy_mwh"]["it"] == pytest.approx(sum(found["it_split_mwh"].values()), rel=1e-9)
    assert found["time_to_throttle_s"] is not None
    assert found["time_to_shutdown_s"] is None or found["time_to_shutdown_s"] >= found["time_to_throttle_s"] - 600
    assert any("throttles" in event for event in found["events"])
    trace = pq.read_table(planned / "sim" / "trace.parquet")
    assert trace.num_rows == 2 * 3600 // 5
    assert {"worst_margin_k", "it_w", "it_w_in_order"} <= set(trace.column_names)
    page = (planned / "sim" / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "cdu-2 pump stops" in page
    assert run(planned, *window, *faults).stdout == done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--fault", "cdu-9 pump stops at 14:00"), "cdu-1 to cdu-"),
        (("--fault", "gremlins at 14:00"), "expected one of"),
        (("--window", "hotest day"), "expected 'hottest day'"),
        (("--window", "07-14 12:00/07-13 12:00"), "an end after the start"),
        (("--window", "hottest day", "--step", "60 s"), "1 s to 15 s"),
        (("--window", "hottest day", "--step", "5"), "a duration such as"),
    ],
)
def test_mistakes_exit_two_without_a_traceback(planned, arguments, part):
    done = run(planned, *arguments)
    assert done.returncode == 2, done.stdout
    assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_help_shows_examples(tmp_path):
    done = twinloop("simulate", "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert 'cdu-1 pump stops at 14:00 for 10 min"' in done.stdout
    assert "hottest day" in done.stdout
