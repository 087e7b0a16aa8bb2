"""Cost per unit of work: the present cost as an even yearly sum, over the year's work.

``None`` where there is no work: a cost per nothing is unknown, not zero.
"""

from __future__ import annotations

import math

from twinloop.economics.periods import years


def annuity_factor(discount_per_year: float, count_years: float) -> float:
    """Return the even payment at each year's end that repays 1 over ``count_years``.

    ``r / (1 - (1 + r)^-n)``, and ``1 / n`` without discounting. Source: any text on engineering
    economics; the capital-recovery factor.

    Raises:
        ValueError: no years, or a rate of -100 % or below.

    >>> round(annuity_factor(0.08, 5.0), 6), annuity_factor(0.0, 5.0)
    (0.250456, 0.2)
    """
    if not count_years > 0.0 or not discount_per_year > -1.0:
        raise ValueError(f"no annuity at {discount_per_year} a year over {count_years} years")
    if abs(discount_per_year) < 1e-9:  # the quotient would lose its digits
        return 1.0 / count_years
    return discount_per_year / (1.0 - math.pow(1.0 + discount_per_year, -count_years))


def annualised_usd(present_usd: float, discount_per_year: float, horizon_s: float) -> float:
    """Return the even yearly sum over the horizon that has the present cost ``present_usd``.

    >>> from twinloop.economics.periods import YEAR_S
    >>> round(annualised_usd(1e6, 0.08, 5 * YEAR_S))
    250456
    """
    return present_usd * annuity_factor(discount_per_year, years(horizon_s))


def usd_per_million_tokens(usd_per_year: float, tokens_per_year: float) -> float | None:
    """Return the cost of a million tokens.

    >>> usd_per_million_tokens(250000.0, 1e12)
    0.25
    """
    return _per(usd_per_year, tokens_per_year / 1e6)


def usd_per_training_run(usd_per_year: float, runs_per_year: float) -> float | None:
    """Return the cost of one training run.

    >>> usd_per_training_run(36500.0, 365.0)
    100.0
    """
    return _per(usd_per_year, runs_per_year)


def usd_per_thousand_scores(usd_per_year: float, scores_per_year: float) -> float | None:
    """Return the cost of a thousand scored samples.

    >>> usd_per_thousand_scores(50000.0, 1e9)
    0.05
    """
    return _per(usd_per_year, scores_per_year / 1e3)


def _per(usd_per_year: float, units_per_year: float) -> float | None:
    return usd_per_year / units_per_year if units_per_year > 0.0 else None
