"""A drive gives the run of its events, which nobody stores."""

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.events import PoissonDrive

DURATION = 300_001


def network():
    return hr.Network(
        20, 60, inputs=hr.RandomConnectivity(p=0.3, weight=6.0),
        recurrent=hr.RandomConnectivity(p=0.1, weight=0.5), plasticity=hr.STDP(), seed=3
    )  # fmt: skip


def test_a_driven_run_is_that_of_its_events():
    drive = PoissonDrive(np.linspace(0.0, 90.0, 20), seed=5)
    more = hr.Events([16_383, 16_384, 200_000], [3, 0, 19], 20, DURATION)
    stored = drive.events(DURATION)
    t = np.concatenate([more.t, stored.t])
    order = np.argsort(t, kind="stable")
    both = hr.Events(t[order], np.concatenate([more.channel, stored.channel])[order], 20, DURATION)
    for learn in (False, True):
        expected, one = network(), network()
        truth = expected.run(both, learn=learn, record={"v": [0, 7]}, n_threads=1)
        assert truth.stats.n_spikes > 100
        for threads in (1, 2):
            driven = one.copy().run(
                more, learn=learn, record={"v": [0, 7]}, drive=drive, n_threads=threads
            )
            assert driven.spikes.equals(truth.spikes)
            assert driven.record["v"].equals(truth.record["v"])
            mine, its = driven.stats.to_dict(), truth.stats.to_dict()
            assert {**mine, "wall_time": 0} == {**its, "wall_time": 0}


def test_events_are_those_of_the_seed_and_of_no_length():
    drive = PoissonDrive([0.0, 2000.0], seed=2)
    long, short = drive.events(1_000_000), drive.events(77_777)
    assert set(long.channel) == {1}
    # 2000 events with a standard deviation of 45; 5 of them.
    assert abs(len(long) - 2000) < 225
    assert np.array_equal(short.t, long.t[long.t < 77_777])
    assert not np.array_equal(PoissonDrive([0.0, 2000.0], seed=3).events(77_777).t, short.t)


def test_nonsense_is_refused():
    for rates, message in (
        ([1.0, -1.0], "rates must be at least 0 Hz; got -1.0 at channel 1"),
        ([np.nan], "rates must be at least 0 Hz; got nan at channel 0"),
        ([6e8, 6e8], "rates must sum up to at most 1e\\+09 Hz; got 1.2e\\+09"),
        ([1e308, 1e308], "rates must sum up to at most"),
        (["a"], "rates must"),
        ([], "rates must have shape"),
        ([[1.0]], "rates must have shape"),
        (None, "rates must"),
    ):
        with pytest.raises(hr.HRSNNError, match=message):
            PoissonDrive(rates)
    with pytest.raises(hr.ParameterError, match="seed must"):
        PoissonDrive([1.0], seed=-1)
    with pytest.raises(hr.ShapeError, match="drive must have a rate for each of 20 input channels"):
        network().run(([], []), duration=1000, drive=PoissonDrive([1.0]))
    with pytest.raises(hr.ParameterError, match="drive must be a PoissonDrive or None; got 3"):
        network().run(([], []), duration=1000, drive=3)
    with pytest.raises(hr.OutOfMemoryError, match="duration must be small enough"):
        PoissonDrive([1e6]).events(10**12)
