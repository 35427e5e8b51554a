"""Patches: small fields cut out of samples around their events, to learn features from.

Lives here: which patches are drawn, and their cutting. Not here: what learns from them. Invariant:
a patch depends on the seed, its number and its sample, and samples are seen once, one at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hrsnn_rs.arguments import MOST_SEED, check_integer
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import kind_of
from hrsnn_rs.events.events import Events
from hrsnn_rs.events.forms import as_events

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Plane", "cut_patches"]

# Purpose of the random stream that draws patches.
_PATCHES = 106


class Plane(NamedTuple):
    """Input channels with a place: `channel = (polarity * height + y) * width + x`.

    Attributes
    ----------
    height, width : int
        Rows and columns.
    polarities : int
        Kinds of events, such as OFF and ON.
    """

    height: int
    width: int
    polarities: int = 2

    @property
    def n_channels(self) -> int:
        """Number of input channels."""
        return self.height * self.width * self.polarities


def cut_patches(
    samples: Iterable[Any],
    n_samples: int,
    plane: Plane,
    *,
    field: int,
    n_patches: int,
    most_events: int,
    seed: int,
) -> list[Events]:
    """Cut patches around random events of random samples.

    Parameters
    ----------
    samples : iterable of Events
        On the channels of `plane`; read once, one at a time.
    n_samples : int
        How many they are.
    plane : Plane
        Their channels.
    field : int
        Pixels of a patch's side, odd.
    n_patches : int
        How many to cut.
    most_events : int
        Events of a patch at most: those nearest in time to the one it is cut around.
    seed : int
        Of the drawing.

    Returns
    -------
    list of Events
        In random order; times from the first event on, channels of a plane of `field` x `field`.

    Raises
    ------
    ParameterError
        If a number is none or out of range, there are not `n_samples` samples, or none of them
        holds an event.
    ShapeError
        If a sample has another number of channels.

    Examples
    --------
    >>> sample = Events([10, 20, 30], [0, 1, 15], n_channels=16)
    >>> patches = cut_patches(
    ...     [sample], 1, Plane(4, 4, 1), field=3, n_patches=2, most_events=9, seed=0)
    >>> [len(patch) for patch in patches]
    [2, 2]
    """
    is_table = isinstance(samples, np.ndarray) and samples.dtype != object
    if is_table or not isinstance(samples, Iterable):
        raise ParameterError(f"samples must be an iterable of Events; got {kind_of(samples)}.")
    if not isinstance(plane, Plane):
        raise ParameterError(f"plane must be a Plane; got {kind_of(plane)}.")
    n_samples = check_integer("n_samples", n_samples, 1)
    field = check_integer("field", field, 1)
    n_patches = check_integer("n_patches", n_patches, 1, 2**32 - 1)
    most_events = check_integer("most_events", most_events, 1)
    seed = check_integer("seed", seed, high=MOST_SEED)
    draw = np.random.Generator(np.random.Philox(key=[seed, _PATCHES]))
    sample_of = draw.integers(0, n_samples, n_patches)
    where = draw.random(n_patches)
    cut: list[Events | None] = [None] * n_patches
    n_seen = 0
    for n, sample in enumerate(samples):
        n_seen += 1
        events = as_events(sample)
        if events.n_channels != plane.n_channels:
            raise ShapeError(
                f"sample {n} must have {plane.n_channels} channels; got {events.n_channels}."
            )
        mine = np.flatnonzero(sample_of == n)
        if len(events) and mine.size:
            places = _places(events, plane)
            for k in mine:
                centre = int(where[k] * len(events))
                cut[k] = _cut(events, places, plane, field, most_events, centre)
    if n_seen != n_samples:
        raise ParameterError(f"samples must be {n_samples}; got {n_seen}.")
    found = [patch for patch in cut if patch is not None]
    if not found:
        raise ParameterError("samples must hold at least one event to learn from; got none.")
    return found


def _places(events: Events, plane: Plane) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    channel = events.channel.astype(np.int64)
    rest, x = np.divmod(channel, plane.width)
    polarity, y = np.divmod(rest, plane.height)
    return polarity, y, x


def _cut(
    events: Events,
    places: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    plane: Plane,
    field: int,
    most: int,
    centre: int,
) -> Events:
    polarity, y, x = places
    half = field // 2
    row, column = y - y[centre] + half, x - x[centre] + half
    inside = (row >= 0) & (row < field) & (column >= 0) & (column < field)
    chosen = np.flatnonzero(inside)
    if chosen.size > most:
        first = int(np.searchsorted(chosen, centre)) - most // 2
        first = min(max(first, 0), chosen.size - most)
        chosen = chosen[first : first + most]
    channel = (polarity[chosen] * field + row[chosen]) * field + column[chosen]
    t = events.t[chosen] - events.t[chosen[0]]
    return Events(t, channel, n_channels=plane.polarities * field * field)
