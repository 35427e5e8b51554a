"""What a network draws is independent of everything else that it draws.

Two-level tests (`two_levels`): 15 cases at 1e-6 each: with fresh seeds a right assembly would
fail somewhere in this file with a probability of at most 1.5e-5. With the fixed seeds it fails
always or never: a failure is a finding.

Power: each `wrong` generator must fail, such as weights from the stream of the graph, one
inhibitory neuron in fifty too near the beginning, or time constants that tell the kind.
"""

import itertools
from dataclasses import dataclass, replace
from functools import cache

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.description.parameters import STDP, Gamma, Uniform, resolve_stdp
from hrsnn_rs.network.assembly import choose_inhibitory
from scipy import special, stats
from two_levels import (
    Binomial,
    Case,
    of_counts,
    of_groups,
    of_multinomial,
    of_regression,
    of_runs,
    right_cases,
    states_rate,
    wrong_cases,
)

N, P, GAIN = 60, 0.15, 4.0
LAW, TRUTH = Gamma(2.0, 3.0), stats.gamma(3.0, scale=2.0 / 3.0)
RULE = hr.RandomConnectivity(p=P, weight=LAW, inhibitory_gain=GAIN)
TAU, TAU_TRUTH = Gamma(20.0, 3.0), stats.gamma(3.0, scale=20.0 / 3.0)
AMPLITUDE, AMPLITUDE_TRUTH = Gamma(0.01, 2.0), stats.gamma(2.0, scale=0.005)
LEARNING = STDP(a_plus=AMPLITUDE, a_minus=AMPLITUDE, tau_plus=TAU, tau_minus=TAU)
LAWS = {
    "a_plus": AMPLITUDE_TRUTH,
    "a_minus": AMPLITUDE_TRUTH,
    "tau_plus": TAU_TRUTH,
    "tau_minus": TAU_TRUTH,
}


# Inhibitory neurons


def choice(n, n_chosen):
    return lambda seed: choose_inhibitory(n, n_chosen / n, seed)


def choices(n, n_chosen, n_calls=40):
    return lambda seed: [choice(n, n_chosen)(seed * n_calls + call) for call in range(n_calls)]


def of_subsets(n, n_chosen):
    """All subsets of a few neurons are equally likely."""
    subsets = list(itertools.combinations(range(n), n_chosen))

    def claim(masks, draw):
        found = [subsets.index(tuple(np.flatnonzero(mask))) for mask in masks]
        counts = np.bincount(found, minlength=len(subsets))
        return of_multinomial(np.full(len(subsets), 1.0 / len(subsets)), counts, draw)

    return claim


def of_ranges(mask, draw):
    """Ranges of many neurons have their share."""
    parts = np.array_split(mask, 16)
    return of_groups([part.size for part in parts], [part.sum() for part in parts], draw)


def of_strides(mask, draw):
    """So has every sixteenth neuron."""
    return of_ranges(np.concatenate([mask[i::16] for i in range(16)]), draw)


def of_neighbours(mask, draw):
    return of_runs(mask[None], draw)


def crowded(seed):
    """One in fifty moved to the beginning."""
    random = np.random.default_rng(seed)
    mask = choice(400, 80)(seed)
    moved = random.random(80) < 0.02
    mask[np.flatnonzero(mask)[moved]] = False
    mask[np.flatnonzero(~mask)[: moved.sum()]] = True
    return mask


def in_pairs(seed):
    """Every tenth together with its neighbour."""
    random = np.random.default_rng(seed)
    mask = choice(400, 72)(seed)
    partners = [i + 1 for i in np.flatnonzero(mask[:-1]) if not mask[i + 1]]
    mask[random.permutation(partners)[:8]] = True
    return mask


def avoids_the_last(seed):
    """As with `range(n - 1)`, one time in five."""
    random = np.random.default_rng(seed)
    masks = choices(6, 2)(seed)
    for mask in masks:
        if random.random() < 0.2 and mask[5]:
            mask[5] = False
            mask[random.choice(np.flatnonzero(~mask[:5]))] = True
    return masks


CHOICES = {
    "inhibitory: 2 of 6": Case(
        of_subsets(6, 2), choices(6, 2), {"avoids the last": avoids_the_last}
    ),
    "inhibitory: 3 of 5": Case(of_subsets(5, 3), choices(5, 3)),
    "inhibitory: ranges": Case(of_ranges, choice(400, 80), {"crowded": crowded}),
    "inhibitory: strides": Case(
        of_strides, choice(400, 80), {"every fifth": lambda _: np.arange(400) % 5 == 0}
    ),
    "inhibitory: neighbours": Case(of_neighbours, choice(400, 80), {"in pairs": in_pairs}),
}


