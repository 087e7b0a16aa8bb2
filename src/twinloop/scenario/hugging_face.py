"""Architectures from a Hugging Face ``config.json``.

Honoured fields (first present wins): ``num_hidden_layers | n_layer``; ``hidden_size | n_embd | d_model``;
``num_attention_heads | n_head``; ``num_key_value_heads``; ``head_dim``; ``intermediate_size | n_inner``;
``vocab_size``; ``max_position_embeddings | n_positions``; ``tie_word_embeddings``; ``sliding_window``;
``num_local_experts | n_routed_experts | num_experts``; ``num_experts_per_tok``; ``n_shared_experts``;
``moe_intermediate_size``; ``first_k_dense_replace``; ``model_type``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twinloop.errors import Fault, InputError
from twinloop.model.network import Network

ENCODERS = {"bert", "roberta", "distilbert", "electra", "deberta", "albert"}
UNGATED = ENCODERS | {"gpt2", "gpt_neo", "gpt_neox", "opt", "bloom", "falcon", "gpt_bigcode"}


def network_from_config(name: str, path: Path) -> Network:
    """Return the architecture described by the ``config.json`` at ``path``.

    Raises:
        InputError: unreadable, not JSON, or a needed field is missing.
    """
    data = _read(path)
    kind = str(data.get("model_type", ""))

    def number(*keys: str, default: int | None = None) -> int:
        for key in keys:
            value = data.get(key)
            if isinstance(value, int) and not isinstance(value, bool):
                return value
        if default is None:
            raise InputError(Fault(str(path), None, keys[0], "nothing", f"one of {', '.join(keys)}"))
        return default

    hidden = number("hidden_size", "n_embd", "d_model")
    heads = number("num_attention_heads", "n_head")
    experts = number("num_local_experts", "n_routed_experts", "num_experts", default=0)
    window = data.get("sliding_window")
    sliding = isinstance(window, int) and data.get("use_sliding_window", True)
    ffn = number("intermediate_size", "n_inner", default=4 * hidden)
    return Network(
        name=name,
        kind="mixture" if experts else "transformer",
        layers=number("num_hidden_layers", "n_layer"),
        hidden=hidden,
        heads=heads,
        kv_heads=number("num_key_value_heads", default=heads),
        head_dim=number("head_dim", default=hidden // heads),
        ffn=ffn,
        gated=kind not in UNGATED,
        tied=bool(data.get("tie_word_embeddings", kind in UNGATED)),
        vocabulary=number("vocab_size"),
        context=number("max_position_embeddings", "n_positions", default=2048),
        attention="sliding" if sliding else "mla" if "kv_lora_rank" in data else "flash",
        window=int(window) if sliding and isinstance(window, int) else 0,
        causal=kind not in ENCODERS,
        experts=experts,
        top_k=number("num_experts_per_tok", default=0),
        shared_experts=number("n_shared_experts", default=0),
        expert_ffn=number("moe_intermediate_size", default=ffn if experts else 0),
        dense_layers=number("first_k_dense_replace", default=0),
        source=str(path.name),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            Fault(str(path), None, "config", error.strerror or "an error", "a readable config.json")
        ) from error
    except ValueError as error:
        raise InputError(
            Fault(str(path), getattr(error, "lineno", None), "config", "text", "JSON")
        ) from error
    if not isinstance(data, dict):
        raise InputError(Fault(str(path), 1, "config", type(data).__name__, "a JSON object"))
    return data
