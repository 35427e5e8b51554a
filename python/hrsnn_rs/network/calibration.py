"""The search for an input gain that gives a wanted mean rate.

Lives here: bracketing, narrowing, and the two ways in which a target is out of reach. Not
here: how a rate is measured. The trap that this module guards: where one input event alone
drives a neuron over its threshold, the network relays its input, and time constants, weights
and learning hardly matter; a rate reached that way is refused.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from hrsnn_rs.errors import CalibrationError, CalibrationWarning, ParameterError
from hrsnn_rs.network.results import Calibration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hrsnn_rs.arguments import FloatArray
    from hrsnn_rs.events.events import Events
    from hrsnn_rs.network.input_gain import InputScaling

__all__ = ["calibrate", "psp_peak"]

#: Share of suprathreshold synapses from which the search gives up, and from which it warns.
RELAY, WARN = 0.5, 0.001
#: Relative error of the rate that is good enough, and that is still accepted.
CLOSE, ACCEPTED = 0.01, 0.1
#: Share of a sample before its first event that is worth a word.
LEAD = 0.1
#: Largest number of passes over the samples.
MOST_RUNS = 60


def psp_peak(tau_m: FloatArray, tau_syn: FloatArray) -> FloatArray:
    """Return how far an arrival of 1 mV lifts a neuron at rest, at most.

    Parameters
    ----------
    tau_m, tau_syn : float64 array
        Time constants in ms.

    Returns
    -------
    float64 array
        mV; 1 for delta synapses.

    Examples
    --------
    >>> psp_peak(np.array([20.0, 20.0]), np.array([0.0, 20.0])).round(3)
    array([1.   , 0.368])
    """
    ratio = tau_syn / tau_m
    # ratio ** (ratio / (1 - ratio)); its limits are 1 at 0 and 1/e at 1.
    at_limit = (ratio == 0.0) | (np.abs(ratio - 1.0) < 1e-9)
    usual = np.where(at_limit, 0.5, ratio)
    peak = np.exp(np.log(usual) * usual / (1.0 - usual))
    return np.where(at_limit, np.where(ratio == 0.0, 1.0, np.exp(-1.0)), peak)


def calibrate(
    rate_of: Callable[[float], float],
    scaling: InputScaling,
    room: FloatArray,
    samples: Sequence[Events],
    target: float,
) -> Calibration:
    """Find the gain at which `rate_of(gain)` is `target`.

    Parameters
    ----------
    rate_of : callable
        Mean rate in Hz with all input weights scaled by a gain.
    scaling : InputScaling
        Input weights, and by how much they may be scaled.
    room : float64 array of shape (n_synapses,)
        From where each synapse's neuron rests to its threshold, mV.
    samples : sequence of Events
        What the rate is measured on.
    target : float
        Hz.

    Returns
    -------
    Calibration

    Raises
    ------
    CalibrationError
        If the target cannot be reached.
    ParameterError
        If there is nothing to scale or to measure on.
    """
    if not any(len(sample) for sample in samples):
        raise ParameterError("samples must hold at least one event to calibrate on; got none.")
    excitatory = scaling.weight > 0.0
    if not excitatory.any():
        raise ParameterError("input weights must have a positive one to calibrate; got none.")
    # The gain from which each excitatory synapse alone drives its neuron over threshold.
    alone = np.sort(np.maximum(room[excitatory], 0.0) / scaling.weight[excitatory])
    n_runs = 0
    lead = _empty_lead(samples)

    def share(gain: float) -> float:
        return float(np.searchsorted(alone, gain, side="right") / alone.size)

    def measured(gain: float) -> float:
        nonlocal n_runs
        n_runs += 1
        return rate_of(gain)

    least, most = scaling.least, scaling.most
    low, high = least, min(max(float(np.median(alone)) / 8.0 or 1.0, least), most)
    rate = lowest = highest = measured(high)
    while rate < target:
        if high >= most:
            raise CalibrationError(
                f"a rate of {target:g} Hz is out of reach: at gain {high:.4g} it is {rate:.3g} Hz,"
                " and an input weight is at its bound. Give inputs that learn a higher w_max, each"
                f" neuron more input synapses, a longer tau_m, or ask for a lower rate.{lead}"
            )
        if share(high) >= RELAY:
            raise CalibrationError(
                f"a rate of {target:g} Hz is out of reach: at gain {high:.4g} it is {rate:.3g} Hz,"
                f" and {share(high):.0%} of the excitatory input synapses drive their neuron over"
                " threshold alone, so that more gain only relays the input. Give each neuron more"
                f" input synapses, a longer tau_m, or ask for a lower rate.{lead}"
            )
        low, lowest, high = high, rate, min(1.5 * high, most)
        rate = highest = measured(high)
    if low == least:
        lowest = measured(least)
        if lowest >= target:
            where = (
                f"at gain {least:.4g}, with an input weight at w_min,"
                if least
                else "without any input"
            )
            raise CalibrationError(
                f"a rate of {target:g} Hz is out of reach: {where} it is {lowest:.3g} Hz." + lead
            )
    gain = high
    while abs(rate - target) > CLOSE * target and n_runs < MOST_RUNS:
        # A straight line through both ends, kept off them; halving every third time, so that
        # a curve that hugs one end cannot stall the search.
        share_of_gap = (target - lowest) / (highest - lowest) if n_runs % 3 else 0.5
        gain = low + (high - low) * min(max(share_of_gap, 0.1), 0.9)
        if not low < gain < high:
            break
        rate = measured(gain)
        if rate < target:
            low, lowest = gain, rate
        else:
            high, highest = gain, rate
    if abs(rate - target) > ACCEPTED * target:
        raise CalibrationError(
            f"a rate of {target:g} Hz is out of reach: around gain {gain:.6g} the rate jumps from"
            f" {lowest:.3g} Hz past it, to {highest:.3g} Hz." + lead
        )
    if share(gain) > WARN:
        warnings.warn(
            f"{share(gain):.1%} of the excitatory input synapses drive their neuron over threshold"
            f" alone at gain {gain:.4g}.{lead}",
            CalibrationWarning,
            stacklevel=3,
        )
    return Calibration(gain, rate, share(gain), n_runs)


def _empty_lead(samples: Sequence[Events]) -> str:
    """Say how long samples are empty before their first event, if that is a share of them."""
    n_empty = sum(int(sample.t[0]) for sample in samples if len(sample))
    n_all = sum(sample.duration for sample in samples if len(sample))
    if n_empty < LEAD * n_all:
        return ""
    return (
        f" The samples are empty before their first event for {n_empty / n_all:.0%} of their time:"
        " where their clock does not begin at 0, take the first t off all t and the duration, as"
        " encoders with start='first_event' do."
    )
