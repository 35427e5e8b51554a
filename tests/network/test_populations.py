"""Populations and projections: the network is that of the matrices put together by hand."""

import json
import pickle
from typing import Any

import hrsnn_rs as hr
import numpy as np
import pytest
import scipy.sparse as sp
from hrsnn_rs import _hrsnn

SIZES = {"A": 7, "B": 5, "C": 4}
CHANNELS = {"left": 3, "right": 6}
SIGNS = {"left": 1, "right": 1, "A": 1, "B": -1, "C": 1}
BOUNDS = {"w_min": 0.0, "w_max": 40.0}
CONSTANTS = ("a_plus", "a_minus", "tau_plus", "tau_minus")


def drawn(random: np.random.Generator, source: str, target: str) -> dict[str, Any]:
    """A block: dense weights, delays, and constants of plasticity."""
    shape = ({**CHANNELS, **SIZES}[source], SIZES[target])
    there = random.random(shape) < 0.6
    block = {
        "weight": np.where(there, SIGNS[source] * random.uniform(1.0, 12.0, shape), 0.0),
        "delay": np.where(there, 0.001 * random.integers(1, 4000, shape), 0.0),
        "plastic": np.full(shape, SIGNS[source] > 0 and random.random() < 0.6),
    }
    for name in CONSTANTS:
        low = 5.0 if name.startswith("tau") else 0.1
        block[name] = np.where(block["plastic"], random.uniform(low, 4 * low, shape), 1.0)
    return block


