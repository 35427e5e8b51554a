"""Gestures: clips of a person seen from the front, as light intensity.

Lives here: phase as a function of time, what differs between repeats, and the drawing. Not
here: how a gesture moves the arms, the camera that turns frames into events, and the set of
samples. Invariant: a clip is a function of its arguments alone, whatever was drawn before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hrsnn_rs.arguments import check_integer
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.made_up.movements import CLASSES, Body, Poses, label_of, poses, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CLASSES", "render"]

# Mean tempo of each gesture in turns of its phase per second.
_TEMPO = (1.9, 1.7, 1.7, 1.1, 1.1, 1.1, 1.1, 1.6, 1.7, 2.0, 1.3)

# Senses in which the phase runs: a circle's grows where the hand goes round clockwise on the
# picture, which is counter-clockwise for the person.
_SENSE = (1, 1, 1, -1, 1, -1, 1, 1, 1, 1, 1)

# Purpose of the random stream of a clip.
_REPEAT = 103

_TURN = 2 * np.pi


def render(
    label: int | str,
    subject: int,
    repeat: int = 0,
    *,
    seed: int = 0,
    size: int = 64,
    duration: int = 1_200_000,
    frame_rate: float = 250.0,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw one clip of a person who makes a gesture.

    Subjects differ in build, place, light, tempo (0.7 to 1.4 of the gesture's), amplitude and
    habits; repeats of one subject differ in starting phase (uniform), tempo, its slow drift,
    amplitude and sway of the body. `other_gestures` is another movement for each subject.

    Parameters
    ----------
    label : int or str
        Index into, or member of, `CLASSES`.
    subject : int
        Which person.
    repeat : int, default=0
        Which of this person's clips of the gesture.
    seed : int, default=0
        Seed of the set.
    size : int, default=64
        Rows and columns of the picture, at least 16.
    duration : int, default=1_200_000
        Length of the clip in µs.
    frame_rate : float, default=250.0
        Frames per second.

    Returns
    -------
    frames : ndarray of float32, shape (n_frames, size, size)
        Light intensity in (0, 1].
    times : ndarray of int64, shape (n_frames,)
        Times in µs: from 0, below `duration`.

    Raises
    ------
    ParameterError
        If an argument is out of range or the clip has fewer than two frames.

    Notes
    -----
    The numbers drawn do not depend on what was rendered before. Bits may differ between
    machines whose NumPy computes sines differently.

    Examples
    --------
    >>> frames, times = render("hand_clapping", subject=4, size=32, duration=100_000)
    >>> frames.shape, times[:3]
    ((25, 32, 32), array([   0, 4000, 8000]))
    """
    label = label_of(label)
    subject = check_integer("subject", subject)
    repeat = check_integer("repeat", repeat)
    seed = check_integer("seed", seed)
    size = check_integer("size", size, 16, 2**12 - 1)
    times = _frame_times(duration, frame_rate)
    body = Body.of(seed, subject)
    draw = stream(seed, _REPEAT, subject, label, repeat)
    phase, sway, amplitude = _movement(body, label, draw, times / 1e6)
    found = poses(label, subject, phase, seed=seed, sway=sway, amplitude=amplitude)
    return _draw(body, found, size), times


def _frame_times(duration: int, frame_rate: float) -> NDArray[np.int64]:
    duration = check_integer("duration", duration, 1)
    if isinstance(frame_rate, bool) or not isinstance(frame_rate, (int, float, np.number)):
        raise ParameterError(f"frame_rate must be a number of Hz; got {frame_rate!r}.")
    if not 1.0 <= frame_rate <= 10_000.0:  # NaN fails too
        raise ParameterError(f"frame_rate must be between 1 and 10000 Hz; got {frame_rate!r}.")
    n_frames = int(np.ceil(duration * float(frame_rate) / 1e6))
    frame_times = np.rint(np.arange(n_frames) * (1e6 / float(frame_rate)))
    times: NDArray[np.int64] = frame_times[frame_times < duration].astype(np.int64)
    if times.size < 2:
        raise ParameterError(
            f"duration must hold two frames at {frame_rate} Hz or more; got {duration} µs."
        )
    return times


