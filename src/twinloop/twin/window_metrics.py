"""A window's figures by the same standards as a year's, and what a fault did."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinloop.arrays import Array, FloatArray
from twinloop.cooling.towers import make_up
from twinloop.model.simulation import Simulation
from twinloop.twin.air_class import allowable_intake_c
from twinloop.twin.class_hours import Moments, compliance, partial_pue
from twinloop.twin.happenings import CLOCK_LOST
from twinloop.twin.incidents import WindowRun
from twinloop.twin.metrics import KWH_J, MWH_J
from twinloop.twin.transient_boiling import flux_margin_k
from twinloop.twin.year import WATER_KG_M3

BACK_K = 1.0
"""Temperatures within this of the run without the fault count as recovered."""
HOUR_S = 3600.0


@dataclass(frozen=True)
class Verdict:
    """What the faults did to the chips; all ``None`` without faults."""

    time_to_throttle_s: float | None
    time_to_shutdown_s: float | None
    min_margin_k: float | None
    recovered: bool | None


def verdict(run: WindowRun) -> Verdict:
    """Return how long the worst chip held, its smallest margin, and whether all is as without the fault at the end."""
    if not run.faults:
        return Verdict(None, None, None, None)
    states, step_s = run.trace.states, run.trace.step_s
    begin = math.floor(min(fault.start_s for fault in run.faults) / step_s)
    share: Array = states.ceiling[1:, 1]
    lost: Array = np.less(share, np.minimum(CLOCK_LOST, share[..., :1] - 1e-6))
    dead = np.asarray(states.alive[1:, 1]) < 0.5
    margin_k = (run.parameters.chips.throttle_c - states.die_c[1:, 1])[begin:, ..., 1]
    last = [values[-1] for values in states]
    end = type(states)(*last)
    near = all(
        np.all(np.abs(values[..., 1] - values[..., 0]) < BACK_K)
        for values in (end.die_c, end.intake_c, end.coolant_c, end.cold_supply_c, end.warm_supply_c)
    )
    healthy = bool(np.all(end.alive[..., 1] == 1.0) and np.all(end.ceiling[..., 1] >= end.ceiling[..., 0] - 1e-6))
    running = bool(np.all(run.trace.inputs.it_power[-1] == 1.0))
    return Verdict(
        _first_s(lost[..., 1], begin, step_s), _first_s(dead[..., 1], begin, step_s), float(np.min(margin_k)),
        near and healthy and running,
    )  # fmt: skip


def _first_s(flags: Array, begin: int, step_s: float) -> float | None:
    """Return seconds from ``begin`` to the end of the first step with a flag set, or ``None``."""
    hit = np.flatnonzero(flags.reshape(flags.shape[0], -1).any(axis=1)[begin:])
    return float((hit[0] + 1) * step_s) if hit.size else None


def window_simulation(scenario: str, scenario_hash: str, runs: Sequence[WindowRun]) -> Simulation:
    """Return the figures of ``runs`` (one a hall, same window and step) together; amounts are of the window."""
    step_s = runs[0].trace.step_s
    energy, split, water = _sums(runs, step_s)
    it, facility = energy["it"], math.fsum(energy.values())
    it_kwh = it * MWH_J / KWH_J
    made_up = math.fsum(water.values())
    facility_j = [float(run.account.facility_w[:, -1].sum()) * step_s for run in runs]
    source_m3 = math.fsum(j * r.hall.site.grid.source_water_m3_per_j for j, r in zip(facility_j, runs, strict=True))
    carbon_kg = math.fsum(j * r.hall.site.grid.carbon_kg_per_j for j, r in zip(facility_j, runs, strict=True))
    mechanical_w: Array = sum(
        r.account.crah_fans_w[:, -1] + r.account.pumps_w[:, -1] + r.account.chillers_w[:, -1]
        + r.account.heat_rejection_w[:, -1] for r in runs
    )  # fmt: skip
    it_w: Array = sum(r.account.it_w[:, -1] for r in runs)
    facility_w: Array = sum(r.account.facility_w[:, -1] for r in runs)
    worst = int(np.argmax(mechanical_w))
    reused = math.fsum(float(r.account.heat_sold_w[:, -1].sum()) for r in runs) * step_s / MWH_J
    faulted = [verdict(r) for r in runs if r.faults]
    found = faulted[0] if faulted else Verdict(None, None, None, None)
    on = [run.trace.states.chillers_on[:, -1] > 0.0 for run in runs]
    return Simulation(
        scenario=scenario, scenario_hash=scenario_hash, halls=tuple(r.hall.site.name for r in runs),
        pue=facility / it, ppue=partial_pue(energy), tue=facility / split["compute"], itue=it / split["compute"],
        wue_site_l_per_kwh=made_up * 1e3 / it_kwh, wue_source_l_per_kwh=(made_up + source_m3) * 1e3 / it_kwh,
        cue_kg_per_kwh=carbon_kg / it_kwh, ere=(facility - reused) / it, erf=reused / facility,
        mlc_annual=float(np.sum(mechanical_w) / np.sum(it_w)),
        mlc_design=float(mechanical_w[worst] / max(it_w[worst], 1.0)),
        it_energy_mwh=it, facility_energy_mwh=facility, energy_mwh=energy, it_split_mwh=split, water_m3=water,
        peak_power_w=float(np.max(facility_w)), billing_peak_w=_quarter_hour_peak_w(np.asarray(facility_w), step_s),
        peak_junction_c=max(float(r.trace.states.die_c[1:, 1, ..., -1].max()) for r in runs),
        worst_intake_c=max(float(r.trace.states.intake_c[1:, -1].max()) + r.parameters.k.spread_intake_k for r in runs),
        first_limit=_first_limit(runs), throttled_device_hours=math.fsum(_throttled(r) for r in runs),
        unmet_load_hours=round(sum(_unmet_s(r) for r in runs) / HOUR_S),
        hours_outside_class=round(sum(_outside_s(r) for r in runs) / HOUR_S),
        **compliance([_moments(run) for run in runs]), free_cooling_hours=_free_hours(runs),
        mode_switches=sum(int(np.count_nonzero(np.diff(each.astype(int)))) for each in on),
        chiller_starts=sum(int(np.count_nonzero(each[1:] & ~each[:-1])) for each in on), monthly=(),
        energy_balance_error=max(float(r.account.balance_error.max()) for r in runs),
        events=tuple(event for r in runs for event in r.incident.events), window=runs[0].window.name, step_s=step_s,
        time_to_throttle_s=found.time_to_throttle_s, time_to_shutdown_s=found.time_to_shutdown_s,
        min_margin_k=found.min_margin_k, recovered=found.recovered, heat_sold_mwh=reused,
        heat_pump_mwh=math.fsum(float(r.account.heat_pump_w[:, -1].sum()) for r in runs) * step_s / MWH_J,
    )  # fmt: skip


def _moments(run: WindowRun) -> Moments:
    states, warm = run.trace.states, run.parameters.plant.warm is not None
    return Moments(
        run.hall.site, run.trace.step_s / HOUR_S, states.supply_air_c[1:, -1], states.intake_c[1:, -1],
        states.exhaust_c[1:, -1], run.trace.outputs.server_air_kg_s[:, -1], run.parameters.k.spread_intake_k,
        states.warm_supply_c[1:, -1] if warm else None, states.coolant_c[1:, :, -1].max(axis=1) if warm else None,
    )  # fmt: skip


def _sums(runs: Sequence[WindowRun], step_s: float) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Return (energy by end use, IT energy by part, water by use) of all halls: MWh, MWh, m³."""

    def mwh(name: str) -> float:
        return math.fsum(float(getattr(run.account, name)[:, -1].sum()) for run in runs) * step_s / MWH_J

    energy = {
        "it": mwh("it_w"), "crah_fans": mwh("crah_fans_w"), "pumps": mwh("pumps_w"), "chillers": mwh("chillers_w"),
        "heat_rejection": mwh("heat_rejection_w"), "ups_loss": mwh("ups_loss_w"),
        "distribution_loss": mwh("distribution_loss_w"), "other": mwh("lighting_w") + mwh("heat_pump_w"),
    }  # fmt: skip
    split = {
        "compute": mwh("compute_w"),
        "fans": mwh("server_fans_w"),
        "power_supply_loss": mwh("psu_loss_w"),
    }
    water = dict.fromkeys(("evaporation", "blowdown", "drift", "humidification"), 0.0)
    for run in runs:
        evaporated, drift = run.account.evaporation_kg_s[:, -1], run.account.drift_kg_s[:, -1]
        _, bled = make_up(evaporated, drift, run.hall.site.water.cycles)
        for name, flow in (("evaporation", evaporated), ("blowdown", bled), ("drift", drift)):
            water[name] += float(np.sum(flow)) * step_s / WATER_KG_M3
    return energy, split, water


