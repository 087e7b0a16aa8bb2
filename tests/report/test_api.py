"""Results in a notebook: figures, tables, files."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

import twinloop
from twinloop.errors import TwinloopError
from twinloop.report.figures import standalone


def test_a_result_shows_itself_as_the_report_in_a_frame(retrofit):
    shown = retrofit._repr_html_()
    assert shown.startswith("<iframe")
    assert "sandbox" in shown
    assert "&lt;!doctype html&gt;" in shown


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
