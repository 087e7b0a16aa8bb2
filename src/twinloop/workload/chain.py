"""What one link of a chain hands the next: an accelerator waits for whoever prepares its samples.

A chain delivers at the rate of its slowest link; the others stand idle for the rest of the time (Mohan et al. 2021,
Analyzing and mitigating data stalls in DNN training, doi:10.14778/3446095.3446100).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.catalogue.nouns import Server
from twinloop.model.model import Stage
from twinloop.model.network import Network
from twinloop.workload.transformer import TRANSFORMERS

RAW_PER_CORE_S: dict[str, float] = {"convnet": 250.0, "diffusion": 250.0, "recommender": 60e3, "graph": 20e3}
"""Samples that one core decodes, resizes and augments, or encodes from raw rows. Images: 735 MB/s of 115 kB files on 24
cores (Mohan et al. 2021, from memory), range 100-400; the others low confidence."""
TOKENS_PER_CORE_S = 0.5e6
"""Text that one core turns into tokens. Range 0.2-2 million, low confidence."""
READY_PER_CORE_S = 40.0
"""Times as many samples per core where a stage before has prepared them and the host only reads and packs them. Low
confidence."""
HOST_SHARE = 0.8
"""Cores left for loading; the rest launch kernels and serve the network."""


def host_rate_per_s(network: Network, server: Server, *, prepared: bool) -> float:
    """Return samples a second that one server's processors can feed its accelerators; infinite where unknown."""
    per_core = RAW_PER_CORE_S.get(network.kind)
    if network.kind in TRANSFORMERS and network.context:
        per_core = TOKENS_PER_CORE_S / network.context
    if per_core is None:
        return math.inf
    return server.cores * HOST_SHARE * per_core * (READY_PER_CORE_S if prepared else 1.0)


def prepared(stage: Stage, stages: Sequence[Stage]) -> bool:
    """Return whether a preprocessing stage comes anywhere before ``stage``."""
    by_name = {each.name: each for each in stages}
    before = [by_name[name] for name in stage.after if name in by_name]
    return any(each.kind == "preprocess" or prepared(each, stages) for each in before)


def starved_s(step_s: Array, batch: Array, supply_per_s: Array) -> Array:
    """Return how long a step waits for its samples: nothing while the next batch is ready before it ends.

    >>> float(starved_s(0.5, 1000.0, 1000.0)), float(starved_s(2.0, 1000.0, 1000.0))
    (0.5, 0.0)
    """
    xp = namespace(step_s, batch, supply_per_s)
    return xp.maximum(batch / supply_per_s - step_s, 0.0)


@dataclass(frozen=True)
class Link:
    """One stage of a chain that runs as fast as its slowest stage lets it."""

    stage: str
    limited_by: str
    """The slowest stage of its chain."""
    working: float
    """Share of the time that it works; the rest it waits for the slowest one, its devices idle."""
    interval_s: float
    """Between two finished passes of the chain."""


def plan_chains(durations_s: Mapping[str, float], stages: Sequence[Stage]) -> tuple[Link, ...]:
    """Return every stage of a plan in its chain, run back to back: while one trains the next data are prepared.

    Args:
        durations_s: stage -> seconds of one pass (``StageOption.duration_s``); stages without one run for themselves.
        stages: the scenario's, which say who reads from whom.
    """
    chains: list[set[str]] = []
    for stage in stages:
        if stage.name not in durations_s:
            continue
        joined = {stage.name, *(name for name in stage.after if name in durations_s)}
        touching = [chain for chain in chains if chain & joined]
        chains = [chain for chain in chains if not chain & joined] + [joined.union(*touching)]
    links: dict[str, Link] = {}
    for chain in chains:
        name, working = slowest({each: 1.0 / durations_s[each] for each in sorted(chain)})
        links |= {each: Link(each, name, share, durations_s[name]) for each, share in working.items()}
    return tuple(links[stage.name] for stage in stages if stage.name in links)


def slowest(rates_per_s: dict[str, float]) -> tuple[str, dict[str, float]]:
    """Return the link that limits a chain and the share of time that each link works, all in one unit.

    >>> slowest({"read": 400.0, "decode": 100.0, "train": 250.0})
    ('decode', {'read': 0.25, 'decode': 1.0, 'train': 0.4})
    """
    name = min(rates_per_s, key=lambda each: rates_per_s[each])
    return name, {each: rates_per_s[name] / rate for each, rate in rates_per_s.items()}
