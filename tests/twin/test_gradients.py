"""Derivatives of the compiled year by every number of the hall, in every topology, against central differences."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from twinloop.model.site import HeatOfftake  # noqa: E402
from twinloop.model.weather import DesignConditions  # noqa: E402
from twinloop.twin.compiled import Hall, gradient, hours, parameters, with_parameters, year_function  # noqa: E402
from twinloop.twin.plant import solve_plant  # noqa: E402
from twinloop.twin.sizing import size_plant  # noqa: E402

_spec = importlib.util.spec_from_file_location("halls", Path(__file__).with_name("test_plant_closure.py"))
assert _spec
assert _spec.loader
halls = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(halls)

PLANTS = ("air_cooled_chiller", "water_cooled_chiller")
AIRS = {
    "closed": {}, "outdoor air": {"air_economiser": True},
    "wetted": {"air_economiser": True, "evaporative": "direct"}, "wall": {"evaporative": "indirect"},
}  # fmt: skip
WARM_KITS = ("plates + air", "plates + rear doors", "all plates", "immersion")
COOLERS = ("dry_cooler", "adiabatic_cooler", "tower", "thermosyphon")
TOPOLOGIES = [
    *(("air", "none", plant, air) for plant in PLANTS for air in AIRS),
    *(("rear doors", "none", plant, "closed") for plant in PLANTS),
    *((kit, cooler, plant, "closed") for kit in WARM_KITS for cooler in COOLERS for plant in PLANTS),
    *(("immersion", cooler, "air_cooled_chiller", "two_phase") for cooler in COOLERS),
    ("all plates", "dry_cooler", "air_cooled_chiller", "heat sold"),
    ("immersion", "tower", "water_cooled_chiller", "heat sold"),
]
"""Kit, warm loop's cooler, cold plant, and what else there is."""
TOLERANCE = 1e-3
STEPS = (1e-5, 1e-6)
"""Of a difference, over the number: an hour that changes its mode within one does not within the other."""
NOISE = 1e-9
"""Of the year's energy over a relative change: roots end at 1e-11 of power, so that smaller derivatives are not
told from zero by differences."""
COMPILED = {}
"""Programs by their text."""
EVERYWHERE = (
    "constants.leakage_per_k", "groups.0.psu_efficiency", "plant.handler.film_exponent", "plant.handler.fan_design_w",
    "plant.cold.chiller.curves.capacity.1", "plant.cold.chiller.curves.eir_by_capacity.1",
    "plant.cold.chiller.curves.part_load.2", "plant.cold.chiller.condenser_approach_k",
    "plant.handler.fan_static_share",
)  # fmt: skip
"""Physical constants that matter in every hall that has air handlers and chillers at work."""


@pytest.fixture(autouse=True)
def _double_precision():
    with jax.enable_x64(True):
        yield


def hall_of(kit, cooler, plant, extra):
    more = AIRS.get(extra) or {"two_phase": {"bath": "two_phase"}, "heat sold": {"heat_reuse": True}}.get(extra, {})
    offtake = HeatOfftake(65.0, 2e5, 0.0) if extra == "heat sold" else None
    chosen, it = halls.design(kit, cooler, plant, **more), halls.group()
    conditions = DesignConditions(34.0, 22.0, 24.0, -12.0, "test")
    return Hall(size_plant(chosen, (it,), conditions, 101325.0, 200.0, halls.K, offtake), (it,), halls.K)


def along(hall):
    """Return f(numbers, direction) -> (sums, their change along it), compiled fast rather than to run fast.

    Halls of one make-up, as dry and adiabatic coolers, are one program and are compiled once.
    """
    names, at, year = tuple(parameters(hall)), hours(halls.outdoor(), hall.groups), year_function(hall)

    def moved(numbers, direction):
        return jax.jvp(lambda x: year(dict(zip(names, x, strict=True)), at), (numbers,), (direction,))

    one = np.ones(len(names))
    program = jax.jit(moved).lower(one, one)
    text = program.as_text()
    if text not in COMPILED:
        COMPILED[text] = program.compile(compiler_options={"xla_backend_optimization_level": 0})
    return COMPILED[text]


def check_as_numpy(hall, sums):
    state = solve_plant(hall.plant, hall.groups, halls.outdoor(), hall.constants)
    # NumPy's rounds end at 1 mK, which is 1e-6 of power.
    assert float(sums.facility_j) == pytest.approx(3600.0 * np.sum(state.facility_w), rel=2e-6)
    assert float(sums.chillers_j) == pytest.approx(3600.0 * np.sum(state.chillers_w), rel=2e-5, abs=1.0)
    assert float(sums.evaporation_kg) == pytest.approx(3600.0 * np.sum(state.evaporation_kg_s), rel=1e-4, abs=1e-3)
    assert float(sums.balance_error) < 1e-6


def difference(moved, at, step):
    up, down = (float(moved(at + sign * step, step)[0].facility_j) for sign in (1.0, -1.0))
    return up - down


def check_gradients(hall):
    """Assert every derivative; return the numbers whose derivative stands above the noise of differences."""
    values, moved = parameters(hall), along(hall)
    at, whole = np.array(list(values.values())), np.eye(len(values))
    sums, _ = moved(at, 0.0 * at)
    check_as_numpy(hall, sums)
    total_j, told, wrong = float(sums.facility_j), set(), []
    for axis, (name, value) in zip(whole, values.items(), strict=True):
        if name.endswith("pad_effectiveness") and value == 0.0:
            continue  # there are no pads, and the least of them would be a mode of its own
        found, scale = float(moved(at, axis)[1].facility_j), max(abs(value), 0.1)
        floor, differences = NOISE * total_j / scale, []
        for step in STEPS:
            differences.append(difference(moved, at, step * scale * axis) / (2.0 * step * scale))
            if abs(found - differences[-1]) <= max(TOLERANCE * abs(differences[-1]), floor):
                break
        else:
            wrong.append((name, found, *differences))
        if abs(found) > floor / TOLERANCE:
            told.add(name)
    assert wrong == []
    return told


def test_an_air_hall_by_every_number():
    """In supply air of 29 °C, where server fans speed up."""
    warmer = {"plant.design.air_supply_c": 29.0, "plant.design.cold_supply_c": 23.0}
    told = check_gradients(with_parameters(hall_of("air", "none", "air_cooled_chiller", "closed"), warmer))
    assert told >= {*EVERYWHERE, "constants.server_ramp_per_k", "groups.0.r_air_k_w", "constants.sink_convection"}


@pytest.mark.slow
@pytest.mark.parametrize("topology", TOPOLOGIES, ids=" · ".join)
def test_every_topology_by_every_number(topology):
    told = check_gradients(hall_of(*topology))
    assert len(told) >= 45
    assert "constants.leakage_per_k" in told


@pytest.mark.slow
def test_backwards_is_forwards():
    """Reverse mode, which gives all derivatives at once, against forward mode, one at a time."""
    hall = hall_of("plates + rear doors", "tower", "water_cooled_chiller", "closed")
    values, moved = parameters(hall), along(hall)
    found = gradient(year_function(hall), values, hours(halls.outdoor(), hall.groups))
    at, whole = np.array(list(values.values())), np.eye(len(values))
    assert set(found) == set(values)
    for axis, name in zip(whole, values, strict=True):
        forward = float(moved(at, axis)[1].facility_j)
        assert found[name] == pytest.approx(forward, rel=1e-6, abs=1e-12 * float(moved(at, axis)[0].facility_j)), name
