"""The nearest other device, among what the search drops where one device is better in all."""

from __future__ import annotations

import pytest

from twinloop.planner.other_devices import with_devices
from twinloop.planner.recommend import once, recommended
from twinloop.planner.screen import fresh
from twinloop.twin.design import PlantConstants

K = PlantConstants()
DEVICES = ("B200-SXM-180GB", "H100-SXM-80GB")


def of(model):
    seen, remember = {}, once(fresh)
    return recommended(model, K, lambda _: None, remember, seen), remember, seen


@pytest.fixture(scope="module")
def make(small):
    return lambda *devices: small(cooling=", cooling: [air, air_cooled_chiller]", devices=f"[{', '.join(devices)}]")


def test_it_is_what_planning_without_the_chosen_device_gives(make):
    found, remember, seen = of(make(*DEVICES))
    (chosen,) = found.best.checked.placements
    (other,) = (device for device in DEVICES if device != chosen.option.device)
    # The search itself has dropped it: no placement of the other device is left to run up.
    kept = {p.option.device for p in found.best.problem.placements}
    assert kept == {chosen.option.device}
    assert found.runners == {}
    told = with_devices(found, K, remember, dict(seen))["train"]
    anew, _, _ = of(make(other))
    assert told.rival.option.device == other
    assert told.checked is not None
    assert told.checked.objective == pytest.approx(anew.best.checked.objective, rel=1e-3)
    assert told.extra(found.best.checked) > 0.05 * found.best.checked.objective


def test_a_stage_of_one_device_has_none(make):
    found, remember, seen = of(make(DEVICES[0]))
    assert with_devices(found, K, remember, dict(seen)) == {}