def _quarter_hour_peak_w(facility_w: FloatArray, step_s: float) -> float:
    """Return the highest mean of a quarter of an hour, the usual basis of demand charges."""
    size = min(max(round(900.0 / step_s), 1), facility_w.size)
    sums = np.cumsum(np.concatenate([[0.0], facility_w]))
    return float(np.max(sums[size:] - sums[:-size]) / size)


def _first_limit(runs: Sequence[WindowRun]) -> str:
    margins = {}
    for run in runs:
        site, states = run.hall.site, run.trace.states
        high_c = allowable_intake_c(site)[1]
        margins[f"{site.name}: intake air class"] = high_c - float(states.intake_c[1:, -1].max())
        for g, group in enumerate(run.hall.groups):
            hottest_c = float(states.die_c[1:, 1, g, :, -1].max())
            margins[f"{site.name}: junction of {group.name}"] = group.throttle_c - hottest_c
        if run.parameters.plant.design.boils:
            left_k = flux_margin_k(run.parameters, states)[1:, ..., -1].min(axis=(0, 2))
            for group, left in zip(run.hall.groups, left_k, strict=True):
                margins[f"{site.name}: critical heat flux of {group.name}"] = float(left)
    name = min(margins, key=lambda key: margins[key])
    return f"{name} ({margins[name]:.1f} K left)"


