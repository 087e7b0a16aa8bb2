"""Servers, aisles, doors, handlers and altitude: first law on both sides, published relations, directions."""

import numpy as np
import psychrolib
import pytest
from ht import effectiveness_from_NTU
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.cooling import altitude
from twinloop.cooling.crahs import Crah, crah
from twinloop.cooling.fans import EC_FAN, VARIABLE_VOLUME_FAN, fan_power_w, polynomial_fan_power_w
from twinloop.cooling.racks import CONTAINED, OPEN, Aisle, aisle, supply_heat_index
from twinloop.cooling.rear_doors import DEW_POINT_GUARD_K, RearDoor, guarded_door, rear_door
from twinloop.cooling.servers import Server, server

psychrolib.SetUnitSystem(psychrolib.SI)
CP = 1006.0
UNIT = Server(0.85, 800.0)
POWERS = {"accelerator": 5600.0, "cpu": 700.0, "memory": 900.0, "network": 300.0, "storage": 100.0}


def test_server_heat_goes_where_it_is_sent():
    point = server(UNIT, POWERS, {"accelerator": 0.95, "cpu": 0.9}, 25.0)
    assert point.liquid_heat_w == pytest.approx(0.95 * 5600 + 0.9 * 700)
    assert point.air_heat_w + point.liquid_heat_w == pytest.approx(sum(POWERS.values()) + point.fan_w)
    assert point.air_heat_w == pytest.approx(point.air_flow_kg_s * CP * (point.exhaust_c - 25.0))
    assert sum(point.by_component_air_w.values()) + point.fan_w == pytest.approx(float(point.air_heat_w))


def test_plates_cut_fan_power_as_published():
    """Heydari et al. (2022): 75 % of the heat on plates, fans down 80 %: 800 W leave 0.585³ of 800, 160 W.

    A quarter of the heat in 0.585 of the air: 7.6 kW of parts leave 1900 + 160 W in 0.585 · 0.62955 kg/s, 5.56 K.
    """
    unit = Server(sum(POWERS.values()) / (CP * 12.0), 800.0)
    air = server(unit, POWERS, {}, 25.0)
    hybrid = server(unit, POWERS, dict.fromkeys(POWERS, 0.75), 25.0)
    assert (air.fan_ratio, air.fan_w) == pytest.approx((1.0, 800.0))
    assert 1.0 - hybrid.fan_w / air.fan_w == pytest.approx(0.80, abs=0.001)
    assert hybrid.air_flow_kg_s == pytest.approx(0.585 * 0.62955, rel=1e-4)
    assert hybrid.exhaust_c - 25.0 == pytest.approx(2060.2 / (0.36829 * 1006.0), rel=1e-3)


def test_fans_never_turn_slower_than_their_drive():
    """A tenth of the heat: 0.3³ of 800 W, 21.6 W, in 0.3 of the air."""
    unit = Server(sum(POWERS.values()) / (CP * 12.0), 800.0)
    idle = server(unit, {name: 0.1 * power for name, power in POWERS.items()}, {}, 25.0)
    assert (idle.fan_ratio, idle.fan_w) == pytest.approx((0.3, 21.6))


def test_warm_intake_costs_fan_power_within_the_published_band():
    """ASHRAE: server power times 1.07-1.20 at 35 °C over 20 °C; with fans at 9 % of it."""
    busy = Server(0.65, 0.09 * 7600.0 / 0.91)
    at = [server(busy, POWERS, {}, t) for t in (20.0, 35.0)]
    base = sum(POWERS.values())
    assert 1.05 < (base + at[1].fan_w) / (base + at[0].fan_w) < 1.20


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.floats(15, 30), st.floats(0.3, 20), st.floats(1, 20), st.floats(1e3, 5e5), st.floats(0, 1))
def test_aisle_balances_mass_and_heat(supply_c, supply, demand, heat, breach):
    supply = max(supply, 0.02 * demand)
    at = aisle(CONTAINED, supply_c, supply, demand, heat, breach)
    assert supply * CP * (at.return_c - supply_c) == pytest.approx(heat, rel=1e-6)
    assert at.exhaust_c - at.intake_c == pytest.approx(heat / (demand * CP))
    assert at.intake_c == pytest.approx((1 - at.recirculation) * supply_c + at.recirculation * at.exhaust_c)
    assert supply_c <= at.intake_c <= at.exhaust_c
    assert at.return_c <= at.exhaust_c + 1e-9
    assert supply_heat_index(supply_c, at.intake_c, at.exhaust_c) == pytest.approx(at.recirculation)


def test_starved_aisles_recirculate_and_rich_ones_bypass():
    starved, rich = (aisle(CONTAINED, 22.0, flow, 10.0, 120e3) for flow in (6.0, 15.0))
    assert starved.recirculation == pytest.approx(1.0 - 0.95 * 6.0 / 10.0, abs=0.001)
    assert rich.recirculation == pytest.approx(0.02, abs=0.002)
    assert rich.bypass == pytest.approx(1.0 - 0.98 * 10.0 / 15.0, abs=0.002)
    warmer = aisle(CONTAINED, 22.0, 11.0, 10.0, 120e3, breach=1.0)
    assert warmer.intake_c > aisle(CONTAINED, 22.0, 11.0, 10.0, 120e3).intake_c + 1.0
    assert aisle(OPEN, 22.0, 11.0, 10.0, 120e3, breach=1.0).intake_c == pytest.approx(warmer.intake_c)
    assert aisle(Aisle(0.0, 0.0), 22.0, 50.0, 10.0, 120e3).intake_c == pytest.approx(22.0, abs=0.01)


DOOR = RearDoor(6e3, 3.0, 1.2, 0.0)


