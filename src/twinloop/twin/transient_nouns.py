"""Nouns of the second-scale hall: assumptions, unit counts, and what a step takes and gives.

The last axis of every array is the case: one run may carry the same hall with and without a fault, or a
whole fault matrix. Axes before it are written (cases,), (units, cases) or (groups, loops, cases).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from twinloop.arrays import Array, namespace
from twinloop.model.plan import Equipment

SENSORS = ("supply air", "coolant", "warm supply", "cold supply", "basin")
"""What the controllers read; order of the readings' first axis."""


@dataclass(frozen=True)
class TransientConstants:
    """Stored heat, rates and delays, each with its source. Change one with ``dataclasses.replace``."""

    fast_share: float = 0.5
    """Part of junction-to-coolant resistance inside the die's fast constant. Two-exponential fits to six H100
    logs at 10 Hz: half or more of the resistance answers within about 0.5 s."""
    die_s: float = 0.5
    """Fast constant; same fits: 0.4-0.65 s."""
    air_sink_s: float = 40.0
    """Slow constant of an air heat sink; same fits: 30-55 s."""
    plate_j_k: float = 310.0
    """One cold plate: about 0.8 kg of copper at 385 J/(kg K); 3-15 s with its half resistance. Low confidence."""
    bath_sink_s: float = 20.0
    """Boiler plate or fin sink in a bath. Low confidence."""
    coolant_j_m3_k: float = 4.004e6
    """25 % propylene glycol at 40 °C: density times heat capacity (``fluids.liquids``)."""
    pipework_per_rack_volume: float = 1.0
    """Coolant in manifolds, pipes and the distribution unit over that inside the racks. Low confidence."""
    bath_j_k_w: float = 20.0
    """Dielectric and tank per watt of bath: about 1.1 m³ of 0.8 t/m³, 2.2 kJ/(kg K) a 100 kW tank. Low confidence."""
    warm_m3_w: float = 4.0e-6
    """Facility water of the warm loop, 4 L/kW. Low confidence."""
    cold_m3_w: float = 6.5e-6
    """Chilled water, 6.5 L/kW: six US gallons a ton, chiller makers' usual minimum for steady process loads;
    three for comfort. Low confidence."""
    boiling_j_k_w: float = 6.8
    """The same in two-phase tanks: 1 m³ a 252 kW tank of FK-649 at its boiling point, 1527 kg/m³ and 1122 J/(kg K)
    (McLinden et al. 2015, by CoolProp). Low confidence in the volume."""
    basin_s: float = 120.0
    """Tower basin over its water flow. Low confidence."""
    hall_height_m: float = 3.5
    """Slab to ceiling. Low confidence."""
    air_j_m3_k: float = 1.17 * 1006.0
    """Hall air at 27 °C, sea level."""
    metal_j_k_w: float = 3.0
    """Racks, servers and containment that exchange with hall air, per design IT watt: about 0.25 t of steel
    and boards a 40 kW rack. Khankari, ASHRAE Transactions 117 (2011), LV-11-C026, shows that racks carry
    several times the heat of the air. Low confidence."""
    metal_s: float = 180.0
    """Constant of that exchange. Low confidence."""
    throttle_release_k: float = 3.0
    """Clocks count as restored this far below the throttle temperature. Low confidence."""
    clock_recovery_per_s: float = 0.02
    """Share of power a second that returns after throttling. Low confidence."""
    shutdown_above_throttle_k: float = 5.0
    """A chip switches itself off this far above its throttle temperature; 3-8 K for parts whose two
    limits are public. Low confidence."""
    server_fan_s: float = 10.0
    """Server fan speed follows its heat. Fan control loops run at 0.1-1 s, thermal ones at 1-10 s."""
    pump_ramp_s: float = 20.0
    """Variable-speed drive from rest to full speed. Practice 10-30 s."""
    pump_coast_s: float = 2.0
    """A tripped pump's flow falls as 1/(1 + t/τ). Small pumps 1-5 s. Low confidence."""
    fan_ramp_s: float = 30.0
    """Air-handler fans from rest to full speed."""
    fan_coast_s: float = 6.0
    """A tripped fan's flow falls as 1/(1 + t/τ). Low confidence."""
    valve_s: float = 90.0
    """Stroke of a valve or damper; actuators 60-150 s."""
    water_band_k: float = 0.3
    """Water on pads and walls is turned on above and off below its target by this. Low confidence."""
    control_s: float = 15.0
    """Closed-loop constant of the temperature controllers."""
    chiller_load_s: float = 120.0
    """Unloaded to full load. Practice 1-3 min, low confidence."""
    chiller_run_s: float = 600.0
    """Least running time before a machine stages off."""
    chiller_rest_s: float = 300.0
    """Least rest before it starts again."""
    chiller_restart_s: float = 300.0
    """From power or reset to cooling. Five minutes ordinary, one to two with quick restart; fifteen and more
    are reported (Schneider Electric white paper 179 on cooling outages). Low confidence."""
    standby_s: float = 15.0
    """A spare pump, fan or outdoor fan takes over. Practice 5-30 s."""
    standby_chiller_s: float = 180.0
    """A spare chiller takes over. Low confidence."""
    generator_start_s: float = 10.0
    """NFPA 110, type 10."""
    on_ups: tuple[str, ...] = ("cdu pumps", "air handler fans")
    """Behind the UPS besides the IT; everything else restarts when the generator or the grid carries it. Central
    rectifiers carry them too, by the direct-current side of their drives; batteries in racks carry racks alone."""
    leak_detect_s: float = 60.0
    """Leak rope to isolation: the unit's pump is stopped. Low confidence."""
    leak_reserve: float = 0.1
    """Share of the loop's volume that the unit's reservoir makes up before the pump loses suction."""
    fill_c: float = 20.0
    """Make-up coolant."""


