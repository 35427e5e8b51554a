"""NIR: what goes out comes back in every bit, and what NIR cannot hold is said."""

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.errors import FormatError, OutOfMemoryError, ParameterError
from hrsnn_rs.network import from_nir, to_nir
from scipy.sparse import csr_array

nir = pytest.importorskip("nir")

DURATION = 200_000


def network(dtype="float64", *, t_ref=0.0, currents=False, delays="axons", **settings):
    law = hr.Gamma(mean=20.0, shape=3.0)
    syn = 5.0 if currents else 0.0
    random = np.random.default_rng(1)
    graph = csr_array(random.random((30, 30)) * (random.random((30, 30)) < 0.2))
    given = {
        "one": 1.5,
        "axons": np.repeat(random.integers(1, 9000, 30) / 1000.0, np.diff(graph.indptr)),
        "synapses": random.integers(1, 6, graph.nnz) * 0.7,
    }[delays]
    made = hr.Network.from_arrays(
        csr_array(random.normal(4.0, 3.0, (12, 30)) * (random.random((12, 30)) < 0.4)),
        graph,
        recurrent_delay=given,
        neuron=hr.LIF(
            tau_m=law, v_rest=-0.1, bias=0.3, t_ref=t_ref, tau_syn_ex=syn, tau_syn_in=syn
        ),
        seed=4,
        dtype=dtype,
        **settings,
    )
    made.input_gain = 3.3
    return made


def events(n=12):
    random = np.random.default_rng(2)
    t = np.sort(random.integers(0, DURATION, 900))
    return hr.Events(t, random.integers(0, n, 900), n_channels=n, duration=DURATION)


def same_bits(one, other):
    (left, header), (right, expected) = (
        hr.network.model_file.to_state(made._assembly(), made.input_gain) for made in (one, other)
    )
    assert header == expected
    assert left.keys() == right.keys()
    for name in left:
        assert left[name].dtype == right[name].dtype, name
        assert left[name].tobytes() == right[name].tobytes(), name


