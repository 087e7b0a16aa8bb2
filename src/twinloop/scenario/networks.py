"""AI models: by layers, by counts, by a published name, by a configuration file or by a graph."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from twinloop import catalogue
from twinloop.model.network import AttentionKind, Network
from twinloop.scenario import schema
from twinloop.scenario.hugging_face import network_from_config
from twinloop.scenario.onnx_graph import network_from_onnx
from twinloop.scenario.provenance import Sources

_SHAPE = "architecture practice (Attention Is All You Need, arXiv:1706.03762)"
GATED_RATIO = 8.0 / 3.0
"""Gated feed-forward blocks keep the parameters of 4 h with three matrices (Shazeer, arXiv:2002.05202)."""


def network_of(spec: schema.NetworkSpec, base_dir: Path, sources: Sources) -> Network:
    """Return the AI model that ``spec`` describes; files are found from ``base_dir``.

    Raises:
        InputError: a file cannot be read, or describes no known architecture.
        MissingExtraError: a graph is named and the package to read it is missing.
    """
    path = f"models.{spec.name}"
    if isinstance(spec, schema.ConfigSpec):
        network = _shortened(network_from_config(spec.name, base_dir / spec.config), spec.context)
        sources.choice(path, _summary(network), spec.config, "high")
        _context_taken(network, spec.context, path, sources)
        return network
    if isinstance(spec, schema.OnnxSpec):
        network = network_from_onnx(spec.name, base_dir / spec.onnx, spec.shapes or {})
        sources.choice(path, _summary(network), f"counted from {spec.onnx}", "medium")
        return network
    if isinstance(spec, schema.ArchitectureSpec):
        # The table's fields are those of Network, which a test holds it to.
        fields: dict[str, Any] = dict(catalogue.architecture(spec.architecture))
        network = _shortened(Network(name=spec.name, **fields, source=f"catalogue: {spec.architecture}"), spec.context)
        sources.choice(path, _summary(network), f"catalogue architectures: {spec.architecture}", "medium")
        _context_taken(network, spec.context, path, sources)
        return network
    if isinstance(spec, schema.TreesSpec):
        return Network(name=spec.name, kind="trees", trees=spec.trees, depth=spec.depth)
    if isinstance(spec, schema.CountsSpec):
        return _by_counts(spec, path, sources)
    return _by_layers(spec, path, sources)


def _shortened(network: Network, context: int | None) -> Network:
    return network if context is None else dataclasses.replace(network, context=context)


def _context_taken(network: Network, given: int | None, path: str, sources: Sources) -> None:
    """Say that sequences as long as the model can take were assumed: training on less costs less."""
    if given is None and network.kind in ("transformer", "mixture"):
        why = f"the longest it takes; set {path}.context to the tokens of your samples"
        sources.choice(f"{path}.context", f"{network.context}", why, "low")


def _by_counts(spec: schema.CountsSpec, path: str, sources: Sources) -> Network:
    traffic = spec.bytes_per_sample
    if traffic is None:
        # Every weight is read once, at two bytes; activations of unknown shape are left out.
        traffic = 2.0 * spec.parameters
        sources.choice(f"{path}.bytes_per_sample", f"{traffic:.3g} B", "every parameter read once at 2 bytes", "low")
    return Network(
        name=spec.name,
        kind=spec.kind,
        parameters=spec.parameters,
        flops_per_sample=spec.flops_per_sample,
        bytes_per_sample=traffic,
    )


def _by_layers(spec: schema.LayersSpec, path: str, sources: Sources) -> Network:
    def default(key: str, given: int | None, otherwise: int, why: str) -> int:
        if given is not None:
            return given
        shown = ("true" if otherwise else "false") if isinstance(otherwise, bool) else str(otherwise)
        sources.choice(f"{path}.{key}", shown, why, "medium")
        return otherwise

    gated = bool(default("gated", spec.gated, False, _SHAPE))
    wide = 8 * round(GATED_RATIO * spec.hidden / 8.0) or 8 if gated else 4 * spec.hidden
    ffn = default("ffn", spec.ffn, wide, "8/3 h, gated (arXiv:2002.05202)" if gated else f"4 h, {_SHAPE}")
    attention, window = _attention(spec, path, sources)
    mixture = spec.kind == "mixture"
    return Network(
        name=spec.name,
        kind=spec.kind,
        layers=spec.layers,
        hidden=spec.hidden,
        heads=spec.heads,
        kv_heads=default("kv_heads", spec.kv_heads, spec.heads, _SHAPE),
        head_dim=default("head_dim", spec.head_dim, spec.hidden // spec.heads, _SHAPE),
        ffn=ffn,
        gated=gated,
        tied=bool(default("tied", spec.tied, True, "common below a billion parameters")),
        vocabulary=spec.vocabulary,
        context=spec.context,
        attention=attention,
        window=window,
        causal=bool(default("causal", spec.causal, True, "decoder, the common case")),
        experts=spec.experts or 0,
        top_k=spec.top_k or 0,
        shared_experts=spec.shared_experts or 0,
        expert_ffn=default("expert_ffn", spec.expert_ffn, ffn, "as wide as ffn") if mixture else 0,
        dense_layers=spec.dense_layers or 0,
        state_space_layers=spec.state_space_layers or 0,
    )


def _attention(spec: schema.LayersSpec, path: str, sources: Sources) -> tuple[AttentionKind, int]:
    if spec.attention is None:
        sources.choice(f"{path}.attention", "flash", "fused attention of every current framework", "medium")
        return "flash", 0
    if spec.attention.startswith("sliding:"):
        return "sliding", int(spec.attention.removeprefix("sliding:"))
    return ("full" if spec.attention == "full" else "mla" if spec.attention == "mla" else "flash"), 0


def _summary(network: Network) -> str:
    if network.layers:
        return f"{network.kind}, {network.layers} layers of {network.hidden}, context {network.context}"
    parameters = "unknown" if network.parameters is None else f"{network.parameters:.3g}"
    return f"{network.kind}, {parameters} parameters"
