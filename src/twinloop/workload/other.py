"""Everything that is not a transformer with layer fields: operations and bytes a sample, and a share of peak.

``t = F/(P·η) + B/(BW·β) + launch`` for a forward pass of one batch; training is three passes plus gradients
and optimizer. η and β differ by kind because convolutions, look-ups, message passing and tree walks fill a
device differently; they are class constants with wide bands, said in every result's notes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinloop.arrays import Array, namespace
from twinloop.catalogue.nouns import Device
from twinloop.model.network import Network
from twinloop.workload.constants import OLD_PARTS, family
from twinloop.workload.features import fetched_s, resident
from twinloop.workload.machine import VALUE_B, peak_flops, sustained

Shares = tuple[float, float]
"""(η, β): operations over dense peak, and ideal traffic over peak bandwidth. Ideal traffic writes and reads every
layer's output once; normalisations, activation functions and residuals run apart pass over it again, so that β is
low where software fuses little."""

FRAMEWORK_TRAINING: dict[str, Shares] = {
    "convnet": (0.50, 0.30), "recommender": (0.40, 0.25), "trees": (0.05, 0.08),
    "graph": (0.12, 0.20), "diffusion": (0.40, 0.40), "molecular": (0.30, 0.50), "speech": (0.25, 0.50),
    "generic": (0.40, 0.40),
    "transformer": (0.45, 0.40), "mixture": (0.30, 0.40),
}  # fmt: skip
COMPILED_TRAINING: dict[str, Shares] = {
    "convnet": (0.56, 0.60), "recommender": (0.40, 0.25), "trees": (0.05, 0.08),
    "graph": (0.16, 0.26), "diffusion": (0.40, 0.60), "molecular": (0.30, 0.50), "speech": (0.25, 0.50),
    "generic": (0.40, 0.60),
    "transformer": (0.55, 0.60), "mixture": (0.35, 0.55),
}  # fmt: skip
FRAMEWORK_INFERENCE: dict[str, Shares] = {
    "convnet": (0.47, 0.28), "recommender": (0.40, 0.25), "trees": (0.05, 0.08),
    "graph": (0.12, 0.20), "diffusion": (0.34, 0.40), "molecular": (0.30, 0.50), "speech": (0.25, 0.50),
    "generic": (0.40, 0.40),
    "transformer": (0.57, 0.75), "mixture": (0.35, 0.40),
}  # fmt: skip
COMPILED_INFERENCE: dict[str, Shares] = {
    "convnet": (0.76, 1.60), "recommender": (0.57, 0.50), "trees": (0.05, 0.08),
    "graph": (0.12, 0.15), "diffusion": (0.36, 0.90), "molecular": (0.30, 0.50), "speech": (0.25, 0.50),
    "generic": (0.50, 1.0),
    "transformer": (0.60, 1.20), "mixture": (0.35, 1.0),
}  # fmt: skip
SHARES = {
    ("framework", True): FRAMEWORK_TRAINING, ("compiled", True): COMPILED_TRAINING,
    ("framework", False): FRAMEWORK_INFERENCE, ("compiled", False): COMPILED_INFERENCE,
}  # fmt: skip
SHARES_OF = {"detector": "convnet"}
"""Kinds whose operations are those of another."""
HOST_SAMPLE_S = {"detector": 0.023}
"""Host time of one image where a framework runs a two-stage detector: proposals, suppression of overlaps and matching
image by image. Fitted to Mask R-CNN, trained and served alike on V100 and A100 (DeepLearningExamples). Medium."""
PAGEABLE_B_S = 4.5e9
"""Copy of ordinary, not page-locked memory of the host to a device, as a plain loop of a framework makes it while the
device waits: 3 to 8 GB/s, bound by one thread (from memory). Not fitted. Low confidence."""
TRAINED_NORMS, FROZEN_NORMS = 13.0, 9.0
"""Passes over a layer's output, forward and back, with batch statistics, and where normalisations are frozen scales
that fold into the convolution: neither statistics nor their gradients. Counted."""
LIVE_SHARE = {"diffusion": 0.025, "convnet": 0.1, "detector": 0.1, "graph": 0.1}
"""Live activations at inference over the traffic of one forward pass: buffers are reused from layer to layer, and from
step to step. A diffusion transformer holds one of some forty layers' outputs, some at 32 bits. Low confidence."""
RESERVED_B = 1.5e9
"""Driver context, library workspaces, fragmentation. Low confidence."""
KIND_SHARE = {
    "gpu": 1.0,
    "tpu": 1.0,
    "npu": 0.8,
    "cpu": 0.55,
    "fpga": 0.6,
    "edge": 0.6,
    "neuromorphic": 0.3,
    "quantum": 0.01,
}
"""Factor on both by kind of device: compilers and operator cover. Low confidence."""
ON_CHIP = {"cpu": 2.5, "npu": 10.0, "edge": 2.0, "fpga": 3.0}
"""Factor on the second: activations of a sample that stay in caches and on-chip memory. Processors and one
at-memory part from MLPerf Inference 4.1; the rest low confidence."""
LAUNCH_S = {"gpu": 1.2e-3, "tpu": 1.0e-3, "npu": 0.8e-3, "cpu": 0.2e-3, "fpga": 0.15e-3, "edge": 0.6e-3}
"""Fixed time of one forward pass: launches of some hundred kernels, copies in and out. Low confidence."""
EAGER_LAUNCH = 4.0
"""Factor on it where a framework launches every operation by itself. Low confidence."""
STEP_S = {"gpu": 110e-6, "tpu": 60e-6, "npu": 100e-6, "cpu": 60e-6, "fpga": 10e-6, "edge": 300e-6}
"""One step of a recurrent layer stack: some twenty kernels that wait for each other, weights read again. Low
confidence."""
LAUNCH_KIND = {"recommender": 0.15, "trees": 0.05, "graph": 0.5}
"""Factor on it for models of few kernels. Low confidence."""
NARROW = {"H100": 50.0, "H200": 50.0, "GH200": 50.0, "B200": 50.0, "GB200": 50.0, "B300": 50.0, "GB300": 50.0}
NARROW_CLASS = 15.0
"""Channels at which a convolution is half as fast: tiles of 64 to 256 columns since Hopper, smaller before. Medium:
one U-Net with 32 channels and ResNet-50 trained on H100 and L40S (MLPerf Training 4.0)."""
EAGER_DIFFUSION, EAGER_NARROW = 0.48, 900.0
"""Arithmetic over peak of a diffusion transformer that a framework runs operation by operation, and the width at which
half of it is left. With ``BLACKWELL_EAGER``: fitted to 147 runs of nine models on one H100 or B200 of a public energy
benchmark (coefficients only), 14 % mean error of time."""
BLACKWELL_EAGER = 0.6
"""Of that on Blackwell: attention kernels and product sizes of the generation before."""
BLACKWELL = ("B100", "B200", "B300", "GB200", "GB300")
LAGGING_DRAW = 0.4
"""Exponent of that share in the power that arithmetic draws: slower kernels draw less, but not in proportion."""
UNSPLIT_IMAGE, UNSPLIT_VIDEO = 0.09, 0.07
"""Of a diffusion sample's device time, what does not shrink where several devices share its tokens: exchanges in every
layer, shorter kernels. With the next two fitted to 704 runs of nine models on 2 to 8 devices of a public energy
benchmark (coefficients only)."""
WHOLE_S_PIXEL = 0.24 / 2**20
"""Text encoders and the decoding of one image's pixels, which one device does while the others wait."""
HOST_WEIGHT_S = 85e-6
"""Time in which the host launches one step, for each square of the width that the weights hold: about 1.9 ms a block of
22 squares. However many devices share a step, it takes no less."""
STEPS_IMAGE, STEPS_VIDEO = 20, 50
"""Denoising steps of one sample in the catalogue's diffusion rows; guidance doubles passes, not launches."""
TREE_NODE_B = 16.0
"""Feature, threshold, children of one visited node. Counted."""
TABLE_SHARE = 0.999
"""Of a recommender's weights that lie in embedding tables: sparse, never reduced whole."""
INTERVAL = (0.6, 1.6)
MEASURED_INTERVAL = (0.75, 1.35)
"""About the 10th and 90th percentile of measured over predicted time, classes and families with published rows."""
MEASURED_KINDS = ("convnet", "detector", "recommender", "diffusion", "transformer")
SINGLE_MODEL = ("recommender", "diffusion")
SEVERAL_MODELS = (("diffusion", "framework", False),)
"""Kinds with rows of one model only for each stack, trained or served, and where that is not so: nine diffusion models
in the public energy benchmark, beside Stable Diffusion 2 trained and XL served in MLPerf."""
MEASURED_FAMILIES = ("V100", "T4", "A100", "L4", "L40S", "H100", "H200", "GH200", "B200", "Xeon")


