"""Halls in thin air: fans turn faster for the same mass, and classes allow less."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from twinloop.cooling.altitude import pressure_ratio
from twinloop.fluids.psychrometrics import pressure_at_altitude_pa
from twinloop.planner.designs import KITS
from twinloop.twin.air_class import ALLOWABLE_AIR_C, allowable_intake_c
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.groups import Coolants, it_state
from twinloop.twin.plant import solve_plant
from twinloop.twin.sizing import tower_for
from twinloop.twin.transient_account import account
from twinloop.twin.transient_run import constant_series, run, settle, steady_inputs
from twinloop.twin.window_metrics import _outside_s
from twinloop.twin.year import site_year

K = PlantConstants()
SIGMA = 0.9
SEA_PA, HIGH_PA = 101325.0, SIGMA * 101325.0


def module(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def servers(group, sigma, intake_c=22.0):
    design = HybridDesign("air", KITS["air"], "none", 32.0, True, "air_cooled_chiller", 20.0, 26.0, False, "N")
    at = np.array([intake_c])
    return it_state(group, design, Coolants(at, at, at), K, sigma)


def test_the_same_mass_of_thin_air_costs_the_square_of_its_thinness(make_group):
    sea, high = servers(make_group(), 1.0), servers(make_group(), SIGMA)
    assert high.air_flow_kg_s[0] == pytest.approx(sea.air_flow_kg_s[0], rel=1e-12)
    assert high.fans_w[0] == pytest.approx(sea.fans_w[0] / SIGMA**2, rel=1e-12)


def test_at_full_speed_thin_air_is_less_mass_and_less_power(make_group):
    sea, high = servers(make_group(), 1.0, 40.0), servers(make_group(), SIGMA, 40.0)
    assert high.fans_w[0] == pytest.approx(SIGMA * sea.fans_w[0], rel=1e-12)
    assert high.air_flow_kg_s[0] == pytest.approx(SIGMA * sea.air_flow_kg_s[0], rel=1e-12)


def test_at_the_slowest_speed_too(make_group):
    idle = make_group(activity=np.zeros(1))
    sea, high = servers(idle, 1.0), servers(idle, 0.6)
    assert sea.fans_w[0] == pytest.approx(0.3**3 * idle.fan_design_w)
    # Idle heat wants 0.175 of the sea-level flow: 0.29 of the speed in air of 0.6.
    assert high.fans_w[0] == pytest.approx(0.6 * 0.3**3 * idle.fan_design_w)


@pytest.mark.parametrize("kit", [pytest.param("air", marks=pytest.mark.slow), "plates + rear doors"])
def test_year_and_second_agree_at_height_and_close(make_hall, make_group, kit):
    it = make_group()
    p = make_hall(kit, "thermosyphon", "water_cooled_chiller", pressure_pa=HIGH_PA)
    one = np.ones(1)
    steady = solve_plant(p.plant, (it,), OutdoorAir(34.0 * one, 22.0 * one, 15.0 * one, HIGH_PA), K)
    assert steady.balance_error[0] < 1e-6
    inputs = steady_inputs(p, 1, one, 34.0, 22.0, 15.0)
    rested = settle(p, inputs)
    trace = run(p, rested, constant_series(inputs, 20), 5.0)
    assert np.max(account(p, trace).balance_error) < 1e-6
    assert float(rested.die_c[1].max()) == pytest.approx(float(steady.it[0].worst_junction_c[0]), abs=0.1)
    assert float(trace.outputs.fans_w[-1].sum()) == pytest.approx(float(steady.it[0].fans_w[0]), rel=2e-3)
    assert float(trace.outputs.crah_fan_w[-1, 0]) == pytest.approx(float(steady.crah_fans_w[0]), rel=2e-3)


def test_equipment_sized_for_thin_air_takes_more_fan_power_for_the_same_mass(make_hall):
    sea, high = (make_hall("plates + air", "thermosyphon", pressure_pa=at) for at in (SEA_PA, HIGH_PA))
    for of in (lambda p: p.plant.handler, lambda p: p.plant.warm.cooler.syphon):
        per_kg = [of(p).fan_design_w / of(p).air_design_kg_s for p in (sea, high)]
        assert per_kg[1] == pytest.approx(per_kg[0] / SIGMA, rel=1e-9)
    assert high.air_j_k == pytest.approx(SIGMA * sea.air_j_k)


@pytest.mark.slow
def test_a_cut_of_air_warms_a_high_hall_faster(make_hall):
    """The hall's air holds less heat, so that the first minute is steeper."""
    rises = []
    for pressure_pa in (SEA_PA, 0.8 * SEA_PA):
        p = make_hall("air", pressure_pa=pressure_pa)
        inputs = steady_inputs(p, 1, np.ones(1), 25.0, 18.0, 15.0)
        start = settle(p, inputs, 3600.0)
        dead = constant_series(inputs, 24)._replace(handler_ok=np.zeros((24, 3, 1)))
        room_c = run(p, start, dead, 5.0).states.room_c[:, 0]
        rises.append(float(room_c[-1] - room_c[0]))
    assert rises[1] > rises[0] + 0.5