def stored(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return values[weight != 0.0]


def by_hand(blocks, sources: dict[str, int], name: str) -> np.ndarray:
    return np.block(
        [
            [
                blocks[s, t][name] if (s, t) in blocks else np.zeros((sources[s], SIZES[t]))
                for t in SIZES
            ]
            for s in sources
        ]
    )


def projection(source: str, target: str, block: dict[str, Any]) -> hr.Projection:
    """Say a block in words; its matrix has the columns of each row in any order."""
    weight = block["weight"]
    rows, columns = np.nonzero(weight)
    order = np.lexsort((np.random.default_rng(rows.size).random(rows.size), rows))
    rows, columns = rows[order], columns[order]
    indptr = np.searchsorted(rows, np.arange(weight.shape[0] + 1))
    matrix = sp.csr_array((weight[rows, columns], columns, indptr), weight.shape)
    plasticity = None
    if block["plastic"].any():
        plasticity = hr.STDP(**BOUNDS, **{c: block[c][rows, columns] for c in CONSTANTS})
    rule = hr.ExplicitConnectivity(matrix, block["delay"][rows, columns])
    return hr.Projection(source, target, rule, plasticity)


def populations() -> list[hr.Population]:
    return [
        hr.Population(name, n, hr.LIF(tau_m=np.linspace(10.0, 30.0, n)), SIGNS[name] < 0)
        for name, n in SIZES.items()
    ]


@pytest.mark.parametrize("seed", range(6))
def test_the_network_is_that_of_the_matrices_put_together_by_hand(seed):
    random = np.random.default_rng(seed)
    every = [(s, t) for s in {**CHANNELS, **SIZES} for t in SIZES]
    blocks = {ends: drawn(random, *ends) for ends in every if random.random() < 0.7}
    # Inputs do not learn in `from_arrays`.
    for (source, _), block in blocks.items():
        block["plastic"] &= source in SIZES
    projections = [projection(*ends, block) for ends, block in blocks.items()]
    random.shuffle(projections)
    network = hr.Network.from_populations(
        populations(), projections, inputs=CHANNELS, dtype="float64"
    )

    weight = by_hand(blocks, SIZES, "weight")
    from_inputs = by_hand(blocks, CHANNELS, "weight")
    plastic = stored(by_hand(blocks, SIZES, "plastic"), weight).astype(bool)
    constants = {
        name: np.where(plastic, stored(by_hand(blocks, SIZES, name), weight), 1.0)
        for name in CONSTANTS
    }
    twin = hr.Network.from_arrays(
        inputs=sp.csr_array(from_inputs),
        recurrent=sp.csr_array(weight),
        input_delay=stored(by_hand(blocks, CHANNELS, "delay"), from_inputs),
        recurrent_delay=stored(by_hand(blocks, SIZES, "delay"), weight),
        neuron=hr.LIF(tau_m=np.concatenate([np.linspace(10.0, 30.0, n) for n in SIZES.values()])),
        plasticity=hr.STDP(**BOUNDS, **constants) if plastic.any() else None,
        plastic=plastic if plastic.any() else None,
    )
    assert network.inhibitory.tolist() == [SIGNS[n] < 0 for n in SIZES for _ in range(SIZES[n])]
    t = np.sort(random.integers(0, 300_000, 900))
    events = hr.Events(t, random.integers(0, 9, t.size), n_channels=9)
    mine, theirs = (net.run(events, learn=bool(plastic.any())) for net in (network, twin))
    assert mine.stats.n_spikes > 50
    assert mine.spikes.equals(theirs.spikes)
    assert (network.recurrent_weights != twin.recurrent_weights).nnz == 0
    assert (network.input_weights != twin.input_weights).nnz == 0
    for name, neurons in network.populations.items():
        expected = theirs.spikes.filter(theirs.spikes["neuron"].is_in([*neurons]))
        assert mine.of(name).equals(expected)


def small(projections, **arguments) -> hr.Network:
    return hr.Network.from_populations(
        [hr.Population("E", 30), hr.Population("I", 12, inhibitory=True)],
        projections,
        **{"inputs": {"noise": 42, "other": 5}, "dtype": "float64", **arguments},
    )


def block(network: hr.Network, source: str, target: str) -> np.ndarray:
    targets = network.populations[target]
    if source in network.channels:
        rows, matrix = network.channels[source], network.input_weights
    else:
        rows, matrix = network.populations[source], network.recurrent_weights
    return matrix.toarray()[rows.start : rows.stop, targets.start : targets.stop]


RULE = hr.RandomConnectivity(p=0.4, weight=hr.Gamma(mean=1.0, shape=3.0))


def test_what_is_drawn_hangs_on_its_own_names_alone():
    law = hr.LIF(tau_m=hr.Gamma(mean=20.0, shape=3.0))
    alone = hr.Network.from_populations(
        [hr.Population("E", 30, law)], [hr.Projection("E", "E", RULE)], inputs=1, seed=3
    )
    among = hr.Network.from_populations(
        [hr.Population("first", 9), hr.Population("E", 30, law), hr.Population("last", 3)],
        [hr.Projection(["noise", "first"], "E", RULE), hr.Projection("E", ["last", "E"], RULE)],
        inputs={"noise": 20},
        seed=3,
    )
    assert np.array_equal(block(alone, "E", "E"), block(among, "E", "E"))
    mine = slice(9, 39)
    tau_m = among.neuron_parameters["tau_m"][mine]
    assert np.array_equal(tau_m, alone.neuron_parameters["tau_m"])
    other = hr.Network.from_populations(
        [hr.Population("E", 30, law)], [hr.Projection("E", "E", RULE)], inputs=1, seed=4
    )
    assert not np.array_equal(block(alone, "E", "E"), block(other, "E", "E"))


def test_names_that_stand_in_a_list_are_drawn_one_by_one():
    rule = hr.FixedInDegreeConnectivity(k=4, weight=2.0, inhibitory_gain=5.0)
    listed = small([hr.Projection(["E", "I"], ["E", "I"], rule)])
    single = small([hr.Projection(s, t, rule) for t in "IE" for s in "EI"])
    for source, weight in (("E", 2.0), ("I", -10.0)):
        for target in "EI":
            found = block(listed, source, target)
            assert np.array_equal(found, block(single, source, target))
            assert (np.count_nonzero(found, axis=0) == 4).all()
            assert set(found[found != 0.0]) == {weight}
            assert source != target or not found.diagonal().any()


def test_several_rules_between_the_same_two_add_up():
    static = hr.RandomConnectivity(p=0.4, weight=1.5)
    one, two = (small([hr.Projection("E", "I", static)] * n) for n in (1, 2))
    three = small(
        [hr.Projection("E", "I", rule) for rule in (static, static, hr.RandomConnectivity(1.0))]
    )
    first, both, all_three = (block(network, "E", "I") for network in (one, two, three))
    second = both - first
    assert set(np.unique(second)) == {0.0, 1.5}
    assert not np.array_equal(first, second)  # drawn anew
    assert (first * second != 0.0).any()
    assert np.array_equal(all_three, first + second + 1.0)


NO_PAIR = hr.ExplicitConnectivity(sp.csr_array((30, 12)))


def explicit(*, at: tuple[int, int], weight: float, delay: float = 1.0) -> hr.ExplicitConnectivity:
    dense = np.zeros((30, 12))
    dense[at] = weight
    return hr.ExplicitConnectivity(sp.csr_array(dense), delay)


@pytest.mark.parametrize(
    ("second", "what"),
    [
        ({"delay": 2.0}, "delays of 1.0 and 2.0 ms, static"),
        ({"delay": 1.001}, "delays of 1.0 and 1.001 ms, static"),
        ({"plasticity": hr.STDP(w_max=9.0)}, "plastic"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_pair_reached_twice_in_ways_that_do_not_add_up_is_refused(second, what, turned):
    plasticity = second.get("plasticity")
    rule = explicit(at=(4, 7), weight=2.0, delay=second.get("delay", 1.0))
    projections = [
        hr.Projection("E", "I", explicit(at=(4, 7), weight=3.0)),
        hr.Projection("E", "I", rule, plasticity),
    ]
    if turned:
        projections.reverse()
        what = what if "static" not in what else "static"
    with pytest.raises(hr.ParameterError, match="target 7 from the source 4") as error:
        small(projections)
    assert what in str(error.value)
    assert "E -> I (2)" in str(error.value)
    apart = [projections[0], hr.Projection("E", "I", explicit(at=(4, 8), weight=2.0), plasticity)]
    assert small(apart).n_synapses == 2


def test_opposite_signs_from_an_input_do_not_add_up():
    dense = np.zeros((42, 12))
    dense[3, 5] = 1.0
    rules = [hr.ExplicitConnectivity(sp.csr_array(sign * dense)) for sign in (1.0, -1.0)]
    with pytest.raises(hr.ParameterError, match="target 5 from the source 3"):
        small([hr.Projection("noise", "I", rule) for rule in rules])


STDP = hr.STDP(w_max=9.0)
GOOD = [hr.Projection("E", "I", RULE)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: small([hr.Projection("E", "X", RULE)]), r"projections\[0\].target.* got 'X'"),
        (lambda: small([hr.Projection("X", "E", RULE)]), r"projections\[0\].source.* got 'X'"),
        (lambda: small([*GOOD, hr.Projection("E", "noise", RULE)]), r"projections\[1\].target"),
        (lambda: small(GOOD, inputs={"E": 3}), "inputs must not have the name .* 'E'"),
        (lambda: small(GOOD, inputs={"a": 0}), r"inputs\['a'\] must be .* got 0"),
        (lambda: small(GOOD, inputs={"": 1}), "inputs must be text"),
        (lambda: small(GOOD, inputs={}), "inputs must have at least one channel"),
        (lambda: small(GOOD, normalize_weights=True), "normalize_weights must be False"),
        (
            lambda: hr.Network.from_populations([], GOOD, inputs=1),
            "populations must hold at least one",
        ),
        (
            lambda: hr.Network.from_populations([hr.Population("E", 1)] * 2, [], inputs=1),
            "populations must have names of their own; got 'E' twice",
        ),
        (
            lambda: hr.Network.from_populations(
                [hr.Population("A", 1), hr.Population("E", 2, hr.LIF(tau_m=[1.0]))], [], inputs=1
            ),
            "population E: tau_m must have length 2; got length 1",
        ),
        (
            lambda: small([hr.Projection("E", "I", hr.FixedInDegreeConnectivity(k=31))]),
            "E -> I: k must be",
        ),
        (
            lambda: small([hr.Projection("E", "I", hr.SmallWorldConnectivity(2, 0.1))]),
            "E -> I: recurrent must be True for SmallWorldConnectivity",
        ),
        (
            lambda: small([hr.Projection("noise", "E", hr.OneToOneConnectivity())]),
            r"noise -> E: n_post must be n_pre \(42\) .* got 30",
        ),
        (
            lambda: small([hr.Projection("E", "I", explicit(at=(1, 1), weight=-1.0))]),
            "E -> I.data must be at least 0 mV for an excitatory source; got -1.0 at synapse 0",
        ),
        (
            lambda: small([hr.Projection("E", "I", explicit(at=(1, 1), weight=1.0, delay=0.0))]),
            "E -> I.delay must be at least 0.001 ms between neurons; got 0.0",
        ),
        (
            lambda: small([hr.Projection("E", "I", hr.LocalConnectivity((3, 5), negative=0.1))]),
            "E -> I: negative must be 0",
        ),
        (
            lambda: small([hr.Projection("I", "E", RULE, STDP)]),
            "I -> E.plasticity must have bounds on the side of the weights",
        ),
        (
            lambda: small([hr.Projection("E", "I", explicit(at=(1, 1), weight=10.0), STDP)]),
            r"E -> I.weight must be between w_min \(0.0\) and w_max \(9.0\).* got 10.0",
        ),
        (
            lambda: small(
                [hr.Projection("E", t, RULE, hr.STDP(w_max=w)) for t, w in (("E", 9.0), ("I", 8.0))]
            ),
            "the same w_max .* between neurons; got 9.0 in E -> E and 8.0 in E -> I",
        ),
        (
            lambda: small(
                [
                    hr.Projection(s, "E", RULE, hr.STDP(mu_plus=mu))
                    for s, mu in (("noise", 0.0), ("other", 1.0))
                ]
            ),
            "the same mu_plus .* from inputs; got 0.0 in noise -> E and 1.0 in other -> E",
        ),
        (
            lambda: small(
                [hr.Projection("E", "E", RULE, hr.STDP(a_plus=np.full(3, 0.1), w_max=9.0))]
            ),
            "E -> E: a_plus must have length",
        ),
        (
            lambda: hr.Projection("E", "E", RULE, hr.STDP(inputs=True)),
            "plasticity must have inputs",
        ),
        (lambda: hr.Projection(["E", "E"], "E", RULE), "source must hold each name once"),
        (lambda: hr.Projection("E", [], RULE), "target must be a name"),
        (lambda: hr.Projection("E", ["E", 3], RULE), r"target\[1\] must be text .* got 3"),
    ],
)
def test_what_cannot_be_is_refused_by_name(call, message):
    with pytest.raises((hr.ParameterError, hr.ShapeError), match=message):
        call()


def three_kinds() -> hr.Network:
    """Plasticity from inputs, between excitatory neurons and onto inhibitory ones."""
    return small(
        [
            hr.Projection(
                "noise",
                "E",
                hr.RandomConnectivity(p=0.3, weight=6.0),
                hr.STDP(a_plus=0.5, w_max=8.0),
            ),
            hr.Projection("other", "I", hr.RandomConnectivity(p=0.9, weight=8.0)),
            hr.Projection("E", "E", RULE, hr.STDP(a_plus=hr.Gamma(0.3, 3.0), a_minus=0.0)),
            hr.Projection("E", "I", RULE, hr.STDP(a_plus=0.0, a_minus=0.4)),
            hr.Projection("I", "E", RULE),
        ],
        seed=5,
    )


EVENTS = hr.Events(
    np.arange(0, 500_000, 250), np.arange(2000) * 7 % 47, n_channels=47, duration=500_000
)


def test_each_projection_learns_by_its_own_rule_or_not_at_all():
    network = three_kinds()
    before = {ends: block(network, *ends) for ends in (("noise", "E"), ("E", "E"), ("E", "I"))}
    still = {ends: block(network, *ends) for ends in (("other", "I"), ("I", "E"))}
    assert network.run(EVENTS, learn=True).stats.n_spikes > 1000
    change = {ends: block(network, *ends) - w for ends, w in before.items()}
    assert (change["E", "E"] >= 0.0).all()
    assert change["E", "E"].max() > 0.1
    assert (change["E", "I"] <= 0.0).all()
    assert change["E", "I"].min() < -0.1
    assert np.abs(change["noise", "E"]).max() > 0.1
    assert all(np.array_equal(block(network, *ends), w) for ends, w in still.items())


def kept(network: hr.Network, way: str, tmp_path) -> hr.Network:
    path = tmp_path / "kept.safetensors"
    if way == "file":
        network.save(path)
        return hr.Network.load(path)
    if way == "simulation":
        hr.Simulation(network, EVENTS).save(path)
        return hr.Simulation.load(path).network
    return pickle.loads(pickle.dumps(network)) if way == "pickle" else network.copy()


@pytest.mark.parametrize("way", ["file", "simulation", "pickle", "copy"])
def test_names_are_kept(way, tmp_path):
    network = three_kinds()
    again = kept(network, way, tmp_path)
    assert [*again.populations.items()] == [("E", range(30)), ("I", range(30, 42))]
    assert [*again.channels.items()] == [("noise", range(42)), ("other", range(42, 47))]
    mine, theirs = (net.describe().sort("parameter") for net in (network, again))
    assert theirs.equals(mine)
    first, second = (net.run(EVENTS, learn=True) for net in (network, again))
    assert first.of("I").equals(second.of("I"))
    assert hr.Simulation(again, EVENTS).run().of("I").height > 0


@pytest.mark.parametrize("name", ["populations", "channels"])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"E": 3}, "must add up to"),
        ({"E": 42.0}, "got 42.0 of 'E'"),
        ({"E": True}, "got True of 'E'"),
        ({"E": 43, "I": -1}, "got -1 of 'I'"),
        (7, "int"),
        (None, "None"),
    ],
)
def test_names_that_do_not_fit_a_file_are_refused(tmp_path, name, wrong, message):
    path = tmp_path / "net.safetensors"
    three_kinds().save(path)
    arrays, texts = _hrsnn.load_arrays(path)
    header = json.loads(texts["header"]) | {name: wrong}
    _hrsnn.save_arrays(path, arrays, texts | {"header": json.dumps(header)})
    with pytest.raises(hr.FormatError, match=message):
        hr.Network.load(path)


