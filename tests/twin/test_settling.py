"""Halls that are just short of capacity settle: slowly, since warm intakes speed up fans, which warm intakes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twinloop.twin.free_coolers import OutdoorAir, hours_of
from twinloop.twin.plant import solve_plant
from twinloop.twin.settling import settle_compiled, settle_hours
from twinloop.twin.transient_run import settle, steady_inputs


def short_hall(make_hall, kit, share):
    """Return a hall whose chiller has ``share`` of the capacity that it was sized for."""
    p = make_hall(kit)
    chiller = replace(p.plant.cold.chiller, capacity_w=p.plant.cold.chiller.capacity_w * share)
    return replace(p, plant=replace(p.plant, cold=replace(p.plant.cold, chiller=chiller)))


@pytest.mark.parametrize("kit", ["air", pytest.param("rear doors", marks=pytest.mark.slow)])
def test_a_hall_short_of_capacity_rests_where_the_second_scale_hall_does(make_hall, make_group, kit):
    p, it = short_hall(make_hall, kit, 0.9), replace(make_group(), activity=np.ones(1))
    outdoor = OutdoorAir(np.array([36.0]), np.array([23.0]), np.array([15.0]), 101325.0)
    steady = solve_plant(p.plant, (it,), outdoor, p.k)
    inputs = steady_inputs(p, 1, np.ones(1), 36.0, 23.0, 15.0)
    rested = settle(p, inputs, 14400.0)
    assert float(steady.air.intake_c[0]) > p.plant.design.air_supply_c + 4.0
    assert steady.air.intake_c == pytest.approx(rested.intake_c, abs=0.1)
    assert float(steady.balance_error[0]) < 1e-6


def test_setpoints_and_activity_by_the_hour_are_followed_too(make_hall, make_group):
    """Two hours that settle at once beside two that are short, each with its own setpoint and load."""
    p = short_hall(make_hall, "air", 0.9)
    outdoor = OutdoorAir(
        np.array([36.0, 10.0, 37.0, 12.0]), np.array([23.0, 8.0, 23.0, 9.0]), np.full(4, 5.0), 101325.0
    )
    busy, air_c = np.array([1.0, 0.5, 1.0, 0.7]), np.array([26.0, 24.0, 25.0, 26.0])
    water_c = air_c - 6.0
    plant = replace(p.plant, design=replace(p.plant.design, air_supply_c=air_c, cold_supply_c=water_c))
    together = solve_plant(plant, (replace(make_group(), activity=busy),), outdoor, p.k)
    for hour in range(4):
        alone = replace(p.plant.design, air_supply_c=float(air_c[hour]), cold_supply_c=float(water_c[hour]))
        one = solve_plant(
            replace(p.plant, design=alone), (replace(make_group(), activity=busy[[hour]]),),
            hours_of(outdoor, np.array([hour])), p.k,
        )  # fmt: skip
        assert together.air.intake_c[hour] == pytest.approx(float(one.air.intake_c[0]), abs=0.01)


def test_hours_settle_alone_and_the_others_stay():
    """Half a kelvin is left after each round, of two hours of three."""

    def once(values, at):
        assert set(at) <= {0, 2}
        return tuple(20.0 + 0.5 * (each - 20.0) for each in values)

    start = (np.array([28.0, 25.0, 21.0]),) * 3
    found = settle_hours(once, start, np.array([True, False, True]), 1e-6)
    assert found[0] == pytest.approx([20.0, 25.0, 20.0], abs=2e-6)
    assert start[0][0] == 28.0


@pytest.mark.parametrize("ratio", [-0.2, 0.15, 0.5])
def test_a_compiled_hall_carries_a_linear_round_to_its_end(ratio):
    def once(values):
        return tuple(30.0 + ratio * (each - 30.0) for each in values)

    found = settle_compiled(once, (np.array([26.0, 30.0]),) * 3, 2)
    assert found[0] == pytest.approx([30.0, 30.0], abs=1e-9)
