"""The compiled hall: the same physics as NumPy's; its derivatives are in test_gradients.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from twinloop.cooling.solve import invert  # noqa: E402
from twinloop.twin.compiled import (  # noqa: E402
    Hall,
    hours,
    many_years,
    parameters,
    with_parameters,
    year_function,
)
from twinloop.twin.plant import solve_plant  # noqa: E402

_spec = importlib.util.spec_from_file_location("halls", Path(__file__).with_name("test_plant_closure.py"))
assert _spec
assert _spec.loader
halls = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(halls)


@pytest.fixture
def double_precision():
    with jax.enable_x64(True):
        yield


@pytest.mark.usefixtures("double_precision")
def test_a_root_carries_its_implicit_derivative_and_a_bound_that_of_the_bound():
    def root(target, high):
        return jax.numpy.sum(invert(lambda x: x**3, target, 0.0 * target, high))

    target, high = jax.numpy.array([8.0, 100.0]), jax.numpy.array([4.0, 4.0])
    by_target, by_high = jax.grad(root, argnums=(0, 1))(target, high)
    assert by_target == pytest.approx([1.0 / 12.0, 0.0])
    assert by_high == pytest.approx([0.0, 1.0])


def test_parameters_go_back_where_they_came_from():
    it = halls.group(activity=1.0)
    plant = halls.build(halls.design("plates + rear doors", "tower"), it)
    hall, values = Hall(plant, (it,), halls.K), parameters(plant)
    assert with_parameters(hall, parameters(hall)) == hall
    assert with_parameters(plant, values) == plant
    whole = parameters(hall)
    assert whole["plant.warm.cdu.ua_w_k"] == plant.warm.cdu.ua_w_k
    assert whole["constants.leakage_per_k"] == halls.K.leakage_per_k
    assert whole["groups.0.busy.cpu_w"] == it.busy.cpu_w
    assert whole["plant.cold.chiller.curves.part_load.1"] == plant.cold.chiller.curves.part_load[1]
    bent = with_parameters(hall, {"plant.cold.chiller.curves.part_load.1": 0.5}).plant.cold.chiller.curves
    assert bent.part_load == (plant.cold.chiller.curves.part_load[0], 0.5, plant.cold.chiller.curves.part_load[2])
    assert values["warm.cdu.ua_w_k"] == plant.warm.cdu.ua_w_k
    changed = with_parameters(plant, {"warm.cdu.ua_w_k": 1.0})
    assert changed.warm.cdu.ua_w_k == 1.0
    assert changed.cold == plant.cold
    with pytest.raises(KeyError, match="no parameter"):
        with_parameters(plant, {"warm.cdu.uw": 1.0})


def check_year(chosen):
    """Compare a compiled hall with NumPy's, and its balance; return what gradients need."""
    it, air = halls.group(), halls.outdoor()
    plant = halls.build(chosen, it)
    hall = Hall(plant, (it,), halls.K)
    year, values, at = year_function(hall), parameters(hall), hours(air, (it,))
    sums = year(values, at)
    state = solve_plant(plant, (it,), air, halls.K)
    # NumPy's rounds end at 1 mK, which is 1e-6 of power.
    assert float(sums.facility_j) == pytest.approx(3600.0 * np.sum(state.facility_w), rel=2e-6)
    assert float(sums.chillers_j) == pytest.approx(3600.0 * np.sum(state.chillers_w), rel=2e-5, abs=1.0)
    assert float(sums.balance_error) < 1e-6
    return year, values, at, sums


@pytest.mark.usefixtures("double_precision")
def test_an_air_hall_compiles_to_the_same():
    """And so it does in warm supply air, where servers speed up their fans."""
    year, values, at, sums = check_year(halls.design("air"))
    it, warm = halls.group(), {"plant.design.air_supply_c": 31.0, "plant.design.cold_supply_c": 25.0}
    plant = with_parameters(Hall(halls.build(halls.design("air"), it), (it,), halls.K), warm).plant
    state, found = solve_plant(plant, (it,), halls.outdoor(), halls.K), year(values | warm, at)
    assert float(found.it_j) == pytest.approx(3600.0 * np.sum(state.it_w), rel=2e-6)
    assert float(found.facility_j) == pytest.approx(3600.0 * np.sum(state.facility_w), rel=2e-6)
    assert float(found.balance_error) < 1e-6
    assert float(found.it_j) > 1.04 * float(sums.it_j)  # by the fans alone: 9 % of power at 1.16 of their speed


@pytest.mark.slow
def test_a_hall_with_towers_balances_in_single_precision_too():
    it, air = halls.group(), halls.outdoor()
    hall = Hall(halls.build(halls.design("plates + air", "dry_cooler", "water_cooled_chiller"), it), (it,), halls.K)
    sums = year_function(hall)({}, hours(air, (it,)))
    assert sums.facility_j.dtype == np.float32
    assert float(sums.balance_error) < 1e-6


@pytest.mark.slow
def test_many_years_in_one_call_are_the_years_one_by_one():
    it = halls.group()
    plant = halls.build(halls.design("air"), it)
    hall = Hall(plant, (it,), halls.K)
    year, values = year_function(hall), parameters(hall)
    sites = [hours(halls.outdoor(shift), (it,)) for shift in (-8.0, 0.0, 8.0)]
    stacked = jax.tree.map(lambda *leaves: jax.numpy.stack(leaves), *sites)
    repeated = {name: np.full(3, value) for name, value in values.items()}
    together = many_years(year)(repeated, stacked)
    alone = [float(year(values, at).facility_j) for at in sites]
    assert np.asarray(together.facility_j) == pytest.approx(alone, rel=1e-5)
    assert alone[0] < alone[2]
