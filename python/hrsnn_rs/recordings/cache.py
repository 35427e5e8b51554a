"""Cache: encoded events on disk, so that files are decoded once.

Lives here: keys, files and their size. Not here: what is read and how it is encoded. Invariant:
an entry is found only by what a file holds, how it is read and by which code, and is taken only
if its checksum fits; so an old or damaged entry is never served, it is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import threading
import time
import warnings
from dataclasses import is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrsnn_rs import _hrsnn
from hrsnn_rs.arguments import check_integer, check_path
from hrsnn_rs.errors import DataWarning, FormatError, ParameterError
from hrsnn_rs.recordings.cache_entry import pack, read_words, unpack

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator, Mapping

    import polars as pl

    from hrsnn_rs.events.events import Events
    from hrsnn_rs.events.sensor import SensorEvents

__all__ = ["EventCache", "checked_cache", "encoder_settings"]

# A file that changed less than this ago (ns) may change again within one tick of its clock.
_FRESH = 2_000_000_000
_ABANDONED = 3600.0
# Fresh memory for each entry costs as much as reading it.
_BUFFERS = threading.local()
_LARGEST_BUFFER = 2**26


class EventCache:
    """Encoded events on disk, found by content of the file, settings and version of the code.

    Several processes may use one cache. What was used longest ago is deleted first when it has
    grown too large.

    Parameters
    ----------
    path : str or path-like, default=None
        Its folder, made when first needed. `None` means the one named by the variable
        `HRSNN_CACHE`, else `hrsnn_rs` in the platform's folder for caches.
    max_bytes : int, default=20 * 2**30
        Size above which entries are deleted.

    Raises
    ------
    ParameterError
        If `path` is a file or `max_bytes` is below 1.

    Examples
    --------
    >>> import tempfile
    >>> from hrsnn_rs.events import Events
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = EventCache(Path(folder) / "cache")
    ...     source = Path(folder) / "clip.npz"
    ...     _ = source.write_bytes(b"events")
    ...     key = cache.key(source, {"encoder": "none"})
    ...     cache.store(key, Events([1, 2], [0, 3], n_channels=4))
    ...     cache.load(key), cache.load(cache.key(source, {"encoder": "other"}))
    (Events(2 events, n_channels=4, duration=3 µs), None)
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, max_bytes: int = 20 * 2**30
    ) -> None:
        self.path = _default_folder() if path is None else Path(check_path("path", path))
        self.max_bytes = check_integer("max_bytes", max_bytes, 1)
        if self.path.exists() and not self.path.is_dir():
            raise ParameterError(f"cache must be a folder; {self.path} is a file.")
        self._hashes: dict[str, str] = {}
        # Nothing is known of the size before the first look.
        self._n_written = self.max_bytes
        self._has_complained = False

    def __repr__(self) -> str:
        return f"EventCache({str(self.path)!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "max_bytes": self.max_bytes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        EventCache.__init__(self, state["path"], max_bytes=state["max_bytes"])

    def key(self, source: Path, settings: Mapping[str, Any]) -> str:
        """Return the name of what `source` becomes under some settings.

        Parameters
        ----------
        source : Path
            The file. Its bytes are hashed, or known if neither size nor times nor inode changed.
        settings : mapping
            All else that the events depend on, as JSON can hold it.

        Returns
        -------
        str
            64 hexadecimal digits.

        Raises
        ------
        FormatError
            If the file cannot be read.
        """
        words = json.dumps(settings, sort_keys=True)
        parts = (self._hash_of(source), words, code_fingerprint())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def load(self, key: str) -> Events | SensorEvents | None:
        """Return the events of a key; `None` if there is no entry or it is damaged."""
        path = self._entry(key)
        try:
            with path.open("rb", buffering=0) as file:
                data = _read_whole(file)
        except OSError:
            return None
        events = unpack(data, key)
        with contextlib.suppress(OSError):
            if events is None:
                path.unlink()
            else:
                os.utime(path)
        return events

    def store(
        self, key: str, events: Events | SensorEvents, *, dataset: str = "", encoder: str = ""
    ) -> None:
        """Keep the events of a key; a disk that is full or read-only is only warned of.

        Parameters
        ----------
        key : str
            What `key` gave.
        events : Events or SensorEvents
            The events.
        dataset, encoder : str, default=""
            Words for the list.
        """
        data = pack(key, events, {"dataset": dataset, "encoder": encoder})
        if len(data) > self.max_bytes:
            return
        try:
            self._write(self._entry(key), data)
            self._n_written += len(data)
            if self._n_written > self.max_bytes // 32:
                self._trim()
        except OSError as error:
            if not self._has_complained:
                self._has_complained = True
                words = f"{self.path}: nothing is cached: {error.strerror or error}"
                warnings.warn(words, DataWarning, stacklevel=2)

    def list(self) -> pl.DataFrame:
        """Return one row per data set and encoder: entries, bytes and when last used (UTC)."""
        import polars as pl

        rows = []
        for path, status in self._entries():
            with contextlib.suppress(OSError), path.open("rb") as file:
                words = read_words(file)
                names = (str(words.get("dataset", "")), str(words.get("encoder", "")))
                rows.append((*names, 1, status.st_size, round(status.st_mtime * 1000)))
        schema = ("dataset", "encoder", "entries", "bytes", "last_used")
        types = (pl.String, pl.String, pl.Int64, pl.Int64, pl.Int64)
        table = pl.DataFrame(rows, schema=dict(zip(schema, types, strict=True)), orient="row")
        return (
            table.group_by("dataset", "encoder")
            .agg(pl.sum("entries", "bytes"), pl.max("last_used").cast(pl.Datetime("ms")))
            .sort("dataset", "encoder")
        )

    def clear(self) -> tuple[int, int]:
        """Delete all entries, and nothing else that may lie in the folder.

        Returns
        -------
        entries, bytes : int
            What was deleted.
        """
        n, size = 0, 0
        for path, status in self._entries():
            with contextlib.suppress(OSError):
                path.unlink()
                n, size = n + 1, size + status.st_size
        for folder in ("events", "files"):
            for path in (self.path / folder).glob("??/*"):
                if path.suffix in {".hash", ".tmp"}:
                    path.unlink(missing_ok=True)
            for empty in [*(self.path / folder).glob("??"), self.path / folder]:
                with contextlib.suppress(OSError):
                    empty.rmdir()
        self._hashes.clear()
        return n, size

    def _entry(self, key: str) -> Path:
        return self.path / "events" / key[:2] / f"{key}.events"

    def _entries(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in sorted((self.path / "events").glob("??/*.events")):
            with contextlib.suppress(OSError):
                yield path, path.stat()

    def _write(self, path: Path, data: bytes) -> None:
        """Let a file appear at once and whole."""
        try:
            path.parent.mkdir(parents=True)
            tag = self.path / "CACHEDIR.TAG"
            if not tag.exists():
                tag.write_text("Signature: 8a477f597d28d172789f06886806bc55\n")
        except FileExistsError:
            pass
        unfinished = path.with_name(f"{path.stem}.{os.getpid()}.{threading.get_ident()}.tmp")
        try:
            unfinished.write_bytes(data)
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise

    def _trim(self) -> None:
        """Delete what was used longest ago, down to nine tenths of the allowed size."""
        self._n_written = 0
        for path in (self.path / "events").glob("??/*.tmp"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _ABANDONED:
                    path.unlink()
        entries = sorted(self._entries(), key=lambda entry: entry[1].st_mtime_ns)
        size = sum(status.st_size for _, status in entries)
        allowed = self.max_bytes if size <= self.max_bytes else self.max_bytes * 9 // 10
        for path, status in entries:
            if size <= allowed:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            size -= status.st_size

    def _hash_of(self, source: Path) -> str:
        """Return the hash of a file's bytes, remembered by its place, size, times and inode."""
        try:
            before = _state(source)
            known = self._hashes.get(before)
            if known is not None:
                return known
            memory = self.path / "files" / before[:2] / f"{before}.hash"
            with contextlib.suppress(OSError):
                known = memory.read_text()
                if len(known) == 64:
                    self._hashes[before] = known
                    return known
            with source.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            changed = max(source.stat().st_mtime_ns, source.stat().st_ctime_ns)
            if _state(source) == before and abs(time.time_ns() - changed) > _FRESH:
                self._hashes[before] = found
                with contextlib.suppress(OSError):
                    self._write(memory, found.encode())
        except OSError as error:
            raise FormatError(f"{source}: cannot be read: {error.strerror or error}.") from None
        return found


def _read_whole(file: io.FileIO) -> memoryview:
    """Read a file into this thread's buffer, which is valid until the next call."""
    size = os.fstat(file.fileno()).st_size
    buffer = getattr(_BUFFERS, "buffer", b"")
    if len(buffer) < size:
        buffer = bytearray(size)
        if size <= _LARGEST_BUFFER:
            _BUFFERS.buffer = buffer
    view = memoryview(buffer)[:size]
    n_read = file.readinto(view)
    return view[:n_read]


def checked_cache(cache: Any) -> EventCache | None:
    """Return the cache that was asked for.

    Parameters
    ----------
    cache : EventCache, bool, str, path-like or None
        `True` is the default place; `None` and `False` are none.

    Returns
    -------
    EventCache or None
        The cache.

    Raises
    ------
    ParameterError
        If it is anything else.

    Examples
    --------
    >>> checked_cache(None) is None
    True
    """
    if cache is None or cache is False:
        return None
    if cache is True:
        return EventCache()
    if isinstance(cache, EventCache):
        return cache
    if isinstance(cache, (str, os.PathLike)):
        return EventCache(cache)
    raise ParameterError(f"cache must be a folder, True, False or None; got {cache!r}.")


def encoder_settings(encoder: Any) -> str:
    """Say all that the output of an encoder depends on.

    Parameters
    ----------
    encoder : object
        `None`, an encoder of this package, or one with a method `cache_key() -> str`.

    Returns
    -------
    str
        The same for encoders that do the same.

    Raises
    ------
    ParameterError
        If it cannot be known.

    Examples
    --------
    >>> encoder_settings(None)
    'None'
    """
    if encoder is None:
        return "None"
    own = getattr(encoder, "cache_key", None)
    if callable(own):
        return f"{type(encoder).__module__}.{type(encoder).__qualname__} {own()}"
    if is_dataclass(encoder) and type(encoder).__module__.startswith("hrsnn_rs."):
        return repr(encoder)
    raise ParameterError(
        "encoder must be of this package or have a method cache_key() -> str where there is a "
        f"cache; got {encoder!r}."
    )


@lru_cache(maxsize=1)
def code_fingerprint() -> str:
    """Return a hash of this package's code, so that a changed encoder finds no old entry."""
    digest = hashlib.sha256(_hrsnn.__version__.encode())
    package = Path(__file__).parent.parent
    for path in [*sorted(package.rglob("*.py")), Path(_hrsnn.__file__)]:
        with contextlib.suppress(OSError):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _default_folder() -> Path:
    named = os.environ.get("HRSNN_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "hrsnn_rs" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "hrsnn_rs"
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "hrsnn_rs"


def _state(source: Path) -> str:
    """Name what a changed file cannot keep: size, times of content and inode, inode, place."""
    status = source.stat()
    numbers = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return hashlib.sha256(f"{numbers} {source.absolute()}".encode()).hexdigest()
