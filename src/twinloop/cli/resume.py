"""What an interrupted run has found already, kept beside its results until it ends."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.model.codec import content_hash, from_data, to_data
from twinloop.planner.rates import Rates
from twinloop.planner.screen import Remember

EVERY_S = 2.0
"""Seconds between writes: an interruption costs at most these."""


class Kept:
    """Plain data by name, in a file that lives as long as the run is unfinished.

    The file's name carries a hash of the input and a fingerprint of the program, so that neither another input nor
    another version ever reads it. Numbers are written in full: a resumed run equals an uninterrupted one.
    """

    def __init__(self, folder: Path, digest: str) -> None:
        """Look into ``folder`` for what an earlier run of the input ``digest`` left; a torn file counts as none."""
        self._path = folder / f".unfinished-{digest}-{fingerprint()}.json"
        self._found: dict[str, Any] = {}
        self._written_s = time.monotonic()
        try:
            self._found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._found = {}
        self.resumed = len(self._found)

    def get(self, name: str) -> Any:
        """Return what is kept under ``name``, else ``None``."""
        return self._found.get(name)

    def put(self, name: str, value: Any) -> None:
        """Keep ``value`` under ``name``; the file follows within seconds."""
        self._found[name] = value
        if time.monotonic() - self._written_s > EVERY_S:
            self.save()

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
        """Remove the file: the run has ended."""
        self._path.unlink(missing_ok=True)


def remembering(kept: Kept) -> Remember:
    """Return what gives the planner the ratings in ``kept`` and keeps new ones there."""

    def remember(key: Any, find: Any) -> Rates:
        site, design, option = key
        name = f"{site}|{design}|{content_hash(option)}"
        known = kept.get(name)
        if known is not None:
            try:
                return from_data(Rates, known)
            except InputError:
                pass  # damaged by another hand: found anew
        rates: Rates = find()
        kept.put(name, to_data(rates))
        return rates

    return remember


def fingerprint() -> str:
    """Return 8 hex digits that change with any file of the program."""
    root = Path(__file__).parents[1]
    files = sorted(path for path in root.rglob("*") if path.suffix in (".py", ".csv"))
    marks = [(str(path.relative_to(root)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return content_hash(marks)[:8]
