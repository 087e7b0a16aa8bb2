"""A supply between 14 and 20 °C, where the margin of chips lies between the two."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinloop.planner.between import lit_margin_k
from twinloop.planner.check import check
from twinloop.planner.designs import at_supply
from twinloop.planner.optimise import least_margin_k
from twinloop.planner.screen import screen
from twinloop.planner.supplies import dry_words
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


def test_lights_take_from_the_margin(doors):
    screened = screen(doors, K, lambda _: None)
    p = screened.placements[0]
    site, design = doors.on_premise[0], screened.designs[p.site, p.design]
    dark = replace(site, floor=replace(site.floor, area_m2=1e-6))
    dim, lit = (lit_margin_k(doors, hall, p.option, K, design) for hall in (dark, site))
    assert dim - 1.0 < lit < dim - 0.01
    whole = least_margin_k(check(doors, (p,), screened.designs, K))
    assert lit == pytest.approx(whole, abs=0.05)


def test_wet_doors_tell_what_dry_ones_would_leave(doors):
    """At 14 °C doors may sweat: Frankfurt's hall has a dew point of up to 15 °C, and dry doors want 17 °C."""
    screened, site = screen(doors, K, lambda _: None), doors.on_premise[0]
    p = next(p for p in screened.placements if screened.designs[p.site, p.design].cold_supply_c == 20.0)
    cold, dry = (at_supply(screened.designs[p.site, p.design], supply_c) for supply_c in (14.0, 17.0))
    at = replace(screened, designs={(p.site, each.name): each for each in (cold, dry)})
    wet, other = (check(doors, (replace(p, design=each.name),), at.designs, K) for each in (cold, dry))
    words = dry_words(doors, wet, site, at, K)
    assert words.startswith(" At 17 °C in place of 14 °C the doors stay dry, for ")
    assert f"keeps {least_margin_k(other):.1f} K below its limit" in words
    assert f"in place of {least_margin_k(wet):.1f} K." in words
    assert dry_words(doors, other, site, at, K) == ""
