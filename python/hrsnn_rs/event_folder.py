"""Event folders: recordings on disk, one file per sample.

Lives here: the two layouts, what a file must hold, and what is said when it does not. Not here:
what samples can do. Invariant: no file is repaired, sorted or skipped in silence; each error
names the path.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.columns import whole_number
from hrsnn_rs.dataset import Dataset, Recording
from hrsnn_rs.errors import FormatError, ParameterError
from hrsnn_rs.movements import CLASSES
from hrsnn_rs.sensor import SensorEvents

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray

    from hrsnn_rs.events import Events

__all__ = ["EventFolder", "load_folder"]

_USER_FOLDER = re.compile(r"user(\d+)_\w+")
# Rows and columns where neither the file nor the caller says them.
_DVS128 = (128, 128)
_ARRAYS = ("t", "x", "y", "p", "height", "width", "duration")
# What NumPy raises on files that are cut, no archives or not what their header claims.
_UNREADABLE = (
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


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

    Attributes
    ----------
    paths : tuple of Path
        File of each sample.

    Examples
    --------
    >>> import tempfile
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
    ) -> None:
        group_size = whole_number(group_size, "group_size", low=1)
        self._sensor_size = _checked_size(sensor_size)
        folder = Path(root)
        if not folder.exists():
            raise FormatError(f"{folder}: no such folder.")
        if not folder.is_dir():
            raise FormatError(f"{folder}: must be a folder; it is a file.")
        users = _user_folders(folder)
        classes, files = _index_users(users) if users else _index_classes(folder, group_size)
        if not files:
            raise FormatError(
                f"{folder}: no samples; expected <class>/<n>.npz or userNN_light/<class>.npy."
            )
        super().__init__(root, split, encoder, classes=classes, recordings=files)

    def _sensor_events(self, sample: int) -> SensorEvents:
        path = self.recordings[sample].path
        read = _read_npy if path.suffix == ".npy" else _read_npz
        return read(path, self._sensor_size)


def load_folder(
    path: str | os.PathLike[str],
    *,
    group_size: int = 5,
    sensor_size: tuple[int, int] | None = None,
) -> EventFolder:
    """Open a folder of event recordings. Only names are read now; events when asked for.

    Two layouts are known:

    - `<class>/<n>.npz` with the arrays t (µs), x, y, p, and optionally the numbers height,
      width and duration (µs). Classes are the names of folders, in numerical order where all
      are numbers. Samples are ordered by class, then n. The subject is `n // group_size`.
    - `userNN_light/<class>.npy`, as tonic writes DVSGesture, either here or one folder below
      (`ibmGestureTrain`, `ibmGestureTest`): float arrays with the columns x, y, p, t in ms.
      There are always the eleven classes of DVS128 Gesture, and the file's name is the label;
      the subject is NN. Times are rounded to µs.

    Hidden folders and files of other kinds are not read. Times are kept as they are recorded.

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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     user = Path(folder) / "user07_led"
    ...     user.mkdir()
    ...     np.save(user / "9.npy", np.array([[3.0, 4.0, 1.0, 0.25]]))
    ...     samples = load_folder(folder)
    ...     samples.groups, samples.classes[samples.labels[0]], samples[0][0].t
    (array([7]), 'air_guitar', array([250]))
    """
    return EventFolder(path, group_size=group_size, sensor_size=sensor_size)


def _checked_size(sensor_size: Any) -> tuple[int, int] | None:
    if sensor_size is None:
        return None
    if not isinstance(sensor_size, (tuple, list)) or len(sensor_size) != 2:
        raise ParameterError(f"sensor_size must be (height, width); got {sensor_size!r}.")
    height, width = (
        whole_number(value, f"sensor_size[{place}]", low=1, below=2**16)
        for place, value in enumerate(sensor_size)
    )
    return height, width


def _folders(path: Path) -> list[Path]:
    return sorted(
        child for child in path.iterdir() if child.is_dir() and not child.name.startswith(".")
    )


def _number(path: Path) -> int:
    """Return the number that a file is called by."""
    if not re.fullmatch(r"[0-9]{1,9}", path.stem):
        raise FormatError(f"{path}: the name must be a number.")
    return int(path.stem)


def _user_folders(path: Path) -> list[Path]:
    children = _folders(path)
    below = [grandchild for child in children for grandchild in _folders(child)]
    return [folder for folder in children + below if _USER_FOLDER.fullmatch(folder.name)]


def _index_users(folders: list[Path]) -> tuple[tuple[str, ...], list[Recording]]:
    files = []
    for folder in folders:
        user = _USER_FOLDER.fullmatch(folder.name)
        assert user is not None, "_user_folders has matched it"
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
        found = sorted(folder.glob("*.npz"), key=lambda file: (_number(file), file.name))
        if not found:
            raise FormatError(f"{folder}: a class without samples; expected files <n>.npz.")
        files += [Recording(file, label, _number(file) // group_size) for file in found]
    return tuple(folder.name for folder in folders), files


def _unreadable(path: Path, error: BaseException) -> FormatError:
    # NumPy's advice to allow pickles is not ours.
    said = str(error).split("allow_pickle")[0].strip() or type(error).__name__
    return FormatError(f"{path}: cannot be read: {said}")


def _read_npz(path: Path, sensor_size: tuple[int, int] | None) -> SensorEvents:
    arrays: dict[str, NDArray[Any]] = {}
    # Opened here, since NumPy leaves a file open that it cannot make sense of.
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise FormatError(f"{path}: must be an npz archive; it holds a single array.")
            with archive:
                for name in ("t", "x", "y", "p"):
                    if name not in archive.files:
                        raise FormatError(
                            f"{path}: array {name!r} is missing; it has {sorted(archive.files)}."
                        )
                for name in _ARRAYS:
                    if name in archive.files:
                        arrays[name] = _array_in(archive, name, path)
    except FormatError:
        raise
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error
    for name, array in arrays.items():
        allowed = "iub" if name == "p" else "iu"
        if array.dtype.kind not in allowed:
            raise FormatError(f"{path}: array {name!r} must hold integers; got {array.dtype}.")
    said = _size_in(path, arrays)
    if said and sensor_size and said != sensor_size:
        raise FormatError(f"{path}: recorded with {said} pixels, sensor_size is {sensor_size}.")
    size = said or sensor_size
    if size is None:
        size = _assumed(path, arrays["x"], arrays["y"])
    duration = _scalar(path, arrays, "duration")
    t, x, y, p = (arrays[name] for name in ("t", "x", "y", "p"))
    return SensorEvents(t, x, y, p, height=size[0], width=size[1], duration=duration)


def _array_in(archive: Any, name: str, path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = archive[name]
    except ValueError as error:
        if "Object arrays" not in str(error):
            raise
        raise FormatError(
            f"{path}: array {name!r} holds Python objects, which are not loaded."
        ) from None
    return array


def _scalar(path: Path, arrays: dict[str, NDArray[Any]], name: str) -> int | None:
    if name not in arrays:
        return None
    if arrays[name].size != 1:
        raise FormatError(f"{path}: {name} must be one number; got shape {arrays[name].shape}.")
    return int(arrays[name].item())


def _size_in(path: Path, arrays: dict[str, NDArray[Any]]) -> tuple[int, int] | None:
    height, width = (_scalar(path, arrays, name) for name in ("height", "width"))
    if (height is None) != (width is None):
        raise FormatError(f"{path}: height and width must be given both or not at all.")
    return None if height is None or width is None else (height, width)


def _assumed(path: Path, x: NDArray[Any], y: NDArray[Any]) -> tuple[int, int]:
    """Return the size of a DVS128; a guess for each file could differ within one folder."""
    for name, places, below in (("x", x, _DVS128[1]), ("y", y, _DVS128[0])):
        outside = np.flatnonzero(places >= below)
        if outside.size:
            value = places.flat[outside[0]]
            raise FormatError(
                f"{path}: {name} is {value} at event {outside[0]}, outside a sensor of "
                f"{_DVS128[0]} x {_DVS128[1]}; give sensor_size=(height, width)."
            )
    return _DVS128


def _read_npy(path: Path, sensor_size: tuple[int, int] | None) -> SensorEvents:
    try:
        with path.open("rb") as file:
            table = np.load(file, allow_pickle=False)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error
    if not isinstance(table, np.ndarray):
        raise FormatError(f"{path}: must hold a single array; it is an archive.")
    if table.dtype.kind != "f":
        raise FormatError(f"{path}: must hold floats; got {table.dtype}.")
    if table.ndim != 2 or table.shape[1] != 4:
        raise FormatError(f"{path}: must have the columns x, y, p, t; got shape {table.shape}.")
    x, y, p, milliseconds = table.astype(np.float64).T
    height, width = sensor_size or _DVS128
    return SensorEvents(np.rint(milliseconds * 1000.0), x, y, p, height=height, width=width)
