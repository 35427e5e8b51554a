"""The network: what it is made of, its variants, what it learns, and what it refuses."""

import itertools
import pickle
from dataclasses import replace

import hrsnn_rs as hr
import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

N_INPUTS, N_NEURONS = 20, 60


def network(**changes) -> hr.Network:
    arguments = {
        "neuron": hr.LIF(tau_m=hr.Gamma(mean=20.0, shape=3.0)),
        "inputs": hr.RandomConnectivity(p=0.5, weight=hr.Gamma(mean=3.0, shape=3.0)),
        "recurrent": hr.RandomConnectivity(p=0.2, weight=hr.Gamma(mean=1.0, shape=3.0)),
        "plasticity": hr.STDP(
            a_plus=hr.Gamma(mean=0.05, shape=3.0),
            a_minus=hr.Gamma(mean=0.03, shape=3.0),
            tau_plus=hr.Gamma(mean=15.0, shape=3.0),
            tau_minus=hr.Gamma(mean=34.0, shape=3.0),
        ),
        "seed": 7,
    } | changes
    return hr.Network(N_INPUTS, N_NEURONS, **arguments)


def sample(seed: int = 0, n: int = 1500) -> hr.Events:
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, 500_000, n))
    return hr.Events(t, rng.integers(0, N_INPUTS, n), N_INPUTS, duration=500_000)


def same(a: hr.Network, b: hr.Network) -> bool:
    pairs = ((a.input_weights, b.input_weights), (a.recurrent_weights, b.recurrent_weights))
    return all(np.array_equal(x.toarray(), y.toarray()) for x, y in pairs)


def test_running_changes_nothing_and_learning_changes_plastic_weights_only():
    net, twin = network(), network()
    result = net.run(sample())
    assert result.stats.n_spikes == result.spikes.height > 100
    assert result.stats.n_weight_updates == 0
    assert same(net, twin)
    before = net.recurrent_weights.toarray()
    learned = net.run(sample(), learn=True)
    assert learned.stats.n_weight_updates > 0
    after = net.recurrent_weights.toarray()
    changed = before != after
    assert changed.sum() > 100
    assert not changed[net.inhibitory].any()
    assert not changed[:, net.inhibitory].any()
    assert np.array_equal(net.input_weights.data, twin.input_weights.data)


@pytest.mark.parametrize("name", ["n_inputs", "n_neurons", "n_synapses", "dtype", "inhibitory"])
def test_what_a_network_says_of_itself_cannot_be_changed(name):
    net = network()
    with pytest.raises(AttributeError, match=name):
        setattr(net, name, 7)
    with pytest.raises(ValueError, match="read-only"):
        net.inhibitory[:] = True


def test_inhibitory_rows_are_negative_and_the_others_positive():
    net = network(inhibitory_fraction=0.25)
    assert net.inhibitory.sum() == 15
    weights = net.recurrent_weights.toarray()
    assert (weights[net.inhibitory] <= 0).all()
    assert (weights[~net.inhibitory] >= 0).all()


def test_variants_share_graph_weights_and_means():
    full = network()
    for name, (neurons, synapses) in {
        "HoNHoS": (False, False),
        "HeNHoS": (True, False),
        "HoNHeS": (False, True),
        "HeNHeS": (True, True),
    }.items():
        variant = full.variant(name)
        assert same(variant, full)
        assert np.array_equal(variant.inhibitory, full.inhibitory)
        tau_m = variant.neuron_parameters["tau_m"]
        assert (np.unique(tau_m).size > 1) is neurons
        if not neurons:
            assert (tau_m == 20.0).all()
        table = {row["parameter"]: row for row in variant.describe().iter_rows(named=True)}
        for constant, mean in (("a_plus", 0.05), ("tau_minus", 34.0)):
            row = table[f"recurrent.{constant}"]
            assert (row["std"] > 1e-9) is synapses
            if not synapses:
                assert row["mean"] == pytest.approx(mean, rel=1e-6)


def test_a_network_says_whether_it_can_learn(tmp_path):
    adaptive = hr.AdaptiveThreshold()
    for net, can, without in (
        (network(), True, False),
        (network(plasticity=None), False, False),
        (network(plasticity=None, adaptive_threshold=adaptive), True, True),
        (network(plasticity=hr.STDP(inputs=True)), True, True),
    ):
        net.save(tmp_path / "net.safetensors")
        for one in (net, net.copy(), hr.Network.load(tmp_path / "net.safetensors")):
            assert one.can_learn is can
        for one, learns in ((net, can), (net.without_recurrence(), without)):
            assert one.can_learn is learns
            if learns:
                one.train([sample()])
            else:
                with pytest.raises(hr.ParameterError, match="plasticity must be given to train"):
                    one.train([sample()])


