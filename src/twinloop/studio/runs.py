"""The plans of a session: one child process each, started, watched, asked and ended here."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twinloop.model.codec import loads
from twinloop.model.plan import Plan

MOST_AT_ONCE = 2
"""Plans that may run at the same time: each takes a core."""
MOST_KEPT = 3
"""Finished children that stay to answer; each holds a search in memory."""
ANSWER_S = 120.0
"""Longest wait for a what-if answer."""


class Refused(Exception):  # noqa: N818 - what it is, not an error of ours
    """What was asked cannot be done now; the message says why."""


@dataclass
class Run:
    """One plan of the session."""

    ident: int
    name: str
    text: str
    folder: Path
    process: subprocess.Popen[str]
    started_s: float
    state: str = "running"
    """running | planned | infeasible | faults | failed | cancelled."""
    steps: list[tuple[str, float]] = field(default_factory=list)
    """Step and the seconds after the start at which it began."""
    ended_s: float | None = None
    message: str = ""
    levers: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    turn: threading.Condition = field(default_factory=threading.Condition)

    @property
    def alive(self) -> bool:
        """Whether the child is there, planning or ready to answer."""
        return self.process.poll() is None

    def plan(self) -> Plan | None:
        """Return the plan that was written, ``None`` where there is none."""
        path = self.folder / "plan.json"
        return (
            loads(Plan, path.read_text(encoding="utf-8"))
            if self.state in ("planned", "infeasible") and path.is_file()
            else None
        )

    def shown(self, now_s: float) -> dict[str, Any]:
        """Return what the page's list says of it."""
        return {
            "id": self.ident, "name": self.name, "state": self.state, "steps": self.steps,
            "seconds": (now_s if self.ended_s is None else self.ended_s) - self.started_s,
            "message": self.message, "levers": self.levers, "asks": self.state == "planned" and self.alive,
            "report": (self.folder / "report.html").is_file(),
        }  # fmt: skip


class Runs:
    """All plans of one session; every method may be called from any thread."""

    def __init__(self, folder: Path, file: Path) -> None:
        """Keep the plans' files under ``folder``; relative names in scenarios start beside ``file``."""
        self._folder, self._file = folder, file
        self._runs: dict[int, Run] = {}
        self._numbers, self._asks = itertools.count(1), itertools.count(1)
        self._lock = threading.Lock()

    def start(self, text: str, name: str) -> Run:
        """Start planning ``text``.

        Raises:
            Refused: enough plans are running already.
        """
        with self._lock:
            if sum(run.state == "running" for run in self._runs.values()) >= MOST_AT_ONCE:
                raise Refused(f"{MOST_AT_ONCE} plans are running: wait for one, or cancel it")
            ident = next(self._numbers)
            folder = self._folder / str(ident)
            folder.mkdir()
            (folder / "scenario.yaml").write_text(text, encoding="utf-8")
            command = [
                sys.executable,
                "-m",
                "twinloop.studio.worker",
                str(folder / "scenario.yaml"),
                str(self._file),
                str(folder),
            ]
            with (folder / "log.txt").open("w", encoding="utf-8") as log:
                process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
                )
            run = Run(ident, name, text, folder, process, time.monotonic())
            self._runs[ident] = run
        threading.Thread(target=self._listen, args=(run,), daemon=True).start()
        return run

    def get(self, ident: int) -> Run:
        """Return the plan with the number ``ident``.

        Raises:
            Refused: there is none.
        """
        found = self.find(ident)
        if found is None:
            raise Refused(f"there is no plan {ident}")
        return found

    def find(self, ident: int) -> Run | None:
        """Return the plan with the number ``ident``, or ``None``."""
        return self._runs.get(ident)

    def all(self) -> list[dict[str, Any]]:
        """Return every plan, the oldest first."""
        now_s = time.monotonic()
        return [run.shown(now_s) for run in list(self._runs.values())]

    def cancel(self, ident: int) -> None:
        """End the plan ``ident`` if it runs; forget it if it has ended."""
        run = self.get(ident)
        if run.state == "running":
            with run.turn:
                run.state, run.ended_s = "cancelled", time.monotonic()
            _end(run)
        else:
            _end(run)
            self._runs.pop(ident, None)

    def ask(self, ident: int, moved: dict[str, float]) -> dict[str, Any]:
        """Return the answer of plan ``ident``'s child to levers ``moved``.

        Raises:
            Refused: the child is not there any more, or does not answer.
        """
        run, number = self.get(ident), next(self._asks)
        pipe = run.process.stdin
        if run.state != "planned" or not run.alive or pipe is None:
            raise Refused("this plan's search is no longer in memory: plan it again to move its levers")
        with run.turn:
            pipe.write(json.dumps({"ask": number, "moved": moved}) + "\n")
            pipe.flush()
            run.turn.wait_for(lambda: number in run.answers or not run.alive, ANSWER_S)
            answer = run.answers.pop(number, None)
        if answer is None:
            raise Refused("no answer: plan it again to move its levers")
        return answer

    def close(self) -> None:
        """End every child."""
        for run in list(self._runs.values()):
            _end(run)

    def _listen(self, run: Run) -> None:
        for line in run.process.stdout or ():
            message = json.loads(line)
            with run.turn:
                _heard(run, message)
                run.turn.notify_all()
            if message["kind"] == "planned":
                self._keep_few()
        run.process.wait()
        with run.turn:
            if run.state == "running":
                log = (run.folder / "log.txt").read_text(encoding="utf-8").strip()
                run.state, run.ended_s = "failed", time.monotonic()
                run.message = log.splitlines()[-1] if log else f"the child process ended with {run.process.returncode}"
            run.turn.notify_all()

    def _keep_few(self) -> None:
        kept = [run for run in list(self._runs.values()) if run.state == "planned" and run.alive]
        for run in kept[:-MOST_KEPT]:
            _end(run)


def _heard(run: Run, message: dict[str, Any]) -> None:
    kind = message["kind"]
    if kind == "answer":
        run.answers[message["ask"]] = message
    elif run.state != "running":
        return
    elif kind == "step":
        words, at_s = message["step"], time.monotonic() - run.started_s
        if run.steps and run.steps[-1][0].partition(": ")[0] == words.partition(": ")[0] and " of " in words:
            at_s = run.steps.pop()[1]
        run.steps.append((words, at_s))
    else:
        run.state, run.ended_s = kind, time.monotonic()
        run.message = message.get("message", "")
        run.levers = message.get("levers", [])


def _end(run: Run) -> None:
    if run.alive:
        run.process.kill()
        run.process.wait()
    if run.process.stdin is not None:
        with contextlib.suppress(OSError):
            run.process.stdin.close()
