"""What the estimator takes for a sample: telling tables from events, recognising.

Small questions about collections of samples that classifier and experiments share. Encoding
and simulation live elsewhere; nothing here changes a sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
from hrsnn_rs.encoding.time_series import SeriesEncoder
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.forms import as_events
from hrsnn_rs.events.sensor import SensorEvents

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hrsnn_rs.encoding.tables import TableEncoder


def fingerprint(events: Events) -> int:
    """Give a 63-bit number that tells a sample from others by its content.

    Parameters
    ----------
    events : Events
        Encoded sample.

    Returns
    -------
    int
        The same for the same times, channels and duration, on every machine.

    Examples
    --------
    >>> from hrsnn_rs.learning.estimator_input import fingerprint
    >>> from hrsnn_rs.events import Events
    >>> one, same = (Events([1, 5], [0, 1], n_channels=2) for _ in range(2))
    >>> fingerprint(one) == fingerprint(same)
    True
    """
    digest = hashlib.blake2b(digest_size=8)
    digest.update(f"{events.n_channels} {events.duration}".encode())
    digest.update(np.ascontiguousarray(events.t, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(events.channel, dtype="<u4").tobytes())
    return int.from_bytes(digest.digest(), "little") >> 1


def encode_one(
    sample: Any,
    encoder: SensorEncoder | SeriesEncoder | TableEncoder | None,
    n_channels: int | None,
) -> Events:
    """Turn a sample into events: by the encoder if it is of the kind that this takes.

    Parameters
    ----------
    sample : object
        Events of a sensor, a time series, or what `Network.run` accepts.
    encoder : SensorEncoder, SeriesEncoder, TableEncoder or None
        That of the classifier.
    n_channels : int or None
        Number of channels of what is taken as it is, where that is known.

    Returns
    -------
    Events

    Examples
    --------
    >>> from hrsnn_rs.encoding import LevelCrossing
    >>> from hrsnn_rs.learning.estimator_input import encode_one
    >>> encode_one([[0.0], [2.0]], LevelCrossing(n_columns=1, delta=0.5, dt=1.0), None)
    Events(4 events, n_channels=2, duration=2000 µs)
    """
    if isinstance(encoder, SeriesEncoder) and not isinstance(sample, Events):
        return encoder(sample)
    if isinstance(encoder, SensorEncoder) and isinstance(sample, SensorEvents):
        return encoder(sample)
    return as_events(sample, n_channels)


def is_table(samples: Any) -> bool:
    """Whether samples are rows of numbers and not events.

    Parameters
    ----------
    samples : object
        What was given as samples. Not changed, and not consumed if it is an iterator.

    Returns
    -------
    bool
        True for a plain array of at most two dimensions, a frame, a sparse matrix or a list of
        rows; False for events, structured arrays, pairs, rasters and iterators.

    Examples
    --------
    >>> from hrsnn_rs.events import Events
    >>> from hrsnn_rs.learning.estimator_input import is_table
    >>> is_table([[0.1, 0.2], [0.3, 0.4]]), is_table([Events([1], [0], n_channels=1)])
    (True, False)
    """
    if isinstance(samples, np.ndarray):
        return samples.dtype.names is None and samples.ndim < 3 and not _holds_samples(samples)
    if isinstance(samples, (list, tuple)):
        return len(samples) == 0 or not _is_sample(samples[0])
    # Frames and sparse matrices have a shape; some objects only NumPy can read.
    return hasattr(samples, "shape") or hasattr(samples, "__array__")


def _is_sample(one: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.ndim != 1 or one.dtype.names is not None
    return isinstance(one, (Events, SensorEvents, tuple, pl.DataFrame))


def _holds_samples(array: NDArray[Any]) -> bool:
    return array.dtype == object and array.size > 0 and _is_sample(array.flat[0])


def peek(samples: Iterable[Any]) -> tuple[Any, Iterable[Any]]:
    """Look at the first sample of any iterable without losing it.

    Parameters
    ----------
    samples : iterable
        Samples; an iterator is advanced by one.

    Returns
    -------
    first : object
        The first sample.
    samples : iterable
        All samples, the first included.

    Raises
    ------
    ShapeError
        If there is none.

    Examples
    --------
    >>> from hrsnn_rs.learning.estimator_input import peek
    >>> first, samples = peek(iter("abc"))
    >>> first, list(samples)
    ('a', ['a', 'b', 'c'])
    """
    if not isinstance(samples, Iterable):
        raise ParameterError(f"samples must be an iterable of samples; got {samples!r}.")
    iterator = iter(samples)
    try:
        first = next(iterator)
    except StopIteration:
        raise ShapeError("samples must hold at least 1 sample; got 0.") from None
    return first, chain([first], iterator)
