"""Figures against the plan they are drawn from: what is drawn is what was computed."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from twinloop.model.plan import CashYear, FrontierPoint, PlannedParallelism
from twinloop.model.simulation import HeatFlow, Incident, LoopState, OperatingHour
from twinloop.report import gallery, numbers
from twinloop.report.figures import (
    breakdown,
    doubt,
    heatmap,
    layout,
    loops,
    loops_phone,
    money,
    monthly,
    one_line,
    rack,
    sankey,
    spending,
    svg,
    timeline,
)
from twinloop.report.figures.standalone import csv_file, svg_file
from twinloop.report.numbers import THIN, power
from twinloop.report.parts import Absent, Figure

SVG = "{http://www.w3.org/2000/svg}"


def drawn(result):
    return {name: each for name, each in gallery.figures(result.plan, result.years).items() if isinstance(each, Figure)}


def test_every_figure_of_the_list_is_there(retrofit):
    names = set(gallery.figures(retrofit.plan, retrofit.years))
    hall = {"heat", "loops", "one-line", "months", "air", "map-pue", "map-mode", "map-it_w", "duration-load",
            "duration-weather"}  # fmt: skip
    assert {f"london-{each}" for each in hall} <= names
    assert any(name.startswith("london-rack-") for name in names)
    assert {"time", "layout-answer", "cost", "cumulative", "tornado", "frontier"} <= names


def test_figures_are_valid_svg_with_words_and_no_stray_values(retrofit, shops):
    for result in (retrofit, shops):
        for name, figure in drawn(result).items():
            assert figure.desc.endswith("."), name
            assert figure.table.rows, name
            for i in range(len(figure.drawings)):
                root = ET.fromstring(svg_file(figure, i))
                assert root.find(f"{SVG}title").text, name
                assert root.find(f"{SVG}desc").text, name
                text = " ".join(root.itertext())
                assert not re.search(r"\b(nan|inf|None)\b", text), name
                for element in root.iter(f"{SVG}rect"):
                    if "%" not in element.get("width"):
                        assert float(element.get("width")) >= 0.0, name


def test_drawings_stay_inside_their_frame(retrofit):
    for name, figure in drawn(retrofit).items():
        for i in range(len(figure.drawings)):
            root = ET.fromstring(svg_file(figure, i))
            width, height = (float(v) for v in root.get("viewBox").split()[2:])
            for element in root.iter(f"{SVG}rect"):
                if "%" in element.get("width"):
                    continue
                left, top = float(element.get("x")), float(element.get("y"))
                assert left >= -0.5, name
                assert left + float(element.get("width")) <= width + 0.5, name
                assert top >= -0.5, name
                assert top + float(element.get("height")) <= height + 0.5, name


def test_the_waterfall_adds_up_to_the_cost_of_ownership(retrofit, shops):
    for result in (retrofit, shops):
        parts = money.present_values(result.plan)
        assert sum(parts.values()) == pytest.approx(result.totals.tco_usd, rel=1e-9)
    assert money.COOLING in money.present_values(retrofit.plan)
    assert money.COOLING not in money.present_values(shops.plan)


def test_discounting_of_the_waterfall_by_hand(shops):
    cash = (CashYear(0, {"servers": 100.0}, 100.0), CashYear(1, {"electricity": 10.0, "staff": 30.0}, 20.0))
    plan = replace(shops.plan, cashflow=cash)
    assert money.present_values(plan) == {"servers": 100.0, "staff": 15.0, "electricity": 5.0}


def cash(*usd):
    return tuple(
        CashYear(year, {"money": amount, "residual": -usd[0] / 2.0 * (year == 3)}, 0.0)
        for year, amount in enumerate(usd)
    )


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        (cash(90.0, 9.0, 9.0, 9.0), "cost less in every year from purchase on"),
        (
            cash(110.0, 11.0, 11.0, 11.0),
            "no payback within 3 years: the plan costs USD 10.0 more to buy and is USD 13.0",
        ),
        # 10 more, then 2 less, then 16 less: half of the second year's 16 is not needed.
        (cash(110.0, 8.0, -6.0, 10.0), "USD 10.0 more to buy, paid back after 1.5 years"),
        (cash(90.0, 15.0, 15.0, 11.0), "saves USD 10.0 at purchase; dearer running eats that up after 2.0 years"),
    ],
)
def test_payback_by_the_cash_flows(ours, said):
    assert said in spending.payback(ours, cash(100.0, 10.0, 10.0, 10.0), "all air").replace(THIN, " ")


def test_a_baseline_that_is_the_plan_itself_is_said_to_be_and_not_compared(retrofit):
    same = replace(retrofit.plan.baselines[0], feasible=True, name="uniform liquid", cashflow=retrofit.plan.cashflow)
    figure = spending.cumulative("c", replace(retrofit.plan, baselines=(same,)))
    assert "nothing differs" in figure.desc
    assert len(figure.drawings) == 1


def circles(drawing):
    """Return (class, x, y) of each circle."""
    root = ET.fromstring(str(drawing))
    return [(c.get("class"), float(c.get("cx")), float(c.get("cy"))) for c in root.iter("circle")]


def test_every_baseline_is_drawn_however_dear_and_its_payback_marked(retrofit):
    """A cloud five times as dear, paid back after two years, beside a design that is a per cent off."""
    ours = cash(100.0, 10.0, 10.0, 10.0)
    near = replace(retrofit.plan.baselines[0], name="near", feasible=True, cashflow=cash(99.0, 10.0, 12.0, 10.0))
    cloud = replace(near, name="cloud", cashflow=cash(0.0, 60.0, 60.0, 480.0))
    figure = spending.cumulative("c", replace(retrofit.plan, cashflow=ours, baselines=(near, cloud)))
    (_, so_far), (one, finer), (other, _) = figure.drawings
    assert (one, other) == ("What near has cost more so far", "What cloud has cost more so far")
    root = ET.fromstring(str(so_far))
    drawn_lines = [e.get("points") for e in root.iter("polyline")]
    assert len(drawn_lines) == 3
    heights = [float(point.split(",")[1]) for points in drawn_lines for point in points.split()]
    assert min(heights) >= 50.0
    words = [t.text for t in root.iter("text")]
    # near: 1 less, then 2 more in year 2. Cloud: 100 less, then 50 more a year: level after 2 years.
    assert words.count("year 1.5") == words.count("year 2.0") == 1
    rings = [c for c in circles(so_far) if "nofill" in c[0]]
    dots = [c for c in circles(so_far) if c[0] == "f-liquid"]
    at = {ring[0].split()[-1]: ring for ring in rings}
    assert at["k-grey"][1:] == dots[2][1:]
    assert at["k-amber"][1] == pytest.approx((dots[1][1] + dots[2][1]) / 2.0, abs=0.1)
    assert len([c for c in circles(finer) if "nofill" in c[0]]) == 1


def test_every_baseline_is_drawn_by_its_own_cash_flow(retrofit):
    known = [b for b in retrofit.plan.baselines if b.totals is not None]
    assert known
    for b in known:
        assert sum(year.discounted_usd for year in b.cashflow) == pytest.approx(b.totals.tco_usd)
    figure = spending.cumulative("c", retrofit.plan)
    assert len(figure.table.rows) == len(retrofit.plan.cashflow)
    assert figure.table.rows[-1][2] == numbers.money(spending.spent(known[0].cashflow)[-1])


def test_the_layout_table_is_the_launchers_numbering(retrofit):
    """Independent count: rank = (pipeline · data + replica) · tensor + slice, as the launch files number."""
    answer = next(stage for stage in retrofit.plan.stages if stage.name == "answer")
    stage = replace(
        answer, device_count=48, servers=6, mfu=0.4, parallelism=PlannedParallelism(3, 4, 4, 1, 1, 1, 12)
    )  # fmt: skip
    figure = layout.draw("x", stage)
    ranks = {p: [(p * 3 + d) * 4 + t for d in range(3) for t in range(4)] for p in range(4)}
    for p, row in enumerate(figure.table.rows):
        assert row[1] == f"{min(ranks[p])} to {max(ranks[p])}"
        assert row[2] == f"{min(ranks[p]) // 8 + 1} to {max(ranks[p]) // 8 + 1}"
        assert row[3] == f"layers {p + 1}/4, 1/4 of each"
    assert "48" in figure.desc
    assert "stand by" not in figure.desc
    spare = layout.draw("x", replace(stage, device_count=56, servers=7))
    assert "8 devices of the last servers stand by" in spare.desc


def test_the_layout_draws_each_shown_device_once(retrofit):
    answer = next(stage for stage in retrofit.plan.stages if stage.name == "answer")
    stage = replace(answer, device_count=64, servers=8, parallelism=PlannedParallelism(8, 2, 4, 1, 1, 1, 8))
    body = str(layout.draw("x", stage).drawings[0][1])
    assert body.count("fill=") == 64
    assert body.count("zone") == 8


def test_time_bars_fill_their_row(retrofit):
    figure = breakdown.draw("t", retrofit.plan.stages)
    root = ET.fromstring(svg_file(figure))
    bars = [r for r in root.iter(f"{SVG}rect") if "edge" in r.get("class", "")]
    stages = [s for s in retrofit.plan.stages if s.mfu is not None]
    room = breakdown.WIDTH - breakdown.LEFT - 110.0
    assert sum(float(bar.get("width")) for bar in bars) == pytest.approx(room * len(stages), abs=0.1 * len(bars))


def test_the_tornado_is_split_at_the_plan(retrofit):
    u, base = retrofit.plan.uncertainty, retrofit.totals.tco_usd
    figure = doubt.tornado("t", u, base)
    root = ET.fromstring(svg_file(figure))
    green = [r for r in root.iter(f"{SVG}rect") if r.get("class") == "f-green"]
    red = [r for r in root.iter(f"{SVG}rect") if r.get("class") == "f-heat"]
    assert len(green) == len(red) == len(u.tornado)
    for low, high in zip(green, red, strict=True):
        assert float(low.get("x")) + float(low.get("width")) == pytest.approx(float(high.get("x")), abs=0.2)
    widths = [float(a.get("width")) + float(b.get("width")) for a, b in zip(green, red, strict=True)]
    assert widths == sorted(widths, reverse=True)


def test_ribbons_are_in_proportion():
    flows = (HeatFlow("accelerator", "servers", 300.0), HeatFlow("cpu", "servers", 100.0),
             HeatFlow("servers", "outdoor air", 400.0))  # fmt: skip
    figure = sankey.draw("s", flows, "here")
    boxes = {
        element.find(f"{SVG}title").text.split(":")[0]: float(element.get("height"))
        for element in ET.fromstring(svg_file(figure)).iter(f"{SVG}rect")
        if element.find(f"{SVG}title") is not None
    }
    assert boxes["accelerator"] == pytest.approx(3.0 * boxes["cpu"], rel=0.01)
    assert boxes["servers"] == pytest.approx(boxes["accelerator"] + boxes["cpu"], rel=0.01)
    assert [row[3].replace(THIN, " ") for row in figure.table.rows] == ["75.0 %", "25.0 %", "100.0 %"]


def test_a_machine_at_rest_reads_zero_not_round_off():
    states = (LoopState("chiller", 20.0, None, -8e-5), LoopState("cold supply", 20.0, 9.7, None))
    hour = OperatingHour("median hour", 11.8, 8.0, 280e3, 300e3, states)
    figure = loops.draw("l", (hour,), None)
    rows = {row[0]: row[1:] for row in figure.table.rows}
    assert rows["chiller; temperature into its condenser"][2].replace(THIN, " ") == "0 W"
    assert rows["cold supply"] == ("20.0\u202f°C", "9.70\u202fkg/s", "")


def test_design_hour_stands_beside_part_load(retrofit):
    table = gallery.figures(retrofit.plan, retrofit.years)["london-loops"].table
    assert len(table.columns) == 1 + 3 * len(retrofit.years[0].hours)


def test_the_one_line_carries_the_plans_ratings(retrofit):
    site = retrofit.plan.sites[0]
    figure = one_line.draw("e", site)
    rows = {row[0]: row[1] for row in figure.table.rows}
    racks_kw = sum(rack.count * rack.power_w for rack in site.rack_types) / 1e3
    assert rows["racks with all its planned work running at once"].replace(THIN, " ") == f"{racks_kw:.0f} kW"
    pumps = next(line for line in site.equipment if line.type == "pipework")
    assert rows["mechanical: pumps"] == power(pumps.power_w)
    assert isinstance(one_line.draw("e", replace(site, electrical=None)), Absent)


def test_the_one_line_names_what_holds_the_racks(retrofit):
    site = retrofit.plan.sites[0]
    usual = one_line.draw("e", site)
    assert "a UPS of" in usual.desc
    for kind, words in (("rectifier", "Rectifiers"), ("rectifier_shelf", "Rack rectifiers")):
        lines = tuple(replace(line, type=kind) if line.type == "ups" else line for line in site.equipment)
        figure = one_line.draw("e", replace(site, equipment=lines))
        assert "UPS" not in figure.desc + figure.drawings[0][1] + figure.phone[0][1]
        assert f">{words}<" in figure.drawings[0][1]
        assert f">{words}<" in figure.phone[0][1]
        assert words in {row[0] for row in figure.table.rows}


def test_what_the_plan_lacks_is_said_in_a_line(retrofit):
    bare = replace(retrofit.plan, uncertainty=None, frontier=(), cashflow=())
    found = gallery.bill(bare)
    assert {name for name, each in found.items() if isinstance(each, Absent)} == {
        "cost", "cumulative", "tornado", "frontier",
    }  # fmt: skip
    without_year = gallery.figures(retrofit.plan, ())
    assert isinstance(without_year["london-year"], Absent)


def test_the_csv_says_what_the_table_says(retrofit):
    figure = drawn(retrofit)["london-duration-weather"]
    lines = csv_file(figure).splitlines()
    assert lines[0] == "Hours above,dry bulb (°C),wet bulb (°C)"
    hottest = np.max(retrofit.years[0].hourly["dry_bulb_c"])
    assert float(lines[1].split(",")[1]) == pytest.approx(hottest, rel=1e-11)


def points(*costs_and_carbon, knee=None):
    return tuple(
        FrontierPoint(f"p{i}", usd * 1e6, 1.0, carbon, 1.0, knee=i == knee, checked=True)
        for i, (usd, carbon) in enumerate(costs_and_carbon)
    )


def test_the_line_of_the_frontier_never_rises():
    """The second costs and emits more than the first: it is undominated by its water alone."""
    found = points((1.0, 10.0), (2.0, 12.0), (3.0, 5.0), (4.0, 4.0), knee=2)
    assert doubt.on_the_line(found) == [0, 2, 3]
    figure = doubt.frontier("f", found, 1e6)
    assert "Off the line: 2," in figure.desc
    root = ET.fromstring(str(figure.drawings[0][1]))
    (line,) = (e.get("points").split() for e in root.iter("polyline"))
    heights = [float(at.split(",")[1]) for at in line]
    assert heights == sorted(heights)
    words = [t.text for t in root.iter("text")]
    assert {"1 recommended", "2", "3 knee", "4"} <= set(words)
    assert [row[0] for row in figure.table.rows] == ["1. p0 (recommended)", "2. p1", "3. p2 (knee)", "4. p3"]


def test_a_quantity_that_reads_the_same_all_year_has_no_map(retrofit):
    year = retrofit.years[0]
    flat = replace(year, hourly={**year.hourly, "junction_c": 66.2 + 1e-3 * np.sin(np.arange(8760.0))})
    names = {each.ident for each in heatmap.draw_all("m", flat)}
    assert "m-pue" in names
    assert "m-junction_c" not in names


def test_colours_that_stand_for_values_beyond_them_say_so(retrofit):
    year = retrofit.years[0]
    wild = np.linspace(1.2, 1.3, 8760)
    wild[0], wild[-1] = 1.2, 9.0
    figure = next(f for f in heatmap.draw_all("m", replace(year, hourly={"pue": wild})) if f.ident == "m-pue")
    words = [t.text for t in ET.fromstring(str(figure.drawings[0][1])).iter("text")]
    assert "1.200" in words
    assert "≥ 1.300" in words
    assert "highest 9.000" in figure.desc


def test_a_hall_without_a_warm_loop_draws_none_and_speaks_of_none(retrofit):
    states = (LoopState("chiller", 20.0, None, 5e3), LoopState("cold supply", 20.0, 9.7, None))
    dry = OperatingHour("median hour", 11.8, 8.0, 280e3, 300e3, states)
    both = replace(dry, states=(*states, LoopState("warm supply", 32.0, 9.0, None)))
    plain, hybrid = (loops.draw("l", (hour,), None) for hour in (dry, both))
    assert "warm" not in plain.desc
    assert "warm liquid loop" in hybrid.desc
    assert "to liquid" not in str(plain.drawings[0][1])
    assert "to liquid" in str(hybrid.drawings[0][1])
    low, high = (ET.fromstring(str(f.drawings[0][1])).get("viewBox").split()[3] for f in (plain, hybrid))
    assert float(low) < 0.6 * float(high)


def test_a_rack_of_two_kinds_names_how_many_of_each(retrofit):
    one = retrofit.plan.sites[0].rack_types[0]
    shares = (replace(one.contents[0], servers=3), replace(one.contents[0], server="CPU-2-EPYC-9654", servers=2))
    mixed = replace(one, contents=shares, servers_per_rack=5)
    figure = rack.draw("r", mixed, None)
    parts = [f"{each.servers} × {each.server}" for each in mixed.contents]
    assert sum(each.servers for each in mixed.contents) == mixed.servers_per_rack
    assert " + ".join(parts) in figure.desc
    words = " ".join(t.text for t in ET.fromstring(str(figure.drawings[0][1])).iter("text"))
    assert all(part in words for part in parts)


def test_what_leaks_past_plates_goes_into_the_racks_air(retrofit):
    """A plate catches 95 % of its component's heat, as in the twin."""
    one = replace(retrofit.plan.sites[0].rack_types[0], component_w={"accelerator": 8e4, "memory": 2e4})
    cooling = replace(retrofit.plan.sites[0].cooling, components={"accelerator": "cold_plate", "memory": "air"})
    plated = replace(one, carriers={"accelerator": "cold_plate", "memory": "air"})
    desc = rack.draw("r", plated, cooling).desc.replace(THIN, " ")
    assert "76.0 % of the heat is taken by a cold plate" in desc
    assert "24.0 kW goes into the rack's air" in desc


