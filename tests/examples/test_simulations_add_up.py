"""What `simulate` answers, for every example: the keys that others build on are there, and their sums are."""

import json
import math
from pathlib import Path

import pytest

import twinloop
from twinloop.model.codec import dumps
from twinloop.scenario import load, resolve

HALLLESS = "edge-stores"
"""Plans no hall of its own."""
EXAMPLES = [path for path in sorted((Path(__file__).parents[2] / "examples").glob("*.yaml")) if path.stem != HALLLESS]
ENERGY = {"it", "crah_fans", "pumps", "chillers", "heat_rejection", "ups_loss", "distribution_loss", "other"}
KEYS = {
    "pue", "tue", "itue", "wue_site_l_per_kwh", "wue_source_l_per_kwh", "cue_kg_per_kwh", "ere", "erf", "mlc_annual",
    "mlc_design", "it_energy_mwh", "facility_energy_mwh", "energy_mwh", "it_split_mwh", "water_m3", "peak_power_w",
    "billing_peak_w", "peak_junction_c", "worst_intake_c", "first_limit", "throttled_device_hours",
    "unmet_load_hours", "hours_outside_class", "free_cooling_hours", "mode_switches", "chiller_starts", "monthly",
    "energy_balance_error", "events", "ppue", "class_hours", "rci_percent", "supply_heat_index",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_key_is_there_and_adds_up(path):
    scenario = twinloop.load(path)
    found = json.loads(dumps(twinloop.simulate(scenario, twinloop.plan(scenario)).metrics))
    assert set(found) >= KEYS
    energy, water = found["energy_mwh"], found["water_m3"]
    assert set(energy) == ENERGY
    assert found["facility_energy_mwh"] == pytest.approx(math.fsum(energy.values()), rel=1e-12)
    assert energy["it"] == pytest.approx(math.fsum(found["it_split_mwh"].values()), rel=1e-9)
    assert found["tue"] == pytest.approx(found["pue"] * found["itue"], rel=1e-9)
    assert found["ere"] == pytest.approx((1.0 - found["erf"]) * found["pue"], rel=1e-9)
    parts = sum(part - 1.0 for part in found["ppue"].values()) + energy["other"] / energy["it"]
    assert found["pue"] == pytest.approx(1.0 + parts, rel=1e-9)
    assert min(water.values()) >= 0.0
    cycles = {site.water.cycles for site in resolve(load(path)).on_premise if site.name in found["halls"]}
    if len(cycles) == 1:
        c = cycles.pop()
        assert math.fsum(water.values()) == pytest.approx(water["evaporation"] * c / (c - 1.0), rel=1e-9, abs=1e-9)
    assert sum(found["free_cooling_hours"].values()) == 8760 * len(found["halls"])
    assert found["energy_balance_error"] < 1e-6
    hours = found["class_hours"]
    air = [hours[name] for name in ("A1", "A2", "A3", "A4")]
    assert air == sorted(air, key=lambda value: -1.0 if value is None else value)
    assert sum(month["facility_energy_mwh"] for month in found["monthly"]) == pytest.approx(
        found["facility_energy_mwh"], rel=1e-9
    )
