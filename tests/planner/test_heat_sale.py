"""Whether heat is sold is chosen by its money: the heat pump's electricity and price against what the buyer pays."""

from __future__ import annotations

import pytest

from twinloop.planner.designs import candidate_designs
from twinloop.planner.plan import plan
from twinloop.planner.replay import planned_halls

FEW = ", cooling: [cold_plate, dry_cooler, air_cooled_chiller]"


def priced(small, usd):
    return small(hall=f"    heat_offtake: {{temperature: 65 °C, demand: 100 kW, price: {usd} USD/MWh}}\n", cooling=FEW)


def test_designs_with_a_warm_loop_may_be_connected_to_a_buyer(small):
    designs = candidate_designs(priced(small, 30).on_premise[0], small(cooling=FEW).allow)
    assert {design.heat_reuse for design in designs if design.has_warm_loop} == {True, False}
    air = small(
        hall="    heat_offtake: {temperature: 65 °C, demand: 100 kW, price: 30 USD/MWh}\n", cooling=", cooling: [air]"
    )
    assert not any(design.heat_reuse for design in candidate_designs(air.on_premise[0], air.allow))
    without = small(cooling=FEW)
    assert not any(design.heat_reuse for design in candidate_designs(without.on_premise[0], without.allow))


@pytest.mark.slow
def test_heat_is_sold_where_it_pays_and_the_plan_says_why_where_not(small):
    rich, poor = (plan(priced(small, usd)).plan for usd in (200, 10))
    assert rich.totals.erf > 0.02
    assert rich.totals.ere == pytest.approx((1.0 - rich.totals.erf) * rich.totals.pue)
    assert rich.sites[0].cooling.name.endswith("heat sold")
    year = rich.cashflow[1].amounts_usd
    assert year["heat sale"] == pytest.approx(-200.0 * rich.totals.heat_sold_mwh_per_year, rel=1e-6)
    assert any(line.type == "heat_pump" and line.capex_usd > 0.0 for line in rich.sites[0].equipment)
    assert planned_halls(priced(small, 200), rich)[0].plant.warm.reuse is not None
    assert poor.totals.erf == 0.0
    assert "he pays 10" in next(w.message for w in poor.warnings if w.rule == "heat reuse")
    assert rich.totals.tco_usd < plan(small(cooling=FEW)).plan.totals.tco_usd
