"""The power chain by hand: what is installed, how it is loaded, and what it loses."""

from __future__ import annotations

import numpy as np
import pytest

from twinloop.twin.design import PlantConstants
from twinloop.twin.electrical import electric_state, size_electrics

K = PlantConstants()


@pytest.mark.parametrize(("redundancy", "ups_w"), [("N", 5e6), ("N+1", 5e6), ("2N", 4e6)])
def test_what_the_load_needs_is_apart_from_spares(redundancy, ups_w):
    chain = size_electrics(4e6, redundancy, K)
    # 4 MW: UPS at 80 %, or each of two at 100 % if alone; transformers 1.6 and generators 1.5 times as much.
    assert chain.needed_w == pytest.approx({"transformer": 6.4e6, "ups": ups_w, "generator": 6e6})
    assert (chain.transformer_w, chain.generator_w) == pytest.approx((6.4e6, 6e6))


@pytest.mark.parametrize(("redundancy", "spares"), [("N", (0, 0, 0)), ("N+1", (1, 1, 1)), ("2N", (4, 3, 3))])
def test_spares_are_one_module_or_as_many_again(redundancy, spares):
    found = size_electrics(4e6, redundancy, K).units
    # 5 MW (two times 4) in modules of 1, 6.4 MW in transformers of 2.5, 6 MW in sets of 2.
    running = [4 if redundancy == "2N" else 5, 3, 3]
    assert [found[kind].running for kind in ("ups", "transformer", "generator")] == running
    assert tuple(found[kind].spare for kind in ("ups", "transformer", "generator")) == spares


@pytest.mark.parametrize(
    ("redundancy", "ups_w", "transformer_w"), [("N", 5e6, 6.4e6), ("N+1", 6e6, 6.4e6 * 4 / 3), ("2N", 8e6, 12.8e6)]
)
def test_losses_at_part_load_by_hand(redundancy, ups_w, transformer_w):
    state = electric_state(size_electrics(4e6, redundancy, K), np.array([4e6]), np.array([1e6]))
    ups_loss_w = 0.010 * ups_w + 0.012 * 4e6 + 0.020 * 4e6**2 / ups_w
    assert state.ups_loss_w == pytest.approx(ups_loss_w, rel=1e-9)
    # The transformer carries IT, its UPS and switchgear, and the machines beside it.
    through_w = 4e6 + ups_loss_w + 20e3 + 1e6
    outdoor_w = 0.001 * transformer_w + 0.006 * through_w**2 / transformer_w
    assert state.outdoor_loss_w == pytest.approx(outdoor_w, rel=1e-9)
    assert state.distribution_loss_w == pytest.approx(20e3 + outdoor_w, rel=1e-9)
