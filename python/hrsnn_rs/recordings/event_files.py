"""Event files: one recording in one file, whatever its format.

Lives here: npz, tonic's npy, N-MNIST's bin, and which reader a suffix asks for. Not here: folders
of them. Invariant: no file is repaired, sorted or read in part in silence; each error names the
path.
"""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import check_integer, check_path
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.recordings.aedat import DVS128, read_aedat, summarize_aedat
from hrsnn_rs.recordings.foreign_files import SUFFIXES, read_foreign

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray

# Rows and columns are those of a DVS128 where neither the file nor the caller says them.
_ARRAYS = ("t", "x", "y", "p", "height", "width", "duration")
_NMNIST = 34
_NMNIST_DURATION = 250_000


def checked_size(sensor_size: Any) -> tuple[int, int] | None:
    """Return (height, width) as whole numbers, or say what is wrong with it."""
    if sensor_size is None:
        return None
    if not isinstance(sensor_size, (tuple, list)) or len(sensor_size) != 2:
        raise ParameterError(f"sensor_size must be (height, width); got {sensor_size!r}.")
    height, width = (
        check_integer(f"sensor_size[{place}]", value, 1, 2**16 - 1)
        for place, value in enumerate(sensor_size)
    )
    return height, width


def _unreadable(path: Path, error: BaseException) -> FormatError:
    # NumPy's advice to allow pickles is not ours.
    said = str(error).split("allow_pickle")[0].strip() or type(error).__name__
    return FormatError(f"{path}: cannot be read: {said}")


def read_npz(path: Path, sensor_size: tuple[int, int] | None) -> SensorEvents:
    """Read the arrays t (µs), x, y, p of an archive, and height, width, duration if they are there.

    Parameters
    ----------
    path : Path
        The archive.
    sensor_size : tuple of int or None
        (height, width) where the archive does not say it.

    Returns
    -------
    SensorEvents
        What it holds.

    Raises
    ------
    FormatError
        If an array is missing, cut, longer than its header says, or not what it should be.
    """
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.removesuffix(".npy"): name for name in archive.namelist()}
            for name in ("t", "x", "y", "p"):
                if name not in names:
                    raise FormatError(f"{path}: array {name!r} is missing; it has {sorted(names)}.")
            for name in _ARRAYS:
                if name in names:
                    # As a whole, since only then its checksum is looked at.
                    contents = io.BytesIO(archive.read(names[name]))
                    arrays[name] = _array_in(contents, f"array {name!r}", path)
    except FormatError:
        raise
    except zipfile.BadZipFile as error:
        with path.open("rb") as file:
            if file.read(6) == b"\x93NUMPY":
                raise FormatError(
                    f"{path}: must be an npz archive; it holds a single array."
                ) from None
        raise _unreadable(path, error) from error
    # A damaged archive makes the libraries below raise nearly anything.
    except Exception as error:
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
    if duration is None and not any(column.size for column in (t, x, y, p)):
        raise FormatError(
            f"{path}: holds no events, nor the duration (µs) of a recording without any: remove it."
        )
    return SensorEvents(t, x, y, p, height=size[0], width=size[1], duration=duration)


def _array_in(contents: Any, what: str, path: Path) -> NDArray[Any]:
    """Read one array, all of it and nothing after it."""
    try:
        array: NDArray[Any] = np.lib.format.read_array(contents, allow_pickle=False)
    except ValueError as error:
        if "Object arrays" not in str(error):
            raise
        raise FormatError(f"{path}: {what} holds Python objects, which are not loaded.") from None
    if contents.read(1):
        raise FormatError(f"{path}: {what} is longer than its header says ({array.shape}).")
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
    for name, places, below in (("x", x, DVS128[1]), ("y", y, DVS128[0])):
        outside = np.flatnonzero(places >= below)
        if outside.size:
            value = places.flat[outside[0]]
            raise FormatError(
                f"{path}: {name} is {value} at event {outside[0]}, outside a sensor of "
                f"{DVS128[0]} x {DVS128[1]}; give sensor_size=(height, width)."
            )
    return DVS128


