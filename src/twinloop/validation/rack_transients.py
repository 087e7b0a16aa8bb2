"""A liquid-cooled rack that loses its flow: the adiabatic bound, and the twin's second-scale hall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinloop.fluids.liquids import liquid
from twinloop.twin.faults import Happening, with_faults
from twinloop.twin.sizing import size_plant
from twinloop.twin.transient_nouns import Bank, Fleet
from twinloop.twin.transient_parameters import transient_parameters
from twinloop.twin.transient_run import constant_series, run, settle, steady_inputs
from twinloop.validation.cooling_halls import COLD_CLIMATE, K, accelerated_servers, design

RACK_W, RACK_M3, RISE_K = 227e3, 33.6e-3, 14.0
"""Vera Rubin NVL72, 18 × 0.778 + 9 × 0.175 + 17.7 + 0.311 L of coolant; vendor thermal model v07, secondary."""
STEP_S = 0.5


def still_rise_s(supply_c: float = 30.0) -> float:
    """Return the seconds in which standing PG25 warms by 14 K under 227 kW: ``ΔT V ρ cp/P``, no metal."""
    coolant = liquid("PG25")
    middle_c = supply_c + 0.5 * RISE_K
    stored = RACK_M3 * float(coolant.density_kg_m3(middle_c)) * float(coolant.heat_capacity_j_kg_k(middle_c))
    return RISE_K * stored / RACK_W


def twin_rise_s() -> float:
    """Return the seconds from a pump's trip until racks' coolant is 14 K warmer, in the second-scale hall.

    Cold plates, pipework and the pump's run-down are in it; the chips keep their power (throttling switched off).
    """
    servers = replace(accelerated_servers(RACK_W, 2e3), throttle_c=500.0, power_limit_w=1e9, activity=np.ones(1))
    bare = Fleet(*[Bank(1, 0)] * 6)
    plant = size_plant(design("all plates"), (servers,), COLD_CLIMATE, 101325.0, 50.0, K)
    hall = transient_parameters(plant, (servers,), bare, 50.0, 101325.0, K)
    inputs = steady_inputs(hall, 1, np.ones(1), 25.0, 18.0, 12.0)
    stop = Happening("pump stops", "cdu", 0.0, np.inf, unit=1)
    series = with_faults(hall, constant_series(inputs, round(120.0 / STEP_S)), (stop,), 0, STEP_S, 60.0)
    trace = run(hall, settle(hall, inputs), series, STEP_S)
    racks_c = trace.states.rack_c[:, 0, 0]
    over = np.flatnonzero(racks_c - racks_c[0] >= RISE_K)
    if over.size == 0:
        return float("nan")
    last = int(over[0])
    share = (RISE_K - (racks_c[last - 1] - racks_c[0])) / (racks_c[last] - racks_c[last - 1])
    return float((last - 1 + share) * STEP_S)
