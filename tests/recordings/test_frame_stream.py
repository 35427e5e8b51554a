"""Frames one after the other: the same events as the array of all, bit by bit."""

from fractions import Fraction

import numpy as np
import pytest
from hrsnn_rs.encoding.contrast import FrameDifference, TemporalContrast
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.made_up.camera import EventCamera
from hrsnn_rs.recordings.frame_stream import clock_of, record_frames
from hypothesis import given, settings
from hypothesis import strategies as st

ENCODERS = [
    FrameDifference(9, 12, pool=4, threshold=0.3),
    FrameDifference(9, 12, pool=5, threshold=0.0, dt=33.3333),
    TemporalContrast(EventCamera(9, 12, noise_rate=0.0), EventEncoder(9, 12, (3, 4))),
    TemporalContrast(EventCamera(9, 12, noise_rate=80.0, dead_time=30.0, seed=3), dt=12.3456),
]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32), st.sampled_from(ENCODERS), st.sampled_from("Bfd"))
def test_a_stream_gives_the_events_of_the_array(n_frames, seed, encoder, dtype):
    rng = np.random.default_rng(seed)
    frames = (
        rng.integers(0, 2, (n_frames, 1, 1)) * rng.random((n_frames, 9, 12)) * 250 + 1
    ).astype(dtype)
    options = {"sample": 5} if isinstance(encoder, TemporalContrast) else {}
    whole = encoder.encode(frames, **options)
    before = frames.copy()
    assert encoder.encode_stream(iter(frames), sample=5) == whole
    # A source may use one buffer for all its frames.
    buffer = np.empty_like(frames[0])

    def one_buffer():
        for frame in frames:
            buffer[:] = frame
            yield buffer

    assert encoder.encode_stream(one_buffer(), sample=5) == whole
    assert (frames == before).all()


def test_frames_have_exact_times_where_the_video_says_them():
    rate = Fraction(30000, 1001)
    frames = np.random.default_rng(2).integers(0, 255, (31, 4, 4)).astype(np.uint8)
    found, _ = FrameDifference(4, 4, threshold=0.0, start="zero").encode_stream(
        frames, frame_rate=rate
    )
    assert set(found.t.tolist()) <= {round(n * 1001 / 30000 * 1e6) for n in range(31)}
    # 30 rounded steps of 33,367 µs would be 10 µs late.
    assert found.t.max() == 1_001_000
    assert found.duration == round(31 * 1001 / 30000 * 1e6)
    camera = EventCamera(4, 4, noise_rate=0.0)
    assert record_frames(camera, frames, frame_rate=rate).duration == found.duration
    assert clock_of(frames, 33.3667).moments(2, 2).tolist() == [2 * 33_367, 3 * 33_367]
    third = clock_of(frames, frame_rate=Fraction(3_000_000))
    assert (third.moments(1, 3).tolist(), third.end(4)) == ([0, 1, 1], 1)


@pytest.mark.parametrize("encoder", ENCODERS[::2], ids=lambda encoder: type(encoder).__name__)
def test_nonsense_for_a_stream(encoder):
    good = np.zeros((9, 12), np.uint8)
    for frames, error, message in [
        ([], ShapeError, "frames must be at least one; got none"),
        (
            [good, good[:8]],
            ShapeError,
            r"shape \(9, 12\); got \(8, 12\) at frame 1",
        ),
        ([good[None]], ShapeError, r"got \(1, 9, 12\) at frame 0"),
        (
            [good, good + 1.0],
            ParameterError,
            "must all be uint8; got .*float64.* at frame 1",
        ),
        ([good.astype(int)], ParameterError, r"frames must be luma \(uint8\) or intensity"),
        ([None], ShapeError, "frames must have shape"),
    ]:
        with pytest.raises(error, match=message):
            encoder.encode_stream(frames)
    for rate in (0, -5, np.nan, "25"):
        with pytest.raises(ParameterError, match="frame_rate must be"):
            encoder.encode_stream([good], frame_rate=rate)


def test_a_value_that_is_not_finite_is_found_in_any_piece():
    frames = np.zeros((20, 9, 12))
    frames[17, 2, 3] = np.inf
    with pytest.raises(ParameterError, match=r"got inf at \(frame, row, column\) \(17, 2, 3\)"):
        ENCODERS[0].encode_stream(frames)


TIMED = [
    FrameDifference(9, 12, start="zero"),
    TemporalContrast(
        EventCamera(9, 12, noise_rate=0.0, dead_time=0.0), EventEncoder(9, 12, start="zero")
    ),
]


@pytest.mark.parametrize("encoder", TIMED, ids=lambda encoder: type(encoder).__name__)
@pytest.mark.parametrize("step", [1_000, 20_000, 33_367])
def test_frames_are_at_the_times_that_are_said(encoder, step):
    frames = np.random.default_rng(3).integers(0, 255, (20, 9, 12)).astype(np.uint8)
    steady, _ = encoder.encode_stream(frames, frame_rate=Fraction(1_000_000, step))
    times = np.arange(20) * step
    assert encoder.encode(frames, times=times)[0] == steady
    assert encoder.encode_stream(iter(frames), times=times.tolist())[0] == steady
    assert type(encoder)(**vars(encoder) | {"dt": step / 1000}).encode(frames)[0] == steady
    # The second half comes later: only what lies behind it moves.
    late = times + 1_000_000 * (np.arange(20) >= 10)
    found, _ = encoder.encode(frames, times=late)
    assert (found.t < late[9] + 1).sum() == (steady.t < times[9] + 1).sum()
    assert (found.t > late[10]).sum() == (steady.t > times[10]).sum()
    assert found.duration == steady.duration + 1_000_000


@pytest.mark.parametrize("encoder", TIMED, ids=lambda encoder: type(encoder).__name__)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"times": [0, 5, 5]}, ParameterError, "times must increase; got 5 after 5 at frame 2"),
        ({"times": [0, 5, 4]}, ParameterError, "times must increase; got 4 after 5 at frame 2"),
        (
            {"times": [0, 0.5, 1]},
            ParameterError,
            "times must be a whole number; got 0.5 at frame 1",
        ),
        ({"times": [-1, 0, 1]}, ParameterError, "times must be at least 0; got -1 at frame 0"),
        ({"times": [0, 5]}, ShapeError, "times must be as many as frames; got 2 for at least 3"),
        ({"times": [0, 5, 6, 7]}, ShapeError, "times must be as many as frames, 3; got 4"),
        (
            {"times": [0, 5, 6], "frame_rate": 5},
            ParameterError,
            "frame_rate must be None where times",
        ),
    ],
)
def test_nonsense_for_times(encoder, options, error, message):
    with pytest.raises(error, match=message):
        encoder.encode_stream(np.zeros((3, 9, 12), np.uint8), **options)


def test_times_are_said_once():
    with pytest.raises(ParameterError, match="times must be None where dt is given"):
        FrameDifference(9, 12, dt=5.0).encode(np.zeros((1, 9, 12), np.uint8), times=[0])
    with pytest.raises(ParameterError, match="times or frame_rate must be given"):
        record_frames(EventCamera(9, 12), np.zeros((1, 9, 12), np.uint8))
