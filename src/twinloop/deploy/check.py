"""Is a folder of manifests right? Schemas first (a missing one is a failure), then what schemas cannot say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from twinloop.deploy.bundle import imaged
from twinloop.deploy.client_schemas import client_schema, package_of
from twinloop.deploy.pipelines import SUBMITTED
from twinloop.deploy.plain import layer_faults, target_in, text_faults
from twinloop.deploy.rules.built import image_faults
from twinloop.deploy.semantics import semantic_faults
from twinloop.deploy.walk import at
from twinloop.errors import InputError, MissingExtraError

Document = dict[str, Any]
OLDEST, NEWEST = "1.30", "1.37"
"""Versions of Kubernetes that every document must satisfy."""
LAYER = "kustomization.yaml"


@dataclass(frozen=True)
class Found:
    """One fault: the file, the object, what is wrong."""

    file: str
    object: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.object}: {self.message}"


def check_folder(folder: Path, crds: Path | None = None, minor: int = 30) -> list[Found]:
    """Return every fault of the manifests under ``folder``; an empty list means all is well.

    ``minor``: the oldest version of Kubernetes (1.``minor``) that must take them.

    Raises:
        InputError: no manifest is there, or a file is no YAML.
        MissingExtraError: the schemas of core Kubernetes are not installed.
    """
    documents = whole(folder)
    if not documents and target_in(folder) is None:
        raise InputError(f"{folder}: got no sites/**/*.yaml and no scripts, expected a folder of `twinloop deploy`")
    custom = _custom(crds, {(str(d.get("apiVersion")), str(d.get("kind"))) for _, d in documents})
    faults = []
    for file, document in documents:
        if file.endswith(".csv"):  # rows, which no server is given as they stand
            continue
        name = f"{document.get('kind')}/{(document.get('metadata') or {}).get('name')}"
        faults += [Found(file, name, message) for message in schema_faults(document, custom, f"1.{minor}")]
    layers = _layers(folder)
    rest = (*_judged(documents, sound=not faults), *_order_faults(folder), *layer_faults(folder, layers),
            *image_faults(folder, layers), *text_faults(folder))  # fmt: skip
    return faults + [Found(*fault) for fault in dict.fromkeys(rest)]


def _judged(documents: list[tuple[str, Document]], *, sound: bool) -> list[tuple[str, str, str]]:
    """Return broken rules; of documents whose form a schema has refused, no more than could be judged."""
    try:
        return semantic_faults(documents)
    except (AttributeError, KeyError, TypeError, ValueError):
        if sound:
            raise
        return []


def what_was_checked(folder: Path) -> str:
    """Return in words which files ``folder`` holds and what can be checked of them."""
    target = target_in(folder)
    if target is None:
        return "all checks passed"
    return (
        f"files for {target}: no schema is published for them; ranks, devices, images and what they refer to fit, no "
        "secret is in them"
    )


def read(folder: Path) -> list[tuple[str, Document]]:
    """Return (file, document) for each manifest under ``folder``, its images as the site's layer names them."""
    images = {
        name.rpartition("/")[0]: {str(each.get("name")): each for each in layer.get("images") or []}
        for name, layer in _layers(folder).items()
    }
    files = [path for path in sorted(folder.glob("sites/**/*.yaml")) if path.name != LAYER]
    return [
        (str(path.relative_to(folder)), imaged(document, images.get(str(path.parent.relative_to(folder)), {})))
        for path in files
        for document in _objects(path)
    ]


def whole(folder: Path) -> list[tuple[str, Document]]:
    """Return the manifests under ``folder``, the nodes of its tables, and the runs that its pipelines start."""
    return [*read(folder), *_nodes(folder), *_started(folder)]


def _nodes(folder: Path) -> list[tuple[str, Document]]:
    """Return a Node for each row of a table of nodes: a name, then labels."""
    found = []
    for path in sorted(folder.glob("sites/*/nodes.csv")):
        try:
            rows = path.read_text("utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: not text: {error.reason}") from error
        for row in filter(None, rows):
            name, *labels = (cell.strip() for cell in row.split(","))
            meta = {"name": name, "labels": dict(each.split("=", 1) for each in labels if "=" in each)}
            found.append((str(path.relative_to(folder)), {"apiVersion": "v1", "kind": "Node", "metadata": meta}))
    return found


def _started(folder: Path) -> list[tuple[str, Document]]:
    """Return the runs that stand in pipelines."""
    found = []
    for name, pipeline in _pipelines(folder):
        for executor in (at(pipeline, "deploymentSpec", "executors") or {}).values():
            for word in at(executor, "container", "args") or []:
                if str(word).startswith(SUBMITTED):
                    try:
                        found.append((name, json.loads(str(word)[len(SUBMITTED) :])))
                    except ValueError as error:
                        raise InputError(f"{folder / name}: {SUBMITTED}: not JSON: {error}") from error
    return found


def _pipelines(folder: Path) -> list[tuple[str, Document]]:
    paths = sorted(folder.glob("pipelines/*.yaml"))
    return [(str(path.relative_to(folder)), each) for path in paths for each in _objects(path)]


