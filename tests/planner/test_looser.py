"""What a looser deadline or latency limit would save."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinloop.planner.looser import _eased, _under, looser
from twinloop.planner.recommend import once, recommended
from twinloop.planner.screen import fresh
from twinloop.twin.design import PlantConstants

K = PlantConstants()
AIR = ", cooling: [air, air_cooled_chiller]"


def of(model):
    seen, remember = {}, once(fresh)
    return recommended(model, K, lambda _: None, remember, seen), remember, seen


@pytest.fixture(scope="module")
def tight(small):
    """A run that must end in a day, of a week's load, in a hall of one kind of cooling."""
    model = small(cooling=AIR, deadline="1 day")
    return model, *of(model)


def test_what_is_saved_is_what_planning_with_the_looser_limit_saves(tight, small):
    model, found, remember, seen = tight
    eased = _under(found, _eased(model.stages[0], 2 * 86400.0), K, remember, dict(seen))
    anew, _, _ = of(small(cooling=AIR, deadline="2 days"))
    assert eased.saved > 0.05 * found.best.checked.objective
    assert eased.saved == pytest.approx(found.best.checked.objective - anew.best.checked.objective, rel=1e-6)
    assert eased.placement.option.duration_s > 86400.0
    said = looser(model, found, K, remember, dict(seen))["train"]
    assert said.startswith("A deadline of ")
    assert f"{eased.saved / found.best.checked.objective:.1%}" in said
    assert said.endswith("the rest of the plan as it stands, by the twin")


def test_a_limit_that_does_not_bind_saves_nothing(small):
    model = small(cooling=AIR, samples="2e6", deadline="3 days")
    found, remember, seen = of(model)
    assert looser(model, found, K, remember, dict(seen)) == {
        "train": "A deadline of 6 days would save nothing; the rest of the plan as it stands, by the twin"
    }


def test_a_run_that_repeats_ends_before_the_next(tight):
    stage = tight[0].stages[0]  # every 7 days
    assert _eased(stage, 14 * 86400.0).deadline_s == 7 * 86400.0
    assert _eased(replace(stage, every_s=None), 14 * 86400.0).deadline_s == 14 * 86400.0
