"""Memory of one device in training: states, activations, logits, buffers.

Source of the activation terms: Korthikanti et al., Reducing Activation Recomputation in Large Transformer
Models (2022), arXiv:2205.05198, table 2, split here by tensor so that grouped heads, gated blocks and
experts follow: with 2 bytes a value, ``s b h (10 + 24/t + 5 a s/(h t))`` for a GPT block.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinloop.arrays import Array, namespace
from twinloop.catalogue.nouns import Device
from twinloop.workload.layouts import DUALPIPE, GPIPE, Layouts
from twinloop.workload.transformer import (
    Shape,
    attention_weights,
    dense_ffn_weights,
    expert_weights,
    mixture_layers,
    norm_weights,
)

FULL, SELECTIVE = 2, 1
BINARY = 2**30 / 1e9
"""A device sold as 80 GB holds 80 GiB: drivers report 81,559 MiB (H100), 81,920 (A100), 143,771 (H200, 141 GB).
From memory of driver listings, low confidence for other makers."""
WEIGHT_B, MOMENTS_B = 2.0, 12.0
"""Mixed precision: 2-byte weights; 4-byte master copy and two moments (Rajbhandari et al. 2020, ZeRO,
doi:10.1109/SC41405.2020.00024). Gradients are 2 or 4 bytes by software."""
RESERVED_B = 3.0e9
"""Driver context, communication buffers and fragmentation. Range 1.5-6 GB, low confidence."""


@dataclass(frozen=True)
class Memory:
    """Bytes on the fullest device, by what they hold."""

    weights_b: Array
    gradients_b: Array
    optimizer_b: Array
    activations_b: Array
    """Kept from the forward for the backward pass."""
    working_b: Array
    """Of the layers at work: recomputed, or gathered whole by ZeRO-3."""
    logits_b: Array
    reserved_b: Array

    @property
    def total_b(self) -> Array:
        """Sum."""
        held = self.weights_b + self.gradients_b + self.optimizer_b
        return held + self.activations_b + self.working_b + self.logits_b + self.reserved_b


@dataclass(frozen=True)
class States:
    """Bytes of one weight's copy, gradient and optimizer state, and the share of weights trained."""

    weight_b: Array = WEIGHT_B
    gradient_b: Array = 4.0
    optimizer_b: Array = MOMENTS_B
    trained: Array = 1.0
    input_b: Array = 2.0
    """A matrix product's input, as kept for its weights' gradient: 1 byte where products are of 8 bits or less."""


def capacity_b(device: Device) -> float:
    """Return the bytes that fit on ``device``.

    >>> from twinloop import catalogue
    >>> round(capacity_b(catalogue.device("A100-SXM-80GB")) / 2**20)
    81920
    """
    return device.memory_b * BINARY


def weights_per_device(shape: Shape, at: Layouts) -> tuple[Array, Array]:
    """Return (dense, expert) weights that a device of the fullest pipeline stage holds before ZeRO."""
    xp = namespace(at.tensor, at.pipeline)
    blocks = shape.layers * (attention_weights(shape) + 2.0 * norm_weights(shape))
    blocks = blocks + shape.dense_layers * dense_ffn_weights(shape)
    blocks = blocks + mixture_layers(shape) * (
        shape.shared_experts * expert_weights(shape) + shape.hidden * shape.experts
    )
    ends = shape.vocabulary * shape.hidden * xp.where(at.pipeline > 1, 1.0, 2.0 - shape.tied)
    experts = mixture_layers(shape) * shape.experts * expert_weights(shape)
    return (
        (blocks / at.pipeline + ends) / at.tensor,
        experts / (at.pipeline * at.expert * at.expert_tensor),
    )


