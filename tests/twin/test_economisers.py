"""Evaporative economisers and the thermosyphon hybrid inside the hall: balances, water, and what they save."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import psychrolib
import pytest

from twinloop.twin.free_coolers import OutdoorAir
from twinloop.twin.plant import mismatches_w, solve_plant
from twinloop.twin.year import _free_cooling

_spec = importlib.util.spec_from_file_location("halls", Path(__file__).with_name("test_plant_closure.py"))
assert _spec
assert _spec.loader
halls = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(halls)
K = halls.K
PRESSURE_PA = 101325.0


def weather(dry_c, dew_c):
    """Return hours of outdoor air by dry bulb and dew point, wet bulb by PsychroLib."""
    psychrolib.SetUnitSystem(psychrolib.SI)
    dry, dew = np.broadcast_arrays(np.asarray(dry_c, dtype=float), np.asarray(dew_c, dtype=float))
    wet = [psychrolib.GetTWetBulbFromTDewPoint(t, d, PRESSURE_PA) for t, d in zip(dry, dew, strict=True)]
    return OutdoorAir(np.array(dry), np.array(wet), np.array(dew), PRESSURE_PA)


def desert():
    return weather(np.linspace(5.0, 40.0, 36), np.full(36, 2.0))


def busy(air, chosen):
    it = halls.group(activity=np.ones(air.dry_bulb_c.size))
    plant = halls.build(chosen, it)
    return solve_plant(plant, (it,), air, K), plant


def air_hall(evaporative="none", *, outside=True, **changes):
    return halls.design("air", air_economiser=outside, evaporative=evaporative, **changes)


@pytest.mark.parametrize("air", [halls.outdoor(), desert()], ids=["wave", "desert"])
@pytest.mark.parametrize("plant", ["air_cooled_chiller", "water_cooled_chiller"])
@pytest.mark.parametrize("evaporative", ["direct", "indirect"])
def test_evaporative_halls_balance(evaporative, plant, air):
    state, built = busy(air, air_hall(evaporative, outside=evaporative == "direct", plant=plant))
    for name, mismatch in mismatches_w(state, built).items():
        assert np.max(np.abs(mismatch) / state.it_w) < 1e-6, name
    assert np.all(state.evaporation_kg_s >= 0.0)
    assert np.any(state.air.evaporation_kg_s > 0.0)


@pytest.mark.parametrize("kit", ["plates + air", "all plates", "immersion", "plates + rear doors"])
def test_a_thermosyphon_before_the_tower_balances(kit):
    state, built = busy(halls.outdoor(), halls.design(kit, "thermosyphon"))
    for name, mismatch in mismatches_w(state, built).items():
        assert np.max(np.abs(mismatch) / state.it_w) < 1e-6, name
    assert np.max(state.balance_error) < 1e-6


def test_outdoor_air_between_supply_and_return_takes_its_share_and_the_chiller_the_rest():
    """A differential limit: the return is some 41 °C, so air of 26 to 41 °C still cools it."""
    air = weather([10.0, 32.0, 40.5, 43.0], np.full(4, 10.0))
    state, built = busy(air, air_hall())
    back_c, supply_c = state.air.return_c[1], state.air.supply_c[1]
    air_w_k = state.air.fan_w[1] / built.handler.fan_design_w * built.handler.air_design_kg_s * 1006.0  # at full speed
    assert built.handler.fan_design_w == pytest.approx(float(state.air.fan_w[1]), rel=0.02)
    assert float(state.air.outdoor_heat_w[1]) == pytest.approx(float(air_w_k * (back_c - 32.0)), rel=0.02)
    assert float(state.air.coil_heat_w[1]) == pytest.approx(float(air_w_k * (32.0 - supply_c)), rel=0.02)
    assert state.air.coil_heat_w[0] == 0.0
    assert 0.0 < state.air.outdoor_heat_w[2] < 0.05 * state.air.coil_heat_w[2]  # fades out: no step at the return
    assert state.air.outdoor_heat_w[3] == 0.0
    hours = _free_cooling(state)
    assert (hours.full, hours.partial, hours.none) == (1, 2, 1)


@pytest.mark.parametrize("above_k", [1e-5, 1e-4, 1e-3, 1e-2])
def test_outdoor_air_a_hair_warmer_than_the_supply_leaves_the_coil_no_more_than_that(above_k):
    """Coils at their slowest water would pass more heat than is left: their water then runs part of the hour."""
    state, built = busy(weather([26.0 + above_k], [10.0]), air_hall())
    assert state.air.supply_c[0] == pytest.approx(26.0)
    assert 0.0 <= state.air.coil_heat_w[0] < 200e3 * above_k
    for name, mismatch in mismatches_w(state, built).items():
        assert np.max(np.abs(mismatch) / state.it_w) < 1e-6, name


@pytest.mark.parametrize("plant", ["air_cooled_chiller", "water_cooled_chiller"])
@pytest.mark.parametrize("evaporative", ["none", "direct"])
@pytest.mark.parametrize("dew_c", [2.0, 12.0, 14.5])
def test_hotter_outdoor_air_of_one_moisture_never_lowers_power(evaporative, plant, dew_c):
    state, _ = busy(weather(np.linspace(15.0, 45.0, 121), np.full(121, dew_c)), air_hall(evaporative, plant=plant))
    assert np.all(np.diff(state.facility_w) >= -1e-6 * state.it_w[1:])


def test_pads_carry_the_hall_in_dry_heat_and_their_water_is_the_enthalpy_they_move():
    """30 °C and a dew point of 2 °C: wetted air enters at 30 − 0.7 (30 − wet bulb)."""
    air = weather([30.0], [2.0])
    wet, _ = busy(air, air_hall("direct"))
    dry, _ = busy(air, air_hall())
    wet_c = float(air.wet_bulb_c[0])
    entering_c = 30.0 - 0.7 * (30.0 - wet_c)
    assert entering_c < 26.0  # colder than the supply: all heat leaves with outdoor air
    assert float(wet.air.coil_heat_w[0]) == pytest.approx(0.0, abs=1.0)
    assert float(wet.chillers_w[0]) < 0.02 * float(dry.chillers_w[0])
    share = float((wet.air.return_c[0] - wet.air.supply_c[0]) / (wet.air.return_c[0] - entering_c))
    flow_kg_s = float(wet.air.outdoor_heat_w[0]) / (1006.0 * float(wet.air.return_c[0] - wet.air.supply_c[0])) * share
    before = psychrolib.GetHumRatioFromTDewPoint(2.0, PRESSURE_PA)
    after = psychrolib.GetHumRatioFromTWetBulb(entering_c, wet_c, PRESSURE_PA)
    assert float(wet.air.evaporation_kg_s[0]) == pytest.approx(flow_kg_s * (after - before), rel=0.01)
    # Outdoor air leaves with the hall's heat: its enthalpy rises by that and by the liquid water it took up.
    leaving = psychrolib.GetMoistAirEnthalpy(float(wet.air.return_c[0]), after)
    entering = psychrolib.GetMoistAirEnthalpy(30.0, before)
    water_w = flow_kg_s * (after - before) * 4186.0 * wet_c
    assert flow_kg_s * (leaving - entering) - water_w == pytest.approx(float(wet.air.outdoor_heat_w[0]), rel=0.02)


def test_pads_stay_dry_in_frost_in_cold_air_and_where_the_hall_would_be_too_humid():
    air = weather([-5.0, 15.0, 35.0, 35.0], [-8.0, 5.0, 14.9, 20.0])
    state, _ = busy(air, air_hall("direct"))
    assert state.air.evaporation_kg_s[:2] == pytest.approx([0.0, 0.0])
    assert state.air.evaporation_kg_s[3] == 0.0  # more humid than the hall takes
    most = psychrolib.GetHumRatioFromTDewPoint(K.dew_point_high_c, PRESSURE_PA)
    before = psychrolib.GetHumRatioFromTDewPoint(14.9, PRESSURE_PA)
    outside_kg_s = float(state.air.evaporation_kg_s[2]) / (most - before)
    air_kg_s = float(state.air.outdoor_heat_w[2]) / 1006.0 / float(state.air.return_c[2] - 35.0)
    assert outside_kg_s == pytest.approx(air_kg_s, rel=0.05)


def test_a_wall_keeps_the_halls_air_and_saves_the_chiller_most_of_a_desert_year():
    none, _ = busy(desert(), air_hall(outside=False))
    wall, _ = busy(desert(), air_hall("indirect", outside=False))
    assert float(np.sum(wall.chillers_w)) < 0.35 * float(np.sum(none.chillers_w))
    cool = desert().dry_bulb_c < 15.0
    assert np.all(wall.air.evaporation_kg_s[cool] == 0.0)  # dry as long as that reaches
    assert np.all(wall.air.outdoor_fan_w[cool] > 0.0)
    hot = desert().dry_bulb_c > 30.0
    litres_per_kwh = wall.air.evaporation_kg_s[hot] / wall.air.outdoor_heat_w[hot] * 3.6e6
    assert litres_per_kwh == pytest.approx(3.6e6 / 2.45e6)
    humid = weather([30.0], [28.0])
    assert float(busy(humid, air_hall("indirect", outside=False))[0].air.supply_c[0]) < 26.5


def test_thermosyphons_leave_the_tower_what_dry_air_cannot_take():
    air = weather(np.array([-10.0, 5.0, 15.0, 25.0, 38.0]), np.array([-14.0, 0.0, 8.0, 14.0, 15.0]))
    hybrid, _ = busy(air, halls.design("all plates", "thermosyphon"))
    tower, _ = busy(air, halls.design("all plates", "tower"))
    ratio = hybrid.evaporation_kg_s / tower.evaporation_kg_s
    assert ratio[:2] == pytest.approx([0.0, 0.0], abs=1e-3)  # sized for the whole heat at 10 °C
    assert np.all(np.diff(ratio) >= -1e-3)
    # Heat in proportion to (entering water - air), whole at 10 °C: of 15 °C air the tower does the rest.
    entering_c = float(tower.warm.return_c[2])
    assert ratio[2] == pytest.approx(1.0 - (entering_c - 15.0) / (entering_c - 10.0), rel=0.05)
    assert hybrid.warm.supply_c == pytest.approx(tower.warm.supply_c, abs=1e-3)
    assert np.all(hybrid.warm.free.heat_w == pytest.approx(tower.warm.free.heat_w, rel=1e-3))


def test_absent_technology_is_zero():
    plain, _ = busy(desert(), halls.design("plates + air", "tower"))
    assert np.all(plain.air.outdoor_fan_w == 0.0)
    assert np.all(plain.air.evaporation_kg_s == 0.0)
    assert np.all(plain.air.outdoor_heat_w == 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "chosen",
    [air_hall("direct"), air_hall("indirect", outside=False), halls.design("all plates", "thermosyphon")],
    ids=["direct", "indirect", "thermosyphon"],
)
def test_compiled_halls_agree(chosen):
    jax = pytest.importorskip("jax")
    from twinloop.twin.compiled import Hall, hours, year_function

    with jax.enable_x64(True):
        it, air = halls.group(), halls.outdoor()
        plant = halls.build(chosen, it)
        sums = year_function(Hall(plant, (it,), K))({}, hours(air, (it,)))
        state = solve_plant(plant, (it,), air, K)
        assert float(sums.facility_j) == pytest.approx(3600.0 * np.sum(state.facility_w), rel=2e-6)
        assert float(sums.evaporation_kg) == pytest.approx(3600.0 * np.sum(state.evaporation_kg_s), rel=1e-4)
        assert float(sums.balance_error) < 1e-6
