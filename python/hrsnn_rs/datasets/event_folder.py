"""Event folders: recordings on disk, one file per sample.

Lives here: the two layouts, what a file must hold, and what is said when it does not. Not here:
what samples can do. Invariant: no file is repaired, sorted or skipped in silence; each error
names the path.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_rs.arguments import check_path
from hrsnn_rs.datasets.base import Dataset, Recording
from hrsnn_rs.datasets.inspection import Inspection, Problem, duplicates, relative
from hrsnn_rs.errors import FormatError
from hrsnn_rs.events.columns import whole_number
from hrsnn_rs.made_up.movements import CLASSES
from hrsnn_rs.recordings.event_files import READERS, check_file, checked_size, first_time

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from hrsnn_rs.events.events import Events
    from hrsnn_rs.events.sensor import SensorEvents
    from hrsnn_rs.recordings.cache import EventCache

__all__ = ["EventFolder", "load_folder"]

# A clock that begins later than this, in µs, is worth a word.
_LATE = 1_000_000
_USER_FOLDER = re.compile(r"user(\d+)_\w+")
_SUFFIXES_OF_CLASSES = tuple(suffix for suffix in READERS if suffix != ".npy")


class EventFolder(Dataset):
    """Samples in files of a folder, read when they are asked for; see `load_folder`.

    Parameters
    ----------
    root : str or path-like
        The folder.
    split : None
        There are no official parts.
    encoder : callable, default=None
        From `SensorEvents` to `Events`, such as `EventEncoder`.
    group_size : int, default=5
        As in `load_folder`.
    sensor_size : tuple of int, default=None
        As in `load_folder`.
    cache : EventCache, str, path-like or bool, default=None
        Where to keep what samples became, see `Dataset`; `True` means the usual place.

    Attributes
    ----------
    paths : tuple of Path
        File of each sample.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "wave").mkdir()
    ...     np.savez(Path(folder) / "wave" / "0.npz", t=[1], x=[2], y=[3], p=[1])
    ...     samples = EventFolder(folder)
    ...     samples[0]
    (SensorEvents(1 events, height=128, width=128, duration=2 µs), 0)
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = None,
        encoder: Callable[[SensorEvents], Events] | None = None,
        *,
        group_size: int = 5,
        sensor_size: tuple[int, int] | None = None,
        cache: EventCache | str | os.PathLike[str] | bool | None = None,
    ) -> None:
        self.checked_split(split)
        group_size = whole_number(group_size, "group_size", low=1)
        self._sensor_size = checked_size(sensor_size)
        folder = Path(check_path("root", root))
        if not folder.exists():
            raise FormatError(f"{folder}: no such folder.")
        if not folder.is_dir():
            raise FormatError(f"{folder}: must be a folder; it is a file.")
        users = user_folders(folder)
        classes, files = index_users(users) if users else _index_classes(folder, group_size)
        if not files:
            raise FormatError(
                f"{folder}: no samples; expected <class>/<n>.npz or userNN_light/<class>.npy."
            )
        super().__init__(root, split, encoder, classes=classes, recordings=files, cache=cache)

    def _reading(self, sample: int) -> dict[str, Any]:
        return {"sensor_size": self._sensor_size}

    def _sensor_events(self, sample: int) -> SensorEvents:
        path = self.recordings[sample].path
        return READERS[path.suffix.lower()](path, self._sensor_size)

    @classmethod
    def inspect(cls, path: str | os.PathLike[str]) -> Inspection | None:
        """Look at a folder of classes; see `Dataset.inspect`."""
        root = Path(path)
        if not root.is_dir():
            return None
        problems, files, n_classes = [], [], 0
        for folder in _folders(root):
            found = [one for one in sorted(folder.iterdir()) if _is_sample(one)]
            n_classes += bool(found)
            files += found
            if not found:
                words = "a class without samples: fill or remove it"
                problems.append(Problem("missing", relative(folder, root), words))
        if not files:
            return None
        for file in files:
            complaint = check_file(file)
            if not re.fullmatch(r"[0-9]{1,9}", file.stem):
                words = "the name must be a number, such as 12.npz"
                problems.append(Problem("wrong", relative(file, root), words))
            elif complaint is not None:
                kind = "truncated" if "cut" in complaint else "unreadable"
                problems.append(Problem(kind, relative(file, root), complaint))
        for file in sorted(one for one in root.iterdir() if _is_sample(one)):
            words = "lies beside the folders of classes, and is not read"
            problems.append(Problem("misplaced", relative(file, root), words))
        for file, other in duplicates(files):
            words = f"has the very bytes of {relative(other, root)}: a split may leak"
            problems.append(Problem("duplicated", relative(file, root), words))
        problems += late_clocks(files, root)
        return Inspection(
            dataset="EventFolder",
            layout="<class>/<n>.npz",
            root=str(root),
            found={"samples": len(files), "classes": n_classes},
            problems=tuple(problems),
        )


