"""What numbers of ``estimate`` may be: every flag outside its range is told at once."""

from __future__ import annotations

from typing import Any

from twinloop.errors import Fault, InputError

COUNTS = (
    "devices", "devices_per_node", "scale_up_domain", "tensor", "pipeline", "data", "expert", "expert_tensor",
    "context_parallel", "fsdp_group", "interleave", "micro_batch", "sequence", "batch", "top", "output", "beams",
    "steps", "frames", "concurrency", "prompt",
)  # fmt: skip
"""Whole numbers from one."""
LARGEST = {"batch": 10**9, "concurrency": 10**9, "sequence": 10**8, "prompt": 10**8, "output": 10**8}
LARGEST_COUNT = 10**7
"""Beyond: a slip of the keyboard. The largest halls hold a million devices, the longest contexts ten million tokens."""
BETWEEN = {
    "network": (1e-3, 1e5, "GB/s per device"),
    "power_limit_w": (1e-3, 1e6, "watts"),
    "rate": (1e-9, 1e9, "requests per second"),
    "tokens": (1.0, 1e18, "tokens"),
    "samples": (1.0, 1e18, "samples"),
    "coolant_c": (-40.0, 100.0, "°C"),
    "prefix_hit": (0.0, 1.0, "a share"),
    "speculative": (1.0, 64.0, "tokens a step"),
}
"""What anybody can mean. Coolants of any carrier: colder freezes, hotter than every chip's limit."""
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
            faults.append(Fault("command line", None, flag, _plain(value), expected))
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


def _plain(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _expected(name: str, value: Any) -> str:
    """Return what ``value`` should have been, or nothing where it is right or unchecked."""
    if value is None or isinstance(value, (bool, str)):
        return ""
    most = LARGEST.get(name, LARGEST_COUNT)
    if name in COUNTS and not 1 <= value <= most:
        return "at least 1" if value < 1 else f"at most {most:,}"
    if name in BETWEEN:
        low, high, unit = BETWEEN[name]
        if low > 0.0 and not value > 0.0:
            return f"{unit}, above 0"
        if not low <= value <= high:
            return f"{unit} from {low:g} to {high:g}"
    return ""
