"""Early recognition: the scores of a stream, and every clip cut where it says."""

import numpy as np
import pytest
from hrsnn_rs import HRSNNClassifier
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning import early_recognition
from live_models import bar, classifier

CLIPS = [bar(bool(k % 2), 60 + k) for k in range(6)]
LABELS = ["flat", "upright"] * 3


@pytest.mark.parametrize("kind", ["features", "stacked"])
def test_a_stream_says_the_same_when_it_has_come_so_far(kind):
    model = classifier(kind)
    shares = [0.3, 0.5, 1.0]
    table = early_recognition(model, CLIPS, LABELS, shares=shares)
    right, seen = np.zeros((6, 3), bool), np.zeros((6, 3))
    for row, clip in enumerate(CLIPS):
        stream, first = model.stream(window=clip.duration / 1000.0), int(clip.t[0])
        for column, share in enumerate(shares):
            until = first + int(np.ceil(share * (clip.duration - first)))
            inside = slice(*np.searchsorted(clip.t, [max(stream.t, first), until]))
            stream.push(
                (clip.t[inside], clip.x[inside], clip.y[inside], clip.p[inside]), until=until
            )
            right[row, column] = stream.score().label == LABELS[row]
            seen[row, column] = (until - first) / 1000.0
    assert table["accuracy"].to_list() == right.mean(axis=0).tolist()
    assert table["seen"].to_list() == seen.mean(axis=0).tolist()
    assert table["n_samples"].to_list() == [6, 6, 6]
    assert table["accuracy"][-1] == model.score(CLIPS, LABELS)


def test_pairs_bring_labels_and_classes_that_are_unknown_are_wrong():
    pairs = list(zip(CLIPS, ["flat", "?"] * 3, strict=True))
    table = early_recognition(classifier("features"), pairs, shares=[1.0])
    assert table["accuracy"][0] == np.mean(classifier("features").predict(CLIPS[::2]) == "flat") / 2


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"shares": []}, ShapeError, "shares must have 1 dimension"),
        ({"shares": [0.0]}, ParameterError, "shares must be above 0"),
        ({"shares": [1.1]}, ParameterError, "shares must be above 0"),
        ({"shares": [0.5, 0.5]}, ParameterError, "shares must increase"),
        ({"y": LABELS[:5]}, ShapeError, "equally many; got 6 and 5"),
        ({"y": None}, ParameterError, "y must be given"),
        ({"samples": [], "y": []}, ShapeError, "at least 1 sample; got 0"),
        (
            {"samples": [np.zeros((3, 4))], "y": ["flat"]},
            ParameterError,
            r"samples\[0\] must be Sensor",
        ),
    ],
)
def test_nonsense_is_refused(change, error, words):
    arguments = {"samples": CLIPS, "y": LABELS, **change}
    with pytest.raises(error, match=words):
        early_recognition(classifier("features"), **arguments)


def test_a_classifier_of_tables_has_nothing_to_cut():
    table = HRSNNClassifier(n_neurons=20, n_threads=1).fit(np.eye(6), [0, 1] * 3)
    with pytest.raises(ParameterError, match="classifier must have an encoder of sensor events"):
        early_recognition(table, CLIPS, LABELS)
