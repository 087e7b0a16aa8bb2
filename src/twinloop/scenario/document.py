"""YAML text to a tree that remembers lines; refuses what no scenario needs.

Built from parser events with a stack of our own, so that nesting cannot exhaust Python's, and aliases
cannot blow up: every node, repeated or not, counts against a limit. Scalars follow the YAML 1.2 core
schema: ``2e9`` is a number, ``yes`` and ``07:00`` are words.
"""

from __future__ import annotations

import codecs
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from twinloop.errors import Fault, InputError

LARGEST_B = 1_000_000
"""A scenario is a few kB; a file of a megabyte is something else."""
MOST_NODES = 20_000
DEEPEST = 30
LONGEST_INTEGER = 400
"""Digits; more are no quantity, and turning them into an integer would be slow."""

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Node:
    """A place of the file: a mapping, a list or a scalar."""

    line: int
    scalar: Value = None
    items: tuple[Node, ...] | None = None
    entries: dict[str, Node] | None = None
    key_lines: dict[str, int] = field(default_factory=dict)
    text: str = ""
    """A scalar as written."""

    def get(self, key: str) -> Node | None:
        """Return the value of ``key`` of a mapping, else ``None``."""
        return None if self.entries is None else self.entries.get(key)

    def plain(self) -> Any:
        """Return dicts, lists and scalars."""
        if self.entries is not None:
            return {key: node.plain() for key, node in self.entries.items()}
        if self.items is not None:
            return [node.plain() for node in self.items]
        return self.scalar


@dataclass
class _Open:
    """A mapping or list being read."""

    event: Event
    path: str
    children: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)
    key: Node | None = None

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.event, MappingStartEvent)

    def child_path(self) -> str:
        """Return the path of the next child."""
        if not self.is_mapping:
            return f"{self.path}[{len(self.children)}]"
        key = self.key.text if self.key is not None else "?"
        return f"{self.path}.{key}" if self.path else key


def read_text(path: Path) -> str:
    """Return the text of ``path``.

    Raises:
        InputError: no such file, a folder, too large, or not UTF-8.
    """
    name = str(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST_B + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(Fault(name, None, "file", reason, "a readable scenario file")) from error
    if len(raw) > LARGEST_B:
        raise InputError(Fault(name, None, "file", "more than 1 MB", "a scenario file of a few kB"))
    try:
        return raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        got = f"byte 0x{raw[error.start]:02x}"
        raise InputError(Fault(name, line, "file", got, "text in UTF-8")) from error


def parse_document(text: str, file: str) -> tuple[Node, list[Fault]]:
    """Return the tree of ``text`` and the faults that leave it usable (duplicate keys, merge keys).

    Raises:
        InputError: the text is no YAML, empty, or not a mapping.
    """
    _refuse_characters(text, file)
    faults: list[Fault] = []
    try:
        root = _build(text, file, faults)
    except MarkedYAMLError as error:
        raise InputError(_yaml_fault(error, file)) from error
    except (
        YAMLError,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        NotImplementedError,
        AssertionError,
    ) as error:
        # The parser answers some broken input (wild escapes, directives) with errors of its own making.
        raise InputError(Fault(file, 1, "file", f"broken YAML ({error})"[:200], "YAML")) from error
    if root is None:
        raise InputError(Fault(file, 1, "file", "an empty file", "a scenario; `twinloop new` writes a starter"))
    if root.entries is None:
        expected = "keys and values, `twinloop: 1` first"
        raise InputError(Fault(file, root.line, "file", describe(root), expected))
    return root, faults


def _refuse_characters(text: str, file: str) -> None:
    for number, line in enumerate(_BREAK.split(text), 1):
        indent = line[: len(line) - len(line.lstrip())]
        if "\t" in indent and line.strip():
            raise InputError(Fault(file, number, "file", "a tab in the indentation", "spaces"))
        bad = _CONTROL.search(line)
        if bad:
            got = f"control character 0x{ord(bad.group()):02x}"
            raise InputError(Fault(file, number, "file", got, "printable text"))


_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What the parser counts as the end of a line."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")