def test_names_on_a_narrow_screen_stay_in_their_machine(retrofit):
    states = (LoopState("chiller", 20.0, None, 5e3),)
    hour = OperatingHour("median hour", 11.8, 8.0, 280e3, 300e3, states)
    cooling = replace(retrofit.plan.sites[0].cooling, heat_rejection="air cooled chiller + outdoor air")
    figure = loops.draw("l", (hour,), cooling)
    strong = [t.text for t in ET.fromstring(str(figure.phone[0][1])).iter("text") if "strong" in t.get("class", "")]
    assert {"Air cooled chiller +", "outdoor air"} <= set(strong)
    assert all(svg.advance(words) < loops_phone.WIDE for words in strong)


def test_what_the_copies_share_is_said(retrofit):
    stage = next(each for each in retrofit.plan.stages if each.parallelism.zero == 1)
    assert "optimizer states shared out among the copies (ZeRO-1)" in layout.draw("x", stage).desc
    alone = replace(stage, parallelism=replace(stage.parallelism, zero=0))
    assert "ZeRO" not in layout.draw("x", alone).desc


def test_a_timeline_tells_what_the_fault_cut_and_not_what_the_night_did():
    """One day by the minute: the load halves at 20:00 anyway; the fault at noon cuts a tenth, or nothing."""
    minutes = np.arange(1440)
    order = {"it_w": np.where(minutes < 1200, 100e3, 50e3), "worst_margin_k": np.full(1440, 20.0),
             "coolant_c": np.full(1440, 32.0)}  # fmt: skip
    hit = (minutes >= 720) & (minutes < 730)
    near_k = np.where(hit, 3.0, np.where(minutes < 60, 1.0, 20.0))
    cut = {**order, "it_w": order["it_w"] - 10e3 * hit, "worst_margin_k": near_k}
    faulty = Incident("hall", "hottest day", ("pump stops",), ((43200.0, 43800.0),), 60.0, ("end",), (43800.0,), 0.0,
                      columns=cut, in_order=order)  # fmt: skip
    said = timeline.draw("t", faulty).desc.replace(THIN, " ")
    assert "At worst the faults cut 10.0 kW of 100 kW of IT power." in said
    assert "comes within 3.0 K of its throttle temperature" in said
    harmless = timeline.draw("t", replace(faulty, columns={**cut, "it_w": order["it_w"]})).desc
    assert "The faults cut no IT power." in harmless
    hot = {**cut, "worst_margin_k": cut["worst_margin_k"] - 5.0 * hit}
    assert "passes its throttle temperature by 2.0 K" in timeline.draw("t", replace(faulty, columns=hot)).desc.replace(
        THIN, " "
    )


