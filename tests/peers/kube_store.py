"""Objects, versions and history of the fake API server: what etcd and the registry do for a real one."""

import copy
import itertools
import json
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from jsonschema import Draft202012Validator
from kube_fields import Schemas, apply, written
from referencing import Registry, Resource

MINOR = "1.37"
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


class RefusedError(Exception):
    """An API Status other than success."""

    def __init__(self, code, reason, message, causes=(), retry_after=None):
        self.code, self.reason, self.message, self.causes, self.retry_after = code, reason, message, causes, retry_after
        super().__init__(message)

    def body(self):
        causes = [{"reason": r, "field": f, "message": m} for r, f, m in self.causes]
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message,
                "reason": self.reason, "code": self.code, "details": {"causes": causes}}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def api_version(self):
        return f"{self.group}/{self.version}" if self.group else self.version


def _core():
    spaced = {
        "v1": "ServiceAccount ConfigMap PersistentVolumeClaim ResourceQuota Service Pod Secret Event",
        "apps/v1": "Deployment StatefulSet DaemonSet",
        "batch/v1": "Job CronJob",
        "autoscaling/v2": "HorizontalPodAutoscaler",
        "policy/v1": "PodDisruptionBudget",
        "networking.k8s.io/v1": "NetworkPolicy",
        "rbac.authorization.k8s.io/v1": "Role RoleBinding",
        "resource.k8s.io/v1": "ResourceClaimTemplate",
    }
    wide = {
        "v1": "Namespace Node", "scheduling.k8s.io/v1": "PriorityClass",
        "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding",
        "resource.k8s.io/v1": "DeviceClass DeviceTaintRule",
    }  # fmt: skip
    for names, namespaced in ((spaced, True), (wide, False)):
        for version, kinds in names.items():
            group, _, short = version.rpartition("/")
            for kind in kinds.split():
                plural = kind.lower() + ("es" if kind.endswith("s") else "s")
                yield Kind(group, short, kind, re.sub("ys$", "ies", plural), namespaced)


