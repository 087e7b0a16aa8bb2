"""Experts, cached attention and collectives against measured kernels of a user-installed ``aiconfigurator-core``.

Each formula is one term of a serving step (:mod:`twinloop.workload.decoding`) and a fixed time; only its coefficients
are kept, in ``serve_fitting.KERNELS`` where they predict left-out models better than the middle of the bounds.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twinloop import catalogue
from twinloop.arrays import FloatArray
from twinloop.validation.fitting import minimised
from twinloop.validation.kernels import LIMIT, PACKAGE, SYSTEMS, validate_kernels
from twinloop.validation.result import Result
from twinloop.workload.decoding import SMOOTH

EXPERTS = {
    "bfloat16": ("bf16", 2.0), "fp8": ("fp8", 1.0), "fp8_block": ("fp8", 1.0), "nvfp4": ("fp4", 0.5625),
    "w4a8_mxfp4_mxfp8": ("fp8", 0.53),
}  # fmt: skip
"""Formats of the package -> (peak, bytes of a stored weight)."""
ROUTED = "power_law_1.01"
"""How tokens are spread over experts: as routers do, not evenly."""
NARROWEST = 256
"""Least width of an expert's shard."""
LONGEST_FIXED_S = 200e-6
QUICK_S = 20e-6
FEWEST = 60

Table = dict[str, FloatArray]


@dataclass(frozen=True)
class Part:
    """Coefficients of one term."""

    first: float
    """Share of peak (experts), of memory bandwidth (cache) or of links (collectives)."""
    second: float
    """Share of memory bandwidth (experts); 1 where the term has none."""
    fixed_s: float
    error: float
    """Mean, weighted by length up to QUICK_S."""
    shapes: int


def validate_kernel_tables(cases: Path | None = None) -> tuple[Result, ...]:
    """Return the error of each formula by device and format: products, then the other terms."""
    results = [*validate_kernels(cases)]
    for system, name in SYSTEMS.items():
        found = {f"experts at {kind}": experts(system, kind) for kind in EXPERTS}
        found |= {f"cache at {kind}": cache(system, kind) for kind in ("bfloat16", "fp8")}
        found["all-reduce"] = reductions(system)
        for what, part in found.items():
            if part is None:
                continue
            told = f"shares {part.first:.2f} and {part.second:.2f}, fixed {1e6 * part.fixed_s:.0f} µs"
            results.append(
                Result(
                    case=f"kernels: {what} on {name} (n={part.shapes})", quantity=f"mean absolute error; {told}",
                    unit="%", expected=0.0, got=100.0 * part.error, tolerance=LIMIT,
                    source="aiconfigurator-core, systems/data/*/{moe,attention,comm} (Apache-2.0)", kind="soft",
                )
            )  # fmt: skip
    return tuple(results)


def experts(system: str, kind: str, software: str = "vllm") -> Part | None:
    """Return ``(a^x + s^x)^(1/x) + t₀``: a of 6 h f operations a token and expert, s of the experts touched."""
    table = _table(system, "moe", software, "moe_perf")
    device, (peak, stored) = catalogue.device(SYSTEMS[system]), EXPERTS[kind]
    if table is None or peak not in device.flops:
        return None
    width = table["inter_size"] / table["moe_tp_size"]
    chosen = (table["moe_dtype"] == kind) & (table["moe_ep_size"] == 1) & (table["distribution"] == ROUTED)
    chosen &= (width >= NARROWEST) & (table["latency"] > 0.0)
    if chosen.sum() < FEWEST:
        return None
    tokens, top, count = (table[name][chosen].astype(float) for name in ("num_tokens", "topk", "num_experts"))
    weights = 3.0 * table["hidden_size"][chosen] * width[chosen]
    touched = count * (1.0 - (1.0 - top / count) ** tokens)
    arithmetic = 2.0 * tokens * top * weights / device.flops[peak]
    stream = touched * weights * stored / device.memory_bandwidth_b_s

    def seconds(x: FloatArray) -> FloatArray:
        first, second = (arithmetic / _share(x[0])) ** SMOOTH, (stream / _share(x[1])) ** SMOOTH
        return np.asarray((first + second) ** (1.0 / SMOOTH) + LONGEST_FIXED_S * _share(x[2]))

    return _fitted(seconds, table["latency"][chosen] * 1e-3, 2)


def cache(system: str, kind: str, software: str = "vllm") -> Part | None:
    """Return ``2 b k d L · bytes/(bandwidth · share) + t₀`` of decoding: grouped heads, whole context."""
    table = _table(system, "attention", software, "generation_attention_perf")
    if table is None:
        return None
    heads = table["num_key_value_heads"]
    chosen = (table["window_size"] == 0) & (table["kv_cache_dtype"] == kind) & (table["head_dim"] >= 128)
    chosen &= (table["num_heads"] >= 4 * heads) & (table["latency"] > 0.0)
    if chosen.sum() < FEWEST:
        return None
    size = 2.0 * (2.0 if kind == "bfloat16" else 1.0) * table["batch_size"] * heads * table["head_dim"]
    moved = (size * (table["step"] + 1.0))[chosen] / catalogue.device(SYSTEMS[system]).memory_bandwidth_b_s

    def seconds(x: FloatArray) -> FloatArray:
        return np.asarray(moved / _share(x[0]) + LONGEST_FIXED_S * _share(x[1]))

    return _fitted(seconds, table["latency"][chosen] * 1e-3, 1)


def reductions(system: str, software: str = "vllm") -> Part | None:
    """Return ``2 (n − 1)/n · bytes/(link · share) + t₀`` of all-reduces of 16-bit values inside a server."""
    table = _table(system, "comm", software, "custom_allreduce_perf")
    device = catalogue.device(SYSTEMS[system])
    if table is None or not device.scale_up_b_s:
        return None
    chosen = np.array(["eager" not in str(kind) for kind in table["kernel_source"]])
    ranks = table["num_gpus"][chosen].astype(float)
    moved = 2.0 * table["message_size"][chosen] * 2.0 * (ranks - 1.0) / ranks / device.scale_up_b_s

    def seconds(x: FloatArray) -> FloatArray:
        return np.asarray(moved / _share(x[0]) + LONGEST_FIXED_S * _share(x[1]))

    return _fitted(seconds, table["latency"][chosen] * 1e-3, 1)


def _fitted(seconds: Callable[[FloatArray], FloatArray], measured: FloatArray, shares: int) -> Part:
    weight = np.sqrt(np.minimum(measured / QUICK_S, 1.0))

    def error(x: FloatArray) -> FloatArray:
        return np.asarray(np.log(seconds(x) / measured))

    x = minimised(lambda x: np.concatenate([weight * error(x), 0.1 * x]), np.zeros(shares + 1))
    missed = float(np.average(np.abs(np.expm1(error(x))), weights=weight**2))
    second = float(_share(x[1])) if shares > 1 else 1.0
    return Part(float(_share(x[0])), second, LONGEST_FIXED_S * float(_share(x[-1])), missed, len(measured))


def _share(x: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


def _table(system: str, folder: str, software: str, name: str) -> Table | None:
    """Return the newest table of this name, by column."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    data = Path(spec.origin).parent / "systems" / "data"
    tables = sorted((data / system / folder / software).glob(f"*/{name}.parquet"))
    if not tables:
        return None
    import pyarrow.parquet as parquet

    table = parquet.read_table(tables[-1])
    return {column: np.array(table[column].to_pylist()) for column in table.column_names}
