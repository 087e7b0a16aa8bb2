"""``twinloop estimate``: every key of the contract, and contradictory flags refused."""

import json
import re

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


def test_what_does_not_fit_says_why():
    odd = ("train", "--model", "llama-3.1-8b", "--device", "H100-SXM-80GB", "--devices", "7", "--batch", "256")
    why = answer(*odd)["why_not"]
    assert re.match(r"needs 236(\.\d)? GB of [\d.]+ GB on each device, most for logits \(134\.5 GB\); ", why)
    assert "7 devices and 32 heads have no common divisor" in why
    assert "7 copies do not share a batch of 256 evenly" in why
    assert "does not fit in memory: needs" in " ".join(run(*odd).output.split())
    assert "why_not" not in answer(*GPT3)
    served = answer("serve", "--model", "llama-3.1-70b", "--device", "L4", "--devices", "1")
    assert served["why_not"].startswith("needs ")


def test_what_was_asked_and_is_missed_is_told():
    one = ("serve", "--model", "llama-3-8b", "--device", "H100-SXM-80GB")
    assert answer(*one, "--rate", "28")["missed"].startswith("samples_per_s 27.")
    assert "missed" not in answer(*one, "--rate", "20")
    assert answer(*one, "--tpot", "1us")["missed"].startswith("tpot_s 0.007")
    assert "missed" not in answer(*one, "--tpot", "20ms")
    assert "misses what was asked: samples_per_s" in " ".join(run(*one, "--rate", "100").output.split())


def test_a_benchmark_is_known_however_its_model_is_spelled():
    eight = ("--device", "H100-SXM-80GB", "--devices", "8", "--scenario", "server")
    spelled = [answer("serve", "--model", name, *eight) for name in ("llama2-70b-99", "Llama-2-70B-99")]
    assert spelled[0] == spelled[1]
    assert spelled[0]["layout"]["input"] == 294


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


BEYOND = (
    "resnet50", "bert-large", "dlrm", "ncf", "stable-diffusion-xl", "xgboost:trees=900", "whisper", "gnn", "alphafold2",
    "unet3d", "mask-rcnn", "jasper", "wav2vec2", "vit-l-16", "efficientnet-b4",
    "kind=molecular,parameters=1e6,flops_per_sample=1e12,bytes_per_sample=1e9",
)  # fmt: skip


@pytest.mark.parametrize("model", BEYOND)
def test_models_beyond_decoders_are_trained_and_served_by_name(model):
    served = answer("serve", "--model", model, "--device", "H100", "--devices", "4")
    trained = answer("train", "--model", model, "--device", "A100", "--devices", "8", "--batch", "64")
    assert set(served) >= SERVE
    assert set(trained) >= TRAIN
    for got in (served, trained):
        assert got["samples_per_s"] > 0
        assert set(got["power_w"]) == POWER
        assert got["junction_c"] > 20
    assert trained["tokens_per_s"] is None or model == "bert-large"
    assert (served["throughput_tokens_per_s"] is None) == (model != "whisper")


@pytest.mark.parametrize(
    ("model", "shape", "times"),
    [
        ("resnet50", "3x448x448", 4.0), ("resnet50", "448x448", 4.0), ("unet3d", "1x128x128x64", 0.5),
        ("unet3d", "128x128x64", 0.5), ("dlrm", "1x26", 1.0),
    ],
)  # fmt: skip
def test_work_follows_the_input_shape(model, shape, times):
    flags = ("serve", "--model", model, "--device", "H100", "--batch", "4096")
    plain, other = answer(*flags)["samples_per_s"], answer(*flags, "--input-shape", shape)["samples_per_s"]
    assert plain / other == pytest.approx(times, rel=0.05)


