"""Where each value of the model came from."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinloop.model.model import Provenance
from twinloop.scenario.document import Document, Path_


@dataclass
class Trail:
    """Collects provenance while a scenario is resolved."""

    document: Document
    _defaults: list[Provenance] = field(default_factory=list)

    def given(self) -> tuple[Provenance, ...]:
        """Return one row for each value that the person wrote."""
        rows: list[Provenance] = []
        self._walk(self.document.data, (), rows)
        return tuple(rows)

    def _walk(self, value: object, path: Path_, rows: list[Provenance]) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                self._walk(item, (*path, key), rows)
        elif isinstance(value, list):
            for i, item in enumerate(value):
                self._walk(item, (*path, i), rows)
        else:
            source = f"{self.document.file}:{self.document.line(path)}"
            rows.append(Provenance(".".join(map(str, path)), str(value), source, "given"))

    def has(self, where: str) -> bool:
        """Whether the person wrote ``where``, a dotted path."""
        value: object = self.document.data
        for step in where.split("."):
            if isinstance(value, list) and step.isdigit() and int(step) < len(value):
                value = value[int(step)]
            elif isinstance(value, dict) and step in value:
                value = value[step]
            else:
                return False
        return True

    def default(
        self, where: str, value: str, source: str, confidence: str, low: float | None = None, high: float | None = None
    ) -> None:
        """Note a value that the person did not write."""
        self._defaults.append(Provenance(where, value, source, confidence, low, high))

    def unless_given(
        self, where: str, value: str, source: str, confidence: str, low: float | None = None, high: float | None = None
    ) -> None:
        """Note a default unless the person wrote the value."""
        if not self.has(where):
            self.default(where, value, source, confidence, low, high)

    def defaults(self) -> tuple[Provenance, ...]:
        """Return the defaults noted so far."""
        return tuple(self._defaults)
