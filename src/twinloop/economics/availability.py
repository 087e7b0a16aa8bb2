"""What standing still costs."""

from __future__ import annotations

import math

from twinloop.economics.periods import HOURS_PER_YEAR

SITE_AVAILABILITY = {"N": 0.99671, "N+1": 0.99982, "2N": 0.99995}
"""Share of the year that power and cooling are there: the figures long quoted for Uptime tiers I, III and IV.
From memory, low confidence."""
INTERRUPTS_PER_DEVICE_YEAR = 0.106
"""Accelerator and memory failures that stop a job: 256 of 419 interruptions, 16384 devices, 54 days,
Llama 3 (2024), arXiv:2407.21783. Assumed at ``REFERENCE_C``."""
REFERENCE_C = 65.0
"""Junction at which that rate is taken to hold: air-cooled parts under load. Low confidence."""
LINEAR_PER_K = 0.02
"""Field studies find growth near linear below about 50 C of intake, El-Sayed et al. 2012,
doi:10.1145/2254756.2254778; the slope per kelvin of junction is from memory, low confidence."""
ACTIVATION_EV = 0.7
"""Common activation energy of silicon wear-out: twice as many failures from 60 to 70 C. Low confidence here."""
BOLTZMANN_EV_K = 8.617333262e-5


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


def failures_per_year(devices: int, junction_c: float, law: str) -> float:
    """Return device failures a year at a mean busy junction of ``junction_c``, by the ``linear`` or ``arrhenius`` law.

    ``n rate (1 + 0.02 (T - 65))``, never below zero, or ``n rate exp(Ea/k (1/T0 - 1/T))`` in kelvin.

    Raises:
        ValueError: another law.

    >>> round(failures_per_year(1000, 65.0, "linear"), 1), round(failures_per_year(1000, 75.0, "linear"), 1)
    (106.0, 127.2)
    >>> round(failures_per_year(1, 70.0, "arrhenius") / failures_per_year(1, 60.0, "arrhenius"), 2)
    2.04
    """
    if law == "linear":
        factor = max(1.0 + LINEAR_PER_K * (junction_c - REFERENCE_C), 0.0)
    elif law == "arrhenius":
        factor = math.exp(ACTIVATION_EV / BOLTZMANN_EV_K * (1.0 / (REFERENCE_C + 273.15) - 1.0 / (junction_c + 273.15)))
    else:
        raise ValueError(f"no failure law {law!r}: linear or arrhenius")
    return devices * INTERRUPTS_PER_DEVICE_YEAR * factor
