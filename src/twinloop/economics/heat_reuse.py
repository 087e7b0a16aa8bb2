"""Heat sold, and the two ratios that count it."""

from __future__ import annotations

from twinloop.model.site import HeatOfftake


def heat_sales_usd(reused_j: float, offtake: HeatOfftake) -> float:
    """Return what the buyer pays for ``reused_j``, delivered at the agreed temperature.

    >>> round(heat_sales_usd(3.6e12, HeatOfftake(65.0, 5e5, 30.0 / 3.6e9)))   # 1000 MWh at 30 USD
    30000
    """
    return reused_j * offtake.price_usd_per_j


def energy_reuse_factor(reused_j: float, facility_j: float) -> float:
    """Return ERF, reused over facility energy, 0..1 (ISO/IEC 30134-6).

    >>> energy_reuse_factor(20.0, 80.0)
    0.25
    """
    return reused_j / facility_j


def energy_reuse_effectiveness(pue: float, erf: float) -> float:
    """Return ERE, (facility - reused) over IT energy: ``(1 - ERF) PUE``.

    >>> energy_reuse_effectiveness(1.2, 0.25)
    0.8999999999999999
    """
    return (1.0 - erf) * pue
