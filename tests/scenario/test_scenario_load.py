"""Every fault at once, each with its line and a hint; what no scenario needs is refused."""

from pathlib import Path

import pytest

from twinloop.errors import InputError
from twinloop.scenario import load, load_text, scenario_hash

MINIMAL = """\
twinloop: 1
name: small
models:
  - {name: net, kind: transformer, layers: 12, hidden: 768, heads: 12, vocabulary: 4096, context: 256}
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
FILE = Path("some.yaml")


def faults(text):
    with pytest.raises(InputError) as caught:
        load_text(text, FILE)
    return caught.value.faults


def only(text):
    found = faults(text)
    assert len(found) == 1, "\n".join(map(str, found))
    return found[0]


def changed(old, new):
    assert MINIMAL.count(old) == 1
    return MINIMAL.replace(old, new)


def test_minimal_is_accepted():
    scenario = load_text(MINIMAL, FILE)
    assert scenario.spec.sites[0].utility_power == 1e6
    assert scenario.spec.stages[1].samples == 1e6
    assert scenario.spec.stages[1].deadline == 3 * 3600.0


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "suggestion"),
    [
        ("utility_power", "utilty_power", 15, "sites[0].utilty_power", "utility_power"),
        ("1 MW", "1 MWh", 15, "sites[0].utility_power", "1 MW"),
        ("1 MW", "1 mw", 15, "sites[0].utility_power", "1 MW"),
        ("kind: ingest", "kind: injest", 8, "stages[0].kind", "ingest"),
        ("on-premise", "on_premise", 12, "sites[0].kind", "on-premise"),
        ("climate: Frankfurt", "climate: Frankfort", 13, "sites[0].climate", "Frankfurt"),
        ("model: net", "model: nets", 9, "stages[1].model", "net"),
        ("after: collect", "after: colect", 9, "stages[1].after", "collect"),
        ("reads: rows", "reads: row", 8, "stages[0].reads", "rows"),
        ("home: hall", "home: hal", 6, "datasets[0].home", "hall"),
        ("20 kW}", "20 kw}", 16, "sites[0].racks.power", "20 kW"),
    ],
)
def test_a_slip_is_named_with_its_line_and_what_was_meant(old, new, line, path, suggestion):
    found = {fault.path: fault for fault in faults(changed(old, new))}
    assert path in found
    assert (found[path].line, found[path].suggestion) == (line, suggestion)
    assert str(found[path]).startswith(f"some.yaml:{line}: {path}: got ")


@pytest.mark.parametrize("key", ["devices", "cooling", "compression"])
def test_an_empty_list_of_what_is_allowed_is_refused_not_read_as_everything(key):
    text = f"{MINIMAL.rstrip()}\nallow: {{{key}: []}}\n"
    line = text.rstrip().count("\n") + 1
    (fault,) = faults(text)
    assert str(fault) == (
        f"some.yaml:{line}: allow.{key}: got an empty list, expected at least one name; "
        "leave the key out to allow everything"
    )


@pytest.mark.parametrize(
    ("old", "new", "got", "expected"),
    [
        ("positions: 10", "positions: 10.5", "10.5", "a whole number"),
        ("positions: 10", "positions: '10'", "'10'", "a whole number"),
        ("positions: 10", "positions: true", "true", "a whole number"),
        ("positions: 10", "positions: 0", "0", "at least 1"),
        ("layers: 12", "layers: yes", "'yes'", "a whole number"),
        ("1e6", "'many'", "'many'", "a number"),
        ("1e6", "-1", "-1", "a number of more than 0"),
        ("1e6", ".nan", "nan", "finite"),
        ("1e6", "1e400", "inf", "finite"),
        ("1e6", "true", "True", "a number"),
        ("1 MW", "1", "1 without a unit", "a power such as 3 MW"),
        ("1 MW", "-1 MW", "'-1 MW'", "a power of more than 0"),
        ("1 MW", "1e9 MW", "'1e9 MW'", "100 GW"),
        ("1 MW", "[1 MW]", "'1 MW'", "keys and values"),
        ("jurisdiction: DE", "jurisdiction: germany", "'germany'", "a jurisdiction such as EU"),
        ("jurisdiction: DE", "jurisdiction: US", "hall in US", "a site within EU"),
        ("racks: {positions: 10, power: 20 kW}", "racks: many", "'many'", "keys and values"),
        ("deadline: 3 h", "deadline: 3 days", "3 days", "at most the period"),
        ("heads: 12", "heads: 7", "7", "a divisor of hidden (768)"),
        ("context: 256", "context: 256, experts: 8", "experts in a transformer", "kind: mixture"),
        ("utility_power: 1 MW", "utility_power: 1 MW\n    it_power: 1 MW", "both", "one of them"),
        ("    utility_power: 1 MW\n", "", "neither", "one of them"),
        ("utility_power: 1 MW", "utility_power: 1 MW\n    storage: {}", "the key 'storage'", "not supported yet"),
        ("utility_power: 1 MW", "utility_power: 1 MW\n    grid: Atlantis", "'Atlantis'", "grids"),
        ("utility_power: 1 MW", "utility_power: 1 MW\n    grid: [DE]", "a list", "a word, or keys and values"),
        ("name: train,", "name: collect,", "'collect'", "a name of its own"),
        ("after: collect", "after: train", "train -> train", "in a circle"),
        ("twinloop: 1", "twinloop: 2", "2", "one of 1"),
    ],
)  # fmt: skip
def test_one_fault(old, new, got, expected):
    fault = only(changed(old, new))
    assert got in fault.got
    assert expected in fault.expected


def test_all_faults_come_at_once_in_the_order_of_lines():
    text = MINIMAL.replace("1 MW", "1 MWh").replace("layers: 12", "layers: 1.5").replace("model: net", "model: nat")
    found = faults(text + "    climat: x\n    hall_class: A9\nobjektive: cost\n")
    assert [fault.line for fault in found] == sorted(fault.line for fault in found)
    assert {fault.path for fault in found} == {
        "models[0].layers", "stages[1].model", "sites[0].utility_power", "sites[0].climat", "sites[0].hall_class",
        "objektive",
    }  # fmt: skip


def test_a_cycle_of_two_is_reported_once():
    text = changed("reads: rows, rate", "reads: rows, after: train, rate")
    assert only(text).got == "collect -> train -> collect"


@pytest.mark.parametrize(
    ("text", "line", "got"),
    [
        ("", 1, "an empty file"),
        ("# only words\n", 1, "an empty file"),
        ("- a\n- b\n", 1, "a list"),
        ("12\n", 1, "12"),
        ("a: 1\n\tb: 2\n", 2, "a tab in the indentation"),
        ("a: [1, 2\nb: 3\n", 2, "broken YAML"),
        ("a: 'open\n", 2, "broken YAML"),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("a: !!python/object:os.system x\n", 1, "the tag"),
        ("a: \x00\n", 1, "control character"),
        ("a: *nowhere\n", 1, "*nowhere"),
        ("a: &a [*a]\n", 1, "*a"),
        ("? [1, 2]\n: x\n", 1, "a list"),
        ("a: " + "[" * 100, 1, "nesting"),
        ("a: " + "[" * 100_000, 1, "nesting"),
        ("a: [" + "1," * 30_000 + "]\n", 1, "more than"),
        ('a: "\\U0011FFFF"\n', 1, "broken YAML"),
    ],
)
def test_what_is_no_scenario_is_refused(text, line, got):
    fault = only(text)
    assert fault.line == line
    assert got in fault.got


def test_a_duplicate_key_names_both_lines():
    fault = only(MINIMAL + "    climate: Paris\n")
    assert (fault.line, fault.path) == (17, "sites[0].climate")
    assert "first on line 13" in fault.expected


def test_aliases_that_multiply_are_refused_fast():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
    )
    assert "more than" in only(bomb).got


def test_a_plain_alias_is_its_value():
    text = changed("utility_power: 1 MW", "utility_power: &power 1 MW")
    assert load_text(text.replace("power: 20 kW", "power: *power"), FILE).spec.sites[0].racks.power == 1e6


def test_a_merge_key_is_refused():
    assert any("merge key" in fault.got for fault in faults(MINIMAL + "    <<: {growth: 1 %}\n"))


def test_files_that_cannot_be_read(tmp_path):
    for path, expected in ((tmp_path / "none.yaml", "No such file"), (tmp_path, "directory")):
        with pytest.raises(InputError, match=expected):
            load(path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"twinloop: 1\nname: caf\xe9\n")
    with pytest.raises(InputError, match=r"latin\.yaml:2: file: got byte 0xe9, expected text in UTF-8"):
        load(latin)
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * 2_000_000)
    with pytest.raises(InputError, match="1 MB"):
        load(large)


def test_a_byte_order_mark_and_windows_lines_do_not_matter(tmp_path):
    file = tmp_path / "windows.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert scenario_hash(load(file)) == scenario_hash(load_text(MINIMAL, FILE))


def test_hash_ignores_comments_and_spelling_of_units_but_no_value():
    base = scenario_hash(load_text(MINIMAL, FILE))
    assert scenario_hash(load_text("# a comment\n" + changed("1 MW", "1000 kW"), FILE)) == base
    assert scenario_hash(load_text(changed("1 MW", "1001 kW"), FILE)) != base


def test_hash_changes_with_a_named_file(tmp_path):
    config = tmp_path / "config.json"
    text = MINIMAL.replace(
        "kind: transformer, layers: 12, hidden: 768, heads: 12, vocabulary: 4096, context: 256", "config: config.json"
    )
    hashes = set()
    for content in ("{}", "{ }"):
        config.write_text(content)
        hashes.add(scenario_hash(load_text(text, tmp_path / "s.yaml")))
    assert len(hashes) == 2


@pytest.mark.parametrize(
    ("energy", "got"),
    [
        ("[{from: 0, to: 12, price: 0.1 USD/kWh}]", "no price for the hours 12-24"),
        ("[{from: 22, to: 6, price: 0.1 USD/kWh}, {from: 5, to: 22, price: 0.2 USD/kWh}]", "hours 5-6 priced twice"),
        ("[{from: 0, to: 25, price: 0.1 USD/kWh}]", "25"),
        ("0.1 EUR/kWh", "'0.1 EUR/kWh'"),
        ("'free'", "'free'"),
    ],
)
def test_tariffs_that_do_not_add_up(energy, got):
    assert got in only(MINIMAL + f"    tariff: {{energy: {energy}}}\n").got


def test_a_fault_is_no_longer_than_a_line():
    long = "x" * 5000
    for text in (MINIMAL.replace("1 MW", long), MINIMAL.replace("utility_power", long), MINIMAL + f"{long}: 1\n"):
        assert all(len(str(fault)) < 600 for fault in faults(text))


def test_an_onnx_file_without_operators_is_refused(tmp_path):
    pytest.importorskip("onnx")
    from twinloop.scenario.onnx_graph import network_from_onnx

    (tmp_path / "empty.onnx").write_bytes(b"")
    with pytest.raises(InputError, match="graph without operators"):
        network_from_onnx("empty", tmp_path / "empty.onnx")
