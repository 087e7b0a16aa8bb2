"""Calibrated constants of serving, by software and class of device: data, with sources.

Fitted as in ``constants`` on TensorRT-LLM's published maximum throughput (NVIDIA/TensorRT-LLM
docs/source/performance/perf-overview.md, 237 rows; left-out models: Hopper 8-bit 22 %, Blackwell 4-bit
15 %, workstation Blackwell 23 %) and on vLLM at 16 bits with measured batch (299 runs on H100 and B200 of a
public energy benchmark, coefficients only; left-out models: 18 % and 27 %).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinloop.catalogue.nouns import Device
from twinloop.workload.constants import family
from twinloop.workload.decoding import ServeCalibration

TRTLLM_HOPPER = ServeCalibration(
    gemm=0.65, gemm_8=0.597, gemm_4=0.40, half=89.0, attention=0.368, bandwidth=0.584, cache_bandwidth=0.806,
    step_s=1064e-6, layer_s=9.8e-6, sequence_s=5.9e-6, inner=0.714, inner_alpha_s=8.1e-6, outer=0.60,
    outer_alpha_s=20e-6, imbalance=1.415,
)  # fmt: skip
TRTLLM_BLACKWELL = replace(
    TRTLLM_HOPPER, gemm_8=0.55, gemm_4=0.460, half=521.0, attention=0.407, bandwidth=0.754, cache_bandwidth=0.651,
    step_s=1622e-6, layer_s=14.3e-6, sequence_s=15.1e-6, inner=0.626, inner_alpha_s=9.7e-6, imbalance=2.03,
)  # fmt: skip
TRTLLM_WORKSTATION = replace(
    TRTLLM_HOPPER, gemm_8=0.55, gemm_4=0.536, half=51.0, attention=0.532, bandwidth=0.763, cache_bandwidth=0.845,
    step_s=9020e-6, layer_s=11.5e-6, sequence_s=1.0e-6, inner=0.90, inner_alpha_s=4.4e-6, imbalance=1.397,
)  # fmt: skip
VLLM_HOPPER = ServeCalibration(
    gemm=0.756, gemm_8=0.512, gemm_4=0.40, half=101.0, attention=0.351, bandwidth=0.852, cache_bandwidth=0.767,
    step_s=1728e-6, layer_s=17.7e-6, sequence_s=50e-6, inner=0.704, inner_alpha_s=10e-6, outer=0.60,
    outer_alpha_s=20e-6, imbalance=1.154,
)  # fmt: skip
VLLM_BLACKWELL = replace(
    VLLM_HOPPER, gemm=0.781, gemm_8=0.363, half=647.0, attention=0.353, bandwidth=0.637, cache_bandwidth=0.361,
    step_s=2370e-6, layer_s=28.6e-6, sequence_s=11.9e-6, inner=0.795, inner_alpha_s=6.9e-6, imbalance=2.72,
)  # fmt: skip

BLACKWELL = ("B200", "B300", "GB200", "GB300")
WORKSTATION = ("RTX", "L40S", "L4", "L40")
USABLE_MEMORY = 0.92
"""Share of device memory that servers give to weights and cache (vLLM default 0.9, TensorRT-LLM 0.9 of the
rest)."""
BUFFERS_B = 4e9
"""Activations, workspace and communication buffers of a data-centre device; at most a tenth of its memory.
Range 2-8 GB, low confidence."""
LARGEST_BATCH = 2048
"""Sequences in flight: TensorRT-LLM's default maximum batch size."""
CLASS_INTERVAL = {"trtllm": (0.75, 1.35), "vllm": (0.75, 1.4)}
"""About the 10th and 90th percentile of measured over predicted time on left-out models."""
UNSEEN_INTERVAL = (0.5, 2.0)
SOFTWARE = ("trtllm", "vllm")


@dataclass(frozen=True)
class ServeSoftware:
    """Constants chosen for serving."""

    name: str
    calibration: ServeCalibration
    low: float
    high: float
    extrapolated: bool


def serve_software(device: Device, linear_bytes: float, name: str | None = None) -> ServeSoftware:
    """Return the constants for ``device``; default: vLLM for 16 bits, TensorRT-LLM below."""
    chosen = name or ("vllm" if linear_bytes >= 2.0 else "trtllm")
    part = family(device)
    blackwell = part in BLACKWELL
    if chosen == "vllm":
        calibration = VLLM_BLACKWELL if blackwell else VLLM_HOPPER
        known = part in ("H100", "H200", "B200", "GB200")
    elif part in WORKSTATION:
        calibration, known = TRTLLM_WORKSTATION, device.name.startswith("RTX-PRO")
    else:
        calibration = TRTLLM_BLACKWELL if blackwell else TRTLLM_HOPPER
        known = part in ("H100", "H200") or (part in ("B200", "GB200") and linear_bytes < 1.0)
    low, high = CLASS_INTERVAL[chosen] if known else UNSEEN_INTERVAL
    return ServeSoftware(chosen, calibration, low, high, not known)