def _throttled(run: WindowRun) -> float:
    """Return device hours, counted by the worst chip as in the year's figures."""
    lost = (run.trace.states.ceiling[1:, 1, ..., -1] < CLOCK_LOST) * run.trace.inputs.activity[:, :, -1][:, :, None]
    devices = np.array(run.parameters.chips.device_count)[None, :, None] / run.parameters.loops
    return float((lost * devices).sum()) * run.trace.step_s / HOUR_S


def _unmet_s(run: WindowRun) -> float:
    over = run.trace.states.supply_air_c[1:, -1] > run.trace.inputs.air_setpoint_c[:, -1] + 0.5
    return float(over.sum()) * run.trace.step_s


def _outside_s(run: WindowRun) -> float:
    low_c, high_c = allowable_intake_c(run.hall.site)
    intake_c = run.trace.states.intake_c[1:, -1]
    return float(((intake_c < low_c) | (intake_c > high_c)).sum()) * run.trace.step_s


def _free_hours(runs: Sequence[WindowRun]) -> dict[str, int]:
    """Return whole hours by the chillers' share of what they, economisers and outdoor air carry; the rest is none."""
    seconds = {"full": 0.0, "partial": 0.0, "none": 0.0}
    for run in runs:
        out = run.trace.outputs
        load_w, free_w = out.chiller_load_w[:, -1], out.free_cold_w[:, -1] + np.maximum(out.outdoor_air_w[:, -1], 0.0)
        share = load_w / np.maximum(load_w + free_w, 1.0)
        full, none = float(np.mean(share < 0.01)), float(np.mean(share > 0.99))
        whole = run.trace.steps * run.trace.step_s
        for name, part in (("full", full), ("none", none), ("partial", 1.0 - full - none)):
            seconds[name] += part * whole
    return {name: round(value / HOUR_S) for name, value in seconds.items()}
