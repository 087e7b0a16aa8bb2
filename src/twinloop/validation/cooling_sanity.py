"""What an engineer would try first: no figure is published, only a direction or a balance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinloop.arrays import Array, FloatArray
from twinloop.cooling.rear_doors import WATER_J_KG_K, RearDoor, guarded_door
from twinloop.fluids.psychrometrics import CP_DRY_AIR
from twinloop.twin.faults import Happening, with_faults
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.plant import solve_plant
from twinloop.twin.sizing import size_plant
from twinloop.twin.transient_nouns import Bank, Fleet
from twinloop.twin.transient_parameters import transient_parameters
from twinloop.twin.transient_run import Trace, constant_series, run, settle, steady_inputs
from twinloop.validation.cooling_halls import COLD_CLIMATE, K, accelerated_servers, design
from twinloop.validation.result import Result

SEA_PA = 101325.0
KITS = ("air", "rear doors", "plates + air", "all plates")
STEP_S, TRIP_S, AWAY_S, AFTER_S = 5.0, 300.0, 3600.0, 7200.0
"""The air loop swings below its setpoint when the machine is back and needs more than an hour to settle."""
SLACK_W_PER_W = 1e-3
"""Of IT power: how far the solver's steps may leave facility power below what it was in any colder hour."""


def sanity_results() -> tuple[Result, ...]:
    """Return the three tries: a door alone, hotter air, a chiller away."""
    return (*_door_results(), *_hotter_results(), *_chiller_results())


def _row(case: str, quantity: str, unit: str, expected: float, got: float, tolerance: float) -> Result:
    return Result(
        f"cooling: {case}", quantity, unit, expected, float(got), tolerance, "sanity: direction or first law", "proof"
    )


def _door_results() -> tuple[Result, ...]:
    """A 40 kW rack with 3 kg/s of air behind a passive door of 6 kW/K; the room's dew point is 15 °C."""
    rack_w, room_c, air_kg_s, dew_c = 40e3, 25.0, 3.0, 15.0
    exhaust_c = room_c + rack_w / (air_kg_s * CP_DRY_AIR)
    case, results = "40 kW rack, rear door alone", []
    for supply_c, water_kg_s in ((22.0, 1.2), (22.0, 0.6)):
        door = guarded_door(RearDoor(6e3, air_kg_s, 1.2, 0.0), exhaust_c, air_kg_s, supply_c, water_kg_s, dew_c, room_c)
        left_w = float(door.residual_w)
        water_w = float(door.supply_kg_s * WATER_J_KG_K * (door.point.water_out_c - supply_c))
        words = f"at {supply_c:.0f} °C and {water_kg_s} kg/s of water"
        left = f"residual on the room {words}: {left_w / 1e3:.1f} kW (1 yes)"
        results += [
            _row(case, left, "1", 1.0, 0.0 < left_w < rack_w, 0.0),
            _row(case, f"into water and room, {words}", "kW", 40.0, (water_w + left_w) / 1e3, 0.01),
        ]
    return tuple(results)


def _hotter_results() -> tuple[Result, ...]:
    """Fixed setpoints, full load, −15 to 42 °C outdoors: facility power never falls."""
    dry_c = np.linspace(-15.0, 42.0, 240)
    wet_c = np.minimum(dry_c - 0.5, dry_c * 0.55 + 2.0)
    outdoor = OutdoorAir(dry_c, wet_c, wet_c - 2.0, SEA_PA)
    servers = accelerated_servers(260e3, 36e3)
    servers = replace(servers, activity=np.ones(dry_c.size))
    results = []
    for kit in KITS:
        plant = size_plant(design(kit), (servers,), COLD_CLIMATE, SEA_PA, 200.0, K)
        state = solve_plant(plant, (servers,), outdoor, K)
        results.append(
            _row("hotter outdoor air", f"hours of 240, -15 to 42 °C, below a colder one's power, {kit}", "1", 0.0,
                 np.sum(falls(state.facility_w, state.it_w)), 0.0)
        )  # fmt: skip
    return tuple(results)


def falls(facility_w: FloatArray, it_w: FloatArray) -> Array:
    """Return in which hours, the coldest first, power is below that of a colder one by more than the solver's steps.

    Against the most of all colder hours: small steps down, each within the slack, would add up unseen.
    """
    return np.asarray(facility_w < np.maximum.accumulate(facility_w) - SLACK_W_PER_W * it_w)


def chiller_away() -> Trace:
    """Return an air-cooled hall on its design day whose first of two chillers, no spare, is away for an hour."""
    servers = replace(accelerated_servers(300e3, 36e3), activity=np.ones(1))
    plant = size_plant(design("air"), (servers,), COLD_CLIMATE, SEA_PA, 200.0, K)
    hall = transient_parameters(plant, (servers,), Fleet(*[Bank(2)] * 5), 200.0, SEA_PA, K)
    day = COLD_CLIMATE
    inputs = steady_inputs(hall, 1, np.ones(1), day.dry_bulb_c, day.wet_bulb_c, day.wet_bulb_c - 4.0)
    trip = Happening("chiller-1 trips", "chiller", TRIP_S, TRIP_S + AWAY_S, unit=1)
    series = with_faults(
        hall, constant_series(inputs, round((TRIP_S + AWAY_S + AFTER_S) / STEP_S)), (trip,), 0, STEP_S, 60.0
    )
    return run(hall, settle(hall, inputs), series, STEP_S)


def _chiller_results() -> tuple[Result, ...]:
    trace = chiller_away()
    supply_c = trace.states.supply_air_c[:, 0]
    clocks = trace.states.ceiling.reshape(trace.states.ceiling.shape[0], -1).min(axis=1)
    case = "one of two chillers away for an hour"
    floats = f"supply air floats from {supply_c[0]:.1f} to {supply_c.max():.1f} °C (1 yes)"
    slows = f"worst chip throttles, to {100.0 * clocks.min():.0f} % of its clock (1 yes)"
    return (
        _row(case, "supply air before", "°C", 26.0, supply_c[0], 0.1),
        _row(case, floats, "1", 1.0, supply_c.max() > 28.0, 0.0),
        _row(case, slows, "1", 1.0, clocks[0] == 1.0 and clocks.min() < 0.99, 0.0),
        _row(case, "supply air two hours after its return", "°C", 26.0, supply_c[-1], 0.1),
        _row(case, "worst chip's clock then", "1", 1.0, clocks[-1], 1e-6),
    )
