"""Results in a notebook: figures, tables, files."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner

import twinloop
from twinloop.cli.estimate import command
from twinloop.errors import InputError, TwinloopError
from twinloop.report.figures import standalone


def test_a_result_shows_itself_as_the_report_in_a_frame(retrofit):
    shown = retrofit._repr_html_()
    assert shown.startswith("<iframe")
    assert "sandbox" in shown
    assert "&lt;!doctype html&gt;" in shown


def test_on_a_terminal_a_result_is_a_line(retrofit, step):
    for each in (retrofit, retrofit.plot("cost"), step):
        assert len(repr(each)) < 400
        assert "\n" not in repr(each)
    assert retrofit.summary in repr(retrofit)


def test_plot_returns_a_drawing_that_saves(retrofit, tmp_path):
    drawing = retrofit.plot("cost")
    ET.fromstring(drawing.svg())
    assert "<svg" in drawing._repr_html_()
    assert ET.parse(drawing.save(tmp_path / "cost.svg")).getroot().tag.endswith("svg")
    assert drawing.save(tmp_path / "cost.csv").read_text(encoding="utf-8").startswith("Purpose,")
    with pytest.raises(TwinloopError, match=r"\.svg, \.png or \.csv"):
        drawing.save(tmp_path / "cost.gif")


def test_a_drawing_is_a_png_too_or_says_what_that_needs(retrofit, tmp_path, monkeypatch):
    drawing = retrofit.plot("cost")
    with monkeypatch.context() as without:
        without.setattr(standalone, "find_spec", lambda _: None)
        with pytest.raises(TwinloopError, match="resvg_py"):
            drawing.save(tmp_path / "cost.png")
    assert "var(" not in standalone.plain_colours(drawing.svg())
    pytest.importorskip("resvg_py", reason="resvg_py is not installed: no PNG was drawn")
    written = drawing.save(tmp_path / "cost.png").read_bytes()
    assert written.startswith(b"\x89PNG")
    assert int.from_bytes(written[16:20]) == standalone.PIXELS * 960


def test_an_unknown_or_absent_figure_is_told(retrofit, shops):
    with pytest.raises(TwinloopError, match="expected one of time"):
        retrofit.plot("costs")
    with pytest.raises(TwinloopError, match="no hall of its own"):
        shops.plot("shops-cooling")


def test_every_figure_becomes_files(retrofit, tmp_path):
    paths = retrofit.save_figures(tmp_path / "figures")
    assert len(paths) == len(set(paths)) > 40
    assert {path.suffix for path in paths} == {".svg", ".csv"}


def test_tables_hold_the_plans_own_values(retrofit):
    stages = retrofit.to_frame("stages")
    assert list(stages["name"]) == [stage.name for stage in retrofit.plan.stages]
    assert stages["parallelism.data"].sum() == sum(s.parallelism.data for s in retrofit.plan.stages)
    totals = retrofit.to_frame("totals").set_index("plan")
    assert totals.loc["recommended", "tco_usd"] == retrofit.metrics.tco_usd
    hours = retrofit.to_frame("year")
    assert len(hours) == 8760 * len(retrofit.years)
    energy_mwh = hours["facility_w"].sum() / 1e6
    assert energy_mwh == pytest.approx(retrofit.totals.facility_energy_mwh_per_year, rel=1e-9)
    cash = retrofit.to_frame("cashflow")
    assert cash[cash["year"] == 0]["amount_usd"].sum() == pytest.approx(retrofit.totals.capex_usd)
    assert set(retrofit.to_frame("equipment")["site"]) == {"london"}
    assert list(retrofit.to_frame("sites")["name"]) == [site.name for site in retrofit.plan.sites]


def test_a_table_that_is_not_there_is_told(retrofit, shops):
    with pytest.raises(TwinloopError, match="expected one of stages"):
        retrofit.to_frame("stage")
    with pytest.raises(TwinloopError, match="no year"):
        shops.to_frame("year")


def test_a_simulated_year_draws_itself_too(retrofit):
    year = twinloop.simulate(twinloop.load(retrofit.command.removeprefix("twinloop plan ")), retrofit)
    assert year.metrics.pue == pytest.approx(retrofit.totals.pue)
    assert "Where the heat goes" in year.plot()._repr_html_()
    assert "london-months" in year.figures()
    assert len(year.to_frame()) == 8760
    assert "PUE" in year._repr_html_()
    with pytest.raises(TwinloopError, match="expected one of london-heat"):
        year.plot("heat")


@pytest.fixture(scope="module")
def step():
    return twinloop.estimate(
        "train", model="gpt3-175b", device="A100-80GB-SXM", devices=1024, tensor=8, pipeline=16, batch=1536
    )


def test_an_estimate_answers_as_the_command_does(step):
    done = CliRunner().invoke(
        command, ["train", "--model", "gpt3-175b", "--device", "A100-80GB-SXM", "--devices", "1024", "--tensor", "8",
                  "--pipeline", "16", "--batch", "1536", "--json"],
    )  # fmt: skip
    assert json.loads(done.stdout) == step.answer


def test_an_estimate_draws_and_tabulates_itself(step):
    assert step.figures() == ("time", "memory", "power")
    time = step.plot()
    ET.fromstring(time.svg())
    head, *rows = list(csv.reader(io.StringIO(step.plot("time").csv())))
    assert head == ["Part", "Amount (s)", "Share (%)"]
    assert sum(float(row[1]) for row in rows) == pytest.approx(step.answer["step_time_s"], rel=1e-6)
    drawn = list(csv.reader(io.StringIO(step.plot("power").csv())))[1:]
    assert sum(float(row[1]) for row in drawn) == pytest.approx(step.answer["power_w"]["node_ac"], rel=1e-6)
    values = step.to_frame().set_index("quantity")["value"]
    assert values["mfu"] == step.answer["mfu"]
    assert values["memory_breakdown_gb.weights"] == step.answer["memory_breakdown_gb"]["weights"]
    assert "MFU" in step._repr_html_()
    assert step._repr_html_().count("<svg") == 3


def test_an_estimates_faults_are_told_as_everywhere():
    with pytest.raises(InputError, match="No such option '--modle'"):
        twinloop.estimate("train", modle="gpt3-175b")
    with pytest.raises(TwinloopError):
        twinloop.estimate("train", model="gpt3-175b", device="nothing", devices=8, batch=8)


def test_a_search_gives_its_layouts():
    found = twinloop.estimate("train", model="llama-3-8b", device="H100-SXM-80GB", devices=16, batch=64, search=True,
                              top=3)  # fmt: skip
    assert len(found.to_frame("layouts")) == 3
    served = twinloop.estimate("serve", model="llama-3-8b", device="H100-SXM-80GB", devices=1)
    assert served.figures() == ("power",)
    with pytest.raises(TwinloopError, match="with search"):
        served.to_frame("layouts")
