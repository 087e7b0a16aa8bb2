"""A value is changed in place and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.errors import InputError
from twinloop.scenario.edits import set_value
from twinloop.scenario.load import load_text

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


NEW = "carbon_price: 9 USD/t"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nobjective:\n  minimise: cost  # goal\n", f"a: 1\nobjective:\n  {NEW}\n  minimise: cost  # goal\n"),
        ("a: 1\nobjective: cost   # goal\n", f"a: 1\nobjective: {{minimise: cost, {NEW}}}   # goal\n"),
        ("objective: {}\n", f"objective: {{ {NEW}}}\n"),
        ("objective: {minimise: cost,}\n", f"objective: {{minimise: cost, {NEW}}}\n"),
        ("objective: {carbon_price: '8 USD/t', a: b}\n", f"objective: {{{NEW}, a: b}}\n"),
        ("twinloop: 1\nname: x\n", f"twinloop: 1\nobjective: {{{NEW}}}\nname: x\n"),
        ("# head\nobjective:\n  carbon_price: 8 USD/t # our\n", f"# head\nobjective:\n  {NEW} # our\n"),
    ],
)
def test_one_value_is_set_however_the_section_is_written(text, expected):
    assert set_value(text, ("objective", "carbon_price"), "9 USD/t") == expected


def test_a_value_inside_a_list_is_found_by_its_position():
    text = "sites:\n  - {name: a}\n  - name: b\n    design:\n      warm_supply: 32 °C\n"
    assert set_value(text, ("sites", 1, "design", "warm_supply"), "30 °C").endswith("      warm_supply: 30 °C\n")


@pytest.mark.parametrize("path", [("sites", 3, "design", "warm_supply"), ("name", "x"), ("sites",)])
def test_what_is_no_single_value_is_refused(path):
    with pytest.raises(InputError):
        set_value("name: n\nsites:\n  - {name: a}\n", path, "1")


def test_broken_text_is_refused():
    with pytest.raises(InputError, match="mend it first"):
        set_value("a: [1", ("a",), "2")


@given(st.sampled_from(EXAMPLES), st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_an_example_keeps_every_other_value_and_every_comment(path, price):
    text = path.read_text(encoding="utf-8")
    changed = set_value(text, ("objective", "carbon_price"), f"{price} USD/t")
    before, after = (load_text(each, path).spec for each in (text, changed))
    assert after.objective.carbon_price == pytest.approx(price / 1e3)
    assert after.model_copy(update={"objective": before.objective}) == before
    assert [line.partition("#")[2] for line in changed.splitlines() if "#" in line] == [
        line.partition("#")[2] for line in text.splitlines() if "#" in line
    ]