def test_the_callers_array_of_what_learns_is_no_part_of_the_network():
    plastic = np.array([True, True])
    weights = sp.csr_array(np.array([[0.0, 1.0], [1.0, 0.0]]))
    net = hr.Network.from_arrays(weights, weights, plasticity=hr.STDP(w_max=2.0), plastic=plastic)
    plastic[:] = False
    assert net.variant("HeNHeS").describe().equals(net.describe())


def test_a_network_that_does_not_know_its_laws_says_so(tmp_path):
    net = network()
    net.save(tmp_path / "net.safetensors")
    for other in (net.without_recurrence(), hr.Network.load(tmp_path / "net.safetensors")):
        with pytest.raises(hr.ParameterError, match=r"needs the laws .* without_recurrence\(\)"):
            other.variant("HoNHoS")
    assert net.variant("HoNHoS").without_recurrence().recurrent_weights.nnz == 0


def test_a_chosen_time_constant_takes_the_place_of_the_mean():
    net = network(
        neuron=hr.LIF(tau_m=hr.Gamma(20.0, 3.0), t_ref=hr.Uniform(1.0, 3.0)),
        inhibitory_neuron=hr.LIF(tau_m=hr.Gamma(10.0, 3.0), t_ref=hr.Uniform(2.0, 6.0)),
    )
    mean, chosen = net.variant("HoNHeS"), net.variant("HoNHeS", tau_m=160.0)
    assert same(chosen, net)
    assert (chosen.neuron_parameters["tau_m"] == 160.0).all()
    for name, values in mean.neuron_parameters.items():
        if name != "tau_m":
            assert np.array_equal(chosen.neuron_parameters[name], values)
    for name in ("HeNHoS", "HeNHeS"):
        with pytest.raises(hr.ParameterError, match=f"tau_m must be None for {name}"):
            net.variant(name, tau_m=160.0)


def test_changing_one_law_leaves_everything_else_as_it_was():
    net, other = network(), network(neuron=hr.LIF(tau_m=30.0))
    assert same(net, other)
    other = network(plasticity=None)
    assert same(net, other)
    assert not same(net, network(seed=8))


def test_train_is_run_with_learning_one_sample_after_the_other():
    a, b = network(), network()
    samples = [sample(seed) for seed in range(3)]
    total = a.train(samples, epochs=2)
    stats = [b.run(s, learn=True).stats for s in itertools.chain(samples, samples)]
    assert same(a, b)
    assert total.n_weight_updates == sum(one.n_weight_updates for one in stats)
    c = network()
    c.train(iter(samples))
    c.train(iter(samples))
    assert same(a, c)


def test_transform_counts_the_spikes_that_run_returns():
    net = network()
    samples = [sample(seed) for seed in range(3)]
    features, stats = net.transform(iter(samples), 5, return_stats=True)
    assert features.shape == (3, 5, N_NEURONS)
    for row, one, events in zip(features, stats, samples, strict=True):
        spikes = net.run(events).spikes
        assert one.n_spikes == spikes.height
        window, neuron = spikes["t"].to_numpy() // 100_000, spikes["neuron"].to_numpy()
        expected = np.zeros((5, N_NEURONS))
        np.add.at(expected, (window, neuron), 1)
        assert np.array_equal(row, expected)


def test_windows_of_events_and_low_passed_state():
    net, events = network(), sample()
    spikes = net.run(events).spikes
    edges = events.t[[500, 1000]]
    expected = np.zeros((3, N_NEURONS))
    window = np.searchsorted(edges, spikes["t"].to_numpy(), side="right")
    np.add.at(expected, (window, spikes["neuron"].to_numpy()), 1)
    both = net.transform([events], 3, windows="events", features="both", tau_lowpass=25.0)[0]
    assert np.array_equal(both[:, :N_NEURONS], expected)
    state = np.zeros((3, N_NEURONS))
    for k, end in enumerate([*edges, events.duration]):
        past = spikes.filter(pl.col("t") < end)
        decay = np.exp((past["t"].to_numpy() - end) / 25_000.0)
        np.add.at(state[k], past["neuron"].to_numpy(), decay)
    np.testing.assert_allclose(both[:, N_NEURONS:], state, rtol=1e-5, atol=1e-6)


