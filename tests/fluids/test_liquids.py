"""Liquids and air against CoolProp."""

import numpy as np
import pytest
from CoolProp.CoolProp import PropsSI
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.errors import InputError
from twinloop.fluids import air, dielectric, glycol, water
from twinloop.fluids.liquids import liquid

PROPERTIES = {
    "density_kg_m3": "D",
    "heat_capacity_j_kg_k": "C",
    "viscosity_pa_s": "V",
    "conductivity_w_m_k": "L",
}
GLYCOLS = {"MPG": glycol.PROPYLENE, "MEG": glycol.ETHYLENE}


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("density_kg_m3", 1e-4),
        ("heat_capacity_j_kg_k", 1e-4),
        ("viscosity_pa_s", 1e-2),
        ("conductivity_w_m_k", 1e-2),
    ],
)
def test_water_agrees_with_iapws(name, tolerance):
    t = np.linspace(0.05, 99.5, 60)
    expected = [PropsSI(PROPERTIES[name], "T", x + 273.15, "P", 101_325.0, "Water") for x in t]
    np.testing.assert_allclose(getattr(water, name)(t), expected, rtol=tolerance)


def test_water_is_held_at_the_ends_of_its_range():
    for name in PROPERTIES:
        function = getattr(water, name)
        assert function(-30.0) == function(0.0)
        assert function(140.0) == function(100.0)


@pytest.mark.parametrize("code", GLYCOLS)
@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("density_kg_m3", 0.0015),
        ("heat_capacity_j_kg_k", 0.007),
        ("viscosity_pa_s", 0.02),
        ("conductivity_w_m_k", 0.01),
    ],
)
def test_glycol_agrees_with_melinder(code, name, tolerance):
    function = getattr(glycol, name)
    for x in (0.05, 0.2, 0.25, 0.33, 0.4, 0.5, 0.57):
        freezing = PropsSI("T_FREEZE", "T", 300, "P", 2e5, f"INCOMP::{code}[{x}]") - 273.15
        t = np.linspace(max(freezing, -38.0) + 0.5, 98.0, 12)
        expected = [PropsSI(PROPERTIES[name], "T", a + 273.15, "P", 2e5, f"INCOMP::{code}[{x}]") for a in t]
        np.testing.assert_allclose(function(GLYCOLS[code], x, t), expected, rtol=tolerance)


@pytest.mark.parametrize("code", GLYCOLS)
def test_glycol_freezing_point(code):
    for x in (0.1, 0.25, 0.4, 0.55):
        expected = PropsSI("T_FREEZE", "T", 300, "P", 2e5, f"INCOMP::{code}[{x}]") - 273.15
        assert glycol.freezing_c(GLYCOLS[code], x) == pytest.approx(expected, abs=0.05)
    assert glycol.freezing_c(GLYCOLS[code], 0.0) == 0.0


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(list(GLYCOLS.values())), st.floats(0.05, 0.55), st.floats(5.0, 90.0))
def test_more_glycol_carries_less_heat_and_flows_worse(kind, x, t):
    more = x + 0.04
    assert glycol.heat_capacity_j_kg_k(kind, more, t) < glycol.heat_capacity_j_kg_k(kind, x, t)
    assert glycol.viscosity_pa_s(kind, more, t) > glycol.viscosity_pa_s(kind, x, t)
    assert glycol.freezing_c(kind, more) < glycol.freezing_c(kind, x)
    assert glycol.viscosity_pa_s(kind, x, t + 2) < glycol.viscosity_pa_s(kind, x, t)


def test_glycol_near_zero_is_nearly_water():
    for kind in GLYCOLS.values():
        for name, tolerance in (
            ("density_kg_m3", 0.003),
            ("heat_capacity_j_kg_k", 0.01),
            ("viscosity_pa_s", 0.05),
        ):
            got = getattr(glycol, name)(kind, 0.0, 40.0)
            assert got == pytest.approx(getattr(water, name)(40.0), rel=tolerance)


