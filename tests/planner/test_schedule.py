"""Equipment by hand: unit counts, flows, the harder design hour, and lost units are lost."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twinloop.cooling.dry_coolers import DryCooler
from twinloop.model.weather import DesignConditions
from twinloop.planner.equipment import UNIT_W, schedule
from twinloop.planner.failures import (
    LOST,
    _at_design,
    _design_hours,
    _margin_k,
    _time_to_throttle_s,
    _with_capacity,
    design_day,
    failure_cases,
)
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


def plant_of(kit="plates + air", cooler="dry_cooler", cold="air_cooled_chiller"):
    it = halls.group(activity=np.ones(1))
    return halls.build(replace(halls.design(kit, cooler), cold_plant=cold), it), (it,)


def lines_of(plant, redundancy="N"):
    return {line.tag: line for line in schedule(plant, replace(hall(), redundancy=redundancy), K)}


@pytest.mark.parametrize(
    ("kind", "heat_w", "count"),
    [
        ("air_cooled_chiller", 0.9e6, 1),  # 0.99 MW with the margin of a tenth, units of 1 MW
        ("air_cooled_chiller", 0.95e6, 2),
        ("air_cooled_chiller", 2.6e6, 3),
        ("water_cooled_chiller", 1.3e6, 1),  # units of 1.5 MW
        ("water_cooled_chiller", 1.4e6, 2),
    ],
)
def test_chillers_come_in_units(kind, heat_w, count):
    plant, _ = plant_of(cold=kind)
    plant = replace(plant, cold=replace(plant.cold, heat_w=heat_w))
    line = lines_of(plant)["CH"]
    assert (line.count, line.spare) == (count, 0)
    assert line.rated_w == pytest.approx(1.1 * heat_w)
    spare = lines_of(plant, "N+1")["CH"]
    assert (spare.count, spare.spare) == (count, 1)
    assert spare.capex_usd == pytest.approx(line.capex_usd * (count + 1) / count)
    assert lines_of(plant, "2N")["CH"].spare == count


@pytest.mark.parametrize(("tag", "kind"), [("AH", "crah"), ("CDU", "cdu"), ("DC", "dry_cooler")])
def test_the_other_machines_come_in_their_units(tag, kind):
    plant, _ = plant_of()
    line = lines_of(plant)[tag]
    assert line.type == kind
    assert line.count == -(-line.rated_w // UNIT_W[kind])
    sizes = {"crah": 150e3, "cdu": 1e6, "dry_cooler": 5e5, "tower": 1.5e6, "adiabatic_cooler": 8e5, "rear_door": 5e4}
    assert {name: UNIT_W[name] for name in sizes} == sizes


def test_flows_are_cubic_metres_an_hour():
    plant, _ = plant_of()
    line = lines_of(plant)["CH"]
    # 1 kg/s of water at 30 °C is 3.6159 m3/h.
    assert line.flow_m3_h == pytest.approx(plant.cold.flow_kg_s * 3.6159, rel=1e-4)
    # Heat by m3/h and kelvin: rated at the design load, 4181 J/(kg K) x 995.6 kg/m3.
    carried_w = line.flow_m3_h / 3600.0 * 995.6 * 4181.0 * (line.t_in_c - line.t_out_c)
    assert carried_w == pytest.approx(plant.cold.heat_w, rel=1e-6)
    assert line.dp_kpa == 50.0


# One unit lost


def lost(plant, groups, lines, tag):
    cases = failure_cases(plant, groups, hall(), (lines[tag],), K)
    assert len(cases) == 1
    return cases[0]


@pytest.mark.parametrize(
    ("count", "left", "words"),
    [
        (4, 0.75, "75% of capacity left"),
        (2, 0.5, "50% of capacity left"),
        (1, LOST, "the only one, nothing of its capacity is left"),
    ],
)
def test_one_of_n_lost_leaves_the_others(count, left, words):
    plant, groups = plant_of()
    lines = {tag: replace(line, count=count, spare=0) for tag, line in lines_of(plant).items()}
    case = lost(plant, groups, lines, "DC")
    assert f"(DC) lost: {words}" in case.case
    state = _at_design(_with_capacity(plant, "DC", left), groups, _design_hours(hall(), K), K)
    assert case.min_margin_k == pytest.approx(_margin_k(state, groups))


def test_a_spare_takes_over_whole():
    plant, groups = plant_of()
    lines = {tag: replace(line, count=2, spare=1) for tag, line in lines_of(plant).items()}
    case = lost(plant, groups, lines, "DC")
    assert "a spare takes over" in case.case
    assert case.min_margin_k == pytest.approx(_margin_k(_at_design(plant, groups, _design_hours(hall(), K), K), groups))


def test_time_that_air_and_coolant_buy():
    plant, _ = plant_of()
    here = replace(hall(), floor=replace(hall().floor, area_m2=400.0))
    # 400 m2 x 3.5 m x 1.17 kg/m3 x 1006 J/(kg K) x 10 K = 16.478 MJ.
    assert _time_to_throttle_s(plant, "AH", here, K) == pytest.approx(16.47828e6 / plant.air_heat_w, rel=1e-6)
    # 33.6 L per 227 kW x 995.6 kg/m3 x 4181 J/(kg K) x 10 K.
    assert _time_to_throttle_s(plant, "CDU", here, K) == pytest.approx(6.1614, rel=1e-4)
