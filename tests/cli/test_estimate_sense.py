"""What contradicts itself is refused with its place; spellings and dates mean what a person means by them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from twinloop.cli.estimate import command
from twinloop.errors import InputError


def run(text):
    return CliRunner().invoke(command, text.split("|"))


def answer(text):
    result = run(text + "|--json")
    assert result.exit_code == 0, (text, result.output, result.exception)
    return json.loads(result.output)


TRAIN = "train|--device|H100|--batch|8|--model|"


@pytest.mark.parametrize(
    ("model", "place"),
    [
        ("layers=24,hidden=2048,heads=16,experts=8,top_k=16", "--model top_k: got 16, expected at most experts (8)"),
        ("mixtral-8x7b:top_k=9", "--model top_k: got 9"),
        ("layers=24,hidden=2048,heads=16,top_k=2", "--model top_k: got 2, expected at most experts (0)"),
        ("layers=24,hidden=2048,heads=16,experts=8", "--model top_k: got nothing"),
        ("layers=24,hidden=2048,heads=15", "--model heads: got 15, expected a divisor of hidden (2048)"),
        ("layers=24,hidden=2048,heads=16,kv_heads=5", "--model kv_heads: got 5"),
        ("layers=24,hidden=2048,heads=0", "--model heads: got 0"),
        ("layers=24,hidden=2048,heads=16,encoder_layers=25", "--model encoder_layers: got 25"),
    ],
)
def test_architectures_that_contradict_themselves_are_refused_with_their_place(model, place):
    result = run(TRAIN + model)
    assert isinstance(result.exception, InputError), result.output
    assert place in str(result.exception)


def test_a_head_size_of_its_own_frees_the_width():
    assert answer(TRAIN + "layers=4,hidden=2048,heads=15,head_dim=128")["parameters"] > 0


def test_a_part_without_dense_arithmetic_is_refused_by_its_name():
    result = run("serve|--model|llama-3-8b|--device|Loihi-2")
    assert isinstance(result.exception, InputError), result.output
    told = "--device: got Loihi-2, expected a device with a published rate of dense arithmetic"
    assert told in str(result.exception)


@pytest.mark.parametrize("cooling", ["cold_plate", "cold-plate", "Cold Plate", "COLD PLATE"])
def test_names_may_be_joined_in_any_way(cooling):
    flags = f"gpt3-1.3b|--cooling|{cooling}|--schedule|zero_bubble|--network-kind|RoCE|--recompute|Full"
    plain = "gpt3-1.3b|--cooling|cold_plate|--schedule|zero-bubble|--network-kind|roce|--recompute|full"
    assert answer(TRAIN + flags + "|--optimizer|Adam_W") == answer(TRAIN + plain + "|--optimizer|adamw")


@pytest.mark.parametrize(
    ("device", "layout", "date", "generation"),
    [
        ("H100", "--tensor|8|--devices|64", "2024.06", "megatron-2025"),
        ("H100", "--tensor|8|--devices|64", "2026.06", "megatron-2026"),
        ("H100", "--zero|3|--devices|64", "2024.06", "fsdp-2023"),
        ("H100", "--fsdp-group|8|--devices|64", "2025.10", "megatron-2025"),
        ("B200", "--zero|3|--devices|64", "2024.06", "megatron-2025"),
        ("A100", "--tensor|8|--devices|64", "2022.06", "megatron-2022"),
        ("A100", "--tensor|8|--devices|64", "2024.06", "megatron-2023"),
        ("A100", "--zero|3|--devices|64", "2022.01", "fsdp-2023"),
    ],
)
def test_a_date_takes_the_generation_measured_on_such_a_part_and_layout(device, layout, date, generation):
    got = answer(f"train|--model|llama-3.1-8b|--device|{device}|--batch|64|{layout}|--software|{date}")
    assert got["constants"]["software"] == generation


def test_denoising_steps_take_time_but_no_memory_and_larger_pictures_take_both():
    video = "serve|--model|wan2.1-14b|--device|H200|--batch|1"
    whole, half = answer(video), answer(video + "|--steps|25")
    assert half["memory_per_device_gb"] == whole["memory_per_device_gb"]
    assert half["samples_per_s"] == pytest.approx(2 * whole["samples_per_s"], rel=0.02)
    same = answer(video + "|--image|480x832|--frames|81")
    assert same["samples_per_s"] == pytest.approx(whole["samples_per_s"])
    large = answer(video + "|--image|720x1280|--frames|81")
    # Weights 28 GB; a step of 75,600 tokens of width 5,120 holds some ten of their states at 16 and 32 bits.
    assert whole["memory_per_device_gb"] < large["memory_per_device_gb"] < 80.0
    assert large["samples_per_s"] < whole["samples_per_s"] / 2.2


def test_older_software_repeats_forward_passes_only_where_memory_asks_for_it():
    # nanoGPT's README: 600,000 steps of half a million tokens in about four days on eight A100.
    small = answer("train|--model|gpt2|--device|A100|--devices|8|--batch|480|--sequence|1024")
    assert small["layout"]["recomputed_share"] == 0.0
    assert small["step_time_s"] == pytest.approx(4 * 86400 / 600_000, rel=0.15)
    large = answer("train|--model|gpt3-175b|--device|A100|--devices|512|--batch|512|--tensor|8|--pipeline|8")
    assert large["layout"]["recompute"] != "none"


def test_other_kinds_repeat_forward_passes_where_nothing_fits_without():
    flags = "train|--model|alphafold2|--device|A100|--devices|8|--batch|8"
    got, none, full = (answer(flags + more) for more in ("", "|--recompute|none", "|--recompute|full"))
    assert got["fits"]
    assert not none["fits"]
    assert 0.0 < got["layout"]["recomputed_share"] < 1.0
    assert none["step_time_s"] < got["step_time_s"] < full["step_time_s"] < 1.4 * none["step_time_s"]
    assert none["mfu"] == pytest.approx(none["hfu"])
    assert full["hfu"] == pytest.approx(4 / 3 * full["mfu"])
    small = answer("train|--model|resnet50|--device|A100|--devices|8|--batch|2048")
    assert small["layout"]["recomputed_share"] == 0.0


def test_boosted_trees_keep_the_binned_table_not_what_they_visit():
    rows = 1_000_000
    few, many = (
        answer(f"train|--model|kind=trees,trees={trees},depth=8,hidden=200|--device|A100|--batch|{rows}")
        for trees in (100, 1000)
    )
    for got in (few, many):
        # 200 one-byte cells and 20 bytes a row; 256 leaves x 200 columns x 256 bins x 16 bytes of histograms.
        expected = rows * 220 + 256 * 200 * 256 * 16
        assert got["memory_breakdown_gb"]["activations"] == pytest.approx(expected / 1e9)
    assert many["step_time_s"] > 5 * few["step_time_s"]


@pytest.mark.parametrize(
    ("flags", "wide"),
    [
        ("serve|--model|dlrm-dcnv2|--precision|int8", True),
        ("train|--model|dlrm-dcnv2|--batch|65536", True),
        ("train|--model|stable-diffusion-2|--batch|8", True),
        ("serve|--model|stable-diffusion-xl|--precision|int8", True),
        ("serve|--model|stable-diffusion-xl|--precision|bf16", False),
        ("serve|--model|resnet50|--precision|int8", False),
    ],
)
def test_one_measured_model_earns_no_narrow_interval(flags, wide):
    got = answer(flags + "|--device|H100")
    assert not got["extrapolated"]
    spread = got["interval"]["high"] / got["interval"]["low"]
    assert spread == pytest.approx(1.6 / 0.6 if wide else 1.35 / 0.75)


@pytest.mark.parametrize(
    ("model", "device", "precision"), [("deepseek-r1", "B200", "nvfp4"), ("llama2-70b-99", "H100", "fp8")]
)
def test_a_server_of_random_arrivals_keeps_room_that_a_queue_on_disk_does_not_need(model, device, precision):
    flags = f"serve|--model|{model}|--device|{device}|--devices|8|--precision|{precision}|--scenario|"
    offline, server = answer(flags + "offline"), answer(flags + "server")
    assert server["layout"]["batch"] < 0.9 * offline["layout"]["batch"]
    assert 0.5 * offline["samples_per_s"] < server["samples_per_s"] < offline["samples_per_s"]
    # The 99th percentile of the crowd fits: at least that of independent arrivals.
    most, mean = server["max_batch"], server["layout"]["batch"]
    assert mean + 2.33 * mean**0.5 <= most


def test_a_tighter_limit_per_token_serves_fewer():
    flags = "serve|--model|deepseek-r1|--device|B200|--devices|8|--precision|nvfp4|--scenario|server|--tpot|"
    rates = [answer(flags + f"{limit}ms")["samples_per_s"] for limit in (80, 40, 25)]
    assert rates == sorted(rates, reverse=True)
    assert rates[2] < 0.8 * rates[0]
