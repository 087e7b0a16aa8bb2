"""A folder of deploy's files: what stands in it from elsewhere is never written over, what is left of ours goes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from twinloop.cli.write import check_folder
from twinloop.errors import InputError, TwinloopError

WRITTEN = ".twinloop-deploy.json"
"""Our mark in a folder: each file that was written, with the hash of its text."""


def write_folder(out: Path, texts: dict[str, str]) -> list[str]:
    """Write ``texts`` (relative path -> text) below ``out``; return the files of an earlier plan that were removed.

    Raises:
        InputError: a file there is not ours, or was changed since; nothing is written then.
        TwinloopError: the folder cannot be written.
    """
    check_folder(out)
    before = _before(out)
    left = [name for name in before if name not in texts and (out / name).is_file()]
    faults = [fault for name in (*texts, *left) if (fault := _fault(out, name, texts.get(name), before.get(name)))]
    if faults:
        raise InputError(tuple(faults))
    try:
        for name, text in texts.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        mark = json.dumps({name: _hash(text.encode()) for name, text in texts.items()}, indent=1) + "\n"
        (out / WRITTEN).write_text(mark, encoding="utf-8")
        for name in left:
            (out / name).unlink()
            _drop_empty((out / name).parent, out)
    except OSError as error:
        raise TwinloopError(f"cannot write to {out}: {error.strerror}") from error
    return left


def _before(out: Path) -> dict[str, str]:
    """Return name -> hash of what an earlier call wrote."""
    path = out / WRITTEN
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        found = None
    inside = isinstance(found, dict) and all(
        isinstance(each, str) and not Path(name).is_absolute() and ".." not in Path(name).parts
        for name, each in found.items()
    )
    if not inside:
        raise InputError(f"{path}: got no list of files, expected what `twinloop deploy` wrote: name another --out")
    return dict(found)


def _fault(out: Path, name: str, text: str | None, written: str | None) -> str | None:
    """Return why ``name`` may not be written (removed where ``text`` is None), ``None`` where it may."""
    path = out / name
    if path.is_symlink() or (path.exists() and not path.is_file()):
        return f"{path}: got a link or a folder, expected a file of `twinloop deploy`: move it away"
    if not path.exists():
        return None
    now = _hash(path.read_bytes())
    if now == written or (text is not None and now == _hash(text.encode())):
        return None
    if written is None:
        return f"{path}: it was not written by `twinloop deploy`: move it away, or name another --out"
    return f"{path}: it was changed since `twinloop deploy` wrote it: move it away, or name another --out"


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _drop_empty(folder: Path, out: Path) -> None:
    while folder != out and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
