"""A plan over a cloud and a hall, planned whole: data that moves, and carbon of rented electricity."""

from __future__ import annotations

import pytest

from twinloop.planner.plan import plan

CLOUD = "  - {name: away, kind: cloud, provider: azure, region: eastus}\n"
ARRIVE = "  - {name: arrive, kind: ingest, reads: data, rate: 50 GB/day, sites: [away]}\n"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both(small):
    model = small(
        sites=CLOUD, residency="[EU, US]", samples="1e5", deadline="2 days", stage=", after: arrive, sites: [hall]",
        stages=ARRIVE, devices="[A100-SXM-80GB, EPYC-9654]",
    )  # fmt: skip
    return model, plan(model).plan


def test_data_that_leaves_the_cloud_is_a_line_of_every_year_and_in_the_total(both):
    model, found = both
    assert {stage.site for stage in found.stages} == {"away", "hall"}
    tiers, left, usd, below = model.clouds[0].egress_usd_per_b, 50e9 * 365 / 12, 0.0, 0.0
    for bound, price in tiers:
        usd, below = usd + max(min(left, bound) - below, 0.0) * price, bound
    assert usd > 100.0
    assert all(year.amounts_usd["egress"] == pytest.approx(12 * usd) for year in found.cashflow[1:])
    sites = sum(site.totals.tco_usd for site in found.sites)
    annuity = sum(1.08**-year for year in range(1, 11))
    stored = 1000.0 * (1.0 + 1.08**-5) + 80.0 * annuity  # 10 TB at home in the hall, bought twice, kept up
    assert found.totals.tco_usd == pytest.approx(sites + 12 * usd * annuity + stored, rel=1e-9)


def test_cue_counts_rented_electricity_and_scope_3_books_it(both):
    model, found = both
    away = next(site for site in found.sites if site.name == "away").totals
    cloud = model.clouds[0]
    assert away.cue_kg_per_kwh == pytest.approx(cloud.pue * cloud.grid.carbon_kg_per_j * 3.6e6)
    operational_t = away.facility_energy_mwh_per_year * cloud.grid.carbon_kg_per_j * 3.6e6
    assert away.carbon_t_per_year["scope2"] == 0.0
    assert away.carbon_t_per_year["scope3"] > operational_t
    whole = sum(site.totals.cue_kg_per_kwh * site.totals.it_energy_mwh_per_year for site in found.sites)
    assert found.totals.cue_kg_per_kwh == pytest.approx(whole / found.totals.it_energy_mwh_per_year)


def test_spreads_surround_their_totals(both):
    _, found = both
    for name in ("tco_usd", "it_energy_mwh_per_year", "facility_energy_mwh_per_year", "pue", "cue_kg_per_kwh"):
        spread, value = found.uncertainty.totals[name], getattr(found.totals, name)
        assert spread.p10 < spread.p50 < spread.p90, name
        assert 0.8 * spread.p10 < value < 1.2 * spread.p90, name
