"""Read a scenario file and check it whole: every fault at once, each with its line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from twinloop.errors import Fault, InputError
from twinloop.model.codec import content_hash
from twinloop.scenario import schema
from twinloop.scenario.document import Node, parse_document, read_text
from twinloop.scenario.facts_named import catalogue_faults
from twinloop.scenario.faults import schema_faults
from twinloop.scenario.hidden import faults_of_wrong_kinds, sound, with_near_kinds
from twinloop.scenario.references import reference_faults
from twinloop.scenario.sense import sense_faults

MOST_FAULTS = 200
"""More than these are one mistake repeated; the rest is counted."""


@dataclass(frozen=True)
class Scenario:
    """A checked file: its values in SI, and the tree that knows the lines."""

    file: Path
    spec: schema.ScenarioSpec
    root: Node

    @property
    def base_dir(self) -> Path:
        """Folder that the file's relative paths start from."""
        return self.file.parent


def load(path: str | Path) -> Scenario:
    """Return the scenario in the file ``path``.

    Raises:
        InputError: with every fault of the file, in the order of its lines.
    """
    file = Path(path)
    return load_text(read_text(file), file)


def load_text(text: str, file: Path) -> Scenario:
    """Return the scenario written in ``text``; ``file`` names it in messages and anchors relative paths.

    Raises:
        InputError: with every fault of the text, in the order of its lines.
    """
    name = str(file)
    root, faults = parse_document(text, name)
    spec, meant = None, root
    try:
        spec = schema.ScenarioSpec.model_validate(root.plain())
        faults += sense_faults(spec, root, name)
    except ValidationError as error:
        faults += schema_faults(error, root, name)
        faults += faults_of_wrong_kinds(error, root, name)
        meant = with_near_kinds(error, root)
        faults += _sense_of_the_rest(meant, name)
    faults += reference_faults(meant, name)
    faults += catalogue_faults(root, name, file.parent)
    if faults or spec is None:
        raise InputError(_ordered(faults, name))
    return Scenario(file, spec, root)


def _sense_of_the_rest(root: Node, file: str) -> list[Fault]:
    """Return the faults between values of the blocks that are right, however wrong others are."""
    try:
        return sense_faults(schema.ScenarioSpec.model_validate(root.plain()), root, file)
    except ValidationError as error:
        rest = sound(error, root)
    return [] if rest is None else sense_faults(rest.spec, rest.root, file, rest.position)


def _ordered(faults: list[Fault], file: str) -> tuple[Fault, ...]:
    unique = {(fault.line, fault.path, fault.got): fault for fault in reversed(faults)}
    ordered = sorted(unique.values(), key=lambda fault: (fault.line or 0, fault.path))
    if len(ordered) <= MOST_FAULTS:
        return tuple(ordered)
    more = Fault(file, None, "file", f"{len(ordered) - MOST_FAULTS} more faults", "the ones above mended first")
    return (*ordered[:MOST_FAULTS], more)


def scenario_hash(scenario: Scenario) -> str:
    """Return 16 hex digits that change with any value, or any file that is named; comments do not count."""
    values = _values(scenario.spec)
    named = [site.climate for site in scenario.spec.sites if not isinstance(site, schema.CloudSpec)]
    for model in scenario.spec.models:
        if isinstance(model, schema.ConfigSpec):
            named.append(model.config)
        if isinstance(model, schema.OnnxSpec):
            named.append(model.onnx)
    digests = {}
    for name in sorted(set(named)):
        path = scenario.base_dir / name
        if path.is_file():
            digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return content_hash({"scenario": values, "files": digests})


def _values(value: Any) -> Any:
    """Return sections as mappings of what they hold; text and numbers stay."""
    if isinstance(value, BaseModel):
        return {key: _values(each) for key, each in value}
    return [_values(each) for each in value] if isinstance(value, list) else value
