"""Machines that stand run at their own ratings: capacity, electricity, efficiency, staging, balances."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twinloop.cooling.chillers import chiller
from twinloop.model.site import ExistingPlant, StandingUnits
from twinloop.model.weather import DesignConditions
from twinloop.power.ups import efficiency
from twinloop.twin.plant import solve_plant
from twinloop.twin.sizing import size_plant
from twinloop.twin.standing import at_ratings

_spec = importlib.util.spec_from_file_location("halls", Path(__file__).with_name("test_plant_closure.py"))
assert _spec
assert _spec.loader
halls = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(halls)

AT = DesignConditions(34.0, 22.0, 24.0, -12.0, "test")
K = halls.K
MARGIN = 1.0 + K.sizing_margin


def sized(kit="plates + air", cooler="dry_cooler", plant="air_cooled_chiller"):
    return size_plant(halls.design(kit, cooler, plant), (halls.group(),), AT, 101325.0, 200.0, K)


def standing(*units):
    return ExistingPlant("plates + air", "dry_cooler", "air_cooled_chiller", 36.0, 18.0, False, True, units)


def year(plant):
    return solve_plant(plant, (halls.group(),), halls.outdoor(), K)


def test_machines_of_the_size_that_is_needed_change_nothing():
    plant = sized()
    as_needed = standing(
        StandingUnits("crah", 2, 0, plant.handler_heat_w * MARGIN / 2.0),
        StandingUnits("dry_cooler", 3, 1, plant.warm.heat_w * MARGIN / 2.0),
        StandingUnits("air_cooled_chiller", 3, 1, plant.cold.heat_w * MARGIN / 2.0),
        StandingUnits("cdu", 1, 0, plant.warm.heat_w / 4.0),  # three quarters are new
    )
    same = year(at_ratings(plant, as_needed, AT, K))
    assert same.facility_w == pytest.approx(year(plant).facility_w, rel=1e-12)


@pytest.mark.parametrize(
    ("kit", "cooler", "plant"),
    [("plates + air", "dry_cooler", "air_cooled_chiller"), ("plates + rear doors", "tower", "water_cooled_chiller"),
     ("all plates", "thermosyphon", "air_cooled_chiller"), ("air", "none", "water_cooled_chiller")],
)  # fmt: skip
def test_balances_close_in_oversized_halls(kit, cooler, plant):
    needed = sized(kit, cooler, plant)
    kinds = ("crah", "cdu", "rear_door_passive", cooler, plant, "tower", "pipework", "ups", "transformer")
    units = [StandingUnits(kind, 7, 1, needed.it_w) for kind in dict.fromkeys(kinds) if kind != "none"]
    rated = at_ratings(needed, standing(*units), AT, K)
    state = year(rated)
    assert np.max(state.balance_error) < 1e-6
    assert np.all(state.facility_w > state.it_w)


def test_larger_coolers_run_slower_and_larger_ups_lose_more():
    plant = sized()
    coolers = StandingUnits("dry_cooler", 2, 0, plant.warm.heat_w * MARGIN)
    cool = halls.outdoor().dry_bulb_c < 10.0
    slower, usual = year(at_ratings(plant, standing(coolers), AT, K)), year(plant)
    shares = slower.warm.free.fan_w[cool] / usual.warm.free.fan_w[cool]
    # Twice the need stands and half again of it runs. At the same air (1 / 1.5)² of the power is left; surface,
    # too, has grown, and less air will do.
    assert np.all(shares < 1.0 / 1.5**2)
    assert np.all(shares > 0.3)
    ups = plant.electrics.ups.rating_w
    large = at_ratings(plant, standing(StandingUnits("ups", 4, 0, ups)), AT, K)
    assert large.electrics.ups.rating_w == pytest.approx(4.0 * ups)
    assert np.all(year(large).electric.ups_loss_w > year(plant).electric.ups_loss_w * 1.5)


def test_the_name_plate_is_met_at_its_point():
    plant = sized()
    need_w = plant.cold.heat_w * MARGIN
    unit_w = need_w / 2.0
    rated = at_ratings(plant, standing(StandingUnits("air_cooled_chiller", 3, 0, unit_w, unit_w / 2.5)), AT, K)
    at_full = chiller(rated.cold.chiller, need_w, plant.design.cold_supply_c, AT.dry_bulb_c + K.recirculation_outdoor_k)
    assert float(at_full.power_w) == pytest.approx(need_w / 2.5, rel=1e-9)
    assert float(at_full.plr) == pytest.approx(1.0, rel=1e-9)  # the third is not started
    old = StandingUnits("ups", 2, 1, plant.electrics.ups.rating_w, efficiency=0.88)
    chain = at_ratings(plant, standing(old), AT, K).electrics
    assert float(efficiency(chain.ups, chain.ups.rating_w)) == pytest.approx(0.88, rel=1e-12)
    assert (chain.units["ups"].running, chain.units["ups"].spare) == (1, 1)
    fans = StandingUnits("crah", 1, 0, plant.handler_heat_w * MARGIN * 1.2, 9e3)
    assert at_ratings(plant, standing(fans), AT, K).handler.fan_design_w == 9e3


def test_a_spare_carries_nothing():
    """Two UPS, one standing by: together they have the rating, the one at work has not; what is missing is new."""
    plant = sized()
    sized_w, count = plant.electrics.ups.rating_w, plant.electrics.units["ups"]
    need_w = sized_w / count.installed
    pair = StandingUnits("ups", 2, 1, max(0.9 * need_w, 0.5 * sized_w))
    missing_w = max(need_w - pair.rated_w, 0.0)
    chain = at_ratings(plant, standing(pair), AT, K).electrics
    assert missing_w > 0.0
    assert chain.ups.rating_w == pytest.approx(2.0 * pair.rated_w + missing_w)
    assert chain.units["ups"] == count
    one = StandingUnits("transformer", 1, 0, 0.25 * plant.electrics.transformer.rating_w, efficiency=0.9)
    mixed = at_ratings(plant, standing(one), AT, K).electrics.transformer
    usual = plant.electrics.transformer.no_load + plant.electrics.transformer.full_load
    assert mixed.rating_w == pytest.approx(plant.electrics.transformer.rating_w)
    assert mixed.no_load + mixed.full_load == pytest.approx(0.75 * usual + 0.25 * (1.0 / 0.9 - 1.0))


def test_what_is_missing_is_new():
    """Half of the chillers stand with a COP of 2: the bank's is between theirs and that of new ones."""
    plant = sized()
    need_w = plant.cold.heat_w * MARGIN
    half = StandingUnits("air_cooled_chiller", 1, 0, 0.5 * need_w, 0.25 * need_w)
    mixed = at_ratings(plant, standing(half), AT, K).cold.chiller
    whole = at_ratings(plant, standing(replace(half, count=2)), AT, K).cold.chiller
    assert mixed.capacity_w == pytest.approx(plant.cold.chiller.capacity_w, rel=1e-12)
    assert 1.0 / mixed.cop == pytest.approx(0.5 / whole.cop + 0.5 / plant.cold.chiller.cop, rel=1e-9)