def test_everything_that_run_takes_gives_the_same_result():
    net = network()
    expected = net.run(sample()).spikes
    events = sample()
    columns = (events.t, events.channel)
    structured = np.zeros(len(events), dtype=[("p", "i1"), ("x", "u2"), ("t", "i8")])
    structured["t"], structured["x"] = columns
    frame = pl.DataFrame({"t": events.t, "channel": events.channel})
    for form in (columns, frame, structured):
        assert net.run(form, duration=500_000).spikes.equals(expected)
    raster = np.zeros((10, N_INPUTS), dtype=int)
    raster[3, 5] = 1
    assert net.run(raster, dt=1.0).stats.n_input_events == 1


def test_normalisation_keeps_the_incoming_sum():
    net = network(normalize_weights=True, plasticity=hr.STDP(a_plus=0.05, w_max=50.0))
    excitatory = ~net.inhibitory

    def incoming() -> np.ndarray:
        return net.recurrent_weights.toarray()[np.ix_(excitatory, excitatory)].sum(axis=0)

    before = incoming()
    start = net.recurrent_weights.toarray()
    net.train([sample()])
    assert not np.allclose(net.recurrent_weights.toarray(), start)
    np.testing.assert_allclose(incoming(), before, rtol=1e-5)


def test_thresholds_adapt_while_training_only():
    net = network(adaptive_threshold=hr.AdaptiveThreshold(theta_plus=0.5, tau_theta=1000.0))
    net.run(sample())
    assert (net.neuron_parameters["theta"] == 0).all()
    learned = net.run(sample(), learn=True)
    counts = np.bincount(learned.spikes["neuron"], minlength=N_NEURONS)
    expected = 0.5 * counts * np.exp(-0.5)  # half a second, tau one second
    np.testing.assert_allclose(net.neuron_parameters["theta"], expected, rtol=1e-5)
    assert net.run(sample()).stats.n_spikes < network().run(sample()).stats.n_spikes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saved_copied_and_pickled_networks_go_on_with_the_same_bits(dtype, tmp_path):
    net = network(
        dtype=dtype,
        adaptive_threshold=hr.AdaptiveThreshold(),
        normalize_weights=True,
        recurrent=hr.RandomConnectivity(p=0.2, delay=hr.Uniform(1.0, 20.0)),
    )
    net.train([sample(0)])
    path = tmp_path / "net.safetensors"
    net.save(path, extra={"coef": np.eye(2)}, metadata={"note": "µ"})
    loaded, extra, metadata = hr.Network.load_with_extra(path)
    assert np.array_equal(extra["coef"], np.eye(2))
    assert metadata == {"note": "µ"}
    others = [loaded, net.copy(), pickle.loads(pickle.dumps(net))]
    net.train([sample(1)])
    spikes = net.run(sample(2)).spikes
    for other in others:
        other.train([sample(1)])
        assert same(other, net)
        assert np.array_equal(other.neuron_parameters["theta"], net.neuron_parameters["theta"])
        assert other.run(sample(2)).spikes.equals(spikes)


def test_weights_at_a_bound_that_float32_rounds_outwards_are_copied_bit_by_bit(tmp_path):
    # The float32 next to each bound lies beyond it: above w_max, below w_min.
    w_max, w_min = 1.676784117743557, 0.123456787
    assert float(np.float32(w_max)) > w_max
    assert float(np.float32(w_min)) < w_min
    rule = hr.RandomConnectivity(p=0.3, weight=1.0)
    net = network(recurrent=rule, plasticity=hr.STDP(a_plus=0.9, w_min=w_min, w_max=w_max))
    net.train([sample(0), sample(1)])
    weights = net.recurrent_weights.data
    assert (weights == np.float32(w_max)).sum() > 10
    path = tmp_path / "net.safetensors"
    net.save(path)
    for other in (net.copy(), hr.Network.load(path), pickle.loads(pickle.dumps(net))):
        assert same(other, net)


def test_half_precision_learns_nearly_the_same_and_keeps_its_bits(tmp_path):
    rule = network()._arguments["plasticity"]
    full, half = (network(plasticity=replace(rule, half_precision=h)) for h in (False, True))
    before = full.recurrent_weights.data
    for net in (full, half):
        net.run(sample(), learn=True)
    full_change, half_change = (n.recurrent_weights.data - before for n in (full, half))
    assert np.abs(full_change).max() > 0.1
    assert not np.array_equal(full_change, half_change)
    # Constants to 1 part in 2,000; spikes that come a little later make up the rest.
    assert np.corrcoef(full_change, half_change)[0, 1] > 0.99
    half.save(tmp_path / "net.safetensors")
    loaded = hr.Network.load(tmp_path / "net.safetensors")
    for net in (half, loaded):
        net.run(sample(1), learn=True)
    assert same(half, loaded)


