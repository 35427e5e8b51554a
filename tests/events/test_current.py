"""Injected currents: their courses, what neurons make of them, and what is refused."""

import copy
import json
import pickle

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs import _hrsnn
from hrsnn_rs.events import InjectedCurrent, PoissonDrive

DURATION = 100_000
EVENTS = hr.Events(np.arange(0, 100_000, 700), np.arange(143) % 20, 20, DURATION)


def network(**neuron):
    words = {"tau_m": hr.Uniform(10.0, 40.0), "t_ref": 2.0, "v_threshold": 15.0}
    return hr.Network(
        20, 60, neuron=hr.LIF(**words | neuron),
        inputs=hr.RandomConnectivity(p=0.3, weight=3.0),
        recurrent=hr.RandomConnectivity(p=0.1, weight=0.5), plasticity=hr.STDP(), seed=3,
        dtype="float64",
    )  # fmt: skip


def steps():
    random = np.random.default_rng(7)
    values = random.uniform(-10.0, 30.0, (5, 40))
    neurons = random.permutation(60)[:40]
    return InjectedCurrent(
        values, [0.0, 15.0, 15.3, 15.301, 60.0, 90.0], neurons, noise=3.0, seed=2
    )


def alone(tau, t_ref, bias, threshold, edges, values, duration):
    """One neuron, microsecond by microsecond: spikes, and v at each."""
    course = np.zeros(duration)
    for begin, end, value in zip(edges, edges[1:], values, strict=False):
        course[round(begin * 1000) : round(end * 1000)] = value
    leak, v, held, spikes, vs = np.exp(-0.001 / tau), 0.0, 0, [], []
    for t in range(duration):
        if t > held:
            # The bin in which the last microsecond lay drove it.
            end = bias + course[t - 1]
            v = end + (v - end) * leak
        if t >= held and v >= threshold:
            spikes.append(t)
            v, held = 0.0, t + round(t_ref * 1000)
        vs.append(v)
    return spikes, np.array(vs)


@pytest.mark.parametrize("t_ref", [0.0, 2.0, 7.5])
def test_a_neuron_follows_the_current_of_each_bin(t_ref):
    tau, bias = np.array([5.0, 20.0, 60.0]), np.array([0.0, 3.0, -5.0])
    edges = [2.0, 9.0, 9.001, 30.0, 34.0, 61.0]
    values = np.array([[40.0, 30.0, 90.0], [-1e5, 0.0, 1e5], [20.0, 17.0, 60.0], [0.0, -40.0, 9.0],
                       [25.0, 55.0, 35.0]])  # fmt: skip
    cells = hr.Network(
        1, 3, neuron=hr.LIF(tau_m=tau, t_ref=t_ref, v_threshold=15.0, bias=bias), dtype="float64"
    )
    current = InjectedCurrent(values[:, [2, 0, 1]], edges, [2, 0, 1])
    result = cells.run(
        ([], []), duration=80_000, current=current, record={"v": [0, 1, 2]}, every=0.5
    )
    recorded = result.record["v"]
    for i in range(3):
        spikes, v = alone(tau[i], t_ref, bias[i], 15.0, edges, values[:, i], 80_000)
        found = result.spikes.filter(result.spikes["neuron"] == i)["t"].to_list()
        assert found == spikes
        assert spikes
        mine = recorded.filter(recorded["neuron"] == i)
        # 80,000 roundings of the sum above.
        np.testing.assert_allclose(mine["v"], v[::500], rtol=1e-9, atol=1e-9)


def test_a_constant_current_is_a_bias_and_nothing_of_it_stays():
    one, other = network(), network(bias=8.0)
    current = InjectedCurrent.step(8.0, 0.0, 200.0)
    for learn in (False, True):
        found = one.run(EVENTS, learn=learn, current=current, record={"v": [0, 7]})
        truth = other.run(EVENTS, learn=learn, record={"v": [0, 7]})
        assert truth.stats.n_spikes > 100
        assert found.spikes.equals(truth.spikes)
        assert found.record["v"].equals(truth.record["v"])
    assert np.array_equal(one.recurrent_weights.data, other.recurrent_weights.data)
    later = one.run(EVENTS)
    assert later.spikes.equals(one.copy().run(EVENTS).spikes)
    assert not later.spikes.equals(truth.spikes)


