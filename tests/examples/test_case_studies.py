"""The examples: each a question that resolves, and a page that says what their plans say."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

import twinloop
from twinloop.scenario import resolve

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
NAMES = [path.stem for path in EXAMPLES]


def script(name: str):
    path = ROOT / "docs" / "generate" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_each_example_asks_a_question_and_resolves(path):
    text = path.read_text(encoding="utf-8")
    comment = "\n".join(re.findall(r"^#.*", text.split("twinloop: 1")[0], re.MULTILINE))
    assert f"twinloop plan examples/{path.name}" in " ".join(comment.split())
    assert "?" in comment or path.stem == "fraud-detection"
    model = resolve(twinloop.load(path))
    assert model.name == path.stem
    assert all(stage.name for stage in model.stages)


def test_every_example_is_a_case_study_and_the_page_has_its_answer():
    cases = script("case_studies")
    assert set(cases.RULES) == set(NAMES)
    page = cases.PAGE.read_text(encoding="utf-8")
    for name in NAMES:
        block = page.split(f"<!-- begin {name} -->")[1].split(f"<!-- end {name} -->")[0]
        assert "| verdict |" in block, name


def test_a_verdict_follows_what_is_seen(retrofit_like):
    advice = script("advice")
    assert advice.plant_price(retrofit_like).verdict == advice.CONFIRMS
    assert advice.own_or_rent(retrofit_like).verdict == advice.CONFIRMS
    assert advice.near_the_camera(retrofit_like).verdict == advice.CONFIRMS
    assert advice.warm_water(retrofit_like).verdict == advice.UNTESTED
    assert advice.energy(retrofit_like).verdict == advice.UNTESTED


BESIDE = ("fabric_switch", "front_end_switch", "shared_storage")
"""Lines of the schedule that cool nothing."""


def test_what_cooling_costs_adds_up(monkeypatch):
    """One hall: price of its schedule and of its servers by the kilowatt of its racks, shares of the present cost."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "generate"))
    result = twinloop.plan(twinloop.load(ROOT / "examples" / "retrofit.yaml"))
    *_, line = script("costs").first_and_later({"retrofit": result}).splitlines()
    racks, plant, servers, *shares = (float(cell.strip(" %").replace(",", "")) for cell in line.split("|")[3:-1])
    (hall,) = result.plan.sites
    assert racks == pytest.approx(sum(rack.count * rack.power_w for rack in hall.rack_types) / 1e3, abs=0.5)
    for each, usd in (
        (plant, sum(e.capex_usd or 0.0 for e in hall.equipment if e.type not in BESIDE)),
        (servers, result.plan.cashflow[0].amounts_usd["servers"]),
    ):
        assert each * racks == pytest.approx(usd, abs=0.5 * (each + racks))  # both are shown as whole numbers
    assert 0.0 < sum(shares) < 100.0


@pytest.fixture(scope="module")
def retrofit_like(tmp_path_factory):
    """Edge places beside a cloud by the hour: reserved machines would take the serving too."""
    text = (ROOT / "examples" / "edge-stores.yaml").read_text(encoding="utf-8")
    hourly = text.replace("region: eu-west-3,", "region: eu-west-3, purchase: [on_demand],")
    assert hourly != text
    path = tmp_path_factory.mktemp("shops") / "edge-stores.yaml"
    path.write_text(hourly, encoding="utf-8")
    return twinloop.plan(twinloop.load(path))


@pytest.mark.slow
def test_the_pages_are_in_step_with_the_plans():
    """Plans every example: each is feasible and adds up, and no table of the pages is older than the model."""
    cases = script("case_studies")
    results = {name: cases.planned(name) for name in cases.RULES}
    for name, result in results.items():
        t = result.totals
        assert result.plan.status in ("optimal", "feasible"), name
        assert t.facility_energy_mwh_per_year > t.it_energy_mwh_per_year > 0.0, name
        assert t.throttled_hours == 0.0, name
        assert t.tco_usd == pytest.approx(sum(year.discounted_usd for year in result.plan.cashflow)), name
        assert len(result.report().encode()) <= 3_000_000, name
    for path, text in cases.pages(results).items():
        assert cases.in_step(path, text), f"{path.name} is out of step: make docs"