@dataclass(frozen=True)
class Sample:
    """One sample of a network: what it costs anywhere."""

    flops: float
    bytes_16: float
    """Memory traffic at 2 bytes a value."""
    weights: float
    sparse_weights: float
    training_passes: float = 3.0
    """Traffic of a training step over that of a forward pass."""


def sample_of(network: Network) -> Sample:
    """Return what one forward sample of ``network`` costs; trees walk ``trees · depth`` nodes."""
    weights = float(network.parameters or 0.0)
    flops = network.flops_per_sample or 2.0 * weights
    traffic = network.bytes_per_sample
    if network.kind == "trees":
        visited = float(max(network.trees, 1) * max(network.depth, 1))
        weights = weights or float(max(network.trees, 1) * 2 ** min(max(network.depth, 1), 20))
        flops = network.flops_per_sample or 2.0 * visited
        traffic = traffic or TREE_NODE_B * visited
    sparse = weights * TABLE_SHARE if network.kind == "recommender" else 0.0
    frozen = network.frozen_share
    passes = (1.0 + 2.0 * (1.0 - frozen)) * (FROZEN_NORMS / TRAINED_NORMS if frozen else 1.0)
    # Without a given count: every operation pair moves about a fiftieth of a value (convolution-like reuse).
    return Sample(float(flops), float(traffic if traffic is not None else 0.04 * flops), weights, sparse, passes)


