"""One self-contained page of a window that was run second by second."""

from __future__ import annotations

from twinloop.model.simulation import Incident, Simulation
from twinloop.report import numbers
from twinloop.report.figures import timeline
from twinloop.report.page import environment
from twinloop.report.parts import Table, columns


def render_incidents(found: Simulation, incidents: tuple[Incident, ...], command: str) -> str:
    """Return the page as HTML; the same run gives the same bytes."""
    figures = tuple(timeline.draw(f"timeline{i}", incident) for i, incident in enumerate(incidents))
    return (
        environment()
        .get_template("incident.html")
        .render(
            found=found, incidents=incidents, figures=figures, kpis=_kpis(found), energy=_energy(found), command=command
        )
    )


def _kpis(found: Simulation) -> tuple[tuple[str, str], ...]:
    rows = [
        ("Hottest junction", numbers.fixed(found.peak_junction_c, "°C")),
        ("PUE of the window", numbers.number(found.pue, 4)),
        ("Peak power", numbers.power(found.peak_power_w)),
        ("Nearest limit", found.first_limit),
    ]
    if found.recovered is None:
        return tuple(rows)
    return (
        ("Until the hottest chip throttles", timeline.how_long(found.time_to_throttle_s)),
        ("Until one switches itself off", timeline.how_long(found.time_to_shutdown_s)),
        ("Smallest margin", numbers.fixed(found.min_margin_k, "K")),
        ("Recovered at the end", "yes" if found.recovered else "no"),
        *rows,
    )


def _energy(found: Simulation) -> Table:
    rows = tuple(
        (name.replace("_", " "), numbers.energy(mwh), numbers.percent(mwh / found.facility_energy_mwh))
        for name, mwh in found.energy_mwh.items()
    )
    return Table("Energy of the window", columns("End use", "#Energy", "#Share"), rows)
