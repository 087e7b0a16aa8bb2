"""At which electricity price the runner-up wins: by hand, in both directions."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from twinloop.model.site import Tariff
from twinloop.planner.explain import _turning_price
from twinloop.planner.money import Ledger


@pytest.fixture(scope="module")
def model(small):
    """Five undiscounted years at 100 USD/MWh."""
    found = small(horizon="5 years")
    hall = replace(found.on_premise[0], tariff=Tariff((0.1 / 3.6e6,) * 24, 0.0, 0.0, "test"))
    return replace(found, on_premise=(hall,), finance=replace(found.finance, discount_per_year=0.0))


def checked(mwh: float):
    totals = SimpleNamespace(facility_energy_mwh_per_year=mwh)
    sites = (SimpleNamespace(planned=SimpleNamespace(name="hall")),)
    return SimpleNamespace(totals=totals, sites=sites, ledger=Ledger((), {}, {}, {}))


def test_a_thriftier_rival_wins_when_electricity_gets_dearer(model):
    # It saves 1000 MWh a year and costs 250 kUSD more over 5 years: 50 USD/MWh more than now.
    said = _turning_price(model, checked(10_000.0), checked(9_000.0), 250e3)
    assert said == " The runner-up wins with electricity above roughly 0.150 USD/kWh (now 0.100), both as they stand."


def test_a_hungrier_rival_wins_when_electricity_gets_cheaper(model):
    # It takes 2000 MWh more and costs 250 kUSD more: 25 USD/MWh less than now.
    said = _turning_price(model, checked(10_000.0), checked(12_000.0), 250e3)
    assert said == " The runner-up wins with electricity below roughly 0.075 USD/kWh (now 0.100), both as they stand."


def test_a_rival_that_no_price_helps(model):
    assert "even with free electricity" in _turning_price(model, checked(10_000.0), checked(10_100.0), 1e6)
    assert "same energy" in _turning_price(model, checked(10_000.0), checked(10_001.0), 1e6)


def test_the_mean_of_a_tariff_by_the_hour_is_the_price_of_today(model):
    hours = tuple(np.r_[np.full(12, 0.05), np.full(12, 0.15)] / 3.6e6)
    hall = replace(model.on_premise[0], tariff=Tariff(hours, 0.0, 0.0, "test"))
    said = _turning_price(replace(model, on_premise=(hall,)), checked(10_000.0), checked(9_000.0), 250e3)
    assert "(now 0.100)" in said
