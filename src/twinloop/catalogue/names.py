"""Finding a row by the name a person types: case, punctuation, word order and makers' names are ignored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from twinloop.errors import Fault, InputError
from twinloop.spelling import folded, near

T = TypeVar("T")

_MAKERS = frozenset(("nvidia", "amd", "intel", "google", "aws", "altera", "instinct", "ieee"))
_SHORTEST = 3
"""Letters that say enough to look for a longer name around them."""
_FEW = 3
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
    words = re.findall(r"[a-z0-9+]+", folded(text))
    plain = [_SPELLINGS.get(word, word) for word in words if word not in _MAKERS]
    plain = [word for word in plain if word]
    return ("".join(words), "".join(plain), " ".join(sorted(plain)))


def precise_key(text: str) -> str:
    """Return ``text`` squashed but for decimal points, which tell a 1.3 from a 13.

    >>> precise_key("OPT 1.3B"), precise_key("opt-13b")
    ('opt1.3b', 'opt13b')
    """
    return "".join(re.findall(r"[a-z0-9+]+(?:(?<=\d)\.(?=\d))?", folded(text)))


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
    meant = close(wanted, known)
    expected = f"a name of the catalogue's table {table} ({len(known)} rows: `twinloop catalogue {table.split()[0]}`)"
    return InputError(Fault("catalogue", None, table, repr(wanted), expected, " or ".join(meant) or None))


def close(wanted: str, names: Iterable[str]) -> list[str]:
    """Return up to three of ``names`` that hold ``wanted`` whole, three letters or more, or are spelt much like it."""
    squashed = {name_keys(name)[1]: name for name in names}
    key = name_keys(wanted)[1]
    holding = [name for short, name in squashed.items() if len(key) >= _SHORTEST and key in short]
    whole = [squashed[short] for short in near(key, squashed, _FEW)]
    ends = (len(key) + 1, len(key)) if len(key) > _SHORTEST + 1 else ()
    heads = {short[:end]: name for short, name in reversed(squashed.items()) for end in ends}
    begun = [heads[short] for short in near(key, heads, _FEW)]
    return list(dict.fromkeys([*holding[:_FEW], *whole, *begun]))[:_FEW]
