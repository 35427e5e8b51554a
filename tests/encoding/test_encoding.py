"""The event camera and the encoders: closed forms, conservation of counts, nonsense."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hrsnn_rs import _hrsnn
from hrsnn_rs.encoding.contrast import FrameDifference, TemporalContrast
from hrsnn_rs.encoding.events_to_channels import EventCamera, EventEncoder
from hrsnn_rs.errors import HRSNNError, ParameterError, ShapeError
from hrsnn_rs.events import Events, SensorEvents
from hypothesis import given, settings
from hypothesis import strategies as st

IDEAL = EventCamera(1, 1, mismatch=0.0, noise_rate=0.0, dead_time=0.0)


def random_events(n, seed, height=48, width=64, duration=200_000):
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, duration, n))
    x, y, p = rng.integers(0, width, n), rng.integers(0, height, n), rng.integers(0, 2, n)
    return SensorEvents(t, x, y, p, height, width, duration)


def light(*logs):
    return np.exp(np.array(logs, dtype=float)).reshape(-1, 1, 1)


def test_a_ramp_of_log_intensity_fires_at_known_microseconds():
    # Slope 1 per 10 ms, threshold 0.2: one event each 2 ms; then down at half the slope.
    events = IDEAL.events(light(0.0, 1.1, 0.0), [0, 11_000, 33_000])
    assert events.t.tolist() == [
        *(2000, 4000, 6000, 8000, 10_000),
        *(11_000 + 2000 * k for k in (3, 5, 7, 9, 11)),
    ]
    assert events.p.tolist() == [1] * 5 + [0] * 5
    assert events.duration == 33_001


@pytest.mark.parametrize("k", [1, 4, 23])
@pytest.mark.parametrize("direction", [1, -1])
def test_a_step_of_k_thresholds_gives_k_events(k, direction):
    camera = replace(IDEAL, threshold_on=0.15, threshold_off=0.15)
    events = camera.events(light(0.0, direction * (k + 0.01) * 0.15), [0, 1])
    assert (events.t.tolist(), events.p.tolist()) == ([1] * k, [int(direction > 0)] * k)


def test_luma_is_offset_before_the_logarithm():
    luma = np.array([10, 200, 0], np.uint8).reshape(3, 1, 1)
    camera = replace(IDEAL, luma_offset=2.5)
    assert camera.events(luma, [0, 50, 100]) == camera.events(luma + 2.5, [0, 50, 100])


def test_dead_time_of_a_pixel_and_counts():
    camera = replace(IDEAL, dead_time=0.45, threshold_on=0.1)
    events, report = camera.record(light(0.0, 1.05), [0, 1050])
    assert events.t.tolist() == [100, 600]
    assert (report.n_crossings, report.n_dead, report.n_out) == (10, 8, 2)


def test_mismatch_and_noise_follow_their_laws():
    camera = EventCamera(100, 100, noise_rate=20.0, dead_time=0.0, seed=3)
    on, off = camera.thresholds()
    # Five standard errors of 10^4 draws.
    for each in (on, off):
        assert abs(each.mean() - 0.2) < 5 * 0.03 / 100
        assert abs(each.std() - 0.03) < 5 * 0.03 / np.sqrt(2e4)
    assert abs(np.corrcoef(on.ravel(), off.ravel())[0, 1]) < 0.05
    still = np.full((2, 100, 100), 7, np.uint8)
    events = camera.events(still, [0, 1_000_000])
    expected = 20.0 * 1e4
    assert abs(len(events) - expected) < 5 * np.sqrt(expected)
    assert abs(events.p.mean() - 0.5) < 5 * 0.5 / np.sqrt(expected)
    assert 0 < events.t[0] < 100
    assert events.t[-1] <= 1_000_000
    counts = np.bincount(events.y.astype(int) * 100 + events.x, minlength=10_000)
    assert abs(counts.var() / counts.mean() - 1) < 5 * np.sqrt(2 / 1e4)


def test_same_seed_same_bits():
    frames = np.random.default_rng(1).integers(0, 255, (9, 12, 16)).astype(np.uint8)
    times = np.arange(9) * 5000
    camera = EventCamera(12, 16, noise_rate=50.0, seed=5)
    before = frames.copy()
    events = camera.events(frames, times)
    assert events == camera.events(frames, times) == replace(camera).events(frames[:], times)
    assert events != camera.events(frames, times, sample=1)
    assert events != replace(camera, seed=6).events(frames, times)
    assert events == camera.events(np.asfortranarray(frames), times.astype(">i8"))
    assert (frames == before).all()
    order = np.lexsort((events.p, events.x, events.y, events.t))
    assert (order == np.arange(len(events))).all()
    pixel = events.y.astype(np.int64) * 16 + events.x
    for each in np.unique(pixel):
        assert (np.diff(events.t[pixel == each]) >= 1000).all()


def test_a_stream_in_pieces_is_the_whole():
    rng = np.random.default_rng(2)
    frames = rng.uniform(1, 9, (30, 5, 4)).astype(np.float32)
    times = np.cumsum(rng.integers(1, 900, 30))
    ones = np.full(20, 0.2)

    def fed(*cuts):
        core = _hrsnn.EventCamera(5, 4, ones, ones, 300, 1.0)
        stops = [*cuts, 30]
        starts = [0, *cuts]
        parts = [core.feed(frames[a:b], times[a:b]) for a, b in zip(starts, stops, strict=True)]
        return [np.concatenate(column).tolist() for column in zip(*parts, strict=True)]

    assert fed() == fed(1) == fed(7, 7, 20) == fed(*range(1, 30))
    assert len(fed()[0]) > 100


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 20), st.floats(0, 500))
def test_the_camera_counts_everything(seed, dead_time, noise_rate):
    frames = np.random.default_rng(seed).integers(0, 255, (5, 6, 7)).astype(np.uint8)
    camera = EventCamera(6, 7, dead_time=dead_time, noise_rate=noise_rate, seed=seed)
    events, report = camera.record(frames, np.arange(5) * 3000)
    assert report.n_crossings + report.n_noise == report.n_out + report.n_dead
    assert report.n_out == len(events)
    encoder = TemporalContrast(camera, EventEncoder(6, 7, size=(3, 3), crop=(4, 4), dead_time=2.0))
    encoded, report = encoder.encode(frames)
    assert report.n_in == len(encoded) + report.n_dropped


CAMERA_NONSENSE = {
    "height": (0, -1, 1.5, None, "8", 2**16, True),
    "width": (0, np.nan, None, [8]),
    "threshold_on": (0.0, -0.2, np.nan, np.inf, None, "0.2", 1e-9, [0.2]),
    "threshold_off": (0.0, -0.2, np.nan, None),
    "mismatch": (-0.1, np.nan, None),
    "dead_time": (-1.0, np.nan, None, "1", np.inf),
    "noise_rate": (-1.0, np.nan, None, 1e9),
    "seed": (-1, 0.5, None, 2**64),
    "luma_offset": (0.0, -1.0, np.nan, None),
}


@pytest.mark.parametrize(
    ("name", "value"), [(n, v) for n, vs in CAMERA_NONSENSE.items() for v in vs]
)
def test_nonsense_for_the_camera(name, value):
    with pytest.raises(ParameterError, match=f"^{name} must be"):
        EventCamera(**{"height": 8, "width": 8} | {name: value})


@pytest.mark.parametrize(
    ("frames", "times", "message"),
    [
        (light(1.0, 2.0) * 0, [0, 1], "frames must be finite and greater than 0; got 0 at frame 0"),
        (light(1.0, np.nan), [0, 1], "frames must be .*; got NaN at frame 1, pixel 0"),
        (light(1.0, 700.0), [0, 1], "frames must be .*; got inf at frame 1, pixel 0"),
        (light(1.0, 2.0), [5, 5], r"times must be greater than the time before \(5 µs\); got 5"),
        (light(1.0, 2.0), [0, -1], "times must be at least 0; got -1 at frame 1"),
        (light(1.0, 2.0), [0, 0.5], "times must be a whole number; got 0.5 at frame 1"),
        (light(1.0, 2.0), [0], r"frames must have shape \(1, 1, 1\)"),
        (light(1.0, 2.0)[..., None], [0, 1], "frames must have shape"),
        (light(1.0, 2.0)[:0], [], "frames must have shape"),
        (np.ones((2, 1, 2)), [0, 1], "frames must have shape"),
        (np.ones((2, 1, 1), int), [0, 1], r"frames must be luma \(uint8\) or intensity"),
        (None, [0, 1], "frames must have shape"),
    ],
)
def test_nonsense_for_a_clip(frames, times, message):
    with pytest.raises(HRSNNError, match=message):
        IDEAL.events(frames, times)


def slow_dead_time(t, channel, dead):
    last, keep = {}, []
    for time, each in zip(t, channel, strict=True):
        keep.append(each not in last or time - last[each] >= dead)
        if keep[-1]:
            last[each] = time
    return keep


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 4)), max_size=60).map(sorted),
    st.integers(0, 60),
)
def test_dead_time_is_that_of_a_slow_reference(rows, dead):
    t = np.array([row[0] for row in rows], np.int64)
    channel = np.array([row[1] for row in rows], np.uint32)
    keep = _hrsnn.dead_time(t, channel, 5, dead)
    assert keep.tolist() == slow_dead_time(t.tolist(), channel.tolist(), dead)


def test_faults_of_dead_time():
    t, channel = np.array([1, 0]), np.zeros(2, np.uint32)
    for args, message in [
        ((t, channel, 1, 1), "t must not decrease; got 0 after 1 at index 1"),
        ((t[1:], channel[1:], 0, 1), r"channel must be below n_channels \(0\); got 0 at event 0"),
        ((t[1:], channel, 1, 1), "channel must have length 1; got length 2"),
        ((t[1:], channel[1:], 1, -1), "dead_time must be in"),
        ((t[1:], channel[1:], 2**40, 1), "n_channels must be at most 2.28"),
        ((t[1:] - 9, channel[1:], 1, 1), "t must be in .*; got -9 at event 0"),
    ]:
        with pytest.raises(HRSNNError, match=message):
            _hrsnn.dead_time(*args)


def test_downscaling_keeps_order_and_covers_each_channel():
    y, x = (each.ravel() for each in np.mgrid[:48, :64])
    events = SensorEvents(np.arange(y.size), x, y, np.ones(y.size, int), 48, 64)
    encoded, report = EventEncoder(48, 64, size=(10, 7)).encode(events)
    assert report.n_out == report.n_in == 48 * 64
    expected = (1 * 10 + y * 10 // 48) * 7 + x * 7 // 64
    assert (encoded.channel == expected).all()
    assert set(encoded.channel) == set(range(70, 140))
    merged = EventEncoder(48, 64, size=(10, 7), polarities=1)(events)
    assert merged.n_channels == 70
    assert (merged.channel == expected - 70).all()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 300),
    st.integers(0, 2**32),
    st.booleans(),
    st.sampled_from([None, (0, 0, 48, 64), (3, 5, 20, 31), (17, 9), (48, 64)]),
    st.sampled_from([None, 0.0, 0.5, 30.0]),
    st.sampled_from([None, 1, 1000]),
    st.sampled_from([1, 2]),
)
def test_nothing_is_lost_uncounted(n, seed, centre, crop, dead_time, quantum, polarities):
    events = random_events(n, seed)
    encoder = EventEncoder(48, 64, (5, 8), polarities, centre, crop, dead_time, quantum)
    encoded, report = encoder.encode(events)
    assert report.n_in == n
    assert report.n_in == report.n_out + report.n_outside + report.n_dead
    assert report.n_out == len(encoded)
    assert report.n_dropped == n - len(encoded)
    assert encoded.duration == events.duration - report.start_us
    assert encoded.n_channels == encoder.n_channels == polarities * 40
    if crop in (None, (0, 0, 48, 64), (48, 64)) and not centre:
        assert report.n_outside == 0
    if quantum is not None:
        assert (encoded.t % quantum == 0).all()
    if not dead_time:
        assert report.n_dead == 0
    assert EventEncoder.from_dict(json.loads(json.dumps(encoder.to_dict()))) == encoder


def test_dead_time_and_quantum_against_slow_ones():
    events = random_events(2000, 4)
    plain = EventEncoder(48, 64, size=(6, 8))(events)
    dead = EventEncoder(48, 64, size=(6, 8), dead_time=7.0, quantum=1000)(events)
    keep = slow_dead_time(plain.t.tolist(), plain.channel.tolist(), 7000)
    assert dead.t.tolist() == (plain.t[keep] // 1000 * 1000).tolist()
    assert dead.channel.tolist() == plain.channel[keep].tolist()
    assert 0 < len(dead) < len(plain)


@pytest.mark.parametrize(("dy", "dx"), [(0, 0), (7, -9), (-5, 12)])
def test_centring_undoes_a_shift_of_the_scene(dy, dx):
    rng = np.random.default_rng(8)
    y, x = rng.integers(18, 30, 500), rng.integers(20, 44, 500)
    t, p = np.arange(500), rng.integers(0, 2, 500)
    encoder = EventEncoder(48, 64, size=(24, 32), crop=(24, 32), centre=True)
    here, report = encoder.encode(SensorEvents(t, x, y, p, 48, 64))
    there = encoder(SensorEvents(t, x + dx, y + dy, p, 48, 64))
    assert here == there
    assert report.n_outside == 0
    rows = (here.channel % (24 * 32)) // 32
    columns = here.channel % 32
    # The shift is a whole number of pixels, so at most half of one is left.
    assert abs(rows.mean() - 11.5) <= 0.5
    assert abs(columns.mean() - 15.5) <= 0.5


def test_centring_within_a_fixed_crop_ignores_what_lies_outside():
    inner = ([0, 1], [12, 13], [12, 13])
    both = ([0, 1, 2], [12, 13, 60], [12, 13, 40])
    encoder = EventEncoder(48, 64, size=(8, 8), crop=(10, 10, 8, 8), centre=True)
    alone, _ = encoder.encode(SensorEvents(*inner, [1, 1], 48, 64, duration=10))
    crowd, report = encoder.encode(SensorEvents(*both, [1, 1, 1], 48, 64, duration=10))
    assert alone == crowd
    assert report.n_outside == 1
    assert (alone.channel - 64).tolist() == [3 * 8 + 3, 4 * 8 + 4]


ENCODER_NONSENSE = {
    "height": (0, -1, 1.5, None, "8"),
    "width": (0, np.nan, None),
    "size": (32, (32,), (0, 4), (4, -1), (4, 2.5), None, "44", {"a", "b"}),
    "polarities": (0, 3, None, "2", 1.5),
    "centre": (None, 2, "yes"),
    "crop": (5, (1, 2, 3), (0, 0, 0, 4), (0, 0, 9, 4), (5, 5, 4, 4), (9, 4), (-1, 0, 4, 4)),
    "dead_time": (-1.0, np.nan, "1", np.inf),
    "quantum": (0, -5, 0.5, "1"),
}


@pytest.mark.parametrize(
    ("name", "value"), [(n, v) for n, vs in ENCODER_NONSENSE.items() for v in vs]
)
def test_nonsense_for_the_encoder(name, value):
    with pytest.raises(ParameterError, match=f"^{name}"):
        EventEncoder(**{"height": 8, "width": 8} | {name: value})


def test_nonsense_for_encode_and_from_dict():
    encoder = EventEncoder(8, 8)
    with pytest.raises(ParameterError, match="events must be SensorEvents; got a Events"):
        encoder.encode(Events([0], [0], 1))
    with pytest.raises(ShapeError, match="sensor of 8 x 8; got 8 x 9"):
        encoder.encode(SensorEvents([0], [0], [0], [0], 8, 9))
    with pytest.raises(ParameterError, match="got 'depth'"):
        EventEncoder.from_dict({"height": 8, "width": 8, "depth": 8})
    with pytest.raises(ParameterError, match="must have 'width'"):
        EventEncoder.from_dict({"height": 8})


def slow_frame_difference(frames, pool, threshold):
    frames = np.asarray(frames, dtype=float)
    difference = np.abs(np.diff(frames, axis=0))
    n, height, width = difference.shape
    squares = np.array(
        [
            [
                difference[i, y : y + pool, x : x + pool].max()
                for y in range(0, height, pool)
                for x in range(0, width, pool)
            ]
            for i in range(n)
        ]
    )
    scaled = (squares - squares.min()) / (squares.max() - squares.min())
    return np.argwhere(scaled > threshold)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("pool", [1, 3, 5, 100])
def test_frame_difference_is_that_of_a_slow_reference(dtype, pool):
    rng = np.random.default_rng(9)
    frames = (rng.random((6, 10, 13)) ** 3 * 255).astype(dtype)
    before = frames.copy()
    encoder = FrameDifference(10, 13, pool=pool, threshold=0.31, dt=40.0, start="zero")
    events, report = encoder.encode(frames)
    expected = slow_frame_difference(frames, pool, 0.31)
    assert events.t.tolist() == ((expected[:, 0] + 1) * 40_000).tolist()
    assert events.channel.tolist() == expected[:, 1].tolist()
    assert events.duration == 240_000
    assert report.n_in == report.n_out + report.n_below == 5 * encoder.n_channels
    assert (frames == before).all()


def test_a_single_frame_has_no_differences():
    events, report = FrameDifference(4, 4).encode(np.zeros((1, 4, 4), np.uint8))
    assert (len(events), report.n_in, events.duration) == (0, 0, 1000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("pool", v) for v in (0, -1, 1.5, None)),
        *(("threshold", v) for v in (-0.1, 1.0, np.nan, None)),
        *(("dt", v) for v in (0.0, -1.0, np.nan, "1")),
        *(("height", v) for v in (0, None)),
    ],
)
def test_nonsense_for_frame_difference(name, value):
    with pytest.raises(ParameterError, match=f"^{name} must be"):
        FrameDifference(**{"height": 8, "width": 8} | {name: value})


def test_nonsense_for_clips_and_for_temporal_contrast():
    frames = np.zeros((2, 4, 4))
    frames[1, 2, 3] = np.nan
    with pytest.raises(ParameterError, match=r"got nan at \(frame, row, column\) \(1, 2, 3\)"):
        FrameDifference(4, 4).encode(frames)
    with pytest.raises(ShapeError, match="frames must have shape"):
        FrameDifference(4, 4).encode(np.zeros((2, 4, 4, 3), np.uint8))
    with pytest.raises(ParameterError, match="camera must be an EventCamera"):
        TemporalContrast(None)
    with pytest.raises(ParameterError, match="encoder must be an encoder of sensor events"):
        TemporalContrast(IDEAL, encoder=4)
    with pytest.raises(ShapeError, match="encoder must have the camera's size"):
        TemporalContrast(IDEAL, EventEncoder(8, 8))
    with pytest.raises(ParameterError, match=r"^dt must be"):
        TemporalContrast(IDEAL, dt=0.0)


def test_temporal_contrast_is_camera_then_encoder():
    frames = np.random.default_rng(3).integers(0, 255, (6, 8, 8)).astype(np.uint8)
    camera, encoder = EventCamera(8, 8, seed=2), EventEncoder(8, 8, size=(4, 4))
    contrast = TemporalContrast(camera, encoder, dt=20.0)
    seen = camera.events(frames, np.arange(6) * 20_000, duration=120_000, sample=7)
    assert contrast(frames, sample=7) == encoder(seen)
    assert contrast.n_channels == 32


def recordings():
    folder = os.environ.get("HRSNN_DATA")
    return sorted(Path(folder, "dvs128_gesture").glob("*.npz")) if folder else []


@pytest.mark.skipif(not recordings(), reason="HRSNN_DATA names no folder with dvs128_gesture")
def test_recordings_of_a_sensor_are_encoded_whole():
    for path in recordings()[:3]:
        with np.load(path, allow_pickle=False) as file:
            events = SensorEvents(*(file[name] for name in "txyp"), 128, 128)
        encoded, report = EventEncoder(128, 128).encode(events)
        assert report.n_out == report.n_in == len(events) > 60_000
        assert encoded.n_channels == 2048
        dead, report = EventEncoder(128, 128, dead_time=1.0, centre=True).encode(events)
        assert report.n_in == len(dead) + report.n_outside + report.n_dead
        assert 0 < report.n_dead < report.n_in
        assert 0 < report.n_outside < report.n_in / 2
