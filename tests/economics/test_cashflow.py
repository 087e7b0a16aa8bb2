import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.economics.capital import CapitalItem
from twinloop.economics.cashflow import cashflow, payback_years, tco_usd
from twinloop.economics.periods import YEAR_S, years
from twinloop.model.codec import from_data, to_data
from twinloop.model.model import Finance
from twinloop.model.plan import CashYear

FINANCE = Finance("USD", 0.08, 5 * YEAR_S, 0.0, 0.0)


def at(rate: float) -> Finance:
    return replace(FINANCE, discount_per_year=rate)


def item(amount=1000.0, life=5.0, upkeep=0.0, name="plant") -> CapitalItem:
    return CapitalItem(name, amount, life * YEAR_S, upkeep)


def flows(*capital, yearly=None, escalation=None, rate=0.08, horizon=5.0):
    return cashflow(tuple(capital), yearly or {}, escalation or {}, at(rate), horizon * YEAR_S)


# Present value


@pytest.mark.parametrize("rate", [0.01, 0.08, 0.25, -0.02])
@pytest.mark.parametrize("count", [1, 5, 20])
def test_even_years_are_an_annuity(rate, count):
    closed = 100.0 * (1.0 - (1.0 + rate) ** -count) / rate
    assert tco_usd(flows(yearly={"energy": 100.0}, rate=rate, horizon=count)) == pytest.approx(closed, rel=1e-12)


@pytest.mark.parametrize(("rate", "growth"), [(0.08, 0.02), (0.03, 0.05), (0.08, -0.01)])
def test_rising_years_are_a_growing_annuity(rate, growth):
    closed = 100.0 / (rate - growth) * (1.0 - ((1.0 + growth) / (1.0 + rate)) ** 10)
    cash = flows(yearly={"energy": 100.0}, escalation={"energy": growth}, rate=rate, horizon=10)
    assert tco_usd(cash) == pytest.approx(closed, rel=1e-12)


def test_without_discounting_it_is_a_sum():
    cash = flows(item(upkeep=0.04), yearly={"energy": 100.0, "staff": 50.0}, rate=0.0)
    assert tco_usd(cash) == pytest.approx(1000.0 + 5 * (40.0 + 100.0 + 50.0))


def test_worked_by_hand():
    # Chillers 1000 USD, 20 years, 4 % upkeep; energy 100 USD rising 2 %; 2 years at 8 %.
    cash = flows(item(life=20.0, upkeep=0.04), yearly={"energy": 100.0}, escalation={"energy": 0.02}, horizon=2)
    assert [year.year for year in cash] == [0, 1, 2]
    assert cash[0].amounts_usd == {"plant": 1000.0}
    assert cash[1].amounts_usd == {"maintenance": 40.0, "energy": 100.0}
    assert cash[2].amounts_usd == pytest.approx({"maintenance": 40.0, "energy": 102.0, "residual": -900.0})
    assert [year.discounted_usd for year in cash] == pytest.approx([1000.0, 129.6296296, -649.8628258])


def test_only_the_named_price_rises():
    cash = flows(item(upkeep=0.1), yearly={"energy": 10.0, "water": 1.0}, escalation={"water": 1.0, "maintenance": 0.5})
    assert cash[3].amounts_usd == {"maintenance": 225.0, "energy": 10.0, "water": 4.0}


def test_yearly_amounts_under_one_name_add_up():
    cash = flows(item(upkeep=0.1), item(upkeep=0.1), yearly={"maintenance": 30.0})
    assert cash[0].amounts_usd == {"plant": 2000.0}
    assert cash[1].amounts_usd == {"maintenance": 230.0}


# Replacement and what is left


def renewals(cash) -> dict[int, float]:
    return {year.year: year.amounts_usd["plant"] for year in cash if "plant" in year.amounts_usd}


def test_a_life_that_ends_with_the_horizon_is_not_renewed():
    cash = flows(item(life=5.0), horizon=5.0)
    assert renewals(cash) == {0: 1000.0}
    assert "residual" not in cash[-1].amounts_usd


