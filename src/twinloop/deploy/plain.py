"""Checks of what has no published schema: kustomize layers, scripts of other targets, and secrets in any text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twinloop.deploy.bundle import RUN
from twinloop.deploy.rules.elsewhere import elsewhere_faults
from twinloop.deploy.words import SECRET, rank_fault

OTHERS = {"slurm": "slurm/*.sbatch", "compose": "compose.yaml", "skypilot": "sky/*.yaml", "local": "local/*.sh"}
"""Targets apart from Kubernetes, and where their files lie."""
Line = tuple[str, str, str]
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def target_in(folder: Path) -> str | None:
    """Return the target apart from Kubernetes whose files ``folder`` holds, ``None`` where it holds none."""
    return next((target for target, pattern in OTHERS.items() if any(folder.glob(pattern))), None)


def text_faults(folder: Path) -> Iterator[Line]:
    """Yield secrets in any text below ``folder``, and what is broken in scripts, images and other targets' files."""
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        name = str(path.relative_to(folder))
        if SECRET.search(text):
            yield name, path.name, "a text looks like a secret"
        if path.suffix in (".sbatch", ".sh"):
            fault = rank_fault(text.split())
            if fault:
                yield name, path.name, fault
    yield from elsewhere_faults(folder)


def layer_faults(folder: Path, layers: dict[str, Any]) -> Iterator[Line]:
    """Yield what is wrong with kustomize layers: ``layers`` maps each kustomization's path to what it says."""
    for name, layer in layers.items():
        path = folder / name
        listed = {str(each) for each in layer.get("resources") or []}
        there = {each.name for each in path.parent.glob("*.yaml")} - {path.name}
        runs = {each for each in there if each.startswith(RUN)}
        for each in sorted(listed - there):
            yield name, "Kustomization", f"resources: no file is called {each}"
        for each in sorted(there - listed - runs):
            yield name, "Kustomization", f"resources: {each} is left out"
        text = "".join((path.parent / each).read_text("utf-8") for each in sorted((listed & there) | runs))
        for image in layer.get("images") or []:
            digest = image.get("digest")
            if digest is not None and not _DIGEST.fullmatch(str(digest)):
                yield name, "Kustomization", f"images: {image.get('name')}: the digest is no SHA-256"
            if f"image: {image.get('name')}:" not in text and f'"{image.get("name")}:' not in text:
                yield name, "Kustomization", f"images: no manifest uses {image.get('name')}"
