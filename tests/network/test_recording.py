"""What `record` gives: against the closed form, an independent reference, and itself in parts."""

import functools
import math
import pickle
from functools import partial

import hrsnn_rs as hr
import numpy as np
import polars as pl
import pytest
from hrsnn_rs import _hrsnn
from hrsnn_rs.events import memory_limit
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import Case, random_case, random_case_with_currents
from reference_neuron import psp
from scipy.sparse import csr_array

# Float64, |v| below 100 mV: some ten roundings of a closed form and of what led to its state.
TOLERANCE = 1e-9
NETWORK = _hrsnn.Network
MV = ("v", "u_ex", "u_in", "theta")


def one(weights=(0.0,), *, dtype="float64", adaptive=None, **neuron) -> hr.Network:
    """One neuron with a channel for each weight."""
    return hr.Network.from_arrays(
        csr_array(np.array(weights, float)[:, None]), csr_array((1, 1)),
        neuron=hr.LIF(**neuron), adaptive_threshold=adaptive, dtype=dtype,
    )  # fmt: skip


def course(network, events, *, duration, every=0.1, of="v", learn=False) -> np.ndarray:
    """Values of the only neuron, and a look at the other columns."""
    t, channel = zip(*events, strict=True) if events else ((), ())
    result = network.run(
        (t, channel), duration=duration, record={of: [0]}, every=every, learn=learn
    )
    frame = result.record[of]
    assert frame.schema == {"t": pl.Int64, "neuron": pl.UInt32, of: frame.schema[of]}
    assert frame["t"].to_list() == list(range(0, duration, round(1000 * every)))
    assert set(frame["neuron"].to_list()) <= {0}
    return frame[of].to_numpy()


def pairs(matrix) -> np.ndarray:
    """(pre, post) of each synapse, in the order of `.data`."""
    source = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.stack([source, matrix.indices], axis=1)


# --- the closed form ------------------------------------------------------------------------


def test_an_arrival_raises_v_at_once_and_leaks_away():
    v = course(one([8.0], tau_m=20.0, v_rest=-3.0), [(1000, 0)], duration=5000)
    s = np.arange(0, 4000, 100)
    assert v[:10].tolist() == [-3.0] * 10
    np.testing.assert_allclose(v[10:], -3.0 + 8.0 * np.exp(-s / 20_000), rtol=0, atol=1e-12)


def test_a_drive_crosses_and_v_is_at_reset_until_it_is_no_longer_refractory():
    v = course(one(bias=30.0, v_reset=-7.0, t_ref=2.0), [], duration=20_000, every=0.001)
    crossing = math.ceil(20_000 * math.log(2.0))
    s = np.arange(crossing)
    np.testing.assert_allclose(v[:crossing], -30.0 * np.expm1(-s / 20_000), rtol=0, atol=1e-12)
    # At the very µs of the spike and to the end of the hold: not a hair from v_reset.
    assert (v[crossing : crossing + 2001] == -7.0).all()
    s = np.arange(1, 20_000 - crossing - 2000)
    relaxed = 30.0 - 37.0 * np.exp(-s / 20_000)
    np.testing.assert_allclose(v[crossing + 2001 :], relaxed, rtol=0, atol=1e-12)


