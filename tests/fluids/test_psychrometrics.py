"""Moist air against PsychroLib (the published reference implementation) and against itself."""

import numpy as np
import psychrolib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.fluids import psychrometrics as ps

psychrolib.SetUnitSystem(psychrolib.SI)

TEMPERATURES = st.floats(-20.0, 50.0)
HUMIDITIES = st.floats(0.005, 1.0)
ELEVATIONS = st.floats(0.0, 3000.0)


@pytest.mark.parametrize("elevation", [0.0, 800.0, 1600.0, 3000.0])
def test_wet_bulb_grid_agrees_with_psychrolib(elevation):
    pressure = float(ps.pressure_at_altitude_pa(elevation))
    assert pressure == pytest.approx(psychrolib.GetStandardAtmPressure(elevation))
    dry = np.linspace(-20.0, 50.0, 141)[:, None]
    humidity = np.array([0.005, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0])
    ratio = ps.humidity_ratio_from_relative_humidity(dry, humidity, pressure)
    got = ps.wet_bulb_c(dry, ratio, pressure)
    expected = [
        [psychrolib.GetTWetBulbFromHumRatio(t, w, pressure) for w in row]
        for t, row in zip(dry[:, 0].tolist(), ratio.tolist(), strict=True)
    ]
    np.testing.assert_allclose(got, expected, rtol=0, atol=0.002)


@settings(max_examples=60, deadline=None)
@given(TEMPERATURES, HUMIDITIES, ELEVATIONS)
def test_every_relation_agrees_with_psychrolib(dry, humidity, elevation):
    p = psychrolib.GetStandardAtmPressure(elevation)
    w = psychrolib.GetHumRatioFromRelHum(dry, humidity, p)
    wet = psychrolib.GetTWetBulbFromHumRatio(dry, w, p)
    assert ps.humidity_ratio_from_relative_humidity(dry, humidity, p) == pytest.approx(w, rel=1e-9, abs=1e-7)
    assert ps.wet_bulb_c(dry, w, p) == pytest.approx(wet, abs=0.02)
    assert ps.dew_point_c(w, p) == pytest.approx(psychrolib.GetTDewPointFromHumRatio(dry, w, p), abs=1e-4)
    assert ps.relative_humidity(dry, w, p) == pytest.approx(psychrolib.GetRelHumFromHumRatio(dry, w, p), rel=1e-9)
    assert ps.enthalpy_j_kg(dry, w) == pytest.approx(psychrolib.GetMoistAirEnthalpy(dry, w), abs=1e-6)
    assert ps.density_kg_m3(dry, w, p) == pytest.approx(psychrolib.GetMoistAirDensity(dry, w, p), rel=1e-12)
    assert ps.saturated_humidity_ratio(dry, p) == pytest.approx(psychrolib.GetSatHumRatio(dry, p), rel=1e-9)
    assert ps.saturated_enthalpy_j_kg(dry, p) == pytest.approx(psychrolib.GetSatAirEnthalpy(dry, p), rel=1e-9, abs=1e-4)
    assert ps.humidity_ratio_from_wet_bulb(dry, min(wet, dry), p) == pytest.approx(
        psychrolib.GetHumRatioFromTWetBulb(dry, min(wet, dry), p), rel=1e-9
    )


@pytest.mark.parametrize("t", [-60.0, -20.0, -0.01, 0.0, 0.01, 0.02, 35.0, 99.0])
def test_saturation_pressure_agrees_with_psychrolib(t):
    assert ps.saturation_pressure_pa(t) == pytest.approx(psychrolib.GetSatVapPres(t), rel=1e-12)


