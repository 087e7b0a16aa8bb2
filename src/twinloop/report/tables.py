"""The report's tables."""

from __future__ import annotations

from collections.abc import Callable

from twinloop.model.plan import Constraint, Equipment, FailureCase, Plan, PlannedSite, PlannedStage, Totals
from twinloop.report import numbers
from twinloop.report.figures.doubt import stays_best
from twinloop.report.figures.money import place, purpose
from twinloop.report.figures.one_line import backup_name
from twinloop.report.figures.rack import FULL_WORK, contents, height
from twinloop.report.parts import Table, columns

OUTDOORS = ("CH", "CT", "FC", "DC", "WT", "TS")
"""Tags of the schedule's machines that are sized for a state outdoors."""


def totals(plan: Plan) -> Table:
    """The recommendation beside its baselines."""
    rows = [("Recommended", *_figures(plan.totals), "")]
    flags = ["strong"]
    for b in plan.baselines:
        cells = _figures(b.totals) if b.totals else ("—",) * 8
        name = b.name if b.feasible else f"{b.name} (not possible)"
        rows.append((name, *cells, numbers.percent(b.saving, signed=True)))
        flags.append("bad" if b.saving is not None and b.saving < 0 and b.feasible else "")
    head = columns(
        "Plan",
        "#TCO",
        "#Capex",
        "#Opex a year",
        "#Energy a year",
        "#PUE",
        "#TUE",
        "#Water a year",
        "#CO2e a year",
        "#Saving",
    )
    return Table("The plan and its baselines", head, tuple(rows), tuple(flags))


def ratios(plan: Plan) -> Table:
    """The standard's ratios, carbon by scope and the peak, of the same plans."""
    known = [("Recommended", plan.totals), *((b.name, b.totals) for b in plan.baselines if b.totals is not None)]
    rows = tuple(
        (
            name,
            numbers.quantity(t.wue_site_l_per_kwh, "L/kWh"),
            numbers.quantity(t.wue_source_l_per_kwh, "L/kWh"),
            numbers.quantity(t.cue_kg_per_kwh, "kg/kWh"),
            numbers.fixed(t.erf, "", 3),
            numbers.energy(t.it_energy_mwh_per_year),
            *(numbers.quantity(t.carbon_t_per_year.get(scope), "t") for scope in ("scope1", "scope2", "scope3")),
            numbers.power(t.peak_power_w),
        )
        for name, t in known
    )
    head = columns("Plan", "#WUE, site", "#WUE, with source", "#CUE", "#ERF", "#IT energy a year", "#Scope 1 a year",
                   "#Scope 2 a year", "#Scope 3 a year", "#Peak at the meter")  # fmt: skip
    flags = ("strong", *[""] * (len(rows) - 1))
    return Table("Per kWh at the IT meter, carbon by scope, and the peak", head, rows, flags)


def _figures(t: Totals) -> tuple[str, ...]:
    return (
        numbers.money(t.tco_usd),
        numbers.money(t.capex_usd),
        numbers.money(t.opex_usd_per_year),
        numbers.energy(t.facility_energy_mwh_per_year),
        numbers.number(t.pue, 4),
        numbers.number(t.tue, 4),
        numbers.quantity(t.water_m3_per_year, "m³"),
        numbers.quantity(sum(t.carbon_t_per_year.values()), "t"),
    )


def stages(plan: Plan) -> Table:
    """What runs where."""
    rows = tuple(
        (
            s.name,
            s.site,
            f"{s.device_count} × {s.device}",
            f"{s.servers} × {s.server}",
            s.precision,
            layout(s),
            numbers.duration(s.duration_s)
            if s.duration_s is not None
            else numbers.duration(s.latency_p99_s) + " p99"
            if s.latency_p99_s is not None
            else "continuous",
            numbers.power(s.power_w),
            numbers.percent(s.mfu, 0) if s.mfu is not None else "",
            numbers.memory(s.memory_per_device_gb),
        )
        for s in plan.stages
    )
    head = columns("Stage", "Site", "Devices", "Servers", "Precision", "Layout", "#Takes", "#IT power", "#MFU",
                   "#Memory a device")  # fmt: skip
    return Table("Stages", head, rows)


