"""Blocks of a page that a script writes, between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``."""

from __future__ import annotations

import re


def filled(page: str, name: str, content: str) -> str:
    """Return ``page`` with block ``name`` holding ``content``.

    Raises:
        ValueError: the page has no such block.

    >>> filled("a<!-- begin x -->old<!-- end x -->z", "x", "new")
    'a<!-- begin x -->\\nnew\\n<!-- end x -->z'
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"the page needs one block {begin} … {end}")
    return pattern.sub(lambda _: f"{begin}\n{content.strip()}\n{end}", page)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table; a head that starts with ``#`` is numeric."""
    marks = ["---:" if name.startswith("#") else "---" for name in head]
    lines = [tuple(name.lstrip("#") for name in head), tuple(marks), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
