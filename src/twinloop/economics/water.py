"""Water: what the site draws is the twin's; what power stations draw, and the price, are here."""

from __future__ import annotations

from twinloop.catalogue.nouns import Grid


def source_water_m3(energy_j: float, grid: Grid) -> float:
    """Return the water that generating ``energy_j`` took, off site.

    Often larger than the site's own: 1 MWh of the US grid's mix takes 3.13 m3.

    >>> grid = Grid("US", 0.0, "life-cycle", 3.13e-3 / 3.6e6, "medium")
    >>> round(source_water_m3(3.6e9, grid), 6)
    3.13
    """
    return energy_j * grid.source_water_m3_per_j


def water_cost_usd(water_m3: float, price_usd_per_m3: float) -> float:
    """Return the price of site water, sewer charge included where the price includes it.

    >>> water_cost_usd(4000.0, 2.5)
    10000.0
    """
    return water_m3 * price_usd_per_m3
