import math

import pytest

from twinloop.catalogue.nouns import Grid
from twinloop.economics.carbon import (
    GWP100,
    GeneratorTests,
    Leakage,
    carbon_cost_usd,
    embodied_kg_per_year,
    generator_tests_kg_per_year,
    refrigerant_kg_per_year,
    scope1_kg_per_year,
    scope2_kg,
)
from twinloop.economics.periods import YEAR_S
from twinloop.economics.water import source_water_m3, water_cost_usd

MWH = 3.6e9
GERMANY = Grid("DE", 0.332 / 3.6e6, "life-cycle, location-based", 1.95e-3 / 3.6e6, "high")


def test_scope2_and_source_water_of_a_year():
    # 1 MW for a year in Germany 2024: 8760 MWh x 332 kg, x 1.95 m3
    assert scope2_kg(8760 * MWH, GERMANY) == pytest.approx(8760 * 332.0)
    assert source_water_m3(8760 * MWH, GERMANY) == pytest.approx(8760 * 1.95)


def test_water_and_carbon_prices():
    assert water_cost_usd(1000.0, 3.5) == 3500.0
    assert carbon_cost_usd(8760 * 332.0, 85.0) == pytest.approx(247_207.2)


def test_refrigerant_by_hand():
    # 2 MW x 0.3 kg/kW = 600 kg; 2 % = 12 kg; R513A 673
    assert refrigerant_kg_per_year(2e6, "R513A") == pytest.approx(12.0 * 673.0)
    assert refrigerant_kg_per_year(2e6, "R134a", Leakage(0.5e-3, 0.10)) == pytest.approx(1000 * 0.10 * 1530.0)
    assert refrigerant_kg_per_year(2e6, "R717") == 0.0


def test_blends_follow_their_components():
    # IPCC AR6: R32 771, R125 3740, R134a 1530
    assert GWP100["R410A"] == pytest.approx(0.5 * 771 + 0.5 * 3740, abs=1.0)
    assert GWP100["R513A"] == pytest.approx(0.44 * 1530 + 0.56 * 0.5, abs=1.0)
    assert GWP100["R454B"] == pytest.approx(0.689 * 771 + 0.311 * 0.5, abs=1.0)


def test_unknown_refrigerant_is_refused():
    with pytest.raises(ValueError, match="R22"):
        refrigerant_kg_per_year(1e6, "R22")


def test_generator_tests_by_hand():
    # 3 MW x 0.5 x 4 h = 6000 kWh; 0.3 L/kWh; 2.7 kg/L
    tests = GeneratorTests(hours_per_year=4.0, load=0.5, fuel_l_per_kwh=0.3, fuel_kg_per_l=2.7)
    assert generator_tests_kg_per_year(3e6, tests) == pytest.approx(4860.0)
    assert generator_tests_kg_per_year(0.0) == 0.0


def test_scope1_is_leaks_and_tests():
    assert scope1_kg_per_year(1e6, "R134a", 2e6) == pytest.approx(
        refrigerant_kg_per_year(1e6, "R134a") + generator_tests_kg_per_year(2e6)
    )


def test_embodied_is_spread_over_the_life():
    # A published 10 300 kg for one 8-GPU machine
    assert embodied_kg_per_year(10_300.0, 5 * YEAR_S) == pytest.approx(2060.0)
    assert embodied_kg_per_year(10_300.0, 5 * 365.25 * 86400.0) == pytest.approx(2060.0)
    assert embodied_kg_per_year(1.0, math.inf) == 0.0
    with pytest.raises(ValueError, match="life"):
        embodied_kg_per_year(1.0, 0.0)
