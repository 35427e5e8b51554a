"""A sample that is stopped, saved, loaded and gone on with ends as one that never stopped."""

import copy
import pickle
import sys
from dataclasses import replace
from functools import partial

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs import _hrsnn
from hrsnn_rs.encoding.running_encoder import RunningEncoder
from hrsnn_rs.made_up import CameraRecording, EventCamera
from hrsnn_rs.network.simulation_file import write_simulation
from hrsnn_rs.network.stream import NetworkStream
from random_networks import Case, random_case, random_case_with_currents
from scipy.sparse import csr_array

N_CASES, N_SLOW = 60, 500
NETWORK = _hrsnn.Network


def drawn(seed: int) -> tuple[Case, str, bool]:
    """Draw a network of any kind there is, its precision, and whether it learns."""
    rng = np.random.default_rng((seed, 20_261_129))
    currents, single, halves, inputs_learn = rng.random(4) < [0.5, 0.5, 0.3, 0.2]
    case = random_case_with_currents(seed) if currents else random_case(seed)
    rule = dict(case.plasticity)
    if halves:
        rule["half_precision"] = True
    if inputs_learn:
        # One rule is for all; its bounds are those of both.
        constants = {"a_plus": 0.3, "a_minus": 0.2, "tau_plus": 15.0, "tau_minus": 34.0}
        rule |= constants | {"inputs": True, "w_min": 0.0, "w_max": 30.0}
        inputs = case.inputs.copy()
        inputs.data = np.clip(np.abs(inputs.data), 0.0, 30.0)
        case = replace(case, inputs=inputs)
    case = replace(case, plasticity=rule)
    return case, "float32" if single else "float64", bool(rng.random() < 0.8)


def final(network: hr.Network, result: hr.RunResult) -> dict[str, object]:
    """Everything that must be the same to the bit."""
    counts = {name: n for name, n in result.stats.to_dict().items() if name != "wall_time"}
    return {
        "spikes": result.spikes.rows(),
        "weights": network.recurrent_weights.data.tobytes(),
        "input weights": network.input_weights.data.tobytes(),
        "theta": network.neuron_parameters["theta"].tobytes(),
        **counts,
    }


def saved_and_loaded(simulation: hr.Simulation, path) -> hr.Simulation:
    simulation.save(path)
    return hr.Simulation.load(path)


def stops_of(case: Case, spikes: list[tuple[int, int]], rng) -> list[int]:
    """One to four times, some of them in or just after a µs in which something happens."""
    stops = list(rng.integers(0, case.duration + 1, rng.integers(1, 4)))
    happening = [t for t, _ in spikes] + case.t.tolist()
    if rng.random() < 0.5:
        stops.append(rng.choice(happening) + rng.integers(0, 2))
    if rng.random() < 0.5:  # often where an input event arrives
        stops.append(rng.choice(case.t) + 1000 * rng.integers(0, 4))
    return sorted(int(stop) for stop in stops if stop <= case.duration)


def check_case(seed: int, path, monkeypatch) -> None:
    rng = np.random.default_rng((seed, 20_261_126))
    case, dtype, learn = drawn(seed)
    network, events = case.network(dtype), case.events()
    result = network.run(events, learn=learn)
    assert result.stats.n_spikes > 0
    expected = final(network, result)

    simulation = hr.Simulation(case.network(dtype), events, learn=learn)
    for stop in stops_of(case, expected["spikes"], rng):
        simulation.run_until(stop, n_threads=int(rng.integers(1, 4)))
        # Another machine would divide the neurons otherwise.
        n_shards = int(rng.integers(1, case.recurrent.shape[0] + 1))
        monkeypatch.setattr(_hrsnn, "Network", partial(NETWORK, n_shards=min(n_shards, 5)))
        loaded = saved_and_loaded(simulation, path)
        monkeypatch.setattr(_hrsnn, "Network", NETWORK)
        assert loaded.t == simulation.t == stop
        assert final(loaded.network, loaded.result) == final(simulation.network, simulation.result)
        before = [spike for spike in expected["spikes"] if spike[0] < stop]
        assert loaded.result.spikes.rows() == before
        simulation = loaded
    end = final(simulation.network, simulation.run(n_threads=int(rng.integers(1, 4))))
    end |= final(simulation.network, simulation.result)
    assert [name for name in expected if end[name] != expected[name]] == []


