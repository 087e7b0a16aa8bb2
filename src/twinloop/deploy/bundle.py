"""One site's layer of a written folder, as ``kubectl kustomize`` would read it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinloop.deploy.names import key
from twinloop.errors import InputError

Document = dict[str, Any]
ACCESS = "access.yaml"
"""The administrator's file: namespace, applying account, its roles."""
RUN = "run-"
"""Beginning of files beside a layer that hold one run each: a pipeline or a person starts them."""
KNOWN = {"apiVersion", "kind", "resources", "images"}
"""Keys of a kustomization that are honoured here; others need kustomize itself."""
ORDER = (
    "Namespace", "ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "PriorityClass",
    "ConfigMap", "ResourceQuota", "NetworkPolicy", "PersistentVolumeClaim", "DeviceClass", "ResourceClaimTemplate",
    "ComputeDomain", "DeviceTaintRule", "Topology", "ResourceFlavor", "Cohort", "ClusterQueue", "LocalQueue",
    "WorkloadPriorityClass", "TrainingRuntime", "ServingRuntime", "RayCluster", "Service", "PodDisruptionBudget",
)  # fmt: skip
"""What others lean on comes first; kinds not named here come last. Pruning goes the other way."""


@dataclass(frozen=True)
class Bundle:
    """What belongs at one site, in the order of applying."""

    site: str
    part_of: str
    namespace: str
    documents: tuple[Document, ...]
    access: tuple[Document, ...]
    runs: tuple[Document, ...] = ()
    """Beside the layer: runs that a pipeline or a person starts; never applied."""


def order(document: Document) -> int:
    """Return the place of a document's kind."""
    return ORDER.index(document["kind"]) if document["kind"] in ORDER else len(ORDER)


def sites_in(folder: Path) -> dict[str, Path]:
    """Return site -> its layer's folder.

    Raises:
        InputError: there is none.
    """
    found = {path.parent.name: path.parent for path in sorted(folder.glob("sites/*/kustomization.yaml"))}
    if not found:
        raise InputError(f"{folder}: got no sites/*/kustomization.yaml, expected a folder of `twinloop deploy PLAN`")
    return found


def load(folder: Path) -> Bundle:
    """Return the layer in ``folder``, its image names and digests filled in.

    Raises:
        InputError: a file is missing or no YAML, or the layer uses what only kustomize knows.
    """
    layer = _documents(folder / "kustomization.yaml")[0]
    unknown = sorted(set(layer) - KNOWN)
    if unknown:
        raise InputError(
            f"{folder / 'kustomization.yaml'}: got {', '.join(unknown)}, expected only resources and images: "
            f"use kubectl apply --server-side -k {folder} for more"
        )
    names = [str(name) for name in layer.get("resources") or []]
    images = {str(each.get("name")): each for each in layer.get("images") or []}
    read = {name: [imaged(each, images) for each in _documents(folder / name)] for name in names}
    documents = [each for name, some in read.items() if name != ACCESS for each in some]
    if not documents:
        raise InputError(f"{folder / 'kustomization.yaml'}: got no resources, expected some")
    marks = documents[0]["metadata"].get("labels") or {}
    spaces = {each["metadata"].get("namespace") for each in documents} - {None}
    if len(spaces) != 1:
        raise InputError(f"{folder}: got namespaces {sorted(map(str, spaces))}, expected one")
    beside = [
        each for path in sorted(folder.glob(f"{RUN}*.yaml")) if path.name not in names for each in _documents(path)
    ]
    return Bundle(
        str(marks.get(key("site"), folder.name)), str(marks.get("app.kubernetes.io/part-of", "")), str(spaces.pop()),
        tuple(sorted(documents, key=order)), tuple(sorted(read.get(ACCESS, []), key=order)),
        tuple(beside),
    )  # fmt: skip


def _documents(path: Path) -> list[Document]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = list(YAML(typ="safe", pure=True).load_all(path.read_text("utf-8")))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not YAML: {str(error).splitlines()[0]}") from error
    for each in found:
        if not isinstance(each, dict) or not isinstance(each.get("kind"), str):
            raise InputError(f"{path}: got {type(each).__name__}, expected an object with a kind")
        if path.name != "kustomization.yaml" and not (each.get("metadata") or {}).get("name"):
            raise InputError(f"{path}: {each['kind']}: got no metadata.name, expected one")
    if not found:
        raise InputError(f"{path}: got an empty file, expected an object")
    return found


def imaged(document: Document, images: dict[str, Any]) -> Document:
    """Return ``document`` with its images as the layer's ``images`` name them."""
    made: Document = copy.deepcopy(document)
    _visit(made, images)
    return made


def _visit(node: Any, images: dict[str, Any]) -> None:
    if isinstance(node, list):
        for item in node:
            _visit(item, images)
    elif isinstance(node, dict):
        for name, item in node.items():
            if name in ("containers", "initContainers") and isinstance(item, list):
                for container in item:
                    if isinstance(container, dict) and isinstance(container.get("image"), str):
                        container["image"] = renamed(container["image"], images)
            _visit(item, images)


def renamed(image: str, images: dict[str, Any]) -> str:
    """Return ``image`` as the layer's ``images`` name it.

    >>> renamed("score:1", {"score": {"newName": "registry.example/score", "digest": "sha256:ab"}})
    'registry.example/score@sha256:ab'
    """
    bare, _, digest = image.partition("@")
    head, colon, tail = bare.rpartition(":")
    name, tag = (head, tail) if colon and "/" not in tail else (bare, "")
    change = images.get(name)
    if change is None:
        return image
    name = str(change.get("newName") or name)
    if change.get("digest"):
        return f"{name}@{change['digest']}"
    if change.get("newTag"):
        return f"{name}:{change['newTag']}"
    return f"{name}@{digest}" if digest else f"{name}:{tag}" if tag else name
