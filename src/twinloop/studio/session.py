"""What one start of the page knows: its token, its port, and the file it was opened on."""

from __future__ import annotations

import secrets
from pathlib import Path

from twinloop.scenario.document import read_text
from twinloop.studio.runs import Refused


class Session:
    """One start of the page on one scenario."""

    def __init__(self, file: Path, port: int, text: str | None = None) -> None:
        """Open ``file``; a ``text`` given instead is a starter that no file holds yet.

        Raises:
            InputError: the file cannot be read.
        """
        self.file, self.port = file, port
        self.token = secrets.token_urlsafe(32)
        self.text = read_text(file) if text is None else text
        self.saves = text is None

    @property
    def address(self) -> str:
        """The address to open, token included."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def save(self, text: str) -> None:
        """Write ``text`` to the file, whole or not at all.

        Raises:
            Refused: the page was opened on no file, or another hand has changed it since.
        """
        if not self.saves:
            raise Refused("the page was started without a file: download the scenario instead")
        if read_text(self.file) != self.text:
            raise Refused(f"{self.file} has been changed by another hand since it was opened: download yours instead")
        target = self.file.resolve()
        beside = target.with_name(f".{target.name}.part")
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)
        self.text = text
