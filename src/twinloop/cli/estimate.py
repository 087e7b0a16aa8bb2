"""``twinloop estimate``: how fast, how much memory and power, for one model on given devices."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twinloop.cli.answer import show, with_missed, with_reason
from twinloop.cli.ranges import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from twinloop.model.network import Network
    from twinloop.workload.host import Host

PRECISIONS = ("fp32", "tf32", "fp16", "bf16", "fp8", "mxfp8", "int8", "nvfp4", "mxfp4", "int4")
SPELLINGS = {
    "float32": "fp32", "float16": "fp16", "half": "fp16", "mixed": "fp16", "amp": "fp16", "amp_fp16": "fp16",
    "bfloat16": "bf16", "amp_bf16": "bf16", "amp_fp8": "fp8", "fp8_e4m3": "fp8", "fp4": "nvfp4", "uint4": "int4",
    "w4a16": "int4", "w8a8": "int8",
}  # fmt: skip
"""Other spellings of formats, as published tables write them."""
GB = 1e9
PROMPT, ANSWER = 1024, 128
"""Tokens of a request to a language model when neither --input nor --output says."""
WORDS = 100
"""Tokens spoken in half a minute."""
LORA_RANK = 16
"""Of ``--task lora`` without a rank: MLPerf Training's Llama-2-70B LoRA."""


