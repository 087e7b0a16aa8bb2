"""What an interrupted plan has found already, kept beside its results until it ends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.model.codec import content_hash, from_data, to_data
from twinloop.model.estimate import StageOption
from twinloop.planner.rates import Rates

EVERY_S = 2.0
"""Seconds between writes: an interruption costs at most these."""


class Memory:
    """Ratings of cooling designs by site, design and option; ``remember`` is what the planner calls.

    The file's name carries the scenario's hash and a fingerprint of the program, so that neither another scenario
    nor another version ever reads it. Numbers are written in full: a resumed plan equals an uninterrupted one.
    """

    def __init__(self, folder: Path, scenario_hash: str) -> None:
        """Look into ``folder`` for what an earlier run of ``scenario_hash`` left; a torn file counts as none."""
        self._path = folder / f".unfinished-{scenario_hash}-{fingerprint()}.json"
        self._found: dict[str, Any] = {}
        self._written_s = time.monotonic()
        try:
            self._found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._found = {}
        self.resumed = len(self._found)

    def remember(self, key: tuple[str, str, StageOption], find: Callable[[], Rates]) -> Rates:
        """Return the rating kept under ``key``, else find it and keep it."""
        site, design, option = key
        name = f"{site}|{design}|{content_hash(option)}"
        try:
            if name in self._found:
                return from_data(Rates, self._found[name])
        except InputError:
            del self._found[name]
        rates = find()
        self._found[name] = to_data(rates)
        if time.monotonic() - self._written_s > EVERY_S:
            self.save()
        return rates

    def save(self) -> None:
        """Write everything found, whole or not at all."""
        if not self._found:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".part")
        beside.write_text(json.dumps(self._found), encoding="utf-8")
        beside.replace(self._path)
        self._written_s = time.monotonic()

    def forget(self) -> None:
        """Remove the file: the plan has ended."""
        self._path.unlink(missing_ok=True)


def fingerprint() -> str:
    """Return 8 hex digits that change with any file of the program."""
    root = Path(__file__).parents[1]
    files = sorted(path for path in root.rglob("*") if path.suffix in (".py", ".csv"))
    return content_hash(
        [(str(path.relative_to(root)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    )[:8]
