"""Rented machines: offers by provider and region, and what is known of the regions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from twinloop.catalogue import tables
from twinloop.catalogue.names import find, index, name_keys, unknown
from twinloop.catalogue.nouns import CloudOffer, Confidence, Fact

_LAST_TIER_B = 1e30
"""Bound of the last egress tier, as ``model.site.Cloud`` expects it."""


@dataclass(frozen=True)
class CloudRegion:
    """A region of a cloud provider; figures are the provider's averages unless the fact's note says more."""

    provider: str
    region: str
    jurisdiction: str
    """``EU`` for its members, else the country's two letters."""
    grid: str
    """Name in the table of grids."""
    pue: float
    wue_l_per_kwh: float
    """Site water per IT energy."""
    egress_usd_per_b: tuple[tuple[float, float], ...]
    """Marginal tiers: (bytes a month up to which, price per byte)."""
    price_base: str
    """Region whose list prices are used; itself where it has its own."""
    price_uplift: float
    """Factor on those prices; 1 where the region has its own."""
    lowest_confidence: Confidence


@cache
def cloud_regions() -> tuple[CloudRegion, ...]:
    """Return every region with facts."""
    return tuple(_region(row) for name, row in tables.rows("cloud_regions").items() if "/" in name)


def cloud_region(provider: str, region: str) -> CloudRegion:
    """Return a region's facts.

    >>> cloud_region("aws", "eu-central-1").jurisdiction
    'EU'

    Raises:
        InputError: unknown provider or region; names close ones.
    """
    known = [f"{row.provider}/{row.region}" for row in cloud_regions()]
    return find("cloud_regions", f"{_provider(provider)}/{region}", _region_index(), known)


@cache
def cloud_offers(provider: str, region: str) -> tuple[CloudOffer, ...]:
    """Return what ``provider`` rents out in ``region``, cheapest first; empty where nothing is listed.

    Where the tables hold no price list of the region, the base region's prices times ``price_uplift``
    are returned with low confidence, and each offer's ``source`` says so.

    Raises:
        InputError: unknown provider or region; names close ones.
    """
    place = cloud_region(provider, region)
    listed = _prices().get((place.provider, place.price_base), {})
    offers = (_offer(place, instance, row) for instance, row in listed.items())
    return tuple(sorted(offers, key=lambda offer: (offer.price_usd_per_s, offer.instance)))


def _provider(name: str) -> str:
    known = sorted({row.provider for row in cloud_regions()})
    keys = name_keys(name)
    for provider in known:
        if provider in (name.lower(), keys[0]):
            return provider
    raise unknown("cloud_regions (provider)", name, known)


@cache
def _region_index() -> dict[str, CloudRegion]:
    return index((row, (f"{row.provider}/{row.region}",)) for row in cloud_regions())


@cache
def _prices() -> dict[tuple[str, str], dict[str, dict[str, Fact]]]:
    """(provider, region) -> instance -> price facts; names are ``provider/instance@region``."""
    found: dict[tuple[str, str], dict[str, dict[str, Fact]]] = {}
    for name, row in tables.rows("cloud_prices").items():
        machine, _, region = name.partition("@")
        provider, _, instance = machine.partition("/")
        if region:
            found.setdefault((provider, region), {})[instance] = row
    return found


def _offer(place: CloudRegion, instance: str, prices: dict[str, Fact]) -> CloudOffer:
    machine = tables.row_of("cloud_prices", f"{place.provider}/{instance}")
    price, spot = prices["price_usd_per_s"], tables.number_or_none(prices, "spot_usd_per_s")
    own = place.price_base == place.region
    derived = f"{price.source}, {place.price_base} times {place.price_uplift:.3g}"
    return CloudOffer(
        provider=place.provider,
        instance=instance,
        region=place.region,
        device=tables.word(machine, "device"),
        devices=int(tables.number(machine, "devices")),
        cores=int(tables.number(machine, "cores")),
        memory_b=tables.number(machine, "memory_b"),
        price_usd_per_s=tables.number(prices, "price_usd_per_s") * place.price_uplift,
        spot_usd_per_s=None if spot is None else spot * place.price_uplift,
        source=price.source if own else derived,
        year=price.year,
        lowest_confidence=tables.lowest_confidence({**machine, **prices}) if own else "low",
    )


def _region(row: dict[str, Fact]) -> CloudRegion:
    provider, _, region = next(iter(row.values())).name.partition("/")
    own = {**tables.rows("cloud_regions")[provider], **row}
    return CloudRegion(
        provider=provider,
        region=region,
        jurisdiction=tables.word(own, "jurisdiction"),
        grid=tables.word(own, "grid"),
        pue=tables.number(own, "pue"),
        wue_l_per_kwh=tables.number(own, "wue_m3_per_j") * 3.6e9,  # 1 L/kWh = 1e-3 m3 / 3.6e6 J
        egress_usd_per_b=_egress(own),
        price_base=tables.word(own, "price_base"),
        price_uplift=tables.number(own, "price_uplift"),
        lowest_confidence=tables.lowest_confidence(own),
    )


def _egress(row: dict[str, Fact]) -> tuple[tuple[float, float], ...]:
    tiers = []
    for tier in range(1, 1 + sum(quantity.endswith("_usd_per_b") for quantity in row)):
        bound = tables.number_or_none(row, f"egress_{tier}_up_to_b")
        price = tables.number(row, f"egress_{tier}_usd_per_b")
        tiers.append((_LAST_TIER_B if bound is None else bound, price))
    return tuple(tiers)
