"""Record and row work on processors: ingest and preprocessing."""

from __future__ import annotations

import math

from twinloop.catalogue.nouns import Device, Server
from twinloop.model.estimate import Parallelism, StageOption
from twinloop.model.model import Stage
from twinloop.workload.power import busy_power, device_power_w, idle_power

INGEST_B_S_PER_CORE = 120e6
"""Parse, validate, compress and write a record stream on one core. Range 50-300 MB/s, low confidence."""
ROWS_PER_S_PER_CORE = 60e3
"""Join, window and encode a wide row on one core. Range 20-200 thousand rows/s, low confidence."""
ROW_B = 500.0
"""Bytes of a row at which that rate holds; wider rows take longer in proportion. Low confidence."""
OPEN_DEADLINE_S = 86400.0
"""A single run that names no deadline has a day. Low confidence."""
LOW, HIGH = 0.5, 2.0
"""Interval on time, from those ranges."""
HEADROOM = 0.6
"""Steady streams fill at most this share of the cores."""
LOW_NOTE = "rate per core is low confidence"


def ingest_option(stage: Stage, device: Device, server: Server) -> list[StageOption]:
    """Return the one option that keeps up with the stream."""
    rate = stage.rate_b_s or 0.0
    per_server = server.cores * INGEST_B_S_PER_CORE
    servers = max(math.ceil(rate * stage.peak_to_mean / (per_server * HEADROOM)), 1)
    share = rate / (servers * per_server)
    return [_option(stage, device, server, servers, share, rate, None, 1.0, share * stage.peak_to_mean)]


def preprocess_options(stage: Stage, device: Device, server: Server, horizon_s: float) -> list[StageOption]:
    """Return options that finish a run by its deadline: just enough servers, and twice as many.

    A run that happens once is counted over ``horizon_s``.
    """
    rows, every = stage.rows or 0.0, stage.every_s or horizon_s
    deadline = min(stage.deadline_s or stage.every_s or OPEN_DEADLINE_S, every)
    per_server = server.cores * ROWS_PER_S_PER_CORE * min(ROW_B / (stage.row_b or ROW_B), 4.0)
    least = max(math.ceil(rows / (per_server * deadline * 0.9)), 1)
    options = []
    for servers in (least, 2 * least):
        duration = rows / (servers * per_server)
        options.append(_option(stage, device, server, servers, 1.0, rows / duration, duration, duration / every, 1.0))
    return options


def _option(
    stage: Stage, device: Device, server: Server, servers: int, share: float, throughput: float,
    duration: float | None, busy_fraction: float, peak: float,
) -> StageOption:  # fmt: skip
    device_w = device_power_w(device, share)
    return StageOption(
        stage=stage.name, device=device.name, device_count=servers * server.devices, server=server.name,
        servers=servers, precision="fp32", compression="none", parallelism=Parallelism(data=servers * server.devices),
        throughput_per_s=throughput, duration_s=duration, busy_fraction=busy_fraction, peak_utilisation=peak,
        busy=busy_power(server, servers, device_w, share), idle=idle_power(device, server, servers),
        device_w=device_w, mfu=None, memory_per_device_b=0.1 * server.memory_b / server.devices, latency_p99_s=None,
        accuracy_drop=0.0, time_breakdown_s={"compute": duration or 0.0}, low=LOW, high=HIGH,
        notes=(LOW_NOTE,),
    )  # fmt: skip
