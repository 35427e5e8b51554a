"""A drive gives the run of its events, which nobody stores."""

import copy
import json
import pickle

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs import _hrsnn
from hrsnn_rs.events import PoissonDrive
from hrsnn_rs.network.checkpoint import drive_digest

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


EDGES = [0.0, 20.5, 21.0, 150.0, 290.0]


def changing(seed=5, n_channels=20):
    rates = np.random.default_rng(seed).uniform(0.0, 120.0, (4, n_channels))
    rates[2] = 0.0
    return PoissonDrive(rates, seed=seed, edges=EDGES)


def beside(given, drive):
    """Store all events."""
    stored = drive.events(given.duration)
    t = np.concatenate([given.t, stored.t])
    order = np.argsort(t, kind="stable")
    channel = np.concatenate([given.channel, stored.channel])[order]
    return hr.Events(t[order], channel, given.n_channels, given.duration)


GIVEN = hr.Events([16_383, 16_384, 200_000], [3, 0, 19], 20, DURATION)


def same(one, other):
    return {**one.to_dict(), "wall_time": 0} == {**other.to_dict(), "wall_time": 0}


def test_rates_change_where_they_should():
    drive = PoissonDrive([[0.0, 4e3], [9e3, 0.0], [0.0, 0.0], [100.0, 100.0]], edges=EDGES, seed=3)
    events = drive.events(DURATION)
    for channel in (0, 1):
        t = events.t[events.channel == channel]
        counts = np.histogram(t, np.array(EDGES) * 1000.0)[0]
        assert counts.sum() == t.size
        expected = drive.rates[:, channel] * np.diff(EDGES) / 1000.0
        # 5 standard deviations of a Poisson count.
        assert (np.abs(counts - expected) <= 5.0 * np.sqrt(expected)).all()
    short = drive.events(100_001)
    n = len(short)
    assert np.array_equal(short.t, events.t[:n])
    assert events.t[n] >= 100_001


def test_a_drive_whose_rates_change_is_run_as_its_events():
    drive = changing()
    for learn in (False, True):
        truth = network().run(beside(GIVEN, drive), learn=learn, n_threads=1)
        assert truth.stats.n_spikes > 100
        for threads in (1, 2):
            driven = network().run(GIVEN, learn=learn, drive=drive, n_threads=threads)
            assert driven.spikes.equals(truth.spikes)
            assert same(driven.stats, truth.stats)


def samples(n=5):
    return [hr.Events([7 * k, 90_000 + k], [k, 19 - k], 20, 100_000 + k) for k in range(n)]


@pytest.mark.parametrize("drive", [changing(), changing().for_sample(3)])
def test_each_sample_of_a_transform_has_events_of_its_own(drive):
    stored = [beside(one, drive.for_sample(drive.sample + k)) for k, one in enumerate(samples())]
    truth, took = network().transform(stored, 3, features="both", return_stats=True, n_threads=1)
    for threads in (1, 2):
        found, stats = network().transform(
            samples(), 3, features="both", drive=drive, return_stats=True, n_threads=threads
        )
        assert np.array_equal(found, truth)
        assert all(map(same, stats, took))
    assert len({one.n_input_events for one in took}) > 2


def test_samples_of_a_transform_are_numbered_beyond_those_that_are_handed_over_together(
    monkeypatch,
):
    truth = network().transform(samples(), drive=changing())
    monkeypatch.setattr("hrsnn_rs.network.running.CHUNK", 2)
    assert np.array_equal(network().transform(iter(samples()), drive=changing()), truth)


def test_windows_of_events_are_those_of_the_own_ones():
    table = network().transform([GIVEN], 3, windows="events", drive=changing())
    ends = [16_384, 200_000, DURATION]
    spikes = network().run(GIVEN, drive=changing()).spikes
    for window, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        within = spikes.filter((spikes["t"] >= start) & (spikes["t"] < end))
        assert table[0, window].sum() == within.height


@pytest.mark.parametrize("batch", [1, 3])
def test_a_training_has_events_of_its_own_for_each_sample(batch, tmp_path):
    drive, stored = changing().for_sample(2), []
    for k in range(10):
        stored.append(beside(samples()[k % 5], drive.for_sample(2 + k)))
    # As two passes of five: batches end with a pass.
    truth = network()
    took = [truth.train(stored[first : first + 5], batch=batch) for first in (0, 5)]
    found, kept = network(), network()
    stats = found.train(samples(), epochs=2, batch=batch, drive=drive, n_threads=2)
    assert stats.n_input_events == sum(one.n_input_events for one in took)
    arguments = {"epochs": 2, "batch": batch, "checkpoint": tmp_path / "kept"}
    kept.train(samples(), drive=drive, **arguments)
    for one in (found, kept):
        assert np.array_equal(one.recurrent_weights.data, truth.recurrent_weights.data)
    for other in (None, changing(), changing(6).for_sample(2)):
        with pytest.raises(hr.ParameterError, match=r"in which the digest of drive is \w{32}, not"):
            network().train(samples(), drive=other, **arguments)


