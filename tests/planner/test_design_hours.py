"""The design day is the harder of the hottest and the most humid hour, and lost units are lost."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twinloop.cooling.dry_coolers import DryCooler
from twinloop.model.weather import DesignConditions
from twinloop.planner.failures import _design_hours, _with_capacity, design_day
from twinloop.twin.design import PlantConstants

TWIN = Path(__file__).parents[1] / "twin" / "test_plant_closure.py"


def module(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


halls = module(TWIN)
sites = module(Path(__file__).with_name("test_rules.py"))
K = PlantConstants()


def hall():
    site = sites.site()
    dry = np.full(8760, 20.0)
    dry[100], wet = 30.0, np.full(8760, 12.0)
    wet[100] = 25.0
    weather = replace(
        site.weather, dry_bulb_c=dry, wet_bulb_c=wet, design=DesignConditions(36.0, 21.0, 26.0, -10.0, "test")
    )
    return replace(site, weather=weather)


def test_the_two_design_hours():
    hours = _design_hours(hall(), K)
    assert hours.wet_bulb_c.tolist() == [21.0, 26.0]
    # The most humid hour of the year is 5 K drier than saturated.
    assert hours.dry_bulb_c - K.recirculation_outdoor_k == pytest.approx([36.0, 31.0])


def test_a_tower_is_hardest_pressed_in_the_humid_hour_and_a_coil_in_the_hot_one():
    it = halls.group(activity=np.ones(1))
    tower = halls.build(halls.design("plates + air", "tower", trim=False, warm_supply_c=26.0), it)
    assert design_day(tower, (it,), hall(), K).wet_bulb_c == 26.0
    coil = halls.build(halls.design("plates + air", "dry_cooler", trim=False, warm_supply_c=36.0), it)
    assert design_day(coil, (it,), hall(), K).dry_bulb_c == 36.0


def test_two_thirds_of_the_coolers_are_two_thirds():
    plant = halls.build(halls.design("plates + air", "dry_cooler"), halls.group())
    left = _with_capacity(plant, "DC", 2.0 / 3.0)
    assert isinstance(plant.warm.cooler, DryCooler)
    assert left.warm.cooler.ua_w_k == pytest.approx(plant.warm.cooler.ua_w_k * 2.0 / 3.0)
