"""Frames one after the other: grey frames that never are an array of all.

Lives here: pieces of several frames, when each is, and a camera that sees them. Not here: what
they become (`contrast`) and where they come from (`video`). Invariant: a frame is copied once,
and no more than one piece is in memory.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from hrsnn_rs.arguments import check_number, within
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import kind_of, microseconds, whole_numbers
from hrsnn_rs.made_up.camera import CameraReport, EventCamera, checked_clip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.events.sensor import SensorEvents

__all__ = ["Clock", "clock_of", "pieces_of", "record_frames", "record_pieces"]

# Enough to spare calls, not enough to fill the memory.
_PIECE = 8


class Clock(Protocol):
    """When frames begin, and when the last of them ends, in µs from the first."""

    def moments(self, start: int, n: int) -> NDArray[np.int64]:
        """Return the times of `n` frames from number `start` on, all of which were given."""

    def end(self, n: int) -> int:
        """Return when the last of `n` frames ends, after all were given."""


class _SteadyClock:
    """A constant time from frame to frame; each moment is rounded by itself."""

    def __init__(self, step: Fraction) -> None:
        self._step = step

    def moments(self, start: int, n: int) -> NDArray[np.int64]:
        times = [round(number * self._step) for number in range(start, start + n)]
        return np.array(times, np.int64)

    def end(self, n: int) -> int:
        return round(n * self._step)


class _ListedClock:
    """Times that were given; the last frame is shown for as long as the one before it."""

    def __init__(self, times: ArrayLike) -> None:
        self._times = whole_numbers(times, "times", at="frame")
        late = np.diff(self._times, prepend=-1) <= 0
        if late.any():
            frame = int(np.argmax(late))
            before, time = self._times[frame - 1 : frame + 1]
            raise ParameterError(
                f"times must increase; got {time} after {before} at frame {frame}."
            )

    def moments(self, start: int, n: int) -> NDArray[np.int64]:
        if start + n > self._times.size:
            raise ShapeError(
                f"times must be as many as frames; got {self._times.size} for at least {start + n}."
            )
        return self._times[start : start + n]

    def end(self, n: int) -> int:
        if n != self._times.size:
            raise ShapeError(f"times must be as many as frames, {n}; got {self._times.size}.")
        last = int(self._times[-1])
        return last + (last - int(self._times[-2]) if n > 1 else 1)


class _Timed(Protocol):
    """Frames that say their times while they are given, as a `Video` does."""

    times: Sequence[int]
    duration: int


class _OwnClock:
    """The times that frames say themselves."""

    def __init__(self, frames: _Timed) -> None:
        self._frames = frames

    def moments(self, start: int, n: int) -> NDArray[np.int64]:
        return np.array(self._frames.times[start : start + n], np.int64)

    def end(self, n: int) -> int:
        return self._frames.duration


def clock_of(
    frames: Any,
    dt: float | None = None,
    *,
    times: ArrayLike | None = None,
    frame_rate: Any = None,
    usual: float | None = None,
) -> Clock:
    """Return when frames are: as the caller says, or as they say themselves.

    Parameters
    ----------
    frames : iterable
        Frames; a `Video` says their times itself.
    dt : float, default=None
        Time from frame to frame in ms.
    times : array_like of int, default=None
        Time of each frame in µs, increasing.
    frame_rate : float or Fraction, default=None
        Frames per second.
    usual : float, default=None
        Time from frame to frame in ms where nobody says anything.

    Returns
    -------
    Clock
        Of these frames.

    Raises
    ------
    ParameterError
        If two say it, or nobody, or a time is not later than the one before.
    """
    said = {"dt": dt, "times": times, "frame_rate": frame_rate}
    first, *others = [name for name, value in said.items() if value is not None] or [""]
    if others:
        raise ParameterError(f"{others[0]} must be None where {first} is given.")
    if times is not None:
        return _ListedClock(times)
    if frame_rate is not None:
        if not isinstance(frame_rate, Fraction):
            check_number("frame_rate", frame_rate, *within(1e-3, 1e6, unit="Hz"))
        return _SteadyClock(1_000_000 / Fraction(frame_rate))
    if dt is None and hasattr(frames, "times") and hasattr(frames, "duration"):
        return _OwnClock(frames)
    if dt is None and usual is None:
        raise ParameterError("times or frame_rate must be given where frames do not say theirs.")
    return _SteadyClock(Fraction(microseconds(usual if dt is None else dt, "dt")))


def record_frames(
    camera: EventCamera,
    frames: Iterable[ArrayLike],
    *,
    times: ArrayLike | None = None,
    frame_rate: Any = None,
    sample: int = 0,
) -> SensorEvents:
    """Let a camera see frames that come one after the other.

    Parameters
    ----------
    camera : EventCamera
        The camera.
    frames : Video or iterable of array_like, each of shape (height, width)
        As `TemporalContrast.encode_stream` takes them.
    times : array_like of int, default=None
        Time of each frame in µs. `None`: as a `Video` says, or the frame rate.
    frame_rate : float or Fraction, default=None
        Frames per second, where they are constant.
    sample : int, default=0
        Which stream of noise the camera gets.

    Returns
    -------
    SensorEvents
        What it sent; the duration is that of all frames.

    Examples
    --------
    >>> frames = (np.full((4, 4), level, np.uint8) for level in (50, 50, 100))
    >>> camera = EventCamera(4, 4, noise_rate=0.0, mismatch=0.0)
    >>> record_frames(camera, frames, frame_rate=25)
    SensorEvents(48 events, height=4, width=4, duration=120000 µs)
    """
    pieces = pieces_of(frames, camera.height, camera.width)
    return record_pieces(
        camera, pieces, clock_of(frames, times=times, frame_rate=frame_rate), sample
    )[0]


def record_pieces(
    camera: EventCamera, pieces: Iterator[NDArray[Any]], clock: Clock, sample: int
) -> tuple[SensorEvents, CameraReport]:
    """Show pieces to a camera, each frame at its time."""
    recording = camera.start(sample=sample)
    n_frames = 0
    for piece in pieces:
        recording.see(piece, clock.moments(n_frames, piece.shape[0]))
        n_frames += piece.shape[0]
    return recording.stop(clock.end(n_frames))


def pieces_of(frames: Iterable[ArrayLike], height: int, width: int) -> Iterator[NDArray[Any]]:
    """Copy frames into arrays of several; each array is valid until the next."""
    piece: NDArray[Any] | None = None
    filled = n_frames = 0
    for frame in frames:
        image = np.asarray(frame)
        if image.shape != (height, width):
            raise ShapeError(
                f"frames must have shape ({height}, {width}); got {image.shape} at frame "
                f"{n_frames}."
            )
        if piece is None:
            piece = np.empty(
                (_PIECE, height, width), checked_clip(image[None], height, width).dtype
            )
        if image.dtype != piece.dtype:
            raise ParameterError(
                f"frames must all be {piece.dtype}; got {kind_of(image)} at frame {n_frames}."
            )
        piece[filled] = image
        filled, n_frames = filled + 1, n_frames + 1
        if filled == _PIECE:
            yield piece
            filled = 0
    if n_frames == 0:
        raise ShapeError("frames must be at least one; got none.")
    if filled:
        assert piece is not None
        yield piece[:filled]
