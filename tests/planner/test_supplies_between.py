"""A supply between 14 and 20 °C, where the margin of chips lies between the two."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinloop.planner.check import check
from twinloop.planner.designs import at_supply
from twinloop.planner.optimise import least_margin_k
from twinloop.planner.screen import screen
from twinloop.twin.design import PlantConstants

K = PlantConstants()


@pytest.fixture(scope="module")
def doors(small):
    """B200 behind rear doors keep less than 5 K with water of 20 °C, more with 14 °C."""
    return small(
        devices="[B200-SXM-180GB]", cooling=", cooling: [rear_door, air_cooled_chiller]", samples="2e7",
        deadline="3 days",
    )  # fmt: skip


def test_the_warmest_supply_that_keeps_the_margin_is_offered(doors):
    wished = replace(doors, caps=replace(doors.caps, junction_margin_k=5.0))
    screened = screen(wished, K, lambda _: None)
    p = next(p for p in screened.placements if 14.0 < screened.designs[p.site, p.design].cold_supply_c < 20.0)
    design = screened.designs[p.site, p.design]
    assert design.air_supply_c == design.cold_supply_c + 6.0

    def margin_k(cold_c: float) -> float:
        other = at_supply(design, cold_c)
        return least_margin_k(check(doors, (replace(p, design=other.name),), {(p.site, other.name): other}, K))

    assert margin_k(20.0) < 5.0 < margin_k(14.0)
    assert margin_k(design.cold_supply_c + 1.0) < 5.0 <= margin_k(design.cold_supply_c)  # steps, and room for lights


def test_nothing_is_offered_between_where_no_margin_is_asked_for(doors):
    plain = screen(doors, K, lambda _: None)
    assert {design.cold_supply_c for design in plain.designs.values()} <= {14.0, 20.0, 23.0, 26.0}
    wished = replace(doors, caps=replace(doors.caps, junction_margin_k=1e-3))  # both supplies keep that
    assert {d.cold_supply_c for d in screen(wished, K, lambda _: None).designs.values()} <= {14.0, 20.0, 23.0, 26.0}


def test_a_supply_is_part_of_the_name(doors):
    design = next(iter(screen(doors, K, lambda _: None).designs.values()))
    assert at_supply(design, 15.5).name == design.name.replace(f"{design.cold_supply_c:g} °C", "15.5 °C")
