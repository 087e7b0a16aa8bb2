"""Ways to train one stage: counts and layouts that meet the deadline, the undominated kept."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from twinloop.arrays import FloatArray
from twinloop.catalogue.nouns import Device, Server
from twinloop.model.estimate import Parallelism, StageOption
from twinloop.model.model import Stage
from twinloop.model.network import Network
from twinloop.reliability.failures import YEAR_S
from twinloop.reliability.goodput import Goodput, goodput
from twinloop.workload.chain import host_rate_per_s, starved_s
from twinloop.workload.constants import RECENT, software
from twinloop.workload.layouts import SCHEDULES, Layouts, experts_overlapped
from twinloop.workload.machine import scale_up_domain, training_machine
from twinloop.workload.memory import States, capacity_b, training_memory
from twinloop.workload.other import INTERVAL as OTHER_INTERVAL
from twinloop.workload.other import sample_of
from twinloop.workload.other_step import repeated_share, train_step_s
from twinloop.workload.power import busy_power, idle_power, phase_power_w
from twinloop.workload.training import parts_s, step_times
from twinloop.workload.transformer import TRANSFORMERS, model_flops_per_token, parameter_count, shape_of

LARGEST_COUNT = 4096
OPEN_DEADLINE_S = 30 * 86400.0
"""A single run that names no deadline: a month, as long as pre-training of 10-70 billion weights takes. Low
confidence."""
STATE_B = 14.0
"""Bytes of a weight in a checkpoint: 2-byte weights, master copy, two moments."""
TOKENS_PER_BATCH = 0.5e6
"""Default global batch: half a million tokens, common below 10 billion weights; 4 million above 50 billion
(Brown et al. 2020, arXiv:2005.14165, table 2.1; Touvron et al. 2023, arXiv:2307.09288, table 1). Low confidence."""
LARGEST_TOKENS_PER_BATCH = 4e6
"""Where the batch is open it may double up to this many tokens when a deadline asks for it. Larger ones stop saving
steps (McCandlish et al. 2018, arXiv:1812.06162). Low confidence."""
FP8_DROP = 0.0025
"""Relative accuracy lost by 8-bit training; offered only where the stage allows it. Low confidence."""
SHORT_STAGES = 3
"""Stages that may hold a layer less than the others: embedding and head fill their first and last, as where 126 layers
run on 16 stages (Llama Team 2024, arXiv:2407.21783, section 3.3.2)."""
CHUNKS = (1, 2, 4)
"""Model chunks a pipeline stage may hold (Narayanan et al. 2021, doi:10.1145/3458817.3476209, section 2.2.2)."""
LONG_CONTEXT = 16384
"""Tokens from which on one sequence may be split over devices."""
WIDEST_EXPERTS = 64
"""Expert parallelism of DeepSeek-V3 (arXiv:2412.19437, section 3.2)."""
KEPT = 12
RARE = 0.01
"""Share of runs that may be late: where fewer than this meet an interruption, no room is kept for one."""
STARVED_NOTE = 0.005
"""Share of a step above which waiting for samples is worth a word."""


@dataclass(frozen=True)
class Candidates:
    """Layouts of one device as parallel arrays, with their figures."""

    layouts: Layouts
    precision: str
    step_s: FloatArray
    memory_b: FloatArray
    mfu: FloatArray
    breakdown_s: dict[str, FloatArray]
    low: float
    high: float
    notes: tuple[str, ...]
    memory_parts_b: dict[str, FloatArray] = field(default_factory=dict)
    """``memory_b`` by what it holds; empty where it is not known."""


def default_batch(network: Network) -> int:
    """Return a global batch in samples: a power of two, so that replicas share it evenly."""
    if not network.layers:
        return 1024
    tokens = TOKENS_PER_BATCH * (8.0 if parameter_count(network) > 5e10 else 1.0)
    return max(int(2 ** round(math.log2(tokens / max(network.context, 1)))), 64)


def batches(stage: Stage, network: Network) -> tuple[int, ...]:
    """Return the global batches to try, the first that meets the deadline wins: the given one, else doublings."""
    if stage.batch:
        return (stage.batch,)
    first = default_batch(network)
    most = LARGEST_TOKENS_PER_BATCH / max(network.context, 1) if network.layers else 8.0 * first
    return tuple(first * 2**k for k in range(8) if k == 0 or first * 2**k <= most)


def _grid(network: Network, device: Device, server: Server, batch: int) -> Layouts | None:
    """Return every sensible layout that suits the model and the batch, flat; mostly powers of two."""
    wide = scale_up_domain(device, server)
    transformer = network.kind in TRANSFORMERS and network.layers > 0
    tensors = [t for t in (1, 2, 4, 8) if t <= wide and transformer and network.heads % t == 0] or [1]
    pipelines = [p for p in (1, 2, 4, 8, 16) if transformer and -network.layers % p <= SHORT_STAGES] or [1]
    # Powers of two may leave a last micro-batch that is not full; other counts must share the batch evenly.
    replicas = [2**k for k in range(13) if 2**k <= batch] + [3 * 2**k for k in range(11) if batch % (3 * 2**k) == 0]
    micros = [2**k for k in range(14) if 2**k <= batch]
    recomputes, zeros = ([0, 1, 2], [0, 1, 3]) if transformer else ([0], [0])
    contexts = [1, 2, 4, 8, 16] if transformer and network.context >= LONG_CONTEXT else [1]
    experts = sorted({min(network.experts, wide), min(network.experts, WIDEST_EXPERTS)}) if network.experts else [1]
    chunks = [v for v in CHUNKS if v == 1 or (len(pipelines) > 1 and network.layers >= 2 * v)]
    axes = np.meshgrid(
        tensors, pipelines, replicas, micros, recomputes, zeros, contexts, experts, chunks, indexing="ij"
    )
    t, p, d, m, r, z, c, e, v = (axis.ravel().astype(np.float64) for axis in axes)
    good = (t * p * d * c <= LARGEST_COUNT) & (d * m <= batch) & ~((z > 0) & (d * c == 1)) & ~((z == 3) & (p > 1))
    # Too few micro-batches leave a pipeline mostly empty.
    good &= (p == 1) | (batch / (d * m) >= p)
    good &= (e == experts[0]) | (e <= d)
    # Chunks take whole layers and whole rounds of micro-batches.
    good &= (v == 1) | ((p > 1) & (network.layers % (p * v) == 0) & (batch / (d * m) % p == 0))
    if not good.any():
        return None
    t, p, d, m, r, z, c, e, v = (axis[good] for axis in (t, p, d, m, r, z, c, e, v))
    one = np.ones_like(t)
    schedule = np.where(v > 1, float(SCHEDULES.index("interleaved")), float(SCHEDULES.index("1f1b")))
    expert = np.minimum(d, e)
    return Layouts(t, p, d, c, expert, m, float(batch) * one, v, r, z, schedule, (t > 1).astype(float))


def _transformer(network: Network, device: Device, server: Server, batch: int, precision: str) -> Candidates | None:
    grid = _grid(network, device, server, batch)
    if grid is None:
        return None
    chosen = software(device)
    shape = shape_of(network)
    domain = scale_up_domain(device, server)
    grid = replace(grid, overlap_experts=experts_overlapped(chosen.name, grid, float(domain)))
    machine = training_machine(device, server.network_b_s, domain, precision)
    times = step_times(shape, grid, machine, chosen.calibration)
    memory = training_memory(shape, grid, States(gradient_b=chosen.calibration.gradient_b))
    total = np.asarray(times.total_s)
    flops = 3.0 * float(model_flops_per_token(shape, masked=chosen.name in RECENT)) * network.context * batch
    parts = {name: np.broadcast_to(value, total.shape) for name, value in parts_s(times).items()}
    notes = ["no measured row for this device: class defaults"] if chosen.extrapolated else []
    return Candidates(
        grid, precision, total, np.asarray(memory.total_b), flops / total / grid.devices / machine.peak_linear, parts,
        chosen.low, chosen.high, (f"constants {chosen.name}", *notes),
        {name.removesuffix("_b"): np.broadcast_to(value, total.shape) for name, value in vars(memory).items()},
    )  # fmt: skip


def _other(network: Network, device: Device, server: Server, batch: int, precision: str) -> Candidates | None:
    grid = _grid(network, device, server, batch)
    if grid is None:
        return None
    chosen = software(device)
    machine = training_machine(device, server.network_b_s, scale_up_domain(device, server), precision)
    links = machine.links(chosen.calibration)
    step = train_step_s(network, device, precision, grid.batch, grid.data, grid.micro_batch, links)
    share = repeated_share(step, capacity_b(device))
    if (step.memory_b > capacity_b(device)).all() and np.any(share):
        step = train_step_s(network, device, precision, grid.batch, grid.data, grid.micro_batch, links, repeated=share)
    total = np.asarray(step.total_s)
    flops = 3.0 * sample_of(network).flops * batch
    names = ("compute_s", "memory_s", "data_comm_s", "optimizer_s", "overhead_s")
    parts = {name.removesuffix("_s"): np.broadcast_to(getattr(step, name), total.shape) for name in names}
    return Candidates(
        grid, precision, total, np.asarray(step.memory_b),
        flops / total / grid.devices / machine.peak_linear,
        parts, *OTHER_INTERVAL, (f"class constants of {network.kind}, low confidence",),
    )  # fmt: skip


def candidates(network: Network, device: Device, server: Server, batch: int, precision: str) -> Candidates | None:
    """Return every layout of ``network`` on ``device`` with time and memory, feasible or not."""
    transformer = network.kind in TRANSFORMERS and network.layers > 0
    build = _transformer if transformer else _other
    return build(network, device, server, batch, precision)


def precisions(stage: Stage, device: Device) -> tuple[str, ...]:
    """Return the precisions to try: 16 bits (else 32), and 8 where the stage allows the loss."""
    found = ["bf16"] if device.flops.get("bf16") else ["fp32"] if device.flops.get("fp32") else []
    if device.flops.get("fp8") and stage.accuracy_drop >= FP8_DROP:
        found.append("fp8")
    return tuple(found)


def training_options(
    stage: Stage, network: Network, device: Device, server: Server, *, ready: bool = True, horizon_s: float = YEAR_S
) -> list[StageOption]:  # fmt: skip
    """Return undominated (devices, energy, time) options on ``server`` that meet the deadline, at most KEPT.

    Args:
        stage: what is trained, how often and by when.
        network: the model.
        device: trains it.
        server: holds the device.
        ready: a stage before has prepared the samples.
        horizon_s: over which a run that happens once is counted.
    """
    period, deadline = stage.every_s or horizon_s, _deadline_s(stage, horizon_s)
    options: list[StageOption] = []
    for precision in precisions(stage, device):
        for batch in batches(stage, network):
            found = _fed_candidates(network, device, server, batch, precision, ready=ready)
            steps = math.ceil((stage.samples or 0.0) / batch)
            chosen = _best(found, device, server, network, steps, deadline) if found is not None else []
            if found is not None and chosen:
                found = found if batch == batches(stage, network)[0] else _raised(found, batch)
                options += [_option(stage, device, server, found, i, use, batch, period) for i, use in chosen]
                break
    return options


def why_not_trained(
    stage: Stage, network: Network, device: Device, server: Server, *, ready: bool = True, horizon_s: float = YEAR_S
) -> str:  # fmt: skip
    """Return why ``server`` offers nothing: what memory or time the best layout would take."""
    kinds, deadline = precisions(stage, device), _deadline_s(stage, horizon_s)
    batch = batches(stage, network)[-1]
    found = _fed_candidates(network, device, server, batch, kinds[0], ready=ready) if kinds else None
    if found is None:
        return "has no 16- or 32-bit arithmetic to train with"
    room, least = capacity_b(device), float(found.memory_b.min())
    if least > room:
        return f"training needs {least / 1e9:.0f} GB of its {room / 1e9:.0f} GB at least, at any layout considered"
    quickest = float(found.step_s[found.memory_b <= room].min()) * math.ceil((stage.samples or 0.0) / batch)
    return (
        f"a run takes {quickest / 3600.0:.1f} h at best on up to {LARGEST_COUNT} devices, and an interruption must "
        f"fit too: the deadline is {deadline / 3600.0:.1f} h"
    )


def _deadline_s(stage: Stage, horizon_s: float) -> float:
    return min(stage.deadline_s or stage.every_s or OPEN_DEADLINE_S, stage.every_s or horizon_s)


def _fed_candidates(
    network: Network, device: Device, server: Server, batch: int, precision: str, *, ready: bool
) -> Candidates | None:  # fmt: skip
    found = candidates(network, device, server, batch, precision)
    supply = host_rate_per_s(network, server, prepared=ready)
    return None if found is None else _fed(found, server, batch, supply)


def _raised(found: Candidates, batch: int) -> Candidates:
    note = f"batch raised to {batch} samples to meet the deadline: check that the model still learns as well"
    return replace(found, notes=(*found.notes, note))


def _fed(found: Candidates, server: Server, batch: int, supply_per_s: float) -> Candidates:
    """Return the layouts as they run where each server's processors feed ``supply_per_s`` samples."""
    servers = np.ceil(found.layouts.devices / server.devices)
    wait = np.asarray(starved_s(found.step_s, float(batch), supply_per_s * servers))
    step = found.step_s + wait
    parts = {**found.breakdown_s, "starved": wait}
    return replace(found, step_s=step, mfu=found.mfu * found.step_s / step, breakdown_s=parts)


