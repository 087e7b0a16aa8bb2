"""Change one value of a scenario's text and leave every other character as it was."""

from __future__ import annotations

from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from twinloop.errors import InputError

Path = tuple[str | int, ...]
SHORT = {"objective": "minimise"}
"""Sections that one word may stand for, and the key that the word is the value of."""


@dataclass
class _Place:
    """Where a node lies in the text; ``parts`` by key or position, ``None`` for a scalar."""

    start: int
    end: int
    text: str = ""
    flow: bool = False
    column: int = 0
    parts: dict[str | int, _Place] | None = None
    keys: list[_Place] = field(default_factory=list)


def set_value(text: str, path: Path, value: str) -> str:
    """Return ``text`` with the scalar at ``path`` replaced by ``value``, or added where it is missing.

    >>> set_value("finance: {discount: 8 %}  # ours", ("finance", "discount"), "9 %")
    'finance: {discount: 9 %}  # ours'
    >>> set_value("objective: cost", ("objective", "water_price"), "3 USD/m3")
    'objective: {minimise: cost, water_price: 3 USD/m3}'

    Raises:
        InputError: the text is no YAML, has no such section, or something else than a scalar stands there.
    """
    where = ".".join(map(str, path))
    here = _places(text)
    for depth, step in enumerate(path[:-1]):
        if here is None or here.parts is None:
            break
        inner = here.parts.get(step)
        if inner is None:
            if not isinstance(step, str) or depth + 2 < len(path):
                raise InputError(f"{where}: the scenario has no {step!r}")
            return _added(text, here, step, f"{{{path[-1]}: {value}}}")
        here = inner
    key = path[-1]
    if here is None:
        raise InputError(f"{where}: the scenario is empty")
    if here.parts is None:
        short = SHORT.get(str(path[-2])) if len(path) > 1 else None
        if short is None:
            raise InputError(f"{where}: {path[-2] if len(path) > 1 else 'the file'} is no section")
        return f"{text[: here.start]}{{{short}: {here.text}, {key}: {value}}}{text[here.end :]}"
    found = here.parts.get(key)
    if found is None:
        return _added(text, here, str(key), value)
    if found.parts is not None:
        raise InputError(f"{where}: a section, not one value")
    return text[: found.start] + value + text[found.end :]


def _added(text: str, parent: _Place, key: str, value: str) -> str:
    """Return ``text`` with ``key: value`` at the head of a block mapping, or at the end of one in braces."""
    if parent.flow:
        before = text[: parent.end - 1].rstrip()
        comma = "" if before.endswith(("{", ",")) else ","
        return f"{before}{comma} {key}: {value}{text[parent.end - 1 :]}"
    # The first line of a scenario says its version; what is added goes below it.
    first = parent.keys[1] if len(parent.keys) > 1 and parent.keys[0].text == "twinloop" else parent.keys[0]
    return f"{text[: first.start]}{key}: {value}\n{' ' * first.column}{text[first.start :]}"


def _places(text: str) -> _Place | None:
    stack: list[tuple[_Place, list[_Place]]] = []
    root: _Place | None = None
    try:
        events = list(YAML(typ="safe", pure=True).parse(text))
    except YAMLError as error:
        raise InputError("the scenario is no YAML: mend it first") from error
    for event in events:
        if isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            stack.append((_opened(event), []))
            continue
        done = _done(event, stack)
        if done is None:
            continue
        if stack:
            stack[-1][1].append(done)
        else:
            root = done
    return root


def _opened(event: MappingStartEvent | SequenceStartEvent) -> _Place:
    mark = event.start_mark
    return _Place(mark.index, mark.index, flow=bool(event.flow_style), column=mark.column)


def _done(event: Event, stack: list[tuple[_Place, list[_Place]]]) -> _Place | None:
    if isinstance(event, (ScalarEvent, AliasEvent)):
        text = getattr(event, "value", "")
        return _Place(event.start_mark.index, event.end_mark.index, text, column=event.start_mark.column)
    if not isinstance(event, (MappingEndEvent, SequenceEndEvent)):
        return None
    place, children = stack.pop()
    place.end = event.end_mark.index
    if isinstance(event, MappingEndEvent):
        place.keys = children[::2]
        place.parts = {key.text: each for key, each in zip(children[::2], children[1::2], strict=True)}
    else:
        place.parts = dict(enumerate(children))
    return place
