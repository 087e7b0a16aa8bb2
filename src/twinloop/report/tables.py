"""The report's tables, and the equipment schedule as CSV."""

from __future__ import annotations

import csv
import io

from twinloop.model.plan import Plan, PlannedSite, PlannedStage, Totals
from twinloop.report import numbers
from twinloop.report.parts import Table, columns


def equipment_csv(plan: Plan) -> str:
    """Return the equipment schedule of all sites as CSV, one unit type a line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            "site",
            "tag",
            "type",
            "running",
            "spare",
            "rated_w",
            "flow_m3_h",
            "dp_kpa",
            "t_in_c",
            "t_out_c",
            "power_w",
            "design_condition",
            "margin",
            "capex_usd",
        ]
    )
    for site in plan.sites:
        for e in site.equipment:
            cells = (
                site.name, e.tag, e.type, e.count, e.spare, e.rated_w, e.flow_m3_h, e.dp_kpa, e.t_in_c, e.t_out_c,
                e.power_w, e.design_condition, e.margin, e.capex_usd,
            )  # fmt: skip
            writer.writerow(["" if c is None else round(c, 3) if isinstance(c, float) else c for c in cells])
    return out.getvalue()


def as_csv(table: Table) -> str:
    """Return ``table`` as CSV, its cells as the page shows them but with plain spaces."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows([[cell.replace(numbers.THIN, " ") for cell in row] for row in table.rows])
    return out.getvalue()


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
    parts += [f"batch {p.batch}"] if stage.mfu is not None else []
    compressed = [numbers.words(stage.compression)] if stage.compression not in ("none", "") else []
    return ", ".join([*parts, *compressed])


def racks(site: PlannedSite) -> Table:
    """Racks alike."""
    rows = tuple(
        (
            r.name,
            str(r.count),
            " + ".join(f"{each.servers} × {each.server}" for each in r.contents)
            or f"{r.servers_per_rack} × {r.server}",
            numbers.power(r.power_w),
            numbers.quantity(r.weight_kg, "kg"),
            numbers.number(r.height_u) + " U",
        )
        for r in site.rack_types
    )
    return Table("Racks", columns("Rack", "#Count", "Servers in each", "#Power", "#Weight", "#Height"), rows)


def equipment(site: PlannedSite) -> Table:
    """The equipment schedule."""
    rows = tuple(
        (
            e.tag,
            e.type.replace("_", " "),
            f"{e.count} + {e.spare}",
            numbers.power(e.rated_w),
            numbers.quantity(e.flow_m3_h, "m³/h"),
            numbers.quantity(e.dp_kpa, "kPa"),
            numbers.fixed(e.t_in_c, "°C"),
            numbers.fixed(e.t_out_c, "°C"),
            numbers.power(e.power_w),
            e.design_condition,
            numbers.percent(e.margin, 0),
            numbers.money(e.capex_usd),
        )
        for e in site.equipment
    )
    head = columns(
        "Tag",
        "Type",
        "#Running + spare",
        "#Rated",
        "#Flow",
        "#Δp",
        "#In",
        "#Out",
        "#Power",
        "~Design condition",
        "#Margin",
        "#Price",
    )
    return Table("Equipment schedule", head, rows)


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
        rows += [(f"Carrier: {numbers.words(part)}", numbers.words(path)) for part, path in c.components.items()]
    if site.design_day is not None:
        d = site.design_day
        rows += [
            ("Sizing dry bulb", numbers.fixed(d.dry_bulb_c, "°C")),
            ("Sizing wet bulb", numbers.fixed(d.wet_bulb_c, "°C")),
            ("Basis", d.basis),
            ("PUE at that hour", numbers.number(d.pue, 4)),
            ("Worst junction", numbers.fixed(d.peak_junction_c, "°C")),
            ("Margin to throttling", numbers.fixed(d.margin_k, "K")),
        ]
    if site.electrical is not None:
        e = site.electrical
        rows += [
            ("Transformer", numbers.power(e.transformer_w)),
            ("UPS", numbers.power(e.ups_w)),
            ("Generator", numbers.power(e.generator_w)),
        ]
    return Table("Basis of design", columns("Item", "~Value"), tuple(rows))


def failures(site: PlannedSite) -> Table:
    """One unit of each kind lost on the design day."""
    rows = tuple(
        (
            f.case,
            numbers.fixed(f.min_margin_k, "K"),
            numbers.duration(f.time_to_throttle_s) if f.time_to_throttle_s is not None else "does not throttle",
        )
        for f in site.failure_cases
    )
    return Table("One unit lost on the design day", columns("~Case", "#Margin", "#Time to throttling"), rows)


def alternatives(plan: Plan) -> Table:
    """The best plan of every other kind of cooling."""
    rows = tuple((a.name, *_figures(a.totals), a.change) for a in plan.alternatives)
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
    spread = u.totals["tco_usd"]
    rows = (
        ("Samples", numbers.count(float(u.samples))),
        ("TCO, P10 / P50 / P90", " / ".join(numbers.money(v) for v in (spread.p10, spread.p50, spread.p90))),
        ("Probability that the recommendation stays best", numbers.percent(u.probability_best)),
        ("Mean regret", numbers.money(u.regret_usd)),
    )
    return Table("Uncertainty over the shortlist", columns("Item", "~Value"), rows)


def unit_costs(plan: Plan) -> Table:
    """Cost per unit of work."""
    rows = tuple(
        (
            name.split(".")[1],
            name.split(".")[0].replace("usd_per_", "USD per ").replace("_", " "),
            numbers.number(value),
        )
        for name, value in plan.totals.unit_costs.items()
    )
    return Table("Cost of the work", columns("Stage", "Unit", "#USD"), rows)


def cashflow(plan: Plan) -> Table:
    """Money by year and purpose."""
    names = list(dict.fromkeys(name for year in plan.cashflow for name in year.amounts_usd))
    rows = tuple(
        (
            numbers.words(name),
            *(numbers.money(year.amounts_usd[name]) if name in year.amounts_usd else "" for year in plan.cashflow),
        )
        for name in names
    )
    discounted = ("present value", *(numbers.money(year.discounted_usd) for year in plan.cashflow))
    head = columns("Purpose", *(f"#Year {year.year}" for year in plan.cashflow))
    return Table("Cash flow", head, (*rows, discounted), (*[""] * len(rows), "strong"))


def constraints(plan: Plan) -> Table:
    """Limits and what is left of them."""
    rows = tuple(
        (
            c.name,
            numbers.power(c.slack)
            if c.unit == "W"
            else numbers.quantity(c.slack, c.unit.replace("m3/year", "m³ a year")),
            numbers.money(c.shadow_price) if c.shadow_price is not None else "",
        )
        for c in plan.constraints
    )
    return Table("Limits and their slack", columns("Limit", "#Left", "#Worth of one unit more"), rows)


def provenance(plan: Plan) -> Table:
    """Where every value comes from; low confidence is flagged."""
    rows = tuple((p.path, p.value, p.confidence, p.source) for p in plan.provenance)
    flags = tuple("low" if p.confidence == "low" else "" for p in plan.provenance)
    return Table("Where the numbers come from", columns("Value of", "~Value", "Confidence", "~Source"), rows, flags)
