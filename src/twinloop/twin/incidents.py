"""A window of one hall, run twice at once: in order, and with its faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.model.simulation import Incident
from twinloop.model.site import OnPremise
from twinloop.twin.air_class import allowable_intake_c
from twinloop.twin.design import PlantConstants
from twinloop.twin.design_hours import hardest_hour
from twinloop.twin.fault_words import read_faults
from twinloop.twin.faults import Happening, with_faults
from twinloop.twin.groups import ItGroup
from twinloop.twin.happenings import events_of
from twinloop.twin.plant import solve_plant
from twinloop.twin.sizing import Plant
from twinloop.twin.transient_account import Account, account
from twinloop.twin.transient_compiled import run_long
from twinloop.twin.transient_nouns import Fleet, Inputs, TransientConstants
from twinloop.twin.transient_parameters import Parameters, transient_parameters
from twinloop.twin.transient_run import Trace, settle, steady_inputs
from twinloop.twin.windows import Window, at_moments, held, read_window, steps_of, words_at
from twinloop.twin.year import outdoor_air, stored_year
from twinloop.units import YEAR_S


@dataclass(frozen=True)
class Hall:
    """A planned hall, ready to run: what the year was computed with, and its unit counts."""

    site: OnPremise
    plant: Plant
    groups: tuple[ItGroup, ...]
    fleet: Fleet


@dataclass(frozen=True)
class WindowRun:
    """The run and its account; the last case has the faults, the first, if there are two, is in order."""

    hall: Hall
    parameters: Parameters
    window: Window
    faults: tuple[Happening, ...]
    trace: Trace
    account: Account
    incident: Incident


def run_window(
    hall: Hall,
    window_text: str,
    fault_texts: tuple[str, ...],
    step_s: float,
    k: PlantConstants,
    c: TransientConstants | None = None,
    say: Callable[[int, int], None] | None = None,
) -> WindowRun:
    """Return ``hall`` over a window of its weather year at ``step_s``.

    Raises:
        InputError: the window or a fault is not understood.
    """
    site = hall.site
    window = read_window(window_text, site.weather)
    p = transient_parameters(hall.plant, hall.groups, hall.fleet, site.floor.area_m2, site.weather.pressure_pa, k, c)
    faults = read_faults(fault_texts, p, window, step_s)
    cases = 2 if faults else 1
    series = window_series(p, hall, window, step_s, cases)
    tank = store_schedule(hall, window, step_s, k)
    if tank is not None:
        series = series._replace(store_w=np.broadcast_to(tank[0][:, None], series.store_w.shape))
    start = settle(p, Inputs(*[values[0] for values in series]))
    if tank is not None:
        start = start._replace(stored_j=tank[1] + 0.0 * start.stored_j)
    if faults:
        series = with_faults(p, series, faults, 1, step_s, site.ride_through_s)
    trace = run_long(p, start, series, step_s, say)
    used = account(p, trace)
    times, words = events_of(p, trace, faults, window, allowable_intake_c(site)[1])
    spans = tuple((fault.start_s, min(fault.end_s, window.end_s - window.start_s)) for fault in faults)
    columns = [columns_of(p, trace, used, case) for case in range(cases)]
    incident = Incident(
        site=site.name, window=f"{window.name} from {words_at(window, 0.0)}", faults=tuple(f.words for f in faults),
        fault_spans_s=spans, step_s=step_s, events=words, event_times_s=times, first_moment_s=window.start_s,
        columns=columns[-1], in_order=columns[0] if faults else {},
    )  # fmt: skip
    return WindowRun(hall, p, window, faults, trace, used, incident)


def window_series(p: Parameters, hall: Hall, window: Window, step_s: float, cases: int) -> Inputs:
    """Return the inputs of ``window`` in order, time first: weather, load, setpoints of the design."""
    weather, k, steps = hall.site.weather, p.k, steps_of(window, step_s)
    whole = np.ones(steps)
    if window.design:
        air = hardest_hour(hall.plant, hall.groups, weather, k)
        dry, wet, dew = air.dry_bulb_c[0] * whole, air.wet_bulb_c[0] * whole, air.dew_point_c[0] * whole
        activity = [whole for _ in hall.groups]
    else:
        dry = at_moments(weather.dry_bulb_c, window, step_s) + k.recirculation_outdoor_k
        wet, dew = at_moments(weather.wet_bulb_c, window, step_s), at_moments(weather.dew_point_c, window, step_s)
        activity = [held(group.activity, window, step_s) for group in hall.groups]
    first = steady_inputs(p, cases, np.array([column[0] for column in activity]), dry[0], wet[0], dew[0])
    series = {name: np.broadcast_to(values, (steps, *values.shape)) for name, values in first._asdict().items()}
    for name, column in (("dry_bulb_c", dry), ("wet_bulb_c", wet), ("dew_point_c", dew)):
        series[name] = np.broadcast_to(column[:, None], (steps, cases))
    load = np.stack(activity, axis=1)[:, :, None]
    series["activity"] = np.broadcast_to(load, (*load.shape[:2], cases))
    return Inputs(**series)


def store_schedule(hall: Hall, window: Window, step_s: float, k: PlantConstants) -> tuple[FloatArray, float] | None:
    """Return (heat into the tank by step, cold in it at the start) of the year's schedule; ``None`` without a tank."""
    if hall.plant.design.cold_store_m3 <= 0.0:
        return None
    usual = solve_plant(hall.plant, hall.groups, outdoor_air(hall.site.weather, k), k)
    year = stored_year(hall.site, hall.plant, usual, k)
    assert year is not None  # noqa: S101  the design has a tank
    ends = np.concatenate([year.stored_j[-1:], year.stored_j])  # the year is a ring
    first_j = float(np.interp(window.start_s % YEAR_S / 3600.0, np.arange(8761), ends))
    return held(year.heat_w, window, step_s), first_j


