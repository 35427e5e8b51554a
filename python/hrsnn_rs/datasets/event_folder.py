"""Event folders: recordings on disk, one file per sample.

Lives here: the two layouts of event files. Not here: what folders mean (`layout`), what a file
must hold. Invariant: no file is repaired, sorted or skipped in silence; each error names the path.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_rs.arguments import check_path
from hrsnn_rs.datasets.base import Dataset, Recording
from hrsnn_rs.datasets.inspection import Inspection, Problem, relative
from hrsnn_rs.datasets.layout import Rule, checked_has_splits, inspect_layout, read_layout
from hrsnn_rs.datasets.walk import files_in, natural, walk
from hrsnn_rs.errors import FormatError
from hrsnn_rs.made_up.movements import CLASSES
from hrsnn_rs.recordings.event_files import READERS, check_file, checked_size, first_time

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from hrsnn_rs.events.events import Events
    from hrsnn_rs.events.sensor import SensorEvents
    from hrsnn_rs.recordings.cache import EventCache

__all__ = ["EventFolder", "load_folder"]

# A clock that begins later than this, in µs, is worth a word.
_LATE = 1_000_000
_USER_FOLDER = re.compile(r"user(\d+)_\w+")
_SUFFIXES = tuple(suffix for suffix in READERS if suffix != ".npy")


class EventFolder(Dataset):
    """Samples in files of a folder, read when they are asked for; see `load_folder`.

    Parameters
    ----------
    root : str or path-like
        The folder.
    split : str, default=None
        Name of a folder above the classes. `None` means all.
    encoder : callable, default=None
        From `SensorEvents` to `Events`, such as `EventEncoder`.
    subject, index_file, clips_per_subject, has_splits
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
    (SensorEvents(1 event, height=128, width=128, duration=2 µs), 0)
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = None,
        encoder: Callable[[SensorEvents], Events] | None = None,
        *,
        subject: str | None = None,
        index_file: str | os.PathLike[str] | None = None,
        clips_per_subject: int | None = None,
        has_splits: bool | None = None,
        sensor_size: tuple[int, int] | None = None,
        cache: EventCache | str | os.PathLike[str] | bool | None = None,
    ) -> None:
        rule = Rule.checked(subject, index_file, clips_per_subject)
        checked_has_splits(has_splits)
        self._sensor_size = checked_size(sensor_size)
        folder = Path(check_path("root", root))
        if not folder.exists():
            raise FormatError(f"{folder}: no such folder.")
        if not folder.is_dir():
            raise FormatError(f"{folder}: must be a folder; it is a file.")
        users = user_folders(folder)
        if users:
            self.checked_split(split)
            super().__init__(
                root, split, encoder, classes=CLASSES, recordings=index_users(users), cache=cache
            )
            return
        layout = read_layout(folder, _SUFFIXES, rule, has_splits)
        if not layout.recordings:
            raise FormatError(
                f"{folder}: no samples; expected <class>/<clip>.npz or userNN_light/<class>.npy."
            )
        self.splits = layout.splits
        self.subjects_known = layout.subjects is not None
        super().__init__(
            root,
            split,
            encoder,
            classes=layout.classes,
            recordings=layout.recordings,
            subject_names=layout.subjects,
            cache=cache,
        )
        self.split_warning = layout.warning(split)

    def _reading(self, sample: int) -> dict[str, Any]:
        return {"sensor_size": self._sensor_size}

    def _sensor_events(self, sample: int) -> SensorEvents:
        path = self.recordings[sample].path
        return READERS[path.suffix.lower()](path, self._sensor_size)

    @classmethod
    def inspect(cls, path: str | os.PathLike[str]) -> Inspection | None:
        """Look at a folder of classes; see `Dataset.inspect`."""
        root = Path(check_path("path", path))
        return inspect_layout(cls.__name__, root, _SUFFIXES, lambda files: _faults(root, files))


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
    split: str | None = None,
    *,
    subject: str | None = None,
    index_file: str | os.PathLike[str] | None = None,
    clips_per_subject: int | None = None,
    has_splits: bool | None = None,
    sensor_size: tuple[int, int] | None = None,
) -> EventFolder:
    """Open a folder of event recordings. Only names are read now; events when asked for.

    Two layouts are known:

    - `[<split>/]<class>/[<person>/]<clip>.npz` with the arrays t (µs), x, y, p, and optionally
      the numbers height, width and duration (µs); or, in place of npz, AEDAT 3.1 (`.aedat`) and
      what `read_events` knows (`.aedat4`, `.raw`, `.dat`, `.es`). Classes are the names of
      folders, clips may have any name. Samples are ordered by class, then by their path, numbers
      as numbers: 1, 2, 10.
    - `userNN_light/<class>.npy`, as tonic writes DVSGesture, either here or one folder below
      (`ibmGestureTrain`, `ibmGestureTest`): float arrays with the columns x, y, p, t in ms.
      There are always the eleven classes of DVS128 Gesture, and the file's name is the label;
      the subject is NN. Times are rounded to µs.

    In the first layout, who is in a clip is said by a folder between class and clip, or by one of
    `subject`, `index_file` and `clips_per_subject`. Otherwise nobody knows: `subjects_known` is
    `False`, clips are counted within their class in place of persons, and every result says so.

    Hidden folders, `__MACOSX` and files of other kinds are not read; each folder is read once,
    whatever links lead to it. Times are kept as they are recorded; an
    encoder begins at the first event.

    Parameters
    ----------
    path : str or path-like
        The folder.
    split : str, default=None
        Name of a folder above the classes, such as train. `None` means all.
    subject : str, default=None
        Regular expression with one group, which is the person: searched for in the name of each
        file, without its ending. `r"^([a-z]+)_"` finds daria in daria_bend.npz.
    index_file : str or path-like, default=None
        Table (CSV or Parquet) with the columns `path`, as seen from the folder, and `subject`.
    clips_per_subject : int, default=None
        How many consecutive numbers belong to one person, where clips are called by numbers: the
        person of clip n is n // `clips_per_subject`.
    has_splits : bool, default=None
        Whether the uppermost folders are splits. `None` means where their names are train,
        training, val, valid, validation, dev, eval, evaluation, test or testing; `False` that
        these too are classes.
    sensor_size : tuple of int, default=None
        (height, width). `None` means what an npz file says itself; where it says nothing, and in
        npy files, (128, 128), and an error if an event lies outside.

    Returns
    -------
    EventFolder
        Sequence of (SensorEvents, label). One class is enough where clips lie in it.

    Raises
    ------
    FormatError
        If the folder is missing, has no samples, or could mean two things; or, on reading, if a
        file is cut, lacks an array, or holds anything but whole numbers in range, sorted by time.
        The message has the path and the index of the event.
    ParameterError
        If an argument is out of range, or names nobody for a clip.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for clip in ("bend/daria_1", "bend/ido_1", "jump/daria_1"):
    ...         path = Path(folder) / f"{clip}.npz"
    ...         path.parent.mkdir(exist_ok=True)
    ...         np.savez(path, t=[1], x=[2], y=[3], p=[1])
    ...     samples = load_folder(folder, subject=r"^([a-z]+)_")
    ...     samples.classes, samples.subjects.tolist(), samples.groups
    (['bend', 'jump'], ['daria', 'ido', 'daria'], array([0, 1, 0]))
    """
    return EventFolder(
        path,
        split,
        subject=subject,
        index_file=index_file,
        clips_per_subject=clips_per_subject,
        has_splits=has_splits,
        sensor_size=sensor_size,
    )


