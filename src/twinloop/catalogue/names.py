"""Finding a row by the name a person types: case, punctuation, word order and makers' names are ignored."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from twinloop.errors import Fault, InputError

T = TypeVar("T")

_MAKERS = frozenset(("nvidia", "amd", "intel", "google", "aws", "altera", "instinct", "ieee"))
_SPELLINGS = {
    "r": "",
    "tm": "",
    "sxm2": "sxm",
    "sxm3": "sxm",
    "sxm4": "sxm",
    "sxm5": "sxm",
    "hbm3": "",
    "hbm3e": "",
}


def name_keys(text: str) -> tuple[str, ...]:
    """Return the forms under which ``text`` is found: as written, squashed, and with words sorted.

    >>> name_keys("NVIDIA H100-SXM5-80GB")
    ('nvidiah100sxm580gb', 'h100sxm80gb', '80gb h100 sxm')
    """
    words = re.findall(r"[a-z0-9+]+", text.lower())
    plain = [_SPELLINGS.get(word, word) for word in words if word not in _MAKERS]
    plain = [word for word in plain if word]
    return ("".join(words), "".join(plain), " ".join(sorted(plain)))


def precise_key(text: str) -> str:
    """Return ``text`` squashed but for decimal points, which tell a 1.3 from a 13.

    >>> precise_key("OPT 1.3B"), precise_key("opt-13b")
    ('opt1.3b', 'opt13b')
    """
    return "".join(re.findall(r"[a-z0-9+]+(?:(?<=\d)\.(?=\d))?", text.lower()))


def index(rows: Iterable[tuple[T, Iterable[str]]]) -> dict[str, T]:
    """Map every key of every name to its row; a name as written comes before any other's looser form.

    The first row keeps a contested key.
    """
    named = [(row, tuple(names)) for row, names in rows]
    found: dict[str, T] = {}
    for row, names in named:
        for name in names:
            found.setdefault(precise_key(name), row)
    for row, names in named:
        for name in names:
            for key in name_keys(name):
                if key:
                    found.setdefault(key, row)
    return found


def find(table: str, wanted: str, rows: Mapping[str, T], names: Iterable[str]) -> T:
    """Return the row called ``wanted``; ``names`` are the canonical ones, offered when there is none.

    Raises:
        InputError: no row has that name; carries the nearest names.
    """
    for key in (precise_key(wanted), *name_keys(wanted)):
        if key in rows:
            return rows[key]
    raise unknown(table, wanted, names)


def unknown(table: str, wanted: str, names: Iterable[str]) -> InputError:
    """Return the error for a name that ``table`` does not have, with up to three near ones."""
    known = list(names)
    near = close(wanted, known)
    expected = f"a name of the catalogue's table {table} ({len(known)} rows)"
    return InputError(Fault("catalogue", None, table, repr(wanted), expected, " or ".join(near) or None))


def close(wanted: str, names: Iterable[str]) -> list[str]:
    """Return up to three of ``names`` that look or start like ``wanted``."""
    squashed = {name_keys(name)[1]: name for name in names}
    key = name_keys(wanted)[1]
    starts = [name for short, name in squashed.items() if key and (key in short)]
    near = [squashed[short] for short in difflib.get_close_matches(key, squashed, n=3, cutoff=0.55)]
    return list(dict.fromkeys([*starts[:3], *near]))[:3]
