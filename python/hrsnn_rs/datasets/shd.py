"""Spiking Heidelberg Digits: spoken digits as spikes of 700 cochlear channels.

Lives here: the data set in its HDF5 files. Not here: HDF5, which h5py reads. Invariant: the
speaker is the group; a part that shares speakers with the training part says so.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_path, check_truth
from hrsnn_rs.datasets.base import Dataset, Recording
from hrsnn_rs.datasets.inspection import Inspection, Problem
from hrsnn_rs.datasets.walk import folders_in
from hrsnn_rs.errors import FormatError, MissingDependencyError
from hrsnn_rs.events.sensor import SensorEvents

if TYPE_CHECKING:
    from collections.abc import Callable

    from hrsnn_rs.events.events import Events
    from hrsnn_rs.recordings.cache import EventCache

__all__ = ["SHD"]

_FILES = {"train": "shd_train.h5", "test": "shd_test.h5"}
_N_SAMPLES = {"train": 8156, "test": 2264}
_N_CHANNELS = 700
_MD5 = {"train": "f3252aeb598ac776c1b526422d90eecb", "test": "1503a5064faa34311c398fb0a1ed0a6f"}
# Files that this process has open, by path and what tells a new file of the same name.
_OPEN: dict[tuple[int, str, int, int], Any] = {}


class SHD(Dataset):
    """Spiking Heidelberg Digits [1]_: `shd_train.h5` and `shd_test.h5`, in `root` or one below.

    A sample is a table of spikes on 700 channels: `x` is the channel, `y` is 0, `p` is 1.

    Parameters
    ----------
    root : str or path-like
        The folder.
    split : {"train", "test"}, default=None
        Official part: 8156 or 2264 samples. `None` means all that are there.
    encoder : callable, default=None
        From `SensorEvents` to `Events`, such as
        `EventEncoder(1, 700, size=(1, 700), polarities=1)`.
    new_speakers : bool, default=False
        Whether the test part is only what speakers say who are not in the training part. The
        official test part has others too: `split_warning` then says so.
    cache : EventCache, str, path-like or bool, default=None
        Where to keep what samples became, see `Dataset`; `True` means the usual place.

    Raises
    ------
    FormatError
        If there are no such files, or they are not what they should be.
    MissingDependencyError
        If h5py is not installed.

    References
    ----------
    .. [1] Cramer et al. (2020), The Heidelberg spiking data sets for the systematic evaluation of
       spiking neural networks, IEEE Trans. Neural Netw. Learn. Syst. 33:2744.

    Examples
    --------
    >>> test = SHD("hsd", "test")  # doctest: +SKIP
    >>> test.split_warning  # doctest: +SKIP
    '10 of 12 speakers of this part are also in the training part; new_speakers=True ...'
    """

    splits = ("train", "test")

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = None,
        encoder: Callable[[SensorEvents], Events] | None = None,
        *,
        new_speakers: bool = False,
        cache: EventCache | str | os.PathLike[str] | bool | None = None,
    ) -> None:
        self.checked_split(split)
        check_truth("new_speakers", new_speakers)
        folder = Path(check_path("root", root))
        if find_spec("h5py") is None:
            raise MissingDependencyError('SHD needs h5py: pip install "hrsnn_rs[shd]"')
        paths = _paths(folder)
        if not paths:
            raise FormatError(f"{root}: no samples of SHD; expected shd_train.h5 or shd_test.h5.")
        classes: list[str] = []
        recordings: list[Recording] = []
        for part, path in paths.items():
            names, labels, speakers = _labels(path)
            if classes and classes != names:
                raise FormatError(f"{path}: classes differ from those of {_FILES['train']}.")
            classes = names
            recordings += [
                Recording(path, label, speaker, part, number, number + 1)
                for number, (label, speaker) in enumerate(zip(labels, speakers, strict=True))
            ]
        known = {one.group for one in recordings if one.split == "train"}
        tested = {one.group for one in recordings if one.split == "test"}
        if new_speakers:
            if not known:
                raise FormatError(f"{root}: new_speakers needs {_FILES['train']} to compare with.")
            recordings = [
                one for one in recordings if one.split != "test" or one.group not in known
            ]
        super().__init__(root, split, encoder, classes=classes, recordings=recordings, cache=cache)
        if tested and split != "train" and not new_speakers:
            shared = f"{len(tested & known)} of {len(tested)}" if known else "Most"
            if tested & known or not known:
                self.split_warning = (
                    f"{shared} speakers of the test part are also in the training part; "
                    "new_speakers=True leaves only what others say."
                )

    def _sensor_events(self, sample: int) -> SensorEvents:
        path, *_, number, _ = self.recordings[sample]
        try:
            spikes = _opened(path)["spikes"]
            seconds = np.asarray(spikes["times"][number], np.float64)
            channels = np.asarray(spikes["units"][number])
        except Exception as error:
            raise FormatError(f"{path}: sample {number} cannot be read: {error}") from error
        if not seconds.size:
            raise FormatError(f"{path}: sample {number} has no spikes.")
        zeros = np.zeros(channels.size, np.uint8)
        return SensorEvents(
            np.rint(seconds * 1e6), channels, zeros, zeros + 1, height=1, width=_N_CHANNELS
        )

    @classmethod
    def inspect(cls, path: str | os.PathLike[str]) -> Inspection | None:
        """Look at a folder; see `Dataset.inspect`."""
        root = Path(check_path("path", path))
        paths = _paths(root)
        if not paths:
            return None
        problems: list[Problem] = []
        found, expected = {"samples": 0}, {}
        for part, name in _FILES.items():
            if part not in paths:
                words = f"the {part} part is not there; the other can be used without it"
                problems.append(Problem("note", name, words))
                continue
            expected[f"{part} samples"] = _N_SAMPLES[part]
            try:
                n_samples = len(_labels(paths[part])[1])
            except FormatError as error:
                problems.append(Problem("unreadable", name, str(error)))
                n_samples = 0
            except MissingDependencyError as error:
                problems.append(Problem("note", name, str(error)))
                del expected[f"{part} samples"]
                continue
            if 0 < n_samples < _N_SAMPLES[part]:
                words = f"{n_samples} of {_N_SAMPLES[part]} samples"
                problems.append(Problem("truncated", name, words))
            found[f"{part} samples"] = n_samples
            found["samples"] += n_samples
        harmed = [
            part for part in paths if any(p.harms and _FILES[part] == p.path for p in problems)
        ]
        return Inspection(
            dataset="SHD",
            layout="shd_train.h5 and shd_test.h5",
            root=str(root),
            found=found,
            expected=expected,
            problems=tuple(problems),
            advice=tuple(
                f"Get {_FILES[part]}.zip (MD5 {_MD5[part]}) from https://zenkelab.org/datasets/ "
                "and unpack it."
                for part in harmed
            ),
        )


def _paths(root: Path) -> dict[str, Path]:
    if not root.is_dir():
        return {}
    for folder in (root, *folders_in(root)):
        found = {p: folder / name for p, name in _FILES.items() if (folder / name).is_file()}
        if found:
            return found
    return {}


def _opened(path: Path) -> Any:
    """Open a file, once in each process: a forked child must not share the parent's place."""
    if find_spec("h5py") is None:
        raise MissingDependencyError('SHD needs h5py: pip install "hrsnn_rs[shd]"')
    import h5py

    stat = path.stat()
    key = (os.getpid(), str(path), stat.st_mtime_ns, stat.st_size)
    if key not in _OPEN:
        for old in [one for one in _OPEN if one[1] == str(path)]:
            del _OPEN[old]
        _OPEN[key] = h5py.File(path, "r")
    return _OPEN[key]


def _labels(path: Path) -> tuple[list[str], list[int], list[int]]:
    """Names of classes, and label and speaker of each sample."""
    try:
        file = _opened(path)
        names = [bytes(name).decode() for name in file["extra/keys"][()]]
        labels, speakers = (np.asarray(file[name][()]) for name in ("labels", "extra/speaker"))
        lengths = {len(labels), len(speakers), len(file["spikes/times"]), len(file["spikes/units"])}
    except MissingDependencyError:
        raise
    except Exception as error:
        raise FormatError(f"{path}: cannot be read: {error}") from error
    if len(lengths) != 1:
        raise FormatError(f"{path}: labels, speakers and spikes must be as many; got {lengths}.")
    return names, labels.astype(int).tolist(), speakers.astype(int).tolist()
