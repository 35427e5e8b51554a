"""Spiking Heidelberg Digits: layout, speakers, and what the official test part shares."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hrsnn_rs.datasets.doctor import inspect, open_dataset
from hrsnn_rs.datasets.shd import SHD
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.errors import FormatError

h5py = pytest.importorskip("h5py")
from shd_files import NAMES, write_h5  # noqa: E402 - needs h5py


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_h5(tmp_path / "shd_train.h5", [0, 1, 2] * 10, 0)
    write_h5(tmp_path / "shd_test.h5", [1, 4, 5, 2], 1)
    return tmp_path


def test_samples_are_spikes_of_700_channels(folder: Path) -> None:
    training = SHD(folder, "train")
    assert (len(training), len(SHD(folder)), training.classes) == (30, 34, NAMES)
    assert training.groups.tolist() == [0, 1, 2] * 10
    events, label = training[21]
    assert (label, len(events)) == (1, 51)
    assert (events.height, events.width) == (1, 700)
    with h5py.File(folder / "shd_train.h5") as file:
        seconds = file["spikes/times"][21].astype(np.float64)
        np.testing.assert_array_equal(events.t, np.rint(seconds * 1e6))
        np.testing.assert_array_equal(events.x, file["spikes/units"][21])
    encoder = EventEncoder(1, 700, size=(1, 700), polarities=1)
    np.testing.assert_array_equal(SHD(folder, "train", encoder)[21][0].channel, events.x)


def test_the_official_test_part_says_what_it_shares(folder: Path) -> None:
    test = SHD(folder, "test")
    assert test.split_warning is not None
    assert test.split_warning.startswith(
        "2 of 4 speakers of the test part are also in the training"
    )
    new = SHD(folder, "test", new_speakers=True)
    assert (new.groups.tolist(), new.split_warning) == ([4, 5], None)
    assert SHD(folder, "train").split_warning is None
    (folder / "shd_train.h5").unlink()
    test = SHD(folder, "test")
    assert test.split_warning is not None
    assert test.split_warning.startswith("Most speakers")
    with pytest.raises(FormatError, match=r"new_speakers needs shd_train\.h5"):
        SHD(folder, "test", new_speakers=True)


def n_spikes(arguments: tuple[SHD, int]) -> int:
    return len(arguments[0][arguments[1]][0])


def test_forked_processes_read_one_file(folder: Path) -> None:
    samples = SHD(folder, "train")
    assert len(samples[0][0]) == 30
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        found = list(pool.map(n_spikes, [(samples, n) for n in range(30)]))
    assert found == list(range(30, 60))
    assert len(pickle.loads(pickle.dumps(samples))[3][0]) == 33


def test_doctor_and_wrong_files(folder: Path) -> None:
    found = inspect(folder)
    assert (found.dataset, found.found["samples"]) == ("SHD", 34)
    assert [one.kind for one in found.problems] == ["truncated", "truncated", "note"]
    assert "30 of 8156 samples" in found.problems[0].words
    assert isinstance(open_dataset(folder, "train"), SHD)
    path = folder / "shd_test.h5"
    path.write_bytes(path.read_bytes()[:3000])
    assert [one.kind for one in inspect(folder).problems] == ["truncated", "unreadable"]
    with pytest.raises(FormatError, match=r"shd_test\.h5: cannot be read"):
        SHD(folder, "test")
    with pytest.raises(FormatError, match=r"expected shd_train\.h5"):
        SHD(folder.parent / "nowhere")
