"""Networks whose neurons compete: in runs, files and copies; the core proves the rule itself."""

import hrsnn_rs as hr
import numpy as np
import pytest
from scipy import sparse

EVENTS = hr.Events([1000, 2000, 30_000], [0, 0, 0], n_channels=1, duration=40_000)


def network(weights=(16.0, 20.0, 18.0, 17.0), **competition):
    n = len(weights)
    return hr.Network.from_arrays(
        inputs=sparse.csr_array(np.array([weights])),
        recurrent=sparse.csr_array((n, n)),
        competition=hr.Competition(**{"groups": 2} | competition),
    )


def test_only_the_one_that_is_driven_furthest_spikes():
    spikes = network().run(EVENTS).spikes
    assert spikes.filter(spikes["t"] == 1000)["neuron"].to_list() == [1, 2]


@pytest.mark.parametrize(
    ("competition", "winner"),
    [
        ({}, 1),  # the loser is still some 12 mV below rest
        ({"inhibition": 0.5}, 0),  # it kept 14.5 mV, and has 12 of them left
        ({"inhibition": 0.5, "hold": 4.0}, 0),  # what arrives at the end of the hold counts,
        ({"inhibition": 0.5, "hold": 4.001}, 1),  # before it is lost
    ],
)
def test_the_others_are_held_down_as_far_and_as_long_as_asked(competition, winner):
    events = hr.Events([1000, 5000], [0, 0], n_channels=1, duration=10_000)
    spikes = network((19.0, 20.0), **competition).run(events).spikes
    assert spikes.rows() == [(1000, 1), (5000, winner)]


def test_groups_of_one_do_not_compete():
    assert network((19.0, 20.0), groups=1).run(EVENTS).stats.n_spikes == 4


@pytest.mark.parametrize("groups", [2, [7, 7, -1, -1]])
def test_it_is_saved_copied_and_pickled(groups, tmp_path):
    import pickle

    made = network(groups=groups, inhibition=5.0, hold=1.5)
    made.save(tmp_path / "net.safetensors")
    for other in (
        hr.Network.load(tmp_path / "net.safetensors"),
        made.copy(),
        pickle.loads(pickle.dumps(made)),
    ):
        assert other.run(EVENTS).spikes.equals(made.run(EVENTS).spikes)
        assert other._competition.inhibition == 5.0
        assert other._competition.hold == 1.5


def learner(norm="l1"):
    return hr.Network(
        20,
        6,
        inputs=hr.RandomConnectivity(p=1.0, weight=hr.Uniform(1.0, 5.0)),
        plasticity=hr.STDP(a_plus=0.5, a_minus=0.0, w_max=100.0, inputs=True),
        inhibitory_fraction=0.0,
        normalize_inputs=True,
        norm=norm,
        adaptive_threshold=hr.AdaptiveThreshold(theta_plus=0.5),
        competition=hr.Competition(6),
        seed=3,
    )


def samples(n=10):
    random = np.random.default_rng(0)
    return [
        hr.Events(np.sort(random.integers(0, 50_000, 60)), random.integers(0, 20, 60), 20, 50_000)
        for _ in range(n)
    ]


@pytest.mark.parametrize(("norm", "order"), [("l1", 1), ("l2", 2)])
def test_input_weights_keep_their_norm_and_learn(norm, order):
    net = learner(norm)
    before = net.input_weights.toarray()
    assert net.train(samples()).n_weight_updates > 0
    after = net.input_weights.toarray()
    assert not np.allclose(before, after)
    np.testing.assert_allclose(
        np.linalg.norm(after, order, axis=0), np.linalg.norm(before, order, axis=0), rtol=1e-5
    )


@pytest.mark.parametrize("n_threads", [1, 2, 7])
def test_threads_change_no_bit(n_threads):
    one, other = learner(), learner()
    one.train(samples(), n_threads=1)
    other.train(samples(), n_threads=n_threads)
    assert (one.input_weights != other.input_weights).nnz == 0
    np.testing.assert_array_equal(one.theta, other.theta)


