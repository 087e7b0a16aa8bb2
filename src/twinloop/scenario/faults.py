"""What the validator found, as faults with a line: got X, expected Y, did you mean Z."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from twinloop.errors import Fault
from twinloop.scenario import schema
from twinloop.scenario.document import Node, describe
from twinloop.spelling import near

TAGS: dict[str, type[BaseModel]] = {
    "<layers>": schema.LayersSpec,
    "<counts>": schema.CountsSpec,
    "<trees>": schema.TreesSpec,
    "<architecture>": schema.ArchitectureSpec,
    "<config>": schema.ConfigSpec,
    "<onnx>": schema.OnnxSpec,
    "<ingest>": schema.IngestSpec,
    "<preprocess>": schema.PreprocessSpec,
    "<train>": schema.TrainSpec,
    "<serve>": schema.ServeSpec,
    "<on-premise>": schema.OnPremiseSpec,
    "<cloud>": schema.CloudSpec,
    "<edge>": schema.EdgeSpec,
}
"""The union members behind the tags of the schema."""

KINDS = {
    "stages": ("ingest", "preprocess", "train", "serve"),
    "sites": ("on-premise", "cloud", "edge"),
    "models": (
        "transformer",
        "mixture",
        "convnet",
        "recommender",
        "trees",
        "graph",
        "diffusion",
        "molecular",
        "generic",
    ),
}
"""Values of ``kind`` by list."""

_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list (`- ` in front of each item)",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
}
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "too_short": ("at least", "min_length"),
    "too_long": ("at most", "max_length"),
    "string_too_short": ("at least", "min_length"),
    "string_too_long": ("at most", "max_length"),
}
_FEW = 3
"""Suggestions that still help."""
_PATTERNS = {
    "Name": "a name of letters, digits, space and . _ + / -",
    "Jurisdiction": "a jurisdiction such as EU, DE or US-VA",
    "attention": "full, flash, mla or sliding:WINDOW",
}


def close(word: object, options: Iterable[str]) -> str | None:
    """Return the option that is spelt most like ``word``, else the few that it is a whole word of, else ``None``."""
    names = list(options)
    found = near(str(word), names) or _holding(str(word), names) or _called_otherwise(str(word), names)
    return " or ".join(found) or None


_OTHER_WORDS = {
    "immersion": "bath", "tank": "bath", "plates": "cold_plate", "direct to chip": "cold_plate", "doors": "rear_door",
    "inference": "serve", "infer": "serve", "predict": "serve", "score": "serve", "training": "train",
    "fine-tune": "train", "features": "preprocess", "etl": "preprocess", "stream": "ingest",
    "on-prem": "on-premise", "datacenter": "on-premise", "data center": "on-premise", "hall": "on-premise",
    "llm": "transformer", "moe": "mixture", "cnn": "convnet", "gnn": "graph", "gbdt": "trees", "xgboost": "trees",
}  # fmt: skip
"""Words that people use for ours."""


def _called_otherwise(word: str, names: list[str]) -> list[str]:
    return [ours for theirs, ours in _OTHER_WORDS.items() if ours in names and near(word, [theirs])][:1]


def _holding(word: str, names: list[str]) -> list[str]:
    parts = set(re.split(r"[\s_-]+", word.strip().lower()))
    found = [name for name in names if parts <= set(re.split(r"[\s_-]+", name.lower()))]
    return found if len(found) <= _FEW else []


def path_text(steps: Iterable[str | int]) -> str:
    """Return ``sites[0].racks.power`` for its steps."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text or "file"


def line_of(root: Node, steps: Iterable[str | int]) -> int:
    """Return the line of the place ``steps``, or of the nearest one around it that exists."""
    node, line = root, root.line
    for step in steps:
        if node.entries is not None and step in node.entries:
            line = node.key_lines[str(step)]
            node = node.entries[str(step)]
        elif node.items is not None and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            line = node.line
        else:
            break
    return line


def node_at(root: Node, steps: Iterable[str | int]) -> Node | None:
    """Return the node at the place ``steps``."""
    node: Node | None = root
    for step in steps:
        if node is None:
            return None
        if isinstance(step, int):
            node = node.items[step] if node.items is not None and step < len(node.items) else None
        else:
            node = node.get(step)
    return node


def schema_faults(error: ValidationError, root: Node, file: str) -> list[Fault]:
    """Return one fault for each error of the validator; a key misspelt is not missing besides."""
    errors = error.errors(include_url=False)
    faults = [(each["type"], _fault(each, root, file)) for each in errors]
    meant = {
        _sibling(fault.path, key)
        for kind, fault in faults
        if kind == "extra_forbidden"
        for key in (fault.suggestion or "").split(" or ")
    }
    return [fault for kind, fault in faults if kind != "missing" or fault.path not in meant]


