"""Combinations of values that the schema cannot judge one by one."""

from __future__ import annotations

from collections.abc import Iterator

from twinloop.errors import Fault
from twinloop.scenario import schema
from twinloop.scenario.document import Node
from twinloop.scenario.faults import line_of, path_text
from twinloop.scenario.jurisdictions import within
from twinloop.scenario.references import Steps
from twinloop.units import show

_Found = tuple[Steps, str, str]

DAY_H = 24
"""Hours of the day that a tariff must price."""


def sense_faults(spec: schema.ScenarioSpec, root: Node, file: str) -> list[Fault]:
    """Return the faults that only show when values stand side by side."""
    found = [*_networks(spec), *_stages(spec), *_datasets(spec), *_tariffs(spec), *_finance(spec)]
    return [Fault(file, line_of(root, steps), path_text(steps), got, expected) for steps, got, expected in found]


def _networks(spec: schema.ScenarioSpec) -> Iterator[_Found]:
    for index, model in enumerate(spec.models):
        where: Steps = ("models", index)
        if not isinstance(model, schema.LayersSpec):
            continue
        if model.head_dim is None and model.hidden % model.heads:
            yield (
                (*where, "heads"),
                str(model.heads),
                f"a divisor of hidden ({model.hidden}), or head_dim given",
            )
        if model.kv_heads is not None and model.heads % model.kv_heads:
            yield (*where, "kv_heads"), str(model.kv_heads), f"a divisor of heads ({model.heads})"
        yield from _experts(model, where)
        for key in ("dense_layers", "state_space_layers"):
            value = getattr(model, key)
            if value is not None and value > model.layers:
                yield (*where, key), str(value), f"at most layers ({model.layers})"


def _experts(model: schema.LayersSpec, where: Steps) -> Iterator[_Found]:
    keys = ("experts", "top_k", "shared_experts", "expert_ffn", "dense_layers")
    if model.kind == "transformer":
        for key in keys:
            if getattr(model, key) is not None:
                yield (*where, key), f"{key} in a transformer", "kind: mixture, or no such key"
        return
    for key in ("experts", "top_k"):
        if getattr(model, key) is None:
            yield where, "nothing", f"the key {key!r}: a mixture needs it"
    if model.experts is not None and model.top_k is not None and model.top_k > model.experts:
        yield (*where, "top_k"), str(model.top_k), f"at most experts ({model.experts})"


def _stages(spec: schema.ScenarioSpec) -> Iterator[_Found]:
    for index, stage in enumerate(spec.stages):
        where: Steps = ("stages", index)
        every, deadline = getattr(stage, "every", None), getattr(stage, "deadline", None)
        if every is not None and deadline is not None and deadline > every:
            expected = f"at most the period ({show(every, 'duration')}): runs that overlap are not modelled"
            yield (*where, "deadline"), show(deadline, "duration"), expected
        if isinstance(stage, schema.TrainSpec) and stage.batch is not None and stage.batch > stage.samples:
            yield (*where, "batch"), str(stage.batch), f"at most samples ({stage.samples:g})"


def _datasets(spec: schema.ScenarioSpec) -> Iterator[_Found]:
    lawful = {site.name: site.jurisdiction for site in spec.sites}
    for index, data in enumerate(spec.datasets):
        where = lawful.get(data.home)
        if data.residency and where is not None and not any(within(where, each) for each in data.residency):
            expected = f"a site within {', '.join(data.residency)}, where this data must stay"
            yield ("datasets", index, "home"), f"{data.home} in {where}", expected


def _tariffs(spec: schema.ScenarioSpec) -> Iterator[_Found]:
    for index, site in enumerate(spec.sites):
        tariff = getattr(site, "tariff", None)
        if not isinstance(tariff, schema.TariffSpec) or not isinstance(tariff.energy, list):
            continue
        where: Steps = ("sites", index, "tariff", "energy")
        hours = [hour for band in tariff.energy for hour in band_hours(band)]
        if len(hours) > len(set(hours)):
            twice = sorted({hour for hour in hours if hours.count(hour) > 1})
            yield where, f"hours {_ranges(twice)} priced twice", "each hour of the day once"
        missing = sorted(set(range(DAY_H)) - set(hours))
        if missing:
            yield where, f"no price for the hours {_ranges(missing)}", "bands that cover the day"


def band_hours(band: schema.PriceBandSpec) -> list[int]:
    """Return the hours that a band prices; from 22 to 6 passes midnight, from 0 to 24 is all day."""
    end = band.to if band.to > band.start else band.to + 24
    return [hour % 24 for hour in range(band.start, end)]


def _ranges(hours: list[int]) -> str:
    """Return ``0-6, 22-24`` for hours."""
    edges: list[list[int]] = []
    for hour in hours:
        if edges and edges[-1][1] == hour:
            edges[-1][1] = hour + 1
        else:
            edges.append([hour, hour + 1])
    return ", ".join(f"{first}-{last}" for first, last in edges)


def _finance(spec: schema.ScenarioSpec) -> Iterator[_Found]:
    minimise = spec.objective.minimise
    if isinstance(minimise, schema.WeightsSpec):
        if not any(value for value in (minimise.cost, minimise.energy, minimise.carbon, minimise.water)):
            yield (
                ("objective", "minimise"),
                "no weight above zero",
                "a weight on cost, energy, carbon or water",
            )
        for key in ("carbon_price", "water_price"):
            if getattr(spec.objective, key) is not None:
                yield ("objective", key), f"{key} beside weights", "the weight in minimise, or a single goal"
