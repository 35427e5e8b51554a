"""Samples: a sequence of labelled event streams that knows who was recorded.

Lives here: what all data sets share: access, table, splits by subject, subsets and
time-reversed pairs. Not here: where the events come from. Invariant: sample i is the same
whatever was read before, and a split never has one subject on both sides.
"""

from __future__ import annotations

import operator
import warnings
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hrsnn_rs.arguments import MOST_SEED, check_choice, check_integer
from hrsnn_rs.datasets.splits import WAYS, leak
from hrsnn_rs.errors import DataWarning, ParameterError
from hrsnn_rs.events.columns import kind_of, plain_array, whole_numbers
from hrsnn_rs.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

__all__ = ["EventSamples", "ReversedPairs", "Subset", "reversed_pairs"]

# Purpose of the random stream that draws a split.
_SPLIT = 104


class EventSamples(ABC):
    """Sequence of pairs (events, label); base of all data sets.

    The events are `SensorEvents`, or `Events` where the data set was given an encoder.

    It has a length, whole-number access and iteration. `index` is a table here, not the search
    of `collections.abc.Sequence`, and several samples are `subset`, which loads nothing; an array
    of indices gives it too, so that scikit-learn can cross-validate a data set.

    Parameters
    ----------
    classes : sequence of str
        Names of the classes.
    labels : array_like of int, shape (n_samples,)
        Index into `classes` of each sample.
    groups : array_like of int, shape (n_samples,)
        Subject of each sample.
    subject_names : sequence of str, default=None
        What each subject is called; a group is an index into it. `None` where they have numbers.

    Examples
    --------
    >>> from hrsnn_rs.datasets import make_gestures
    >>> samples = make_gestures(n_subjects=2, n_repeats=1, size=32, duration=200_000)
    >>> isinstance(samples, EventSamples), len(samples)
    (True, 22)
    """

    subjects_known: bool = True
    """Whether `groups` are subjects; `False` where nobody recorded them."""

    is_video: bool = False
    """Whether the events are made of video frames."""

    def __init__(
        self,
        classes: Sequence[str],
        labels: ArrayLike,
        groups: ArrayLike,
        subject_names: Sequence[str] | None = None,
    ) -> None:
        self._classes = tuple(classes)
        self._labels = whole_numbers(labels, "labels", below=len(self._classes), at="sample")
        self._groups = whole_numbers(groups, "groups", at="sample")
        self._labels.flags.writeable = False
        self._groups.flags.writeable = False
        self._subject_names = None if subject_names is None else tuple(subject_names)
        self._index: pl.DataFrame | None = None

    @abstractmethod
    def _read(self, sample: int) -> Any:
        """Return the events of one sample, 0 <= sample < len(self).

        They are SensorEvents, or Events where a data set was given an encoder.
        """

    def _file(self, sample: int) -> Path | None:
        """Return the file that a sample is in, if it is in one."""
        return None

    def _sizes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return number of events and duration of each sample, reading one at a time."""
        sizes = np.empty((len(self), 2), np.int64)
        for sample in range(len(self)):
            events = self._read(sample)
            sizes[sample] = len(events), events.duration
        return sizes[:, 0], sizes[:, 1]

    @property
    def classes(self) -> list[str]:
        """Names of the classes; a label is an index into it."""
        return list(self._classes)

    @property
    def labels(self) -> NDArray[np.int64]:
        """Label of each sample, shape (n_samples,); read-only. Reads no events."""
        return self._labels

    @property
    def groups(self) -> NDArray[np.int64]:
        """Subject of each sample, shape (n_samples,); read-only. Reads no events."""
        return self._groups

    @property
    def subjects(self) -> NDArray[Any]:
        """What the subject of each sample is called, shape (n_samples,).

        Names as folders or files give them; where there are none, the numbers of `groups`.
        """
        if self._subject_names is None:
            return self._groups
        names: NDArray[Any] = np.array(self._subject_names)[self._groups]
        return names

    @property
    def index(self) -> pl.DataFrame:
        """One row per sample: sample, label, class_name, subject, n_events, duration (µs).

        The first use reads every sample, for only then the number of its events is known.
        """
        if self._index is None:
            n_events, duration = self._sizes()
            self._index = pl.DataFrame(
                {
                    "sample": np.arange(len(self)),
                    "label": self._labels,
                    "class_name": [self._classes[label] for label in self._labels],
                    "subject": self._groups,
                    "n_events": n_events,
                    "duration": duration,
                },
                schema={
                    "sample": pl.Int64,
                    "label": pl.Int64,
                    "class_name": pl.String,
                    "subject": pl.Int64,
                    "n_events": pl.Int64,
                    "duration": pl.Int64,
                },
            )
        return self._index

    @property
    def kind(self) -> str:
        """Name of the class of the data set that the samples are of, such as "KTH"."""
        return type(self).__name__

    @property
    def parts(self) -> NDArray[Any]:
        """Official part of each sample, shape (n_samples,); "" where there is none."""
        return np.full(len(self), "")

    def __len__(self) -> int:
        return int(self._labels.size)

    @property
    def shape(self) -> tuple[int]:
        """Number of samples. scikit-learn asks who has a shape for several at once."""
        return (len(self),)

    def __getitem__(self, sample: Any) -> Any:
        if isinstance(sample, tuple) and len(sample) == 2 and sample[1] is Ellipsis:
            sample = sample[0]
        if isinstance(sample, np.ndarray) and sample.ndim == 1:
            return self.subset(np.flatnonzero(sample) if sample.dtype == np.bool_ else sample)
        try:
            position = operator.index(sample)
        except TypeError:
            raise ParameterError(
                f"sample must be a whole number (use subset() for several); got {sample!r}."
            ) from None
        if not -len(self) <= position < len(self):
            raise IndexError(f"sample must be below {len(self)}; got {position}.")
        position %= len(self)
        return self._read(position), int(self._labels[position])

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        for sample in range(len(self)):
            yield self[sample]

    def __repr__(self) -> str:
        n_subjects = np.unique(self._groups).size
        subjects = counted(n_subjects, "subject") if self.subjects_known else "subjects unknown"
        return (
            f"{type(self).__name__}({counted(len(self), 'sample')}, "
            f"{counted(len(self._classes), 'class')}, {subjects})"
        )

    def split(
        self,
        test_groups: ArrayLike | None = None,
        *,
        n_test: int | None = None,
        seed: int = 0,
        by: str = "group",
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Divide the samples, by default so that no subject is on both sides.

        Parameters
        ----------
        test_groups : array_like of int or str, default=None
            Subjects to test on, by their numbers in `groups` or their names in `subjects`.
        n_test : int, default=None
            How many subjects (or clips) to test on, drawn with `seed`. One of the two must be
            given.
        seed : int, default=0
            Seed of that draw.
        by : {"group", "clip"}, default="group"
            "clip" draws single samples, whoever made them, which leaks.

        Returns
        -------
        train, test : ndarray of int64
            Indices of samples, increasing; together all of them.

        Raises
        ------
        ParameterError
            If not exactly one of `test_groups` and `n_test` is given, a subject is unknown, or
            one side would be empty.

        Warns
        -----
        DataWarning
            If a subject is on both sides, or it is not known who the subjects are.

        Examples
        --------
        >>> from hrsnn_rs.datasets import make_gestures
        >>> samples = make_gestures(n_subjects=3, n_repeats=1)
        >>> train, test = samples.split(test_groups=[1])
        >>> len(train), set(samples.groups[test].tolist())
        (22, {1})
        """
        check_choice("by", by, WAYS)
        units = self._groups if by == "group" else np.arange(len(self))
        kind = "subjects" if by == "group" else "clips"
        known = np.unique(units)
        if by == "clip" and test_groups is not None:
            raise ParameterError("n_test must be given, and not test_groups, to split by clip.")
        if (test_groups is None) == (n_test is None):
            raise ParameterError("Exactly one of test_groups and n_test must be given.")
        if test_groups is not None:
            test = np.unique(
                whole_numbers(self._numbers_of(test_groups), "test_groups", at="index")
            )
            unknown = np.setdiff1d(test, known)
            if unknown.size:
                raise ParameterError(
                    f"test_groups must be subjects of these samples; {int(unknown[0])} is not."
                )
        else:
            seed = check_integer("seed", seed, high=MOST_SEED)
            n_test = check_integer("n_test", n_test, 1)
            draw = np.random.Generator(np.random.Philox(key=[seed, _SPLIT]))
            test = known[np.argsort(draw.random(known.size), kind="stable")[:n_test]]
        if not 0 < test.size < known.size:
            raise ParameterError(
                f"test_groups or n_test must leave at least one of {known.size} {kind} on each "
                f"side; got {test.size if n_test is None else n_test} to test on."
            )
        is_test = np.isin(units, test)
        warning = leak(self._groups, ~is_test, subjects_known=self.subjects_known)
        if warning is not None:
            warnings.warn(f"{self!r}: {warning}.", DataWarning, stacklevel=2)
        return np.flatnonzero(~is_test), np.flatnonzero(is_test)

    def _numbers_of(self, test_groups: ArrayLike) -> NDArray[Any]:
        """Return subjects that are given by their names as numbers."""
        given = np.atleast_1d(plain_array(test_groups, "test_groups"))
        if self._subject_names is None or given.dtype.kind != "U":
            return given
        for name in given.tolist():
            if name not in self._subject_names:
                raise ParameterError(
                    f"test_groups must be subjects of these samples; {name!r} is not."
                )
        return np.array([self._subject_names.index(name) for name in given.tolist()])

    def subset(self, indices: ArrayLike) -> Subset:
        """Return a view of some samples.

        Parameters
        ----------
        indices : array_like of int, shape (n,)
            Samples, in the order of the view.

        Returns
        -------
        Subset
            Same classes; samples are numbered anew from 0 and read through this sequence.

        Raises
        ------
        ParameterError
            If an index is out of range.

        Examples
        --------
        >>> from hrsnn_rs.datasets import make_gestures
        >>> make_gestures(n_subjects=3, n_repeats=1).subset([5, 2]).labels
        array([5, 2])
        """
        return Subset(self, indices)


