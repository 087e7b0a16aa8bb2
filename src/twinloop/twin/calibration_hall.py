"""The second-scale hall fitted to its own thermometers: factors on what sizing only guesses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from twinloop.arrays import Array, FloatArray
from twinloop.errors import InputError
from twinloop.twin.calibration import Fitted, Parameter, fit
from twinloop.twin.transient_nouns import Inputs, State
from twinloop.twin.transient_parameters import Parameters
from twinloop.twin.transient_run import run, settle

SETTLE_S = 900.0
LOW, HIGH = 0.2, 5.0
"""Bounds of every factor."""


def _exchanger(p: Parameters, factor: Array) -> Parameters:
    if p.plant.warm is None:
        raise InputError("calibration: got a factor on the distribution units, expected a hall that has some")
    unit = replace(p.plant.warm.cdu, ua_w_k=p.plant.warm.cdu.ua_w_k * factor)
    return replace(p, plant=replace(p.plant, warm=replace(p.plant.warm, cdu=unit)))


FACTORS: dict[str, Callable[[Parameters, Array], Parameters]] = {
    "chip resistance": lambda p, f: replace(p, chips=replace(p.chips, device_k=p.chips.device_k * f)),
    "distribution unit UA": _exchanger,
    "air handler UA": lambda p, f: replace(
        p, plant=replace(p.plant, handler=replace(p.plant.handler, ua_w_k=p.plant.handler.ua_w_k * f))
    ),
    "coolant in racks": lambda p, f: replace(p, rack_j_k=p.rack_j_k * f),
    "coolant in pipes": lambda p, f: replace(p, pipe_j_k=p.pipe_j_k * f),
    "metal in the hall": lambda p, f: replace(p, metal_j_k=p.metal_j_k * f),
    "warm water": lambda p, f: replace(p, warm_j_k=p.warm_j_k * f),
    "cold water": lambda p, f: replace(p, cold_j_k=p.cold_j_k * f),
}
"""What can be fitted: name -> the hall with that part multiplied."""

READINGS: dict[str, Callable[[State], Array]] = {
    "chip": lambda s: s.die_c[:, 0].mean(axis=(1, 2)),
    "worst chip": lambda s: s.die_c[:, 1].max(axis=(1, 2)),
    "coolant supply": lambda s: s.coolant_c.mean(axis=1),
    "coolant return": lambda s: s.rack_c.mean(axis=1),
    "warm supply": lambda s: s.warm_supply_c,
    "warm return": lambda s: s.warm_return_c,
    "supply air": lambda s: s.supply_air_c,
    "hall air": lambda s: s.room_c,
    "cold supply": lambda s: s.cold_supply_c,
    "cold return": lambda s: s.cold_return_c,
}
"""Thermometers: name -> its column of a run's states, (steps + 1, cases)."""


def readings(p: Parameters, series: Inputs, step_s: float, names: Sequence[str]) -> FloatArray:
    """Return what the thermometers ``names`` show over ``series`` after a rest under its first moment.

    Shape (cases, names, steps); a hall whose parameters carry cases runs them all at once.
    """
    first = Inputs(*[values[0] for values in series])
    states = run(p, settle(p, first, SETTLE_S), series, step_s).states
    return np.stack([np.asarray(READINGS[name](states))[1:] for name in names]).transpose(2, 0, 1)


def fit_hall(
    p: Parameters, series: Inputs, step_s: float, measured: Mapping[str, FloatArray], factors: Sequence[str],
    noise_k: float | None = None,
) -> Fitted:  # fmt: skip
    """Return the factors on ``p`` that bring its thermometers nearest to ``measured`` (nan where missing).

    ``series`` has one case. Every round runs the hall once, the finite differences as cases beside it. Telemetry in
    which nothing moves cannot tell stored heat: its sigma then says so.

    Raises:
        InputError: a name that is not one of :data:`FACTORS` or :data:`READINGS`, or too few readings.
    """
    for given, known in ((factors, tuple(FACTORS)), (tuple(measured), tuple(READINGS))):
        for name in given:
            if name not in known:
                raise InputError(f"calibration: got {name!r}, expected one of {', '.join(known)}")
    names = tuple(measured)

    def predict(rows: FloatArray) -> FloatArray:
        hall = p
        for column, name in enumerate(factors):
            hall = FACTORS[name](hall, rows[:, column])
        return readings(hall, _widened(series, len(rows)), step_s, names)

    unknowns = [Parameter(name, 1.0, LOW, HIGH) for name in factors]
    return fit(predict, np.stack([measured[name] for name in names]), unknowns, noise_k, together=True)


def _widened(series: Inputs, cases: int) -> Inputs:
    return Inputs(*[np.repeat(values, cases, axis=-1) for values in series])
