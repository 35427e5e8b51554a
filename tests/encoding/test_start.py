"""Clocks that begin anywhere: the same clip gives the same sample, and says what was taken off."""

from dataclasses import replace

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.encoding import EventEncoder, FrameDifference, TemporalContrast
from hrsnn_rs.errors import CalibrationError, CalibrationWarning, ParameterError
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.made_up.camera import EventCamera
from hrsnn_rs.recordings import read_events

# One of a second, a day, a camera's counter that has run over, and µs since 1970.
OFFSETS = [1, 1_000_000, 86_400_000_000, 2**32, 1_700_000_000_000_000]


def clip(seed: int, offset: int = 0, lead: int = 0, n: int = 2000) -> SensorEvents:
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, 800_000, n))
    t += offset + lead - t[0]
    places = rng.integers(0, 16, (2, n))
    return SensorEvents(t, *places, rng.integers(0, 2, n), 16, 16, offset + lead + 900_000)


ENCODERS = {
    "plain": EventEncoder(16, 16, (8, 8)),
    "crop": EventEncoder(16, 16, (8, 8), crop=(4, 4, 8, 8)),
    "centre": EventEncoder(16, 16, (8, 8), centre=True, crop=(8, 8)),
    "dead time": EventEncoder(16, 16, (8, 8), dead_time=5.0),
    "quantum": EventEncoder(16, 16, (8, 8), quantum=1000),
}


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
def test_a_clip_begins_at_its_first_event(encoder, offset):
    at_zero, report = encoder.encode(clip(1))
    assert report.start_us == 0
    found, report = encoder.encode(clip(1, offset))
    assert found == at_zero
    assert report.start_us == report.to_dict()["start_us"] == offset
    kept, report = replace(encoder, start="zero").encode(clip(1, offset))
    assert report.start_us == 0
    assert kept.duration == at_zero.duration + offset
    if encoder.quantum is None:
        assert (kept.t - offset == at_zero.t).all()


def test_the_first_event_counts_also_if_it_is_dropped():
    events = SensorEvents([500, 700, 900], [0, 9, 9], [0, 9, 9], [1, 1, 0], 16, 16, 1000)
    found, report = EventEncoder(16, 16, crop=(8, 8, 8, 8)).encode(events)
    assert found.t.tolist() == [200, 400]
    assert (found.duration, report.start_us) == (500, 500)


def test_a_clip_without_events_keeps_its_duration():
    empty = SensorEvents([], [], [], [], 16, 16, 1000)
    found, report = EventEncoder(16, 16).encode(empty)
    assert (found.duration, report.start_us) == (1000, 0)
    found, report = FrameDifference(4, 4).encode(np.zeros((3, 4, 4), np.uint8))
    assert (found.duration, report.start_us) == (3000, 0)


VIDEO = {
    "difference": FrameDifference(8, 8, pool=2),
    "contrast": TemporalContrast(EventCamera(8, 8, noise_rate=0.0), EventEncoder(8, 8, (4, 4))),
}


def from_zero(encoder):
    if isinstance(encoder, FrameDifference):
        return replace(encoder, start="zero")
    return replace(encoder, encoder=replace(encoder.encoder, start="zero"))


@pytest.mark.parametrize("offset", [0, *OFFSETS])
@pytest.mark.parametrize("n_still", [0, 1, 30])
@pytest.mark.parametrize("encoder", VIDEO.values(), ids=VIDEO)
def test_a_still_lead_and_times_that_begin_anywhere_change_no_video(encoder, n_still, offset):
    moving = np.random.default_rng(3).integers(0, 255, (20, 8, 8)).astype(np.uint8)
    moving[1] = moving[0]  # the least difference is 0 in any case
    truth, report = encoder.encode(moving, times=np.arange(20) * 10_000)
    first = report.start_us
    frames = np.concatenate([np.repeat(moving[:1], n_still, axis=0), moving])
    times = np.arange(20 + n_still) * 10_000 + offset
    found, report = encoder.encode(frames, times=times)
    assert found == truth
    assert report.start_us == first + n_still * 10_000 + offset
    kept, report = from_zero(encoder).encode(frames, times=times)
    assert (kept.t == truth.t + first + n_still * 10_000 + offset).all()
    assert report.start_us == 0


@pytest.mark.parametrize("start", ["first", 0, None, True, ["zero"]])
@pytest.mark.parametrize("kind", [EventEncoder, FrameDifference])
def test_nonsense_for_start(kind, start):
    with pytest.raises(ParameterError, match=r"^start must be 'first_event' or 'zero'; got"):
        kind(8, 8, start=start)


def network(n_inputs: int) -> hr.Network:
    return hr.Network(n_inputs, 60, inputs=hr.RandomConnectivity(p=0.3), seed=1)


@pytest.mark.parametrize("offset", OFFSETS)
def test_gain_and_features_do_not_depend_on_the_clock(offset):
    encoder = ENCODERS["plain"]
    results = []
    for each in (0, offset):
        samples = [encoder(clip(seed, each)) for seed in range(4)]
        net = network(encoder.n_channels)
        gain = net.calibrate(samples, rate=5.0).gain
        results.append((gain, net.transform(samples, n_windows=4)))
    assert results[0][0] == results[1][0]
    assert (results[0][1] == results[1][1]).all()
    # No window of equal time has all there is.
    assert (results[1][1].sum(axis=(0, 2)) > 0.1 * results[1][1].sum()).all()


def test_errors_and_warnings_of_calibrate_name_an_empty_lead():
    samples = [replace(ENCODERS["plain"], start="zero")(clip(seed, 10**8)) for seed in range(4)]
    said = r"are empty before their first event for 99% of their time: .*start='first_event'"
    with pytest.raises(CalibrationError, match=said):
        network(128).calibrate(samples, rate=5.0)
    samples = [
        replace(ENCODERS["plain"], start="zero")(clip(seed, 20_000_000)) for seed in range(4)
    ]
    uneven = hr.RandomConnectivity(p=0.3, weight=hr.Gamma(mean=1.0, shape=1.0))
    with pytest.warns(CalibrationWarning, match="are empty before their first event for 96%"):
        hr.Network(128, 60, inputs=uneven, seed=1).calibrate(samples, rate=5.0)
    with pytest.raises(CalibrationError) as told:
        network(128).calibrate([ENCODERS["plain"](clip(1))], rate=5000.0)
    assert "first event" not in str(told.value)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("name", ["a.npz", "b.npy"])
def test_files_of_any_clock_become_the_same_sample(tmp_path, name, offset):
    encoder, found = EventEncoder(128, 128), []
    for each in (0, offset):
        events = clip(5, each)
        if name == "a.npz":
            np.savez(tmp_path / name, t=events.t, x=events.x, y=events.y, p=events.p)
        else:
            table = np.stack([events.x, events.y, events.p, events.t / 1000], axis=1)
            np.save(tmp_path / name, table.astype(np.float64))
        found.append(encoder(read_events(tmp_path / name)))
    if name == "a.npz" or offset < 2**40:
        assert found[0] == found[1]