def read_tonic_npy(path: Path, sensor_size: tuple[int, int] | None) -> SensorEvents:
    """Read a clip of DVSGesture as tonic unpacks it: floats in the columns x, y, p, t (ms).

    Parameters
    ----------
    path : Path
        The file.
    sensor_size : tuple of int or None
        (height, width); `None` means (128, 128).

    Returns
    -------
    SensorEvents
        Times are rounded to µs.

    Raises
    ------
    FormatError
        If the file is cut, longer than its header says, or not such a table.
    """
    try:
        with path.open("rb") as file:
            if file.read(2) == b"PK":
                raise FormatError(f"{path}: must hold a single array; it is an archive.")
            file.seek(0)
            table = _array_in(file, "the array", path)
    except FormatError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error
    if table.dtype.kind != "f":
        raise FormatError(f"{path}: must hold floats; got {table.dtype}.")
    if table.ndim != 2 or table.shape[1] != 4:
        raise FormatError(f"{path}: must have the columns x, y, p, t; got shape {table.shape}.")
    if not table.size:
        raise FormatError(f"{path}: holds no events: remove it.")
    height, width = sensor_size or DVS128
    # Numbers too large for their next form become infinite, and are refused as such.
    with np.errstate(over="ignore", invalid="ignore"):
        columns = np.ascontiguousarray(table.T, np.float64)
        plain = _plain(columns, height, width)
        if plain is not None:
            return plain
        x, y, p, milliseconds = columns
        t = np.rint(milliseconds * 1000.0)
    return SensorEvents(t, x, y, p, height=height, width=width)


def check_npy(path: Path) -> str | None:
    """Say what is wrong with an npy file by its header and length alone; `None`: nothing."""
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0
            if version == (2, 0):
                read = np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file)
            start = file.tell()
    except Exception as error:
        return f"cannot be read: {error}"
    promised, found = math.prod(shape) * dtype.itemsize, path.stat().st_size - start
    if found < promised:
        return f"the file is cut: {found} of {promised} bytes"
    return f"{found - promised} bytes too long" if found > promised else None


def check_file(path: Path) -> str | None:
    """Say what is wrong with a recording by its headers and length alone; `None`: nothing."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".npy":
            return check_npy(path)
        if suffix == ".aedat":
            summarize_aedat(path)
        elif suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                names = {name.removesuffix(".npy") for name in archive.namelist()}
            missing = [name for name in ("t", "x", "y", "p") if name not in names]
            return f"array {missing[0]!r} is missing" if missing else None
        elif path.stat().st_size == 0:
            return "the file is cut: it is empty"
    except zipfile.BadZipFile as error:
        return f"the file is cut, or no archive: {error}"
    except Exception as error:
        return str(error)
    return None


def first_time(path: Path) -> int | None:
    """Return the time of a recording's first event in µs, by its first bytes alone.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    int or None
        `None` where it takes a decoder, where there is no event, or the file is not sound.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".aedat":
            return summarize_aedat(path).first
        if suffix == ".npy":
            table = np.load(path, mmap_mode="r", allow_pickle=False)
            return round(float(table[0, 3]) * 1000.0)
        if suffix != ".npz":
            return None
        with zipfile.ZipFile(path) as archive, archive.open("t.npy") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0
            if version == (2, 0):
                read = np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file)
            first = np.frombuffer(file.read(dtype.itemsize), dtype)
            return int(first[0]) if math.prod(shape) else None
    # Whatever is wrong with a file is said elsewhere.
    except Exception:
        return None


