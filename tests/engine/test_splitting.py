"""What may be split or merged without changing a bit: samples, calls, networks, events.

A sample may not be split anywhere: each begins at rest, without traces. It may where a silence
was so long that potentials and traces have come to rest exactly: `pow2` is 0 below -1021.
"""

import numpy as np
from drawn_networks import drawn, examples
from hypothesis import assume, given
from hypothesis import strategies as st


@examples
@given(drawn(), drawn(), st.integers(0, 1000))
def test_a_long_silence_splits_a_sample_in_two(case, second, more):
    # Weaker recurrence than drawn, and only where it dies out: else there is no silence.
    case = case.undriven().with_(recurrent=case.recurrent / 4.0)
    assume(all(t < case.duration + 20_000 for t, _ in case.learn(case.duration + 40_000).spikes))
    slowest = max(case.neuron["tau_m"].max(), *(case.stdp[k].max() for k in case.stdp))
    # The last spike has arrived, and all holds have ended, within 4 ms more.
    silence = int(np.ceil(710.0 * 1000.0 * slowest)) + 24_000 + more
    start = case.duration + silence
    second = case.with_(
        t=second.t, channel=second.channel % case.n_inputs, duration=second.duration
    )
    network = case.network()
    apart = [case.learn_with(network, sample) for sample in (case.events(start), second.events())]
    joined = case.with_(
        t=np.concatenate([case.t, start + second.t]),
        channel=np.concatenate([case.channel, second.channel]),
        duration=start + second.duration,
    ).learn()
    assert joined.spikes == apart[0].spikes + [(start + t, i) for t, i in apart[1].spikes]
    np.testing.assert_array_equal(joined.weights, apart[1].weights)
    for name in ("n_synaptic_events", "n_input_synaptic_events", "n_weight_updates"):
        assert getattr(joined.stats, name) == sum(getattr(one.stats, name) for one in apart)


@examples
@given(drawn(), drawn(), st.integers(1, 3))
def test_training_is_learning_from_one_sample_after_the_other(case, other, epochs):
    second = case.with_(t=other.t, channel=other.channel % case.n_inputs, duration=other.duration)
    trained, run = case.network(), case.network()
    total = trained.train([case.events(), second.events()], epochs=epochs)
    outcomes = [
        case.learn_with(run, sample.events()) for _ in range(epochs) for sample in (case, second)
    ]
    np.testing.assert_array_equal(trained.recurrent_weights.data, run.recurrent_weights.data)
    for name in ("n_spikes", "n_synaptic_events", "n_weight_updates", "duration"):
        assert getattr(total, name) == sum(getattr(o.stats, name) for o in outcomes)


def test_transform_does_not_depend_on_how_its_samples_are_handed_over():
    # 160 samples for one network: more than go to the core at a time, and an iterator.
    cases = []

    @examples
    @given(drawn())
    def collect(case):
        cases.append(case)

    collect()
    network = max(cases, key=lambda case: case.recurrent.shape[0]).network()
    samples = [
        case.with_(
            inputs=np.zeros((network.n_inputs, 1)), channel=case.channel % network.n_inputs
        ).events()
        for case in cases * 4
    ]
    assert len(samples) > 128
    whole = network.transform(samples, 3, features="both")
    assert whole.sum() > 100
    one_by_one = [network.transform([sample], 3, features="both")[0] for sample in samples]
    np.testing.assert_array_equal(whole, one_by_one)
    np.testing.assert_array_equal(network.transform(iter(samples), 3, features="both"), whole)


