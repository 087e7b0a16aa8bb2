"""Tables and words of the report against the plan they tell of."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from twinloop.cli.plan import command
from twinloop.fluids.psychrometrics import humidity_ratio_from_dew_point, humidity_ratio_from_relative_humidity
from twinloop.model.plan import Constraint, FailureCase, FrontierPoint, RackShare
from twinloop.report import narrative, numbers, tables
from twinloop.report.figures import breakdown, doubt, layout, money, psychrometric, rack, svg
from twinloop.report.figures.standalone import svg_file
from twinloop.report.numbers import THIN
from twinloop.twin.air_class import ALLOWABLE_AIR_C

EXAMPLES = Path(__file__).parents[2] / "examples"
STANDARD_PA = 101_325.0


def plain(text: str) -> str:
    return text.replace(THIN, " ")


def test_the_failure_table_has_a_row_for_every_line_of_the_schedule(retrofit):
    site = retrofit.plan.sites[0]
    cases = (
        FailureCase("one crah (AH) lost: a spare takes over", 4.2, None),
        FailureCase("one air cooled chiller (CH) lost: 50% of capacity left", -3.0, 95.0),
    )
    rows = {row[0]: row[1:] for row in tables.failures(replace(site, failure_cases=cases)).rows}
    assert list(rows) == [line.tag for line in site.equipment]
    assert tuple(map(plain, rows["AH"])) == ("CRAH", "a spare takes over", "4.2 K", "does not throttle")
    chiller = ("air cooled chiller", "50% of capacity left", "−3.0 K", numbers.duration(95.0))
    assert tuple(map(plain, rows["CH"])) == tuple(map(plain, chiller))
    assert rows["TR"] == ("transformer", "a spare stands by", "—", "not simulated")


def test_the_schedules_sum_says_what_it_leaves_out(retrofit):
    site = retrofit.plan.sites[0]
    table = tables.equipment(site)
    apart = [line.tag for line in site.equipment if line.capex_usd is None]
    assert apart == ["TR", "UPS", "GE"]
    assert all(tag in table.caption for tag in apart)
    assert table.rows[-1][-1] == numbers.money(sum(line.capex_usd or 0.0 for line in site.equipment))
    assert {row[0]: row[-1] for row in table.rows}["UPS"] == "—"


def test_the_spread_of_every_total_is_told(retrofit):
    u = retrofit.plan.uncertainty
    rows = {row[0]: row[1:] for row in tables.uncertainty(retrofit.plan).rows}
    assert {"cost of ownership", "facility energy a year", "PUE", "CO2e a year", "CUE"} <= set(rows)
    spread = u.totals["pue"]
    assert rows["PUE"] == tuple(numbers.number(value, 4) for value in (spread.p10, spread.p50, spread.p90))
    assert "site water a year" not in rows  # a dry plan


@pytest.mark.parametrize(
    ("limit", "objective", "left", "worth"),
    [
        (Constraint("power", 0.0, "W", 23.0), "cost", "0 W", "USD 23.0 k for 1 kW"),
        (Constraint("racks", 2.0, "racks", 139e3), "cost", "2 racks", "USD 139 k for 1 rack position"),
        (Constraint("racks", 2.0, "racks", 0.5), "carbon", "2 racks", "0.500 of carbon for 1 rack position"),
        (Constraint("floor", 78e3, "kg", 0.0), "cost", "78 000 kg", "nothing"),
        (Constraint("water", 1.0, "m3/year", None), "cost", "1.00 m³ a year", "—"),
    ],
)
def test_what_more_of_a_limit_is_worth(shops, limit, objective, left, worth):
    plan = replace(shops.plan, constraints=(limit,), objective=replace(shops.plan.objective, name=objective))
    assert tuple(map(plain, tables.constraints(plan).rows[0])) == (limit.name, left, worth)


def test_a_tight_and_priced_limit_is_one_sentence(shops):
    limit = Constraint("rack positions of hall", 0.0, "racks", 139e3)
    found = narrative.changes(replace(shops.plan, constraints=(limit,)))
    said = [plain(each.how) for each in found if each.what == "Rack positions of hall"]
    assert said == [
        "nothing is left of this limit: it shapes the answer; 1 rack position more is worth about USD 139 k, if work "
        "could be placed in part."
    ]


def test_a_priced_limit_with_some_left_says_why(shops):
    limit = Constraint("rack positions of hall", 2.0, "racks", 125e3)
    plan = replace(shops.plan, constraints=(limit,))
    said = [plain(each.how) for each in narrative.changes(plan) if each.what == "Rack positions of hall"]
    assert "too little for a whole step more" in said[0]
    assert "whole servers and racks cannot" in tables.constraints(plan).caption
    unpriced = replace(plan, constraints=(replace(limit, shadow_price=0.0),))
    assert tables.constraints(unpriced).caption == "Limits and their slack"


def test_a_purpose_without_money_is_no_row(retrofit):
    rows = {row[0]: row[1:] for row in tables.cashflow(retrofit.plan).rows}
    assert retrofit.plan.cashflow[1].amounts_usd["water"] == 0.0
    assert "water" not in rows
    assert plain(rows["staff"][1]) == "120 k"


def test_the_cash_flow_adds_up_both_ways_and_to_the_cost(retrofit):
    rows = {row[0]: row[1:] for row in tables.cashflow(retrofit.plan).rows}
    purposes = [row for name, row in rows.items() if name not in ("sum", "present value")]
    for year, total in enumerate(rows["sum"]):
        assert total.value == pytest.approx(sum(getattr(row[year], "value", 0.0) for row in purposes))
    assert rows["present value"][-1].value == pytest.approx(retrofit.totals.tco_usd)
    assert rows["sum"][0].value == pytest.approx(retrofit.totals.capex_usd)
    waterfall = money.present_values(retrofit.plan)
    assert sum(waterfall.values()) == pytest.approx(retrofit.totals.tco_usd)
    assert [name for name in rows if name in ("servers", "maintenance", "value left at the end")] == [
        "servers", "maintenance", "value left at the end",
    ]  # fmt: skip


def test_ratios_are_those_of_the_amounts_beside_them(retrofit):
    for row, t in zip(tables.ratios(retrofit.plan).rows, [retrofit.totals, *(
        b.totals for b in retrofit.plan.baselines if b.totals)], strict=True):  # fmt: skip
        _, _, _, cue, _, it, one, two, three, peak = row
        assert one.value + two.value + three.value == pytest.approx(sum(t.carbon_t_per_year.values()))
        assert cue.value == pytest.approx(1e6 * two.value / it.value, rel=1e-6)
        assert peak.value == t.peak_power_w


def test_only_what_flows_has_a_flow(retrofit):
    rows = {row[0]: row for row in tables.equipment(retrofit.plan.sites[0]).rows}
    assert rows["UPS"][4:9] == ("", "", "", "", "")
    assert "—" in rows["PP"][4:9]
    assert all(rows["CH"][4:9])


def test_every_cause_of_lost_time_has_a_colour_of_its_own():
    colours = list(breakdown.CAUSES.values())
    assert len(set(colours)) == len(colours)
    assert {"overhead", "checkpoint", "restart", "rework", "stragglers", "starved"} <= set(breakdown.CAUSES)


@pytest.mark.parametrize("air_class", list(psychrometric.ALLOWABLE))
def test_the_allowable_envelope_is_that_of_the_class(air_class):
    corners = psychrometric._allowable(air_class)
    span = (min(t for t, _ in corners), max(t for t, _ in corners))
    assert span == ALLOWABLE_AIR_C[air_class]
    _, _, dew_c, share = psychrometric.ALLOWABLE[air_class]
    ceiling = 1e3 * float(humidity_ratio_from_dew_point(dew_c, STANDARD_PA))
    assert max(g for _, g in corners) == pytest.approx(ceiling, rel=5e-3)
    coldest = max(g for t, g in corners if t == span[0])
    wet = 1e3 * float(humidity_ratio_from_relative_humidity(span[0], share, STANDARD_PA))
    assert coldest == pytest.approx(min(wet, ceiling), rel=5e-3)


def test_the_chart_draws_the_halls_own_class(retrofit):
    year = retrofit.years[0]
    assert retrofit.plan.sites[0].air_class in psychrometric.ALLOWABLE
    own, none = psychrometric.draw("a", year, "A4"), psychrometric.draw("a", year)
    assert str(own.drawings[0][1]).count('class="allowable"') == 2  # the envelope and its key
    assert "allowable" not in str(none.drawings[0][1])
    assert "class A4" in own.desc
    office = psychrometric.draw("a", year, "H1")
    dry = np.asarray(year.hourly["dry_bulb_c"])
    assert f"{int(np.sum(dry <= 22.0))} h at or below 22 °C" in plain(office.desc)


def test_figures_of_a_plan_go_into_a_folder(shops_file, tmp_path):
    arguments = [str(shops_file), "--out", str(tmp_path), "--figures", str(tmp_path / "f"), "-q"]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    names = {path.name for path in (tmp_path / "f").iterdir()}
    assert {"cost.svg", "cost.csv", "cumulative.svg", "cumulative-2.svg", "time.csv"} <= names
    assert ET.parse(tmp_path / "f" / "cost.svg").getroot().tag.endswith("svg")
    with (tmp_path / "f" / "cost.csv").open(encoding="utf-8") as stream:
        assert next(csv.reader(stream)) == ["Purpose", "Present value (USD)", "Share (%)"]


def test_memory_by_purpose_adds_up_to_the_devices(retrofit):
    tune, answer = retrofit.plan.stages
    assert {"weights", "gradients", "optimizer", "activations"} <= set(tune.memory_gb)
    assert set(answer.memory_gb) == {"weights", "KV cache", "reserved"}
    for stage in retrofit.plan.stages:
        assert sum(stage.memory_gb.values()) == pytest.approx(stage.memory_per_device_gb)
    # 8.030 billion weights in 8 bits; embedding and head, 128,256 x 4,096 each, stay in 16.
    assert answer.memory_gb["weights"] == pytest.approx(8.030 + 2 * 128256 * 4096 / 1e9, rel=1e-3)
    drawn = layout.draw("x", answer)
    assert all(f"{name} {numbers.memory(gb)}" in drawn.desc for name, gb in answer.memory_gb.items())
    assert str(drawn.drawings[0][1]).count("edge") == 3
    assert "not split by purpose" in layout.draw("x", replace(answer, memory_gb={})).desc


def test_staff_is_a_line_or_said_to_be_left_out(retrofit, shops):
    assert "staff" in money.present_values(retrofit.plan)
    assert narrative.uncounted(retrofit.plan) == ""
    years = tuple(
        replace(year, amounts_usd={name: usd for name, usd in year.amounts_usd.items() if name != "staff"})
        for year in shops.plan.cashflow
    )
    assert "Staff is not counted" in narrative.uncounted(replace(shops.plan, cashflow=years))


def test_a_cost_below_a_cent_is_told_of_a_larger_unit(shops):
    costs = {"usd_per_1000_requests.a": 6.2e-5, "usd_per_million_tokens.b": 0.25, "usd_per_run.c": 1e-4}
    plan = replace(shops.plan, totals=replace(shops.totals, unit_costs=costs))
    assert tables.unit_costs(plan).rows == (
        ("a", "per million requests", numbers.money(0.062)),
        ("b", "per million tokens", numbers.money(0.25)),
        ("c", "per run", numbers.money(1e-4)),
    )


def test_a_rack_of_several_servers_names_each_within_the_drawing(retrofit):
    site = retrofit.plan.sites[0]
    names = ("CPU-2-EPYC-9654", "MI300X-8-liquid", "HGX-H100-8-liquid", "CPU-2-EPYC-9654")
    shares = tuple(RackShare(f"stage {i}", name, 12 + i) for i, name in enumerate(names))
    mixed = replace(site.rack_types[0], contents=shares)
    root = ET.fromstring(svg_file(rack.draw("r", mixed, site.cooling)))
    below = [t for t in root.iter("{http://www.w3.org/2000/svg}text") if t.get("x") == "4"]
    assert [t.text for t in below][:-1] == [
        "27 ×",
        "CPU-2-EPYC-9654",
        "13 ×",
        "MI300X-8-liquid",
        "14 ×",
        "HGX-H100-8-liquid",
    ]
    assert all(70.0 - svg.advance(t.text) / 2.0 > 0.0 for t in below)
    assert max(float(t.get("y")) for t in below) < float(root.get("height"))


def test_racks_of_switches_count_their_machines_and_round_their_height(retrofit):
    beside = next(each for each in retrofit.plan.sites[0].rack_types if not each.contents)
    beside = replace(beside, server="front-end-100g + fabric-400g", servers_per_rack=6, height_u=9.479166666)
    assert [plain(each) for each in rack.contents(beside)] == ["6 machines: front-end-100g", "fabric-400g"]
    assert plain(rack.height(beside)) == "9.5 U"
    assert plain(rack.height(replace(beside, height_u=16.0))) == "16 U"
    alone = replace(beside, server="front-end-100g", servers_per_rack=3)
    assert [plain(each) for each in rack.contents(alone)] == ["3 × front-end-100g"]


def test_losing_a_switch_or_storage_is_not_told_as_a_matter_of_cooling(retrofit):
    site = retrofit.plan.sites[0]
    types = ("front_end_switch", "fabric_switch", "shared_storage")
    beside = {line.tag for line in site.equipment if line.type in types}
    assert beside
    assert not [each.case for each in site.failure_cases for tag in beside if f"({tag})" in each.case]


def test_neighbours_on_the_frontier_are_told_apart():
    points = tuple(FrontierPoint("p", 43e6 + 1e4 * i, 1.0, 1500.0 - i, 1.0, knee=i == 1) for i in range(3))
    root = ET.fromstring(
        svg_file(doubt.frontier("f", (*points, FrontierPoint("q", 45e6, 1.0, 1300.0, 1.0, knee=False))))
    )
    at = {t.text: float(t.get("y")) for t in root.iter("{http://www.w3.org/2000/svg}text")}
    assert at["2 knee"] > at["1"] + 20.0
    assert at["2 knee"] > at["3"] + 20.0


def test_the_slack_of_power_and_water_is_what_the_twin_leaves(retrofit):
    slack = {limit.name: limit.slack for limit in retrofit.plan.constraints}
    assert slack["utility power of london"] == pytest.approx(400e3 - retrofit.plan.sites[0].totals.peak_power_w)
    assert slack["water of london"] == pytest.approx(0.0 - retrofit.totals.water_m3_per_year, abs=1e-9)


def test_the_basis_of_design_names_what_really_carries_the_heat(laboratory):
    """Its accelerators are sold on air only, whatever the kit offers: the rack's picture says so, too."""
    (hall,) = (site for site in laboratory.plan.sites if site.cooling)
    assert hall.cooling.components["accelerator"] == "cold_plate"
    holding = [rack for rack in hall.rack_types if rack.component_w.get("accelerator", 0.0) > 0.0]
    assert {rack.carriers["accelerator"] for rack in holding} == {"air"}
    rows = dict(tables.basis(hall).rows)
    assert rows["Carrier: accelerator"] == "air"
    assert rows["Carrier: CPU"] in ("air or cold plate", "cold plate or air")
