"""Containment of a hall, refrigerants and fluids: taken, defaulted with a source, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from twinloop.economics.carbon import GWP100
from twinloop.errors import InputError
from twinloop.model.model import Model
from twinloop.planner.designs import existing_design
from twinloop.scenario.load import load_text
from twinloop.scenario.resolve import resolve
from twinloop.scenario.schema import RefrigerantWord

TEXT = (Path(__file__).parents[1] / "studio" / "small.yaml").read_text(encoding="utf-8")
FREE = TEXT.replace("allow: {", "allow: {ALLOW").replace("    racks:", "    KEY\n    racks:")


def model(key: str = "", allow: str = "") -> Model:
    return resolve(load_text(FREE.replace("KEY", key).replace("ALLOW", allow), Path("small.yaml")))


def test_containment_is_taken_or_a_default_with_its_source():
    assert model("containment: chimney").on_premise[0].containment == "chimney"
    usual = model()
    assert usual.on_premise[0].containment == "cold_aisle"
    row = next(each for each in usual.provenance if each.path == "sites.hall.containment")
    assert (row.value, row.confidence) == ("cold_aisle", "medium")
    assert "practice" in row.source
    with pytest.raises(InputError, match=r"small.yaml:14: sites\[0\].containment"):
        model("containment: chimneys")


def test_a_standing_plant_is_contained_as_its_hall():
    plant = model("containment: hot_aisle").on_premise[0].plant
    assert plant is not None
    assert plant.containment == "hot_aisle"


def test_refrigerants_in_any_spelling():
    assert model(allow="refrigerants: [R-1234ze(E), r513a], ").allow.refrigerants == ("R1234ze", "R513A")
    assert set(get_args(RefrigerantWord)) == set(GWP100)
    usual = next(each for each in model().provenance if each.path == "allow.refrigerants")
    assert "R134a" in usual.value
    with pytest.raises(InputError, match="R22"):
        model(allow="refrigerants: [R22], ")


def test_fluids_by_their_names():
    assert model(allow="fluids: [pg25, PAO-4], ").allow.fluids == ("PG25", "PAO-4")
    with pytest.raises(InputError, match=r"small.yaml:\d+: allow.fluids\[0\].*one of PAO-2"):
        model(allow="fluids: [brandy], ")


def test_intake_is_taken_or_a_default_with_its_source():
    assert model("intake: allowable").on_premise[0].intake == "allowable"
    usual = model()
    assert usual.on_premise[0].intake == "recommended"
    row = next(each for each in usual.provenance if each.path == "sites.hall.intake")
    assert (row.value, row.confidence) == ("recommended", "medium")
    assert "ASHRAE TC 9.9" in row.source
    with pytest.raises(InputError, match=r"small.yaml:14: sites\[0\].intake"):
        model("intake: cool")


def test_the_power_chain_is_taken_or_a_default_with_its_source():
    assert model("power_chain: dc_800v").on_premise[0].power_chain == "dc_800v"
    usual = model()
    assert usual.on_premise[0].power_chain == "ac_double_conversion"
    row = next(each for each in usual.provenance if each.path == "sites.hall.power_chain")
    assert (row.value, row.confidence) == ("ac_double_conversion", "medium")
    with pytest.raises(InputError, match=r"small.yaml:14: sites\[0\].power_chain.*did you mean dc_48v"):
        model("power_chain: dc_48")
    with pytest.raises(InputError, match=r"did you mean power_chain"):
        model("power_chains: dc_48v")


def test_a_standing_battery_is_of_the_halls_chain():
    standing = TEXT.replace("    racks:", "    power_chain: CHAIN\n    racks:").replace(
        "cold_supply: ", "equipment: [{type: MACHINE, count: 2, rated: 100 kW}], cold_supply: "
    )

    def site(chain: str, machine: str) -> Model:
        return resolve(load_text(standing.replace("CHAIN", chain).replace("MACHINE", machine), Path("small.yaml")))

    plant = site("dc_380v", "rectifier").on_premise[0].plant
    assert plant is not None
    assert plant.standing_w("rectifier") == 200e3
    with pytest.raises(InputError, match=r"equipment\[0\].type: got ups with power_chain dc_380v, expected rectifier"):
        site("dc_380v", "ups")
    with pytest.raises(InputError, match=r"got rectifier_shelf with power_chain ac_eco_mode, expected ups"):
        site("ac_eco_mode", "rectifier_shelf")


def test_a_standing_halls_supply_air_is_taken_and_stays_above_its_water():
    def plant(air: str):
        return resolve(
            load_text(TEXT.replace("cold_supply: ", f"air_supply: {air}, cold_supply: "), Path("small.yaml"))
        )

    assert plant("25 °C").on_premise[0].plant.air_supply_c == 25.0
    design = existing_design(plant("25 °C").on_premise[0])
    assert design.air_supply_c == 25.0
    assert design.name.endswith("air 25 °C")
    with pytest.raises(InputError, match=r"design.air_supply: got 8 °C, expected at least 2 K above cold_supply"):
        plant("8 °C")
