"""Rented machines and data leaving the cloud."""

from __future__ import annotations

import math

from twinloop.economics.periods import YEAR_S


def held_share(duration_s: float | None, busy_fraction: float, purchase: str) -> float:
    """Return the share of the year for which rented machines are held: what is paid for, idles, and was made for us.

    On-demand and spot machines of recurrent runs (``duration_s`` is given) are released between them, so it is their
    running time, without a minimum booking; reserved machines, and those of stages that never end, are held all year.

    >>> held_share(6 * 3600.0, 0.003, "on_demand"), held_share(6 * 3600.0, 0.003, "reserved")
    (0.003, 1.0)
    >>> held_share(None, 0.4, "on_demand")
    1.0
    """
    return busy_fraction if duration_s is not None and purchase != "reserved" else 1.0


def rental_usd_per_year(price_usd_per_s: float, count: int, held: float) -> float:
    """Return the year's rent of ``count`` machines, held for that share of the time.

    ``count price 8760 h held``, with the price of the way of buying. Spot machines can be taken away at any time;
    the work lost then is not in here.

    Raises:
        ValueError: a negative count, or a share outside 0..1.

    >>> round(rental_usd_per_year(36.0 / 3600.0, 2, 0.25))
    157680
    """
    if count < 0 or not 0.0 <= held <= 1.0:
        raise ValueError(f"{count} machines held {held} of the time cannot be rented")
    return count * price_usd_per_s * YEAR_S * held


CHECKPOINT_S = 120.0
"""Writing one checkpoint to object storage. Low confidence."""
RESTART_S = 300.0
"""Starting machines and reading the checkpoint back. Low confidence."""
RETURN_S = 600.0
"""Until another spot machine is to be had; all others wait and are paid for. From memory, 60-7200: low confidence."""


def preemption_overhead(machines: int, preemptions_per_s: float) -> float:
    """Return the extra time of a job on machines that may be taken away, as a share of its own.

    Checkpoints at Young's interval ``sqrt(2 d M)`` cost ``sqrt(2 d / M)`` of the time, writing and repeating, and
    each loss the wait for another machine and a restart, ``(W + R) / M``; ``M = 1 / (machines rate)``. Source: J. W.
    Young 1974, doi:10.1145/361147.361115. Meant for overheads well below 1.

    >>> round(preemption_overhead(1, 0.05 / 3600.0), 3)   # one loss in 20 h
    0.07
    """
    per_s = machines * preemptions_per_s
    return math.sqrt(2.0 * CHECKPOINT_S * per_s) + (RESTART_S + RETURN_S) * per_s


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
