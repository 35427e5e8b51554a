"""An event camera in front of frames: what a sensor would have sent.

Lives here: the camera's parameters, the draw of its thresholds and its noise. Not here: the
crossings of thresholds, which the core finds, and encoders. Invariant: the same camera, the
same frames and the same sample give the same events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import MOST_SEED, check_integer, check_number, within
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import kind_of, microseconds, plain_array, whole_numbers
from hrsnn_rs.events.no_copies import NoCopies
from hrsnn_rs.events.sensor import SensorEvents

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["CameraRecording", "CameraReport", "EventCamera"]

# Below this a threshold is a broken pixel's, which would send a flood of events.
LOWEST_THRESHOLD = 0.01
# Streams of random numbers, beside the seed and an index.
_THRESHOLDS, _NOISE = 1, 2


def _stream(seed: int, purpose: int, index: int) -> np.random.Generator:
    """Return the stream (seed, purpose, index); it depends on nothing else."""
    key = np.array([seed, purpose], dtype=np.uint64)
    counter = np.array([0, 0, 0, index], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def checked_clip(frames: ArrayLike, height: int, width: int) -> NDArray[Any]:
    """Return a clip of grey frames as uint8 or floats, shape (n_frames, height, width)."""
    clip = plain_array(frames, "frames")
    if clip.ndim != 3 or clip.shape[1:] != (height, width) or clip.shape[0] == 0:
        raise ShapeError(
            f"frames must have shape (n_frames, {height}, {width}), grey, at least one; "
            f"got {clip.shape}."
        )
    if clip.dtype != np.uint8 and clip.dtype.kind != "f":
        raise ParameterError(
            f"frames must be luma (uint8) or intensity (floats); got {kind_of(clip)}."
        )
    return clip


@dataclass(frozen=True)
class CameraReport:
    """What happened to the crossings: `n_crossings + n_noise == n_out + n_dead`.

    Parameters
    ----------
    n_crossings : int
        Crossings of a threshold.
    n_noise : int
        Events of noise that were added.
    n_dead : int
        Crossings and events of noise within the dead time of their pixel, which sent nothing.
    n_out : int
        Events that were sent.

    Examples
    --------
    >>> CameraReport(n_crossings=5, n_noise=1, n_dead=2, n_out=4).n_dead
    2
    """

    n_crossings: int
    n_noise: int
    n_dead: int
    n_out: int


@dataclass(frozen=True)
class EventCamera:
    """Camera whose pixels send an event when their log intensity has changed by a threshold.

    Between two frames the log intensity of each pixel is a straight line, so that crossings
    have times of 1 µs, and one line may cross several times.

    Parameters
    ----------
    height : int
        Rows of the sensor.
    width : int
        Columns of the sensor.
    threshold_on : float, default=0.2
        Mean rise of the log intensity per ON event; at least 0.01.
    threshold_off : float, default=0.2
        Mean fall of the log intensity per OFF event; at least 0.01.
    mismatch : float, default=0.03
        Standard deviation (normal) of each pixel's two thresholds, in log units. Thresholds
        below 0.01 are raised to 0.01.
    dead_time : float, default=1.0
        Time in ms after an event in which its pixel sends nothing, although its reference
        level moves on. 0 switches it off.
    noise_rate : float, default=0.1
        Rate in Hz of a pixel's events of noise (Poisson, half ON and half OFF).
    seed : int, default=0
        Seed of thresholds and noise.
    luma_offset : float, default=1.0
        Added to luma (uint8 frames) before the logarithm: `log(luma + luma_offset)`.

    Raises
    ------
    ParameterError
        If a value is outside its range; the message names it.

    Notes
    -----
    Thresholds depend on the seed alone; noise on the seed and on `sample`. The draws are
    NumPy's (Philox), hence the same for the same version of NumPy.

    Examples
    --------
    >>> camera = EventCamera(1, 1, threshold_on=0.5, mismatch=0.0, noise_rate=0.0)
    >>> frames = np.exp([[[0.0]], [[1.1]]])
    >>> camera.events(frames, times=[0, 11_000]).t
    array([ 5000, 10000])
    """

    height: int
    width: int
    threshold_on: float = 0.2
    threshold_off: float = 0.2
    mismatch: float = 0.03
    dead_time: float = 1.0
    noise_rate: float = 0.1
    seed: int = 0
    luma_offset: float = 1.0

    def __post_init__(self) -> None:
        """Check every value."""
        checked: dict[str, float] = {
            name: check_integer(name, getattr(self, name), 1, 2**16 - 1)
            for name in ("height", "width")
        }
        for name in ("threshold_on", "threshold_off"):
            checked[name] = check_number(name, getattr(self, name), *within(LOWEST_THRESHOLD))
        checked["mismatch"] = check_number("mismatch", self.mismatch, *within(0.0))
        microseconds(self.dead_time, "dead_time", low=0)
        checked["dead_time"] = float(self.dead_time)
        # The bound keeps a slip of units from filling the memory.
        checked["noise_rate"] = check_number(
            "noise_rate", self.noise_rate, *within(0.0, 1e6, unit="Hz")
        )
        checked["seed"] = check_integer("seed", self.seed, high=MOST_SEED)
        checked["luma_offset"] = check_number("luma_offset", self.luma_offset, *within(1e-6, 1e6))
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def thresholds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return each pixel's thresholds in log units.

        Returns
        -------
        on, off : ndarray of float64, shape (height, width)
            Thresholds of ON and of OFF events.

        Examples
        --------
        >>> on, off = EventCamera(4, 6, mismatch=0.0).thresholds()
        >>> on.shape, float(off[3, 5])
        ((4, 6), 0.2)
        """
        shape = (self.height, self.width)
        means = (self.threshold_on, self.threshold_off)
        on, off = (
            np.maximum(
                mean
                + self.mismatch * _stream(self.seed, _THRESHOLDS, index).standard_normal(shape),
                LOWEST_THRESHOLD,
            )
            for index, mean in enumerate(means)
        )
        return on, off

    def events(
        self,
        frames: ArrayLike,
        times: ArrayLike,
        *,
        sample: int = 0,
        duration: int | None = None,
    ) -> SensorEvents:
        """Return what the camera sends while it sees `frames`.

        Parameters
        ----------
        frames : array_like, shape (n_frames, height, width)
            Light intensity greater than 0 (floats, any linear unit) or luma (uint8).
        times : array_like of int, shape (n_frames,)
            Times of the frames in µs, increasing.
        sample : int, default=0
            Number of the sample: which stream of noise it gets.
        duration : int, default=None
            Length of the sample in µs. `None` means the last time plus one.

        Returns
        -------
        SensorEvents
            Sorted by t, y, x, p. The first frame sets the reference and sends nothing.

        Raises
        ------
        ShapeError
            If the shape of `frames` is not that of the sensor and of `times`.
        ParameterError
            If an intensity is not finite and above 0, or times do not increase.

        Examples
        --------
        >>> frames = np.full((10, 4, 4), 128, np.uint8)
        >>> len(EventCamera(4, 4, noise_rate=0.0).events(frames, np.arange(10) * 1000))
        0
        """
        return self.record(frames, times, sample=sample, duration=duration)[0]

    def record(
        self,
        frames: ArrayLike,
        times: ArrayLike,
        *,
        sample: int = 0,
        duration: int | None = None,
    ) -> tuple[SensorEvents, CameraReport]:
        """Return what `events` returns, and what became of each crossing.

        Parameters
        ----------
        frames : array_like, shape (n_frames, height, width)
            As in `events`.
        times : array_like of int, shape (n_frames,)
            As in `events`.
        sample : int, default=0
            As in `events`.
        duration : int, default=None
            As in `events`.

        Returns
        -------
        events : SensorEvents
            What the camera sent.
        report : CameraReport
            Numbers of crossings, of noise and of what the dead time swallowed.

        Examples
        --------
        >>> camera = EventCamera(1, 1, mismatch=0.0, noise_rate=0.0, dead_time=5.0)
        >>> camera.record(np.exp([[[0.0]], [[0.9]]]), [0, 9000])[1]
        CameraReport(n_crossings=4, n_noise=0, n_dead=2, n_out=2)
        """
        recording = self.start(sample=sample)
        recording.see(frames, times)
        return recording.stop(duration)

    def start(self, *, sample: int = 0) -> CameraRecording:
        """Begin to record a clip that comes in pieces.

        Parameters
        ----------
        sample : int, default=0
            As in `events`.

        Returns
        -------
        CameraRecording
            What is shown to it in pieces gives what `record` gives for the whole.

        Examples
        --------
        >>> recording = EventCamera(1, 1, mismatch=0.0, noise_rate=0.0).start()
        >>> recording.see(np.exp([[[0.0]]]), [0])
        >>> recording.see(np.exp([[[0.5]]]), [10_000])
        >>> recording.stop()[0].t
        array([4000, 8000])
        """
        return CameraRecording(self, check_integer("sample", sample, high=2**64 - 1))

    def _noise(self, sample: int, start: int, stop: int) -> tuple[NDArray[Any], ...]:
        """Draw a homogeneous Poisson process of each pixel and polarity in (start, stop]."""
        draw = _stream(self.seed, _NOISE, sample)
        n_pixels = self.height * self.width
        n = int(draw.poisson(self.noise_rate * n_pixels * (stop - start) * 1e-6))
        # Given their number, the events of such processes are independent and uniform.
        t = draw.integers(start, stop, n, dtype=np.int64) + 1
        pixel = draw.integers(0, n_pixels, n, dtype=np.int64)
        p = draw.integers(0, 2, n, dtype=np.uint8)
        y, x = np.divmod(pixel, self.width)
        return t, x.astype(np.uint16), y.astype(np.uint16), p


