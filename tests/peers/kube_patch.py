"""The three other patches: JSON (RFC 6902), merge (RFC 7386), strategic merge by the schema's patch keys."""

import copy


class PatchError(Exception):
    """A patch that cannot be applied: ``status`` 409-like for a failed test is 422 on the real server."""


def json_patch(document, operations):
    made = copy.deepcopy(document)
    for each in operations:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in each["path"].split("/")[1:]]
        made = _operate(made, parts, each, made)
    return made


def _operate(node, parts, operation, root):
    if not parts:
        if operation["op"] == "test" and node != operation["value"]:
            raise PatchError(f"testing value {operation['path']} failed")
        return operation.get("value", node)
    parent, last = node, parts[-1]
    for part in parts[:-1]:
        parent = _child(parent, part, operation)
    if operation["op"] == "test":
        found = parent.get(last) if isinstance(parent, dict) else _child(parent, last, operation)
        if found != operation.get("value"):
            raise PatchError(f"testing value {operation['path']} failed: test failed")
        return root
    if isinstance(parent, list):
        index = len(parent) if last == "-" else int(last)
        if operation["op"] == "add":
            parent.insert(index, operation["value"])
        elif operation["op"] == "remove":
            _child(parent, last, operation)
            del parent[index]
        else:
            _child(parent, last, operation)
            parent[index] = operation["value"]
        return root
    if operation["op"] in ("remove", "replace") and last not in parent:
        raise PatchError(f"{operation['op']} operation does not apply: doc is missing key: {operation['path']}")
    if operation["op"] == "remove":
        del parent[last]
    else:
        parent[last] = operation["value"]
    return root


def _child(node, part, operation):
    try:
        return node[int(part)] if isinstance(node, list) else node[part]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise PatchError(
            f"{operation['op']} operation does not apply: doc is missing path: {operation['path']}"
        ) from error


def merge_patch(document, patch):
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    made = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merge_patch(made.get(name), value)
    return made


def strategic(schemas, schema, document, patch):
    schema = schemas.resolved(schema)
    made = dict(document) if isinstance(document, dict) else {}
    if patch.get("$patch") == "replace":
        return {k: v for k, v in patch.items() if k != "$patch"}
    for name, value in patch.items():
        if name.startswith(("$setElementOrder/", "$retainKeys", "$patch")):
            continue
        if name.startswith("$deleteFromPrimitiveList/"):
            target = name.partition("/")[2]
            made[target] = [each for each in made.get(target, []) if each not in value]
            continue
        inner = schemas.child(schema, name)
        if value is None:
            made.pop(name, None)
        elif isinstance(value, dict):
            made[name] = strategic(schemas, inner, made.get(name), value)
        elif isinstance(value, list) and "merge" in str(inner.get("x-kubernetes-patch-strategy", "")):
            made[name] = _merged_list(schemas, inner, made.get(name) or [], value)
        else:
            made[name] = copy.deepcopy(value)
    return made


def _merged_list(schemas, schema, live, patch):
    key = schema.get("x-kubernetes-patch-merge-key")
    if key is None:
        return [*live, *(each for each in patch if each not in live)]
    made = list(live)
    for item in patch:
        at = next((i for i, each in enumerate(made) if each.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            made = [each for each in made if each.get(key) != item.get(key)]
        elif at is None:
            made.append(item)
        else:
            made[at] = strategic(schemas, schemas.resolved(schema).get("items"), made[at], item)
    return made