def layout(stage: PlannedStage) -> str:
    """Return the parallelism in words."""
    p = stage.parallelism
    parts = [f"{p.data} × data"]
    parts += [f"{p.tensor} × tensor"] if p.tensor > 1 else []
    parts += [f"{p.pipeline} × pipeline"] if p.pipeline > 1 else []
    parts += [f"{p.expert} × expert"] if p.expert > 1 else []
    parts += [f"{p.context} × context"] if p.context > 1 else []
    parts += [f"ZeRO-{p.zero}"] if p.zero else []
    parts += [f"batch {p.batch}"] if stage.mfu is not None else []
    compressed = [numbers.words(stage.compression)] if stage.compression not in ("none", "") else []
    return ", ".join([*parts, *compressed])


def racks(site: PlannedSite) -> Table:
    """Racks alike."""
    rows = tuple(
        (
            r.name,
            str(r.count),
            " + ".join(contents(r)),
            numbers.power(r.power_w),
            numbers.quantity(r.weight_kg, "kg"),
            height(r),
        )
        for r in site.rack_types
    )
    head = columns("Rack", "#Count", "Servers in each", "#Power of each", "#Weight", "#Height")
    return Table(f"Racks; power {FULL_WORK}, not by nameplates", head, rows)


def equipment(site: PlannedSite) -> Table:
    """The equipment schedule."""
    rows = tuple(
        (
            e.tag,
            numbers.words(e.type),
            f"{e.count} + {e.spare}",
            numbers.power(e.rated_w),
            *_hydraulics(e),
            numbers.power(e.power_w) if e.power_w else "",
            e.design_condition,
            numbers.percent(e.margin, 0),
            numbers.money(e.capex_usd),
        )
        for e in site.equipment
    )
    priced = [e.capex_usd for e in site.equipment if e.capex_usd is not None]
    apart = ", ".join(e.tag for e in site.equipment if e.capex_usd is None)
    caption = "Equipment schedule" + (f"; {apart} have no price of their own, it is part of another" if apart else "")
    total = ("priced", *[""] * 10, numbers.money(sum(priced)))
    head = columns(
        "Tag",
        "Type",
        "#Running + spare",
        "#Rated, each",
        "#Flow of all",
        "#Δp",
        "#In",
        "#Out",
        "#Power of all",
        "~Design condition",
        "#Margin",
        "#Price of all",
    )
    return Table(caption, head, (*rows, total) if rows else (), (*[""] * len(rows), "strong"))


def _hydraulics(e: Equipment) -> tuple[str, ...]:
    """Return flow, pressure drop and temperatures; empty where nothing flows, as in a transformer."""
    values = (e.flow_m3_h, e.dp_kpa, e.t_in_c, e.t_out_c)
    if all(value is None for value in values):
        return ("",) * len(values)
    return (
        numbers.quantity(e.flow_m3_h, "m³/h"), numbers.quantity(e.dp_kpa, "kPa"), numbers.fixed(e.t_in_c, "°C"),
        numbers.fixed(e.t_out_c, "°C"),
    )  # fmt: skip


def basis(site: PlannedSite) -> Table:
    """The basis of design."""
    rows: list[tuple[str, str]] = []
    if site.cooling is not None:
        c = site.cooling
        rows += [
            ("Cooling", c.name),
            ("Rack", c.rack),
            ("Heat rejection", c.heat_rejection),
            ("Redundancy", c.redundancy),
        ]
        rows += [
            (numbers.words(name.removesuffix("_c")), numbers.fixed(value, "°C")) for name, value in c.setpoints.items()
        ]
        rows += [
            (f"Carrier: {numbers.words(part)}", _carriers(site, part, path)) for part, path in c.components.items()
        ]
    if site.design_day is not None:
        d = site.design_day
        rows += [
            ("Design hour that leaves the chips least margin, dry bulb", numbers.fixed(d.dry_bulb_c, "°C")),
            ("Design hour that leaves the chips least margin, wet bulb", numbers.fixed(d.wet_bulb_c, "°C")),
            ("Design conditions the machines are sized for: hottest; most humid hour", d.basis),
            ("PUE at that hour", numbers.number(d.pue, 4)),
            ("Worst junction", numbers.fixed(d.peak_junction_c, "°C")),
            ("Margin to throttling", numbers.fixed(d.margin_k, "K")),
        ]
    rows += [
        (f"{numbers.words(e.type)} ({e.tag}) sized for", e.design_condition)
        for e in site.equipment
        if e.tag in OUTDOORS
    ]
    if site.electrical is not None:
        e = site.electrical
        rows += [
            ("Transformer", numbers.power(e.transformer_w)),
            (backup_name(site), numbers.power(e.ups_w)),
            ("Generator", numbers.power(e.generator_w)),
        ]
    return Table("Basis of design", columns("Item", "~Value"), tuple(rows))


