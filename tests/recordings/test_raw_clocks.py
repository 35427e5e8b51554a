"""Clocks that run over: the written times come back, or an error says which word is unclear."""

import contextlib
import warnings
from pathlib import Path

import numpy as np
import pytest
from hrsnn_rs.errors import DataWarning, FormatError
from hrsnn_rs.recordings.event_files import read_events
from hrsnn_rs.recordings.raw_clocks import event_times
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_files import dat_words, evt2_words, evt3_words, write_raw

pytest.importorskip("faery")

TURN = {"evt3": 2**24, "evt2": 2**34, "dat": 2**32}
WORDS = {"evt3": evt3_words, "evt2": evt2_words, "dat": dat_words}


def written(folder: Path, kind: str, words: list[int], t0: int | None = None) -> Path:
    return write_raw(folder / ("a.dat" if kind == "dat" else "a.raw"), words, kind, t0)


def read(folder: Path, kind: str, words: list[int]):
    return read_events(written(folder, kind, words))


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("step", [0.49, 0.3, 0.25, 0.01])
@pytest.mark.parametrize("start", [0, 0.9, 0.9999])
@pytest.mark.parametrize("t0", [None, 1_600_000_000_000_000])
def test_turns_are_counted(tmp_path, kind, step, start, t0):
    turn = TURN[kind]
    times = [round((start + step * number) * turn) for number in range(int(3.2 / step))]
    path = written(tmp_path, kind, WORDS[kind](times), t0)
    truth = [t + (t0 or 0) for t in times]
    assert event_times(path).tolist() == truth
    if step == 0.3:  # the decoder of the pixels has a process of its own, which takes its time
        found = read_events(path)
        assert found.t.tolist() == truth
        assert set(found.x.tolist()) == {3}
        assert set(found.y.tolist()) == {4}


@pytest.mark.parametrize("shown", [1, 7, 1024, 2000])
@pytest.mark.parametrize("gap", [16.7, 16.8, 40.0, 100.0])
def test_a_silence_longer_than_a_turn_is_kept(tmp_path, shown, gap):
    times = [1_000, 1_000 + round(gap * 1e6), 2_000 + round(gap * 1e6)]
    assert read(tmp_path, "evt3", evt3_words(times, shown=shown)).t.tolist() == times


@pytest.mark.parametrize("gap", [1_000, 10_000_000, 16_777_216, 40_000_000, 100_000_000])
def test_what_the_encoder_of_faery_writes_comes_back(tmp_path, gap):
    faery = pytest.importorskip("faery")
    events = np.zeros(4, faery.EVENTS_DTYPE)
    events["t"] = [5, 6, 6 + gap, 7 + 2 * gap]
    for version in ("evt2", "evt3"):
        path = tmp_path / f"{version}.raw"
        faery.events_stream_from_array(events, (120, 100)).to_file(str(path), version=version)
        assert read_events(path).t.tolist() == events["t"].tolist()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 63, 64, 4095, 4096, 5000, 2**22]), min_size=1, max_size=9))
def test_any_gaps(tmp_path_factory, gaps):
    times = np.cumsum(gaps).tolist()
    folder = tmp_path_factory.getbasetemp()
    for kind, words_of in WORDS.items():
        assert event_times(written(folder, kind, words_of(times))).tolist() == times


def test_words_of_many_events_and_words_between(tmp_path):
    words = [8 << 12 | 5, 6 << 12 | 7, 4, 3 << 12 | 1 << 11 | 10, 4 << 12 | 0b101000000001]
    # A repeated word of high bits leaves the low ones; a new one counts from 0.
    words += [8 << 12 | 5, 5 << 12 | 0b11, 8 << 12 | 6, 2 << 12 | 1, 10 << 12, 14 << 12]
    found = read(tmp_path, "evt3", words)
    assert found.t.tolist() == [5 * 4096 + 7] * 5 + [6 * 4096]
    assert found.x.tolist() == [10, 19, 21, 22, 23, 1]


