"""The cluster port over the official Python client. Connecting (files, tokens) is the command line's business."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twinloop.deploy.cluster import LIVE_MANAGER, MANAGER, ClusterError, Document, Target

TRIES = 5
"""Requests before giving up: every one of ours may be repeated, since none adds to what is there."""
PAGE = 500
"""Objects a page."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 10.0
AGAIN = (0, 429, 500, 502, 503, 504)
"""Answers worth another try; 0: no answer."""


@dataclass(frozen=True)
class KubeCluster:
    """``Cluster`` over a ``kubernetes.dynamic.DynamicClient``."""

    client: Any
    sleep: Callable[[float], None] = time.sleep
    timeout_s: float = 30.0
    resources: dict[tuple[str, str], Any] = field(default_factory=dict)
    """Discovered kinds, filled as they are asked for."""

    def get(self, target: Target) -> Document | None:
        """Return the object, or ``None``."""
        resource = self._resource(target.api_version, target.kind)
        try:
            return self._send("get", resource.path(name=target.name, namespace=target.namespace))
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    def apply(self, document: Document, *, dry_run: bool, force: bool = False) -> Document:
        """Apply on the server's side, unknown fields refused."""
        meta = document["metadata"]
        resource = self._resource(document["apiVersion"], document["kind"])
        return self._send(
            "patch", resource.path(name=meta["name"], namespace=meta.get("namespace")), body=document,
            content_type="application/apply-patch+yaml", dry_run="All" if dry_run else None,
            query_params=[("fieldManager", MANAGER), ("fieldValidation", "Strict"),
                          *([("force", "true")] if force else [])],
        )  # fmt: skip

    def find(self, api_version: str, kind: str, namespace: str | None, labels: dict[str, str]) -> list[Document]:
        """Return every page of the list; one that expired between pages is begun again."""
        try:
            resource = self._resource(api_version, kind)
        except ClusterError as error:
            if error.reason == "NotServed":
                return []
            raise
        path = resource.path(namespace=namespace)
        selector = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
        for attempt in range(TRIES):
            try:
                return self._pages(path, selector, api_version, kind)
            except ClusterError as error:
                if error.status != 410 or attempt == TRIES - 1:
                    raise
        return []

    def _pages(self, path: str, selector: str, api_version: str, kind: str) -> list[Document]:
        found: list[Document] = []
        token: str | None = None
        while True:
            page = self._send("get", path, label_selector=selector, limit=PAGE, _continue=token)
            # Items of a list carry neither kind nor version.
            found += [{"apiVersion": api_version, "kind": kind, **item} for item in page.get("items") or []]
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return found

    def delete(self, target: Target, *, uid: str, version: str, dry_run: bool) -> None:
        """Delete under preconditions; what is gone already is no error."""
        resource = self._resource(target.api_version, target.kind)
        options = {
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
            "preconditions": {"uid": uid, "resourceVersion": version},
        }  # fmt: skip
        try:
            self._send("delete", resource.path(name=target.name, namespace=target.namespace), body=options,
                       dry_run="All" if dry_run else None)  # fmt: skip
        except ClusterError as error:
            if error.status != 404:
                raise

    def patch(self, target: Target, operations: list[Document], *, subresource: str = "", dry_run: bool) -> Document:
        """Send a JSON patch."""
        path = self._resource(target.api_version, target.kind).path(name=target.name, namespace=target.namespace)
        return self._send(
            "patch", f"{path}/{subresource}" if subresource else path, body=operations,
            content_type="application/json-patch+json", dry_run="All" if dry_run else None,
            query_params=[("fieldManager", LIVE_MANAGER)], once=True,
        )  # fmt: skip

    def _resource(self, api_version: str, kind: str) -> Any:
        from kubernetes.dynamic.exceptions import ResourceNotFoundError

        known = self.resources.get((api_version, kind))
        if known is None:
            try:
                known = _answered(lambda: self.client.resources.get(api_version=api_version, kind=kind), self.sleep)
            except ResourceNotFoundError as error:
                raise ClusterError(
                    404, f"the cluster does not serve {api_version} {kind}: is its operator installed?", (), "NotServed"
                ) from error
            self.resources[api_version, kind] = known
        return known

    def _send(self, method: str, path: str, *, once: bool = False, **parameters: Any) -> Document:
        """Send; ``once``: after an unclear answer the caller must look again, a patch with tests is not repeatable."""
        given = list(parameters.pop("query_params", []))

        def send() -> Any:
            # A new list each time: the client adds to the one it is given.
            return self.client.request(method, path, query_params=list(given), header_params={}, path_params={},
                                       serialize=False, _request_timeout=self.timeout_s, **parameters)  # fmt: skip

        answer: Document = json.loads(_answered(send, self.sleep, tries=1 if once else TRIES).data or b"{}")
        return answer


def _answered(ask: Callable[[], Any], sleep: Callable[[float], None], tries: int = TRIES) -> Any:
    """Return ``ask()``, asked again after pauses when the answer says so."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    for attempt in range(tries):
        try:
            return ask()
        except ApiException as error:
            told = _told(error)
            if told.status not in AGAIN or attempt == tries - 1:
                raise told from error
            pause = _retry_after(error, attempt)
        except (HTTPError, OSError) as error:
            if attempt == tries - 1:
                raise ClusterError(0, f"no answer from the cluster: {error}") from error
            pause = _pause(attempt)
        sleep(pause)
    raise AssertionError("unreachable: the last try returns or raises")


def _pause(attempt: int) -> float:
    return float(min(FIRST_PAUSE_S * 2**attempt, LONGEST_PAUSE_S))


def _retry_after(error: Any, attempt: int) -> float:
    said = (error.headers or {}).get("Retry-After") if error.headers is not None else None
    try:
        return min(max(float(said), _pause(attempt)), LONGEST_PAUSE_S) if said else _pause(attempt)
    except ValueError:
        return _pause(attempt)


def _told(error: Any) -> ClusterError:
    """Return the API's Status as our error."""
    try:
        body = json.loads(error.body)
    except (TypeError, ValueError):
        body = {}
    details = (body.get("details") or {}) if isinstance(body, dict) else {}
    causes = tuple(f"{cause.get('field') or '$'}: {cause.get('message')}" for cause in details.get("causes") or [])
    message = body.get("message") if isinstance(body, dict) else None
    reason = str(body.get("reason") or "") if isinstance(body, dict) else ""
    return ClusterError(int(error.status or 0), str(message or error.reason or "refused"), causes, reason)