def test_an_interrupted_training_goes_on_with_the_events_of_its_next_sample(tmp_path):
    truth, stopped = network(), network()
    truth.train(samples(), drive=changing())

    def some():
        yield from samples()[:3]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        stopped.train(some(), drive=changing(), checkpoint=tmp_path)
    again = network()
    again.train(iter(samples()), drive=changing(), checkpoint=tmp_path)
    assert np.array_equal(again.recurrent_weights.data, truth.recurrent_weights.data)


@pytest.mark.parametrize("drive", [PoissonDrive(np.full(20, 40.0), seed=8), changing()])
@pytest.mark.parametrize("learn", [False, True])
def test_where_a_simulation_stops_or_is_kept_does_not_show(drive, learn, tmp_path):
    drive = drive.for_sample(4)
    truth = network().run(beside(GIVEN, drive), learn=learn, record={"v": [0, 7]})
    simulation = hr.Simulation(network(), GIVEN, learn=learn, drive=drive)
    for k, t in enumerate((1, 16_384, 20_500, 20_777, 163_841, 290_000)):
        simulation.run_until(t, n_threads=1 + k % 2)
        here = simulation.result
        assert here.spikes.equals(truth.spikes.filter(truth.spikes["t"] < t))
        simulation.save(tmp_path / "half")
        simulation = hr.Simulation.load(tmp_path / "half")
        assert same(simulation.result.stats, here.stats)
        assert np.array_equal(simulation.drive.rates, drive.rates)
    whole = hr.Simulation(network(), GIVEN, learn=learn, drive=drive)
    result = whole.run(record={"v": [0, 7]})
    assert result.record["v"].equals(truth.record["v"])
    for one in (simulation.run(), result):
        assert one.spikes.equals(truth.spikes)
        assert same(one.stats, truth.stats)


def test_a_file_without_a_drive_has_none_and_a_damaged_one_is_refused(tmp_path, monkeypatch):
    plain, driven = tmp_path / "plain", tmp_path / "driven"
    hr.Simulation(network(), GIVEN).save(plain)
    assert hr.Simulation.load(plain).drive is None
    arrays, texts = _hrsnn.load_arrays(str(plain))
    told = json.loads(texts["simulation"])
    # As files were before there were drives.
    del told["drive"]
    _hrsnn.save_arrays(str(plain), arrays, texts | {"simulation": json.dumps(told)})
    assert hr.Simulation.load(plain).drive is None
    hr.Simulation(network(), GIVEN, drive=changing()).save(driven)
    arrays, texts = _hrsnn.load_arrays(str(driven))
    told = json.loads(texts["simulation"])
    for wrong, message in (
        ({"drive/rates": arrays["drive/rates"][:-1]}, r"drive/rates must have length 80; got 79"),
        ({"drive/rates": -arrays["drive/rates"]}, r"rates must be at least 0 Hz"),
        ({"drive/edges": arrays["drive/edges"][::-1].copy()}, r"edges must increase"),
        ({"drive/edges": None}, r"drive must have a rate for each of 20"),
        ({"drive/rates": None}, r"drive/rates is missing"),
        ({"drive/more": arrays["drive/edges"]}, r"drive/more is not an array of a simulation"),
        ({"drive": None}, r"drive/edges is not an array of a simulation"),
        ({"drive": 3}, r"drive must be an object; got 3"),
        ({"drive": {"seed": -1, "sample": 0}}, r"seed must be a whole number"),
        ({"drive": {"seed": 1}}, r"sample must be a whole number"),
    ):
        name, value = next(iter(wrong.items()))
        some, said = dict(arrays), dict(told)
        if name == "drive":
            said["drive"] = value
        elif value is None:
            del some[name]
        else:
            some[name] = value
        _hrsnn.save_arrays(str(driven), some, texts | {"simulation": json.dumps(said)})
        with pytest.raises(hr.FormatError, match=message):
            hr.Simulation.load(driven)


