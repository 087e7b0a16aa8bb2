"""What stands in a hall beside its servers, as the equipment schedule writes it: switches and storage."""

from __future__ import annotations

import math

from twinloop.catalogue import shared_storage
from twinloop.model.model import Model
from twinloop.model.plan import Equipment
from twinloop.planner.placements import Placement
from twinloop.planner.racks import server_of
from twinloop.planner.stored import Stored
from twinloop.planner.wiring import FABRIC, FRONT_END, Tree, Wiring, wiring

TYPES = {FABRIC: ("FS", "fabric_switch"), FRONT_END: ("ES", "front_end_switch")}
"""Kind of switch -> its tag and type in the schedule."""
SLACK = 1e-9


def wirings(model: Model, placements: tuple[Placement, ...]) -> tuple[Wiring, ...]:
    """Return the networks behind ``placements``, in their order."""
    return tuple(wiring(p.option, server_of(model, p.option.server)) for p in placements)


def beside_lines(networks: tuple[Wiring, ...], stored: Stored) -> tuple[Equipment, ...]:
    """Return one line for each kind of switch and one for storage: IT machines, whose heat the racks' air carries."""
    trees = [tree for network in networks for tree in network.trees]
    kinds = dict.fromkeys(tree.kind.name for tree in trees)
    found = [_switches([tree for tree in trees if tree.kind.name == name]) for name in kinds]
    return (*found, *([_storage(stored)] if stored.servers else []))


def _switches(trees: list[Tree]) -> Equipment:
    kind, parts = trees[0].kind, math.fsum(tree.switches for tree in trees)
    number, power_w = math.ceil(parts - SLACK), math.fsum(tree.power_w for tree in trees)
    ports = math.fsum(tree.host_ports for tree in trees)
    links = math.fsum(tree.uplinks for tree in trees)
    tiers = max(tree.tiers for tree in trees)
    words = (
        f"IT power, links with it; {ports:,.0f} ports to servers, {links:,.0f} links up, "
        f"{tiers} {'tier' if tiers == 1 else 'tiers'}"
    )
    return _line(*TYPES[kind.name], number, power_w, words, number / parts - 1.0,
                 math.fsum(tree.price_usd for tree in trees))  # fmt: skip


def _storage(stored: Stored) -> Equipment:
    kind = shared_storage()
    words = f"IT power, day and night; {stored.stored_b / 1e12:,.0f} TB of datasets at home"
    margin = stored.servers * kind.usable_b / stored.stored_b - 1.0
    return _line("SV", "shared_storage", stored.servers, stored.power_w, words, margin,
                 stored.stored_b * kind.price_usd_per_b)  # fmt: skip


def _line(
    tag: str, kind: str, number: int, power_w: float, words: str, margin: float, capex_usd: float
) -> Equipment:  # fmt: skip
    return Equipment(tag, kind, number, 0, power_w / number, None, None, None, None, power_w, words, margin, capex_usd)
