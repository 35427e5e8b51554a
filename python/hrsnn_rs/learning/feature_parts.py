"""Features of many samples as a folder of Parquet files, made by joblib's workers, in any order.

Lives here: which parts are there, and whether they belong to what is asked for now. Not here: who
does the work (`parallel`). Invariant: a part that stands in the folder is whole, and was made by
the model and with the settings of `settings.json`.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections import deque
from collections.abc import Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from hrsnn_rs.arguments import check_integer, check_path
from hrsnn_rs.datasets.samples import EventSamples
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.learning.classifier import HRSNNClassifier
from hrsnn_rs.learning.live_file import fingerprint
from hrsnn_rs.learning.parallel import checked_options, parts_of, work_on
from hrsnn_rs.network.model_file import to_state
from hrsnn_rs.network.network import Network

if TYPE_CHECKING:
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
    are missing. Memory holds the batches that are being made, and no more.

    Parameters
    ----------
    model : Network or HRSNNClassifier
        A classifier is fitted. Not changed.
    samples : data set, or iterable
        As for `parallel_transform`. Those of before must be the same, in the same order: of a data
        set labels and groups are compared, of others the events.
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
    if isinstance(model, Network):
        options = checked_options(model, options)
        method, made_by = "transform", _fingerprint(model)
    elif isinstance(model, HRSNNClassifier):
        check_is_fitted(model)
        if options:
            raise ParameterError(f"options must be those of a network; got {[*options]}.")
        method, made_by = "window_features", fingerprint(model)
    else:
        raise ParameterError(f"model must be a Network or a HRSNNClassifier; got {model!r}.")
    parts = _Parts(Path(check_path("folder", folder)))
    parts.open({"model": made_by, "batch": batch, "options": repr(sorted(options.items()))})
    total = -(-len(samples) // batch) if isinstance(samples, Sized) else None

    def tell() -> None:
        if progress is not None:
            progress(parts.n_done, total, "features")

    tell()
    missing = parts.missing(parts_of(samples, batch))
    for features in work_on(model, method, missing, options, "generator"):
        parts.write(features, batch)
        tell()
    return parts.scan()


class _Parts:
    """Parts that are there, and those that come."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.n_done = 0
        self._paths: list[Path] = []
        self._begun: deque[tuple[int, Path]] = deque()

    def open(self, settings: dict[str, Any]) -> None:
        """Make the folder, or see that its parts were made in the same way."""
        kept = self.folder / _SETTINGS
        if kept.exists():
            try:
                found = json.loads(kept.read_text(encoding="utf-8"))
            except ValueError as error:
                raise FormatError(f"{kept} must be settings of parts: {error}.") from None
            for name, wanted in settings.items():
                got = found.get(name) if isinstance(found, dict) else None
                if got != wanted:
                    raise ParameterError(
                        f"folder must hold parts of {name} {wanted!r} to go on from; got {got!r} "
                        f"in {self.folder}. Remove it, or name another one."
                    )
            return
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise ParameterError(f"folder must be new, empty or of parts; got {self.folder}.")
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f"{_SETTINGS}.{os.getpid()}.part"
        unfinished.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        unfinished.replace(kept)

    def missing(self, parts: Iterable[Any]) -> Iterator[Any]:
        """Yield the parts that are not in the folder; refuse other samples than those of before."""
        there = {path.name[:_DIGITS]: path for path in self.folder.glob("*.parquet")}
        for number, part in enumerate(parts):
            path = self.folder / f"{number:0{_DIGITS}d}-{_mark(part)}.parquet"
            other = there.get(path.name[:_DIGITS], path)
            if other != path:
                raise ParameterError(
                    f"samples must be those of before to go on from; part {number} is of other "
                    f"ones in {self.folder}."
                )
            self._paths.append(path)
            if path.exists():
                self.n_done += 1
            else:
                self._begun.append((number, path))
                yield part

    def write(self, features: NDArray[Any], batch: int) -> None:
        """Write the features of the first part that was begun."""
        import polars as pl

        number, path = self._begun.popleft()
        n_samples, n_windows, _ = features.shape
        places = np.arange(n_samples, dtype=np.uint32) + np.uint32(number * batch)
        table = pl.DataFrame(
            {
                "sample": np.repeat(places, n_windows),
                "window": np.tile(np.arange(n_windows, dtype=np.uint32), n_samples),
                "features": np.asarray(features, np.float32).reshape(n_samples * n_windows, -1),
            }
        )
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            table.write_parquet(unfinished)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        self.n_done += 1

    def scan(self) -> pl.LazyFrame:
        """Give all parts as one table, nothing read yet."""
        import polars as pl

        if not self._paths:
            raise ShapeError("samples must hold at least one sample; got 0.")
        return pl.scan_parquet(self._paths, glob=False)


def _mark(part: Any) -> str:
    """Give a text that tells a part's samples from others; nothing is read for it."""
    digest = hashlib.blake2b(digest_size=8)
    if isinstance(part, EventSamples):
        for codes in (part.labels, part.groups):
            digest.update(np.ascontiguousarray(codes, "<i8").tobytes())
    else:
        for sample in part:
            digest.update(pickle.dumps(sample))
    return digest.hexdigest()


def _fingerprint(network: Network) -> str:
    """Give a text that tells a network from others: parameters, synapses and input gain."""
    arrays, header = to_state(network._assembly(), network.input_gain)
    digest = hashlib.blake2b(json.dumps(header, sort_keys=True).encode(), digest_size=16)
    for name, array in sorted(arrays.items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