def test_damaged_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "net.safetensors"
    network().save(path)
    whole = path.read_bytes()
    for cut in (0, 7, 8, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(hr.FormatError, match=r"net\.safetensors"):
            hr.Network.load(path)
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(hr.FormatError):
        hr.Network.load(path)
    with pytest.raises(FileNotFoundError):
        hr.Network.load(tmp_path / "none.safetensors")
    with pytest.raises(IsADirectoryError):
        hr.Network.load(tmp_path)
    with pytest.raises(OSError, match="none"):
        network().save(tmp_path / "none" / "net.safetensors")


def test_without_recurrence_has_the_same_inputs_and_nothing_else():
    net = network()
    alone = net.without_recurrence()
    assert np.array_equal(alone.input_weights.data, net.input_weights.data)
    assert alone.run(sample()).stats.n_synaptic_events == 0


def test_copies_are_copies():
    net = network()
    net.recurrent_weights.data[:] = 0
    net.neuron_parameters["tau_m"][:] = -1
    assert same(net, network())


MATRIX = sp.csr_array(np.array([[0.0, 1.0], [1.0, 0.0]]))
NONSENSE = [
    ({"n_inputs": 0}, "n_inputs"),
    ({"n_neurons": -1}, "n_neurons"),
    ({"n_neurons": 2.5}, "n_neurons"),
    ({"seed": -1}, "seed"),
    ({"inhibitory_fraction": 1.5}, "inhibitory_fraction"),
    ({"inhibitory_fraction": float("nan")}, "inhibitory_fraction"),
    ({"neuron": 3}, "neuron"),
    ({"neuron": hr.LIF(tau_m=np.ones(3))}, "tau_m"),
    ({"neuron": hr.LIF(tau_m=hr.Uniform(-1.0, 1.0))}, "tau_m"),
    ({"inhibitory_neuron": "LIF"}, "inhibitory_neuron"),
    ({"inputs": None, "recurrent": 0.1}, "recurrent"),
    ({"inputs": "all"}, "inputs"),
    ({"recurrent": hr.RandomConnectivity(p=0.5, delay=0.0)}, "recurrent_delay"),
    ({"recurrent": hr.RandomConnectivity(p=0.5, weight=hr.Uniform(-1.0, 1.0))}, "weight"),
    # Finite, but their sum or product is not.
    (
        {"recurrent": hr.RandomConnectivity(p=0.5, weight=1.7e308)},
        r"recurrent\.weight .* 1\.7e\+308 at synapse 0",
    ),
    (
        {"recurrent": hr.RandomConnectivity(p=0.5, weight=5.0, inhibitory_gain=1e308)},
        r"recurrent\.weight .* -inf at synapse",
    ),
    ({"plasticity": 1}, "plasticity"),
    ({"plasticity": hr.STDP(w_max=1e-6)}, "w_max"),
    ({"normalize_weights": "yes"}, "normalize_weights"),
    ({"plasticity": None, "normalize_weights": True}, "normalize_weights"),
    ({"adaptive_threshold": 0.1}, "adaptive_threshold"),
    ({"dtype": "float16"}, "dtype"),
]


@pytest.mark.parametrize(("change", "named"), NONSENSE)
def test_nonsense_is_refused_by_name(change, named):
    arguments = {
        "n_inputs": 4,
        "n_neurons": 10,
        "recurrent": hr.RandomConnectivity(p=0.5),
        "plasticity": hr.STDP(),
    } | change
    with pytest.raises(hr.HRSNNError, match=named):
        hr.Network(**arguments)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"inputs": np.eye(2)}, "matrix"),
        ({"inputs": sp.csr_array(np.eye(3))}, "inputs"),
        ({"recurrent": sp.csr_array(np.ones((2, 3)))}, "matrix"),
        ({"recurrent": sp.csr_array(np.array([[0.0, np.nan], [0.0, 0.0]]))}, "matrix"),
        ({"input_delay": -1.0}, "input_delay"),
        ({"input_delay": "soon"}, "input_delay"),
        ({"input_delay": None}, "input_delay"),
        ({"recurrent_delay": 0.0}, "recurrent_delay"),
        ({"recurrent_delay": [1.0, float("inf")]}, "recurrent_delay"),
        ({"recurrent_delay": [1.0, 1.0, 1.0]}, "delay"),
        ({"recurrent_delay": [1.0, 0.0004]}, r"recurrent_delay .* synapse 1"),
        ({"plastic": [True]}, "plastic"),
        ({"plastic": [1, 0]}, "plastic"),
        ({"plasticity": hr.STDP(a_plus=np.ones(5))}, "a_plus"),
        ({"plasticity": hr.STDP(w_max=0.5)}, r"weight .* synapse 0"),
        # Finite, but its products would not be, in float32.
        ({"recurrent": MATRIX * 1e16}, r"recurrent.data .* synapse 0"),
        ({"recurrent": MATRIX * 1.5e308, "plasticity": hr.STDP()}, r"recurrent.data .* synapse 0"),
        ({"neuron": hr.LIF(bias=-2e15)}, r"bias .* neuron 0"),
        ({"neuron": hr.LIF(tau_syn_ex=1e-10)}, r"tau_syn_ex .* neuron 0"),
        ({"neuron": hr.LIF(tau_syn_in=1e16)}, r"tau_syn_in .* neuron 0"),
        ({"neuron": hr.LIF(tau_m=1e300, tau_syn_ex=10.0)}, r"tau_m .* neuron 0"),
        ({"plasticity": hr.STDP(tau_plus=1e16)}, r"tau_plus .* synapse 0"),
        ({"plasticity": hr.STDP(a_minus=1e31)}, r"a_minus .* synapse 0"),
        ({"plasticity": hr.STDP(mu_plus=200.0)}, "mu_plus"),
    ],
)
def test_nonsense_in_arrays_is_refused_by_name(change, named):
    arguments = {
        "inputs": MATRIX,
        "recurrent": MATRIX,
        "plasticity": hr.STDP(w_max=2.0),
    } | change
    with pytest.raises(hr.HRSNNError, match=named):
        hr.Network.from_arrays(**arguments)