def test_what_stands_in_a_rack_fills_its_share_of_it(retrofit):
    """48 U of one chassis fill the rack that four of 3 U fill to a quarter."""
    one = retrofit.plan.sites[0].rack_types[0]

    def filled(height_u, servers):
        drawn = rack.draw("r", replace(one, height_u=height_u, servers_per_rack=servers, contents=()), None)
        root = ET.fromstring(str(drawn.drawings[0][1]))
        strips = [r for r in root.iter("rect") if r.get("x") == "10"]
        assert len(strips) == servers
        return max(float(r.get("y")) + float(r.get("height")) for r in strips) - min(float(r.get("y")) for r in strips)

    assert filled(48.0, 1) == pytest.approx(176.0, abs=4.0)
    assert filled(12.0, 4) == pytest.approx(44.0, abs=4.0)


def test_two_machines_of_one_type_are_told_apart_on_the_board(laboratory):
    (hall,) = (site for site in laboratory.plan.sites if site.cooling)
    coolers = {line.tag: line.power_w for line in hall.equipment if line.type == "dry_cooler"}
    assert set(coolers) == {"DC", "FC"}
    rows = dict(one_line.draw("e", hall).table.rows)
    assert {tag: rows[f"mechanical: dry cooler {tag}"] for tag in coolers} == {
        tag: power(watt) for tag, watt in coolers.items()
    }


