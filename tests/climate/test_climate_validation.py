"""``twinloop validate climate``: the evidence and its command."""

import json

import pytest
from click.testing import CliRunner

from twinloop.cli.validate import command
from twinloop.errors import InputError
from twinloop.validation import climate, registry
from twinloop.validation.result import Result


def test_the_generator_is_no_worse_than_the_published_errors():
    results = climate.validate_climate()
    assert [result for result in results if result.failed] == []
    means = {result.quantity: result.got for result in results if "mean of 5 sites" in result.case}
    assert len(means) == 6
    assert means["absolute error of hours dry bulb < 18 °C"] <= 1.3
    assert means["absolute error of hours wet bulb < 15 °C"] <= 1.5  # 2.1 is the plain generator's
    assert means["absolute error of 99.6 % wet bulb"] <= 0.6


def test_shipped_statistics_are_those_of_the_files(reference):
    folder = reference / "data" / "weather"
    shipped = {case.source.rsplit(" ", 1)[1]: case for case in climate.shipped_cases()}
    assert len(shipped) == 9
    for file, case in shipped.items():
        fresh = climate.case_from_epw(folder / file)
        assert case.actual == pytest.approx(fresh.actual, abs=0.002)
        assert case.normals.dry_bulb_c == pytest.approx(fresh.normals.dry_bulb_c, abs=0.002)
        assert case.normals.dew_point_c == pytest.approx(fresh.normals.dew_point_c, abs=0.002)
        assert case.normals.design_wet_bulb_c == fresh.normals.design_wet_bulb_c
        assert case.normals.daily_mean_sigma_k == pytest.approx(fresh.normals.daily_mean_sigma_k, abs=0.002)
        assert "public domain" in case.source


def test_cases_can_be_computed_from_files(make_epw, make_lines, design_2009, tmp_path):
    path = make_epw(make_lines(design_2009))
    results = climate.validate_climate(path.parent)
    assert {result.case for result in results} == {"climate: Testville", "climate: mean of 1 sites"}
    case = climate.case_from_epw(path)
    climate.write_cases((case,), tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text(encoding="utf-8").count("\n") == 2
    empty = tmp_path / "none"
    empty.mkdir()
    with pytest.raises(InputError, match=r"no \*.epw"):
        climate.validate_climate(empty)


def test_a_result_fails_outside_its_tolerance_unless_it_is_soft():
    near = Result("c", "q", "K", 10.0, 10.5, 0.5, "s", "proof")
    far = Result("c", "q", "K", 10.0, 10.6, 0.5, "s", "proof")
    soft = Result("c", "q", "K", 10.0, 99.0, 0.5, "s", "soft")
    nothing = Result("c", "q", "K", 10.0, float("nan"), 0.5, "s", "proof")
    assert near.error == 0.5
    assert near.passed
    assert not near.failed
    assert far.failed
    assert not soft.passed
    assert not soft.failed
    assert nothing.failed


def test_unknown_validation_names_the_known():
    with pytest.raises(InputError, match="climate"):
        registry.run(("astrology",))


def stand_in(monkeypatch, got):
    result = Result("case", "quantity", "K", 1.0, got, 0.5, "made", "proof")
    monkeypatch.setattr(climate, "validate_climate", lambda cases: (result,))


def test_the_command_prints_a_table_and_json(monkeypatch):
    stand_in(monkeypatch, 1.2)
    shown = CliRunner().invoke(command, ["climate"])
    assert shown.exit_code == 0, shown.output
    assert "quantity" in shown.output
    assert "1 of 1 within tolerance" in shown.output
    data = json.loads(CliRunner().invoke(command, ["climate", "--json"]).output)
    assert data["failed"] == 0
    assert data["results"][0]["got"] == 1.2
    assert data["results"][0]["passed"] is True


def test_the_command_exits_1_when_a_case_fails(monkeypatch):
    stand_in(monkeypatch, 3.0)
    shown = CliRunner().invoke(command, [])
    assert shown.exit_code == 1
    assert "FAIL" in shown.output
    assert CliRunner().invoke(command, ["--json"]).exit_code == 1
