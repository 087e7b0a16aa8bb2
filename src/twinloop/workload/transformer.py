"""Counts of transformers: parameters, operations, cache. Pure arithmetic, so every field may be an array.

A :class:`Shape` is a :class:`~twinloop.model.network.Network` reduced to numbers (flags are 0 or 1), so
that a table of models is one ``Shape`` of arrays and calibration sees all of its rows at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace
from twinloop.model.network import Network

TRANSFORMERS = ("transformer", "mixture")
MLA_QUERY_RANK, MLA_CACHE_RANK, MLA_ROPE = 1536.0, 512.0, 64.0
"""Ranks of multi-head latent attention: DeepSeek-V3 technical report (arXiv:2412.19437, section 4.2);
Kimi K2 uses the same."""
STATES_PER_CHANNEL = 128.0
"""Of a state-space layer; the first generation had 16."""
MASKED_SHARE = 0.15
"""Of an encoder's tokens that are masked in training, the only ones whose words are predicted (arXiv:1810.04805)."""
COUNT_TOLERANCE = 0.03
"""A published total this near the count is the same model, rounded; farther, the fields leave parts out."""


@dataclass(frozen=True)
class Shape:
    """A transformer as numbers; shapes of all fields broadcast."""

    layers: Array
    hidden: Array
    heads: Array
    kv_heads: Array
    head_dim: Array
    ffn: Array
    gated: Array
    """1: gate, up and down matrices, no biases, rotary positions; 0: GPT-2 style with biases and positions."""
    tied: Array
    vocabulary: Array
    context: Array
    """Sequence length trained or prefilled; also the learned positions of ungated models."""
    flash: Array
    """1: scores never reach memory."""
    causal: Array
    window: Array
    """Largest distance attended to; the context where there is no window."""
    latent: Array
    """1: multi-head latent attention."""
    experts: Array
    top_k: Array
    shared_experts: Array
    expert_ffn: Array
    expert_groups: Array
    group_top_k: Array
    dense_layers: Array
    """Of a mixture: layers with an ordinary feed-forward block."""
    near: Array
    """Reach of the layers that see only near tokens, where such alternate with others."""
    nearsighted: Array
    """Share of layers that do."""
    attending: Array
    """Share of layers that attend at all: state-space layers keep no cache and score nothing."""
    scored: Array
    """Share of tokens times vocabulary that the output layer scores in training."""
    memory: Array
    """Tokens of the segment before that are attended to as well, at relative positions."""
    heard: Array
    """1: speech. Frames pass an encoder and words a decoder of as many layers, which attends to the frames too."""


def shape_of(network: Network, sequence: float | None = None) -> Shape:
    """Return ``network`` as numbers, at ``sequence`` tokens (default: its context)."""
    mixture = network.experts > 0
    length = float(sequence or network.context or 1)
    seen = length + float(network.memory)
    words = network.scored_words / network.vocabulary if network.scored_words and network.vocabulary else 1.0
    heads = float(network.heads or 1)
    return Shape(
        layers=float(network.layers),
        hidden=float(network.hidden),
        heads=heads,
        kv_heads=float(network.kv_heads or heads),
        head_dim=float(network.head_dim or network.hidden / heads),
        ffn=float(network.ffn or 4 * network.hidden),
        gated=float(network.gated),
        tied=float(network.tied),
        vocabulary=float(network.vocabulary),
        context=length,
        flash=float(network.attention != "full"),
        causal=float(network.causal and network.kind != "speech"),
        window=float(min(network.window, seen)) if network.window and not network.window_layers else seen,
        latent=float(network.attention == "mla"),
        experts=float(network.experts),
        top_k=float(network.top_k),
        shared_experts=float(network.shared_experts),
        expert_ffn=float(network.expert_ffn or network.ffn or 4 * network.hidden),
        expert_groups=float(network.expert_groups),
        group_top_k=float(network.group_top_k),
        dense_layers=float(network.dense_layers) if mixture else float(network.layers),
        near=float(network.window or seen),
        nearsighted=network.window_layers / max(network.layers, 1),
        attending=1.0 - network.state_space_layers / max(network.layers, 1),
        scored=words if network.causal else words * MASKED_SHARE,
        memory=float(network.memory),
        heard=float(network.kind == "speech"),
    )


