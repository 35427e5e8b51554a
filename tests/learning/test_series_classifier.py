"""Time series go into the classifier through an encoder of theirs, and come back from a file."""

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.encoding import GaussianFields, LevelCrossing

ENCODERS = {
    "LevelCrossing": LevelCrossing(n_columns=2, delta=0.2, dt=10.0),
    "GaussianFields": GaussianFields(n_columns=2, low=-1.0, high=1.0, dt=10.0),
}


def series(n: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """One column swings widely, the other a little; which of them is the class."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % 2
    angle = 40.0 * np.arange(60)[:, None] * 0.01 + random.uniform(0.0, 6.0, (n, 1, 2))
    height = np.stack([np.where(y, 1.0, 0.2), np.where(y, 0.2, 1.0)], axis=1)
    return list(height[:, None, :] * np.sin(angle)), y


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("as_array", [False, True])
def test_series_are_learned_and_kept_in_a_file(name, as_array, tmp_path):
    encoder = ENCODERS[name]
    samples, y = series(24, seed=1)
    network = hr.Network(
        encoder.n_channels, 60, inputs=hr.RandomConnectivity(p=0.5, weight=5.0), seed=2
    )
    classifier = hr.HRSNNClassifier(network=network, encoder=encoder, epochs=0, rate=None)
    classifier.fit(np.array(samples) if as_array else samples, y)
    fresh, truth = series(24, seed=2)
    assert classifier.score(fresh, truth) > 0.8
    classifier.save(tmp_path / "classifier.safetensors")
    again = hr.HRSNNClassifier.load(tmp_path / "classifier.safetensors")
    assert again.encoder_ == encoder
    assert np.array_equal(again.decision_function(fresh), classifier.decision_function(fresh))
    encoded = [encoder(one) for one in fresh]
    assert np.array_equal(again.decision_function(encoded), classifier.decision_function(fresh))


def test_a_wrong_series_is_refused_by_its_place():
    samples, y = series(4, seed=1)
    samples[2] = samples[2][:, :1]
    classifier = hr.HRSNNClassifier(encoder=ENCODERS["LevelCrossing"])
    with pytest.raises(
        hr.ShapeError, match=r"samples\[2\]: series must have shape .*got \(60, 1\)"
    ):
        classifier.fit(samples, y)
