"""An AI model from what a person types after ``--model``: a catalogue name, or keys and values."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from twinloop import catalogue
from twinloop.catalogue.names import close
from twinloop.errors import Fault, InputError
from twinloop.model.network import Network

WORDS = {"name", "kind", "attention", "source"}
FLAGS = {"gated", "tied", "causal"}
REALS = {"parameters", "flops_per_sample", "bytes_per_sample", "frozen_share", "features_b", "gathered_b", "input_b"}
MOST = {
    "layers": 1e5, "heads": 1e5, "kv_heads": 1e5, "experts": 1e6, "context": 1e10, "window": 1e10, "frozen_share": 1.0,
    "parameters": 1e18, "flops_per_sample": 1e24, "bytes_per_sample": 1e24,
    "features_b": 1e18, "gathered_b": 1e18, "input_b": 1e12,
}  # fmt: skip
MOST_ELSE = 1e8
"""What a key can mean at most: far beyond every model there is."""
KEYS = tuple(field.name for field in fields(Network))
NEEDED = ("layers", "hidden", "heads")
KINDS = (
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
)
_MARKS = re.compile(
    r"[-_ ](instruct|chat|base|hf|it|pt|thinking|reasoning|vl|omni|edge|lora|qlora|sft|dpo|rlhf|fp8|fp4|nvfp4|mxfp4"
    r"|bf16|fp16|int8|int4|w4a16|w8a8|awq|gptq|gguf|onnx|diffusers|dynamic|quantized|uncased|cased|preview|exp|turbo"
    r"|99|99\.9|99\.0|\d{3,4}(px)?|\d+k|v\d(\.\d)*|\d+e)$",
    re.IGNORECASE,
)
_MAKERS = re.compile(r"^(meta|nvidia|google|openai|microsoft|facebook|ibm|huggingface)[-_ ]", re.IGNORECASE)
ATTENTION = ("full", "flash", "sliding", "mla")


def network_named(text: str) -> Network:
    """Return the network ``text`` stands for: ``gpt3-175b``, ``xgboost:trees=900``, ``layers=24,hidden=…``.

    Raises:
        InputError: unknown name or key, or a value that is no number.
    """
    name, colon, rest = text.partition(":")
    if "=" in name:
        return _inline({}, text, text)
    known = {**_known(name)}
    return _inline(known, rest, name) if colon else Network(name=name, **known)


def _known(name: str) -> dict[str, Any]:
    """Return the catalogue's fields of ``name``, else of ``name`` without its owner and its release marks.

    Published names carry who made a copy, how it was tuned or stored, and the accuracy asked of it:
    ``Qwen/Qwen3-32B-FP8``, ``llama2_70b_lora``, ``gptj-99.9``. None of them changes the architecture.
    """
    for plain in dict.fromkeys((name.rpartition("/")[2], name)):
        for shorter in _shortened(plain):
            try:
                return catalogue.architecture(shorter)
            except InputError:
                continue
    return catalogue.architecture(name)


def _shortened(name: str) -> Iterator[str]:
    """Yield ``name`` with one mark less at its end each time, then without its maker in front."""
    for start in dict.fromkeys((name, _MAKERS.sub("", name))):
        left = start
        while left:
            yield left
            shorter = _MARKS.sub("", left)
            if shorter == left:
                break
            left = shorter


def _inline(known: dict[str, Any], text: str, name: str) -> Network:
    values, faults = dict(known), []
    for part in (each.strip() for each in text.split(",") if each.strip()):
        key, equals, value = part.partition("=")
        key = key.strip()
        if not equals or key not in KEYS:
            near = " or ".join(close(key, KEYS)) or None
            faults.append(Fault("command line", None, "--model", part, "key=value of an architecture", near))
            continue
        try:
            values.update(_value(key, value.strip()))
        except ValueError:
            faults.append(Fault("command line", None, f"--model {key}", value, _expected(key)))
    if not known:
        missing = [
            key
            for key in NEEDED
            if key not in values and values.get("kind", "transformer") in ("transformer", "mixture")
        ]
        if missing and "parameters" not in values:
            faults.append(Fault("command line", None, "--model", text, f"also {', '.join(missing)}"))
    faults += [Fault("command line", None, f"--model {key}", got, told) for key, got, told in _contradictions(values)]
    if faults:
        raise InputError(tuple(faults))
    return completed(values, name)


def _contradictions(values: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (key, got, expected) where keys contradict each other."""
    if values.get("kind", "transformer") not in ("transformer", "mixture"):
        return
    layers, experts, heads = (int(values.get(key) or 0) for key in ("layers", "experts", "heads"))
    for key in ("heads", "hidden"):
        if layers and values.get(key) == 0:
            yield key, "0", "at least 1"
    if layers and values.get("parameters") == 0.0:
        yield "parameters", "0", "above 0, or left out: counted from the layers"
    if int(values.get("group_top_k") or 0) > int(values.get("expert_groups") or 0):
        yield "group_top_k", str(values["group_top_k"]), f"at most expert_groups ({values.get('expert_groups') or 0})"
    if int(values.get("top_k") or 0) > experts:
        yield "top_k", str(values["top_k"]), f"at most experts ({experts})"
    if experts and not values.get("top_k"):
        yield "top_k", "nothing", f"1 to experts ({experts})"
    if layers and heads and not values.get("head_dim") and int(values.get("hidden") or 0) % heads:
        yield "heads", str(heads), f"a divisor of hidden ({values['hidden']}), or also head_dim"
    if heads and values.get("kv_heads") and heads % int(values["kv_heads"]):
        yield "kv_heads", str(values["kv_heads"]), f"a divisor of heads ({heads})"
    for key in ("dense_layers", "encoder_layers", "state_space_layers", "window_layers"):
        if int(values.get(key) or 0) > layers:
            yield key, str(values[key]), f"at most layers ({layers})"


