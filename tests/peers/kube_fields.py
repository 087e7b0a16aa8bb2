"""Who owns which field: server-side apply by the published schemas' list keys (KEP-555), written from its rules.

A field set is a set of paths; a path is a tuple of ``f:name``, ``k:{"key":…}`` or ``v:value`` steps. A list that the
schema calls a map by keys or a set merges by item; any other list, and a map marked atomic, is one leaf.
"""

import copy
import json

SKIPPED = {("f:apiVersion",), ("f:kind",), ("f:metadata", "f:name"), ("f:metadata", "f:namespace")}
SERVERS = {
    "managedFields",
    "resourceVersion",
    "uid",
    "creationTimestamp",
    "generation",
    "selfLink",
    "deletionTimestamp",
}


class Schemas:
    """Structural schemas by (apiVersion, kind), references resolved on the way down."""

    def __init__(self, definitions):
        self.definitions = definitions
        self.roots = {}
        for body in definitions.values():
            for gvk in body.get("x-kubernetes-group-version-kind") or []:
                version = "/".join(part for part in (gvk["group"], gvk["version"]) if part)
                self.roots[version, gvk["kind"]] = body

    def root(self, document):
        return self.roots.get((document["apiVersion"], document["kind"]), {})

    def resolved(self, schema):
        while schema and "$ref" in schema:
            target = self.definitions[schema["$ref"].rsplit("/", 1)[-1]]
            schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
        if schema and len(schema.get("oneOf") or []) == 2 and {"type": "null"} in schema["oneOf"]:
            inner = next(each for each in schema["oneOf"] if each != {"type": "null"})
            return self.resolved({**inner, **{k: v for k, v in schema.items() if k.startswith("x-")}})
        return schema or {}

    def child(self, schema, name):
        schema = self.resolved(schema)
        return (schema.get("properties") or {}).get(name) or schema.get("additionalProperties") or {}


def step(schemas, schema, item):
    """Return an item's path step in a mergeable list."""
    keys = schema.get("x-kubernetes-list-map-keys")
    if keys is None:
        return f"v:{json.dumps(item)}"
    inner = schemas.resolved(schema.get("items"))
    found = {}
    for key in keys:
        default = ((inner.get("properties") or {}).get(key) or {}).get("default")
        if key in item or default is not None:
            found[key] = item.get(key, default)
    return "k:" + json.dumps(found, sort_keys=True, separators=(",", ":"))


def mergeable(schemas, schema):
    return schemas.resolved(schema).get("x-kubernetes-list-type") in ("map", "set")


def paths(schemas, schema, value, at=()):
    """Return path -> value of every leaf; an item of a keyed list is a leaf of its own, too."""
    schema = schemas.resolved(schema)
    if isinstance(value, dict) and value and schema.get("x-kubernetes-map-type") != "atomic":
        found = {}
        for name, item in value.items():
            if len(at) == 1 and at[0] == "f:metadata" and name in SERVERS:
                continue
            found |= paths(schemas, schemas.child(schema, name), item, (*at, f"f:{name}"))
        return {path: leaf for path, leaf in found.items() if path not in SKIPPED}
    if isinstance(value, list) and value and mergeable(schemas, schema):
        found = {}
        for item in value:
            here = (*at, step(schemas, schema, item))
            found[here] = item if not isinstance(item, dict) else "."
            if isinstance(item, dict):
                found |= paths(schemas, schema.get("items"), item, here)
        return found
    return {at: value}


def merge(schemas, schema, live, applied):
    """Return ``live`` with ``applied`` laid over it, lists merged as the schema says."""
    schema = schemas.resolved(schema)
    if isinstance(live, dict) and isinstance(applied, dict) and schema.get("x-kubernetes-map-type") != "atomic":
        made = dict(live)
        for name, item in applied.items():
            made[name] = merge(schemas, schemas.child(schema, name), live[name], item) if name in live else item
        return made
    if isinstance(live, list) and isinstance(applied, list) and mergeable(schemas, schema):
        made = {step(schemas, schema, item): item for item in live}
        for item in applied:
            name = step(schemas, schema, item)
            made[name] = merge(schemas, schema.get("items"), made[name], item) if name in made else item
        return list(made.values())
    return copy.deepcopy(applied)


