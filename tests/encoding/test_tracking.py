"""Tracking: closed forms of the centre, what it takes away, and what it must not know."""

import json

import numpy as np
import pytest
from hrsnn_rs import EventCamera, HRSNNClassifier, Readout, TemporalContrast
from hrsnn_rs.datasets import EventFolder
from hrsnn_rs.encoding import EncodingReport, EventEncoder, TrackingEncoder
from hrsnn_rs.errors import HRSNNError, ParameterError, ShapeError
from hrsnn_rs.events import Events, SensorEvents
from hrsnn_rs.network import default_network
from hrsnn_rs.recordings.cache import encoder_settings

HEIGHT, WIDTH = 240, 320
MS = 1000


def walker(seed=0, n=4000, speed=60.0, size=8.0, x0=60.0, y0=100.0, duration=2_000_000):
    """Events around a point that moves steadily (pixels per s), as whole pixels."""
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, duration, n))
    x = np.rint(x0 + speed * t / 1e6 + size * rng.uniform(-2, 2, n)).astype(int)
    y = np.rint(y0 + 1.5 * size * rng.uniform(-2, 2, n)).astype(int)
    return t, x, y, rng.integers(0, 2, n), duration


def seen(t, x, y, p, duration, height=HEIGHT, width=WIDTH):
    return SensorEvents(t, x, y, p, height, width, duration)


def tracking(**changes):
    return TrackingEncoder(HEIGHT, WIDTH, **{"start": "zero"} | changes)


# Closed forms


def dot(speed, step=100, duration=2_000_000):
    """A dot that moves one pixel in 1 / speed s, reported every `step` µs."""
    t = np.arange(0, duration, step)
    x = (speed * t * 1e-6).astype(int)
    return seen(t, x, np.full(t.size, 7), np.ones(t.size, int), duration)


