"""Commented scenarios to start from."""

from __future__ import annotations

from pathlib import Path

from twinloop.errors import InputError

FOLDER = Path(__file__).parent / "templates"


def starter(kind: str) -> str:
    """Return the text of the starter called ``kind``.

    >>> starter("minimal").splitlines()[0][:1]
    '#'

    Raises:
        InputError: there is no such starter.
    """
    known = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    if kind not in known:
        raise InputError(f"got the starter {kind!r}, expected one of {', '.join(known)}")
    return (FOLDER / f"{kind}.yaml").read_text(encoding="utf-8")
