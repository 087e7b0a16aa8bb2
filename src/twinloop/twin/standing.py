"""A plant as it stands: machines with their own ratings where the load alone would ask for others.

Each kind is one lumped unit (:mod:`twinloop.twin.sizing`); a bank of standing machines stands in for it, and where
they carry less than the load needs, new ones of the usual kind are added. Handlers, distribution units, coolers and
towers run slower where there are more of them, up to half again the need; chillers are staged, so that only as many
run as the design hour needs; the power chain is in circuit whole, and what is not loaded still loses.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from twinloop.cooling.chillers import chiller
from twinloop.cooling.dry_coolers import DryCooler
from twinloop.model.site import ExistingPlant, OnPremise, StandingUnits
from twinloop.model.weather import DesignConditions
from twinloop.power.chains import chain
from twinloop.power.distribution import Transformer
from twinloop.power.ups import Ups
from twinloop.twin.cold_loop import ColdLoop
from twinloop.twin.design import HybridDesign, PlantConstants
from twinloop.twin.electrical import Electrics
from twinloop.twin.free_coolers import TowerSet
from twinloop.twin.groups import ItGroup
from twinloop.twin.sizing import Plant, size_plant
from twinloop.twin.unit_counts import Units
from twinloop.twin.warm_loop import WarmLoop

STAGED = ("air_cooled_chiller", "water_cooled_chiller")
"""Kinds of which only as many machines run as the load needs."""
MOST_GROWTH = 1.5
"""Capacity at work over the need, chillers apart. Fans of half again as many machines take 44 % of the power already
(cube law), and machines far beyond the need are switched off. The twin's roots are tested up to here."""


@dataclass(frozen=True)
class Bank:
    """Machines of one kind at work: those that stand and those added to reach the need."""

    growth: float
    """Capacity over the need, at least 1."""
    power_w: float
    """Electricity of all at their rated points."""


def hall_plant(site: OnPremise, design: HybridDesign, groups: tuple[ItGroup, ...], k: PlantConstants) -> Plant:
    """Return the plant of ``site`` that carries ``groups`` under ``design``, what stands there at its own ratings."""
    weather = site.weather
    plant = size_plant(design, groups, weather.design, weather.pressure_pa, site.floor.area_m2, k, site.heat_offtake)
    return plant if site.plant is None else at_ratings(plant, site.plant, weather.design, k)


def at_ratings(plant: Plant, standing: ExistingPlant, conditions: DesignConditions, k: PlantConstants) -> Plant:
    """Return ``plant`` with the machines of ``standing`` at their own ratings.

    Args:
        plant: as sized for its load.
        standing: ratings are heat (electricity for the power chain) in the design hour; ``power_w`` electricity there.
        conditions: of that hour.
        k: for margins and approaches.

    Machines of a kind that both loops use serve the warm one first; what they leave is not put into the cold one.
    """
    margin, cold, warm = 1.0 + k.sizing_margin, plant.cold, plant.warm
    crah = bank(standing, "crah", plant.handler_heat_w * margin, plant.handler.fan_design_w)
    handler = replace(
        plant.handler, ua_w_k=plant.handler.ua_w_k * crah.growth,
        air_design_kg_s=plant.handler.air_design_kg_s * crah.growth,
        water_design_kg_s=plant.handler.water_design_kg_s * crah.growth, fan_design_w=crah.power_w,
    )  # fmt: skip
    door = plant.door
    if door is not None:
        grown = bank(standing, "rear_door_passive", plant.door_heat_w, 0.0).growth
        door = replace(door, ua_w_k=door.ua_w_k * grown)
    pumps = _pumps_ratio(plant, standing)
    if warm is not None:
        warm = _warm_at_ratings(replace(warm, pump_w=warm.pump_w * pumps), plant.design, standing, k)
    cold = replace(cold, pump_w=cold.pump_w * pumps, condenser_pump_w=cold.condenser_pump_w * pumps)
    cold = _cold_at_ratings(cold, plant.design, standing, conditions, k)
    electrics = _electrics_at_ratings(plant.electrics, standing)
    return replace(plant, handler=handler, door=door, warm=warm, cold=cold, electrics=electrics)


