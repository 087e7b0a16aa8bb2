"""Chillers against published curves, against a refrigerant cycle, and against the second law's direction."""

import numpy as np
import pytest
from CoolProp.CoolProp import PropsSI

from twinloop.cooling import chiller_curves
from twinloop.cooling.chillers import MINIMUM_LIFT_K, Chiller, chiller
from twinloop.cooling.heat_pumps import HeatPump, heat_pump

MACHINES = {
    "air": Chiller(1e6, 3.0, 6.67, 35.0, "air"),
    "water": Chiller(1e6, 5.0, 6.67, 29.44, "water"),
    "centrifugal": Chiller(1e6, 5.5, 6.67, 29.44, "water", chiller_curves.DOE2_CENTRIFUGAL),
    "reciprocating": Chiller(1e6, 3.67, 6.67, 29.44, "water", chiller_curves.DOE2_RECIPROCATING),
}
LEAVING, CONDENSER = np.meshgrid(np.arange(2.0, 35.01, 0.5), np.arange(5.0, 55.01, 0.5), indexing="ij")


def cycle_cop(evaporating_c, condensing_c, isentropic=0.75, fluid="R134a"):
    """Cooling COP of a single-stage cycle without superheat or subcooling, by the reference equation of state."""
    low, high = (PropsSI("P", "T", t + 273.15, "Q", 1, fluid) for t in (evaporating_c, condensing_c))
    suction = PropsSI("H", "P", low, "Q", 1, fluid)
    ideal = PropsSI("H", "P", high, "S", PropsSI("S", "P", low, "Q", 1, fluid), fluid)
    liquid = PropsSI("H", "P", high, "Q", 0, fluid)
    return (suction - liquid) / ((ideal - suction) / isentropic)


@pytest.mark.parametrize("name", MACHINES)
def test_rated_point_and_first_law(name):
    machine = MACHINES[name]
    point = chiller(machine, 1e6, machine.leaving_design_c, machine.condenser_in_design_c)
    assert point.power_w == pytest.approx(1e6 / machine.cop)
    assert point.available_w == pytest.approx(1e6)
    assert point.heat_rejected_w == pytest.approx(1e6 + point.power_w)
    assert not bool(point.extrapolated)


def test_published_curve_inside_its_range():
    """DOE-2's own formula, written out with its published coefficients, at 6 °C and 27 °C, 60 % load."""
    capacity = 0.257896 + 0.0389016 * 6 - 0.00021708 * 36 + 0.0468684 * 27 - 0.00094284 * 729 - 0.00034344 * 162
    eir = 0.933884 - 0.058212 * 6 + 0.00450036 * 36 + 0.00243 * 27 + 0.000486 * 729 - 0.001215 * 162
    plr = 0.6 / capacity
    expected_w = 1e6 * capacity * eir * (0.222903 + 0.313387 * plr + 0.463710 * plr * plr) / 5.5
    point = chiller(MACHINES["centrifugal"], 0.6e6, 6.0, 27.0)
    # Scaled to meet the rated COP exactly at the rated point, which the published fit misses by under 1 %.
    assert point.power_w == pytest.approx(expected_w, rel=0.012)
    assert point.available_w == pytest.approx(1e6 * capacity, rel=0.012)


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("load_w", [2e4, 1e5, 3e5, 6e5, 9e5, 1.1e6])
def test_monotone_over_everything_a_plant_may_ask(name, load_w):
    point = chiller(MACHINES[name], load_w, LEAVING, CONDENSER)
    assert np.diff(point.power_w, axis=0).max() <= 1e-6 * load_w  # warmer leaving water
    assert np.diff(point.power_w, axis=1).min() >= -1e-6 * load_w  # hotter condenser
    assert np.diff(point.available_w, axis=0).min() > 0.0
    assert np.diff(point.available_w, axis=1).max() <= 0.0
    more = chiller(MACHINES[name], 1.02 * load_w, LEAVING, CONDENSER)
    assert (more.power_w > point.power_w).all()


