"""Halls for the second-scale tests: the plant of the hourly tests with unit counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twinloop.catalogue.nouns import Component
from twinloop.model.estimate import ComponentPower
from twinloop.model.weather import DesignConditions
from twinloop.planner.designs import KITS
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.groups import ItGroup
from twinloop.twin.sizing import size_plant
from twinloop.twin.transient_nouns import Bank, Fleet, TransientConstants
from twinloop.twin.transient_parameters import Parameters, transient_parameters

K = PlantConstants()
PRESSURE_PA, FLOOR_M2 = 101325.0, 200.0
TWO = Fleet(*[Bank(2, 1)] * 5, Bank(1, 0))
"""Two of each and one standing by."""
BARE = Fleet(*[Bank(2, 0)] * 5, Bank(1, 0))
"""Two of each, no spares."""


def group(**changes: object) -> ItGroup:
    base = ItGroup(
        "train", "server", 40, 320, ComponentPower(208e3, 20e3, 16e3, 12e3, 4e3),
        ComponentPower(22e3, 8e3, 4e3, 6e3, 2e3),
        36e3, 0.95, 650.0, 700.0, 87.0, 0.065, 0.03, ("air", "rear_door", "cold_plate", "bath"), np.ones(1),
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def design(kit: str, cooler: str = "dry_cooler", plant: str = "air_cooled_chiller", **changes: object) -> HybridDesign:
    paths: dict[Component, str] = KITS[kit]  # type: ignore[assignment]
    warm = "none" if kit in ("air", "rear doors") else cooler
    base = HybridDesign(kit, paths, warm, 32.0, True, plant, 20.0, 26.0, False, "N+1")  # type: ignore[arg-type]
    return replace(base, **changes)  # type: ignore[arg-type]


def hall(
    kit: str, cooler: str = "dry_cooler", plant: str = "air_cooled_chiller", fleet: Fleet = TWO,
    it: ItGroup | None = None, k: PlantConstants = K, c: TransientConstants | None = None,
    pressure_pa: float = PRESSURE_PA, **changes: object,
) -> Parameters:  # fmt: skip
    servers = it or group()
    conditions = DesignConditions(34.0, 22.0, 24.0, -12.0, "test")
    built = size_plant(design(kit, cooler, plant, **changes), (servers,), conditions, pressure_pa, FLOOR_M2, k)
    return transient_parameters(built, (servers,), fleet, FLOOR_M2, pressure_pa, k, c)


@pytest.fixture(scope="session")
def make_hall():
    """Return ``hall(kit, cooler, plant, fleet, it=…, k=…, c=…, **design)``."""
    return hall


@pytest.fixture(scope="session")
def make_group():
    return group


@pytest.fixture(scope="session")
def fleets():
    return {"two": TWO, "bare": BARE}