def _best(
    found: Candidates, device: Device, server: Server, network: Network, steps: int, deadline_s: float
) -> list[tuple[int, Goodput]]:  # fmt: skip
    """Return (index, use of time): for each number of servers the fastest that fits in memory, undominated.

    A run must meet the deadline with the interruptions that are expected, and with one more unless that is rare.
    """
    good = np.flatnonzero((found.memory_b <= capacity_b(device)) & (found.step_s * steps <= deadline_s))
    if good.size == 0:
        return []
    servers = np.ceil(found.layouts.devices[good] / server.devices)
    order = good[np.lexsort((found.memory_b[good], found.step_s[good], servers))]
    counts = np.ceil(found.layouts.devices[order] / server.devices)
    first = order[np.flatnonzero(np.diff(counts, prepend=-1.0))]
    kept: list[tuple[int, Goodput]] = []
    fastest, cheapest = math.inf, math.inf
    for index in first.tolist():
        count = math.ceil(found.layouts.devices[index] / server.devices)
        use = _use(found, index, count, device, network, steps)
        if use.wall_s + _room_s(use) > deadline_s:
            continue
        if use.wall_s < fastest * 0.98 or use.wall_s * count < cheapest * 0.98:
            kept.append((index, use))
            fastest, cheapest = min(fastest, use.wall_s), min(cheapest, use.wall_s * count)
    return kept[:KEPT]


