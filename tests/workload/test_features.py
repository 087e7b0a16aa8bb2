"""Features of a graph: in the devices where they fit, else read over the bus."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinloop import catalogue
from twinloop.workload.features import ROWS_SHARE, fetched_s, host_b_s, resident
from twinloop.workload.host import host
from twinloop.workload.named_model import network_named
from twinloop.workload.other import forward_s
from twinloop.workload.train_estimate import estimate_training
from twinloop.workload.train_job import TrainingJob

RGAT = network_named("gnn-rgat")
JOB = TrainingJob(batch=16384)


def trained(device: str, devices: int, network=RGAT):
    return estimate_training(network, host(catalogue.device(device), devices), JOB)


def test_published_runs_keep_features_where_the_model_puts_them():
    """MLPerf Training 4.0: eight H100 read them from 2 TB of host memory, eight H200 and 512 H100 hold them."""
    found = [
        bool(resident(RGAT, catalogue.device(name), devices, 2e9))
        for name, devices in (("H100", 4), ("H100", 8), ("H200", 8), ("H100", 512))
    ]
    assert found == [False, False, True, True]


def test_rows_over_the_bus_take_their_bytes_over_its_speed():
    """916 rows of 1,024 bytes at 0.77 of 64 GB/s: 19 microseconds a sample, on top of the rest."""
    by_hand_s = 916 * 1024 / (0.77 * 64e9)
    h100 = catalogue.device("H100")
    assert float(fetched_s(RGAT, h100, False)) == pytest.approx(by_hand_s, rel=1e-3)
    assert float(fetched_s(RGAT, h100, True)) == 0.0
    near, far = trained("H100", 8, replace(RGAT, gathered_b=0.0)), trained("H100", 8)
    assert far.step_time_s - near.step_time_s == pytest.approx(2048 * by_hand_s, rel=0.01)


def test_who_holds_the_features_holds_them_in_memory():
    one, many = trained("H200", 8), trained("H100", 8)
    assert one.memory_breakdown_gb["states"] == pytest.approx(607 / 8, rel=0.01)
    assert many.memory_breakdown_gb["states"] < 1.0
    assert one.fits
    assert many.fits


def test_a_graph_that_names_no_features_reads_none():
    small = replace(RGAT, features_b=0.0, gathered_b=0.0)
    assert trained("H100", 8, small).time_breakdown_s["overhead"] < trained("H100", 8).time_breakdown_s["overhead"]


def test_processors_hold_features_in_their_own_memory_and_one_device_serves_over_its_bus():
    cpu, h100 = catalogue.device("EPYC-9654"), catalogue.device("H100")
    assert float(forward_s(RGAT, cpu, "bf16", 1.0).host_s) == 0.0
    assert float(forward_s(RGAT, h100, "bf16", 1.0).host_s) == pytest.approx(
        916 * 1024 / (ROWS_SHARE * host_b_s(h100)), rel=1e-3
    )
