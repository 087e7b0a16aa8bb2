"""Lines of the bill that decide between renting and owning, against figures worked by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from twinloop.catalogue import device
from twinloop.economics.periods import YEAR_S
from twinloop.model.estimate import ComponentPower, Parallelism, StageOption
from twinloop.model.site import Edge
from twinloop.planner.baselines import plainer, rivals_of
from twinloop.planner.commons import common_ledger, shared_ledger
from twinloop.planner.money import (
    Bill,
    cash_of,
    cloud_ledger,
    cloud_price,
    edge_ledger,
    hall_ledger,
    load_growth_per_year,
    risk_usd,
)
from twinloop.planner.placements import cloud_placement
from twinloop.planner.racks import server_of
from twinloop.planner.screen import Screened
from twinloop.planner.selection import Limit, Problem
from twinloop.planner.ways_out import limit_words
from twinloop.planner.wiring import wiring
from twinloop.twin.design import PlantConstants

CLOUD = "  - {name: away, kind: cloud, provider: aws, region: us-east-1, jurisdiction: EU}\n"
BUSY = ComponentPower(56e3, 4e3, 2e3, 2e3, 1e3)
IDLE = ComponentPower(8e3, 1e3, 1e3, 1e3, 0.5e3)
SHARE = 0.003
"""Of the year: 26 h in four runs."""


@pytest.fixture(scope="module")
def model(small):
    return small(sites=CLOUD)


def runs(duration_s: float | None = 6.5 * 3600.0, busy_fraction: float = SHARE) -> StageOption:
    """Give eight servers of eight devices as one job."""
    return StageOption(
        "train", "H100-SXM-80GB", 64, "HGX-H100-8-air", 8, "bf16", "none", Parallelism(data=8, tensor=8), 1.0,
        duration_s, busy_fraction, 1.0, BUSY, IDLE, 700.0, None, 0.0, None, 0.0, {}, 1.0, 1.0,
    )  # fmt: skip


def overhead(model) -> float:
    """Give what fans and power supplies add to the DC power."""
    server = server_of(model, "HGX-H100-8-air")
    return (1.0 + server.fan_w_air / (BUSY.total_w / 8)) / server.psu_efficiency


def test_released_machines_take_no_idle_power(model):
    site = model.clouds[0]
    p = cloud_placement(model, site, runs(), "on_demand")
    network = wiring(runs(), server_of(model, "HGX-H100-8-air"))
    assert p.it_j == pytest.approx((BUSY.total_w * overhead(model) + network.power_w) * SHARE * YEAR_S)
    assert p.facility_j == pytest.approx(p.it_j * site.pue)
    assert p.water_m3 == pytest.approx(p.it_j / 3.6e6 * site.wue_l_per_kwh / 1e3)
    making_kg = SHARE * (64 * YEAR_S * site.embodied_kg_per_device_s + network.embodied_kg / 5.0)
    assert p.ledger.operational_kg_per_year == pytest.approx(p.facility_j * site.grid.carbon_kg_per_j)
    assert p.carbon_kg == pytest.approx(p.ledger.operational_kg_per_year + making_kg)
    assert p.ledger.yearly_usd["cloud rental"] == pytest.approx(8 * p.offer.price_usd_per_s * SHARE * YEAR_S)


def test_reserved_machines_are_held_and_idle_all_year(model):
    site = model.clouds[0]
    p = cloud_placement(model, site, runs(), "reserved")
    dc_w = BUSY.total_w * SHARE + IDLE.total_w * (1.0 - SHARE)
    network = wiring(runs(), server_of(model, "HGX-H100-8-air"))
    assert p.it_j == pytest.approx((dc_w * overhead(model) + network.power_w) * YEAR_S)
    making_kg = 64 * YEAR_S * site.embodied_kg_per_device_s + network.embodied_kg / 5.0
    assert p.carbon_kg == pytest.approx(p.ledger.operational_kg_per_year + making_kg)
    rent_usd = 8 * p.offer.price_usd_per_s * site.reserved_share * YEAR_S
    assert p.ledger.yearly_usd["cloud rental"] == pytest.approx(rent_usd)


def test_machines_that_never_stop_idle_between_requests(model):
    p = cloud_placement(model, model.clouds[0], runs(None, 0.4))
    ports_w = wiring(runs(None), server_of(model, "HGX-H100-8-air")).power_w
    dc_w = 0.4 * BUSY.total_w + 0.6 * IDLE.total_w
    assert p.it_j == pytest.approx((dc_w * overhead(model) + ports_w) * YEAR_S)


def test_making_of_rented_machines_is_ours_while_they_are_held(model):
    site = model.clouds[0]
    half = cloud_ledger(model, site, 1.0, 8, runs(), 0.0, 0.5)
    assert half.carbon_kg_per_year["scope3"] == pytest.approx(32 * YEAR_S * site.embodied_kg_per_device_s)
    assert half.yearly_usd["cloud rental"] == pytest.approx(4 * YEAR_S)


def test_downtime_is_priced_by_the_hour(model):
    priced = replace(model, finance=replace(model.finance, downtime_usd_per_s=1000.0 / 3600.0))
    hall = model.on_premise[0]
    for redundancy, usd in (("N", 28_820.4), ("N+1", 1_576.8), ("2N", 438.0)):  # (1 - 0.99671) x 8760 h x 1000 USD
        assert risk_usd(priced, replace(hall, redundancy=redundancy), {}) == pytest.approx({"downtime": usd})


def test_failures_cost_a_repair_each(model):
    priced = replace(model, finance=replace(model.finance, failures="linear", repair_usd=1500.0))
    found = risk_usd(priced, model.on_premise[0], {65.0: 1000, 75.0: 1000})
    assert found == pytest.approx({"failures": (106.0 + 127.2) * 1500.0})


def test_hall_staff_goes_by_power_and_the_network_is_a_purchase(model):
    finance = replace(model.finance, staff_usd_per_year=0.0, staff_usd_per_w_year=0.18)
    ledger = hall_ledger(
        replace(model, finance=finance), model.on_premise[0], (), 2e6, (), 0.0, Bill(0.0, 0.0), 0.0, 0.0,
        network_usd=304e3,
    )  # fmt: skip
    assert ledger.yearly_usd["operations staff"] == pytest.approx(360e3)
    network = next(item for item in ledger.capital if item.name == "network")
    assert (network.amount_usd, network.life_years, network.maintenance_per_year) == (
        304e3, 5.0, finance.maintenance_it_per_year,
    )  # fmt: skip


def test_staff_of_halls_by_default_and_by_a_given_sum(small):
    usual = small().finance
    assert (usual.staff_usd_per_year, usual.staff_usd_per_w_year) == pytest.approx((0.0, 0.18))  # 1.5 a MW x 120 k USD
    given = small(finance=", staff: 90000 USD/year").finance
    assert (given.staff_usd_per_year, given.staff_usd_per_w_year) == (90e3, 0.0)
    assert small(finance=", staff: 0 USD/year").finance.staff_usd_per_w_year == 0.0


def test_datasets_are_stored_at_home(model):
    data = replace(model.datasets[0], growth_b_s=1e6)  # 10 TB and 315.36 TB more in ten years
    here = common_ledger(replace(model, datasets=(data,)))
    (item,) = here.capital
    assert (item.name, item.amount_usd, here.yearly_usd) == ("storage", pytest.approx(32_536.0), {})  # 100 USD/TB
    away = common_ledger(replace(model, datasets=(replace(data, home="away"),)))
    assert away.capital == ()
    assert away.yearly_usd == pytest.approx({"cloud storage": 167.68 * 23.0 * 12})  # mean TB x USD a month
    assert common_ledger(replace(model, datasets=())).capital == ()
    given = replace(model, datasets=(), stages=(), finance=replace(model.finance, staff_usd_per_year=5.0))
    assert shared_ledger(given, ()).yearly_usd == {"staff": 5.0}


def test_stored_data_does_not_grow_with_the_load(model):
    growing = replace(model, on_premise=(replace(model.on_premise[0], growth_per_year=0.2),))
    years = cash_of(common_ledger(growing), growing)
    assert [year.year for year in years if "storage" in year.amounts_usd] == [0, 5]  # bought, and refreshed once


def test_a_baseline_of_sites_that_are_not_declared_says_so(small):
    bare = small()
    nothing = Screened({}, (), {}, {}, 0)
    found = plainer(bare, nothing, PlantConstants(), {}, lambda _: None)
    best = SimpleNamespace(checked=SimpleNamespace(objective=1.0))
    notes = {rival.baseline.name: rival.baseline.note for rival in rivals_of(found, best)}
    assert notes["all cloud"] == "no cloud region is declared in the scenario"
    assert notes["all air on-premise"] == "no such plan satisfies the limits, residency and latency"


def test_a_budget_is_shown_in_millions():
    problem = Problem((), (), (), (Limit("cost budget", 3e6, "USD", {}),))
    assert limit_words(problem, "cost budget") == "cost budget: 3.00 M USD"


def test_every_edge_server_was_made(model):
    hall = model.on_premise[0]
    shops = Edge("shops", "EU", 4, 1e5, hall.weather, hall.grid, replace(hall.tariff, escalation_per_year=0.03), 1.5)
    server = replace(server_of(model, "HGX-H100-8-air"), price_usd=300e3, embodied_kg=1000.0)
    ledger = edge_ledger(model, shops, server, 4, 0.0, 0.0)
    assert ledger.carbon_kg_per_year["scope3"] == pytest.approx(4 * 1000.0 / 5.0)
    assert ledger.capital[0].amount_usd == 1.2e6
    assert ledger.escalation == {"electricity": 0.03, "demand charge": 0.03}


def test_the_load_grows_as_the_fastest_hall_expects(model):
    slow = replace(model.on_premise[0], growth_per_year=0.05)
    two = replace(model, on_premise=(slow, replace(slow, name="other", growth_per_year=0.2)))
    assert load_growth_per_year(two) == 0.2
    assert load_growth_per_year(replace(model, on_premise=())) == 0.0


def test_the_first_allowed_refrigerant_is_what_leaks(model):
    def leaks_kg(names: tuple[str, ...]) -> float:
        turned = replace(model, allow=replace(model.allow, refrigerants=names))
        ledger = hall_ledger(turned, model.on_premise[0], (), 0.0, (), 0.0, Bill(0.0, 0.0), 0.0, 1e6)
        return ledger.carbon_kg_per_year["scope1"]

    assert leaks_kg(()) == pytest.approx(9180.0)  # 300 kg of R134a, 2 % a year, 1530
    assert leaks_kg(("R1234ze", "R134a")) == pytest.approx(6.0 * 1.37)


def test_money_of_ways_to_buy(model):
    site = replace(model.clouds[0], reserved_share=0.5)
    offer = replace(site.offers[0], price_usd_per_s=0.02, spot_usd_per_s=0.007)
    found = [cloud_price(site, offer, way) for way in ("on_demand", "reserved", "spot")]
    assert found == pytest.approx([0.02, 0.01, 0.007])
    assert cloud_price(site, replace(offer, spot_usd_per_s=None), "spot") is None


def test_spot_runs_are_held_for_as_long_as_they_then_take(model):
    site = replace(model.clouds[0], preemptions_per_s=1.0 / 720_000.0)
    site = replace(site, offers=tuple(replace(each, spot_usd_per_s=0.01) for each in site.offers))
    p = cloud_placement(model, site, runs(), "spot")
    longer = 1.0 + 0.0516398 + 0.01  # eight machines, one loss in 90,000 s: sqrt(240 / 90000) + 900 / 90000
    assert p.option.duration_s == pytest.approx(6.5 * 3600.0 * longer, rel=1e-6)
    running_w = BUSY.total_w * overhead(model) + wiring(runs(), server_of(model, "HGX-H100-8-air")).power_w
    assert p.it_j == pytest.approx(running_w * SHARE * longer * YEAR_S, rel=1e-6)
    assert p.ledger.yearly_usd["cloud rental"] == pytest.approx(8 * 0.01 * SHARE * longer * YEAR_S, rel=1e-6)


def test_processors_are_rented_core_for_core(model):
    name = "CPU-2-EPYC-9654"
    server = replace(server_of(model, "HGX-H100-8-air"), name=name, device_kind="cpu", cores=192)
    turned = replace(model, servers=(server,))
    site = model.clouds[0]
    offer = next(each for each in site.offers if device(each.device).kind == "cpu")
    site = replace(site, offers=(replace(offer, cores=128),))
    p = cloud_placement(turned, site, replace(runs(), server=name, servers=5))
    assert p.servers == 8  # 5 x 192 / 128 = 7.5


def test_electricity_of_a_hall_rises_with_its_tariff(model):
    hall = model.on_premise[0]
    rising = replace(hall, tariff=replace(hall.tariff, escalation_per_year=0.03))
    ledger = hall_ledger(model, rising, (), 1e6, (), 0.0, Bill(5.0, 7.0), 0.0, 0.0)
    assert ledger.escalation == {"electricity": 0.03, "demand charge": 0.03}
