"""A small honest Kubernetes API server over HTTP, for tests: no controllers, no pods, but the API's own manners.

Trusted because kubectl and the official Python client, both written by others, work against it.
"""

import json
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from kube_patch import PatchError, json_patch, merge_patch, strategic
from kube_store import RefusedError, Store
from ruamel.yaml import YAML

ADMIN = ""
"""Requests without a token are the administrator's: kubectl sends none over plain HTTP."""
SHORT = {
    "Namespace": ["ns"], "Node": ["no"], "ConfigMap": ["cm"], "Deployment": ["deploy"], "Service": ["svc"],
    "HorizontalPodAutoscaler": ["hpa"], "PodDisruptionBudget": ["pdb"], "PersistentVolumeClaim": ["pvc"],
}  # fmt: skip
VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass
class Fault:
    """The next ``times`` matching requests are answered by ``status`` (0: the connection is dropped)."""

    method: str
    path: str
    status: int
    times: int = 1
    headers: dict = field(default_factory=dict)


@dataclass
class Api:
    """The server's state as a test sees it."""

    store: Store
    url: str = ""
    faults: list = field(default_factory=list)
    accounts: dict = field(default_factory=dict)
    """token -> (namespace, service account): rights by the roles in the store."""
    seen: set = field(default_factory=set)
    """(verb, group, resource) of every authorised request that was not the administrator's."""
    requests: list = field(default_factory=list)
    on_request: object = None
    page_limit: int = 10**6

    def kubeconfig(self, token=ADMIN):
        cluster = {"name": "fake", "cluster": {"server": self.url}}
        return json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "fake", "clusters": [cluster],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "me"}}],
            "users": [{"name": "me", "user": {"token": token} if token else {}}],
        })  # fmt: skip

    def allowed(self, token, verb, kind, namespace, resource):
        if token == ADMIN:
            return True
        if token not in self.accounts:
            raise RefusedError(401, "Unauthorized", "Unauthorized")
        space, name = self.accounts[token]
        mine = {"kind": "ServiceAccount", "name": name, "namespace": space}
        for (_, bound, where, _), each in self.store.objects.items():
            if bound not in ("RoleBinding", "ClusterRoleBinding") or mine not in (each.get("subjects") or []):
                continue
            if bound == "RoleBinding" and where != namespace:
                continue
            role = each["roleRef"]
            found = self.store.objects.get(("rbac.authorization.k8s.io", role["kind"],
                                            where if role["kind"] == "Role" else None, role["name"]))  # fmt: skip
            for rule in (found or {}).get("rules") or []:
                if kind.group in rule["apiGroups"] and resource in rule["resources"] and verb in rule["verbs"]:
                    return True
        return False