def _value(key: str, text: str) -> dict[str, Any]:
    if key == "attention":
        word, _, width = text.partition(":")
        if word not in ATTENTION:
            raise ValueError(text)
        return {"attention": word, **({"window": int(width)} if width else {})}
    if key == "kind" and text not in KINDS:
        raise ValueError(text)
    if key in WORDS:
        return {key: text}
    if key in FLAGS:
        lowered = text.lower()
        if lowered not in ("0", "1", "true", "false", "yes", "no"):
            raise ValueError(text)
        return {key: lowered in ("1", "true", "yes")}
    number = float(text)
    if not 0.0 <= number <= MOST.get(key, MOST_ELSE):
        raise ValueError(text)
    if key in REALS:
        return {key: number}
    if number != int(number):
        raise ValueError(text)
    return {key: int(number)}


def _expected(key: str) -> str:
    words = {"attention": "full | flash | sliding:W | mla", "kind": " | ".join(KINDS)}
    what = "a number" if key in REALS else "a whole number"
    return words.get(key, "yes or no" if key in FLAGS else f"{what} from 0 to {MOST.get(key, MOST_ELSE):g}")


def completed(values: dict[str, Any], name: str) -> Network:
    """Return the network with what follows from the rest: key heads, head size, feed-forward width, kind."""
    found = dict(values)
    found.setdefault("name", name)
    found.setdefault("kind", "mixture" if found.get("experts") else "transformer")
    if found["kind"] in ("transformer", "mixture") and found.get("layers"):
        found.setdefault("kv_heads", found["heads"])
        if not found.get("head_dim"):
            found["head_dim"] = found["hidden"] // found["heads"]
        found.setdefault("ffn", 4 * found["hidden"])
        found.setdefault("vocabulary", 51200)
        found.setdefault("context", 2048)
    return Network(**found)


CHANNELS = 16
"""A first size up to this is channels, beyond it the depth of a volume."""


def with_input(network: Network, shape: str) -> Network:
    """Return ``network`` at another input: ``3x512x512``, ``512x512``, a volume ``1x128x128x128``, tokens ``384``.

    Work follows the pixels or voxels against those of the sample that the network's operations stand for. Tables
    and records (recommenders, trees, graphs, molecules) cost the same whatever their shape.

    >>> with_input(network_named("resnet50"), "3x448x448").flops_per_sample / 8.18e9
    4.0

    Raises:
        InputError: ``shape`` is not numbers joined by x.
    """
    try:
        sizes = [int(part) for part in shape.lower().split("x")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1 or math.prod(sizes) > MOST["context"]:
        told = "sizes joined by x, such as 3x224x224, ten billion values at most"
        raise InputError(Fault("command line", None, "--input-shape", shape, told))
    if network.layers:
        return replace(network, context=sizes[-1])
    extent = sizes[1:] if len(sizes) >= 3 and sizes[0] <= CHANNELS else sizes
    if not network.context or len(extent) < 2:
        return network
    scale = math.prod(extent) / network.context
    return replace(
        network, context=math.prod(extent),
        flops_per_sample=None if network.flops_per_sample is None else network.flops_per_sample * scale,
        bytes_per_sample=None if network.bytes_per_sample is None else network.bytes_per_sample * scale,
    )  # fmt: skip
