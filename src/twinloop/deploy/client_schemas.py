"""Schemas of custom kinds out of installed client libraries, where no folder of definitions is named.

Two generators made those libraries. Trainer's models are pydantic's and give their own JSON schema; Training
Operator's carry ``openapi_types`` and ``attribute_map``, as the official Kubernetes client does. Neither says
everything that a definition says (bounds, patterns, in the second required fields), so ``--crds`` comes first.
"""

from __future__ import annotations

import importlib
import re
from functools import cache
from typing import Any

Document = dict[str, Any]
TRAINER, TRAINING = "kubeflow_trainer_api.models", "kubeflow.training.models"
LIBRARIES: dict[tuple[str, str], tuple[str, str]] = {
    **{("trainer.kubeflow.org/v1alpha1", kind): (TRAINER, f"TrainerV1alpha1{kind}")
       for kind in ("TrainJob", "TrainingRuntime", "ClusterTrainingRuntime")},
    **{("kubeflow.org/v1", kind): (TRAINING, f"KubeflowOrgV1{kind}")
       for kind in ("PyTorchJob", "TFJob", "JAXJob", "MPIJob")},
}  # fmt: skip
"""(apiVersion, kind) -> module and class: packages kubeflow-trainer-api and kubeflow-training."""
PACKAGES = {TRAINER: "kubeflow-trainer-api", TRAINING: "kubeflow-training"}
OPEN: Document = {}
PLAIN: dict[str, Document] = {
    "str": {"type": "string"}, "int": {"type": "integer"}, "float": {"type": "number"}, "bool": {"type": "boolean"},
    "datetime": {"type": "string"}, "object": OPEN,
}  # fmt: skip
"""Words of the generators; ``object`` stands for integer-or-text too."""


@cache
def client_schema(version: str, kind: str) -> Document | None:
    """Return the schema of ``kind`` that an installed library knows, ``None`` where none does."""
    if (version, kind) not in LIBRARIES:
        return None
    module, name = LIBRARIES[version, kind]
    try:
        model = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return None
    return _of_pydantic(model) if hasattr(model, "model_json_schema") else _of_generated(model, module)


def package_of(version: str, kind: str) -> str | None:
    """Return the package that would bring a schema of ``kind``, ``None`` where none is known."""
    found = LIBRARIES.get((version, kind))
    return PACKAGES[found[0]] if found else None


def _of_pydantic(model: Any) -> Document:
    whole: Document = _closed(model.model_json_schema(by_alias=True))
    for name, each in whole.get("$defs", {}).items():
        # The generator writes a quantity as the box that it keeps it in; on the wire it is a number or a text.
        if "one_of_schemas" in each.get("properties", {}):
            whole["$defs"][name] = {"type": ["string", "number"]}
    whole["properties"]["metadata"] = {"type": "object"}
    return whole


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    some = [each for each in node.get("anyOf") or [] if each != {"type": "null"}]
    if len(some) == 1:
        return _closed(some[0])  # "or nothing": files leave a field out, and faults are told by their own field
    made = {name: _closed(each) for name, each in node.items() if name != "description"}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


def _of_generated(model: Any, module: str) -> Document:
    known: Document = {}
    top = _reference(model.__name__, module, known)
    known[model.__name__]["properties"]["metadata"] = {"type": "object"}
    return {**top, "$defs": known}


def _reference(name: str, module: str, known: Document) -> Document:
    """Return the schema of a generator's word; classes are written once into ``known``."""
    if name in PLAIN:
        return PLAIN[name]
    for word, shape in (("list", "items"), ("dict", "additionalProperties")):
        found = re.fullmatch(rf"(?i:{word})[\[(](?:str, ?)?(.*)[\])]", name)
        if found:
            return {"type": {"list": "array", "dict": "object"}[word], shape: _reference(found[1], module, known)}
    if name not in known:
        model = next((m for place in (module, "kubernetes.client") if (m := _class(place, name)) is not None), None)
        if model is None:
            return OPEN
        known[name] = {}  # stands while its own fields are looked at: a class may hold itself
        fields = {model.attribute_map[field]: _reference(word, module, known)
                  for field, word in model.openapi_types.items()}  # fmt: skip
        known[name] |= {"type": "object", "properties": fields, "additionalProperties": False}
    return {"$ref": f"#/$defs/{name}"}


def _class(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None
