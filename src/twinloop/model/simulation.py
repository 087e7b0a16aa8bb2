"""A year of one site: what ``simulate`` returns and the report draws."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinloop.arrays import FloatArray


@dataclass(frozen=True)
class EnergySplit:
    """Facility energy by end use; the sum is the facility."""

    it_j: float
    crah_fans_j: float
    pumps_j: float
    chillers_j: float
    heat_rejection_j: float
    ups_loss_j: float
    distribution_loss_j: float
    other_j: float
    """Lights, and the heat pump of a heat sale."""

    @property
    def facility_j(self) -> float:
        """Everything behind the meter."""
        return (
            self.it_j + self.crah_fans_j + self.pumps_j + self.chillers_j
            + self.heat_rejection_j + self.ups_loss_j + self.distribution_loss_j + self.other_j
        )  # fmt: skip


@dataclass(frozen=True)
class ItSplit:
    """IT energy inside the IT meter."""

    compute_j: float
    fans_j: float
    power_supply_loss_j: float


@dataclass(frozen=True)
class WaterSplit:
    """Site water by use."""

    evaporation_m3: float
    blowdown_m3: float
    drift_m3: float
    humidification_m3: float

    @property
    def total_m3(self) -> float:
        """Make-up water."""
        return self.evaporation_m3 + self.blowdown_m3 + self.drift_m3 + self.humidification_m3


@dataclass(frozen=True)
class FreeCooling:
    """Hours of the year by mode of the loop that needs the chiller most."""

    full: int
    partial: int
    none: int


@dataclass(frozen=True)
class HeatFlow:
    """One ribbon of the heat-flow picture, yearly mean."""

    origin: str
    target: str
    mean_w: float


@dataclass(frozen=True)
class LoopState:
    """One point of the drawn loops at one operating hour."""

    tag: str
    temperature_c: float | None
    flow_kg_s: float | None
    heat_w: float | None


@dataclass(frozen=True)
class OperatingHour:
    """The plant at one hour: the design hour, or the year's median."""

    name: str
    dry_bulb_c: float
    wet_bulb_c: float
    it_w: float
    facility_w: float
    states: tuple[LoopState, ...]


@dataclass(frozen=True)
class SiteYear:
    """Hourly results, shape (8760,), and their totals, of one site under one cooling design."""

    site: str
    energy: EnergySplit
    it_split: ItSplit
    water: WaterSplit
    free_cooling: FreeCooling
    peak_power_w: float
    billing_peak_w: tuple[float, ...]
    """Highest hourly mean of each month, 12 values."""
    peak_junction_c: float | None
    worst_intake_c: float | None
    first_limit: str
    """What would bind first if it got hotter."""
    throttled_device_hours: float
    unmet_load_hours: int
    hours_outside_class: int
    energy_balance_error: float
    """Largest absolute heat in less heat out of any element at any hour, over IT power."""
    heat_flows: tuple[HeatFlow, ...]
    hours: tuple[OperatingHour, ...]
    notes: tuple[str, ...] = ()
    heat_sold_j: float = 0.0
    """Handed to the heat buyer, the heat pump's electricity in it."""
    heat_pump_j: float = 0.0
    """Electricity, inside ``energy.other_j``."""
    hourly: dict[str, FloatArray] = field(default_factory=dict, repr=False, kw_only=True)
    """Columns by name, for example it_w, facility_w, chillers_w, supply_c, junction_c, water_kg_s; heat_sold_w and
    heat_pump_w where the site has a heat buyer."""


@dataclass(frozen=True)
class Month:
    """One calendar month of all halls."""

    month: int
    it_energy_mwh: float
    facility_energy_mwh: float
    pue: float
    water_m3: float
    peak_power_w: float


