"""What a distribution unit's own thermometers say of it, and what units' heat says of units without meters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinloop.arrays import Array, FloatArray
from twinloop.cooling.cdus import Cdu, cdu
from twinloop.twin.calibration import Fitted, Parameter, fit


@dataclass(frozen=True)
class UnitLoop:
    """One unit's coolant loop over steps of one length: a rated exchanger and one stored heat, stepped exactly.

    ``C dT_r/dt = Q − k (T_r − T_f)`` with ``k`` the heat per kelvin between return and facility supply.
    """

    link_w_k: float
    flow_w_k: float
    gain: float
    """Share of the way to rest that one step goes."""

    def after(self, return_c: Array, heat_w: Array, facility_c: Array) -> Array:
        """Return the coolant's return temperature one step later."""
        return return_c + self.gain * (self.resting_c(heat_w, facility_c) - return_c)

    def resting_c(self, heat_w: Array, facility_c: Array) -> Array:
        """Return the return temperature that ``heat_w`` settles at."""
        return facility_c + heat_w / self.link_w_k

    def supply_c(self, return_c: Array, facility_c: Array) -> Array:
        """Return the coolant that leaves the exchanger."""
        return return_c - self.link_w_k * (return_c - facility_c) / self.flow_w_k


def unit_loop(unit: Cdu, stored_j_k: float, step_s: float) -> UnitLoop:
    """Return the loop of ``unit`` at its design flows with ``stored_j_k`` of coolant and metal.

    >>> loop = unit_loop(Cdu(300e3, 15.0, 15.0, 8e3), 6e6, 15.0)
    >>> round(float(loop.resting_c(900e3, 32.0)), 1), round(loop.gain, 2)
    (49.4, 0.12)
    """
    probe = cdu(unit, 1.0, unit.secondary_design_kg_s, 0.0, unit.primary_design_kg_s)
    link_w_k = float(probe.heat_w)
    flow_w_k = unit.secondary_design_kg_s * unit.secondary_j_kg_k
    return UnitLoop(link_w_k, flow_w_k, float(1.0 - np.exp(-step_s * link_w_k / stored_j_k)))


@dataclass(frozen=True)
class LoopTelemetry:
    """Thermometers and heat of one unit over steps; nan where a reading is missing."""

    step_s: float
    heat_w: FloatArray
    facility_c: FloatArray
    supply_c: FloatArray
    return_c: FloatArray


UNKNOWNS = (
    Parameter("ua_w_k", 200e3, 20e3, 2e6),
    Parameter("stored_j_k", 4e6, 2e5, 1e8),
    Parameter("flow_kg_s", 15.0, 3.0, 60.0),
)
"""Of one unit; both sides are taken to have the same flow."""


def loop_temperatures(values: FloatArray, telemetry: LoopTelemetry, first_c: float) -> FloatArray:
    """Return (supply, return) over the telemetry's steps for ``values`` of :data:`UNKNOWNS`, (2, steps)."""
    ua_w_k, stored_j_k, flow = (float(value) for value in values)
    loop = unit_loop(Cdu(ua_w_k, flow, flow, 0.0), stored_j_k, telemetry.step_s)
    returns, now_c = [], first_c
    for heat_w, facility_c in zip(telemetry.heat_w.tolist(), telemetry.facility_c.tolist(), strict=True):
        now_c = loop.after(now_c, heat_w, facility_c)
        returns.append(now_c)
    return_c = np.array(returns)
    return np.stack([loop.supply_c(return_c, telemetry.facility_c), return_c])


def fit_loop(telemetry: LoopTelemetry, noise_k: float | None = None) -> Fitted:
    """Return exchanger, stored heat and flow of the unit, with their covariance.

    The first return temperature is an unknown of its own, so that a noisy first reading does not bend the rest.

    Raises:
        InputError: too few readings.
    """
    measured = np.stack([telemetry.supply_c, telemetry.return_c])
    known = telemetry.return_c[np.isfinite(telemetry.return_c)]
    first_c = float(known[0]) if known.size else 40.0
    unknowns = (*UNKNOWNS, Parameter("first_return_c", first_c, first_c - 20.0, first_c + 20.0))
    return fit(lambda p: loop_temperatures(p[:3], telemetry, float(p[3])), measured, unknowns, noise_k)