@dataclass(frozen=True)
class Bank:
    """Like units of one kind: how many carry the design load and how many stand by."""

    running: int
    spare: int = 0


@dataclass(frozen=True)
class Fleet:
    """Unit counts of a hall's equipment schedule."""

    handlers: Bank = Bank(1)
    cdus: Bank = Bank(1)
    chillers: Bank = Bank(1)
    towers: Bank = Bank(1)
    """Cells of the cold loop's tower."""
    coolers: Bank = Bank(1)
    """Outdoor coolers of the warm loop."""
    coils: Bank = Bank(1)
    """Outdoor coils before an air-cooled chiller."""
    syphons: Bank = Bank(1)
    """Thermosyphons before the warm loop's tower."""
    walls: Bank = Bank(1)
    """Indirect evaporative coolers."""


TAGS = {"AH": "handlers", "CDU": "cdus", "CH": "chillers", "CT": "towers", "DC": "coolers", "WT": "coolers",
        "FC": "coils", "TS": "syphons", "IE": "walls"}  # fmt: skip
"""Tag of the equipment schedule -> bank."""


def fleet_of(lines: Iterable[Equipment]) -> Fleet:
    """Return the unit counts of an equipment schedule; kinds that it lacks count as one."""
    return Fleet(**{TAGS[line.tag]: Bank(line.count, line.spare) for line in lines if line.tag in TAGS})


class State(NamedTuple):
    """All that a step must remember: temperatures, actuators, readings, timers."""

    die_c: Array
    """(2, groups, loops, cases): mean chip, worst chip."""
    sink_c: Array
    """Same shape: heat sink, plate or bath sink."""
    ceiling: Array
    """Same shape: share of wanted power that throttling leaves, 0-1."""
    throttled: Array
    """Same shape: 1 from the throttle temperature until clocks are restored."""
    alive: Array
    """Same shape: 0 once a chip has switched itself off."""
    server_fan: Array
    """(groups, cases): air flow over the all-air design flow."""
    rack_c: Array
    """(loops, cases): coolant inside plates or baths."""
    coolant_c: Array
    """(loops, cases): coolant supply."""
    loop_heat_w: Array
    drift_k: Array
    """(loops, cases): how much the coolant that chips see rose in the last step."""
    cdu_pump: Array
    cdu_valve: Array
    """(loops, cases): primary water over its design flow."""
    room_c: Array
    metal_c: Array
    supply_air_c: Array
    intake_c: Array
    exhaust_c: Array
    door_out_c: Array
    handler_fan: Array
    """(units, cases): air over the unit's design flow."""
    coil_valve: Array
    door_valve: Array
    damper: Array
    """Outdoor share of the economiser."""
    warm_supply_c: Array
    warm_return_c: Array
    warm_basin_c: Array
    warm_out_c: Array
    """Leaving the outdoor cooler."""
    warm_cells_c: Array
    """Leaving the tower cells of the warm loop."""
    warm_pump: Array
    tower_pump: Array
    cooler_fan: Array
    pads: Array
    trim_w: Array
    reuse_w: Array
    """Heat that the buyer's valve or heat pump asks of the warm return."""
    syphon_fan: Array
    syphon_out_c: Array
    """Warm water leaving the thermosyphons."""
    cold_supply_c: Array
    cold_return_c: Array
    basin_c: Array
    coil_out_c: Array
    """Chilled water leaving the outdoor coil or the plate economiser."""
    evaporator_out_c: Array
    cells_c: Array
    cold_pump: Array
    condenser_pump: Array
    free_fan: Array
    tower_fan: Array
    chiller_w: Array
    """Evaporator load."""
    chiller_most_w: Array
    """What all machines together could carry at the last step's temperatures."""
    chillers_on: Array
    chiller_timer_s: Array
    wall_wet: Array
    """1 while the indirect evaporative cooler is wetted."""
    store_w: Array
    """Heat into the chilled-water tank: cold taken out, below 0 while it is charged."""
    stored_j: Array
    """Cold in the tank."""
    readings_c: Array
    """(sensors, cases)."""


