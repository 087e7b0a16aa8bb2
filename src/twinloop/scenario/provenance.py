"""Where each value of the model comes from: a line of the file, a fact of the catalogue, or a choice."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinloop.catalogue.nouns import Fact
from twinloop.model.model import Provenance
from twinloop.scenario.document import Node
from twinloop.units import show

GIVEN = "given"
"""Confidence of what the person wrote."""


@dataclass
class Sources:
    """Collects a row for each value that the person did not write."""

    rows: list[Provenance] = field(default_factory=list)

    def fact(self, path: str, fact: Fact, quantity: str, factor: float = 1.0, why: str = "") -> float:
        """Note a number of the catalogue, times ``factor`` for the reason ``why``, and return it."""
        if isinstance(fact.value, str):
            raise TypeError(f"{fact.table}.{fact.name}.{fact.quantity} is a word")
        low = None if fact.low is None else fact.low * factor
        high = None if fact.high is None else fact.high * factor
        value = fact.value * factor
        source = f"{fact.source}; {show(fact.value, quantity)} × {factor:g}: {why}" if why else fact.source
        self.rows.append(Provenance(path, show(value, quantity), source, fact.confidence, low, high))
        return value

    def choice(
        self,
        path: str,
        value: str,
        source: str,
        confidence: str = "low",
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        """Note a value chosen by this program or looked up as a whole."""
        self.rows.append(Provenance(path, value, source, confidence, low, high))


def given_rows(root: Node, file: str) -> tuple[Provenance, ...]:
    """Return one row for each value that the person wrote; items of lists go by their names."""
    rows: list[Provenance] = []
    _walk(root, "", root.line, file, rows)
    return tuple(rows)


def _walk(node: Node, path: str, line: int, file: str, rows: list[Provenance]) -> None:
    if node.entries is not None:
        for key, child in node.entries.items():
            _walk(child, f"{path}.{key}" if path else key, node.key_lines[key], file, rows)
        return
    if node.items is not None and any(item.entries is not None for item in node.items):
        for index, item in enumerate(node.items):
            name = item.get("name")
            label = str(name.scalar) if name is not None and name.scalar is not None else str(index)
            _walk(item, f"{path}.{label}", item.line, file, rows)
        return
    text = node.text if node.items is None else ", ".join(item.text for item in node.items) or "none"
    rows.append(Provenance(path, text, f"{file}:{line}", GIVEN))