def _plain(columns: NDArray[np.float64], height: int, width: int) -> SensorEvents | None:
    """Convert a faultless table in few passes; `None` if anything needs a second look."""
    whole = []
    kinds = (np.uint16, np.uint16, np.uint8, np.int64)
    for column, below, kind in zip(columns, (width, height, 2, 2.0**43), kinds, strict=True):
        # A NaN makes both of these false.
        if not (column.size and column.min() >= 0 and column.max() < below):
            return None
        numbers = np.rint(column * 1000.0 if kind is np.int64 else column).astype(kind)
        if kind is not np.int64 and (numbers != column).any():
            return None
        whole.append(numbers)
    x, y, p, t = whole
    if (t[1:] < t[:-1]).any():
        return None
    return SensorEvents.of_checked(t, x, y, p, height, width, int(t[-1]) + 1)


def read_nmnist_bin(path: Path) -> SensorEvents:
    """Read a sample of N-MNIST: five bytes an event, x, y, and polarity with 23 bits of time.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    SensorEvents
        Of a sensor of 34 x 34.

    Raises
    ------
    FormatError
        If the file ends within an event or before 250 ms (three saccades take some 300 ms), or
        an event lies outside the sensor. A cut between events after that leaves no trace.
    """
    contents = np.frombuffer(path.read_bytes(), np.uint8)
    if contents.size % 5:
        raise FormatError(
            f"{path}: byte {contents.size // 5 * 5}: the file is cut: events have 5 bytes, "
            f"{contents.size % 5} are left."
        )
    events = contents.reshape(-1, 5).astype(np.int64)
    x, y = events[:, 0], events[:, 1]
    outside = (x >= _NMNIST) | (y >= _NMNIST)
    if outside.any():
        event = int(np.argmax(outside))
        raise FormatError(
            f"{path}: byte {5 * event}: event at x {x[event]}, y {y[event]}, outside a sensor of "
            f"{_NMNIST} x {_NMNIST}."
        )
    t = (events[:, 2] & 127) << 16 | events[:, 3] << 8 | events[:, 4]
    if not t.size or t[-1] < _NMNIST_DURATION:
        end = f"after {t[-1]} µs" if t.size else "before its first event"
        raise FormatError(f"{path}: the file is cut: it ends {end}, of some 300000.")
    try:
        return SensorEvents(t, x, y, events[:, 2] >> 7, height=_NMNIST, width=_NMNIST)
    except ParameterError as error:
        raise FormatError(f"{path}: {error}") from None


def _read_aedat(path: Path, sensor_size: tuple[int, int] | None) -> SensorEvents:
    return read_aedat(path, sensor_size=sensor_size or DVS128)


READERS: dict[str, Callable[[Path, tuple[int, int] | None], SensorEvents]] = {
    ".npz": read_npz,
    ".npy": read_tonic_npy,
    ".aedat": _read_aedat,
    **dict.fromkeys(SUFFIXES, read_foreign),
}
"""Reader by suffix."""


def read_events(
    path: str | os.PathLike[str], *, sensor_size: tuple[int, int] | None = None
) -> SensorEvents:
    """Read one recording; its suffix says the format.

    Parameters
    ----------
    path : str or path-like
        `.npz` (arrays t in µs, x, y, p), `.npy` (tonic's DVSGesture), `.aedat` (AEDAT 3.1), or
        what needs faery (`pip install "hrsnn_rs[events]"`): `.aedat4`, `.raw` (EVT2, EVT3), `.dat`,
        `.es`.
    sensor_size : tuple of int, default=None
        (height, width). `None` means what the file says, or (128, 128) where it says nothing.

    Returns
    -------
    SensorEvents
        All events of the file.

    Raises
    ------
    FormatError
        If the suffix is unknown or the file is not what it says; the message has the path.
    MissingDependencyError
        If faery is needed and not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(Path(folder) / "wave.npz", t=[1], x=[2], y=[3], p=[1])
    ...     read_events(Path(folder) / "wave.npz")
    SensorEvents(1 event, height=128, width=128, duration=2 µs)
    """
    path, sensor_size = Path(check_path("path", path)), checked_size(sensor_size)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise FormatError(f"{path}: must end with one of {', '.join(READERS)}.")
    try:
        return reader(path, sensor_size)
    except (ParameterError, ShapeError) as error:
        raise FormatError(f"{path}: {error}") from None
