"""What the report shows as CSV: the equipment schedule and the numbers of a figure."""

from __future__ import annotations

import csv
import io

from twinloop.model.plan import Plan
from twinloop.report import numbers
from twinloop.report.parts import Table


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
    """Return ``table`` as CSV that computes: numbers bare, in one unit without prefix, which the head names.

    A column that mixes units gets one of its own for them; what is unknown is empty, other text as the page shows it.
    """
    parts = [_plain(column.name, [row[i] for row in table.rows]) for i, column in enumerate(table.columns)]
    columns_ = [column for part in parts for column in part]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(zip(*columns_, strict=True))
    return out.getvalue()


def _plain(name: str, cells: list[str]) -> list[list[str]]:
    """Return the columns, head first, that hold what ``cells`` say; a number in full, whatever the page shows."""
    shown = [cell for cell in cells if cell not in ("", numbers.UNKNOWN)]
    known = [cell for cell in shown if isinstance(cell, numbers.Shown)]
    if not shown or len(known) < len(shown):
        return [[name, *("" if cell == numbers.UNKNOWN else cell.replace(numbers.THIN, " ") for cell in cells)]]
    bare = [f"{cell.value:.12g}" if isinstance(cell, numbers.Shown) else "" for cell in cells]
    units = [cell.unit if isinstance(cell, numbers.Shown) else "" for cell in cells]
    if len({cell.unit for cell in known}) > 1:
        return [[name, *bare], [f"{name}: unit", *units]]
    return [[f"{name} ({known[0].unit})" if known[0].unit else name, *bare]]