def test_the_description_lists_populations_and_projections():
    network = three_kinds()
    table = {row["parameter"]: row for row in network.describe().iter_rows(named=True)}
    ends = ("noise -> E", "other -> I", "E -> E", "E -> I", "I -> E")
    for name, n in (("E", 30), ("I", 12)):
        assert (table[f"{name}.tau_m"]["n"], table[f"{name}.tau_m"]["mean"]) == (n, 20.0)
    for name in ends:
        found = block(network, *name.split(" -> "))
        row = table[f"{name}.weight"]
        assert (row["n"], row["unit"]) == (np.count_nonzero(found), "mV")
        assert row["mean"] == pytest.approx(found[found != 0.0].mean())
        assert table[f"{name}.delay"]["unit"] == "ms"
    assert {n.split(".")[0] for n in table if n.endswith(".a_plus")} == {*ends} - {
        "other -> I",
        "I -> E",
    }
    assert table["noise -> E.a_plus"]["mean"] == 0.5
    assert table["E -> I.a_minus"]["mean"] == pytest.approx(0.4)
    assert {n.split(".")[0] for n in table} == {"E", "I", *ends}


def test_variants_of_populations_take_out_what_differs():
    law = hr.LIF(tau_m=hr.Gamma(mean=20.0, shape=3.0))
    projections = [
        hr.Projection("inputs", "A", RULE, hr.STDP(a_plus=hr.Gamma(0.3, 3.0))),
        hr.Projection("A", ["A", "B"], RULE, hr.STDP(a_plus=hr.Gamma(0.2, 3.0))),
    ]
    populations = [hr.Population("A", 30, law), hr.Population("B", 10, law)]
    network = hr.Network.from_populations(populations, projections, inputs=9)
    populations.clear()  # the caller's list
    for name, (neurons, synapses) in {
        "HoNHoS": (False, False),
        "HeNHoS": (True, False),
        "HoNHeS": (False, True),
        "HeNHeS": (True, True),
    }.items():
        table = {r["parameter"]: r for r in network.variant(name).describe().iter_rows(named=True)}
        for parameter, differs in (
            ("A.tau_m", neurons),
            ("B.tau_m", neurons),
            ("inputs -> A.a_plus", synapses),
            ("A -> B.a_plus", synapses),
        ):
            assert (table[parameter]["std"] > 1e-6) == differs
        twin = network.variant(name)
        assert (twin.recurrent_weights != network.recurrent_weights).nnz == 0
        assert twin.populations == network.populations
    chosen = network.variant("HoNHoS", tau_m=7.0).neuron_parameters["tau_m"]
    assert chosen.tolist() == [7.0] * 40


