"""Training in batches: the same bits for any number of threads, and one by one where asked."""

import itertools
import signal

import hrsnn_rs as hr
import killed_training
import numpy as np
import pytest
from hrsnn_rs.learning.classifier import HRSNNClassifier
from hrsnn_rs.network.checkpoint import digest
from hrsnn_rs.network.training import batches

N_SAMPLES = killed_training.N_SAMPLES


class Stop(Exception):  # noqa: N818 - not an error of the library
    """Raised by samples that end too early."""


def state(net) -> str:
    return digest(net._assembly(), net._gain)


def counts(stats) -> dict:
    values = stats.to_dict()
    assert values.pop("wall_time") > 0.0
    return values


@pytest.fixture(scope="module")
def samples():
    return killed_training.samples()


def trained(samples, **options):
    net = killed_training.network()
    stats = net.train(samples, **options)
    return state(net), counts(stats)


@pytest.fixture(scope="module")
def whole(samples):
    """Two passes in batches of 5: the last batch of each pass is smaller."""
    return trained(samples, epochs=2, batch=5, n_threads=1)


def test_threads_change_no_bit(samples, whole):
    for n_threads in (2, 4, None):
        assert trained(samples, epochs=2, batch=5, n_threads=n_threads) == whole


def test_a_batch_of_one_is_sequential_and_the_default(samples):
    one_by_one = killed_training.network()
    for sample in samples:
        one_by_one.run(sample, learn=True)
    state_of_one, counts_of_one = trained(samples, batch=1)
    assert state_of_one == state(one_by_one)
    assert trained(samples) == (state_of_one, counts_of_one)
    assert trained(samples, batch=2)[0] != state_of_one
    # A single sample is what it is alone, whatever the batch.
    assert trained(samples[:1], batch=7) == trained(samples[:1])


def test_counts_are_those_of_the_samples(samples):
    net = killed_training.network()
    before = [net.copy() for _ in samples[:4]]
    alone = [
        twin.run(sample, learn=True).stats for twin, sample in zip(before, samples, strict=False)
    ]
    together = net.train(samples[:4], batch=4)
    assert counts(together) == counts(hr.RunStats.total(alone))


def test_weights_stay_within_their_bounds():
    # Every sample alone takes each weight some way up: a hundred of them end at the bound.
    net = hr.Network(
        1,
        2,
        inputs=hr.RandomConnectivity(p=1.0, weight=20.0, delay=np.array([0.0, 3.0])),
        recurrent=hr.RandomConnectivity(p=1.0, weight=0.5),
        plasticity=hr.STDP(a_plus=0.05, a_minus=0.0, w_max=1.0),
        inhibitory_fraction=0.0,
    )
    sample = hr.Events([0, 9000], [0, 0], 1, duration=20_000)
    net.copy().train([sample] * 2, batch=2)
    net.train([sample] * 100, batch=100)
    weights = net.recurrent_weights.data
    assert weights.max() == 1.0
    assert weights.min() >= 0.5


@pytest.mark.parametrize("batch", [0, -1, 1.5, "4", None, True, 2**16 + 1])
def test_nonsense_is_refused(samples, batch):
    net = killed_training.network()
    with pytest.raises(hr.ParameterError, match="batch"):
        net.train(samples, batch=batch)


def test_a_bad_sample_is_named_and_its_batch_is_not_learned(samples):
    net, right = killed_training.network(), killed_training.network()
    wrong = hr.Events([0], [0], killed_training.N_INPUTS + 1)
    with pytest.raises(hr.ShapeError, match=r"samples\[4\]"):
        net.train([*samples[:4], wrong], batch=3)
    right.train(samples[:3], batch=3)
    assert state(net) == state(right)


def test_samples_of_a_batch_are_numbered_through():
    sample = ([5], [1])
    assert [len(together) for together in batches([sample] * 7, 2, 3)] == [3, 3, 1]
    assert list(batches([], 2, 3)) == []
    with pytest.raises(hr.ParameterError, match=r"samples\[6\]"):
        list(batches([sample] * 4 + [([5], [9])], 2, 3, start=2))


