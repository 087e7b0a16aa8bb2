"""What stands is not paid for again; what grows is bought when it is needed; machines that may be taken away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from twinloop.economics.cloud import preemption_overhead
from twinloop.economics.periods import YEAR_S
from twinloop.errors import InputError
from twinloop.model.plan import Equipment
from twinloop.model.site import ExistingPlant, StandingUnits
from twinloop.planner.designs import candidate_designs, existing_design
from twinloop.planner.growth import utility_power_w
from twinloop.planner.money import Ledger, cash_of, present_cost_usd
from twinloop.planner.plan import plan
from twinloop.planner.replay import plan_simulation
from twinloop.planner.standing_lines import as_standing, less_standing, standing_it_w
from twinloop.scenario.load import load_text
from twinloop.scenario.resolve import resolve

DESIGN = """\
    design:
      cooling: plates + air
      heat_rejection: dry_cooler
      cold_plant: air_cooled_chiller
      warm_supply: 36 °C
      cold_supply: 18 °C
      keep: {keep}
      equipment:
        - {{type: dry_cooler, count: 4, rated: 500 kW}}
        - {{type: air_cooled_chiller, count: 2, rated: 400 kW}}
        - {{type: ups, count: 2, rated: 1 MW, spare: 1}}
"""


def test_the_standing_design_is_a_candidate_and_the_only_one_where_kept(small):
    free, kept = (small(hall=DESIGN.format(keep=word)).on_premise[0] for word in ("false", "true"))
    name = "plates + air, dry cooler 36 °C, air cooled chiller 18 °C"
    assert existing_design(free).name == name
    assert name in {design.name for design in candidate_designs(free, small().allow)}
    assert [design.name for design in candidate_designs(kept, small().allow)] == [name]
    assert existing_design(small().on_premise[0]) is None
    loose = DESIGN.format(keep="true\n      containment: hot_aisle").replace("dry_cooler", "thermosyphon")
    standing = existing_design(small(hall=loose).on_premise[0])
    assert (standing.containment, standing.warm_cooler) == ("hot_aisle", "thermosyphon")
    tank = existing_design(small(hall=DESIGN.format(keep="true\n      cold_store: 50 m3")).on_premise[0])
    assert tank.cold_store_m3 == 50.0
    assert "50 m³" in tank.name


@pytest.mark.parametrize(
    ("old", "new", "got"),
    [
        ("cooling: plates + air", "cooling: plates + aire", "plates + aire"),
        ("      heat_rejection: dry_cooler\n", "", "nothing"),
        ("warm_supply: 36 °C", "warm_supply: 15 °C", "15 °C"),
        ("spare: 1", "spare: 2", "2"),
        ("type: ups", "type: upps", "upps"),
        ("cooling: plates + air", "cooling: air", "heat_rejection with cooling"),
        ("keep: true", "evaporative: direct", "direct without outdoor_air"),
        ("keep: true", "evaporative: indirect", "indirect"),
        ("keep: true", "containment: tight", "tight"),
        ("keep: true", "bath: two_phase", "bath with cooling"),
        ("rated: 400 kW", "rated: 400 kW, power: 500 kW", "500 kW"),
        ("rated: 400 kW", "rated: 400 kW, efficiency: 95 %", "efficiency with type air_cooled_chiller"),
        ("spare: 1", "spare: 1, power: 10 kW", "power with type ups"),
        ("spare: 1", "spare: 1, efficiency: 30 %", "30%"),
    ],
)
def test_a_wrong_design_is_refused_with_its_line(small, old, new, got):
    with pytest.raises(InputError) as caught:
        small(hall=DESIGN.format(keep="true").replace(old, new, 1))
    assert got in str(caught.value)
    assert all(fault.line for fault in caught.value.faults)


@pytest.mark.slow
def test_what_stands_is_kept_and_only_the_rest_is_bought(small):
    air = ", cooling: [cold_plate, air, dry_cooler, air_cooled_chiller]"
    new = plan(
        small(hall=DESIGN.format(keep="true").replace("      equipment:", "").split("        - ")[0], cooling=air)
    )
    kept = plan(small(hall=DESIGN.format(keep="true"), cooling=air))
    assert kept.plan.sites[0].cooling.name == new.plan.sites[0].cooling.name
    assert kept.plan.totals.capex_usd < new.plan.totals.capex_usd
    lines = {line.type: line for line in kept.plan.sites[0].equipment}
    assert lines["dry_cooler"].capex_usd == 0.0
    assert lines["crah"].capex_usd > 0.0
    cooler = next(line for line in new.plan.sites[0].equipment if line.type == "dry_cooler")
    standing = less_standing(
        (replace(cooler, rated_w=8e6),), small(hall=DESIGN.format(keep="true")).on_premise[0].plant
    )
    assert standing.lines[0].capex_usd == pytest.approx(
        cooler.capex_usd * (1 - 2e6 / (8e6 * (cooler.count + cooler.spare)))
    )
    assert standing.upkeep_usd_per_year > 0.0
    # A price that is no round number leaves no negative crumb where all of it stands.
    whole = [
        less_standing(
            (replace(cooler, rated_w=100e3, count=1, spare=0, capex_usd=usd),),
            small(hall=DESIGN.format(keep="true")).on_premise[0].plant,
        )
        .lines[0]
        .capex_usd
        for usd in (1.1, 23_456.7, 3e5 / 7)
    ]
    assert whole == [0.0, 0.0, 0.0]


def test_the_schedule_shows_what_stands():
    units = (
        StandingUnits("air_cooled_chiller", 4, 1, 300e3), StandingUnits("dry_cooler", 2, 0, 100e3),
        StandingUnits("tower", 1, 0, 1e6), StandingUnits("tower", 1, 0, 2e6),
    )  # fmt: skip
    plant = ExistingPlant("plates + air", "dry_cooler", "air_cooled_chiller", 36.0, 18.0, False, True, units)
    line = Equipment("CH", "air_cooled_chiller", 1, 1, 330e3, None, None, None, None, 1e5, "hot", 0.1, 0.0)
    few, mixed = replace(line, type="dry_cooler", tag="DC"), replace(line, type="tower", tag="WT")
    chillers, coolers, towers = as_standing((line, few, mixed), plant)
    # 330 kW with a margin of a tenth: two of 300 kW run, the other two stand by.
    assert (chillers.count, chillers.spare, chillers.rated_w) == (2, 2, 300e3)
    assert chillers.margin == pytest.approx(1.0)
    assert coolers == few  # 200 kW stand where 660 kW are needed
    assert towers == mixed  # two sizes are not one line
    assert as_standing((line,), None) == (line,)
    # Two towers of 400 kW would do with the spare at work; without it they do not, and the line stays.
    short = replace(plant, units=(StandingUnits("tower", 2, 1, 400e3),))
    need = replace(line, type="tower", tag="CT", count=1, spare=0, rated_w=500e3)
    assert as_standing((need,), short) == (need,)
    bought = less_standing((replace(need, capex_usd=5e4),), short).lines[0]
    assert bought.capex_usd == pytest.approx(5e4 * 100e3 / 500e3)
    assert bought.design_condition.endswith("2 × 400 kW stand, 100 kW new with spares")


@pytest.mark.slow
def test_worn_machines_cost_more_electricity(small):
    """The same hall with chillers of COP 2 and a UPS of 88 % takes more, and its simulation agrees with its plan."""
    wish = DESIGN.format(keep="true")
    worn = wish.replace("rated: 400 kW", "rated: 400 kW, power: 200 kW").replace(
        "spare: 1", "spare: 1, efficiency: 88 %"
    )
    models = [small(hall=text) for text in (wish, worn)]
    new, old = (plan(model) for model in models)
    assert old.plan.totals.facility_energy_mwh_per_year > 1.03 * new.plan.totals.facility_energy_mwh_per_year
    assert old.plan.totals.it_energy_mwh_per_year == pytest.approx(new.plan.totals.it_energy_mwh_per_year, rel=0.01)
    again, _ = plan_simulation(models[1], "", replace(old.plan, scenario_hash=""), None)
    assert again.pue == pytest.approx(old.plan.totals.pue, rel=1e-9)


def test_the_hall_of_standing_machines_has_its_building_and_power(small):
    named = small(hall=DESIGN.format(keep="true")).on_premise[0]
    assert standing_it_w(named) == 1e6  # of two UPS of 1 MW one is spare
    unnamed = small(
        hall=DESIGN.format(keep="true").replace("        - {type: ups, count: 2, rated: 1 MW, spare: 1}\n", "")
    )
    assert standing_it_w(unnamed.on_premise[0]) == 20e6  # all that the meter gives
    assert standing_it_w(small(hall=DESIGN.format(keep="true").split("      equipment:")[0]).on_premise[0]) == 0.0
    assert standing_it_w(small().on_premise[0]) == 0.0


@pytest.mark.slow
def test_the_example_of_a_standing_hall_pays_for_no_building():
    page = (Path(__file__).parents[2] / "docs" / "how-to.md").read_text(encoding="utf-8")
    text = next(
        part.split("```")[0] for part in page.split("```yaml\n") if part.startswith("twinloop: 1\nname: standing")
    )
    stands = plan(resolve(load_text(text, Path("standing.yaml"))))
    new = plan(resolve(load_text(text.split("    design:")[0], Path("new.yaml"))))
    purchase = [each.plan.cashflow[0].amounts_usd for each in (stands, new)]
    assert purchase[0].get("building and power", 0.0) == 0.0
    assert purchase[1]["building and power"] > 1e5


def test_growth_is_bought_year_by_year(small):
    steady, growing = small(horizon="3 years"), small(horizon="3 years", growth="10 %/year")
    from twinloop.economics.capital import CapitalItem

    ledger = Ledger((CapitalItem("servers", 100.0, 5 * YEAR_S, 0.0),), {"electricity": 10.0, "staff": 5.0}, {}, {})
    cash = cash_of(ledger, growing)
    assert [round(year.amounts_usd.get("servers", 0.0), 9) for year in cash] == [100.0, 10.0, 11.0, 0.0]
    assert [year.amounts_usd.get("electricity") for year in cash[1:]] == pytest.approx([10.0, 11.0, 12.1])
    assert [year.amounts_usd.get("staff") for year in cash[1:]] == pytest.approx([5.0, 5.0, 5.0])
    # Straight line over five years: 100 of age 3, 10 of age 2, 11 of age 1.
    assert cash[3].amounts_usd["residual"] == pytest.approx(-(40.0 + 6.0 + 8.8))
    assert present_cost_usd(ledger, growing) > present_cost_usd(ledger, steady)


def test_utility_power_that_comes_in_phases(small):
    site = small(power="[{power: 1 MW}, {power: 3 MW, after: 2 years}]").on_premise[0]
    assert [utility_power_w(site, year) for year in (1, 2, 3, 4)] == [1e6, 1e6, 3e6, 3e6]
    with pytest.raises(InputError, match="a time later than"):
        small(power="[{power: 1 MW, }, {power: 3 MW, after: 2 years}, {power: 4 MW, after: 1 year}]")


def test_spot_machines_take_longer_by_young():
    rate = 1.0 / (20 * 3600.0)
    assert preemption_overhead(1, rate) == pytest.approx((2 * 120 / 72000) ** 0.5 + 900 / 72000)
    assert preemption_overhead(16, rate) == pytest.approx(4 * (2 * 120 / 72000) ** 0.5 + 16 * 900 / 72000)
