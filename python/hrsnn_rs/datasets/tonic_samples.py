"""Samples of tonic's data sets, with the user's transforms applied.

Lives here: the view of a tonic data set as ours. Not here: tonic, which is never imported.
Invariant: fields are read by name, whatever their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hrsnn_rs.arguments import as_array, check_callable
from hrsnn_rs.datasets.samples import EventSamples
from hrsnn_rs.errors import FormatError, ParameterError, ShapeError
from hrsnn_rs.events.columns import kind_of
from hrsnn_rs.events.sensor import SensorEvents
from hrsnn_rs.recordings.event_files import checked_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from hrsnn_rs.events.events import Events

__all__ = ["TonicSamples", "from_tonic"]


class TonicSamples(EventSamples):
    """A data set of tonic as samples; see `from_tonic`.

    Parameters
    ----------
    dataset, encoder, groups, sensor_size, labels
        As in `from_tonic`.

    Examples
    --------
    >>> TonicSamples(tonic.datasets.NMNIST("data"))  # doctest: +SKIP
    TonicSamples(60,000 samples, 10 classes, subjects unknown)
    """

    def __init__(
        self,
        dataset: Any,
        encoder: Callable[[SensorEvents], Events] | None = None,
        *,
        groups: ArrayLike | None = None,
        sensor_size: tuple[int, int] | None = None,
        labels: ArrayLike | None = None,
    ) -> None:
        n_samples = _length(dataset)
        if encoder is not None:
            check_callable("encoder", encoder)
        self.dataset = dataset
        self.encoder = encoder
        size = sensor_size
        if size is None:
            said = getattr(dataset, "sensor_size", None)
            if said is None or len(said) < 2 or None in said[:2]:
                raise ParameterError(
                    "sensor_size=(height, width) must be given for this dataset, which has none; "
                    f"got {kind_of(dataset)}."
                )
            size = (said[1], said[0])
        checked = checked_size(size.tolist() if isinstance(size, np.ndarray) else size)
        assert checked is not None, "there is a size"
        self._height, self._width = checked
        targets: Any = getattr(dataset, "targets", None)
        if labels is not None:
            targets = _checked_labels(labels, n_samples)
        elif targets is None or len(targets) != n_samples:
            targets = [dataset[sample][1] for sample in range(n_samples)]
        names = [str(name) for name in getattr(dataset, "classes", ())]
        numbers, names = _numbered(targets, names)
        found: Any = None if groups is None else as_array("groups", groups)
        for name in ("users", "speaker") if groups is None else ():
            found = getattr(dataset, name, None) if found is None else found
        self.subjects_known = found is not None and np.size(found) == n_samples
        if groups is not None and not self.subjects_known:
            raise ShapeError(f"groups must be {n_samples}, one a sample; got {np.size(found)}.")
        super().__init__(names, numbers, found if self.subjects_known else np.arange(n_samples))

    def _read(self, sample: int) -> SensorEvents | Events:
        events = self.dataset[sample][0]
        try:
            read = SensorEvents.from_structured(events, self._height, self._width)
        except (ParameterError, ShapeError) as error:
            raise FormatError(
                f"sample {sample} of {type(self.dataset).__name__}: {error}"
            ) from None
        if self.encoder is None:
            return read
        try:
            return self.encoder(read)
        except (ParameterError, ShapeError) as error:
            raise type(error)(
                f"sample {sample} of {type(self.dataset).__name__}: {error}"
            ) from error


def from_tonic(
    dataset: Any,
    encoder: Callable[[SensorEvents], Events] | None = None,
    *,
    groups: ArrayLike | None = None,
    sensor_size: tuple[int, int] | None = None,
    labels: ArrayLike | None = None,
) -> TonicSamples:
    """Use a data set of tonic, whatever transforms it applies before.

    Parameters
    ----------
    dataset : tonic.Dataset
        Any with a length whose samples are (structured array, target); fields are found by name
        (`t` in µs, `x`, `y` where there is one, and `p`, `polarity` or `on`). Transforms that
        give anything but such arrays, such as frames, cannot be used.
    encoder : callable, default=None
        From `SensorEvents` to `Events`.
    groups : array_like of int, shape (n_samples,), default=None
        Subjects. `None` means the data set's `users` or `speaker`, if it has them; each sample is
        otherwise a group of its own, and no split can be known to be without leaks.
    sensor_size : tuple of int, default=None
        (height, width). `None` means what the data set says; needed after a transform that
        changes it.
    labels : array_like, shape (n_samples,), default=None
        Targets. `None` means the data set's `targets`, or else each sample is read once for its
        own.

    Returns
    -------
    TonicSamples
        Sequence of (SensorEvents, label), read when asked for.

    Raises
    ------
    ParameterError
        If the data set has no length, or its sensor's size is not known.
    FormatError
        On reading, if a sample is no table of sorted events within the sensor.

    Examples
    --------
    >>> import numpy as np
    >>> class Two:
    ...     sensor_size, classes, targets = (4, 2, 2), ["left", "right"], [1, 0]
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, sample):
    ...         fields = [("t", int), ("x", int), ("y", int), ("p", int)]
    ...         return np.array([(5, sample, 0, 1)], dtype=fields), self.targets[sample]
    >>> from_tonic(Two())[1]
    (SensorEvents(1 event, height=2, width=4, duration=6 µs), 0)
    """
    return TonicSamples(dataset, encoder, groups=groups, sensor_size=sensor_size, labels=labels)


def _length(dataset: Any) -> int:
    try:
        if hasattr(dataset, "__getitem__"):
            return len(dataset)
    except TypeError:
        pass
    raise ParameterError(
        f"dataset must be a data set of tonic, with a length; got {kind_of(dataset)}."
    )


def _checked_labels(labels: Any, n_samples: int) -> Any:
    """Refuse what cannot name the class of each sample; labels are given back as they are."""
    array = as_array("labels", labels)
    if array.shape != (n_samples,):
        raise ShapeError(f"labels must be {n_samples}, one a sample; got shape {array.shape}.")
    for sample, label in enumerate(array.tolist()):
        if not isinstance(label, int | float | str) or label != label:
            raise ParameterError(
                f"labels must be numbers or strings; got {label!r} at sample {sample}."
            )
    return labels


def _numbered(targets: Any, names: list[str]) -> tuple[list[int], list[str]]:
    """Targets as numbers, and the name of each."""
    words = [target.item() if isinstance(target, np.generic) else target for target in targets]
    if all(isinstance(word, int) and 0 <= word < len(names) for word in words):
        return words, names
    if all(isinstance(word, str) for word in words) and set(words) <= set(names):
        return [names.index(word) for word in words], names
    found = sorted(set(words), key=lambda word: (str(type(word)), word))
    return [found.index(word) for word in words], [str(word) for word in found]
