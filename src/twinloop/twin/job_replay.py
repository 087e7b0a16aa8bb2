"""A large liquid-cooled machine through a day: node power and one accelerator temperature a node, every few seconds.

Jobs (or measured heat) drive nodes; nodes heat the coolant of their distribution unit; units heat the facility's
water, which towers cool. Currents of power do not depend on temperature here: published linear node models leave
leakage out. Floats are single precision inside the day, totals are double.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinloop.arrays import Array, FloatArray
from twinloop.cooling.cdus import Cdu
from twinloop.cooling.exchangers import ua_for_duty_w_k
from twinloop.cooling.towers import make_up
from twinloop.twin.calibration_loops import unit_loop
from twinloop.twin.design import PlantConstants
from twinloop.twin.free_coolers import OutdoorAir, TowerSet, free_cool
from twinloop.twin.job_replay_power import Machine, chassis_input_w, machine_power_w, node_power_w, nodes_behind_w
from twinloop.twin.job_replay_schedule import IntArray, Jobs, Placed, PlacementRule, schedule
from twinloop.twin.sizing import tower_for

Single = NDArray[np.float32]
Tenths = NDArray[np.uint16]
FLOATED_K = 0.05
"""Facility water this far above its setpoint is fed back to the units in a second pass."""
K = PlantConstants()


@dataclass(frozen=True)
class MachineCooling:
    """Distribution units, all alike, and the towers behind them."""

    unit: Cdu
    supply_c: float
    """Facility water to the units."""
    coolant_j_k: float
    """Stored in one unit's loop."""
    towers: TowerSet
    primary_pump_w: float
    cycles: float = 4.0


@dataclass(frozen=True)
class Replay:
    """The day; time is the first axis."""

    t_s: FloatArray
    node_dw: Tenths
    """DC power of every node, tenths of a watt, (steps, nodes)."""
    accelerator_cc: Tenths
    """One accelerator of every node, hundredths of a degree Celsius, (steps, nodes)."""
    cdu_heat_w: Single
    """(steps, units)."""
    coolant_supply_c: Single
    coolant_return_c: Single
    facility_supply_c: FloatArray
    machine_w: FloatArray
    """Racks and distribution-unit pumps."""
    plant_w: FloatArray
    """Primary and tower pumps and tower fans."""
    water_kg_s: FloatArray

    @property
    def pue(self) -> float:
        """Machine (with its distribution units) and plant over machine, as the machine's owner counts."""
        return 1.0 + float(self.plant_w.sum() / self.machine_w.sum())

    @property
    def hottest_c(self) -> float:
        """The hottest accelerator at any moment."""
        return float(self.accelerator_cc.max()) / 100.0