@pytest.mark.parametrize("n", [1, 7, 50])
@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.37, 1.0])
def test_number_of_inhibitory_neurons_is_exact(n, fraction):
    for seed in range(10):
        assert choose_inhibitory(n, fraction, seed).sum() == round(n * fraction)


# Networks


@dataclass(frozen=True)
class Drawn:
    """What a network drew; synapses are recurrent, in the order of their sources."""

    inhibitory: np.ndarray
    tau_m: np.ndarray
    inputs: np.ndarray  # whether a channel reaches a neuron
    graph: np.ndarray  # whether a neuron reaches a neuron
    weight: np.ndarray  # mV, as drawn: without sign and gain
    input_weight: np.ndarray  # mV, dense
    constants: dict  # of STDP, one for each synapse
    places: np.ndarray  # in units of the sensor
    sensor: tuple  # weights of local inputs, mV, their channels, and whether they are negative


@cache
def drawn(seed):
    net = hr.Network(
        n_inputs=N,
        n_neurons=N,
        neuron=hr.LIF(tau_m=TAU),
        inputs=RULE,
        recurrent=RULE,
        seed=seed,
        dtype="float64",
    )
    weights, mask = net.recurrent_weights, net.inhibitory
    dense = weights.toarray()
    assert ((dense < 0.0) == ((dense != 0.0) & mask[:, None])).all()
    constants = resolve_stdp(LEARNING, weights.indptr.astype(np.int64), seed, "stdp")
    return Drawn(
        inhibitory=mask,
        tau_m=net.neuron_parameters["tau_m"],
        inputs=net.input_weights.toarray() != 0.0,
        graph=dense != 0.0,
        weight=np.abs(dense / np.where(mask, GAIN, 1.0)[:, None])[dense != 0.0],
        input_weight=net.input_weights.toarray(),
        constants=constants,
        places=hr.LocalRecurrence(sensor=(9, 5)).positions(N, seed) / [9, 5],
        sensor=local_inputs(seed),
    )


def local_inputs(seed):
    inputs = hr.LocalConnectivity(sensor=(9, 5), k=10, negative=0.3, weight=LAW)
    weights = hr.Network(90, N, inputs=inputs, seed=seed, dtype="float64").input_weights.tocoo()
    return np.abs(weights.data), weights.coords[0], weights.data < 0.0


def of_weights(net, _):
    return TRUTH.cdf(net.weight)


def of_weights_in_graph(net, _):
    """Neither places in the graph nor degrees nor kinds tell a weight."""
    pre, post = np.nonzero(net.graph)
    gap = np.diff(pre * N + post, prepend=-1)
    known = [pre, post, gap, net.inhibitory[pre], net.inhibitory[post]]
    known += [net.graph.sum(1)[pre], net.graph.sum(0)[post], net.inputs.sum(0)[post]]
    return of_regression(TRUTH.cdf(net.weight), [np.ones(pre.size), *known])


def of_weights_by_position(net, _):
    """The first weights of rows that have one, beside those from inputs."""
    rows = np.flatnonzero(net.graph.any(1) & net.inputs.any(1))
    starts = np.cumsum(net.graph.sum(1)) - net.graph.sum(1)
    first = net.weight[starts[rows]]
    beside = net.input_weight[rows, net.inputs[rows].argmax(1)]
    return of_regression(TRUTH.cdf(first), [np.ones(rows.size), beside])


def of_graphs(net, draw):
    """As many recurrent synapses stand where an input synapse does as elsewhere."""
    inputs = net.inputs & ~np.eye(N, dtype=bool)
    return of_counts(Binomial(inputs.sum(), P), [(inputs & net.graph).sum()], draw)


def of_time_constants(net, _):
    return TAU_TRUTH.cdf(net.tau_m)


def of_time_constants_in_graph(net, _):
    incoming = np.bincount(np.nonzero(net.graph)[1], weights=net.weight, minlength=N)
    known = [np.arange(N), net.inhibitory, incoming, net.graph.sum(1), net.graph.sum(0)]
    return of_regression(TAU_TRUTH.cdf(net.tau_m), [np.ones(N), *known, net.inputs.sum(0)])


def of_constants(net, _):
    return np.concatenate([LAWS[name].cdf(values) for name, values in net.constants.items()])


def of_constants_together(net, _):
    """Each given its weight and the constants before it."""
    known, numbers = [np.ones(net.weight.size), special.ndtri(TRUTH.cdf(net.weight))], []
    for name, values in net.constants.items():
        u = LAWS[name].cdf(values)
        numbers.append(of_regression(u, known))
        known.append(special.ndtri(u))
    return np.concatenate(numbers)


