"""What a plan says of a training stage that the stages before it cannot keep busy."""

from __future__ import annotations

from types import SimpleNamespace

from twinloop.model.model import Stage
from twinloop.planner.assemble import waits_words

STAGES = (
    Stage("features", "preprocess", (), (), None, every_s=86400.0),
    Stage("train", "train", ("features",), (), "net", every_s=86400.0),
)


def words(features_s: float, train_s: float, stage: str = "train") -> str:
    placements = tuple(
        SimpleNamespace(stage=name, option=SimpleNamespace(duration_s=seconds))
        for name, seconds in (("features", features_s), ("train", train_s))
    )
    return waits_words(SimpleNamespace(stages=STAGES), placements, stage)  # type: ignore[arg-type]


def test_training_waits_for_a_slower_stage_before_it():
    assert words(4000.0, 1000.0) == (
        "Run back to back its devices work 25% of the time and wait for features, the slowest of the chain"
    )


def test_nothing_is_said_where_training_is_the_slowest_or_of_other_stages():
    assert words(1000.0, 4000.0) == ""
    assert words(4000.0, 1000.0, "features") == ""