@pytest.mark.parametrize("dt", [None, 1.0, 0.3])
@pytest.mark.parametrize("delays", ["one", "axons", "synapses"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_comes_back_in_every_bit(tmp_path, dtype, delays, dt):
    out = network(dtype, delays=delays, currents=dt is None)
    nir.write(tmp_path / "graph.nir", to_nir(out, dt=dt))
    back = from_nir(tmp_path / "graph.nir", dt=dt)
    same_bits(back, out)
    assert back.run(events()).spikes.equals(out.run(events()).spikes)
    assert len(out.run(events()).spikes) > 50


def test_stdp_comes_back_and_learns_on(tmp_path):
    law = hr.Gamma(mean=0.1, shape=3.0)
    plasticity = hr.STDP(a_plus=law, a_minus=law, w_max=2.0, mu_plus=0.5)
    out = network("float32", plasticity=plasticity, normalize_weights=True)
    out.run(events(), learn=True)
    nir.write(tmp_path / "graph.nir", to_nir(out))
    back = from_nir(tmp_path / "graph.nir")
    same_bits(back, out)
    assert back.run(events(), learn=True).spikes.equals(out.run(events(), learn=True).spikes)
    same_bits(back, out)


def test_weights_of_nothing_and_what_is_hidden_come_back():
    weights = csr_array(([0.0, 2.0], ([0, 1], [1, 0])), shape=(2, 2))
    inputs = csr_array(np.array([[20.0, 0.0]]))
    out = hr.Network.from_arrays(
        inputs, weights, recurrent_delay=[3.0, 4.0], neuron=hr.LIF(t_ref=2.0),
        competition=hr.Competition(2, inhibition=3.0), dtype="float32",
    )  # fmt: skip
    with pytest.raises(ParameterError, match=r"no refractory times.*t_ref=2 ms at neuron 0.*hide"):
        to_nir(out)
    same_bits(from_nir(to_nir(out, hide=True)), out)
    settled = hr.Network.from_arrays(
        inputs, weights, neuron=hr.LIF(t_ref=0.0), competition=hr.Competition(2)
    )
    with pytest.raises(ParameterError, match="no competition"):
        to_nir(settled)


@pytest.mark.parametrize("currents", [False, True])
def test_a_graph_says_what_nir_means(currents):
    out = network(currents=currents, delays="axons")
    graph = to_nir(out, dt=0.5)
    neurons = graph.nodes["neurons"]
    parameters = out.neuron_parameters
    tau = neurons.tau_mem if currents else neurons.tau
    assert type(neurons).__name__ == ("CubaLIF" if currents else "LIF")
    assert tau == pytest.approx(parameters["tau_m"] / 1000.0)
    # A current of 1 for a step of 0.5 ms moves the membrane by r * dt / tau.
    assert neurons.r * 0.0005 / tau == pytest.approx(np.ones(30))
    assert neurons.v_leak == pytest.approx(np.full(30, 0.2))
    assert np.array_equal(graph.nodes["inputs"].weight, out.input_weights.toarray().T)
    assert np.array_equal(graph.nodes["recurrent"].weight, out.recurrent_weights.toarray().T)
    assert ("neurons", "output") in graph.edges


def test_what_was_changed_in_a_graph_is_what_counts():
    graph = to_nir(network())
    graph.nodes["neurons"].tau = graph.nodes["neurons"].tau * 2.0
    graph.nodes["neurons"].r = graph.nodes["neurons"].tau.copy()
    graph.nodes["neurons"].v_threshold = graph.nodes["neurons"].v_threshold + 1.0
    graph.nodes["recurrent"].weight = graph.nodes["recurrent"].weight * 0.5
    back, out = from_nir(graph), network()
    assert back.neuron_parameters["tau_m"] == pytest.approx(2.0 * out.neuron_parameters["tau_m"])
    changed = back.neuron_parameters["v_threshold"] - out.neuron_parameters["v_threshold"]
    assert changed == pytest.approx(np.ones(30))
    assert np.array_equal(back.recurrent_weights.data, 0.5 * out.recurrent_weights.data)
    graph.nodes["recurrent"].weight = np.ones((30, 30))
    with pytest.raises(FormatError, match="a synapse of recurrent was added"):
        from_nir(graph)


def test_a_loop_takes_a_step_where_there_are_steps():
    out = network(delays="one")
    assert "recurrent_delay" in to_nir(out, dt=1.0).nodes
    graph = to_nir(out, dt=1.5)
    assert "recurrent_delay" not in graph.nodes
    same_bits(from_nir(graph, dt=1.5), out)
    graph.nodes["neurons"].metadata = {}
    assert set(from_nir(graph, dt=1.5)._core.synapses("recurrent")["delay_us"]) == {1500}
    later = from_nir(graph, dt=1.5, undelayed=4.0)
    assert set(later._core.synapses("recurrent")["delay_us"]) == {4000}


def layers():
    """Two layers as other packages export them: a chain, with a bias, no delays."""

    def lif(n):
        return nir.LIF(tau=np.full(n, 0.02), r=np.full(n, 20.0), v_leak=np.zeros(n),
                       v_threshold=np.ones(n), v_reset=np.zeros(n))  # fmt: skip

    return nir.NIRGraph.from_list(
        nir.Affine(weight=np.eye(3, 2) * 0.6, bias=np.array([0.0, 0.0, 0.01])),
        lif(3),
        nir.Linear(weight=np.full((1, 3), 1.5)),
        lif(1),
    )


def test_a_graph_of_another_package_becomes_populations():
    made = from_nir(layers(), dt=1.0)
    assert made.populations == {"lif": range(3), "lif_1": range(3, 4)}
    # A current of 1 for 1 ms moves by r dt / tau = 20 * 0.001 / 0.02 = 1.
    assert made.input_weights.toarray()[:, :3] == pytest.approx(np.eye(2, 3) * 0.6)
    assert made.neuron_parameters["bias"] == pytest.approx([0.0, 0.0, 0.2, 0.0])
    spikes = made.run(hr.Events([1000, 1500, 9000], [0, 0, 1], 2, duration=20_000)).spikes
    assert spikes.rows() == [(1500, 0), (1501, 3)]


def test_inputs_of_another_package_have_their_rows_in_the_table(tmp_path):
    made = from_nir(layers(), dt=1.0)
    assert made.channels == {"input": range(2)}
    made.save(tmp_path / "net.safetensors")
    others = (hr.Network.load(tmp_path / "net.safetensors"), made.copy(), made.variant("HeNHeS"))
    for network in (made, *others, from_nir(to_nir(made, dt=1.0), dt=1.0)):
        table = {row["parameter"]: row for row in network.describe().iter_rows(named=True)}
        sums = {name: row["n"] for name, row in table.items() if name.endswith(".weight")}
        assert sum(sums.values()) == network.n_synapses
        assert sums["input -> lif.weight"] == 2
        assert table["input -> lif.weight"]["mean"] == pytest.approx(0.6)
        assert network.populations == made.populations
        assert network.channels == made.channels


def delay(*seconds):
    return nir.Delay(np.array(seconds))


@pytest.mark.parametrize(
    ("name", "node", "edges", "words"),
    [
        ("x", nir.Flatten({"input": np.array([2])}, 0), [], "'x' is a Flatten"),
        ("x", delay(-1.0, 0.0, 0.0), [("lif", "x"), ("x", "linear")], "'x' must have delays of at"),
        ("x", delay(0.1, 0.2), [("lif", "x"), ("x", "linear")], "'x' must have 3 delays; got 2"),
        (
            "x",
            nir.Linear(np.ones((1, 3))),
            [("lif", "x"), ("x", "lif_1")],
            "one path from a neuron",
        ),
        ("x", nir.Linear(np.ones((3, 3))), [("affine", "x"), ("x", "lif")], "'x' is a second one"),
        ("x", nir.Linear(np.ones((2, 3))), [("lif", "x"), ("x", "lif_1")], "'x' must have weights"),
        ("x", delay(0.1), [("lif", "x"), ("x", "x")], "must have neurons on each circle; 'x'"),
        (
            "x",
            nir.Input({"input": np.array([2])}),
            [],
            "must have one Input and some neurons; got 2",
        ),
        ("y", delay(0.1), [("lif", "lif_1")], "must have weights between 'lif' and 'lif_1'"),
    ],
)
def test_what_no_network_can_be_is_refused(name, node, edges, words):
    graph = layers()
    changed = nir.NIRGraph(graph.nodes | {name: node}, [*graph.edges, *edges], type_check=False)
    with pytest.raises(ParameterError, match=words):
        from_nir(changed, dt=1.0)
    graph.nodes["lif"].tau[0] = 0.0
    with pytest.raises(ParameterError, match="'lif' must have time constants above 0"):
        from_nir(graph, dt=1.0)


def test_what_nir_cannot_hold_is_said():
    with pytest.raises(ParameterError, match="one synaptic time constant a neuron"):
        to_nir(hr.Network(2, 3, neuron=hr.LIF(t_ref=0.0, tau_syn_ex=3.0)))
    some = hr.LIF(t_ref=0.0, tau_syn_ex=[3.0, 0.0], tau_syn_in=[3.0, 0.0])
    with pytest.raises(ParameterError, match=r"currents at all neurons or at none.*neuron 1"):
        to_nir(hr.Network(2, 2, neuron=some))
    many = csr_array(np.full((10, 10), 0.1))
    delays = np.arange(1, 101) / 10.0
    with pytest.raises(ParameterError, match=r"at most 64 different ones.*got 100 of recurrent"):
        to_nir(
            hr.Network.from_arrays(
                csr_array(np.eye(10)), many, recurrent_delay=delays, neuron=hr.LIF(t_ref=0.0)
            )
        )
    for name, wrong in (("dt", 0.0), ("hide", 1)):
        with pytest.raises(ParameterError, match=rf"^{name} must"):
            to_nir(network(), **{name: wrong})
    with pytest.raises(ParameterError, match=r"^undelayed must"):
        from_nir(layers(), undelayed=0.0)
    with pytest.raises(ParameterError, match=r"^network must be a Network"):
        to_nir(3)


def test_damaged_metadata_are_refused():
    graph = to_nir(network())
    graph.nodes["neurons"].metadata["hrsnn_rs.header"] = "{"
    with pytest.raises(FormatError, match="metadata of the graph"):
        from_nir(graph)
    graph = to_nir(network())
    del graph.nodes["neurons"].metadata["hrsnn_rs.neuron.t_ref"]
    with pytest.raises(FormatError, match=r"neuron/t_ref is missing"):
        from_nir(graph)


@pytest.mark.parametrize("delays", ["axons", "synapses"])
def test_memory_is_asked_for_before_matrices_are_filled(monkeypatch, delays):
    made = network(delays=delays)
    # As many paths as there are delays, of 30 x 30 numbers, beside that of the inputs.
    n_paths = 1 if delays == "axons" else 5
    needed = 8 * 30 * (12 + n_paths * 30) + 8 * 30 * 30
    monkeypatch.setattr("hrsnn_rs.events.memory_limit.available_memory", lambda: needed)
    assert to_nir(made, hide=True).nodes["recurrent"].weight.shape == (30, 30)
    monkeypatch.setattr("hrsnn_rs.events.memory_limit.available_memory", lambda: needed - 1)
    monkeypatch.setattr("hrsnn_rs.network.nir_graph._paths", None)
    with pytest.raises(OutOfMemoryError, match="network must be small enough"):
        to_nir(made, hide=True)


@pytest.mark.parametrize("wrong", [None, 5, b"graph.nir", ["graph.nir"]])
def test_what_is_no_graph_is_refused(wrong):
    with pytest.raises(ParameterError, match=r"graph must be a nir\.NIRGraph or a path; got "):
        from_nir(wrong)


def test_files_without_a_graph_are_refused(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("import nir", encoding="utf-8")
    with pytest.raises(FormatError, match=r"x\.py: cannot be read as a graph of NIR"):
        from_nir(path)
    with pytest.raises(FileNotFoundError):
        from_nir(str(tmp_path / "none.nir"))
    nir.write(tmp_path / "one.nir", to_nir(network()))
    assert from_nir(str(tmp_path / "one.nir")).n_neurons == 30
