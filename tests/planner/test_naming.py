"""One name, one number: whatever a plan is told beside."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from twinloop.planner.naming import plan_name
from twinloop.planner.plan import plan

CLOUD = """\
  - {name: cloud, kind: cloud, provider: aws, region: eu-central-1}
"""
SECOND = """\
  - {name: tune, kind: train, after: train, model: net, samples: 1e5, every: 7 days, batch: 512, deadline: 6 days}
"""


def placement(stage: str, site: str, design: str | None, device: str = "A", count: int = 8, purchase: str = ""):
    option = SimpleNamespace(device=device, device_count=count)
    return SimpleNamespace(
        stage=stage, site=site, design=design, option=option, purchase=purchase, copies=1, offer=None
    )


def test_a_name_tells_cooling_work_elsewhere_and_other_devices():
    best = (placement("a", "hall", "air"), placement("b", "hall", "air"))
    assert plan_name(best, best) == "air"
    there = placement("b", "cloud", None, purchase="reserved")
    assert plan_name((best[0], there), best) == "air; b at cloud, reserved"
    other = (placement("a", "hall", "plates", "B"), there)
    assert plan_name(other, best) == "plates; b at cloud, reserved; 8 × B for a"


def test_plans_of_one_name_have_one_cost(small):
    found = plan(small(sites=CLOUD, stages=SECOND, samples="2e7", stage=", sites: [hall]")).plan
    ours = found.economics[0]
    told = [(ours.note, ours.tco_usd)]
    told += [(a.change.rsplit(": ", 1)[0], a.totals.tco_usd) for a in found.alternatives]
    told += [(b.note, b.totals.tco_usd) for b in found.baselines if b.totals is not None]
    told += [(e.note, e.tco_usd) for e in found.economics if e.tco_usd is not None]
    told += [(p.name, p.cost_usd) for p in found.frontier]
    assert len({name for name, _ in told}) > 4
    for name, cost in told:
        same = [other for word, other in told if word == name]
        assert same == pytest.approx([cost] * len(same), rel=1e-12), name
