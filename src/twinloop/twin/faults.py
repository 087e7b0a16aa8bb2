"""Faults as nouns, and what they do to a run's inputs: who stops when, who stands in, what has power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from twinloop.arrays import Array
from twinloop.fluids.psychrometrics import humidity_ratio_from_wet_bulb, wet_bulb_c
from twinloop.twin.swings import square_wave
from twinloop.twin.transient_nouns import SENSORS, Bank, Inputs
from twinloop.twin.transient_parameters import Parameters

FaultKind = Literal[
    "cdu", "crah", "fan wall", "chiller", "tower", "cooler", "coil", "syphon", "wall", "buyer",
    "warm pump", "cold pump", "condenser pump",
    "power", "generator", "sensor bias", "sensor stuck", "leak", "containment", "heat wave", "swings",
]  # fmt: skip
BANKS: dict[FaultKind, str] = {
    "cdu": "cdus", "crah": "handlers", "chiller": "chillers", "tower": "towers", "cooler": "coolers", "coil": "coils",
    "syphon": "syphons", "wall": "walls",
}  # fmt: skip
"""Faults of one unit -> the bank it belongs to."""
BREACH_RECIRCULATION = 0.3
"""Exhaust in the intake air with containment open: 0.02-0.3 is the usual range, uncontained rooms at its top."""
BOOT_S = 300.0
"""Servers that lost power come back this long after it returns. Low confidence."""
COOLANT_KG_M3 = 1015.0
"""25 % propylene glycol at 40 °C (``fluids.glycol``)."""
RAMP_S = 1800.0
"""A heat wave builds up and fades over this time. Low confidence."""


@dataclass(frozen=True)
class Happening:
    """One fault of one hall. Times from the start of the window; sizes in SI."""

    words: str
    kind: FaultKind
    start_s: float
    end_s: float
    """Infinite: until the end of the window."""
    unit: int = 0
    """Counted from 1; 0 where there is only one."""
    size: float = 0.0
    """K of a bias or a heat wave, m³/s of a leak, share of a swing."""
    period_s: float = 0.0
    target: str = ""
    """Sensor or group."""


def with_faults(
    p: Parameters, series: Inputs, faults: tuple[Happening, ...], case: int, step_s: float, ride_through_s: float
) -> Inputs:
    """Return ``series`` (time first, cases last) with ``faults`` happening in ``case``.

    Args:
        p: the hall.
        series: inputs in order.
        faults: what happens.
        case: which case they happen in.
        step_s: the step.
        ride_through_s: how long the battery carries its load: the IT, and pumps and fans where it is not in racks.
    """
    steps = len(series.dry_bulb_c)
    time_s = np.arange(steps) * step_s
    columns = {name: np.array(values) for name, values in series._asdict().items()}
    unpowered, run_down, it_power = _power(p, faults, time_s, ride_through_s)
    on_ups = run_down if p.plant.electrics.carries_pumps else unpowered
    _units(p, columns, faults, case, time_s, unpowered, on_ups)
    columns["it_power"][:, case] *= it_power
    columns["buyer_ok"][:, case] *= ~(
        _during(faults, "buyer", time_s) | _extended(unpowered, time_s, p.c.chiller_restart_s)
    )
    for name, kind in (("warm_pump_ok", "warm pump"), ("cold_pump_ok", "cold pump"),
                       ("condenser_pump_ok", "condenser pump")):  # fmt: skip
        off = _during(faults, kind, time_s) | (on_ups if f"{kind}s" in p.c.on_ups else unpowered)
        columns[name][:, case] *= ~off
    for fault in faults:
        _world(p, columns, fault, case, time_s, series)
    return Inputs(**columns)


def _during(faults: tuple[Happening, ...], kind: str, time_s: Array, unit: int | None = None) -> Array:
    """Return when a fault of ``kind`` (and of ``unit``) lasts, booleans over time."""
    on = np.zeros(time_s.shape, dtype=bool)
    for fault in faults:
        if fault.kind == kind and (unit is None or fault.unit == unit):
            on |= (time_s >= fault.start_s) & (time_s < fault.end_s)
    return on


def _lasting(mask: Array, time_s: Array, seconds: float) -> Array:
    """Return ``mask`` where it has been true for at least ``seconds``."""
    step_s = time_s[1] - time_s[0] if time_s.size > 1 else 1.0
    late = max(round(seconds / step_s), 0)
    if late == 0:
        return mask
    shifted = np.concatenate([np.zeros(min(late, mask.size), dtype=bool), mask[:-late]])
    held = np.cumsum(np.concatenate([[0], mask]))
    whole = held[1:] - held[np.maximum(np.arange(mask.size) + 1 - late, 0)]
    return mask & shifted & (whole >= late)


def _extended(mask: Array, time_s: Array, seconds: float) -> Array:
    """Return ``mask`` with each stretch ``seconds`` longer."""
    step_s = time_s[1] - time_s[0] if time_s.size > 1 else 1.0
    longer = mask.copy()
    for index in np.flatnonzero(mask[:-1] & ~mask[1:]):
        longer[index + 1 : index + 1 + round(seconds / step_s)] = True
    return longer


def _power(
    p: Parameters, faults: tuple[Happening, ...], time_s: Array, ride_through_s: float
) -> tuple[Array, Array, Array]:
    """Return (nothing but the UPS has power, the UPS has run down too, IT power 0-1) over time."""
    grid_away = _during(faults, "power", time_s)
    generator = _lasting(grid_away, time_s, p.c.generator_start_s) & ~_during(faults, "generator", time_s)
    if p.plant.electrics.generator_w <= 0.0:
        generator = np.zeros_like(grid_away)
    unpowered = grid_away & ~generator
    run_down = _lasting(unpowered, time_s, ride_through_s)
    return unpowered, run_down, ~_extended(run_down, time_s, BOOT_S)


def _units(
    p: Parameters, columns: dict[str, Array], faults: tuple[Happening, ...], case: int, time_s: Array,
    unpowered: Array, on_ups: Array,
) -> None:  # fmt: skip
    """Write which units can run into ``columns``; spares stand in after their delay."""
    c, fleet = p.c, p.fleet
    fans = on_ups if "air handler fans" in c.on_ups else unpowered
    pumps = on_ups if "cdu pumps" in c.on_ups else unpowered
    wall = _during(faults, "fan wall", time_s)
    handlers = _bank(faults, "crah", fleet.handlers, time_s, c.standby_s, 0.0)
    columns["handler_ok"][:, :, case] = handlers * ~(wall | fans)[:, None]
    loops = _bank(faults, "cdu", fleet.cdus, time_s, c.standby_s, 0.0)
    covered = np.cumsum(loops[:, : p.loops] == 0.0, axis=1) <= loops[:, p.loops :].sum(axis=1, keepdims=True)
    alive = np.where((loops[:, : p.loops] > 0.0) | covered, 1.0, 0.0)
    isolated = np.stack([_isolated(p, faults, unit + 1, time_s) for unit in range(p.loops)], axis=1)
    columns["cdu_ok"][:, :, case] = alive * ~isolated * ~pumps[:, None]
    for name, kind, bank, delay, restart in (
        ("chillers_ok", "chiller", fleet.chillers, c.standby_chiller_s, c.chiller_restart_s),
        ("towers_ok", "tower", fleet.towers, c.standby_s, 0.0),
        ("coolers_ok", "cooler", fleet.coolers, c.standby_s, 0.0),
        ("coils_ok", "coil", fleet.coils, c.standby_s, 0.0),
        ("syphons_ok", "syphon", fleet.syphons, c.standby_s, 0.0),
        ("walls_ok", "wall", fleet.walls, c.standby_s, 0.0),
    ):
        running = _bank(faults, kind, bank, time_s, delay, restart).sum(axis=1) / bank.running
        columns[name][:, case] *= running * ~_extended(unpowered, time_s, restart)


def _bank(
    faults: tuple[Happening, ...], kind: str, bank: Bank, time_s: Array, delay_s: float, restart_s: float
) -> Array:
    """Return 0/1 by time and unit, (steps, running + spare): spares run while others have been down a while."""
    columns = [_during(faults, kind, time_s, unit + 1) for unit in range(bank.running + bank.spare)]
    down = np.stack([_extended(column, time_s, restart_s) for column in columns], axis=1)
    missing = np.stack([_lasting(down[:, u], time_s, delay_s) for u in range(bank.running)], axis=1).sum(axis=1)
    up = np.where(down, 0.0, 1.0)
    able = np.cumsum(up[:, bank.running :], axis=1)
    up[:, bank.running :] *= able <= missing[:, None]
    return up


def _isolated(p: Parameters, faults: tuple[Happening, ...], unit: int, time_s: Array) -> Array:
    """Return when a leaking loop's pump is stopped: the rope has told, or the reservoir is empty."""
    off = np.zeros(time_s.shape, dtype=bool)
    for fault in faults:
        if fault.kind == "leak" and fault.unit == unit:
            off |= (time_s >= fault.start_s + _leak_lasts_s(p, fault)) & (time_s < fault.end_s)
    return off


