"""Every validation by its name. A new one is a line here: name, module, function(cases folder) -> results."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path

from twinloop.errors import Fault, InputError
from twinloop.validation.result import Result

Validation = Callable[[Path | None], Iterable[Result]]

VALIDATIONS: dict[str, tuple[str, str]] = {
    "climate": ("twinloop.validation.climate", "validate_climate"),
    "cooling": ("twinloop.validation.cooling", "validate_cooling"),
    "kernels": ("twinloop.validation.kernel_parts", "validate_kernel_tables"),
    "memory": ("twinloop.validation.memory_cases", "validate_memory"),
    "workload": ("twinloop.validation.workload", "validate_workload"),
}
"""Modules are imported only when asked for."""

NOTES: dict[str, tuple[str, str]] = {"cooling": ("twinloop.validation.cooling_case_map", "case_lines")}
"""What a validation says beside its rows: name, module, function() -> lines."""


def validation(name: str) -> Validation:
    """Return the validation called ``name``.

    Raises:
        InputError: no such validation; the message lists those known.
    """
    if name not in VALIDATIONS:
        known = ", ".join(VALIDATIONS)
        raise InputError(Fault("validate", None, "validation", repr(name), f"one of {known}"))
    module, function = VALIDATIONS[name]
    found: Validation = getattr(importlib.import_module(module), function)
    return found


def run(names: Iterable[str] = (), cases: Path | None = None) -> tuple[Result, ...]:
    """Run the validations called ``names`` (all when empty), in the registry's order of names given."""
    chosen = tuple(names) or tuple(VALIDATIONS)
    functions = [validation(name) for name in dict.fromkeys(chosen)]
    return tuple(result for function in functions for result in function(cases))


def notes(names: Iterable[str] = ()) -> tuple[str, ...]:
    """Return what the validations called ``names`` (all when empty) say beside their rows."""
    chosen = [NOTES[name] for name in dict.fromkeys(tuple(names) or tuple(VALIDATIONS)) if name in NOTES]
    return tuple(line for module, function in chosen for line in getattr(importlib.import_module(module), function)())
