"""One data-parallel training step of everything that is not a transformer with layer fields."""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinloop.arrays import Array, namespace
from twinloop.catalogue.nouns import Device
from twinloop.model.network import Network
from twinloop.workload.collectives import Links, all_reduce_s, all_to_all_s
from twinloop.workload.features import resident
from twinloop.workload.other import RESERVED_B, forward_s, sample_of

KEPT_SHARE = 1.0
"""Activations kept for the backward pass over the traffic of a forward pass, which writes and reads each output: every
output, and its normalised copy. ResNet-50 trains 256 images at 16 bits on 16 GB (DeepLearningExamples), U-Net 3D 7
volumes on 80 GB."""
CHECKPOINTED = 0.2
"""Of those, left where the forward pass is repeated: the inputs of √n segments of n layers, and one segment at work,
2/√n for a hundred layers (Chen et al. 2016, arXiv:1604.06174, section 3). Low confidence."""
TREE_FEATURES, TREE_BINS = 100.0, 256.0
"""Columns of a table for boosted trees where nothing says (low confidence), and values that one is sorted into, a byte
each (the default of LightGBM and XGBoost)."""
TREE_ROW_B, TREE_BIN_B, TREE_LEVEL = 20.0, 16.0, 10
"""Score, gradient, its derivative, label and leaf of a row, 4 bytes each; two sums of 8 bytes in a bin; deepest level
whose leaves all hold a histogram. Counted."""


@dataclass(frozen=True)
class OtherStep:
    """Seconds of one data-parallel training step, by cause."""

    compute_s: Array
    memory_s: Array
    data_comm_s: Array
    optimizer_s: Array
    overhead_s: Array
    states_b: Array
    activations_b: Array
    repeated: Array
    """Share of the layers whose forward pass is repeated instead of kept."""
    saved: float
    """Share of all activations that repeating every pass would save."""

    @property
    def total_s(self) -> Array:
        """Sum."""
        return self.compute_s + self.memory_s + self.data_comm_s + self.optimizer_s + self.overhead_s

    @property
    def memory_b(self) -> Array:
        """Bytes on one device."""
        return self.states_b + self.activations_b + RESERVED_B


def train_step_s(
    network: Network, device: Device, precision: str, batch: Array, data: Array, micro: Array, links: Links,
    optimizer_b: float = 12.0, repeated: Array = 0.0,
) -> OtherStep:  # fmt: skip
    """Return one step of ``batch`` samples over ``data`` devices in micro-batches of ``micro``.

    ``optimizer_b``: bytes a weight of master copy and states; each is read and written in a step.
    ``repeated``: share of the layers that repeat their forward pass.

    Backward costs twice the forward pass. Dense gradients are reduced, half hidden behind the backward
    pass; embedding rows are exchanged all-to-all, tables spread over the devices.
    """
    xp = namespace(batch, data)
    steps = batch / (data * micro)
    sample = sample_of(network)
    dense = sample.weights - sample.sparse_weights
    saved = 0.0 if network.kind == "trees" else 1.0 - CHECKPOINTED
    held = dense * (6.0 + optimizer_b) + sample.sparse_weights * 6.0 / data
    kept = kept_b(network, micro) * (1.0 - saved * repeated)
    inside = resident(network, device, data, held + kept + RESERVED_B)
    one = forward_s(replace(network, passes=1), device, precision, micro, training=True, inside=inside)
    reduce = all_reduce_s(2.0 * dense, data, 1.0, links)
    hidden = xp.minimum(0.5 * reduce, 2.0 * one.total_s)
    rows = all_to_all_s(2.0 * 0.2 * sample.bytes_16 * micro, data, 1.0, links) * steps * (sample.sparse_weights > 0)
    return OtherStep(
        compute_s=(3.0 + repeated) * steps * one.compute_s,
        memory_s=(sample.training_passes + repeated) * steps * one.memory_s,
        data_comm_s=xp.where(data > 1, reduce - hidden + 2.0 * rows, 0.0),
        optimizer_s=(10.0 + 2.0 * optimizer_b) * dense / device.memory_bandwidth_b_s + 0.0 * data,
        overhead_s=steps * ((2.0 + repeated) * one.launch_s + one.host_s),
        states_b=held + xp.where(inside, network.features_b / data, 0.0) + 0.0 * micro,
        activations_b=kept,
        repeated=repeated + 0.0 * micro,
        saved=saved,
    )


def kept_b(network: Network, samples: Array) -> Array:
    """Return the bytes that ``samples`` leave for the backward pass; of boosted trees the binned table and histograms.

    What trees visit is traffic: they keep a byte a cell and a few numbers a row, and sums for every bin of every
    column in the leaves of one level.
    """
    if network.kind != "trees":
        return KEPT_SHARE * sample_of(network).bytes_16 * samples
    columns = float(network.hidden or TREE_FEATURES)
    leaves = 2.0 ** min(max(network.depth, 1), TREE_LEVEL)
    return samples * (columns + TREE_ROW_B) + leaves * columns * TREE_BINS * TREE_BIN_B


def repeated_share(step: OtherStep, room_b: float) -> Array:
    """Return the share of layers that must repeat their forward pass for ``step``, which repeats none, to fit."""
    xp = namespace(step.activations_b)
    excess = step.memory_b - room_b
    return xp.clip(excess / xp.maximum(step.saved * step.activations_b, 1.0), 0.0, 1.0 if step.saved else 0.0)
