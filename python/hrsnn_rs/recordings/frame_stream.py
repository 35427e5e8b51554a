"""Frames one after the other: grey frames that never are an array of all.

Lives here: pieces of several frames, their times, and a camera that sees them. Not here: what
they become (`contrast`) and where they come from (`video`). Invariant: a frame is copied once,
and no more than one piece is in memory.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import finite_number, kind_of, microseconds
from hrsnn_rs.made_up.camera import CameraReport, EventCamera, checked_clip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.events.sensor import SensorEvents

__all__ = ["moments", "pieces_of", "record_frames", "record_pieces", "time_between"]

# Enough to spare calls, not enough to fill the memory.
_PIECE = 8


def record_frames(
    camera: EventCamera, frames: Iterable[ArrayLike], frame_rate: Any, *, sample: int = 0
) -> SensorEvents:
    """Let a camera see frames that come one after the other.

    Parameters
    ----------
    camera : EventCamera
        The camera.
    frames : iterable of array_like, each of shape (height, width)
        As `TemporalContrast.encode_stream` takes them.
    frame_rate : float or Fraction
        Frames per second.
    sample : int, default=0
        Which stream of noise the camera gets.

    Returns
    -------
    SensorEvents
        What it sent; the duration is that of all frames.

    Examples
    --------
    >>> frames = (np.full((4, 4), level, np.uint8) for level in (50, 50, 100))
    >>> record_frames(EventCamera(4, 4, noise_rate=0.0, mismatch=0.0), frames, 25)
    SensorEvents(48 events, height=4, width=4, duration=120000 µs)
    """
    pieces = pieces_of(frames, camera.height, camera.width)
    return record_pieces(camera, pieces, time_between(None, frame_rate), sample)[0]


def record_pieces(
    camera: EventCamera, pieces: Iterator[NDArray[Any]], step: Fraction, sample: int
) -> tuple[SensorEvents, CameraReport]:
    """Show pieces to a camera, `step` µs from frame to frame."""
    recording = camera.start(sample=sample)
    n_frames = 0
    for piece in pieces:
        recording.see(piece, moments(step, n_frames, piece.shape[0]))
        n_frames += piece.shape[0]
    return recording.stop(int(moments(step, n_frames, 1)[0]))


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


def time_between(dt: float | None, frame_rate: Any) -> Fraction:
    """Return the time between frames in µs: a whole number where it comes from `dt`."""
    if dt is not None:
        return Fraction(microseconds(dt, "dt"))
    if frame_rate is None:
        raise ParameterError("dt must be given (ms) where the frames do not say it; got None.")
    if not isinstance(frame_rate, Fraction):
        finite_number(frame_rate, "frame_rate", low=1e-3, below=1e6, unit="Hz")
    return 1_000_000 / Fraction(frame_rate)


def moments(step: Fraction, start: int, n: int) -> NDArray[np.int64]:
    """Return the times of `n` frames from number `start` on in µs, each rounded by itself."""
    times = [round(number * step) for number in range(start, start + n)]
    return np.array(times, np.int64)
