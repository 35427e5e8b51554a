"""The rendered gestures: what is drawn, and what a count must not give away."""

import hashlib
from math import comb

import numpy as np
import pytest
from hrsnn_rs.datasets.gesture_set import GestureSet, make_gestures
from hrsnn_rs.errors import ParameterError
from hrsnn_rs.made_up.gestures import CLASSES, render
from hrsnn_rs.made_up.movements import Body, poses
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

CIRCLES = ((3, 4), (5, 6))


def digest(*arrays: NDArray[np.generic]) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()


@pytest.mark.parametrize("label", range(len(CLASSES)))
def test_frames_are_light_and_something_moves(label: int) -> None:
    frames, times = render(label, subject=1, size=32)
    assert frames.dtype == np.float32
    assert frames.shape == (300, 32, 32)
    assert times.dtype == np.int64
    np.testing.assert_array_equal(times, np.arange(300) * 4000)
    assert frames.min() > 0.0
    assert frames.max() <= 1.0
    assert np.ptp(np.log(frames), axis=0).max() > 0.5


@pytest.mark.parametrize("label", range(len(CLASSES)))
def test_limbs_keep_together_and_move_smoothly(label: int) -> None:
    # At 1000 frames a turn a hand that moves 0.45 of the picture from the shoulder makes
    # 0.003 a frame; twice the frequency and the elbow's swing stay below 0.006.
    phase = np.linspace(0.0, 2 * np.pi, 1000)
    for subject in range(20):
        body = Body.of(0, subject)
        found = poses(label, subject, phase)
        for arm in range(2):
            upper = np.linalg.norm(found.elbow[arm] - found.shoulder[arm], axis=1)
            fore = np.linalg.norm(found.hand[arm] - found.elbow[arm], axis=1)
            # 1 %: the elbow is not quite across the line from shoulder to hand.
            longest = 1.01 * max(body.upper_arm, body.forearm)
            assert max(upper.max(), fore.max()) <= longest
            for joint in (found.elbow[arm], found.hand[arm]):
                assert np.abs(np.diff(joint, axis=0)).max() < 0.006


def test_same_arguments_same_bits_and_each_argument_matters() -> None:
    base = digest(*render(3, 2, 1, seed=5, size=32))
    assert digest(*render("right_arm_clockwise", 2, 1, seed=5, size=32)) == base
    others = {
        digest(*render(4, 2, 1, seed=5, size=32)),
        digest(*render(3, 3, 1, seed=5, size=32)),
        digest(*render(3, 2, 2, seed=5, size=32)),
        digest(*render(3, 2, 1, seed=6, size=32)),
        base,
    }
    assert len(others) == 5


def test_a_longer_clip_begins_like_a_shorter_one() -> None:
    short, _ = render(8, 0, size=32, duration=200_000)
    long, _ = render(8, 0, size=32, duration=400_000)
    np.testing.assert_array_equal(long[: len(short)], short)


def test_other_gestures_differ_between_subjects_more_than_between_repeats() -> None:
    phase = np.linspace(0.0, 2 * np.pi, 100)
    hands = [poses("other_gestures", subject, phase) for subject in range(5)]
    swings = np.array([np.ptp(np.hstack(each.hand), axis=0) for each in hands])
    assert (np.std(swings, axis=0) > 0.02).all()


