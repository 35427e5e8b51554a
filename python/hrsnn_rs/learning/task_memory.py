"""The memory task: how much of a past input the spikes of now hold.

The input is noise that takes a new value every 50 ms, given to half of the channels as it is and to
the other half upside down. A ridge regression reads the values of the past out of the low-passed
spikes; memory capacity is the sum over lags of the shares of variance that it explains on a stretch
it was not fitted to. Membranes with one time constant are one linear filter, whose capacity is 1 at
most; a spread makes a bank of filters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import signal, sparse

from hrsnn_rs.arguments import check_integer
from hrsnn_rs.description import LIF, Distribution, Uniform
from hrsnn_rs.events import Events
from hrsnn_rs.learning.tasks import run_task
from hrsnn_rs.network import Network, RunStats
from hrsnn_rs.network.one_sample import check_threads

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

N_CHANNELS = 100
CONDITIONS = {"no recurrence": 0.0, "recurrent delays 1-200 ms": 0.1}
"""Recurrent weight of each condition, as a share of the threshold."""
LAGS = 51
"""Lags of 0 to 50 steps."""

STEP = 0.05  # s
_CHANNEL_RATE = 30.0  # Hz, mean of a channel
_RATE = 4.0  # Hz, of the neurons
_LOWPASS = 30.0  # ms
_CALIBRATION = 300  # steps, from the beginning
_WASHOUT = 60  # steps
_BALANCE = 0.9  # negative input weight of a neuron as a share of its positive
_PENALTIES = (1.0, 10.0, 100.0, 1e3, 1e4)


def measure_memory(
    seeds: Iterable[int] = range(12),
    *,
    n_neurons: int = 400,
    n_samples: int = 2400,
    output: str | os.PathLike[str] | None = None,
    n_threads: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Measure memory capacity with and without recurrent delays.

    Each neuron has 20 inputs, half of them negative, so that it follows the signal and not the
    background; all networks are calibrated to 4 Hz.

    Parameters
    ----------
    seeds : iterable of int, default=range(12)
        Seeds of stimuli and network.
    n_neurons : int, default=400
        Neurons.
    n_samples : int, default=2400
        Steps of 50 ms, at least 400: the regression is fitted to the first 60 %, its penalty chosen
        on 12 %, and the rest judges.
    output : str or path-like, default=None
        Parquet file of the rows; a run that was stopped goes on from it.
    n_threads : int, default=None
        Threads; the result does not depend on them. `None` means all cores.
    progress : callable, default=None
        Called with steps done, steps in all, and what comes next.

    Returns
    -------
    polars.DataFrame
        Rows as of `run_task`. `score` is the memory capacity of the spikes and `by_lag` its parts;
        `linear` is that of the same membranes without a threshold, `theory` what is expected of it.

    Raises
    ------
    ParameterError
        If a seed or a size is out of range, or the rows in `output` are of something else.
    FormatError
        If `output` is no table of rows.

    Examples
    --------
    >>> from hrsnn_rs.learning import measure_memory
    >>> rows = measure_memory([0], n_neurons=20, n_samples=400)
    >>> len(rows["by_lag"][0])
    51
    """
    check_threads(n_threads)
    n_samples = check_integer("n_samples", n_samples, 400)

    def prepare(condition: str, seed: int) -> Callable[[Distribution], dict[str, Any]]:
        random = np.random.default_rng([seed, 0])
        values = random.random(n_samples)
        events = noise(values, random)
        step = round(STEP * 1e6)
        n_first = int(np.searchsorted(events.t, _CALIBRATION * step))
        first = Events(
            events.t[:n_first], events.channel[:n_first],
            n_channels=N_CHANNELS, duration=_CALIBRATION * step,
        )  # fmt: skip
        weights, recurrent, delays = random_graph(n_neurons, seed, CONDITIONS[condition])

        def measure(law: Distribution) -> dict[str, Any]:
            tau_m = law.sample_each(n_neurons, seed, "tau_m")
            network = Network.from_arrays(
                sparse.csr_array(weights),
                recurrent,
                recurrent_delay=delays,
                neuron=LIF(tau_m=tau_m),
            )
            calibration = network.calibrate([first], rate=_RATE, n_threads=n_threads)
            features, each = network.transform(
                [events], n_samples, features="lowpass", tau_lowpass=_LOWPASS,
                n_threads=n_threads, return_stats=True,
            )  # fmt: skip
            total = RunStats.total(each)
            by_lag = capacity(features[0].astype(np.float64), values)
            row = {
                "score": float(by_lag.sum()),
                "by_lag": by_lag.tolist(),
                "spikes_per_sample": total.n_spikes / n_samples,
                "rate": 1e6 * total.n_spikes / (n_neurons * total.duration),
                "gain": calibration.gain,
                "suprathreshold": calibration.suprathreshold,
                "synaptic_operations": total.n_synaptic_operations / n_samples,
            }
            if CONDITIONS[condition] == 0.0:
                potentials = _membranes(events, weights, tau_m, n_samples)
                row["linear"] = float(capacity(potentials, values).sum())
                row["theory"] = linear_capacity(weights, tau_m)
            return row

        return measure

    return run_task(
        "memory", list(CONDITIONS), seeds, prepare,
        n_neurons=n_neurons, n_samples=n_samples, output=output, progress=progress,
    )  # fmt: skip


