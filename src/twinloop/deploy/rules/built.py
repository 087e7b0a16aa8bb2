"""Images that a folder builds: each has its Dockerfile, and none runs as root."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from twinloop.deploy.rules.objects import Fault
from twinloop.deploy.walk import Document


def image_faults(folder: Path, layers: dict[str, Document]) -> Iterator[Fault]:
    """Yield images that a layer leaves to be built here but nothing builds, and Dockerfiles that end as root."""
    files = sorted(folder.glob("images/*/Dockerfile"))
    for layer, document in layers.items():
        for image in document.get("images") or []:
            name = str(image.get("name"))
            here = image.get("newName", name) == name
            if here and not any(name.endswith(f"-{path.parent.name}") for path in files):
                yield layer, "Kustomization", f"images: {name}: no images/STAGE/Dockerfile builds it"
    for path in files:
        users = re.findall(r"^USER\s+([^\s:]+)", path.read_text("utf-8"), re.MULTILINE | re.IGNORECASE)
        # A pod that must not be root is refused where the image names its user by a word.
        if not users or not users[-1].isdigit() or int(users[-1]) == 0:
            got = users[-1] if users else "none"
            yield str(path.relative_to(folder)), path.parent.name, f"USER: got {got}, expected a number above zero"
