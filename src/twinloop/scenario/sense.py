"""Combinations of values that the schema cannot judge one by one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import get_args

from twinloop.errors import Fault
from twinloop.power.chains import Backup, chain
from twinloop.scenario import schema
from twinloop.scenario.document import Node
from twinloop.scenario.faults import line_of, path_text
from twinloop.scenario.jurisdictions import within
from twinloop.scenario.references import Steps
from twinloop.units import show

LEAST_COIL_K = 2.0
"""Between the water that enters coils and the air that leaves them."""
_Found = tuple[Steps, str, str]

DAY_H = 24
"""Hours of the day that a tariff must price."""


PASSIVE = ("rear_door_passive", "cold_plate", "immersion_1p")
"""Equipment without a motor."""
LEAST_EFFICIENCY = 0.5
"""Of a machine of the power chain that anybody would keep."""


def sense_faults(
    spec: schema.ScenarioSpec, root: Node, file: str, place: Callable[[Steps], Steps] | None = None
) -> list[Fault]:
    """Return the faults that only show when values stand side by side.

    ``place`` gives the file's own steps where ``root`` lacks some of its blocks.
    """
    found = [
        *_networks(spec),
        *_stages(spec),
        *_datasets(spec),
        *_tariffs(spec),
        *_plants(spec),
        *_clouds(spec),
        *_finance(spec),
    ]
    return [
        Fault(file, line_of(root, steps), path_text(place(steps) if place else steps), got, expected)
        for steps, got, expected in found
    ]


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


def _plants(spec: schema.ScenarioSpec) -> Iterator[_Found]:
    for index, site in enumerate(spec.sites):
        if not isinstance(site, schema.OnPremiseSpec):
            continue
        where: Steps = ("sites", index)
        if isinstance(site.utility_power, list):
            yield from _power_phases(site.utility_power, (*where, "utility_power"))
        if site.design is not None:
            yield from _plant(site, site.design, (*where, "design"))


def _clouds(spec: schema.ScenarioSpec) -> Iterator[_Found]:
    for index, site in enumerate(spec.sites):
        if not isinstance(site, schema.CloudSpec):
            continue
        for key, word in (("reserved_share", "reserved"), ("preemptions", "spot")):
            if getattr(site, key) is not None and word not in (site.purchase or ["on_demand", "reserved"]):
                yield ("sites", index, key), f"{key} without {word} purchase", f"purchase: [{word}] beside it"


def _power_phases(phases: list[schema.PowerPhaseSpec], where: Steps) -> Iterator[_Found]:
    if phases[0].after:
        yield (*where, 0, "after"), show(phases[0].after, "duration"), "no date: the first step is there from the start"
    for i, (before, phase) in enumerate(itertools.pairwise(phases), 1):
        if phase.after is None or phase.after <= (before.after or 0.0):
            got = "nothing" if phase.after is None else show(phase.after, "duration")
            yield (*where, i, "after"), got, f"a time later than {show(before.after or 0.0, 'duration')}"


def _plant(site: schema.OnPremiseSpec, design: schema.DesignSpec, where: Steps) -> Iterator[_Found]:
    warm = design.cooling.startswith(("plates", "all plates", "immersion"))
    for key in ("heat_rejection", "warm_supply"):
        value = getattr(design, key)
        if warm and value is None:
            yield where, "nothing", f"the key {key!r}: {design.cooling} has a warm loop"
        if not warm and value is not None:
            yield (*where, key), f"{key} with cooling {design.cooling!r}", "plates or immersion, or no such key"
    if design.outdoor_air and design.cooling != "air":
        yield (*where, "outdoor_air"), f"outdoor_air with cooling {design.cooling!r}", "cooling: air, or no such key"
    if design.bath is not None and design.cooling != "immersion":
        yield (*where, "bath"), f"bath with cooling {design.cooling!r}", "cooling: immersion, or no such key"
    if design.evaporative == "direct" and not design.outdoor_air:
        yield (*where, "evaporative"), "direct without outdoor_air", "outdoor_air: true, or evaporative: indirect"
    if design.evaporative == "indirect" and (design.outdoor_air or design.cooling != "air"):
        yield (*where, "evaporative"), "indirect", "cooling: air without outdoor_air, or no such key"
    if design.warm_supply is not None and design.warm_supply <= design.cold_supply:
        expected = f"more than cold_supply ({show(design.cold_supply, 'temperature')})"
        yield (*where, "warm_supply"), show(design.warm_supply, "temperature"), expected
    if design.air_supply is not None and design.air_supply < design.cold_supply + LEAST_COIL_K:
        expected = f"at least {LEAST_COIL_K:g} K above cold_supply ({show(design.cold_supply, 'temperature')})"
        yield (*where, "air_supply"), show(design.air_supply, "temperature"), expected
    for i, unit in enumerate(design.equipment):
        if (unit.spare or 0) >= unit.count:
            yield (*where, "equipment", i, "spare"), str(unit.spare), f"less than count ({unit.count})"
        yield from _rated_point(unit, (*where, "equipment", i))
    seen: dict[str, int] = {}
    for i, unit in enumerate(design.equipment):
        if seen.setdefault(unit.type, i) != i and design.equipment[seen[unit.type]].rated == unit.rated:
            yield (*where, "equipment", i), f"{unit.type} of the same rating again", "one entry with the whole count"
    held_by = chain(site.power_chain or "ac_double_conversion").backup
    for i, unit in enumerate(design.equipment):
        if unit.type in get_args(Backup) and unit.type != held_by:
            shown = site.power_chain or "ac_double_conversion, the default"
            yield (*where, "equipment", i, "type"), f"{unit.type} with power_chain {shown}", held_by
    ups_w = sum((unit.count - (unit.spare or 0)) * unit.rated for unit in design.equipment if unit.type == held_by)
    utility = site.utility_power[-1].power if isinstance(site.utility_power, list) else site.utility_power
    if utility is not None and ups_w > 10.0 * utility:
        yield (
            (*where, "equipment"),
            f"{'UPS' if held_by == 'ups' else held_by} of {show(ups_w, 'power')}",
            f"not ten times utility_power ({show(utility, 'power')})",
        )


def _rated_point(unit: schema.EquipmentSpec, where: Steps) -> Iterator[_Found]:
    """Yield what a machine's electricity and efficiency cannot be."""
    electric = unit.type in (*get_args(Backup), "transformer")
    if unit.power is not None and (electric or unit.type in PASSIVE):
        yield (*where, "power"), f"power with type {unit.type}", "efficiency" if electric else "no such key"
    elif unit.power is not None and unit.power >= unit.rated:
        expected = f"electricity of one, less than its rated heat ({show(unit.rated, 'power')})"
        yield (*where, "power"), show(unit.power, "power"), expected
    if unit.efficiency is not None and not electric:
        yield (
            (*where, "efficiency"),
            f"efficiency with type {unit.type}",
            "power: electricity of one at its rated point",
        )
    elif unit.efficiency is not None and not LEAST_EFFICIENCY <= unit.efficiency < 1.0:
        yield (*where, "efficiency"), f"{unit.efficiency:.0%}", f"{LEAST_EFFICIENCY:.0%} to less than 100 %"


def _finance(spec: schema.ScenarioSpec) -> Iterator[_Found]:
    if spec.finance.repair is not None and spec.finance.failures is None:
        yield ("finance", "repair"), "repair without failures", "failures: linear or arrhenius beside it"
    minimise = spec.objective.minimise
    if isinstance(minimise, schema.WeightsSpec):
        if not any(value for value in (minimise.cost, minimise.energy, minimise.carbon, minimise.water, minimise.time)):
            yield (
                ("objective", "minimise"),
                "no weight above zero",
                "a weight on cost, energy, carbon, water or time",
            )
        for key in ("carbon_price", "water_price"):
            if getattr(spec.objective, key) is not None:
                yield ("objective", key), f"{key} beside weights", "the weight in minimise, or a single goal"
