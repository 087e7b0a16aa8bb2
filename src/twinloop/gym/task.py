"""What an agent does to a hall, what it sees and what it pays: pure functions around the second-scale hall.

Every array carries the cases on its last axis, so that many halls take one step together.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from twinloop.arrays import FloatArray
from twinloop.climate.lookup import place_normals
from twinloop.climate.normals import weather_from_normals
from twinloop.cooling.towers import make_up
from twinloop.model.estimate import ComponentPower
from twinloop.model.weather import WeatherYear
from twinloop.planner.designs import KITS
from twinloop.twin.air_class import class_intake_c
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.groups import ItGroup
from twinloop.twin.sizing import size_plant
from twinloop.twin.transient_account import Account, account
from twinloop.twin.transient_nouns import Bank, Fleet, Inputs, State
from twinloop.twin.transient_parameters import Parameters, transient_parameters
from twinloop.twin.transient_run import Trace, constant_series, run, settle, steady_inputs
from twinloop.twin.year import WATER_KG_M3

ACTIONS = ("air setpoint", "warm-water setpoint", "cold-water setpoint", "supply-air surplus", "least water flow")
OBSERVATIONS = (
    "supply air", "intake air", "coolant supply", "warm supply", "cold supply", "margin of the worst chip",
    "it power", "cooling power", "water", "dry bulb", "wet bulb", "load", "load of the last step",
    "sine of the hour", "cosine of the hour",
)  # fmt: skip
LOWEST = np.array([-60.0] * 5 + [-200.0, 0.0, 0.0, 0.0, -60.0, -60.0, 0.0, 0.0, -1.0, -1.0])
HIGHEST = np.array([200.0] * 5 + [200.0, 3.0, 3.0, 10.0, 80.0, 60.0, 1.5, 1.5, 1.0, 1.0])


@dataclass(frozen=True)
class HallTask:
    """One hall, its weather and load, what it costs and what must not happen."""

    hall: Parameters
    weather: WeatherYear
    air_class: str = "A2"
    step_s: float = 300.0
    """Between decisions; setpoint controllers work on minutes."""
    inner_s: float = 15.0
    """Step of the hall."""
    steps: int = 288
    action_low: tuple[float, ...] = (18.0, 20.0, 10.0, 0.0, 0.3)
    action_high: tuple[float, ...] = (30.0, 40.0, 22.0, 0.3, 1.0)
    """°C, °C, °C, share of server air, share of design flow; the agent's -1 and 1."""
    energy_usd_j: float = 0.09 / 3.6e6
    water_usd_m3: float = 2.5
    penalty_usd_k_s: float = 0.01
    """For each kelvin and second that intake air or the worst chip is beyond its limit."""
    load_low: float = 0.4
    load_high: float = 1.0
    load_hold_s: float = 1800.0
    """The load is drawn anew this often."""
    cycles: float = 4.0
    settle_s: float = 1800.0
    """Run before the day under its first load, setpoints in the middle of their ranges."""


@dataclass(frozen=True)
class Situation:
    """Where the cases stand: the hall's state, the moment and the day's load."""

    state: State
    start_s: FloatArray
    """Start of the episode in the year, (cases,)."""
    load: FloatArray
    """(steps, cases)."""
    step: int
    observation: FloatArray = field(repr=False)
    """(cases, observations)."""


@dataclass(frozen=True)
class Outcome:
    """What one step brought, each (cases,)."""

    reward: FloatArray
    dead: FloatArray
    """1 where every chip has switched itself off."""
    facility_j: FloatArray
    it_j: FloatArray
    water_m3: FloatArray
    cost_usd: FloatArray
    violation_k_s: FloatArray
    worst_margin_k: FloatArray


