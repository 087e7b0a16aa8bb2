"""The formula of a matrix product against measured kernels of a user-installed ``aiconfigurator-core``.

The package (Apache-2.0) carries some million timings; nothing of it is kept here but what the formula needs: a share of
peak, the width at which a product is half as fast, a share of bandwidth and a fixed time. ``serve_fitting.KERNELS`` are
such coefficients. Without the package there is nothing to show.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twinloop import catalogue
from twinloop.arrays import FloatArray
from twinloop.validation.fitting import minimised
from twinloop.validation.result import Result
from twinloop.workload.decoding import SMOOTH

PACKAGE = "aiconfigurator_core"
SYSTEMS = {
    "h100_sxm": "H100", "h200_sxm": "H200", "b200_sxm": "B200", "gb200": "GB200", "l40s": "L40S",
    "rtx_pro_6000_server": "RTX-PRO-6000-Blackwell",
}  # fmt: skip
"""Folder of the package -> catalogue device."""
FORMATS = {"bfloat16": ("bf16", 2.0), "fp8": ("fp8", 1.0), "fp8_block": ("fp8", 1.0), "nvfp4": ("fp4", 0.5625)}
"""Its formats -> (peak, bytes of a stored weight)."""
SHORTEST = 512
"""Least width and depth of a product that counts: a model's are no smaller."""
SAMPLED = 4000
QUICK_S = 20e-6
"""Products shorter than this count by their share of it: what launches them is not theirs."""
LIMIT = 30.0
"""Mean error of four numbers over all shapes, %."""


@dataclass(frozen=True)
class Products:
    """What the formula makes of one device, software and format."""

    share: float
    half: float
    bandwidth: float
    fixed_s: float
    error: float
    """Mean, weighted as fitted."""
    shapes: int


def validate_kernels(cases: Path | None = None) -> tuple[Result, ...]:  # noqa: ARG001  # one signature for all
    """Return the error of the formula of a product, by device and format of TensorRT-LLM's kernels."""
    results = []
    for system, name in SYSTEMS.items():
        for kind in FORMATS:
            found = products(system, kind)
            if found is None:
                continue
            told = f"share {found.share:.2f}, half {found.half:.0f}, bandwidth {found.bandwidth:.2f}"
            results.append(
                Result(
                    case=f"kernels: products on {name} at {kind} (n={found.shapes})",
                    quantity=f"mean absolute error; {told}", unit="%", expected=0.0, got=100.0 * found.error,
                    tolerance=LIMIT, source="aiconfigurator-core, systems/data/*/gemm (Apache-2.0)", kind="soft",
                )
            )  # fmt: skip
    return tuple(results)


def products(system: str, kind: str, software: str = "trtllm") -> Products | None:
    """Return the coefficients of ``system`` at ``kind``; ``None`` without the package or such kernels.

    Fitted is ``(a^x + s^x)^(1/x) + t₀``, x the exponent of a step's overlap, with
    ``a = 2mnk/(peak · share) · (1 + half (1/n + 1/k))`` and
    ``s = nk · bytes/(bandwidth · share)``, as :mod:`twinloop.workload.decoding` adds them up.
    """
    rows = _kernels(system, kind, software)
    if rows is None:
        return None
    m, n, k, seconds = rows
    device = catalogue.device(SYSTEMS[system])
    peak, stored = device.flops[FORMATS[kind][0]], FORMATS[kind][1]
    weight = np.sqrt(np.minimum(seconds / QUICK_S, 1.0))

    def error(x: FloatArray) -> FloatArray:
        share, half, bandwidth, fixed = _values(x)
        arithmetic = 2.0 * m * n * k / (peak * share) * (1.0 + half * (1.0 / n + 1.0 / k))
        stream = n * k * stored / (device.memory_bandwidth_b_s * bandwidth)
        return np.asarray(np.log(((arithmetic**SMOOTH + stream**SMOOTH) ** (1.0 / SMOOTH) + fixed) / seconds))

    x = minimised(lambda x: np.concatenate([weight * error(x), 0.1 * x]), np.zeros(4))
    missed = float(np.average(np.abs(np.expm1(error(x))), weights=weight**2))
    return Products(*_values(x), missed, len(seconds))


def _values(x: FloatArray) -> tuple[float, float, float, float]:
    """Return (share, half, bandwidth, fixed seconds) at free numbers ``x``, each inside what its name allows."""
    at = 1.0 / (1.0 + np.exp(-x))
    return 0.95 * float(at[0]), 2000.0 * float(at[1]), 0.95 * float(at[2]), 40e-6 * float(at[3])


def _kernels(system: str, kind: str, software: str) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray] | None:
    """Return (m, n, k, seconds) of an even sample of the newest table."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    tables = sorted((Path(spec.origin).parent / "systems" / "data" / system / "gemm" / software).glob("*/*.parquet"))
    if not tables:
        return None
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    table = parquet.read_table(tables[-1], columns=["gemm_dtype", "m", "n", "k", "latency"])
    table = table.filter(compute.equal(table["gemm_dtype"], kind))
    m, n, k, ms = (np.asarray(table[name], dtype=np.float64) for name in ("m", "n", "k", "latency"))
    good = np.flatnonzero((n >= SHORTEST) & (k >= SHORTEST) & (ms > 0.0))
    if not good.size:
        return None
    good = good[:: max(good.size // SAMPLED, 1)]
    return m[good], n[good], k[good], ms[good] * 1e-3