def _sibling(path: str, key: str) -> str:
    parent, dot, _ = path.rpartition(".")
    return f"{parent}{dot}{key}"


def _fault(each: Any, root: Node, file: str) -> Fault:
    loc = tuple(each["loc"])
    steps = tuple(step for step in loc if not _is_tag(step))
    where, line = path_text(steps), line_of(root, steps)
    kind, context = each["type"], each.get("ctx", {})
    node = node_at(root, steps)
    got = describe(node) if node is not None else "nothing"
    if kind == "twinloop":
        return Fault(file, line, where, context["got"], context["expected"], context["suggestion"])
    if kind == "extra_forbidden":
        return _unknown_key(loc, steps, file, where, line)
    if kind == "missing":
        parent = path_text(steps[:-1])
        return Fault(file, line, where, "nothing", f"the key {str(steps[-1])!r} in {parent}")
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return _unknown_kind(steps, root, file)
    if kind == "literal_error":
        options = re.findall(r"'([^']*)'", str(context["expected"])) or [str(context["expected"])]
        hint = close(node.scalar if node is not None else "", options)
        return Fault(file, line, where, got, _one_of(options), hint)
    return Fault(file, line, where, got, _expected(each, steps))


def _is_tag(step: object) -> bool:
    return isinstance(step, str) and step.startswith("<") and step.endswith(">") and len(step) > 2


def _expected(each: Any, steps: tuple[str | int, ...]) -> str:
    kind, context = each["type"], each.get("ctx", {})
    if kind in _TYPES:
        return _TYPES[kind]
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        unit = "" if not kind.startswith(("too_", "string_")) else " characters" if "string" in kind else " items"
        bound = context.get(key, context.get("actual_length"))
        return f"{words} {bound}{unit}"
    if kind == "string_pattern_mismatch":
        last = next((step for step in reversed(steps) if isinstance(step, str)), "")
        named = "attention" if last == "attention" else "Name"
        return _PATTERNS["Jurisdiction" if last in ("jurisdiction", "residency") else named]
    message = str(each["msg"])
    return message[:1].lower() + message[1:]


def _one_of(options: Iterable[str]) -> str:
    return "one of " + ", ".join(options)


def _unknown_kind(steps: tuple[str | int, ...], root: Node, file: str) -> Fault:
    options = KINDS.get(str(steps[0]), ())
    node = node_at(root, steps)
    if node is not None and node.entries is None:
        words = "a word, or keys and values" if len(steps) > 2 else "keys and values"
        return Fault(file, line_of(root, steps), path_text(steps), describe(node), words)
    kind = node.get("kind") if node is not None else None
    place = (*steps, "kind")
    where = path_text(place)
    if kind is None:
        expected = f"the key 'kind': {_one_of(options)}"
        if steps[0] == "models":
            expected += "; or architecture, config or onnx"
        return Fault(file, line_of(root, steps), where, "nothing", expected)
    return Fault(file, line_of(root, place), where, describe(kind), _one_of(options), close(kind.scalar, options))


def _unknown_key(loc: tuple[str | int, ...], steps: tuple[str | int, ...], file: str, where: str, line: int) -> Fault:
    key = str(steps[-1])
    known = known_keys(loc[:-1])
    if key in schema.NOT_YET:
        return Fault(file, line, where, f"the key {key!r}", f"no such key: {schema.NOT_YET[key]} is not supported yet")
    shown = key if len(key) <= 40 else f"{key[:37]}..."
    return Fault(file, line, where, f"the unknown key {shown!r}", _one_of(known), close(key, known))


def known_keys(loc: Iterable[str | int]) -> list[str]:
    """Return the keys that the schema has at a validator's place."""
    cls: type[BaseModel] | None = schema.ScenarioSpec
    for step in loc:
        if isinstance(step, int):
            continue
        if _is_tag(step):
            cls = TAGS.get(step, cls)
            continue
        field = None if cls is None else cls.model_fields.get(step)
        classes = [] if field is None else _classes(field.annotation)
        cls = classes[0] if classes else None
    return [] if cls is None else [field.alias or name for name, field in cls.model_fields.items()]


def _classes(annotation: Any) -> list[type[BaseModel]]:
    """Return the sections named in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [cls for part in typing.get_args(annotation) for cls in _classes(part)]