def test_a_drive_is_pickled_and_copied_with_the_same_events():
    for drive in (changing().for_sample(3), PoissonDrive([30.0, 7.0], seed=2)):
        for again in (pickle.loads(pickle.dumps(drive)), copy.deepcopy(drive), copy.copy(drive)):
            assert again.events(DURATION) == drive.events(DURATION)
            assert repr(again) == repr(drive)
            assert not again.rates.flags.writeable
    assert repr(changing().for_sample(3)) == "PoissonDrive(20 channels, 4 bins, seed=5, sample=3)"
    assert drive_digest(changing()) != drive_digest(changing().for_sample(1))


@pytest.mark.parametrize("drive", [changing().for_sample(3), PoissonDrive([30.0, 7.0], seed=2)])
def test_a_drive_says_what_is_run_for_it_cannot_be_changed(drive):
    stood = repr(drive)
    for name in ("rates", "seed", "edges", "sample", "_core", "more"):
        for change in (
            lambda name=name: setattr(drive, name, 7),
            lambda name=name: delattr(drive, name),
        ):
            with pytest.raises(AttributeError, match="PoissonDrive cannot be changed; make a new"):
                change()
    with pytest.raises(ValueError, match="read-only"):
        drive.rates[0] = 3.0
    assert repr(drive) == stood
    assert copy.copy(drive) == pickle.loads(pickle.dumps(drive)) == drive
    assert drive != drive.for_sample(8)
    assert drive != PoissonDrive([30.0, 7.5], seed=2)


def test_samples_of_a_drive_are_independent():
    drive = PoissonDrive(np.full(4, 500.0), seed=1)
    counts = np.array([
        np.bincount(drive.for_sample(k).events(1_000_000).t // 10_000, minlength=100)
        for k in range(30)
    ])  # fmt: skip
    correlation = np.corrcoef(counts)[np.triu_indices(30, 1)]
    # Of 435 coefficients of 100 bins each, standard deviation 0.1: none beyond 5 of them.
    assert np.abs(correlation).max() < 0.5


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
        ([6e8, 6e8], "rates must sum up to at most 1e\\+09 Hz; got 1200000000.0"),
        ([1e308, 1e308], "rates must sum up to at most"),
        (["a"], "rates must"),
        ([], "rates must have shape"),
        ([[1.0]], "edges must be given"),
        ([[[1.0]]], "rates must have shape"),
        (None, "rates must"),
    ):
        with pytest.raises(hr.HRSNNError, match=message):
            PoissonDrive(rates)
    for rates, edges, message in (
        ([1.0], [0.0, 1.0], r"edges must be None where rates are constant; got \[0.0, 1.0\]"),
        ([[1.0]], [0.0], "edges must be one more than the 1 bins of rates; got 1"),
        ([[1.0]], [[0.0, 1.0]], "edges must be one-dimensional"),
        ([[1.0]], ["a", "b"], "edges must"),
        ([[1.0]], [0.0, np.nan], "edges must be .*; got nan at edge 1"),
        ([[1.0]], [-1.0, 1.0], "edges must be between 0 and .* ms; got -1.0 at edge 0"),
        ([[1.0]], [0.0, 1e13], "edges must be between 0 and .* ms"),
        (
            [[1.0], [1.0]],
            [0.0, 5.0, 5.0004],
            "edges must increase by at least 1 µs; got 5.0004 at edge 2",
        ),
        (
            [[1.0, 1.0], [1.0, -2.0]],
            [0, 1, 2],
            r"rates must .*; got -2.0 at \(bin, channel\) \(1, 1\)",
        ),
    ):
        with pytest.raises(hr.HRSNNError, match=message):
            PoissonDrive(rates, edges=edges)
    with pytest.raises(hr.ParameterError, match="number must be at least 0; got -1"):
        PoissonDrive([1.0]).for_sample(-1)
    for use in (
        lambda drive: network().train([GIVEN], drive=drive),
        lambda drive: network().transform([GIVEN], drive=drive),
        lambda drive: hr.Simulation(network(), GIVEN, drive=drive),
    ):
        with pytest.raises(hr.ShapeError, match="drive must have a rate for each of 20"):
            use(PoissonDrive([1.0]))
        with pytest.raises(hr.ParameterError, match="drive must be a PoissonDrive or None; got 3"):
            use(3)
    with pytest.raises(hr.ParameterError, match="seed must"):
        PoissonDrive([1.0], seed=-1)
    with pytest.raises(hr.ShapeError, match="drive must have a rate for each of 20 input channels"):
        network().run(([], []), duration=1000, drive=PoissonDrive([1.0]))
    with pytest.raises(hr.ParameterError, match="drive must be a PoissonDrive or None; got 3"):
        network().run(([], []), duration=1000, drive=3)
    with pytest.raises(hr.OutOfMemoryError, match="duration must be small enough"):
        PoissonDrive([1e6]).events(10**12)
