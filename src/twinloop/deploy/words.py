"""What words of commands and texts give away: ranks that do not fit their layout, secrets."""

from __future__ import annotations

import math
import re

SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|"
    r"(?i:(password|token|secret)\s*[=:]\s*\S{8})"
)


def rank_fault(words: list[str]) -> str | None:
    """Return what is wrong between the ranks that a command starts and those of its layout."""
    bare = [word.strip("'\"\\,") for word in words]
    sizes = {m[1]: int(m[2]) for w in bare if (m := re.fullmatch(r"--(\w+?)(?:-model)?-parallel-size=(\d+)", w))}
    started = {m[1]: int(m[2]) for w in bare if (m := re.fullmatch(r"--(nnodes|nproc-per-node|workers)=(\d+)", w))}
    if "data" not in sizes or not started or "serve.py" in bare:
        return None
    fixed = next((w for w in bare if re.fullmatch(r"--node-rank=\d+", w)), None)
    if fixed and started.get("nnodes", 1) > 1:
        return f"{fixed}: each node would be the same one"
    ranks = started.get("workers") or started.get("nnodes", 1) * started.get("nproc-per-node", 1)
    wanted = math.prod(sizes.get(each, 1) for each in ("data", "tensor", "pipeline", "context"))
    return None if ranks == wanted else f"starts {ranks} ranks for a layout of {wanted}"
