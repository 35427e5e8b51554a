"""Samples shared out by joblib, by dask's workers among others: the bits of the serial run."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator

import joblib
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster
from gesture_models import N_NEURONS, classifier, events, fitted, gestures, network
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events import PoissonDrive
from hrsnn_rs.learning import (
    HRSNNClassifier,
    compare,
    parallel,
    parallel_features,
    parallel_transform,
)
from hrsnn_rs.network import default_network
from sklearn.model_selection import GroupKFold, cross_val_score


@contextlib.contextmanager
def workers(n_workers: int) -> Iterator[Client]:
    """Some workers of one thread each; all that listens does so on this machine alone."""
    with (
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # any free port: other clusters may be there
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with workers(2) as client:
        yield client


@pytest.mark.parametrize("backend", ["threading", "loky"])
@pytest.mark.parametrize("batch", [1, 7, 100])
def test_processes_and_threads_give_the_bits_of_the_serial_run(backend, batch):
    wanted = network().transform(events(), 3, windows="events", n_threads=1)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        found = parallel_transform(network(), iter(events()), 3, windows="events", batch=batch)
    assert found.dtype == wanted.dtype
    assert np.array_equal(found, wanted)
    assert np.array_equal(parallel_transform(network(), events(), 3, windows="events"), wanted)


@pytest.mark.parametrize("samples", [gestures, events, lambda: iter(events())])
def test_a_classifier_s_features_are_those_of_the_serial_run(samples):
    wanted = fitted().window_features(events())
    with joblib.parallel_config(backend="threading", n_jobs=2):
        found = parallel_features(fitted(), samples(), batch=8)
    assert np.array_equal(found, wanted)
    assert fitted().n_threads == 1


def test_a_table_is_shared_out_by_rows():
    random = np.random.default_rng(7)
    table, labels = random.normal(size=(30, 4)), np.arange(30) % 2
    table[:, 0] += 3.0 * labels
    clf = HRSNNClassifier(n_threads=1).fit(table, labels)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert np.array_equal(parallel_features(clf, table, batch=7), clf.window_features(table))


def test_no_sample_is_no_feature():
    found = parallel_transform(network(), [], 2)
    assert found.shape == (0, 2, N_NEURONS)


def test_a_worker_holds_one_model_and_not_a_stale_one():
    other = default_network(n_neurons=N_NEURONS, seed=1)
    for one in (network(), other, network()):
        found = parallel_transform(one, events()[:4])
        assert np.array_equal(found, one.transform(events()[:4], n_threads=1))
        assert len(parallel._HELD) == 1


def test_dask_gives_the_bits_of_the_serial_run(client):
    wanted = fitted().window_features(events())
    transformed = network().transform(events(), n_threads=1)
    with joblib.parallel_config(backend="dask"):
        assert np.array_equal(parallel_features(fitted(), gestures(), batch=4), wanted)
        assert np.array_equal(parallel_transform(network(), events(), batch=4), transformed)
    # Both had work, and neither more threads than its own.
    assert len(set(client.run(os.getpid).values())) == 2


def test_cross_validation_by_dask_is_the_serial_one(client):
    def scores() -> np.ndarray:
        data = gestures()
        return cross_val_score(
            classifier(), data, data.labels, groups=data.groups, cv=GroupKFold(3)
        )

    wanted = scores()
    with joblib.parallel_config(backend="dask"):
        assert np.array_equal(scores(), wanted)


def test_a_cluster_of_one_worker_gives_the_bits_too():
    with workers(1), joblib.parallel_config(backend="dask"):
        found = parallel_transform(network(), events(), batch=8)
    assert np.array_equal(found, network().transform(events(), n_threads=1))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
@pytest.mark.parametrize("deaths", [(100,), (100, 200)])
def test_a_killed_worker_loses_nothing(deaths):
    """Not even what it alone had been sent, nor where none that had been sent it is left."""
    wanted = network().transform(events() * 10, n_threads=1)
    with workers(2) as client:
        victims = list(client.run(os.getpid).values())[: len(deaths)]

        def samples():
            for place, one in enumerate(events() * 10):
                if place in deaths:
                    os.kill(victims[deaths.index(place)], signal.SIGKILL)
                time.sleep(0.004)
                yield one

        with joblib.parallel_config(backend="dask"):
            found = parallel_transform(network(), samples(), batch=8)
        assert np.array_equal(found, wanted)
        client.wait_for_workers(2, timeout=30)
        assert not set(victims) & set(client.run(os.getpid).values())


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_rows_of_a_table_outlive_their_worker():
    random = np.random.default_rng(7)
    table, labels = random.normal(size=(400, 40)), np.arange(400) % 2
    table[:, 0] += 3.0 * labels
    clf = HRSNNClassifier(n_threads=1).fit(table[:40], labels[:40])
    with workers(2) as client:
        victim = next(iter(client.run(os.getpid).values()))
        fuse = threading.Timer(0.3, os.kill, (victim, signal.SIGKILL))
        fuse.start()
        with joblib.parallel_config(backend="dask"):
            found = parallel_features(clf, table, batch=10)
        fuse.join()
    assert np.array_equal(found, clf.window_features(table))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"network": None}, "network must be a Network"),
        ({"batch": 0}, "batch must be"),
        ({"batch": None}, "batch must be"),
        ({"n_windows": 0}, "n_windows must be"),
        ({"windows": "neither"}, "windows must be"),
        ({"n_threads": 2}, "n_threads must be left out; got 2"),
        ({"return_stats": True}, "return_stats must be left out; got True"),
        ({"drive": PoissonDrive([1.0])}, "drive must be left out; got PoissonDrive"),
    ],
)
def test_nonsense_is_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        parallel_transform(**{"network": network(), "samples": events(), **arguments})


def test_bad_samples_and_classifiers_are_refused():
    with pytest.raises(ParameterError, match="classifier must be a HRSNNClassifier"):
        parallel_features(network(), events())
    with pytest.raises((ParameterError, ShapeError), match="channel"):
        parallel_transform(network(), [([0], [9999])])


@pytest.mark.filterwarnings("ignore::hrsnn_rs.CalibrationWarning")
@pytest.mark.parametrize(
    ("backend", "layers"),
    [("threading", "recurrent"), ("loky", "recurrent"), ("threading", "stacked")],
)
def test_rows_of_compare_are_those_of_the_serial_run(backend, layers):
    n_neurons = 30

    def made(seed):
        return default_network(n_neurons=n_neurons, seed=seed)

    words = {"memory": False, "n_windows": 2, "variants": ["HeNHeS"], "layers": layers}
    words |= {"controls": ["untrained"], "features": [], "seeds": [0], "folds": 2}
    words |= {"n_neurons": 30} if layers == "stacked" else {"make_network": made}
    serial = compare(gestures(), **words)
    told = []
    with joblib.parallel_config(backend=backend, n_jobs=2):
        found = compare(gestures(), progress=lambda *step: told.append(step), **words)
    assert found.drop("seconds").equals(serial.drop("seconds"))
    # Before these it says which clips are being encoded.
    assert [done for done, _, _ in told[-3:]] == [0, 2, 4]


@pytest.mark.filterwarnings("ignore::hrsnn_rs.CalibrationWarning")
def test_rows_of_compare_by_dask_are_those_of_the_serial_run(client):
    words = {"memory": False, "n_windows": 2, "variants": ["HeNHeS"], "n_neurons": 30}
    words |= {"controls": ["untrained"], "features": [], "seeds": [0], "folds": 2}
    serial = compare(gestures(), **words)
    with joblib.parallel_config(backend="dask"):
        found = compare(gestures(), **words)
    assert found.drop("seconds").equals(serial.drop("seconds"))
