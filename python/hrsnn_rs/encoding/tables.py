"""Rows of numbers as events, so that the classifier also takes an ordinary table.

Each column becomes a few channels with overlapping triangular tuning curves over the range
of the training rows; a channel fires at equal intervals, more often the nearer the value is
to its peak. Nothing is random. Sensors have encoders of their own, in `encoding`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hrsnn_rs.arguments import MOST, as_array, check_integer, check_mapping
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.events.columns import kind_of
from hrsnn_rs.events.events import Events
from hrsnn_rs.words import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class TableEncoder:
    """Population code of a row of numbers.

    Parameters
    ----------
    low, high : float64 array of shape (n_columns,)
        Range of each column; values outside count as the nearer end. Equal ends are allowed.
    n_levels : int, default=8
        Channels of a column, at least 2.
    n_events : int, default=20
        Events of a channel whose peak is hit, at least 1.
    duration : int, default=1_000_000
        Length of a row's sample in µs.

    Raises
    ------
    ShapeError
        If `low` and `high` are not of one shape, or are empty.
    ParameterError
        If a number is not finite, `low` exceeds `high`, or a count is too small.

    Examples
    --------
    >>> from hrsnn_rs.encoding import TableEncoder
    >>> encoder = TableEncoder(low=[0.0, -1.0], high=[1.0, 1.0], n_levels=3, n_events=2)
    >>> encoder.n_channels
    6
    >>> encoder.encode([0.0, 1.0]).channel.tolist()
    [0, 5, 0, 5]
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n_levels: int = 8
    n_events: int = 20
    duration: int = 1_000_000

    def __post_init__(self) -> None:
        low, high = (_numbers(name, getattr(self, name)) for name in ("low", "high"))
        if low.ndim != 1 or low.shape != high.shape or len(low) == 0:
            raise ShapeError(
                f"low and high must have one shape (n_columns,); got {low.shape}, {high.shape}."
            )
        bad = ~(np.isfinite(low) & np.isfinite(high)) | (low > high)
        if bad.any():
            column = int(bad.argmax())
            raise ParameterError(
                f"low must be finite and not above high; got {low[column]} and {high[column]} "
                f"at column {column}."
            )
        for name, least, most in (
            ("n_levels", 2, 2**32 // len(low) - 1),
            ("n_events", 1, 2**32 - 1),
            ("duration", 1, MOST),
        ):
            number = check_integer(name, getattr(self, name), least, most)
            object.__setattr__(self, name, number)
        low.flags.writeable = high.flags.writeable = False
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @classmethod
    def of_rows(cls, rows: NDArray[np.float64]) -> Self:
        """Take the range of each column from training rows.

        Parameters
        ----------
        rows : float64 array of shape (n_samples, n_columns)
            Training rows, finite.

        Returns
        -------
        TableEncoder
            With the smallest and largest value of each column.

        Raises
        ------
        ShapeError
            If there are not two dimensions, or there is no number.
        ParameterError
            If a number is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from hrsnn_rs.encoding import TableEncoder
        >>> TableEncoder.of_rows(np.array([[0.0, 5.0], [1.0, 3.0]])).high
        array([1., 5.])
        """
        numbers = _numbers("rows", rows)
        if numbers.ndim != 2 or numbers.size == 0:
            raise ShapeError(
                f"rows must have shape (n_samples, n_columns), not empty; got {numbers.shape}."
            )
        good = np.isfinite(numbers)
        if not good.all():
            index = int(np.argmin(good))
            raise ParameterError(
                f"rows must be finite; got {numbers.flat[index]} at "
                f"{place_of(index, numbers.shape)}."
            )
        return cls(low=numbers.min(axis=0), high=numbers.max(axis=0))

    @property
    def n_channels(self) -> int:
        """Number of channels: columns times levels."""
        return len(self.low) * self.n_levels

    def encode(self, row: ArrayLike) -> Events:
        """Turn one row into events.

        Parameters
        ----------
        row : array of shape (n_columns,)
            Finite numbers. Not changed.

        Returns
        -------
        Events
            On `n_channels` channels; channel = column * n_levels + level.

        Raises
        ------
        ShapeError
            If the row has not as many numbers as the encoder has columns.
        ParameterError
            If a number is not finite.
        """
        values = _numbers("row", row)
        if values.shape != self.low.shape:
            raise ShapeError(f"row must have shape {self.low.shape}; got {values.shape}.")
        if not np.isfinite(values).all():
            column = int((~np.isfinite(values)).argmax())
            raise ParameterError(f"row must be finite; got {values[column]} at column {column}.")
        width = np.where(self.high > self.low, self.high - self.low, 1.0)
        place = np.clip((values - self.low) / width, 0.0, 1.0) * (self.n_levels - 1)
        nearness = 1.0 - np.abs(place[:, None] - np.arange(self.n_levels))
        counts = np.rint(np.maximum(nearness, 0.0) * self.n_events).astype(np.int64).ravel()
        channel = np.repeat(np.arange(len(counts)), counts)
        first = np.cumsum(counts) - counts
        place_in_channel = np.arange(len(channel)) - first[channel]
        t = ((place_in_channel + 0.5) / counts[channel] * self.duration).astype(np.int64)
        order = np.lexsort((channel, t))
        return Events(
            t[order],
            channel[order].astype(np.uint32),
            n_channels=self.n_channels,
            duration=self.duration,
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON can hold them.

        Returns
        -------
        dict
            `low`, `high`, `n_levels`, `n_events`, `duration`.
        """
        return {
            "low": self.low.tolist(),
            "high": self.high.tolist(),
            "n_levels": self.n_levels,
            "n_events": self.n_events,
            "duration": self.duration,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Make the encoder of what `to_dict` gave.

        Parameters
        ----------
        fields : mapping
            As `to_dict` gives it.

        Returns
        -------
        TableEncoder
            Equal in every field.

        Raises
        ------
        FormatError
            If a field is missing or unknown.
        ParameterError
            If `fields` is no mapping.

        Examples
        --------
        >>> from hrsnn_rs.encoding import TableEncoder
        >>> encoder = TableEncoder(low=[0.1], high=[0.3])
        >>> TableEncoder.from_dict(encoder.to_dict()).high
        array([0.3])
        """
        named = check_mapping("fields", fields)
        try:
            return cls(**named)
        except TypeError as error:
            raise FormatError(f"fields of a table encoder are wrong: {error}.") from error


def _numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return a float64 copy of real numbers of any shape; truth values count as 0 and 1."""
    array = as_array(name, values)
    if array.dtype.kind not in "biuf":
        raise ParameterError(f"{name} must be real numbers; got {kind_of(values)}.")
    return array.astype(np.float64)
