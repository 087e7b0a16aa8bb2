"""The nearest other device, among what the search drops where one device is better in all."""

from __future__ import annotations

import pytest

from twinloop.planner.explain import stage_reasons
from twinloop.planner.other_devices import with_devices
from twinloop.planner.recommend import once, recommended
from twinloop.planner.screen import fresh
from twinloop.twin.design import PlantConstants

K = PlantConstants()
DEVICES = ("B200-SXM-180GB", "H100-SXM-80GB")


def of(model):
    seen = {}
    return recommended(model, K, lambda _: None, once(fresh), seen), seen


@pytest.fixture(scope="module")
def make(small):
    usual = {"cooling": ", cooling: [air, air_cooled_chiller]"}
    return lambda *devices, **other: small(**{**usual, **other, "devices": f"[{', '.join(devices)}]"})


def test_it_is_what_planning_without_the_chosen_device_gives(make):
    found, seen = of(make(*DEVICES))
    (chosen,) = found.best.checked.placements
    (other,) = (device for device in DEVICES if device != chosen.option.device)
    # The search itself has dropped it: no placement of the other device is left to run up.
    kept = {p.option.device for p in found.best.problem.placements}
    assert kept == {chosen.option.device}
    assert found.runners == {}
    told = with_devices(found, K, dict(seen))["train"]
    anew, _ = of(make(other))
    assert told.rival.option.device == other
    assert told.checked is not None
    assert told.checked.objective == pytest.approx(anew.best.checked.objective, rel=1e-3)
    assert told.extra(found.best.checked) > 0.05 * found.best.checked.objective
    assert told.note == ""


def test_a_device_without_room_to_grow_is_told_as_one(make):
    """The plan keeps room for its growth; of a device that would have none, planning anew keeps none either."""
    growing = {"growth": "5 %/year", "horizon": "5 years"}
    other, _ = of(make(DEVICES[1], **growing))
    peak_w = other.best.checked.totals.peak_power_w
    growing["power"] = f"{1.1 * peak_w / 1e3:.0f} kW"
    found, seen = of(make(*DEVICES, **growing))
    assert found.at.model.caps.growth_fits
    assert found.best.checked.placements[0].option.device == DEVICES[0]
    told = with_devices(found, K, dict(seen))["train"]
    anew, _ = of(make(DEVICES[1], **growing))
    assert not anew.at.model.caps.growth_fits
    assert told.rival.option.device == DEVICES[1]
    assert told.extra(found.best.checked) == pytest.approx(
        anew.best.checked.objective - found.best.checked.objective, rel=1e-3
    )
    assert "its growth has no room" in told.note
    words = stage_reasons(found.at.model, found.best.checked, {"train": told})["train"]
    assert "The runner-up does not hold what the plan holds: its growth has no room." in words


@pytest.mark.slow
def test_a_device_that_wants_other_cooling_gets_it(make):
    """One sold with plates alone and one for air: each is planned with its own cooling, whatever the plan has."""
    plates = ", cooling: [air, cold_plate, air_cooled_chiller, dry_cooler]"
    found, seen = of(make("GB200", DEVICES[1], cooling=plates))
    (chosen,) = found.best.checked.placements
    (other,) = {"GB200", DEVICES[1]} - {chosen.option.device}
    told = with_devices(found, K, dict(seen))["train"]
    anew, _ = of(make(other, cooling=plates))
    assert told.rival.option.device == other
    assert told.checked.objective == pytest.approx(anew.best.checked.objective, rel=1e-3)


def test_a_stage_of_one_device_has_none(make):
    found, seen = of(make(DEVICES[0]))
    assert with_devices(found, K, dict(seen)) == {}
