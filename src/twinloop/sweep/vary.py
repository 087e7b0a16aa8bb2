"""``key=a,b,c`` to the texts of all cases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from math import prod

from twinloop.errors import InputError
from twinloop.scenario.document import Node, parse_document
from twinloop.scenario.edits import Path, set_value
from twinloop.spelling import near

MOST_CASES = 10_000
_BARE = re.compile(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?")
_WITH_UNIT = re.compile(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?(?P<unit>\s*[^\s0-9.+-].*)")


@dataclass(frozen=True)
class Vary:
    """One key and the values it takes."""

    key: str
    """As the person wrote it: ``sites.hall.racks.power``."""
    values: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """One combination."""

    values: tuple[str, ...]
    """In the order of the keys."""
    text: str
    """The whole scenario."""


def vary_of(words: str) -> Vary:
    """Return the key and its values; a unit after the last number holds for bare numbers before it.

    >>> vary_of("objective.carbon_price=0,100,400 USD/t").values
    ('0 USD/t', '100 USD/t', '400 USD/t')

    Raises:
        InputError: no key, or no value.
    """
    key, equals, rest = words.partition("=")
    values = tuple(each.strip() for each in rest.split(","))
    if not key.strip() or not equals or not all(values):
        raise InputError(f"--vary: got {words!r}, expected key=a,b,c such as objective.carbon_price=0,100 USD/t")
    last = _WITH_UNIT.fullmatch(values[-1])
    if last is not None:
        values = tuple(each + last["unit"] if _BARE.fullmatch(each) else each for each in values)
    return Vary(key.strip(), values)


def cases(text: str, file: str, varied: tuple[Vary, ...]) -> tuple[Case, ...]:
    """Return every combination of ``varied`` over the scenario ``text``, the last key fastest.

    Raises:
        InputError: a key that the scenario cannot have, the same key twice, or too many cases.
    """
    count = prod(len(each.values) for each in varied)
    if count > MOST_CASES:
        raise InputError(f"--vary: got {count} cases, expected at most {MOST_CASES}")
    keys = [each.key for each in varied]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise InputError(f"--vary: got {twice} twice, expected all its values after one `=`")
    root, _ = parse_document(text, file)
    paths = [path_of(root, each.key) for each in varied]
    found = []
    for values in product(*(each.values for each in varied)):
        changed = text
        for path, value in zip(paths, values, strict=True):
            changed = set_value(changed, path, value)
        found.append(Case(values, changed))
    return tuple(found)


def path_of(root: Node, key: str) -> Path:
    """Return the steps of ``key``; what stands in a list is told by its name, which may hold dots, or its position.

    Raises:
        InputError: no such entry of a list; names those there are.
    """
    steps: list[str | int] = []
    here: Node | None = root
    rest = key
    while rest:
        if here is not None and here.items is not None:
            names = [_name(item) for item in here.items]
            fitting = [name for name in names if name and (rest == name or rest.startswith(f"{name}."))]
            name = max(fitting, key=len, default=rest.partition(".")[0])
            index = names.index(name) if fitting else int(name) if name.isdecimal() else -1
            if not 0 <= index < len(names):
                known = [each for each in names if each]
                meant = near(name, known)
                hint = f", did you mean {meant[0]}?" if meant else ""
                one = ", ".join(known) or "the positions"
                raise InputError(f"--vary: {key}: got {name!r}, expected one of {one}{hint}")
            steps.append(index)
            here, rest = here.items[index], rest[len(name) :].removeprefix(".")
        else:
            name, _, rest = rest.partition(".")
            steps.append(name)
            here = None if here is None else here.get(name)
    return tuple(steps)


def _name(item: Node) -> str:
    node = item.get("name")
    return "" if node is None else node.text
