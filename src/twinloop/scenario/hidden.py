"""Faults that another fault would hide: of a block whose ``kind`` is wrong, and between values that are right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field, ValidationError

from twinloop.errors import Fault
from twinloop.scenario import schema
from twinloop.scenario.document import Node
from twinloop.scenario.faults import KINDS, close, node_at, schema_faults
from twinloop.scenario.references import Steps
from twinloop.scenario.schema_base import Name

Block = tuple[str, int]
"""Section and position, such as ``("stages", 1)``."""
_ONE_EACH = {"models": ("transformer", "generic", "trees")}
"""Kinds that stand for all with the same keys."""


def faults_of_wrong_kinds(error: ValidationError, root: Node, file: str) -> list[Fault]:
    """Return the faults, beside ``kind`` itself, of blocks whose kind is wrong or missing.

    They are those of the kind that is near in spelling; where none is, those that the block has as any kind.
    """
    kinds = {block: _kinds(root, block) for block in _untagged(error, root)}
    found: dict[Block, list[dict[tuple[str, str], Fault]]] = defaultdict(list)
    for turn in range(max(map(len, kinds.values()), default=0)):
        tried = {block: each[turn] for block, each in kinds.items() if turn < len(each)}
        for block, faults in _as_kinds(root, tried, file).items():
            found[block].append({(fault.path, fault.got): fault for fault in faults})
    return [
        fault
        for tries in found.values()
        for key, fault in tries[0].items()
        if all(key in others for others in tries[1:])
    ]


def with_near_kinds(error: ValidationError, root: Node) -> Node:
    """Return ``root`` with each wrong kind replaced by the one that is near in spelling, if one is."""
    for block in _untagged(error, root):
        kinds = _kinds(root, block)
        if len(kinds) == 1:
            root = _with_kind(root, block, kinds[0])
    return root


def _untagged(error: ValidationError, root: Node) -> list[Block]:
    places = (each["loc"] for each in error.errors(include_url=False) if each["type"].startswith("union_tag"))
    blocks = [(str(loc[0]), int(loc[1])) for loc in places if len(loc) == 2 and loc[0] in KINDS]
    return [block for block in blocks if (node := node_at(root, block)) is not None and node.entries is not None]


def _kinds(root: Node, block: Block) -> tuple[str, ...]:
    kind, every = node_at(root, (*block, "kind")), KINDS[block[0]]
    meant = None if kind is None else close(kind.scalar, every)
    return (meant,) if meant in every else _ONE_EACH.get(block[0], every)


def _as_kinds(root: Node, kinds: dict[Block, str], file: str) -> dict[Block, list[Fault]]:
    """Return the faults of the blocks if their kinds were ``kinds``."""
    for block, kind in kinds.items():
        root = _with_kind(root, block, kind)
    found: dict[Block, list[Fault]] = {block: [] for block in kinds}
    try:
        schema.ScenarioSpec.model_validate(root.plain())
    except ValidationError as error:
        for block in kinds:
            start = f"{block[0]}[{block[1]}]"
            found[block] = [each for each in schema_faults(error, root, file) if each.path.startswith(start)]
    return found


def _with_kind(root: Node, block: Block, kind: str) -> Node:
    section, index = block
    here = (root.entries or {})[section]
    items = list(here.items or ())
    old = items[index]
    line = old.key_lines.get("kind", old.line)
    items[index] = replace(
        old,
        entries={**(old.entries or {}), "kind": Node(line, scalar=kind, text=kind)},
        key_lines={"kind": line, **old.key_lines},
    )
    return replace(root, entries={**(root.entries or {}), section: replace(here, items=tuple(items))})


class _Left(schema.ScenarioSpec):
    """A scenario of which anything may be missing."""

    twinloop: Literal[1] = 1
    name: Name = "nameless"
    stages: list[schema.AnyStageSpec] = Field(default_factory=list)
    sites: list[schema.AnySiteSpec] = Field(default_factory=list)


@dataclass(frozen=True)
class Sound:
    """What of a file the schema accepts."""

    spec: schema.ScenarioSpec
    root: Node
    """Without the blocks that it refuses."""
    kept: dict[str, tuple[int, ...]]
    """Section -> the positions in the file of the blocks that are left."""

    def position(self, steps: Steps) -> Steps:
        """Return the steps in the file of a place of ``root``."""
        if len(steps) < 2 or not isinstance(steps[1], int) or steps[0] not in self.kept:
            return steps
        return (steps[0], self.kept[str(steps[0])][steps[1]], *steps[2:])


def sound(error: ValidationError, root: Node) -> Sound | None:
    """Return what is left without the blocks and sections that have faults; ``None``: too little."""
    broken: dict[str, set[int]] = defaultdict(set)
    lost: set[str] = set()
    for each in error.errors(include_url=False):
        section, *rest = each["loc"] or ("",)
        if rest and isinstance(rest[0], int):
            broken[str(section)].add(rest[0])
        else:
            lost.add(str(section))
    entries = {key: node for key, node in (root.entries or {}).items() if key not in lost}
    kept = {key: _left(entries[key], broken[key]) for key in broken if key in entries}
    for key, left in kept.items():
        items = entries[key].items or ()
        entries[key] = replace(entries[key], items=tuple(items[i] for i in left))
    smaller = replace(root, entries=entries)
    try:
        return Sound(_Left.model_validate(smaller.plain()), smaller, kept)
    except ValidationError:
        return None


def _left(node: Node, broken: Iterable[Any]) -> tuple[int, ...]:
    gone = set(broken)
    return tuple(i for i in range(len(node.items or ())) if i not in gone)
