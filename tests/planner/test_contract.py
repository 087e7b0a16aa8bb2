"""The keys of ``plan.json`` that others build on are there in every plan; what is unknown is null, never 0."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import twinloop
from twinloop.model.codec import dumps
from twinloop.planner.plan import plan
from twinloop.planner.replay import plan_simulation

EXAMPLES = Path(__file__).parents[2] / "examples"
CLOUD = "  - {name: away, kind: cloud, provider: aws, region: us-east-1, jurisdiction: EU}\n"

PLAN = """schema scenario_hash status objective stages sites phases cashflow totals potential baselines alternatives
frontier uncertainty constraints provenance"""
STAGE = """name site device device_count server precision compression parallelism throughput duration_s power_w mfu
memory_per_device_gb latency_p99_s why"""
SITE = "name racks rack_types cooling equipment electrical design_day failure_cases"
COOLING = "components rack heat_rejection supply_c setpoints redundancy"
COMPONENTS = "accelerator cpu memory network storage power_supply"
EQUIPMENT = """tag type count spare rated_w flow_m3_h dp_kpa t_in_c t_out_c power_w design_condition margin"""
TOTALS = """capex_usd opex_usd_per_year tco_usd it_energy_mwh_per_year facility_energy_mwh_per_year pue tue
wue_site_l_per_kwh wue_source_l_per_kwh cue_kg_per_kwh erf carbon_t_per_year water_m3_per_year peak_power_w
peak_junction_c throttled_hours unit_costs"""


def lacks(found: dict, keys: str) -> set[str]:
    return set(keys.split()) - set(found)


def missing(data: dict) -> dict[str, set[str]]:
    """Give what of the contract ``data`` lacks, by place."""
    found = {"plan": lacks(data, PLAN), "objective": lacks(data["objective"], "name value bound gap")}
    found["totals"] = lacks(data["totals"], TOTALS)
    found["carbon"] = lacks(data["totals"]["carbon_t_per_year"], "scope1 scope2 scope3")
    for each in data["stages"]:
        layout = "data tensor pipeline expert context micro_batch batch"
        found[f"stage {each['name']}"] = lacks(each, STAGE) | lacks(each["parallelism"], layout)
    for site in data["sites"]:
        found[f"site {site['name']}"] = lacks(site, SITE) | lacks(site["totals"], TOTALS)
        if site["cooling"] is not None:
            found[f"cooling {site['name']}"] = lacks(site["cooling"], COOLING)
            found[f"paths {site['name']}"] = lacks(site["cooling"]["components"], COMPONENTS)
            found[f"electrical {site['name']}"] = lacks(site["electrical"], "transformer ups generator")
        for line in site["equipment"]:
            found[f"{site['name']} {line['tag']}"] = lacks(line, EQUIPMENT)
        for case in site["failure_cases"]:
            found[f"case {case['case']}"] = lacks(case, "case min_margin_k time_to_throttle_s")
    for each in data["baselines"]:
        found[f"baseline {each['name']}"] = lacks(each, "name totals saving")
    for each in data["constraints"]:
        found[f"limit {each['name']}"] = lacks(each, "name slack shadow_price")
    for name, spread in data["uncertainty"]["totals"].items():
        found[f"doubt {name}"] = lacks(spread, "p10 p50 p90")
    found["uncertainty"] = lacks(data["uncertainty"], "probability_best regret_usd")
    return {place: keys for place, keys in found.items() if keys}


UNKNOWN_ELSEWHERE = ("tue", "peak_junction_c", "throttled_hours", "erf")
"""What nobody tells of a provider's or an edge place's machines."""


def check_plan(data: dict) -> None:
    assert missing(data) == {}
    for site in data["sites"]:
        if site["cooling"] is None:
            assert {site["totals"][key] for key in UNKNOWN_ELSEWHERE} == {None}, site["name"]
        else:
            assert all(site["electrical"][name]["count"] > 0 for name in ("transformer", "ups", "generator"))
    for limit in data["constraints"]:
        assert isinstance(limit["slack"], float)
        assert limit["shadow_price"] is None or limit["shadow_price"] >= 0.0
    for name in ("it_energy_mwh_per_year", "facility_energy_mwh_per_year", "water_m3_per_year", "peak_power_w"):
        assert data["totals"][name] == pytest.approx(sum(site["totals"][name] for site in data["sites"])), name
    for scope, tonnes in data["totals"]["carbon_t_per_year"].items():
        assert tonnes == pytest.approx(sum(site["totals"]["carbon_t_per_year"][scope] for site in data["sites"])), scope


def test_a_plan_of_a_hall_and_of_a_cloud_have_every_key(small):
    model = small(cooling=", cooling: [air, air_cooled_chiller]")
    made = plan(model).plan
    hall = json.loads(dumps(made))
    check_plan(hall)
    year, _ = plan_simulation(model, made.scenario_hash, made)  # switches and storage are in the file's halls too
    assert year.it_energy_mwh == pytest.approx(hall["totals"]["it_energy_mwh_per_year"], rel=1e-12)
    assert year.facility_energy_mwh == pytest.approx(hall["totals"]["facility_energy_mwh_per_year"], rel=1e-12)
    assert hall["totals"]["throttled_hours"] == 0.0
    rented = json.loads(dumps(plan(small(sites=CLOUD, stage=", sites: [away]")).plan))
    check_plan(rented)
    assert rented["totals"]["throttled_hours"] is None
    assert {site["name"]: site["marked"] for site in rented["sites"]} == {"hall": "catalogue", "away": "catalogue"}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.yaml")))
def test_the_plan_of_every_example_has_every_key(name):
    check_plan(json.loads(dumps(twinloop.plan(twinloop.load(EXAMPLES / f"{name}.yaml")).plan)))