def attention_weights(shape: Shape) -> Array:
    """Return the weights of one layer's attention, biases in where the model has them.

    Ordinary: ``h d (2a + 2k)``. Speech ``h d (3a + 3k)``: a frame also leaves keys and values for the decoder's second
    attention (2 of its 4 matrices), a word asks them (the other 2).
    Latent: ``h r_q + r_q a (d + r) + h (r_c + r) + 2 r_c a d + a d h``.
    """
    h, a, d = shape.hidden, shape.heads, shape.head_dim
    plain = h * d * (2.0 * a + 2.0 * shape.kv_heads) * (1.0 + 0.5 * shape.heard)
    biases = (1.0 - shape.gated) * (d * (a + 2.0 * shape.kv_heads) + h)
    rq, rc, r = MLA_QUERY_RANK, MLA_CACHE_RANK, MLA_ROPE
    latent = h * rq + rq * a * (d + r) + h * (rc + r) + 2.0 * rc * a * d + a * d * h
    return shape.latent * latent + (1.0 - shape.latent) * (plain + biases)


def dense_ffn_weights(shape: Shape) -> Array:
    """Return the weights of one ordinary feed-forward block: ``2 h f`` and biases, gated ``3 h f``."""
    biases = (1.0 - shape.gated) * (shape.ffn + shape.hidden)
    return (2.0 + shape.gated) * shape.hidden * shape.ffn + biases


def expert_weights(shape: Shape) -> Array:
    """Return the weights of one expert."""
    return (2.0 + shape.gated) * shape.hidden * shape.expert_ffn


def norm_weights(shape: Shape) -> Array:
    """Return the weights of one normalisation: scale, and shift in ungated models."""
    return shape.hidden * (2.0 - shape.gated)


def mixture_layers(shape: Shape) -> Array:
    """Return how many layers have experts."""
    return shape.layers - shape.dense_layers


def counted(shape: Shape) -> Array:
    """Return all weights: layers, embedding (twice unless tied), learned positions, last norm.

    >>> llama = Network("7b", "transformer", layers=32, hidden=4096, heads=32, kv_heads=32, head_dim=128,
    ...                 ffn=11008, gated=True, tied=False, vocabulary=32000, context=4096)
    >>> int(counted(shape_of(llama)))
    6738415616
    """
    layer = attention_weights(shape) + 2.0 * norm_weights(shape)
    experts = (shape.experts + shape.shared_experts) * expert_weights(shape) + shape.hidden * shape.experts
    body = shape.layers * layer + shape.dense_layers * dense_ffn_weights(shape) + mixture_layers(shape) * experts
    positions = (1.0 - shape.gated) * shape.context * shape.hidden
    return body + shape.vocabulary * shape.hidden * (2.0 - shape.tied) + positions + norm_weights(shape)


def active_layer_weights(shape: Shape) -> Array:
    """Return the matrix weights that one token meets in all layers, embedding and logits apart."""
    per_expert = (shape.top_k + shape.shared_experts) * expert_weights(shape) + shape.hidden * shape.experts
    return (
        shape.layers * attention_weights(shape)
        + shape.dense_layers * dense_ffn_weights(shape)
        + mixture_layers(shape) * per_expert
    )


def parameter_count(network: Network) -> float:
    """Return all weights of ``network``.

    Counted from the layer fields where there are any. A published total that differs by more than 3 %
    wins (the model has parts the fields leave out), and so does one stated closer than to a million (exact; the
    fields leave out norms of queries or biases). Otherwise it is a rounded figure, and the count is better.
    """
    if not network.layers:
        return float(network.parameters or 0.0)
    count = float(counted(shape_of(network)))
    given = network.parameters
    if given is None:
        return count
    exact = round(given) % 1_000_000 != 0
    return float(given) if exact or abs(count / given - 1.0) > COUNT_TOLERANCE else count