def remove(schemas, schema, value, path):
    """Return ``value`` without ``path``; parents that become empty stay only where they were given."""
    head, rest = path[0], path[1:]
    schema = schemas.resolved(schema)
    if head.startswith("f:") and isinstance(value, dict):
        name = head[2:]
        if name not in value:
            return value
        if not rest:
            return {k: v for k, v in value.items() if k != name}
        inner = remove(schemas, schemas.child(schema, name), value[name], rest)
        if inner in ({}, []):
            return {k: v for k, v in value.items() if k != name}
        return {**value, name: inner}
    if isinstance(value, list):
        made = []
        for item in value:
            if step(schemas, schema, item) != head:
                made.append(item)
            elif rest:
                made.append(remove(schemas, schema.get("items"), item, rest))
        return made
    return value


def to_fields(owned):
    """Return the ``fieldsV1`` form."""
    root = {}
    for path in sorted(owned):
        node = root
        for part in path:
            node = node.setdefault(part, {})
        if path[-1][0] == "k":
            node["."] = {}
    return root


def from_fields(node, at=()):
    """Return the set of paths of a ``fieldsV1`` form."""
    found = {at} if at and (not node or "." in node) else set()
    for part, inner in node.items():
        if part != ".":
            found |= from_fields(inner, (*at, part))
    return found


def entry(managers, name, operation, subresource=""):
    for each in managers:
        if (each["manager"], each["operation"], each.get("subresource", "")) == (name, operation, subresource):
            return each
    return None


def written(schemas, before, after, manager, now, subresource=""):
    """Return managedFields after an update: what changed now belongs to ``manager`` alone."""
    root = schemas.root(after)
    old, new = (paths(schemas, root, each) if each else {} for each in (before, after))
    changed = {path for path, value in new.items() if path not in old or old[path] != value}
    gone = set(old) - set(new)
    managers = copy.deepcopy((before or {}).get("metadata", {}).get("managedFields") or [])
    mine = entry(managers, manager, "Update", subresource)
    owned = from_fields(mine["fieldsV1"]) if mine else set()
    kept = [each for each in managers if each is not mine]
    for each in kept:
        each["fieldsV1"] = to_fields(from_fields(each["fieldsV1"]) - changed - gone)
    kept = [each for each in kept if each["fieldsV1"]]
    total = (owned | changed) - gone
    if total:
        when = now if changed or gone or not mine else mine["time"]
        kept.append(record(manager, "Update", after, total, when, subresource))
    return kept


def record(manager, operation, document, owned, now, subresource=""):
    made = {"manager": manager, "operation": operation, "apiVersion": document["apiVersion"], "time": now,
            "fieldsType": "FieldsV1", "fieldsV1": to_fields(owned)}  # fmt: skip
    return {**made, "subresource": subresource} if subresource else made


def apply(schemas, live, document, manager, now, *, force):
    """Return (object, conflicts) of a server-side apply: conflicts are (manager, path) pairs."""
    root = schemas.root(document)
    wanted = paths(schemas, root, document)
    if live is None:
        made = copy.deepcopy(document)
        made["metadata"]["managedFields"] = [record(manager, "Apply", document, set(wanted), now)]
        return made, []
    there = paths(schemas, root, live)
    managers = copy.deepcopy(live["metadata"].get("managedFields") or [])
    mine = entry(managers, manager, "Apply")
    foreign = [each for each in managers if each is not mine]
    conflicts = [
        (each["manager"], path)
        for each in foreign
        for path in sorted(from_fields(each["fieldsV1"]) & set(wanted))
        if there.get(path) != wanted[path]
    ]
    if conflicts and not force:
        return None, conflicts
    for each in foreign:
        stolen = {path for manager_, path in conflicts if manager_ == each["manager"]}
        each["fieldsV1"] = to_fields(from_fields(each["fieldsV1"]) - stolen)
    held = set().union(*(from_fields(each["fieldsV1"]) for each in foreign))
    made = merge(schemas, root, live, document)
    for path in sorted((from_fields(mine["fieldsV1"]) if mine else set()) - set(wanted), key=len, reverse=True):
        if not any(other[: len(path)] == path for other in held | set(wanted)):
            made = remove(schemas, root, made, path)
    same = mine is not None and from_fields(mine["fieldsV1"]) == set(wanted)
    made["metadata"] = {**made["metadata"], "managedFields": [
        *(each for each in foreign if each["fieldsV1"]),
        mine if same else record(manager, "Apply", document, set(wanted), now),
    ]}  # fmt: skip
    return made, []
