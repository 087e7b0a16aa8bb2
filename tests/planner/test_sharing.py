"""Servers that are cooled alike fill racks together: within every limit, never more racks than apart."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.catalogue import cooling_kit, server
from twinloop.model.site import RackLimits
from twinloop.planner.designs import KITS
from twinloop.planner.racks import AIR_RACK_W, door_rack_w, kind_of, pack
from twinloop.planner.sharing import Filled, Load, Positions, count, fill
from twinloop.twin.design import HybridDesign

LIMITS = RackLimits(positions=10, power_w=40e3, weight_kg=1500.0, height_u=48.0)


def design(kit: str) -> HybridDesign:
    return HybridDesign(
        name=kit, paths=KITS[kit], warm_cooler="dry_cooler", warm_supply_c=32.0, trim=True,
        cold_plant="air_cooled_chiller", cold_supply_c=20.0, air_supply_c=26.0, air_economiser=False, redundancy="N",
    )  # fmt: skip


def load_of(name: str, servers: int, watt: float, kit: str = "air") -> Load:
    chassis = server(name)
    packing = pack(chassis, watt, watt, LIMITS, design(kit))
    return Load(kind_of(chassis, design(kit)), servers, packing.share)


def test_a_small_server_goes_into_the_room_that_large_ones_leave():
    gpus = load_of("MI300X-8-air", 9, 8.0e3, "rear doors")  # 4 a rack by a door of 35 kW: 32 U, 32 kW
    cpus = load_of("CPU-2-EPYC-9654", 4, 0.7e3, "rear doors")
    assert gpus.per_rack == 4
    assert (gpus.racks, cpus.racks) == (3, 1)
    racks = fill({0: gpus, 1: cpus})
    assert count(racks) == 3  # apart they would take 4 positions
    assert racks[0] == Filled(gpus.kind, 1, {0: 4, 1: 4})
    assert sum(each.count * each.servers.get(0, 0) for each in racks) == 9
    assert sum(each.count * each.servers.get(1, 0) for each in racks) == 4


def test_air_is_shared_too_not_only_power():
    one = load_of("CPU-2-EPYC-9654", 12, 1.0e3)
    assert one.per_rack == AIR_RACK_W / 1e3 == 20
    other = load_of("CPU-2-EPYC-9654", 12, 1.0e3)
    assert count(fill({0: one, 1: other})) == 2  # 24 kW of air in one rack is more than 20 kW
    assert AIR_RACK_W < 24e3 < door_rack_w()
    behind = [load_of("CPU-2-EPYC-9654", 12, 1.0e3, "rear doors") for _ in range(2)]
    assert count(fill(dict(enumerate(behind)))) == 1  # a door takes all 24 kW


def test_a_door_without_fans_ends_where_its_makers_say():
    """35 kW (HPE Motivair QuickSpecs, 14-35 kW), below a position of 40: four servers of 8 kW, not five."""
    assert door_rack_w() == 35e3 < LIMITS.power_w
    assert load_of("MI300X-8-air", 5, 8.0e3, "rear doors").per_rack == 4
    active = cooling_kit("rear_door_active")
    assert active.rack_limit_w == 55e3


def test_what_is_cooled_otherwise_has_racks_of_its_own():
    kit = "plates + rear doors"
    plates, air = load_of("MI300X-8-liquid", 1, 8e3, kit), load_of("MI300X-8-air", 1, 8e3, kit)
    assert plates.kind != air.kind
    assert count(fill({0: plates, 1: air})) == 2
    assert count(fill({0: plates, 1: load_of("CPU-2-EPYC-9654", 1, 1e3, kit)})) == 1


shares = st.tuples(*[st.floats(0.004, 1.0)] * 3)
loads = st.lists(
    st.builds(Load, st.sampled_from(["air", "plates"]), st.integers(1, 60), shares), min_size=1, max_size=5
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(loads)
def test_racks_hold_every_server_within_every_limit(given_loads: list[Load]) -> None:
    mine = dict(enumerate(given_loads))
    racks = fill(mine)
    for key, load in mine.items():
        assert sum(each.count * each.servers.get(key, 0) for each in racks) == load.servers
    for each in racks:
        assert each.count >= 1
        assert {mine[key].kind for key in each.servers} == {each.kind}
        for d in range(3):
            assert sum(mine[key].share[d] * number for key, number in each.servers.items()) <= 1.0 + 1e-6
    assert count(racks) <= sum(load.racks for load in given_loads)
    for kind in {load.kind for load in given_loads}:
        here = [load for load in given_loads if load.kind == kind]
        got = count(each for each in racks if each.kind == kind)
        assert got >= max(load.racks for load in here)
        assert got >= max(sum(load.servers * load.share[d] for load in here) for d in range(3)) - 1e-6


def test_first_fit_comes_within_a_rack_of_every_other_order():
    """Plain first fit of single servers in every order of the loads, as an oracle of its own."""
    mine = {0: Load("a", 5, (0.45, 0.2)), 1: Load("a", 7, (0.3, 0.35)), 2: Load("a", 9, (0.1, 0.05))}

    def plain(order) -> int:
        bins: list[list[float]] = []
        for key in order:
            for _ in range(mine[key].servers):
                share = mine[key].share
                for each in bins:
                    if all(used + more <= 1.0 + 1e-9 for used, more in zip(each, share, strict=True)):
                        each[:] = [used + more for used, more in zip(each, share, strict=True)]
                        break
                else:
                    bins.append(list(share))
        return len(bins)

    assert count(fill(mine)) == plain((0, 1, 2))
    assert count(fill(mine)) <= min(plain(order) for order in permutations(mine)) + 1


def test_the_row_counts_filled_racks():
    row = Positions(
        "rack positions of hall", 1.0, {0: Load("a", 1, (0.5,)), 3: Load("a", 1, (0.5,)), 4: Load("a", 1, (0.6,))}
    )
    assert row.taken((0, 3)) == 1.0
    assert row.taken((0, 3, 4)) == 2.0
    assert row.taken((7,)) == 0.0
    assert row.loads[0].racks == pytest.approx(1)
    assert replace(row.loads[0], servers=5).racks == 3


@pytest.mark.parametrize(
    ("weight_kg", "height_u", "power_w", "fits", "limit"),
    [
        (1500.0, 480.0, 1e6, 11, "rack weight"),  # 130 kg each
        (1200.0, 480.0, 1e6, 9, "rack weight"),
        (9e3, 48.0, 1e6, 6, "rack height"),  # 8 U each
        (9e3, 480.0, 50.1e3, 50, "rack power"),
    ],
)
def test_what_binds_a_rack(weight_kg, height_u, power_w, fits, limit):
    chassis = server("MI300X-8-air")
    assert (chassis.weight_kg, chassis.height_u) == (130.0, 8.0)
    packing = pack(chassis, 1e3, 10.0, RackLimits(10, power_w, weight_kg, height_u), design("plates + air"))
    assert (packing.servers_per_rack, packing.limit) == (fits, limit)
    assert packing.share[1:3] == pytest.approx((8.0 / height_u, 130.0 / weight_kg))
    heavy = pack(chassis, 1e3, 10.0, RackLimits(10, power_w, 100.0, height_u), design("plates + air"))
    assert heavy.short == (("rack weight", 100.0, 130.0, "kg"),)
    assert heavy.share[2] == 1.0
