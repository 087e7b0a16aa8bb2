"""Counts of transformers: parameters, operations, memory."""

from __future__ import annotations

from twinloop.model.network import Network

TRANSFORMERS = ("transformer", "mixture")


def layer_parameters(network: Network) -> tuple[float, float]:
    """Return (all, active per token) weights of one layer, biases and norms' shifts left out.

    Attention ``h·a·d + 2 h·k·d + a·d·h`` (a heads, k key heads of size d); feed-forward ``2 h f``, gated
    ``3 h f``; a mixture holds all experts and a router and activates ``top_k`` and the shared ones; two
    norms of ``h``.
    """
    h, size = float(network.hidden), float(network.head_dim)
    attention = h * size * (2.0 * network.heads + 2.0 * network.kv_heads)
    matrices = 3.0 if network.gated else 2.0
    norms = 2.0 * h
    if network.kind == "mixture" and network.experts:
        expert = matrices * h * (network.expert_ffn or network.ffn)
        router = h * network.experts
        held = expert * (network.experts + network.shared_experts) + router
        active = expert * (network.top_k + network.shared_experts) + router
        return attention + held + norms, attention + active + norms
    feed_forward = matrices * h * network.ffn
    return attention + feed_forward + norms, attention + feed_forward + norms


def parameter_count(network: Network) -> float:
    """Return all weights: given, or layers plus embeddings (twice unless tied) plus the last norm.

    >>> llama = Network("7b", "transformer", layers=32, hidden=4096, heads=32, kv_heads=32, head_dim=128,
    ...                 ffn=11008, gated=True, tied=False, vocabulary=32000, context=4096)
    >>> round(parameter_count(llama) / 1e9, 3)
    6.738
    """
    if network.parameters is not None:
        return network.parameters
    embeddings = network.vocabulary * network.hidden * (1.0 if network.tied else 2.0)
    return network.layers * layer_parameters(network)[0] + embeddings + network.hidden


def forward_flops_per_token(network: Network, context: float) -> float:
    """Return operations of one token's forward pass: ``2 · active weights + attention + logits``.

    Attention scores and values: ``4 a d · context``, halved when causal.
    """
    active = network.layers * layer_parameters(network)[1]
    scores = 4.0 * network.heads * network.head_dim * context * (0.5 if network.causal else 1.0)
    return 2.0 * active + network.layers * scores + 2.0 * network.hidden * network.vocabulary


def kv_bytes_per_token(network: Network, bytes_per_value: float) -> float:
    """Return the cache of keys and values that one token leaves, all layers."""
    return 2.0 * network.layers * network.kv_heads * network.head_dim * bytes_per_value


def activation_bytes(network: Network, micro_batch: float, tensor: int) -> float:
    """Return what one layer keeps for the backward pass with flash attention: ``34 s b h / t`` bytes.

    Source: Korthikanti et al., Reducing Activation Recomputation in Large Transformer Models (2022),
    eq. 4 without the score term, sequence-parallel.
    """
    return 34.0 * network.context * micro_batch * network.hidden / tensor
