"""Plans that come to the same: the one with less to build is recommended."""

from __future__ import annotations

from collections.abc import Sequence

from twinloop.planner.check import Checked

TIE = 1e-4
"""Share of the objective below which two plans come to the same. Prices of the catalogue are good to tenths."""


def pieces(plan: Checked) -> tuple[int, int]:
    """Return kinds of equipment that the plan's halls hold, then machines, spares included."""
    lines = [line for site in plan.sites for line in site.planned.equipment]
    return len(lines), sum(line.count + line.spare for line in lines)


def ties(plan: Checked, other: Checked) -> bool:
    """Whether the twin finds the same for both, within :data:`TIE`."""
    return abs(other.objective - plan.objective) < TIE * max(abs(plan.objective), 1e-9)


def simplest(plans: Sequence[Checked]) -> Checked:
    """Return, of the plans that tie with the best, the one with the fewest pieces; of equals the better."""
    best = min(plans, key=lambda plan: plan.objective)
    return min((plan for plan in plans if ties(best, plan)), key=lambda plan: (*pieces(plan), plan.objective))