@pytest.mark.parametrize("seed", range(N_CASES))
def test_saved_at_any_moment_the_end_is_the_same(tmp_path, monkeypatch, seed):
    check_case(seed, tmp_path / "half.safetensors", monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(N_CASES, N_SLOW))
def test_saved_at_any_moment_the_end_is_the_same_for_many(tmp_path, monkeypatch, seed):
    check_case(seed, tmp_path / "half.safetensors", monkeypatch)


def test_the_cases_have_everything():
    cases = [drawn(seed) for seed in range(N_CASES)]
    learning = [case for case, _, learn in cases if learn]
    kinds = {
        (dtype, "tau_syn_ex" in case.neuron, case.plasticity["pairing"])
        for case, dtype, learn in cases
        if learn
    }
    assert len(kinds) == 8
    assert 5 <= N_CASES - len(learning) < 20
    for has in (
        lambda case: case.plasticity.get("half_precision"),
        lambda case: case.plasticity.get("inputs"),
        lambda case: case.plasticity["mu_plus"] > 0.0,
        lambda case: case.theta_plus is not None,
        lambda case: case.normalize,
        lambda case: (
            case.neuron["bias"] > case.neuron["v_threshold"] - case.neuron["v_rest"]
        ).any(),
    ):
        assert sum(map(bool, map(has, learning))) >= 3


def test_every_microsecond_is_a_place_to_stop(tmp_path):
    case = random_case(3)
    events = hr.Events([0, 40, 41, 200], [0, 1, 2, 0], case.inputs.shape[0], duration=400)
    expected = hr.Simulation(case.network(), events, learn=True)
    expected.run()
    simulation = hr.Simulation(case.network(), events, learn=True)
    for t in range(0, 401):
        simulation.run_until(t)
        assert simulation.result.stats.n_input_events == sum(at < t for at in (0, 40, 41, 200))
        if t % 8 == 0:
            simulation = saved_and_loaded(simulation, tmp_path / "half.safetensors")
    assert final(simulation.network, simulation.result) == final(expected.network, expected.result)


def dense(rows: list[list[float]]) -> csr_array:
    return csr_array(np.array(rows))


def simulation(**settings) -> hr.Simulation:
    network = hr.Network(
        4,
        30,
        inputs=hr.RandomConnectivity(p=0.5, weight=9.0),
        recurrent=hr.RandomConnectivity(p=0.3, delay=hr.Uniform(1.0, 30.0)),
        plasticity=hr.STDP(a_plus=hr.Gamma(mean=0.1, shape=3.0)),
        adaptive_threshold=hr.AdaptiveThreshold(theta_plus=0.5),
        normalize_weights=True,
        seed=3,
    )
    t = np.arange(0, 100_000, 700)
    return hr.Simulation(network, (t, np.arange(t.size) % 4), duration=100_000, **settings)


