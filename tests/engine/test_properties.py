"""Properties that hold for every network: order, silence, counts, bounds."""

import numpy as np
from drawn_networks import Drawn, drawn, examples
from hypothesis import given
from hypothesis import strategies as st


def renumbered(case: Drawn, new: list[int]) -> Drawn:
    """Return the same network in which neuron k has the old number `new[k]`."""
    both = np.ix_(new, new)
    return case.with_(
        inputs=case.inputs[:, new],
        recurrent=case.recurrent[both],
        input_delay=case.input_delay[:, new],
        recurrent_delay=case.recurrent_delay[both],
        stdp={name: v[both] if np.ndim(v) else v for name, v in case.stdp.items()},
        neuron={name: value[new] for name, value in case.neuron.items()},
    )


@examples
@given(drawn(), st.booleans(), st.randoms(use_true_random=False))
def test_numbering_the_neurons_otherwise_numbers_the_result_otherwise(case, inputs_learn, random):
    # Learned weights are no binary fractions any more, but a sum of one µs that differs in its
    # last bit would have to sit on the threshold to show.
    if inputs_learn:
        case = case.with_learning_inputs()
    n = case.recurrent.shape[0]
    new = random.sample(range(n), n)
    number_of = np.argsort(new)
    outcome, other = case.learn(), renumbered(case, new).learn()
    expected = outcome._replace(
        spikes=sorted((t, int(number_of[i])) for t, i in outcome.spikes),
        weights=outcome.weights[np.ix_(new, new)],
        input_weights=outcome.input_weights[:, new],
    )
    assert other.is_same(expected)


@examples
@given(drawn(), st.booleans(), st.randoms(use_true_random=False))
def test_numbering_the_channels_otherwise_changes_nothing(case, inputs_learn, random):
    # Events of one µs may then stand in another order of channels too.
    if inputs_learn:
        case = case.with_learning_inputs()
    new = random.sample(range(case.n_inputs), case.n_inputs)
    channel = np.argsort(new)[case.channel]
    order = np.lexsort((channel, case.t))
    other = case.with_(
        inputs=case.inputs[new],
        input_delay=case.input_delay[new],
        t=case.t[order],
        channel=channel[order],
    ).learn()
    outcome = case.learn()
    assert other.is_same(outcome._replace(input_weights=outcome.input_weights[new]))


@examples
@given(drawn(), st.integers(1, 100_000))
def test_silence_after_the_sample_changes_nothing_in_it(case, silence):
    outcome, longer = case.learn(), case.learn(case.duration + silence)
    assert [s for s in longer.spikes if s[0] < case.duration] == outcome.spikes
    # 2 ms is the longest delay: if all was quiet before, no arrival is left to change a weight.
    if all(t < case.duration - 2000 for t, _ in longer.spikes):
        np.testing.assert_array_equal(longer.weights, outcome.weights)


@examples
@given(drawn(), st.integers(1, 10**12))
def test_silence_before_the_first_event_shifts_the_result(case, silence):
    case = case.undriven()  # a drive would not be silent
    outcome = case.learn()
    later = case.with_(t=case.t + silence).learn(case.duration + silence)
    assert later.is_same(outcome._replace(spikes=[(t + silence, i) for t, i in outcome.spikes]))


@examples
@given(drawn(), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_channels_without_synapses_change_nothing(case, n_more, seed):
    rng = np.random.default_rng(seed)
    outcome = case.learn()
    n_inputs, n_noise = case.n_inputs, 50
    empty = np.full((n_more, case.inputs.shape[1]), np.nan)
    t = np.concatenate([case.t, rng.integers(0, case.duration, n_noise)])
    order = np.argsort(t, kind="stable")
    noise = rng.integers(n_inputs, n_inputs + n_more, n_noise)
    noisy = case.with_(
        inputs=np.vstack([case.inputs, empty]),
        input_delay=np.vstack([case.input_delay, np.zeros_like(empty)]),
        t=t[order],
        channel=np.concatenate([case.channel, noise])[order],
    ).learn()
    assert noisy._replace(input_weights=noisy.input_weights[:n_inputs]).is_same(outcome)
    assert noisy.stats.n_input_events == outcome.stats.n_input_events + n_noise


@examples
@given(drawn(), st.booleans())
def test_counts_add_up(case, inputs_learn):
    if inputs_learn:
        case = case.with_learning_inputs()
    spikes, _, _, stats = case.learn()
    assert stats.n_spikes == len(spikes)
    assert stats.n_input_events == len(case.t)
    assert stats.duration == case.duration
    # Every synapse of every spike and event whose arrival lies within the sample; those that learn
    # are depressed once for it, and potentiated once for each spike of their target.
    excitatory = ~(case.recurrent < 0.0).any(axis=1)
    learns = [
        (case.inputs > 0.0) & excitatory if inputs_learn else np.zeros_like(case.inputs, bool),
        case.recurrent >= 0.0,
    ]
    n_arrivals, n_updates = [], 0
    for matrix, plastic, delay, sent in (
        (case.inputs, learns[0], case.input_delay, zip(case.t, case.channel, strict=True)),
        (case.recurrent, learns[1], case.recurrent_delay, spikes),
    ):
        n_arrivals.append(0)
        for t, source in sent:
            arrives = t + np.rint(delay[source] * 1000) < case.duration
            n_arrivals[-1] += int((~np.isnan(matrix[source]) & arrives).sum())
            n_updates += int((plastic[source] & arrives).sum())
        n_updates += sum(int(plastic[:, i].sum()) for _, i in spikes)
    assert [stats.n_input_synaptic_events, stats.n_synaptic_events] == n_arrivals
    assert stats.n_synaptic_operations == sum(n_arrivals)
    assert stats.n_weight_updates == n_updates


@examples
@given(drawn(), st.sampled_from([1.0, 40.0, 1e30]))
def test_weights_stay_in_bounds(case, factor):
    stdp = {k: v * (factor if k.startswith("a_") else 1.0) for k, v in case.stdp.items()}
    weights = case.with_(stdp=stdp).learn().weights
    plastic = case.recurrent >= 0
    assert (weights[plastic] >= 0.0).all()
    assert (weights[plastic] <= 4.0).all()
    fixed = case.recurrent < 0
    np.testing.assert_array_equal(weights[fixed], case.recurrent[fixed])


@examples
@given(drawn())
def test_spikes_are_sorted_within_the_sample_and_keep_their_distance(case):
    spikes = case.learn().spikes
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
    assert case.learn().is_same(case.learn())


@examples
@given(drawn())
def test_learning_by_nothing_is_not_learning(case):
    stdp = case.stdp | {name: 0.0 * case.stdp[name] for name in ("a_plus", "a_minus")}
    outcome = case.with_(stdp=stdp).learn()
    np.testing.assert_array_equal(outcome.weights, case.recurrent)
    assert outcome.spikes == case.network().run(case.events()).spikes.rows()
