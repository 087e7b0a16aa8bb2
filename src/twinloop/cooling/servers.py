"""Server air: how much a heat load needs at a rise, and what the fans take."""

from __future__ import annotations

from twinloop.arrays import Array
from twinloop.cooling.fans import fan_power_w
from twinloop.fluids.psychrometrics import CP_DRY_AIR


def server_air_flow_kg_s(heat_w: Array, rise_k: Array) -> Array:
    """Return ``Q / (cp ΔT)``, kg of dry air a second; cp 1006 J/(kg K), ASHRAE Fundamentals (2017).

    >>> round(server_air_flow_kg_s(1000.0, 11.0), 4)   # 1 kW at 11 K
    0.0904
    """
    return heat_w / (CP_DRY_AIR * rise_k)


def server_air_rise_k(heat_w: Array, air_flow_kg_s: Array) -> Array:
    """Return ``Q / (m cp)``, the first law of a server: what a given flow must warm by.

    >>> round(server_air_rise_k(1000.0, 0.0904), 1)
    11.0
    """
    return heat_w / (CP_DRY_AIR * air_flow_kg_s)


def server_fan_power_w(flow_ratio: Array, design_fan_w: Array) -> Array:
    """Return fan power at ``flow_ratio`` of the all-air design flow, by the cube law.

    Fans take 5-15 % of an air-cooled server and below 3 % of one on cold plates; a published study of a
    hybrid hall has fans at 9 % and an 80 % cut (Heydari et al., InterPACK 2022, V001T01A014; derived).

    >>> server_fan_power_w(0.5, 800.0)
    100.0
    """
    return fan_power_w(flow_ratio, design_fan_w)
