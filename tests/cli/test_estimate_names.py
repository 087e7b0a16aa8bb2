"""Every published name is answered: models and devices of shipped tables, the catalogue and released lists."""

from __future__ import annotations

import csv
import json
import math
import os
from importlib import resources
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop import catalogue
from twinloop.cli.estimate import SPELLINGS, command
from twinloop.workload.named_model import network_named

DATA = Path(os.environ.get("TWINLOOP_REFERENCE") or Path(__file__).resolve().parents[3] / "shared" / "reference")
MIXED = ("(x", "N/A")
"""Marks of a list of several devices, or of none."""


def answered(verb, *flags):
    result = CliRunner().invoke(command, [verb, *flags, "--json"])
    assert result.exit_code == 0, (verb, flags, result.output, result.exception)
    got = json.loads(result.output)
    assert math.isfinite(got["samples_per_s"])
    assert got["samples_per_s"] > 0.0
    return got


def shipped(name):
    text = (resources.files("twinloop.validation") / "tables" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("table", ["non_llm_rates", "mlperf_offline", "serving_rates"])
def test_every_model_on_every_device_of_the_shipped_tables_is_answered(table):
    seen = set()
    for row in shipped(table):
        model = row.get("model") or row["benchmark"]
        verb = row.get("verb", "serve")
        case = (verb, model, row["device"], row["precision"])
        if case in seen:
            continue
        seen.add(case)
        flags = ["--model", model, "--device", row["device"], "--precision", row["precision"], "--devices", "8"]
        answered(verb, *flags, *(["--batch", "64"] if verb == "train" else []))
    assert len(seen) >= 15


HUBS = [
    "meta-llama/Meta-Llama-3-8B-Instruct", "mistralai/Mistral-7B-Instruct-v0.3", "google/gemma-2-9b-it",
    "microsoft/Phi-3-mini-4k-instruct", "tiiuae/falcon-40b", "bigscience/bloom", "facebook/opt-13b",
    "facebook/opt-1.3b",
    "EleutherAI/gpt-j-6B", "deepseek-ai/DeepSeek-R1", "Qwen/Qwen2-72B-Instruct", "google/flan-t5-xl",
    "nvidia/Llama-3.3-70B-Instruct-FP8", "Tacotron 2", "T5", "GNMT", "dlrm", "resnet50", "bert-large",
    "xgboost:trees=500", "stable-diffusion-v1-5", "openai/whisper-small", "3d-unet", "ssd-resnet34", "maskrcnn", "rnnt",
    "llama2-70b-99.9", "mixtral", "gromacs", "bwa-mem", "GPT 1.7B", "Nemotron-H-56B", "state-spaces/mamba-2.8b",
]  # fmt: skip


@pytest.mark.parametrize("name", HUBS)
def test_names_of_the_usual_hubs_are_served_and_trained(name):
    answered("serve", "--model", name, "--device", "H100", "--devices", "8")
    answered("train", "--model", name, "--device", "H100", "--devices", "8", "--batch", "64")


DEVICES = (
    "H100-SXM", "H100 PCIe", "H200", "B200", "GB200", "GB300", "MI300X", "MI325X", "A100-40GB", "A100-80GB-SXM",
    "A100 PCIe", "V100", "T4", "L4", "L40S", "A10", "TPUv3", "TPU v4", "TPU-v5e", "TPU-v5p", "TPU-v6e", "TPU-v7",
    "Gaudi2",
    "Gaudi 3", "Trainium1", "trn2", "inf2", "RTX 4090", "Xeon", "EPYC", "Grace", "RTX-3090", "H20", "MI250", "Orin",
)  # fmt: skip


@pytest.mark.parametrize("name", DEVICES)
def test_devices_by_their_usual_names_serve(name):
    answered("serve", "--model", "llama-3-8b", "--device", name)


def test_a_decimal_point_tells_models_apart():
    assert network_named("opt-13b").layers == 40
    assert network_named("OPT 1.3B").layers == 24
    assert network_named("llama31_8b") == network_named("Llama-3.1-8B").__class__(
        **{**vars(network_named("Llama-3.1-8B")), "name": "llama31_8b"}
    )


@pytest.mark.parametrize("spelt", sorted(SPELLINGS))
def test_formats_by_their_other_spellings(spelt):
    flags = ("--model", "llama-3-8b", "--device", "B200", "--precision")
    assert answered("serve", *flags, spelt) == answered("serve", *flags, SPELLINGS[spelt])


def test_a_recurrent_decoder_waits_for_its_steps():
    one = answered("serve", "--model", "tacotron2", "--device", "A100", "--precision", "fp16", "--batch", "1")
    many = answered("serve", "--model", "tacotron2", "--device", "A100", "--precision", "fp16", "--batch", "64")
    assert 1.0 / one["samples_per_s"] > 570 * 100e-6
    assert many["samples_per_s"] > 20.0 * one["samples_per_s"]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(catalogue.architectures())), st.sampled_from([d.name for d in catalogue.devices()]),
    st.sampled_from(["serve", "train"]), st.sampled_from([None, "fp8", "fp16", "int8", "nvfp4"]), st.integers(1, 16),
)  # fmt: skip
def test_any_model_on_any_device_is_answered_or_told_why(model, device, verb, precision, devices):
    flags = ["--model", model, "--device", device, "--devices", str(devices)]
    flags += [] if precision is None else ["--precision", precision]
    result = CliRunner().invoke(command, [verb, *flags, *(["--batch", "64"] if verb == "train" else []), "--json"])
    if result.exit_code == 0:
        assert math.isfinite(json.loads(result.output)["samples_per_s"])
    else:
        assert type(result.exception).__name__ in ("InputError", "SystemExit"), result.exception


@pytest.mark.slow
def test_every_name_of_the_released_lists_is_answered():
    if not (DATA / "data" / "training_validation.json").is_file():
        pytest.skip(f"no validation lists in {DATA / 'data'}: set TWINLOOP_REFERENCE")
    seen = set()
    for verb, name in (("train", "training"), ("serve", "inference"), ("serve", "energy")):
        groups = json.loads((DATA / "data" / f"{name}_validation.json").read_text(encoding="utf-8"))["groups"]
        for row in (row for rows in groups.values() for row in rows):
            model = row.get("model") or row.get("benchmark") or row.get("model_id")
            device = row.get("gpu") or row.get("accelerator") or row.get("gpu_model") or row.get("hardware") or "A100"
            if model and not any(mark in device for mark in MIXED):
                seen.add((verb, model, device))
    for verb, model, device in sorted(seen):
        answered(verb, "--model", model, "--device", device, "--devices", "8", "--batch", "64")
    assert len(seen) > 300
