"""Dataset: samples in files, listed by their names and read when they are asked for.

Lives here: what all data sets on disk share: root, official split, encoder, index and
inspection. Not here: layouts and formats, which each data set has of its own, and what samples
can do. Invariant: a data set holds names only, never an open file, so that it can be pickled,
forked and read by several threads; whatever is wrong with a file is an error that names it.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from hrsnn_rs.arguments import check_callable, check_path
from hrsnn_rs.datasets.inspection import relative
from hrsnn_rs.datasets.samples import EventSamples
from hrsnn_rs.datasets.walk import is_utf8, shown
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.events.columns import kind_of
from hrsnn_rs.events.events import Events
from hrsnn_rs.recordings.cache import EventCache, checked_cache, encoder_settings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from hrsnn_rs.datasets.inspection import Inspection
    from hrsnn_rs.events.sensor import SensorEvents

__all__ = ["Dataset", "Recording"]

INDEX_SCHEMA: dict[str, Any] = {
    "sample": pl.Int64,
    "path": pl.String,
    "label": pl.Int64,
    "class_name": pl.String,
    "subject": pl.Int64,
    "subject_name": pl.String,
    "split": pl.String,
    "start": pl.Int64,
    "stop": pl.Int64,
    "n_events": pl.Int64,
    "duration": pl.Int64,
    "bytes": pl.Int64,
}
"""Columns of an index."""


class Recording(NamedTuple):
    """Where one sample is and what its name says.

    Attributes
    ----------
    path : Path
        The file.
    label : int
        Index into the classes.
    group : int
        Subject, or group that must not be on both sides of a split.
    split : str
        Official side: one of the data set's `splits`, or "" where there is none.
    start, stop : int or None
        Part of the file, `stop` excluded: µs in files of events, frames in files of video;
        an entry's number in archives of many samples. `None` means from its start, to its end.
    """

    path: Path
    label: int
    group: int
    split: str = ""
    start: int | None = None
    stop: int | None = None


class Dataset(EventSamples):
    """Samples in files of a folder; base of all data sets on disk.

    Parameters
    ----------
    root : str or path-like
        The folder, as it was unpacked.
    split : str, default=None
        Official part, one of `splits`. `None` means all samples.
    encoder : callable, default=None
        From what was recorded to `Events`, such as `EventEncoder`. `None`: samples are
        `SensorEvents`.
    classes : sequence of str
        Names of the classes.
    recordings : sequence of Recording
        All samples, in order; those of other parts are left out.
    subject_names : sequence of str, default=None
        What each subject is called; a group is an index into it. `None` where they have numbers.
    cache : EventCache, str, path-like or bool, default=None
        Where to keep what samples became: a folder; `True` means the usual place, `None` and
        `False` nowhere. An entry depends on the file's content, the part that is read, the
        encoder and the version of this package.

    Attributes
    ----------
    root : Path
        The folder.
    part : str or None
        What was given as `split`.
    encoder : callable or None
        What was given.
    cache : EventCache or None
        Where samples are kept.
    recordings : tuple of Recording
        Where each sample is.
    split_warning : str or None
        Why a result on this official part may flatter: a subject of it is also in the part for
        training. `None` if nothing is known against it.

    Raises
    ------
    FormatError
        If no sample is left.
    ParameterError
        If the split is unknown, the encoder cannot be called, or `root` is no path.
    """

    splits: tuple[str, ...] = ()
    """Names of the official parts, or of those that a folder has."""

    def __init__(
        self,
        root: str | os.PathLike[str],
        split: str | None = None,
        encoder: Callable[[Any], Events] | None = None,
        *,
        classes: Sequence[str],
        recordings: Sequence[Recording],
        subject_names: Sequence[str] | None = None,
        cache: EventCache | str | os.PathLike[str] | bool | None = None,
    ) -> None:
        self.root = Path(check_path("root", root))
        self.part = self.checked_split(split)
        if encoder is not None:
            check_callable("encoder", encoder)
        self.encoder = encoder
        self.cache = checked_cache(cache)
        self._settings = "" if self.cache is None else encoder_settings(encoder)
        self.recordings = tuple(one for one in recordings if split is None or one.split == split)
        self.split_warning: str | None = None
        if not self.recordings:
            part = "" if split is None else f" of the split {split!r}"
            raise FormatError(f"{self.root}: no samples{part}; try `hrsnn data doctor`.")
        labels = [recording.label for recording in self.recordings]
        groups = [recording.group for recording in self.recordings]
        super().__init__(classes, labels, groups, subject_names)

    def checked_split(self, split: str | None) -> str | None:
        """Return `split` if it is one of `splits` or `None`, else raise ParameterError."""
        if split is not None and not (isinstance(split, str) and split in self.splits):
            known = ", ".join(map(repr, self.splits)) or "none: leave it out"
            raise ParameterError(f"split must be one of {known}; got {split!r}.")
        return split

    @classmethod
    def inspect(cls, path: str | os.PathLike[str]) -> Inspection | None:
        """Look at a folder without opening it as a data set.

        Parameters
        ----------
        path : str or path-like
            A folder or file, whatever is in it.

        Returns
        -------
        Inspection or None
            What was found; `None` if nothing there looks like this data set. Nothing that is
            found raises.

        Raises
        ------
        ParameterError
            If it is no path.
        """
        check_path("path", path)
        return None

    @abstractmethod
    def _sensor_events(self, sample: int) -> SensorEvents:
        """Read one sample, 0 <= sample < len(self); FormatError names the file."""

    def _encoded(self, sample: int) -> Events:
        """Read one sample through the encoder; data sets of video stream their frames."""
        assert self.encoder is not None, "only asked for where there is one"
        read = self._read_sensor_events(sample)
        try:
            events = self.encoder(read)
        except (ParameterError, ShapeError) as error:
            raise type(error)(f"{self.recordings[sample].path}: {error}") from error
        if not isinstance(events, Events):
            raise ParameterError(f"encoder must return Events; got {kind_of(events)}.")
        return events

    def _look_at(self, sample: int) -> tuple[int, int]:
        """Read one sample as a whole, and give height and width; FormatError if it is wrong."""
        events = self._read_sensor_events(sample)
        if not len(events):
            raise FormatError(f"{self.recordings[sample].path}: holds no events: remove it.")
        return events.height, events.width

    def _read_sensor_events(self, sample: int) -> SensorEvents:
        try:
            return self._sensor_events(sample)
        except (ParameterError, ShapeError) as error:
            raise FormatError(f"{self.recordings[sample].path}: {error}") from None

    def _read(self, sample: int) -> Any:
        if self.cache is None:
            return self._read_file(sample)
        key = self._cache_key(sample)
        events = self.cache.load(key)
        if events is None:
            events = self._read_file(sample)
            # The file may have been written to while it was read.
            if self._may_keep(sample) and self._cache_key(sample) == key:
                self.cache.store(key, events, dataset=type(self).__name__, encoder=self._settings)
        return events

    def _read_file(self, sample: int) -> Any:
        return self._read_sensor_events(sample) if self.encoder is None else self._encoded(sample)

    def _cache_key(self, sample: int) -> str:
        assert self.cache is not None, "only asked for where there is one"
        one = self.recordings[sample]
        settings = {
            "dataset": f"{type(self).__module__}.{type(self).__qualname__}",
            "encoder": self._settings,
            "part": [one.start, one.stop],
            **self._reading(sample),
        }
        return self.cache.key(one.path, settings)

    def _reading(self, sample: int) -> dict[str, Any]:
        """Return what else the events of a sample depend on, as JSON can hold it."""
        return {}

    def _may_keep(self, sample: int) -> bool:
        """Say whether the sample just read may be served again without a look at its file."""
        return True

    @property
    def parts(self) -> np.ndarray[Any, Any]:
        """Official part of each sample, shape (n_samples,); "" where there is none."""
        return np.array([recording.split for recording in self.recordings])

    def _file(self, sample: int) -> Path | None:
        return self.recordings[sample].path

    @property
    def paths(self) -> tuple[Path, ...]:
        """File of each sample."""
        return tuple(recording.path for recording in self.recordings)

    @property
    def index(self) -> pl.DataFrame:
        """One row per sample, from names alone; columns are those of `INDEX_SCHEMA`.

        sample, path (relative to `root`), label, class_name, subject (its group), subject_name
        (null where nobody knows it), split, start, stop (part of the file), n_events, duration
        (µs) and bytes (of the whole file). Numbers and durations are null until `count_events`
        has read the files.
        """
        if self._index is None:
            sizes: dict[Path, int | None] = {}
            for path in self.paths:
                if path not in sizes:
                    sizes[path] = path.stat().st_size if path.is_file() else None
            subjects = self.subjects
            for path in sizes:
                if not is_utf8(relative(path, self.root)):
                    raise FormatError(
                        f"{shown(path)}: the name is not UTF-8: no table can hold it. Rename it."
                    )
            rows = [
                (
                    sample,
                    relative(one.path, self.root),
                    one.label,
                    self._classes[one.label],
                    one.group,
                    str(subjects[sample]) if self.subjects_known else None,
                    one.split or None,
                    one.start,
                    one.stop,
                    None,
                    None,
                    sizes[one.path],
                )
                for sample, one in enumerate(self.recordings)
            ]
            self._index = pl.DataFrame(rows, schema=INDEX_SCHEMA, orient="row")
        return self._index

    def count_events(self, progress: Callable[[int, int, str], None] | None = None) -> pl.DataFrame:
        """Read every sample once and fill in the index.

        Parameters
        ----------
        progress : callable, default=None
            Called with samples done, samples in all and a word.

        Returns
        -------
        polars.DataFrame
            The index with n_events and duration, which `index` is from now on.

        Raises
        ------
        FormatError
            If a file is not what it should be.
        ParameterError
            If `progress` cannot be called.
        """
        if progress is not None:
            check_callable("progress", progress)
        sizes = np.empty((len(self), 2), np.int64)
        for sample in range(len(self)):
            if progress is not None:
                progress(sample, len(self), "counting")
            events = self._read(sample)
            sizes[sample] = len(events), events.duration
        self._index = self.index.with_columns(
            n_events=pl.Series(sizes[:, 0]), duration=pl.Series(sizes[:, 1])
        )
        return self._index