@pytest.mark.parametrize("tau_syn", [0.3, 5.0, 20.0, 20.0 * (1 + 1e-10), 60.0])
def test_currents_follow_the_psp_and_their_charges_decay(tau_syn):
    network = one([9.0, -4.0], tau_syn_ex=tau_syn, tau_syn_in=3.0)
    events = [(1000, 0), (1000, 1), (2500, 1)]
    v, u_ex, u_in = (course(network, events, duration=9000, of=name) for name in MV[:3])
    t = np.arange(0, 9000, 100)

    def sum_of(shape, weights):
        return sum(
            weight * np.array([shape(now - at) if now >= at else 0.0 for now in t])
            for at, weight in weights
        )

    ex, inhibitory = [(1000, 9.0)], [(1000, -4.0), (2500, -4.0)]
    expected = sum_of(lambda s: psp(s, 1000 * tau_syn, 20_000), ex)
    expected += sum_of(lambda s: psp(s, 3000, 20_000), inhibitory)
    np.testing.assert_allclose(v, expected, rtol=0, atol=1e-12)
    expected = sum_of(lambda s: math.exp(-s / (1000 * tau_syn)), ex)
    np.testing.assert_allclose(u_ex, expected, rtol=0, atol=1e-12)
    expected = sum_of(lambda s: math.exp(-s / 3000), inhibitory)
    np.testing.assert_allclose(u_in, expected, rtol=0, atol=1e-12)


def test_charges_of_a_refractory_neuron_go_on():
    network = one([1e4], tau_syn_ex=5.0, t_ref=3.0, v_reset=-2.0)
    v, u = (course(network, [(0, 0)], duration=3000, of=name) for name in ("v", "u_ex"))
    # It spikes at 1 µs, and is held to the end.
    assert v.tolist() == [0.0] + [-2.0] * 29
    np.testing.assert_allclose(u, 1e4 * np.exp(-np.arange(0, 3000, 100) / 5000), rtol=1e-14)


def test_a_threshold_rises_with_each_spike_while_learning():
    events = [(1000, 0), (5000, 0)]
    network = one([50.0], adaptive=hr.AdaptiveThreshold(theta_plus=0.5))
    theta = course(network.copy(), events, duration=8000, every=1.0, of="theta", learn=True)
    assert theta.tolist() == [0.0] + 4 * [0.5] + 3 * [1.0]
    assert not course(network, events, duration=8000, of="theta").any()


def test_a_value_is_what_all_of_its_microsecond_has_left():
    network = one([8.0, -6.0, 20.0], v_reset=-1.0)
    # Two arrivals at 1000; one at 2000 that fires.
    v = course(network, [(1000, 0), (1000, 1), (2000, 2)], duration=3000, every=1.0)
    np.testing.assert_allclose(v, [0.0, 2.0, -1.0], rtol=0, atol=1e-12)
    # The weight that an arrival finds is delivered before it depresses.
    chain = hr.Network.from_arrays(
        csr_array(np.diag([20.0, 20.0])), csr_array(np.array([[0.0, 1.0], [0.0, 0.0]])),
        plasticity=hr.STDP(a_plus=0.2, a_minus=0.1, tau_plus=15.0, tau_minus=34.0, w_max=9.0),
    )  # fmt: skip
    # Spikes of the post at 1000, arrival at 2000, post again at 5000: seen in these very µs.
    result = chain.run(
        ([1000, 1000, 5000], [0, 1, 1]), duration=8000, learn=True, record={"weight": [(0, 1)]}
    )
    depressed = 1.0 - 0.1 * math.exp(-1 / 34)
    potentiated = depressed + 0.2 * math.exp(-3 / 15)
    expected = 2 * [1.0] + 3 * [depressed] + 3 * [potentiated]
    frame = result.record["weight"]
    assert frame.columns == ["t", "pre", "post", "weight"]
    assert frame.select("pre", "post").unique().rows() == [(0, 1)]
    np.testing.assert_allclose(frame["weight"].to_numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("dtype", "kind"), [("float32", pl.Float32), ("float64", pl.Float64)])
def test_values_have_the_type_of_the_network(dtype, kind):
    network = one([8.0], dtype=dtype)
    assert network.run(([0], [0]), record={"v": [0]}).record["v"].schema["v"] == kind


# --- the reference --------------------------------------------------------------------------


