"""Doors and the hall's dew point: they have no drip tray."""

from __future__ import annotations

from twinloop.model.plan import PlannedSite
from twinloop.model.site import OnPremise
from twinloop.twin.design import HybridDesign

MARGIN_K = 2.0
"""Coldest surface above the hall's dew point: practice 2-3 K. From memory, low confidence."""
HALL_DEW_POINT_C = 15.0
"""Highest dew point of ASHRAE's recommended envelope, TC 9.9, 5th edition (2021)."""


def hall_dew_point_c(site: OnPremise) -> float:
    """Return the hall's highest dew point: it makes no moisture, so it exceeds outdoor air's only by humidifying."""
    return min(HALL_DEW_POINT_C, float(site.weather.dew_point_c.max()))


def sweats(design: HybridDesign, site: OnPremise) -> bool:
    """Whether doors of ``design`` get water less than :data:`MARGIN_K` above the hall's dew point."""
    return design.has_door and design.cold_supply_c < hall_dew_point_c(site) + MARGIN_K


def doors_supply_c(planned: PlannedSite) -> float | None:
    """Return the water temperature of the doors of ``planned``; ``None``: it has none, or it is not known."""
    cooling = planned.cooling
    if cooling is None or "rear_door" not in cooling.components.values():
        return None
    warm = bool({"cold_plate", "bath"} & set(cooling.components.values()))
    return cooling.setpoints.get("cold_supply_c", None if warm else cooling.supply_c)


def sweats_as_planned(planned: PlannedSite, site: OnPremise) -> bool:
    """Whether the doors of ``planned`` do."""
    supply_c = doors_supply_c(planned)
    return supply_c is not None and supply_c < hall_dew_point_c(site) + MARGIN_K - 1e-9
