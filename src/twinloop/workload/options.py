"""Every sensible way to run a stage: devices, counts, layouts, formats; undominated ones kept."""

from __future__ import annotations

from twinloop.catalogue.nouns import Device, Server
from twinloop.model.estimate import StageOption
from twinloop.model.model import Model, Stage
from twinloop.workload.batch_jobs import ingest_option, preprocess_options
from twinloop.workload.chain import prepared
from twinloop.workload.serve_options import serving_options
from twinloop.workload.train_options import training_options, why_not_trained

MOST_PER_DEVICE = 12
MOST_PER_STAGE = 60
TRAINERS = ("gpu", "tpu", "npu")
SMALL_TRAINERS = ("cpu",)
"""Also train what needs no tensor units: trees and recommenders."""
CRUNCHERS = ("cpu",)


def stage_options(model: Model, stage: Stage) -> tuple[StageOption, ...]:
    """Return the undominated options of ``stage`` over all of the model's servers, by device and count.

    What-if devices (neuromorphic, quantum) count only when the scenario's allow list names them.
    """
    found = []
    for server in model.servers:
        device = model.device(server.device)
        if _may(model, device):
            found += _undominated(_on(model, stage, device, server))
    kept = found if len(found) <= MOST_PER_STAGE else _fewer(found)
    return tuple(sorted(kept, key=lambda o: (o.device, o.device_count, o.server, o.precision)))


def rejected(model: Model, stage: Stage) -> tuple[str, ...]:
    """Return why devices were refused, a sentence each."""
    reasons = []
    for server in model.servers:
        device = model.device(server.device)
        if not _may(model, device):
            reasons.append(f"{device.name} in {server.name}: a what-if device, not named in allow.devices")
        elif not _on(model, stage, device, server):
            reasons.append(f"{device.name} in {server.name}: {_reason(model, stage, device, server)}")
    return tuple(dict.fromkeys(reasons)) or (("no server is allowed",) if not model.servers else ())


def _may(model: Model, device: Device) -> bool:
    return not device.what_if or device.name in model.allow.devices


def _trains(model: Model, stage: Stage, device: Device) -> bool:
    kind = model.network(str(stage.network)).kind
    return device.kind in TRAINERS or (device.kind in SMALL_TRAINERS and kind in ("trees", "recommender"))


def _on(model: Model, stage: Stage, device: Device, server: Server) -> list[StageOption]:
    if stage.kind in ("ingest", "preprocess"):
        if device.kind not in CRUNCHERS:
            return []
        return (
            ingest_option(stage, device, server)
            if stage.kind == "ingest"
            else preprocess_options(stage, device, server, model.horizon_s)
        )
    network = model.network(str(stage.network))
    if stage.kind == "train":
        if not _trains(model, stage, device):
            return []
        ready = prepared(stage, model.stages)
        return training_options(stage, network, device, server, ready=ready, horizon_s=model.horizon_s)
    return serving_options(stage, network, device, server, model.allow.compression)


def _reason(model: Model, stage: Stage, device: Device, server: Server) -> str:
    if stage.kind in ("ingest", "preprocess"):
        return "row and record work runs on processors"
    if stage.kind != "train":
        return "does not fit in memory, or misses the latency at any count up to the largest considered"
    if not _trains(model, stage, device):
        return f"training runs on {', '.join(TRAINERS)}"
    ready = prepared(stage, model.stages)
    network = model.network(str(stage.network))
    return why_not_trained(stage, network, device, server, ready=ready, horizon_s=model.horizon_s)


def _undominated(options: list[StageOption]) -> list[StageOption]:
    """Drop an option of one server when another takes no more devices, energy and time, and no more accuracy."""
    best: list[StageOption] = []
    for option in sorted(options, key=lambda o: (o.device_count, _energy(o), o.duration_s or 0.0)):
        if not any(_no_worse(other, option) for other in best):
            best.append(option)
    return best[:MOST_PER_DEVICE]


def _fewer(options: list[StageOption]) -> list[StageOption]:
    """Keep the least energy of every server first, then fill up by energy."""
    by_energy = sorted(options, key=_energy)
    first = list({option.server: option for option in reversed(by_energy)}.values())
    rest = [option for option in by_energy if option not in first]
    return (sorted(first, key=_energy) + rest)[:MOST_PER_STAGE]


def _energy(option: StageOption) -> float:
    """Return the mean power, J a second of the horizon."""
    return option.busy_fraction * option.busy.total_w + (1.0 - option.busy_fraction) * option.idle.total_w


def _no_worse(a: StageOption, b: StageOption) -> bool:
    faster = (a.duration_s or 0.0) <= (b.duration_s or 0.0)
    as_good = a.accuracy_drop <= b.accuracy_drop or b.accuracy_drop > 0.0
    return a.device_count <= b.device_count and _energy(a) <= _energy(b) * 1.0001 and faster and as_good
