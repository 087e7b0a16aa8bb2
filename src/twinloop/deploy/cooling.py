"""The plant as a scheduler sees it: hall → cooling loop → rack → host, and quotas by heat and power.

A flavor is one accelerator on one cooling technology. How many devices of it may run at once is not how many
were bought: it is what the loop can carry off and the power chain can feed, per device.

``devices = floor(min(thermal capacity, power capacity) / watts per device)``

Thermal capacity of a flavor is its planned heat times one plus the smallest sizing margin of the equipment
that carries it (``margin`` of the plan is rated over required, minus one). Power capacity is its share of the
UPS rating. Both are of the plan, so a quota falls when the plant shrinks, whatever stands in the racks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from twinloop.deploy.intent import Deployment, Hardware, Work
from twinloop.deploy.names import label
from twinloop.errors import InfeasibleError
from twinloop.model.plan import Equipment, PlannedSite

WARM = ("cold_plate", "bath")
"""Technologies on the warm loop; the others give their heat to the cold loop."""
CARRIES = {
    "cold_plate": ("cold_plate", "cdu"),
    "bath": ("immersion", "cdu"),
    "rear_door": ("rear_door_passive", "rear_door_active", "rear_door"),
    "air": ("crah",),
}
"""Equipment types in the hall that a technology needs."""
REJECTS_WARM = ("WT", "DC", "AC", "PP")
REJECTS_COLD = ("CH", "CT", "PP")
"""Tags of the equipment that carries a loop's heat outdoors."""
ALWAYS = ("serve", "ingest")
"""Kinds of stages that no queue admits: they run all the time."""
ROUNDING = 1e-9
"""Relative: keeps a quota that is whole in exact arithmetic whole in floating point."""


@dataclass(frozen=True)
class Flavor:
    """Devices of one kind on one cooling technology at one site."""

    name: str
    site: str
    hardware: Hardware
    cooling: str
    device_w: float
    """Per device: the hungriest stage's."""
    planned: int
    thermal_w: float | None
    """``None`` where the provider cools."""
    power_w: float | None
    quota: int
    always_on: int
    """Devices of stages that no queue admits (serving, ingest): they stand in the same heat."""
    limited_by: str
    """Tag of the equipment, ``UPS``, or ``purchase`` where the provider decides."""


@dataclass(frozen=True)
class Host:
    """One server's place in the tree."""

    name: str
    hall: str
    loop: str
    rack: str
    flavor: str
    accelerator: str
    cooling: str


def flavors(deployment: Deployment, site: PlannedSite) -> tuple[Flavor, ...]:
    """Return the flavors of ``site``.

    Raises:
        InfeasibleError: a job needs more devices at once than heat or power allow.
    """
    groups: dict[str, list[Work]] = {}
    for work in deployment.at(site.name):
        groups.setdefault(flavor_name(work), []).append(work)
    it_w = sum(work.device_w * work.device_count for work in deployment.at(site.name))
    made = tuple(_flavor(name, works, site, it_w) for name, works in groups.items())
    for flavor in made:
        runs = [work for work in groups[flavor.name] if work.kind not in ALWAYS]
        largest = max(runs or groups[flavor.name], key=lambda work: work.device_count)
        beside = flavor.always_on if runs else flavor.always_on - largest.device_count
        if flavor.quota < beside + largest.device_count:
            others = f" beside {beside} that always run" if beside else ""
            raise InfeasibleError(
                (
                    f"{site.name}: {largest.name} needs {largest.device_count} × {flavor.hardware.device}{others}, "
                    f"heat and power ({flavor.limited_by}) carry {flavor.quota}",
                )
            )
    return made


def flavor_name(work: Work) -> str:
    """Return the name of the flavor that ``work`` runs on; site apart, since flavors are cluster-wide."""
    return label(f"{work.hardware.label}-{work.cooling}", 60)