def everything(case: Case) -> dict[str, np.ndarray]:
    """All that can be recorded of a case."""
    n = case.recurrent.shape[0]
    having = {
        name: np.flatnonzero(np.broadcast_to(case.neuron.get(tau, 0.0), n) > 0.0)
        for name, tau in (("u_ex", "tau_syn_ex"), ("u_in", "tau_syn_in"))
    }
    return {
        "v": np.arange(n),
        **having,
        "theta": np.arange(n),
        "weight": pairs(case.recurrent),
        "input_weight": pairs(case.inputs),
    }


def values(result, name) -> np.ndarray:
    """Values by time."""
    frame = result.record[name]
    n_times = frame["t"].n_unique()
    return frame.to_series(frame.width - 1).to_numpy().reshape(max(n_times, 1), -1)


@pytest.mark.parametrize("draw", [random_case, random_case_with_currents])
@pytest.mark.parametrize("learn", [True, False])
@pytest.mark.parametrize("seed", range(0, 96, 7))
def test_random_networks_against_the_reference(seed, learn, draw, measure):
    case = draw(seed)
    every = [0.137, 1.0, 3.0, 0.5][seed % 4]
    times = range(0, case.duration, round(1000 * every))
    truth = case.reference(learn=learn, watch=times)
    network, wanted = case.network(), everything(case)
    result = network.run(case.events(), learn=learn, record=wanted, every=every)
    assert list(result.record) == list(wanted)
    assert result.spikes.rows() == truth.spikes
    for name, some in wanted.items():
        expected = truth.watched[name]
        if name in ("u_ex", "u_in"):
            expected = expected[:, some]
        found = values(result, name)
        if len(some):
            assert result.record[name]["t"].unique().to_list() == list(times)
            np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)
            measure(f"{name}, mV", np.abs(found - expected).max())
    moved = values(result, "weight")
    assert (moved != moved[0]).any() == learn


# --- nothing else is moved, and parts are the whole ------------------------------------------


@functools.cache
def recorded(seed: int):
    case = random_case_with_currents(seed)
    return case, case.network("float32").run(
        case.events(), learn=True, record=everything(case), every=0.7
    )


def same_frames(found: dict, expected: dict) -> bool:
    return list(found) == list(expected) and all(found[k].equals(expected[k]) for k in expected)


@pytest.mark.parametrize("seed", range(8))
def test_recording_changes_nothing(seed):
    case, result = recorded(seed)
    silent, watched = case.network("float32"), case.network("float32")
    alone = silent.run(case.events(), learn=True)
    beside = watched.run(case.events(), learn=True, record=everything(case), every=0.7)
    assert alone.record == {}
    assert alone.spikes.equals(result.spikes)
    assert alone.stats.to_dict() | {"wall_time": 0} == beside.stats.to_dict() | {"wall_time": 0}
    assert (silent.recurrent_weights.data == watched.recurrent_weights.data).all()
    assert (silent.theta == watched.theta).all()


def test_a_record_outlives_its_network_and_is_pickled():
    _, result = recorded(0)
    once = pickle.loads(pickle.dumps(result))
    assert same_frames(once.record, result.record)
    assert same_frames(pickle.loads(pickle.dumps(once)).record, result.record)


