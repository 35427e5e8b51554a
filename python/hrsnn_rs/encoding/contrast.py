"""From video to channels.

Lives here: encoders of grey frames, given as arrays or one after the other. Not here: the
decoding of files. Invariant: nothing is lost without being counted, as in `encoding`, and frames
that stream give the same events as the array of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_integer, check_number, within
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.encoding.sensor_encoder import (
    EncodingReport,
    SensorEncoder,
    beginning,
    checked_start,
)
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import microseconds
from hrsnn_rs.events.events import Events
from hrsnn_rs.made_up.camera import EventCamera, checked_clip
from hrsnn_rs.recordings.frame_stream import Clock, clock_of, pieces_of, record_pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray

__all__ = ["FrameDifference", "TemporalContrast"]

_STAMPS = ("frame", "interpolated")
# From frame to frame where nobody says it, in ms.
_ONE_STEP, _USUAL_VIDEO = 1.0, 40.0


@dataclass(frozen=True)
class FrameDifference:
    """Encoder of video by thresholded differences of consecutive frames.

    The absolute difference of each frame from the one before is reduced to the largest value
    of each square of `pool` × `pool` pixels, scaled so that the clip's smallest value is 0 and
    its largest 1, and compared with the threshold. As the scale is the whole clip's, no event is
    known before its last frame; until then one number per square and frame is kept.

    Parameters
    ----------
    height : int
        Rows of the frames.
    width : int
        Columns of the frames.
    pool : int, default=5
        Side of a square in pixels; squares at the lower and right edge may be smaller.
    threshold : float, default=0.2
        A square sends an event where its scaled difference is greater; in [0, 1).
    dt : float, default=None
        Time from frame to frame in ms. `None` means the times that a `Video` or the call says;
        where nobody says any, 1, for one frame per step.
    start : {"first_event", "zero"}, default="first_event"
        Where a sample begins: at its first event, so that a clip does not begin with a time in
        which nothing moves, or at time 0 of the frames.
    stamps : {"frame", "interpolated"}, default="frame"
        When a square sends its event: at the later of the two frames, or between them where the
        difference would reach the threshold if all intensities followed straight lines. Which
        squares send an event is the same.

    Raises
    ------
    ParameterError
        If a value is outside its range; the message names it.

    References
    ----------
    .. [1] Zhou, Jin & Ding (2020), Surrogate-assisted evolutionary search of spiking neural
       architectures in liquid state machines, Neurocomputing.

    Examples
    --------
    >>> encoder = FrameDifference(height=120, width=160)
    >>> encoder.n_channels
    768
    >>> frames = np.zeros((3, 120, 160), np.uint8)
    >>> frames[2, 7, 4] = 200
    >>> events, report = encoder.encode(frames)
    >>> events.t, events.channel, report.start_us
    (array([0]), array([32], dtype=uint32), 2000)
    """

    height: int
    width: int
    pool: int = 5
    threshold: float = 0.2
    dt: float | None = None
    start: str = "first_event"
    stamps: str = "frame"

    def __post_init__(self) -> None:
        """Check every value."""
        for name in ("height", "width", "pool"):
            value = check_integer(name, getattr(self, name), 1, 2**16 - 1)
            object.__setattr__(self, name, value)
        threshold = check_number("threshold", self.threshold, *within(0.0, 1.0))
        object.__setattr__(self, "threshold", threshold)
        object.__setattr__(self, "start", checked_start(self.start))
        if self.dt is not None:
            microseconds(self.dt, "dt")
            object.__setattr__(self, "dt", float(self.dt))
        if not isinstance(self.stamps, str) or self.stamps not in _STAMPS:
            raise ParameterError(f"stamps must be one of {_STAMPS}; got {self.stamps!r}.")

    @property
    def n_channels(self) -> int:
        """Number of channels: squares per frame."""
        return -(-self.height // self.pool) * -(-self.width // self.pool)

    def __call__(self, frames: ArrayLike) -> Events:
        """Return the encoded events; `encode` gives the report as well."""
        return self.encode(frames)[0]

    def encode(
        self, frames: ArrayLike, *, times: ArrayLike | None = None
    ) -> tuple[Events, EncodingReport]:
        """Encode one clip.

        Parameters
        ----------
        frames : array_like, shape (n_frames, height, width)
            Grey frames, uint8 or finite floats. Not changed.
        times : array_like of int, shape (n_frames,), default=None
            Time of each frame in µs, increasing. `None` means `dt`.

        Returns
        -------
        events : Events
            At the times of the frames, from `start` on; the first one, without a predecessor,
            sends nothing. With `stamps="interpolated"` an event lies after one frame and not after
            the next. Channel `row * squares_per_row + column`; the duration is that of all
            frames after `start`.
        report : EncodingReport
            `n_in` counts squares of all differences, `n_below` those not above the threshold.
            A clip in which nothing moves has no events.

        Raises
        ------
        ShapeError
            If `frames` has another shape.
        ParameterError
            If a value is not finite or the dtype is neither uint8 nor float.

        Examples
        --------
        >>> still = np.zeros((3, 10, 10), np.uint8)
        >>> FrameDifference(10, 10).encode(still)[1]
        EncodingReport(n_in=8, n_out=0, n_outside=0, n_dead=0, n_below=8, start_us=0)
        """
        clip = checked_clip(frames, self.height, self.width)
        return self._encode(iter([clip]), clock_of(clip, self.dt, times=times, usual=_ONE_STEP))

    def encode_stream(
        self,
        frames: Iterable[ArrayLike],
        *,
        sample: int = 0,
        times: ArrayLike | None = None,
        frame_rate: Any = None,
    ) -> tuple[Events, EncodingReport]:
        """Encode one clip whose frames come one after the other.

        Parameters
        ----------
        frames : Video or iterable of array_like, each of shape (height, width)
            As in `encode`; each frame is copied before the next is asked for. A `Video` says when
            each is.
        sample : int, default=0
            Not used: nothing is drawn here.
        times : array_like of int, shape (n_frames,), default=None
            Time of each frame in µs, where `dt` is `None`.
        frame_rate : float or Fraction, default=None
            Frames per second, where they are constant and `dt` is `None`.

        Returns
        -------
        events : Events
            What `encode` gives for the array of all frames.
        report : EncodingReport
            As there.

        Raises
        ------
        ShapeError
            If a frame has another shape, or there is none.
        ParameterError
            If a value is not finite, the dtype is not that of the first frame, or times do not
            increase or are said twice.

        Examples
        --------
        >>> frames = (np.full((10, 10), level, np.uint8) for level in (0, 0, 9))
        >>> FrameDifference(10, 10).encode_stream(frames, frame_rate=25)[0].duration
        40000
        """
        clock = clock_of(frames, self.dt, times=times, frame_rate=frame_rate, usual=_ONE_STEP)
        return self._encode(pieces_of(frames, self.height, self.width), clock)

    def _encode(
        self, pieces: Iterator[NDArray[Any]], clock: Clock
    ) -> tuple[Events, EncodingReport]:
        """Keep the squares of each difference, and scale them at the end."""
        before: NDArray[Any] | None = None
        n_frames = 0
        kept: list[NDArray[Any]] = []
        for piece in pieces:
            clip = _finite(piece, n_frames)
            n_frames += clip.shape[0]
            if before is not None:
                clip = np.concatenate([before, clip])
            kept.append(self._squares(clip))
            before = clip[-1:].copy()
        squares = np.concatenate(kept)
        low, high = (float(squares.min()), float(squares.max())) if squares.size else (0.0, 0.0)
        # Without the first condition a clip whose every square is the same would be all noise.
        above = (high > low) & (squares - np.float64(low) > self.threshold * (high - low))
        frame, channel = np.divmod(np.flatnonzero(above), self.n_channels)
        times = clock.moments(0, n_frames)
        t = times[frame + 1]
        if self.stamps == "interpolated":
            before = times[frame]
            # On straight lines the largest difference in a square grows by its share of the time.
            share = (low + self.threshold * (high - low)) / squares[above].astype(np.float64)
            t = np.clip(before + np.rint(share * (t - before)).astype(np.int64), before + 1, t)
            order = np.argsort(t, kind="stable")
            t, channel = t[order], channel[order]
        start_us = beginning(self.start, t)
        events = Events(t - start_us, channel, self.n_channels, clock.end(n_frames) - start_us)
        n_below = above.size - len(events)
        report = EncodingReport(above.size, len(events), n_below=n_below, start_us=start_us)
        return events, report

    def _squares(self, clip: NDArray[Any]) -> NDArray[Any]:
        """Return the largest difference in each square, shape (n_frames - 1, rows, columns)."""
        # Without a sign, so that uint8 needs no wider type.
        difference = np.maximum(clip[1:], clip[:-1]) - np.minimum(clip[1:], clip[:-1])
        return _largest_of(_largest_of(difference, 1, self.pool), 2, self.pool)


def _largest_of(values: NDArray[Any], axis: int, n: int) -> NDArray[Any]:
    """Return the largest of each `n` neighbours along an axis; the last may be fewer."""
    # One comparison of whole slices each, many times as fast as np.maximum.reduceat.
    pick: list[slice] = [slice(None)] * values.ndim
    pick[axis] = slice(0, None, n)
    largest = values[tuple(pick)].copy()
    for place in range(1, min(n, values.shape[axis])):
        pick[axis] = slice(place, None, n)
        others = values[tuple(pick)]
        pick[axis] = slice(0, others.shape[axis])
        first = largest[tuple(pick)]
        np.maximum(first, others, out=first)
    return largest


@dataclass(frozen=True)
class TemporalContrast:
    """Encoder of video by an event camera that looks at it.

    Parameters
    ----------
    camera : EventCamera
        The camera; its sensor has the size of the frames.
    encoder : EventEncoder or TrackingEncoder, default=None
        From its pixels to channels. `None` means an `EventEncoder` of 32 × 32 × 2 channels. Its
        `start` says where a sample begins.
    dt : float, default=None
        Time from frame to frame in ms: 1000 / frames per second. `None` means the times that a
        `Video` or the call says; where nobody says any, 40.

    Raises
    ------
    ParameterError
        If an argument is of another type, or `dt` is shorter than 1 µs.
    ShapeError
        If camera and encoder are not of the same size.

    Examples
    --------
    >>> encoder = TemporalContrast(EventCamera(64, 64, noise_rate=0.0))
    >>> frames = np.full((5, 64, 64), 50, np.uint8)
    >>> frames[3:, 10, 10] = 200
    >>> events = encoder(frames)
    >>> sorted(set(events.channel.tolist())), events.duration
    ([1189], 114519)
    """

    camera: EventCamera
    encoder: SensorEncoder | None = None
    dt: float | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        if not isinstance(self.camera, EventCamera):
            raise ParameterError(f"camera must be an EventCamera; got {self.camera!r}.")
        size = (self.camera.height, self.camera.width)
        encoder = EventEncoder(*size) if self.encoder is None else self.encoder
        if not isinstance(encoder, SensorEncoder):
            raise ParameterError(f"encoder must be an encoder of sensor events; got {encoder!r}.")
        if (encoder.height, encoder.width) != size:
            raise ShapeError(
                f"encoder must have the camera's size {size}; "
                f"got {(encoder.height, encoder.width)}."
            )
        object.__setattr__(self, "encoder", encoder)
        if self.dt is not None:
            microseconds(self.dt, "dt")
            object.__setattr__(self, "dt", float(self.dt))

    @property
    def n_channels(self) -> int:
        """Number of channels: those of the encoder."""
        return self._encoder().n_channels

    def _encoder(self) -> SensorEncoder:
        assert self.encoder is not None  # set by __post_init__
        return self.encoder

    def __call__(self, frames: ArrayLike, *, sample: int = 0) -> Events:
        """Return the encoded events; `encode` gives the report as well."""
        return self.encode(frames, sample=sample)[0]

    def encode(
        self, frames: ArrayLike, *, sample: int = 0, times: ArrayLike | None = None
    ) -> tuple[Events, EncodingReport]:
        """Encode one clip.

        Parameters
        ----------
        frames : array_like, shape (n_frames, height, width)
            Luma (uint8) or light intensity greater than 0 (floats). Not changed.
        sample : int, default=0
            Number of the sample: which stream of noise the camera gets.
        times : array_like of int, shape (n_frames,), default=None
            Time of each frame in µs, increasing. `None` means `dt`.

        Returns
        -------
        events : Events
            Between the times of the frames, from the encoder's `start` on; the duration is that of
            all frames after it.
        report : EncodingReport
            `n_in` counts crossings of thresholds and events of noise; `n_dead` those that the
            dead time of the camera's pixels or of the encoder's channels swallowed.

        Raises
        ------
        ShapeError
            If `frames` has another shape.
        ParameterError
            If an intensity is not finite and above 0.

        Examples
        --------
        >>> encoder = TemporalContrast(EventCamera(32, 32, noise_rate=0.0))
        >>> encoder.encode(np.full((5, 32, 32), 50, np.uint8))[1].n_in
        0
        """
        clip = checked_clip(frames, self.camera.height, self.camera.width)
        clock = clock_of(clip, self.dt, times=times, usual=_USUAL_VIDEO)
        return self._encode(iter([clip]), clock, sample)

    def encode_stream(
        self,
        frames: Iterable[ArrayLike],
        *,
        sample: int = 0,
        times: ArrayLike | None = None,
        frame_rate: Any = None,
    ) -> tuple[Events, EncodingReport]:
        """Encode one clip whose frames come one after the other.

        Parameters
        ----------
        frames : Video or iterable of array_like, each of shape (height, width)
            As in `encode`; each frame is copied before the next is asked for. A `Video` says when
            each is.
        sample : int, default=0
            As in `encode`.
        times : array_like of int, shape (n_frames,), default=None
            Time of each frame in µs, where `dt` is `None`.
        frame_rate : float or Fraction, default=None
            Frames per second, where they are constant and `dt` is `None`.

        Returns
        -------
        events : Events
            What `encode` gives for the array of all frames.
        report : EncodingReport
            As there.

        Raises
        ------
        ShapeError
            If a frame has another shape, or there is none.
        ParameterError
            If an intensity is not finite and above 0, the dtype is not that of the first frame,
            or times do not increase or are said twice.

        Examples
        --------
        >>> encoder = TemporalContrast(EventCamera(4, 4, noise_rate=0.0, mismatch=0.0))
        >>> frames = (np.full((4, 4), level, np.uint8) for level in (50, 50, 100))
        >>> len(encoder.encode_stream(frames)[0])
        48
        """
        pieces = pieces_of(frames, self.camera.height, self.camera.width)
        clock = clock_of(frames, self.dt, times=times, frame_rate=frame_rate, usual=_USUAL_VIDEO)
        return self._encode(pieces, clock, sample)

    def _encode(
        self, pieces: Iterator[NDArray[Any]], clock: Clock, sample: int
    ) -> tuple[Events, EncodingReport]:
        seen, camera = record_pieces(self.camera, pieces, clock, sample)
        events, report = self._encoder().encode(seen)
        n_in = camera.n_crossings + camera.n_noise
        return events, replace(report, n_in=n_in, n_dead=camera.n_dead + report.n_dead)


def _finite(clip: NDArray[Any], n_before: int) -> NDArray[Any]:
    """Return luma as it is and floats as float64, or say where one is not finite."""
    if clip.dtype.kind != "f":
        return clip
    clip = clip.astype(np.float64)
    # The bound keeps differences finite as well.
    wrong = ~(np.abs(clip) < 1e300)
    if wrong.any():
        frame, row, column = (int(place) for place in np.argwhere(wrong)[0])
        raise ParameterError(
            f"frames must be finite and within 1e300; got {clip[frame, row, column]} at "
            f"(frame, row, column) {(n_before + frame, row, column)}."
        )
    return clip
