"""Mistakes that came through as errors of Python or NumPy."""

import hrsnn_rs as hr
import numpy as np
import pandas as pd
import pytest
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.learning import HRSNNClassifier, LiveStream, Readout

NETWORK = hr.Network(2, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
CLIPS = [hr.Events([1, 2000 + 900 * k], [0, k % 2], n_channels=2) for k in range(8)]
LABELS = np.tile([0, 1], 4)


@pytest.fixture(scope="module")
def classifier():
    return HRSNNClassifier(network=NETWORK, epochs=0, rate=None).fit(CLIPS, LABELS)


@pytest.mark.parametrize("metadata", ["abc", [1], 5, "", 0])
def test_metadata_must_be_a_mapping(classifier, metadata, tmp_path):
    with pytest.raises(ParameterError, match="metadata must be a mapping; got "):
        classifier.save(tmp_path / "model", metadata=metadata)
    assert not [*tmp_path.iterdir()]


def test_the_file_of_a_network_is_no_classifier(tmp_path):
    NETWORK.save(tmp_path / "network")
    with pytest.raises(FormatError, match=r"but a network.s, which Network\.load reads"):
        HRSNNClassifier.load(tmp_path / "network")


def test_a_stream_needs_its_classifier(tmp_path):
    with pytest.raises(ParameterError, match="classifier must be a fitted HRSNNClassifier; got No"):
        LiveStream.load(tmp_path / "stream", None)


def test_a_column_of_events_is_samples(classifier):
    column = pd.Series(CLIPS)
    assert classifier.predict(column).tolist() == classifier.predict(CLIPS).tolist()


def test_weights_have_a_most():
    table = np.random.default_rng(2).poisson(3.0, (40, 6))
    labels = np.repeat([0, 1], 20)
    with pytest.raises(ParameterError, match=r"sample_weight must be at most .*got 1e\+307 at"):
        Readout().fit(table, labels, sample_weight=np.full(40, 1e307))
    with pytest.raises(ParameterError, match=r"class_weight must be at most .*1e\+307 for 0"):
        Readout(class_weight={0: 1e307, 1: 1}).fit(table, labels)
    same = Readout(class_weight={0: 1e60, 1: 1e60})
    same.fit(table, labels, sample_weight=np.full(40, 1e60))
    assert np.isfinite(same.coef_).all()
