"""Air around racks: recirculation of exhaust into intakes, bypass of supply into the return.

Symbols: ``r`` recirculation, the share of intake air that is exhaust (0-0.3; EnergyPlus example 0.1,
contained aisles 0.02-0.05); ``b`` bypass, the share of the handlers' return that is supply air that
missed the servers. Temperatures mix by mass: dry-air heat capacity is taken as one constant.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.fluids.psychrometrics import CP_DRY_AIR


@dataclass(frozen=True)
class Aisle:
    """How tight the air's path is: shares of flow that cross between cold and hot side at matched flows."""

    leak: float = 0.05
    """Of the handlers' air that slips past the servers. Contained 0.03-0.08, open aisles 0.2-0.4. Low."""
    recirculation: float = 0.02
    """Of the servers' air that returns to their intakes. Contained 0.02-0.05, open 0.1-0.2 (EnergyPlus example
    0.1). Low confidence."""


CONTAINED = Aisle()
OPEN = Aisle(0.30, 0.15)
"""Open hot and cold aisles; also what is left of containment once a door or blank panel is open."""


@dataclass(frozen=True)
class AislePoint:
    """The hall's air at one operating point; every flow in kg of dry air a second."""

    intake_c: Array
    exhaust_c: Array
    return_c: Array
    recirculation: Array
    """Share of intake air that is exhaust."""
    bypass: Array
    """Share of the handlers' return that missed the servers."""


def aisle(
    paths: Aisle, supply_c: Array, supply_kg_s: Array, server_kg_s: Array, heat_w: Array, breach: Array = 0.0
) -> AislePoint:
    """Mix supply, server and return air so that mass and heat balance.

    Of the supply ``m_s`` at most ``(1 − leak) m_s`` reaches the servers; they take ``(1 − r₀) m_d`` of it if it is
    there, the rest of their ``m_d`` is exhaust: ``r = 1 − through/m_d``, ``through = min((1 − leak) m_s, (1 − r₀)
    m_d)``. Exhaust = intake + Q/(m_d cp). Return: bypass at supply temperature, the rest exhaust. The minimum is
    rounded (width 2 % of ``m_d``), so that derivatives are smooth where supply meets demand. ``breach`` moves both
    leaks from contained (0) to open (1). Standing handlers: intake runs away with ``r`` to 1, held at 0.999.

    >>> state = aisle(CONTAINED, 22.0, 10.0, 9.0, 108e3)
    >>> round(float(state.intake_c), 2), round(float(state.exhaust_c), 2), round(float(state.return_c), 2)
    (22.26, 34.19, 32.74)
    """
    xp = namespace(supply_c, supply_kg_s, server_kg_s, heat_w, breach)
    leak = paths.leak + breach * xp.maximum(OPEN.leak - paths.leak, 0.0)
    least = paths.recirculation + breach * xp.maximum(OPEN.recirculation - paths.recirculation, 0.0)
    offered, wanted = (1.0 - leak) * supply_kg_s, (1.0 - least) * server_kg_s
    width = 0.02 * server_kg_s
    gap = offered - wanted
    through = 0.5 * (offered + wanted - xp.sqrt(gap * gap + width * width))
    share = xp.clip(through / server_kg_s, 0.001, 1.0)
    rise_k = heat_w / (server_kg_s * CP_DRY_AIR)
    intake = intake_from_rise_c(supply_c, rise_k, 1.0 - share)
    exhaust = intake + rise_k
    bypass = xp.clip(1.0 - share * server_kg_s / xp.maximum(supply_kg_s, 1e-6), 0.0, 1.0)
    return AislePoint(intake, exhaust, return_c(supply_c, exhaust, bypass), 1.0 - share, bypass)


def intake_c(supply_c: Array, exhaust_c: Array, recirculation: Array) -> Array:
    """Return ``(1 − r) T_supply + r T_exhaust``.

    >>> intake_c(20.0, 40.0, 0.1)
    22.0
    """
    return supply_c + recirculation * (exhaust_c - supply_c)


def intake_from_rise_c(supply_c: Array, rise_k: Array, recirculation: Array) -> Array:
    """Return ``T_supply + r/(1 − r) ΔT``: :func:`intake_c` when exhaust is intake plus the servers' rise.

    >>> round(intake_from_rise_c(20.0, 18.0, 0.1), 9)
    22.0
    """
    return supply_c + recirculation / (1.0 - recirculation) * rise_k


def return_c(supply_c: Array, exhaust_c: Array, bypass: Array) -> Array:
    """Return ``(1 − b) T_exhaust + b T_supply``, what the air handlers draw in.

    >>> return_c(20.0, 40.0, 0.25)
    35.0
    """
    return exhaust_c + bypass * (supply_c - exhaust_c)


def supply_heat_index(supply_c: Array, intake_c: Array, exhaust_c: Array) -> Array:
    """Return SHI, ``(T_intake − T_supply)/(T_exhaust − T_supply)``: 0 without recirculation.

    Sharma, Bash, Patel (2002), Dimensionless parameters for evaluation of thermal design and performance
    of large-scale data centers, AIAA 2002-3091, doi:10.2514/6.2002-3091. Return heat index = 1 − SHI.

    >>> supply_heat_index(20.0, 22.0, 40.0)
    0.1
    """
    return (intake_c - supply_c) / (exhaust_c - supply_c)