def activation_b_per_token_layer(shape: Shape, at: Layouts, input_b: Array = 2.0) -> Array:
    """Return the bytes that one token leaves in one layer for the backward pass, mean over layers.

    Selective recomputation repeats attention's scores or, where attention is fused and keeps none, the norms
    and activation functions: their outputs, the inputs of the products that follow, are not kept.
    """
    xp = namespace(at.tensor, at.recompute, at.sequence_parallel)
    h, t = shape.hidden, at.tensor
    # Models with gates or fused attention train without dropout masks.
    dropout = (1.0 - shape.gated) * (1.0 - shape.flash)
    apart = xp.where(at.sequence_parallel > 0, t, 1.0)
    selective = at.recompute == SELECTIVE
    outputs_b = xp.where(selective & (shape.flash > 0), 0.0, input_b)
    between = (4.0 + 2.0 * outputs_b + 2.0 * dropout) * h / apart
    qkv = 2.0 * shape.head_dim * (shape.heads + 2.0 * shape.kv_heads) + 2.0 * shape.heads * shape.head_dim
    scores = 5.0 * shape.heads * (shape.context + shape.memory) / at.context * (1.0 - shape.flash)
    scores = xp.where(selective, 0.0, scores)
    per_hidden = 2.0 + 2.0 * shape.gated + outputs_b
    dense_share = shape.dense_layers / shape.layers
    feed = per_hidden * shape.ffn / t
    routed = shape.top_k * (per_hidden * shape.expert_ffn / at.expert_tensor + (2.0 + outputs_b) * h)
    routed = routed + shape.shared_experts * per_hidden * shape.expert_ffn / t
    kept = between + (qkv + scores) / t + dense_share * feed + (1.0 - dense_share) * routed
    return xp.where(at.recompute == FULL, 2.0 * h / apart, kept)


def in_flight(at: Layouts) -> Array:
    """Return how many micro-batches' activations a first stage holds at once, in units of its whole depth."""
    xp = namespace(at.pipeline, at.schedule)
    steady = xp.minimum(at.pipeline, at.micro_steps)
    chunks = 1.0 + (at.pipeline - 1.0) / (at.pipeline * at.interleave)
    interleaved = xp.where((at.interleave > 1) & (at.pipeline > 1), chunks, 1.0)
    # DualPipe keeps one more than there are stages (DeepSeek-AI 2024, arXiv:2412.19437, table 2).
    steady = xp.where(at.schedule == DUALPIPE, xp.minimum(at.pipeline + 1.0, at.micro_steps), steady)
    return xp.where(at.schedule == GPIPE, at.micro_steps, steady * interleaved)


def training_memory(shape: Shape, at: Layouts, states: States) -> Memory:
    """Return the memory of the fullest device (the first pipeline stage; all of them when there is one)."""
    xp = namespace(at.tensor, at.zero)
    dense, experts = weights_per_device(shape, at)
    group = xp.where(at.shard_group > 0, at.shard_group, at.data * at.context)
    expert_group = xp.maximum(at.data * at.context * at.tensor / (at.expert * at.expert_tensor), 1.0)

    def held(size_b: Array, stage: int) -> Array:
        split = xp.where(at.zero >= stage, group, 1.0)
        split_expert = xp.where(at.zero >= stage, xp.minimum(expert_group, group), 1.0)
        return size_b * (dense / split + experts / split_expert)

    layers = shape.layers / at.pipeline
    tokens = at.micro_batch * shape.context / at.context
    # DualPipe runs from both ends: a device holds two stages.
    stages = xp.where(at.schedule == DUALPIPE, 2.0, 1.0)
    # ZeRO-3 keeps the layer at work, and the next one on its way, whole.
    whole = xp.where(at.zero >= 3, 2.0 * states.weight_b * (dense + experts) / layers, 0.0)
    kept = activation_b_per_token_layer(shape, at, states.input_b) * tokens * layers * in_flight(at)
    one = activation_b_per_token_layer(shape, replace(at, recompute=0.0 * at.recompute), states.input_b)
    logits = xp.where(at.pipeline > 1, 0.0, 8.0 * tokens * shape.scored * shape.vocabulary / at.tensor)
    return Memory(
        weights_b=stages * held(states.weight_b, 3),
        gradients_b=stages * held(states.gradient_b * states.trained, 2),
        optimizer_b=held(states.optimizer_b * states.trained, 1),
        activations_b=kept,
        working_b=xp.where(at.recompute == FULL, one * tokens, 0.0) + whole,
        logits_b=logits,
        reserved_b=xp.asarray(RESERVED_B),
    )
