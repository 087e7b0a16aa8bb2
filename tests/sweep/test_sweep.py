"""Every combination of values, each a scenario that says just that."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from twinloop.errors import InputError
from twinloop.scenario.document import parse_document
from twinloop.scenario.load import load_text
from twinloop.sweep.vary import cases, path_of, vary_of

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "tests" / "studio" / "small.yaml"
TEXT = SMALL.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("a=1,2,3 kW", ("1 kW", "2 kW", "3 kW")),
        ("a=1 MW,2,3 kW", ("1 MW", "2 kW", "3 kW")),
        ("a=1e3,2.5/s", ("1e3/s", "2.5/s")),
        ("a=1,2", ("1", "2")),
        ("a=Frankfurt,Madrid", ("Frankfurt", "Madrid")),
        ("a=5", ("5",)),
        ("a=10,20 %", ("10 %", "20 %")),
    ],
)
def test_a_unit_at_the_end_is_for_all(words, values):
    assert vary_of(words).values == values


@pytest.mark.parametrize("words", ["a", "=1", "a=", "a=1,,2", ""])
def test_words_without_key_or_value_are_refused(words):
    with pytest.raises(InputError, match="--vary"):
        vary_of(words)


def test_cases_are_all_combinations_and_say_nothing_else():
    keys = (vary_of("objective.carbon_price=0,250 USD/t"), vary_of("sites.hall.racks.power=20,40,60 kW"))
    found = cases(TEXT, "small.yaml", keys)
    assert [case.values for case in found] == [
        (price, power) for price in ("0 USD/t", "250 USD/t") for power in ("20 kW", "40 kW", "60 kW")
    ]
    plain = load_text(TEXT, SMALL).root.plain()
    for case in found:
        spec = load_text(case.text, SMALL)
        assert spec.spec.objective.carbon_price == pytest.approx(float(case.values[0].split()[0]) / 1e3)
        assert spec.spec.sites[0].racks.power == pytest.approx(float(case.values[1].split()[0]) * 1e3)
        rest = spec.root.plain()
        rest["objective"]["carbon_price"] = plain["objective"]["carbon_price"]
        rest["sites"][0]["racks"]["power"] = plain["sites"][0]["racks"]["power"]
        assert rest == plain


def test_names_with_dots_and_positions_lead_there():
    root, _ = parse_document("models:\n  - {name: a}\n  - {name: a.b}\nname: x\n", "f")
    assert path_of(root, "models.a.b.context") == ("models", 1, "context")
    assert path_of(root, "models.a.context") == ("models", 0, "context")
    assert path_of(root, "models.1.context") == ("models", 1, "context")
    with pytest.raises(InputError, match="expected one of a, a"):
        path_of(root, "models.c.context")


@pytest.mark.parametrize(
    ("varied", "words"),
    [
        (("horizon=1,2 years", "horizon=3 years"), "twice"),
        (("sites.nowhere.pue=1.1",), "expected one of hall"),
        (tuple(f"k{i}=1,2,3,4,5,6,7,8,9,10" for i in range(5)), "at most"),
    ],
)
def test_what_cannot_be_varied_is_told(varied, words):
    with pytest.raises(InputError, match=words):
        cases(TEXT, "small.yaml", tuple(vary_of(each) for each in varied))


def sweep(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "twinloop", "sweep", str(SMALL), *arguments], cwd=cwd, capture_output=True, text=True,
        timeout=240, check=False, env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "100"},
    )  # fmt: skip


@pytest.mark.slow
def test_a_sweep_plans_each_case_and_an_impossible_one_is_a_row(tmp_path):
    done = sweep("--vary", "sites.hall.utility_power=1,200 kW", "--jobs", "2", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 100
    rows = pq.read_table(tmp_path / "out" / "sweep.parquet").to_pylist()
    assert [row["sites.hall.utility_power"] for row in rows] == ["1 kW", "200 kW"]
    assert [row["status"] for row in rows] == ["infeasible", "optimal"]
    assert rows[0]["tco_usd"] is None
    assert "utility power of hall" in rows[0]["note"]
    alone = subprocess.run(
        [sys.executable, "-m", "twinloop", "plan", str(SMALL), "--json", "--out", "p"], cwd=tmp_path,
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    plan = json.loads(alone.stdout)
    assert rows[1]["tco_usd"] == plan["totals"]["tco_usd"]
    assert rows[1]["scenario_hash"] == plan["scenario_hash"]


@pytest.mark.slow
def test_a_case_with_a_fault_is_told_before_any_is_planned(tmp_path):
    done = sweep("--vary", "sites.hall.racks.power=20 kW,40 kWh", cwd=tmp_path)
    assert done.returncode == 2
    assert "sites.hall.racks.power=40 kWh" in done.stderr
    assert "did you mean" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_an_interrupted_sweep_keeps_what_it_has(tmp_path):
    values = "objective.carbon_price=" + ",".join(map(str, range(0, 600, 20))) + " USD/t"
    process = subprocess.Popen(
        [sys.executable, "-m", "twinloop", "sweep", str(SMALL), "--vary", values, "--jobs", "1", "--out", "out"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 120
    while not (found := list(tmp_path.glob("out/.unfinished-*.json"))):
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    known = json.loads(found[0].read_text(encoding="utf-8"))
    assert 0 < len(known) < 30
    few = sweep("--vary", "objective.carbon_price=0,20 USD/t", "--out", "out", cwd=tmp_path)
    assert few.returncode == 0
    assert f"{len(known)} cases are known" in few.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sweep.parquet"]
    rows = pq.read_table(tmp_path / "out" / "sweep.parquet").to_pylist()
    assert [row["objective.carbon_price"] for row in rows] == ["0 USD/t", "20 USD/t"]
    assert rows[0]["scenario_hash"] == next(iter(known))