class Subset(EventSamples):
    """Some samples of another sequence; events are read through it.

    Parameters
    ----------
    samples : EventSamples
        Where the samples are.
    indices : array_like of int, shape (n,)
        Which ones, in this order.

    Examples
    --------
    >>> from hrsnn_rs.datasets import make_gestures
    >>> Subset(make_gestures(n_subjects=3, n_repeats=1), [0, 12])
    Subset(2 samples, 11 classes, 2 subjects)
    """

    def __init__(self, samples: EventSamples, indices: ArrayLike) -> None:
        self._samples = _checked_samples(samples)
        self.subjects_known = samples.subjects_known
        self.is_video = samples.is_video
        self._indices = whole_numbers(indices, "indices", below=len(samples), at="index")
        super().__init__(
            samples.classes,
            samples.labels[self._indices],
            samples.groups[self._indices],
            samples._subject_names,
        )

    @property
    def kind(self) -> str:
        """That of the samples that these are some of."""
        return self._samples.kind

    @property
    def parts(self) -> NDArray[Any]:
        """Official part of each sample, as it is there."""
        return self._samples.parts[self._indices]

    def _read(self, sample: int) -> Any:
        return self._samples._read(int(self._indices[sample]))

    def _file(self, sample: int) -> Path | None:
        return self._samples._file(int(self._indices[sample]))