@examples
@given(drawn(), st.integers(1, 6), st.integers(1, 4))
def test_counts_of_parts_of_a_window_add_up_to_the_window(case, n_windows, n_parts):
    # Windows meet on the lattice where the duration can be divided.
    n = n_windows * n_parts
    case = case.with_(duration=-(-case.duration // n) * n)
    network = case.network()
    whole = network.transform([case.events()], n_windows)[0]
    parts = network.transform([case.events()], n)[0]
    np.testing.assert_array_equal(parts.reshape(n_windows, n_parts, -1).sum(axis=1), whole)
    spikes = network.run(case.events()).spikes
    assert whole.sum() == spikes.height


@examples
@given(drawn(), drawn())
def test_two_networks_side_by_side_do_as_each_alone(left, right):
    # One rule, one dtype and one duration for both; no synapse between them.
    right = right.with_(rule=left.rule, dtype=left.dtype)
    duration = max(left.duration, right.duration)
    n = left.recurrent.shape[0]

    def diagonal(a, b, empty):
        below = np.full((a.shape[0], b.shape[1]), empty), np.full((b.shape[0], a.shape[1]), empty)
        return np.block([[a, below[0]], [below[1], b]])

    t = np.concatenate([left.t, right.t])
    order = np.argsort(t, kind="stable")
    both = left.with_(
        inputs=diagonal(left.inputs, right.inputs, np.nan),
        recurrent=diagonal(left.recurrent, right.recurrent, np.nan),
        input_delay=diagonal(left.input_delay, right.input_delay, 0.0),
        recurrent_delay=diagonal(left.recurrent_delay, right.recurrent_delay, 1.0),
        stdp={k: diagonal(left.stdp[k], right.stdp[k], 1.0) for k in left.stdp},
        neuron={k: np.concatenate([left.neuron[k], right.neuron[k]]) for k in left.neuron},
        t=t[order],
        channel=np.concatenate([left.channel, left.n_inputs + right.channel])[order],
    )
    together = both.learn(duration)
    alone = [case.learn(duration) for case in (left, right)]
    shifted = [(t, n + i) for t, i in alone[1].spikes]
    assert together.spikes == sorted(alone[0].spikes + shifted)
    expected = diagonal(alone[0].weights, alone[1].weights, np.nan)
    np.testing.assert_array_equal(together.weights, expected)
    for name in ("n_synaptic_events", "n_input_synaptic_events", "n_weight_updates"):
        assert getattr(together.stats, name) == sum(getattr(o.stats, name) for o in alone)


# --- events ---------------------------------------------------------------------------------


@examples
@given(drawn(), st.integers(1, 3))
def test_events_that_come_twice_are_events_of_twice_the_weight(case, doublings):
    # Of any weight: w + w and 2 w are the same number.
    n = 2**doublings
    often = case.with_(t=np.repeat(case.t, n), channel=np.repeat(case.channel, n)).learn()
    strong = case.with_(inputs=case.inputs * n).learn()
    assert often.spikes == strong.spikes
    np.testing.assert_array_equal(often.weights, strong.weights)
    assert often.stats.n_input_synaptic_events == n * strong.stats.n_input_synaptic_events
    assert often.stats.n_input_events == n * strong.stats.n_input_events


@examples
@given(drawn(), st.integers(0, 2**32 - 1))
def test_channels_with_the_same_synapses_can_be_one(case, seed):
    # Each event goes to the channel or to its copy.
    copies = np.random.default_rng(seed).integers(0, 2, len(case.t)) * case.n_inputs
    many = case.with_(
        inputs=np.vstack([case.inputs] * 2),
        input_delay=np.vstack([case.input_delay] * 2),
        channel=case.channel + copies,
    )
    outcome, other = case.learn(), many.learn()
    assert other._replace(input_weights=other.input_weights[: case.n_inputs]).is_same(outcome)


@examples
@given(drawn(), st.integers(0, 20_000))
def test_an_input_delay_is_a_shift_of_the_events(case, delay):
    # Arrivals after the end are lost in both; an event after the end would be refused.
    late = case.with_(input_delay=np.full_like(case.input_delay, delay / 1000.0))
    early = case.t + delay < case.duration
    shifted = case.with_(
        input_delay=np.zeros_like(case.input_delay),
        t=case.t[early] + delay,
        channel=case.channel[early],
    )
    assert late.learn().is_same(shifted.learn())
