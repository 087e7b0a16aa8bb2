"""YAML text that YAML 1.1 and 1.2 readers understand alike; equal data give equal bytes.

Kubernetes tools read YAML 1.1, where ``no``, ``on`` and ``1e3`` are not texts. So a text stays plain only
where no reader could take it for anything else, and is written as a JSON string otherwise.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*(?:[:@][A-Za-z0-9_./-]+)*")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"}

LONGEST_KEY = 1000
"""Characters: readers give up on a plain key after 1,024 (YAML 1.2.2, section 7.4.2), its colon and indent included."""


def dump(*documents: Any) -> str:
    """Return ``documents`` as one YAML text, separated by ``---``.

    >>> print(dump({"kind": "Job", "on": ["no", 1.5, {"a": None, "b": []}]}), end="")
    kind: Job
    "on":
      - "no"
      - 1.5
      - a: null
        b: []
    """
    return "---\n".join("\n".join(_lines(document, 0)) + "\n" for document in documents)


def _lines(value: Any, depth: int) -> list[str]:
    pad = "  " * depth
    if isinstance(value, dict) and value:
        lines = []
        for key, item in value.items():
            lines += _entry(f"{pad}{_key(str(key))}:", item, depth + 1)
        return lines
    if isinstance(value, (list, tuple)) and value:
        lines = []
        for item in value:
            if isinstance(item, (dict, list, tuple)) and item:
                inner = _lines(item, depth + 1)
                lines += [f"{pad}- {inner[0].lstrip(' ')}", *inner[1:]]
            else:
                lines += _entry(f"{pad}-", item, depth + 1)
        return lines
    return [pad + _scalar(value)]


def _key(text: str) -> str:
    written = _text(text)
    if len(written) > LONGEST_KEY:
        raise ValueError(f"a key of {len(written)} characters: YAML readers take at most {LONGEST_KEY}")
    return written


def _entry(head: str, item: Any, depth: int) -> list[str]:
    if isinstance(item, (dict, list, tuple)) and item:
        return [head, *_lines(item, depth)]
    if isinstance(item, str) and _is_block(item):
        pad = "  " * depth
        return [f"{head} |", *(f"{pad}{line}" if line else "" for line in item.split("\n")[:-1])]
    return [f"{head} {_scalar(item)}"]


def _is_block(text: str) -> bool:
    """Whether ``text`` reads back unchanged as a literal block."""
    lines = text.split("\n")
    return (
        len(lines) > 2
        and lines[-1] == ""
        and lines[-2] != ""
        and lines[0][:1] not in ("", " ")
        and all(line.isprintable() and line == line.rstrip() for line in lines)
        and "\ufeff" not in text
    )


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} has no place in a manifest")
        mantissa, _, exponent = repr(value).partition("e")
        if not exponent:
            return mantissa
        # YAML 1.1 knows a float with an exponent by its point and the exponent's sign.
        return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{int(exponent):+d}"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    raise TypeError(f"no YAML form for {type(value).__name__}")


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    # ASCII only: readers of YAML 1.1 refuse some characters that JSON leaves as they are, and JSON's pairs too.
    pieces = (json.dumps(c)[1:-1] if ord(c) < 0x10000 else f"\\U{ord(c):08X}" for c in text)
    return f'"{"".join(pieces)}"'