@pytest.mark.parametrize("days", [365.0, 365.25])
def test_that_holds_in_either_calendar(days):
    span = days * 86400.0
    cash = cashflow((CapitalItem("plant", 1000.0, 5 * span, 0.0),), {}, {}, FINANCE, 10 * span)
    assert renewals(cash) == {0: 1000.0, 5: 1000.0}
    assert len(cash) == 11
    assert "residual" not in cash[-1].amounts_usd


def test_renewed_at_the_end_of_its_life_and_the_rest_credited():
    cash = flows(item(life=5.0), horizon=8.0)
    assert renewals(cash) == {0: 1000.0, 5: 1000.0}
    assert cash[-1].amounts_usd == pytest.approx({"residual": -400.0})  # 3 of 5 years used


def test_many_renewals():
    cash = flows(item(life=3.0), horizon=10.0)
    assert renewals(cash) == {0: 1000.0, 3: 1000.0, 6: 1000.0, 9: 1000.0}
    assert cash[-1].amounts_usd["residual"] == pytest.approx(-1000.0 * 2.0 / 3.0)


def test_a_life_ending_inside_a_year_is_paid_at_its_end():
    cash = flows(item(life=2.5), horizon=6.0)
    assert renewals(cash) == {0: 1000.0, 3: 1000.0, 5: 1000.0}
    assert cash[-1].amounts_usd == pytest.approx({"residual": -600.0})  # 1 of 2.5 years used


def test_renewals_follow_the_price_of_their_asset():
    cash = flows(item(life=5.0), escalation={"plant": 0.10}, horizon=7.0, rate=0.0)
    assert renewals(cash)[5] == pytest.approx(1000.0 * 1.1**5)
    assert cash[-1].amounts_usd["residual"] == pytest.approx(-1000.0 * 1.1**5 * 0.6)


def test_land_does_not_wear_out():
    cash = flows(CapitalItem("land", 500.0, math.inf, 0.0), horizon=30.0)
    assert cash[0].amounts_usd == {"land": 500.0}
    assert cash[-1].amounts_usd == {"residual": -500.0}
    assert tco_usd(cash) == pytest.approx(500.0 - 500.0 * 1.08**-30)


def test_a_horizon_that_ends_inside_a_year():
    cash = flows(item(life=5.0, upkeep=0.04), yearly={"energy": 100.0}, horizon=2.5)
    assert [year.amounts_usd.get("energy") for year in cash] == [None, 100.0, 100.0, 50.0]
    assert cash[-1].amounts_usd["residual"] == pytest.approx(-500.0)
    assert [year.amounts_usd.get("maintenance") for year in cash] == [None, 40.0, 40.0, 20.0]
    assert cash[-1].discounted_usd == pytest.approx((50.0 + 20.0 - 500.0) * 1.08**-2.5)


def test_nothing_costs_nothing():
    assert tco_usd(flows()) == 0.0


@pytest.mark.parametrize("horizon", [0.0, -1.0, math.inf, math.nan])
def test_horizons_without_a_cash_flow(horizon):
    with pytest.raises(ValueError, match="horizon"):
        flows(item(), horizon=horizon)


@pytest.mark.parametrize("rate", [-1.0, -2.0, math.nan, math.inf])
def test_rates_without_a_present_value(rate):
    with pytest.raises(ValueError, match="discount"):
        flows(item(), rate=rate)
    with pytest.raises(ValueError, match="energy"):
        flows(item(), yearly={"energy": 1.0}, escalation={"energy": rate})


def test_round_trip_through_json():
    cash = flows(item(life=3.0, upkeep=0.04), yearly={"energy": 100.0})
    assert tuple(from_data(CashYear, to_data(year)) for year in cash) == cash


# Properties

MONEY = st.floats(0.0, 1e8)
RATES = st.floats(-0.05, 0.3)
LIVES = st.floats(0.3, 40.0)


