"""An AI model's architecture, as the workload formulas need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NetworkKind = Literal[
    "transformer",
    "mixture",
    "convnet",
    "detector",
    "recommender",
    "trees",
    "graph",
    "diffusion",
    "molecular",
    "speech",
    "generic",
]
AttentionKind = Literal["full", "flash", "sliding", "mla"]


@dataclass(frozen=True)
class Network:
    """One AI model. Fields that do not belong to its kind stay at their defaults.

    ``transformer`` and ``mixture`` use the layer fields; every other kind (and ONNX files) uses
    ``parameters``, ``flops_per_sample`` (forward, 2 per multiply-add) and ``bytes_per_sample``.
    """

    name: str
    kind: NetworkKind
    layers: int = 0
    hidden: int = 0
    """Width; of a convolutional network the mean output channels, weighted by operations."""
    heads: int = 0
    kv_heads: int = 0
    head_dim: int = 0
    ffn: int = 0
    gated: bool = False
    tied: bool = True
    vocabulary: int = 0
    context: int = 0
    """Tokens; of a network that is given as operations a sample, the pixels or voxels of that sample."""
    attention: AttentionKind = "flash"
    window: int = 0
    window_layers: int = 0
    """Layers that attend no farther than ``window``; 0: all of them, where there is a window."""
    causal: bool = True
    encoder_layers: int = 0
    """Of an encoder with a decoder: layers of the encoder, counted in ``layers``."""
    memory: int = 0
    """Tokens of the segment before whose states each token attends to as well (Transformer-XL), with relative
    positions."""
    scored_words: int = 0
    """Words that an adaptive softmax scores for a token, mean; 0: the whole vocabulary."""
    experts: int = 0
    top_k: int = 0
    shared_experts: int = 0
    expert_ffn: int = 0
    expert_groups: int = 0
    """Equal groups that the experts lie in; 0: no limit on where a token's experts are."""
    group_top_k: int = 0
    """Of these, how many hold all experts of one token (node-limited routing)."""
    dense_layers: int = 0
    state_space_layers: int = 0
    parameters: float | None = None
    """Given count; ``None`` means: count from the layer fields."""
    flops_per_sample: float | None = None
    """Forward pass, one sample."""
    passes: int = 1
    """Forward passes behind one served sample: denoising steps, twice with guidance."""
    bytes_per_sample: float | None = None
    """Activation and look-up traffic to memory of one forward sample, at 2 bytes per value."""
    frozen_share: float = 0.0
    """Of ``bytes_per_sample``, in first layers that are not trained. Normalisations are frozen with them."""
    features_b: float = 0.0
    """Of a graph: its nodes' features, which samples are gathered from."""
    gathered_b: float = 0.0
    """Of these, what one sample reads: a row for every sampled neighbour."""
    input_b: float = 0.0
    """What the host hands over of one sample while the device waits; 0: fetched ahead."""
    recurrent_steps: int = 0
    """Steps of one sample that wait for each other: frames of a recurrent decoder."""
    frames: int = 1
    """Of the video that one sample is; 1: an image."""
    trees: int = 0
    depth: int = 0
    source: str = "scenario"
