"""Air around racks: recirculation of exhaust into intakes, bypass of supply into the return.

Symbols: ``r`` recirculation, the share of intake air that is exhaust (0-0.3; EnergyPlus example 0.1,
contained aisles 0.02-0.05); ``b`` bypass, the share of the handlers' return that is supply air that
missed the servers. Temperatures mix by mass: dry-air heat capacity is taken as one constant.
"""

from __future__ import annotations

from twinloop.arrays import Array


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