def test_the_allowable_intake_falls_with_height():
    # ASHRAE: class A2 loses 1 K for every 300 m above 900 m.
    for height_m, most_c in ((0.0, 35.0), (900.0, 35.0), (1650.0, 32.5), (3000.0, 28.0)):
        low_c, high_c = allowable_intake_c(
            SimpleNamespace(air_class="A2", weather=SimpleNamespace(elevation_m=height_m))
        )
        assert (low_c, high_c) == (ALLOWABLE_AIR_C["A2"][0], pytest.approx(most_c))


def test_year_and_window_count_hours_against_the_limit_at_their_height():
    reuse = module("test_heat_reuse")
    site, year, plant, it = reuse.year_at(None, kit="air")
    assert year.hours_outside_class == 0
    # Class A2 at 4000 m: 35 - 3100/300 = 24.7 °C, below the supply of 26 °C.
    high = replace(site, weather=replace(site.weather, elevation_m=4000.0))
    found = site_year(high, plant, (it,), K)
    assert found.hours_outside_class == 8760
    assert "intake air class (-" in found.first_limit
    states = SimpleNamespace(intake_c=np.full((11, 1), 26.0))
    window = [SimpleNamespace(hall=SimpleNamespace(site=at), trace=SimpleNamespace(states=states, step_s=5.0))
              for at in (site, high)]  # fmt: skip
    assert [_outside_s(run) for run in window] == [0.0, 50.0]


def test_the_ratio_is_that_of_pressures():
    assert pressure_ratio(SEA_PA) == 1.0
    assert pressure_ratio(pressure_at_altitude_pa(1650.0)) == pytest.approx(0.8193, abs=1e-4)


def test_a_towers_fans_take_their_share_of_heat_over_density(make_hall):
    """The same mass of air against the same static pressure: volume, and with it power, goes with 1/σ."""
    for pressure_pa in (SEA_PA, HIGH_PA, 0.7 * SEA_PA):
        p = make_hall("plates + air", "tower", "water_cooled_chiller", pressure_pa=pressure_pa)
        for loop, cells in ((p.plant.warm, p.plant.warm.cooler.tower), (p.plant.cold, p.plant.cold.tower)):
            rejected_w = cells.fan_design_w / 0.0105 * pressure_pa / SEA_PA
            assert rejected_w == pytest.approx(loop.heat_w * 1.1, rel=0.35)  # compressor and pumps on top in the cold
            assert cells.air_design_kg_s == pytest.approx(cells.water_design_kg_s)
    outdoor = [OutdoorAir(np.array([30.0]), np.array([22.0]), np.array([15.0]), at) for at in (SEA_PA, HIGH_PA)]
    sea, high = (tower_for(1e6, 40.0, 26.0, each, K) for each in outdoor)
    assert sea.fan_design_w == pytest.approx(10.5e3)
    assert high.fan_design_w == pytest.approx(10.5e3 / SIGMA, rel=1e-12)


@pytest.mark.parametrize(
    ("sigma", "intake_c", "flow"),
    [
        (1.0, 22.0, 1.0),
        (0.9, 22.0, 1.0),  # fans turn at 1/0.9 of design speed
        (0.6, 22.0, 1.2 * 0.6),  # full speed leaves 0.72 of the mass
        (1.0, 35.0, 1.2),
        (0.9, 35.0, 1.2 * 0.9),  # the ramp of warm intakes asks for 1.2, full speed gives 1.08
    ],
)
def test_a_sink_sees_the_mass_that_fans_can_move(make_group, sigma, intake_c, flow):
    it = make_group(power_limit_w=1e4, throttle_c=1e4)
    found = servers(it, sigma, intake_c)
    resistance = 0.065 * (0.5 + 0.5 * flow**-0.5)
    chip_w = 650.0 * found.by_component_w["accelerator"][0] / 208e3
    assert found.junction_c[0] == pytest.approx(intake_c + resistance * chip_w, rel=1e-9)


def test_chips_on_plates_feel_no_altitude(make_hall):
    coolers = [
        make_hall("plates + air", "tower", "water_cooled_chiller", pressure_pa=at) for at in (SEA_PA, 0.6 * SEA_PA)
    ]
    assert coolers[0].chips.device_k == pytest.approx(coolers[1].chips.device_k)
    assert float(coolers[1].chips.most_air.max()) > 1.2  # little is left on air


@pytest.mark.parametrize("sigma", [0.8, 0.65])
def test_year_and_second_agree_where_fans_are_short_of_air(make_hall, make_group, sigma):
    it, one = make_group(r_air_k_w=0.05), np.ones(1)
    p = make_hall("air", plant="water_cooled_chiller", it=it, pressure_pa=sigma * SEA_PA)
    steady = solve_plant(p.plant, (it,), OutdoorAir(30.0 * one, 20.0 * one, 15.0 * one, sigma * SEA_PA), K)
    inputs = steady_inputs(p, 1, one, 30.0, 20.0, 15.0)
    rested = settle(p, inputs)
    assert steady.balance_error[0] < 1e-6
    assert float(rested.die_c[0].max()) == pytest.approx(float(steady.it[0].junction_c[0]), abs=0.1)
    assert float(rested.die_c[1].max()) == pytest.approx(float(steady.it[0].worst_junction_c[0]), abs=0.1)
