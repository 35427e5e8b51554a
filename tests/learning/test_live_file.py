"""A live stream as a file: what is refused. That it goes on alike: test_live."""

import copy
import json

import numpy as np
import pytest
from hrsnn_rs import Network, _hrsnn
from hrsnn_rs.errors import FormatError
from hrsnn_rs.learning import HRSNNClassifier, LiveStream
from hrsnn_rs.learning.live_file import fingerprint
from live_models import bar, classifier


@pytest.fixture
def saved(tmp_path):
    stream = classifier("both").stream()
    stream.push(bar(True, 3))
    stream.save(tmp_path / "stream")
    return tmp_path / "stream"


def changed(path, change):
    arrays, texts = _hrsnn.load_arrays(path)
    fields = json.loads(texts["stream"])
    change(arrays, fields)
    texts = {name: text for name, text in texts.items() if name != "checksum"}
    _hrsnn.save_arrays(path, arrays, {**texts, "stream": json.dumps(fields)})


def test_a_stream_belongs_to_its_classifier(saved, tmp_path):
    with pytest.raises(FormatError, match="of another classifier"):
        LiveStream.load(saved, classifier("features"))
    classifier("both").save(tmp_path / "model")
    with pytest.raises(FormatError, match="not a live stream of hrsnn_rs but a model file"):
        LiveStream.load(tmp_path / "model", classifier("both"))
    with pytest.raises(FormatError, match=r"LiveStream\.load"):
        HRSNNClassifier.load(saved)
    # A classifier that was itself read from its file is the same.
    read = HRSNNClassifier.load(tmp_path / "model")
    assert read.duration_ == classifier("both").duration_
    LiveStream.load(saved, read)


def test_a_classifier_whose_wiring_alone_differs_is_another():
    one, other = (copy.deepcopy(classifier("recurrent")) for _ in range(2))
    weights = one.network_.input_weights, one.network_.recurrent_weights
    for model, delay in ((one, 1.0), (other, 2.0)):
        model.network_ = Network.from_arrays(*weights, recurrent_delay=delay)
    assert fingerprint(one) != fingerprint(other)
    other.network_ = Network.from_arrays(*weights, recurrent_delay=1.0)
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda arrays, fields: fields.update(now=-1), "now must be a whole number"),
        (lambda arrays, fields: fields.update(now=10**9), "times of the stream do not fit"),
        (lambda arrays, fields: fields.update(due=1), "times of the stream do not fit"),
        (lambda arrays, fields: fields.pop("networks"), "networks"),
        (lambda arrays, fields: fields["networks"].pop(), "shorter"),
        (lambda arrays, fields: fields.update(every=0), "every must be a whole number"),
        (lambda arrays, fields: fields.update(format_version=99), "version"),
        (lambda arrays, fields: fields["latest"].update(t=-1), "t must be a whole number"),
        (lambda arrays, fields: fields["latest"].pop("age"), "age"),
        (lambda arrays, fields: arrays.pop("latest/decision"), "decision"),
        (
            lambda arrays, fields: arrays.update({"latest/probability": np.ones(3)}),
            "latest/probability must be 2 numbers",
        ),
        (lambda arrays, fields: arrays.pop("waiting/x"), "waiting/x"),
        (lambda arrays, fields: arrays.update({"waiting/x": arrays["waiting/x"] + 99}), "x must"),
        (lambda arrays, fields: arrays.pop("encoder/t"), "'t'"),
        (lambda arrays, fields: arrays["network0/v"].__setitem__(0, np.nan), "v must be between"),
        (lambda arrays, fields: fields["networks"][0].update(t=5), "event_t must be below 5"),
    ],
)  # fmt: skip
def test_what_no_stream_can_have_left_is_refused(saved, change, words):
    changed(saved, change)
    with pytest.raises(FormatError, match=words):
        LiveStream.load(saved, classifier("both"))


def test_a_damaged_file_is_refused(saved):
    data = bytearray(saved.read_bytes())
    data[-9] ^= 1
    saved.write_bytes(data)
    with pytest.raises(FormatError):
        LiveStream.load(saved, classifier("both"))
