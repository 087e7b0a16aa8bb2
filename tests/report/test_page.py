"""The page as a whole: small, whole, offline, escaped, honest."""

from __future__ import annotations

import base64
import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from twinloop.model.doubt import NearTie
from twinloop.model.plan import RuleBreach
from twinloop.report import gallery, narrative, render
from twinloop.report.numbers import THIN

VOID = {"meta", "link", "input", "br", "rect", "line", "circle", "path", "polyline", "polygon", "image"}
MOST_BYTES = 3_000_000


class Reader(HTMLParser):
    """Collects ids, addresses and headings, and sees that tags close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.urls, self.text, self.headings = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.urls += [found[key] for key in ("href", "src") if key in found]
        self.headings += [tag] if tag in ("h1", "h2", "h3") else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def page(retrofit):
    return retrofit.report()


def test_tags_close_and_ids_are_unique(page):
    reader = read(page)
    assert len(reader.ids) == len(set(reader.ids))
    targets = {url[1:] for url in reader.urls if url.startswith("#")}
    assert targets <= set(reader.ids)
    assert reader.headings[0] == "h1"
    assert reader.headings.count("h1") == 1


def test_it_works_offline_and_is_small(page):
    assert len(page.encode()) <= MOST_BYTES
    assert all(url.startswith(("#", "data:")) for url in read(page).urls)
    assert "@import" not in page
    assert "url(" not in page


def test_the_same_plan_gives_the_same_bytes(retrofit, page):
    assert render(retrofit.plan, retrofit.years, retrofit.command) == page


def test_what_a_person_wrote_is_escaped(retrofit):
    evil = "</script><script>alert(1)</script>"
    plan = replace(retrofit.plan, scenario=evil, summary=evil,
                   stages=tuple(replace(s, why=evil) for s in retrofit.plan.stages))  # fmt: skip
    page = render(plan, retrofit.years, evil)
    assert "<script>alert" not in page
    assert page.count("<script>") == 1


def test_it_says_everything_a_planner_must_defend(page):
    words = " ".join(read(page).text)
    for title in (
        "Basis of design", "Equipment schedule", "Electrical one-line", "One unit lost on the design day",
        "What would change it", "Where the heat goes", "The cooling loops", "Inside a rack", "Who holds what",
        "Where the time goes", "What the cost is made of", "Cumulative cost by year", "What moves the cost",
        "Cost against carbon", "Load duration", "Weather duration", "Outdoor air through the year", "Free cooling",
        "Where the numbers come from", "Reproduce", "Limits and their slack",
    ):  # fmt: skip
        assert title in words or f"{title}:" in words, title
    assert "twinloop plan" in words
    assert not re.search(r"\b(None|nan)\b", words)


def test_low_confidence_is_flagged(retrofit, page):
    low = [p for p in retrofit.plan.provenance if p.confidence == "low"]
    assert low
    assert page.count('<tr class="low">') == len(low)
    assert f"{len(low)} of low confidence" in page


def test_the_equipment_schedule_is_a_csv_too(retrofit, page):
    text = base64.b64decode(re.search(r"data:text/csv;base64,([^\"]+)", page).group(1)).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    lines = [line for site in retrofit.plan.sites for line in site.equipment]
    assert [row["tag"] for row in rows] == [line.tag for line in lines]
    known = [(row["capex_usd"], line.capex_usd) for row, line in zip(rows, lines, strict=True)]
    assert {usd for written, usd in known if written == ""} == {None}
    priced = [(float(written), usd) for written, usd in known if usd is not None]
    assert sum(written for written, _ in priced) == pytest.approx(sum(usd for _, usd in priced), abs=0.1)


def test_a_rented_plan_claims_no_plant_and_no_proof(shops):
    """Its page offers no empty schedule; one checked plan alone cannot be best among others."""
    page = shops.report()
    assert "equipment.csv" not in page
    assert "cooling plant is" not in page
    card = next(k for k in narrative.kpis(shops.plan) if k.name == "Hottest junction")
    assert card.beside == ("no hall of its own: the provider's care",)
    alone = replace(shops.plan, uncertainty=replace(shops.plan.uncertainty, plans=1))
    words = " ".join(read(render(alone, (), "x")).text)
    assert "The twin has checked this plan alone" in words
    assert "robust to prices" not in words
    assert "best of its twin-checked shortlist" not in words


def test_headline_differences_are_the_plans(retrofit):
    kpi = next(k for k in narrative.kpis(retrofit.plan) if k.name == "Energy a year")
    for line, baseline in zip(kpi.beside, [b for b in retrofit.plan.baselines if b.totals], strict=True):
        share = retrofit.totals.facility_energy_mwh_per_year / baseline.totals.facility_energy_mwh_per_year - 1.0
        said = float(re.search(r"[−+][\d.]+", line).group(0).replace("−", "-"))
        assert said == pytest.approx(100.0 * share, abs=0.051)
        assert ("*" in line) is not baseline.feasible


def test_cards_and_maps_speak_of_the_same_things(retrofit):
    cards = {kpi.name: kpi for kpi in narrative.kpis(retrofit.plan)}
    assert cards["Hottest junction"].beside[0] == "worst chip of the hottest hour"
    titles = [each.title for each in gallery.figures(retrofit.plan, retrofit.years).values()]
    assert "Mean junction" in titles
    assert "Junction" not in titles
    known = [b.name for b in retrofit.plan.baselines if b.totals]
    assert [line.split(":")[0].rstrip("*") for line in cards["PUE"].beside] == known


def test_the_verdict_is_honest(retrofit):
    plan = retrofit.plan

    def said(saving, *, feasible=True, best=0.99):
        one = replace(plan.baselines[0], feasible=feasible, saving=saving, totals=plan.totals, name="plain")
        u = replace(plan.uncertainty, probability_best=best)
        return " ".join(narrative.verdict(replace(plan, baselines=(one,), uncertainty=u)))

    assert "A plainer design does better here: plain" in said(-0.01)
    assert "itself the best plan of plain" in said(0.0)
    assert "Within 1 % of plain" in said(0.005)
    assert "Clearly better than plain" in said(0.2)
    assert "Not possible within the limits: plain" in said(0.2, feasible=False)
    assert "Clearly" not in said(0.2, feasible=False)
    assert "robust to prices" in said(0.2)
    assert f"sensitive to prices: best in 60.0{THIN}%" in said(0.2, best=0.6)


def test_a_plan_that_outgrows_its_hall_says_so_on_the_front(retrofit):
    grown = RuleBreach("growth", "london: from year 4 growth needs 16 rack positions of 14", "growth")
    unfit = replace(retrofit.plan.baselines[0], feasible=False)
    told = narrative.verdict(replace(retrofit.plan, warnings=(grown,), baselines=(unfit,)))
    assert (
        "The recommendation fits at first and not for the whole horizon: london: from year 4 growth needs 16 rack "
        "positions of 14. A baseline is struck out only for what it needs in year 1."
    ) in told
    assert "whole horizon" not in " ".join(narrative.verdict(replace(retrofit.plan, warnings=())))


def test_robustness_is_claimed_of_the_checked_plans_only(retrofit):
    plan = retrofit.plan
    assert plan.uncertainty.plans >= 1
    assert plan.uncertainty.screening_error is not None
    sure = replace(plan.uncertainty, plans=4, screening_error=-0.02)
    tie = NearTie("dry", False, 0.001, {"water": -0.951, "energy": -0.25})
    said = " ".join(narrative.verdict(replace(plan, uncertainty=sure, near_ties=(tie,)))).replace(THIN, " ")
    assert "Among the 4 plans that the twin has checked, and only among them, the choice is" in said
    assert "screening puts the plan's cost 2.0 % below the twin's" in said
    assert "For 0.1 % more cost: 95 % less water, 25 % less energy (dry; as screened, not checked by the twin)." in said


def test_the_bound_is_said_to_be_one_of_coefficients(retrofit):
    def said(gap):
        return " ".join(narrative.verdict(replace(retrofit.plan, objective=replace(retrofit.plan.objective, gap=gap))))

    assert f"exact by its own coefficients: no other choice is more than 0.4{THIN}% better" in said(0.004)
    assert "no such proof" in said(0.004)
    assert "coefficients" not in said(None)


def test_a_limit_with_nothing_left_is_named(retrofit):
    def told(worth):
        tight = replace(retrofit.plan.constraints[0], slack=0.0, shadow_price=worth)
        found = narrative.changes(replace(retrofit.plan, constraints=(tight,)))
        return next(change.how for change in found if "nothing is left" in change.how)

    assert told(None) == "nothing is left of this limit: it shapes the answer."
    assert told(23.0).startswith("nothing is left of this limit: it shapes the answer; 1 kW more is worth")
    assert told(0.0) == "nothing is left of this limit: more of it would gain nothing."
