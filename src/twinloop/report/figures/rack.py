"""One rack: its chassis, and what carries each component's heat away."""

from __future__ import annotations

from collections import Counter

from twinloop.model.plan import PlannedCooling, RackType
from twinloop.report.figures import svg
from twinloop.report.numbers import THIN, UNKNOWN, Shown, count, counted, percent, power, quantity, words
from twinloop.report.parts import Figure, Table, columns
from twinloop.twin.design import PlantConstants

WIDTH = 400.0
CAPTURED = {"cold_plate": PlantConstants().plate_capture, "bath": 1.0}
"""Share of a component's heat that does not reach the rack's air."""
PATHS = {"cold_plate": "liquid", "bath": "green", "rear_door": "violet", "air": "air"}
"""Carrier of heat -> colour."""
MOST_CHASSIS = 24
FULL_U = 48.0
"""Height of the drawn rack: a tall one of AI halls, so that what stands in it fills its share."""
FULL_WORK = "with all its planned work running at once"
"""Of which power of a rack is told: what this work draws, not the nameplates of its servers."""
AIR_ONLY = ("fans",)
"""What no path is planned for gives its heat to the air around it."""


def draw(ident: str, rack: RackType, cooling: PlannedCooling | None) -> Figure | None:
    """Return the picture of ``rack``; ``None`` where its heat is not known by component."""
    parts = [(name, watt) for name, watt in sorted(rack.component_w.items(), key=lambda i: -i[1]) if watt > 0.0]
    if not parts:
        return None
    total_w = sum(watt for _, watt in parts)
    paths = {name: path_of(name, cooling) for name, _ in parts}
    liquid_w = sum(CAPTURED.get(paths[name], 0.0) * watt for name, watt in parts)
    doored = sum(watt for name, watt in parts if paths[name] == "rear_door")
    door = f", of which a rear door passes {power(doored)} on to water" if doored else ""
    title = f"Inside a rack: {rack.name}"
    taken = f"{percent(liquid_w / total_w)} of the heat is" if liquid_w else "no heat is"
    desc = (
        f"{counted(rack.count, 'rack')} of {' + '.join(contents(rack))}, {power(rack.power_w)} each {FULL_WORK}; "
        f"{taken} taken by a cold plate or a bath at the component; "
        f"{power(total_w - liquid_w)} goes into the rack's air{door}."
    )
    body = _elevation(rack, parts, paths, total_w) + _bars(parts, paths, total_w)
    used = list(dict.fromkeys(paths[name] for name, _ in parts))
    keys, _ = svg.legend(112, 18, [(f"f-{_colour(path)}", _words(path)) for path in used], 270)
    height = max(218.0 + 13.0 * len(_under(rack)), 60.0 + 27.0 * len(parts))
    table = Table(
        f"Heat by component, one rack of {rack.name}",
        columns("Component", "Cooled by", "#Heat", "#Share"),
        tuple((words(n), _words(paths[n]), power(w), percent(w / total_w)) for n, w in parts),
    )
    picture = svg.drawing(ident, title, desc, (WIDTH, height), body + keys)
    return Figure(ident, title, desc, (("", picture),), table, wide=False)


def path_of(component: str, cooling: PlannedCooling | None) -> str:
    """Return the carrier of ``component``'s heat; fans follow the air, unless the rack has a door or a bath."""
    if cooling is None:
        return UNKNOWN
    if component in cooling.components:
        return cooling.components[component]
    carriers = set(cooling.components.values())
    if component in AIR_ONLY:
        return next((path for path in ("rear_door", "air", "bath") if path in carriers), "air")
    return UNKNOWN


def _colour(path: str) -> str:
    return PATHS.get(path, "grey")


def _words(path: str) -> str:
    return "not known" if path == UNKNOWN else words(path)


def _elevation(rack: RackType, parts: list[tuple[str, float]], paths: dict[str, str], total_w: float) -> str:
    """Draw the chassis as strips: each colour as wide as its carrier's share of heat."""
    shown = max(1, min(rack.servers_per_rack, MOST_CHASSIS))
    body = svg.rect(4, 8, 96, 186, "zone strong", rx=4)
    step = 176.0 * min(rack.height_u / max(FULL_U, rack.height_u), 1.0) / shown
    share: dict[str, float] = {}
    for name, watt in parts:
        share[paths[name]] = share.get(paths[name], 0.0) + watt / total_w
    for i in range(shown):
        x, y = 10.0, 190.0 - (i + 1) * step
        for path, part in share.items():
            body += svg.rect(x, y, 84 * part, max(step - 3, 1.5), f"f-{_colour(path)}")
            x += 84 * part
    return body + svg.lines(4, 208, _under(rack), "tick", None, 13)


def contents(rack: RackType) -> list[str]:
    """Return how many of which server stand in it; of switches and storage, which of them share it."""
    many = Counter[str]()
    for each in rack.contents:
        many[each.server] += each.servers
    if not many and " + " in rack.server:
        first, *others = rack.server.split(" + ")
        return [f"{counted(rack.servers_per_rack, 'machine')}: {first}", *others]
    return [f"{count(n)} × {name}" for name, n in (many or {rack.server: rack.servers_per_rack}).items()]


def height(rack: RackType) -> Shown:
    """Return its rack units: whole ones for servers, a tenth where racks alike share switches."""
    return Shown(f"{round(rack.height_u, 1):g}{THIN}U", rack.height_u, "U")


def _under(rack: RackType) -> list[str]:
    """Return what is written under the drawn rack, as wide as that is."""
    names = [line for each in contents(rack) for line in svg.wrapped(each, 126.0, 2)]
    drawn = [f"{MOST_CHASSIS} drawn"] if rack.servers_per_rack > MOST_CHASSIS else []
    return [*names, *drawn, f"{height(rack)}, {quantity(rack.weight_kg, 'kg')}"]


def _bars(parts: list[tuple[str, float]], paths: dict[str, str], total_w: float) -> str:
    body = ""
    widest = parts[0][1]
    for i, (name, watt) in enumerate(parts):
        y = 38.0 + i * 27
        size = 100.0 * watt / widest
        body += svg.text(196, y + 14, words(name), "label", "end")
        body += svg.rect(202, y, size, 18, f"f-{_colour(paths[name])}", f"{words(name)}: {power(watt)}", rx=2)
        body += svg.text(208 + size, y + 14, f"{power(watt)} · {percent(watt / total_w, 0)}", "tick")
    return body
