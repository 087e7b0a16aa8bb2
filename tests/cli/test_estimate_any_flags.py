"""Whatever a person types after a flag: an answer within bounds, or words and exit code 2. Never anything else."""

from __future__ import annotations

import json
import math
from dataclasses import fields

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from twinloop.cli.estimate import command, serve, train
from twinloop.errors import InputError
from twinloop.model.network import Network

MODELS = (
    "llama-3-8b", "mixtral-8x7b", "resnet50", "dlrm-dcnv2", "gpt3-175b", "bert-large", "stable-diffusion-xl", "xgboost",
    "gromacs-stmv", "whisper-large-v3", "rgat", "layers=16,hidden=2048,heads=16,vocabulary=51200,context=1024",
)  # fmt: skip
DEVICES = ("H100", "A100", "MI300X", "TPU-v5p", "EPYC-9654", "T4", "Jetson-AGX-Orin-64GB", "Alveo-U280")
SENSIBLE = ("1", "2", "3", "8", "12", "64", "128", "4096", "0.5", "1.5", "30", "250", "1e-6", "8x8", "full", "fp8")
ODD = (
    "0", "-1", "-0", "nan", "inf", "-inf", "1e308", "1e400", "1e-300", "99999999999999999999", "2147483648", "1e18",
    "abc", "", "3.7", "8GB", "1,5", "0x10", "10 W", "30 °C", "40 ms", "1 day", "-5 days", "None", "true", "--",
)  # fmt: skip
FLAGS = {
    verb: sorted(
        each.opts[0] for each in of.params if each.opts[0] not in ("--json", "--out", "-q", "-v") and not each.is_flag
    )
    for verb, of in (("train", train), ("serve", serve))
}  # fmt: skip


@st.composite
def command_lines(draw):
    verb = draw(st.sampled_from(sorted(FLAGS)))
    given_ = {"--model": draw(st.sampled_from(MODELS)), "--device": draw(st.sampled_from(DEVICES))}
    given_ |= {"--devices": draw(st.sampled_from(("1", "8", "16")))} | ({"--batch": "64"} if verb == "train" else {})
    for flag in draw(st.lists(st.sampled_from(FLAGS[verb]), min_size=1, max_size=3, unique=True)):
        given_[flag] = draw(st.sampled_from(SENSIBLE) | st.sampled_from(ODD))
    if verb == "train" and draw(st.integers(0, 9)) == 0:
        given_["--search"] = ""
    return (
        verb,
        *(
            word
            for flag, value in given_.items()
            for word in ((flag, value) if value or flag != "--search" else (flag,))
        ),
    )


@st.composite
def inline_models(draw):
    name = draw(st.sampled_from(("layers=16,hidden=2048,heads=16", "llama-3-8b:", "deepseek-v3:", "resnet50:", "dlrm:",
                                 "xgboost:", "kind=generic,parameters=1e9", "t5-large:", "rgat:")))  # fmt: skip
    keys = draw(st.lists(st.sampled_from([each.name for each in fields(Network)]), min_size=1, max_size=3, unique=True))
    words = [f"{key}={draw(st.sampled_from(SENSIBLE) | st.sampled_from(ODD))}" for key in keys]
    model = name + ",".join(words) if name.endswith(":") else ",".join((name, *words))
    verb = draw(st.sampled_from((("train", "--batch", "64"), ("serve",))))
    return (*verb, "--model", model, "--device", draw(st.sampled_from(DEVICES)))


def numbers(answer):
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, list):
        for each in answer:
            yield from numbers(each)
    elif isinstance(answer, float):
        yield answer


def holds(words):
    result = CliRunner().invoke(command, [*words, "--json"])
    if result.exit_code:
        if isinstance(result.exception, InputError):
            assert result.exception.exit_code == 2
            assert str(result.exception).strip()
        else:
            assert isinstance(result.exception, SystemExit), (words, repr(result.exception))
            assert result.exit_code == 2, words
            assert result.output.strip(), words
        return
    got = json.loads(result.stdout)
    assert all(math.isfinite(each) for each in numbers(got)), words
    assert got["memory_per_device_gb"] > 0.0, words
    if words[0] == "train":
        assert 0.0 < got["step_time_s"] < 1e12, words
        assert 0.0 < got["mfu"] <= got["hfu"] <= 1.0, words


@settings(max_examples=100, deadline=None)
@given(command_lines())
def test_any_value_of_any_flag_is_answered_within_bounds_or_refused_in_words(words):
    holds(words)


@settings(max_examples=60, deadline=None)
@given(inline_models())
def test_any_keys_of_a_model_are_answered_within_bounds_or_refused_in_words(words):
    holds(words)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None)
@given(command_lines() | inline_models())
def test_many_more_command_lines(words):
    holds(words)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("--precision int8", "--precision: got int8, expected a format to train in"),
        ("--precision w4a16", "--precision: got int4, expected a format to train in"),
        ("--expert-tensor 4", "--expert-tensor: got 4, expected a divisor of an expert's width, 0"),
        ("--devices 100000000", "--devices: got 100000000, expected at most 10,000,000"),
        ("--network 1e-9", "--network: got 1e-09, expected GB/s per device from 0.001 to 100000"),
        ("--search --optimizer sdg", "--optimizer: got sdg"),
        ("--search --devices 9973", "--devices: got 9973"),
    ],
)
def test_what_nobody_can_mean_is_refused(flags, told):
    result = CliRunner().invoke(
        command, ["train", "--model", "llama-3-8b", "--device", "H100", "--batch", "64", *flags.split()]
    )
    assert isinstance(result.exception, InputError), result.output
    assert told in str(result.exception)


@pytest.mark.parametrize(
    ("model", "flags", "told"),
    [
        ("resnet50", "--task lora", "--task: got lora:16, expected pretrain or sft"),
        (
            "mixtral-8x7b",
            "--expert 8 --expert-tensor 2 --devices 8",
            "--expert x --expert-tensor: got 16, expected at most",
        ),
    ],
)
def test_what_a_model_cannot_do_is_refused(model, flags, told):
    result = CliRunner().invoke(
        command, ["train", "--model", model, "--device", "H100", "--batch", "64", *flags.split()]
    )
    assert isinstance(result.exception, InputError), result.output
    assert told in str(result.exception)


def test_a_search_says_why_the_layout_that_a_person_named_is_none():
    words = "train --model gpt3-13b --device A100 --devices 16 --batch 64 --search --top 1 --json --tensor 16"
    got = json.loads(CliRunner().invoke(command, words.split()).stdout)
    assert got["asked"] == {
        "tensor": 16, "step_time_s": None, "fits": None, "refused": ["tensor 16 does not divide 40 heads"]
    }  # fmt: skip
    assert got["fits"]
