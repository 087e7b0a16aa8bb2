"""``twinloop plan``: interrupted and resumed, watched on a terminal, and side by side."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from twinloop.cli.read import read_plan
from twinloop.cli.resume import Kept, remembering
from twinloop.errors import InputError
from twinloop.model.codec import dumps
from twinloop.planner.plan import plan
from twinloop.scenario import load, resolve, scenario_hash

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "tests" / "studio" / "small.yaml"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "100", "TERM": "xterm"}


def twinloop(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "twinloop", *arguments],
        cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


# Resuming


def test_a_resumed_plan_equals_an_uninterrupted_one(tmp_path):
    parsed = load(SMALL)
    model, digest = resolve(parsed), scenario_hash(parsed)
    first = Kept(tmp_path, digest)
    asked: list[str] = []

    def interrupted(key, find):
        if asked:
            raise KeyboardInterrupt
        asked.append(key[1])
        return remembering(first)(key, find)

    with pytest.raises(KeyboardInterrupt):
        plan(model, digest, remember=interrupted)
    first.save()
    again = Kept(tmp_path, digest)
    assert again.resumed == 1
    found: list[str] = []
    wanted: set[str] = set()

    def counted(key, find):
        return remembering(again)(key, lambda: found.append(key[1]) or find())

    resumed = plan(model, digest, remember=counted)
    whole = plan(model, digest, remember=lambda key, find: wanted.add(dumps(key)) or find())
    assert len(found) == len(wanted) - len(asked)
    assert dumps(resumed.plan) == dumps(whole.plan)
    again.forget()
    assert list(tmp_path.iterdir()) == []


def test_memory_is_of_one_scenario_and_survives_a_torn_file(tmp_path):
    (tmp_path / ".unfinished-a-x.json").write_text("{", encoding="utf-8")
    memory = Kept(tmp_path, "a")
    memory._path.write_text('{"torn": ', encoding="utf-8")
    assert Kept(tmp_path, "a").resumed == 0
    memory._path.write_text('{"kept": {}}', encoding="utf-8")
    assert Kept(tmp_path, "a").resumed == 1
    assert Kept(tmp_path, "b").resumed == 0


@pytest.mark.slow
def test_ctrl_c_then_the_same_command_goes_on(tmp_path):
    scenario = str(ROOT / "examples" / "fraud-detection.yaml")
    whole = twinloop("plan", scenario, "--out", "whole", "--json", cwd=tmp_path)
    assert whole.returncode == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "twinloop", "plan", scenario, "--out", "out"],
        cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + 120
    while not list(tmp_path.glob("out/.unfinished-*.json")):
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the same command goes on" in said
    assert "Traceback" not in said
    again = twinloop("plan", scenario, "--out", "out", cwd=tmp_path)
    assert again.returncode == 0
    assert "going on with the interrupted plan" in again.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "plan.json", "report.html", "equipment.csv", "year.parquet"
    }  # fmt: skip
    assert (tmp_path / "out" / "plan.json").read_text(encoding="utf-8") == whole.stdout
    for name in ("plan.json", "report.html", "equipment.csv", "year.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


# Progress


def on_a_terminal(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """Run with standard error on a terminal; return the code, standard output and what the terminal got."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "twinloop", *arguments],
        cwd=cwd, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=theirs, stdin=theirs, text=True,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    return process.returncode, out, shown.decode(errors="replace")


@pytest.mark.slow
def test_a_terminal_shows_progress_and_json_and_quiet_show_none(tmp_path):
    code, out, shown = on_a_terminal("plan", str(SMALL), "--out", "out", cwd=tmp_path)
    assert code == 0
    for step in ("screening cooling designs of hall", "choosing and checking", "writing the report"):
        assert step in shown
    assert "%" in shown
    assert "screening" not in out
    for flag in ("--json", "-q"):
        code, out, shown = on_a_terminal("plan", str(SMALL), "--out", "out", flag, cwd=tmp_path)
        assert code == 0
        assert shown == ""
    assert "screening" not in twinloop("plan", str(SMALL), "--out", "out", cwd=tmp_path).stderr


# Side by side


@pytest.mark.slow
def test_scenarios_and_plan_files_stand_side_by_side(tmp_path):
    text = SMALL.read_text(encoding="utf-8")
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(text.replace("80 USD/t", "400 USD/t"), encoding="utf-8")
    done = twinloop("plan", "--compare", "a.yaml", "b.yaml", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert "objective.carbon_price" in done.stdout
    assert (tmp_path / "out" / "comparison.html").is_file()
    files = ("out/a/plan.json", "out/b/plan.json")
    as_json = twinloop("plan", "--compare", *files, "--out", "again", "--json", cwd=tmp_path)
    assert as_json.returncode == 0
    found = json.loads(as_json.stdout)
    assert found["names"] == ["a", "b"]
    assert [row["name"] for row in found["inputs"]] == ["objective.carbon_price"]
    assert as_json.stdout == (tmp_path / "out" / "comparison.json").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--compare", "a.yaml"), "expected 2 to 4"),
        (("--compare", "broken.json", "a.yaml"), "broken.json"),
        (("--compare", "absent.json", "a.yaml"), "absent.json"),
        (("a.yaml", "a.yaml"), "--compare"),
        (("--compare", "a.yaml", "a.yaml", "--explain", "tune"), "--explain"),
        (("a.yaml", "--explain", "tuning"), "expected one of tune"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(tmp_path, arguments, words):
    (tmp_path / "a.yaml").write_text(SMALL.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "broken.json").write_text('{"schema": 1}', encoding="utf-8")
    done = twinloop("plan", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_scenario_given_as_a_plan_is_told_by_its_name(tmp_path):
    scenario = tmp_path / "mine.yaml"
    scenario.write_text(SMALL.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(InputError, match=r"mine\.yaml: got a scenario, expected a plan\.json"):
        read_plan(scenario)
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"broken\.json: not text"):
        read_plan(broken)


def completed(words: str, count: int) -> list[str]:
    code = "import sys; sys.argv[0] = 'twinloop'; from twinloop.cli.main import main; main()"
    asked = {"_TWINLOOP_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**ENVIRONMENT, **asked}, capture_output=True, text=True, check=False
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_the_shell_completes_verbs_options_and_tables():
    assert completed("twinloop pl", 1) == ["plan"]
    assert "--compare" in completed("twinloop plan --c", 2)
    assert completed("twinloop catalogue dev", 2) == ["devices"]