def test_door_agrees_with_the_library_and_leaves_a_residual():
    """40 kW behind a door alone: what the door leaves heats the room, and the element says how much."""
    point = rear_door(DOOR, 38.0, 3.0, 18.0, 1.2, 10.0)
    least, most = sorted((3.0 * CP, 1.2 * 4181.0))
    expected = effectiveness_from_NTU(6e3 / least, least / most, subtype="crossflow approximate") * least * 20.0
    assert point.heat_w == pytest.approx(expected, rel=1e-6)
    exhaust_c = 25.0 + 40e3 / (3.0 * CP)
    guarded = guarded_door(DOOR, exhaust_c, 3.0, 22.0, 0.6, 10.0, 25.0)
    assert guarded.residual_w > 5e3
    assert guarded.residual_w + guarded.point.heat_w == pytest.approx(40e3)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(28, 50), st.floats(10, 24), st.floats(2, 22), st.floats(0.2, 1.5))
def test_guard_keeps_the_door_dry_and_the_loops_balance(air, supply, dew, flow):
    at = guarded_door(DOOR, air, 3.0, supply, flow, dew, 25.0)
    assert not bool(at.point.condensing) or at.water_in_c < dew + DEW_POINT_GUARD_K + 1e-9
    assert at.water_in_c >= min(dew + DEW_POINT_GUARD_K, air) - 1e-9
    assert 0.0 <= at.supply_kg_s <= flow + 1e-12
    air_side = 3.0 * CP * (air - at.point.air_out_c)
    loop_side = at.supply_kg_s * 4181.0 * (at.point.water_out_c - supply)
    assert air_side == pytest.approx(float(loop_side), rel=1e-6, abs=1e-3)


def test_passive_doors_cost_the_servers_and_active_ones_pay_themselves():
    active = RearDoor(6e3, 3.0, 1.2, 300.0)
    assert guarded_door(DOOR, 38.0, 3.0, 18.0, 1.2, 10.0, 25.0).server_fan_w == pytest.approx(217.0, abs=1.0)
    assert guarded_door(active, 38.0, 3.0, 18.0, 1.2, 10.0, 25.0).server_fan_w == 0.0
    assert rear_door(active, 38.0, 1.5, 18.0, 1.2, 10.0).fan_w == pytest.approx(300.0 / 8.0)


def test_handler_balances_flags_and_matches_the_library():
    unit = Crah(20e3, 12.0, 4.0, 6e3)
    point = crah(unit, 1.0, 35.0, 18.0, 4.0, dew_point_c=12.0)
    expected = effectiveness_from_NTU(20e3 / (12 * CP), 12 * CP / (4 * 4181.0), subtype="counterflow")
    assert point.heat_w == pytest.approx(expected * 12 * CP * 17.0, rel=1e-9)
    assert point.heat_w == pytest.approx(12.0 * CP * (35.0 - point.air_out_c))
    assert point.heat_w == pytest.approx(4.0 * 4181.0 * (point.water_out_c - 18.0))
    assert bool(crah(unit, 1.0, 35.0, 10.0, 4.0, dew_point_c=12.0).condensing)
    flows = crah(unit, np.linspace(0.2, 1.0, 9), 35.0, 18.0, 4.0)
    assert (np.diff(flows.heat_w) > 0).all()
    assert (np.diff(flows.air_out_c) > 0).all()


def test_fan_curves():
    assert polynomial_fan_power_w(1.0, 1.0, EC_FAN) == pytest.approx(1.0, abs=0.01)
    assert polynomial_fan_power_w(1.0, 1.0, VARIABLE_VOLUME_FAN) == pytest.approx(1.0, abs=0.02)
    x = np.linspace(0.25, 1.0, 30)
    assert (np.diff(polynomial_fan_power_w(x, 1.0, VARIABLE_VOLUME_FAN)) > 0).all()
    assert (fan_power_w(x, 1.0) <= x**3 + 1e-12).all()
    below, above = fan_power_w(0.2 - 1e-9, 1.0, 0.2), fan_power_w(0.2 + 1e-9, 1.0, 0.2)
    assert below == pytest.approx(above, rel=1e-6)


@pytest.mark.parametrize("elevation", [0.0, 500.0, 1650.0, 2600.0])
def test_altitude_against_psychrolib(elevation):
    pressure = psychrolib.GetStandardAtmPressure(elevation)
    sigma = altitude.density_ratio(elevation, 20.0)
    expected = psychrolib.GetDryAirDensity(20.0, pressure) / psychrolib.GetDryAirDensity(20.0, 101325.0)
    assert sigma == pytest.approx(expected, rel=1e-6)
    assert altitude.fan_mass_flow_kg_s(10.0, sigma) == pytest.approx(10.0 * expected, rel=1e-6)
    assert altitude.fan_power_at_altitude_w(1e3, sigma) <= 1e3
    # A film at 80 % of mass flux ~ m^0.8; half the resistance is air.
    assert altitude.air_side_ua_w_k(1.0, sigma) == pytest.approx(2.0 / (1.0 + expected**-0.8), rel=1e-6)


def test_thin_air_makes_server_fans_work_harder_for_the_same_mass():
    sigma = float(altitude.density_ratio(1650.0))
    sea, high = (server(UNIT, POWERS, {}, 25.0, density) for density in (1.0, sigma))
    assert high.fan_w == pytest.approx(sea.fan_w / sigma**2)


def test_classes_derate_above_900_m():
    assert altitude.intake_limit_c(32.0, "A1", 900.0) == 32.0
    assert altitude.intake_limit_c(40.0, "A3", 900.0 + 175.0) == pytest.approx(39.0)
    assert altitude.intake_limit_c(45.0, "A4", 900.0 + 1250.0) == pytest.approx(35.0)