def test_theta_is_kept_read_and_set():
    net = learner()
    net.train(samples())
    risen = net.theta
    assert risen.max() > 0.4
    other = learner()
    other.theta = risen
    np.testing.assert_array_equal(other.theta, risen)
    other.theta = 2.0
    np.testing.assert_array_equal(other.theta, 2.0)
    with pytest.raises(hr.ParameterError, match=r"^theta must be finite; got nan at neuron 1\.$"):
        net.theta = [0.0, np.nan, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("batch", [1, 3])
def test_learning_rates_scale_what_is_learned(batch):
    still, same, half = learner(), learner(), learner()
    weights = still.input_weights.toarray()
    still.train(samples(), learning_rate=0.0, batch=batch)
    np.testing.assert_allclose(still.input_weights.toarray(), weights, rtol=1e-5)
    usual = learner()
    usual.train(samples(), batch=batch)
    same.train(samples(), learning_rate=np.ones(10), batch=batch)
    assert (same.input_weights != usual.input_weights).nnz == 0
    half.train(samples(), learning_rate=0.5, batch=batch)
    change = [np.abs(n.input_weights.toarray() - weights).sum() for n in (half, usual)]
    assert change[0] < change[1]


def test_too_few_learning_rates_are_refused():
    with pytest.raises(hr.ShapeError, match="must have a value for each of 10 samples; got 9"):
        learner().train(samples(), learning_rate=[1.0] * 9)
    with pytest.raises(hr.ParameterError, match=r"^learning_rate must be in \[0, 1e30\]; got -1.0"):
        learner().train(samples(), learning_rate=[1.0, -1.0])


def test_another_schedule_is_another_training(tmp_path):
    learner().train(samples(), checkpoint=tmp_path, learning_rate=0.5)
    with pytest.raises(hr.ParameterError, match="learning_rate"):
        learner().train(samples(), checkpoint=tmp_path)


@pytest.mark.parametrize("features", ["counts", "lowpass", "both"])
def test_pools_are_sums_over_their_neurons(features):
    net = learner()
    pools = np.array([1, 0, 1, -1, 0, 1])
    words = {"n_windows": 3, "features": features}
    whole = net.transform(samples(), **words)
    pooled = net.transform(samples(), pools=pools, **words)
    assert pooled.shape == (10, 3, 4 if features == "both" else 2)
    kinds = np.split(whole, 2, axis=2) if features == "both" else [whole]
    expected = [kind[:, :, pools == pool].sum(2) for kind in kinds for pool in (0, 1)]
    np.testing.assert_allclose(pooled, np.stack(expected, axis=2), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("pools", "words"),
    [
        ([0, 0], "pools must have length 6; got shape (2,)."),
        ([0.0] * 6, "pools must hold whole numbers"),
        ([0, 0, 6, 0, 0, 0], "pools must be -1 (none) or below 6; got 6 at neuron 2."),
        ([-1] * 6, "pools must hold a pool; got -1 for every neuron."),
    ],
)
def test_nonsense_in_pools_is_refused(pools, words):
    import re

    with pytest.raises((hr.ParameterError, hr.ShapeError), match="^" + re.escape(words)):
        learner().transform(samples(), pools=pools)


def test_a_network_is_calibrated_to_spikes():
    net = hr.Network(20, 30, inputs=hr.RandomConnectivity(p=0.5, weight=1.0))
    found = net.calibrate(samples(), spikes=40.0)
    stats = net.transform(samples(), return_stats=True)[1]
    assert np.mean([s.n_spikes for s in stats]) == pytest.approx(40.0, rel=0.1)
    assert found.rate == pytest.approx(40.0 / (30 * 0.05), rel=0.1)
    with pytest.raises(hr.ParameterError, match="rate must be None where spikes is given"):
        net.calibrate(samples(), spikes=40.0, rate=3.0)