@dataclass(frozen=True)
class HeldOut:
    """A fit and its errors where it was fitted and where it was not, W."""

    fitted: Fitted
    rmse_in_w: float
    rmse_out_w: float
    simple_rmse_out_w: float
    """Of the plainest guess, on the same points."""
    mean_out_w: float


def fit_shares(heat_w: FloatArray, racks: FloatArray, units: Array, steps: Array) -> HeldOut:
    """Return how well a unit's heat follows from the others': ``q = r (a + b s)``, ``s`` their mean heat a rack.

    Fitted on ``units`` and ``steps`` (booleans), each from the others among them; scored on the other units at the
    other steps, whose ``s`` is of ``units`` alone. Plainest guess: the mean of the fitted points, by racks.
    """
    inside, outside = np.flatnonzero(units), np.flatnonzero(~units)
    per_rack = heat_w / racks
    total = per_rack[:, inside].sum(axis=1, keepdims=True)
    others = (total - per_rack[:, inside]) / (inside.size - 1)
    unknowns = (Parameter("idle_w", 0.0, -1e6, 1e6), Parameter("slope", 1.0, -10.0, 10.0))

    def heat(values: FloatArray, signal: FloatArray, of: FloatArray) -> FloatArray:
        return np.asarray(of * (values[0] + values[1] * signal))

    found = fit(lambda p: heat(p, others[steps], racks[inside]), heat_w[np.ix_(steps, inside)], unknowns)
    signal = np.repeat(total / inside.size, outside.size, axis=1)[~steps]
    truth = heat_w[np.ix_(~steps, outside)]
    plain = racks[outside] * float(per_rack[np.ix_(steps, inside)].mean())
    return HeldOut(
        found, found.rmse, _rms(heat(found.values, signal, racks[outside]) - truth), _rms(plain - truth),
        float(truth.mean()),
    )  # fmt: skip


def fit_reversion(
    heat_w: FloatArray, racks: FloatArray, units: Array, steps: Array, ahead: int, step_s: float
) -> HeldOut:
    """Return how fast a unit returns to its share of the machine: ``q(t + h) = m + (q − m) exp(−h/τ)``.

    ``m`` is the unit's racks times the mean heat a rack of ``units`` at ``t``. Scored like :func:`fit_shares`; the
    plainest guess is that nothing changes.
    """
    inside, outside = np.flatnonzero(units), np.flatnonzero(~units)
    machine = (heat_w[:, inside] / racks[inside]).mean(axis=1, keepdims=True)
    horizon_s = ahead * step_s
    unknowns = (Parameter("tau_s", 3600.0, 10.0, 1e6),)

    def later(values: FloatArray, of: Array, rows: Array) -> FloatArray:
        share = racks[of] * machine[:-ahead][rows]
        now = heat_w[:-ahead][np.ix_(rows, of)]
        return np.asarray(share + (now - share) * np.exp(-horizon_s / float(values[0])))

    fitted_rows, scored_rows = steps[:-ahead] & steps[ahead:], ~steps[:-ahead] & ~steps[ahead:]
    found = fit(lambda p: later(p, inside, fitted_rows), heat_w[ahead:][np.ix_(fitted_rows, inside)], unknowns)
    truth = heat_w[ahead:][np.ix_(scored_rows, outside)]
    still = heat_w[:-ahead][np.ix_(scored_rows, outside)]
    return HeldOut(
        found, found.rmse, _rms(later(found.values, outside, scored_rows) - truth), _rms(still - truth),
        float(truth.mean()),
    )  # fmt: skip


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2)))
