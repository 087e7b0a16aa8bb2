"""Calibrated constants of serving, by software and class of device: data, with sources.

Fitted by :mod:`twinloop.validation.serve_fitting` (bounded, prior in the middle of the bounds or, for the products of
TensorRT-LLM, at measured kernels; soft-L1) on

- ``trtllm``: TensorRT-LLM's published maximum throughput (NVIDIA/TensorRT-LLM
  docs/source/performance/perf-overview.md, 237 rows; Apache-2.0), table ``serving_rates``;
- ``vllm``: 328 text runs of a public energy benchmark on H100 and B200 with measured batch (coefficients only;
  its prompt lengths are not published and were taken as 150 and 200 tokens).

``twinloop validate workload`` fits the first anew without the model it predicts; with ``--cases`` the second too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinloop.catalogue.nouns import Device
from twinloop.workload.constants import family, over_network
from twinloop.workload.decoding import ServeCalibration

TRTLLM_HOPPER = ServeCalibration(
    gemm=0.78, gemm_8=0.546, gemm_4=0.475, half=110.0, attention=0.46, bandwidth=0.729, expert_bandwidth=0.551,
    cache_bandwidth=0.807, step_s=478e-6, layer_s=21.9e-6, mixture_s=8.56e-6, sequence_s=0.778e-6, inner=0.859,
    inner_alpha_s=7.42e-6, outer=0.6, outer_alpha_s=20e-6, imbalance=1.47, expert_8=1.58,
)  # fmt: skip
TRTLLM_BLACKWELL = ServeCalibration(
    gemm=0.65, gemm_8=0.645, gemm_4=0.478, half=1020.0, attention=0.539, bandwidth=0.68, expert_bandwidth=0.671,
    cache_bandwidth=0.617, step_s=570e-6, layer_s=17.4e-6, mixture_s=10.2e-6, sequence_s=11.7e-6, inner=0.696,
    inner_alpha_s=13.2e-6, outer=0.6, outer_alpha_s=20e-6, imbalance=2.51, expert_8=1.58,
)  # fmt: skip
TRTLLM_WORKSTATION = ServeCalibration(
    gemm=0.65, gemm_8=0.55, gemm_4=0.541, half=16.1, attention=0.633, bandwidth=0.784, expert_bandwidth=0.674,
    cache_bandwidth=0.89, step_s=9920e-6, layer_s=7.55e-6, mixture_s=6.43e-6, sequence_s=0.541e-6, inner=0.925,
    inner_alpha_s=3.18e-6, outer=0.6, outer_alpha_s=20e-6, imbalance=2.16, expert_8=1.58,
)  # fmt: skip
TRTLLM_ADA = replace(TRTLLM_WORKSTATION, gemm=0.57, gemm_8=0.49, half=229.0)
"""Products from measured kernels of L40S alone (:mod:`twinloop.validation.kernels`): its power
limit lets it keep two thirds of what the workstation part keeps."""
VLLM_HOPPER = ServeCalibration(
    gemm=0.807, gemm_8=0.45, gemm_4=0.475, half=52.2, attention=0.424, bandwidth=0.844, expert_bandwidth=0.857,
    cache_bandwidth=0.735, step_s=1810e-6, layer_s=4.85e-6, mixture_s=38.8e-6, sequence_s=55.9e-6, inner=0.313,
    inner_alpha_s=8.33e-6, outer=0.6, outer_alpha_s=20e-6, imbalance=1.42, expert_8=1.58,
)  # fmt: skip
VLLM_BLACKWELL = ServeCalibration(
    gemm=0.835, gemm_8=0.266, gemm_4=0.658, half=1050.0, attention=0.395, bandwidth=0.768, expert_bandwidth=0.892,
    cache_bandwidth=0.31, step_s=1750e-6, layer_s=60.3e-6, mixture_s=18.4e-6, sequence_s=31.7e-6, inner=0.716,
    inner_alpha_s=3.68e-6, outer=0.6, outer_alpha_s=20e-6, imbalance=2.88, expert_8=2.55,
)  # fmt: skip
"""A constant no row of its pool speaks of keeps its prior: 16-bit products of TensorRT-LLM measured kernels, ``outer``
the middle of its bounds; ``expert_8`` then is Hopper's."""

BLACKWELL = ("B200", "B300", "GB200", "GB300")
WORKSTATION = ("RTX", "L40S", "L4", "L40")
ADA = ("L40S", "L4", "L40")
OPEN_STACK = ("MI250X", "MI300X", "MI325X", "MI350X", "MI355X", "Gaudi")
"""Makers whose published serving runs are vLLM's at any precision."""
USABLE_MEMORY = 0.92
"""Share of device memory that servers give to weights and cache (vLLM default 0.9, TensorRT-LLM 0.9 of the
rest)."""
BUFFERS_B = 4e9
"""Activations, workspace and communication buffers of a data-centre device; at most a tenth of its memory.
Range 2-8 GB, low confidence."""
LARGEST_BATCH = 2048
"""Sequences in flight: TensorRT-LLM's default maximum batch size."""
CLASS_INTERVAL = {
    ("trtllm", "hopper"): (0.72, 1.28), ("trtllm", "blackwell"): (0.85, 1.25), ("trtllm", "workstation"): (0.57, 1.4),
    ("vllm", "hopper"): (0.8, 1.35), ("vllm", "blackwell"): (0.7, 1.6),
}  # fmt: skip
"""About the 10th and 90th percentile of measured over predicted time on left-out models, by software and class."""
UNSEEN_INTERVAL = (0.5, 2.0)
SOFTWARE = ("trtllm", "vllm")


def buffers_b(device: Device) -> float:
    """Return what activations, workspace and communication take of one device's memory."""
    return min(BUFFERS_B, 0.1 * device.memory_b)


@dataclass(frozen=True)
class ServeSoftware:
    """Constants chosen for serving."""

    name: str
    calibration: ServeCalibration
    low: float
    high: float
    extrapolated: bool


def serve_software(
    device: Device, linear_bytes: float, name: str | None = None, network_kind: str = "ib"
) -> ServeSoftware:
    """Return the constants for ``device``; default: vLLM for 16 bits and open stacks, TensorRT-LLM below."""
    part = family(device)
    chosen = name or ("vllm" if linear_bytes >= 2.0 or part in OPEN_STACK else "trtllm")
    blackwell = part in BLACKWELL
    if chosen == "vllm":
        calibration = VLLM_BLACKWELL if blackwell else VLLM_HOPPER
        known = part in ("H100", "H200", "B200", "GB200")
    elif part in WORKSTATION:
        calibration = TRTLLM_ADA if part in ADA else TRTLLM_WORKSTATION
        known = device.name.startswith("RTX-PRO")
    else:
        calibration = TRTLLM_BLACKWELL if blackwell else TRTLLM_HOPPER
        known = part in ("H100", "H200") or (part in ("B200", "GB200") and linear_bytes < 1.0)
    of_class = "blackwell" if blackwell else "workstation" if part in WORKSTATION else "hopper"
    low, high = CLASS_INTERVAL[chosen, of_class] if known else UNSEEN_INTERVAL
    return ServeSoftware(chosen, over_network(calibration, network_kind), low, high, not known)
