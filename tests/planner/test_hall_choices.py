"""What a hall's class, aisles, coolants and refrigerants change in its designs and figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinloop.model.model import Allow
from twinloop.planner.check import check
from twinloop.planner.designs import candidate_designs, existing_design, intake_limit_c, warmer_designs
from twinloop.planner.explain import amount_words, warmer_words
from twinloop.planner.optimise import optimise
from twinloop.planner.plan import plan
from twinloop.planner.replay import _design
from twinloop.planner.screen import screen
from twinloop.planner.supplies import other_supplies, resupplied
from twinloop.twin.design import PlantConstants, aisle_of

K = PlantConstants()
STANDING = """\
    design: {cooling: air, cold_plant: air_cooled_chiller, cold_supply: 20 °C, keep: true}
"""

ALLOWABLE = "    intake: allowable\n"


@pytest.mark.parametrize("air_class", ["A1", "A2", "A4", "H1"])
def test_normal_running_keeps_intakes_in_the_recommended_range(small, air_class):
    """ASHRAE TC 9.9 (2021): recommended to 27 °C in all A classes, to 22 °C in H1; baths have no intake."""
    hall = small(hall=f"    hall_class: {air_class}\n").on_premise[0]
    limit_c = 22.0 if air_class == "H1" else 27.0
    found = [each for one in candidate_designs(hall, Allow()) for each in (one, *warmer_designs(one, hall))]
    breathing = [each for each in found if not each.immersed]
    assert max(each.air_supply_c for each in breathing) == {22.0: 20.0, 27.0: 26.0}[limit_c] < limit_c
    warmer = replace(hall, intake="allowable")
    allowed = [each for one in candidate_designs(warmer, Allow()) for each in (one, *warmer_designs(one, warmer))]
    assert max(each.air_supply_c for each in allowed) == {"A1": 29.0, "A2": 32.0, "A4": 32.0, "H1": 20.0}[air_class]


def test_height_takes_off_the_allowable_intake(small):
    hall = small(hall=ALLOWABLE).on_premise[0]
    high = replace(hall, weather=replace(hall.weather, elevation_m=2400.0))  # A2: 35 - 1500 / 300 = 30 °C
    assert intake_limit_c(high, "allowable") == pytest.approx(30.0)
    assert intake_limit_c(high, "recommended") == 27.0
    assert {each.cold_supply_c for one in candidate_designs(high, Allow()) for each in warmer_designs(one, high)} == {
        23.0
    }


def test_what_stands_may_run_warmer_than_recommended(small):
    warm = STANDING.replace("20 °C, keep: true", "23 °C, keep: false")
    hall = small(hall=warm).on_premise[0]
    assert existing_design(hall) in candidate_designs(hall, Allow())


@pytest.mark.slow
def test_the_price_of_the_recommended_intake_is_told(small):
    cooling = ", cooling: [cold_plate, air, dry_cooler, air_cooled_chiller]"
    usual, warmer = (plan(small(cooling=cooling, positions="6", hall=hall)).plan for hall in ("", ALLOWABLE))
    assert usual.sites[0].cooling.setpoints["air_supply_c"] == 26.0
    assert "recommended 27 °C of class A2" in usual.sites[0].cooling.why
    assert "recommended" not in warmer.sites[0].cooling.why
    extra = usual.totals.tco_usd - warmer.totals.tco_usd
    assert extra >= 0.0  # a stricter choice never saves
    if warmer.sites[0].cooling.setpoints["air_supply_c"] > 26.0:
        assert amount_words(small(), extra) in usual.sites[0].cooling.why


@pytest.mark.parametrize(("air_class", "supplies"), [("A2", [23, 26]), ("A1", [23]), ("H1", [])])
def test_warmer_water_within_the_class_of_the_hall(small, air_class, supplies):
    model = small(hall=f"    hall_class: {air_class}\n{ALLOWABLE}")
    hall = model.on_premise[0]
    design = next(each for each in candidate_designs(hall, Allow()) if each.paths["accelerator"] == "air")
    found = [each for each in warmer_designs(design, hall) if each.cold_supply_c > 20.0]
    assert [each.cold_supply_c for each in found] == supplies
    assert all(each.air_supply_c == each.cold_supply_c + 6.0 for each in found)
    assert [_design(hall, Allow(), each.name) for each in found] == found  # a written plan finds its design again


def test_warmer_water_stays_below_the_warm_loop(small):
    hall = small(hall=ALLOWABLE).on_premise[0]
    cool = next(each for each in candidate_designs(hall, Allow()) if each.warm_supply_c == 25.0)
    assert [each.cold_supply_c for each in warmer_designs(cool, hall)] == [23.0]


@pytest.mark.parametrize("samples", ["2e6", "2e8"])
def test_the_twin_has_the_last_word_on_the_supply(small, samples):
    cooling = ", cooling: [cold_plate, air, dry_cooler, air_cooled_chiller]"
    model = small(cooling=cooling, samples=samples, hall=ALLOWABLE)
    screened = screen(model, K, lambda _: None)
    plates = tuple(p for p in screened.placements if str(p.design).startswith("plates"))
    # Screening keeps warmer water.
    assert any(f"chiller {c} °C" in str(p.design) for p in plates for c in (23, 26))
    free = optimise(model, plates, screened.designs, K, rounds=2)
    best, again = resupplied(model, free, screened, K)
    chosen = best.checked.placements
    here = again.designs["hall", chosen[0].design]
    assert tuple(best.problem.placements[i].design for i in best.choice.picked) == tuple(p.design for p in chosen)
    others = other_supplies(here, model.on_premise[0], model.allow)
    below = {c for c in (23.0, 26.0) if c < here.warm_supply_c}
    assert {each.cold_supply_c for each in (here, *others)} == {20.0} | below
    for other in others:
        moved = tuple(replace(p, design=other.name) for p in chosen)
        assert check(model, moved, {("hall", other.name): other}, K).objective >= best.checked.objective
    assert ("came out better than at 20 °C" in warmer_words(here)) == (here.cold_supply_c > 20.0)


def test_a_kept_plant_keeps_its_supply(small):
    model = small(hall=STANDING, samples="2e6")
    standing = existing_design(model.on_premise[0])
    assert other_supplies(standing, model.on_premise[0], model.allow) == ()
    assert {each.cold_supply_c for each in screen(model, K, lambda _: None).designs.values()} == {20.0}


def test_aisles_of_a_hall_reach_its_designs_and_its_energy(small):
    cooling = ", cooling: [air, air_cooled_chiller]"
    found = {}
    for kind in ("none", "chimney"):
        model = small(hall=f"    containment: {kind}\n", cooling=cooling, devices="[L40S]", samples="2e6")
        design = candidate_designs(model.on_premise[0], model.allow)[0]
        assert design.containment == kind
        p = next(p for p in screen(model, K, lambda _: None).placements if p.stage == "train")
        found[kind] = check(model, (replace(p, design=design.name),), {("hall", design.name): design}, K)
    assert aisle_of(replace(design, containment="none"), K).recirculation == 0.15
    assert found["chimney"].totals.facility_energy_mwh_per_year < found["none"].totals.facility_energy_mwh_per_year
    standing = small(hall=STANDING + "    containment: hot_aisle\n").on_premise[0]
    assert existing_design(standing).containment == "hot_aisle"
    assert "aisle" not in existing_design(standing).name


def test_fluids_decide_which_coolants_touch_plates_and_servers(small):
    hall = small().on_premise[0]

    def carriers(*fluids: str) -> set[str]:
        return {path for design in candidate_designs(hall, Allow(fluids=fluids)) for path in design.paths.values()}

    everything = {"air", "rear_door", "cold_plate", "bath"}
    assert carriers() == carriers("PG25", "PAO-4") == everything
    assert carriers("water") == everything - {"bath"}
    assert carriers("PAO-4") == everything - {"cold_plate"}
    assert carriers("HFE-7100") == {"air", "rear_door"}  # it boils: for two-phase baths only


def test_refrigerant_decides_what_leaks_do(small):
    usual = small(cooling=", cooling: [air, air_cooled_chiller]", samples="2e6", devices="[L40S]")
    p = screen(usual, K, lambda _: None).placements[0]
    designs = {("hall", each.name): each for each in candidate_designs(usual.on_premise[0], usual.allow)}
    p = replace(p, design=next(name for _, name in designs))

    def scope1_t(*names: str) -> float:
        model = replace(usual, allow=replace(usual.allow, refrigerants=names))
        return check(model, (p,), designs, K).totals.carbon_t_per_year["scope1"]

    plain, tests_only = scope1_t(), scope1_t("R717")
    assert scope1_t("R134a") == plain > scope1_t("R513A", "R134a") > scope1_t("R1234ze") > tests_only
    assert (scope1_t("R513A") - tests_only) / (plain - tests_only) == pytest.approx(673.0 / 1530.0)


def test_every_supply_of_a_design_is_another_of_it(small):
    """14 °C against 20 °C is a choice of supply too, not only 20 °C against warmer water."""
    hall = small(hall=ALLOWABLE).on_premise[0]
    cold = next(each for each in candidate_designs(hall, Allow()) if each.name.startswith("rear doors"))
    assert cold.cold_supply_c == 14.0
    others = other_supplies(cold, hall, Allow())
    assert {each.cold_supply_c for each in others} == {20.0, 23.0, 26.0}
    assert {each.cold_supply_c for each in other_supplies(others[0], hall, Allow())} == {14.0, 20.0, 23.0, 26.0} - {
        others[0].cold_supply_c
    }
    assert {each.cold_plant for each in others} == {cold.cold_plant}


@pytest.mark.parametrize(
    ("keys", "supplies"),
    [
        ("", {20.0}),
        # 0.15 / 0.85 of 12 K of rise is 2.1 K: 26 °C air would reach intakes at 28.1 °C.
        ("    containment: none\n", {14.0}),
        ("    containment: chimney\n", {20.0}),
        # H1 allows 22 °C in normal running: air of 20 °C, water of 14 °C, beside plates too.
        ("    hall_class: H1\n", {14.0}),
    ],
)
def test_leaking_aisles_and_dense_air_ask_for_colder_supply_beside_plates(small, keys, supplies):
    hall = small(hall=keys).on_premise[0]
    found = [each for each in candidate_designs(hall, Allow()) if each.name.startswith("plates + air")]
    assert {each.cold_supply_c for each in found} == supplies
