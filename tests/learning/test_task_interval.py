import numpy as np
import pytest
from hrsnn_rs.description import Constant, Gamma, LogUniform
from hrsnn_rs.learning.task_interval import (
    DURATION,
    INTERVALS,
    N_CHANNELS,
    _time_constants,
    _variance,
    predict_interval,
    volleys,
)


@pytest.mark.parametrize("interval", [10.0, 100.0, 1000.0])
def test_volleys_are_that_far_apart(interval):
    samples = volleys(np.full(200, interval), np.random.default_rng(0))
    gaps = []
    for sample in samples:
        assert (sample.n_channels, sample.duration) == (N_CHANNELS, DURATION)
        counts = np.bincount(sample.t // 2000, minlength=DURATION // 2000)
        # Two volleys of some 40 events each stand out of a background of 0.2 in 2 ms.
        busy = np.flatnonzero(counts >= 5) * 2.0
        gaps.append(busy.max() - busy.min())
    # Each side is known to some 4 ms; the spread within a class is 10 %.
    assert np.exp(np.mean(np.log(gaps))) == pytest.approx(interval, rel=0.03, abs=4.0)
    assert np.std(np.log(gaps)) == pytest.approx(0.1, abs=0.05 if interval > 10.0 else 0.2)


def test_a_tenth_of_the_events_are_not_of_volleys_and_a_fifth_of_channels_is_missing():
    samples = volleys(np.full(300, 100.0), np.random.default_rng(1))
    mean = np.mean([len(sample) for sample in samples])
    # 2 volleys of 0.8 x 50, and 2 Hz x 50 for 1.4 s; the error of a mean of 300 is 0.8.
    assert mean == pytest.approx(80.0 + 140.0, abs=3.0)


@pytest.mark.parametrize("tau", [10.0, 80.0, 640.0])
@pytest.mark.parametrize("d", [10.0, 100.0, 1000.0])
def test_one_time_constant_takes_sizes_for_intervals(tau, d):
    """With one number v = A1 e + A2, its error and the spread of both sizes are one error of d."""
    decay = np.exp(-d / tau)
    size_error = 0.2 / 0.8 / 50
    own = 0.2 / 0.8 / 10 * (1 + decay**2) + 10 * 0.002 * tau / 2 / 8**2 + 1e-4
    common = 50 * 0.002 * tau / 2 / 40**2
    slope = d / tau * decay
    error = (own / 10 + common + size_error * (1 + decay**2)) / slope**2
    # What is known of d beforehand is a variance of 1e6, seen where nothing else tells.
    assert _variance(d, Constant(tau)) == pytest.approx(1 / (1 / error + 1e-6), rel=1e-6)


@pytest.mark.parametrize("law", [LogUniform(5.0, 500.0), Gamma(80.0, 3.0), Constant(80.0)])
def test_time_constants_stand_for_their_law(law):
    # 60 evenly likely values: the ends of the tails are cut.
    assert _time_constants(law).mean() == pytest.approx(law.mean, rel=0.01)


def test_theory_gains_with_decades():
    theory = predict_interval()
    gains = []
    for condition in INTERVALS:
        scores = dict(theory.filter(condition=condition).select("system", "theory").iter_rows())
        best = max(score for name, score in scores.items() if name[0].isdigit())
        gains.append(scores["log-uniform 5-500 ms"] - best)
    assert gains == sorted(gains)
    assert gains[0] < 0.0 < gains[-1]
