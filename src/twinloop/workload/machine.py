"""Catalogue devices and servers as the formulas see them."""

from __future__ import annotations

from twinloop import catalogue
from twinloop.catalogue.nouns import Device, Server
from twinloop.errors import Fault, InputError
from twinloop.power.operating_point import CLOCK_EXPONENT
from twinloop.workload.constants import family
from twinloop.workload.decoding import ServeMachine
from twinloop.workload.memory import capacity_b
from twinloop.workload.training import Machine

VALUE_B = {"fp64": 8.0, "fp32": 4.0, "tf32": 4.0, "fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "mxfp8": 1.0, "int8": 1.0,
           "fp4": 0.5, "nvfp4": 0.5, "mxfp4": 0.5, "int4": 0.5}  # fmt: skip
"""Bytes of one value."""
STORED_B = {**VALUE_B, "nvfp4": 0.5625, "fp4": 0.5625, "mxfp4": 0.53, "mxfp8": 1.03, "int4": 0.53}
"""With its scales: NVFP4 an 8-bit scale per 16 values, MXFP4 and MXFP8 per 32, int4 16 bits per 128."""
_PEAK = {"fp16": "bf16", "mxfp8": "fp8", "nvfp4": "fp4", "mxfp4": "fp4", "int4": "bf16"}
_FALLBACK = {"tf32": ("fp32",), "bf16": ("fp32",), "fp32": ("bf16",), "fp8": (), "int8": (), "fp4": ()}


def peak_flops(device: Device, precision: str) -> float | None:
    """Return the dense peak at ``precision``; ``None`` where the device has no such units.

    Weight-only formats (int4) compute at 16 bits. A part without 16-bit units runs at its 32-bit rate.
    """
    key = _PEAK.get(precision, precision)
    for each in (key, *_FALLBACK.get(key, ())):
        if device.flops.get(each):
            return device.flops[each]
    return None


def required_peak(device: Device, precision: str) -> float:
    """Return the same, or raise.

    Raises:
        InputError: the device has no units of this precision; names those it has.
    """
    peak = peak_flops(device, precision)
    if peak is None and not device.flops:
        told = "a device with a published rate of dense arithmetic; this one has none"
        raise InputError(Fault("command line", None, "--device", device.name, told))
    if peak is None:
        raise InputError(
            f"--precision: got {precision}, expected one that {device.name} has: {', '.join(device.flops)}"
        )
    return peak


FAMILY_REFERENCE = {"H100": "H100-SXM-80GB", "H200": "H200-SXM-141GB", "A100": "A100-SXM-80GB", "A30": "A100-SXM-80GB",
                    "T4": "V100-SXM-32GB"}  # fmt: skip
"""The form with the most power of the same die or process: its peak is reached there."""


def sustained(device: Device) -> float:
    """Return the share of peak that ``device`` can keep up at its power limit, beside the same die in full form.

    Operations cost energy: at the reference's joules per operation a form with less power per peak operation runs
    its tensor units at a lower clock, ``(P/P_wanted)^0.4`` of dynamic power as in :mod:`twinloop.workload.power`.

    >>> from twinloop import catalogue
    >>> round(sustained(catalogue.device("H100-PCIe-80GB")), 2), sustained(catalogue.device("H100-SXM-80GB"))
    (0.83, 1.0)
    """
    reference = FAMILY_REFERENCE.get(family(device))
    if reference is None or not device.flops.get("bf16"):
        return 1.0
    full = catalogue.device(reference)
    wanted = (full.power_limit_w - full.idle_w) / full.flops["bf16"] * device.flops["bf16"]
    return float(min((device.power_limit_w - device.idle_w) / wanted, 1.0) ** CLOCK_EXPONENT)


TRAINED_SHARE = {"MI300X": 0.71, "MI325X": 0.79, "MI350X": 0.77, "MI355X": 0.88, "TPU": 1.31}
"""Family -> share of its peak that training under its maker's stack keeps, beside the parts that the constants are of.
Medians of the logged rates of Llama-2-70B LoRA on eight parts (MLPerf Training 5.1, 17 submissions); TPUs, whose peak
is that of their one clock: MaxText's 32B on v5p and 22B on v4. One model each, so that estimates stay marked
extrapolated."""


def training_machine(device: Device, network_b_s: float, domain: int, precision: str) -> Machine:
    """Return ``device`` for a training step; ``network_b_s`` is per device and direction."""
    wide = peak_flops(device, "bf16") or required_peak(device, "fp32")
    bytes_ = min(VALUE_B.get(precision, 2.0), 2.0)
    plain = device.scale_up_b_s <= PCIE_5_B_S and device.scale_up_domain <= 2
    if precision in ("fp32", "tf32", "fp64"):
        wide = required_peak(device, precision)
    kept = sustained(device) * TRAINED_SHARE.get(family(device), 1.0)
    return Machine(
        peak_16=wide * kept, peak_linear=required_peak(device, precision) * kept,
        linear_bytes=bytes_,
        memory_b_s=device.memory_bandwidth_b_s,
        scale_up_b_s=max(device.scale_up_b_s * (HOST_LINK_SHARE if plain else 1.0), network_b_s),
        scale_up_domain=float(domain), network_b_s=network_b_s,
    )  # fmt: skip


PCIE_5_B_S = 64e9
"""Sixteen lanes, one direction."""
HOST_LINK_SHARE = 0.5
"""Of a plain part's bus, where all parts of a server exchange at once through its switches and processors: NCCL reaches
20 to 25 GB/s between eight H100-PCIe of 64 (from memory). Low confidence."""
DECODER_SHARE = {"cpu": (0.3, 0.45), "edge": (0.3, 0.45), "npu": (0.6, 0.8), "fpga": (0.5, 0.7)}
"""Kind -> factors on (operations, bandwidth) beside the graphics devices that serving is calibrated on: fewer fused
kernels, memory shared with the host. Processors: eight offline
results of MLPerf Inference 4.1 and 5.1; the rest low confidence."""


def serve_machine(device: Device, network_b_s: float, domain: int, precision: str) -> ServeMachine:
    """Return ``device`` for serving."""
    wide = peak_flops(device, "bf16") or required_peak(device, precision)
    arithmetic, stream = DECODER_SHARE.get(device.kind, (1.0, 1.0))
    arithmetic *= sustained(device)
    return ServeMachine(
        peak_linear=required_peak(device, precision) * arithmetic,
        linear_bytes=2.0 if precision == "int4" else min(VALUE_B[precision], 2.0),
        peak_16=wide * arithmetic, memory_b=capacity_b(device), memory_b_s=device.memory_bandwidth_b_s * stream,
        scale_up_b_s=max(device.scale_up_b_s, network_b_s), scale_up_domain=float(domain), network_b_s=network_b_s,
    )  # fmt: skip


def scale_up_domain(device: Device, server: Server | None) -> int:
    """Return how many devices share the fast fabric: at least the server's, whose PCIe joins plain parts."""
    return max(device.scale_up_domain, server.devices if server is not None else 1)