@pytest.mark.parametrize("pair", CIRCLES)
def test_two_senses_follow_one_closed_path(pair: tuple[int, int]) -> None:
    phase = np.linspace(0.0, 2 * np.pi, 200)
    one, other = (poses(label, 7, phase) for label in pair)
    for arm in range(2):
        np.testing.assert_array_equal(one.hand[arm], other.hand[arm])
        np.testing.assert_allclose(one.hand[arm][0], one.hand[arm][-1], atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label": 11}, "label must be at most 10; got 11"),
        ({"label": "jumping"}, "label must be one of hand_clapping, .*; got 'jumping'"),
        ({"label": 1.5}, "label must be a whole number; got 1.5"),
        ({"subject": -1}, "subject must be at least 0; got -1"),
        ({"repeat": None}, "repeat must be a whole number; got None"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"size": 8}, "size must be at least 16; got 8"),
        ({"duration": 4000}, "duration must hold two frames at 250.0 Hz or more; got 4000 µs"),
        ({"duration": np.nan}, "duration must be a whole number; got nan"),
        ({"frame_rate": 0.0}, "frame_rate must be between 1 and 10000 Hz; got 0.0"),
        ({"frame_rate": np.nan}, "frame_rate must be between 1 and 10000 Hz; got nan"),
        ({"frame_rate": "fast"}, "frame_rate must be a number of Hz; got 'fast'"),
    ],
)
def test_arguments_out_of_range_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        render(**({"label": 0, "subject": 0} | arguments))  # type: ignore[arg-type]


# What the counts of a whole clip tell about the sense of a circle


@pytest.fixture(scope="module")
def circles() -> tuple[GestureSet, NDArray[np.int64]]:
    samples = make_gestures(n_subjects=24, n_repeats=3, seed=3, size=32)
    wanted = np.flatnonzero(np.isin(samples.labels, np.ravel(CIRCLES)))
    samples.prepare(wanted, n_threads=1)
    return samples, wanted


def counts(samples: GestureSet, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Events per polarity and 2x2 pixels over the whole clip, square roots."""
    rows = []
    for sample in wanted:
        events, _ = samples[sample]
        place = (events.p.astype(np.int64) * 16 + events.y // 2) * 16 + events.x // 2
        rows.append(np.bincount(place, minlength=512))
    return np.sqrt(rows)


def centre_turns(samples: GestureSet, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Area swept clockwise on the picture by the centre of the events of each 40 ms."""
    areas = []
    for sample in wanted:
        events, _ = samples[sample]
        window = events.t // 40_000
        n = np.maximum(np.bincount(window, minlength=30), 1)
        x, y = (np.bincount(window, places, 30) / n for places in (events.x, events.y))
        x, y = x - np.median(x), y - np.median(y)
        areas.append(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
    return np.array(areas)


def upper_bound(n: int, false_alarm: float) -> int:
    """Least k such that n fair coins show k heads or more with probability <= false_alarm."""
    tail, k = 0.0, n + 1
    while k > 0 and tail + comb(n, k - 1) / 2**n <= false_alarm:
        k -= 1
        tail += comb(n, k) / 2**n
    return k


@pytest.mark.parametrize("pair", CIRCLES)
def test_counts_do_not_tell_the_sense_of_a_circle(
    circles: tuple[GestureSet, NDArray[np.int64]], pair: tuple[int, int]
) -> None:
    samples, wanted = circles
    wanted = wanted[np.isin(samples.labels[wanted], pair)]
    features, labels = counts(samples, wanted), samples.labels[wanted]
    subjects = samples.groups[wanted]
    right = 0
    for fold in range(4):
        test = subjects % 4 == fold
        readout = make_pipeline(StandardScaler(), RidgeClassifier(alpha=100.0))
        readout.fit(features[~test], labels[~test])
        right += int((readout.predict(features[test]) == labels[test]).sum())
    # 144 decisions; a guess is right 91 times or more in one of 1000 sets.
    assert right < upper_bound(len(wanted), 1e-3)


@pytest.mark.parametrize("pair", CIRCLES)
def test_order_tells_the_sense_of_a_circle(
    circles: tuple[GestureSet, NDArray[np.int64]], pair: tuple[int, int]
) -> None:
    samples, wanted = circles
    wanted = wanted[np.isin(samples.labels[wanted], pair)]
    # Counter-clockwise for the person is clockwise on the picture.
    is_clockwise = centre_turns(samples, wanted) > 0
    assert (is_clockwise == (samples.labels[wanted] == pair[1])).mean() > 0.95


def test_bound_of_fair_coins() -> None:
    assert upper_bound(10, 1 / 1024) == 10
    assert upper_bound(10, 11 / 1024) == 9
    assert upper_bound(2, 0.1) == 3
