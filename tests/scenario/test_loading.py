"""Scenario files: every fault with its place, thousands of mutants without a traceback."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from twinloop.errors import Fault, InputError
from twinloop.scenario import load, resolve, scenario_hash

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "fraud-detection.yaml"
TEXT = EXAMPLE.read_text(encoding="utf-8")


def faults(tmp_path: Path, text: str) -> list[Fault]:
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        resolve(load(file))
    return [fault for fault in caught.value.faults if isinstance(fault, Fault)]


def line_of(text: str) -> int:
    return next(i for i, line in enumerate(TEXT.splitlines(), 1) if text in line)


def test_example_resolves_to_si():
    model = resolve(load(EXAMPLE))
    hall = model.on_premise[0]
    assert hall.utility_power_w == 2.5e6
    assert hall.water.supply_m3_per_year == 6000.0
    assert model.stages[3].requests_per_s == 25000.0
    assert model.stages[3].latency_p99_s == pytest.approx(0.03)
    assert model.horizon_s == 5 * 8760 * 3600.0
    assert model.objective.weights["carbon"] == pytest.approx(0.075)
    assert hall.tariff.energy_usd_per_j[3] * 3.6e6 == pytest.approx(0.16)
    assert hall.tariff.energy_usd_per_j[12] * 3.6e6 == pytest.approx(0.21)
    assert len(hall.weather.dry_bulb_c) == 8760
    assert all(row.source for row in model.provenance)


def test_the_starter_is_the_example():
    starter = ROOT / "src" / "twinloop" / "scenario" / "templates" / "fraud-detection.yaml"
    assert starter.read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ("utility_power: 2.5 MW", "utility_power: 2.5 MWh", "sites[0].utility_power", "a power"),
        ("utility_power: 2.5 MW", "utilty_power: 2.5 MW", "sites[0].utilty_power", "unknown key"),
        ("home: frankfurt", "home: frankfort", "datasets[0].home", "frankfurt"),
        ("after: ingest", "after: train", "stages[1].after", "circle"),
        ("kind: serve", "kind: serving", "stages[3].kind", "serve"),
        ("latency_p99: 30 ms", "latency_p99: 30", "stages[3].latency_p99", "duration"),
        ("peak_to_mean: 2.5", "peak_to_mean: .nan", "stages[3].peak_to_mean", "finite"),
        ("grid: DE", "grid: Atlantis", "sites", "Atlantis"),
        ("samples: 6e8", "samples: -6e8", "stages[2].samples", "more than 0"),
        ("twinloop: 1", "twinloop: 2", "twinloop", "1"),
        ("hall_class: A2", "hall_class: A9", "sites[0].hall_class", "A1"),
    ],
)  # fmt: skip
def test_a_fault_names_its_line_and_what_was_expected(tmp_path, old, new, where, said):
    assert old in TEXT
    found = faults(tmp_path, TEXT.replace(old, new, 1))
    text = "\n".join(str(fault) for fault in found)
    assert any(where in fault.path for fault in found), text
    assert said in text
    assert any(fault.line is not None for fault in found)


def test_line_numbers_are_right(tmp_path):
    found = faults(tmp_path, TEXT.replace("utility_power: 2.5 MW", "utility_power: lots", 1))
    assert [fault.line for fault in found] == [line_of("utility_power: 2.5 MW")]


def test_all_faults_at_once(tmp_path):
    text = (
        TEXT.replace("horizon: 5 years", "horizon: 5")
        .replace("deadline: 2 h", "deadline: 2 hrz")
        .replace("area: 150 m2", "area: 150")
    )
    assert len(faults(tmp_path, text)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n- b\n",
        "a: [1, 2",
        "a: 1\na: 2\n",
        "x: &a 1\ny: *a\n",
        "\t- tab",
        "twinloop: 1\n",
        "null",
        "a: !!python/object:os.system x",
    ],
)
def test_files_that_are_no_scenario(tmp_path, text):
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(file)
    assert "x.yaml" in str(caught.value)


def test_missing_and_undecodable_files(tmp_path):
    with pytest.raises(InputError, match="readable"):
        load(tmp_path / "none.yaml")
    (tmp_path / "b.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        load(tmp_path / "b.yaml")


def test_comments_do_not_change_the_hash(tmp_path):
    (tmp_path / "a.yaml").write_text(TEXT + "\n# a comment\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text(TEXT.replace("6e8", "7e8"), encoding="utf-8")
    same, other = scenario_hash(load(tmp_path / "a.yaml")), scenario_hash(load(tmp_path / "b.yaml"))
    assert same == scenario_hash(load(EXAMPLE)) != other


def mutant(rng: random.Random) -> str:
    lines = TEXT.splitlines()
    for _ in range(rng.randint(1, 3)):
        i = rng.randrange(len(lines))
        kind = rng.randrange(9)
        if kind == 0:
            del lines[i]
        elif kind == 1:
            lines.insert(i, lines[i])
        elif kind == 2:
            lines[i] = " " * rng.randint(0, 4) + lines[i]
        elif kind == 3:
            lines[i] = lines[i].replace(":", rng.choice(["", "::", ": -", ": [", ": {", ": !!int "]), 1)
        elif kind == 4:
            lines[i] = lines[i].replace(rng.choice("abcdeimnorst"), rng.choice("xyz€\x07"), 1)
        elif kind == 5:
            words = lines[i].split()
            lines[i] = (
                lines[i].replace(
                    words[-1], rng.choice(["-1", "1e400", ".inf", "null", "true", "[]", "{}", "0", "''", "1e30 MW"])
                )
                if words
                else "?"
            )
        elif kind == 6:
            lines[i] = lines[i][: rng.randint(0, len(lines[i]))]
        elif kind == 7:
            j = rng.randrange(len(lines))
            lines[i], lines[j] = lines[j], lines[i]
        else:
            lines[i] = lines[i] + rng.choice([" &x", " *x", " |", " >", "\t", " # ", ' "', " 2026-11-24", "\x00"])
    return "\n".join(lines)


def survive(tmp_path: Path, seeds: range) -> None:
    file = tmp_path / "mutant.yaml"
    refusals = []
    for seed in seeds:
        file.write_text(mutant(random.Random(seed)), encoding="utf-8")
        try:
            resolve(load(file))
        except InputError as error:
            refusals.append(error)
    for refusal in refusals:
        assert all("mutant.yaml" in str(fault) and "expected" in str(fault) for fault in refusal.faults), refusal
    assert len(refusals) > len(seeds) // 4


def test_mutants_are_accepted_or_refused_with_their_place(tmp_path):
    survive(tmp_path, range(250))


@pytest.mark.slow
def test_2000_mutants(tmp_path):
    survive(tmp_path, range(1000, 3000))
