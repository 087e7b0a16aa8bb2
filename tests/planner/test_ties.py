"""Plans that come to the same: what decides, and what is said."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from twinloop.planner.baselines import Plainer
from twinloop.planner.explain import cooling_reason
from twinloop.planner.optimise import Optimised
from twinloop.planner.recommend import best_of
from twinloop.planner.selection import Choice, Problem
from twinloop.planner.sequential import Ordered, compared
from twinloop.planner.ties import TIE, pieces, simplest, ties

CHOICES = tuple(SimpleNamespace(key=key, stage="s", site="hall", design=key, cost_usd=1.0) for key in "xy")
PROBLEM = Problem(("s",), CHOICES, (1.0, 1.0), ())  # type: ignore[arg-type]


def checked(objective: float, *counts: int, key: str = "x"):
    """A twin-checked plan with so many machines of each kind."""
    lines = tuple(SimpleNamespace(count=count, spare=1) for count in counts)
    site = SimpleNamespace(planned=SimpleNamespace(equipment=lines, name="hall"))
    chosen = tuple(each for each in CHOICES if each.key == key)
    return SimpleNamespace(objective=objective, sites=(site,), placements=chosen)


def test_of_ties_the_plan_with_fewer_kinds_then_machines_wins():
    best, simple, fewer = checked(1e6, 2, 2, 2), checked(1e6 * (1 + 0.9 * TIE), 9), checked(1e6 + 1.0, 2, 2, 1)
    assert pieces(best) == (3, 9)
    assert simplest([best, simple, fewer]) is simple
    assert simplest([best, fewer]) is fewer
    assert simplest([best, checked(1e6 * (1 + 1.1 * TIE), 1)]) is best
    assert ties(checked(-1e6), checked(-1e6 * (1 + 0.5 * TIE)))


def test_a_simpler_plan_that_ties_is_recommended():
    found, simple = (
        Optimised(plan, PROBLEM, Choice((place,), 1.0, 1.0), 1.0, 0.0, 1)
        for place, plan in enumerate((checked(1e6, 1, 1, key="x"), checked(1e6 + 50.0, 1, key="y")))
    )
    assert best_of(found, {"rear doors": simple}, None, ()).checked is simple.checked
    assert best_of(found, {}, None, (Plainer("uniform liquid", simple, "does not fit"),)) is found


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ((3,), (3, 2), "rear doors has fewer kinds of equipment, 1 against 2."),
        ((3,), (4,), "rear doors has fewer machines, 4 against 5."),
        ((4,), (3,), "(within 0.01%)."),
    ],
)
def test_the_report_says_why_a_tie_went_so(small, ours, theirs, words):
    best, rival = checked(1e6, *ours), checked(1e6 - 50.0, *theirs)
    said = cooling_reason(small(), best, {"plates": rival}, "rear doors")
    assert said.startswith("rear doors and plates come to the same (within 0.01%)")
    assert said.endswith(words)


def test_a_plan_without_a_hall_is_chosen_at_the_providers_figures():
    """The sequential text of providers names no technology, and no cooling that does not exist."""
    place = SimpleNamespace(stage="s", site="sky", design=None, servers=1)
    place.option = SimpleNamespace(
        device="A", device_count=8, precision="fp8", compression="none", parallelism="d1", latency_p99_s=None
    )
    joint = SimpleNamespace(objective=1e6, placements=(place,), totals=None)
    ordered = Ordered((place,), SimpleNamespace(checked=joint))  # type: ignore[arg-type]
    found = compared(None, SimpleNamespace(kit_of={}), joint, ordered)  # type: ignore[arg-type]
    assert found.cause == "nothing: compute chosen first at the providers' own figures is the same compute"
