"""Data that moves between sites: volumes, and what egress costs."""

from __future__ import annotations

import math

from twinloop.economics.cloud import egress_usd_per_month
from twinloop.model.model import Dataset, Model, Stage
from twinloop.model.site import Cloud
from twinloop.planner.money import Ledger, present_cost_usd
from twinloop.planner.placements import Placement
from twinloop.planner.selection import Link

MONTH_S = 8760 * 3600.0 / 12.0


def monthly_volume_b(model: Model, source: Stage) -> float:
    """Return the bytes a month that ``source`` hands to the next stage.

    Ingest hands on what arrives; preprocessing its rows; training the model's weights at 2 bytes a
    parameter, once a run; serving nothing.
    """
    runs = MONTH_S / source.every_s if source.every_s else 1.0 / 12.0
    if source.kind == "ingest":
        return (source.rate_b_s or 0.0) * MONTH_S
    if source.kind == "preprocess":
        return (source.rows or 0.0) * (source.row_b or 0.0) * runs
    if source.kind == "train" and source.network:
        return (model.network(source.network).parameters or 0.0) * 2.0 * runs
    return 0.0


def data_links(model: Model, placements: tuple[Placement, ...]) -> tuple[Link, ...]:
    """Return an objective cost for each pair of placements between which data leaves a cloud."""
    if model.objective.name != "cost":
        return ()
    clouds = {cloud.name: cloud for cloud in model.clouds}
    stages = {stage.name: stage for stage in model.stages}
    links = []
    for stage in model.stages:
        for before in stage.after:
            volume = monthly_volume_b(model, stages[before])
            for i, first in enumerate(placements):
                if first.stage != before or first.site not in clouds or volume <= 0.0:
                    continue
                cost = _present(model, egress_usd_per_month(volume, clouds[first.site].egress_usd_per_b))
                links += [
                    Link(i, j, cost)
                    for j, second in enumerate(placements)
                    if second.stage == stage.name and second.site != first.site and cost > 0.0
                ]
    return tuple(links)


def egress_usd_per_year(model: Model, chosen: tuple[Placement, ...]) -> float:
    """Return what a year of data costs that leaves a cloud between the stages of a plan, at today's price."""
    at = {p.stage: p.site for p in chosen}
    tiers = {cloud.name: cloud.egress_usd_per_b for cloud in model.clouds}
    stages = {stage.name: stage for stage in model.stages}
    return 12.0 * math.fsum(
        egress_usd_per_month(monthly_volume_b(model, stages[before]), tiers[at[before]])
        for stage in model.stages
        for before in stage.after
        if at[before] in tiers and at[before] != at[stage.name]
    )


def dataset_egress_usd(model: Model, data: Dataset, site: str) -> float:
    """Return the yearly cost of carrying ``data``'s growth from its home to ``site``."""
    home = next((cloud for cloud in model.clouds if cloud.name == data.home), None)
    if home is None or site == data.home or not isinstance(home, Cloud):
        return 0.0
    return 12.0 * egress_usd_per_month(data.growth_b_s * MONTH_S, home.egress_usd_per_b)


def _present(model: Model, per_month_usd: float) -> float:
    return present_cost_usd(Ledger((), {"egress": 12.0 * per_month_usd}, {}, {}), model)
