"""A classifier on a stream: scores that depend on the past alone, and not on how it came."""

import copy
import os
import pickle
import signal
import threading
from pathlib import Path

import live_models
import numpy as np
import pytest
from hrsnn_rs import EventEncoder, SensorEvents
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning import FeatureLayer, HRSNNClassifier, LiveStream
from hrsnn_rs.recordings import read_events
from hypothesis import given, settings
from hypothesis import strategies as st
from live_models import DURATION, KINDS, SIDE, bar, bits, classifier, cut

every_kind = pytest.mark.parametrize("kind", KINDS)


def pushed(stream, chunks, until=None):
    return [bits(score) for chunk in chunks for score in stream.push(chunk, until=until)]


@every_kind
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_scores_are_the_same_however_a_stream_is_cut(kind, data):
    clip = bar(True, seed=41, duration=2 * DURATION)
    places = data.draw(st.lists(st.integers(0, len(clip)), max_size=30))
    whole = pushed(classifier(kind).stream(every=20.0), [clip])
    assert len(whole) >= 17
    assert pushed(classifier(kind).stream(every=20.0), cut(clip, places)) == whole


@every_kind
@pytest.mark.parametrize("ms", [1, 10, 33])
def test_scores_are_the_same_in_chunks_of_any_length(kind, ms):
    clip = bar(False, seed=42)
    whole = pushed(classifier(kind).stream(every=25.0), [clip], until=clip.duration)
    stream, scores = classifier(kind).stream(every=25.0), []
    for start in range(0, clip.duration, 1000 * ms):
        until = min(start + 1000 * ms, clip.duration)
        inside = slice(*np.searchsorted(clip.t, [start, until]))
        chunk = tuple(column[inside] for column in (clip.t, clip.x, clip.y, clip.p))
        new = stream.push(chunk, until=until)
        assert all(0.0 <= score.age < ms for score in new)
        scores += map(bits, new)
    assert scores == whole


@every_kind
def test_until_the_window_is_full_features_are_those_of_a_clip_that_ends_there(kind):
    model, clip = classifier(kind), bar(True, seed=43)
    first = int(clip.t[0])
    stream = model.stream()
    for until in (17_003, 90_000, DURATION):
        inside = slice(*np.searchsorted(clip.t, [stream.t, until]))
        chunk = tuple(column[inside] for column in (clip.t, clip.x, clip.y, clip.p))
        stream.push(chunk, until=until)
        n = np.searchsorted(clip.t, until)
        ended = SensorEvents(clip.t[:n], clip.x[:n], clip.y[:n], clip.p[:n], SIDE, SIDE, until)
        assert until - first <= stream.window + first
        assert np.array_equal(stream.window_features(), model.window_features([ended])[0])
        score = stream.score()
        assert score.decision.tobytes() == model.decision_function([ended]).tobytes()
        assert score.probability.tobytes() == model.predict_proba([ended])[0].tobytes()
        assert (score.t, score.age, score.label) == (until, 0.0, model.predict([ended])[0])


