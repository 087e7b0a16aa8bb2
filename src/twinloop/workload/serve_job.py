"""What is served, as a person asks for it, and what of that contradicts itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinloop.catalogue.nouns import Device
from twinloop.errors import Fault, InputError
from twinloop.model.network import Network
from twinloop.workload.host import Host
from twinloop.workload.machine import peak_flops, required_peak
from twinloop.workload.transformer import TRANSFORMERS

SCENARIOS = ("offline", "server", "interactive", "single-stream")
SCENARIO_LIMITS = {"server": (2.0, 0.2), "interactive": (0.45, 0.04)}
"""(TTFT, TPOT) in seconds: MLPerf Inference 5.x, Llama-2-70B server and interactive (from memory)."""


@dataclass(frozen=True)
class ServingJob:
    """What is served; ``None``: chosen or absent."""

    precision: str = "bf16"
    weights: str | None = None
    cache: str | None = None
    tensor: int | None = None
    """Absent: the fastest layout that fits is chosen."""
    pipeline: int | None = None
    expert: int | None = None
    data: int | None = None
    """Copies of the weights."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    batch: int | None = None
    """Sequences in flight on one replica."""
    rate_per_s: float | None = None
    concurrency: int | None = None
    """Sequences in flight on all replicas."""
    scenario: str = "offline"
    ttft_s: float | None = None
    tpot_s: float | None = None
    latency_s: float | None = None
    prefix_hit: float = 0.0
    speculative: float = 1.0
    """Mean tokens accepted a step."""
    beams: int = 1
    """Sequences decoded for one request, one of which is kept."""
    software: str | None = None
    prefill_devices: int | None = None
    """Devices that only read prompts, the others only decode; 0: the split that serves most; absent: both on each."""
    work: float = 1.0
    """Passes of a sample over the catalogue's: denoising steps, windows of a volume."""
    size: float = 1.0
    """Of one pass over the catalogue's: image area, frames."""


def checked(job: ServingJob, network: Network, on: Host) -> ServingJob:
    """Return ``job`` with the formats that ``on`` computes in, or refuse what contradicts itself.

    Raises:
        InputError: every contradiction at once.
    """
    if network.kind not in TRANSFORMERS:  # samples stay whole, but that devices may share a denoised one's tokens
        sharing = network.kind == "diffusion"
        job = replace(job, tensor=job.tensor if sharing else None, pipeline=None, expert=None, data=None)
    faults = [*_sizes(job), *_divisors(job, network), *_ranges(job), *_product(job, on)]
    if faults:
        raise InputError(tuple(faults))
    return _formats(job, on.device)


def _fault(flag: str, got: object, expected: str) -> Fault:
    return Fault("command line", None, flag, str(got), expected)


def _sizes(job: ServingJob) -> list[Fault]:
    names = ("tensor", "pipeline", "expert", "data", "batch", "concurrency", "input_tokens", "output_tokens", "beams")
    return [
        _fault(f"--{name.removesuffix('_tokens')}", value, "at least 1")
        for name in names
        if (value := getattr(job, name)) is not None and value < 1
    ]


def _divisors(job: ServingJob, network: Network) -> list[Fault]:
    faults = []
    tensor, expert, pipeline = job.tensor or 1, job.expert or 1, job.pipeline or 1
    if tensor > 1 and network.layers and network.heads % tensor:
        faults.append(_fault("--tensor", tensor, f"a divisor of {network.heads} heads"))
    if network.layers and pipeline > network.layers:
        faults.append(_fault("--pipeline", pipeline, f"at most its {network.layers} layers"))
    if expert > 1 and (not network.experts or network.experts % expert):
        faults.append(_fault("--expert", expert, f"a divisor of {network.experts} experts"))
    return faults


def _ranges(job: ServingJob) -> list[Fault]:
    faults = []
    if sum(value is not None for value in (job.batch, job.rate_per_s, job.concurrency)) > 1:
        faults.append(_fault("--batch, --rate, --concurrency", "more than one", "one of them"))
    if job.rate_per_s is not None and not 0.0 < job.rate_per_s < float("inf"):
        faults.append(_fault("--rate", f"{job.rate_per_s:g}", "requests per second, above 0"))
    if not 0.0 <= job.prefix_hit < 1.0:
        faults.append(_fault("--prefix-hit", f"{job.prefix_hit:g}", "0 to below 1"))
    if not 1.0 <= job.speculative <= 16.0:
        faults.append(_fault("--speculative", f"{job.speculative:g}", "1 to 16 tokens a step"))
    if job.prefill_devices is not None and job.concurrency is not None:
        faults.append(_fault("--concurrency", job.concurrency, "--batch with --disaggregated"))
    if job.scenario not in SCENARIOS:
        faults.append(_fault("--scenario", job.scenario, " | ".join(SCENARIOS)))
    return faults


def _product(job: ServingJob, on: Host) -> list[Fault]:
    """Return a fault where the splits do not multiply to the devices. Pools divide what they have by themselves.

    A replica is max(tensor, expert) x pipeline devices, one copy of the weights; ``--data`` may also count the
    attention ranks inside it, as trainers do.
    """
    if job.prefill_devices is not None:
        good = 0 <= job.prefill_devices < on.devices and on.devices > 1
        expected = f"P:D with P + D = {on.devices} devices, both at least 1, or auto"
        return [] if good else [_fault("--disaggregated", job.prefill_devices, expected)]
    if job.tensor is None:
        taken = max(job.expert or 1, 1) * (job.pipeline or 1) * (job.data or 1)
        if on.devices % taken == 0:
            return []
        expected = f"a multiple of expert x pipeline x data = {taken}"
        return [_fault("--devices", on.devices, expected)]
    pipeline, expert = job.pipeline or 1, job.expert or 1
    counts = {job.tensor * pipeline, max(job.tensor, expert) * pipeline}
    if job.data is None:
        fits = on.devices % max(counts) == 0
        expected = f"a multiple of max(tensor {job.tensor}, expert {expert}) x pipeline {pipeline} = {max(counts)}"
    else:
        fits = on.devices in {count * job.data for count in counts}
        product = job.tensor * pipeline * job.data
        expected = f"the product tensor {job.tensor} x pipeline {pipeline} x data {job.data} = {product}"
    return [] if fits else [_fault("--devices", on.devices, expected)]


def _formats(job: ServingJob, device: Device) -> ServingJob:
    """Return the job in arithmetic that the device has.

    Formats it can only store (4 bits on Hopper, 8-bit floats on Ampere) are widened to 16 bits as they are read.
    """
    weights = job.weights or job.precision
    precision = job.precision
    narrow = precision in ("fp8", "mxfp8", "nvfp4", "mxfp4", "int8")
    if narrow and peak_flops(device, precision) is None and peak_flops(device, "bf16") is not None:
        precision = "bf16"
    required_peak(device, precision)
    # vLLM's constants were measured at a stated number in flight, TensorRT-LLM's at the most that fits.
    stated = "vllm" if job.batch is not None or job.concurrency is not None else None
    return replace(job, precision=precision, weights=weights, software=job.software or stated)
