"""Who may talk to the page's server: this machine's own page, with the session's token.

A server on loopback is within reach of every page that a browser shows. Three locks: the ``Host`` must be ours, so
that a foreign name that resolves to 127.0.0.1 is refused; what changes anything must carry our own ``Origin``; and
everything needs the token, which only the printed address and a strict same-site cookie hold.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

SAFE = ("GET", "HEAD")

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads allow-modals; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A report is a page of its own: it runs its own script, and can reach neither the server nor the cookie."""


def cookie_name(port: int) -> str:
    """Return the name of the cookie: browsers keep one jar for all ports of a machine."""
    return f"twinloop-studio-{port}"


def refusal(method: str, headers: Mapping[str, str], cookies: Mapping[str, str], token: str, port: int) -> str | None:
    """Return why a request is refused, or ``None`` where it may pass.

    >>> refusal("GET", {"host": "evil.example"}, {}, "t", 8765)
    'the host is not this machine'
    """
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    if headers.get("host") not in hosts:
        return "the host is not this machine"
    origin = headers.get("origin")
    if origin is not None and origin not in {f"http://{host}" for host in hosts}:
        return "the request comes from another site"
    if method not in SAFE and origin is None:
        return "the request does not say where it comes from"
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return "the request comes from another site"
    if not hmac.compare_digest(cookies.get(cookie_name(port), "").encode(), token.encode()):
        return "open the address that `twinloop studio` printed"
    return None
