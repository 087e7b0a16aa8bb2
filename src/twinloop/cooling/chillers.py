"""Vapour-compression chillers: published curves inside their range, a share of Carnot beyond it.

Curves are fitted around 5-12 °C leaving water; warm-water halls ask for 14-30 °C and little lift, where
the quadratics bend back. There the energy input ratio goes on from the edge of the range in proportion
to the ideal cycle's, ``lift / T_e``, and never below that of the smallest lift a machine keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from twinloop.arrays import Array, namespace
from twinloop.cooling.chiller_curves import AIR_COOLED, WATER_COOLED, Curves, factors, quadratic
from twinloop.fluids.psychrometrics import KELVIN

EVAPORATOR_APPROACH_K = 2.0
"""Evaporating below leaving water. Practice 1-3 K, low confidence."""
Kind = Literal["air", "water"]
CONDENSER_APPROACH_K: dict[Kind, float] = {"air": 14.0, "water": 7.0}
"""Condensing above entering air or water at full load. Practice 10-17 K and 5-8 K, low confidence."""
MINIMUM_LIFT_K = 12.0
"""Compressors and expansion valves keep at least this lift. Practice 10-20 K, low confidence."""
CAPACITY_PER_K_LEAVING = 0.02
"""Capacity gained per kelvin of leaving water warmer than the curves reach, lost per kelvin colder: density
of the suction gas, 2-3 %/K, low confidence. It never levels off, so that a plant short of capacity finds
the water temperature at which it carries its load."""
CAPACITY_PER_K_CONDENSER = 0.01
"""Capacity lost per kelvin of condenser hotter than the curves reach: 1-2 %/K, low confidence."""
LEAST_CAPACITY = 0.3
"""Share of the edge's capacity that stays however far outside: keeps solvers in a defined region."""


@dataclass(frozen=True)
class Chiller:
    """Rated point of one machine, or of many alike as one."""

    capacity_w: float
    cop: float
    leaving_design_c: float
    condenser_in_design_c: float
    kind: Kind
    curves: Curves | None = None
    """``None``: the EnergyPlus example of the kind, COP 3 (air) or 5 (water) class."""
    condenser_approach_k: float | None = None
    """``None``: of the kind."""
    evaporator_approach_k: float = EVAPORATOR_APPROACH_K
    minimum_lift_k: float = MINIMUM_LIFT_K
    capacity_per_k_leaving: float = CAPACITY_PER_K_LEAVING
    capacity_per_k_condenser: float = CAPACITY_PER_K_CONDENSER


@dataclass(frozen=True)
class ChillerPoint:
    """Operating point; ``heat_rejected_w = load + power`` exactly."""

    power_w: Array
    available_w: Array
    heat_rejected_w: Array
    plr: Array
    """Load over available; above 1 the machine cannot carry the load and the caller must act."""
    extrapolated: Array
    """Temperatures outside the curves' range: the share of Carnot governs."""


def with_curves(machine: Chiller) -> Chiller:
    """Return ``machine`` with everything that it takes from its kind written out.

    >>> with_curves(Chiller(1e6, 3.0, 6.67, 35.0, "air")).condenser_approach_k
    14.0
    """
    curves = machine.curves or (AIR_COOLED if machine.kind == "air" else WATER_COOLED)
    approach_k = machine.condenser_approach_k
    approach_k = CONDENSER_APPROACH_K[machine.kind] if approach_k is None else approach_k
    return replace(machine, curves=curves, condenser_approach_k=approach_k)


def chiller(machine: Chiller, load_w: Array, leaving_c: Array, condenser_in_c: Array) -> ChillerPoint:
    """Rate a machine.

    Inside the curves' range ``P = Q(T_e, T_c) EIR(T_e, T_c) h(x)``, ``x = load / Q``, scaled so that the
    rated COP holds at the rated point and ``h(1) = 1``; below the least part load the machine cycles and
    power is proportional to load. Outside (flagged) power is that of the nearest point inside times
    ``lift/T_e`` over its value there, and never below ``load`` times the energy input ratio of
    ``MINIMUM_LIFT_K`` at the best part load; available capacity goes on from the edge's along straight lines.
    Continuous throughout. Warmer leaving water or a colder condenser never raises power nor lowers capacity.

    Sources: EnergyPlus Engineering Reference, Chiller:Electric and Chiller:Electric:EIR; Hydeman and
    Gillespie (2002), Tools and techniques to calibrate electric chiller component models, ASHRAE
    Transactions 108(1).

    >>> machine = Chiller(1e6, 3.0, 6.67, 35.0, "air")
    >>> round(float(chiller(machine, 1e6, 6.67, 35.0).power_w))
    333333
    >>> warm = chiller(machine, 1e6, 20.0, 25.0)
    >>> round(float(1e6 / warm.power_w), 1), bool(warm.extrapolated)
    (5.6, True)
    """
    xp = namespace(load_w, leaving_c, condenser_in_c)
    machine = with_curves(machine)
    curves = machine.curves
    assert curves is not None  # noqa: S101  the line above
    rated = _full_load(machine, curves, machine.leaving_design_c, machine.condenser_in_design_c)
    here = _full_load(machine, curves, leaving_c, condenser_in_c)
    asked_w = xp.maximum(load_w, 0.0)
    scale_w = machine.capacity_w / rated.available
    available_w = scale_w * here.available
    at_rating = _power(curves, rated, machine.capacity_w, scale_w * rated.working) / machine.capacity_w
    power_w = _power(curves, here, asked_w, scale_w * here.working) / (at_rating * machine.cop)
    plr = asked_w / available_w
    outside = (
        (leaving_c < curves.leaving_c[0])
        | (leaving_c > curves.leaving_c[1])
        | (condenser_in_c < curves.condenser_c[0])
        | (condenser_in_c > curves.condenser_c[1])
    )
    return ChillerPoint(power_w, available_w + 0.0 * plr, load_w + power_w, plr, outside | (plr < -1.0))


