"""MLPerf's server and interactive scenarios: rates under limits of latency, and steps at the crowd that was measured.

Not fitted. The run summaries say how many requests were answered a second and how long one stayed, so that their
product is the mean number in flight (Little's law): at that number the estimate's time per token is compared, which
tests the step; under the benchmark's limits its rate is compared, which tests step and queueing together.
"""

from __future__ import annotations

from dataclasses import replace

from twinloop import catalogue
from twinloop.validation.serving_cases import Rate, table
from twinloop.workload.benchmarks import benchmark, limits
from twinloop.workload.constants import family
from twinloop.workload.host import host
from twinloop.workload.named_model import network_named
from twinloop.workload.serve_constants import OPEN_STACK
from twinloop.workload.serve_estimate import estimate_serving
from twinloop.workload.serve_job import ServingJob


def server_rates() -> tuple[tuple[Rate, ...], tuple[Rate, ...]]:
    """Return (tokens a second under the limits, seconds a token at the measured number in flight)."""
    limited, steps = [], []
    for row in table("mlperf_server"):
        name, known = row["benchmark"], benchmark(row["benchmark"])
        if known is None:
            raise ValueError(f"mlperf_server: unknown benchmark {name}")
        network, device = network_named(name), catalogue.device(row["device"])
        on = host(device, int(row["devices"]))
        ttft, tpot, _ = limits(name, row["scenario"])
        job = ServingJob(
            precision=row["precision"], weights=row["precision"], input_tokens=known.input_tokens,
            output_tokens=known.output_tokens,
        )  # fmt: skip
        served = estimate_serving(network, on, replace(job, scenario=row["scenario"], ttft_s=ttft, tpot_s=tpot))
        software = "vllm" if family(device) in OPEN_STACK else "trtllm"
        crowd = max(round(float(row["in_flight"])), 1)
        stepped = estimate_serving(network, on, replace(job, concurrency=crowd, software=software))
        label = f"{name} {row['scenario']} {on.devices} x {device.name}"
        limited.append(
            Rate(
                label, name, row["scenario"], device.name, served.throughput_tokens_per_s or 0.0,
                float(row["tokens_s"]), row["source"], served.interval["low"], served.interval["high"],
            )
        )  # fmt: skip
        steps.append(
            Rate(label, name, row["scenario"], device.name, stepped.tpot_s or 0.0, float(row["tpot_s"]), row["source"])
        )
    return tuple(limited), tuple(steps)
