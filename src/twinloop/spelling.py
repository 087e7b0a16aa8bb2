"""What a person may have meant by a word that nothing is called: near in spelling, or nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe"})
"""Letters that Unicode does not take apart."""
_LONGEST = 60
"""Letters compared: more are no name, and comparing takes time by the square."""


def folded(text: str) -> str:
    """Return ``text`` without case and accents.

    >>> folded("Luleå"), folded("Zürich")
    ('lulea', 'zurich')
    """
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(char for char in apart if not unicodedata.combining(char))


def slips(first: str, second: str, most: int) -> int:
    """Return how many letters were left out, added, taken for another or swapped with the next; above ``most`` more.

    The optimal string alignment distance, but for one thing: a digit taken for another counts twice, since it is
    rather another version or size than a slip.

    >>> slips("lodnon", "london", 3), slips("vienna", "chennai", 3), slips("gpt4", "gpt2", 3), slips("a", "abcdef", 2)
    (1, 3, 2, 3)
    """
    if abs(len(first) - len(second)) > most:
        return most + 1
    before, row = [0] * (len(second) + 1), list(range(len(second) + 1))
    for i, char in enumerate(first, 1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(second, 1):
            taken = 0 if char == other else 1 + (char.isdigit() and other.isdigit())
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + taken)
            if i > 1 and j > 1 and char == second[j - 2] and first[i - 2] == other:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def near(word: str, options: Iterable[str], most: int = 1) -> list[str]:
    """Return the options that ``word`` is a slip of, the nearest first: at most one slip in four letters, one in three.

    A longer slip is another word: nothing is better than nonsense. Case, accents, and how words are joined (``_ - .``
    or a space) count for nothing.

    >>> near("Lodnon", ["London", "Oslo"]), near("Vienna", ["Chennai", "Geneva"])
    (['London'], [])
    >>> near("utilty_power", ["it_power", "utility_power"]), near("on_premise", ["on-premise"])
    (['utility_power'], ['on-premise'])
    """
    key = _joined(word)[:_LONGEST]
    found = []
    for option in dict.fromkeys(options):
        other = _joined(option)
        longer = max(len(key), len(other))
        allowed = longer // 4 if longer > 3 else longer // 3
        count = slips(key, other, allowed)
        if key and count <= allowed:
            found.append((count, option))
    return [option for _, option in sorted(found, key=lambda pair: pair[0])[:most]]


def _joined(text: str) -> str:
    return "".join(char for char in folded(text) if char not in " _-.,")
