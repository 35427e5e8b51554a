"""Poisson events: their law, and what their bits depend on.

The statistical tests are at 5 standard deviations of their own law: a right generator fails each
bound with a probability below 6e-7, and the file as a whole with one below 1e-5. With the fixed
seeds they fail always or never: a failure is a finding.
"""

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.events import sources
from hrsnn_rs.events.operations import in_order
from scipy import stats

SECOND = 1_000_000


def of(events: hr.Events, channel: int) -> list[int]:
    return events.t[events.channel == channel].tolist()


@pytest.mark.parametrize("seed", [0, 7, 2**64 - 1])
def test_events_are_where_the_sums_of_exponential_numbers_are(seed):
    rates = np.array([50.0, 0.0, 1234.5, 20_000.0])
    events = hr.Events.poisson(rates, 2 * SECOND, seed)
    offsets = np.array([0, *np.cumsum([45_000] * 4)])
    numbers = hr.Gamma(mean=1.0, shape=1.0).sample(offsets, seed, "poisson").reshape(4, -1)
    for channel, rate in enumerate(rates):
        t = np.cumsum(numbers[channel]) / rate * SECOND if rate else np.zeros(0)
        t = t[t < 2 * SECOND]
        # Two ways of rounding: a time on the edge of a µs may fall on either side.
        assert np.abs(np.array(of(events, channel)) - np.floor(t)).max(initial=0.0) <= 1


def test_the_law_is_that_of_poisson_processes(measure):
    n, rate = 4000, 40.0
    events = hr.Events.poisson(np.full(n, rate), SECOND, seed=1)
    counts = np.bincount(events.channel, minlength=n)
    deviation = np.sqrt(n * rate)
    assert abs(counts.sum() - n * rate) < 5.0 * deviation
    # The index of dispersion times n - 1 has nearly the law of chi squared.
    dispersion = (n - 1) * counts.var(ddof=1) / counts.mean()
    assert abs(dispersion - (n - 1)) < 5.0 * np.sqrt(2.0 * (n - 1))
    # Given their number, times are uniform; and waiting times have no memory.
    distance, p = stats.kstest((events.t + 0.5) / SECOND, "uniform")
    measure("distance to uniform", distance)
    assert p > 6e-7
    fast = hr.Events.poisson([5000.0], 10 * SECOND, seed=2)
    gaps = np.diff(fast.t + 0.5)
    assert stats.kstest(gaps[gaps > 0], "expon", (0.0, 200.0)).statistic < 0.015  # lattice: 1/200
    assert abs(np.corrcoef(gaps[1:], gaps[:-1])[0, 1]) < 5.0 / np.sqrt(gaps.size)


def test_channels_are_independent():
    events = hr.Events.poisson(np.full(60, 2000.0), 5 * SECOND, seed=3)
    bins = np.zeros((60, 500))
    np.add.at(bins, (events.channel, events.t // 10_000), 1)
    pairs = np.corrcoef(bins)[np.triu_indices(60, 1)]
    # 1770 pairs: 5.9 standard deviations for the same rate of alarms as 5 for one, nearly.
    assert np.abs(pairs).max() < 6.0 / np.sqrt(500)


def test_a_course_of_rates_is_followed():
    random = np.random.default_rng(5)
    rates = random.uniform(0.0, 4000.0, (40, 30))
    rates[random.random(rates.shape) < 0.3] = 0.0
    events = hr.Events.poisson(rates, seed=4, dt=25.0)
    assert events.duration == SECOND
    counts = np.zeros(rates.shape)
    np.add.at(counts, (events.t // 25_000, events.channel), 1)
    expected = rates * 0.025
    assert (counts[expected == 0.0] == 0).all()
    some = expected > 5.0
    deviations = (counts[some] - expected[some]) / np.sqrt(expected[some])
    assert abs((deviations**2).sum() - some.sum()) < 5.0 * np.sqrt(2.5 * some.sum())
    assert abs(deviations.mean()) < 5.0 / np.sqrt(some.sum())


def test_a_course_that_stays_is_a_constant():
    rates = [30.0, 700.0, 0.0]
    constant = hr.Events.poisson(rates, SECOND, seed=9)
    course = hr.Events.poisson(np.tile(rates, (10, 1)), seed=9, dt=100.0)
    for channel in range(3):
        one, other = np.array(of(constant, channel)), np.array(of(course, channel))
        assert one.size == other.size
        assert np.abs(one - other).max(initial=0) <= 1  # sums of rates are rounded otherwise


def test_bits_depend_on_seed_channel_and_own_rate_alone(monkeypatch):
    rates = np.array([10.0, 300.0, 0.0, 80.0, 5000.0])
    events = hr.Events.poisson(rates, SECOND, seed=6)
    others = hr.Events.poisson([1.0, 300.0, 9.0, 80.0, 1.0, 700.0], SECOND, seed=6)
    longer = hr.Events.poisson(rates, 3 * SECOND, seed=6)
    for channel in (1, 3):
        assert of(events, channel) == of(others, channel)
    for channel in range(5):
        assert of(events, channel) == [t for t in of(longer, channel) if t < SECOND]
    assert of(hr.Events.poisson(rates, SECOND, seed=7), 4) != of(events, 4)
    for name, value in (("_AT_A_TIME", 1), ("_MARGIN", -2.0), ("_MARGIN", 40.0)):
        with monkeypatch.context() as patch:
            patch.setattr(sources, name, value)
            assert hr.Events.poisson(rates, SECOND, seed=6) == events


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rates": [1.0, -2.0]}, r"rates must be at least 0 Hz; got -2.0 at channel 1"),
        ({"rates": [[1.0, np.nan]], "dt": 1.0}, r"got nan at \(bin, channel\) \(0, 1\)"),
        ({"rates": [np.inf]}, "rates must be at least 0 Hz; got inf at channel 0"),
        ({"rates": 5.0}, r"rates must have shape .* got \(\)"),
        ({"rates": [[]], "dt": 1.0}, r"rates must have shape .* got \(1, 0\)"),
        ({"rates": ["a"]}, "rates must hold numbers"),
        ({"duration": None}, "duration must be given"),
        ({"dt": 1.0}, "dt must be None where rates are constant"),
        ({"rates": [[1.0]]}, "dt must be given"),
        ({"rates": [[1.0]], "dt": 3.0, "duration": 2000}, r"duration must be None or .*3000 µs"),
        ({"rates": [[1.0]], "dt": 1e-9}, "dt must be at least"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(arguments, message):
    with pytest.raises((hr.ParameterError, hr.ShapeError), match=message):
        hr.Events.poisson(**{"rates": [1.0], "duration": 1000, **arguments})


def test_more_events_than_the_memory_holds_are_refused():
    with pytest.raises(hr.OutOfMemoryError, match="rates must be small enough"):
        hr.Events.poisson(np.full(1000, 1e12), SECOND)


@pytest.mark.parametrize("largest", [2**20, 2**61])
def test_events_are_sorted_by_time_and_channel(largest):
    random = np.random.default_rng(8)
    t, channel = random.integers(0, largest, 500), random.integers(0, 1000, 500)
    t[250:] = t[:250]
    sorted_t, sorted_channel = in_order(t, channel, 1000)
    pairs = [*zip(sorted_t.tolist(), sorted_channel.tolist(), strict=True)]
    assert pairs == sorted(zip(t.tolist(), channel.tolist(), strict=True))