def _power(curves: Curves, at: _FullLoad, load: Array, capacity: Array) -> Array:
    """Return full-load power at the curves' reference COP times the part-load factor."""
    by_curve = capacity * _part_load(curves, load / capacity) * at.eir * at.beyond
    return namespace(by_curve).maximum(by_curve, load * at.least * _best_part_load(curves))


def _best_part_load(curves: Curves) -> Array:
    """Return the least power per load over that at full load: the floor is free of part load, so that it moves
    with temperature in one direction only."""
    a, b, c = curves.part_load
    xp = namespace(a, b, c, curves.minimum_plr)
    bends = c > 0.0
    best = xp.where(bends, xp.clip(xp.sqrt(a / xp.where(bends, c, a)), curves.minimum_plr, 1.0), 1.0)
    return (a / best + b + c * best) / (a + b + c)


@dataclass(frozen=True)
class _FullLoad:
    """Factors at full load."""

    available: Array
    working: Array
    """Capacity that part load is measured by: not derated, else a derated machine would cycle with less power."""
    eir: Array
    """Of the nearest point inside the curves' range."""
    beyond: Array
    """Energy input ratio over that of the nearest point inside, by the ideal cycle."""
    least: Array
    """Energy input ratio at the smallest lift."""


def _full_load(machine: Chiller, curves: Curves, leaving_c: Array, condenser_c: Array) -> _FullLoad:
    xp = namespace(leaving_c, condenser_c, curves.leaving_c[1], curves.condenser_c[0], machine.minimum_lift_k)
    near_leaving_c = xp.clip(leaving_c, *curves.leaving_c)
    near_condenser_c = xp.clip(condenser_c, *curves.condenser_c)
    capacity, eir = factors(curves, near_leaving_c, near_condenser_c)
    gain = machine.capacity_per_k_leaving * (leaving_c - near_leaving_c)
    loss = machine.capacity_per_k_condenser * (xp.maximum(condenser_c, near_condenser_c) - near_condenser_c)
    lift_k, evaporating_k = _lift(machine, leaving_c, condenser_c)
    near_lift_k, near_evaporating_k = _lift(machine, near_leaving_c, near_condenser_c)
    corner_lift_k, corner_k = _lift(machine, curves.leaving_c[1], curves.condenser_c[0])
    _, corner_eir = factors(curves, curves.leaving_c[1], curves.condenser_c[0])
    return _FullLoad(
        available=capacity * xp.maximum(1.0 + gain - loss, LEAST_CAPACITY),
        working=capacity * (1.0 + xp.maximum(gain, 0.0)),
        eir=eir,
        beyond=(lift_k / near_lift_k) * (near_evaporating_k / evaporating_k),
        least=corner_eir * xp.minimum(machine.minimum_lift_k / corner_lift_k, 1.0) * corner_k / evaporating_k,
    )


def _lift(machine: Chiller, leaving_c: Array, condenser_c: Array) -> tuple[Array, Array]:
    """Return (condensing − evaporating, evaporating), K."""
    evaporating_k = leaving_c - machine.evaporator_approach_k + KELVIN
    return condenser_c + machine.condenser_approach_k + KELVIN - evaporating_k, evaporating_k


def _part_load(curves: Curves, plr: Array) -> Array:
    """Return power over full-load power: the curve scaled to 1 at full load, linear below the minimum."""
    xp = namespace(plr)
    whole, least = sum(curves.part_load), curves.minimum_plr
    cycling = plr * (quadratic(curves.part_load, least) / (least * whole))
    return xp.where(plr < least, cycling, quadratic(curves.part_load, xp.maximum(plr, least)) / whole)