def bank(standing: ExistingPlant, kind: str, need_w: float, sized_power_w: float) -> Bank:
    """Return the machines of ``kind`` at work under a need of ``need_w``, which new ones carry with ``sized_power_w``.

    >>> from twinloop.model.site import ExistingPlant, StandingUnits
    >>> units = (StandingUnits("tower", 2, 0, 600e3, 9e3), StandingUnits("crah", 1, 0, 50e3))
    >>> plant = ExistingPlant("air", "none", "water_cooled_chiller", None, 20.0, False, True, units)
    >>> bank(plant, "tower", 1000e3, 12e3), bank(plant, "crah", 100e3, 6e3), bank(plant, "cdu", 1e5, 2e3).growth
    (Bank(growth=1.2, power_w=18000.0), Bank(growth=1.0, power_w=6000.0), 1.0)
    """
    if need_w <= 0.0:
        return Bank(1.0, sized_power_w)
    at_work_w, power_w, usual = 0.0, 0.0, sized_power_w / need_w
    for unit, running in running_units(standing.units, kind, need_w):
        at_work_w += running * unit.rated_w
        power_w += running * (usual * unit.rated_w if unit.power_w is None else unit.power_w)
    new_w = max(need_w - at_work_w, 0.0)
    found = Bank((at_work_w + new_w) / need_w, power_w + usual * new_w)
    if kind in STAGED or found.growth <= MOST_GROWTH:
        return found
    return Bank(MOST_GROWTH, found.power_w * MOST_GROWTH / found.growth)


def running_units(units: Iterable[StandingUnits], kind: str, need_w: float) -> list[tuple[StandingUnits, int]]:
    """Return the entries of ``kind``, each with how many run: all but the spares, or those that the need takes.

    >>> running_units((StandingUnits("air_cooled_chiller", 4, 1, 300e3),), "air_cooled_chiller", 350e3)[0][1]
    2
    """
    found, left_w = [], need_w
    for unit in units:
        if unit.type != kind:
            continue
        running = unit.count - unit.spare
        if kind in STAGED:
            running = min(running, max(math.ceil(left_w / unit.rated_w - 1e-9), 0))
        left_w -= running * unit.rated_w
        found.append((unit, running))
    return found


def _pumps_ratio(plant: Plant, standing: ExistingPlant) -> float:
    """Return the power of both loops' pumps over that of pumps as sized; pipework is rated for the heat of both."""
    warm = plant.warm
    heat_w = plant.cold.heat_w + (warm.heat_w if warm else 0.0)
    sized_w = plant.cold.pump_w + plant.cold.condenser_pump_w + (warm.pump_w if warm else 0.0)
    found = bank(standing, "pipework", heat_w, sized_w)
    return found.power_w / (sized_w * found.growth)


def _warm_at_ratings(loop: WarmLoop, design: HybridDesign, standing: ExistingPlant, k: PlantConstants) -> WarmLoop:
    units = bank(standing, "cdu", loop.heat_w, loop.cdu.pump_design_w)
    # The coolant's flow is the chips': more units share it, and their pumps its power.
    cdu = replace(loop.cdu, ua_w_k=loop.cdu.ua_w_k * units.growth, pump_design_w=units.power_w / units.growth)
    need_w, cooler = loop.heat_w * (1.0 + k.sizing_margin), loop.cooler
    if isinstance(cooler, DryCooler):
        cooler = _more_coolers(cooler, bank(standing, design.warm_cooler, need_w, cooler.fan_design_w))
    elif isinstance(cooler, TowerSet):
        cooler = _more_cells(cooler, bank(standing, "tower", need_w, cooler.tower.fan_design_w))
        if cooler.syphon is not None:
            more = bank(standing, "thermosyphon", loop.heat_w, cooler.syphon.fan_design_w)
            syphon = replace(
                cooler.syphon, evaporator_ua_w_k=cooler.syphon.evaporator_ua_w_k * more.growth,
                condenser_ua_w_k=cooler.syphon.condenser_ua_w_k * more.growth,
                water_design_kg_s=cooler.syphon.water_design_kg_s * more.growth,
                air_design_kg_s=cooler.syphon.air_design_kg_s * more.growth, fan_design_w=more.power_w,
            )  # fmt: skip
            cooler = replace(cooler, syphon=syphon)
    return replace(loop, cdu=cdu, cooler=cooler)


def _more_coolers(cooler: DryCooler, units: Bank) -> DryCooler:
    return replace(
        cooler, ua_w_k=cooler.ua_w_k * units.growth, air_design_kg_s=cooler.air_design_kg_s * units.growth,
        fan_design_w=units.power_w,
    )  # fmt: skip


def _more_cells(towers: TowerSet, units: Bank) -> TowerSet:
    cells = replace(
        towers.tower, ua_w_k=towers.tower.ua_w_k * units.growth,
        air_design_kg_s=towers.tower.air_design_kg_s * units.growth,
        water_design_kg_s=towers.tower.water_design_kg_s * units.growth, fan_design_w=units.power_w,
    )  # fmt: skip
    return replace(towers, tower=cells)