# --- checkpoints ----------------------------------------------------------------------------


@pytest.mark.parametrize(("after", "every"), [(0, 1), (4, 1), (5, 1), (11, 6), (12, None)])
def test_a_stopped_training_goes_on_at_a_batch(tmp_path, samples, after, every):
    def stopping():
        yield from itertools.islice(samples, after)
        raise Stop

    right = trained(samples, batch=5)
    net = killed_training.network()
    options = {"checkpoint": tmp_path, "checkpoint_every": every, "batch": 5}
    with pytest.raises(Stop):
        net.train(stopping(), **options)
    newest = max(path.name for path in tmp_path.iterdir())
    assert newest == f"checkpoint-{after // 5 * 5:012d}.safetensors"
    for one in (net, killed_training.network()):
        stats = one.train(iter(samples), n_threads=2, **options)
        assert (state(one), counts(stats)) == right


def test_batches_of_another_size_are_refused(tmp_path, samples):
    net = killed_training.network()
    net.train(samples, checkpoint=tmp_path, batch=4)
    for batch in (1, 5):
        with pytest.raises(hr.ParameterError, match=f"batch is 4, not {batch}"):
            killed_training.network().train(samples, checkpoint=tmp_path, batch=batch)


# As in test_checkpoint.py: the signal may come between opening a folder and closing it.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("with_checkpoint", [True, False])
def test_ctrl_c_leaves_the_state_before_the_batch_it_hit(tmp_path, samples, with_checkpoint):
    many = samples * 3
    marks = {state(killed_training.network())}
    net = killed_training.network()
    for start in range(0, len(many), 4):
        net.train(many[start : start + 4], batch=4)
        marks.add(state(net))
    last = state(net)
    options = {"checkpoint": tmp_path} if with_checkpoint else {}
    n_hits = 0
    for attempt in itertools.count():
        net = killed_training.network()
        before = signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.03 + 0.07 * attempt)
        try:
            net.train(many, batch=4, **options)
            signal.setitimer(signal.ITIMER_REAL, 0)
            break
        except KeyboardInterrupt:
            n_hits += 1
            assert state(net) in marks
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    assert n_hits >= 1
    assert state(net) == last


# --- classifier -----------------------------------------------------------------------------


def test_the_classifier_hands_it_on_and_keeps_it(tmp_path, samples):
    labels = [0, 1] * (N_SAMPLES // 2)

    def fitted(**options):
        network = killed_training.network()
        classifier = HRSNNClassifier(network=network, rate=None, n_windows=2, **options)
        return classifier.fit(samples, labels)

    classifier = fitted(batch=5)
    assert state(classifier.network_) == trained(samples, batch=5)[0]
    assert state(fitted().network_) == trained(samples)[0]
    classifier.save(tmp_path / "model")
    assert HRSNNClassifier.load(tmp_path / "model").batch == 5
    with pytest.raises(hr.ParameterError, match="batch"):
        fitted(batch=0)


@pytest.mark.parametrize("kind", [list, iter])
def test_rates_that_no_sample_has_are_refused(tmp_path, kind):
    net = hr.Network(
        3, 5, recurrent=hr.RandomConnectivity(p=0.5), plasticity=hr.STDP(), dtype="float64"
    )
    sample = hr.Events([0, 10, 20], [0, 1, 2], n_channels=3, duration=1000)
    with pytest.raises(hr.ShapeError, match="a value for each of 2 samples; got 5"):
        net.train(kind([sample, sample]), learning_rate=[1.0] * 5)
    with pytest.raises(hr.ShapeError, match="a value for each of 2 samples; got 5"):
        net.train(kind([sample, sample]), learning_rate=[1.0] * 5, checkpoint=tmp_path / "five")
    kept = {"learning_rate": [1.0] * 2, "checkpoint": tmp_path / "two"}
    for _ in range(2):  # the second time all is done
        assert net.train(kind([sample, sample]), **kept).n_input_events == 6
    assert net.train(kind([sample, sample]), learning_rate=[1.0] * 2).n_input_events == 6