def _faults(root: Path, files: Sequence[Path]) -> list[Problem]:
    """Look at headers and lengths."""
    problems = []
    for file in files:
        complaint = check_file(file)
        if complaint is not None:
            kind = "truncated" if "cut" in complaint else "unreadable"
            problems.append(Problem(kind, relative(file, root), complaint))
    return problems + late_clocks(list(files), root)


def user_folders(path: Path) -> list[Path]:
    """Return folders of users as tonic names them, here or one below."""
    named = [folder for folder in walk(path).folders if _USER_FOLDER.fullmatch(folder.name)]
    near = [folder for folder in named if path in (folder.parent, folder.parent.parent)]
    return sorted(near, key=lambda folder: [natural(part) for part in folder.parts])


def index_users(folders: list[Path]) -> list[Recording]:
    """Return the clips in folders of users, whose names are their labels."""
    files = []
    for folder in folders:
        user = _USER_FOLDER.fullmatch(folder.name)
        assert user is not None, "user_folders has matched it"
        for file in files_in(folder, (".npy",)):
            if not re.fullmatch(r"[0-9]{1,9}", file.stem):
                raise FormatError(f"{file}: the name must be a number.")
            if int(file.stem) >= len(CLASSES):
                raise FormatError(
                    f"{file}: the name must be a label below {len(CLASSES)}; got {int(file.stem)}."
                )
            files.append(Recording(file, int(file.stem), int(user[1])))
    return files