def test_the_given_network_stays_as_it_is_and_what_is_given_out_is_a_copy():
    sample = random_case(5)
    network, twin = sample.network(), sample.network()
    one = hr.Simulation(network, sample.events(), learn=True)
    one.run_until(sample.duration // 2)
    half = one.network
    assert (network.recurrent_weights.data == twin.recurrent_weights.data).all()
    assert (half.recurrent_weights.data != twin.recurrent_weights.data).any()
    network.run(sample.events(), learn=True)
    half.run(sample.events(), learn=True)  # usable as any network, and nobody's but the caller's
    one.run()
    assert (one.network.recurrent_weights.data == network.recurrent_weights.data).all()
    assert one.network.variant("HoNHoS").n_neurons == network.n_neurons


@pytest.mark.parametrize("name", ["t", "duration", "learn", "drive", "current"])
def test_what_a_simulation_says_of_itself_cannot_be_changed(name):
    case = random_case(5)
    one = hr.Simulation(case.network(), case.events())
    with pytest.raises(AttributeError, match=name):
        setattr(one, name, True)


def test_half_way_pending_potentiation_is_applied_and_thresholds_are_as_they_are():
    # One arrival at 2 ms, one post spike at 3 ms by the input: pre before post potentiates.
    network = hr.Network.from_arrays(
        inputs=dense([[20.0, 0.0], [0.0, 20.0]]),
        recurrent=dense([[0.0, 1.0], [0.0, 0.0]]),
        plasticity=hr.STDP(a_plus=0.5, a_minus=0.0, tau_plus=20.0, w_max=4.0),
        adaptive_threshold=hr.AdaptiveThreshold(theta_plus=0.25, tau_theta=1000.0),
    )
    one = hr.Simulation(network, ([1000, 3000], [0, 1]), learn=True, duration=50_000)
    one.run_until(3000)
    assert one.network.recurrent_weights.data.tolist() == [1.0]
    assert one.network.neuron_parameters["theta"].tolist() == [0.25, 0.0]
    one.run_until(3001)
    assert one.network.recurrent_weights.data == pytest.approx([1.0 + 0.5 * np.exp(-1 / 20)])
    assert one.network.neuron_parameters["theta"].tolist() == [0.25, 0.25]
    one.run_until(50_000)  # with the last µs the sample ends
    decayed = 0.25 * np.exp(-50 / 1000)
    assert one.network.neuron_parameters["theta"] == pytest.approx([decayed] * 2)


@pytest.mark.parametrize("learn", [False, True])
def test_at_its_end_and_at_its_start_it_can_be_saved_too(tmp_path, learn):
    expected = simulation(learn=learn)
    expected.run(n_threads=1)
    one = saved_and_loaded(simulation(learn=learn), tmp_path / "start")
    assert one.t == 0
    one.run(progress=True)
    end = saved_and_loaded(one, tmp_path / "end")
    assert end.t == end.duration == 100_000
    for other in (one, end):
        assert final(other.network, other.result) == final(expected.network, expected.result)
    end.run()  # nothing is left to do
    end.run_until(100_000)
    assert final(end.network, end.result) == final(expected.network, expected.result)
    assert end.result.stats.wall_time > 0.0
    again = end.network.run(([0], [0]), learn=True)
    assert again.stats.n_spikes == expected.network.run(([0], [0]), learn=True).stats.n_spikes


def test_time_goes_only_forward_and_no_further_than_the_sample():
    one = simulation()
    one.run_until(500)
    one.run_until(500)
    with pytest.raises(hr.ParameterError, match=r"t must be between 500 µs.* got 499\."):
        one.run_until(499)
    with pytest.raises(hr.ParameterError, match=r"t must be .* 100000; got 100001\."):
        one.run_until(100_001)
    assert one.t == 500
    assert repr(one).startswith("Simulation(t=500, duration=100000, learn=False, network=Network(")


def test_events_are_checked_as_in_run():
    network = hr.Network(4, 5)
    with pytest.raises(hr.ShapeError, match="channels"):
        hr.Simulation(network, hr.Events([0], [0], n_channels=3))
    with pytest.raises(hr.ParameterError, match="t must not decrease"):
        hr.Simulation(network, ([5, 3], [0, 0]))
    with pytest.raises(hr.ParameterError, match="network must be a Network"):
        hr.Simulation(simulation(), ([5], [0]))


def test_a_failed_save_leaves_the_file_and_the_simulation(tmp_path):
    one = simulation(learn=True)
    one.run_until(40_000)
    path = tmp_path / "half.safetensors"
    one.save(path)
    content = path.read_bytes()
    with pytest.raises(OSError, match="nowhere"):
        one.save(tmp_path / "nowhere" / "half.safetensors")
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]
    expected = simulation(learn=True)
    expected.run()
    one.run()
    assert final(one.network, one.result) == final(expected.network, expected.result)