def active_parameters(network: Network) -> float:
    """Return the weights that one token meets, embedding look-up included."""
    if not network.layers:
        return parameter_count(network)
    shape = shape_of(network)
    ends = shape.vocabulary * shape.hidden * (2.0 - shape.tied)
    return float(active_layer_weights(shape) + ends)


def attended(shape: Shape, context: Array) -> Array:
    """Return how many of ``context`` tokens a layer sees, mean over the layers."""
    xp = namespace(context, shape.window)
    far = xp.minimum(context, xp.maximum(shape.window, 1.0))
    return shape.nearsighted * xp.minimum(context, shape.near) + (1.0 - shape.nearsighted) * far


def score_flops_per_token(shape: Shape, context: Array, halved: Array = 0.0) -> Array:
    """Return operations of scores and values for one token, all layers: ``4 l a d · min(context, window)``.

    ``halved`` 1 counts a causal model's skipped half, as a flash kernel does; 0 is the field's convention
    for model FLOPs (Chowdhery et al. 2022, appendix B; Narayanan et al. 2021, doi:10.1145/3458817.3476209).
    """
    wide = shape.head_dim + 0.5 * MLA_ROPE * shape.latent
    span = attended(shape, context)
    return 4.0 * shape.layers * shape.attending * shape.heads * wide * span * (1.0 - 0.5 * halved * shape.causal)


def decode_score_flops_per_token(shape: Shape, context: Array) -> Array:
    """Return the same for a token that is decoded: latent attention scores and sums the compressed cache itself.

    ``2 l a (2 r_c + r) · context``, 3.4 times the operations of its prompts and 16 times the bytes a grouped head
    asks for (DeepSeek-V2, arXiv:2405.04434, section 2.1: projections absorbed).
    """
    latent = 2.0 * shape.layers * shape.heads * (2.0 * MLA_CACHE_RANK + MLA_ROPE) * attended(shape, context)
    return shape.latent * latent + (1.0 - shape.latent) * score_flops_per_token(shape, context)


def model_flops_per_token(shape: Shape, *, masked: bool = False) -> Array:
    """Return a forward pass's operations per token by the field's convention.

    ``2 · (active layer weights + h V) + 4 l a d s``; a training step is three times that. Of V the share that is
    scored, s with the memory that is attended to.

    ``masked``: of a decoder's scores only the half that its mask leaves, as fused kernels compute and NVIDIA's tables
    count since 2025. Older ones (Narayanan et al. 2021, llm-foundry) count the whole square.
    """
    matrices = active_layer_weights(shape) + shape.hidden * shape.vocabulary * shape.scored
    scores = score_flops_per_token(shape, shape.context + shape.memory)
    return 2.0 * matrices + scores * (1.0 - 0.5 * shape.causal if masked else 1.0)


def layer_flops_per_token(shape: Shape, *, masked: bool = False) -> Array:
    """Return the same without the logits: what full recomputation repeats."""
    return model_flops_per_token(shape, masked=masked) - 2.0 * shape.hidden * shape.vocabulary * shape.scored


def state_values(shape: Shape) -> Array:
    """Return the values of recurrent state that one sequence keeps, all state-space layers: ``l 2h · 128``.

    Width twice the hidden size and 128 states a channel (Dao and Gu 2024, arXiv:2405.21060, and the hybrids built on
    it). Read and written for every token, whatever the length.
    """
    return shape.layers * (1.0 - shape.attending) * 2.0 * shape.hidden * STATES_PER_CHANNEL


def kv_bytes_per_token(shape: Shape, bytes_per_value: float) -> Array:
    """Return the cache that one token leaves, all layers: ``2 l k d`` values; latent ``l (r_c + r)``."""
    latent = shape.layers * (MLA_CACHE_RANK + MLA_ROPE)
    plain = 2.0 * shape.layers * shape.attending * shape.kv_heads * shape.head_dim
    return bytes_per_value * (shape.latent * latent + (1.0 - shape.latent) * plain)
