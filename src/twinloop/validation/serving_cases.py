"""Published serving and sample rates as the estimate sees them: rows of ``tables``, and of a folder of cases."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from twinloop import catalogue
from twinloop.errors import InputError
from twinloop.model.network import Network
from twinloop.validation.serve_fitting import ServeCase
from twinloop.workload.benchmarks import benchmark
from twinloop.workload.constants import family
from twinloop.workload.host import host
from twinloop.workload.named_model import network_named
from twinloop.workload.other import STEPS_IMAGE, STEPS_VIDEO, stack_of
from twinloop.workload.serve_constants import BLACKWELL, WORKSTATION
from twinloop.workload.serve_estimate import estimate_serving
from twinloop.workload.serve_job import ServingJob, checked
from twinloop.workload.train_estimate import estimate_training
from twinloop.workload.train_job import TrainingJob

PROMPTS = {"lm-arena-chat": 150, "gpqa": 200, "sourcegraph-fim": 2048}
"""Prompt tokens of the energy benchmark's text tasks: not published, assumed."""
_FORMATS = {"bfloat16": "bf16", "fp8": "fp8", "mxfp4": "mxfp4"}


@dataclass(frozen=True)
class Rate:
    """One published rate and the estimate's, in the same unit."""

    name: str
    model: str
    pool: str
    """Rows that share class constants."""
    device: str
    got: float
    measured: float
    source: str
    low: float = 0.0
    """End of the stated interval, as ``got``."""
    high: float = math.inf

    @property
    def error(self) -> float:
        """Relative."""
        return self.got / self.measured - 1.0


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of this package."""
    text = (resources.files("twinloop.validation") / "tables" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def throughput_cases() -> tuple[ServeCase, ...]:
    """Return TensorRT-LLM's published maximum throughput."""
    cases = []
    for row in table("serving_rates"):
        device, size = catalogue.device(row["device"]), int(row["tensor"]) * int(row["pipeline"])
        network, tensor = network_named(row["model"]), int(row["tensor"])
        # Its guide runs mixtures with attention data-parallel on the same devices.
        spread = network.experts > 0 and tensor > 1
        job = ServingJob(
            precision=row["precision"], weights=row["precision"], tensor=1 if spread else tensor,
            expert=tensor if spread else None, pipeline=int(row["pipeline"]), input_tokens=int(row["input"]),
            output_tokens=int(row["output"]), software="trtllm",
        )  # fmt: skip
        part = family(device)
        pool = "blackwell" if part in BLACKWELL else "workstation" if part in WORKSTATION else "hopper"
        cases.append(
            ServeCase(
                name=row["case"], group=row["device"], pool=f"trtllm {pool}", model=row["family"],
                network=network, on=host(device, size), job=job,
                measured=float(row["measured_tokens_s"]), source=row["source"],
            )
        )  # fmt: skip
    return tuple(cases)


def served_tokens(case: ServeCase) -> float:
    """Return the estimate's output tokens a second for ``case``."""
    rate = estimate_serving(case.network, case.on, case.job).throughput_tokens_per_s
    return float("nan") if rate is None else rate


def offline_rates() -> tuple[Rate, ...]:
    """Return MLPerf Inference offline medians per benchmark and device, each for one device."""
    rates = []
    for row in table("mlperf_offline"):
        network, known, count = network_named(row["benchmark"]), benchmark(row["benchmark"]), int(row["devices"])
        job = ServingJob(precision=row["precision"], weights=row["precision"])
        if known is not None:
            job = replace(
                job, input_tokens=known.input_tokens, output_tokens=known.output_tokens, beams=known.beams,
                work=known.work,
            )  # fmt: skip
        found = estimate_serving(network, host(catalogue.device(row["device"]), count), job)
        got = found.throughput_tokens_per_s if row["unit"] == "tokens/s" else found.samples_per_s
        rates.append(
            Rate(
                name=f"{row['round']} {row['benchmark']} {row['device']}", model=network.name,
                pool="language" if found.throughput_tokens_per_s else network.kind, device=row["device"],
                got=(got or 0.0) / count, measured=float(row["measured_per_device"]), source=row["source"],
                low=found.interval["low"] / count, high=found.interval["high"] / count,
            )
        )  # fmt: skip
    return tuple(rates)


