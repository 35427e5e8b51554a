"""Stamps between frames: those of a video with a thousand times as many frames."""

from itertools import pairwise

import numpy as np
import pytest
from hrsnn_rs import EventCamera, TemporalContrast
from hrsnn_rs.encoding import EventEncoder, FrameDifference
from hrsnn_rs.errors import ParameterError

FINER = 1000


def finer(frames):
    """Straight lines from frame to frame, `FINER` frames for one; ends with the last frame."""
    share = np.arange(FINER)[:, None, None] / FINER
    parts = [a + share * (b - a) for a, b in pairwise(frames)]
    return np.concatenate([*parts, frames[-1:]])


def first_above(frames, pool, threshold):
    """(time in fine frames, square) of the first fine frame whose difference is above it."""
    fine = finer(frames.astype(float))
    size = (frames.shape[1] // pool, pool, frames.shape[2] // pool, pool)
    whole = np.abs(np.diff(frames.astype(float), axis=0)).reshape(-1, *size).max(axis=(2, 4))
    low, high = whole.min(), whole.max()
    found = []
    for index in range(len(frames) - 1):
        part = fine[index * FINER : (index + 1) * FINER + 1] - frames[index]
        squares = np.abs(part).reshape(-1, *size).max(axis=(2, 4)).reshape(FINER + 1, -1)
        above = squares - low > threshold * (high - low)
        for square in np.flatnonzero(above[-1]):
            found.append((index * FINER + int(np.argmax(above[:, square])), int(square)))
    return sorted(found)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("pool", [1, 2])
@pytest.mark.parametrize("threshold", [0.0, 0.3])
def test_a_difference_is_stamped_where_straight_lines_reach_the_threshold(dtype, pool, threshold):
    frames = (np.random.default_rng(7).random((5, 4, 6)) * 255).astype(dtype)
    # One fine frame is 1 µs, so that a crossing is within one of its stamp.
    settings = {"pool": pool, "threshold": threshold, "start": "zero"}
    encoder = FrameDifference(4, 6, stamps="interpolated", **settings)
    events, report = encoder.encode(frames)
    expected = first_above(frames, pool, threshold)
    found = sorted(zip(events.channel.tolist(), events.t.tolist(), strict=True))
    slow = sorted((square, t) for t, square in expected)
    assert [channel for channel, _ in found] == [square for square, _ in slow]
    assert max(abs(a[1] - b[1]) for a, b in zip(found, slow, strict=True)) <= 1
    assert np.unique(events.t % FINER).size > 4 or threshold == 0
    at_frames, of_frames = FrameDifference(4, 6, **settings).encode(frames)
    assert report == of_frames
    assert sorted(at_frames.channel) == sorted(events.channel)
    ends = -(-events.t // FINER) * FINER
    assert sorted(zip(ends, events.channel, strict=True)) == sorted(
        zip(at_frames.t, at_frames.channel, strict=True)
    )
    assert encoder.encode_stream(iter(frames))[0] == events


def test_temporal_contrast_stamps_are_those_of_a_finer_video():
    logs = np.cumsum(np.random.default_rng(8).normal(0, 0.5, (6, 4, 5)), axis=0)
    camera = EventCamera(4, 5, dead_time=0.0, noise_rate=0.0)
    encoder = EventEncoder(4, 5, size=(4, 5))
    coarse = TemporalContrast(camera, encoder, dt=1.0)(np.exp(logs))
    fine = TemporalContrast(camera, encoder, dt=0.001)(np.exp(finer(logs)))
    order, other = (np.lexsort((each.t, each.channel)) for each in (coarse, fine))
    assert coarse.channel[order].tolist() == fine.channel[other].tolist()
    # A fine crossing is rounded up to its frame, and light to 24 bits.
    assert np.abs(coarse.t[order] - fine.t[other]).max() <= 1
    assert np.unique(coarse.t % 1000).size > 20


@pytest.mark.parametrize("value", [None, "between", 1, True, ["frame"], {}])
def test_nonsense_as_stamps(value):
    with pytest.raises(ParameterError, match=r"^stamps must be one of"):
        FrameDifference(4, 4, stamps=value)
