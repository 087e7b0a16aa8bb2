"""A YAML document as plain data, with the line of every value."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent

from twinloop.errors import Fault, InputError

MOST_BYTES = 1_000_000
MOST_DEPTH = 12

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """Plain data and where each value and key stands (1-based lines)."""

    file: str
    data: dict[str, Any]
    lines: dict[Path_, int]

    def line(self, path: Path_) -> int | None:
        """Return the line of ``path``, or of the nearest ancestor that has one."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None


def read_document(file: Path) -> Document:
    """Read ``file``.

    Raises:
        InputError: missing, unreadable, not UTF-8, not YAML, a duplicate key, an alias, or not a mapping.
    """
    text = _text(file)
    name = str(file)
    try:
        if any(isinstance(event, AliasEvent) for event in YAML().parse(text)):
            raise InputError(Fault(name, 1, "document", "an alias (*name)", "values written out"))
        root = YAML().load(text)
    except DuplicateKeyError as error:
        raise InputError(_marked(name, error, "each key once")) from error
    except MarkedYAMLError as error:
        raise InputError(_marked(name, error, "YAML")) from error
    except (YAMLError, ValueError, RecursionError, TypeError, AttributeError, KeyError) as error:
        raise InputError(Fault(name, 1, "document", _first_line(error), "YAML")) from error
    if not isinstance(root, CommentedMap):
        got = "nothing" if root is None else type(root).__name__.replace("Commented", "").lower()
        raise InputError(Fault(name, 1, "document", got, "keys such as 'twinloop: 1' and 'stages:'"))
    lines: dict[Path_, int] = {(): 1}
    data = _plain(root, (), lines, name)
    return Document(name, data, lines)


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise InputError(
            Fault(str(file), None, "file", error.strerror or "an error", "a readable scenario file")
        ) from error
    if len(raw) > MOST_BYTES:
        raise InputError(Fault(str(file), None, "file", f"{len(raw)} bytes", f"at most {MOST_BYTES}"))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError(Fault(str(file), line, "file", f"byte 0x{raw[error.start]:02x}", "UTF-8 text")) from error


def _marked(name: str, error: MarkedYAMLError, expected: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    return Fault(
        name, mark.line + 1 if mark else 1, "document", (error.problem or "broken text").splitlines()[0], expected
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def _plain(value: Any, path: Path_, lines: dict[Path_, int], name: str) -> Any:
    if len(path) > MOST_DEPTH:
        raise InputError(
            Fault(
                name, lines.get(path[:1]), ".".join(map(str, path[:3])), "deep nesting", f"at most {MOST_DEPTH} levels"
            )
        )
    if isinstance(value, CommentedMap):
        result = {}
        for key, item in value.items():
            where = (*path, str(key))
            lines[where] = _line_of(value, key, lines.get(path, 1))
            result[str(key)] = _plain(item, where, lines, name)
        return result
    if isinstance(value, CommentedSeq):
        for i in range(len(value)):
            lines[*path, i] = _line_of(value, i, lines.get(path, 1))
        return [_plain(item, (*path, i), lines, name) for i, item in enumerate(value)]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return str(value)


def _line_of(container: Any, key: Any, default: int) -> int:
    try:
        position = container.lc.key(key) if isinstance(container, CommentedMap) else container.lc.item(key)
    except (KeyError, AttributeError, TypeError, IndexError):
        return default
    return int(position[0]) + 1
