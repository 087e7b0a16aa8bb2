"""Collectives by the alpha-beta model, on links of two levels: inside the scale-up domain, and beyond.

Source: Thakur, Rabenseifner, Gropp, Optimization of collective communication operations in MPICH (2005),
doi:10.1177/1094342005051521. Bytes are those of the whole (unsharded) buffer on one device.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinloop.arrays import Array, namespace


@dataclass(frozen=True)
class Links:
    """Effective bandwidth per device and direction (B/s) and start-up time per hop (s) of both levels."""

    inner_b_s: Array
    outer_b_s: Array
    inner_alpha_s: Array
    outer_alpha_s: Array
    domain: Array
    """Devices in one scale-up domain."""


def ring_all_reduce_s(size_b: Array, ranks: Array, bandwidth_b_s: Array, alpha_s: Array) -> Array:
    """Return ``2 (n−1)/n · S/B + 2 α log2 n``: bandwidth of a ring, latency of a tree (as NCCL picks).

    >>> round(float(ring_all_reduce_s(8e9, 8, 100e9, 0.0)), 6)
    0.14
    """
    xp = namespace(size_b, ranks)
    return 2.0 * (ranks - 1.0) / ranks * size_b / bandwidth_b_s + 2.0 * alpha_s * xp.log2(ranks)


def _levels(ranks: Array, stride: Array, links: Links) -> tuple[Array, Array]:
    """Split a group whose neighbours are ``stride`` devices apart into (inside one domain, domains)."""
    xp = namespace(ranks, stride, links.domain)
    inside = xp.clip(xp.floor(links.domain / stride), 1.0, ranks)
    return inside, xp.maximum(ranks / inside, 1.0)


def all_reduce_s(size_b: Array, ranks: Array, stride: Array, links: Links) -> Array:
    """Return a hierarchical all-reduce: scatter and gather inside, ring of the shards between domains.

    Every device drives its own share of the outer network (one rail each).
    """
    inside, domains = _levels(ranks, stride, links)
    inner = ring_all_reduce_s(size_b, inside, links.inner_b_s, links.inner_alpha_s)
    return inner + ring_all_reduce_s(size_b / inside, domains, links.outer_b_s, links.outer_alpha_s)


def all_to_all_s(size_b: Array, ranks: Array, stride: Array, links: Links) -> Array:
    """Return an all-to-all in which each device sends ``size_b · (n−1)/n``; both levels work at once."""
    xp = namespace(size_b, ranks)
    inside, domains = _levels(ranks, stride, links)
    local = size_b * (inside - 1.0) / ranks / links.inner_b_s
    remote = size_b * (ranks - inside) / ranks / links.outer_b_s
    alpha = links.inner_alpha_s * xp.log2(inside) + links.outer_alpha_s * xp.log2(domains)
    return xp.maximum(local, remote) + alpha


def domains_reached(copies: Array, domains: Array, groups: Array, kept: Array) -> Array:
    """Return how many of ``domains`` hold one of a token's ``copies`` experts, mean: ``D (1 − (1 − 1/D)^k)``.

    Node-limited routing draws the experts from ``kept`` of ``groups`` equal groups, laid side by side (``groups`` 0:
    from all). With g groups hit on average, ``D (1 − (1 − g/(G − (w − 1)/2))^w)`` domains where a domain holds w = G/D
    whole groups (drawing without return, within 3 %); where a group is spread over several, the experts fall on the
    domains of the kept ones.

    >>> round(float(domains_reached(8.0, 8.0, 0.0, 0.0)), 2), round(float(domains_reached(8.0, 8.0, 8.0, 4.0)), 2)
    (5.25, 3.6)
    """
    xp = namespace(copies, domains, groups)
    free = domains * (1.0 - (1.0 - 1.0 / domains) ** copies)
    all_groups, kept = xp.maximum(groups, 1.0), xp.maximum(kept, 1.0)
    hit = kept * (1.0 - (1.0 - 1.0 / kept) ** copies)
    held = xp.maximum(all_groups / domains, 1.0)
    missed = xp.maximum(1.0 - hit / (all_groups - 0.5 * (held - 1.0)), 0.0) ** held
    whole = xp.maximum(domains * (1.0 - missed), 1.0)
    near = xp.maximum(kept * domains / all_groups, 1.0)
    spread = near * (1.0 - (1.0 - 1.0 / near) ** copies)
    limited = xp.minimum(xp.where(domains <= all_groups, whole, spread), free)
    return xp.where(groups > 0, limited, free)


def dispatch_s(
    size_b: Array, copies: Array, ranks: Array, stride: Array, links: Links, groups: Array = 0.0, kept: Array = 0.0
) -> Array:  # fmt: skip
    """Return an exchange of experts' tokens: ``size_b`` of activations on a device, each token to ``copies`` ranks.

    A token crosses the network once for every other domain that holds one of its experts, and is copied on the fast
    fabric there (DeepEP, HybridEP): of the domains reached all but the share ``1/D`` that is its own.
    """
    xp = namespace(size_b, ranks)
    inside, domains = _levels(ranks, stride, links)
    local = size_b * copies * (inside - 1.0) / inside / links.inner_b_s
    others = (1.0 - 1.0 / domains) * domains_reached(copies, domains, groups, kept)
    remote = size_b * others / links.outer_b_s
    alpha = links.inner_alpha_s * xp.log2(inside) + links.outer_alpha_s * xp.log2(domains)
    return xp.maximum(local, remote) + alpha


def point_to_point_s(size_b: Array, distance: Array, links: Links) -> Array:
    """Return sending ``size_b`` to the device ``distance`` away: inside the domain when it is that near."""
    xp = namespace(size_b, distance)
    inner = size_b / links.inner_b_s + links.inner_alpha_s
    outer = size_b / links.outer_b_s + links.outer_alpha_s
    return xp.where(distance < links.domain, inner, outer)
