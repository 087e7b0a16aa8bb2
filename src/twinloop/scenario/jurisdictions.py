"""Which place lies in which: Germany is in the EU, Virginia in the US."""

from __future__ import annotations

EU = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)
"""Member states in 2026, ISO 3166-1; Treaty on European Union and the accession treaties."""
EEA = EU | {"IS", "LI", "NO"}
"""With the states of the European Economic Area, where EU data protection law holds."""
UNIONS = {"EU": EU, "EEA": EEA}


def within(place: str, area: str) -> bool:
    """Whether ``place`` lies in ``area``.

    >>> within("DE", "EU"), within("US-VA", "US"), within("EU-DE", "EU"), within("CH", "EU")
    (True, True, True, False)
    """
    if place == area or place.startswith(f"{area}-"):
        return True
    country = place.removeprefix("EU-").split("-")[0]
    if area == country:
        return place.startswith("EU-")
    if area == "EEA" and place == "EU":
        return True
    return country in UNIONS.get(area, ())