def _carriers(site: PlannedSite, part: str, planned: str) -> str:
    """Return what takes a component's heat in the racks that hold it: a server sold without plates stays on air."""
    holding = [rack for rack in site.rack_types if rack.component_w.get(part, 0.0) > 0.0]
    found = dict.fromkeys(rack.carriers.get(part, planned) for rack in holding) or (planned,)
    return " or ".join(numbers.words(path) for path in found)


def failures(site: PlannedSite) -> Table:
    """One unit of each line of the schedule lost on the design day."""
    cases = {f.case.partition("(")[2].partition(")")[0]: f for f in site.failure_cases}
    rows = tuple((e.tag, numbers.words(e.type), *_lost(cases.get(e.tag), e)) for e in site.equipment)
    head = columns("Tag", "One lost", "~Then", "#Margin to throttling", "#Until throttling")
    return Table("One unit lost on the design day", head, rows if cases else ())


def _lost(case: FailureCase | None, line: Equipment) -> tuple[str, str, str]:
    if case is None:
        return "a spare stands by" if line.spare else "not simulated", numbers.UNKNOWN, "not simulated"
    after = case.case.partition(": ")[2]
    if case.time_to_throttle_s is not None:
        return after, numbers.fixed(case.min_margin_k, "K"), numbers.duration(case.time_to_throttle_s)
    within = case.min_margin_k is not None and case.min_margin_k > 0.0
    return after, numbers.fixed(case.min_margin_k, "K"), "does not throttle" if within else "not simulated"


COOLERS = {"air": "air handlers only"}
"""Kind of cooling -> the machines that are meant, where the kind's own word could be taken for outdoor air."""


def alternatives(plan: Plan) -> Table:
    """The best plan of every other kind of cooling."""
    rows = tuple((COOLERS.get(a.name, a.name), *_figures(a.totals), a.change) for a in plan.alternatives)
    head = columns(
        "Cooling",
        "#TCO",
        "#Capex",
        "#Opex a year",
        "#Energy a year",
        "#PUE",
        "#TUE",
        "#Water a year",
        "#CO2e a year",
        "~Difference",
    )
    return Table("Other kinds of cooling, each at its best", head, rows)


def uncertainty(plan: Plan) -> Table:
    """Spread of the totals."""
    if plan.uncertainty is None:
        return Table("Uncertainty was not computed", columns("Item", "~Value"), ())
    u = plan.uncertainty
    rows = tuple(
        (name, show(spread.p10), show(spread.p50), show(spread.p90))
        for key, (name, show) in SPREADS.items()
        if (spread := u.totals.get(key)) is not None and spread.p90 > 0.0
    )
    caption = f"Range of the totals over {numbers.count(float(u.samples))} samples: {stays_best(u)}"
    return Table(caption, columns("Total", "#P10", "#P50", "#P90"), rows)


def _four(value: float | None) -> str:
    return numbers.number(value, 4)


SPREADS: dict[str, tuple[str, Callable[[float], str]]] = {
    "tco_usd": ("cost of ownership", numbers.money),
    "capex_usd": ("purchase", numbers.money),
    "it_energy_mwh_per_year": ("IT energy a year", numbers.energy),
    "facility_energy_mwh_per_year": ("facility energy a year", numbers.energy),
    "pue": ("PUE", _four),
    "water_m3_per_year": ("site water a year", lambda value: numbers.quantity(value, "m³")),
    "wue_site_l_per_kwh": ("site WUE", lambda value: numbers.quantity(value, "L/kWh")),
    "carbon_t_per_year": ("CO2e a year", lambda value: numbers.quantity(value, "t")),
    "cue_kg_per_kwh": ("CUE", lambda value: numbers.quantity(value, "kg/kWh")),
}
"""Total -> its name and how it is written."""