@pytest.mark.parametrize("name", MACHINES)
def test_no_step_anywhere(name):
    """Halving the grid halves the largest change: a step would stay."""
    for axis in (0, 1):
        changes = []
        for points in (331, 661):
            leaving, condenser = np.linspace(2, 35, points), np.linspace(5, 55, points)
            grid = (leaving[:, None], condenser[None, ::30]) if axis == 0 else (leaving[::30, None], condenser[None, :])
            power = chiller(MACHINES[name], 7e5, *grid).power_w
            changes.append(np.abs(np.diff(power, axis=axis)).max())
        assert changes[1] < 0.55 * changes[0]


def test_a_short_machine_finds_the_water_it_can_make():
    """However large the load, warmer water brings capacity: a floating supply has an answer."""
    available = chiller(MACHINES["air"], 1e5, np.linspace(18.0, 60.0, 50), 40.0).available_w
    assert (np.diff(available) > 1e4 * 0.5).all()


@pytest.mark.parametrize("condenser_c", [27.0, 31.0, 36.0])
def test_warm_water_gains_as_a_real_cycle_does(condenser_c):
    """From the end of the curves (14 °C) on: the share of Carnot against R134a, within 12 %.

    Nearer the least lift the floor governs, where the published curve flattens: dearer than the cycle.
    """
    machine = MACHINES["water"]
    edge = chiller(machine, 8e5, 14.0, condenser_c).power_w
    for leaving in (16.0, 18.0, 20.0):
        assert condenser_c + 7.0 - (leaving - 2.0) > MINIMUM_LIFT_K
        got = chiller(machine, 8e5, leaving, condenser_c).power_w / edge
        expected = cycle_cop(12.0, condenser_c + 7.0) / cycle_cop(leaving - 2.0, condenser_c + 7.0)
        # Part load differs as well: capacity grows by 2 % a kelvin.
        assert got == pytest.approx(expected, rel=0.12)


def test_least_lift_bounds_the_cop():
    power = chiller(MACHINES["water"], 5e5, 30.0, np.array([5.0, 10.0, 15.0])).power_w
    assert np.ptp(power) < 1e-9 * power[0]
    # By the corner of the curves (14 °C leaving, 20.5 °C entering, EIR 0.76 of COP 5) and 12 K of 15.5 K lift.
    assert 7.0 < 5e5 / power[0] < 11.0


def test_cycling_below_the_least_part_load():
    low, half = (chiller(MACHINES["water"], load, 7.0, 27.0).power_w for load in (1e5, 5e4))
    assert half == pytest.approx(0.5 * low)
    assert chiller(MACHINES["water"], 0.0, 7.0, 27.0).power_w == 0.0


def test_heat_pump_balances_and_follows_a_real_cycle():
    pump = HeatPump(1e9)
    for source, sink in ((20.0, 55.0), (30.0, 65.0), (35.0, 80.0), (45.0, 70.0)):
        point = heat_pump(pump, 1e6, source, sink)
        assert point.heating_w == pytest.approx(point.source_w + point.power_w)
        assert point.source_w == pytest.approx(1e6)
        # Heating COP of an R1234ze(E) cycle, isentropic 0.7, with the same 3 K on each side.
        expected = 1.0 + cycle_cop(source - 3.0, sink + 3.0, 0.70, "R1234ze(E)")
        assert point.cop == pytest.approx(expected, rel=0.15)


def test_heat_pump_is_held_to_its_size_and_monotone():
    assert heat_pump(HeatPump(5e5), 1e6, 30.0, 65.0).heating_w == pytest.approx(5e5)
    assert heat_pump(HeatPump(5e5), 1e6, 30.0, 65.0).source_w < 1e6
    sinks = np.linspace(30.0, 90.0, 61)
    assert (np.diff(heat_pump(HeatPump(1e9), 1e6, 30.0, sinks).cop) <= 0.0).all()
    assert heat_pump(HeatPump(1e9), 1e6, 60.0, 30.0).cop < 15.0