def test_a_window_that_slides_counts_the_spikes_that_lie_in_it():
    model, clip = classifier("tracked"), bar(True, seed=44, duration=3 * DURATION)
    stream = model.stream(window=60.0)
    stream.push(clip, until=clip.duration)
    now = clip.duration - int(clip.t[0])
    spikes = model.layer_.network_.run(model.encoder_(clip)).spikes
    t, neuron = spikes["t"].to_numpy() - (now - 60_000), spikes["neuron"].to_numpy()
    counts = np.zeros((3, model.n_units))
    inside = t >= 0
    np.add.at(counts, (t[inside] // 20_000, model.layer_._pools[neuron[inside]]), 1.0)
    assert counts.sum() > 0
    assert np.array_equal(stream.window_features(), counts)


@every_kind
def test_a_stream_goes_on_from_its_file_with_the_same_bits(kind, tmp_path):
    clip = bar(False, seed=45, duration=2 * DURATION)
    chunks = cut(clip, [3, 77, 140, 260, 261, 400])
    whole = pushed(classifier(kind).stream(every=30.0), chunks)
    stream, scores = classifier(kind).stream(every=30.0), []
    for chunk in chunks:
        stream.save(tmp_path / "stream")
        latest = stream.latest
        stream = LiveStream.load(tmp_path / "stream", classifier(kind))
        assert (stream.latest is None) == (latest is None)
        if latest is not None:
            assert (bits(stream.latest), stream.latest.age) == (bits(latest), latest.age)
        scores += pushed(stream, [chunk])
    assert scores == whole


def test_a_stream_begins_with_its_first_event_and_ends_nowhere():
    stream = classifier("features").stream(every=10.0)
    nothing = (np.zeros(0, int),) * 4
    assert stream.push(nothing) == []
    assert stream.push(nothing, until=90_000) == []
    assert stream.age is None
    [score] = stream.push(([100_000, 110_500], [1, 2], [3, 4], [0, 1]))
    assert (score.t, score.age, stream.t) == (110_000, 0.5, 110_500)
    later = stream.push(nothing, until=131_000)
    assert [score.t for score in later] == [120_000, 130_000]
    assert (stream.age, later[0].age, later[1].age) == (1.0, 11.0, 1.0)
    # All has been forgotten after a window of silence.
    [*_, last] = stream.push(nothing, until=1_000_000)
    assert (
        last.decision.tobytes()
        == stream.classifier.readout_.decision_function(
            np.zeros((1, 3, stream.classifier.n_units))
        ).tobytes()
    )
    stream.reset()
    assert stream.latest is None
    assert stream.push(([5], [1], [1], [1])) == []


def test_a_clock_that_begins_far_from_0_needs_another_encoder():
    stream = classifier("features").stream()
    stream._origin = 0
    with pytest.raises(ParameterError, match='start="first_event"'):
        stream.push(([10**15], [0], [0], [0]))
    stream.push(([1000], [0], [0], [0]))
    with pytest.raises(ParameterError, match=r"reset\(\)"):
        stream.push(([10**15], [0], [0], [0]))


def test_events_of_one_time_may_come_in_two_chunks():
    chunks = [([100, 200], [1, 2], [1, 2], [0, 1]), ([200, 60_000], [3, 4], [3, 4], [0, 1])]
    whole = ([100, 200, 200, 60_000], [1, 2, 3, 4], [1, 2, 3, 4], [0, 1, 0, 1])
    apart, together = (classifier("features").stream() for _ in range(2))
    assert pushed(apart, chunks) == pushed(together, [whole])


@pytest.mark.parametrize(
    ("chunk", "until", "error", "words"),
    [
        (([5, 3], [0, 0], [0, 0], [0, 0]), None, ParameterError, "t must not decrease; got 3"),
        (([-1], [0], [0], [0]), None, ParameterError, "t must be at least 0; got -1"),
        (([900], [0], [0], [0]), None, ParameterError, "t must not go back behind what has come"),
        (([2000], [16], [0], [0]), None, ParameterError, "x must be .*got 16 at event 0"),
        (([2000], [0], [99], [0]), None, ParameterError, "y must be .*got 99 at event 0"),
        (([2000], [0], [0], [2]), None, ParameterError, "p must be .*got 2 at event 0"),
        (([2000.5], [0], [0], [0]), None, ParameterError, "t must .*2000.5 at event 0"),
        (([2000, 2001], [0], [0], [0]), None, ShapeError, "x must have the length of t"),
        (([2000], [0], [0], [0]), 2000, ParameterError, "until must be after the last event"),
        (([], [], [], []), 900, ParameterError, "until must be at least 1000 µs"),
        (([], [], [], []), 1.5, ParameterError, "until must .*1.5 at place 0"),
        (([10**10], [0], [0], [0]), None, ParameterError, "jump ahead by more than an hour"),
        (([2000], [0]), None, ParameterError, r"events must be .*\(t, x, y, p\); got tuple"),
        ("1,2,3,4", None, ParameterError, "events must be .*got str"),
        (SensorEvents([2000], [0], [0], [0], 8, 8), None, ShapeError, "sensor of 16 x 16"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(chunk, until, error, words):
    stream = classifier("features").stream()
    begin = ([10, 1000], [1, 2], [3, 4], [0, 1])
    stream.push(begin)
    with pytest.raises(error, match=words):
        stream.push(chunk, until=until)
    other = classifier("features").stream()
    other.push(begin)
    rest = ([1000, 70_000], [5, 6], [7, 8], [1, 0])
    assert pushed(stream, [rest]) == pushed(other, [rest])


def test_structured_arrays_and_sensor_events_are_chunks_too():
    clip = bar(True, seed=46)
    records = np.zeros(len(clip), [("x", "<i2"), ("y", "<i2"), ("p", "?"), ("t", "<i8")])
    for name in ("t", "x", "y", "p"):
        records[name] = getattr(clip, name)
    one, other = (classifier("features").stream(every=20.0) for _ in range(2))
    assert pushed(one, [records[:100], records[:0], records[100:]]) == pushed(other, [clip])


def test_who_cannot_stream_says_why():
    clips, labels = [bar(bool(k % 2), k) for k in range(4)], [0, 1] * 2
    settings = {"feature_layer": live_models.layer(), "n_threads": 1}
    centred = HRSNNClassifier(
        encoder=EventEncoder(SIDE, SIDE, (SIDE, SIDE), centre=True), **settings
    )
    with pytest.raises(ParameterError, match=r"centre=True.*Train with .*TrackingEncoder"):
        centred.fit(clips, labels).stream()
    model = classifier("features")
    for name in ("every", "window"):
        with pytest.raises(ParameterError, match=rf"^{name} must be"):
            model.stream(**{name: 0.0})
    with pytest.raises(ParameterError, match="come beyond its start"):
        model.stream().score()
    table = HRSNNClassifier(n_neurons=20, n_threads=1).fit(np.eye(6), [0, 1] * 3)
    with pytest.raises(ParameterError, match=r"^encoder must be an EventEncoder or"):
        table.stream()


def test_a_model_that_does_not_know_its_durations_needs_a_window(monkeypatch):
    model = classifier("features")
    assert model.stream().window == DURATION - int(
        np.median([bar(bool(k % 2), k).t[0] for k in range(8)])
    )
    monkeypatch.setattr(model, "duration_", None)
    with pytest.raises(ParameterError, match=r"^window must be given"):
        model.stream()
    assert model.stream(window=20.0).window == 20_000


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals to a thread")
def test_ctrl_c_within_a_chunk_is_answered_and_the_stream_is_not_gone_on_with(tmp_path):
    stream = classifier("both").stream(every=0.05)
    stream.save(tmp_path / "before")
    clip = bar(True, seed=47, n=100_000, duration=100 * DURATION)
    timer = threading.Timer(
        0.2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)
    )
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        stream.push(clip)
    assert not stream.is_whole
    with pytest.raises(ParameterError, match="interrupted within a chunk"):
        stream.push(clip)
    with pytest.raises(ParameterError, match="interrupted within a chunk"):
        stream.save(tmp_path / "after")
    again = LiveStream.load(tmp_path / "before", classifier("both"))
    assert again.push(([5], [1], [1], [1])) == []
    stream.reset()
    assert stream.push(([5], [1], [1], [1])) == []


RECORDED = Path(os.environ.get("HRSNN_DATA", "/nowhere"), "dvs128_gesture")


@pytest.mark.skipif(not RECORDED.is_dir(), reason="HRSNN_DATA has no dvs128_gesture")
def test_a_recorded_gesture_gives_the_same_bits_in_chunks_of_1_10_and_33_ms():
    clips = [read_events(RECORDED / f"{n}.npz", sensor_size=(128, 128)) for n in (1, 4)]
    layer = FeatureLayer(n_features=8, field=7, n_patches=200)
    model = HRSNNClassifier(feature_layer=layer, n_threads=1).fit(clips * 2, ["clap", "wave"] * 2)
    clip, scores = clips[1], []
    for ms in (1, 10, 33):
        stream = model.stream(window=500.0)
        ends = np.arange(int(clip.t[0]), clip.duration, 1000 * ms)
        places = np.searchsorted(clip.t, ends[1:]).tolist()
        chunks = zip(cut(clip, places), [*ends[1:].tolist(), clip.duration], strict=True)
        scores.append([bits(one) for chunk, end in chunks for one in stream.push(chunk, until=end)])
    assert len(scores[0]) == 28
    assert scores[0] == scores[1] == scores[2]


@pytest.mark.parametrize("name", ["classifier", "every", "window", "latest", "t", "age"])
def test_what_a_stream_says_of_itself_cannot_be_changed(name):
    stream = classifier(next(iter(KINDS))).stream()
    with pytest.raises(AttributeError, match=name):
        setattr(stream, name, 7)


@pytest.mark.parametrize("call", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_stream_is_neither_copied_nor_pickled(call):
    with pytest.raises(TypeError, match=r"a LiveStream can be neither .*save\(\) it, and load"):
        call(classifier(next(iter(KINDS))).stream())
