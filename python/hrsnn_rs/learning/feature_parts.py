"""Features of many samples as a folder of Parquet files, made by joblib's workers, in any order.

Lives here: which parts are there, and whether they belong to what is asked for now. Not here: who
does the work (`parallel`). Invariant: a part that stands in the folder was written whole, by the
model and with the settings of `settings.json`; its name ends with a hash of its bytes, so that both
come at once, and what has happened to it since is noticed.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import as_array, check_integer, check_path, check_progress
from hrsnn_rs.datasets.samples import EventSamples
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.learning.classifier import HRSNNClassifier
from hrsnn_rs.learning.estimator_input import fingerprint as fingerprint_of_events
from hrsnn_rs.learning.estimator_input import is_table
from hrsnn_rs.learning.fitted_as import check_as_fitted
from hrsnn_rs.learning.live_file import fingerprint
from hrsnn_rs.learning.parallel import checked_options, length_of, parts_of, work_on
from hrsnn_rs.network.checkpoint import digest
from hrsnn_rs.network.network import Network

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    import polars as pl
    from numpy.typing import NDArray

_SETTINGS = "settings.json"
#: Of a part's number in its name, which sorts as the parts do.
_DIGITS = 7


def features_to_parquet(
    model: Network | HRSNNClassifier,
    samples: Iterable[Any],
    folder: str | os.PathLike[str],
    *,
    batch: int = 32,
    progress: Callable[[int, int | None, str], None] | None = None,
    **options: Any,
) -> pl.LazyFrame:
    """Write what `parallel_transform` or `parallel_features` gives, batch by batch, into a folder.

    Called again after it was stopped, or on samples that have become more, it makes the parts that
    are missing, or whose bytes are not those that were written. Memory holds the batches that are
    being made, and a few more.

    Parameters
    ----------
    model : Network or HRSNNClassifier
        A classifier is fitted. Not changed.
    samples : data set, or iterable
        As for `parallel_transform`. Those of before must be the same, in the same order: of a data
        set labels, groups and the first sample of each part are compared, of others all events.
    folder : str or path
        Is made; may hold parts of before.
    batch : int, default=32
        Samples of a part.
    progress : callable, default=None
        Called with parts done, parts in all or `None` where nobody knows, and a word.
    **options
        Of `parallel_transform`, if the model is a network.

    Returns
    -------
    polars.LazyFrame
        Over all parts, nothing read yet: `sample` (uint32, place among the samples), `window`
        (uint32) and `features` (array of float32, one number per neuron), sorted by both.

    Raises
    ------
    ParameterError
        If an argument is refused, or parts in the folder are of something else.
    FormatError
        If the folder holds what is no part.
    ShapeError
        As for `parallel_transform`, and if there is no sample.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import hrsnn_rs as hr
    >>> from hrsnn_rs.learning import features_to_parquet
    >>> network = hr.Network(1, 5, inputs=hr.RandomConnectivity(p=1.0, weight=20.0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = features_to_parquet(network, [([100, 5000], [0, 0])] * 3, folder, batch=2)
    ...     table.select("sample", "window").collect().rows()
    [(0, 0), (1, 0), (2, 0)]
    """
    batch = check_integer("batch", batch, 1)
    check_progress(progress)
    if isinstance(model, Network):
        options = checked_options(model, {"n_windows": 1, **options})
        method, made_by = "transform", digest(model._assembly(), model.input_gain)
    elif isinstance(model, HRSNNClassifier):
        check_as_fitted(model)
        if options:
            raise ParameterError(f"options must be those of a network; got {[*options]}.")
        method, made_by = "window_features", fingerprint(model)
    else:
        raise ParameterError(f"model must be a Network or a HRSNNClassifier; got {model!r}.")
    parts = _Parts(
        Path(check_path("folder", folder)),
        {"model": made_by, "batch": batch, "options": _plain(options)},
    )
    n_samples = length_of(samples)
    total = None if n_samples is None else -(-n_samples // batch)

    def tell() -> None:
        if progress is not None:
            progress(parts.n_done, total, "features")

    tell()
    missing = parts.missing(parts_of(samples, batch))
    for place, features in work_on(model, method, missing, options):
        parts.write(place, features)
        tell()
    return parts.scan()


class _Parts:
    """Parts that are there, and those that come."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        self.n_done = 0
        self._settings = settings
        self._batch: int = settings["batch"]
        self._paths: dict[int, Path] = {}
        self._begun: list[tuple[int, str]] = []
        self._is_new = not (folder / _SETTINGS).exists()
        if not self._is_new:
            self._compare(folder / _SETTINGS)
        elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ParameterError(f"folder must be new, empty or of parts; got {folder}.")

    def _compare(self, kept: Path) -> None:
        try:
            found = json.loads(kept.read_text(encoding="utf-8"))
        except ValueError as error:
            raise FormatError(f"{kept} must be settings of parts: {error}.") from None
        for name, wanted in self._settings.items():
            got = found.get(name) if isinstance(found, dict) else None
            if got != wanted:
                raise ParameterError(
                    f"folder must hold parts of {name} {wanted!r} to go on from; got {got!r} "
                    f"in {self.folder}. Remove it, or name another one."
                )

    def missing(self, parts: Iterable[Any]) -> Iterator[Any]:
        """Yield the parts that are not in the folder; refuse other samples than those of before."""
        there: dict[str, list[Path]] = {}
        for path in self.folder.glob("*.parquet"):
            there.setdefault(path.name[:_DIGITS], []).append(path)
        for number, part in enumerate(parts):
            n = length_of(part) or 0
            name = f"{number:0{_DIGITS}d}-{n}-{_mark(part)}"
            others = there.get(name[:_DIGITS], [])
            mine = [other for other in others if other.name.startswith(name)]
            for other in others:
                if other not in mine and f"-{self._batch}-" in other.name:
                    raise ParameterError(
                        f"samples must be those of before to go on from; part {number} is of "
                        f"other ones in {self.folder}."
                    )
            whole = next((path for path in mine if _is_whole(path, name)), None)
            if whole is not None:
                self._paths[number] = whole
                self.n_done += 1
                _remove(others, whole)
            else:
                self._begun.append((number, name))
                yield part

    def write(self, place: int, features: NDArray[Any]) -> None:
        """Write the features of a part, by its place among those that were missing."""
        import polars as pl

        number, name = self._begun[place]
        n_samples, n_windows, _ = features.shape
        first = number * self._batch
        places = np.arange(first, first + n_samples, dtype=np.uint32)
        table = pl.DataFrame(
            {
                "sample": np.repeat(places, n_windows),
                "window": np.tile(np.arange(n_windows, dtype=np.uint32), n_samples),
                "features": np.asarray(features, np.float32).reshape(n_samples * n_windows, -1),
            }
        )
        if self._is_new:
            self.folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps(self._settings, indent=1) + "\n"
            settings = self.folder / _SETTINGS
            _replaced(
                settings, lambda to: to.write_text(text, encoding="utf-8"), lambda _: settings
            )
            self._is_new = False
        path = _replaced(
            self.folder / name, table.write_parquet, lambda unnamed: _named(unnamed, name)
        )
        self._paths[number] = path
        _remove(self.folder.glob(f"{name[:_DIGITS]}-*.parquet"), path)
        self.n_done += 1

    def scan(self) -> pl.LazyFrame:
        """Give all parts as one table, nothing read yet."""
        import polars as pl

        if not self._paths:
            raise ShapeError("samples must hold at least one sample; got 0.")
        return pl.scan_parquet([self._paths[number] for number in sorted(self._paths)], glob=False)


def _replaced(path: Path, write: Callable[[Path], Any], named: Callable[[Path], Path]) -> Path:
    """Write a file that is whole once it has its name."""
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        write(unfinished)
        return unfinished.replace(named(unfinished))
    finally:
        unfinished.unlink(missing_ok=True)


def _remove(paths: Iterable[Path], kept: Path) -> None:
    """Remove what is damaged, or of the same samples when they were fewer."""
    for path in paths:
        if path != kept:
            path.unlink(missing_ok=True)


def _is_whole(path: Path, name: str) -> bool:
    try:
        return path == _named(path, name)
    except OSError:  # As of a sector that has gone bad.
        return False


def _named(path: Path, name: str) -> Path:
    """Give the path that a part of such bytes has."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8))
    return path.with_name(f"{name}-{found.hexdigest()}.parquet")


def _mark(part: Any) -> str:
    """Give a text that tells a part's samples from others; of a data set one sample is read."""
    found = hashlib.blake2b(digest_size=8)
    if isinstance(part, EventSamples):
        for codes in (part.labels, part.groups):
            found.update(np.ascontiguousarray(codes, "<i8").tobytes())
        found.update(_content(part[0][0]))
    elif is_table(part):
        found.update(_content(as_array("samples", part)))
    else:
        for sample in part:
            found.update(_content(sample))
    return found.hexdigest()


def _content(sample: Any) -> bytes:
    """Give a sample's content as bytes; what is no sample is left to who must refuse it."""
    if isinstance(sample, Events):
        return fingerprint_of_events(sample).to_bytes(8, "little")
    if isinstance(sample, SensorEvents):
        sample = (sample.t, sample.x, sample.y, sample.p)
    columns = sample if isinstance(sample, (tuple, list)) else (sample,)
    try:
        arrays = [np.asarray(column) for column in columns]
    except ValueError:
        arrays = []
    return b"".join(
        str((one.dtype, one.shape)).encode()
        + (repr(one.tolist()).encode() if one.dtype.hasobject else one.tobytes())
        for one in arrays
    )


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    """Give options as JSON has them; of the number of threads nothing depends."""
    kept = {name: value for name, value in options.items() if name != "n_threads"}
    as_lists: dict[str, Any] = json.loads(
        json.dumps(kept, sort_keys=True, default=lambda value: np.asarray(value).tolist())
    )
    return as_lists
