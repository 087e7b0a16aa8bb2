"""config.json of published models: their parameter counts (safetensors headers, model cards), or a refusal in words.

Configurations are reduced to the fields that count; the counts leave out what the fields do not tell (biases of
attention, norms of queries and keys, token types, poolers).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from twinloop.errors import InputError
from twinloop.scenario.hugging_face import network_from_config
from twinloop.workload.transformer import parameter_count

PUBLISHED = json.loads((Path(__file__).parent / "published_configs.json").read_text(encoding="utf-8"))
UNTOLD = {"bert-base": 0.006, "bloom-560m": 0.005}
"""Token types and pooler; the norm behind the embedding and its table's padding."""
MIXTRAL = PUBLISHED["mixtral"]["config"]


def read(tmp_path, config):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return network_from_config("it", path)


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_published_models_have_their_published_parameters(tmp_path, name):
    network = read(tmp_path, PUBLISHED[name]["config"])
    want = PUBLISHED[name]["parameters"]
    assert parameter_count(network) == pytest.approx(want, rel=UNTOLD.get(name, 0.0025))


@pytest.mark.parametrize(
    ("name", "window", "near"),
    [("gemma2-9b", 4096, 21), ("gemma3-1b", 512, 22), ("gemma3-27b", 1024, 52), ("gpt-oss-20b", 128, 12)],
)
def test_layers_that_see_a_window_are_counted(tmp_path, name, window, near):
    network = read(tmp_path, PUBLISHED[name]["config"])
    assert (network.attention, network.window, network.window_layers) == ("flash", window, near)


def test_every_layer_of_mistral_slides_and_none_of_qwen(tmp_path):
    sliding = read(tmp_path, PUBLISHED["mistral-7b"]["config"])
    assert (sliding.attention, sliding.window, sliding.window_layers) == ("sliding", 4096, 0)
    assert read(tmp_path, PUBLISHED["qwen2-7b"]["config"]).window == 0


def test_falcon_has_one_key_head_or_the_number_its_new_decoder_says(tmp_path):
    assert read(tmp_path, PUBLISHED["falcon-7b"]["config"]).kv_heads == 1
    assert read(tmp_path, PUBLISHED["falcon-40b"]["config"]).kv_heads == 8


def test_queries_without_a_rank_are_counted_as_they_are(tmp_path):
    lite = PUBLISHED["deepseek-v2-lite"]["config"]
    through = read(tmp_path, {**lite, "q_lora_rank": 1536})
    straight = read(tmp_path, lite)
    # 27 layers: 2048 x 1536 + 1536 x 16 x 192 through the rank, 2048 x 16 x 192 without.
    assert parameter_count(through) - parameter_count(straight) == 27 * 1_572_864


def test_experts_of_other_names_are_read_or_refused(tmp_path):
    base = {key: value for key, value in MIXTRAL.items() if "expert" not in key}
    ernie = {**base, "moe_num_experts": 64, "moe_k": 6, "moe_layer_start_index": 1, "moe_num_shared_experts": 2}
    found = read(tmp_path, ernie)
    assert (found.experts, found.top_k, found.dense_layers, found.shared_experts) == (64, 6, 1, 2)
    with pytest.raises(InputError) as caught:
        read(tmp_path, {**base, "expert_count": 64})
    assert "expert_count" in str(caught.value)


REFUSED = {
    "more experts chosen than there are": ({**MIXTRAL, "num_experts_per_tok": 20}, "num_experts_per_tok", "8 experts"),
    "t5": ({"model_type": "t5", "d_model": 768}, "t5", "both in one"),
    "whisper": ({"model_type": "whisper", "is_encoder_decoder": True, "d_model": 1280}, "whisper", "both in one"),
    "vit": ({"model_type": "vit", "hidden_size": 768, "patch_size": 16}, "patch_size", "vision"),
    "mamba": ({"model_type": "mamba", "hidden_size": 768, "state_size": 16}, "model_type", "state-space"),
    "a family unheard of, with a state": (
        {**MIXTRAL, "model_type": "x", "ssm_state_size": 128},
        "ssm_state_size",
        "st",
    ),
    "linear attention": ({**MIXTRAL, "linear_num_value_heads": 32}, "linear_num_value_heads", "linear-attention"),
    "a rank that is no number": ({**PUBLISHED["deepseek-v3"]["config"], "q_lora_rank": "x"}, "q_lora_rank", "whole"),
    "lightning attention": ({**MIXTRAL, "attn_type_list": [0, 0, 1]}, "attn_type_list", "linear-attention"),
    "another rank": ({**PUBLISHED["deepseek-v3"]["config"], "kv_lora_rank": 256}, "kv_lora_rank", "512"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_cannot_be_expressed_is_refused_by_field(tmp_path, case):
    config, field, words = REFUSED[case]
    with pytest.raises(InputError) as caught:
        read(tmp_path, config)
    assert field in str(caught.value)
    assert words in str(caught.value)
