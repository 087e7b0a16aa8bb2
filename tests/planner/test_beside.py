"""Switches and storage: trees by hand, and the same watts in selection, twin, racks, schedule and totals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.catalogue import shared_storage, switch_kind
from twinloop.model.estimate import ComponentPower, Parallelism, StageOption
from twinloop.planner.beside import beside_lines
from twinloop.planner.check import check, groups_at
from twinloop.planner.optimise import corrections_of, fixed, problem_of
from twinloop.planner.racks import server_of
from twinloop.planner.screen import screen
from twinloop.planner.stored import Stored, room_pue, stored_at, stored_opening
from twinloop.planner.wiring import FABRIC, FRONT_END, Wiring, fat_tree, rack_share, wiring
from twinloop.twin.design import PlantConstants
from twinloop.twin.groups import Coolants, it_state
from twinloop.twin.sizing import size_plant
from twinloop.twin.year import site_year

K = PlantConstants()
YEAR_S = 8760 * 3600.0
CLOUD = "  - {name: away, kind: cloud, provider: aws, region: us-east-1, jurisdiction: EU}\n"
CARRIERS = ", cooling: [cold_plate, air, rear_door, bath, dry_cooler, air_cooled_chiller]"


def eight(duration_s: float | None = 3600.0) -> StageOption:
    """Give eight servers of eight devices."""
    power = ComponentPower(56e3, 4e3, 2e3, 2e3, 1e3)
    return StageOption(
        "train", "H100-SXM-80GB", 64, "HGX-H100-8-air", 8, "bf16", "none", Parallelism(data=8, tensor=8), 1.0,
        duration_s, 0.1, 1.0, power, power, 700.0, None, 0.0, None, 0.0, {}, 1.0, 1.0,
    )  # fmt: skip


# Trees


@pytest.mark.parametrize(
    ("hosts", "tiers", "switches", "links"),
    [
        (40, 1, 1, 0),  # one switch of 64 ports
        (128, 2, 4 + 2, 128),  # 32 down and 32 up a leaf
        (2048, 2, 64 + 32, 2048),  # the largest of two tiers, R²/2
        (2049, 3, 65 + 65 + 33, 2 * 2049),  # one more: 64 up a leaf, 32 + 32 a switch between
        (65_536, 3, 2048 + 2048 + 1024, 2 * 65_536),  # the largest of three, R³/4
    ],
)  # fmt: skip
def test_fat_trees_without_oversubscription_are_those_of_the_books(hosts, tiers, switches, links):
    tree = fat_tree(FABRIC, float(hosts))
    assert (tree.tiers, tree.switches, tree.uplinks) == (tiers, switches, links)


def test_a_shared_front_end_is_taken_by_the_part():
    tree = fat_tree(FRONT_END, 12.0, whole=False)  # 24 ports down and 8 up a leaf of 32
    assert tree.switches == pytest.approx(12 / 24 + 4 / 32)
    assert tree.uplinks == pytest.approx(4.0)
    assert fat_tree(FRONT_END, 24.0, whole=False).power_w == pytest.approx(2.0 * tree.power_w)


def test_the_schedule_tells_one_tier_in_the_singular():
    one, two = (
        beside_lines((Wiring((fat_tree(FABRIC, ports),)),), Stored(0.0, 0, 0.0, 0.0, 0.0, 0.0))
        for ports in (4.0, 128.0)
    )
    assert one[0].design_condition.endswith("4 ports to servers, 0 links up, 1 tier")
    assert two[0].design_condition.endswith("128 ports to servers, 128 links up, 2 tiers")


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(1, 40_000))
def test_every_port_of_a_tree_has_a_switch_and_more_hosts_never_take_less(hosts: int) -> None:
    tree, larger = fat_tree(FABRIC, float(hosts)), fat_tree(FABRIC, hosts + 1.0)
    assert tree.switches * tree.kind.ports >= hosts + 2 * tree.uplinks  # a link up has two ends
    assert larger.power_w > tree.power_w
    assert larger.price_usd > tree.price_usd


def test_a_fabric_is_bought_where_servers_work_as_one(small):
    server = server_of(small(), "HGX-H100-8-air")
    front, fabric = switch_kind(FRONT_END), switch_kind(FABRIC)
    ports = fat_tree(FRONT_END, 16.0, whole=False)
    one = fabric.power_w + 64 * fabric.host_link_w  # 64 devices at 400 Gb/s: one switch
    assert wiring(eight(), server).power_w == pytest.approx(ports.power_w + one)
    half = wiring(eight(), replace(server, network_b_s=25e9))
    assert half.power_w == pytest.approx(ports.power_w + fabric.power_w + 32 * fabric.host_link_w)
    assert wiring(eight(None), server).trees == (ports,)  # eight copies of a model, one a server
    spanning = replace(eight(None), parallelism=Parallelism(data=4, tensor=16))
    assert wiring(spanning, server).power_w == pytest.approx(ports.power_w + one)
    assert wiring(eight(), replace(server, device_kind="cpu")).trees == (ports,)
    assert front.ports_per_server == 2.0


def test_two_tiers_cost_and_take_what_clusters_of_today_do():
    """4500 USD (2500-8000) and 0.2 W a Gb/s for each port of 400 Gb/s: both from memory."""
    tree = fat_tree(FABRIC, 2048.0)
    assert 2500.0 < tree.price_usd / 2048 < 8000.0
    assert 0.1 < tree.power_w / 2048 / 400.0 < 0.3


# In a hall


@pytest.fixture(scope="module")
def model(small):
    found = small(devices="[H100-SXM-80GB]", cooling=CARRIERS, positions="60", samples="5e7", sites=CLOUD)
    return replace(found, datasets=(replace(found.datasets[0], size_b=2e15),))


@pytest.fixture(scope="module")
def screened(model):
    return screen(model, K, lambda _: None)


def of(screened, kit):
    """Give the largest option in the first hall design of ``kit``."""
    design = next(name for name, each in screened.kit_of.items() if each == kit and ("hall", name) in screened.designs)
    return max((p for p in screened.placements if p.design == design), key=lambda p: p.servers)


@pytest.mark.parametrize("kit", ["air", "rear doors", "plates + air", "immersion"])
def test_totals_racks_and_schedule_have_the_same_watts(model, screened, kit):
    p = of(screened, kit)
    checked = check(model, (p,), screened.designs, K)
    site = checked.sites[0]
    switches, stored = wiring(p.option, server_of(model, p.option.server)), stored_at(model, "hall")
    lines = {line.type: line for line in site.planned.equipment}
    assert sum(lines[kind].power_w for kind in ("fabric_switch", "front_end_switch")) == pytest.approx(switches.power_w)
    assert lines["shared_storage"].power_w == pytest.approx(2000 * 1.1)  # TB x W/TB
    racks = site.planned.rack_types
    assert sum(rack.count * rack.power_w for rack in racks) == pytest.approx(site.plant.it_w, rel=1e-9)
    assert racks[-1].count * racks[-1].power_w == pytest.approx(switches.power_w + stored.power_w, rel=0.03)
    assert set(racks[-1].carriers.values()) == {"rear_door" if kit == "rear doors" else "air"}
    # Without them the year has their energy less, at the inlet.
    _, storage = groups = groups_at(model, (p,))
    air = np.full(1, 24.0)
    watts = [float(it_state(replace(each, activity=np.ones(1)), screened.designs["hall", p.design],
                            Coolants(air, air + 20.0, air + 20.0), K).it_w[0]) for each in groups]  # fmt: skip
    assert watts[1] == pytest.approx(stored.power_w, rel=0.03)
    assert storage.device_count == 0
    assert checked.totals.it_energy_mwh_per_year == pytest.approx(site.year.energy.it_j / 3.6e9, rel=1e-12)
    assert checked.totals.it_energy_mwh_per_year == pytest.approx(
        (p.it_j + stored.it_j) / 3.6e9, rel=0.02
    )  # as screened


def test_the_heat_of_switches_beside_baths_is_the_rooms(model, screened):
    p = of(screened, "immersion")
    design = screened.designs["hall", p.design]
    group = groups_at(model, (p,))[0]
    air = np.full(1, 24.0)
    full = replace(group, activity=np.ones(1))
    with_switches = it_state(full, design, Coolants(air, air + 20.0, air + 20.0), K)
    assert float(with_switches.air_heat_w[0]) == pytest.approx(group.switch_w, rel=1e-9)


def test_storage_beside_a_boiling_bath_is_on_air_and_boils_nothing(model, screened):
    p = of(screened, "immersion")
    design = replace(screened.designs["hall", p.design], bath="two_phase")
    groups, site = groups_at(model, (p,)), model.on_premise[0]
    plant = size_plant(design, groups, site.weather.design, site.weather.pressure_pa, 300.0, K)
    year = site_year(site, plant, groups, K)
    assert "storage" not in year.first_limit
    assert year.energy_balance_error < 1e-6
    assert all(np.isfinite(values).all() for values in year.hourly.values())
    assert plant.air_heat_w == pytest.approx(groups[0].switch_w + stored_at(model, "hall").power_w, rel=0.05)


def test_making_switches_and_storage_is_scope_3(model, screened):
    p = of(screened, "air")
    server = server_of(model, p.option.server)
    making_kg = (
        server.embodied_kg * p.servers + wiring(p.option, server).embodied_kg + 2000 * 12.0  # kg/TB
    )
    totals = check(model, (p,), screened.designs, K).totals
    assert totals.carbon_t_per_year["scope3"] == pytest.approx(making_kg / 5.0 / 1e3)


def test_datasets_stay_at_home_when_nothing_else_runs_there(model, screened):
    """The storage's electricity and making are then the hall's by the PUE of a server room, in the plan's totals."""
    rented = next(p for p in screened.placements if p.site == "away")
    checked = check(model, (rented,), screened.designs, K)
    hall = next(site.planned for site in checked.sites if site.planned.name == "hall")
    assert (hall.marked, hall.cooling) == ("catalogue", None)
    assert hall.totals.it_energy_mwh_per_year == pytest.approx(2000 * 1.1 * 8760 / 1e6)
    assert hall.totals.pue == pytest.approx(room_pue())
    assert checked.totals.it_energy_mwh_per_year == pytest.approx(
        sum(site.planned.totals.it_energy_mwh_per_year for site in checked.sites)
    )
    assert hall.totals.carbon_t_per_year["scope2"] > 0.0