def _yaml_fault(error: MarkedYAMLError, file: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    line = None if mark is None else mark.line + 1
    problem = " ".join(str(part) for part in (error.context, error.problem) if part)
    return Fault(file, line, "file", f"broken YAML ({problem})"[:200], "YAML: `key: value`, lists with `- `")


def _build(text: str, file: str, faults: list[Fault]) -> Node | None:
    stack: list[_Open] = []
    anchors: dict[str, Node] = {}
    root: Node | None = None
    count, documents = 0, 0
    for event in YAML(typ="safe", pure=True).parse(text):
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise InputError(Fault(file, line, "file", "a second document (`---`)", "one scenario a file"))
        if isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            if len(stack) >= DEEPEST:
                raise InputError(Fault(file, line, "file", f"nesting deeper than {DEEPEST}", "a flatter file"))
            stack.append(_Open(event, stack[-1].child_path() if stack else ""))
            continue
        node = _node(event, stack, anchors, file, line)
        if node is None:
            continue
        count += _size(node) if isinstance(event, AliasEvent) else 1
        if count > MOST_NODES:
            raise InputError(Fault(file, line, "file", f"more than {MOST_NODES} values", "a smaller file"))
        anchor = getattr(event, "anchor", None)
        if anchor and isinstance(event, ScalarEvent):
            anchors[anchor] = node
        if stack:
            _attach(stack[-1], node, file, faults)
        else:
            root = node
    return root


def _node(event: Event, stack: list[_Open], anchors: dict[str, Node], file: str, line: int) -> Node | None:
    """Return the node that ``event`` completes, if it completes one."""
    if isinstance(event, ScalarEvent):
        return _scalar(event, file, line)
    if isinstance(event, AliasEvent):
        if event.anchor not in anchors:
            raise InputError(Fault(file, line, "file", f"*{event.anchor}", "an anchor defined above, complete"))
        return anchors[event.anchor]
    if not isinstance(event, (MappingEndEvent, SequenceEndEvent)):
        return None
    done = stack.pop()
    start = done.event.start_mark.line + 1
    _refuse_tag(done.event, file, start)
    node = (
        Node(start, entries=done.entries, key_lines=done.key_lines)
        if done.is_mapping
        else Node(start, items=tuple(done.children))
    )
    anchor = getattr(done.event, "anchor", None)
    if anchor:
        anchors[anchor] = node
    return node


def _size(node: Node) -> int:
    """Return the number of nodes, stopping soon after the limit."""
    todo, count = [node], 0
    while todo and count <= MOST_NODES:
        here = todo.pop()
        count += 1
        todo.extend(here.items or ())
        todo.extend((here.entries or {}).values())
    return count


def _attach(parent: _Open, node: Node, file: str, faults: list[Fault]) -> None:
    if not parent.is_mapping:
        parent.children.append(node)
        return
    if parent.key is None:
        if node.items is not None or node.entries is not None:
            raise InputError(Fault(file, node.line, parent.path or "file", describe(node), "a word as key"))
        parent.key = node
        return
    path, key = parent.child_path(), parent.key
    parent.key = None
    if key.text == "<<":
        faults.append(Fault(file, key.line, path, "a merge key", "the keys written out"))
    elif key.text in parent.entries:
        first = parent.key_lines[key.text]
        faults.append(Fault(file, key.line, path, "the key a second time", f"one value (first on line {first})"))
    else:
        parent.entries[key.text] = node
        parent.key_lines[key.text] = key.line


def _refuse_tag(event: Event, file: str, line: int) -> None:
    tag = getattr(event, "tag", None)
    if tag:
        raise InputError(Fault(file, line, "file", f"the tag {tag}"[:80], "plain YAML"))


_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    ".nan": math.nan, ".NaN": math.nan, ".NAN": math.nan,
    ".inf": math.inf, ".Inf": math.inf, ".INF": math.inf, "+.inf": math.inf, "-.inf": -math.inf,
    "-.Inf": -math.inf, "-.INF": -math.inf, "+.Inf": math.inf, "+.INF": math.inf,
}  # fmt: skip


def _scalar(event: ScalarEvent, file: str, line: int) -> Node:
    _refuse_tag(event, file, line)
    text: str = event.value
    if not getattr(event, "plain", event.style is None) or event.style:
        return Node(line, scalar=text, text=text)
    value: Value = text
    if text in _SPECIAL:
        value = _SPECIAL[text]
    elif _INTEGER.fullmatch(text) and len(text) <= LONGEST_INTEGER:
        value = int(text)
    elif _FLOAT.fullmatch(text):
        value = float(text)
    return Node(line, scalar=value, text=text)


def describe(node: Node) -> str:
    """Return what ``node`` is, for a message."""
    if node.entries is not None:
        return "keys and values"
    if node.items is not None:
        return "a list"
    if node.scalar is None:
        return "nothing"
    shown = repr(node.scalar) if isinstance(node.scalar, str) else node.text
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