@pytest.mark.parametrize("speed", [50, 125])
@pytest.mark.parametrize("tau", [20.0, 80.0])
def test_a_causal_centre_lags_by_its_time_constant_and_a_centred_one_does_not(speed, tau):
    # One pixel's time: the mean of a staircase over it is that of the line, half a pixel lower.
    at = np.arange(1_000_000, 1_000_000 + 1_000_000 // speed, 100)
    true = np.mean(speed * at * 1e-6) - 0.5
    for smoothing, lag in (("causal", speed * tau / 1000), ("centred", 0.0)):
        track = tracking(time_constant=tau, smoothing=smoothing).track(dot(speed), at)
        # Events are 100 µs apart: half of that is in the mean of the staircase, half in the lag.
        # What is missing before the recording is e^-(1000 / 80) of 1000 ms.
        assert np.mean(track.x) == pytest.approx(true - lag, abs=0.11e-3 * speed)
        assert np.mean(track.velocity_x) == pytest.approx(speed, rel=0.001)
        assert track.y == pytest.approx(7)
        assert track.velocity_y == pytest.approx(0, abs=1e-9)


def test_two_events_weigh_by_their_age():
    events = seen([0, 160 * MS], [10, 30], [5, 5], [1, 1], 10**6)
    track = tracking().track(events, [0, 100 * MS, 160 * MS, 999 * MS])
    last = 10 + 20 / (1 + np.exp(-1))
    np.testing.assert_allclose(track.x, [10, 10, last, last])
    both = tracking(smoothing="centred").track(events, [0, 80 * MS, 160 * MS, 999 * MS])
    first = 10 + 20 / (1 + np.exp(1))
    np.testing.assert_allclose(both.x, [first, 20, last, last])
    np.testing.assert_allclose(both.velocity_x[1], 125)


def test_the_spread_is_that_of_a_uniform_square():
    rng = np.random.default_rng(1)
    x, y = rng.integers(100, 141, (2, 40_000))
    t = np.sort(rng.integers(0, 10**6, x.size))
    track = tracking(spread_constant=None).track(seen(t, x, y, x * 0, 10**6), [999_999])
    # 41 values with equal chances; 4 standard errors of a variance of 80,000 numbers.
    assert track.spread[0] ** 2 == pytest.approx((41**2 - 1) / 12, rel=4 * 0.9 / 80_000**0.5)


# What is taken away


@pytest.mark.parametrize("smoothing", ["causal", "centred"])
@pytest.mark.parametrize("shift", [(37, 0), (0, -55), (100, 40)])
@pytest.mark.parametrize("zoom", [None, 5.0])
def test_place_makes_no_difference(smoothing, shift, zoom):
    t, x, y, p, duration = walker()
    encoder = tracking(smoothing=smoothing, zoom=zoom, dead_time=0)
    here = encoder(seen(t, x, y, p, duration))
    there = encoder(seen(t, x + shift[0], y + shift[1], p, duration))
    assert same_share(here, there) > 0.999  # but for rounding at the edges of pixels


def same_share(one, other):
    """Share of events that are the same in time and channel."""
    both = set(zip(one.t.tolist(), one.channel.tolist(), strict=True))
    return len(both & set(zip(other.t.tolist(), other.channel.tolist(), strict=True))) / len(both)


@pytest.mark.parametrize("smoothing", ["causal", "centred"])
@pytest.mark.parametrize("factor", [2, 3])
def test_size_makes_no_difference_with_zoom(smoothing, factor):
    t, x, y, p, duration = walker(x0=20, y0=40, speed=20)
    encoder = tracking(smoothing=smoothing, dead_time=0)
    here = encoder(seen(t, x, y, p, duration))
    settings = {"smoothing": smoothing, "dead_time": 0, "start": "zero"}
    there = TrackingEncoder(HEIGHT * factor, WIDTH * factor, **settings)(
        seen(t, x * factor, y * factor, p, duration, HEIGHT * factor, WIDTH * factor)
    )
    assert same_share(here, there) > 0.99


@pytest.mark.parametrize("smoothing", ["causal", "centred"])
@pytest.mark.parametrize("mirror_from", ["first_third", "whole"])
def test_a_mirrored_scene_gives_the_same_channels(smoothing, mirror_from):
    t, x, y, p, duration = walker()
    encoder = tracking(smoothing=smoothing, mirror=True, mirror_from=mirror_from, track_levels=6)
    right, of_right = encoder.encode(seen(t, x, y, p, duration))
    left, of_left = encoder.encode(seen(t, WIDTH - 1 - x, y, p, duration))
    assert right == left
    assert (of_right.n_mirrored, of_left.n_mirrored) == (0, t.size)
    without = tracking(smoothing=smoothing, track_levels=6)
    assert without(seen(t, x, y, p, duration)) == right
    assert without(seen(t, WIDTH - 1 - x, y, p, duration)) != right


def test_a_running_mirror_follows_who_turns_round():
    t, x, y, p, duration = walker(speed=100)
    back = t > duration // 2
    x = np.where(back, 2 * (60 + 100) - x, x)
    encoder = tracking(mirror=True)
    track = encoder.track(seen(t, x, y, p, duration))
    # Half a spread, and the lag of the centre, after the turn.
    turned = t[np.argmax(track.is_mirrored)]
    assert duration // 2 < turned < duration // 2 + 400 * MS
    assert track.is_mirrored[t > turned].all()
    report = encoder.encode(seen(t, x, y, p, duration))[1]
    assert report.n_mirrored == track.is_mirrored.sum()


def test_who_stays_is_not_mirrored():
    t, x, y, p, duration = walker(speed=0, n=40_000)
    for mirror_from in ("running", "first_third", "whole"):
        encoder = tracking(mirror=True, mirror_from=mirror_from)
        assert encoder.encode(seen(t, x, y, p, duration))[1].n_mirrored == 0


# What must not be known


@pytest.mark.parametrize("changes", [{}, {"zoom": None}, {"mirror": True, "track_levels": 5}])
@pytest.mark.parametrize("end", [1, 300_000, 777_777, 1_999_999])
def test_the_past_does_not_know_the_future(changes, end):
    t, x, y, p, duration = walker(speed=-30, x0=200)
    encoder = tracking(**changes)
    whole = encoder(seen(t, x, y, p, duration))
    n = np.searchsorted(t, end)
    cut = encoder(seen(t[:n], x[:n], y[:n], p[:n], end))
    past = whole.t < end
    assert np.array_equal(cut.t, whole.t[past])
    assert np.array_equal(cut.channel, whole.channel[past])


# Little, nothing and noise


@pytest.mark.parametrize("smoothing", ["causal", "centred"])
@pytest.mark.parametrize("zoom", [None, 5.0])
@pytest.mark.parametrize("mirror_from", ["running", "first_third", "whole"])
@pytest.mark.parametrize(
    "x", [[], [0], [WIDTH - 1], [5] * 50, [0, WIDTH - 1] * 25], ids=lambda x: f"{len(x)} events"
)
def test_little_is_enough(smoothing, zoom, mirror_from, x):
    t = np.arange(len(x)) * 30 * MS
    encoder = tracking(
        smoothing=smoothing, zoom=zoom, mirror=True, mirror_from=mirror_from, track_levels=3
    )
    events, report = encoder.encode(seen(t, x, [9] * len(x), [0] * len(x), 2_000_000))
    assert report.n_in == len(x) == report.n_out + report.n_dropped
    assert len(events) == report.n_out + report.n_track
    if len(set(x)) == 1:
        # All in the pixel right of and below the middle.
        assert report.n_out == len(x)
        assert set(events.channel[events.channel < 2048]) == {16 * 32 + 16}
    if not x:
        assert report.scale is None
        assert len(events) == 0
    track = encoder.track(seen(t, x, [9] * len(x), [0] * len(x), 2_000_000), [0, 1_999_999])
    assert np.isfinite(track.x).tolist() == [bool(x), bool(x)]


def test_who_has_left_is_waited_for():
    t, x, y, p, _ = walker()
    pause = 3_600_000_000
    track = tracking().track(seen(t, x, y, p, 2 * pause), [t[-1], pause, 2 * pause - 1])
    assert track.x.tolist() == [track.x[0]] * 3
    again = np.r_[t, t + pause]
    both = tracking(smoothing="centred", dead_time=0, zoom=None)(
        seen(again, np.r_[x, x + 50], np.r_[y, y], np.r_[p, p], 2 * pause)
    )
    assert np.array_equal(both.channel[: len(both) // 2], both.channel[len(both) // 2 :])


def test_noise_pulls_the_centre_by_its_share():
    t, x, y, p, duration = walker(speed=0, n=20_000, x0=60)
    rng = np.random.default_rng(3)
    n = 5_000
    t = np.r_[t, rng.integers(0, duration, n)]
    order = np.argsort(t, kind="stable")
    x = np.r_[x, rng.integers(0, WIDTH, n)][order]
    y = np.r_[y, rng.integers(0, HEIGHT, n)][order]
    events = seen(t[order], x, y, np.r_[p, np.zeros(n, int)][order], duration)
    track = tracking(time_constant=400).track(events, [duration - 1])
    # A fifth of the events, of standard deviation 92 pixels, about 10,000 of them in effect.
    assert track.x[0] == pytest.approx(60 + 0.2 * (159.5 - 60), abs=4 * 60 / 100)


@pytest.mark.parametrize("polarities", [1, 2])
@pytest.mark.parametrize("dead_time", [0, 3.0, 500.0])
@pytest.mark.parametrize("zoom", [0.5, 5.0])
def test_each_event_is_kept_or_counted(polarities, dead_time, zoom):
    t, x, y, p, duration = walker()
    encoder = tracking(polarities=polarities, dead_time=dead_time, zoom=zoom, size=12)
    events, report = encoder.encode(seen(t, x, y, p, duration))
    assert report.n_in == t.size == report.n_out + report.n_outside + report.n_dead
    assert report.n_out == len(events)
    assert events.n_channels == encoder.n_channels == polarities * 144
    assert report.n_dead == 0 or dead_time > 0
    assert report.n_dead > 0 or dead_time < 500
    assert report.n_outside > 0 or zoom == 5
    for channel in np.unique(events.channel)[:20]:
        gaps = np.diff(events.t[events.channel == channel])
        assert (gaps >= dead_time * MS).all()


# The track as channels


def test_the_track_is_sent_every_20_ms_in_the_channel_of_its_level():
    events = seen([5 * MS, 45 * MS], [0, WIDTH - 1], [0, 0], [1, 1], 100 * MS)
    encoder = tracking(track_levels=4, time_constant=1.0)
    encoded, report = encoder.encode(events)
    assert encoder.n_channels == 2048 + 16
    assert encoder.sensor is None
    assert report.n_track == 16
    sent = encoded.channel >= 2048
    assert (encoded.t[sent] // MS).tolist() == np.repeat([20, 40, 60, 80], 4).tolist()
    levels = (encoded.channel[sent] - 2048).reshape(4, 4) - 4 * np.arange(4)
    # Column, row, velocity along columns and rows: still at the left, then at the right.
    assert levels.tolist() == [[0, 0, 2, 2], [0, 0, 2, 2], [3, 0, 3, 2], [3, 0, 3, 2]]
    with pytest.raises(ParameterError, match="duration must be at most"):
        encoder(seen([0], [0], [0], [0], 2**60))


# Where it is used


def test_it_is_written_down_and_read():
    encoder = tracking(smoothing="centred", zoom=None, extent=100, mirror=True, size=16)
    assert TrackingEncoder.from_dict(json.loads(json.dumps(encoder.to_dict()))) == encoder
    assert encoder_settings(encoder) != encoder_settings(tracking())
    with pytest.raises(ParameterError, match="those of TrackingEncoder; got 'crop'"):
        TrackingEncoder.from_dict({"height": 8, "width": 8, "crop": None})
    report = encoder.encode(seen(*walker()))[1]
    assert isinstance(report, EncodingReport)
    assert report.to_dict()["n_mirrored"] == 0


def test_video_is_tracked_as_a_camera_is():
    rng = np.random.default_rng(5)
    frames = np.full((12, 40, 60), 60, np.uint8)
    for index in range(12):
        frames[index, 10:25, 3 * index : 3 * index + 8] = rng.integers(100, 200, (15, 8))
    camera = EventCamera(40, 60)
    encoder = TrackingEncoder(40, 60, size=16, mirror=True)
    both = TemporalContrast(camera, encoder)
    events, report = both.encode(frames)
    own, of_own = encoder.encode(camera.events(frames, np.arange(12) * 40 * MS, duration=480 * MS))
    assert events == own
    assert report.scale == of_own.scale
    assert report.n_in == report.n_out + report.n_outside + report.n_dead


@pytest.mark.parametrize("track_levels", [0, 3])
def test_a_classifier_takes_it_and_keeps_it(tmp_path, track_levels):
    samples = [seen(*walker(seed, n=3000, speed=s, x0=150)) for seed in range(4) for s in (-60, 60)]
    encoder = tracking(size=8, track_levels=track_levels)
    network = default_network(encoder.n_channels, sensor=encoder.sensor, n_neurons=40)
    classifier = HRSNNClassifier(network, encoder=encoder, readout=Readout(1.0))
    classifier.fit(samples, [0, 1] * 4)
    classifier.save(tmp_path / "model.safetensors")
    again = HRSNNClassifier.load(tmp_path / "model.safetensors")
    assert again.encoder_ == encoder
    assert np.array_equal(again.window_features(samples), classifier.window_features(samples))


def test_a_data_set_keeps_it_in_its_cache(tmp_path):
    t, x, y, p, _ = walker()
    (tmp_path / "data" / "walk").mkdir(parents=True)
    np.savez(tmp_path / "data" / "walk" / "0.npz", t=t, x=x, y=y, p=p)
    encoder = TrackingEncoder(HEIGHT, WIDTH)
    first, again = (
        EventFolder(
            tmp_path / "data",
            encoder=encoder,
            sensor_size=(HEIGHT, WIDTH),
            cache=tmp_path / "cache",
        )[0][0]
        for _ in range(2)
    )
    assert first == again
    assert first.n_channels == 2048


# Nonsense

NONSENSE = {
    "height": (0, -1, 1.5, None, "8", 2**16),
    "width": (0, np.nan, None),
    "size": (0, (32, 32), None, 2.5, 2**12),
    "polarities": (0, 3, None, "2", 1.5),
    "time_constant": (0, -1.0, None, np.nan, np.inf, "1"),
    "smoothing": ("both", None, True, 1, ["causal"]),
    "zoom": (0, -5.0, np.inf, "5", True),
    "extent": (0, -5.0, np.nan, "5", 10.0),
    "spread_constant": (0, -1.0, np.nan, "1"),
    "dead_time": (-1.0, np.nan, None, "1", np.inf),
    "mirror": (None, 1, "yes"),
    "mirror_from": ("left", None, 3, {}),
    "track_levels": (-1, 0.5, None, 2**12, True),
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in NONSENSE.items() for v in vs])
def test_nonsense_is_named(name, value):
    with pytest.raises(ParameterError, match=f"^{name}"):
        TrackingEncoder(**{"height": 8, "width": 8} | {name: value})


def test_nonsense_as_events():
    encoder = TrackingEncoder(8, 8)
    for call in (encoder, encoder.encode, encoder.track):
        with pytest.raises(ParameterError, match="events must be SensorEvents; got a Events"):
            call(Events([0], [0], 1))
        with pytest.raises(ShapeError, match="sensor of 8 x 8; got 8 x 9"):
            call(SensorEvents([0], [0], [0], [0], 8, 9))
    good = SensorEvents([0], [0], [0], [0], 8, 8)
    for at, words in (
        ([-1], "-1"),
        ([2, 1], "got 1 after 2"),
        ([0.5], "0.5"),
        ([[1]], "dimension"),
    ):
        with pytest.raises(HRSNNError, match=f"^at must.*{words}"):
            encoder.track(good, at)


def test_both_encoders_have_one_layout():
    events = seen(*walker())
    wide = tracking(zoom=None, extent=10_000, size=1, dead_time=0)
    plain = EventEncoder(HEIGHT, WIDTH, size=(1, 1), start="zero")
    assert wide(events) == plain(events)


@pytest.mark.parametrize("mirror_from", ["running", "first_third", "whole"])
def test_a_clock_that_begins_later_changes_no_channel(mirror_from):
    t, x, y, p, duration = walker(speed=-30, x0=200)
    settings = {"mirror": True, "mirror_from": mirror_from, "start": "first_event"}
    encoder = tracking(**settings)
    at_once, report = encoder.encode(seen(t, x, y, p, duration))
    late, report_late = encoder.encode(seen(t + 10**6, x, y, p, duration + 10**6))
    assert late == at_once
    assert report_late.start_us - report.start_us == 10**6


@pytest.mark.parametrize("smoothing", ["causal", "centred"])
@pytest.mark.parametrize("mirror_from", ["running", "first_third", "whole"])
def test_the_track_is_that_of_the_encoder_on_any_clock(mirror_from, smoothing):
    # To the left in the first third of the sample, and far to the right afterwards.
    t, _, y, p, duration = walker()
    rng = np.random.default_rng(1)
    x = np.where(t < 700_000, 200 - 60 * t / 1e6, 80 + 60 * t / 1e6) + rng.uniform(-16, 16, t.size)
    x = np.rint(x).astype(int)
    settings = {"mirror": True, "mirror_from": mirror_from, "smoothing": smoothing}
    encoder = tracking(**settings, start="first_event")
    track = encoder.track(seen(t, x, y, p, duration))
    for late in (0, 10**7):
        events = seen(t + late, x, y, p, duration + late)
        later = encoder.track(events)
        n_mirrored = encoder.encode(events)[1].n_mirrored
        assert later.is_mirrored.sum() == n_mirrored
        assert (n_mirrored > 0) == (mirror_from != "whole")
        assert np.array_equal(later.t, t + late)
        for name in ("x", "y", "velocity_x", "velocity_y", "spread", "is_mirrored"):
            np.testing.assert_array_equal(getattr(later, name), getattr(track, name))


@pytest.mark.parametrize("smoothing", ["causal", "centred"])
def test_a_track_before_the_first_event_is_known_to_a_centred_centre_alone(smoothing):
    events = SensorEvents([1000, 2000], [2, 4], [1, 1], [0, 0], height=8, width=8)
    encoder = TrackingEncoder(8, 8, smoothing=smoothing)
    track = encoder.track(events, at=[0, 999, 1000])
    assert track.t.tolist() == [0, 999, 1000]
    for name in ("x", "y", "velocity_x", "velocity_y", "spread"):
        values = getattr(track, name)
        if smoothing == "causal":
            assert np.isnan(values).tolist() == [True, True, False]
        else:
            # All events weigh less by one factor: nothing changes but the last bits.
            np.testing.assert_allclose(values, values[-1], rtol=1e-12)
    with pytest.raises(ParameterError, match="at must not decrease; got 1 after 2 at index 1"):
        encoder.track(events, at=[2, 1])
