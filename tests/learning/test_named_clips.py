"""Which of many samples an error is about: a clip of another sensor, a sample that is too long."""

import hrsnn_rs as hr
import numpy as np
import pytest
from hrsnn_rs.cli.command import main
from hrsnn_rs.datasets import EventFolder, reversed_pairs
from hrsnn_rs.encoding import EventEncoder
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.learning import Clips, HRSNNClassifier

ODD = "right/2.npz"
SAID = r"events must come from a sensor of 16 x 16; got 24 x 24"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Clips of two classes, one of which says that it is of a larger sensor."""
    root = tmp_path_factory.mktemp("clips")
    for word in ("left", "right"):
        (root / word).mkdir()
        for number in range(4):
            path = root / word / f"{number}.npz"
            side = 24 if str(path).endswith(ODD) else 16
            size = {"height": side, "width": side}
            np.savez(path, t=[1, 5000], x=[2, 3], y=[3, 3], p=[1, 0], **size)
    return root


def test_a_clip_of_another_sensor_is_named(folder):
    clips = EventFolder(folder)
    for samples, number in (
        (clips, 6),
        (clips.subset([0, 6, 1]), 1),
        (reversed_pairs(clips), 12),
    ):
        with pytest.raises(ShapeError, match=rf"clip {number} \(.*{ODD}\): {SAID}"):
            Clips.of_dataset(samples)
    with pytest.raises(ShapeError, match=rf"^.*{ODD}: {SAID}"):
        Clips.of_dataset(EventFolder(folder, encoder=EventEncoder(16, 16)))


@pytest.mark.parametrize("command", ["train", "compare"])
def test_commands_name_it(folder, command, tmp_path, capsys):
    more = ["--model", str(tmp_path / "model")] if command == "train" else []
    assert main([command, str(folder), *more]) == 1
    assert f"{ODD}): events must come from a sensor" in capsys.readouterr().err


def test_a_sample_that_is_too_long_is_named():
    network = hr.Network(2, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
    short, long = (hr.Events([1, t], [0, 1], n_channels=2) for t in (2000, 2**51))
    samples = [short] * 70 + [long]
    said = r"^samples\[70\]: duration must be at most 1125899906842624 µs; got 2251799813685249"
    classifier = HRSNNClassifier(network=network, epochs=0, rate=None)
    classifier.fit([short, hr.Events([1], [0], n_channels=2)], [0, 1])
    for see in (network.transform, classifier.predict):
        with pytest.raises(ParameterError, match=said):
            see(samples)