def test_every_flag_of_serving_is_taken():
    got = answer(
        "serve", "--model", "llama-3.1-70b", "--device", "h200 sxm", "--devices", "8", "--devices-per-node", "8",
        "--scale-up-domain", "8", "--network", "50", "--network-kind", "roce", "--software", "2025.06",
        "--power-limit-w", "600", "--cooling", "cold_plate", "--coolant-c", "30", "--tensor", "2", "--pipeline", "2",
        "--expert", "1", "--data", "2", "--precision", "fp8", "--weights", "int4", "--activations", "bf16",
        "--kv-precision", "fp8", "--input", "1000", "--output", "200", "--concurrency", "64", "--scenario", "server",
        "--ttft", "2s", "--tpot", "200ms", "--latency", "60s", "--prefix-hit", "0.3", "--speculative", "1.8",
    )  # fmt: skip
    assert got["layout"] == {
        "tensor": 2, "pipeline": 2, "expert": 1, "data": 2, "batch": 32, "input": 1000, "output": 200,
        "precision": "bf16", "weights": "int4",
    }  # fmt: skip
    assert got["power_w"]["accelerator"] <= 8 * 600.001
    images = ("serve", "--model", "stable-diffusion-xl", "--device", "L40S")
    whole = answer(*images)["samples_per_s"]
    small = answer(*images, "--steps", "10", "--image", "512x512", "--frames", "2")["samples_per_s"]
    assert small == pytest.approx(4 * whole, rel=0.15)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--devices 8 --tensor 3", "--tensor"),
        ("--devices 8 --tensor 4 --pipeline 4", "--devices"),
        ("--devices 8 --tensor 4 --data 4", "--devices"),
        ("--devices 8 --data 3", "--devices"),
        ("--devices 8 --expert 2", "--expert"),
        ("--devices 8 --batch 4 --rate 3", "--batch"),
        ("--devices 8 --prefix-hit 1.5", "--prefix-hit"),
        ("--devices 8 --speculative 0.5", "--speculative"),
        ("--devices 8 --rate -1", "--rate"),
        ("--devices 0", "--devices"),
        ("--devices 8 --batch 0", "--batch"),
        ("--devices 8 --input 0 --output 5", "--input"),
        ("--devices 8 --cooling bath --coolant-c 20 --power-limit-w 9000", "--power-limit-w"),
        ("--devices 8 --pipeline 200 --tensor 1", "--pipeline"),
    ],
)
def test_contradictory_flags_of_serving_are_refused(flags, words):
    result = run("serve", "--model", "llama-3-70b", "--device", "H100", *flags.split())
    assert isinstance(result.exception, InputError), (result.output, result.exception)
    assert result.exception.exit_code == 2
    assert words in str(result.exception)


def test_a_model_too_large_still_answers():
    got = answer(
        "serve", "--model", "llama-3.1-405b", "--device", "L4", "--devices", "1", "--input", "9", "--output", "9"
    )
    assert got["fits"] is False
    assert got["throughput_tokens_per_s"] > 0


def test_a_search_over_layouts_lists_the_best_first():
    flags = "--model llama-3.1-70b --device H200 --devices 8 --precision fp8 --input 2048 --output 128"
    got = answer("serve", *flags.split(), "--search", "--top", "5")
    rates = [each["tokens_per_s"] for each in got["best"] if each["fits"]]
    assert len(got["best"]) == 5
    assert rates == sorted(rates, reverse=True)
    assert got["configurations_evaluated"] > 500
    assert got["search_time_s"] < 1.0


def test_a_name_brings_its_format_and_its_request():
    gptj = answer("serve", "--model", "gptj-99", "--device", "H100")
    assert (gptj["layout"]["input"], gptj["layout"]["output"], gptj["layout"]["precision"]) == (924, 69, "fp8")
    assert answer("serve", "--model", "Qwen/Qwen3-32B-FP8", "--device", "H100")["layout"]["precision"] == "fp8"
    assert answer("serve", "--model", "openai/gpt-oss-20b", "--device", "H100")["layout"]["weights"] == "mxfp4"
    plain = answer("serve", "--model", "llama-3-8b", "--device", "H100")
    assert (plain["layout"]["input"], plain["layout"]["precision"]) == (1024, "bf16")
    pairs, query = (
        answer("serve", "--model", name, "--device", "H100", "--precision", "int8")
        for name in ("dlrm-dcnv2", "dlrm-v2-99")
    )
    assert pairs["samples_per_s"] / query["samples_per_s"] == pytest.approx(270, rel=0.3)


def test_a_steady_rate_below_capacity_is_what_is_served():
    flags = ("serve", "--model", "llama-3-8b", "--device", "H100", "--input", "500", "--output", "100")
    most, some = answer(*flags), answer(*flags, "--rate", "2")
    assert some["samples_per_s"] == pytest.approx(2.0)
    assert some["samples_per_s"] < most["samples_per_s"]
    assert some["power_w"]["accelerator"] < most["power_w"]["accelerator"]
    assert some["latency_p99_s"] < most["latency_p99_s"]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("--network nan", "--network: got nan"),
        ("--network 0", "--network: got 0"),
        ("--coolant-c nan", "--coolant-c: got nan"),
        ("--coolant-c 500", "--coolant-c: got 500"),
        ("--sequence -4", "--sequence: got -4"),
        ("--devices-per-node 0 --scale-up-domain -1", "--scale-up-domain: got -1"),
        ("--fsdp-group 3", "--fsdp-group: got 3"),
        ("--out /proc/x/y", "--out: got /proc/x/y"),
    ],
)
def test_numbers_outside_their_range_are_refused_with_their_flag(flags, told):
    asked = ["train", "--model", "llama-3-8b", "--device", "H100", "--devices", "8", "--batch", "64"]
    done = run(*asked, *flags.split())
    assert isinstance(done.exception, InputError)
    assert told in str(done.exception)
    assert len(done.exception.faults) == flags.count("--")