HIGH3, HIGH2 = 8 << 12, 8 << 28
LOW3 = [6 << 12 | 20, 2 << 12]
UNCLEAR = [
    ("evt3", [HIGH3 | 100, 6 << 12, 4, 2 << 12 | 3, HIGH3 | 99, 2 << 12 | 3]),
    ("evt3", [HIGH3 | 3000, 4, 2 << 12 | 3, HIGH3 | 1000, 2 << 12 | 3]),
    ("evt3", [HIGH3 | 1, 4, 2 << 12 | 3, HIGH3 | 4000, 2 << 12 | 3]),
    ("evt3", [HIGH3 | 0, 4, 2 << 12 | 3, HIGH3 | 4095, 2 << 12 | 3]),
    ("evt3", [HIGH3 | 1, 6 << 12 | 4000, 4, 2 << 12 | 3, 6 << 12 | 5, 2 << 12 | 3]),
    ("evt2", [HIGH2 | 100, 0, HIGH2 | 99, 0]),
    ("evt2", [HIGH2 | 0, 0, HIGH2 | 2**28 - 1, 0]),
    ("dat", [2**31, 5]),
    ("dat", [5000, 3000]),
    ("dat", [5, 2**32 - 5000]),
]


@pytest.mark.parametrize(("kind", "words"), UNCLEAR)
def test_a_step_that_can_be_read_in_two_ways_is_refused(tmp_path, kind, words):
    with pytest.raises(
        FormatError, match=r"a\.(raw|dat): the clock goes (from|back by) \d+ .*told"
    ):
        read_events(written(tmp_path, kind, words))


@pytest.mark.parametrize(
    ("kind", "words", "times"),
    [
        ("dat", [500, 510, 490, 505, 600], [500, 510, 510, 510, 600]),
        ("dat", [2**32 - 2, 1, 2**32 - 1, 5], [2**32 - 2, 2**32 + 1, 2**32 + 1, 2**32 + 5]),
        ("evt2", [HIGH2, 20 << 22, 10 << 22, 30 << 22], [20, 20, 30]),
        ("evt3", [HIGH3, 4, *LOW3, 6 << 12 | 10, 2 << 12, 6 << 12 | 30, 2 << 12], [20, 20, 30]),
    ],
)
def test_events_that_a_camera_swapped_are_told(tmp_path, kind, words, times):
    with pytest.warns(
        DataWarning, match=r"[12] events are up to \d+ µs before the one before them"
    ):
        assert read(tmp_path, kind, words).t.tolist() == times


@pytest.mark.parametrize("kind", WORDS)
def test_a_file_that_ends_within_a_word_is_cut(tmp_path, kind):
    path = write_raw(tmp_path / ("a.dat" if kind == "dat" else "a.raw"), WORDS[kind]([1, 2]), kind)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        FormatError, match=r"the file is cut: words have [248] bytes, [137] are left"
    ):
        read_events(path)


def test_events_beyond_the_sensor_are_missed(tmp_path):
    words = [HIGH3, 4, 3 << 12 | 115, 4 << 12 | 0b111111111111]
    with pytest.raises(FormatError, match="12 events are in it, of which the decoder finds 5"):
        read(tmp_path, "evt3", words)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(WORDS)), st.lists(st.integers(0, 2**64 - 1), max_size=60))
def test_any_words_are_times_in_order_or_an_error_of_ours(tmp_path_factory, kind, words):
    sizes = {"evt3": 16, "evt2": 32, "dat": 64}
    words = [word % 2 ** sizes[kind] for word in words]
    path = written(tmp_path_factory.getbasetemp(), kind, words)
    with warnings.catch_warnings(), contextlib.suppress(FormatError):
        warnings.simplefilter("ignore", DataWarning)
        assert (np.diff(event_times(path)) >= 0).all()
