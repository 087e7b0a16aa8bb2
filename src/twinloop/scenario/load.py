"""A scenario file, checked: every fault at once, each with its line."""

from __future__ import annotations

import difflib
import hashlib
import json
import types
import typing
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from twinloop import units
from twinloop.errors import Fault, InputError
from twinloop.scenario.document import Document, Path_, read_document
from twinloop.scenario.schema import CloudPart, EdgePart, OnPremise, ScenarioFile, Stage

KIND_KEYS = {
    "ingest": {"rate"},
    "preprocess": {"rows", "every"},
    "train": {"model", "samples", "every"},
    "serve": {"model", "rate"},
}
"""What each kind of stage must say."""
SITE_KINDS: dict[str, type[BaseModel]] = {"on-premise": OnPremise, "cloud": CloudPart, "edge": EdgePart}


@dataclass(frozen=True)
class Scenario:
    """A checked file; ``resolve`` turns it into a model."""

    file: Path
    content: ScenarioFile
    document: Document


def load(path: str | Path) -> Scenario:
    """Read and check the scenario at ``path``.

    Raises:
        InputError: all faults of the file, each ``file:line: where: got X, expected Y``.
    """
    file = Path(path)
    document = read_document(file)
    try:
        content = ScenarioFile.model_validate(document.data)
    except ValidationError as error:
        raise InputError(_faults(error, document)) from error
    faults = _references(content, document)
    if faults:
        raise InputError(tuple(faults))
    return Scenario(file, content, document)


