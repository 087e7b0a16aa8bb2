"""A chilled-water tank over the year: cold made in cheap hours, taken in dear ones.

The schedule knows the tariff and the weather of the days ahead, as an operator with a forecast does; the tank holds
hours, not weeks, so that farther foresight buys nothing. Peaks of a demand charge are not aimed at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.cooling.chillers import chiller
from twinloop.cooling.storage import Tank, capacity_j, step
from twinloop.twin.cold_loop import ColdLoop, ColdState
from twinloop.twin.design import PlantConstants

LEVELS = 25
"""Fillings that the schedule tells apart."""
HOUR_S = 3600.0
PROBE = 0.6
"""Part load at which the worth of cold is read: near the best of most machines."""


@dataclass(frozen=True)
class StoreYear:
    """The tank by hour, shape (hours,): ``Δstored = charge − discharge − lost``, exactly."""

    charge_w: FloatArray
    discharge_w: FloatArray
    lost_w: FloatArray
    stored_j: FloatArray
    """At the end of each hour."""

    @property
    def heat_w(self) -> FloatArray:
        """Heat that the tank takes from the cold loop: discharge less charge."""
        return self.discharge_w - self.charge_w


def tank_of(volume_m3: float, loop: ColdLoop, k: PlantConstants) -> Tank:
    """Return the tank on ``loop``: its spread is the loop's range, its pumps carry the loop's design heat."""
    return Tank(volume_m3, k.chilled_water_rise_k, loop.heat_w, loss_w_k=0.2 * volume_m3)


def store_year(tank: Tank, loop: ColdLoop, usual: ColdState, dry_bulb_c: FloatArray, price: FloatArray) -> StoreYear:
    """Return the tank's year beside ``usual``, the cold loop's without it.

    Dynamic programming over :data:`LEVELS` fillings and all hours: least ``Σ price · electricity of the cold made``,
    within what the machine has to spare (charging) and what it makes (discharging). Then the real tank follows the
    plan, its losses included. ``price`` is per joule, shape (hours,), in any unit.
    """
    worth = price * _electricity_per_cold(loop, usual)
    spare_w = np.maximum(0.95 * loop.chiller.capacity_w - usual.chiller_load_w, 0.0)
    wanted_w = _planned(tank, worth, np.minimum(spare_w, tank.power_limit_w), usual.chiller_load_w)
    stored, columns = 0.0, []
    for hour in range(worth.size):
        most_w = max(float(usual.chiller_load_w[hour]), 0.0)
        ambient_k = float(dry_bulb_c[hour] - usual.supply_c[hour] - 0.5 * tank.spread_k)
        after = step(tank, stored, max(float(wanted_w[hour]), -most_w), max(ambient_k, 0.0), HOUR_S)
        stored = float(after.stored_j)
        columns.append((float(after.charge_w), float(after.discharge_w), float(after.lost_w), stored))
    charge, discharge, lost, filled = np.array(columns).T
    return StoreYear(charge, discharge, lost, filled)


def _electricity_per_cold(loop: ColdLoop, usual: ColdState) -> FloatArray:
    cold_w = PROBE * loop.chiller.capacity_w + 0.0 * usual.supply_c
    return np.asarray(chiller(loop.chiller, cold_w, usual.supply_c, usual.condenser_c).power_w / cold_w)


def _planned(tank: Tank, worth: FloatArray, most_in_w: FloatArray, most_out_w: FloatArray) -> FloatArray:
    """Return the wanted charge (above 0) or discharge by hour, W."""
    hours, rung_j = worth.size, capacity_j(tank) / (LEVELS - 1)
    level = np.arange(LEVELS)
    moved_w = (level[None, :] - level[:, None]) * rung_j / HOUR_S  # from row to column
    cost_to_go = np.zeros(LEVELS)
    choice = np.empty((hours, LEVELS), dtype=int)
    for hour in range(hours - 1, -1, -1):
        possible = (moved_w <= most_in_w[hour]) & (moved_w >= -np.minimum(most_out_w[hour], tank.power_limit_w))
        # A little for wear, so that cold is not moved for nothing.
        cost = worth[hour] * moved_w * HOUR_S + 0.03 * worth[hour] * np.abs(moved_w) * HOUR_S + cost_to_go[None, :]
        cost = np.where(possible, cost, np.inf)
        choice[hour] = np.argmin(cost, axis=1)
        cost_to_go = cost[level, choice[hour]]
    wanted, at = np.empty(hours), 0
    for hour in range(hours):
        later = int(choice[hour, at])
        wanted[hour], at = moved_w[at, later], later
    return wanted
