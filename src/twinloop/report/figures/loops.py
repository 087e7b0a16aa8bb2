"""The plant as a diagram: racks, loops, machines and outdoor air, with one hour's states written on."""

from __future__ import annotations

from markupsafe import Markup

from twinloop.model.plan import PlannedCooling
from twinloop.model.simulation import LoopState, OperatingHour
from twinloop.report.figures import loops_phone, svg
from twinloop.report.figures.loop_state import EMPTY, celsius, cold_name, kg_s, power, state, warm_name, works
from twinloop.report.numbers import UNKNOWN, fixed
from twinloop.report.parts import Figure, Table, columns

WIDTH, HEIGHT = 960.0, 470.0
COLD_TOP = 268.0
"""Where the cold loop begins below the warm one; a hall without a warm loop draws it at the top."""
ONLY_TOP = 36.0
TOLD = {"chiller": "chiller; temperature into its condenser"}
"""Point -> what it is called where its name alone would mislead."""
WARM_TAGS = ("coolant supply", "warm supply", "warm outdoor cooler")


def draw(ident: str, hours: tuple[OperatingHour, ...], cooling: PlannedCooling | None) -> Figure | None:
    """Return the loops at each of ``hours``, one drawing an hour behind a switch; ``None`` without hours."""
    if not hours:
        return None
    title = "The cooling loops"
    both = any(_has_warm_loop(hour) for hour in hours)
    ways = "a warm liquid loop (top) and through hall air and a cold water loop (bottom)" if both else (
        "hall air and a cold water loop")  # fmt: skip
    desc = (
        f"Heat leaves the racks, left, through {ways} to outdoor air, right. "
        f"Hours drawn: {', '.join(h.name for h in hours)}."
    )
    drawings = tuple((hour.name, _picture(f"{ident}-{i}", hour, cooling)) for i, hour in enumerate(hours))
    phone = tuple(
        (hour.name, _picture(f"{ident}-phone-{i}", hour, cooling, narrow=True)) for i, hour in enumerate(hours)
    )
    return Figure(ident, title, desc, drawings, _table(hours), phone=phone)


def _has_warm_loop(hour: OperatingHour) -> bool:
    return any(state.tag in WARM_TAGS for state in hour.states)


def _table(hours: tuple[OperatingHour, ...]) -> Table:
    """Return the hours beside each other: the design hour, then part load."""
    at = [{state.tag: state for state in hour.states} for hour in hours]
    tags = list(dict.fromkeys(state.tag for hour in hours for state in hour.states))
    head = [f"#{what}, {hour.name}" for hour in hours for what in ("Temperature", "Flow", "Heat")]
    outside: list[str] = []
    for hour in hours:
        outside += [fixed(hour.dry_bulb_c, "°C"), "", power(hour.facility_w)]
    rows = [("outdoor dry bulb; facility power", *outside)]
    for tag in tags:
        cells: list[str] = []
        for states in at:
            state = states.get(tag, EMPTY)
            cells += [_blank(fixed(state.temperature_c, "°C")), kg_s(state), _blank(power(state.heat_w))]
        rows.append((TOLD.get(tag, tag), *cells))
    return Table(f"{hours[0].name.capitalize()} beside part load", columns("Point", *head), tuple(rows))


def _blank(cell: str) -> str:
    """A point without a temperature or a duty has none: that is not the same as not known."""
    return "" if cell == UNKNOWN else cell


def _picture(ident: str, hour: OperatingHour, cooling: PlannedCooling | None, *, narrow: bool = False) -> Markup:
    at = {state.tag: state for state in hour.states}
    rejection = cooling.heat_rejection if cooling else ""
    title = f"Cooling loops, {hour.name}"
    desc = (
        f"Outdoor air {fixed(hour.dry_bulb_c, '°C')} dry bulb, {fixed(hour.wet_bulb_c, '°C')} wet bulb; "
        f"IT {power(hour.it_w)}, facility {power(hour.facility_w)}."
    )
    warm = _has_warm_loop(hour)
    if narrow:
        return svg.drawing(ident, title, desc, loops_phone.SIZE, loops_phone.picture(hour, at, rejection, warm=warm))
    top = COLD_TOP if warm else ONLY_TOP
    height = HEIGHT - COLD_TOP + top
    body = _outdoor(hour, height) + _racks(hour, at, height)
    body += _warm_loop(at, rejection) + _trim(at) if warm else ""
    body += _cold_loop(at, rejection, top)
    return svg.drawing(ident, title, desc, (WIDTH, height), body)


def _machine(x: float, y: float, name: str, rows: list[str], colour: str, size: svg.Point = (128, 88)) -> str:
    width, height = size
    title = svg.wrapped(name, width - 12, 2)
    body = svg.rect(x, y, width, height, f"machine k-{colour}", rx=6)
    body += svg.lines(x + width / 2, y + 22, title, "label strong", "middle", 15)
    return body + svg.lines(x + width / 2, y + 24 + 15 * len(title), rows, "tick", "middle", 15)


