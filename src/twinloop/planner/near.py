"""Plans that cost as good as the same and are much better in something else."""

from __future__ import annotations

from collections.abc import Iterable

from twinloop.model.doubt import NearTie
from twinloop.model.plan import Alternative, FrontierPoint, Totals
from twinloop.planner.check import Checked

NEAR = 0.01
"""Costs this near cannot be told apart: prices in the catalogue are less certain than that."""
MUCH = 0.2
"""Share of another total from which less of it is worth a mention."""
MOST = 2
"""Near ties that are named."""


def screening_error(checked: Checked) -> float | None:
    """Return the screened cost of ``checked`` over the twin's, minus one; ``None`` where it costs nothing.

    Staff is in the twin's cost alone and the same whatever is chosen; halls' lights, fetched data and what the
    screening misjudges make the rest.
    """
    twin = sum(site.planned.totals.tco_usd for site in checked.sites)
    return sum(p.cost_usd for p in checked.placements) / twin - 1.0 if twin else None


def near_ties(
    checked: Checked, points: tuple[FrontierPoint, ...], alternatives: tuple[Alternative, ...]
) -> tuple[NearTie, ...]:
    """Return the plans within 1 %, or within the screening's own error, that save much of another total.

    Twin-checked plans are compared with the twin's figures, screened ones with screened figures.
    """
    margin = max(NEAR, abs(screening_error(checked) or 0.0))
    twin = (checked.totals.tco_usd, _amounts(checked.totals))
    screened = (
        sum(p.cost_usd for p in checked.placements),
        {
            "energy": sum(p.facility_j for p in checked.placements) / 3.6e9,
            "water": sum(p.water_m3 for p in checked.placements),
            "carbon": sum(p.carbon_kg for p in checked.placements) / 1e3,
        },
    )
    found = [
        *(_tie(a.name, (a.totals.tco_usd, _amounts(a.totals)), twin, NEAR, by_twin=True) for a in alternatives),
        *(_tie(p.name, (p.cost_usd, _point_amounts(p)), twin if p.checked else screened,
               NEAR if p.checked else margin, by_twin=p.checked) for p in points),
    ]  # fmt: skip
    return tuple(_nearest(_distinct(tie for tie in found if tie is not None)))


def _distinct(ties: Iterable[NearTie]) -> list[NearTie]:
    """Return ``ties`` without a second one of the same plan: a kit's best may lie on the frontier too."""
    return list({(tie.cost, *tie.others.values()): tie for tie in ties}.values())


def _nearest(ties: Iterable[NearTie]) -> list[NearTie]:
    return sorted(ties, key=lambda tie: (min(tie.others.values()), tie.cost))[:MOST]


def _amounts(t: Totals) -> dict[str, float]:
    return {
        "energy": t.facility_energy_mwh_per_year, "water": t.water_m3_per_year,
        "carbon": sum(t.carbon_t_per_year.values()),
    }  # fmt: skip


def _point_amounts(p: FrontierPoint) -> dict[str, float]:
    return {"energy": p.energy_mwh_per_year, "water": p.water_m3_per_year, "carbon": p.carbon_t_per_year}


_Figures = tuple[float, dict[str, float]]
"""Cost, then energy, water and carbon."""


def _tie(name: str, theirs: _Figures, mine: _Figures, margin: float, *, by_twin: bool) -> NearTie | None:
    (cost, amounts), (our_cost, ours) = theirs, mine
    if not our_cost or abs(cost / our_cost - 1.0) > margin:
        return None
    less = {key: value / ours[key] - 1.0 for key, value in amounts.items() if ours[key] > 0.0}
    much = {key: share for key, share in sorted(less.items(), key=lambda each: each[1]) if share <= -MUCH}
    return NearTie(name, by_twin, cost / our_cost - 1.0, much) if much else None
