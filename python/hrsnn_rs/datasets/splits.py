"""Splits: which clips a result is measured on, and whether anything of them was learned from.

Lives here: validation on whole groups, the leaking alternative, and the sentence that says so.
Not here: data sets. Invariant: a split that can leak never comes without a warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hrsnn_rs.arguments import MOST_SEED, as_array, check_choice, check_integer, check_truth
from hrsnn_rs.errors import ParameterError, ShapeError
from hrsnn_rs.events.columns import whole_numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Purpose of the random stream that draws single clips, and their share.
_CLIPS = 105
_SHARE = 5

WAYS = ("group", "clip")
"""What may be divided: whole groups, or single clips."""


class Split(NamedTuple):
    """Which clips are trained on, and what a row of results says about it.

    Attributes
    ----------
    training : ndarray of bool, shape (n_clips,)
        True where a clip is trained on; the others are validated on.
    words : str
        What the others are.
    warning : str or None
        Why the result may flatter; `None` if no group is on both sides.
    """

    training: NDArray[np.bool_]
    words: str
    warning: str | None


def leak(groups: ArrayLike, training: ArrayLike, *, subjects_known: bool = True) -> str | None:
    """Say whether a division of clips can leak from one side to the other.

    Parameters
    ----------
    groups : array_like, shape (n_clips,)
        Group of each clip.
    training : array_like of bool, shape (n_clips,)
        True where a clip is trained on.
    subjects_known : bool, default=True
        Whether the groups are subjects.

    Returns
    -------
    str or None
        A sentence; `None` if no subject is on both sides.

    Raises
    ------
    ParameterError
        If a group is missing, or `training` holds what is neither True nor False.
    ShapeError
        If the two are not equally long.

    Examples
    --------
    >>> leak([0, 0, 1], [True, False, False])
    'the split leaks: 1 of 2 subjects to test on are also trained on'
    """
    names = checked_groups(groups)
    check_truth("subjects_known", subjects_known)
    trained = whole_numbers(training, "training", below=2, at="clip", booleans=True) > 0
    if trained.shape != names.shape:
        raise ShapeError(
            f"groups and training must be equally long; got {len(names)} and {len(trained)}."
        )
    tested = np.unique(names[~trained])
    shared = np.intersect1d(tested, names[trained])
    if shared.size:
        number = f"{shared.size} of {tested.size} subjects to test on"
        return f"the split leaks: {number} are also trained on"
    if not subjects_known:
        return "the split may leak: it is not recorded who is in a clip"
    return None


def validation_groups(groups: NDArray[Any], seed: int) -> list[Any]:
    """Name the two groups that a seed is validated on.

    Parameters
    ----------
    groups : array of shape (n_clips,)
        Group of each clip; at least three different ones.
    seed : int
        Seed, not negative.

    Returns
    -------
    list
        Numbers 2 * seed and 2 * seed + 1 of the sorted groups, going round: seeds in a row
        cover all groups.

    Raises
    ------
    ParameterError
        If there are fewer than three groups, one is missing, or the seed is negative.

    Examples
    --------
    >>> import numpy as np
    >>> from hrsnn_rs.datasets import validation_groups
    >>> validation_groups(np.array([3, 1, 2, 0, 4, 5]), seed=1)
    [2, 3]
    """
    names = np.unique(checked_groups(groups))
    if len(names) < 3:
        raise ParameterError(f"groups must hold at least 3 different ones; got {len(names)}.")
    seed = check_integer("seed", seed, high=MOST_SEED)
    places = [(2 * seed + place) % len(names) for place in (0, 1)]
    held_out: list[Any] = names[places].tolist()
    return held_out


def split_for(
    groups: NDArray[Any], seed: int, by: str = "group", *, subjects_known: bool = True
) -> Split:
    """Divide clips for one seed.

    Parameters
    ----------
    groups : array of shape (n_clips,)
        Group of each clip.
    seed : int
        Seed, not negative.
    by : {"group", "clip"}, default="group"
        "group": validation on the two groups of `validation_groups`. "clip": on every fifth clip,
        drawn with `seed`, whoever made it; this leaks.
    subjects_known : bool, default=True
        Whether the groups are subjects.

    Returns
    -------
    Split
        Training clips, words, warning.

    Raises
    ------
    ParameterError
        If `by` is unknown, the seed is negative, a group is missing, or there are too few groups or
        clips.

    Examples
    --------
    >>> import numpy as np
    >>> split_for(np.arange(10) // 2, seed=0, by="clip").words
    'validation on 2 random clips'
    """
    check_choice("by", by, WAYS)
    groups = checked_groups(groups)
    if by == "group":
        held_out = validation_groups(groups, seed)
        training = ~np.isin(groups, held_out)
        words = "validation on groups " + ", ".join(map(str, held_out))
    else:
        seed = check_integer("seed", seed, high=MOST_SEED)
        n_tested = len(groups) // _SHARE
        if n_tested == 0:
            raise ParameterError(
                f"groups must be of at least {_SHARE} clips to split by clip; got {len(groups)}."
            )
        draw = np.random.Generator(np.random.Philox(key=[seed, _CLIPS]))
        training = np.ones(len(groups), bool)
        training[np.argsort(draw.random(len(groups)), kind="stable")[:n_tested]] = False
        words = f"validation on {n_tested} random clips"
    return Split(training, words, leak(groups, training, subjects_known=subjects_known))


def checked_groups(groups: ArrayLike) -> NDArray[Any]:
    """Return the group of each clip as an array, or say which one is missing.

    Parameters
    ----------
    groups : array_like, shape (n_clips,)
        Numbers, strings or whatever else can be told apart and put in order. Not changed.

    Returns
    -------
    ndarray of shape (n_clips,)
        Not a copy if it was an array.

    Raises
    ------
    ParameterError
        If one is missing, or they are of kinds that have no order.
    ShapeError
        If they have not one dimension.

    Examples
    --------
    >>> checked_groups(["ann", "bob"]).tolist()
    ['ann', 'bob']
    """
    array = as_array("groups", groups)
    if array.ndim != 1:
        raise ShapeError(f"groups must have shape (n_clips,); got {array.shape}.")
    if array.dtype.kind in "cVm":
        raise ParameterError(f"groups must be numbers or strings; got dtype {array.dtype}.")
    missing = np.zeros(len(array), bool)
    if array.dtype.kind in "fM":
        missing = ~np.isfinite(array)
    elif array.dtype.kind == "O":
        missing = np.array([_is_missing(group) for group in array.tolist()], bool)
    if missing.any():
        clip = int(np.argmax(missing))
        raise ParameterError(
            f"groups must say whose each clip is; got {array[clip]} at clip {clip}."
        )
    if array.dtype.kind == "O":
        try:
            np.unique(array)
        except TypeError as error:
            raise ParameterError(f"groups must be of one kind: {error}.") from None
    return array


def _is_missing(group: Any) -> bool:
    """Say whether it is None, or differs from itself as NaN does, or cannot say (pandas' NA)."""
    try:
        return group is None or bool(group != group) or group in (np.inf, -np.inf)
    except (TypeError, ValueError):
        return True
