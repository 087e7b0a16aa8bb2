"""Power of the parts around the devices, and of fans, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinloop import catalogue
from twinloop.workload.power import busy_power, fan_power_w, idle_power

SERVER = replace(
    catalogue.server("HGX-H100-8"), cpu_w=1000.0, memory_w=400.0, network_w=200.0, storage_w=100.0, fan_w_air=1500.0
)


def test_each_part_idles_at_its_own_share_of_full():
    idle = idle_power(catalogue.device("H100"), SERVER, 2)
    assert (idle.cpu_w, idle.memory_w, idle.network_w, idle.storage_w) == pytest.approx((700.0, 400.0, 280.0, 120.0))
    half = busy_power(SERVER, 1, 0.0, 0.5)
    assert (half.cpu_w, half.memory_w, half.network_w, half.storage_w) == pytest.approx((675.0, 300.0, 170.0, 80.0))


@pytest.mark.parametrize(
    ("cooling", "busy_w", "half_w", "idle_w"),
    [
        ("air", 1500.0, 187.5, 40.5),
        ("rear_door", 1500.0, 187.5, 40.5),
        ("cold_plate", 300.3, 300.3, 300.3),
        ("bath", 0.0, 0.0, 0.0),
    ],
)
def test_fans_follow_the_halls_law(cooling, busy_w, half_w, idle_w):
    """Cube of speed, 0.3 of it at least; 0.585 beside plates, whose other parts the heat alone would not cool."""
    found = [fan_power_w(SERVER, share, cooling) for share in (1.0, 0.5, 0.0)]
    assert found == pytest.approx([busy_w, half_w, idle_w], abs=0.1)
