"""What all data sets on disk share: index, encoder, splits, and reading in several processes."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hrsnn_rs.datasets.base import INDEX_SCHEMA, Dataset, Recording
from hrsnn_rs.datasets.event_folder import EventFolder
from hrsnn_rs.encoding.events_to_channels import EventEncoder
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.events import Events, SensorEvents


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("clap", "wave"):
        (tmp_path / name).mkdir()
        for n in range(8):
            t = np.arange(n + 1) * 10
            np.savez(tmp_path / name / f"{n}.npz", t=t, x=t % 128, y=t % 64, p=t % 2)
    return tmp_path


class Halves(Dataset):
    """One file, two samples of it."""

    splits = ("train", "test")

    def __init__(self, root: Path, split: str | None = None, encoder: Any = None) -> None:
        path = Path(root) / "clap" / "7.npz"
        parts = [
            Recording(path, 0, 3, "train", 0, 40),
            Recording(path, 1, 4, "test", 40, None),
        ]
        super().__init__(root, split, encoder, classes=("a", "b"), recordings=parts)

    def _sensor_events(self, sample: int) -> SensorEvents:
        return SensorEvents([sample], [0], [0], [2], height=1, width=1)


def test_index_costs_no_reading_and_counts_come_later(folder: Path) -> None:
    samples = EventFolder(folder)
    (folder / "wave" / "7.npz").write_bytes(b"broken")
    index = samples.index
    assert dict(index.schema) == INDEX_SCHEMA
    assert index["path"].to_list()[:2] == ["clap/0.npz", "clap/1.npz"]
    assert index["subject"].to_list()[:8] == list(range(8))
    assert index["subject_name"].null_count() == len(samples)
    named = EventFolder(folder, clips_per_subject=5).index
    assert named["subject_name"].to_list()[:8] == ["0"] * 5 + ["1"] * 3
    assert index["bytes"].to_list() == [path.stat().st_size for path in samples.paths]
    assert index["n_events"].null_count() == len(samples)
    with pytest.raises(FormatError, match=r"wave/7\.npz"):
        samples.count_events()
    assert samples.index["n_events"].null_count() == len(samples)
    (folder / "wave" / "7.npz").write_bytes((folder / "clap" / "7.npz").read_bytes())
    seen: list[int] = []
    samples.count_events(lambda done, total, word: seen.append(done))
    assert seen == list(range(16))
    assert samples.index["n_events"].to_list() == [1, 2, 3, 4, 5, 6, 7, 8] * 2
    assert samples.index["duration"].to_list() == [1, 11, 21, 31, 41, 51, 61, 71] * 2


def test_with_an_encoder_samples_are_encoded_through_every_view(folder: Path) -> None:
    encoder = EventEncoder(128, 128, size=(8, 8))
    plain, encoded = EventFolder(folder), EventFolder(folder, encoder=encoder)
    for sample in (0, 11):
        events, label = encoded[sample]
        assert isinstance(events, Events)
        assert (events, label) == (encoder(plain[sample][0]), plain[sample][1])
    assert encoded.subset([11])[0][0] == encoded[11][0]
    with pytest.raises(ShapeError, match="sensor of 64 x 64"):
        EventFolder(folder, encoder=EventEncoder(64, 64))[0]
    with pytest.raises(ParameterError, match="encoder must be a function; got 'fast'"):
        EventFolder(folder, encoder="fast")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="encoder must return Events; got a list"):
        EventFolder(folder, encoder=lambda events: [])[0]  # type: ignore[arg-type,return-value]


def test_official_parts_and_parts_of_files(folder: Path) -> None:
    assert len(Halves(folder)) == 2
    test = Halves(folder, "test")
    assert test.labels.tolist() == [1]
    assert test.groups.tolist() == [4]
    assert test.index.select("split", "start", "stop").row(0) == ("test", 40, None)
    with pytest.raises(ParameterError, match="split must be one of 'train', 'test'; got 'val'"):
        Halves(folder, "val")
    with pytest.raises(ParameterError, match="split must be one of none: leave it out; got 'test'"):
        EventFolder(folder, "test")
    with pytest.raises(FormatError, match=r"clap/7\.npz: p must be below 2; got 2 at event 0"):
        test[0]


def first_time(arguments: tuple[Dataset, int]) -> tuple[int, int]:
    samples, sample = arguments
    events, label = samples[sample]
    return len(events), label


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_several_processes_read_one_data_set(folder: Path, method: str) -> None:
    samples = EventFolder(folder, encoder=EventEncoder(128, 128))
    expected = [(len(events), label) for events, label in samples]
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        read = list(pool.map(first_time, [(samples, n) for n in range(len(samples))]))
    assert read == expected
    assert pickle.loads(pickle.dumps(samples)).index.equals(samples.index)
