"""What numbers of ``estimate`` may be: every flag outside its range is told at once."""

from __future__ import annotations

import math
from typing import Any

from twinloop.errors import Fault, InputError

COUNTS = (
    "devices", "devices_per_node", "scale_up_domain", "tensor", "pipeline", "data", "expert", "expert_tensor",
    "context_parallel", "fsdp_group", "interleave", "micro_batch", "sequence", "batch", "top", "output", "beams",
    "steps", "frames", "concurrency",
)  # fmt: skip
"""Whole numbers from one."""
POSITIVE = {
    "network": "GB/s per device, above 0",
    "power_limit_w": "watts, above 0",
    "rate": "requests per second, above 0",
    "tokens": "tokens, above 0",
    "samples": "samples, above 0",
}
BETWEEN = {
    "coolant_c": (-40.0, 100.0, "°C"),
    "prefix_hit": (0.0, 1.0, "a share"),
    "speculative": (1.0, 64.0, "tokens a step"),
}
"""Coolants of any carrier: colder freezes, hotter than every chip's limit."""
FLAGS = {"context_parallel": "--context-parallel", "prompt": "--input"}


def check(given: dict[str, Any]) -> None:
    """Refuse numbers outside their range.

    Raises:
        InputError: names each flag, what it got and what is expected.
    """
    faults = []
    for name, value in given.items():
        expected = _expected(name, value)
        if value is not None and expected:
            flag = FLAGS.get(name, f"--{name.replace('_', '-')}")
            faults.append(Fault("command line", None, flag, f"{value:g}", expected))
    if given.get("prompt") is not None and given["prompt"] < 1:
        faults.append(Fault("command line", None, "--input", str(given["prompt"]), "at least 1"))
    if not faults and given.get("fsdp_group") and given["devices"] % given["fsdp_group"]:
        faults.append(
            Fault(
                "command line",
                None,
                "--fsdp-group",
                str(given["fsdp_group"]),
                f"a divisor of --devices {given['devices']}",
            )
        )
    image = (given.get("image") or "1x1").lower().split("x")
    if len(image) == 2 and "0" in {side.lstrip("0") or "0" for side in image}:
        faults.append(Fault("command line", None, "--image", given["image"], "HxW in pixels, each at least 1"))
    if faults:
        raise InputError(tuple(faults))


def _expected(name: str, value: Any) -> str:
    """Return what ``value`` should have been, or nothing where it is right or unchecked."""
    if value is None or isinstance(value, (bool, str)):
        return ""
    if name in COUNTS and value < 1:
        return "at least 1"
    if name in POSITIVE and not (math.isfinite(value) and value > 0.0):
        return POSITIVE[name]
    if name in BETWEEN:
        low, high, unit = BETWEEN[name]
        if not low <= value <= high:
            return f"{unit} from {low:g} to {high:g}"
    return ""
