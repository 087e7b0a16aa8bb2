import math

import pytest

from twinloop.economics.capital import CapitalItem, capex_usd, hardware_item, residual_usd
from twinloop.economics.cashflow import cashflow
from twinloop.economics.periods import YEAR_S, years
from twinloop.model.model import Finance

DAY_S = 86400.0


@pytest.mark.parametrize("days", [365.0, 365.25])
@pytest.mark.parametrize("count", [1, 5, 15, 20, 25, 30])
def test_whole_years_of_either_calendar_count_alike(days, count):
    assert years(count * days * DAY_S) == float(count)


def test_parts_of_a_year_stay_parts():
    assert years(0.25 * YEAR_S) == 0.25
    assert years(1.0 * DAY_S) == pytest.approx(1.0 / 365.0)
    assert years(5.5 * YEAR_S) == 5.5
    assert years(math.inf) == math.inf


def test_year_is_that_of_the_twin():
    assert YEAR_S == 8760.0 * 3600.0 == 31_536_000.0


@pytest.mark.parametrize(
    ("amount", "life", "upkeep"),
    [
        (-1.0, YEAR_S, 0.0),
        (math.nan, YEAR_S, 0.0),
        (math.inf, YEAR_S, 0.0),
        (1.0, 0.0, 0.0),
        (1.0, math.nan, 0.0),
        (1.0, YEAR_S, -0.1),
        (1.0, YEAR_S, math.nan),
    ],
)
def test_impossible_assets_are_refused_by_name(amount, life, upkeep):
    with pytest.raises(ValueError, match="chillers"):
        CapitalItem("chillers", amount, life, upkeep)


def test_hardware_follows_the_finance():
    finance = Finance("USD", 0.08, 4 * YEAR_S, 0.0, 0.05)
    assert hardware_item("servers", 2e6, finance) == CapitalItem("servers", 2e6, 4 * YEAR_S, 0.05)


def test_capex_is_the_sum():
    assert capex_usd(()) == 0.0
    assert capex_usd((CapitalItem("a", 1.5e6, YEAR_S, 0.0), CapitalItem("b", 5e5, YEAR_S, 0.1))) == 2e6


def test_residual_is_straight_and_never_negative():
    assert residual_usd(900.0, 0.0, 3.0) == 900.0
    assert residual_usd(900.0, 1.0, 3.0) == pytest.approx(600.0)
    assert residual_usd(900.0, 3.0, 3.0) == 0.0
    assert residual_usd(900.0, 4.0, 3.0) == 0.0
    assert residual_usd(900.0, 30.0, math.inf) == 900.0


def test_what_is_bought_later_is_no_purchase_of_year_0_and_is_kept_up_from_the_year_after():
    finance = Finance("USD", 0.0, 5 * YEAR_S, 0.0, 0.0)
    later = CapitalItem("servers", 1000.0, 5 * YEAR_S, 0.1, bought_year=2)
    assert capex_usd((later, CapitalItem("servers", 300.0, 5 * YEAR_S, 0.1))) == 300.0
    cash = cashflow((later,), {}, {}, finance, 4 * YEAR_S)
    assert [year.amounts_usd.get("servers", 0.0) for year in cash] == [0.0, 0.0, 1000.0, 0.0, 0.0]
    assert [year.amounts_usd.get("maintenance", 0.0) for year in cash] == [0.0, 0.0, 0.0, 100.0, 100.0]
    assert cash[4].amounts_usd["residual"] == pytest.approx(-600.0)  # two of five years old
