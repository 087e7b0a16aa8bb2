"""What can go wrong, as one tree.

::

    TwinloopError                 anything this package raises on purpose
    ├── InputError                the user's input is wrong            -> exit code 2
    ├── InfeasibleError           no plan satisfies the constraints    -> exit code 3
    ├── RangeError                a correlation is asked outside its validity range
    └── MissingExtraError         an optional dependency is not installed
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One fault in a file a person wrote: where it is, what was found, what was expected."""

    file: str
    line: int | None
    path: str
    got: str
    expected: str
    suggestion: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line is not None else self.file
        text = f"{place}: {self.path}: got {self.got}, expected {self.expected}"
        return f"{text}, did you mean {self.suggestion}?" if self.suggestion else text


class TwinloopError(Exception):
    """Base of every error raised on purpose; ``exit_code`` is what the command line returns."""

    exit_code = 1


class InputError(TwinloopError):
    """The user's input is wrong. Carries every fault found, not only the first."""

    exit_code = 2

    def __init__(self, faults: Fault | str | tuple[Fault | str, ...]) -> None:
        """Keep ``faults`` (one or many) and print one a line."""
        self.faults = faults if isinstance(faults, tuple) else (faults,)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class InfeasibleError(TwinloopError):
    """No plan satisfies the constraints; names those that clash and the cheapest way out."""

    exit_code = 3

    def __init__(self, clashes: tuple[str, ...], ways_out: tuple[str, ...] = (), answer: object = None) -> None:
        """Keep the clashing constraints, the relaxations, those that ask least first, and what is known anyway."""
        self.clashes = clashes
        self.ways_out = ways_out
        self.answer = answer
        lines = ["no plan satisfies all constraints:", *(f"  - {clash}" for clash in clashes)]
        if ways_out:
            lines += ["ways out, those that ask least first:", *(f"  - {way}" for way in ways_out)]
        super().__init__("\n".join(lines))


class RangeError(TwinloopError, ValueError):
    """A correlation was asked outside its validity range."""


class MissingExtraError(TwinloopError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        """Say which package is missing, what for, and how to get it."""
        super().__init__(f"{purpose} needs {package}: pip install 'twinloop[{extra}]'")
