"""Architectures from a Hugging Face ``config.json``.

Honoured fields, first present wins; of a multimodal model those of ``text_config``:

==================  ====================================================================================
layers              ``num_hidden_layers | n_layer | n_layers | num_layers``
hidden              ``hidden_size | n_embd | n_embed | d_model | dim``
heads               ``num_attention_heads | n_head | n_heads``
kv_heads            ``num_key_value_heads | num_kv_heads``, 1 where ``multi_query`` (not with
                    ``new_decoder_architecture``), else heads
head_dim            ``head_dim | v_head_dim``, else hidden / heads
ffn                 ``intermediate_size | n_inner | ffn_dim | hidden_dim``, else 4 hidden
vocabulary          ``vocab_size``
context             ``max_position_embeddings | n_positions | n_ctx | seq_length | max_seq_len``
tied                ``tie_word_embeddings``, else by ``model_type``
gated               ``model_type`` and ``hidden_act | activation_function``
attention           ``kv_lora_rank`` (latent); ``sliding_window`` with the layers that slide: ``layer_types``,
                    ``sliding_window_pattern``, ``use_sliding_window`` and ``max_window_layers``, else the
                    family's habit; else full length by fused kernels
causal              ``model_type``
experts             ``num_local_experts | n_routed_experts | num_experts | moe_num_experts``
top_k               ``num_experts_per_tok | experts_per_token | num_experts_per_token | moe_k``
shared_experts      ``n_shared_experts``, or ``shared_expert_intermediate_size`` over the expert's width
expert_groups       ``n_group`` with ``topk_group`` for ``group_top_k``, where that limits
expert_ffn          ``moe_intermediate_size``, else ffn
dense_layers        ``first_k_dense_replace``, ``mlp_only_layers``, ``decoder_sparse_step``; of Llama 4
                    ``interleave_moe_layer_step``, its one shared expert and ``intermediate_size_mlp``
==================  ====================================================================================

Fields that a published file leaves out because its configuration class fills them in are filled in alike
(``FILLED``). Not honoured: quantisation, dropout, multi-token prediction heads, sparse choice of cached tokens,
attention by chunks (Llama 4: served rates do not show it), vision and audio towers. Refused: a count of experts by
another name, encoder-decoder, vision, state-space and linear-attention models, and latent attention of other ranks than
DeepSeek's, which :class:`~twinloop.model.network.Network` cannot express from these fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from twinloop.errors import Fault, InputError
from twinloop.model.network import AttentionKind, Network
from twinloop.workload.transformer import MLA_QUERY_RANK, parameter_count

LARGEST_B = 10_000_000
LARGEST_COUNT = 10**8
"""No published field comes near; more is a slip."""

ENCODERS = frozenset(
    ("bert", "roberta", "xlm-roberta", "distilbert", "electra", "deberta", "deberta-v2", "albert", "modernbert")
)
UNGATED = ENCODERS - {"modernbert"} | {
    "gpt2", "gpt_neo", "gpt_neox", "gptj", "opt", "bloom", "falcon", "gpt_bigcode", "starcoder2", "phi", "mpt",
    "codegen", "nemotron",
}  # fmt: skip
UNPLACED = frozenset(("gpt_neox", "gptj", "phi", "falcon", "bloom", "mpt", "codegen", "starcoder2", "nemotron"))
"""Ungated families without learned positions: rotary ones or slopes."""
TIED = ENCODERS | {
    "gpt2", "gpt_neo", "opt", "bloom", "falcon", "gpt_bigcode", "starcoder2", "mpt", "gemma", "gemma2", "gemma3",
    "gemma3_text", "cohere", "cohere2",
}  # fmt: skip
"""Families whose configuration class ties input and output embeddings unless the file says otherwise."""
FULL_EVERY = {"gemma2": 2, "gpt_oss": 2, "cohere2": 4, "gemma3": 6, "gemma3_text": 6}
"""Families in which every n-th layer sees all tokens and the others a window, where the file does not say."""
_GEMMA3 = {
    "vocab_size": 262_208, "max_position_embeddings": 131_072, "num_attention_heads": 8, "num_key_value_heads": 4,
    "head_dim": 256,
}  # fmt: skip
FILLED: dict[str, dict[str, int]] = {
    "falcon": {"max_position_embeddings": 2048}, "bloom": {"seq_length": 2048},
    "gemma3": _GEMMA3, "gemma3_text": _GEMMA3,
}  # fmt: skip
"""What configuration classes of transformers 4.50 fill in where published files of the family leave it out."""
STATE_SPACE = frozenset(("mamba", "mamba2", "rwkv", "jamba", "zamba", "zamba2", "falcon_mamba", "bamba", "nemotron_h"))
RECURRENT = (
    "ssm_cfg", "state_size", "ssm_state_size", "mamba_d_state", "hybrid_override_pattern", "linear_num_value_heads",
    "linear_attn_config", "attn_layer_period",
)  # fmt: skip
"""Fields that only models with recurrent layers have."""
EXPERTS = ("num_local_experts", "n_routed_experts", "num_experts", "moe_num_experts")
BOTH = frozenset(("t5", "mt5", "umt5", "bart", "mbart", "marian", "pegasus", "m2m_100", "led", "whisper", "bert2bert"))
LATENT_RANKS = {"kv_lora_rank": 512, "qk_rope_head_dim": 64}
NESTED = {
    "kv_n_heads": "num_key_value_heads", "ffn_hidden_size": "intermediate_size", "moe_num_experts": "num_local_experts",
    "moe_top_k": "num_experts_per_tok",
}  # fmt: skip
"""Names inside DBRX's ``attn_config`` and ``ffn_config``, and what the others call them."""


