"""What a placement, a site and a plan cost and emit, against figures worked by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from twinloop.catalogue.nouns import Grid
from twinloop.economics.cashflow import tco_usd
from twinloop.economics.periods import YEAR_S
from twinloop.model.codec import dumps, loads
from twinloop.model.estimate import ComponentPower, Parallelism, StageOption
from twinloop.model.model import Objective, Stage
from twinloop.model.plan import Equipment
from twinloop.model.site import Cloud, Edge, HeatOfftake, Tariff, Water
from twinloop.planner.equipment import capital_items
from twinloop.planner.links import egress_usd_per_year
from twinloop.planner.money import (
    Bill,
    Ledger,
    add_ledgers,
    cash_of,
    charged_w,
    cloud_ledger,
    edge_ledger,
    flat_bill,
    hall_ledger,
    heat_sale,
    hourly_bill,
)
from twinloop.planner.standing_lines import less_standing
from twinloop.planner.totals import hall_totals, placement_totals, sum_totals, unit_costs

MWH_J = 3.6e9
GRID = Grid("test", 0.4 / 3.6e6, "location-based", 3e-3 / 3.6e6, "high")  # 400 g and 3 L a kWh
NOTHING = ComponentPower(0.0, 0.0, 0.0, 0.0, 0.0)
OPTION = StageOption(
    "s", "d", 8, "server", 1, "bf16", "none", Parallelism(), 1.0, None, 0.5, 1.0, NOTHING, NOTHING, 0.0, None, 0.0,
    None, 0.0, {}, 1.0, 1.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def model(small):
    """Five even years without discounting or growth: sums can be told by hand."""
    found = small(horizon="5 years")
    return replace(found, finance=replace(found.finance, discount_per_year=0.0, maintenance_it_per_year=0.0))


@pytest.fixture(scope="module")
def hall(model):
    tariff = Tariff((0.1 / 3.6e6,) * 24, 0.012, 0.0, "test")
    water = Water(None, None, 4.0, "potable", 2.0)
    return replace(model.on_premise[0], grid=GRID, tariff=tariff, water=water, build_usd_per_w=10.0)


def server(model, price=300e3, embodied=1000.0):
    return replace(model.servers[0], price_usd=price, embodied_kg=embodied)


def ledger_of(model, hall, **changes):
    usual = {
        "servers": ((server(model), 2),), "it_w": 1e6, "cooling": (), "facility_j": 1000 * MWH_J,
        "bill": Bill(1.0, 2.0), "water_m3": 500.0, "chiller_w": 1e6,
    }  # fmt: skip
    return hall_ledger(model, hall, **{**usual, **changes})


# Bills


def test_a_flat_load_pays_the_demand_charge_in_every_month_of_the_year(hall):
    bill = flat_bill(hall, 8760e6 * 3600.0, 1e6)  # 1 MW all year
    assert bill.energy_usd == pytest.approx(876_000.0)  # 8760 MWh x 100 USD
    assert bill.demand_usd == pytest.approx(144_000.0)  # 1000 kW x 12 USD x 12 months
    hourly = hourly_bill(np.full(8760, 1e6), hall.tariff)
    assert (hourly.energy_usd, hourly.demand_usd) == pytest.approx((bill.energy_usd, bill.demand_usd))


def test_water_and_electricity_are_costs_and_the_building_is_paid_by_the_watt(model, hall):
    ledger = ledger_of(model, hall)
    assert ledger.yearly_usd["water"] == 1000.0  # 500 m3 x 2 USD, positive: paid
    assert (ledger.yearly_usd["electricity"], ledger.yearly_usd["demand charge"]) == (1.0, 2.0)
    capital = {item.name: item.amount_usd for item in ledger.capital}
    assert capital["building and power"] == 10e6  # 1 MW x 10 USD/W
    assert capital["servers"] == 600e3
    extended = {item.name: item.amount_usd for item in ledger_of(model, hall, standing_w=0.25e6).capital}
    assert extended["building and power"] == 7.5e6
    assert {item.name: item.amount_usd for item in ledger_of(model, hall, standing_w=2e6).capital}[
        "building and power"
    ] == 0.0
    assert tco_usd(cash_of(ledger_of(model, hall, water_m3=600.0), model)) - tco_usd(
        cash_of(ledger, model)
    ) == pytest.approx(5 * 200.0)


def test_spares_of_the_power_chain_are_bought_with_the_building(model, hall):
    def building_usd(redundancy: str, **changes: float) -> float:
        ledger = ledger_of(model, replace(hall, redundancy=redundancy), **{"it_w": 4e6, **changes})
        return next(item.amount_usd for item in ledger.capital if item.name == "building and power")

    assert building_usd("N") == pytest.approx(40e6)
    # A sixth UPS module beside 5 (8 %), a fourth transformer (2 %) and a fourth generator (10 %) beside 3.
    assert building_usd("N+1") == pytest.approx(40e6 * (1 + 0.08 / 5 + 0.02 / 3 + 0.10 / 3))
    # Twice the transformers, generators and switchgear; two UPS of 4 MW in place of one of 5.
    assert building_usd("2N") == pytest.approx(40e6 * (1 + 0.08 * 0.6 + 0.02 + 0.10 + 0.08))
    assert building_usd("2N", standing_w=3e6) == pytest.approx(10e6 * 1.248)
    for it_w in (0.1e6, 0.5e6, 1e6, 3e6, 30e6):
        bare, one, two = (building_usd(each, it_w=it_w) for each in ("N", "N+1", "2N"))
        assert bare < one < 0.99 * two
    # 125 kW of UPS, one transformer and one generator, each as 3 + 1 at 3^0.25 times the price of a watt.
    assert building_usd("N+1", it_w=0.1e6) == pytest.approx(1e6 * (1 + 0.20 * (4 / 3 * 3**0.25 - 1)))


def test_a_building_lives_25_years(model, hall):
    ledger = ledger_of(model, hall, servers=(), it_w=1e6)
    (building,) = ledger.capital
    assert building.life_s == 25 * YEAR_S
    # After five years four fifths of 10 million are left, straight line.
    assert cash_of(ledger, model)[5].amounts_usd["residual"] == pytest.approx(-8e6)


def test_a_server_sold_for_air_costs_three_per_cent_more_in_a_bath(model, hall):
    def servers_usd(**changes: bool) -> float:
        return next(i.amount_usd for i in ledger_of(model, hall, **changes).capital if i.name == "servers")

    assert (servers_usd(), servers_usd(bathed=True)) == pytest.approx((600e3, 618e3))


# Carbon: scopes, spares, CUE


def test_scopes_of_a_hall_by_hand(model, hall):
    carbon = ledger_of(model, replace(hall, redundancy="N")).carbon_kg_per_year
    assert carbon["scope2"] == pytest.approx(400e3)  # 1000 MWh x 400 kg
    assert carbon["scope3"] == pytest.approx(2 * 1000.0 / 5)
    # Leak 1 MW x 0.3 kg/kW x 2 % x 1530; tests 1.5 MW x 30 % x 6 h x 0.33 L/kWh x 2.7 kg/L.
    assert carbon["scope1"] == pytest.approx(9180.0 + 2405.7)


def test_spare_generators_are_tested_too(model, hall):
    def tests_kg(redundancy: str) -> float:
        found = ledger_of(model, replace(hall, redundancy=redundancy), chiller_w=0.0, it_w=4e6)
        return found.carbon_kg_per_year["scope1"]

    assert tests_kg("N") == pytest.approx(4 * 2405.7)
    assert tests_kg("N+1") == pytest.approx(4 * 2405.7 * 4 / 3)  # 6 MW by three sets, and one more
    assert tests_kg("2N") == pytest.approx(8 * 2405.7)


def line(kind="water_cooled_chiller", count=2, spare=1, rated_w=1e6, capex_usd: float | None = 100.0):
    return Equipment("X", kind, count, spare, rated_w, None, None, None, None, 0.0, "", 0.1, capex_usd)


def test_refrigerant_is_in_spares_too_and_only_in_machines_with_a_compressor():
    assert charged_w((line(),)) == 3e6
    assert charged_w((line(), line("tower"), line("crah"), line("air_cooled_chiller", 1, 0, 1e6))) == 4e6


def cloud(model):
    return Cloud("away", "p", "r", "US", (), GRID, 1.2, 0.0, ((1e30, 1e-10),), 2.0 / YEAR_S)


def test_rented_electricity_is_scope_3_but_operational(model):
    ledger = cloud_ledger(model, cloud(model), 1.0, 1, OPTION, 1200 * MWH_J, 1.0)
    assert ledger.operational_kg_per_year == pytest.approx(480e3)
    assert ledger.carbon_kg_per_year == pytest.approx({"scope1": 0.0, "scope2": 0.0, "scope3": 480e3 + 8 * 2.0})


def placed(ledger, it_mwh, facility_mwh, site="away", stage="s", cost=1.0):
    return SimpleNamespace(
        it_j=it_mwh * MWH_J, facility_j=facility_mwh * MWH_J, water_m3=0.0, source_water_m3=0.0, facility_peak_w=1e6,
        ledger=ledger, site=site, stage=stage, cost_usd=cost,
    )  # fmt: skip


def test_cue_of_rented_and_edge_sites_is_operational_only(model, hall):
    rented = cloud_ledger(model, cloud(model), 1.0, 1, OPTION, 1200 * MWH_J, 1.0)
    totals = placement_totals(model, (placed(rented, 1000, 1200),), rented)
    assert totals.cue_kg_per_kwh == pytest.approx(1.2 * 0.4)  # PUE x 400 g, nothing embodied
    assert totals.carbon_t_per_year["scope3"] == pytest.approx(480.016)
    shops = Edge("shops", "EU", 4, 1e5, hall.weather, GRID, hall.tariff, 1.5)
    owned = edge_ledger(model, shops, server(model, embodied=1e6), 4, 1500 * MWH_J, 1e5)
    assert placement_totals(model, (placed(owned, 1000, 1500),), owned).cue_kg_per_kwh == pytest.approx(1.5 * 0.4)


def test_cue_over_sites_is_a_ratio_of_sums(model, hall):
    rented = cloud_ledger(model, cloud(model), 1.0, 1, OPTION, 1200 * MWH_J, 1.0)
    owned = edge_ledger(
        model, Edge("shops", "EU", 4, 1e5, hall.weather, GRID, hall.tariff, 2.0), server(model), 4, 6000 * MWH_J, 1e5
    )
    one, two = placed(rented, 1000, 1200), placed(owned, 3000, 6000, site="shops")
    parts = (placement_totals(model, (one,), rented), placement_totals(model, (two,), owned))
    ledger = add_ledgers((rented, owned))
    bare = replace(model, stages=())
    whole = sum_totals(bare, parts, ledger, cash_of(ledger, bare), (one, two))
    assert whole.cue_kg_per_kwh == pytest.approx(7200 * 0.4 / 4000)
    assert whole.pue == pytest.approx(7200 / 4000)
    assert whole.carbon_t_per_year["scope2"] == pytest.approx(2400.0)  # 6000 MWh x 0.4 t, in tonnes


def test_a_carbon_price_is_per_tonne_of_all_scopes(model, hall):
    priced = replace(model, objective=Objective("cost", {"carbon": 0.1, "water": 3.0}))  # 100 USD/t
    ledger = ledger_of(priced, hall)
    whole_t = sum(ledger.carbon_kg_per_year.values()) / 1e3
    assert ledger.yearly_usd["carbon price"] == pytest.approx(100.0 * whole_t)
    assert ledger.yearly_usd["water price"] == 1500.0


# Prices that nobody knows


def test_a_machine_without_a_price_of_its_own_is_null_not_free():
    lines = (line(capex_usd=100.0), line("cdu", capex_usd=None), line("ups", capex_usd=None))
    assert [item.amount_usd for item in capital_items(lines)] == [100.0]
    assert [each.capex_usd for each in less_standing(lines, None).lines] == [100.0, None, None]
    again = loads(Equipment, dumps(lines[1]))
    assert again == lines[1]
    assert '"capex_usd": null' in dumps(lines[1])


# Data that leaves a cloud


def test_egress_of_the_chosen_plan(model):
    ingest = Stage("ingest", "ingest", (), (), None, rate_b_s=1e6)  # 31.536 TB a year
    train = Stage("train", "train", ("ingest",), (), None)
    turned = replace(model, stages=(ingest, train), clouds=(cloud(model),))

    def usd(first: str, second: str) -> float:
        chosen = (SimpleNamespace(stage="ingest", site=first), SimpleNamespace(stage="train", site=second))
        return egress_usd_per_year(turned, chosen)

    assert usd("away", "hall") == pytest.approx(31.536e12 * 1e-10)
    assert usd("away", "away") == usd("hall", "away") == 0.0


# Heat sold


def test_heat_sold_is_income_and_counts_in_erf_and_ere(model, hall):
    buyer = replace(hall, heat_offtake=HeatOfftake(65.0, 1e6, 30.0 / MWH_J))
    assert heat_sale(hall, 300 * MWH_J) == heat_sale(buyer, 0.0) == {}
    ledger = ledger_of(model, buyer, facility_j=1250 * MWH_J, risk_usd=heat_sale(buyer, 300 * MWH_J))
    assert ledger.yearly_usd["heat sale"] == pytest.approx(-9000.0)
    year = SimpleNamespace(
        energy=SimpleNamespace(it_j=1000 * MWH_J, facility_j=1250 * MWH_J), heat_sold_j=300 * MWH_J,
        water=SimpleNamespace(total_m3=500.0), it_split=SimpleNamespace(compute_j=900 * MWH_J), peak_power_w=1.0,
        peak_junction_c=70.0, throttled_device_hours=0.0,
    )  # fmt: skip
    totals = hall_totals(model, buyer, year, ledger)
    assert (totals.erf, totals.ere, totals.heat_sold_mwh_per_year) == pytest.approx((0.24, 0.95, 300.0))
    assert (totals.pue, totals.tue, totals.cue_kg_per_kwh) == pytest.approx((1.25, 1250 / 900, 0.5))
    assert (totals.wue_site_l_per_kwh, totals.wue_source_l_per_kwh) == pytest.approx((0.5, 0.5 + 1.25 * 3.0))
    without = ledger_of(model, buyer, facility_j=1250 * MWH_J)
    saved = tco_usd(cash_of(without, model)) - tco_usd(cash_of(ledger, model))
    assert saved == pytest.approx(5 * 9000.0)


# Cost of the work


def test_unit_costs_share_the_bill_by_present_cost(model):
    answer = Stage("answer", "serve", (), (), None, requests_per_s=2.0, input_tokens=300.0, output_tokens=200.0)
    tune = Stage("tune", "train", (), (), None, every_s=YEAR_S / 10.0)
    ingest = Stage("ingest", "ingest", (), (), None, rate_b_s=1e6)
    turned = replace(model, stages=(answer, tune, ingest))
    shares = (placed(None, 1, 1, stage="answer", cost=60.0), placed(None, 1, 1, stage="tune", cost=30.0),
              placed(None, 1, 1, stage="ingest", cost=10.0))  # fmt: skip
    costs = unit_costs(turned, shares, 5e6)  # undiscounted, so 1 M USD a year
    requests = 2.0 * YEAR_S
    assert costs["usd_per_1000_requests.answer"] == pytest.approx(600e3 / requests * 1e3)  # 9.51 USD
    assert costs["usd_per_1000_requests.answer"] == pytest.approx(9.5129, rel=1e-4)
    assert costs["usd_per_million_tokens.answer"] == pytest.approx(19.026, rel=1e-4)  # 500 tokens a request
    assert costs["usd_per_run.tune"] == pytest.approx(30e3)
    assert costs["usd_per_tb.ingest"] == pytest.approx(100e3 / 31.536)


def test_staff_is_a_line_of_its_own_in_the_cash_flow(model):
    ledger = Ledger((), {"electricity": 10.0, "staff": 7.0}, {}, {})
    assert all(year.amounts_usd["staff"] == 7.0 for year in cash_of(ledger, model)[1:])
