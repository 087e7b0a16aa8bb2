"""Bind the page's server to this machine alone, and run it until it is told to end."""

from __future__ import annotations

import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from twinloop.errors import InputError
from twinloop.studio.runs import Runs
from twinloop.studio.server import application
from twinloop.studio.session import Session


@contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """Yield a socket that listens on ``port`` of the loopback interface.

    Raises:
        InputError: the port is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"--port: got {port}, expected a free port ({error.strerror})") from error
        place.listen()
        yield place


def serve(session: Session, place: socket.socket) -> None:
    """Serve ``session`` until it is interrupted; then end its plans and remove their files."""
    with tempfile.TemporaryDirectory(prefix="twinloop-studio-") as folder:
        runs = Runs(Path(folder), session.file)
        app = application(session, runs)
        # A browser that keeps its connection must not keep the server.
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
        # The server ends in order and then hands the signal on: both must reach the tidying below.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            uvicorn.Server(config).run(sockets=[place])
        except KeyboardInterrupt:
            pass
        finally:
            runs.close()