def default_task(place: str = "Chicago") -> HallTask:
    """Return a hall of 340 kW with plates and rear doors, tower on the warm loop, in generated weather of ``place``.

    Raises:
        InputError: the place is unknown.
    """
    k = PlantConstants()
    year = weather_from_normals(place_normals(place))
    servers = ItGroup(
        "training", "8 accelerators", 40, 320, ComponentPower(208e3, 20e3, 16e3, 12e3, 4e3),
        ComponentPower(22e3, 8e3, 4e3, 6e3, 2e3), 36e3, 0.95, 650.0, 700.0, 87.0, 0.065, 0.03,
        ("air", "rear_door", "cold_plate", "bath"), np.ones(1),
    )  # fmt: skip
    kit = "plates + rear doors"
    design = HybridDesign(kit, KITS[kit], "tower", 32.0, True, "air_cooled_chiller", 18.0, 24.0, False, "N+1")
    plant = size_plant(design, (servers,), year.design, year.pressure_pa, 200.0, k)
    two = Bank(2, 1)
    fleet = Fleet(two, two, two, two, two, Bank(1, 0))
    return HallTask(transient_parameters(plant, (servers,), fleet, 200.0, year.pressure_pa, k), year)


def begin(task: HallTask, random: np.random.Generator, cases: int, hour: float | None = None) -> Situation:
    """Return ``cases`` halls at rest, at ``hour`` of the year or each at a random one, under a random load each."""
    hours = random.integers(0, 8760, cases) if hour is None else np.full(cases, hour % 8760.0)
    start_s = np.asarray(hours * 3600.0, dtype=np.float64)
    holds = max(round(task.load_hold_s / task.step_s), 1)
    drawn = random.uniform(task.load_low, task.load_high, (-(-task.steps // holds) + 1, cases))
    load = np.repeat(drawn, holds, axis=0)[: task.steps + 1]
    middle = np.zeros((cases, len(ACTIONS)))
    hall, inputs = _acted(task, start_s, load[0], middle)
    state = settle(hall, inputs, task.settle_s)
    nothing = np.zeros(cases)
    seen = _seen(task, state, start_s, load[0], load[0], (nothing, nothing, nothing))
    return Situation(state, start_s, load, 0, seen)


def advance(task: HallTask, now: Situation, actions: FloatArray) -> tuple[Situation, Outcome]:
    """Return the halls one decision later and what it brought; ``actions`` -1 to 1, (cases, actions)."""
    time_s = now.start_s + now.step * task.step_s
    load = now.load[now.step]
    hall, inputs = _acted(task, time_s, load, actions)
    series = constant_series(inputs, round(task.step_s / task.inner_s))
    trace = run(hall, now.state, series, task.inner_s)
    used = account(hall, trace)
    last = State(*[values[-1] for values in trace.states])
    outcome = _outcome(task, trace, used)
    powers = (np.mean(used.it_w, axis=0), np.mean(used.facility_w - used.it_w, axis=0), outcome.water_m3 / task.step_s)
    following = now.load[now.step + 1]
    seen = _seen(task, last, time_s + task.step_s, following, load, powers)
    return replace(now, state=last, step=now.step + 1, observation=seen), outcome


def merged(task: HallTask, old: Situation, new: Situation, renewed: NDArray[np.bool_]) -> Situation:
    """Return ``old`` with the cases that are ``renewed`` taken from ``new``, whose day then starts in the middle."""
    columns = [np.where(renewed, fresh, kept) for kept, fresh in zip(old.state, new.state, strict=True)]
    load = old.load.copy()
    load[old.step :, renewed] = new.load[: len(load) - old.step, renewed]
    start_s = np.where(renewed, new.start_s - old.step * task.step_s, old.start_s)
    seen = np.where(renewed[:, None], new.observation, old.observation)
    return Situation(State(*columns), start_s, load, old.step, seen)


def setpoints(task: HallTask, actions: FloatArray) -> FloatArray:
    """Return the physical values of ``actions``, (actions, cases)."""
    low, high = np.array(task.action_low), np.array(task.action_high)
    return np.asarray((low + (high - low) * 0.5 * (np.clip(actions, -1.0, 1.0) + 1.0)).T)


def _acted(task: HallTask, time_s: FloatArray, load: FloatArray, actions: FloatArray) -> tuple[Parameters, Inputs]:
    """Return the hall with the agent's flows and the inputs with its setpoints; cold water stays below the air."""
    air_c, warm_c, cold_c, surplus, flow = setpoints(task, actions)
    cold_c = np.minimum(cold_c, air_c - 2.0)
    hall = replace(task.hall, k=replace(task.hall.k, bypass=surplus, minimum_flow_ratio=flow))
    hours = time_s / 3600.0
    weather = task.weather
    dry, wet, dew = (
        np.interp(hours, np.arange(8760) + 0.5, values, period=8760.0)
        for values in (weather.dry_bulb_c, weather.wet_bulb_c, weather.dew_point_c)
    )
    base = steady_inputs(task.hall, len(time_s), np.ones(len(task.hall.chips.names)), 20.0, 15.0, 10.0)
    inputs = base._replace(
        dry_bulb_c=dry, wet_bulb_c=wet, dew_point_c=dew, activity=base.activity * load, air_setpoint_c=air_c,
        warm_setpoint_c=warm_c, cold_setpoint_c=cold_c,
    )  # fmt: skip
    return hall, inputs


def _outcome(task: HallTask, trace: Trace, used: Account) -> Outcome:
    seconds = trace.step_s
    water_kg_s, _ = make_up(used.evaporation_kg_s, used.drift_kg_s, task.cycles)
    water_m3 = water_kg_s.sum(axis=0) * seconds / WATER_KG_M3
    facility_j, it_j = (power.sum(axis=0) * seconds for power in (used.facility_w, used.it_w))
    margin = _margin_k(task, trace.states)[1:]
    intake = trace.states.intake_c[1:] - class_intake_c(task.air_class, task.weather.elevation_m)[1]
    beyond = np.maximum(-margin, 0.0) + np.maximum(intake, 0.0)
    violation = beyond.sum(axis=0) * seconds
    cost = facility_j * task.energy_usd_j + water_m3 * task.water_usd_m3
    alive = trace.states.alive[-1].max(axis=(0, 1, 2))
    return Outcome(
        reward=-cost - task.penalty_usd_k_s * violation, dead=np.where(alive > 0.0, 0.0, 1.0), facility_j=facility_j,
        it_j=it_j, water_m3=water_m3, cost_usd=cost, violation_k_s=violation, worst_margin_k=margin.min(axis=0),
    )  # fmt: skip


def _margin_k(task: HallTask, states: State) -> FloatArray:
    """Return kelvin between the throttle temperature and the hottest chip, less a guard of one kelvin."""
    chips_c = states.die_c - task.hall.chips.throttle_c
    return np.asarray(-chips_c.max(axis=(-4, -3, -2)) - 1.0)


def _seen(
    task: HallTask, state: State, time_s: FloatArray, load: FloatArray, last_load: FloatArray,
    powers: tuple[FloatArray, FloatArray, FloatArray],
) -> FloatArray:  # fmt: skip
    it_w, cooling_w, water_m3_s = powers
    design_w = task.hall.plant.it_w
    hour = 2.0 * np.pi * (time_s / 3600.0 % 24.0) / 24.0
    hours, middles = time_s / 3600.0, np.arange(8760) + 0.5
    dry, wet = (
        np.interp(hours, middles, values, period=8760.0)
        for values in (task.weather.dry_bulb_c, task.weather.wet_bulb_c)
    )
    columns = [
        state.supply_air_c, state.intake_c, state.coolant_c.max(axis=0), state.warm_supply_c, state.cold_supply_c,
        _margin_k(task, state), it_w / design_w, cooling_w / design_w, water_m3_s * 3600.0, dry, wet, load, last_load,
        np.sin(hour), np.cos(hour),
    ]  # fmt: skip
    return np.asarray(np.clip(np.stack(columns, axis=1), LOWEST, HIGHEST))
