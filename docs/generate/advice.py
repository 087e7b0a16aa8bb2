"""Common advice of the field, held against finished plans: each rule gives what was seen and a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twinloop.api import PlanResult
from twinloop.model.plan import Baseline, PlannedStage, Totals
from twinloop.report.figures.money import COOLING, present_values
from twinloop.report.numbers import money

CONFIRMS, CONTRADICTS, PARTLY, UNTESTED = "confirms", "contradicts", "in part", "not tested"
AIR_RACK_W = 20e3
NATURE = "Nature 641:331 (2025), abstract"


@dataclass(frozen=True)
class Finding:
    """One piece of advice against one plan."""

    advice: str
    source: str
    seen: str
    verdict: str


Rule = Callable[[PlanResult], Finding]


def _baseline(result: PlanResult, name: str) -> Baseline | None:
    return next((b for b in result.plan.baselines if b.name.startswith(name) and b.totals is not None), None)


def _pair(result: PlanResult) -> tuple[Totals, Totals] | None:
    """Return the totals of uniform liquid and of all air, where both are known."""
    liquid, air = _baseline(result, "uniform liquid"), _baseline(result, "all air")
    return (liquid.totals, air.totals) if liquid and air and liquid.totals and air.totals else None


def density(result: PlanResult) -> Finding:
    """Air against the rack positions there are."""
    advice, source = "Air alone carries racks up to about 20 kW", "vendor guides, 15 to 40 kW with containment"
    air = next(b for b in result.plan.baselines if b.name.startswith("all air"))
    densest = max((rack.power_w for site in result.plan.sites for rack in site.rack_types), default=0.0)
    seen = f"densest rack {densest / 1e3:.0f} kW"
    if air.feasible:
        return Finding(advice, source, f"{seen}; an all-air plan fits", CONFIRMS if densest <= AIR_RACK_W else PARTLY)
    return Finding(advice, source, f"{seen}; all air {air.note.split(';')[0]}", CONFIRMS)


def energy(result: PlanResult) -> Finding:
    """Facility energy of uniform liquid against all air."""
    advice = "Liquid takes 15 to 20 % less energy than air"
    pair = _pair(result)
    if pair is None:
        return Finding(advice, NATURE, "no pair to compare", UNTESTED)
    share = 1.0 - pair[0].facility_energy_mwh_per_year / pair[1].facility_energy_mwh_per_year
    verdict = CONTRADICTS if share <= 0.0 else CONFIRMS if 0.15 <= share <= 0.20 else PARTLY
    return Finding(
        advice,
        NATURE,
        f"{abs(share):.1%} {'less' if share >= 0.0 else 'more'} at the meter, each with its own best devices",
        verdict,
    )


def cost(result: PlanResult) -> Finding:
    """Cost of ownership of uniform liquid against all air."""
    advice, source = "Liquid costs more to buy and pays back in running", "common vendor claim"
    pair = _pair(result)
    if pair is None:
        return Finding(advice, source, "no pair to compare", UNTESTED)
    buy, own = (getattr(pair[0], key) - getattr(pair[1], key) for key in ("capex_usd", "tco_usd"))
    seen = f"purchase {buy / pair[1].capex_usd:+.1%}, cost of ownership {own / pair[1].tco_usd:+.1%} against all air"
    verdict = CONFIRMS if buy > 0.0 and own < 0.0 else PARTLY if own < 0.0 else CONTRADICTS
    return Finding(advice, source, seen, verdict)


def plant_price(result: PlanResult) -> Finding:
    """The cooling plant's share of the present cost."""
    share = present_values(result.plan).get(COOLING, 0.0) / result.totals.tco_usd
    advice, source = "The cooling plant's price is small beside the servers'", "itemised public cost sets: 2 to 4 %"
    return Finding(advice, source, f"{share:.1%} of the cost of ownership", CONFIRMS if share < 0.05 else CONTRADICTS)


def pue(result: PlanResult) -> Finding:
    """Whether the lowest PUE is the least energy and the least cost, among plans on one's own floor."""
    advice, source = "Do not choose by PUE", "ASME InterPACK 2022, V001T01A014: PUE −3 %, total power −10 %"
    named = [("the recommendation", result.totals)]
    named += [(b.name, b.totals) for b in result.plan.baselines if b.totals]
    named += [(a.name, a.totals) for a in result.plan.alternatives]
    own = [(name, t) for name, t in named if t.tue is not None and t.pue is not None]
    if len(own) < 2:
        return Finding(advice, source, "no plans to compare", UNTESTED)
    low = min(own, key=lambda each: each[1].pue or 9.0)
    least = min(own, key=lambda each: each[1].facility_energy_mwh_per_year)
    cheapest = min(own, key=lambda each: each[1].tco_usd)
    seen = f"lowest PUE {low[1].pue:.3f}: {low[0]}; least energy: {least[0]}; least cost: {cheapest[0]}"
    same = low[1].facility_energy_mwh_per_year <= least[1].facility_energy_mwh_per_year * 1.0001
    cheap = low[1].tco_usd <= cheapest[1].tco_usd * 1.0001
    return Finding(advice, source, seen, CONFIRMS if not same else CONTRADICTS if cheap else PARTLY)