def served(network: Network, work: float = 1.0) -> Network:
    """Return ``network`` with one served sample, ``work`` of the usual ones, as its sample: all its passes."""
    sample = sample_of(network)
    whole = network.passes * work
    return replace(network, flops_per_sample=sample.flops * whole, bytes_per_sample=sample.bytes_16 * whole)


def stack_of(device: Device, precision: str, asked: str | None = None, *, eager: bool = False) -> str:
    """Return whose constants hold: ``framework`` for 16 bits and wider on parts before 2022, else ``compiled``.

    Published rates of the older parts are those of PyTorch, TensorFlow and MXNet examples with automatic mixed
    precision; those of newer ones, and of 8 bits, come from compiled and tuned submissions. ``eager``: what is served
    at 16 bits by a framework on newer parts too, as diffusion transformers are.
    """
    if asked is not None:
        return asked
    wide = VALUE_B.get(precision, 2.0) >= 2.0
    return "framework" if wide and (eager or family(device) in OLD_PARTS) else "compiled"


def eager_share(network: Network, device: Device, stack: str) -> float:
    """Return what a framework's operations on this part reach of what they reach on the part before."""
    lags = stack == "framework" and network.kind == "diffusion" and family(device) in BLACKWELL
    return BLACKWELL_EAGER if lags else 1.0


def shares(network: Network, device: Device, stack: str, *, training: bool) -> Shares:
    """Return (η, β) of ``network`` on ``device``."""
    eta, beta = SHARES[stack, training][SHARES_OF.get(network.kind, network.kind)]
    factor = KIND_SHARE[device.kind]
    if network.kind == "diffusion" and stack == "framework" and not training:
        eta = EAGER_DIFFUSION / (1.0 + EAGER_NARROW / network.hidden) if network.hidden else eta
        eta *= eager_share(network, device, stack)
    elif network.hidden and not network.layers:
        eta /= 1.0 + NARROW.get(family(device), NARROW_CLASS) / network.hidden
    return eta * factor, beta * factor * ON_CHIP.get(device.kind, 1.0)


def trust(
    network: Network, device: Device, stack: str, *, training: bool = False
) -> tuple[tuple[float, float], bool]:  # fmt: skip
    """Return the interval on time, and whether no published row speaks of this kind on this family.

    Rows of a single model set its constant and cannot show how others would miss it: they earn no narrow interval.
    """
    kind = "transformer" if network.layers else network.kind
    known = kind in MEASURED_KINDS and family(device) in MEASURED_FAMILIES
    several = kind not in SINGLE_MODEL or (kind, stack, training) in SEVERAL_MODELS
    return (MEASURED_INTERVAL if known and several else INTERVAL), not known


