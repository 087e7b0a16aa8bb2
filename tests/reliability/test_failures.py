"""Failure rates against the fleets they come from, and against temperature by each law."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.reliability.failures import (
    LAWS,
    SPREAD,
    arrhenius_factor,
    interruptions_per_s,
    linear_factor,
    temperature_factor,
    x_factor,
)


def test_llama_3_is_interrupted_as_often_as_reported():
    """419 unexpected interruptions in 54 days of 16,384 GPUs in 2,048 servers."""
    assert float(interruptions_per_s(16384, 2048)) * 54 * 86400 == pytest.approx(419, rel=0.01)


def test_another_fleet_lies_within_the_stated_spread():
    """Kokolis et al. 2024: 2.34 and 6.50 failures per thousand server-days."""
    ours = float(interruptions_per_s(8, 1)) * 86400 * 1000
    for published in (2.34, 6.50):
        assert SPREAD[0] <= published / ours <= SPREAD[1]


def test_arrhenius_doubles_from_60_to_70_at_seven_tenths_of_an_electronvolt():
    assert float(arrhenius_factor(70.0, 60.0)) == pytest.approx(2.04, abs=0.005)


@pytest.mark.parametrize(("intake_c", "factor"), [(15.0, 0.72), (20.0, 1.0), (30.0, 1.42), (45.0, 1.76)])
def test_x_factor_is_ashraes_table(intake_c, factor):
    assert float(x_factor(intake_c, 20.0)) == pytest.approx(factor, abs=1e-9)


def test_x_factor_holds_its_ends():
    assert float(x_factor(60.0)) == float(x_factor(45.0))
    assert float(x_factor(0.0)) == float(x_factor(15.0))


@given(st.sampled_from(LAWS), st.floats(5.0, 100.0), st.floats(0.1, 20.0))
def test_warmer_never_fails_less(law, temperature, more):
    cold, warm = (temperature_factor(law, t, t) for t in (temperature, temperature + more))
    assert all(float(w) >= float(c) > 0.0 for c, w in zip(cold, warm, strict=True))


def test_every_law_is_one_at_its_reference():
    for law in LAWS:
        assert [float(f) for f in temperature_factor(law, 65.0, 25.0)] == pytest.approx([1.0, 1.0])


def test_linear_grows_by_the_same_for_every_kelvin():
    rise = np.diff(np.asarray(linear_factor(np.array([60.0, 65.0, 70.0, 75.0]))))
    np.testing.assert_allclose(rise, rise[0], rtol=1e-12)
