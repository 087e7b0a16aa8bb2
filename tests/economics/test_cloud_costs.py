import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.economics.cloud import egress_usd_per_month, held_share, preemption_overhead, rental_usd_per_year

GB = 1e9
TIERS = ((100 * GB, 0.0), (10_240 * GB, 0.09 / GB), (51_200 * GB, 0.085 / GB), (1e30, 0.05 / GB))


def test_rent_by_hand():
    price = 36.0 / 3600.0  # 2 machines x 36 USD/h x 8760 h
    assert rental_usd_per_year(price, 2, 1.0) == pytest.approx(630_720.0)
    assert rental_usd_per_year(price, 2, 0.25) == pytest.approx(157_680.0)
    assert rental_usd_per_year(price / 2.0, 2, 1.0) == pytest.approx(315_360.0)
    assert rental_usd_per_year(price, 0, 1.0) == rental_usd_per_year(price, 2, 0.0) == 0.0


def test_only_machines_that_are_released_are_held_for_less_than_the_year():
    assert held_share(3600.0, 0.1, "on_demand") == held_share(3600.0, 0.1, "spot") == 0.1
    assert held_share(3600.0, 0.1, "reserved") == 1.0
    assert held_share(None, 0.1, "on_demand") == held_share(None, 0.1, "reserved") == 1.0


@pytest.mark.parametrize(("count", "busy"), [(-1, 0.5), (1, -0.1), (1, 1.1), (1, math.nan)])
def test_impossible_rents(count, busy):
    with pytest.raises(ValueError, match="cannot be rented"):
        rental_usd_per_year(0.01, count, busy)


@pytest.mark.parametrize(
    ("gigabytes", "usd"),
    [
        (0.0, 0.0),
        (100.0, 0.0),
        (101.0, 0.09),
        (10_240.0, 10_140 * 0.09),
        (10_241.0, 10_140 * 0.09 + 0.085),
        (51_200.0, 10_140 * 0.09 + 40_960 * 0.085),
        (60_000.0, 10_140 * 0.09 + 40_960 * 0.085 + 8_800 * 0.05),
    ],
)
def test_egress_at_the_tiers_edges(gigabytes, usd):
    assert egress_usd_per_month(gigabytes * GB, TIERS) == pytest.approx(usd)


def test_above_the_last_bound_the_last_price_holds():
    assert egress_usd_per_month(300.0, ((100.0, 1.0), (200.0, 2.0))) == pytest.approx(100.0 + 400.0)


def test_free_where_no_tier_is_given():
    assert egress_usd_per_month(1e15, ()) == 0.0


def test_impossible_egress():
    with pytest.raises(ValueError, match="cannot leave"):
        egress_usd_per_month(-1.0, TIERS)
    with pytest.raises(ValueError, match="rise"):
        egress_usd_per_month(1.0, ((100.0, 1.0), (100.0, 2.0)))


@settings(max_examples=50)
@given(st.floats(0.0, 1e15), st.floats(0.0, 1e15))
def test_more_bytes_never_cost_less_and_tiers_reward_bulk(some, more):
    together = egress_usd_per_month(some + more, TIERS[1:])
    assert together >= egress_usd_per_month(some, TIERS[1:]) * (1 - 1e-12)
    apart = egress_usd_per_month(some, TIERS[1:]) + egress_usd_per_month(more, TIERS[1:])
    assert together <= apart * (1 + 1e-9) + 1e-9


def test_checkpoints_and_restarts_by_hand():
    # 10 machines, each lost once in 100 h: one loss in 36,000 s; sqrt(2 x 120 / 36000) + (300 + 600) / 36000.
    assert preemption_overhead(10, 1.0 / 360_000.0) == pytest.approx(0.0816497 + 0.025, rel=1e-6)
    assert preemption_overhead(10, 0.0) == 0.0