def labels_match(selector, labels):
    """Whether ``labels`` satisfy an equality or set selector."""
    for part in re.findall(r"[^,(]+(?:\([^)]*\))?", selector or ""):
        part = part.strip()
        if match := re.fullmatch(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)", part):
            inside = labels.get(match[1]) in {each.strip() for each in match[3].split(",")}
            if inside != (match[2] == "in"):
                return False
        elif "!=" in part:
            name, _, value = part.partition("!=")
            if labels.get(name.strip()) == value.strip():
                return False
        elif "=" in part:
            name, value = re.split("==?", part, maxsplit=1)
            if labels.get(name.strip()) != value.strip():
                return False
        elif (part.lstrip("!") in labels) == part.startswith("!"):
            return False
    return True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: Api

    def log_message(self, *_):
        pass

    def _answer(self, code, body, headers=()):
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        self.api.requests.append((self.command, url.path, query))
        if self.api.on_request:
            self.api.on_request(self.command, url.path, query)
        for fault in self.api.faults:
            if fault.times > 0 and fault.method == self.command and re.search(fault.path, url.path):
                fault.times -= 1
                if fault.status == 0:
                    self.close_connection = True
                    return None
                body = RefusedError(fault.status, "Injected", "injected").body()
                return self._answer(fault.status, body, fault.headers)
        try:
            return self._route(url.path.rstrip("/"), query, raw)
        except RefusedError as error:
            return self._answer(error.code, error.body())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names http.server asks for

    def _route(self, path, query, raw):
        found = self._discovery(path)
        if found is not None:
            return self._answer(200, found)
        match = re.fullmatch(
            r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))(?:/namespaces/(?P<space>[^/]+)(?=/[^/]+))?"
            r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>status|scale))?", path)  # fmt: skip
        if match and match["plural"] == "status" and match["space"]:
            match = re.fullmatch(r"/api/(?P<core>v1)(?P<group>)(?P<version>)(?P<space>)/(?P<plural>namespaces)"
                                 r"/(?P<name>[^/]+)/(?P<sub>status)", path)  # fmt: skip
        kind = (
            self.api.store.kinds.get((match["group"] or "", match["core"] or match["version"], match["plural"]))
            if match
            else None
        )
        if kind is None:
            raise RefusedError(404, "NotFound", "the server could not find the requested resource")
        verb = VERBS[self.command]
        space = match["space"] or None
        if verb == "get" and not match["name"]:
            verb = "watch" if query.get("watch") in ("1", "true", "True") else "list"
        self._authorise(verb, kind, space, match["sub"] or "")
        act = getattr(self, f"_{verb}")
        return act(kind, space, match["name"], match["sub"] or "", query, raw)

    def _token(self):
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def _authorise(self, verb, kind, space, sub=""):
        """Rights on a subresource are rights of their own."""
        token, resource = self._token(), f"{kind.plural}/{sub}" if sub else kind.plural
        if not self.api.allowed(token, verb, kind, space, resource):
            raise RefusedError(403, "Forbidden", f'{resource} is forbidden: the account cannot {verb} resource '
                          f'"{resource}" in API group "{kind.group}"')  # fmt: skip
        if token != ADMIN:
            self.api.seen.add((verb, kind.group, resource))

    def _discovery(self, path):
        store = self.api.store
        if path == "/version":
            return {"major": "1", "minor": "37", "gitVersion": "v1.37.0", "platform": "linux/amd64"}
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            groups = {}
            for group, version, _ in store.kinds:
                if group:
                    groups.setdefault(group, dict.fromkeys([]))[version] = None
            rows = [[{"groupVersion": f"{g}/{v}", "version": v} for v in versions] for g, versions in groups.items()]
            named = [
                {"name": g, "versions": row, "preferredVersion": row[0]} for g, row in zip(groups, rows, strict=True)
            ]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": named}
        if path.startswith("/openapi/v3"):
            return self._openapi(path.removeprefix("/openapi/v3").strip("/"))
        match = re.fullmatch(r"/(?:api/(v1)|apis/([^/]+)/([^/]+))", path)
        if not match:
            return None
        group, version = match[2] or "", match[1] or match[3]
        kinds = [k for (g, v, _), k in store.kinds.items() if (g, v) == (group, version)]
        if not kinds:
            return None
        verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
        rows = []
        for kind in kinds:
            row = {"name": kind.plural, "singularName": kind.kind.lower(), "namespaced": kind.namespaced,
                   "kind": kind.kind, "verbs": verbs}  # fmt: skip
            front = {**row, "shortNames": SHORT[kind.kind]} if kind.kind in SHORT else row
            rows += [front, {**row, "name": f"{kind.plural}/status", "verbs": ["get", "patch", "update"]}]
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": kinds[0].api_version, "resources": rows}

    def _openapi(self, where):
        """Say no more than what kubectl asks: that patches validate fields on the server's side."""
        places = {f"{'apis' if g else 'api'}/{k.api_version}": k for (g, _, _), k in self.api.store.kinds.items()}
        if not where:
            return {"paths": {place: {"serverRelativeURL": f"/openapi/v3/{place}"} for place in places}}
        parameter = [{"name": name, "in": "query"} for name in ("fieldValidation", "dryRun")]
        operations = {
            f"/{where}/{k.plural}/{{name}}": {"patch": {"parameters": parameter, "x-kubernetes-group-version-kind": {
                "group": k.group, "version": k.version, "kind": k.kind}}}
            for k in self.api.store.kinds.values() if f"{'apis' if k.group else 'api'}/{k.api_version}" == where
        }  # fmt: skip
        return {"openapi": "3.0.0", "info": {"title": "fake", "version": "v1"}, "paths": operations}

    # verbs

    def _get(self, kind, space, name, sub, query, raw):
        self._answer(200, self.api.store.get(kind, space, name))

    def _matches(self, query):
        wanted = dict(part.split("=", 1) for part in (query.get("fieldSelector") or "").split(",") if part)

        def matches(each):
            meta = each["metadata"]
            known = {"metadata.name": meta["name"], "metadata.namespace": meta.get("namespace")}
            return labels_match(query.get("labelSelector"), meta.get("labels") or {}) and all(
                known.get(path.rstrip("=")) == value.lstrip("=") for path, value in wanted.items()
            )

        return matches

    def _list(self, kind, space, name, sub, query, raw):
        store = self.api.store
        with store.changed:
            rows = store.select(kind, space, self._matches(query))
            version = str(store.events[-1][0] if store.events else store.compacted)
        start, token = 0, query.get("continue")
        if token:
            version, _, at = token.partition(".")
            if int(version) < store.compacted:
                raise RefusedError(410, "Expired", "The provided continue parameter is too old")
            start = int(at)
        limit = min(int(query.get("limit") or 0) or 10**6, self.api.page_limit)
        meta = {"resourceVersion": version}
        if start + limit < len(rows):
            meta |= {"continue": f"{version}.{start + limit}", "remainingItemCount": len(rows) - start - limit}
        items = [
            {k: v for k, v in each.items() if k not in ("apiVersion", "kind")} for each in rows[start : start + limit]
        ]
        self._answer(
            200, {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": meta, "items": items}
        )

    def _watch(self, kind, space, name, sub, query, raw):
        store, matches = self.api.store, self._matches(query)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        since = int(query.get("resourceVersion") or 0)
        if since and since < store.compacted:
            self._chunk(
                {"type": "ERROR", "object": RefusedError(410, "Expired", f"too old resource version: {since}").body()}
            )
            return self._chunk(None)
        if not since:
            with store.changed:
                rows = store.select(kind, space, matches)
                since = store.events[-1][0] if store.events else store.compacted
            for each in rows:
                self._chunk({"type": "ADDED", "object": each})
        end = time.monotonic() + float(query.get("timeoutSeconds") or 60)
        while (left := end - time.monotonic()) > 0:
            with store.changed:
                new = [event for event in store.events if event[0] > since]
                if not new:
                    store.changed.wait(min(left, 0.2))
            for number, kind_of_event, each_kind, each_space, each in new:
                since = number
                if each_kind == kind and (space is None or each_space == space) and matches(each):
                    self._chunk({"type": kind_of_event, "object": each})
        if query.get("allowWatchBookmarks"):
            self._chunk({"type": "BOOKMARK", "object": {"kind": kind.kind, "apiVersion": kind.api_version,
                                                        "metadata": {"resourceVersion": str(since)}}})  # fmt: skip
        return self._chunk(None)

    def _chunk(self, event):
        data = b"" if event is None else json.dumps(event).encode() + b"\n"
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _manager(self, query):
        return query.get("fieldManager") or (self.headers.get("User-Agent") or "unknown").split("/")[0]

    def _create(self, kind, space, name, sub, query, raw):
        made = self.api.store.create(kind, space, _parsed(raw), self._manager(query), dry_run="dryRun" in query)
        self._answer(201, made)

    def _update(self, kind, space, name, sub, query, raw):
        body = _parsed(raw)
        made = self.api.store.update(kind, space, name, lambda _: body, self._manager(query), subresource=sub,
                                     dry_run="dryRun" in query)  # fmt: skip
        self._answer(200, made)

    def _patch(self, kind, space, name, sub, query, raw):
        store, body = self.api.store, _parsed(raw)
        how = (self.headers.get("Content-Type") or "").split(";")[0]
        dry = "dryRun" in query
        if how == "application/apply-patch+yaml":
            if "fieldManager" not in query:
                raise RefusedError(400, "BadRequest", "fieldManager is required for apply patch")
            new = (kind.group, kind.kind, space, name) not in store.objects
            if new:
                self._authorise("create", kind, space)
            made = store.apply(
                kind, space, name, body, query["fieldManager"], force=query.get("force") == "true", dry_run=dry
            )
            return self._answer(201 if new else 200, made)
        schema = store.schemas.roots.get((kind.api_version, kind.kind), {})
        change = {
            "application/json-patch+json": lambda live: json_patch(live, body),
            "application/merge-patch+json": lambda live: merge_patch(live, body),
            "application/strategic-merge-patch+json": lambda live: strategic(store.schemas, schema, live, body),
        }.get(how)
        if change is None or (
            how.startswith("application/strategic") and (kind.api_version, kind.kind) in store.custom
        ):
            raise RefusedError(415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {how}")
        version = body.get("metadata", {}).get("resourceVersion") if isinstance(body, dict) else None
        try:
            made = store.update(kind, space, name, change, self._manager(query), subresource=sub, dry_run=dry,
                                version=version)  # fmt: skip
        except PatchError as error:
            raise RefusedError(
                422, "Invalid", f"the server rejected our request due to an error in our request: {error}"
            ) from error
        return self._answer(200, made)

    def _delete(self, kind, space, name, sub, query, raw):
        options = _parsed(raw) if raw else {}
        gone = self.api.store.delete(kind, space, name, options.get("preconditions"),
                                     dry_run="dryRun" in query or bool(options.get("dryRun")))  # fmt: skip
        self._answer(200, gone)


def _parsed(raw):
    if raw.startswith(b"k8s\0"):
        raise RefusedError(415, "UnsupportedMediaType", "this server does not speak protobuf")
    text = raw.decode("utf-8")
    return json.loads(text) if text.lstrip()[:1] in ("{", "[") else YAML(typ="safe", pure=True).load(text)


@contextmanager
def serving(crds=None):
    """Yield a running ``Api``; every thread ends with the block."""
    store = Store()
    if crds is not None:
        store.install(crds)
    api = Api(store)
    handler = type("Bound", (Handler,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client that was killed is part of the tests
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
