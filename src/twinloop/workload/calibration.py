"""The constants of the performance model and where each may lie."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array


@dataclass(frozen=True)
class Calibration:
    """Physical constants of one device under one generation of software. All are shares or seconds."""

    gemm: Array
    """Large 16-bit product over dense peak, inside a training step."""
    gemm_8: Array
    """Same at 8 bits."""
    gemm_4: Array
    """Same at 4 bits."""
    half: Array
    """Dimension at which a product is half as fast; see ``gemm.gemm_s``."""
    flash: Array
    """Fused attention over 16-bit peak, forward; backward is 0.8 of it with 2.5 times the operations."""
    bandwidth: Array
    """Memory streams of norms, activations, residuals and scores over peak bandwidth, fusion counted."""
    host_layer_s: Array
    """Time to launch one layer's forward pass: no layer is faster."""
    host_mixture_s: Array
    """Same for a layer with experts."""
    kernel_layer_s: Array
    """What the kernels of one layer's forward pass take however small they are: their starts and their tails."""
    inner: Array
    """Collectives inside the scale-up domain over its peak bandwidth."""
    inner_alpha_s: Array
    outer: Array
    """Same over the network."""
    outer_alpha_s: Array
    tensor_overlap: Array
    """Share of tensor-parallel communication hidden."""
    data_overlap: Array
    """Share of a step's compute behind which data-parallel communication may hide."""
    pipeline_overlap: Array
    """Share of stage-to-stage sends hidden."""
    gradient_b: Array
    """Bytes of one gradient as it is reduced."""
    imbalance: Array
    """Busiest over mean expert, and routing, permutation and padding: factor on expert work, ≥ 1."""
    step_s: Array
    """Fixed time of a step: data loader, clipping, logging, stragglers."""


BOUNDS: dict[str, tuple[float, float]] = {
    "gemm": (0.5, 0.95),
    "gemm_8": (0.3, 0.9),
    "gemm_4": (0.2, 0.85),
    "half": (5.0, 400.0),
    "flash": (0.15, 0.8),
    "bandwidth": (0.4, 1.6),
    "host_layer_s": (20e-6, 2500e-6),
    "host_mixture_s": (50e-6, 5000e-6),
    "kernel_layer_s": (5e-6, 500e-6),
    "inner": (0.3, 0.98),
    "inner_alpha_s": (2e-6, 40e-6),
    "outer": (0.2, 0.98),
    "outer_alpha_s": (4e-6, 100e-6),
    "tensor_overlap": (0.0, 0.95),
    "data_overlap": (0.0, 0.98),
    "pipeline_overlap": (0.0, 0.98),
    "gradient_b": (2.0, 4.0),
    "imbalance": (1.0, 2.5),
    "step_s": (0.0001, 0.2),
}
"""Ranges outside which a constant is no longer what its name says. ``bandwidth`` may pass 1 because fused
kernels move less than the unfused count they are charged for."""
