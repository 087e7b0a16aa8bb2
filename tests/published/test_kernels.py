"""The formula of a product against measured kernels, where their package is installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from twinloop.validation import kernel_parts, kernels
from twinloop.validation.kernel_parts import cache, experts, reductions, validate_kernel_tables
from twinloop.validation.kernels import PACKAGE, Products, products, validate_kernels
from twinloop.validation.serve_fitting import KERNELS
from twinloop.workload.decoding import SMOOTH


def made(share, half, bandwidth, fixed_s):
    rng = np.random.default_rng(5)
    m, n, k = (2.0 ** rng.integers(low, high, 1500) for low, high in ((0, 14), (9, 15), (9, 15)))
    arithmetic = 2.0 * m * n * k / (989e12 * share) * (1.0 + half * (1.0 / n + 1.0 / k))
    stream = n * k * 2.0 / (3.35e12 * bandwidth)
    return m, n, k, (arithmetic**SMOOTH + stream**SMOOTH) ** (1.0 / SMOOTH) + fixed_s


def test_the_fit_gives_back_what_made_the_kernels(monkeypatch):
    monkeypatch.setattr(kernels, "_kernels", lambda *_: made(0.7, 300.0, 0.8, 6e-6))
    found = products("h100_sxm", "bfloat16")
    assert isinstance(found, Products)
    assert found.error < 0.01
    assert (found.share, found.bandwidth) == pytest.approx((0.7, 0.8), rel=0.02)
    assert (found.half, found.fixed_s) == pytest.approx((300.0, 6e-6), rel=0.1)


def test_without_the_package_nothing_is_shown(monkeypatch):
    monkeypatch.setattr(kernels, "_kernels", lambda *_: None)
    monkeypatch.setattr(kernel_parts, "_table", lambda *_: None)
    assert validate_kernels() == ()
    assert validate_kernel_tables() == ()


@pytest.mark.slow
def test_shipped_priors_are_what_the_package_says():
    if importlib.util.find_spec(PACKAGE) is None:
        pytest.skip(f"{PACKAGE} is not installed")
    hopper = [products("h100_sxm", kind) for kind in ("bfloat16", "fp8", "fp8_block")]
    plain, eight, blocked = (found for found in hopper if found is not None)
    prior = KERNELS["trtllm hopper"]
    assert plain.share == pytest.approx(prior["gemm"], abs=0.03)
    assert 0.5 * (eight.share + blocked.share) == pytest.approx(prior["gemm_8"], abs=0.04)
    assert all(found.error < 0.25 for found in (plain, eight, blocked))


def column(length, **values):
    return {name: np.full(length, value) if np.ndim(value) == 0 else value for name, value in values.items()}


def test_experts_give_back_what_made_them(monkeypatch):
    """16-bit experts of 128 on one H100: 0.45 of peak, 0.9 of bandwidth, 30 µs."""
    tokens = 2.0 ** np.arange(0, 14, 0.1)
    weights = 3.0 * 2048 * 768
    touched = 128 * (1.0 - (1.0 - 8 / 128) ** tokens)
    arithmetic, stream = 2.0 * tokens * 8 * weights / (989e12 * 0.45), 2.0 * touched * weights / (3.35e12 * 0.9)
    seconds = (arithmetic**SMOOTH + stream**SMOOTH) ** (1.0 / SMOOTH) + 30e-6
    made_of = column(
        tokens.size, moe_dtype="bfloat16", moe_ep_size=1, moe_tp_size=1, distribution="power_law_1.01", topk=8,
        num_experts=128, hidden_size=2048, inter_size=768, num_tokens=tokens, latency=1e3 * seconds,
    )  # fmt: skip
    monkeypatch.setattr(kernel_parts, "_table", lambda *_: made_of)
    found = experts("h100_sxm", "bfloat16")
    assert (found.first, found.second) == pytest.approx((0.45, 0.9), rel=0.03)
    assert found.fixed_s == pytest.approx(30e-6, rel=0.05)
    assert found.error < 0.01
    assert experts("h100_sxm", "nvfp4") is None  # Hopper has no such peak


def test_cache_and_all_reduce_give_back_what_made_them(monkeypatch):
    length = 2.0 ** np.arange(6, 17, 0.1)
    seconds = 2.0 * 2.0 * 32 * 8 * 128 * (length + 1.0) / (3.35e12 * 0.7) + 12e-6
    made_of = column(
        length.size, window_size=0, kv_cache_dtype="bfloat16", head_dim=128, num_heads=64, num_key_value_heads=8,
        batch_size=32, step=length, latency=1e3 * seconds,
    )  # fmt: skip
    monkeypatch.setattr(kernel_parts, "_table", lambda *_: made_of)
    found = cache("h100_sxm", "bfloat16")
    assert (found.first, found.fixed_s) == pytest.approx((0.7, 12e-6), rel=0.03)
    size = 2.0 ** np.arange(8, 26, 0.2)
    seconds = 2.0 * size * 2.0 * 7.0 / 8.0 / (450e9 * 0.6) + 6e-6
    made_of = column(size.size, kernel_source="graph", num_gpus=8, message_size=size, latency=1e3 * seconds)
    monkeypatch.setattr(kernel_parts, "_table", lambda *_: made_of)
    found = reductions("h100_sxm")
    assert (found.first, found.fixed_s) == pytest.approx((0.6, 6e-6), rel=0.03)
