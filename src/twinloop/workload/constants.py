"""Calibrated constants by software generation and device: data, with sources; no constant belongs to one row.

Fitted (bounded, prior at physical values, soft-L1 on the logarithm of time) on

- ``framework-2021``: NVIDIA DeepLearningExamples in PyTorch (19 rows of BERT, BART, Transformer and Transformer-XL on
  A100 and V100): encoders and what has one, which nobody trained with Megatron's recomputation;
- ``megatron-2022``: vTrain ground truth (VIA-Research/vTrain, MIT; 988 iterations on A100) with tables 1
  and 2 of Narayanan et al. 2021 and Korthikanti et al. 2022;
- ``fsdp-2023``: MosaicML llm-foundry benchmarks (144 rows, A100 and H100);
- ``megatron-2025``, ``megatron-2026``: NVIDIA Megatron-Bridge performance tables of releases up to 26.04,
  and from 26.06 on (112 rows, H100 to GB300, vendor-published). Attention in 2025 is held at measured kernels, 0.40 of
  peak (H100: FlashAttention-2 0.35 to 0.40, FlashAttention-3 up to 0.75; Shah et al. 2024, arXiv:2407.08608, from
  memory): each model has one length in these rows, so that they cannot tell it from products;
- ``megatron-2023``: that of 2022 with the fused attention that llm-foundry measured on A100; no row of its own.

``twinloop validate workload`` shows the errors of these constants, and those of constants fitted anew
without the model that is predicted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from twinloop.catalogue.nouns import Device
from twinloop.workload.calibration import Calibration
from twinloop.workload.decoding import ServeCalibration

MEGATRON_2022 = Calibration(
    gemm=0.793, gemm_8=0.6, gemm_4=0.5, half=95.0, flash=0.5, bandwidth=0.859, host_layer_s=1009e-6,
    host_mixture_s=2500e-6, kernel_layer_s=316e-6, inner=0.878, inner_alpha_s=38e-6, outer=0.242, outer_alpha_s=16e-6,
    tensor_overlap=0.255, data_overlap=0.267, pipeline_overlap=0.204, gradient_b=2.0, imbalance=1.5, step_s=0.0047,
)  # fmt: skip
FSDP_AMPERE = Calibration(
    gemm=0.879, gemm_8=0.6, gemm_4=0.5, half=278.0, flash=0.372, bandwidth=0.523, host_layer_s=300e-6,
    host_mixture_s=2500e-6, kernel_layer_s=97e-6, inner=0.493, inner_alpha_s=10e-6, outer=0.729, outer_alpha_s=20e-6,
    tensor_overlap=0.05, data_overlap=0.215, pipeline_overlap=0.3, gradient_b=2.0, imbalance=1.5, step_s=0.0059,
)  # fmt: skip
FSDP_HOPPER = replace(
    FSDP_AMPERE, gemm=0.724, gemm_8=0.657, half=270.0, flash=0.209, bandwidth=0.466, kernel_layer_s=135e-6,
    inner=0.566, outer=0.812, data_overlap=0.541, step_s=0.038,
)  # fmt: skip
MEGATRON_2025 = Calibration(
    gemm=0.602, gemm_8=0.752, gemm_4=0.628, half=233.0, flash=0.4, bandwidth=0.652, host_layer_s=150e-6,
    host_mixture_s=3624e-6, kernel_layer_s=309e-6, inner=0.823, inner_alpha_s=10e-6, outer=0.676, outer_alpha_s=20e-6,
    tensor_overlap=0.752, data_overlap=0.905, pipeline_overlap=0.917, gradient_b=2.0, imbalance=1.33, step_s=0.0051,
)  # fmt: skip
MEGATRON_2026 = Calibration(
    gemm=0.602, gemm_8=0.578, gemm_4=0.586, half=68.0, flash=0.601, bandwidth=0.707, host_layer_s=150e-6,
    host_mixture_s=900e-6, kernel_layer_s=65e-6, inner=0.852, inner_alpha_s=10e-6, outer=0.746, outer_alpha_s=20e-6,
    tensor_overlap=0.412, data_overlap=0.756, pipeline_overlap=0.937, gradient_b=2.0, imbalance=1.3, step_s=0.0058,
)  # fmt: skip
"""No row of this generation reduces gradients over the network for more than a tenth of its step: ``outer`` has its
prior where llm-foundry measured it on the same fabric (0.758, reductions up to a quarter of the step), and
``data_overlap`` is held with it. ``tensor_overlap`` too: a dozen distinct recipes cannot tell it from products. No
recipe has layers at 16 bits: ``gemm`` is that of 2025."""

FRAMEWORK_2021 = replace(FSDP_AMPERE, gemm=0.689, bandwidth=0.779, step_s=0.0385)
"""Examples of frameworks without Megatron's kernels, in automatic mixed precision: a step ends with clipping, scaling
and an optimizer that are launched weight by weight. Three constants fitted, the others as llm-foundry measured them."""

RATE_OF_PEAK: dict[str, dict[str, float]] = {
    "framework-2021": {"A100": 1.0, "V100": 1.0},
    "megatron-2022": {"A100": 1.0},
    "megatron-2023": {},
    "fsdp-2023": {"A100": 1.0, "H100": 1.0},
    "megatron-2025": {"H100": 1.027, "B200": 0.928, "B300": 1.037, "GB200": 0.888, "GB300": 1.058},
    "megatron-2026": {"H100": 1.049, "B200": 0.95, "B300": 0.996, "GB200": 0.923, "GB300": 1.093},
}
"""Factor of a device family on the shares of peak: power limit and clock under load. Fitted, prior ± 8 %."""

SAME_DIE = {"H200": "H100", "H800": "H100", "GH200": "H100"}
"""Family -> the measured one whose die and power it has: the same factor, another memory or link."""

GENERATIONS: dict[str, tuple[int, Calibration]] = {
    "framework-2021": (0, FRAMEWORK_2021),
    "megatron-2022": (202201, MEGATRON_2022),
    "megatron-2023": (202306, replace(MEGATRON_2022, flash=FSDP_AMPERE.flash)),
    "fsdp-2023": (202306, FSDP_HOPPER),
    "megatron-2025": (202507, MEGATRON_2025),
    "megatron-2026": (202605, MEGATRON_2026),
}
"""Name -> (first month it stands for, 0 where no date does; constants)."""
RECENT = ("megatron-2025", "megatron-2026")
"""With schedules, gradients and counts of operations as NVIDIA's recipes have them since 2025."""
OLD_PARTS = ("A100", "A30", "A10", "V100", "T4")
"""Ampere and older: their measurements are of 2021-2023 software."""
INTERVAL: dict[str, tuple[float, float]] = {
    "framework-2021": (0.90, 1.12),
    "megatron-2022": (0.87, 1.15),
    "megatron-2023": (0.80, 1.25),
    "fsdp-2023": (0.91, 1.10),
    "megatron-2025": (0.84, 1.22),
    "megatron-2026": (0.90, 1.09),
}
"""About the 10th and 90th percentile of measured over predicted time on left-out models."""
UNSEEN_INTERVAL = (0.65, 1.55)
"""Same for devices with no measured row: class defaults. Low confidence."""

