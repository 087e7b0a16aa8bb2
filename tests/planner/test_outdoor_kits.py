"""Which outdoor equipment a plan may choose, and what of it is bought."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinloop.model.site import ExistingPlant
from twinloop.planner.check import groups_at
from twinloop.planner.designs import candidate_designs, existing_design
from twinloop.planner.equipment import schedule
from twinloop.planner.screen import screen
from twinloop.twin.design import PlantConstants
from twinloop.twin.sizing import size_plant

K = PlantConstants()


def lines(model, design):
    """Return the equipment of ``design`` for a stage that is cooled by it, by type."""
    site = model.on_premise[0]
    one = next(p for p in screen(model, K, lambda _: None).placements if p.anchors)
    plant = size_plant(design, groups_at(model, (one,)), site.weather.design, 101325.0, 300.0, K)
    return {line.type: line for line in schedule(plant, site, K)}


def test_thermosyphons_are_offered_where_they_are_named(small):
    named = small(cooling=", cooling: [cold_plate, thermosyphon, tower, air_cooled_chiller]")
    found = candidate_designs(named.on_premise[0], named.allow)
    assert {design.warm_cooler for design in found} == {"thermosyphon", "tower"}
    plain = small()
    assert "thermosyphon" not in {d.warm_cooler for d in candidate_designs(plain.on_premise[0], plain.allow)}
    chosen = next(design for design in found if design.warm_cooler == "thermosyphon")
    bought = lines(named, chosen)
    assert bought["thermosyphon"].capex_usd == pytest.approx(
        0.25 * bought["thermosyphon"].rated_w * bought["thermosyphon"].count
    )
    assert bought["thermosyphon"].tag == "TS"
    assert bought["tower"].capex_usd > 0.0


def test_air_halls_may_wet_outdoor_air_or_a_wall_and_pay_for_it(small):
    model = small(cooling=", cooling: [air, air_cooled_chiller]")
    found = {d.name: d for d in candidate_designs(model.on_premise[0], model.allow)}
    at_20 = [name for name in found if "20 °C" in name]
    assert sorted(at_20) == [
        "air, air cooled chiller 20 °C",
        "air, air cooled chiller 20 °C, indirect evaporative",
        "air, air cooled chiller 20 °C, outdoor air",
        "air, air cooled chiller 20 °C, outdoor air, wetted",
    ]
    kinds = {"economiser", "direct_evaporative", "indirect_evaporative"}
    bought = [kinds & lines(model, found[name]).keys() for name in sorted(at_20)]
    assert bought == [set(), {"indirect_evaporative"}, {"economiser"}, {"economiser", "direct_evaporative"}]


def test_what_stands_is_as_written_and_not_bought_again(small):
    model = small(cooling=", cooling: [air, air_cooled_chiller]")
    standing = ExistingPlant(
        "air", "none", "air_cooled_chiller", None, 20.0, outdoor_air=True, keep=True, units=(),
        evaporative="direct", containment="none",
    )  # fmt: skip
    site = replace(model.on_premise[0], plant=standing)
    design = existing_design(site)
    assert design.name == "air, air cooled chiller 20 °C, outdoor air, wetted, open aisles"
    assert candidate_designs(site, model.allow) == (design,)
    plant = size_plant(design, groups_at(model, screen(model, K, lambda _: None).placements[:1]),
                       site.weather.design, 101325.0, 300.0, K)  # fmt: skip
    assert plant.aisle.recirculation == 0.15
    assert not {"economiser", "direct_evaporative"} & {line.type for line in schedule(plant, site, K)}
