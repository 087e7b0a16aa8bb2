"""Every element under ``jax.jit``: the same values as NumPy, and derivatives that are those of its values."""

import numpy as np
import pytest

from twinloop.cooling import boiling, chips, cold_plates, economisers, heat_pumps, immersion, storage
from twinloop.cooling.altitude import density_ratio
from twinloop.cooling.cdus import Cdu, pumped_cdu
from twinloop.cooling.chiller_curves import DOE2_CENTRIFUGAL
from twinloop.cooling.chillers import Chiller, chiller
from twinloop.cooling.crahs import Crah, crah
from twinloop.cooling.dry_coolers import DryCooler, dry_cooler
from twinloop.cooling.pumps import Pump
from twinloop.cooling.racks import CONTAINED, aisle
from twinloop.cooling.rear_doors import RearDoor, guarded_door
from twinloop.cooling.servers import Server, server
from twinloop.cooling.thermosyphons import Thermosyphon, thermosyphon
from twinloop.cooling.towers import Tower, make_up, tower
from twinloop.cooling.york_towers import york_tower
from twinloop.fluids.liquids import liquid
from twinloop.power.capping import cap_device
from twinloop.power.operating_point import operating_point
from twinloop.power.psu import Psu, psu_loss_w
from twinloop.power.rectifiers import FRONTIER_RECTIFIER, modules_input_w

jax = pytest.importorskip("jax")
SEA_PA = 101_325.0


def _tower(ua, air, fan, hot, flow, dry, wet):
    at = tower(Tower(ua, air, 40.0, 8e3), fan, hot, flow, dry, wet, SEA_PA)
    return at.heat_w, at.evaporation_kg_s, at.air_out_c, make_up(at.evaporation_kg_s, at.drift_kg_s, fan + 3.0)[0]


def _dry(ua, pads, fan, water, dry, wet):
    at = dry_cooler(DryCooler(ua, 60.0, 2e4, pads), fan, water, 6e4, dry, wet, SEA_PA, dry > 0.0)
    return at.heat_w, at.fan_w, at.evaporation_kg_s


def _chiller(size, load, leaving, condenser, curves=None, kind="water"):
    at = chiller(Chiller(size, 5.0, 6.67, 29.44, kind, curves), load, leaving, condenser)
    return at.power_w, at.available_w


def _chip(die, case, clock, coolant, resistance, activity):
    after = chips.chip_step(
        chips.Chip(80.0, 700.0), chips.ChipState(die, case, clock, 0.0 * clock), coolant, resistance, activity, 1.0
    )
    return after.state.die_c, after.power_w, after.heat_w


def _server(gpu, caught, intake, sigma):
    at = server(Server(0.85, 800.0), {"accelerator": gpu, "memory": 900.0}, {"accelerator": caught}, intake, sigma)
    return at.fan_w, at.exhaust_c, at.liquid_heat_w


def _door(ua, fan, air, flow, supply, water, dew):
    at = guarded_door(RearDoor(ua, 3.0, 1.2, fan), air, flow, supply, water, dew, 25.0)
    return at.point.heat_w, at.supply_kg_s, at.point.fan_w


def _cdu(ua, speed, back, primary_c, primary):
    unit = Cdu(ua, 20.0, 20.0, 9e3, 250e3, 0.1)
    point, curve = pumped_cdu(unit, Pump(350e3, 0.0199, 250e3), speed, back, primary_c, primary)
    return point.heat_w, curve.flow_m3_s, curve.power_w


def _aisle(supply_c, supply, demand, heat, breach):
    at = aisle(CONTAINED, supply_c, supply, demand, heat, breach)
    return at.intake_c, at.return_c


def _crah(ua, fan, air, water, flow):
    at = crah(Crah(ua, 12.0, 4.0, 6e3), fan, air, water, flow)
    return at.heat_w, at.fan_w


def _syphon(ua, fan, water, flow, air):
    at = thermosyphon(Thermosyphon(ua, 150e3, 25.0, 90.0, 20e3), fan, water, flow, air)
    return at.heat_w, at.refrigerant_c


def _bath(ua, heat, fluid, water_c, water):
    at = immersion.bath(immersion.Bath(ua, 25.0, 3.0, 1500.0, 2200.0), heat, fluid, water_c, water)
    return at.bath_c, at.supply_c


def _boil(ua, heat, water_c, water):
    at = boiling.boiling_bath(boiling.BoilingBath(ua, 3.0, 1.0), heat, water_c, water)
    return at.surface_c, at.condensable_w


def _mix(flow, back, outdoor, moisture, setpoint):
    at = economisers.mix_outdoor_air(flow, back, 0.008, outdoor, moisture, setpoint, SEA_PA)
    return at.heat_removed_w, at.supply_c


def _evaporate(flow, dry, wet, effectiveness):
    at = economisers.direct_evaporative(flow, dry, wet, SEA_PA, effectiveness)
    other = economisers.indirect_evaporative(flow, dry + 6.0, 0.009, dry, wet, True)
    return at.out_c, at.evaporation_kg_s, other.heat_w