NETWORK_KINDS: dict[str, tuple[float, float]] = {
    "ib": (1.0, 1.0),
    "roce": (0.9, 1.3),
    "tcp": (0.6, 8.0),
    "torus": (0.95, 0.5),
}
"""Factor on (network share, start-up time) against InfiniBand. RoCE and TCP from memory, low confidence."""

Linked = TypeVar("Linked", Calibration, ServeCalibration)


def over_network(c: Linked, kind: str) -> Linked:
    """Return constants measured over InfiniBand as they are over a network of ``kind``."""
    share, start = NETWORK_KINDS[kind]
    return replace(c, outer=c.outer * share, outer_alpha_s=c.outer_alpha_s * start)


@dataclass(frozen=True)
class Software:
    """Constants chosen for a run and how far they can be trusted."""

    name: str
    calibration: Calibration
    low: float
    high: float
    extrapolated: bool
    """The device has no measured row under this generation."""


def family(device: Device) -> str:
    """Return the part number without its form: ``H100-SXM-80GB`` -> ``H100``."""
    return device.name.split("-")[0]


def default_generation(device: Device, *, sharded: bool, decoder: bool = True) -> str:
    """Return the generation whose measurements are nearest: by age of the part, by ZeRO-2/3 or not, by the model."""
    if family(device) in OLD_PARTS:
        return "fsdp-2023" if sharded else "megatron-2022" if decoder else "framework-2021"
    return "fsdp-2023" if sharded and family(device) in ("H100", "H200", "H800") else "megatron-2026"


