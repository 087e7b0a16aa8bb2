"""Vapour-compression chillers as a fixed share of Carnot with a smallest lift.

Quadratic DOE-2 curves hold around 5-12 °C leaving water and bend back beyond; warm-water halls ask for
14-30 °C, where no published curve reaches. A share of Carnot that meets the rated COP at the rated point
is monotone everywhere. Part load follows the DOE-2 quadratic of the EnergyPlus examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twinloop.arrays import Array, namespace

KELVIN = 273.15
EVAPORATOR_APPROACH_K = 2.0
"""Evaporating below leaving water. Practice 1-3 K, low confidence."""
CONDENSER_APPROACH_K = {"air": 14.0, "water": 7.0}
"""Condensing above entering air or water at full load. Practice 10-17 K and 5-8 K, low confidence."""
MINIMUM_LIFT_K = 12.0
"""Compressors and expansion valves keep at least this lift. Practice 10-20 K, low confidence."""
PART_LOAD = (0.0330, 0.6852, 0.2818)
"""Power over full-load power by part-load ratio, EnergyPlus ``Chiller:Electric`` example."""
MINIMUM_PART_LOAD = 0.1
"""Below it the machine cycles: power is proportional to load."""
CAPACITY_PER_K_LEAVING = 0.025
"""Capacity gained per kelvin of warmer leaving water: 2-3 %/K, manufacturers' tables. Low confidence."""
CAPACITY_PER_K_CONDENSER = 0.010
"""Capacity lost per kelvin of hotter condenser: about 1 %/K. Low confidence."""
MOST_CAPACITY = 1.25
"""A compressor at full displacement and motor limit gives at most this share of its rating."""


@dataclass(frozen=True)
class Chiller:
    """Rated point of one machine, or of many alike as one."""

    capacity_w: float
    cop: float
    leaving_design_c: float
    condenser_in_design_c: float
    kind: Literal["air", "water"]


@dataclass(frozen=True)
class ChillerPoint:
    """Operating point; ``heat_rejected_w = load + power`` exactly."""

    power_w: Array
    available_w: Array
    heat_rejected_w: Array
    plr: Array
    extrapolated: Array
    """Leaving water above 16 °C: no published curve of this class reaches there."""


def chiller(machine: Chiller, load_w: Array, leaving_c: Array, condenser_in_c: Array) -> ChillerPoint:
    """Rate a machine.

    ``COP = η (T_e / max(T_c − T_e, lift_min))`` with ``T_e = leaving − approach`` and ``T_c = entering
    condenser + approach`` in kelvin; ``η`` gives the rated COP at the rated point. Part load by
    ``a + b x + c x²``, linear through zero below 10 %. Warmer leaving water or a colder condenser never
    raises power. Source: Carnot fraction as in ASHRAE Handbook - Fundamentals (2017), chapter 2; the
    constants above.

    >>> machine = Chiller(1e6, 3.0, 6.67, 35.0, "air")
    >>> round(float(chiller(machine, 1e6, 6.67, 35.0).power_w))
    333333
    """
    xp = namespace(load_w, leaving_c, condenser_in_c)
    available_w = machine.capacity_w * xp.clip(
        1.0
        + CAPACITY_PER_K_LEAVING * (leaving_c - machine.leaving_design_c)
        - CAPACITY_PER_K_CONDENSER * (condenser_in_c - machine.condenser_in_design_c),
        0.3,
        MOST_CAPACITY,
    )
    share = machine.cop / _carnot(machine.leaving_design_c, machine.condenser_in_design_c, machine.kind)
    cop = share * _carnot(leaving_c, condenser_in_c, machine.kind)
    plr = xp.maximum(load_w, 0.0) / available_w
    power_w = available_w / cop * _part_load(plr)
    return ChillerPoint(power_w, available_w + 0.0 * plr, load_w + power_w, plr, leaving_c > 16.0 + 0.0 * plr)


def _carnot(leaving_c: Array, condenser_in_c: Array, kind: str) -> Array:
    xp = namespace(leaving_c, condenser_in_c)
    evaporating_k = leaving_c - EVAPORATOR_APPROACH_K + KELVIN
    condensing_k = condenser_in_c + CONDENSER_APPROACH_K[kind] + KELVIN
    return evaporating_k / xp.maximum(condensing_k - evaporating_k, MINIMUM_LIFT_K)


def _part_load(plr: Array) -> Array:
    """Return power over full-load power: the quadratic scaled to 1 at full load, linear below the minimum."""
    xp = namespace(plr)
    a, b, c = PART_LOAD
    whole = a + b + c

    def curve(x: Array) -> Array:
        return (a + b * x + c * x * x) / whole

    return xp.where(plr < MINIMUM_PART_LOAD, plr / MINIMUM_PART_LOAD * curve(MINIMUM_PART_LOAD), curve(plr))