@pytest.mark.parametrize("tau_syn", [0.0, 4.0])
@pytest.mark.parametrize("learn", [False, True])
def test_neither_threads_nor_stops_change_a_bit(learn, tau_syn, tmp_path):
    drive = PoissonDrive(np.full(20, 30.0), seed=1)
    words = {"learn": learn, "drive": drive, "current": steps()}
    made = network(tau_syn_ex=tau_syn, tau_syn_in=tau_syn)
    truth = made.copy().run(EVENTS, n_threads=1, record={"v": [0, 7]}, **words)
    assert truth.stats.n_spikes > 100
    plain = made.copy().run(EVENTS, learn=learn, drive=drive)
    assert not truth.spikes.equals(plain.spikes)
    assert made.copy().run(EVENTS, n_threads=2, **words).spikes.equals(truth.spikes)
    simulation = hr.Simulation(made, EVENTS, **words)
    for t in (0, 1, 14_999, 15_000, 15_001, 15_300, 15_301, 59_999, 90_000, 90_001):
        simulation.run_until(t)
        assert simulation.result.spikes.equals(truth.spikes.filter(truth.spikes["t"] < t))
        simulation.save(tmp_path / "half")
        simulation = hr.Simulation.load(tmp_path / "half")
        assert np.array_equal(simulation.current.values, steps().values)
        assert np.array_equal(simulation.current.neurons, steps().neurons)
    assert simulation.run().spikes.equals(truth.spikes)
    whole = hr.Simulation(made, EVENTS, **words)
    assert whole.run(record={"v": [0, 7]}).record["v"].equals(truth.record["v"])
    # The network of a simulation tends to where it did.
    expected = made.copy()
    expected.run(EVENTS, **words)
    for net in (whole.network, simulation.network):
        assert net.run(EVENTS).spikes.equals(expected.run(EVENTS).spikes)


def test_noise_spreads_membranes_as_theory_says():
    cells = hr.Network(1, 400, neuron=hr.LIF(tau_m=20.0, v_threshold=1e9), dtype="float64")
    noise = InjectedCurrent.white_noise(10.0, 0.0, 400.0, mean=5.0, every=0.5, seed=4)
    record = cells.run(
        ([], []), duration=400_000, current=noise, record={"v": np.arange(400)}, every=50.0
    ).record["v"]
    late = record.filter(record["t"] >= 300_000)["v"].to_numpy()
    # In each bin v <- v a + x (1 - a), a = exp(-0.5 / 20): variance s^2 (1 - a) / (1 + a).
    decay = np.exp(-0.5 / 20.0)
    std = 10.0 * np.sqrt((1.0 - decay) / (1.0 + decay))
    # 400 neurons at 2 times that are 50 ms apart (correlation exp(-2.5)): some 780 draws; 5 errors.
    assert abs(late.mean() - 5.0) < 5.0 * std / np.sqrt(780)
    assert abs(late.std() - std) < 5.0 * std / np.sqrt(2 * 780)
    short = cells.run(([], []), duration=9_000, current=noise, record={"v": [5]}, every=1.0)
    other = InjectedCurrent.white_noise(10.0, 0.0, 400.0, mean=5.0, every=0.5, seed=5)
    again = cells.run(([], []), duration=9_000, current=other, record={"v": [5]}, every=1.0)
    assert not short.record["v"].equals(again.record["v"])


def test_a_ramp_in_short_stairs_is_a_line():
    cells = hr.Network(1, 1, neuron=hr.LIF(tau_m=20.0, v_threshold=1e9), dtype="float64")
    found = {}
    for every in (0.1, 1.0):
        ramp = InjectedCurrent.ramp(0.0, 50.0, 0.0, 100.0, every=every)
        result = cells.run(
            ([], []), duration=100_000, current=ramp, record={"v": [0]}, every=1.0
        ).record["v"]
        t = result["t"].to_numpy() / 1000.0
        # tau dv/dt = -v + t / 2: v = (t - tau (1 - exp(-t / tau))) / 2.
        truth = 0.5 * (t - 20.0 * (1.0 - np.exp(-t / 20.0)))
        found[every] = np.abs(result["v"].to_numpy() - truth).max()
    # Within a stair of length h the line leaves it by a slope of 0.5 times h / 2 at most.
    for every, error in found.items():
        assert error < 0.5 * (every / 2.0) * (1.0 - np.exp(-every / 20.0))


def test_a_file_that_was_changed_is_refused(tmp_path):
    path = tmp_path / "half"
    hr.Simulation(network(), EVENTS, current=steps()).save(path)
    arrays, texts = _hrsnn.load_arrays(str(path))
    told = json.loads(texts["simulation"])
    for name, value, message in (
        (
            "current/values",
            arrays["current/values"][:-1],
            r"current/values must have length 5; got",
        ),
        ("current/values", arrays["current/values"] * np.nan, r"values must be between"),
        ("current/edges", arrays["current/edges"][::-1].copy(), r"edges must increase"),
        (
            "current/neurons",
            arrays["current/neurons"] + np.uint32(50),
            r"current must have neurons",
        ),
        ("current/values", None, r"current/values is missing"),
        ("current/more", arrays["current/edges"], r"current/more is not an array of a simulation"),
        ("current", None, r"current/edges is not an array of a simulation"),
        ("current", 3, r"current must be an object; got 3"),
        ("current", {"noise": -1.0, "seed": 0}, r"noise must be between 0"),
        ("current", {"noise": 1.0}, r"seed must be a whole number"),
    ):
        some, said = dict(arrays), dict(told)
        if name == "current":
            said["current"] = value
        elif value is None:
            del some[name]
        else:
            some[name] = value
        _hrsnn.save_arrays(str(path), some, texts | {"simulation": json.dumps(said)})
        with pytest.raises(hr.FormatError, match=message):
            hr.Simulation.load(path)


