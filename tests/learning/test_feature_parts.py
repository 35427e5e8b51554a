"""Features as a folder of parts: those of `transform`, also after a stop, and no others'."""

import json

import joblib
import numpy as np
import polars as pl
import pytest
from gesture_models import classifier, events, fitted, gestures, network
from hrsnn_rs.datasets import make_gestures
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.learning import HRSNNClassifier, features_to_parquet, parallel_features
from hrsnn_rs.network import default_network
from sklearn.exceptions import NotFittedError


def features(table: pl.LazyFrame) -> np.ndarray:
    whole = table.collect()
    n_windows = whole["window"].max() + 1
    assert (
        whole["sample"].to_list() == np.repeat(range(len(whole) // n_windows), n_windows).tolist()
    )
    return whole["features"].to_numpy().reshape(-1, n_windows, whole["features"].dtype.size)


@pytest.mark.parametrize("backend", ["threading", "loky"])
@pytest.mark.parametrize("batch", [1, 8, 100])
def test_parts_hold_the_bits_of_transform(tmp_path, backend, batch):
    wanted = network().transform(events(), 3, windows="events", n_threads=1)
    told = []
    with joblib.parallel_config(backend=backend, n_jobs=2):
        table = features_to_parquet(
            network(),
            events(),
            tmp_path / "parts",
            batch=batch,
            n_windows=3,
            windows="events",
            progress=lambda *step: told.append(step),
        )
    assert np.array_equal(features(table), wanted)
    n_parts = -(-len(events()) // batch)
    assert told[0][:2] == (0, n_parts)
    assert told[-1][:2] == (n_parts, n_parts)


@pytest.mark.parametrize("samples", [gestures, events, lambda: iter(events())])
def test_a_classifier_s_features_of_data_sets_and_iterators(tmp_path, samples):
    table = features_to_parquet(fitted(), samples(), tmp_path, batch=8)
    assert np.array_equal(features(table), fitted().window_features(events()))


class StoppedError(Exception):
    """What ends a run half-way."""


def test_a_run_goes_on_where_it_was_stopped(tmp_path):
    def stopped():
        for place, one in enumerate(events()):
            if place == 20:
                raise StoppedError
            yield one

    with pytest.raises(StoppedError):
        features_to_parquet(network(), stopped(), tmp_path, batch=4)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}
    assert 1 <= len(before) <= 5
    (tmp_path / "0000003-of-a-killed.parquet.77.part").write_bytes(b"half")
    table = features_to_parquet(network(), events(), tmp_path, batch=4)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert np.array_equal(features(table), network().transform(events(), n_threads=1))


def test_more_samples_make_more_parts(tmp_path):
    features_to_parquet(network(), events()[:16], tmp_path, batch=8)
    table = features_to_parquet(network(), events(), tmp_path, batch=8)
    assert np.array_equal(features(table), network().transform(events(), n_threads=1))


@pytest.mark.parametrize(("before", "now"), [(5, 7), (8, 9), (9, 33), (31, 33)])
def test_a_last_part_that_was_not_full_is_made_anew(tmp_path, before, now):
    features_to_parquet(network(), events()[:before], tmp_path, batch=8)
    table = features_to_parquet(network(), events()[:now], tmp_path, batch=8)
    wanted = network().transform(events()[:now], n_threads=1)
    assert np.array_equal(features(table), wanted)
    assert np.array_equal(features(pl.scan_parquet(tmp_path / "*.parquet")), wanted)


@pytest.mark.parametrize("damage", [b"", b"PAR1", None])
def test_a_part_that_is_not_whole_is_made_anew(tmp_path, damage):
    features_to_parquet(network(), events(), tmp_path, batch=8)
    first, second, *_ = sorted(tmp_path.glob("*.parquet"))
    first.write_bytes(second.read_bytes() if damage is None else damage)
    table = features_to_parquet(network(), events(), tmp_path, batch=8)
    assert np.array_equal(features(table), network().transform(events(), n_threads=1))


def test_a_part_in_which_a_bit_has_flipped_is_made_anew(tmp_path):
    wanted = features(features_to_parquet(network(), events(), tmp_path, batch=5))
    paths = sorted(tmp_path.glob("*.parquet"))
    stood = {path: path.read_bytes() for path in paths}
    # Such a file is whole to Parquet; of those below polars may die.
    other = pl.read_parquet(paths[0])
    numbers = other["features"].to_numpy().copy()
    numbers.view(np.uint32)[0, 0] ^= 1
    other.with_columns(features=numbers).write_parquet(paths[0])
    for path, at in zip(paths[1:4], (5, 500, -20), strict=True):
        flipped = bytearray(stood[path])
        flipped[at] ^= 1
        path.write_bytes(flipped)
    times = {path: path.stat().st_mtime_ns for path in paths[4:]}
    assert times
    table = features_to_parquet(network(), events(), tmp_path, batch=5)
    assert np.array_equal(features(table), wanted)
    assert {path: path.read_bytes() for path in tmp_path.glob("*.parquet")} == stood
    assert {path: path.stat().st_mtime_ns for path in paths[4:]} == times


def test_what_was_left_beside_a_whole_part_is_removed(tmp_path):
    features_to_parquet(network(), events(), tmp_path, batch=8)
    first, second, *_ = paths = sorted(tmp_path.glob("*.parquet"))
    (tmp_path / f"{first.stem[:-16]}{'0' * 16}.parquet").write_bytes(second.read_bytes())
    features_to_parquet(network(), events(), tmp_path, batch=8)
    assert sorted(tmp_path.glob("*.parquet")) == paths


def test_the_same_options_in_other_words_are_the_same(tmp_path):
    features_to_parquet(network(), events()[:4], tmp_path, n_windows=2, windows="events")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    features_to_parquet(network(), events()[:4], tmp_path, windows="events", n_windows=np.int64(2))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_a_classifier_of_encoded_events_has_no_encoder(tmp_path):
    clf = classifier().fit(events(), gestures().labels)
    assert clf.encoder_ is None
    table = features_to_parquet(clf, events(), tmp_path)
    assert np.array_equal(features(table), clf.window_features(events()))


@pytest.mark.parametrize(
    "form",
    [
        np.asarray,
        lambda table: table.astype(object),
        lambda table: pl.DataFrame(table, schema=[*"abcd"], orient="row"),
        list,
    ],
)
def test_rows_of_tables_are_told_apart_by_their_numbers(tmp_path, form):
    random = np.random.default_rng(7)
    table, labels = random.normal(size=(30, 4)), np.arange(30) % 2
    clf = HRSNNClassifier(n_threads=1).fit(form(table), labels)
    for _ in range(2):
        found = features_to_parquet(clf, form(table), tmp_path, batch=8)
        assert np.array_equal(features(found), clf.window_features(form(table)))
    with pytest.raises(ParameterError, match="part 0 is of other ones"):
        features_to_parquet(clf, form(table + 3.0), tmp_path, batch=8)


def test_parameters_of_another_fit_are_refused(tmp_path):
    clf = classifier().fit(gestures())
    clf.set_params(n_windows=3)
    for work in (parallel_features, lambda *both: features_to_parquet(*both, tmp_path / "parts")):
        with pytest.raises(ParameterError, match="n_windows must be 2, with which"):
            work(clf, events())
    assert not (tmp_path / "parts").exists()


def test_what_gives_nothing_before_all_is_done_is_refused(tmp_path):
    with (
        joblib.parallel_config(backend="multiprocessing", n_jobs=2),
        pytest.raises(ParameterError, match="backend must be one that gives results as they come"),
    ):
        features_to_parquet(network(), events(), tmp_path / "parts")


def test_few_samples_are_read_ahead_of_what_is_written(tmp_path):
    ahead = []

    def drawn():
        for place, one in enumerate(events() * 3):
            ahead.append(place // 2 - len(list(tmp_path.glob("*.parquet"))))
            yield one

    with joblib.parallel_config(backend="threading", n_jobs=2):
        features_to_parquet(network(), drawn(), tmp_path, batch=2)
    assert max(ahead) <= 16


def test_parts_of_something_else_are_refused(tmp_path):
    features_to_parquet(network(), events()[:16], tmp_path, batch=8)
    with pytest.raises(ParameterError, match="folder must hold parts of batch 4"):
        features_to_parquet(network(), events(), tmp_path, batch=4)
    with pytest.raises(ParameterError, match="folder must hold parts of options"):
        features_to_parquet(network(), events(), tmp_path, batch=8, n_windows=2)
    with pytest.raises(ParameterError, match="folder must hold parts of model"):
        features_to_parquet(default_network(n_neurons=40), events(), tmp_path, batch=8)
    with pytest.raises(ParameterError, match="part 1 is of other ones"):
        features_to_parquet(network(), events()[:8] + events()[:8], tmp_path, batch=8)
    dataset = tmp_path / "gestures"
    features_to_parquet(fitted(), gestures(), dataset, batch=8)
    with pytest.raises(ParameterError, match="part 0 is of other ones"):
        features_to_parquet(fitted(), gestures().subset(range(5, 33)), dataset, batch=8)
    with pytest.raises(ParameterError, match="part 0 is of other ones"):
        features_to_parquet(fitted(), make_gestures(3, 1, seed=5), dataset, batch=8)


def test_folders_of_something_else_are_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(ParameterError, match="folder must be new, empty or of parts"):
        features_to_parquet(network(), events(), tmp_path)
    with pytest.raises(ParameterError, match="folder must be new, empty or of parts"):
        features_to_parquet(network(), events(), tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    for text in ("{", json.dumps([1])):
        (tmp_path / "settings.json").write_text(text)
        with pytest.raises((FormatError, ParameterError), match="must"):
            features_to_parquet(network(), events(), tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": 3}, "model must be a Network or a HRSNNClassifier"),
        ({"batch": 0}, "batch must be"),
        ({"folder": 3}, "folder must be"),
        ({"n_threads": 2}, "n_threads must be left out"),
        ({"n_windows": 0}, "n_windows must be"),
        ({"bogus": 1}, "bogus"),
    ],
)
def test_nonsense_is_refused(tmp_path, arguments, message):
    wanted = {"model": network(), "samples": events(), "folder": tmp_path / "parts", **arguments}
    with pytest.raises((ParameterError, TypeError), match=message):
        features_to_parquet(**wanted)
    assert not (tmp_path / "parts").exists()


def test_no_sample_and_no_fit_are_refused(tmp_path):
    with pytest.raises(ShapeError, match="at least one sample"):
        features_to_parquet(network(), [], tmp_path / "none")
    assert not (tmp_path / "none").exists()
    with pytest.raises(NotFittedError):
        features_to_parquet(HRSNNClassifier(), events(), tmp_path / "none")
    with pytest.raises(ParameterError, match="options must be those of a network"):
        features_to_parquet(fitted(), events(), tmp_path / "other", n_windows=2)
