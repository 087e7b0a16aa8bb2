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
    ("cooling", "watt"), [("air", 1500.0), ("rear_door", 1500.0), ("cold_plate", 450.0), ("bath", 0.0)]
)
def test_fans_stay_whole_before_a_passive_door_and_only_in_part_beside_plates(cooling, watt):
    assert fan_power_w(SERVER, 1.0, cooling) == pytest.approx(watt)
    assert fan_power_w(SERVER, 0.5, cooling) == pytest.approx(watt / 8.0)
    assert fan_power_w(SERVER, 0.0, cooling) == pytest.approx(watt / 10.0)
