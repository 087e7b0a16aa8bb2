"""Data that moves between sites: volumes, and what egress costs."""

from __future__ import annotations

import math

from twinloop.economics.cloud import egress_usd_per_month
from twinloop.model.model import Model, Stage
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


def cost_weight(model: Model) -> float:
    """Return what a dollar of present cost adds to the objective."""
    return 1.0 if model.objective.name == "cost" else model.objective.weights.get("cost", 0.0)


def data_links(model: Model, placements: tuple[Placement, ...]) -> tuple[Link, ...]:
    """Return an objective cost for each pair of placements between which data leaves a cloud."""
    weight = cost_weight(model)
    return tuple(
        Link(each.first, each.second, weight * each.cost) for each in egress_links(model, placements) if weight
    )


def egress_links(model: Model, placements: tuple[Placement, ...]) -> tuple[Link, ...]:
    """Return the present cost for each pair of placements between which data leaves a cloud."""
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
    moved = 12.0 * math.fsum(
        egress_usd_per_month(monthly_volume_b(model, stages[before]), tiers[at[before]])
        for stage in model.stages
        for before in stage.after
        if at[before] in tiers and at[before] != at[stage.name]
    )
    return moved + math.fsum(fetched_usd_per_year(model, p) for p in chosen)


def fetched_usd_per_year(model: Model, p: Placement) -> float:
    """Return what a year of the growth of the datasets costs that ``p``'s stage reads from clouds it is not in.

    Each stage that reads a dataset fetches it for itself.
    """
    stage = next(each for each in model.stages if each.name == p.stage)
    tiers = {cloud.name: cloud.egress_usd_per_b for cloud in model.clouds if cloud.name != p.site}
    return 12.0 * math.fsum(
        egress_usd_per_month(data.growth_b_s * MONTH_S, tiers[data.home])
        for data in model.datasets
        if data.name in stage.reads and data.home in tiers
    )


def lines_usd_per_year(model: Model, p: Placement) -> float:
    """Return what a year of lines costs that carry the requests of ``p``'s stage from the edge places to it.

    Requests are made at the edge places, as many at each; a line carries the busiest hour. Served there they need none.
    """
    stage = next(each for each in model.stages if each.name == p.stage)
    places = sum(edge.count for edge in model.edges)
    if stage.request_b is None or not stage.requests_per_s or p.site in {edge.name for edge in model.edges}:
        return 0.0
    peak_b_s = stage.requests_per_s * stage.peak_to_mean * stage.request_b
    return 12.0 * math.fsum(peak_b_s * edge.count / places * edge.line_usd_per_b_s_month for edge in model.edges)


def lines_usd(model: Model, p: Placement) -> float:
    """Return the present cost of :func:`lines_usd_per_year`."""
    yearly = lines_usd_per_year(model, p)
    return present_cost_usd(Ledger((), {"lines": yearly}, {}, {}), model) if yearly else 0.0


def fetching_usd(model: Model, p: Placement) -> float:
    """Return the present cost of :func:`fetched_usd_per_year`."""
    yearly = fetched_usd_per_year(model, p)
    return _present(model, yearly / 12.0) if yearly else 0.0


def _present(model: Model, per_month_usd: float) -> float:
    return present_cost_usd(Ledger((), {"egress": 12.0 * per_month_usd}, {}, {}), model)