def cdu_of_nodes(machine: Machine) -> IntArray:
    """Return the distribution unit of every node: racks are spread over the units, the last ones getting fewer.

    >>> from twinloop.twin.job_replay_power import FRONTIER
    >>> np.bincount(cdu_of_nodes(FRONTIER))[[0, 12, 24]].tolist()
    [384, 384, 256]
    """
    per_cdu = -(-machine.racks // machine.cdus)
    return np.repeat(np.arange(machine.racks) // per_cdu, machine.nodes_per_rack)


def cooling_for(machine: Machine, wet_bulb_c: float, pressure_pa: float = 101325.0, supply_c: float = 32.0,
                unit_flow_m3_s: float = 0.01514) -> MachineCooling:  # fmt: skip
    """Size units and towers for the machine at full power: 3 K between facility water and coolant, 10 % to spare.

    Default flow: 6,000 US gallons a minute over 25 units, published of Frontier; 100 s of it stored in a unit's loop
    (low confidence).
    """
    cp = K.water_heat_capacity_j_kg_k
    flow = unit_flow_m3_s * K.water_density_kg_m3
    heat_w = float(machine_power_w(machine, 1.0)) * machine.heat_to_liquid
    share_w = heat_w / machine.cdus
    return_c = supply_c + 3.0 + share_w / (flow * cp)
    ua = ua_for_duty_w_k(share_w, return_c, supply_c, flow * cp, flow * cp)
    total = flow * machine.cdus
    pump_w = total / K.water_density_kg_m3 * K.facility_pump_pa / K.facility_pump_efficiency
    duty_w = heat_w + pump_w
    basin_c = max(supply_c - K.plate_exchanger_approach_k, wet_bulb_c + K.tower_approach_k)
    plate = ua_for_duty_w_k(
        duty_w, supply_c + duty_w / (total * cp), supply_c - K.plate_exchanger_approach_k, total * cp, total * cp
    )
    outdoor = OutdoorAir(np.array([wet_bulb_c + 5.0]), np.array([wet_bulb_c]), np.array([wet_bulb_c]), pressure_pa)
    cells = tower_for(duty_w * (1.0 + K.sizing_margin) + pump_w, total, basin_c, outdoor, K)
    unit = Cdu(ua, flow, flow, machine.cdu_pump_w)
    return MachineCooling(unit, supply_c, 100.0 * flow * cp, TowerSet(cells, plate, total, pump_w), pump_w)


def replay_jobs(
    machine: Machine, jobs: Jobs, outdoor: OutdoorAir, step_s: float = 15.0, rule: PlacementRule = "packed",
    cooling: MachineCooling | None = None,
) -> tuple[Replay, Placed]:  # fmt: skip
    """Return the day that ``jobs`` make of ``machine`` and their schedule; one outdoor value a step."""
    placed = schedule(jobs, cdu_of_nodes(machine), rule)
    steps = len(outdoor.wet_bulb_c)
    given = cooling or cooling_for(machine, 26.0, outdoor.pressure_pa)

    def drive() -> Iterator[tuple[Single, Single] | None]:
        return _driven_by_jobs(machine, jobs, placed, steps, step_s)

    return _replay(machine, given, drive, outdoor, step_s), placed


def replay_heat(
    machine: Machine,
    heat_w: FloatArray,
    outdoor: OutdoorAir,
    step_s: float = 15.0,
    cooling: MachineCooling | None = None,
) -> Replay:
    """Return the day of measured heat by unit, (steps, units): nodes of a unit share it evenly."""
    given = cooling or cooling_for(machine, 26.0, outdoor.pressure_pa)
    return _replay(machine, given, lambda: _driven_by_heat(machine, heat_w), outdoor, step_s)


def _driven_by_jobs(
    machine: Machine, jobs: Jobs, placed: Placed, steps: int, step_s: float
) -> Iterator[tuple[Single, Single] | None]:
    """Yield (node power, accelerator power) after the events of each step, ``None`` where none happens."""
    happening: list[list[tuple[int, bool]]] = [[] for _ in range(steps)]
    for job in np.flatnonzero(np.isfinite(placed.start_s)).tolist():
        begin, end = (int(np.ceil(at / step_s)) for at in (placed.start_s[job], placed.start_s[job] + jobs.run_s[job]))
        if begin < end and begin < steps:
            happening[begin].append((job, True))
            if end < steps:
                happening[end].insert(0, (job, False))
    idle_w, busy_w = machine.accelerator_w
    node_w = np.full(machine.nodes, node_power_w(machine, 0.0, 0.0), dtype=np.float32)
    chip_w = np.full(machine.nodes, idle_w, dtype=np.float32)
    for step, events in enumerate(happening):
        for job, starts in events:
            cpu, accelerator = (float(jobs.cpu[job]), float(jobs.accelerator[job])) if starts else (0.0, 0.0)
            node_w[placed.nodes_of[job]] = node_power_w(machine, cpu, accelerator)
            chip_w[placed.nodes_of[job]] = idle_w + accelerator * (busy_w - idle_w)
        yield (node_w, chip_w) if events or step == 0 else None


def _driven_by_heat(machine: Machine, heat_w: FloatArray) -> Iterator[tuple[Single, Single] | None]:
    group = cdu_of_nodes(machine)
    count = np.bincount(group)
    least_w, most_w = float(node_power_w(machine, 0.0, 0.0)), float(node_power_w(machine, 1.0, 1.0))
    idle_w, busy_w = machine.accelerator_w
    for row in heat_w:
        mean_w = nodes_behind_w(machine, row / machine.heat_to_liquid, count) / count
        level = (mean_w - least_w) / (most_w - least_w)
        chips_w = np.maximum(idle_w + level * (busy_w - idle_w), 0.0)
        yield mean_w.astype(np.float32)[group], chips_w.astype(np.float32)[group]


def _replay(machine: Machine, cooling: MachineCooling, drive: Array, outdoor: OutdoorAir, step_s: float) -> Replay:
    steps = len(outdoor.wet_bulb_c)
    supply_c = np.full(steps, cooling.supply_c)
    day = _nodes_day(machine, cooling, drive(), supply_c, step_s)
    plant = _plant_day(machine, cooling, day.cdu_heat_w, outdoor)
    if float(np.max(plant.supply_c)) > cooling.supply_c + FLOATED_K:
        supply_c = np.maximum(plant.supply_c, cooling.supply_c)
        day = _nodes_day(machine, cooling, drive(), supply_c, step_s)
    pumps_w = machine.cdus * machine.cdu_pump_w
    return Replay(
        np.arange(steps, dtype=np.float64) * step_s, day.node_dw, day.accelerator_cc, day.cdu_heat_w, day.supply_c,
        day.return_c, supply_c, day.racks_w + pumps_w, plant.power_w, plant.water_kg_s,
    )  # fmt: skip


@dataclass(frozen=True)
class _Day:
    node_dw: Tenths
    accelerator_cc: Tenths
    cdu_heat_w: Single
    supply_c: Single
    return_c: Single
    racks_w: FloatArray


def _nodes_day(
    machine: Machine, cooling: MachineCooling, drive: Iterator[tuple[Single, Single] | None], facility_c: FloatArray,
    step_s: float,
) -> _Day:  # fmt: skip
    """Step nodes and unit loops: each is linear with a constant rate, so the exponential step is exact."""
    steps, group = len(facility_c), cdu_of_nodes(machine)
    first, count = np.searchsorted(group, np.arange(machine.cdus)), np.bincount(group)
    loop = unit_loop(cooling.unit, cooling.coolant_j_k, step_s)
    sink = np.float32(1.0 - np.exp(-step_s / machine.sink_s))
    node_dw, accelerator_cc = (np.empty((steps, machine.nodes), dtype=np.uint16) for _ in range(2))
    heat, supplies, returns = (np.empty((steps, machine.cdus), dtype=np.float32) for _ in range(3))
    racks_w = np.empty(steps)
    chips_c, rise_k, tenths = np.empty(0, dtype=np.float32), np.empty(0, dtype=np.float32), np.empty(0)
    heat_w = return_c = np.zeros(machine.cdus)
    scratch = np.empty(machine.nodes, dtype=np.float32)
    for step, driven in enumerate(drive):
        if driven is not None:
            node_w, chip_w = driven
            racks_cdu_w = chassis_input_w_of(machine, np.add.reduceat(node_w, first, dtype=np.float64), count)
            heat_w, racks_w[step:] = racks_cdu_w * machine.heat_to_liquid, racks_cdu_w.sum()
            tenths, rise_k = np.rint(node_w * 10.0), machine.r_plate_k_w * chip_w
        now_c = facility_c[step]
        return_c = loop.after(return_c, heat_w, now_c) if step else loop.resting_c(heat_w, now_c)
        supply_c = loop.supply_c(return_c, now_c)
        heat[step], supplies[step], returns[step] = heat_w, supply_c, return_c
        np.take(supply_c.astype(np.float32), group, out=scratch)
        scratch += rise_k
        if step == 0:
            chips_c = scratch.copy()
        else:
            scratch -= chips_c
            scratch *= sink
            chips_c += scratch
        node_dw[step] = tenths
        np.multiply(chips_c, np.float32(100.0), out=scratch)
        accelerator_cc[step] = scratch
    return _Day(node_dw, accelerator_cc, heat, supplies, returns, racks_w)


def chassis_input_w_of(machine: Machine, nodes_w: Array, nodes: Array) -> Array:
    """Return the AC power of ``nodes`` nodes in whole chassis that draw ``nodes_w`` together."""
    chassis = nodes / machine.nodes_per_chassis
    return chassis * chassis_input_w(machine, nodes_w / chassis, machine.nodes_per_chassis)


@dataclass(frozen=True)
class _PlantDay:
    supply_c: FloatArray
    power_w: FloatArray
    water_kg_s: FloatArray


def _plant_day(machine: Machine, cooling: MachineCooling, heat_w: Single, outdoor: OutdoorAir) -> _PlantDay:
    """Return what towers do with the units' heat, each step at rest: the loop's minutes are far below the day's."""
    flow = np.full(len(heat_w), machine.cdus * cooling.unit.primary_design_kg_s)
    total_w = heat_w.sum(axis=1, dtype=np.float64) + cooling.primary_pump_w
    entering_c = cooling.supply_c + total_w / (flow * K.water_heat_capacity_j_kg_k)
    point = free_cool(cooling.towers, entering_c, flow, np.full(len(heat_w), cooling.supply_c), outdoor, K)
    water, _ = make_up(point.evaporation_kg_s, point.drift_kg_s, cooling.cycles)
    return _PlantDay(point.water_out_c, cooling.primary_pump_w + point.fan_w + point.pump_w, water)