def of_signs(net, _):
    """Negative input synapses of a sensor have weights like the others."""
    weight, channel, negative = net.sensor
    return of_regression(TRUTH.cdf(weight), [np.ones(weight.size), channel, negative])


def of_places(net, _):
    """Inhibitory neurons sit anywhere on the sensor."""
    known = [np.ones(N), net.inhibitory, np.arange(N)]
    y, x = net.places.T
    return np.concatenate([of_regression(y, known), of_regression(x, [*known, special.ndtri(y)])])


def strong_negative(net, _):
    weight, channel, negative = net.sensor
    return {"sensor": (weight * np.where(negative, 1.05, 1.0), channel, negative)}


def changed(change):
    return lambda seed: replace(drawn(seed), **change(drawn(seed), seed))


def from_the_graphs_stream(net, seed):
    offsets = np.concatenate([[0], np.cumsum(net.graph.sum(1))])
    return {"weight": TRUTH.ppf(Uniform(0.0, 1.0).sample(offsets, seed, "recurrent"))}


def normalised(net, _):
    """Weights divided by the square root of what their target receives."""
    into = net.graph.sum(0)[np.nonzero(net.graph)[1]]
    return {"weight": net.weight * np.sqrt(P * N / into)}


def with_gain_of_five(net, _):
    pre = np.nonzero(net.graph)[0]
    return {"weight": net.weight * np.where(net.inhibitory[pre], 1.25, 1.0)}


def as_from_inputs(net, seed):
    """The weights have the purpose of those from inputs."""
    offsets = np.concatenate([[0], np.cumsum(net.graph.sum(1))])
    return {"weight": LAW.sample(offsets, seed, "inputs/weight")}


def same_graph(net, seed):
    """One in ten recurrent synapses where an input synapse is."""
    moved = np.random.default_rng(seed).random((N, N)) < 0.1
    return {"graph": np.where(moved, net.inputs, net.graph) & ~np.eye(N, dtype=bool)}


def slow(net, _):
    return {"tau_m": net.tau_m * 1.1}


def strong(net, _):
    return {"constants": {**net.constants, "a_plus": 1.1 * net.constants["a_plus"]}}


def slow_inhibition(net, _):
    return {"tau_m": net.tau_m * np.where(net.inhibitory, 1.15, 1.0)}


def one_shared_stream(net, _):
    share = LAWS["a_minus"].ppf(LAWS["a_plus"].cdf(net.constants["a_plus"]))
    mixed = np.where(np.arange(share.size) % 10 == 0, share, net.constants["a_minus"])
    return {"constants": {**net.constants, "a_minus": mixed}}


def core_of_inhibition(net, _):
    inwards = 0.5 + (net.places - 0.5) * 0.5
    return {"places": np.where(net.inhibitory[:, None] & (inwards < 0.5), inwards, net.places)}


CASES = {
    **CHOICES,
    "weights": Case(of_weights, drawn, {"gain of 5": changed(with_gain_of_five)}),
    "weights in the graph": Case(
        of_weights_in_graph,
        drawn,
        {
            "from the graph's stream": changed(from_the_graphs_stream),
            "normalised": changed(normalised),
        },
    ),
    "weights beside those of inputs": Case(
        of_weights_by_position, drawn, {"same purpose": changed(as_from_inputs)}
    ),
    "inputs and recurrence": Case(of_graphs, drawn, {"partly the same": changed(same_graph)}),
    "time constants": Case(of_time_constants, drawn, {"10 % more": changed(slow)}),
    "time constants in the graph": Case(
        of_time_constants_in_graph, drawn, {"slow inhibition": changed(slow_inhibition)}
    ),
    "constants of STDP": Case(of_constants, drawn, {"a_plus 10 % more": changed(strong)}),
    "constants of STDP together": Case(
        of_constants_together, drawn, {"one shared stream": changed(one_shared_stream)}
    ),
    "signs and weights": Case(of_signs, drawn, {"strong negative": changed(strong_negative)}),
    "places and kinds": Case(of_places, drawn, {"core": changed(core_of_inhibition)}),
}


@right_cases(CASES)
def test_what_a_network_draws(case):
    assert case.complaints(case.right) == []


@wrong_cases(CASES)
def test_wrong_draws_are_found_out(case, generator):
    assert case.complaints(generator) != []


def test_rate_of_false_alarms_is_as_written():
    assert states_rate(__doc__, len(CASES))
