"""A store of many samples: in memory while they are few, in a file of its own beyond that.

Lives here: where encoded samples wait to be looked at again. Not here: who encodes them. Invariant:
what is read is what was appended, bit for bit, and the file is gone with the process.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from hrsnn_rs.arguments import as_array, check_integer
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.spill_file import SpillFile
from hrsnn_rs.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

__all__ = ["IN_MEMORY", "EventStore"]

#: Bytes of events that a store holds in memory.
IN_MEMORY = 32 * 2**20


class _Place(NamedTuple):
    """Where a sample lies in the file, and what is not in there."""

    offset: int
    n_events: int
    n_channels: int
    duration: int


class EventStore(Sequence[Events]):
    """Samples to be read as often as needed, of which the first lie in memory and others on disk.

    Parameters
    ----------
    samples : iterable of Events, default=()
        The first samples; an iterator is read as it goes.
    memory : int, default=None
        Bytes of events to hold in memory; `None` means 32 MiB. All that comes later is written to
        a temporary file, 12 bytes an event, in the folder that `tempfile.gettempdir` names
        (`TMPDIR`).

    Raises
    ------
    ParameterError
        If `memory` is negative, `samples` cannot be iterated, or one is not Events.
    OSError
        If the file cannot be written.

    Notes
    -----
    A store that is pickled takes all of its samples along, into the memory of who reads it.

    Examples
    --------
    >>> from hrsnn_rs.events.store import EventStore
    >>> store = EventStore((Events([k], [0], n_channels=1) for k in range(3)), memory=20)
    >>> store[2].t, len(store), [one.duration for one in store.subset([1, 0])]
    (array([2]), 3, [2, 1])
    """

    def __init__(self, samples: Iterable[Events] = (), *, memory: int | None = None) -> None:
        self._left = check_integer("memory", IN_MEMORY if memory is None else memory, 0)
        self._samples: list[Events | _Place] = []
        self._file: SpillFile | None = None
        for one in _iterable(samples):
            self.append(one)

    @classmethod
    def in_memory(cls, samples: Iterable[Events]) -> Self:
        """Hold samples that are in memory already, however large they are.

        Parameters
        ----------
        samples : iterable of Events
            The samples.

        Returns
        -------
        EventStore
            Of these very samples.

        Raises
        ------
        ParameterError
            If one is not Events.
        """
        store = cls()
        for one in _iterable(samples):
            store._samples.append(_checked(one))
        return store

    def append(self, events: Events) -> None:
        """Take one sample more.

        Parameters
        ----------
        events : Events
            The sample.

        Raises
        ------
        ParameterError
            If it is not Events.
        OSError
            If the file cannot be written.
        """
        size = _checked(events).t.nbytes + events.channel.nbytes
        # Once something lies in the file, so does all that follows: the limit is met once.
        if self._file is None and size <= self._left:
            self._left -= size
            self._samples.append(events)
            return
        if self._file is None:
            self._file = SpillFile("events")
        offset = self._file.append(events.t.tobytes() + events.channel.tobytes())
        self._samples.append(_Place(offset, len(events), events.n_channels, events.duration))

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.subset(np.arange(len(self))[index])
        try:
            found = self._samples[operator.index(index)]
        except TypeError:
            raise ParameterError(f"index must be a whole number; got {index!r}.") from None
        except IndexError:
            raise IndexError(f"index must be below {len(self)}; got {index}.") from None
        return found if isinstance(found, Events) else self._read(found)

    def _read(self, place: _Place) -> Events:
        n = place.n_events
        if n == 0:
            return Events([], [], place.n_channels, place.duration)
        assert self._file is not None
        content = self._file.part(place.offset, 12 * n)
        t, channel = content[: 8 * n].view(np.int64), content[8 * n :].view(np.uint32)
        return Events(t, channel, place.n_channels, place.duration)

    def subset(self, indices: ArrayLike) -> Self:
        """Give some of the samples, which stay where they are.

        Parameters
        ----------
        indices : array_like of int or bool, shape (n,)
            Which ones, in this order; or a mark for each sample.

        Returns
        -------
        EventStore
            Nothing can be appended to it that the other would see.

        Raises
        ------
        ShapeError
            If it is no list, or marks are not as many as samples.
        ParameterError
            If they are neither whole numbers nor marks.
        IndexError
            If an index is out of range.
        """
        chosen = as_array("indices", indices)
        if chosen.ndim != 1:
            raise ShapeError(f"indices must have shape (n,); got {chosen.shape}.")
        if chosen.dtype == np.bool_:
            if chosen.size != len(self):
                raise ShapeError(
                    f"indices must mark each of {len(self)} samples; got {chosen.size} marks."
                )
            chosen = np.flatnonzero(chosen)
        elif chosen.dtype.kind not in "iu" and chosen.size:
            raise ParameterError(
                f"indices must be whole numbers or marks; got dtype {chosen.dtype}."
            )
        chosen = chosen.astype(np.int64)
        wrong = (chosen < -len(self)) | (chosen >= len(self))
        if wrong.any():
            place = int(np.argmax(wrong))
            raise IndexError(f"indices must be below {len(self)}; got {chosen[place]} at {place}.")
        part = type(self)(memory=0)
        part._samples = [self._samples[place] for place in chosen.tolist()]
        part._file = self._file
        return part

    def __reduce__(self) -> tuple[Any, ...]:
        return self.in_memory, (list(self),)

    def __repr__(self) -> str:
        return f"EventStore({counted(len(self), 'sample')})"


def _iterable(samples: Any) -> Iterable[Events]:
    try:
        iterator: Iterable[Events] = iter(samples)
    except TypeError:
        raise ParameterError(
            f"samples must be Events, one after the other; got {samples!r}."
        ) from None
    return iterator


def _checked(events: Any) -> Events:
    if not isinstance(events, Events):
        raise ParameterError(f"events must be Events; got {events!r}.")
    return events