class Precision(click.Choice[str]):
    """A format by any of its spellings."""

    name = "precision"

    def __init__(self) -> None:
        super().__init__(PRECISIONS, case_sensitive=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the format that ``value`` stands for."""
        plain = str(value).lower().replace("-", "_")
        return str(super().convert(SPELLINGS.get(plain, value), param, ctx))


class Named(click.Choice[str]):
    """One of some names, whatever their case and what joins their words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name that ``value`` stands for."""
        plain = re.sub(r"[^a-z0-9]", "", str(value).lower())
        meant = next((name for name in self.choices if re.sub(r"[^a-z0-9]", "", name) == plain), value)
        return str(super().convert(meant, param, ctx))


@click.group(
    name="estimate", epilog="Example: twinloop estimate train --model llama-3-8b --device H100 --devices 8 --batch 64"
)
def command() -> None:
    """How fast, how much memory and power, for this model on these devices?

    MODEL is a catalogue name (twinloop catalogue architectures), a config.json, an ONNX file, or keys:
    layers=24,hidden=2048,heads=16,vocabulary=51200,context=1024
    """


def _machine(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags that train and serve share."""
    for option in reversed(
        (
            click.option("--model", "model", required=True, help="Name, config.json, model.onnx, or key=value,…"),
            click.option("--device", required=True, help="Catalogue device, any case and punctuation."),
            click.option("--devices", type=int, default=1, show_default=True),
            click.option("--devices-per-node", type=int, default=None),
            click.option("--scale-up-domain", type=int, default=None, help="Devices on one fast fabric."),
            click.option("--network", type=float, default=None, help="GB/s per device and direction."),
            click.option("--network-kind", default="ib", show_default=True, help="ib, roce, tcp or torus."),
            click.option("--software", default=None, help="NAME or YYYY.MM: whose measured efficiency."),
            click.option("--power-limit-w", type=float, default=None),
            click.option("--cooling", default=None, help="air, rear_door, cold_plate or bath."),
            click.option("--coolant-c", type=float, default=None, help="Intake air, plate or bath temperature."),
            click.option(
                "--precision",
                type=Precision(),
                default=None,
                help="Default: what the model's name says (…-FP8, a benchmark), else bf16.",
            ),
            click.option("--input-shape", default=None, help="3x224x224, a volume 1x128x128x128, or tokens: 384."),
            click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output and nothing else."),
            click.option(
                "--out", type=click.Path(path_type=Path), default=None, help="Also write estimate.json there."
            ),
            click.option("-q", "--quiet", is_flag=True, help="No table."),
            click.option("-v", "--verbose", is_flag=True, help="Constants too."),
        )
    ):
        function = option(function)
    return function


@command.command(
    epilog="Example: twinloop estimate train --model gpt3-175b --device A100 --devices 1024 --tensor 8 --pipeline 16 "
    "--batch 1536"
)
@_machine
@click.option("--tensor", type=int, default=None, help="Default: 1, or what a batch below the devices leaves over.")
@click.option("--pipeline", type=int, default=1, show_default=True)
@click.option("--data", type=int, default=None, help="Default: devices/(tensor x pipeline x context).")
@click.option("--expert", type=int, default=1, show_default=True)
@click.option("--expert-tensor", type=int, default=1, show_default=True)
@click.option("--context-parallel", type=int, default=1, show_default=True)
@click.option("--sequence-parallel/--no-sequence-parallel", default=None)
@click.option("--zero", type=click.IntRange(0, 3), default=None)
@click.option("--fsdp-group", type=int, default=None, help="Devices that share one copy of the states (ZeRO-3).")
@click.option("--interleave", type=int, default=1, show_default=True, help="Model chunks a stage.")
@click.option("--schedule", type=Named(("gpipe", "1f1b", "interleaved", "zero-bubble", "dualpipe")), default=None)
@click.option(
    "--overlap-experts/--no-overlap-experts",
    default=None,
    help="Experts' exchanges beside another micro-batch's computation; default: as recipes of the software do.",
)
@click.option("--micro-batch", type=int, default=None, help="Default: the fastest that fits.")
@click.option("--recompute", type=Named(("none", "selective", "full")), default=None)
@click.option("--optimizer", default="adamw", show_default=True)
@click.option("--task", default="pretrain", show_default=True, help="pretrain, sft or lora:R.")
@click.option("--sequence", type=int, default=None, help="Tokens a sample; default: the model's context.")
@click.option("--batch", type=int, required=True, help="Global batch, sequences or samples.")
@click.option("--tokens", type=float, default=None, help="Of the whole run: adds its interruptions, time and energy.")
@click.option("--samples", type=float, default=None, help="The same in sequences or samples.")
@click.option("--deadline", default=None, help="Of the run: '30 days', '12 h'.")
@click.option(
    "--search",
    "searching",
    is_flag=True,
    help="Evaluate every layout of these devices; one that is given is judged beside.",
)
@click.option("--top", type=int, default=10, show_default=True)
def train(**given: Any) -> tuple[str, dict[str, Any]]:
    """Time, memory and power of a training step."""
    from twinloop.cli.layouts import train_searched
    from twinloop.cli.train_run import run_part
    from twinloop.model.codec import to_data
    from twinloop.workload.memory import capacity_b
    from twinloop.workload.train_estimate import estimate_training
    from twinloop.workload.train_job import TrainingJob

    check(given)
    network, on = _network(given["model"], given["input_shape"]), _host(given)
    sharded = given["fsdp_group"] is not None
    job = TrainingJob(
        batch=given["batch"], tensor=given["tensor"] or _left_over(given, network, on),
        pipeline=given["pipeline"], data=given["data"],
        context=given["context_parallel"], expert=given["expert"], expert_tensor=given["expert_tensor"],
        overlap_experts=given["overlap_experts"], micro_batch=given["micro_batch"],
        interleave=given["interleave"], schedule=given["schedule"],
        recompute=given["recompute"], zero=3 if sharded and given["zero"] is None else given["zero"],
        shard_group=given["fsdp_group"] or 0, sequence_parallel=given["sequence_parallel"],
        optimizer=re.sub(r"[-_ ]", "", given["optimizer"].lower()),
        lora_rank=_lora(given["task"]), precision=given["precision"] or "bf16",
        sequence=given["sequence"],
        software=_generation(given["software"], on, network, sharded=sharded or (given["zero"] or 0) >= 2),
    )  # fmt: skip
    extra: dict[str, Any] = {}
    if given["searching"]:
        job, extra = train_searched(network, on, job, given["top"])
    step = estimate_training(network, on, job)
    estimated = {**to_data(step), **run_part(given, network, on, job, step), **extra}
    answer = with_reason(estimated, capacity_b(on.device), int(network.heads), on.devices)
    return show(given, answer, f"{network.name} on {on.devices} x {on.device.name}, {job.precision}")


@command.command(
    epilog="Example: twinloop estimate serve --model llama-3-70b --device H100 --devices 4 --tensor 4 --precision fp8 "
    "--input 2048 --output 128"
)
@_machine
@click.option("--tensor", type=int, default=None, help="Default: the fastest that fits; diffusion: 1, whole samples.")
@click.option("--pipeline", type=int, default=None, help="Default: chosen with --tensor, else 1.")
@click.option("--expert", type=int, default=None, help="Default: chosen with --tensor, else 1.")
@click.option("--data", type=int, default=None, help="Replicas; default: devices/(max(tensor, expert) x pipeline).")
@click.option("--weights", type=Precision(), default=None, help="Format in memory.")
@click.option(
    "--activations",
    type=Precision(),
    default=None,
    help="Arithmetic; default --precision.",
)
@click.option("--kv-precision", type=Precision(), default=None)
@click.option(
    "--input", "prompt", type=int, default=None, help=f"Prompt tokens; {PROMPT} where --output is absent too."
)
@click.option(
    "--output", type=int, default=None, help=f"Generated tokens; absent: 1, or {ANSWER} where --input is absent too."
)
@click.option("--batch", type=int, default=None, help="Sequences in flight on one replica.")
@click.option("--rate", type=float, default=None, help="Requests per second.")
@click.option("--concurrency", type=int, default=None, help="Sequences in flight on all replicas.")
@click.option(
    "--scenario",
    type=Named(("offline", "server", "interactive", "single-stream")),
    default="offline",
)
@click.option("--ttft", default=None, help="Longest time to first token: 450ms, 2s.")
@click.option("--tpot", default=None, help="Longest time per output token.")
@click.option("--latency", default=None, help="Longest time of a request.")
@click.option("--prefix-hit", type=float, default=0.0, help="Share of prompt tokens already cached.")
@click.option("--speculative", type=float, default=1.0, help="Mean tokens accepted a step.")
@click.option(
    "--disaggregated", default=None, metavar="P:D|auto", help="P devices read prompts, D decode; auto: the best split."
)
@click.option("--beams", type=int, default=None, help="Sequences decoded for one that is kept.")
@click.option("--search", "searching", is_flag=True, help="List the best layouts too.")
@click.option("--top", type=int, default=10, show_default=True)
@click.option("--steps", type=int, default=None, help="Denoising steps.")
@click.option("--image", default=None, help="HxW.")
@click.option("--frames", type=int, default=None)
def serve(**given: Any) -> tuple[str, dict[str, Any]]:
    """Throughput, latency, memory and power of serving."""
    from twinloop.cli.layouts import serve_searched
    from twinloop.model.codec import to_data
    from twinloop.workload.serve_estimate import estimate_serving
    from twinloop.workload.serve_job import ServingJob

    check(given)
    network, on = _network(given["model"], given["input_shape"]), _host(given)
    asked = _request(given, network, on)
    job = ServingJob(
        precision=given["activations"] or given["precision"], weights=given["weights"] or given["precision"],
        cache=given["kv_precision"], tensor=given["tensor"], pipeline=given["pipeline"], expert=given["expert"],
        data=given["data"], input_tokens=given["prompt"], output_tokens=given["output"], batch=given["batch"],
        rate_per_s=given["rate"], concurrency=given["concurrency"], scenario=given["scenario"],
        ttft_s=_seconds("--ttft", given["ttft"]), tpot_s=_seconds("--tpot", given["tpot"]),
        latency_s=_seconds("--latency", given["latency"]), prefix_hit=given["prefix_hit"],
        speculative=given["speculative"], beams=given["beams"] or 1, software=_server_software(given["software"]),
        prefill_devices=_prefill_devices(given["disaggregated"], on),
        work=asked * _repeated(given["steps"], network), size=_size(given, network),
    )  # fmt: skip
    extra = serve_searched(network, on, job, given["top"]) if given["searching"] else {}
    estimated = {**to_data(estimate_serving(network, on, job)), **extra}
    answer = with_reason(estimated, on.device.memory_b, int(network.heads), on.devices)
    rate_per_s = job.rate_per_s if asked == 1.0 else None
    answer = with_missed(
        answer,
        {"samples_per_s": rate_per_s, "ttft_s": job.ttft_s, "tpot_s": job.tpot_s, "latency_p99_s": job.latency_s},
    )
    return show(given, answer, f"{network.name} on {on.devices} x {on.device.name}, {given['precision']}")


def _request(given: dict[str, Any], network: Network, on: Host) -> float:
    """Fill in what the command line leaves open of a request; return catalogue samples in one of it.

    A benchmark's name brings its lengths, beams, format and limits; a published name its format; else a request to a
    language model has PROMPT and ANSWER tokens.
    """
    from twinloop.workload.benchmarks import benchmark, limits, stored_format
    from twinloop.workload.machine import peak_flops

    known = benchmark(given["model"])
    if given["precision"] is None:
        formats = known.precisions if known else ()
        made = next((each for each in formats if peak_flops(on.device, each)), None)
        plain = "bf16" if peak_flops(on.device, "bf16") else next(iter(on.device.flops), "bf16")
        given["precision"] = made or stored_format(given["model"]) or plain
    asked = limits(given["model"], str(given["scenario"]).lower())
    for name, limit_s in zip(("ttft", "tpot", "latency"), asked, strict=True):
        if given[name] is None and limit_s is not None:
            given[name] = f"{limit_s}s"
    if network.layers and given["prompt"] is None and given["output"] is None:
        if known is not None:
            given["prompt"], given["output"] = known.input_tokens, known.output_tokens
            given["beams"] = given["beams"] or known.beams
        elif network.causal:
            heard = network.kind == "speech"
            given["prompt"], given["output"] = (network.context, WORDS) if heard else (PROMPT, ANSWER)
    if network.layers and network.causal and given["output"] is None:
        given["output"] = 1
    return known.work if known else 1.0


def _prefill_devices(text: str | None, on: Host) -> int | None:
    """Return the devices that only read prompts; 0: to be chosen."""
    if text is None or text.lower() == "auto":
        return None if text is None else 0
    match = re.fullmatch(r"(\d+):(\d+)", text)
    if match is None or not int(match[1]) or not int(match[2]) or int(match[1]) + int(match[2]) != on.devices:
        told = f"got {text!r}, expected P:D with P + D = {on.devices} devices, both at least 1, or auto"
        raise click.BadParameter(told, param_hint="--disaggregated")
    return int(match[1])


def _network(text: str, input_shape: str | None) -> Network:
    from twinloop.workload.named_model import network_named, with_input

    path = Path(text)
    if path.suffix == ".json":
        from twinloop.scenario.hugging_face import network_from_config

        network = network_from_config(path.parent.name or path.stem, path)
    elif path.suffix == ".onnx":
        from twinloop.scenario.onnx_graph import network_from_onnx

        network = network_from_onnx(path.stem, path)
    else:
        network = network_named(text)
    return network if input_shape is None else with_input(network, input_shape)


def _host(given: dict[str, Any]) -> Host:
    from twinloop import catalogue
    from twinloop.workload.host import host

    return host(
        catalogue.device(given["device"]), given["devices"], given["devices_per_node"], given["scale_up_domain"],
        None if given["network"] is None else given["network"] * GB, _carrier(given["network_kind"]), given["cooling"],
        given["coolant_c"], given["power_limit_w"],
    )  # fmt: skip


def _carrier(kind: str) -> str:
    plain = re.sub(r"[^a-z0-9]", "", kind.lower())
    return {"infiniband": "ib", "rocev2": "roce"}.get(plain, plain)


def _left_over(given: dict[str, Any], network: Network, on: Host) -> int:
    """Return the tensor split of a layout left open: 1, or the least that leaves every replica a sequence."""
    if not network.layers or given["data"] is not None:
        return 1
    model = given["pipeline"] * given["context_parallel"]
    widths = [n for n in range(1, min(on.devices, on.domain) + 1) if network.heads % n == on.devices % (n * model) == 0]
    return next((n for n in widths if on.devices // (n * model) <= given["batch"]), 1)


def _lora(task: str) -> int | None:
    if re.sub(r"[-_ ]", "", task.lower()) in ("pretrain", "pretraining", "sft"):
        return None
    match = re.fullmatch(r"lora(?:[-_: ](\d+))?", task.lower())
    if match is None:
        raise click.BadParameter(f"got {task!r}, expected pretrain, sft or lora:R", param_hint="--task")
    return int(match[1] or LORA_RANK)


def _generation(name: str | None, on: Host, network: Network, *, sharded: bool) -> str | None:
    from twinloop.workload.constants import GENERATIONS, generation_of
    from twinloop.workload.train_estimate import decodes

    if name is None:
        return None
    found = generation_of(name, on.device, sharded=sharded, decoder=decodes(network))
    if found is None:
        raise click.BadParameter(
            f"got {name!r}, expected YYYY.MM or one of {', '.join(GENERATIONS)}", param_hint="--software"
        )
    return found


def _server_software(name: str | None) -> str | None:
    from twinloop.workload.serve_constants import SOFTWARE

    plain = (name or "").lower().replace("-", "").replace("_", "")
    if not plain or re.fullmatch(r"\d+\.\d+", plain):
        return None
    if plain.startswith(("trt", "tensorrt")):
        return "trtllm"
    if plain in ("vllm", "sglang"):
        return "vllm"
    raise click.BadParameter(f"got {name!r}, expected one of {', '.join(SOFTWARE)} or YYYY.MM", param_hint="--software")


def _seconds(flag: str, text: str | None) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"\s*([0-9.]+(?:e-?\d+)?)\s*(us|ms|s)?\s*", text)
    if match is None or not float(match[1]) > 0.0:
        raise click.BadParameter(f"got {text!r}, expected a time such as 450ms or 2s", param_hint=flag)
    return float(match[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0, None: 1.0}[match[2]]


def _repeated(steps: int | None, network: Network) -> float:
    from twinloop.workload.other import STEPS_IMAGE, STEPS_VIDEO

    return steps / (STEPS_VIDEO if network.frames > 1 else STEPS_IMAGE) if steps else 1.0


def _size(given: dict[str, Any], network: Network) -> float:
    """Return the pixels of what is asked for over those of the catalogue's sample."""
    size = given["frames"] / network.frames if given["frames"] else 1.0
    if given["image"] is not None:
        match = re.fullmatch(r"(\d+)x(\d+)", given["image"].lower())
        if match is None:
            raise click.BadParameter(f"got {given['image']!r}, expected HxW", param_hint="--image")
        pixels = network.context / network.frames if network.context and not network.layers else 1024**2
        size *= int(match[1]) * int(match[2]) / pixels
    return size
