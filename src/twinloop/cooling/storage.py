"""Thermal storage: a stratified chilled- or warm-water tank as a store of energy."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace

WATER_J_M3_K = 4181.0 * 997.0
"""Water at 25 °C, IAPWS-95."""


@dataclass(frozen=True)
class Tank:
    """A stratified tank. Full: all of it at the cold supply temperature."""

    volume_m3: float
    spread_k: float
    """Between cold and warm layers."""
    power_limit_w: float
    loss_w_k: float = 0.0
    """Wall conductance; a lagged 1000 m3 tank is near 200 W/K. Low confidence."""
    usable: float = 0.9
    """Share outside the mixed layer, figure of merit 0.85-0.95. Low confidence."""


@dataclass(frozen=True)
class TankStep:
    """After one step. ``stored_after = stored + (charged − discharged − lost) dt`` exactly."""

    stored_j: Array
    charge_w: Array
    discharge_w: Array
    lost_w: Array


def capacity_j(tank: Tank) -> float:
    """Return the cold that the tank can hold.

    >>> round(capacity_j(Tank(100.0, 8.0, 1e6)) / 3.6e6)   # kWh
    834
    """
    return tank.volume_m3 * WATER_J_M3_K * tank.spread_k * tank.usable


def step(tank: Tank, stored_j: Array, wanted_w: Array, ambient_k: Array, duration_s: float) -> TankStep:
    """Charge (``wanted_w`` above 0) or discharge (below) for ``duration_s``.

    Held to the power limit, to room left and to what is stored. ``ambient_k``: surroundings above the mean
    tank temperature; the loss takes stored cold in proportion to how full the tank is, first.

    >>> tank = Tank(100.0, 8.0, 1e6)
    >>> after = step(tank, 0.0, 5e5, 0.0, 3600.0)
    >>> round(float(after.stored_j) / 3.6e6), round(float(after.charge_w))
    (500, 500000)
    """
    xp = namespace(stored_j, wanted_w, ambient_k)
    whole_j = capacity_j(tank)
    held_j = xp.clip(stored_j, 0.0, whole_j)
    lost_w = xp.clip(tank.loss_w_k * ambient_k * held_j / whole_j, 0.0, held_j / duration_s)
    left_j = held_j - lost_w * duration_s
    bounded_w = xp.clip(wanted_w, -tank.power_limit_w, tank.power_limit_w)
    charge_w = xp.minimum(xp.maximum(bounded_w, 0.0), (whole_j - left_j) / duration_s)
    discharge_w = xp.minimum(xp.maximum(-bounded_w, 0.0), left_j / duration_s)
    return TankStep(left_j + (charge_w - discharge_w) * duration_s, charge_w, discharge_w, lost_w)
