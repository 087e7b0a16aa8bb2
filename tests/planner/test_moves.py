"""One input moves, and the plan moves as an engineer expects: real small scenarios, planned whole."""

from __future__ import annotations

import pytest

from twinloop.planner.plan import Planned, plan

CLOUD = "  - {name: away, kind: cloud, provider: azure, region: eastus}\n"
SMALL_JOB = {"sites": CLOUD, "samples": "1e5", "deadline": "2 days", "devices": "[A100-SXM-80GB]"}

pytestmark = pytest.mark.slow


def carriers(planned: Planned) -> set[str]:
    """Of the racks that hold accelerators: switches and storage stand on air beside them."""
    racks = (rack for site in planned.plan.sites for rack in site.rack_types)
    return {rack.carriers["accelerator"] for rack in racks if rack.component_w["accelerator"] > 0.0}


def compressor_share(planned: Planned) -> float:
    year = planned.years[0]
    return year.energy.chillers_j / year.energy.it_j


@pytest.fixture(scope="module")
def usual(small):
    return plan(small())


def test_scarce_water_makes_cooling_dry(small, usual):
    dry = plan(small(water="0 m3/year"))
    assert usual.plan.totals.water_m3_per_year > 100.0
    assert dry.plan.totals.water_m3_per_year == 0.0
    types = {line.type for line in dry.plan.sites[0].equipment}
    assert not types & {"tower", "adiabatic_cooler", "water_cooled_chiller"}
    assert dry.plan.totals.tco_usd > usual.plan.totals.tco_usd


def overhead_mwh(planned: Planned) -> float:
    totals = planned.plan.totals
    return totals.facility_energy_mwh_per_year - totals.it_energy_mwh_per_year


def test_dear_electricity_buys_a_plant_that_takes_less(small):
    cheap, dear = plan(small(price="0.01 USD/kWh")), plan(small(price="0.80 USD/kWh"))
    assert dear.plan.sites[0].cooling.name != cheap.plan.sites[0].cooling.name
    assert overhead_mwh(dear) < 0.95 * overhead_mwh(cheap)
    assert dear.plan.totals.facility_energy_mwh_per_year < cheap.plan.totals.facility_energy_mwh_per_year
    assert dear.plan.totals.capex_usd > cheap.plan.totals.capex_usd


def test_dear_electricity_never_takes_more_energy_in_a_liquid_hall(small):
    liquid = ", cooling: [cold_plate, air, dry_cooler, air_cooled_chiller]"
    cheap = plan(small(price="0.01 USD/kWh", cooling=liquid, positions="6"))
    dear = plan(small(price="0.80 USD/kWh", cooling=liquid, positions="6"))
    assert carriers(cheap) == carriers(dear) == {"cold_plate"}
    # Colder water costs compressors and fans something; it is bought only where cooler chips leak less by more.
    (before,), (after,) = cheap.years, dear.years
    colder_j = after.energy.chillers_j + after.energy.heat_rejection_j
    colder_j -= before.energy.chillers_j + before.energy.heat_rejection_j
    assert colder_j <= before.energy.it_j - after.energy.it_j
    assert dear.plan.totals.facility_energy_mwh_per_year <= cheap.plan.totals.facility_energy_mwh_per_year


def test_a_hot_humid_city_needs_the_chiller_or_a_tower(small, usual):
    hot = plan(small(climate="Singapore", jurisdiction="SG", residency="[SG]"))
    cooling = hot.plan.sites[0].cooling
    assert "outdoor air" not in cooling.name
    assert {line.type for line in hot.plan.sites[0].equipment} & {"tower", "air_cooled_chiller", "water_cooled_chiller"}
    assert compressor_share(hot) > 2.0 * compressor_share(usual)
    # A wall wetted on the outside takes a share of warm return air even there, but never all of it.
    assert hot.years[0].free_cooling.full == 0 < usual.years[0].free_cooling.full
    assert hot.plan.totals.pue > usual.plan.totals.pue + 0.02
    # Without the wall chillers carry all of it; the wall is chosen because that costs more.
    bare = "    design: {cooling: air, cold_plant: water_cooled_chiller, cold_supply: 14 °C, keep: true}\n"
    chilled = plan(small(climate="Singapore", jurisdiction="SG", residency="[SG]", hall=bare))
    assert chilled.plan.totals.pue > usual.plan.totals.pue + 0.15
    assert chilled.years[0].free_cooling.none == 8760
    assert hot.plan.totals.tco_usd < chilled.plan.totals.tco_usd


def test_strict_residency_keeps_the_data_at_home(small):
    free = plan(small(residency="[EU, US]", **SMALL_JOB))
    strict = plan(small(residency="[EU]", **SMALL_JOB))
    assert [stage.site for stage in free.plan.stages] == ["away"]
    assert [stage.site for stage in strict.plan.stages] == ["hall"]
    assert strict.plan.totals.tco_usd > free.plan.totals.tco_usd


def test_a_short_deadline_takes_more_devices_and_liquid_where_the_hall_is_small(small, usual):
    short = plan(small(deadline="3 days", positions="16"))
    assert short.plan.stages[0].device_count > usual.plan.stages[0].device_count
    assert carriers(usual) == {"air"}
    assert carriers(short) & {"cold_plate", "bath", "rear_door"}
    assert short.plan.stages[0].duration_s <= 3 * 86400.0


def test_racks_of_20_kw_stay_on_air(small):
    low = plan(small(rack="20 kW", horizon="5 years"))
    assert carriers(low) == {"air"}
    assert max(racks.power_w for racks in low.plan.sites[0].rack_types) <= 20e3


def test_few_dense_positions_go_liquid(small):
    dense = plan(small(positions="6", horizon="5 years"))
    assert carriers(dense) & {"cold_plate", "bath", "rear_door"}
    assert dense.plan.sites[0].racks <= 6