def columns_of(p: Parameters, trace: Trace, used: Account, case: int) -> dict[str, FloatArray]:
    """Return what a reader of the trace wants by name, each of shape (steps,), for one case."""
    after, out = trace.states, trace.outputs
    warm = p.plant.warm is not None

    def later(values: FloatArray) -> FloatArray:
        return np.asarray(values[1:, ..., case])

    dies = later(after.die_c)
    columns = {
        "dry_bulb_c": trace.inputs.dry_bulb_c[:, case], "wet_bulb_c": trace.inputs.wet_bulb_c[:, case],
        "it_w": used.it_w[:, case], "facility_w": used.facility_w[:, case],
        "junction_c": dies[:, 0].max(axis=(1, 2)), "worst_junction_c": dies[:, 1].max(axis=(1, 2)),
        "worst_margin_k": (p.chips.throttle_c[:, :, 0] - dies[:, 1]).min(axis=(1, 2)),
        "margin_k": (p.chips.throttle_c[:, :, 0] - dies[:, 0]).min(axis=(1, 2)),
        "clock_share": later(after.ceiling)[:, 1].min(axis=(1, 2)), "supply_air_c": later(after.supply_air_c),
        "intake_c": later(after.intake_c), "room_c": later(after.room_c), "cold_supply_c": later(after.cold_supply_c),
        "cold_return_c": later(after.cold_return_c), "chillers_w": used.chillers_w[:, case],
        "crah_fans_w": used.crah_fans_w[:, case], "pumps_w": used.pumps_w[:, case],
        "heat_rejection_w": used.heat_rejection_w[:, case], "chillers_on": later(after.chillers_on),
        "chiller_load_w": out.chiller_load_w[:, case], "coil_valve": later(after.coil_valve),
        "water_kg_s": used.evaporation_kg_s[:, case], "energy_balance_error": used.balance_error[:, case],
    }  # fmt: skip
    for unit, fan in enumerate(later(after.handler_fan).T, 1):
        columns[f"crah_{unit}_fan"] = fan
    if p.plant.design.cold_store_m3 > 0.0:
        columns |= {"store_j": later(after.stored_j), "store_w": later(after.store_w)}
    if warm and p.plant.warm is not None and p.plant.warm.reuse is not None:
        columns |= {"heat_sold_w": used.heat_sold_w[:, case], "heat_pump_w": used.heat_pump_w[:, case]}
    if warm:
        columns |= {
            "warm_supply_c": later(after.warm_supply_c), "coolant_c": later(after.coolant_c).max(axis=1),
            "rack_coolant_c": later(after.rack_c).max(axis=1), "cooler_fan": later(after.cooler_fan),
            "trim_w": out.trim_w[:, case],
        }  # fmt: skip
        for unit, (pump, coolant) in enumerate(zip(later(after.cdu_pump).T, later(after.coolant_c).T, strict=True), 1):
            columns[f"cdu_{unit}_pump"], columns[f"cdu_{unit}_coolant_c"] = pump, coolant
    return columns