def test_the_loops_are_drawn_at_the_hour_they_are_sized_for(retrofit):
    site = next(site for site in retrofit.plan.sites if site.cooling)
    design, part = retrofit.years[0].hours
    assert design.dry_bulb_c == pytest.approx(site.design_day.dry_bulb_c)
    assert design.facility_w / design.it_w == pytest.approx(site.design_day.pue)
    assert design.it_w == pytest.approx(sum(rack.count * rack.power_w for rack in site.rack_types), rel=0.02)
    assert part.it_w < design.it_w
    assert loops.draw("l", (design, part), site.cooling).table.caption == "Design hour beside part load"


def test_heat_that_enters_leaves_and_stays_in_no_element(retrofit):
    flows = retrofit.years[0].heat_flows
    names = {end for flow in flows for end in (flow.origin, flow.target)}
    sources = names - {flow.target for flow in flows}
    sinks = names - {flow.origin for flow in flows}
    entering = sum(flow.mean_w for flow in flows if flow.origin in sources)
    assert sum(flow.mean_w for flow in flows if flow.target in sinks) == pytest.approx(entering, rel=1e-3)
    mean_w = float(np.mean(retrofit.years[0].hourly["facility_w"]))
    assert entering == pytest.approx(mean_w, rel=2e-3)
    for name in names - sources - sinks:
        into = sum(flow.mean_w for flow in flows if flow.target == name)
        out = sum(flow.mean_w for flow in flows if flow.origin == name)
        assert out == pytest.approx(into, abs=1e-3 * mean_w), name


def test_what_a_machine_at_rest_leaves_is_no_energy(retrofit):
    year = retrofit.years[0]
    dust = np.where(year.hourly["chillers_w"] > 0.0, year.hourly["chillers_w"], 3e-9)
    drawn = monthly.draw("m", replace(year, hourly={**year.hourly, "chillers_w": dust}))
    assert not any("nWh" in cell or "µWh" in cell or "mWh" in cell for row in drawn.table.rows for cell in row)