class Inputs(NamedTuple):
    """What the world and the operator do during one step."""

    dry_bulb_c: Array
    wet_bulb_c: Array
    dew_point_c: Array
    activity: Array
    """(groups, cases): level of power between idle and busy."""
    it_power: Array
    """1 while the IT has electricity."""
    air_setpoint_c: Array
    warm_setpoint_c: Array
    cold_setpoint_c: Array
    recirculation: Array
    cdu_ok: Array
    """(loops, cases): 1 while the loop's unit, or its stand-in, has power and runs."""
    handler_ok: Array
    """(units, cases)."""
    chillers_ok: Array
    """Machines that can run, over the design count; more than 1 with spares in use is clipped by control."""
    towers_ok: Array
    """Cells whose fan can run, over the design count."""
    coolers_ok: Array
    coils_ok: Array
    syphons_ok: Array
    walls_ok: Array
    buyer_ok: Array
    """1 while the heat buyer takes what he is offered and his heat pump has power."""
    store_w: Array
    """Heat into the chilled-water tank by its schedule."""
    warm_pump_ok: Array
    cold_pump_ok: Array
    condenser_pump_ok: Array
    leak_kg_s: Array
    """(loops, cases)."""
    sensor_bias_k: Array
    """(sensors, cases)."""
    sensor_stuck: Array
    """(sensors, cases): 1 holds the last reading."""


class Outputs(NamedTuple):
    """Powers and heats of one step, W; every heat is the one that both of its nodes used."""

    chip_w: Array
    """(groups, cases): accelerators."""
    compute_w: Array
    """(groups, cases): behind fans and power supplies."""
    fans_w: Array
    it_w: Array
    loop_heat_w: Array
    """(loops, cases): into the coolant."""
    air_heat_w: Array
    server_air_kg_s: Array
    cdu_pump_w: Array
    cdu_heat_w: Array
    drain_w: Array
    """Carried off by leaking coolant."""
    room_w: Array
    """Power conversion and lights, into the hall."""
    crah_fan_w: Array
    coil_w: Array
    door_w: Array
    outdoor_air_w: Array
    """Carried off by the air-side economiser or the indirect evaporative cooler."""
    warm_pump_w: Array
    reuse_w: Array
    """Taken from the warm return for the heat buyer."""
    heat_pump_w: Array
    syphon_w: Array
    """Warm loop to its thermosyphons, by the water side."""
    free_w: Array
    """Warm loop to its outdoor coolers, thermosyphons included, by the water side."""
    cooler_in_c: Array
    cooler_flow_kg_s: Array
    cooler_w: Array
    """Given to outdoor air: the same as ``free_w`` for dry coolers, for towers the cells' heat (and thermosyphons')."""
    tower_pump_w: Array
    trim_w: Array
    cold_pump_w: Array
    cold_flow_kg_s: Array
    cold_in_c: Array
    """Chilled water entering the outdoor coil or plate, pump heat and the tank's cold included."""
    store_lost_w: Array
    """Into the tank through its walls."""
    free_cold_w: Array
    chiller_load_w: Array
    compressor_w: Array
    condenser_pump_w: Array
    tower_w: Array


def clamp(values: Array, low: Array, high: Array) -> Array:
    """Return ``values`` within ``low`` and ``high``: two comparisons cost a third of NumPy's ``clip`` on small arrays.

    >>> float(clamp(1.4, 0.0, 1.0))
    1.0
    """
    xp = namespace(values, low, high)
    return xp.minimum(xp.maximum(values, low), high)
