"""The store of events: what is read is what was appended, from memory or from the file."""

import errno
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hrsnn_rs import Events, ParameterError, ShapeError
from hrsnn_rs.events.store import EventStore
from hypothesis import given, settings
from hypothesis import strategies as st


def sample(n, n_channels=5, duration=None, seed=0):
    random = np.random.default_rng(seed)
    t = np.sort(random.integers(0, 2**40, n))
    return Events(t, random.integers(0, n_channels, n), n_channels, duration or 2**40)


@given(sizes=st.lists(st.integers(0, 9), max_size=12), memory=st.integers(0, 500))
@settings(max_examples=60, deadline=None)
def test_samples_come_back_whatever_lies_in_memory(sizes, memory):
    samples = [sample(n, 3 + k, seed=k) for k, n in enumerate(sizes)]
    store = EventStore(iter(samples), memory=memory)
    assert list(store) == samples
    assert list(store.subset(range(len(samples))[::-1])) == samples[::-1]
    assert list(store[1:3]) == samples[1:3]
    assert list(pickle.loads(pickle.dumps(store))) == samples


def test_what_memory_holds_is_the_same_object_and_the_rest_is_not():
    first, second = sample(10, seed=1), sample(10, seed=2)
    store = EventStore([first, second], memory=120)
    assert store[0] is first
    assert store[1] is not second
    assert store[-1] == second


def test_bool_marks_choose_and_a_part_takes_more_without_the_whole_seeing_it():
    samples = [sample(4, seed=k) for k in range(3)]
    store = EventStore(samples, memory=50)
    part = store.subset(np.array([True, False, True]))
    part.append(samples[1])
    assert list(part) == [samples[0], samples[2], samples[1]]
    assert list(store) == samples


def test_nonsense_is_refused():
    store = EventStore()
    with pytest.raises(ParameterError, match="events must be Events; got 3"):
        store.append(3)
    with pytest.raises(ParameterError, match="memory must be"):
        EventStore(memory=-1)
    with pytest.raises(ParameterError, match="index must be a whole number; got 'a'"):
        store["a"]
    with pytest.raises(IndexError, match="index must be below 0; got 0"):
        store[0]


@pytest.mark.parametrize("make", [EventStore, EventStore.in_memory])
@pytest.mark.parametrize("wrong", [5, None])
def test_what_cannot_be_iterated_is_refused(make, wrong):
    with pytest.raises(ParameterError, match="samples must be Events, one after the other; got "):
        make(wrong)


def test_a_subset_has_what_was_asked_for_or_says_why_not():
    store = EventStore([sample(n) for n in range(1, 4)])
    assert [len(one) for one in store.subset([-1, 0, 0])] == [3, 1, 1]
    assert [len(one) for one in store.subset(np.array([True, False, True]))] == [1, 3]
    assert len(store.subset([])) == 0
    for marks in ([True], [True] * 4, []):
        with pytest.raises(ShapeError, match="indices must mark each of 3 samples; got "):
            store.subset(np.array(marks, bool))
    for wrong, message in (
        ([0.0, 1.0], "indices must be whole numbers or marks; got dtype float64"),
        (["a"], "indices must be"),
        (None, "indices must"),
        ([[0, 1]], "indices must have shape"),
        (2, "indices must have shape"),
    ):
        with pytest.raises((ParameterError, ShapeError), match=message):
            store.subset(wrong)
    for wrong, said in (([0, 3], "got 3 at 1"), ([-4], "got -4 at 0")):
        with pytest.raises(IndexError, match=f"indices must be below 3; {said}"):
            store.subset(wrong)


def test_a_full_disk_is_said_with_the_folder(monkeypatch):
    class Full:
        def close(self):
            pass

        def seek(self, *_):
            return 0

        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full())
    with pytest.raises(OSError, match="TMPDIR names another folder") as caught:
        EventStore([sample(3)], memory=0)
    assert caught.value.errno == errno.ENOSPC


def test_threads_may_append_to_stores_that_share_a_file():
    store = EventStore([sample(5)], memory=0)
    samples = [sample(50, seed=k) for k in range(400)]
    parts = [store.subset([]) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda part: [part.append(one) for one in samples], parts))
    assert [list(part) == samples for part in parts] == [True, True]