def _leak_lasts_s(p: Parameters, fault: Happening) -> float:
    volume_m3 = p.rack_j_k * (1.0 + p.c.pipework_per_rack_volume) / p.c.coolant_j_m3_k
    return min(p.c.leak_detect_s, p.c.leak_reserve * volume_m3 / fault.size)


def _world(
    p: Parameters, columns: dict[str, Array], fault: Happening, case: int, time_s: Array, series: Inputs
) -> None:
    """Write faults that are not of a unit into ``columns``."""
    on = (time_s >= fault.start_s) & (time_s < fault.end_s)
    if fault.kind == "leak":
        leaking = on & (time_s < fault.start_s + _leak_lasts_s(p, fault))
        columns["leak_kg_s"][leaking, fault.unit - 1, case] += fault.size * COOLANT_KG_M3
    elif fault.kind == "containment":
        columns["recirculation"][on, case] = BREACH_RECIRCULATION
    elif fault.kind == "sensor bias":
        columns["sensor_bias_k"][on, SENSORS.index(fault.target), case] += fault.size
    elif fault.kind == "sensor stuck":
        columns["sensor_stuck"][on, SENSORS.index(fault.target), case] = 1.0
    elif fault.kind == "swings":
        wave = 1.0 - fault.size * square_wave(time_s - fault.start_s, fault.period_s)
        for index, name in enumerate(p.chips.names):
            if fault.target in ("", name):
                columns["activity"][on, index, case] *= wave[on]
    elif fault.kind == "heat wave":
        rise = np.clip(np.minimum(time_s - fault.start_s, fault.end_s - time_s) / RAMP_S, 0.0, 1.0) * fault.size
        dry, wet = series.dry_bulb_c[:, case], series.wet_bulb_c[:, case]
        moisture = humidity_ratio_from_wet_bulb(dry, wet, p.pressure_pa)
        columns["dry_bulb_c"][:, case] = dry + rise
        columns["wet_bulb_c"][on, case] = wet_bulb_c(dry + rise, moisture, p.pressure_pa)[on]
