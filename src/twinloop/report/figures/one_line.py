"""The electrical one-line: from the utility to racks and machines, with ratings."""

from __future__ import annotations

from twinloop.model.plan import PlannedSite
from twinloop.report.figures import svg
from twinloop.report.figures.rack import FULL_WORK
from twinloop.report.numbers import power, words
from twinloop.report.parts import Absent, Figure, Table, columns

SIZE = (960.0, 300.0)
MOST_MACHINES = 6
BACKUPS = {"ups": "UPS", "rectifier": "Rectifiers", "rectifier_shelf": "Rack rectifiers"}
"""What holds the racks while the utility is away, by its line in the schedule."""
IN_RACKS = ("fabric_switch", "front_end_switch", "shared_storage")
"""Lines of the schedule that are IT: what they take is the racks'."""
CHAIN = ("transformer", *BACKUPS, "rack_converter", "generator", "cold_plate", "rear_door_passive", *IN_RACKS)
"""Lines of the schedule that draw nothing from the mechanical board, or stand in the chain themselves."""
PUMPS = "pipework"
"""Line of the schedule that holds the loops' pumps with their pipes; those of distribution units are in the units."""


def backup_name(site: PlannedSite) -> str:
    """Return what holds ``site``'s racks, as a reader calls it."""
    return next((BACKUPS[line.type] for line in site.equipment if line.type in BACKUPS), BACKUPS["ups"])


def draw(ident: str, site: PlannedSite) -> Figure | Absent:
    """Return the one-line of ``site``'s hall."""
    title, e = "Electrical one-line", site.electrical
    if e is None:
        return Absent(ident, title, f"{site.name} is supplied by its provider.")
    fed = _fed(site)
    racks_w = sum(rack.count * rack.power_w for rack in site.rack_types)
    held_by = backup_name(site)
    holds = "a UPS of {} holds" if held_by == "UPS" else f"{held_by.lower()} of {{}}, with batteries, hold"
    desc = (
        f"{site.name}: a transformer of {power(e.transformer_w)} feeds the main board; generators of "
        f"{power(e.generator_w)} take over; {holds.format(power(e.ups_w))} "
        f"racks that draw {power(racks_w)} {FULL_WORK}; "
        f"the mechanical board carries {power(sum(w for _, w in fed))} at design. The year's peak at the meter is "
        f"{power(site.totals.peak_power_w)}."
    )
    shown = fed[:MOST_MACHINES]
    if len(fed) > MOST_MACHINES:
        shown = [*fed[: MOST_MACHINES - 1], ("others", sum(w for _, w in fed[MOST_MACHINES - 1 :]))]
    ratings = (site.totals.peak_power_w, e.transformer_w, e.generator_w, e.ups_w, racks_w)
    rows = [("transformer", power(e.transformer_w)), ("generators", power(e.generator_w)), (held_by, power(e.ups_w)),
            (f"racks {FULL_WORK}", power(racks_w)), *((f"mechanical: {name}", power(w)) for name, w in fed),
            ("yearly peak at the meter", power(site.totals.peak_power_w))]  # fmt: skip
    table = Table("Electrical ratings and loads", columns("Item", "#Power"), tuple(rows))
    note = "Ratings only; voltage, breakers and cables belong to the electrical design."
    picture = svg.drawing(ident, title, desc, SIZE, _chain(*ratings, held_by) + _machines(shown))
    body, height = _phone(ratings, held_by, shown)
    phone = svg.drawing(f"{ident}-phone", title, desc, (svg.PHONE, height), body)
    return Figure(ident, title, desc, (("", picture),), table, note, phone=(("", phone),))


def _fed(site: PlannedSite) -> list[tuple[str, float]]:
    """Return name and power of what hangs on the mechanical board, the largest first; of two alike with their tags."""
    lines = [line for line in site.equipment if line.power_w > 0.0 and line.type not in CHAIN]
    types = [line.type for line in lines]
    names = ("pumps" if line.type == PUMPS else words(line.type) for line in lines)
    told = (f"{name} {line.tag}" if types.count(line.type) > 1 else name
            for name, line in zip(names, lines, strict=True))  # fmt: skip
    return sorted(zip(told, (line.power_w for line in lines), strict=True), key=lambda machine: -machine[1])


