"""Spreads, tornado and probability against figures worked by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from twinloop.catalogue import devices
from twinloop.economics.capital import CapitalItem
from twinloop.economics.cashflow import tco_usd
from twinloop.economics.periods import YEAR_S
from twinloop.model.model import Objective
from twinloop.planner.exposure import (
    CARBON_PRICE,
    ELECTRICITY,
    LOAD,
    PLANT,
    VENDORS,
    WATER_PRICE,
    Exposure,
    Part,
    Range,
    SiteExposure,
    exposure,
    vendor_of,
)
from twinloop.planner.money import Ledger, cash_of
from twinloop.planner.uncertainty import evaluate, triangular, uncertainty

GRID = Range("carbon of the grid", 0.8, 1.2, "test")
SERVERS = Range("NVIDIA server prices", 0.5, 1.5, "test")


def site(*parts: Part) -> SiteExposure:
    return SiteExposure(1000.0, 200.0, PLANT, 500.0, 10.0, 480.0, GRID, 110.0, parts)


def plan(*parts: Part, shared: tuple[Part, ...] = ()) -> Exposure:
    return Exposure((site(*parts),), shared, 0.0)


BILL = Part(1e6, 0.0, ELECTRICITY, "energy")
RACKS = Part(2e6, 1.5e6, SERVERS, "")


@pytest.fixture(scope="module")
def model(small):
    return small(horizon="5 years")


def moved(**factors: float):
    return lambda fact: np.array([factors.get(fact.cause.split()[0], 1.0)])


def test_nothing_drawn_is_the_plan_itself():
    found = evaluate(plan(BILL, RACKS), moved())
    assert {name: float(value[0]) for name, value in found.items()} == pytest.approx({
        "tco_usd": 3e6, "capex_usd": 1.5e6, "it_energy_mwh_per_year": 1000.0, "facility_energy_mwh_per_year": 1200.0,
        "pue": 1.2, "wue_site_l_per_kwh": 0.5, "water_m3_per_year": 500.0, "cue_kg_per_kwh": 0.48,
        "carbon_t_per_year": 600.0,
    })  # fmt: skip


def test_each_cause_moves_what_hangs_on_it_and_nothing_else():
    drawn = evaluate(plan(BILL, RACKS), moved(IT=1.1))  # energy, water and their bills with the load
    assert float(drawn["facility_energy_mwh_per_year"][0]) == pytest.approx(1320.0)
    assert float(drawn["pue"][0]) == pytest.approx(1.2)
    assert float(drawn["tco_usd"][0]) == pytest.approx(2e6 + 1.1e6)
    assert float(drawn["carbon_t_per_year"][0]) == pytest.approx(10.0 + 528.0 + 110.0)
    assert float(drawn["water_m3_per_year"][0]) == pytest.approx(550.0)
    drawn = evaluate(plan(BILL, RACKS), moved(cooling=0.5))  # overhead halved
    assert float(drawn["pue"][0]) == pytest.approx(1.1)
    assert float(drawn["tco_usd"][0]) == pytest.approx(2e6 + 1e6 * 1100 / 1200)
    assert float(drawn["it_energy_mwh_per_year"][0]) == 1000.0
    drawn = evaluate(plan(BILL, RACKS), moved(carbon=2.0))  # grid and making; the leak stays
    assert float(drawn["carbon_t_per_year"][0]) == pytest.approx(10.0 + 960.0 + 220.0)
    assert float(drawn["cue_kg_per_kwh"][0]) == pytest.approx(0.96)
    drawn = evaluate(plan(Part(600.0, 0.0, CARBON_PRICE, "carbon")), moved(refrigerant=4.0))
    assert float(drawn["tco_usd"][0]) == pytest.approx(630.0)  # 600 t cost 600 USD, 30 t more leak
    drawn = evaluate(plan(Part(100.0, 0.0, WATER_PRICE, "water")), moved(water=1.2))
    assert float(drawn["water_m3_per_year"][0]) == pytest.approx(600.0)
    assert float(drawn["tco_usd"][0]) == pytest.approx(144.0)  # 1.2 of the water at 1.2 of its price


def test_percentiles_are_those_of_the_one_triangle_that_moves(model):
    """Closed form: mode at the middle, so F(x) = 2 ((x - a) / (b - a))^2 below it."""
    u = uncertainty((plan(RACKS),), model)
    spread = u.totals["tco_usd"]
    assert u.samples >= 1000
    low = 2e6 * (0.5 + np.sqrt(0.1 / 2.0))
    assert (spread.p10, spread.p50, spread.p90) == pytest.approx((low, 2e6, 4e6 - low), rel=0.02)
    assert u.totals["pue"].p10 < 1.2 < u.totals["pue"].p90
    for each in u.totals.values():
        assert each.p10 <= each.p50 <= each.p90


def test_triangle_at_its_ends_its_mode_and_without_width():
    assert triangular(np.array([0.0, 0.5, 1.0]), 0.5, 1.5).tolist() == pytest.approx([0.5, 1.0, 1.5])
    assert triangular(np.array([0.3]), 1.0, 1.0).tolist() == [1.0]
    assert triangular(np.array([0.0, 1.0]), 1.0, 2.0).tolist() == pytest.approx([1.0, 2.0])


def test_facts_of_one_cause_move_together_and_others_do_not(model):
    """Two bills of one cause add their widths; of two causes, only their variances."""
    half = Part(1e6, 0.0, SERVERS, "")
    other = Part(1e6, 0.0, replace(SERVERS, cause="AMD server prices"), "")
    together = uncertainty((plan(half, half),), model).totals["tco_usd"]
    apart = uncertainty((plan(half, other),), model).totals["tco_usd"]
    assert together == uncertainty((plan(RACKS),), model).totals["tco_usd"]
    ratio = (apart.p90 - apart.p10) / (together.p90 - together.p10)
    assert ratio == pytest.approx(1.0 / np.sqrt(2.0), abs=0.06)


def test_the_tornado_is_the_same_arithmetic_at_the_ends(model):
    bars = {bar.name: bar for bar in uncertainty((plan(BILL, RACKS),), model).tornado}
    assert (bars["NVIDIA server prices"].low_usd, bars["NVIDIA server prices"].high_usd) == pytest.approx((2e6, 4e6))
    assert (bars["electricity price"].low_usd, bars["electricity price"].high_usd) == pytest.approx((2.7e6, 3.5e6))
    assert bars["IT power"].high_usd == pytest.approx(2e6 + 1e6 * LOAD.high)
    assert bars["cooling and power overhead"].low_usd == pytest.approx(2e6 + 1e6 * (1000 + 200 * PLANT.low) / 1200)
    widths = [bar.high_usd - bar.low_usd for bar in uncertainty((plan(BILL, RACKS),), model).tornado]
    assert widths == sorted(widths, reverse=True)
    assert "carbon of the grid" not in bars  # moves no cost here


def test_probability_and_regret_by_what_is_minimised(model):
    cheap, dear = plan(Part(1e6, 0.0, None, "")), plan(Part(3e6, 0.0, None, ""))
    first, second = uncertainty((cheap, dear), model), uncertainty((dear, cheap), model)
    assert (first.probability_best, first.regret_usd) == (1.0, 0.0)
    assert second.probability_best == 0.0
    assert second.regret_usd == pytest.approx(2e6)
    clean = replace(dear, sites=(replace(dear.sites[0], operational_t=1.0),))
    carbon = replace(model, objective=Objective("carbon", {"carbon": 1.0}))
    assert uncertainty((clean, cheap), carbon).probability_best == 1.0


def test_exposure_of_a_checked_plan_adds_up_and_knows_its_ranges(model):
    server = next(each for each in model.servers if each.name == "HGX-H100-8-air")
    capital = (
        CapitalItem("servers", 1e6, 5 * YEAR_S, 0.08, of=server.name),
        CapitalItem("crah", 1e5, 15 * YEAR_S, 0.04),
        CapitalItem("building and power", 3e5, 25 * YEAR_S, 0.0),
    )
    yearly = {"electricity": 5e4, "demand charge": 1e4, "water": 1e3, "carbon price": 2e3}
    carbon = {"scope1": 10e3, "scope2": 480e3, "scope3": 110e3}
    mine = Ledger(capital, yearly, {}, carbon, 480e3)
    whole = replace(mine, yearly_usd={**yearly, "staff": 1e5, "egress": 7.0})
    totals = SimpleNamespace(
        it_energy_mwh_per_year=1000.0, facility_energy_mwh_per_year=1200.0, water_m3_per_year=500.0,
        carbon_t_per_year={"scope1": 10.0, "scope2": 480.0, "scope3": 110.0},
    )  # fmt: skip
    planned = SimpleNamespace(totals=totals, kind="on-premise", name="hall")
    option = SimpleNamespace(duration_s=60.0, latency_p99_s=None)
    checked = SimpleNamespace(
        sites=(SimpleNamespace(planned=planned, ledger=mine),), ledger=whole,
        placements=(SimpleNamespace(option=option),),
    )  # fmt: skip
    found = exposure(checked, model)
    usual = evaluate(found, moved())
    assert float(usual["tco_usd"][0]) == pytest.approx(tco_usd(cash_of(whole, model)), rel=1e-12)
    assert float(usual["capex_usd"][0]) == 1.4e6
    assert (found.sites[0].making_t, found.sites[0].scope1_t, found.time_s) == (110.0, 10.0, 60.0)
    ranges = {part.price.cause: part.price for part in found.sites[0].parts}
    assert (ranges["NVIDIA server prices"].low, ranges["NVIDIA server prices"].high) == pytest.approx(
        (27 / 33, 40 / 33)
    )
    assert {part.price.cause: part.amount for part in (*found.sites[0].parts, *found.shared)} == {
        "NVIDIA server prices": "", "cooling equipment prices": "", "building and power": "",
        "electricity price": "energy", "water price": "water", "carbon price": "carbon", "staff": "",
        "cloud prices": "",
    }  # fmt: skip
    assert found.sites[0].grid.low == pytest.approx(313.12 / 380.95)  # Germany's row


def test_same_seed_same_figures(model):
    assert uncertainty((plan(BILL, RACKS),), model) == uncertainty((plan(BILL, RACKS),), model)


def test_every_device_on_sale_has_a_maker():
    makers = {maker for maker, _ in VENDORS}
    unknown = {each.name for each in devices() if vendor_of(each.name) not in makers}
    assert unknown <= {"Hailo-8", "speedAI240-Slim", "QPU-superconducting"}