def test_pumps_of_standing_pipework():
    plant = sized()
    heat_w = plant.cold.heat_w + plant.warm.heat_w
    pumps_w = plant.cold.pump_w + plant.cold.condenser_pump_w + plant.warm.pump_w
    rated = at_ratings(plant, standing(StandingUnits("pipework", 1, 0, heat_w, 2.0 * pumps_w)), AT, K)
    assert rated.warm.pump_w == pytest.approx(2.0 * plant.warm.pump_w)
    assert rated.cold.pump_w == pytest.approx(2.0 * plant.cold.pump_w)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kit", "cooler", "plant"),
    [("plates + rear doors", "tower", "water_cooled_chiller"), ("plates + air", "dry_cooler", "air_cooled_chiller")],
)
def test_compiled_halls_agree_beyond_the_need(kit, cooler, plant):
    jax = pytest.importorskip("jax")
    from twinloop.twin.compiled import Hall, hours, parameters, year_function

    needed = sized(kit, cooler, plant)
    units = [StandingUnits(kind, 7, 1, needed.it_w) for kind in ("crah", "cdu", cooler, "pipework", "ups")]
    units.append(StandingUnits(plant, 3, 0, 0.7 * needed.cold.heat_w, 0.25 * needed.cold.heat_w))
    rated = at_ratings(needed, standing(*units), AT, K)
    hall = Hall(rated, (halls.group(),), K)
    with jax.enable_x64(True):
        sums = year_function(hall)(dict(parameters(hall)), hours(halls.outdoor(), hall.groups))
        assert float(sums.facility_j) == pytest.approx(3600.0 * np.sum(year(rated).facility_w), rel=2e-6)
        assert float(sums.balance_error) < 1e-6