def test_a_current_is_pickled_and_copied():
    for again in (pickle.loads(pickle.dumps(steps())), copy.deepcopy(steps())):
        one, other = (network().run(EVENTS, current=each) for each in (again, steps()))
        assert one.spikes.equals(other.spikes)
        assert not again.values.flags.writeable
        assert not again.edges.flags.writeable
        assert again == steps()
    assert repr(steps()) == "InjectedCurrent(5 bins from 0 to 90 ms, 40 neurons, noise=3)"


def test_a_current_says_what_is_run_for_it_cannot_be_changed():
    current = steps()
    for name in ("values", "edges", "neurons", "noise", "seed", "more"):
        for change in (
            lambda name=name: setattr(current, name, 7),
            lambda name=name: delattr(current, name),
        ):
            with pytest.raises(AttributeError, match="InjectedCurrent cannot be changed; make a"):
                change()
    with pytest.raises(ValueError, match="read-only"):
        current.values[0] = 3.0
    assert current == steps()
    assert current != InjectedCurrent(
        current.values, current.edges, current.neurons, noise=3.0, seed=77
    )
    everyone = InjectedCurrent.step(8.0, 0.0, 200.0)
    assert copy.copy(everyone) == everyone != current


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: InjectedCurrent([], [0.0]), "values must have shape"),
        (lambda: InjectedCurrent([[[1.0]]], [0.0, 1.0]), "values must have shape"),
        (lambda: InjectedCurrent([np.nan], [0.0, 1.0]), "values must be between .* nan at index 0"),
        (lambda: InjectedCurrent([1e16], [0.0, 1.0]), "values must be between .* 1e.16 at index 0"),
        (
            lambda: InjectedCurrent([[1.0, 2.0, 3.0], [4.0, np.nan, 5.0]], range(3), range(3)),
            r"values must be between .* got nan at \(row, column\) \(1, 1\)\.",
        ),
        (
            lambda: InjectedCurrent(np.ma.masked_equal([[1, 2], [3, 4]], 3), range(3), [0, 1]),
            r"values must have no masked values; got one at \(row, column\) \(1, 0\)\.",
        ),
        (lambda: InjectedCurrent([1.0], [0.0]), "edges must be one more than the 1 bins"),
        (lambda: InjectedCurrent([1.0], [1.0, 1.0]), "edges must increase .* at edge 1"),
        (lambda: InjectedCurrent([1.0], [-1.0, 1.0]), "edges must be between .* at edge 0"),
        (lambda: InjectedCurrent([[1.0]], [0.0, 1.0]), "neurons must be given"),
        (lambda: InjectedCurrent([[1.0]], [0.0, 1.0], [1, 2]), "neurons must be as many"),
        (lambda: InjectedCurrent([1.0], [0.0, 1.0], []), "neurons must have shape"),
        (lambda: InjectedCurrent([1.0], [0.0, 1.0], [1.5]), "neurons must hold whole numbers"),
        (
            lambda: InjectedCurrent([1.0], [0.0, 1.0], [0, -1]),
            "neurons must be in .* -1 at index 1",
        ),
        (
            lambda: InjectedCurrent([1.0], [0.0, 1.0], [4, 2, 4]),
            "different; got 4 again at index 2",
        ),
        (lambda: InjectedCurrent([1.0], [0.0, 1.0], noise=-1.0), "noise must be between 0"),
        (lambda: InjectedCurrent([1.0], [0.0, 1.0], seed=-1), "seed must be"),
        (lambda: InjectedCurrent.step(np.inf, 0.0, 1.0), "value must be between"),
        (lambda: InjectedCurrent.ramp(0.0, 1.0, 5.0, 5.0), "stop must be above start"),
        (lambda: InjectedCurrent.ramp(0.0, 1.0, 0.0, 5.0, every=0.0), "every must be at least"),
        (lambda: InjectedCurrent.white_noise(-1.0, 0.0, 5.0), "std must be between 0"),
        (lambda: network().run(EVENTS, current=3), "current must be an InjectedCurrent or None"),
        (
            lambda: network().run(EVENTS, current=InjectedCurrent.step(1.0, 0.0, 1.0, [3, 60])),
            "current must have neurons below 60; got 60 at index 1",
        ),
        (lambda: hr.Simulation(network(), EVENTS, current=3), "current must be an InjectedCurrent"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(hr.HRSNNError, match=message):
        make()