def late_clocks(files: list[Path], root: Path) -> list[Problem]:
    """Note that clocks of recordings do not begin at 0: once, with the latest of them."""
    begins = [(begin, file) for file in files if (begin := first_time(file)) is not None]
    late = [(begin, file) for begin, file in begins if begin >= _LATE]
    if not late:
        return []
    begin, file = max(late)
    words = (
        f"its first event is at {begin / 1e6:g} s, and {len(late)} of {len(files)} recordings "
        f"begin at {_LATE / 1e6:g} s or later: samples begin at their first event unless their "
        "encoder has start='zero'"
    )
    return [Problem("note", relative(file, root), words)]


def load_folder(
    path: str | os.PathLike[str],
    *,
    group_size: int = 5,
    sensor_size: tuple[int, int] | None = None,
) -> EventFolder:
    """Open a folder of event recordings. Only names are read now; events when asked for.

    Two layouts are known:

    - `<class>/<n>.npz` with the arrays t (µs), x, y, p, and optionally the numbers height,
      width and duration (µs); or, in place of npz, AEDAT 3.1 (`.aedat`) and what `read_events`
      knows (`.aedat4`, `.raw`, `.dat`, `.es`). Classes are the names of folders, in numerical
      order where all are numbers. Samples are ordered by class, then n. The subject is
      `n // group_size`.
    - `userNN_light/<class>.npy`, as tonic writes DVSGesture, either here or one folder below
      (`ibmGestureTrain`, `ibmGestureTest`): float arrays with the columns x, y, p, t in ms.
      There are always the eleven classes of DVS128 Gesture, and the file's name is the label;
      the subject is NN. Times are rounded to µs.

    Hidden folders and files of other kinds are not read. Times are kept as they are recorded; an
    encoder begins at the first event.

    Parameters
    ----------
    path : str or path-like
        The folder.
    group_size : int, default=5
        Consecutive numbers of one subject, in the first layout.
    sensor_size : tuple of int, default=None
        (height, width). `None` means what an npz file says itself; where it says nothing, and in
        npy files, (128, 128), and an error if an event lies outside.

    Returns
    -------
    EventFolder
        Sequence of (SensorEvents, label). One class is enough.

    Raises
    ------
    FormatError
        If the folder is missing or has no samples, or, on reading, if a file is cut, lacks an
        array, or holds anything but whole numbers in range, sorted by time. The message has the
        path and the index of the event.
    ParameterError
        If `group_size` or `sensor_size` is out of range.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     user = Path(folder) / "user07_led"
    ...     user.mkdir()
    ...     np.save(user / "9.npy", np.array([[3.0, 4.0, 1.0, 0.25]]))
    ...     samples = load_folder(folder)
    ...     samples.groups, samples.classes[samples.labels[0]], samples[0][0].t
    (array([7]), 'air_guitar', array([250]))
    """
    return EventFolder(path, group_size=group_size, sensor_size=sensor_size)


def _folders(path: Path) -> list[Path]:
    return sorted(
        child for child in path.iterdir() if child.is_dir() and not child.name.startswith(".")
    )


def _is_sample(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES_OF_CLASSES and not path.name.startswith(".")


def _number(path: Path) -> int:
    """Return the number that a file is called by."""
    if not re.fullmatch(r"[0-9]{1,9}", path.stem):
        raise FormatError(f"{path}: the name must be a number.")
    return int(path.stem)


def user_folders(path: Path) -> list[Path]:
    children = _folders(path)
    below = [grandchild for child in children for grandchild in _folders(child)]
    return [folder for folder in children + below if _USER_FOLDER.fullmatch(folder.name)]


def index_users(folders: list[Path]) -> tuple[tuple[str, ...], list[Recording]]:
    files = []
    for folder in folders:
        user = _USER_FOLDER.fullmatch(folder.name)
        assert user is not None, "user_folders has matched it"
        found = sorted(folder.glob("*.npy"), key=lambda file: (_number(file), file.name))
        for file in found:
            label = _number(file)
            if label >= len(CLASSES):
                raise FormatError(
                    f"{file}: the name must be a label below {len(CLASSES)}; got {label}."
                )
            files.append(Recording(file, label, int(user[1])))
    return CLASSES, files


def _index_classes(path: Path, group_size: int) -> tuple[tuple[str, ...], list[Recording]]:
    folders = _folders(path)
    if all(re.fullmatch(r"[0-9]{1,9}", folder.name) for folder in folders):
        folders.sort(key=lambda folder: (int(folder.name), folder.name))
    files = []
    for label, folder in enumerate(folders):
        found = [file for file in folder.iterdir() if _is_sample(file)]
        found.sort(key=lambda file: (_number(file), file.name))
        if not found:
            raise FormatError(f"{folder}: a class without samples; expected files <n>.npz.")
        files += [Recording(file, label, _number(file) // group_size) for file in found]
    return tuple(folder.name for folder in folders), files
