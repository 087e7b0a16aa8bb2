"""``twinloop estimate``: every key of the contract, and contradictory flags refused."""

import json

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.cli.estimate import command
from twinloop.errors import InputError

TRAIN = {
    "step_time_s", "samples_per_s", "tokens_per_s", "model_tflops_per_device", "hardware_tflops_per_device", "mfu",
    "hfu", "memory_per_device_gb", "memory_breakdown_gb", "fits", "power_w", "energy_per_step_j", "junction_c", "clock",
    "time_breakdown_s", "parameters", "interval", "extrapolated", "constants",
}  # fmt: skip
SERVE = {
    "throughput_tokens_per_s", "tokens_per_s_per_device", "samples_per_s", "ttft_s", "tpot_s", "latency_p99_s",
    "max_batch", "memory_per_device_gb", "fits", "power_w", "energy_per_token_j", "junction_c", "interval",
    "extrapolated",
}  # fmt: skip
POWER = {"accelerator", "cpu", "memory", "network", "storage", "fans", "psu_loss", "node_dc", "node_ac"}
TIMES = {
    "compute", "memory", "tensor_comm", "pipeline_comm", "data_comm", "expert_comm", "bubble", "optimizer", "overhead",
    "throttle",
}  # fmt: skip
FLAGS = "train --model gpt3-175b --device A100-80GB-SXM --devices 1024 --tensor 8 --pipeline 16 --batch 1536"
GPT3 = FLAGS.split()


def run(*flags):
    return CliRunner().invoke(command, [*flags], catch_exceptions=True)


def answer(*flags):
    result = run(*flags, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.output)


def test_training_answers_every_key_and_its_parts_add_up():
    got = answer(*GPT3)
    assert set(got) >= TRAIN
    assert set(got["power_w"]) == POWER
    assert set(got["time_breakdown_s"]) == TIMES
    assert sum(got["time_breakdown_s"].values()) == pytest.approx(got["step_time_s"], rel=1e-9)
    assert sum(got["memory_breakdown_gb"].values()) == pytest.approx(got["memory_per_device_gb"], rel=1e-9)
    assert got["energy_per_step_j"]["node"] > got["energy_per_step_j"]["accelerator"]
    power = got["power_w"]
    parts = ("accelerator", "cpu", "memory", "network", "storage", "fans")
    assert sum(power[part] for part in parts) == pytest.approx(power["node_dc"])
    assert power["node_dc"] + power["psu_loss"] == pytest.approx(power["node_ac"])
    # Narayanan et al. 2021, table 1: about 140 TFLOP/s a device, recomputation counted.
    assert got["hardware_tflops_per_device"] == pytest.approx(140, rel=0.1)
    assert got["parameters"] == pytest.approx(175e9, rel=0.01)


def test_serving_answers_every_key():
    flags = "--model llama-3.1-70b --device h200 --devices 8 --tensor 8 --precision FP8 --input 2048 --output 128"
    got = answer("serve", *flags.split())
    assert set(got) >= SERVE
    assert got["tokens_per_s_per_device"] == pytest.approx(got["throughput_tokens_per_s"] / 8)
    assert got["samples_per_s"] == pytest.approx(got["throughput_tokens_per_s"] / 128)
    node = got["energy_per_token_j"]["node"] * got["throughput_tokens_per_s"]
    assert node == pytest.approx(got["power_w"]["node_ac"], rel=1e-6)


@pytest.mark.parametrize(
    "name",
    ["Qwen/Qwen3-32B-FP8", "meta-llama/Llama-3.1-405B-Instruct-FP8", "llama2-70b-99.9", "dlrm-v2-99", "gptj-99",
     "3d-unet-99.9", "llama2_70b_lora", "deepseek-ai/DeepSeek-V3.1", "ResNet-50 v1.5 (TF)", "whisper", "retinanet"],
)  # fmt: skip
def test_names_as_published_are_understood(name):
    assert answer("serve", "--model", name, "--device", "H100", "--devices", "8", "--tensor", "8")["samples_per_s"] > 0


def test_what_does_not_fit_still_answers():
    got = answer("train", "--model", "gpt3-175b", "--device", "A100", "--devices", "1", "--batch", "8")
    assert got["fits"] is False
    assert got["step_time_s"] > 0


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((*GPT3, "--data", "7"), "--devices"),
        ((*GPT3[:-1], "4"), "--batch"),
        ((*GPT3, "--micro-batch", "1000"), "--micro-batch"),
        ((*GPT3, "--interleave", "9"), "--interleave"),
        ((*GPT3, "--expert", "4"), "--expert"),
    ],
)
def test_contradictory_flags_are_refused(flags, words):
    result = run(*flags)
    assert isinstance(result.exception, InputError)
    assert result.exception.exit_code == 2
    assert words in str(result.exception)


def test_recomputation_left_open_is_only_as_much_as_memory_asks_for():
    layout = "--devices 64 --tensor 2 --pipeline 2 --batch 256 --sequence 8192 --micro-batch 1 --precision fp8"
    flags = ("train", "--model", "llama-3-70b", "--device", "GB200", *layout.split())
    free, full = answer(*flags), answer(*flags, "--recompute", "full")
    assert free["fits"]
    assert free["step_time_s"] <= full["step_time_s"]
    assert 0.0 <= free["layout"]["recomputed_share"] <= 1.0


@given(
    tensor=st.sampled_from([1, 2, 4, 8]), pipeline=st.sampled_from([1, 2, 4]), data=st.integers(1, 8),
    batch=st.integers(1, 300), zero=st.integers(0, 3), device=st.sampled_from(["A100", "H100", "MI300X", "TPU v5p"]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_any_layout_is_answered_or_refused(tensor, pipeline, data, batch, zero, device):
    result = run(
        "train", "--model", "llama-2-7b", "--device", device, "--devices", str(tensor * pipeline * data), "--tensor",
        str(tensor), "--pipeline", str(pipeline), "--batch", str(batch), "--zero", str(zero), "--json",
    )  # fmt: skip
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        assert isinstance(result.exception, InputError), repr(result.exception)
        return
    got = json.loads(result.output)
    assert got["step_time_s"] > 0
    assert 0 < got["mfu"] < 1
    assert got["interval"]["low"] < got["step_time_s"] < got["interval"]["high"]
