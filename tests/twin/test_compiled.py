"""The compiled hall: the same physics as NumPy's, and derivatives that finite differences confirm."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from twinloop.cooling.solve import invert  # noqa: E402
from twinloop.twin.compiled import (  # noqa: E402
    gradient,
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

KINKED = {"cold.free_coil.pad_effectiveness", "warm.cooler.pad_effectiveness", "warm.trim_w"}
"""Derivatives that are one-sided: pads that do not exist yet, and a trim that some hours use in full."""


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
    plant = halls.build(halls.design("plates + rear doors", "tower"), halls.group())
    values = parameters(plant)
    assert with_parameters(plant, values) == plant
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
    year = year_function(plant, (it,), halls.K)
    values, at = parameters(plant), hours(air, (it,))
    sums = year(values, at)
    state = solve_plant(plant, (it,), air, halls.K)
    # NumPy's rounds end at 1 mK, which is 1e-6 of power.
    assert float(sums.facility_j) == pytest.approx(3600.0 * np.sum(state.facility_w), rel=2e-6)
    assert float(sums.chillers_j) == pytest.approx(3600.0 * np.sum(state.chillers_w), rel=2e-5, abs=1.0)
    assert float(sums.balance_error) < 1e-6
    return year, values, at, sums


def check_gradient(chosen, tolerance=1e-3):
    """Compare the gradient by every parameter with central differences."""
    year, values, at, sums = check_year(chosen)
    found = gradient(year, values, at)
    assert set(found) == set(values)
    compared = 0
    for name in sorted(set(values) - KINKED):
        step = max(abs(values[name]) * 1e-5, 1e-6)  # small: few hours change mode within it
        up, down = (float(year(values | {name: values[name] + s}, at).facility_j) for s in (step, -step))
        difference = (up - down) / (2.0 * step)
        noise = 1e-10 * float(sums.facility_j) / step  # roots end at 1e-8 of IT power
        assert found[name] == pytest.approx(difference, rel=tolerance, abs=noise), name
        compared += abs(difference) > 100.0 * noise
    assert compared >= 8


@pytest.mark.usefixtures("double_precision")
def test_an_air_hall_compiles_to_the_same():
    """And so it does in warm supply air, where servers speed up their fans."""
    year, values, at, sums = check_year(halls.design("air"))
    it, warm = halls.group(), {"design.air_supply_c": 31.0, "design.cold_supply_c": 25.0}
    plant = with_parameters(halls.build(halls.design("air"), it), warm)
    state, found = solve_plant(plant, (it,), halls.outdoor(), halls.K), year(values | warm, at)
    assert float(found.it_j) == pytest.approx(3600.0 * np.sum(state.it_w), rel=2e-6)
    assert float(found.facility_j) == pytest.approx(3600.0 * np.sum(state.facility_w), rel=2e-6)
    assert float(found.balance_error) < 1e-6
    assert float(found.it_j) > 1.04 * float(sums.it_j)  # by the fans alone: 9 % of power at 1.16 of their speed


@pytest.mark.slow
@pytest.mark.usefixtures("double_precision")
def test_an_air_hall_differentiates():
    check_gradient(halls.design("air"))


@pytest.mark.slow
@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize(
    ("kit", "cooler", "cold"),
    [
        ("plates + rear doors", "tower", "air_cooled_chiller"),
        ("plates + air", "dry_cooler", "water_cooled_chiller"),
        ("immersion", "adiabatic_cooler", "air_cooled_chiller"),
        ("rear doors", "none", "water_cooled_chiller"),
        ("all plates", "adiabatic_cooler", "water_cooled_chiller"),
        ("immersion", "tower", "water_cooled_chiller"),
    ],
)
def test_hybrid_halls_compile_to_the_same_and_differentiate(kit, cooler, cold):
    check_gradient(halls.design(kit, cooler, cold))


@pytest.mark.slow
def test_many_years_in_one_call_are_the_years_one_by_one():
    it = halls.group()
    plant = halls.build(halls.design("air"), it)
    year = year_function(plant, (it,), halls.K)
    values = parameters(plant)
    sites = [hours(halls.outdoor(shift), (it,)) for shift in (-8.0, 0.0, 8.0)]
    stacked = jax.tree.map(lambda *leaves: jax.numpy.stack(leaves), *sites)
    repeated = {name: np.full(3, value) for name, value in values.items()}
    together = many_years(year)(repeated, stacked)
    alone = [float(year(values, at).facility_j) for at in sites]
    assert np.asarray(together.facility_j) == pytest.approx(alone, rel=1e-5)
    assert alone[0] < alone[2]