@pytest.mark.parametrize("t", [-20.0, 0.0, 25.0, 60.0])
def test_air_transport_agrees_with_lemmon(t):
    kelvin = t + 273.15
    assert air.viscosity_pa_s(t) == pytest.approx(PropsSI("V", "T", kelvin, "P", 101_325, "Air"), rel=0.01)
    assert air.conductivity_w_m_k(t) == pytest.approx(PropsSI("L", "T", kelvin, "P", 101_325, "Air"), rel=0.02)
    assert air.prandtl(t) == pytest.approx(PropsSI("PRANDTL", "T", kelvin, "P", 101_325, "Air"), rel=0.025)
    assert air.heat_capacity_j_kg_k(0.0) == pytest.approx(PropsSI("C", "T", kelvin, "P", 101_325, "Air"), rel=0.003)


def test_thin_air_carries_less_mass():
    sea, denver = (air.density_at_altitude_kg_m3(25.0, 0.008, z) for z in (0.0, 1650.0))
    assert denver / sea == pytest.approx(0.819, abs=0.002)
    assert air.dry_mass_flow_kg_s(2.0, 25.0, 0.008, 101_325.0) * 1.008 == pytest.approx(2.0 * sea)


@pytest.mark.parametrize("row", dielectric.FLUIDS, ids=lambda row: row.name)
def test_dielectric_goes_through_its_sheet_points(row):
    for t, kinematic in row.viscosity_points:
        got = dielectric.viscosity_pa_s(row, t) / dielectric.density_kg_m3(row, t)
        assert got == pytest.approx(kinematic * 1e-6, rel=1e-9)
    t = np.linspace(-10.0, 100.0, 40)
    assert (np.diff(dielectric.viscosity_pa_s(row, t)) < 0).all()
    assert (np.diff(dielectric.density_kg_m3(row, t)) < 0).all()
    assert (dielectric.heat_capacity_j_kg_k(row, t) > 900).all()
    assert (dielectric.conductivity_w_m_k(row, t) > 0.04).all()
    assert (row.boiling_c is None) == (row.latent_j_kg is None)


def test_oil_between_its_sheet_points_follows_walther():
    oil = dielectric.fluid("PAO-4")
    nu = dielectric.viscosity_pa_s(oil, 70.0) / dielectric.density_kg_m3(oil, 70.0) * 1e6

    def height(value):
        return np.log10(np.log10(value + 0.7))

    def share(t):
        return (np.log10(t + 273.15) - np.log10(313.15)) / (np.log10(373.15) - np.log10(313.15))

    assert height(nu) == pytest.approx(height(17.5) + share(70.0) * (height(3.9) - height(17.5)))
    cold = dielectric.viscosity_pa_s(oil, 20.0) / dielectric.density_kg_m3(oil, 20.0) * 1e6
    assert 33.0 < cold < 50.0


@pytest.mark.parametrize("t", [10.0, 25.0, 45.0])
def test_fluoroketone_agrees_with_coolprop(t):
    novec = dielectric.fluid("FK-649")
    assert dielectric.density_kg_m3(novec, t) == pytest.approx(
        PropsSI("D", "T", t + 273.15, "P", 2e5, "Novec649"), rel=0.02
    )
    assert dielectric.heat_capacity_j_kg_k(novec, t) == pytest.approx(
        PropsSI("C", "T", t + 273.15, "P", 2e5, "Novec649"), rel=0.05
    )


def test_boiling_points_agree_with_coolprop():
    novec = dielectric.fluid("FK-649")
    assert PropsSI("T", "P", 101_325, "Q", 0, "Novec649") - 273.15 == pytest.approx(novec.boiling_c, abs=0.6)
    latent = PropsSI("H", "P", 101_325, "Q", 1, "Novec649") - PropsSI("H", "P", 101_325, "Q", 0, "Novec649")
    assert latent == pytest.approx(novec.latent_j_kg, rel=0.03)


def test_liquids_by_name():
    assert liquid("pg 25 %").name == "PG25"
    assert liquid("EG30").freezing_c == pytest.approx(-14.6, abs=0.1)
    assert liquid("Water").density_kg_m3(20.0) == water.density_kg_m3(20.0)
    assert liquid("pao-4").viscosity_pa_s(40.0) > 0.01
    for bad, said in (("PG80", "60 %"), ("treacle", "PAO-4")):
        with pytest.raises(InputError, match=said):
            liquid(bad)
