"""An encoder at work on a stream: the channels of a recording, however it is cut."""

import numpy as np
import pytest
from hrsnn_rs import EventEncoder, SensorEvents, TrackingEncoder
from hrsnn_rs.encoding.running_encoder import RunningEncoder, check_causal
from hrsnn_rs.errors import ParameterError, ShapeError
from hypothesis import given, settings
from hypothesis import strategies as st

ENCODERS = {
    "plain": EventEncoder(8, 12, (4, 6), crop=(6, 10)),
    "dead": EventEncoder(8, 12, (4, 6), dead_time=0.05, polarities=1, start="zero"),
    "tracked": TrackingEncoder(8, 12, size=6, time_constant=0.1, dead_time=0.03, start="zero"),
    "mirrored": TrackingEncoder(8, 12, size=6, time_constant=0.02, mirror=True, track_levels=3),
}


def clip(seed: int) -> SensorEvents:
    random = np.random.default_rng(seed)
    t = np.sort(random.integers(0, 50_000, 200))
    t[1:] += (t[1:] % 7 == 0) * 3
    t = np.sort(t) - t.min()
    places = random.integers(0, 8, 200), random.integers(0, 12, 200)
    return SensorEvents(t, places[1], places[0], t % 2, 8, 12, 60_000)


def between(events: SensorEvents, start: int, until: int) -> SensorEvents:
    inside = slice(*np.searchsorted(events.t, [start, until]))
    columns = (column[inside] for column in (events.t, events.x, events.y, events.p))
    return SensorEvents(*columns, 8, 12, max(until, 1))


@pytest.mark.parametrize("name", ENCODERS)
@settings(max_examples=15)
@given(seed=st.integers(0, 50), cuts=st.lists(st.integers(0, 60_000), max_size=6))
def test_however_a_stream_is_cut_and_carried_on(name, seed, cuts):
    encoder, events = ENCODERS[name], clip(seed)
    whole = encoder(events)
    running, parts, start = RunningEncoder(encoder), [], 0
    for until in [*sorted(cuts), 60_000]:
        parts.append(running.encode(between(events, start, until), until))
        running = RunningEncoder(encoder, running.carried())
        start = until
    assert np.concatenate([t for t, _ in parts]).tolist() == whole.t.tolist()
    assert np.concatenate([channel for _, channel in parts]).tolist() == whole.channel.tolist()


@pytest.mark.parametrize(
    ("encoder", "words"),
    [
        (EventEncoder(8, 8, centre=True), r"centre=True.*TrackingEncoder\(smoothing='causal'"),
        (EventEncoder(8, 8, quantum=10), "Train with quantum=None"),
        (TrackingEncoder(8, 8, smoothing="centred"), "smoothing='centred'.*smoothing='causal'"),
        (
            TrackingEncoder(8, 8, mirror=True, mirror_from="whole"),
            "mirror_from='whole'.*mirror_from='running'",
        ),
        (None, "must be an EventEncoder or a TrackingEncoder in a stream; got None"),
    ],
)
def test_who_waits_for_later_events_is_refused_with_advice(encoder, words):
    with pytest.raises(ParameterError, match=words):
        check_causal(encoder)


def test_a_mirror_that_is_off_may_be_decided_by_whatever():
    check_causal(TrackingEncoder(8, 8, mirror=False, mirror_from="whole"))


@pytest.mark.parametrize("name", ["dead", "tracked"])
def test_a_piece_must_not_lie_behind(name):
    running = RunningEncoder(ENCODERS[name])
    running.encode(clip(0), 60_000)
    with pytest.raises(ParameterError, match=r"^t must"):
        running.encode(clip(0), 70_000)


def test_what_was_carried_must_fit_the_encoder():
    carried = RunningEncoder(ENCODERS["tracked"]).carried()
    with pytest.raises(ShapeError, match=r"^alive must have length"):
        RunningEncoder(ENCODERS["mirrored"], carried | {"alive": np.zeros(3, np.int64)})
    wrong = {"t": np.array([3]), "channel": np.array([999], np.uint32)}
    with pytest.raises(ParameterError, match=r"^channel must be below"):
        RunningEncoder(ENCODERS["dead"], wrong)