def test_the_callers_lists_of_names_are_no_part_of_a_projection():
    sources, targets = ["inputs", "A"], ["A", "B"]
    projection = hr.Projection(sources, targets, RULE)
    populations = [hr.Population("A", 30), hr.Population("B", 10)]
    network = hr.Network.from_populations(populations, [projection], inputs=9)
    sources.pop(), targets.append("C")
    assert (projection.source, projection.target) == (("inputs", "A"), ("A", "B"))
    assert network.variant("HeNHeS").describe().equals(network.describe())
    assert hr.Projection("A", "B", RULE).source == "A"


def test_a_network_made_otherwise_has_no_names():
    network = hr.Network(1, 5)
    assert network.populations == network.channels == {}
    with pytest.raises(hr.ParameterError, match=r"population must be one of .* got 'E'"):
        network.run(([1], [0])).of("E")
    assert "tau_m" in network.describe()["parameter"].to_list()


def test_an_unknown_population_is_refused_by_name():
    result = three_kinds().run(EVENTS)
    for wrong in ("X", None, 0, ["E"]):
        with pytest.raises(hr.ParameterError, match="population must be one of E, I; got"):
            result.of(wrong)


def test_weights_of_a_projection_are_normalised():
    network = small(
        [
            hr.Projection("noise", "E", hr.RandomConnectivity(p=0.3, weight=8.0)),
            hr.Projection("E", "E", RULE, hr.STDP(a_plus=0.3, w_max=9.0)),
            hr.Projection("I", "E", RULE),
        ],
        normalize_weights=True,
    )
    before = block(network, "E", "E")
    network.train([EVENTS])
    after = block(network, "E", "E")
    assert np.abs(after - before).max() > 0.1
    assert after.sum(axis=0) == pytest.approx(before.sum(axis=0))
