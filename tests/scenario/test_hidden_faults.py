"""A fault hides no other: wrong kinds, and values that do not fit beside blocks that are broken."""

from pathlib import Path

import pytest

from twinloop.errors import InputError
from twinloop.scenario import load_text, resolve

TEXT = """\
twinloop: 1
name: small
models:
  - {name: net, kind: transformer, layers: 12, hidden: 768, heads: 12, vocabulary: 4096, context: 256}
  - {name: other, kind: generic, parameters: 1e9, flops_per_sample: 1e9}
datasets:
  - {name: rows, size: 1 TB, home: hall, residency: EU}
stages:
  - {name: collect, kind: ingest, reads: rows, rate: 50 GB/day}
  - {name: train, kind: train, after: collect, model: net, samples: 1e6, every: 1 day, deadline: 3 h}
sites:
  - name: hall
    kind: on-premise
    climate: Frankfurt
    jurisdiction: DE
    utility_power: 1 MW
    racks: {positions: 10, power: 20 kW}
"""


def told(text: str) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        load_text(text, Path("some.yaml"))
    return {fault.path: fault.got for fault in caught.value.faults}


def changed(*pairs: tuple[str, str]) -> str:
    text = TEXT
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("kind", "wrong", "pairs", "paths"),
    [
        ("kind: train,", "kind: tarin,", [("3 h", "3 hh"), ("samples", "smaples")],
         {"stages[1].deadline", "stages[1].smaples"}),
        ("kind: on-premise", "kind: on premises", [("1 MW", "1 MWh"), ("jurisdiction: DE", "jurisdiction: germany")],
         {"sites[0].utility_power", "sites[0].jurisdiction"}),
        ("    kind: on-premise", "    kind: onpremise", [("    utility_power: 1 MW\n", "")], {"sites[0]"}),
        ("kind: transformer", "kind: trasformer", [("layers: 12", "layers: many"), (", heads: 12", "")],
         {"models[0].layers", "models[0].heads"}),
        ("size: 1 TB", "kind: table, size: 1 TBB", [], {"datasets[0].size"}),
        ("kind: ingest", "kind: fetch", [("name: collect", "name: '?'")], {"stages[0].name"}),
        ("kind: ingest, ", "", [("name: collect", "name: '?'"), ("reads: rows", "reads: rowz")],
         {"stages[0].name", "stages[0].reads"}),
        ("kind: on-premise", "kind: basement", [("name: hall", "name: '!'")], {"sites[0].name"}),
        ("kind: generic", "kind: magic", [("name: other", "name: '!'")], {"models[1].name"}),
    ],
)  # fmt: skip
def test_a_wrong_kind_hides_no_fault_of_its_block(kind, wrong, pairs, paths):
    """Each alone is told, and so are all together."""
    blocks = changed((kind, wrong), *pairs)
    found = told(blocks)
    assert paths <= set(found)
    assert len([path for path in found if path.endswith("kind")]) == 1
    if pairs and wrong:
        assert paths <= set(told(blocks.replace(wrong, kind)))


def test_nothing_is_told_of_a_block_of_unknown_kind_but_what_holds_for_every_kind():
    assert told(changed(("kind: ingest", "kind: fetch"))) == {"stages[0].kind": "'fetch'"}
    assert told(changed(("kind: on-premise", "kind: basement"))) == {"sites[0].kind": "'basement'"}


def test_two_wrong_kinds_do_not_hide_each_other():
    text = changed(
        ("kind: ingest", "kind: injest"), ("kind: train,", "kind: tranin,"), ("3 h", "3"), ("50 GB/day", "50")
    )
    assert set(told(text)) == {"stages[0].kind", "stages[0].rate", "stages[1].kind", "stages[1].deadline"}


@pytest.mark.parametrize(
    ("other", "path"),
    [
        (("1 MW", "1 MWh"), "sites[0].utility_power"),
        (("kind: ingest", "kind: injest"), "stages[0].kind"),
        (("50 GB/day", "50 GB"), "stages[0].rate"),
        (("name: small", "name: small\nobjektive: cost"), "objektive"),
        (("parameters: 1e9", "parameters: 0"), "models[1].parameters"),
        (("reads: rows", "reads: rowz"), "stages[0].reads"),
        (("climate: Frankfurt", "climate: Gotham"), "sites[0].climate"),
        (("jurisdiction: DE", "jurisdiction: DE\n    jurisdiction: DE"), "sites[0].jurisdiction"),
    ],
)
def test_values_that_do_not_fit_are_told_beside_any_other_fault(other, path):
    found = told(changed(other, ("3 h", "3 days"), ("heads: 12", "heads: 7")))
    assert set(found) == {path, "stages[1].deadline", "models[0].heads"}


def test_a_place_without_grid_and_tariff_is_told_both_with_an_example():
    with pytest.raises(InputError) as caught:
        resolve(load_text(changed(("climate: Frankfurt", "climate: Kuwait")), Path("some.yaml")))
    assert [fault.got for fault in caught.value.faults] == ["no grid", "no tariff"]
    said = {fault.expected.split("`")[1] for fault in caught.value.faults}
    mended = changed(("climate: Frankfurt", "\n    ".join(["climate: Kuwait", *said])))
    assert resolve(load_text(mended, Path("some.yaml"))).on_premise[0].grid.carbon_basis == "my supplier"