def _point(device, coolant, resistance, utilisation):
    at = operating_point(device, coolant, resistance, 0.003, 65.0, 1e4, 87.0, utilisation, 80.0)
    return at.power_w, at.junction_c


CASES = {
    "tower": (_tower, (6e4, 40.0, 0.6, 33.0, 35.0, 30.0, 20.0)),
    "york": (lambda f, t, w, b: york_tower(f, t, w, b).range_k, (0.7, 33.0, 0.9, 20.0)),
    "dry": (_dry, (6e4, 0.7, 0.6, 45.0, 33.0, 20.0)),
    "chiller in range": (_chiller, (1e6, 6e5, 8.0, 27.0)),
    "chiller beyond": (_chiller, (1e6, 6e5, 18.0, 33.0)),
    "centrifugal": (lambda *x: _chiller(*x, curves=DOE2_CENTRIFUGAL), (1e6, 6e5, 7.0, 27.0)),
    "chip": (_chip, (60.0, 50.0, 0.9, 35.0, 0.03, 0.8)),
    "server": (_server, (5600.0, 0.5, 29.0, 0.9)),
    "door": (_door, (6e3, 300.0, 38.0, 2.5, 14.0, 1.1, 15.0)),
    "cdu": (_cdu, (3e5, 0.8, 45.0, 30.0, 18.0)),
    "aisle": (_aisle, (22.0, 10.0, 9.0, 1e5, 0.3)),
    "crah": (_crah, (2e4, 0.8, 35.0, 18.0, 3.0)),
    "thermosyphon": (_syphon, (1.2e5, 0.7, 30.0, 22.0, 10.0)),
    "bath": (_bath, (2e4, 1e5, 22.0, 30.0, 2.8)),
    "boiling": (_boil, (1e4, 8e4, 30.0, 2.8)),
    "surface": (lambda q, t: immersion.surface_c(liquid("PAO-4"), q, t, 0.1, 0.1), (2000.0, 40.0)),
    "still surface": (lambda q, t: immersion.surface_c(liquid("PAO-4"), q, t, 0.1), (2000.0, 40.0)),
    "mixing": (_mix, (10.0, 35.0, 10.0, 0.006, 22.0)),
    "evaporation": (_evaporate, (10.0, 30.0, 18.0, 0.8)),
    "water side": (lambda q, s, t: economisers.water_side(q, s, 8e4, t, 8e4, 1.6e5).free_w, (5e5, 18.0, 16.0)),
    "plate": (lambda a, q, m: cold_plates.cold_plate(cold_plates.ColdPlate(0.02, a), q, 30.0, m, 3950.0).case_c,
              (8e-4, 600.0, 0.02)),
    "tank": (lambda s, w: storage.step(storage.Tank(100.0, 8.0, 1e6, 50.0), s, w, 5.0, 900.0).stored_j, (1e9, 3e5)),
    "heat pump": (lambda q, a, b: heat_pumps.heat_pump(heat_pumps.HeatPump(1e9), q, a, b).power_w, (1e6, 30.0, 65.0)),
    "operating point": (_point, (700.0, 35.0, 0.03, 0.7)),
    "throttled": (lambda t, r: operating_point(700.0, t, r, 0.003, 65.0, 1e4, 87.0).clock_ratio, (75.0, 0.03)),
    "supply": (lambda p: psu_loss_w(Psu(3000.0), p), (1400.0,)),
    "rectifier": (lambda p: modules_input_w(FRONTIER_RECTIFIER, p, 4), (20e3,)),
    "cap": (lambda w, lim: cap_device(w, 80.0, lim).clock_ratio, (700.0, 500.0)),
    "altitude": (density_ratio, (1650.0, 30.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_same_values_and_true_derivatives(name):
    function, at = CASES[name]

    def total(xs):
        """All outputs scaled to order one and added, so that one derivative checks them all."""
        outputs = function(*xs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return sum(value / scale for value, scale in zip(outputs, scales, strict=True))

    raw = function(*at)
    scales = [max(abs(float(value)), 1e-6) for value in (raw if isinstance(raw, tuple) else (raw,))]
    with jax.enable_x64(True):
        xs = jax.numpy.array(at)
        value, slopes = jax.jit(jax.value_and_grad(total))(xs)
    assert float(value) == pytest.approx(float(total(at)), rel=1e-9)
    assert np.isfinite(np.asarray(slopes)).all()
    for index, x in enumerate(at):
        nudge = 1e-5 * abs(x)
        up, down = (np.array([*at[:index], x + sign * nudge, *at[index + 1 :]]) for sign in (1.0, -1.0))
        expected = (float(total(up)) - float(total(down))) / (2.0 * nudge)
        assert float(slopes[index]) == pytest.approx(expected, rel=1e-3, abs=1e-6 / abs(x)), index


def test_arrays_broadcast():
    hours = np.linspace(10.0, 24.0, 6)
    at = tower(Tower(6e4, 40.0, 40.0, 8e3), 0.7, hours + 8.0, 40.0, hours + 4.0, hours, SEA_PA)
    assert all(np.shape(getattr(at, name)) == (6,) for name in ("heat_w", "fan_w", "drift_kg_s", "air_flow_kg_s"))