LARGER = {"1000 requests": "million requests", "million tokens": "billion tokens"}
"""Unit of work -> one a thousand times as large, for what costs less than a cent."""
CENT = 0.01


def unit_costs(plan: Plan) -> Table:
    """Cost per unit of work."""
    rows = []
    for name, value in plan.totals.unit_costs.items():
        unit, _, stage = name.removeprefix("usd_per_").partition(".")
        words = numbers.words(unit)
        if value < CENT and words in LARGER:
            words, value = LARGER[words], value * 1e3
        rows.append((stage, f"per {words}", numbers.money(value)))
    return Table("Cost of the work", columns("Stage", "Unit", "#Cost"), tuple(rows))


def cashflow(plan: Plan) -> Table:
    """Money by year and purpose, summed both ways; a purpose that costs nothing in any year is left out."""
    machines = [e.type for site in plan.sites for e in site.equipment]
    spent = dict.fromkeys(name for year in plan.cashflow for name, usd in year.amounts_usd.items() if usd)
    rows = []
    for name in sorted(spent, key=lambda each: place(each, machines)):
        by_year = [year.amounts_usd.get(name) for year in plan.cashflow]
        cells = ("" if usd is None else _bare(usd) for usd in by_year)
        rows.append((purpose(name), *cells, _bare(sum(usd or 0.0 for usd in by_year))))
    sums = [sum(year.amounts_usd.values()) for year in plan.cashflow]
    present = [year.discounted_usd for year in plan.cashflow]
    rows += [
        (words, *map(_bare, values), _bare(sum(values)))
        for words, values in (("sum", sums), ("present value", present)) if values
    ]  # fmt: skip
    head = columns("Purpose", *(f"#Year {year.year}" for year in plan.cashflow), "#Sum")
    return Table("Cash flow, USD", head, tuple(rows), (*[""] * (len(rows) - 2), "strong", "strong"))


def _bare(usd: float) -> str:
    """Return money without its currency, for a table whose caption names it: years in a row need the room."""
    shown = numbers.money(usd)
    return numbers.Shown(shown.replace(f"USD{numbers.THIN}", ""), usd, "USD")


UNITS = {"W": (1e3, "1 kW"), "racks": (1.0, "1 rack position"), "kg": (1e3, "1 t"), "kg/year": (1e3, "1 t a year"),
         "m3/year": (1.0, "1 m³ a year"), "USD": (1.0, "USD 1")}  # fmt: skip
"""Unit of a limit -> the amount whose worth is told, in it and in words."""


def worth(c: Constraint, objective: str) -> tuple[str, str] | None:
    """Return (what the objective falls, for how much more of the limit); ``None`` where it is nothing or unknown."""
    if not c.shadow_price:
        return None
    size, words = UNITS.get(c.unit, (1.0, f"1 {c.unit}"))
    value = c.shadow_price * size
    return numbers.money(value) if objective == "cost" else f"{numbers.number(value)} of {objective}", words


def _left(c: Constraint) -> str:
    if c.unit == "W":
        return numbers.power(c.slack)
    if c.unit == "racks":
        return numbers.counted(c.slack, "rack")
    return numbers.quantity(c.slack, c.unit.replace("m3/year", "m³ a year"))


def constraints(plan: Plan) -> Table:
    """Limits and what is left of them."""
    rows = tuple(
        (
            f"{c.name} ({c.note})" if c.note else c.name,
            _left(c),
            numbers.UNKNOWN if c.shadow_price is None else " for ".join(worth(c, plan.objective.name) or ("nothing",)),
        )
        for c in plan.constraints
    )
    head = columns("Limit", "#Left", "#Worth of more, if work could be placed in part")
    caption = "Limits and their slack"
    if any(c.slack > 0.0 and c.shadow_price for c in plan.constraints):
        caption += (
            "; a limit with some left is worth more where work in part would use it up: whole servers and racks cannot"
        )
    return Table(caption, head, rows)


def provenance(plan: Plan) -> Table:
    """Where every value comes from; low confidence is flagged."""
    rows = tuple((p.path, p.value, p.confidence, p.source) for p in plan.provenance)
    flags = tuple("low" if p.confidence == "low" else "" for p in plan.provenance)
    return Table("Where the numbers come from", columns("Value of", "~Value", "Confidence", "~Source"), rows, flags)
