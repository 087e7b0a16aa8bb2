"""Years and seconds, as accountants count them."""

from __future__ import annotations

import math

HOUR_S = 3600.0
HOURS_PER_YEAR = 8760
"""Hours of the simulated year."""
YEAR_S = HOURS_PER_YEAR * HOUR_S
"""One year of money: the simulated year of 365 days."""
SNAP_YEARS = 0.01
"""A span this near a whole number of years, of 365 or of 365.25 days, is that number: nobody means a
sixth year of one day. 0.01 year is 3.65 days."""


def years(seconds: float) -> float:
    """Return ``seconds`` in years, snapped to a whole number when within ``SNAP_YEARS`` of it.

    Infinity stays infinity (land does not wear out).

    >>> years(5 * 365.25 * 86400.0), years(0.5 * YEAR_S)
    (5.0, 0.5)
    """
    if math.isinf(seconds):
        return seconds
    for days in (365.0, 365.25):
        count = seconds / (days * 24.0 * HOUR_S)
        whole = round(count)
        if whole >= 1 and abs(count - whole) < SNAP_YEARS:
            return float(whole)
    return seconds / YEAR_S