class CameraRecording(NoCopies):
    """An event camera in front of a clip that is shown to it in pieces.

    See `EventCamera.start`.

    Parameters
    ----------
    camera : EventCamera
        The camera.
    sample : int
        Which stream of noise it gets.

    Examples
    --------
    >>> recording = CameraRecording(EventCamera(4, 4, noise_rate=0.0), sample=0)
    >>> recording.see(np.full((2, 4, 4), 128, np.uint8), [0, 1000])
    >>> recording.stop(duration=2000)
    (SensorEvents(0 events, height=4, width=4, duration=2000 µs), CameraReport(n_crossings=0,
    n_noise=0, n_dead=0, n_out=0))
    """

    _instead = "start() another"

    def __init__(self, camera: EventCamera, sample: int) -> None:
        if not isinstance(camera, EventCamera):
            raise ParameterError(f"camera must be an EventCamera; got {kind_of(camera)}.")
        self._camera = camera
        self._sample = check_integer("sample", sample, high=MOST_SEED)
        self._dead_us = microseconds(camera.dead_time, "dead_time", low=0)
        on, off = (each.ravel() for each in camera.thresholds())
        self._core = _hrsnn.EventCamera(
            camera.height, camera.width, on, off, self._dead_us, camera.luma_offset
        )
        self._pieces: list[tuple[NDArray[Any], ...]] = []
        self._span: tuple[int, int] | None = None

    def see(self, frames: ArrayLike, times: ArrayLike) -> None:
        """Show the next frames to the camera.

        Parameters
        ----------
        frames : array_like, shape (n_frames, height, width)
            As in `EventCamera.events`; not kept.
        times : array_like of int, shape (n_frames,)
            As in `EventCamera.events`; later than those shown before.
        """
        clip = checked_clip(frames, self._camera.height, self._camera.width)
        if clip.dtype != np.uint8:
            with np.errstate(over="ignore", under="ignore"):
                clip = clip.astype(np.float32)  # what leaves its range is refused by the core
        moments = whole_numbers(times, "times", at="frame")
        self._pieces.append(self._core.feed(np.ascontiguousarray(clip), moments))
        start = int(moments[0]) if self._span is None else self._span[0]
        self._span = start, int(moments[-1])

    def stop(self, duration: int | None = None) -> tuple[SensorEvents, CameraReport]:
        """Return what was sent, as `EventCamera.record` does.

        Parameters
        ----------
        duration : int, default=None
            Length of the sample in µs. `None` means the last time plus one.

        Returns
        -------
        events : SensorEvents
            What the camera sent, noise among it.
        report : CameraReport
            What became of each crossing.

        Raises
        ------
        ShapeError
            If nothing was shown.
        """
        if self._span is None:
            raise ShapeError("frames must be at least one; got none.")
        camera = self._camera
        t, x, y, p = (np.concatenate(column) for column in zip(*self._pieces, strict=True))
        noise = camera._noise(self._sample, *self._span)
        n_dead = self._core.n_dead
        if noise[0].size:
            signal: tuple[NDArray[Any], ...] = (t, x, y, p)
            pairs = zip(signal, noise, strict=True)
            t, x, y, p = (np.concatenate(pair) for pair in pairs)
            order = np.lexsort((p, x, y, t))
            t, x, y, p = t[order], x[order], y[order], p[order]
            pixel = y.astype(np.uint32) * np.uint32(camera.width) + x
            keep = _hrsnn.dead_time(t, pixel, camera.height * camera.width, self._dead_us)
            n_dead += keep.size - int(np.count_nonzero(keep))
            t, x, y, p = t[keep], x[keep], y[keep], p[keep]
        if duration is None:
            duration = self._span[1] + 1
        events = SensorEvents(t, x, y, p, camera.height, camera.width, duration)
        return events, CameraReport(self._core.n_crossings, noise[0].size, n_dead, len(events))
