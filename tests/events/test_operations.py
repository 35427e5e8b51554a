"""Joining and cutting events: what comes out is what lists of (t, channel) say."""

import hrsnn_rs as hr
import numpy as np
import pytest


def rows(events: hr.Events) -> list[tuple[int, int]]:
    return [*zip(events.t.tolist(), events.channel.tolist(), strict=True)]


def drawn(random: np.random.Generator, n_channels: int = 6) -> hr.Events:
    n, duration = int(random.integers(0, 40)), int(random.integers(50, 100))
    t = np.sort(random.integers(0, duration, n))
    return hr.Events(t, random.integers(0, n_channels, n), n_channels, duration)


@pytest.mark.parametrize("seed", range(8))
def test_joined_events_are_those_of_lists(seed):
    random = np.random.default_rng(seed)
    samples = [drawn(random) for _ in range(int(random.integers(1, 5)))]
    one_by_one = hr.Events.concatenate(samples)
    starts = np.cumsum([0, *(s.duration for s in samples)]).tolist()
    assert one_by_one.duration == starts.pop()
    expected = [
        (t + start, c) for s, start in zip(samples, starts, strict=True) for t, c in rows(s)
    ]
    assert rows(one_by_one) == expected
    for start, sample in zip(starts, samples, strict=True):
        again = one_by_one.select(start=start, stop=start + sample.duration)
        assert again == sample

    merged = hr.Events.merge(samples)
    assert merged.duration == max(s.duration for s in samples)
    assert rows(merged) == sorted(row for s in samples for row in rows(s))


@pytest.mark.parametrize("seed", range(8))
def test_cut_and_moved_events_are_those_of_lists(seed):
    random = np.random.default_rng(seed)
    events = drawn(random)
    channels = random.permutation(6)[: int(random.integers(1, 7))]
    start = int(random.integers(0, events.duration))
    stop = int(random.integers(start + 1, events.duration + 1))
    chosen = events.select(channels, start=start, stop=stop)
    place = {int(c): k for k, c in enumerate(channels)}
    assert rows(chosen) == [
        (t - start, place[c]) for t, c in rows(events) if start <= t < stop and c in place
    ]
    assert (chosen.n_channels, chosen.duration) == (channels.size, stop - start)
    moved = events.shift(7, channel=3, n_channels=20)
    assert rows(moved) == [(t + 7, c + 3) for t, c in rows(events)]
    assert (moved.n_channels, moved.duration) == (20, events.duration + 7)
    assert moved.select(range(3, 9), start=7) == events
    assert events.shift() == events.select() == events


EVENTS = hr.Events([1, 4, 6], [0, 2, 2], n_channels=3, duration=10)
OTHER = hr.Events([1], [0], n_channels=2, duration=10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hr.Events.concatenate([]), r"samples must be a list of Events; got \[\]"),
        (lambda: hr.Events.merge(EVENTS), "samples must be a list of Events"),
        (lambda: hr.Events.merge([EVENTS, 3]), "samples must hold Events; got 3 at index 1"),
        (
            lambda: hr.Events.concatenate([EVENTS, EVENTS, OTHER]),
            r"as many channels as the first \(3\); got 2 at index 2",
        ),
        (lambda: hr.Events.merge([EVENTS, OTHER]), r"first \(3\); got 2 at index 1"),
        (lambda: EVENTS.shift(-1), "t must be at least 0 µs; got -1"),
        (lambda: EVENTS.shift(2**62), "t must be at most"),
        (lambda: EVENTS.shift(channel=-1), "channel must be at least 0; got -1"),
        (lambda: EVENTS.shift(channel=2**32), "channel must be at most"),
        (lambda: EVENTS.shift(channel=1, n_channels=3), "n_channels must be at least 4; got 3"),
        (lambda: EVENTS.select([0, 3]), "channels must be below 3; got 3 at index 1"),
        (lambda: EVENTS.select([0, 1, 0]), "channels must hold each channel once; got 0"),
        (lambda: EVENTS.select([]), "channels must hold at least one"),
        (lambda: EVENTS.select(start=10), "start must be at most 9 µs; got 10"),
        (lambda: EVENTS.select(start=4, stop=4), "stop must be at least 5 µs; got 4"),
        (lambda: EVENTS.select(stop=11), "stop must be at most 10 µs; got 11"),
    ],
)
def test_what_cannot_be_joined_or_cut_is_refused_by_name(call, message):
    with pytest.raises((hr.ParameterError, hr.ShapeError), match=message):
        call()