def _order_faults(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with the order of pipelines: tasks, components and executors that are not there."""
    for file, pipeline in _pipelines(folder):
        name = f"pipeline/{at(pipeline, 'pipelineInfo', 'name')}"
        components = at(pipeline, "components") or {}
        executors = at(pipeline, "deploymentSpec", "executors") or {}
        tasks = at(pipeline, "root", "dag", "tasks") or {}
        for task, each in tasks.items():
            for other in at(each, "dependentTasks") or []:
                if other not in tasks:
                    yield file, name, f"task {task}: dependentTasks: no task is called {other}"
            component = at(each, "componentRef", "name")
            if component not in components:
                yield file, name, f"task {task}: no component is called {component}"
            elif at(components[component], "executorLabel") not in executors:
                yield file, name, f"component {component}: no executor is called {components[component]}"


def _layers(folder: Path) -> dict[str, Document]:
    return {str(path.relative_to(folder)): each for path in sorted(folder.glob(f"sites/**/{LAYER}"))
            for each in _objects(path)}  # fmt: skip


def _objects(path: Path) -> list[Document]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        documents = list(YAML(typ="safe", pure=True).load_all(path.read_text("utf-8")))
    except (YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not YAML: {str(error).splitlines()[0]}") from error
    for document in documents:
        if not isinstance(document, dict):
            raise InputError(f"{path}: got {type(document).__name__}, expected an object a document")
    return documents


def schema_faults(document: Document, custom: dict[tuple[str, str], Document], oldest: str = OLDEST) -> list[str]:
    """Return what the schema of the document's kind refuses, under the oldest and newest version."""
    version, kind = document.get("apiVersion"), document.get("kind")
    if not isinstance(version, str) or not isinstance(kind, str):
        return ["got no apiVersion or kind"]
    schema = custom.get((version, kind)) or client_schema(version, kind)
    if schema is not None:
        return _violations(document, schema, oldest)
    faults: list[str] = []
    for minor in dict.fromkeys((oldest, NEWEST)):
        schema = _core(version, kind, minor)
        if schema is None:
            package = package_of(version, kind)
            other = f", or pip install {package}" if package else ""
            return [f"no schema for {version} {kind} in Kubernetes {minor}: name a folder of CRDs with --crds{other}"]
        faults += [f"{message} (Kubernetes {minor})" for message in _violations(document, schema, minor)]
    return faults


def _violations(document: Document, schema: Document, minor: str) -> list[str]:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(schema, registry=_registry(minor))
    return [f"{'.'.join(map(str, e.absolute_path)) or '$'}: {e.message:.200}" for e in validator.iter_errors(document)]


@cache
def _registry(minor: str) -> Any:
    from referencing import Registry, Resource

    definitions = json.loads((_schemas(minor) / "_definitions.json").read_text("utf-8"))
    return Resource.from_contents(definitions) @ Registry()


def _schemas(minor: str) -> Any:
    try:
        return files("kubernetes_validate") / "kubernetes-json-schema" / f"v{minor}.0-local-strict"
    except ModuleNotFoundError as error:
        raise MissingExtraError("kubernetes-validate", "kubernetes", "checking manifests") from error


@cache
def _core(version: str, kind: str, minor: str) -> Document | None:
    group, _, short = version.rpartition("/")
    tail = f"{group.split('.')[0]}-{short}" if group else short
    path = _schemas(minor) / f"{kind.lower()}-{tail}.json"
    found: Document | None = json.loads(path.read_text("utf-8")) if path.is_file() else None
    return found


def _custom(crds: Path | None, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], Document]:
    """Return (apiVersion, kind) -> JSON schema of the CustomResourceDefinitions in ``crds`` that are ``wanted``."""
    if crds is None:
        return {}
    if not crds.is_dir():
        raise InputError(f"--crds: got {crds}, expected a folder")
    from ruamel.yaml import YAML

    found = {}
    for path in sorted([*crds.glob("*.json"), *crds.glob("*.y*ml")]):
        text = path.read_text("utf-8")
        documents = [json.loads(text)] if path.suffix == ".json" else YAML(typ="safe", pure=True).load_all(text)
        for crd in documents:
            if not isinstance(crd, dict) or crd.get("kind") != "CustomResourceDefinition":
                continue
            spec = crd["spec"]
            for version in spec["versions"]:
                if (f"{spec['group']}/{version['name']}", spec["names"]["kind"]) not in wanted:
                    continue
                schema = _closed(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"type": "object"}
                found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def _closed(node: Any) -> Any:
    """Return an OpenAPI v3 structural schema as JSON Schema: objects closed, int-or-string a union, null allowed."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {name: value for name, value in node.items() if not name.startswith("x-") and name not in ("nullable",)}
    for name in ("items", "not", "additionalProperties"):
        if isinstance(made.get(name), dict):
            made[name] = _closed(made[name])
    for name in ("allOf", "anyOf", "oneOf"):
        if name in made:
            made[name] = [
                {k: _closed(v) for k, v in part.items()} if isinstance(part, dict) else part for part in made[name]
            ]
    if "properties" in made:
        made["properties"] = {name: _closed(value) for name, value in made["properties"].items()}
        if "additionalProperties" not in made and not node.get("x-kubernetes-preserve-unknown-fields"):
            made["additionalProperties"] = False
    if node.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
        made["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if node.get("nullable") and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made
