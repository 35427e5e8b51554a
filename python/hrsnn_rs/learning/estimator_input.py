"""What the estimator takes for a sample: telling tables from events, arrays as people have them.

Small questions about collections of samples that classifier and experiments share. Encoding
and simulation live elsewhere; nothing here changes a sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hrsnn_rs.arguments import check_integer
from hrsnn_rs.datasets.samples import EventSamples
from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
from hrsnn_rs.encoding.time_series import SeriesEncoder
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import kind_of, microseconds
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.forms import as_events
from hrsnn_rs.events.sensor import SensorEvents

if TYPE_CHECKING:
    from collections.abc import Iterator

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


class CheckedSamples(Sequence[Events]):
    """Encoded samples that are looked at one by one, as often as they are asked for.

    Parameters
    ----------
    X : sequence of Events
        Not changed.

    Raises
    ------
    ParameterError, ShapeError
        If there is none, and for each sample when it is asked for.

    Examples
    --------
    >>> from hrsnn_rs.learning.estimator_input import CheckedSamples
    >>> CheckedSamples([Events([3], [0], n_channels=1)])[0].t
    array([3])
    """

    def __init__(self, X: Any) -> None:
        if not isinstance(X, Iterable) or (isinstance(X, np.ndarray) and X.ndim == 0):
            raise ParameterError(f"X must be a sequence of samples; got {X!r}.")
        self._all = X if isinstance(X, Sequence) else list(X)
        if not self._all:
            raise ShapeError("X must hold at least 1 sample; got 0.")

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, index: Any) -> Any:
        try:
            return as_events(self._all[index])
        except (ParameterError, ShapeError) as error:
            raise type(error)(f"X[{index}]: {error}") from error


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
    if isinstance(samples, EventSamples):
        return False
    if isinstance(samples, np.ndarray):
        return samples.dtype.names is None and samples.ndim < 3 and not _holds_samples(samples)
    if isinstance(samples, (list, tuple)):
        return len(samples) > 0 and not _is_sample(samples[0])
    if isinstance(getattr(samples, "dtype", None), np.dtype) and samples.dtype.hasobject:
        return not _holds_samples(np.asarray(samples))  # a column of pandas
    # Frames and sparse matrices have a shape; some objects only NumPy can read.
    return hasattr(samples, "shape") or hasattr(samples, "__array__")


def _is_sample(one: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.ndim != 1 or one.dtype.names is not None
    return isinstance(one, (Events, SensorEvents, tuple, pl.DataFrame))


def _holds_samples(array: NDArray[Any]) -> bool:
    return array.dtype == object and array.size > 0 and _is_sample(array.flat[0])


def taken_apart(samples: Any) -> tuple[Any, Any, Any]:
    """Tell samples from the labels and groups that they bring along.

    Parameters
    ----------
    samples : data set, iterable of samples, or of pairs (sample, label)
        A pair's sample is events, a structured array, or an array of more than one dimension. Not
        changed; an iterator of pairs is read to its end.

    Returns
    -------
    samples : iterable
        Samples alone; those of a data set are read when they are asked for.
    labels, groups : array_like of shape (n_samples,) or None
        `None` where there are none. Subjects are groups only where they are known.

    Examples
    --------
    >>> from hrsnn_rs.datasets import make_gestures
    >>> from hrsnn_rs.learning.estimator_input import taken_apart
    >>> samples, labels, groups = taken_apart(make_gestures(1, 1).subset([0, 4]))
    >>> labels.tolist(), groups.tolist()
    ([0, 4], [0, 0])
    """
    if isinstance(samples, EventSamples):
        groups = samples.groups if samples.subjects_known else None
        return _OnlyEvents(samples), samples.labels, groups
    if is_table(samples) or not isinstance(samples, Iterable):
        return samples, None, None
    first, everything = peek(samples)
    if not _is_pair(first):
        return (everything if iter(samples) is samples else samples), None, None
    pairs = list(everything)
    for index, pair in enumerate(pairs):
        if not _is_pair(pair):
            raise ParameterError(
                f"samples must all be pairs (sample, label); got {kind_of(pair)} at {index}."
            )
    return [one for one, _ in pairs], [label for _, label in pairs], None


def _is_pair(one: Any) -> bool:
    if not isinstance(one, tuple) or len(one) != 2:
        return False
    first = one[0]
    if isinstance(first, np.ndarray):
        return first.dtype.names is not None or first.ndim > 1
    return isinstance(first, (Events, SensorEvents))


class _OnlyEvents:
    """The events of a data set, read one after the other, as often as they are asked for."""

    def __init__(self, samples: EventSamples) -> None:
        self._samples = samples
        self.is_video = samples.is_video

    def __len__(self) -> int:
        return len(self._samples)

    def __iter__(self) -> Iterator[Any]:
        return (events for events, _ in self._samples)


def as_sample(one: Any, dt: float | None, sensor_size: tuple[int, int, int] | None) -> Any:
    """Turn an array as people have it into events; leave everything else.

    Parameters
    ----------
    one : object
        One sample. Not changed.
    dt : float or None
        Length in ms of a step, for arrays (time, channels) and (time, polarity, y, x) of counts.
    sensor_size : tuple of int or None
        (width, height, polarities), for structured arrays.

    Returns
    -------
    Events, SensorEvents or object
        Sensor events where there are pixels, so that an encoder can reduce them.

    Raises
    ------
    ParameterError, ShapeError
        If the array has a value or a shape that is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.learning.estimator_input import as_sample
    >>> frames = np.zeros((5, 2, 4, 6), np.uint8)
    >>> frames[3, 1, 2, 5] = 1
    >>> events = as_sample(frames, 10.0, None)
    >>> events
    SensorEvents(1 event, height=4, width=6, duration=50000 µs)
    >>> events.t.tolist(), events.x.tolist(), events.y.tolist(), events.p.tolist()
    ([30000], [5], [2], [1])
    """
    if not isinstance(one, np.ndarray):
        return one
    if one.dtype.names is not None:
        if sensor_size is None:
            if "y" in one.dtype.names:
                raise ParameterError(
                    "sensor_size=(width, height, polarities) must be given where samples are "
                    "structured arrays with x and y."
                )
            return one
        found = Events.from_structured(one, sensor_size=sensor_size)
        width, height, _ = sensor_size
        # A sensor of one dimension has no pixels to merge.
        return found if "y" not in one.dtype.names else _pixels(found, height, width)
    if one.ndim not in (2, 4):
        raise ShapeError(
            f"an array must be (time, channels) or (time, polarity, y, x); got shape {one.shape}."
        )
    if dt is None:
        raise ParameterError("dt must be given (ms per step) where samples are arrays of counts.")
    if one.ndim == 2:
        return as_events(one, dt=dt)
    steps, polarities, height, width = one.shape
    if polarities not in (1, 2):
        raise ShapeError(
            f"an array (time, polarity, y, x) must have 1 or 2 polarities; got shape {one.shape}."
        )
    return _pixels(Events.from_raster(one.reshape(steps, -1), dt=dt), height, width)


def _pixels(events: Events, height: int, width: int) -> SensorEvents:
    p, pixel = np.divmod(events.channel, height * width)
    y, x = np.divmod(pixel, width)
    return SensorEvents(events.t, x, y, p, height, width, events.duration)


def check_arrays_meaning(dt: Any, sensor_size: Any) -> None:
    """Refuse a step or a sensor's size that no array can have.

    Parameters
    ----------
    dt, sensor_size
        As for `as_sample`.

    Raises
    ------
    ParameterError
        If `dt` is no time of at least 1 µs, or `sensor_size` not three whole numbers.

    Examples
    --------
    >>> from hrsnn_rs.learning.estimator_input import check_arrays_meaning
    >>> check_arrays_meaning(1.0, (34, 34, 2))
    """
    if dt is not None:
        microseconds(dt, "dt")
    if sensor_size is None:
        return
    if not isinstance(sensor_size, (tuple, list)) or len(sensor_size) != 3:
        raise ParameterError(
            f"sensor_size must be (width, height, polarities); got {sensor_size!r}."
        )
    for index, (extent, most) in enumerate(
        zip(sensor_size, (2**16 - 1, 2**16 - 1, 2), strict=True)
    ):
        check_integer(f"sensor_size[{index}]", extent, 1, most)


def check_samples(name: str, samples: Any) -> None:
    """Refuse what cannot be iterated, and look at nothing.

    Parameters
    ----------
    name : str
        Argument to name in the message.
    samples : object
        What was given as samples. Not consumed.

    Raises
    ------
    ParameterError
        If it is no iterable.

    Examples
    --------
    >>> check_samples("samples", iter("abc"))
    """
    if isinstance(samples, Iterable) and not (isinstance(samples, np.ndarray) and not samples.ndim):
        return
    advice = ""
    if hasattr(samples, "__getitem__") and not isinstance(samples, np.ndarray):
        advice = " A data set of another library is taken by `datasets.from_tonic`."
    raise ParameterError(f"{name} must be an iterable of samples; got {samples!r}.{advice}")


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
    check_samples("samples", samples)
    iterator = iter(samples)
    try:
        first = next(iterator)
    except StopIteration:
        raise ShapeError("samples must hold at least 1 sample; got 0.") from None
    return first, chain([first], iterator)