def _phone(
    ratings: tuple[float, float, float, float, float], held_by: str, fed: list[tuple[str, float]]
) -> tuple[str, float]:
    """Return the same from top to bottom for a narrow screen, and its height."""
    peak_w, transformer_w, generator_w, ups_w, racks_w = ratings
    wires = [((80, 54), (80, 74)), ((80, 124), (80, 150)), ((80, 158), (80, 186)), ((80, 236), (80, 256))]
    body = "".join(svg.line(a, b, "wire") for a, b in wires)
    body += svg.polyline(((280, 124), (280, 150)), "wire dashed") + svg.line((280, 158), (280, 320), "wire")
    body += svg.line((10, 154), (350, 154), "bar") + svg.text(180, 144, "main board", "tick", "middle")
    body += _box(15, 4, "Utility", f"peak {power(peak_w)}") + _box(15, 74, "Transformer", power(transformer_w))
    body += svg.text(280, 66, "on loss of the utility", "tick", "middle")
    body += _box(215, 74, "Generators", power(generator_w))
    body += _box(15, 186, held_by, power(ups_w), "green") + _box(15, 256, "Racks", power(racks_w), "amber")
    body += svg.line((30, 320), (280, 320), "wire") + svg.text(30, 336, "mechanical board", "tick")
    for i, (name, watt) in enumerate(fed):
        x, y = 4.0 + 119.0 * (i % 3), 348.0 + 76.0 * (i // 3)
        body += svg.rect(x, y, 113, 66, "machine k-liquid", rx=6)
        lines = svg.wrapped(name, 108.0, 2)
        body += svg.lines(x + 56.5, y + 20.0, lines, "label", "middle", 14)
        body += svg.text(x + 56.5, y + 24.0 + 14.0 * len(lines), power(watt), "tick", "middle")
    return body, 348.0 + 76.0 * -(-len(fed) // 3) if fed else 340.0


def _box(x: float, y: float, name: str, value: str, colour: str = "grey", width: float = 130.0) -> str:
    body = svg.rect(x, y, width, 50.0, f"machine k-{colour}", rx=6)
    body += svg.text(x + width / 2.0, y + 21.0, name, "label strong", "middle")
    return body + svg.text(x + width / 2.0, y + 39.0, value, "tick", "middle")


def _chain(peak_w: float, transformer_w: float, generator_w: float, ups_w: float, racks_w: float, held_by: str) -> str:
    wires = [((134, 65), (180, 65)), ((310, 65), (374, 65)), ((382, 65), (470, 65)), ((600, 65), (690, 65))]
    body = "".join(svg.line(a, b, "wire") for a, b in wires)
    body += svg.line((378, 40), (378, 290), "bar") + svg.text(390, 34, "main board", "tick")
    body += _box(4, 40, "Utility", f"peak {power(peak_w)}")
    body += _box(180, 40, "Transformer", power(transformer_w))
    body += _box(470, 40, held_by, power(ups_w), "green") + _box(690, 40, "Racks", power(racks_w), "amber")
    body += svg.polyline(((310, 145), (374, 145)), "wire dashed") + _box(180, 120, "Generators", power(generator_w))
    return body + svg.text(245, 186, "on loss of the utility", "tick", "middle")


def _machines(fed: list[tuple[str, float]]) -> str:
    if not fed:
        return ""
    body = svg.line((382, 190), (920, 190), "wire") + svg.text(470, 182, "mechanical board", "tick", "middle")
    for i, (name, watt) in enumerate(fed):
        x = 394.0 + i * 94.0
        body += svg.line((x + 44.0, 190), (x + 44.0, 220), "wire") + svg.rect(x, 220, 88, 66, "machine k-liquid", rx=6)
        lines = svg.wrapped(name, 84.0, 2)
        body += svg.lines(x + 44.0, 240.0, lines, "label", "middle", 14)
        body += svg.text(x + 44.0, 244.0 + 14.0 * len(lines), power(watt), "tick", "middle")
    return body
