"""The interval task: to tell how long it was from one volley to the next.

Two volleys on the same inputs, 10 to 1000 ms apart, and a readout that sees each neuron's count of
the whole sample. Without recurrence nothing but the membranes can carry the first volley to the
second. With one time constant all of them hold the same mixture of both, so that a short interval
looks like a large volley; a spread of time constants tells them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy import stats

from hrsnn_rs.description import (
    LIF,
    Constant,
    Distribution,
    FixedInDegreeConnectivity,
    Gamma,
    LogUniform,
    Uniform,
)
from hrsnn_rs.events import Events
from hrsnn_rs.learning.readout import Readout
from hrsnn_rs.learning.systems import calibrated_counts
from hrsnn_rs.learning.tasks import SYSTEMS, run_task
from hrsnn_rs.network import Network
from hrsnn_rs.network.one_sample import check_threads

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

N_CHANNELS = 50
DURATION = 1_400_000
"""Of a sample, in µs."""
INTERVALS: dict[str, NDArray[Any]] = {
    f"{decades} decades": 100.0 * 10.0 ** (2 / 7 * (np.arange(n) - (n - 1) / 2))
    for n, decades in ((2, 0.3), (4, 0.9), (6, 1.4), (8, 2))
}
"""Classes of each condition, in ms: around 100 ms, each 1.9 times the one before."""
WITH_DELAYS = "2 decades, recurrent delays 1-200 ms"
"""The condition whose neurons have 30 recurrent synapses each."""
CONDITIONS = (*INTERVALS, WITH_DELAYS)
"""All conditions."""

_TAKE_PART = 0.8  # of the channels, in each volley
_BACKGROUND = 2.0  # Hz of each channel
_VOLLEY = 1.0  # ms, standard deviation within a volley
_SPREAD = 0.1  # standard deviation of the logarithm of an interval within its class
_IN_DEGREE = 10
_INFORMATIVE = 10  # neurons' worth of independent noise, in the theory
_RATE = 0.5  # Hz; at 3 Hz both volleys make every neuron spike, and nothing is left to tell


def measure_interval(
    seeds: Iterable[int] = range(12),
    *,
    n_neurons: int = 300,
    n_samples: int = 50,
    output: str | os.PathLike[str] | None = None,
    n_threads: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Name the interval between two volleys, from 0.3 decades of intervals to 2.

    Each neuron has 10 of the 50 inputs; all networks are calibrated to 0.5 Hz. Volleys lack a fifth
    of their channels, each time others, and there is background, so that their size varies.

    Parameters
    ----------
    seeds : iterable of int, default=range(12)
        Seeds of stimuli and network.
    n_neurons : int, default=300
        Neurons.
    n_samples : int, default=50
        Samples of each class for the readout to learn from, and as many to judge it by.
    output : str or path-like, default=None
        Parquet file of the rows; a run that was stopped goes on from it.
    n_threads : int, default=None
        Threads; the result does not depend on them. `None` means all cores.
    progress : callable, default=None
        Called with steps done, steps in all, and what comes next.

    Returns
    -------
    polars.DataFrame
        Rows as of `run_task`; `score` is the accuracy.

    Raises
    ------
    ParameterError
        If a seed or a size is out of range, or the rows in `output` are of something else.
    FormatError
        If `output` is no table of rows.

    Examples
    --------
    >>> from hrsnn_rs.learning import measure_interval
    >>> rows = measure_interval([0], n_neurons=20, n_samples=4)
    >>> rows["condition"].n_unique(), rows["system"].n_unique()
    (5, 10)
    """
    check_threads(n_threads)

    def prepare(condition: str, seed: int) -> Callable[[Distribution], dict[str, Any]]:
        classes = INTERVALS[condition.partition(",")[0]]
        labels = np.repeat(np.arange(len(classes)), n_samples)
        known, new = (
            volleys(classes[labels], np.random.default_rng([seed, side])) for side in (0, 1)
        )
        recurrent = None
        if condition == WITH_DELAYS:
            recurrent = FixedInDegreeConnectivity(
                k=min(30, n_neurons - 1), weight=0.75, delay=Uniform(1.0, 200.0)
            )

        def measure(law: Distribution) -> dict[str, Any]:
            network = Network(
                n_inputs=N_CHANNELS,
                n_neurons=n_neurons,
                neuron=LIF(tau_m=law),
                inputs=FixedInDegreeConnectivity(k=_IN_DEGREE, weight=Gamma(1.0, 3.0)),
                recurrent=recurrent,
                seed=seed,
            )
            return named_rightly(network, (known, labels), (new, labels), n_threads)

        return measure

    return run_task(
        "interval", CONDITIONS, seeds, prepare,
        n_neurons=n_neurons, n_samples=n_samples, output=output, progress=progress,
    )  # fmt: skip


