"""Properties that hold for every network: order, silence, counts, bounds.

Where an order of summation could show in the last bit, weights are multiples of 1/64 mV, so that
the sum of one microsecond's arrivals is exact in whatever order it is taken.
"""

from dataclasses import dataclass

import hrsnn_rs as hr
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

examples = settings(
    deadline=None,  # the machine may be busy
    derandomize=True,  # seeds are fixed
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass
class Drawn:
    inputs: np.ndarray  # dense (channel, neuron); NaN: no synapse
    recurrent: np.ndarray
    input_delay: np.ndarray  # dense, ms
    recurrent_delay: np.ndarray
    stdp: dict  # dense arrays
    neuron: dict
    rule: dict
    t: np.ndarray
    channel: np.ndarray
    duration: int
    dtype: str = "float64"

    @property
    def n_inputs(self) -> int:
        return self.inputs.shape[0]

    def events(self, duration=None) -> hr.Events:
        return hr.Events(self.t, self.channel, self.n_inputs, duration or self.duration)

    def network(self) -> hr.Network:
        there = ~np.isnan(self.recurrent)
        return hr.Network.from_arrays(
            inputs=sparse(self.inputs),
            recurrent=sparse(self.recurrent),
            input_delay=self.input_delay[~np.isnan(self.inputs)],
            recurrent_delay=self.recurrent_delay[there],
            neuron=hr.LIF(**self.neuron),
            plasticity=hr.STDP(**{k: v[there] for k, v in self.stdp.items()}, **self.rule),
            plastic=self.recurrent[there] >= 0,
            dtype=self.dtype,
        )

    def learn(self, duration=None):
        """Return raster, dense weights (NaN: no synapse) and the counts."""
        network = self.network()
        result = network.run(self.events(duration), learn=True, n_threads=2)
        weights = np.full(self.recurrent.shape, np.nan)
        weights[~np.isnan(self.recurrent)] = network.recurrent_weights.data
        return result.spikes.rows(), weights, result.stats


def sparse(dense: np.ndarray) -> csr_array:
    """Keep zeros; NaN is what is not there."""
    there = ~np.isnan(dense)
    matrix = csr_array(there.astype(float))
    matrix.data = dense[there]
    return matrix


@st.composite
def drawn(draw) -> Drawn:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_inputs = draw(st.integers(1, 12)), draw(st.integers(1, 6))
    duration = draw(st.integers(1, 60_000))
    n_events = draw(st.integers(0, 150))
    step = draw(st.sampled_from([1, 500, 1000]))
    bias = draw(st.sampled_from([0.0, 0.0, 12.0]))

    def weights(shape, low, high, p):
        dense = rng.integers(low * 64, high * 64 + 1, shape) / 64.0
        return np.where(rng.random(shape) < p, dense, np.nan)

    recurrent = weights((n, n), 0, 4, 0.5)
    recurrent[rng.random(n) < 0.2] *= -1.0
    shape = recurrent.shape
    return Drawn(
        inputs=weights((n_inputs, n), -2, 12, 0.6),
        recurrent=recurrent + 0.0,
        input_delay=rng.integers(0, 4, (n_inputs, n)) * 0.5,
        recurrent_delay=rng.integers(1, 5, shape) * 0.5,
        stdp={
            "a_plus": rng.uniform(0.0, 0.5, shape),
            "a_minus": rng.uniform(0.0, 0.5, shape),
            "tau_plus": rng.uniform(5.0, 30.0, shape),
            "tau_minus": rng.uniform(5.0, 50.0, shape),
        },
        neuron={
            "tau_m": rng.uniform(5.0, 30.0, n),
            "v_rest": np.zeros(n),
            "v_reset": -rng.uniform(0.0, 3.0, n),
            "v_threshold": rng.uniform(4.0, 10.0, n),
            "t_ref": rng.integers(0, 5, n) * 0.5,
            "bias": rng.uniform(0.0, 1.0, n) * bias,
        },
        rule={
            "w_min": 0.0,
            "w_max": 4.0,
            "mu_plus": draw(st.sampled_from([0.0, 0.5, 1.0])),
            "mu_minus": draw(st.sampled_from([0.0, 0.5, 1.0])),
            "pairing": draw(st.sampled_from(["all_to_all", "nearest"])),
        },
        t=np.sort(rng.integers(0, duration, n_events) // step * step),
        channel=rng.integers(0, n_inputs, n_events),
        duration=duration,
    )


@examples
@given(drawn(), st.randoms(use_true_random=False))
def test_numbering_the_neurons_otherwise_numbers_the_result_otherwise(case, random):
    # new[k] is the old number of neuron k. Learned weights are no binary fractions any more, but
    # a sum of one µs that differs in its last bit would have to sit on the threshold to show.
    n = case.recurrent.shape[0]
    new = random.sample(range(n), n)
    number_of = np.argsort(new)
    both = np.ix_(new, new)
    other = Drawn(
        inputs=case.inputs[:, new],
        recurrent=case.recurrent[both],
        input_delay=case.input_delay[:, new],
        recurrent_delay=case.recurrent_delay[both],
        stdp={name: value[both] for name, value in case.stdp.items()},
        neuron={name: value[new] for name, value in case.neuron.items()},
        rule=case.rule, t=case.t, channel=case.channel, duration=case.duration,
    )  # fmt: skip
    spikes, weights, stats = case.learn()
    other_spikes, other_weights, other_stats = other.learn()
    assert other_spikes == sorted((t, int(number_of[i])) for t, i in spikes)
    np.testing.assert_array_equal(other_weights, weights[both])
    assert other_stats.n_synaptic_events == stats.n_synaptic_events
    assert other_stats.n_weight_updates == stats.n_weight_updates


@examples
@given(drawn(), st.randoms(use_true_random=False))
def test_numbering_the_channels_otherwise_changes_nothing(case, random):
    # Events of one µs may then stand in another order of channels too.
    new = random.sample(range(case.n_inputs), case.n_inputs)
    channel = np.argsort(new)[case.channel]
    order = np.lexsort((channel, case.t))
    other = Drawn(
        inputs=case.inputs[new], recurrent=case.recurrent, input_delay=case.input_delay[new],
        recurrent_delay=case.recurrent_delay, stdp=case.stdp, neuron=case.neuron, rule=case.rule,
        t=case.t[order], channel=channel[order], duration=case.duration,
    )  # fmt: skip
    spikes, weights, _ = case.learn()
    other_spikes, other_weights, _ = other.learn()
    assert other_spikes == spikes
    np.testing.assert_array_equal(other_weights, weights)


@examples
@given(drawn(), st.integers(1, 100_000))
def test_silence_after_the_sample_changes_nothing_in_it(case, silence):
    spikes, weights, _ = case.learn()
    longer, longer_weights, _ = case.learn(case.duration + silence)
    assert [s for s in longer if s[0] < case.duration] == spikes
    # 2 ms is the longest delay: if all was quiet before, no arrival is left to change a weight.
    if all(t < case.duration - 2000 for t, _ in longer):
        np.testing.assert_array_equal(longer_weights, weights)


@examples
@given(drawn(), st.integers(1, 1_000_000))
def test_silence_before_the_first_event_shifts_the_result(case, silence):
    case.neuron["bias"] = np.zeros_like(case.neuron["bias"])  # a drive would not be silent
    spikes, weights, stats = case.learn()
    case.t = case.t + silence
    later, later_weights, later_stats = case.learn(case.duration + silence)
    assert later == [(t + silence, i) for t, i in spikes]
    np.testing.assert_array_equal(later_weights, weights)
    assert later_stats.n_synaptic_events == stats.n_synaptic_events


@examples
@given(drawn(), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_channels_without_synapses_change_nothing(case, n_more, seed):
    rng = np.random.default_rng(seed)
    spikes, weights, stats = case.learn()
    n_inputs, n_noise = case.n_inputs, 50
    case.inputs = np.vstack([case.inputs, np.full((n_more, case.inputs.shape[1]), np.nan)])
    case.input_delay = np.vstack([case.input_delay, np.zeros((n_more, case.inputs.shape[1]))])
    t = np.concatenate([case.t, rng.integers(0, case.duration, n_noise)])
    order = np.argsort(t, kind="stable")
    noise = rng.integers(n_inputs, n_inputs + n_more, n_noise)
    case.t, case.channel = t[order], np.concatenate([case.channel, noise])[order]
    noisy, noisy_weights, noisy_stats = case.learn()
    assert noisy == spikes
    np.testing.assert_array_equal(noisy_weights, weights)
    assert noisy_stats.n_synaptic_events == stats.n_synaptic_events
    assert noisy_stats.n_input_events == stats.n_input_events + n_noise


@examples
@given(drawn())
def test_counts_add_up(case):
    spikes, _, stats = case.learn()
    assert stats.n_spikes == len(spikes)
    assert stats.n_input_events == len(case.t)
    assert stats.duration == case.duration
    # Every synapse of every spike and event whose arrival lies within the sample.
    n_arrivals = []
    for matrix, delay, sent in (
        (case.inputs, case.input_delay, zip(case.t, case.channel, strict=True)),
        (case.recurrent, case.recurrent_delay, spikes),
    ):
        n_arrivals.append(0)
        for t, source in sent:
            arrival = t + np.rint(delay[source] * 1000)
            n_arrivals[-1] += int((~np.isnan(matrix[source]) & (arrival < case.duration)).sum())
    assert [stats.n_input_synaptic_events, stats.n_synaptic_events] == n_arrivals
    assert stats.n_synaptic_operations == sum(n_arrivals)


@examples
@given(drawn(), st.sampled_from(["float64", "float32"]))
def test_weights_stay_in_bounds(case, dtype):
    case.dtype = dtype
    case.stdp = {k: v * (40.0 if k.startswith("a_") else 1.0) for k, v in case.stdp.items()}
    _, weights, _ = case.learn()
    plastic = case.recurrent >= 0
    assert (weights[plastic] >= 0.0).all()
    assert (weights[plastic] <= 4.0).all()
    fixed = case.recurrent < 0
    np.testing.assert_array_equal(weights[fixed], case.recurrent[fixed])


@examples
@given(drawn())
def test_spikes_are_sorted_within_the_sample_and_keep_their_distance(case):
    spikes, _, _ = case.learn()
    assert spikes == sorted(set(spikes))
    assert all(0 <= t < case.duration for t, _ in spikes)
    t_ref = np.rint(np.asarray(case.neuron["t_ref"]) * 1000)
    last: dict[int, int] = {}
    for t, i in spikes:
        assert t - last.get(i, -(10**9)) >= t_ref[i]
        last[i] = t


@examples
@given(drawn())
def test_the_same_again_is_the_same(case):
    first, again = case.learn(), case.learn()
    assert first[0] == again[0]
    np.testing.assert_array_equal(first[1], again[1])
