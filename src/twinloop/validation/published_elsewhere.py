"""Published rates that nothing was fitted to and no constant was chosen by: other rounds, other laboratories.

Scored only, as a person would ask for them: lengths, beams and limits come with the benchmark's name, the layout is
the estimate's where the row names none. A miss here is what a new group would see. MLPerf's gpt-oss reads PubMed
articles, whose length its pages do not state: 4,100 tokens assumed (3,016 words, arXiv:1804.05685, table 1).
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


def elsewhere_rates() -> tuple[Rate, ...]:
    """Return every row of ``published_elsewhere``; a pool is what kind of model was served how."""
    rates = []
    for row in table("published_elsewhere"):
        network, device = network_named(row["model"]), catalogue.device(row["device"])
        known = benchmark(row["model"])
        job = ServingJob(
            precision=row["precision"], weights=row["precision"], scenario=row["scenario"],
            software=row["software"] or None,
        )  # fmt: skip
        if known is not None:
            job = replace(
                job, input_tokens=known.input_tokens, output_tokens=known.output_tokens, beams=known.beams,
                work=known.work,
            )  # fmt: skip
        if row["output"]:
            job = replace(job, input_tokens=int(row["input"]), output_tokens=int(row["output"]))
        if row["concurrency"]:
            job = replace(job, concurrency=int(row["concurrency"]), tensor=int(row["tensor"]))
        ttft, tpot, latency = limits(row["model"], row["scenario"])
        job = replace(job, ttft_s=ttft, tpot_s=tpot, latency_s=latency)
        found = estimate_serving(network, host(device, int(row["devices"])), job)
        got = found.throughput_tokens_per_s if row["unit"] == "tokens/s" else found.samples_per_s
        kind = "language models" if found.throughput_tokens_per_s else "other kinds"
        how = "at a stated number in flight" if row["concurrency"] else row["scenario"]
        new = "another maker's parts" if family(device) in OPEN_STACK else how
        rates.append(
            Rate(
                row["case"], row["model"], f"{kind}, {new}", device.name, got or 0.0, float(row["measured"]),
                row["source"], found.interval["low"], found.interval["high"],
            )
        )  # fmt: skip
    return tuple(rates)
