"""What is assumed where neither scenario nor catalogue speaks: engineering choices, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.units import YEAR_S


@dataclass(frozen=True)
class Default:
    """A value in SI, as what quantity it is shown, why it is this one, and its usual range."""

    value: float
    quantity: str
    source: str
    low: float
    high: float
    confidence: str = "low"


DEFAULTS = {
    "horizon": Default(5 * YEAR_S, "duration", "one generation of hardware", 3 * YEAR_S, 10 * YEAR_S),
    "refresh": Default(
        5 * YEAR_S,
        "duration",
        "service life of accelerator servers (catalogue: life)",
        4 * YEAR_S,
        6 * YEAR_S,
    ),
    "growth": Default(0.0, "yearly share", "none unless given", 0.0, 0.5),
    "dataset_growth": Default(0.0, "data rate", "none unless given", 0.0, 0.0),
    "weight": Default(1500.0, "mass", "floor and castor rating of enterprise racks", 1200.0, 1700.0),
    "height": Default(48.0, "rack height", "tall racks of AI halls", 42.0, 52.0),
    "load": Default(12e3, "pressure", "raised and slab floors of data halls", 10e3, 15e3),
    "cycles": Default(4.0, "number", "tower water treatment practice", 3.0, 6.0),
    "ride_through": Default(60.0, "duration", "generator start and chiller restart", 30.0, 300.0),
    "peak_facility_per_it": Default(1.3, "number", "peak facility over peak IT power of an efficient hall", 1.1, 1.6),
    "row_size": Default(256.0, "data size", "a record of some tens of columns", 64.0, 2048.0),
    "peak_to_mean": Default(1.0, "number", "a steady load unless given", 1.0, 3.0),
    "accuracy_drop": Default(0.0, "share", "no loss of accuracy unless allowed", 0.0, 0.01),
    "tariff_escalation": Default(0.025, "yearly share", "market outlooks", 0.0, 0.05),
    "downtime": Default(0.0, "hourly price", "not counted unless given", 0.0, 5.0),
    "repair": Default(
        1500.0, "amount of money", "hands and shipping of a device under warranty, from memory", 300.0, 5000.0
    ),
    "price_level": Default(1.0, "share", "list prices unless given; large users get less", 0.65, 1.2),
    "reserved_share": Default(
        0.6, "share", "three years paid monthly, list prices of providers, from memory", 0.4, 0.7
    ),
    "reserved_share_one_year": Default(
        0.75, "share", "one year paid monthly, list prices of providers, from memory", 0.6, 0.85
    ),
    "preemptions": Default(
        0.05 / 3600.0, "rate", "spot accelerators, 5 % an hour, from memory", 0.005 / 3600.0, 0.2 / 3600.0
    ),
}
"""Every choice, by the key that it fills."""

WORDS = {
    "hall_class": ("A2", "the common class of IT, ASHRAE TC 9.9 (2021)"),
    "intake": (
        "recommended",
        "operators design for the recommended range of ASHRAE TC 9.9 (2021) and leave the allowable one to extremes",
    ),
    "containment": (
        "cold_aisle",
        "common practice of halls on air; their leaks are assumed",
    ),
    "liquid_class": ("no limit", "facility water is bound by the chips alone"),
    "redundancy": ("N+1", "concurrently maintainable practice"),
    "power_chain": ("ac_double_conversion", "a UPS that converts twice is the usual supply of halls"),
    "water_source": ("potable", "the usual supply"),
    "water_limit": ("no limit", "none unless given"),
}
"""Choices that are words."""
