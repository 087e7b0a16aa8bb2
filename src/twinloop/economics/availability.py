"""What standing still costs."""

from __future__ import annotations

from twinloop.economics.periods import HOURS_PER_YEAR


def downtime_usd_per_year(availability: float, usd_per_hour: float) -> float:
    """Return the expected yearly cost of downtime: ``(1 - availability) 8760 h usd_per_hour``.

    Raises:
        ValueError: an availability outside 0..1.

    >>> round(downtime_usd_per_year(0.9999, 10000.0))   # 0.876 h a year
    8760
    """
    if not 0.0 <= availability <= 1.0:
        raise ValueError(f"an availability of {availability} is no share of time")
    return (1.0 - availability) * HOURS_PER_YEAR * usd_per_hour