@dataclass(frozen=True)
class PassTime:
    """Seconds of one forward pass of a batch on one device."""

    compute_s: Array
    memory_s: Array
    launch_s: Array
    host_s: Array
    """Work of the host on each sample."""

    @property
    def overhead_s(self) -> Array:
        """What the device waits."""
        return self.launch_s + self.host_s

    @property
    def total_s(self) -> Array:
        """Sum."""
        return self.compute_s + self.memory_s + self.overhead_s


def forward_s(
    network: Network, device: Device, precision: str, batch: Array, *, training: bool = False, stack: str | None = None,
    inside: Array | None = None,
) -> PassTime:  # fmt: skip
    """Return one forward pass of ``batch`` samples at ``precision``.

    ``inside``: devices hold the features that samples gather; ``None``: where one device alone does.

    Raises:
        ValueError: the device has no units of this precision.
    """
    xp = namespace(batch)
    peak = peak_flops(device, precision)
    if peak is None:
        raise ValueError(f"{device.name} has no {precision} units")
    chosen = stack_of(device, precision, stack)
    sample, (eta, beta) = sample_of(network), shares(network, device, chosen, training=training)
    wide = VALUE_B.get(precision, 2.0) / 2.0
    dense = sample.weights - sample.sparse_weights
    compute = batch * sample.flops / (peak * sustained(device) * eta)
    moved = batch * sample.bytes_16 * wide + 2.0 * wide * dense
    launch = LAUNCH_S.get(device.kind, 1e-3) * (EAGER_LAUNCH if chosen == "framework" else 1.0)
    launch *= LAUNCH_KIND.get(network.kind, 1.0) * max(network.passes, 1)
    launch += network.recurrent_steps * STEP_S.get(device.kind, 1e-3) * (EAGER_LAUNCH if chosen == "framework" else 1.0)
    host = HOST_SAMPLE_S.get(network.kind, 0.0) * max(network.passes, 1) if chosen == "framework" else 0.0
    if chosen == "framework" and not training:
        host += network.input_b / PAGEABLE_B_S
    if network.gathered_b:
        near = resident(network, device, 1.0, RESERVED_B) if inside is None else inside
        host = host + fetched_s(network, device, near)
    memory = moved / (device.memory_bandwidth_b_s * beta)
    return PassTime(compute, memory, xp.asarray(launch) + 0.0 * batch, host * batch)


def shared_s(
    run: PassTime, network: Network, devices: int, batch: Array, work: float = 1.0, size: float = 1.0
) -> PassTime:  # fmt: skip
    """Return the same where ``devices`` share the tokens of every sample.

    Args:
        run: of one device.
        network: a diffusion model as the catalogue has it.
        devices: that share; 1: nothing changes.
        batch: samples at once.
        work: steps over those of the catalogue's sample.
        size: pixels over those of it.
    """
    xp = namespace(run.compute_s)
    if devices == 1:
        return run
    video = network.frames > 1
    left, steps = (UNSPLIT_VIDEO, STEPS_VIDEO) if video else (UNSPLIT_IMAGE, STEPS_IMAGE)
    busy = run.compute_s + run.memory_s
    whole = 0.0 if video else xp.minimum(WHOLE_S_PIXEL * size * network.context * batch / busy, 1.0)
    split = (1.0 - whole) * (left + (1.0 - left) / devices)
    squares = (network.parameters or 0.0) / network.hidden**2 if network.hidden else 0.0
    launched = HOST_WEIGHT_S * squares * work * min(network.passes, steps)
    shared = busy * split
    waited = (shared**4 + launched**4) ** 0.25 - shared
    share = whole / devices + split
    waited = waited + busy * whole * (1.0 - 1.0 / devices)
    return replace(
        run, compute_s=share * run.compute_s, memory_s=share * run.memory_s, launch_s=run.launch_s + waited
    )  # fmt: skip


def live_b(network: Network) -> float:
    """Return the bytes that one sample holds in one of its passes; the next one takes the same place."""
    return sample_of(network).bytes_16 * LIVE_SHARE.get(network.kind, 0.5)