def noise(values: Floats, random: np.random.Generator) -> Events:
    """Make Poisson spikes whose rates follow `values` in [0, 1]: one half up, the other down."""
    rates = np.repeat(np.stack([values, 1.0 - values]), N_CHANNELS // 2, axis=0)
    counts = random.poisson(2.0 * _CHANNEL_RATE * STEP * rates).ravel()
    channel, step = np.divmod(np.repeat(np.arange(counts.size), counts), values.size)
    length = round(STEP * 1e6)
    t = step * length + random.integers(0, length, step.size)
    order = np.argsort(t, kind="stable")
    return Events(t[order], channel[order], n_channels=N_CHANNELS, duration=values.size * length)


def capacity(features: Floats, values: Floats) -> Floats:
    """Give the share of variance of the input at each lag that a regression finds again.

    What chance explains, one part in as many as are judged, is taken off, so that nothing found
    is 0 on average.

    Parameters
    ----------
    features : float64 array of shape (n_steps, n_features)
        What is read. Not changed.
    values : float64 array of shape (n_steps,)
        The input. Not changed.

    Returns
    -------
    float64 array of shape (51,)
        Squared correlation at lags 0 to 50.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning.task_memory import capacity
    >>> values = np.random.default_rng(0).random(2000)
    >>> known = np.stack([np.roll(values, lag) for lag in (0, 3)], axis=1)
    >>> capacity(known, values)[[0, 3]].round(2).tolist()
    [1.0, 1.0]
    """
    n = len(values)
    fitted, chosen = slice(_WASHOUT, int(0.6 * n)), slice(int(0.6 * n), int(0.72 * n))
    judged = slice(int(0.72 * n), n)
    past = [np.concatenate([np.full(lag, 0.5), values[: n - lag]]) for lag in range(LAGS)]
    targets = np.stack(past, axis=1) - 0.5
    centred = features - features[fitted].mean(axis=0)
    scale = centred[fitted].std(axis=0)
    # A neuron that was all but silent would otherwise be blown up by its first spikes to come.
    floor = 1e-3 * np.median(scale[scale > 0.0]) if scale.any() else np.inf
    centred = np.clip(centred / np.where(scale > floor, scale, np.inf), -30.0, 30.0)
    left, sizes, right = np.linalg.svd(centred[fitted], full_matrices=False)
    shared, projected = left.T @ targets[fitted], centred @ right.T
    tried = []
    for penalty in _PENALTIES:
        estimates = projected @ ((sizes / (sizes**2 + penalty))[:, None] * shared)
        tried.append([_explained(estimates[part], targets[part]) for part in (chosen, judged)])
    return max(tried, key=lambda both: float(both[0].sum()))[1]


def linear_capacity(weights: Floats, tau_m: Floats) -> float:
    """Predict the capacity of membranes without threshold; nothing is fitted.

    A membrane is an exponential filter of the input and has the shot noise of its channels. The
    capacity at a lag is the response to it, measured by the inverse covariance of all membranes.

    Parameters
    ----------
    weights : float64 array of shape (n_channels, n_neurons)
        Input weights. Not changed.
    tau_m : float64 array of shape (n_neurons,)
        Membrane time constants in ms. Not changed.

    Returns
    -------
    float
        Sum over lags 0 to 50; with one time constant 1 at most.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning.task_memory import linear_capacity
    >>> weights = np.random.default_rng(0).gamma(3.0, size=(100, 50))
    >>> linear_capacity(weights, np.full(50, 80.0)) < 1.0
    True
    """
    tau = tau_m / 1e3
    half = N_CHANNELS // 2
    drive = (weights[:half].sum(axis=0) - weights[half:].sum(axis=0)) * 2.0 * _CHANNEL_RATE
    # To 400 steps: what lies further back is still noise for what is asked.
    decay = np.exp(-np.arange(400) * STEP / tau[:, None])
    response = (drive * tau * (1.0 - np.exp(-STEP / tau)))[:, None] * decay
    both = np.outer(tau, tau) / np.add.outer(tau, tau)
    covariance = response @ response.T / 12.0 + weights.T @ weights * _CHANNEL_RATE * both
    # Rounding makes the covariance of equal membranes singular.
    covariance += np.eye(tau.size) * 1e-9 * np.trace(covariance) / tau.size
    asked = response[:, :LAGS]
    return float((asked * np.linalg.solve(covariance, asked)).sum() / 12.0)


def random_graph(
    n: int, seed: int, weight: float
) -> tuple[Floats, sparse.csr_array, Floats | float]:
    """Draw input weights (mV), recurrent weights, and recurrent delays (ms), one for each axon."""
    random = np.random.default_rng([seed, 1])
    weights = np.zeros((N_CHANNELS, n))
    k = 20
    drawn = random.gamma(3.0, 1.0 / 3.0, (n, k))
    negative, positive = drawn[:, : k // 2], drawn[:, k // 2 :]
    negative *= -_BALANCE * (positive.sum(axis=1) / negative.sum(axis=1))[:, None]
    channels = random.permuted(np.tile(np.arange(N_CHANNELS), (n, 1)), axis=1)[:, :k]
    np.put_along_axis(weights, channels.T, drawn.T, axis=0)
    if weight == 0.0:
        return weights, sparse.csr_array((n, n)), 1.0
    inhibitory = random.random(n) < 0.2
    # Sources are drawn among the others: numbers from one's own on are moved up by one.
    sources = random.permuted(np.tile(np.arange(n - 1), (n, 1)), axis=1)[:, : min(30, n - 1)]
    sources += sources >= np.arange(n)[:, None]
    matrix = np.zeros((n, n))
    size = weight * 15.0 * np.where(inhibitory, -4.0, 1.0)
    np.put_along_axis(matrix, sources.T, size[sources.T], axis=0)
    recurrent = sparse.csr_array(matrix)
    axons = Uniform(1.0, 200.0).sample_each(n, seed, "axon")
    return weights, recurrent, np.repeat(axons, np.diff(recurrent.indptr))


def _membranes(events: Events, weights: Floats, tau_m: Floats, n_steps: int) -> Floats:
    """Give the potentials at the ends of the steps, without threshold, on a lattice of 1 ms."""
    per_step = round(STEP * 1e3)
    counts = np.zeros((n_steps * per_step, N_CHANNELS), dtype=np.float32)
    np.add.at(counts, (events.t // 1000, events.channel), 1.0)
    drive = counts @ weights.astype(np.float32)
    return np.stack(
        [
            signal.lfilter([1.0], [1.0, -np.exp(-1.0 / tau)], drive[:, neuron])[
                per_step - 1 :: per_step
            ]
            for neuron, tau in enumerate(tau_m)
        ],
        axis=1,
    )


def _explained(estimates: Floats, targets: Floats) -> Floats:
    """Give the squared correlation of each column, less what chance gives."""
    first, second = (part - part.mean(axis=0) for part in (estimates, targets))
    sizes = (first**2).sum(axis=0) * (second**2).sum(axis=0)
    explained = (first * second).sum(axis=0) ** 2 / np.maximum(sizes, 1e-12)
    return np.asarray(explained - 1.0 / len(targets))
