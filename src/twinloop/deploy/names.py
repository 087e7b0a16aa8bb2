"""Names that Kubernetes accepts, made from whatever a person called a thing."""

from __future__ import annotations

import hashlib
import re

from twinloop.errors import InputError

DOMAIN = "twinloop.dev"
"""Prefix of our labels, annotations and taints."""
LONGEST = 40
"""Room is left for suffixes: a label value or a DNS label ends at 63 characters, a CronJob's name at 52."""


def label(text: str, longest: int = LONGEST) -> str:
    """Return ``text`` as an RFC 1035 label (lower case, digits and dashes, begins with a letter).

    A name that had to change in more than case, spaces and underscores keeps a piece of its hash, so that two
    names never become one.

    >>> label("Fraud Net"), label("H100-SXM-80GB")
    ('fraud-net', 'h100-sxm-80gb')
    >>> label("8 bit") == label("8.bit")
    False
    """
    plain = re.sub(r"[ _]+", "-", text.strip().lower())
    clean = re.sub(r"[^a-z0-9-]+", "-", plain).strip("-")
    safe = clean if clean[:1].isalpha() else f"x-{clean}".strip("-")
    if safe == plain and len(safe) <= longest:
        return safe
    mark = hashlib.sha256(text.encode()).hexdigest()[:6]
    return f"{safe[: longest - 7].rstrip('-')}-{mark}"


def given_images(texts: tuple[str, ...], known: list[str]) -> dict[str, str]:
    """Return stage -> image from texts like ``train=registry.example/train@sha256:…``.

    Raises:
        InputError: no such stage, or an image that may change under its name.

    >>> given_images(("train=r.example/t:7",), ["train"])
    {'train': 'r.example/t:7'}
    """
    made, faults = {}, []
    for text in texts:
        stage, _, reference = text.partition("=")
        tail = reference.rsplit("/", 1)[-1]
        if stage not in known:
            faults.append(f"--image {text}: got {stage!r}, expected one of {', '.join(known)}")
        elif "@" in tail and not re.search(r"@sha256:[0-9a-f]{64}$", tail):
            faults.append(f"--image {text}: got a digest that is no SHA-256, expected @sha256: and 64 digits")
        elif "@" not in tail and tail.endswith(":latest"):
            faults.append(f"--image {text}: got the tag latest, which moves, expected NAME@sha256:… or NAME:TAG")
        elif "@" not in tail and ":" not in tail:
            faults.append(f"--image {text}: got neither digest nor tag, expected NAME@sha256:… or NAME:TAG")
        made[stage] = reference
    if faults:
        raise InputError(tuple(faults))
    return made


def key(name: str) -> str:
    """Return our label or annotation key: ``twinloop.dev/<name>``."""
    return f"{DOMAIN}/{name}"