@pytest.mark.parametrize(
    ("events", "named"),
    [
        (([5, 4], [0, 0]), "t must not decrease"),
        (([-1], [0]), "t"),
        (([0], [N_INPUTS]), "channel"),
        (([0, 1], [0]), "channel"),
        (None, "events"),
        ("spikes", "events"),
        (np.zeros((3, N_INPUTS)), "dt"),
    ],
)
def test_bad_events_are_refused_by_name(events, named):
    for call in (lambda net: net.run(events), lambda net: net.transform([events])):
        with pytest.raises(hr.HRSNNError, match=named):
            call(network())


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda net: net.run(sample(), learn="yes"), "learn"),
        (lambda net: net.run(sample(), n_threads=0), "n_threads"),
        (lambda net: net.run(sample(), n_threads=10**9), "n_threads"),
        (lambda net: net.run(sample(), duration=5), "duration"),
        (lambda net: net.train(5), "samples"),
        (lambda net: net.train([sample()], epochs=0), "epochs"),
        (lambda net: net.train(iter([sample()]), epochs=2), "samples"),
        (lambda net: net.transform([sample()], 0), "n_windows"),
        (lambda net: net.transform([sample()], 2**24 + 1), "n_windows"),
        (lambda net: net.transform([sample()], windows="space"), "windows"),
        (lambda net: net.transform([sample()], features="all"), "features"),
        (lambda net: net.transform([sample()], tau_lowpass=float("nan")), "tau_lowpass"),
        (lambda net: net.variant("HeHe"), "name"),
        (lambda net: net.save("x", metadata={"a": object()}), "metadata"),
        (lambda net: net.save("x", extra={"a": np.array(["text"])}), "extra/a"),
        (lambda net: network(plasticity=None).train([sample()]), "plasticity"),
    ],
)
def test_nonsense_in_calls_is_refused_by_name(call, named):
    with pytest.raises(hr.HRSNNError, match=named):
        call(network())


def test_constants_of_a_given_matrix_come_in_the_callers_order():
    def matrix(n_rows):
        parts = (np.array([1.0, 2.0]), np.array([2, 1]), np.array([0, 2] + [2] * (n_rows - 1)))
        return hr.ExplicitConnectivity(sp.csr_array(parts, shape=(n_rows, 3)))

    rule = hr.STDP(a_plus=[0.3, 0.2], inputs=True)
    net = hr.Network(
        2,
        3,
        inputs=matrix(2),
        recurrent=matrix(3),
        plasticity=rule,
        inhibitory_fraction=0.0,
        dtype="float64",
    )
    for source in ("inputs", "recurrent"):
        found = net._synapses(source)
        assert found.indices.tolist() == [1, 2]
        assert found.weight.tolist() == [2.0, 1.0]
        assert found.plasticity["a_plus"].tolist() == [0.2, 0.3]