def scenario_hash(scenario: Scenario) -> str:
    """Return 16 hex digits of the content's SHA-256: comments and spacing do not change it."""
    text = json.dumps(scenario.document.data, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _faults(error: ValidationError, document: Document) -> tuple[Fault, ...]:
    found: dict[tuple[Path_, str], Fault] = {}
    for each in error.errors(include_url=False):
        path = _data_path(each["loc"], document.data)
        fault = _fault(each, path, document)
        found.setdefault((path, fault.expected), fault)
    return tuple(sorted(found.values(), key=lambda fault: (fault.line or 0, fault.path)))


def _data_path(loc: tuple[int | str, ...], data: Any) -> Path_:
    """Drop what the validator adds to a place (union members): keep keys and indices that exist."""
    path: list[str | int] = []
    value: Any = data
    for i, step in enumerate(loc):
        item = _item(value, step)
        if item is not None or (isinstance(value, dict) and step in value):
            path.append(step)
            value = item
        elif i == len(loc) - 1 and isinstance(value, dict) and isinstance(step, str) and step not in SITE_KINDS:
            path.append(step)
    return tuple(path)


def _fault(each: Any, path: Path_, document: Document) -> Fault:
    kind, where = each["type"], _words(path)
    line = document.line(path)
    got = _show(each["input"])
    if kind == "extra_forbidden":
        known = _known_keys(path[:-1], document.data)
        return Fault(
            document.file,
            line,
            where,
            f"unknown key {path[-1]!r}",
            "one of " + ", ".join(known),
            _close(str(path[-1]), known),
        )
    if kind == "missing":
        return Fault(document.file, line, where, "nothing", "this key")
    if kind == "value_error" and isinstance(each["ctx"]["error"], units.UnitError):
        problem = each["ctx"]["error"]
        return Fault(document.file, line, where, got, problem.expected, problem.suggestion)
    if kind in ("literal_error", "union_tag_invalid"):
        options = [
            word.strip("' ")
            for word in str(each["ctx"].get("expected", each["ctx"].get("expected_tags", "")))
            .replace(" or ", ", ")
            .split(",")
        ]
        return Fault(
            document.file, line, where, got, "one of " + ", ".join(options), _close(str(each["input"]), options)
        )
    return Fault(document.file, line, where, got, each["msg"][0].lower() + each["msg"][1:])


def _words(path: Path_) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "document"


def _show(value: object) -> str:
    text = (
        repr(value) if not isinstance(value, (dict, list)) else f"a {'mapping' if isinstance(value, dict) else 'list'}"
    )
    return text if len(text) <= 60 else text[:57] + "..."


def _close(word: str, options: list[str]) -> str | None:
    found = difflib.get_close_matches(word, options, n=1, cutoff=0.6)
    return f"{found[0]!r}" if found else None


def _known_keys(path: Path_, data: Any) -> list[str]:
    """Return the keys that the schema has at ``path``."""
    cls: Any = ScenarioFile
    value: Any = data
    for step in path:
        value = _item(value, step)
        if isinstance(step, str) and isinstance(cls, type) and issubclass(cls, BaseModel):
            cls = cls.model_fields[step].annotation if step in cls.model_fields else None
        cls = _part(cls, value)
        if cls is None:
            return []
    if isinstance(cls, type) and issubclass(cls, BaseModel):
        return [field.alias or name for name, field in cls.model_fields.items()]
    return []


def _item(value: Any, step: str | int) -> Any:
    """Return ``value[step]``, or ``None`` where there is no such thing."""
    if isinstance(value, dict):
        return value.get(step)
    return value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None


def _part(kind: Any, value: Any) -> Any:
    """Return the schema class inside an annotation that fits ``value``."""
    if isinstance(kind, type):
        return kind
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _part(typing.get_args(kind)[0], value)
    if origin is list:
        return kind if isinstance(value, list) else _part(typing.get_args(kind)[0], value)
    if origin in (typing.Union, types.UnionType):
        options = [each for each in typing.get_args(kind) if isinstance(each, type) and issubclass(each, BaseModel)]
        if len(options) > 1 and isinstance(value, dict):
            return SITE_KINDS.get(str(value.get("kind")))
        return options[0] if options else None
    return None


def as_list(value: str | list[str]) -> list[str]:
    """Return one name or many as a list."""
    return [value] if isinstance(value, str) else list(value)


def _references(content: ScenarioFile, document: Document) -> list[Fault]:
    """Return dangling, duplicate and circular references, and keys that a stage's kind lacks."""
    faults: list[Fault] = []

    def report(path: Path_, got: str, expected: str, suggestion: str | None = None) -> None:
        faults.append(Fault(document.file, document.line(path), _words(path), got, expected, suggestion))

    groups: dict[str, list[Any]] = {
        "datasets": content.datasets,
        "models": content.models,
        "stages": content.stages,
        "sites": content.sites,
    }
    names = {group: [each.name for each in items] for group, items in groups.items()}
    for group, mine in names.items():
        for name, count in Counter(mine).items():
            if count > 1:
                last = len(mine) - 1 - mine[::-1].index(name)
                report((group, last, "name"), repr(name), f"a name not used before in {group}")
    for i, data in enumerate(content.datasets):
        if data.home not in names["sites"]:
            report(("datasets", i, "home"), repr(data.home), "the name of a site", _close(data.home, names["sites"]))
    for i, stage in enumerate(content.stages):
        _check_stage(i, stage, names, report)
    _check_cycles(content, report)
    return faults


def _check_stage(i: int, stage: Stage, names: dict[str, list[str]], report: Any) -> None:
    for key, group in (("after", "stages"), ("reads", "datasets"), ("sites", "sites")):
        for name in as_list(getattr(stage, key)):
            if name not in names[group]:
                report(("stages", i, key), repr(name), f"a name in {group}", _close(name, names[group]))
    if stage.model is not None and stage.model not in names["models"]:
        report(("stages", i, "model"), repr(stage.model), "a name in models", _close(stage.model, names["models"]))
    for key in sorted(KIND_KEYS[stage.kind]):
        if getattr(stage, key) is None:
            report(("stages", i, key), "nothing", f"this key: a {stage.kind} stage needs it")
    if stage.rate is not None:
        kind = "rate" if stage.kind == "serve" else "data rate"
        try:
            value = units.parse(stage.rate, kind)
        except units.UnitError as error:
            report(("stages", i, "rate"), repr(stage.rate), error.expected, error.suggestion)
        else:
            if not 0.0 < value < 1e15:
                report(("stages", i, "rate"), repr(stage.rate), "more than zero and less than 1e15")


def _check_cycles(content: ScenarioFile, report: Any) -> None:
    after = {stage.name: set(as_list(stage.after)) for stage in content.stages}
    done: set[str] = set()
    while True:
        ready = {name for name, needs in after.items() if name not in done and needs & set(after) <= done}
        if not ready:
            break
        done |= ready
    for i, stage in enumerate(content.stages):
        if stage.name not in done:
            report(
                ("stages", i, "after"),
                ", ".join(as_list(stage.after)),
                "stages that do not wait for this one (a cycle)",
            )
