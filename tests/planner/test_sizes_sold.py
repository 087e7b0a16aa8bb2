"""Sizes of what is bought: the design day holds its setpoint, and nothing is smaller than what is sold."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twinloop.catalogue import cooling_kit, cooling_kits
from twinloop.climate.design import with_humid_dry_bulb
from twinloop.model.weather import DesignConditions
from twinloop.planner.equipment import rack_units, schedule
from twinloop.planner.failures import design_day
from twinloop.planner.growth import _units
from twinloop.planner.rules import SUPPLY_DRIFT_K
from twinloop.twin.design import PlantConstants
from twinloop.twin.sizing import pads_hour_c, size_plant

K = PlantConstants()
HERE = Path(__file__)


def module(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


halls = module(HERE.parents[1] / "twin" / "test_plant_closure.py")
sites = module(HERE.with_name("test_rules.py"))


def hall(conditions: DesignConditions):
    site = sites.site()
    dry, wet = np.full(8760, 20.0), np.full(8760, 12.0)
    dry[100], wet[100] = conditions.humid_dry_bulb_c, conditions.wet_bulb_c
    return replace(site, weather=replace(site.weather, dry_bulb_c=dry, wet_bulb_c=wet, design=conditions))


@pytest.mark.parametrize("cooler", ["adiabatic_cooler", "tower", "dry_cooler"])
@pytest.mark.parametrize("warm_c", [25.0, 32.0, 40.0])
@pytest.mark.parametrize(
    ("dry_c", "coincident_c", "wet_c"), [(36.5, 21.2, 24.8), (34.0, 26.0, 29.5), (45.0, 20.0, 27.0)]
)
def test_the_design_day_holds_the_setpoint(cooler, warm_c, dry_c, coincident_c, wet_c):
    """Frankfurt, a humid and a hot dry place: in the hottest and in the most humid hour."""
    it = halls.group(activity=np.ones(1))
    conditions = DesignConditions(dry_c, coincident_c, wet_c, -10.0, "test", humid_dry_bulb_c=min(wet_c + 5.0, dry_c))
    design = halls.design("all plates", cooler, warm_supply_c=warm_c)
    plant = size_plant(design, (it,), conditions, 101325.0, 100.0, K)
    day = design_day(plant, (it,), hall(conditions), K)
    assert day.supply_c <= warm_c + 0.2 < warm_c + SUPPLY_DRIFT_K


def test_pads_are_sized_in_the_hour_that_is_warmer_behind_them():
    usual = DesignConditions(36.0, 21.0, 26.0, -10.0, "test", humid_dry_bulb_c=31.0)
    # 37 - 0.7 (37 - 21) = 25.8 °C in the hottest hour, 32 - 0.7 (32 - 26) = 27.8 °C in the most humid one.
    assert pads_hour_c(usual, K) == (32.0, 26.0)
    assert pads_hour_c(replace(usual, wet_bulb_c=22.0, humid_dry_bulb_c=24.0), K) == (37.0, 21.0)
    assert pads_hour_c(replace(usual, humid_dry_bulb_c=None), K) == (37.0, 21.0)


def test_the_humid_hour_stands_above_its_wet_bulb_as_the_years_most_humid_one():
    dry, wet = np.full(8760, 15.0), np.full(8760, 10.0)
    dry[7], wet[7] = 28.0, 24.0
    assert with_humid_dry_bulb(DesignConditions(36.0, 21.0, 26.0, -10.0, "test"), dry, wet).humid_dry_bulb_c == 30.0
    assert with_humid_dry_bulb(DesignConditions(29.0, 21.0, 26.0, -10.0, "test"), dry, wet).humid_dry_bulb_c == 29.0


def lines(it_share: float):
    it = halls.group(activity=np.ones(1))
    plant = halls.build(halls.design("all plates", "dry_cooler"), it)
    tiny = replace(
        plant, handler_heat_w=plant.handler_heat_w * it_share, warm_heat_w=plant.warm_heat_w * it_share,
        warm=replace(plant.warm, heat_w=plant.warm.heat_w * it_share),
        cold=replace(plant.cold, heat_w=plant.cold.heat_w * it_share),
    )  # fmt: skip
    return {line.tag: line for line in schedule(tiny, sites.site(), K)}


def test_nothing_smaller_than_the_smallest_machine_on_sale_is_bought():
    for tag, line in lines(1e-4).items():
        if tag in ("TR", "UPS", "GE"):
            continue
        least_w = cooling_kit(line.type).smallest_w
        assert line.rated_w == least_w > 0.0, tag
        bought = line.spare if line.type == "cdu" else line.count + line.spare
        assert line.capex_usd == (pytest.approx(cooling_kit(line.type).capex_usd_per_w * least_w * bought) if bought
                                  else None)  # fmt: skip
        assert line.margin > 1.0  # said, not hidden


def test_a_large_duty_is_bought_as_before():
    usual = lines(100.0)["CH"]
    assert usual.margin == K.sizing_margin
    assert usual.rated_w > cooling_kit("air_cooled_chiller").smallest_w


def test_growth_uses_up_the_smallest_machine_before_it_adds_another():
    small, usual = lines(1e-4)["CH"], lines(100.0)["CH"]
    assert [_units(small, factor) for factor in (1.0, 1.1, 4.0)] == [1, 1, 1]
    assert _units(usual, 1.1) > usual.count - 1
    fits = small.rated_w * small.count / (1.0 + small.margin) * (1.0 + K.sizing_margin)
    assert _units(small, 2.5 * small.rated_w / fits) == 3


def test_every_smallest_size_is_below_the_common_unit_and_has_its_range():
    kits = {kit.name: kit for kit in cooling_kits()}
    for name in (
        "crah",
        "air_cooled_chiller",
        "water_cooled_chiller",
        "dry_cooler",
        "adiabatic_cooler",
        "tower",
        "cdu",
    ):
        assert 5e3 <= kits[name].smallest_w <= 150e3
    assert rack_units(()) == {"rear_door_passive": 0, "immersion_1p": 0}
