"""What all encoders of sensor events share.

Lives here: the form in which they are called, checked and written down, and the report that every
encoder gives. Not here: what an encoder does. Invariant: `n_in` of a report is `n_out` plus the
numbers of what was dropped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import kind_of
from hrsnn_rs.events.sensor import SensorEvents

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from hrsnn_rs.events.events import Events

__all__ = ["EncodingReport", "SensorEncoder"]


@dataclass(frozen=True)
class EncodingReport:
    """What an encoder kept and dropped: `n_in == n_out + n_outside + n_dead + n_below`.

    Parameters
    ----------
    n_in : int
        What came in: events, or cells of differences between frames.
    n_out : int
        Events that went out.
    n_outside : int, default=0
        Events outside the cropped or centred field.
    n_dead : int, default=0
        Events within the dead time of their pixel or channel.
    n_below : int, default=0
        Cells not above the threshold.
    start_us : int, default=0
        Where the sample begins on the clock of the recording in µs: what was taken off all times.

    Examples
    --------
    >>> EncodingReport(n_in=10, n_out=7, n_outside=3).n_dropped
    3
    """

    n_in: int
    n_out: int
    n_outside: int = 0
    n_dead: int = 0
    n_below: int = 0
    start_us: int = 0

    @property
    def n_dropped(self) -> int:
        """All that did not go out."""
        return self.n_outside + self.n_dead + self.n_below

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name.

        Returns
        -------
        dict
            One entry per field.

        Examples
        --------
        >>> EncodingReport(n_in=1, n_out=1).to_dict()["n_dead"]
        0
        """
        return asdict(self)


def beginning(start: str, t: NDArray[np.int64]) -> int:
    """Return the time at which a sample begins: that of its first event, or 0."""
    return int(t[0]) if start == "first_event" and t.size else 0


def checked_start(start: Any) -> str:
    """Return where a sample begins, or say what is wrong."""
    if not isinstance(start, str) or start not in ("first_event", "zero"):
        raise ParameterError(f"start must be 'first_event' or 'zero'; got {start!r}.")
    return start


class SensorEncoder(ABC):
    """Encoder from an event camera's pixels to a network's channels; base of all of them.

    Subclasses are frozen dataclasses.

    Attributes
    ----------
    height, width : int
        Rows and columns of the sensor.
    start : {"first_event", "zero"}
        Where a sample begins.
    """

    height: int
    width: int
    start: str

    @property
    @abstractmethod
    def n_channels(self) -> int:
        """Number of channels."""

    @property
    @abstractmethod
    def sensor(self) -> tuple[int, int] | None:
        """Rows and columns of the channels' plane; `None` where some have no place in it."""

    @abstractmethod
    def encode(self, events: SensorEvents) -> tuple[Events, EncodingReport]:
        """Encode one sample, and say what became of its events."""

    def __call__(self, events: SensorEvents) -> Events:
        """Return the encoded events; `encode` gives the report as well."""
        return self.encode(events)[0]

    def _check(self, events: SensorEvents) -> None:
        if not isinstance(events, SensorEvents):
            raise ParameterError(f"events must be SensorEvents; got {kind_of(events)}.")
        if (events.height, events.width) != (self.height, self.width):
            raise ShapeError(
                f"events must come from a sensor of {self.height} x {self.width}; "
                f"got {events.height} x {events.width}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as JSON can hold them.

        Returns
        -------
        dict
            One entry per parameter; tuples become lists.

        Examples
        --------
        >>> from hrsnn_rs import EventEncoder
        >>> EventEncoder(64, 64).to_dict()["size"]
        [32, 32]
        """
        parameters: dict[str, Any] = asdict(self)  # type: ignore[call-overload]
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in parameters.items()
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
        SensorEncoder
            An equal encoder, of the class that is asked.

        Raises
        ------
        ParameterError
            If a name is unknown, height or width is missing, or a value is refused.

        Examples
        --------
        >>> from hrsnn_rs import EventEncoder
        >>> encoder = EventEncoder(64, 64, crop=(32, 32))
        >>> EventEncoder.from_dict(encoder.to_dict()) == encoder
        True
        """
        names = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        for name in parameters:
            if name not in names:
                raise ParameterError(f"parameters must be those of {cls.__name__}; got {name!r}.")
        for name in ("height", "width"):
            if name not in parameters:
                raise ParameterError(f"parameters must have {name!r}; got {sorted(parameters)}.")
        return cls(**parameters)
