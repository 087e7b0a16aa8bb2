"""Equipment by hand: unit counts, flows, the harder design hour, and lost units are lost."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from twinloop.catalogue import cooling_kit
from twinloop.cooling.chillers import chiller
from twinloop.cooling.dry_coolers import DryCooler
from twinloop.model.weather import DesignConditions
from twinloop.planner.equipment import UNIT_W, fullest, schedule
from twinloop.planner.failures import (
    LOST,
    _margin_k,
    _time_to_throttle_s,
    _with_capacity,
    design_day,
    failure_cases,
)
from twinloop.planner.money import power_chain_share
from twinloop.twin.design import PlantConstants
from twinloop.twin.design_hours import busy_state, design_hours
from twinloop.twin.electrical import size_electrics
from twinloop.twin.free_coolers import OutdoorAir, best_leaving_c

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
    hours = design_hours(hall().weather, K)
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
    ("kind", "heat_w", "count", "beside_a_spare"),
    [
        # 0.99 MW with the margin of a tenth, units of 1 MW. With a spare, price by size to the power 0.75:
        # 1 + 1 costs 2, 2 + 1 1.5 × 2^0.25 = 1.78, 3 + 1 4/3 × 3^0.25 = 1.75, 4 + 1 1.25 × 4^0.25 = 1.77.
        ("air_cooled_chiller", 0.9e6, 1, 3),
        ("air_cooled_chiller", 0.95e6, 2, 3),  # 2 + 1 costs 1.5, 3 + 1 4/3 × 1.5^0.25 = 1.476
        ("air_cooled_chiller", 2.6e6, 3, 3),
        ("air_cooled_chiller", 5.0e6, 6, 6),
        ("water_cooled_chiller", 1.3e6, 1, 3),  # units of 1.5 MW
        ("water_cooled_chiller", 1.4e6, 2, 3),
        ("water_cooled_chiller", 0.1e6, 1, 2),  # none is sold below 40 kW: three would be too small
    ],
)
def test_chillers_come_in_units(kind, heat_w, count, beside_a_spare):
    plant, _ = plant_of(cold=kind)
    plant = replace(plant, cold=replace(plant.cold, heat_w=heat_w))
    line = lines_of(plant)["CH"]
    assert (line.count, line.spare) == (count, 0)
    assert line.rated_w * line.count == pytest.approx(1.1 * heat_w)  # of one, with the margin
    spare = lines_of(plant, "N+1")["CH"]
    assert (spare.count, spare.spare) == (beside_a_spare, 1)
    dearer = (beside_a_spare / count) ** 0.25 * (beside_a_spare + 1) / beside_a_spare
    assert spare.capex_usd == pytest.approx(line.capex_usd * dearer)
    assert lines_of(plant, "2N")["CH"].spare == count
    assert line.capex_usd < spare.capex_usd < lines_of(plant, "2N")["CH"].capex_usd * 0.9
    assert spare.rated_w * spare.count == pytest.approx(line.rated_w * line.count)


def test_a_pair_of_plants_has_two_paths_of_pipework():
    plant, _ = plant_of()
    one, beside, two = (lines_of(plant, each)["PP"] for each in ("N", "N+1", "2N"))
    assert two.capex_usd == pytest.approx(2.0 * one.capex_usd)
    assert beside.capex_usd == one.capex_usd
    assert (two.count, two.spare) == (1, 1)


def test_a_spare_of_distribution_units_is_bought_and_smaller_ones_cost_more():
    plant, _ = plant_of()
    line, spare = lines_of(plant)["CDU"], lines_of(plant, "N+1")["CDU"]
    assert line.capex_usd is None
    price = 0.14 * spare.rated_w  # 140 USD/kW (catalogue)
    dearer = (spare.count / line.count) ** 0.25
    assert spare.capex_usd == pytest.approx(price * ((spare.count + 1) * dearer - spare.count))


@pytest.mark.parametrize(("tag", "kind"), [("AH", "crah"), ("CDU", "cdu"), ("DC", "dry_cooler")])
def test_the_other_machines_come_in_their_units(tag, kind):
    plant, _ = plant_of()
    line = lines_of(plant)[tag]
    assert line.type == kind
    assert line.count == -(-line.rated_w * line.count // UNIT_W[kind])
    sizes = {"crah": 150e3, "cdu": 1e6, "dry_cooler": 5e5, "tower": 1.5e6, "adiabatic_cooler": 8e5, "rear_door": 35e3}
    assert {name: UNIT_W[name] for name in sizes} == sizes


@pytest.mark.parametrize(
    ("cooler", "cold", "tag", "words"),
    [
        # Design: 36 °C dry bulb with 21 °C wet bulb, 26 °C wet bulb, air drawn in 1 K warmer; supply at 32 and 20 °C.
        ("tower", "air_cooled_chiller", "WT", "26.0 °C wet bulb"),
        ("dry_cooler", "air_cooled_chiller", "DC", "25.0 °C air, 7 K below supply; air drawn in: 37.0 °C"),
        ("adiabatic_cooler", "air_cooled_chiller", "DC", "25.0 °C air, 7 K below supply; air drawn in: 37.0 °C"),
        ("dry_cooler", "air_cooled_chiller", "CH", "37.0 °C air: 36.0 °C dry bulb + 1 K recirculation"),
        ("dry_cooler", "air_cooled_chiller", "FC", "13 °C outside"),
        ("dry_cooler", "water_cooled_chiller", "CH", "30.0 °C condenser water"),
        ("dry_cooler", "water_cooled_chiller", "CT", "26.0 °C wet bulb"),
    ],
)
def test_each_line_says_what_it_is_sized_for(cooler, cold, tag, words):
    plant, _ = plant_of(cooler=cooler, cold=cold)
    assert lines_of(plant)[tag].design_condition == words


def test_coolers_of_warm_water_are_sized_for_the_air_drawn_in_and_behind_pads():
    it = halls.group(activity=np.ones(1))
    dry = halls.build(halls.design("plates + air", "dry_cooler", warm_supply_c=50.0), it)
    assert lines_of(dry)["DC"].design_condition == "37.0 °C air: 36.0 °C dry bulb + 1 K recirculation"
    # Pads of 0.7 take 11.2 of the 16 K between 37 °C and wet bulb.
    wet = halls.build(halls.design("plates + air", "adiabatic_cooler", warm_supply_c=40.0), it)
    assert lines_of(wet)["DC"].design_condition == "25.8 °C air behind pads: 37.0 °C dry, 21.0 °C wet bulb"


def test_an_outdoor_coil_makes_supply_water_in_air_seven_kelvin_colder():
    plant, _ = plant_of()
    cold = plant.cold
    back_c = 20.0 + cold.heat_w / (cold.flow_kg_s * 4181.0)
    # 6 K of the 13 K between return and air; of the 7 K that are left in warmer air the same share.
    share = (back_c - 20.0) / (back_c - 13.0)
    for air_c, water_c in ((13.0, 20.0), (19.0, back_c - share * (back_c - 19.0))):
        air = OutdoorAir(np.array([air_c]), np.array([5.0]), np.array([0.0]), 101325.0)
        left = best_leaving_c(cold.free_coil, np.array([back_c]), np.array([cold.flow_kg_s]), air, K)
        assert float(left[0]) == pytest.approx(water_c, abs=0.02)


@pytest.mark.parametrize(
    ("cooler", "cold", "tag", "duty"),
    [
        ("dry_cooler", "air_cooled_chiller", "CH", lambda p: p.cold.heat_w),
        ("dry_cooler", "air_cooled_chiller", "AH", lambda p: p.handler_heat_w),
        ("dry_cooler", "air_cooled_chiller", "DC", lambda p: p.warm.heat_w),
        ("tower", "air_cooled_chiller", "WT", lambda p: p.warm.heat_w),
        ("dry_cooler", "water_cooled_chiller", "CT", lambda p: p.cold.heat_w + chiller_w(p, 30.0)),
    ],
)
def test_a_rating_is_of_one_machine_with_its_margin(cooler, cold, tag, duty):
    plant, _ = plant_of(cooler=cooler, cold=cold)
    plant = replace(
        plant, handler_heat_w=0.7e6, warm=replace(plant.warm, heat_w=4e6, trim_w=0.0),
        cold=replace(plant.cold, heat_w=3.1e6),
    )  # fmt: skip
    line = lines_of(plant, "N+1")[tag]
    assert line.count > 1
    assert line.margin == 0.1
    assert line.rated_w * line.count == pytest.approx(1.1 * duty(plant))
    assert line.capex_usd == pytest.approx(cooling_kit(line.type).capex_usd_per_w * line.rated_w * (line.count + 1))


def chiller_w(plant, condenser_c):
    return float(chiller(plant.cold.chiller, plant.cold.heat_w, plant.design.cold_supply_c, condenser_c).power_w)


def test_a_chillers_power_is_that_of_its_design_condition():
    """Water of 20 °C in air of 37 °C: less lift than at 6.67 and 35 °C, so less than heat over COP 3."""
    plant, _ = plant_of(cold="air_cooled_chiller")
    line = lines_of(plant)["CH"]
    assert line.power_w == pytest.approx(chiller_w(plant, 37.0) / line.count)
    assert 0.5 * plant.cold.heat_w / 3.0 < line.power_w * line.count < 0.8 * plant.cold.heat_w / 3.0


def test_spare_distribution_units_cost_money_and_running_ones_are_in_the_plates():
    plant, _ = plant_of()
    plant = replace(plant, warm=replace(plant.warm, heat_w=2.4e6))
    assert lines_of(plant)["CDU"].capex_usd is None
    one, twice = lines_of(plant, "N+1")["CDU"], lines_of(plant, "2N")["CDU"]
    assert (one.count, one.spare, one.rated_w) == (3, 1, pytest.approx(0.8e6))
    assert one.capex_usd == pytest.approx(0.14 * 0.8e6)  # 140 USD/kW
    assert twice.capex_usd == pytest.approx(3 * 0.14 * 0.8e6)


def test_doors_are_rated_one_by_one_for_the_fullest_rack_and_say_what_is_too_much():
    it = halls.group(activity=np.ones(1))
    plant = replace(halls.build(halls.design("rear doors"), it), door_heat_w=170e3)
    kit = "rear_door_passive"

    def door(number, peak):
        return next(line for line in schedule(plant, hall(), K, {kit: number}, {kit: peak}) if line.type == kit)

    even = door(5, 1.0)
    assert (even.count, even.rated_w, even.margin) == (5, pytest.approx(34e3), pytest.approx(0.0))
    assert even.capex_usd == pytest.approx(5 * 34e3 * 0.48)
    assert "warning" not in even.design_condition
    uneven = door(5, 1.25)
    assert (uneven.rated_w, uneven.margin) == (pytest.approx(42.5e3), pytest.approx(0.25))
    assert "warning: 57 kW each, more than the 35 kW one carries" in door(3, 1.0).design_condition
    paths = {"cpu": "rear_door", "accelerator": "cold_plate"}
    # 10 kW of fans and supplies, and a twentieth of what is on plates: 40 + 10 + 3 kW; the other rack 20 kW.
    racks = (
        SimpleNamespace(count=3, power_w=110e3, component_w={"cpu": 40e3, "accelerator": 60e3}, carriers=paths),
        SimpleNamespace(count=1, power_w=20e3, component_w={"cpu": 20e3}, carriers={"cpu": "rear_door"}),
    )
    assert fullest(racks, K) == {kit: pytest.approx(53.0 * 4 / 179.0)}


def test_the_schedule_lists_spares_of_the_power_chain():
    plant, _ = plant_of()
    for redundancy, counts in (("N", [(3, 0), (5, 0), (3, 0)]), ("N+1", [(3, 1), (5, 1), (3, 1)]),
                               ("2N", [(3, 3), (4, 4), (3, 3)])):  # fmt: skip
        lines = lines_of(replace(plant, electrics=size_electrics(4e6, redundancy, K)))
        power = [lines[tag] for tag in ("TR", "UPS", "GE")]
        assert [(line.count, line.spare) for line in power] == counts
        ups_w = 1e6  # 5 of 5 MW, or 4 of 4 MW in each half of a pair
        assert [line.rated_w for line in power] == pytest.approx([6.4e6 / 3, ups_w, 2e6])
        assert all(line.capex_usd is None for line in power)


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
    state = busy_state(_with_capacity(plant, "DC", left), groups, design_hours(hall().weather, K), K)
    assert case.min_margin_k == pytest.approx(_margin_k(state, groups))


def test_a_spare_takes_over_whole():
    plant, groups = plant_of()
    lines = {tag: replace(line, count=2, spare=1) for tag, line in lines_of(plant).items()}
    case = lost(plant, groups, lines, "DC")
    assert "a spare takes over" in case.case
    assert case.min_margin_k == pytest.approx(
        _margin_k(busy_state(plant, groups, design_hours(hall().weather, K), K), groups)
    )


def test_time_that_air_and_coolant_buy():
    plant, _ = plant_of()
    level = replace(hall().weather, pressure_pa=101325.0)
    here = replace(hall(), floor=replace(hall().floor, area_m2=400.0), weather=level)
    # 400 m2 x 3.5 m x 1.17 kg/m3 x 1006 J/(kg K) x 10 K = 16.478 MJ.
    assert _time_to_throttle_s(plant, "AH", here, 14.0, K) == pytest.approx(16.47828e6 / plant.air_heat_w, rel=1e-6)
    # 33.6 L per 227 kW x 995.6 kg/m3 x 4181 J/(kg K) x 10 K.
    assert _time_to_throttle_s(plant, "CDU", here, 14.0, K) == pytest.approx(6.1614, rel=1e-4)
    # 4 mL/W of facility water more where the cooler stops, 41.626 MJ/m3 at 10 K.
    assert _time_to_throttle_s(plant, "DC", here, 14.0, K) == pytest.approx(6.1614 + 166.5, rel=1e-3)
    # Chillers: 6.5 mL/W of chilled water and the hall's air.
    wanted_s = 16.47828e6 / plant.cold.heat_w + 270.57
    assert _time_to_throttle_s(plant, "CH", here, 14.0, K) == pytest.approx(wanted_s, rel=1e-3)
    # No more than the chip has left, and nothing where it has nothing left.
    whole_s = _time_to_throttle_s(plant, "CH", here, 10.0, K)
    assert _time_to_throttle_s(plant, "CH", here, 1.0, K) == pytest.approx(0.1 * whole_s)
    assert _time_to_throttle_s(plant, "CH", here, -1.0, K) == 0.0
    high = replace(here, weather=replace(level, pressure_pa=0.8 * 101325.0))
    assert _time_to_throttle_s(plant, "AH", high, 14.0, K) == pytest.approx(0.8 * 16.47828e6 / plant.air_heat_w)


def test_the_power_chain_of_a_small_hall_is_not_divided_into_toys():
    """7 kW of IT: 8.75 kW of UPS, 10.5 kW of generator: one each and a spare; 100 kW are divided into three."""
    small, usual = (size_electrics(it_w, "N+1", K).units for it_w in (7e3, 100e3))
    assert {kind: (each.running, each.spare) for kind, each in small.items()} == dict.fromkeys(small, (1, 1))
    assert {kind: (each.running, each.spare) for kind, each in usual.items()} == dict.fromkeys(small, (3, 1))


@pytest.mark.parametrize(
    ("name", "tags", "counts"),
    [
        ("ac_eco_mode", ("TR", "UPS", "GE"), [(3, 1), (5, 1), (3, 1)]),
        ("dc_48v", ("TR", "RS", "GE"), [(3, 1), (182, 0), (3, 1)]),
        ("dc_380v", ("TR", "RE", "GE", "RC"), [(3, 1), (5, 1), (3, 1), (182, 0)]),
    ],
)
def test_the_schedule_lists_the_machines_of_the_chain(name, tags, counts):
    """4 MW at N+1: 5 MW and a sixth rectifier in every shelf, 6 MW in shelves of 33 kW."""
    plant, _ = plant_of()
    lines = lines_of(replace(plant, electrics=size_electrics(4e6, "N+1", K, name)))
    assert [(lines[tag].count, lines[tag].spare) for tag in tags] == counts
    assert set(lines) & {"UPS", "RE", "RS", "RC"} == set(tags) - {"TR", "GE"}
    for tag in set(tags) & {"RS", "RC"}:
        assert lines[tag].rated_w * lines[tag].count == pytest.approx(6e6)
        assert "one of six" in lines[tag].design_condition
    assert all(lines[tag].capex_usd is None for tag in tags)


@pytest.mark.parametrize(
    ("redundancy", "name", "extra"),
    [
        ("N", "ac_eco_mode", 0.0),
        ("N", "dc_380v", 0.08 * (270 / 300 - 1.0)),
        ("N", "dc_48v", 0.08 * (320 / 300 - 1.0)),
        ("2N", "dc_48v", 0.08 * (8.0 / 5.0 * 320 / 300 - 1.0) + 0.02 + 0.10 + 0.08),
    ],
)
def test_a_chain_costs_its_battery_machines_over_a_ups(redundancy, name, extra):
    """UPS are 8 % of the building at 5 MW for 4 MW of IT; a pair of 4 MW halves is 8 MW."""
    assert power_chain_share(4e6, redundancy, name) == pytest.approx(extra, abs=1e-9)
