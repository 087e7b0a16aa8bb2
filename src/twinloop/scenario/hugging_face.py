"""Architectures from a Hugging Face ``config.json``.

Honoured fields, first present wins; of a multimodal model those of ``text_config``:

==================  ====================================================================================
layers              ``num_hidden_layers | n_layer | n_layers | num_layers``
hidden              ``hidden_size | n_embd | d_model | dim``
heads               ``num_attention_heads | n_head | n_heads``
kv_heads            ``num_key_value_heads | num_kv_heads``, 1 where ``multi_query``, else heads
head_dim            ``head_dim | v_head_dim``, else hidden / heads
ffn                 ``intermediate_size | n_inner | ffn_dim | hidden_dim``, else 4 hidden
vocabulary          ``vocab_size``
context             ``max_position_embeddings | n_positions | n_ctx | seq_length | max_seq_len``
tied                ``tie_word_embeddings``, else by ``model_type``
gated               ``model_type`` and ``hidden_act | activation_function``
attention           ``kv_lora_rank`` (latent); ``sliding_window`` where *all* layers slide (``layer_types``,
                    ``sliding_window_pattern``, ``use_sliding_window``), else full length by fused kernels
causal              ``model_type``
experts             ``num_local_experts | n_routed_experts | num_experts``
top_k               ``num_experts_per_tok | experts_per_token | num_experts_per_token``
shared_experts      ``n_shared_experts``, or ``shared_expert_intermediate_size`` over the expert's width
expert_groups       ``n_group`` with ``topk_group`` for ``group_top_k``, where that limits
expert_ffn          ``moe_intermediate_size``, else ffn
dense_layers        ``first_k_dense_replace``, ``mlp_only_layers``, ``decoder_sparse_step``
==================  ====================================================================================

Not honoured: quantisation, dropout, multi-token prediction heads, vision and audio towers. Refused:
encoder-decoder models and state-space models, which :class:`~twinloop.model.network.Network` cannot
express from these fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twinloop.errors import Fault, InputError
from twinloop.model.network import AttentionKind, Network

LARGEST_B = 10_000_000
LARGEST_COUNT = 10**8
"""No published field comes near; more is a slip."""

ENCODERS = frozenset(
    (
        "bert",
        "roberta",
        "xlm-roberta",
        "distilbert",
        "electra",
        "deberta",
        "deberta-v2",
        "albert",
        "modernbert",
    )
)
UNGATED = ENCODERS - {"modernbert"} | {
    "gpt2",
    "gpt_neo",
    "gpt_neox",
    "gptj",
    "opt",
    "bloom",
    "falcon",
    "gpt_bigcode",
    "starcoder2",
    "phi",
    "mpt",
    "codegen",
}
TIED = ENCODERS | {
    "gpt2",
    "gpt_neo",
    "opt",
    "bloom",
    "falcon",
    "gpt_bigcode",
    "mpt",
    "gemma",
    "gemma2",
    "gemma3",
    "gemma3_text",
}
"""Families whose configuration class ties input and output embeddings unless the file says otherwise."""
ALTERNATING = frozenset(("gemma2", "gemma3", "gemma3_text", "gpt_oss", "cohere2"))
"""Sliding and full layers in turn: counted at full length, the larger cost."""
STATE_SPACE = frozenset(("mamba", "mamba2", "rwkv", "jamba", "zamba", "zamba2", "falcon_mamba", "bamba"))


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
    data = _read(path)
    inner = data.get("text_config")
    if isinstance(inner, dict):
        data = {**data, **inner}
    family = str(data.get("model_type", ""))
    _refuse(data, family, path)
    read = _Reader(str(path), data)
    hidden, heads = (
        read.whole("hidden_size", "n_embd", "d_model", "dim"),
        read.whole("num_attention_heads", "n_head", "n_heads"),
    )
    layers = read.whole("num_hidden_layers", "n_layer", "n_layers", "num_layers")
    own_dim = any(data.get(key) is not None for key in ("head_dim", "v_head_dim"))
    if hidden % heads and not own_dim and not read.faults:
        read.faults.append(
            Fault(str(path), None, "num_attention_heads", str(heads), f"a divisor of {hidden}, or head_dim")
        )
    ffn = read.whole("intermediate_size", "n_inner", "ffn_dim", "hidden_dim", otherwise=4 * hidden)
    mixture = _mixture(read, layers, ffn)
    attention, window = _attention(read, family)
    network = Network(
        name=name,
        kind="mixture" if mixture else "transformer",
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=1
        if data.get("multi_query") is True
        else read.whole("num_key_value_heads", "num_kv_heads", otherwise=heads),
        head_dim=read.whole("head_dim", "v_head_dim", otherwise=hidden // heads),
        ffn=ffn,
        gated=_gated(data, family),
        tied=read.flag("tie_word_embeddings", otherwise=family in TIED),
        vocabulary=read.whole("vocab_size"),
        context=read.whole("max_position_embeddings", "n_positions", "n_ctx", "seq_length", "max_seq_len"),
        attention=attention,
        window=window,
        causal=family not in ENCODERS,
        source=path.name,
        **mixture,
    )
    if read.faults:
        raise InputError(tuple(read.faults))
    return network


def _refuse(data: Mapping[str, Any], family: str, path: Path) -> None:
    if data.get("is_encoder_decoder") is True:
        expected = "an encoder or a decoder: both in one are not supported yet"
        raise InputError(Fault(str(path), None, "is_encoder_decoder", "true", expected))
    if family in STATE_SPACE:
        expected = "a model of attention layers: state-space models are not supported yet"
        raise InputError(Fault(str(path), None, "model_type", repr(family), expected))


def _mixture(read: _Reader, layers: int, ffn: int) -> dict[str, int]:
    experts = read.whole("num_local_experts", "n_routed_experts", "num_experts", otherwise=0, least=0)
    if experts < 2:
        return {}
    width = read.whole("moe_intermediate_size", otherwise=ffn)
    shared = read.whole("n_shared_experts", "num_shared_experts", otherwise=0, least=0)
    shared_width = read.whole("shared_expert_intermediate_size", otherwise=0, least=0)
    step = read.whole("decoder_sparse_step", otherwise=1)
    only = read.data.get("mlp_only_layers")
    dense = set(only) if isinstance(only, list) and all(isinstance(each, int) for each in only) else set()
    dense |= {layer for layer in range(layers) if (layer + 1) % step} if step <= layers <= 10_000 else set()
    groups = read.whole("n_group", otherwise=1)
    kept = min(read.whole("topk_group", otherwise=1), groups)
    first = read.whole("first_k_dense_replace", otherwise=0, least=0)
    return {
        "experts": experts,
        "top_k": min(read.whole("num_experts_per_tok", "experts_per_token", "num_experts_per_token"), experts),
        "shared_experts": shared or round(shared_width / width),
        "expert_ffn": width,
        "expert_groups": groups if kept < groups else 0,
        "group_top_k": kept if kept < groups else 0,
        "dense_layers": min(max(first, len(dense)), layers),
    }


def _attention(read: _Reader, family: str) -> tuple[AttentionKind, int]:
    data = read.data
    if data.get("kv_lora_rank") is not None:
        return "mla", 0
    if data.get("sliding_window") is None or family in ALTERNATING or data.get("sliding_window_pattern") is not None:
        return "flash", 0
    kinds = data.get("layer_types")
    if isinstance(kinds, list) and any(kind != "sliding_attention" for kind in kinds):
        return "flash", 0
    used = read.flag("use_sliding_window", otherwise=not family.startswith("qwen"))
    return ("sliding", read.whole("sliding_window")) if used else ("flash", 0)


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
