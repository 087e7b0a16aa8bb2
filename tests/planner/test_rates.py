"""Screened coefficients of a design against the twin's own year of the same plant."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from twinloop.economics.periods import YEAR_S
from twinloop.model.estimate import ComponentPower, Parallelism, StageOption
from twinloop.planner.designs import candidate_designs
from twinloop.planner.equipment import schedule
from twinloop.planner.failures import design_day
from twinloop.planner.money import charged_w
from twinloop.planner.racks import server_of
from twinloop.planner.rates import group_of, rates
from twinloop.twin.design import PlantConstants
from twinloop.twin.groups import ItGroup
from twinloop.twin.sample import SampledHours
from twinloop.twin.sizing import size_plant
from twinloop.twin.year import site_year

BUSY = ComponentPower(56e3, 4e3, 2e3, 2e3, 1e3)
IDLE = ComponentPower(8e3, 1e3, 1e3, 1e3, 0.5e3)


GROUPS: list[ItGroup] = []


@pytest.fixture(scope="module")
def wet(small):
    """A hall on towers, eight servers always busy, rated by every hour of the year."""
    model, k = small(), PlantConstants()
    site = model.on_premise[0]
    design = next(d for d in candidate_designs(site, model.allow) if d.cold_plant == "water_cooled_chiller")
    option = StageOption(
        "train", "H100-SXM-80GB", 64, "HGX-H100-8-air", 8, "bf16", "none", Parallelism(), 1.0, None, 1.0, 1.0, BUSY,
        IDLE, 700.0, None, 0.0, None, 0.0, {}, 1.0, 1.0,
    )  # fmt: skip
    group = group_of(option, model.device(option.device), server_of(model, option.server), np.ones(8760))
    found, plant = rates(site, design, group, SampledHours(np.arange(8760), np.ones(8760)), k)
    GROUPS.append(group)
    return site, plant, found, site_year(site, plant, (group,), k), k


def test_margin_is_the_design_days_and_falls_with_the_power_of_a_device(wet):
    """Chips of a tenth less power: the twin, whose fans slow down, finds less margin than proportion does."""
    site, plant, found, _, k = wet
    group = GROUPS[0]
    assert found.margin_k == pytest.approx(design_day(plant, (group,), site, k).margin_k, abs=0.05)
    less_w = 0.9 * group.device_w
    by_twin_k = design_day(plant, (replace(group, device_w=less_w),), site, k).margin_k
    by_proportion_k = found.margin_of_k(SimpleNamespace(device_w=less_w))
    assert found.margin_k < by_twin_k <= by_proportion_k + 0.1
    # 10 % of what the chip rises above the 20 °C of the supply air.
    rise_k = group.throttle_c - found.margin_k - 20.0
    assert by_proportion_k - found.margin_k == pytest.approx(0.1 * rise_k, abs=0.1)


def test_water_per_it_energy_is_the_years_make_up(wet):
    site, _, found, year, _ = wet
    assert year.water.total_m3 > 100.0
    assert found.water_m3_per_it_j == pytest.approx(year.water.total_m3 / year.energy.it_j, rel=1e-9)
    # Concentrating four times: make-up is 4/3 of what evaporates.
    assert year.water.total_m3 == pytest.approx(year.water.evaporation_m3 * site.water.cycles / (site.water.cycles - 1))


def test_energy_and_peak_are_the_years(wet):
    _, plant, found, year, _ = wet
    assert found.facility_per_it == pytest.approx(year.energy.facility_j / year.energy.it_j, rel=1e-9)
    dc_w = BUSY.total_w + GROUPS[0].switch_w
    assert found.it_per_dc == pytest.approx(year.energy.it_j / (dc_w * YEAR_S), rel=1e-9)
    assert found.it_per_dc_peak == pytest.approx(plant.it_w / dc_w)


def test_refrigerant_per_it_watt_is_of_all_machines(wet):
    site, plant, found, _, k = wet
    assert found.chiller_w_per_it_w == pytest.approx(charged_w(schedule(plant, site, k)) / plant.it_w)


def test_a_distribution_unit_has_no_price_of_its_own(small):
    model, k = small(), PlantConstants()
    site = model.on_premise[0]
    design = next(d for d in candidate_designs(site, model.allow) if d.has_warm_loop and not d.immersed)
    option = StageOption(
        "train", "H100-SXM-80GB", 64, "HGX-H100-8-liquid", 8, "bf16", "none", Parallelism(), 1.0, None, 1.0, 1.0, BUSY,
        IDLE, 700.0, None, 0.0, None, 0.0, {}, 1.0, 1.0,
    )  # fmt: skip
    group = group_of(option, model.device(option.device), server_of(model, option.server), np.ones(1))
    plant = size_plant(design, (group,), site.weather.design, site.weather.pressure_pa, 300.0, k)
    lines = {line.tag: line for line in schedule(plant, site, k)}
    assert {tag for tag, line in lines.items() if line.capex_usd is None} == {"CDU", "TR", "UPS", "GE"}
    assert "price in plates" in lines["CDU"].design_condition
    assert lines["CP"].capex_usd > 0.0
