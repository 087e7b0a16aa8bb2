"""A real browser and the accessibility checker, for every room that has pages; Ctrl-C that reaches children."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

CHROMIUM = Path("/usr/bin/chromium")
AXE = "axe-core@4"


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """Background jobs of a shell ignore SIGINT, and so would every command that a test starts and interrupts."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def browser():
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: nothing was opened")
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed: no page was opened")
    with sync.sync_playwright() as player:
        found = player.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        yield found
        found.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory):
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: accessibility was NOT checked")
    folder = tmp_path_factory.mktemp("axe")
    done = subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), AXE],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    source = folder / "node_modules" / "axe-core" / "axe.min.js"
    if done.returncode or not source.exists():
        pytest.skip(f"npm could not fetch axe-core: accessibility was NOT checked: {done.stderr[-200:]}")
    return source.read_text(encoding="utf-8")
