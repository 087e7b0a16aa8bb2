"""What the plan says of a hall is what its racks and its plant are: carriers, doors, watts, lights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twinloop.catalogue import cooling_kit, server
from twinloop.planner.check import check, check_hall, groups_at
from twinloop.planner.equipment import _carried_w, rack_units, schedule
from twinloop.planner.openings import opening_of
from twinloop.planner.optimise import corrections_of, problem_of
from twinloop.planner.rack_types import component_w, hall_carriers
from twinloop.planner.screen import screen
from twinloop.planner.selection import objective_of
from twinloop.twin.design import PlantConstants
from twinloop.twin.groups import Coolants, it_state
from twinloop.twin.sizing import size_plant

K = PlantConstants()
ROWS = "  - {name: rows, kind: preprocess, reads: data, rows: 2e8, every: 1 day, deadline: 12 h}\n"
CARRIERS = ", cooling: [cold_plate, air, rear_door, dry_cooler, air_cooled_chiller]"


@pytest.fixture(scope="module")
def model(small):
    return small(stages=ROWS, devices="[H100-SXM-80GB, EPYC-9654]", cooling=CARRIERS, positions="40", samples="2e7")


@pytest.fixture(scope="module")
def screened(model):
    return screen(model, K, lambda _: None)


def chosen(screened, kit, train_ends, rows_ends=""):
    """One placement of each stage in the first design of ``kit``, by how their servers are sold."""
    design = next(name for name, each in screened.kit_of.items() if each == kit)
    found = {}
    for stage, ends in (("train", train_ends), ("rows", rows_ends)):
        found[stage] = next(p for p in screened.placements if (p.stage, p.design) == (stage, design)
                            and p.option.server.endswith(ends))  # fmt: skip
    return found["train"], found["rows"], screened.designs["hall", design]


@pytest.fixture(scope="module")
def hybrid(model, screened):
    train, rows, design = chosen(screened, "plates + rear doors", "liquid")
    return check_hall(model, model.on_premise[0], (train, rows), design, K)


def test_component_watts_sum_to_the_rack_and_racks_to_the_meter(hybrid):
    racks = hybrid.planned.rack_types
    for rack in racks:
        assert sum(rack.component_w.values()) == pytest.approx(rack.power_w, rel=1e-12)
    assert sum(rack.count * rack.power_w for rack in racks) == pytest.approx(hybrid.plant.it_w, rel=1e-9)
    assert hybrid.planned.racks == sum(rack.count for rack in racks)


def test_component_watts_are_those_of_full_activity(model, screened):
    train, rows, design = chosen(screened, "plates + air", "liquid")
    group, cpus, _ = groups_at(model, (train, rows))
    coolants = Coolants(np.array([design.air_supply_c]), np.array([design.warm_supply_c + 4.0]),
                        np.array([design.warm_supply_c + 4.0]))  # fmt: skip
    state = it_state(replace(group, activity=np.ones(1)), design, coolants, K)
    found = component_w(group, design, K, is_cpu=False)
    assert found["accelerator"] == pytest.approx(float(state.by_component_w["accelerator"][0]))
    assert sum(found.values()) == pytest.approx(float(state.it_w[0]), rel=1e-12)
    assert "accelerator" not in component_w(cpus, design, K, is_cpu=True)
    plain = component_w(cpus, design, K, is_cpu=False)
    assert component_w(cpus, design, K, is_cpu=True)["cpu"] == plain["cpu"] + plain["accelerator"]


def test_processors_are_reported_as_such(hybrid, model):
    racks = hybrid.planned.rack_types
    alone = [rack for rack in racks if {share.stage for share in rack.contents} == {"rows"}]
    mixed = [rack for rack in racks if len(rack.contents) == 2]
    assert alone or mixed
    for rack in alone:
        assert rack.component_w.get("accelerator", 0.0) == 0.0
        assert rack.component_w["cpu"] > 0.5 * rack.power_w


def test_a_tiny_server_shares_a_rack_as_the_selection_counted(model, screened, hybrid):
    train, rows, _ = chosen(screened, "plates + rear doors", "liquid")
    assert rows.servers == 1
    assert train.load.kind == rows.load.kind
    problem = problem_of(model, (train, rows), {}, K)
    (row,) = problem.positions
    beside = row.racks_beside((0, 1))
    assert beside == hybrid.planned.rack_types[-1].count > 0
    assert (
        problem.taken(row, (0, 1)) == hybrid.planned.racks == train.racks + beside < train.racks + rows.racks + beside
    )
    (shared,) = [rack for rack in hybrid.planned.rack_types if len(rack.contents) == 2]
    assert shared.name == "train + rows racks"
    inside = {share.stage: share for share in shared.contents}
    assert (inside["train"].server, inside["rows"].server) == (train.option.server, rows.option.server)
    gpus, cpus = server(train.option.server), server(rows.option.server)
    n, m = inside["train"].servers, inside["rows"].servers
    assert shared.servers_per_rack == n + m > 2
    assert shared.weight_kg == pytest.approx(n * gpus.weight_kg + m * cpus.weight_kg)
    assert shared.height_u == pytest.approx(n * gpus.height_u + m * cpus.height_u)
    assert shared.power_w <= model.on_premise[0].racks.power_w
    assert shared.height_u <= model.on_premise[0].racks.height_u


def test_a_door_for_each_rack_that_has_one_and_for_no_other(model, screened, hybrid):
    doors = {line.type: line for line in hybrid.planned.equipment}["rear_door_passive"]
    assert doors.count == hybrid.planned.racks
    # Every door carries what its own rack puts into it.
    through_w = [_carried_w(rack, "rear_door", K) for rack in hybrid.planned.rack_types]
    assert doors.rated_w >= 0.99 * max(through_w)
    assert doors.rated_w * doors.count == pytest.approx((1.0 + doors.margin) * hybrid.plant.door_heat_w)
    racks = hybrid.planned.rack_types
    without = replace(racks[0], carriers=dict.fromkeys(racks[0].carriers, "cold_plate"))
    assert rack_units((without, *racks[1:]))["rear_door_passive"] == hybrid.planned.racks - racks[0].count
    _, _, design = chosen(screened, "plates + rear doors", "liquid")
    lines = {line.type: line for line in schedule(hybrid.plant, model.on_premise[0], K, {"rear_door_passive": 3})}
    assert lines["rear_door_passive"].count == 3
    third_w, least_w = hybrid.plant.door_heat_w / 3, cooling_kit("rear_door_passive").smallest_w
    assert lines["rear_door_passive"].rated_w == pytest.approx(max(third_w, least_w))
    assert lines["rear_door_passive"].margin == pytest.approx(max(third_w, least_w) / third_w - 1.0)
    assert design.has_door


def test_a_hall_of_plates_with_servers_sold_for_air_says_air(model, screened):
    train, rows, design = chosen(screened, "plates + air", "air")
    on_air = replace(train, option=replace(train.option, stage="train"))
    hall = check_hall(model, model.on_premise[0], (on_air,), design, K)
    assert hall.plant.warm is None
    cooling = hall.planned.cooling
    assert cooling.name == design.name  # a plan is read back by it
    assert set(cooling.components.values()) == {"air"}
    assert cooling.heat_rejection == "air cooled chiller"
    assert cooling.supply_c == design.cold_supply_c
    assert "warm_supply_c" not in cooling.setpoints
    assert not {"cdu", "cold_plate", "dry_cooler"} & {line.type for line in hall.planned.equipment if line.tag != "FC"}
    both = check_hall(model, model.on_premise[0], (train, rows), design, K).planned
    assert both.cooling.components["accelerator"] == "cold_plate"  # the processors are on plates
    assert both.cooling.components["memory"] == "air"


def test_the_carrier_of_a_hall_is_that_of_most_racks_where_the_design_has_none(screened, hybrid):
    _, _, design = chosen(screened, "plates + rear doors", "liquid")
    racks = hybrid.planned.rack_types
    air = replace(racks[0], count=1, carriers=dict.fromkeys(racks[0].carriers, "air"))
    door = replace(racks[0], count=2, carriers=dict.fromkeys(racks[0].carriers, "rear_door"))
    assert hall_carriers(design, (air, door))["accelerator"] == "rear_door"
    assert hall_carriers(design, (air, replace(racks[0], count=1)))["accelerator"] == "cold_plate"


def test_lights_are_in_the_screen_as_in_the_twin(model, screened):
    """A hall of 20,300 m2: what its lights add to the twin's energy and cost, the selection adds too."""
    train, rows, design = chosen(screened, "plates + air", "liquid")
    small_hall = model.on_premise[0]
    large_hall = replace(small_hall, floor=replace(small_hall.floor, area_m2=20_300.0))
    large = replace(model, on_premise=(large_hall,))
    picked = (train, rows)
    bare, lit = (check(each, picked, {("hall", design.name): design}, K) for each in (model, large))
    screens = [objective_of(problem_of(each, picked, {}, K), (0, 1)) for each in (model, large)]
    added = opening_of(large, large_hall, K).cost_usd - opening_of(model, small_hall, K).cost_usd
    assert opening_of(large, large_hall, K).power_w == pytest.approx(101_500.0)
    assert screens[1] - screens[0] == pytest.approx(added)
    # The twin also sizes and runs the plant that takes the lights' heat out: less than a third on top.
    assert added < lit.objective - bare.objective < 1.34 * added
    plant = size_plant(design, groups_at(model, picked), small_hall.weather.design, 101325.0, 20_300.0, K)
    assert plant.lighting_w == pytest.approx(101_500.0)
    power = next(row for row in problem_of(large, picked, {}, K).limits if row.name == "utility power of hall")
    assert power.halls == {"hall": pytest.approx(101_500.0)}
    # Lights apart, screen and twin agree on the energy of this hall: 1.5 kW of lights beside some 20 kW.
    assert corrections_of(model, bare, K)["hall", design.name].energy == pytest.approx(1.0, abs=0.01)