@dataclass
class Store:
    """All state behind one lock."""

    kinds: dict = field(default_factory=dict)
    objects: dict = field(default_factory=dict)
    events: list = field(default_factory=list)
    compacted: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    custom: dict = field(default_factory=dict)
    validators: dict = field(default_factory=dict)

    def __post_init__(self):
        folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{MINOR}.0-local-strict"
        body = json.loads((folder / "_definitions.json").read_text("utf-8"))
        self.schemas = Schemas(body["$defs"])
        self.registry = Resource.from_contents(body) @ Registry()
        self.folder = folder
        self.versions = itertools.count(1000)
        for kind in _core():
            self.kinds[kind.group, kind.version, kind.plural] = kind
        for name in ("default", "kube-system"):
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self.create(self.kinds["", "v1", "namespaces"], None, body, "kube-apiserver")

    def install(self, crds):
        """Serve the CustomResourceDefinitions of a folder."""
        for path in sorted(Path(crds).glob("*.json")):
            spec = json.loads(path.read_text("utf-8"))["spec"]
            for version in spec["versions"]:
                names = spec["names"]
                if spec["group"] == "kubeflow.org" and names["kind"] == "MPIJob" and version["name"] == "v1":
                    continue  # one server serves one of the two definitions that share group and kind
                kind = Kind(
                    spec["group"], version["name"], names["kind"], names["plural"], spec["scope"] == "Namespaced"
                )
                self.kinds[kind.group, kind.version, kind.plural] = kind
                schema = version["schema"]["openAPIV3Schema"]
                schema["properties"]["metadata"] = {
                    "$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
                }
                self.schemas.roots[kind.api_version, kind.kind] = schema
                self.custom[kind.api_version, kind.kind] = schema

    # reading

    def get(self, kind, namespace, name):
        found = self.objects.get((kind.group, kind.kind, namespace, name))
        if found is None:
            resource = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
            raise RefusedError(404, "NotFound", f'{resource} "{name}" not found')
        return found

    def select(self, kind, namespace, matches):
        return [
            each for (group, name, space, _), each in sorted(self.objects.items())
            if (group, name) == (kind.group, kind.kind) and (namespace is None or space == namespace) and matches(each)
        ]  # fmt: skip

    # writing; every method returns the object as it stands (or would stand) afterwards

    def create(self, kind, namespace, body, manager, *, dry_run=False):
        self._identify(kind, namespace, body)
        name = body["metadata"]["name"]
        if (kind.group, kind.kind, namespace, name) in self.objects:
            raise RefusedError(409, "AlreadyExists", f'{kind.plural} "{name}" already exists')
        self._namespace_is_there(kind, namespace)
        made = self._born(kind, {k: v for k, v in body.items() if k != "status"})
        made["metadata"]["managedFields"] = written(self.schemas, None, made, manager, _now())
        return self._store(kind, namespace, name, None, made, dry_run)

    def update(self, kind, namespace, name, change, manager, *, subresource="", dry_run=False, version=None):
        """Replace by ``change(live)``; only status through the status door, all but status through the front."""
        live = self.get(kind, namespace, name)
        if version is not None and version != live["metadata"]["resourceVersion"]:
            raise RefusedError(409, "Conflict", f'{kind.plural} "{name}": the object has '
                          "been modified; please apply your changes to the latest version and try again")  # fmt: skip
        asked = change(copy.deepcopy(live))
        if asked.get("metadata", {}).get("resourceVersion") not in (None, live["metadata"]["resourceVersion"]):
            raise RefusedError(409, "Conflict", f'{kind.plural} "{name}": stale version')
        if subresource == "status":
            made = {**live, "status": asked.get("status")}
        else:
            kept = {"status": live["status"]} if "status" in live else {}
            made = {**{name: value for name, value in asked.items() if name != "status"}, **kept}
            made["metadata"] = {**made["metadata"], **{k: live["metadata"][k] for k in ("uid", "creationTimestamp",
                                "generation", "resourceVersion", "name") if k in live["metadata"]}}  # fmt: skip
        made["metadata"] = {**made["metadata"], "managedFields": live["metadata"].get("managedFields", [])}
        if _plain(made) == _plain(live):
            return live
        self._check(kind, made)
        self._immutable(kind, live, made)
        made["metadata"]["managedFields"] = written(self.schemas, live, made, manager, _now(), subresource)
        return self._store(kind, namespace, name, live, made, dry_run)

    def apply(self, kind, namespace, name, body, manager, *, force=False, dry_run=False):
        self._identify(kind, namespace, body)
        if body["metadata"].get("managedFields"):
            raise RefusedError(400, "BadRequest", "metadata.managedFields must be nil")
        if body["metadata"]["name"] != name:
            raise RefusedError(400, "BadRequest", "the name of the object does not match the name on the URL")
        live = self.objects.get((kind.group, kind.kind, namespace, name))
        self._namespace_is_there(kind, namespace)
        asked = body["metadata"].pop("resourceVersion", None)
        if asked is not None and asked != (live or {}).get("metadata", {}).get("resourceVersion"):
            raise RefusedError(409, "Conflict", f'{kind.plural} "{name}": the object has been modified')
        made, conflicts = apply(self.schemas, live, body, manager, _now(), force=force)
        if conflicts:
            causes = [("FieldManagerConflict", "." + ".".join(p.removeprefix("f:") for p in path),
                       f'conflict with "{owner}"') for owner, path in conflicts]  # fmt: skip
            told = ", ".join(f"{what}: {where}" for _, where, what in causes)
            many = "s" if len(causes) > 1 else ""
            raise RefusedError(409, "Conflict", f"Apply failed with {len(causes)} conflict{many}: {told}", causes)
        if live is None:
            return self._store(kind, namespace, name, None, self._born(kind, made), dry_run)
        if made == live:
            return live
        self._check(kind, made)
        self._immutable(kind, live, made)
        return self._store(kind, namespace, name, live, made, dry_run)

    def delete(self, kind, namespace, name, preconditions, *, dry_run=False):
        live = self.get(kind, namespace, name)
        for field_, asked in (preconditions or {}).items():
            if asked != live["metadata"].get(field_):
                raise RefusedError(409, "Conflict", f"Precondition failed: {field_}: got {asked}, in object "
                              f"meta: {live['metadata'].get(field_)}")  # fmt: skip
        if dry_run:
            return live
        if live["metadata"].get("finalizers"):
            made = copy.deepcopy(live)
            made["metadata"].setdefault("deletionTimestamp", _now())
            return self._store(kind, namespace, name, live, made, dry_run=False)
        with self.changed:
            del self.objects[kind.group, kind.kind, namespace, name]
            gone = {**live, "metadata": {**live["metadata"], "resourceVersion": str(next(self.versions))}}
            self.events.append((int(gone["metadata"]["resourceVersion"]), "DELETED", kind, namespace, gone))
            self.changed.notify_all()
        return live

    def compact(self):
        """Forget history: older watches and pages are Gone."""
        with self.changed:
            self.compacted = next(self.versions)
            self.events.clear()

    # the registry's own work

    def _identify(self, kind, namespace, body):
        if (body.get("apiVersion"), body.get("kind")) != (kind.api_version, kind.kind):
            said = f"{body.get('apiVersion')} {body.get('kind')}"
            raise RefusedError(400, "BadRequest", f"got {said}, expected {kind.api_version} {kind.kind}")
        meta = body.setdefault("metadata", {})
        if kind.namespaced and meta.setdefault("namespace", namespace) != namespace:
            raise RefusedError(
                400, "BadRequest", "the namespace of the object does not match the namespace on the request"
            )
        if not NAME.fullmatch(str(meta.get("name"))):
            raise _invalid(kind, meta.get("name"), [("metadata.name", "a lowercase RFC 1123 subdomain is needed")])

    def _namespace_is_there(self, kind, namespace):
        if kind.namespaced and ("", "Namespace", None, namespace) not in self.objects:
            raise RefusedError(404, "NotFound", f'namespaces "{namespace}" not found')

    def _check(self, kind, document):
        body = {**document, "metadata": {k: v for k, v in document["metadata"].items() if k != "managedFields"}}
        faults = []
        for error in self._validator(kind).iter_errors(body):
            where = ".".join(map(str, error.absolute_path))
            if error.validator == "additionalProperties":
                raise RefusedError(400, "BadRequest", f"strict decoding error: {where}: {error.message[:200]}")
            faults.append((where, error.message[:200]))
        spec = document.get("spec") or {}
        if kind.kind == "Deployment":
            labels = (spec.get("template") or {}).get("metadata", {}).get("labels") or {}
            if not (spec.get("selector", {}).get("matchLabels") or {}).items() <= labels.items():
                faults.append(("spec.template.metadata.labels", "`selector` does not match template `labels`"))
        if faults:
            raise _invalid(kind, document["metadata"].get("name"), faults)

    def _validator(self, kind):
        made = self.validators.get(kind)
        if made is None:
            made = self.validators[kind] = self._compiled(kind)
        return made

    def _compiled(self, kind):
        known = self.custom.get((kind.api_version, kind.kind))
        if known is not None:
            from twinloop.deploy.check import _closed

            closed = _closed(known)
            closed["properties"]["metadata"] = {"type": "object"}
            return Draft202012Validator(closed)
        tail = f"{kind.group.split('.')[0]}-{kind.version}" if kind.group else kind.version
        schema = json.loads((self.folder / f"{kind.kind.lower()}-{tail}.json").read_text("utf-8"))
        return Draft202012Validator(schema, registry=self.registry)

    @staticmethod
    def _immutable(kind, live, made):
        frozen = {
            "Job": ("completions", "selector", "template"), "Deployment": ("selector",),
            "PersistentVolumeClaim": ("accessModes", "storageClassName"), "LocalQueue": ("clusterQueue",),
        }  # fmt: skip
        for name in frozen.get(kind.kind, ()):
            if (live.get("spec") or {}).get(name) != (made.get("spec") or {}).get(name):
                raise _invalid(kind, live["metadata"]["name"], [(f"spec.{name}", "field is immutable")])
        if kind.kind == "PriorityClass" and live.get("value") != made.get("value"):
            raise _invalid(kind, live["metadata"]["name"], [("value", "field is immutable")])

    def _born(self, kind, body):
        made = copy.deepcopy(body)
        made["metadata"] |= {"uid": str(uuid.uuid4()), "creationTimestamp": _now(), "generation": 1}
        # A few of the real defaults: an applied object never comes back as it was sent.
        spec = made.get("spec") if isinstance(made.get("spec"), dict) else {}
        if kind.kind == "Deployment":
            spec.setdefault("replicas", 1)
            spec.setdefault("revisionHistoryLimit", 10)
        if kind.kind == "Service":
            spec.setdefault("type", "ClusterIP")
            spec.setdefault("sessionAffinity", "None")
        if kind.kind == "Job":
            spec.setdefault("suspend", False)
        if kind.kind == "Namespace":
            made["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = made["metadata"]["name"]
            made["status"] = {"phase": "Active"}
        self._check(kind, made)
        return made

    def _store(self, kind, namespace, name, before, made, dry_run):
        made = copy.deepcopy(made)
        if before is not None and made.get("spec") != before.get("spec"):
            made["metadata"]["generation"] = before["metadata"].get("generation", 1) + 1
        if dry_run:
            return made
        with self.changed:
            if (
                before is not None
                and made["metadata"].get("deletionTimestamp")
                and not made["metadata"].get("finalizers")
            ):
                return self.delete(kind, namespace, name, {})
            made["metadata"]["resourceVersion"] = str(next(self.versions))
            self.objects[kind.group, kind.kind, namespace, name] = made
            self.events.append((int(made["metadata"]["resourceVersion"]), "MODIFIED" if before else "ADDED", kind,
                                namespace, made))  # fmt: skip
            self.changed.notify_all()
        return made


def _plain(document):
    return {**document, "metadata": {k: v for k, v in document["metadata"].items() if k != "managedFields"}}


def _invalid(kind, name, faults):
    message = f'{kind.kind} "{name}" is invalid: ' + "; ".join(f"{where}: {what}" for where, what in faults)
    return RefusedError(422, "Invalid", message, [("FieldValueInvalid", where, what) for where, what in faults])


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
