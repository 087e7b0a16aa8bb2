"""What every plan pays alike, whatever is chosen: staff by a given sum, and datasets stored at their homes."""

from __future__ import annotations

import math

from twinloop.catalogue import constant, shared_storage
from twinloop.economics.capital import hardware_item
from twinloop.model.model import Model
from twinloop.planner.links import egress_usd_per_year, lines_usd_per_year
from twinloop.planner.money import Ledger, add_ledgers
from twinloop.planner.placements import Placement

MONTHS = 12.0


def common_ledger(model: Model) -> Ledger:
    """Return what every plan pays: ``finance.staff`` where given, and shared storage of the datasets at home.

    A dataset at home in a cloud is rented object storage, of its mean size over the horizon. Anywhere else storage
    for its size at the horizon is bought in year 0, refreshed and maintained like servers.
    """
    clouds = {cloud.name for cloud in model.clouds}
    rented_b = math.fsum(
        data.size_b + data.growth_b_s * model.horizon_s / 2.0 for data in model.datasets if data.home in clouds
    )
    bought_b = math.fsum(
        data.size_b + data.growth_b_s * model.horizon_s for data in model.datasets if data.home not in clouds
    )
    item = hardware_item("storage", bought_b * shared_storage().price_usd_per_b, model.finance)
    yearly = {
        "staff": model.finance.staff_usd_per_year,
        "cloud storage": MONTHS * rented_b * _price("cloud_storage_usd_per_b_month"),
    }
    return Ledger((item,) if item.amount_usd else (), {name: usd for name, usd in yearly.items() if usd}, {}, {})


def shared_ledger(model: Model, placements: tuple[Placement, ...]) -> Ledger:
    """Return the money of no single site: what every plan pays, and data that moves between sites under this one."""
    moved = {
        "egress": egress_usd_per_year(model, placements),
        "lines": math.fsum(lines_usd_per_year(model, p) for p in placements),
    }
    return add_ledgers((common_ledger(model), Ledger((), {name: usd for name, usd in moved.items() if usd}, {}, {})))


def _price(quantity: str) -> float:
    return float(constant("economics", "default", quantity).value)
