"""Clips of a data set, encoded once for all systems of an experiment.

Not here: what systems make of them. Invariant: what is in a `Clips` was checked when it was made.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hrsnn_rs.arguments import (
    as_array,
    check_callable,
    check_kind,
    check_list,
    check_progress,
    check_truth,
)
from hrsnn_rs.datasets.samples import EventSamples
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import kind_of, whole_numbers
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.store import EventStore
from hrsnn_rs.learning.estimator_input import check_samples
from hrsnn_rs.learning.labels import encode
from hrsnn_rs.learning.recipes import default_encoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from hrsnn_rs.encoding.sensor_encoder import SensorEncoder
    from hrsnn_rs.events.sensor import SensorEvents


@dataclass(frozen=True, eq=False)
class Clips:
    """A data set's clips, encoded once and shared by all systems.

    Parameters
    ----------
    name : str
        Name of the data set.
    events : sequence of Events
        Encoded clips, all with the same number of channels; kept as an `EventStore`.
    labels : array_like of int, shape (n_clips,)
        Index into `classes`; kept as int64.
    groups : array_like of shape (n_clips,)
        Who made each clip.
    classes : tuple of str
        Names of the classes.
    subjects_known : bool, default=True
        Whether the groups are subjects, so that validation on other groups cannot leak.
    parts : array_like of str, shape (n_clips,), default=None
        Official part of each clip, such as train; "" where there is none.
    kind : str, default=None
        Class of the data set, such as "KTH"; `None` where nobody knows.
    encoder : SensorEncoder, default=None
        What encoded events of a sensor; `None` where the clips are something else.
    is_video : bool, default=False
        Whether the events are made of the frames of videos.

    Raises
    ------
    ShapeError
        If labels, groups or parts are not as many as the clips, or there is no clip.
    ParameterError
        If a label is no index into `classes`, a group is missing, or something else is not what it
        should be.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.events import Events
    >>> from hrsnn_rs.learning import Clips
    >>> events = [Events([1, 2], [0, 1], n_channels=2)] * 3
    >>> clips = Clips("three", events, np.array([0, 1, 0]), np.array(["ann", "bob", "cy"]),
    ...               classes=("left", "right"))
    >>> clips.name
    'three'
    """

    name: str
    events: EventStore
    labels: NDArray[np.int64]
    groups: NDArray[Any]
    classes: tuple[str, ...]
    subjects_known: bool = True
    parts: NDArray[np.str_] | None = None
    kind: str | None = None
    encoder: SensorEncoder | None = None
    is_video: bool = False

    def __post_init__(self) -> None:
        check_kind("name", self.name, str)
        check_kind("kind", self.kind, str, type(None))
        for name in ("subjects_known", "is_video"):
            object.__setattr__(self, name, check_truth(name, getattr(self, name)))
        check_encoder(self.encoder)
        classes = check_list("classes", self.classes, least=1)
        for place, one in enumerate(classes):
            check_kind(f"classes[{place}]", one, str)
        object.__setattr__(self, "classes", tuple(classes))
        if not isinstance(self.events, EventStore):
            check_samples("events", self.events)
            object.__setattr__(self, "events", EventStore.in_memory(self.events))
        n, labels, groups = len(self.events), as_array("labels", self.labels), self.groups
        names = as_array("groups", groups)
        if n == 0:
            raise ShapeError("events must hold at least one clip; got 0.")
        if labels.shape != (n,) or names.shape != (n,):
            raise ShapeError(
                f"labels and groups must have shape ({n},), one of each for each clip; got "
                f"{labels.shape} and {names.shape}."
            )
        found = encode("groups", groups, whole=False)
        object.__setattr__(self, "groups", found.values[found.codes])
        whole = whole_numbers(labels, "labels", below=len(self.classes), at="clip")
        object.__setattr__(self, "labels", whole)
        if self.parts is not None:
            parts = as_array("parts", self.parts).astype(np.str_)
            if parts.shape != (n,):
                raise ShapeError(f"parts must have shape ({n},); got {parts.shape}.")
            object.__setattr__(self, "parts", parts)

    @classmethod
    def of_dataset(
        cls,
        dataset: EventSamples,
        encoder: SensorEncoder | None = None,
        *,
        name: str | None = None,
        progress: Callable[[int, int, str], None] | None = None,
    ) -> Self:
        """Encode every clip of a data set.

        Parameters
        ----------
        dataset : EventSamples
            What `make_gestures` or `load_folder` gives. Its subjects are the groups.
        encoder : EventEncoder or TrackingEncoder, default=None
            `None` means that of the data set, or `default_encoder` of the first clip's sensor.
        name : str, default=None
            Name of the data set. `None` means its `repr`.
        progress : callable, default=None
            Called with clips done, clips in all, and a word.

        Returns
        -------
        Clips
            Encoded clips in the order of the data set.

        Raises
        ------
        ShapeError
            If the data set has no clip.
        FormatError
            If a clip's file is damaged.
        ParameterError, ShapeError
            If a clip is not what the encoder takes, such as of a sensor of another size;
            if `encoder` is given and the data set has one of its own; or if an argument is not what
            it should be.

        Examples
        --------
        >>> from hrsnn_rs.datasets import make_gestures
        >>> from hrsnn_rs.learning import Clips
        >>> gestures = make_gestures(n_subjects=1, n_repeats=1, size=32, duration=200_000)
        >>> clips = Clips.of_dataset(gestures)
        >>> len(clips.events), clips.events[0].n_channels
        (11, 2048)
        """
        check_kind("dataset", dataset, EventSamples)
        check_kind("name", name, str, type(None))
        check_encoder(encoder)
        check_progress(progress)
        events = EventStore()
        for place, (sample, _) in enumerate(dataset):
            if isinstance(sample, Events):
                if encoder is not None:
                    raise ParameterError("encoder must be None where the data set has its own.")
                events.append(sample)
            else:
                if encoder is None:
                    encoder = default_encoder(
                        sample.height, sample.width, is_video=dataset.is_video
                    )
                events.append(encoded_clip(dataset, place, sample, encoder))
            if progress is not None:
                progress(place + 1, len(dataset), "encoding")
        return cls(
            name=repr(dataset) if name is None else name,
            events=events,
            labels=dataset.labels,
            groups=dataset.subjects,
            classes=tuple(dataset.classes),
            subjects_known=dataset.subjects_known,
            parts=dataset.parts,
            kind=dataset.kind,
            encoder=encoder,
            is_video=dataset.is_video,
        )

    def subset(self, indices: ArrayLike) -> Self:
        """Give some of the clips.

        Parameters
        ----------
        indices : array_like of int, shape (n,)
            Which ones, in this order; at least one.

        Returns
        -------
        Clips
            Same classes, name and kind.

        Raises
        ------
        ParameterError
            If an index is out of range.
        ShapeError
            If there is none.
        """
        chosen = whole_numbers(indices, "indices", below=len(self.events), at="index")
        if len(chosen) == 0:
            raise ShapeError("indices must hold at least one clip; got none.")
        return replace(
            self,
            events=self.events.subset(chosen),
            labels=self.labels[chosen],
            groups=self.groups[chosen],
            parts=None if self.parts is None else self.parts[chosen],
        )

    @cached_property
    def digest(self) -> str:
        """Hash of all that results depend on: events, labels, classes, groups and parts."""
        content = hashlib.blake2b(digest_size=16)
        names = [*map(str, self.groups), *(() if self.parts is None else map(str, self.parts))]
        words = [self.classes, self.labels.tolist(), names, self.subjects_known]
        content.update(repr(words).encode())
        for one in self.events:
            content.update(repr((one.n_channels, one.duration, len(one))).encode())
            content.update(np.ascontiguousarray(one.t, "<i8").tobytes())
            content.update(np.ascontiguousarray(one.channel, "<i8").tobytes())
        return content.hexdigest()


def encoded_clip(
    dataset: EventSamples, number: int, sample: SensorEvents, encoder: SensorEncoder
) -> Events:
    """Encode a clip of a data set, which an error names.

    Parameters
    ----------
    dataset : EventSamples
        Where it is from.
    number : int
        Which it is there.
    sample : SensorEvents
        The clip, as it was read.
    encoder : SensorEncoder
        What encodes it.

    Returns
    -------
    Events

    Raises
    ------
    ParameterError, ShapeError
        If the clip is not what the encoder takes.

    Examples
    --------
    >>> from hrsnn_rs.datasets import make_gestures
    >>> from hrsnn_rs.encoding import EventEncoder
    >>> from hrsnn_rs.learning.clips import encoded_clip
    >>> gestures = make_gestures(n_subjects=1, n_repeats=1, size=32, duration=200_000)
    >>> encoded_clip(gestures, 3, gestures[3][0], EventEncoder(16, 16))
    Traceback (most recent call last):
    hrsnn_rs.errors.ShapeError: clip 3: events must come from a sensor of 16 x 16; got 32 x 32.
    """
    try:
        found = encoder(sample)
    except (ParameterError, ShapeError) as error:
        file = dataset._file(number)
        of_file = "" if file is None else f" ({file})"
        raise type(error)(f"clip {number}{of_file}: {error}") from error
    if not isinstance(found, Events):
        raise ParameterError(f"encoder must give Events; got {kind_of(found)} of clip {number}.")
    return found


def check_encoder(encoder: object) -> None:
    """Refuse what cannot be called with a clip; `None` leaves it open."""
    if encoder is not None:
        check_callable("encoder", encoder, "clip")
