"""Ways through manifests: by kind, by path, to every pod template."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
Documents = list[tuple[str, Document]]


def of_kind(documents: Documents, *kinds: str) -> Iterator[tuple[str, str, Document]]:
    """Yield (file, kind/name, document) of the documents of ``kinds``."""
    for file, document in documents:
        if document.get("kind") in kinds:
            yield file, f"{document['kind']}/{(document.get('metadata') or {}).get('name')}", document


def at(document: Any, *path: str) -> Any:
    """Return what stands at ``path``, ``None`` where it ends early."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def pod_templates(document: Document) -> list[Document]:
    """Return every pod template inside an object, wherever its kind keeps them."""
    found: list[Document] = []
    if document.get("kind") == "InferenceService":
        # KServe's predictor is the pod's spec itself, among other fields.
        predictor = at(document, "spec", "predictor")
        return [{"metadata": {"labels": at(predictor, "labels")}, "spec": predictor}] if predictor else []
    _collect(document.get("spec"), found)
    return found


def _collect(node: Any, found: list[Document]) -> None:
    if isinstance(node, list):
        for item in node:
            _collect(item, found)
    elif isinstance(node, dict):
        if isinstance(at(node, "spec", "containers"), list):
            found.append(node)
        else:
            for item in node.values():
                _collect(item, found)


def pod_template(document: Document) -> Document | None:
    """Return the first pod template inside a controller, ``None`` for other kinds."""
    found = pod_templates(document)
    return found[0] if found else None


def pods_in(documents: Documents) -> Iterator[tuple[str, str, Document, Document]]:
    """Yield (file, kind/name, document, template) of every pod template."""
    for file, document in documents:
        for template in pod_templates(document):
            yield file, f"{document['kind']}/{at(document, 'metadata', 'name')}", document, template


def containers_of(template: Document) -> list[Document]:
    """Return the containers of a template."""
    found = at(template, "spec", "containers")
    return [c for c in found if isinstance(c, dict)] if isinstance(found, list) else []
