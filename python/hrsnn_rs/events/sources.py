"""Made-up events: Poisson processes, from the core's counter-based streams.

Lives here: how many numbers are drawn, and at what time each becomes an event. Not here: the
numbers (the core). Invariant: the events of a channel depend on the seed, its number and its own
rate alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import MOST_SEED, as_array, check_integer
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import microseconds
from hrsnn_rs.events.memory_limit import check_memory
from hrsnn_rs.events.operations import in_order

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["checked_rates", "poisson"]

#: µs of a second.
_SECOND = 1e6
#: Numbers that are drawn at a time.
_AT_A_TIME = 2**22
#: Bytes that an event takes along the way.
_PER_EVENT = 100
#: Standard deviations beyond the mean that are drawn at first.
_MARGIN = 6.0
_PURPOSE = "poisson"


def poisson(
    rates: ArrayLike, duration: int | None, seed: int, dt: float | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], int, int]:
    """Give times, channels, the number of channels and the duration of Poisson processes.

    The k-th event of a channel is when the integral of its rate reaches the sum of k numbers with
    an exponential law of mean 1: this is exact for any course of the rate.
    """
    seed = check_integer("seed", seed, high=MOST_SEED)
    rate = checked_rates(rates)
    if rate.ndim == 1:
        if dt is not None:
            raise ParameterError(f"dt must be None where rates are constant; got {dt!r}.")
        if duration is None:
            raise ParameterError("duration must be given (in µs) where rates are constant.")
        length = check_integer("duration", duration, 1, unit="µs")
        rate, step = rate[None], length
    else:
        if dt is None:
            raise ParameterError("dt must be given (ms per row) where rates have two dimensions.")
        step = microseconds(dt, "dt")
        length = rate.shape[0] * step
        if duration is not None and check_integer("duration", duration, 1) != length:
            raise ParameterError(
                f"duration must be None or that of the rates ({length} µs); got {duration!r}."
            )
    # Expected events up to the end of each bin, summed up for each channel by itself.
    reached = np.concatenate([np.zeros((1, rate.shape[1])), np.cumsum(rate * (step / _SECOND), 0)])
    check_memory("rates", _PER_EVENT * float(reached[-1].sum()))
    t, channel = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    waiting = np.flatnonzero(reached[-1] > 0.0)
    # As many numbers as are nearly always enough; rounded up, so that many rows have as many.
    expected = reached[-1, waiting]
    quarters = np.ceil(4.0 * np.log2(expected + _MARGIN * np.sqrt(expected) + 8.0))
    n_drawn = np.ceil(2.0 ** (quarters / 4.0)).astype(np.int64)
    while waiting.size:
        n = int(n_drawn[0])
        some = np.flatnonzero(n_drawn == n)[: max(1, _AT_A_TIME // n)]
        rows = waiting[some]
        sums = _sums(rows, n, rate.shape[1], seed)
        enough = sums[:, -1] >= reached[-1, rows]
        for row, sum_of_row in zip(rows[enough], sums[enough], strict=True):
            times = _times(sum_of_row, reached[:, row], step)
            t.append(times)
            channel.append(np.full(times.size, row))
        done = np.zeros(waiting.size, dtype=np.bool_)
        done[some[enough]] = True
        n_drawn[some[~enough]] *= 2
        waiting, n_drawn = waiting[~done], n_drawn[~done]
    n_channels = rate.shape[1]
    return *in_order(np.concatenate(t), np.concatenate(channel), n_channels), n_channels, length


def checked_rates(rates: ArrayLike) -> NDArray[np.float64]:
    """Check rates of channels, constant or in bins of time.

    Parameters
    ----------
    rates : array_like, shape (n_channels,) or (n_bins, n_channels)
        Hz. Not changed.

    Returns
    -------
    float64 ndarray
        A copy.

    Raises
    ------
    ParameterError
        If a rate is negative, not finite or no number.
    ShapeError
        If there is none, or the shape is another one.

    Examples
    --------
    >>> checked_rates([5, 10])
    array([ 5., 10.])
    """
    given = as_array("rates", rates)
    if given.dtype.kind not in "iuf":
        raise ParameterError(f"rates must hold numbers; got dtype {given.dtype}.")
    if given.ndim not in (1, 2) or 0 in given.shape:
        raise ShapeError(
            f"rates must have shape (n_channels,) or (n_bins, n_channels), none of them 0;"
            f" got {given.shape}."
        )
    rate = given.astype(np.float64)
    wrong = ~(np.isfinite(rate) & (rate >= 0.0))
    if wrong.any():
        place = tuple(int(index) for index in np.argwhere(wrong)[0])
        at = f"channel {place[0]}" if rate.ndim == 1 else f"(bin, channel) {place}"
        raise ParameterError(f"rates must be at least 0 Hz; got {float(rate[place])!r} at {at}.")
    return rate


def _sums(rows: NDArray[np.int64], n: int, n_channels: int, seed: int) -> NDArray[np.float64]:
    """Sum up the first `n` numbers of each row's stream."""
    widths = np.zeros(n_channels + 1, dtype=np.int64)
    widths[rows + 1] = n
    drawn = _hrsnn.sample("gamma", [1.0, 1.0], None, None, np.cumsum(widths), seed, _PURPOSE)
    return np.cumsum(drawn.reshape(rows.size, n), axis=1)


def _times(sums: NDArray[np.float64], reached: NDArray[np.float64], step: int) -> NDArray[np.int64]:
    """Turn expected numbers of events into times in µs, rounded down."""
    sums = sums[: np.searchsorted(sums, reached[-1], side="left")]
    bins = np.searchsorted(reached, sums, side="right") - 1
    share = (sums - reached[bins]) / (reached[bins + 1] - reached[bins])
    # A share just below 1 may be rounded to the next bin's beginning.
    return bins * step + np.minimum((share * step).astype(np.int64), step - 1)
