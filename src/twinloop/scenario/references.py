"""Names that must be unique or exist, and orders that must end: checked whatever else is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from twinloop.errors import Fault, InputError
from twinloop.scenario.document import Node, describe
from twinloop.scenario.faults import close, line_of, path_text

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """A scalar text and where it stands."""

    text: str
    steps: Steps


def reference_faults(root: Node, file: str) -> list[Fault]:
    """Return faults of names: duplicates, dangling references, cycles, and power said twice or not at all."""
    found = [*_duplicates(root), *_dangling(root), *_cycles(root), *_powers(root)]
    return [
        Fault(file, line_of(root, steps), path_text(steps), got, expected, hint) for steps, got, expected, hint in found
    ]


_Found = tuple[Steps, str, str, str | None]


def elements(root: Node, section: str) -> Iterator[tuple[int, Node]]:
    """Yield the mappings of a list of the file, with their index."""
    node = root.get(section)
    for index, item in enumerate((node.items if node is not None else None) or ()):
        if item.entries is not None:
            yield index, item


def names(root: Node, section: str) -> dict[str, int]:
    """Return name -> first index of a section."""
    found: dict[str, int] = {}
    for index, item in elements(root, section):
        name = item.get("name")
        if name is not None and isinstance(name.scalar, str):
            found.setdefault(name.scalar, index)
    return found


def words(item: Node, key: str, steps: Steps) -> list[Place]:
    """Return the text or the texts under ``key``."""
    node = item.get(key)
    if node is None:
        return []
    if isinstance(node.scalar, str):
        return [Place(node.scalar, (*steps, key))]
    return [
        Place(each.scalar, (*steps, key, i)) for i, each in enumerate(node.items or ()) if isinstance(each.scalar, str)
    ]


def _duplicates(root: Node) -> Iterator[_Found]:
    for section in ("datasets", "models", "stages", "sites"):
        first = names(root, section)
        for index, item in elements(root, section):
            name = item.get("name")
            if name is not None and isinstance(name.scalar, str) and first[name.scalar] != index:
                line = line_of(root, (section, first[name.scalar]))
                expected = f"a name of its own (the first is on line {line})"
                yield (section, index, "name"), describe(name), expected, None


def _dangling(root: Node) -> Iterator[_Found]:
    for section, key, target, noun in (
        ("stages", "after", "stages", "stage"),
        ("stages", "reads", "datasets", "dataset"),
        ("stages", "model", "models", "model"),
        ("stages", "sites", "sites", "site"),
        ("datasets", "home", "sites", "site"),
    ):
        known = names(root, target)
        for index, item in elements(root, section):
            for place in words(item, key, (section, index)):
                if place.text not in known:
                    some = ", ".join(list(known)[:12]) or "none is named"
                    expected = f"the name of a {noun} ({some})"
                    yield place.steps, repr(place.text[:60]), expected, close(place.text, known)


def _cycles(root: Node) -> Iterator[_Found]:
    after = {
        name: {place.text for place in words(item, "after", ())}
        for index, item in elements(root, "stages")
        for name in names(root, "stages")
        if names(root, "stages")[name] == index
    }
    done: set[str] = set()
    while ready := {name for name, needs in after.items() if name not in done and needs & set(after) <= done}:
        done |= ready
    left = [name for name in after if name not in done]
    reported: set[str] = set()
    for name in left:
        ring = _ring(name, after, done)
        if ring and not reported & set(ring):
            reported |= set(ring)
            steps = ("stages", names(root, "stages")[ring[0]], "after")
            yield (
                steps,
                " -> ".join([*ring, ring[0]]),
                "stages that do not wait for each other in a circle",
                None,
            )


def _ring(start: str, after: dict[str, set[str]], done: set[str]) -> list[str]:
    """Return the circle that waiting from ``start`` runs into."""
    path: list[str] = []
    name = start
    while name not in path:
        path.append(name)
        waiting = sorted(after[name] & set(after) - done)
        if not waiting:
            return []
        name = waiting[0]
    return path[path.index(name) :]


def _powers(root: Node) -> Iterator[_Found]:
    for index, item in elements(root, "sites"):
        kind = item.get("kind")
        if kind is None or kind.scalar != "on-premise":
            continue
        given = [key for key in ("utility_power", "it_power") if item.get(key) is not None]
        if len(given) != 1:
            got = "both utility_power and it_power" if given else "neither utility_power nor it_power"
            yield ("sites", index), got, "one of them: utility_power (at the meter) or it_power", None


def lookup_faults(root: Node, file: str, steps: Steps, action: Callable[[], object]) -> list[Fault]:
    """Run a look-up; what it cannot find becomes faults at ``steps``."""
    try:
        action()
    except InputError as error:
        return [relocated(each, root, file, steps) for each in error.faults]
    return []


def relocated(fault: Fault | str, root: Node, file: str, steps: Steps) -> Fault:
    """Return ``fault`` at a place of the scenario; one with a line in another file keeps that in its text."""
    where, line = path_text(steps), line_of(root, steps)
    if isinstance(fault, str):
        return Fault(file, line, where, fault, "an input that can be read")
    if fault.file not in ("", "catalogue", fault.path, file):
        place = fault.file if fault.line is None else f"{fault.file}:{fault.line}"
        return Fault(file, line, where, f"{fault.got} ({place}, {fault.path})", fault.expected, fault.suggestion)
    return Fault(file, line, where, fault.got, fault.expected, fault.suggestion)