def sample_rates(*, plain: bool = False) -> tuple[Rate, ...]:
    """Return training and inference of models that are not language models, and of the encoders beside them.

    ``plain``: under the constants of the generic kind, which no published row of a kind has set.
    """
    rates = []
    for row in table("non_llm_rates"):
        network, device = network_named(row["model"]), catalogue.device(row["device"])
        kind = _kind(network)
        if plain and not network.layers:
            network = replace(network, kind="generic")
        on, batch = host(device, int(row["devices"])), int(row["batch"])
        length = int(row["sequence"]) if row["sequence"] else None
        if row["verb"] == "train":
            trained = estimate_training(
                network, on, TrainingJob(batch=batch, precision=row["precision"], sequence=length)
            )
            got = trained.tokens_per_s if row["unit"] == "tokens/s" else trained.samples_per_s
        else:
            job = ServingJob(precision=row["precision"], batch=batch, input_tokens=length)
            got = estimate_serving(network, on, job).samples_per_s
        stack = stack_of(device, row["precision"])
        rates.append(
            Rate(
                name=row["case"], model=row["model"], pool=f"{row['verb']} {stack} {kind}",
                device=row["device"], got=got or 0.0, measured=float(row["measured"]), source=row["source"],
            )
        )  # fmt: skip
    return tuple(rates)


def _kind(network: Network) -> str:
    return "transformer" if network.layers else network.kind


def energy_cases(folder: Path) -> tuple[tuple[ServeCase, float], ...]:
    """Return the text runs of ``folder``/energy_validation.json, each with its joules per token (devices only).

    Models that the catalogue does not know are left out.
    """
    rows = json.loads((folder / "energy_validation.json").read_text(encoding="utf-8"))["groups"]["ml_energy_v3"]
    cases = []
    for row in rows:
        if row["task"] not in PROMPTS:
            continue
        try:
            network = network_named(row["model_id"])
        except InputError:
            continue
        device, stored = catalogue.device(row["gpu_model"]), _FORMATS[row["weight_precision"]]
        alone = row["expert_parallel"] > 1 and row["data_parallel"] == 1
        batch = max(round(row["avg_batch_size"]), 1)
        job = ServingJob(
            precision=stored, weights=stored, cache="bf16", expert=row["expert_parallel"], batch=batch,
            tensor=row["num_gpus"] if alone else row["tensor_parallel"], input_tokens=PROMPTS[row["task"]],
            output_tokens=round(row["avg_output_len"]), software="vllm",
        )  # fmt: skip
        on = host(device, row["num_gpus"])
        job = checked(job, network, on)
        name = f"{row['model_id'].rpartition('/')[2]} on {row['num_gpus']} x {row['gpu_model']}, {batch} in flight"
        part = "blackwell" if family(device) in BLACKWELL else "hopper"
        cases.append(
            (
                ServeCase(
                    name=f"{row['task']}: {name}", group=row["gpu_model"], pool=f"vllm {part}", model=row["model_id"],
                    network=network, on=on, job=job,
                    measured=row["output_throughput_tokens_per_sec"], source="energy_validation.json, ml_energy_v3",
                ),
                float(row["energy_per_token_joules"]),
            )
        )  # fmt: skip
    return tuple(cases)


def generation_joules(folder: Path) -> tuple[Rate, ...]:
    """Return the image and video runs of ``folder``/energy_validation.json, joules a sample of all its devices.

    Where a run has several, they share the tokens of every sample; its pool says so.
    """
    rows = json.loads((folder / "energy_validation.json").read_text(encoding="utf-8"))["groups"]["ml_energy_v3"]
    rates = []
    for row in rows:
        measured = row.get("energy_per_image_joules") or row.get("energy_per_video_joules")
        if measured is None:
            continue
        count = int(row["num_gpus"])
        network, device = network_named(row["model_id"]), catalogue.device(row["gpu_model"])
        # A catalogue sample is this many steps; guidance doubles the passes of both.
        usual = STEPS_IMAGE if "image_height" in row else STEPS_VIDEO
        job = ServingJob(batch=row["batch_size"], work=row["inference_steps"] / usual, tensor=count)
        got = estimate_serving(network, host(device, count), job).energy_per_sample_j["accelerator"]
        model = row["model_id"].rpartition("/")[2]
        rates.append(
            Rate(
                name=f"{model} on {count} x {row['gpu_model']}, {row['batch_size']} at once", model=model,
                pool=network.kind if count == 1 else "shared samples",
                device=row["gpu_model"], got=got, measured=float(measured),
                source="energy_validation.json, ml_energy_v3",
            )
        )  # fmt: skip
    return tuple(rates)
