"""The page's server in a process of its own, on a free port of this machine."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SMALL = Path(__file__).with_name("small.yaml").read_text(encoding="utf-8")


@dataclass
class Client:
    """A person's browser, as far as the server can tell."""

    address: str
    port: int
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], str]:
        """Return status, headers and text; ``headers`` replace the client's own, empty ones are left out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        given = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            given["Content-Type"] = "application/json"
        connection.request(method, path, data, {name: value for name, value in given.items() if value})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON of an answer that must be good."""
        status, _, text = self.send(method, path, body)
        assert status == 200, text
        return json.loads(text)


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    pytest.importorskip("fastapi", reason="fastapi is not installed: the planning page was NOT tested")
    pytest.importorskip("uvicorn", reason="uvicorn is not installed: the planning page was NOT tested")
    folder = tmp_path_factory.mktemp("studio")
    file = folder / "small.yaml"
    file.write_text(SMALL, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "twinloop", "studio", str(file), "--port", str(port)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        yield opened(process.stdout.readline(), port)
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(20)
        process.stdout.close()
    assert code == 0


def opened(line: str, port: int) -> Client:
    """Return the client after the printed address was opened, its cookie kept."""
    address = re.search(r"http://\S+", line)[0]
    client = Client(address, port)
    status, headers, _ = client.send("GET", "/?" + address.partition("?")[2])
    assert status == 303
    client.headers = {"Cookie": headers["set-cookie"].partition(";")[0], "Origin": f"http://127.0.0.1:{port}"}
    return client