@pytest.mark.parametrize(("t", "pa"), [(-40.0, 12.8412), (0.01, 611.657), (25.0, 3169.9), (100.0, 101418.0)])
def test_saturation_pressure_agrees_with_steam_tables(t, pa):
    # IAPWS release values (Wagner and Pruss 2002; ice: Wagner et al. 2011)
    assert ps.saturation_pressure_pa(t) == pytest.approx(pa, rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(TEMPERATURES, HUMIDITIES, ELEVATIONS)
def test_round_trips_and_order(dry, humidity, elevation):
    p = ps.pressure_at_altitude_pa(elevation)
    w = np.maximum(ps.humidity_ratio_from_relative_humidity(dry, humidity, p), ps.DRIEST)
    wet, dew = ps.wet_bulb_c(dry, w, p), ps.dew_point_c(w, p)
    assert dew - 1e-6 <= wet <= dry
    assert ps.humidity_ratio_from_wet_bulb(dry, wet, p) == pytest.approx(w, rel=1e-6, abs=1e-9)
    assert ps.humidity_ratio_from_dew_point(dew, p) == pytest.approx(w, rel=1e-8)
    assert ps.dry_bulb_from_enthalpy_c(ps.enthalpy_j_kg(dry, w), w) == pytest.approx(dry, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.floats(5.0, 50.0), st.floats(0.05, 0.9), ELEVATIONS)
def test_wet_bulb_rises_with_moisture_and_with_dry_bulb(dry, humidity, elevation):
    p = ps.pressure_at_altitude_pa(elevation)
    w = ps.humidity_ratio_from_relative_humidity(dry, humidity, p)
    wet = ps.wet_bulb_c(dry, w, p)
    if wet > 1.0:  # away from the band where the wick may be wet or iced
        assert ps.wet_bulb_c(dry, w * 1.05, p) > wet
        assert ps.wet_bulb_c(dry + 0.5, w, p) > wet


def test_saturated_air_has_one_temperature():
    t = np.linspace(-20.0, 50.0, 71)
    w = ps.saturated_humidity_ratio(t, 101_325.0)
    np.testing.assert_allclose(ps.wet_bulb_c(t, w, 101_325.0), t, atol=1e-6)
    np.testing.assert_allclose(ps.dew_point_c(w, 101_325.0), t, atol=1e-6)
    np.testing.assert_allclose(ps.wet_bulb_c(t, w * 1.2, 101_325.0), t, atol=1e-9)  # supersaturated


def test_bone_dry_air_stays_finite():
    t = np.linspace(-40.0, 60.0, 50)
    assert np.isfinite(ps.wet_bulb_c(t, np.zeros(50), 90_000.0)).all()
    assert np.isfinite(ps.dew_point_c(np.zeros(50), 90_000.0)).all()


def test_near_boiling_stays_finite_and_rising():
    t = np.linspace(60.0, 120.0, 61)
    w = ps.saturated_humidity_ratio(t, 101_325.0)
    assert np.isfinite(w).all()
    assert (np.diff(w) > 0).all()


def test_wet_bulb_converges_in_its_stated_range():
    t = np.linspace(-50.0, 70.0, 241)[:, None]
    w = ps.humidity_ratio_from_relative_humidity(t, np.linspace(0.01, 1.0, 30), 60_000.0)
    wet = ps.wet_bulb_c(t, w, 60_000.0)
    back = ps.humidity_ratio_from_wet_bulb(t, wet, 60_000.0)
    np.testing.assert_allclose(back, np.maximum(w, ps.DRIEST), atol=1e-9)


def test_shapes_broadcast_and_inputs_are_untouched():
    t, w, p = np.full((4, 1), 20.0), np.full(3, 0.008), 101_325.0
    assert ps.wet_bulb_c(t, w, p).shape == (4, 3)
    assert (t == 20.0).all()
    assert (w == 0.008).all()


def test_single_precision_keeps_six_digits_of_the_saturation_pressure():
    jax = pytest.importorskip("jax")
    t = np.linspace(-40.0, 60.0, 2001).astype(np.float32)
    got = np.asarray(ps.saturation_pressure_pa(jax.numpy.asarray(t)))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got.astype(float), ps.saturation_pressure_pa(t.astype(float)), rtol=1e-6)


@pytest.mark.parametrize("t", [-100.0, -20.0, 0.0, 0.01, 0.02, 25.0, 120.0])
def test_the_form_in_degc_is_the_published_one_in_kelvin(t):
    """Hyland and Wexler's equations 5 and 6 as they are printed."""
    kelvin = t + 273.15
    if t <= 0.01:
        terms = -5.6745359e3 / kelvin + 6.3925247 - 9.677843e-3 * kelvin + 6.2215701e-7 * kelvin**2
        terms += 2.0747825e-9 * kelvin**3 - 9.484024e-13 * kelvin**4 + 4.1635019 * np.log(kelvin)
    else:
        terms = -5.8002206e3 / kelvin + 1.3914993 - 4.8640239e-2 * kelvin + 4.1764768e-5 * kelvin**2
        terms += -1.4452093e-8 * kelvin**3 + 6.5459673 * np.log(kelvin)
    assert float(ps.saturation_pressure_pa(t)) == pytest.approx(float(np.exp(terms)), rel=1e-12)
