"""Baths against the heat-transfer library, published worked examples, CoolProp and their own balances."""

import numpy as np
import pytest
from CoolProp.CoolProp import PropsSI
from ht import Cooper, Nu_vertical_plate_Churchill, Zuber
from ht.conv_external import Nu_horizontal_plate_laminar_Churchill_Ozoe
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.cooling.boiling import (
    FK_649,
    HFE_7100,
    BoilingBath,
    BoilingFluid,
    boiling_bath,
    boiling_rise_k,
    critical_heat_flux_w_m2,
)
from twinloop.cooling.immersion import Bath, bath, forced_convection_w_m2_k, natural_convection_w_m2_k, surface_c
from twinloop.fluids.liquids import liquid

OIL = liquid("PAO-4")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.floats(30, 55), st.floats(1, 40), st.floats(0.02, 0.5))
def test_natural_convection_agrees_with_the_library(fluid, rise, height):
    film = fluid + 0.5 * rise
    density, viscosity = OIL.density_kg_m3(film), OIL.viscosity_pa_s(film)
    expansion = (OIL.density_kg_m3(film - 0.5) - OIL.density_kg_m3(film + 0.5)) / density
    grashof = 9.80665 * expansion * rise * height**3 * (density / viscosity) ** 2
    prandtl = OIL.heat_capacity_j_kg_k(film) * viscosity / OIL.conductivity_w_m_k(film)
    expected = Nu_vertical_plate_Churchill(float(prandtl), float(grashof)) * OIL.conductivity_w_m_k(film) / height
    assert natural_convection_w_m2_k(OIL, fluid + rise, fluid, height) == pytest.approx(float(expected), rel=1e-6)


def test_forced_convection_agrees_with_the_library():
    """Churchill and Ozoe's form holds for every Prandtl number; ours for large ones, within 3 %."""
    for speed in (0.02, 0.1, 0.5):
        density, viscosity = OIL.density_kg_m3(50.0), OIL.viscosity_pa_s(50.0)
        reynolds = density * speed * 0.05 / viscosity
        prandtl = OIL.heat_capacity_j_kg_k(50.0) * viscosity / OIL.conductivity_w_m_k(50.0)
        expected = Nu_horizontal_plate_laminar_Churchill_Ozoe(float(reynolds), float(prandtl))
        got = forced_convection_w_m2_k(OIL, 50.0, speed, 0.05) * 0.05 / OIL.conductivity_w_m_k(50.0)
        assert got == pytest.approx(expected, rel=0.03)


def test_coefficients_are_in_the_published_band():
    """Natural convection in baths: 50-300 W/(m2 K)."""
    assert 50.0 < natural_convection_w_m2_k(OIL, 70.0, 45.0, 0.1) < 300.0


def test_surface_passes_its_flux():
    for speed in (0.0, 0.1):
        hot = surface_c(OIL, np.array([500.0, 2000.0, 5000.0]), 45.0, 0.1, speed)
        still = natural_convection_w_m2_k(OIL, hot, 45.0, 0.1)
        moving = forced_convection_w_m2_k(OIL, 0.5 * (hot + 45.0), speed, 0.1)
        np.testing.assert_allclose((still**3 + moving**3) ** (1 / 3) * (hot - 45.0), [500.0, 2000.0, 5000.0], rtol=1e-7)
    assert surface_c(OIL, 2000.0, 45.0, 0.1, 0.1) < surface_c(OIL, 2000.0, 45.0, 0.1)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(1e3, 2e5), st.floats(0.3, 1.4), st.floats(15, 40), st.floats(0.3, 1.4))
def test_bath_closes_on_both_sides(heat, fluid_ratio, water, water_ratio):
    unit = Bath(20e3, 25.0, 3.0, 1500.0, 2200.0)
    at = bath(unit, heat, 25.0 * fluid_ratio, water, 3.0 * water_ratio)
    assert at.heat_w == pytest.approx(heat + at.pump_w)
    assert 25.0 * fluid_ratio * 2200.0 * (at.bath_c - at.supply_c) == pytest.approx(float(at.heat_w))
    assert 3.0 * water_ratio * 4181.0 * (at.water_out_c - water) == pytest.approx(float(at.heat_w))
    assert water < at.supply_c < at.bath_c
    assert at.water_out_c < at.bath_c
    assert bath(unit, heat * 1.1, 25.0 * fluid_ratio, water, 3.0 * water_ratio).bath_c > at.bath_c


