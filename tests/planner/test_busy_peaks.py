"""Runs that end within the hour: the busiest quarter is what breakers, meters and demand charges see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twinloop.economics.energy_cost import demand_charge_usd
from twinloop.planner.check import check, groups_at
from twinloop.planner.money import hourly_bill
from twinloop.planner.placements import Placement
from twinloop.planner.screen import screen
from twinloop.twin.design import PlantConstants
from twinloop.twin.peaks import busiest_quarters
from twinloop.workload.profile import stage_activity, stage_quarters

K = PlantConstants()
CHEAP = {"cooling": ", cooling: [air, air_cooled_chiller]", "devices": "[L40S]", "samples": "2e6"}


def lasting(p: Placement, seconds: float, every_s: float) -> Placement:
    """Return ``p`` with runs of ``seconds``."""
    return replace(p, option=replace(p.option, duration_s=seconds, busy_fraction=seconds / every_s))


@pytest.fixture(scope="module")
def hall(small):
    model = small(**CHEAP)
    screened = screen(model, K, lambda _: None)
    return model, screened, screened.placements[0]


@pytest.mark.parametrize("minutes", [7.0, 18.0, 59.0, 60.0, 61.0, 200.0])
def test_quarters_have_the_mean_of_their_hour_and_the_peak_of_the_run(hall, minutes):
    model, _, p = hall
    p = lasting(p, minutes * 60.0, model.stages[0].every_s)
    hourly, quarters = stage_activity(p.option, model.stages), stage_quarters(p.option, model.stages)
    assert quarters.shape == (8760, 4)
    assert np.allclose(quarters.mean(axis=1), hourly, atol=1e-12)
    assert quarters.max() == pytest.approx(min(1.0, minutes / 15.0), rel=0.02)
    assert hourly.max() == pytest.approx(min(1.0, minutes / 60.0), rel=0.02)


def test_a_service_is_even_within_the_hour(hall):
    model, _, p = hall
    assert stage_quarters(replace(p.option, duration_s=None), model.stages) is None


def test_a_short_run_has_the_power_and_the_demand_charge_of_a_long_one(hall):
    """18 minutes a week peak like 3 hours a week; the mean of the hour would be a third of it."""
    model, screened, p = hall
    short, long = (lasting(p, minutes * 60.0, model.stages[0].every_s) for minutes in (18.0, 180.0))
    found = [check(model, (each,), screened.designs, K).sites[0] for each in (short, long)]
    (brief, steady) = (site.planned.totals.peak_power_w for site in found)
    assert brief == pytest.approx(steady, rel=0.02)
    year = found[0].year
    assert year.hourly["facility_w"].max() < 0.6 * brief
    assert brief == year.hourly["peak_w"].max() == max(year.billing_peak_w)
    tariff = replace(model.on_premise[0].tariff, demand_usd_per_w_month=0.01)
    bill = hourly_bill(year.hourly["facility_w"], tariff, year.hourly["peak_w"])
    assert bill.demand_usd == pytest.approx(0.01 * sum(year.billing_peak_w))
    assert bill.demand_usd > 1.5 * demand_charge_usd(year.hourly["facility_w"], tariff)
    assert bill.energy_usd == hourly_bill(year.hourly["facility_w"], tariff).energy_usd


def test_stages_peak_together_only_where_they_share_a_quarter(hall):
    model, _, p = hall
    group, _ = groups_at(model, (p,))
    first, second = np.zeros((2, 4)), np.zeros((2, 4))
    first[0, 0] = second[0, 1] = 1.0  # one after the other within the first hour
    first[1, 2] = second[1, 2] = 1.0  # together in the second
    pair = tuple(replace(group, activity=each.mean(axis=1), quarters=each) for each in (first, second))
    busiest = busiest_quarters(pair, 2)
    assert [float(each[0]) for each in busiest] in ([1.0, 0.0], [0.0, 1.0])
    assert [float(each[1]) for each in busiest] == [1.0, 1.0]
