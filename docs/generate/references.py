"""Reference pages written from the code: the scenario's keys, the commands, and Python."""

from __future__ import annotations

import inspect
import types
import typing
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from blocks import table
from left_out import example, left_out
from meanings import meaning
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from twinloop import units
from twinloop.cli.main import VERBS, cli
from twinloop.scenario import schema
from twinloop.scenario.starters import starter

MODULES = ("twinloop", "twinloop.api", "twinloop.errors", "twinloop.model.plan", "twinloop.model.doubt",
           "twinloop.model.simulation", "twinloop.model.estimate")  # fmt: skip
"""What a script of one's own meets."""


def write(docs: Path) -> None:
    """Write the pages into ``docs``: the scenario's, which is kept under version control, and those built anew."""
    (docs / "reference").mkdir(parents=True, exist_ok=True)
    pages = {"scenario": scenario_page(), "reference/commands": commands_page(), "reference/python": python_page()}
    for name, text in pages.items():
        (docs / f"{name}.md").write_text(text, encoding="utf-8")


def scenario_page() -> str:
    """Return every key of a scenario file, section by section, as the checker knows them."""
    parts = [
        "# Scenario reference",
        "Every key of a scenario file, written from the schema that `twinloop check` uses (`make docs` writes this "
        "page anew). Quantities carry their unit, in any of its sizes: `3 MW` is `3000 kW`; a bare number is refused. "
        "A name holds up to 64 letters, digits, blanks and `._+/-`. What is left out gets a default, and `twinloop "
        "check my.yaml --resolved` shows each with its source. A whole file, as `twinloop new my.yaml` writes it; "
        "larger ones are in `examples/`:",
        f"```yaml\n{starter('minimal').strip()}\n```",
    ]
    for model in sections(schema.ScenarioSpec):
        title = model.__name__.removesuffix("Spec")
        rows = [_row(title, name, field) for name, field in model.model_fields.items()]
        head = ("key", "holds, and its range", "left out", "example", "meaning")
        parts += [f"## {title}", inspect.getdoc(model) or "", table(head, rows)]
    later = "\n".join(f"- `{key}`: {words}" for key, words in schema.NOT_YET.items())
    if later:
        parts += ["## Not in this version", "Refused by name, so that nothing is silently ignored.", later]
    return "\n\n".join(parts) + "\n"


def sections(root: type[BaseModel]) -> list[type[BaseModel]]:
    """Return ``root`` and every section below it, in the order of the file."""
    found: list[type[BaseModel]] = []

    def visit(model: type[BaseModel]) -> None:
        if model not in found:
            found.append(model)
            for field in model.model_fields.values():
                for each in models_in(field.annotation):
                    visit(each)

    visit(root)
    return found


def models_in(kind: Any) -> list[type[BaseModel]]:
    """Return the sections named anywhere in the type ``kind``."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for part in get_args(kind) if not isinstance(part, str) for model in models_in(part)]


def _row(section: str, name: str, field: FieldInfo) -> tuple[str, ...]:
    key = field.alias or name
    written = example(section, key, field, quantity_of(field))
    means, _, _ = meaning(section, key).partition("; left out: ")
    return (
        f"`{key}`", words_of(field.annotation, tuple(field.metadata)), left_out(section, key, field),
        f"`{written}`" if written else "", means,
    )  # fmt: skip


def quantity_of(field: FieldInfo) -> str:
    """Return the name of the quantity that ``field`` holds; empty where it is none."""
    for metadata in (tuple(field.metadata), *(tuple(each.__metadata__) for each in _annotated(field.annotation))):
        held = _validator(metadata)
        if held:
            return str(held["quantity"])
    return ""


def _annotated(kind: Any) -> list[Any]:
    if get_origin(kind) is typing.Annotated:
        return [kind, *_annotated(get_args(kind)[0])]
    return [each for part in get_args(kind) if get_origin(kind) is not Literal for each in _annotated(part)]


def words_of(kind: Any, metadata: tuple[Any, ...] = ()) -> str:
    """Return a type in a reader's words: ``power, such as 3 MW``, ``one of a, b``, ``list of …``."""
    said = _quantity(metadata)
    if said:
        return said
    origin, args = get_origin(kind), get_args(kind)
    if origin is typing.Annotated:
        return words_of(args[0], args[1:])
    if origin is Literal:
        return "one of " + ", ".join(f"`{each}`" for each in args) if len(args) > 1 else f"`{args[0]}`"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(words_of(each) for each in args if each is not type(None)))
    if origin is list:
        return f"list of {words_of(args[0])}"
    if origin is dict:
        return "mapping"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        title = kind.__name__.removesuffix("Spec")
        return f"[{title}](#{title.lower()})"
    plain = {int: "whole number", float: "number", str: "text", bool: "`true` or `false`"}.get(kind, "value")
    return plain + (_span(metadata) if kind in (int, float) else "")


def _validator(metadata: tuple[Any, ...]) -> dict[str, Any]:
    """Return what the reader of a value with a unit was made with; empty where there is none."""
    for each in metadata:
        func = getattr(each, "func", None)
        held = inspect.getclosurevars(func).nonlocals if inspect.isfunction(func) else {}
        if "quantity" in held:
            return dict(held)
    return {}


def _quantity(metadata: tuple[Any, ...]) -> str:
    """Return the quantity and range of a value with a unit, read from its validator."""
    held = _validator(metadata)
    if not held:
        return ""
    low, high = (units.show(held[key], held["quantity"]) for key in ("low", "high"))
    return f"{held['quantity']}, {'more than ' if held['open_low'] else ''}{low} to {high}"


def _span(metadata: tuple[Any, ...]) -> str:
    """Return the range of a plain number in words; empty where it has none."""
    plain = [part for each in metadata for part in (getattr(each, "metadata", None) or [each])]
    low = next((part.ge for part in plain if hasattr(part, "ge")), None)
    high = next((part.le for part in plain if hasattr(part, "le")), None)
    if low is None or high is None:
        return ""
    return ", " + " to ".join(f"{end:,.0f}".replace(",", "\u202f") for end in (low, high))


def commands_page() -> str:
    """Return each verb with its options, as its own help says."""
    parts = ["# Commands", "Written from the command line itself. Exit codes: 0 done, 2 the input is wrong, "
             "3 no plan exists, 1 anything else."]  # fmt: skip
    context = click.Context(cli, info_name="twinloop")
    for verb in VERBS:
        command = cli.get_command(context, verb)
        if command is not None:
            parts += _command(command, f"twinloop {verb}", context, "##")
    return "\n\n".join(parts) + "\n"


def _command(command: click.Command, name: str, parent: click.Context, level: str) -> list[str]:
    context = click.Context(command, info_name=name.split()[-1], parent=parent)
    parts = [f"{level} {name}", f"```text\n{command.get_help(context)}\n```"]
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                parts += _command(found, f"{name} {child}", context, f"{level}#")
    return parts


def python_page() -> str:
    """Return the directives from which Sphinx writes the Python reference."""
    parts = ["# Python", "Written from the docstrings."]
    for module in MODULES:
        parts += [f"## {module}", f"```{{eval-rst}}\n.. automodule:: {module}\n```"]
    return "\n\n".join(parts) + "\n"
