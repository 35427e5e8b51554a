"""DVS128 Gesture: eleven gestures of 29 people before an event camera, as it lies on disk.

Lives here: the data set. Not here: its files, and what `hrsnn data doctor` says about them.
Invariant: no person is on both sides of the official split.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_rs.arguments import check_integer, check_path, check_truth
from hrsnn_rs.datasets.base import Dataset, Recording
from hrsnn_rs.datasets.dvs128_files import (
    FIRST_TEST_USER,
    LISTS,
    RECORDINGS,
    first_of_each_class,
    ibm_folder,
    read_labels,
    read_list,
    tonic_parts,
    without_overlap,
)
from hrsnn_rs.datasets.dvs128_inspection import inspect_ibm, inspect_tonic
from hrsnn_rs.datasets.event_folder import index_users, user_folders
from hrsnn_rs.errors import DataWarning, FormatError
from hrsnn_rs.made_up.movements import CLASSES
from hrsnn_rs.recordings.aedat import read_clip
from hrsnn_rs.recordings.event_files import read_tonic_npy

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from hrsnn_rs.datasets.inspection import Inspection
    from hrsnn_rs.events.events import Events
    from hrsnn_rs.events.sensor import SensorEvents
    from hrsnn_rs.recordings.cache import EventCache

__all__ = ["DVS128Gesture"]


class DVS128Gesture(Dataset):
    """DVS128 Gesture [1]_, as IBM ships it or as tonic unpacks it.

    IBM's folder has `userNN_light.aedat` (AEDAT 3.1) with `userNN_light_labels.csv`, which cuts
    the recording into clips, and the lists `trials_to_train.txt` and `trials_to_test.txt`. tonic's
    has `ibmGestureTrain/userNN_light/<label>.npy`, already cut, with times in ms. Either may lie
    one folder below `root`. The persons are the groups; those of the official parts differ.

    Parameters
    ----------
    root : str or path-like
        The folder.
    split : {"train", "test"}, default=None
        Official part: users 1 to 23 or 24 to 29. `None` means all.
    encoder : callable, default=None
        From `SensorEvents` to `Events`, such as `EventEncoder(128, 128)`.
    one_per_class : bool, default=False
        IBM's label files have 1176 clips for training and 288 for testing, twelve a recording:
        arm rolls were shown twice. Where True, the first of each class counts: 264 clips for
        testing. So it is in tonic's archive, whatever is given here; that has 1077 for training,
        for it lacks the hand clapping of user02_lab.
    allowed_gap : int, default=100_000
        How many µs before the end of a clip a recording may end.
    cache : EventCache, str, path-like or bool, default=None
        Where to keep what samples became, see `Dataset`; `True` means the usual place.

    Raises
    ------
    FormatError
        If the folder is not one of the two, a label file is wrong, or, on reading, an event file
        is. A clip whose recording ends too early is an error too.

    Warns
    -----
    DataWarning
        If recordings of the official list are missing, or a clip is said to end after the next
        one begins; it then ends where that begins. So does class 9 of `user22_led_labels.csv`.

    References
    ----------
    .. [1] Amir et al. (2017), A low power, fully event-based gesture recognition system, CVPR.

    Examples
    --------
    >>> training = DVS128Gesture("DvsGesture", "train")  # doctest: +SKIP
    >>> len(training), training.classes[training.labels[0]]  # doctest: +SKIP
    (1176, 'hand_clapping')
    """

    splits = ("train", "test")

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = None,
        encoder: Callable[[SensorEvents], Events] | None = None,
        *,
        one_per_class: bool = False,
        allowed_gap: int = 100_000,
        cache: EventCache | str | os.PathLike[str] | bool | None = None,
    ) -> None:
        self.checked_split(split)
        self._allowed_gap = check_integer("allowed_gap", allowed_gap, unit="µs")
        check_truth("one_per_class", one_per_class)
        path = Path(check_path("root", root))
        folder, parts = ibm_folder(path), tonic_parts(path)
        notes: list[str] = []
        if folder is not None:
            recordings = _ibm_recordings(folder, split, one_per_class, notes)
        elif parts:
            recordings = _tonic_recordings(parts)
        else:
            raise FormatError(
                f"{path}: no recordings of DVS128 Gesture; expected userNN_light.aedat or "
                "ibmGestureTrain/userNN_light/<label>.npy."
            )
        super().__init__(root, split, encoder, classes=CLASSES, recordings=recordings, cache=cache)
        if notes:
            warnings.warn(" ".join(notes), DataWarning, stacklevel=2)

    def _reading(self, sample: int) -> dict[str, Any]:
        return {"allowed_gap": self._allowed_gap}

    def _sensor_events(self, sample: int) -> SensorEvents:
        path, *_, start, stop = self.recordings[sample]
        if start is None or stop is None:
            return read_tonic_npy(path, None)
        return read_clip(path, start, stop, allowed_gap=self._allowed_gap)

    @classmethod
    def inspect(cls, path: str | os.PathLike[str]) -> Inspection | None:
        """Look at a folder; see `Dataset.inspect`."""
        root = Path(check_path("path", path))
        folder, parts = ibm_folder(root), tonic_parts(root)
        if folder is not None:
            return inspect_ibm(root, folder)
        return inspect_tonic(root, parts) if parts else None


def _ibm_recordings(
    folder: Path, split: str | None, one_per_class: bool, notes: list[str]
) -> list[Recording]:
    lists = {part: folder / name for part, name in LISTS.items()}
    parts = dict(RECORDINGS)
    if all(path.is_file() for path in lists.values()):
        parts = {name: part for part, path in lists.items() for name in read_list(path)}
    recordings, missing = [], []
    for name, part in parts.items():
        if split not in (None, part):
            continue
        path, labels = folder / f"{name}.aedat", folder / f"{name}_labels.csv"
        if not (path.is_file() and labels.is_file()):
            missing.append(name)
            continue
        clips, changed = without_overlap(read_labels(labels))
        for clip, stop in changed:
            notes.append(
                f"{labels}: line {clip.line}: class {clip.label + 1} is said to end at {clip.stop} "
                f"µs, after the next clip begins; it ends at {stop} µs here."
            )
        user = int(name[4:6])
        recordings += [
            Recording(path, clip.label, user, part, clip.start, clip.stop)
            for clip in (first_of_each_class(clips) if one_per_class else clips)
        ]
    if missing:
        notes.append(
            f"{folder}: {len(missing)} of {len(missing) + len({r.path for r in recordings})} "
            f"recordings are missing, {missing[0]} among them; see `hrsnn data doctor`."
        )
    return recordings


def _tonic_recordings(parts: dict[str, Path]) -> list[Recording]:
    recordings = []
    for part, folder in sorted(parts.items(), reverse=True):
        for recording in index_users(user_folders(folder)):
            by_user = "test" if recording.group >= FIRST_TEST_USER else "train"
            recordings.append(recording._replace(split=part or by_user))
    return recordings
