"""Rented machines and data leaving the cloud."""

from __future__ import annotations

from twinloop.catalogue.nouns import CloudOffer
from twinloop.economics.periods import YEAR_S
from twinloop.errors import InputError


def rental_usd_per_year(
    offer: CloudOffer,
    count: int,
    busy_fraction: float,
    use_spot: bool = False,  # noqa: FBT001 - a contract with the planner, which names it
) -> float:
    """Return the year's rent of ``count`` machines, held for ``busy_fraction`` of the time.

    ``count * price * 8760 h * busy_fraction``. Spot machines can be taken away at any time; the
    work lost then is not in here.

    Raises:
        InputError: ``use_spot`` and the offer has no spot price.
        ValueError: a negative count, or a fraction outside 0..1.
    """
    if count < 0 or not 0.0 <= busy_fraction <= 1.0:
        raise ValueError(f"{count} machines busy {busy_fraction} of the time cannot be rented")
    price = offer.spot_usd_per_s if use_spot else offer.price_usd_per_s
    if price is None:
        raise InputError(f"{offer.provider} {offer.instance} in {offer.region} has no spot price")
    return count * price * YEAR_S * busy_fraction


def egress_usd_per_month(bytes_per_month: float, tiers: tuple[tuple[float, ...], ...]) -> float:
    """Return one month's price of data leaving the cloud, each tier's bytes at that tier's price.

    Args:
        bytes_per_month: bytes leaving in the month.
        tiers: rising (monthly bytes up to which, USD per byte); bytes above the last bound cost the
            last tier's price.

    Raises:
        ValueError: negative bytes, or bounds that do not rise.

    >>> tiers = ((100e9, 0.0), (10e12, 0.09e-9), (1e30, 0.085e-9))
    >>> round(egress_usd_per_month(12e12, tiers), 2)   # 9900 GB x 0.09 + 2000 GB x 0.085
    1061.0
    """
    if bytes_per_month < 0.0:
        raise ValueError(f"{bytes_per_month} bytes cannot leave")
    cost_usd, below = 0.0, 0.0
    for position, (bound, price) in enumerate(tiers):
        if bound <= below:
            raise ValueError(f"tier bounds must rise: {bound} after {below}")
        top = bytes_per_month if position == len(tiers) - 1 else min(bytes_per_month, bound)
        cost_usd += max(0.0, top - below) * price
        below = bound
    return cost_usd