def test_zuber_against_the_library_and_a_published_example():
    """Serth, Process Heat Transfer (2014): 444 kW/m2 with K 0.149."""
    serth = BoilingFluid("example", 100.0, 272e3, 567.0, 18.09, 8.2e-3, 3e6, 90.0)
    assert critical_heat_flux_w_m2(serth, 0.149) == pytest.approx(444_307.2, rel=1e-5)
    for row in (FK_649, HFE_7100):
        expected = Zuber(row.surface_tension_n_m, row.latent_j_kg, row.liquid_kg_m3, row.vapour_kg_m3, K=0.131)
        assert critical_heat_flux_w_m2(row) == pytest.approx(expected, rel=1e-6)
        assert 1e5 < critical_heat_flux_w_m2(row) < 2.5e5


def test_cooper_against_the_library_and_a_published_example():
    """Rohsenow's handbook: water at 1 atm, 4.3 K give 1558 W/(m2 K)."""
    water = BoilingFluid("water", 100.0, 2.257e6, 958.0, 0.6, 0.0589, 22_048_321.0, 18.02)
    assert boiling_rise_k(water, 1558.1435 * 4.3) == pytest.approx(4.3, rel=1e-5)
    for flux in (2e4, 1e5):
        for roughness in (0.5, 1.0, 3.0):
            expected = flux / Cooper(101325.0, FK_649.critical_pa, FK_649.molar_mass_g, q=flux)
            rough = (101325.0 / FK_649.critical_pa) ** (0.2 * np.log10(roughness))
            assert boiling_rise_k(FK_649, flux, roughness) == pytest.approx(expected * rough, rel=1e-6)


def test_fluoroketone_agrees_with_its_equation_of_state():
    at = {"P": 101325.0}
    assert PropsSI("T", "P", 101325, "Q", 0, "Novec649") - 273.15 == pytest.approx(FK_649.boiling_c, abs=0.05)
    assert PropsSI("D", "P", at["P"], "Q", 0, "Novec649") == pytest.approx(FK_649.liquid_kg_m3, rel=1e-3)
    assert PropsSI("D", "P", at["P"], "Q", 1, "Novec649") == pytest.approx(FK_649.vapour_kg_m3, rel=1e-3)
    latent = PropsSI("H", "P", 101325, "Q", 1, "Novec649") - PropsSI("H", "P", 101325, "Q", 0, "Novec649")
    assert latent == pytest.approx(FK_649.latent_j_kg, rel=1e-3)
    assert PropsSI("Pcrit", "Novec649") == pytest.approx(FK_649.critical_pa, rel=1e-3)


def test_boiling_bath_balances_overloads_and_dries_out():
    unit = BoilingBath(10e3, 3.0, 1.0)
    easy = boiling_bath(unit, 80e3, 30.0, 3.0)
    assert easy.saturation_c == pytest.approx(FK_649.boiling_c)
    assert 3.0 * 4181.0 * (easy.water_out_c - 30.0) == pytest.approx(80e3)
    assert not bool(easy.overloaded)
    assert not bool(easy.dry_out)
    hard = boiling_bath(unit, 200e3, 30.0, 3.0)
    assert bool(hard.overloaded)
    assert bool(hard.dry_out)
    assert hard.saturation_c > FK_649.boiling_c
    assert hard.water_out_c < hard.saturation_c
    heats = boiling_bath(unit, np.linspace(1e3, 3e5, 100), 30.0, 3.0)
    assert (np.diff(heats.surface_c) > 0).all()
    limit = unit.flux_margin * critical_heat_flux_w_m2(FK_649)
    assert bool(boiling_bath(unit, 1.01 * limit, 30.0, 3.0).dry_out)
    assert not bool(boiling_bath(unit, 0.99 * limit, 30.0, 3.0).dry_out)