class ReversedPairs(EventSamples):
    """Each sample twice: as it is, and with the order of its events reversed.

    See `reversed_pairs`.

    Parameters
    ----------
    samples : EventSamples
        The samples.

    Attributes
    ----------
    gestures : ndarray of int64, shape (2 * n_samples,)
        Label in `samples`.
    directions : ndarray of int64, shape (2 * n_samples,)
        0 as it is, 1 reversed.

    Examples
    --------
    >>> from hrsnn_rs.datasets import make_gestures
    >>> pairs = ReversedPairs(make_gestures(n_subjects=1, n_repeats=1))
    >>> pairs.classes[:2], pairs.directions[:4]
    (['hand_clapping', 'hand_clapping_reversed'], array([0, 1, 0, 1]))
    """

    def __init__(self, samples: EventSamples) -> None:
        self._samples = _checked_samples(samples)
        self.subjects_known = samples.subjects_known
        self.is_video = samples.is_video
        self.gestures = np.repeat(samples.labels, 2)
        self.directions = np.tile(np.array([0, 1], np.int64), len(samples))
        self.gestures.flags.writeable = False
        self.directions.flags.writeable = False
        classes = [name + end for name in samples.classes for end in ("", "_reversed")]
        super().__init__(
            classes,
            2 * self.gestures + self.directions,
            np.repeat(samples.groups, 2),
            samples._subject_names,
        )

    def _read(self, sample: int) -> Any:
        events = self._samples._read(sample // 2)
        return events.reversed() if sample % 2 else events

    def _file(self, sample: int) -> Path | None:
        return self._samples._file(sample // 2)


def reversed_pairs(samples: EventSamples) -> ReversedPairs:
    """Pair each sample with itself played backwards: a task that needs memory.

    Pixels and polarities are kept, so that the counts of a whole sample are equal in both and
    only the order of events tells them apart.

    Parameters
    ----------
    samples : EventSamples
        Any data set or subset; not changed.

    Returns
    -------
    ReversedPairs
        Samples 2 i and 2 i + 1 are sample i as it is and reversed. A label is
        `2 * label + direction`, hence `divmod(label, 2)` is (label, direction); the two are also
        given as `gestures` and `directions`. Subjects stay what they were.

    Raises
    ------
    ParameterError
        If `samples` is no data set.

    Examples
    --------
    >>> from hrsnn_rs.datasets import make_gestures
    >>> pairs = reversed_pairs(make_gestures(n_subjects=1, n_repeats=1, duration=100_000))
    >>> forward, backward = pairs[0][0], pairs[1][0]
    >>> bool(forward.x[0] == backward.x[-1])
    True
    """
    return ReversedPairs(samples)


def _checked_samples(samples: Any) -> EventSamples:
    if not isinstance(samples, EventSamples):
        raise ParameterError(f"samples must be a data set of this package; got {kind_of(samples)}.")
    return samples