@settings(max_examples=60)
@given(MONEY, MONEY, MONEY, RATES, RATES, LIVES, st.floats(0.1, 30.0))
def test_cheaper_energy_never_raises_the_cost(amount, cheap, more, rate, growth, life, horizon):
    def total(energy):
        plant = item(amount, life, 0.04)
        return tco_usd(
            flows(plant, yearly={"energy": energy}, escalation={"energy": growth}, rate=rate, horizon=horizon)
        )

    assert total(cheap) <= total(cheap + more) * (1 + 1e-12) + 1e-6


@settings(max_examples=60)
@given(MONEY, MONEY, st.floats(0.0, 10.0), RATES, LIVES, st.floats(0.1, 30.0))
def test_everything_times_k_costs_k_times(amount, energy, k, rate, life, horizon):
    def total(scale):
        plant = item(scale * amount, life, 0.04)
        return tco_usd(flows(plant, yearly={"energy": scale * energy}, rate=rate, horizon=horizon))

    assert total(k) == pytest.approx(k * total(1.0), rel=1e-9, abs=1e-3)


@settings(max_examples=60)
@given(MONEY, MONEY, LIVES, LIVES, st.floats(0.1, 30.0))
def test_plans_side_by_side_cost_the_sum(first, second, life_a, life_b, horizon):
    a, b = item(first, life_a, 0.02, "a"), item(second, life_b, 0.05, "b")
    apart = tco_usd(flows(a, horizon=horizon)) + tco_usd(flows(b, horizon=horizon))
    assert tco_usd(flows(a, b, horizon=horizon)) == pytest.approx(apart, rel=1e-9, abs=1e-3)


@settings(max_examples=60)
@given(st.floats(1.0, 1e8), LIVES, st.floats(0.1, 30.0))
def test_undiscounted_an_asset_costs_the_life_it_gives(amount, life, horizon):
    # Straight line: purchases less residual = amount x horizon / life, whatever the renewals.
    plant = item(amount, life)
    cash = flows(plant, rate=0.0, horizon=horizon)
    used = years(horizon * YEAR_S) / plant.life_years
    assert tco_usd(cash) == pytest.approx(amount * used, rel=1e-6)


# Payback


def spend(*amounts):
    return tuple(CashYear(year, {"all": amount}, amount) for year, amount in enumerate(amounts))


def test_payback_by_hand():
    # 300 more to buy, 100 a year saved.
    assert payback_years(spend(1300.0, 50.0, 50.0, 50.0, 50.0), spend(1000.0, *[150.0] * 4)) == pytest.approx(3.0)
    assert payback_years(spend(1250.0, 50.0, 50.0, 50.0, 50.0), spend(1000.0, *[150.0] * 4)) == pytest.approx(2.5)


def test_payback_of_what_costs_no_more_is_at_once():
    assert payback_years(spend(1.0, 1.0), spend(1.0, 1.0)) == 0.0
    assert payback_years(spend(1.0, 1.0), spend(2.0, 1.0)) == 0.0


def test_no_payback_within_the_horizon():
    assert payback_years(spend(300.0, 0.0, 0.0), spend(0.0, 100.0, 100.0)) is None
    assert payback_years(spend(1.0, 1.0), spend(0.0, 0.0)) is None


def test_payback_undone_by_a_replacement_counts_the_last_time():
    cheap = spend(0.0, 100.0, 100.0, 100.0, 100.0)
    assert payback_years(spend(100.0, 0.0, 150.0, 0.0, 0.0), cheap) == pytest.approx(2.5)


def test_payback_leaves_the_residual_out():
    dear = (CashYear(0, {"plant": 300.0}, 0.0), CashYear(1, {"energy": 0.0, "residual": -290.0}, 0.0))
    assert payback_years(dear, spend(0.0, 100.0)) is None


def test_payback_needs_one_horizon():
    with pytest.raises(ValueError, match="horizon"):
        payback_years(spend(1.0), spend(1.0, 2.0))