def _pipe(x0: float, x1: float, y: float, colour: str, above: str, below: str = "") -> str:
    """Draw an arrow with its state written above (temperature) and below (flow)."""
    step = -1.0 if x1 < x0 else 1.0
    body = svg.line((x0, y), (x1 - 7 * step, y), f"pipe k-{colour}")
    body += svg.polygon(((x1, y), (x1 - 11 * step, y - 5), (x1 - 11 * step, y + 5)), f"f-{colour}")
    middle = (x0 + x1) / 2
    body += svg.text(middle, y - 8, above, "label", "middle") if above else ""
    return body + (svg.text(middle, y + 18, below, "tick", "middle") if below else "")


def _outdoor(hour: OperatingHour, height: float) -> str:
    body = svg.rect(846, 20, 106, height - 40, "zone", rx=6)
    body += svg.text(899, 44, "Outdoor air", "label strong", "middle")
    rows = [fixed(hour.dry_bulb_c, "°C"), "dry bulb", fixed(hour.wet_bulb_c, "°C"), "wet bulb"]
    return body + svg.lines(899, height / 2 - 17, rows, "label", "middle", 17)


def _racks(hour: OperatingHour, at: dict[str, LoopState], height: float) -> str:
    body = svg.rect(8, 20, 180, height - 40, "zone", rx=6)
    body += svg.text(98, 44, "Racks", "label strong", "middle")
    body += svg.text(98, 62, f"IT {power(hour.it_w)}", "tick", "middle")
    body += _shelves() if height == HEIGHT else ""
    intake, exhaust = state(at, "server intake"), state(at, "server exhaust")
    rows = [f"intake {celsius(intake)}", f"exhaust {celsius(exhaust)}", f"{kg_s(intake) or UNKNOWN} of air"]
    rows.append(f"{power(exhaust.heat_w)} into air")
    return body + svg.lines(98, height - 136, rows, "tick", "middle", 17)


def _shelves() -> str:
    """Return servers whose heat goes two ways."""
    body = ""
    for y in (84.0, 122.0, 160.0, 198.0):
        body += svg.rect(28, y, 140, 26, "machine k-amber", rx=3)
        body += svg.rect(34, y + 6, 60, 14, "f-liquid soft", rx=2) + svg.rect(100, y + 6, 62, 14, "f-air soft", rx=2)
    return body + svg.text(64, 244, "to liquid", "tick", "middle") + svg.text(130, 244, "to air", "tick", "middle")


def _warm_loop(at: dict[str, LoopState], rejection: str) -> str:
    supply, back = state(at, "coolant supply"), state(at, "coolant return")
    warm, warm_back = state(at, "warm supply"), state(at, "warm return")
    cooler = state(at, "warm outdoor cooler")
    body = svg.text(340, 36, "Warm loop", "name", "middle")
    body += _pipe(188, 330, 92, "heat", celsius(back)) + _pipe(330, 188, 160, "liquid", celsius(supply), kg_s(supply))
    body += _machine(330, 72, "Coolant distribution", [power(back.heat_w)], "liquid", (128, 108))
    body += _pipe(458, 650, 92, "heat", celsius(warm_back)) + _pipe(650, 458, 160, "liquid", celsius(warm), kg_s(warm))
    body += _machine(
        650, 72, warm_name(rejection), [power(cooler.heat_w), f"leaves {celsius(cooler)}"], "liquid", (140, 108)
    )
    return body + _pipe(790, 846, 126, "heat", "")


def _trim(at: dict[str, LoopState]) -> str:
    trim = state(at, "warm trim")
    working = works(trim)
    body = svg.line((554, 184), (554, 278), f"pipe {'k-heat' if working else 'k-grey dashed'}")
    words_ = f"trim {power(trim.heat_w)}" if working or trim.heat_w is None else "trim exchanger at rest"
    return body + svg.text(564, 220, words_, "tick")


def _cold_loop(at: dict[str, LoopState], rejection: str, top: float) -> str:
    door, back = state(at, "rear door leaving air"), state(at, "air handler return")
    supply, cold = state(at, "air handler supply"), state(at, "cold supply")
    cold_back, chiller = state(at, "cold return"), state(at, "chiller")
    free = state(at, "cold economiser")
    doors = works(door)
    body = svg.text(340, top, "Hall air and cold loop", "name", "middle")
    body += _pipe(188, 330, top + 42, "heat", celsius(door if doors else back))
    if doors:
        body += svg.rect(190, top + 24, 20, 130, "machine k-air", rx=3)
        body += svg.text(259, top + 60, f"doors {power(door.heat_w)}", "tick", "middle")
    body += _pipe(330, 188, top + 132, "air", celsius(supply))
    body += _machine(330, top + 18, "Air handlers", [power(back.heat_w)], "air", (128, 138))
    body += _pipe(458, 650, top + 42, "heat", celsius(cold_back))
    body += _pipe(650, 458, top + 132, "green", celsius(cold), kg_s(cold))
    rows = [f"chills {power(chiller.heat_w)}", f"free {power(free.heat_w)}", f"condenser in {celsius(chiller)}"]
    body += _machine(650, top + 18, cold_name(rejection), rows, "green", (140, 138))
    outside = state(at, "outdoor air economiser")
    if works(outside):
        body += svg.polyline(((394, top + 156), (394, top + 174), (846, top + 174)), "pipe k-air")
        body += svg.text(620, top + 168, f"outdoor air takes {power(outside.heat_w)}", "tick", "middle")
    return body + _pipe(790, 846, top + 86, "heat", "")