def named_rightly(
    network: Network,
    known: tuple[list[Events], NDArray[Any]],
    new: tuple[list[Events], NDArray[Any]],
    n_threads: int | None,
) -> dict[str, Any]:
    """Calibrate a network and fit a readout to known samples, and judge by new ones.

    Parameters
    ----------
    network : Network
        Its input gain is set, for 0.5 Hz.
    known, new : tuple of list of Events and ndarray
        Samples and their classes.
    n_threads : int or None
        Threads.

    Returns
    -------
    dict
        `score`, the share of new samples that were named rightly, and costs.
    """
    seen, unseen, cost = calibrated_counts(
        network, known[0], new[0], rate=_RATE, n_threads=n_threads
    )
    return {"score": Readout().fit(seen, known[1]).score(unseen, new[1]), **cost}


def volleys(intervals: NDArray[np.float64], random: np.random.Generator) -> list[Events]:
    """Make one sample of two volleys for each interval (ms)."""
    samples = []
    for interval in intervals:
        first = random.uniform(50.0, 150.0)
        second = first + min(interval * np.exp(random.normal(0.0, _SPREAD)), 1150.0)
        channels, times = [], []
        for moment in (first, second):
            channels.append(np.flatnonzero(random.random(N_CHANNELS) < _TAKE_PART))
            times.append(moment + random.normal(0.0, _VOLLEY, channels[-1].size))
        n_background = random.poisson(_BACKGROUND * N_CHANNELS * DURATION / 1e6)
        channels.append(random.integers(0, N_CHANNELS, n_background))
        times.append(random.uniform(0.0, DURATION / 1e3, n_background))
        t = np.clip(np.concatenate(times) * 1e3, 0, DURATION - 1).astype(np.int64)
        order = np.argsort(t, kind="stable")
        channel = np.concatenate(channels)[order]
        samples.append(Events(t[order], channel, n_channels=N_CHANNELS, duration=DURATION))
    return samples


def predict_interval() -> pl.DataFrame:
    """Say what Fisher information lets one expect of each system without recurrence.

    After the second volley a membrane holds `A1 exp(-d / tau_m) + A2`, for an interval d and sizes
    A1 and A2 of the volleys, and noise from background and from the channels that it misses. The
    information of all membranes about log d bounds how well the classes can be told apart. One
    number is free: neurons err together, so that all of them tell as much as 10 that err alone. It
    is the same for all systems and conditions, and nothing is fitted to what was measured.

    Returns
    -------
    polars.DataFrame
        `condition`, `system`, `theory` (accuracy), for the conditions without recurrence.

    Examples
    --------
    >>> from hrsnn_rs.learning import predict_interval
    >>> predict_interval().sort("theory").select("system").row(-1)
    ('80 ms',)
    """
    return pl.DataFrame(
        [
            (condition, system, _accuracy(law, intervals))
            for condition, intervals in INTERVALS.items()
            for system, law in SYSTEMS.items()
        ],
        schema={"condition": pl.String, "system": pl.String, "theory": pl.Float64},
        orient="row",
    )


def _accuracy(law: Distribution, intervals: NDArray[np.float64]) -> float:
    """Share of samples whose class is the nearest to a normal estimate of log d."""
    errors = np.sqrt([_SPREAD**2 + _variance(d, law) for d in intervals])
    half = np.log(intervals[1] / intervals[0]) / 2
    right = stats.norm.cdf(half / errors) - stats.norm.cdf(-half / errors)
    # The outermost classes have one neighbour.
    right[[0, -1]] += stats.norm.cdf(-half / errors[[0, -1]])
    return float(np.maximum(right, 1 / len(intervals)).mean())


def _variance(d: float, law: Distribution) -> float:
    """Smallest variance of an estimate of log d, by the bound of Cramér and Rao.

    Potentials are in units of a mean volley, whose size has the spread of a binomial law.
    """
    tau = _time_constants(law)
    volley = _TAKE_PART * N_CHANNELS
    decay = np.exp(-d / tau)
    # What all share: the background, through the filters of both.
    common = (
        N_CHANNELS * _BACKGROUND / 1e3 * np.outer(tau, tau) / np.add.outer(tau, tau) / volley**2
    )
    # What is a neuron's own: it has 10 inputs, and not the others.
    own = (1 - _TAKE_PART) / _TAKE_PART / _IN_DEGREE * (1 + decay**2)
    own += _IN_DEGREE * _BACKGROUND / 1e3 * tau / 2 / (_TAKE_PART * _IN_DEGREE) ** 2
    own += 1e-4  # A neuron is never exact: it spikes or it does not.
    noise = common + np.diag(own * tau.size / _INFORMATIVE)
    slopes = np.stack([d / tau * decay, decay, np.ones_like(tau)], axis=1)
    size_known = _TAKE_PART * N_CHANNELS / (1 - _TAKE_PART)
    prior = np.diag([1e-6, size_known, size_known])
    return float(np.linalg.inv(slopes.T @ np.linalg.solve(noise, slopes) + prior)[0, 0])


def _time_constants(law: Distribution, n: int = 60) -> NDArray[np.float64]:
    """Give evenly likely values of a law."""
    share = (np.arange(n) + 0.5) / n
    if isinstance(law, Constant):
        return np.array([law.value])
    if isinstance(law, LogUniform):
        return np.asarray(law.low * (law.high / law.low) ** share)
    assert isinstance(law, Gamma)
    return np.asarray(stats.gamma.ppf(share, law.shape, scale=law.mean / law.shape))