def test_storage_is_the_same_in_every_plan_and_no_correction_of_placements(model, screened):
    p = of(screened, "air")
    checked = check(model, (p,), screened.designs, K)
    factors = next(iter(corrections_of(model, checked, K).values()))
    large = replace(model, datasets=(replace(model.datasets[0], size_b=20e15),))
    again = next(iter(corrections_of(large, check(large, (p,), screened.designs, K), K).values()))
    assert again.energy == pytest.approx(factors.energy, rel=0.05)  # what cools it stays in the factor
    assert fixed(large) - fixed(model) > 9.0 * stored_opening(model, model.on_premise[0]).cost_usd
    row = next(row for row in problem_of(large, (p,), {}, K).rows if row.name == "utility power of hall")
    assert row.fixed == pytest.approx(20_000 * 1.1)


def test_racks_beside_servers_are_whole_and_in_the_row(model, screened):
    p = of(screened, "air")
    (row,) = problem_of(model, (p,), {}, K).positions
    stored, hall = stored_at(model, "hall"), model.on_premise[0]
    share = rack_share(hall.racks, 20e3, stored.power_w, stored.height_u, stored.weight_kg)
    assert share == pytest.approx(7 * 4 / 48)  # 2000 TB in servers of 300, 4 U each
    assert row.taken((0,)) == p.load.racks + np.ceil(share + p.beside)
    assert shared_storage().usable_b == 300e12