def generations_for(device: Device, *, sharded: bool, decoder: bool = True) -> tuple[str, ...]:
    """Return the generations whose measurements speak of ``device`` and of this way to train, oldest first."""
    first = default_generation(device, sharded=sharded, decoder=decoder)
    if family(device) in OLD_PARTS:
        return (first, "megatron-2023") if first == "megatron-2022" else (first,)
    return (*((first,) if first == "fsdp-2023" else ()), "megatron-2025", "megatron-2026")


def generation_of(text: str, device: Device, *, sharded: bool = False, decoder: bool = True) -> str | None:
    """Return the generation that a name or a ``YYYY.MM`` date stands for, ``None`` when unknown.

    A date takes the newest of its day among those measured on such a device and for such a layout; where all of them
    are later, the oldest: what was measured of sharded data parallelism says nothing of a pipeline.

    >>> from twinloop import catalogue
    >>> h100 = catalogue.device("H100")
    >>> generation_of("2024.06", h100), generation_of("2024.06", h100, sharded=True), generation_of("llm-foundry", h100)
    ('megatron-2025', 'fsdp-2023', 'fsdp-2023')
    """
    plain = text.lower().replace(" ", "-").replace("_", "-")
    for name in GENERATIONS:
        if plain in (name, name.replace("-", "")):
            return name
    if plain in ("fsdp", "llm-foundry", "mosaic", "composer"):
        return "fsdp-2023"
    if plain in ("framework", "pytorch", "deeplearningexamples"):
        return "framework-2021"
    if plain in ("megatron", "megatron-bridge", "nemo", "latest"):
        return "megatron-2026"
    parts = plain.split(".")
    if len(parts) == 2 and all(part.isdigit() for part in parts):
        year = int(parts[0]) + (2000 if int(parts[0]) < 100 else 0)
        date = 100 * year + int(parts[1])
        measured = generations_for(device, sharded=sharded, decoder=decoder)
        older = [name for name in measured if GENERATIONS[name][0] <= date]
        return older[-1] if older else measured[0]
    return None


def rate_of(generation: str, name: str) -> float:
    """Return the factor on the shares of peak of a device family: its own, or that of the same die, else 1.

    >>> rate_of("megatron-2026", "H200") == rate_of("megatron-2026", "H100"), rate_of("megatron-2026", "MI300X")
    (True, 1.0)
    """
    rates = RATE_OF_PEAK[generation]
    return rates.get(name, rates.get(SAME_DIE.get(name, ""), 1.0))


def software(device: Device, *, sharded: bool = False, name: str | None = None, decoder: bool = True) -> Software:
    """Return the constants for ``device``; ``name`` is a generation (see :func:`generation_of`)."""
    generation = name or default_generation(device, sharded=sharded, decoder=decoder)
    calibration = GENERATIONS[generation][1]
    if generation == "fsdp-2023" and family(device) in OLD_PARTS:
        calibration = FSDP_AMPERE
    rates = RATE_OF_PEAK[generation]
    known = family(device) in rates
    rate = rate_of(generation, family(device))
    calibration = replace(
        calibration, gemm=calibration.gemm * rate, gemm_8=calibration.gemm_8 * rate, gemm_4=calibration.gemm_4 * rate,
        flash=calibration.flash * rate,
    )  # fmt: skip
    low, high = INTERVAL[generation] if known else UNSEEN_INTERVAL
    return Software(generation, calibration, low, high, not known)
