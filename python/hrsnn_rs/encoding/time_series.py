"""From time series of several columns to channels: sensors that are neither cameras nor tables.

Lives here: send-on-delta and a population code, each for a whole series. Not here: rows without
time (`tables`). Invariants: nothing is random, Python does not loop over time, and nothing is lost
without being counted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import as_array, check_integer, check_mapping, check_number, within
from hrsnn_rs.encoding.sensor_encoder import EncodingReport
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import microseconds
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.memory_limit import check_memory
from hrsnn_rs.events.operations import in_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["GaussianFields", "LevelCrossing", "SeriesEncoder"]

#: Bytes that an event takes along the way.
_PER_EVENT = 100
#: Largest size of a value, so that differences are finite.
_LARGEST = 1e300


class SeriesEncoder:
    """What encoders of time series have in common."""

    n_columns: int
    dt: float
    dead_time: float

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        raise NotImplementedError

    def __call__(self, series: ArrayLike) -> Events:
        """Return the encoded events; `encode` gives the report as well."""
        return self.encode(series)[0]

    def encode(self, series: ArrayLike) -> tuple[Events, EncodingReport]:
        """Encode one series.

        Parameters
        ----------
        series : array_like, shape (n_time, n_columns)
            Finite numbers, the i-th row at `i * dt`. Not changed.

        Returns
        -------
        events : Events
            Times are rounded down to µs; the duration is `n_time * dt`.
        report : EncodingReport
            `n_in` counts the events that the values ask for, `n_dead` those within the dead time
            of their channel.

        Raises
        ------
        ShapeError
            If `series` has another shape.
        ParameterError
            If a value is not a finite number.
        OutOfMemoryError
            If there would be more events than the memory holds.
        """
        values = self._checked(series)
        step = microseconds(self.dt, "dt")
        t, channel = in_order(*self._due(values, step), self.n_channels)
        n_in = t.size
        if self.dead_time:
            dead_us = microseconds(self.dead_time, "dead_time", low=0)
            keep = _hrsnn.dead_time(t, channel.astype(np.uint32), self.n_channels, dead_us)
            t, channel = t[keep], channel[keep]
        events = Events(t, channel, self.n_channels, values.shape[0] * step)
        return events, EncodingReport(n_in=n_in, n_out=t.size, n_dead=n_in - t.size)

    def _due(
        self, values: NDArray[np.float64], step: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give times and channels of all events, in any order."""
        raise NotImplementedError

    def _checked(self, series: ArrayLike) -> NDArray[np.float64]:
        given = as_array("series", series)
        if given.ndim != 2 or given.shape[0] == 0 or given.shape[1] != self.n_columns:
            raise ShapeError(
                f"series must have shape (n_time, {self.n_columns}), n_time at least 1;"
                f" got {given.shape}."
            )
        if given.dtype.kind not in "iufb":
            raise ParameterError(f"series must hold numbers; got dtype {given.dtype}.")
        values = given.astype(np.float64)
        wrong = ~(np.abs(values) < _LARGEST)
        if wrong.any():
            row, column = (int(place) for place in np.argwhere(wrong)[0])
            raise ParameterError(
                f"series must be finite and within 1e300; got {values[row, column]} at"
                f" (row, column) {(row, column)}."
            )
        return values

    def _check_times(self) -> None:
        microseconds(self.dt, "dt")
        microseconds(self.dead_time, "dead_time", low=0)
        object.__setattr__(self, "dt", float(self.dt))
        object.__setattr__(self, "dead_time", float(self.dead_time))

    def _check_each(self, name: str, *, low: float = -_LARGEST) -> tuple[float, ...]:
        """Keep a number for each column, of one number or of as many."""
        given = as_array(name, getattr(self, name))
        if given.ndim == 0:
            given = np.full(self.n_columns, given)
        if given.shape != (self.n_columns,):
            raise ShapeError(
                f"{name} must be a number or one for each of {self.n_columns} columns;"
                f" got shape {given.shape}."
            )
        numbers = tuple(
            check_number(f"{name}[{column}]", one, *within(low, _LARGEST))
            for column, one in enumerate(given.tolist())
        )
        object.__setattr__(self, name, numbers)
        return numbers

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as JSON can hold them.

        Returns
        -------
        dict
            One entry per parameter; tuples become lists.
        """
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()  # type: ignore[call-overload]
        }

    @classmethod
    def from_dict(cls, parameters: Mapping[str, Any]) -> Self:
        """Make the encoder that `to_dict` described.

        Parameters
        ----------
        parameters : mapping
            What `to_dict` returned, also after a way through JSON.

        Returns
        -------
        Self
            An equal encoder.

        Raises
        ------
        ParameterError
            If a name is unknown or missing, or a value is refused.
        """
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        given = check_mapping("parameters", parameters)
        for name in given.keys() ^ known:
            what = "must have" if name in known else "must be those of the encoder; got"
            raise ParameterError(f"parameters {what} {name!r}.")
        return cls(**given)


@dataclass(frozen=True)
class LevelCrossing(SeriesEncoder):
    """Encoder of time series by send-on-delta: an event for each level that a value crosses.

    A column sends an ON event when it has risen by `delta` since its last event, and an OFF event
    when it has fallen by as much; the first row only says where it begins. Between rows it moves
    on a straight line, so an event has the time of its crossing, and a steep step sends several.

    Parameters
    ----------
    n_columns : int
        Columns of a series.
    delta : float or array_like of shape (n_columns,)
        Change that makes an event, in units of the column, greater than 0.
    dt : float
        Time from row to row in ms.
    dead_time : float, default=0.0
        Time in ms after an event in which its channel drops further ones.

    Raises
    ------
    ShapeError
        If `delta` has another length.
    ParameterError
        If a value is outside its range; the message names it.

    References
    ----------
    .. [1] Miskowicz (2006), Send-on-delta concept: an event-based data reporting strategy,
       Sensors 6:49.

    Examples
    --------
    >>> encoder = LevelCrossing(n_columns=1, delta=1.0, dt=10.0)
    >>> events, report = encoder.encode([[0.0], [2.5], [1.4], [0.9]])
    >>> events.t, events.channel
    (array([ 4000,  8000, 28000]), array([1, 1, 0], dtype=uint32))
    >>> report.n_in
    3
    """

    n_columns: int
    delta: float | ArrayLike
    dt: float
    dead_time: float = 0.0

    def __post_init__(self) -> None:
        """Check every value."""
        n_columns = check_integer("n_columns", self.n_columns, 1, 2**24 - 1)
        object.__setattr__(self, "n_columns", n_columns)
        for column, delta in enumerate(self._check_each("delta", low=0.0)):
            if delta == 0.0:
                raise ParameterError(f"delta[{column}] must be greater than 0; got 0.0.")
        self._check_times()

    @property
    def n_channels(self) -> int:
        """Number of channels, two for each column: `polarity * n_columns + column`, 1 is ON."""
        return 2 * self.n_columns

    def _due(
        self, values: NDArray[np.float64], step: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        with np.errstate(over="ignore", invalid="ignore"):  # refused in the next line
            levels = (values - values[0]) / np.array(self.delta)
            _check_number(float(np.abs(np.diff(levels, axis=0)).sum()))
        low, high = np.floor(levels), np.ceil(levels)
        # A value between two levels has last crossed one of them: the one below if it came from
        # below, as far as it has left the stretch in which it was.
        rises = np.zeros(levels.shape, dtype=np.bool_)
        rises[0] = True
        rises[1:] = low[1:] >= high[:-1]
        moved = rises.copy()
        moved[1:] |= high[1:] <= low[:-1]
        row = np.where(moved, np.arange(levels.shape[0])[:, None], 0)
        latest = np.maximum.accumulate(row, axis=0)
        last = np.take_along_axis(np.where(rises, low, high), latest, axis=0)
        rows, columns, nth = _repeated(np.abs(np.diff(last, axis=0)).astype(np.int64))
        sign = np.sign(last[rows + 1, columns] - last[rows, columns])
        crossed = last[rows, columns] + sign * (nth + 1)
        before = levels[rows, columns]
        share = (crossed - before) / (levels[rows + 1, columns] - before)
        t = rows * step + (share * step).astype(np.int64)
        return t, columns + self.n_columns * (sign > 0.0)


@dataclass(frozen=True)
class GaussianFields(SeriesEncoder):
    """Encoder of time series by a population code: fields that fire the more, the nearer a value.

    The range of a column is covered by fields whose centres are at equal distances from `low` to
    `high`. A field fires at `rate * exp(-d^2 / (2 width^2))`, where d is the distance of the value
    from its centre in units of that between centres; a value lasts for `dt`. It fires whenever the
    integral of that rate has grown by 1, first at one half. A value far outside the range excites
    no field.

    Parameters
    ----------
    n_columns : int
        Columns of a series.
    low, high : float or array_like of shape (n_columns,)
        Centres of the first and the last field, in units of the column; `low` below `high`.
    dt : float
        Time from row to row in ms.
    n_fields : int, default=8
        Fields of a column, at least 2.
    rate : float, default=100.0
        Hz at a centre, greater than 0.
    width : float, default=0.5
        Of a field, in units of the distance between centres, greater than 0.
    dead_time : float, default=0.0
        Time in ms after an event in which its channel drops further ones.

    Raises
    ------
    ShapeError
        If `low` or `high` has another length.
    ParameterError
        If a value is outside its range; the message names it.

    References
    ----------
    .. [1] Bohte, La Poutré & Kok (2002), Unsupervised clustering with spiking neurons by sparse
       temporal coding and multilayer RBF networks, IEEE Transactions on Neural Networks 13:426.

    Examples
    --------
    >>> encoder = GaussianFields(n_columns=1, low=-1.0, high=1.0, dt=10.0, n_fields=3)
    >>> events = encoder([[0.0], [0.0], [1.0]])
    >>> events.t, events.channel
    (array([ 5000, 15000, 22293]), array([1, 1, 2], dtype=uint32))
    """

    n_columns: int
    low: float | ArrayLike
    high: float | ArrayLike
    dt: float
    n_fields: int = 8
    rate: float = 100.0
    width: float = 0.5
    dead_time: float = 0.0

    def __post_init__(self) -> None:
        """Check every value."""
        for name, least in (("n_columns", 1), ("n_fields", 2)):
            value = check_integer(name, getattr(self, name), least, 2**24 - 1)
            object.__setattr__(self, name, value)
        ends = zip(self._check_each("low"), self._check_each("high"), strict=True)
        for column, (low, high) in enumerate(ends):
            if not low < high:
                raise ParameterError(
                    f"low must be below high; got {low!r} and {high!r} at column {column}."
                )
        for name in ("rate", "width"):
            number = check_number(name, getattr(self, name), *within(0.0, 1e6))
            if number == 0.0:
                raise ParameterError(f"{name} must be greater than 0; got {number!r}.")
            object.__setattr__(self, name, number)
        self._check_times()

    @property
    def n_channels(self) -> int:
        """Number of channels: `column * n_fields + field`."""
        return self.n_columns * self.n_fields

    def _due(
        self, values: NDArray[np.float64], step: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        n_time = values.shape[0]
        check_memory("series", 40.0 * n_time * self.n_channels)
        low, high = np.array(self.low), np.array(self.high)
        place = (values - low) / (high - low) * (self.n_fields - 1)
        distance = (place[:, :, None] - np.arange(self.n_fields)) / self.width
        with np.errstate(over="ignore", under="ignore"):
            grows = np.exp(-0.5 * distance**2).reshape(n_time, -1) * (self.rate * step / 1e6)
        _check_number(float(grows.sum()))
        # Rows are ends of stretches: how much each field has grown by then.
        grown = np.concatenate([np.zeros((1, grows.shape[1])), np.cumsum(grows, axis=0)])
        fired = np.floor(grown + 0.5)
        rows, channel, nth = _repeated(np.diff(fired, axis=0).astype(np.int64))
        before = grown[rows, channel]
        share = (fired[rows, channel] + nth + 0.5 - before) / (grown[rows + 1, channel] - before)
        # An event at the very end of a stretch belongs to it.
        return rows * step + np.minimum((share * step).astype(np.int64), step - 1), channel


def _check_number(n_events: float) -> None:
    if not n_events < 2**53:
        raise ParameterError(f"series must ask for less than 2^53 events; got {n_events:g}.")
    check_memory("series", _PER_EVENT * n_events)


def _repeated(
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Give row, column and number within its cell of each of `counts` events."""
    place = np.flatnonzero(counts)
    n = counts.ravel()[place]
    nth = np.arange(int(n.sum())) - np.repeat(np.cumsum(n) - n, n)
    rows, columns = np.divmod(np.repeat(place, n), counts.shape[1])
    return rows, columns, nth
