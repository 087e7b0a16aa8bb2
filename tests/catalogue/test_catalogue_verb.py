"""``twinloop catalogue``: tables, conditions, order, JSON, and wrong input that ends in exit code 2."""

import json
import sys

import pytest
from click.testing import CliRunner

from twinloop import catalogue
from twinloop.catalogue.select import column_of, condition, plain, select, shown_rows
from twinloop.cli.catalogue import ABOUT, SHOWN, command
from twinloop.cli.main import main
from twinloop.errors import InputError


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def names(*arguments: str) -> list[str]:
    return [row["name"] for row in json.loads(run(*arguments, "--json"))]


def test_without_a_table_the_tables_are_listed():
    text = run()
    assert all(table in text for table in catalogue.TABLES)
    assert {row["table"] for row in json.loads(run("--json"))} == set(catalogue.TABLES)
    assert set(ABOUT) == set(catalogue.TABLES)


@pytest.mark.parametrize("table", catalogue.TABLES)
@pytest.mark.parametrize("sources", [(), ("--sources",)])
def test_every_table_fits_100_columns(table, sources):
    for line in run(table, *sources).splitlines():
        assert len(line) <= 100


@pytest.mark.parametrize("table", SHOWN)
def test_the_shown_columns_exist_and_no_word_is_cut(table):
    rows = shown_rows(table)
    assert {column for row in rows.values() for column in row} >= set(SHOWN[table])
    assert "…" not in run(table)


def test_conditions_are_all_fulfilled():
    found = names("devices", "--where", "kind=gpu", "--where", "year>=2024")
    assert "B200-SXM-180GB" in found
    assert "H100-SXM-80GB" not in found
    expected = [d.name for d in catalogue.devices() if d.kind == "gpu" and d.year >= 2024]
    assert found == expected


@pytest.mark.parametrize(
    ("text", "keeps"),
    [
        ("memory>=180", lambda d: d.memory_b >= 180e9),
        ("memory>141", lambda d: d.memory_b > 141e9),
        ("power-limit<=75", lambda d: d.power_limit_w <= 75),
        ("Power Limit < 75", lambda d: d.power_limit_w < 75),
        ("kind!=gpu", lambda d: d.kind != "gpu"),
        ("cooling ~ bath", lambda d: "bath" in d.cooling),
        ("name~h100", lambda d: "h100" in d.name.lower()),
        ("fp8>1000", lambda d: d.flops.get("fp8", 0.0) > 1e15),
        ("KIND == GPU", lambda d: d.kind == "gpu"),
    ],
)
def test_conditions_mean_what_they_say(text, keeps):
    assert names("devices", "--where", text) == [d.name for d in catalogue.devices() if keeps(d)]


def test_sorting_up_down_and_what_has_no_value_last():
    rates = {d.name: d.flops.get("bf16") for d in catalogue.devices()}
    up, down = names("devices", "--sort", "bf16"), names("devices", "--sort", "-bf16")
    known = [rates[name] for name in up if rates[name] is not None]
    assert known == sorted(known)
    assert [rates[name] for name in down if rates[name] is not None] == sorted(known, reverse=True)
    assert rates[up[-1]] is None
    assert rates[down[-1]] is None
    assert names("devices", "--sort", "name") == sorted((d.name for d in catalogue.devices()), key=str.lower)


def test_columns_of_a_condition_are_shown():
    assert "throttle" in run("devices", "--where", "throttle>90")
    assert "throttle" not in run("devices")


def test_json_is_in_si_with_the_source():
    (row,) = json.loads(run("devices", "--where", "name=H100-SXM-80GB", "--json"))
    assert row["memory_b"]["value"] == 80e9
    assert row["memory_b"]["unit"] == "B"
    assert row["memory_b"]["source"]
    assert row["memory_b"]["confidence"] == "high"


def test_a_column_has_one_unit_whatever_its_sources_write():
    rows = shown_rows("tariffs")
    units = {row["all_in_usd_per_j"].unit for row in rows.values()}
    assert len(units) == 1
    german = rows["DE"]["all_in_usd_per_j"]
    assert german.value == pytest.approx(20 * 1.08)  # 0.20 EUR/kWh, shown in US cents
    assert german.low < german.value < german.high


def test_an_offer_carries_its_machine_and_a_region_its_provider():
    rows = shown_rows("cloud_prices")
    assert rows["aws/p5.48xlarge@us-east-1"]["device"].value == "H100-SXM-80GB"
    assert "aws/p5.48xlarge" not in rows
    regions = shown_rows("cloud_regions")
    assert regions["aws/eu-central-1"]["pue"].value == 1.15
    assert "aws" not in regions


def test_low_confidence_is_marked_and_sources_are_printed():
    text = run("cooling_kits", "--where", "name=dry_cooler")
    assert "~140" in text
    assert "from memory" in " ".join(run("cooling-kits", "--where", "name=dry_cooler", "--sources").split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("device",), "did you mean devices"),
        (("devices", "--where", "knd=gpu"), "did you mean kind"),
        (("devices", "--where", "mem>5"), "did you mean memory_b or memory_bandwidth_b_s"),
        (("devices", "--where", "gpu"), "--where"),
        (("devices", "--where", "year>soon"), "expected a number"),
        (("devices", "--sort", "memry"), "did you mean memory_b"),
        (("devices", "--sort", "-prise"), "did you mean price_usd"),
        (("devices", "--wher", "kind=gpu"), "--where"),
    ],
)
def test_wrong_input_ends_in_exit_code_2_and_a_suggestion(arguments, said, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["twinloop", "catalogue", *arguments])
    with pytest.raises(SystemExit) as ending:
        main()
    assert ending.value.code == 2
    out, err = capsys.readouterr()
    assert said in err
    assert "Traceback" not in err
    assert out == ""


def test_no_row_is_no_error():
    assert "0 of" in run("devices", "--where", "power_limit>1e9")
    assert json.loads(run("devices", "--where", "kind=abacus", "--json")) == []


@pytest.mark.parametrize(
    ("quantity", "short"),
    [
        ("memory_b", "memory"),
        ("price_usd", "price"),
        ("r_air_k_w", "r_air"),
        ("capex_usd_per_w", "capex"),
        ("life_years", "life"),
        ("maintenance_per_year", "maintenance"),
        ("bf16", "bf16"),
        ("dry_bulb_jan_c", "dry_bulb_jan"),
    ],
)
def test_the_unit_at_the_end_of_a_name_may_be_left_out(quantity, short):
    assert plain(quantity) == short


def test_a_condition_on_a_missing_value_keeps_nothing():
    rows = shown_rows("devices")
    asked = condition("devices", rows, "fp4>0")
    assert set(select(rows, [asked], None)) == {n for n, row in rows.items() if "fp4" in row}


def test_an_exact_column_wins_over_beginnings():
    rows = shown_rows("architectures")
    assert column_of("architectures", rows, "kind") == "kind"
    assert column_of("architectures", rows, "name") == "name"
    with pytest.raises(InputError):
        column_of("architectures", rows, "h")  # hidden, heads, head_dim
