import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.catalogue.nouns import CloudOffer
from twinloop.economics.cloud import egress_usd_per_month, rental_usd_per_year
from twinloop.errors import InputError

OFFER = CloudOffer(
    "aws",
    "p5.48xlarge",
    "eu-central-1",
    "H100-SXM-80GB",
    8,
    192,
    2e12,
    36.0 / 3600,
    18.0 / 3600,
    "t",
    2025,
    "low",
)
GB = 1e9
TIERS = ((100 * GB, 0.0), (10_240 * GB, 0.09 / GB), (51_200 * GB, 0.085 / GB), (1e30, 0.05 / GB))


def test_rent_by_hand():
    # 2 machines x 36 USD/h x 8760 h
    assert rental_usd_per_year(OFFER, 2, 1.0) == pytest.approx(630_720.0)
    assert rental_usd_per_year(OFFER, 2, 0.25) == pytest.approx(157_680.0)
    assert rental_usd_per_year(OFFER, 2, 1.0, use_spot=True) == pytest.approx(315_360.0)
    assert rental_usd_per_year(OFFER, 0, 1.0) == rental_usd_per_year(OFFER, 2, 0.0) == 0.0


def test_spot_without_a_price_is_refused_by_name():
    no_spot = CloudOffer("gcp", "a3", "fra", "H100", 8, 1, 1.0, 0.01, None, "t", 2025, "low")
    with pytest.raises(InputError, match="gcp a3 in fra has no spot price"):
        rental_usd_per_year(no_spot, 1, 1.0, use_spot=True)


@pytest.mark.parametrize(("count", "busy"), [(-1, 0.5), (1, -0.1), (1, 1.1), (1, math.nan)])
def test_impossible_rents(count, busy):
    with pytest.raises(ValueError, match="cannot be rented"):
        rental_usd_per_year(OFFER, count, busy)


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
