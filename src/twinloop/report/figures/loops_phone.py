"""The plant from top to bottom for a narrow screen: racks, then both loops side by side, then outdoor air."""

from __future__ import annotations

from twinloop.model.simulation import OperatingHour
from twinloop.report.figures import svg
from twinloop.report.figures.loop_state import States, celsius, cold_name, kg_s, power, state, warm_name, works
from twinloop.report.numbers import fixed

SIZE = (svg.PHONE, 488.0)
LEFT, RIGHT = 4.0, 184.0
"""Where the warm loop's and the cold loop's columns begin."""
WIDE = 172.0
TOPS = (120.0, 300.0)
"""Where the machines inside and the machines outdoors begin."""
HIGH = 88.0


def picture(hour: OperatingHour, at: States, rejection: str, *, warm: bool) -> str:
    """Return the drawing's body."""
    intake, exhaust = state(at, "server intake"), state(at, "server exhaust")
    body = svg.rect(LEFT, 4, 352, 50, "machine k-amber", rx=6)
    body += svg.text(180, 24, f"Racks · IT {power(hour.it_w)}", "label strong", "middle")
    air = f"intake {celsius(intake)} · exhaust {celsius(exhaust)} · {power(exhaust.heat_w)} into air"
    body += svg.text(180, 43, air, "tick", "middle")
    body += _warm(at, rejection) if warm else svg.lines(
        LEFT + WIDE / 2, 240, ("No warm loop:", "all heat leaves by air"), "tick", "middle")  # fmt: skip
    body += _cold(at, rejection)
    body += svg.rect(LEFT, 432, 352, 50, "zone", rx=6)
    body += svg.text(180, 452, "Outdoor air", "label strong", "middle")
    outdoors = f"{fixed(hour.dry_bulb_c, '°C')} dry bulb · {fixed(hour.wet_bulb_c, '°C')} wet bulb"
    return body + svg.text(180, 471, outdoors, "tick", "middle")


def _warm(at: States, rejection: str) -> str:
    supply, back = state(at, "coolant supply"), state(at, "coolant return")
    warm, warm_back = state(at, "warm supply"), state(at, "warm return")
    cooler, trim = state(at, "warm outdoor cooler"), state(at, "warm trim")
    body = _pipes(LEFT, (54, TOPS[0]), ("heat", celsius(back)), ("liquid", celsius(supply), kg_s(supply)))
    body += _machine(LEFT, TOPS[0], "Coolant distribution", [power(back.heat_w)], "liquid")
    pipes = (("heat", celsius(warm_back)), ("liquid", celsius(warm), kg_s(warm)))
    body += _pipes(LEFT, (TOPS[0] + HIGH, TOPS[1]), *pipes)
    rows = [power(cooler.heat_w), f"leaves {celsius(cooler)}"]
    rows.append(f"trim {power(trim.heat_w)}" if works(trim) or trim.heat_w is None else "trim exchanger at rest")
    body += _machine(LEFT, TOPS[1], warm_name(rejection), rows, "liquid")
    return body + _down(LEFT + WIDE / 2, TOPS[1] + HIGH, 432, "heat")


def _cold(at: States, rejection: str) -> str:
    door, back = state(at, "rear door leaving air"), state(at, "air handler return")
    supply, cold, cold_back = state(at, "air handler supply"), state(at, "cold supply"), state(at, "cold return")
    free, chiller, outside = state(at, "cold economiser"), state(at, "chiller"), state(at, "outdoor air economiser")
    first = celsius(door if works(door) else back)
    body = _pipes(RIGHT, (54, TOPS[0]), ("heat", first), ("air", celsius(supply), ""))
    rows = [power(back.heat_w)] + ([f"doors {power(door.heat_w)}"] if works(door) else [])
    rows += [f"outdoor air takes {power(outside.heat_w)}"] if works(outside) else []
    body += _machine(RIGHT, TOPS[0], "Air handlers", rows, "air")
    pipes = (("heat", celsius(cold_back)), ("green", celsius(cold), kg_s(cold)))
    body += _pipes(RIGHT, (TOPS[0] + HIGH, TOPS[1]), *pipes)
    rows = [f"chills {power(chiller.heat_w)}", f"free {power(free.heat_w)}", f"condenser in {celsius(chiller)}"]
    body += _machine(RIGHT, TOPS[1], cold_name(rejection), rows, "green")
    return body + _down(RIGHT + WIDE / 2, TOPS[1] + HIGH, 432, "heat")


def _machine(x: float, y: float, name: str, rows: list[str], colour: str) -> str:
    body = svg.rect(x, y, WIDE, HIGH, f"machine k-{colour}", rx=6)
    heads = svg.wrapped(name, WIDE - 10.0)
    first = 22.0 if len(heads) == 1 else 17.0
    body += svg.lines(x + WIDE / 2, y + first, heads, "label strong", "middle")
    return body + svg.lines(x + WIDE / 2, y + first + 6.0 + 14.0 * len(heads), rows, "tick", "middle", 15)


def _pipes(x: float, span: svg.Point, out: tuple[str, str], back: tuple[str, str, str]) -> str:
    """Draw the pipe away from the racks and the one back, with temperature, and flow of the latter."""
    middle = (span[0] + span[1]) / 2
    body = _down(x + 24, span[0], span[1], out[0]) + svg.text(x + 32, middle + 4, out[1], "label")
    body += _down(x + 100, span[1], span[0], back[0]) + svg.text(x + 108, middle - 4, back[1], "label")
    return body + (svg.text(x + 108, middle + 11, back[2], "tick") if back[2] else "")


def _down(x: float, start: float, end: float, colour: str) -> str:
    step = 1.0 if end > start else -1.0
    body = svg.line((x, start), (x, end - 7 * step), f"pipe k-{colour}")
    return body + svg.polygon(((x, end), (x - 5, end - 11 * step), (x + 5, end - 11 * step)), f"f-{colour}")
