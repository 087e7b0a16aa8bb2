"""Every sensible way to run a stage: devices, counts, layouts, formats; undominated ones kept."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from twinloop.catalogue import device as catalogue_device
from twinloop.catalogue.nouns import Device, Server
from twinloop.model.estimate import StageOption
from twinloop.model.model import Model, Stage
from twinloop.model.network import Network
from twinloop.units import show
from twinloop.workload.batch_jobs import ingest_option, preprocess_options
from twinloop.workload.chain import prepared
from twinloop.workload.serve_options import LARGEST_COUNT, least_latency, most_per_s, serving_options
from twinloop.workload.train_options import training_options, why_not_trained

MOST_PER_DEVICE = 12
MOST_PER_STAGE = 60
TRAINERS = ("gpu", "tpu", "npu")
SMALL_TRAINERS = ("cpu",)
"""Also train what needs no tensor units: trees and recommenders."""
CRUNCHERS = ("cpu",)
NEARLY_NONE_PER_S = 1e-6
"""A rate at which nothing waits."""


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
    """Return why the devices that some site could hold were refused, a sentence each; of serving, one for all."""
    servers = _obtainable(model)
    if not servers:
        return ("no server is allowed",) if not model.servers else ("no site offers an allowed device",)
    known = [(model.device(server.device), server) for server in servers]
    if stage.kind == "serve" and not stage_options(model, stage):
        usable = [(device, server) for device, server in known if _may(model, device)]
        unmet = _unmet(model, stage, usable) if usable else None
        if unmet is not None:
            return (unmet.words,)
    reasons, housed = [], bool(model.on_premise or model.edges)
    for device, server in known:
        name = f"{device.name} in {server.name}" if housed else device.name
        if not _may(model, device):
            reasons.append(f"{name}: a what-if device, not named in allow.devices")
        elif not _on(model, stage, device, server):
            reasons.append(f"{name}: {_reason(model, stage, device, server)}")
    return tuple(dict.fromkeys(reasons))


def eased(model: Model, stage: Stage) -> str:
    """Return what would let ``stage`` run that runs nowhere, as an advice."""
    usable = [(device, server) for server in _obtainable(model) if _may(model, device := model.device(server.device))]
    unmet = _unmet(model, stage, usable) if stage.kind == "serve" and usable else None
    if unmet is None or not unmet.eased:
        return f"{stage.name}: allow more devices, or add a site that offers one it fits"
    return f"{stage.name}: {unmet.eased}"


@dataclass(frozen=True)
class _Unmet:
    words: str
    eased: str


def _obtainable(model: Model) -> tuple[Server, ...]:
    """Return the servers that some site of the model could hold: without hall and edge, those that a cloud rents."""
    if model.on_premise or model.edges:
        return model.servers
    rented = {offer.device for cloud in model.clouds for offer in cloud.offers}
    processors = any(catalogue_device(name).kind == "cpu" for name in rented)
    return tuple(each for each in model.servers
                 if each.device in rented or (processors and each.device_kind == "cpu"))  # fmt: skip


def _unmet(model: Model, stage: Stage, usable: list[tuple[Device, Server]]) -> _Unmet | None:
    """Return what a serving stage asks that no usable device reaches, and the best that one does."""
    network, allow = model.network(str(stage.network)), model.allow.compression
    most = [most_per_s(stage, network, *each, allow) for each in usable]
    if max(most) <= 0.0:
        return _Unmet("does not fit in memory of any device that the sites offer, in any format", "")
    strongest = usable[most.index(max(most))]
    rate, wanted = stage.requests_per_s or 0.0, stage.latency_p99_s
    within = "" if wanted is None else f" within latency_p99 of {show(wanted, 'duration')}"
    at_rate = min((*least_latency(stage, network, *each, allow), each[0].name) for each in usable)
    if not math.isfinite(at_rate[0]):
        served = _most_served(stage, network, *strongest, allow)
        if served > 0.0:
            best = show(served, "rate", 3)
            return _Unmet(
                f"rate: {show(rate, 'rate')} is asked; the best that any allowed device reaches{within} is about "
                f"{best} (up to {LARGEST_COUNT} × {strongest[0].name})",
                f"lower the rate below {best}",
            )
        quiet = replace(stage, requests_per_s=NEARLY_NONE_PER_S)
        at_rate = min((*least_latency(quiet, network, *each, allow), each[0].name) for each in usable)
    if wanted is None or wanted >= at_rate[0]:
        return None
    best = show(at_rate[0], "duration", 3)
    return _Unmet(
        f"latency_p99: {show(wanted, 'duration')} is asked; the best that any allowed device reaches is {best} "
        f"({at_rate[2]}, {at_rate[1]})",
        f"raise latency_p99 above {best}",
    )


def _most_served(stage: Stage, network: Network, device: Device, server: Server, allow: tuple[str, ...]) -> float:
    """Return the largest rate, to 1 %, at which ``device`` offers an option within the stage's latency; 0: none."""

    def offered(rate: float) -> bool:
        return bool(serving_options(replace(stage, requests_per_s=rate), network, device, server, allow))

    low, high = 0.0, most_per_s(stage, network, device, server, allow)
    if not offered(NEARLY_NONE_PER_S):
        return 0.0
    while high - low > 0.01 * high:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if offered(middle) else (low, middle)
    return low


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
