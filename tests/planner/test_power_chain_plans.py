"""Power chains from the scenario to the plan and back: designs, schedule, meters, and what a plan says of each."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest

import twinloop
from twinloop.deploy.cooling import _holds_racks
from twinloop.model.site import PowerChain
from twinloop.planner.designs import candidate_designs, existing_design, warmer_designs
from twinloop.scenario.load import load_text
from twinloop.scenario.resolve import resolve

TEXT = (Path(__file__).parents[1] / "studio" / "small.yaml").read_text(encoding="utf-8")
TAGS = {"ac_double_conversion": {"UPS"}, "ac_eco_mode": {"UPS"}, "dc_48v": {"RS"}, "dc_380v": {"RE", "RC"},
        "dc_800v": {"RE", "RC"}}  # fmt: skip


def scenario(chain):
    return load_text(TEXT.replace("    racks:", f"    power_chain: {chain}\n    racks:"), Path("small.yaml"))


@pytest.mark.parametrize("chain", get_args(PowerChain))
def test_every_design_of_a_hall_has_its_chain(chain):
    model = resolve(scenario(chain))
    hall = model.on_premise[0]
    standing = existing_design(hall)
    assert standing is not None
    designs = [standing, *candidate_designs(hall, model.allow)]
    designs += [each for design in designs for each in warmer_designs(design, hall)]
    assert {design.power_chain for design in designs} == {chain}


def test_plans_of_all_chains_and_their_years():
    plans, years = {}, {}
    for chain in get_args(PowerChain):
        plans[chain] = twinloop.plan(scenario(chain)).plan
        years[chain] = twinloop.simulate(scenario(chain), plans[chain]).metrics
        site = plans[chain].sites[0]
        found = {line.tag for line in site.equipment} & {"UPS", "RE", "RS", "RC"}
        assert found == TAGS[chain]
        year = years[chain]
        assert year.pue == pytest.approx(site.totals.pue, rel=1e-9)
        assert year.energy_balance_error < 1e-6
        assert year.facility_energy_mwh == pytest.approx(sum(year.energy_mwh.values()), rel=1e-12)
        assert year.it_energy_mwh == pytest.approx(sum(year.it_split_mwh.values()), rel=1e-9)
        assert year.tue == pytest.approx(year.pue * year.itue)
        assert (year.energy_mwh["ups_loss"] == 0.0) == (chain == "dc_48v")
    # The same work: what differs is conversion, and the cooling that carries it off.
    computed = [year.it_split_mwh["compute"] for year in years.values()]
    assert max(computed) == pytest.approx(min(computed), rel=1e-3)
    tue = {chain: year.tue for chain, year in years.items()}
    assert tue["dc_48v"] < tue["dc_800v"] < tue["dc_380v"]
    assert tue["ac_eco_mode"] < tue["ac_double_conversion"]
    assert min(years, key=lambda chain: years[chain].pue) == "dc_48v"


@pytest.mark.parametrize(("kinds", "tag"), [(("ups",), "UPS"), (("rectifier", "rack_converter"), "RE"), ((), "UPS")])
def test_quotas_name_the_machine_with_the_battery(kinds, tag):
    tags = {"ups": "UPS", "rectifier": "RE", "rack_converter": "RC"}
    assert _holds_racks(tuple(SimpleNamespace(type=kind, tag=tags[kind]) for kind in kinds)) == tag