def _room_s(use: Goodput) -> float:
    """Return what a run keeps free before its deadline."""
    return 0.0 if -math.expm1(-use.wall_s / use.between_s) < RARE else use.one_more_s


def _use(found: Candidates, i: int, servers: int, device: Device, network: Network, steps: int) -> Goodput:
    weights = parameter_count(network) if network.layers else sample_of(network).weights
    return goodput(
        float(found.step_s[i]) * steps, int(found.layouts.devices[i]), servers, STATE_B * weights, device.kind
    )


def _option(
    stage: Stage, device: Device, server: Server, found: Candidates, i: int, use: Goodput, batch: int, period_s: float
) -> StageOption:  # fmt: skip
    at = found.layouts
    layout = Parallelism(
        data=int(at.data[i]), tensor=int(at.tensor[i]), pipeline=int(at.pipeline[i]),
        expert=int(at.expert[i]), context=int(at.context[i]),
        micro_batch=int(at.micro_batch[i]), batch=batch, zero=int(at.zero[i]),
        recompute=("none", "selective", "full")[int(at.recompute[i])], interleave=int(at.interleave[i]),
    )  # fmt: skip
    servers = math.ceil(layout.devices / server.devices)
    mfu = float(found.mfu[i])
    device_w = float(phase_power_w(device, {name: float(value[i]) for name, value in found.breakdown_s.items()}))
    # Devices that the layout leaves over, and all of them during a restart, are idle.
    working = layout.devices / (servers * server.devices) * (1.0 - use.restart_s / use.wall_s)
    mean_w = device.idle_w + (device_w - device.idle_w) * working
    steps = use.work_s / float(found.step_s[i])
    parts = {name: float(value[i]) * steps for name, value in found.breakdown_s.items()}
    parts |= {"stragglers": use.straggling_s, "checkpoint": use.dumping_s, "rework": use.rework_s}
    sharded = f"ZeRO-{layout.zero}, recompute {layout.recompute}"
    return StageOption(
        stage=stage.name, device=device.name, device_count=servers * server.devices, server=server.name,
        servers=servers, precision=found.precision, compression="none", parallelism=layout,
        throughput_per_s=(stage.samples or 0.0) / use.wall_s,
        duration_s=use.wall_s, busy_fraction=min(use.wall_s / period_s, 1.0), peak_utilisation=1.0,
        busy=busy_power(server, servers, mean_w), idle=idle_power(device, server, servers), device_w=device_w,
        mfu=mfu, memory_per_device_b=float(found.memory_b[i]), latency_p99_s=None,
        accuracy_drop=0.0 if found.precision != "fp8" else FP8_DROP,
        time_breakdown_s={**parts, "restart": use.restart_s},
        low=found.low, high=found.high,
        notes=(*found.notes, sharded, _lost(use), *_starved(found, i), *_confidence(device, server)),
        memory_parts_b={name: float(value[i]) for name, value in found.memory_parts_b.items()},
        deadline_room_s=_room_s(use),
    )  # fmt: skip


def _starved(found: Candidates, i: int) -> tuple[str, ...]:
    share = float(found.breakdown_s["starved"][i] / found.step_s[i])
    if share < STARVED_NOTE:
        return ()
    return (f"starved {100.0 * share:.0f} % of each step: the servers' processors prepare samples too slowly",)


def _lost(use: Goodput) -> str:
    return (
        f"goodput {100.0 * use.share:.1f} %: interrupted every {use.between_s / 3600.0:.0f} h, "
        f"checkpoint every {use.interval_s / 60.0:.0f} min"
    )


def _confidence(device: Device, server: Server) -> tuple[str, ...]:
    low = [each.name for each in (device, server) if each.lowest_confidence == "low"]
    return (f"catalogue rows of low confidence: {', '.join(low)}",) if low else ()
