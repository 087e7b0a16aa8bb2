"""The command as a person uses it, in its own process, and the main job end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest
from click.testing import CliRunner

from twinloop.cli.console import _takes
from twinloop.cli.deploy import command as deploy
from twinloop.errors import InputError
from twinloop.model.codec import loads
from twinloop.model.plan import Plan

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "retrofit.yaml"


def twinloop(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = "from twinloop.cli.main import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("plan")
    return folder, twinloop("plan", str(EXAMPLE), "--out", "out", "--json", cwd=folder)


def test_plan_writes_its_files_and_json(planned):
    folder, done = planned
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (folder / "out").iterdir()}
    assert names == {"plan.json", "report.html", "equipment.csv", "year.parquet"}
    text = (folder / "out" / "plan.json").read_text(encoding="utf-8")
    assert text == done.stdout
    assert loads(Plan, text).scenario == "retrofit"


def test_plan_adds_up(planned):
    plan = loads(Plan, planned[1].stdout)
    t = plan.totals
    assert t.pue == pytest.approx(t.facility_energy_mwh_per_year / t.it_energy_mwh_per_year)
    assert t.facility_energy_mwh_per_year == pytest.approx(
        sum(s.totals.facility_energy_mwh_per_year for s in plan.sites)
    )
    assert t.tco_usd == pytest.approx(sum(year.discounted_usd for year in plan.cashflow))
    assert t.capex_usd == pytest.approx(sum(v for k, v in plan.cashflow[0].amounts_usd.items()))
    assert {b.name for b in plan.baselines} == {"all air on-premise", "all cloud", "uniform liquid"}
    assert all(stage.why for stage in plan.stages)
    for baseline in plan.baselines:
        if baseline.feasible and baseline.totals:
            assert t.tco_usd <= baseline.totals.tco_usd * (1 + 1e-9)
    assert 1.0 < t.pue < 1.5
    assert t.throttled_hours == 0.0
    assert all(constraint.slack >= -1e-6 for constraint in plan.constraints)
    assert plan.uncertainty is not None
    spread = plan.uncertainty.totals["tco_usd"]
    assert spread.p10 < spread.p50 < spread.p90


@pytest.fixture(scope="module")
def simulated(planned):
    folder, _ = planned
    done = twinloop("simulate", str(EXAMPLE), "--plan", "out/plan.json", "--out", "sim", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_simulating_a_plan_gives_the_plans_own_year(planned, simulated):
    folder, _ = planned
    sites = json.loads((folder / "out" / "plan.json").read_text(encoding="utf-8"))["sites"]
    # Rented machines have no hall to simulate: the plan's own sums may hold them.
    (totals,) = [site["totals"] for site in sites if site["cooling"] is not None]
    for key in ("pue", "tue", "wue_site_l_per_kwh", "wue_source_l_per_kwh", "cue_kg_per_kwh", "peak_power_w"):
        assert simulated[key] == pytest.approx(totals[key], rel=1e-9), key
    assert {path.name for path in (folder / "sim").iterdir()} == {"simulation.json", "trace.parquet", "report.html"}


def test_a_simulation_adds_up(planned, simulated):
    assert simulated["facility_energy_mwh"] == pytest.approx(sum(simulated["energy_mwh"].values()), rel=1e-12)
    assert simulated["energy_mwh"]["it"] == pytest.approx(sum(simulated["it_split_mwh"].values()), rel=1e-9)
    assert simulated["pue"] == pytest.approx(simulated["facility_energy_mwh"] / simulated["it_energy_mwh"])
    assert simulated["tue"] == pytest.approx(simulated["pue"] * simulated["itue"])
    assert sum(simulated["free_cooling_hours"].values()) == 8760
    monthly = simulated["monthly"]
    assert [month["month"] for month in monthly] == list(range(1, 13))
    assert sum(m["facility_energy_mwh"] for m in monthly) == pytest.approx(simulated["facility_energy_mwh"], rel=1e-9)
    assert sum(m["water_m3"] for m in monthly) == pytest.approx(sum(simulated["water_m3"].values()), rel=1e-6)
    assert max(m["peak_power_w"] for m in monthly) == simulated["billing_peak_w"] == simulated["peak_power_w"]
    energy = simulated["energy_mwh"]
    mechanical = sum(energy[key] for key in ("crah_fans", "pumps", "chillers", "heat_rejection"))
    assert simulated["mlc_annual"] == pytest.approx(mechanical / energy["it"], rel=1e-9)
    assert simulated["ppue"]["cooling"] == pytest.approx(1.0 + simulated["mlc_annual"], rel=1e-9)
    hours = simulated["class_hours"]
    assert hours["A2"] == 8760 - simulated["hours_outside_class"]
    assert hours["A1"] <= hours["A2"] <= hours["A3"] <= hours["A4"]
    water = simulated["water_m3"]
    assert water["blowdown"] >= 0.0
    made_up = sum(water.values())
    assert made_up == pytest.approx(water["evaporation"] * 4.0 / 3.0 + water["humidification"], rel=1e-9)
    # The hour of the largest mechanical power, from the trace: fans of the hall weigh less there than at night.
    trace = pyarrow.parquet.read_table(planned[0] / "sim" / "trace.parquet").to_pydict()
    columns = ("crah_fans_w", "pumps_w", "chillers_w", "heat_rejection_w")
    power = [sum(hour) for hour in zip(*(trace[name] for name in columns), strict=True)]
    worst = max(range(8760), key=power.__getitem__)
    assert simulated["mlc_design"] == pytest.approx(power[worst] / trace["it_w"][worst], rel=1e-6)
    assert simulated["energy_balance_error"] <= 1e-6
    assert 0 < simulated["chiller_starts"] <= simulated["mode_switches"]


def test_a_plan_of_another_scenario_is_refused(planned, tmp_path):
    folder, _ = planned
    other = tmp_path / "other.yaml"
    changed = EXAMPLE.read_text(encoding="utf-8").replace("name: retrofit", "name: retrofits", 1)
    other.write_text(changed, encoding="utf-8")
    done = twinloop("simulate", str(other), "--plan", str(folder / "out" / "plan.json"), cwd=tmp_path)
    assert done.returncode == 2
    assert "the scenario has changed" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_plan_file_is_refused(tmp_path):
    (tmp_path / "plan.json").write_text('{"schema": 1}', encoding="utf-8")
    done = twinloop("simulate", str(EXAMPLE), "--plan", "plan.json", cwd=tmp_path)
    assert done.returncode == 2
    assert "plan.json: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("text", "wrong"), [('{"schema": 1}', "expected key"), ('{"schema": 1, "scen', "not JSON")])
def test_a_broken_plan_is_told_by_its_file_in_deploy_too(tmp_path, text, wrong):
    (tmp_path / "e.json").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(deploy, [str(tmp_path / "e.json"), "--out", str(tmp_path / "files")])
    assert isinstance(done.exception, InputError)
    assert str(done.exception).startswith(f"{tmp_path / 'e.json'}: ")
    assert wrong in str(done.exception)


def test_a_long_latency_is_told_in_seconds():
    assert _takes(None, 15.7709).replace("\u202f", " ") == "p99 15.8 s"


def test_second_run_is_byte_identical(planned, tmp_path):
    again = twinloop("plan", str(EXAMPLE), "--out", "out", "--json", cwd=tmp_path)
    assert again.stdout == planned[1].stdout
    first, second = (folder / "out" / "report.html" for folder in (planned[0], tmp_path))
    assert first.read_bytes() == second.read_bytes()


def test_bad_file_exits_2_and_writes_nothing(tmp_path):
    (tmp_path / "bad.yaml").write_text(EXAMPLE.read_text(encoding="utf-8").replace("400 kW", "400"), encoding="utf-8")
    done = twinloop("plan", "bad.yaml", "--out", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert "bad.yaml:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_impossible_plan_exits_3_and_names_the_clash(tmp_path):
    text = EXAMPLE.read_text(encoding="utf-8").replace("utility_power: 400 kW", "utility_power: 20 kW")
    (tmp_path / "tight.yaml").write_text(text, encoding="utf-8")
    done = twinloop("plan", "tight.yaml", cwd=tmp_path)
    assert done.returncode == 3
    assert "utility power of london" in done.stderr
    assert "raise" in done.stderr
    (written,) = (tmp_path / "out").rglob("*.json")
    answer = json.loads(written.read_text(encoding="utf-8"))
    assert answer["status"] == "infeasible"
    assert answer["clashes"]
    assert answer["ways_out"]


def test_new_check_and_their_exit_codes(tmp_path):
    assert twinloop("new", "a.yaml", cwd=tmp_path).returncode == 0
    assert twinloop("new", "a.yaml", cwd=tmp_path).returncode == 2
    done = twinloop("check", "a.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout)["ok"] is True
    assert "carbon" in twinloop("check", "a.yaml", "--resolved", cwd=tmp_path).stdout
    (tmp_path / "b.yaml").write_text("twinloop: 1\n", encoding="utf-8")
    bad = twinloop("check", "b.yaml", "--json", cwd=tmp_path)
    assert bad.returncode == 2
    assert json.loads(bad.stdout)["faults"]
    assert twinloop("chekc", cwd=tmp_path).returncode == 2


@pytest.mark.slow
def test_report_in_a_browser(planned):
    sync = pytest.importorskip("playwright.sync_api")
    if not Path("/usr/bin/chromium").exists():
        pytest.skip("Chromium is not installed: the report was not opened")
    errors: list[str] = []
    with sync.sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        for width in (1280, 390):
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto((planned[0] / "out" / "report.html").as_uri())
            wide, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            assert wide <= room
            # Drawings for the other width are not shown.
            shown = "[...document.querySelectorAll('figure svg')].filter(s => s.checkVisibility())"
            assert page.evaluate(f"{shown}.length") > 10
            assert page.evaluate(f"{shown}.every(s => s.getBBox().width > 50)")
            page.fill("#filter", "no such value anywhere")
            assert page.evaluate("[...document.querySelectorAll('#provenance tbody tr')].every(r => r.hidden)")
        browser.close()
    assert errors == []