def _flavor(name: str, works: list[Work], site: PlannedSite, it_w: float) -> Flavor:
    planned = sum(work.device_count for work in works)
    always_on = sum(work.device_count for work in works if work.kind in ALWAYS)
    heat_w = sum(work.device_w * work.device_count for work in works)
    # Quota counts devices of the hungriest kind, unless all are busy as planned: then the sum must fit.
    device_w = heat_w / planned
    margin, tag = _thermal_margin(works[0].cooling, site.equipment)
    thermal_w = None if margin is None else heat_w * (1.0 + margin)
    ups_w = site.electrical.ups_w if site.electrical else None
    power_w = None if ups_w is None or it_w <= 0.0 else ups_w * heat_w / it_w
    limits = [(w, by) for w, by in ((thermal_w, tag), (power_w, _holds_racks(site.equipment))) if w is not None]
    if not limits or device_w <= 0.0:
        return Flavor(
            name, site.name, works[0].hardware, works[0].cooling, device_w, planned, thermal_w, power_w,
            planned, always_on, "purchase",
        )  # fmt: skip
    watts, limited_by = min(limits)
    quota = math.floor(watts / device_w * (1.0 + ROUNDING))
    return Flavor(
        name,
        site.name,
        works[0].hardware,
        works[0].cooling,
        device_w,
        planned,
        thermal_w,
        power_w,
        quota,
        always_on,
        limited_by,
    )


def _holds_racks(equipment: tuple[Equipment, ...]) -> str:
    """Return the tag of the machines with the battery: UPS, or rectifiers in its place."""
    return next((line.tag for line in equipment if line.type in ("rectifier", "rectifier_shelf")), "UPS")


def _thermal_margin(cooling: str, equipment: tuple[Equipment, ...]) -> tuple[float | None, str]:
    """Return the smallest margin on the way of the heat, and the tag that has it."""
    tags = REJECTS_WARM if cooling in WARM else REJECTS_COLD
    path = [line for line in equipment if line.type in CARRIES.get(cooling, ()) or line.tag.split("-")[0] in tags]
    if not path:
        return None, ""
    tightest = min(path, key=lambda line: (line.margin, line.tag))
    return tightest.margin, tightest.tag


def hosts(deployment: Deployment, site: PlannedSite) -> tuple[Host, ...]:
    """Return the servers of ``site`` in their racks, racks dealt to the distribution units of their loop.

    Names are the plan's: whoever builds the hall replaces them by the real ones.
    """
    loops = {"warm": _units(site, ("cdu", "immersion")), "cold": 1}
    hall = label(f"{site.name}-hall-1")
    placed: list[Host] = []
    liquid = 0
    for work in deployment.at(site.name):
        per_rack = _per_rack(work, site)
        for rack in range(math.ceil(work.nodes / per_rack)):
            warm = work.cooling in WARM
            number = liquid % loops["warm"] + 1 if warm else 1
            liquid += warm
            rack_name = label(f"{work.label}-r{rack + 1:02d}", 60)
            placed += [
                Host(
                    label(f"{site.name}-{rack_name}-n{node + 1:02d}", 60), hall,
                    f"{hall}-{'cdu' if warm else 'cold'}-{number}", f"{hall}-{rack_name}", flavor_name(work),
                    work.hardware.label, label(work.cooling),
                )
                for node in range(min(per_rack, work.nodes - rack * per_rack))
            ]  # fmt: skip
    return tuple(placed)


def _per_rack(work: Work, site: PlannedSite) -> int:
    """Return the hosts of ``work`` in its fullest rack, which other work may share."""
    full = [share.servers for racks in site.rack_types for share in racks.contents if share.stage == work.name]
    return max(full) * work.hardware.hosts_per_server if full else max(work.nodes, 1)


def _units(site: PlannedSite, types: tuple[str, ...]) -> int:
    return max(sum(line.count for line in site.equipment if line.type in types), 1)


def node_labels(host: Host) -> Iterator[tuple[str, str]]:
    """Yield the labels of ``host``'s node."""
    yield "twinloop.dev/hall", host.hall
    yield "twinloop.dev/cooling-loop", host.loop
    yield "twinloop.dev/rack", host.rack
    yield "twinloop.dev/accelerator", host.accelerator
    yield "twinloop.dev/cooling", host.cooling


LEVELS = ("twinloop.dev/hall", "twinloop.dev/cooling-loop", "twinloop.dev/rack", "kubernetes.io/hostname")
"""Levels of the topology, outermost first."""
