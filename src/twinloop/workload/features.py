"""Features of a graph's nodes: where they lie, and how long those of one sample's neighbours take to come.

A batch reads a row of features for every sampled neighbour, at random. Where all devices together hold the table,
rows cross the fast fabric with the rest of a sample's traffic; else they lie in the host's memory and the device
reads them over its bus (Min et al. 2021, arXiv:2103.03330).
"""

from __future__ import annotations

from twinloop.arrays import Array, namespace
from twinloop.catalogue.nouns import Device
from twinloop.model.network import Network
from twinloop.workload.constants import family
from twinloop.workload.memory import capacity_b

BUS_B_S = ((2022, 64e9), (2020, 32e9), (0, 16e9))
"""Year of a part -> its sixteen lanes to the host, one direction: PCIe 5, 4 and 3."""
JOINED_B_S = {"GH200": 450e9, "GB200": 225e9, "GB300": 225e9}
"""Parts that share a module with their processor: its link, over the devices on it. From memory, low confidence."""
ROWS_SHARE = 0.77
"""Of the bus, where threads of a device read aligned rows of the host's memory: 12.3 of 16 GB/s (Min et al. 2020,
EMOGI, arXiv:2006.06890; from memory). Not fitted. Low confidence."""
LARGEST_SHARE = 0.8
"""Of a device's memory that features may fill; sampling, the batch at work and the one prepared meanwhile want the
rest. IGBH-Full takes 0.88 of eight H100, whose runs keep it in 2 TB of the host's memory, and 0.50 of eight H200, whose
runs keep it in the devices (settings in MLCommons training_results_v4.0). Low confidence between the two."""
OWN_MEMORY = ("cpu", "edge")
"""Kinds whose memory is the host's."""


def host_b_s(device: Device) -> float:
    """Return what ``device`` can read of its host's memory, bytes a second at best.

    >>> from twinloop import catalogue
    >>> [host_b_s(catalogue.device(name)) / 1e9 for name in ("V100-SXM-32GB", "A100", "H100", "GH200-96GB")]
    [16.0, 32.0, 64.0, 450.0]
    """
    joined = JOINED_B_S.get(family(device))
    return joined or next(speed for year, speed in BUS_B_S if device.year >= year)


def resident(network: Network, device: Device, devices: Array, held_b: Array) -> Array:
    """Return whether ``devices`` hold the features beside ``held_b`` bytes on each."""
    xp = namespace(devices, held_b)
    part, room = network.features_b / devices, capacity_b(device)
    return xp.asarray((part <= LARGEST_SHARE * room) & (part + held_b <= room) | (device.kind in OWN_MEMORY))


def fetched_s(network: Network, device: Device, inside: Array) -> Array:
    """Return the seconds that one sample's rows take over the bus: none where they are ``inside``."""
    xp = namespace(inside)
    return xp.where(inside, 0.0, network.gathered_b / (host_b_s(device) * ROWS_SHARE))