def _movement(
    body: Body, label: int, draw: np.random.Generator, seconds: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return phase (radians), sway of the body (picture units) and factor of amplitude.

    Every law here is its own mirror image in time, up to the sense of the phase.
    """
    start = draw.uniform(0.0, _TURN)
    tempo = _TEMPO[label] * body.tempo * draw.uniform(0.9, 1.1)
    amplitude = draw.uniform(0.92, 1.08)
    depth, drift = draw.uniform(0.0, 0.12), draw.uniform(0.4, 0.9)
    drift_start = draw.uniform(0.0, _TURN)
    # Its derivative, tempo * (1 + depth * cos), stays positive.
    slow = np.sin(_TURN * drift * seconds + drift_start) - np.sin(drift_start)
    turns = tempo * (seconds + depth * slow / (_TURN * drift))
    rates = draw.uniform(0.3, 0.9, size=2)
    begin = draw.uniform(0.0, _TURN, size=2)
    width = draw.uniform(0.003, 0.008, size=2)
    sway = width * np.sin(_TURN * seconds[:, None] * rates + begin)
    return start + _SENSE[label] * _TURN * turns, sway, amplitude


def _draw(body: Body, found: Poses, size: int) -> NDArray[np.float32]:
    """Paint background, torso, head and arms over each other, all frames at once."""
    n_frames = found.middle.shape[0]
    ramp = np.linspace(0.9, 1.1, size, dtype=np.float32)
    frames = np.empty((n_frames, size, size), np.float32)
    frames[:] = body.background * ramp[:, None]
    middle, wide, head = found.middle, body.half_width, body.head

    def below(down: float, outwards: float = 0.0) -> NDArray[np.float64]:
        return np.add(middle, [outwards, down])

    _capsule(frames, below(0.55 * wide), below(body.torso), 0.9 * wide, body.shirt)
    _capsule(frames, below(0.02, -0.55 * wide), below(0.02, 0.55 * wide), 0.05, body.shirt)
    crown = -0.055 - head
    _capsule(frames, below(crown), below(0.0), 0.4 * head, body.skin)
    _capsule(frames, below(crown - 0.3 * head), below(crown - 0.3 * head), head, body.hair)
    _capsule(frames, below(crown), below(crown + 0.25 * head), 0.82 * head, body.skin)
    for shoulder, elbow, hand in zip(found.shoulder, found.elbow, found.hand, strict=True):
        _capsule(frames, shoulder, elbow, 1.15 * body.thickness, body.sleeve)
        _capsule(frames, elbow, hand, 0.9 * body.thickness, body.forearm_light)
        _capsule(frames, hand, hand, 1.25 * body.thickness, body.skin)
    return frames


def _capsule(
    frames: NDArray[np.float32],
    begin: NDArray[np.float64],
    end: NDArray[np.float64],
    radius: float,
    light: float,
) -> None:
    """Paint a line with round ends into each frame, in place.

    Only a window of pixels that holds the capsule is computed; it has one size for all frames
    and its own place in each.
    """
    n_frames, size, _ = frames.shape
    # Soft edges as wide as a pixel and a half of a picture of 64, so that size changes only detail.
    soft = max(1.0, 1.5 * size / 64)
    a = (begin * size - 0.5).astype(np.float32)
    b = (end * size - 0.5).astype(np.float32)
    r = np.float32(radius * size)
    corner = np.floor(np.minimum(a, b) - (r + soft)).astype(np.int64)
    extent = int(np.ceil((np.abs(b - a) + 2 * (r + soft)).max())) + 2
    side = min(extent, size)
    corner = np.clip(corner, 0, size - side)
    column = corner[:, :1] + np.arange(side)
    row = corner[:, 1:] + np.arange(side)
    x = (column - a[:, :1]).astype(np.float32)[:, None, :]
    y = (row - a[:, 1:]).astype(np.float32)[:, :, None]
    line = (b - a)[:, :, None, None]
    length = np.maximum((line * line).sum(axis=1), np.float32(1e-6))
    share = (x * (line[:, 0] / length)) + (y * (line[:, 1] / length))
    np.clip(share, 0.0, 1.0, out=share)
    across, down = x - share * line[:, 0], y - share * line[:, 1]
    distance = np.sqrt(across * across + down * down)
    cover = np.clip((r - distance) / np.float32(soft) + np.float32(0.5), 0.0, 1.0)
    window = (np.arange(n_frames)[:, None, None], row[:, :, None], column[:, None, :])
    under = frames[window]
    frames[window] = under + cover * (np.float32(light) - under)
