"""Hours by class, rack cooling index and supply heat index: by hand, and of a hall's year and window."""

from __future__ import annotations

from importlib import util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from twinloop.twin.class_hours import COOLANT_C, FACILITY_WATER_C, Moments, compliance, partial_pue
from twinloop.twin.metrics import simulation


def module(name):
    spec = util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    found = util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def moments(intake_c, *, air_kg_s=10.0, air_class="A2", height_m=0.0, facility_c=None, coolant_c=None, hours=1.0):
    site = SimpleNamespace(air_class=air_class, weather=SimpleNamespace(elevation_m=height_m))
    intake = np.asarray(intake_c, dtype=float)
    water = [None if each is None else np.asarray(each, dtype=float) for each in (facility_c, coolant_c)]
    return Moments(site, hours, intake - 2.0, intake, intake + 18.0, np.full(intake.size, air_kg_s), 3.0, *water)


def test_hours_are_counted_by_each_class_limits():
    found = compliance([moments([12.0, 20.0, 26.0, 33.0, 41.0], hours=2.0)])["class_hours"]
    assert {name: found[name] for name in ("recommended", "A1", "A2", "A3", "A4", "H1")} == {
        "recommended": 4.0, "A1": 4.0, "A2": 8.0, "A3": 8.0, "A4": 10.0, "H1": 2.0,
    }  # fmt: skip
    assert all(found[name] is None for name in (*FACILITY_WATER_C, *COOLANT_C))


def test_a_controller_may_miss_the_limit_by_half_a_kelvin():
    hours = [compliance([moments([each])])["class_hours"]["recommended"] for each in (17.4, 17.6, 27.4, 27.6)]
    assert hours == [0.0, 1.0, 1.0, 0.0]


def test_height_lowers_the_limit():
    low, high = (compliance([moments([34.0], height_m=m)])["class_hours"] for m in (0.0, 3000.0))
    assert (low["A2"], high["A2"]) == (1.0, 0.0)


def test_water_and_coolant_are_counted_by_their_supply():
    found = compliance([moments([20.0] * 4, facility_c=[1.0, 17.0, 31.0, 50.0], coolant_c=[5.0, 21.0, 35.0, 54.0])])
    hours = found["class_hours"]
    assert [hours[name] for name in FACILITY_WATER_C] == [1.0, 1.0, 2.0, 2.0, 2.0, 3.0]
    assert [hours[name] for name in COOLANT_C] == [2.0, 3.0, 3.0, 3.0, 3.0]


def test_halls_count_together_and_a_hall_without_air_does_not():
    warm, cool = moments([20.0, 30.0, 40.0]), moments([20.0, 20.0, 20.0])
    bath = moments([90.0, 90.0, 90.0], air_kg_s=0.0)
    together = compliance([warm, cool, bath])
    assert together["class_hours"]["recommended"] == 1.0
    assert together["rci_percent"] == compliance([warm])["rci_percent"]
    alone = compliance([bath])
    assert alone["class_hours"]["A1"] is None
    assert alone["supply_heat_index"] is None
    assert set(alone["rci_percent"].values()) == {None}


def test_the_rack_cooling_index_by_hand():
    """Class A2, 18-27 recommended, 10-35 allowable: half the time 4 K above, half 2 K below."""
    found = compliance([moments([31.0, 16.0])])
    index = found["rci_percent"]
    assert (index["high"], index["low"], index["high_worst_rack"]) == pytest.approx((75.0, 87.5, 56.25))
    assert found["supply_heat_index"] == pytest.approx(0.1)


def test_a_year_carries_them():
    reuse = module("test_heat_reuse")
    site, year, _, _ = reuse.year_at(None, kit="air")
    found = simulation("made up", "0" * 64, [(site, year)])
    assert found.class_hours["A2"] == 8760 - found.hours_outside_class
    assert found.class_hours["W32"] is None
    assert found.ppue == partial_pue(found.energy_mwh)
    assert found.ppue["cooling"] - 1.0 == pytest.approx(found.mlc_annual)
    other = found.energy_mwh["other"] / found.energy_mwh["it"]
    assert found.pue == pytest.approx(1.0 + sum(part - 1.0 for part in found.ppue.values()) + other)
    assert 0.0 < found.supply_heat_index < 0.3
    worst_k = np.maximum(year.hourly["intake_c"] + 3.0 - 27.0, 0.0).mean()
    assert found.rci_percent["high_worst_rack"] == pytest.approx(100.0 * (1.0 - worst_k / 8.0))
    assert found.rci_percent["high_worst_rack"] < found.rci_percent["high"]
