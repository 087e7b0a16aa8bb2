"""The formula of a product against measured kernels, where their package is installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from twinloop.validation import kernels
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
    assert validate_kernels() == ()


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
