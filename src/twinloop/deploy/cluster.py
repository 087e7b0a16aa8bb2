"""What we ask of a cluster, as a port: five verbs on objects, and one error.

``deploy.kube`` fulfils it with the official client; tests and dry reasoning may fulfil it with less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from twinloop.errors import TwinloopError

Document = dict[str, Any]
MANAGER = "twinloop"
"""Our field manager: what it applied, and nothing else, is ours."""
LIVE_MANAGER = "twinloop-operate"
"""Field manager of live operation: marks and caps that come and go with the plant."""


@dataclass(frozen=True)
class Target:
    """One object's address."""

    api_version: str
    kind: str
    name: str
    namespace: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class ClusterError(TwinloopError):
    """The cluster said no (or nothing). ``status`` is HTTP's, 0 where there was no answer."""

    def __init__(self, status: int, message: str, causes: tuple[str, ...] = (), reason: str = "") -> None:
        """Keep what was answered; ``causes`` are the fields it names, one a line."""
        self.status, self.message, self.causes, self.reason = status, message, causes, reason
        super().__init__("\n".join((message, *(f"  {cause}" for cause in causes))))


class Cluster(Protocol):
    """A cluster as this package sees it. Every method raises ``ClusterError`` when it is refused."""

    def get(self, target: Target) -> Document | None:
        """Return the object, ``None`` where there is none (or its namespace)."""

    def apply(self, document: Document, *, dry_run: bool, force: bool = False) -> Document:
        """Apply on the server's side under ``MANAGER``; return the outcome.

        ``force`` is only for taking fields back from ``LIVE_MANAGER``, on exactly the version that was looked at.
        """

    def find(self, api_version: str, kind: str, namespace: str | None, labels: dict[str, str]) -> list[Document]:
        """Return all objects of a kind with ``labels``, page after page; none where the kind is not served."""

    def delete(self, target: Target, *, uid: str, version: str, dry_run: bool) -> None:
        """Delete exactly the object that was looked at: another identity or version is refused with 409."""

    def patch(self, target: Target, operations: list[Document], *, subresource: str = "", dry_run: bool) -> Document:
        """Apply a JSON patch (its tests included) under ``LIVE_MANAGER``; return the outcome."""


def target_of(document: Document) -> Target:
    """Return the address of ``document``."""
    meta = document.get("metadata") or {}
    return Target(document["apiVersion"], document["kind"], meta["name"], meta.get("namespace"))


def is_ours(live: Document) -> bool:
    """Whether our manager has applied ``live``: labels can be copied by anybody, this entry cannot."""
    entries = (live.get("metadata") or {}).get("managedFields") or []
    return any(e.get("manager") == MANAGER and e.get("operation") == "Apply" for e in entries)


def others(live: Document) -> str:
    """Return who else manages ``live``, for a message."""
    entries = (live.get("metadata") or {}).get("managedFields") or []
    return ", ".join(sorted({str(e.get("manager")) for e in entries} - {MANAGER})) or "somebody else"
