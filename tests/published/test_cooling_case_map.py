"""Every published cooling figure has a use and a reason, and the use is what the rows say."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from twinloop.validation.cooling_case_map import USES, case_lines
from twinloop.validation.serving_cases import table

REFERENCE = Path(os.environ.get("TWINLOOP_REFERENCE") or Path(__file__).resolve().parents[3] / "shared" / "reference")
MAP = table("cooling_case_map")
KINDS = {"score": {"proof", "soft"}, "transcription": {"transcription"}, "calibration": {"calibration"}}


def test_the_map_is_complete_against_the_file():
    path = REFERENCE / "data" / "cooling_validation.json"
    if not path.is_file():
        pytest.skip(f"no {path.name} at {path.parent}: set TWINLOOP_REFERENCE")
    published = json.loads(path.read_text(encoding="utf-8"))
    named = [(case["id"], metric["metric"]) for case in published["cases"] for metric in case["metrics"]]
    mapped = [(row["case"], row["metric"]) for row in MAP]
    assert sorted(mapped) == sorted([*named, ("gpu_thermal", "")])


def test_every_line_has_a_known_use_and_a_reason():
    assert {row["use"] for row in MAP} == set(USES)
    assert all(row["reason"] for row in MAP)
    assert len({(row["case"], row["metric"]) for row in MAP}) == len(MAP)


@pytest.mark.parametrize("row", [row for row in MAP if row["rows"]], ids=lambda row: f"{row['case']}-{row['metric']}")
def test_rows_exist_and_are_of_the_kind_that_the_use_says(row):
    kinds = {fact["id"]: fact["kind"] for fact in table("cooling_facts")}
    assert {kinds[name] for name in row["rows"].split()} <= KINDS[row["use"]]


def test_what_is_scored_names_its_rows_and_what_is_unused_none():
    for row in MAP:
        assert bool(row["rows"]) or row["use"] not in ("score", "transcription")
        assert not row["rows"] or row["use"] not in ("unused", "input")


def test_every_fact_with_a_published_case_is_in_the_map():
    """Rows without one: a formula or a worked example of its own source."""
    mapped = {name for row in MAP for name in row["rows"].split()}
    own = ("frontier-power", "vr-dp", "vr-fit-p", "vr-still", "boyd", "arrhenius")
    diagnosis = ("-flat-", "baltimore-between")
    left = [fact["id"] for fact in table("cooling_facts") if fact["id"] not in mapped]
    assert [name for name in left if not name.startswith(own) and not any(part in name for part in diagnosis)] == []


def test_the_verb_prints_the_list(monkeypatch):
    from twinloop.cli.validate import command

    monkeypatch.setattr("twinloop.validation.cooling.validate_cooling", lambda cases: ())
    told = CliRunner().invoke(command, ["cooling"]).stdout
    assert all(line in told for line in case_lines())
    rows = json.loads(CliRunner().invoke(command, ["cooling", "--json"]).stdout)
    assert rows["notes"] == list(case_lines())
    assert json.loads(CliRunner().invoke(command, ["memory", "--json"]).stdout)["notes"] == []
