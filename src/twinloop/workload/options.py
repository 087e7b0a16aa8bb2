"""Every sensible way to run a stage: devices, counts, layouts, precisions; undominated ones kept."""

from __future__ import annotations

import math

from twinloop.catalogue.nouns import Device, Server
from twinloop.model.estimate import StageOption
from twinloop.model.model import Model, Stage
from twinloop.workload.batch_jobs import ingest_option, preprocess_options
from twinloop.workload.serving import serving_options
from twinloop.workload.training import training_options

MOST_PER_DEVICE = 6
TRAINERS = ("gpu", "tpu", "npu")
CRUNCHERS = ("cpu",)


def stage_options(model: Model, stage: Stage) -> tuple[StageOption, ...]:
    """Return the undominated options of ``stage`` over all of the model's servers, cheapest device count first."""
    found = []
    for server in model.servers:
        device = model.device(server.device)
        found += _on(model, stage, device, server)
    return tuple(sorted(_undominated(found), key=lambda o: (o.device, o.device_count, o.server)))


def rejected(model: Model, stage: Stage) -> tuple[str, ...]:
    """Return why devices were refused, a sentence each."""
    reasons = []
    for server in model.servers:
        device = model.device(server.device)
        if not _on(model, stage, device, server):
            reasons.append(f"{device.name} in {server.name}: {_reason(stage, device)}")
    return tuple(dict.fromkeys(reasons)) or ("no server is allowed",)


def _on(model: Model, stage: Stage, device: Device, server: Server) -> list[StageOption]:
    if stage.kind in ("ingest", "preprocess"):
        if device.kind not in CRUNCHERS:
            return []
        return (
            ingest_option(stage, device, server)
            if stage.kind == "ingest"
            else preprocess_options(stage, device, server)
        )
    network = model.network(str(stage.network))
    if stage.kind == "train":
        return training_options(stage, network, device, server) if device.kind in TRAINERS else []
    return serving_options(stage, network, device, server)


def _reason(stage: Stage, device: Device) -> str:
    if stage.kind in ("ingest", "preprocess"):
        return "row and record work runs on processors"
    if stage.kind == "train" and device.kind not in TRAINERS:
        return f"training runs on {', '.join(TRAINERS)}"
    limit = "deadline" if stage.kind == "train" else "latency"
    return f"does not fit in memory, or misses the {limit} at any count up to the largest considered"


def _undominated(options: list[StageOption]) -> list[StageOption]:
    """Drop an option when another on the same server takes no more devices, energy and time."""
    kept = []
    for server in sorted({option.server for option in options}):
        mine = sorted(
            (option for option in options if option.server == server),
            key=lambda o: (o.device_count, _energy(o), o.duration_s or 0.0),
        )
        best: list[StageOption] = []
        for option in mine:
            if not any(_no_worse(other, option) for other in best):
                best.append(option)
        kept += best[:MOST_PER_DEVICE]
    return kept


def _energy(option: StageOption) -> float:
    return option.busy_fraction * option.busy.total_w + (1.0 - option.busy_fraction) * option.idle.total_w


def _no_worse(a: StageOption, b: StageOption) -> bool:
    times = ((a.duration_s or 0.0) <= (b.duration_s or math.inf)) and a.accuracy_drop <= b.accuracy_drop + 1.0
    return a.device_count <= b.device_count and _energy(a) <= _energy(b) * 1.0001 and times