def warm_water(result: PlanResult) -> Finding:
    """The warm loop's supply, and how long the chiller stands."""
    advice, source = "Warm water, 32 °C and more, needs no chiller", "design air + 7 K cooler + 4 K distribution unit"
    halls = [site for site in result.plan.sites if site.cooling and "warm_supply_c" in site.cooling.setpoints]
    if not halls or not result.years:
        return Finding(advice, source, "no warm loop was chosen", UNTESTED)
    site, hours = halls[0], result.years[0].free_cooling
    supply_c = site.cooling.setpoints["warm_supply_c"] if site.cooling else 0.0
    chillers = sum(y.energy.chillers_j for y in result.years) / sum(y.energy.facility_j for y in result.years)
    seen = (
        f"supply {supply_c:.0f} °C; over all loops no chiller in {hours.full} h, chillers take "
        f"{chillers:.1%} of facility energy: the heat left in air still asks for them"
    )
    return Finding(advice, source, seen, CONFIRMS if chillers < 0.001 else PARTLY)


def doors(result: PlanResult) -> Finding:
    """What a retrofit buys."""
    carriers = {path for site in result.plan.sites for rack in site.rack_types for path in rack.carriers.values()}
    advice, source = (
        "Rear doors are the best bridge for an air-cooled hall",
        "retrofit ladders of practice, 20 to 50 kW",
    )
    seen = f"heat is taken by {', '.join(sorted(path.replace('_', ' ') for path in carriers))}"
    return Finding(advice, source, seen, CONFIRMS if "rear_door" in carriers else CONTRADICTS)


def scarce_water(result: PlanResult) -> Finding:
    """How much water a plan takes where it is scarce."""
    t = result.totals
    rejection = "; ".join(site.cooling.heat_rejection for site in result.plan.sites if site.cooling)
    liquid = _baseline(result, "uniform liquid")
    other = f"; uniform liquid would take {liquid.totals.water_m3_per_year:,.0f} m³" if liquid and liquid.totals else ""
    seen = f"{rejection}: {t.water_m3_per_year:,.0f} m³ a year{other}"
    verdict = CONFIRMS if (t.wue_site_l_per_kwh or 0.0) < 0.3 else CONTRADICTS
    return Finding("Where water is scarce, cool dry or wet only at the peak", "NREL ESIF: half the water at equal PUE",
                   seen, verdict)  # fmt: skip


def no_winter(result: PlanResult) -> Finding:
    """Free cooling in a climate without a winter."""
    hours = result.years[0].free_cooling
    seen = f"chillers off in {hours.full} h, in part {hours.partial} h, alone {hours.none} h"
    verdict = CONFIRMS if hours.full < 876 else CONTRADICTS
    return Finding("The tropics have no free cooling", "rule of thumb for chilled water", seen, verdict)


def sold_heat(result: PlanResult) -> Finding:
    """Whether heat is sold."""
    advice, source = (
        "A heat network is a reason to run hot",
        "direct heat from 45 °C, networks of 60 to 90 °C by heat pump",
    )
    supply = ", ".join(f"{s.cooling.supply_c:.0f} °C" for s in result.plan.sites if s.cooling)
    erf = result.totals.erf
    if not erf:
        return Finding(
            advice, source, f"supply {supply}; the plan sells no heat, so nothing rewards hotter water", UNTESTED
        )
    return Finding(advice, source, f"supply {supply}; {erf:.0%} of the energy is reused", CONFIRMS)


def own_or_rent(result: PlanResult) -> Finding:
    """Where bursts and where steady work went."""
    kinds = {site.name: site.kind for site in result.plan.sites}
    bursts = [s for s in result.plan.stages if s.duration_s is not None and s.mfu is not None]
    steady = [s for s in result.plan.stages if s.latency_p99_s is not None]
    rented = [s.name for s in bursts if kinds[s.site] == "cloud"]
    owned = [s.name for s in steady if kinds[s.site] != "cloud"]
    seen = f"rented: {', '.join(rented) or 'no training'}; owned: {', '.join(owned) or 'no serving'}"
    whole = len(rented) == len(bursts) and len(owned) == len(steady)
    verdict = CONFIRMS if whole else PARTLY if rented or owned else CONTRADICTS
    return Finding("Rent for bursts, own for steady work", "common cloud advice", seen, verdict)


def near_the_camera(result: PlanResult) -> Finding:
    """Where real-time inference went."""
    kinds = {site.name: site.kind for site in result.plan.sites}
    serving = [s for s in result.plan.stages if s.latency_p99_s is not None]
    where = ", ".join(f"{s.name} at {s.site}" for s in serving)
    if not all(kinds[s.site] == "edge" for s in serving):
        seen = f"{where}; the lines that carry pictures there are not counted in latency"
        return Finding("Real-time inference belongs beside the camera", "common edge advice", seen, PARTLY)
    cloud = _baseline(result, "all cloud")
    saved = f", {money(cloud.totals.tco_usd - result.totals.tco_usd)} below all cloud" if cloud and cloud.totals else ""
    seen, verdict = f"{where}{saved}".replace("\u202f", " "), CONFIRMS
    return Finding("Real-time inference belongs beside the camera", "common edge advice", seen, verdict)


def compression(result: PlanResult, full: PlanResult) -> Finding:
    """Devices of the serving stages with and without the allowed loss of accuracy."""

    def serving(r: PlanResult) -> list[PlannedStage]:
        return [s for s in r.plan.stages if s.latency_p99_s is not None]

    def said(r: PlanResult) -> str:
        return ", ".join(f"{s.device_count} × {s.device}" for s in serving(r))

    fewer = sum(s.device_count for s in serving(result)) < sum(s.device_count for s in serving(full))
    levers = ", ".join(sorted({s.compression for s in serving(result)}))
    saved = (full.totals.tco_usd - result.totals.tco_usd) / full.totals.tco_usd
    seen = f"{said(result)} with {levers}, {said(full)} without: {saved:.1%} of the cost"
    return Finding("Quantise and prune before buying devices", "compression priors of the catalogue", seen,
                   CONFIRMS if fewer and saved > 0.0 else CONTRADICTS)  # fmt: skip
