"""Names taken from the catalogue: places, grids, tariffs, devices, cloud regions, architectures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from twinloop import catalogue
from twinloop.climate.lookup import weather
from twinloop.errors import Fault
from twinloop.fluids.liquids import liquid
from twinloop.scenario.document import Node
from twinloop.scenario.references import Steps, elements, lookup_faults, words

Check = tuple[Steps, Callable[[], object]]


def catalogue_faults(root: Node, file: str, base_dir: Path) -> list[Fault]:
    """Return a fault for each name that the catalogue does not know."""
    checks = [*_sites(root, base_dir), *_models(root), *_allowed(root)]
    return [fault for steps, action in checks for fault in lookup_faults(root, file, steps, action)]


def _sites(root: Node, base_dir: Path) -> Iterator[Check]:
    looks: dict[str, Callable[[str], object]] = {
        "climate": partial(weather, base_dir=base_dir),
        "grid": catalogue.grid,
        "tariff": catalogue.tariff,
    }
    for index, item in elements(root, "sites"):
        for key, look in looks.items():
            node = item.get(key)
            if node is not None and isinstance(node.scalar, str) and node.scalar:
                yield ("sites", index, key), partial(look, node.scalar)
        provider, region = item.get("provider"), item.get("region")
        if provider is None or region is None:
            continue
        if isinstance(provider.scalar, str) and isinstance(region.scalar, str):
            known = provider.scalar.lower() in {each.provider for each in catalogue.cloud_regions()}
            place: Steps = ("sites", index, "region" if known else "provider")
            yield place, partial(catalogue.cloud_region, provider.scalar, region.scalar)


def _models(root: Node) -> Iterator[Check]:
    for index, item in elements(root, "models"):
        for place in words(item, "architecture", ("models", index)):
            yield place.steps, partial(catalogue.architecture, place.text)


def _allowed(root: Node) -> Iterator[Check]:
    allow = root.get("allow")
    for place in words(allow, "devices", ("allow",)) if allow is not None else ():
        yield place.steps, partial(catalogue.device, place.text)
    for place in words(allow, "compression", ("allow",)) if allow is not None else ():
        yield place.steps, partial(catalogue.constant, "compression", place.text, "accuracy_drop")
    for place in words(allow, "fluids", ("allow",)) if allow is not None else ():
        yield place.steps, partial(liquid, place.text)