@dataclass
class _Reader:
    """Looks fields up and keeps what is wrong."""

    file: str
    data: Mapping[str, Any]
    faults: list[Fault] = field(default_factory=list)

    def whole(self, *keys: str, otherwise: int | None = None, least: int = 1) -> int:
        """Return the first of ``keys`` that is present, a whole number."""
        for key in keys:
            value = self.data.get(key)
            if value is None:
                continue
            if isinstance(value, int) and not isinstance(value, bool) and least <= value <= LARGEST_COUNT:
                return value
            self._fault(key, f"{value!r:.40}", f"a whole number from {least} to {LARGEST_COUNT}")
            return least
        if otherwise is None:
            self._fault(keys[0], "nothing", f"one of {', '.join(keys)}")
            return 1
        return otherwise

    def flag(self, key: str, *, otherwise: bool) -> bool:
        """Return ``key``, true or false."""
        value = self.data.get(key)
        if value is None:
            return otherwise
        if not isinstance(value, bool):
            self._fault(key, f"{value!r:.40}", "true or false")
        return bool(value)

    def _fault(self, key: str, got: str, expected: str) -> None:
        self.faults.append(Fault(self.file, None, key, got, expected))


def network_from_config(name: str, path: Path) -> Network:
    """Return the architecture described by the ``config.json`` at ``path``.

    Raises:
        InputError: unreadable, not JSON, of a family that is not supported, or with faulty fields, all named.
    """
    data = _flat(_read(path))
    family = str(data.get("model_type", ""))
    data = {**FILLED.get(family, {}), **{key: value for key, value in data.items() if value is not None}}
    _refuse(data, family, path)
    read = _Reader(str(path), data)
    hidden, heads = (
        read.whole("hidden_size", "n_embd", "n_embed", "d_model", "dim"),
        read.whole("num_attention_heads", "n_head", "n_heads"),
    )
    layers = read.whole("num_hidden_layers", "n_layer", "n_layers", "num_layers")
    own_dim = any(data.get(key) is not None for key in ("head_dim", "v_head_dim"))
    if hidden % heads and not own_dim and not read.faults:
        read.faults.append(
            Fault(str(path), None, "num_attention_heads", str(heads), f"a divisor of {hidden}, or head_dim")
        )
    ffn = read.whole("intermediate_size", "n_inner", "ffn_dim", "hidden_dim", otherwise=4 * hidden)
    llama4 = family.startswith("llama4")
    mixture = _llama4(read, layers, ffn) if llama4 else _mixture(read, layers, ffn)
    attention, window, window_layers = _attention(read, family, layers)
    rank = read.whole("q_lora_rank", otherwise=0, least=0)
    one_head = data.get("multi_query") is True and data.get("new_decoder_architecture") is not True
    network = Network(
        name=name,
        kind="mixture" if mixture else "transformer",
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=1 if one_head else read.whole("num_key_value_heads", "num_kv_heads", otherwise=heads),
        head_dim=read.whole("head_dim", "v_head_dim", otherwise=hidden // heads),
        ffn=read.whole("intermediate_size_mlp", otherwise=ffn) if llama4 else ffn,
        gated=_gated(data, family),
        tied=read.flag("tie_word_embeddings", otherwise=family in TIED),
        vocabulary=read.whole("vocab_size"),
        context=read.whole("max_position_embeddings", "n_positions", "n_ctx", "seq_length", "max_seq_len"),
        attention=attention,
        window=window,
        window_layers=window_layers,
        causal=family not in ENCODERS,
        source=path.name,
        **mixture,
    )
    if read.faults:
        raise InputError(tuple(read.faults))
    more = -network.context * network.hidden if family in UNPLACED else 0
    if attention == "mla":
        more += layers * (_query_weights(network, rank) - _query_weights(network, MLA_QUERY_RANK))
    return replace(network, parameters=parameter_count(network) + more) if more else network


def _flat(data: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with those of a multimodal model's text, and of DBRX's two parts, among them."""
    inner = data.get("text_config")
    if isinstance(inner, dict):
        data = {**data, **inner}
    if data.get("model_type") != "dbrx":
        return data
    parts = [part for part in (data.get("attn_config"), data.get("ffn_config")) if isinstance(part, dict)]
    return {**data, **{NESTED[key]: value for part in parts for key, value in part.items() if key in NESTED}}


def _query_weights(network: Network, rank: float) -> int:
    """Return what makes the queries of a layer of latent attention, through ``rank`` or (0) directly."""
    wide = network.heads * (network.head_dim + LATENT_RANKS["qk_rope_head_dim"])
    return int(rank * (network.hidden + wide) if rank else network.hidden * wide)


def _refuse(data: Mapping[str, Any], family: str, path: Path) -> None:
    recurrent = next((key for key in RECURRENT if data.get(key) is not None), None)
    kinds = data.get("attn_type_list")  # MiniMax-01: 0 is lightning attention
    recurrent = "attn_type_list" if isinstance(kinds, list) and 0 in kinds else recurrent
    latent = data.get("kv_lora_rank")
    other = {key: data[key] for key, rank in LATENT_RANKS.items() if latent and data.get(key, rank) != rank}
    if data.get("is_encoder_decoder") is True or family in BOTH:
        got, expected = (family or "true"), "an encoder or a decoder: both in one are not supported yet"
        raise InputError(Fault(str(path), None, "is_encoder_decoder", got, expected))
    if family in STATE_SPACE or recurrent:
        expected = "a model of attention layers: state-space and linear-attention layers are not read from a file yet"
        key = "model_type" if family in STATE_SPACE else str(recurrent)
        raise InputError(Fault(str(path), None, key, repr(family or recurrent), expected))
    if "patch_size" in data and "vocab_size" not in data:
        expected = "a language model: vision models go by a catalogue name or an ONNX file"
        raise InputError(Fault(str(path), None, "patch_size", f"{data['patch_size']!r:.20}", expected))
    for key, got in other.items():
        raise InputError(Fault(str(path), None, key, f"{got!r:.20}", f"{LATENT_RANKS[key]}, as DeepSeek's models have"))


def _several(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 1


def _chosen(read: _Reader, experts: int) -> int:
    """Return the experts that a token passes; more than there are is a fault."""
    keys = ("num_experts_per_tok", "experts_per_token", "num_experts_per_token", "moe_k")
    chosen = read.whole(*keys)
    if chosen > experts:
        key = next((key for key in keys if read.data.get(key) is not None), keys[0])
        read.faults.append(Fault(read.file, None, key, str(chosen), f"at most the {experts} experts"))
    return min(chosen, experts)


def _llama4(read: _Reader, layers: int, ffn: int) -> dict[str, int]:
    """Return Llama 4's experts: one shared beside them, on every n-th layer."""
    experts = read.whole("num_local_experts", otherwise=16)
    step = read.whole("interleave_moe_layer_step", otherwise=1)
    return {
        "experts": experts,
        "top_k": _chosen(read, experts),
        "shared_experts": 1,
        "expert_ffn": ffn,
        "dense_layers": layers - layers // step,
    }


def _mixture(read: _Reader, layers: int, ffn: int) -> dict[str, int]:
    experts = read.whole(*EXPERTS, otherwise=0, least=0)
    if experts < 2:
        unread = [key for key, value in read.data.items() if "expert" in key and key not in EXPERTS and _several(value)]
        read.faults += [Fault(read.file, None, key, f"{read.data[key]!r:.40}", f"with {EXPERTS[0]}") for key in unread]
        return {}
    width = read.whole("moe_intermediate_size", otherwise=ffn)
    shared = read.whole("n_shared_experts", "num_shared_experts", "moe_num_shared_experts", otherwise=0, least=0)
    shared_width = read.whole("shared_expert_intermediate_size", otherwise=0, least=0)
    step = read.whole("decoder_sparse_step", otherwise=1)
    only = read.data.get("mlp_only_layers")
    dense = set(only) if isinstance(only, list) and all(isinstance(each, int) for each in only) else set()
    dense |= {layer for layer in range(layers) if (layer + 1) % step} if step <= layers <= 10_000 else set()
    groups = read.whole("n_group", otherwise=1)
    kept = min(read.whole("topk_group", otherwise=1), groups)
    first = read.whole("first_k_dense_replace", "moe_layer_start_index", otherwise=0, least=0)
    return {
        "experts": experts,
        "top_k": _chosen(read, experts),
        "shared_experts": shared or round(shared_width / width),
        "expert_ffn": width,
        "expert_groups": groups if kept < groups else 0,
        "group_top_k": kept if kept < groups else 0,
        "dense_layers": min(max(first, len(dense)), layers),
    }


def _attention(read: _Reader, family: str, layers: int) -> tuple[AttentionKind, int, int]:
    """Return (kind, window, layers that see only it; 0: all of a sliding model)."""
    data = read.data
    if data.get("kv_lora_rank") is not None:
        return "mla", 0, 0
    if data.get("sliding_window") is None or not read.flag("use_sliding_window", otherwise=family[:4] != "qwen"):
        return "flash", 0, 0
    window, kinds = read.whole("sliding_window"), data.get("layer_types")
    every = read.whole(
        "sliding_window_pattern", "_sliding_window_pattern", otherwise=FULL_EVERY.get(family, 0), least=0
    )
    if isinstance(kinds, list):
        near = sum(kind == "sliding_attention" for kind in kinds)
    elif family.startswith("qwen"):
        near = max(layers - read.whole("max_window_layers", otherwise=layers, least=0), 0)
    else:
        near = layers - layers // every if every else layers
    if near >= layers:
        return "sliding", window, 0
    return ("flash", window, near) if near else ("flash", 0, 0)


def _gated(data: Mapping[str, Any], family: str) -> bool:
    if family in UNGATED:
        return False
    activation = str(
        data.get("hidden_act") or data.get("hidden_activation") or data.get("activation_function") or "silu"
    )
    return family.startswith(("gemma", "modernbert")) or activation in (
        "silu",
        "swish",
        "swiglu",
        "geglu",
        "xielu",
    )


def _read(path: Path) -> dict[str, Any]:
    file = str(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST_B + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(Fault(file, None, "config", reason, "a readable config.json")) from error
    if len(raw) > LARGEST_B:
        raise InputError(Fault(file, None, "config", "more than 10 MB", "a config.json of a few kB"))
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise InputError(Fault(file, line, "config", f"broken JSON ({error})"[:120], "JSON")) from error
    if not isinstance(data, dict):
        raise InputError(Fault(file, 1, "config", type(data).__name__, "a JSON object"))
    return data