@pytest.mark.parametrize("seed", range(8))
def test_threads_and_parts_of_a_network_change_no_bit(seed, monkeypatch):
    case, result = recorded(seed)
    for n_threads in range(1, 8):
        monkeypatch.setattr(_hrsnn, "Network", partial(NETWORK, n_shards=1 + n_threads % 5))
        again = case.network("float32").run(
            case.events(), learn=True, record=everything(case), every=0.7, n_threads=n_threads
        )
        assert same_frames(again.record, result.record)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 7),
    every_us=st.integers(1, 300_000),
    stop=st.integers(0, 40_000),
    progress=st.booleans(),
)
def test_a_record_after_a_stop_and_a_file_is_the_end_of_the_whole(
    tmp_path_factory, seed, every_us, stop, progress
):
    case, _ = recorded(seed)
    every_us = max(every_us, case.duration // 300)
    every, wanted = every_us / 1000.0, everything(case)
    whole = case.network("float32").run(case.events(), learn=True, record=wanted, every=every)
    simulation = hr.Simulation(case.network("float32"), case.events(), learn=True)
    simulation.run_until(stop)
    path = tmp_path_factory.mktemp("half") / "half.safetensors"
    simulation.save(path)
    for one in (simulation, hr.Simulation.load(path)):
        result = one.run(record=wanted, every=every, progress=progress)
        assert result.spikes.equals(whole.spikes)
        rest = {name: f.filter(pl.col("t") >= stop) for name, f in whole.record.items()}
        assert same_frames(result.record, rest)
        assert one.run(record=wanted).record["v"].height == 0  # it is over


@settings(max_examples=60, deadline=None)
@given(every_us=st.integers(1, 200_000), other=st.integers(1, 9), duration=st.integers(1, 30_000))
def test_a_coarse_grid_is_a_part_of_a_fine_one(every_us, other, duration):
    every_us = max(every_us, duration // 500, 1)
    network, events = shared()
    fine, coarse = (
        network.run(events, duration=duration, record={"v": "E"}, every=us / 1000.0).record["v"]
        for us in (every_us, other * every_us)
    )
    assert fine["t"].unique().to_list() == list(range(0, duration, every_us))
    assert coarse.equals(fine.filter(pl.col("t") % (other * every_us) == 0))


@functools.cache
def shared():
    network = hr.Network.from_populations(
        [hr.Population("E", 12, hr.LIF(bias=16.0)), hr.Population("I", 5, inhibitory=True)],
        [
            hr.Projection("inputs", "E", hr.RandomConnectivity(p=0.5, weight=6.0)),
            hr.Projection("E", "I", hr.RandomConnectivity(p=0.5, weight=6.0)),
            hr.Projection("I", "E", hr.RandomConnectivity(p=0.5, weight=2.0)),
        ],
        inputs=8,
    )
    return network, ([], [])


# --- what is asked for ----------------------------------------------------------------------


def test_neurons_come_in_the_order_asked_for_and_by_population():
    network, events = shared()
    wanted = {"v": [9, 2, 5], "theta": range(3)}
    result = network.run(events, duration=2000, record=wanted, every=1.0)
    assert result.record["v"]["neuron"].to_list() == [9, 2, 5] * 2
    assert result.record["theta"]["neuron"].to_list() == [0, 1, 2] * 2
    every = network.run(events, duration=2000, record={"v": "I"}).record["v"]
    assert every["neuron"].to_list() == [*range(12, 17)] * 2
    assert (
        network.run(events, duration=2000, record={"v": [], "weight": []}).record["v"].rows() == []
    )
    assert network.run(events, duration=2000, record={}).record == {}


REFUSED = {
    "record must be a mapping of state variables, such as {'v': [0, 1]}; got [0, 1].": [0, 1],
    "record must name some of v, u_ex, u_in, theta, weight, input_weight; got 'V'.": {"V": [0]},
    "record['v'] must be below n_neurons (17); got 17 at index 1.": {"v": [0, 17]},
    "record['v'] must be at least 0 and below 2**32; got -1 at index 1.": {"v": [0, -1]},
    "record['v'] must be at least 0 and below 2**32; got 4294967296 at index 0.": {"v": [2**32]},
    "record['v'] must be integers; got dtype float64.": {"v": [0.5]},
    "record['v'] must be neurons of shape (n,); got shape ().": {"v": 3},
    "record['theta'] must name each once; got 4 again at index 2.": {"theta": [4, 1, 4]},
    "record['v'] must be one of E, I; got 'X'.": {"v": "X"},
    "record['u_in'] must be neurons with tau_syn_in > 0; got 1 at index 0.": {"u_in": [1]},
    "record['weight'] must be pairs (pre, post) of shape (n, 2); got shape (2,).": {
        "weight": [0, 1]
    },
    "record['weight'] must be pairs (pre, post) with a synapse; got (0, 1) at index 0.": {
        "weight": [(0, 1)]
    },
    "record['weight'] must name each once; got [0, 1] again at index 1.": {
        "weight": [(0, 1), (0, 1)]
    },
    "record['input_weight'] must be pairs (pre, post) with a synapse; got (8, 0) at index 0.": {
        "input_weight": [(8, 0)]
    },
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_recorded_is_refused(message):
    network, events = shared()
    with pytest.raises((hr.ParameterError, hr.ShapeError)) as refused:
        network.run(events, duration=1000, record=REFUSED[message])
    assert str(refused.value) == message
    with pytest.raises((hr.ParameterError, hr.ShapeError)) as refused:
        hr.Simulation(network, events, duration=1000).run(record=REFUSED[message])
    assert str(refused.value) == message


def test_a_record_that_would_not_fit_is_refused_before_the_run(monkeypatch):
    network, events = shared()
    with pytest.raises(hr.OutOfMemoryError, match="record must be small enough for the memory"):
        network.run(events, duration=2**50, record={"v": "E"}, every=0.001)
    monkeypatch.setattr(memory_limit, "available_memory", lambda: 17 * 1000 * 43)
    with pytest.raises(hr.OutOfMemoryError, match="record must be"):
        network.run(events, duration=1_000_000, record={"v": range(17)})
    with pytest.raises(hr.OutOfMemoryError, match="record must be"):
        hr.Simulation(network, events, duration=1_000_000).run(record={"v": range(17)})
    assert network.run(events, duration=300_000, record={"v": range(17)}).record["v"].height


# --- rates ----------------------------------------------------------------------------------


def test_rates_are_counts_over_time_and_neurons():
    network, _ = shared()
    events = hr.Events.poisson([400.0] * 8, 95_500, seed=3)
    result = network.run(events)
    rates = result.rates(every=10.0)
    assert rates.schema == {"t": pl.Int64, "population": pl.String, "rate": pl.Float64}
    assert rates["t"].to_list() == [t for t in range(0, 95_500, 10_000) for _ in range(2)]
    assert rates["population"].to_list() == ["E", "I"] * 10
    for (t, name, rate), length in zip(rates.rows(), [10_000] * 18 + [5500] * 2, strict=True):
        spikes = result.of(name)["t"].to_numpy()
        count = np.count_nonzero((spikes >= t) & (spikes < t + length))
        assert rate == pytest.approx(1e6 * count / (length * {"E": 12, "I": 5}[name]), rel=1e-12)
    assert rates["rate"].sum() > 0


def test_rates_without_populations_are_of_all():
    network = hr.Network(1, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
    result = network.run(([100, 5000], [0, 0]), duration=15_000)
    assert result.rates(10.0).rows() == [(0, "all", 200.0), (10_000, "all", 0.0)]
    half = hr.Simulation(network, ([100, 5000], [0, 0]), duration=15_000)
    half.run_until(5000)
    assert half.result.rates(5.0).rows() == [(0, "all", 200.0)]


@pytest.mark.parametrize("every", [0.0, -1.0, 0.0001, math.nan, 1e300, "1", None])
def test_grids_that_make_no_sense_are_refused(every):
    network, events = shared()
    with pytest.raises(hr.ParameterError, match=r"every must be between 0\.001 and"):
        network.run(events, duration=10, record={"v": [0]}, every=every)
    with pytest.raises(hr.ParameterError, match=r"every must be between 0\.001 and"):
        network.run(events, duration=10).rates(every)


def test_more_bins_than_the_memory_holds_are_refused():
    network, events = shared()
    result = network.run(events, duration=10)
    result.stats = hr.RunStats(0, 0, 0, 0, 0, 2**50, 0.0)
    with pytest.raises(hr.OutOfMemoryError, match="every must be"):
        result.rates(0.001)