@dataclass(frozen=True)
class Simulation:
    """What ``simulate`` answers, all halls together: amounts add up, ratios are of the sums.

    Unknown is ``None``. Hours by mode, switches and starts are summed over the halls.
    """

    scenario: str
    scenario_hash: str
    halls: tuple[str, ...]
    pue: float
    ppue: dict[str, float]
    """Partial PUE: IT and ``cooling``, IT and ``power`` chain, each over IT."""
    tue: float
    itue: float
    wue_site_l_per_kwh: float
    wue_source_l_per_kwh: float
    cue_kg_per_kwh: float
    ere: float | None
    erf: float | None
    mlc_annual: float
    """Mechanical load component, ASHRAE 90.4: energy of cooling, fans and pumps over that of IT."""
    mlc_design: float
    """Same of power, at the hour of the largest mechanical power."""
    it_energy_mwh: float
    facility_energy_mwh: float
    energy_mwh: dict[str, float]
    """By end use; the sum is the facility."""
    it_split_mwh: dict[str, float]
    """The sum is ``energy_mwh["it"]``."""
    water_m3: dict[str, float]
    peak_power_w: float
    billing_peak_w: float
    peak_junction_c: float | None
    worst_intake_c: float | None
    first_limit: str
    throttled_device_hours: float
    unmet_load_hours: int
    hours_outside_class: int
    class_hours: dict[str, float | None]
    """Hours in which all halls keep each class of ASHRAE TC 9.9, by dry bulb: the mean intake ``recommended`` and
    ``A1`` to ``H1``, warm facility water ``W17`` to ``W+``, coolant ``S30`` to ``S50``.
    ``None``: no such air or water."""
    rci_percent: dict[str, float | None]
    """Rack cooling index of the mean rack, ``high`` and ``low``, and ``high_worst_rack``; the worst hall's."""
    supply_heat_index: float | None
    """Exhaust in the servers' intakes, 0 to 1; the worst hall's."""
    free_cooling_hours: dict[str, int]
    mode_switches: int
    chiller_starts: int
    monthly: tuple[Month, ...]
    energy_balance_error: float
    events: tuple[str, ...] = ()
    """What happened in a window; of a year, why a heat buyer gets nothing."""
    heat_sold_mwh: float | None = None
    """Handed to heat buyers; ERF is this over the facility's energy."""
    heat_pump_mwh: float | None = None
    """Electricity of heat pumps, inside ``energy_mwh["other"]``."""
    potential: dict[str, float] | None = None
    """The year with setpoints chosen anew every hour, scaled from sampled hours: energies, ratios, ``saving`` as a
    share of the facility's. ``None``: not computed."""
    window: str | None = None
    """``None``: the whole year by hours. Else the part of it that was run at ``step_s``; amounts are of the window."""
    step_s: float | None = None
    time_to_throttle_s: float | None = None
    """From the first fault until the worst chip loses clock because of it; ``None``: it does not."""
    time_to_shutdown_s: float | None = None
    min_margin_k: float | None = None
    """Smallest distance of the worst chip from its throttle temperature since the first fault."""
    recovered: bool | None = None
    """At the window's end all chips run, none throttles that would not without the fault, and temperatures are
    within 1 K of the run without it. ``None``: no fault."""


@dataclass(frozen=True)
class Incident:
    """A window of one hall at second scale, with its faults and, beside it, in order: what the timeline draws."""

    site: str
    window: str
    """In words, with the moment it starts at."""
    faults: tuple[str, ...]
    fault_spans_s: tuple[tuple[float, ...], ...]
    """(start, end) of each fault from the window's start."""
    step_s: float
    events: tuple[str, ...]
    event_times_s: tuple[float, ...]
    first_moment_s: float
    """Start of the window from 1 January 00:00."""
    columns: dict[str, FloatArray] = field(default_factory=dict, repr=False, kw_only=True)
    """By name, each of shape (steps,): worst_margin_k, coolant_c, intake_c, it_w, facility_w, …"""
    in_order: dict[str, FloatArray] = field(default_factory=dict, repr=False, kw_only=True)
    """The same without the faults; empty where there are none."""
