"""The plan's potential: the same purchase, less energy, and every amount that follows it."""

from __future__ import annotations

import pytest

from twinloop.planner.plan import plan

FEW = ", cooling: [cold_plate, dry_cooler, air_cooled_chiller]"


@pytest.mark.slow
def test_hourly_setpoints_save_energy_money_and_carbon_and_buy_the_same(small):
    found = plan(small(cooling=FEW, finance=", staff: 100000 USD/year")).plan
    control, best = found.totals, found.potential
    share = best.facility_energy_mwh_per_year / control.facility_energy_mwh_per_year
    assert 0.9 < share <= 1.0
    assert best.tco_usd <= control.tco_usd
    assert best.capex_usd == pytest.approx(control.capex_usd)
    assert best.carbon_t_per_year["scope2"] / control.carbon_t_per_year["scope2"] == pytest.approx(share, rel=2e-3)
    assert best.carbon_t_per_year["scope3"] == control.carbon_t_per_year["scope3"]
    # All that changes is electricity: no water is taken, nothing is sold, 0.10 USD/kWh.
    saved_usd = 100.0 * (control.facility_energy_mwh_per_year - best.facility_energy_mwh_per_year)
    assert control.opex_usd_per_year - best.opex_usd_per_year == pytest.approx(saved_usd, rel=5e-3)
    assert best.pue == pytest.approx(best.facility_energy_mwh_per_year / best.it_energy_mwh_per_year)
