"""Shared storage of datasets, at their homes: its servers, power, place in racks, and what every plan takes for it.

A dataset that lies in a cloud counts with its mean size over the horizon, any other with its size at the horizon:
that is bought in year 0, and runs from then on, whichever stages read it from where.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from twinloop.catalogue import constant, shared_storage
from twinloop.economics.carbon import embodied_kg_per_year, scope2_kg
from twinloop.model.estimate import ComponentPower
from twinloop.model.model import Model
from twinloop.model.site import Cloud, OnPremise, Site
from twinloop.planner.money import Ledger, flat_bill, present_cost_usd, priced
from twinloop.planner.openings import YEAR_S, Opening
from twinloop.planner.racks import AIR_RACK_W
from twinloop.planner.wiring import rack_share
from twinloop.twin.groups import ItGroup

HOURS = 8760
NEVER_C = 1e4
"""Stands for a throttle temperature that storage does not have."""


@dataclass(frozen=True)
class Stored:
    """The storage servers of one site."""

    stored_b: float
    servers: int
    power_w: float
    """At the inlet, day and night."""
    embodied_kg: float
    weight_kg: float
    height_u: float

    @property
    def it_j(self) -> float:
        """A year."""
        return self.power_w * YEAR_S


@dataclass(frozen=True)
class StoredLoad:
    """What storage takes in a year at a site without a twin, by the site's own PUE and WUE."""

    it_j: float = 0.0
    facility_j: float = 0.0
    peak_w: float = 0.0
    water_m3: float = 0.0
    source_water_m3: float = 0.0


def stored_at(model: Model, name: str) -> Stored:
    """Return the storage at the site called ``name``; of nothing where no dataset lies there."""
    rented = name in {cloud.name for cloud in model.clouds}
    span_s = model.horizon_s * (0.5 if rented else 1.0)
    stored_b = math.fsum(data.size_b + data.growth_b_s * span_s for data in model.datasets if data.home == name)
    kind = shared_storage()
    servers = math.ceil(stored_b / kind.usable_b - 1e-9)
    return Stored(
        stored_b, servers, stored_b * kind.power_w_per_b, stored_b * kind.embodied_kg_per_b, servers * kind.weight_kg,
        servers * kind.height_u,
    )  # fmt: skip


def stored_rack_share(model: Model, site: OnPremise) -> float:
    """Return the positions of ``site`` that its storage takes, in parts of a rack."""
    stored = stored_at(model, site.name)
    return rack_share(site.racks, AIR_RACK_W, stored.power_w, stored.height_u, stored.weight_kg)


def stored_group(model: Model, site: OnPremise) -> ItGroup | None:
    """Return the storage of ``site`` for the twin, on air or with doors; ``None`` where no dataset lies there.

    It has no accelerators: what stands for a device is a watt at the temperature of its air, which limits nothing.
    """
    stored, kind = stored_at(model, site.name), shared_storage()
    if not stored.servers:
        return None
    output_w = stored.power_w * kind.psu_efficiency
    power = ComponentPower(0.0, 0.0, 0.0, 0.0, output_w * (1.0 - kind.fan_share))
    return ItGroup(
        name="storage", server=kind.name, servers=stored.servers, device_count=0, busy=power, idle=power,
        fan_design_w=output_w * kind.fan_share, psu_efficiency=kind.psu_efficiency, device_w=1.0, power_limit_w=10.0,
        throttle_c=NEVER_C, r_air_k_w=0.01, r_plate_k_w=0.01, paths_offered=("air", "rear_door"),
        activity=np.ones(HOURS),
    )  # fmt: skip


def stored_opening(model: Model, site: Site) -> Opening:
    """Return what every plan takes for the storage at ``site``, whatever it runs where.

    Of a hall the IT power alone: where stages run there too the twin knows what cools it. Making is in its carbon.
    """
    load = stored_load(model, site, 1.0 if isinstance(site, OnPremise) else site.pue)
    if not load.it_j:
        return Opening(0.0, 0.0, 0.0, 0.0)
    ledger = stored_ledger(model, site, load)
    carbon_kg = math.fsum(ledger.carbon_kg_per_year.values())
    return Opening(load.peak_w, load.facility_j, carbon_kg, present_cost_usd(ledger, model))


def everywhere(model: Model) -> tuple[Site, ...]:
    """Return every site of ``model``: halls, clouds, places at the edge."""
    return (*model.on_premise, *model.clouds, *model.edges)


def stored_opening_of_all(model: Model) -> Opening:
    """Return the sum of :func:`stored_opening` over all sites."""
    found = [stored_opening(model, site) for site in everywhere(model)]
    return Opening(
        math.fsum(each.power_w for each in found), math.fsum(each.energy_j for each in found),
        math.fsum(each.carbon_kg for each in found), math.fsum(each.cost_usd for each in found),
    )  # fmt: skip


def room_pue() -> float:
    """Return the PUE of a hall in which nothing runs but storage: that of a small server room."""
    return float(constant("economics", "default", "pue_edge").value)


def stored_load(model: Model, site: Site, pue: float) -> StoredLoad:
    """Return what the storage at ``site`` takes in a year under ``pue``."""
    stored = stored_at(model, site.name)
    facility_j = stored.it_j * pue
    wue_l_per_kwh = site.wue_l_per_kwh if isinstance(site, Cloud) else 0.0
    return StoredLoad(
        stored.it_j, facility_j, stored.power_w * pue, stored.it_j / 3.6e6 * wue_l_per_kwh / 1e3,
        facility_j * site.grid.source_water_m3_per_j,
    )  # fmt: skip


def stored_ledger(model: Model, site: Site, load: StoredLoad) -> Ledger:
    """Return the electricity and carbon of ``load``; its purchase is every plan's.

    A provider's electricity is in its rent and in scope 3.
    """
    operational = scope2_kg(load.facility_j, site.grid)
    making = embodied_kg_per_year(stored_at(model, site.name).embodied_kg, model.finance.refresh_s)
    if isinstance(site, Cloud):
        carbon = {"scope1": 0.0, "scope2": 0.0, "scope3": operational + making}
        return priced(Ledger((), {}, {}, carbon, operational), model, 0.0)
    bill = flat_bill(site, load.facility_j, load.peak_w)
    yearly = {"electricity": bill.energy_usd, "demand charge": bill.demand_usd}
    escalation = dict.fromkeys(yearly, site.tariff.escalation_per_year)
    carbon = {"scope1": 0.0, "scope2": operational, "scope3": making}
    return priced(Ledger((), yearly, escalation, carbon, operational), model, 0.0)