@pytest.mark.parametrize(
    "flags",
    [
        "--model llama-3.1-8b --device H100 --devices 8 --batch 64 --sequence 8192",
        "--model mixtral-8x7b --device H200 --devices 16 --batch 64 --sequence 4096 --precision fp8",
        "--model llama-2-7b --device A100 --devices 8 --batch 32 --task lora:16 --software 2022.06 --network-kind tcp",
    ],
)
def test_the_search_and_the_answer_tell_one_story(flags):
    got = answer("train", *flags.split(), "--search", "--top", "3")
    best = got["best"][0]
    assert got["step_time_s"] == pytest.approx(best["step_time_s"], rel=1e-5)
    assert got["power_w"]["accelerator"] == pytest.approx(8 * best["device_w"], rel=1e-5)
    assert got["energy_per_step_j"]["accelerator"] == pytest.approx(best["energy_per_step_j"], rel=1e-5)
    assert got["memory_per_device_gb"] == pytest.approx(best["memory_gb"], rel=1e-9)


def test_activations_are_one_micro_batchs_and_the_largest_that_fits_is_taken():
    flags = "--model stable-diffusion-2 --device H100 --devices 8 --batch"
    small, large = (answer("train", *flags.split(), batch) for batch in ("64", "4096"))
    assert small["layout"]["micro_batch"] == 8
    assert large["fits"] is True
    per_sample = [got["memory_breakdown_gb"]["activations"] / got["layout"]["micro_batch"] for got in (small, large)]
    assert per_sample[0] == pytest.approx(per_sample[1])
    assert large["memory_breakdown_gb"]["activations"] == pytest.approx(32 * 1.953, rel=0.01)


def test_a_batch_below_the_devices_splits_the_model():
    flags = "--model llama-2-70b --device H100 --task lora:16 --precision fp8 --sequence 8192"
    got = answer("train", *flags.split(), "--devices", "64", "--batch", "8")
    assert (got["layout"]["tensor"], got["layout"]["data"]) == (8, 8)
    assert answer("train", *flags.split(), "--devices", "64", "--batch", "64")["layout"]["tensor"] == 1
    assert run("train", "--model", "resnet50", "--device", "H100", "--devices", "64", "--batch", "8").exit_code != 0


def test_a_benchmarks_scenario_brings_its_limits():
    flags = ["--model", "llama3.1-405b", "--device", "B200", "--devices", "8"]
    offline, server, interactive = (
        answer("serve", *flags, "--scenario", name) for name in ("offline", "server", "interactive")
    )
    assert offline["throughput_tokens_per_s"] > server["throughput_tokens_per_s"]
    assert server["throughput_tokens_per_s"] > interactive["throughput_tokens_per_s"]
    assert server["tpot_s"] <= 0.175
    assert interactive["tpot_s"] <= 0.08
    loose = answer("serve", *flags, "--scenario", "interactive", "--ttft", "60s", "--tpot", "1s")
    assert loose["throughput_tokens_per_s"] > server["throughput_tokens_per_s"]


def test_a_served_image_waits_for_the_batch_before_its_own():
    flags = ["--model", "resnet50", "--device", "H100", "--devices", "1"]
    offline, server = (answer("serve", *flags, "--scenario", name) for name in ("offline", "server"))
    assert 2.0 * server["latency_p99_s"] <= 0.015
    assert server["samples_per_s"] < offline["samples_per_s"]
    assert offline["layout"]["batch"] > server["layout"]["batch"]


def test_an_optimizer_of_fewer_states_holds_and_moves_less():
    flags = ["--model", "resnet50", "--device", "A100", "--devices", "8", "--batch", "2048", "--optimizer"]
    adam, sgd = (answer("train", *flags, name) for name in ("adamw", "sgd"))
    held = adam["memory_breakdown_gb"]["states"] - sgd["memory_breakdown_gb"]["states"]
    assert held * 1e9 == pytest.approx(8.0 * adam["parameters"], rel=1e-6)
    assert sgd["time_breakdown_s"]["optimizer"] < adam["time_breakdown_s"]["optimizer"]


def test_a_search_in_which_nothing_fits_says_what_fills_the_memory():
    flags = "train --model llama-3-405b --device H100 --devices 8 --batch 64 --search"
    done = CliRunner().invoke(command, flags.split())
    assert done.exit_code != 0
    said = str(done.exception) + done.output
    assert "filled most by activations (" in said
    assert "optimizer (" in said
    assert "runs" not in said