def _cold_at_ratings(
    loop: ColdLoop, design: HybridDesign, standing: ExistingPlant, conditions: DesignConditions, k: PlantConstants
) -> ColdLoop:
    need_w, dry = loop.heat_w * (1.0 + k.sizing_margin), design.cold_plant == "air_cooled_chiller"
    condenser_c = (
        conditions.dry_bulb_c + k.recirculation_outdoor_k if dry else conditions.wet_bulb_c + k.tower_approach_k
    )
    sized_w = float(chiller(loop.chiller, need_w, design.cold_supply_c, condenser_c).power_w)
    units = bank(standing, design.cold_plant, need_w, sized_w)
    machine = replace(
        loop.chiller, capacity_w=loop.chiller.capacity_w * units.growth,
        cop=loop.chiller.cop * sized_w * units.growth / units.power_w,
    )  # fmt: skip
    loop = replace(loop, chiller=machine)
    if loop.free_coil is not None and design.warm_cooler != "dry_cooler":
        coil = _more_coolers(loop.free_coil, bank(standing, "dry_cooler", loop.heat_w, loop.free_coil.fan_design_w))
        loop = replace(loop, free_coil=coil)
    if loop.tower is not None and design.warm_cooler not in ("tower", "thermosyphon"):
        rejected_w = need_w + sized_w
        more = bank(standing, "tower", rejected_w, loop.tower.fan_design_w)
        cells = replace(
            loop.tower, ua_w_k=loop.tower.ua_w_k * more.growth,
            air_design_kg_s=loop.tower.air_design_kg_s * more.growth,
            water_design_kg_s=loop.tower.water_design_kg_s * more.growth, fan_design_w=more.power_w,
        )  # fmt: skip
        loop = replace(loop, tower=cells)
    return loop


def _electrics_at_ratings(sized: Electrics, standing: ExistingPlant) -> Electrics:
    """Return the power chain with what stands of it, spares in circuit; racks' own converters stay as sized."""
    made = chain(sized.chain)
    if made.central is not None:
        sized = _backup_at_ratings(sized, [unit for unit in standing.units if unit.type == made.backup])
    units = [unit for unit in standing.units if unit.type == "transformer"]
    if not units:
        return sized
    old = sized.transformer
    rating_w, count = _in_circuit(units, old.rating_w, sized.units["transformer"])
    factor = _loss_ratio(units, rating_w, old.no_load + old.full_load)
    transformer = Transformer(rating_w, old.no_load * factor, old.full_load * factor)
    counts = sized.units | {"transformer": count}
    return replace(sized, transformer=transformer, transformer_w=rating_w / count.installed, units=counts)


def _backup_at_ratings(sized: Electrics, units: list[StandingUnits]) -> Electrics:
    if not units:
        return sized
    old = sized.ups
    rating_w, count = _in_circuit(units, old.rating_w, sized.units["ups"])
    factor = _loss_ratio(units, rating_w, old.no_load + old.linear + old.quadratic)
    ups = Ups(rating_w, old.no_load * factor, old.linear * factor, old.quadratic * factor)
    return replace(
        sized, ups=ups, ups_w=sized.ups_w * rating_w / old.rating_w, units=sized.units | {"ups": count}
    )  # fmt: skip


def _in_circuit(units: list[StandingUnits], sized_w: float, sized: Units) -> tuple[float, Units]:
    """Return the rating of all that stands and is added, and how many machines that is.

    What is added makes up both the whole rating, spares too, and what may be loaded without them. Where nothing is and
    one kind of machine stands, the counts are its own.
    """
    standing_w, running_w = sum(u.count * u.rated_w for u in units), sum(u.running_w for u in units)
    new_w = max(sized_w - standing_w, sized_w / sized.installed - running_w, 0.0)
    if new_w <= 1e-9 * sized_w and len(units) == 1:
        return standing_w, Units(units[0].count - units[0].spare, units[0].spare)
    return standing_w + new_w, sized


def _loss_ratio(units: list[StandingUnits], rating_w: float, usual: float) -> float:
    """Return losses at full load over the ``usual`` share: of what stands by its efficiency, of the rest as usual."""
    given = sum(
        unit.count * unit.rated_w * ((1.0 / unit.efficiency - 1.0) / usual - 1.0)
        for unit in units
        if unit.efficiency is not None
    )
    return 1.0 + given / rating_w
