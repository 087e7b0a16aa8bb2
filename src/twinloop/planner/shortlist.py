"""The options of a stage that are worth placing: the cheapest of the cheapest devices."""

from __future__ import annotations

from twinloop.model.estimate import StageOption
from twinloop.model.model import Model, Stage

DEVICES_PER_STAGE = {"ingest": 2, "preprocess": 2, "train": 4, "serve": 4}
OPTIONS_PER_DEVICE = 2


def shortlist(model: Model, stage: Stage, options: tuple[StageOption, ...]) -> tuple[StageOption, ...]:
    """Keep the cheapest options of the cheapest devices to own, and of the cheapest to rent.

    Owned: servers over the horizon plus energy at a flat 0.2 USD/kWh and PUE 1.2, only to rank; the
    selection prices what is kept exactly.
    """
    prices = {server.name: server.price_usd for server in model.servers}

    def owned(option: StageOption) -> float:
        mean_w = option.idle.total_w + option.busy_fraction * (option.busy.total_w - option.idle.total_w)
        energy_kwh = mean_w * model.horizon_s / 3.6e6
        return prices[option.server] * option.servers * 1.4 + energy_kwh * 1.2 * 0.2

    rents: dict[str, float] = {}
    for cloud in model.clouds:
        for offer in cloud.offers:
            price = offer.price_usd_per_s / max(offer.devices, 1)
            rents[offer.device] = min(price, rents.get(offer.device, price))

    def rented(option: StageOption) -> float:
        share = option.busy_fraction if option.duration_s is not None else 1.0
        return rents[option.device] * option.device_count * share

    kept = _best_devices(sorted(options, key=lambda o: (owned(o), o.server)), DEVICES_PER_STAGE[stage.kind])
    offered = [option for option in options if option.device in rents]
    kept += _best_devices(sorted(offered, key=lambda o: (rented(o), o.server)), 2)
    return tuple({id(option): option for option in kept}.values())


def _best_devices(ranked: list[StageOption], count: int) -> list[StageOption]:
    """Return the first two options of each of the first ``count`` devices."""
    devices = list(dict.fromkeys(option.device for option in ranked))[:count]
    return [o for device in devices for o in [each for each in ranked if each.device == device][:OPTIONS_PER_DEVICE]]