def test_threads_before_and_after_change_no_bit(tmp_path):
    # More than one part for a thread to work on.
    network = hr.Network(
        100,
        1500,
        inputs=hr.RandomConnectivity(p=0.1, weight=3.0),
        recurrent=hr.RandomConnectivity(p=0.5, weight=hr.Gamma(mean=0.05, shape=3.0)),
        plasticity=hr.STDP(a_plus=hr.Gamma(mean=0.02, shape=3.0)),
        seed=4,
    )
    rng = np.random.default_rng(5)
    t = np.sort(rng.integers(0, 30_000, 2000))
    events = hr.Events(t, rng.integers(0, 100, 2000), 100, duration=30_000)
    twin = network.copy()
    expected = final(twin, twin.run(events, learn=True, n_threads=1))
    assert expected["n_spikes"] > 500
    for before, after in ((1, 4), (3, None)):
        one = hr.Simulation(network, events, learn=True)
        one.run_until(13_337, n_threads=before)
        one = saved_and_loaded(one, tmp_path / "half.safetensors")
        result = one.run(n_threads=after)
        assert final(one.network, result) == expected


def nudged(values: np.ndarray) -> np.ndarray:
    """Half as much, or a µs earlier where it is a time."""
    if values.dtype.kind == "f":
        return (values * 0.5).astype(values.dtype)
    return np.maximum(values - 1, 0)


TRACES = ("inputs/x", "inputs/y", "recurrent/x", "recurrent/y")
#: Pieces of what is saved, and how each is spoilt.
PIECES = {
    **{
        name: lambda saved, name=name: saved.state.update({name: nudged(saved.state[name])})
        for name in ("v", "since", "charge_ex", "charge_in", "charge_since", *TRACES)
    },
    "crossing": lambda saved: saved.state["crossing"].fill(-1),
    "last spike": lambda saved: saved.state.update(
        {name: saved.state[name][:-1] for name in ("spike_t", "spike_neuron")}
    ),
    **{
        name: lambda saved, name=name: saved.state.update({name: saved.state[name] + 1})
        for name in ("n_input_synaptic_events", "n_synaptic_events", "n_weight_updates")
    },
    "t": lambda saved: saved.state.update(t=saved.state["t"] + 1),
    "theta": lambda saved: saved.assembly.neurons.update(theta=saved.assembly.neurons["theta"] / 2),
    "weight": lambda saved: saved.assembly.recurrent.weight.__imul__(0.999),
}


@pytest.mark.parametrize("piece", PIECES)
def test_no_piece_of_what_is_saved_could_be_left_out(tmp_path, monkeypatch, piece):
    def spoilt(path, saved):
        PIECES[piece](saved)
        write_simulation(path, saved)

    monkeypatch.setattr("hrsnn_rs.network.simulation_file.write_simulation", spoilt)

    def check_all():
        for seed in range(N_CASES):
            check_case(seed, tmp_path / "half.safetensors", monkeypatch)

    with pytest.raises((AssertionError, hr.FormatError)):
        check_all()


def test_a_bar_without_tqdm_is_refused_alike(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    network = hr.Network(1, 5, plasticity=hr.STDP())
    one = ([100], [0])
    for call in (
        hr.Simulation(network, one).run,
        partial(network.train, [one]),
        partial(network.transform, [one]),
    ):
        with pytest.raises(hr.errors.MissingDependencyError, match="progress needs tqdm: pip"):
            call(progress=True)


AT_WORK = {
    "Simulation": lambda: hr.Simulation(hr.Network(1, 2), ([100], [0])),
    "NetworkStream": lambda: NetworkStream(hr.Network(1, 2), 1000),
    "RunningEncoder": lambda: RunningEncoder(hr.EventEncoder(4, 4, size=(4, 4))),
    "CameraRecording": lambda: CameraRecording(EventCamera(2, 2), sample=0),
}


@pytest.mark.parametrize("name", AT_WORK)
@pytest.mark.parametrize("call", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_is_at_work_is_neither_copied_nor_pickled(name, call):
    with pytest.raises(TypeError, match=f"a {name} can be neither copied nor pickled: .*\\(\\)"):
        call(AT_WORK[name]())
