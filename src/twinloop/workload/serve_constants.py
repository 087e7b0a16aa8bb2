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
from twinloop.workload.transformer import Shape

TRTLLM_HOPPER = ServeCalibration(
    gemm=0.82, gemm_8=0.658, gemm_4=0.475, half=720, attention=0.539, bandwidth=0.84, expert_bandwidth=0.638,
    cache_bandwidth=0.868, step_s=258e-6, layer_s=8.93e-6, mixture_s=124e-6, sequence_s=2.33e-6, inner=0.733,
    inner_alpha_s=12.6e-6, outer=0.6, outer_alpha_s=20e-6, imbalance=1.67, expert_8=1.66,
)  # fmt: skip
TRTLLM_BLACKWELL = ServeCalibration(
    gemm=0.68, gemm_8=0.68, gemm_4=0.493, half=1130, attention=0.577, bandwidth=0.697, expert_bandwidth=0.835,
    cache_bandwidth=0.697, step_s=680e-6, layer_s=13.7e-6, mixture_s=36e-6, sequence_s=11.9e-6, inner=0.664,
    inner_alpha_s=13.1e-6, outer=0.6, outer_alpha_s=20e-6, imbalance=2.53, expert_8=1.66,
)  # fmt: skip
TRTLLM_WORKSTATION = ServeCalibration(
    gemm=0.65, gemm_8=0.55, gemm_4=0.609, half=156, attention=0.663, bandwidth=0.84, expert_bandwidth=0.901,
    cache_bandwidth=0.877, step_s=8670e-6, layer_s=8.89e-6, mixture_s=31.8e-6, sequence_s=2.38e-6, inner=0.537,
    inner_alpha_s=10.2e-6, outer=0.6, outer_alpha_s=20e-6, imbalance=2.11, expert_8=1.1,
)  # fmt: skip
TRTLLM_ADA = replace(TRTLLM_WORKSTATION, gemm=0.6, gemm_8=0.51, half=259.0)
"""Products from measured kernels of L40S alone (:mod:`twinloop.validation.kernels`): its power
limit lets it keep two thirds of what the workstation part keeps."""
VLLM_HOPPER = ServeCalibration(
    gemm=0.806, gemm_8=0.425, gemm_4=0.475, half=57, attention=0.442, bandwidth=0.834, expert_bandwidth=0.93,
    cache_bandwidth=0.785, step_s=1490e-6, layer_s=5.44e-6, mixture_s=68.7e-6, sequence_s=53.7e-6, inner=0.431,
    inner_alpha_s=7.75e-6, outer=0.6, outer_alpha_s=20e-6, imbalance=1.81, expert_8=1.62,
)  # fmt: skip
VLLM_BLACKWELL = ServeCalibration(
    gemm=0.836, gemm_8=0.275, gemm_4=0.653, half=1000, attention=0.208, bandwidth=0.704, expert_bandwidth=0.93,
    cache_bandwidth=0.331, step_s=1850e-6, layer_s=30.3e-6, mixture_s=56.3e-6, sequence_s=30.3e-6, inner=0.786,
    inner_alpha_s=4.15e-6, outer=0.6, outer_alpha_s=20e-6, imbalance=2.85, expert_8=2.4,
)  # fmt: skip
"""A constant no row of its pool speaks of keeps its prior: 16-bit products of TensorRT-LLM and the workstation's 8-bit
experts measured kernels, ``outer`` the middle of its bounds; ``expert_8`` of TensorRT-LLM on Blackwell is Hopper's."""

BLACKWELL = ("B200", "B300", "GB200", "GB300")
WORKSTATION = ("RTX", "L40S", "L4", "L40")
ADA = ("L40S", "L4", "L40")
OPEN_STACK = ("MI250X", "MI300X", "MI325X", "MI350X", "MI355X", "Gaudi")
"""Makers whose published serving runs are vLLM's at any precision."""
USABLE_MEMORY = 0.9
"""Share of what weights and buffers leave that servers give to the cache (TensorRT-LLM's default; vLLM's is 0.9 of the
whole)."""
USABLE_SAMPLES = 0.92
"""Share of device memory that servers of whole samples give to weights and live values. Medium."""
BUFFERS_B = 4e9
"""Activations, workspace and communication buffers of a data-centre device; at most a tenth of its memory.
Range 2-8 GB, low confidence."""
LARGEST_BATCH = 2048
"""Sequences in flight on each attention rank: TensorRT-LLM's default maximum batch size."""
CLASS_INTERVAL = {
    ("trtllm", "hopper"): (0.82, 1.3), ("trtllm", "blackwell"): (0.78, 1.33), ("trtllm", "workstation"): (0.74, 1.45),
    ("vllm", "hopper"): (0.75, 1.33), ("vllm", "blackwell"): (0.6, 1.5),
}  # fmt: skip
"""About the 10th and 90th percentile of measured over predicted time, by software and class: of models left out, and of
other laboratories' rows that nothing was fitted to, which scatter twice as far. Both sources weigh the same."""
LIMITED_WIDER = (0.88, 1.3)
"""Factors on these under limits of latency: how near to them a service dares to run is the operator's choice."""
UNSEEN_INTERVAL = (0.5, 2.0)
MEASURED: dict[str, dict[str, float | None]] = {
    "trtllm": {"H100-SXM-80GB": 1.0, "H200-SXM-141GB": 1.0, "B200-SXM-180GB": 0.5, "GB200": 0.5,
               "RTX-PRO-6000-Blackwell": 0.5},
    "vllm": {"H100-SXM-80GB": None, "B200-SXM-180GB": None, "H200-SXM-141GB": None, "GB200": None},
}  # fmt: skip
"""Software -> parts with rows in its pools, or of the same die -> bytes of the products in them; ``None``: several
formats."""
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
    device: Device, linear_bytes: float, name: str | None = None, network_kind: str = "ib", *,
    shape: Shape | None = None, limited: bool = False,
) -> ServeSoftware:  # fmt: skip
    """Return the constants for ``device``; default: vLLM for 16 bits and open stacks, TensorRT-LLM below.

    A ``shape`` with parts that no row of the constants has (latent attention and recurrent layers under TensorRT-LLM)
    is extrapolated too. ``limited``: under limits of latency the interval is wider.
    """
    part = family(device)
    chosen = name or ("vllm" if linear_bytes >= 2.0 or part in OPEN_STACK else "trtllm")
    blackwell = part in BLACKWELL
    rows = MEASURED[chosen]
    if chosen == "vllm":
        calibration = VLLM_BLACKWELL if blackwell else VLLM_HOPPER
    elif part in WORKSTATION:
        calibration = TRTLLM_ADA if part in ADA else TRTLLM_WORKSTATION
    else:
        calibration = TRTLLM_BLACKWELL if blackwell else TRTLLM_HOPPER
    known = device.name in rows and rows[device.name] in (None, linear_bytes)
    if shape is not None and chosen == "trtllm":
        known = known and not (shape.latent > 0 or shape.attending < 1)
    of_class = "blackwell" if blackwell else "workstation" if part in WORKSTATION else "hopper"
    low, high = CLASS_INTERVAL[chosen, of_class] if known else UNSEEN_INTERVAL
    if limited:
        low, high = low * LIMITED_WIDER[0], high * LIMITED_WIDER[1]
    return ServeSoftware(chosen, over_network(calibration, network_kind), low, high, not known)
