"""Heat sold from the warm loop's return, by a plate exchanger or through a heat pump.

The buyer's stream comes first: what it takes, the outdoor cooler and the trim need not. Nothing outdoors is
sized on it, since the buyer may take nothing on the hottest day.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace, repeat
from twinloop.cooling.heat_pumps import HeatPump, heat_pump
from twinloop.model.site import HeatOfftake
from twinloop.twin.design import PlantConstants

SOURCE_ROUNDS = 6
"""Heat taken out and temperature it leaves at depend on each other; a round contracts by 10-20."""


@dataclass(frozen=True)
class HeatReuse:
    """What stands between the loop and the buyer."""

    pump: HeatPump
    temperature_c: float
    """Of the water handed over."""
    demand_w: float
    """The most that the buyer takes, the year round."""
    source_w: float
    """What the heat pump takes from the loop at its rating; 0: the loop is hot enough without one."""


@dataclass(frozen=True)
class ReusePoint:
    """Operating point, shape (hours,): ``sold = source + power``."""

    water_out_c: Array
    """Loop water on its way to the outdoor cooler."""
    source_w: Array
    """Taken from the loop."""
    power_w: Array
    """Of the heat pump."""
    sold_w: Array


def size_reuse(offtake: HeatOfftake, heat_w: float, supply_c: float, return_c: float, k: PlantConstants) -> HeatReuse:
    """Return the connection that hands over ``heat_w`` of a loop with that supply and return, or the demand if less.

    >>> unit = size_reuse(HeatOfftake(65.0, 1e6, 0.0), 500e3, 30.0, 40.0, PlantConstants())
    >>> round(unit.pump.heating_w / 1e3), round(unit.source_w / 1e3)
    (658, 500)
    """
    if return_c - k.offtake_approach_k >= offtake.temperature_c:
        return HeatReuse(HeatPump(0.0), offtake.temperature_c, offtake.demand_w, 0.0)
    lifted = heat_pump(HeatPump(offtake.demand_w), heat_w, supply_c, offtake.temperature_c)
    machine = HeatPump(float(lifted.heating_w))
    return HeatReuse(machine, offtake.temperature_c, offtake.demand_w, float(lifted.source_w))


def reuse_heat(
    unit: HeatReuse | None, return_c: Array, capacity_w_k: Array, supply_c: Array, k: PlantConstants
) -> ReusePoint:
    """Hand heat of the return to the buyer, without cooling it below ``supply_c``.

    Direct where the return is an approach above the buyer's temperature: the loop is then cooled at most to an
    approach above the water that the buyer sends back. Else the heat pump, whose evaporator leaves at the
    loop's temperature behind it. The machine is no larger than the demand.

    >>> unit = HeatReuse(HeatPump(400e3), 65.0, 400e3, 320e3)
    >>> point = reuse_heat(unit, 42.0, 50e3, 32.0, PlantConstants())
    >>> [round(float(w) / 1e3) for w in (point.sold_w, point.source_w, point.power_w)]
    [400, 317, 83]
    """
    xp = namespace(return_c, capacity_w_k, supply_c)
    none = 0.0 * (return_c + capacity_w_k + supply_c)
    if unit is None:
        return ReusePoint(return_c + none, none, none, none)
    available_w = capacity_w_k * xp.maximum(return_c - supply_c, 0.0)

    def lifted(state: tuple[Array, ...]) -> tuple[Array, ...]:
        point = heat_pump(unit.pump, available_w, return_c - state[0] / capacity_w_k, unit.temperature_c)
        return point.source_w, point.power_w

    source_w, power_w = repeat(SOURCE_ROUNDS, lifted, (available_w + none, none))
    coldest_c = xp.maximum(supply_c, unit.temperature_c - k.offtake_spread_k + k.offtake_approach_k)
    direct = return_c - k.offtake_approach_k >= unit.temperature_c
    direct_w = xp.clip(capacity_w_k * (return_c - coldest_c), 0.0, unit.demand_w)
    source_w, power_w = xp.where(direct, direct_w, source_w), xp.where(direct, 0.0, power_w)
    return ReusePoint(return_c - source_w / capacity_w_k, source_w, power_w, source_w + power_w)


def why_unsold(offtake: HeatOfftake | None, unit: HeatReuse | None, sold_j: float, *, warm_loop: bool) -> str | None:
    """Return why a buyer gets nothing; ``None`` where he gets something or there is none."""
    if offtake is None or sold_j > 0.0:
        return None
    buyer = f"no heat is sold to the buyer of {offtake.temperature_c:g} °C"
    if not warm_loop:
        return f"{buyer}: the cooling has no warm loop, and chilled water is too cold a source"
    if unit is None:
        return f"{buyer}: the chosen cooling is without a connection to him"
    return f"{buyer}: the warm loop carries no heat"
