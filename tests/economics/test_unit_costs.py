import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.economics.availability import downtime_usd_per_year
from twinloop.economics.cashflow import cashflow, tco_usd
from twinloop.economics.heat_reuse import energy_reuse_effectiveness, energy_reuse_factor, heat_sales_usd
from twinloop.economics.periods import YEAR_S
from twinloop.economics.unit_costs import (
    annualised_usd,
    annuity_factor,
    usd_per_million_tokens,
    usd_per_thousand_scores,
    usd_per_training_run,
)
from twinloop.model.model import Finance
from twinloop.model.site import HeatOfftake


@pytest.mark.parametrize(
    ("rate", "count", "factor"),
    [(0.05, 10, 0.129505), (0.08, 5, 0.250456), (0.08, 20, 0.101852), (0.12, 15, 0.146824)],
)
def test_capital_recovery_against_published_tables(rate, count, factor):
    assert annuity_factor(rate, count) == pytest.approx(factor, abs=5e-7)


def test_without_discounting_it_is_the_mean():
    assert annuity_factor(0.0, 8.0) == 0.125
    assert annuity_factor(1e-8, 8.0) == pytest.approx(0.125, rel=1e-6)


@pytest.mark.parametrize(("rate", "count"), [(0.08, 0.0), (0.08, -1.0), (-1.0, 5.0), (math.nan, 5.0), (0.08, math.nan)])
def test_no_annuity(rate, count):
    with pytest.raises(ValueError, match="annuity"):
        annuity_factor(rate, count)


@settings(max_examples=50)
@given(st.floats(-0.05, 0.5), st.integers(1, 30), st.floats(1.0, 1e9))
def test_annualised_inverts_the_cash_flow(rate, count, yearly):
    finance = Finance("USD", rate, YEAR_S, 0.0, 0.0)
    cash = cashflow((), {"all": yearly}, {}, finance, count * YEAR_S)
    assert annualised_usd(tco_usd(cash), rate, count * YEAR_S) == pytest.approx(yearly, rel=1e-6)


def test_unit_costs_by_hand():
    assert usd_per_million_tokens(1e6, 4e12) == pytest.approx(0.25)
    assert usd_per_training_run(73_000.0, 365.0) == pytest.approx(200.0)
    assert usd_per_thousand_scores(378_432.0, 12_000.0 * YEAR_S) == pytest.approx(0.001)


def test_cost_per_nothing_is_unknown():
    for unit_cost in (usd_per_million_tokens, usd_per_training_run, usd_per_thousand_scores):
        assert unit_cost(100.0, 0.0) is None


def test_downtime():
    assert downtime_usd_per_year(1.0, 1e6) == 0.0
    assert downtime_usd_per_year(0.999, 1000.0) == pytest.approx(8760.0)
    for share in (1.0001, -0.1, math.nan):
        with pytest.raises(ValueError, match="availability"):
            downtime_usd_per_year(share, 1.0)


def test_heat_sales():
    assert heat_sales_usd(100 * 3.6e9, HeatOfftake(65.0, 5e5, 30.0 / 3.6e9)) == pytest.approx(3000.0)


@settings(max_examples=50)
@given(it=st.floats(1.0, 1e12), overhead=st.floats(0.0, 2.0), share=st.floats(0.0, 1.0))
def test_reuse_effectiveness_is_facility_less_reused_over_it(it, overhead, share):
    facility = it * (1.0 + overhead)
    reused = share * facility
    erf, pue = energy_reuse_factor(reused, facility), facility / it
    assert energy_reuse_effectiveness(pue, erf) == pytest.approx((facility - reused) / it, abs=1e-9)
